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


def test_baselines_predict_what_they_say(tiny_ontology, tiny_sentences):
    from tacitus.evaluation.baselines import all_baselines, keyword_rules
    from tacitus.metrics import count
    from tacitus.ontology import ontology_from_dict

    found = {name: predict(tiny_sentences) for name, predict in all_baselines(tiny_sentences, tiny_ontology).items()}
    scores = {n: headline(count(list(zip(tiny_sentences, p, strict=True)), tiny_ontology)) for n, p in found.items()}
    assert scores["gazetteer"]["span_strict_f1"] == 1
    assert scores["TF-IDF + SVM"]["event_micro_f1"] > 0.95
    assert {len(p.events) for p in found["majority"]} == {1}
    assert all(p.events == () for p in found["keyword rules"])  # the tiny ontology has no keywords
    raw = {"name": "k", "groups": [{"id": "g", "types": [{"id": "attack", "keywords": ["attacked"]}]}]}
    assert [p.event_types() for p in keyword_rules(ontology_from_dict(raw))(tiny_sentences[:2])] == [{"attack"}, set()]


def test_comparison_finds_a_real_difference_and_none_where_there_is_none(tiny_ontology, tiny_sentences):
    from dataclasses import replace

    from tacitus.evaluation.compare import compare

    worse = [replace(s, events=()) if i % 3 == 0 else s for i, s in enumerate(tiny_sentences)]
    result = compare(tiny_sentences, worse, tiny_sentences, tiny_ontology, 500)
    figure = result["figures"]["event_micro_f1"]
    assert figure["difference"] == pytest.approx(figure["second"] - figure["first"])
    assert figure["interval"][0] > 0
    assert figure["p"] < 0.01
    assert {d["id"] for d in result["sentences"]} == {
        s.id for s, w in zip(tiny_sentences, worse, strict=True) if s.events != w.events
    }
    assert {d["right"]["events"] for d in result["sentences"]} == {"second"}
    same = compare(tiny_sentences, worse, worse, tiny_ontology, 500)
    assert same["figures"]["event_micro_f1"]["p"] == 1
    assert same["sentences"] == []


def test_errors_are_named():
    from tacitus.evaluation.errors import sentence_errors
    from tacitus.records import AnnotatedSentence, Event, Span

    text = "rebels near Juba hit old police post"
    gold = AnnotatedSentence(
        "a", text, (Span(0, 6, "ACTOR"), Span(12, 16, "LOCATION"), Span(21, 31, "ACTOR")),
        (Event("attack", {"initiators": (0,), "targets": (2,), "places": (1,)}), Event("capture")),
    )  # fmt: skip
    found = AnnotatedSentence(
        "a", text, (Span(0, 6, "ACTOR"), Span(12, 16, "ACTOR"), Span(25, 31, "ACTOR"), Span(32, 36, "LOCATION")),
        (Event("attack", {"initiators": (), "targets": (0,), "places": ()}), Event("deal")),
    )  # fmt: skip
    assert {(e.layer, e.kind) for e in sentence_errors(gold, found)} == {
        ("event", "wrong type"), ("span", "wrong label"), ("span", "wrong boundary"), ("span", "spurious"), ("role", "wrong role")
    }  # fmt: skip
    assert list(sentence_errors(gold, gold)) == []


def test_the_report_folder_is_whole_and_escapes_its_texts(tmp_path, tiny_ontology, tiny_sentences):
    import json
    from dataclasses import replace

    from tacitus.evaluation.report import write_report

    evil = "</script><script>alert(1)</script> \u2028 & <b>"
    gold = [replace(tiny_sentences[0], id="x", text=evil, spans=(), events=()), *tiny_sentences]
    pairs = [(g, replace(g, event_scores={t: 0.5 for t in tiny_ontology.event_types})) for g in gold]
    write_report(tmp_path / "r", evaluate_pairs(pairs, tiny_ontology, 50), pairs, tiny_ontology)
    page = (tmp_path / "r" / "report.html").read_text()
    assert page.count("<script") == page.count("</script>") == 2
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    rows = [json.loads(line) for line in (tmp_path / "r" / "sentences.jsonl").read_text().rstrip("\n").split("\n")]
    assert [r["text"] for r in rows] == [g.text for g in gold]
    assert json.loads((tmp_path / "r" / "metrics.json").read_text())["slices"]
