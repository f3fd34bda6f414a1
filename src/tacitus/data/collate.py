"""Features → one padded batch of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tacitus.data.encode import IGNORE


@dataclass(frozen=True)
class Collator:
    """Pads features of :class:`tacitus.data.encode.FeatureEncoder` to the longest of the batch.

    Gives ``input_ids``, ``case_ids`` and ``attention_mask`` ``(batch, seq)``, ``unit_positions`` ``(batch, units)``
    padded with -1, and, where the features carry labels, ``event_labels`` ``(batch, n_types)``, ``tag_labels``
    ``(batch, units)`` and ``role_labels`` ``(batch, units, n_types)``, padded with ``IGNORE``.
    """

    pad_token_id: int
    n_types: int

    def __call__(self, features: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """Pads one batch."""
        n_units = max(1, max(len(f["unit_positions"]) for f in features))
        ids = _pad([f["input_ids"] for f in features], self.pad_token_id)
        batch = {
            "input_ids": ids,
            "case_ids": _pad([f["case_ids"] for f in features], 0),
            "attention_mask": _pad([[1] * len(f["input_ids"]) for f in features], 0),
            "unit_positions": _pad([f["unit_positions"] for f in features], -1, n_units),
        }
        if "event_labels" in features[0]:
            batch["event_labels"] = torch.tensor([f["event_labels"] for f in features], dtype=torch.long)
            batch["tag_labels"] = _pad([f["tag_labels"] for f in features], IGNORE, n_units)
            batch["role_labels"] = self._roles(features, n_units)
        return batch

    def _roles(self, features: Sequence[dict[str, Any]], n_units: int) -> torch.Tensor:
        labels = torch.full((len(features), n_units, self.n_types), IGNORE, dtype=torch.long)
        for row, feature in enumerate(features):
            if len(feature["role_labels"]):
                unit, kind, role = torch.tensor(feature["role_labels"], dtype=torch.long).T
                labels[row, unit, kind] = role
        return labels


def _pad(rows: Sequence[Sequence[int]], value: int, length: int | None = None) -> torch.Tensor:
    length = length or max(1, max(len(row) for row in rows))
    return torch.tensor([[*row, *[value] * (length - len(row))] for row in rows], dtype=torch.long)
