"""JSON Lines of doccano and of Prodigy in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tacitus.convert.documents import MarkedDocument, MarkedEvent
from tacitus.convert.losses import Losses
from tacitus.data.documents import Columns, document_of, read_rows
from tacitus.errors import InputError, RecordError
from tacitus.records import Span

Row = dict[str, Any]


def read_doccano(path: Path, losses: Losses) -> Iterator[MarkedDocument]:
    """Sequence labels, text classes, or both, as doccano exports and imports them; offsets are characters.

    Raises:
        InputError: the file cannot be read, or a line has another form.
    """
    rows = [(number, row, *_doccano_marks(row, f"{path}:{number}")) for number, row in read_rows(path)]
    any_spans = any(spans or "entities" in row for _, row, spans, _ in rows)
    any_classes = any(classes or "cats" in row for _, row, _, classes in rows)
    for number, row, spans, classes in rows:
        losses.add("relations", n=len(row.get("relations") or ()))
        losses.add("comments", n=len(row.get("Comments") or row.get("comments") or ()))
        yield _document(
            path, number, row, spans if any_spans or not any_classes else None, classes if any_classes else None
        )


def _doccano_marks(row: Row, where: str) -> tuple[list[Span], list[str]]:
    marks = row.get("label", row.get("labels")) or []
    marks = [marks] if isinstance(marks, str) else marks
    if not isinstance(marks, list):
        raise InputError(f"{where}: 'label' is no list; export the project as JSONL")
    spans = [mark for mark in marks if not isinstance(mark, str)] + (row.get("entities") or [])
    classes = [mark for mark in marks if isinstance(mark, str)] + (row.get("cats") or [])
    return [_doccano_span(mark, where) for mark in spans], classes


def _doccano_span(mark: Any, where: str) -> Span:
    if isinstance(mark, dict):
        mark = [mark.get(name) for name in ("start_offset", "end_offset", "label")]
    return _span(mark, where, "[start, end, label]")


def read_prodigy(path: Path, losses: Losses) -> Iterator[MarkedDocument]:
    """Spans and text categories of ``prodigy db-out``; only accepted answers are read.

    A text that was asked about once for each label is one text. Its refused labels only tell that it has none of the
    labels when every label of the file was refused.

    Raises:
        InputError: the file cannot be read, a line has another form, or its tokens are not those of its text.
    """
    rows = list(read_rows(path))
    labels = {row["label"] for _, row in rows if isinstance(row.get("label"), str)}
    asked: dict[str, list[tuple[int, Row]]] = {}
    for number, row in rows:
        if isinstance(row.get("label"), str):
            asked.setdefault(row["text"], []).append((number, row))
        elif _accepted(row, losses):
            yield _prodigy_document(path, number, row, losses)
    for same in asked.values():
        yield from _binary(path, same, labels, losses)


def _accepted(row: Row, losses: Losses) -> bool:
    answer = row.get("answer", "accept")
    if answer != "accept":
        losses.add(f"answers {answer!r}")
    return bool(answer == "accept")


def _prodigy_document(path: Path, number: int, row: Row, losses: Losses) -> MarkedDocument:
    where = f"{path}:{number}"
    for token in row.get("tokens") or ():
        if row["text"][token["start"] : token["end"]] != token["text"]:
            raise InputError(f"{where}: the token {token['text']!r} is not at its offsets; the text was changed")
    spans = row.get("spans")
    classes = row.get("accept", []) if "options" in row or "accept" in row else None
    losses.add("relations", n=len(row.get("relations") or ()))
    return _document(
        path,
        number,
        row,
        spans=None if spans is None else [_prodigy_span(span, where) for span in spans],
        classes=None if classes is None else [str(name) for name in classes],
    )


def _prodigy_span(mark: Any, where: str) -> Span:
    fields = [mark.get(name) for name in ("start", "end", "label")] if isinstance(mark, dict) else None
    return _span(fields, where, "an object with start, end and label")


def _binary(path: Path, same: Sequence[tuple[int, Row]], labels: set[str], losses: Losses) -> Iterator[MarkedDocument]:
    """The one text of answers about single labels."""
    answers = {row["label"]: row.get("answer", "accept") for _, row in same}
    accepted = [label for label, answer in answers.items() if answer == "accept"]
    refused = {label for label, answer in answers.items() if answer == "reject"}
    losses.add("answers 'ignore'", n=sum(answer == "ignore" for answer in answers.values()))
    number, row = same[0]
    if accepted or refused == labels:
        yield _document(path, number, row, spans=None, classes=accepted)
    else:
        losses.add("texts whose asked labels were refused, others not asked", f"line {number}")


def _span(mark: Any, where: str, form: str) -> Span:
    if not isinstance(mark, list) or len(mark) != 3:
        raise InputError(f"{where}: a span is {form}, got {mark!r:.60}")
    start, end, label = mark
    if type(start) is not int or type(end) is not int or not isinstance(label, str):
        raise InputError(f"{where}: a span's offsets are whole numbers, its label is text; got {mark!r:.60}")
    try:
        return Span(start, end, label)
    except RecordError as error:
        raise InputError(f"{where}: {error}") from None


def _document(path: Path, number: int, row: Row, spans: list[Span] | None, classes: list[str] | None) -> MarkedDocument:
    report = document_of(row, f"{path.stem}:{number}", Columns(), f"{path}:{number}")
    meta = row.get("meta", row.get("metadata"))
    return MarkedDocument(
        id=report.id,
        text=report.text,
        spans=None if spans is None else tuple(spans),
        events=None if classes is None else tuple(MarkedEvent(name) for name in classes),
        meta=meta if isinstance(meta, dict) and meta else None,
    )
