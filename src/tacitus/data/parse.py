"""Lines of text files and the JSON on them, read strictly: nothing too long, nothing that reading would lose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

from tacitus.errors import InputError, RecordError

MAX_CHARACTERS = 10_000_000  # of one document, line or CSV field: more is a broken or hostile file


def bounded_lines(stream: IO[str], path: str | Path) -> Iterator[str]:
    """Lines of a stream; none longer than :data:`MAX_CHARACTERS` is read into memory.

    Raises:
        InputError: a longer line.
    """
    lines = iter(partial(stream.readline, MAX_CHARACTERS + 1), "")
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_CHARACTERS:
            raise InputError(f"{path}:{number}: a line of more than {MAX_CHARACTERS:,} characters; cut it into several")
        yield line


def parse_json(line: str) -> Any:
    """The JSON value on a line.

    Raises:
        RecordError: no JSON, a key twice in one object, NaN or infinity.
    """
    try:
        return json.loads(line, object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"not JSON ({error})") from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(n for n in names if names.count(n) > 1)!r} stands twice in one object")
    return found


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON; write null")
