"""Which cells made which: against expectations worked out by hand, and against brute force that knows nothing of how it is found out."""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.tensors.interpreter import run
from playground.tensors.lineage import Lineage, lineage
from playground.tensors.provenance import Deadline, undisturbed
from playground.tensors.tracing import Statement

MODULES = {"torch": torch, "np": np, "F": torch.nn.functional}


def last_statement(source: str, names: dict[str, Any]) -> Statement:
    execution = run(source, names)
    assert execution.error is None, f"{execution.error} of {source!r}"
    return [statement for node, statement in execution.tracer.statements.items() if not isinstance(node, ast.For)][-1]


def followed(source: str, names: dict[str, Any]) -> Lineage:
    with undisturbed():
        found = lineage(last_statement(source, names), Deadline(10))
    assert found.reason == "", f"{found.reason} of {source!r}"
    return found


def written(matrix: Any) -> str:
    """For each output cell the input cells that made it: `0+1 2 -`."""
    return " ".join("+".join(map(str, np.nonzero(row)[0])) or "-" for row in np.asarray(matrix.todense()))


# --- by hand ---------------------------------------------------------------------------------------------------------

ROWS, COLUMNS, ALL = "0+1+2 3+4+5", "0+3 1+4 2+5", "0+1+2+3+4+5"
SAME = "0 1 2 3 4 5"
EACH_ROW = "0+1+2 0+1+2 0+1+2 3+4+5 3+4+5 3+4+5"


def inputs() -> dict[str, Any]:
    return {
        "x": torch.tensor([[1.0, 5.0, 3.0], [6.0, 2.0, 4.0]]),
        "y": torch.tensor([[0.5, -1.0, 2.0], [7.0, 0.0, -3.0]]),
        "a": torch.tensor([[1.0, 2.0], [0.0, -1.0], [3.0, 1.0]]),
        "v": torch.tensor([2.0, -1.0, 0.0]),
        "w": torch.tensor([4.0, 5.0]),
        "b": torch.arange(8.0).view(2, 2, 2),
        "c": torch.ones(2, 2, 2),
        "t": torch.arange(8.0).view(1, 2, 2, 2),
        "image": torch.arange(9.0).view(1, 1, 3, 3),
        "four": torch.arange(16.0).view(1, 1, 4, 4),
        "kernel": torch.tensor([[[[1.0, 0.0], [0.0, -1.0]]]]),
        "m": torch.tensor([[True, False, True], [False, True, False]]),
        "k": torch.tensor([1, 0]),
        "j": torch.tensor([[2, 0], [1, 1]]),
        "i": torch.tensor([[3, 1, 2], [0, 5, 4]]),
        "n": np.arange(6.0).reshape(2, 3),
    }


BY_HAND: list[tuple[str, dict[str, str]]] = [
    # Views
    ("x.T", {"x": "0 3 1 4 2 5"}),
    ("x.t().contiguous()", {"x": "0 3 1 4 2 5"}),
    ("b.permute(2, 0, 1)", {"b": "0 2 4 6 1 3 5 7"}),
    ("b.transpose(1, 2)", {"b": "0 2 1 3 4 6 5 7"}),
    ("x.reshape(3, 2)", {"x": SAME}),
    ("x.T.reshape(2, 3)", {"x": "0 3 1 4 2 5"}),
    ("v[:, None].expand(3, 2)", {"v": "0 0 1 1 2 2"}),
    ("v.expand(2, 3)", {"v": "0 1 2 0 1 2"}),
    ("x.unfold(1, 2, 1)", {"x": "0 1 1 2 3 4 4 5"}),
    ("x.flip(1)", {"x": "2 1 0 5 4 3"}),
    ("x.roll(1, 1)", {"x": "2 0 1 5 3 4"}),
    ("x.repeat(1, 2)", {"x": "0 1 2 0 1 2 3 4 5 3 4 5"}),
    ("x.tril()", {"x": "0 - - 3 4 -"}),
    ("torch.diag(w)", {"w": "0 - - 1"}),
    ("F.pad(x, (1, 0))", {"x": "- 0 1 2 - 3 4 5"}),
    ("x.double()", {"x": SAME}),
    ("x.long()", {"x": SAME}),
    # Indexing
    ("x[1]", {"x": "3 4 5"}),
    ("x[:, ::2]", {"x": "0 2 3 5"}),
    ("x[..., -1]", {"x": "2 5"}),
    ("x[1, None, :2]", {"x": "3 4"}),
    ("x[[1, 0, 1]]", {"x": "3 4 5 0 1 2 3 4 5"}),
    ("x[[0, 1], [2, 0]]", {"x": "2 3"}),
    ("x[k]", {"x": "3 4 5 0 1 2", "k": "0 0 0 1 1 1"}),
    ("x[:, k]", {"x": "1 0 4 3", "k": "0 1 0 1"}),
    ("x[m]", {"x": "0 2 4"}),
    ("x.masked_select(m)", {"x": "0 2 4"}),
    ("x[x > 2.5]", {"x": "1 2 3 5"}),
    ("i[1]", {"i": "3 4 5"}),
    ("m.T", {"m": "0 3 1 4 2 5"}),
    ("n[:, 1]", {"n": "1 4"}),
    # Broadcasting
    ("x + v", {"x": SAME, "v": "0 1 2 0 1 2"}),
    ("x * w[:, None]", {"x": SAME, "w": "0 0 0 1 1 1"}),
    ("v + w[:, None]", {"v": "0 1 2 0 1 2", "w": "0 0 0 1 1 1"}),
    ("i * 2 + 1", {"i": SAME}),
    ("x > y", {"x": SAME, "y": SAME}),
    ("n + n[0]", {"n": "0 1 2 0+3 1+4 2+5"}),
    # Products
    ("x @ a", {"x": "0+1+2 0+1+2 3+4+5 3+4+5", "a": "0+2+4 1+3+5 0+2+4 1+3+5"}),
    ("b.bmm(c)", {"b": "0+1 0+1 2+3 2+3 4+5 4+5 6+7 6+7", "c": "0+2 1+3 0+2 1+3 4+6 5+7 4+6 5+7"}),
    ("x.mv(v)", {"x": ROWS, "v": "0+1+2 0+1+2"}),
    ("torch.outer(w, v)", {"w": "0 0 0 1 1 1", "v": "0 1 2 0 1 2"}),
    ("torch.einsum('ij,kj->ik', x, y)", {"x": "0+1+2 0+1+2 3+4+5 3+4+5", "y": "0+1+2 3+4+5 0+1+2 3+4+5"}),
    ("torch.einsum('nii->ni', b)", {"b": "0 3 4 7"}),
    ("torch.einsum('ij->j', x)", {"x": COLUMNS}),
    ("F.linear(x, y, w)", {"x": "0+1+2 0+1+2 3+4+5 3+4+5", "y": "0+1+2 3+4+5 0+1+2 3+4+5", "w": "0 1 0 1"}),
    # Reductions
    ("x.sum(dim=0)", {"x": COLUMNS}),
    ("x.mean(dim=1, keepdim=True)", {"x": ROWS}),
    ("x.std()", {"x": ALL}),
    ("b.sum((0, 2))", {"b": "0+1+4+5 2+3+6+7"}),
    ("x.max(dim=1)[0]", {"x": ROWS}),
    ("x.max(dim=1)[1]", {"x": ROWS}),
    ("x.argmin(0)", {"x": COLUMNS}),
    ("i.sum(1)", {"i": ROWS}),
    ("m.any(1)", {"m": ROWS}),
    ("n.sum(axis=0)", {"n": COLUMNS}),
    ("x.cumsum(1)", {"x": "0 0+1 0+1+2 3 3+4 3+4+5"}),
    ("x.sort(dim=1)[0]", {"x": EACH_ROW}),
    ("x.argsort(dim=1)", {"x": EACH_ROW}),
    ("x.topk(1, dim=0)[0]", {"x": COLUMNS}),
    ("x.softmax(1)", {"x": EACH_ROW}),
    ("F.layer_norm(x, (3,))", {"x": EACH_ROW}),
    # Joining and picking
    ("torch.cat([x, y], 1)", {"x": "0 1 2 - - - 3 4 5 - - -", "y": "- - - 0 1 2 - - - 3 4 5"}),
    ("torch.stack([x[0], y[1]], 1)", {"x": "0 - 1 - 2 -", "y": "- 3 - 4 - 5"}),
    ("np.vstack([n, n[:1]])", {"n": "0 1 2 3 4 5 0 1 2"}),
    ("x.gather(1, j)", {"x": "2 0 4 4", "j": "0 1 2 3"}),
    ("torch.zeros(2, 3).scatter(1, torch.tensor([[2, 0], [0, 1]]), y)", {"y": "1 - 0 3 4 -"}),
    ("torch.zeros(3, 3).index_add(0, torch.tensor([2, 2]), x)", {"x": "- - - - - - 0+3 1+4 2+5"}),
    ("x.index_select(1, k)", {"x": "1 0 4 3", "k": "0 1 0 1"}),
    ("torch.take_along_dim(x, j[:, :1], 1)", {"x": "2 4", "j": "0 2"}),
    ("F.embedding(k, a)", {"k": "0 0 1 1", "a": "2 3 0 1"}),
    ("F.one_hot(k, 3)", {"k": "0 0 0 1 1 1"}),
    ("F.one_hot(k)", {"k": "0 0 1 1"}),
    ("torch.where(m, x, y)", {"m": SAME, "x": "0 - 2 - 4 -", "y": "- 1 - 3 - 5"}),
    ("x.masked_fill(m, 0)", {"m": SAME, "x": "- 1 - 3 - 5"}),
    ("x.where(m, 0)", {"m": SAME, "x": "0 - 2 - 4 -"}),
    ("m & (x > 0)", {"m": SAME, "x": SAME}),
    # Pictures
    ("F.conv2d(image, kernel)", {"image": "0+1+3+4 1+2+4+5 3+4+6+7 4+5+7+8", "kernel": "0+1+2+3 0+1+2+3 0+1+2+3 0+1+2+3"}),
    ("F.max_pool2d(four, 2)", {"four": "0+1+4+5 2+3+6+7 8+9+12+13 10+11+14+15"}),
    ("F.avg_pool2d(four, 2)[0, 0, 1]", {"four": "8+9+12+13 10+11+14+15"}),
    # Four dimensions
    ("t.permute(0, 2, 3, 1)", {"t": "0 4 1 5 2 6 3 7"}),
    ("t.mean((2, 3))", {"t": "0+1+2+3 4+5+6+7"}),
    ("t[:, 1:, :, 0]", {"t": "4 6"}),
    # Several operations in one statement
    ("(x @ a).relu().sum(0)", {"x": f"{ALL} {ALL}", "a": "0+2+4 1+3+5"}),
    ("x.T.reshape(2, 3)[:, 1]", {"x": "3 2"}),
    ("torch.cat([x, x + 1])[[0, 3]]", {"x": SAME}),
    ("(x - x.mean(1, keepdim=True)) ** 2", {"x": EACH_ROW}),
    ("x - x", {"x": SAME}),
    ("x[0].sum() + y[:, 2]", {"x": "0+1+2 0+1+2", "y": "2 5"}),
    ("torch.from_numpy(x.numpy().T)[1]", {"x": "1 4"}),
    ("torch.arange(3) + 1", {}),
    ("torch.zeros_like(x)", {}),
    ("x.shape[0] + v", {"v": "0 1 2"}),
]

IN_PLACE: list[tuple[str, dict[str, dict[str, str]]]] = [
    ("x[0] += 1", {"x": {"x": SAME}}),
    ("x[0] *= v", {"x": {"x": SAME, "v": "0 1 2 - - -"}}),
    ("x[:, 1] = 0", {"x": {"x": "0 - 2 3 - 5"}}),
    ("x[0] = v", {"x": {"x": "- - - 3 4 5", "v": "0 1 2 - - -"}}),
    ("x[m] = 0", {"x": {"x": "- 1 - 3 - 5", "m": SAME}}),
    ("x.T[0] = w", {"x": {"x": "- 1 2 - 4 5", "w": "0 - - 1 - -"}}),
    ("z = x.view(-1).add_(y.reshape(-1))", {"x": {"x": SAME, "y": SAME}, "z": {"x": SAME, "y": SAME}}),
    ("x.view(-1)[4:].mul_(w)", {"x": {"x": SAME, "w": "- - - - 0 1"}, "x.view(-1)[4:].mul_(w)": {"x": "4 5", "w": "0 1"}}),
    ("x.zero_()", {"x": {}}),
    ("x.copy_(v)", {"x": {"v": "0 1 2 0 1 2"}}),
    ("x.clamp_(min=2)", {"x": {"x": SAME}}),
    ("x += v", {"x": {"x": SAME, "v": "0 1 2 0 1 2"}}),
    ("x = x + v", {"x": {"x": SAME, "v": "0 1 2 0 1 2"}}),
    ("r = x.add_(1)[0]", {"x": {"x": SAME}, "r": {"x": "0 1 2"}}),
    ("one, two = x", {"one": {"x": "0 1 2"}, "two": {"x": "3 4 5"}}),
    ("x, y = y, x", {"x": {"y": SAME}, "y": {"x": SAME}}),
    ("parts = x.split(2, dim=1)", {"parts[0]": {"x": "0 1 3 4"}, "parts[1]": {"x": "2 5"}}),
    ("first = x[0]\nx += 1", {"x": {"x": SAME}, "first": {"x": "0 1 2"}}),
    ("first = x[0]\nfirst[:] = v", {"x": {"v": "0 1 2 - - -", "x": "- - - 3 4 5"}, "first": {"v": "0 1 2"}}),
    ("q = x.numpy()\nq[0] = 7", {"q": {"q": "- - - 3 4 5"}, "x": {"q": "- - - 3 4 5"}}),
    ("q = x.numpy()\nx[0] = 7", {"q": {"x": "- - - 3 4 5"}, "x": {"x": "- - - 3 4 5"}}),
    ("q = torch.from_numpy(n)\nn[1] += n[0]", {"q": {"q": "0 1 2 - - -", "n": "- - - 0+3 1+4 2+5"}, "n": {"n": "0 1 2 0+3 1+4 2+5"}}),
    ("q = torch.from_numpy(n)\nq[:, 0] = w.double()", {"q": {"q": "- 1 2 - 4 5", "w": "0 - - 1 - -"}, "n": {"q": "- 1 2 - 4 5", "w": "0 - - 1 - -"}}),
    ("for row in range(2):\n    x[row] = v * row", {"x": {"x": "0 1 2 - - -", "v": "- - - 0 1 2"}}),
]


@pytest.mark.parametrize(("expression", "wanted"), BY_HAND, ids=[case[0] for case in BY_HAND])
def test_cells_come_from_where_they_come_from(expression: str, wanted: dict[str, str]) -> None:
    made = followed(f"r = {expression}", inputs()).made["r"]
    assert {name: written(matrix) for name, matrix in made.items()} == wanted


@pytest.mark.parametrize(("source", "wanted"), IN_PLACE, ids=[case[0].replace("\n", "; ") for case in IN_PLACE])
def test_cells_of_everything_that_a_statement_leaves(source: str, wanted: dict[str, dict[str, str]]) -> None:
    made = followed(source, inputs()).made
    assert {name: {source: written(matrix) for source, matrix in sources.items()} for name, sources in made.items()} == wanted
