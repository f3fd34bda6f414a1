"""BRAT standoff out: a folder with a text and an annotation file for each document, and the labels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tacitus.convert.labels import check_names
from tacitus.convert.losses import Losses
from tacitus.data.labelled import Labels, labels_of
from tacitus.errors import OutputError
from tacitus.files import atomic_text
from tacitus.records import AnnotatedSentence
from tacitus.sentences import split_sentences

_BETWEEN = "\n\n"  # a blank line always ends a sentence


def write_brat(path: Path, sentences: Sequence[AnnotatedSentence], losses: Losses) -> None:
    """Writes a new folder; BRAT wants trigger words for an event, here they are the whole sentence.

    Raises:
        OutputError: the folder holds files already, or a label has white space or a colon.
    """
    labels = labels_of(sentences)
    check_names(labels, r"[^\s:]+", "BRAT")
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise OutputError(f"{path}: is there already; choose a new folder")
    documents: dict[str, list[AnnotatedSentence]] = {}
    for sentence in sentences:
        if not sentence.text.strip():
            losses.add("texts without words", sentence.id)
            continue
        documents.setdefault(sentence.document, []).append(sentence)
    names = _file_names(documents)
    losses.add("document ids that are no file name", n=sum(name != names[name] for name in names))
    _write(path / "annotation.conf", _configuration(labels))
    for document, group in documents.items():
        _count_boundaries(group, losses)
        _write(path / f"{names[document]}.txt", _BETWEEN.join(s.text for s in group))
        _write(path / f"{names[document]}.ann", "".join(f"{line}\n" for line in _annotations(group)))


def _write(path: Path, text: str) -> None:
    with atomic_text(path) as stream:
        stream.write(text)


def _file_names(documents: Sequence[str] | dict[str, list[AnnotatedSentence]]) -> dict[str, str]:
    """Document id → a file name of its own; names differ also where a system tells no capital letters."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for document in documents:
        stem = re.sub(r"[^\w.-]", "_", document).lstrip(".")[:100] or "document"
        options = (stem, *(f"{stem}-{number}" for number in range(2, len(documents) + 2)))
        names[document] = next(name for name in options if name.casefold() not in taken)
        taken.add(names[document].casefold())
    return names


def _configuration(labels: Labels) -> str:
    """``annotation.conf``: what a BRAT server offers for marking."""
    arguments = [f"{key}*:{'|'.join(sorted(labels.roles[key]))}" for key in sorted(labels.roles)]
    events = [f"{kind}\t{', '.join(arguments)}".rstrip() for kind in labels.types]
    parts = {"entities": labels.spans, "relations": [], "events": events, "attributes": []}
    return "\n".join(line for name, lines in parts.items() for line in (f"[{name}]", *lines, ""))


def _count_boundaries(group: Sequence[AnnotatedSentence], losses: Losses) -> None:
    """Counts sentences that a reader would split otherwise; the trigger of an event holds its sentence together."""
    start = 0
    wanted = set()
    for sentence in group:
        if not sentence.events:
            wanted.add((start, start + len(sentence.text)))
        start += len(sentence.text) + len(_BETWEEN)
    found = {(s.start, s.end) for s in split_sentences(_BETWEEN.join(s.text for s in group))}
    lost = wanted - found if len(found) > 1 else ()
    losses.add("sentences that will be split otherwise when they are read again", n=len(lost))


def _annotations(group: Sequence[AnnotatedSentence]) -> Iterator[str]:
    start, n_bound, n_events = 0, 0, 0
    for sentence in group:
        first = n_bound
        for span in sentence.spans or ():
            n_bound += 1
            yield _bound(n_bound, span.label, sentence.text, (span.start, span.end), start)
        for event in sentence.events or ():
            n_bound, n_events = n_bound + 1, n_events + 1
            yield _bound(n_bound, event.type, sentence.text, (0, len(sentence.text)), start)
            arguments = (
                f" {key}{position if position > 1 else ''}:T{first + index + 1}"
                for key, indices in event.roles.items()
                for position, index in enumerate(indices, 1)
            )
            yield f"E{n_events}\t{event.type}:T{n_bound}{''.join(arguments)}"
        start += len(sentence.text) + len(_BETWEEN)


def _bound(number: int, label: str, text: str, where: tuple[int, int], offset: int) -> str:
    """A text-bound line; a span over line breaks is written in pieces, for a line of the file holds one."""
    pieces = [(where[0] + m.start(), where[0] + m.end()) for m in re.finditer(r"[^\n]+", text[slice(*where)])]
    offsets = ";".join(f"{start + offset} {end + offset}" for start, end in pieces)
    return f"T{number}\t{label} {offsets}\t{' '.join(text[start:end] for start, end in pieces)}"
