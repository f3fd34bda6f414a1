"""Two sets of predictions on the same gold: difference, interval, significance, and the sentences where they part."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tacitus.errors import InputError
from tacitus.evaluation.bootstrap import document_counts, document_weights, f1, percentile_interval
from tacitus.evaluation.errors import layers
from tacitus.files import atomic_text, write_json
from tacitus.metrics import CountTable, count
from tacitus.ontology import Ontology
from tacitus.page import render_page
from tacitus.records import AnnotatedSentence

FIGURES = {
    "event_micro_f1": "event",
    "group_micro_f1": "group",
    "any_event_f1": "any",
    "span_strict_f1": "span/strict",
    "role_strict_f1": "role/strict",
}


def compare(
    gold: Sequence[AnnotatedSentence],
    first: Sequence[AnnotatedSentence],
    second: Sequence[AnnotatedSentence],
    ontology: Ontology,
    n_samples: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """Compares two predictions of the same sentences, all three in the same order.

    Returns:
        For each figure both values, the difference second − first, its paired bootstrap interval over documents and the
        two-sided p-value of approximate randomisation (Noreen 1989), which swaps whole documents; under ``sentences``
        those where events, spans or roles differ, with gold, both predictions and who is right.
    """
    if not gold:
        raise InputError("no sentences to compare on; give gold sentences")
    tables = [count(list(zip(gold, predicted, strict=True)), ontology) for predicted in (first, second)]
    figures = {name: prefix for name, prefix in FIGURES.items() if tables[0].keys(prefix)}
    result: dict[str, Any] = {
        "n_sentences": len(gold),
        "figures": {name: _figure(tables[0], tables[1], prefix, n_samples, seed) for name, prefix in figures.items()},
    }
    result["sentences"] = [
        difference
        for g, a, b in zip(gold, first, second, strict=True)
        if (difference := _difference(g, a, b)) is not None
    ]
    return result


def _figure(first: CountTable, second: CountTable, prefix: str, n_samples: int, seed: int) -> dict[str, Any]:
    a, b = document_counts(first, first.keys(prefix)), document_counts(second, second.keys(prefix))
    observed = float(f1(b.sum(0)) - f1(a.sum(0)))
    weights = document_weights(first, n_samples, seed)
    swaps = np.random.default_rng(seed).random((n_samples, len(a))) < 0.5
    swapped_a = swaps @ b + ~swaps @ a
    swapped_b = swaps @ a + ~swaps @ b
    extreme = np.abs(f1(swapped_b) - f1(swapped_a)) >= abs(observed) - 1e-12
    return {
        "first": float(f1(a.sum(0))),
        "second": float(f1(b.sum(0))),
        "difference": observed,
        "interval": percentile_interval(f1(weights @ b) - f1(weights @ a), 0.95),
        "p": float((extreme.sum() + 1) / (n_samples + 1)),
    }


def _difference(gold: AnnotatedSentence, first: AnnotatedSentence, second: AnnotatedSentence) -> dict[str, Any] | None:
    compared = {
        "events": (gold.event_types(), first.event_types(), second.event_types()),
        "spans": tuple({s.key for s in r.spans or ()} for r in (gold, first, second)),
        "roles": tuple({(t, k, s.key) for t, k, s in r.role_tuples()} for r in (gold, first, second)),
    }
    differing = {
        name: "first" if a == g else "second" if b == g else "neither" for name, (g, a, b) in compared.items() if a != b
    }
    if not differing:
        return None
    sides = {"gold": layers(gold), "first": layers(first), "second": layers(second)}
    return {"id": gold.id, "text": gold.text, "right": differing} | sides


def write_comparison(folder: str | Path, result: dict[str, Any]) -> None:
    """Writes ``compare.html``, ``comparison.json`` (figures) and ``sentences.jsonl`` (where they differ)."""
    folder = Path(folder)
    with atomic_text(folder / "compare.html") as stream:
        stream.write(render_page("tacitus.evaluation", "compare.html", result))
    with atomic_text(folder / "sentences.jsonl") as stream:
        stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in result["sentences"])
    write_json(folder / "comparison.json", {name: value for name, value in result.items() if name != "sentences"})
