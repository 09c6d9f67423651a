"""Large graphs are folded: by statements, loops by their turns, and many turns by tens."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
import torch

from playground.autograd import graph
from playground.autograd.folding import MAX_TURNS_IN_GROUP, MAX_UNFOLDED_NODES, MAX_UNGROUPED_NODES
from playground.errors import PlaygroundError
from playground.tensors.xray.report import tile

HEAD = "w = torch.tensor([0.5, 0.25], requires_grad=True)\nx = w * 2\ny = torch.zeros(400)\n"
TAIL = "\nloss = x.sum() + y.sum()\nloss.backward()"


def told(source: str) -> dict[str, Any]:
    document = graph.document(graph.run(source, {"device": torch.device("cpu")}))
    assert document["error"] is None, document["error"]
    return document["graph"]


def loop(body: str, turns: int, head: str = "for i in range({})") -> str:
    """A script with one loop, in line 4."""
    return f"{HEAD}{head.format(turns)}:\n    " + body.replace("\n", "\n    ") + TAIL


def turns_of(drawn: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The nodes of each innermost group of the loop in line 4."""
    inside: dict[str, list[dict[str, Any]]] = {}
    for node in drawn["nodes"]:
        if node["kind"] == "operation" and (node["group"] or "").startswith("line 4"):
            inside.setdefault(node["group"], []).append(node)
    return inside


def assert_nested(drawn: dict[str, Any]) -> None:
    """Every group but an outermost one lies in one that comes before it, and none is empty."""
    seen: set[str] = set()
    for group in drawn["groups"]:
        assert group["id"] not in seen
        assert group["parent"] is None or group["parent"] in seen
        seen.add(group["id"])
    used = {node["group"] for node in drawn["nodes"]} - {None}
    assert used <= seen
    parents = {group["parent"] for group in drawn["groups"]}
    assert used | parents >= seen


BODIES = {
    "three operations": ("x = torch.tanh(x * 1.1) + 0.1", 3),
    "several statements": ("a = x * 1.1\nb = torch.tanh(a)\nx = a + b", 3),
    "over several lines": ("x = (\n    x * 1.1\n    + torch.tanh(x)\n    + 1\n)", 4),
    "in place": ("x = x * 1.1\nx += 0.1\nx[0] = x[1] * 0.5", 4),
    "several outputs": ("a, b = x.unbind()\nx = torch.stack([b, a]) * 0.5", 3),
    "an inner loop": ("for k in range(3):\n    x = torch.tanh(x * 1.1)", 6),
    "a list": ("x = sum([torch.tanh(x * k) for k in range(1, 3)])", 6),
    "a branch": ("if i % 2:\n    x = torch.tanh(x * 1.1)\nelse:\n    x = torch.sin(x * 0.9)", 2),
    "one operation": ("x = x * 1.01", 1),
    "assigned into": ("y[i] = (x * 0.9).sum()", 3),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_each_turn_of_a_loop_has_its_group(name: str) -> None:
    body, operations = BODIES[name]
    turns = max(MAX_TURNS_IN_GROUP, MAX_UNFOLDED_NODES // operations + 1)
    drawn = told(loop(body, turns))
    assert_nested(drawn)
    inside = turns_of(drawn)
    assert len(inside) == turns
    assert [group["title"] for group in drawn["groups"] if group["id"] in inside] == [f"turn {turn}" for turn in range(1, turns + 1)]
    if name != "assigned into" and name != "in place":  # of which PyTorch records more than is written
        assert {len(nodes) for nodes in inside.values()} == {operations}


def test_what_lies_in_a_turn_hangs_together() -> None:
    """From each turn to the next there goes only what the turn has made."""
    drawn = told(loop("a = x * 1.1\nb = torch.tanh(a)\nx = a + b", MAX_UNFOLDED_NODES))
    groups = {node["id"]: node["group"] for node in drawn["nodes"]}
    names = list(turns_of(drawn))
    for edge in drawn["edges"]:
        start, end = groups[edge["from"]], groups[edge["to"]]
        if start in names and end in names:
            assert names.index(end) - names.index(start) in (0, 1)


@pytest.mark.parametrize(
    ("head", "more"), [("for i in range({})", ""), ("while i < {}", "\ni += 1"), ("for part in torch.ones({})", "")], ids=["for", "while", "over a tensor"]
)
def test_every_kind_of_loop(head: str, more: str) -> None:
    turns = MAX_UNFOLDED_NODES // 3 + 1
    drawn = told("i = 0\n" + loop("a = x * 1.1\nb = torch.tanh(a)\nx = a + b" + more, turns, head))
    found = {node["group"] for node in drawn["nodes"] if (node["group"] or "").startswith("line 5")}
    assert len(found) == turns


@pytest.mark.parametrize("turns", [MAX_TURNS_IN_GROUP, MAX_TURNS_IN_GROUP + 1, 10 * MAX_TURNS_IN_GROUP, 10 * MAX_TURNS_IN_GROUP + 1])
def test_many_turns_are_put_together_by_tens(turns: int) -> None:
    drawn = told(loop("x = torch.sin(torch.tanh(x * 1.1)) * 2 + torch.cos(x) * 3" if turns < 100 else "x = torch.tanh(x * 1.1) + 0.1", turns))
    assert_nested(drawn)
    parents = {group["id"]: group["parent"] for group in drawn["groups"]}
    above = Counter(parents[group] for group in turns_of(drawn))
    assert sum(above.values()) == turns
    assert set(above) == {"line 4"} if turns <= MAX_TURNS_IN_GROUP else max(above.values()) == 10
    for children in (Counter(parents.values())).items():
        assert children[0] is None or children[1] <= MAX_TURNS_IN_GROUP
    if turns > MAX_TURNS_IN_GROUP:
        assert next(group["title"] for group in drawn["groups"] if group["parent"] == "line 4" and "–" in group["title"]).startswith("turns 1–")


def test_small_statements_stay_as_they_are() -> None:
    drawn = told(loop("x = torch.tanh(x * 1.1) + 0.1", MAX_UNFOLDED_NODES))
    groups = {node["line"]: node["group"] for node in drawn["nodes"] if node["kind"] == "operation" and node["line"] != 4 and node["line"] != 5}
    assert set(groups.values()) == {None}
    assert {group["line"] for group in drawn["groups"]} == {4}


def test_a_large_statement_outside_of_loops_is_one_group() -> None:
    long = " + ".join(["torch.tanh(x)"] * (MAX_UNFOLDED_NODES // 2 + 5))
    drawn = told(f"{HEAD}x = {long}{TAIL}")
    assert [(group["id"], group["parent"], group["line"]) for group in drawn["groups"]] == [("line 4", None, 4)]
    assert drawn["groups"][0]["title"].startswith("x = torch.tanh(x) + ")
    inside = [node for node in drawn["nodes"] if node["group"] == "line 4"]
    assert len(inside) == 2 * (MAX_UNFOLDED_NODES // 2 + 5) - 1 > MAX_UNGROUPED_NODES


def test_a_constant_lies_with_its_operation() -> None:
    drawn = told(loop("c = torch.ones(2)\nx = torch.tanh(x * c) + 0.1", MAX_UNFOLDED_NODES // 3 + 5))
    groups = {node["id"]: node["group"] for node in drawn["nodes"]}
    constants = {node["id"] for node in drawn["nodes"] if node["kind"] == "constant" and node["name"] == "c"}
    assert len(constants) == MAX_UNFOLDED_NODES // 3 + 5
    for edge in drawn["edges"]:
        assert edge["from"] not in constants or groups[edge["from"]] == groups[edge["to"]] is not None


@pytest.mark.parametrize("nodes", [MAX_UNFOLDED_NODES, MAX_UNFOLDED_NODES + 1])
def test_small_graphs_are_shown_as_they_are(nodes: int) -> None:
    source = "x = torch.tensor([0.5], requires_grad=True)\n" + f"for i in range({nodes - 2}):\n    x = x + 0.1\nx.sum().backward()"
    drawn = told(source)
    assert len([node for node in drawn["nodes"] if node["kind"] != "constant"]) == nodes
    assert bool(drawn["groups"]) == (nodes > MAX_UNFOLDED_NODES)
    assert any(node["group"] for node in drawn["nodes"]) == (nodes > MAX_UNFOLDED_NODES)


BIG = "torch.manual_seed(0)\nx = torch.randn({}, requires_grad=True)\nw = x\nfor i in range({}):\n    x = torch.tanh(x * w) + 0.1\nx.sum().backward()"


@pytest.mark.parametrize(("shape", "turns"), [("(16,)", 200), ("(4, 4)", 200), ("(1000,)", 131), ("(25, 40)", 131)])
def test_documents_stay_small_enough_to_be_sent(shape: str, turns: int) -> None:
    """Of small graphs all values are told, of large ones those of small tensors: the largest of both."""
    execution = graph.run(BIG.format(shape, turns), {"device": torch.device("cpu")})
    assert execution.error is None
    assert len(json.dumps(graph.document(execution, tile))) < 8 * 2**20


def test_a_graph_too_large_to_be_drawn_is_refused() -> None:
    with pytest.raises(PlaygroundError, match="nodes"):
        told("x = torch.tensor([0.5], requires_grad=True)\n" + f"for i in range({graph.MAX_NODES}):\n    x = x + 0.1\nx.sum().backward()")
