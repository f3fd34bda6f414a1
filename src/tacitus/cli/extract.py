"""``tacitus extract``: reports in, event records out."""

from __future__ import annotations

import collections
from pathlib import Path
from typing import Annotated

import typer

from tacitus.errors import InputError


def extract(
    inputs: Annotated[
        list[str],
        typer.Argument(help="Text, JSONL, CSV or Parquet files, folders, globs, or - for standard input."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Event records as .jsonl, .csv or .parquet; without it, a table."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(help="One page to look at: texts with their events, filters, counts; works offline."),
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", "-m", help="Checkpoint folder.", show_default="the shipped checkpoint")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    text_column: Annotated[str, typer.Option(help="Column or key of the text.")] = "text",
    id_column: Annotated[str, typer.Option(help="Column or key of the document id.")] = "id",
    date_column: Annotated[str, typer.Option(help="Column or key of the date.")] = "date",
    source_column: Annotated[str, typer.Option(help="Column or key of the source.")] = "source",
    min_confidence: Annotated[float, typer.Option(min=0, max=1, help="Leave out events below this confidence.")] = 0.0,
    show_text: Annotated[bool, typer.Option("--show-text", help="Show each event's sentence in the table.")] = False,
) -> None:
    """Code reports: who did what to whom, where."""
    from tacitus.cli.progress import counting
    from tacitus.data.documents import Columns, find_inputs, read_documents
    from tacitus.event_files import check_output, write_events
    from tacitus.event_page import EventPage
    from tacitus.events import all_events
    from tacitus.extractor import Extractor

    if output:
        check_output(output)
    files, skipped = find_inputs(inputs)
    if skipped:
        found = f"{skipped[0]}" + (f" and {len(skipped) - 1} more" if len(skipped) > 1 else "")
        typer.echo(f"left out (folders are read for .txt, .jsonl, .csv and .parquet): {found}", err=True)
    for target in filter(None, (output, html)):
        if any(file.resolve() == target.resolve() for file in files):
            raise InputError(f"{target}: is an input too; choose another output")
    extractor = Extractor.load(model, device)
    columns = Columns(text_column, id_column, date_column, source_column)
    documents = counting(read_documents(files, columns), "documents")
    coded = extractor.stream(documents)
    page = EventPage(extractor.ontology, min_confidence) if html else None
    records = (
        record
        for record in all_events(page.watch(coded) if page else coded, extractor.ontology)
        if record.confidence >= min_confidence
    )
    if output:
        n = write_events(output, records, extractor.ontology)
        typer.echo(f"{n} events written to {output}", err=True)
    elif not page:
        from tacitus.cli.table import print_events

        print_events(records, extractor.ontology, show_text)
    if html and page:
        collections.deque(records, maxlen=0)  # what nobody has taken yet
        page.write(html, Path(extractor.name).name)
        typer.echo(f"page written to {html}", err=True)
