"""Evaluates expressions from the tree that Python's parser made of them; nothing a learner typed is ever executed as code."""

from __future__ import annotations

import ast
import builtins
import difflib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from playground.messages import msg, nmsg
from playground.tensors.language import calls, classes, values
from playground.tensors.language.bounds import A_STRING, Meter
from playground.tensors.language.builtin import NAMES, Builtin, Builtins
from playground.tensors.language.calls import Entry
from playground.tensors.language.classes import Class, Instance, Method, Super, Wrapped
from playground.tensors.language.datasets import Transform
from playground.tensors.language.elsewhere import place_of
from playground.tensors.language.errors import EXCEPTIONS, OperationFailed, Refused, ScriptError
from playground.tensors.language.figures import Figures
from playground.tensors.language.functions import Function, Iteration, Unknown, WithMethods
from playground.tensors.language.imports import Imports
from playground.tensors.language.library import Library
from playground.tensors.language.members import Members
from playground.tensors.language.modules import GIVEN, Absent, Module, Namespace, PythonFunction
from playground.tensors.language.objects import Layer, Maker, Stepper
from playground.tensors.language.of_pytorch import OfPyTorch
from playground.tensors.language.operations import Operations
from playground.tensors.language.patterns import Patterns
from playground.tensors.language.scopes import ClassScope, Scope, Unbound, bindings_of, targets_of
from playground.tensors.language.special import OF_SCRIPT, READABLE
from playground.tensors.language.syntax import internal
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
TYPES: dict[str, type] = {kind.__name__: kind for kind in (int, float, bool, complex, str, list, tuple, dict, set, range, slice)}
_TYPE_NAMES: dict[type, str] = {kind: name for name, kind in TYPES.items()}
_CONSTANTS = ("True", "False", "None")
Invoke = Callable[[Function, tuple[Any, ...], dict[str, Any]], Any]
"""Calls a function of the script."""
Caller = Callable[[Any, tuple[Any, ...], dict[str, Any], ast.AST], Any]
"""Calls a value of one type."""


class Evaluator:
    """Evaluates expressions, and binds values to the script's names.

    Each private method whose name is a class of `ast` evaluates the nodes of that class.

    Args:
        scope: the script's variables; the evaluator reads and assigns them.
        operations: performs what the expressions ask for.
        write: prints a text.
        invoke: calls a function that the script defined.
        meter: stops the script at its limits.
        tracer: records which names are read.
        figures: keeps what the script plots.
    """

    def __init__(
        self, scope: Scope, operations: Operations, write: Callable[[str], None], invoke: Invoke, meter: Meter, tracer: Tracer, figures: Figures
    ) -> None:
        self.scope = scope
        """That of what is evaluated now."""
        self.function = ""
        """The name of the function that is called now; empty in the script itself."""
        self._operations, self._invoke, self._meter, self._tracer = operations, invoke, meter, tracer
        self.patterns = Patterns(operations, self.evaluate, lambda name, one, other, node: self._call_builtin(name, (one, other), {}, node))
        self._builtins = Builtins(operations, meter, write, self.call)
        operations.call = self.call
        self._of_pytorch = OfPyTorch(operations, meter, self.call)
        self.imports = Imports(Library(operations, meter, self._of_pytorch, self.call, figures).functions)
        self.members = Members(operations, self._of_pytorch, self.imports, self.call)
        self._callers = self._callers_by_type()

    def evaluate(self, node: ast.expr) -> Any:
        """Return the value of an expression.

        Raises:
            ScriptError: an expression failed; the error has the innermost one.
        """
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
            self.scope.write(target.id, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._bind_parts(target, value)
        elif isinstance(target, ast.Subscript):
            self._operations.set_item(self.evaluate(target.value), self.evaluate(target.slice), value, target)
        elif isinstance(target, ast.Attribute):
            self._operations.set_attribute(self._owner(target), target.attr, value, target)
        else:
            raise Refused(msg("`{target}` cannot be assigned to.", target=ast.unparse(target)), "", target)

    def _bind_parts(self, target: ast.Tuple | ast.List, value: Any) -> None:
        parts = self._operations.collect(value, target)
        starred = [index for index, part in enumerate(target.elts) if isinstance(part, ast.Starred)]
        if len(parts) != len(target.elts) and (not starred or len(parts) < len(target.elts) - 1):
            count, names = nmsg("{n} value", "{n} values", len(parts)), nmsg("{n} name", "{n} names", len(target.elts))
            cause = ValueError(f"cannot unpack {len(parts)} values into {len(target.elts)} names")  # no text: for `except` only
            raise ScriptError(msg("Cannot assign {values} to {names}.", values=count, names=names), "", target) from cause
        if starred:
            index, extra = starred[0], len(parts) - len(target.elts) + 1
            parts[index : index + extra] = [parts[index : index + extra]]
        for part, element in zip(target.elts, parts, strict=True):
            self.bind(part.value if isinstance(part, ast.Starred) else part, element)

    def _Constant(self, node: ast.Constant) -> Any:
        return node.value

    def _Name(self, node: ast.Name) -> Any:
        name = node.id
        try:
            value = self.scope.read(name)
        except Unbound:
            message = f"UnboundLocalError: cannot access local variable '{name}' where it is not associated with a value"  # no text: Python's message
            raise OperationFailed(message, "", node) from None
        except KeyError:
            return self._given(node)
        if type(value) is Unknown:
            raise value.error.with_traceback(None)
        if self.scope.is_of_script(name):
            self._tracer.read(name, value)
        return value

    def _given(self, node: ast.Name) -> Any:
        """Return the value of a name that the script has not assigned."""
        name = node.id
        if name in TYPES:
            return TYPES[name]
        if name == "object":
            return classes.OBJECT
        if name in OF_SCRIPT:
            return OF_SCRIPT[name]
        if name in NAMES:
            return Builtin(name)
        if name in GIVEN:
            return Module(GIVEN[name])
        if name in EXCEPTIONS:
            return EXCEPTIONS[name]
        if hasattr(builtins, name):
            raise Refused(msg("`{name}` is not available in scripts.", name=name), "", node)
        place, known = place_of(name), [*self.scope.visible(), *GIVEN, *NAMES, *TYPES, *_CONSTANTS]
        near = "" if place else f"torch.{name}" if f"torch.{name}" in calls.functions() else similar(name, known)
        hint = place or (msg("Did you mean `{name}`?", name=near) if near else msg("Assign a value to it on a line above."))
        raise ScriptError(msg("The name `{name}` is not defined.", name=name), hint, node, instead=near) from NameError(f"name '{name}' is not defined")

    def _Attribute(self, node: ast.Attribute) -> Any:
        if node.attr not in ("__name__", "__class__") and (full := self.imports.full_name(node, self.scope)):
            return self.imports.member(full, node)
        return self.members.attribute(self._owner(node), node.attr, node)

    def _owner(self, node: ast.Attribute) -> Any:
        """Return the value before a dot, which has a name with an underscore only where it is the script's own."""
        owner = self.evaluate(node.value)
        if node.attr.startswith("_") and node.attr not in READABLE and not isinstance(owner, (Instance, Class, Super)):
            raise internal(node.attr, node)
        return owner

    def _Call(self, node: ast.Call) -> Any:
        self._meter.check_time()
        owner: tuple[Any, ...] = ()
        if full := self.imports.full_name(node.func, self.scope):
            function = self.imports.member(full, node.func, called=True)
        elif isinstance(node.func, ast.Attribute):
            owner = (self._owner(node.func),)
            if isinstance(owner[0], (Instance, Class, Super)):
                return self.members.call_member(owner[0], node.func.attr, *self._arguments(node), node)
            if isinstance(owner[0], (Layer, Stepper)):
                return self._of_pytorch.call_method(owner[0], node.func.attr, node, *self._arguments(node))
            if isinstance(owner[0], (Absent, Namespace, Module)):
                return self.call(self.members.attribute(owner[0], node.func.attr, node.func), *self._arguments(node), node)
            if isinstance(owner[0], WithMethods):
                return self.call(PythonFunction(node.func.attr, owner[0].method(node.func.attr)), *self._arguments(node), node)
            function = calls.method(values.kind_of(owner[0]), node.func.attr, owner[0])
        else:
            function = self.evaluate(node.func)
        args, kwargs = self._arguments(node)
        return self.call(function, (*owner, *args), kwargs, node)

    def call(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], node: ast.AST) -> Any:
        """Call a function of the allow-list, of Python or of the script."""
        caller = self._callers.get(type(function))
        if caller is not None:
            return caller(function, args, kwargs, node)
        if isinstance(function, type) and function in _TYPE_NAMES:
            return self._builtins.call(_TYPE_NAMES[function], args, kwargs, node)
        if isinstance(function, type) and function in EXCEPTIONS.values():
            return values.attempt(lambda: function(*args, **kwargs))
        message = f"TypeError: '{values.type_of(function).__name__}' object is not callable"  # no text: Python's message
        raise OperationFailed(message, "", getattr(node, "func", node))

    def _callers_by_type(self) -> dict[type, Caller]:
        of_pytorch: Caller = lambda function, args, kwargs, node: self._of_pytorch.call(function, node, args, kwargs)  # noqa: E731
        return {
            Function: lambda function, args, kwargs, _node: self._invoke(function, args, kwargs),
            Method: lambda method, args, kwargs, node: self.call(method.function, (method.owner, *args), kwargs, node),
            Class: self.members.instance,
            Instance: self.members.call_instance,
            Entry: self._call_entry,
            Builtin: lambda builtin, args, kwargs, node: self._call_builtin(builtin.name, args, kwargs, node),
            PythonFunction: lambda function, args, kwargs, _node: self._builtins.call_python(function, args, kwargs),
            Absent: self._refuse,
            **dict.fromkeys((Layer, Maker, Transform), of_pytorch),
        }

    def _call_entry(self, entry: Entry, args: tuple[Any, ...], kwargs: dict[str, Any], node: ast.AST) -> Any:
        """Call a function or a method of the allow-list."""
        if entry.name == "list.sort" and len(args) == 1:
            values.attempt(lambda: self._builtins.sort(node, args[0], **kwargs), name="sort")
            return None
        return (self._operations.call_sequence_method if entry.is_sequence_method else self._operations.perform)(entry, node, args, kwargs)

    def _refuse(self, absent: Absent, _args: tuple[Any, ...], _kwargs: dict[str, Any], node: ast.AST) -> Any:
        raise absent.refusal(node)

    def _call_builtin(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], node: ast.AST) -> Any:
        if name == "super":
            return self.members.super(args)
        if name in ("getattr", "hasattr", "setattr"):
            return values.attempt(lambda: self.members.by_name(name, node, *args), name=name)
        if name in ("property", "staticmethod", "classmethod"):
            return values.attempt(lambda: Wrapped(name, *args))
        return self._builtins.call(name, args, kwargs, node)

    def _arguments(self, node: ast.Call) -> tuple[tuple[Any, ...], dict[str, Any]]:
        kwargs: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self.evaluate(keyword.value)
            if keyword.arg is not None:
                given = {keyword.arg: value}
            elif isinstance(value, dict) and all(isinstance(name, str) for name in value):
                given = value
            else:
                message = "TypeError: argument after ** must be a mapping with names as keys"  # no text: Python's message
                raise OperationFailed(message, "", keyword.value)
            if repeated := next((name for name in given if name in kwargs), None):
                message = f"TypeError: got multiple values for keyword argument '{repeated}'"  # no text: Python's message
                raise OperationFailed(message, "", keyword.value)
            kwargs |= given
        return tuple(self._elements(node.args)), kwargs

    def _Lambda(self, node: ast.Lambda) -> Function:
        return self.function_of(node, "<lambda>")

    def full_name_of(self, name: str) -> str:
        """Return the name of a function or a class that is defined here, with those around it, as in Python's messages."""
        if not self.function:
            return name
        return f"{self.function}.{name}" if isinstance(self.scope, ClassScope) else f"{self.function}.<locals>.{name}"

    def function_of(self, node: ast.FunctionDef | ast.Lambda, name: str) -> Function:
        """Return the function that `def` or `lambda` defines in this scope."""
        whole = self.full_name_of(name)
        defaults = tuple(self.evaluate(default) for default in node.args.defaults)
        optional = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        keyword_defaults = {parameter.arg: self.evaluate(default) for parameter, default in optional if default is not None}
        yields = isinstance(node, ast.FunctionDef) and contains_yield(node.body)
        scope = self.scope.outer if isinstance(self.scope, ClassScope) else self.scope
        assert scope is not None
        return Function(whole, node.args, node.body, scope, bindings_of(node), defaults, keyword_defaults, yields)

    def _NamedExpr(self, node: ast.NamedExpr) -> Any:
        value = self.evaluate(node.value)
        self.bind(node.target, value)
        return value

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
        *parts, last = node.values
        for part in parts:
            value = self.evaluate(part)
            if self._operations.truth(value, node) != isinstance(node.op, ast.And):
                return value
        return self.evaluate(last)

    def _IfExp(self, node: ast.IfExp) -> Any:
        return self.evaluate(node.body if self.truth(node.test) else node.orelse)

    def _Tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self._elements(node.elts))

    def _List(self, node: ast.List) -> list[Any]:
        return self._elements(node.elts)

    def _Dict(self, node: ast.Dict) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:  # `**other`
                other = self.evaluate(value)
                values.attempt(lambda other=other: made.update(other if isinstance(other, dict) else dict(**other)))
            else:
                place, element = self.evaluate(key), self.evaluate(value)
                values.attempt(lambda place=place, element=element: made.__setitem__(place, element))
            self._meter.check_length(len(made))
        return made

    def _Set(self, node: ast.Set) -> Any:
        elements = self._elements(node.elts)
        return values.attempt(lambda: set(elements))

    def _elements(self, nodes: list[ast.expr]) -> list[Any]:
        elements: list[Any] = []
        for node in nodes:
            elements.extend(self._operations.collect(self.evaluate(node.value), node) if isinstance(node, ast.Starred) else [self.evaluate(node)])
            self._meter.check_length(len(elements))
        return elements

    def _Starred(self, node: ast.Starred) -> Any:
        raise Refused(msg("`*` can be used only in a call or a list."), "", node)

    def _ListComp(self, node: ast.ListComp) -> list[Any]:
        return self._operations.collect(self._comprehended("list", node.generators, node.elt), node)

    def _SetComp(self, node: ast.SetComp) -> Any:
        elements = self._operations.collect(self._comprehended("set", node.generators, node.elt), node)
        return values.attempt(lambda: set(elements))

    def _DictComp(self, node: ast.DictComp) -> dict[Any, Any]:
        pairs = self._operations.collect(self._comprehended("dict", node.generators, ast.Tuple([node.key, node.value], ast.Load())), node)
        made: dict[Any, Any] = values.attempt(lambda: dict(pairs))
        return made

    def _GeneratorExp(self, node: ast.GeneratorExp) -> Iteration:
        return self._comprehended("generator", node.generators, node.elt)

    def _comprehended(self, kind: str, generators: list[ast.comprehension], element: ast.expr) -> Iteration:
        """Return the values of `element` for each combination of the generators' values; the names of a comprehension do not outlive it."""
        first = self._operations.iterate(self.evaluate(generators[0].iter), generators[0].iter)
        scope, function = Scope({}, self.scope, targets_of(generators)), self.function
        steps = self._comprehend(generators, element, first)

        def advance() -> Iterator[Any]:
            while True:
                with self.inside(scope, function):
                    try:
                        value = next(steps)
                    except StopIteration:
                        return
                yield value

        return Iteration(kind, advance())

    def _comprehend(self, generators: list[ast.comprehension], element: ast.expr, elements: Iterator[Any]) -> Iterator[Any]:
        """Yield the value of `element` for each value of the first generator, and each combination of the others."""
        first, *rest = generators
        for value in elements:
            self._meter.count_statement()
            self.bind(first.target, value)
            if not all(self.truth(test) for test in first.ifs):
                continue
            if rest:
                yield from self._comprehend(rest, element, self._operations.iterate(self.evaluate(rest[0].iter), rest[0].iter))
            else:
                yield self.evaluate(element)

    @contextmanager
    def inside(self, scope: Scope, function: str) -> Iterator[None]:
        """Evaluate in another scope, that of a call or of a comprehension."""
        before = self.scope, self.function
        self.scope, self.function = scope, function
        try:
            yield
        finally:
            self.scope, self.function = before

    def _JoinedStr(self, node: ast.JoinedStr) -> str:
        text = "".join(str(self.evaluate(part)) for part in node.values)
        self._meter.check_length(len(text), A_STRING)
        return text

    def _FormattedValue(self, node: ast.FormattedValue) -> str:
        spec = str(self.evaluate(node.format_spec)) if node.format_spec else ""
        return self._operations.text(self.evaluate(node.value), chr(node.conversion) if node.conversion > 0 else "", spec)


def similar(name: str, names: Iterable[str]) -> str:
    """Return the name that is most similar to one that does not exist, of those that begin with the same letter; empty if none is."""
    near = difflib.get_close_matches(name, [each for each in names if each[:1].casefold() == name[:1].casefold()], n=1, cutoff=calls.SIMILAR)
    return near[0] if near else ""


def contains_yield(body: list[ast.stmt]) -> bool:
    """Whether `yield` stands in the body of a function itself, not only in an inner one."""
    nodes: list[ast.AST] = [*body]
    while nodes:
        node = nodes.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(node, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            nodes += ast.iter_child_nodes(node)
    return False
