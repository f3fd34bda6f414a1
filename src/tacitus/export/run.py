"""``tacitus export``: a checkpoint folder gets an exported graph, checked against its network."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tacitus.checkpoint import extractor_from_model, load_model
from tacitus.data.encode import Window, encode_texts
from tacitus.errors import OutputError
from tacitus.export.graph import openvino_graph, write_onnx
from tacitus.export.network import ScoringNetwork
from tacitus.export.quality import Quality, compare_runtimes
from tacitus.export.quantise import quantise
from tacitus.extractor import Extractor
from tacitus.files import sha256, write_json
from tacitus.folder import CHAIN, EXPORTS, GRAPHS, WEIGHTS, load_tokenizer
from tacitus.loading import load
from tacitus.records import AnnotatedSentence

N_CALIBRATION = 1024


def export(
    checkpoint: Path,
    kind: str,
    calibration: Sequence[AnnotatedSentence],
    check: Sequence[AnnotatedSentence],
    seed: int = 0,
) -> Quality:
    """Writes a graph into a checkpoint folder and stores how well it keeps the network's quality.

    Args:
        checkpoint: the folder.
        kind: a key of :data:`tacitus.folder.GRAPHS`.
        calibration: training sentences that calibrate int8; not read for the other kinds.
        check: sentences that the graph is compared on; they must not be among ``calibration``.
        seed: draws the calibration sentences.

    Raises:
        CheckpointError: the folder is no checkpoint.
        OutputError: the folder cannot be written.
    """
    model = load_model(checkpoint)
    reference = extractor_from_model(model, load_tokenizer(checkpoint), str(checkpoint))
    network = ScoringNetwork(model)
    windows = _windows(reference, calibration, seed) if kind == "openvino-int8" else []
    try:
        _write(checkpoint / GRAPHS[kind], network, windows, model.config.encoder.get("pad_token_id") or 0)
    except OSError as error:
        raise OutputError(f"{checkpoint}: cannot write the graph ({error})") from None
    note = _note(checkpoint, reference)
    _update(checkpoint / EXPORTS, kind, note | {"kept": False})
    quality = compare_runtimes(reference, load(checkpoint, kind), check)
    _update(checkpoint / EXPORTS, kind, note | {"kept": quality.kept})
    _store_quality(checkpoint, kind, quality)
    return quality


def _write(path: Path, network: ScoringNetwork, windows: list[Window], pad_token_id: int) -> None:
    if path.suffix == ".onnx":
        write_onnx(network, path)
        return
    import openvino

    graph = openvino_graph(network)
    if windows:
        graph = quantise(graph, network, windows, pad_token_id)
    openvino.save_model(graph, path, compress_to_fp16=True)


def _windows(reference: Extractor, sentences: Sequence[AnnotatedSentence], seed: int) -> list[Window]:
    drawn = random.Random(seed).sample(list(sentences), min(N_CALIBRATION, len(sentences)))
    return [w for e in encode_texts([s.text for s in drawn], reference.tokenizer) for w in e.windows]


def _note(checkpoint: Path, reference: Extractor) -> dict[str, Any]:
    chain = {name: getattr(reference.runtime.chain, name).tolist() for name in CHAIN}
    return {"weights_sha256": sha256(checkpoint / WEIGHTS), "chain": chain}


def _store_quality(checkpoint: Path, kind: str, quality: Quality) -> None:
    metrics = checkpoint / "metrics.json"
    stored = json.loads(metrics.read_text(encoding="utf-8")) if metrics.is_file() else {}
    write_json(metrics, stored | {"exports": stored.get("exports", {}) | {kind: quality.to_json()}})


def _update(path: Path, key: str, value: Any) -> None:
    stored = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    write_json(path, stored | {key: value})
