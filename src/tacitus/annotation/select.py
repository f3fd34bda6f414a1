"""Which sentences to annotate next: by uncertainty, rare types, diversity or chance; near-duplicates never together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tacitus.data.encode import encode_texts
from tacitus.extractor import Extractor
from tacitus.model.decode import Decoder, SentenceScores
from tacitus.model.viterbi import Floats
from tacitus.records import AnnotatedSentence

STRATEGIES = ("mixed", "uncertainty", "rarity", "diversity", "random", "order")
NEAR = 0.95  # cosine of two sentence vectors above which the second waits until all others are queued
SMOOTHING = 5.0  # annotated events that a type is taken to have before any


@dataclass(frozen=True)
class Signals:
    """What a model says of ``n`` sentences.

    ``probabilities`` ``(n, n_types)`` of event types, ``spans`` ``(n,)`` the expected number of wrong unit tags,
    ``vectors`` ``(n, hidden)`` of length 1.
    """

    probabilities: Floats
    spans: Floats
    vectors: Floats


def choose(
    pool: Sequence[AnnotatedSentence],
    labelled: Sequence[AnnotatedSentence],
    extractor: Extractor | None,
    strategy: str,
    n: int,
    seed: int = 1,
) -> list[AnnotatedSentence]:
    """The first ``n`` of the pool in the order to annotate them in.

    Args:
        pool: sentences without annotations.
        labelled: what is annotated already.
        extractor: the checkpoint to ask; not needed for ``random`` and ``order``.
        strategy: one of ``STRATEGIES``.
        n: how many.
        seed: of chance.
    """
    if strategy == "order" or not pool:
        return list(pool[:n])
    if strategy == "random" or extractor is None:
        return [pool[i] for i in np.random.default_rng(seed).permutation(len(pool))[:n]]
    vectors = embed(extractor, [s.text for s in (*pool, *labelled)])
    scores = extractor.score([s.text for s in pool])
    probabilities = event_probabilities(extractor.decoder, scores)
    signals, known = Signals(probabilities, tag_errors(scores), vectors[: len(pool)]), vectors[len(pool) :]
    counts = np.array([sum(t in s.event_types() for s in labelled) for t in extractor.ontology.event_types], np.float32)
    return [pool[i] for i in select(strategy, signals, known, counts, n)]


def event_probabilities(decoder: Decoder, scores: Sequence[SentenceScores]) -> Floats:
    """Calibrated probabilities of event types, ``(n, n_types)``; no columns where the ontology has no types."""
    logits = [s.event_logits for s in scores if s.event_logits is not None]
    return decoder.event_probabilities(np.stack(logits)) if logits else np.zeros((len(scores), 0), np.float32)


def tag_errors(scores: Sequence[SentenceScores]) -> Floats:
    """Expected number of units whose likeliest tag is wrong, unit by unit, ``(n,)``."""
    return np.array([_tag_errors(s.tag_logits) for s in scores], dtype=np.float32)


def _tag_errors(logits: Floats | None) -> float:
    return 0.0 if logits is None or not len(logits) else float((1 - tag_probabilities(logits).max(1)).sum())


def tag_probabilities(logits: Floats) -> Floats:
    """Softmax over the tags of each unit, ``(units, n_tags)``; the chain between units is left out."""
    p = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(p / p.sum(1, keepdims=True), dtype=np.float32)


def embed(extractor: Extractor, texts: Sequence[str]) -> Floats:
    """Mean token vectors of a checkpoint's encoder, scaled to length 1, ``(n, hidden)``; long texts by their start."""
    import torch

    from tacitus.checkpoint import load_model
    from tacitus.data.collate import Collator

    model = load_model(Path(extractor.name)).eval()
    collate = Collator(model.config.encoder.get("pad_token_id") or 0, 0)
    windows = [encoded.windows[0] for encoded in encode_texts(texts, extractor.tokenizer)]
    out: list[Floats] = []
    for start in range(0, len(windows), 64):
        batch = collate(
            [
                {"input_ids": w.input_ids, "case_ids": w.case_ids, "unit_positions": w.unit_positions}
                for w in windows[start : start + 64]
            ]
        )
        mask = batch["attention_mask"]
        with torch.inference_mode():
            hidden = model.encode(batch["input_ids"], batch["case_ids"], mask)
        out.append(np.asarray(((hidden * mask.unsqueeze(2)).sum(1) / mask.sum(1, keepdim=True)).numpy()))
    vectors = np.concatenate(out)
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def select(strategy: str, signals: Signals, known: Floats, counts: Floats, n: int) -> list[int]:
    """Indices of the ``n`` sentences that teach most, best first.

    ``uncertainty`` expects the model's mistakes in types and spans; ``rarity`` counts the events that it sees, each
    over the events of its type annotated or taken so far; ``mixed`` counts doubts beside events and lets doubtful spans
    weigh more; ``diversity`` takes what is farthest from everything taken or known (k-center greedy, Sener & Savarese
    2018). What is nearly the same as something taken or known waits until all others are queued.

    Args:
        strategy: one of ``STRATEGIES`` but chance and order.
        signals: of the pool.
        known: vectors of annotated sentences, ``(m, hidden)``.
        counts: annotated events of each type, ``(n_types,)``.
        n: how many.
    """
    vectors, p = signals.vectors, signals.probabilities
    nearest = (vectors @ known.T).max(1) if len(known) else np.full(len(vectors), -1.0, dtype=np.float32)
    left: NDArray[np.bool_] = np.ones(len(vectors), dtype=bool)
    taken: list[int] = []
    for _ in range(min(n, len(vectors))):
        value = 1 - nearest if strategy == "diversity" else worth(strategy, signals, counts)
        value = np.where(nearest > NEAR, value - 2 * np.abs(value).max(), value)
        best = int(np.where(left, value, -np.inf).argmax())
        left[best] = False
        taken.append(best)
        nearest = np.maximum(nearest, vectors @ vectors[best])
        counts = counts + p[best]
    return taken


def worth(strategy: str, signals: Signals, counts: Floats) -> Floats:
    """What each sentence is worth by one strategy, ``(n,)``; arguments as :func:`select`."""
    p, doubt = signals.probabilities, np.minimum(signals.probabilities, 1 - signals.probabilities)
    if strategy == "uncertainty":
        return np.asarray(doubt.sum(1) + signals.spans, dtype=np.float32)
    weight = 1 / (counts + SMOOTHING)
    if strategy == "rarity":
        return np.asarray(p @ weight, dtype=np.float32)
    spans = signals.spans / max(float(signals.spans.max(initial=0)), 1e-9)
    return np.asarray(((p + doubt) @ weight) * (1 + spans), dtype=np.float32)
