"""spaCy's DocBin in and out; needs the extra ``convert``."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tacitus.convert.documents import MarkedDocument, MarkedEvent
from tacitus.convert.losses import Losses
from tacitus.data.jsonl import sentence_from_json, sentence_to_json
from tacitus.data.labelled import labels_of
from tacitus.errors import InputError
from tacitus.files import atomic_path
from tacitus.records import AnnotatedSentence, Span
from tacitus.sentences import Sentence

if TYPE_CHECKING:
    from spacy.tokens import Doc
    from spacy.tokens import Span as SpacySpan

_RECORD = "tacitus"  # key of user_data: as JSON, the fields of a record that a Doc has no place for
_MARKED = 0.5  # the least value in doc.cats that says yes


def read_docbin(path: Path, losses: Losses) -> Iterator[MarkedDocument]:
    """Documents with their entities, span groups and text categories.

    Raises:
        InputError: the file cannot be read.
    """
    from spacy.tokens import DocBin
    from spacy.vocab import Vocab

    try:
        docs = list(DocBin().from_disk(path).get_docs(Vocab()))
    except OSError as error:
        raise InputError(f"{path}: cannot read ({error.strerror}); give a .spacy file") from None
    except (ValueError, KeyError, TypeError) as error:  # zlib, msgpack and spaCy name no class of their own
        raise InputError(f"{path}: no DocBin of spaCy ({str(error)[:80]}); write one with DocBin.to_disk") from None
    for number, doc in enumerate(docs, 1):
        yield _marked(doc, f"{path.stem}:{number}", losses)


def _marked(doc: Doc, name: str, losses: Losses) -> MarkedDocument:
    record = json.loads(doc.user_data.get(_RECORD, "{}")) or {"id": name}
    base = sentence_from_json({"text": doc.text, "spans": None, "events": None, **record})
    losses.add("scores of text categories below one half", n=sum(0 < score < _MARKED for score in doc.cats.values()))
    found = [*doc.ents, *(span for key in sorted(doc.spans) for span in doc.spans[key])]
    spans = dict.fromkeys(Span(span.start_char, span.end_char, span.label_) for span in found if span.text)
    events = tuple(
        MarkedEvent(kind, score=None if score == 1 else float(score))
        for kind, score in doc.cats.items()
        if score >= _MARKED
    )
    sentences = (Sentence(s.start_char, s.end_char) for s in doc.sents) if doc.has_annotation("SENT_START") else None
    return MarkedDocument(
        id=base.id,
        text=doc.text,
        spans=tuple(spans) if spans or doc.has_annotation("ENT_IOB") else None,
        events=events if doc.cats else None,
        boundaries=None if sentences is None else tuple(sentences),
        doc_id=base.doc_id,
        sentence_index=base.sentence_index,
        meta=base.meta,
        extra=base.extra,
    )


def write_docbin(path: Path, sentences: Sequence[AnnotatedSentence], losses: Losses) -> None:
    """Writes a Doc for each sentence: spans as entities, event types as text categories of 1.0 and 0.0."""
    import spacy
    from spacy.tokens import DocBin

    tokenizer = spacy.blank("en").tokenizer
    types = labels_of(sentences).types
    docs = [_doc(sentence, types, tokenizer, losses) for sentence in sentences]
    with atomic_path(path) as temporary:
        temporary.write_bytes(DocBin(store_user_data=True, docs=docs).to_bytes())


def _doc(sentence: AnnotatedSentence, types: Sequence[str], tokenizer: Any, losses: Losses) -> Doc:
    from spacy.tokens import Doc

    words, spaces = _words(sentence, tokenizer)
    doc = Doc(tokenizer.vocab, words=words, spaces=spaces, sent_starts=[i == 0 for i in range(len(words))])
    if sentence.spans is not None:
        doc.set_ents([span for s in sentence.spans for span in _entity(doc, s, losses)], default="outside")
    if sentence.events is not None:
        marked = sentence.event_types()
        doc.cats = {kind: float(kind in marked) for kind in types}
    left = ("text", "spans", "events", "event_scores")
    doc.user_data[_RECORD] = json.dumps({k: v for k, v in sentence_to_json(sentence).items() if k not in left})
    return doc


def _entity(doc: Doc, span: Span, losses: Losses) -> Iterator[SpacySpan]:
    found = doc.char_span(span.start, span.end, label=span.label, alignment_mode="contract")
    if found is None or not found.text.strip():
        losses.add("spans without words")
        return
    losses.add("white space at the edges of spans", n=(found.start_char, found.end_char) != (span.start, span.end))
    yield found


def _words(sentence: AnnotatedSentence, tokenizer: Any) -> tuple[list[str], list[bool]]:
    """Tokens of spaCy, cut where a span begins or ends within one."""
    edges = {edge for span in sentence.spans or () for edge in (span.start, span.end)}
    words: list[str] = []
    spaces: list[bool] = []
    for token in tokenizer(sentence.text):
        end = token.idx + len(token.text)
        cuts = [token.idx, *sorted(edge for edge in edges if token.idx < edge < end), end]
        pieces = [sentence.text[a:b] for a, b in itertools.pairwise(cuts)]
        words += pieces
        spaces += [False] * (len(pieces) - 1) + [bool(token.whitespace_)]
    return words, spaces
