"""What a study that counts events would get wrong: events per type and country, found against gold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tacitus.evaluation.bootstrap import document_counts, document_weights, percentile_interval
from tacitus.metrics import CountTable
from tacitus.records import AnnotatedSentence

Pairs = Sequence[tuple[AnnotatedSentence, AnnotatedSentence]]


def type_counts(table: CountTable, n_samples: int = 1000, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Events of each type, gold and found, and the relative error ``(found - gold) / gold``.

    The error's interval comes from resampled documents; it is ``None``, as the error is, for a type without gold.
    False positives and misses may cancel in a count: a small error here does not say that the events are right.
    """
    weights = document_weights(table, n_samples, seed) if n_samples and table.documents else None
    out = {}
    for key in [*table.keys("event"), "any/event"]:
        tp, fp, fn = (int(n) for n in table.total(key))
        gold = tp + fn
        row: dict[str, Any] = {"gold": gold, "found": tp + fp, "error": None, "interval": None}
        if gold:
            row["error"] = (fp - fn) / gold
            if weights is not None:
                drawn = weights @ document_counts(table, [key])
                some = drawn[drawn[:, 0] + drawn[:, 2] > 0]
                row["interval"] = percentile_interval((some[:, 1] - some[:, 2]) / (some[:, 0] + some[:, 2]), 0.95)
        if gold or fp:
            out[key.rpartition("/")[2] if key != "any/event" else "sentences with an event"] = row
    return out


def country_counts(pairs: Pairs) -> dict[str, dict[str, int]]:
    """Events by ``meta.country``, gold and found, the greatest gold count first; empty where no sentence names one."""
    gold: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for g, p in pairs:
        country = (g.meta or {}).get("country")
        if country and g.events is not None:
            gold[country] += len(g.events)
            found[country] += len(p.events or ())
    order = sorted(gold, key=lambda name: (-gold[name], name))
    return {name: {"gold": gold[name], "found": found[name]} for name in order}
