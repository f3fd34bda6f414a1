"""Average precision, counts of events, actors, seen spans, seeds and the comparison page."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from typer.testing import CliRunner

from tacitus.cli.main import app
from tacitus.data.jsonl import write_sentences
from tacitus.evaluation.actors import actor_kind, scores_by_kind, scores_by_seen, selection_bias
from tacitus.evaluation.corpus import country_counts, type_counts
from tacitus.evaluation.evaluate import evaluate_pairs
from tacitus.evaluation.ranking import average_precision, average_precisions
from tacitus.evaluation.seeds import summarise
from tacitus.metrics import count
from tacitus.records import AnnotatedSentence, Event, Span


def test_average_precision_equals_scikit_learn_with_and_without_equal_scores(tiny_ontology):
    rng = np.random.default_rng(0)
    for digits in (1, 8):
        scores, truth = rng.random((60, 3)).round(digits), rng.random((60, 3)) < 0.3
        found = average_precisions(scores, truth, tiny_ontology)
        wanted = [average_precision_score(truth[:, i], scores[:, i]) for i in range(3)]
        assert [found[t] for t in tiny_ontology.event_types] == pytest.approx(wanted)
        assert found["macro"] == pytest.approx(np.mean(wanted))
        assert found["micro"] == pytest.approx(average_precision_score(truth.ravel(), scores.ravel()))
    assert average_precision(scores[:, 0], np.zeros(60, dtype=bool)) is None


def marked(name, kinds, text="rebels hit a village", spans=((0, 6),), **fields):
    return AnnotatedSentence(
        name, text, tuple(Span(a, b, "ACTOR") for a, b in spans), tuple(map(Event, kinds)), **fields
    )


def test_counts_of_events_and_their_error(tiny_ontology):
    truth = [["attack"]] * 10 + [[]] * 10
    found = [["attack"]] * 8 + [[]] * 2 + [["attack"]] * 6 + [["deal"]] + [[]] * 3
    pairs = [
        (marked(str(i), g, meta={"country": "Chad" if i < 5 else "Mali"}), marked(str(i), p))
        for i, (g, p) in enumerate(zip(truth, found, strict=True))
    ]
    counts = type_counts(count(pairs, tiny_ontology), 500)
    attack = counts["attack"]
    assert (attack["gold"], attack["found"], attack["error"]) == (10, 14, pytest.approx(0.4))
    assert attack["interval"][0] < 0.4 < attack["interval"][1]
    assert counts["deal"] == {"gold": 0, "found": 1, "error": None, "interval": None}
    assert "capture" not in counts
    assert (counts["sentences with an event"]["gold"], counts["sentences with an event"]["found"]) == (10, 15)
    assert country_counts(pairs) == {"Chad": {"gold": 5, "found": 5}, "Mali": {"gold": 5, "found": 10}}


def test_selection_bias_by_kind_of_actor():
    police = {"text": "police hit a village"}
    pairs = [
        (marked("a", ["attack"]), marked("a", [])),
        (marked("b", ["attack"]), marked("b", ["attack"])),
        (marked("c", []), marked("c", ["deal"])),
        (marked("d", ["attack"], **police), marked("d", ["attack"], **police)),
        (marked("e", [], spans=()), marked("e", ["deal"])),
    ]
    bias = selection_bias(pairs)
    assert bias["rebels and armed groups"] == {
        "sentences": 3, "events": 2, "miss_rate": 0.5, "without_event": 1, "false_alarm_rate": 1.0
    }  # fmt: skip
    assert (bias["state forces"]["miss_rate"], bias["state forces"]["false_alarm_rate"]) == (0, None)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Maoist rebels", "rebels and armed groups"),
        ("the Sudanese army", "state forces"),
        ("angry villagers", "civilians"),
        ("Prime Minister Modi", "governments and politicians"),
        ("student protesters", "protesters"),
        ("Boko Haram", "names and others"),
    ],
)
def test_kinds_of_actors(text, kind):
    assert actor_kind(text) == kind


def test_spans_by_kind_and_by_text_seen_in_training():
    text = "rebels hit villagers"
    gold = marked("a", [], text, [(0, 6), (11, 20)])
    found = marked("a", [], text, [(0, 6), (7, 20)])
    by_seen = scores_by_seen([(gold, found)], [marked("t", [], "Rebels fled", [(0, 6)])])
    assert {name: score[3:] for name, score in by_seen.items()} == {"ACTOR seen": (1, 0, 0), "ACTOR unseen": (0, 1, 1)}
    assert scores_by_kind([(gold, found)])["civilians"][3:] == (0, 1, 1)
    parts = [score[3:] for score in scores_by_kind([(gold, found)]).values()]
    assert tuple(np.sum(parts, axis=0)) == (1, 1, 1)


def test_the_evaluation_holds_every_view(tiny_ontology, tiny_sentences):
    pairs = [(s, replace(s, event_scores={t: 0.5 for t in tiny_ontology.event_types})) for s in tiny_sentences]
    result = evaluate_pairs(pairs, tiny_ontology, 50, train=tiny_sentences)
    assert result["seen_in_train"]["ACTOR seen"]["f1"] == 1
    assert result["span/partial"]["micro"]["f1"] == 1
    assert result["selection_bias"]["rebels and armed groups"]["miss_rate"] == 0
    assert 0 < result["average_precision"]["micro"] < 1
    json.dumps(result)


@pytest.fixture
def files(tmp_path, tiny_task, tiny_sentences):
    worse = [replace(s, events=()) if i % 3 == 0 else s for i, s in enumerate(tiny_sentences)]
    for name, sentences in (("gold", tiny_sentences), ("first", worse), ("second", tiny_sentences)):
        write_sentences(tmp_path / f"{name}.jsonl", sentences)
    return [str(tmp_path / f"{name}.jsonl") for name in ("gold", "first", "second")]


def test_seeds_are_summarised(files, tmp_path, tiny_task, tiny_sentences, tiny_ontology):
    figures = summarise(
        tiny_sentences, [tiny_sentences, [replace(s, events=()) for s in tiny_sentences]], tiny_ontology
    )
    assert figures["event_micro_f1"] == {"mean": 0.5, "sd": 0.7071, "values": [1.0, 0.0]}
    options = ["--ontology", str(tiny_task / "ontology.yaml"), "--json", str(tmp_path / "s.json")]
    run = CliRunner().invoke(app, ["seeds", *files, *options])
    assert run.exit_code == 0, run.output
    assert "2 runs on 60 sentences" in run.output
    assert json.loads((tmp_path / "s.json").read_text())["event_micro_f1"]["values"][1] == 1


def test_the_comparison_page_holds_the_sentences_that_differ(files, tmp_path, tiny_task):
    options = ["--ontology", str(tiny_task / "ontology.yaml"), "--report", str(tmp_path / "r"), "--samples", "100"]
    run = CliRunner().invoke(app, ["compare", *files, *options])
    assert run.exit_code == 0, run.output
    page = (tmp_path / "r" / "compare.html").read_text()
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    assert {s["right"]["events"] for s in data["sentences"]} == {"second"}
    assert len(data["sentences"]) == 16
    assert data["sentences"][0]["first"]["events"] == []
    assert "INCLUDE" not in page
    assert page.count("<script") == page.count("</script>") == 2
    rows = (tmp_path / "r" / "sentences.jsonl").read_text().splitlines()
    kept = json.loads((tmp_path / "r" / "comparison.json").read_text())
    assert len(rows) == 16
    assert kept["inputs"]["first"]["sha256"]
    assert kept["versions"]["tacitus"]
    assert "sentences" not in kept
