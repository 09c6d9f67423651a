"""Python's own functions that scripts may call: those of `allowed.BUILTINS`, each within the script's bounds."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import torch

from playground.messages import msg
from playground.tensors.language import allowed, calls, sizing, values
from playground.tensors.language.bounds import A_RANGE, Meter
from playground.tensors.language.calls import Entry
from playground.tensors.language.errors import Refused
from playground.tensors.language.operations import Operations

NAMES = frozenset(allowed.BUILTINS.split())


class Builtins:
    """Calls Python's own functions. Each public method but `call` is the function of its name; it takes the node of the call first.

    Args:
        operations: performs what the functions do with tensors.
        meter: stops the script at its limits.
        write: prints a text.
    """

    def __init__(self, operations: Operations, meter: Meter, write: Callable[[str], None]) -> None:
        self._operations, self._meter, self._write = operations, meter, write

    def call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], node: ast.Call) -> Any:
        """Call the function of this name."""
        function: Callable[..., Any] | None = getattr(self, name, None)
        if function is not None:
            return values.attempt(lambda: function(node, *args, **kwargs))
        if name != "len":
            self._meter.check_length(sizing.count_leaves([args, kwargs]))
        if args and values.is_array(args[0]) and name in _OF_ARRAYS:
            return self._operations.perform(Entry(name, allowed.CONVERSION, _PLAIN[name]), node, args, kwargs)
        if name != "len" and any(True for _ in calls.arrays_in((args, list(kwargs.values())))):
            raise Refused(msg("`{name}` does not accept tensors.", name=name), msg("Use a PyTorch operation instead."))
        return values.attempt(lambda: _PLAIN[name](*args, **kwargs))

    def print(self, _node: ast.AST, *values: Any, sep: str = " ", end: str = "\n") -> None:
        self._write(sep.join(self._operations.text(value) for value in values) + end)

    def str(self, _node: ast.AST, value: Any = "") -> Any:
        return self._operations.text(value)

    def repr(self, _node: ast.AST, value: Any) -> Any:
        return self._operations.text(value, "r")

    def type(self, _node: ast.AST, value: Any) -> Any:
        return str(type(value))

    def id(self, _node: ast.AST, value: Any) -> Any:
        return id(value)

    def isinstance(self, _node: ast.AST, value: Any, kinds: Any) -> Any:
        return isinstance(value, kinds)

    def range(self, _node: ast.AST, *bounds: Any) -> Any:
        numbers = range(*(int(bound) if isinstance(bound, torch.Tensor) else bound for bound in bounds))
        self._meter.check_length((abs(numbers.stop - numbers.start) + abs(numbers.step) - 1) // abs(numbers.step), A_RANGE)
        return numbers

    def int(self, node: ast.AST, value: Any = 0, base: Any = 10) -> Any:
        if values.is_array(value):
            return self._operations.perform(Entry("int", allowed.CONVERSION, int), node, (value,))
        if isinstance(value, str) and len(value) > values.MAX_DIGITS:
            raise Refused(msg("This integer is too long."))
        return int(value, base) if isinstance(value, str) else int(value)

    def round(self, node: ast.AST, value: Any, digits: Any = None) -> Any:
        if isinstance(digits, int) and abs(digits) > 400:
            raise Refused(msg("`round` accepts at most 400 digits."))
        if values.is_array(value):
            return self._operations.perform(Entry("round", allowed.CONVERSION, round), node, (value,) if digits is None else (value, digits))
        return round(value, digits)

    def pow(self, node: ast.AST, base: Any, exponent: Any) -> Any:
        return self._operations.binary("**", base, exponent, node)

    def sum(self, node: ast.AST, values: Any, start: Any = 0) -> Any:
        for value in self._operations.iterate(values, node):
            start = self._operations.binary("+", start, value, node)
        return start

    def list(self, node: ast.AST, values: Any = ()) -> Any:
        return list(self._operations.iterate(values, node))

    def tuple(self, node: ast.AST, values: Any = ()) -> Any:
        return tuple(self._operations.iterate(values, node))

    def reversed(self, node: ast.AST, values: Any) -> Any:
        return list(self._operations.iterate(values, node))[::-1]

    def enumerate(self, node: ast.AST, values: Any, start: Any = 0) -> Any:
        return list(enumerate(self._operations.iterate(values, node), start))

    def zip(self, node: ast.AST, *values: Any) -> Any:
        return list(zip(*(self._operations.iterate(value, node) for value in values), strict=False))

    def sorted(self, node: ast.AST, values: Any, reverse: bool = False) -> Any:
        return sorted(self._operations.iterate(values, node), reverse=reverse)

    def all(self, node: ast.AST, values: Any) -> Any:
        return all(self._operations.truth(value, node) for value in self._operations.iterate(values, node))

    def any(self, node: ast.AST, values: Any) -> Any:
        return any(self._operations.truth(value, node) for value in self._operations.iterate(values, node))

    def max(self, node: ast.AST, *values: Any) -> Any:
        return max(self._operations.iterate(values[0], node) if len(values) == 1 else values)

    def min(self, node: ast.AST, *values: Any) -> Any:
        return min(self._operations.iterate(values[0], node) if len(values) == 1 else values)


_PLAIN: dict[str, Callable[..., Any]] = {
    "abs": abs, "bool": bool, "complex": complex, "divmod": divmod, "float": float, "len": len, "slice": slice,
}  # fmt: skip
"""Functions that are passed to Python unchanged."""
_OF_ARRAYS = frozenset(("abs", "bool", "complex", "float", "len"))
"""Functions among them that accept tensors."""
