"""What decoding needs to know of a checkpoint, read from its configuration without transformers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tacitus.model.decode import Calibration, calibration_from_dict
from tacitus.ontology import Ontology, ontology_from_dict
from tacitus.tagging import TagSet


@dataclass(frozen=True)
class Settings:
    """The part of ``config.json`` that every runtime shares; fields as in ``EventModelConfig``."""

    ontology: Ontology
    tag_set: TagSet
    max_tokens: int
    pad_token_id: int
    calibration: Calibration


def settings_from_config(config: Mapping[str, Any]) -> Settings:
    """Settings of a configuration given as a mapping.

    Raises:
        KeyError, TypeError, OntologyError: a part is missing or of another shape.
    """
    ontology = ontology_from_dict(config["ontology"], where="config.json: ontology")
    return Settings(
        ontology,
        TagSet(tuple(ontology.span_label_ids), config["scheme"]),
        config["max_tokens"],
        config["encoder"].get("pad_token_id") or 0,
        calibration_from_dict(config["calibration"]),
    )
