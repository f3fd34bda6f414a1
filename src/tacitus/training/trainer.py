"""Runs transformers' Trainer with our dev score: records in, records out, the same figures as ``tacitus evaluate``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tokenizers import Tokenizer
from transformers import Trainer, TrainerControl

from tacitus.checkpoint import extractor_from_model
from tacitus.metrics import count, headline, selection_score
from tacitus.records import AnnotatedSentence

SCORE = "eval_score"


class EventTrainer(Trainer):
    """A Trainer whose evaluation decodes the dev sentences and scores records instead of tensors."""

    def __init__(self, *args: Any, dev: Sequence[AnnotatedSentence], raw_tokenizer: Tokenizer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._dev, self._raw_tokenizer = list(dev), raw_tokenizer

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Scores the dev sentences at default thresholds; ``eval_score`` chooses the checkpoint."""
        model = self.accelerator.unwrap_model(self.model)
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
