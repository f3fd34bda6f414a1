"""The reference backend: PyTorch on CPU or GPU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from tacitus.data.collate import Collator
from tacitus.data.encode import Window
from tacitus.model.modeling import EventModel
from tacitus.model.viterbi import ChainScores, Floats
from tacitus.runtime.base import WindowScores


class PyTorchRuntime:
    """Runs an :class:`EventModel`; bfloat16 autocast where asked for."""

    def __init__(self, model: EventModel, pad_token_id: int, device: str = "cpu", bf16: bool = False) -> None:
        self.model = model.to(torch.device(device)).eval()
        self.device, self.bf16 = torch.device(device), bf16
        self._collate = Collator(pad_token_id, len(model.config.task().event_types))
        with torch.no_grad():
            start, end, transitions = (scores.float().cpu().numpy() for scores in model.tag_scores())
        self.chain = ChainScores(start, end, transitions)

    @torch.inference_mode()
    def run(self, windows: Sequence[Window]) -> list[WindowScores]:
        """Scores of one batch of windows, in order."""
        features = [
            {"input_ids": w.input_ids, "case_ids": w.case_ids, "unit_positions": w.unit_positions} for w in windows
        ]
        batch = {name: tensor.to(self.device) for name, tensor in self._collate(features).items()}
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bf16):
            output = self.model(**batch)
        events, tags, roles = (_numpy(t) for t in (output.event_logits, output.tag_logits, output.role_logits))
        return [
            WindowScores(
                None if events is None else events[row],
                None if tags is None else tags[row, : len(window.unit_positions)],
                None if roles is None else roles[row, : len(window.unit_positions)],
            )
            for row, window in enumerate(windows)
        ]


def _numpy(tensor: torch.Tensor | None) -> Floats | None:
    return None if tensor is None else np.asarray(tensor.float().cpu().numpy())
