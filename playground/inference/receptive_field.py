"""The part of the input image on which one number of one layer depends.

The layers are followed backwards, each side of the image by itself, and what a stride or a dilation leaves out stays left out.
Source: Araujo et al., Computing receptive fields, https://distill.pub/2019/computing-receptive-fields/
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from torch import nn

from playground.errors import ShapeError, UnknownName
from playground.network.blocks import PatchEmbedding, ResidualBlock, TokenMean

Shape = tuple[int, ...]
Place = tuple[int, ...]
"""Indices of one number, the batch left out: (channel, row, column), (token, feature) or (feature,)."""
Box = tuple[tuple[int, int], tuple[int, int]]
"""Rows and columns, each from the first to the one behind the last."""
Numbers = tuple[Collection[int], ...]
"""Which numbers of an input or an output are meant: indices for each dimension, of which every combination is meant."""
Rule = Callable[[Any, Shape, Shape, Numbers], Numbers]
"""(layer, shape in, shape out, numbers of the output) → the numbers of the input on which these depend."""


class Cell(NamedTuple):
    """One row or one column of a window."""

    position: int
    """Where it lies in the input; below 0 or behind the last in the padding."""
    source: int | None
    """Where its numbers come from: its position, or where padding is a copy the position copied; None in empty padding."""


def receptive_field(layers: Sequence[nn.Module], shapes: Sequence[Shape], index: int, place: Place, input_shape: Shape) -> Box | None:
    """The smallest box of the input image around all pixels that can influence one number.

    Args:
        layers: the network's, in their order.
        shapes: of each layer's output, the batch left out.
        index: of the layer that gives the number.
        place: of the number in that layer's output.
        input_shape: of the network's input, the batch left out.

    Returns:
        Rows and columns, clipped to the image; two empty ones, (0, 0), where only padding is seen; None where the input is no image.

    Raises:
        ShapeError: the layer's output has no such place.
        UnknownName: a layer is of no kind of the catalogue.
    """
    check_place(place, shapes[index])
    if len(input_shape) != 3:
        return None
    numbers: Numbers = tuple((each,) for each in place)
    for at in range(index, -1, -1):
        numbers = influencing(layers[at], shapes[at - 1] if at else input_shape, shapes[at], numbers)
    return box_of(numbers[1], numbers[2])


def check_place(place: Place, shape: Shape) -> None:
    """Refuse a place that an output of `shape` does not have.

    Raises:
        ShapeError: there is no such place.
    """
    if len(place) != len(shape) or not all(0 <= at < size for at, size in zip(place, shape, strict=True)):
        raise ShapeError(f"The layer’s output has shape {shape}, so it has no number at {place}.", "Choose a number inside of the output.")


def influencing(layer: nn.Module, in_shape: Shape, out_shape: Shape, numbers: Numbers) -> Numbers:
    """The numbers of a layer's input on which those of its output depend.

    Raises:
        UnknownName: the layer is of no kind of the catalogue.
    """
    if type(layer) not in RULES:
        raise UnknownName("layer", type(layer).__name__, (kind.__name__ for kind in RULES))
    return RULES[type(layer)](layer, in_shape, out_shape, numbers)


def box_of(rows: Iterable[int], columns: Iterable[int]) -> Box:
    """The smallest box around these rows and columns; empty where there are none of either."""
    rows, columns = list(rows), list(columns)
    if not rows or not columns:
        return (0, 0), (0, 0)
    return (min(rows), max(rows) + 1), (min(columns), max(columns) + 1)


def window(layer: nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d, side: int, at: int, size: int) -> list[Cell]:
    """The rows (`side` 0) or columns (`side` 1) of the window from which an output is computed.

    Args:
        at: the output's row or column.
        size: how many rows or columns the input has.
    """
    kernel, stride, padding, dilation = (_along(getattr(layer, name, 1), side) for name in ("kernel_size", "stride", "padding", "dilation"))
    mode = getattr(layer, "padding_mode", "zeros")
    positions = range(at * stride - padding, at * stride - padding + kernel * dilation, dilation)
    return [Cell(position, _source(position, size, mode)) for position in positions]


def share(at: int, size: int, outputs: int) -> range:
    """The rows or columns that adaptive pooling of `size` to `outputs` takes for the output `at`.

    Source: `start_index` and `end_index` of ATen/native/AdaptivePooling.h in https://github.com/pytorch/pytorch
    """
    return range(at * size // outputs, -(-(at + 1) * size // outputs))


def _along(value: int | tuple[int, ...], side: int) -> int:
    """A setting that torch keeps as one number for both sides, or as one for each."""
    return value[side] if isinstance(value, tuple) else value


def _source(position: int, size: int, mode: str) -> int | None:
    if 0 <= position < size:
        return position
    if mode == "reflect":
        return -position if position < 0 else 2 * (size - 1) - position
    if mode == "replicate":
        return 0 if position < 0 else size - 1
    return position % size if mode == "circular" else None


def _same(_layer: nn.Module, _in_shape: Shape, _out_shape: Shape, numbers: Numbers) -> Numbers:
    return numbers


def _all(_layer: nn.Module, in_shape: Shape, _out_shape: Shape, _numbers: Numbers) -> Numbers:
    return tuple(range(size) for size in in_shape)


def _all_features(_layer: nn.Module, in_shape: Shape, _out_shape: Shape, numbers: Numbers) -> Numbers:
    return (*numbers[:-1], range(in_shape[-1]))


def _all_tokens(_layer: TokenMean, in_shape: Shape, _out_shape: Shape, numbers: Numbers) -> Numbers:
    return range(in_shape[0]), numbers[0]


def _normalised(layer: nn.LayerNorm, in_shape: Shape, _out_shape: Shape, numbers: Numbers) -> Numbers:
    kept = len(in_shape) - len(layer.normalized_shape)
    return (*numbers[:kept], *(range(size) for size in in_shape[kept:]))


def _windowed(layer: nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d, in_shape: Shape, _out_shape: Shape, numbers: Numbers) -> Numbers:
    rows, columns = (
        {cell.source for at in numbers[1 + side] for cell in window(layer, side, at, in_shape[1 + side]) if cell.source is not None} for side in (0, 1)
    )
    return range(in_shape[0]) if isinstance(layer, nn.Conv2d) else numbers[0], rows, columns


def _shared(_layer: nn.AdaptiveAvgPool2d, in_shape: Shape, out_shape: Shape, numbers: Numbers) -> Numbers:
    rows, columns = ({each for at in numbers[side] for each in share(at, in_shape[side], out_shape[side])} for side in (1, 2))
    return numbers[0], rows, columns


def _unflattened(_layer: nn.Flatten, in_shape: Shape, _out_shape: Shape, numbers: Numbers) -> Numbers:
    return tuple(set(indices.tolist()) for indices in np.unravel_index(list(numbers[0]), in_shape))


def _residual(layer: ResidualBlock, in_shape: Shape, out_shape: Shape, numbers: Numbers) -> Numbers:
    """Through the two convolutions; the way around sees the middle of what they see."""
    first, second = cast("nn.Conv2d", layer.body[0]), cast("nn.Conv2d", layer.body[3])
    return _windowed(first, in_shape, out_shape, _windowed(second, out_shape, out_shape, numbers))


def _patches(layer: PatchEmbedding, in_shape: Shape, _out_shape: Shape, numbers: Numbers) -> Numbers:
    in_row = in_shape[2] // _along(layer.project.kernel_size, 1)
    places = range(in_shape[0]), {token // in_row for token in numbers[0]}, {token % in_row for token in numbers[0]}
    return _windowed(layer.project, in_shape, (), places)


RULES: dict[type[nn.Module], Rule] = {
    **dict.fromkeys((nn.ReLU, nn.LeakyReLU, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh), _same),
    **dict.fromkeys((nn.BatchNorm1d, nn.BatchNorm2d, nn.Dropout), _same),
    **dict.fromkeys((nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d), _windowed),
    nn.AdaptiveAvgPool2d: _shared,
    nn.Linear: _all_features,
    nn.Softmax: _all_features,
    nn.LayerNorm: _normalised,
    nn.Flatten: _unflattened,
    ResidualBlock: _residual,
    PatchEmbedding: _patches,
    nn.TransformerEncoderLayer: _all,
    TokenMean: _all_tokens,
}
"""A rule for each kind of the catalogue; batch norm is meant as it is in use, where samples do not mix."""
