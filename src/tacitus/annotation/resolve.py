"""Several annotators' versions of a sentence → one record, or a disagreement to settle."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tacitus.annotation.pull import Version
from tacitus.data.jsonl import sentence_from_json, sentence_to_json
from tacitus.errors import InputError, RecordError
from tacitus.files import atomic_text
from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence, Event, Span

Versions = Sequence[Version]


@dataclass(frozen=True)
class Resolved:
    """Settled sentences in order, and the versions of those that are not settled."""

    sentences: list[AnnotatedSentence]
    open: dict[str, Versions]


def agreed(versions: Versions) -> AnnotatedSentence | None:
    """The record that all versions are, or ``None`` where they differ in a span, an event or a role."""
    first = versions[0].sentence
    same = all(decisions(v.sentence) == decisions(first) for v in versions[1:])
    return first if same else None


def majority(versions: Versions, ontology: Ontology) -> AnnotatedSentence | None:
    """What more than half of the annotators say, decision by decision; ``None`` where a decision is tied.

    Decisions are spans (offsets and label), event types, and roles. Two majorities share an annotator, so that spans
    kept never overlap and a role's event and span are kept with it.
    """
    votes = Counter(d for v in versions for d in decisions(v.sentence))
    if any(2 * n == len(versions) for n in votes.values()):
        return None
    kept = {d for d, n in votes.items() if 2 * n > len(versions)}
    spans = sorted((Span(*d[1]) for d in kept if d[0] == "span"), key=lambda span: span.start)

    def held(kind: str, key: str) -> tuple[int, ...]:
        return tuple(i for i, span in enumerate(spans) if ("role", kind, key, span.key) in kept)

    seen = dict.fromkeys(event.type for v in versions for event in v.sentence.events or ())
    kinds = [kind for kind in seen if ("event", kind) in kept]
    events = [Event(kind, {key: held(kind, key) for key in ontology.role_keys}) for kind in kinds]
    first = versions[0].sentence
    return replace(
        first,
        spans=None if first.spans is None else tuple(spans),
        events=None if first.events is None else tuple(events),
    )


def decisions(sentence: AnnotatedSentence) -> set[tuple[Any, ...]]:
    """Everything that an annotator decided: spans, event types, and roles by event type, role and span."""
    out: set[tuple[Any, ...]] = {("span", s.key) for s in sentence.spans or ()}
    out |= {("event", kind) for kind in sentence.event_types()}
    return out | {("role", kind, key, span.key) for kind, key, span in sentence.role_tuples()}


def resolve_majority(by_sentence: Mapping[str, Versions], ontology: Ontology) -> Resolved:
    """Settles by :func:`majority`; ties, as of two annotators who differ, stay open."""
    return _resolve(by_sentence, {name: majority(v, ontology) for name, v in by_sentence.items()})


def resolve_reviewer(by_sentence: Mapping[str, Versions], reviewer: str) -> Resolved:
    """Takes the reviewer's version where there is one; other sentences are settled where all agree.

    Raises:
        InputError: the reviewer has annotated nothing.
    """
    everyone = sorted({v.annotator for versions in by_sentence.values() for v in versions})
    if everyone and reviewer not in everyone:
        raise InputError(f"reviewer {reviewer!r} has annotated nothing; annotators are {', '.join(everyone)}")
    own = {v.sentence.id: v.sentence for vs in by_sentence.values() for v in vs if v.annotator == reviewer}
    return _resolve(by_sentence, {name: own.get(name) or agreed(v) for name, v in by_sentence.items()})


def resolve_file(by_sentence: Mapping[str, Versions], path: Path, ontology: Ontology) -> Resolved:
    """Settles what all agree on, and what was decided in a file of disagreements (see :func:`write_disagreements`).

    Raises:
        InputError: the file cannot be read, or a decision in it is none.
    """
    decided = _read_decisions(path, by_sentence, ontology) if path.exists() else {}
    return _resolve(by_sentence, {name: agreed(v) or decided.get(name) for name, v in by_sentence.items()})


def _resolve(by_sentence: Mapping[str, Versions], settled: Mapping[str, AnnotatedSentence | None]) -> Resolved:
    done = [record for record in settled.values() if record is not None]
    return Resolved(done, {name: by_sentence[name] for name, record in settled.items() if record is None})


def write_disagreements(
    path: Path, disagreements: Mapping[str, Versions], kept: Iterable[Mapping[str, Any]] = ()
) -> None:
    """Writes one line per open sentence: its versions, and ``"keep": null`` to be filled in.

    ``keep`` takes an annotator's name, or an object with ``spans`` and ``events`` of one's own.

    Args:
        path: JSON Lines.
        disagreements: of a :class:`Resolved`.
        kept: lines of an earlier file whose decisions stand.
    """
    with atomic_text(path) as stream:
        for row in (*kept, *(_row(name, versions) for name, versions in disagreements.items())):
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")


def _row(name: str, versions: Versions) -> dict[str, Any]:
    return {"id": name, "text": versions[0].sentence.text, "keep": None, "versions": _version_layers(versions)}


def _version_layers(versions: Versions) -> dict[str, dict[str, Any]]:
    layers = {v.annotator: sentence_to_json(v.sentence) for v in versions}
    return {who: {layer: raw[layer] for layer in ("spans", "events")} for who, raw in layers.items()}


def decided_rows(path: Path, by_sentence: Mapping[str, Versions]) -> list[dict[str, Any]]:
    """Lines of a file of disagreements that are filled in and whose versions are still what annotators say.

    Raises:
        InputError: the file cannot be read or is no file of disagreements.
    """
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        return [
            row
            for row in rows
            if row["keep"] is not None and row["versions"] == _version_layers(by_sentence.get(row["id"], ()))
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: not a file of disagreements ({error}); it is written by --resolve file:PATH"
        ) from None


def _read_decisions(
    path: Path, by_sentence: Mapping[str, Versions], ontology: Ontology
) -> dict[str, AnnotatedSentence]:
    out: dict[str, AnnotatedSentence] = {}
    for row in decided_rows(path, by_sentence):
        versions = by_sentence[row["id"]]
        keep: Hashable | dict[str, Any] = row["keep"]
        own = {v.annotator: v.sentence for v in versions}
        try:
            if isinstance(keep, dict):
                raw = sentence_to_json(versions[0].sentence)
                out[row["id"]] = sentence_from_json(raw | {k: keep[k] for k in ("spans", "events")}, ontology)
            else:
                out[row["id"]] = own[str(keep)]
        except (KeyError, RecordError) as error:
            raise InputError(
                f"{path}: sentence {row['id']!r}: 'keep' is no annotator and no annotation ({error})"
            ) from None
    return out
