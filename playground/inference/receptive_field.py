"""Receptive fields: the pixels of the input image that can influence one value of a layer's output.

The layers are followed backwards, with the rows and the columns apart; pixels that a stride or a dilation skips are not included.
Source: Araujo et al., Computing receptive fields, https://distill.pub/2019/computing-receptive-fields/
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from torch import nn

from playground.errors import ShapeError, UnknownName
from playground.messages import msg
from playground.network.blocks import PatchEmbedding, ResidualBlock, TokenMean
from playground.network.catalogue import ACTIVATIONS, layer_type
from playground.network.trace import layer_class

Shape = tuple[int, ...]
Place = tuple[int, ...]
"""Index of one value in a tensor without the batch dimension: (channel, row, column), (token, feature) or (feature,)."""
Box = tuple[tuple[int, int], tuple[int, int]]
"""Rows and columns, each as (first, last + 1)."""
Indices = tuple[Collection[int], ...]
"""A selection of values in a tensor: indices for each dimension; every combination of them is selected."""
Rule = Callable[[Any, Shape, Shape, Indices], Indices]
"""(layer, input shape, output shape, values of the output) → the values of the input that influence them."""


class Cell(NamedTuple):
    """One row or one column of a window."""

    position: int
    """Its row or column in the input; negative or beyond the last one in the padding."""
    source: int | None
    """The row or column that its values are read from: its position, or the one that the padding copies; None in zero padding."""


def receptive_field(layers: Sequence[nn.Module], shapes: Sequence[Shape], index: int, place: Place, input_shape: Shape) -> Box | None:
    """Return the smallest box around all pixels of the input image that can influence one value.

    Args:
        layers: the layers of the network, in order.
        shapes: the output shape of each layer, without the batch dimension.
        index: index of the layer that computes the value.
        place: index of the value in that layer's output.
        input_shape: the input shape of the network, without the batch dimension.

    Returns:
        Rows and columns, clipped to the image; both (0, 0) if the value depends on padding only; None if the input is not an image.

    Raises:
        ShapeError: the layer's output has no such value.
        UnknownName: a layer is not in the catalogue.
    """
    require_place(place, shapes[index])
    if len(input_shape) != 3:
        return None
    indices: Indices = tuple((each,) for each in place)
    for layer_index in range(index, -1, -1):
        indices = influencing(layers[layer_index], shapes[layer_index - 1] if layer_index else input_shape, shapes[layer_index], indices)
    return bounding_box(indices[1], indices[2])


def require_place(place: Place, shape: Shape) -> None:
    """Raise an error unless an output of this shape has a value at this place.

    Raises:
        ShapeError: it has none.
    """
    if len(place) != len(shape) or not all(0 <= index < size for index, size in zip(place, shape, strict=True)):
        raise ShapeError(
            msg("The layer’s output has shape {shape}, so it has no value at {place}.", shape=shape, place=place), msg("Choose an index inside this shape.")
        )


def influencing(layer: nn.Module, in_shape: Shape, out_shape: Shape, indices: Indices) -> Indices:
    """Return the values of a layer's input that influence these values of its output.

    Raises:
        UnknownName: the layer is not in the catalogue.
    """
    if type(layer) not in RULES:
        raise UnknownName(msg("layer"), type(layer).__name__, (kind.__name__ for kind in RULES))
    return RULES[type(layer)](layer, in_shape, out_shape, indices)


def bounding_box(rows: Iterable[int], columns: Iterable[int]) -> Box:
    """Return the smallest box around these rows and columns; an empty one if there are no rows or no columns."""
    rows, columns = list(rows), list(columns)
    if not rows or not columns:
        return (0, 0), (0, 0)
    return (min(rows), max(rows) + 1), (min(columns), max(columns) + 1)


def window(layer: nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d, axis: int, index: int, size: int) -> list[Cell]:
    """List the rows or columns of the window that one row or column of the output is computed from.

    Args:
        layer: the convolution or pooling layer.
        axis: 0 for rows, 1 for columns.
        index: the row or column of the output.
        size: number of rows or columns of the input.
    """
    kernel, stride, padding, dilation = (_along(getattr(layer, name, 1), axis) for name in ("kernel_size", "stride", "padding", "dilation"))
    mode = getattr(layer, "padding_mode", "zeros")
    positions = range(index * stride - padding, index * stride - padding + kernel * dilation, dilation)
    return [Cell(position, _source(position, size, mode)) for position in positions]


def adaptive_window(index: int, size: int, outputs: int) -> range:
    """Return the rows or columns that adaptive pooling from `size` to `outputs` averages for one output.

    Source: `start_index` and `end_index` of ATen/native/AdaptivePooling.h in https://github.com/pytorch/pytorch
    """
    return range(index * size // outputs, -(-(index + 1) * size // outputs))


def _along(value: int | tuple[int, ...], axis: int) -> int:
    """Return a setting along one axis; PyTorch stores one number for both axes, or one for each."""
    return value[axis] if isinstance(value, tuple) else value


def _source(position: int, size: int, mode: str) -> int | None:
    if 0 <= position < size:
        return position
    if mode == "reflect":
        return -position if position < 0 else 2 * (size - 1) - position
    if mode == "replicate":
        return 0 if position < 0 else size - 1
    return position % size if mode == "circular" else None


def _elementwise(_layer: nn.Module, _in_shape: Shape, _out_shape: Shape, indices: Indices) -> Indices:
    return indices


def _all(_layer: nn.Module, in_shape: Shape, _out_shape: Shape, _indices: Indices) -> Indices:
    return tuple(range(size) for size in in_shape)


def _all_features(_layer: nn.Module, in_shape: Shape, _out_shape: Shape, indices: Indices) -> Indices:
    return (*indices[:-1], range(in_shape[-1]))


def _all_tokens(_layer: TokenMean, in_shape: Shape, _out_shape: Shape, indices: Indices) -> Indices:
    return range(in_shape[0]), indices[0]


def _layer_norm(layer: nn.LayerNorm, in_shape: Shape, _out_shape: Shape, indices: Indices) -> Indices:
    leading = len(in_shape) - len(layer.normalized_shape)
    return (*indices[:leading], *(range(size) for size in in_shape[leading:]))


def _windowed(layer: nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d, in_shape: Shape, _out_shape: Shape, indices: Indices) -> Indices:
    rows, columns = (
        {cell.source for index in indices[1 + axis] for cell in window(layer, axis, index, in_shape[1 + axis]) if cell.source is not None} for axis in (0, 1)
    )
    return range(in_shape[0]) if isinstance(layer, nn.Conv2d) else indices[0], rows, columns


def _adaptive(_layer: nn.AdaptiveAvgPool2d, in_shape: Shape, out_shape: Shape, indices: Indices) -> Indices:
    rows, columns = ({source for index in indices[axis] for source in adaptive_window(index, in_shape[axis], out_shape[axis])} for axis in (1, 2))
    return indices[0], rows, columns


def _flatten(_layer: nn.Flatten, in_shape: Shape, _out_shape: Shape, indices: Indices) -> Indices:
    return tuple(set(along_axis.tolist()) for along_axis in np.unravel_index(list(indices[0]), in_shape))


def _residual(layer: ResidualBlock, in_shape: Shape, out_shape: Shape, indices: Indices) -> Indices:
    """Follow the two convolutions; the field of the shortcut connection is the middle of theirs."""
    first, second = cast("nn.Conv2d", layer.body[0]), cast("nn.Conv2d", layer.body[3])
    return _windowed(first, in_shape, out_shape, _windowed(second, out_shape, out_shape, indices))


def _patches(layer: PatchEmbedding, in_shape: Shape, _out_shape: Shape, indices: Indices) -> Indices:
    patches_per_row = in_shape[2] // _along(layer.project.kernel_size, 1)
    patches = range(in_shape[0]), {token // patches_per_row for token in indices[0]}, {token % patches_per_row for token in indices[0]}
    return _windowed(layer.project, in_shape, (), patches)


RULES: dict[type[nn.Module], Rule] = {
    **dict.fromkeys((layer_class(layer_type(name).target) for name in ACTIVATIONS), _elementwise),
    **dict.fromkeys((nn.BatchNorm1d, nn.BatchNorm2d, nn.Dropout, nn.Dropout2d), _elementwise),
    **dict.fromkeys((nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d), _windowed),
    nn.AdaptiveAvgPool2d: _adaptive,
    nn.Linear: _all_features,
    nn.Softmax: _all_features,
    nn.LayerNorm: _layer_norm,
    nn.Flatten: _flatten,
    ResidualBlock: _residual,
    PatchEmbedding: _patches,
    nn.TransformerEncoderLayer: _all,
    TokenMean: _all_tokens,
}
"""A rule for each layer of the catalogue in evaluation mode, in which batch norm does not mix samples."""
