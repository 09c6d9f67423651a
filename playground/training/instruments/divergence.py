"""Where the first number that is not finite was born: the last steps are taken again, and looked at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from playground.training.events import Diverged
from playground.training.instruments.iteration import Iteration
from playground.training.instruments.observation import finite

if TYPE_CHECKING:
    from playground.training.loop import Training

WHERE = {
    "output": "in the output of layer {layer} ({type})",
    "loss": "in the loss",
    "gradient": "in the gradient of layer {layer} ({type})",
    "update": "in the new weights of layer {layer} ({type})",
}
"""Words for a place. Weights that are not finite before a step were so after the one before, so that they are found as its update."""


def find(training: Training, until: int) -> Diverged:
    """Take the steps again that led to a loss which is no number, and find where the first such value appeared.

    Args:
        training: as it stood at its last checkpoint; the same random numbers make the same steps of it.
        until: the step whose loss was not a number.
    """
    largest: list[float | None] = []
    while training.step < until:
        iteration = training.iterate()
        largest = [finite(output.abs().max().item()) for output in iteration.outputs]
        if found := _first(iteration):
            return Diverged(until, iteration.step, *found, largest)
    return Diverged(until, 0, "loss", -1, largest)


def told(found: Diverged, layer_types: Sequence[str]) -> str:
    """Where it was born, as a sentence; empty where it was not found.

    Args:
        found: what `find` gave.
        layer_types: of the network's layers.
    """
    if not found.born:
        return ""
    where = WHERE[found.place].format(layer=found.layer, type=layer_types[found.layer])
    return f"The first non-finite value (inf or nan) appeared at step {found.born}, {where}."


def _first(iteration: Iteration) -> tuple[str, int] | None:
    """The place and the layer of the first value that is not finite, in the order in which PyTorch computes them."""
    layers = range(len(iteration.network))
    for layer in layers:
        if not _is_finite([iteration.outputs[layer]]):
            return "output", layer
    if not math.isfinite(iteration.loss.item()):
        return "loss", -1
    for layer in reversed(layers):  # gradients are computed from the loss back to the input
        if not _is_finite(iteration.gradients(layer)):
            return "gradient", layer
    for layer in layers:
        if not _is_finite([parameter.detach() for parameter in iteration.parameters[layer]]):
            return "update", layer
    return None


def _is_finite(tensors: Sequence[Tensor]) -> bool:
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors)
