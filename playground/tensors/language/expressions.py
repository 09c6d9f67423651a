"""Evaluates expressions from the tree that Python's parser made of them; nothing a learner typed is ever executed as code."""

from __future__ import annotations

import ast
import difflib
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from playground.tensors.language import allowed, calls, sizing, values
from playground.tensors.language.bounds import Meter
from playground.tensors.language.builtin import NAMES, Builtins, is_array
from playground.tensors.language.calls import OPERATORS, Call, Entry
from playground.tensors.language.errors import OperationFailed, Refused, ScriptError
from playground.tensors.language.memory import within_storage
from playground.tensors.language.tracing import Tracer

BINARY = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**", ast.MatMult: "@",
    ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>",
}  # fmt: skip
UNARY: dict[type[ast.unaryop], str] = {ast.USub: "unary -", ast.UAdd: "unary +", ast.Invert: "~"}
COMPARE = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
_TYPE_NAMES = {"int": int, "float": float, "bool": bool, "complex": complex, "str": str, "list": list, "tuple": tuple}
_SETTABLE = frozenset(allowed.SETTABLE.split())
_VIEWS = frozenset(("T", "mT", "H", "mH", "real", "imag", "data"))
"""Attributes that are a view of the tensor."""


class Expressions:
    """The part of the interpreter that evaluates expressions.

    Args:
        names: the learner's names with their values.
        meter: stops the script at its limits.
        tracer: records every operation on tensors and arrays.
    """

    def __init__(self, names: dict[str, Any], meter: Meter, tracer: Tracer, write: Callable[[str], None]) -> None:
        self.names = names
        self._meter, self._tracer = meter, tracer
        self._plain = values.Plain(meter)
        self._builtins = Builtins(self, self._plain, meter, write)

    def evaluate(self, node: ast.expr) -> Any:
        """Return the value of an expression.

        Raises:
            ScriptError: an expression failed; the error has the innermost one.
        """
        self._meter.tick()
        method: Callable[[Any], Any] = getattr(self, f"_{type(node).__name__}")
        try:
            return method(node)
        except ScriptError as error:
            raise error.at(node) from error.__cause__

    def perform(self, entry: Entry, node: ast.AST, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None) -> Any:
        """Perform an operation of the allow-list: bound its size, call it, check the result and record it."""
        self._meter.elements(sizing.leaves([args, kwargs]), "A list")
        call = Call(entry, args, kwargs or {})
        self._refuse_unsupported_dtypes(call)
        self._meter.reserve(sizing.result_bytes(call))
        if entry.short == "tolist":
            self._meter.elements(sizing.count(args), "A list")
        try:
            return self._tracer.perform(call, node, self._checked)
        except ScriptError as error:
            raise error.at(node) from None
        except MemoryError:
            raise
        except Exception as error:
            raise OperationFailed(first_sentence(error), "", node, call) from error

    def _checked(self, call: Call) -> Any:
        """Call the operation, and check its result before anything else uses it."""
        try:
            result = values.check_kind(call())
        finally:
            for array in call.arrays:
                if isinstance(array, torch.Tensor) and not within_storage(array):
                    array.detach_().requires_grad_(False).set_()  # type: ignore[call-overload] # memory outside its storage must not be readable
        self._meter.made(calls.arrays_in(result))
        return result

    def iterate(self, value: Any, node: ast.AST) -> Iterator[Any]:
        """Return an iterator over a value; a tensor yields its slices along the first dimension."""
        if isinstance(value, (torch.Tensor, np.ndarray)):
            if value.ndim == 0:
                raise OperationFailed("iteration over a 0-d tensor", "", node, Call(Entry("iter", allowed.JOINING, iter), (value,)))
            self._meter.elements(len(value), "A loop")
            return (self.perform(OPERATORS["[]"], node, (value, index)) for index in range(len(value)))
        if not isinstance(value, (list, tuple, range, str)):
            raise OperationFailed(f"TypeError: '{type(value).__name__}' object is not iterable", "", node)
        self._meter.elements(len(value), "A loop")
        return iter(value)

    def _Constant(self, node: ast.Constant) -> Any:
        return node.value

    def _Name(self, node: ast.Name) -> Any:
        name = node.id
        if name in self.names:
            value = self.names[name]
            self._tracer.read(name, value)
            return value
        if name in _TYPE_NAMES:
            return _TYPE_NAMES[name]
        if name in calls.ROOTS or name in NAMES:
            raise Refused(f"`{name}` is a module or a function, not a value. Use one of its functions, such as `torch.ones(2, 3)`, or call it.")
        near = difflib.get_close_matches(name, [*filter(str.isidentifier, self.names), *calls.ROOTS, *NAMES], n=1)
        hint = f"Did you mean `{near[0]}`?" if near else "Assign a value to it on a line above."
        raise ScriptError(f"The name `{name}` is not defined.", hint, node, instead=near[0] if near else "")

    def _Attribute(self, node: ast.Attribute) -> Any:
        if (dotted := self._dotted(node)) and not self._is_constant(node.value):
            full = calls.full_name(dotted)
            if full in calls.constants():
                return calls.constants()[full]
            if full in calls.functions():
                raise Refused(f"`{dotted}` is a function: call it with parentheses, `{dotted}(…)`.")
            raise calls.unknown(dotted, full, {**calls.functions(), **calls.constants()})
        value = self.evaluate(node.value)
        kind = values.kind_of(value)
        if kind == "tuple" and node.attr in allowed.ATTRIBUTES["result"].split() and hasattr(value, node.attr):
            return getattr(value, node.attr)
        if node.attr not in allowed.ATTRIBUTES.get(kind, "").split():
            raise self._no_attribute(kind, node.attr)
        entry = Entry(f"{kind}.{node.attr}", allowed.JOINING, operator.attrgetter(node.attr))
        if is_array(value) and node.attr in _VIEWS:
            return self.perform(entry, node, (value,))
        return values.check_kind(values.attempt(entry.function, value))

    def _Call(self, node: ast.Call) -> Any:
        if isinstance(node.func, ast.Attribute):
            owner: tuple[Any, ...] = ()
            if dotted := self._dotted(node.func):
                entry = calls.function(dotted)
            else:
                owner = (self.evaluate(node.func.value),)
                entry = self._method(owner[0], node.func.attr)
        elif isinstance(node.func, ast.Name) and node.func.id in NAMES and node.func.id not in self.names:
            return self._builtins.call(node.func.id, *self._arguments(node), node)
        else:
            name = ast.unparse(node.func)
            near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.75)
            meant = f"torch.{name}" if f"torch.{name}" in calls.functions() else near[0] if near else ""
            raise Refused(f"`{name}` cannot be called here.", f"Did you mean `{meant}`?" if meant else "", node.func, instead=meant)
        args, kwargs = self._arguments(node)
        if entry.name.split(".")[0] in ("str", "list", "tuple", "Size"):
            return self._sequence_method(entry, (*owner, *args), kwargs)
        return self.perform(entry, node, (*owner, *args), kwargs)

    def _Subscript(self, node: ast.Subscript) -> Any:
        value, index = self.evaluate(node.value), self.evaluate(node.slice)
        if isinstance(value, (torch.Tensor, np.ndarray)):
            return self.perform(OPERATORS["[]"], node, (value, index))
        if not isinstance(value, (list, tuple, str, range, np.generic)):
            raise OperationFailed(f"TypeError: '{type(value).__name__}' object is not subscriptable")
        if isinstance(index, torch.Tensor) and index.ndim == 0:
            index = int(index)
        return values.check_kind(values.attempt(operator.getitem, value, index))

    def _Slice(self, node: ast.Slice) -> slice:
        return slice(*(part and self.evaluate(part) for part in (node.lower, node.upper, node.step)))

    def _BinOp(self, node: ast.BinOp) -> Any:
        return self.binary(BINARY[type(node.op)], self.evaluate(node.left), self.evaluate(node.right), node)

    def binary(self, symbol: str, left: Any, right: Any, node: ast.AST, *, in_place: bool = False) -> Any:
        """`left symbol right`; `in_place` is Python's `+=` and its kin."""
        if isinstance(left, str) or isinstance(right, str):
            return self._plain.binary(symbol, left, right)
        if symbol == "*" and isinstance(left, (list, tuple)) != isinstance(right, (list, tuple)):
            left, right = (_as_count(value) for value in (left, right))
        if is_array(left) or is_array(right):
            return self.perform(OPERATORS[f"{symbol}=" if in_place else symbol], node, (left, right))
        return self._plain.binary(symbol, left, right)

    def _UnaryOp(self, node: ast.UnaryOp) -> Any:
        value = self.evaluate(node.operand)
        if isinstance(node.op, ast.Not):
            return not self.truth(value, node.operand)
        symbol = UNARY[type(node.op)]
        if is_array(value):
            return self.perform(OPERATORS[symbol], node, (value,))
        return values.attempt(OPERATORS[symbol].function, value)

    def _Compare(self, node: ast.Compare) -> Any:
        left, result = self.evaluate(node.left), True
        for kind, part in zip(node.ops, node.comparators, strict=True):
            if result is not True and not self.truth(result, node):
                break
            right, symbol = self.evaluate(part), COMPARE[type(kind)]
            arrays = (is_array(left) or is_array(right)) and symbol in OPERATORS
            result = self.perform(OPERATORS[symbol], node, (left, right)) if arrays else self._plain.compare(symbol, left, right)
            left = right
        return result

    def _BoolOp(self, node: ast.BoolOp) -> Any:
        value: Any = None
        for part in node.values:
            value = self.evaluate(part)
            if self.truth(value, node) != isinstance(node.op, ast.And):
                break
        return value

    def truth(self, value: Any, node: ast.AST) -> bool:
        """Return whether a condition is true."""
        if isinstance(value, (torch.Tensor, np.ndarray)):
            return bool(self.perform(Entry("bool", allowed.CONVERSION, bool), node, (value,)))
        return bool(value)

    def _IfExp(self, node: ast.IfExp) -> Any:
        return self.evaluate(node.body if self.truth(self.evaluate(node.test), node.test) else node.orelse)

    def _Tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self._elements(node.elts))

    def _List(self, node: ast.List) -> list[Any]:
        return self._elements(node.elts)

    def _ListComp(self, node: ast.ListComp | ast.GeneratorExp) -> list[Any]:
        """Evaluate a comprehension; its names do not outlive it."""
        outside = dict(self.names)
        found: list[Any] = []
        try:
            self._comprehend(node.generators, lambda: found.append(self.evaluate(node.elt)), found)
        finally:
            self.names.clear()
            self.names.update(outside)
        return found

    _GeneratorExp = _ListComp

    def _comprehend(self, generators: list[ast.comprehension], make: Callable[[], None], found: list[Any]) -> None:
        if not generators:
            self._meter.statement()
            self._meter.elements(len(found) + 1, "A list")
            make()
            return
        first, *rest = generators
        for value in self.iterate(self.evaluate(first.iter), first.iter):
            self._meter.tick()
            self.bind(first.target, value)
            if all(self.truth(self.evaluate(test), test) for test in first.ifs):
                self._comprehend(rest, make, found)

    def bind(self, target: ast.expr, value: Any) -> None:
        """Bind a value to a name, or its parts to several names."""
        if isinstance(target, ast.Name):
            self.names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._bind_parts(target, value)
        else:
            self.assign_into(target, value)

    def assign_into(self, target: ast.expr, value: Any) -> None:
        """Assign to a part of a value: `x[0] = 1`, `x.grad = None`."""
        if isinstance(target, ast.Subscript):
            owner, index = self.evaluate(target.value), self.evaluate(target.slice)
            if isinstance(owner, (torch.Tensor, np.ndarray)):
                self.perform(OPERATORS["[]="], target, (owner, index, value))
            elif isinstance(owner, list) and not isinstance(index, slice):
                values.attempt(operator.setitem, owner, index, value)
            else:
                raise OperationFailed(f"TypeError: '{type(owner).__name__}' object does not support item assignment", "", target)
        elif isinstance(target, ast.Attribute):
            owner = self.evaluate(target.value)
            if not isinstance(owner, torch.Tensor) or target.attr not in _SETTABLE:
                raise Refused(f"`{ast.unparse(target)}` cannot be set.", "", target)
            entry = Entry(f"Tensor.{target.attr} =", allowed.AUTOGRAD, lambda tensor, new: setattr(tensor, target.attr, new))
            self.perform(entry, target, (owner, value))
        else:
            raise Refused(f"`{ast.unparse(target)}` cannot be assigned to.", "", target)

    def _bind_parts(self, target: ast.Tuple | ast.List, value: Any) -> None:
        parts = list(self.iterate(value, target))
        starred = [index for index, part in enumerate(target.elts) if isinstance(part, ast.Starred)]
        if len(parts) != len(target.elts) and (not starred or len(parts) < len(target.elts) - 1):
            raise OperationFailed(f"ValueError: cannot assign {len(parts)} values to {len(target.elts)} names", "", target)
        if starred:
            index, extra = starred[0], len(parts) - len(target.elts) + 1
            parts[index : index + extra] = [parts[index : index + extra]]
        for part, element in zip(target.elts, parts, strict=True):
            self.bind(part.value if isinstance(part, ast.Starred) else part, element)

    def _JoinedStr(self, node: ast.JoinedStr) -> str:
        text = "".join(str(self.evaluate(part)) for part in node.values)
        self._meter.elements(len(text), "A string")
        return text

    def _FormattedValue(self, node: ast.FormattedValue) -> str:
        spec = str(self.evaluate(node.format_spec)) if node.format_spec else ""
        return self._plain.text(self.evaluate(node.value), chr(node.conversion) if node.conversion > 0 else "", spec)

    def _Starred(self, node: ast.Starred) -> Any:
        raise Refused("`*` can be used only in a call or a list.", "", node)

    def _elements(self, nodes: list[ast.expr]) -> list[Any]:
        found: list[Any] = []
        for node in nodes:
            found.extend(self.iterate(self.evaluate(node.value), node) if isinstance(node, ast.Starred) else [self.evaluate(node)])
            self._meter.elements(len(found), "A list")
        return found

    def _arguments(self, node: ast.Call) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return tuple(self._elements(node.args)), {str(keyword.arg): self.evaluate(keyword.value) for keyword in node.keywords}

    def _dotted(self, node: ast.Attribute) -> str:
        """`torch.linalg.norm` where the first word is a module that the learner has not given another meaning; else empty."""
        words, inner = [node.attr], node.value
        while isinstance(inner, ast.Attribute):
            words.append(inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name) and inner.id in calls.ROOTS and inner.id not in self.names:
            return ".".join([inner.id, *reversed(words)])
        return ""

    def _is_constant(self, node: ast.expr) -> bool:
        """Whether a dotted name is a value by itself, such as `torch.float32`."""
        dotted = self._dotted(node) if isinstance(node, ast.Attribute) else ""
        return bool(dotted) and calls.full_name(dotted) in calls.constants()

    def _method(self, value: Any, name: str) -> Entry:
        kind = values.kind_of(value)
        entry = calls.methods().get(kind, {}).get(name)
        if entry is None and name in allowed.ATTRIBUTES.get(kind, "").split():
            raise Refused(f"`.{name}` is a value, not a method: remove the parentheses.")
        if entry is None:
            raise self._no_attribute(kind, name)
        return entry

    def _no_attribute(self, kind: str, name: str) -> Refused:
        title = {"Tensor": "A tensor", "ndarray": "A NumPy array", "complex": "A number", "str": "A string", "Size": "A shape"}.get(kind, f"A {kind}")
        methods, values = calls.methods().get(kind, {}), allowed.ATTRIBUTES.get(kind, "").split()
        if name in methods:
            return Refused(f"`.{name}` is a method: call it with parentheses, `.{name}()`.")
        near = difflib.get_close_matches(name, [*methods, *values], n=1, cutoff=0.7)
        if not near:
            return Refused(f"{title} has no `.{name}` that scripts can use.")
        written = f".{near[0]}()" if near[0] in methods else f".{near[0]}"
        return Refused(f"{title} has no `.{name}` that scripts can use.", f"Did you mean `{written}`?", instead=f".{near[0]}")

    def _sequence_method(self, entry: Entry, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a method of a list, a tuple or a string."""
        if entry.name == "str.format":
            return self._plain.format(args[0], args[1:], kwargs)
        if entry.name == "str.join" and len(args) == 2:
            return self._plain.join(args[0], list(self.iterate(args[1], ast.Pass())))
        if kwargs.keys() - {"reverse"}:
            raise Refused(f"`{entry.short}` does not accept the argument `{next(iter(kwargs.keys() - {'reverse'}))}`.")
        self._meter.elements(sum(len(part) for part in args if isinstance(part, (str, list, tuple))), "A list")
        return values.attempt(lambda: entry.function(*args, **kwargs))

    def _refuse_unsupported_dtypes(self, call: Call) -> None:
        """Refuse NumPy dtypes of objects, strings and raw memory before they are used."""
        if not call.entry.is_numpy:
            return
        for value in [*call.args, *call.kwargs.values()]:
            if isinstance(value, str) and _is_unsupported_dtype(value):
                raise Refused(f"The dtype “{value}” is not available in scripts: arrays hold numbers or booleans.")
            if (isinstance(value, (type, np.dtype)) and _is_unsupported_dtype(value)) or (call.entry.name == "np.dtype" and isinstance(value, (list, tuple))):
                raise Refused("Arrays in scripts hold numbers or booleans.")


def _is_unsupported_dtype(dtype: Any) -> bool:
    try:
        return np.dtype(dtype).kind not in values.NUMBERS
    except (TypeError, ValueError, SyntaxError):
        return False


def _as_count(value: Any) -> Any:
    """A single whole number of PyTorch or NumPy as Python's own, so that a list is repeated within bounds."""
    single = (isinstance(value, (torch.Tensor, np.ndarray)) and value.ndim == 0) or isinstance(value, np.generic)
    return value.item() if single and isinstance(value.item(), int) else value


def first_sentence(error: Exception) -> str:
    """Return the first line of PyTorch's or NumPy's message, without the parts for their developers."""
    text = str(error).split("\n")[0].split("Exception raised from")[0].strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
