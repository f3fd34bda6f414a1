"""``tacitus compare``: two prediction files on the same gold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def compare(
    gold: Annotated[Path, typer.Argument(help="Gold sentences (JSONL).")],
    first: Annotated[Path, typer.Argument(help="Predicted sentences (JSONL).")],
    second: Annotated[Path, typer.Argument(help="Other predictions of the same sentences (JSONL).")],
    ontology: Annotated[
        Path | None, typer.Option(help="Ontology of the files.", show_default="the shipped one")
    ] = None,
    json_output: Annotated[Path | None, typer.Option("--json", help="Write everything here as JSON too.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write compare.html, comparison.json and sentences.jsonl here.")
    ] = None,
    samples: Annotated[int, typer.Option(min=100, help="Resamples.")] = 2000,
) -> None:
    """Compare two predictions: differences, intervals, p-values, and the sentences where they part."""
    from rich.console import Console
    from rich.table import Table

    from tacitus.cli.evaluate import hashed
    from tacitus.data.jsonl import read_sentences
    from tacitus.evaluation.compare import compare as compare_predictions
    from tacitus.evaluation.compare import write_comparison
    from tacitus.evaluation.versions import versions
    from tacitus.files import write_json
    from tacitus.metrics import pair_by_id
    from tacitus.ontology import load_ontology

    used = load_ontology(ontology)
    sentences = read_sentences(gold, used)
    a, b = ([p for _, p in pair_by_id(sentences, read_sentences(path, used))] for path in (first, second))
    result = compare_predictions(sentences, a, b, used, samples)
    result["inputs"] = hashed({"gold": gold, "first": first, "second": second})
    result["versions"] = versions()
    if json_output:
        write_json(json_output, result)
    if report:
        write_comparison(report, result)
        typer.echo(f"report written to {report / 'compare.html'}", err=True)
    table = Table(show_edge=False, pad_edge=False, header_style="dim")
    for column in ("figure", "first", "second", "difference", "95 % interval", "p"):
        table.add_column(column, justify="left" if column == "figure" else "right", no_wrap=True)
    for name, f in result["figures"].items():
        low, high = f["interval"]
        table.add_row(
            name,
            f"{f['first']:.3f}",
            f"{f['second']:.3f}",
            f"{f['difference']:+.3f}",
            f"{low:+.3f} – {high:+.3f}",
            f"{f['p']:.3f}",
        )
    console = Console()
    console.print(table)
    console.print(f"{len(result['sentences'])} of {len(sentences)} sentences differ")
