"""Formulas of a traced layer with its numbers filled in: parameters, multiply-adds and output size.

They are arithmetic on shapes: no module is built, and PyTorch is not imported.
"""

from __future__ import annotations

from collections.abc import Callable

from playground.messages import msg
from playground.network.catalogue import Settings
from playground.network.trace import ShapeStep
from playground.network.types import Shape

Formula = Callable[[Shape, Shape, Settings], str]
"""(input shape, output shape, all parameters of the layer) → an expression with its numbers; both shapes without the batch."""


def write_parameter_formula(step: ShapeStep) -> str:
    """Write out a layer's number of parameters, as in `(3·3·1 + 1)·16 = 160`; return "" for a layer without parameters."""
    formula = _PARAMETERS.get(step.layer.type)
    return f"{_fill_in(formula, step)} = {step.parameters:,}" if formula and step.parameters else ""


def write_multiply_add_formula(step: ShapeStep) -> str:
    """Write out a layer's multiply-adds for one sample, as in `26·26·16·9·1 = 97,344`; return "" for a layer without a short formula."""
    formula = _MULTIPLY_ADDS.get(step.layer.type)
    return f"{_fill_in(formula, step)} = {step.multiply_adds:,}" if formula and step.multiply_adds else ""


def write_output_size_formula(step: ShapeStep) -> str:
    """Write out the output size of a convolution or pooling layer; return "" for other layers.

    Returns:
        One line where height and width have the same formula, as in `⌊(28 + 2·0 − 1·(3 − 1) − 1) / 1⌋ + 1 = 26`,
        else one line for each, labelled `height` and `width`.

    Source: the section “Shape” of https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
    """
    params = step.layer.settings
    if step.in_shape is None or step.out_shape is None or "kernel_size" not in params:
        return ""
    window = f"{params['dilation']}·({params['kernel_size']} − 1) − 1" if "dilation" in params else str(params["kernel_size"])
    lines = [
        f"⌊({size} + 2·{params['padding']} − {window}) / {params['stride']}⌋ + 1 = {result}"
        for size, result in zip(step.in_shape[1:], step.out_shape[1:], strict=True)
    ]
    return lines[0] if lines[0] == lines[1] else msg("height: {height}\nwidth: {width}", height=lines[0], width=lines[1])


def _fill_in(formula: Formula, step: ShapeStep) -> str:
    return formula(step.in_shape or (), step.out_shape or (), step.layer.settings)


def _linear(inputs: object, outputs: object, bias: bool = True) -> str:
    return f"({inputs} + 1)·{outputs}" if bias else f"{inputs}·{outputs}"


def _convolution(kernel_size: int, in_channels: int, out_channels: int, bias: bool = True) -> str:
    return _linear(f"{kernel_size}·{kernel_size}·{in_channels}", out_channels, bias)


def _patch_embedding(in_shape: Shape, out_shape: Shape, params: Settings) -> str:
    """Add the convolution that makes each square a token, and one learned position for each token."""
    return f"{_convolution(params['patch_size'], in_shape[0], out_shape[1])} + {out_shape[0]}·{out_shape[1]}"


def _residual_convolutions(in_channels: int, out_channels: int, params: Settings) -> list[str]:
    """Write out the weights of a residual block's two 3×3 convolutions and, where the shape changes, of its 1×1 projection shortcut."""
    projection = [f"{in_channels}·{out_channels}"] if params["stride"] != 1 or in_channels != out_channels else []
    return [_convolution(3, in_channels, out_channels, bias=False), _convolution(3, out_channels, out_channels, bias=False), *projection]


def _residual_block(in_shape: Shape, out_shape: Shape, params: Settings) -> str:
    """Add up the convolutions, each with its batch norm."""
    return " + ".join(f"{weights} + 2·{out_shape[0]}" for weights in _residual_convolutions(in_shape[0], out_shape[0], params))


def _residual_block_multiply_adds(in_shape: Shape, out_shape: Shape, params: Settings) -> str:
    return f"{out_shape[1]}·{out_shape[2]}·({' + '.join(_residual_convolutions(in_shape[0], out_shape[0], params))})"


def _encoder_layer(in_shape: Shape, _out_shape: Shape, params: Settings) -> str:
    """Add up the projections to queries, keys and values, the output projection, the two linear layers of the feed-forward network and two layer norms."""
    features, hidden = in_shape[-1], params["dim_feedforward"]
    return " + ".join(
        [f"({features} + 1)·3·{features}", _linear(features, features), _linear(features, hidden), _linear(hidden, features), f"2·{features}", f"2·{features}"]
    )


def _layer_norm(in_shape: Shape, _out_shape: Shape, _params: Settings) -> str:
    return "2·" + "·".join(map(str, in_shape[-1:] if len(in_shape) == 2 else in_shape))


def _batch_norm(in_shape: Shape, _out_shape: Shape, _params: Settings) -> str:
    return f"2·{in_shape[0]}"


_PARAMETERS: dict[str, Formula] = {
    "Linear": lambda in_shape, out_shape, params: _linear(in_shape[-1], out_shape[-1], params["bias"]),
    "Conv2d": lambda in_shape, out_shape, params: _convolution(params["kernel_size"], in_shape[0], out_shape[0], params["bias"]),
    "BatchNorm1d": _batch_norm,
    "BatchNorm2d": _batch_norm,
    "LayerNorm": _layer_norm,
    "ResidualBlock": _residual_block,
    "PatchEmbedding": _patch_embedding,
    "TransformerEncoderLayer": _encoder_layer,
}
_MULTIPLY_ADDS: dict[str, Formula] = {
    "Linear": lambda in_shape, out_shape, _params: "·".join(map(str, [*in_shape, out_shape[-1]])),
    "Conv2d": lambda in_shape, out_shape, params: f"{out_shape[1]}·{out_shape[2]}·{out_shape[0]}·{params['kernel_size'] ** 2}·{in_shape[0]}",
    "ResidualBlock": _residual_block_multiply_adds,
    "PatchEmbedding": lambda in_shape, out_shape, params: f"{out_shape[0]}·{out_shape[1]}·{params['patch_size'] ** 2}·{in_shape[0]}",
}
