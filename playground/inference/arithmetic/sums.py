"""Layers whose outputs are sums of products, or the largest of a window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

from torch import Tensor, nn

from playground.inference.arithmetic.calculation import Calculation, Term, made_of
from playground.inference.receptive_field import Place, share, window
from playground.network.blocks import TokenMean

MEAN = "z = Σ x ÷ n"


def linear(layer: nn.Linear, given: Tensor, place: Place) -> Calculation:
    """A weighted sum of the features, of one token where there are several.

    Args:
        given: (F,) or (T, F) in float64.
    """
    bias = None if layer.bias is None else layer.bias[place[-1]].item()
    return weighted_sum(layer.weight[place[-1]], bias, given, place)


def weighted_sum(weights: Tensor, bias: float | None, given: Tensor, place: Place) -> Calculation:
    """One output of a linear layer.

    Args:
        weights: (F,), those of the output.
        given: (F,) or (T, F) in float64.
        place: (output,) or (token, output).
    """
    token = place[:-1]
    values = given[token].tolist()
    terms = [Term((*token, at), x, w, w * x) for at, (x, w) in enumerate(zip(values, weights.tolist(), strict=True))]
    return made_of(terms, formula=_sum_formula(bias), place=place, result=added(terms, bias), bias=bias, grid=(len(terms),))


def convolution(layer: nn.Conv2d, given: Tensor, place: Place) -> Calculation:
    """All products of the window with the filter.

    Args:
        given: (C, H, W) in float64.
    """
    channels, height, width = given.shape
    rows, columns = window(layer, 0, place[1], height), window(layer, 1, place[2], width)
    numbers, weights = given.tolist(), layer.weight[place[0]].flatten().tolist()
    terms = []
    for (channel, row, column), w in zip(product(range(channels), rows, columns), weights, strict=True):
        source = None if row.source is None or column.source is None else (channel, row.source, column.source)
        x = 0.0 if source is None else numbers[channel][row.source][column.source]
        inside = source == (channel, row.position, column.position)
        terms.append(Term(source if inside else None, x, w, w * x, None if inside else source))
    bias = None if layer.bias is None else layer.bias[place[0]].item()
    grid = (channels, len(rows), len(columns))
    return made_of(terms, formula=_sum_formula(bias), place=place, result=added(terms, bias), bias=bias, grid=grid)


def max_pooling(layer: nn.MaxPool2d, given: Tensor, place: Place) -> Calculation:
    """The window's values; the largest has weight 1, the others 0.

    Args:
        given: (C, H, W) in float64.
    """
    places, grid = _window_places(layer, given, place)
    values = [-math.inf if at is None else given[at].item() for at in places]  # padding never wins
    winner = next((at for at, x in enumerate(values) if math.isnan(x)), values.index(max(values)))  # what is no number wins, as in torch
    terms = [Term(where, x, float(at == winner), x if at == winner else 0.0) for at, (where, x) in enumerate(zip(places, values, strict=True))]
    return made_of(terms, formula="z = max x", place=place, result=values[winner], grid=grid)


def average_pooling(layer: nn.AvgPool2d, given: Tensor, place: Place) -> Calculation:
    """The window's values, each with weight 1/n; padding counts as zeros unless the layer leaves it out.

    Args:
        given: (C, H, W) in float64.
    """
    places, grid = _window_places(layer, given, place)
    counted = len(places) if layer.count_include_pad else sum(at is not None for at in places)
    return _mean(places, given, counted, place, grid)


def adaptive_pooling(layer: nn.AdaptiveAvgPool2d, given: Tensor, place: Place) -> Calculation:
    """The values of the share of the image that falls to the output.

    Args:
        given: (C, H, W) in float64.
    """
    sides = layer.output_size if isinstance(layer.output_size, tuple) else (layer.output_size, layer.output_size)
    rows, columns = (share(at, size, outputs or size) for at, size, outputs in zip(place[1:], given.shape[1:], sides, strict=True))
    places = [(place[0], row, column) for row, column in product(rows, columns)]
    return _mean(places, given, len(places), place, (len(rows), len(columns)))


def token_mean(_layer: TokenMean, given: Tensor, place: Place) -> Calculation:
    """One feature of all tokens.

    Args:
        given: (T, F) in float64.
    """
    tokens = given.shape[0]
    return _mean([(token, *place) for token in range(tokens)], given, tokens, place, (tokens,))


def added(terms: Sequence[Term], bias: float | None = None) -> float:
    """The sum of the products and the bias."""
    return sum(term.product for term in terms) + (bias or 0.0)


def _sum_formula(bias: float | None) -> str:
    return "z = Σ w·x" if bias is None else "z = Σ w·x + b"


def _window_places(layer: nn.MaxPool2d | nn.AvgPool2d, given: Tensor, place: Place) -> tuple[list[Place | None], tuple[int, int]]:
    """The places of a pooling's window, None for the padding, and the window's height and width."""
    rows, columns = (window(layer, side, place[1 + side], given.shape[1 + side]) for side in (0, 1))
    places: list[Place | None] = [
        None if row.source is None or column.source is None else (place[0], row.source, column.source) for row, column in product(rows, columns)
    ]
    return places, (len(rows), len(columns))


def _mean(places: Sequence[Place | None], given: Tensor, counted: int, place: Place, grid: tuple[int, ...]) -> Calculation:
    values = [0.0 if at is None else given[at].item() for at in places]
    terms = [Term(at, x, 1 / counted, x / counted) for at, x in zip(places, values, strict=True)]
    return made_of(terms, formula=MEAN, place=place, result=added(terms), grid=grid)
