"""Bootstrap intervals clustered by document (Efron & Tibshirani 1993), from the count table alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tacitus.metrics import CountTable

Floats = NDArray[np.float64]


def bootstrap_f1(
    table: CountTable, figures: dict[str, list[str]], n_samples: int = 1000, seed: int = 0, level: float = 0.95
) -> dict[str, tuple[float, float]]:
    """Percentile interval of each pooled F1.

    Args:
        table: counts per sentence.
        figures: name → keys pooled in it.
        n_samples: resamples of whole documents.
        seed: of the resampling.
        level: coverage.
    """
    per_document = {name: document_counts(table, keys) for name, keys in figures.items()}
    weights = document_weights(table, n_samples, seed)
    return {name: percentile_interval(f1(weights @ counts), level) for name, counts in per_document.items()}


def document_weights(table: CountTable, n_samples: int, seed: int) -> Floats:
    """How often each document is drawn in each resample, ``(n_samples, n_documents)``."""
    n = len(set(table.documents))
    return np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=n_samples).astype(np.float64)


def document_counts(table: CountTable, keys: list[str]) -> Floats:
    """Counts of the pooled keys summed by document, ``(n_documents, 3)``."""
    order = {document: i for i, document in enumerate(dict.fromkeys(table.documents))}
    rows = np.array([order[d] for d in table.documents])
    out = np.zeros((len(order), 3))
    np.add.at(out, rows, np.sum([table.counts[key] for key in keys], axis=0))
    return out


def f1(counts: Floats) -> Floats:
    """F1 of ``(…, 3)`` counts, 0 where undefined."""
    tp, fp, fn = counts[..., 0], counts[..., 1], counts[..., 2]
    whole = 2 * tp + fp + fn
    return np.divide(2 * tp, whole, out=np.zeros_like(whole), where=whole > 0)


def percentile_interval(values: Floats, level: float) -> tuple[float, float]:
    """Lower and upper percentile of resampled values."""
    tail = (1 - level) / 2 * 100
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)


def headline_intervals(table: CountTable, n_samples: int = 1000, seed: int = 0) -> dict[str, tuple[float, float]]:
    """Intervals of all figures of :func:`tacitus.metrics.headline`."""
    figures = {
        "event_micro_f1": table.keys("event"),
        "group_micro_f1": table.keys("group"),
        "any_event_f1": table.keys("any"),
        "span_strict_f1": table.keys("span/strict"),
        "span_overlap_f1": table.keys("span/overlap"),
        "role_strict_f1": table.keys("role/strict"),
        "role_overlap_f1": table.keys("role/overlap"),
        "record_strict_f1": [key for key in table.keys("record") if key.endswith("strict")],
    } | {f"{key.removeprefix('span/strict/')}_strict_f1": [key] for key in table.keys("span/strict")}
    figures = {name: keys for name, keys in figures.items() if keys}
    out = bootstrap_f1(table, figures, n_samples, seed)
    if table.keys("event"):
        weights = document_weights(table, n_samples, seed)
        out["event_macro_f1"] = percentile_interval(_macro(table, weights), 0.95)
        exact = weights @ document_counts(table, ["exact/events"])
        shares = exact[:, 0] / np.maximum(1, exact[:, 0] + exact[:, 2])
        out["event_exact_match"] = percentile_interval(shares, 0.95)
    return out


def _macro(table: CountTable, weights: Floats) -> Floats:
    """Macro F1 of each resample over the types that occur in it."""
    per_type = np.stack([weights @ document_counts(table, [key]) for key in table.keys("event")], axis=1)
    present = per_type.sum(2) > 0
    return np.asarray((f1(per_type) * present).sum(1) / np.maximum(1, present.sum(1)))
