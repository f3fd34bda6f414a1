"""Average precision: how well event scores rank sentences, whatever the threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tacitus.ontology import Ontology

Floats = NDArray[np.float64]


def average_precision(scores: Floats, truth: NDArray[np.bool_]) -> float | None:
    """Sum of precisions weighted by the gain in recall, equal scores taken together; ``None`` without a true case.

    Args:
        scores: ``(n,)``.
        truth: ``(n,)``.
    """
    if not truth.any():
        return None
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    last_of_equals = np.append(np.diff(scores[order]) != 0, True)
    hits, kept = hits[last_of_equals], np.flatnonzero(last_of_equals) + 1
    return float((np.diff(hits, prepend=0) * hits / kept).sum() / hits[-1])


def average_precisions(scores: Floats, truth: NDArray[np.bool_], ontology: Ontology) -> dict[str, float]:
    """Average precision of every type with gold events, with their ``macro`` mean, and ``micro`` of all pairs pooled.

    Args:
        scores: ``(n_sentences, n_types)``.
        truth: the same shape.
        ontology: names the types.
    """
    found = {name: average_precision(scores[:, i], truth[:, i]) for i, name in enumerate(ontology.event_types)}
    out = {name: value for name, value in found.items() if value is not None}
    pooled = average_precision(scores.ravel(), truth.ravel())
    return out if pooled is None else out | {"macro": float(np.mean(list(out.values()))), "micro": pooled}
