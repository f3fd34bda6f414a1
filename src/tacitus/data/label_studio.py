"""Annotated sentence ↔ Label Studio task, prediction and annotation, as plain JSON types; needs no server and no SDK.

Offsets on the server are code points, as in our records: its page counts code points, and a carriage return and a line
feed as one character each. Older pages counted UTF-16 units; a region tells by the text that it carries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tacitus.data.jsonl import sentence_from_json, sentence_to_json
from tacitus.errors import RecordError
from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence, Event, Span, check_labels

TEXT, DOCUMENT, SPANS, EVENTS = "text", "document", "spans", "events"  # names of the tags on the page
Result = list[dict[str, Any]]


def roles_tag(span_label: str) -> str:
    """Name of the tag that holds the roles of spans with this label."""
    return f"roles-{span_label}"


def canonical(sentence: AnnotatedSentence, ontology: Ontology) -> AnnotatedSentence:
    """The same record with every role list of the ontology written out and in the order of the spans."""
    raw = sentence_to_json(sentence)
    for event in raw["events"] or ():
        scores: dict[str, list[float]] | None = event.get("role_scores")
        for key in ontology.role_keys:
            indices: list[int] = event.get(key, [])
            order = {index: place for place, index in enumerate(indices)}
            event[key] = sorted(order)
            if scores is not None:
                scores[key] = [scores[key][order[index]] for index in event[key]]
    return sentence_from_json(raw)


def task_data(sentence: AnnotatedSentence, document: str | None = None) -> dict[str, Any]:
    """What a task shows and what makes it a record again; spans and events are left to annotators.

    Args:
        sentence: its text, id, document id, index, meta and extra fields are kept.
        document: text to read beside the sentence.
    """
    raw = sentence_to_json(sentence)
    data: dict[str, Any] = {name: raw.pop(name) for name in ("text", "doc_id", "sentence_index", "meta") if name in raw}
    kept = {k: v for k, v in raw.items() if k not in {"id", "spans", "events", "event_scores"}}
    meta = sentence.meta or {}
    heading = [sentence.document, *(str(meta[k]) for k in ("date", "country", "source") if meta.get(k))]
    return {
        "sentence_id": sentence.id,
        **data,
        **({"extra": kept} if kept else {}),
        "heading": " · ".join(heading),
        "document": document if document is not None else sentence.text,
        "checksum": checksum(sentence.text),
    }


def checksum(text: str) -> str:
    """What a task's text is compared with when it comes back, to notice an edit on the server."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sentence_of_task(data: Mapping[str, Any]) -> AnnotatedSentence:
    """The sentence that a task was made from, both layers unknown.

    Raises:
        RecordError: the task was not made by :func:`task_data`, or its text was edited.
    """
    name, text = data.get("sentence_id"), data.get("text")
    if not isinstance(name, str) or not isinstance(text, str):
        raise RecordError("has no sentence_id and text; it was not pushed by tacitus, remove it from the project")
    if data.get("checksum") != checksum(text):
        raise RecordError(
            f"the text of sentence {name!r} was edited on the server, so its offsets mean nothing; "
            "delete the task and push the sentence again"
        )
    raw = {k: data[k] for k in ("text", "doc_id", "sentence_index", "meta") if data.get(k) is not None}
    return sentence_from_json({"id": name, "spans": None, "events": None, **raw, **(data.get("extra") or {})})


def to_result(sentence: AnnotatedSentence, ontology: Ontology) -> Result:
    """Spans, roles and event types as the regions of one prediction or annotation."""
    sentence = canonical(sentence, ontology)
    return [*_regions(sentence, ontology), *_sentence_level(sentence, ontology)]


def _regions(sentence: AnnotatedSentence, ontology: Ontology) -> Iterator[dict[str, Any]]:
    paths: dict[int, list[list[str]]] = {}
    role_of = {role.key: role.id for role in ontology.roles}
    for event in sentence.events or ():
        for key, indices in event.roles.items():
            for index in indices:
                paths.setdefault(index, []).append([event.type, role_of[key]])
    for index, span in enumerate(sentence.spans or ()):
        region = {"id": f"span-{index}", "to_name": TEXT, "origin": "manual"}
        where = {"start": span.start, "end": span.end, "text": sentence.span_text(index)}
        score = {} if span.score is None else {"score": span.score}
        yield region | {"from_name": SPANS, "type": "labels", "value": where | {"labels": [span.label]}} | score
        if index in paths:
            value = where | {"taxonomy": paths[index]}
            yield region | {"from_name": roles_tag(span.label), "type": "taxonomy", "value": value}


def _sentence_level(sentence: AnnotatedSentence, ontology: Ontology) -> Iterator[dict[str, Any]]:
    """The event types; what the page has no place for (scores, absent layers) rides along under ``tacitus``."""
    raw = sentence_to_json(sentence)
    absent = [layer for layer in ("spans", "events") if raw[layer] is None]
    carried: dict[str, Any] = {"absent": absent} if absent else {}
    if sentence.event_scores is not None:
        carried["event_scores"] = raw["event_scores"]
    scores = [{k: e[k] for k in ("score", "role_scores") if k in e} for e in raw["events"] or ()]
    if any(scores):
        carried["events"] = scores
    if not carried and not sentence.events:
        return
    item: dict[str, Any] = {"id": "events", "from_name": EVENTS, "to_name": TEXT, "type": "taxonomy"}
    item["value"] = {"taxonomy": [[ontology.group_of[e.type], e.type] for e in sentence.events or ()]}
    yield item | ({"tacitus": carried} if carried else {})


def prediction(sentence: AnnotatedSentence, ontology: Ontology, model_version: str) -> dict[str, Any]:
    """A predicted sentence as Label Studio imports it beside a task; its score is :func:`confidence`."""
    return {
        "model_version": model_version,
        "score": confidence(sentence),
        "result": to_result(sentence, ontology),
    }


def confidence(sentence: AnnotatedSentence) -> float:
    """The lowest score among the sentence's events and spans, 1 where nothing is scored; in [0, 1]."""
    scores = [event.score for event in sentence.events or ()] + [span.score for span in sentence.spans or ()]
    return min((score for score in scores if score is not None), default=1.0)


def from_result(
    result: Sequence[Mapping[str, Any]], task: AnnotatedSentence, ontology: Ontology, predicted: bool = False
) -> AnnotatedSentence:
    """The inverse of :func:`to_result` on the sentence of a task.

    Args:
        result: regions of an annotation, or of a prediction.
        task: of :func:`sentence_of_task`.
        ontology: of the project.
        predicted: keep scores, and layers that were not predicted; an annotator's work has neither.

    Raises:
        RecordError: regions that overlap, lie outside the text or carry another text, unknown labels, a role in an
            event type that is not marked.
    """
    spans = sorted(((_span(item, task.text, predicted), item) for item in _of(result, SPANS)), key=lambda s: s[0].key)
    number = {item["id"]: index for index, (_, item) in enumerate(spans)}
    kinds = [path[-1] for item in _of(result, EVENTS) for path in item["value"].get("taxonomy", ())]
    roles: dict[str, dict[str, list[int]]] = {kind: {key: [] for key in ontology.role_keys} for kind in kinds}
    for label in ontology.span_label_ids:
        for item in _of(result, roles_tag(label)):
            for kind, key in _role_paths(item, roles, ontology):
                roles[kind][key].append(_number(item, number))
    events = tuple(Event(kind, {k: tuple(sorted(v)) for k, v in roles[kind].items()}) for kind in kinds)
    record = _assemble(task, [span for span, _ in spans], events, _carried(result) if predicted else {}, ontology)
    check_labels(record, ontology)
    return record


def _of(result: Sequence[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    return [item for item in result if item.get("from_name") == name]


def _span(item: Mapping[str, Any], text: str, predicted: bool) -> Span:
    labels = item["value"].get("labels") or []
    if len(labels) != 1:
        raise RecordError(f"a region has {len(labels)} labels, needs one")
    start, end = _offsets(item["value"], text)
    return Span(start, end, labels[0], item.get("score") if predicted else None)


def _offsets(value: Mapping[str, Any], text: str) -> tuple[int, int]:
    """Code-point offsets of a region, checked against the text that it carries."""
    start, end = int(value["start"]), int(value["end"])
    carried = value.get("text")
    if carried is None or _letters(text[start:end]) == _letters(carried):
        return start, end
    utf16 = text.encode("utf-16-le")
    piece = utf16[2 * start : 2 * end].decode("utf-16-le", errors="replace")
    if _letters(piece) == _letters(carried):
        before = len(utf16[: 2 * start].decode("utf-16-le"))
        return before, before + len(piece)
    raise RecordError(
        f"a region says {carried!r}, its offsets {start}..{end} give {text[start:end]!r}; mark it again on the page"
    )


def _letters(text: str) -> str:
    """A text without white space: the page folds blanks and writes a line break as a backslash and an n."""
    return "".join(text.replace("\\n", "").split())


def _role_paths(item: Mapping[str, Any], marked: Mapping[str, Any], ontology: Ontology) -> Iterator[tuple[str, str]]:
    key_of = {role.id: role.key for role in ontology.roles}
    for path in item["value"].get("taxonomy", ()):
        kind, role = path[0], path[-1]
        if len(path) != 2 or role not in key_of:
            raise RecordError(
                f"{item['value'].get('text')!r} has the role {' / '.join(path)!r}, which is none; choose one again"
            )
        if kind not in marked:
            raise RecordError(
                f"{item['value'].get('text')!r} is {role} of {kind}, which is not marked as an event of the sentence; "
                "mark the event or remove the role"
            )
        yield kind, key_of[role]


def _number(item: Mapping[str, Any], number: Mapping[str, int]) -> int:
    if item["id"] not in number:
        raise RecordError(f"{item['value'].get('text')!r} has a role and no label; label it or remove it")
    return number[item["id"]]


def _carried(result: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return next((item["tacitus"] for item in _of(result, EVENTS) if "tacitus" in item), {})


def _assemble(
    task: AnnotatedSentence,
    spans: Sequence[Span],
    events: Sequence[Event],
    carried: Mapping[str, Any],
    ontology: Ontology,
) -> AnnotatedSentence:
    """The record, with what :func:`_sentence_level` sent along; a layer that the ontology lacks is unknown."""
    raw = sentence_to_json(AnnotatedSentence(task.id, task.text, tuple(spans), tuple(events)))
    for event, scores in zip(raw["events"], carried.get("events", ()), strict=False):
        event.update(scores)
    if "event_scores" in carried:
        raw["event_scores"] = carried["event_scores"]
    absent = set(carried.get("absent", ()))
    for layer, known in (("spans", ontology.span_labels), ("events", ontology.event_types)):
        if layer in absent or not known:
            raw[layer] = None
    return sentence_from_json(sentence_to_json(task) | raw)
