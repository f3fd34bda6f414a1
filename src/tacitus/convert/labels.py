"""Labels of a conversion: renamed, checked against an ontology, and against what a format can write."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tacitus.convert.documents import merged
from tacitus.convert.losses import Losses
from tacitus.data.labelled import Labels, labels_of
from tacitus.errors import InputError, OntologyError, OutputError, RecordError, suggest
from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence, Event, check_labels


def parse_map(pairs: Iterable[str]) -> dict[str, str]:
    """``OLD=NEW`` pairs; nothing behind the sign leaves a label out.

    Raises:
        InputError: a pair without ``=``, or an old name twice.
    """
    out: dict[str, str] = {}
    for pair in pairs:
        old, equals, new = pair.rpartition("=")
        if not equals or not old:
            raise InputError(f"--map {pair!r}: write OLD=NEW, or OLD= to leave a label out")
        if old in out:
            raise InputError(f"--map: {old!r} is given twice; a label becomes one other")
        out[old] = new
    return out


def rename(sentences: Sequence[AnnotatedSentence], names: Mapping[str, str], losses: Losses) -> list[AnnotatedSentence]:
    """Sentences with span labels, event types and role keys renamed; those that become nothing are left out.

    Raises:
        InputError: a name that stands nowhere in the sentences.
    """
    known = labels_of(sentences).all
    for old in names:
        if old not in known:
            near = suggest(old, known) or f"; there are {', '.join(sorted(known))}"[:200]
            raise InputError(f"--map: no label {old!r} in the file{near}")
    return [_renamed(sentence, names, losses) for sentence in sentences] if names else list(sentences)


def _renamed(sentence: AnnotatedSentence, names: Mapping[str, str], losses: Losses) -> AnnotatedSentence:
    spans = sentence.spans or ()
    kept = [i for i, span in enumerate(spans) if names.get(span.label, span.label)]
    place = {index: position for position, index in enumerate(kept)}
    for label in (*(s.label for s in spans), *(e.type for e in sentence.events or ())):
        if names.get(label) == "":
            losses.add(f"{label} left out by --map")
    events = [_event(e, place, names, losses) for e in sentence.events or () if names.get(e.type, e.type)]
    scores = sentence.event_scores
    return replace(
        sentence,
        spans=None
        if sentence.spans is None
        else tuple(replace(spans[i], label=names.get(spans[i].label, spans[i].label)) for i in kept),
        events=None if sentence.events is None else merged(events, losses),
        event_scores=None if scores is None else {names.get(k, k): v for k, v in scores.items() if names.get(k, k)},
    )


def _event(event: Event, place: Mapping[int, int], names: Mapping[str, str], losses: Losses) -> Event:
    roles: dict[str, list[int]] = {}
    scores: dict[str, list[float]] = {}
    for key, indices in event.roles.items():
        new = names.get(key, key)
        for position, index in enumerate(indices):
            if new == "" or index not in place:
                losses.add("roles left out by --map")
                continue
            roles.setdefault(new, []).append(place[index])
            if event.role_scores is not None:
                scores.setdefault(new, []).append(event.role_scores[key][position])
        if new:
            roles.setdefault(new, [])
    return Event(
        names.get(event.type, event.type),
        {key: tuple(indices) for key, indices in roles.items()},
        event.score,
        None if event.role_scores is None else {key: tuple(scores.get(key, ())) for key in roles},
    )


def check_ontology(sentences: Iterable[AnnotatedSentence], ontology: Ontology) -> None:
    """Checks all labels at once, then each sentence.

    Raises:
        OntologyError: labels that the ontology does not know, all in one line.
        RecordError: a role on a span of the wrong label, several events under an exclusive ontology.
    """
    sentences = list(sentences)
    found = labels_of(sentences)
    unknown = {
        "span labels": [label for label in found.spans if label not in ontology.span_label_ids],
        "event types": [kind for kind in found.types if kind not in ontology.group_of],
        "roles": [key for key in sorted(found.roles) if key not in ontology.role_keys],
    }
    if any(unknown.values()):
        listed = "; ".join(f"{what} {', '.join(names)}" for what, names in unknown.items() if names)
        raise OntologyError(
            f"ontology {ontology.name!r} does not know: {listed}; rename with --map OLD=NEW (OLD= leaves one out), "
            "or give another --ontology"
        )
    for sentence in sentences:
        try:
            check_labels(sentence, ontology)
        except RecordError as error:
            raise RecordError(f"sentence {sentence.id!r}: {error}") from None


def check_names(labels: Labels, pattern: str, what: str) -> None:
    """Checks that a format can write all labels.

    Raises:
        OutputError: a label that does not match ``pattern``.
    """
    for name in sorted(labels.all):
        if not re.fullmatch(pattern, name):
            raise OutputError(f"label {name!r} cannot be written in {what}; give it another name: --map {name!r}=NEW")
