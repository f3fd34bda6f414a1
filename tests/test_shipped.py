"""The shipped checkpoint on the seed reports: the golden table, and Python use without a network.

The table is the network's own, computed with PyTorch; the other tests take the runtime that users get.

After a new checkpoint: read every record of ``tacitus extract seeds/ --runtime pytorch`` by eye, then
``TACITUS_UPDATE_GOLDEN=1 pytest tests/test_shipped.py`` writes the table anew.
"""

import os

import pytest

from conftest import REPOSITORY
from tacitus.data.documents import find_inputs, read_documents
from tacitus.events import all_events
from tacitus.extractor import Extractor

GOLDEN = REPOSITORY / "tests" / "golden" / "seeds.txt"
TOLERANCE = 0.02  # share of rows that may differ: another processor rounds otherwise, close to a threshold


@pytest.fixture(scope="module")
def extractor():
    return Extractor.load()


def rows(extractor):
    files, _ = find_inputs([REPOSITORY / "seeds"])
    for record in all_events(extractor.stream(read_documents(files)), extractor.ontology):
        roles = (f"{key}={'; '.join(p.text for p in people)}" for key, people in record.roles.items() if people)
        yield " | ".join([f"{record.doc_id}-s{record.sentence_index:02d}", record.sub_event_type, *roles])


def test_seed_reports_give_the_golden_table():
    found = list(rows(Extractor.load(runtime="pytorch")))
    if os.environ.get("TACITUS_UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text("\n".join(found) + "\n")
    golden = GOLDEN.read_text().splitlines()
    differing = set(golden) ^ set(found)
    assert len(differing) <= TOLERANCE * 2 * len(golden), sorted(differing)


def test_every_seed_report_has_events_and_offsets_into_its_text(extractor):
    files, _ = find_inputs([REPOSITORY / "seeds"])
    documents = {d.id: d for d in read_documents(files)}
    records = list(all_events(extractor.stream(documents.values()), extractor.ontology))
    assert {r.doc_id for r in records} == documents.keys()
    assert all(
        documents[r.doc_id].text[p.start : p.end] == p.text
        for r in records
        for people in r.roles.values()
        for p in people
    )


def test_plain_sentences_read_as_they_should(extractor):
    texts = [
        "A roadside bomb killed two soldiers near Kandahar on Monday.",
        "The minister will visit Paris next week to discuss trade.",
    ]
    bomb, visit = extractor.extract(texts)
    assert [r.sub_event_type for r in bomb] == ["remote-explosive-landmine-ied"]
    assert [p.text for p in bomb[0].roles["targets"]] == ["soldiers"]
    assert visit == []
