"""Decoding against brute force over all paths."""

import itertools

import numpy as np
import pytest
import torch

from tacitus.model.crf import crf_log_likelihood
from tacitus.model.viterbi import ChainScores, lattice, viterbi
from tacitus.tagging import TagSet


def world(scheme, seed, batch=6, units=5):
    tags = TagSet(("A",), scheme)
    rng = np.random.default_rng(seed)
    n = len(tags)
    chain = ChainScores(
        (tags.start_scores + rng.normal(size=n)).astype(np.float32),
        (tags.end_scores + rng.normal(size=n)).astype(np.float32),
        (tags.transition_scores + rng.normal(size=(n, n))).astype(np.float32),
    )
    lengths = rng.integers(1, units + 1, size=batch)
    return tags, chain, rng.normal(size=(batch, units, n)).astype(np.float32) * 2, lengths


def path_scores(emissions, length, chain):
    out = {}
    for path in itertools.product(range(emissions.shape[1]), repeat=int(length)):
        score = chain.start[path[0]] + chain.end[path[-1]] + sum(emissions[i, t] for i, t in enumerate(path))
        out[path] = score + sum(chain.transitions[a, b] for a, b in itertools.pairwise(path))
    return out


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
@pytest.mark.parametrize("seed", range(4))
def test_best_path_equals_brute_force(scheme, seed):
    _, chain, emissions, lengths = world(scheme, seed)
    found = viterbi(emissions, lengths, chain)
    for row, length in enumerate(lengths):
        scores = path_scores(emissions[row], length, chain)
        assert tuple(found[row, :length]) == max(scores, key=scores.get)


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
def test_span_probability_equals_brute_force(scheme):
    tags, chain, emissions, lengths = world(scheme, 7)
    sums = lattice(emissions, lengths, chain)
    for row, length in enumerate(lengths):
        scores = path_scores(emissions[row], length, chain)
        z = np.logaddexp.reduce(list(scores.values()))
        assert sums.log_z[row] == pytest.approx(z, abs=1e-3)
        for first in range(length):
            for end in range(first + 1, length + 1):
                span = tags.span_tags(end - first, "A")
                closing = np.array([p not in "IE" and tags.allowed(span[-1], j) for j, (p, _) in enumerate(tags.tags)])
                wanted = sum(
                    np.exp(s - z) for path, s in scores.items() if s > -1000 and (first, end, "A") in tags.decode(path)
                )
                assert sums.span_probability(row, first, span, int(length), closing) == pytest.approx(wanted, abs=1e-4)


def test_likelihood_equals_brute_force():
    _, chain, emissions, lengths = world("BIOES", 3)
    mask = torch.arange(emissions.shape[1]) < torch.tensor(lengths)[:, None]
    gold = torch.tensor(viterbi(emissions, lengths, chain))
    found = crf_log_likelihood(
        torch.tensor(emissions),
        gold,
        mask,
        torch.tensor(chain.start),
        torch.tensor(chain.end),
        torch.tensor(chain.transitions),
    )
    for row, length in enumerate(lengths):
        scores = path_scores(emissions[row], length, chain)
        wanted = scores[tuple(gold[row, :length].tolist())] - np.logaddexp.reduce(list(scores.values()))
        assert float(found[row]) == pytest.approx(wanted, abs=1e-3)


def test_many_labels_do_not_overflow():
    tags = TagSet(tuple(f"L{i}" for i in range(40)))
    gold = tags.encode([(0, 3, "L39"), (3, 4, "L38")], 5)
    emissions = np.zeros((1, 5, len(tags)), dtype=np.float32)
    emissions[0, range(5), gold] = 5
    chain = ChainScores(tags.start_scores, tags.end_scores, tags.transition_scores)
    assert viterbi(emissions, np.array([5]), chain)[0].tolist() == gold
