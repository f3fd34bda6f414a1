"""Training recipes: one strict YAML file; an unknown key is an error, not a silence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tacitus.errors import RecipeError, one_line, reason, suggest
from tacitus.ontology import explain
from tacitus.resources import ENCODER

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataPart(_Part):
    """Annotated sentences (JSON Lines) and the ontology; paths are taken from the working folder."""

    train: tuple[str, ...]
    dev: str
    calibration: str | None = None  # fits thresholds and temperatures; dev where left out
    ontology: str | None = None  # the shipped one where left out
    max_train_sentences: Count | None = None  # first N after a seeded shuffle of documents, for learning curves


class ModelPart(_Part):
    """The network: encoder and heads (see :class:`tacitus.model.configuration.EventModelConfig`)."""

    encoder: str = ENCODER
    letter_case: bool = True
    max_tokens: Annotated[int, Field(ge=16)] = 256
    scheme: Literal["BIO", "BIOES"] = "BIOES"
    crf: bool = True
    pooling: Literal["attention", "mean", "first"] = "attention"
    role_dim: Count = 64
    head_dropout: Share = 0.1
    attention_dropout: Share = 0.0
    loss_weights: dict[Literal["events", "tags", "roles"], float] = {}
    positive_weight: Positive = 1.0
    focal_gamma: Annotated[float, Field(ge=0)] = 0.0


class OptimPart(_Part):
    """AdamW with layer-wise learning rates: heads the highest, each encoder layer below by ``layer_decay``."""

    epochs: Positive = 12.0
    batch_size: Count = 32  # sentences a device and step
    gradient_accumulation: Count = 1
    learning_rate: Positive = 2e-4
    head_learning_rate: Positive = 1e-3
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    warmup_share: Share = 0.1
    schedule: Literal["linear", "cosine", "constant_with_warmup"] = "linear"
    max_grad_norm: Positive = 1.0
    weight_average: Share = 0.0  # decay of a moving average of the weights, evaluated and kept in their place; 0: none
    r_drop: Annotated[float, Field(ge=0)] = 0.0  # weight of two dropout passes' disagreement in the loss; 0: one pass


class RunPart(_Part):
    """How the run goes; ``bf16: auto`` is on where the device has bfloat16 arithmetic."""

    output: str
    seed: int = 1
    bf16: bool | Literal["auto"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    early_stopping_epochs: Count | None = None
    keep_checkpoints: bool = False
    workers: Annotated[int, Field(ge=0)] = 0
    compile: bool = False


class Recipe(_Part):
    """A whole training run."""

    name: str
    data: DataPart
    model: ModelPart = ModelPart()
    optim: OptimPart = OptimPart()
    run: RunPart


def load_recipe(path: str | Path, overrides: list[str] | None = None) -> Recipe:
    """Reads a recipe and applies ``part.key=value`` overrides (values are YAML).

    Raises:
        RecipeError: the file is missing or not YAML, an override has no ``=``, or a key or value is wrong.
    """
    try:
        raw = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"{path}: cannot read the recipe ({reason(error)}); training/ holds examples") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RecipeError(f"{path}: not valid YAML: {one_line(error)}") from None
    if not isinstance(raw, dict):
        raise RecipeError(f"{path}: a recipe is a mapping with name, data, model, optim and run")
    for override in overrides or []:
        _override(raw, override)
    return parse_recipe(raw, str(path))


def parse_recipe(raw: dict[str, Any], where: str) -> Recipe:
    """Validates a plain mapping; ``where`` is named in the error.

    Raises:
        RecipeError: a key or value is wrong.
    """
    try:
        return Recipe.model_validate(raw)
    except ValidationError as error:
        raise RecipeError(f"{where}: {_explain(error)}") from None


def _override(raw: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise RecipeError(f"override {override!r}: write part.key=value, for example optim.epochs=3")
    *parts, last = key.split(".")
    for part in parts:
        raw = raw.setdefault(part, {})
        if not isinstance(raw, dict):
            raise RecipeError(f"override {override!r}: {part!r} is no part of a recipe")
    try:
        raw[last] = yaml.safe_load(value)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise RecipeError(f"override {override!r}: {value!r} is not a YAML value") from None


def _explain(error: ValidationError) -> str:
    loc = error.errors()[0]["loc"]
    part = Recipe.model_fields.get(str(loc[0])) if loc else None
    model = part.annotation if len(loc) == 2 and part else Recipe
    if isinstance(model, type) and issubclass(model, BaseModel) and error.errors()[0]["type"] == "extra_forbidden":
        key = ".".join(map(str, loc))
        return f"{key}: unknown key{suggest(str(loc[-1]), model.model_fields)}; remove it or correct its name"
    return explain(error, Recipe)


def dump_recipe(recipe: Recipe) -> str:
    """The recipe with every default written out, as YAML."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
