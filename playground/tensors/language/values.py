"""Values in a script: which types are allowed, and the arithmetic and formatting of Python's own values within bounds."""

from __future__ import annotations

import operator
import re
import string
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from playground.messages import msg
from playground.tensors.language.bounds import A_COMPARISON, A_SEQUENCE, A_STRING, Meter
from playground.tensors.language.classes import Instance
from playground.tensors.language.datasets import Data
from playground.tensors.language.errors import EXCEPTIONS, BoundsExceeded, OperationFailed, Refused
from playground.tensors.language.functions import Function, Iteration, Own
from playground.tensors.language.held import Held
from playground.tensors.language.objects import Layer, Stepper
from playground.tensors.language.sizing import count_elements
from playground.tensors.language.syntax import MAX_BITS

NUMBERS = "biufc"
"""Kinds of NumPy dtype that scripts may use: https://numpy.org/doc/stable/reference/generated/numpy.dtype.kind.html"""
MAX_DIGITS = 1200
"""Characters of the longest string that is converted to an integer."""
MAX_DIMENSIONS = 32
"""Largest number of dimensions of a tensor."""
_SPEC = re.compile(r"(?:.?[<>=^])?[-+ ]?#?0?\d{0,3}[,_]?(?:\.\d{1,3})?[a-zA-Z%]?")
_PERCENT = re.compile(r"%(?:%|[-#0 +]*\d{0,3}(?:\.\d{1,3})?[diouxXeEfFgGcrsa])")

_INNER_NAME = re.compile(r"\b[A-Z]\w+\.(?:\w+\.<locals>\.)?\w+\(\)")
"""The name of a method of ours in Python's message on its arguments."""
_PLAIN = (
    bool, int, float, complex, str, type(None), type(Ellipsis), slice, range, torch.dtype, torch.device, torch.Size, torch.layout, torch.memory_format,
    torch.Generator, torch.UntypedStorage, torch.finfo, torch.iinfo, torch.autograd.graph.Node, np.dtype, np.random.Generator,
)  # fmt: skip
CONTEXTS = (torch.no_grad, torch.enable_grad, torch.set_grad_enabled, torch.inference_mode)
DICTIONARY_VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
"""What `keys`, `values` and `items` return."""
CONTAINERS: tuple[type[Any], ...] = (list, tuple, range, str, dict, set, *DICTIONARY_VIEWS)
"""Values of Python that a script can iterate over."""


def check_kind(value: Any) -> Any:
    """Return the value if scripts may use its type.

    Raises:
        Refused: scripts may not use values of this type.
    """
    if isinstance(value, torch.Tensor):
        _check_tensor(value)
    elif isinstance(value, (np.ndarray, np.generic)):
        _check_dimensions(value.ndim)
        _check_dtype(value.dtype)
    elif isinstance(value, np.dtype):
        _check_dtype(value)
    elif isinstance(value, (list, tuple)):
        for part in value:
            if not isinstance(part, (list, tuple)):
                check_kind(part)
    elif not isinstance(value, (*_PLAIN, *CONTEXTS, *DICTIONARY_VIEWS, Own, dict, set, type)) and type(value) not in EXCEPTIONS.values():
        raise Refused(msg("Scripts cannot use values of type `{type}`.", type=type(value).__name__))
    return value


def check_passable(name: str, arguments: Sequence[Any]) -> None:
    """Refuse functions, iterators, dictionaries and sets among the arguments of an operation of PyTorch or NumPy.

    Args:
        name: of the operation.
        arguments: its arguments, which may be nested lists.
    """
    for value in arguments:
        if isinstance(value, (bool, int, float, torch.Tensor)):
            continue
        if isinstance(value, (list, tuple)):
            check_passable(name, value)
        elif isinstance(value, (Own, dict, set, Exception, *DICTIONARY_VIEWS)) or (isinstance(value, type) and not _is_type(value)):
            message = msg("`{name}` takes tensors and numbers, not a `{type}`.", name=name, type=type_of(value).__name__)
            raise OperationFailed(f"TypeError: {message}")  # no text: the message is one


def type_of(value: Any) -> type:
    """Return the type of a value as Python has it."""
    if isinstance(value, Iteration):
        return {"zip": zip, "map": map, "filter": filter, "enumerate": enumerate, "reversed": reversed}.get(value.kind, types.GeneratorType)
    if isinstance(value, Layer):
        return type(value.module)
    if isinstance(value, Instance):
        return type(value.kind.name, (), {})
    if isinstance(value, Held):
        return type(value.inner)
    if isinstance(value, Own):
        return types.FunctionType if isinstance(value, Function) else types.BuiltinFunctionType
    return type(value)


def is_callable(value: Any) -> bool:
    """Return whether a script can call a value."""
    return (isinstance(value, Own) and not isinstance(value, (Iteration, Stepper, Data))) or isinstance(value, type)


def stepwise(value: Any) -> Iterator[Any]:
    """Iterate over a container of Python; its error while it is changed is the script's."""
    iterator = iter(value)
    while True:
        try:
            yield next(iterator)
        except StopIteration:
            return
        except RuntimeError as error:
            raise OperationFailed(f"RuntimeError: {error}") from error  # no text: Python's message


def _check_tensor(value: torch.Tensor) -> None:
    _check_dimensions(value.ndim)
    if type(value) not in (torch.Tensor, torch.nn.Parameter) or value.layout != torch.strided or value.is_quantized:
        raise Refused(msg("Scripts support dense tensors only; this is a {type} of layout {layout}.", type=type(value).__name__, layout=value.layout))
    if value.device.type == "meta" and torch.get_default_device().type != "meta":
        raise Refused(msg("A tensor on the `meta` device has a shape but no values, so there is nothing to see."), msg("Remove the `device` argument."))


def _check_dtype(dtype: np.dtype[Any]) -> None:
    if dtype.kind not in NUMBERS or not dtype.isnative:
        raise Refused(
            msg("NumPy created an array of dtype `{dtype}`; scripts support numbers and booleans only.", dtype=dtype),
            msg("Pass a `dtype`, or make all rows equally long."),
        )


def _check_dimensions(count: int) -> None:
    if count > MAX_DIMENSIONS:
        raise Refused(msg("A tensor of {count} dimensions cannot be displayed; the limit is {limit}.", count=count, limit=MAX_DIMENSIONS))


def _is_type(value: Any) -> bool:
    return any(value is kind for kind in (int, float, bool, complex, str, list, tuple)) or (
        isinstance(value, type) and (issubclass(value, (np.generic, np.ndarray, torch.Tensor)) or type(value).__name__ == "tensortype")
    )


def is_array(value: Any) -> bool:
    """Return whether the value is a tensor or a NumPy array."""
    return isinstance(value, (torch.Tensor, np.ndarray))


def kind_of(value: Any) -> str:
    """Return the key of the allow-list for the methods and attributes of a value."""
    for kind, name in (
        (torch.Tensor, "Tensor"), ((np.ndarray, np.generic), "ndarray"), (torch.Size, "Size"), (str, "str"), (list, "list"), (tuple, "tuple"),
        (torch.Generator, "TorchGenerator"), (np.random.Generator, "NumpyGenerator"), (torch.UntypedStorage, "UntypedStorage"),
        (dict, "dict"), (set, "set"), (Exception, "Exception"), (torch.autograd.graph.Node, "Node"), ((torch.dtype, np.dtype), "dtype"),
        (torch.device, "device"), ((torch.finfo, torch.iinfo), "finfo"), ((bool, int, float, complex), "complex"),
    ):  # fmt: skip
        if isinstance(value, kind):
            return name
    return type(value).__name__


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv, "%": operator.mod, "**": operator.pow,
    "@": operator.matmul, "&": operator.and_, "|": operator.or_, "^": operator.xor, "<<": operator.lshift, ">>": operator.rshift,
}  # fmt: skip
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "is": operator.is_, "is not": operator.is_not, "in": lambda a, b: a in b, "not in": lambda a, b: a not in b,  # no text: operators
}  # fmt: skip


class PythonValues:
    """Computes with Python's own values and formats them, within a script's bounds."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def binary(self, symbol: str, left: Any, right: Any) -> Any:
        """Apply an operator to two operands."""
        if symbol == "%" and isinstance(left, str):
            return self.percent(left, right)
        self._check_size(symbol, left, right)
        return attempt(_ARITHMETIC[symbol], left, right)

    def compare(self, symbol: str, left: Any, right: Any) -> Any:
        """Compare two values."""
        self._meter.check_length(count_elements(left) + count_elements(right), A_COMPARISON)
        return attempt(_COMPARISONS[symbol], left, right)

    def text(self, value: Any, conversion: str = "s", spec: str = "") -> str:
        """Format a value as `print`, `repr` or a format specification does.

        Args:
            conversion: `s`, `r` or `a` as in an f-string; empty for none.
        """
        if not isinstance(value, (torch.Tensor, np.ndarray)):  # those abbreviate themselves
            self._meter.check_length(count_elements(value), A_STRING)
        if not _SPEC.fullmatch(spec):
            raise Refused(msg("The format “{format}” is not available in scripts.", format=spec), msg("For example `:.2f`, `:>8` or `:,`."))
        if conversion:
            value = attempt(str if conversion == "s" else repr, value)
        return str(attempt(format, value, spec))

    def format(self, template: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """Apply `str.format`; refuse fields that access a part of a value."""
        parts: list[str] = []
        automatic = length = 0
        for literal, name, spec, conversion in attempt(lambda: list(string.Formatter().parse(template))):
            parts.append(literal)
            if name is None:
                continue
            if name == "":
                name, automatic = str(automatic), automatic + 1
            if not name.isidentifier() and not name.isdigit():
                raise Refused(
                    msg("The field “{field}” accesses a part of a value, which scripts cannot do.", field="{" + name + "}"),
                    msg("Use plain fields such as “{}” or “{0}”."),
                )
            if "{" in (spec or ""):
                raise Refused(msg("A format inside a format is not available in scripts."))
            value = attempt(lambda name=name: args[int(name)] if name.isdigit() else kwargs[name])
            parts.append(self.text(value, conversion or "", spec or ""))
            length += len(literal) + len(parts[-1])
            self._meter.check_length(length, A_STRING)
        return "".join(parts)

    def percent(self, template: str, values: Any) -> str:
        """Return `template % values`, for simple formats only."""
        if "%" in _PERCENT.sub("", template):
            raise Refused(msg("This `%` format is not available in scripts."), msg("For example `%d`, `%.2f` or `%s`; or an f-string."))
        self._meter.check_length(count_elements(values), A_STRING)
        if isinstance(values, (list, tuple)):
            self._meter.check_length(1000 * len(values), A_STRING)
        text = str(attempt(operator.mod, template, values))
        self._meter.check_length(len(text), A_STRING)
        return text

    def join(self, separator: str, parts: list[Any]) -> str:
        """Return `separator.join(parts)`."""
        self._meter.check_length(len(separator) * len(parts) + sum(len(part) for part in parts if isinstance(part, str)), A_STRING)
        return str(attempt(separator.join, parts))

    def _check_size(self, symbol: str, left: Any, right: Any) -> None:
        """Refuse integers and sequences that would be too large, before they are created."""
        for sequence, times in ((left, right), (right, left)):
            if symbol == "*" and isinstance(sequence, (str, list, tuple)) and isinstance(times, int):
                self._meter.check_length(len(sequence) * max(times, 0), A_SEQUENCE)
        if symbol == "+" and isinstance(left, (str, list, tuple)) and isinstance(right, (str, list, tuple)):
            self._meter.check_length(len(left) + len(right), A_SEQUENCE)
        if isinstance(left, int) and isinstance(right, int):
            bits = {"**": left.bit_length() * max(right, 0), "<<": left.bit_length() + max(right, 0), "*": left.bit_length() + right.bit_length()}.get(
                symbol, 0
            )
            if bits > MAX_BITS and (symbol != "**" or abs(left) > 1):
                message = msg("This integer would have about {digits:,} digits.", digits=bits * 3 // 10)
                raise BoundsExceeded(message, msg("A tensor holds integers of up to 64 bits."))


def attempt(function: Callable[..., Any], *args: Any, name: str = "") -> Any:
    """Call a Python function, and convert its exception.

    Args:
        function: what to call.
        args: its arguments.
        name: the function's name in a script, where it is one of the interpreter's own.

    Raises:
        OperationFailed: the function raised an exception.
    """
    try:
        return function(*args)
    except RecursionError:
        raise  # what the interpreter itself cannot follow, no script catches
    except (TypeError, ValueError, IndexError, KeyError, ArithmeticError, AttributeError, RuntimeError, MemoryError) as error:
        whole = str(error).partition("Exception raised from")[0].strip()  # no text: what follows is for PyTorch's developers
        text = _INNER_NAME.sub(f"{name}()", whole) if name else whole
        raise OperationFailed(f"{type(error).__name__}: {text}") from error
