"""A plain-text markup for writing and reading annotated reports by eye.

    ## country: South Sudan | date: 2016-07-10 | voice: wire-lead
    [a1 Rebels] shelled [l2 Juba] on Sunday.
    = shelling-artillery-missile i1 p2

A ``##`` line begins a report and holds its meta data. A sentence is one line, spans are ``[<label letter><number>
text]`` numbered from
1 through the sentence; the next line, ``=``, lists events as ``type`` and ``<role letter><number>``, separated by
``;``, or ``none``.
Letters are the first of the span label (``ACTOR`` → ``a``) and of the role (``initiator`` → ``i``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tacitus.errors import InputError, OntologyError, RecordError
from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence, Event, Span, check_labels

_SPAN = re.compile(r"\[([a-z])(\d{1,4}) ([^\[\]]+)\]")
_ROLE = re.compile(r"([a-z])(\d{1,4})")


def read_markup(path: str | Path, ontology: Ontology, prefix: str) -> Iterator[AnnotatedSentence]:
    """Annotated sentences of a markup file; document ids are ``prefix`` and the report's number in the file.

    Raises:
        InputError: the file cannot be read.
        RecordError: a line that breaks the markup, named ``file:line``.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot read ({error})") from None
    report, index = 0, 0
    meta: dict[str, str] = {}
    pending: tuple[int, str] | None = None
    for number, line in enumerate(map(str.strip, lines), 1):
        try:
            if not line:
                continue
            if line.startswith("##") or not line.startswith("="):
                if pending:
                    raise RecordError(f"the sentence on line {pending[0]} has no '=' line")
                if line.startswith("##"):
                    report, index, meta = report + 1, 0, _meta(line)
                else:
                    pending = (number, line)
                continue
            if not pending or not report:
                raise RecordError("an '=' line without a sentence of a report before it")
            doc_id = f"{prefix}{report:03d}"
            yield parse_sentence(pending[1], line, ontology, doc_id, index, meta)
            pending, index = None, index + 1
        except RecordError as error:
            raise RecordError(f"{path}:{number}: {error}") from None
    if pending:
        raise RecordError(f"{path}:{pending[0]}: the sentence has no '=' line")


def _meta(line: str) -> dict[str, str]:
    parts = (part.partition(":") for part in line.removeprefix("##").split("|"))
    return {key.strip(): value.strip() for key, _, value in parts if value.strip()}


def parse_sentence(
    marked: str, events: str, ontology: Ontology, doc_id: str, index: int, meta: dict[str, str] | None = None
) -> AnnotatedSentence:
    """One sentence from its two lines.

    Raises:
        RecordError: spans out of number, an unknown letter, type or span number.
    """
    labels = _initials(ontology.span_label_ids)
    text, last = "", 0
    spans: list[Span] = []
    for match in _SPAN.finditer(marked):
        text += marked[last : match.start()]
        if int(match[2]) != len(spans) + 1 or match[1] not in labels:
            raise RecordError(
                f"span {match[0]!r}: number {len(spans) + 1} and one of the letters {', '.join(labels)} are due"
            )
        spans.append(Span(len(text), len(text) + len(match[3]), labels[match[1]]))
        text += match[3]
        last = match.end()
    text += marked[last:]
    if "[" in text or "]" in text:
        raise RecordError("a square bracket outside a span mark; write marks as [a1 text], and other brackets round")
    sentence = AnnotatedSentence(
        id=f"{doc_id}-s{index:02d}",
        text=text,
        spans=tuple(spans),
        events=tuple(_events(events.removeprefix("=").strip(), len(spans), ontology)),
        doc_id=doc_id,
        sentence_index=index,
        meta=meta or None,
    )
    check_labels(sentence, ontology)
    return sentence


def _events(line: str, n_spans: int, ontology: Ontology) -> Iterator[Event]:
    if line == "none":
        return
    letters = {letter: _key(role, ontology) for letter, role in _initials([role.id for role in ontology.roles]).items()}
    for part in line.split(";"):
        if not part.strip():
            raise RecordError("an empty event; write 'none' where there is none")
        kind, *marks = part.split()
        roles: dict[str, list[int]] = {key: [] for key in ontology.role_keys}
        for mark in marks:
            match = _ROLE.fullmatch(mark)
            if not match or match[1] not in letters or not 1 <= int(match[2]) <= n_spans:
                raise RecordError(
                    f"role {mark!r}: a letter of {', '.join(letters)} and a span number up to {n_spans} are due"
                )
            roles[letters[match[1]]].append(int(match[2]) - 1)
        yield Event(kind, {key: tuple(sorted(ids)) for key, ids in roles.items()})


def _initials(names: list[str]) -> dict[str, str]:
    """First letter of each name → the name.

    Raises:
        OntologyError: two names with one initial, which the markup cannot tell apart.
    """
    initials = {name[0].lower(): name for name in names}
    if len(initials) < len(names):
        raise OntologyError(f"the markup needs names with different initials, not {', '.join(names)}; use JSONL")
    return initials


def _key(role: str, ontology: Ontology) -> str:
    return next(r.key for r in ontology.roles if r.id == role)


def format_sentence(sentence: AnnotatedSentence, ontology: Ontology) -> str:
    """The two lines of a sentence; line breaks in its text become spaces.

    Raises:
        RecordError: what the markup cannot hold: square brackets, or a layer that nobody annotated.
    """
    if sentence.spans is None or sentence.events is None or set("[]") & set(sentence.text):
        raise RecordError(
            f"sentence {sentence.id!r} has square brackets or an unknown layer, which the markup cannot hold"
        )
    _initials(ontology.span_label_ids)
    marked, last = "", 0
    for number, span in enumerate(sentence.spans or (), 1):
        marked += (
            sentence.text[last : span.start]
            + f"[{span.label[0].lower()}{number} {sentence.text[span.start : span.end]}]"
        )
        last = span.end
    marked = " ".join((marked + sentence.text[last:]).splitlines())
    return f"{marked}\n= {'; '.join(_format_event(e, ontology) for e in sentence.events or ()) or 'none'}"


def _format_event(event: Event, ontology: Ontology) -> str:
    marks = [f"{role.id[0]}{index + 1}" for role in ontology.roles for index in event.roles.get(role.key, ())]
    return " ".join([event.type, *marks])


def format_reports(sentences: Iterable[AnnotatedSentence], ontology: Ontology) -> Iterator[str]:
    """Lines of a markup file, one report for each run of sentences of one document."""
    document = None
    for sentence in sentences:
        if sentence.document != document:
            document = sentence.document
            meta = {"id": document} | {k: str(v) for k, v in (sentence.meta or {}).items()}
            yield "\n## " + " | ".join(f"{key}: {value}" for key, value in meta.items())
        yield format_sentence(sentence, ontology)
