"""Evaluates expressions from the tree that Python's parser made of them; nothing a learner typed is ever executed as code."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable
from typing import Any

from playground.messages import msg, nmsg
from playground.tensors.language import calls, values
from playground.tensors.language.bounds import A_STRING, Meter
from playground.tensors.language.builtin import NAMES, Builtins
from playground.tensors.language.errors import Refused, ScriptError
from playground.tensors.language.operations import Operations
from playground.tensors.language.tracing import Tracer

BINARY = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**", ast.MatMult: "@",
    ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>",
}  # fmt: skip
UNARY: dict[type[ast.unaryop], str] = {ast.USub: "unary -", ast.UAdd: "unary +", ast.Invert: "~"}
COMPARE = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",  # no text: operators
}  # fmt: skip
_TYPE_NAMES = {"int": int, "float": float, "bool": bool, "complex": complex, "str": str, "list": list, "tuple": tuple}


class Evaluator:
    """Evaluates expressions, and binds values to the script's names.

    Each private method whose name is a class of `ast` evaluates the nodes of that class.

    Args:
        names: the script's variables; the evaluator reads and assigns them.
        operations: performs what the expressions ask for.
        builtins: Python's own functions.
        meter: stops the script at its limits.
        tracer: records which names are read.
    """

    def __init__(self, names: dict[str, Any], operations: Operations, builtins: Builtins, meter: Meter, tracer: Tracer) -> None:
        self._names, self._operations, self._builtins = names, operations, builtins
        self._meter, self._tracer = meter, tracer

    def evaluate(self, node: ast.expr) -> Any:
        """Return the value of an expression.

        Raises:
            ScriptError: an expression failed; the error has the innermost one.
        """
        self._meter.check_time()
        method: Callable[[Any], Any] = getattr(self, f"_{type(node).__name__}")
        try:
            return method(node)
        except ScriptError as error:
            raise error.at(node) from error.__cause__

    def truth(self, node: ast.expr) -> bool:
        """Return whether a condition is true."""
        return self._operations.truth(self.evaluate(node), node)

    def bind(self, target: ast.expr, value: Any) -> None:
        """Assign a value to a name or to a part of a value (`x[0]`, `x.grad`), or its parts to several of them."""
        if isinstance(target, ast.Name):
            self._names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._bind_parts(target, value)
        elif isinstance(target, ast.Subscript):
            self._operations.set_item(self.evaluate(target.value), self.evaluate(target.slice), value, target)
        elif isinstance(target, ast.Attribute):
            self._operations.set_attribute(self.evaluate(target.value), target.attr, value, target)
        else:
            raise Refused(msg("`{target}` cannot be assigned to.", target=ast.unparse(target)), "", target)

    def _bind_parts(self, target: ast.Tuple | ast.List, value: Any) -> None:
        parts = list(self._operations.iterate(value, target))
        starred = [index for index, part in enumerate(target.elts) if isinstance(part, ast.Starred)]
        if len(parts) != len(target.elts) and (not starred or len(parts) < len(target.elts) - 1):
            count, names = nmsg("{n} value", "{n} values", len(parts)), nmsg("{n} name", "{n} names", len(target.elts))
            raise ScriptError(msg("Cannot assign {values} to {names}.", values=count, names=names), "", target)
        if starred:
            index, extra = starred[0], len(parts) - len(target.elts) + 1
            parts[index : index + extra] = [parts[index : index + extra]]
        for part, element in zip(target.elts, parts, strict=True):
            self.bind(part.value if isinstance(part, ast.Starred) else part, element)

    def _Constant(self, node: ast.Constant) -> Any:
        return node.value

    def _Name(self, node: ast.Name) -> Any:
        name = node.id
        if name in self._names:
            value = self._names[name]
            self._tracer.read(name, value)
            return value
        if name in _TYPE_NAMES:
            return _TYPE_NAMES[name]
        if name in calls.ROOTS or name in NAMES:
            raise Refused(msg("`{name}` is a module or a function, not a value. Use one of its functions, such as `torch.ones(2, 3)`, or call it.", name=name))
        near = difflib.get_close_matches(name, [*filter(str.isidentifier, self._names), *calls.ROOTS, *NAMES], n=1)
        hint = msg("Did you mean `{name}`?", name=near[0]) if near else msg("Assign a value to it on a line above.")
        raise ScriptError(msg("The name `{name}` is not defined.", name=name), hint, node, instead=near[0] if near else "")

    def _Attribute(self, node: ast.Attribute) -> Any:
        if (dotted := self._dotted(node)) and not self._is_constant(node.value):
            full = calls.full_name(dotted)
            if full in calls.constants():
                return calls.constants()[full]
            if full in calls.functions():
                raise Refused(msg("`{name}` is a function: call it with parentheses, `{name}(…)`.", name=dotted))
            raise calls.unknown_name(dotted, full, {**calls.functions(), **calls.constants()})
        return self._operations.get_attribute(self.evaluate(node.value), node.attr, node)

    def _dotted(self, node: ast.Attribute) -> str:
        """Return a dotted name such as `torch.linalg.norm`; empty unless it begins with a module that the script has not redefined."""
        words, inner = [node.attr], node.value
        while isinstance(inner, ast.Attribute):
            words.append(inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name) and inner.id in calls.ROOTS and inner.id not in self._names:
            return ".".join([inner.id, *reversed(words)])
        return ""

    def _is_constant(self, node: ast.expr) -> bool:
        """Return whether a dotted name is a value, such as `torch.float32`."""
        dotted = self._dotted(node) if isinstance(node, ast.Attribute) else ""
        return bool(dotted) and calls.full_name(dotted) in calls.constants()

    def _Call(self, node: ast.Call) -> Any:
        if isinstance(node.func, ast.Name) and node.func.id in NAMES and node.func.id not in self._names:
            return self._builtins.call(node.func.id, *self._arguments(node), node)
        if not isinstance(node.func, ast.Attribute):
            raise _not_callable(node.func)
        owner: tuple[Any, ...] = ()
        if dotted := self._dotted(node.func):
            entry = calls.function(dotted)
        else:
            owner = (self.evaluate(node.func.value),)
            entry = calls.method(values.kind_of(owner[0]), node.func.attr)
        args, kwargs = self._arguments(node)
        if entry.is_sequence_method:
            return self._operations.call_sequence_method(entry, node, (*owner, *args), kwargs)
        return self._operations.perform(entry, node, (*owner, *args), kwargs)

    def _arguments(self, node: ast.Call) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return tuple(self._elements(node.args)), {str(keyword.arg): self.evaluate(keyword.value) for keyword in node.keywords}

    def _Subscript(self, node: ast.Subscript) -> Any:
        return self._operations.get_item(self.evaluate(node.value), self.evaluate(node.slice), node)

    def _Slice(self, node: ast.Slice) -> slice:
        return slice(*(part and self.evaluate(part) for part in (node.lower, node.upper, node.step)))

    def _BinOp(self, node: ast.BinOp) -> Any:
        return self._operations.binary(BINARY[type(node.op)], self.evaluate(node.left), self.evaluate(node.right), node)

    def _UnaryOp(self, node: ast.UnaryOp) -> Any:
        if isinstance(node.op, ast.Not):
            return not self.truth(node.operand)
        return self._operations.unary(UNARY[type(node.op)], self.evaluate(node.operand), node)

    def _Compare(self, node: ast.Compare) -> Any:
        left, result = self.evaluate(node.left), True
        for kind, part in zip(node.ops, node.comparators, strict=True):
            if result is not True and not self._operations.truth(result, node):
                break
            right = self.evaluate(part)
            result = self._operations.compare(COMPARE[type(kind)], left, right, node)
            left = right
        return result

    def _BoolOp(self, node: ast.BoolOp) -> Any:
        value: Any = None
        for part in node.values:
            value = self.evaluate(part)
            if self._operations.truth(value, node) != isinstance(node.op, ast.And):
                break
        return value

    def _IfExp(self, node: ast.IfExp) -> Any:
        return self.evaluate(node.body if self.truth(node.test) else node.orelse)

    def _Tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self._elements(node.elts))

    def _List(self, node: ast.List) -> list[Any]:
        return self._elements(node.elts)

    def _elements(self, nodes: list[ast.expr]) -> list[Any]:
        elements: list[Any] = []
        for node in nodes:
            elements.extend(self._operations.iterate(self.evaluate(node.value), node) if isinstance(node, ast.Starred) else [self.evaluate(node)])
            self._meter.check_length(len(elements))
        return elements

    def _Starred(self, node: ast.Starred) -> Any:
        raise Refused(msg("`*` can be used only in a call or a list."), "", node)

    def _ListComp(self, node: ast.ListComp | ast.GeneratorExp) -> list[Any]:
        """Evaluate a comprehension; its names do not outlive it."""
        outer_names = dict(self._names)
        elements: list[Any] = []
        try:
            self._comprehend(node.generators, node.elt, elements)
        finally:
            self._names.clear()
            self._names.update(outer_names)
        return elements

    _GeneratorExp = _ListComp

    def _comprehend(self, generators: list[ast.comprehension], element: ast.expr, elements: list[Any]) -> None:
        """Append the value of `element` for each combination of the generators' values."""
        if not generators:
            self._meter.count_statement()
            self._meter.check_length(len(elements) + 1)
            elements.append(self.evaluate(element))
            return
        first, *rest = generators
        for value in self._operations.iterate(self.evaluate(first.iter), first.iter):
            self._meter.check_time()
            self.bind(first.target, value)
            if all(self.truth(test) for test in first.ifs):
                self._comprehend(rest, element, elements)

    def _JoinedStr(self, node: ast.JoinedStr) -> str:
        text = "".join(str(self.evaluate(part)) for part in node.values)
        self._meter.check_length(len(text), A_STRING)
        return text

    def _FormattedValue(self, node: ast.FormattedValue) -> str:
        spec = str(self.evaluate(node.format_spec)) if node.format_spec else ""
        return self._operations.text(self.evaluate(node.value), chr(node.conversion) if node.conversion > 0 else "", spec)


def _not_callable(node: ast.expr) -> Refused:
    """Return the error for a call of something that is no function, with the most similar name."""
    name = ast.unparse(node)
    near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.75)
    instead = f"torch.{name}" if f"torch.{name}" in calls.functions() else near[0] if near else ""
    hint = msg("Did you mean `{name}`?", name=instead) if instead else ""
    return Refused(msg("`{name}` cannot be called here.", name=name), hint, node, instead=instead)
