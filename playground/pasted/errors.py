"""Errors of pasted code, with their line."""

from __future__ import annotations

import ast

from playground.errors import PlaygroundError
from playground.messages import msg
from playground.tensors.language.errors import ScriptError


class CodeError(PlaygroundError):
    """Code that is no stack of the playground's layers.

    Args:
        message: what is wrong, without its line.
        hint: what to do about it.
        line: where it is, from 1; None where no line can be named.
    """

    def __init__(self, message: str, hint: str = "", line: int | None = None) -> None:
        super().__init__(msg("Line {line}: {message}", line=line, message=message) if line else message, hint)
        self.line, self.without_line = line or None, message


def of_script(error: ScriptError) -> CodeError:
    """Return an error of the interpreter as one of pasted code."""
    if "before Module.__init__() call" in error.message:  # no text: PyTorch's message
        message = msg("`super().__init__()` must run before the class is given layers.")
        return CodeError(message, msg("Write `super().__init__()` as the first line of `__init__`."), line_of(error.node))
    return CodeError(error.message, error.hint, line_of(error.node))


def line_of(node: ast.AST | None) -> int | None:
    return getattr(node, "lineno", None)


def written(node: ast.AST | None, most: int = 60) -> str:
    """Return the code of a node, on one line and cut where it is long."""
    text = " ".join(ast.unparse(node).split()) if node is not None else ""
    return text if len(text) <= most else f"{text[:most]}…"
