"""A chunk of sentences on its way through a runtime: cut into batches, scored out of order, put together again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tacitus.data.encode import EncodedSentence, Window
from tacitus.model.decode import SentenceScores
from tacitus.records import AnnotatedSentence
from tacitus.runtime.base import WindowScores, merge_windows


class Place(NamedTuple):
    """Where a window belongs: sentence and window within it."""

    sentence: int
    window: int


@dataclass
class Job:
    """Encoded sentences and, bit by bit, the scores of their windows."""

    sentences: Sequence[AnnotatedSentence]
    encoded: Sequence[EncodedSentence]
    _scores: dict[Place, WindowScores] = field(default_factory=dict)

    def batches(self, batch_tokens: int) -> Iterator[list[Place]]:
        """Places sorted by length and cut into batches of at most ``batch_tokens`` padded tokens (or one window)."""
        places = [Place(i, w) for i, sentence in enumerate(self.encoded) for w in range(len(sentence.windows))]
        places.sort(key=lambda at: len(self._window(at).input_ids))
        batch: list[Place] = []
        for place in places:
            longest = len(self._window(place).input_ids)  # sorted: the newest is the longest
            if batch and longest * (len(batch) + 1) > batch_tokens:
                yield batch
                batch = []
            batch.append(place)
        if batch:
            yield batch

    def windows(self, batch: Sequence[Place]) -> list[Window]:
        """The windows of a batch, in order."""
        return [self._window(place) for place in batch]

    def put(self, batch: Sequence[Place], scores: Sequence[WindowScores]) -> None:
        """Keeps the scores of a batch."""
        self._scores.update(zip(batch, scores, strict=True))

    @property
    def done(self) -> bool:
        """Whether every window has its scores."""
        return len(self._scores) == sum(len(sentence.windows) for sentence in self.encoded)

    def scores(self) -> list[SentenceScores]:
        """Scores of every sentence, in order."""
        return [
            merge_windows(sentence, [self._scores[Place(i, w)] for w in range(len(sentence.windows))])
            for i, sentence in enumerate(self.encoded)
        ]

    def _window(self, place: Place) -> Window:
        return self.encoded[place.sentence].windows[place.window]
