"""Event records: one row per event, with offsets into the document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tacitus.data.documents import Document
from tacitus.errors import TacitusError
from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence, Event
from tacitus.sentences import Sentence, split_sentences

CSV_COLUMNS = (
    "event_id", "event_date", "disorder_type", "event_type", "sub_event_type",
    "actor1", "actor2", "location", "source", "notes", "confidence",
)  # fmt: skip

CSV_ROLES = {"initiators": "actor1", "targets": "actor2", "places": "location"}


@dataclass(frozen=True, slots=True)
class Participant:
    """A span in a role: ``document.text[start:end] == text``; ``score`` in [0, 1]."""

    text: str
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One event of one sentence; ``confidence`` is the calibrated probability of its type.

    ``roles`` maps each role key of the ontology (``initiators``, ``targets``, ``places``) to its spans.
    """

    event_id: str
    doc_id: str
    sentence_index: int
    event_date: str | None
    disorder_type: str
    event_type: str
    sub_event_type: str
    roles: dict[str, list[Participant]]
    confidence: float
    text: str
    source: str | None

    def to_json(self) -> dict[str, Any]:
        """The record with its role lists beside the other fields, as in event files."""
        raw: dict[str, Any] = asdict(self)
        roles = raw.pop("roles")
        tail = {name: raw.pop(name) for name in ("confidence", "text", "source")}
        record: dict[str, Any] = raw | roles | tail
        return record

    def to_csv_row(self) -> dict[str, Any]:
        """The record flattened to ACLED-like columns; several names are joined by ``; ``."""

        def names(key: str) -> str:
            return "; ".join(dict.fromkeys(p.text for p in self.roles.get(key, [])))

        return {
            "event_id": self.event_id,
            "event_date": self.event_date or "",
            "disorder_type": self.disorder_type,
            "event_type": self.event_type,
            "sub_event_type": self.sub_event_type,
            **{column: names(key) for key, column in CSV_ROLES.items()},
            "source": self.source or "",
            "notes": self.text,
            "confidence": self.confidence,
            **{key: names(key) for key in self.roles if key not in CSV_ROLES},
        }


@dataclass(frozen=True, slots=True)
class SplitDocument:
    """A document with its sentences, not yet predicted; ``starts[i]`` is where sentence i begins in the document."""

    document: Document
    sentences: list[AnnotatedSentence]
    starts: list[int]


def split_document(document: Document, cut: Sequence[Sentence] | None = None) -> SplitDocument:
    """Cuts a document into sentences named after it: at ``cut``, or where it is left out as we split texts."""
    if cut is None:
        cut = split_sentences(document.text)
    sentences = [
        AnnotatedSentence(
            f"{document.id}-s{i:02d}", document.text[s.start : s.end], doc_id=document.id, sentence_index=i
        )
        for i, s in enumerate(cut)
    ]
    return SplitDocument(document, sentences, [s.start for s in cut])


def chunks_of(documents: Iterable[SplitDocument], n_sentences: int) -> Iterator[list[SplitDocument]]:
    """Documents in groups of at least ``n_sentences`` sentences (or documents, where they are empty)."""
    chunk: list[SplitDocument] = []
    size = 0
    for document in documents:
        chunk.append(document)
        size += max(1, len(document.sentences))
        if size >= n_sentences:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


@dataclass(frozen=True, slots=True)
class CodedDocument:
    """A document with its predicted sentences; ``starts[i]`` is where sentence i begins in the document."""

    document: Document
    sentences: list[AnnotatedSentence]
    starts: list[int]

    def events(self, ontology: Ontology) -> Iterator[EventRecord]:
        """Event records in the order of the text.

        Raises:
            TacitusError: an offset that does not give its text back (never written).
        """
        for sentence, start in zip(self.sentences, self.starts, strict=True):
            for event in sentence.events or ():
                yield self._record(sentence, start, event, ontology)

    def _record(self, sentence: AnnotatedSentence, start: int, event: Event, ontology: Ontology) -> EventRecord:
        return EventRecord(
            event_id=f"{sentence.id}-{event.type}",
            doc_id=self.document.id,
            sentence_index=sentence.sentence_index or 0,
            event_date=self.document.date,
            disorder_type=ontology.disorder_type_of[event.type],
            event_type=ontology.group_of[event.type],
            sub_event_type=event.type,
            roles={key: list(self._participants(sentence, start, event, key)) for key in ontology.role_keys},
            confidence=event.score if event.score is not None else 1.0,
            text=sentence.text,
            source=self.document.source,
        )

    def _participants(self, sentence: AnnotatedSentence, start: int, event: Event, key: str) -> Iterator[Participant]:
        indices = event.roles.get(key, ())
        scores = (event.role_scores or {}).get(key, (1.0,) * len(indices))
        for index, score in zip(indices, scores, strict=True):
            span = (sentence.spans or ())[index]
            text, first, last = sentence.span_text(index), start + span.start, start + span.end
            if self.document.text[first:last] != text:
                raise TacitusError(
                    f"document {self.document.id!r}: offsets {first}..{last} do not give {text!r}; please report this"
                )
            yield Participant(text, first, last, round(score * (1.0 if span.score is None else span.score), 4))


def all_events(documents: Iterable[CodedDocument], ontology: Ontology) -> Iterator[EventRecord]:
    """Event records of many documents, in order."""
    for document in documents:
        yield from document.events(ontology)
