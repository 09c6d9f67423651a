"""Shape traces: the input and output shape of every layer, its parameters and multiply-adds, and fixes for a layer that does not fit.

PyTorch determines the shapes: each layer is built and run on the meta device, where tensors have shapes but no memory
(https://docs.pytorch.org/docs/stable/meta.html), so that a trace takes milliseconds for a network of any size.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, cast

from playground.errors import ShapeError
from playground.messages import msg
from playground.network.catalogue import Settings, layer_type
from playground.network.fixes import POOLS, Fix, propose_fixes
from playground.network.spec import MAX_LAYERS, LayerSpec, NetworkSpec
from playground.network.types import RANK_NAMES, LayerType, Shape, Value, infer

if TYPE_CHECKING:
    from torch import nn

MAX_PARAMETERS = 200_000_000
"""Limit for building a network: 200 million float32 weights take 0.8 GB, and training with Adam takes four times as much."""
BATCH = 2
"""Samples in the traced batch; 2, so that the batch dimension differs from dimensions of size 1."""
SHAPE_PRESERVING_GROUPS = frozenset({"Activation", "Normalisation", "Regularisation"})
"""Groups of layers whose output has the shape of their input; they are built but not run, because running takes most of the time."""


@dataclass(frozen=True)
class ShapeStep:
    """Shapes and costs of one layer for one sample."""

    index: int
    layer: LayerSpec
    in_shape: Shape | None
    """Input shape without the batch; None after a layer that does not fit."""
    out_shape: Shape | None
    """Output shape without the batch; None where the layer does not fit, and after it."""
    parameters: int = 0
    """Number of weights and biases."""
    multiply_adds: int = 0
    """Multiply-adds for one sample."""
    error: str = ""
    """Why the layer does not fit; empty for all layers except the first that does not fit."""
    fixes: tuple[Fix, ...] = ()
    """Changes after which that layer fits, best first; the trace has verified each."""
    state_bytes: int = 0
    """Size of the layer's `state_dict` (weights and buffers), in bytes."""


@dataclass(frozen=True)
class _LayerResult:
    """The fields of a `ShapeStep` that depend only on the layer and its input shape, so that they can be cached."""

    out_shape: Shape | None = None
    parameters: int = 0
    multiply_adds: int = 0
    state_bytes: int = 0
    error: str = ""


def trace(spec: NetworkSpec) -> list[ShapeStep]:
    """Trace one sample's shape through every layer.

    Never raises for a network that does not fit: the step of the first layer that does not fit has the
    error, and the steps after it have no shapes.
    """
    return list(_trace(spec))


@lru_cache(maxsize=512)  # pages trace the same few networks at every run of their scripts
def _trace(spec: NetworkSpec) -> tuple[ShapeStep, ...]:
    steps: list[ShapeStep] = []
    shape: Shape | None = spec.input_shape
    for index, layer in enumerate(spec.layers):
        step = ShapeStep(index, layer, None, None) if shape is None else _trace_layer(spec, index, shape)
        steps.append(step)
        shape = step.out_shape
    return tuple(steps)


def select_working(spec: NetworkSpec, fixes: Iterable[Fix], layers_without_shape: int = 0) -> tuple[Fix, ...]:
    """Return the fixes after which the layers fit, in their order and without duplicates.

    Args:
        spec: the network to fix.
        fixes: proposed changes of its layers.
        layers_without_shape: how many layers at the end of the fixed network need not fit.
    """
    working: dict[tuple[Shape, tuple[LayerSpec, ...]], Fix] = {}
    for fix in fixes:
        shape = fix.input_shape or spec.input_shape
        changed = (shape, fix.layers)
        if changed not in working and _first_layers_fit(shape, fix.layers, len(fix.layers) - layers_without_shape):
            working[changed] = fix
    return tuple(working.values())


def fits(spec: NetworkSpec, input_shape: Shape, classes: int) -> bool:
    """Return whether the network takes samples of `input_shape` and ends in one score for each class."""
    return spec.input_shape == input_shape and trace(spec)[-1].out_shape == (classes,)


def check(spec: NetworkSpec, input_shape: Shape | None = None, classes: int | None = None) -> list[ShapeStep]:
    """Trace a network and raise an error if it cannot be built or does not fit its data set.

    Args:
        spec: the network.
        input_shape: shape of one sample of the data set, or None for any shape.
        classes: number of logits in which the network must end, or None for any number.

    Raises:
        ShapeError: a layer does not fit, the network is too large, or it does not fit the data set.
    """
    if input_shape is not None and spec.input_shape != input_shape:
        raise ShapeError(
            msg(
                "The network “{name}” takes input of shape {shape}, but the samples of the data set have shape {sample_shape}.",
                name=spec.name,
                shape=spec.input_shape,
                sample_shape=input_shape,
            ),
            msg("Choose another network, or a data set of that shape."),
        )
    steps = trace(spec)
    parameters = sum(step.parameters for step in steps)
    if parameters > MAX_PARAMETERS:
        raise ShapeError(
            msg("The network “{name}” has {parameters:,} parameters; the limit is {most:,}.", name=spec.name, parameters=parameters, most=MAX_PARAMETERS),
            msg("Make its largest layer smaller."),
        )
    for step in steps:
        if step.error:
            raise ShapeError(
                msg("Layer {index} ({type}): {error}", index=step.index, type=step.layer.type, error=step.error),
                msg("{change}.", change=step.fixes[0].title) if step.fixes else "",
            )
    if classes is not None and steps[-1].out_shape != (classes,):
        raise ShapeError(
            msg(
                "The network “{name}” ends in shape {shape}, but the data set has {classes} classes.",
                name=spec.name,
                shape=steps[-1].out_shape,
                classes=classes,
            ),
            msg("End it in a Linear layer with out_features {classes}.", classes=classes),
        )
    return steps


def constructor_arguments(kind: LayerType, layer: LayerSpec, in_shape: Shape) -> dict[str, Value | list[int]]:
    """Return all arguments of the layer's class: those inferred from the input shape, the parameters, and the fixed ones."""
    inferred = {name: infer(rule, in_shape) for name, rule in kind.inferred}
    return {**inferred, **kind.settings(layer.params), **dict(kind.fixed)}


def construct(layer: LayerSpec, in_shape: Shape) -> nn.Module:
    """Build the layer as a module for an input of shape `in_shape`, on torch's current default device."""
    kind = layer_type(layer.type)
    return layer_class(kind.target)(**constructor_arguments(kind, layer, in_shape))


@cache
def layer_class(target: str) -> type[nn.Module]:
    """Import a class by its path in the catalogue, such as `torch.nn.Linear`."""
    module, name = target.rsplit(".", 1)
    return cast("type[nn.Module]", getattr(importlib.import_module(module), name))


def _trace_layer(spec: NetworkSpec, index: int, in_shape: Shape) -> ShapeStep:
    layer = spec.layers[index]
    result = _run_layer(layer, in_shape)
    fixes = select_working(spec, propose_fixes(spec.layers, index, in_shape), len(spec.layers) - index - 1) if result.error else ()
    fixes = tuple(sorted(fixes, key=lambda fix: not _first_layers_fit(spec.input_shape, fix.layers, len(fix.layers))))  # first those after which all layers fit
    return ShapeStep(index, layer, in_shape, fixes=fixes, **vars(result))


def _first_layers_fit(shape: Shape | None, layers: tuple[LayerSpec, ...], count: int) -> bool:
    """Return whether the layers make a valid specification whose first `count` layers fit an input of `shape`."""
    if not 0 < len(layers) <= MAX_LAYERS or any(layer_type(layer.type).problems(layer.params) for layer in layers):
        return False
    for layer in layers[:count]:
        if shape is not None:
            shape = _run_layer(layer, shape).out_shape
    return shape is not None


@lru_cache(maxsize=8192)  # after an edit only the layers whose parameters or input shape changed are run again
def _run_layer(layer: LayerSpec, in_shape: Shape) -> _LayerResult:
    """Build the layer on the meta device and run it on a batch of shape ``(BATCH, *in_shape)``."""
    import torch  # late, so that networks can be read and listed without torch
    from torch.utils.flop_counter import FlopCounterMode

    error_message = _find_misfit(layer, in_shape)
    if error_message:
        return _LayerResult(error=error_message)
    try:
        with torch.device("meta"):
            module = construct(layer, in_shape).eval()  # batch norm is faster in evaluation mode
            samples = torch.empty(BATCH, *in_shape)
        if layer_type(layer.type).group in SHAPE_PRESERVING_GROUPS:
            return _LayerResult(in_shape, _count_parameters(module), 0, _state_bytes(module))
        with FlopCounterMode(display=False) as flops:
            out = module(samples)
    except (RuntimeError, ValueError, AssertionError) as error:  # torch.nn raises these for sizes that do not fit
        return _LayerResult(error=msg("PyTorch raised an error for an input of shape {shape}: {error}", shape=in_shape, error=str(error)))
    return _LayerResult(tuple(out.shape[1:]), _count_parameters(module), flops.get_total_flops() // (2 * BATCH), _state_bytes(module))


def _count_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _state_bytes(module: nn.Module) -> int:
    return sum(value.numel() * value.itemsize for value in module.state_dict().values())


def _find_misfit(layer: LayerSpec, shape: Shape) -> str:
    """Say why the layer does not fit an input of `shape`, in plainer words than PyTorch's error; return "" where no reason is known."""
    kind = layer_type(layer.type)
    if len(shape) not in kind.ranks:
        accepted, *others = (RANK_NAMES[rank] for rank in kind.ranks)
        for other in others:
            accepted = msg("{some} or {last}", some=accepted, last=other)
        return msg(
            "This layer takes {accepted}, but its input is {actual} of shape {shape}.",
            accepted=accepted,
            actual=RANK_NAMES[len(shape)],
            shape=shape,
        )
    params = layer.settings
    if "kernel_size" in params:
        return _find_window_misfit(layer, shape, params)
    if layer.type == "PatchEmbedding" and (shape[1] != shape[2] or shape[1] % params["patch_size"]):
        return msg(
            "Patches of {side}×{side} pixels do not tile an image of {height}×{width} pixels.",
            side=params["patch_size"],
            height=shape[1],
            width=shape[2],
        )
    if layer.type == "TransformerEncoderLayer" and shape[-1] % params["nhead"]:
        return msg("{features} features cannot be divided equally among {heads} heads.", features=shape[-1], heads=params["nhead"])
    return ""


def _find_window_misfit(layer: LayerSpec, shape: Shape, params: Settings) -> str:
    kernel_size, padding, dilation = params["kernel_size"], params.get("padding", 0), params.get("dilation", 1)
    if layer.type in POOLS and padding > kernel_size // 2:
        return msg("The padding ({padding}) must be at most half of kernel_size ({kernel_size}).", padding=padding, kernel_size=kernel_size)
    shorter_side = min(shape[1:])
    mode = params.get("padding_mode")
    largest_padding = {"reflect": shorter_side - 1, "circular": shorter_side}.get(str(mode), padding)
    if padding > largest_padding:
        return msg(
            "With padding_mode “{mode}”, the padding of an image of {height}×{width} pixels must be at most {most}, not {padding}.",
            mode=mode,
            height=shape[1],
            width=shape[2],
            most=largest_padding,
            padding=padding,
        )
    span = dilation * (kernel_size - 1) + 1
    if span <= shorter_side + 2 * padding:
        return ""
    if padding == 0:
        return msg("The window spans {span} pixels, but the image has only {height}×{width}.", span=span, height=shape[1], width=shape[2])
    return msg(
        "The window spans {span} pixels, but the image has only {height}×{width} with its padding.",
        span=span,
        height=shape[1] + 2 * padding,
        width=shape[2] + 2 * padding,
    )
