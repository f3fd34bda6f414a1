"""Self-contained HTML pages: a template of the package with its data inside, safe to open whatever the texts hold."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def render_page(package: str, template: str, data: Any) -> str:
    """A template with ``/*DATA*/`` replaced by ``data`` as JSON.

    No text of the data can end the script element or be taken for markup.

    Args:
        package: dotted name of the package that holds the template.
        template: the template's file name.
        data: anything that JSON can hold.
    """
    page = (files(package) / template).read_text(encoding="utf-8")
    safe = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return page.replace("/*DATA*/", safe.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))
