"""A network as the PyTorch code that one would write by hand."""

from __future__ import annotations

import inspect

from playground.network.catalogue import Shape, Value
from playground.network.layers import layer_type
from playground.network.spec import LayerSpec, NetworkSpec
from playground.network.trace import arguments, check, layer_class


def sequential(spec: NetworkSpec) -> str:
    """`network = nn.Sequential(…)`, each line with the shape that leaves it; blocks torch lacks come as classes before it.

    Raises:
        ShapeError: a layer does not fit.
    """
    steps = check(spec)
    calls = [f"    {call(step.layer, step.in_shape or ())}," for step in steps]
    width = max(map(len, calls))
    lines = [f"{line:<{width}}  # {step.out_shape}" for line, step in zip(calls, steps, strict=True)]
    stack = "\n".join([f"network = nn.Sequential(  # {spec.input_shape}", *lines, ")"])
    return "\n\n".join([*_block_sources(spec), stack]) + "\n"


def imports(spec: NetworkSpec) -> list[str]:
    """The import lines that `sequential` needs."""
    return ["import torch", "from torch import Tensor, nn"] if _blocks(spec) else ["import torch", "from torch import nn"]


def call(layer: LayerSpec, in_shape: Shape) -> str:
    """The expression that makes one layer: required arguments by position, the others by name where they are not torch's default."""
    kind = layer_type(layer.type)
    signature = inspect.signature(layer_class(kind.target))
    given: dict[str, Value] = arguments(kind, layer, in_shape)
    required = [name for name, parameter in signature.parameters.items() if parameter.default is inspect.Parameter.empty]
    parts = [repr(given[name]) for name in required if name in given]
    parts += [f"{name}={value!r}" for name, value in given.items() if name not in required and signature.parameters[name].default != value]
    prefix = "nn." if kind.target.startswith("torch.nn.") else ""
    return f"{prefix}{kind.name}({', '.join(parts)})"


def _blocks(spec: NetworkSpec) -> list[str]:
    names = dict.fromkeys(layer.type for layer in spec.layers)
    return [name for name in names if layer_type(name).target.startswith("playground.")]


def _block_sources(spec: NetworkSpec) -> list[str]:
    return [inspect.getsource(layer_class(layer_type(name).target)).strip() + "\n" for name in _blocks(spec)]
