import numpy as np
import pytest

from tacitus.data.jsonl import read_sentences
from tacitus.evaluation.bootstrap import bootstrap_f1, headline_intervals
from tacitus.evaluation.calibration import brier, expected_calibration_error, reliability, risk_coverage
from tacitus.evaluation.evaluate import evaluate_pairs
from tacitus.metrics import CountTable, headline


def test_bootstrap_of_a_proportion_meets_its_closed_form():
    """With only true positives and misses, one a document, recall is binomial: its interval is known."""
    n, hits = 400, 300
    counts = np.array([[1, 0, 0]] * hits + [[0, 0, 1]] * (n - hits))
    table = CountTable([str(i) for i in range(n)], {"event/x": counts})
    low, high = bootstrap_f1(table, {"x": ["event/x"]}, n_samples=4000)["x"]
    recall = hits / n
    half = 1.96 * np.sqrt(recall * (1 - recall) / n)
    for found, r in ((low, recall - half), (high, recall + half)):
        assert found == pytest.approx(2 * r / (1 + r), abs=0.006)


def test_resampling_documents_widens_the_interval():
    rng = np.random.default_rng(0)
    right = np.repeat(rng.random(40) < 0.5, 10)
    counts = np.stack([right, np.zeros(400), ~right], axis=1).astype(int)

    def width(documents):
        low, high = bootstrap_f1(CountTable(documents, {"e/x": counts}), {"x": ["e/x"]})["x"]
        return high - low

    assert width([str(i // 10) for i in range(400)]) > 2 * width([str(i) for i in range(400)])


def test_intervals_hold_every_headline_figure(tiny_task, tiny_ontology):
    gold = read_sentences(tiny_task / "dev.jsonl", tiny_ontology)
    result = evaluate_pairs([(g, g) for g in gold], tiny_ontology, 100)
    assert result["headline"].keys() == result["intervals"].keys()
    assert set(result["headline"].values()) == {1.0}
    from tacitus.metrics import count

    table = count([(g, gold[0]) for g in gold], tiny_ontology)
    intervals = headline_intervals(table, 200)
    assert all(
        intervals[name][0] - 1e-9 <= value <= intervals[name][1] + 1e-9 for name, value in headline(table).items()
    )


def test_calibration_figures_by_hand():
    scores, truth = np.array([0.9, 0.9, 0.1, 0.1]), np.array([True, False, False, False])
    assert expected_calibration_error(scores, truth, 10) == pytest.approx(0.5 * 0.4 + 0.5 * 0.1)
    assert brier(scores, truth) == pytest.approx((0.01 + 0.81 + 0.01 + 0.01) / 4)
    assert [b["n"] for b in reliability(scores, truth, 10)] == [2, 2]
    curve = risk_coverage(np.array([0.2, 0.9, 0.5]), np.array([False, True, True]))
    assert [(c["coverage"], c["risk"]) for c in curve] == [
        (pytest.approx(1 / 3), 0),
        (pytest.approx(2 / 3), 0),
        (1, pytest.approx(1 / 3)),
    ]


def test_calibrated_scores_have_no_error():
    rng = np.random.default_rng(0)
    p = rng.random(200_000)
    assert expected_calibration_error(p, rng.random(200_000) < p) < 0.01
