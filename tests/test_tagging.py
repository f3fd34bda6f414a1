import itertools
import random

import numpy as np
import pytest

from tacitus.tagging import TagSet

LABELS = ("ACTOR", "LOCATION")


def random_spans(rng, n_units):
    spans, at = [], 0
    while at < n_units:
        at += rng.randint(0, 3)
        length = rng.randint(1, 4)
        if at + length > n_units:
            break
        spans.append((at, at + length, rng.choice(LABELS)))
        at += length
    return spans


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
def test_spans_survive_encoding(scheme):
    tags, rng = TagSet(LABELS, scheme), random.Random(0)
    for _ in range(300):
        n = rng.randint(1, 12)
        spans = random_spans(rng, n)
        assert tags.decode(tags.encode(spans, n)) == spans


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
def test_constraints_are_what_decode_accepts(scheme):
    tags = TagSet(("ACTOR",), scheme)
    for path in itertools.product(range(len(tags)), repeat=4):
        steps = [tags.transition_scores[a, b] for a, b in itertools.pairwise(path)]
        allowed = np.sum([tags.start_scores[path[0]], tags.end_scores[path[-1]], *steps]) == 0
        try:
            spans = tags.decode(path)
        except ValueError:
            assert not allowed
        else:
            assert allowed
            assert tags.encode(spans, 4) == list(path)
