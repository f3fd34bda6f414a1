"""The demo: a page on this machine alone, where a pasted report is coded at once."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tacitus.data.documents import Document
from tacitus.errors import InputError, is_unicode
from tacitus.event_page import page_document, page_labels
from tacitus.extractor import Extractor
from tacitus.page import render_page
from tacitus.server import Json, JsonHandler, listen

HOST = "127.0.0.1"
MAX_BODY = 2**20


@dataclass(frozen=True)
class Demo:
    """Codes what the page sends, one report at a time."""

    extractor: Extractor
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def page(self) -> str:
        """The page itself, which loads nothing from elsewhere."""
        labels = page_labels(self.extractor.ontology, Path(self.extractor.name).name)
        return render_page("tacitus", "demo.html", labels | {"limit": MAX_BODY})

    def code(self, request: Json) -> Json:
        """The coded report, as the page of events holds it.

        Raises:
            InputError: no text.
        """
        text = request.get("text")
        if not isinstance(text, str) or not is_unicode(text):
            raise InputError("'text' is no text")
        with self._lock:
            (coded,) = self.extractor.stream([Document("pasted report", text)])
        return page_document(coded, self.extractor.ontology)


def serve(demo: Demo, port: int) -> ThreadingHTTPServer:
    """A server on this machine's own address, bound and not yet running; port 0 takes a free one.

    Raises:
        InputError: the port cannot be bound.
    """
    return listen(_Handler, HOST, port, demo=demo)


class _Handler(JsonHandler):
    demo: Demo
    max_body = MAX_BODY

    def do_GET(self) -> None:
        """The page."""
        if not self._is_ours():
            return
        if self.path.partition("?")[0] != "/":
            self.send_json(404, {"error": f"nothing at {self.path[:80]}"})
            return
        self.send_body(200, "text/html; charset=utf-8", self.demo.page().encode())

    def do_POST(self) -> None:
        """A report to code."""
        if self._is_ours():
            self.answer({"/code": self.demo.code})

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: what is pasted is the user's own matter."""

    def _is_ours(self) -> bool:
        """Whether the request is for this page; a foreign page that points its own name here is sent away."""
        ours = self.headers.get("Host", "").rpartition(":")[0] in {HOST, "localhost"}
        if not ours:
            self.send_json(403, {"error": "open the address that tacitus demo printed"})
        return ours
