"""The ``tacitus`` command. Importing this loads neither PyTorch nor transformers."""

import io
import os
import sys
from contextlib import suppress
from typing import Annotated, NoReturn

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
    convert,
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
app.command("convert")(convert.convert)
app.command("ontology")(convert.ontology)
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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that is not UTF-8 still gets every line
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except TacitusError as error:
        _fail(one_line(error))
    except BrokenPipeError:  # who read the output has seen enough
        _drop_output()
        sys.exit(1)
    except OSError as error:
        _drop_output()
        _fail(f"the system refuses ({one_line(error)})")
    except MemoryError:
        _fail("not enough memory; give fewer or smaller files at once")


def _drop_output() -> None:
    """Lets what standard output still holds go, since Python would fail on it again when it ends."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str) -> NoReturn:
    sys.stderr.write(f"tacitus: {message}\n")
    sys.exit(2)


if __name__ == "__main__":
    main()
