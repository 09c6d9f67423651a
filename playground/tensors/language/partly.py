"""Runs of a text what can be run: a statement that fails is left out, and what it would have assigned is unknown from then on."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playground.messages import msg
from playground.tensors.language import syntax
from playground.tensors.language.bounds import Bounds
from playground.tensors.language.errors import BoundsExceeded, Refused, ScriptError
from playground.tensors.language.functions import Function, Unknown, bind
from playground.tensors.language.interpreter import Execution, Interpreter, Returned, settings_restored
from playground.tensors.language.scopes import Scope, names_bound_by
from playground.tensors.language.tracing import Tracer

CHANGES = frozenset(("append", "extend", "insert", "pop", "remove", "clear", "reverse", "sort", "update", "add", "add_module", "register_module", "setdefault"))
"""Methods that change what they are called for."""
RETURNS_ITSELF = frozenset(("to", "cuda", "cpu", "float", "double", "half", "train", "eval", "apply"))
"""Methods of a network after which it is the same network."""


@dataclass(frozen=True, eq=False)
class Assigned:
    """A value that a statement gave to a name, `Unknown` where it failed; of an expression statement, its value."""

    name: str
    """Empty for an expression statement."""
    value: Any
    node: ast.stmt


@dataclass(frozen=True, eq=False)
class Failed:
    """A statement that could not be run."""

    node: ast.stmt
    error: ScriptError


@dataclass
class PartialRun:
    """What a text did, as far as it could be run.

    Args:
        source: the text.
        tracer: is shown the operations.
        bounds: limits of the whole.
        predefined: names with their values.
        change: returns the statements that are run instead of those of the text.
    """

    source: str
    tracer: Tracer
    bounds: Bounds
    predefined: dict[str, Any] = field(default_factory=dict)
    change: Callable[[list[ast.stmt]], list[ast.stmt]] = lambda body: body
    assigned: list[Assigned] = field(default_factory=list)
    """In the order of the statements."""
    failed: list[Failed] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tree = syntax.parse_partly(self.source, self.bounds, self.change)
        self.names: dict[str, Any] = self.predefined
        """Variables of the text; what is not known of them is `Unknown`."""
        self._interpreter = PartialInterpreter(Execution(self.source, self.names, tracer=self.tracer), self.bounds, self)

    def begin(self, source: str) -> None:
        """Run what stands before the text; nothing of it is the text's own."""
        tree = syntax.parse_partly(source, self.bounds)
        for node in ast.walk(tree):
            if isinstance(node, (ast.stmt, ast.expr)):
                node.lineno = node.end_lineno = 0  # no line of the text
        with self._checked():
            self._interpreter.each(tree.body)
        self.assigned.clear()

    def replace(self, values: Mapping[str, Any]) -> None:
        """Let full names of modules stand for other values, such as `torch.utils.data.DataLoader`."""
        self._interpreter.replace(values)

    def run(self) -> None:
        """Run the statements of the text."""
        with self._checked():
            self._interpreter.each(self.tree.body)

    def call(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a value of the text.

        Raises:
            ScriptError: the call failed.
        """
        with self._checked():
            return self._interpreter.call(function, args, kwargs)

    def evaluate(self, node: ast.expr) -> Any:
        """Return the value of an expression of the text.

        Raises:
            ScriptError: it failed.
        """
        with self._checked():
            return self._interpreter.evaluate(node)

    def iterate(self, value: Any, node: ast.AST) -> Iterator[Any]:
        """Return an iterator over a value of the text."""
        return self._interpreter.iterate(value, node)

    def call_partly(self, function: Function) -> None:
        """Run the statements of a function, whose parameters are known only where they have a default."""
        with self._checked():
            self._interpreter.call_partly(function)

    @contextmanager
    def _checked(self) -> Iterator[None]:
        with settings_restored(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                yield
            except RecursionError:
                raise BoundsExceeded(msg("The script is nested too deeply."), msg("Assign parts of it to names first.")) from None


class PartialInterpreter(Interpreter):
    """Goes on behind a statement of the text that fails, and of a function that the text calls by a statement of its own, such as `main()`.

    Args:
        execution: the text and its names.
        bounds: limits of the whole.
        run: receives what was assigned, and what failed.
    """

    def __init__(self, execution: Execution, bounds: Bounds, run: PartialRun) -> None:
        super().__init__(execution, bounds)
        self._run = run
        self._called_by_statement: Function | None = None

    def each(self, body: list[ast.stmt]) -> None:
        """Run statements one by one."""
        for statement in body:
            self._called_by_statement = None
            try:
                self._one(statement)
            except RecursionError:
                self._skip(statement, BoundsExceeded(msg("The script is nested too deeply.")))
            except ScriptError as error:
                self._skip(statement, error.at(statement))

    def _one(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.If):
            self.each(statement.body if self._evaluator.truth(statement.test) else statement.orelse)
            return
        if isinstance(statement, ast.Expr) and not isinstance(statement.value, (ast.Yield, ast.YieldFrom)):
            self._count(statement)
            if isinstance(statement.value, ast.Call) and isinstance(statement.value.func, ast.Name):
                function = self._evaluator.evaluate(statement.value.func)
                self._called_by_statement = function if isinstance(function, Function) else None
            self._run.assigned.append(Assigned("", self._evaluator.evaluate(statement.value), statement))
            return
        if isinstance(statement, (ast.Break, ast.Continue)):
            raise Refused(msg("`{statement}` stands outside of a loop.", statement=ast.unparse(statement)), "", statement)
        self._run_block([statement])
        names = self._evaluator.scope.names
        self._run.assigned += [Assigned(name, names[name], statement) for name in _bound(statement) if name in names]

    def _run_block(self, body: list[ast.stmt]) -> None:
        for _value in self._block(body):
            raise Refused(msg("`yield` stands outside of a function."), "", body[0])

    def _skip(self, statement: ast.stmt, error: ScriptError) -> None:
        self._run.failed.append(Failed(statement, error))
        original = getattr(statement, "original", statement)
        for name in dict.fromkeys(_bound(original)):
            self._evaluator.scope.write(name, Unknown(error))
            self._run.assigned.append(Assigned(name, Unknown(error), original))

    def replace(self, values: Mapping[str, Any]) -> None:
        self._evaluator.imports.replaced.update(values)

    def evaluate(self, node: ast.expr) -> Any:
        return self._evaluator.evaluate(node)

    def iterate(self, value: Any, node: ast.AST) -> Iterator[Any]:
        return self._operations.iterate(value, node)

    def call(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._evaluator.call(function, args, kwargs, ast.Pass())

    def call_partly(self, function: Function) -> None:
        """Run the statements of a function, whose parameters are known only where they have a default."""
        parameters = function.parameters
        positional = [each.arg for each in (*parameters.posonlyargs, *parameters.args)]
        required = positional[: len(positional) - len(function.defaults)] + [
            each.arg for each in parameters.kwonlyargs if each.arg not in function.keyword_defaults
        ]
        unknown = {name: Unknown(Refused(msg("The value of `{name}` is not said in this code.", name=name))) for name in required}
        self._partly(function, bind(function, (), unknown))

    def _invoke(self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if function is not self._called_by_statement or function.yields or isinstance(function.body, ast.expr):
            return super()._invoke(function, args, kwargs)
        self._called_by_statement = None
        return self._partly(function, bind(function, args, kwargs))

    def _partly(self, function: Function, names: dict[str, Any]) -> Any:
        scope = Scope(names, function.scope, function.bindings)
        with self._called(function, scope):
            try:
                assert not isinstance(function.body, ast.expr)
                self.each(function.body)
            except Returned as returned:
                return returned.value
        return None


def _bound(statement: ast.stmt) -> list[str]:
    """Return the names that a statement gives a value, or whose values it changes."""
    names: list[str] = []
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop(0)
        if _is_same_network(node):
            continue
        names += names_bound_by(node)
        if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, (ast.Store, ast.Del)):
            names += _root(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGES:
            names += _root(node.func.value)
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(node)
    return names


def _is_same_network(node: ast.AST) -> bool:
    """Whether this is `model = model.to(device)` or its like."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=method))):
            return name == owner and method in RETURNS_ITSELF
    return False


def _root(node: ast.expr) -> Iterable[str]:
    """Return the name that a part belongs to: `net` of `net.features[0].weight`."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return [node.id] if isinstance(node, ast.Name) else []
