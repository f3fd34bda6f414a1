"""``tacitus seeds``: several runs of one recipe, summarised."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def seeds(
    gold: Annotated[Path, typer.Argument(help="Gold sentences (JSONL).")],
    predicted: Annotated[list[Path], typer.Argument(help="Predicted sentences of each run (JSONL).")],
    ontology: Annotated[
        Path | None, typer.Option(help="Ontology of the files.", show_default="the shipped one")
    ] = None,
    json_output: Annotated[Path | None, typer.Option("--json", help="Write all figures here as JSON too.")] = None,
) -> None:
    """Summarise several runs of one recipe: mean, standard deviation and range of every headline figure."""
    from rich.console import Console
    from rich.table import Table

    from tacitus.data.jsonl import read_sentences
    from tacitus.evaluation.seeds import summarise
    from tacitus.files import write_json
    from tacitus.metrics import pair_by_id
    from tacitus.ontology import load_ontology

    used = load_ontology(ontology)
    sentences = read_sentences(gold, used)
    runs = [[p for _, p in pair_by_id(sentences, read_sentences(path, used))] for path in predicted]
    result = summarise(sentences, runs, used)
    if json_output:
        write_json(json_output, result)
    table = Table(show_edge=False, pad_edge=False, header_style="dim")
    for column in ("figure", "mean", "sd", "lowest", "highest"):
        table.add_column(column, justify="left" if column == "figure" else "right", no_wrap=True)
    for name, f in result.items():
        table.add_row(name, *(f"{x:.3f}" for x in (f["mean"], f["sd"], min(f["values"]), max(f["values"]))))
    console = Console()
    console.print(f"{len(runs)} runs on {len(sentences)} sentences")
    console.print(table)
