"""Errors of a learner's script, each with the node where it occurred."""

from __future__ import annotations

import ast
from typing import Any

from playground.errors import PlaygroundError

EXCEPTIONS: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        Exception, ArithmeticError, AssertionError, AttributeError, FileNotFoundError, ImportError, IndexError, KeyError, LookupError, NameError,
        NotImplementedError, OSError, OverflowError, RuntimeError, StopIteration, TypeError, UnboundLocalError, ValueError, ZeroDivisionError,
    )
}  # fmt: skip
"""Python's exceptions that a script can raise and catch."""


class ScriptError(PlaygroundError):
    """An error that ends a script.

    Args:
        message: what happened.
        hint: what to do about it.
        node: the statement or expression that failed; None until it is known.
        call: the `Call` that raised an error in PyTorch, NumPy or Python.
        instead: suggested replacement for the node; with a leading dot, for its attribute.
    """

    def __init__(self, message: str, hint: str = "", node: ast.AST | None = None, call: Any = None, instead: str = "") -> None:
        super().__init__(message, hint)
        self.node = node
        self.call = call
        self.instead = instead

    def at(self, node: ast.AST) -> ScriptError:
        """Set the node if there is none yet, and return the error."""
        self.node = self.node or node
        return self

    @property
    def exception(self) -> Exception | None:
        """What `except` catches; None for what no script can catch."""
        return self.__cause__ if isinstance(self.__cause__, Exception) else None


class Refused(ScriptError):
    """A script uses a feature that is not available. No script catches it."""

    @property
    def exception(self) -> None:
        return None


class NoAttribute(Refused):
    """A script asks for an attribute that PyTorch does not have either: an `AttributeError`, which it may catch.

    Args:
        message: what happened.
        hint: what to do about it.
        instead: suggested replacement for the attribute, with a leading dot, or for the whole name.
        text: Python's own message.
    """

    def __init__(self, message: str, hint: str = "", instead: str = "", *, text: str) -> None:
        super().__init__(message, hint, instead=instead)
        self._text = text

    @property
    def exception(self) -> Exception:  # type: ignore[override]
        return AttributeError(self._text)


class BoundsExceeded(ScriptError):
    """A script exceeds its limit of memory, time or statements. No script catches it."""

    @property
    def exception(self) -> None:
        return None


class OperationFailed(ScriptError):
    """An operation raised an error in PyTorch, NumPy or Python; the message is theirs, after the name of the exception."""

    @property
    def exception(self) -> Exception | None:
        if isinstance(self.__cause__, Exception):
            return self.__cause__
        name, _, text = self.message.partition(": ")
        return EXCEPTIONS.get(name, RuntimeError)(text)
