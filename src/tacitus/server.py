"""A small JSON server on the standard library, for the annotation backend and the demo."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tacitus.errors import InputError, TacitusError

DRAINED = 2**26  # bytes of a refused body that are read all the same, so that the sender comes to read the answer
Json = dict[str, Any]


class RefusedError(TacitusError):
    """A request that is understood and not done, with the reason."""


class TooLargeError(TacitusError):
    """A body of more bytes than are read."""


def listen(handler: type[JsonHandler], host: str, port: int, **attributes: Any) -> ThreadingHTTPServer:
    """A server that is bound and not yet running.

    Args:
        handler: answers requests; one instance each.
        host: address to listen on.
        port: 0 takes a free one.
        attributes: what the handler knows, as attributes.

    Raises:
        InputError: the address cannot be bound.
    """
    try:
        return ThreadingHTTPServer((host, port), type("Handler", (handler,), attributes))
    except OSError as error:
        raise InputError(f"{host}:{port}: cannot listen here ({error.strerror}); choose another --port") from None


class JsonHandler(BaseHTTPRequestHandler):
    """Reads JSON objects of at most ``max_body`` bytes and answers with JSON; errors are told in one line."""

    max_body = 64 * 2**20
    server_version, sys_version = "tacitus", ""

    def answer(self, routes: Mapping[str, Callable[[Json], Json]]) -> None:
        """Sends what the path's route makes of the body."""
        path = self.path.partition("?")[0].rstrip("/") or "/"
        if path not in routes:
            self.send_json(404, {"error": f"nothing at {self.path[:80]}"})
            return
        try:
            self.send_json(200, routes[path](self._body()))
        except RefusedError as error:
            self.send_json(409, {"error": str(error)})
        except TooLargeError as error:
            self.send_json(413, {"error": str(error)})
        except TacitusError as error:
            self.send_json(400, {"error": str(error)})

    def send_json(self, status: int, answer: Json) -> None:
        """Sends a JSON object."""
        self.send_body(status, "application/json", json.dumps(answer).encode())

    def send_body(self, status: int, kind: str, body: bytes) -> None:
        """Sends bytes of a media type."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _body(self) -> Json:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit():
            raise InputError(f"Content-Length {length[:20]!r} is no number of bytes")
        if int(length) > self.max_body:
            self._drain(int(length))
            raise TooLargeError(f"a body of {length[:20]} bytes is not read; at most {self.max_body}")
        try:
            body = json.loads(self.rfile.read(int(length)) or b"{}")
        except (ValueError, RecursionError):
            raise InputError("the body is not JSON") from None
        if not isinstance(body, dict):
            raise InputError("the body is no JSON object")
        return body

    def _drain(self, length: int) -> None:
        self.close_connection = True
        rest = min(length, DRAINED)
        while rest and (piece := self.rfile.read(min(rest, 2**16))):
            rest -= len(piece)
