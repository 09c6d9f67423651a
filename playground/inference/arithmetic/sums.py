"""Calculations of layers whose outputs are weighted sums, means or the maximum of a window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

from torch import Tensor, nn

from playground.inference.arithmetic.calculation import Calculation, Term, from_terms
from playground.inference.receptive_field import Place, adaptive_window, window
from playground.network.blocks import TokenMean

MEAN = "z = Σ x ÷ n"


def linear(layer: nn.Linear, inputs: Tensor, place: Place) -> Calculation:
    """Write out a weighted sum of all features, or of those of one token.

    Args:
        layer: the layer.
        inputs: ``(F,)`` or ``(T, F)`` in float64.
        place: (output,) or (token, output).
    """
    bias = None if layer.bias is None else layer.bias[place[-1]].item()
    return weighted_sum(layer.weight[place[-1]], bias, inputs, place)


def weighted_sum(weights: Tensor, bias: float | None, inputs: Tensor, place: Place) -> Calculation:
    """Write out one output of a linear layer.

    Args:
        weights: ``(F,)``, the weights of this output.
        bias: the bias of this output; None for a layer without one.
        inputs: ``(F,)`` or ``(T, F)`` in float64.
        place: (output,) or (token, output).
    """
    token = place[:-1]
    pairs = zip(inputs[token].tolist(), weights.tolist(), strict=True)
    terms = [Term((*token, feature), x, w, w * x) for feature, (x, w) in enumerate(pairs)]
    return from_terms(terms, formula=_sum_formula(bias), place=place, result=sum_products(terms, bias), bias=bias, grid=(len(terms),))


def convolution(layer: nn.Conv2d, inputs: Tensor, place: Place) -> Calculation:
    """Write out the sum of all products of the window with the filter.

    Args:
        layer: the layer.
        inputs: ``(C, H, W)`` in float64.
        place: (channel, row, column).
    """
    channels, height, width = inputs.shape
    rows, columns = window(layer, 0, place[1], height), window(layer, 1, place[2], width)
    values, weights = inputs.tolist(), layer.weight[place[0]].flatten().tolist()
    terms = []
    for (channel, row, column), w in zip(product(range(channels), rows, columns), weights, strict=True):
        source = None if row.source is None or column.source is None else (channel, row.source, column.source)
        x = 0.0 if source is None else values[channel][row.source][column.source]
        is_padding = source != (channel, row.position, column.position)
        terms.append(Term(None if is_padding else source, x, w, w * x, source if is_padding else None))
    bias = None if layer.bias is None else layer.bias[place[0]].item()
    grid = (channels, len(rows), len(columns))
    return from_terms(terms, formula=_sum_formula(bias), place=place, result=sum_products(terms, bias), bias=bias, grid=grid)


def max_pooling(layer: nn.MaxPool2d, inputs: Tensor, place: Place) -> Calculation:
    """Write out the maximum of a window: the largest value has weight 1, the others have weight 0.

    Args:
        layer: the layer.
        inputs: ``(C, H, W)`` in float64.
        place: (channel, row, column).
    """
    places, grid = _window_places(layer, inputs, place)
    values = [-math.inf if source is None else inputs[source].item() for source in places]  # padding is never the maximum
    winner = next((index for index, x in enumerate(values) if math.isnan(x)), values.index(max(values)))  # NaN is the maximum, as in PyTorch
    terms = [Term(source, x, float(index == winner), x if index == winner else 0.0) for index, (source, x) in enumerate(zip(places, values, strict=True))]
    return from_terms(terms, formula="z = max x", place=place, result=values[winner], grid=grid)


def average_pooling(layer: nn.AvgPool2d, inputs: Tensor, place: Place) -> Calculation:
    """Write out the mean of a window; padding counts as zeros if the layer has `count_include_pad`.

    Args:
        layer: the layer.
        inputs: ``(C, H, W)`` in float64.
        place: (channel, row, column).
    """
    places, grid = _window_places(layer, inputs, place)
    count = len(places) if layer.count_include_pad else sum(source is not None for source in places)
    return _mean(places, inputs, count, place, grid)


def adaptive_pooling(layer: nn.AdaptiveAvgPool2d, inputs: Tensor, place: Place) -> Calculation:
    """Write out the mean of the part of the image that this output averages.

    Args:
        layer: the layer.
        inputs: ``(C, H, W)`` in float64.
        place: (channel, row, column).
    """
    sides = layer.output_size if isinstance(layer.output_size, tuple) else (layer.output_size, layer.output_size)
    rows, columns = (adaptive_window(index, size, outputs or size) for index, size, outputs in zip(place[1:], inputs.shape[1:], sides, strict=True))
    places = [(place[0], row, column) for row, column in product(rows, columns)]
    return _mean(places, inputs, len(places), place, (len(rows), len(columns)))


def token_mean(_layer: TokenMean, inputs: Tensor, place: Place) -> Calculation:
    """Write out the mean of one feature over all tokens.

    Args:
        _layer: the layer.
        inputs: ``(T, F)`` in float64.
        place: (feature,).
    """
    tokens = inputs.shape[0]
    return _mean([(token, *place) for token in range(tokens)], inputs, tokens, place, (tokens,))


def sum_products(terms: Sequence[Term], bias: float | None = None) -> float:
    """Add the products of the terms and the bias."""
    return sum(term.product for term in terms) + (bias or 0.0)


def _sum_formula(bias: float | None) -> str:
    return "z = Σ w·x" if bias is None else "z = Σ w·x + b"


def _window_places(layer: nn.MaxPool2d | nn.AvgPool2d, inputs: Tensor, place: Place) -> tuple[list[Place | None], tuple[int, int]]:
    """Return the indices of the values in a pooling window, None for padding, and the height and width of the window."""
    rows, columns = (window(layer, axis, place[1 + axis], inputs.shape[1 + axis]) for axis in (0, 1))
    places: list[Place | None] = [
        None if row.source is None or column.source is None else (place[0], row.source, column.source) for row, column in product(rows, columns)
    ]
    return places, (len(rows), len(columns))


def _mean(places: Sequence[Place | None], inputs: Tensor, count: int, place: Place, grid: tuple[int, ...]) -> Calculation:
    values = [0.0 if source is None else inputs[source].item() for source in places]
    terms = [Term(source, x, 1 / count, x / count) for source, x in zip(places, values, strict=True)]
    return from_terms(terms, formula=MEAN, place=place, result=sum_products(terms), grid=grid)
