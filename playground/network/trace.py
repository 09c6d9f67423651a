"""What shape a network's data has after every layer, found by PyTorch itself without computing a number.

Each layer is built and run on the meta device, where tensors have shapes but no memory
(https://docs.pytorch.org/docs/stable/meta.html), so that a trace costs milliseconds at any size.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache, lru_cache
from math import prod
from typing import TYPE_CHECKING, Any, cast

from playground.errors import ShapeError
from playground.network.catalogue import RANK_NAMES, LayerType, Shape, infer
from playground.network.layers import layer_type
from playground.network.spec import LayerSpec, NetworkSpec

if TYPE_CHECKING:
    from torch import nn

MAX_PARAMETERS = 200_000_000
"""Larger networks are refused: their weights alone would take a gigabyte, and training four."""
BATCH = 2
"""Samples in the traced batch: batch norm refuses to learn from one."""


@dataclass(frozen=True)
class Mend:
    """A way to make a network fit, ready to be applied."""

    title: str
    layers: tuple[LayerSpec, ...]
    """All layers of the mended network."""


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
    mend: Mend | None = None


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
        step = ShapeStep(index, layer, None, None) if shape is None else _step(spec, index, layer, shape)
        steps.append(step)
        shape = step.out_shape
    return tuple(steps)


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
            raise ShapeError(f"Layer {step.index} ({step.layer.type}): {step.error}", step.mend.title + "." if step.mend else "")
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


def _step(spec: NetworkSpec, index: int, layer: LayerSpec, in_shape: Shape) -> ShapeStep:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    fault, mend = _misfit(spec, index, layer, in_shape)
    if fault:
        return ShapeStep(index, layer, in_shape, None, error=fault, mend=mend)
    try:
        with torch.device("meta"), FlopCounterMode(display=False) as flops:
            module = construct(layer, in_shape)
            out = module(torch.empty(BATCH, *in_shape))
    except (RuntimeError, ValueError, AssertionError) as error:  # what torch.nn raises for sizes that do not fit
        return ShapeStep(index, layer, in_shape, None, error=f"PyTorch refuses an input of shape {in_shape}: {error}")
    parameters = sum(parameter.numel() for parameter in module.parameters())
    return ShapeStep(index, layer, in_shape, tuple(out.shape[1:]), parameters, flops.get_total_flops() // (2 * BATCH))


def _misfit(spec: NetworkSpec, index: int, layer: LayerSpec, shape: Shape) -> tuple[str, Mend | None]:
    """Why the layer cannot take `shape`, told before PyTorch tells it less kindly; empty where it can."""
    kind = layer_type(layer.type)
    if len(shape) not in kind.ranks:
        wanted = " or ".join(RANK_NAMES[rank] for rank in kind.ranks)
        return f"it takes {wanted}, but what arrives is {RANK_NAMES[len(shape)]} of shape {shape}.", _rank_mend(spec, index, kind, shape)
    values: dict[str, Any] = kind.settings(layer.params)
    if "kernel_size" in values:
        return _window_misfit(spec, index, layer, shape, values)
    if layer.type == "PatchEmbedding" and (shape[1] != shape[2] or shape[1] % values["patch_size"]):
        fault = f"patches of {values['patch_size']}×{values['patch_size']} pixels do not tile an image of {shape[1]}×{shape[2]}."
        sizes = [size for size in range(values["patch_size"], 0, -1) if shape[1] % size == 0]
        return fault, None if shape[1] != shape[2] else _with_params(spec, index, {"patch_size": sizes[0]})
    if layer.type == "TransformerEncoderLayer" and shape[-1] % values["nhead"]:
        heads = [count for count in range(values["nhead"], 0, -1) if shape[-1] % count == 0]
        return f"{shape[-1]} features cannot be shared out equally among {values['nhead']} heads.", _with_params(spec, index, {"nhead": heads[0]})
    return "", None


def _window_misfit(spec: NetworkSpec, index: int, layer: LayerSpec, shape: Shape, values: dict[str, Any]) -> tuple[str, Mend | None]:
    kernel, padding, dilation = values["kernel_size"], values.get("padding", 0), values.get("dilation", 1)
    pools = layer.type.endswith("Pool2d")
    if pools and padding > kernel // 2:
        return f"its padding ({padding}) may be at most half its kernel ({kernel}).", _with_params(spec, index, {"padding": kernel // 2})
    smallest = min(shape[1:])
    mode = values.get("padding_mode")
    most = {"reflect": smallest - 1, "circular": smallest}.get(str(mode), padding)
    if padding > most:
        return f"{mode} padding of an image of {shape[1]}×{shape[2]} pixels may be at most {most}, not {padding}.", _with_params(spec, index, {"padding": most})
    span = dilation * (kernel - 1) + 1
    if span <= smallest + 2 * padding:
        return "", None
    fault = f"its window spans {span} pixels, but the padded image is only {shape[1] + 2 * padding}×{shape[2] + 2 * padding}."
    if pools:
        layers = spec.layers[:index] + spec.layers[index + 1 :]
        return fault, Mend("Leave this pooling layer out", layers) if layers else None
    fitting = max(1, (smallest + 2 * padding - 1) // dilation + 1)
    return fault, _with_params(spec, index, {"kernel_size": fitting})


def _rank_mend(spec: NetworkSpec, index: int, kind: LayerType, shape: Shape) -> Mend | None:
    """The layer to put in front, or in place, of one that takes another rank."""
    before, after = spec.layers[:index], spec.layers[index:]
    swap = {"BatchNorm1d": "BatchNorm2d", "BatchNorm2d": "BatchNorm1d"}.get(kind.name)
    if swap and len(shape) in layer_type(swap).ranks:
        return Mend(f"Use {swap} here", (*before, LayerSpec(swap), *after[1:]))
    if 1 in kind.ranks:
        return Mend(f"Put a Flatten layer before it: {prod(shape)} values in one row", (*before, LayerSpec("Flatten"), *after))
    if 2 in kind.ranks and len(shape) == 3:
        return Mend("Put a PatchEmbedding layer before it", (*before, LayerSpec("PatchEmbedding"), *after))
    if before and before[-1].type == "Flatten" and len(trace(spec.with_layers(before))[-1].in_shape or ()) in kind.ranks:
        return Mend("Leave out the Flatten layer before it", (*before[:-1], *after))
    return None


def _with_params(spec: NetworkSpec, index: int, changes: dict[str, int]) -> Mend:
    layer = spec.layers[index]
    changed = LayerSpec(layer.type, {**layer.params, **changes})
    title = ", ".join(f"Set {name} to {value}" for name, value in changes.items())
    return Mend(title, (*spec.layers[:index], changed, *spec.layers[index + 1 :]))
