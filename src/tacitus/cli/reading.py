"""Reading annotated sentences for a command, with ``--skip-invalid`` where it is offered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from tacitus.data.jsonl import read_sentences
from tacitus.files import atomic_text
from tacitus.records import AnnotatedSentence


def read_with_rejects(path: Path, output: Path, skip_invalid: bool) -> list[AnnotatedSentence]:
    """All sentences; with ``skip_invalid`` bad lines go to ``OUTPUT.rejected.jsonl`` with reasons, and are counted.

    Raises:
        RecordError: a bad line, without ``skip_invalid``.
    """
    if not skip_invalid:
        return read_sentences(path)
    rejected: list[dict[str, Any]] = []
    sentences = read_sentences(path, rejected=rejected)
    if rejected:
        beside = output.with_name(output.name + ".rejected.jsonl")
        with atomic_text(beside) as stream:
            stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rejected)
        typer.echo(
            f"{len(rejected)} of {len(rejected) + len(sentences)} lines rejected, with reasons in {beside}", err=True
        )
    return sentences
