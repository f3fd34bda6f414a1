"""The demo: loopback only, bounded, and harmless whatever is pasted."""

import http.client
import json
import re
import threading

import pytest

from tacitus.demo import HOST, MAX_BODY, Demo, serve
from tacitus.extractor import Extractor

ATTACK = "rebels attacked police in juba ."


@pytest.fixture(scope="module")
def address(tiny_checkpoint):
    server = serve(Demo(Extractor.load(tiny_checkpoint, "cpu")), 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address
    server.shutdown()
    server.server_close()
    thread.join()


def ask(address, method, path, body=None, host=None):
    connection = http.client.HTTPConnection(*address, timeout=30)
    connection.request(method, path, body, {"Host": host} if host else {})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_it_listens_on_this_machine_alone(address):
    assert address[0] == HOST == "127.0.0.1"


def test_the_page_loads_nothing_from_elsewhere(address):
    status, page = ask(address, "GET", "/")
    assert status == 200
    assert "default-src 'none'" in page
    assert "connect-src 'self'" in page
    assert not re.search(r"(src|href)=\"(?!data:)|https?://(?!www\.w3\.org)", page)


def test_a_pasted_report_is_coded(address):
    status, answer = ask(address, "POST", "/code", json.dumps({"text": f"  {ATTACK}"}))
    (event,) = json.loads(answer)["events"]
    assert status == 200
    assert event["sentence"] == [2, 2 + len(ATTACK)]
    assert event["roles"] == [[[2, 8]], [[18, 24]], [[28, 32]]]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("POST", "/code", "{", 400, "not JSON"),
        ("POST", "/code", "{}", 400, "'text' is no text"),
        ("POST", "/code", '{"text": "\\ud800"}', 400, "'text' is no text"),
        ("POST", "/code", "x" * (MAX_BODY + 1), 413, f"at most {MAX_BODY}"),
        ("POST", "/nothing", "{}", 404, "nothing at /nothing"),
        ("GET", "/nothing", None, 404, "nothing at /nothing"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(address, method, path, body, status, message):
    code, answer = ask(address, method, path, body)
    assert (code, message in json.loads(answer)["error"]) == (status, True), answer
    assert "\n" not in answer


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("POST", "/code")])
def test_a_foreign_page_that_points_its_name_here_is_sent_away(address, method, path):
    status, answer = ask(address, method, path, json.dumps({"text": ATTACK}), host="elsewhere.example:80")
    assert status == 403
    assert "rebels" not in answer
