"""Layer statistics and snapshots of a network during training, taken rarely enough to cost little time."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import torch
from torch import Tensor, nn

from playground.network.blocks import ResidualBlock
from playground.training.events import Observed, Snapshot
from playground.training.instruments.iteration import Iteration

SHARE = 0.015
"""Share of the training time that each of observations and snapshots may take."""
HEAD_START = 0.04
"""Additional seconds for each, because most changes in the first steps."""
OBSERVATIONS, SNAPSHOTS = 400, 60
"""Approximate maximum number of each per run."""
BINS = 40
GALLERY = 12
"""Number of test images whose predictions are recorded."""
FILTERS = 32
"""Maximum number of filters in a snapshot; half as many of a linear layer, because each has the size of the image."""
EARLY = 10
"""Share of the steps so far, as a divisor, within which the next one is due: a long run is seen at its beginning, too."""
SAMPLE = 20_000
"""Approximate maximum number of values in a histogram."""
RECTIFIED = (nn.ReLU, ResidualBlock)
"""Layers that end in a ReLU, so that their units can be dead."""


class Histogram(TypedDict):
    """Values counted in `BINS` bins of equal width from the lowest to the highest."""

    low: float
    high: float
    counts: list[int]


class FilterImages(TypedDict):
    """The first layer's weights as images."""

    shape: list[int]
    """(count, channels, height, width)"""
    bound: float
    """The largest magnitude."""
    pixels: str
    """A byte each in base64: 128 for zero, 1 and 255 for minus and plus the bound."""


@dataclass
class _Budget:
    """Limits how often observations or snapshots are taken."""

    every: int
    """Minimum number of steps from one to the next, late in the run."""
    share: float
    """Maximum share of the training time."""
    cost: float = 0.0
    """Seconds that the last one took; 0 before the second, because the first one includes warm-up."""
    spent: float = 0.0
    taken: int = 0
    next: int = 0
    """First step at which the next one is due."""

    def affords(self, step: int, seconds: float) -> bool:
        return step >= self.next and self.spent + self.cost <= HEAD_START + self.share * seconds

    def pay(self, step: int, cost: float) -> None:
        self.next = step + max(1, min(self.every, step // EARLY))
        if self.taken:
            self.cost = cost
            self.spent += cost
        self.taken += 1


class Observer:
    """Decides when to take observations and snapshots, within their number per run and their share of the training time.

    Args:
        total_steps: planned steps of the run.
        share: maximum share of the training time, for observations and for snapshots.
    """

    def __init__(self, total_steps: int, share: float = SHARE) -> None:
        self._total = total_steps
        self._observations = _Budget(max(1, total_steps // OBSERVATIONS), share)
        self._snapshots = _Budget(max(1, total_steps // SNAPSHOTS), share)
        self._started = 0.0

    def start(self, seconds: float) -> None:
        """Start counting at so many seconds of training."""
        self._started = seconds

    def is_due(self, step: int, seconds: float) -> bool:
        """Return whether the step after `step` steps and so many seconds is to be observed."""
        return self._observations.affords(step, seconds - self._started)

    def is_snapshot_due(self, step: int, seconds: float) -> bool:
        """Return whether a snapshot of that step is to be taken; of the last step always."""
        return self._snapshots.affords(step, seconds - self._started) or step + 1 == self._total

    def add_observation(self, step: int, cost: float) -> None:
        """Count an observation that took `cost` seconds."""
        self._observations.pay(step, cost)

    def add_snapshot(self, step: int, cost: float) -> None:
        """Count a snapshot that took `cost` seconds."""
        self._snapshots.pay(step, cost)


def observe(iteration: Iteration) -> Observed:
    """Return the statistics of every layer in an iteration."""
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
    ).tolist()  # all in one transfer, so that an accelerator is waited for once
    parts = [numbers[start : start + len(layers)] for start in range(0, 6 * len(layers), len(layers))]
    gradient, weight, update, mean, std, dead = ([finite(value) for value in part] for part in parts)
    return Observed(iteration.step, gradient, weight, update, mean, std, dead, finite(numbers[-2]), finite(numbers[-1]))


def snapshot(iteration: Iteration, gallery: Tensor) -> Snapshot:
    """Return the histograms, filters and gallery predictions of an iteration.

    Args:
        iteration: an iteration whose step has just been taken.
        gallery: ``(G, C, H, W)`` test images as the network receives them.
    """
    histograms: list[dict[str, Histogram]] = []
    for layer in range(len(iteration.network)):
        tensors_of: dict[str, Sequence[Tensor]] = {
            "weights": iteration.parameters[layer],
            "gradients": iteration.gradients(layer),
            "outputs": [iteration.outputs[layer]],
        }
        histograms.append({name: counted for name, tensors in tensors_of.items() if tensors and (counted := _histogram(tensors)) is not None})
    images = filters(iteration.network, tuple(gallery.shape[1:]))
    return Snapshot(iteration.step, histograms, _predictions(iteration.network, gallery), dict(images) if images else None)


def gallery_of(labels: Tensor) -> list[int]:
    """Return the indices of the gallery's test images: the first of each class, then the first of all, up to `GALLERY`.

    Args:
        labels: ``(M,)`` of the test images.
    """
    listed = labels.tolist()
    firsts = [listed.index(label) for label in sorted(set(listed))][:GALLERY]
    others = [index for index in range(len(listed)) if index not in firsts]
    return [*firsts, *others[: GALLERY - len(firsts)]]


def filters(network: nn.Module, shape: tuple[int, ...]) -> FilterImages | None:
    """Return the first layer's weights as images; those of a linear layer in the image's shape.

    None if the first layer is neither a convolution nor a linear layer on pixels, or if its weights cannot be shown.
    """
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
    """Round to six significant digits; None for non-finite values, which JSON does not have."""
    return _rounded(value) if math.isfinite(value) else None


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def norm(tensors: Sequence[Tensor], none: Tensor) -> Tensor:
    """Return the Euclidean norm of all tensors together; `none` if there are none."""
    if not tensors:
        return none
    total: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(list(tensors))))
    return total


def _dead(layer: nn.Module, output: Tensor, none: Tensor) -> Tensor:
    if not isinstance(layer, RECTIFIED):
        return none
    batched = output.flatten(2).amax(dim=(0, 2)) if output.dim() == 4 else output.flatten(0, -2).amax(dim=0)
    return (batched == 0).float().mean()


def _histogram(tensors: Sequence[Tensor]) -> Histogram | None:
    """Return the histogram from minimum to maximum; None if one of them is non-finite."""
    values = torch.cat([_thinned(tensor.detach().reshape(-1)) for tensor in tensors]).cpu().double()  # maximum − minimum can overflow float32
    low, high = values.min().item(), values.max().item()
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    return {"low": _rounded(low), "high": _rounded(high), "counts": torch.histc(values, BINS, low, high).int().tolist()}


def _thinned(values: Tensor) -> Tensor:
    """Return about `SAMPLE` of the values at most, evenly spread; the stride is odd, so that it does not hit one column of an image only."""
    return values[:: (len(values) // SAMPLE) | 1]


@torch.no_grad()
def _predictions(network: nn.Module, gallery: Tensor) -> list[list[int]]:
    """Return the gallery's predicted probabilities in thousandths; restore the network's mode."""
    training = network.training
    network.eval()
    probabilities = torch.nan_to_num(network(gallery).softmax(dim=1))
    network.train(training)
    listed: list[list[int]] = (1000 * probabilities).round().int().tolist()
    return listed
