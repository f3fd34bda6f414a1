"""An exponential moving average of the weights in training (Polyak & Juditsky 1992)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from transformers import TrainerCallback

from tacitus.model.modeling import EventModel

FILE = "average.pt"


class WeightAverage(TrainerCallback):
    """Averages a model's weights after every optimizer step.

    Args:
        model: the network in training, on its device.
        decay: share of the old average that a step keeps, in [0, 1); lower in the first steps, where there is little
            to average.
    """

    def __init__(self, model: EventModel, decay: float) -> None:
        def update(averages: Sequence[Tensor], weights: Sequence[Tensor], n: Tensor | int) -> None:
            kept = min(decay, (1 + int(n)) / (10 + int(n)))
            torch._foreach_lerp_(list(averages), list(weights), 1 - kept)

        self._source = model
        self._average = AveragedModel(model, multi_avg_fn=update)

    @property
    def model(self) -> EventModel:
        """The network with the averaged weights."""
        return cast(EventModel, self._average.module)

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Takes the weights of one optimizer step in."""
        with torch.no_grad():
            self._average.update_parameters(self._source)

    def save(self, folder: str | Path) -> None:
        """Writes the average beside a training checkpoint."""
        torch.save(self._average.state_dict(), Path(folder) / FILE)

    def load(self, folder: str | Path) -> None:
        """Takes up the average of a training checkpoint."""
        device = next(self._average.parameters()).device
        self._average.load_state_dict(torch.load(Path(folder) / FILE, map_location=device, weights_only=True))
