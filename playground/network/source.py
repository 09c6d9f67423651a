"""A network as the PyTorch code that one would write by hand: as an `nn.Sequential`, or as a class of its own."""

from __future__ import annotations

import inspect
import keyword
import unicodedata
from collections import Counter

from playground.network.catalogue import layer_type
from playground.network.spec import LayerSpec, NetworkSpec
from playground.network.trace import ShapeStep, arguments, check, layer_class
from playground.network.types import Shape, Value

_FUNCTIONS = {
    "ReLU": "F.relu({x})",
    "LeakyReLU": "F.leaky_relu({x})",
    "GELU": "F.gelu({x})",
    "SiLU": "F.silu({x})",
    "Sigmoid": "torch.sigmoid({x})",
    "Tanh": "torch.tanh({x})",
    "Softmax": "F.softmax({x}, dim=-1)",
    "MaxPool2d": "F.max_pool2d({x}, {kernel_size})",
    "AvgPool2d": "F.avg_pool2d({x}, {kernel_size})",
    "AdaptiveAvgPool2d": "F.adaptive_avg_pool2d({x}, {output_size})",
    "Flatten": "torch.flatten({x}, 1)",
    "TokenMean": "{x}.mean(dim=1)",
}
"""Layers without weights, as `forward` writes them; one that is set otherwise than its line says stays a module."""
_STEMS = {
    "Conv2d": "conv", "Linear": "fc", "BatchNorm1d": "norm", "BatchNorm2d": "norm", "LayerNorm": "norm", "Dropout": "drop",
    "MaxPool2d": "pool", "AvgPool2d": "pool", "ResidualBlock": "block", "TransformerEncoderLayer": "encoder", "PatchEmbedding": "embed",
}  # fmt: skip
"""What a layer is called in a class; its number follows."""
_WRAPS = {
    **dict.fromkeys(("BatchNorm1d", "BatchNorm2d", "LayerNorm"), ("Conv2d", "Linear")),
    **dict.fromkeys(("ReLU", "LeakyReLU", "GELU", "SiLU", "Sigmoid", "Tanh", "Softmax"), ("Conv2d", "Linear", "BatchNorm1d", "BatchNorm2d", "LayerNorm")),
}
"""Layers that share the line of the one before it, if it is one of these: `F.relu(self.norm1(self.conv1(x)))`."""
_TAKEN = {"Dataset", "DataLoader", "Digits", "Shapes", "F"}
"""Names that the scripts around a network use (`training/source.py`)."""
_LONGEST = 40
_LONGEST_TITLE = 120


def sequential(spec: NetworkSpec) -> str:
    """`network = nn.Sequential(…)`, each line with the shape that leaves it; blocks torch lacks come as classes before it.

    Raises:
        ShapeError: a layer does not fit.
    """
    steps = check(spec)
    calls = [f"    {call(step.layer, step.in_shape or ())}," for step in steps]
    lines = [f"network = nn.Sequential(  # {spec.input_shape}", *_commented(calls, [step.out_shape for step in steps]), ")"]
    return "\n\n".join([*_block_sources(_blocks(spec)), "\n".join(lines)]) + "\n"


def imports(spec: NetworkSpec) -> list[str]:
    """The import lines that `sequential` needs."""
    return ["import torch", "from torch import Tensor, nn"] if _blocks(spec) else ["import torch", "from torch import nn"]


def module(spec: NetworkSpec) -> str:
    """The network as a class of `nn.Module`, as PyTorch's tutorials write it, and `network`, made of it; blocks come before it.

    Layers with weights are attributes, in the order of the network, so that `parameters()` come in that order, too; what
    has none is a function in `forward`, where each line tells the shape that leaves it.
    Source: https://docs.pytorch.org/tutorials/beginner/basics/buildmodel_tutorial.html

    Raises:
        ShapeError: a layer does not fit.
    """
    steps = check(spec)
    made, forward = _class_lines(steps)
    name = class_name(spec)
    batch = [", ".join(["N", *map(str, shape)]) for shape in (spec.input_shape, steps[-1].out_shape or ())]
    lines = [
        f"class {name}(nn.Module):",
        f'    """{_docstring(spec)}',
        "",
        f"    Shape: ({batch[0]}) → ({batch[1]})",
        '    """',
        "",
        *(["    def __init__(self):", "        super().__init__()", *made, ""] if made else []),
        f"    def forward(self, x):  # {spec.input_shape}",
        *forward,
        "        return x",
    ]
    return "\n\n".join([*_block_sources(_class_blocks(spec)), "\n".join(lines) + "\n", f"network = {name}()"]) + "\n"


def module_imports(spec: NetworkSpec) -> list[str]:
    """The import lines that `module` needs.

    Raises:
        ShapeError: a layer does not fit.
    """
    functional = any("F." in line for line in _class_lines(check(spec))[1])
    tensor = "Tensor, " if _class_blocks(spec) else ""
    return ["import torch", *(["import torch.nn.functional as F"] if functional else []), f"from torch import {tensor}nn"]


def class_name(spec: NetworkSpec) -> str:
    """What `module` calls the class: the network's name in CamelCase, or its title's, or `Network` where neither makes a name of Python.

    A name that torch, a block or the scripts around it have already ends in `Net`.
    """
    import torch  # code is written without torch, but for the shapes of buffers

    name = next(filter(None, map(_camel_case, (spec.name, spec.title))), "Network")[:_LONGEST]
    blocks = {layer.type for layer in spec.layers}
    while keyword.iskeyword(name) or name in blocks | _TAKEN or hasattr(torch, name) or hasattr(torch.nn, name):
        name += "Net"
    return name


def sequential_script(spec: NetworkSpec) -> str:
    """`sequential` with its imports: a file that runs as it is.

    Raises:
        ShapeError: a layer does not fit.
    """
    return _script(imports(spec), sequential(spec))


def module_script(spec: NetworkSpec) -> str:
    """`module` with its imports: a file that runs as it is.

    Raises:
        ShapeError: a layer does not fit.
    """
    return _script(module_imports(spec), module(spec))


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


def _class_lines(steps: list[ShapeStep]) -> tuple[list[str], list[str]]:
    """The lines of `__init__` that make the layers, and those of `forward` that use them."""
    made: list[str] = []
    parts: list[tuple[str, Shape | None]] = []
    counts: Counter[str] = Counter()
    for step, before in zip(steps, [None, *steps], strict=False):
        used = _function(step.layer)
        if not used:
            stem = _STEMS.get(step.layer.type, "act")
            counts[stem] += 1
            name = stem if stem == "embed" else f"{stem}{counts[stem]}"  # an image is cut into tokens only once
            made.append(f"        self.{name} = {call(step.layer, step.in_shape or ())}")
            used = f"self.{name}({{x}})"
        inner = parts.pop()[0] if before and before.layer.type in _WRAPS.get(step.layer.type, ()) else "x"
        parts.append((used.replace("{x}", inner), step.out_shape))
    return made, _commented([f"        x = {used}" for used, _ in parts], [shape for _, shape in parts])


def _function(layer: LayerSpec) -> str:
    """The layer as a call on `{x}`, or an empty string where it has weights or its call would need more than its line says."""
    values = layer_type(layer.type).settings(layer.params)
    plain = values.get("stride", 0) == values.get("kernel_size", 0) and not values.get("padding", 0) and values.get("dilation", 1) == 1
    usual = values.get("negative_slope", 0.01) == 0.01
    text = _FUNCTIONS.get(layer.type, "") if plain and usual else ""
    return text.format(x="{x}", **values)


def _script(imported: list[str], code: str) -> str:
    """Two empty lines stand before a class, one before anything else."""
    return "\n".join(imported) + ("\n\n\n" if code.startswith("class ") else "\n\n") + code


def _commented(lines: list[str], shapes: list[Shape | None]) -> list[str]:
    width = max(map(len, lines))
    return [f"{line:<{width}}  # {shape}" for line, shape in zip(lines, shapes, strict=True)]


def _camel_case(text: str) -> str:
    """The words of a text as one name of Python, which may be empty."""
    kept = "".join(letter if f"a{letter}".isidentifier() and letter != "_" else " " for letter in unicodedata.normalize("NFKC", text))
    name = "".join(word[0].upper() + word[1:] for word in kept.split())
    return name if not name or name.isidentifier() else f"Net{name}"


def _docstring(spec: NetworkSpec) -> str:
    """The network's title on one line, with nothing in it that could end the docstring."""
    title = "".join(letter if letter.isprintable() else " " for letter in spec.title or spec.name)
    words = " ".join(title.replace("\\", "/").replace('"', "'").split())[:_LONGEST_TITLE]
    return words if words.endswith((".", "!", "?")) else f"{words or 'A network'}."


def _blocks(spec: NetworkSpec) -> list[str]:
    names = dict.fromkeys(layer.type for layer in spec.layers)
    return [name for name in names if layer_type(name).target.startswith("playground.")]


def _class_blocks(spec: NetworkSpec) -> list[str]:
    return [name for name in _blocks(spec) if name not in _FUNCTIONS]


def _block_sources(names: list[str]) -> list[str]:
    return [inspect.getsource(layer_class(layer_type(name).target)).strip() + "\n" for name in names]
