"""A real Label Studio on loopback for tests: started with its own data folder, killed and started again, stopped."""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

ADMIN, SECOND, PASSWORD = "anna@example.org", "ben@example.org", "correct-horse-9"


def find_executable() -> str | None:
    """The ``label-studio`` command: of the environment that TACITUS_LABEL_STUDIO names, else on the path."""
    folder = os.environ.get("TACITUS_LABEL_STUDIO")
    return shutil.which("label-studio", path=str(Path(folder) / "bin")) if folder else shutil.which("label-studio")


class LabelStudio:
    """One server; ``url`` stays the same over kills and starts."""

    def __init__(self, executable: str, data: Path) -> None:
        self.executable, self.data = executable, data
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self._tokens: dict[str, str] = {}

    def start(self, timeout: float = 400) -> None:
        environment = {
            "PATH": f"{Path(self.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.data),  # it keeps settings in the home folder
            "COLLECT_ANALYTICS": "false",
            "LATEST_VERSION_CHECK": "false",
            "SENTRY_DSN": "",
            "FRONTEND_SENTRY_DSN": "",
            "LABEL_STUDIO_BASE_DATA_DIR": str(self.data),
            # The machine-learning backend of the tests is on loopback too.
            "ML_BLOCK_LOCAL_IP": "false",
            "USE_DEFAULT_BANNED_SUBNETS": "false",
        }
        command = [self.executable, "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(self.port),
                   "--username", ADMIN, "--password", PASSWORD, "--data-dir", str(self.data)]  # fmt: skip
        with (self.data / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.3)
        raise RuntimeError((self.data / "server.log").read_text()[-2000:])

    def kill(self) -> None:
        """Ends the server at once, with no time to finish anything."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def browser(self, email: str = ADMIN) -> Session:
        """A signed-in session, as a person has in a browser."""
        return Session(self.url).sign_in(email)

    def token(self, email: str = ADMIN) -> str:
        """The user's personal-access token; a server makes one and does not show it again."""
        if email not in self._tokens:
            self._tokens[email] = self.browser(email).post("/api/token/", {})["token"]
        return self._tokens[email]

    def add_user(self, email: str) -> None:
        invite = self.browser().get("/api/invite")["invite_url"]
        Session(self.url).submit(invite, {"email": email, "password": PASSWORD, "allow_newsletters": "false"})


class Session:
    """A cookie session with the forms and the interface that the web page uses."""

    def __init__(self, url: str) -> None:
        self.url, self.jar = url, http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def submit(self, path: str, form: dict[str, str]) -> None:
        page = self._open(urllib.request.Request(self.url + path)).decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token, page[:500]
        body = urllib.parse.urlencode(form | {"csrfmiddlewaretoken": token[1]}).encode()
        self._open(urllib.request.Request(self.url + path, body, {"Referer": self.url + path}))

    def sign_in(self, email: str) -> Session:
        self.submit("/user/login/", {"email": email, "password": PASSWORD})
        assert self.get("/api/current-user/whoami")["email"] == email
        return self

    def get(self, path: str):
        return json.loads(self._open(urllib.request.Request(self.url + path)))

    def post(self, path: str, body, method: str = "POST"):
        token = next((c.value for c in self.jar if c.name == "csrftoken"), "")
        headers = {"Content-Type": "application/json", "X-CSRFToken": token or "", "Referer": self.url}
        answer = self._open(urllib.request.Request(self.url + path, json.dumps(body).encode(), headers, method=method))
        return json.loads(answer) if answer else None

    def _open(self, request: urllib.request.Request) -> bytes:
        with self.opener.open(request, timeout=60) as answer:
            return answer.read()
