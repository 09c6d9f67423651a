"""The function that writes out a value, for each layer of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from playground.errors import ShapeError, UnknownName
from playground.inference.arithmetic import blocks, elementwise, sums
from playground.inference.arithmetic.calculation import Calculation
from playground.inference.receptive_field import Place, require_place
from playground.messages import msg
from playground.network.blocks import PatchEmbedding, ResidualBlock, TokenMean

WRITERS: dict[type[nn.Module], Callable[[Any, Tensor, Place], Calculation]] = {
    nn.Linear: sums.linear,
    nn.Conv2d: sums.convolution,
    nn.MaxPool2d: sums.max_pooling,
    nn.AvgPool2d: sums.average_pooling,
    nn.AdaptiveAvgPool2d: sums.adaptive_pooling,
    TokenMean: sums.token_mean,
    nn.ReLU: elementwise.relu,
    nn.LeakyReLU: elementwise.leaky_relu,
    nn.GELU: elementwise.gelu,
    nn.SiLU: elementwise.silu,
    nn.ELU: elementwise.elu,
    nn.SELU: elementwise.selu,
    nn.ReLU6: elementwise.relu6,
    nn.Hardswish: elementwise.hardswish,
    nn.Mish: elementwise.mish,
    nn.Sigmoid: elementwise.sigmoid,
    nn.Tanh: elementwise.tanh,
    nn.Softmax: elementwise.softmax,
    nn.BatchNorm1d: elementwise.batch_norm,
    nn.BatchNorm2d: elementwise.batch_norm,
    nn.LayerNorm: elementwise.layer_norm,
    nn.Dropout: elementwise.identity,
    nn.Dropout2d: elementwise.identity,
    nn.Flatten: elementwise.flatten,
    ResidualBlock: blocks.residual_block,
    PatchEmbedding: blocks.patch_embedding,
    nn.TransformerEncoderLayer: blocks.encoder_layer,
}
"""For each layer, (layer, input in float64 without the batch dimension, index of the value in the output) → its calculation."""


def write_out(layer: nn.Module, inputs: Tensor, place: Place) -> Calculation:
    """Write out how one value of a layer's output is computed.

    Args:
        layer: a layer of the catalogue, in evaluation mode, on any device.
        inputs: ``(1, *in_shape)``, the input of the layer.
        place: index of the value in the layer's output, without the batch dimension.

    Raises:
        ShapeError: the output has no such value, or there is more than one sample.
        UnknownName: the layer is not in the catalogue.
        ValueError: the layer is in training mode, in which it computes other values.
    """
    if type(layer) not in WRITERS:
        raise UnknownName(msg("layer"), type(layer).__name__, (kind.__name__ for kind in WRITERS))
    if layer.training:
        raise ValueError(f"write_out explains a {type(layer).__name__} in evaluation mode; call eval() first.")
    if inputs.shape[0] != 1:
        raise ShapeError(msg("A calculation is written out for one image, but the batch has {count}.", count=inputs.shape[0]), msg("Choose one image."))
    with torch.no_grad():
        out_shape = layer.forward(inputs).shape[1:]  # a call would also run the hooks that other code has registered
        require_place(place, tuple(out_shape))
        return WRITERS[type(layer)](layer, inputs[0].cpu().double(), place)
