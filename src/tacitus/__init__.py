"""tacitus reads reports of conflict and writes event records: who did what to whom, where.

Importing the package is cheap; PyTorch and transformers are loaded with the first checkpoint.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tacitus.classifier import EventClassifier
    from tacitus.data.documents import Document
    from tacitus.extractor import Extractor
    from tacitus.frames import EventMapper, extract
    from tacitus.ontology import load_ontology
    from tacitus.records import AnnotatedSentence, Event, Span

try:
    __version__ = version("tacitus")
except PackageNotFoundError:  # a source tree on the path without an installation
    __version__ = "0+unknown"

_HOME = {
    "AnnotatedSentence": "tacitus.records",
    "Document": "tacitus.data.documents",
    "Event": "tacitus.records",
    "EventClassifier": "tacitus.classifier",
    "EventMapper": "tacitus.frames",
    "Extractor": "tacitus.extractor",
    "Span": "tacitus.records",
    "extract": "tacitus.frames",
    "load_ontology": "tacitus.ontology",
}
__all__ = [
    "AnnotatedSentence",
    "Document",
    "Event",
    "EventClassifier",
    "EventMapper",
    "Extractor",
    "Span",
    "__version__",
    "extract",
    "load_ontology",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'tacitus' has no attribute {name!r}")
