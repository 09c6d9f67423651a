"""The picture of a network at work on one image: columns of feature maps from left to right, and what flows between them.

A column shows the output of one layer with weights, together with the layers that follow it up to the next one. Of many layers, neighbours
share a column. What a unit (a feature map, a token or a feature) contributes to a unit of the next column is its values times the gradient
of the sum of that unit: in a linear layer, activation × weight. The same columns can show the weights, or the gradient of the prediction's score.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, TypedDict, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from playground.errors import UnknownName
from playground.inference.drawn_weights import draw_weights
from playground.messages import msg
from playground.network.blocks import PatchEmbedding, ResidualBlock, TokenMean

MAX_COLUMNS = 7
"""Columns between the input and the classes; of deeper networks, several layers share a column."""
MAX_MAPS = 12
MAX_TOKENS = 64
MAX_FEATURES = 48
TOKEN_FEATURES = 16
"""Features of a token that are drawn."""
MAX_CLASSES = 12
MAX_EDGES = 6
"""Strongest contributions to a unit that are drawn."""
VALUES = 14_000
"""Bytes of all columns' values, about: in base64, with the edges, a picture has at most 30 kB."""
SMALLEST_SIDE, LARGEST_SIDE = 7, 28
"""Rows and columns of a feature map as it is drawn."""

WITH_WEIGHTS = (nn.Conv2d, nn.Linear, ResidualBlock, PatchEmbedding, nn.TransformerEncoderLayer)
RESHAPING = (nn.Flatten, nn.AdaptiveAvgPool2d, TokenMean)
"""Layers that begin the column of the next layer with weights, so that its input is seen as it was before them."""

View = Literal["values", "weights", "gradient"]
"""What units and edges show: outputs and contributions; kernels and the sizes of weights; or how the score of the predicted class would
change with each output, and how this gradient flows back."""

VIEWS: tuple[View, ...] = get_args(View)


class Column(TypedDict):
    """The output of some layers: of each unit that is drawn its values, and what comes from the column before; or the same of another view."""

    layers: tuple[int, int]
    """The first layer and the one after the last; both 0 for the network's input."""
    types: list[str]
    blocks: int
    """Layers with weights in it; several can be unfolded."""
    shape: list[int]
    """Of the output, without the batch."""
    units: list[int]
    """Those that are drawn, ascending: the feature maps with the largest weights, tokens and features evenly spaced."""
    size: tuple[int, int]
    """Rows and columns of a unit as it is drawn."""
    values: str
    """Of all drawn units, row by row: bytes with a sign, in base64; 127 is `scale`."""
    scale: float
    """The largest absolute value."""
    edges: str
    """Three bytes each, in base64: places among the units of the column before and of this one, and the contribution, with a sign; 127 is the largest."""


class NetworkPicture(TypedDict):
    """A network at work on one image."""

    view: View
    columns: list[Column]
    """The input, the layers, and the classes at the end."""
    probabilities: list[float]
    """Of every class."""


Span = tuple[int, int]
"""A range of layers: the first, and the one after the last."""


def draw_network(layers: Sequence[nn.Module], image: Tensor, scaled: Tensor, unfolded: int | None = None, view: View = "values") -> NetworkPicture:
    """Draw a network in evaluation mode at work on an image.

    Args:
        layers: of the network, whose weights record no gradients.
        image: ``(C, H, W)`` uint8, as the first column shows it; or ``(F,)``.
        scaled: ``(1, C, H, W)`` float32, as the network gets it; or ``(1, F)``.
        unfolded: index of a layer that gets a column of its own, with those that would share its column.
        view: what units and edges show.
    """
    spans = columns_of(layers, unfolded)
    outputs = [scaled]
    with torch.no_grad():
        for first, last in spans:
            outputs.append(_run(layers[first:last], outputs[-1]))
    gradients = _gradients(layers, spans, scaled) if view == "gradient" else None
    units = [
        _evenly(scaled.shape[1], MAX_FEATURES),
        *(_drawn_units(layers[first:last], output[0]) for (first, last), output in zip(spans, outputs[1:], strict=True)),
    ]
    units[-1] = _drawn_classes(outputs[-1][0])
    side = _side(outputs[1:-1])
    columns = [_input_column(image, gradients[0][0] if gradients else None)]
    for place, (span, (before, output)) in enumerate(zip(spans, pairwise(outputs), strict=True)):
        inside, drawn = layers[slice(*span)], units[place + 1]
        sources = None if place == 0 and scaled.dim() == 4 else units[place]
        if gradients:
            shown = _as_drawn(gradients[place + 1][0, drawn].float(), side)
            known = _from(sources, _flow(inside, before, drawn, gradients[place + 1]))
        elif view == "weights":
            shown, known = draw_weights(inside, before, output, drawn, sources)
        else:
            shown, known = _as_drawn(output[0, drawn].float(), side), _from(sources, _contributions(inside, before, drawn))
        columns.append(_column(span, layers, output[0], drawn, shown, known))
    return {"view": view, "columns": columns, "probabilities": _probabilities(layers, outputs[-1][0])}


def view_named(name: str) -> View:
    """Return the view called `name`; the values if it is empty.

    Raises:
        UnknownName: there is none of that name.
    """
    for view in VIEWS:
        if view == (name or VIEWS[0]):
            return view
    raise UnknownName(msg("view"), name, VIEWS)


def columns_of(layers: Sequence[nn.Module], unfolded: int | None = None) -> list[Span]:
    """Divide layers into columns: at most `MAX_COLUMNS` and the classes, and those that `unfolded` asks for."""
    starts = [_start(layers, before, index) for before, index in pairwise(index for index, layer in enumerate(layers) if isinstance(layer, WITH_WEIGHTS))]
    blocks = list(pairwise([0, *starts, len(layers)]))
    hidden, classes = blocks[:-1], blocks[-1]
    if len(hidden) <= MAX_COLUMNS:
        return blocks
    cuts = [round(place * len(hidden) / MAX_COLUMNS) for place in range(MAX_COLUMNS + 1)]
    spans: list[Span] = []
    for group in (hidden[start:end] for start, end in pairwise(cuts)):
        span = (group[0][0], group[-1][1])
        is_unfolded = unfolded is not None and span[0] <= unfolded < span[1]
        spans += group if is_unfolded else [span]
    return [*spans, classes]


def _start(layers: Sequence[nn.Module], before: int, index: int) -> int:
    """Return where the column of the layer `index` begins, if the one before has the layer `before`."""
    return next((between for between in range(before + 1, index) if isinstance(layers[between], RESHAPING)), index)


def _run(layers: Sequence[nn.Module], value: Tensor) -> Tensor:
    value = value.clone()  # the first layer may work in place
    for layer in layers:
        value = layer(value)
    return value


def _drawn_units(layers: Sequence[nn.Module], output: Tensor) -> list[int]:
    """Choose units by the weights alone, so that the same ones are drawn for every image."""
    count = len(output)
    if output.dim() != 3:
        return _evenly(count, MAX_TOKENS if output.dim() == 2 else MAX_FEATURES)
    filters = [weight.flatten(1).norm(dim=1) for layer in layers for weight in layer.parameters() if weight.dim() > 1 and len(weight) == count]
    if count <= MAX_MAPS or not filters:
        return _evenly(count, MAX_MAPS)
    gains = [layer.weight.abs() for layer in layers if isinstance(layer, nn.BatchNorm2d) and layer.weight is not None]
    strength = filters[-1] * gains[-1] if gains and len(gains[-1]) == count else filters[-1]
    return sorted(strength.topk(MAX_MAPS).indices.tolist())


def _evenly(count: int, most: int) -> list[int]:
    return list(range(count)) if count <= most else [place * count // most for place in range(most)]


def _drawn_classes(logits: Tensor) -> list[int]:
    flat = logits.flatten()
    return sorted(flat.topk(min(MAX_CLASSES, len(flat))).indices.tolist())


def _side(hidden: Sequence[Tensor]) -> int:
    """Return how many rows and columns of a feature map can be drawn, so that all of them keep within `VALUES`."""
    maps = sum(min(output.shape[1], MAX_MAPS) for output in hidden if output.dim() == 4)
    return max(SMALLEST_SIDE, min(LARGEST_SIDE, int((VALUES / max(1, maps)) ** 0.5)))


def _gradients(layers: Sequence[nn.Module], spans: Sequence[Span], scaled: Tensor) -> list[Tensor]:
    """Compute the gradient of the largest output with respect to the input and to the output of each column."""
    with torch.enable_grad():
        outputs = [scaled.clone().requires_grad_()]
        for first, last in spans:
            outputs.append(_run(layers[first:last], outputs[-1]))
    return list(torch.autograd.grad(outputs[-1].max(), outputs))


def _from(sources: list[int] | None, known: Tensor) -> Tensor:
    """Select what comes from some units, or add up what comes from all channels of an image."""
    return known.sum(dim=1, keepdim=True) if sources is None else known[:, sources]


def _contributions(layers: Sequence[nn.Module], before: Tensor, units: list[int]) -> Tensor:
    """Compute what each unit before the layers contributes to some units after them: ``(units, units before)``."""
    if isinstance(layers[0], nn.TransformerEncoderLayer) and not any(isinstance(layer, WITH_WEIGHTS) for layer in layers[1:]):
        return _attention(layers[0], before)[units]
    gradient = _backward(layers, before, units, torch.ones(()))
    return (before * gradient).unsqueeze(-1).flatten(2).sum(dim=2)


def _flow(layers: Sequence[nn.Module], before: Tensor, units: list[int], upstream: Tensor) -> Tensor:
    """Compute the norm of the gradient that flows from some units back to each unit before the layers: ``(units, units before)``."""
    flow: Tensor = _backward(layers, before, units, upstream[0, units]).unsqueeze(-1).flatten(2).norm(dim=2)
    return flow


def _backward(layers: Sequence[nn.Module], before: Tensor, units: list[int], upstream: Tensor) -> Tensor:
    """Compute what flows back from each of some units, whose gradient is `upstream`: ``(units, …)``, each as large as what is before the layers."""
    with torch.enable_grad():
        copies = before.expand(len(units), *before.shape[1:]).clone().requires_grad_()
        outputs = _run(layers, copies)
        (gradient,) = torch.autograd.grad((outputs[range(len(units)), units] * upstream).sum(), copies)
    return gradient.detach()


def _attention(layer: nn.TransformerEncoderLayer, tokens: Tensor) -> Tensor:
    """Return how strongly each token attends to each other one, the mean over the heads: ``(T, T)``, each row adding up to 1."""
    with torch.no_grad():
        attending = layer.norm1(tokens) if layer.norm_first else tokens
        weights: Tensor = layer.self_attn(attending, attending, attending, need_weights=True)[1]
    return weights[0]


def _input_column(image: Tensor, gradient: Tensor | None) -> Column:
    units = _evenly(len(image), MAX_FEATURES)
    values = (image[units].to(torch.int16) // 2).to(torch.int8)  # 0 to 255 → 0 to 127
    if gradient is not None:
        values = _shares(gradient.norm(dim=0) if image.dim() == 3 else gradient[units])  # of all channels together
    size = (image.shape[1], image.shape[2]) if image.dim() == 3 else (1, 1)
    return {
        "layers": (0, 0), "types": [], "blocks": 0, "shape": list(image.shape), "units": units, "size": size,
        "values": _encode(values), "scale": 1.0, "edges": "",
    }  # fmt: skip


def _column(span: Span, layers: Sequence[nn.Module], output: Tensor, units: list[int], drawn: Tensor, contributions: Tensor) -> Column:
    drawn = drawn.nan_to_num(0.0, 0.0, 0.0)  # what is not finite is drawn as zero
    scale = float(drawn.abs().max())
    return {
        "layers": span,
        "types": [type(layer).__name__ for layer in layers[span[0] : span[1]]],
        "blocks": sum(isinstance(layer, WITH_WEIGHTS) for layer in layers[span[0] : span[1]]),
        "shape": list(output.shape),
        "units": units,
        "size": (drawn.shape[1], drawn.shape[2]),
        "values": _encode(_shares(drawn)),
        "scale": scale,
        "edges": _encode(_edges(contributions.nan_to_num(0.0, 0.0, 0.0))),
    }


def _as_drawn(units: Tensor, side: int) -> Tensor:
    """Reduce units to a drawing each, ``(units, rows, columns)``: feature maps to their means over squares, tokens to their first features."""
    if units.dim() == 3:
        return F.adaptive_avg_pool2d(units, (min(side, units.shape[1]), min(side, units.shape[2])))
    if units.dim() == 2:
        features = units[:, :TOKEN_FEATURES]
        rows = max(1, int(features.shape[1] ** 0.5))
        return features[:, : features.shape[1] // rows * rows].reshape(len(features), rows, -1)
    return units[:, None, None]


def _edges(contributions: Tensor) -> Tensor:
    """Return the `MAX_EDGES` strongest contributions to each unit, ``(edges, 3)``; those that would not be seen are left out."""
    shares = _shares(contributions)
    strongest = contributions.abs().topk(min(MAX_EDGES, contributions.shape[1]), dim=1).indices
    triples = [
        (source, target, share)
        for target, sources in enumerate(strongest.tolist())
        for source, share in ((source, int(shares[target, source])) for source in sources)
        if abs(share) > 1
    ]
    return torch.tensor(triples, dtype=torch.int8).reshape(-1, 3)


def _shares(values: Tensor) -> Tensor:
    """Return values in shares of the largest absolute value, as int8 with 127 for the whole."""
    largest = values.abs().max().clamp_min(1e-12)
    return (values / largest * 127).round().to(torch.int8)


def _probabilities(layers: Sequence[nn.Module], output: Tensor) -> list[float]:
    scores = output.flatten()
    has_softmax = len(layers) > 0 and isinstance(layers[-1], nn.Softmax)
    probabilities: list[float] = (scores if has_softmax else scores.softmax(dim=0)).nan_to_num(0.0).tolist()
    return probabilities


def _encode(values: Tensor) -> str:
    return base64.b64encode(values.contiguous().numpy().tobytes()).decode()
