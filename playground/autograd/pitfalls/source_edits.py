"""Edits of a script's source at its statements; everything else stays as the learner wrote it.

Source: https://docs.python.org/3/reference/lexical_analysis.html#line-structure, https://docs.python.org/3/library/tokenize.html
"""

from __future__ import annotations

import ast
import re
import tokenize
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise

from playground.tensors.language import syntax
from playground.tensors.language.bounds import Bounds
from playground.tensors.language.spans import Script

INDENT = "    "
"""Indentation for a script that has no indented line of its own."""
_NO_CODE = frozenset((tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER))


@dataclass(frozen=True)
class Edit:
    """A replacement of the characters from `start` to `end`; an insertion where both are equal."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Version:
    """A version of the script."""

    title: str
    source: str
    changed: tuple[int, ...] = ()
    """Numbers, from 1, of the lines that differ from the learner's."""
    removed: tuple[str, ...] = ()
    """Lines of the learner's script that this version lacks."""


@dataclass(frozen=True)
class _Line:
    """A logical line of Python: it may span several lines of the editor, and hold several statements."""

    start: int
    newline: int
    """Its end, after a comment."""
    end: int
    """The end of its code."""
    indent: str


class Code(Script):
    """A parsed script, and the edits that can be made in it.

    Raises:
        ScriptError: the source is not valid Python, or uses what scripts may not.
    """

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.tree = syntax.parse(source, Bounds())
        self._line_starts = [0, *accumulate(map(len, self._lines))]
        self._newline = next(iter(re.findall(r"\r\n|\r|\n", source)), "\n")
        self._unit = INDENT
        self._logical = self._logical_lines()
        self.blocks = {statement: block for block in _blocks(self.tree) for statement in block}
        """For each statement all statements of its block."""

    def around(self, statement: ast.stmt) -> Iterator[ast.stmt]:
        """Yield the statement and those that contain it, the innermost first."""
        return (each for each in reversed(self.blocks) if any(part is statement for part in ast.walk(each)))

    def unused_name(self, name: str) -> str:
        """Return the name, with a number appended if the script uses it already."""
        used = {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name)}
        return next(candidate for candidate in (name, *(f"{name}_{number}" for number in range(2, len(used) + 3))) if candidate not in used)

    def insert(self, statement: ast.stmt, texts: Iterable[str], *, after: bool = False, simple: bool = True) -> list[Edit]:
        """Insert statements before or after one, in its block.

        Args:
            texts: their source.
            simple: whether all of them may share a line with others; compound statements such as `with` may not.
        """
        span, first, last = self.span(statement), self._line(self.span(statement).start), self._line(self.span(statement).end - 1)
        if self._is_alone(statement) and not after:
            line_start = first.start - len(first.indent)
            return [Edit(line_start, line_start, "".join(f"{first.indent}{text}{self._newline}" for text in texts))]
        if simple and not self._is_alone(statement):
            return [Edit(span.end, span.end, "".join(f"; {text}" for text in texts)) if after else Edit(span.start, span.start, "; ".join([*texts, ""]))]
        offset = last.newline if self._ends_line(statement) else span.end
        return [*self._split_line(statement), Edit(offset, offset, "".join(f"{self._newline}{self._indent(statement)}{text}" for text in texts))]

    def block(self, statement: ast.stmt, head: str, body: str) -> str:
        """Return the source of a compound statement with one statement in its body, to be inserted at `statement`."""
        return f"{head}{self._newline}{self._indent(statement)}{self._unit}{body}"

    def under(self, statement: ast.stmt, head: str) -> list[Edit]:
        """Move a simple statement into a block of its own, such as `with torch.no_grad():`."""
        span, indent = self.span(statement), self._indent(statement)
        if not self._is_alone(statement):
            return [*self._split_line(statement), Edit(span.start, span.start, f"{head}{self._newline}{indent}{self._unit}")]
        in_strings = {
            line for node in ast.walk(statement) if isinstance(node, (ast.Constant, ast.JoinedStr)) for line in range(node.lineno + 1, _last(node) + 1)
        }
        lines = [line for line in range(statement.lineno, _last(statement) + 1) if line not in in_strings and self._lines[line - 1].startswith(indent)]
        moved = [self._line_starts[line - 1] + len(indent) for line in lines if self._lines[line - 1].strip()]
        return [*self.insert(statement, [head]), *(Edit(offset, offset, self._unit) for offset in moved)]

    def remove(self, statements: Collection[ast.stmt]) -> list[Edit]:
        """Remove simple statements; a block that would be empty gets a `pass`."""
        edits = []
        for block in {id(block): block for block in map(self.blocks.__getitem__, statements)}.values():
            removed = [statement for statement in block if statement in statements]
            if len(removed) == len(block) and block is not self.tree.body:
                edits.append(self.replace(removed.pop(0), "pass"))
            for line, group in groupby(removed, key=lambda statement: self._line(self.span(statement).start)):
                edits += self._remove_from_line(line, [each for each in block if self._line(self.span(each).start) is line], list(group))
        return edits

    def replace(self, node: ast.AST, text: str) -> Edit:
        """Replace the source of a node."""
        span = self.span(node)
        return Edit(span.start, span.end, text)

    def version(self, title: str, edits: Iterable[Edit] = (), removed: Iterable[ast.stmt] = ()) -> Version:
        """Apply edits to the script.

        Args:
            removed: statements that the edits remove; their lines are listed in the version.
        """
        parts, position, length = [], 0, 0
        unchanged: set[tuple[int, int]] = set()
        for edit in [*sorted(edits, key=lambda edit: (edit.start, edit.end)), Edit(len(self.source), len(self.source), "")]:
            unchanged |= {(start - position + length, end - position + length) for start, end in _spans(self.source) if position <= start and end <= edit.start}
            parts += [self.source[position : edit.start], edit.text]
            length += edit.start - position + len(edit.text)
            position = edit.end
        source = "".join(parts)
        changed = tuple(number for number, span in enumerate(_spans(source), 1) if span not in unchanged and span != (len(source), len(source)))
        return Version(title, source, changed, tuple(line.strip() for statement in removed for line in self.text(statement).splitlines()))

    def _logical_lines(self) -> list[_Line]:
        lines = iter([line.rstrip("\r\n") + "\n" for line in self._lines])
        logical: list[_Line] = []
        start, end = -1, 0
        for token in tokenize.generate_tokens(lambda: next(lines, "")):
            if token.type == tokenize.INDENT and not any(line.indent for line in logical):
                self._unit = token.string
            if token.type in _NO_CODE:
                continue
            offset = self._line_starts[token.start[0] - 1] + token.start[1]
            start = offset if start < 0 else start
            if token.type == tokenize.NEWLINE:
                line_start = self._line_starts[bisect_right(self._line_starts, start) - 1]
                logical.append(_Line(start, offset, end, self.source[line_start:start]))
                start = -1
            end = self._line_starts[token.end[0] - 1] + token.end[1]
        return logical

    def _line(self, offset: int) -> _Line:
        return self._logical[bisect_right(self._logical, offset, key=lambda line: line.start) - 1]

    def _is_alone(self, statement: ast.stmt) -> bool:
        start = self.span(statement).start
        return self._line(start).start == start and self._ends_line(statement)

    def _ends_line(self, statement: ast.stmt) -> bool:
        end = self.span(statement).end
        return not self.source[end : self._line(end - 1).end].strip("; \t\f\\\r\n")

    def _beside(self, statement: ast.stmt) -> list[ast.stmt]:
        """Return the statements of its block that share its line."""
        line = self._line(self.span(statement).start)
        return [each for each in self.blocks[statement] if self._line(self.span(each).start) is line]

    def _indent(self, statement: ast.stmt) -> str:
        """Return the indentation of the statement's block; also where the block shares a line with its head."""
        first = self.span(self._beside(statement)[0]).start
        line = self._line(first)
        return line.indent if line.start == first else line.indent + self._unit

    def _split_line(self, statement: ast.stmt) -> list[Edit]:
        """Put each statement of the line on a line of its own."""
        spans, between = [self.span(each) for each in self._beside(statement)], self._newline + self._indent(statement)
        edits = [Edit(one.end, two.start, between) for one, two in pairwise(spans)]
        if self._line(spans[0].start).start != spans[0].start:
            edits.append(Edit(self.source.rindex(":", 0, spans[0].start) + 1, spans[0].start, between))
        return edits

    def _remove_from_line(self, line: _Line, beside: list[ast.stmt], removed: list[ast.stmt]) -> list[Edit]:
        """Remove statements from a line; the whole line where nothing else is on it."""
        kept = [each for each in beside if each not in removed]
        if not kept:
            ends = re.compile(r"\r\n|\r|\n|").match(self.source, line.newline)
            return [Edit(line.start - len(line.indent), ends.end() if ends else line.newline, "")]
        last = beside.index(kept[-1])
        edits = [Edit(self.span(one).start, self.span(two).start, "") for one, two in pairwise(beside[: last + 1]) if one in removed]
        return [*edits, Edit(self.span(kept[-1]).end, self.span(beside[-1]).end, "")]


def _blocks(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for part in ("body", "orelse"):
            block = getattr(node, part, None)
            if isinstance(block, list) and block:
                yield block


def _last(node: ast.stmt | ast.expr) -> int:
    return node.end_lineno or node.lineno


def _spans(source: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each line, without its newline."""
    return (match.span(1) for match in re.finditer(r"([^\r\n]*)(?:\r\n|\r|\n|$)", source))
