"""R-Drop: two passes with different dropout shall agree (Liang et al. 2021)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from tacitus.data.encode import IGNORE
from tacitus.model.modeling import EventModelOutput


def doubled(inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A batch twice, so that one forward pass draws two dropout masks for each sentence."""
    return {name: torch.cat([tensor, tensor]) for name, tensor in inputs.items()}


def disagreement(output: EventModelOutput, inputs: Mapping[str, Tensor], exclusive: bool) -> Tensor:
    """Symmetric Kullback–Leibler divergence between the two halves of a doubled batch.

    Args:
        output: scores of the doubled batch, shapes as :class:`EventModelOutput`.
        inputs: the doubled batch.
        exclusive: whether the event scores are one softmax with a none class instead of a sigmoid each.

    Returns:
        The sum over heads; events count a sentence, tags a unit, roles a labelled (unit, type).
    """
    total = torch.zeros((), device=inputs["input_ids"].device)
    if output.event_logits is not None:
        logits = output.event_logits.float()
        logits = functional.pad(logits, (1, 0)) if exclusive else functional.pad(logits.unsqueeze(-1), (1, 0))
        total = total + _divergence(logits).sum() / (len(logits) // 2)
    if output.tag_logits is not None:
        total = total + _masked_mean(_divergence(output.tag_logits.float()), inputs["unit_positions"] >= 0)
    if output.role_logits is not None:
        total = total + _masked_mean(_divergence(output.role_logits.float()), inputs["role_labels"] != IGNORE)
    return total


def _divergence(logits: Tensor) -> Tensor:
    """``(2 n, …, classes)`` → ``(n, …)``; both directions averaged, where the normalisers cancel."""
    first, second = logits.chunk(2)
    return ((first.softmax(-1) - second.softmax(-1)) * (first - second)).sum(-1) / 2


def _masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    mask = mask[: len(values)]
    return (values * mask).sum() / mask.sum().clamp(min=1)
