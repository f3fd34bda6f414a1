"""Likely label errors of an annotated set, ranked by what models that did not learn from a sentence say against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tacitus.annotation.select import tag_probabilities
from tacitus.data.encode import align_spans
from tacitus.data.split import split_by_document
from tacitus.extractor import Extractor
from tacitus.records import AnnotatedSentence, Span

Train = Callable[[Sequence[AnnotatedSentence], Sequence[AnnotatedSentence]], Extractor]
KEPT = 0.5  # a label is suspected where the model gives it less than this


@dataclass(frozen=True)
class Suspicion:
    """A label that a held-out model doubts: ``confidence`` in [0, 1] is what the model gives the label as it stands."""

    sentence: AnnotatedSentence
    layer: str
    label: str
    model: str
    confidence: float

    def to_json(self) -> dict[str, Any]:
        """As a line of a review file."""
        own = {name: getattr(self, name) for name in ("layer", "label", "model", "confidence")}
        return {"id": self.sentence.id, "text": self.sentence.text} | own


def cross_validated(
    sentences: Sequence[AnnotatedSentence], train: Train, folds: int, seed: int = 1
) -> Iterator[tuple[Extractor, list[AnnotatedSentence]]]:
    """For each fold of whole documents, a model trained on the others, and the fold.

    Args:
        sentences: annotated.
        train: training and fold sentences → a model that saw the training sentences only.
        folds: how many.
        seed: of the split.
    """
    shares = {str(fold): 1 / folds for fold in range(folds)}
    parts = split_by_document(sentences, shares, seed)
    for name, held_out in parts.items():
        rest = [s for other, part in parts.items() if other != name for s in part]
        if held_out:
            yield train(rest, held_out), held_out


def suspicions(extractor: Extractor, sentences: Sequence[AnnotatedSentence]) -> list[Suspicion]:
    """Types and spans of sentences that a model doubts, likeliest errors first.

    The confidence of a marked type is its probability, of an unmarked one the rest to 1 (self-confidence, Northcutt et
    al. 2021). That of a span is the probability of its tags, unit by unit; a span that the model sees and nobody marked
    is doubted by its score.
    """
    found: list[Suspicion] = []
    scores = extractor.score([s.text for s in sentences])
    predicted = extractor.decoder(sentences, scores, event_scores=True)
    for sentence, score, other in zip(sentences, scores, predicted, strict=True):
        if sentence.events is not None and other.event_scores is not None:
            found.extend(_types(sentence, other.event_scores))
        if sentence.spans is not None and score.tag_logits is not None:
            found.extend(
                _marked_spans(sentence, score.unit_offsets, tag_probabilities(score.tag_logits), extractor, other)
            )
            found.extend(_missing_spans(sentence, other))
    return rank(found)


def rank(found: Sequence[Suspicion]) -> list[Suspicion]:
    """Least confidence first, then by sentence."""
    return sorted(found, key=lambda s: (s.confidence, s.sentence.id, s.label))


def _types(sentence: AnnotatedSentence, probabilities: Any) -> Iterator[Suspicion]:
    marked = sentence.event_types()
    for kind, p in probabilities.items():
        confidence = float(p if kind in marked else 1 - p)
        if confidence < KEPT:
            label, model = (kind, f"not {kind}") if kind in marked else (f"not {kind}", kind)
            yield Suspicion(sentence, "event", label, model, round(confidence, 4))


def _marked_spans(
    sentence: AnnotatedSentence,
    offsets: Sequence[tuple[int, int]],
    probabilities: Any,
    extractor: Extractor,
    other: AnnotatedSentence,
) -> Iterator[Suspicion]:
    spans, tags = sentence.spans or (), extractor.decoder.tag_set
    units, _ = align_spans(spans, offsets)
    for index, (first, last) in units.items():
        path = tags.encode([(0, last - first, spans[index].label)], last - first)
        confidence = float(np.prod([probabilities[first + i, tag] for i, tag in enumerate(path)]))
        if confidence < KEPT and spans[index].key not in {s.key for s in other.spans or ()}:
            yield Suspicion(
                sentence, "span", _name(sentence, spans[index]), _near(other, spans[index]), round(confidence, 4)
            )


def _missing_spans(sentence: AnnotatedSentence, other: AnnotatedSentence) -> Iterator[Suspicion]:
    for span in other.spans or ():
        free = all(span.end <= s.start or s.end <= span.start for s in sentence.spans or ())
        confidence = round(1 - (span.score or 0.0), 4)
        if free and confidence < KEPT:
            yield Suspicion(sentence, "span", "no span", _name(sentence, span), confidence)


def _near(other: AnnotatedSentence, span: Span) -> str:
    """What the model marks where a span stands."""
    here = [s for s in other.spans or () if s.start < span.end and span.start < s.end]
    return "; ".join(_name(other, s) for s in here) or "no span"


def _name(sentence: AnnotatedSentence, span: Span) -> str:
    return f"{span.label} {sentence.text[span.start : span.end]!r}"
