"""PyTorch code of a network, as an `nn.Sequential` or as a subclass of `nn.Module`."""

from __future__ import annotations

import inspect
import keyword
import unicodedata
from collections import Counter

from playground.network.catalogue import NORMALISATIONS, layer_type
from playground.network.spec import LayerSpec, NetworkSpec
from playground.network.trace import ShapeStep, check, constructor_arguments, layer_class
from playground.network.types import Shape

_LINE_STARTS: dict[str, tuple[str, ...]] = {"Normalisation": ("Conv2d", "Linear"), "Activation": ("Conv2d", "Linear", *NORMALISATIONS)}
"""For each group of layers, the previous layers with which it shares a line, as in `F.relu(self.norm1(self.conv1(x)))`."""
_RESERVED = {"Dataset", "DataLoader", "Digits", "Shapes", "F"}
"""Names that the training script uses (`training/source.py`)."""
_MAX_CLASS_NAME = 40
_MAX_TITLE = 120


def sequential(spec: NetworkSpec) -> str:
    """Write `network = nn.Sequential(…)`, with the output shape as a comment on each line, after the classes of the blocks that it uses.

    Raises:
        ShapeError: a layer does not fit.
    """
    steps = check(spec)
    calls = [f"    {call(step.layer, step.in_shape or ())}," for step in steps]
    lines = [f"network = nn.Sequential(  # {spec.input_shape}", *_commented(calls, [step.out_shape for step in steps]), ")"]
    return "\n\n".join([*_block_sources(_blocks(spec)), "\n".join(lines)]) + "\n"


def imports(spec: NetworkSpec) -> list[str]:
    """Return the import lines that the code of `sequential` needs."""
    return ["import torch", "from torch import Tensor, nn"] if _blocks(spec) else ["import torch", "from torch import nn"]


def module(spec: NetworkSpec) -> str:
    """Write a subclass of `nn.Module` and `network = …()`, after the classes of the blocks that it uses.

    Layers with weights are attributes in the order of the network, so that `parameters()` has the order of `sequential`. Layers without
    weights are function calls in `forward`, where each line has its output shape as a comment.
    Source: https://docs.pytorch.org/tutorials/beginner/basics/buildmodel_tutorial.html

    Raises:
        ShapeError: a layer does not fit.
    """
    steps = check(spec)
    init_lines, forward_lines = _class_lines(steps)
    name = class_name(spec)
    shapes = [", ".join(["N", *map(str, shape)]) for shape in (spec.input_shape, steps[-1].out_shape or ())]
    lines = [
        f"class {name}(nn.Module):",
        f'    """{_docstring(spec)}',
        "",
        f"    Shape: ({shapes[0]}) → ({shapes[1]})",
        '    """',
        "",
        *(["    def __init__(self):", "        super().__init__()", *init_lines, ""] if init_lines else []),
        f"    def forward(self, x):  # {spec.input_shape}",
        *forward_lines,
        "        return x",
    ]
    return "\n\n".join([*_block_sources(_class_blocks(spec)), "\n".join(lines) + "\n", f"network = {name}()"]) + "\n"


def module_imports(spec: NetworkSpec) -> list[str]:
    """Return the import lines that the code of `module` needs.

    Raises:
        ShapeError: a layer does not fit.
    """
    functional = any("F." in line for line in _class_lines(check(spec))[1])
    tensor = "Tensor, " if _class_blocks(spec) else ""
    return ["import torch", *(["import torch.nn.functional as F"] if functional else []), f"from torch import {tensor}nn"]


def class_name(spec: NetworkSpec) -> str:
    """Return the class name in the code of `module`: the network's name or title in CamelCase, or `Network` where neither gives an identifier.

    Append `Net` to a name that torch, a block or the training script already uses.
    """
    import torch  # late, because nothing else in this module needs torch

    name = next(filter(None, map(_camel_case, (spec.name, spec.title))), "Network")[:_MAX_CLASS_NAME]
    blocks = {layer.type for layer in spec.layers}
    while keyword.iskeyword(name) or name in blocks | _RESERVED or hasattr(torch, name) or hasattr(torch.nn, name):
        name += "Net"
    return name


def sequential_script(spec: NetworkSpec) -> str:
    """Write the code of `sequential` with its imports, as a complete script.

    Raises:
        ShapeError: a layer does not fit.
    """
    return _script(imports(spec), sequential(spec))


def module_script(spec: NetworkSpec) -> str:
    """Write the code of `module` with its imports, as a complete script.

    Raises:
        ShapeError: a layer does not fit.
    """
    return _script(module_imports(spec), module(spec))


def call(layer: LayerSpec, in_shape: Shape) -> str:
    """Write the constructor call of a layer: required arguments by position, the others by name and only where they differ from torch's default."""
    kind = layer_type(layer.type)
    signature = inspect.signature(layer_class(kind.target))
    arguments = constructor_arguments(kind, layer, in_shape)
    required = [name for name, parameter in signature.parameters.items() if parameter.default is inspect.Parameter.empty]
    parts = [repr(arguments[name]) for name in required if name in arguments]
    parts += [f"{name}={value!r}" for name, value in arguments.items() if name not in required and signature.parameters[name].default != value]
    prefix = "nn." if kind.target.startswith("torch.nn.") else ""
    return f"{prefix}{kind.name}({', '.join(parts)})"


def _class_lines(steps: list[ShapeStep]) -> tuple[list[str], list[str]]:
    """Write the lines of `__init__` that create the layers, and those of `forward` that call them."""
    init_lines: list[str] = []
    expressions: list[tuple[str, Shape | None]] = []
    counts: Counter[str] = Counter()
    for step, previous in zip(steps, [None, *steps], strict=False):
        expression = _functional_call(step.layer)
        if not expression:
            stem = layer_type(step.layer.type).attribute
            counts[stem] += 1
            name = stem if stem == "embed" else f"{stem}{counts[stem]}"  # a network has at most one patch embedding
            init_lines.append(f"        self.{name} = {call(step.layer, step.in_shape or ())}")
            expression = f"self.{name}({{x}})"
        inner = expressions.pop()[0] if previous and previous.layer.type in _LINE_STARTS.get(layer_type(step.layer.type).group, ()) else "x"
        expressions.append((expression.replace("{x}", inner), step.out_shape))
    return init_lines, _commented([f"        x = {expression}" for expression, _ in expressions], [shape for _, shape in expressions])


def _functional_call(layer: LayerSpec) -> str:
    """Write the layer as a function call on `{x}`; return "" for a layer with weights, or with a value that the call does not show."""
    kind = layer_type(layer.type)
    params = kind.settings(layer.params)
    hidden = {param.name: param.default for param in kind.params if f"{{{param.name}}}" not in kind.functional}
    if "stride" in hidden and "kernel_size" in params:
        hidden["stride"] = params["kernel_size"]  # the default of a pooling's stride
    return kind.functional.format(x="{x}", **params) if all(params[name] == default for name, default in hidden.items()) else ""


def _script(import_lines: list[str], code: str) -> str:
    """Join imports and code, with two empty lines before a class and one before any other statement."""
    return "\n".join(import_lines) + ("\n\n\n" if code.startswith("class ") else "\n\n") + code


def _commented(lines: list[str], shapes: list[Shape | None]) -> list[str]:
    """Append each shape as a comment to its line, in one column."""
    width = max(map(len, lines))
    return [f"{line:<{width}}  # {shape}" for line, shape in zip(lines, shapes, strict=True)]


def _camel_case(text: str) -> str:
    """Join the words of a text to an identifier in CamelCase; return "" for a text without letters and digits."""
    words = "".join(letter if f"a{letter}".isidentifier() and letter != "_" else " " for letter in unicodedata.normalize("NFKC", text))
    name = "".join(word[0].upper() + word[1:] for word in words.split())
    return name if not name or name.isidentifier() else f"Net{name}"


def _docstring(spec: NetworkSpec) -> str:
    """Return the network's title as one line, without characters that could end the docstring."""
    title = "".join(letter if letter.isprintable() else " " for letter in spec.title or spec.name)
    sentence = " ".join(title.replace("\\", "/").replace('"', "'").split())[:_MAX_TITLE]
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence or 'A network'}."


def _blocks(spec: NetworkSpec) -> list[str]:
    """List the layer types of the network that are classes of the playground."""
    names = dict.fromkeys(layer.type for layer in spec.layers)
    return [name for name in names if layer_type(name).target.startswith("playground.")]


def _class_blocks(spec: NetworkSpec) -> list[str]:
    """List those that the code of `module` does not write as a function call."""
    return [name for name in _blocks(spec) if not layer_type(name).functional]


def _block_sources(names: list[str]) -> list[str]:
    return [inspect.getsource(layer_class(layer_type(name).target)).strip() + "\n" for name in names]
