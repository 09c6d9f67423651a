"""Performs the operations of a script: bounds their size, calls PyTorch, NumPy or Python, checks the result and records it."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import torch

from playground.messages import msg
from playground.tensors.language import allowed, calls, classes, datasets, objects, sizing, values
from playground.tensors.language.bounds import A_LOOP, A_SEQUENCE, A_STRING, Meter
from playground.tensors.language.calls import OPERATORS, Call, Entry
from playground.tensors.language.classes import METHODS, Class, Instance
from playground.tensors.language.datasets import Data, Picture
from playground.tensors.language.errors import OperationFailed, Refused, ScriptError
from playground.tensors.language.figures import Grid
from playground.tensors.language.functions import Iteration
from playground.tensors.language.held import Context, Held
from playground.tensors.language.memory import is_within_storage
from playground.tensors.language.objects import Layer, Maker, Parts, Stepper
from playground.tensors.language.tracing import Tracer

_SETTABLE = frozenset(allowed.SETTABLE.split())
_VIEWS = frozenset(("T", "mT", "H", "mH", "real", "imag", "data"))
"""Attributes that are a view of the tensor."""


_END = object()
_ORDERS = ("<", "<=", ">", ">=")


@dataclass(frozen=True)
class _Ordered:
    """An instance of a class of the script as Python sorts it."""

    value: Any
    is_less: Callable[[Any, Any], bool]

    def __lt__(self, other: _Ordered) -> bool:
        return self.is_less(self.value, other.value)

    def __gt__(self, other: _Ordered) -> bool:
        return self.is_less(other.value, self.value)


class Operations:
    """Performs operations on values, independent of the names of a script.

    The `node` of an operation is the expression or statement that an error refers to.

    Args:
        meter: stops the script at its limits.
        tracer: records every operation on tensors and arrays.
    """

    def __init__(self, meter: Meter, tracer: Tracer) -> None:
        self._meter, self.tracer = meter, tracer
        self._python = values.PythonValues(meter)
        self.call: Callable[..., Any] = lambda *_: None
        """Calls a function of the script: the methods of its classes. The evaluator sets it."""

    def perform(self, entry: Entry, node: ast.AST, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None) -> Any:
        """Perform an operation of the allow-list on tensors or arrays.

        Raises:
            OperationFailed: PyTorch or NumPy raised an error.
            BoundsExceeded: the result would be too large.
            Refused: the result, or a dtype among the arguments, is of a kind that scripts may not use.
        """
        if entry.is_numpy:
            args = tuple(datasets.as_array(value) if isinstance(value, Picture) else value for value in args)
        operands = (*args, *kwargs.values()) if kwargs else args
        if any(isinstance(operand, (list, tuple, dict)) for operand in operands):
            self._meter.check_length(sizing.count_leaves(operands))
        values.check_passable(entry.short, operands)
        call = Call(entry, args, kwargs)
        _check_dtypes(call)
        if entry.is_numpy or not self._meter.bounds.is_without_values:
            self._meter.reserve(sizing.result_bytes(call))
        if entry.short == "tolist":
            self._meter.check_length(sizing.count_elements(args))
        try:
            return self.tracer.perform(call, node, self._call)
        except ScriptError as error:
            raise error.at(node) from None
        except (MemoryError, RecursionError):
            raise
        except Exception as error:
            raise OperationFailed(first_line(error), "", node, call) from error

    def _call(self, call: Call) -> Any:
        """Call the operation, and check its result before anything else uses it."""
        done = False
        try:
            result = values.check_kind(call())
            done = True
        finally:
            if not done or call.entry.short.endswith("_") or "out" in call.kwargs:  # otherwise no argument has another size now
                self._keep_within_storage(call)
        self._meter.track(calls.arrays_in(result))
        return result

    def _keep_within_storage(self, call: Call) -> None:
        """Empty the tensors that reach beyond their memory, which must not be readable."""
        for array in call.arrays:
            if isinstance(array, torch.Tensor) and not is_within_storage(array):
                array.detach_().requires_grad_(False).set_()  # type: ignore[call-overload]

    def call_sequence_method(self, entry: Entry, node: ast.AST, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a method of a list, a tuple, a string, a dictionary or a set, which is the first argument."""
        if entry.name == "str.format":
            return self._python.format(args[0], args[1:], kwargs)
        if entry.name == "str.join" and len(args) == 2:
            return self._python.join(args[0], self.collect(args[1], node))
        self._meter.check_length(sum(len(part) for part in args if isinstance(part, (str, list, tuple, dict, set))) + len(kwargs))
        if entry.name == "str.replace" and len(args) > 2 and all(isinstance(part, str) for part in args[:3]):
            self._meter.check_length(len(args[0]) + (args[0].count(args[1])) * len(args[2]), A_STRING)
        if entry.name == "str.zfill" and isinstance(args[-1], int):
            self._meter.check_length(args[-1], A_STRING)
        return values.attempt(lambda: entry.function(*args, **kwargs))

    def taken(self, value: Any) -> Any:
        """Check a value that a loader, a data set or a transform has made, before anything else uses it."""
        self._meter.track(calls.arrays_in(value))
        return values.check_kind(value)

    def text(self, value: Any, conversion: str = "s", spec: str = "") -> str:
        """Format a value; see `PythonValues.text`."""
        if isinstance(value, Instance) and not spec:
            for name in ("__str__", "__repr__") if conversion in ("s", "") else ("__repr__",):
                function, exists = value.kind.lookup(name)
                if exists:
                    return str(self.call(function, (value,), {}, ast.Pass()))
        return self._python.text(value, conversion, spec)

    def iterate(self, value: Any, node: ast.AST) -> Iterator[Any]:
        """Return an iterator over a value; a tensor yields its slices along the first dimension."""
        if values.is_array(value):
            if value.ndim == 0:
                call = Call(Entry("iter", allowed.JOINING, iter), (value,))
                message = "iteration over a 0-d tensor"  # no text: PyTorch's message
                raise OperationFailed(message, "", node, call) from TypeError(message)
            self._meter.check_length(len(value), A_LOOP)
            return (self.perform(OPERATORS["[]"], node, (value, index)) for index in range(len(value)))
        if isinstance(value, Iteration):
            return iter(value)
        value = classes.as_layer(value)
        if isinstance(value, Layer):
            return objects.parts(value)
        if isinstance(value, Data):
            return self._iterate_data(value)
        if isinstance(value, (Grid, Parts)):
            return iter(value)
        if isinstance(value, Instance):
            return self._iterate_instance(value, node)
        if not isinstance(value, values.CONTAINERS):
            raise OperationFailed(f"TypeError: '{values.type_of(value).__name__}' object is not iterable", "", node)  # no text: Python's message
        self._meter.check_length(len(value), A_LOOP)
        return values.stepwise(value)

    def length(self, value: Any) -> int | None:
        """Return how many values an iteration over a value yields; None where that is not known before."""
        if isinstance(value, Iteration):
            return value.length
        if isinstance(value, Data):
            return datasets.known_length(value)
        return len(value) if values.is_array(value) or isinstance(value, values.CONTAINERS) else None

    def _iterate_data(self, value: Data) -> Iterator[Any]:
        steps = datasets.steps(value)
        while (each := values.attempt(next, steps, _END)) is not _END:
            self._meter.count_statement()
            yield self.taken(each)

    def _iterate_instance(self, value: Instance, node: ast.AST) -> Iterator[Any]:
        """Iterate over an instance by its `__iter__` and `__next__`, or by `__getitem__` from 0 on."""
        start, exists = value.kind.lookup("__iter__")
        if exists:
            started = self.call(start, (value,), {}, node)
            if not isinstance(started, Instance):
                yield from self.iterate(started, node)
                return
            value = started
        following, exists = value.kind.lookup("__next__")
        read, has_items = value.kind.lookup("__getitem__")
        if not exists and not has_items:
            raise OperationFailed(f"TypeError: '{value.kind.name}' object is not iterable", "", node)  # no text: Python's message
        for place in count():
            try:
                yield self.call(following, (value,), {}, node) if exists else self.call(read, (value, place), {}, node)
            except ScriptError as error:
                if isinstance(error.exception, StopIteration if exists else IndexError):
                    return
                raise

    def collect(self, value: Any, node: ast.AST) -> list[Any]:
        """Return what a value yields as a new list, within the bounds."""
        elements = []
        for element in self.iterate(value, node):
            elements.append(element)
            self._meter.check_length(len(elements))
        return elements

    def truth(self, value: Any, node: ast.AST) -> bool:
        """Return whether a condition is true."""
        if isinstance(value, Instance):
            for name in ("__bool__", "__len__"):
                function, exists = value.kind.lookup(name)
                if exists:
                    return bool(self.call(function, (value,), {}, node))
            return True
        if values.is_array(value):
            return bool(self.perform(Entry("bool", allowed.CONVERSION, bool), node, (value,)))
        return bool(value)

    def unary(self, symbol: str, value: Any, node: ast.AST) -> Any:
        """Apply an operator to one operand."""
        if isinstance(value, Instance) and symbol == "unary -" and value.kind.lookup("__neg__")[1]:
            return self.call(value.kind.lookup("__neg__")[0], (value,), {}, node)
        if values.is_array(value):
            return self.perform(OPERATORS[symbol], node, (value,))
        return values.attempt(OPERATORS[symbol].function, value)

    def binary(self, symbol: str, left: Any, right: Any, node: ast.AST, *, in_place: bool = False) -> Any:
        """Apply an operator to two operands; `in_place` as `+=` does."""
        if isinstance(left, Instance) or isinstance(right, Instance):
            return self._by_class(symbol, left, right, node)
        if in_place and ((isinstance(left, list) and symbol in "+*") or (isinstance(left, (dict, set)) and not values.is_array(right))):
            return self._change(symbol, left, right, node)
        if isinstance(left, str) or isinstance(right, str):
            return self._python.binary(symbol, left, right)
        if symbol == "*" and isinstance(left, (list, tuple)) != isinstance(right, (list, tuple)):
            left, right = (_as_count(value) for value in (left, right))
        if values.is_array(left) or values.is_array(right):
            return self.perform(OPERATORS[f"{symbol}=" if in_place else symbol], node, (left, right))
        return self._python.binary(symbol, left, right)

    def _by_class(self, symbol: str, left: Any, right: Any, node: ast.AST) -> Any:
        """Apply an operator as the class of an operand defines it."""
        if symbol == "not in":  # no text: an operator
            return not self.truth(self._by_class("in", left, right, node), node)
        for one, other, name in zip((left, right), (right, left), METHODS.get(symbol, ("", "")), strict=True):
            function, exists = one.kind.lookup(name) if isinstance(one, Instance) else (None, False)
            if exists:
                return self.call(function, (one, other), {}, node)
        if symbol == "in" and isinstance(right, Instance):
            return any(self.truth(self.compare("==", left, part, node), node) for part in self.iterate(right, node))
        if symbol == "!=":
            return not self.truth(self._by_class("==", left, right, node), node)
        if symbol in ("==", "in"):
            return self._python.compare(symbol, left, right)
        names = " and ".join(f"'{values.type_of(each).__name__}'" for each in (left, right))
        if symbol in _ORDERS:
            raise OperationFailed(f"TypeError: '{symbol}' not supported between instances of {names}", "", node)  # no text: Python's message
        raise OperationFailed(f"TypeError: unsupported operand type(s) for {symbol}: {names}", "", node)  # no text: Python's message

    def ordered(self, value: Any, node: ast.AST) -> Any:
        """Return a value as `sorted` and `max` compare it."""
        return _Ordered(value, lambda one, other: self.truth(self.compare("<", one, other, node), node)) if isinstance(value, Instance) else value

    def _change(self, symbol: str, left: Any, right: Any, node: ast.AST) -> Any:
        """Change a list, a dictionary or a set in place, as `+=` does: its other names see it."""
        if isinstance(left, list) and symbol == "+":
            right = self.collect(right, node)
        count = _as_count(right)
        length = len(left) * max(count, 0) if isinstance(count, int) else len(left) + sizing.count_elements(count)
        self._meter.check_length(length, A_SEQUENCE)
        return values.attempt(OPERATORS[f"{symbol}="].function, left, count)

    def compare(self, symbol: str, left: Any, right: Any, node: ast.AST) -> Any:
        """Compare two values."""
        if (isinstance(left, Instance) or isinstance(right, Instance)) and symbol not in ("is", "is not"):  # no text: operators
            return self._by_class(symbol, left, right, node)
        left, right = (value.kind if isinstance(value, Maker) else value for value in (left, right))
        if (values.is_array(left) or values.is_array(right)) and symbol in OPERATORS:
            return self.perform(OPERATORS[symbol], node, (left, right))
        return self._python.compare(symbol, left, right)

    def get_item(self, value: Any, index: Any, node: ast.AST) -> Any:
        """Return `value[index]`."""
        if values.is_array(value):
            return self.perform(OPERATORS["[]"], node, (value, index))
        value = classes.as_layer(value)
        if isinstance(value, Layer):
            return values.attempt(objects.item, value, index)
        if isinstance(value, Data):
            return self.taken(values.attempt(datasets.item, value, index))
        if isinstance(value, (Grid, Parts)):
            return values.attempt(value.item, index)
        if isinstance(value, Instance) and value.kind.lookup("__getitem__")[1]:
            return self.call(value.kind.lookup("__getitem__")[0], (value, index), {}, node)
        if not isinstance(value, (list, tuple, str, range, dict, np.generic)):
            raise OperationFailed(f"TypeError: '{values.type_of(value).__name__}' object is not subscriptable")  # no text: Python's message
        if isinstance(index, torch.Tensor) and index.ndim == 0 and not isinstance(value, dict):
            index = int(index)
        return values.check_kind(values.attempt(operator.getitem, value, index))

    def set_item(self, owner: Any, index: Any, value: Any, node: ast.AST) -> None:
        """Assign `owner[index] = value`."""
        if isinstance(owner, Instance) and owner.kind.lookup("__setitem__")[1]:
            self.call(owner.kind.lookup("__setitem__")[0], (owner, index, value), {}, node)
        elif isinstance(owner, Parts):
            values.attempt(owner.set_item, index, value)
        elif isinstance(owner, Layer):
            values.attempt(objects.set_item, owner, index, value)
        elif values.is_array(owner):
            self.perform(OPERATORS["[]="], node, (owner, index, value))
        elif isinstance(owner, list) and isinstance(index, slice):
            elements = self.collect(value, node)
            self._meter.check_length(len(owner) + len(elements))
            values.attempt(operator.setitem, owner, index, elements)
        elif isinstance(owner, (list, dict)):
            values.attempt(operator.setitem, owner, index, value)
            self._meter.check_length(len(owner))
        else:
            message = f"TypeError: '{values.type_of(owner).__name__}' object does not support item assignment"  # no text: Python's message
            raise OperationFailed(message, "", node)

    def delete_item(self, owner: Any, index: Any, node: ast.AST) -> None:
        """Perform `del owner[index]`."""
        if isinstance(owner, Layer):
            values.attempt(objects.delete_item, owner, index)
            return
        if not isinstance(owner, (list, dict)):
            message = f"TypeError: '{values.type_of(owner).__name__}' object does not support item deletion"  # no text: Python's message
            raise OperationFailed(message, "", node)
        values.attempt(operator.delitem, owner, index)

    def get_attribute(self, value: Any, name: str, node: ast.AST) -> Any:
        """Return `value.name`, if the allow-list has it."""
        if isinstance(value, (Layer, Stepper)):
            return values.check_kind(objects.attribute(value, name))
        if isinstance(value, Held):
            return values.check_kind(values.attempt(datasets.attribute, value, name))
        kind = values.kind_of(value)
        if kind == "tuple" and name in allowed.ATTRIBUTES["result"].split() and hasattr(value, name):
            return getattr(value, name)
        if name not in allowed.ATTRIBUTES.get(kind, "").split():
            raise calls.unknown_attribute(kind, name, value)
        entry = Entry(f"{kind}.{name}", allowed.JOINING, operator.attrgetter(name))
        if values.is_array(value) and name in _VIEWS:
            return self.perform(entry, node, (value,))
        return values.check_kind(values.attempt(entry.function, value))

    def set_attribute(self, owner: Any, name: str, value: Any, node: ast.AST) -> None:
        """Assign `owner.name = value`, if the allow-list has it."""
        if isinstance(owner, Instance):
            classes.write(owner, name, value)
            return
        if isinstance(owner, Class):
            owner.members[name] = value
            return
        if isinstance(owner, Context):
            owner.attributes[name] = value
            return
        if isinstance(owner, (Layer, Stepper)):
            values.attempt(lambda: objects.set_attribute(owner, name, value))
            return
        if not isinstance(owner, torch.Tensor) or name not in _SETTABLE:
            raise Refused(msg("`{target}` cannot be set.", target=ast.unparse(node)), "", node)
        entry = Entry(f"Tensor.{name} =", allowed.AUTOGRAD, lambda tensor, new: setattr(tensor, name, new))
        self.perform(entry, node, (owner, value))


def first_line(error: Exception) -> str:
    """Return the first line of PyTorch's or NumPy's message, without the parts for their developers."""
    text = str(error).split("\n")[0].split("Exception raised from")[0].strip()  # no text: of PyTorch's messages
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _check_dtypes(call: Call) -> None:
    """Refuse NumPy dtypes of objects, strings and raw memory before they are used."""
    if not call.entry.is_numpy:
        return
    for value in [*call.args, *call.kwargs.values()]:
        if isinstance(value, str) and _is_unsupported_dtype(value):
            raise Refused(msg("The dtype “{dtype}” is not available in scripts: arrays hold numbers or booleans.", dtype=value))
        if (isinstance(value, (type, np.dtype)) and _is_unsupported_dtype(value)) or (call.entry.name == "np.dtype" and isinstance(value, (list, tuple))):
            raise Refused(msg("Arrays in scripts hold numbers or booleans."))


def _is_unsupported_dtype(dtype: Any) -> bool:
    try:
        return np.dtype(dtype).kind not in values.NUMBERS
    except (TypeError, ValueError, SyntaxError):
        return False


def _as_count(value: Any) -> Any:
    """Convert a single integer of PyTorch or NumPy to Python's, so that a list is repeated within bounds."""
    single = (values.is_array(value) and value.ndim == 0) or isinstance(value, np.generic)
    return value.item() if single and isinstance(value.item(), int) else value
