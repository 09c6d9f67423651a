"""Where each number of a traced network comes from: parameters, sizes and multiplications written out, bytes, receptive fields.

Everything here is arithmetic on shapes; nothing is built, and PyTorch is not imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from math import prod
from typing import Any, Literal

from playground.network.catalogue import layer_type
from playground.network.spec import NetworkSpec
from playground.network.trace import ShapeStep, trace
from playground.network.types import Shape

VALUE_BYTES = 4
"""Bytes of a float32."""

Rule = Callable[[Shape, Shape, dict[str, Any]], str]
"""(shape in, shape out, settings) → an expression with its numbers."""


def arithmetic(step: ShapeStep) -> str:
    """Write out the number of parameters of a layer, as in `(3·3·1 + 1)·16 = 160`; empty for a layer without parameters."""
    rule = _PARAMETERS.get(step.layer.type)
    return f"{_written(rule, step)} = {step.parameters:,}" if rule and step.parameters else ""


def multiply_arithmetic(step: ShapeStep) -> str:
    """Write out the multiply-adds of one sample, as in `26·26·16·9·1 = 97,344`; empty for layers without a short formula."""
    rule = _MULTIPLY_ADDS.get(step.layer.type)
    return f"{_written(rule, step)} = {step.multiply_adds:,}" if rule and step.multiply_adds else ""


def size_formula(step: ShapeStep) -> str:
    """Write out the output size of a convolution or pooling layer; empty for other layers.

    One line for a square image, `⌊(28 + 2·0 − 1·(3 − 1) − 1) / 1⌋ + 1 = 26`; else height and width, each with its name, a line each.
    Source: the section “Shape” of https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
    """
    now = _settings(step)
    if step.in_shape is None or step.out_shape is None or "kernel_size" not in now:
        return ""
    window = f"{now['dilation']}·({now['kernel_size']} − 1) − 1" if "dilation" in now else str(now["kernel_size"])
    lines = [
        f"⌊({size} + 2·{now['padding']} − {window}) / {now['stride']}⌋ + 1 = {result}"
        for size, result in zip(step.in_shape[1:], step.out_shape[1:], strict=True)
    ]
    return lines[0] if lines[0] == lines[1] else f"height: {lines[0]}\nwidth: {lines[1]}"


def activation_bytes(step: ShapeStep) -> int:
    """Return the bytes of a layer's output for one sample, in float32; 0 for a layer that does not fit."""
    return VALUE_BYTES * prod(step.out_shape) if step.out_shape else 0


@dataclass(frozen=True)
class Reach:
    """What the outputs of a layer see of the input image along one side, in pixels."""

    side: int
    """How many pixels an output in the middle spans; padding counts, gaps of a dilation too."""
    jump: int | None
    """How far the pixels move from one output to the next; None where the distances differ, as in uneven adaptive pooling."""
    start: int
    """The first pixel that the first output sees; below 0 in the padding."""


@dataclass(frozen=True)
class ReceptiveField:
    """The part of the input image on which one value of a layer depends.

    Source: Araujo et al., Computing receptive fields, https://distill.pub/2019/computing-receptive-fields/
    """

    height: Reach
    width: Reach
    whole: bool
    """Whether every value sees the whole image."""


def receptive_fields(spec: NetworkSpec, steps: Iterable[ShapeStep]) -> list[ReceptiveField | None]:
    """The receptive field of each traced layer; None for layers that do not fit, and for all of a network that takes no image.

    A layer that mixes all positions, such as Linear behind Flatten, attention or a mean over tokens, sees what all that enters it
    sees together: the whole image, except for rows that a stride left out. Flatten by itself only moves values, and changes no field.
    """
    sides = [_Side(spec.input_shape[1], 1), _Side(spec.input_shape[2], 2)] if len(spec.input_shape) == 3 else []
    fields: list[ReceptiveField | None] = []
    for step in steps:
        if not sides or step.in_shape is None or step.out_shape is None:
            fields.append(None)
            continue
        for side in sides:
            side.enter(step.layer.type, step.in_shape, step.out_shape, _settings(step))
        fields.append(ReceptiveField(sides[0].reach(), sides[1].reach(), all(side.is_whole() for side in sides)))
    return fields


@dataclass(frozen=True)
class Totals:
    """A network's numbers together; layers that do not fit count nothing."""

    parameters: int
    multiply_adds: int
    """For one sample."""
    activation_bytes: int
    """What all layers put out for one sample, in float32."""
    disk_bytes: int
    """The weights and buffers of a `state_dict` in float32, a file's header left out."""
    layers: int


def totals(steps: Iterable[ShapeStep]) -> Totals:
    """Add up parameters, multiply-adds and bytes over all layers of a trace."""
    steps = list(steps)
    return Totals(
        sum(step.parameters for step in steps),
        sum(step.multiply_adds for step in steps),
        sum(activation_bytes(step) for step in steps),
        sum(step.state_bytes for step in steps),
        len(steps),
    )


@dataclass(frozen=True)
class Difference:
    """One thing in which a network is not like another."""

    kind: Literal["input_shape", "added", "removed", "changed", "parameters"]
    text: str
    """The difference in a sentence."""
    index: int | None = None
    """The layer's place in the network; None where it is not there."""
    other: int | None = None
    """The layer's place in the other network; None where it is not there."""
    amount: int = 0
    """How many parameters more the network has than the other (`parameters` only)."""


def compare(spec: NetworkSpec, preset: NetworkSpec) -> list[Difference]:
    """List the differences between two networks: input shape, layers in order, number of parameters."""
    found: list[Difference] = []
    if spec.input_shape != preset.input_shape:
        found.append(Difference("input_shape", f"The input has shape {spec.input_shape}, not {preset.input_shape}."))
    ours, theirs = [layer.type for layer in spec.layers], [layer.type for layer in preset.layers]
    for _, start, end, other_start, other_end in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if ours[start:end] == theirs[other_start:other_end]:
            pairs = zip(range(start, end), range(other_start, other_end), strict=True)
            found += [difference for pair in pairs if (difference := _changed(spec, preset, *pair))]
            continue
        found += [Difference("removed", f"Layer {at} of “{preset.name}” is missing: {theirs[at]}.", other=at) for at in range(other_start, other_end)]
        found += [Difference("added", f"Layer {at} is new: {ours[at]}.", index=at) for at in range(start, end)]
    amount = sum(step.parameters for step in trace(spec)) - sum(step.parameters for step in trace(preset))
    if amount:
        words = f"It has {amount:,} parameters more than “{preset.name}”." if amount > 0 else f"It has {-amount:,} parameters fewer than “{preset.name}”."
        found.append(Difference("parameters", words, amount=amount))
    return found


def _changed(spec: NetworkSpec, preset: NetworkSpec, index: int, other: int) -> Difference | None:
    """Return the settings that differ between two layers of the same type, or None."""
    layer, like = spec.layers[index], preset.layers[other]
    kind = layer_type(layer.type)
    now, then = kind.settings(layer.params), kind.settings(like.params)
    words = ", ".join(f"{name} is {now[name]}, not {then[name]}" for name in now if now[name] != then[name])
    return Difference("changed", f"Layer {index} ({layer.type}): {words}.", index, other) if words else None


def _settings(step: ShapeStep) -> dict[str, Any]:
    return layer_type(step.layer.type).settings(step.layer.params)


def _written(rule: Rule, step: ShapeStep) -> str:
    return rule(step.in_shape or (), step.out_shape or (), _settings(step))


def _dense(inputs: object, outputs: object, bias: bool = True) -> str:
    return f"({inputs} + 1)·{outputs}" if bias else f"{inputs}·{outputs}"


def _filters(kernel: int, inputs: int, outputs: int, bias: bool = True) -> str:
    return _dense(f"{kernel}·{kernel}·{inputs}", outputs, bias)


def _patches(shape: Shape, out: Shape, now: dict[str, Any]) -> str:
    """A convolution that makes each square a token, and a position for each token."""
    return f"{_filters(now['patch_size'], shape[0], out[1])} + {out[0]}·{out[1]}"


def _residual(shape: Shape, out: Shape, now: dict[str, Any]) -> str:
    """Two convolutions and, where the shape changes, a third for the way around, each with its batch norm."""
    around = [f"{shape[0]}·{out[0]}", f"2·{out[0]}"] if now["stride"] != 1 or shape[0] != out[0] else []
    first, second = _filters(3, shape[0], out[0], bias=False), _filters(3, out[0], out[0], bias=False)
    return " + ".join([first, f"2·{out[0]}", second, f"2·{out[0]}", *around])


def _residual_work(shape: Shape, out: Shape, now: dict[str, Any]) -> str:
    around = [f"{shape[0]}·{out[0]}"] if now["stride"] != 1 or shape[0] != out[0] else []
    weights = " + ".join([_filters(3, shape[0], out[0], bias=False), _filters(3, out[0], out[0], bias=False), *around])
    return f"{out[1]}·{out[2]}·({weights})"


def _encoder(shape: Shape, _out: Shape, now: dict[str, Any]) -> str:
    """Queries, keys and values; what joins the heads; the two layers of each token's own network; two layer norms."""
    width, inner = shape[-1], now["dim_feedforward"]
    return " + ".join([f"({width} + 1)·3·{width}", _dense(width, width), _dense(width, inner), _dense(inner, width), f"2·{width}", f"2·{width}"])


def _layer_norm(shape: Shape, _out: Shape, _now: dict[str, Any]) -> str:
    return "2·" + "·".join(map(str, shape[-1:] if len(shape) == 2 else shape))


def _batch_norm(shape: Shape, _out: Shape, _now: dict[str, Any]) -> str:
    return f"2·{shape[0]}"


_PARAMETERS: dict[str, Rule] = {
    "Linear": lambda shape, out, now: _dense(shape[-1], out[-1], now["bias"]),
    "Conv2d": lambda shape, out, now: _filters(now["kernel_size"], shape[0], out[0], now["bias"]),
    "BatchNorm1d": _batch_norm,
    "BatchNorm2d": _batch_norm,
    "LayerNorm": _layer_norm,
    "ResidualBlock": _residual,
    "PatchEmbedding": _patches,
    "TransformerEncoderLayer": _encoder,
}
_MULTIPLY_ADDS: dict[str, Rule] = {
    "Linear": lambda shape, out, _now: "·".join(map(str, [*shape, out[-1]])),
    "Conv2d": lambda shape, out, now: f"{out[1]}·{out[2]}·{out[0]}·{now['kernel_size'] ** 2}·{shape[0]}",
    "ResidualBlock": _residual_work,
    "PatchEmbedding": lambda shape, out, now: f"{out[0]}·{out[1]}·{now['patch_size'] ** 2}·{shape[0]}",
}


@dataclass(frozen=True)
class _Window:
    """A window that slides over one side: which inputs the outputs from `first` to `last` see."""

    span: int
    stride: int | None
    padding: int

    def inputs(self, first: int, last: int) -> tuple[int, int]:
        stride = self.stride or 0
        return first * stride - self.padding, last * stride - self.padding + self.span - 1


@dataclass(frozen=True)
class _Shares(_Window):
    """Adaptive pooling of `span` inputs to `outputs` windows that are not all alike."""

    outputs: int = 1

    def inputs(self, first: int, last: int) -> tuple[int, int]:
        first, last = max(first, 0), min(last, self.outputs - 1)
        return first * self.span // self.outputs, -(-(last + 1) * self.span // self.outputs) - 1


class _Side:
    """One side of the image on its way through the layers: the windows so far, and how many positions are left."""

    def __init__(self, pixels: int, dimension: int) -> None:
        self.pixels, self.dimension = pixels, dimension
        self.positions = pixels
        self.windows: list[_Window] = []

    def enter(self, name: str, shape: Shape, out: Shape, now: dict[str, Any]) -> None:
        """Go through a layer."""
        if _mixes(name, shape):
            self.windows.append(_Window(self.positions, 0, 0))
            self.positions = out[self.dimension] if len(out) == 3 else 1
        elif name == "PatchEmbedding":
            self.windows.append(_Window(now["patch_size"], now["patch_size"], 0))
            self.positions //= now["patch_size"]
        elif len(out) == 3:
            self.windows += _windows(name, self.positions, now)
            self.positions = out[self.dimension]

    def seen(self, first: int, last: int) -> tuple[int, int]:
        """The first and the last pixel that the outputs from `first` to `last` see; beyond the image in the padding."""
        for window in reversed(self.windows):
            first, last = window.inputs(first, last)
        return first, last

    def reach(self) -> Reach:
        middle = self.seen(self.positions // 2, self.positions // 2)
        strides = [window.stride for window in self.windows]
        if 0 in strides:  # behind a layer that mixes all positions: no output stands at a place of its own
            first, last = max(middle[0], 0), min(middle[1], self.pixels - 1)
            return Reach(last - first + 1, 0, first)
        jump = prod(stride for stride in strides if stride) if None not in strides else None
        return Reach(middle[1] - middle[0] + 1, jump, self.seen(0, 0)[0])

    def is_whole(self) -> bool:
        return self.seen(self.positions - 1, self.positions - 1)[0] <= 0 and self.seen(0, 0)[1] >= self.pixels - 1


def _mixes(name: str, shape: Shape) -> bool:
    """Whether every output of the layer depends on all positions of its input."""
    if name in ("TransformerEncoderLayer", "TokenMean"):
        return True
    return (name in ("Linear", "Softmax", "LayerNorm") and len(shape) == 1) or (name == "LayerNorm" and len(shape) == 3)


def _windows(name: str, size: int, now: dict[str, Any]) -> list[_Window]:
    """The windows of a layer that takes and makes images, along a side of `size` positions."""
    if name == "ResidualBlock":
        return [_Window(3, now["stride"], 1), _Window(3, 1, 1)]
    if name == "AdaptiveAvgPool2d":
        outputs = now["output_size"]
        return [_Window(size // outputs, size // outputs, 0) if size % outputs == 0 else _Shares(size, None, 0, outputs)]
    if "kernel_size" in now:
        return [_Window(now.get("dilation", 1) * (now["kernel_size"] - 1) + 1, now["stride"], now["padding"])]
    return []
