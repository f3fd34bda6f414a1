"""The loop against a real Label Studio: create, push, annotate as two users would, pull, and everything that goes wrong."""

import json
import threading
import time
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from conftest import REPOSITORY
from label_studio_server import ADMIN, SECOND
from tacitus.annotation.backend import Backend, serve
from tacitus.annotation.client import Project, Server
from tacitus.annotation.pull import pull, read_state, write_state
from tacitus.annotation.push import BATCH, plan_push, push
from tacitus.annotation.resolve import resolve_majority
from tacitus.cli.main import app
from tacitus.data.jsonl import read_sentences, sentence_to_json, write_sentences
from tacitus.data.label_studio import from_result, sentence_of_task, to_result
from tacitus.errors import ServerError
from tacitus.extractor import Extractor
from tacitus.records import AnnotatedSentence, Event, Span

pytestmark = pytest.mark.server
STRANGE = [
    "\U0001f600 Rebels \U0001f468\u200d\U0001f469\u200d\U0001f467 shelled Juba",
    "cafe\u0301 Rebels\r\nshelled\tJuba",
    "\u0627\u0644\u062b\u0648\u0627\u0631 Rebels \u05d7\u05d9\u05e4\u05d4 Juba",
    "&amp; <b>Rebels</b> &lt;&gt; 'x' \"y\" Juba \\n",
    "  Rebels \u2028 \u00a0 \ufeff Juba  ",
]


def strange_sentences():
    for i, text in enumerate(STRANGE):
        spans = tuple(
            Span(text.index(w), text.index(w) + len(w), label)
            for w, label in (("Rebels", "ACTOR"), ("Juba", "LOCATION"))
        )
        events = (Event("armed-clash", {"initiators": (0,), "targets": (), "places": (1,)}),
                  Event("arrests", {"initiators": (), "targets": (0,), "places": ()}))  # fmt: skip
        yield AnnotatedSentence(f"strange-{i}", text, spans, events, doc_id="strange", sentence_index=i)


@pytest.fixture(scope="module")
def gold(ontology):
    return [*strange_sentences(), *read_sentences(REPOSITORY / "annotations" / "dev.jsonl", ontology)[:495]]


def scored(sentences):
    """The gold as a model that is not quite sure would give it."""
    return [
        replace(
            s,
            spans=tuple(replace(x, score=0.9) for x in s.spans),
            events=tuple(replace(e, score=0.8) for e in s.events),
        )
        for s in sentences
    ]


def second_opinion(index, sentence):
    """What the second annotator saves: mostly the same, sometimes less, nothing, or a skip (None)."""
    if index % 50 == 7:
        return None
    if index % 50 == 8:
        return replace(sentence, spans=(), events=())
    if index % 10 == 3 and sentence.events:
        return replace(sentence, events=sentence.events[1:])
    return sentence


@pytest.fixture(scope="module")
def connection(label_studio):
    return Server(label_studio.url, label_studio.token())


@pytest.fixture(scope="module")
def annotated(label_studio, connection, gold, ontology):
    """A project of 500 sentences with predictions, annotated by two users."""
    project = connection.prepare("the loop", ontology, annotators=2)
    push(project, plan_push(project, gold, scored(gold), ontology, "gold-1"))
    second = Server(label_studio.url, label_studio.token(SECOND))
    for index, (task, sentence) in enumerate(zip(list(project.tasks()), gold, strict=True)):
        connection.api.annotations.create(task["id"], result=to_result(sentence, ontology))
        opinion = second_opinion(index, sentence)
        second.api.annotations.create(
            task["id"], result=to_result(opinion or sentence, ontology), was_cancelled=opinion is None
        )
    return project


def lines(sentences):
    return [json.dumps(sentence_to_json(s), ensure_ascii=False) for s in sentences]


def snapshot(project):
    return [
        (t["id"], t["data"], t["updated_at"], t["total_predictions"], t["total_annotations"]) for t in project.tasks()
    ]


def test_two_annotators_come_back_byte_for_byte(annotated, gold, ontology):
    pulled = pull(annotated, ontology)
    mine, other = pulled.by_annotator()[ADMIN], pulled.by_annotator()[SECOND]
    assert lines(mine) == lines(gold)
    assert lines(other) == lines(o for o in (second_opinion(i, s) for i, s in enumerate(gold)) if o is not None)
    assert sum(pulled.skipped.values()) == 10
    resolved = resolve_majority(pulled.by_sentence(), ontology)
    agree = [s for i, s in enumerate(gold) if second_opinion(i, s) in (None, s)]
    assert lines(resolved.sentences) == lines(agree)
    assert len(resolved.open) == len(gold) - len(agree) > 0


def test_pushing_again_changes_nothing(annotated, gold, ontology):
    before = snapshot(annotated)
    plan = plan_push(annotated, gold, scored(gold), ontology, "gold-1")
    push(annotated, plan)
    assert (len(plan), plan.unchanged, snapshot(annotated)) == (0, 500, before)


def test_another_checkpoint_adds_its_predictions_once(annotated, gold, ontology):
    some = gold[:60]
    plan = plan_push(annotated, some, some, ontology, "gold-2")
    assert (len(plan.create), len(plan.update), len(plan.predict)) == (0, 0, 60)
    push(annotated, plan)
    assert len(plan_push(annotated, some, some, ontology, "gold-2")) == 0
    assert [t["total_predictions"] for t in annotated.tasks()] == [2] * 60 + [1] * 440


def test_pulling_again_fetches_what_changed(annotated, connection, label_studio, gold, ontology, tmp_path):
    write_state(tmp_path / "state.json", pull(annotated, ontology))
    time.sleep(6)  # past the overlap of two pulls
    tasks = list(annotated.tasks(full=True))
    changed, drafted = tasks[100], tasks[200]
    own = next(a for a in changed["annotations"] if a["completed_by"] == 1)
    connection.api.annotations.update(own["id"], result=[])
    label_studio.browser().post(f"/api/tasks/{drafted['id']}/drafts", {"result": [{"draft": True}], "lead_time": 1})
    state = pull(annotated, ontology, read_state(tmp_path / "state.json", annotated, ontology))
    assert 2 <= state.fetched < 100  # those, and what the test before saved within the overlap
    assert [s for s, g in zip(state.by_annotator()[ADMIN], gold, strict=True) if s != g] == [
        replace(gold[100], spans=(), events=())
    ]
    connection.api.tasks.delete(str(tasks[300]["id"]))
    state = pull(annotated, ontology, state)
    assert len(state.by_annotator()[ADMIN]) == 499
    assert gold[300].id not in state.by_sentence()


def test_a_push_that_dies_is_completed_by_the_next(label_studio, connection, gold, ontology):
    project = connection.prepare("a push that dies", ontology)
    done: list[int] = []

    def advance(n):
        done.append(n)
        if len(done) == 3:
            threading.Timer(0.05, label_studio.kill).start()  # while the next batch is under way

    with pytest.raises(ServerError, match="no Label Studio answers here"):
        push(project, plan_push(project, gold, scored(gold), ontology, "v1"), advance)
    label_studio.start()
    there = len(list(project.tasks()))
    assert 3 * BATCH <= there < len(gold)
    plan = plan_push(project, gold, scored(gold), ontology, "v1")
    assert len(plan.create) == len(gold) - there
    push(project, plan)
    tasks = list(project.tasks(full=True))
    assert sorted(t["data"]["sentence_id"] for t in tasks) == sorted(s.id for s in gold)
    assert [len(t["predictions"]) for t in tasks] == [1] * len(gold)
    assert len(plan_push(project, gold, scored(gold), ontology, "v1")) == 0


def run(label_studio, *arguments, token=None, url=None):
    token = token if token is not None else label_studio.token()
    environment = {"LABEL_STUDIO_API_KEY": token, "LABEL_STUDIO_URL": url or label_studio.url}
    return CliRunner().invoke(app, ["annotate", *map(str, arguments)], env=environment)


def test_the_commands_go_round(label_studio, connection, gold, tmp_path, ontology):
    write_sentences(tmp_path / "pool.jsonl", [replace(s, spans=None, events=None) for s in gold[:12]])
    pushed = run(label_studio, "push", tmp_path / "pool.jsonl", "-p", "commands", "--limit", 8, "--select", "mixed")
    assert pushed.exit_code == 0, pushed
    assert "8 tasks made" in pushed.stderr
    again = run(label_studio, "push", tmp_path / "pool.jsonl", "-p", "commands", "--limit", 8, "--select", "mixed")
    assert "8 unchanged" in again.stderr
    project = connection.project("commands")
    for task in project.tasks(full=True):
        assert task["predictions"][0]["model_version"].startswith("default-")
        connection.api.annotations.create(task["id"], result=task["predictions"][0]["result"])
    pulled = run(label_studio, "pull", "-p", "commands", "-o", tmp_path / "out.jsonl", "--each", tmp_path / "each")
    assert pulled.exit_code == 0, pulled
    assert len(read_sentences(tmp_path / "out.jsonl", ontology)) == 8
    assert (tmp_path / "each" / f"{ADMIN}.jsonl").read_bytes() == (tmp_path / "out.jsonl").read_bytes()


def test_mistakes_are_one_line_and_leave_nothing_behind(label_studio, connection, gold, tmp_path, ontology):
    write_sentences(tmp_path / "pool.jsonl", gold[:3])
    connection.api.projects.create(title="other", label_config='<View><Text name="t" value="$x"/></View>')
    before = len(list(connection.api.projects.list()))
    pool = (tmp_path / "pool.jsonl", "--select", "order", "--no-predictions")
    cases = [
        (("push", *pool, "-p", "new"), {"token": "wrong"}, "the token is refused"),
        (("push", *pool, "-p", "new"), {"token": " "}, "no access token"),
        (("push", *pool, "-p", "new"), {"url": "http://127.0.0.1:9"}, "no Label Studio answers here"),
        (("push", *pool, "-p", "new"), {"url": f"{label_studio.url}/nowhere"}, "nothing is found there"),
        (("push", *pool, "-p", "other"), {}, "another labeling configuration"),
        (("pull", "-p", "other", "-o", tmp_path / "out.jsonl"), {}, "another labeling configuration"),
        (("pull", "-p", "missing", "-o", tmp_path / "out.jsonl"), {}, "no project 'missing'"),
        (("pull", "-p", "9999", "-o", tmp_path / "out.jsonl"), {}, "nothing is found there"),
    ]
    for arguments, options, message in cases:
        result = run(label_studio, *arguments, **options)
        assert message in str(result.exception), (arguments, result.exception)
        assert "\n" not in str(result.exception)
        assert "wrong" not in str(result.exception)
    assert len(list(connection.api.projects.list())) == before
    assert not (tmp_path / "out.jsonl").exists()


def test_a_task_edited_by_hand_is_told(label_studio, connection, gold, tmp_path, ontology):
    project = connection.prepare("edited by hand", ontology)
    push(project, plan_push(project, gold[5:8], None, ontology))
    first, second, third = project.tasks()
    for task, sentence in zip((first, second, third), gold[5:8], strict=True):
        connection.api.annotations.create(task["id"], result=to_result(sentence, ontology))
    project.update_data(second["id"], second["data"] | {"text": "Another sentence."})
    out = tmp_path / "out.jsonl"
    result = run(label_studio, "pull", "-p", project.id, "-o", out)
    assert f"task {second['id']}, {ADMIN}: the text of sentence" in str(result.exception)
    assert list(tmp_path.iterdir()) == []
    assert run(label_studio, "pull", "-p", project.id, "-o", out, "--skip-invalid").exit_code == 0
    assert lines(read_sentences(out)) == lines([gold[5], gold[7]])
    assert json.loads((tmp_path / "out.jsonl.rejected.jsonl").read_text())["task"] == second["id"]
    with pytest.raises(ServerError, match="is annotated and has another text"):
        plan_push(project, gold[5:8], None, ontology)


def test_a_legacy_token_works_where_it_is_allowed(label_studio):
    session = label_studio.browser()
    legacy = session.get("/api/current-user/token")["token"]
    with pytest.raises(ServerError, match="the token is refused"):
        Server(label_studio.url, legacy)
    session.post("/api/jwt/settings", {"api_tokens_enabled": True, "legacy_api_tokens_enabled": True})
    assert Server(label_studio.url, legacy).user == ADMIN
    assert isinstance(Server(label_studio.url, label_studio.token()).prepare("legacy", ontology_of()), Project)


def ontology_of():
    from tacitus.ontology import load_ontology

    return load_ontology()


def test_a_backend_marks_a_task_when_it_is_opened(label_studio, connection, gold, ontology):
    backend = Backend(Extractor.load(device="cpu"))
    server = serve(backend, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        project = connection.prepare("with a backend", ontology)
        push(project, plan_push(project, gold[5:8], None, ontology))
        connection.api.ml.create(
            project=project.id, url=f"http://127.0.0.1:{server.server_address[1]}", title="tacitus"
        )
        connection.api.projects.update(project.id, evaluate_predictions_automatically=True)
        task = list(project.tasks())[1]
        opened = label_studio.browser().get(f"/api/tasks/{task['id']}/?project={project.id}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    (found,) = opened["predictions"]
    assert found["model_version"] == backend.version
    record = from_result(found["result"], sentence_of_task(task["data"]), ontology, predicted=True)
    assert record == backend.extractor.predict([sentence_of_task(task["data"])])[0]
    assert [t["total_predictions"] for t in project.tasks()] == [
        1,
        1,
        1,
    ]  # the server asks for the project's other tasks too
