"""A Label Studio machine-learning backend: a checkpoint that pre-annotates tasks as they are opened."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tacitus.annotation.labeling_config import labeling_config, same_config
from tacitus.annotation.pool import model_version
from tacitus.data.label_studio import prediction
from tacitus.errors import InputError, OutputError, RecordError, TacitusError
from tacitus.extractor import Extractor
from tacitus.records import AnnotatedSentence

MAX_BODY = 64 * 2**20  # bytes of one request
Json = dict[str, Any]


class RefusedError(TacitusError):
    """A request that is understood and not done, with the reason."""


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
    handler = type("Handler", (_Handler,), {"backend": backend})
    try:
        return ThreadingHTTPServer((host, port), handler)
    except OSError as error:
        raise InputError(f"{host}:{port}: cannot listen here ({error.strerror}); choose another --port") from None


class _Handler(BaseHTTPRequestHandler):
    backend: Backend
    server_version, sys_version = "tacitus", ""

    def do_GET(self) -> None:
        """Health and versions."""
        backend = self.backend
        self._answer({"/": backend.health, "/health": backend.health, "/versions": backend.versions})

    def do_POST(self) -> None:
        """Everything with a body."""
        names = ("predict", "setup", "validate", "train", "webhook", "versions", "health")
        self._answer({f"/{name}": getattr(self.backend, name) for name in names})

    def _answer(self, routes: Mapping[str, Callable[[Json], Json]]) -> None:
        route = routes.get(self.path.partition("?")[0].rstrip("/") or "/")
        if route is None:
            self._send(404, {"error": f"nothing at {self.path[:80]}"})
            return
        try:
            self._send(200, route(self._body()))
        except RefusedError as error:
            self._send(409, {"error": str(error)})
        except TacitusError as error:
            self._send(400, {"error": str(error)})

    def _body(self) -> Json:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            raise InputError(f"a body of {length[:20]} bytes is not read; at most {MAX_BODY}")
        try:
            body = json.loads(self.rfile.read(int(length)) or b"{}")
        except (ValueError, RecursionError):
            raise InputError("the body is not JSON") from None
        if not isinstance(body, dict):
            raise InputError("the body is no JSON object")
        return body

    def _send(self, status: int, answer: Json) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
