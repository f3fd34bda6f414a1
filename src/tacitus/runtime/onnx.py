"""Exported ONNX files with ONNX Runtime, for platforms without OpenVINO."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import onnxruntime

from tacitus.data.encode import Window
from tacitus.model.viterbi import ChainScores
from tacitus.runtime.base import WindowScores
from tacitus.runtime.padding import cut_scores, pad_windows


class ONNXRuntime:
    """Runs a file written by ``tacitus export --format onnx``; arguments as :class:`OpenVINORuntime`."""

    kind = "onnx"
    batch_tokens = 4096

    def __init__(self, graph: Path, chain: ChainScores, pad_token_id: int, threads: int = 0) -> None:
        self.chain, self._pad_token_id = chain, pad_token_id
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        self._inputs = [port.name for port in self._session.get_inputs()]
        self._outputs = [port.name for port in self._session.get_outputs()]

    def run(self, batches: Iterable[Sequence[Window]]) -> Iterator[list[WindowScores]]:
        """Scores of each batch of windows, in order."""
        return map(self._run, batches)

    def _run(self, windows: Sequence[Window]) -> list[WindowScores]:
        arrays = pad_windows(windows, self._pad_token_id)
        outputs = self._session.run(self._outputs, {name: arrays[name] for name in self._inputs})
        return cut_scores(dict(zip(self._outputs, outputs, strict=True)), windows)
