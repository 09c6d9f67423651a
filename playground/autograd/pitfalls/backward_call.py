"""A `backward()` call in a script, and rewritten forms of it.

Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.backward.html
"""

from __future__ import annotations

import ast

from playground.autograd.pitfalls.source_edits import Code, Edit

POSITIONS = ("gradient", "retain_graph", "create_graph")
"""The positional arguments of `backward`, in order."""


class BackwardCall:
    """The `backward()` call that makes up a statement.

    Args:
        statement: `loss.backward()`, or `(x * x).sum().backward(retain_graph=True)`.
    """

    def __init__(self, code: Code, statement: ast.stmt) -> None:
        assert isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) and isinstance(statement.value.func, ast.Attribute)
        self._code, self._call = code, statement.value
        start, dot = code.span(self._call).start, code.attribute(statement.value.func).start
        text, owner = code.source[start:dot].rstrip(" \t"), statement.value.func.value
        self.is_named = _is_reference(owner) and bracketed(code.text(owner)) == code.text(owner)
        """Whether the tensor has a name, so that a second pass can start from the same tensor."""
        self.root = code.text(owner) if self.is_named else code.unused_name("loss")
        """The tensor, as source text."""
        self.naming: list[Edit] = []
        """Edits that assign the tensor to a name where it has none."""
        if not self.is_named:
            self.naming = [*code.insert(statement, [f"{self.root} = {bracketed(text)}"]), Edit(start, dot, self.root)]

    def repeat(self) -> str:
        """Return the source of a second call on the same tensor."""
        span, arguments = self._code.span(self._call), self._code.arguments(self._call)
        return f"{self.root}.backward({self._code.source[arguments.start : span.end]}"

    def retain_graph(self) -> Edit:
        """Set `retain_graph=True`."""
        argument = next(
            (keyword.value for keyword in self._call.keywords if keyword.arg == "retain_graph"), self._call.args[1] if self._call.args[1:] else None
        )
        if argument is not None:
            return self._code.replace(argument, "True")
        start = self._code.arguments(self._call).start
        behind = ", gradient=" if self._call.args else ", " if self._call.keywords else ""  # a positional argument must not follow a keyword
        return Edit(start, start, f"retain_graph=True{behind}")

    def start_from(self, tensor: str, gradient: str = "") -> Edit:
        """Call `backward` on another tensor, with this `gradient` argument (empty: none)."""
        arguments = {**dict(zip(POSITIONS, self._call.args, strict=False)), **{str(keyword.arg): keyword.value for keyword in self._call.keywords}}
        others = [f"{name}={self._code.text(value)}" for name, value in arguments.items() if name != "gradient"]
        return self._code.replace(self._call, f"{tensor}.backward({', '.join([gradient, *others] if gradient else others)})")


def bracketed(text: str) -> str:
    """Return an expression that can stand after `=`: one of several lines is put in brackets, which close on a line without a comment."""
    if "\n" not in text and "\r" not in text:
        return text
    return f"({text})" if text[-1] in "\r\n" else f"({text}\n)"


def _is_reference(node: ast.expr) -> bool:
    """Return whether the expression is a name or a part of one: `loss`, `losses[0]`."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return isinstance(node, ast.Name)
