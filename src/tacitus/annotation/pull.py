"""Annotations of a project → annotated sentences, one record per annotator, only what changed since the last time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tacitus.annotation.client import Json, Project
from tacitus.data.jsonl import sentence_from_json, sentence_to_json
from tacitus.data.label_studio import from_result, sentence_of_task
from tacitus.errors import InputError, RecordError, ServerError
from tacitus.files import write_json
from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence

SCHEMA = 1
OVERLAP = timedelta(seconds=5)  # fetched again: what was being saved while others were read


@dataclass(frozen=True)
class Version:
    """What one annotator says of one sentence."""

    annotator: str
    updated: str
    sentence: AnnotatedSentence


@dataclass
class Pulled:
    """Everything known of a project: versions and broken annotations by task, and the latest change seen.

    ``fetched`` and ``skipped`` (tasks given up by an annotator) count the last pull.
    """

    project: str
    since: str | None = None
    versions: dict[int, list[Version]] = field(default_factory=dict)
    rejected: dict[int, list[Json]] = field(default_factory=dict)
    fetched: int = 0
    skipped: dict[int, int] = field(default_factory=dict)

    def by_sentence(self) -> dict[str, list[Version]]:
        """Sentence id → its versions, in the order of the tasks."""
        return {v[0].sentence.id: v for _, v in sorted(self.versions.items()) if v}

    def by_annotator(self) -> dict[str, list[AnnotatedSentence]]:
        """Annotator → their sentences, in the order of the tasks."""
        out: dict[str, list[AnnotatedSentence]] = {}
        for _, versions in sorted(self.versions.items()):
            for version in versions:
                out.setdefault(version.annotator, []).append(version.sentence)
        return out

    def all_rejected(self) -> list[Json]:
        """Broken annotations with their reasons, in the order of the tasks."""
        return [row for _, rows in sorted(self.rejected.items()) for row in rows]


def pull(
    project: Project,
    ontology: Ontology,
    known: Pulled | None = None,
    seen: Callable[[Iterable[Json]], Iterable[Json]] = iter,
) -> Pulled:
    """Fetches what changed since ``known`` and adds it.

    A given-up (cancelled) annotation counts as none; one without regions says that there is nothing; drafts are left
    out. Of several by one annotator the last saved counts. A deleted task is forgotten.

    Args:
        project: to fetch from.
        ontology: of the project.
        known: the state after an earlier pull.
        seen: tasks pass through it, for a progress line.

    Raises:
        ServerError: the server fails, or the project has another configuration.
    """
    project.check_config(ontology)
    state = known or Pulled(project.url)
    names = project.server.names()
    alive = {task["id"] for task in project.tasks()} if known else None
    changed = list(seen(project.tasks(since=state.since, full=True)))
    for task in changed:
        _take(state, task, names, ontology)
    for gone in state.versions.keys() - (alive if alive is not None else state.versions.keys()):
        del state.versions[gone], state.rejected[gone], state.skipped[gone]
    _check_one_task_each(state)
    state.fetched = len(changed)
    latest = max((task["updated_at"] for task in changed), default=None)
    if latest:
        state.since = (datetime.fromisoformat(latest) - OVERLAP).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return state


def _check_one_task_each(state: Pulled) -> None:
    home: dict[str, int] = {}
    for task, versions in state.versions.items():
        for name in {v.sentence.id for v in versions}:
            if home.setdefault(name, task) != task:
                raise ServerError(
                    f"{state.project}: tasks {home[name]} and {task} both annotate sentence {name!r}; delete one"
                )


def _take(state: Pulled, task: Json, names: dict[int, str], ontology: Ontology) -> None:
    latest: dict[str, Version] = {}
    rejected: list[Json] = []
    finished = [a for a in task["annotations"] if not a["was_cancelled"]]
    for annotation in sorted(finished, key=lambda a: str(a["updated_at"])):
        who = _annotator(annotation, names)
        try:
            record = from_result(annotation["result"], sentence_of_task(task["data"]), ontology)
        except (RecordError, KeyError, TypeError, ValueError) as error:
            reason = str(error) if isinstance(error, RecordError) else f"is of an unknown shape ({error!r})"
            row = {"task": task["id"], "annotation": annotation["id"], "annotator": who, "reason": reason}
            rejected.append(row | {"sentence_id": task["data"].get("sentence_id"), "result": annotation["result"]})
        else:
            latest[who] = Version(who, annotation["updated_at"], record)
    state.versions[task["id"]] = [latest[who] for who in sorted(latest)]
    state.rejected[task["id"]] = rejected
    state.skipped[task["id"]] = len(task["annotations"]) - len(finished)


def _annotator(annotation: Json, names: dict[int, str]) -> str:
    who: Any = annotation["completed_by"]
    if isinstance(who, dict):
        return str(who.get("email") or who.get("id"))
    return names.get(who, f"user-{who}")


def write_state(path: Path, state: Pulled) -> None:
    """Keeps a state for the next pull, whole or not at all."""
    versions = {
        task: [{"annotator": v.annotator, "updated": v.updated, "sentence": sentence_to_json(v.sentence)} for v in vs]
        for task, vs in state.versions.items()
    }
    kept = {name: getattr(state, name) for name in ("project", "since", "rejected", "skipped")}
    write_json(path, {"schema": SCHEMA, **kept, "versions": versions})


def read_state(path: Path, project: Project, ontology: Ontology) -> Pulled | None:
    """The state after the last pull, or ``None`` where there was none.

    Raises:
        InputError: the file is broken, or of another project.
    """
    if not path.exists():
        return None
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        versions = {
            int(task): [Version(v["annotator"], v["updated"], sentence_from_json(v["sentence"], ontology)) for v in vs]
            for task, vs in raw["versions"].items()
        }
        rejected = {int(task): rows for task, rows in raw["rejected"].items()}
        skipped = {int(task): n for task, n in raw["skipped"].items()}
        state = Pulled(raw["project"], raw["since"], versions, rejected, skipped=skipped)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecordError) as error:
        raise InputError(f"{path}: not the state of an earlier pull ({error}); delete it to fetch all again") from None
    if state.project != project.url:
        raise InputError(f"{path}: belongs to {state.project}, not to {project.url}; choose another output")
    return state
