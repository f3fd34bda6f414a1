"""AdamW with layer-wise learning rates (Howard & Ruder 2018; Clark et al. 2020)."""

from __future__ import annotations

import re

import torch
from torch import nn

from tacitus.training.recipe import OptimPart

_LAYER = re.compile(r"^encoder\..*?\blayers?\.(\d+)\.")


def layer_of(name: str, n_layers: int) -> int:
    """Depth of a parameter: 0 embeddings, 1 … n_layers encoder layers, n_layers + 1 heads."""
    if not name.startswith("encoder."):
        return n_layers + 1
    match = _LAYER.match(name)
    if match:
        return int(match[1]) + 1
    return 0 if "embed" in name else n_layers


def build_optimizer(model: nn.Module, n_layers: int, recipe: OptimPart) -> torch.optim.Optimizer:
    """One parameter group per depth and kind; biases, norms and transitions are not decayed."""
    groups: dict[tuple[int, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            decayed = parameter.ndim > 1 and name != "transitions"
            groups.setdefault((layer_of(name, n_layers), decayed), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "lr": _rate(depth, n_layers, recipe),
                "weight_decay": recipe.weight_decay if decayed else 0.0,
            }
            for (depth, decayed), parameters in sorted(groups.items(), key=lambda item: item[0])
        ],
        fused=True,
    )


def _rate(depth: int, n_layers: int, recipe: OptimPart) -> float:
    if depth == n_layers + 1:
        return recipe.head_learning_rate
    return recipe.learning_rate * recipe.layer_decay ** (n_layers - depth)
