"""Chance-corrected agreement of any number of annotators from counts: Fleiss' kappa and Krippendorff's alpha."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


def fleiss_kappa(counts: Counts) -> float | None:
    """Fleiss' kappa (1971).

    Args:
        counts: ``(n_items, n_categories)``, how many annotators put the item into the category. Items that fewer than
            two judged are left out; where their number differs between items, chance is taken over all judgements.

    Returns:
        At most 1; ``None`` where it is undefined, since all judgements are one category or no item has two.
    """
    counts = _judged_twice(counts)
    n = counts.sum(1)
    if not len(counts):
        return None
    observed = float(((counts * (counts - 1)).sum(1) / (n * (n - 1))).mean())
    expected = float(((counts.sum(0) / n.sum()) ** 2).sum())
    return None if expected == 1 else (observed - expected) / (1 - expected)


def krippendorff_alpha(counts: Counts) -> float | None:
    """Krippendorff's alpha for nominal data (Krippendorff 2019, chapter 12); arguments as :func:`fleiss_kappa`."""
    counts = _judged_twice(counts)
    n = counts.sum(1)
    total = int(n.sum())
    agreeing = float(((counts * (counts - 1)).sum(1) / (n - 1)).sum())
    by_chance = float((counts.sum(0) * (counts.sum(0) - 1)).sum()) / (total - 1) if total > 1 else 0.0
    return None if by_chance == total else 1 - (total - agreeing) / (total - by_chance)


def _judged_twice(counts: Counts) -> Counts:
    return np.asarray(counts[counts.sum(1) >= 2], dtype=np.int64)


def rounded(value: float | None) -> float | None:
    """A figure as it is written: four places."""
    return None if value is None else round(value, 4)
