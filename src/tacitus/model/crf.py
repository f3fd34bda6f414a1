"""Log-likelihood of a linear-chain conditional random field (Lafferty et al. 2001), in PyTorch, for training."""

from __future__ import annotations

import torch
from torch import Tensor


def crf_log_likelihood(
    emissions: Tensor, tags: Tensor, mask: Tensor, start: Tensor, end: Tensor, transitions: Tensor
) -> Tensor:
    """Log-probability of each tag sequence.

    Args:
        emissions: ``(batch, units, n_tags)``.
        tags: ``(batch, units)``, any valid id where masked.
        mask: ``(batch, units)`` bool, a prefix of each row; the first unit must be set.
        start: score of beginning with each tag, ``(n_tags,)``.
        end: score of ending with each tag, ``(n_tags,)``.
        transitions: ``(n_tags, n_tags)``, from row to column.

    Returns:
        ``(batch,)``, at most 0.
    """
    last = mask.long().sum(1) - 1
    steps = transitions[tags[:, :-1], tags[:, 1:]] * mask[:, 1:]
    score = (emissions.gather(2, tags.unsqueeze(2)).squeeze(2) * mask).sum(1) + steps.sum(1)
    score = score + start[tags[:, 0]] + end[tags.gather(1, last.unsqueeze(1)).squeeze(1)]
    alpha = start + emissions[:, 0]
    for i in range(1, emissions.shape[1]):
        update = torch.logsumexp(alpha.unsqueeze(2) + transitions, dim=1) + emissions[:, i]
        alpha = torch.where(mask[:, i].unsqueeze(1), update, alpha)
    return score - torch.logsumexp(alpha + end, dim=1)
