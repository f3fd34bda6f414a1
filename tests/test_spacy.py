"""The spaCy component: events and spans on documents, sentences set or found, saved and loaded."""

import json

import pytest
import spacy
from spacy.tokens import DocBin

import tacitus
from tacitus.data.documents import Document

TEXTS = [
    "rebels attacked police in juba . troops seized from villagers in goma .",
    "",
    "  \n ",
    "prices in goma rose again .",
    "police signed a deal with rebels in mosul .",
]


@pytest.fixture(scope="module")
def nlp(tiny_checkpoint):
    pipeline = spacy.blank("en")
    pipeline.add_pipe("tacitus", config={"model": str(tiny_checkpoint)})
    return pipeline


def test_documents_hold_the_extractors_events_and_spans(nlp, tiny_checkpoint):
    extractor = tacitus.Extractor.load(tiny_checkpoint)
    for text, doc in zip(TEXTS, nlp.pipe(TEXTS, batch_size=2), strict=True):
        (coded,) = extractor.stream([Document("doc", text)])
        assert doc._.events == [r.to_json() for r in coded.events(extractor.ontology)]
        found = sorted((s.start_char, s.end_char, s.label_) for group in doc.spans.values() for s in group)
        spans = [
            (at + s.start, at + s.end, s.label)
            for x, at in zip(coded.sentences, coded.starts, strict=True)
            for s in x.spans
        ]
        assert found == sorted(spans)
        assert all(len(group.attrs["scores"]) == len(group) for group in doc.spans.values())
    assert nlp(TEXTS[4])._.events == doc._.events != []
    assert set(doc.spans) == {"actors", "locations"}


def test_sentences_that_are_set_are_kept(nlp):
    sentences = ["rebels attacked police in juba .", "troops seized from villagers in goma ."]
    words = " ".join(sentences).split()
    spaces = [word != "." for word in words]  # no white space between the sentences, so that only the marks part them
    starts = [i in (0, 6) for i in range(len(words))]
    found = nlp(spacy.tokens.Doc(nlp.vocab, words=words, spaces=spaces, sent_starts=starts))
    assert [e["text"] for e in found._.events] == sentences
    assert {e["text"] for e in nlp(spacy.tokens.Doc(nlp.vocab, words=words, spaces=spaces))._.events} <= {found.text}


def test_a_span_inside_a_token_grows_to_the_token(nlp):
    doc = nlp(spacy.tokens.Doc(nlp.vocab, words=["rebels", "attacked", "police", "in", "juba/goma", "."]))
    assert [s.text for s in doc.spans["locations"]] == ["juba/goma", "juba/goma"]
    assert [s.text for s in doc.spans["actors"]] == ["rebels", "police"]


def test_a_saved_pipeline_stands_alone(nlp, tmp_path):
    nlp.to_disk(tmp_path / "pipeline")
    loaded = spacy.load(tmp_path / "pipeline")
    assert loaded.get_pipe("tacitus").checkpoint == tmp_path / "pipeline" / "tacitus"
    assert loaded(TEXTS[0])._.events == nlp(TEXTS[0])._.events


def test_events_travel_in_a_doc_bin(nlp):
    doc = nlp(TEXTS[0])
    packed = DocBin(store_user_data=True, docs=[doc]).to_bytes()
    (back,) = DocBin(store_user_data=True).from_bytes(packed).get_docs(nlp.vocab)
    assert json.dumps(back._.events) == json.dumps(doc._.events)  # lists come back as tuples


def test_unsure_events_are_left_out(tiny_checkpoint):
    pipeline = spacy.blank("en")
    pipeline.add_pipe("tacitus", config={"model": str(tiny_checkpoint), "min_confidence": 1.1})
    doc = pipeline(TEXTS[0])
    assert doc._.events == []
    assert doc.spans["actors"]
