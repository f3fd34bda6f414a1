"""What the extractor asks of a backend, and how windows are merged back into sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tacitus.data.encode import EncodedSentence, Window
from tacitus.model.decode import SentenceScores
from tacitus.model.viterbi import ChainScores, Floats


@dataclass(frozen=True)
class WindowScores:
    """Uncalibrated scores of one window: ``(n_types,)``, ``(units, n_tags)``, ``(units, n_types, n_roles + 1)``."""

    event_logits: Floats | None
    tag_logits: Floats | None
    role_logits: Floats | None


class Runtime(Protocol):
    """A loaded network; ``batch_tokens`` is the size of batch that suits it, padding included.

    ``kind`` is its name as ``--runtime`` takes it, so that results can say which arithmetic they come from.
    """

    kind: str
    chain: ChainScores
    batch_tokens: int

    def run(self, batches: Iterable[Sequence[Window]]) -> Iterator[list[WindowScores]]:
        """Scores of each batch of windows, in order; batches are taken ahead of what is given back."""


def merge_windows(encoded: EncodedSentence, scores: Sequence[WindowScores]) -> SentenceScores:
    """Scores of a sentence: its windows' highest event scores, and the mean of unit scores where they overlap."""
    if len(scores) == 1:
        only = scores[0]
        return SentenceScores(encoded.unit_offsets, only.event_logits, only.tag_logits, only.role_logits)
    events = [s.event_logits for s in scores if s.event_logits is not None]
    return SentenceScores(
        encoded.unit_offsets,
        np.max(events, axis=0) if events else None,
        _mean_over_units(encoded, [s.tag_logits for s in scores]),
        _mean_over_units(encoded, [s.role_logits for s in scores]),
    )


def _mean_over_units(encoded: EncodedSentence, parts: Sequence[Floats | None]) -> Floats | None:
    present = [part for part in parts if part is not None]
    if not present:
        return None
    n_units = len(encoded.unit_offsets)
    total = np.zeros((n_units, *present[0].shape[1:]), dtype=np.float32)
    count = np.zeros(n_units, dtype=np.float32)
    for window, part in zip(encoded.windows, present, strict=True):
        where = slice(window.first_unit, window.first_unit + len(part))
        total[where] += part
        count[where] += 1
    return np.asarray(total / np.maximum(count, 1).reshape(-1, *[1] * (total.ndim - 1)), dtype=np.float32)
