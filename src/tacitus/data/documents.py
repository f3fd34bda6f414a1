"""Reports in: text files, folders, JSON Lines, CSV, Parquet and standard input → documents, one by one."""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any

from tacitus.errors import InputError, is_unicode, one_line, suggest

SUFFIXES = (".txt", ".jsonl", ".csv", ".parquet")
OTHER_KINDS = frozenset(".json .tsv .html .htm .xml .pdf .doc .docx .xls .xlsx .gz .zip .tar".split())  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Document:
    """One report; ``date`` and ``source`` are passed on to its event records."""

    id: str
    text: str
    date: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns or keys that hold a report's parts; only the text must be there."""

    text: str = "text"
    id: str = "id"
    date: str = "date"
    source: str = "source"


def find_inputs(inputs: Iterable[str | Path]) -> tuple[list[Path], list[Path]]:
    """Expands files and folders.

    Returns:
        Files to read in order (``-`` is standard input), and files found in folders that are of no readable kind.

    Raises:
        InputError: a path that does not exist, or nothing to read.
    """
    files: list[Path] = []
    skipped: list[Path] = []
    for name in inputs:
        path = Path(name)
        matches = sorted(glob(str(name), recursive=True)) if set(str(name)) & set("*?[") else []
        if str(name) == "-" or _is_file(path):
            if path.suffix.lower() in OTHER_KINDS:
                raise InputError(f"{path}: {path.suffix} files are not read; convert it to text, JSONL, CSV or Parquet")
            files.append(path)
        elif matches:
            files.extend(map(Path, matches))
        elif _is_file(path, folder=True):
            inside = sorted(p for p in path.rglob("*") if p.is_file() and not _hidden(p.relative_to(path)))
            files.extend(p for p in inside if p.suffix.lower() in SUFFIXES)
            skipped.extend(p for p in inside if p.suffix.lower() not in SUFFIXES)
        else:
            raise InputError(
                f"{str(name)[:80]}: no such file or folder; "
                "give text, JSONL, CSV or Parquet files, a folder of them, or -"
            )
    if not files:
        raise InputError(f"no {', '.join(SUFFIXES)} file in {', '.join(map(str, inputs))}")
    return files, skipped


def _is_file(path: Path, folder: bool = False) -> bool:
    try:
        return path.is_dir() if folder else path.exists() and not path.is_dir()
    except (OSError, ValueError):  # a text in place of a path: too long, or with a NUL
        return False


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def read_documents(files: Iterable[Path], columns: Columns = Columns()) -> Iterator[Document]:
    """Documents of all files, one by one.

    A text file (and standard input) is one document named after the file. A row without an id gets ``FILE:NUMBER``.
    Files of one name in different folders are named with their paths.

    Raises:
        InputError: an unreadable file or row, a missing text column or a document id that stands twice;
        with file and line.
    """
    files = list(files)
    names = Counter(path.name for path in files)
    seen: set[str] = set()
    for path in files:
        label = path.name if names[path.name] == 1 else path.as_posix()
        for number, document in _read(path, label, columns):
            if document.id in seen:
                raise InputError(
                    f"{path}:{number}: document id {document.id!r} stands twice; ids are unique, or leave them out"
                )
            seen.add(document.id)
            yield document


def estimated_count(files: Iterable[Path]) -> int | None:
    """About how many documents the files hold, for a time left; ``None`` where only reading would tell."""
    total = 0
    for path in files:
        suffix = path.suffix.lower()
        if not path.is_file() or suffix == ".csv":  # a CSV row may run over many lines
            return None
        if suffix == ".jsonl":
            with path.open("rb") as stream:
                total += sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))
        elif suffix == ".parquet":
            rows = _parquet_count(path)
            if rows is None:
                return None
            total += rows
        else:
            total += 1
    return total


def _parquet_count(path: Path) -> int | None:
    import pyarrow
    import pyarrow.parquet

    try:
        return int(pyarrow.parquet.read_metadata(path).num_rows)
    except (OSError, pyarrow.ArrowException):  # reading it will say what is wrong
        return None


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turns what can go wrong while a file is read into one line.

    Raises:
        InputError: the file cannot be read or is not UTF-8.
    """
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot read ({error.strerror or one_line(error)})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8; convert it to UTF-8") from None


def _read(path: Path, label: str, columns: Columns) -> Iterator[tuple[int, Document]]:
    if path.suffix.lower() in (".jsonl", ".csv", ".parquet"):
        for number, row in read_rows(path, columns):
            yield number, document_of(row, f"{label}:{number}", columns)
        return
    with readable(path):
        if str(path) == "-":
            yield 1, Document("stdin", sys.stdin.buffer.read().decode("utf-8-sig"))
        else:
            yield 1, Document(label.removesuffix(path.suffix), path.read_bytes().decode("utf-8-sig"))


def read_rows(path: Path, columns: Columns = Columns()) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows of a JSON Lines, CSV, TSV or Parquet file with their line or row numbers; each has a text.

    Raises:
        InputError: the file cannot be read, a row is broken, or the text column is missing or holds no text.
    """
    suffix = path.suffix.lower()
    with readable(path):
        if suffix == ".parquet":
            rows = _parquet_rows(path, columns)
        elif suffix in (".csv", ".tsv"):
            rows = _csv_rows(path, columns)
        else:
            rows = _json_rows(path)
        for number, row in rows:
            check_column(path, number, columns.text, row)
            text = row[columns.text]
            if not isinstance(text, str):
                raise InputError(f"{path}:{number}: {columns.text!r} holds {type(text).__name__}, needs text")
            if not is_unicode(text):
                raise InputError(
                    f"{path}:{number}: {columns.text!r} holds a lone surrogate, which is no Unicode text; repair it"
                )
            yield number, row


def document_of(row: dict[str, Any], fallback: str, columns: Columns) -> Document:
    """The report of a row; ``fallback`` is its id where the row has none."""
    name = row.get(columns.id)
    return Document(
        id=fallback if name is None or name == "" else str(name),
        text=row[columns.text],
        date=_string(row.get(columns.date)),
        source=_string(row.get(columns.source)),
    )


def check_column(path: Path, number: int, wanted: str, names: Iterable[Any], option: str = "--text-column") -> None:
    """Checks that a row or header has a column.

    Raises:
        InputError: it has not; names the nearest one and the option.
    """
    if wanted not in names:
        known = list(map(str, names))
        near = suggest(wanted, known) or f" among {', '.join(known)}"[:120]
        raise InputError(f"{path}:{number}: no column {wanted!r}{near}; name it with {option}")


def _string(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)


def _json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8-sig", newline="\n") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise InputError(f"{path}:{number}: not JSON ({error})") from None
            if not isinstance(row, dict):
                raise InputError(f"{path}:{number}: not a JSON object; one report a line")
            yield number, row


def _csv_rows(path: Path, columns: Columns) -> Iterator[tuple[int, dict[str, Any]]]:
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream, strict=True, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        try:
            check_column(path, 1, columns.text, reader.fieldnames or ())
            for row in reader:
                if None in row or None in row.values():
                    raise InputError(
                        f"{path}:{reader.line_num}: this row has another number of columns than the header"
                    )
                yield reader.line_num, row
        except csv.Error as error:
            raise InputError(f"{path}:{reader.line_num}: not valid CSV ({error})") from None


def _parquet_rows(path: Path, columns: Columns) -> Iterator[tuple[int, dict[str, Any]]]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            wanted = [
                name
                for name in (columns.text, columns.id, columns.date, columns.source)
                if name in file.schema_arrow.names
            ]
            if columns.text not in wanted:
                wanted = file.schema_arrow.names
            number = 0
            for batch in file.iter_batches(batch_size=1024, columns=wanted):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except pyarrow.ArrowException as error:
        raise InputError(f"{path}: not a readable Parquet file ({one_line(error)[:200]})") from None
