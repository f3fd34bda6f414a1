"""An evaluation as a folder: report.html (self-contained), metrics.json and every scored sentence as JSONL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tacitus.evaluation.calibration import event_score_pairs, marked_event_pairs, reliability, risk_coverage
from tacitus.evaluation.errors import scored_sentence, type_confusion
from tacitus.evaluation.slices import slices
from tacitus.files import atomic_text, write_json
from tacitus.metrics import count
from tacitus.ontology import Ontology
from tacitus.page import render_page
from tacitus.records import AnnotatedSentence

Pairs = Sequence[tuple[AnnotatedSentence, AnnotatedSentence]]


def write_report(folder: str | Path, result: dict[str, Any], pairs: Pairs, ontology: Ontology) -> None:
    """Writes ``report.html``, ``metrics.json`` and ``sentences.jsonl``.

    Args:
        folder: made where it is missing.
        result: of :func:`tacitus.evaluation.evaluate.evaluate_pairs`.
        pairs: gold and prediction of each sentence.
        ontology: of both.
    """
    folder = Path(folder)
    scored = [scored_sentence(gold, predicted) for gold, predicted in pairs]
    data = _page_data(result, pairs, ontology) | {"sentences": scored}
    with atomic_text(folder / "report.html") as stream:
        stream.write(render_page("tacitus.evaluation", "report.html", data))
    with atomic_text(folder / "sentences.jsonl") as stream:
        stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in scored)
    write_json(folder / "metrics.json", result | {"slices": data["slices"], "confusion": data["confusion"]})


def _page_data(result: dict[str, Any], pairs: Pairs, ontology: Ontology) -> dict[str, Any]:
    every = event_score_pairs(pairs, ontology)
    marked, correct = marked_event_pairs(pairs)
    return {
        "result": result,
        "slices": slices([gold for gold, _ in pairs], count(pairs, ontology)),
        "confusion": type_confusion(pairs, ontology),
        "reliability": reliability(every[0].ravel(), every[1].ravel()) if every else None,
        "risk": risk_coverage(marked, correct) if marked.size else None,
    }
