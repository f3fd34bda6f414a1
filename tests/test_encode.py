import random

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from tacitus.data.encode import IGNORE, FeatureEncoder, align_spans, encode_texts, prepare_tokenizer
from tacitus.records import AnnotatedSentence, Event, Span
from tacitus.tagging import TagSet

TEXTS = [
    "Rebels shelled Deir ez-Zor's centre; Assad's army (SAA) fled.",
    "  leading space, caf\u00e9 and cafe\u0301, \U0001f600 emoji \u0645\u0631\u062d\u0628\u0627 right-to-left\t\tU.S.A. ",
    "ALL CAPS IN KYIV -- 3,500 people",
    "",
    "   ",
    "\x00\u200b",
]


def byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        TEXTS * 3,
        trainers.BpeTrainer(vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False),
    )
    return tokenizer


def sentence_piece_like() -> Tokenizer:
    tokenizer = Tokenizer(
        models.Unigram(
            [("<unk>", 0.0), ("\u2581", -2.0), *((c, -3.0) for c in sorted(set("".join(TEXTS)) - {" "}))], unk_id=0
        )
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer


@pytest.fixture(params=["wordpiece", "byte-level", "sentence-piece"])
def tokenizer(request, tiny_encoder) -> Tokenizer:
    if request.param == "wordpiece":
        return Tokenizer.from_file(str(tiny_encoder / "tokenizer.json"))
    return byte_level() if request.param == "byte-level" else sentence_piece_like()


def test_units_are_word_and_punctuation_pieces_under_any_tokenizer(tokenizer):
    for text, encoded in zip(TEXTS, encode_texts(TEXTS, prepare_tokenizer(tokenizer, 512)), strict=True):
        pieces = [text[start:end] for start, end in encoded.unit_offsets]
        assert all(piece == piece.strip() and piece for piece in pieces if piece.strip("\x00\u200b"))
        starts = [start for start, _ in encoded.unit_offsets]
        assert starts == sorted(set(starts))
    first = encode_texts(TEXTS, prepare_tokenizer(tokenizer, 512))[0]
    aligned, lost = align_spans(
        [Span(0, 6, "ACTOR"), Span(15, 26, "LOCATION"), Span(37, 42, "ACTOR"), Span(51, 54, "ACTOR")],
        first.unit_offsets,
    )
    assert not lost, [TEXTS[0][s:e] for s, e in first.unit_offsets]
    assert len(aligned) == 4


def test_every_token_knows_the_letter_case_of_its_word(tokenizer):
    text = "Rebels shelled KYIV near McGill, É. Ökalan 7 iPhone"
    (encoded,) = encode_texts([text], prepare_tokenizer(tokenizer, 512))
    (window,) = encoded.windows
    starts = {
        start: window.case_ids[p] for (start, _), p in zip(encoded.unit_offsets, window.unit_positions, strict=True)
    }
    words = {"Rebels": 1, "shelled": 0, "KYIV": 2, "near": 0, "McGill": 3, "É": 1, "Ökalan": 1, "7": 0, "iPhone": 3}
    assert {word: starts[text.index(word)] for word in words} == words
    assert len(window.case_ids) == len(window.input_ids)


def test_windows_cover_every_unit_and_agree_on_offsets(tokenizer):
    text = " ".join(random.Random(1).choices(["rebels", "troops,", "villagers", "Deir", "ez-Zor", "x1y2z3"], k=300))
    whole = encode_texts([text], prepare_tokenizer(tokenizer, 100_000))[0]
    cut = encode_texts([text], prepare_tokenizer(tokenizer, 64, stride=16))[0]
    assert len(cut.windows) > 5
    assert cut.unit_offsets == whole.unit_offsets
    covered = {w.first_unit + k for w in cut.windows for k in range(len(w.unit_positions))}
    assert covered == set(range(len(whole.unit_offsets)))


def test_features_hold_the_gold_and_leave_unknown_layers_out(tiny_encoder, tiny_ontology):
    tokenizer = prepare_tokenizer(Tokenizer.from_file(str(tiny_encoder / "tokenizer.json")), 64)
    tags = TagSet(tuple(tiny_ontology.span_label_ids))
    encode = FeatureEncoder(tokenizer, tiny_ontology, tags)
    text = "rebels attacked police in juba"
    spans = (Span(0, 6, "ACTOR"), Span(16, 22, "ACTOR"), Span(26, 30, "LOCATION"))
    events = (Event("attack", {"initiators": (0,), "targets": (1,), "places": (2,)}),)
    (full, types, bare), lost = encode(
        [
            AnnotatedSentence("a", text, spans, events),
            AnnotatedSentence("b", text, None, events),
            AnnotatedSentence("c", text, spans, None),
        ]
    )
    assert lost == 0
    assert full["event_labels"] == [1, 0, 0]
    assert tags.decode(full["tag_labels"]) == [(0, 1, "ACTOR"), (2, 3, "ACTOR"), (4, 5, "LOCATION")]
    assert full["role_labels"] == [[0, 0, 1], [2, 0, 2], [4, 0, 3]]
    assert types["tag_labels"] == [IGNORE] * 5
    assert types["event_labels"] == [1, 0, 0]
    assert bare["event_labels"] == [IGNORE] * 3
    assert types["role_labels"] == bare["role_labels"] == []


def test_spans_inside_a_word_are_counted_as_lost(tiny_encoder, tiny_ontology):
    tokenizer = prepare_tokenizer(Tokenizer.from_file(str(tiny_encoder / "tokenizer.json")), 64)
    encode = FeatureEncoder(tokenizer, tiny_ontology, TagSet(("ACTOR", "LOCATION")))
    features, lost = encode([AnnotatedSentence("a", "rebels fled", (Span(0, 3, "ACTOR"),), ())])
    assert lost == 1
    assert features[0]["tag_labels"] == [0, 0]


def test_tags_of_every_window_are_allowed_where_a_span_crosses_the_edge(tiny_encoder, tiny_ontology):
    tags = TagSet(("ACTOR", "LOCATION"))
    tokenizer = prepare_tokenizer(Tokenizer.from_file(str(tiny_encoder / "tokenizer.json")), 16, stride=4)
    words = ["rebels"] * 60
    text = " ".join(words)
    spans = tuple(Span(7 * a, 7 * (a + 9) - 1, "ACTOR") for a in range(0, 50, 10))
    features, lost = FeatureEncoder(tokenizer, tiny_ontology, tags)([AnnotatedSentence("a", text, spans, ())])
    assert lost == 0
    assert len(features) > 4
    assert sum(len(tags.decode(f["tag_labels"])) for f in features) >= len(spans)


def test_combining_marks_stay_with_their_word(tiny_encoder):
    text = "in Sao Tome\u0301"
    tokenizer = prepare_tokenizer(Tokenizer.from_file(str(tiny_encoder / "tokenizer.json")), 64)
    assert encode_texts([text], tokenizer)[0].unit_offsets[-1] == (7, len(text))
