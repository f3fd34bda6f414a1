"""UIMA CAS XMI as INCEpTION exports it in; needs the extra ``convert``."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tacitus.convert.documents import MarkedDocument, MarkedEvent
from tacitus.convert.losses import Losses
from tacitus.errors import InputError, one_line
from tacitus.records import Span
from tacitus.sentences import Sentence

_TYPES = "TypeSystem.xml"
_DKPRO = "de.tudarmstadt.ukp.dkpro.core.api."
_ENTITY = f"{_DKPRO}ner.type.NamedEntity"
_SENTENCE = f"{_DKPRO}segmentation.type.Sentence"
_STRUCTURE = (_SENTENCE, f"{_DKPRO}segmentation.type.Token", f"{_DKPRO}metadata.", "uima.tcas.DocumentAnnotation")


def read_cas(path: Path, losses: Losses) -> Iterator[MarkedDocument]:
    """Documents of an ``.xmi`` file, of a folder of them or of a ``.zip`` export; ``TypeSystem.xml`` lies beside each.

    Read are named entities and custom layers: a layer with slots (link features) marks events, any other one spans. The
    label is the first text feature that has a value, or the layer's name.

    Raises:
        InputError: no document, no type system, or a file that cassis cannot read.
    """
    documents = [_Annotations(name, xmi, types, losses) for name, xmi, types in _files(path)]
    if not documents:
        raise InputError(f"{path}: no .xmi file here; export as UIMA CAS XMI 1.0")
    events_known = any(document.events for document in documents)
    for document in documents:
        yield document.marked(events_known)


def _files(path: Path) -> Iterator[tuple[str, bytes, bytes]]:
    """(document id, XMI, type system) of every document."""
    try:
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as archive:
                names = [name for name in archive.namelist() if name.endswith(".xmi")]
                for name in names:
                    types = f"{name.rpartition('/')[0]}/{_TYPES}".lstrip("/")
                    if types not in archive.namelist():
                        raise InputError(f"{path}: no {types} in it; export as UIMA CAS XMI 1.0")
                    yield Path(name).stem, archive.read(name), archive.read(types)
        else:
            for file in sorted(path.rglob("*.xmi")) if path.is_dir() else [path]:
                name = file.relative_to(path if path.is_dir() else path.parent).with_suffix("").as_posix()
                yield name, file.read_bytes(), file.with_name(_TYPES).read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{error.filename}: no such file; an .xmi file and {_TYPES} lie in one folder") from None
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: cannot read ({one_line(error)})") from None


def _load(name: str, xmi: bytes, types: bytes) -> Any:
    from cassis import load_cas_from_xmi, load_typesystem
    from cassis.typesystem import TypeNotFoundError
    from lxml.etree import XMLSyntaxError

    try:
        cas = load_cas_from_xmi(io.BytesIO(xmi), typesystem=load_typesystem(io.BytesIO(types)))
    except (TypeNotFoundError, XMLSyntaxError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{name}.xmi: not a CAS of its {_TYPES} ({one_line(error)[:120]}); export it again") from None
    if cas.sofa_string is None:
        raise InputError(f"{name}.xmi: holds no text; export the document again")
    return cas


class _Annotations:
    """The annotations of one document, sorted into spans and events."""

    def __init__(self, name: str, xmi: bytes, types: bytes, losses: Losses) -> None:
        self.name, self.losses = name, losses
        cas = _load(name, xmi, types)
        self._types = cas.typesystem
        self.text: str = cas.sofa_string
        self.boundaries: list[Sentence] = []
        self.spans: list[Span] = []
        self.events: list[Any] = []
        self._index: dict[int, int] = {}
        for annotation in cas.select_all_annotations():
            self._take(annotation)

    def _take(self, annotation: Any) -> None:
        kind: str = annotation.type.name
        if kind == _SENTENCE:
            self.boundaries.append(Sentence(annotation.begin, annotation.end))
        elif kind.startswith(_STRUCTURE):
            return
        elif (kind.startswith(_DKPRO) and kind != _ENTITY) or kind.startswith("uima."):
            self.losses.add(f"annotations of the layer {_short(kind)}")
        elif {"Governor", "Dependent"} <= _feature_names(annotation.type):
            self.losses.add("relations")
        elif _link_features(annotation.type, self._types):
            self.events.append(annotation)
        elif annotation.begin >= annotation.end:
            self.losses.add("spans without words", f"{self.name} {_short(kind)} {annotation.begin}")
        else:
            self._index[annotation.xmiID] = len(self.spans)
            self.spans.append(Span(annotation.begin, annotation.end, _label(annotation, self.losses)))

    def marked(self, events_known: bool) -> MarkedDocument:
        """The document; without any event in the whole input, nobody annotated events."""
        events = tuple(self._event(event) for event in self.events)
        return MarkedDocument(
            self.name,
            self.text,
            tuple(self.spans),
            events if events_known else None,
            tuple(sorted(self._trimmed())) if self.boundaries else None,
        )

    def _trimmed(self) -> Iterator[Sentence]:
        for start, end in self.boundaries:
            text = self.text[start:end]
            if text.strip():
                yield Sentence(end - len(text.lstrip()), start + len(text.rstrip()))

    def _event(self, annotation: Any) -> MarkedEvent:
        kind = _label(annotation, self.losses)
        roles: dict[str, list[int]] = {}
        for name in _link_features(annotation.type, self._types):
            for link in _elements(annotation[name]):
                if link.target is not None and link.target.xmiID in self._index:
                    roles.setdefault(link.role or name, []).append(self._index[link.target.xmiID])
                else:
                    self.losses.add("roles that are not played by a span", f"{self.name} {kind} {link.role or name}")
        return MarkedEvent(kind, {key: tuple(v) for key, v in roles.items()}, (annotation.begin, annotation.end))


def _short(kind: str) -> str:
    return kind.rpartition(".")[2]


def _link_features(kind: Any, types: Any) -> list[str]:
    """Features that hold slots: arrays of links with a role and a target."""
    arrays = [(feature.name, feature.elementType.name) for feature in kind.all_features if feature.elementType]
    return [name for name, link in arrays if {"role", "target"} <= _feature_names(types.get_type(link))]


def _feature_names(kind: Any) -> set[str]:
    return {feature.name for feature in kind.all_features}


def _elements(array: Any) -> list[Any]:
    return list(array.elements) if array is not None else []


def _label(annotation: Any, losses: Losses) -> str:
    names = [f.name for f in annotation.type.all_features if f.rangeType.name == "uima.cas.String"]
    values = [str(annotation[name]) for name in names if annotation[name] and name != "identifier"]
    further = len(values) - 1 + sum(bool(annotation[name]) for name in names if name == "identifier")
    losses.add("further features of annotations", n=max(further, 0))
    return values[0] if values else _short(annotation.type.name)
