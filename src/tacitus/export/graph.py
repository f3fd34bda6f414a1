"""Network → OpenVINO graph and ONNX file, both with free batch and sequence lengths."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from tacitus.data.encode import Window
from tacitus.export.network import ScoringNetwork
from tacitus.runtime.padding import pad_windows

# Two windows of different lengths, so that no tracer takes one length for the only one.
_EXAMPLE = [
    Window([1] * 7, [0, 1, 0, 2, 0, 3, 0], [1, 2, 4, 5], 0),
    Window([2] * 5, [0, 1, 0, 0, 0], [1, 3], 0),
    Window([1] * 6, [0] * 6, [1, 2, 3, 4], 0),
]


def openvino_graph(network: ScoringNetwork) -> Any:
    """The network as an ``openvino.Model`` in float32, inputs and outputs named."""
    import openvino as ov

    example = _example(network)
    with _quiet(), torch.no_grad():
        graph = ov.convert_model(network, example_input=example, input=[ov.PartialShape([-1, -1])] * len(example))
    for ports, names in ((graph.inputs, network.input_names), (graph.outputs, network.output_names)):
        for port, name in zip(ports, names, strict=True):
            port.set_names({name})
    _part_sums(graph)
    return graph


def _part_sums(graph: Any) -> None:
    """Keeps sums that drop an axis from being fused with the addition behind them.

    The CPU plugin of OpenVINO 2026.4 adds a fused vector along the wrong axis there, so that every row of the event
    logits got one type's bias; a sum that keeps the axis and a squeeze are computed as written.
    """
    from openvino import opset13

    for node in graph.get_ops():
        if node.get_type_name() == "ReduceSum" and not node.get_keep_dims():
            values, axes = node.input_values()
            kept = opset13.reduce_sum(values, axes, keep_dims=True)
            node.output(0).replace(opset13.squeeze(kept, axes).output(0))


def write_onnx(network: ScoringNetwork, path: Path) -> None:
    """Writes the network as an ONNX file of operator set 17, in float32."""
    axes = {name: {0: "rows", 1: "units" if name == "unit_positions" else "tokens"} for name in network.input_names}
    for name in network.output_names:
        axes[name] = {0: "rows"} if name == "event_logits" else {0: "rows", 1: "units"}
    with _quiet(), torch.no_grad():
        torch.onnx.export(
            network,
            _example(network),
            str(path),
            input_names=network.input_names,
            output_names=network.output_names,
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )


def _example(network: ScoringNetwork) -> tuple[torch.Tensor, ...]:
    return tuple(torch.from_numpy(array) for array in network.inputs_of(pad_windows(_EXAMPLE, 0)))


@contextmanager
def _quiet() -> Iterator[None]:
    """Tracing warns of every branch on a shape; those that matter are checked by running the graph."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
