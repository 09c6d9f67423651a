"""Calculations of layers that compute each output from one value: activations, normalisations, and layers that only move values."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from playground.inference.arithmetic.calculation import Calculation, Step, Term, from_terms
from playground.inference.receptive_field import Place
from playground.messages import msg

NORMALISED = "y = γ·(x − μ) ÷ √(σ² + ε) + β"

SELU_SCALE, SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
"""λ and α of SELU."""


def identity(_layer: nn.Module, inputs: Tensor, place: Place) -> Calculation:
    """Write out a value that does not change: dropout in evaluation mode, or a shortcut connection without layers."""
    return _from_value(inputs, place, place, "y = x", inputs[place].item())


def flatten(_layer: nn.Flatten, inputs: Tensor, place: Place) -> Calculation:
    """Write out a value that only moves.

    Args:
        _layer: the layer.
        inputs: of any shape, in float64.
        place: (feature,).
    """
    source = tuple(int(index) for index in np.unravel_index(place[0], tuple(inputs.shape)))
    return _from_value(inputs, source, place, "y = x", inputs[source].item())


def relu(_layer: nn.Module, inputs: Tensor, place: Place) -> Calculation:
    """Write out max(0, x)."""
    return _from_value(inputs, place, place, "y = max(0, x)", inputs[place].relu().item())


def leaky_relu(layer: nn.LeakyReLU, inputs: Tensor, place: Place) -> Calculation:
    """Write out x, or a·x where x is negative."""
    slope, x = layer.negative_slope, inputs[place].item()
    return _from_value(inputs, place, place, "y = max(0, x) + a·min(0, x)", slope * x if x < 0 else x, Step("a", slope))


def gelu(_layer: nn.Module, inputs: Tensor, place: Place) -> Calculation:
    """Write out x·Φ(x), with the cumulative distribution function Φ of the standard normal distribution.

    Source: Hendrycks and Gimpel, Gaussian error linear units, https://arxiv.org/abs/1606.08415
    """
    x = inputs[place].item()
    phi = math.erfc(-x / math.sqrt(2)) / 2  # 1 + erf would lose the digits of a small value
    return _from_value(inputs, place, place, "y = x·Φ(x)", x * phi, Step("Φ(x)", phi))


def silu(_layer: nn.SiLU, inputs: Tensor, place: Place) -> Calculation:
    """Write out x·σ(x)."""
    x = inputs[place]
    sigmoid_x = x.sigmoid()
    steps = (Step("exp(−x)", (-x).exp().item()), Step("σ(x)", sigmoid_x.item()))
    return _from_value(inputs, place, place, "y = x·σ(x), σ(x) = 1 ÷ (1 + exp(−x))", (x * sigmoid_x).item(), *steps)


def elu(layer: nn.ELU, inputs: Tensor, place: Place) -> Calculation:
    """Write out x, or α·(exp(x) − 1) where x is negative.

    Source: Clevert et al., Fast and accurate deep network learning by exponential linear units, https://arxiv.org/abs/1511.07289
    """
    x = inputs[place].item()
    return _from_value(inputs, place, place, "y = max(0, x) + α·(exp(min(0, x)) − 1)", x if x > 0 else layer.alpha * math.expm1(x), Step("α", layer.alpha))


def selu(_layer: nn.SELU, inputs: Tensor, place: Place) -> Calculation:
    """Write out λ·x, or λ·α·(exp(x) − 1) where x is negative.

    Source: Klambauer et al., Self-normalizing neural networks, https://arxiv.org/abs/1706.02515
    """
    x, steps = inputs[place].item(), (Step("λ", SELU_SCALE), Step("α", SELU_ALPHA))
    return _from_value(inputs, place, place, "y = λ·(max(0, x) + α·(exp(min(0, x)) − 1))", SELU_SCALE * (x if x > 0 else SELU_ALPHA * math.expm1(x)), *steps)


def relu6(_layer: nn.ReLU6, inputs: Tensor, place: Place) -> Calculation:
    """Write out min(max(0, x), 6)."""
    return _from_value(inputs, place, place, "y = min(max(0, x), 6)", min(max(0.0, inputs[place].item()), 6.0))


def hardswish(_layer: nn.Hardswish, inputs: Tensor, place: Place) -> Calculation:
    """Write out x·min(max(0, x + 3), 6) ÷ 6.

    Source: Howard et al., Searching for MobileNetV3, https://arxiv.org/abs/1905.02244
    """
    x = inputs[place].item()
    clipped = min(max(0.0, x + 3), 6.0)
    return _from_value(inputs, place, place, "y = x·min(max(0, x + 3), 6) ÷ 6", x * clipped / 6, Step("min(max(0, x + 3), 6)", clipped))


def mish(_layer: nn.Mish, inputs: Tensor, place: Place) -> Calculation:
    """Write out x·tanh(log(1 + exp(x))).

    Source: Misra, Mish: a self regularized non-monotonic activation function, https://arxiv.org/abs/1908.08681
    """
    x = inputs[place]
    softplus = nn.functional.softplus(x, threshold=700)
    return _from_value(inputs, place, place, "y = x·tanh(log(1 + exp(x)))", (x * softplus.tanh()).item(), Step("log(1 + exp(x))", softplus.item()))


def sigmoid(_layer: nn.Sigmoid, inputs: Tensor, place: Place) -> Calculation:
    """Write out 1 ÷ (1 + exp(−x))."""
    x = inputs[place]
    return _from_value(inputs, place, place, "y = 1 ÷ (1 + exp(−x))", x.sigmoid().item(), Step("exp(−x)", (-x).exp().item()))


def tanh(_layer: nn.Tanh, inputs: Tensor, place: Place) -> Calculation:
    """Write out (exp(x) − exp(−x)) ÷ (exp(x) + exp(−x))."""
    x = inputs[place]
    steps = (Step("exp(x)", x.exp().item()), Step("exp(−x)", (-x).exp().item()))
    return _from_value(inputs, place, place, "y = (exp(x) − exp(−x)) ÷ (exp(x) + exp(−x))", x.tanh().item(), *steps)


def softmax(_layer: nn.Module, inputs: Tensor, place: Place) -> Calculation:
    """Write out the probability of one logit; the terms are all logits of its row, their products the exponentials.

    Args:
        _layer: the layer.
        inputs: ``(F,)`` or ``(T, F)`` in float64.
        place: (feature,) or (token, feature).
    """
    row = inputs[place[:-1]]
    exponentials = (row - row.max()).exp()  # subtracting the maximum changes no probability, and no exponential can overflow
    numerator, total = exponentials[place[-1]].item(), exponentials.sum().item()
    terms = [Term((*place[:-1], feature), z, None, e) for feature, (z, e) in enumerate(zip(row.tolist(), exponentials.tolist(), strict=True))]
    steps = (Step("max z", row.max().item()), Step("exp(zᵢ − max z)", numerator), Step("Σⱼ exp(zⱼ − max z)", total))
    return from_terms(terms, formula="pᵢ = exp(zᵢ) ÷ Σⱼ exp(zⱼ)", place=place, result=numerator / total, steps=steps, grid=(len(terms),))


def batch_norm(layer: nn.BatchNorm1d | nn.BatchNorm2d, inputs: Tensor, place: Place) -> Calculation:
    """Write out a value normalised with the running mean and variance of its channel.

    Source: Ioffe and Szegedy, Batch normalization, https://arxiv.org/abs/1502.03167

    Args:
        layer: the layer.
        inputs: ``(F,)`` or ``(C, H, W)`` in float64.
        place: (feature,) or (channel, row, column).
    """
    channel = place[0]
    mean, variance = cast("Tensor", layer.running_mean)[channel].item(), cast("Tensor", layer.running_var)[channel].item()
    statistics = (Step(msg("running mean μ"), mean), Step(msg("running variance σ²"), variance))
    return _normalise(inputs, place, statistics, layer.eps, layer.weight[channel].item(), layer.bias[channel].item())


def layer_norm(layer: nn.LayerNorm, inputs: Tensor, place: Place) -> Calculation:
    """Write out a value normalised with the mean and variance over the normalised dimensions.

    Source: Ba et al., Layer normalization, https://arxiv.org/abs/1607.06450

    Args:
        layer: the layer.
        inputs: ``(F,)``, ``(T, F)`` or ``(C, H, W)`` in float64.
        place: index of the value, in the output and in the input.
    """
    leading = inputs.dim() - len(layer.normalized_shape)
    variance, mean = torch.var_mean(inputs[place[:leading]], correction=0)
    statistics = (Step(msg("mean μ"), mean.item()), Step(msg("variance σ²"), variance.item()))
    return _normalise(inputs, place, statistics, layer.eps, layer.weight[place[leading:]].item(), layer.bias[place[leading:]].item())


def _normalise(inputs: Tensor, place: Place, statistics: tuple[Step, Step], eps: float, gamma: float, beta: float) -> Calculation:
    x, (mean, variance) = inputs[place].item(), statistics
    normalised = (x - mean.value) / math.sqrt(variance.value + eps)
    steps = (*statistics, Step("ε", eps), Step("(x − μ) ÷ √(σ² + ε)", normalised), Step("γ", gamma), Step("β", beta))
    term = Term(place, x, None, gamma * normalised)
    return from_terms([term], formula=NORMALISED, place=place, result=term.product + beta, bias=beta, steps=steps, grid=(1,))


def _from_value(inputs: Tensor, source: Place, place: Place, formula: str, result: float, *steps: Step) -> Calculation:
    """Write out a value that is computed from one input value, at the index `source`."""
    return from_terms([Term(source, inputs[source].item(), None, result)], formula=formula, place=place, result=result, steps=steps, grid=(1,))
