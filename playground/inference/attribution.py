"""Attribution: how much each pixel is evidence for or against a class, by four methods.

Other requests use the same network at the same time. Nothing here changes it: gradients are computed with respect to images or feature maps
alone, and no hook is registered. So neither a lock nor a copy is needed.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import TypedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from playground.errors import CheckpointError, ConfigError, ShapeError, UnknownName
from playground.inference.models import Model
from playground.messages import msg
from playground.network.trace import trace

SEGMENTS, STEPS = 64, 2
"""Number of segments of the path of integrated gradients at first, and of gradients computed in each."""
HALVED, ROUNDS = 32, 16
"""How many segments, those with the largest errors, are halved in a round, and the maximum number of rounds: 2,176 gradients in all."""
MAX_TOTAL_ERROR, MAX_SEGMENT_ERROR = 0.01, 0.05
"""Largest accepted errors: of the sum, as a share of the exact sum; and of all segments, their absolute errors added up, as a share of
the absolute changes of the score, so that a sum in which large errors cancel by chance is not accepted."""
PATCHES = 7
"""Number of patches of occlusion side by side along the shorter side of an image."""
BATCH = 64
"""Occluded images per forward pass."""
INT8_MAX = 127
"""The value of a pixel with the largest magnitude in the response: one signed byte per pixel."""

Score = Callable[[Tensor], Tensor]
"""Scaled images ``(N, C, H, W)`` → the logits, or differences of logits, to attribute, ``(N,)``."""


@dataclass(frozen=True)
class Method:
    """A method of attribution."""

    title: str
    description: str
    """One or two sentences on what it computes and how to read the result."""
    source: str
    """URL of the paper."""


METHODS: dict[str, Method] = {
    "saliency": Method(
        msg("Saliency"),
        msg("How strongly the logit of the class changes when a pixel changes a little. Bright pixels matter, as evidence for or against the class."),
        "https://arxiv.org/abs/1312.6034",
    ),
    "integrated-gradients": Method(
        msg("Integrated gradients"),
        msg(
            "Fades the image in from black and adds up how each pixel changes the logit. Positive pixels are evidence for the class, negative ones against it."
        ),
        "https://arxiv.org/abs/1703.01365",
    ),
    "grad-cam": Method(
        "Grad-CAM",
        msg("Weights the feature maps of the last convolution by how much the logit depends on them. Bright areas are evidence for the class."),
        "https://arxiv.org/abs/1610.02391",
    ),
    "occlusion": Method(
        msg("Occlusion"),
        msg(
            "Covers one patch after another with black and measures how far the logit drops. "
            "Positive areas are evidence for the class, negative ones against it."
        ),
        "https://arxiv.org/abs/1311.2901",
    ),
}


@dataclass(frozen=True, eq=False)
class Attribution:
    """How much each pixel of an image is evidence for or against a class."""

    method: str
    """One of `METHODS`."""
    target: int
    """Index of the class."""
    versus: int | None
    """Index of the class that it is compared with; None if the logit of `target` alone is attributed."""
    values: Tensor
    """``(H, W)`` float32, in logits; for saliency in logits per unit of the scaled input."""
    signed: bool
    """Whether values can be negative: evidence against the class."""
    note: str = ""
    """One sentence on this attribution; empty if there is nothing to say."""
    total: float | None = None
    """For integrated gradients, the sum of the values."""
    difference: float | None = None
    """For integrated gradients, the exact sum: the logit of the image minus the logit of a black image."""

    @property
    def bound(self) -> float:
        """The largest absolute value."""
        return float(self.values.abs().max())


class AttributionJson(TypedDict):
    """An attribution."""

    values: str
    """Signed bytes in base64, row by row, of which 127 stands for `bound`."""
    width: int
    height: int
    signed: bool
    bound: float
    note: str


def methods_for(model: Model) -> list[str]:
    """List the methods that work for a network, in the order of `METHODS`."""
    return [name for name in METHODS if name != "grad-cam" or _last_maps(model) is not None]


def attribute(model: Model, image: Tensor, method: str, target: int) -> Attribution:
    """Attribute the logit of a class to the pixels of an image.

    Args:
        model: the network; it is not changed, so several threads can use it at the same time.
        image: ``(C, H, W)`` uint8.
        method: one of `METHODS`.
        target: index of the class.

    Raises:
        UnknownName: there is no such method.
        ConfigError: there is no such class.
        ShapeError: the image does not fit the network, or the network has no feature maps for Grad-CAM.
        CheckpointError: logits or gradients of the network are not finite.
    """
    return _attribute(model, image, method, target, None)


def contrast(model: Model, image: Tensor, method: str, first: int, second: int) -> Attribution:
    """Attribute the difference of two logits, that of the first class minus that of the second, to the pixels of an image.

    Raises:
        ConfigError: there is no such class, or both are the same.
        UnknownName, ShapeError, CheckpointError: as in `attribute`.
    """
    if first == second:
        raise ConfigError([msg("Both classes have the number {number}; two different classes are needed.", number=first)])
    return _attribute(model, image, method, first, second)


def as_json(attribution: Attribution) -> AttributionJson:
    """Return an attribution as plain data for JSON."""
    height, width = attribution.values.shape
    bound = attribution.bound
    scaled = attribution.values / bound * INT8_MAX if bound else attribution.values
    return {
        "values": base64.b64encode(scaled.round().to(torch.int8).numpy().tobytes()).decode("ascii"),
        "width": width,
        "height": height,
        "signed": attribution.signed,
        "bound": bound,
        "note": attribution.note,
    }


def _attribute(model: Model, image: Tensor, method: str, target: int, versus: int | None) -> Attribution:
    _check(model, image, method, target, versus)
    inputs, black = (model.prepare(pixels.unsqueeze(0)) for pixels in (image, torch.zeros_like(image)))
    score = _score(model.network, target, versus)
    note, total, difference = "", None, None
    if method == "saliency":
        values = _saliency(score, inputs)
    elif method == "integrated-gradients":
        values, total, difference = _integrated_gradients(score, inputs, black)
        note = _describe_completeness(total, difference, versus)
    elif method == "grad-cam":
        values, note = _grad_cam(model, inputs, target, versus)
    else:
        values = _occlusion(score, inputs, black)
    if not values.isfinite().all():
        raise CheckpointError(
            msg("“{name}” cannot be explained: logits or gradients are not finite (inf or nan).", name=model.name), msg("Choose an earlier checkpoint.")
        )
    signed = method in ("integrated-gradients", "occlusion")
    return Attribution(method, target, versus, values.detach().float().cpu(), signed, note, total, difference)


def _check(model: Model, image: Tensor, method: str, target: int, versus: int | None) -> None:
    if method not in METHODS:
        raise UnknownName(msg("attribution method"), method, METHODS)
    classes = len(model.info.classes)
    for number in (target, versus):
        if number is not None and not 0 <= number < classes:
            raise ConfigError([msg("The classes are numbered from 0 to {last}, so there is no class {number}.", last=classes - 1, number=number)])
    if tuple(image.shape) != model.info.input_shape:
        actual, expected = ("×".join(map(str, shape)) for shape in (image.shape, model.info.input_shape))
        raise ShapeError(msg("This image has the shape {actual}, but “{name}” takes {expected}.", actual=actual, name=model.name, expected=expected))


def _score(network: nn.Module, target: int, versus: int | None) -> Score:
    def score(images: Tensor) -> Tensor:
        logits: Tensor = network(images.clone())  # the first layer may work in place
        return logits[:, target] if versus is None else logits[:, target] - logits[:, versus]

    return score


def _gradients(score: Score, inputs: Tensor) -> Tensor:
    """Compute the gradient of each sample's score with respect to that sample: ``(N, C, H, W)`` → ``(N, C, H, W)``."""
    with torch.enable_grad():
        inputs = inputs.detach().requires_grad_()
        return torch.autograd.grad(score(inputs).sum(), inputs)[0]


def _saliency(score: Score, inputs: Tensor) -> Tensor:
    """Return the largest absolute gradient over the channels, ``(H, W)``."""
    return _gradients(score, inputs)[0].abs().amax(dim=0)  # (1, C, H, W) → (H, W)


def _integrated_gradients(score: Score, inputs: Tensor, black: Tensor) -> tuple[Tensor, float, float]:
    """Return the attributions summed over the channels, ``(H, W)``, their sum, and the exact sum.

    The straight path from black to the image is cut into segments, whose attributions add up to that of the whole. Segments in which the sum
    of the attributions differs from the change of the score are halved: with ReLU the gradients jump hundreds of times along the path, so that
    segments of equal length converge slowly.
    """

    def integrate(starts: Tensor, ends: Tensor) -> tuple[Tensor, Tensor]:
        """Return the attributions of segments, ``(S, C, H, W)``, and their errors, ``(S,)``: the sum minus the change of the score."""
        low, high = (black + position.view(-1, 1, 1, 1) * (inputs - black) for position in (starts, ends))
        midpoints = [low + (step + 0.5) / STEPS * (high - low) for step in range(STEPS)]
        gradients = _gradients(score, torch.cat(midpoints)).view(STEPS, *low.shape).mean(dim=0)  # (STEPS · S, C, H, W) → (S, C, H, W)
        values = gradients * (high - low)
        with torch.no_grad():
            return values, values.sum(dim=(1, 2, 3)) - (score(high) - score(low))

    edges = torch.linspace(0, 1, SEGMENTS + 1, device=inputs.device)
    starts, ends = edges[:-1], edges[1:]
    values, errors = integrate(starts, ends)
    for _ in range(ROUNDS):
        if _is_accurate(values, errors):
            break
        worst = errors.abs().topk(HALVED).indices
        middles = (starts[worst] + ends[worst]) / 2
        halves = torch.cat([starts[worst], middles]), torch.cat([middles, ends[worst]])
        others = torch.ones_like(errors, dtype=torch.bool).index_fill_(0, worst, False)
        old, new = (starts, ends, values, errors), (*halves, *integrate(*halves))
        starts, ends, values, errors = (torch.cat([before[others], after]) for before, after in zip(old, new, strict=True))
    total = float(values.double().sum())
    return values.sum(dim=(0, 1)), total, total - float(errors.double().sum())


def _is_accurate(values: Tensor, errors: Tensor) -> bool:
    changes = values.sum(dim=(1, 2, 3)) - errors  # (S,) change of the score in each segment
    return bool(errors.sum().abs() <= MAX_TOTAL_ERROR * changes.sum().abs() and errors.abs().sum() <= MAX_SEGMENT_ERROR * changes.abs().sum())


def _describe_completeness(total: float, difference: float, versus: int | None) -> str:
    actual, expected = (f"{value:.3g}".replace("-", "−") for value in (total, difference))
    if versus is None:
        return msg("The values add up to {actual}; from a black image to this one the logit changes by {expected}.", actual=actual, expected=expected)
    return msg(
        "The values add up to {actual}; from a black image to this one the logit of the first class minus that of the second changes by {expected}.",
        actual=actual,
        expected=expected,
    )


def _grad_cam(model: Model, inputs: Tensor, target: int, versus: int | None) -> tuple[Tensor, str]:
    """Return the attributions, ``(H, W)``, 0 or above, and a note on them.

    Raises:
        ShapeError: the network has no feature maps.
    """
    index = _last_maps(model)
    if index is None:
        raise ShapeError(
            msg("Grad-CAM needs a convolution with feature maps larger than 1×1, and “{name}” has none.", name=model.name), msg("Choose another method.")
        )
    layers = list(model.network)
    before, after = nn.Sequential(*layers[: index + 1]), nn.Sequential(*layers[index + 1 :])
    with torch.no_grad():
        features: Tensor = before(inputs.clone())  # (1, F, h, w)
    weights = _gradients(_score(after, target, versus), features).mean(dim=(2, 3), keepdim=True)
    maps = (weights * features).sum(dim=1, keepdim=True).relu()  # (1, 1, h, w)
    values = F.interpolate(maps, inputs.shape[2:], mode="bilinear")[0, 0]
    if not maps.any():
        return values, msg("Grad-CAM shows only evidence for the class, and there is none in this image.")
    height, width = maps.shape[2:]
    return values, msg("The feature maps have {height}×{width} values each, interpolated to the size of the image.", height=height, width=width)


def _last_maps(model: Model) -> int | None:
    """Return the index of the last layer with convolutions whose feature maps, ``(C, H, W)``, are larger than 1×1; None if there is none.

    Source: the last convolution in Selvaraju et al., Grad-CAM, https://arxiv.org/abs/1610.02391; a map of one value would show nothing.
    """
    shapes = [step.out_shape or () for step in trace(model.spec)]
    convolutional = [any(isinstance(module, nn.Conv2d) for module in layer.modules()) for layer in model.network]
    pairs = zip(shapes, convolutional, strict=True)
    indices = [index for index, (shape, has_convolution) in enumerate(pairs) if has_convolution and len(shape) == 3 and max(shape[1:]) > 1]
    return indices[-1] if indices else None


def _occlusion(score: Score, inputs: Tensor, black: Tensor) -> Tensor:
    """Return the drop of the score, ``(H, W)``: for each pixel the mean over all patches that cover it."""
    if torch.equal(inputs, black):
        return torch.zeros_like(inputs[0, 0])  # for a black image only rounding errors would remain
    height, width = inputs.shape[2:]
    side = max(1, round(min(height, width) / PATCHES))
    stride = max(1, side // 2)
    corners = list(product(range(0, height - side + stride, stride), range(0, width - side + stride, stride)))
    patches = torch.zeros(len(corners), 1, height, width, dtype=torch.bool, device=inputs.device)
    for patch, (top, left) in zip(patches, corners, strict=True):
        patch[:, top : top + side, left : left + side] = True  # the last patch of a row or column ends at the edge
    with torch.no_grad():
        drops = score(inputs) - torch.cat([score(torch.where(part, black, inputs)) for part in torch.split(patches, BATCH)])  # (P,)
    return (drops.view(-1, 1, 1) * patches[:, 0]).sum(dim=0) / patches[:, 0].sum(dim=0)
