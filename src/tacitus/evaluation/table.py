"""An evaluation as tables for people."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

_LAYERS = {
    "event": "event types",
    "group": "event groups",
    "span/strict": "spans, strict",
    "role/strict": "roles, strict",
}


def print_evaluation(result: dict[str, Any], console: Console | None = None) -> None:
    """Prints the headline figures with their intervals, then each layer by label."""
    console = console or Console()
    console.print(f"{result['sentences']} sentences in {result['documents']} documents")
    console.print(_headline(result))
    for layer, title in _LAYERS.items():
        if layer in result:
            console.print(_layer(result[layer], title))
    if result.get("calibration"):
        console.print(
            "calibration: " + ", ".join(f"{name} {value:.4f}" for name, value in result["calibration"].items())
        )


def _headline(result: dict[str, Any]) -> Table:
    table = Table(show_edge=False, pad_edge=False, header_style="dim")
    for column in ("figure", "value", "95 % interval"):
        table.add_column(column, justify="left" if column == "figure" else "right", no_wrap=True)
    for name, value in result["headline"].items():
        interval = result["intervals"].get(name)
        table.add_row(name, f"{value:.3f}", f"{interval[0]:.3f} – {interval[1]:.3f}" if interval else "")
    return table


def _layer(scores: dict[str, Any], title: str) -> Table:
    table = Table(show_edge=False, pad_edge=False, header_style="dim", title=title, title_justify="left")
    for column in (title, "precision", "recall", "F1", "gold"):
        table.add_column(
            "" if column == title else column, justify="left" if column == title else "right", no_wrap=True
        )
    for name, s in scores.items():
        if isinstance(s, dict) and s["tp"] + s["fp"] + s["fn"]:
            table.add_row(name, f"{s['precision']:.3f}", f"{s['recall']:.3f}", f"{s['f1']:.3f}", str(s["tp"] + s["fn"]))
    return table
