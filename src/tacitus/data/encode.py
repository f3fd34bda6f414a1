"""Sentences → token windows and labels. The tokenizer is passed in; offsets stay code points into the sentence.

A *unit* is what spans are made of: it begins where a token begins at a word or punctuation boundary of the text and
runs
to the next one. Tags and roles live on units; each unit is read at its first token. Whole sentences are encoded and
aligned by offsets, so that byte-level and sentence-piece tokenizers see the white space they were trained with.
"""

from __future__ import annotations

import bisect
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tokenizers import Encoding, Tokenizer

from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence, Span
from tacitus.tagging import TagSet

IGNORE = -100
N_CASES = 4
FIRST_MARK = "\u0300"  # no combining mark comes before it
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Window:
    """One input of the encoder. ``unit_positions[k]`` is the token position of unit ``first_unit + k``.

    ``case_ids`` tells the letter case of each token's word (:func:`letter_case`), which uncased tokenizers drop.
    """

    input_ids: list[int]
    case_ids: list[int]
    unit_positions: list[int]
    first_unit: int


@dataclass(frozen=True, slots=True)
class EncodedSentence:
    """A sentence as windows; ``unit_offsets[u]`` are unit ``u``'s ``(start, end)`` in the text."""

    windows: list[Window]
    unit_offsets: list[tuple[int, int]]


def prepare_tokenizer(tokenizer: Tokenizer, max_length: int, stride: int = 64) -> Tokenizer:
    """A copy that cuts long sentences into windows of ``max_length`` tokens overlapping by ``stride``."""
    tokenizer = Tokenizer.from_str(tokenizer.to_str())
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length, stride=min(stride, max(0, max_length // 2 - 2)))
    return tokenizer


def encode_texts(texts: Sequence[str], tokenizer: Tokenizer) -> list[EncodedSentence]:
    """Encodes sentences with a tokenizer from :func:`prepare_tokenizer`."""
    return [_encode(text, encoding) for text, encoding in zip(texts, tokenizer.encode_batch(list(texts)), strict=True)]


def _encode(text: str, encoding: Encoding) -> EncodedSentence:
    parts = [encoding, *encoding.overflowing]
    offsets: list[tuple[int, int]] = []
    windows: list[Window] = []
    cases = _case_by_character(text)
    for part in parts:
        starts: list[tuple[int, int]] = []  # (text start, token position) of the units that begin in this window
        case_ids = [0] * len(part.ids)
        for position, ((start, end), special) in enumerate(zip(part.offsets, part.special_tokens_mask, strict=True)):
            while start < end and text[start].isspace():
                start += 1
            if special or start >= end:
                continue
            case_ids[position] = cases[start]
            # Normalisation that strips accents leaves combining marks outside the token.
            while end < len(text) and _is_mark(text[end]):
                end += 1
            if not _begins_unit(text, start) or (starts and starts[-1][0] == start):
                if offsets and offsets[-1][1] < end:
                    offsets[-1] = (offsets[-1][0], end)
                continue
            starts.append((start, position))
            if not offsets or offsets[-1][0] < start:
                offsets.append((start, end))
        first = bisect.bisect_left(offsets, (starts[0][0], 0)) if starts else len(offsets)
        windows.append(Window(list(part.ids), case_ids, [position for _, position in starts], first))
    return EncodedSentence(windows, offsets)


@lru_cache(maxsize=1 << 16)
def letter_case(word: str) -> int:
    """0 no capital, 1 a capital first, 2 two capitals or more and nothing else, 3 capitals elsewhere."""
    letters = [char for char in word if char.isalpha()]
    n_capitals = sum(char.isupper() for char in letters)
    if not n_capitals:
        return 0
    if n_capitals == len(letters) and n_capitals > 1:
        return 2
    return 1 if n_capitals == 1 and letters[0].isupper() else 3


def _case_by_character(text: str) -> list[int]:
    cases = [0] * len(text)
    for match in _WORD.finditer(text):
        cases[match.start() : match.end()] = [letter_case(match[0])] * len(match[0])
    return cases


def _begins_unit(text: str, start: int) -> bool:
    if start == 0 or text[start - 1].isspace():
        return True
    # A combining mark belongs to what it stands on, a punctuation mark too.
    return not (_is_mark(text[start]) or (_is_word(text[start - 1]) and _is_word(text[start])))


def _is_word(char: str) -> bool:
    return char.isalnum() or _is_mark(char)


def _is_mark(char: str) -> bool:
    return char >= FIRST_MARK and unicodedata.category(char).startswith("M")


def align_spans(
    spans: Sequence[Span], unit_offsets: Sequence[tuple[int, int]]
) -> tuple[dict[int, tuple[int, int]], list[int]]:
    """Finds the units of each span.

    Returns:
        Span index → ``(first unit, last unit exclusive)``, and the indices of spans whose edges lie inside a unit: the
        model cannot produce those, they are counted and score as misses.
    """
    first_at = {start: i for i, (start, _) in enumerate(unit_offsets)}
    last_at = {end: i for i, (_, end) in enumerate(unit_offsets)}
    aligned: dict[int, tuple[int, int]] = {}
    lost: list[int] = []
    for index, span in enumerate(spans):
        first, last = first_at.get(span.start), last_at.get(span.end)
        if first is None or last is None:
            lost.append(index)
        else:
            aligned[index] = (first, last + 1)
    return aligned, lost


@dataclass(frozen=True)
class FeatureEncoder:
    """Annotated sentences → training features, one per window.

    A feature holds ``input_ids``, ``case_ids``, ``unit_positions``, ``event_labels`` (one 0/1 per type, or all
    ``IGNORE``), ``tag_labels`` (one per unit, or all ``IGNORE``), ``role_labels`` (triples unit, type, role; role 0 is
    none) and ``length``. A layer that nobody annotated is left out of the loss; event labels also are in a
    cut sentence, since no one window is known to hold the event.
    """

    tokenizer: Tokenizer
    ontology: Ontology
    tag_set: TagSet

    def __call__(self, sentences: Sequence[AnnotatedSentence]) -> tuple[list[dict[str, Any]], int]:
        """Features of the sentences, and the number of spans lost because they do not align with units."""
        features: list[dict[str, Any]] = []
        n_lost = 0
        for sentence, encoded in zip(sentences, encode_texts([s.text for s in sentences], self.tokenizer), strict=True):
            aligned, lost = align_spans(sentence.spans or (), encoded.unit_offsets)
            n_lost += len(lost)
            tagged = None
            if sentence.spans is not None and self.tag_set.labels:
                tagged = [(*units, sentence.spans[i].label) for i, units in aligned.items()]
            roles = self._roles(sentence, aligned)
            events = self._events(sentence, len(encoded.windows) == 1)
            features.extend(self._feature(window, tagged, roles, events) for window in encoded.windows)
        return features, n_lost

    def _feature(
        self,
        window: Window,
        tagged: list[tuple[int, int, str]] | None,
        roles: list[tuple[int, int, int]],
        events: list[int],
    ) -> dict[str, Any]:
        first, n_units = window.first_unit, len(window.unit_positions)
        end = first + n_units
        tags = [IGNORE] * n_units
        if tagged is not None:
            # A span that crosses the window's edge is cut to it, so that its tags stay allowed.
            inside = [(max(a, first), min(b, end), label) for a, b, label in tagged if a < end and b > first]
            tags = self.tag_set.encode([(a - first, b - first, label) for a, b, label in inside], n_units)
        return {
            "input_ids": window.input_ids,
            "case_ids": window.case_ids,
            "unit_positions": window.unit_positions,
            "event_labels": events,
            "tag_labels": tags,
            "role_labels": [[unit - first, kind, role] for unit, kind, role in roles if first <= unit < end],
            "length": len(window.input_ids),
        }

    def _events(self, sentence: AnnotatedSentence, whole: bool) -> list[int]:
        if sentence.events is None or not whole:
            return [IGNORE] * len(self.ontology.event_types)
        present = sentence.event_types()
        return [int(name in present) for name in self.ontology.event_types]

    def _roles(self, sentence: AnnotatedSentence, aligned: dict[int, tuple[int, int]]) -> list[tuple[int, int, int]]:
        if sentence.spans is None or sentence.events is None or not self.ontology.roles:
            return []
        triples: list[tuple[int, int, int]] = []
        for event in sentence.events:
            type_index = self.ontology.event_types.index(event.type)
            role_of = {i: self.ontology.role_keys.index(key) + 1 for key, ids in event.roles.items() for i in ids}
            for index, (first, end) in aligned.items():
                triples.extend((unit, type_index, role_of.get(index, 0)) for unit in range(first, end))
        return triples
