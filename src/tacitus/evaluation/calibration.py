"""How far scores can be trusted: expected calibration error, Brier score, reliability and risk–coverage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacitus.metrics import Counts
from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence

Floats = NDArray[np.float64]


def event_score_pairs(
    pairs: Sequence[tuple[AnnotatedSentence, AnnotatedSentence]], ontology: Ontology
) -> tuple[Floats, NDArray[np.bool_]] | None:
    """Probabilities and truth, both ``(n_sentences, n_types)``, of predictions with ``event_scores``; else ``None``."""
    rows = [(g, p) for g, p in pairs if g.events is not None and p.event_scores is not None]
    if not rows:
        return None
    scores = np.array([[p.event_scores[t] if p.event_scores else 0.0 for t in ontology.event_types] for _, p in rows])
    truth = np.array([[t in g.event_types() for t in ontology.event_types] for g, _ in rows])
    return scores, truth


def marked_event_pairs(
    pairs: Sequence[tuple[AnnotatedSentence, AnnotatedSentence]],
) -> tuple[Floats, NDArray[np.bool_]]:
    """Confidence and correctness of every event that was marked, both ``(n_events,)``."""
    rows = [
        (e.score, e.type in g.event_types())
        for g, p in pairs
        if g.events is not None
        for e in p.events or ()
        if e.score is not None
    ]
    return np.array([s for s, _ in rows], dtype=np.float64), np.array([ok for _, ok in rows], dtype=bool)


def reliability(scores: Floats, truth: NDArray[np.bool_], n_bins: int = 15) -> list[dict[str, float]]:
    """Filled bins of equal width over [0, 1]: ``low``, ``high``, ``n``, mean ``confidence`` and share ``correct``."""
    index = np.minimum((scores * n_bins).astype(int), n_bins - 1)
    bins = []
    for b in range(n_bins):
        inside = index == b
        if inside.any():
            bins.append(
                {
                    "low": b / n_bins,
                    "high": (b + 1) / n_bins,
                    "n": int(inside.sum()),
                    "confidence": float(scores[inside].mean()),
                    "correct": float(truth[inside].mean()),
                }
            )
    return bins


def expected_calibration_error(scores: Floats, truth: NDArray[np.bool_], n_bins: int = 15) -> float:
    """Mean gap of confidence and correctness over bins, weighted by their size (Naeini et al. 2015)."""
    bins = reliability(scores.ravel(), truth.ravel(), n_bins)
    return float(sum(b["n"] * abs(b["confidence"] - b["correct"]) for b in bins) / max(1, scores.size))


def brier(scores: Floats, truth: NDArray[np.bool_]) -> float:
    """Mean squared difference of probability and truth (Brier 1950)."""
    return float(np.mean((scores - truth) ** 2)) if scores.size else 0.0


def risk_coverage(scores: Floats, correct: NDArray[np.bool_]) -> list[dict[str, float]]:
    """Share of errors among the events kept when only those above a confidence are taken, from the surest down."""
    order = np.argsort(-scores, kind="stable")
    errors: Counts = np.cumsum(~correct[order])
    kept = np.arange(1, len(scores) + 1)
    return [
        {"confidence": float(s), "coverage": float(k / len(scores)), "risk": float(e / k)}
        for s, k, e in zip(scores[order], kept, errors, strict=True)
    ]


def calibration_summary(
    pairs: Sequence[tuple[AnnotatedSentence, AnnotatedSentence]], ontology: Ontology
) -> dict[str, Any]:
    """ECE and Brier over all (sentence, type) pairs, over the pairs at 0.05 or above, and over the marked events."""
    out: dict[str, Any] = {}
    every = event_score_pairs(pairs, ontology)
    if every is not None:
        scores, truth = every
        likely = scores >= 0.05
        out["ece_all"] = expected_calibration_error(scores, truth)
        out["ece_likely"] = expected_calibration_error(scores[likely], truth[likely])
        out["brier_all"] = brier(scores, truth)
    scores, correct = marked_event_pairs(pairs)
    if scores.size:
        out["ece_marked"] = expected_calibration_error(scores, correct)
    return out
