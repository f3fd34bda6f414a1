"""The page of events: what it holds, and how a real browser takes it."""

import json
import re
import shutil
import subprocess

import pytest

from tacitus.data.documents import Document
from tacitus.event_page import EventPage
from tacitus.events import CodedDocument
from tacitus.records import AnnotatedSentence, Event, Span

HOSTILE = (
    "</script><script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\"> 𝒜 rebels seized juba ."
)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
browser = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium installed")]


def coded(i: int, text: str = HOSTILE) -> CodedDocument:
    spans = tuple(
        Span(text.index(word), text.index(word) + len(word), label)
        for word, label in (("rebels", "ACTOR"), ("juba", "LOCATION"))
    )
    kind, score = (("capture", 0.9), ("attack", 0.4))[i % 2]
    event = Event(kind, {"initiators": (0,), "targets": (), "places": (1,)}, score)
    sentence = AnnotatedSentence(f"d{i}-s00", text, spans, (event,), sentence_index=0)
    document = Document(f"d{i}", f"  {text}", f"20{i % 20:02d}-03-0{i % 9 + 1}", "a <b>source</b>")
    return CodedDocument(document, [sentence], [2])


def write_page(path, ontology, n, **options):
    page = EventPage(ontology, **options)
    assert len(list(page.watch(map(coded, range(n))))) == n
    return page.write(path, "tiny")


def content(path) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', path.read_text(), re.S)[1])


def in_browser(path, script: str = "") -> str:
    """The page's DOM after its own scripts, and then ours, have run."""
    path.write_text(path.read_text().replace("</body>", f"<script>{script}</script></body>"))
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=4000", "--dump-dom"]
    return subprocess.run([*command, path.as_uri()], capture_output=True, text=True, timeout=120, check=True).stdout


def test_the_page_holds_every_document_with_its_offsets(tmp_path, tiny_ontology):
    assert write_page(tmp_path / "page.html", tiny_ontology, 4) == 4
    for document in content(tmp_path / "page.html")["documents"]:
        first, last = document["events"][0]["roles"][0][0]
        assert document["text"][first:last] == "rebels"
        assert document["text"][slice(*document["events"][0]["sentence"])] == HOSTILE


def test_unsure_events_are_left_out(tmp_path, tiny_ontology):
    assert write_page(tmp_path / "page.html", tiny_ontology, 4, min_confidence=0.5) == 2
    assert [len(d["events"]) for d in content(tmp_path / "page.html")["documents"]] == [1, 0, 1, 0]


class TestInBrowser:
    pytestmark = browser

    def test_no_text_of_a_report_runs_or_becomes_markup(self, tmp_path, tiny_ontology):
        write_page(tmp_path / "page.html", tiny_ontology, 2)
        dom = in_browser(tmp_path / "page.html")
        assert "<title>tacitus events</title>" in dom
        assert "<img" not in dom
        assert "<b>source</b>" not in dom
        assert '<mark class="ACTOR" title="ACTOR">rebels</mark>' in dom

    def test_an_event_shows_its_parts_and_filters_narrow(self, tmp_path, tiny_ontology):
        write_page(tmp_path / "page.html", tiny_ontology, 6)
        act = "$('type').value = 'capture'; draw(); document.querySelector('.event').click();"
        dom = in_browser(tmp_path / "page.html", act)
        assert "3 events in 3 documents" in dom
        assert '<mark class="ACTOR lit" title="ACTOR" data-role="initiator">rebels</mark>' in dom
        assert '<mark class="LOCATION lit" title="LOCATION" data-role="place">juba</mark>' in dom

    def test_two_thousand_documents_filter_within_a_second(self, tmp_path, tiny_ontology):
        write_page(tmp_path / "page.html", tiny_ontology, 2000)
        act = "const t = performance.now(); $('actor').value = 'rebels'; draw(); document.title = `took ${performance.now() - t}`;"
        dom = in_browser(tmp_path / "page.html", act)
        assert "2,000 events in 2,000 documents" in dom
        assert float(re.search(r"<title>took ([\d.]+)</title>", dom)[1]) < 1000
