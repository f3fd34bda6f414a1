"""``tacitus annotate``: configuration, push and pull of a Label Studio project."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tacitus.cli.annotations import OntologyOption
from tacitus.errors import InputError

if TYPE_CHECKING:
    from tacitus.annotation.client import Server
    from tacitus.annotation.pull import Pulled
    from tacitus.annotation.resolve import Resolved
    from tacitus.ontology import Ontology

app = typer.Typer(help="Annotate in Label Studio: configure, push, pull, judge.", no_args_is_help=True)
UrlOption = Annotated[str, typer.Option("--url", envvar="LABEL_STUDIO_URL", help="Address of the server.")]
ProjectOption = Annotated[str, typer.Option("--project", "-p", help="Number or title of the project.")]
TokenOption = Annotated[
    Path | None,
    typer.Option("--token-file", help="File with the access token.", show_default="LABEL_STUDIO_API_KEY"),
]
ModelOption = Annotated[
    Path | None, typer.Option("--model", "-m", help="Checkpoint folder.", show_default="the shipped checkpoint")
]
DEFAULT_URL = "http://localhost:8080"


class Select(StrEnum):
    """Names of the selection strategies (see :mod:`tacitus.annotation.select`)."""

    mixed = "mixed"
    uncertainty = "uncertainty"
    rarity = "rarity"
    diversity = "diversity"
    random = "random"
    order = "order"


def _connect(url: str, token_file: Path | None) -> Server:
    from tacitus.annotation.client import Server, read_token

    return Server(url, read_token(token_file))


@app.command()
def config(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="XML file.", show_default="print it")] = None,
    ontology: OntologyOption = None,
) -> None:
    """Write the labeling configuration of an ontology."""
    from tacitus.annotation.labeling_config import labeling_config
    from tacitus.files import atomic_text
    from tacitus.ontology import load_ontology

    text = labeling_config(load_ontology(ontology))
    if output is None:
        typer.echo(text, nl=False)
        return
    with atomic_text(output) as stream:
        stream.write(text)


@app.command()
def push(
    inputs: Annotated[list[str], typer.Argument(help="Reports, or sentences (JSONL) whose marks are ignored.")],
    project: ProjectOption,
    url: UrlOption = DEFAULT_URL,
    token_file: TokenOption = None,
    ontology: OntologyOption = None,
    model: ModelOption = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    select: Annotated[Select, typer.Option(help="What comes first; 'order' keeps the input's order.")] = Select.mixed,
    limit: Annotated[int | None, typer.Option(min=1, help="Push only the first N after selection.")] = None,
    labelled: Annotated[
        Path | None, typer.Option(help="Sentences annotated already (JSONL): not pushed, and kept away from.")
    ] = None,
    annotators: Annotated[int | None, typer.Option(min=1, help="Annotations that each task is to get.")] = None,
    predictions: Annotated[bool, typer.Option(help="Pre-annotate by the checkpoint.")] = True,
    seed: Annotated[int, typer.Option(help="Of the random strategy.")] = 1,
) -> None:
    """Make or update a project's tasks, what teaches most first; the same push again changes nothing."""
    from tacitus.annotation.client import read_token
    from tacitus.annotation.pool import check_same_labels, model_version, read_pool
    from tacitus.annotation.push import plan_push
    from tacitus.annotation.push import push as carry_out
    from tacitus.annotation.select import choose
    from tacitus.data.jsonl import read_sentences
    from tacitus.extractor import Extractor
    from tacitus.ontology import load_ontology
    from tacitus.progress import stepping

    read_token(token_file)  # a mistake there is told before anything heavy begins
    used = load_ontology(ontology)
    pool = read_pool(inputs, used)
    if pool.skipped:
        typer.echo(f"left out, since of no readable kind: {', '.join(map(str, pool.skipped))}"[:200], err=True)
    done = read_sentences(labelled, used) if labelled else []
    server = _connect(url, token_file)
    extractor = Extractor.load(model, device) if predictions or select not in (Select.order, Select.random) else None
    if extractor:
        check_same_labels(extractor, used)
    target = server.prepare(project, used, annotators)
    known = {s.text for s in done}
    fresh = [s for s in pool.sentences if s.text not in known]
    chosen = choose(fresh, done, extractor, select.value, limit or len(fresh), seed)
    predicted = extractor.predict(chosen, event_scores=True) if extractor and predictions else None
    version = model_version(extractor) if extractor else ""
    plan = plan_push(target, chosen, predicted, used, version, pool.documents)
    with stepping(len(plan), "pushed") as advance:
        carry_out(target, plan, advance)
    typer.echo(
        f"{len(plan.create)} tasks made, {len(plan.update)} updated, {len(plan.predict)} pre-annotated anew, "
        f"{plan.unchanged} unchanged; {target.url}",
        err=True,
    )


@app.command()
def pull(
    project: ProjectOption,
    output: Annotated[Path, typer.Option("--output", "-o", help="Annotated sentences (JSONL).")],
    url: UrlOption = DEFAULT_URL,
    token_file: TokenOption = None,
    ontology: OntologyOption = None,
    resolve: Annotated[
        str, typer.Option(help="Several annotators: majority, reviewer:EMAIL, or file:PATH to settle by hand.")
    ] = "majority",
    each: Annotated[
        Path | None, typer.Option(help="Folder for a file per annotator, for 'annotate agreement'.")
    ] = None,
    skip_invalid: Annotated[
        bool, typer.Option("--skip-invalid", help="Go on past broken annotations, into OUTPUT.rejected.jsonl.")
    ] = False,
) -> None:
    """Fetch finished annotations as annotated sentences; only what changed since the last pull into OUTPUT."""
    from tacitus.annotation.pull import pull as fetch
    from tacitus.annotation.pull import read_state, write_state
    from tacitus.data.jsonl import write_sentences
    from tacitus.files import file_name
    from tacitus.ontology import load_ontology
    from tacitus.progress import counting

    used = load_ontology(ontology)
    policy, _, argument = resolve.partition(":")
    if (policy, bool(argument)) not in {("majority", False), ("reviewer", True), ("file", True)}:
        raise InputError(f"--resolve {resolve!r}: give majority, reviewer:EMAIL or file:PATH")
    source = _connect(url, token_file).project(project)
    kept = output.with_name(output.name + ".state.json")
    state = fetch(source, used, read_state(kept, source, used), lambda tasks: counting(tasks, "tasks"))
    _report_rejected(state, output, skip_invalid)
    resolved = _resolve(state, policy, argument, used)
    write_sentences(output, resolved.sentences)
    if each:
        for annotator, sentences in state.by_annotator().items():
            write_sentences(each / f"{file_name(annotator)}.jsonl", sentences)
    _report_open(resolved, policy, argument, output, state)
    write_state(kept, state)  # last: a pull that was cut off is done again
    typer.echo(
        f"{state.fetched} tasks fetched; {len(resolved.sentences)} sentences written to {output}, "
        f"{len(resolved.open)} in disagreement, {sum(state.skipped.values())} skipped by annotators",
        err=True,
    )


def _resolve(state: Pulled, policy: str, argument: str, ontology: Ontology) -> Resolved:
    from tacitus.annotation.resolve import resolve_file, resolve_majority, resolve_reviewer

    if policy == "reviewer":
        return resolve_reviewer(state.by_sentence(), argument)
    if policy == "file":
        return resolve_file(state.by_sentence(), Path(argument), ontology)
    return resolve_majority(state.by_sentence(), ontology)


def _report_rejected(state: Pulled, output: Path, skip_invalid: bool) -> None:
    from tacitus.errors import RecordError
    from tacitus.files import atomic_text

    rows: list[dict[str, Any]] = state.all_rejected()
    if not rows:
        return
    if not skip_invalid:
        more = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
        raise RecordError(
            f"{state.project}: task {rows[0]['task']}, {rows[0]['annotator']}: {rows[0]['reason']}{more}; "
            "mend it on the page, or go on with --skip-invalid"
        )
    beside = output.with_name(output.name + ".rejected.jsonl")
    with atomic_text(beside) as stream:
        stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    typer.echo(f"{len(rows)} annotations rejected, with reasons in {beside}", err=True)


def _report_open(resolved: Resolved, policy: str, argument: str, output: Path, state: Pulled) -> None:
    """Writes what is not settled: into the file that settles it, else beside the output."""
    from tacitus.annotation.resolve import decided_rows, write_disagreements

    by_hand = policy == "file"
    path = Path(argument) if by_hand else output.with_name(output.name + ".disagreements.jsonl")
    decided = decided_rows(path, state.by_sentence()) if by_hand and path.exists() else []
    if resolved.open or by_hand:
        write_disagreements(path, resolved.open, decided)
        typer.echo(f"{len(resolved.open)} sentences to settle in {path}", err=True)
    else:
        path.unlink(missing_ok=True)
