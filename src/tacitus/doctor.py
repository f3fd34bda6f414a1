"""What is installed here, what this machine can compute, and which runtime a checkpoint will be read with, and why."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tacitus.errors import CheckpointError, TacitusError, one_line
from tacitus.evaluation.versions import versions
from tacitus.folder import GRAPHS, check_folder, kept_quality, read_settings, weights_sha256
from tacitus.loading import RUNTIMES, choose, obstacle, sees_gpu
from tacitus.runtime.processor import has_bf16, has_int8, processor_name

_EXTRAS = {  # extra → a package that only it brings
    "torch": "torch",
    "train": "accelerate",
    "export": "nncf",
    "onnx": "onnxruntime",
    "annotate": "datasketch",
    "spacy": "spacy",
    "convert": "cassis",
    "bench": "matplotlib",
}


@dataclass(frozen=True)
class Diagnosis:
    """Facts as JSON types; ``problem`` is what keeps the checkpoint from running, in one line."""

    versions: dict[str, str]
    extras: dict[str, bool]
    machine: dict[str, Any]
    checkpoint: dict[str, Any]
    runtimes: dict[str, dict[str, Any]]
    auto: dict[str, str]
    problem: str | None

    def to_json(self) -> dict[str, Any]:
        """All facts."""
        return asdict(self)


def diagnose(checkpoint: Path) -> Diagnosis:
    """Looks at the installation, the machine and a checkpoint folder; nothing is computed."""
    try:
        check_folder(checkpoint)
        described, problem = _describe(checkpoint), None
    except TacitusError as error:
        described, problem = {"folder": str(checkpoint)}, one_line(error)
    runtimes = {} if problem else {kind: _runtime(checkpoint, kind) for kind in RUNTIMES if kind != "auto"}
    auto = {} if problem else choose(checkpoint, "auto")._asdict()
    if auto and not runtimes[auto["runtime"]]["runs"]:
        problem = f"no runtime can run this checkpoint: {runtimes[auto['runtime']]['why_not']}"
    return Diagnosis(
        versions(),
        {extra: find_spec(package) is not None for extra, package in _EXTRAS.items()},
        _machine(),
        described,
        runtimes,
        auto,
        problem,
    )


def _describe(checkpoint: Path) -> dict[str, Any]:
    ontology = read_settings(checkpoint).ontology
    return {
        "folder": str(checkpoint),
        "weights_sha256": _weights(checkpoint),
        "ontology": {
            "name": ontology.name,
            "version": ontology.version,
            "event_types": len(ontology.event_types),
            "span_labels": ontology.span_label_ids,
            "roles": [role.id for role in ontology.roles],
            "exclusive": ontology.exclusive,
        },
    }


def _weights(checkpoint: Path) -> str | None:
    try:
        return weights_sha256(checkpoint)
    except CheckpointError:
        return None


def _runtime(checkpoint: Path, kind: str) -> dict[str, Any]:
    why_not = obstacle(checkpoint, kind)
    here = kind in GRAPHS and (checkpoint / GRAPHS[kind]).is_file()
    return {
        "runs": why_not is None,
        "why_not": why_not,
        "quality_kept": kept_quality(checkpoint, kind) if here else None,
    }


def _machine() -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "processor": processor_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "native_int8": has_int8(),
        "native_bfloat16": has_bf16(),
        "gpu": _gpu(),
    }


def _gpu() -> str | None:
    if find_spec("torch") is None or not sees_gpu():
        return None
    import torch

    return str(torch.cuda.get_device_name(0))
