"""Event records out: JSON Lines, CSV (ACLED-like columns) and Parquet, written whole or not at all."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tacitus.errors import OutputError
from tacitus.events import CSV_COLUMNS, CSV_ROLES, EventRecord
from tacitus.files import atomic_path
from tacitus.ontology import Ontology

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_PER_GROUP = 10_000


def write_events(path: str | Path, records: Iterable[EventRecord], ontology: Ontology) -> int:
    """Writes event records in the format that the file's ending names; gives their number.

    Raises:
        OutputError: an unknown ending, or a folder that cannot be written.
    """
    check_output(path)
    with atomic_path(path) as temporary:
        return _WRITERS[Path(path).suffix.lower()](temporary, records, ontology)


def check_output(path: str | Path) -> None:
    """Checks that a file's ending names a format that event records are written in.

    Raises:
        OutputError: it does not.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITERS:
        raise OutputError(f"{path}: unknown kind {suffix!r}; name it {', '.join('*' + s for s in _WRITERS)}")


def json_line(record: EventRecord) -> str:
    """The record as one line of a JSON Lines file."""
    return json.dumps(record.to_json(), ensure_ascii=False)


def _write_jsonl(path: Path, records: Iterable[EventRecord], ontology: Ontology) -> int:
    n = 0
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for record in records:
            stream.write(json_line(record) + "\n")
            n += 1
    return n


def _write_csv(path: Path, records: Iterable[EventRecord], ontology: Ontology) -> int:
    n = 0
    with path.open("w", encoding="utf-8", newline="") as stream:
        # Roles besides ACLED's actor1, actor2 and location get a column of their own.
        others = [key for key in ontology.role_keys if key not in CSV_ROLES]
        writer = csv.DictWriter(stream, [*CSV_COLUMNS, *others])
        writer.writeheader()
        for record in records:
            writer.writerow(record.to_csv_row())
            n += 1
    return n


def event_schema(ontology: Ontology) -> pa.Schema:
    """Columns of event files and their types."""
    import pyarrow as pa

    participant = pa.struct(
        [("text", pa.string()), ("start", pa.int64()), ("end", pa.int64()), ("score", pa.float64())]
    )
    strings = ("event_id", "doc_id", "event_date", "disorder_type", "event_type", "sub_event_type")
    return pa.schema(
        [(name, pa.string()) for name in strings[:2]]
        + [("sentence_index", pa.int64())]
        + [(name, pa.string()) for name in strings[2:]]
        + [(key, pa.list_(participant)) for key in ontology.role_keys]
        + [("confidence", pa.float64()), ("text", pa.string()), ("source", pa.string())]
    )


def event_table(records: Iterable[EventRecord], ontology: Ontology) -> pa.Table:
    """Event records as an Arrow table, one row an event, with the columns of event files."""
    import pyarrow as pa

    return pa.Table.from_pylist([record.to_json() for record in records], schema=event_schema(ontology))


def _write_parquet(path: Path, records: Iterable[EventRecord], ontology: Ontology) -> int:
    import pyarrow.parquet as pq

    n = 0
    with pq.ParquetWriter(path, event_schema(ontology)) as writer:
        rest = iter(records)
        while rows := list(islice(rest, ROWS_PER_GROUP)):
            writer.write_table(event_table(rows, ontology))
            n += len(rows)
    return n


_WRITERS: dict[str, Callable[[Path, Iterable[EventRecord], Ontology], int]] = {
    ".jsonl": _write_jsonl,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}
