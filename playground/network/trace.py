"""What shape a network's data has after every layer, found by PyTorch itself without computing a number.

Each layer is built and run on the meta device, where tensors have shapes but no memory
(https://docs.pytorch.org/docs/stable/meta.html), so that a trace costs milliseconds at any size.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, cast

from playground.errors import ShapeError
from playground.network.catalogue import layer_type
from playground.network.fixes import POOLS, Fix, propose_fixes, propose_output_fixes
from playground.network.spec import MAX_LAYERS, LayerSpec, NetworkSpec
from playground.network.types import RANK_NAMES, LayerType, Shape, infer

if TYPE_CHECKING:
    from torch import nn

MAX_PARAMETERS = 200_000_000
"""Larger networks are refused: their weights alone would take a gigabyte, and training four."""
BATCH = 2
"""Samples in the traced batch: enough to tell the batch from a dimension of size 1."""
KEEP_SHAPE = frozenset({"Activation", "Normalisation", "Regularisation"})
"""Groups of layers that work on each value where it lies: they are built but not run, which on the meta device is what takes long."""


@dataclass(frozen=True)
class ShapeStep:
    """What one layer does to one sample."""

    index: int
    layer: LayerSpec
    in_shape: Shape | None
    """Shape that arrives, the batch left out; None behind a layer that does not fit."""
    out_shape: Shape | None
    """Shape that leaves; None where the layer does not fit."""
    parameters: int = 0
    """Learnable numbers."""
    multiply_adds: int = 0
    """Multiplications with an addition for one sample."""
    error: str = ""
    """Why the layer does not fit; empty for all but the first that does not."""
    fixes: tuple[Fix, ...] = ()
    """The ways to make that layer fit, best first; each has been tried."""
    state_bytes: int = 0
    """Bytes of the layer's weights and buffers, as they are saved."""


@dataclass(frozen=True)
class _Outcome:
    """What a layer makes of an input, wherever in a network it stands; the fields are those of a `ShapeStep`."""

    out_shape: Shape | None = None
    parameters: int = 0
    multiply_adds: int = 0
    state_bytes: int = 0
    error: str = ""


def trace(spec: NetworkSpec) -> list[ShapeStep]:
    """Follow one sample's shape through every layer.

    Never raises for a network that does not fit: the first layer that refuses its input carries the
    error, and the steps behind it have no shapes.
    """
    return list(_traced(spec))


@lru_cache(maxsize=512)  # pages ask for the same few networks at every run of their scripts
def _traced(spec: NetworkSpec) -> tuple[ShapeStep, ...]:
    steps: list[ShapeStep] = []
    shape: Shape | None = spec.input_shape
    for index, layer in enumerate(spec.layers):
        step = ShapeStep(index, layer, None, None) if shape is None else _step(spec, index, shape)
        steps.append(step)
        shape = step.out_shape
    return tuple(steps)


def select_working(spec: NetworkSpec, fixes: Iterable[Fix], unreached: int = 0) -> tuple[Fix, ...]:
    """Those of the fixes that work, each once and in their order.

    Args:
        spec: the network to be mended.
        fixes: changes of its layers, not yet tried.
        unreached: how many layers at the end of the mended network may be left without a shape.
    """
    working: dict[tuple[LayerSpec, ...], Fix] = {}
    for fix in fixes:
        if fix.layers not in working and _reaches(spec.input_shape, fix.layers, len(fix.layers) - unreached):
            working[fix.layers] = fix
    return tuple(working.values())


def working_output_fixes(spec: NetworkSpec, classes: int) -> tuple[Fix, ...]:
    """The ways to make a network that fits end in as many scores as there are classes, best first.

    None where it already does, and none for a network with a layer that does not fit.
    """
    out_shape = trace(spec)[-1].out_shape
    if out_shape is None or out_shape == (classes,):
        return ()
    fixes = select_working(spec, propose_output_fixes(spec.layers, out_shape, classes))
    return tuple(fix for fix in fixes if trace(spec.with_layers(fix.layers))[-1].out_shape == (classes,))


def fits(spec: NetworkSpec, input_shape: Shape, classes: int) -> bool:
    """Whether the network takes samples of this shape and ends in as many scores as there are classes."""
    return spec.input_shape == input_shape and trace(spec)[-1].out_shape == (classes,)


def check(spec: NetworkSpec, input_shape: Shape | None = None, classes: int | None = None) -> list[ShapeStep]:
    """The trace of a network that fits.

    Args:
        spec: the network.
        input_shape: shape of one sample of the data it shall be used on, or None for any.
        classes: how many logits it must end in, or None for any number.

    Raises:
        ShapeError: a layer refuses its input, or the network does not fit the data.
    """
    if input_shape is not None and spec.input_shape != input_shape:
        raise ShapeError(
            f"The network “{spec.name}” takes input of shape {spec.input_shape}, but the data has shape {input_shape}.",
            "Choose another network, or data of that shape.",
        )
    steps = trace(spec)
    parameters = sum(step.parameters for step in steps)
    if parameters > MAX_PARAMETERS:
        raise ShapeError(
            f"The network “{spec.name}” has {parameters:,} parameters; the playground stops at {MAX_PARAMETERS:,}.", "Make its largest layer smaller."
        )
    for step in steps:
        if step.error:
            raise ShapeError(f"Layer {step.index} ({step.layer.type}): {step.error}", step.fixes[0].title + "." if step.fixes else "")
    if classes is not None and steps[-1].out_shape != (classes,):
        raise ShapeError(
            f"The network “{spec.name}” ends in shape {steps[-1].out_shape}, but the data has {classes} classes.",
            f"Let it end in a Linear layer with out_features {classes}.",
        )
    return steps


def arguments(kind: LayerType, layer: LayerSpec, in_shape: Shape) -> dict[str, Any]:
    """Everything the layer's class is called with: what follows from the input's shape, what was set, what is fixed."""
    inferred = {name: infer(rule, in_shape) for name, rule in kind.inferred}
    return {**inferred, **kind.settings(layer.params), **dict(kind.fixed)}


def construct(layer: LayerSpec, in_shape: Shape) -> nn.Module:
    """The layer as a module that fits an input of shape `in_shape`, on torch's current default device."""
    kind = layer_type(layer.type)
    return layer_class(kind.target)(**arguments(kind, layer, in_shape))


@cache
def layer_class(target: str) -> type[nn.Module]:
    """The class at an import path of the catalogue."""
    module, name = target.rsplit(".", 1)
    return cast("type[nn.Module]", getattr(importlib.import_module(module), name))


def _step(spec: NetworkSpec, index: int, in_shape: Shape) -> ShapeStep:
    layer = spec.layers[index]
    outcome = _outcome(layer, in_shape)
    fixes = select_working(spec, propose_fixes(spec.layers, index, in_shape), len(spec.layers) - index - 1) if outcome.error else ()
    return ShapeStep(index, layer, in_shape, fixes=fixes, **vars(outcome))


def _reaches(shape: Shape | None, layers: tuple[LayerSpec, ...], count: int) -> bool:
    """Whether the layers may be stacked, and the first `count` of them fit an input of `shape`."""
    if not 0 < len(layers) <= MAX_LAYERS or any(layer_type(layer.type).problems(layer.params) for layer in layers):
        return False
    for layer in layers[:count]:
        if shape is not None:
            shape = _outcome(layer, shape).out_shape
    return shape is not None


@lru_cache(maxsize=8192)  # so that an edit traces anew only the layers whose settings or input it changes
def _outcome(layer: LayerSpec, in_shape: Shape) -> _Outcome:
    import torch  # networks are read and listed without torch
    from torch.utils.flop_counter import FlopCounterMode

    fault = _misfit(layer, in_shape)
    if fault:
        return _Outcome(error=fault)
    try:
        with torch.device("meta"):
            module = construct(layer, in_shape).eval()  # in which batch norm has less to work out
            samples = torch.empty(BATCH, *in_shape)
        if layer_type(layer.type).group in KEEP_SHAPE:
            return _Outcome(in_shape, _numbers(module), 0, _state_bytes(module))
        with FlopCounterMode(display=False) as flops:
            out = module(samples)
    except (RuntimeError, ValueError, AssertionError) as error:  # what torch.nn raises for sizes that do not fit
        return _Outcome(error=f"PyTorch refuses an input of shape {in_shape}: {error}")
    return _Outcome(tuple(out.shape[1:]), _numbers(module), flops.get_total_flops() // (2 * BATCH), _state_bytes(module))


def _numbers(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _state_bytes(module: nn.Module) -> int:
    return sum(value.numel() * value.itemsize for value in module.state_dict().values())


def _misfit(layer: LayerSpec, shape: Shape) -> str:
    """Why the layer cannot take `shape`, told before PyTorch tells it less kindly; empty where it can."""
    kind = layer_type(layer.type)
    if len(shape) not in kind.ranks:
        wanted = " or ".join(RANK_NAMES[rank] for rank in kind.ranks)
        return f"it takes {wanted}, but what arrives is {RANK_NAMES[len(shape)]} of shape {shape}."
    values: dict[str, Any] = kind.settings(layer.params)
    if "kernel_size" in values:
        return _window_misfit(layer, shape, values)
    if layer.type == "PatchEmbedding" and (shape[1] != shape[2] or shape[1] % values["patch_size"]):
        return f"patches of {values['patch_size']}×{values['patch_size']} pixels do not tile an image of {shape[1]}×{shape[2]}."
    if layer.type == "TransformerEncoderLayer" and shape[-1] % values["nhead"]:
        return f"{shape[-1]} features cannot be shared out equally among {values['nhead']} heads."
    return ""


def _window_misfit(layer: LayerSpec, shape: Shape, values: dict[str, Any]) -> str:
    kernel, padding, dilation = values["kernel_size"], values.get("padding", 0), values.get("dilation", 1)
    if layer.type in POOLS and padding > kernel // 2:
        return f"its padding ({padding}) may be at most half its kernel ({kernel})."
    smallest = min(shape[1:])
    mode = values.get("padding_mode")
    most = {"reflect": smallest - 1, "circular": smallest}.get(str(mode), padding)
    if padding > most:
        return f"{mode} padding of an image of {shape[1]}×{shape[2]} pixels may be at most {most}, not {padding}."
    span = dilation * (kernel - 1) + 1
    if span <= smallest + 2 * padding:
        return ""
    return f"its window spans {span} pixels, but the padded image is only {shape[1] + 2 * padding}×{shape[2] + 2 * padding}."
