"""Self-contained HTML pages: a template of the package with its data inside, safe to open whatever the texts hold."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any


def render_page(package: str, template: str, data: Any) -> str:
    """A template with ``/*INCLUDE name*/`` replaced by that file, and ``/*DATA*/`` by ``data`` as JSON.

    Files are taken from the template's package, or else from this one, where all pages find their common helpers.

    No text of the data can end the script element or be taken for markup.

    Args:
        package: dotted name of the package that holds the template.
        template: the template's file name.
        data: anything that JSON can hold.
    """
    page = _with_includes(package, template)
    safe = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return page.replace("/*DATA*/", safe.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def _with_includes(package: str, name: str) -> str:
    own = files(package) / name
    text = (own if own.is_file() else files("tacitus") / name).read_text(encoding="utf-8")
    return re.sub(r"/\*INCLUDE (\S+)\*/", lambda match: _with_includes(package, match[1]).rstrip(), text)
