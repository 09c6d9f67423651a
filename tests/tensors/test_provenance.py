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

from playground.tensors.language.interpreter import run
from playground.tensors.language.tracing import Statement
from playground.tensors.xray.lineage import Lineage, lineage
from playground.tensors.xray.provenance import Deadline, undisturbed

from ..support.tiers import repetitions

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
    ("x.bool()", {"x": SAME}),
    ("x.to(torch.bool)", {"x": SAME}),
    ("x.byte()", {"x": SAME}),
    ("x.bool().sum()", {"x": ALL}),
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
    # Random numbers, the same whenever the operation is performed again
    ("torch.normal(x, 0.1)", {"x": SAME}),
    ("np.random.normal(n, 0.1)", {"n": SAME}),
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
    made = followed(f"r = {expression}", inputs()).outputs["r"]
    assert {name: written(matrix) for name, matrix in made.items()} == wanted


@pytest.mark.parametrize(("source", "wanted"), IN_PLACE, ids=[case[0].replace("\n", "; ") for case in IN_PLACE])
def test_cells_of_everything_that_a_statement_leaves(source: str, wanted: dict[str, dict[str, str]]) -> None:
    made = followed(source, inputs()).outputs
    assert {name: {source: written(matrix) for source, matrix in sources.items()} for name, sources in made.items()} == wanted


# --- by brute force --------------------------------------------------------------------------------------------------

SHAPES = {"A": (2, 3), "B": (2, 3), "C": (3,), "D": (3, 2), "E": (2, 2, 2), "G": (2, 1, 2, 2), "I": (2, 3), "J": (3,), "M": (2, 3), "N": (3,), "K": (3,)}
"""I and J hold whole numbers, M and N booleans, K places (0 or 1); everything else is real."""
PLAIN = ("A", "B", "C", "D", "E", "G", "I", "J", "A.double()", "(I + 1)", "I.float()")
MOVED = (
    "A[[1, 0, 1], [2, 2, 0]]", "A.gather(1, torch.tensor([[2, 0], [1, 1]]))", "B.new_full((2, 3), 1.5).scatter(1, torch.tensor([[2, 0], [0, 1]]), B)",
    "A.new_ones(3, 3).index_add(0, torch.tensor([2, 0]), A)", "A.take_along_dim(torch.tensor([[2], [0]]), 1)", "F.pad(D, (0, 1), value=2)",
    "A[torch.tensor([[True, False, True], [False, True, True]])]", "torch.atleast_3d(C)", "(torch.diag(J) + 4)", "E.diagonal(0, 1, 2)", "D.unfold(0, 2, 1)",
    "(torch.tril(A) + 3)",
)  # fmt: skip
CHOSEN = (
    "A[K]", "D[K]", "A.index_select(0, K)", "E[:, K]", "F.embedding(K, D)", "torch.where(M, A, B)", "torch.where(N, A, C)", "A.masked_fill(M, 0)",
    "torch.where(M, I, J)", "A.where(N, 2)", "(M & N)", "(M | N)", "(M ^ N)", "(~M)", "M.T", "M.float()", "(M * 2)", "(M + A)", "((I & 3) + 1)", "M.sum(1)",
    "(N != M)",
)  # fmt: skip
"""Of what stands there twice, or is chosen by indices and masks, no maximum is taken: it does not tell two equal cells apart."""
SMOOTH = ("{}.exp()", "{}.tanh()", "torch.sigmoid({})", "({} ** 3)", "{}.atan()")
LINEAR = ("({} * 2)", "(1 - {})", "({} / 3)", "(-{})", "{}.double()", "{}.clone()", "torch.add({}, 1)")
BENT = ("{}.clamp(0.2, 0.7)", "torch.relu({})", "{}.floor()", "{}.round()", "{}.abs()", "{}.sign()", "({} > 0.5)", "({} <= 0.1)", "({} % 2)", "F.relu6({})")
ORDER = (
    "{0}.max(dim={1})[0]",
    "{0}.amin({1}, keepdim=True)",
    "{0}.sort(dim={1})[0]",
    "{0}.median(dim={1})[0]",
    "{0}.topk(1, dim={1})[0]",
    "{0}.cummax({1})[0]",
)
LAST = ("{0}.argmax({1})", "{0}.softmax({1})", "{0}.argsort(dim={1})", "{0}.std(dim={1})", "F.normalize({0}, dim={1})", "{0}.log_softmax({1})")
LAST += ("{0}.diff(dim={1})", "{0}.var({1}, keepdim=True)")
REPEATING = (" + ", " - ", " * ", " @ ", ", ", "expand", "tile", "repeat", "[", "cumsum")
"""After these the same cell, or a constant, may stand twice in a row, and what compares the cells of a row may not notice it."""
PAIRED = ("({} + {})", "({} - {})", "({} * {})", "({} @ {})", "torch.outer({}.flatten(), {}.flatten())", "torch.maximum({}, {})", "torch.hypot({}, {})")
PAIRED += ("torch.einsum('ij,j->i', {}, {})", "torch.bmm({}, {})", "torch.cat([{}, {}])", "torch.stack([{}, {}], -1)", "F.linear({}, {})")
LOOSE = ("({} + {})", "({} - {})", "torch.cat([{}, {}])", "torch.stack([{}, {}], -1)")
"""What does not multiply: nothing is seen through a mask that is False."""
AMOUNTS = (1000.3, -1000.7, 0.0, 0.05, -0.05)


def originals() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    names = {name: torch.rand(shape, generator=generator) for name, shape in SHAPES.items()}
    names |= {name: torch.randint(0, 5, SHAPES[name], generator=generator) for name in "IJ"}
    return {**names, "M": names["M"] > 0.5, "N": torch.tensor([True, False, True]), "K": torch.tensor([1, 0, 1])}


def used_in(text: str) -> list[str]:
    return sorted({node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)} & SHAPES.keys())


def python_s_own(code: CodeType, names: dict[str, torch.Tensor]) -> torch.Tensor | None:
    try:
        return eval(code, MODULES, {name: value.clone() for name, value in names.items()})  # noqa: S307 (code from this file)
    except (RuntimeError, IndexError, TypeError, ValueError):
        return None


class BruteForce:
    """Evaluates an expression again and again with one input cell changed. It knows nothing of operations."""

    def __init__(self, text: str) -> None:
        self.code = compile(text, "<generated>", "eval")
        self.actual = {name: originals()[name] for name in used_in(text)}
        self.generator = torch.Generator().manual_seed(8)
        whole = [name for name, value in self.actual.items() if not value.is_floating_point()]
        ways = (set(way) for count in range(len(whole) + 1) for way in itertools.combinations(whole, count))
        self.fixed = next((way for way in ways if self.outputs(self._as_real(way)) is not None), None)

    def _as_real(self, fixed: set[str]) -> dict[str, torch.Tensor]:
        return {name: value if name in fixed else value.double() for name, value in self.actual.items()}

    def outputs(self, names: dict[str, torch.Tensor]) -> np.ndarray | None:
        result = python_s_own(self.code, names)
        return None if result is None else result.double().reshape(-1).numpy()

    def bases(self) -> Iterator[dict[str, torch.Tensor]]:
        for low, high in ((0.1, 0.9), (0.2, 0.8), (-0.9, 0.9), (-5.0, 5.0), (-2.0, 3.0), (0.0, 0.0)):
            yield {
                name: value.clone() if name in self.fixed else torch.rand(value.shape, generator=self.generator, dtype=torch.float64) * (high - low) + low
                for name, value in self.actual.items()
            }

    def sources(self, name: str) -> np.ndarray:
        """Output cells × cells of one input."""
        found = [self._of_fixed(name, base) if name in self.fixed else self._of_real(name, base) for base in self.bases()]
        return np.any(found, axis=0)

    def _of_real(self, name: str, base: dict[str, torch.Tensor]) -> np.ndarray:
        return self._changes(name, base, lambda old: [old + amount if 0 < abs(amount) < 1 else amount for amount in AMOUNTS])

    def _of_fixed(self, name: str, base: dict[str, torch.Tensor]) -> np.ndarray:
        if base[name].dtype is torch.bool:
            others = [other for other in self.fixed if other != name and base[other].dtype is torch.bool]
            contexts = [base, *({**base, other: torch.full_like(base[other], fill)} for other in others for fill in (True, False))]
            return np.any([self._changes(name, context, lambda old: [not old]) for context in contexts], axis=0)
        return self._changes(name, base, lambda _old: [0, 1] if name == "K" else [0, 1, 2, 3])

    def _changes(self, name: str, base: dict[str, torch.Tensor], values: Callable[[Any], list[Any]]) -> np.ndarray:
        before = self.outputs(base)
        assert before is not None
        columns = []
        for cell, old in enumerate(base[name].reshape(-1).tolist()):
            changed = np.zeros(len(before), dtype=bool)
            for value in values(old):
                other = base[name].clone()
                other.view(-1)[cell] = value
                after = self.outputs({**base, name: other})
                assert after is not None and len(after) == len(before)
                changed |= ~((before == after) | (np.isnan(before) & np.isnan(after)))
            columns.append(changed)
        return np.stack(columns, axis=1)


def moves(draw: Any, text: str, shape: tuple[int, ...]) -> str:
    """An operation that moves cells, adds along a dimension, or repeats."""
    rank, count = len(shape), math.prod(shape)
    dim, other = (draw(st.integers(-rank, rank - 1)) for _ in range(2)) if rank else (0, 0)
    order = draw(st.permutations(range(rank)))
    rows = draw(st.sampled_from([size for size in range(1, count + 1) if count % size == 0]))
    picks = [":", "0", "-1", "1:", "::2", "None", "...", "[0, -1]", "[-1]"]
    parts = ", ".join(draw(st.lists(st.sampled_from(picks), min_size=1, max_size=rank + 1)))
    choices = [
        f"{text}.T" if rank == 2 else f"{text}.mT", f"{text}.unsqueeze({dim})",
        f"{text}.permute({tuple(order)})", f"{text}.transpose({dim}, {other})", f"{text}.reshape({rows}, -1)", f"{text}.flatten()",
        f"{text}[{parts}]", f"{text}[{parts}]", f"{text}.squeeze()", f"{text}.flip({dim})", f"{text}.roll(1, {dim})",
        f"{text}.sum({dim})", f"{text}.mean({dim}, keepdim=True)", f"{text}.cumsum({dim})", f"{text}.sum()", f"{text}.expand(2, {', '.join(['-1'] * rank)})",
        f"{text}.repeat_interleave(2, {dim})", f"torch.from_numpy(np.flip({text}.numpy(), {dim}).copy())", f"torch.as_tensor({text}.numpy().T)",
        f"torch.as_tensor(np.cumsum({text}.numpy(), axis={dim}))", f"{text}.split(1, {dim})[0]", f"{text}.unbind({dim})[-1]", f"torch.tile({text}, (2,))",
        f"F.avg_pool2d({text}, 2)", f"F.conv2d({text}, torch.ones(1, 1, 2, 1, dtype={text}.dtype))", f"{text}.movedim({dim}, {other})",
    ]  # fmt: skip
    return draw(st.sampled_from(choices))


@st.composite
def expressions(draw: Any) -> str:
    """Expressions that use each input once, so that nothing cancels, and bend at most once, so that no bend hides another."""
    with undisturbed():
        return grown_expression(draw)


def grown_expression(draw: Any) -> str:
    kind = draw(st.sampled_from([PLAIN, PLAIN, MOVED, CHOSEN]))
    text = draw(st.sampled_from(kind))
    bent, curved = kind is not PLAIN, False
    for _ in range(draw(st.integers(1, 4))):
        value = shape_of(text)
        action = draw(st.sampled_from(["move", "move", "move", "pair", "pair", "linear", "smooth", "bend", "order"]))
        if action == "pair":
            grown = paired(draw, text, LOOSE if bent else PAIRED)
        elif action == "linear":
            grown = draw(st.sampled_from(LINEAR)).format(text)
        elif action == "smooth" and not bent:
            grown = draw(st.sampled_from(SMOOTH)).format(text)
        elif action == "bend" and not bent and not curved:
            grown = draw(st.sampled_from(BENT)).format(text)
        elif action == "order" and not bent and (along := longer(draw, value)) is not None:
            grown = draw(st.sampled_from(ORDER)).format(text, along)
        else:
            grown = moves(draw, text, value)
        if is_small(grown):
            text, bent, curved = grown, bent or action in ("bend", "order") or "maximum" in grown or "hypot" in grown, curved or action == "smooth"
    along = longer(draw, shape_of(text))
    if not bent and along is not None and not any(word in text for word in REPEATING) and draw(st.booleans()):
        last = draw(st.sampled_from(LAST)).format(text, along)
        text = last if is_small(last) else text
    return text


def paired(draw: Any, text: str, templates: tuple[str, ...]) -> str:
    """The expression and an input that it does not use yet, in an operation that takes both."""
    fresh = [leaf for leaf in PLAIN if not set(used_in(leaf)) & set(used_in(text))]
    pairs = [pair for other in fresh for pair in ((text, other), (other, text))]
    fitting = [grown for template in templates for pair in pairs if evaluated(grown := template.format(*pair)) is not None]
    return draw(st.sampled_from([text, *fitting]))


def longer(draw: Any, shape: tuple[int, ...]) -> int | None:
    """A dimension of more than one cell."""
    found = [dim for dim, size in enumerate(shape) if size > 1]
    return draw(st.sampled_from(found)) if found else None


def evaluated(text: str) -> torch.Tensor | None:
    return python_s_own(compile(text, "<generated>", "eval"), originals())


def shape_of(text: str) -> tuple[int, ...]:
    value = evaluated(text)
    assert value is not None
    return tuple(value.shape)


def is_small(text: str) -> bool:
    value = evaluated(text)
    return isinstance(value, torch.Tensor) and 0 < value.numel() <= 24 and BruteForce(text).fixed is not None


@settings(max_examples=repetitions(400), derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(expressions())
def test_generated_expressions_agree_with_brute_force(expression: str) -> None:
    names = {name: originals()[name] for name in used_in(expression)}
    made = followed(f"r = {expression}", names).outputs["r"]
    with undisturbed():
        wanted = {name: BruteForce(expression).sources(name) for name in names}
    found = {name: np.asarray(made[name].todense()) if name in made else np.zeros_like(wanted[name]) for name in names}
    for name in names:
        assert np.array_equal(found[name], wanted[name]), f"{name} in {expression}:\n{found[name].astype(int)}, but\n{wanted[name].astype(int)}"
