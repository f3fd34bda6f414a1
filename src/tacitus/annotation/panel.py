"""Agreement of any number of annotators, and of a model, over the sentences they share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from tacitus.annotation.agreement import agreement
from tacitus.annotation.reliability import Counts, fleiss_kappa, krippendorff_alpha, rounded
from tacitus.annotation.resolve import decisions
from tacitus.data.jsonl import sentence_to_json
from tacitus.errors import InputError
from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence

Annotations = Mapping[str, Sequence[AnnotatedSentence]]
HARDEST = 50


def panel_agreement(
    annotators: Annotations, ontology: Ontology, model: Sequence[AnnotatedSentence] | None = None
) -> dict[str, Any]:
    """Agreement overall, by event type and by pair, and the sentences with most disagreement.

    Types are judged sentence by sentence (marked or not), spans character by character (a label or none), roles on
    every span and event type that two annotators have in common (a role or none). Pairs have Cohen's kappa, and F1 of
    spans and roles; the model is compared with each annotator.

    Args:
        annotators: name → sentences with all layers; not all need to have seen the same.
        ontology: of all.
        model: predictions of at least the same sentences.

    Raises:
        InputError: no sentence that two annotators share, or one with two texts.
    """
    shared = _shared(annotators)
    marks = {t: _type_counts(shared, t) for t in ontology.event_types}
    pooled = np.concatenate(list(marks.values())) if marks else np.zeros((0, 2), np.int64)
    return {
        "annotators": {name: len(sentences) for name, sentences in annotators.items()},
        "sentences": len(shared),
        "overall": {
            "types": _both(pooled),
            "any event": _both(_counts([[bool(s.events) for s in vs] for vs in shared], [True, False])),
            "spans": _both(_span_counts(shared, ontology)),
            "roles": _both(_role_counts(shared, ontology)),
        },
        "types": {t: _both(c) | {"marked": int(c[:, 0].sum())} for t, c in marks.items() if c[:, 0].any()},
        "pairs": dict(_pairs(annotators, ontology)),
        "model": dict(_pairs_with({"model": model}, annotators, ontology)) if model is not None else {},
        "hardest": _hardest(annotators, shared),
    }


def _shared(annotators: Annotations) -> list[list[AnnotatedSentence]]:
    """Versions of every sentence that two annotators or more have done whole."""
    by_id: dict[str, list[AnnotatedSentence]] = {}
    for sentences in annotators.values():
        for s in sentences:
            if s.spans is not None and s.events is not None:
                by_id.setdefault(s.id, []).append(s)
    shared = [versions for versions in by_id.values() if len(versions) > 1]
    if not shared:
        raise InputError("no sentence has all layers from two annotators; give annotations of the same sentences")
    odd = next((v[0].id for v in shared if len({s.text for s in v}) > 1), None)
    if odd is not None:
        raise InputError(f"sentence {odd!r} has two texts; give annotations of the same sentences")
    return shared


def _both(counts: Counts) -> dict[str, float | None]:
    return {"fleiss_kappa": rounded(fleiss_kappa(counts)), "alpha": rounded(krippendorff_alpha(counts))}


def _counts(judgements: Sequence[Sequence[Any]], categories: Sequence[Any]) -> Counts:
    """Judgements of each item → how many fall into each category, ``(n_items, n_categories)``."""
    return np.array([[list(item).count(c) for c in categories] for item in judgements], dtype=np.int64).reshape(
        -1, len(categories)
    )


def _type_counts(shared: Sequence[Sequence[AnnotatedSentence]], kind: str) -> Counts:
    return _counts([[kind in s.event_types() for s in versions] for versions in shared], [True, False])


def _span_counts(shared: Sequence[Sequence[AnnotatedSentence]], ontology: Ontology) -> Counts:
    """Characters of all sentences, ``(n_characters, 1 + n_labels)``: none first."""
    tables = []
    for versions in shared:
        table = np.zeros((len(versions[0].text), 1 + len(ontology.span_labels)), dtype=np.int64)
        table[:, 0] = len(versions)
        for span in (span for s in versions for span in s.spans or ()):
            table[span.start : span.end, 0] -= 1
            table[span.start : span.end, 1 + ontology.span_label_ids.index(span.label)] += 1
        tables.append(table)
    return np.concatenate(tables)


def _role_counts(shared: Sequence[Sequence[AnnotatedSentence]], ontology: Ontology) -> Counts:
    """Event types and spans in common, ``(n, 1 + n_roles)``: no role first."""
    judgements = [roles for versions in shared for roles in _roles_in_common(versions).values()]
    return _counts(judgements, [None, *ontology.role_keys])


def _roles_in_common(versions: Sequence[AnnotatedSentence]) -> dict[tuple[str, Any], list[str | None]]:
    out: dict[tuple[str, Any], list[str | None]] = {}
    for s in versions:
        role = {(kind, span.key): key for kind, key, span in s.role_tuples()}
        for where in ((kind, span.key) for kind in s.event_types() for span in s.spans or ()):
            out.setdefault(where, []).append(role.get(where))
    return out


def _pairs(annotators: Annotations, ontology: Ontology) -> Iterator[tuple[str, dict[str, Any]]]:
    for (a, first), (b, second) in combinations(annotators.items(), 2):
        yield from _pairs_with({a: first}, {b: second}, ontology)


def _pairs_with(left: Annotations, right: Annotations, ontology: Ontology) -> Iterator[tuple[str, dict[str, Any]]]:
    """Agreement of every left with every right annotator on what they share; pairs that share nothing are left out."""
    for a, first in left.items():
        for b, second in right.items():
            ids = {s.id for s in first} & {s.id for s in second}
            if ids:
                mine, other = ([s for s in sentences if s.id in ids] for sentences in (first, second))
                yield f"{a} – {b}", agreement(mine, other, ontology)


def _hardest(annotators: Annotations, shared: Sequence[Sequence[AnnotatedSentence]]) -> list[dict[str, Any]]:
    """Sentences with most decisions (spans, types, roles) that not all have made, each with its versions."""
    differing = {versions[0].id: _differences(versions) for versions in shared}
    worst = sorted((name for name, n in differing.items() if n), key=lambda name: -differing[name])[:HARDEST]
    by_annotator = {who: {s.id: s for s in sentences} for who, sentences in annotators.items()}
    rows = []
    for name in worst:
        versions = {who: sentence_to_json(own[name]) for who, own in by_annotator.items() if name in own}
        rows.append({"id": name, "differences": differing[name], "versions": versions})
    return rows


def _differences(versions: Sequence[AnnotatedSentence]) -> int:
    votes = Counter(decision for s in versions for decision in decisions(s))
    return sum(n < len(versions) for n in votes.values())
