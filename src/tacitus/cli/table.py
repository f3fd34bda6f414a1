"""Event records as a table for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tacitus.errors import plain
from tacitus.events import EventRecord
from tacitus.ontology import Ontology


def print_events(
    records: Iterable[EventRecord], ontology: Ontology, show_text: bool = False, console: Console | None = None
) -> int:
    """Prints one table per document and gives the number of events."""
    console = console or Console()
    n = 0
    for doc_id, group in groupby(records, key=lambda record: record.doc_id):
        table = _table(ontology)
        rows = list(group)
        for record in rows:
            table.add_row(*_cells(record, ontology))
            if show_text:
                table.add_row(Text(plain(record.text), style="dim"))
        date = f"  {plain(rows[0].event_date)}" if rows[0].event_date else ""
        console.print(Text(f"\n{plain(doc_id)}{date}", style="bold"))
        console.print(table)
        n += len(rows)
    console.print(Text(f"\n{n} event{'s' if n > 1 else ''}" if n else "no events"))
    return n


def _table(ontology: Ontology) -> Table:
    table = Table(show_edge=False, pad_edge=False, header_style="dim")
    table.add_column("event", style="red", no_wrap=True)
    for role in ontology.roles:
        table.add_column(role.id, overflow="fold", ratio=1)
    table.add_column("conf.", justify="right", no_wrap=True)
    return table


def _cells(record: EventRecord, ontology: Ontology) -> Iterator[Text]:
    yield Text(record.sub_event_type)
    for role in ontology.roles:
        yield Text("; ".join(dict.fromkeys(plain(p.text) for p in record.roles[role.key])))
    yield Text(f"{record.confidence:.2f}")
