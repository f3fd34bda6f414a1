import random

import numpy as np

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
    from dataclasses import replace

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
