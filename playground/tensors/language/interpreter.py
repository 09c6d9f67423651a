"""Runs a script statement by statement, within bounds, and records what it did."""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, TypeVar, cast

import torch

from playground.messages import msg
from playground.tensors.language import syntax
from playground.tensors.language.bounds import Bounds, Meter
from playground.tensors.language.calls import Entry, arrays_in
from playground.tensors.language.classes import OBJECT, Class, Wrapped, base_of, linearised
from playground.tensors.language.errors import EXCEPTIONS, BoundsExceeded, OperationFailed, Refused, ScriptError
from playground.tensors.language.evaluator import BINARY, Evaluator
from playground.tensors.language.figures import Figures
from playground.tensors.language.functions import Function, Iteration, Own, bind
from playground.tensors.language.modules import IGNORED, SCRIPTS, Namespace
from playground.tensors.language.operations import Operations
from playground.tensors.language.scopes import ClassScope, Scope, bindings_of
from playground.tensors.language.tracing import StatementTracer, Tracer
from playground.tensors.language.values import CONTEXTS

MAX_WARNINGS = 10
MAX_CALLS = 200
"""Calls of functions inside each other."""
FRAMES = 35
"""Frames of Python that a call of a script may need, with the expressions around it."""
NO_PARAMETERS = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
CONTEXT_NAMES = frozenset(f"torch.{context.__name__}" for context in CONTEXTS)

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
    figures: Figures = field(default_factory=Figures)
    """What it plotted."""
    error: ScriptError | None = None
    raised_in: str = ""
    """The part of an earlier script, a function's, that raised the error; empty for none."""
    tracer: Tracer = field(default_factory=StatementTracer)


class _Break(Exception):
    """Ends the innermost loop."""


class _Continue(Exception):
    """Ends an iteration of the innermost loop."""


class Returned(Exception):
    """Ends a call of a function.

    Args:
        value: what the call returns.
    """

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


Steps = Iterator[Any]
"""A compound statement on its way: it stops where the function around it yields a value."""


def run(source: str, predefined: Mapping[str, Any] | None = None, bounds: Bounds | None = None, tracer: Tracer | None = None) -> Execution:
    """Run a script; an error of the script is part of the result.

    Args:
        source: the script.
        predefined: names that the script can use, with their values, such as `device`.
        bounds: limits of the script.
        tracer: records the operations.
    """
    execution = Execution(source, dict(predefined or {}), frozenset(predefined or {}), tracer=tracer or StatementTracer())
    with settings_restored():
        Interpreter(execution, bounds or Bounds()).run()
    return execution


@contextmanager
def settings_restored() -> Iterator[None]:
    """Restore global settings of PyTorch and Python after a script."""
    dtype, always, recursion = torch.get_default_dtype(), torch.is_warn_always_enabled(), sys.getrecursionlimit()
    sys.setrecursionlimit(max(recursion, MAX_CALLS * FRAMES))
    torch.set_warn_always(True)  # PyTorch would not repeat a warning that another script has triggered in this process
    try:
        with torch.set_grad_enabled(True):
            yield
    finally:
        torch.set_warn_always(always)
        sys.setrecursionlimit(recursion)
        torch.set_default_dtype(dtype)
        torch.set_printoptions(profile="default")  # type: ignore[no-untyped-call]


@dataclass(eq=False)
class Loop:
    """A loop that runs."""

    line: int
    turns: int | None
    """How many it has; None where that is not known."""
    turn: int = 0
    """The one that runs, from 1."""


class Interpreter:
    """Executes the statements of a script, and of those that follow it.

    Each private method whose name is a class of `ast` executes the statements of that class. Those that contain other statements, or yield,
    return their steps.

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
        self._evaluator = Evaluator(Scope(self._names), self._operations, self._print, self._invoke, self._meter, self._tracer, execution.figures)
        self._evaluator.imports.load_script = self._load_script
        self._modules: dict[str, Namespace] = {}
        self._calls = 0  # of functions, inside each other
        self._handled: list[ScriptError] = []  # errors whose handlers run
        self._tree = ast.Module([], [])
        self.loops: list[Loop] = []
        """The `for` loops that run, inside each other."""

    def follow(self, source: str) -> Execution:
        """Let another script follow, with the variables of those before it and bounds of its own; return its result, which `run` fills."""
        for name in [name for name in self._names if not name.isidentifier()]:
            del self._names[name]  # the value of an expression statement
        for node in ast.walk(self._tree):
            node.is_of_earlier_script = True  # type: ignore[attr-defined]
        figures = self._execution.figures
        figures.clear()
        self._execution = Execution(source, self._names, frozenset(self._names), figures=figures, tracer=self._tracer)
        self._meter.restart()
        return self._execution

    def stop(self) -> None:
        """Let the script end before its next statement; called by a signal, or from another thread."""
        self._meter.stop()

    def run(self) -> None:
        """Run the script; an error of it is part of the result."""
        execution = self._execution
        self.loops.clear()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                self._run_statements()
            except ScriptError as error:
                execution.error = error
            except MemoryError:
                execution.error = BoundsExceeded(msg("The script needed too much memory."), msg("Make its tensors smaller, and its lists shorter."))
            except RecursionError:
                execution.error = BoundsExceeded(msg("The script is nested too deeply."), msg("Assign parts of it to names first."))
        execution.warnings = list(dict.fromkeys(str(warning.message).split("\n")[0].split(" (Triggered")[0] for warning in caught))[:MAX_WARNINGS]

    def _run_statements(self) -> None:
        self._tracer.start(self._names)
        self._tree = syntax.parse(self._execution.source, self._bounds)
        for statement in self._tree.body:
            try:
                for _value in self._block([statement]):
                    raise AssertionError("only functions yield")
            except ScriptError as error:
                if hasattr(error.node, "is_of_earlier_script"):
                    self._execution.raised_in = ast.unparse(cast(ast.AST, error.node))
                    error.node = statement
                raise

    def _load_script(self, name: str) -> Namespace:
        """Run a module that is a script, once; nothing of it is recorded."""
        if name not in self._modules:
            tree = ast.parse(SCRIPTS[name].read_text(encoding="utf-8"))
            module = Namespace(name, {})
            scope = Scope(module.names, Scope({}), bindings_of(ast.FunctionDef(name, NO_PARAMETERS, tree.body, [])))
            self._calls += 1
            try:
                with self._evaluator.inside(scope, ""):
                    for _value in self._block(tree.body):
                        raise AssertionError("a module does not yield")
            finally:
                self._calls -= 1
            self._modules[name] = module
        return self._modules[name]

    def _block(self, body: list[ast.stmt]) -> Steps:
        for statement in body:
            self._count(statement)
            steps = getattr(self, f"_{type(statement).__name__}")(statement)
            if steps is not None:
                yield from steps

    def _count(self, statement: ast.stmt) -> None:
        try:
            self._meter.count_statement()
        except ScriptError as error:
            raise error.at(statement) from None

    def _record(self, node: ast.stmt, execute: Callable[[], T]) -> T:
        """Execute and record a simple statement, or the head of a compound one; what a function does belongs to the statement that calls it."""
        if self._calls:
            try:
                return execute()
            except ScriptError as error:
                raise error.at(node) from error.__cause__
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

    def _invoke(self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function of the script."""
        scope = Scope(bind(function, args, kwargs), function.scope, function.bindings)
        self._meter.count_statement()
        if function.yields:
            return Iteration("generator", self._generate(function, scope))
        with self._called(function, scope):
            if isinstance(function.body, ast.expr):
                return self._evaluator.evaluate(function.body)
            try:
                for _value in self._block(function.body):
                    raise AssertionError("a function that yields returns a generator")
            except Returned as returned:
                return returned.value
        return None

    def _generate(self, function: Function, scope: Scope) -> Steps:
        """Yield what a call of a generator yields."""
        assert not isinstance(function.body, ast.expr)
        steps = self._block(function.body)
        while True:
            with self._called(function, scope):
                try:
                    value = next(steps)
                except (StopIteration, Returned):
                    return
            yield value

    @contextmanager
    def _called(self, function: Function, scope: Scope) -> Iterator[None]:
        if self._calls >= MAX_CALLS:
            message = msg("The functions of the script call each other more than {limit} levels deep.", limit=MAX_CALLS)
            raise BoundsExceeded(message, msg("A function that calls itself needs a case in which it returns without doing so."))
        self._calls += 1
        self._evaluator.members.frames.append((function, next(iter(scope.names.values()), None)))
        try:
            with self._evaluator.inside(scope, function.name), ExitStack() as stack:
                for context in function.contexts:
                    stack.enter_context(context.clone())
                yield
        finally:
            self._calls -= 1
            self._evaluator.members.frames.pop()

    def _Expr(self, node: ast.Expr) -> Steps | None:
        if isinstance(node.value, (ast.Yield, ast.YieldFrom)):
            return self._yield(node.value)

        def execute() -> None:
            if isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name) and node.value.func.id == "tensor" not in self._evaluator.scope:
                raise ScriptError(msg("This is what PyTorch printed, not code."), msg("To make such a tensor, write `torch.tensor(…)`."), node)
            value = self._evaluator.evaluate(node.value)
            has_name = any(value is other for other in self._names.values())
            is_shown = not isinstance(node.value, ast.Constant) and not isinstance(value, (torch.Generator, type(None), Own))
            if not self._calls and not has_name and is_shown:
                self._names[ast.get_source_segment(self._execution.source, node.value) or ast.unparse(node.value)] = value

        return self._record(node, execute)

    def _yield(self, node: ast.Yield | ast.YieldFrom) -> Steps:
        value = self._evaluator.evaluate(node.value) if node.value else None
        if isinstance(node, ast.YieldFrom):
            yield from self._operations.iterate(value, node)
        else:
            yield value

    def _Assign(self, node: ast.Assign) -> None:
        def execute() -> None:
            value = self._evaluator.evaluate(node.value)
            for target in node.targets:
                self._evaluator.bind(target, value)

        self._record(node, execute)

    def _AnnAssign(self, node: ast.AnnAssign) -> None:
        value = node.value
        if value is not None:
            self._record(node, lambda: self._evaluator.bind(node.target, self._evaluator.evaluate(value)))

    def _AugAssign(self, node: ast.AugAssign) -> None:
        def execute() -> None:
            left, right = self._evaluator.evaluate(node.target), self._evaluator.evaluate(node.value)
            self._evaluator.bind(node.target, self._operations.binary(BINARY[type(node.op)], left, right, node, in_place=True))

        self._record(node, execute)

    def _FunctionDef(self, node: ast.FunctionDef) -> None:
        def execute() -> None:
            function: Any = self._evaluator.function_of(node, node.name)
            for decorator in reversed(node.decorator_list):
                function = self._decorated(function, self._evaluator.evaluate(decorator), decorator)
            self._evaluator.scope.write(node.name, function)

        self._record(node, execute)

    def _ClassDef(self, node: ast.ClassDef) -> None:
        def execute() -> None:
            bases = [base_of(self._evaluator.evaluate(base)) for base in node.bases]
            scope = ClassScope({}, self._evaluator.scope)
            self._calls += 1  # what stands in the body belongs to this statement
            try:
                with self._evaluator.inside(scope, self._evaluator.full_name_of(node.name)):
                    for _value in self._block(node.body):
                        raise AssertionError("a class does not yield")
            finally:
                self._calls -= 1
            annotated = [each.target.id for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)]
            made: Any = Class(node.name, linearised(bases or [OBJECT]), scope.names, tuple(annotated))
            for member in scope.names.values():
                function = member.function if isinstance(member, Wrapped) else member
                if isinstance(function, Function):
                    function.home[:] = [made]
            for decorator in reversed(node.decorator_list):
                try:
                    made = self._evaluator.call(self._evaluator.evaluate(decorator), (made,), {}, decorator)
                except ScriptError as error:
                    raise error.at(decorator) from error.__cause__
            self._evaluator.scope.write(node.name, made)

        self._record(node, execute)

    def _decorated(self, function: Any, decorator: Any, node: ast.expr) -> Any:
        if isinstance(decorator, Entry) and f"torch.{decorator.short}" in CONTEXT_NAMES:  # `@torch.no_grad` without parentheses
            decorator = self._operations.perform(decorator, node, ())
        if isinstance(decorator, CONTEXTS) and isinstance(function, Function):
            return replace(function, contexts=(*function.contexts, decorator))
        return self._evaluator.call(decorator, (function,), {}, node)

    def _Return(self, node: ast.Return) -> None:
        value = self._record(node, lambda: self._evaluator.evaluate(node.value) if node.value else None)
        raise Returned(value)

    def _If(self, node: ast.If) -> Steps:
        holds = self._record(node, lambda: self._evaluator.truth(node.test))
        yield from self._block(node.body if holds else node.orelse)

    def _For(self, node: ast.For) -> Steps:
        def begin() -> tuple[Iterator[Any], int | None]:
            value = self._evaluator.evaluate(node.iter)
            return self._operations.iterate(value, node.iter), self._operations.length(value)

        def advance() -> None:
            for part in ast.walk(node.iter):
                if isinstance(part, ast.Name) and part.id in self._names and self._evaluator.scope.is_of_script(part.id):
                    self._tracer.read(part.id, self._names[part.id])
            for value in values:
                self._evaluator.bind(node.target, value)
                return
            raise _Break

        values, length = self._record(node, begin)
        is_whole = not can_break(node.body)
        with self._loop() as turn, self._shown(Loop(node.lineno, length)) as loop:
            for loop.turn in count(1):
                turn(loop.turn == length if is_whole and length is not None else None)
                try:
                    self._record(node, advance)
                except _Break:
                    break
                try:
                    yield from self._iteration(node.body)
                except _Break:
                    return
        yield from self._block(node.orelse)

    def _While(self, node: ast.While) -> Steps:
        with self._loop():
            while self._record(node, lambda: self._evaluator.truth(node.test)):
                self._count(node)
                try:
                    yield from self._iteration(node.body)
                except _Break:
                    return
        yield from self._block(node.orelse)

    @contextmanager
    def _loop(self) -> Iterator[Callable[[bool | None], None]]:
        """A loop of the script, for the tracer; yields what begins a turn. A loop of a function belongs to the statement that calls it."""
        if self._calls:
            yield lambda _is_last: None
            return
        self._tracer.enter_loop()
        try:
            yield self._tracer.turn
        finally:
            self._tracer.leave_loop()

    @contextmanager
    def _shown(self, loop: Loop) -> Iterator[Loop]:
        self.loops.append(loop)
        try:
            yield loop
        finally:
            self.loops.remove(loop)

    def _iteration(self, body: list[ast.stmt]) -> Steps:
        try:
            yield from self._block(body)
        except _Continue:
            return

    def _With(self, node: ast.With) -> Steps:
        with ExitStack() as stack:
            for item in node.items:
                context = self._evaluator.evaluate(item.context_expr)
                if not isinstance(context, CONTEXTS) or item.optional_vars is not None:
                    raise Refused(msg("Scripts can use `with` only for `torch.no_grad()` and the other gradient modes."), "", item.context_expr)
                stack.enter_context(context)
            yield from self._block(node.body)

    def _Match(self, node: ast.Match) -> Steps:
        value = self._record(node, lambda: self._evaluator.evaluate(node.subject))
        for case in node.cases:
            names = self._evaluator.patterns.match(case.pattern, value)
            if names is None:
                continue
            for name, part in names.items():
                self._evaluator.scope.write(name, part)
            if case.guard is None or self._evaluator.truth(case.guard):
                yield from self._block(case.body)
                return

    def _Try(self, node: ast.Try) -> Steps:
        try:
            try:
                yield from self._block(node.body)
            except ScriptError as error:
                handler = self._handler(node, error)
                if handler is None:
                    raise
                yield from self._handle(handler, error)
            else:
                yield from self._block(node.orelse)
        except GeneratorExit:
            raise  # nobody asks a generator for its rest: Python would run `finally` at a moment that nobody sees
        except BaseException:
            yield from self._block(node.finalbody)
            raise
        else:
            yield from self._block(node.finalbody)

    def _handler(self, node: ast.Try, error: ScriptError) -> ast.ExceptHandler | None:
        """Return the first handler that catches an error."""
        if error.exception is None:
            return None
        for handler in node.handlers:
            kinds = self._evaluator.evaluate(handler.type) if handler.type else Exception
            for kind in kinds if isinstance(kinds, tuple) else (kinds,):
                if kind not in EXCEPTIONS.values():
                    message = "TypeError: catching classes that do not inherit from BaseException is not allowed"  # no text: Python's message
                    raise OperationFailed(message, "", handler.type)
                if isinstance(error.exception, kind):
                    return handler
        return None

    def _handle(self, handler: ast.ExceptHandler, error: ScriptError) -> Steps:
        exception = error.exception
        assert exception is not None
        if handler.name:
            self._evaluator.scope.write(handler.name, exception.with_traceback(None))
        self._handled.append(error)
        try:
            yield from self._block(handler.body)
        finally:
            self._handled.pop()
            if handler.name and handler.name in self._evaluator.scope:
                self._evaluator.scope.delete(handler.name)

    def _Raise(self, node: ast.Raise) -> None:
        def execute() -> None:
            if node.exc is None:
                if self._handled:
                    raise self._handled[-1]
                raise OperationFailed("RuntimeError: No active exception to reraise", "", node)  # no text: Python's message
            exception = self._evaluator.evaluate(node.exc)
            if isinstance(exception, type) and exception in EXCEPTIONS.values():
                exception = exception()
            if type(exception) not in EXCEPTIONS.values():
                raise OperationFailed("TypeError: exceptions must derive from BaseException", "", node)  # no text: Python's message
            text = self._operations.text(exception)
            raise OperationFailed(f"{type(exception).__name__}: {text}" if text else type(exception).__name__, "", node) from exception

        self._record(node, execute)

    def _Unavailable(self, node: syntax.Unavailable) -> None:
        raise node.error.with_traceback(None)

    def _Pass(self, _node: ast.Pass) -> None:
        """Do nothing."""

    def _Global(self, _node: ast.Global) -> None:
        """Do nothing: the bindings of the function have it."""

    _Nonlocal = _Global

    def _Break(self, _node: ast.Break) -> None:
        raise _Break

    def _Continue(self, _node: ast.Continue) -> None:
        raise _Continue

    def _Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.asname or "." not in alias.name:
                self._evaluator.imports.import_module(alias.name, alias.asname or alias.name, self._evaluator.scope)

    def _ImportFrom(self, node: ast.ImportFrom) -> None:
        def execute() -> None:
            for alias in node.names if node.module not in IGNORED else []:
                if alias.name == "*":
                    self._evaluator.imports.import_all(str(node.module), node, self._evaluator.scope)
                    continue
                written = ast.copy_location(ast.Attribute(ast.Name(str(node.module)), alias.name), node)
                self._evaluator.imports.import_name(str(node.module), alias.name, alias.asname or alias.name, written, self._evaluator.scope)

        self._record(node, execute)

    def _Delete(self, node: ast.Delete) -> None:
        def execute() -> None:
            for target in node.targets:
                self._delete(target)

        self._record(node, execute)

    def _delete(self, target: ast.expr) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            for part in target.elts:
                self._delete(part)
        elif isinstance(target, ast.Subscript):
            self._operations.delete_item(self._evaluator.evaluate(target.value), self._evaluator.evaluate(target.slice), target)
        elif isinstance(target, ast.Name) and target.id in self._evaluator.scope:
            self._evaluator.scope.delete(target.id)
        else:
            raise Refused(msg("`{target}` cannot be deleted.", target=ast.unparse(target)), "", target)

    def _Assert(self, node: ast.Assert) -> None:
        def execute() -> None:
            if not self._evaluator.truth(node.test):
                condition = msg("`{condition}` is false.", condition=ast.unparse(node.test))
                text = self._operations.text(self._evaluator.evaluate(node.msg)) if node.msg else ""
                raise ScriptError(text or condition, "", node.test) from AssertionError(text)

        self._record(node, execute)

    def _print(self, text: str) -> None:
        output = self._execution.output + text
        if len(output) > self._bounds.output:
            self._execution.output = output[: self._bounds.output]
            message = msg("The script printed more than {limit:,} characters.", limit=self._bounds.output)
            raise BoundsExceeded(message, msg("Print a part, such as `x[:5]`, or the shape."))
        self._execution.output = output


def can_break(body: Sequence[ast.AST]) -> bool:
    """Whether a loop with this body may end by `break`."""
    for node in body:
        if isinstance(node, ast.Break):
            return True
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            continue
        parts = node.orelse if isinstance(node, (ast.For, ast.While)) else ast.iter_child_nodes(node)  # a `break` of an inner loop ends that one
        if can_break([part for part in parts if isinstance(part, (ast.stmt, ast.ExceptHandler, ast.match_case))]):
            return True
    return False
