"""``tacitus train``: a recipe in, a checkpoint out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tacitus.errors import require


def train(
    recipe: Annotated[Path, typer.Argument(help="Recipe (YAML); training/ holds examples.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="part.key=value, for example optim.epochs=3", show_default=False)
    ] = None,
) -> None:
    """Train a joint model; the same command continues a killed run."""
    from tacitus.training.recipe import load_recipe

    parsed = load_recipe(recipe, overrides)
    for package in ("torch", "transformers", "accelerate", "datasets", "scipy"):
        require(package, "train")
    from tacitus.training.run import train as run

    metrics = run(parsed)
    if metrics:
        for name, value in metrics["headline"].items():
            typer.echo(f"{name:24} {value:.3f}")
        typer.echo(f"checkpoint written to {parsed.run.output}", err=True)
