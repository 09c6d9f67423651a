"""Questions to the tree that Python's own parser makes of code. Nothing here knows what the code means.

Source: https://docs.python.org/3/library/ast.html
"""

from __future__ import annotations

import ast
import copy
import inspect
import re
import textwrap
import warnings
from collections.abc import Iterable, Iterator
from functools import cache

from playground.network.catalogue import layer_type
from playground.network.reading_expressions import KEEPS, MUTATES
from playground.network.reading_values import CodeError
from playground.network.trace import layer_class

MAX_TEXT = 100_000
"""Characters."""
_DEPTH = 100
"""Levels of the tree."""
_NODES = 40_000
"""Parts of the tree; written as people write, a hundred thousand characters have half of that."""
_BITS = 256
"""Longest whole number."""
_TOO_DEEP = "The code is nested too deeply to be read."


def parse(text: str) -> tuple[ast.Module, str]:
    """The tree of a text and the text that it is of: where the text is no Python, it is tried without what a notebook adds to it.

    Raises:
        CodeError: it is no Python, too long, or nested too deeply.
    """
    if len(text) > MAX_TEXT:
        raise CodeError(f"The code has {len(text):,} characters; {MAX_TEXT:,} are the most that can be read.", "Leave in only the network.")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    try:
        tree = _tree(text)
    except SyntaxError as error:
        tidied = _tidied(text)
        try:
            tree, text = _tree(tidied), tidied
        except SyntaxError:
            raise CodeError(f"This is not Python: {error.msg}.", "Copy whole lines, with their indentation.", error.lineno) from None
    _check(tree)
    return tree, text


def own_nodes(statement: ast.AST) -> Iterator[ast.AST]:
    """A statement and all inside it, except the insides of functions and classes, and assignments that change no layer."""
    waiting = [statement]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)) and not _keeps(node):
            waiting.extend(ast.iter_child_nodes(node))


def targets(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """The name of all that these set or change and, where it is a part of what the name stands for, the attribute in which."""
    for node in nodes:
        if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) and isinstance(node.ctx, (ast.Store, ast.Del)):
            yield from _root(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATES:
            yield from _root(node.func.value)


def _root(node: ast.expr) -> Iterator[tuple[str, str]]:
    """`self.features[0].layers` → `self`, `features`"""
    attribute = ""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        attribute = node.attr if isinstance(node, ast.Attribute) else ""
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id, attribute


def calls_outside_classes(tree: ast.Module) -> list[ast.Call]:
    """All calls that are not part of a class, in the order of the lines."""
    waiting: list[ast.AST] = [tree]
    found = []
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            found.append(node)
        waiting.extend(child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.ClassDef))
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def is_block(node: ast.ClassDef) -> bool:
    """Whether a class does what the playground's own block of its name does; docstrings and annotations may differ."""
    return _plain(node) == _own_block(node.name)


class _Plain(ast.NodeTransformer):
    """Takes away what changes nothing."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        return ast.Assign([node.target], node.value) if node.value else ast.Pass()

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(node.arg)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self._without_docstring(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._without_docstring(node)

    def _without_docstring(self, node: ast.FunctionDef | ast.ClassDef) -> ast.AST:
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
        return self.generic_visit(node)


def _plain(node: ast.AST) -> str:
    return ast.dump(_Plain().visit(copy.deepcopy(node)))


@cache
def _own_block(name: str) -> str:
    return _plain(ast.parse(inspect.getsource(layer_class(layer_type(name).target))).body[0])


def _tree(text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as an invalid escape in a string
            return ast.parse(text)
    except (RecursionError, MemoryError):
        raise CodeError(_TOO_DEEP, "Leave in only the network.") from None
    except ValueError as error:  # a lone surrogate; what is no syntax at all comes as SyntaxError, which is a ValueError's sibling
        raise CodeError(f"This is not Python: {error}.", "") from None


def _check(tree: ast.Module) -> None:
    """Trees are walked by functions that call themselves, and numbers are shown to people."""
    level: list[ast.AST] = [tree]
    count = 0
    for _ in range(_DEPTH):
        count += len(level)
        if count > _NODES:
            raise CodeError("The code has too many parts to be read.", "Leave in only the network.")
        for node in level:
            if isinstance(node, ast.Constant) and isinstance(node.value, int) and node.value.bit_length() > _BITS:
                raise CodeError("This number is too long to be read.", "", node.lineno)
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    raise CodeError(_TOO_DEEP, "Leave in only the network.", getattr(level[0], "lineno", None))


def _tidied(text: str) -> str:
    """A text without prompts, a notebook's commands, and the indentation that all of it has; lines keep their numbers."""
    lines = text.replace("\xa0", " ").split("\n")
    if any(line.lstrip().startswith(">>>") for line in lines):
        lines = [re.sub(r"^\s*(>>>|\.\.\.) ?", "", line) if re.match(r"\s*(>>>|\.\.\.)", line) else "" for line in lines]
    return textwrap.dedent("\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines))


def _keeps(node: ast.AST) -> bool:
    """Whether this is `model = model.to(device)` or its like."""
    match node:
        case ast.Assign([ast.Name(name)], ast.Call(ast.Attribute(ast.Name(owner), method))):
            return name == owner and method in KEEPS
    return False
