"""Large graphs are folded: by statements, loops by turns, and many turns by tens."""

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


def graph_of(source: str) -> dict[str, Any]:
    document = graph.document(graph.run(source, {"device": torch.device("cpu")}))
    assert document["error"] is None, document["error"]
    return document["graph"]


def loop(body: str, turns: int, head: str = "for i in range({})") -> str:
    """Return a script with one loop, in line 4."""
    return f"{HEAD}{head.format(turns)}:\n    " + body.replace("\n", "\n    ") + TAIL


def turns_of(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the nodes of each innermost group of the loop in line 4."""
    members: dict[str, list[dict[str, Any]]] = {}
    for node in document["nodes"]:
        if node["kind"] == "operation" and (node["group"] or "").startswith("line 4"):
            members.setdefault(node["group"], []).append(node)
    return members


def assert_nested(document: dict[str, Any]) -> None:
    """Every group is an outermost one or comes after its parent, and none is empty."""
    seen: set[str] = set()
    for group in document["groups"]:
        assert group["id"] not in seen
        assert group["parent"] is None or group["parent"] in seen
        seen.add(group["id"])
    used = {node["group"] for node in document["nodes"]} - {None}
    assert used <= seen
    parents = {group["parent"] for group in document["groups"]}
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
def test_each_turn_of_a_loop_has_a_group(name: str) -> None:
    body, operations = BODIES[name]
    turns = max(MAX_TURNS_IN_GROUP, MAX_UNFOLDED_NODES // operations + 1)
    document = graph_of(loop(body, turns))
    assert_nested(document)
    members = turns_of(document)
    assert len(members) == turns
    assert [group["title"] for group in document["groups"] if group["id"] in members] == [f"turn {turn}" for turn in range(1, turns + 1)]
    if name != "assigned into" and name != "in place":  # for these PyTorch records more nodes than the source has operations
        assert {len(nodes) for nodes in members.values()} == {operations}


def test_edges_connect_only_neighbouring_turns() -> None:
    document = graph_of(loop("a = x * 1.1\nb = torch.tanh(a)\nx = a + b", MAX_UNFOLDED_NODES))
    groups = {node["id"]: node["group"] for node in document["nodes"]}
    names = list(turns_of(document))
    for edge in document["edges"]:
        start, end = groups[edge["from"]], groups[edge["to"]]
        if start in names and end in names:
            assert names.index(end) - names.index(start) in (0, 1)


@pytest.mark.parametrize(
    ("head", "more"), [("for i in range({})", ""), ("while i < {}", "\ni += 1"), ("for part in torch.ones({})", "")], ids=["for", "while", "over a tensor"]
)
def test_for_and_while_loops_have_a_group_for_each_turn(head: str, more: str) -> None:
    turns = MAX_UNFOLDED_NODES // 3 + 1
    document = graph_of("i = 0\n" + loop("a = x * 1.1\nb = torch.tanh(a)\nx = a + b" + more, turns, head))
    groups = {node["group"] for node in document["nodes"] if (node["group"] or "").startswith("line 5")}
    assert len(groups) == turns


@pytest.mark.parametrize("turns", [MAX_TURNS_IN_GROUP, MAX_TURNS_IN_GROUP + 1, 10 * MAX_TURNS_IN_GROUP, 10 * MAX_TURNS_IN_GROUP + 1])
def test_many_turns_are_grouped_by_tens(turns: int) -> None:
    document = graph_of(loop("x = torch.sin(torch.tanh(x * 1.1)) * 2 + torch.cos(x) * 3" if turns < 100 else "x = torch.tanh(x * 1.1) + 0.1", turns))
    assert_nested(document)
    parents = {group["id"]: group["parent"] for group in document["groups"]}
    above = Counter(parents[group] for group in turns_of(document))
    assert sum(above.values()) == turns
    assert set(above) == {"line 4"} if turns <= MAX_TURNS_IN_GROUP else max(above.values()) == 10
    for children in (Counter(parents.values())).items():
        assert children[0] is None or children[1] <= MAX_TURNS_IN_GROUP
    if turns > MAX_TURNS_IN_GROUP:
        assert next(group["title"] for group in document["groups"] if group["parent"] == "line 4" and "–" in group["title"]).startswith("turns 1–")


def test_small_statements_have_no_group() -> None:
    document = graph_of(loop("x = torch.tanh(x * 1.1) + 0.1", MAX_UNFOLDED_NODES))
    groups = {node["line"]: node["group"] for node in document["nodes"] if node["kind"] == "operation" and node["line"] != 4 and node["line"] != 5}
    assert set(groups.values()) == {None}
    assert {group["line"] for group in document["groups"]} == {4}


def test_a_large_statement_outside_of_loops_is_one_group() -> None:
    long = " + ".join(["torch.tanh(x)"] * (MAX_UNFOLDED_NODES // 2 + 5))
    document = graph_of(f"{HEAD}x = {long}{TAIL}")
    assert [(group["id"], group["parent"], group["line"]) for group in document["groups"]] == [("line 4", None, 4)]
    assert document["groups"][0]["title"].startswith("x = torch.tanh(x) + ")
    members = [node for node in document["nodes"] if node["group"] == "line 4"]
    assert len(members) == 2 * (MAX_UNFOLDED_NODES // 2 + 5) - 1 > MAX_UNGROUPED_NODES


def test_a_constant_is_in_the_group_of_its_operation() -> None:
    document = graph_of(loop("c = torch.ones(2)\nx = torch.tanh(x * c) + 0.1", MAX_UNFOLDED_NODES // 3 + 5))
    groups = {node["id"]: node["group"] for node in document["nodes"]}
    constants = {node["id"] for node in document["nodes"] if node["kind"] == "constant" and node["name"] == "c"}
    assert len(constants) == MAX_UNFOLDED_NODES // 3 + 5
    for edge in document["edges"]:
        assert edge["from"] not in constants or groups[edge["from"]] == groups[edge["to"]] is not None


@pytest.mark.parametrize("nodes", [MAX_UNFOLDED_NODES, MAX_UNFOLDED_NODES + 1])
def test_small_graphs_have_no_groups(nodes: int) -> None:
    source = "x = torch.tensor([0.5], requires_grad=True)\n" + f"for i in range({nodes - 2}):\n    x = x + 0.1\nx.sum().backward()"
    document = graph_of(source)
    assert len([node for node in document["nodes"] if node["kind"] != "constant"]) == nodes
    assert bool(document["groups"]) == (nodes > MAX_UNFOLDED_NODES)
    assert any(node["group"] for node in document["nodes"]) == (nodes > MAX_UNFOLDED_NODES)


BIG = "torch.manual_seed(0)\nx = torch.randn({}, requires_grad=True)\nw = x\nfor i in range({}):\n    x = torch.tanh(x * w) + 0.1\nx.sum().backward()"


@pytest.mark.parametrize(("shape", "turns"), [("(16,)", 200), ("(4, 4)", 200), ("(1000,)", 131), ("(25, 40)", 131)])
def test_documents_of_large_graphs_are_below_8_mebibytes(shape: str, turns: int) -> None:
    """The largest graph with all values, and the largest with the values of small tensors only."""
    execution = graph.run(BIG.format(shape, turns), {"device": torch.device("cpu")})
    assert execution.error is None
    assert len(json.dumps(graph.document(execution, tile))) < 8 * 2**20


def test_a_graph_with_too_many_nodes_is_refused() -> None:
    with pytest.raises(PlaygroundError, match="nodes"):
        graph_of("x = torch.tensor([0.5], requires_grad=True)\n" + f"for i in range({graph.MAX_NODES}):\n    x = x + 0.1\nx.sum().backward()")
