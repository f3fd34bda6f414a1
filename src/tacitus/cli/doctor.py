"""``tacitus doctor``: what is installed, what this machine can do, and what will be used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tacitus.doctor import Diagnosis


def doctor(
    model: Annotated[
        Path | None, typer.Option("--model", "-m", help="Checkpoint folder.", show_default="the shipped checkpoint")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as one JSON object.")] = False,
) -> None:
    """Say what is installed, which runtime a checkpoint will be read with, and why; exit code 1 where none can."""
    from tacitus.doctor import diagnose
    from tacitus.resources import default_checkpoint_path

    found = diagnose(model or default_checkpoint_path())
    typer.echo(json.dumps(found.to_json(), indent=2, ensure_ascii=False) if as_json else "\n".join(_lines(found)))
    if found.problem:
        raise typer.Exit(1)


def _lines(found: Diagnosis) -> Iterator[str]:
    machine = found.machine
    yield from _part("versions", {name: version for name, version in found.versions.items()})
    yield from _part("extras", {name: "installed" if here else "not installed" for name, here in found.extras.items()})
    shown = {
        "system": machine["system"],
        "processor": f"{machine['processor']}, {machine['cores']} cores",
        "int8": "native" if machine["native_int8"] else "not native",
        "bfloat16": "native" if machine["native_bfloat16"] else "not native",
        "GPU": machine["gpu"] or "none that PyTorch can use",
    }
    yield from _part("machine", shown)
    yield from _part("checkpoint", dict(_checkpoint(found)))
    if found.runtimes:
        yield from _part("runtimes", {kind: _runtime(state) for kind, state in found.runtimes.items()})
    if found.problem:
        yield f"\nproblem: {found.problem}"
    else:
        yield f"\nauto takes {found.auto['runtime']}: {found.auto['why']}"


def _part(title: str, rows: dict[str, str]) -> Iterator[str]:
    yield f"\n{title}" if title != "versions" else title
    width = max(map(len, rows))
    yield from (f"  {name:{width}}  {value}" for name, value in rows.items())


def _checkpoint(found: Diagnosis) -> Iterator[tuple[str, str]]:
    yield "folder", found.checkpoint["folder"]
    if ontology := found.checkpoint.get("ontology"):
        yield "weights", f"SHA-256 {(found.checkpoint['weights_sha256'] or 'unknown')[:12]}"
        yield "ontology", f"{ontology['name']}, version {ontology['version']}: {ontology['event_types']} event types"
        yield (
            "spans",
            f"{', '.join(ontology['span_labels']) or 'none'}; roles: {', '.join(ontology['roles']) or 'none'}",
        )


def _runtime(state: dict[str, object]) -> str:
    if not state["runs"]:
        return f"cannot run: {state['why_not']}"
    kept = {None: "", True: ", keeps the network's quality", False: ", loses quality: taken only when asked for"}
    return "can run" + kept[state["quality_kept"]]  # type: ignore[index]
