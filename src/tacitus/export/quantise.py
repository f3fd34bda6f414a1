"""Post-training int8 quantisation of an OpenVINO graph with NNCF, calibrated on training sentences."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from tacitus.data.encode import Window
from tacitus.export.network import ScoringNetwork
from tacitus.runtime.padding import Ids, pad_windows

BATCH = 16


def quantise(graph: Any, network: ScoringNetwork, windows: Sequence[Window], pad_token_id: int) -> Any:
    """The graph with int8 weights and activations in the encoder's matrix products; the heads stay as they are.

    Args:
        graph: from :func:`tacitus.export.graph.openvino_graph`.
        network: names the inputs.
        windows: of sentences that calibrate the activations' ranges, in an order that mixes lengths.
        pad_token_id: of the tokenizer.
    """
    import nncf

    logging.getLogger("nncf").setLevel(logging.ERROR)
    batches = [_inputs(network, windows[i : i + BATCH], pad_token_id) for i in range(0, len(windows), BATCH)]
    return nncf.quantize(
        graph,
        nncf.Dataset(batches),
        model_type=nncf.ModelType.TRANSFORMER,
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(batches),
        ignored_scope=nncf.IgnoredScope(names=_heads(graph), validate=False),
    )


def _inputs(network: ScoringNetwork, windows: Sequence[Window], pad_token_id: int) -> dict[str, Ids]:
    arrays = pad_windows(windows, pad_token_id)
    return {name: arrays[name] for name in network.input_names}


def _heads(graph: Any) -> list[str]:
    """Operations of the three heads: little of the work, and most of the loss where they are quantised."""
    return [
        node.get_friendly_name()
        for node in graph.get_ops()
        if "_head" in node.get_friendly_name() and node.get_type_name() != "Constant"
    ]
