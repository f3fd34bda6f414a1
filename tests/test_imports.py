"""A row of the architecture imports only rows below it, and importing the package is cheap."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tacitus

PACKAGE = Path(tacitus.__file__).parent
ROWS = [  # top to bottom; a module may import its own row's rooms only from the same room
    ["cli"],
    ["classifier", "doctor"],
    ["training", "annotation", "export", "convert"],
    ["evaluation"],
    ["loading", "frames", "spacy_component", "demo"],
    ["checkpoint"],
    ["extractor", "event_page", "shards"],
    ["event_files"],
    ["events"],
    ["runtime"],
    ["folder"],
    ["model"],
    ["data"],
    ["tagging", "sentences", "metrics"],
    ["records"],
    ["ontology"],
    ["resources", "files", "page", "progress", "server"],
    ["errors"],
]
RANK = {room: rank for rank, rooms in enumerate(ROWS) for room in rooms}
LAZY = {("extractor", "loading")}  # the constructor of Extractor chooses a runtime only when it is called


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_downwards(path):
    here = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if here == "__init__":
        return
    for node in ast.walk(ast.parse(path.read_text())):
        names = (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [a.name for a in node.names]
            if isinstance(node, ast.Import)
            else []
        )
        for name in names:
            target = room(name) if name.startswith("tacitus.") else ""
            if target and target != here and (here, target) not in LAZY:
                assert RANK[target] > RANK[here], f"{here} (row {RANK[here]}) imports {target} (row {RANK[target]})"


@pytest.mark.parametrize(
    "statement",
    ["import tacitus", "import tacitus.cli.main", "from tacitus.data import documents, jsonl; import tacitus.metrics"],
)
def test_importing_is_cheap(statement):
    code = f"{statement}\nimport sys\nprint([m for m in ('torch', 'transformers', 'datasets', 'sklearn', 'pyarrow') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
