"""Exported graphs on CPUs with OpenVINO: int8, or float32 graphs in float32 or bfloat16."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import openvino

from tacitus.data.encode import Window
from tacitus.model.viterbi import ChainScores
from tacitus.runtime.base import WindowScores
from tacitus.runtime.padding import cut_scores, pad_windows
from tacitus.runtime.shapes import batch_shape


class OpenVINORuntime:
    """Runs a graph written by ``tacitus export``.

    Args:
        graph: the .xml file; its weights lie beside it.
        chain: transition scores of the tags.
        pad_token_id: of the tokenizer.
        bf16: compute what is not int8 in bfloat16, on processors that have it.
        threads: processor threads to use; 0 for all.
    """

    batch_tokens = 4096

    def __init__(
        self, graph: Path, chain: ChainScores, pad_token_id: int, bf16: bool = False, threads: int = 0
    ) -> None:
        self.kind = graph.stem  # "openvino-int8" or "openvino"
        self.chain, self._pad_token_id = chain, pad_token_id
        options: dict[str, Any] = {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "INFERENCE_PRECISION_HINT": "bf16" if bf16 else "f32",
        }
        if threads:
            options["INFERENCE_NUM_THREADS"] = threads
        compiled = openvino.Core().compile_model(graph, "CPU", options)
        self._inputs = [port.get_any_name() for port in compiled.inputs]
        self._outputs = [port.get_any_name() for port in compiled.outputs]
        n_streams = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self._requests = [compiled.create_infer_request() for _ in range(n_streams + 1)]

    def run(self, batches: Iterable[Sequence[Window]]) -> Iterator[list[WindowScores]]:
        """Scores of each batch of windows, in order; some batches are computed while the caller works."""
        free, running = deque(self._requests), deque[tuple[Any, Sequence[Window]]]()
        try:
            for windows in batches:
                if not free:
                    request, done = running.popleft()
                    free.append(request)
                    yield self._scores(request, done)
                request = free.popleft()
                self._start(request, windows)
                running.append((request, windows))
            while running:
                yield self._scores(*running.popleft())
        finally:
            for request, _ in running:  # left behind by a caller that stopped early
                request.wait()

    def _start(self, request: Any, windows: Sequence[Window]) -> None:
        rows, n_tokens = batch_shape(windows, self.batch_tokens)
        arrays = pad_windows(windows, self._pad_token_id, rows, n_tokens)
        request.start_async({name: arrays[name] for name in self._inputs}, share_inputs=False)

    def _scores(self, request: Any, windows: Sequence[Window]) -> list[WindowScores]:
        request.wait()
        outputs = {name: request.get_tensor(name).data[: len(windows)].copy() for name in self._outputs}
        return cut_scores(outputs, windows)
