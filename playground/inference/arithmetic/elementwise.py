"""Layers that change each value by itself, normalise it, or only move it."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from playground.inference.arithmetic.calculation import Calculation, Step, Term, made_of
from playground.inference.receptive_field import Place

NORMALISED = "y = γ·(x − μ) ÷ √(σ² + ε) + β"


def passed(_layer: nn.Module, given: Tensor, place: Place) -> Calculation:
    """A value that is not changed: Dropout in use, a shortcut without layers."""
    return _one(given, place, place, "y = x", given[place].item())


def flattened(_layer: nn.Flatten, given: Tensor, place: Place) -> Calculation:
    """A value that only moved.

    Args:
        given: of any shape, in float64.
        place: (feature,)
    """
    source = tuple(int(at) for at in np.unravel_index(place[0], tuple(given.shape)))
    return _one(given, source, place, "y = x", given[source].item())


def relu(_layer: nn.Module, given: Tensor, place: Place) -> Calculation:
    """max(0, x)"""
    return _one(given, place, place, "y = max(0, x)", given[place].relu().item())


def leaky_relu(layer: nn.LeakyReLU, given: Tensor, place: Place) -> Calculation:
    """The value, or a small share of it where it is negative."""
    slope, x = layer.negative_slope, given[place].item()
    return _one(given, place, place, "y = max(0, x) + a·min(0, x)", slope * x if x < 0 else x, Step("a", slope))


def gelu(_layer: nn.Module, given: Tensor, place: Place) -> Calculation:
    """x times the share of a normal distribution below x.

    Source: Hendrycks and Gimpel, Gaussian error linear units, https://arxiv.org/abs/1606.08415
    """
    x = given[place].item()
    below = math.erfc(-x / math.sqrt(2)) / 2  # not 1 + erf, in which a small share would be lost
    return _one(given, place, place, "y = x·Φ(x)", x * below, Step("Φ(x)", below))


def silu(_layer: nn.SiLU, given: Tensor, place: Place) -> Calculation:
    """x times sigmoid(x)."""
    x = given[place]
    share = x.sigmoid()
    return _one(given, place, place, "y = x·σ(x), σ(x) = 1 ÷ (1 + exp(−x))", (x * share).item(), Step("exp(−x)", (-x).exp().item()), Step("σ(x)", share.item()))


def sigmoid(_layer: nn.Sigmoid, given: Tensor, place: Place) -> Calculation:
    """1 ÷ (1 + exp(−x))"""
    x = given[place]
    return _one(given, place, place, "y = 1 ÷ (1 + exp(−x))", x.sigmoid().item(), Step("exp(−x)", (-x).exp().item()))


def tanh(_layer: nn.Tanh, given: Tensor, place: Place) -> Calculation:
    """(exp(x) − exp(−x)) ÷ (exp(x) + exp(−x))"""
    x = given[place]
    steps = (Step("exp(x)", x.exp().item()), Step("exp(−x)", (-x).exp().item()))
    return _one(given, place, place, "y = (exp(x) − exp(−x)) ÷ (exp(x) + exp(−x))", x.tanh().item(), *steps)


def softmax(_layer: nn.Module, given: Tensor, place: Place) -> Calculation:
    """The exponential of a logit among those of all logits of its row; the terms are all logits, their products the exponentials.

    Args:
        given: (F,) or (T, F) in float64.
    """
    row = given[place[:-1]]
    exponentials = (row - row.max()).exp()  # the largest taken off first, so that no exponential overflows: the shares stay the same
    own, total = exponentials[place[-1]].item(), exponentials.sum().item()
    terms = [Term((*place[:-1], at), z, None, e) for at, (z, e) in enumerate(zip(row.tolist(), exponentials.tolist(), strict=True))]
    steps = (Step("max z", row.max().item()), Step("exp(zᵢ − max z)", own), Step("Σⱼ exp(zⱼ − max z)", total))
    return made_of(terms, formula="pᵢ = exp(zᵢ) ÷ Σⱼ exp(zⱼ)", place=place, result=own / total, steps=steps, grid=(len(terms),))


def batch_norm(layer: nn.BatchNorm1d | nn.BatchNorm2d, given: Tensor, place: Place) -> Calculation:
    """A value normalised by the running mean and variance of its channel.

    Source: Ioffe and Szegedy, Batch normalization, https://arxiv.org/abs/1502.03167

    Args:
        given: (F,) or (C, H, W) in float64.
    """
    at = place[0]
    mean, variance = cast("Tensor", layer.running_mean)[at].item(), cast("Tensor", layer.running_var)[at].item()
    statistics = (Step("running mean μ", mean), Step("running variance σ²", variance))
    return _normalised(given, place, statistics, layer.eps, layer.weight[at].item(), layer.bias[at].item())


def layer_norm(layer: nn.LayerNorm, given: Tensor, place: Place) -> Calculation:
    """A value normalised by the mean and the variance of all that are normalised with it.

    Source: Ba et al., Layer normalization, https://arxiv.org/abs/1607.06450

    Args:
        given: (F,), (T, F) or (C, H, W) in float64.
    """
    kept = given.dim() - len(layer.normalized_shape)
    variance, mean = torch.var_mean(given[place[:kept]], correction=0)
    statistics = (Step("mean μ", mean.item()), Step("variance σ²", variance.item()))
    return _normalised(given, place, statistics, layer.eps, layer.weight[place[kept:]].item(), layer.bias[place[kept:]].item())


def _normalised(given: Tensor, place: Place, statistics: tuple[Step, Step], eps: float, gamma: float, beta: float) -> Calculation:
    x, (mean, variance) = given[place].item(), statistics
    normal = (x - mean.value) / math.sqrt(variance.value + eps)
    steps = (*statistics, Step("ε", eps), Step("(x − μ) ÷ √(σ² + ε)", normal), Step("γ", gamma), Step("β", beta))
    term = Term(place, x, None, gamma * normal)
    return made_of([term], formula=NORMALISED, place=place, result=term.product + beta, bias=beta, steps=steps, grid=(1,))


def _one(given: Tensor, source: Place, place: Place, formula: str, result: float, *steps: Step) -> Calculation:
    """A number made of one value, at `source` of the input."""
    return made_of([Term(source, given[source].item(), None, result)], formula=formula, place=place, result=result, steps=steps, grid=(1,))
