"""Errors of a learner's script, each with the node where it occurred."""

from __future__ import annotations

import ast
from typing import Any

from playground.errors import PlaygroundError


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


class Refused(ScriptError):
    """A script uses a feature that is not available."""


class BoundsExceeded(ScriptError):
    """A script exceeds its limit of memory, time or statements."""


class OperationFailed(ScriptError):
    """An operation raised an error in PyTorch, NumPy or Python; the message is theirs."""
