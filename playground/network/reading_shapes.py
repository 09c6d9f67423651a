"""Which input the read layers are meant for, and whether the sizes that the code says are those that arrive."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt, prod

from playground.network.reading_values import Claim, CodeError, Layer, Sized
from playground.network.spec import MAX_SIZE, LayerSpec, NetworkSpec
from playground.network.trace import check, trace
from playground.network.types import Inference, Shape, infer

SIZES = (28, 32, 64, 96, 224, 128, 256, 16, 8)
"""Sides of the images that networks are usually written for, the most usual first."""
_UNITS = {"channels": "channels", "features": "features", "image_size": "pixels on a side", "normalized_shape": "shape"}
_ASK = "Say the input shape, such as (1, 28, 28)."


@dataclass(frozen=True)
class Argument:
    """An argument that follows from the shape, as the code says it: `in_features=400`."""

    layer: str
    name: str
    rule: Inference
    said: int | list[int]

    def problem(self, shape: Shape) -> tuple[str, str]:
        right = infer(self.rule, shape)
        said = [self.said] if isinstance(right, list) and isinstance(self.said, int) else self.said
        if said == right:
            return "", ""
        units = "features" if len(shape) == 1 else _UNITS[self.rule]
        told = f"{said} {units}" if isinstance(said, int) else f"shape {tuple(said)}"
        return f"{self.layer} takes {told}, but what arrives has {_text(right)}.", f"Set {self.name} to {_text(right)}, or change the layers before it."


@dataclass(frozen=True)
class Row:
    """`x.view(-1, 320)`: how many values of each sample come into one row."""

    said: int | Sized

    def problem(self, shape: Shape) -> tuple[str, str]:
        said, right = self.said if isinstance(self.said, int) else self.said.of(shape), prod(shape)
        if said == right:
            return "", ""
        return f"This makes rows of {said} values, but each sample has {right}, of shape {shape}.", "torch.flatten(x, 1) finds the number by itself."


@dataclass(frozen=True)
class Same:
    """`x.view(-1, 1, 28, 28)`, which is read where it changes nothing."""

    shape: Shape

    def problem(self, shape: Shape) -> tuple[str, str]:
        if shape == self.shape:
            return "", ""
        return (
            f"This makes shape {self.shape} of what has shape {shape}, and the playground has no layer for that.",
            "It can only lay out all values in one row.",
        )


@dataclass(frozen=True)
class Dimension:
    """The dimension along which a softmax runs, which the playground has as the last one."""

    said: object

    def problem(self, shape: Shape) -> tuple[str, str]:
        if self.said in (-1, len(shape)) or (self.said is None and len(shape) == 1):
            return "", ""
        return f"The playground’s softmax runs along the last dimension, not along {self.said}.", "Write dim=-1."


def fit(layers: list[Layer], given: list[Shape], stated: list[Shape], name: str) -> NetworkSpec:
    """The network that these layers are for the first of the input shapes that fits.

    Args:
        layers: as they are called, one after another.
        given: the input shape that somebody chose, and no other; empty where nobody did.
        stated: shapes that comments in the code tell, tried before the usual ones.
        name: what the network is called.

    Raises:
        CodeError: a size is not the one that arrives, or none of the usual shapes fits.
        ConfigError, ShapeError: the network or its input shape is none that the playground takes.
    """
    specs = tuple(layer.spec for layer in layers if layer.spec)
    tried: dict[Shape, CodeError] = {}
    for shape in given or _possible([*stated, *likely(layers)]):
        found = _problem(layers[: _deciding(layers)], shape)
        if found is None:
            found = _problem(layers, shape)
            if found:
                raise found
            spec = NetworkSpec(name, shape, specs)
            check(spec)
            return spec
        tried[shape] = found
    if not tried:
        raise CodeError("The code does not say what shape the input has.", _ASK)
    shape, first = next(iter(tried.items()))
    if len({str(error) for error in tried.values()}) == 1:
        raise first
    raise CodeError(f"No usual input shape fits this code. With {shape}: {first.message}", _ASK, None)


def _possible(shapes: list[Shape]) -> list[Shape]:
    """Those that the playground takes; where it takes none, all, so that it says why."""
    return [shape for shape in shapes if all(1 <= size <= MAX_SIZE for size in shape)] or shapes


def likely(layers: list[Layer]) -> list[Shape]:
    """The input shapes that the first layer which says a size allows, the most usual first."""
    flat = False
    for layer in layers:
        for claim in layer.claims:
            if isinstance(claim, Same):
                return [claim.shape]
            if isinstance(claim, Row) and isinstance(claim.said, int):
                return _rows(claim.said)
            if isinstance(claim, Argument):
                return _claimed(layer, claim, flat)
        flat = flat or (layer.spec is not None and layer.spec.type in ("Flatten", "AdaptiveAvgPool2d", "MaxPool2d", "AvgPool2d"))
    return []


def _claimed(layer: Layer, claim: Argument, flat: bool) -> list[Shape]:
    said = claim.said
    if isinstance(said, list):
        return [tuple(said)] if len(said) == 3 else _rows(prod(said)) if flat else [(prod(said),)]
    if claim.name == "num_features" and claim.layer == "BatchNorm2d":
        return _images(said)
    if claim.name == "in_channels":
        size = next((other.said for other in layer.claims if isinstance(other, Argument) and other.rule == "image_size"), None)
        return [(said, size, size)] if isinstance(size, int) else _images(said)
    return _rows(said) if flat else [(said,)]


def _images(channels: int) -> list[Shape]:
    first = [32, 28] if channels == 3 else [28, 32]  # colour pictures are mostly CIFAR's, grey ones MNIST's
    return [(channels, size, size) for size in [*first, *SIZES[2:]]]


def _rows(values: int) -> list[Shape]:
    """Images that have so many values, then the vector; then images from which pooling may have left so many."""
    exact = [(channels, isqrt(values // channels), isqrt(values // channels)) for channels in (1, 3) if 0 < values < 10**6]
    return [*(shape for shape in exact if shape[1] in SIZES and prod(shape) == values), (values,), *_images(1), *_images(3)]


def _deciding(layers: list[Layer]) -> int | None:
    """How many layers it takes to tell whether an input shape is meant: as far as the first size behind a Flatten.

    What does not fit behind it is a mistake in the code, and not another input.
    """
    flat = False
    for index, layer in enumerate(layers):
        flat = flat or (layer.spec is not None and layer.spec.type == "Flatten")
        if flat and any(_says_a_size(claim) for claim in layer.claims):
            return index + 1
    return None


def _says_a_size(claim: Claim) -> bool:
    return isinstance(claim, (Argument, Same)) or (isinstance(claim, Row) and isinstance(claim.said, int))


def _problem(layers: list[Layer], shape: Shape) -> CodeError | None:
    """What does not fit first, or None."""
    specs: list[LayerSpec] = [layer.spec for layer in layers if layer.spec]
    steps = iter(trace(NetworkSpec("read", shape, tuple(specs))) if specs else [])
    arriving: Shape = shape
    for layer in layers:
        step = next(steps) if layer.spec else None
        if step and step.error:
            return CodeError(f"{layer.name}: {step.error}", f"{step.fixes[0].title}." if step.fixes else "", layer.line)
        for claim in layer.claims:
            message, hint = claim.problem(arriving)
            if message:
                return CodeError(message, hint, layer.line)
        arriving = (step.out_shape or arriving) if step else arriving
    return None


def _text(value: int | list[int]) -> str:
    return str(tuple(value)) if isinstance(value, list) else str(value)
