"""Public benchmark tasks, run the honest way: rate chosen on dev, several seeds, the test set scored once a seed.

Every run is a training run of :mod:`tacitus.training.run` on files that the task is written to, so that a benchmark
measures the model that users train.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

from tacitus.data.jsonl import write_sentences
from tacitus.data.labelled import (
    join_layers,
    ontology_of,
    read_classes,
    read_conll,
    read_indicators,
    to_whole_tokens,
)
from tacitus.errors import InputError
from tacitus.evaluation.seeds import summary
from tacitus.extractor import Extractor
from tacitus.files import atomic_text, write_json
from tacitus.metrics import CountTable, count
from tacitus.ontology import Ontology, dump_ontology
from tacitus.records import AnnotatedSentence
from tacitus.training.recipe import load_recipe
from tacitus.training.run import train

DEV_SHARE, DEV_SEED = 0.15, 0  # where a task comes without a dev part
CAMEO_CLASSES = {
    "0": "neutral",
    "1": "verbal-cooperation",
    "2": "material-cooperation",
    "3": "verbal-conflict",
    "4": "material-conflict",
}
Sentences = list[AnnotatedSentence]
Figures = dict[str, float]


@dataclass(frozen=True)
class Parts:
    """The sentences of a task; training never sees ``test``."""

    train: Sentences
    dev: Sentences
    test: Sentences


@dataclass(frozen=True)
class Task:
    """A public task: how it is read, which figures it is judged by, and what others have published.

    ``read`` gets the folder that holds the tasks' folders, and whether tables begin with a header. ``figures[0]`` of
    ``score`` chooses the rate.
    """

    read: Callable[[Path, bool], Parts]
    figures: tuple[str, ...]
    exclusive: bool = False
    published: tuple[tuple[str, str, float], ...] = ()


def _parts(reader: Callable[..., Sentences], suffix: str) -> Callable[[Path, bool], Parts]:
    """Train, dev and test files of a folder; without a dev file, a fixed share of train is set apart."""

    def parts(folder: Path, header: bool) -> Parts:
        read = partial(reader, header=True) if header else reader
        train_part, test = read(folder / f"train{suffix}"), read(folder / f"test{suffix}")
        dev = read(folder / f"dev{suffix}") if (folder / f"dev{suffix}").exists() else None
        return _split(train_part, dev, test)

    return parts


def _split(train_part: Sentences, dev: Sentences | None, test: Sentences) -> Parts:
    if dev is None:
        order = list(range(len(train_part)))
        random.Random(DEV_SEED).shuffle(order)
        held = set(order[: round(DEV_SHARE * len(order))])
        dev = [s for i, s in enumerate(train_part) if i in held]
        train_part = [s for i, s in enumerate(train_part) if i not in held]
    held_out = {"".join(s.text.split()) for s in [*dev, *test]}
    return Parts([s for s in train_part if "".join(s.text.split()) not in held_out], dev, test)


def _cameo_classes(path: Path) -> Sentences:
    return read_classes(path, CAMEO_CLASSES)


def _cameo_joint(folder: Path, _: bool) -> Parts:
    files = [
        join_layers(
            read_conll(folder / "cameo_ner" / f"{part}.txt"), _cameo_classes(folder / "cameo_class" / f"{part}.tsv")
        )
        for part in ("train", "test")
    ]
    return _split(files[0], None, files[1])


def _in(name: str, read: Callable[[Path, bool], Parts]) -> Callable[[Path, bool], Parts]:
    return lambda data, header: read(data / name, header)


TASKS = {
    "cameo_class": Task(
        _in("cameo_class", _parts(_cameo_classes, ".tsv")),
        ("event_macro_f1", "event_micro_f1"),
        exclusive=True,
        published=(
            ("ConfliBERT-scr-uncased", "event_macro_f1", 0.895),
            ("best ConfliBERT-v2", "event_macro_f1", 0.880),
            ("ModernBERT-base", "event_macro_f1", 0.870),
        ),
    ),
    "cameo_ner": Task(
        _in("cameo_ner", _parts(read_conll, ".txt")),
        ("span_micro_f1",),
        published=(
            ("best ConfliBERT-v2", "span_micro_f1", 0.752),
            ("ConfliBERT", "span_micro_f1", 0.740),
            ("ModernBERT-base", "span_micro_f1", 0.730),
        ),
    ),
    "cameo_joint": Task(_cameo_joint, ("event_macro_f1", "span_micro_f1", "event_micro_f1"), exclusive=True),
    "re3d": Task(
        _in("re3d", _parts(read_conll, ".txt")),
        ("span_micro_f1",),
        published=(
            ("best ConfliBERT-v2", "span_micro_f1", 0.695),
            ("ModernBERT-base", "span_micro_f1", 0.685),
            ("ConfliBERT", "span_micro_f1", 0.684),
        ),
    ),
    "satp_relevant": Task(
        _in("satp_relevant", _parts(read_indicators, ".tsv")),
        ("event_example_f1", "event_micro_f1", "event_macro_f1"),
        published=(
            ("ConfliBERT", "event_example_f1", 0.894),
            ("best ConfliBERT-v2", "event_example_f1", 0.891),
            ("ModernBERT-base", "event_example_f1", 0.872),
        ),
    ),
    # Files of one's own, train/dev/test with these endings in the data folder itself.
    "classes": Task(_parts(read_classes, ".tsv"), ("event_macro_f1", "event_micro_f1"), exclusive=True),
    "labels": Task(_parts(read_indicators, ".tsv"), ("event_micro_f1", "event_macro_f1", "event_example_f1")),
    "conll": Task(_parts(read_conll, ".txt"), ("span_micro_f1",)),
}
TABLES = ("classes", "labels")


def example_f1(pairs: Sequence[tuple[AnnotatedSentence, AnnotatedSentence]]) -> float:
    """Mean F1 of each sentence's label set; a sentence without labels in gold and prediction counts as 1."""

    def one(gold: set[str], predicted: set[str]) -> float:
        return 2 * len(gold & predicted) / (len(gold) + len(predicted)) if gold or predicted else 1.0

    return mean(one(g.event_types(), p.event_types()) for g, p in pairs)


def score(gold: Sentences, predicted: Sentences, ontology: Ontology) -> Figures:
    """The figures that tasks are judged by, for the layers the ontology has."""
    pairs = [(g, to_whole_tokens(p) if g.spans is not None else p) for g, p in zip(gold, predicted, strict=True)]
    table: CountTable = count(pairs, ontology)
    out: Figures = {}
    if ontology.event_types:
        out |= {"event_micro_f1": table.micro("event").f1, "event_macro_f1": table.macro_f1("event")}
        out["event_example_f1"] = example_f1([pair for pair in pairs if pair[0].events is not None])
        out |= {f"event/{kind}": s.f1 for kind, s in table.scores("event").items()}
    if ontology.span_label_ids:
        out["span_micro_f1"] = table.micro("span/strict").f1
        out |= {f"span/{label}": s.f1 for label, s in table.scores("span/strict").items()}
    return out


@dataclass(frozen=True)
class Benchmark:
    """One task, prepared in a folder: files, finished runs and the result; a call again goes on where it stopped."""

    name: str
    task: Task
    parts: Parts
    ontology: Ontology
    recipe: Path
    output: Path
    overrides: tuple[str, ...] = ()

    @classmethod
    def prepare(
        cls, name: str, data: Path, recipe: Path, output: Path, overrides: tuple[str, ...] = (), header: bool = False
    ) -> Benchmark:
        """Reads a task and writes its files; ``header`` says that the tables' first row names the columns.

        Raises:
            InputError: the task is unknown or takes no header, or a file is missing or of another form.
        """
        if name not in TASKS:
            raise InputError(f"{name}: no such benchmark task; take {', '.join(TASKS)}")
        if header and name not in TABLES:
            raise InputError(f"{name}: its files have no header; the option is for {' and '.join(TABLES)}")
        task = TASKS[name]
        parts = task.read(data, header)
        ontology = ontology_of([*parts.train, *parts.dev, *parts.test], name, task.exclusive)
        output.mkdir(parents=True, exist_ok=True)
        write_sentences(output / "train.jsonl", parts.train)
        write_sentences(output / "dev.jsonl", parts.dev)
        with atomic_text(output / "ontology.yaml") as stream:
            stream.write(dump_ontology(ontology))
        return cls(name, task, parts, ontology, recipe, output, overrides)

    def run(self, rates: Sequence[float], seeds: Sequence[int]) -> dict[str, Any]:
        """Chooses the rate on dev with the first seed, then scores the test set once a seed."""
        by_rate = {rate: self._figures(rate, seeds[0], "dev", self.parts.dev)[self.task.figures[0]] for rate in rates}
        best = max(by_rate, key=by_rate.__getitem__)
        tests = [self._figures(best, seed, "test", self.parts.test) for seed in seeds]
        names = [*self.task.figures, *sorted({key for test in tests for key in test} - set(self.task.figures))]
        result = {
            "task": self.name,
            "sentences": {"train": len(self.parts.train), "dev": len(self.parts.dev), "test": len(self.parts.test)},
            "dev_by_rate": {str(rate): round(value, 4) for rate, value in by_rate.items()},
            "rate": best,
            "seeds": list(seeds),
            "test": {n: summary([t[n] for t in tests]) for n in names if n in tests[0]},
            "published": [list(row) for row in self.task.published],
        }
        write_json(self.output / "result.json", result)
        return result

    def _folder(self, rate: float, seed: int) -> Path:
        return self.output / "runs" / f"rate-{rate:g}-seed-{seed}"

    def _checkpoint(self, rate: float, seed: int) -> Extractor:
        folder = self._folder(rate, seed)
        if not (folder / "metrics.json").exists():
            settings = {
                "name": f"{self.name}-{rate:g}-{seed}",
                "data.train": f"[{self.output / 'train.jsonl'}]",
                "data.dev": self.output / "dev.jsonl",
                "data.ontology": self.output / "ontology.yaml",
                "optim.learning_rate": rate,
                "run.seed": seed,
                "run.output": folder,
            }
            train(load_recipe(self.recipe, [*(f"{key}={value}" for key, value in settings.items()), *self.overrides]))
        return Extractor.load(folder)

    def _figures(self, rate: float, seed: int, part: str, sentences: Sentences) -> Figures:
        kept = self._folder(rate, seed) / f"{part}.json"
        if not kept.exists():
            extractor = self._checkpoint(rate, seed)
            write_json(kept, score(sentences, extractor.predict(sentences), self.ontology))
        figures: Figures = json.loads(kept.read_text(encoding="utf-8"))
        return figures
