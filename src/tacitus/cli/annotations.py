"""``tacitus annotations``: check, show, compile and split annotated sentences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tacitus.errors import InputError, RecordError, require

if TYPE_CHECKING:
    from tacitus.annotation.checks import Finding
    from tacitus.ontology import Ontology
    from tacitus.records import AnnotatedSentence

app = typer.Typer(help="Check, show, compile and split annotated sentences.", no_args_is_help=True)
OntologyOption = Annotated[
    Path | None, typer.Option("--ontology", help="Ontology file.", show_default="the shipped one")
]


@app.command()
def check(
    folder: Annotated[
        Path,
        typer.Argument(help="Folder with train.jsonl, dev.jsonl, test.jsonl (and train-2.jsonl …), or one JSONL file."),
    ],
    ontology: OntologyOption = None,
    report: Annotated[bool, typer.Option("--report", help="Print the counts as JSON.")] = False,
    source: Annotated[
        Path | None, typer.Option(help="JSONL of texts that the corpus must not share long runs of words with.")
    ] = None,
    warnings: Annotated[bool, typer.Option("--warnings", help="Print warnings too.")] = False,
) -> None:
    """Check format, boundaries, roles, near-duplicates and overlap; any error exits 1."""
    require("datasketch", "annotate")
    from tacitus.annotation.checks import corpus_counts, repeated_spans
    from tacitus.ontology import load_ontology

    used = load_ontology(ontology)
    parts = _read_parts(folder, used)
    findings = _findings(parts, source)
    shown = [f for f in findings if warnings or f.level == "error"]
    for finding in shown:
        typer.echo(f"{finding.level}: {finding.sentence}: {finding.message}")
    if report:
        counts: dict[str, Any] = corpus_counts(parts, used)
        for name in parts.keys() - {"train"}:
            counts[name]["span_texts_in_train"] = repeated_spans(parts.get("train", []), parts[name])
        typer.echo(json.dumps(counts, indent=2, ensure_ascii=False))
    n_errors = sum(f.level == "error" for f in findings)
    typer.echo(
        f"{sum(map(len, parts.values()))} sentences, {n_errors} errors, {len(findings) - n_errors} warnings", err=True
    )
    if n_errors:
        raise typer.Exit(1)


def _read_parts(folder: Path, ontology: Ontology) -> dict[str, list[AnnotatedSentence]]:
    from tacitus.data.jsonl import read_sentences

    files = [folder] if folder.is_file() else sorted(folder.glob("*.jsonl"))
    parts: dict[str, list[AnnotatedSentence]] = {}
    for file in files:
        # train-2.jsonl belongs to train
        parts.setdefault(file.stem.partition("-")[0], []).extend(read_sentences(file, ontology))
    if not parts:
        raise InputError(
            f"{folder}: no JSONL file here; give the folder that holds train.jsonl, dev.jsonl and test.jsonl"
        )
    ids = [s.id for part in parts.values() for s in part]
    if len(set(ids)) != len(ids):
        raise RecordError(f"{folder}: a sentence id stands in two parts; ids are unique over all parts")
    return parts


def _findings(parts: dict[str, list[AnnotatedSentence]], source: Path | None) -> list[Finding]:
    from tacitus.annotation.checks import Finding, check_boundaries, check_roles, copied_runs, near_duplicates

    every = [s for part in parts.values() for s in part]
    part_of = {s.id: name for name, part in parts.items() for s in part}
    findings = [finding for s in every for check in (check_boundaries, check_roles) for finding in check(s)]
    home: dict[str, str] = {}
    for s in every:
        if home.setdefault(s.document, part_of[s.id]) != part_of[s.id]:
            findings.append(
                Finding("error", s.id, f"document {s.document!r} stands in {home[s.document]} and in {part_of[s.id]}")
            )
    for masked, what in ((False, "nearly the same text as"), (True, "the same pattern with other names as")):
        for a, b, overlap in near_duplicates(every, masked=masked):
            across = part_of[a.id] != part_of[b.id]
            findings.append(Finding("error" if across else "warning", b.id, f"{what} {a.id} (overlap {overlap:.2f})"))
    if source:
        from tacitus.data.documents import find_inputs, read_documents

        findings.extend(copied_runs(every, (d.text for d in read_documents(find_inputs([source])[0]))))
    return findings


@app.command()
def show(
    file: Annotated[Path, typer.Argument(help="Annotated sentences (JSONL).")],
    ontology: OntologyOption = None,
) -> None:
    """Print annotated sentences in the markup that they can be written in."""
    from tacitus.annotation.markup import format_reports
    from tacitus.data.jsonl import read_sentences
    from tacitus.ontology import load_ontology

    used = load_ontology(ontology)
    for lines in format_reports(read_sentences(file, used), used):
        typer.echo(lines)


@app.command("compile")
def compile_(
    files: Annotated[list[Path], typer.Argument(help="Markup files.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Annotated sentences (JSONL).")],
    ontology: OntologyOption = None,
) -> None:
    """Turn reports written in the markup into annotated sentences; document ids are the file's name and a number."""
    from tacitus.annotation.markup import read_markup
    from tacitus.data.jsonl import write_sentences
    from tacitus.ontology import load_ontology

    used = load_ontology(ontology)
    n = write_sentences(output, [s for file in files for s in read_markup(file, used, f"{file.stem}-")])
    typer.echo(f"{n} sentences written to {output}", err=True)


@app.command()
def split(
    file: Annotated[Path, typer.Argument(help="Annotated sentences (JSONL).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for train.jsonl, dev.jsonl and test.jsonl.")],
    dev: Annotated[float, typer.Option(min=0, max=1, help="Share of sentences in dev.")] = 0.1,
    test: Annotated[float, typer.Option(min=0, max=1, help="Share of sentences in test.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Of the shuffle of documents.")] = 1,
    ontology: OntologyOption = None,
) -> None:
    """Split by document into train, dev and test."""
    from tacitus.data.jsonl import read_sentences, write_sentences
    from tacitus.data.split import split_by_document
    from tacitus.ontology import load_ontology

    sentences = read_sentences(file, load_ontology(ontology))
    if any((output / f"{name}.jsonl").resolve() == file.resolve() for name in ("train", "dev", "test")):
        raise InputError(f"{output}: would overwrite {file}; choose another folder")
    parts = split_by_document(sentences, {"train": 1 - dev - test, "dev": dev, "test": test}, seed)
    for name, part in parts.items():
        write_sentences(output / f"{name}.jsonl", part)
        typer.echo(f"{name}: {len(part)} sentences", err=True)
