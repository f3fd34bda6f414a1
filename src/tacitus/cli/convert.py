"""``tacitus convert`` and ``tacitus ontology``: annotations of other tools in and out, and their labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tacitus.errors import InputError


def convert(
    source: Annotated[Path, typer.Argument(help="File or folder to read.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File, or for BRAT a new folder, to write.")],
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", help="tacitus, conll, brat, docbin, doccano, prodigy, cas or csv.", show_default="by ending"
        ),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", help="tacitus, conll, brat or docbin.", show_default="by ending")
    ] = None,
    names: Annotated[
        list[str] | None,
        typer.Option("--map", help="OLD=NEW: rename a span label, event type or role; OLD= leaves it out."),
    ] = None,
    ontology: Annotated[
        str | None,
        typer.Option(help="Ontology file, or acled, cameo-quad, plover or re3d, to check the labels against."),
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Keep each text as one record; do not split it.")] = False,
    text_column: Annotated[str, typer.Option(help="Of a CSV table.")] = "text",
    label_column: Annotated[str, typer.Option(help="Of a CSV table.")] = "label",
    id_column: Annotated[str, typer.Option(help="Of a CSV table, where it has one.")] = "id",
) -> None:
    """Convert annotations between formats; what a format has no place for is counted and said."""
    from tacitus.convert.formats import READ, WRITTEN, Source, format_of
    from tacitus.convert.formats import convert as run
    from tacitus.convert.labels import parse_map
    from tacitus.data.documents import Columns
    from tacitus.ontology import load_ontology

    if output.resolve() == source.resolve():
        raise InputError(f"{output}: is the input too; choose another output")
    formats = format_of(source, from_, READ, "--from"), format_of(output, to, WRITTEN, "--to")
    columns = Columns(text=text_column, id=id_column)
    sentences, losses = run(
        Source(source, columns, label_column, whole),
        output,
        formats,
        parse_map(names or ()),
        load_ontology(ontology) if ontology else None,
    )
    typer.echo(f"{len(sentences)} sentences written to {output}", err=True)
    if losses.line():
        typer.echo(f"not kept: {losses.line()}", err=True)


def ontology(
    source: Annotated[
        str, typer.Argument(help="Annotated sentences (JSONL), or acled, cameo-quad, plover or re3d to copy.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Ontology file (YAML).", show_default="standard output")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the ontology.", show_default="the file's name")] = None,
    exclusive: Annotated[bool, typer.Option("--exclusive", help="A sentence has at most one event type.")] = False,
) -> None:
    """Write an ontology file with the labels that annotated sentences carry, or a copy of a shipped one."""
    from tacitus.files import atomic_text
    from tacitus.resources import ontology_paths

    shipped = ontology_paths().get(source)
    text = shipped.read_text(encoding="utf-8") if shipped else _collected(Path(source), name, exclusive)
    if output is None:
        typer.echo(text, nl=False)
        return
    if not shipped and output.resolve() == Path(source).resolve():
        raise InputError(f"{output}: is the input too; choose another output")
    with atomic_text(output) as stream:
        stream.write(text)
    typer.echo(f"written to {output}; put a definition to each label", err=True)


def _collected(source: Path, name: str | None, exclusive: bool) -> str:
    from tacitus.data.jsonl import read_sentences
    from tacitus.data.labelled import ontology_of
    from tacitus.ontology import dump_ontology

    return dump_ontology(ontology_of(read_sentences(source), name or source.stem, exclusive))
