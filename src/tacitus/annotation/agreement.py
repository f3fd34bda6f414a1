"""Agreement of two annotators on the same sentences, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacitus.errors import InputError
from tacitus.metrics import count, pair_by_id, prf
from tacitus.ontology import Ontology
from tacitus.records import AnnotatedSentence


def agreement(
    first: Sequence[AnnotatedSentence], second: Sequence[AnnotatedSentence], ontology: Ontology
) -> dict[str, Any]:
    """Agreement of two annotations of the same sentences.

    Types: Cohen's kappa (1960) of marking each type, of marking any, and of all (sentence, type) decisions pooled.
    Spans and roles: F1 of one annotator against the other; it is symmetric, and stands for kappa where the units are
    not given beforehand (Hripcsak & Rothschild 2005).

    Raises:
        InputError: the two do not hold the same sentences, or none with all layers.
    """
    pairs = [
        (a, b)
        for a, b in pair_by_id(first, second)
        if None not in (a.events, b.events) and None not in (a.spans, b.spans)
    ]
    if not pairs:
        raise InputError("no sentence has all layers in both files; give two full annotations of the same sentences")
    table = count(pairs, ontology)
    marks = [
        np.array([[t in pair[side].event_types() for t in ontology.event_types] for pair in pairs]) for side in (0, 1)
    ]
    types = {
        name: {
            "kappa": _kappa(marks[0][:, i], marks[1][:, i]),
            "first": int(marks[0][:, i].sum()),
            "second": int(marks[1][:, i].sum()),
            "both": int((marks[0][:, i] & marks[1][:, i]).sum()),
        }
        for i, name in enumerate(ontology.event_types)
        if (marks[0][:, i] | marks[1][:, i]).any()
    }
    return {
        "sentences": len(pairs),
        "any_event_kappa": _kappa(np.asarray(marks[0].any(1)), np.asarray(marks[1].any(1))),
        "type_kappa_pooled": _kappa(marks[0].ravel(), marks[1].ravel()),
        "type_f1": table.micro("event").f1,
        "same_types": prf(table.total("exact/events")).recall,
        "span_strict": table.micro("span/strict").f1,
        "span_overlap": table.micro("span/overlap").f1,
        "span_strict_f1": {name: s.f1 for name, s in table.scores("span/strict").items()},
        "span_overlap_f1": {name: s.f1 for name, s in table.scores("span/overlap").items()},
        "role_strict_f1": {name: s.f1 for name, s in table.scores("role/strict").items()}
        | {"all": table.micro("role/strict").f1},
        "types": types,
    }


def _kappa(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float | None:
    """Cohen's kappa; ``None`` where it is undefined, since both gave one and the same mark throughout."""
    from sklearn.metrics import cohen_kappa_score

    if len({*first.tolist(), *second.tolist()}) < 2:
        return None
    return float(cohen_kappa_score(first, second))
