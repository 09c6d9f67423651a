"""Find where the first non-finite value appeared, by repeating the steps since the last checkpoint."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from playground.messages import msg
from playground.training.events import Diverged
from playground.training.instruments.iteration import Iteration
from playground.training.instruments.observation import finite

if TYPE_CHECKING:
    from playground.training.loop import Training

WHERE = {
    "output": msg("The first non-finite value (inf or nan) appeared at step {step}, in the output of layer {layer} ({type})."),
    "loss": msg("The first non-finite value (inf or nan) appeared at step {step}, in the loss."),
    "gradient": msg("The first non-finite value (inf or nan) appeared at step {step}, in the gradient of layer {layer} ({type})."),
    "update": msg("The first non-finite value (inf or nan) appeared at step {step}, in the new weights of layer {layer} ({type})."),
}
"""The sentence for each place. Weights that are non-finite before a step are reported as the update of the step before."""


def find(training: Training, until: int) -> Diverged:
    """Repeat the steps that led to a non-finite loss, and find where the first non-finite value appeared.

    Args:
        training: in the state of its last checkpoint; the same random numbers give the same steps.
        until: the step whose loss was not finite.
    """
    largest: list[float | None] = []
    while training.step < until:
        iteration = training.iterate()
        largest = [finite(output.abs().max().item()) for output in iteration.outputs]
        if origin := _first(iteration):
            return Diverged(until, iteration.step, *origin, largest)
    return Diverged(until, 0, "loss", -1, largest)


def describe(diverged: Diverged, layer_types: Sequence[str]) -> str:
    """Say in a sentence where the first non-finite value appeared; empty if it was not found.

    Args:
        diverged: the result of `find`.
        layer_types: type of each of the network's layers.
    """
    if not diverged.born:
        return ""
    return WHERE[diverged.place].filled(step=diverged.born, layer=diverged.layer, type=layer_types[diverged.layer])


def _first(iteration: Iteration) -> tuple[str, int] | None:
    """Return place and layer of the first non-finite value, in the order in which PyTorch computes them."""
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
