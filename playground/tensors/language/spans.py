"""From the nodes of a syntax tree to the characters of the script."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A part of the script."""

    line: int
    """From 1."""
    start: int
    end: int
    """Characters from the beginning of the script."""


class Script:
    """A script's text, addressed by node. Python's parser counts columns in bytes of UTF-8; editors count characters."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n|$)", source)  # as Python's parser does; `splitlines` splits at more

    def place(self, node: ast.AST) -> Place:
        line = getattr(node, "lineno", 1)
        start = self._offset(line, getattr(node, "col_offset", 0))
        end = self._offset(getattr(node, "end_lineno", line) or line, getattr(node, "end_col_offset", 0) or 0)
        return Place(line, start, max(start, end))

    def text(self, node: ast.AST) -> str:
        place = self.place(node)
        return self.source[place.start : place.end]

    def attribute(self, node: ast.Attribute) -> Place:
        """The dot and the name behind it, without what stands before; that may end in brackets, which no node tells of."""
        whole, owner = self.place(node), self.place(node.value)
        return Place(whole.line, self.source.rindex(".", owner.end, whole.end), whole.end)

    def arguments(self, node: ast.Call) -> Place:
        """What stands between the brackets of a call."""
        whole, function = self.place(node), self.place(node.func)
        return Place(whole.line, self.source.index("(", function.end) + 1, whole.end - 1)

    def _offset(self, line: int, column: int) -> int:
        if line > len(self._lines):
            return len(self.source)
        before = sum(map(len, self._lines[: line - 1]))
        return before + len(self._lines[line - 1].encode()[:column].decode(errors="ignore"))
