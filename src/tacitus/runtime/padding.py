"""Windows → padded arrays, and the network's arrays → scores of each window."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from tacitus.data.encode import Window
from tacitus.model.viterbi import Floats
from tacitus.runtime.base import WindowScores

Ids = NDArray[np.int64]
OUTPUTS = ("event_logits", "tag_logits", "role_logits")


def pad_windows(
    windows: Sequence[Window], pad_token_id: int, n_rows: int | None = None, n_tokens: int | None = None
) -> dict[str, Ids]:
    """The network's inputs for one batch.

    Args:
        windows: at least one.
        pad_token_id: fills ``input_ids`` behind a window.
        n_rows: rows of the batch; those without a window repeat the first window. By default one per window.
        n_tokens: tokens of a row. By default as many as the longest window has.

    Returns:
        ``input_ids``, ``case_ids`` and ``attention_mask`` ``(n_rows, n_tokens)``, and ``unit_positions``
        ``(n_rows, n_units)`` padded with -1; with ``n_tokens`` given, ``n_units == n_tokens``, for few shapes.
    """
    rows = [*windows, *[windows[0]] * ((n_rows or 0) - len(windows))]
    n_units = n_tokens or max(1, max(len(w.unit_positions) for w in rows))
    n_tokens = n_tokens or max(len(w.input_ids) for w in rows)
    lengths = np.array([len(w.input_ids) for w in rows])
    inside = np.arange(n_tokens) < lengths[:, None]
    return {
        "input_ids": _fill(rows, lambda w: w.input_ids, pad_token_id, inside),
        "case_ids": _fill(rows, lambda w: w.case_ids, 0, inside),
        "attention_mask": inside.astype(np.int64),
        "unit_positions": _fill(
            rows,
            lambda w: w.unit_positions,
            -1,
            np.arange(n_units) < np.array([len(w.unit_positions) for w in rows])[:, None],
        ),
    }


def _fill(rows: Sequence[Window], of: Callable[[Window], list[int]], value: int, inside: NDArray[np.bool_]) -> Ids:
    out = np.full(inside.shape, value, dtype=np.int64)
    out[inside] = np.fromiter(chain.from_iterable(map(of, rows)), dtype=np.int64)
    return out


def cut_scores(outputs: Mapping[str, Floats | None], windows: Sequence[Window]) -> list[WindowScores]:
    """Scores of each window without the padding; ``outputs`` holds arrays ``(n_rows, …)`` under :data:`OUTPUTS`."""
    events, tags, roles = (outputs.get(name) for name in OUTPUTS)
    return [
        WindowScores(
            None if events is None else events[row],
            None if tags is None else tags[row, : len(window.unit_positions)],
            None if roles is None else roles[row, : len(window.unit_positions)],
        )
        for row, window in enumerate(windows)
    ]
