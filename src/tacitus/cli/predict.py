"""``tacitus predict``: annotated sentences in, predicted ones out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tacitus.errors import InputError


def predict(
    gold: Annotated[Path, typer.Argument(help="Annotated sentences (JSONL); only their texts are looked at.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Predicted sentences (JSONL), same ids and order.")],
    model: Annotated[
        Path | None, typer.Option("--model", "-m", help="Checkpoint folder.", show_default="the shipped checkpoint")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    runtime: Annotated[
        str, typer.Option(help="auto (what is quickest here), openvino-int8, openvino, onnx or pytorch.")
    ] = "auto",
    scores: Annotated[bool, typer.Option("--scores", help="Add the probability of every event type.")] = False,
    skip_invalid: Annotated[
        bool, typer.Option("--skip-invalid", help="Go on past bad lines and write them to OUTPUT.rejected.jsonl.")
    ] = False,
) -> None:
    """Predict spans, events and roles of sentences."""
    from tacitus.cli.reading import read_with_rejects
    from tacitus.data.jsonl import write_sentences
    from tacitus.extractor import Extractor

    if output.resolve() == gold.resolve():
        raise InputError(f"{output}: is the input too; choose another output")
    sentences = read_with_rejects(gold, output, skip_invalid)
    extractor = Extractor.load(model, device, runtime=runtime)
    n = write_sentences(output, extractor.predict(sentences, event_scores=scores))
    typer.echo(f"{n} sentences written to {output}", err=True)
