"""Tag schemes: spans over units ↔ one tag a unit, and which tag may follow which.

A unit is a word-like piece of text (see :mod:`tacitus.data.encode`); unit indices never leave tagging, encode and
decode.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Scheme = Literal["BIO", "BIOES"]
FORBIDDEN = -1e4  # a score that no allowed path can lose to; finite so that half precision keeps it


@dataclass(frozen=True)
class TagSet:
    """The tags of a scheme: ``O`` first, then each span label's prefixes in order (``B I`` or ``B I E S``)."""

    labels: tuple[str, ...]
    scheme: Scheme = "BIOES"

    @cached_property
    def tags(self) -> list[tuple[str, str | None]]:
        """(prefix, label) of every tag id."""
        prefixes = "BI" if self.scheme == "BIO" else "BIES"
        return [("O", None), *((p, label) for label in self.labels for p in prefixes)]

    def __len__(self) -> int:
        return len(self.tags)

    @cached_property
    def index(self) -> dict[tuple[str, str | None], int]:
        """Tag → id."""
        return {tag: i for i, tag in enumerate(self.tags)}

    def allowed(self, first: int, second: int) -> bool:
        """Whether tag ``second`` may directly follow tag ``first``."""
        (p1, l1), (p2, l2) = self.tags[first], self.tags[second]
        inside = p2 in "IE"
        if self.scheme == "BIO":
            return not inside or l1 == l2
        must_continue = p1 in "BI"
        return (inside and l1 == l2) if must_continue else not inside

    @cached_property
    def start_scores(self) -> NDArray[np.float32]:
        """0 where a sentence may start with the tag, else FORBIDDEN. Shape ``(n_tags,)``."""
        return np.array([FORBIDDEN if p in "IE" else 0 for p, _ in self.tags], dtype=np.float32)

    @cached_property
    def end_scores(self) -> NDArray[np.float32]:
        """0 where a sentence may end with the tag, else FORBIDDEN. Shape ``(n_tags,)``."""
        open_ = "BI" if self.scheme == "BIOES" else ""
        return np.array([FORBIDDEN if p in open_ else 0 for p, _ in self.tags], dtype=np.float32)

    @cached_property
    def transition_scores(self) -> NDArray[np.float32]:
        """0 where tag j may follow tag i, else FORBIDDEN. Shape ``(n_tags, n_tags)``."""
        n = len(self)
        return np.array(
            [[0 if self.allowed(i, j) else FORBIDDEN for j in range(n)] for i in range(n)], dtype=np.float32
        )

    def encode(self, spans: Iterable[tuple[int, int, str]], n_units: int) -> list[int]:
        """Tags of units for spans ``(first unit, last unit exclusive, label)`` that do not overlap."""
        tags = [0] * n_units
        for first, end, label in spans:
            tags[first:end] = self.span_tags(end - first, label)
        return tags

    def span_tags(self, length: int, label: str) -> list[int]:
        """Tag ids of one span of ``length`` units."""
        bioes = "S" if length == 1 else "B" + "I" * (length - 2) + "E"
        prefixes = "B" + "I" * (length - 1) if self.scheme == "BIO" else bioes
        return [self.index[p, label] for p in prefixes]

    def decode(self, tags: Sequence[int]) -> list[tuple[int, int, str]]:
        """Spans ``(first unit, last unit exclusive, label)`` of an allowed tag sequence.

        Raises:
            ValueError: the sequence breaks the scheme.
        """
        spans: list[tuple[int, int, str]] = []
        first = -1
        previous = 0
        for i, tag in enumerate(tags):
            prefix, label = self.tags[tag]
            if (i == 0 and prefix in "IE") or (i > 0 and not self.allowed(previous, tag)):
                raise ValueError(f"tag {prefix} at unit {i} may not stand here under {self.scheme}")
            if self.scheme == "BIO" and prefix != "I" and first >= 0:
                spans.append((first, i, str(self.tags[previous][1])))
                first = -1
            if prefix in "BS":
                first = i
            if prefix in "ES":
                spans.append((first, i + 1, str(label)))
                first = -1
            previous = tag
        if first >= 0:
            if self.scheme == "BIOES":
                raise ValueError("the sequence ends inside a span")
            spans.append((first, len(tags), str(self.tags[previous][1])))
        return spans
