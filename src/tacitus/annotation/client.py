"""A project on a Label Studio server, through its SDK; every failure is one line that says how to mend it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tacitus.annotation.labeling_config import labeling_config, same_config
from tacitus.errors import InputError, ServerError, one_line, require
from tacitus.ontology import Ontology

TOKEN_VARIABLE = "LABEL_STUDIO_API_KEY"  # noqa: S105 (the name of a variable)
PAGE = 100
TIMEOUT = 120.0  # seconds for one answer
EMPTY_CONFIG = "<View></View>"
Value = TypeVar("Value")
Json = dict[str, Any]


def read_token(file: Path | None = None) -> str:
    """The access token from a file, else from ``LABEL_STUDIO_API_KEY``; never from the command line, which others see.

    Raises:
        InputError: there is none, or the file cannot be read.
    """
    try:
        token = file.read_text(encoding="utf-8") if file else os.environ.get(TOKEN_VARIABLE, "")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot read the token ({one_line(error)})") from None
    if len(token.split()) != 1:
        raise InputError(
            f"no access token; put a personal access token (Account & Settings on the server) into {TOKEN_VARIABLE} "
            "or name a file that holds nothing else with --token-file"
        )
    return token.strip()


class Server:
    """A signed-in connection. Personal access tokens and, where the organisation allows them, legacy tokens do."""

    def __init__(self, url: str, token: str) -> None:
        require("label_studio_sdk", "annotate")
        from label_studio_sdk import LabelStudio as Client

        if "@" in url:
            raise ServerError("the address holds a user name or password; leave it out, the token is enough")
        self.url = url.rstrip("/")
        connect: Any = Client
        self.api: Any = self.call(lambda: connect(base_url=self.url, api_key=token, timeout=TIMEOUT))
        self.user = str(self.call(lambda: self.api.users.whoami()).email)

    def call(self, request: Callable[[], Value]) -> Value:
        """The answer to a request.

        Raises:
            ServerError: the server is down, refuses the token, or refuses the request.
        """
        import httpx
        from label_studio_sdk.core.api_error import ApiError

        try:
            return request()
        except ApiError as error:
            raise ServerError(f"{self.url}: {_refusal(error.status_code, error.body)}") from None
        except httpx.InvalidURL as error:
            raise ServerError(f"{self.url}: not an address ({one_line(error)})") from None
        except (httpx.HTTPError, json.JSONDecodeError) as error:
            raise ServerError(
                f"{self.url}: no Label Studio answers here ({one_line(error) or type(error).__name__}); "
                "start the server or correct --url, then give the same command again"
            ) from None

    def project(self, name: str) -> Project:
        """An existing project by number or title.

        Raises:
            ServerError: there is none, or several have the title.
        """
        found = self._find(name)
        if found is None:
            raise ServerError(f"{self.url}: no project {name!r}; 'tacitus annotate push' makes it")
        return Project(self, found)

    def _find(self, name: str) -> int | None:
        if name.isdigit():
            return int(self.call(lambda: self.api.projects.get(int(name))).id)
        same = [p for p in self.call(lambda: list(self.api.projects.list(title=name))) if p.title == name]
        if len(same) > 1:
            raise ServerError(f"{self.url}: {len(same)} projects are called {name!r}; give the number of one")
        return int(same[0].id) if same else None

    def prepare(self, name: str, ontology: Ontology, annotators: int | None = None) -> Project:
        """A project ready for tasks of this ontology, made where a title is new.

        Args:
            name: number or title.
            ontology: its configuration is set on a new or empty project, and compared on others.
            annotators: how many annotations a task is to get.

        Raises:
            ServerError: the project has another configuration.
        """
        config, found = labeling_config(ontology), self._find(name)
        if found is None:
            found = self.call(lambda: self.api.projects.create(title=name, label_config=config)).id
        project = Project(self, found)
        settings: Json = {}
        info = self.call(lambda: self.api.projects.get(found))
        if same_config(info.label_config, EMPTY_CONFIG) and not info.task_number:
            settings["label_config"] = config
        else:
            project.check_config(ontology)
        if annotators and info.maximum_annotations != annotators:
            settings["maximum_annotations"] = annotators
        if settings:
            self.call(lambda: self.api.projects.update(found, **settings))
        return project

    def names(self) -> dict[int, str]:
        """User number → e-mail address."""
        return {user.id: user.email for user in self.call(lambda: list(self.api.users.list()))}


def _refusal(status: int | None, body: Any) -> str:
    if status == 401:
        detail = _detail(body)
        return f"the token is refused ({detail}); make a personal access token in Account & Settings on the server"
    if status == 403:
        return f"this user may not do that ({_detail(body)}); ask the project's owner"
    if status == 404:
        return "nothing is found there; correct --url, or look at the project's number in the address of its page"
    return f"the server refuses ({status}: {_detail(body)})"


def _detail(body: Any) -> str:
    if isinstance(body, dict):
        body = body.get("validation_errors") or body.get("detail") or body
    return " ".join(str(body).split())[:200]


@dataclass(frozen=True)
class Project:
    """One project, by number."""

    server: Server
    id: int

    @property
    def url(self) -> str:
        """Its page."""
        return f"{self.server.url}/projects/{self.id}"

    def check_config(self, ontology: Ontology) -> None:
        """Checks that the project asks for what the ontology asks for.

        Raises:
            ServerError: it does not.
        """
        info = self.server.call(lambda: self.server.api.projects.get(self.id))
        if not same_config(info.label_config, labeling_config(ontology)):
            raise ServerError(
                f"{self.url}: project {info.title!r} has another labeling configuration than the ontology "
                f"{ontology.name!r}; give that project's --ontology, another --project, or paste the output of "
                "'tacitus annotate config' into its settings"
            )

    def tasks(self, since: str | None = None, full: bool = False) -> Iterator[Json]:
        """Tasks in the order they were made.

        Args:
            since: an ISO time; only tasks that changed then or later.
            full: with their annotations and predictions.
        """
        query: Json = {"ordering": ["tasks:id"]}
        if since:
            changed = {"filter": "filter:tasks:updated_at", "operator": "greater_or_equal", "type": "Datetime"}
            query["filters"] = {"conjunction": "and", "items": [changed | {"value": since}]}
        for page in range(1, 1_000_000):
            answer = self._page(page, json.dumps(query), "all" if full else "task_only")
            yield from answer["tasks"]
            if page * PAGE >= answer["total"]:
                return

    def _page(self, page: int, query: str, fields: str) -> Json:
        # Not through the SDK's pager, which takes any 404 for the end and rewrites what annotators saved.
        params = {"project": self.id, "page": page, "page_size": PAGE, "query": query, "fields": fields}
        send = self.server.api._client_wrapper.httpx_client.request
        answer: Json = self.server.call(lambda: send("api/tasks/", method="GET", params=params).json())
        if "tasks" not in answer:
            raise ServerError(f"{self.url}: {_refusal(answer.get('status_code'), answer)}")
        return answer

    def create(self, tasks: Sequence[Json]) -> None:
        """Imports tasks with their predictions in one request."""
        self.server.call(lambda: self.server.api.projects.import_tasks(self.id, request=list(tasks)))

    def update_data(self, task: int, data: Json) -> None:
        """Replaces a task's data."""
        self.server.call(lambda: self.server.api.tasks.update(str(task), data=data))

    def predict(self, predictions: Sequence[Json]) -> None:
        """Adds predictions (with their ``task``) to tasks that are there."""
        self.server.call(lambda: self.server.api.projects.import_predictions(self.id, request=list(predictions)))
