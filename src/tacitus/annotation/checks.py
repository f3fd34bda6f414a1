"""What a program can see of an annotated corpus: boundary rules, counts, near-duplicates, copied runs of words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence

LEADING = frozenset(
    {"a", "an", "the", "some", "any", "several", "many", "most", "few", "all", "both", "each", "every", "another"}
    | {"other", "others", "his", "her", "its", "their", "our", "my", "your", "this", "that", "these", "those"}
    | {"dozens", "scores", "hundreds", "thousands"}
)
PRONOUNS = frozenset(
    {"he", "she", "it", "they", "we", "i", "you", "him", "her", "them", "us", "who", "whom", "himself", "herself"}
    | {"itself", "themselves", "someone", "everyone", "nobody"}
)
_TRAILING = re.compile(r"(?:['’]s|[\s,;:.!?\"“”]|--)$")
_NAME_END = re.compile(r"(?:\b[A-Z]|\b(?:Jr|Sr|Inc|Co|Corp|Ltd|St|No|Dept|[A-Z][a-z]{0,4}))\.$")
_NUMBER = re.compile(r"\d[\d,.]*$")


@dataclass(frozen=True, slots=True)
class Finding:
    """A place in the corpus to look at: ``error`` breaks a rule, ``warning`` may have a reason."""

    level: str
    sentence: str
    message: str


def check_boundaries(sentence: AnnotatedSentence) -> Iterator[Finding]:
    """Breaches of the codebook's boundary rule (section 3) that show in the span's text."""
    for index, span in enumerate(sentence.spans or ()):
        text = sentence.span_text(index)
        first = text.split()[0] if text.split() else ""
        if text.lower() in PRONOUNS and text != "US":
            yield Finding("error", sentence.id, f"{text!r} is a pronoun")
        if text != text.strip() or (_TRAILING.search(text) and not _name_ends(text)):
            yield Finding("error", sentence.id, f"{text!r} begins or ends in white space, punctuation or a clitic")
        if _cuts_a_word(sentence.text, span.start, span.end):
            yield Finding("error", sentence.id, f"{text!r} cuts a word")
        # Two capitalised words in a row are a name ("The Hague", "All Party Conference").
        second = text.split()[1][:1] if len(text.split()) > 1 else ""
        in_name = first[:1].isupper() and not second.islower()
        if first.lower() in LEADING and second and not in_name:
            yield Finding("error", sentence.id, f"{text!r} begins with a determiner or count word")
        if span.label == "ACTOR" and _NUMBER.match(first):
            yield Finding("warning", sentence.id, f"{text!r} begins with a number")


def _name_ends(text: str) -> bool:
    """Whether closing punctuation is part of the name: an abbreviation's point, or a nickname's quotation mark."""
    nickname = text[-1] in '"”' and text[:-1].count(text[-1]) + text.count("“") == 1
    return nickname or bool(_NAME_END.search(text))


def _cuts_a_word(text: str, start: int, end: int) -> bool:
    before = start > 0 and text[start - 1].isalnum() and text[start].isalnum()
    return before or (end < len(text) and text[end].isalnum() and text[end - 1].isalnum())


def check_roles(sentence: AnnotatedSentence) -> Iterator[Finding]:
    """A span with two roles in one event (codebook section 4: each in one role)."""
    for event in sentence.events or ():
        counts = Counter(index for indices in event.roles.values() for index in indices)
        for index, n in counts.items():
            if n > 1:
                yield Finding(
                    "error", sentence.id, f"{sentence.span_text(index)!r} has {n} roles in one {event.type!r}"
                )


def near_duplicates(
    sentences: Sequence[AnnotatedSentence], threshold: float = 0.7, masked: bool = False
) -> list[tuple[AnnotatedSentence, AnnotatedSentence, float]]:
    """Pairs of sentences whose word trigrams overlap at ``threshold`` or more (Jaccard; MinHash of Broder 1997).

    Args:
        sentences: to compare, all with all.
        threshold: in (0, 1].
        masked: put the label in the place of every span, which finds sentence patterns filled with other names.
    """
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=max(0.1, threshold - 0.15), num_perm=64)
    shingles = [_shingles(mask_spans(s) if masked else s.text) for s in sentences]
    pairs = []
    for i, own in enumerate(shingles):
        if not own:
            continue
        sketch = MinHash(num_perm=64)
        sketch.update_batch([shingle.encode() for shingle in own])
        for j in index.query(sketch):
            overlap = len(own & shingles[j]) / len(own | shingles[j])
            if overlap >= threshold:
                pairs.append((sentences[j], sentences[i], overlap))
        index.insert(i, sketch)
    return pairs


def mask_spans(sentence: AnnotatedSentence) -> str:
    """The sentence's text with each span replaced by its label."""
    out, last = "", 0
    for span in sentence.spans or ():
        out += sentence.text[last : span.start] + span.label
        last = span.end
    return out + sentence.text[last:]


def words(text: str) -> list[str]:
    """Lower-case words of a text."""
    return re.findall(r"\w+", text.lower())


def _shingles(text: str) -> set[str]:
    w = words(text)
    return {" ".join(w[i : i + 3]) for i in range(len(w) - 2)}


def copied_runs(sentences: Iterable[AnnotatedSentence], source: Iterable[str], max_words: int = 8) -> Iterator[Finding]:
    """Runs of more than ``max_words`` words that a sentence shares with a source text."""
    n = max_words + 1
    known = {tuple(w[i : i + n]) for w in map(words, source) for i in range(len(w) - n + 1)}
    for sentence in sentences:
        w = words(sentence.text)
        for i in range(len(w) - n + 1):
            if tuple(w[i : i + n]) in known:
                yield Finding(
                    "error", sentence.id, f"shares {n} words or more with a source: {' '.join(w[i : i + n])!r}"
                )
                break


def corpus_counts(parts: Mapping[str, Sequence[AnnotatedSentence]], ontology: Ontology) -> dict[str, Any]:
    """What each part holds: sentences, documents, events by type, lengths, spans, roles, voices and countries."""
    return {name: _part_counts(sentences, ontology) for name, sentences in parts.items()}


def _part_counts(sentences: Sequence[AnnotatedSentence], ontology: Ontology) -> dict[str, Any]:
    lengths = sorted(len(s.text.split()) for s in sentences) or [0]
    with_events = [s for s in sentences if s.events]
    types = Counter(e.type for s in sentences for e in s.events or ())
    first_of = {s.document: s for s in reversed(sentences)}
    meta = [s.meta or {} for s in first_of.values()]
    return {
        "sentences": len(sentences),
        "documents": len(first_of),
        "share_without_event": round(1 - len(with_events) / max(1, len(sentences)), 3),
        "share_of_event_sentences_with_several": round(
            sum(len(s.events or ()) > 1 for s in with_events) / max(1, len(with_events)), 3
        ),
        "words_p10_median_p90": [lengths[int(len(lengths) * q)] for q in (0.1, 0.5, 0.9)],
        "spans": Counter(span.label for s in sentences for span in s.spans or ()),
        "roles": Counter(key for s in sentences for _, key, _ in s.role_tuples()),
        "events": {t: types[t] for t in ontology.event_types},
        "voices": Counter(str(m["voice"]) for m in meta if "voice" in m),
        "countries": Counter(str(m["country"]) for m in meta if "country" in m),
    }


def repeated_spans(train: Sequence[AnnotatedSentence], other: Sequence[AnnotatedSentence]) -> dict[str, float]:
    """By label, the share of distinct span texts of ``other`` that train has too."""

    def texts(sentences: Sequence[AnnotatedSentence]) -> dict[str, set[str]]:
        out: dict[str, set[str]] = {}
        for s in sentences:
            for i, span in enumerate(s.spans or ()):
                out.setdefault(span.label, set()).add(s.span_text(i).lower())
        return out

    known = texts(train)
    return {label: round(len(t & known.get(label, set())) / len(t), 3) for label, t in texts(other).items()}
