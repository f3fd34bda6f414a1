"""What is wrong in each sentence, named: missed, spurious, wrong type, wrong boundary, wrong role."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tacitus.metrics import overlaps
from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence, Span


@dataclass(frozen=True, slots=True)
class SentenceError:
    """One error: ``layer`` (event, span, role), ``kind``, and what gold and prediction say."""

    layer: str
    kind: str
    gold: str | None
    predicted: str | None


def sentence_errors(gold: AnnotatedSentence, predicted: AnnotatedSentence) -> Iterator[SentenceError]:
    """All errors of one sentence; a layer that the gold lacks has none."""
    if gold.events is not None:
        yield from _event_errors(gold.event_types(), predicted.event_types())
    if gold.spans is not None:
        yield from _span_errors(gold, predicted)
    if gold.events is not None and gold.spans is not None:
        yield from _role_errors(gold, predicted)


def _event_errors(gold: set[str], predicted: set[str]) -> Iterator[SentenceError]:
    missed, spurious = sorted(gold - predicted), sorted(predicted - gold)
    if len(missed) == len(spurious) == 1:
        yield SentenceError("event", "wrong type", missed[0], spurious[0])
        return
    yield from (SentenceError("event", "missed", kind, None) for kind in missed)
    yield from (SentenceError("event", "spurious", None, kind) for kind in spurious)


def _span_errors(gold: AnnotatedSentence, predicted: AnnotatedSentence) -> Iterator[SentenceError]:
    right = {s.key for s in gold.spans or ()} & {s.key for s in predicted.spans or ()}
    left = [s for s in gold.spans or () if s.key not in right]
    extra = [s for s in predicted.spans or () if s.key not in right]
    for span in left:
        match = next((p for p in extra if overlaps(span, p)), None)
        if match is None:
            yield SentenceError("span", "missed", _named(gold, span), None)
            continue
        extra.remove(match)
        same_place = (span.start, span.end) == (match.start, match.end)
        kind = (
            "wrong label"
            if same_place
            else "wrong boundary"
            if span.label == match.label
            else "wrong label and boundary"
        )
        yield SentenceError("span", kind, _named(gold, span), _named(predicted, match))
    yield from (SentenceError("span", "spurious", None, _named(predicted, span)) for span in extra)


def _named(sentence: AnnotatedSentence, span: Span) -> str:
    return f"{span.label} {sentence.text[span.start : span.end]!r}"


def _role_errors(gold: AnnotatedSentence, predicted: AnnotatedSentence) -> Iterator[SentenceError]:
    """Errors among roles of events that both have, on spans that both have; the others follow from the layers above."""
    shared_types = gold.event_types() & predicted.event_types()
    shared_spans = {s.key for s in gold.spans or ()} & {s.key for s in predicted.spans or ()}
    roles = [
        {(t, s.key): key for t, key, s in record.role_tuples() if t in shared_types and s.key in shared_spans}
        for record in (gold, predicted)
    ]
    for where in sorted(roles[0].keys() | roles[1].keys()):
        kind, (start, end, _) = where
        wanted, found = roles[0].get(where), roles[1].get(where)
        if wanted != found:
            name = "wrong role" if wanted and found else "missed" if wanted else "spurious"
            text = f"{gold.text[start:end]!r} in {kind}"
            yield SentenceError(
                "role", name, f"{wanted} {text}" if wanted else None, f"{found} {text}" if found else None
            )


def type_confusion(
    pairs: Iterable[tuple[AnnotatedSentence, AnnotatedSentence]], ontology: Ontology
) -> dict[str, dict[str, int]]:
    """Gold type → predicted type → sentences; a missed type pairs with its sentence's spurious ones, else ``none``."""
    counts: Counter[tuple[str, str]] = Counter()
    for gold, predicted in pairs:
        if gold.events is None:
            continue
        g, p = gold.event_types(), predicted.event_types()
        counts.update((kind, kind) for kind in g & p)
        for missed in g - p or {"none"}:
            for spurious in p - g or {"none"}:
                if (missed, spurious) != ("none", "none"):
                    counts[missed, spurious] += 1
    names = [*ontology.event_types, "none"]
    return {a: {b: counts[a, b] for b in names if counts[a, b]} for a in names if any(counts[a, b] for b in names)}


def scored_sentence(gold: AnnotatedSentence, predicted: AnnotatedSentence) -> dict[str, Any]:
    """One scored sentence as plain JSON types: text, both annotations, and its errors."""
    return {
        "id": gold.id,
        "doc_id": gold.document,
        "text": gold.text,
        "meta": dict(gold.meta or {}),
        "gold": layers(gold),
        "predicted": layers(predicted),
        "errors": [
            {"layer": e.layer, "kind": e.kind, "gold": e.gold, "predicted": e.predicted}
            for e in sentence_errors(gold, predicted)
        ],
    }


def layers(sentence: AnnotatedSentence) -> dict[str, Any]:
    """Spans and events of a sentence as plain JSON types, as the report pages draw them."""
    spans: Sequence[Span] | None = sentence.spans
    return {
        "spans": None if spans is None else [{"start": s.start, "end": s.end, "label": s.label} for s in spans],
        "events": None
        if sentence.events is None
        else [
            {"type": e.type, "score": e.score} | {key: list(ids) for key, ids in e.roles.items()}
            for e in sentence.events
        ],
    }
