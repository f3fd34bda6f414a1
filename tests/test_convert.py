"""Converters: files of other tools in and out, each written by the library it comes from or by its published form."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tacitus.convert.documents import MarkedDocument, MarkedEvent, to_sentences
from tacitus.convert.formats import READ, Source, convert, format_of, read_format
from tacitus.convert.labels import check_ontology, parse_map, rename
from tacitus.convert.losses import Losses
from tacitus.data.documents import Columns
from tacitus.data.jsonl import write_sentences
from tacitus.data.labelled import ontology_of, read_conll
from tacitus.errors import InputError, OntologyError, OutputError, RecordError, TacitusError
from tacitus.ontology import dump_ontology, load_ontology
from tacitus.records import AnnotatedSentence, Event, Span
from tacitus.resources import ontology_paths

TEXT = "😀 Rebels shelled Juba.\n\nThe army left. It rained."


def read(path, kind, **options):
    losses = Losses()
    return read_format(Source(path, **options), kind, losses), losses.counts


def written(folder, sentences, kind, name):
    """What is read back from a file that was written, and the losses of writing."""
    write_sentences(folder / "in.jsonl", sentences)
    _, losses = convert(Source(folder / "in.jsonl"), folder / name, ("tacitus", kind))
    return read(folder / name, kind)[0], losses.counts


def lines(path, *rows):
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


def marks(sentence):
    return [(sentence.span_text(i), span.label) for i, span in enumerate(sentence.spans or ())]


def content(sentence):
    return sentence.text, sentence.spans, sentence.events


WORDS = st.text(st.characters(categories=("L", "M", "N", "So")), min_size=1, max_size=6)


@st.composite
def annotated(draw, name="d1"):
    """A sentence of words in any script with spans over whole words, events and roles."""
    words = draw(st.lists(WORDS, min_size=2, max_size=7))
    starts = [sum(len(w) + 1 for w in words[:i]) for i in range(len(words))]
    picked = draw(st.lists(st.sampled_from(range(len(words))), unique=True, max_size=4).map(sorted))
    spans = tuple(
        Span(starts[i], starts[i] + len(words[i]), draw(st.sampled_from(["ACTOR", "LOCATION"]))) for i in picked
    )
    actors = [i for i, span in enumerate(spans) if span.label == "ACTOR"]
    roles = st.lists(st.sampled_from(actors), unique=True).map(lambda x: tuple(sorted(x))) if actors else st.just(())
    kinds = draw(st.lists(st.sampled_from(["attack", "deal"]), unique=True))
    events = tuple(Event(kind, {"initiators": draw(roles), "targets": draw(roles)}) for kind in kinds)
    return AnnotatedSentence(name, " ".join(words), spans, events)


def played(sentence):
    """Content without role lists that nobody plays."""
    events = [(e.type, {k: v for k, v in e.roles.items() if v}) for e in sentence.events or ()]
    return sentence.text, sentence.spans, sorted(events, key=str)


# --- a document becomes sentences


def test_a_document_is_split_and_marks_that_fit_no_sentence_are_named():
    places = [(2, 8, "A"), (17, 28, "A"), (17, 21, "L"), (24, 28, "A"), (23, 32, "A"), (21, 28, "A")]
    spans = tuple(Span(*place) for place in places)
    events = (MarkedEvent("shell", {"by": (0, 3)}, (9, 16)), MarkedEvent("leave", {"by": (4,)}, (33, 37)))
    losses = Losses()
    found = to_sentences(MarkedDocument("d", TEXT, spans, events), losses)
    assert [s.text for s in found] == ["😀 Rebels shelled Juba.", "The army left.", "It rained."]
    assert [marks(s) for s in found] == [[("Rebels", "A"), ("Juba", "L")], [("The army", "A")], []]
    assert [(s.id, s.doc_id, s.sentence_index) for s in found] == [(f"d-s0{i}", "d", i) for i in range(3)]
    assert [s.events for s in found] == [(Event("shell", {"by": (0,)}),), (Event("leave", {"by": (0,)}),), ()]
    assert losses.counts == {
        "spans across a sentence boundary": 2,
        "spans that overlap a longer one": 1,
        "roles of spans that are not in the event's sentence": 1,
        "trigger words of events": 2,
        "white space at the edges of spans": 4,
    }
    assert "spans across a sentence boundary: 2 (d A 'Juba. The', d A '. The'" in losses.line()


def test_a_trigger_over_a_boundary_joins_the_sentences():
    events = (MarkedEvent("raid", {}, (0, 14)),)
    found = to_sentences(MarkedDocument("d", "It. Was raided. Then calm.", (), events), Losses())
    assert [(s.text, s.events) for s in found] == [("It. Was raided.", (Event("raid", {}),)), ("Then calm.", ())]


def test_a_text_with_a_label_of_its_own_and_a_whole_one_are_not_split():
    labelled = MarkedDocument("d", TEXT, (Span(17, 28, "A"),), (MarkedEvent("war"),))
    for document, whole in ((labelled, False), (MarkedDocument("d", TEXT, (Span(17, 28, "A"),)), True)):
        (sentence,) = to_sentences(document, Losses(), whole)
        assert (sentence.id, sentence.text, marks(sentence)) == ("d", TEXT, [("Juba.\n\nThe", "A")])


def test_a_span_outside_the_text_and_a_text_without_words():
    with pytest.raises(RecordError, match=r"document 'd': A 3\.\.9 lies outside the text of 4 characters"):
        to_sentences(MarkedDocument("d", "Juba", (Span(3, 9, "A"),)), Losses())
    losses = Losses()
    assert to_sentences(MarkedDocument("d", " \n", ()), losses) == []
    assert losses.counts == {"texts without words": 1}


def test_events_of_one_type_in_a_sentence_become_one():
    spans = (Span(0, 6, "A"), Span(15, 19, "A"))
    events = [MarkedEvent("shell", {"by": (0,)}, (7, 14)), MarkedEvent("shell", {"by": (1,), "on": (1,)}, (7, 14))]
    losses = Losses()
    (sentence,) = to_sentences(MarkedDocument("d", "Rebels shelled Juba.", spans, tuple(events)), losses)
    assert sentence.events == (Event("shell", {"by": (0, 1), "on": (1,)}),)
    assert losses.counts["events put together with another of their type"] == 1


# --- CoNLL


@pytest.mark.parametrize(
    "tags",
    ["B-A I-A O B-L B-L", "I-A I-A O I-L B-L", "B-A E-A O S-L S-L", "B-A L-A O U-L U-L", "B-A E-A O W-L W-L"],
    ids=["BIO", "IOB1", "BIOES", "BILOU", "BMEWO"],
)
def test_every_tag_scheme_gives_the_same_spans(tmp_path, tags):
    words = ["The", "a\xa0b", "left", "Juba", "😀"]
    rows = [f"{word}\tX\t{tag}" for word, tag in zip(words, tags.split(), strict=True)]
    (tmp_path / "a.conll").write_text("# id = 1\n" + "\n".join(rows) + "\n\n-DOCSTART- O\n\n# O\n", encoding="utf-8")
    first, second = read_conll(tmp_path / "a.conll")
    assert marks(first) == [("The a\xa0b", "A"), ("Juba", "L"), ("😀", "L")]
    assert second.text == "#"


@settings(max_examples=60)
@given(annotated())
def test_conll_keeps_the_words_and_spans(sentence):
    with TemporaryDirectory() as folder:
        (back,), losses = written(Path(folder), [sentence], "conll", "a.conll")
    assert back.text.split() == back.text.split(" ")
    assert "".join(back.text.split()) == "".join(sentence.text.split())
    assert [("".join(text.split()), label) for text, label in marks(back)] == marks(sentence)
    assert losses["events"] == len(sentence.events)


def test_conll_cuts_tokens_at_spans_and_says_what_it_has_no_place_for(tmp_path):
    gold = AnnotatedSentence(
        "x", "(pro-Assad) army's base.", (Span(5, 10, "A"), Span(12, 16, "A", 0.5)), (Event("e", {"by": (0,)}),)
    )
    unknown = AnnotatedSentence("y", "No spans known.", None, None, meta={"date": "2024-05-01"})
    (back,), losses = written(tmp_path, [gold, unknown], "conll", "a.conll")
    assert (tmp_path / "a.conll").read_text().split("\n")[:5] == ["(\tO", "pro-\tO", "Assad\tB-A", ")\tO", "army\tB-A"]
    assert marks(back) == [("Assad", "A"), ("army", "A")]
    assert losses == {
        "sentence ids": 2, "dates and other fields": 1, "events": 1, "roles": 1, "scores": 1, "layers marked as unknown": 2,
        "sentences whose spans nobody annotated": 1, "sentences whose white space is written otherwise": 1,
    }  # fmt: skip


# --- BRAT

BRAT = (
    "T1\tOrg 0 3;18 22\tThe army\nT2\tOrg 4 10\trebels\nT3\tPlace 27 31\tJuba\nT4\tAttack 11 17\tshell \n"
    "E1\tAttack:T4 Agent:T2 Agent2:T3 Cause:E2 Target:T1\nE2\tAttack:T4\n"
    "R1\tnear Arg1:T2 Arg2:T3\t\nA1\tNegation E1\nN1\tReference T3 Wikidata:Q1947\tJuba\n#1\tAnnotatorNotes T2\tsure?\n*\tEquiv T2 T3\n"
)


def test_brat_is_read_and_what_has_no_place_is_counted(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.txt").write_text("The rebels shell\n army near Juba.\n", encoding="utf-8")
    text = "The rebels shell\n army near Juba.\n"
    ann = BRAT.replace("18 22", f"{text.index('army')} {text.index('army') + 4}")
    ann = ann.replace("27 31", f"{text.index('Juba')} {text.index('Juba') + 4}")
    (tmp_path / "sub" / "a.ann").write_text(ann, encoding="utf-8")
    (tmp_path / "b.txt").write_text("Alone.")
    (sentence,), losses = read(tmp_path, "brat")
    assert (sentence.id, marks(sentence)) == ("sub/a", [("rebels", "Org"), ("Juba", "Place")])
    assert sentence.events == (Event("Attack", {"Agent": (0, 1)}),)
    assert losses == {
        "discontinuous spans": 1, "roles of discontinuous spans and triggers": 1, "roles that are played by an event": 1,
        "events put together with another of their type": 1, "trigger words of events": 2, "texts without an .ann file": 1,
        "relations": 1, "attributes": 1, "normalisations": 1, "notes": 1, "equivalences": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ann", "message"),
    [
        ("T1\tOrg 0 3\tArmy\n", r"a\.ann:1: says 'Army', its offsets 0 3 give 'The' in the text"),
        ("T1 Org 0 3 The\n", r"a\.ann:1: 'T1 Org 0 3 The' is no text-bound annotation"),
        ("T1\tOrg 0 3\tThe\nE1\tA:T1 By:T7\n", r"a\.ann:2: T7 is not in the file"),
        ("E1\tA:T9\n", r"a\.ann:1: the trigger T9 is not in the file"),
    ],
)
def test_a_broken_brat_line_is_named(tmp_path, ann, message):
    (tmp_path / "a.txt").write_text("The army left.")
    (tmp_path / "a.ann").write_text(ann)
    with pytest.raises(InputError, match=message):
        read(tmp_path, "brat")


@settings(max_examples=40)
@given(annotated("d1-s00"), annotated("d1-s01"))
def test_brat_keeps_spans_events_and_roles(first, second):
    both = [replace(s, doc_id="d1", sentence_index=i) for i, s in enumerate((first, second))]
    with TemporaryDirectory() as folder:
        back, losses = written(Path(folder), both, "brat", "out")
    events_known = any(s.events for s in both)
    assert [played(s) for s in back] == [played(s) for s in both]
    assert all((s.events is not None) == events_known for s in back)
    assert [(s.id, s.doc_id, s.sentence_index) for s in back] == [(s.id, s.doc_id, s.sentence_index) for s in both]
    assert not losses["sentences that will be split otherwise when they are read again"]


def test_brat_writes_spans_over_line_breaks_safe_names_and_its_labels(tmp_path):
    odd = AnnotatedSentence(
        "../a:1", "The\nrebels left Juba", (Span(0, 10, "Org"), Span(16, 20, "Place")), (Event("go", {"by": (0, 1)}),)
    )
    other = AnnotatedSentence("..A 1", "Two sentences. Here they are.", (), ())
    back, losses = written(tmp_path, [odd, other], "brat", "out")
    names = {"_a_1.ann", "_a_1.txt", "A_1.ann", "A_1.txt", "annotation.conf"}
    assert {p.name for p in (tmp_path / "out").iterdir()} == names
    assert "T1\tOrg 0 3;4 10\tThe rebels\n" in next((tmp_path / "out").glob("*a_1.ann")).read_text()
    assert (
        "[entities]\nOrg\nPlace\n\n[relations]\n\n[events]\ngo\tby*:Org|Place\n"
        in (tmp_path / "out" / "annotation.conf").read_text()
    )
    assert content(next(s for s in back if s.spans)) == content(odd)
    assert (
        losses["document ids that are no file name"],
        losses["sentences that will be split otherwise when they are read again"],
    ) == (2, 1)
    with pytest.raises(OutputError, match="is there already"):
        written(tmp_path, [odd], "brat", "out")
    with pytest.raises(
        OutputError, match=r"label 'an Org' cannot be written in BRAT; give it another name: --map 'an Org'=NEW"
    ):
        written(tmp_path, [AnnotatedSentence("a", "Juba", (Span(0, 4, "an Org"),), ())], "brat", "new")
    assert not (tmp_path / "new").exists()


# --- doccano and Prodigy


def test_doccano_spans_entities_and_classes(tmp_path):
    spans = [
        {"id": 7, "text": "😀 Rebels left. It rained.", "label": [[2, 8, "A"]], "Comments": ["sure?"]},
        {"id": 8, "text": "Rain.", "label": []},
    ]
    found, losses = read(lines(tmp_path / "s.jsonl", *spans), "doccano")
    assert [(s.id, marks(s), s.events) for s in found] == [
        ("7-s00", [("Rebels", "A")], None),
        ("7-s01", [], None),
        ("8", [], None),
    ]
    assert losses["comments"] == 1
    entity = {"id": 1, "start_offset": 0, "end_offset": 6, "label": "A"}
    row = {
        "text": "Rebels left.",
        "entities": [entity],
        "relations": [{"id": 1, "from_id": 1, "to_id": 1, "type": "x"}],
        "cats": ["go"],
    }
    (both,), losses = read(lines(tmp_path / "e.jsonl", row), "doccano")
    assert (both.id, marks(both), both.event_types(), losses["relations"]) == ("e:1", [("Rebels", "A")], {"go"}, 1)
    rows = [
        {"text": "One. Two.", "label": ["war", "peace"]},
        {"text": "Three.", "label": []},
        {"text": "Four.", "label": "war"},
    ]
    found, _ = read(lines(tmp_path / "c.jsonl", *rows), "doccano")
    assert [(s.spans, s.event_types(), s.events is None) for s in found] == [
        (None, {"war", "peace"}, False),
        (None, set(), False),
        (None, {"war"}, False),
    ]


def test_prodigy_spans_choices_and_answers(tmp_path):
    tokens = [{"text": "Rebels", "start": 0, "end": 6, "id": 0}, {"text": "left", "start": 7, "end": 11, "id": 1}]
    spans = [{"start": 0, "end": 6, "label": "A", "token_start": 0, "token_end": 0}]
    rows = [
        {"text": "Rebels left", "tokens": tokens, "spans": spans, "answer": "accept", "meta": {"source": "x"}},
        {"text": "Rebels stay", "spans": [], "answer": "ignore"},
        {"text": "Two. Sentences.", "options": [{"id": "war", "text": "War"}], "accept": ["war"], "answer": "accept"},
    ]
    found, losses = read(lines(tmp_path / "p.jsonl", *rows), "prodigy")
    assert [(s.id, s.meta, marks(s), s.events) for s in found] == [
        ("p:1", {"source": "x"}, [("Rebels", "A")], None),
        ("p:3", None, [], (Event("war"),)),
    ]
    assert losses == {"answers 'ignore'": 1}
    tokens[1]["text"] = "leave"
    with pytest.raises(InputError, match=r"p\.jsonl:1: the token 'leave' is not at its offsets"):
        read(lines(tmp_path / "p.jsonl", *rows), "prodigy")


def test_prodigy_binary_answers_become_one_text(tmp_path):
    asked = [
        ("a", "war", "accept"),
        ("a", "aid", "reject"),
        ("b", "war", "reject"),
        ("b", "aid", "reject"),
        ("c", "war", "reject"),
        ("d", "aid", "ignore"),
    ]
    rows = [{"text": text, "label": label, "answer": answer} for text, label, answer in asked]
    found, losses = read(lines(tmp_path / "b.jsonl", *rows), "prodigy")
    assert [(s.text, s.events) for s in found] == [("a", (Event("war"),)), ("b", ())]
    assert losses["texts whose asked labels were refused, others not asked"] == 2


@pytest.mark.parametrize(
    ("kind", "row", "message"),
    [
        ("doccano", {"text": "x", "label": 3}, "'label' is no list"),
        ("doccano", {"text": "x", "label": [[0, 1]]}, r"a span is \[start, end, label\], got"),
        ("doccano", {"text": "x", "label": [[1, 1, "A"]]}, "span 1..1 is empty or reversed"),
        ("doccano", {"text": "x", "label": [[0, 5, "A"]]}, "lies outside the text of 1 characters"),
        ("prodigy", {"text": "x", "spans": [{"start": 0}]}, "offsets are whole numbers"),
        ("prodigy", {"body": "x"}, "no column 'text'"),
    ],
)
def test_a_broken_json_line_is_one_line(tmp_path, kind, row, message):
    with pytest.raises(TacitusError, match=message) as caught:
        read(lines(tmp_path / "a.jsonl", row), kind)
    assert "\n" not in str(caught.value)


# --- spaCy


@settings(max_examples=3, phases=[Phase.generate])  # an example takes a tokenizer to build, and holds many sentences
@given(st.lists(annotated(), min_size=12, max_size=12))
def test_docbin_keeps_text_spans_types_and_fields(sentences):
    full = [
        replace(s, id=f"d1-s{i}", doc_id="d1", sentence_index=i, meta={"n": [i]}, extra={"note": "x"})
        for i, s in enumerate(sentences)
    ]
    other = AnnotatedSentence("z", "Calm  now.", None, None)
    types = {e.type for s in sentences for e in s.events}
    with TemporaryDirectory() as folder:
        (*back, plain), losses = written(Path(folder), [*full, other], "docbin", "a.spacy")
    for found, gold in zip(back, full, strict=True):
        assert found == replace(gold, events=tuple(map(Event, sorted(gold.event_types()))) if types else None)
    assert plain == other
    assert losses["roles"] == sum(1 for s in sentences for _ in s.role_tuples())


def test_docbin_of_a_spacy_pipeline(tmp_path):
    import spacy
    from spacy.tokens import DocBin
    from spacy.tokens import Span as SpacySpan

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    first, second = (
        nlp("The Syrian army's men left Homs. Rebels cheered."),
        spacy.blank("en")("It rained.\n\nIt poured."),
    )
    first.ents = [first.char_span(27, 31, label="GPE")]
    first.spans["sc"] = [
        SpacySpan(first, 0, 3, label="ORG"),
        SpacySpan(first, 1, 2, label="NORP"),
        SpacySpan(first, 6, 9, label="X"),
    ]
    second.cats = {"calm": 0.8, "war": 0.2, "aid": 0.0}
    DocBin(docs=[first, second], store_user_data=True).to_disk(tmp_path / "a.spacy")
    found, losses = read(tmp_path / "a.spacy", "docbin")
    assert [marks(s) for s in found[:2]] == [[("The Syrian army", "ORG"), ("Homs", "GPE")], []]
    assert [s.id for s in found] == ["a:1-s00", "a:1-s01", "a:2"]
    assert (found[2].text, found[2].spans, found[2].events) == (
        "It rained.\n\nIt poured.",
        None,
        (Event("calm", score=0.8),),
    )
    assert losses == {
        "spans that overlap a longer one": 1, "spans across a sentence boundary": 1, "scores of text categories below one half": 1,
    }  # fmt: skip


def test_docbin_trains_in_spacy_form(tmp_path):
    """Entities on spaCy's tokens, a value for every category."""
    import spacy
    from spacy.tokens import DocBin

    gold = AnnotatedSentence("x", "Anti-army men left.", (Span(5, 9, "A"),), (Event("go"),))
    written(tmp_path, [gold, AnnotatedSentence("y", "Calm.", (), ())], "docbin", "a.spacy")
    docs = list(DocBin().from_disk(tmp_path / "a.spacy").get_docs(spacy.blank("en").vocab))
    assert [[(e.text, e.label_) for e in doc.ents] for doc in docs] == [[("army", "A")], []]
    assert [doc.cats for doc in docs] == [{"go": 1.0}, {"go": 0.0}]
    (tmp_path / "b.spacy").write_bytes(b"no DocBin")
    with pytest.raises(InputError, match=r"b\.spacy: no DocBin of spaCy"):
        read(tmp_path / "b.spacy", "docbin")


# --- UIMA CAS


@pytest.fixture
def cas(tmp_path):
    """A document as INCEpTION exports it: entities, a layer of events with slots, a relation, sentences, tokens."""
    from cassis import Cas, load_dkpro_core_typesystem

    types = load_dkpro_core_typesystem()
    core = "de.tudarmstadt.ukp.dkpro.core.api"
    event = types.create_type("webanno.custom.Event", supertypeName="uima.tcas.Annotation")
    link = types.create_type("webanno.custom.EventPartsLink", supertypeName="uima.cas.TOP")
    types.create_feature(link, "role", "uima.cas.String")
    types.create_feature(link, "target", "uima.tcas.Annotation")
    types.create_feature(event, "kind", "uima.cas.String")
    types.create_feature(event, "parts", "uima.cas.FSArray", elementType="webanno.custom.EventPartsLink")
    near = types.create_type("webanno.custom.Near", supertypeName="uima.tcas.Annotation")
    for name in ("Governor", "Dependent"):
        types.create_feature(near, name, "uima.tcas.Annotation")
    document = Cas(types)
    document.sofa_string, document.sofa_mime = "😀 Rebels shelled Juba. Then it rained.", "text/plain"
    entity, sentence, token = (
        types.get_type(f"{core}.{n}")
        for n in ("ner.type.NamedEntity", "segmentation.type.Sentence", "segmentation.type.Token")
    )
    rebels, juba = entity(begin=2, end=8, value="ACTOR", identifier="http://x"), entity(begin=17, end=21, value="PLACE")
    slots = types.get_type("uima.cas.FSArray")(
        elements=[link(role="by", target=rebels), link(role="in", target=juba), link(role="why", target=None)]
    )
    pos = types.get_type(f"{core}.lexmorph.type.pos.POS")(begin=2, end=8, PosValue="NNS")
    document.add_all([rebels, juba, event(begin=9, end=16, kind="attack", parts=slots), near(begin=2, end=8, Governor=rebels, Dependent=juba),
                      sentence(begin=0, end=23), sentence(begin=23, end=38), token(begin=2, end=8), pos])  # fmt: skip
    document.to_xmi(tmp_path / "admin.xmi")
    types.to_xml(tmp_path / "TypeSystem.xml")
    return tmp_path / "admin.xmi"


def test_cas_entities_events_and_sentences(cas):
    (first, second), losses = read(cas, "cas")
    assert 'begin="3" end="9"' in cas.read_text(encoding="utf-8")  # the file counts UTF-16 units
    assert (first.text, marks(first)) == ("😀 Rebels shelled Juba.", [("Rebels", "ACTOR"), ("Juba", "PLACE")])
    assert (first.events, second.text, second.events) == (
        (Event("attack", {"by": (0,), "in": (1,)}),),
        "Then it rained.",
        (),
    )
    assert losses == {
        "roles that are not played by a span": 1, "relations": 1, "annotations of the layer POS": 1,
        "further features of annotations": 1, "trigger words of events": 1,
    }  # fmt: skip


def test_cas_in_a_folder_and_in_a_zip_are_the_same(cas, tmp_path):
    folder = read(tmp_path, "cas")[0]
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for name in ("admin.xmi", "TypeSystem.xml"):
            archive.write(tmp_path / name, f"annotation/{name}")
    assert read(tmp_path / "export.zip", "cas")[0] == folder == read(cas, "cas")[0]
    assert [s.id for s in folder] == ["admin-s00", "admin-s01"]


def test_a_cas_without_types_or_of_other_types_is_one_line(cas, tmp_path):
    (tmp_path / "TypeSystem.xml").write_text(
        "<typeSystemDescription xmlns='http://uima.apache.org/resourceSpecifier'/>"
    )
    with pytest.raises(InputError, match=r"admin\.xmi: not a CAS of its TypeSystem\.xml"):
        read(cas, "cas")
    (tmp_path / "TypeSystem.xml").unlink()
    with pytest.raises(InputError, match=r"TypeSystem\.xml: no such file"):
        read(cas, "cas")


# --- tables


def test_a_table_with_one_label_column(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('\ufeffbody,kind,id,date\n"One. Two,",war,a,2024-05-01\nCalm.,,b,\n', encoding="utf-8")
    found, _ = read(path, "csv", columns=Columns(text="body"), label_column="kind")
    assert [(s.id, s.text, s.events, s.spans, s.meta) for s in found] == [
        ("a", "One. Two,", (Event("war"),), None, {"date": "2024-05-01"}),
        ("b", "Calm.", (), None, None),
    ]
    with pytest.raises(InputError, match=r"no column 'label'.*name it with --label-column"):
        read(path, "csv", columns=Columns(text="body"))
    path.write_text("id,text,label\na,x,war\na,y,war\n")
    with pytest.raises(InputError, match="the id 'a' stands twice"):
        read(path, "csv")
    (tmp_path / "t.tsv").write_text("text\tlabel\none, two\twar\n")
    assert read(tmp_path / "t.tsv", "csv")[0][0].text == "one, two"


# --- labels, formats, ontologies


def test_labels_are_renamed_joined_and_left_out():
    spans = (Span(0, 1, "ORG"), Span(2, 3, "PER"), Span(4, 5, "MISC"))
    events = (Event("raid", {"by": (0, 2)}, 0.5, {"by": (0.1, 0.2)}), Event("bomb", {"by": (1,)}, 0.9, {"by": (0.3,)}))
    gold = AnnotatedSentence("x", "a b c", spans, events, event_scores={"raid": 0.5, "bomb": 0.9})
    losses = Losses()
    (found,) = rename([gold], parse_map(["ORG=ACTOR", "PER=ACTOR", "MISC=", "by=initiators"]), losses)
    assert [s.label for s in found.spans] == ["ACTOR", "ACTOR"]
    assert found.events[0] == Event("raid", {"initiators": (0,)}, 0.5, {"initiators": (0.1,)})
    assert losses.counts == {"MISC left out by --map": 1, "roles left out by --map": 1}
    (joined,) = rename([gold], {"bomb": "raid"}, losses)
    assert joined.events == (Event("raid", {"by": (0, 1, 2)}, 0.9),)
    assert losses.counts["scores"] == 3
    with pytest.raises(InputError, match=r"no label 'ORGS' in the file \(did you mean 'ORG'\?\)"):
        rename([gold], {"ORGS": "x"}, losses)
    for pair in ("ORG", "=x"):
        with pytest.raises(InputError, match="write OLD=NEW"):
            parse_map([pair])


def test_unknown_labels_are_listed_in_one_line(tiny_ontology):
    gold = AnnotatedSentence(
        "x", "a b", (Span(0, 1, "ORG"), Span(2, 3, "PER")), (Event("raid", {"by": (0,)}), Event("deal"))
    )
    with pytest.raises(
        OntologyError,
        match=r"'tiny' does not know: span labels ORG, PER; event types raid; roles by; rename with --map",
    ):
        check_ontology([gold], tiny_ontology)
    known = AnnotatedSentence("x", "a b", (Span(0, 1, "LOCATION"),), (Event("deal", {"initiators": (0,)}),))
    with pytest.raises(RecordError, match="sentence 'x': event 'deal': initiators index 0 is a LOCATION, needs ACTOR"):
        check_ontology([known], tiny_ontology)


def test_a_format_is_guessed_only_where_one_fits(tmp_path):
    names = {"a.CSV": "csv", "a.spacy": "docbin", "a.xmi": "cas", "a.conll": "conll", "folder": "brat"}
    assert {name: format_of(tmp_path / name, None, READ, "--from") for name in names} == names
    with pytest.raises(InputError, match=r"could be tacitus, doccano, prodigy; say which with --from"):
        format_of(tmp_path / "a.jsonl", None, READ, "--from")
    with pytest.raises(InputError, match=r"--from docan: no such format \(did you mean 'doccano'\?\)"):
        format_of(tmp_path / "a", "docan", READ, "--from")


def test_an_ontology_is_made_from_sentences(tmp_path, tiny_sentences):
    made = ontology_of(tiny_sentences, "mine")
    (tmp_path / "o.yaml").write_text(dump_ontology(made))
    again = load_ontology(tmp_path / "o.yaml")
    assert again == made
    check_ontology(tiny_sentences, again)
    assert (again.event_types, again.span_label_ids) == (["attack", "capture", "deal"], ["ACTOR", "LOCATION"])
    assert {role.key: role.span_label for role in again.roles} == {
        "initiators": "ACTOR",
        "places": "LOCATION",
        "targets": "ACTOR",
    }
    mixed = AnnotatedSentence("x", "a b", (Span(0, 1, "A"), Span(2, 3, "B")), (Event("e", {"by": (0, 1)}),))
    with pytest.raises(OntologyError, match="role 'by' is played by A and B"):
        ontology_of([mixed], "mine")


def test_shipped_ontologies_are_used_by_name():
    assert list(ontology_paths()) == ["acled", "cameo-quad", "plover", "re3d"]
    found = {name: load_ontology(name) for name in ontology_paths()}
    assert found["acled"] == load_ontology()
    assert [len(found[name].event_types) for name in found] == [25, 4, 16, 0]
    assert len(found["re3d"].span_label_ids) == 10
    for ontology in found.values():
        assert all(ontology.definitions.values())
        assert all(label.definition for label in ontology.span_labels)
    with pytest.raises(OntologyError, match="one of acled, cameo-quad, plover, re3d"):
        load_ontology("plovers")
