"""Sentences → tasks of a project: what is missing is made, what changed is updated, nothing is made twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tacitus.annotation.client import Json, Project
from tacitus.data.label_studio import prediction, task_data
from tacitus.errors import ServerError
from tacitus.metrics import pair_by_id
from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence

BATCH = 50  # tasks of one request
CONTEXT = 3000  # characters of the document on each side of the sentence that are shown beside it


@dataclass
class PushPlan:
    """What a push will do: tasks to make, data to update, predictions to add to tasks that are there."""

    create: list[Json] = field(default_factory=list)
    update: list[tuple[int, Json]] = field(default_factory=list)
    predict: list[Json] = field(default_factory=list)
    unchanged: int = 0

    def __len__(self) -> int:
        return len(self.create) + len(self.update) + len(self.predict)


def contexts(sentences: Sequence[AnnotatedSentence], documents: Mapping[str, str] | None = None) -> list[str]:
    """Text to read beside each sentence: its document, long ones cut to the sentence's surroundings.

    Args:
        sentences: in any order.
        documents: document id → text; without one, the document is what its sentences here add up to, in their order.
    """
    whole = dict(documents or {})
    by_document: dict[str, list[AnnotatedSentence]] = {}
    for s in sentences:
        by_document.setdefault(s.document, []).append(s)
    for name, members in by_document.items():
        whole.setdefault(name, " ".join(s.text for s in sorted(members, key=lambda s: s.sentence_index or 0)))
    return [_around(whole[s.document], s.text) for s in sentences]


def _around(document: str, text: str) -> str:
    at = max(document.find(text), 0)
    first, last = max(0, at - CONTEXT), at + len(text) + CONTEXT
    return ("… " if first else "") + document[first:last] + (" …" if last < len(document) else "")


def plan_push(
    project: Project,
    sentences: Sequence[AnnotatedSentence],
    predicted: Sequence[AnnotatedSentence] | None,
    ontology: Ontology,
    model_version: str = "",
    documents: Mapping[str, str] | None = None,
) -> PushPlan:
    """Compares sentences with the project's tasks.

    Args:
        project: as it is on the server.
        sentences: what is to be annotated, in the order to annotate it in.
        predicted: pre-annotations of the same sentences, or none.
        ontology: of the project.
        model_version: names the pre-annotations; a task gets those of one version once.
        documents: document id → text to read beside.

    Raises:
        ServerError: two tasks of one sentence, or an annotated task whose sentence now has another text.
    """
    if predicted is not None:
        pair_by_id(sentences, predicted)
    there = _tasks_by_sentence(project)
    pre = {s.id: prediction(s, ontology, model_version) for s in predicted or ()}
    plan = PushPlan()
    for sentence, context in zip(sentences, contexts(sentences, documents), strict=True):
        data, own = task_data(sentence, context), pre.get(sentence.id)
        task = there.get(sentence.id)
        if task and sentence.document not in (documents or {}):
            data["document"] = task["data"].get("document")  # a part of a report says less of it, not something else
        if task is None:
            plan.create.append({"data": data} | ({"predictions": [own]} if own else {}))
            continue
        changed = task["data"] != data
        if changed:
            _check_change(project, task, data)
            plan.update.append((task["id"], data))
        missing = own is not None and all(p["model_version"] != model_version for p in task["predictions"])
        if own and missing:
            plan.predict.append(own | {"task": task["id"]})
        plan.unchanged += not changed and not missing
    return plan


def _tasks_by_sentence(project: Project) -> dict[str, Json]:
    there: dict[str, Json] = {}
    for task in project.tasks(full=True):
        name = task["data"].get("sentence_id")
        if name in there:
            raise ServerError(
                f"{project.url}: tasks {there[name]['id']} and {task['id']} both hold sentence {name!r}; delete one"
            )
        if name is not None:
            there[name] = task
    return there


def _check_change(project: Project, task: Json, data: Json) -> None:
    if task["data"].get("text") != data["text"] and task.get("total_annotations"):
        raise ServerError(
            f"{project.url}: task {task['id']} (sentence {data['sentence_id']!r}) is annotated and has another text "
            "than the sentence to push; give the sentence another id, or delete the task if its annotations may go"
        )


def push(project: Project, plan: PushPlan, advance: Callable[[int], Any] = lambda n: None) -> None:
    """Carries a plan out in batches, each all or nothing on the server; a broken push is completed by the next.

    Args:
        project: what the plan was made for.
        plan: of :func:`plan_push`.
        advance: told how many steps each request was.

    Raises:
        ServerError: the server failed; the tasks made so far are kept there.
    """
    for batch in _batches(plan.create):
        project.create(batch)
        advance(len(batch))
    for task, data in plan.update:
        project.update_data(task, data)
        advance(1)
    for batch in _batches(plan.predict):
        project.predict(batch)
        advance(len(batch))


def _batches(items: Sequence[Json]) -> Iterable[Sequence[Json]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
