"""The same figures on parts of the data, worst first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tacitus.metrics import CountTable, headline
from tacitus.records import AnnotatedSentence

META_KEYS = ("country", "voice", "source", "level")


def slice_names(sentence: AnnotatedSentence) -> Iterator[str]:
    """Slices a gold sentence belongs to: what its meta data says, its length and its number of events."""
    for key in META_KEYS:
        value = (sentence.meta or {}).get(key)
        if value:
            yield f"{key} = {value}"
    n_words = len(sentence.text.split())
    yield f"length = {'up to 12' if n_words <= 12 else '13 to 40' if n_words <= 40 else 'over 40'} words"
    if sentence.events is not None:
        yield f"events = {min(len(sentence.events), 2)}{' or more' if len(sentence.events) >= 2 else ''}"


def slices(gold: Sequence[AnnotatedSentence], table: CountTable, least: int = 10) -> list[dict[str, Any]]:
    """Headline figures of every slice with at least ``least`` sentences, the lowest event F1 first."""
    rows: dict[str, list[int]] = {}
    for i, sentence in enumerate(gold):
        for name in slice_names(sentence):
            rows.setdefault(name, []).append(i)
    out = []
    for name, indices in rows.items():
        if len(indices) >= least:
            chosen = np.zeros(len(gold), dtype=bool)
            chosen[indices] = True
            out.append({"slice": name, "sentences": len(indices)} | headline(table.select(chosen)))
    return sorted(out, key=lambda row: row.get("event_micro_f1", row.get("span_strict_f1", 0.0)))
