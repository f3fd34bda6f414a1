"""The formats that ``tacitus convert`` knows, and the conversion itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tacitus.convert.brat_in import read_brat
from tacitus.convert.brat_out import write_brat
from tacitus.convert.cas import read_cas
from tacitus.convert.conll import write_conll
from tacitus.convert.docbin import read_docbin, write_docbin
from tacitus.convert.documents import MarkedDocument, to_sentences
from tacitus.convert.json_lines import read_doccano, read_prodigy
from tacitus.convert.labels import check_ontology, rename
from tacitus.convert.losses import DOCUMENTS, EVENTS, EVERYTHING, IDS, LAYERS, META, ROLES, SPANS, Losses, count_unheld
from tacitus.convert.table import read_table
from tacitus.data.documents import Columns
from tacitus.data.jsonl import read_sentences, write_sentences
from tacitus.data.labelled import read_conll
from tacitus.errors import InputError, require, suggest
from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence, check_role_indices

Sentences = list[AnnotatedSentence]


@dataclass(frozen=True)
class Source:
    """What is read: a file or folder, its columns where it is a table, and whether texts are kept whole."""

    path: Path
    columns: Columns = field(default_factory=Columns)
    label_column: str = "label"
    whole: bool = False


@dataclass(frozen=True)
class Format:
    """A format: how it is read and written, which parts of a record it holds, and the package it needs."""

    read: Callable[[Source, Losses], Sentences] | None = None
    write: Callable[[Path, Sequence[AnnotatedSentence], Losses], object] | None = None
    endings: tuple[str, ...] = ()
    holds: frozenset[str] = EVERYTHING
    package: str | None = None


def _documents(
    reader: Callable[[Path, Losses], Iterable[MarkedDocument]],
) -> Callable[[Source, Losses], Sentences]:
    def read(source: Source, losses: Losses) -> Sentences:
        return [s for document in reader(source.path, losses) for s in to_sentences(document, losses, source.whole)]

    return read


def _table(source: Source, losses: Losses) -> Sentences:
    rows = read_table(source.path, source.columns, source.label_column)
    return [s for document in rows for s in to_sentences(document, losses)]


FORMATS = {
    "tacitus": Format(
        lambda source, _: read_sentences(source.path),
        lambda path, sentences, _: write_sentences(path, sentences),
        (".jsonl",),
    ),
    "conll": Format(
        lambda source, _: read_conll(source.path), write_conll, (".conll", ".bio", ".iob"), frozenset({SPANS})
    ),
    "brat": Format(_documents(read_brat), write_brat, (".ann", ""), frozenset({DOCUMENTS, SPANS, EVENTS, ROLES})),
    "docbin": Format(
        _documents(read_docbin),
        write_docbin,
        (".spacy",),
        frozenset({IDS, DOCUMENTS, META, SPANS, EVENTS, LAYERS}),
        "spacy",
    ),
    "doccano": Format(_documents(read_doccano), endings=(".jsonl",)),
    "prodigy": Format(_documents(read_prodigy), endings=(".jsonl",)),
    "cas": Format(_documents(read_cas), endings=(".xmi",), package="cassis"),
    "csv": Format(_table, endings=(".csv", ".tsv")),
}
READ = [name for name, form in FORMATS.items() if form.read]
WRITTEN = [name for name, form in FORMATS.items() if form.write]


def format_of(path: Path, name: str | None, known: Sequence[str], option: str) -> str:
    """The format by its name or, where only one has the path's ending, by that.

    Raises:
        InputError: an unknown name, or an ending of no or of several formats.
    """
    if name is not None:
        if name not in known:
            raise InputError(f"{option} {name}: no such format{suggest(name, known)}; take {', '.join(known)}")
        return name
    fitting = [form for form in known if path.suffix.lower() in FORMATS[form].endings]
    if len(fitting) != 1:
        raise InputError(f"{path}: could be {', '.join(fitting or known)}; say which with {option}")
    return fitting[0]


def read_format(source: Source, name: str, losses: Losses) -> Sentences:
    """Reads annotated sentences of a format.

    Raises:
        TacitusError: the file cannot be read, an id stands twice, or a package is missing.
    """
    form = FORMATS[name]
    if form.package:
        require(form.package, "convert")
    assert form.read is not None, name
    sentences = form.read(source, losses)
    seen: set[str] = set()
    for sentence in sentences:
        if sentence.id in seen:
            raise InputError(f"{source.path}: the id {sentence.id!r} stands twice; ids are unique, or leave them out")
        seen.add(sentence.id)
        check_role_indices(sentence)
    if not sentences:
        raise InputError(f"{source.path}: no sentence in it, read as {name}; is the format right (--from)?")
    return sentences


def convert(
    source: Source,
    output: Path,
    formats: tuple[str, str],
    names: Mapping[str, str] | None = None,
    ontology: Ontology | None = None,
) -> tuple[Sentences, Losses]:
    """Reads a file of one format, renames its labels, checks them and writes another.

    Args:
        source: what to read.
        output: what to write.
        formats: of both.
        names: old label → new one, or nothing to leave it out.
        ontology: when given, labels and roles are checked against it.

    Returns:
        What was written, and what could not be kept.
    """
    losses = Losses()
    sentences = rename(read_format(source, formats[0], losses), names or {}, losses)
    if ontology is not None:
        check_ontology(sentences, ontology)
    form = FORMATS[formats[1]]
    if form.package:
        require(form.package, "convert")
    assert form.write is not None, formats[1]
    count_unheld(sentences, form.holds, losses)
    form.write(output, sentences, losses)
    return sentences, losses
