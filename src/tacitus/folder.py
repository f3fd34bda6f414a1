"""Files of a checkpoint folder that every runtime reads: configuration, tokenizer, exported graphs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tacitus.errors import CheckpointError, one_line, suggest
from tacitus.files import sha256
from tacitus.model.settings import Settings, settings_from_config
from tacitus.model.viterbi import ChainScores

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CHAIN = ("start", "end", "transitions")
MODEL_TYPE = "tacitus"
WEIGHTS = "model.safetensors"
EXPORTS = "exports.json"
GRAPHS = {  # format → file of its graph; OpenVINO keeps the weights beside it as .bin
    "openvino-int8": "openvino-int8.xml",
    "openvino": "openvino.xml",
    "onnx": "model.onnx",
}


def check_folder(path: Path) -> None:
    """Checks that a checkpoint folder is whole: configuration, tokenizer, and weights or an exported graph.

    Raises:
        CheckpointError: the folder or one of its files is missing.
    """
    if not path.is_dir():
        raise CheckpointError(
            f"{path}: no such checkpoint folder{suggest(path.name, _folders_beside(path))}; "
            "give a folder written by 'tacitus train', or none for the shipped one"
        )
    needed = ["config.json", "tokenizer.json"]
    if not any((path / name).is_file() for name in GRAPHS.values()):
        needed.append(WEIGHTS)
    for name in needed:
        if not (path / name).is_file():
            raise CheckpointError(
                f"{path}: not a whole checkpoint, {name} is missing; give a folder written by 'tacitus train'"
            )


def _folders_beside(path: Path) -> list[str]:
    try:
        return [entry.name for entry in path.parent.iterdir() if entry.is_dir()]
    except OSError:
        return []


def read_settings(path: Path) -> Settings:
    """The settings of a checkpoint folder.

    Raises:
        CheckpointError: config.json is broken or belongs to another kind of model.
    """
    try:
        config: dict[str, Any] = json.loads((path / "config.json").read_text(encoding="utf-8"))
        if config["model_type"] != MODEL_TYPE:
            raise CheckpointError(
                f"{path}: config.json names the model type {config['model_type']!r}, not {MODEL_TYPE!r}; "
                "train with it as model.encoder"
            )
        return settings_from_config(config)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{path}: cannot read config.json ({one_line(error)[:200]})") from None


def load_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer of a checkpoint folder.

    Raises:
        CheckpointError: tokenizer.json is broken.
    """
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_str((path / "tokenizer.json").read_text(encoding="utf-8"))
    except Exception as error:  # the library raises nothing narrower
        raise CheckpointError(f"{path}: cannot read tokenizer.json ({one_line(error)[:200]})") from None


def read_export(path: Path, kind: str) -> ChainScores:
    """The tag chain stored beside an exported graph.

    Args:
        path: the checkpoint folder.
        kind: a key of :data:`GRAPHS`.

    Raises:
        CheckpointError: the graph was not exported, or from other weights than lie here.
    """
    mend = f"run 'tacitus export {path} --format {kind}'"
    try:
        note = _notes(path)[kind]
        chain, made_from = note["chain"], note["weights_sha256"]
    except (KeyError, TypeError):
        raise CheckpointError(f"{path}: holds no {kind} graph; {mend}") from None
    weights = path / WEIGHTS
    if not (path / GRAPHS[kind]).is_file() or (weights.is_file() and sha256(weights) != made_from):
        raise CheckpointError(f"{path}: the {kind} graph is missing or was made from other weights; {mend}")
    return ChainScores(*(np.array(chain[name], dtype=np.float32) for name in CHAIN))


def kept_quality(path: Path, kind: str) -> bool:
    """Whether a graph is here and its export found that it keeps the network's quality."""
    note = _notes(path).get(kind)
    return (path / GRAPHS[kind]).is_file() and isinstance(note, dict) and note.get("kept") is True


def _notes(path: Path) -> dict[str, Any]:
    """What the exports of a checkpoint noted, by format; empty where nothing readable is there."""
    try:
        notes = json.loads((path / EXPORTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return notes if isinstance(notes, dict) else {}


def weights_sha256(path: Path) -> str:
    """SHA-256 of a checkpoint's weights; where only graphs lie here, of the weights that they were made from.

    Raises:
        CheckpointError: neither weights nor the note of an export are there.
    """
    if (path / WEIGHTS).is_file():
        return sha256(path / WEIGHTS)
    notes = _notes(path)
    try:
        return next(str(notes[kind]["weights_sha256"]) for kind, name in GRAPHS.items() if (path / name).is_file())
    except (KeyError, TypeError, StopIteration):
        raise CheckpointError(f"{path}: holds neither {WEIGHTS} nor a graph with its note in {EXPORTS}") from None


def fingerprint(path: Path) -> dict[str, str]:
    """SHA-256 of every file that predictions depend on, by name."""
    names = ["config.json", "tokenizer.json", WEIGHTS, EXPORTS, *GRAPHS.values()]
    return {name: sha256(path / name) for name in names if (path / name).is_file()}
