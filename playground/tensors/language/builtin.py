"""Python's own functions that scripts may call: those of `allowed.BUILTINS`, each within the script's bounds."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from playground.messages import msg
from playground.tensors.language import allowed, calls, sizing, values
from playground.tensors.language.bounds import A_RANGE, Meter
from playground.tensors.language.calls import Entry
from playground.tensors.language.classes import DATASET, MODULE, Base, Class, Instance, as_layer
from playground.tensors.language.datasets import Data
from playground.tensors.language.errors import OperationFailed, Refused
from playground.tensors.language.functions import Iteration, Own
from playground.tensors.language.modules import PythonFunction
from playground.tensors.language.objects import Layer, Maker, parts
from playground.tensors.language.operations import Operations

NAMES = frozenset(allowed.BUILTINS.split())
CLASSES = frozenset(("enumerate", "filter", "map", "reversed", "type", "zip"))
"""Functions among them that are classes in Python."""
_MISSING = object()
Elements = Any
"""A list: inside of `Builtins` that is the name of a function."""


@dataclass(frozen=True)
class Builtin(Own):
    """One of Python's own functions, as a value."""

    name: str

    def __repr__(self) -> str:
        return f"<class '{self.name}'>" if self.name in CLASSES else f"<built-in function {self.name}>"  # no text: as Python has it


class Builtins:
    """Calls Python's own functions. Each public method but `call` and `call_python` is the function of its name; it takes the node of the call first.

    Args:
        operations: performs what the functions do with tensors.
        meter: stops the script at its limits.
        write: prints a text.
        call_value: calls a function that is an argument: `key=…`, or that of `map`.
    """

    def __init__(self, operations: Operations, meter: Meter, write: Callable[[str], None], call_value: Callable[..., Any]) -> None:
        self._operations, self._meter, self._write, self._call_value = operations, meter, write, call_value

    def call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], node: ast.AST) -> Any:
        """Call the function of this name."""
        function: Callable[..., Any] | None = getattr(self, name, None)
        if function is not None:
            return values.attempt(lambda: function(node, *args, **kwargs), name=name)
        if name == "len" and len(args) == 1 and (length := self._length(args[0], node)) is not None:
            return length
        if name == "bool" and args and isinstance(args[0], Instance):
            return self._operations.truth(args[0], node)
        if name != "len":
            self._meter.check_length(sizing.count_leaves([args, kwargs]))
        if args and values.is_array(args[0]) and name in _OF_ARRAYS:
            return self._operations.perform(Entry(name, allowed.CONVERSION, _PLAIN[name]), node, args, kwargs)
        if name != "len" and calls.arrays_in((args, kwargs)):
            raise Refused(msg("`{name}` does not accept tensors.", name=name), msg("Use a PyTorch operation instead."))
        return values.attempt(lambda: _PLAIN[name](*args, **kwargs))

    def _length(self, value: Any, node: ast.AST) -> Any:
        """Return the length of a sequence of layers, of a data set, or of an instance that says it; None of anything else."""
        value = as_layer(value)
        if isinstance(value, Layer):
            return sum(1 for _ in parts(value))
        if isinstance(value, Data):
            return values.attempt(len, value.inner)
        if isinstance(value, Instance) and value.kind.lookup("__len__")[1]:
            return self._call_value(value.kind.lookup("__len__")[0], (value,), {}, node)
        return None

    def call_python(self, function: PythonFunction, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function of one of Python's modules."""
        self._meter.check_length(sizing.count_leaves([args, kwargs]))
        if function.name == "random.sample" and len(args) > 1 and isinstance(args[1], int):
            self._meter.check_length(args[1])
        return values.check_kind(values.attempt(lambda: function.function(*args, **kwargs), name=function.name.rpartition(".")[2]))

    def print(self, node: ast.AST, *values: Any, sep: str | None = " ", end: str | None = "\n", flush: bool = False) -> None:  # noqa: ARG002 (as Python's)
        for text in (sep, end):
            if not isinstance(text, (str, type(None))):
                raise OperationFailed(f"TypeError: sep and end must be None or a string, not {type(text).__name__}", "", node)  # no text: Python's message
        texts = [self._operations.text(value) for value in values]
        self._write((" " if sep is None else sep).join(texts) + ("\n" if end is None else end))

    def str(self, _node: ast.AST, value: Any = "") -> Any:
        return self._operations.text(value)

    def repr(self, _node: ast.AST, value: Any) -> Any:
        return self._operations.text(value, "r")

    def type(self, _node: ast.AST, value: Any) -> Any:
        return value.kind if isinstance(value, Instance) else values.type_of(value)

    def callable(self, _node: ast.AST, value: Any) -> Any:
        return values.is_callable(value)

    def id(self, _node: ast.AST, value: Any) -> Any:
        return id(value)

    def isinstance(self, _node: ast.AST, value: Any, kinds: Any) -> Any:
        wanted = kinds if isinstance(kinds, tuple) else (kinds,)
        if isinstance(value, Instance):
            return any(value.kind.derives_from(kind) for kind in wanted)
        if isinstance(value, Data) and DATASET in wanted:
            return isinstance(value.inner, torch.utils.data.Dataset)
        if isinstance(value, Layer) and MODULE in wanted:
            return True
        kinds = tuple(kind for kind in wanted if not isinstance(kind, (Class, Base)))
        classes = tuple(kind.kind if isinstance(kind, Maker) else kind for kind in (kinds if isinstance(kinds, tuple) else (kinds,)))
        return issubclass(values.type_of(value), classes) if isinstance(value, Own) else isinstance(value, classes)

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

    def round(self, node: ast.AST, value: Any, ndigits: Any = None) -> Any:
        if isinstance(ndigits, int) and abs(ndigits) > 400:
            raise Refused(msg("`round` accepts at most 400 digits."))
        if values.is_array(value):
            return self._operations.perform(Entry("round", allowed.CONVERSION, round), node, (value,) if ndigits is None else (value, ndigits))
        return round(value, ndigits)

    def pow(self, node: ast.AST, base: Any, exp: Any, mod: Any = None) -> Any:
        if mod is None:
            return self._operations.binary("**", base, exp, node)
        return pow(base, exp, mod)

    def sum(self, node: ast.AST, iterable: Any, start: Any = 0) -> Any:
        for value in self._operations.iterate(iterable, node):
            start = self._operations.binary("+", start, value, node)
        return start

    def list(self, node: ast.AST, iterable: Any = ()) -> Any:
        return self._operations.collect(iterable, node)

    def tuple(self, node: ast.AST, iterable: Any = ()) -> Any:
        return tuple(self._operations.collect(iterable, node))

    def set(self, node: ast.AST, iterable: Any = ()) -> Any:
        return set(self._operations.collect(iterable, node))

    def dict(self, node: ast.AST, pairs: Any = (), **entries: Any) -> Any:
        made = dict(pairs) if isinstance(pairs, dict) else dict(self._operations.collect(pair, node) for pair in self._operations.collect(pairs, node))
        made |= entries
        self._meter.check_length(len(made))
        return made

    def iter(self, node: ast.AST, iterable: Any) -> Any:
        if isinstance(iterable, Iteration):
            return iterable
        return Iteration(f"{type(iterable).__name__}_iterator", self._operations.iterate(iterable, node))

    def next(self, node: ast.AST, iterator: Any, default: Any = _MISSING) -> Any:
        if not isinstance(iterator, Iteration):
            raise OperationFailed(f"TypeError: '{values.type_of(iterator).__name__}' object is not an iterator", "", node)  # no text: Python's message
        try:
            return next(iterator)
        except StopIteration as stop:
            if default is not _MISSING:
                return default
            raise OperationFailed("StopIteration", "", node) from stop

    def reversed(self, node: ast.AST, sequence: Any) -> Any:
        elements = self._operations.collect(sequence, node)
        return Iteration("reversed", iter(elements[::-1]), len(elements))

    def enumerate(self, node: ast.AST, iterable: Any, start: Any = 0) -> Any:
        return Iteration("enumerate", iter(enumerate(self._operations.iterate(iterable, node), start)), self._operations.length(iterable))

    def zip(self, node: ast.AST, *iterables: Any, strict: bool = False) -> Any:
        lengths = [self._operations.length(each) for each in iterables]
        length = None if strict or None in lengths else min(filter(None, lengths), default=0)
        return Iteration("zip", zip(*(self._operations.iterate(each, node) for each in iterables), strict=strict), length)

    def map(self, node: ast.AST, function: Any, *iterables: Any) -> Any:
        each = zip(*(self._operations.iterate(iterable, node) for iterable in iterables), strict=False)
        return Iteration("map", (self._call_value(function, args, {}, node) for args in each))

    def filter(self, node: ast.AST, function: Any, iterable: Any) -> Any:
        def steps() -> Iterator[Any]:
            for value in self._operations.iterate(iterable, node):
                if self._operations.truth(value if function is None else self._call_value(function, (value,), {}, node), node):
                    yield value

        return Iteration("filter", steps())

    def sorted(self, node: ast.AST, iterable: Any, key: Any = None, reverse: Any = False) -> Any:
        return self.sort(node, self._operations.collect(iterable, node), key, reverse)

    def sort(self, node: ast.AST, elements: Elements, key: Any = None, reverse: Any = False) -> Any:
        """Sort a list in place, and return it."""
        keys = [self._operations.ordered(element if key is None else self._call_value(key, (element,), {}, node), node) for element in elements]
        elements[:] = [elements[place] for place in sorted(range(len(keys)), key=keys.__getitem__, reverse=self._operations.truth(reverse, node))]
        return elements

    def all(self, node: ast.AST, iterable: Any) -> Any:
        return all(self._operations.truth(value, node) for value in self._operations.iterate(iterable, node))

    def any(self, node: ast.AST, iterable: Any) -> Any:
        return any(self._operations.truth(value, node) for value in self._operations.iterate(iterable, node))

    def max(self, node: ast.AST, *candidates: Any, key: Any = None, default: Any = _MISSING) -> Any:
        return self._extreme("max", node, candidates, key, default)

    def min(self, node: ast.AST, *candidates: Any, key: Any = None, default: Any = _MISSING) -> Any:
        return self._extreme("min", node, candidates, key, default)

    def _extreme(self, name: Any, node: ast.AST, candidates: Elements, key: Any, default: Any) -> Any:
        elements = self._operations.collect(candidates[0], node) if len(candidates) == 1 else [*candidates]
        if not elements and default is not _MISSING:
            return default
        function = max if name == "max" else min
        return function(elements, key=lambda each: self._operations.ordered(each if key is None else self._call_value(key, (each,), {}, node), node))


_PLAIN: dict[str, Callable[..., Any]] = {
    "abs": abs, "bool": bool, "complex": complex, "divmod": divmod, "float": float, "len": len, "slice": slice,
}  # fmt: skip
"""Functions that are passed to Python unchanged."""
_OF_ARRAYS = frozenset(("abs", "bool", "complex", "float", "len"))
"""Functions among them that accept tensors."""
