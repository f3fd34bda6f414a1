"""A progress line on standard error or in a notebook, only where somebody is watching."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")


def counting(items: Iterable[Item], what: str, total: int | None = None, watched: bool | None = None) -> Iterator[Item]:
    """Passes items on and shows how many went by, how many a second, and with ``total`` the time left.

    Args:
        items: what is passed on.
        what: what they are called.
        total: how many there are.
        watched: whether to show anything; where left out, only on a terminal.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    if not (sys.stderr.isatty() if watched is None else watched):
        yield from items
        return
    columns = [TextColumn(what), MofNCompleteColumn(), TaskProgressColumn(show_speed=True), TimeElapsedColumn()]
    if total is not None:
        columns = [TextColumn(what), BarColumn(), *columns[1:], TextColumn("left"), TimeRemainingColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total)
        for item in items:
            yield item
            progress.advance(task)


@contextmanager
def stepping(total: int, what: str) -> Iterator[Callable[[int], None]]:
    """A bar that the yielded function moves on by a number of steps."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    watched = sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not watched) as progress:
        task = progress.add_task(what, total=total)
        yield lambda n: progress.advance(task, n)
