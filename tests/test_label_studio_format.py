import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import REPOSITORY
from tacitus.annotation.labeling_config import labeling_config, same_config
from tacitus.data.jsonl import read_sentences
from tacitus.data.label_studio import canonical, from_result, prediction, sentence_of_task, task_data, to_result
from tacitus.errors import RecordError
from tacitus.ontology import load_ontology, ontology_from_dict
from tacitus.records import AnnotatedSentence, Event, Span, check_labels

ONTOLOGY = load_ontology()
WORDS = ["rebels", "\U0001f600", "cafe\u0301", "\u0645\u0631\u062d\u0628\u0627", "\r\n", "\t", "&amp;", "<b>", "\u200d", "\U0001f468\u200d\U0001f469", " ", "''", "\\n", "\u2028"]  # fmt: skip
score = st.floats(0, 1)
json_value = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def records(draw):
    """Any record that the format allows: layers absent, scores or none, role lists sparse and in any order."""
    words = draw(st.lists(st.sampled_from(WORDS) | st.text(min_size=1, max_size=4), max_size=10))
    text, spans, scored = "", [], draw(st.booleans())
    for word in words:
        if draw(st.booleans()):
            label = draw(st.sampled_from(ONTOLOGY.span_label_ids))
            spans.append(Span(len(text), len(text) + len(word), label, draw(score) if scored else None))
        text += word + draw(st.sampled_from(["", " ", "\r\n"]))
    spans = draw(st.sampled_from([None, tuple(spans), tuple(spans)]))
    events = draw(st.none() | st.lists(events_over(spans or (), scored), max_size=3, unique_by=lambda e: e.type))
    return AnnotatedSentence(
        draw(st.text(min_size=1, max_size=5)), text, spans, None if events is None else tuple(events),
        draw(st.none() | st.text(max_size=4)), draw(st.none() | st.integers(0, 99)),
        draw(st.none() | st.dictionaries(st.sampled_from(["date", "country", "x"]), json_value, max_size=3)),
        draw(st.none() | st.fixed_dictionaries(dict.fromkeys(ONTOLOGY.event_types, score))) if scored else None,
        draw(st.dictionaries(st.sampled_from(["note", "translator"]), json_value, max_size=2)),
    )  # fmt: skip


@st.composite
def events_over(draw, spans, scored):
    roles = {}
    for key in draw(st.sets(st.sampled_from(ONTOLOGY.role_keys))):
        fitting = [i for i, s in enumerate(spans) if s.label == ONTOLOGY.role_label(key)]
        roles[key] = tuple(draw(st.lists(st.sampled_from(fitting), unique=True))) if fitting else ()
    scores = {k: tuple(draw(score) for _ in v) for k, v in roles.items()} if scored and draw(st.booleans()) else None
    kind = draw(st.sampled_from(ONTOLOGY.event_types))
    return Event(kind, roles, draw(score) if scored else None, scores)


def through_the_wire(value):
    """As the server gives it back: JSON, regions in another order."""
    return json.loads(json.dumps(value))


@given(records())
@settings(max_examples=300)
def test_any_record_comes_back_from_task_and_prediction(record):
    check_labels(record, ONTOLOGY)
    task = through_the_wire(task_data(record, "the document"))
    sent = through_the_wire(prediction(record, ONTOLOGY, "v1"))
    back = from_result(sent["result"][::-1], sentence_of_task(task), ONTOLOGY, predicted=True)
    assert back == canonical(record, ONTOLOGY)
    assert 0 <= sent["score"] <= 1


@given(records())
def test_what_an_annotator_confirms_is_the_record_without_scores(record):
    regions = [{k: v for k, v in item.items() if k not in ("tacitus", "score")} for item in to_result(record, ONTOLOGY)]
    back = from_result(regions, sentence_of_task(task_data(record)), ONTOLOGY)
    wanted = canonical(record, ONTOLOGY)
    assert [s.key for s in back.spans] == [s.key for s in wanted.spans or ()]
    assert [(e.type, e.roles) for e in back.events] == [(e.type, e.roles) for e in wanted.events or ()]
    assert all(x.score is None for x in (*back.spans, *back.events))


def test_the_corpus_is_canonical_and_comes_back():
    for record in read_sentences(REPOSITORY / "annotations" / "dev.jsonl", ONTOLOGY):
        assert from_result(to_result(record, ONTOLOGY), sentence_of_task(task_data(record)), ONTOLOGY) == record


@pytest.mark.parametrize(
    ("word", "before"), [("rebels", "\U0001f600 "), ("\U0001f600x", "a\U0001f600"), ("b", "\U0001f600a")]
)
def test_offsets_in_utf16_units_are_understood(word, before):
    task = AnnotatedSentence("a", before + word + " fled \U0001f600")
    start = len(before.encode("utf-16-le")) // 2
    value = {"start": start, "end": start + len(word.encode("utf-16-le")) // 2, "text": word, "labels": ["ACTOR"]}
    back = from_result([{"id": "x", "from_name": "spans", "value": value}], task, ONTOLOGY)
    assert back.span_text(0) == word


def region(start, end, text=None, label="ACTOR", name="x"):
    value = {"start": start, "end": end, "labels": [label]} | ({"text": text} if text else {})
    return {"id": name, "from_name": "spans", "type": "labels", "value": value}


def role(kind, part, name="x"):
    return {"id": name, "from_name": "roles-ACTOR", "value": {"text": "rebels", "taxonomy": [[kind, part]]}}


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ([region(0, 6, "troops")], "mark it again"),
        ([region(0, 6), region(3, 9, name="y")], "crosses"),
        ([region(0, 99)], "outside the text"),
        ([region(0, 6, label="PERSON")], "unknown span label"),
        ([role("arrests", "initiator")], "not marked as an event"),
        ([region(0, 6), {"id": "e", "from_name": "events", "value": {"taxonomy": [["x", "arrests"]]}},
          {"id": "x", "from_name": "roles-ACTOR", "value": {"text": "rebels", "taxonomy": [["arrests"]]}}], "which is none; choose one again"),
        ([{"id": "e", "from_name": "events", "value": {"taxonomy": [["x", "arrests"]]}}, role("arrests", "target")], "no label"),
        ([{"id": "e", "from_name": "events", "value": {"taxonomy": [["x", "arests"]]}}], "did you mean 'arrests'"),
    ],
)  # fmt: skip
def test_a_broken_annotation_is_named(result, message):
    with pytest.raises(RecordError, match=message):
        from_result(result, AnnotatedSentence("a", "rebels fled"), ONTOLOGY)


def test_a_task_edited_by_hand_is_refused():
    data = task_data(AnnotatedSentence("a", "rebels fled"))
    with pytest.raises(RecordError, match="'a' was edited on the server"):
        sentence_of_task(data | {"text": "Rebels fled"})
    with pytest.raises(RecordError, match="not pushed by tacitus"):
        sentence_of_task({"text": "x"})


def test_the_committed_configuration_is_current():
    committed = (REPOSITORY / "annotations" / "labeling_config.xml").read_text()
    assert committed == labeling_config(ONTOLOGY), "stale: tacitus annotate config -o annotations/labeling_config.xml"


def test_configurations_differ_by_content_only(tiny_ontology):
    config = labeling_config(tiny_ontology)
    assert same_config(config, config.replace("\n", ""))
    assert not same_config(config, labeling_config(ONTOLOGY))
    assert not same_config("no xml", config)


def test_each_label_offers_its_own_roles(tiny_ontology):
    config = labeling_config(replace_roles(tiny_ontology))
    assert 'whenLabelValue="ACTOR"' in config
    assert 'whenLabelValue="LOCATION"' not in config


def replace_roles(ontology):
    return ontology.model_copy(update={"roles": tuple(r for r in ontology.roles if r.span_label == "ACTOR")})


def test_a_layer_the_ontology_lacks_stays_unknown():
    only_spans = ontology_from_dict({"name": "spans", "span_labels": [{"id": "ACTOR"}]})
    back = from_result([region(0, 6)], replace(AnnotatedSentence("a", "rebels fled"), doc_id="d"), only_spans)
    assert back.events is None
    assert back.doc_id == "d"
