"""``tacitus extract``: reports in, event records out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tacitus.errors import InputError, OutputError

if TYPE_CHECKING:
    pass

OUTPUTS = (".jsonl", ".csv", ".parquet")


def extract(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="Text, JSONL, CSV or Parquet files, folders of them, or - for standard input.", show_default=False
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Event records as .jsonl, .csv or .parquet; without it, a table."),
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
    from tacitus.data.documents import Columns, find_inputs

    if output and output.suffix.lower() not in OUTPUTS:
        raise OutputError(f"{output}: unknown kind {output.suffix!r}; name it {', '.join('*' + s for s in OUTPUTS)}")
    files, skipped = find_inputs(inputs)
    if skipped:
        typer.echo(
            f"left out {len(skipped)} files that are not text, JSONL, CSV or Parquet, first {skipped[0]}", err=True
        )
    if output and any(file.resolve() == output.resolve() for file in files):
        raise InputError(f"{output}: is an input too; choose another output")
    _run(
        files,
        Columns(text_column, id_column, date_column, source_column),
        output,
        model,
        device,
        min_confidence,
        show_text,
    )


def _run(
    files: list[Path],
    columns: object,
    output: Path | None,
    model: Path | None,
    device: str,
    least: float,
    show_text: bool,
) -> None:
    from tacitus.cli.progress import counting
    from tacitus.data.documents import Columns, read_documents
    from tacitus.events import all_events
    from tacitus.extractor import Extractor

    assert isinstance(columns, Columns)
    extractor = Extractor.load(model, device)
    documents = counting(read_documents(files, columns), "documents")
    records = (r for r in all_events(extractor.stream(documents), extractor.ontology) if r.confidence >= least)
    if output is None:
        from tacitus.cli.table import print_events

        print_events(records, extractor.ontology, show_text)
    else:
        from tacitus.event_files import write_events

        n = write_events(output, records, extractor.ontology)
        typer.echo(f"{n} events written to {output}", err=True)
