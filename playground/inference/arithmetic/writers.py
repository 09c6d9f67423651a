"""Which layer is written out how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from playground.errors import ShapeError, UnknownName
from playground.inference.arithmetic import blocks, sums, values
from playground.inference.arithmetic.calculation import Calculation
from playground.inference.receptive_field import Place, check_place
from playground.network.blocks import PatchEmbedding, ResidualBlock, TokenMean

WRITERS: dict[type[nn.Module], Callable[[Any, Tensor, Place], Calculation]] = {
    nn.Linear: sums.linear,
    nn.Conv2d: sums.convolution,
    nn.MaxPool2d: sums.max_pooling,
    nn.AvgPool2d: sums.average_pooling,
    nn.AdaptiveAvgPool2d: sums.adaptive_pooling,
    TokenMean: sums.token_mean,
    nn.ReLU: values.relu,
    nn.LeakyReLU: values.leaky_relu,
    nn.GELU: values.gelu,
    nn.SiLU: values.silu,
    nn.Sigmoid: values.sigmoid,
    nn.Tanh: values.tanh,
    nn.Softmax: values.softmax,
    nn.BatchNorm1d: values.batch_norm,
    nn.BatchNorm2d: values.batch_norm,
    nn.LayerNorm: values.layer_norm,
    nn.Dropout: values.passed,
    nn.Flatten: values.flattened,
    ResidualBlock: blocks.residual_block,
    PatchEmbedding: blocks.patch_embedding,
    nn.TransformerEncoderLayer: blocks.encoder_layer,
}
"""For each kind of the catalogue, what writes a number out: (layer, input in float64 without the batch, place) → the number."""


def write_out(layer: nn.Module, given: Tensor, place: Place) -> Calculation:
    """How one number of a layer's output came about.

    Args:
        layer: a layer of the catalogue, in evaluation mode, on any device.
        given: (1, *in_shape), what the layer got.
        place: of the number in the layer's output, the batch left out.

    Raises:
        ShapeError: the output has no such place, or there is more than one sample.
        UnknownName: the layer is of no kind of the catalogue.
        ValueError: the layer is in training mode, in which its numbers are others.
    """
    if type(layer) not in WRITERS:
        raise UnknownName("layer", type(layer).__name__, (kind.__name__ for kind in WRITERS))
    if layer.training:
        raise ValueError(f"write_out explains a {type(layer).__name__} in evaluation mode; call eval() first.")
    if given.shape[0] != 1:
        raise ShapeError(f"One sample is written out at a time, not {given.shape[0]}.", "Choose one image.")
    with torch.no_grad():
        out_shape = layer.forward(given).shape[1:]  # not by a call, which would set off the hooks of whoever watches the layer
        check_place(place, tuple(out_shape))
        return WRITERS[type(layer)](layer, given[0].cpu().double(), place)
