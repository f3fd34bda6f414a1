"""Push, pull, selection and review without a server: a project in memory stands for it."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from tacitus.annotation.client import read_token
from tacitus.annotation.pool import read_pool
from tacitus.annotation.pull import pull, read_state, write_state
from tacitus.annotation.push import BATCH, CONTEXT, contexts, plan_push, push
from tacitus.annotation.review import suspicions
from tacitus.annotation.select import STRATEGIES, Signals, choose, embed, select, worth
from tacitus.cli.annotate import Select
from tacitus.cli.main import app
from tacitus.data.jsonl import read_sentences, write_sentences
from tacitus.data.label_studio import to_result
from tacitus.errors import InputError, ServerError
from tacitus.extractor import Extractor
from tacitus.records import AnnotatedSentence, Event


class MemoryProject:
    """Tasks in a dictionary, with the times of change that a server keeps."""

    url = "memory"

    def __init__(self):
        self.table, self.clock = {}, 0
        self.server = SimpleNamespace(names=lambda: {1: "a", 2: "b"})
        self.requests = 0

    def check_config(self, ontology):
        pass

    def touch(self, task):
        self.clock += 60
        task["updated_at"] = f"2026-01-01T{self.clock // 3600:02}:{self.clock // 60 % 60:02}:00.000000Z"

    def tasks(self, since=None, full=False):
        return [t for t in self.table.values() if since is None or t["updated_at"] >= since]

    def create(self, tasks):
        assert len(tasks) <= BATCH
        for task in json.loads(json.dumps(list(tasks))):
            number = len(self.table) + 1
            self.table[number] = {"predictions": [], "annotations": [], "total_annotations": 0} | task | {"id": number}
            self.touch(self.table[number])

    def update_data(self, task, data):
        self.table[task]["data"] = data

    def predict(self, predictions):
        for p in predictions:
            self.table[p["task"]]["predictions"].append(p)

    def annotate(self, task, who, result, cancelled=False):
        self.clock += 60
        row = {"id": self.clock, "completed_by": who, "result": result, "was_cancelled": cancelled}
        self.table[task]["annotations"].append(row | {"updated_at": f"{self.clock:06}"})
        self.table[task]["total_annotations"] = len(self.table[task]["annotations"])
        self.touch(self.table[task])


@pytest.fixture
def project():
    return MemoryProject()


def test_a_push_is_idempotent_and_completes_itself(project, tiny_sentences, tiny_ontology):
    first = plan_push(project, tiny_sentences[:20], tiny_sentences[:20], tiny_ontology, "v1")
    push(project, first)
    whole = plan_push(project, tiny_sentences, tiny_sentences, tiny_ontology, "v1")
    assert (len(whole.create), len(whole), whole.unchanged) == (40, 40, 20)
    push(project, whole)
    again = plan_push(project, tiny_sentences, tiny_sentences, tiny_ontology, "v1")
    assert (len(again), again.unchanged) == (0, 60)
    assert len(plan_push(project, tiny_sentences, tiny_sentences, tiny_ontology, "v2").predict) == 60
    moved = [replace(s, meta={"date": "2026-01-01"}) for s in tiny_sentences[:3]]
    push(project, plan_push(project, moved, None, tiny_ontology))
    assert project.table[1]["data"]["meta"] == {"date": "2026-01-01"}


def test_a_part_of_a_report_does_not_shorten_what_stands_beside(project, tiny_ontology):
    report = [AnnotatedSentence(f"d-{i}", f"Sentence {i}.", doc_id="d", sentence_index=i) for i in range(3)]
    push(project, plan_push(project, report, None, tiny_ontology))
    assert len(plan_push(project, report[1:], None, tiny_ontology)) == 0
    whole = {"d": "Headline. Sentence 0. Sentence 1. Sentence 2."}
    assert len(plan_push(project, report, None, tiny_ontology, documents=whole).update) == 3


def test_an_annotated_sentence_keeps_its_text(project, tiny_sentences, tiny_ontology):
    push(project, plan_push(project, tiny_sentences[:2], None, tiny_ontology))
    project.annotate(1, 1, [])
    changed = [replace(tiny_sentences[0], text="another text .", spans=(), events=()), tiny_sentences[1]]
    with pytest.raises(ServerError, match="is annotated and has another text"):
        plan_push(project, changed, None, tiny_ontology)
    project.create([{"data": project.table[2]["data"]}])
    with pytest.raises(ServerError, match="both hold sentence"):
        plan_push(project, tiny_sentences[:2], None, tiny_ontology)


def test_pull_counts_skips_and_blanks_right_and_remembers(project, tiny_sentences, tiny_ontology, tmp_path):
    push(project, plan_push(project, tiny_sentences[:6], None, tiny_ontology))
    regions = [to_result(s, tiny_ontology) for s in tiny_sentences]
    project.annotate(1, 1, regions[0])
    project.annotate(1, 2, regions[0])
    project.annotate(2, 1, [])
    project.annotate(3, 1, regions[2], cancelled=True)
    project.annotate(4, 2, [])
    project.annotate(4, 2, regions[3])  # the same annotator again: the last counts
    project.annotate(5, 1, [{"id": "x", "from_name": "spans", "value": {"start": 0, "end": 999, "labels": ["ACTOR"]}}])
    state = pull(project, tiny_ontology)
    assert [s.id for s in state.by_annotator()["a"]] == [tiny_sentences[0].id, tiny_sentences[1].id]
    assert state.by_annotator()["a"][1] == replace(tiny_sentences[1], spans=(), events=())
    assert state.by_annotator()["b"] == [tiny_sentences[0], tiny_sentences[3]]
    assert [(row["task"], row["annotator"]) for row in state.all_rejected()] == [(5, "a")]
    assert sum(state.skipped.values()) == 1
    write_state(tmp_path / "s.json", state)
    project.annotate(6, 1, regions[5])
    del project.table[2]
    later = pull(project, tiny_ontology, read_state(tmp_path / "s.json", project, tiny_ontology))
    assert later.fetched == 2  # the changed one, and the last of before
    assert [s.id for s in later.by_annotator()["a"]] == [tiny_sentences[0].id, tiny_sentences[5].id]
    (tmp_path / "s.json").write_text("{}")
    with pytest.raises(InputError, match="not the state"):
        read_state(tmp_path / "s.json", project, tiny_ontology)


def test_the_document_stands_beside_and_long_ones_are_cut():
    sentences = [AnnotatedSentence(f"d-{i}", f"Sentence {i}.", doc_id="d", sentence_index=i) for i in (1, 0)]
    assert contexts(sentences) == ["Sentence 0. Sentence 1."] * 2
    long = "x" * 2 * CONTEXT + "Sentence 1." + "y" * 2 * CONTEXT
    cut = contexts(sentences[:1], {"d": long})[0]
    assert "Sentence 1." in cut
    assert len(cut) == 2 * CONTEXT + len("Sentence 1.") + 4


def test_reports_and_sentences_are_pooled(tmp_path, ontology):
    (tmp_path / "r.txt").write_text("Rebels fled. Prices rose.")
    (tmp_path / "r.pdf").write_text("")
    (tmp_path / "r.jsonl").write_text('{"text": "One.", "id": "n1", "date": "2024-01-02"}\n')
    write_sentences(tmp_path / "s.jsonl", [AnnotatedSentence("s", "Two.", None, None)])
    pool = read_pool([tmp_path], ontology)
    assert [s.text for s in pool.sentences] == ["Two.", "One.", "Rebels fled.", "Prices rose."]
    assert pool.documents == {"n1": "One.", "r": "Rebels fled. Prices rose."}
    assert pool.skipped == [tmp_path / "r.pdf"]
    assert pool.sentences[1].meta == {"date": "2024-01-02"}
    write_sentences(tmp_path / "again.jsonl", [AnnotatedSentence("s", "Three.", None, None)])
    with pytest.raises(InputError, match="stand twice"):
        read_pool([tmp_path], ontology)


def unit(*rows):
    vectors = np.array(rows, dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_command_offers_every_strategy():
    assert [s.value for s in Select] == list(STRATEGIES)


def test_each_strategy_takes_what_it_is_called_for():
    p = np.array([[0.5, 0.0], [0.99, 0.0], [0.0, 0.9], [0.01, 0.01]], dtype=np.float32)
    vectors = unit([1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1])
    signals = Signals(p, np.zeros(4, np.float32), vectors)
    counts = np.array([500, 0], dtype=np.float32)
    none = vectors[:0]
    assert select("uncertainty", signals, none, counts, 1) == [0]
    assert select("rarity", signals, none, counts, 1) == [2]
    assert select("diversity", signals, vectors[:1], counts, 1)[0] in (1, 2)
    assert sorted(select("mixed", signals, none, counts, 9)) == [0, 1, 2, 3]
    assert worth("rarity", signals, counts)[2] > worth("rarity", signals, counts)[1]
    assert (
        worth("mixed", Signals(p, np.arange(4, dtype=np.float32), vectors), counts)[3]
        > worth("mixed", signals, counts)[3]
    )


def test_a_batch_is_not_filled_with_one_rare_type():
    p = np.array([[0.9, 0.0]] * 5 + [[0.0, 0.8]] * 5, dtype=np.float32)
    vectors = unit(*np.random.default_rng(1).normal(size=(10, 16)))
    first = select("rarity", Signals(p, np.zeros(10, np.float32), vectors), vectors[:0], np.zeros(2, np.float32), 4)
    assert sorted(i // 5 for i in first) == [0, 0, 1, 1]


@pytest.mark.parametrize("strategy", ["uncertainty", "rarity", "diversity", "mixed"])
def test_near_duplicates_are_not_queued_together(strategy):
    rng = np.random.default_rng(0)
    vectors = unit(*rng.normal(size=(6, 16)))
    vectors = np.concatenate([vectors, vectors + 0.001])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    p = np.concatenate([np.linspace(0.1, 0.5, 6)] * 2)[:, None].astype(np.float32)
    order = select(strategy, Signals(p, np.zeros(12, np.float32), vectors), vectors[:0], np.zeros(1, np.float32), 12)
    assert sorted(i % 6 for i in order[:6]) == list(range(6))


def test_a_checkpoint_orders_a_pool(tiny_checkpoint, tiny_sentences):
    extractor = Extractor.load(tiny_checkpoint, "cpu")
    plain = [replace(s, spans=None, events=None) for s in tiny_sentences]
    chosen = choose(plain, tiny_sentences[:5], extractor, "mixed", 12)
    assert len({s.id for s in chosen}) == 12
    assert chosen == choose(plain, tiny_sentences[:5], extractor, "mixed", 12)
    assert np.linalg.norm(embed(extractor, ["rebels attacked"])) == pytest.approx(1, abs=1e-5)
    assert choose([], tiny_sentences, extractor, "mixed", 3) == []
    assert choose(plain, [], None, "order", 3) == plain[:3]
    shuffled = choose(plain, [], None, "random", 99, seed=2)
    assert shuffled != plain
    assert sorted(s.id for s in shuffled) == sorted(s.id for s in plain)


def damaged(sentences):
    """A copy with one type swapped, one missing and one span forgotten."""
    swapped = replace(sentences[0], events=(Event("deal", sentences[0].events[0].roles),))
    no_event = replace(sentences[4], events=())
    roles = {"initiators": (0,), "targets": (), "places": (1,)}
    one_less = replace(sentences[8], spans=sentences[8].spans[::2], events=(Event(sentences[8].events[0].type, roles),))
    return [swapped, *sentences[1:4], no_event, *sentences[5:8], one_less, *sentences[9:]]


def test_planted_label_errors_stand_first(tiny_checkpoint, tiny_sentences):
    found = suspicions(Extractor.load(tiny_checkpoint, "cpu"), damaged(tiny_sentences))
    planted = {tiny_sentences[0].id, tiny_sentences[4].id, tiny_sentences[8].id}
    assert planted <= {s.sentence.id for s in found[:8]}
    assert [s.confidence for s in found] == sorted(s.confidence for s in found)
    assert all(0 <= s.confidence < 0.5 for s in found)


def test_review_trains_on_the_other_folds(tiny_task, tiny_sentences, tmp_path):
    write_sentences(tmp_path / "gold.jsonl", damaged(tiny_sentences))
    out, again = tmp_path / "out.jsonl", tmp_path / "again.jsonl"
    result = CliRunner().invoke(
        app,
        ["annotate", "review", str(tmp_path / "gold.jsonl"), "-o", str(out), "--recipe", str(tiny_task / "recipe.yaml"),
         "--folds", "2", "--ontology", str(tiny_task / "ontology.yaml"), "--sentences", str(again)],
    )  # fmt: skip
    assert result.exit_code == 0, result
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert rows
    assert {"id", "text", "layer", "label", "model", "confidence"} == rows[0].keys()
    assert [s.id for s in read_sentences(again)] == list(dict.fromkeys(row["id"] for row in rows))
    neither = CliRunner().invoke(app, ["annotate", "review", str(out), "-o", str(out)])
    assert "give --recipe" in str(neither.exception)


def test_a_token_comes_from_a_file_or_the_environment(tmp_path, monkeypatch):
    (tmp_path / "token").write_text("abc\n")
    assert read_token(tmp_path / "token") == "abc"
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "def")
    assert read_token() == "def"
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "")
    for file in (None, tmp_path / "none"):
        with pytest.raises(InputError, match="token"):
            read_token(file)


def test_the_configuration_is_printed_and_a_wrong_policy_is_told(tmp_path):
    printed = CliRunner().invoke(app, ["annotate", "config"])
    written = CliRunner().invoke(app, ["annotate", "config", "-o", str(tmp_path / "c.xml")])
    assert written.exit_code == 0
    assert (tmp_path / "c.xml").read_text() == printed.stdout
    pulled = CliRunner().invoke(app, ["annotate", "pull", "-p", "x", "-o", "y", "--resolve", "reviewer"])
    assert "give majority, reviewer:EMAIL or file:PATH" in str(pulled.exception)
