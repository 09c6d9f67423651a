"""What can go wrong in a learner's script, with the place where it did."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from playground.errors import PlaygroundError

if TYPE_CHECKING:
    from playground.tensors.calls import Call


class ScriptError(PlaygroundError):
    """A script that ends early.

    Args:
        message: what is wrong.
        hint: what to do about it.
        node: the statement or expression that failed, where it is known.
        call: what PyTorch, NumPy or Python refused, with its operands.
    """

    def __init__(self, message: str, hint: str = "", node: ast.AST | None = None, call: Call | None = None) -> None:
        super().__init__(message, hint)
        self.node = node
        self.call = call

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
