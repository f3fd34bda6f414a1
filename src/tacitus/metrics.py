"""Counts and scores of predictions against gold. Needs neither tokenizer nor model.

Everything is derived from one table of (true positive, false positive, false negative) counts per sentence, so that
micro and macro
figures, slices and bootstrap intervals agree with each other by construction. A layer that the gold lacks (``None``) is
not scored; one that the prediction lacks counts as all missed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacitus.errors import InputError
from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence, Span

Counts = NDArray[np.int64]


class PRF(NamedTuple):
    """Precision, recall and F1 in [0, 1] (0 where undefined) with the counts they come from."""

    precision: float
    recall: float
    f1: float
    tp: int
    fp: int
    fn: int


def prf(counts: Iterable[int]) -> PRF:
    """Scores from (tp, fp, fn)."""
    tp, fp, fn = (int(c) for c in counts)
    return PRF(_ratio(tp, tp + fp), _ratio(tp, tp + fn), _ratio(2 * tp, 2 * tp + fp + fn), tp, fp, fn)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def pair_by_id(
    gold: Sequence[AnnotatedSentence], predicted: Sequence[AnnotatedSentence]
) -> list[tuple[AnnotatedSentence, AnnotatedSentence]]:
    """Gold and prediction of each sentence, in gold's order.

    Raises:
        InputError: a sentence without prediction, a prediction without gold, or another text under the same id.
    """
    by_id = {p.id: p for p in predicted}
    missing = [g.id for g in gold if g.id not in by_id]
    if missing:
        raise InputError(
            f"{len(missing)} gold sentences have no prediction, first {missing[0]!r}; predict the same file again"
        )
    known = {g.id for g in gold}
    extra = [p.id for p in predicted if p.id not in known]
    if extra:
        raise InputError(
            f"{len(extra)} predictions have no gold sentence, first {extra[0]!r}; give the file that was predicted"
        )
    for g in gold:
        if by_id[g.id].text != g.text:
            raise InputError(
                f"sentence {g.id!r}: gold and prediction differ in their text; predict the same file again"
            )
    return [(g, by_id[g.id]) for g in gold]


@dataclass(frozen=True)
class CountTable:
    """Counts per sentence under keys such as ``event/armed-clash`` or ``span/strict/ACTOR``.

    ``counts[key]`` has shape ``(n_sentences, 3)``: true positives, false positives, false negatives.
    ``documents`` names each
    sentence's document.
    """

    documents: list[str]
    counts: dict[str, Counts]

    def keys(self, prefix: str) -> list[str]:
        """Keys that begin with ``prefix/``, in order."""
        return [key for key in self.counts if key.startswith(prefix + "/")]

    def total(self, *keys: str) -> Counts:
        """Summed counts ``(3,)`` of the keys over all sentences."""
        return (
            np.sum([self.counts[key].sum(0) for key in keys], axis=0, dtype=np.int64) if keys else np.zeros(3, np.int64)
        )

    def scores(self, prefix: str) -> dict[str, PRF]:
        """Scores of each key below ``prefix``, by the key's last part."""
        return {key.removeprefix(prefix + "/"): prf(self.total(key)) for key in self.keys(prefix)}

    def micro(self, prefix: str) -> PRF:
        """Scores of all keys below ``prefix`` pooled."""
        return prf(self.total(*self.keys(prefix)))

    def macro_f1(self, prefix: str) -> float:
        """Mean F1 of the keys below ``prefix`` that gold or prediction has."""
        f1 = [s.f1 for s in self.scores(prefix).values() if s.tp + s.fp + s.fn]
        return float(np.mean(f1)) if f1 else 0.0

    def weighted_f1(self, prefix: str) -> float:
        """Mean F1 of the keys below ``prefix`` weighted by their gold counts."""
        scores = self.scores(prefix).values()
        support = sum(s.tp + s.fn for s in scores)
        return _ratio(sum(s.f1 * (s.tp + s.fn) for s in scores), support)

    def select(self, rows: NDArray[np.bool_]) -> CountTable:
        """The table of some sentences only."""
        documents = [d for d, keep in zip(self.documents, rows, strict=True) if keep]
        return CountTable(documents, {key: counts[rows] for key, counts in self.counts.items()})


def count(pairs: Sequence[tuple[AnnotatedSentence, AnnotatedSentence]], ontology: Ontology) -> CountTable:
    """Counts every layer of every sentence.

    Keys: ``event/TYPE``, ``group/GROUP``, ``any/event``, ``exact/events`` (all types of the sentence right);
    ``span/strict/LABEL`` (offsets and label), ``span/overlap/LABEL`` (same label, at least one shared character),
    ``span/boundary/any`` (offsets alone), ``span/partial/any`` (offsets alone, half a hit for an overlap; counted in
    halves), ``role/strict/KEY`` and ``role/overlap/KEY`` (type, role, span),
    ``record/strict`` … (type with
    exactly its roles).

    In the terms of SemEval-2013 task 9, ``strict`` is *strict*, ``boundary`` is *exact*, ``overlap`` is *type* and
    ``partial`` is *partial*; every span is matched at most once.
    """
    table = {key: np.zeros((len(pairs), 3), dtype=np.int64) for key in _keys(ontology)}
    for row, (gold, predicted) in enumerate(pairs):
        if gold.events is not None and ontology.event_types:
            _count_events(table, row, gold, predicted, ontology)
        if gold.spans is not None and ontology.span_labels:
            _count_spans(table, row, gold.spans, predicted.spans or (), ontology)
        if gold.events is not None and gold.spans is not None and ontology.roles:
            _count_roles(table, row, gold, predicted, ontology)
    return CountTable([gold.document for gold, _ in pairs], table)


def _keys(ontology: Ontology) -> list[str]:
    keys = [f"event/{t}" for t in ontology.event_types] + [f"group/{g.id}" for g in ontology.groups]
    keys += ["any/event", "exact/events"] if ontology.event_types else []
    keys += [f"span/{mode}/{label}" for mode in ("strict", "overlap") for label in ontology.span_label_ids]
    keys += ["span/boundary/any", "span/partial/any"] if ontology.span_labels else []
    keys += [f"role/{mode}/{key}" for mode in ("strict", "overlap") for key in ontology.role_keys]
    return keys + (["record/strict", "record/overlap"] if ontology.roles else [])


def _sets(gold: Set[Hashable], predicted: Set[Hashable]) -> tuple[int, int, int]:
    hits = len(gold & predicted)
    return hits, len(predicted) - hits, len(gold) - hits


def _count_events(
    table: dict[str, Counts], row: int, gold: AnnotatedSentence, predicted: AnnotatedSentence, ontology: Ontology
) -> None:
    g, p = gold.event_types(), predicted.event_types()
    for kind in g | p:
        table[f"event/{kind}"][row] = _sets(g & {kind}, p & {kind})
    gg, pg = {ontology.group_of[t] for t in g}, {ontology.group_of[t] for t in p}
    for group in gg | pg:
        table[f"group/{group}"][row] = _sets(gg & {group}, pg & {group})
    table["any/event"][row] = _sets({1} if g else set(), {1} if p else set())
    table["exact/events"][row] = (g == p, g != p, g != p)


def _count_spans(
    table: dict[str, Counts], row: int, gold: Sequence[Span], predicted: Sequence[Span], ontology: Ontology
) -> None:
    for label in ontology.span_label_ids:
        g, p = [s for s in gold if s.label == label], [s for s in predicted if s.label == label]
        table[f"span/strict/{label}"][row] = _sets({s.key for s in g}, {s.key for s in p})
        hits = _matches(g, p)
        table[f"span/overlap/{label}"][row] = (hits, len(p) - hits, len(g) - hits)
    exact, spurious, missed = _sets({(s.start, s.end) for s in gold}, {(s.start, s.end) for s in predicted})
    table["span/boundary/any"][row] = (exact, spurious, missed)
    halves = exact + _matches(gold, predicted)  # a span with its exact like overlaps no other
    table["span/partial/any"][row] = (halves, 2 * len(predicted) - halves, 2 * len(gold) - halves)


def overlaps(a: Span, b: Span) -> bool:
    """Whether two spans share at least one character."""
    return a.start < b.end and b.start < a.end


def _matches(gold: Sequence[Span], predicted: Sequence[Span]) -> int:
    """Size of the largest one-to-one matching of overlapping spans; both sides are sorted and free of overlaps."""
    hits = i = j = 0
    while i < len(gold) and j < len(predicted):
        if overlaps(gold[i], predicted[j]):
            hits, i, j = hits + 1, i + 1, j + 1
        elif gold[i].end <= predicted[j].start:
            i += 1
        else:
            j += 1
    return hits


def _count_roles(
    table: dict[str, Counts], row: int, gold: AnnotatedSentence, predicted: AnnotatedSentence, ontology: Ontology
) -> None:
    g, p = set(gold.role_tuples()), set(predicted.role_tuples())
    for key in ontology.role_keys:
        gk = {(t, s.key) for t, k, s in g if k == key}
        pk = {(t, s.key) for t, k, s in p if k == key}
        table[f"role/strict/{key}"][row] = _sets(set(gk), set(pk))
        hits = sum(_matches(_of(g, kind, key), _of(p, kind, key)) for kind in {t for t, k, _ in g | p if k == key})
        table[f"role/overlap/{key}"][row] = (hits, len(pk) - hits, len(gk) - hits)
    _count_records(table, row, gold, predicted)


def _of(tuples: set[tuple[str, str, Span]], kind: str, key: str) -> list[Span]:
    """Spans of one role of one event type, sorted."""
    return sorted((s for t, k, s in tuples if t == kind and k == key), key=lambda s: s.start)


def _count_records(table: dict[str, Counts], row: int, gold: AnnotatedSentence, predicted: AnnotatedSentence) -> None:
    shared = gold.event_types() & predicted.event_types()
    n_gold, n_predicted = len(gold.event_types()), len(predicted.event_types())
    g, p = list(gold.role_tuples()), list(predicted.role_tuples())
    strict = overlap = 0
    for kind in shared:
        gk = {(k, s.key) for t, k, s in g if t == kind}
        pk = {(k, s.key) for t, k, s in p if t == kind}
        strict += gk == pk
        overlap += all(
            len(a) == len(b) == _matches(a, b)
            for key in {k for k, _ in gk | pk}
            for a, b in [(_of(set(g), kind, key), _of(set(p), kind, key))]
        )
    table["record/strict"][row] = (strict, n_predicted - strict, n_gold - strict)
    table["record/overlap"][row] = (overlap, n_predicted - overlap, n_gold - overlap)


def headline(table: CountTable) -> dict[str, float]:
    """The figures that stand first in every report, in [0, 1]; a layer the ontology lacks is left out."""
    out: dict[str, float] = {}
    if table.keys("event"):
        out["event_micro_f1"] = table.micro("event").f1
        out["event_macro_f1"] = table.macro_f1("event")
        out["group_micro_f1"] = table.micro("group").f1
        out["any_event_f1"] = table.micro("any").f1
        out["event_exact_match"] = table.micro("exact").recall
    if table.keys("span/strict"):
        out["span_strict_f1"] = table.micro("span/strict").f1
        out["span_overlap_f1"] = table.micro("span/overlap").f1
        out |= {f"{label}_strict_f1": s.f1 for label, s in table.scores("span/strict").items()}
    if table.keys("role/strict"):
        out["role_strict_f1"] = table.micro("role/strict").f1
        out["role_overlap_f1"] = table.micro("role/overlap").f1
        out["record_strict_f1"] = prf(table.total("record/strict")).f1
    return out


def selection_score(table: CountTable) -> float:
    """One figure to choose checkpoints by: the mean of the event, span and role micro F1 that the ontology has."""
    values = headline(table)
    parts = [values[name] for name in ("event_micro_f1", "span_strict_f1", "role_strict_f1") if name in values]
    return float(np.mean(parts))
