"""What can go wrong in a learner's script, with the place where it did."""

from __future__ import annotations

import ast
from typing import Any

from playground.errors import PlaygroundError


class ScriptError(PlaygroundError):
    """A script that ends early.

    Args:
        message: what is wrong.
        hint: what to do about it.
        node: the statement or expression that failed, where it is known.
        call: the `Call` that PyTorch, NumPy or Python refused.
        instead: what could stand in the node's place; with a leading dot, what could stand for its attribute.
    """

    def __init__(self, message: str, hint: str = "", node: ast.AST | None = None, call: Any = None, instead: str = "") -> None:
        super().__init__(message, hint)
        self.node = node
        self.call = call
        self.instead = instead

    def at(self, node: ast.AST) -> ScriptError:
        """The same, with its place if it had none."""
        self.node = self.node or node
        return self


class Refused(ScriptError):
    """Something that scripts here may not do."""


class BoundsExceeded(ScriptError):
    """A script that would take more memory, time or steps than one learner has."""


class OperationFailed(ScriptError):
    """An operation that PyTorch, NumPy or Python refused; the message is theirs."""
