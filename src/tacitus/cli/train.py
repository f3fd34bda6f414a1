"""``tacitus train``: a recipe in, a checkpoint out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    recipe: Annotated[Path, typer.Argument(help="Recipe (YAML); training/ holds examples.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="part.key=value, for example optim.epochs=3", show_default=False)
    ] = None,
) -> None:
    """Train a joint model; the same command continues a killed run."""
    from tacitus.errors import RecipeError
    from tacitus.training.recipe import load_recipe

    parsed = load_recipe(recipe, overrides)
    try:
        from tacitus.training.run import train as run
    except ModuleNotFoundError as error:
        raise RecipeError(
            f"training needs the package {error.name!r}; install it with: pip install 'tacitus[train]'"
        ) from None
    metrics = run(parsed)
    if metrics:
        for name, value in metrics["headline"].items():
            typer.echo(f"{name:24} {value:.3f}")
        typer.echo(f"checkpoint written to {parsed.run.output}", err=True)
