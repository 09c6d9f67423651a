"""A recorded step as layers of the catalogue: every setting of the layer or the function is kept, checked, or named.

Sources: https://docs.pytorch.org/docs/stable/nn.html, https://docs.pytorch.org/docs/stable/nn.functional.html
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from playground.messages import msg
from playground.network.catalogue import LAYERS
from playground.network.spec import LayerSpec
from playground.network.trace import layer_class
from playground.network.types import LayerType, Param, Value
from playground.pasted.errors import CodeError
from playground.pasted.recording import BATCH, Step

KINDS = {kind.name: kind for kind in LAYERS}
_POOL = ("kernel_size", "stride", "padding")
FUNCTIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "relu": ("ReLU", ("inplace",)),
    "relu_": ("ReLU", ()),
    "leaky_relu": ("LeakyReLU", ("negative_slope", "inplace")),
    "gelu": ("GELU", ("approximate",)),
    "silu": ("SiLU", ("inplace",)),
    "elu": ("ELU", ("alpha", "inplace")),
    "selu": ("SELU", ("inplace",)),
    "relu6": ("ReLU6", ("inplace",)),
    "hardswish": ("Hardswish", ("inplace",)),
    "mish": ("Mish", ("inplace",)),
    "sigmoid": ("Sigmoid", ()),
    "sigmoid_": ("Sigmoid", ()),
    "tanh": ("Tanh", ()),
    "tanh_": ("Tanh", ()),
    "softmax": ("Softmax", ("dim",)),
    "log_softmax": ("LogSoftmax", ("dim",)),
    "dropout": ("Dropout", ("p", "training", "inplace")),
    "dropout2d": ("Dropout2d", ("p", "training", "inplace")),
    "max_pool2d": ("MaxPool2d", (*_POOL, "dilation", "ceil_mode", "return_indices")),
    "avg_pool2d": ("AvgPool2d", (*_POOL, "ceil_mode", "count_include_pad", "divisor_override")),
    "adaptive_avg_pool2d": ("AdaptiveAvgPool2d", ("output_size",)),
    "adaptive_max_pool2d": ("AdaptiveMaxPool2d", ("output_size", "return_indices")),
}
"""Functions of PyTorch and the layers that they are, with their arguments behind the tensor."""
CLAMPS = {"clamp": ("min", "max"), "clamp_": ("min", "max"), "clamp_min": ("min",), "clip": ("min", "max")}
SHAPE_ONLY = frozenset(("view", "reshape", "flatten", "ravel", "squeeze", "unsqueeze", "Flatten", "Unflatten"))
"""What changes how the values of a sample are laid out, and keeps them and their order."""
NOTHING = frozenset(("contiguous", "float", "clone", "Identity", "to", "requires_grad_", "Variable"))
"""What changes no value, for the numbers that networks compute with."""
_WINDOWS = frozenset(("kernel_size", "stride", "padding", "dilation", "output_size"))


@dataclass(frozen=True)
class Read:
    """What a step is in a stack."""

    layers: tuple[LayerSpec, ...] = ()
    note: str = ""
    is_last: bool = False
    """Whether no layer may follow, because the loss does it already."""


def read_step(step: Step) -> Read:
    """Return the layers that a step with one tensor is.

    Raises:
        CodeError: the playground has none for it, or not with these settings.
    """
    if step.name in SHAPE_ONLY:
        return _laid_out(step)
    if step.name in NOTHING and step.shapes and step.shapes[0] == step.arriving[0]:
        return Read()
    name, given = _settings(step)
    if name == "mean":
        return _mean(given, step)
    if name in ("AdaptiveMaxPool2d", "AdaptiveAvgPool2d"):
        return _adaptive(name, given, step)
    if name == "LogSoftmax":
        _check_last_dimension(given.get("dim"), step)
        left_out = msg("`{name}` is left out: the playground’s cross-entropy loss does it already.", name=step.name)
        return Read((), left_out, is_last=True)
    if name not in KINDS:
        raise _unknown(step, name)
    note = _dropout_note(given.pop("training", True), step) if step.name in ("dropout", "dropout2d") else ""
    return Read((_spec(KINDS[name], given, step),), note)


def _settings(step: Step) -> tuple[str, dict[str, Any]]:
    """Return the name of the layer that a step is, and the settings that it has there."""
    if step.module is not None:
        return step.name, _of_module(step.module)
    if step.name in CLAMPS:
        bounds = _arguments(step, CLAMPS[step.name])
        if bounds.get("min") == 0 and bounds.get("max") is None:
            return "ReLU", {}
        raise CodeError(msg("`{code}` is no layer of the playground.", code=step.code), msg("Only `clamp(min=0)` is one: ReLU."), step.line)
    if step.name == "mean":
        return "mean", _arguments(step, ("dim", "keepdim"))
    name, names = FUNCTIONS.get(step.name, ("", ()))
    return (name, _arguments(step, names)) if name else (step.name, {})


def _arguments(step: Step, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the arguments of a function by name, without its tensor."""
    args = [part for part in step.call.args if not isinstance(part, Tensor)]
    kwargs = {name: value for name, value in step.call.kwargs.items() if not isinstance(value, Tensor) and name not in ("_stacklevel", "dtype")}
    return dict(zip(names, args, strict=False)) | kwargs


def _of_module(module: nn.Module) -> dict[str, Any]:
    """Return the settings of a module by the names of its constructor's arguments."""
    if isinstance(module, nn.TransformerEncoderLayer):
        return {
            "d_model": module.linear1.in_features,
            "nhead": module.self_attn.num_heads,
            "dim_feedforward": module.linear1.out_features,
            "dropout": module.dropout.p,
            "activation": "gelu" if module.activation is torch.nn.functional.gelu else "relu",
            "layer_norm_eps": module.norm1.eps,
            "batch_first": module.self_attn.batch_first,
            "norm_first": module.norm_first,
            "bias": module.linear1.bias is not None,
        }
    names = [name for name in _signature(type(module)).parameters if name not in ("device", "dtype")]
    return {name: getattr(module, name) is not None if name == "bias" else getattr(module, name) for name in names if hasattr(module, name)}


def _signature(kind: type[nn.Module]) -> inspect.Signature:
    signature = inspect.signature(kind)
    named = [each for each in signature.parameters.values() if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    return signature.replace(parameters=named)


def _defaults(kind: type[nn.Module]) -> Mapping[str, Any]:
    return {name: each.default for name, each in _signature(kind).parameters.items() if each.default is not inspect.Parameter.empty}


def _spec(kind: LayerType, given: Mapping[str, Any], step: Step) -> LayerSpec:
    """Return a layer of a kind with these settings; what is not given is as PyTorch has it, not as the catalogue does."""
    usual = _defaults(layer_class(kind.target))
    values = {**usual, **given}
    for name, _rule in kind.inferred:  # follows from the shape that arrives, which PyTorch has checked
        values.pop(name, None)
    values.pop("inplace", None)
    if kind.name == "Softmax":
        _check_last_dimension(values.pop("dim"), step)
    if kind.name in ("MaxPool2d", "AvgPool2d") and values["stride"] in (None, []):
        values["stride"] = values["kernel_size"]
    if kind.name == "Conv2d" and isinstance(values["padding"], str):
        values["padding"] = _padding(values, step)
    settings = {param.name: _setting(param, values.pop(param.name), step) for param in kind.params}
    fixed = {**usual, **dict(kind.fixed)}
    for name, value in values.items():
        if name in ("device", "dtype"):
            continue
        if name in fixed and (value != fixed[name] or isinstance(value, bool) != isinstance(fixed[name], bool)):
            raise CodeError(
                msg("{code} has {name}={value}; the playground’s {layer} always has {usual}.", code=_code(step), name=name, value=_shown(value),
                    layer=kind.name, usual=_shown(fixed[name])),
                "", step.line,
            )  # fmt: skip
    return LayerSpec(kind.name, {name: value for name, value in settings.items() if value != _param(kind, name).default or _is_said(kind, name, value)})


def _is_said(kind: LayerType, name: str, value: Value) -> bool:
    """Whether a value is kept although it is the catalogue's default: where PyTorch has another default, or none."""
    return bool(_defaults(layer_class(kind.target)).get(name, None) != value)


def _param(kind: LayerType, name: str) -> Param:
    return next(param for param in kind.params if param.name == name)


def _setting(param: Param, value: Any, step: Step) -> Value:
    """Return a value of a parameter of the catalogue."""
    if isinstance(value, (tuple, list)) and param.name in _WINDOWS and 1 <= len(value) <= 2:
        if value[0] != value[-1]:
            message = msg("{code} has {name} {value}; the playground’s windows are as high as wide.", code=_code(step), name=param.name, value=_shown(value))
            raise CodeError(message, msg("Give one number."), step.line)
        value = value[0]
    if param.kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if problem := param.problem(value):
        raise CodeError(msg("{code} is beyond the playground’s limits: {problem}", code=_code(step), problem=problem), "", step.line)
    kept: Value = value
    return kept


def _padding(values: Mapping[str, Any], step: Step) -> int:
    """Return `padding="same"` as the pixels that it means (https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html)."""
    if values["padding"] == "valid":
        return 0
    spans = [dilation * (kernel - 1) for kernel, dilation in zip(values["kernel_size"], values["dilation"], strict=True)]
    if spans[0] != spans[-1] or spans[0] % 2:
        message = msg("{code} adds another number of pixels on one side than on the other.", code=_code(step))
        raise CodeError(message, msg("With an odd kernel_size it is the same on every side."), step.line)
    return int(spans[0] // 2)


def _check_last_dimension(dim: Any, step: Step) -> None:
    if dim in (-1, len(step.arriving[0]) - 1) or (dim is None and len(step.arriving[0]) == 2):
        return
    message = msg("The playground’s softmax runs along the last dimension, not along {dim}.", dim=_shown(dim))
    hint = msg("Along 0 it would compare the samples of a batch with each other. Write dim=-1.") if dim == 0 else msg("Write dim=-1.")
    raise CodeError(message, hint, step.line)


def _dropout_note(training: Any, step: Step) -> str:
    written = [*step.call.args[2:3], *(value for name, value in step.call.kwargs.items() if name == "training")]
    if written and training:
        return ""
    if not training:
        raise CodeError(msg("`{code}` never drops anything.", code=step.code), msg("Write training=self.training."), step.line)
    return msg("`F.dropout` without training=self.training drops values even when training is over; it is read as nn.Dropout, which does not.")


def _laid_out(step: Step) -> Read:
    """Read what lays the values of each sample out in another shape."""
    before, after = step.arriving[0], step.shapes[0]
    if before == after:
        return Read((LayerSpec("Flatten"),) if step.name in ("Flatten", "flatten") else ())
    if error := fixed_batch(step):
        raise error
    if after == (BATCH, prod(before[1:])):
        return Read((LayerSpec("Flatten"),))
    if after[:1] != (BATCH,):
        if len(after) == 2 and after[1] > 1 and prod(before) % after[1] == 0 and step.name in ("view", "reshape"):
            raise wrong_rows(step, after[1])
        hint = msg("Write `torch.flatten(x, 1)`, so that each sample keeps a row of its own.")
        raise CodeError(msg("`{code}` lays out the batch as well.", code=step.code), hint, step.line)
    raise CodeError(
        msg("This makes shape {after} of what has shape {before}, and the playground has no layer for that.", after=after[1:], before=before[1:]),
        msg("It can only lay out all values in one row."),
        step.line,
    )


def said_sizes(step: Step) -> list[Any]:
    """Return the sizes that `view` or `reshape` is given."""
    sizes = [part for part in step.call.args if not isinstance(part, Tensor)]
    return list(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], (list, tuple)) else sizes


def wrong_rows(step: Step, said: int) -> CodeError:
    """Return the error of a `view` that makes rows of another size than a sample has."""
    shape = step.arriving[0][1:]
    message = msg("This makes rows of {said} values, but each sample has {count}, of shape {shape}.", said=said, count=prod(shape), shape=shape)
    return CodeError(message, msg("`torch.flatten(x, 1)` finds the number by itself."), step.line)


def fixed_batch(step: Step) -> CodeError | None:
    """Return the error of a `view` that says how many samples a batch has."""
    sizes = said_sizes(step) if step.name in ("view", "reshape") else []
    if not sizes or type(sizes[0]) is not int or sizes[0] in (-1, BATCH) or (len(sizes) > 1 and sizes[0] == 1):
        return None
    message = msg("`{code}` says that a batch has {count} samples.", code=step.code, count=sizes[0])
    return CodeError(message, msg("Write `x.view(x.size(0), -1)`: a batch may have any number of samples, and the last one is often smaller."), step.line)


def _mean(given: Mapping[str, Any], step: Step) -> Read:
    """Read the mean over tokens, or over an image's pixels."""
    rank, keep = len(step.arriving[0]), bool(given.get("keepdim", False))
    dims = given.get("dim")
    over = sorted(dim % rank for dim in (dims if isinstance(dims, (tuple, list)) else [dims])) if dims is not None else []
    if rank == 3 and over == [1] and not keep:
        return Read((LayerSpec("TokenMean"),))
    if rank == 4 and over == [2, 3]:
        pool = _spec(KINDS["AdaptiveAvgPool2d"], {"output_size": 1}, step)
        return Read((pool,) if keep else (pool, LayerSpec("Flatten")))
    hint = msg("Over tokens, write `x.mean(dim=1)`; over an image, `x.mean(dim=(2, 3))`.")
    raise CodeError(msg("The playground has no layer for the mean that `{code}` takes.", code=step.code), hint, step.line)


def _adaptive(name: str, given: Mapping[str, Any], step: Step) -> Read:
    """Read pooling to a fixed size; the largest value of the whole image is a window as large as the image."""
    if name in KINDS:
        return Read((_spec(KINDS[name], given, step),))
    size, (height, width) = given["output_size"], step.arriving[0][-2:]
    if size in (1, (1, 1), [1, 1]) and height == width:
        return Read((_spec(KINDS["MaxPool2d"], {"kernel_size": height}, step),))
    raise _unknown(step, name)


def _unknown(step: Step, name: str) -> CodeError:
    if step.module is None:
        return CodeError(msg("The playground has no layer for `{code}`.", code=step.code), _what_can(), step.line)
    near = difflib.get_close_matches(name, KINDS, n=1, cutoff=0.8)
    hint = msg("It has {layer}.", layer=near[0]) if near else _what_can()
    return CodeError(msg("The playground has no layer {name}.", name=name), hint, step.line)


def _what_can() -> str:
    return msg("The list of layers on the Network page shows what there is.")


def _code(step: Step) -> str:
    return f"`{step.name}`" if step.module is not None else f"`{step.code}`"


def _shown(value: Any) -> str:
    """Return a value of the code, short."""
    if isinstance(value, (list, tuple)):
        return f"({', '.join(_shown(part) for part in value[:4])}{', …' if len(value) > 4 else ''})"
    text = repr(value) if isinstance(value, (int, float, str, type(None))) else type(value).__name__
    return text if len(text) <= 40 else f"{text[:40]}…"
