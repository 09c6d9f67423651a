"""A `loss.backward()` in a script, however it is written, and other ways of writing it.

Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.backward.html
"""

from __future__ import annotations

import ast

from playground.autograd.pitfalls.rewriting import Code, Edit

POSITIONS = ("gradient", "retain_graph", "create_graph")
"""The arguments of `backward` in their order."""


class BackwardCall:
    """The call that a statement consists of.

    Args:
        statement: `loss.backward()`, or `(x * x).sum().backward(retain_graph=True)`.
    """

    def __init__(self, code: Code, statement: ast.stmt) -> None:
        assert isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) and isinstance(statement.value.func, ast.Attribute)
        self._code, self._call = code, statement.value
        start, dot = code.place(self._call).start, code.attribute(statement.value.func).start
        text, owner = code.source[start:dot].rstrip(" \t"), statement.value.func.value
        self.is_named = _is_reference(owner) and bracketed(code.text(owner)) == code.text(owner)
        """Whether it goes back from a tensor that has a name, so that another pass can go back from the same."""
        self.root = code.text(owner) if self.is_named else code.fresh("loss")
        """The tensor, as a text."""
        self.naming: list[Edit] = []
        """What gives the tensor its name where it has none."""
        if not self.is_named:
            self.naming = [*code.insert(statement, [f"{self.root} = {bracketed(text)}"]), Edit(start, dot, self.root)]

    def repeated(self) -> str:
        """The same once more, from the same tensor."""
        place, arguments = self._code.place(self._call), self._code.arguments(self._call)
        return f"{self.root}.backward({self._code.source[arguments.start : place.end]}"

    def retaining(self) -> Edit:
        """Made to keep what the graph saved."""
        given = next((keyword.value for keyword in self._call.keywords if keyword.arg == "retain_graph"), self._call.args[1] if self._call.args[1:] else None)
        if given is not None:
            return self._code.replace(given, "True")
        start = self._code.arguments(self._call).start
        behind = ", gradient=" if self._call.args else ", " if self._call.keywords else ""  # nothing without a name may follow a name
        return Edit(start, start, f"retain_graph=True{behind}")

    def starting(self, tensor: str, gradient: str = "") -> Edit:
        """From another tensor, with this gradient or none."""
        given = {**dict(zip(POSITIONS, self._call.args, strict=False)), **{str(each.arg): each.value for each in self._call.keywords}}
        others = [f"{name}={self._code.text(value)}" for name, value in given.items() if name != "gradient"]
        return self._code.replace(self._call, f"{tensor}.backward({', '.join([gradient, *others] if gradient else others)})")


def bracketed(text: str) -> str:
    """An expression that may stand behind `=`; one of several lines only in brackets, which close on a line without a comment."""
    if "\n" not in text and "\r" not in text:
        return text
    return f"({text})" if text[-1] in "\r\n" else f"({text}\n)"


def _is_reference(node: ast.expr) -> bool:
    """`loss`, `losses[0]`."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return isinstance(node, ast.Name)
