"""Fits temperatures and thresholds on held-out sentences."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tacitus.data.encode import align_spans
from tacitus.extractor import Extractor
from tacitus.model.decode import Calibration, SentenceScores, mark_events
from tacitus.model.viterbi import Floats, lattice
from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence

PRIOR_EVENTS = 40.0  # a type's own threshold counts for half at this many gold events
SLACK = 0.002  # differences of F1 that a dev file cannot tell apart
LOG_TEMPERATURES = (math.log(0.2), math.log(10))  # what few or perfectly separated dev sentences cannot leave
GRID = np.round(np.arange(0.1, 0.91, 0.02), 2)


def calibrate(extractor: Extractor, sentences: Sequence[AnnotatedSentence], fitted_on: str) -> Calibration:
    """Fits every head's calibration on held-out gold.

    Event scores get a temperature and a bias by maximum likelihood (Platt 1999), tags and roles a temperature
    (Guo et al.
    2017). Thresholds maximise F1: one over all types, from which each type departs as far as its gold events carry it.

    Args:
        extractor: the trained model; its own calibration is not used.
        sentences: gold sentences the model was not trained on.
        fitted_on: what to write into the checkpoint as the source.
    """
    scores = extractor.score([s.text for s in sentences])
    calibration = Calibration(fitted_on=fitted_on)
    known = [i for i, s in enumerate(sentences) if s.events is not None and scores[i].event_logits is not None]
    ontology = extractor.ontology
    if known:
        logits = np.stack([np.asarray(scores[i].event_logits) for i in known])
        gold = np.array([[t in sentences[i].event_types() for t in ontology.event_types] for i in known])
        calibration = _fit_events(extractor, calibration, logits, gold)
    calibration = replace(calibration, tag_temperature=_tag_temperature(extractor, sentences, scores))
    role_logits, role_labels = _role_examples(ontology, sentences, scores)
    if len(role_labels):
        t = _minimise(lambda t: _cross_entropy(role_logits / t, role_labels))
        calibration = replace(
            calibration, role_temperature=t, role_threshold=_role_threshold(role_logits / t, role_labels)
        )
    return calibration


def _fit_events(extractor: Extractor, calibration: Calibration, logits: Floats, gold: NDArray[np.bool_]) -> Calibration:
    from scipy.optimize import minimize

    ontology = extractor.ontology

    def loss(x: NDArray[np.float64]) -> float:
        decoder = replace(
            extractor.decoder,
            calibration=replace(calibration, event_temperature=float(np.exp(x[0])), event_bias=float(x[1])),
        )
        p = np.clip(decoder.event_probabilities(logits).astype(np.float64), 1e-6, 1 - 1e-6)
        if ontology.exclusive:
            none = np.clip(1 - p.sum(1), 1e-6, 1)
            return float(-np.mean(np.where(gold.any(1), np.log((p * gold).sum(1) + 1e-9), np.log(none))))
        return float(-np.mean(gold * np.log(p) + ~gold * np.log(1 - p)))

    bounds, options = [LOG_TEMPERATURES, (-10, 10)], {"xatol": 1e-3, "fatol": 1e-7}
    best = minimize(loss, x0=np.zeros(2), method="Nelder-Mead", bounds=bounds, options=options).x
    fitted = replace(
        calibration, event_temperature=round(float(np.exp(best[0])), 4), event_bias=round(float(best[1]), 4)
    )
    p = replace(extractor.decoder, calibration=fitted).event_probabilities(logits)
    if ontology.exclusive:
        return fitted
    fitted = replace(fitted, thresholds=fit_thresholds(p, gold, ontology))
    return replace(fitted, lead_threshold=_lead_threshold(p, gold, fitted.threshold_vector(ontology)))


def fit_thresholds(probabilities: Floats, gold: NDArray[np.bool_], ontology: Ontology) -> dict[str, float]:
    """A threshold per type: its own best, shrunk towards the best common one by how few gold events it has.

    Args:
        probabilities: ``(n_sentences, n_types)``, calibrated.
        gold: the same shape.
        ontology: gives the types' names.
    """
    common = _best_threshold(probabilities, gold)
    thresholds = {}
    for i, name in enumerate(ontology.event_types):
        n = int(gold[:, i].sum())
        own = _best_threshold(probabilities[:, i], gold[:, i]) if n else common
        trust = n / (n + PRIOR_EVENTS)
        thresholds[name] = round(trust * own + (1 - trust) * common, 3)
    return thresholds


def _lead_threshold(p: Floats, gold: NDArray[np.bool_], thresholds: Floats) -> float:
    """The lowest threshold of a sentence's likeliest type that costs nothing, by the mean of micro F1 and any-event F1.

    The lowest, since scores are lower on text that is unlike the training data.
    """

    def score(lead: float) -> float:
        marked = mark_events(p, thresholds, lead)
        return (_f1(marked, gold) + _f1(np.asarray(marked.any(1)), np.asarray(gold.any(1)))) / 2

    values = np.array([score(float(t)) for t in GRID])
    return float(GRID[values >= values.max() - SLACK][0])


def _f1(marked: NDArray[np.bool_], gold: NDArray[np.bool_]) -> float:
    return float(2 * (marked & gold).sum() / max(1, marked.sum() + gold.sum()))


def _best_threshold(p: Floats, gold: NDArray[np.bool_]) -> float:
    """The threshold with the best F1."""
    f1 = np.array([_f1(p >= t, gold) for t in GRID])
    return _plateau(f1)


def _plateau(values: NDArray[np.float64]) -> float:
    """Middle of the widest run of grid points whose value is within ``SLACK`` of the best."""
    good = np.flatnonzero(values >= values.max() - SLACK)
    runs = np.split(good, np.flatnonzero(np.diff(good) > 1) + 1)
    return float(np.round(GRID[max(runs, key=len)].mean(), 3))


def _tag_temperature(
    extractor: Extractor, sentences: Sequence[AnnotatedSentence], scores: Sequence[SentenceScores]
) -> float:
    """Temperature of the chain that maximises the likelihood of the gold tags."""
    rows = [
        (scores[i], extractor.decoder.tag_set.encode(_units(sentence, scores[i]), len(scores[i].unit_offsets)))
        for i, sentence in enumerate(sentences)
        if sentence.spans is not None and scores[i].tag_logits is not None and len(scores[i].unit_offsets)
    ]
    if not rows:
        return 1.0
    lengths = np.array([len(tags) for _, tags in rows], dtype=np.int64)
    emissions = np.zeros((len(rows), int(lengths.max()), len(extractor.decoder.tag_set)), dtype=np.float32)
    for row, (score, tags) in enumerate(rows):
        emissions[row, : len(tags)] = score.tag_logits
    chain = extractor.decoder.chain

    def loss(t: float) -> float:
        c = chain.scaled(t)
        total = float(lattice(emissions / t, lengths, c).log_z.sum())
        for row, (_, tags) in enumerate(rows):
            total -= float(c.start[tags[0]] + c.end[tags[-1]] + c.transitions[tags[:-1], tags[1:]].sum())
            total -= float(emissions[row, range(len(tags)), tags].sum() / t)
        return total / int(lengths.sum())

    return _minimise(loss)


def _units(sentence: AnnotatedSentence, scores: SentenceScores) -> list[tuple[int, int, str]]:
    aligned, _ = align_spans(sentence.spans or (), scores.unit_offsets)
    return [(*units, (sentence.spans or ())[i].label) for i, units in aligned.items()]


def _role_examples(
    ontology: Ontology, sentences: Sequence[AnnotatedSentence], scores: Sequence[SentenceScores]
) -> tuple[Floats, NDArray[np.int64]]:
    """Mean role logits of every (gold event, gold span), roles of other labels masked, and the gold role (0 none)."""
    logits: list[Floats] = []
    labels: list[int] = []
    for sentence, score in zip(sentences, scores, strict=True):
        if sentence.spans is None or sentence.events is None or score.role_logits is None:
            continue
        aligned, _ = align_spans(sentence.spans, score.unit_offsets)
        for event in sentence.events:
            role_of = {i: ontology.role_keys.index(key) + 1 for key, ids in event.roles.items() for i in ids}
            for index, (first, end) in aligned.items():
                row = score.role_logits[first:end, ontology.event_types.index(event.type)].mean(0)
                fits = [True, *(role.span_label == sentence.spans[index].label for role in ontology.roles)]
                logits.append(np.where(fits, row, -1e4).astype(np.float32))
                labels.append(role_of.get(index, 0))
    return np.array(logits, dtype=np.float32), np.array(labels, dtype=np.int64)


def _cross_entropy(logits: Floats, labels: NDArray[np.int64]) -> float:
    z = logits - logits.max(1, keepdims=True)
    return float(np.mean(np.log(np.exp(z).sum(1)) - z[np.arange(len(labels)), labels]))


def _role_threshold(logits: Floats, labels: NDArray[np.int64]) -> float:
    z = np.exp(logits - logits.max(1, keepdims=True))
    p = z / z.sum(1, keepdims=True)
    best = p[:, 1:].argmax(1) + 1
    some = p[:, 1:].sum(1)

    def f1(t: float) -> float:
        hits = int(((some >= t) & (best == labels)).sum())
        return 2 * hits / max(1, int((some >= t).sum() + (labels > 0).sum()))

    values = np.array([f1(float(t)) for t in GRID])
    return _plateau(values)


def _minimise(loss: Callable[[float], float]) -> float:
    """Temperature in [0.2, 10] with the least loss."""
    from scipy.optimize import minimize_scalar

    result = minimize_scalar(lambda x: loss(float(np.exp(x))), bounds=LOG_TEMPERATURES, method="bounded")
    return round(float(np.exp(result.x)), 4)
