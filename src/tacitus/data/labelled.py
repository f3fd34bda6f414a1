"""Labelled data of other projects in: tables of texts with classes, and CoNLL files of tokens with tags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tacitus.errors import InputError
from tacitus.records import AnnotatedSentence, Event, Span

_TRUE, _FALSE = {"1", "true", "yes"}, {"0", "false", "no", ""}


def read_classes(
    path: str | Path, names: dict[str, str] | None = None, header: bool = False
) -> list[AnnotatedSentence]:
    """Texts with one class each: ``text TAB class``.

    Args:
        path: a table.
        names: class as written → event type; as written where left out.
        header: whether the first row names the columns.

    Raises:
        InputError: the file cannot be read, or a row has other columns.
    """
    out = []
    for number, (text, *rest) in _rows(path):
        if header and number == 1:
            continue
        if len(rest) != 1:
            raise InputError(f"{path}:{number}: {len(rest) + 1} columns, needs text and class with a tab between")
        kind = rest[0].strip()
        if names is not None and kind not in names:
            raise InputError(f"{path}:{number}: class {kind!r} is none of {', '.join(names)}")
        out.append(_sentence(path, number, text, events=(Event(names[kind] if names else kind),)))
    return out


def read_indicators(
    path: str | Path, names: tuple[str, ...] | None = None, header: bool = False
) -> list[AnnotatedSentence]:
    """Texts with any number of labels: ``text TAB 0 TAB 1 …``, one column a label (one column: a binary task).

    Args:
        path: a table.
        names: event types of the columns; from the header, or ``label-1`` …, where left out.
        header: whether the first row names the columns.

    Raises:
        InputError: the file cannot be read, or a row has other columns or values than 0 and 1.
    """
    out = []
    for number, (text, *values) in _rows(path):
        if header and number == 1:
            names = names or tuple(values)
            continue
        names = names or tuple(f"label-{i}" for i in range(1, len(values) + 1))
        if len(values) != len(names):
            raise InputError(f"{path}:{number}: {len(values)} label columns, needs {len(names)}")
        flags = [value.strip().lower() for value in values]
        odd = next((flag for flag in flags if flag not in _TRUE | _FALSE), None)
        if odd is not None:
            raise InputError(f"{path}:{number}: label {odd!r} is neither 0 nor 1")
        marked = (Event(name) for name, flag in zip(names, flags, strict=True) if flag in _TRUE)
        out.append(_sentence(path, number, text, events=tuple(marked)))
    return out


def read_conll(path: str | Path) -> list[AnnotatedSentence]:
    """Sentences of ``token … tag`` lines (BIO) with blank lines between; tokens are joined by single spaces.

    The first column is the token, the last its tag. An ``I-`` tag that continues nothing begins a span, as conlleval
    reads it.

    Raises:
        InputError: the file cannot be read, or a tag is none of ``O``, ``B-…`` and ``I-…``.
    """
    out: list[AnnotatedSentence] = []
    tokens: list[tuple[str, str]] = []
    first = 1
    for number, line in enumerate([*_lines(path), ""], 1):
        columns = line.split()
        if columns and columns[0] != "-DOCSTART-":
            if len(columns) < 2 or not re.fullmatch(r"O|[BI]-\S+", columns[-1]):
                raise InputError(f"{path}:{number}: {line[:60]!r} does not end in a tag O, B-… or I-…")
            first = number if not tokens else first
            tokens.append((columns[0], columns[-1]))
        elif tokens:
            out.append(_sentence(path, first, " ".join(t for t, _ in tokens), spans=tuple(_spans(tokens))))
            tokens = []
    return out


def _spans(tokens: Iterable[tuple[str, str]]) -> Iterator[Span]:
    start, end, label, at = 0, 0, "", 0
    for token, tag in tokens:
        prefix, _, kind = tag.partition("-")
        if label and (prefix != "I" or kind != label):
            yield Span(start, end, label)
            label = ""
        if kind and not label:
            start, label = at, kind
        end = at + len(token)
        at = end + 1
    if label:
        yield Span(start, end, label)


def to_whole_tokens(sentence: AnnotatedSentence) -> AnnotatedSentence:
    """Widens the spans of a sentence from :func:`read_conll` to the tokens they touch; the first of two wins."""
    out: list[Span] = []
    for span in sentence.spans or ():
        start = sentence.text.rfind(" ", 0, span.start) + 1
        end = sentence.text.find(" ", span.end)
        if not out or start >= out[-1].end:
            out.append(Span(start, end if end >= 0 else len(sentence.text), span.label))
    return AnnotatedSentence(sentence.id, sentence.text, tuple(out), sentence.events)


def join_layers(spans: Iterable[AnnotatedSentence], events: Iterable[AnnotatedSentence]) -> list[AnnotatedSentence]:
    """Sentences of two files as one list: a text that both hold, white space aside, carries both layers."""
    classes = {_squeezed(s.text): s.events for s in events}
    out = [AnnotatedSentence(s.id, s.text, s.spans, classes.get(_squeezed(s.text))) for s in spans]
    tagged = {_squeezed(s.text) for s in out}
    return out + [s for s in events if _squeezed(s.text) not in tagged]


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _sentence(
    path: str | Path, number: int, text: str, spans: tuple[Span, ...] | None = None,
    events: tuple[Event, ...] | None = None,
) -> AnnotatedSentence:  # fmt: skip
    return AnnotatedSentence(f"{Path(path).name}:{number}", text, spans, events)


def _rows(path: str | Path) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(_lines(path), 1):
        if line.strip():
            yield number, line.split("\t")


def _lines(path: str | Path) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8-sig").replace("\r\n", "\n").split("\n")
    except OSError as error:
        raise InputError(f"{path}: cannot read ({error.strerror}); give an existing file") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8; convert it to UTF-8") from None
