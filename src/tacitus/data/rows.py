"""Tables in: JSON Lines, CSV and Parquet → numbered rows, in bounded memory whatever the file holds."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tacitus.data.parse import MAX_CHARACTERS, bounded_lines, parse_json
from tacitus.errors import InputError, RecordError, one_line

Row = tuple[int, dict[str, Any]]
BATCH_ROWS, BATCH_BYTES = 64, 1 << 30  # of Parquet: a small file can repeat one long text in every row
BOMB_RATIO = 200  # unpacked to packed bytes; texts compress four to ten times


def json_rows(path: Path) -> Iterator[Row]:
    """Line number and object of each line that is not blank.

    Raises:
        InputError: a line that is no JSON object.
    """
    with path.open(encoding="utf-8-sig", newline="\n") as stream:
        for number, line in enumerate(bounded_lines(stream, path), 1):
            if not line.strip():
                continue
            try:
                row = parse_json(line)
            except RecordError as error:
                raise InputError(f"{path}:{number}: {error}") from None
            if not isinstance(row, dict):
                raise InputError(f"{path}:{number}: not a JSON object; one report a line")
            yield number, row


def csv_header(path: Path) -> list[str]:
    """Names of a CSV or TSV file's columns, none for an empty file.

    Raises:
        InputError: the first row is no CSV.
    """
    with path.open(encoding="utf-8-sig", newline="") as stream:
        try:
            return next(csv.reader(bounded_lines(stream, path), strict=True, delimiter=_delimiter(path)), [])
        except csv.Error as error:
            raise InputError(f"{path}:1: not valid CSV ({error})") from None


def csv_rows(path: Path) -> Iterator[Row]:
    """Number of the last line and cells by name of each row.

    Raises:
        InputError: a row that is no CSV, or has another number of cells than the header.
    """
    csv.field_size_limit(MAX_CHARACTERS)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(bounded_lines(stream, path), strict=True, delimiter=_delimiter(path))
        try:
            for row in reader:
                if None in row or None in row.values():
                    raise InputError(
                        f"{path}:{reader.line_num}: this row has another number of columns than the header"
                    )
                yield reader.line_num, row
        except csv.Error as error:
            raise InputError(f"{path}:{reader.line_num}: not valid CSV ({error})") from None


def _delimiter(path: Path) -> str:
    return "\t" if path.suffix.lower() == ".tsv" else ","


def parquet_header(path: Path) -> list[str]:
    """Names of a Parquet file's columns.

    Raises:
        InputError: the file is no Parquet.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        return list(pyarrow.parquet.read_schema(path).names)
    except (pyarrow.ArrowException, ValueError) as error:
        raise _not_parquet(path, error) from None


def parquet_count(path: Path) -> int | None:
    """Number of rows as a Parquet file states it; ``None`` where reading will say what is wrong with the file."""
    import pyarrow
    import pyarrow.parquet

    try:
        return int(pyarrow.parquet.read_metadata(path).num_rows)
    except (OSError, pyarrow.ArrowException):
        return None


def parquet_rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Number and values by name of each row.

    Args:
        path: a Parquet file.
        columns: those to read, all in the file.

    Raises:
        InputError: the file is no Parquet, broken, or unpacks to far more than it holds.
    """
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            n_rows = _rows_at_once(path, file.metadata, columns)
            for batch in file.iter_batches(batch_size=n_rows, columns=list(columns)):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (pyarrow.ArrowException, ValueError, OverflowError) as error:
        raise _not_parquet(path, error) from None


def _rows_at_once(path: Path, metadata: Any, columns: Sequence[str]) -> int:
    """Rows that cannot unpack to more than :data:`BATCH_BYTES`: no value is longer than its whole column chunk."""
    largest = 1
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            if column.path_in_schema.partition(".")[0] not in columns:
                continue
            unpacked, packed = column.total_uncompressed_size, column.total_compressed_size
            if unpacked > max(BATCH_BYTES, BOMB_RATIO * packed):
                raise InputError(
                    f"{path}: column {column.path_in_schema!r} unpacks from {packed:,} to {unpacked:,} bytes; "
                    "if that is meant, write it in smaller row groups"
                )
            largest = max(largest, unpacked)
    return max(1, min(BATCH_ROWS, BATCH_BYTES // largest))


def _not_parquet(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: not a readable Parquet file ({one_line(error)[:200]})")
