import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacitus.annotation.checks import check_boundaries, check_roles, copied_runs, near_duplicates
from tacitus.annotation.markup import format_reports, format_sentence, parse_sentence, read_markup
from tacitus.data.jsonl import read_sentences
from tacitus.data.split import split_by_document
from tacitus.errors import RecordError
from tacitus.ontology import load_ontology
from tacitus.records import AnnotatedSentence, Event, Span

MARKUP = """
## country: South Sudan | date: 2016-07-10 | voice: wire-lead
[a1 Rebels] shelled [l2 Juba] on Sunday, wounding four [a3 people].
= shelling-artillery-missile i1 t3 p2
Prices rose.
= none

## country: Mali | date: 2013-01-10
[a1 Gunmen] seized two [a2 nurses] after shooting dead a [a3 guard].
= attack-on-civilians i1 t3; abduction-forced-disappearance i1 t2
"""


def test_markup_is_read_and_printed_back(tmp_path, ontology):
    (tmp_path / "m.txt").write_text(MARKUP)
    sentences = list(read_markup(tmp_path / "m.txt", ontology, "r"))
    assert [s.id for s in sentences] == ["r001-s00", "r001-s01", "r002-s00"]
    assert sentences[0].text == "Rebels shelled Juba on Sunday, wounding four people."
    assert [(t, k, s.label) for t, k, s in sentences[2].role_tuples()][:2] == [
        ("attack-on-civilians", "initiators", "ACTOR"), ("attack-on-civilians", "targets", "ACTOR")]  # fmt: skip
    assert sentences[2].meta["country"] == "Mali"
    (tmp_path / "again.txt").write_text("\n".join(format_reports(sentences, ontology)))
    again = list(read_markup(tmp_path / "again.txt", ontology, "r"))
    assert [(s.text, s.spans, s.events) for s in again] == [(s.text, s.spans, s.events) for s in sentences]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("[a2 Rebels] fled.\n= none", "number 1 and one of the letters a, l are due"),
        ("[x1 Rebels] fled.\n= none", "one of the letters"),
        ("[a1 Rebels] fled.\n= armed-clash i2", "a span number up to 1"),
        ("[a1 Rebels] fled.\n= armed-clash p1", "is a ACTOR, needs LOCATION"),
        ("[a1 Rebels] fled.\n= armed-clsh", "did you mean"),
        ("[a1 Rebels] fled.\nMore.\n= none", "has no '=' line"),
        ("[a1 Rebels] fled.", "has no '=' line"),
        ("= none", "without a sentence"),
    ],
)
def test_bad_markup_is_named_with_its_line(tmp_path, ontology, lines, message):
    (tmp_path / "m.txt").write_text("## country: X\n" + lines)
    with pytest.raises(RecordError, match=r"m\.txt:\d+: ") as error:
        list(read_markup(tmp_path / "m.txt", ontology, "r"))
    assert message in str(error.value)


@given(
    st.lists(
        st.sampled_from(["rebels", "Juba", "\U0001f600", "caf\u0301e", "\u0645\u0631", "x"]), min_size=1, max_size=8
    ),
    st.data(),
)
def test_any_record_survives_the_markup(words, data):
    ontology = load_ontology()
    text, spans = "", []
    for word in words:
        label = data.draw(st.sampled_from([None, "ACTOR", "LOCATION"]))
        if label:
            spans.append(Span(len(text), len(text) + len(word), label))
        text += word + " "
    actors = tuple(i for i, s in enumerate(spans) if s.label == "ACTOR")
    places = tuple(i for i, s in enumerate(spans) if s.label == "LOCATION")
    record = AnnotatedSentence(
        "d-s00",
        text.rstrip(),
        tuple(spans),
        (Event("arrests", {"initiators": actors, "targets": (), "places": places}),),
        "d",
        0,
    )
    marked, events = format_sentence(record, ontology).split("\n")
    assert parse_sentence(marked, events, ontology, "d", 0) == record


def spans_of(marked, ontology):
    return parse_sentence(marked, "= none", ontology, "d", 0)


@pytest.mark.parametrize(
    "marked",
    [
        "[a1 the rebels] fled.",
        "[a1 dozens of rebels] fled.",
        "[a1 They] fled.",
        "[a1 Assad's] palace.",
        "[l1 Mosul,] fell.",
        "Re[a1 bels] fled.",
        "[a1 other rebels] fled.",
    ],
)
def test_boundary_breaches_are_errors(marked, ontology):
    assert [f.level for f in check_boundaries(spans_of(marked, ontology))] == ["error"]


@pytest.mark.parametrize(
    "marked", ["In [l1 The Hague] today", "[a1 Rebels] fled [l2 Washington D.C.]", "[a1 Lord's Resistance Army] fled."]
)
def test_names_are_no_breaches(marked, ontology):
    assert list(check_boundaries(spans_of(marked, ontology))) == []


def test_two_roles_in_one_event_are_an_error(ontology):
    record = parse_sentence("[a1 Rebels] fought.", "= armed-clash i1 t1", ontology, "d", 0)
    assert len(list(check_roles(record))) == 1


def test_near_duplicates_and_filled_patterns_are_found(ontology):
    a = spans_of("[a1 Rebels] attacked the northern gate of [l2 Juba] late on Sunday night, witnesses said.", ontology)
    b = spans_of(
        "[a1 Troops] attacked the northern gate of [l2 Goma town] late on Sunday night, witnesses said.", ontology
    )
    c = spans_of("The price of maize doubled in a month in most markets of the south.", ontology)
    assert near_duplicates([a, b, c], threshold=0.9) == []
    assert [(x.text[:6], y.text[:6]) for x, y, _ in near_duplicates([a, b, c], threshold=0.9, masked=True)] == [
        ("Rebels", "Troops")
    ]


def test_copied_runs_are_found(ontology):
    record = spans_of("It said one two three four five six seven eight nine in all.", ontology)
    assert len(list(copied_runs([record], ["x one two three four five six seven eight nine y"]))) == 1
    assert list(copied_runs([record], ["one two three four five six seven eight y nine"])) == []


def test_split_keeps_documents_whole_and_is_seeded():
    sentences = [AnnotatedSentence(f"d{d}-{i}", "x", doc_id=f"d{d}") for d in range(60) for i in range(1 + d % 7)]
    shares = {"train": 0.8, "dev": 0.1, "test": 0.1}
    parts = split_by_document(sentences, shares, seed=1)
    homes = {}
    for name, part in parts.items():
        assert abs(len(part) / len(sentences) - shares[name]) < 0.03
        for s in part:
            assert homes.setdefault(s.doc_id, name) == name
    assert sum(map(len, parts.values())) == len(sentences)
    assert split_by_document(list(reversed(sentences)), shares, 1).keys() == parts.keys()
    assert {n: {s.doc_id for s in p} for n, p in split_by_document(list(reversed(sentences)), shares, 1).items()} == {
        n: {s.doc_id for s in p} for n, p in parts.items()
    }
    assert {s.doc_id for s in split_by_document(sentences, shares, 2)["dev"]} != {s.doc_id for s in parts["dev"]}


@pytest.mark.parametrize("name", ["train", "dev", "test"])
def test_the_corpus_is_valid(name, ontology):
    from conftest import REPOSITORY

    assert len(read_sentences(REPOSITORY / "annotations" / f"{name}.jsonl", ontology)) > 0


def test_agreement_of_equal_and_of_differing_annotations(ontology):
    from tacitus.annotation.agreement import agreement

    lines = [("[a1 Rebels] shelled [l2 Juba].", "= shelling-artillery-missile i1 p2"), ("Prices rose.", "= none")] * 4
    first = [parse_sentence(*pair, ontology, "d", i) for i, pair in enumerate(lines)]
    same = agreement(first, first, ontology)
    assert same["any_event_kappa"] == same["type_kappa_pooled"] == same["role_strict_f1"]["all"] == 1
    lines[0] = (lines[0][0], "= armed-clash i1 p2")
    other = agreement(first, [parse_sentence(*pair, ontology, "d", i) for i, pair in enumerate(lines)], ontology)
    assert other["any_event_kappa"] == 1
    assert other["same_types"] == 7 / 8
    assert other["types"]["shelling-artillery-missile"] == {
        "kappa": pytest.approx(0.75),
        "first": 4,
        "second": 3,
        "both": 3,
    }


def test_brackets_and_equal_initials_are_refused(ontology):
    from tacitus.errors import OntologyError
    from tacitus.ontology import ontology_from_dict

    with pytest.raises(RecordError, match="square bracket outside"):
        parse_sentence("[A1 Rebels] fled.", "= none", ontology, "d", 0)
    twins = ontology_from_dict({"name": "t", "span_labels": [{"id": "PERSON"}, {"id": "PLACE"}]})
    with pytest.raises(OntologyError, match="different initials"):
        parse_sentence("[p1 Ann] fled.", "= none", twins, "d", 0)
