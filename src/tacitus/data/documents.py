"""Reports in: text files, folders, JSON Lines, CSV, Parquet and standard input → documents, one by one."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from glob import glob
from pathlib import Path
from typing import IO, Any

from tacitus.data.parse import MAX_CHARACTERS
from tacitus.data.rows import Row, csv_header, csv_rows, json_rows, parquet_count, parquet_header, parquet_rows
from tacitus.errors import InputError, is_unicode, reason, suggest
from tacitus.files import path_text

SUFFIXES = (".txt", ".jsonl", ".csv", ".parquet")
OTHER_KINDS = frozenset(".json .tsv .html .htm .xml .pdf .doc .docx .xls .xlsx .gz .zip .tar".split())  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Document:
    """One report; ``date`` and ``source`` are passed on to its event records.

    Raises:
        InputError: more than :data:`~tacitus.data.parse.MAX_CHARACTERS`, or text that UTF-8 cannot hold.
    """

    id: str
    text: str
    date: str | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        if len(self.text) > MAX_CHARACTERS:
            raise InputError(
                f"document {self.id[:80]!r} has more than {MAX_CHARACTERS:,} characters; cut it into several"
            )
        if not all(map(is_unicode, (self.id, self.text, self.date or "", self.source or ""))):
            raise InputError(f"document {self.id[:80]!r} holds a lone surrogate, which is no Unicode text; repair it")


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
            inside = _files_below(path)
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


def _files_below(folder: Path) -> list[Path]:
    """Files of a folder and the folders in it, sorted, without hidden ones.

    Raises:
        InputError: a folder that cannot be looked into.
    """

    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename}: cannot read this folder ({reason(error)})")

    found: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found.extend(Path(place, name) for name in names if not name.startswith("."))
    return sorted(path for path in found if path.is_file())


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
        label = path_text(path.name if names[path.name] == 1 else path.as_posix())
        for number, document in _read(path, label, columns):
            if document.id in seen:
                raise InputError(
                    f"{path}:{number}: document id {document.id!r} stands twice; ids are unique, or leave them out"
                )
            seen.add(document.id)
            yield document


def estimated_count(files: Iterable[Path]) -> int | None:
    """About how many documents the files hold, for a time left; ``None`` where only reading would tell."""
    counts = list(map(_count, files))
    return None if None in counts else sum(n for n in counts if n is not None)


def _count(path: Path) -> int | None:
    suffix = path.suffix.lower()
    if not path.is_file() or suffix == ".csv":  # a CSV row may run over many lines
        return None
    if suffix == ".parquet":
        return parquet_count(path)
    return _count_lines(path) if suffix == ".jsonl" else 1


def _count_lines(path: Path) -> int | None:
    try:
        with path.open("rb") as stream:
            return sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))
    except OSError:  # reading it will say what is wrong
        return None


def _read(path: Path, label: str, columns: Columns) -> Iterator[tuple[int, Document]]:
    if path.suffix.lower() in (".jsonl", ".csv", ".parquet"):
        for number, row in read_rows(path, columns):
            yield number, document_of(row, f"{label}:{number}", columns, f"{path}:{number}")
        return
    with _readable(path):
        if str(path) == "-":
            if sys.stdin is None:
                raise InputError("-: standard input is closed; give a file")
            yield 1, Document("stdin", _whole_text(sys.stdin.buffer))
        else:
            with path.open("rb") as stream:
                yield 1, Document(label.removesuffix(path.suffix), _whole_text(stream))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turns what can go wrong while a file is read into one line."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot read ({reason(error)})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8; convert it to UTF-8") from None


def _whole_text(stream: IO[bytes]) -> str:
    return stream.read(4 * MAX_CHARACTERS + 8).decode("utf-8-sig")  # enough to see that there are too many


def read_rows(path: Path, columns: Columns = Columns()) -> Iterator[Row]:
    """Rows of a JSON Lines, CSV, TSV or Parquet file with their line or row numbers; each has a text.

    Raises:
        InputError: the file cannot be read, a row is broken, or the text column is missing or holds no text.
    """
    with _readable(path):
        for number, row in _rows(path, columns):
            check_column(f"{path}:{number}", columns.text, row)
            text = row[columns.text]
            if not isinstance(text, str):
                raise InputError(f"{path}:{number}: {columns.text!r} holds {_kind(text)}, needs text")
            yield number, row


def _rows(path: Path, columns: Columns) -> Iterator[Row]:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return parquet_rows(path, _wanted(path, columns, parquet_header(path)))
    if suffix in (".csv", ".tsv"):
        _wanted(path, columns, csv_header(path))
        return csv_rows(path)
    return json_rows(path)


def _wanted(path: Path, columns: Columns, names: Sequence[str]) -> list[str]:
    """Columns of a table that are read.

    Raises:
        InputError: there is no text column, or two columns have the name of one that is read.
    """
    check_column(f"{path}:1", columns.text, names)
    wanted = [name for name in dict.fromkeys(astuple(columns)) if name in names]
    twice = next((name for name in wanted if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{path}: two columns are called {twice!r}; rename one")
    return wanted


def document_of(row: dict[str, Any], fallback: str, columns: Columns, where: str) -> Document:
    """The report of a row; ``fallback`` is its id where the row has none, ``where`` is file and line.

    Raises:
        InputError: a value of another kind, or a text that is too long or no Unicode.
    """
    name, date, source = (_string(row.get(c), c, where) for c in (columns.id, columns.date, columns.source))
    try:
        return Document(fallback if name is None else name, row[columns.text], date, source)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def check_column(where: str, wanted: str, names: Iterable[Any], option: str = "--text-column") -> None:
    """Checks that a row or header has a column.

    Raises:
        InputError: it has not; names the nearest one and the option.
    """
    if wanted not in names:
        known = list(map(str, names))
        near = suggest(wanted, known) or f" among {', '.join(known) or 'none'}"[:120]
        raise InputError(f"{where}: no column {wanted!r}{near}; name it with {option}")


def _string(value: Any, column: str, where: str) -> str | None:
    if isinstance(value, list | dict | bytes):
        raise InputError(f"{where}: {column!r} holds {_kind(value)}, needs text, a number or a date")
    return None if value is None or value == "" else str(value)


def _kind(value: Any) -> str:
    return "nothing (null)" if value is None else type(value).__name__
