"""The scikit-learn face of the event types."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score

from tacitus import EventClassifier
from tacitus.errors import InputError

SETTINGS = {"epochs": 12, "batch_size": 4, "learning_rate": 3e-3, "head_learning_rate": 5e-3, "max_tokens": 32, "device": "cpu", "random_state": 3}  # fmt: skip


@pytest.fixture(scope="module")
def task(tiny_sentences):
    """Texts, one label each, and an indicator frame."""
    texts = pd.Series([s.text for s in tiny_sentences])
    labels = np.array([next(iter(s.event_types()), "none") for s in tiny_sentences], dtype=object)
    marks = pd.DataFrame({kind: (labels == kind).astype(int) for kind in ("attack", "capture", "deal")})
    return texts, labels, marks


@pytest.fixture(scope="module")
def unfitted(tiny_encoder):
    return EventClassifier(encoder=str(tiny_encoder), **SETTINGS)


def test_an_indicator_in_gives_an_indicator_out(task, unfitted, tmp_path):
    texts, _, marks = task
    classifier = clone(unfitted).set_params(output=str(tmp_path / "checkpoint"))
    assert classifier.fit(texts, marks) is classifier
    assert classifier.classes_.tolist() == ["attack", "capture", "deal"]
    found = classifier.predict(texts)
    assert found.shape == marks.shape
    assert (found == marks.to_numpy()).mean() > 0.9
    scores = classifier.predict_proba(texts)
    assert scores.shape == marks.shape
    assert ((scores >= 0) & (scores <= 1)).all()
    stored = EventClassifier.from_checkpoint(tmp_path / "checkpoint", runtime="pytorch")
    np.testing.assert_array_equal(stored.predict(texts), found)
    assert stored.classes_.tolist() == classifier.classes_.tolist()


def test_labels_in_give_labels_out_and_validation_works(task, unfitted):
    texts, labels, _ = task
    classifier = clone(unfitted).fit(texts, labels)
    assert classifier.classes_.tolist() == ["attack", "capture", "deal", "none"]
    assert classifier.score(texts, labels) > 0.9
    np.testing.assert_allclose(classifier.predict_proba(texts).sum(1), 1)
    assert classifier.predict([]).shape == (0,)


def test_cross_validation_takes_it(task, unfitted):
    texts, labels, _ = task
    once = clone(unfitted).set_params(epochs=1)
    assert cross_val_score(once, texts, labels, cv=2, error_score="raise").shape == (2,)


def test_parameters_survive_a_clone(unfitted):
    assert clone(unfitted).get_params() == unfitted.get_params()
    assert unfitted.get_params()["epochs"] == 12


def test_the_shipped_checkpoint_needs_no_fit():
    classifier = EventClassifier.from_checkpoint()
    (row,) = classifier.predict(["A roadside bomb killed two soldiers near Kandahar on Monday."])
    assert classifier.classes_[row.astype(bool)].tolist() == ["remote-explosive-landmine-ied"]


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        (["a", "b"], ["x"], "labels of 1 texts, X 2 texts"),
        (["a", "b"], ["x", None], "no label for text 1"),
        (["a", "a"], ["x", "y"], "1 different texts are too few"),
        (["a", "b"], [[0, 2], [1, 0]], "neither one label a text nor an indicator"),
    ],
)
def test_what_cannot_be_learnt_is_told(unfitted, texts, labels, message):
    with pytest.raises(InputError, match=message):
        clone(unfitted).fit(texts, labels)


def test_predicting_before_fitting_is_told(unfitted):
    with pytest.raises(NotFittedError):
        clone(unfitted).predict(["a"])
