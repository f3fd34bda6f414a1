"""Splits a document into sentences with their offsets (code points into the document)."""

from __future__ import annotations

import re
from typing import NamedTuple

_HARD_BREAK = re.compile(r"\n[ \t]*\n|\r\n[ \t]*\r\n|\f|\v|\x00|\u2028|\u2029")


class Sentence(NamedTuple):
    """``document[start:end]``, without outer white space."""

    start: int
    end: int


def split_sentences(document: str, language: str = "en") -> list[Sentence]:
    """Sentences of a document in order; white space between them belongs to none.

    Blank lines always end a sentence; inside a paragraph the sentencex library decides.
    """
    sentences: list[Sentence] = []
    start = 0
    for match in [*_HARD_BREAK.finditer(document), None]:
        end = match.start() if match else len(document)
        sentences.extend(_split_paragraph(document, start, end, language))
        start = match.end() if match else end
    return sentences


def _split_paragraph(document: str, start: int, end: int, language: str) -> list[Sentence]:
    from sentencex import get_sentence_boundaries

    paragraph = document[start:end]
    if not paragraph.strip():
        return []
    ends = [int(b["end_index"]) for b in get_sentence_boundaries(language, paragraph)]
    if not ends or ends[-1] != len(paragraph) or ends != sorted(ends):
        ends = [len(paragraph)]  # offsets that do not tile the paragraph would lose text: keep it whole
    out: list[Sentence] = []
    first = 0
    for last in ends:
        piece = paragraph[first:last]
        stripped = piece.strip()
        if stripped:
            begin = start + first + (len(piece) - len(piece.lstrip()))
            out.append(Sentence(begin, begin + len(stripped)))
        first = last
    return out
