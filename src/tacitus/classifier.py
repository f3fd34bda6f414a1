"""Event types as a scikit-learn classifier: texts in, labels or an indicator matrix out."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacitus.data.jsonl import write_sentences
from tacitus.errors import InputError, require
from tacitus.extractor import Extractor
from tacitus.files import write_json
from tacitus.frames import as_texts
from tacitus.ontology import EventGroup, EventType, Ontology
from tacitus.records import AnnotatedSentence, Event
from tacitus.resources import ENCODER

require("sklearn", "train")

from sklearn.base import BaseEstimator, ClassifierMixin  # noqa: E402
from sklearn.utils.validation import check_is_fitted  # noqa: E402


class EventClassifier(ClassifierMixin, BaseEstimator):
    """Trains a small checkpoint on labelled texts and tells the event types of others.

    ``y`` is one label a text, and then so are predictions; or an indicator matrix of shape ``(n_texts, n_classes)`` for
    any number of types a text, and then predictions are one too. Columns of a frame name the classes. A text is read
    whole, as one sentence.

    Args:
        encoder: a Hugging Face encoder: a hub id or a folder.
        epochs: passes over the texts.
        batch_size: texts of one step.
        learning_rate: of the encoder's last layer.
        head_learning_rate: of the new heads.
        max_tokens: longer texts are read in windows of this size.
        validation_share: share of the texts that chooses the epoch and the thresholds.
        output: folder to write the checkpoint to; it is kept in memory alone where left out.
        device: ``auto``, ``cpu`` or ``cuda``.
        random_state: seed of the split and of the training.
        verbose: show the progress of the training.

    Attributes:
        classes_: the labels, in the order of the columns.
        multilabel_: whether predictions are an indicator matrix.
        extractor_: the trained checkpoint.
    """

    def __init__(
        self,
        *,
        encoder: str = ENCODER,
        epochs: float = 8.0,
        batch_size: int = 16,
        learning_rate: float = 2e-4,
        head_learning_rate: float = 1e-3,
        max_tokens: int = 256,
        validation_share: float = 0.15,
        output: str | None = None,
        device: str = "auto",
        random_state: int = 1,
        verbose: bool = False,
    ) -> None:
        self.encoder = encoder
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.head_learning_rate = head_learning_rate
        self.max_tokens = max_tokens
        self.validation_share = validation_share
        self.output = output
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @classmethod
    def from_checkpoint(cls, checkpoint: str | Path | None = None, **options: Any) -> EventClassifier:
        """A classifier that needs no fit: a checkpoint folder, or the shipped checkpoint; predictions are indicators.

        Args:
            checkpoint: the folder.
            options: as :meth:`tacitus.Extractor.load` takes them.
        """
        classifier = cls()
        classifier._take(Extractor.load(checkpoint, **options), multilabel=True)
        return classifier

    def fit(self, X: Iterable[str], y: Any) -> EventClassifier:
        """Trains on texts and their labels.

        Raises:
            InputError: another number of labels than of texts, no label, or too few texts.
            RecipeError: an impossible parameter, or an output that holds a run already.
        """
        for package in ("torch", "transformers", "accelerate", "datasets", "scipy"):
            require(package, "train")
        texts = as_texts(X)
        classes, marked, multilabel = _targets(y)
        if len(marked) != len(texts):
            raise InputError(f"y holds labels of {len(marked)} texts, X {len(texts)} texts; give one for each")
        ontology = _ontology([str(label) for label in classes], exclusive=not multilabel)
        sentences = [
            AnnotatedSentence(str(row), text, events=tuple(map(Event, compress(ontology.event_types, marks))))
            for row, (text, marks) in enumerate(zip(texts, marked.tolist(), strict=True))
        ]
        with tempfile.TemporaryDirectory() as folder:
            self._take(self._train(Path(folder), sentences, ontology), multilabel)
        self.classes_ = classes
        return self

    def predict_proba(self, X: Iterable[str]) -> NDArray[np.float64]:
        """Probability of each class, ``(n_texts, n_classes)``; rows sum to 1 where each text has one label."""
        check_is_fitted(self)
        scores = self.extractor_.score(as_texts(X))
        logits = np.array([s.event_logits for s in scores], dtype=np.float32).reshape(-1, len(self.classes_))
        probabilities = self.extractor_.decoder.event_probabilities(logits).astype(np.float64)
        return probabilities if self.multilabel_ else probabilities / probabilities.sum(1, keepdims=True)

    def predict(self, X: Iterable[str]) -> NDArray[Any]:
        """Labels, or an indicator matrix of the types at their calibrated thresholds."""
        check_is_fitted(self)
        if not self.multilabel_:
            return np.asarray(self.classes_[self.predict_proba(X).argmax(1)])
        kinds = self.extractor_.ontology.event_types
        sentences = [AnnotatedSentence(str(row), text) for row, text in enumerate(as_texts(X))]
        marked = [[kind in p.event_types() for kind in kinds] for p in self.extractor_.predict(sentences)]
        return np.array(marked, dtype=np.int64).reshape(-1, len(kinds))

    def __sklearn_tags__(self) -> Any:
        """Texts in, several labels a text possible."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.two_d_array, tags.input_tags.one_d_array = True, False, True
        tags.classifier_tags.multi_label = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        """Whether there is a checkpoint to predict with."""
        return hasattr(self, "extractor_")

    def _take(self, extractor: Extractor, multilabel: bool) -> None:
        self.extractor_, self.multilabel_ = extractor, multilabel
        self.classes_ = np.array(extractor.ontology.event_types)

    def _train(self, folder: Path, sentences: Sequence[AnnotatedSentence], ontology: Ontology) -> Extractor:
        from tacitus.checkpoint import without_bars
        from tacitus.training.recipe import parse_recipe
        from tacitus.training.run import train

        train_part, dev = _split(sentences, self.validation_share, self.random_state)
        write_sentences(folder / "train.jsonl", train_part)
        write_sentences(folder / "dev.jsonl", dev)
        write_json(folder / "ontology.yaml", ontology.to_dict())  # JSON is YAML
        output = Path(self.output) if self.output else folder / "checkpoint"
        recipe = parse_recipe(self._recipe(folder, output), "EventClassifier")
        with nullcontext() if self.verbose else without_bars():
            train(recipe, quiet=not self.verbose)
        return Extractor.load(output, self.device, runtime="pytorch")

    def _recipe(self, folder: Path, output: Path) -> dict[str, Any]:
        return {
            "name": "EventClassifier",
            "data": {
                "train": [str(folder / "train.jsonl")],
                "dev": str(folder / "dev.jsonl"),
                "ontology": str(folder / "ontology.yaml"),
            },
            "model": {"encoder": self.encoder, "max_tokens": self.max_tokens},
            "optim": {
                "epochs": self.epochs,
                "batch_size": self.batch_size,
                "learning_rate": self.learning_rate,
                "head_learning_rate": self.head_learning_rate,
            },
            "run": {"output": str(output), "seed": self.random_state, "device": self.device},
        }


def _targets(y: Any) -> tuple[NDArray[Any], NDArray[np.bool_], bool]:
    """Classes, marks ``(n_texts, n_classes)``, and whether ``y`` is an indicator matrix.

    Raises:
        InputError: ``y`` is of another shape, or a label is missing.
    """
    values = np.asarray(y)
    if values.ndim == 2 and np.isin(values, (0, 1)).all():
        return np.array(list(getattr(y, "columns", range(values.shape[1])))), values.astype(bool), True
    if values.ndim != 1:
        raise InputError("y is neither one label a text nor an indicator matrix of 0 and 1; see MultiLabelBinarizer")
    missing = [row for row, label in enumerate(values.tolist()) if label is None or label != label]
    if missing:
        raise InputError(f"y has no label for text {missing[0]}; leave the text out")
    classes, codes = np.unique(values, return_inverse=True)
    return classes, np.eye(len(classes), dtype=bool)[codes], False


def _ontology(labels: Sequence[str], exclusive: bool) -> Ontology:
    types = tuple(EventType(id=label) for label in labels)
    return Ontology(name="labels", exclusive=exclusive, groups=(EventGroup(id="labels", types=types),))


def _split(
    sentences: Sequence[AnnotatedSentence], share: float, seed: int
) -> tuple[list[AnnotatedSentence], list[AnnotatedSentence]]:
    """Training and validation sentences; a text that stands twice is in one of them only."""
    texts = sorted({sentence.text for sentence in sentences})
    if len(texts) < 2:
        raise InputError(f"{len(texts)} different texts are too few; one part trains and another validates")
    random.Random(seed).shuffle(texts)
    held_out = set(texts[: min(max(1, round(share * len(texts))), len(texts) - 1)])
    return [s for s in sentences if s.text not in held_out], [s for s in sentences if s.text in held_out]
