"""A call of `torch.nn` or of its functions, as a layer of the catalogue: every argument is kept, checked, or told.

Sources: https://docs.pytorch.org/docs/stable/nn.html, https://docs.pytorch.org/docs/stable/nn.functional.html
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from playground.network.catalogue import LAYERS
from playground.network.reading_shapes import Argument, Dimension, Row, Same
from playground.network.reading_values import TRAINING, Chain, Claim, CodeError, Instance, Layer, Ref, Signal, Sized, Sizes, cannot, line_of
from playground.network.spec import LayerSpec
from playground.network.trace import layer_class
from playground.network.types import LayerType, Param, Value

KINDS = {kind.name: kind for kind in LAYERS}
BLOCKS = {name for name, kind in KINDS.items() if kind.target.startswith("playground.")}
WEIGHTED = {name for name, kind in KINDS.items() if kind.inferred}
"""Layers that learn something, so that calling one twice is not the same as having two."""
PASSING = {"Identity", "LogSoftmax"}
"""Classes of `torch.nn` that need no layer."""

_POOL = ("kernel_size", "stride", "padding")
FUNCTIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "relu": ("ReLU", ("inplace",)),
    "leaky_relu": ("LeakyReLU", ("negative_slope", "inplace")),
    "gelu": ("GELU", ("approximate",)),
    "silu": ("SiLU", ("inplace",)),
    "sigmoid": ("Sigmoid", ()),
    "tanh": ("Tanh", ()),
    "softmax": ("Softmax", ("dim",)),
    "log_softmax": ("LogSoftmax", ("dim",)),
    "dropout": ("Dropout", ("p", "training", "inplace")),
    "max_pool2d": ("MaxPool2d", (*_POOL, "dilation", "ceil_mode", "return_indices")),
    "avg_pool2d": ("AvgPool2d", (*_POOL, "ceil_mode", "count_include_pad", "divisor_override")),
    "adaptive_avg_pool2d": ("AdaptiveAvgPool2d", ("output_size",)),
    "flatten": ("Flatten", ("start_dim", "end_dim")),
    "clamp": ("ReLU", ("min",)),
}
"""Functions of `torch.nn.functional` and the layers that they are, with their arguments behind the tensor."""
IN_TORCH = {"relu", "sigmoid", "tanh", "softmax", "log_softmax", "flatten", "mean", "reshape", "clamp"}
IN_TENSOR = IN_TORCH | {"view"}
NOTHING = {"contiguous", "to", "float", "cuda", "cpu"}
"""Methods of a tensor that change where or how it lies, and no number."""
_WINDOWS = {"kernel_size", "stride", "padding", "dilation", "output_size"}
_LOSS_DOES_IT = "is left out: the playground’s cross-entropy loss does it already."


def make(name: str, args: Sequence[object], keywords: Mapping[str, object], node: ast.Call) -> Layer:
    """The layer that `nn.<name>(…)` makes.

    Raises:
        CodeError: the playground has no such layer, or not with these arguments.
    """
    if name == "Identity":
        return Layer(name, None, node)
    if name == "LogSoftmax":
        return _log_softmax(name, args[0] if args else keywords.get("dim"), node)
    if name not in KINDS:
        raise cannot(node, hint=f"The playground has no such layer; it has {', '.join(KINDS)}.")
    try:
        given = _signature(name).bind(*args, **keywords).arguments
    except TypeError as error:
        raise cannot(node, f"does not work: {error}.", "") from None
    return _layer(name, KINDS[name], given, node)


def function(name: str, args: Sequence[object], keywords: Mapping[str, object], node: ast.Call) -> list[Layer]:
    """The layers that `F.<name>(x, …)`, `torch.<name>(x, …)` or `x.<name>(…)` stands for; the arguments are those behind `x`.

    Raises:
        CodeError: the playground has none for it, or not with these arguments.
    """
    if name in ("view", "reshape"):
        return [_view(name, [*args, *keywords.values()], node)]
    kind, names = FUNCTIONS.get(name, ("", ("dim", "keepdim"))) if name == "mean" or name in FUNCTIONS else ("", ())
    if not names and not kind:
        raise cannot(node)
    given = dict(zip(names, args, strict=False)) | dict(keywords)
    if len(args) > len(names) or not given.keys() <= set(names) or len(given) < len(args) + len(keywords):
        raise cannot(node, f"has arguments that {name} does not take; after the tensor it takes {', '.join(names) or 'none'}.", "")
    if name == "mean":
        return _mean(given, node)
    if kind == "LogSoftmax":
        return [_log_softmax(name, given.get("dim"), node)]
    note = _dropout_note(given.pop("training", True), node) if kind == "Dropout" else ""
    if name == "clamp" and given.pop("min", None) != 0:
        raise cannot(node, hint="Only clamp(min=0) can be read, which is ReLU.")
    if kind == "Flatten":
        given.setdefault("start_dim", 0)  # torch.flatten's own default, other than nn.Flatten's
    missing = [key for key in names if key in ("kernel_size", "output_size") and key not in given]
    if missing:
        raise cannot(node, f"does not say its {missing[0]}.", "")
    layer = _layer(name, KINDS[kind], given, node)
    layer.note = layer.note or note
    return [layer]


def _layer(name: str, kind: LayerType, given: Mapping[str, object], node: ast.Call) -> Layer:
    """The layer of a kind with these arguments by name; what is not given is as PyTorch has it, not as the catalogue does."""
    values = _defaults(kind.name) | dict(given)
    inplace = values.get("inplace") is True
    if inplace:
        values["inplace"] = False
    claims: list[Claim] = [Argument(kind.name, key, rule, _said(key, values.pop(key), node)) for key, rule in kind.inferred]
    if kind.name == "Softmax":
        claims.append(Dimension(values.pop("dim")))
    if kind.name == "Flatten" and values["start_dim"] == 0:
        raise cannot(node, "lays out the batch as well.", "Write torch.flatten(x, 1), so that each sample keeps a row of its own.")
    if kind.name in ("MaxPool2d", "AvgPool2d") and values["stride"] is None:
        values["stride"] = values["kernel_size"]
    if kind.name == "Conv2d" and isinstance(values["padding"], str):
        values["padding"] = _same_padding(values, node)
    params = {param.name: _setting(param, values.pop(param.name), node) for param in kind.params}
    _check_rest(kind, values, node)
    told = {param.name: params[param.name] for param in kind.params if param.name in given or params[param.name] != param.default}
    spec = LayerSpec(kind.name, told)
    return Layer(name, spec, node, tuple(claims), inplace=inplace)


def _setting(param: Param, value: object, node: ast.Call) -> Value:
    """A value that the catalogue has a parameter for."""
    if isinstance(value, (tuple, list)) and param.name in _WINDOWS and 1 <= len(value) <= 2:
        if value[0] != value[-1]:
            raise cannot(node, f"has {param.name} {_display(value)}; the playground’s windows are as high as wide.", "Give one number.")
        value = value[0]
    if not isinstance(value, (int, float, str)) or (isinstance(value, str) and len(value) > 40):
        raise cannot(node, f"has a {param.name} that cannot be read: {_display(value)}.", "")
    if param.kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    problem = param.problem(value)
    if problem:
        raise cannot(node, f"is out of the playground’s range: {problem}", "")
    return value


def _check_rest(kind: LayerType, values: Mapping[str, object], node: ast.Call) -> None:
    """Arguments that the playground does not let one set must be as it has them."""
    usual = _defaults(kind.name) | dict(kind.fixed)
    for name, value in values.items():
        if name == "activation" and (value == Ref("torch.nn.functional.gelu") or (isinstance(value, Layer) and value.name == "GELU")):
            continue
        if isinstance(value, (Layer, Signal, Sized)) or value != usual[name] or isinstance(value, bool) != isinstance(usual[name], bool):
            raise cannot(node, f"has {name}={_display(value)}, which the playground’s {kind.name} cannot; it always has {_display(usual[name])}.", "")


def _said(name: str, value: object, node: ast.Call) -> int | list[int]:
    """An argument that follows from the shape, as the code says it."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if name == "normalized_shape" and isinstance(value, (list, tuple)) and value and all(type(size) is int for size in value):
        return list(value)
    raise cannot(node, f"has {_display(value)} as its {name}, which must be a whole number.", "")


def _same_padding(values: Mapping[str, object], node: ast.Call) -> object:
    """`padding="same"` as the number of pixels that it means (https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html)."""
    if values["padding"] == "valid":
        return 0
    kernel, dilation = (value[0] if isinstance(value, (tuple, list)) and value else value for value in (values["kernel_size"], values["dilation"]))
    whole = isinstance(kernel, int) and isinstance(dilation, int) and dilation * (kernel - 1) % 2 == 0
    if values["padding"] != "same" or values["stride"] not in (1, (1, 1), [1, 1]) or not whole:
        raise cannot(node, "has a padding that is no number of pixels on every side.", "Give the number of pixels, as in padding=1.")
    return dilation * (kernel - 1) // 2  # type: ignore[operator]


def _log_softmax(name: str, dim: object, node: ast.Call) -> Layer:
    return Layer(name, None, node, (Dimension(dim),), last=True, note=f"`{name}` {_LOSS_DOES_IT}")


def _dropout_note(training: object, node: ast.Call) -> str:
    if training is TRAINING:
        return ""
    if training is not True:
        raise cannot(node, "has a `training` that cannot be read.", "Write training=self.training, or take nn.Dropout.")
    return "`F.dropout` without training=self.training drops values even when training is over; it is read as nn.Dropout, which does not."


def _view(name: str, args: list[object], node: ast.Call) -> Layer:
    """`x.view(-1, 320)`, `x.view(x.size(0), -1)`: each sample's values in a row; another shape only where it changes nothing."""
    sizes = list(args[0]) if len(args) == 1 and isinstance(args[0], (list, tuple)) else args
    batch, row = (sizes[0], sizes[1:]) if sizes else (None, [])
    counted = isinstance(batch, Sized) and batch.is_batch
    if (counted or batch == -1) and row:
        if counted and row == [-1]:
            return Layer(name, LayerSpec("Flatten"), node)
        if len(row) == 1 and ((isinstance(row[0], int) and row[0] > 0) or isinstance(row[0], Sized)):
            return Layer(name, LayerSpec("Flatten"), node, (Row(row[0]),))
        plain = tuple(size for size in row if type(size) is int and size > 0)
        if len(row) > 1 and len(plain) == len(row):
            return Layer(name, None, node, (Same(plain),))
    raise cannot(node, "cannot be read here.", "The playground lays out each sample in one row: x.view(x.size(0), -1), or torch.flatten(x, 1).")


def _mean(given: Mapping[str, object], node: ast.Call) -> list[Layer]:
    """The mean over tokens, or over an image's pixels."""
    dim, keep = given.get("dim"), given.get("keepdim", False)
    if dim in (1, -2) and keep is False and not isinstance(dim, bool):
        return [Layer("mean", LayerSpec("TokenMean"), node)]
    if isinstance(dim, (tuple, list)) and list(dim) in ([2, 3], [3, 2], [-1, -2], [-2, -1]) and isinstance(keep, bool):
        pool = Layer("mean", LayerSpec("AdaptiveAvgPool2d"), node)
        return [pool] if keep else [pool, Layer("mean", LayerSpec("Flatten"), node)]
    raise cannot(node, "cannot be read here.", "Over tokens, write x.mean(dim=1); over an image, x.mean(dim=(2, 3)).")


def _display(value: object) -> str:
    """A value of the code, short."""
    if isinstance(value, Ref):
        return value.path
    if isinstance(value, (Layer, Chain, Instance)):
        return "a layer"
    if isinstance(value, (Signal, Sized, Sizes)):
        return "something that follows from the data"
    if inspect.isfunction(value):
        return repr(value.__name__)
    if isinstance(value, (list, tuple)):
        return f"({', '.join(_display(item) for item in value[:4])}{', …' if len(value) > 4 else ''})"
    text = repr(value) if isinstance(value, (int, float, str, type(None))) else "something else"
    return text if len(text) <= 80 else f"{text[:80]}…"


@cache
def _signature(name: str) -> inspect.Signature:
    """What a class takes; `*args`, which classes without a constructor have from `nn.Module`, stand for nothing."""
    signature = inspect.signature(layer_class(KINDS[name].target))
    named = [parameter for parameter in signature.parameters.values() if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)]
    return signature.replace(parameters=named)


def _defaults(name: str) -> dict[str, Any]:
    return {key: parameter.default for key, parameter in _signature(name).parameters.items() if parameter.default is not inspect.Parameter.empty}


def not_a_layer(value: object, node: ast.AST) -> CodeError:
    """Why something inside `nn.Sequential(…)` is no layer."""
    if isinstance(value, (list, tuple)):
        return CodeError("nn.Sequential takes its layers one by one, and not as a list.", "Write a star before it: nn.Sequential(*layers).", line_of(node))
    if isinstance(value, Ref) and value.path.rsplit(".", 1)[-1] in KINDS.keys() | PASSING:
        return cannot(node, "lacks its brackets.", f"Write {value.path.removeprefix('torch.')}().")
    if isinstance(value, Ref) and value.path.rsplit(".", 1)[-1] in FUNCTIONS:
        return cannot(node, "is a function, and nn.Sequential takes layers.", f"Write nn.{FUNCTIONS[value.path.rsplit('.', 1)[-1]][0]}().")
    return CodeError(f"Here must be a layer, not {_display(value)}.", "nn.Sequential takes layers only.", line_of(node))
