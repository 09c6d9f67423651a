"""Numbers and pictures of a network's inside while it learns, taken now and then, so that they cost training little."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from playground.network.blocks import ResidualBlock
from playground.training.events import Observed, Snapshot
from playground.training.instruments.iteration import Iteration

SHARE = 0.015
"""Share of the training time that each kind of look may take: numbers, and pictures."""
HEAD_START = 0.04
"""Seconds that each may take besides, because most happens in the first moments."""
OBSERVATIONS, SNAPSHOTS = 400, 60
"""The most that a run keeps of each, about."""
BINS = 40
GALLERY = 12
"""Test images whose predictions are followed."""
FILTERS = 32
"""The most filters that are shown; of a linear layer half as many, because each is as large as the image."""
SAMPLE = 20_000
"""Values that a histogram looks at."""
SILENT = (nn.ReLU, ResidualBlock)
"""Layers whose outputs are 0 for whatever is negative."""


@dataclass
class _Budget:
    """How often one kind of look may be taken."""

    every: int
    """Steps from one to the next, at least."""
    share: float
    """Of the training time."""
    cost: float = 0.0
    """Seconds that the last one took; 0 before the second, because the first is slow for reasons of its own."""
    spent: float = 0.0
    taken: int = 0
    next: int = 0
    """Steps after which the next is due."""

    def affords(self, step: int, seconds: float) -> bool:
        return step >= self.next and self.spent + self.cost <= HEAD_START + self.share * seconds

    def pay(self, step: int, cost: float) -> None:
        self.next = step + self.every
        if self.taken:
            self.cost = cost
            self.spent += cost
        self.taken += 1


class Observer:
    """Decides when to look: as often as the record may hold, and no more than the time allows.

    Args:
        total_steps: of the run.
        share: of the training time that each kind of look may take.
    """

    def __init__(self, total_steps: int, share: float = SHARE) -> None:
        self._total = total_steps
        self._observations = _Budget(max(1, total_steps // OBSERVATIONS), share)
        self._snapshots = _Budget(max(1, total_steps // SNAPSHOTS), share)
        self._started = 0.0

    def start(self, seconds: float) -> None:
        """Count the time from here: so many seconds of training have passed."""
        self._started = seconds

    def is_due(self, step: int, seconds: float) -> bool:
        """Whether the step that comes next, behind `step` steps and so many seconds, is worth a look."""
        return self._observations.affords(step, seconds - self._started)

    def is_snapshot_due(self, step: int, seconds: float) -> bool:
        """Whether it is worth pictures, too; the last step always is."""
        return self._snapshots.affords(step, seconds - self._started) or step + 1 == self._total

    def observed(self, step: int, cost: float) -> None:
        """Note what a look has cost, in seconds."""
        self._observations.pay(step, cost)

    def pictured(self, step: int, cost: float) -> None:
        """Note what pictures have cost, in seconds."""
        self._snapshots.pay(step, cost)


def observed(iteration: Iteration) -> Observed:
    """The numbers of an iteration, layer by layer."""
    layers = range(len(iteration.network))
    inputs, none = iteration.inputs, iteration.loss.new_tensor(torch.nan)
    numbers = torch.stack(
        [norm(iteration.gradients(layer), none) for layer in layers]
        + [norm(iteration.before[layer], none) for layer in layers]
        + [norm(iteration.updates(layer), none) for layer in layers]
        + [iteration.outputs[layer].mean() for layer in layers]
        + [iteration.outputs[layer].std() for layer in layers]
        + [_dead(iteration.network[layer], iteration.outputs[layer], none) for layer in layers]
        + [inputs.mean(), inputs.std()]
    ).tolist()  # all together: asking an accelerator once makes it wait once
    parts = [numbers[start : start + len(layers)] for start in range(0, 6 * len(layers), len(layers))]
    gradient, weight, update, mean, std, dead = ([finite(value) for value in part] for part in parts)
    return Observed(iteration.step, gradient, weight, update, mean, std, dead, finite(numbers[-2]), finite(numbers[-1]))


def snapshot(iteration: Iteration, gallery: Tensor) -> Snapshot:
    """The pictures of an iteration.

    Args:
        iteration: one that has just been taken.
        gallery: (G, C, H, W) test images as the network receives them.
    """
    histograms = []
    for layer in range(len(iteration.network)):
        named: dict[str, Sequence[Tensor]] = {
            "weights": iteration.parameters[layer],
            "gradients": iteration.gradients(layer),
            "outputs": [iteration.outputs[layer]],
        }
        histograms.append({name: counted for name, tensors in named.items() if tensors and (counted := _histogram(tensors)) is not None})
    return Snapshot(iteration.step, histograms, _named(iteration.network, gallery), filters(iteration.network, tuple(gallery.shape[1:])))


def gallery_of(labels: Tensor) -> list[int]:
    """Which test images are followed: the first of each class, then the first of all, up to `GALLERY`.

    Args:
        labels: (M,) of the test images.
    """
    listed = labels.tolist()
    firsts = [listed.index(label) for label in sorted(set(listed))][:GALLERY]
    others = [index for index in range(len(listed)) if index not in firsts]
    return [*firsts, *others[: GALLERY - len(firsts)]]


def filters(network: nn.Module, shape: tuple[int, ...]) -> dict[str, Any] | None:
    """The first weights as pictures, as `Snapshot.filters` describes them; those of a linear layer that sees all pixels in the image's shape."""
    first = next((module for module in network.modules() if isinstance(module, (nn.Conv2d, nn.Linear))), None)
    if first is None:
        return None
    weight = first.weight.detach().float()
    if weight.dim() == 2:
        if weight.shape[1] != math.prod(shape):
            return None
        weight = weight[: FILTERS // 2].reshape(-1, *shape)
    weight = weight[:FILTERS]
    bound = weight.abs().max().item()
    if not math.isfinite(bound) or bound == 0.0 or weight.shape[1] not in (1, 3):
        return None
    pixels = (128 + 127 * weight / bound).round().to(torch.uint8).contiguous().cpu()
    return {"shape": list(pixels.shape), "bound": bound, "pixels": base64.b64encode(pixels.numpy().tobytes()).decode()}


def finite(value: float) -> float | None:
    """The number with six digits, or None: JSON has no word for infinity."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def norm(tensors: Sequence[Tensor], none: Tensor) -> Tensor:
    """The Euclidean norm of all of them together; `none` where there are none."""
    if not tensors:
        return none
    total: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(list(tensors))))
    return total


def _dead(layer: nn.Module, output: Tensor, none: Tensor) -> Tensor:
    if not isinstance(layer, SILENT):
        return none
    batched = output.flatten(2).amax(dim=(0, 2)) if output.dim() == 4 else output.flatten(0, -2).amax(dim=0)
    return (batched == 0).float().mean()


def _histogram(tensors: Sequence[Tensor]) -> dict[str, Any] | None:
    """Counts of the values between the lowest and the highest; None where one of them is not finite."""
    values = torch.cat([_thinned(tensor.detach().reshape(-1)) for tensor in tensors]).cpu().double()  # the span of what fits into a float may not
    low, high = values.min().item(), values.max().item()
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    return {"low": finite(low), "high": finite(high), "counts": torch.histc(values, BINS, low, high).int().tolist()}


def _thinned(values: Tensor) -> Tensor:
    """At most about `SAMPLE` of the values, evenly spread; an odd stride, so that rows of an image are not all met in one column."""
    return values[:: (len(values) // SAMPLE) | 1]


@torch.no_grad()
def _named(network: nn.Module, gallery: Tensor) -> list[list[int]]:
    """The probabilities of the gallery's images in thousandths; the network's mode is left as it was."""
    training = network.training
    network.eval()
    probabilities = torch.nan_to_num(network(gallery).softmax(dim=1))
    network.train(training)
    listed: list[list[int]] = (1000 * probabilities).round().int().tolist()
    return listed
