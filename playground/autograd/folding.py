"""Fold a large graph: group its nodes by the statement that created them, those of a loop by turn, and many turns by tens."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TypedDict, TypeVar

from playground.messages import msg
from playground.tensors.language.spans import Script

MAX_UNFOLDED_NODES = 200
"""Nodes of the largest graph that is shown without groups."""
MAX_UNGROUPED_NODES = 8
"""Nodes of the largest statement that gets no group in a folded graph."""
MAX_TURNS_IN_GROUP = 30
"""Turns of a loop that one group shows side by side."""

Key = TypeVar("Key")


class ScriptGroup(TypedDict):
    """The nodes of a statement, or of some turns of a loop."""

    id: str
    parent: str | None
    """The group around it."""
    title: str
    line: int


def fold(nodes: Iterable[tuple[Key, ast.AST, int]], script: Script) -> tuple[list[ScriptGroup], Mapping[Key, str]]:
    """Group the nodes of a script's graph.

    Args:
        nodes: every node with the expression that created it and its turn of the outermost loop, in the order of the forward pass.

    Returns:
        The groups, and for each node the id of its innermost group; nodes of small statements are in no group.
    """
    placed = _with_statements(nodes, script)
    sizes = Counter(statement for _key, statement, _turn in placed)
    turns = {statement: turn for _key, statement, turn in placed}
    groups: dict[str, ScriptGroup] = {}
    group_ids: dict[Key, str] = {}
    for key, statement, turn in placed:
        if sizes[statement] <= MAX_UNGROUPED_NODES:
            continue
        line_id = f"line {statement.lineno}"  # no text: an id
        titles = [(line_id, script.text(statement).split("\n")[0])]
        if isinstance(statement, (ast.For, ast.While)):
            titles += [(f"{line_id}, {title}", title) for title in _turn_titles(turn, turns[statement])]
        parent = None
        for group_id, title in titles:
            groups.setdefault(group_id, {"id": group_id, "parent": parent, "title": title, "line": statement.lineno})
            parent = group_ids[key] = group_id
    return list(groups.values()), group_ids


def _with_statements(nodes: Iterable[tuple[Key, ast.AST, int]], script: Script) -> list[tuple[Key, ast.stmt, int]]:
    """Replace each node's expression by the outermost statement around it."""
    body = ast.parse(script.source).body
    statements = {line: statement for statement in body for line in range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)}
    return [(key, statements[expression.lineno], turn) for key, expression, turn in nodes]  # type: ignore[attr-defined]


def _turn_titles(turn: int, turns: int) -> Iterator[str]:
    """Yield the titles of the groups around a turn, from the widest span of turns to the turn itself."""
    step = 1
    while turns > MAX_TURNS_IN_GROUP * step:
        step *= 10
    while step:
        low = (turn - 1) // step * step + 1
        yield msg("turns {first}–{last}", first=low, last=min(low + step - 1, turns)) if step > 1 else msg("turn {turn}", turn=turn)
        step //= 10
