"""The model card (README.md) of a checkpoint, written from its metrics."""

from __future__ import annotations

from typing import Any

from tacitus.ontology import Ontology
from tacitus.resources import ENCODER
from tacitus.training.recipe import Recipe

_ENCODER_CREDIT = (
    "The encoder starts from sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0, by the Sentence "
    "Transformers authors), "
    "itself from MiniLM (Wang et al. 2020, Microsoft)."
)


def model_card(recipe: Recipe, ontology: Ontology, metrics: dict[str, Any]) -> str:
    """Markdown with hub metadata: data, figures, calibration, limits, licence and credit."""
    shipped = recipe.model.encoder.endswith(ENCODER)
    licence = (
        f"Apache-2.0. {_ENCODER_CREDIT}" if shipped else f"Mind the licence of the encoder {recipe.model.encoder}."
    )
    return "\n".join(
        [
            _metadata(recipe),
            f"# {recipe.name}",
            "",
            f"A tacitus checkpoint: event types, spans and roles of the ontology `{ontology.name}` "
            f"(version {ontology.version}) in one pass. "
            f"Load it with `tacitus.Extractor.load(FOLDER)` or `tacitus extract --model FOLDER`.",
            "",
            "## Data",
            "",
            _data_table(metrics["data"]),
            "",
            f"## Figures on {metrics['data']['dev']['path']}",
            "",
            *_same_file_note(metrics),
            _figures(metrics),
            "",
            "## Calibration",
            "",
            _calibration(metrics),
            "",
            "## What it gets wrong",
            "",
            _weakest(metrics),
            "",
            "Sentences are read alone: who a pronoun stands for, or what an earlier sentence named, is not resolved. "
            "English only. "
            "Event records are what a text *says*, not what happened; never use them to target people.",
            "",
            "## Licence",
            "",
            licence,
            "",
        ]
    )


def _same_file_note(metrics: dict[str, Any]) -> list[str]:
    if metrics["calibration"]["fitted_on"] != metrics["data"]["dev"]["path"]:
        return []
    return ["Thresholds and the epoch were chosen on this file: read these figures as the upper side.", ""]


def _metadata(recipe: Recipe) -> str:
    shipped = recipe.model.encoder.endswith(ENCODER)
    base = f"sentence-transformers/{ENCODER}" if shipped else recipe.model.encoder
    return "\n".join(
        ["---", f"license: {'apache-2.0' if shipped else 'other'}", "language: en", "library_name: tacitus",
         f"base_model: {base}",
         "tags: [event-extraction, conflict, token-classification, text-classification]", "---", ""]
    )  # fmt: skip


def _data_table(data: dict[str, Any]) -> str:
    rows = ["| part | file | sentences | documents | sha256 |", "|---|---|---|---|---|"]
    for part, entry in data.items():
        for file in entry.get("files", [entry]):
            rows.append(
                f"| {part} | {file['path']} | {file['sentences']} | {file['documents']} | `{file['sha256'][:12]}` |"
            )
    return "\n".join(rows)


def _figures(metrics: dict[str, Any]) -> str:
    rows = ["| metric | value | 95 % interval (bootstrap over documents) |", "|---|---|---|"]
    for name, value in metrics["headline"].items():
        low, high = metrics["intervals"][name]
        rows.append(f"| {name} | {value:.3f} | {low:.3f} – {high:.3f} |")
    return "\n".join(rows)


def _calibration(metrics: dict[str, Any]) -> str:
    before, after = metrics["calibration_error"]["before"], metrics["calibration_error"]["after"]
    if not after:
        return "No event types, nothing to calibrate."
    rows = [
        f"Temperatures and thresholds were fitted on {metrics['calibration']['fitted_on']}. "
        "Expected calibration error of event scores:",
        "",
        "| | before | after |",
        "|---|---|---|",
    ]
    rows += [f"| {name} | {before[name]:.4f} | {after[name]:.4f} |" for name in after if name in before]
    return "\n".join(rows)


def _weakest(metrics: dict[str, Any]) -> str:
    types = [(s["f1"], name, s["tp"] + s["fn"]) for name, s in metrics["per_type"].items() if s["tp"] + s["fn"] >= 5]
    if not types:
        return "Too few gold events per type to say."
    listed = ", ".join(f"`{name}` ({f1:.2f}, {n} gold)" for f1, name, n in sorted(types)[:6])
    return f"Lowest F1 among types with 5 or more gold events: {listed}."
