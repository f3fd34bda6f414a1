"""What a checkpoint has to beat: majority, keyword rules, TF-IDF with a linear SVM, a longest-match gazetteer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from tacitus.errors import InputError
from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence, Event, Span

Predict = Callable[[Sequence[AnnotatedSentence]], list[AnnotatedSentence]]
_WORD = re.compile(r"\w+|[^\w\s]")
LONGEST = 8  # words of a gazetteer entry


def majority(train: Sequence[AnnotatedSentence], ontology: Ontology) -> Predict:
    """Every sentence gets the most frequent event type of the training data and no spans."""
    counts = Counter(e.type for s in train for e in s.events or ())
    if not counts:
        raise InputError("the training sentences have no events; baselines need some to learn from")
    kind = counts.most_common(1)[0][0]
    return lambda sentences: [replace(s, spans=(), events=(Event(kind),)) for s in sentences]


def keyword_rules(ontology: Ontology) -> Predict:
    """A type is marked where one of the ontology's keywords for it stands in the sentence; no spans."""
    patterns = {
        kind.id: re.compile(rf"\b(?:{'|'.join(map(re.escape, kind.keywords))})\b", re.IGNORECASE)
        for group in ontology.groups
        for kind in group.types
        if kind.keywords
    }

    def predict(sentences: Sequence[AnnotatedSentence]) -> list[AnnotatedSentence]:
        return [
            replace(
                s, spans=(), events=tuple(Event(kind) for kind, pattern in patterns.items() if pattern.search(s.text))
            )
            for s in sentences
        ]

    return predict


def tfidf_svm(train: Sequence[AnnotatedSentence], ontology: Ontology) -> Predict:
    """TF-IDF of words and word pairs, one linear SVM per type (scikit-learn, default C); no spans."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    known = [s for s in train if s.events is not None]
    types = [t for t in ontology.event_types if any(t in s.event_types() for s in known)]
    gold = np.array([[t in s.event_types() for t in types] for s in known], dtype=int)
    pipeline = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2),
        OneVsRestClassifier(LinearSVC(class_weight="balanced")),
    )
    pipeline.fit([s.text for s in known], gold)

    def predict(sentences: Sequence[AnnotatedSentence]) -> list[AnnotatedSentence]:
        marked = pipeline.predict([s.text for s in sentences])
        return [
            replace(s, spans=(), events=tuple(Event(types[i]) for i in np.flatnonzero(row)))
            for s, row in zip(sentences, marked, strict=True)
        ]

    return predict


def gazetteer(train: Sequence[AnnotatedSentence]) -> Predict:
    """Spans whose words were a span in training, longest match first, under their most frequent label; no events."""
    labels: dict[tuple[str, ...], Counter[str]] = {}
    for sentence in train:
        for i, span in enumerate(sentence.spans or ()):
            key = tuple(_WORD.findall(sentence.span_text(i).lower()))
            labels.setdefault(key, Counter())[span.label] += 1
    entries = {key: counts.most_common(1)[0][0] for key, counts in labels.items()}

    def spans(text: str) -> tuple[Span, ...]:
        tokens = [(m.group().lower(), m.start(), m.end()) for m in _WORD.finditer(text)]
        found, at = [], 0
        while at < len(tokens):
            for length in range(min(LONGEST, len(tokens) - at), 0, -1):
                label = entries.get(tuple(word for word, *_ in tokens[at : at + length]))
                if label:
                    found.append(Span(tokens[at][1], tokens[at + length - 1][2], label))
                    at += length - 1
                    break
            at += 1
        return tuple(found)

    return lambda sentences: [replace(s, spans=spans(s.text), events=()) for s in sentences]


def all_baselines(train: Sequence[AnnotatedSentence], ontology: Ontology) -> dict[str, Predict]:
    """Every baseline that the ontology allows, by name."""
    out: dict[str, Predict] = {}
    if ontology.event_types:
        out["majority"] = majority(train, ontology)
        out["keyword rules"] = keyword_rules(ontology)
        out["TF-IDF + SVM"] = tfidf_svm(train, ontology)
    if ontology.span_labels:
        out["gazetteer"] = gazetteer(train)
    return out
