"""Document-grouped, seeded splitting: no document stands in two splits."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from tacitus.errors import InputError
from tacitus.records import AnnotatedSentence


def split_by_document(
    sentences: Sequence[AnnotatedSentence], shares: Mapping[str, float], seed: int
) -> dict[str, list[AnnotatedSentence]]:
    """Splits whole documents at random so that each part gets about its share of the *sentences*.

    Args:
        sentences: annotated sentences; those with one ``doc_id`` stay together and in order.
        shares: part name → share, adding up to 1.
        seed: of the shuffle; the same seed and documents give the same split, whatever the order of the input.

    Raises:
        InputError: shares do not add up to 1.
    """
    if abs(sum(shares.values()) - 1) > 1e-9 or min(shares.values(), default=-1) < 0:
        raise InputError(f"shares {dict(shares)} do not add up to 1")
    documents: dict[str, list[AnnotatedSentence]] = {}
    for sentence in sentences:
        documents.setdefault(sentence.document, []).append(sentence)
    order = sorted(documents)
    random.Random(seed).shuffle(order)
    parts: dict[str, list[AnnotatedSentence]] = {name: [] for name in shares}
    for document in order:
        # The part that is furthest behind its share takes the next document.
        name = max(shares, key=lambda part: shares[part] * len(sentences) - len(parts[part]))
        parts[name].extend(documents[document])
    return parts
