"""Metrics against seqeval and scikit-learn on random data."""

import random

import numpy as np
import pytest
from seqeval.metrics import f1_score
from seqeval.scheme import IOB2
from sklearn.metrics import f1_score as sk_f1

from tacitus.errors import InputError
from tacitus.metrics import count, headline, pair_by_id, prf
from tacitus.records import AnnotatedSentence, Event, Span


def random_spans(rng, n_words):
    spans, at = [], 0
    while at < n_words:
        length = rng.randint(1, 3)
        if rng.random() < 0.5 and at + length <= n_words:
            spans.append((at, at + length, rng.choice(["ACTOR", "LOCATION"])))
            at += length
        else:
            at += 1
    return spans


def record(name, n_words, spans, events=()):
    # Words are two letters and a blank: unit u covers characters 3u … 3u + 2.
    text = " ".join(["ab"] * n_words)
    return AnnotatedSentence(name, text, tuple(Span(3 * a, 3 * b - 1, label) for a, b, label in spans), tuple(events))


def iob(n_words, spans):
    tags = ["O"] * n_words
    for a, b, label in spans:
        tags[a:b] = [f"B-{label}", *[f"I-{label}"] * (b - a - 1)]
    return tags


def test_span_f1_equals_seqeval_on_a_thousand_random_cases(ontology):
    rng = random.Random(0)
    for _ in range(1000):
        sizes = [rng.randint(1, 10) for _ in range(3)]
        gold = [random_spans(rng, n) for n in sizes]
        found = [random_spans(rng, n) if rng.random() < 0.6 else g for n, g in zip(sizes, gold, strict=True)]
        pairs = [
            (record(str(i), n, g), record(str(i), n, p))
            for i, (n, g, p) in enumerate(zip(sizes, gold, found, strict=True))
        ]
        wanted = f1_score(
            [iob(n, g) for n, g in zip(sizes, gold, strict=True)], [iob(n, p) for n, p in zip(sizes, found, strict=True)],
            mode="strict", scheme=IOB2, zero_division=0,
        )  # fmt: skip
        assert count(pairs, ontology).micro("span/strict").f1 == pytest.approx(float(wanted))


def test_event_figures_equal_scikit_learn(ontology):
    rng = np.random.default_rng(0)
    types = ontology.event_types
    gold, found = rng.random((200, len(types))) < 0.1, rng.random((200, len(types))) < 0.1
    pairs = [
        tuple(record(str(i), 3, [], [Event(types[t]) for t in np.flatnonzero(row)]) for row in rows)
        for i, rows in enumerate(zip(gold, found, strict=True))
    ]
    table = count(pairs, ontology)
    assert table.micro("event").f1 == pytest.approx(sk_f1(gold, found, average="micro"))
    assert table.macro_f1("event") == pytest.approx(sk_f1(gold, found, average="macro"))
    assert table.weighted_f1("event") == pytest.approx(sk_f1(gold, found, average="weighted"))
    assert headline(table)["event_exact_match"] == pytest.approx(float((gold == found).all(1).mean()))


def test_overlap_matches_one_to_one(ontology):
    gold = record("a", 9, [(0, 3, "ACTOR"), (4, 5, "ACTOR"), (6, 8, "LOCATION")])
    found = record("a", 9, [(0, 1, "ACTOR"), (2, 3, "ACTOR"), (6, 8, "ACTOR")])
    table = count([(gold, found)], ontology)
    assert table.total("span/overlap/ACTOR").tolist() == [1, 2, 1]
    assert table.total("span/boundary/any").tolist() == [1, 2, 2]


def test_partial_credit_is_the_best_assignment(ontology):
    """SemEval-2013's partial scheme: scipy finds the one-to-one assignment with the most credit."""
    from scipy.optimize import linear_sum_assignment

    rng = random.Random(1)
    for _ in range(300):
        gold, found = random_spans(rng, 9), random_spans(rng, 9)
        credit = np.array(
            [[1 if g[:2] == p[:2] else 0.5 * (g[0] < p[1] and p[0] < g[1]) for p in found] for g in gold]
        ).reshape(len(gold), len(found))
        best = credit[linear_sum_assignment(credit, maximize=True)].sum()
        score = count([(record("a", 9, gold), record("a", 9, found))], ontology).micro("span/partial")
        assert score.precision == pytest.approx(best / len(found) if found else 0)
        assert score.recall == pytest.approx(best / len(gold) if gold else 0)


def test_roles_and_records_need_type_role_and_span(ontology):
    spans = [(0, 1, "ACTOR"), (2, 3, "ACTOR"), (4, 5, "LOCATION")]
    gold = record(
        "a", 6, spans, [Event("armed-clash", {"initiators": (0,), "targets": (1,), "places": (2,)}), Event("arrests")]
    )
    swapped = record(
        "a", 6, spans, [Event("armed-clash", {"initiators": (1,), "targets": (0,), "places": (2,)}), Event("arrests")]
    )
    table = count([(gold, swapped)], ontology)
    assert table.micro("role/strict")[3:] == (1, 2, 2)
    assert table.total("record/strict").tolist() == [1, 1, 1]
    assert count([(gold, gold)], ontology).micro("role/strict").f1 == 1


def test_unannotated_layers_are_not_scored_and_unpredicted_ones_are_missed(ontology):
    full = record("a", 6, [(0, 1, "ACTOR")], [Event("arrests", {"targets": (0,)})])
    bare = AnnotatedSentence("a", full.text)
    assert sum(int(c.sum()) for c in count([(bare, full)], ontology).counts.values()) == 0
    missed = count([(full, bare)], ontology)
    assert missed.micro("event")[3:] == (0, 0, 1)
    assert missed.micro("span/strict")[3:] == (0, 0, 1)


def test_pairing_loses_nothing(ontology):
    a, b = record("a", 3, []), record("b", 3, [])
    assert pair_by_id([a, b], [b, a]) == [(a, a), (b, b)]
    with pytest.raises(InputError, match="1 gold sentences have no prediction, first 'b'"):
        pair_by_id([a, b], [a])
    with pytest.raises(InputError, match="1 predictions have no gold sentence"):
        pair_by_id([a], [a, b])
    with pytest.raises(InputError, match="differ in their text"):
        pair_by_id([a], [record("a", 4, [])])


def test_undefined_scores_are_zero():
    assert prf((0, 0, 0))[:3] == (0, 0, 0)


def test_an_empty_layer_that_the_ontology_lacks_is_not_scored(tiny_ontology):
    from tacitus.ontology import ontology_from_dict

    raw = tiny_ontology.to_dict()
    full = record("a", 6, [(0, 1, "ACTOR")], [])
    spans_only = ontology_from_dict({"name": "s", "span_labels": raw["span_labels"]})
    assert headline(count([(full, full)], spans_only))["span_strict_f1"] == 1
    types_only = ontology_from_dict({"name": "t", "groups": raw["groups"]})
    bare = record("a", 6, [], [])
    assert headline(count([(bare, bare)], types_only))["event_exact_match"] == 1
