"""A document with the marks of another tool, and how it becomes annotated sentences."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tacitus.convert.losses import SCORES, Losses
from tacitus.errors import RecordError
from tacitus.records import AnnotatedSentence, Event, Span
from tacitus.sentences import Sentence, split_sentences


@dataclass(frozen=True, slots=True)
class MarkedEvent:
    """An event of a document: roles hold indices into the document's spans.

    ``trigger`` is the ``(start, end)`` that shows in which sentence it stands; ``None`` for a label of the whole text.
    """

    type: str
    roles: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    trigger: tuple[int, int] | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class MarkedDocument:
    """A text with spans that may overlap and cross sentences, in any order; a layer nobody annotated is ``None``.

    ``boundaries`` are the sentences that the source states; without them the document is split.
    """

    id: str
    text: str
    spans: tuple[Span, ...] | None = None
    events: tuple[MarkedEvent, ...] | None = None
    boundaries: tuple[Sentence, ...] | None = None
    doc_id: str | None = None
    sentence_index: int | None = None
    meta: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


def to_sentences(document: MarkedDocument, losses: Losses, whole: bool = False) -> list[AnnotatedSentence]:
    """The sentences of a document with the marks that stand inside each.

    A text of one sentence, or with a label of its own, stays as it is. Sentences that a trigger reaches over are
    joined. Of overlapping spans the longest is kept.

    Args:
        document: what was read.
        losses: gets marks that have no place in a sentence record.
        whole: keep the text as one record, however many sentences it has.

    Raises:
        RecordError: a span lies outside the text.
    """
    sentences = _sentences(document, whole)
    if not sentences:
        losses.add("texts without words", document.id)
        return []
    kept = _kept_spans(document, sentences, losses)
    events: dict[int, list[MarkedEvent]] = {}
    for event in document.events or ():
        home = _sentence_at(event.trigger[0] if event.trigger else 0, sentences)
        events.setdefault(home, []).append(event)
        if event.trigger not in (None, sentences[home]):
            losses.add("trigger words of events")
    return [_sentence(document, i, sentences, kept, events.get(i, ()), losses) for i in range(len(sentences))]


def _sentences(document: MarkedDocument, whole: bool) -> list[Sentence]:
    labelled = any(event.trigger is None for event in document.events or ())
    everything = Sentence(0, len(document.text))
    if not document.text.strip():
        return []
    if whole or labelled:
        return [everything]
    found = document.boundaries if document.boundaries is not None else split_sentences(document.text)
    joined = _joined(found, [event.trigger for event in document.events or () if event.trigger])
    return joined if len(joined) > 1 else [everything]


def _joined(sentences: Sequence[Sentence], triggers: Sequence[tuple[int, int]]) -> list[Sentence]:
    """Sentences that a trigger reaches over are one: whoever marked it read them so."""
    out: list[Sentence] = []
    for sentence in sentences:
        if out and any(start < out[-1].end and end > sentence.start for start, end in triggers):
            out[-1] = Sentence(out[-1].start, sentence.end)
        else:
            out.append(sentence)
    return out


def _kept_spans(document: MarkedDocument, sentences: Sequence[Sentence], losses: Losses) -> dict[int, tuple[int, Span]]:
    """Index of a span in the document → its sentence and the span with offsets into it."""
    trimmed = {i: _trimmed(span, document, losses) for i, span in enumerate(document.spans or ())}
    inside: dict[int, tuple[int, Span]] = {}
    for index, span in trimmed.items():
        if span is None:
            continue
        home = _sentence_at(span.start, sentences)
        if span.start < sentences[home].start or span.end > sentences[home].end:
            losses.add("spans across a sentence boundary", _named(document, span))
        else:
            start = sentences[home].start
            inside[index] = (home, Span(span.start - start, span.end - start, span.label, span.score))
    overlapping = inside.keys() - _longest(inside)
    for index in sorted(overlapping):
        losses.add("spans that overlap a longer one", _named(document, (document.spans or ())[index]))
    return {index: place for index, place in inside.items() if index not in overlapping}


def _trimmed(span: Span, document: MarkedDocument, losses: Losses) -> Span | None:
    if span.end > len(document.text):
        raise RecordError(
            f"document {document.id!r}: {span.label} {span.start}..{span.end} lies outside the text of "
            f"{len(document.text)} characters; offsets are to count Unicode characters, end exclusive"
        )
    text = document.text[span.start : span.end]
    if not text.strip():
        losses.add("spans without words", f"{document.id} {span.label} {span.start}..{span.end}")
        return None
    start = span.start + len(text) - len(text.lstrip())
    end = start + len(text.strip())
    if (start, end) == (span.start, span.end):
        return span
    losses.add("white space at the edges of spans")
    return Span(start, end, span.label, span.score)


def _sentence_at(start: int, sentences: Sequence[Sentence]) -> int:
    """The sentence that a character stands in or, between two, the one before."""
    return max(0, bisect.bisect_right(sentences, start, key=lambda s: s.start) - 1)


def _named(document: MarkedDocument, span: Span) -> str:
    text = " ".join(document.text[span.start : span.end].split())
    return f"{document.id} {span.label} {text[:40]!r}"


def _longest(inside: Mapping[int, tuple[int, Span]]) -> set[int]:
    """Spans that no longer one, and no earlier one of the same length, overlaps."""
    taken: dict[int, list[Span]] = {}
    out: set[int] = set()
    by_length = sorted(inside, key=lambda i: (inside[i][1].start - inside[i][1].end, inside[i][1].start, i))
    for index in by_length:
        home, span = inside[index]
        others = taken.setdefault(home, [])
        if all(span.end <= other.start or other.end <= span.start for other in others):
            others.append(span)
            out.add(index)
    return out


def _sentence(
    document: MarkedDocument,
    number: int,
    sentences: Sequence[Sentence],
    kept: Mapping[int, tuple[int, Span]],
    events: Iterable[MarkedEvent],
    losses: Losses,
) -> AnnotatedSentence:
    here = sorted((span.start, index) for index, (home, span) in kept.items() if home == number)
    place = {index: position for position, (_, index) in enumerate(here)}
    built = merged([_event(event, place, document, losses) for event in events], losses)
    several = len(sentences) > 1
    return AnnotatedSentence(
        id=f"{document.id}-s{number:02d}" if several else document.id,
        text=document.text[sentences[number].start : sentences[number].end],
        spans=None if document.spans is None else tuple(kept[index][1] for _, index in here),
        events=None if document.events is None else built,
        doc_id=document.doc_id if not several or document.doc_id is not None else document.id,
        sentence_index=number if several else document.sentence_index,
        meta=document.meta,
        extra=document.extra,
    )


def _event(event: MarkedEvent, place: Mapping[int, int], document: MarkedDocument, losses: Losses) -> Event:
    roles: dict[str, tuple[int, ...]] = {}
    for key, indices in event.roles.items():
        roles[key] = tuple(sorted({place[i] for i in indices if i in place}))
        for index in indices:
            if index not in place:
                span = (document.spans or ())[index]
                losses.add("roles of spans that are not in the event's sentence", f"{_named(document, span)} {key}")
    return Event(event.type, roles, event.score)


def merged(events: Iterable[Event], losses: Losses) -> tuple[Event, ...]:
    """One event a type, as records hold them: roles of events of one type are put together."""
    out: dict[str, Event] = {}
    for event in events:
        first = out.get(event.type)
        if first is None:
            out[event.type] = event
            continue
        losses.add("events put together with another of their type")
        keys = dict.fromkeys([*first.roles, *event.roles])
        roles = {k: tuple(sorted({*first.roles.get(k, ()), *event.roles.get(k, ())})) for k in keys}
        losses.add(SCORES, n=sum(len(s) for e in (first, event) for s in (e.role_scores or {}).values()))
        scores = [score for score in (first.score, event.score) if score is not None]
        out[event.type] = Event(event.type, roles, max(scores, default=None))
    return tuple(out.values())
