"""Functions of a script: values of the interpreter, which PyTorch never gets.

Source: https://docs.python.org/3/reference/compound_stmts.html#function-definitions
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.tensors.language.errors import OperationFailed, ScriptError
from playground.tensors.language.scopes import Bindings, Scope


class Own:
    """A value of the interpreter itself. No operation of PyTorch or NumPy takes one."""


@dataclass(frozen=True, eq=False)
class Unknown(Own):
    """What a name stands for whose statement could not be run."""

    error: ScriptError
    """Why; whatever reads the name fails with it."""


class WithMethods(Own):
    """A value of the interpreter whose methods scripts can call."""

    def method(self, name: str) -> Callable[..., Any]:
        """Return a method that scripts can call.

        Raises:
            OperationFailed: there is none; or Refused.
        """
        raise OperationFailed(f"AttributeError: '{type(self).__name__}' object has no attribute '{name}'")  # no text: Python's message


@dataclass(frozen=True, eq=False)
class Function(Own):
    """A function that a script defined, by `def` or `lambda`."""

    name: str
    """With the functions that it is defined in, as in Python's messages: `outer.<locals>.inner`."""
    parameters: ast.arguments
    body: list[ast.stmt] | ast.expr
    """Statements; of a lambda, the expression."""
    scope: Scope
    """Where it was defined."""
    bindings: Bindings
    defaults: tuple[Any, ...] = ()
    """Of the last positional parameters."""
    keyword_defaults: Mapping[str, Any] = field(default_factory=dict)
    yields: bool = False
    """Whether a call returns a generator."""
    contexts: tuple[Any, ...] = ()
    """Gradient modes of its decorators, such as `@torch.no_grad()`."""
    home: list[Any] = field(default_factory=list)
    """The class that it is a method of, once the class is there."""

    def __repr__(self) -> str:
        return f"<function {self.name} at {id(self):#x}>"


class Iteration(Own):
    """An iterator of a script: a generator, or what `iter`, `map`, `zip` and their like return. It computes only what is asked for.

    Args:
        kind: the name of its type in Python.
        steps: yields its values.
        length: how many; None where that is not known before.
    """

    def __init__(self, kind: str, steps: Iterator[Any], length: int | None = None) -> None:
        self.kind, self._steps, self.length = kind, steps, length

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._steps)

    def __repr__(self) -> str:
        return f"<{self.kind} object at {id(self):#x}>"


def bind(function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a function's parameters in a call, that of the first parameter first.

    Raises:
        OperationFailed: the arguments do not fit; the message is Python's.
    """
    parameters = function.parameters
    positional = [each.arg for each in (*parameters.posonlyargs, *parameters.args)]
    by_name = {each.arg for each in (*parameters.args, *parameters.kwonlyargs)}
    values = dict(zip(positional, args, strict=False))
    if parameters.vararg:
        values[parameters.vararg.arg] = args[len(positional) :]
    extra: dict[str, Any] = {}
    for name, value in kwargs.items():
        if name in by_name and name in values:
            raise _failed(f"{function.name}() got multiple values for argument '{name}'")
        if name in by_name:
            values[name] = value
        elif parameters.kwarg:
            extra[name] = value
        elif name in positional:
            names = ", ".join(f"'{each.arg}'" for each in parameters.posonlyargs if each.arg in kwargs)
            raise _failed(f"{function.name}() got some positional-only arguments passed as keyword arguments: {names}")
        else:
            raise _failed(f"{function.name}() got an unexpected keyword argument '{name}'")
    if parameters.kwarg:
        values[parameters.kwarg.arg] = extra
    if len(args) > len(positional) and not parameters.vararg:
        raise _failed(_too_many(function, len(positional), len(args), sum(each.arg in kwargs for each in parameters.kwonlyargs)))
    optional = positional[len(positional) - len(function.defaults) :]
    _require("positional", function, [name for name in positional if name not in values and name not in optional])
    _require("keyword-only", function, [each.arg for each in parameters.kwonlyargs if each.arg not in values and each.arg not in function.keyword_defaults])
    return values | {name: value for name, value in (*zip(optional, function.defaults, strict=True), *function.keyword_defaults.items()) if name not in values}


def _failed(message: str) -> OperationFailed:
    return OperationFailed(f"TypeError: {message}")


def _too_many(function: Function, most: int, given: int, keyword_only: int) -> str:
    least = most - len(function.defaults)
    takes = f"from {least} to {most}" if function.defaults else str(most)
    arguments = "argument" if most == 1 and not function.defaults else "arguments"
    also = f" positional argument{'s' * (given != 1)} (and {keyword_only} keyword-only argument{'s' * (keyword_only != 1)})" if keyword_only else ""
    return f"{function.name}() takes {takes} positional {arguments} but {given}{also} {'was' if given == 1 and not keyword_only else 'were'} given"


def _require(kind: str, function: Function, missing: list[str]) -> None:
    if not missing:
        return
    *names, last = (f"'{name}'" for name in missing)
    listed = f"{', '.join(names)}{',' * (len(names) > 1)} and {last}" if names else last
    raise _failed(f"{function.name}() missing {len(missing)} required {kind} argument{'s' * (len(missing) > 1)}: {listed}")
