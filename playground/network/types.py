"""The types that describe a layer kind and its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from playground.messages import msg

Value = int | float | bool | str
"""Value of one parameter of a layer."""

Shape = tuple[int, ...]
"""Sizes of one sample without the batch: ``(F,)`` for a vector, ``(T, F)`` for tokens, ``(C, H, W)`` for an image."""

ParamKind = Literal["int", "float", "bool", "choice"]
"""Which values a parameter takes."""

Inference = Literal["channels", "features", "normalized_shape", "image_size"]
"""How a constructor argument follows from the input shape, so that a learner need not set it."""

RANK_NAMES: Mapping[int, str] = {
    1: msg("a flat vector"),
    2: msg("a sequence of tokens"),
    3: msg("an image (channels, height, width)"),
}


@dataclass(frozen=True)
class Param:
    """One parameter of a layer that a learner can set."""

    name: str
    """Name of the argument of the layer's class."""
    kind: ParamKind
    default: Value
    help: str
    low: float = 0
    """Smallest value allowed (numbers only)."""
    high: float = 0
    """Largest value allowed (numbers only)."""
    choices: tuple[str, ...] = ()
    term: str = ""
    """Term of the glossary that explains it; empty for none."""

    def problem(self, value: object) -> str:
        """Say in a sentence why `value` is not allowed; return "" if it is allowed."""
        if self.kind == "choice":
            choices = ", ".join(self.choices)
            return "" if value in self.choices else msg("{name} must be one of {choices}, not {value}.", name=self.name, choices=choices, value=repr(value))
        if self.kind == "bool":
            return "" if isinstance(value, bool) else msg("{name} must be true or false, not {value}.", name=self.name, value=repr(value))
        number = (int,) if self.kind == "int" else (int, float)
        if isinstance(value, bool) or not isinstance(value, number) or not self.low <= value <= self.high:
            whole = msg("{name} must be a whole number from {low:g} to {high:g}, not {value}.")
            text = whole if self.kind == "int" else msg("{name} must be a number from {low:g} to {high:g}, not {value}.")
            return text.filled(name=self.name, low=self.low, high=self.high, value=repr(value))
        return ""


@dataclass(frozen=True)
class LayerType:
    """One kind of layer: its class, its parameters and the ranks of its inputs."""

    name: str
    title: str
    group: str
    summary: str
    target: str
    """Import path of the class: `torch.nn.Linear`, or a block of `playground.network.blocks`."""
    ranks: tuple[int, ...]
    """Ranks of the inputs that it accepts, without the batch dimension."""
    params: tuple[Param, ...] = ()
    inferred: tuple[tuple[str, Inference], ...] = ()
    """Constructor arguments that follow from the input shape."""
    fixed: tuple[tuple[str, Value], ...] = ()
    """Constructor arguments that always have the same value."""
    functional: str = ""
    """Its call in `forward`, for a layer without weights: `F.max_pool2d({x}, {kernel_size})`, where `{x}` is the input."""
    attribute: str = "act"
    """Name of the attribute that holds it in a class, to which a number is appended."""
    term: str = ""
    """Term of the glossary that explains it; empty for none."""

    def settings(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return the value of every parameter: the one in `values`, else its default."""
        return {param.name: values.get(param.name, param.default) for param in self.params}

    def problems(self, values: Mapping[str, object]) -> list[str]:
        """List in sentences every unknown parameter in `values` and every value that is not allowed."""
        known = {param.name: param for param in self.params}
        names = ", ".join(known) or msg("none")
        unknown: list[str] = [
            msg("{layer} has no parameter {name}; its parameters: {known}.", layer=self.name, name=repr(name), known=names)
            for name in values
            if name not in known
        ]
        problems = [known[name].problem(value) for name, value in values.items() if name in known]
        return unknown + [msg("{layer}: {problem}", layer=self.name, problem=problem) for problem in problems if problem]


def infer(rule: Inference, shape: Shape) -> int | list[int]:
    """Return the value of an inferred argument for an input of `shape`.

    LayerNorm normalises a whole image or vector, but each token by itself, as in transformers.
    Source: https://arxiv.org/abs/1607.06450, https://arxiv.org/abs/2010.11929
    """
    if rule == "channels":
        return shape[0]
    if rule == "features":
        return shape[-1]
    if rule == "image_size":
        return shape[-1]
    return [shape[-1]] if len(shape) == 2 else list(shape)
