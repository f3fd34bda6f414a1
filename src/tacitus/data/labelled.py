"""Labelled data of other projects in: tables of texts with classes, and CoNLL files of tokens with tags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tacitus.errors import InputError, OntologyError
from tacitus.ontology import Ontology, ontology_from_dict
from tacitus.records import AnnotatedSentence, Event, Span

_TRUE, _FALSE = {"1", "true", "yes"}, {"0", "false", "no", ""}
_TAG = re.compile(r"O|[BIESLUMW]-\S+")
_FIRST, _LAST = "BSUW", "ESLUW"  # what begins and what ends a span: BIO, IOB1, BIOES, BILOU, BMEWO


@dataclass(frozen=True)
class Labels:
    """The labels that sentences carry, in alphabetic order; ``roles`` is role key → labels of its spans."""

    spans: list[str]
    types: list[str]
    roles: dict[str, set[str]]

    @property
    def all(self) -> set[str]:
        """Span labels, event types and role keys together."""
        return {*self.spans, *self.types, *self.roles}


def labels_of(sentences: Iterable[AnnotatedSentence]) -> Labels:
    """Collects the labels of sentences."""
    spans: set[str] = set()
    types: set[str] = set()
    roles: dict[str, set[str]] = {}
    for sentence in sentences:
        spans |= {span.label for span in sentence.spans or ()}
        types |= sentence.event_types()
        for _, key, span in sentence.role_tuples():
            roles.setdefault(key, set()).add(span.label)
    return Labels(sorted(spans), sorted(types), roles)


def ontology_of(sentences: Iterable[AnnotatedSentence], name: str, exclusive: bool = False) -> Ontology:
    """The labels of sentences as an ontology, in alphabetic order; definitions are the labels themselves.

    Raises:
        OntologyError: a role is played by spans of several labels, or there are no labels at all.
    """
    labels = labels_of(sentences)
    for key, wanted in sorted(labels.roles.items()):
        if len(wanted) > 1:
            raise OntologyError(
                f"role {key!r} is played by {' and '.join(sorted(wanted))}; a role takes one span label, "
                "make them one or name two roles"
            )
    raw: dict[str, Any] = {
        "name": name,
        "exclusive": exclusive,
        "span_labels": [{"id": label} for label in labels.spans],
        "roles": [{"id": key, "key": key, "span_label": min(labels.roles[key])} for key in sorted(labels.roles)],
    }
    if labels.types:
        raw["groups"] = [{"id": name, "types": [{"id": kind, "definition": kind} for kind in labels.types]}]
    return ontology_from_dict(raw, where=name)


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
    """Sentences of ``token … tag`` lines with blank lines between; tokens are joined by single spaces.

    The first column is the token, the last its tag, in BIO, IOB1 or BIOES (BILOU, BMEWO). A tag that continues nothing
    begins a span, as conlleval reads it. Lines that begin with ``#`` and end in no tag are comments.

    Raises:
        InputError: the file cannot be read, or a line does not end in a tag.
    """
    out: list[AnnotatedSentence] = []
    tokens: list[tuple[str, str]] = []
    first = 1
    for number, line in enumerate([*_lines(path), ""], 1):
        columns = [column for column in re.split(r"[ \t]+", line) if column]  # a token may hold other white space
        tagged = len(columns) > 1 and _TAG.fullmatch(columns[-1])
        if columns and columns[0].startswith("#") and not tagged:
            continue
        if columns and columns[0] != "-DOCSTART-":
            if not tagged:
                raise InputError(f"{path}:{number}: {line[:60]!r} does not end in a tag O, B-…, I-…, E-… or S-…")
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
        if label and (prefix in _FIRST or kind != label):
            yield Span(start, end, label)
            label = ""
        if kind and not label:
            start, label = at, kind
        end = at + len(token)
        at = end + 1
        if label and prefix in _LAST:
            yield Span(start, end, label)
            label = ""
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
