"""A Label Studio machine-learning backend: a checkpoint that pre-annotates tasks as they are opened."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tacitus.annotation.labeling_config import labeling_config, same_config
from tacitus.annotation.pool import model_version
from tacitus.data.label_studio import prediction
from tacitus.errors import InputError, OutputError, RecordError
from tacitus.extractor import Extractor
from tacitus.records import AnnotatedSentence
from tacitus.server import Json, JsonHandler, RefusedError, listen


@dataclass
class Backend:
    """Answers what Label Studio asks of a model, without the network around it.

    Args:
        extractor: the checkpoint.
        queue: file that start-training events are written to for a person to act on; without one they are refused.
    """

    extractor: Extractor
    queue: Path | None = None
    version: str = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self.version = model_version(self.extractor)

    def health(self, request: Mapping[str, Any]) -> Json:
        """That the checkpoint is loaded, and which one."""
        return {"status": "UP", "model_class": "tacitus", "model_version": self.version}

    def versions(self, request: Mapping[str, Any]) -> Json:
        """The one version that is served."""
        return {"versions": [self.version], "message": "ok"}

    def setup(self, request: Mapping[str, Any]) -> Json:
        """Accepts a project that asks for the checkpoint's labels.

        Raises:
            RefusedError: it asks for others.
        """
        self._check_config(request.get("schema"))
        return {"model_version": self.version}

    def validate(self, request: Mapping[str, Any]) -> Json:
        """The same for a configuration that is being edited."""
        self._check_config(request.get("config"))
        return {"status": "ok"}

    def predict(self, request: Mapping[str, Any]) -> Json:
        """One prediction for each task, in order.

        Raises:
            InputError: no list of tasks.
            RecordError: a task without a text.
            RefusedError: the project asks for other labels.
        """
        tasks = request.get("tasks")
        if not isinstance(tasks, list):
            raise InputError("'tasks' is no list of tasks")
        if request.get("label_config"):
            self._check_config(request["label_config"])
        sentences = [AnnotatedSentence(str(number), _text(task)) for number, task in enumerate(tasks)]
        with self._lock:  # one pass through the network at a time
            predicted = self.extractor.predict(sentences)
        ontology = self.extractor.ontology
        return {"results": [prediction(s, ontology, self.version) for s in predicted], "model_version": self.version}

    def train(self, request: Mapping[str, Any]) -> Json:
        """Notes that somebody asked for training, or refuses; nothing is trained here.

        Raises:
            RefusedError: there is no queue.
        """
        if self.queue is None:
            raise RefusedError(
                "this backend predicts only; fetch the annotations with 'tacitus annotate pull' and train with "
                "'tacitus train', or start the backend with --queue to have such requests noted"
            )
        project = request.get("project")
        number = project.get("id") if isinstance(project, dict) else project
        event = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "project": number, "status": "queued"}
        try:
            with self._lock, self.queue.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(event) + "\n")
        except OSError as error:
            raise OutputError(f"{self.queue}: cannot write the queue ({error.strerror})") from None
        return event | {"log": str(self.queue)}

    def webhook(self, request: Mapping[str, Any]) -> Json:
        """Start-training events go to :meth:`train`, all others are passed over."""
        if request.get("action") in ("START_TRAINING", "PROJECT_UPDATED_AND_TRAIN"):
            return self.train(request)
        return {"status": "ignored"}

    def _check_config(self, config: Any) -> None:
        ontology = self.extractor.ontology
        if not isinstance(config, str) or not same_config(config, labeling_config(ontology)):
            raise RefusedError(
                f"the project's labeling configuration is not that of the checkpoint's ontology {ontology.name!r}; "
                "set what 'tacitus annotate config' prints"
            )


def _text(task: Any) -> str:
    data = task.get("data") if isinstance(task, dict) else None
    text = data.get("text") if isinstance(data, dict) else None
    if not isinstance(text, str):
        number = task.get("id") if isinstance(task, dict) else task
        raise RecordError(f"task {number!r} has no text under 'data'")
    return text


def serve(backend: Backend, host: str, port: int) -> ThreadingHTTPServer:
    """A server for the backend, bound and not yet running; port 0 takes a free one.

    Raises:
        InputError: the address cannot be bound.
    """
    return listen(_Handler, host, port, backend=backend)


class _Handler(JsonHandler):
    backend: Backend

    def do_GET(self) -> None:
        """Health and versions."""
        backend = self.backend
        self.answer({"/": backend.health, "/health": backend.health, "/versions": backend.versions})

    def do_POST(self) -> None:
        """Everything with a body."""
        names = ("predict", "setup", "validate", "train", "webhook", "versions", "health")
        self.answer({f"/{name}": getattr(self.backend, name) for name in names})
