import numpy as np

from tacitus.model.decode import Calibration, Decoder, SentenceScores
from tacitus.model.viterbi import ChainScores
from tacitus.ontology import ontology_from_dict
from tacitus.records import AnnotatedSentence
from tacitus.tagging import TagSet

TEXT = "rebels attacked police in juba"
OFFSETS = [(0, 6), (7, 15), (16, 22), (23, 25), (26, 30)]


def scores(tiny_ontology, events, roles):
    tags = TagSet(("ACTOR", "LOCATION"))
    tag_logits = np.zeros((5, len(tags)), dtype=np.float32)
    for unit, tag in enumerate(tags.encode([(0, 1, "ACTOR"), (2, 3, "ACTOR"), (4, 5, "LOCATION")], 5)):
        tag_logits[unit, tag] = 8
    role_logits = np.zeros((5, 3, 4), dtype=np.float32)
    role_logits[:, :, 0] = 2
    for unit, kind, role in roles:
        role_logits[unit, kind, role] = 6
    chain = ChainScores(tags.start_scores, tags.end_scores, tags.transition_scores)
    return tags, chain, SentenceScores(OFFSETS, np.array(events, dtype=np.float32), tag_logits, role_logits)


def decode(ontology, events, roles=(), calibration=Calibration(), **options):
    tags, chain, one = scores(ontology, events, roles)
    return Decoder(ontology, tags, chain, calibration)([AnnotatedSentence("a", TEXT)], [one], **options)[0]


def test_two_events_keep_their_own_roles(tiny_ontology):
    found = decode(tiny_ontology, [3, 3, -3], [(0, 0, 1), (2, 0, 2), (4, 0, 3), (2, 1, 1)])
    assert [(e.type, dict(e.roles)) for e in found.events] == [
        ("attack", {"initiators": (0,), "targets": (1,), "places": (2,)}),
        ("capture", {"initiators": (1,), "targets": (), "places": ()}),
    ]
    assert all(0 < s <= 1 for e in found.events for values in e.role_scores.values() for s in values)


def test_a_role_never_goes_to_a_span_of_another_label(tiny_ontology):
    found = decode(tiny_ontology, [3, -3, -3], [(0, 0, 3), (4, 0, 1)])
    assert dict(found.events[0].roles) == {"initiators": (), "targets": (), "places": ()}


def test_thresholds_and_temperature_are_applied(tiny_ontology):
    assert decode(tiny_ontology, [-1, -3, -3]).events == ()
    low = Calibration(thresholds={"attack": 0.2})
    assert [e.type for e in decode(tiny_ontology, [-1, -3, -3], calibration=low).events] == ["attack"]
    soft = decode(
        tiny_ontology, [4, -3, -3], calibration=Calibration(event_temperature=2.0, event_bias=-1.0), event_scores=True
    )
    assert soft.event_scores["attack"] == round(1 / (1 + np.exp(-1)), 4)


def test_the_likeliest_type_is_marked_at_the_lead_threshold_and_no_other(tiny_ontology):
    lead = Calibration(thresholds={"attack": 0.6, "capture": 0.6, "deal": 0.6}, lead_threshold=0.3)
    assert [e.type for e in decode(tiny_ontology, [-0.2, -0.4, -3], calibration=lead).events] == ["attack"]
    assert decode(tiny_ontology, [-1, -2, -3], calibration=lead).events == ()


def test_exclusive_marks_at_most_one_and_none_wins_ties_of_weakness(tiny_ontology):
    exclusive = ontology_from_dict({**tiny_ontology.to_dict(), "exclusive": True})
    assert [e.type for e in decode(exclusive, [3, 4, -3]).events] == ["capture"]
    assert decode(exclusive, [-2, -1, -3]).events == ()
    p = decode(exclusive, [1.0, 1.0, 1.0], event_scores=True).event_scores
    assert sum(p.values()) < 1


def test_an_empty_sentence_has_nothing(tiny_ontology):
    tags, chain, _ = scores(tiny_ontology, [0, 0, 0], [])
    empty = SentenceScores(
        [], np.full(3, -5, np.float32), np.zeros((0, len(tags)), np.float32), np.zeros((0, 3, 4), np.float32)
    )
    found = Decoder(tiny_ontology, tags, chain)([AnnotatedSentence("a", "")], [empty])[0]
    assert found.spans == ()
    assert found.events == ()
