"""What the order of annotation is worth: learning curves of selection strategies, simulated on the corpus.

A pool of 2,000 sentences (whole reports, drawn by the seed) plays the unlabelled one. Every strategy begins with the
same 200 random sentences and asks for 200 more at a time. After each step new heads (types, spans, roles) are trained
on everything labelled so far over the **frozen** pretrained encoder, whose token vectors are computed once; the score
is the one that training chooses checkpoints by, the mean of event, span and role micro F1 on dev at default thresholds.
The encoder is frozen to make all curves affordable on two cores: scores are far below those of a fine-tuned model.

    python benchmarks/active_learning.py run --strategy random --seed 1     # one curve into benchmarks/active_learning/
    python benchmarks/active_learning.py plot                               # all curves there, figure and table
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoTokenizer

from tacitus.annotation.select import Signals, event_probabilities, select, tag_errors
from tacitus.checkpoint import extractor_from_model
from tacitus.data.collate import Collator
from tacitus.data.encode import FeatureEncoder, prepare_tokenizer
from tacitus.data.jsonl import read_sentences
from tacitus.data.split import split_by_document
from tacitus.extractor import Extractor
from tacitus.metrics import count, headline, selection_score
from tacitus.model.modeling import EventModel
from tacitus.ontology import Ontology, load_ontology
from tacitus.records import AnnotatedSentence
from tacitus.resources import ENCODER, encoder_path

CURVES = Path(__file__).parent / "active_learning"
POOL, START, STEP = 2000, 200, 200
EPOCHS, BATCH, RATE, DROPOUT = 12, 32, 2e-3, 0.2
MAX_TOKENS = 160


class CachedEncoder(nn.Module):
    """Gives back the frozen encoder's vectors of texts it has seen, told apart by their token ids."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self._encoder = [encoder.eval()]  # in a list: no parameters of this module
        self._seen: dict[tuple[int, ...], Tensor] = {}

    @torch.no_grad()
    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> SimpleNamespace:
        """Vectors ``(batch, seq, hidden)``, padding zero."""
        lengths = attention_mask.sum(1).tolist()
        keys = [tuple(row[:n].tolist()) for row, n in zip(input_ids, lengths, strict=True)]
        if any(key not in self._seen for key in keys):
            hidden = self._encoder[0](input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            self._seen.update((key, row[:n].clone()) for key, row, n in zip(keys, hidden, lengths, strict=True))
        rows = [self._seen[key] for key in keys]
        return SimpleNamespace(last_hidden_state=nn.utils.rnn.pad_sequence(rows, batch_first=True))

    def mean_vector(self, ids: list[int]) -> np.ndarray:
        """Mean token vector of a text that was seen, of length 1."""
        vector = self._seen[tuple(ids)].mean(0)
        return (vector / vector.norm()).numpy()


class Bench:
    """The data of one seed, the frozen encoder, and fresh heads on demand."""

    def __init__(self, seed: int, ontology: Ontology) -> None:
        train, self.dev = (read_sentences(f"annotations/{part}.jsonl", ontology) for part in ("train", "dev"))
        share = 1.02 * POOL / len(train)
        self.pool = split_by_document(train, {"pool": share, "rest": 1 - share}, seed)["pool"][:POOL]
        self.seed, self.ontology, source = seed, ontology, encoder_path(ENCODER)
        self.raw_tokenizer = AutoTokenizer.from_pretrained(source).backend_tokenizer
        self.tokenizer = prepare_tokenizer(self.raw_tokenizer, MAX_TOKENS)
        torch.manual_seed(seed)
        self.fresh = EventModel.from_encoder(source, ontology, max_tokens=MAX_TOKENS, head_dropout=DROPOUT)
        self.cache = CachedEncoder(self.fresh.encoder)
        self.fresh.encoder = self.cache
        self.start = {name: p.clone() for name, p in self.fresh.state_dict().items()}
        self.vectors = self._vectors([s.text for s in self.pool])

    def _vectors(self, texts: list[str]) -> np.ndarray:
        encodings = self.tokenizer.encode_batch(texts)
        order = sorted(range(len(texts)), key=lambda i: len(encodings[i].ids))
        for first in range(0, len(texts), 64):
            rows = [torch.tensor(encodings[i].ids) for i in order[first : first + 64]]
            ids = nn.utils.rnn.pad_sequence(rows, batch_first=True)
            mask = nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
            self.cache(ids, mask)
        return np.stack([self.cache.mean_vector(e.ids) for e in encodings])

    def fit(self, labelled: list[AnnotatedSentence]) -> Extractor:
        """Heads trained from their first values on the labelled sentences."""
        torch.manual_seed(self.seed)
        model = self.fresh
        model.load_state_dict(self.start)
        model.train()
        features, _ = FeatureEncoder(self.tokenizer, self.ontology, model.config.tag_set())(labelled)
        collate = Collator(0, len(self.ontology.event_types))
        heads = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(heads, lr=RATE, weight_decay=0.01, fused=True)
        n_steps = EPOCHS * -(-len(features) // BATCH)
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, n_steps)
        for _ in range(EPOCHS):
            order = torch.randperm(len(features)).tolist()
            for first in range(0, len(order), BATCH):
                loss = model(**collate([features[i] for i in order[first : first + BATCH]])).loss
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(heads, 1.0)
                optimizer.step()
                schedule.step()
        return extractor_from_model(model, self.raw_tokenizer, "benchmark")

    def score(self, extractor: Extractor) -> dict[str, float]:
        """Dev figures."""
        table = count(list(zip(self.dev, extractor.predict(self.dev), strict=True)), self.ontology)
        names = ("event_micro_f1", "event_macro_f1", "span_strict_f1", "role_strict_f1")
        return {"score": selection_score(table)} | {name: headline(table)[name] for name in names}

    def next(self, strategy: str, extractor: Extractor, taken: list[int]) -> list[int]:
        """Indices of the next step's sentences."""
        held = set(taken)
        left = np.array([i for i in range(len(self.pool)) if i not in held])
        if strategy == "random":
            return np.random.default_rng(self.seed + len(taken)).permutation(left)[:STEP].tolist()
        scores = extractor.score([self.pool[i].text for i in left])
        signals = Signals(event_probabilities(extractor.decoder, scores), tag_errors(scores), self.vectors[left])
        marked = [self.pool[i].event_types() for i in taken]
        counts = np.array([sum(t in m for m in marked) for t in self.ontology.event_types], dtype=np.float32)
        return left[select(strategy, signals, self.vectors[taken], counts, STEP)].tolist()


def run(strategy: str, seed: int, until: int) -> None:
    """One curve, written after every step."""
    bench = Bench(seed, load_ontology())
    taken = np.random.default_rng(seed).permutation(len(bench.pool))[:START].tolist()
    points: list[dict[str, float]] = []
    while True:
        began = time.perf_counter()
        extractor = bench.fit([bench.pool[i] for i in taken])
        labels = {"sentences": len(taken), "spans": sum(len(bench.pool[i].spans or ()) for i in taken)}
        points.append(labels | bench.score(extractor))
        print(strategy, seed, {k: round(v, 4) for k, v in points[-1].items()}, f"{time.perf_counter() - began:.0f} s")
        CURVES.mkdir(exist_ok=True)
        (CURVES / f"{strategy}-{seed}.json").write_text(json.dumps(points, indent=1) + "\n")
        if len(taken) >= until:
            return
        taken += bench.next(strategy, extractor, taken)


def curves() -> dict[str, dict[int, list[float]]]:
    """Strategy → sentences → score of each seed."""
    out: dict[str, dict[int, list[float]]] = {}
    for path in sorted(CURVES.glob("*.json")):
        for point in json.loads(path.read_text()):
            out.setdefault(path.stem.rpartition("-")[0], {}).setdefault(point["sentences"], []).append(point["score"])
    return out


def plot() -> None:
    """Draws all curves and prints what random selection needs for the same mean score."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    every = {name: {n: float(np.mean(s)) for n, s in sorted(c.items())} for name, c in curves().items()}
    figure, axes = pyplot.subplots(figsize=(6.4, 4))
    for name, curve in every.items():
        axes.plot(list(curve), list(curve.values()), marker="o", label=name)
    axes.set(xlabel="labelled sentences", ylabel="dev score (mean of 3 seeds)")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig("docs/images/active-learning.svg", bbox_inches="tight", metadata={"Date": None})
    chance = every["random"]
    for name, curve in every.items():
        for n, score in curve.items():
            if name != "random" and min(chance.values()) < score <= max(chance.values()):
                needed = float(np.interp(score, list(chance.values()), list(chance)))
                print(f"{name} {n}: {score:.4f}, random needs {needed:.0f} ({needed / n - 1:+.0%})")


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "plot"])
    parser.add_argument("--strategy", default="mixed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--until", type=int, default=1000, help="sentences of the last point")
    given = parser.parse_args()
    if given.what == "plot":
        plot()
    else:
        run(given.strategy, given.seed, given.until)


if __name__ == "__main__":
    main()
