import json
import random
from dataclasses import replace

import krippendorff
import numpy as np
import pytest
from statsmodels.stats import inter_rater
from typer.testing import CliRunner

from tacitus.annotation.agreement_page import agreement_page
from tacitus.annotation.panel import panel_agreement
from tacitus.annotation.pull import Version
from tacitus.annotation.reliability import fleiss_kappa, krippendorff_alpha
from tacitus.annotation.resolve import (
    agreed,
    majority,
    resolve_file,
    resolve_majority,
    resolve_reviewer,
    write_disagreements,
)
from tacitus.cli.main import app
from tacitus.data.jsonl import write_sentences
from tacitus.errors import InputError
from tacitus.records import AnnotatedSentence, Event, Span, check_labels

# Fleiss (1971), as reworked in textbooks: ten items, fourteen raters, five categories; kappa .210.
FLEISS = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip
# Krippendorff (2011), "Computing Krippendorff's alpha-reliability", section D: four observers, missing data; alpha .743.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]


def counts_of(observers):
    return np.array([[[o[unit] for o in observers].count(c) for c in range(1, 6)] for unit in range(len(observers[0]))])


def test_published_values_come_out():
    assert fleiss_kappa(np.array(FLEISS)) == pytest.approx(0.210, abs=5e-4)
    assert krippendorff_alpha(counts_of(OBSERVERS)) == pytest.approx(0.743, abs=5e-4)


def test_alpha_equals_its_definition_over_pairs():
    """1 - observed / expected disagreement, both counted pair by pair."""
    rng = random.Random(5)
    observers = [[rng.choice([1, 2, 3, None]) for _ in range(40)] for _ in range(4)]
    units = [[o[u] for o in observers if o[u] is not None] for u in range(40)]
    units = [u for u in units if len(u) > 1]
    values = [v for u in units for v in u]
    observed = sum(
        sum(a != b for i, a in enumerate(u) for j, b in enumerate(u) if i != j) / (len(u) - 1) for u in units
    )
    expected = sum(a != b for i, a in enumerate(values) for j, b in enumerate(values) if i != j) / (len(values) - 1)
    assert krippendorff_alpha(counts_of(observers)) == pytest.approx(1 - observed / expected)


def test_random_judgements_give_what_the_libraries_give():
    """Fleiss' kappa against statsmodels, alpha with missing judgements against krippendorff; 200 tables each."""
    rng = np.random.default_rng(3)
    for _ in range(200):
        n_items, n_raters, n_categories = rng.integers(2, [40, 9, 6])
        full = rng.multinomial(n_raters, rng.dirichlet(np.ones(n_categories)), n_items)
        if (full.sum(0) > 0).sum() > 1:
            assert fleiss_kappa(full) == pytest.approx(inter_rater.fleiss_kappa(full))
        gappy = np.array(
            [rng.multinomial(rng.integers(0, n_raters + 1), np.ones(n_categories) / n_categories) for _ in full]
        )
        judged = gappy[gappy.sum(1) > 1]
        if (judged.sum(0) > 0).sum() > 1:
            expected = krippendorff.alpha(value_counts=gappy, level_of_measurement="nominal")
            assert krippendorff_alpha(gappy) == pytest.approx(expected)


def test_what_cannot_be_measured_is_none():
    for figure in (fleiss_kappa, krippendorff_alpha):
        assert figure(np.array([[3, 0], [3, 0]])) is None
        assert figure(np.zeros((0, 2), np.int64)) is None
        assert figure(np.array([[2, 0], [0, 2]])) == 1


TEXT = "Rebels shelled troops in Juba [sic]."


def version(who, spans=("Rebels", "troops", "Juba"), kind="shelling-artillery-missile", initiators=(0,), targets=(1,)):
    places = {"Juba": "LOCATION"}
    marks = tuple(Span(TEXT.index(w), TEXT.index(w) + len(w), places.get(w, "ACTOR")) for w in spans)
    place = tuple(i for i, s in enumerate(marks) if s.label == "LOCATION")
    events = (Event(kind, {"initiators": initiators, "targets": targets, "places": place}),) if kind else ()
    return Version(who, "", AnnotatedSentence("s1", TEXT, marks, events, doc_id="d"))


def test_majority_decides_piece_by_piece(ontology):
    three = [version("a"), version("b"), version("c", ("Rebels", "Juba"), targets=())]
    assert majority(three, ontology) == three[0].sentence
    assert majority([three[0], three[2]], ontology) is None
    assert agreed([three[0], three[1]]) == three[0].sentence
    assert agreed(three) is None


def test_a_majority_is_always_a_valid_record(ontology):
    rng = random.Random(2)
    for _ in range(300):
        versions = []
        for who in "abc" if rng.random() < 0.5 else "abcde":
            spans = [w for w in ("Rebels", "troops", "Juba") if rng.random() < 0.7]
            actors = [i for i, w in enumerate(spans) if w != "Juba"]
            initiators = tuple(i for i in actors if rng.random() < 0.5)
            kind = rng.choice(["armed-clash", "armed-clash", "arrests", None])
            versions.append(version(who, spans, kind, initiators, tuple(i for i in actors if i not in initiators)))
        record = majority(versions, ontology)
        assert record is not None
        check_labels(record, ontology)


def test_a_reviewer_wins_and_the_rest_must_agree(ontology):
    table = {"s1": [version("a"), version("boss", ("Rebels",), targets=())], "s2": [version("a"), version("b", ())]}
    table["s2"] = [Version(v.annotator, "", replace(v.sentence, id="s2", events=())) for v in table["s2"]]
    resolved = resolve_reviewer(table, "boss")
    assert resolved.sentences == [table["s1"][1].sentence]
    assert list(resolved.open) == ["s2"]
    with pytest.raises(InputError, match="annotators are a, b, boss"):
        resolve_reviewer(table, "chief")


def test_disagreements_are_settled_in_a_file(ontology, tmp_path):
    path = tmp_path / "open.jsonl"
    table = {"s1": [version("a"), version("b", ("Rebels", "Juba"), targets=())]}
    assert list(resolve_majority(table, ontology).open) == ["s1"]
    write_disagreements(path, resolve_file(table, path, ontology).open)
    row = json.loads(path.read_text())
    for keep, wanted in (
        ("b", table["s1"][1].sentence),
        ({"spans": [], "events": []}, replace(table["s1"][0].sentence, spans=(), events=())),
    ):
        path.write_text(json.dumps(row | {"keep": keep}) + "\n")
        assert resolve_file(table, path, ontology).sentences == [wanted]
    changed = {"s1": [version("a", ("Juba",), initiators=(), targets=()), table["s1"][1]]}
    assert list(resolve_file(changed, path, ontology).open) == ["s1"]  # the decision was about other versions
    path.write_text(json.dumps(row | {"keep": "nobody"}) + "\n")
    with pytest.raises(InputError, match="no annotator and no annotation"):
        resolve_file(table, path, ontology)


def panel(ontology):
    rng, out = random.Random(1), {"a": [], "b": [], "c": []}
    for i in range(30):
        for who in out:
            if (who, i % 3) != ("c", 0):
                odd = rng.random() < 0.3
                made = version(
                    who, ("Rebels", "Juba") if odd else ("Rebels", "troops", "Juba"), targets=() if odd else (1,)
                )
                plain = Version(who, "", AnnotatedSentence("x", TEXT, (), ()))
                out[who].append(replace((made if i % 2 else plain).sentence, id=f"s{i}"))
    return out


def test_a_panel_is_measured_by_layer_type_and_pair(ontology):
    annotators = panel(ontology)
    result = panel_agreement(annotators, ontology, annotators["a"])
    assert result["sentences"] == 30
    assert result["overall"]["types"]["alpha"] == 1
    assert 0 < result["overall"]["spans"]["alpha"] < 1
    assert result["overall"]["roles"]["alpha"] == 1
    assert set(result["pairs"]) == {"a – b", "a – c", "b – c"}
    assert result["pairs"]["a – c"]["sentences"] == 20
    assert result["model"]["model – a"]["span_strict"] == 1
    assert all(row["differences"] == 2 for row in result["hardest"])
    assert panel_agreement({"a": annotators["a"], "b": annotators["a"]}, ontology)["hardest"] == []
    with pytest.raises(InputError, match="no sentence"):
        panel_agreement({"a": annotators["a"], "b": []}, ontology)


def test_the_page_shows_text_as_text(ontology):
    text = "<script>alert(1)</script>"
    first = AnnotatedSentence("x", text, (Span(0, 8, "ACTOR"),), ())
    page = agreement_page(panel_agreement({"a": [first], "<b>": [replace(first, spans=())]}, ontology))
    assert "<script" not in page
    assert "&lt;b&gt;" in page
    assert '<mark class="ACTOR" title="ACTOR">&lt;script&gt;</mark>' in page


def test_the_command_prints_and_writes(tmp_path, ontology):
    files = []
    for who, sentences in panel(ontology).items():
        files.append(str(tmp_path / f"{who}.jsonl"))
        write_sentences(files[-1], sentences)
    result = CliRunner().invoke(app, ["annotate", "agreement", *files, "-o", str(tmp_path / "out")])
    assert result.exit_code == 0, result
    assert "Krippendorff" in result.stdout
    assert json.loads((tmp_path / "out" / "agreement.json").read_text())["annotators"] == {"a": 30, "b": 30, "c": 20}
    assert "hardest" in (tmp_path / "out" / "agreement.html").read_text()
    alone = CliRunner().invoke(app, ["annotate", "agreement", files[0]])
    assert "two files or more" in str(alone.exception)
