"""Figures by kind of actor and by whether a span's text was seen in training; who is over- and under-reported."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tacitus.metrics import PRF, prf
from tacitus.records import AnnotatedSentence

Pairs = Sequence[tuple[AnnotatedSentence, AnnotatedSentence]]

ACTOR = "ACTOR"  # a task without this label has no figures by actor
# The first kind whose words stand in the span; words, since no list of names would be complete.
KINDS = {
    "protesters": r"protest\w*|demonstrat\w*|marchers|rioters|strikers|mobs?|crowds?",
    "rebels and armed groups": r"rebels?|insurgents?|militants?|guerr?illas?|fighters|gunm[ae]n|militias?|militiam[ae]n"
    r"|separatists?|jihadists?|terrorists?|extremists?|maoists?|bandits|gangs?|cadres",
    "state forces": r"army|armies|troops?|soldiers?|police\w*|military|navy|air force|security forces|officers?"
    r"|paramilitar\w*|guards?|gendarm\w*|forces|commandos?|marines",
    "civilians": r"civilians?|villagers?|residents?|people|wom[ae]n|m[ae]n|child(?:ren)?|boys?|girls?|students?"
    r"|farmers?|workers?|refugees?|famil(?:y|ies)|passengers|journalists?|teachers?|pilgrims",
    "governments and politicians": r"governments?|ministers?|ministry|presidents?|parliament\w*|senators?|officials?"
    r"|mayors?|governors?|kings?|party|parties|lawmakers?|opposition|envoys?|court|judges?",
}
OTHER = "names and others"
_PATTERNS = {kind: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for kind, words in KINDS.items()}


def actor_kind(text: str) -> str:
    """The kind of an actor by the words of its span; a bare name is among the others."""
    return next((kind for kind, pattern in _PATTERNS.items() if pattern.search(text)), OTHER)


def span_scores_by(pairs: Pairs, group_of: Callable[[str, str], str | None]) -> dict[str, PRF]:
    """Strict span scores by group of the span's label and text; right spans share both, so that groups add up.

    Args:
        pairs: gold and prediction of each sentence.
        group_of: label and text → group, ``None`` to leave the span out.
    """
    totals: dict[str, list[int]] = {}
    for gold, predicted in pairs:
        if gold.spans is None:
            continue
        wanted, found = {s.key for s in gold.spans}, {s.key for s in predicted.spans or ()}
        for key in wanted | found:
            group = group_of(key[2], gold.text[key[0] : key[1]])
            if group is not None:
                counts = totals.setdefault(group, [0, 0, 0])
                counts[0 if key in wanted & found else 1 if key in found else 2] += 1
    return {group: prf(counts) for group, counts in sorted(totals.items())}


def scores_by_kind(pairs: Pairs) -> dict[str, PRF]:
    """Strict scores of actor spans by kind."""
    return span_scores_by(pairs, lambda label, text: actor_kind(text) if label == ACTOR else None)


def scores_by_seen(pairs: Pairs, train: Iterable[AnnotatedSentence]) -> dict[str, PRF]:
    """Strict scores of the spans whose label and text (case aside) stood in training, and of the others."""
    known = {(s.label, t.text[s.start : s.end].lower()) for t in train for s in t.spans or ()}
    return span_scores_by(
        pairs, lambda label, text: f"{label} {'seen' if (label, text.lower()) in known else 'unseen'}"
    )


def selection_bias(pairs: Pairs) -> dict[str, dict[str, Any]]:
    """How events are missed and made up in the sentences that name each kind of actor, by gold spans.

    ``miss_rate``: gold events not found, of all. ``false_alarm_rate``: sentences without a gold event where one is
    found, of all such. A difference between kinds means that a count of events favours some actors (the selection bias
    of the event-data literature). A rate without a case is ``None``.
    """
    counts: dict[str, list[int]] = {}
    for gold, predicted in pairs:
        if gold.events is None or gold.spans is None:
            continue
        wanted, found = gold.event_types(), predicted.event_types()
        row = (1, len(wanted), len(wanted - found), not wanted, bool(found and not wanted))
        for kind in {actor_kind(gold.text[s.start : s.end]) for s in gold.spans if s.label == ACTOR}:
            counts[kind] = [a + b for a, b in zip(counts.get(kind, [0] * 5), row, strict=True)]
    return {
        kind: {
            "sentences": n,
            "events": events,
            "miss_rate": missed / events if events else None,
            "without_event": quiet,
            "false_alarm_rate": alarms / quiet if quiet else None,
        }
        for kind, (n, events, missed, quiet, alarms) in sorted(counts.items())
    }
