"""Best tag paths and exact span probabilities of a linear chain, in numpy, a whole batch at a time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
_TINY = np.finfo(np.float64).tiny  # stands for no path at all; its logarithm is finite


@dataclass(frozen=True)
class ChainScores:
    """Start ``(n_tags,)``, end ``(n_tags,)`` and transition ``(n_tags, n_tags)`` scores, forbidden moves very low."""

    start: Floats
    end: Floats
    transitions: Floats

    def scaled(self, temperature: float) -> ChainScores:
        """All scores divided by a temperature."""
        return ChainScores(self.start / temperature, self.end / temperature, self.transitions / temperature)


def viterbi(emissions: Floats, lengths: NDArray[np.int64], chain: ChainScores) -> NDArray[np.int64]:
    """Best allowed tags of each row.

    Args:
        emissions: ``(batch, units, n_tags)``.
        lengths: ``(batch,)`` units of each row, at least 1.
        chain: transition scores.

    Returns:
        ``(batch, units)``; what lies behind a row's length is 0.
    """
    batch, n_units, n_tags = emissions.shape
    rows = np.arange(batch)
    back = np.zeros((n_units, batch, n_tags), dtype=np.int16)
    score = chain.start + emissions[:, 0]
    final = score + chain.end
    for i in range(1, n_units):
        steps = score[:, :, None] + chain.transitions
        back[i] = steps.argmax(1)
        score = steps.max(1) + emissions[:, i]
        last = lengths == i + 1
        final[last] = score[last] + chain.end
    tags = np.zeros((batch, n_units), dtype=np.int64)
    tag = final.argmax(1)
    for i in range(n_units - 1, -1, -1):
        inside = i < lengths
        tags[inside, i] = tag[inside]
        if i:
            tag = np.where(inside, back[i, rows, tag], tag)
    return tags


@dataclass(frozen=True)
class Lattice:
    """Log-sums of a batch; ``forward[b, i, t]`` includes unit i's emission, ``backward[b, i, t]`` does not."""

    emissions: Doubles
    forward: Doubles
    backward: Doubles
    log_z: Doubles
    chain: ChainScores

    def span_probability(self, row: int, first: int, tags: list[int], length: int, closing: NDArray[np.bool_]) -> float:
        """Probability that units ``first …`` of ``row`` carry exactly ``tags`` and the span ends there.

        Args:
            row: of the batch.
            first: unit where the span begins.
            tags: tag ids of the span.
            length: units of the row.
            closing: ``(n_tags,)`` tags that may follow without continuing the span.
        """
        end = first + len(tags)
        score = float(self.forward[row, first, tags[0]])
        for i, (before, tag) in enumerate(pairwise(tags), first + 1):
            score += float(self.chain.transitions[before, tag] + self.emissions[row, i, tag])
        if end == length:
            score += float(self.chain.end[tags[-1]])
        else:
            after = (self.chain.transitions[tags[-1]] + self.emissions[row, end] + self.backward[row, end])[closing]
            top = after.max()
            score += float(top + np.log(np.exp(after - top).sum()))
        return float(min(1.0, np.exp(score - float(self.log_z[row]))))


def lattice(emissions: Floats | Doubles, lengths: NDArray[np.int64], chain: ChainScores) -> Lattice:
    """Runs the forward–backward algorithm over a batch (shapes as :func:`viterbi`), in float64 for long rows."""
    emissions = emissions.astype(np.float64)
    _, n_units, _ = emissions.shape
    forward = np.empty_like(emissions)
    backward = np.empty_like(emissions)
    onwards = np.exp(chain.transitions.astype(np.float64))
    forward[:, 0] = chain.start + emissions[:, 0]
    for i in range(1, n_units):
        forward[:, i] = _log_product(forward[:, i - 1], onwards) + emissions[:, i]
    backward[:, -1] = chain.end
    for i in range(n_units - 2, -1, -1):
        after = _log_product(emissions[:, i + 1] + backward[:, i + 1], onwards.T)
        backward[:, i] = np.where((lengths == i + 1)[:, None], chain.end, after)
    log_z = _log_sum_exp(chain.start + emissions[:, 0] + backward[:, 0])
    return Lattice(emissions, forward, backward, log_z, chain)


def _log_product(values: Doubles, weights: Doubles) -> Doubles:
    """``log(exp(values) @ weights)`` of log-sums ``(batch, n_tags)``: one matrix product in place of many exponents."""
    top = values.max(axis=1, keepdims=True)
    return np.asarray(np.log(np.maximum(np.exp(values - top) @ weights, _TINY)) + top)


def _log_sum_exp(values: Doubles, axis: int = 1) -> Doubles:
    top = values.max(axis=axis, keepdims=True)
    with np.errstate(divide="ignore"):
        total = np.log(np.exp(values - top).sum(axis=axis))
    return np.asarray(total + top.squeeze(axis))
