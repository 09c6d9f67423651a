"""Runs a script statement by statement, within bounds, and records what it did."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch

from playground.messages import msg
from playground.tensors.language import syntax
from playground.tensors.language.bounds import Bounds, Meter
from playground.tensors.language.builtin import Builtins
from playground.tensors.language.calls import arrays_in
from playground.tensors.language.errors import BoundsExceeded, Refused, ScriptError
from playground.tensors.language.evaluator import BINARY, Evaluator
from playground.tensors.language.operations import Operations
from playground.tensors.language.tracing import StatementTracer, Tracer
from playground.tensors.language.values import CONTEXTS

MAX_WARNINGS = 10

T = TypeVar("T")


@dataclass
class Execution:
    """The result of running a script."""

    source: str
    names: dict[str, Any] = field(default_factory=dict)
    """Variables at the end, in the order of assignment; the value of an expression statement under its source text."""
    predefined: frozenset[str] = frozenset()
    """Names that were defined before the script ran."""
    output: str = ""
    """Printed text."""
    warnings: list[str] = field(default_factory=list)
    """Warnings of PyTorch and NumPy."""
    error: ScriptError | None = None
    tracer: Tracer = field(default_factory=StatementTracer)


class _Break(Exception):
    """Ends the innermost loop."""


class _Continue(Exception):
    """Ends an iteration of the innermost loop."""


def run(source: str, predefined: Mapping[str, Any] | None = None, bounds: Bounds | None = None, tracer: Tracer | None = None) -> Execution:
    """Run a script; an error of the script is part of the result.

    Args:
        source: the script.
        predefined: names that the script can use, with their values, such as `device`.
        bounds: limits of the script.
        tracer: records the operations.
    """
    execution = Execution(source, dict(predefined or {}), frozenset(predefined or {}), tracer=tracer or StatementTracer())
    interpreter = Interpreter(execution, bounds or Bounds())
    with _settings_restored(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            interpreter.run()
        except ScriptError as error:
            execution.error = error
        except MemoryError:
            execution.error = BoundsExceeded(msg("The script needed too much memory."), msg("Make its tensors smaller, and its lists shorter."))
        except RecursionError:
            execution.error = BoundsExceeded(msg("The script is nested too deeply."), msg("Assign parts of it to names first."))
    execution.warnings = list(dict.fromkeys(str(warning.message).split("\n")[0].split(" (Triggered")[0] for warning in caught))[:MAX_WARNINGS]
    return execution


@contextmanager
def _settings_restored() -> Iterator[None]:
    """Restore PyTorch's global settings after a script."""
    dtype, always = torch.get_default_dtype(), torch.is_warn_always_enabled()
    torch.set_warn_always(True)  # PyTorch would not repeat a warning that another script has triggered in this process
    try:
        with torch.set_grad_enabled(True):
            yield
    finally:
        torch.set_warn_always(always)
        torch.set_default_dtype(dtype)
        torch.set_printoptions(profile="default")  # type: ignore[no-untyped-call]


class Interpreter:
    """Executes the statements of a script.

    Each private method whose name is a class of `ast` executes the statements of that class.

    Args:
        execution: the script and its predefined names; receives its variables and its output.
        bounds: limits of the script.
    """

    def __init__(self, execution: Execution, bounds: Bounds) -> None:
        self._execution, self._bounds = execution, bounds
        self._names, self._tracer = execution.names, execution.tracer
        self._meter = Meter(bounds)
        self._meter.track(arrays_in(list(self._names.values())))
        self._operations = Operations(self._meter, self._tracer)
        builtins = Builtins(self._operations, self._meter, self._print)
        self._evaluator = Evaluator(self._names, self._operations, builtins, self._meter, self._tracer)

    def run(self) -> None:
        """Run the script.

        Raises:
            ScriptError: the script is not valid, or a statement failed.
        """
        tree = syntax.parse(self._execution.source, self._bounds)
        self._tracer.start(self._names)
        self._block(tree.body)

    def _block(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self._count(statement)
            getattr(self, f"_{type(statement).__name__}")(statement)

    def _count(self, statement: ast.stmt) -> None:
        try:
            self._meter.count_statement()
        except ScriptError as error:
            raise error.at(statement) from None

    def _record(self, node: ast.stmt, execute: Callable[[], T]) -> T:
        """Execute and record a simple statement, or the head of a compound one."""
        self._tracer.begin(node)
        try:
            result = execute()
        except ScriptError as error:
            self._tracer.fail()
            raise error.at(node) from error.__cause__
        except _Break:
            self._tracer.discard()
            raise
        self._tracer.end(self._names)
        return result

    def _Expr(self, node: ast.Expr) -> None:
        def execute() -> None:
            value = self._evaluator.evaluate(node.value)
            has_name = any(value is other for other in self._names.values())
            if not has_name and not isinstance(node.value, ast.Constant) and not isinstance(value, (torch.Generator, type(None))):
                self._names[ast.get_source_segment(self._execution.source, node.value) or ast.unparse(node.value)] = value

        self._record(node, execute)

    def _Assign(self, node: ast.Assign) -> None:
        def execute() -> None:
            value = self._evaluator.evaluate(node.value)
            for target in node.targets:
                self._evaluator.bind(target, value)

        self._record(node, execute)

    def _AugAssign(self, node: ast.AugAssign) -> None:
        def execute() -> None:
            left, right = self._evaluator.evaluate(node.target), self._evaluator.evaluate(node.value)
            self._evaluator.bind(node.target, self._operations.binary(BINARY[type(node.op)], left, right, node, in_place=True))

        self._record(node, execute)

    def _If(self, node: ast.If) -> None:
        holds = self._record(node, lambda: self._evaluator.truth(node.test))
        self._block(node.body if holds else node.orelse)

    def _For(self, node: ast.For) -> None:
        values = self._record(node, lambda: self._operations.iterate(self._evaluator.evaluate(node.iter), node.iter))

        def advance() -> None:
            for part in ast.walk(node.iter):
                if isinstance(part, ast.Name) and part.id in self._names:
                    self._tracer.read(part.id, self._names[part.id])
            for value in values:
                self._evaluator.bind(node.target, value)
                return
            raise _Break

        while True:
            try:
                self._record(node, advance)
                self._iteration(node.body)
            except _Break:
                return

    def _While(self, node: ast.While) -> None:
        while self._record(node, lambda: self._evaluator.truth(node.test)):
            self._count(node)
            try:
                self._iteration(node.body)
            except _Break:
                return

    def _iteration(self, body: list[ast.stmt]) -> None:
        try:
            self._block(body)
        except _Continue:
            return

    def _With(self, node: ast.With) -> None:
        with ExitStack() as stack:
            for item in node.items:
                context = self._evaluator.evaluate(item.context_expr)
                if not isinstance(context, CONTEXTS) or item.optional_vars is not None:
                    raise Refused(msg("Scripts can use `with` only for `torch.no_grad()` and the other gradient modes."), "", item.context_expr)
                stack.enter_context(context)
            self._block(node.body)

    def _Pass(self, _node: ast.Pass) -> None:
        """Do nothing."""

    def _Break(self, _node: ast.Break) -> None:
        raise _Break

    def _Continue(self, _node: ast.Continue) -> None:
        raise _Continue

    def _Import(self, _node: ast.Import) -> None:
        """Do nothing: the modules are already defined."""

    _ImportFrom = _Import

    def _Delete(self, node: ast.Delete) -> None:
        def execute() -> None:
            for target in node.targets:
                if not isinstance(target, ast.Name) or target.id not in self._names:
                    raise Refused(msg("`{target}` cannot be deleted.", target=ast.unparse(target)), "", target)
                del self._names[target.id]

        self._record(node, execute)

    def _Assert(self, node: ast.Assert) -> None:
        def execute() -> None:
            if not self._evaluator.truth(node.test):
                condition = msg("`{condition}` is false.", condition=ast.unparse(node.test))
                raise ScriptError(self._operations.text(self._evaluator.evaluate(node.msg)) if node.msg else condition, "", node.test)

        self._record(node, execute)

    def _print(self, text: str) -> None:
        output = self._execution.output + text
        if len(output) > self._bounds.output:
            self._execution.output = output[: self._bounds.output]
            message = msg("The script printed more than {limit:,} characters.", limit=self._bounds.output)
            raise BoundsExceeded(message, msg("Print a part, such as `x[:5]`, or the shape."))
        self._execution.output = output
