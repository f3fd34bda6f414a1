"""What annotators see and save: the real page in headless Chromium. TACITUS_SCREENSHOTS names a folder for pictures."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import REPOSITORY
from label_studio_server import ADMIN, PASSWORD
from tacitus.annotation.client import Server
from tacitus.annotation.pull import pull
from tacitus.annotation.push import plan_push, push
from tacitus.data.jsonl import read_sentences
from tacitus.records import AnnotatedSentence
from test_label_studio_server import lines, scored, strange_sentences

pytestmark = [pytest.mark.server, pytest.mark.browser]
SHOWN = "r011004-s05"


@pytest.fixture(scope="module")
def page(label_studio):
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1360, "height": 760})
        page.goto(f"{label_studio.url}/user/login/")
        page.fill("input[name=email]", ADMIN)
        page.fill("input[name=password]", PASSWORD)
        page.press("input[name=password]", "Enter")
        page.wait_for_url("**/")
        yield page
        browser.close()


@pytest.fixture(scope="module")
def project(label_studio, ontology):
    return Server(label_studio.url, label_studio.token()).prepare("on the page", ontology)


def open_task(page, project, task):
    page.goto(f"{project.url}/data?task={task}")
    page.wait_for_selector("[class*=richtext__line]", timeout=60_000)
    page.get_by_role("button", name="Submit").wait_for(timeout=60_000)


def submit(page):
    with page.expect_response(lambda r: "/annotations" in r.url and r.request.method == "POST") as answer:
        page.get_by_role("button", name="Submit").click()
    assert answer.value.status == 201


def tasks_of(project):
    return {t["data"]["sentence_id"]: t["id"] for t in project.tasks()}


def test_the_page_shows_spans_events_and_roles(page, project, ontology):
    report = [s for s in read_sentences(REPOSITORY / "annotations" / "dev.jsonl", ontology) if s.document == "r011004"]
    push(project, plan_push(project, report, scored(report), ontology, "gold-1"))
    sentence = next(s for s in report if s.id == SHOWN)
    open_task(page, project, tasks_of(project)[SHOWN])
    marks = page.locator(".htx-highlight")
    marks.first.wait_for()
    assert [m.inner_text() for m in marks.all()] == [sentence.span_text(i) for i in range(len(sentence.spans))]
    body = page.locator("body").inner_text()
    for event in sentence.events:
        assert f"{ontology.group_of[event.type]} / {event.type}" in body
    assert report[0].text in body  # the document beside
    kind, key, span = next(iter(sentence.role_tuples()))
    marks.nth(sentence.spans.index(span)).click()
    role = next(r.id for r in ontology.roles if r.key == key)
    page.get_by_text(f"{kind} / {role}").wait_for(timeout=10_000)
    assert page.get_by_text(f"Roles of the selected {span.label}").is_visible()
    folder = os.environ.get("TACITUS_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / "label-studio.png")


def test_what_the_page_saves_is_what_was_pushed(page, project, ontology):
    strange = list(strange_sentences())
    push(project, plan_push(project, strange, scored(strange), ontology, "gold-1"))
    tasks = tasks_of(project)
    for sentence in strange:
        open_task(page, project, tasks[sentence.id])
        page.locator(".htx-highlight").nth(1).wait_for()
        submit(page)
    saved = {name: v[0].sentence for name, v in pull(project, ontology).by_sentence().items()}
    assert lines(saved[s.id] for s in strange) == lines(strange)


@pytest.mark.parametrize(
    "text",
    [
        "\U0001f600 \U0001f468\u200d\U0001f469\u200d\U0001f467 Rebels fled",
        "cafe\u0301\r\n\tand Rebels\r\nfled",
        "\u0627\u0644\u062b\u0648\u0627\u0631 Rebels \u05d7\u05d9\u05e4\u05d4",
        "&amp; <b> Rebels </b>",
    ],
)
def test_a_word_marked_by_hand_has_exact_offsets(page, project, ontology, text):
    sentence = AnnotatedSentence(f"by-hand-{text!a}", text, doc_id="d")
    push(project, plan_push(project, [sentence], None, ontology))
    open_task(page, project, tasks_of(project)[sentence.id])
    page.wait_for_timeout(1500)  # hotkeys are bound a moment after the page is drawn
    page.keyboard.press("a")
    box = page.evaluate(WORD_BOX)
    page.mouse.dblclick(box["x"], box["y"])
    page.locator(".htx-highlight").first.wait_for()
    submit(page)
    saved = pull(project, ontology).by_sentence()[sentence.id][0].sentence
    assert [(saved.span_text(i), s.label) for i, s in enumerate(saved.spans)] == [("Rebels", "ACTOR")]
    assert replace(saved, spans=None, events=None) == sentence


WORD_BOX = """() => {
  const line = [...document.querySelectorAll('[class*=richtext__line]')].find(e => e.textContent.includes('Rebels'));
  const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const at = node.textContent.indexOf('Rebels');
    if (at < 0) continue;
    const range = document.createRange();
    range.setStart(node, at); range.setEnd(node, at + 6);
    const r = range.getBoundingClientRect();
    return { x: r.x + r.width / 2, y: r.y + r.height / 2 };
  }
}"""
