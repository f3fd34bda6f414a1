"""The annotated sentence: one record type for gold and for predictions.

Offsets are Unicode code points into the sentence, start inclusive, end exclusive: ``text[start:end]``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tacitus.errors import RecordError, suggest
from tacitus.ontology import Ontology


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled mention ``text[start:end]``; ``score`` in [0, 1] on predictions."""

    start: int
    end: int
    label: str
    score: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise RecordError(
                f"span {self.start}..{self.end} is empty or reversed; offsets are start inclusive, end exclusive"
            )

    @property
    def key(self) -> tuple[int, int, str]:
        """What makes two spans the same: offsets and label."""
        return (self.start, self.end, self.label)


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a sentence: its type and, for each role key, the indices of its spans."""

    type: str
    roles: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    score: float | None = None
    role_scores: Mapping[str, tuple[float, ...]] | None = None


@dataclass(frozen=True, slots=True)
class AnnotatedSentence:
    """A sentence with its spans and events; a layer nobody annotated is ``None``, one with nothing in it ``()``."""

    id: str
    text: str
    spans: tuple[Span, ...] | None = None
    events: tuple[Event, ...] | None = None
    doc_id: str | None = None
    sentence_index: int | None = None
    meta: Mapping[str, Any] | None = None
    event_scores: Mapping[str, float] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        last = 0
        for span in self.spans or ():
            if span.end > len(self.text):
                raise RecordError(f"span {span.start}..{span.end} lies outside the text of {len(self.text)} characters")
            if span.start < last:
                raise RecordError(
                    f"span {span.start}..{span.end} crosses the span before it, or spans are not sorted by start"
                )
            last = span.end

    @property
    def document(self) -> str:
        """The id that groups sentences of one document; a sentence without one is its own."""
        return self.doc_id if self.doc_id is not None else self.id

    def event_types(self) -> set[str]:
        """Types of the events marked in the sentence."""
        return {event.type for event in self.events or ()}

    def span_text(self, index: int) -> str:
        """The text of span ``index``."""
        span = (self.spans or ())[index]
        return self.text[span.start : span.end]

    def role_tuples(self) -> Iterator[tuple[str, str, Span]]:
        """(event type, role key, span) for every role of every event."""
        for event in self.events or ():
            for key, indices in event.roles.items():
                for index in indices:
                    yield event.type, key, (self.spans or ())[index]


def check_role_indices(sentence: AnnotatedSentence) -> None:
    """Checks that every role is played by a span that is there.

    Raises:
        RecordError: a role index out of range.
    """
    n_spans = len(sentence.spans or ())
    for event in sentence.events or ():
        for key, indices in event.roles.items():
            for index in indices:
                if not 0 <= index < n_spans:
                    raise RecordError(
                        f"sentence {sentence.id!r}: event {event.type!r}: {key} index {index} is out of range, "
                        f"there are {n_spans} spans"
                    )


def check_labels(sentence: AnnotatedSentence, ontology: Ontology) -> None:
    """Checks types, labels and roles against the ontology.

    Raises:
        RecordError: an unknown label or type, a type twice, a role index out of range or on the wrong label.
    """
    for span in sentence.spans or ():
        if span.label not in ontology.span_label_ids:
            raise RecordError(f"unknown span label {span.label!r}{suggest(span.label, ontology.span_label_ids)}")
    check_role_indices(sentence)
    seen: set[str] = set()
    for event in sentence.events or ():
        if event.type not in ontology.group_of:
            raise RecordError(f"unknown event type {event.type!r}{suggest(event.type, ontology.event_types)}")
        if event.type in seen:
            raise RecordError(f"event type {event.type!r} stands twice; one event per type and sentence")
        seen.add(event.type)
        _check_roles(sentence, event, ontology)
    if sentence.event_scores is not None and sentence.event_scores.keys() != ontology.group_of.keys():
        odd = sorted(sentence.event_scores.keys() ^ ontology.group_of.keys())[0]
        raise RecordError(f"event_scores and the ontology differ in {odd!r}; predict again with --scores")
    if ontology.exclusive and len(seen) > 1:
        raise RecordError(f"{len(seen)} events under an exclusive ontology; keep one")


def _check_roles(sentence: AnnotatedSentence, event: Event, ontology: Ontology) -> None:
    spans = sentence.spans or ()
    for key, indices in event.roles.items():
        if key not in ontology.role_keys:
            raise RecordError(f"event {event.type!r}: unknown role list {key!r}{suggest(key, ontology.role_keys)}")
        for index in indices:
            if spans[index].label != ontology.role_label(key):
                raise RecordError(
                    f"event {event.type!r}: {key} index {index} is a {spans[index].label}, "
                    f"needs {ontology.role_label(key)}"
                )
