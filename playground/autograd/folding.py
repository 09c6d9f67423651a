"""Folds a large graph: nodes go into groups by the statement that made them, those of a loop by its turns, and many turns by tens."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from playground.tensors.language.spans import Script

FOLDED = 200
"""Nodes up to which a graph is shown as it is."""
FEW = 8
"""Nodes up to which a statement is shown as it is, even so."""
TOGETHER = 30
"""Turns of a loop that are shown side by side."""

Key = TypeVar("Key")


def fold(made: Iterable[tuple[Key, ast.AST, int]], script: Script) -> tuple[list[dict[str, Any]], Mapping[Key, str]]:
    """The groups of a script's nodes, and the group that each node is in; nodes of small statements are in none.

    Args:
        made: every node with the expression that made it and its turn, in the order of the forward pass.
    """
    placed = list(_placed(made, script))
    sizes = Counter(statement for _key, statement, _turn in placed)
    turns = {statement: turn for _key, statement, turn in placed}
    groups: dict[str, dict[str, Any]] = {}
    inside: dict[Key, str] = {}
    for key, statement, turn in placed:
        if sizes[statement] <= FEW:
            continue
        group = f"line {statement.lineno}"
        titles = [(group, script.text(statement).split("\n")[0])]
        if isinstance(statement, (ast.For, ast.While)):
            titles += [(f"{group}, {title}", title) for title in _spans(turn, turns[statement])]
        parent = None
        for name, title in titles:
            groups.setdefault(name, {"id": name, "parent": parent, "title": title, "line": statement.lineno})
            parent = inside[key] = name
    return list(groups.values()), inside


def _placed(made: Iterable[tuple[Key, ast.AST, int]], script: Script) -> Iterator[tuple[Key, ast.stmt, int]]:
    """Each node with its outermost statement, and in which turn of it."""
    body = ast.parse(script.source).body
    statements = {line: statement for statement in body for line in range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)}
    return ((key, statements[place.lineno], turn) for key, place, turn in made)  # type: ignore[attr-defined]


def _spans(turn: int, turns: int) -> Iterator[str]:
    """The spans of turns that hold one, from the widest to the turn itself."""
    step = 1
    while turns > TOGETHER * step:
        step *= 10
    while step:
        low = (turn - 1) // step * step + 1
        yield f"turns {low}–{min(low + step - 1, turns)}" if step > 1 else f"turn {turn}"
        step //= 10
