"""Python's own functions in a script: those of `allowed.BUILTINS`, each within the script's bounds."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import torch

from playground.tensors.language import allowed, calls, sizing, values
from playground.tensors.language.bounds import Meter
from playground.tensors.language.calls import Entry
from playground.tensors.language.errors import Refused

NAMES = frozenset(allowed.BUILTINS.split())


class Evaluator(Protocol):
    """What these functions need of the interpreter."""

    def perform(self, entry: Entry, node: ast.AST, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None) -> Any:
        """Perform an operation on tensors."""

    def iterate(self, value: Any, node: ast.AST) -> Iterator[Any]:
        """Iterate over a value."""

    def binary(self, symbol: str, left: Any, right: Any, node: ast.AST, *, in_place: bool = False) -> Any:
        """Apply an operator."""

    def truth(self, value: Any, node: ast.AST) -> bool:
        """Return whether a condition is true."""


class Builtins:
    """Each public method but `call` is the function of its name; the first argument is where it is called."""

    def __init__(self, evaluator: Evaluator, plain: values.Plain, meter: Meter, write: Callable[[str], None]) -> None:
        self._evaluator, self._plain, self._meter, self._write = evaluator, plain, meter, write

    def call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], node: ast.Call) -> Any:
        """Call the function of this name."""
        own: Callable[..., Any] | None = getattr(self, name, None)
        if own is not None:
            return values.attempt(lambda: own(node, *args, **kwargs))
        if name != "len":
            self._meter.elements(sizing.leaves([args, kwargs]), "A list")
        if args and is_array(args[0]) and name in _OF_ARRAYS:
            return self._evaluator.perform(Entry(name, allowed.CONVERSION, _PLAIN[name]), node, args, kwargs)
        if name != "len" and any(True for _ in calls.arrays_in((args, list(kwargs.values())))):
            raise Refused(f"`{name}` does not accept tensors.", "Use a PyTorch operation instead.")
        return values.attempt(lambda: _PLAIN[name](*args, **kwargs))

    def print(self, _node: ast.AST, *values: Any, sep: str = " ", end: str = "\n") -> None:
        self._write(sep.join(self._plain.text(value) for value in values) + end)

    def str(self, _node: ast.AST, value: Any = "") -> Any:
        return self._plain.text(value)

    def repr(self, _node: ast.AST, value: Any) -> Any:
        return self._plain.text(value, "r")

    def type(self, _node: ast.AST, value: Any) -> Any:
        return str(type(value))

    def id(self, _node: ast.AST, value: Any) -> Any:
        return id(value)

    def isinstance(self, _node: ast.AST, value: Any, kinds: Any) -> Any:
        return isinstance(value, kinds)

    def range(self, _node: ast.AST, *bounds: Any) -> Any:
        made = range(*(int(bound) if isinstance(bound, torch.Tensor) else bound for bound in bounds))
        self._meter.elements((abs(made.stop - made.start) + abs(made.step) - 1) // abs(made.step), "A range")
        return made

    def int(self, node: ast.AST, value: Any = 0, base: Any = 10) -> Any:
        if is_array(value):
            return self._evaluator.perform(Entry("int", allowed.CONVERSION, int), node, (value,))
        if isinstance(value, str) and len(value) > values.DIGITS:
            raise Refused("This integer is too long.")
        return int(value, base) if isinstance(value, str) else int(value)

    def round(self, node: ast.AST, value: Any, digits: Any = None) -> Any:
        if isinstance(digits, int) and abs(digits) > 400:
            raise Refused("`round` accepts at most 400 digits.")
        if is_array(value):
            return self._evaluator.perform(Entry("round", allowed.CONVERSION, round), node, (value,) if digits is None else (value, digits))
        return round(value, digits)

    def pow(self, node: ast.AST, base: Any, exponent: Any) -> Any:
        return self._evaluator.binary("**", base, exponent, node)

    def sum(self, node: ast.AST, values: Any, start: Any = 0) -> Any:
        for value in self._evaluator.iterate(values, node):
            start = self._evaluator.binary("+", start, value, node)
        return start

    def list(self, node: ast.AST, values: Any = ()) -> Any:
        return list(self._evaluator.iterate(values, node))

    def tuple(self, node: ast.AST, values: Any = ()) -> Any:
        return tuple(self._evaluator.iterate(values, node))

    def reversed(self, node: ast.AST, values: Any) -> Any:
        return list(self._evaluator.iterate(values, node))[::-1]

    def enumerate(self, node: ast.AST, values: Any, start: Any = 0) -> Any:
        return list(enumerate(self._evaluator.iterate(values, node), start))

    def zip(self, node: ast.AST, *values: Any) -> Any:
        return list(zip(*(self._evaluator.iterate(value, node) for value in values), strict=False))

    def sorted(self, node: ast.AST, values: Any, reverse: bool = False) -> Any:
        return sorted(self._evaluator.iterate(values, node), reverse=reverse)

    def all(self, node: ast.AST, values: Any) -> Any:
        return all(self._evaluator.truth(value, node) for value in self._evaluator.iterate(values, node))

    def any(self, node: ast.AST, values: Any) -> Any:
        return any(self._evaluator.truth(value, node) for value in self._evaluator.iterate(values, node))

    def max(self, node: ast.AST, *values: Any) -> Any:
        return max(self._evaluator.iterate(values[0], node) if len(values) == 1 else values)

    def min(self, node: ast.AST, *values: Any) -> Any:
        return min(self._evaluator.iterate(values[0], node) if len(values) == 1 else values)


def is_array(value: Any) -> bool:
    """Return whether the value is a tensor or a NumPy array."""
    return isinstance(value, (torch.Tensor, np.ndarray))


_PLAIN: dict[str, Callable[..., Any]] = {
    "abs": abs, "bool": bool, "complex": complex, "divmod": divmod, "float": float, "len": len, "slice": slice,
}  # fmt: skip
"""Functions that are passed to Python unchanged."""
_OF_ARRAYS = frozenset(("abs", "bool", "complex", "float", "len"))
"""Functions among them that accept tensors."""
