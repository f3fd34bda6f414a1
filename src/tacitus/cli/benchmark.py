"""``tacitus benchmark``: public tasks, beside the published figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tacitus.errors import InputError, require

KINDS = "cameo_class, cameo_ner, cameo_joint, re3d or satp_relevant; classes, labels or conll for files of your own."


def benchmark(
    task: Annotated[str, typer.Argument(help=KINDS)],
    recipe: Annotated[Path, typer.Argument(help="Recipe with model and optim parts: training/benchmark.yaml.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="part.key=value of the recipe.", show_default=False)
    ] = None,
    data: Annotated[
        Path, typer.Option(help="Folder with the tasks' folders; for files of your own, the folder with them.")
    ] = Path(),
    header: Annotated[
        bool, typer.Option("--header", help="The tables (classes, labels) begin with a row of column names.")
    ] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", show_default="runs/benchmark/TASK")] = None,
    rates: Annotated[str, typer.Option(help="Learning rates to choose from on dev.")] = "2e-4,4e-4,8e-4",
    seeds: Annotated[str, typer.Option(help="Seeds; the rate is chosen with the first.")] = "1,2,3",
) -> None:
    """Train on a public task (rate chosen on dev, test scored once a seed) and set the result beside published ones."""
    for package in ("accelerate", "datasets", "scipy"):
        require(package, "train")
    from tacitus.training.benchmark import Benchmark

    numbers = _numbers("--rates", rates), [int(seed) for seed in _numbers("--seeds", seeds)]
    folder = output or Path("runs/benchmark") / task
    prepared = Benchmark.prepare(task, data, recipe, folder.resolve(), tuple(overrides or ()), header)
    _print(prepared.run(*numbers))
    typer.echo(f"written to {folder / 'result.json'}", err=True)


def _numbers(option: str, text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"{option} {text!r}: write numbers with commas between, for example 1,2,3") from None


def _print(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_edge=False, pad_edge=False, header_style="dim")
    for column in ("test", "tacitus", "published"):
        table.add_column(column, justify="left" if column == "test" else "right", no_wrap=True)
    for name, figure in result["test"].items():
        published = ", ".join(f"{who} {value:.3f}" for who, what, value in result["published"] if what == name)
        table.add_row(name, f"{figure['mean']:.3f} ± {figure['sd']:.3f}", published)
    console = Console()
    console.print(table)
    console.print(f"rate {result['rate']:g} of {result['dev_by_rate']} on dev; seeds {result['seeds']}")
