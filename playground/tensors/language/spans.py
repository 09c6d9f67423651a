"""Maps nodes of a syntax tree to characters of the script."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """A part of the script."""

    line: int
    """From 1."""
    start: int
    end: int
    """Offsets in characters from the beginning of the script; `end` is exclusive."""


class Script:
    """The source of a script, addressed by node. Python's parser counts columns in bytes of UTF-8; spans count characters."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n|$)", source)  # as Python's parser splits; `splitlines` knows more line breaks

    def span(self, node: ast.AST) -> Span:
        """Return the span of a node."""
        line = getattr(node, "lineno", 1)
        start = self._offset(line, getattr(node, "col_offset", 0))
        end = self._offset(getattr(node, "end_lineno", line) or line, getattr(node, "end_col_offset", 0) or 0)
        return Span(line, start, max(start, end))

    def text(self, node: ast.AST) -> str:
        """Return the source of a node."""
        span = self.span(node)
        return self.source[span.start : span.end]

    def attribute(self, node: ast.Attribute) -> Span:
        """Return the span of the dot and the name after it; parentheses around the value before it belong to no node."""
        whole, owner = self.span(node), self.span(node.value)
        return Span(whole.line, self.source.rindex(".", owner.end, whole.end), whole.end)

    def arguments(self, node: ast.Call) -> Span:
        """Return the span between the parentheses of a call."""
        whole, function = self.span(node), self.span(node.func)
        return Span(whole.line, self.source.index("(", function.end) + 1, whole.end - 1)

    def _offset(self, line: int, column: int) -> int:
        """Convert a line, counted from 1, and a column in bytes to an offset in characters."""
        if line > len(self._lines):
            return len(self.source)
        before = sum(map(len, self._lines[: line - 1]))
        return before + len(self._lines[line - 1].encode()[:column].decode(errors="ignore"))
