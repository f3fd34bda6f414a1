"""Small file helpers: all-or-nothing writing and content hashes."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from glob import escape
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from tacitus.errors import OutputError, reason

_PARTIAL = ".partial"


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yields a temporary path beside ``path`` that takes its name only when the block ends without an error.

    Raises:
        OutputError: the folder is missing, read-only or full.
    """
    path = Path(path).resolve()
    try:
        through = path.exists() and not path.is_file()  # a device or a pipe is written through, a folder is refused
        with nullcontext(path) if through else _beside(path) as temporary:
            yield temporary
    except OSError as error:
        raise OutputError(f"{path}: cannot write ({reason(error)}); make room or choose another output") from None


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    _drop_left_behind(path)
    handle, name = tempfile.mkstemp(prefix=_prefix(path), suffix=_PARTIAL, dir=path.parent)
    temporary = Path(name)
    _lock(handle)
    try:
        try:
            yield temporary
            os.fsync(handle)
        finally:
            os.close(handle)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_text(path: str | Path) -> Iterator[IO[str]]:
    """Opens ``path`` for UTF-8 text, written whole or not at all."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        yield stream


def write_json(path: str | Path, value: Any) -> None:
    """Writes ``value`` as indented JSON, whole or not at all."""
    import json

    with atomic_text(path) as stream:
        json.dump(value, stream, ensure_ascii=False, indent=2)
        stream.write("\n")


def sha256(path: str | Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def path_text(path: str | Path) -> str:
    """A path as text that every file can hold; bytes of a name that are no UTF-8 are written as hex escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def file_name(name: str) -> str:
    """A name from data as a file name of its own: no two names meet, and none leads to another folder."""
    return quote(name, safe="@+", errors="surrogatepass")


def _prefix(path: Path) -> str:
    return f".{path.name[:100]}."  # a name may be as long as the system allows, and the temporary one is longer


def _lock(handle: int) -> bool:
    """Locks a file for as long as its writer lives; whether that was possible (where it is not, nothing is dropped)."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


def _drop_left_behind(path: Path) -> None:
    """Removes temporary files of writers that were killed; those of writers alive are locked."""
    for left in path.parent.glob(f"{escape(_prefix(path))}*{_PARTIAL}"):
        with suppress(OSError), left.open("rb") as stream:
            if _lock(stream.fileno()):
                left.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
