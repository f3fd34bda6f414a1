"""CoNLL out: a token and its BIO tag a line, a blank line behind each sentence (in: :mod:`tacitus.data.labelled`)."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from tacitus.convert.labels import check_names
from tacitus.convert.losses import Losses
from tacitus.data.labelled import labels_of
from tacitus.files import atomic_text
from tacitus.records import AnnotatedSentence
from tacitus.tagging import TagSet


def write_conll(path: Path, sentences: Sequence[AnnotatedSentence], losses: Losses) -> None:
    """Writes ``TOKEN TAB TAG`` lines; sentences whose spans nobody annotated are left out.

    Raises:
        OutputError: a span label has white space.
    """
    labels = labels_of(sentences)
    check_names(labels, r"\S+", "CoNLL")
    tag_set = TagSet(tuple(labels.spans), "BIO")
    with atomic_text(path) as stream:
        for sentence in sentences:
            if sentence.spans is None:
                losses.add("sentences whose spans nobody annotated")
                continue
            lines = _lines(sentence, tag_set, losses)
            if lines:
                stream.write("".join(f"{line}\n" for line in lines) + "\n")


def _lines(sentence: AnnotatedSentence, tag_set: TagSet, losses: Losses) -> list[str]:
    tokens = list(_tokens(sentence))
    words = [sentence.text[start:end] for start, end in tokens]
    losses.add("texts without words", n=not words)
    losses.add("sentences whose white space is written otherwise", n=" ".join(words) != sentence.text)
    spans = []
    for span in sentence.spans or ():
        inside = [i for i, (start, end) in enumerate(tokens) if span.start <= start and end <= span.end]
        losses.add("spans without words", n=not inside)
        if inside:
            spans.append((inside[0], inside[-1] + 1, span.label))
    tags = (tag_set.tags[tag] for tag in tag_set.encode(spans, len(tokens)))
    return [
        f"{word}\t{prefix if label is None else f'{prefix}-{label}'}"
        for word, (prefix, label) in zip(words, tags, strict=True)
    ]


def _tokens(sentence: AnnotatedSentence) -> Iterator[tuple[int, int]]:
    """Words and the marks around them, cut where a span begins or ends."""
    edges = {edge for span in sentence.spans or () for edge in (span.start, span.end)}
    for chunk in re.finditer(r"\S+", sentence.text):
        first, last = chunk.span()
        while first < last and _is_mark(sentence.text[first]):
            first += 1
        while last > first and _is_mark(sentence.text[last - 1]):
            last -= 1
        marks = {*range(chunk.start(), first + 1), *range(last, chunk.end() + 1)}
        cuts = sorted(marks | {edge for edge in edges if chunk.start() < edge < chunk.end()})
        yield from itertools.pairwise(cuts)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"
