"""``tacitus annotate agreement``: how far annotators, and a model, agree."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tacitus.cli.annotations import OntologyOption
from tacitus.errors import InputError, require


def agreement(
    files: Annotated[list[Path], typer.Argument(help="One file of annotated sentences (JSONL) per annotator.")],
    model: Annotated[Path | None, typer.Option(help="Predictions of the same sentences (JSONL).")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for agreement.json and agreement.html.")
    ] = None,
    ontology: OntologyOption = None,
) -> None:
    """Measure the agreement of annotators, named by their files, on the sentences they share."""
    require("sklearn", "annotate")
    from rich.console import Console
    from rich.table import Table

    from tacitus.annotation.agreement_page import agreement_page, agreement_tables
    from tacitus.annotation.panel import panel_agreement
    from tacitus.data.jsonl import read_sentences
    from tacitus.files import atomic_text, write_json
    from tacitus.ontology import load_ontology

    names = [file.stem for file in files]
    if len(set(names)) != len(names) or len(names) < 2:
        raise InputError("give two files or more with different names; each is one annotator, called as its file")
    used = load_ontology(ontology)
    annotators = {file.stem: read_sentences(file, used) for file in files}
    result = panel_agreement(annotators, used, read_sentences(model, used) if model else None)
    console = Console()
    for title, header, rows in agreement_tables(result):
        table = Table(*header, title=title, title_justify="left", show_edge=False, pad_edge=False, header_style="dim")
        for row in rows:
            table.add_row(*row)
        console.print(table, "")
    if output:
        write_json(output / "agreement.json", result)
        with atomic_text(output / "agreement.html") as stream:
            stream.write(agreement_page(result))
