"""docs/errors.md names every error that the source can say, and none besides."""

import ast
import re
from pathlib import Path

import pytest

import tacitus
from conftest import REPOSITORY
from tacitus import errors

PACKAGE = Path(tacitus.__file__).parent
PAGE = REPOSITORY / "docs" / "errors.md"
KINDS = {name for name in vars(errors) if name.endswith("Error")} | {"RefusedError", "TooLargeError"}
SAYERS = KINDS | {"ValueError", "_fail", "_unwritten"}  # called with the text of an error as last argument
TEXTS_OF = {"_refusal", "_detail", "_explain", "explain", "_unwritten"}  # give such a text back


def template(node: ast.expr) -> str:
    """The fixed words of a text, with … for what is filled in."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(template(part) for part in parts)
        case ast.BinOp(left=left, right=right):
            return template(left) + template(right)
    return "…"


def said_in(source: str) -> set[str]:
    """Templates of the errors in a module's source, without those that only pass another text on."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args and getattr(node.func, "id", "") in SAYERS:
            found.add(template(node.args[-1]))
        if isinstance(node, ast.FunctionDef) and node.name in TEXTS_OF:
            found |= {template(n.value) for n in ast.walk(node) if isinstance(n, ast.Return) and n.value is not None}
    texts = {re.sub("…+", "…", " ".join(text.split())) for text in found}
    return {text for text in texts if len(re.findall(r"[^\W\d_]{2,}", text)) > 1}


def listed(page: str) -> list[str]:
    """First cells of the page's tables."""
    cells = re.findall(r"^\| `(.+?)` \|", page, re.M)
    return [cell.replace(r"\|", "|") for cell in cells]


def test_templates_are_found():
    assert said_in('raise InputError(f"{path}:{n}: not {kind}; mend it") from None') == {"…:…: not …; mend it"}
    assert said_in('raise InputError(f"{path}: {error}")') == set()


def test_the_page_lists_every_error_once_and_no_other():
    said = set().union(*(said_in(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))))
    on_page = listed(PAGE.read_text(encoding="utf-8"))
    assert sorted(on_page) == sorted(set(on_page))
    assert sorted(said - set(on_page)) == []
    assert sorted(set(on_page) - said) == []


@pytest.mark.parametrize("row", PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else [])
def test_every_row_has_a_cause_and_a_mend(row):
    if row.startswith("| `"):
        assert len([cell for cell in re.split(r"(?<!\\)\|", row) if cell.strip()]) == 3
