"""What the order of annotation is worth: learning curves of selection strategies, simulated on the corpus.

A pool of 2,000 sentences (whole reports, drawn by the seed) plays the unlabelled one. Every strategy begins with the
same 200 random sentences and asks for 100 more at a time. After each step a classifier of event types is fitted to
everything labelled so far: logistic regression (one output per type, penalty chosen once, full convergence) over mean
token vectors of the **frozen** pretrained encoder. The score is micro F1 of event types on dev, at the one threshold
that is best there, as a checkpoint's thresholds are fitted on dev too. Spans and roles are not simulated: a network
that learns them would take hours for these curves on two cores.

    python benchmarks/active_learning.py run --seeds 1 2 3          # curves into benchmarks/active_learning.json
    python benchmarks/active_learning.py plot                       # docs/images/active-learning.svg, and a table
    python benchmarks/active_learning.py run --on rest --seeds 11   # on other training sentences, to try things out
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import AutoModel, AutoTokenizer

from tacitus.annotation.select import Signals, select
from tacitus.data.jsonl import read_sentences
from tacitus.data.split import split_by_document
from tacitus.ontology import load_ontology
from tacitus.records import AnnotatedSentence
from tacitus.resources import ENCODER, encoder_path

CURVES = Path(__file__).with_suffix(".json")
STRATEGIES = ("random", "mixed", "uncertainty", "rarity", "diversity")
POOL, START, STEP, END, CHANCE_END = 2000, 200, 100, 1200, 2000
PENALTY = 2e-4
Vectors = NDArray[np.float32]


def embed(sentences: list[AnnotatedSentence]) -> Vectors:
    """Mean token vectors of length 1, ``(n, hidden)``."""
    source = encoder_path(ENCODER)
    tokenizer, encoder = AutoTokenizer.from_pretrained(source), AutoModel.from_pretrained(source).eval()
    order = sorted(range(len(sentences)), key=lambda i: len(sentences[i].text))
    out = np.zeros((len(sentences), encoder.config.hidden_size), dtype=np.float32)
    for first in range(0, len(order), 64):
        rows = order[first : first + 64]
        texts = [sentences[i].text for i in rows]
        batch = tokenizer(texts, padding=True, truncation=True, max_length=160, return_tensors="pt")
        with torch.inference_mode():
            hidden = encoder(**batch).last_hidden_state * batch["attention_mask"].unsqueeze(2)
        out[rows] = nn.functional.normalize(hidden.sum(1), dim=1).numpy()
    return out


def fit(vectors: Vectors, marks: NDArray[np.bool_]) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights ``(hidden, n_types)`` and biases of one logistic regression per type."""
    x, y = torch.from_numpy(vectors), torch.from_numpy(marks.astype(np.float32))
    weights = torch.zeros(x.shape[1], y.shape[1], requires_grad=True)
    bias = torch.full((y.shape[1],), -3.0, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights, bias], max_iter=60, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        logits = x @ weights + bias
        value = nn.functional.binary_cross_entropy_with_logits(logits, y, reduction="sum") / len(x)
        value = value + PENALTY * (weights**2).sum()
        value.backward()
        return value

    optimizer.step(loss)
    return weights.detach(), bias.detach()


def probabilities(model: tuple[torch.Tensor, torch.Tensor], vectors: Vectors) -> Vectors:
    """Of every type, ``(n, n_types)``."""
    return (torch.from_numpy(vectors) @ model[0] + model[1]).sigmoid().numpy()


def best_f1(p: Vectors, gold: NDArray[np.bool_]) -> float:
    """Micro F1 at the threshold that is best."""
    order = np.argsort(-p.ravel(), kind="stable")
    hits = gold.ravel()[order].cumsum()
    return float((2 * hits / (np.arange(1, len(hits) + 1) + gold.sum())).max())


def next_step(
    strategy: str, seed: int, p: Vectors, vectors: Vectors, taken: list[int], marks: NDArray[np.bool_]
) -> Any:
    """Indices of the next sentences."""
    left = np.setdiff1d(np.arange(len(vectors)), taken)
    if strategy == "random":
        return np.random.default_rng([seed, len(taken)]).permutation(left)[:STEP].tolist()
    signals = Signals(p[left], np.zeros(len(left), np.float32), vectors[left])
    counts = marks[taken].sum(0).astype(np.float32)
    return left[select(strategy, signals, vectors[taken], counts, STEP)].tolist()


def curve(strategy: str, seed: int, pool: Any, dev: Any) -> dict[int, float]:
    """Labelled sentences → score."""
    (vectors, marks), (dev_vectors, dev_marks) = pool, dev
    taken = np.random.default_rng(seed).permutation(len(vectors))[:START].tolist()
    out: dict[int, float] = {}
    end = min(CHANCE_END if strategy == "random" else END, len(vectors))
    while True:
        model = fit(vectors[taken], marks[taken])
        out[len(taken)] = round(best_f1(probabilities(model, dev_vectors), dev_marks), 5)
        if len(taken) >= end:
            return out
        taken += next_step(strategy, seed, probabilities(model, vectors), vectors, taken, marks)


def run(seeds: list[int], strategies: list[str], on: str) -> dict[str, dict[str, dict[int, float]]]:
    """Strategy → seed → curve."""
    ontology = load_ontology()

    def marked(sentences: list[AnnotatedSentence]) -> Any:
        marks = np.array([[t in s.event_types() for t in ontology.event_types] for s in sentences])
        return embed(sentences), marks

    train = read_sentences("annotations/train.jsonl", ontology)
    dev = marked(read_sentences("annotations/dev.jsonl", ontology)) if on == "dev" else None
    curves: dict[str, dict[str, dict[int, float]]] = {name: {} for name in strategies}
    for seed in seeds:
        share = 1.02 * POOL / len(train)
        parts = split_by_document(train, {"pool": share, "rest": 1 - share}, seed)
        pool, judged = marked(parts["pool"][:POOL]), dev or marked(parts["rest"][:600])
        for name in strategies:
            curves[name][str(seed)] = curve(name, seed, pool, judged)
    return curves


def table(curves: dict[str, dict[str, dict[Any, float]]]) -> dict[str, dict[int, float]]:
    """Strategy → labelled sentences → mean over seeds; printed with what chance needs for the same score."""
    mean = {
        name: {int(n): float(np.mean([c[n] for c in by_seed.values()])) for n in next(iter(by_seed.values()))}
        for name, by_seed in curves.items()
    }
    chance = mean["random"]
    best_so_far = np.maximum.accumulate(list(chance.values()))
    for name, points in mean.items():
        for n, score in points.items():
            if name != "random" and n % 200 == 0:
                above = [size for size, value in zip(chance, best_so_far, strict=True) if value >= score]
                needed = f"{above[0]} ({above[0] / n - 1:+.0%})" if above else f"more than {max(chance)}"
                print(f"{name:12} {n:5} {score:.4f}  random: {chance[n]:.4f} there, as good at {needed}")
    return mean


def plot(mean: dict[str, dict[int, float]]) -> None:
    """Draws the curves."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 4))
    for name, points in mean.items():
        axes.plot(list(points), list(points.values()), label=name, color="black" if name == "random" else None)
    axes.set(xlabel="labelled sentences", ylabel="event types, micro F1 on dev")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig("docs/images/active-learning.svg", bbox_inches="tight", metadata={"Date": None})


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "plot"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--strategies", nargs="+", choices=STRATEGIES, default=STRATEGIES)
    parser.add_argument("--on", choices=["dev", "rest"], default="dev")
    given = parser.parse_args()
    if given.what == "plot":
        plot(table(json.loads(CURVES.read_text(encoding="utf-8"))))
        return
    curves = run(given.seeds, given.strategies, given.on)
    if given.on == "rest":
        table(curves)
        return
    kept = json.loads(CURVES.read_text(encoding="utf-8")) if CURVES.exists() else {}
    for name, by_seed in curves.items():
        kept[name] = kept.get(name, {}) | by_seed
    CURVES.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
