"""``tacitus extract``: reports in, event records out."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tacitus.errors import InputError

if TYPE_CHECKING:
    from tacitus.data.documents import Columns, Document
    from tacitus.extractor import Extractor


def extract(
    inputs: Annotated[
        list[str],
        typer.Argument(help="Text, JSONL, CSV or Parquet files, folders, globs, or - for standard input."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Event records as .jsonl, .csv or .parquet; a folder for a run that can continue; else a table.",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(help="One page to look at: texts with their events, filters, counts; works offline."),
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", "-m", help="Checkpoint folder.", show_default="the shipped checkpoint")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    runtime: Annotated[
        str, typer.Option(help="auto (what is quickest here), openvino-int8, openvino, onnx or pytorch.")
    ] = "auto",
    text_column: Annotated[str, typer.Option(help="Column or key of the text.")] = "text",
    id_column: Annotated[str, typer.Option(help="Column or key of the document id.")] = "id",
    date_column: Annotated[str, typer.Option(help="Column or key of the date.")] = "date",
    source_column: Annotated[str, typer.Option(help="Column or key of the source.")] = "source",
    min_confidence: Annotated[float, typer.Option(min=0, max=1, help="Leave out events below this confidence.")] = 0.0,
    shard_documents: Annotated[int, typer.Option(min=1, help="Documents of one file in an output folder.")] = 10_000,
    show_text: Annotated[bool, typer.Option("--show-text", help="Show each event's sentence in the table.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print events as JSON Lines on standard output, for scripts.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no messages, except errors.")] = False,
) -> None:
    """Code reports: who did what to whom, where."""
    from tacitus.data.documents import Columns, estimated_count, read_documents
    from tacitus.event_files import check_output, json_line, write_events
    from tacitus.event_page import EventPage
    from tacitus.events import all_events
    from tacitus.extractor import Extractor
    from tacitus.progress import counting
    from tacitus.shards import is_folder

    sharded = output is not None and is_folder(output)
    if sharded and html:
        raise InputError(f"{output}: a folder goes without --html; name a file, or leave --html out")
    if output and as_json:
        raise InputError(f"{output}: --json prints events; leave it or --output out")
    if output and not sharded:
        check_output(output)
    say = _silence if quiet else partial(typer.echo, err=True)
    files = _find(inputs, [target for target in (output, html) if target], say)
    extractor = Extractor.load(model, device, runtime=runtime)
    columns = Columns(text_column, id_column, date_column, source_column)
    documents = counting(read_documents(files, columns), "documents", estimated_count(files), False if quiet else None)
    if output and sharded:
        run = _run_description(files, columns, extractor, min_confidence)
        say(_write_shards(output, documents, extractor, run, min_confidence, shard_documents))
        return
    coded = extractor.stream(documents)
    page = EventPage(extractor.ontology, min_confidence) if html else None
    records = (
        record
        for record in all_events(page.watch(coded) if page else coded, extractor.ontology)
        if record.confidence >= min_confidence
    )
    if output:
        n = write_events(output, records, extractor.ontology)
        say(f"{n} events written to {output}")
    elif as_json:
        for record in records:
            typer.echo(json_line(record))
    elif not page:
        from tacitus.cli.table import print_events

        print_events(records, extractor.ontology, show_text)
    if html and page:
        collections.deque(records, maxlen=0)  # what nobody has taken yet
        page.write(html, Path(extractor.name).name)
        say(f"page written to {html}")


def _silence(message: str) -> None:
    """Says nothing."""


def _find(inputs: list[str], targets: list[Path], say: Callable[[str], None]) -> list[Path]:
    """Files to read; says what was left out, and refuses to write over an input."""
    from tacitus.data.documents import find_inputs

    files, skipped = find_inputs(inputs)
    if skipped:
        found = f"{skipped[0]}" + (f" and {len(skipped) - 1} more" if len(skipped) > 1 else "")
        say(f"left out (folders are read for .txt, .jsonl, .csv and .parquet): {found}")
    for target in targets:
        if any(file.resolve() == target.resolve() for file in files):
            raise InputError(f"{target}: is an input too; choose another output")
    return files


def _run_description(
    files: list[Path], columns: Columns, extractor: Extractor, min_confidence: float
) -> dict[str, Any]:
    """What the rows of a run depend on, as JSON types."""
    from dataclasses import asdict

    from tacitus.files import path_text
    from tacitus.folder import fingerprint

    return {
        "inputs": [[path_text(f), _size(f)] for f in files],
        "columns": asdict(columns),
        "checkpoint": fingerprint(Path(extractor.name)),
        "runtime": extractor.runtime.kind,
        "min_confidence": min_confidence,
    }


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size if file.is_file() else None
    except OSError:  # reading it will say what is wrong
        return None


def _write_shards(
    output: Path,
    documents: Iterator[Document],
    extractor: Extractor,
    run: dict[str, Any],
    min_confidence: float,
    shard_documents: int,
) -> str:
    """Writes the files; gives what is said of them."""
    from tacitus.shards import write_shards

    n, n_done = write_shards(
        output,
        documents,
        extractor.stream,
        extractor.ontology,
        run,
        lambda record: record.confidence >= min_confidence,
        shard_documents,
    )
    before = f" ({n_done} files were there already)" if n_done else ""
    return f"{n} events written to {output}{before}"
