"""``tacitus evaluate``: gold against predictions or a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tacitus.errors import InputError

if TYPE_CHECKING:
    from tacitus.extractor import Extractor
    from tacitus.ontology import Ontology
    from tacitus.records import AnnotatedSentence


def evaluate(
    gold: Annotated[Path, typer.Argument(help="Gold sentences (JSONL).")],
    predicted: Annotated[Path | None, typer.Argument(help="Predicted sentences (JSONL); or give --model.")] = None,
    model: Annotated[Path | None, typer.Option("--model", "-m", help="Checkpoint folder to predict with.")] = None,
    ontology: Annotated[
        Path | None, typer.Option(help="Ontology of the files.", show_default="the checkpoint's or the shipped one")
    ] = None,
    json_output: Annotated[Path | None, typer.Option("--json", help="Write all figures here as JSON too.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write report.html, metrics.json and sentences.jsonl here.")
    ] = None,
    train: Annotated[
        Path | None, typer.Option(help="Training sentences (JSONL): tell spans seen there from unseen ones.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    runtime: Annotated[
        str, typer.Option(help="auto (what is quickest here), openvino-int8, openvino, onnx or pytorch.")
    ] = "auto",
    samples: Annotated[int, typer.Option(min=0, help="Bootstrap resamples for the intervals; 0 for none.")] = 1000,
) -> None:
    """Score predictions: event types, spans, roles and whole records."""
    if (predicted is None) == (model is None):
        raise InputError("give either a file of predictions or --model FOLDER, not both and not neither")
    from tacitus.data.jsonl import read_sentences
    from tacitus.evaluation.evaluate import evaluate_pairs
    from tacitus.evaluation.table import print_evaluation
    from tacitus.evaluation.versions import versions

    extractor = _extractor(model, ontology, device, runtime)
    used, pairs = _pairs(gold, predicted, extractor, ontology)
    result = evaluate_pairs(pairs, used, samples, train=read_sentences(train, used) if train else ())
    result["inputs"] = hashed({"gold": gold, "predicted": predicted, "model": model, "train": train})
    result["runtime"] = extractor.runtime.kind if extractor else None
    result["versions"] = versions()
    if json_output:
        from tacitus.files import write_json

        write_json(json_output, result)
    if report:
        from tacitus.evaluation.report import write_report

        write_report(report, result, pairs, used)
        typer.echo(f"report written to {report / 'report.html'}", err=True)
    print_evaluation(result)


def _extractor(model: Path | None, ontology: Path | None, device: str, runtime: str) -> Extractor | None:
    if model is None:
        return None
    from tacitus.extractor import Extractor

    if ontology is not None:
        raise InputError("--ontology goes with a file of predictions; a checkpoint brings its own")
    return Extractor.load(model, device, runtime=runtime)


def _pairs(
    gold: Path, predicted: Path | None, extractor: Extractor | None, ontology: Path | None
) -> tuple[Ontology, list[tuple[AnnotatedSentence, AnnotatedSentence]]]:
    from tacitus.data.jsonl import read_sentences
    from tacitus.metrics import pair_by_id
    from tacitus.ontology import load_ontology

    if extractor is not None:
        sentences = read_sentences(gold, extractor.ontology)
        return extractor.ontology, pair_by_id(sentences, extractor.predict(sentences, event_scores=True))
    assert predicted is not None
    used = load_ontology(ontology)
    return used, pair_by_id(read_sentences(gold, used), read_sentences(predicted, used))


def hashed(inputs: Mapping[str, Path | None]) -> dict[str, Any]:
    """Path and SHA-256 of each input that was given; a checkpoint's is that of its weights."""
    from tacitus.files import sha256
    from tacitus.folder import weights_sha256

    return {
        name: {"path": str(path), "sha256": weights_sha256(path) if path.is_dir() else sha256(path)}
        for name, path in inputs.items()
        if path is not None
    }
