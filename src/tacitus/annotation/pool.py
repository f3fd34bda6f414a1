"""Where sentences to annotate come from: annotated-sentence files, or reports that are split."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tacitus.data.documents import find_inputs, read_documents
from tacitus.data.jsonl import read_sentences
from tacitus.errors import InputError
from tacitus.extractor import Extractor, document_sentences
from tacitus.folder import weights_sha256
from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence


@dataclass(frozen=True)
class Pool:
    """Sentences to annotate, the text of documents that were read whole, and files of no readable kind in folders."""

    sentences: list[AnnotatedSentence]
    documents: dict[str, str]
    skipped: list[Path]


def read_pool(inputs: Sequence[str | Path], ontology: Ontology) -> Pool:
    """Reads annotated sentences (JSON Lines with ``spans`` and ``events``), or reports of any readable kind.

    Raises:
        InputError: nothing to read, an unreadable file, or a sentence id that stands twice.
        RecordError: a bad annotated sentence.
    """
    files, skipped = find_inputs(inputs)
    annotated = [file for file in files if _holds_sentences(file)]
    sentences = [s for file in annotated for s in read_sentences(file, ontology)]
    documents: dict[str, str] = {}
    for document in read_documents([file for file in files if file not in annotated]):
        documents[document.id] = document.text
        meta = {k: v for k, v in (("date", document.date), ("source", document.source)) if v}
        sentences += [replace(s, meta=meta or None) for s in document_sentences(document)[0]]
    ids = {s.id for s in sentences}
    if len(ids) != len(sentences):
        raise InputError(f"{len(sentences) - len(ids)} sentence ids stand twice over the inputs; ids are unique")
    if not sentences:
        raise InputError("the inputs hold no sentence; give reports or annotated sentences")
    return Pool(sentences, documents, skipped)


def _holds_sentences(file: Path) -> bool:
    if file.suffix.lower() != ".jsonl":
        return False
    with file.open(encoding="utf-8-sig", errors="replace") as stream:
        first = next((line for line in stream if line.strip()), "")
    try:
        return {"text", "spans", "events"} <= set(json.loads(first).keys())
    except (ValueError, AttributeError, RecursionError):
        return False


def model_version(extractor: Extractor) -> str:
    """Names a checkpoint by its folder and its weights, so that a retrained one in the same folder is another."""
    return f"{Path(extractor.name).name}-{weights_sha256(Path(extractor.name))[:10]}"


def check_same_labels(extractor: Extractor, ontology: Ontology) -> None:
    """Checks that a checkpoint speaks of the labels that a project asks for.

    Raises:
        InputError: it does not.
    """
    own = extractor.ontology
    for what in ("event_types", "span_label_ids", "role_keys"):
        if getattr(own, what) != getattr(ontology, what):
            raise InputError(
                f"{extractor.name}: was trained on other {what.replace('_', ' ')} than the ontology {ontology.name!r} "
                "has; give its own --ontology or another --model"
            )
