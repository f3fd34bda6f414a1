"""What a conversion could not keep: counted by kind, with the first places, and said in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tacitus.records import AnnotatedSentence

N_PLACES = 3
IDS, DOCUMENTS, META, SPANS, EVENTS, ROLES, SCORES, LAYERS = (
    "sentence ids",
    "document ids and sentence numbers",
    "dates and other fields",
    "spans",
    "events",
    "roles",
    "scores",
    "layers marked as unknown",
)
EVERYTHING = frozenset({IDS, DOCUMENTS, META, SPANS, EVENTS, ROLES, SCORES, LAYERS})


class Losses:
    """Collects losses while a file is read and another one written."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._places: dict[str, list[str]] = {}

    def add(self, kind: str, place: str = "", n: int = 1) -> None:
        """Counts ``n`` losses of a kind; ``place`` says where, for example a document and a text."""
        if not n:
            return
        self.counts[kind] += n
        if place:
            self._places.setdefault(kind, []).append(place)

    def line(self) -> str:
        """All losses, the most frequent first; empty where nothing was lost."""
        return "; ".join(f"{kind}: {n}{self._named(kind)}" for kind, n in self.counts.most_common())

    def _named(self, kind: str) -> str:
        places = self._places.get(kind, [])
        more = ", …" if len(places) > N_PLACES else ""
        return f" ({', '.join(places[:N_PLACES])}{more})" if places else ""


def count_unheld(sentences: Iterable[AnnotatedSentence], holds: frozenset[str], losses: Losses) -> None:
    """Counts what the sentences carry and a format that ``holds`` some of :data:`EVERYTHING` has no place for."""
    for sentence in sentences:
        for kind, n in _carried(sentence).items():
            if kind not in holds:
                losses.add(kind, n=n)


def _carried(sentence: AnnotatedSentence) -> dict[str, int]:
    spans, events = sentence.spans or (), sentence.events or ()
    role_scores = sum(len(scores) for event in events for scores in (event.role_scores or {}).values())
    return {
        IDS: 1,
        DOCUMENTS: sentence.doc_id is not None or sentence.sentence_index is not None,
        META: bool(sentence.meta) + len(sentence.extra),
        SPANS: len(spans),
        EVENTS: len(events),
        ROLES: sum(1 for _ in sentence.role_tuples()),
        SCORES: sum(s.score is not None for s in spans)
        + sum(e.score is not None for e in events)
        + role_scores
        + len(sentence.event_scores or ()),
        LAYERS: (sentence.spans is None) + (sentence.events is None),
    }
