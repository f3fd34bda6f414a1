"""The ontology: the event types, span labels and roles that a task knows, read from one YAML file."""

from __future__ import annotations

import reprlib
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from tacitus.errors import OntologyError, one_line, reason, suggest
from tacitus.resources import DEFAULT_ONTOLOGY, ontology_paths

RESERVED_KEYS = frozenset(
    {"type", "score", "role_scores", "event_id", "doc_id", "sentence_index", "event_date", "disorder_type"}
    | {"event_type", "sub_event_type", "confidence", "text", "source"}
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))


class SpanLabel(_Strict):
    """A label of spans, for example ``ACTOR``."""

    id: str
    definition: str = ""
    hotkey: str | None = None
    color: str | None = None


class Role(_Strict):
    """A part that a span plays in an event; ``key`` names its list in a record (formats: ``initiators``)."""

    id: str
    key: str
    span_label: str
    definition: str = ""


class EventType(_Strict):
    """A (sub-)event type; ``disorder_type`` overrides its group's."""

    id: str
    definition: str = ""
    disorder_type: str | None = None
    keywords: tuple[str, ...] = ()


class EventGroup(_Strict):
    """A group of event types (ACLED: event type)."""

    id: str
    disorder_type: str = ""
    types: tuple[EventType, ...]


class Ontology(_Strict):
    """All labels of one task, in the order that checkpoints store.

    ``exclusive`` says that a sentence has at most one event type (softmax with a none class) instead of
    any number (independent sigmoids).
    """

    name: str
    version: str = "1"
    exclusive: bool = False
    span_labels: tuple[SpanLabel, ...] = ()
    roles: tuple[Role, ...] = ()
    groups: tuple[EventGroup, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Ontology:
        for what, ids in (
            ("span label", self.span_label_ids),
            ("role", [role.id for role in self.roles]),
            ("role key", self.role_keys),
            ("group", [group.id for group in self.groups]),
            ("event type", self.event_types),
        ):
            twice = sorted({i for i in ids if ids.count(i) > 1})
            if twice:
                raise ValueError(f"{what} {twice[0]!r} stands twice; ids are unique")
        taken = sorted(set(self.role_keys) & RESERVED_KEYS)
        if taken:
            raise ValueError(
                f"role key {taken[0]!r} is a field of event records already; take another, such as '{taken[0]}s'"
            )
        for role in self.roles:
            if role.span_label not in self.span_label_ids:
                near = suggest(role.span_label, self.span_label_ids)
                raise ValueError(f"role {role.id!r} names the unknown span label {role.span_label!r}{near}")
        if not self.event_types and not self.span_labels:
            raise ValueError("neither event types nor span labels; give at least one")
        return self

    @cached_property
    def event_types(self) -> list[str]:
        """Ids of all event types, in file order; the order of the event head's outputs."""
        return [t.id for group in self.groups for t in group.types]

    @cached_property
    def span_label_ids(self) -> list[str]:
        """Ids of all span labels, in file order."""
        return [label.id for label in self.span_labels]

    @cached_property
    def role_keys(self) -> list[str]:
        """Names of the role lists in a record, in file order."""
        return [role.key for role in self.roles]

    @cached_property
    def group_of(self) -> dict[str, str]:
        """Event type id → id of its group."""
        return {t.id: group.id for group in self.groups for t in group.types}

    @cached_property
    def disorder_type_of(self) -> dict[str, str]:
        """Event type id → disorder type (ACLED's widest class), empty where none is given."""
        return {t.id: t.disorder_type or group.disorder_type for group in self.groups for t in group.types}

    @cached_property
    def definitions(self) -> dict[str, str]:
        """Event type id → its one-line definition."""
        return {t.id: t.definition for group in self.groups for t in group.types}

    def roles_for(self, span_label: str) -> list[str]:
        """Keys of the roles that a span with this label can take."""
        return [role.key for role in self.roles if role.span_label == span_label]

    def role_label(self, key: str) -> str:
        """The span label that the role list ``key`` holds."""
        return next(role.span_label for role in self.roles if role.key == key)

    def to_dict(self) -> dict[str, Any]:
        """The ontology as plain JSON types, as a checkpoint's configuration stores it."""
        return self.model_dump(mode="json", exclude_defaults=True) | {"name": self.name}


def load_ontology(path: str | Path | None = None) -> Ontology:
    """Reads an ontology file, or a shipped one by its name; without a path, the project's own.

    Raises:
        OntologyError: the file is missing, is not YAML or breaks the shape; one line with the field.
    """
    shipped = ontology_paths()
    path = Path(path) if path is not None else shipped[DEFAULT_ONTOLOGY]
    if not path.exists():
        path = shipped.get(str(path), path)
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OntologyError(
            f"{path}: cannot read the ontology ({reason(error)}); give an existing YAML file, or one of "
            f"{', '.join(shipped)}"
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise OntologyError(f"{path}: not valid YAML: {one_line(error)}") from None
    if not isinstance(raw, dict):
        raise OntologyError(f"{path}: an ontology is a mapping with name, span_labels, roles and groups")
    return ontology_from_dict(raw, where=str(path))


def dump_ontology(ontology: Ontology) -> str:
    """An ontology as the text of its file."""
    return yaml.safe_dump(ontology.to_dict(), sort_keys=False, allow_unicode=True)


def ontology_from_dict(raw: dict[str, Any], where: str = "ontology") -> Ontology:
    """Validates a plain mapping; ``where`` is named in the error.

    Raises:
        OntologyError: the mapping breaks the shape.
    """
    try:
        return Ontology.model_validate(raw)
    except ValidationError as error:
        raise OntologyError(f"{where}: {explain(error, Ontology)}") from None


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """First problem of a pydantic error as one line: field, what is wrong, and a near name where there is one."""
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "file"
    if first["type"] == "extra_forbidden":
        near = suggest(str(first["loc"][-1]), model.model_fields) if len(first["loc"]) == 1 else ""
        return f"{field}: unknown key{near}; remove it or correct its name"
    if first["type"] == "missing":
        return f"{field}: missing; add it"
    message = first["msg"].removeprefix("Value error, ")
    value = "" if first["type"] == "value_error" else f", got {reprlib.repr(first['input'])}"
    return f"{field}: {message}{value}"
