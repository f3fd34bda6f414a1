"""``tacitus export``: a checkpoint in, a graph that runs without PyTorch beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tacitus.errors import InputError, require, suggest


def export(
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint folder; the graph is written into it.")],
    kind: Annotated[
        str, typer.Option("--format", "-f", help="openvino-int8 (quickest on most CPUs), openvino or onnx.")
    ] = "openvino-int8",
    calibrate: Annotated[
        Path, typer.Option(help="Annotated sentences (JSONL) that int8 is calibrated on; take training data.")
    ] = Path("annotations/train.jsonl"),
    check: Annotated[
        Path, typer.Option(help="Annotated sentences (JSONL) that the graph is compared with the network on.")
    ] = Path("annotations/dev.jsonl"),
) -> None:
    """Export a checkpoint; prints how well the graph keeps the network's quality."""
    from tacitus.folder import GRAPHS, check_folder

    if kind not in GRAPHS:
        raise InputError(f"--format {kind}: take {', '.join(GRAPHS)}{suggest(kind, GRAPHS)}")
    if kind == "openvino-int8" and calibrate.resolve() == check.resolve():
        raise InputError(f"{check}: give other sentences to --check than to --calibrate")
    check_folder(checkpoint)
    needed = {"onnx": ("onnx", "onnxruntime"), "openvino-int8": ("openvino", "nncf"), "openvino": ("openvino",)}
    for package in ("torch", "transformers", *needed[kind]):
        require(package, "export")
    from tacitus.data.jsonl import read_sentences
    from tacitus.export.quality import MAX_MEAN_DIFFERENCE, MAX_SPAN_F1_LOSS, MIN_AGREEMENT
    from tacitus.export.run import export as run

    sentences = read_sentences(calibrate) if kind == "openvino-int8" else []
    quality = run(checkpoint, kind, sentences, read_sentences(check))
    for name, value in quality.to_json().items():
        typer.echo(f"{name:20} {_plain(value)}")
    typer.echo(f"{kind} graph written to {checkpoint / GRAPHS[kind]}", err=True)
    if not quality.kept:
        raise InputError(
            f"{checkpoint}: the {kind} graph does not keep the network's quality (wanted: decisions agree at "
            f"{MIN_AGREEMENT}, span F1 within {MAX_SPAN_F1_LOSS}, probabilities within {MAX_MEAN_DIFFERENCE}); "
            "use another --format, or calibrate on more sentences"
        )


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return " → ".join(f"{v:.4f}" for v in value)
    return f"{value:.4f}" if isinstance(value, float) else str(value)
