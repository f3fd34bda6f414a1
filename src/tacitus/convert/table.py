"""CSV and TSV tables with a text and one label column in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tacitus.convert.documents import MarkedDocument, MarkedEvent
from tacitus.data.documents import Columns, check_column, document_of, read_rows


def read_table(path: Path, columns: Columns, label: str) -> Iterator[MarkedDocument]:
    """One text a row, with the event type of its label column; an empty cell says that there is no event.

    Raises:
        InputError: the file cannot be read, a row is broken, or a column is missing.
    """
    for number, row in read_rows(path, columns):
        where = f"{path}:{number}"
        check_column(where, label, row, "--label-column")
        document = document_of(row, f"{path.stem}:{number}", columns, where)
        kind = row[label].strip()
        meta = {name: value for name, value in (("date", document.date), ("source", document.source)) if value}
        yield MarkedDocument(document.id, document.text, events=(MarkedEvent(kind),) if kind else (), meta=meta or None)
