"""All figures of one evaluation as plain JSON types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tacitus.evaluation.actors import scores_by_kind, scores_by_seen, selection_bias
from tacitus.evaluation.bootstrap import headline_intervals
from tacitus.evaluation.calibration import calibration_summary, event_score_pairs
from tacitus.evaluation.corpus import country_counts, type_counts
from tacitus.evaluation.ranking import average_precisions
from tacitus.metrics import PRF, count, headline, prf
from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence

SCHEMA = 2


def evaluate_pairs(
    pairs: Sequence[tuple[AnnotatedSentence, AnnotatedSentence]],
    ontology: Ontology,
    n_samples: int = 1000,
    seed: int = 0,
    train: Sequence[AnnotatedSentence] = (),
) -> dict[str, Any]:
    """Scores of every layer.

    Args:
        pairs: gold and prediction of each sentence.
        ontology: of both.
        n_samples: bootstrap resamples over documents; 0 leaves the intervals out.
        seed: of the resampling.
        train: what the predictions were learned from, to tell spans seen there from others.
    """
    table = count(pairs, ontology)
    result: dict[str, Any] = {
        "schema": SCHEMA,
        "sentences": len(pairs),
        "documents": len(set(table.documents)),
        "headline": headline(table),
        "intervals": headline_intervals(table, n_samples, seed) if n_samples and pairs else {},
    }
    for layer in (
        "event",
        "group",
        "any",
        "span/strict",
        "span/overlap",
        "span/boundary",
        "span/partial",
        "role/strict",
        "role/overlap",
    ):
        if table.keys(layer):
            result[layer] = {name: score._asdict() for name, score in table.scores(layer).items()}
            result[layer]["micro"] = table.micro(layer)._asdict()
            result[layer]["macro_f1"] = table.macro_f1(layer)
            result[layer]["weighted_f1"] = table.weighted_f1(layer)
    records: dict[str, PRF] = {key.rpartition("/")[2]: prf(table.total(key)) for key in table.keys("record")}
    if records:
        result["record"] = {name: score._asdict() for name, score in records.items()}
    if ontology.event_types:
        result["calibration"] = calibration_summary(pairs, ontology)
        ranked = event_score_pairs(pairs, ontology)
        result["average_precision"] = average_precisions(*ranked, ontology) if ranked else {}
        result["counts"] = type_counts(table, n_samples, seed)
        result["countries"] = country_counts(pairs)
        result["selection_bias"] = selection_bias(pairs)
    if ontology.span_labels:
        result["actor_kinds"] = {name: score._asdict() for name, score in scores_by_kind(pairs).items()}
        if train:
            result["seen_in_train"] = {name: score._asdict() for name, score in scores_by_seen(pairs, train).items()}
    return result
