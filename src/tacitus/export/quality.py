"""How far an exported graph's predictions are from the reference network's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacitus.extractor import Extractor
from tacitus.metrics import count
from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence

MIN_AGREEMENT = 0.99
MAX_SPAN_F1_LOSS = 0.003
MAX_MEAN_DIFFERENCE = 0.01


@dataclass(frozen=True)
class Quality:
    """An exported graph against the float32 network on the same sentences.

    Args:
        n_sentences: sentences compared.
        event_agreement: share of (sentence, event type) decisions that are the same.
        sentence_agreement: share of sentences whose set of event types is the same.
        span_agreement: F1 of the graph's spans (offsets and label) against the network's.
        mean_difference: mean absolute difference of the event probabilities.
        span_f1: span micro F1 against gold, network first; ``None`` where the sentences carry no spans.
        event_f1: event micro F1 against gold, network first; ``None`` where they carry no events.
    """

    n_sentences: int
    event_agreement: float
    sentence_agreement: float
    span_agreement: float
    mean_difference: float
    span_f1: tuple[float, float] | None
    event_f1: tuple[float, float] | None

    @property
    def kept(self) -> bool:
        """Whether the graph is as good as the network, by this module's limits."""
        loss = self.span_f1[0] - self.span_f1[1] if self.span_f1 else 0.0
        return (
            self.event_agreement >= MIN_AGREEMENT
            and loss <= MAX_SPAN_F1_LOSS
            and self.mean_difference <= MAX_MEAN_DIFFERENCE
        )

    def to_json(self) -> dict[str, Any]:
        """All figures, and whether quality was kept."""
        return asdict(self) | {"kept": self.kept}


def compare_runtimes(reference: Extractor, other: Extractor, sentences: Sequence[AnnotatedSentence]) -> Quality:
    """Predicts sentences with both and compares."""
    ontology = reference.ontology
    ours, theirs = (list(e.predict(sentences, event_scores=True)) for e in (reference, other))
    n_decisions = max(1, len(sentences) * len(ontology.event_types))
    differing = [len(a.event_types() ^ b.event_types()) for a, b in zip(ours, theirs, strict=True)]
    return Quality(
        n_sentences=len(sentences),
        event_agreement=1 - sum(differing) / n_decisions,
        sentence_agreement=1 - sum(map(bool, differing)) / max(1, len(sentences)),
        span_agreement=_f1("span/strict", ours, theirs, ontology) if ontology.span_labels else 1.0,
        mean_difference=_mean(np.abs(_probabilities(ours) - _probabilities(theirs))),
        span_f1=_both("span/strict", sentences, ours, theirs, ontology),
        event_f1=_both("event", sentences, ours, theirs, ontology),
    )


def _both(
    key: str,
    gold: Sequence[AnnotatedSentence],
    ours: Sequence[AnnotatedSentence],
    theirs: Sequence[AnnotatedSentence],
    ontology: Ontology,
) -> tuple[float, float] | None:
    layers = [s.events if key == "event" else s.spans for s in gold]
    if not any(layer is not None for layer in layers):
        return None
    return _f1(key, gold, ours, ontology), _f1(key, gold, theirs, ontology)


def _f1(
    key: str, gold: Sequence[AnnotatedSentence], predicted: Sequence[AnnotatedSentence], ontology: Ontology
) -> float:
    return count(list(zip(gold, predicted, strict=True)), ontology).micro(key).f1


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else 0.0


def _probabilities(predicted: Sequence[AnnotatedSentence]) -> NDArray[np.float64]:
    return np.array([list((p.event_scores or {}).values()) for p in predicted], dtype=np.float64)
