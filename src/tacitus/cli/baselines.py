"""``tacitus baselines``: what a checkpoint has to beat, on the same files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tacitus.errors import InputError, require

SHOWN = {
    "event_micro_f1": "types",
    "event_macro_f1": "macro",
    "any_event_f1": "any event",
    "span_strict_f1": "spans",
    "role_strict_f1": "roles",
}


def baselines(
    gold: Annotated[Path, typer.Argument(help="Gold sentences (JSONL).")],
    train: Annotated[Path, typer.Option(help="Training sentences (JSONL) for the baselines that learn.")],
    model: Annotated[Path | None, typer.Option("--model", "-m", help="Checkpoint folder to set beside them.")] = None,
    ontology: Annotated[
        Path | None, typer.Option(help="Ontology of the files.", show_default="the shipped one")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
) -> None:
    """Score majority, keyword rules, TF-IDF + SVM and a gazetteer, and say whether a checkpoint beats them."""
    require("sklearn", "train")
    from rich.console import Console
    from rich.table import Table

    from tacitus.data.jsonl import read_sentences
    from tacitus.evaluation.baselines import all_baselines
    from tacitus.extractor import Extractor
    from tacitus.metrics import count, headline
    from tacitus.ontology import load_ontology

    used = load_ontology(ontology)
    sentences = read_sentences(gold, used)
    predictors = all_baselines(read_sentences(train, used), used)
    if model is not None:
        extractor = Extractor.load(model, device)
        if extractor.ontology.event_types != used.event_types or extractor.ontology.span_labels != used.span_labels:
            raise InputError(f"{model}: was trained on the ontology {extractor.ontology.name!r}, not {used.name!r}")
        predictors["checkpoint"] = extractor.predict
    scores = {
        name: headline(count(list(zip(sentences, predict(sentences), strict=True)), used))
        for name, predict in predictors.items()
    }
    table = Table(show_edge=False, pad_edge=False, header_style="dim")
    table.add_column("F1", no_wrap=True)
    for name in SHOWN.values():
        table.add_column(name, justify="right", no_wrap=True)
    for name, figures in scores.items():
        table.add_row(name, *(f"{figures[f]:.3f}" if f in figures else "" for f in SHOWN))
    console = Console()
    console.print(table)
    if model is not None:
        checkpoint = scores.pop("checkpoint")
        beaten_by = [
            f"{n} ({SHOWN[f]})" for f in SHOWN if f in checkpoint for n, s in scores.items() if s[f] >= checkpoint[f]
        ]
        console.print(
            f"the checkpoint is beaten by {', '.join(beaten_by)}" if beaten_by else "the checkpoint beats them all"
        )
