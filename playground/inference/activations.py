"""What every layer of a trained network answers to one image."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from playground.errors import ShapeError
from playground.inference.arithmetic import Calculation, write_out
from playground.inference.models import Model
from playground.inference.receptive_field import receptive_field

PLANES = 64
"""Feature maps of a layer that are told, at most."""
VALUES = 40_000
"""Values of a layer that are told, at most: its first maps, or the start of its row."""
LARGEST = 65_504.0
"""The largest number of 16 bits: https://en.wikipedia.org/wiki/Half-precision_floating-point_format"""


def with_softmax(model: Model) -> list[nn.Module]:
    """The network's layers, and the softmax that turns its logits into probabilities, where the network has none itself."""
    layers = list(model.network)
    return layers if isinstance(layers[-1], nn.Softmax) else [*layers, nn.Softmax(dim=-1).eval()]


@torch.inference_mode()
def layer_outputs(model: Model, image: Tensor) -> list[Tensor]:
    """The network's input as it arrives, and what each layer makes of it, in the order of the stack.

    Shape: (C, H, W) uint8 → the input and the outputs, each (1, …) float32 on the CPU.
    """
    value = model.prepare(image.unsqueeze(0))
    seen = [value.cpu()]
    for layer in with_softmax(model):
        value = layer(value.clone())  # a layer may work in place
        seen.append(value.cpu())
    return seen


def describe_layers(model: Model) -> list[dict[str, Any]]:
    """What does not depend on the image: of each layer its `index`, `type`, `shape`, and where its pixels look.

    `field` has for each row and each column of an image the first row (column) of the network's input that can influence it, and the one
    behind the last; `before` the same for what the layer receives. Both are None where there is no image.
    """
    shapes = [tuple(value.shape[1:]) for value in layer_outputs(model, torch.zeros(model.info.input_shape, dtype=torch.uint8))]
    layers = with_softmax(model)
    return [
        {
            "index": index,
            "type": type(layer).__name__,
            "settings": layer.extra_repr(),
            "shape": list(shapes[index + 1]),
            "field": _field(layers[: index + 1], shapes[: index + 2]),
            "before": _field([layer], shapes[index : index + 2]),
        }
        for index, layer in enumerate(layers)
    ]


def as_json(outputs: Sequence[Tensor]) -> list[dict[str, Any]]:
    """The outputs as they are drawn: `shape`, `low` and `high` of all its values, and `values`, 16 bits each in base64, the first maps of many."""
    return [_told(output[0]) for output in outputs]


def written(model: Model, image: Tensor, index: int, place: tuple[int, ...]) -> tuple[Calculation, tuple[tuple[int, int], ...] | None]:
    """How one number in a layer's output came about, and the box of the network's input that can influence it.

    Args:
        model: the network.
        image: (C, H, W) uint8.
        index: the layer.
        place: of the number, the batch left out.

    Raises:
        ShapeError: there is no such layer or place.
    """
    layers = with_softmax(model)
    if not 0 <= index < len(layers):
        raise ShapeError(f"There is no layer {index}; the network has {len(layers)}, the softmax counted.")
    seen = layer_outputs(model, image)
    found = write_out(layers[index], seen[index], place)
    return found, receptive_field(layers[: index + 1], [tuple(value.shape[1:]) for value in seen[1 : index + 2]], index, place, tuple(seen[0].shape[1:]))


def _field(layers: list[nn.Module], shapes: list[tuple[int, ...]]) -> dict[str, list[list[int]]] | None:
    """For each row and column of the last output the range of those of the first input; `shapes` begins with that input's."""
    if len(shapes[0]) != 3 or len(shapes[-1]) != 3:
        return None
    _, height, width = shapes[-1]

    def box(row: int, column: int) -> tuple[tuple[int, int], ...]:
        found = receptive_field(layers, shapes[1:], len(layers) - 1, (0, row, column), shapes[0])
        assert found is not None
        return found

    return {"rows": [list(box(row, 0)[0]) for row in range(height)], "columns": [list(box(0, column)[1]) for column in range(width)]}


def _told(values: Tensor) -> dict[str, Any]:
    shape, shown = list(values.shape), values.detach().float()
    shown = shown[: max(1, min(PLANES, VALUES // (shape[1] * shape[2])))] if shown.dim() == 3 else shown.flatten()[:VALUES]
    halves = shown.nan_to_num(0.0, LARGEST, -LARGEST).clamp(-LARGEST, LARGEST).half().contiguous().numpy()
    text = base64.b64encode(halves.astype("<f2").tobytes()).decode()
    return {"shape": shape, "low": float(halves.min()), "high": float(halves.max()), "values": text}
