"""The types that describe a layer kind and its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Value = int | float | bool | str
"""What a layer's parameter may be."""

Shape = tuple[int, ...]
"""Sizes of one sample, the batch left out: `(F,)` a vector, `(T, F)` tokens, `(C, H, W)` an image."""

Inference = Literal["channels", "features", "normalized_shape", "image_size"]
"""How an argument that a learner should not have to type follows from the input's shape."""

RANK_NAMES: Mapping[int, str] = {1: "a flat vector", 2: "a row of tokens", 3: "an image (channels, height, width)"}


@dataclass(frozen=True)
class Param:
    """One parameter of a layer that a learner may set."""

    name: str
    """The name of the torch argument."""
    kind: Literal["int", "float", "bool", "choice"]
    default: Value
    help: str
    low: float = 0
    """Smallest value allowed (numbers only)."""
    high: float = 0
    """Largest value allowed (numbers only)."""
    choices: tuple[str, ...] = ()

    def problem(self, value: object) -> str:
        """Why `value` cannot be used, or an empty string."""
        if self.kind == "choice":
            return "" if value in self.choices else f"{self.name} must be one of {', '.join(self.choices)}, not {value!r}."
        if self.kind == "bool":
            return "" if isinstance(value, bool) else f"{self.name} must be true or false, not {value!r}."
        number = (int,) if self.kind == "int" else (int, float)
        if isinstance(value, bool) or not isinstance(value, number) or not self.low <= value <= self.high:
            kind = "a whole number" if self.kind == "int" else "a number"
            return f"{self.name} must be {kind} from {self.low:g} to {self.high:g}, not {value!r}."
        return ""


@dataclass(frozen=True)
class LayerType:
    """One kind of layer: which class it is, what may be set, what it accepts."""

    name: str
    title: str
    group: str
    summary: str
    target: str
    """Import path of the class: `torch.nn.Linear`, or a block of `playground.network.blocks`."""
    ranks: tuple[int, ...]
    """Ranks of the inputs it accepts, the batch left out."""
    params: tuple[Param, ...] = ()
    inferred: tuple[tuple[str, Inference], ...] = ()
    """Arguments that follow from the input's shape."""
    fixed: tuple[tuple[str, Value], ...] = ()
    """Arguments that the playground always passes."""

    def settings(self, given: Mapping[str, Value]) -> dict[str, Value]:
        """Every parameter's value: the given one, or its default."""
        return {param.name: given.get(param.name, param.default) for param in self.params}

    def problems(self, given: Mapping[str, object]) -> list[str]:
        """Everything that is wrong with the given parameters, in plain sentences."""
        known = {param.name: param for param in self.params}
        unknown = [f"{self.name} has no parameter {name!r}; it has {', '.join(known) or 'none'}." for name in given if name not in known]
        wrong = [known[name].problem(value) for name, value in given.items() if name in known]
        return unknown + [f"{self.name}: {problem}" for problem in wrong if problem]


def infer(rule: Inference, shape: Shape) -> int | list[int]:
    """The value of an inferred argument for an input of `shape`.

    A layer norm takes the whole image or vector, but only the features of each token: that is how
    LayerNorm is used in ConvNets and transformers (https://arxiv.org/abs/1607.06450, https://arxiv.org/abs/2010.11929).
    """
    if rule == "channels":
        return shape[0]
    if rule == "features":
        return shape[-1]
    if rule == "image_size":
        return shape[-1]
    return [shape[-1]] if len(shape) == 2 else list(shape)
