"""A spaCy component: ``nlp.add_pipe("tacitus")`` → events in ``doc._.events``, actors and places in ``doc.spans``."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import minibatch

from tacitus.data.documents import Document
from tacitus.errors import TacitusError
from tacitus.events import CodedDocument, SplitDocument, split_document
from tacitus.extractor import Extractor
from tacitus.resources import default_checkpoint_path
from tacitus.sentences import Sentence

CONFIG = {"model": None, "device": "auto", "runtime": "auto", "min_confidence": 0.0}


def make_component(
    nlp: Language, name: str, model: str | None, device: str, runtime: str, min_confidence: float
) -> EventComponent:
    """The component that ``nlp.add_pipe("tacitus", config={...})`` adds."""
    return EventComponent(name, model, device, runtime, min_confidence)


Language.factory("tacitus", default_config=CONFIG, assigns=["doc._.events", "doc.spans"], func=make_component)


class EventComponent:
    """Codes whole documents: at the sentences that are set on them, else at those that tacitus finds.

    ``doc._.events`` holds one mapping an event, with the fields of event files; ``doc.spans`` one group a span label,
    named after it (``actors``, ``locations``), whose ``attrs["scores"]`` are the spans' probabilities. The checkpoint
    is loaded with the first document.

    Args:
        name: the component's name in the pipeline.
        model: a checkpoint folder; the shipped checkpoint where left out.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        runtime: as :meth:`tacitus.Extractor.load` takes it.
        min_confidence: leaves out events below it.
    """

    def __init__(
        self,
        name: str = "tacitus",
        model: str | None = None,
        device: str = "auto",
        runtime: str = "auto",
        min_confidence: float = 0.0,
    ) -> None:
        self.name, self.device, self.runtime, self.min_confidence = name, device, runtime, min_confidence
        self.checkpoint = Path(model) if model else default_checkpoint_path()
        self._extractor: Extractor | None = None
        if not Doc.has_extension("events"):
            Doc.set_extension("events", default=[])

    def __call__(self, doc: Doc) -> Doc:
        """Codes one document."""
        self._annotate([doc])
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Codes documents in batches, as ``nlp.pipe`` calls it."""
        for docs in minibatch(stream, batch_size):
            self._annotate(docs)
            yield from docs

    @property
    def extractor(self) -> Extractor:
        """The loaded checkpoint."""
        if self._extractor is None:
            self._extractor = Extractor.load(self.checkpoint, self.device, runtime=self.runtime)
        return self._extractor

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Copies the checkpoint's files, so that a saved pipeline stands alone."""
        Path(path).mkdir(parents=True, exist_ok=True)
        for file in self.checkpoint.iterdir():
            if file.is_file():
                shutil.copy2(file, path)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> EventComponent:
        """Takes the checkpoint that :meth:`to_disk` copied."""
        self.checkpoint, self._extractor = Path(path), None
        return self

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_extractor": None}  # each process loads its own

    def _annotate(self, docs: list[Doc]) -> None:
        for doc, coded in zip(docs, self.extractor.stream_split(map(_split, docs)), strict=True):
            self._put(doc, coded)

    def _put(self, doc: Doc, coded: CodedDocument) -> None:
        ontology = self.extractor.ontology
        records = coded.events(ontology)
        doc._.events = [record.to_json() for record in records if record.confidence >= self.min_confidence]
        for label in ontology.span_label_ids:
            found = [
                (_token_span(doc, start + span.start, start + span.end, label), span.score)
                for sentence, start in zip(coded.sentences, coded.starts, strict=True)
                for span in sentence.spans or ()
                if span.label == label
            ]
            group = f"{label.lower()}s"
            doc.spans[group] = [span for span, _ in found]
            doc.spans[group].attrs["scores"] = [score for _, score in found]


def _split(doc: Doc) -> SplitDocument:
    document = Document("doc", doc.text)  # spaCy's documents have no names
    return split_document(document, list(_sentences(doc)) if doc.has_annotation("SENT_START") else None)


def _sentences(doc: Doc) -> Iterator[Sentence]:
    for sent in doc.sents:
        text = sent.text
        start = sent.start_char + len(text) - len(text.lstrip())
        if text.strip():
            yield Sentence(start, start + len(text.strip()))


def _token_span(doc: Doc, start: int, end: int, label: str) -> Span:
    """The tokens that hold characters ``start`` to ``end``, whole."""
    span = doc.char_span(start, end, label=label, alignment_mode="expand")
    if span is None:
        raise TacitusError(f"characters {start}..{end} lie in no token of the document; please report this")
    return span
