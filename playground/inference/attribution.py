"""What in an image spoke for a network’s answer: four methods that give every pixel its share.

A network is shared between requests, and others ask it at the same time. Nothing of it is ever changed here: gradients are taken with respect to
images or feature maps alone, and no hook is registered. So neither a lock nor a copy is needed.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from playground.errors import CheckpointError, ConfigError, ShapeError, UnknownName
from playground.inference.models import Model
from playground.network.trace import trace

SEGMENTS, STEPS = 64, 2
"""Pieces into which the path of integrated gradients is cut at first, and gradients taken in each."""
HALVED, ROUNDS = 32, 16
"""Pieces that are halved where the sum is not exact enough, those with the largest errors, and how often at most: 2,176 gradients in all."""
INCOMPLETE, UNEVEN = 0.01, 0.05
"""Errors that are accepted: of the sum, as a share of what it should be, and of the pieces’ own sums, as a share of all that happens on the way,
so that errors that cancel by chance do not pass for exactness."""
PATCHES = 7
"""Patches of occlusion that lie side by side along the shorter side of an image."""
BATCH = 64
"""Images of occlusion sent through at once."""
LARGEST = 127
"""Size of the largest number that is sent for a pixel: one signed byte."""

Score = Callable[[Tensor], Tensor]
"""(N, C, H, W) as the network receives them → (N,) what is to be explained."""


@dataclass(frozen=True)
class Method:
    """A way to explain an answer."""

    title: str
    explains: str
    """What it computes and how to read it, in a sentence or two."""
    source: str
    """The paper’s address."""


METHODS: dict[str, Method] = {
    "saliency": Method(
        "Saliency",
        "How strongly the logit of the class changes when a pixel changes a little. Bright pixels matter, as evidence for or against the class.",
        "https://arxiv.org/abs/1312.6034",
    ),
    "integrated-gradients": Method(
        "Integrated gradients",
        "Fades the image in from black and adds up how each pixel changes the logit. Positive pixels are evidence for the class, negative ones against it.",
        "https://arxiv.org/abs/1703.01365",
    ),
    "grad-cam": Method(
        "Grad-CAM",
        "Weights the feature maps of the last convolution by how much the logit depends on them. Bright areas are evidence for the class.",
        "https://arxiv.org/abs/1610.02391",
    ),
    "occlusion": Method(
        "Occlusion",
        "Covers one patch after another with black and measures how far the logit drops. Positive areas are evidence for the class, negative ones against it.",
        "https://arxiv.org/abs/1311.2901",
    ),
}


@dataclass(frozen=True, eq=False)
class Attribution:
    """What each pixel of an image had to do with an answer."""

    method: str
    """One of `METHODS`."""
    target: int
    """The class that is explained."""
    against: int | None
    """The class in whose place it was given; None where the logit of `target` alone is explained."""
    values: Tensor
    """(H, W) float32, in logits; saliency: in logits for each unit of the input as the network receives it."""
    signed: bool
    """Whether negative values, which spoke against the class, are possible."""
    note: str = ""
    """What should be known of this one, in a sentence; empty where nothing is."""
    total: float | None = None
    """Of integrated gradients, the sum of the values."""
    difference: float | None = None
    """Of integrated gradients, what the sum would be without error: the logit for the image less that for a black one."""

    @property
    def bound(self) -> float:
        """The largest magnitude of a value."""
        return float(self.values.abs().max())


def methods_for(model: Model) -> list[str]:
    """The methods that can explain a network, in the order of `METHODS`."""
    return [name for name in METHODS if name != "grad-cam" or _last_maps(model) is not None]


def attribute(model: Model, image: Tensor, method: str, target: int) -> Attribution:
    """What in an image spoke for a class.

    Args:
        model: the network; it is left as it was, and may be asked by many threads at once.
        image: (C, H, W) uint8.
        method: one of `METHODS`.
        target: index of the class.

    Raises:
        UnknownName: there is no such method.
        ConfigError: there is no such class.
        ShapeError: the image does not fit the network, or Grad-CAM finds no feature maps in it.
        CheckpointError: the network’s answers or their gradients are not finite numbers.
    """
    return _attributed(model, image, method, target, None)


def contrast(model: Model, image: Tensor, method: str, first: int, second: int) -> Attribution:
    """What in an image spoke for one class rather than for another: how the logit of the first less that of the second came about.

    Raises:
        ConfigError: there is no such class, or both are the same.
        UnknownName, ShapeError, CheckpointError: as in `attribute`.
    """
    if first == second:
        raise ConfigError(["A class can only be compared with another one."])
    return _attributed(model, image, method, first, second)


def as_json(attribution: Attribution) -> dict[str, Any]:
    """An attribution ready for JSON: `values` is base64 of H·W signed bytes, row by row, where 127 stands for `bound`."""
    height, width = attribution.values.shape
    bound = attribution.bound
    scaled = attribution.values / bound * LARGEST if bound else attribution.values
    return {
        "values": base64.b64encode(scaled.round().to(torch.int8).numpy().tobytes()).decode("ascii"),
        "width": width,
        "height": height,
        "signed": attribution.signed,
        "bound": bound,
        "note": attribution.note,
    }


def _attributed(model: Model, image: Tensor, method: str, target: int, against: int | None) -> Attribution:
    _check(model, image, method, target, against)
    inputs, black = (model.prepare(shown.unsqueeze(0)) for shown in (image, torch.zeros_like(image)))
    score = _score(model.network, target, against)
    note, total, difference = "", None, None
    if method == "saliency":
        values = _saliency(score, inputs)
    elif method == "integrated-gradients":
        values, total, difference = _integrated_gradients(score, inputs, black)
        note = _completeness(total, difference, against is None)
    elif method == "grad-cam":
        values, note = _grad_cam(model, inputs, target, against)
    else:
        values = _occlusion(score, inputs, black)
    if not values.isfinite().all():
        raise CheckpointError(f"Some answers of “{model.name}” are not finite numbers, so they cannot be explained.", "Choose an earlier checkpoint.")
    signed = method in ("integrated-gradients", "occlusion")
    return Attribution(method, target, against, values.detach().float().cpu(), signed, note, total, difference)


def _check(model: Model, image: Tensor, method: str, target: int, against: int | None) -> None:
    if method not in METHODS:
        raise UnknownName("method of explanation", method, METHODS)
    classes = len(model.info.classes)
    for number in (target, against):
        if number is not None and not 0 <= number < classes:
            raise ConfigError([f"The classes are numbered from 0 to {classes - 1}, so there is no class {number}."])
    if tuple(image.shape) != model.info.input_shape:
        given, expected = ("×".join(map(str, shape)) for shape in (image.shape, model.info.input_shape))
        raise ShapeError(f"This image has the shape {given}, but “{model.name}” takes {expected}.")


def _score(network: nn.Module, target: int, against: int | None) -> Score:
    def score(images: Tensor) -> Tensor:
        logits: Tensor = network(images.clone())  # a first layer that works in place must write into a copy
        return logits[:, target] if against is None else logits[:, target] - logits[:, against]

    return score


def _gradients(score: Score, inputs: Tensor) -> Tensor:
    """The gradient of each sample's score with respect to that sample, (N, C, H, W) as the inputs."""
    with torch.enable_grad():
        inputs = inputs.detach().requires_grad_()
        return torch.autograd.grad(score(inputs).sum(), inputs)[0]


def _saliency(score: Score, inputs: Tensor) -> Tensor:
    """(H, W) the largest magnitude of the gradient over the channels."""
    return _gradients(score, inputs)[0].abs().amax(dim=0)  # (1, C, H, W) → (H, W)


def _integrated_gradients(score: Score, inputs: Tensor, black: Tensor) -> tuple[Tensor, float, float]:
    """(H, W) summed over the channels, their sum, and what that would be without error.

    The straight path from black to the image is cut into pieces, whose attributions add up to that of the whole. Those where the logit changes
    otherwise than the gradients say are halved: along the path of a network with ReLU gradients jump hundreds of times, so equal steps converge slowly.
    """

    def along(starts: Tensor, ends: Tensor) -> tuple[Tensor, Tensor]:
        """(S, C, H, W) and (S,): the attributions of pieces of the path, and how much more they add up to than the logit rises."""
        low, high = (black + place.view(-1, 1, 1, 1) * (inputs - black) for place in (starts, ends))
        midpoints = [low + (step + 0.5) / STEPS * (high - low) for step in range(STEPS)]
        gradients = _gradients(score, torch.cat(midpoints)).view(STEPS, *low.shape).mean(dim=0)  # (STEPS · S, C, H, W) → (S, C, H, W)
        values = gradients * (high - low)
        with torch.no_grad():
            return values, values.sum(dim=(1, 2, 3)) - (score(high) - score(low))

    edges = torch.linspace(0, 1, SEGMENTS + 1, device=inputs.device)
    starts, ends = edges[:-1], edges[1:]
    values, errors = along(starts, ends)
    for _ in range(ROUNDS):
        if _exact(values, errors):
            break
        worst = errors.abs().topk(HALVED).indices
        middles = (starts[worst] + ends[worst]) / 2
        halves = torch.cat([starts[worst], middles]), torch.cat([middles, ends[worst]])
        kept = torch.ones_like(errors, dtype=torch.bool).index_fill_(0, worst, False)
        old, new = (starts, ends, values, errors), (*halves, *along(*halves))
        starts, ends, values, errors = (torch.cat([before[kept], after]) for before, after in zip(old, new, strict=True))
    total = float(values.double().sum())
    return values.sum(dim=(0, 1)), total, total - float(errors.double().sum())


def _exact(values: Tensor, errors: Tensor) -> bool:
    rises = values.sum(dim=(1, 2, 3)) - errors  # (S,) how much the logit rises in each piece
    return bool(errors.sum().abs() <= INCOMPLETE * rises.sum().abs() and errors.abs().sum() <= UNEVEN * rises.abs().sum())


def _completeness(total: float, difference: float, alone: bool) -> str:
    found, expected = (f"{value:.3g}".replace("-", "−") for value in (total, difference))
    if alone:
        return f"The values add up to {found}, and from a black image to this one the logit changes by {expected}."
    return f"The values add up to {found}, and from a black image to this one the lead of the first class over the second changes by {expected}."


def _grad_cam(model: Model, inputs: Tensor, target: int, against: int | None) -> tuple[Tensor, str]:
    """(H, W) of zero or more, and what should be known of it.

    Raises:
        ShapeError: there are no feature maps to look at.
    """
    place = _last_maps(model)
    if place is None:
        raise ShapeError(f"Grad-CAM needs a convolution whose feature maps lie like the image, and “{model.name}” has none.", "Choose another method.")
    layers = list(model.network)
    before, after = nn.Sequential(*layers[: place + 1]), nn.Sequential(*layers[place + 1 :])
    with torch.no_grad():
        features: Tensor = before(inputs.clone())  # (1, F, h, w)
    weights = _gradients(_score(after, target, against), features).mean(dim=(2, 3), keepdim=True)
    maps = (weights * features).sum(dim=1, keepdim=True).relu()  # (1, 1, h, w)
    values = F.interpolate(maps, inputs.shape[2:], mode="bilinear")[0, 0]
    if not maps.any():
        return values, "Grad-CAM shows only evidence for the class, and there is none in this image."
    height, width = maps.shape[2:]
    return values, f"The feature maps have {height}×{width} places, which are stretched to the size of the image."


def _last_maps(model: Model) -> int | None:
    """The last layer of the stack with convolutions whose output (C, H, W) has more than one place; None without one.

    Source: Selvaraju et al., Grad-CAM, https://arxiv.org/abs/1610.02391, who take the last convolution; of a single place there would be no map.
    """
    shapes = [step.out_shape or () for step in trace(model.spec)]
    convolutional = [any(isinstance(module, nn.Conv2d) for module in layer.modules()) for layer in model.network]
    places = [place for place, (shape, has) in enumerate(zip(shapes, convolutional, strict=True)) if has and len(shape) == 3 and max(shape[1:]) > 1]
    return places[-1] if places else None


def _occlusion(score: Score, inputs: Tensor, black: Tensor) -> Tensor:
    """(H, W) by how much the logit falls, as the mean over all patches that cover the pixel."""
    if torch.equal(inputs, black):
        return torch.zeros_like(inputs[0, 0])  # of a black image nothing but rounding would be left
    height, width = inputs.shape[2:]
    side = max(1, round(min(height, width) / PATCHES))
    stride = max(1, side // 2)
    corners = list(product(range(0, height - side + stride, stride), range(0, width - side + stride, stride)))
    patches = torch.zeros(len(corners), 1, height, width, dtype=torch.bool, device=inputs.device)
    for patch, (top, left) in zip(patches, corners, strict=True):
        patch[:, top : top + side, left : left + side] = True  # the last of a row or column ends at the edge
    with torch.no_grad():
        falls = score(inputs) - torch.cat([score(torch.where(part, black, inputs)) for part in torch.split(patches, BATCH)])  # (P,)
    return (falls.view(-1, 1, 1) * patches[:, 0]).sum(dim=0) / patches[:, 0].sum(dim=0)
