"""BRAT standoff in: a text file and an annotation file beside it (spans, events with arguments)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from tacitus.convert.documents import MarkedDocument, MarkedEvent
from tacitus.convert.losses import Losses
from tacitus.errors import InputError
from tacitus.records import Span

_TEXT_BOUND = re.compile(r"T\S*\t(\S+) (\d+ \d+(?:;\d+ \d+)*)\t(.*)", re.DOTALL)
_EVENT = re.compile(r"E\S*\t(\S+):(T\S+)((?: \S+:[TE]\S+)*) ?")
_OTHER = {
    "R": "relations",
    "A": "attributes",
    "M": "attributes",
    "N": "normalisations",
    "#": "notes",
    "*": "equivalences",
}
Fragments = list[tuple[int, int]]


def read_brat(path: Path, losses: Losses) -> Iterator[MarkedDocument]:
    """Documents of a folder, or of one ``.ann`` or ``.txt`` file; a document is named by its path without ending.

    Raises:
        InputError: a file is missing or unreadable, a line has another form, or offsets do not give the text it says.
    """
    folder = path if path.is_dir() else path.parent
    files = sorted(path.rglob("*.ann")) if path.is_dir() else [path.with_suffix(".ann")]
    if not files:
        raise InputError(f"{path}: no .ann file here; give a folder of .txt and .ann files")
    for text_file in sorted(path.rglob("*.txt")) if path.is_dir() else []:
        if not text_file.with_suffix(".ann").exists():
            losses.add("texts without an .ann file", text_file.name)
    parsed = [_Annotations.read(file, file.relative_to(folder).with_suffix("").as_posix(), losses) for file in files]
    marked = any(document.events for document in parsed)
    for document in parsed:
        yield document.marked(marked, losses)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot read ({error.strerror}); a .txt and an .ann file go together") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8; convert it to UTF-8") from None


class _Annotations:
    """The lines of one ``.ann`` file: text-bound annotations by id, and events as written."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text
        self.bound: dict[str, tuple[str, Fragments]] = {}
        self.events: list[tuple[str, str, list[tuple[str, str]], str]] = []  # type, trigger, arguments, file:line

    @classmethod
    def read(cls, file: Path, name: str, losses: Losses) -> _Annotations:
        out = cls(name, _read(file.with_suffix(".txt")))
        for number, line in enumerate(_read(file).split("\n"), 1):
            where = f"{file}:{number}"
            if line.startswith("T"):
                out.bound[line.partition("\t")[0]] = _text_bound(line, out.text, where)
            elif line.startswith("E"):
                out.events.append((*_event_line(line.rstrip("\r"), where), where))
            elif line.strip():
                losses.add(_OTHER.get(line[0], "annotations of an unknown kind"))
        return out

    def marked(self, events_known: bool, losses: Losses) -> MarkedDocument:
        triggers = {trigger for _, trigger, _, _ in self.events}
        spans: list[Span] = []
        index: dict[str, int] = {}
        for key, (label, fragments) in self.bound.items():
            if key in triggers:
                continue
            if _torn(fragments, self.text):
                words = " … ".join(self.text[start:end] for start, end in fragments)
                losses.add("discontinuous spans", f"{self.name} {label} {words!r}")
                continue
            index[key] = len(spans)
            spans.append(Span(fragments[0][0], fragments[-1][1], label))
        events = tuple(self._event(event, index, losses) for event in self.events)
        return MarkedDocument(self.name, self.text, tuple(spans), events if events_known else None)

    def _event(
        self, event: tuple[str, str, list[tuple[str, str]], str], index: dict[str, int], losses: Losses
    ) -> MarkedEvent:
        kind, trigger, arguments, where = event
        roles: dict[str, list[int]] = {}
        names = {role for role, _ in arguments}
        for role, target in arguments:
            if target in index:
                roles.setdefault(_unnumbered(role, names), []).append(index[target])
            elif target.startswith("E"):
                losses.add("roles that are played by an event", f"{self.name} {kind} {role}")
            elif target in self.bound:
                losses.add("roles of discontinuous spans and triggers", f"{self.name} {kind} {role}")
            else:
                raise InputError(f"{where}: {target} is not in the file; remove the argument or add its T line")
        if trigger not in self.bound:
            raise InputError(f"{where}: the trigger {trigger} is not in the file; add its T line")
        fragments = self.bound[trigger][1]
        return MarkedEvent(kind, {k: tuple(v) for k, v in roles.items()}, (fragments[0][0], fragments[-1][1]))


def _text_bound(line: str, text: str, where: str) -> tuple[str, Fragments]:
    match = _TEXT_BOUND.fullmatch(line)
    if match is None:
        raise InputError(
            f"{where}: {line[:60]!r} is no text-bound annotation; it is ID, tab, TYPE START END, tab, text"
        )
    label, offsets, said = match.groups()
    fragments = [(int(start), int(end)) for start, end in (pair.split(" ") for pair in offsets.split(";"))]
    found = " ".join(text[start:end] for start, end in fragments)
    if _one_line(found) != _one_line(said) or any(start >= end for start, end in fragments):
        raise InputError(
            f"{where}: says {said[:60]!r}, its offsets {offsets} give {found[:60]!r} in the text; "
            "the .txt file was changed or is another one"
        )
    return label, fragments


def _one_line(text: str) -> str:
    return text.replace("\n", " ").rstrip("\r")


def _event_line(line: str, where: str) -> tuple[str, str, list[tuple[str, str]]]:
    match = _EVENT.fullmatch(line)
    if match is None:
        raise InputError(
            f"{where}: {line[:60]!r} is no event; it is ID, tab, TYPE:TRIGGER and ROLE:ID for each argument"
        )
    kind, trigger, arguments = match.groups()
    pairs = [argument.rpartition(":") for argument in arguments.split()]
    return kind, trigger, [(role, target) for role, _, target in pairs]


def _torn(fragments: Fragments, text: str) -> bool:
    """Whether there is more than white space between the fragments: a line break tears a span only on paper."""
    gaps = (text[end:start] for (_, end), (start, _) in itertools.pairwise(fragments))
    return any(gap.strip() for gap in gaps) or fragments != sorted(fragments)


def _unnumbered(role: str, names: set[str]) -> str:
    """``Target`` for the ``Target2`` that BRAT writes when an event has a ``Target`` already."""
    return next((n for n in sorted(names) if n != role and re.fullmatch(re.escape(n) + r"\d+", role)), role)
