"""Scores → annotated sentences: calibrated events, spans and roles. Pure numpy; every runtime feeds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacitus.model.viterbi import ChainScores, Floats, lattice, viterbi
from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence, Event, Span
from tacitus.tagging import TagSet

DEFAULT_THRESHOLD = 0.5
GROUP_UNITS = 16_384  # units decoded at once, padding included


@dataclass(frozen=True)
class Calibration:
    """What is fitted on held-out data and stored with a checkpoint.

    Event probabilities are ``sigmoid(logit / event_temperature + event_bias)`` (Platt 1999; Guo et
    al. 2017 without the bias), span and role scores use their head's temperature. An event is marked at its type's
    threshold; the likeliest type of a sentence already at ``lead_threshold``, since whether anything happened is surer
    than what. A role is marked where its probability reaches ``role_threshold``.
    """

    event_temperature: float = 1.0
    event_bias: float = 0.0
    tag_temperature: float = 1.0
    role_temperature: float = 1.0
    role_threshold: float = DEFAULT_THRESHOLD
    thresholds: dict[str, float] = field(default_factory=dict)
    lead_threshold: float = 1.0
    fitted_on: str = ""

    def threshold_vector(self, ontology: Ontology) -> Floats:
        """Threshold of each event type, ``(n_types,)``."""
        return np.array([self.thresholds.get(t, DEFAULT_THRESHOLD) for t in ontology.event_types], dtype=np.float32)


@dataclass(frozen=True)
class SentenceScores:
    """Uncalibrated scores of one whole sentence, its windows merged.

    ``event_logits`` ``(n_types,)``, ``tag_logits`` ``(units, n_tags)``, ``role_logits`` ``(units, n_types,
    n_roles + 1)``; a head that the
    ontology does not need is ``None``. ``unit_offsets`` are the units' ``(start, end)`` in the text.
    """

    unit_offsets: Sequence[tuple[int, int]]
    event_logits: Floats | None
    tag_logits: Floats | None
    role_logits: Floats | None


@dataclass(frozen=True)
class Decoder:
    """Turns scores into records under one ontology, tag set, chain and calibration."""

    ontology: Ontology
    tag_set: TagSet
    chain: ChainScores
    calibration: Calibration = Calibration()

    def __call__(
        self, sentences: Sequence[AnnotatedSentence], scores: Sequence[SentenceScores], event_scores: bool = False
    ) -> list[AnnotatedSentence]:
        """Predictions for sentences in the same order; their own spans and events are replaced.

        Args:
            sentences: what was scored.
            scores: one for each.
            event_scores: add the probability of every event type.
        """
        spans = self._spans(scores)
        return [
            self._record(sentence, score, found, event_scores)
            for sentence, score, found in zip(sentences, scores, spans, strict=True)
        ]

    def event_probabilities(self, logits: Floats) -> Floats:
        """Calibrated probabilities, same shape ``(…, n_types)``."""
        z = np.clip(logits / self.calibration.event_temperature + self.calibration.event_bias, -60, 60)
        if self.ontology.exclusive:
            exp = np.exp(z - np.maximum(z.max(-1, keepdims=True), 0))
            none = np.exp(-np.maximum(z.max(-1, keepdims=True), 0))
            return np.asarray(exp / (exp.sum(-1, keepdims=True) + none), dtype=np.float32)
        return np.asarray(1 / (1 + np.exp(-z)), dtype=np.float32)

    def _spans(self, scores: Sequence[SentenceScores]) -> list[list[tuple[int, int, Span]]]:
        """For each sentence ``(first unit, last unit exclusive, span)``, sorted."""
        out: list[list[tuple[int, int, Span]]] = [[] for _ in scores]
        closing = self._closing
        for rows in _length_groups(scores):
            lengths = np.array([len(scores[i].unit_offsets) for i in rows], dtype=np.int64)
            emissions = np.zeros((len(rows), int(lengths.max()), len(self.tag_set)), dtype=np.float32)
            for row, i in enumerate(rows):
                emissions[row, : lengths[row]] = scores[i].tag_logits
            tags = viterbi(emissions, lengths, self.chain)
            temperature = self.calibration.tag_temperature
            sums = lattice(emissions / temperature, lengths, self.chain.scaled(temperature))
            for row, i in enumerate(rows):
                n, offsets = int(lengths[row]), scores[i].unit_offsets
                path = tags[row, :n].tolist()
                for first, end, label in self.tag_set.decode(path):
                    p = sums.span_probability(row, first, path[first:end], n, closing[path[end - 1]])
                    out[i].append((first, end, Span(offsets[first][0], offsets[end - 1][1], label, round(p, 4))))
        return out

    @cached_property
    def _closing(self) -> list[NDArray[np.bool_]]:
        """For each tag, the tags that may follow it without continuing its span."""
        tags = self.tag_set
        return [
            np.array([p not in "IE" and tags.allowed(tag, j) for j, (p, _) in enumerate(tags.tags)])
            for tag in range(len(tags))
        ]

    @cached_property
    def _thresholds(self) -> Floats:
        return self.calibration.threshold_vector(self.ontology)

    def _record(
        self,
        sentence: AnnotatedSentence,
        scores: SentenceScores,
        found: list[tuple[int, int, Span]],
        event_scores: bool,
    ) -> AnnotatedSentence:
        spans = None if scores.tag_logits is None else tuple(span for *_, span in found)
        record = replace(sentence, spans=spans, events=None, event_scores=None)
        if scores.event_logits is None:
            return record
        probabilities = self.event_probabilities(scores.event_logits)
        events = tuple(self._event(t, probabilities, scores, found) for t in self._marked(probabilities))
        if not event_scores:
            return replace(record, events=events)
        every = dict(zip(self.ontology.event_types, probabilities.astype(np.float64).round(4).tolist(), strict=True))
        return replace(record, events=events, event_scores=every)

    def _marked(self, probabilities: Floats) -> list[int]:
        if self.ontology.exclusive:
            best = int(probabilities.argmax())
            return [best] if probabilities[best] > 1 - probabilities.sum() else []
        return np.flatnonzero(mark_events(probabilities, self._thresholds, self.calibration.lead_threshold)).tolist()

    def _event(
        self, kind: int, probabilities: Floats, scores: SentenceScores, found: list[tuple[int, int, Span]]
    ) -> Event:
        roles: dict[str, list[int]] = {key: [] for key in self.ontology.role_keys}
        role_scores: dict[str, list[float]] = {key: [] for key in self.ontology.role_keys}
        if scores.role_logits is not None:
            for index, (first, end, span) in enumerate(found):
                key, p = self._role(scores.role_logits[first:end, kind].mean(0), span.label)
                if key is not None:
                    roles[key].append(index)
                    role_scores[key].append(round(p, 4))
        return Event(
            type=self.ontology.event_types[kind],
            roles={key: tuple(ids) for key, ids in roles.items()},
            score=round(float(probabilities[kind]), 4),
            role_scores={key: tuple(values) for key, values in role_scores.items()},
        )

    def _role(self, logits: Floats, label: str) -> tuple[str | None, float]:
        """Best role for a span with this label from mean logits ``(n_roles + 1,)``, and its probability."""
        fitting = [i for i, role in enumerate(self.ontology.roles, 1) if role.span_label == label]
        if not fitting:
            return None, 0.0
        z = logits[[0, *fitting]] / self.calibration.role_temperature
        p = np.exp(z - z.max())
        p = p / p.sum()
        best = int(p[1:].argmax())
        some = float(p[1:].sum())
        return (
            (self.ontology.role_keys[fitting[best] - 1], float(p[best + 1]))
            if some >= self.calibration.role_threshold
            else (None, 0.0)
        )


def mark_events(probabilities: Floats, thresholds: Floats, lead_threshold: float) -> NDArray[np.bool_]:
    """Which types are marked: those at their threshold, and the likeliest one at ``lead_threshold``.

    Args:
        probabilities: ``(…, n_types)``.
        thresholds: ``(n_types,)``.
        lead_threshold: in [0, 1]; 1 leaves the rule out.
    """
    lead = probabilities == probabilities.max(-1, keepdims=True)
    return np.asarray((probabilities >= thresholds) | (lead & (probabilities >= lead_threshold)))


def _length_groups(scores: Sequence[SentenceScores]) -> Iterator[list[int]]:
    """Indices of sentences with tags, short ones first, in groups that pad to at most ``GROUP_UNITS`` units."""
    rows = [i for i, s in enumerate(scores) if s.tag_logits is not None and len(s.unit_offsets)]
    group: list[int] = []
    for i in sorted(rows, key=lambda i: len(scores[i].unit_offsets)):
        if group and len(scores[i].unit_offsets) * (len(group) + 1) > GROUP_UNITS:
            yield group
            group = []
        group.append(i)
    if group:
        yield group


def calibration_from_dict(raw: dict[str, Any]) -> Calibration:
    """The calibration stored in a checkpoint's configuration."""
    return Calibration(**raw)
