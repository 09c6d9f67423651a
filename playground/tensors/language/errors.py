"""Errors of a learner's script, each with the place where it occurred."""

from __future__ import annotations

import ast
from typing import Any

from playground.errors import PlaygroundError


class ScriptError(PlaygroundError):
    """An error that ends a script.

    Args:
        message: what happened.
        hint: what to do about it.
        node: the statement or expression that failed, where it is known.
        call: the `Call` that PyTorch, NumPy or Python refused.
        instead: replacement for the node; with a leading dot, for its attribute.
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


class Refused(ScriptError):
    """A feature that is not available in scripts."""


class BoundsExceeded(ScriptError):
    """A script that exceeds its limit of memory, time or steps."""


class OperationFailed(ScriptError):
    """An operation that raised an error in PyTorch, NumPy or Python, with its message."""
