"""Activations of every layer of a trained network for one image."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TypedDict

import torch
from torch import Tensor, nn

from playground.errors import ShapeError
from playground.inference.arithmetic import Calculation, write_out
from playground.inference.models import Model
from playground.inference.receptive_field import Box, receptive_field
from playground.messages import msg

MAX_MAPS = 64
"""Largest number of feature maps of a layer that are returned."""
MAX_VALUES = 40_000
"""Largest number of values of a layer that are returned: its first feature maps, or its first features."""
FLOAT16_MAX = 65_504.0
"""The largest float16 value: https://en.wikipedia.org/wiki/Half-precision_floating-point_format"""


class Ranges(TypedDict):
    """For each row and each column of a layer's output, the range of rows or columns, (first, last + 1), that can influence it."""

    rows: list[tuple[int, int]]
    columns: list[tuple[int, int]]


class Layer(TypedDict):
    """A layer without its values; a receptive field is None where input or output is not an image."""

    index: int
    type: str
    settings: str
    shape: list[int]
    receptive_field: Ranges | None
    """In the network's input."""
    window: Ranges | None
    """In the layer's own input."""


class Output(TypedDict):
    """The values of a layer, perhaps not all of them."""

    shape: list[int]
    low: float
    high: float
    values: str
    """float16 in base64; at most the first `MAX_MAPS` feature maps."""


def with_softmax(model: Model) -> list[nn.Module]:
    """Return the network's layers, with a softmax at the end unless the network has one."""
    layers = list(model.network)
    return layers if isinstance(layers[-1], nn.Softmax) else [*layers, nn.Softmax(dim=-1).eval()]


@torch.inference_mode()
def layer_outputs(model: Model, image: Tensor) -> list[Tensor]:
    """Compute the scaled input and the output of each layer, in order.

    Shape: ``(C, H, W)`` uint8 → the input and the outputs, each ``(1, …)`` float32 on the CPU.
    """
    value = model.prepare(image.unsqueeze(0))
    outputs = [value.cpu()]
    for layer in with_softmax(model):
        value = layer(value.clone())  # a layer may work in place
        outputs.append(value.cpu())
    return outputs


def describe_layers(model: Model) -> list[Layer]:
    """Describe the layers without an image."""
    shapes = [tuple(value.shape[1:]) for value in layer_outputs(model, torch.zeros(model.info.input_shape, dtype=torch.uint8))]
    layers = with_softmax(model)
    return [
        {
            "index": index,
            "type": type(layer).__name__,
            "settings": layer.extra_repr(),
            "shape": list(shapes[index + 1]),
            "receptive_field": _receptive_ranges(layers[: index + 1], shapes[: index + 2]),
            "window": _receptive_ranges([layer], shapes[index : index + 2]),
        }
        for index, layer in enumerate(layers)
    ]


def as_json(outputs: Sequence[Tensor]) -> list[Output]:
    """Return the outputs as plain data."""
    return [_encode(output[0]) for output in outputs]


def calculate(model: Model, image: Tensor, index: int, place: tuple[int, ...]) -> tuple[Calculation, Box | None]:
    """Write out the calculation of one value in a layer's output, with its receptive field in the network's input.

    Args:
        model: the network.
        image: ``(C, H, W)`` uint8.
        index: index of the layer.
        place: index of the value in the layer's output, without the batch dimension.

    Raises:
        ShapeError: the layer or the index does not exist.
    """
    layers = with_softmax(model)
    if not 0 <= index < len(layers):
        raise ShapeError(msg("There is no layer {index}; with the softmax, the layers are numbered from 0 to {last}.", index=index, last=len(layers) - 1))
    outputs = layer_outputs(model, image)
    calculation = write_out(layers[index], outputs[index], place)
    shapes = [tuple(value.shape[1:]) for value in outputs[1 : index + 2]]
    return calculation, receptive_field(layers[: index + 1], shapes, index, place, tuple(outputs[0].shape[1:]))


def _receptive_ranges(layers: list[nn.Module], shapes: list[tuple[int, ...]]) -> Ranges | None:
    """Return the receptive field of each row and column of the last output in the first input; `shapes[0]` is the shape of that input."""
    if len(shapes[0]) != 3 or len(shapes[-1]) != 3:
        return None
    _, height, width = shapes[-1]

    def box(row: int, column: int) -> Box:
        field = receptive_field(layers, shapes[1:], len(layers) - 1, (0, row, column), shapes[0])
        assert field is not None
        return field

    return {"rows": [box(row, 0)[0] for row in range(height)], "columns": [box(0, column)[1] for column in range(width)]}


def _encode(values: Tensor) -> Output:
    """Encode the first feature maps, or the first features, of one sample."""
    shape, selected = list(values.shape), values.detach().float()
    selected = selected[: max(1, min(MAX_MAPS, MAX_VALUES // (shape[1] * shape[2])))] if selected.dim() == 3 else selected.flatten()[:MAX_VALUES]
    halves = selected.nan_to_num(0.0, FLOAT16_MAX, -FLOAT16_MAX).clamp(-FLOAT16_MAX, FLOAT16_MAX).half().contiguous().numpy()
    text = base64.b64encode(halves.astype("<f2").tobytes()).decode()
    return {"shape": shape, "low": float(halves.min()), "high": float(halves.max()), "values": text}
