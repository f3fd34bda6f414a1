"""What ``metrics.json`` says of a finished checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tacitus.evaluation.bootstrap import headline_intervals
from tacitus.evaluation.calibration import calibration_summary
from tacitus.extractor import Extractor
from tacitus.metrics import count, headline
from tacitus.records import AnnotatedSentence


def evaluation_report(before: Extractor, after: Extractor, gold: Sequence[AnnotatedSentence]) -> dict[str, Any]:
    """Headline figures with intervals, scores per type, and calibration before and after fitting."""
    pairs = list(zip(gold, after.predict(gold, event_scores=True), strict=True))
    raw = list(zip(gold, before.predict(gold, event_scores=True), strict=True))
    table = count(pairs, after.ontology)
    return {
        "headline": headline(table),
        "intervals": headline_intervals(table),
        "per_type": {name: score._asdict() for name, score in table.scores("event").items()},
        "calibration_error": {
            "before": calibration_summary(raw, after.ontology),
            "after": calibration_summary(pairs, after.ontology),
        },
    }
