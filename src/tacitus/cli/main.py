"""The ``tacitus`` command. Importing this loads neither PyTorch nor transformers."""

import os
import sys
from typing import Annotated

import typer

from tacitus import __version__
from tacitus.cli import (
    agreement,
    annotate,
    annotations,
    backend,
    baselines,
    benchmark,
    compare,
    demo,
    doctor,
    evaluate,
    export,
    extract,
    predict,
    review,
    seeds,
    train,
)
from tacitus.errors import TacitusError, one_line

app = typer.Typer(
    name="tacitus",
    help="Reads reports of conflict and writes event records: who did what to whom, where.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("extract")(extract.extract)
app.command("predict")(predict.predict)
app.command("evaluate")(evaluate.evaluate)
app.command("compare")(compare.compare)
app.command("seeds")(seeds.seeds)
app.command("baselines")(baselines.baselines)
app.command("export")(export.export)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("train")(train.train)
app.command("benchmark")(benchmark.benchmark)
app.add_typer(annotations.app, name="annotations")
annotate.app.command("agreement")(agreement.agreement)
annotate.app.command("review")(review.review)
annotate.app.command("backend")(backend.backend)
app.add_typer(annotate.app, name="annotate")


def _version(show: bool) -> None:
    if show:
        typer.echo(f"tacitus {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    # Progress bars and messages are ours; the libraries below only speak up when something is wrong.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


def main() -> None:
    """Runs the command line: a mistake a user can mend is one line on standard error and exit code 2."""
    try:
        app()
    except TacitusError as error:
        sys.stderr.write(f"tacitus: {one_line(error)}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
