import json
import threading
import urllib.error
import urllib.request

import pytest

from tacitus.annotation.backend import Backend, serve
from tacitus.annotation.labeling_config import labeling_config
from tacitus.data.label_studio import from_result
from tacitus.extractor import Extractor
from tacitus.records import AnnotatedSentence


@pytest.fixture(scope="module")
def backend(tiny_checkpoint, tmp_path_factory):
    return Backend(Extractor.load(tiny_checkpoint, "cpu"), tmp_path_factory.mktemp("queue") / "queue.jsonl")


@pytest.fixture(scope="module")
def url(backend):
    server = serve(backend, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def ask(url, path, body=None):
    """Status and answer; a body is posted, as JSON unless it is bytes."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url + path, data), timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_it_says_who_it_is(url, backend):
    assert ask(url, "/health")[1] == {"status": "UP", "model_class": "tacitus", "model_version": backend.version}
    assert ask(url, "/versions")[1]["versions"] == [backend.version]
    assert ask(url, "/setup", {"schema": labeling_config(backend.extractor.ontology)}) == (
        200,
        {"model_version": backend.version},
    )


def test_predictions_are_the_extractors_for_the_tasks_asked_in_order(url, backend, tiny_sentences):
    sentences = tiny_sentences[:7][::-1] + tiny_sentences[:2]
    tasks = [{"id": 100 - i, "data": {"text": s.text}} for i, s in enumerate(sentences)]
    status, answer = ask(url, "/predict", {"tasks": tasks, "label_config": labeling_config(backend.extractor.ontology)})
    assert status == 200
    plain = [AnnotatedSentence(str(i), s.text) for i, s in enumerate(sentences)]
    found = [
        from_result(r["result"], s, backend.extractor.ontology, predicted=True)
        for r, s in zip(answer["results"], plain, strict=True)
    ]
    assert found == backend.extractor.predict(plain)
    assert ask(url, "/predict", {"tasks": []})[1]["results"] == []


def test_training_is_queued_with_a_log(url, backend):
    status, answer = ask(url, "/webhook", {"action": "START_TRAINING", "project": {"id": 7}})
    assert (status, answer["status"]) == (200, "queued")
    assert json.loads(backend.queue.read_text())["project"] == 7
    assert ask(url, "/webhook", {"action": "ANNOTATION_CREATED"})[1] == {"status": "ignored"}


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/predict", b"{", 400, "not JSON"),
        ("/predict", [1], 400, "no JSON object"),
        ("/predict", {}, 400, "no list of tasks"),
        ("/predict", {"tasks": [{"id": 5, "data": {}}]}, 400, "task 5 has no text"),
        ("/predict", {"tasks": [], "label_config": "<View/>"}, 409, "labeling configuration"),
        ("/setup", {"schema": "<View/>"}, 409, "labeling configuration"),
        ("/nothing", {}, 404, "nothing at"),
    ],
)
def test_what_is_wrong_is_told(url, path, body, status, message):
    code, answer = ask(url, path, body)
    assert (code, message in answer["error"]) == (status, True), answer


def test_without_a_queue_training_is_refused_with_a_reason(backend):
    with pytest.raises(Exception, match="predicts only"):
        Backend(backend.extractor).train({})
