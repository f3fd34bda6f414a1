"""The reference backend: PyTorch on CPU or GPU."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch

from tacitus.data.encode import Window
from tacitus.errors import TacitusError
from tacitus.model.modeling import EventModel
from tacitus.model.viterbi import ChainScores, Floats
from tacitus.runtime.base import WindowScores
from tacitus.runtime.padding import OUTPUTS, cut_scores, pad_windows


class PyTorchRuntime:
    """Runs an :class:`EventModel`; bfloat16 autocast where asked for."""

    kind = "pytorch"
    batch_tokens = 8192

    def __init__(self, model: EventModel, pad_token_id: int, device: str = "cpu", bf16: bool = False) -> None:
        self.model = model.to(torch.device(device)).eval()
        self.device, self.bf16 = torch.device(device), bf16
        self._pad_token_id = pad_token_id
        with torch.no_grad():
            start, end, transitions = (scores.float().cpu().numpy() for scores in model.tag_scores())
        self.chain = ChainScores(start, end, transitions)

    def run(self, batches: Iterable[Sequence[Window]]) -> Iterator[list[WindowScores]]:
        """Scores of each batch of windows, in order."""
        return map(self._run, batches)

    def _run(self, windows: Sequence[Window]) -> list[WindowScores]:
        try:
            return self._scores(windows)
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
        # Only here, since the error's traceback holds on to the batch.
        if len(windows) == 1:
            n = len(windows[0].input_ids)
            raise TacitusError(f"not enough memory on {self.device} for one window of {n} tokens; free some")
        half = len(windows) // 2
        return [*self._run(windows[:half]), *self._run(windows[half:])]

    @torch.inference_mode()
    def _scores(self, windows: Sequence[Window]) -> list[WindowScores]:
        arrays = pad_windows(windows, self._pad_token_id)
        batch = {name: torch.from_numpy(array).to(self.device) for name, array in arrays.items()}
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bf16):
            output = self.model(**batch)
        return cut_scores({name: _numpy(getattr(output, name)) for name in OUTPUTS}, windows)


def out_of_memory(error: Exception) -> bool:
    """Whether an error says that a tensor did not fit into the memory of the machine or its GPU."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _numpy(tensor: torch.Tensor | None) -> Floats | None:
    return None if tensor is None else np.asarray(tensor.float().cpu().numpy())
