"""Runs transformers' Trainer with our dev score: records in, records out, the same figures as ``tacitus evaluate``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import Trainer, TrainerControl

from tacitus.checkpoint import extractor_from_model
from tacitus.metrics import count, headline, selection_score
from tacitus.records import AnnotatedSentence
from tacitus.training.average import WeightAverage
from tacitus.training.consistency import disagreement, doubled

SCORE = "eval_score"


class EventTrainer(Trainer):
    """A Trainer whose evaluation decodes the dev sentences and scores records instead of tensors.

    Args:
        dev: sentences that choose the checkpoint.
        raw_tokenizer: the encoder's tokenizer.
        average: decay of the weight average that is evaluated and kept in place of the weights; 0 for none.
        r_drop: weight of the disagreement of two passes in the loss; 0 for one pass.
    """

    def __init__(
        self,
        *args: Any,
        dev: Sequence[AnnotatedSentence],
        raw_tokenizer: Tokenizer,
        average: float = 0.0,
        r_drop: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._dev, self._raw_tokenizer, self._r_drop = list(dev), raw_tokenizer, r_drop
        self._average = WeightAverage(self.model, average) if average else None
        if self._average is not None:
            self.add_callback(self._average)

    def compute_loss(self, model: Any, inputs: dict[str, torch.Tensor], *args: Any, **kwargs: Any) -> Any:
        """The model's own loss, or R-Drop's: the mean of two passes and what they disagree in."""
        if not self._r_drop:
            return super().compute_loss(model, inputs, *args, **kwargs)
        inputs = doubled(inputs)
        loss, output = super().compute_loss(model, inputs, return_outputs=True)
        exclusive = bool(self.accelerator.unwrap_model(model).config.ontology.get("exclusive"))
        return loss + self._r_drop * disagreement(output, inputs, exclusive)

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Scores the dev sentences at default thresholds; ``eval_score`` chooses the checkpoint."""
        model = self._average.model if self._average else self.accelerator.unwrap_model(self.model)
        training = model.training
        device = next(model.parameters()).device
        bf16 = bool(self.args.bf16)
        extractor = extractor_from_model(model, self._raw_tokenizer, "in training", str(device), bf16)
        table = count(list(zip(self._dev, extractor.predict(self._dev), strict=True)), extractor.ontology)
        metrics = {f"eval_{name}": round(value, 5) for name, value in headline(table).items()}
        metrics[SCORE] = round(selection_score(table), 5)
        model.train(training)
        self.log(metrics)
        self.control: TrainerControl = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    # Training goes on from the plain weights, so a checkpoint holds these and the average beside them.

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        super()._save(output_dir, state_dict)
        if self._average is not None:
            self._average.save(output_dir or self.args.output_dir)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        if self._average is not None:
            self._average.load(resume_from_checkpoint)

    def _load_best_model(self) -> None:
        super()._load_best_model()
        if self._average is not None:
            self._average.load(self.state.best_model_checkpoint)
            self.accelerator.unwrap_model(self.model).load_state_dict(self._average.model.state_dict())
