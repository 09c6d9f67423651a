"""What the picture of a network shows of its weights: the kernels of each unit, and how large the weights between two units are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIDE = 14
"""Rows and columns of weights that are drawn of a unit, at most."""


class DrawnWeights(NamedTuple):
    """The weights of a column."""

    kernels: Tensor
    """Of each drawn unit, ``(units, rows, columns)``."""
    sizes: Tensor
    """Norm of the weights from each drawn unit before, ``(units, sources)``, with the sign of their sum; 0 where other layers lie between."""


def draw_weights(layers: Sequence[nn.Module], before: Tensor, output: Tensor, units: list[int], sources: list[int] | None) -> DrawnWeights:
    """Draw the weights of a column; there are none to draw where they do not belong to its units: all tokens share theirs.

    Args:
        layers: of the column.
        before: ``(1, …)``, what they get.
        output: ``(1, …)``, what they return.
        units: those that are drawn of the output.
        sources: those that are drawn of what is before; None for an image, whose channels are one unit.
    """
    nothing = torch.zeros(len(units), 1 if sources is None else len(sources))
    weighted = [module for layer in layers for module in layer.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    of_units = [module.weight.detach() for module in weighted if len(module.weight) == output.shape[1]]
    if not of_units or output.dim() == 3:
        return DrawnWeights(nothing[:, :1, None], nothing)
    weight = max(reversed(of_units), key=lambda weight: weight[0].numel())[units].cpu()  # of a block not those of its shortcut connection
    if weight.dim() == 2:  # as a convolution whose kernels are as large as the map
        is_map = before.dim() == 4 and before[0].numel() == weight.shape[1]
        weight = weight.reshape(len(units), *before.shape[1:]) if is_map else weight[:, :, None, None]
    if len(weighted) > 1 or weight.shape[1] != before.shape[1]:
        return DrawnWeights(_mosaic(weight), nothing)
    parts = weight.flatten(1)[:, None] if sources is None else weight.flatten(2)[:, sources]  # (units, sources, weights)
    return DrawnWeights(_mosaic(weight), parts.norm(dim=2) * parts.sum(dim=2).sign())


def _mosaic(weight: Tensor) -> Tensor:
    """Lay the largest kernels of each unit in a square, with zeros between: ``(units, inputs, rows, columns)`` → ``(units, rows, columns)``."""
    inputs, height, width = weight.shape[1:]
    if height * width == 1 and inputs > 1:
        norms: Tensor = weight.flatten(1).norm(dim=1)
        return norms[:, None, None]  # the single weights are seen as edges
    kernels = F.adaptive_avg_pool2d(weight, (min(SIDE, height), min(SIDE, width)))
    across = min((SIDE + 1) // (max(kernels.shape[2:]) + 1), math.ceil(math.sqrt(inputs)))
    count = min(across**2, inputs)
    down = math.ceil(count / across)
    largest = weight.flatten(2).norm(dim=2).topk(count).indices.sort().values
    chosen = kernels[torch.arange(len(weight))[:, None], largest]
    framed = F.pad(chosen, (0, 1, 0, 1, 0, across * down - count))  # (units, down · across, rows + 1, columns + 1)
    rows = framed.reshape(len(weight), down, across, *framed.shape[2:]).transpose(2, 3)  # (units, down, rows + 1, across, columns + 1)
    return rows.flatten(3).flatten(1, 2)[:, :-1, :-1]
