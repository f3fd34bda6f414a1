import random
from dataclasses import replace

import numpy as np
import pytest

from conftest import VERBS
from tacitus.data.documents import Document
from tacitus.data.encode import encode_texts
from tacitus.extractor import Extractor
from tacitus.records import AnnotatedSentence


def test_documents_come_back_in_order_with_offsets_into_them(tiny_checkpoint):
    extractor = Extractor.load(tiny_checkpoint)
    texts = [
        "rebels attacked police in juba . \n\n troops seized from rebels in goma .",
        "",
        "\u0645\u0631\u062d\u0628\u0627 \U0001f600. police attacked villagers in mosul .",
        "prices rose .",
    ]
    coded = list(extractor.stream(Document(f"d{i}", t, date="2020-01-01") for i, t in enumerate(texts)))
    assert [c.document.text for c in coded] == texts
    records = [r for c in coded for r in c.events(extractor.ontology)]
    assert len({r.event_id for r in records}) == len(records) >= 3
    for record in records:
        document = texts[int(record.doc_id[1:])]
        assert record.text in document
        for participants in record.roles.values():
            assert all(document[p.start : p.end] == p.text and 0 <= p.score <= 1 for p in participants)


def test_batching_does_not_change_predictions(tiny_checkpoint, tiny_sentences):
    extractor = Extractor.load(tiny_checkpoint)
    shuffled = random.Random(0).sample(tiny_sentences, len(tiny_sentences))
    big = extractor.predict(shuffled)
    small = replace(extractor, batch_tokens=1).predict(shuffled)
    assert [p.id for p in big] == [s.id for s in shuffled]
    for a, b in zip(big, small, strict=True):
        assert [s.key for s in a.spans] == [s.key for s in b.spans]
        assert a.event_types() == b.event_types()


def test_sentences_longer_than_the_window_lose_nothing(tiny_checkpoint):
    extractor = Extractor.load(tiny_checkpoint)
    filler = " ".join(["prices rose again ,"] * 60)
    text = f"rebels attacked police in juba , {filler} troops attacked villagers in goma ."
    (predicted,) = extractor.predict([AnnotatedSentence("a", text)])
    found = {text[s.start : s.end] for s in predicted.spans}
    assert {"rebels", "police", "juba", "troops", "villagers", "goma"} <= found
    windows = encode_texts([text], extractor.tokenizer)[0].windows
    assert len(windows) > 3
    (scores,) = extractor.runtime.run([windows])
    best = np.max([s.event_logits for s in scores], axis=0)
    np.testing.assert_allclose(extractor.score([text])[0].event_logits, best, atol=1e-4)


def test_extract_gives_records_per_text(tiny_checkpoint):
    (first, second) = Extractor.load(tiny_checkpoint).extract(
        ["rebels attacked police in juba .", "prices in goma rose again ."]
    )
    assert [r.sub_event_type for r in first] == ["attack"]
    assert second == []


def events_of(extractor, documents):
    """Decisions of each document, and all confidences and scores."""
    coded = {c.document.id: list(c.events(extractor.ontology)) for c in extractor.stream(documents)}
    decisions, scores = {}, []
    for name in sorted(coded):
        decisions[name] = [
            (r.event_id, {k: [(p.start, p.end) for p in ps] for k, ps in r.roles.items()}) for r in coded[name]
        ]
        scores += [x for r in coded[name] for x in (r.confidence, *(p.score for ps in r.roles.values() for p in ps))]
    return decisions, scores


@pytest.fixture(scope="module")
def documents(tiny_sentences):
    chance = random.Random(1)
    return [
        Document(f"d{i:02d}", " \n\n ".join(s.text for s in chance.sample(tiny_sentences, chance.randrange(6))))
        for i in range(40)
    ]


@pytest.mark.parametrize("batch_tokens", [1, 100, 100_000])
@pytest.mark.parametrize("chunk", [1, 7, 2048])
def test_batches_chunks_and_order_change_no_decision_and_no_score(
    tiny_checkpoint, documents, monkeypatch, batch_tokens, chunk
):
    extractor = Extractor.load(tiny_checkpoint, "cpu")
    decisions, scores = events_of(extractor, documents)
    monkeypatch.setattr("tacitus.extractor.CHUNK_SENTENCES", chunk)
    again, other_scores = events_of(replace(extractor, batch_tokens=batch_tokens), documents[::-1])
    assert again == decisions
    np.testing.assert_allclose(other_scores, scores, atol=2e-4)
    assert len(scores) > 100


def test_the_comparison_notices_a_changed_decision(tiny_checkpoint, documents):
    extractor = Extractor.load(tiny_checkpoint, "cpu")
    calibration = replace(extractor.decoder.calibration, thresholds=dict.fromkeys(VERBS, 1.0), lead_threshold=1.0)
    other = replace(extractor, decoder=replace(extractor.decoder, calibration=calibration))
    assert events_of(other, documents)[0] != events_of(extractor, documents)[0]
