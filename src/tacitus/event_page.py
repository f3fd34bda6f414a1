"""Coded documents as one HTML page that needs no network: texts with their events, filters, counts and a download."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tacitus.events import CodedDocument
from tacitus.files import atomic_text
from tacitus.ontology import Ontology
from tacitus.page import render_page


class EventPage:
    """Gathers coded documents as they pass by and writes them as a page.

    Args:
        ontology: of the checkpoint that coded them.
        min_confidence: events below it are left out.
    """

    def __init__(self, ontology: Ontology, min_confidence: float = 0.0) -> None:
        self._ontology, self._min_confidence = ontology, min_confidence
        self._documents: list[dict[str, Any]] = []

    def watch(self, documents: Iterable[CodedDocument]) -> Iterator[CodedDocument]:
        """Passes documents on and keeps what the page shows of them."""
        for coded in documents:
            self._documents.append(page_document(coded, self._ontology, self._min_confidence))
            yield coded

    def write(self, path: str | Path, model: str) -> int:
        """Writes the page, whole or not at all; gives its number of events."""
        data = page_labels(self._ontology, model) | {"documents": self._documents}
        with atomic_text(path) as stream:
            stream.write(render_page("tacitus", "event_page.html", data))
        return sum(len(document["events"]) for document in self._documents)


def page_labels(ontology: Ontology, model: str) -> dict[str, Any]:
    """What a page knows besides documents: event types, roles and the model's name."""
    return {
        "model": model,
        "types": [{"id": t, "group": ontology.group_of[t]} for t in ontology.event_types],
        "roles": list(ontology.role_keys),
    }


def page_document(coded: CodedDocument, ontology: Ontology, min_confidence: float = 0.0) -> dict[str, Any]:
    """What a page holds of a coded document; event types are positions in the ontology."""
    pairs = list(zip(coded.sentences, coded.starts, strict=True))
    spans = [[at + s.start, at + s.end, s.label] for sentence, at in pairs for s in sentence.spans or ()]
    bounds = {sentence.sentence_index: (at, at + len(sentence.text)) for sentence, at in pairs}
    events = [
        {
            "type": ontology.event_types.index(record.sub_event_type),
            "confidence": round(record.confidence, 3),
            "sentence": bounds[record.sentence_index],
            "roles": [[[p.start, p.end] for p in record.roles[key]] for key in ontology.role_keys],
        }
        for record in coded.events(ontology)
        if record.confidence >= min_confidence
    ]
    document = coded.document
    return {
        "id": document.id,
        "date": document.date,
        "source": document.source,
        "text": document.text,
        "spans": spans,
        "events": events,
    }
