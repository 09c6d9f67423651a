"""Receptive fields: the part of the input image on which the values of each layer depend.

They are arithmetic on shapes: no module is built, and PyTorch is not imported.
Source: Araujo et al., Computing receptive fields, https://distill.pub/2019/computing-receptive-fields/
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from playground.network.catalogue import Settings
from playground.network.spec import NetworkSpec
from playground.network.trace import ShapeStep
from playground.network.types import Shape


@dataclass(frozen=True)
class Extent:
    """Extent of a receptive field along one axis of the input image, in pixels."""

    size: int
    """Number of pixels from the first to the last that the middle output depends on, padding and gaps of a dilation included."""
    effective_stride: int | None
    """Distance between the fields of neighbouring outputs; 0 where all outputs have the same field, None where the distances differ, as in uneven
    adaptive pooling."""
    start: int
    """Index of the first pixel that the first output depends on; negative in the padding."""


@dataclass(frozen=True)
class ReceptiveField:
    """The part of the input image on which one value of a layer depends."""

    height: Extent
    width: Extent
    covers_image: bool
    """Whether every value depends on the whole image."""


def receptive_fields(spec: NetworkSpec, steps: Iterable[ShapeStep]) -> list[ReceptiveField | None]:
    """Return the receptive field of each traced layer; None for a layer that does not fit, and for all layers of a network that takes no image.

    A layer that mixes all positions, such as Linear after Flatten, attention or a mean over tokens, depends on every pixel that any of its inputs
    depends on: the whole image, except for edge rows that a stride leaves out. Flatten alone only moves values and changes no field.
    """
    axes = [_Axis(spec.input_shape[1], 1), _Axis(spec.input_shape[2], 2)] if len(spec.input_shape) == 3 else []
    fields: list[ReceptiveField | None] = []
    for step in steps:
        if not axes or step.in_shape is None or step.out_shape is None:
            fields.append(None)
            continue
        for axis in axes:
            axis.add_layer(step.layer.type, step.in_shape, step.out_shape, step.layer.settings)
        fields.append(ReceptiveField(axes[0].extent(), axes[1].extent(), all(axis.covers_image() for axis in axes)))
    return fields


@dataclass(frozen=True)
class _Window:
    """A window that slides along one axis: convolution, pooling, or, with stride 0, a layer that mixes all positions."""

    span: int
    stride: int | None
    padding: int

    def input_range(self, first: int, last: int) -> tuple[int, int]:
        """Return the first and the last input on which the outputs from `first` to `last` depend."""
        stride = self.stride or 0
        return first * stride - self.padding, last * stride - self.padding + self.span - 1


@dataclass(frozen=True)
class _UnevenWindows(_Window):
    """Adaptive pooling of `span` inputs to `outputs` windows of different sizes."""

    outputs: int = 1

    def input_range(self, first: int, last: int) -> tuple[int, int]:
        first, last = max(first, 0), min(last, self.outputs - 1)
        return first * self.span // self.outputs, -(-(last + 1) * self.span // self.outputs) - 1


class _Axis:
    """One axis of the image, with the windows of the layers so far and the number of output positions after them.

    Args:
        pixels: size of the input image along the axis.
        dimension: index of the axis in the shape of a sample, ``(C, H, W)``.
    """

    def __init__(self, pixels: int, dimension: int) -> None:
        self.pixels, self.dimension = pixels, dimension
        self.positions = pixels
        self.windows: list[_Window] = []

    def add_layer(self, name: str, in_shape: Shape, out_shape: Shape, params: Settings) -> None:
        """Append the windows of a layer and update the number of positions."""
        if _mixes_positions(name, in_shape):
            self.windows.append(_Window(self.positions, 0, 0))
            self.positions = out_shape[self.dimension] if len(out_shape) == 3 else 1
        elif name == "PatchEmbedding":
            self.windows.append(_Window(params["patch_size"], params["patch_size"], 0))
            self.positions //= params["patch_size"]
        elif len(out_shape) == 3:
            self.windows += _image_windows(name, self.positions, params)
            self.positions = out_shape[self.dimension]

    def pixel_range(self, first: int, last: int) -> tuple[int, int]:
        """Return the first and the last pixel on which the outputs from `first` to `last` depend; outside the image in the padding."""
        for window in reversed(self.windows):
            first, last = window.input_range(first, last)
        return first, last

    def extent(self) -> Extent:
        first, last = self.pixel_range(self.positions // 2, self.positions // 2)
        strides = [window.stride for window in self.windows]
        if 0 in strides:  # after a layer that mixes all positions, every output depends on the same pixels
            first, last = max(first, 0), min(last, self.pixels - 1)
            return Extent(last - first + 1, 0, first)
        effective_stride = prod(stride for stride in strides if stride) if None not in strides else None
        return Extent(last - first + 1, effective_stride, self.pixel_range(0, 0)[0])

    def covers_image(self) -> bool:
        """Return whether the first and the last output, and so every one between them, depend on all pixels."""
        return self.pixel_range(self.positions - 1, self.positions - 1)[0] <= 0 and self.pixel_range(0, 0)[1] >= self.pixels - 1


def _mixes_positions(name: str, in_shape: Shape) -> bool:
    """Return whether every output of the layer depends on all positions of its input."""
    if name in ("TransformerEncoderLayer", "TokenMean"):
        return True
    return (name in ("Linear", "Softmax", "LayerNorm") and len(in_shape) == 1) or (name == "LayerNorm" and len(in_shape) == 3)


def _image_windows(name: str, size: int, params: Settings) -> list[_Window]:
    """Return the windows of a layer from images to images along an axis of `size` positions; [] for a layer that works on single values."""
    if name == "ResidualBlock":
        return [_Window(3, params["stride"], 1), _Window(3, 1, 1)]
    if name == "AdaptiveAvgPool2d":
        outputs = params["output_size"]
        return [_Window(size // outputs, size // outputs, 0) if size % outputs == 0 else _UnevenWindows(size, None, 0, outputs)]
    if "kernel_size" in params:
        return [_Window(params.get("dilation", 1) * (params["kernel_size"] - 1) + 1, params["stride"], params["padding"])]
    return []
