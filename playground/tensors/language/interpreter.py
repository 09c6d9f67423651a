"""Runs a script statement by statement, within bounds, and keeps a record of what it did."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch

from playground.tensors.language import syntax, values
from playground.tensors.language.bounds import Bounds, Meter
from playground.tensors.language.calls import arrays_in
from playground.tensors.language.errors import BoundsExceeded, Refused, ScriptError
from playground.tensors.language.expressions import BINARY, Expressions
from playground.tensors.language.tracing import Tracer

WARNINGS = 10

T = TypeVar("T")


@dataclass
class Execution:
    """The result of running a script."""

    source: str
    names: dict[str, Any] = field(default_factory=dict)
    """Variables at the end, in the order of assignment; a bare expression under its own source text."""
    given: frozenset[str] = frozenset()
    """Names that were defined beforehand."""
    output: str = ""
    """Printed text."""
    warnings: list[str] = field(default_factory=list)
    """Warnings of PyTorch and NumPy."""
    error: ScriptError | None = None
    tracer: Tracer = field(default_factory=Tracer)


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


def run(source: str, given: Mapping[str, Any] | None = None, bounds: Bounds | None = None, tracer: Tracer | None = None) -> Execution:
    """Run a script; an error of the script is part of the result.

    Args:
        source: the script.
        given: names defined beforehand, such as `device`.
        bounds: its limits.
        tracer: records its operations.
    """
    execution = Execution(source, dict(given or {}), frozenset(given or {}), tracer=tracer or Tracer())
    interpreter = Interpreter(execution, bounds or Bounds())
    with _settings_restored(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            interpreter.run()
        except ScriptError as error:
            execution.error = error
        except MemoryError:
            execution.error = BoundsExceeded("The script needed too much memory.", "Make its tensors smaller, and its lists shorter.")
        except RecursionError:
            execution.error = BoundsExceeded("The script is nested too deeply.", "Assign parts of it to names first.")
    execution.warnings = list(dict.fromkeys(str(warning.message).split("\n")[0].split(" (Triggered")[0] for warning in caught))[:WARNINGS]
    return execution


@contextmanager
def _settings_restored() -> Iterator[None]:
    """Restore PyTorch's global settings after a script."""
    dtype, always = torch.get_default_dtype(), torch.is_warn_always_enabled()
    torch.set_warn_always(True)  # a warning that was given to someone else before is news to this learner
    try:
        with torch.set_grad_enabled(True):
            yield
    finally:
        torch.set_warn_always(always)
        torch.set_default_dtype(dtype)
        torch.set_printoptions(profile="default")  # type: ignore[no-untyped-call]


class Interpreter(Expressions):
    """The part of the interpreter that executes statements."""

    def __init__(self, execution: Execution, bounds: Bounds) -> None:
        self._execution = execution
        meter = Meter(bounds)
        meter.made(arrays_in(list(execution.names.values())))
        super().__init__(execution.names, meter, execution.tracer, self._print)
        self._bounds = bounds

    def run(self) -> None:
        tree = syntax.parse(self._execution.source, self._bounds)
        self._tracer.start(self.names)
        self._block(tree.body)

    def _block(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self._count(statement)
            getattr(self, f"_{type(statement).__name__}")(statement)

    def _count(self, statement: ast.stmt) -> None:
        try:
            self._meter.statement()
        except ScriptError as error:
            raise error.at(statement) from None

    def _leaf(self, node: ast.stmt, execute: Callable[[], T]) -> T:
        """Execute and record a statement, or the head of a compound one."""
        self._tracer.begin(node)
        try:
            result = execute()
        except ScriptError as error:
            self._tracer.fail()
            raise error.at(node) from error.__cause__
        except _Break:
            self._tracer.take_back()
            raise
        self._tracer.end(self.names)
        return result

    def _Expr(self, node: ast.Expr) -> None:
        def execute() -> None:
            value = self.evaluate(node.value)
            held = any(value is other for other in self.names.values())
            if not held and not isinstance(node.value, ast.Constant) and not isinstance(value, (torch.Generator, type(None))):
                self.names[ast.get_source_segment(self._execution.source, node.value) or ast.unparse(node.value)] = value

        self._leaf(node, execute)

    def _Assign(self, node: ast.Assign) -> None:
        def execute() -> None:
            value = self.evaluate(node.value)
            for target in node.targets:
                self.bind(target, value)

        self._leaf(node, execute)

    def _AugAssign(self, node: ast.AugAssign) -> None:
        def execute() -> None:
            old = self.evaluate(node.target)
            self.bind(node.target, self.binary(BINARY[type(node.op)], old, self.evaluate(node.value), node, in_place=True))

        self._leaf(node, execute)

    def _If(self, node: ast.If) -> None:
        holds = self._leaf(node, lambda: self.truth(self.evaluate(node.test), node.test))
        self._block(node.body if holds else node.orelse)

    def _For(self, node: ast.For) -> None:
        values = self._leaf(node, lambda: self.iterate(self.evaluate(node.iter), node.iter))

        def advance() -> None:
            for part in ast.walk(node.iter):
                if isinstance(part, ast.Name) and part.id in self.names:
                    self._tracer.read(part.id, self.names[part.id])
            for value in values:
                self.bind(node.target, value)
                return
            raise _Break

        while True:
            try:
                self._leaf(node, advance)
                self._turn(node.body)
            except _Break:
                return

    def _While(self, node: ast.While) -> None:
        while self._leaf(node, lambda: self.truth(self.evaluate(node.test), node.test)):
            self._count(node)
            try:
                self._turn(node.body)
            except _Break:
                return

    def _turn(self, body: list[ast.stmt]) -> None:
        try:
            self._block(body)
        except _Continue:
            return

    def _With(self, node: ast.With) -> None:
        with ExitStack() as stack:
            for item in node.items:
                context = self.evaluate(item.context_expr)
                if not isinstance(context, values.CONTEXTS) or item.optional_vars is not None:
                    raise Refused("Scripts can use `with` only for `torch.no_grad()` and the other gradient modes.", "", item.context_expr)
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
                if not isinstance(target, ast.Name) or target.id not in self.names:
                    raise Refused(f"`{ast.unparse(target)}` cannot be deleted.", "", target)
                del self.names[target.id]

        self._leaf(node, execute)

    def _Assert(self, node: ast.Assert) -> None:
        def execute() -> None:
            if not self.truth(self.evaluate(node.test), node.test):
                message = self._plain.text(self.evaluate(node.msg)) if node.msg else f"`{ast.unparse(node.test)}` is false."
                raise ScriptError(f"AssertionError: {message}", "", node.test)

        self._leaf(node, execute)

    def _print(self, text: str) -> None:
        written = self._execution.output + text
        if len(written) > self._bounds.output:
            self._execution.output = written[: self._bounds.output]
            raise BoundsExceeded(f"The script printed more than {self._bounds.output:,} characters.", "Print a part, such as `x[:5]`, or the shape.")
        self._execution.output = written
