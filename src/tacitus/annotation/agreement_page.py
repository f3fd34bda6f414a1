"""The agreement of annotators as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 1000px; color: #1c1c1c; }
h2 { font-size: 1.1rem; border-bottom: 1px solid #ddd; margin-top: 2rem; } .scroll { overflow-x: auto; }
table { border-collapse: collapse; } th, td { padding: .2rem .8rem .2rem 0; text-align: right; } th { color: #666; }
th:first-child, td:first-child { text-align: left; } mark { background: #ffe3cc; border-radius: 3px; }
mark.LOCATION { background: #d3e8ff; } article { border-top: 1px solid #ddd; padding: .6rem 0; }
.who { color: #666; font-size: .85rem; } .tag { border: 1px solid #ddd; border-radius: 3px; padding: 0 .35rem; }
"""
_HEAD = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)


def agreement_page(result: Mapping[str, Any]) -> str:
    """The page of a result of :func:`tacitus.annotation.panel.panel_agreement`."""
    return "".join(_parts(result))


def _parts(result: Mapping[str, Any]) -> Iterator[str]:
    yield f"{_HEAD}<title>tacitus agreement</title><style>{_STYLE}</style><h1>Agreement</h1>"
    who = ", ".join(f"{name} ({n})" for name, n in result["annotators"].items())
    yield f"<p>{result['sentences']} sentences by two annotators or more. {escape(who)}</p>"
    for title, header, rows in agreement_tables(result):
        yield f"<h2>{escape(title)}</h2>" + _table(header, rows)
    yield f"<h2>The {len(result['hardest'])} hardest sentences</h2>"
    for row in result["hardest"]:
        yield f"<article><b>{escape(row['id'])}</b>, {row['differences']} differences"
        yield from (f'<div class="who">{escape(who)}</div>{_sentence(raw)}' for who, raw in row["versions"].items())
        yield "</article>"


def agreement_tables(result: Mapping[str, Any]) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """Title, header and rows of every table, as text; for the page and for the terminal."""
    overall = [[name, *map(_figure, row.values())] for name, row in result["overall"].items()]
    yield "Overall", ["layer", "Fleiss' kappa", "Krippendorff's alpha"], overall
    types = sorted(result["types"].items(), key=lambda item: item[1]["alpha"] or 0.0)
    rows = [[name, str(t["marked"]), _figure(t["fleiss_kappa"]), _figure(t["alpha"])] for name, t in types]
    yield "Event types, hardest first", ["type", "marks", "Fleiss' kappa", "Krippendorff's alpha"], rows
    header = ["pair", "sentences", "Cohen's kappa", "span F1", "overlapping", "role F1"]
    yield "Pairs", header, [_pair(name, pair) for name, pair in (result["pairs"] | result["model"]).items()]


def _pair(name: str, pair: Mapping[str, Any]) -> list[str]:
    figures = (pair["type_kappa_pooled"], pair["span_strict"], pair["span_overlap"], pair["role_strict_f1"]["all"])
    return [name, str(pair["sentences"]), *map(_figure, figures)]


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'


def _sentence(raw: Mapping[str, Any]) -> str:
    """A sentence with its spans marked and its events behind."""
    text, spans, out, last = raw["text"], raw["spans"], "", 0
    for span in spans:
        label = escape(span["label"])
        out += escape(text[last : span["start"]])
        out += f'<mark class="{label}" title="{label}">{escape(text[span["start"] : span["end"]])}</mark>'
        last = span["end"]
    return f"<div>{out}{escape(text[last:])} {' '.join(_event(e, text, spans) for e in raw['events'])}</div>"


def _event(event: Mapping[str, Any], text: str, spans: Sequence[Mapping[str, Any]]) -> str:
    named = {
        key: ", ".join(text[spans[i]["start"] : spans[i]["end"]] for i in indices)
        for key, indices in event.items()
        if isinstance(indices, list) and indices
    }
    roles = "; ".join(f"{key}: {names}" for key, names in named.items())
    return f'<span class="tag">{escape(event["type"] + (f" — {roles}" if roles else ""))}</span>'
