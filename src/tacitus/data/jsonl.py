"""Annotated sentences as JSON Lines (one object a line, UTF-8), read strictly and written whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tacitus.data.parse import bounded_lines, parse_json
from tacitus.errors import InputError, RecordError, is_unicode, reason
from tacitus.files import atomic_text
from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence, Event, Span, check_labels

_KNOWN = {"id", "text", "spans", "events", "doc_id", "sentence_index", "meta", "event_scores"}


def sentence_from_json(raw: Any, ontology: Ontology | None = None) -> AnnotatedSentence:
    """Builds a sentence from a parsed JSON object; with an ontology, labels and roles are checked too.

    Raises:
        RecordError: a missing or wrongly typed field, bad offsets, or an unknown label.
    """
    if not isinstance(raw, dict):
        raise RecordError("not a JSON object; one annotated sentence a line")
    if not is_unicode(json.dumps(raw, ensure_ascii=False)):
        raise RecordError("holds a lone surrogate, which is no Unicode text; repair the export")
    for name in ("id", "text"):
        if not isinstance(raw.get(name), str) or (name == "id" and not raw[name]):
            raise RecordError(f"{name!r} is missing or not a string")
    for name in ("spans", "events"):
        if name not in raw:
            raise RecordError(f"{name!r} is missing; write null where nobody annotated it, [] where there is none")
        if raw[name] is not None and not isinstance(raw[name], list):
            raise RecordError(f"{name!r} is neither a list nor null")
    sentence = AnnotatedSentence(
        id=raw["id"],
        text=raw["text"],
        spans=None if raw["spans"] is None else tuple(_span(s) for s in raw["spans"]),
        events=None if raw["events"] is None else tuple(_event(e) for e in raw["events"]),
        doc_id=_optional(raw, "doc_id", str),
        sentence_index=_optional(raw, "sentence_index", int),
        meta=_optional(raw, "meta", dict),
        event_scores=_event_scores(raw),
        extra={k: v for k, v in raw.items() if k not in _KNOWN},
    )
    if ontology is not None:
        check_labels(sentence, ontology)
    return sentence


def _optional(raw: dict[str, Any], name: str, kind: type) -> Any:
    value = raw.get(name)
    if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        raise RecordError(f"{name!r} is not a {'mapping' if kind is dict else kind.__name__}")
    return value


def _event_scores(raw: dict[str, Any]) -> dict[str, float] | None:
    scores = _optional(raw, "event_scores", dict)
    return None if scores is None else {kind: _score(value) or 0.0 for kind, value in scores.items()}


def _span(raw: Any) -> Span:
    if not isinstance(raw, dict) or not {"start", "end", "label"} <= raw.keys():
        raise RecordError("a span is an object with start, end and label")
    if type(raw["start"]) is not int or type(raw["end"]) is not int or not isinstance(raw["label"], str):
        raise RecordError("a span's start and end are whole numbers, its label is a string")
    return Span(raw["start"], raw["end"], raw["label"], _score(raw.get("score")))


def _event(raw: Any) -> Event:
    if not isinstance(raw, dict) or not isinstance(raw.get("type"), str):
        raise RecordError("an event is an object with a type")
    roles = {k: v for k, v in raw.items() if k not in {"type", "score", "role_scores"}}
    for key, indices in roles.items():
        if not isinstance(indices, list) or any(type(i) is not int for i in indices):
            raise RecordError(f"event {raw['type']!r}: {key!r} is not a list of span indices")
    scores = raw.get("role_scores")
    if scores is not None and (
        not isinstance(scores, dict)
        or any(not isinstance(v, list) or len(v) != len(roles.get(k, [])) for k, v in scores.items())
    ):
        raise RecordError(f"event {raw['type']!r}: 'role_scores' does not hold one score for each role index")
    return Event(
        type=raw["type"],
        roles={key: tuple(indices) for key, indices in roles.items()},
        score=_score(raw.get("score")),
        role_scores=None if scores is None else {k: tuple(_score(v) or 0.0 for v in vs) for k, vs in scores.items()},
    )


def _score(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise RecordError(f"score {value!r} is not a number in [0, 1]")
    return float(value)


def sentence_to_json(sentence: AnnotatedSentence) -> dict[str, Any]:
    """The inverse of :func:`sentence_from_json`; fields that are absent stay absent."""
    out: dict[str, Any] = {
        "id": sentence.id,
        "text": sentence.text,
        "spans": None if sentence.spans is None else [_span_json(s) for s in sentence.spans],
        "events": None if sentence.events is None else [_event_json(e) for e in sentence.events],
    }
    for name in ("doc_id", "sentence_index", "meta", "event_scores"):
        value = getattr(sentence, name)
        if value is not None:
            out[name] = dict(value) if isinstance(value, Mapping) else value
    return out | dict(sentence.extra)


def _span_json(span: Span) -> dict[str, Any]:
    out: dict[str, Any] = {"start": span.start, "end": span.end, "label": span.label}
    return out if span.score is None else out | {"score": span.score}


def _event_json(event: Event) -> dict[str, Any]:
    out: dict[str, Any] = {"type": event.type} | {key: list(indices) for key, indices in event.roles.items()}
    if event.score is not None:
        out["score"] = event.score
    if event.role_scores is not None:
        out["role_scores"] = {key: list(values) for key, values in event.role_scores.items()}
    return out


def iter_sentences(
    path: str | Path, ontology: Ontology | None = None, rejected: list[dict[str, Any]] | None = None
) -> Iterator[AnnotatedSentence]:
    """Reads annotated sentences one by one.

    Args:
        path: a JSON Lines file.
        ontology: when given, labels, types and roles are checked against it.
        rejected: when given, a bad line is added to it (``line``, ``reason``, ``content``) instead of raising.

    Raises:
        InputError: the file cannot be read.
        RecordError: a bad line, named ``file:line``, or a duplicate id.
    """
    seen: dict[str, int] = {}
    for number, line in _lines(path):
        if not line.strip():
            continue
        try:
            sentence = sentence_from_json(parse_json(line), ontology)
            if sentence.id in seen:
                raise RecordError(f"id {sentence.id!r} stands already on line {seen[sentence.id]}; ids are unique")
        except RecordError as error:
            if rejected is None:
                raise RecordError(f"{path}:{number}: {error}") from None
            rejected.append({"line": number, "reason": str(error), "content": line.rstrip("\r\n")})
            continue
        seen[sentence.id] = number
        yield sentence


def _lines(path: str | Path) -> Iterator[tuple[int, str]]:
    try:
        with Path(path).open(encoding="utf-8-sig", newline="\n") as stream:
            yield from enumerate(bounded_lines(stream, path), 1)
    except OSError as error:
        raise InputError(f"{path}: cannot read ({reason(error)}); give an existing JSON Lines file") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8; convert it to UTF-8") from None


def read_sentences(
    path: str | Path, ontology: Ontology | None = None, rejected: list[dict[str, Any]] | None = None
) -> list[AnnotatedSentence]:
    """All sentences of a file; see :func:`iter_sentences`."""
    return list(iter_sentences(path, ontology, rejected))


def write_sentences(path: str | Path, sentences: Iterable[AnnotatedSentence]) -> int:
    """Writes sentences as JSON Lines, whole or not at all; gives their number."""
    n = 0
    with atomic_text(path) as stream:
        for sentence in sentences:
            stream.write(json.dumps(sentence_to_json(sentence), ensure_ascii=False) + "\n")
            n += 1
    return n
