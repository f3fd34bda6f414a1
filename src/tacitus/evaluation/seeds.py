"""Several runs of one recipe (seeds) on the same gold, as mean and spread."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, stdev
from typing import Any

from tacitus.metrics import count, headline
from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence


def summary(values: Sequence[float]) -> dict[str, Any]:
    """Mean, standard deviation (``n - 1``; 0 for one value) and the values themselves."""
    deviation = stdev(values) if len(values) > 1 else 0.0
    return {"mean": round(mean(values), 4), "sd": round(deviation, 4), "values": [round(v, 4) for v in values]}


def summarise(
    gold: Sequence[AnnotatedSentence], runs: Sequence[Sequence[AnnotatedSentence]], ontology: Ontology
) -> dict[str, dict[str, Any]]:
    """:func:`summary` of every headline figure over several predictions of the same sentences, in gold's order."""
    figures = [headline(count(list(zip(gold, run, strict=True)), ontology)) for run in runs]
    return {name: summary([f[name] for f in figures]) for name in figures[0]}
