import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacitus.data.jsonl import read_sentences, sentence_from_json, sentence_to_json, write_sentences
from tacitus.errors import RecordError
from tacitus.records import AnnotatedSentence

GOOD = {
    "id": "r1-s0",
    "text": "Rebels shelled Juba on Sunday.",
    "spans": [{"start": 0, "end": 6, "label": "ACTOR"}, {"start": 15, "end": 19, "label": "LOCATION"}],
    "events": [{"type": "shelling-artillery-missile", "initiators": [0], "targets": [], "places": [1]}],
    "doc_id": "r1",
    "sentence_index": 0,
    "meta": {"date": "2024-05-12"},
    "note": "kept",
}


def changed(**fields):
    return json.loads(json.dumps(GOOD | fields))


def test_round_trip_keeps_every_field(ontology):
    assert sentence_to_json(sentence_from_json(GOOD, ontology)) == GOOD


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"text": 3}, "'text' is missing or not a string"),
        ({"id": ""}, "'id' is missing"),
        ({"spans": "x"}, "'spans' is neither a list nor null"),
        ({"spans": [{"start": 0, "end": 99, "label": "ACTOR"}]}, "outside the text"),
        ({"spans": [{"start": 3, "end": 3, "label": "ACTOR"}]}, "empty or reversed"),
        ({"spans": [{"start": -1, "end": 3, "label": "ACTOR"}]}, "empty or reversed"),
        ({"spans": [{"start": True, "end": 3, "label": "ACTOR"}]}, "whole numbers"),
        ({"spans": [{"start": 0, "end": 6, "label": "ACTOR"}, {"start": 5, "end": 9, "label": "ACTOR"}]}, "crosses"),
        ({"spans": [{"start": 0, "end": 6, "label": "ACTORS"}], "events": []}, "did you mean 'ACTOR'"),
        ({"events": [{"type": "armed-clsh"}]}, "did you mean 'armed-clash'"),
        ({"events": [{"type": "armed-clash"}, {"type": "armed-clash"}]}, "stands twice"),
        ({"events": [{"type": "armed-clash", "initiators": [7]}]}, "out of range"),
        ({"events": [{"type": "armed-clash", "initiators": [1]}]}, "is a LOCATION, needs ACTOR"),
        ({"events": [{"type": "armed-clash", "initiator": [0]}]}, "did you mean 'initiators'"),
        ({"events": [{"type": "armed-clash", "score": 1.5}]}, "not a number in [0, 1]"),
        ({"sentence_index": "4"}, "'sentence_index' is not a int"),
    ],
)
def test_a_mistake_is_named(ontology, fields, message):
    with pytest.raises(RecordError) as error:
        sentence_from_json(changed(**fields), ontology)
    assert message in str(error.value)


def test_missing_layer_differs_from_empty(ontology):
    unknown = sentence_from_json(changed(spans=None, events=None), ontology)
    assert unknown.spans is None
    assert unknown.events is None
    raw = changed()
    del raw["events"]
    with pytest.raises(RecordError, match="write null where nobody annotated it"):
        sentence_from_json(raw, ontology)


def test_reading_names_file_and_line_and_rejects_duplicates(tmp_path, ontology):
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(GOOD) + "\n\n" + json.dumps(GOOD) + "\n{broken\n")
    with pytest.raises(RecordError, match=r"x\.jsonl:3: id 'r1-s0' stands already on line 1"):
        read_sentences(path, ontology)
    rejected = []
    assert len(read_sentences(path, ontology, rejected)) == 1
    assert [(r["line"], r["reason"].split()[0]) for r in rejected] == [(3, "id"), (4, "not")]


def test_writing_is_all_or_nothing(tmp_path, ontology):
    path = tmp_path / "out.jsonl"
    path.write_text("before")

    def failing():
        yield sentence_from_json(GOOD, ontology)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_sentences(path, failing())
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["out.jsonl"]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40), st.data())
def test_any_unicode_survives_the_file(tmp_path_factory, text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    raw = {"id": "a", "text": text, "spans": [{"start": start, "end": end, "label": "ACTOR"}], "events": []}
    record = sentence_from_json(raw)
    path = tmp_path_factory.mktemp("u") / "u.jsonl"
    write_sentences(path, [record])
    assert read_sentences(path) == [record]
    assert record.span_text(0) == text[start:end]


def test_spans_are_checked_in_the_constructor():
    with pytest.raises(RecordError):
        AnnotatedSentence("a", "abc", spans=(sentence_from_json(GOOD).spans[1],))
