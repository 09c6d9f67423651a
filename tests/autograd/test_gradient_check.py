"""The gradient check of a script: correct gradients pass and incorrect ones fail, with a row for each cell."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import torch

from playground.autograd import sandbox_tasks
from playground.autograd.gradient_check import CELLS
from playground.errors import PlaygroundError


def check(source: str, **more: Any) -> dict[str, Any]:
    answer = sandbox_tasks.check_gradients({"source": source, "seed": 1, **more})
    return json.loads(json.dumps(answer, allow_nan=False))


def execute(source: str) -> dict[str, Any]:
    """Run the script in Python; return its names."""
    names: dict[str, Any] = {"torch": torch, "F": torch.nn.functional}
    exec(source, names)  # noqa: S102 (a script of this file)
    return names


def assert_passes(source: str) -> dict[str, Any]:
    answer = check(source)
    assert answer["passed"], (answer["message"], answer["rows"])
    assert (answer["message"], answer["omitted"]) == ("", 0)
    for row in answer["rows"]:
        assert row["difference"] == pytest.approx(row["autograd"], abs=1e-5, rel=1e-3)
    return answer


X = "x = torch.tensor([0.5, -1.25, 2.], requires_grad=True)\n"
M = "m = torch.tensor([[0.3, 1.2, -0.4], [0.9, -1.1, 0.2]], requires_grad=True)\n"

SMOOTH = """
    x.exp() :: x.sin() :: x.cosh() :: torch.tanh(x) :: x.sigmoid() :: F.softplus(x) :: x ** 3 :: 1 / (x + 5) :: (x * x + 1).sqrt() :: (x + 2).log()
    x.softmax(0) :: x.logsumexp(0) :: F.gelu(x) :: x.erf() :: x.norm() :: x.var() :: x.std() :: x.prod() :: x.cumsum(0) :: x.cumprod(0) :: x.atan2(x + 4)
    x.abs() :: torch.relu(x) :: x.clamp(-1, 1) :: F.leaky_relu(x) :: F.elu(x) :: x.max() :: x.min() :: x.median() :: x.sort().values ** 2 :: x.flip(0) * x
    m @ x :: m @ m.T :: m.T @ m :: torch.outer(x, x) :: torch.einsum('ij,j->i', m, x) :: (m.unsqueeze(2) * x).sum(1) :: F.linear(x, m)
    m[:, 1:] * m[:, :-1] :: m[1] * x :: m.reshape(3, 2).T * m :: m.expand(4, 2, 3) ** 2 :: torch.cat([x, m.flatten()]) ** 2 :: torch.stack([x, x * x]).prod(0)
    torch.where(m > 0, m * m, m) :: m.masked_fill(m > 0, 0) ** 2 :: m.gather(1, torch.tensor([[0, 2], [1, 1]])) ** 2 :: m[[0, 0, 1], [0, 0, 2]] ** 2
    F.cross_entropy(m, torch.tensor([2, 0])) :: F.mse_loss(m, torch.ones(2, 3)) :: F.log_softmax(m, dim=1)[:, 0] :: F.layer_norm(m, [3]) ** 3
    F.cosine_similarity(m[0], x, dim=0) :: torch.linalg.det(m @ m.T) :: torch.linalg.inv(m @ m.T + torch.eye(2)) :: torch.linalg.solve(m @ m.T, m)
    F.conv1d(m[None], torch.ones(1, 2, 2)) ** 2 :: F.max_pool1d(m, 2) ** 2 :: F.avg_pool1d(m, 2) ** 2 :: F.pad(m, (1, 1)) ** 2 :: m.roll(1, 1) * m
    m.unbind()[0] * m.unbind()[1] :: m.chunk(3, dim=1)[2] ** 2 :: torch.var_mean(m, dim=1)[0] * torch.var_mean(m, dim=1)[1] :: m.amax(1) ** 2 :: m.mean(1) ** 2
"""


@pytest.mark.parametrize("row", [row.strip() for row in SMOOTH.strip().splitlines()])
def test_correct_gradients_pass(row: str) -> None:
    for expression in row.split(" :: "):
        leaves = [name for name in "xm" if re.search(rf"\b{name}\b", expression)]
        definitions = "".join({"x": X, "m": M}[name] for name in leaves)
        assert_passes(f"{definitions}loss = ({expression}).sum() + ({leaves[0]} * {leaves[0]}).sum()\nloss.backward()")


def test_gradients_equal_those_of_autograd_in_float64() -> None:
    answer = check(X + M + "loss = (torch.tanh(m @ x) ** 2).sum()\nloss.backward()")
    exact = execute((X + M).replace("requires_grad", "dtype=torch.float64, requires_grad") + "loss = (torch.tanh(m @ x) ** 2).sum()\nloss.backward()")
    single = execute(X + M)
    assert [(row["name"], row["cell"]) for row in answer["rows"]] == [("x", [i]) for i in range(3)] + [("m", [i, j]) for i in range(2) for j in range(3)]
    for row in answer["rows"]:
        place = tuple(row["cell"])
        assert row["value"] == single[row["name"]][place].item()
        assert row["autograd"] == pytest.approx(exact[row["name"]].grad[place].item(), rel=1e-5)


def test_a_scalar_leaf_has_one_row() -> None:
    answer = assert_passes("x = torch.tensor(3., requires_grad=True)\nloss = x ** 3\nloss.backward()")
    assert [(row["cell"], row["value"], row["autograd"]) for row in answer["rows"]] == [([], 3.0, 27.0)]


def test_random_constants_are_the_same_at_every_evaluation() -> None:
    source = "inputs = torch.randn(5, 3)\nnoise = torch.rand(5) * 0.1\nw = torch.randn(3, requires_grad=True)\n"
    source += "loss = ((inputs @ w - noise) ** 2).mean()\nloss.backward()"
    torch.manual_seed(1)
    names = execute(source)
    for row in assert_passes(source)["rows"]:
        assert row["value"] == names["w"][row["cell"][0]].item()  # the values drawn in float32, not others drawn in float64
        assert row["autograd"] == pytest.approx(names["w"].grad[row["cell"][0]].item(), rel=1e-5)


def test_dropout_drops_the_same_cells_at_every_evaluation() -> None:
    assert_passes("x = torch.randn(12, requires_grad=True)\nloss = (F.dropout(x, 0.5) ** 2).sum()\nloss.backward()")


WRONG = [
    "loss = (x * x.detach()).sum()",
    "y = (x * x).detach()\nloss = (x * y).sum()",
    "with torch.no_grad():\n    y = x * 2\nloss = (x + y).sum()",
    "c = x.sum().item()\nloss = (x * c).sum()",
    "y = x * x\ny.data.mul_(2)\nloss = (y * x).sum()",
    "y = torch.tensor(x.tolist())\nloss = (x * y).sum()",
]


@pytest.mark.parametrize("body", WRONG, ids=range(len(WRONG)))
def test_incorrect_gradients_fail(body: str) -> None:
    answer = check(f"{X}{body}\nloss.backward()")
    assert not answer["passed"]
    assert "Jacobian mismatch" in answer["message"] and "numerical" in answer["message"] and "analytical" in answer["message"]
    assert any(row["autograd"] != pytest.approx(row["difference"], abs=1e-3, rel=1e-2) for row in answer["rows"])


def test_a_point_without_a_derivative_fails() -> None:
    answer = check("x = torch.tensor([0., 2.], requires_grad=True)\nloss = x.relu().sum()\nloss.backward()")
    assert [(row["autograd"], round(row["difference"], 6)) for row in answer["rows"]] == [(0.0, 0.5), (1.0, 1.0)]
    assert not answer["passed"]


@pytest.mark.parametrize("expression", ["x.sqrt()", "x.log()", "1 / x"])
def test_non_finite_gradients_can_be_serialised(expression: str) -> None:
    answer = check(f"x = torch.tensor([0., 2.], requires_grad=True)\nloss = ({expression}).sum()\nloss.backward()")
    assert not answer["passed"]
    assert answer["rows"][1]["autograd"] == pytest.approx({"x.sqrt()": 2**-0.5 / 2, "x.log()": 0.5, "1 / x": -0.25}[expression])


def test_only_the_first_of_many_cells_are_compared() -> None:
    rows, columns = 8, 10
    answer = check(f"x = torch.randn({rows}, {columns}, requires_grad=True)\nloss = (x ** 3).sum()\nloss.backward()")
    assert answer["passed"] and not answer["gradcheck"]
    assert (len(answer["rows"]), answer["omitted"]) == (CELLS, rows * columns - CELLS)
    assert answer["rows"][-1]["cell"] == [(CELLS - 1) // columns, (CELLS - 1) % columns]
    wrong = check(f"x = torch.randn({rows}, {columns}, requires_grad=True)\nloss = (x * x.detach()).sum()\nloss.backward()")
    assert not wrong["passed"]


def test_gradcheck_runs_up_to_the_limit_of_cells() -> None:
    answer = check(f"x = torch.randn({CELLS}, requires_grad=True)\nloss = (x ** 3).sum()\nloss.backward()")
    assert (answer["passed"], answer["gradcheck"], len(answer["rows"]), answer["omitted"]) == (True, True, CELLS, 0)


DTYPES = [
    "x = torch.tensor([1.3, 2.7], requires_grad=True)\nloss = (x.float() ** 2).sum()",
    "x = torch.tensor([1.3, 2.7], requires_grad=True)\nloss = (x.double() * 2).float().sin().sum()",
    "x = torch.tensor([1.3, 2.7], dtype=torch.float64, requires_grad=True)\nloss = (x.to(torch.float32) ** 2).sum()",
    "x = torch.tensor([1.3, 2.7], dtype=torch.float64, requires_grad=True)\nloss = (x.to(dtype=torch.float32) ** 2).sum()",
    "x = torch.tensor([1.3, 2.7], requires_grad=True)\nloss = (x ** 2).sum(dtype=torch.float32)",
    "x = torch.tensor([1.3, 2.7], requires_grad=True)\nloss = F.softmax(x, dim=0, dtype=torch.float32)[0] ** 2",
    "c = torch.ones(2)\nx = torch.tensor([1.3, 2.7], dtype=torch.float64, requires_grad=True)\nloss = (x.type_as(c) ** 2).sum()",
    "x = torch.tensor([1.3, 2.7], dtype=torch.float64, requires_grad=True)\nloss = (x * torch.tensor([1, 2]) + torch.arange(2).float()).prod()",
    "x = torch.tensor([1.3, 2.7], dtype=torch.float16, requires_grad=True)\nloss = (x ** 2).sum()",
    "x = torch.tensor([1.3, 2.7], requires_grad=True)\nloss = (x.bfloat16() ** 2).sum()",
    "torch.set_default_dtype(torch.float64)\nx = torch.tensor([1.3, 2.7], requires_grad=True)\nloss = (x.float() ** 2).sum()",
]


@pytest.mark.parametrize("body", DTYPES, ids=lambda body: body.rpartition("loss = ")[2])
def test_intermediate_results_are_in_float64(body: str) -> None:
    assert_passes(f"{body}\nloss.backward()")


A6 = """torch.manual_seed(0)
inputs = torch.randn(20, 3)
targets = inputs @ torch.tensor([1., -2., 3.])
weight = torch.zeros(3, requires_grad=True)
for step in range(30):
    loss = ((inputs @ weight - targets) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        weight -= 0.1 * weight.grad
        weight.grad.zero_()
"""
SCRIPTS = {
    "a training loop": A6,
    "a leaf definitions in two lines": "x = torch.randn(3)\nx.requires_grad_()\nloss = (x ** 2).sum()\nloss.backward()",
    "a leaf by its attribute": "x = torch.randn(3)\nx.requires_grad = True\nloss = (x ** 2).sum()\nloss.backward()",
    "named tuples": X + M + "big = m.max(dim=1)\nloss = (big.values * m.min(dim=1)[0]).sum() + x.topk(2).values.prod()\nloss.backward()",
    "a permuted leaf": "x = torch.tensor([[1., 2., 3.], [4., 5., 6.]]).T.requires_grad_()\nloss = (x ** 2 * torch.tensor([1., 2.])).sum()\nloss.backward()",
    "in place": X + "y = x * 2\ny += x\ny[0] = y[1] * 3\ny[1:].mul_(x[0])\nloss = y.sum()\nloss.backward()",
    "a branch": X + "if x.sum() > 0:\n    loss = x.exp().sum()\nelse:\n    loss = x.sum()\nloss.backward()",
    "a loop": X + "h = x\nfor i in range(4):\n    h = torch.tanh(h * 1.1) + x\nh.sum().backward()",
    "a gradient given": X + "y = x * x\ny.backward(torch.tensor([1., 10., 100.]))",
    "autograd.grad": X + "y = x * x\ng, = torch.autograd.grad(y.prod(), x)",
    "a gradient of a gradient": X + "loss = (x ** 3).sum()\nloss.backward(create_graph=True)\nx.grad.sum().backward()",
    "an alias": X + "params = [x]\nother = x\nloss = (params[0] * other).sum()\nloss.backward()",
    "leaves in a list": "ps = [torch.randn(2, 2, requires_grad=True) for i in range(3)]\n"
    "h = torch.ones(1, 2)\nfor p in ps:\n    h = (h @ p).tanh()\nh.sum().backward()",
    "a name for each turn": "a, b = torch.randn(2, requires_grad=True), torch.randn(2, requires_grad=True)\n"
    "h = torch.ones(2)\nfor w in [a, b]:\n    h = h * w\nh.sum().backward()",
    "a leaf without cells": "e = torch.zeros(0, requires_grad=True)\n" + X + "loss = e.sum() + (x ** 2).sum()\nloss.backward()",
    "a leaf that plays no part": X + "other = torch.ones(2, requires_grad=True)\nloss = (x ** 2).sum()\nloss.backward()",
}  # fmt: skip


@pytest.mark.parametrize("name", SCRIPTS)
def test_correct_gradients_of_scripts_pass(name: str) -> None:
    answer = assert_passes(SCRIPTS[name])
    assert len(answer["rows"]) == sum(row["name"] != "other" for row in answer["rows"])


LATER = {
    "changed before the pass": "x = torch.tensor([4., 2.], requires_grad=True)\nwith torch.no_grad():\n    x *= 0.5\nloss = (x ** 3).sum()\nloss.backward()",
    "made of the one before": "x = torch.tensor([1., 2.])\nx = (x * 2).requires_grad_()\nloss = (x ** 2).sum()\nloss.backward()",
    "a name given twice": "x = torch.zeros(2, requires_grad=True)\nx = torch.tensor([3., 4.], requires_grad=True)\nloss = (x ** 2).sum()\nloss.backward()",
    "new numbers": "x = torch.tensor([1., 2.], requires_grad=True)\nx.data = torch.tensor([3., 4.])\nloss = (x ** 2).sum()\nloss.backward()",
}


@pytest.mark.parametrize("name", LATER)
def test_a_leaf_has_its_value_at_the_backward_pass(name: str) -> None:
    assert_passes(LATER[name])


def test_overridden_values_are_used() -> None:
    source = X + "c = torch.tensor([1., 1., 1.])\nloss = (x * x * c).sum()\nloss.backward()"
    answer = check(source, overrides={"x": {"0": 4.0}, "c": {"0": 10.0}})
    assert answer["passed"]
    assert [(row["value"], row["autograd"]) for row in answer["rows"]] == [(4.0, 80.0), (-1.25, -2.5), (2.0, 4.0)]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x = torch.ones(2)\nx.sum().backward()", "no gradient to check"),
        ("(torch.ones(2, requires_grad=True) * 2).sum().backward()", "no gradient to check"),
        ("x = torch.ones(2, requires_grad=True)\ny = (x * x).sum()\ndel x\ny.backward()", "no gradient to check"),
        ("x = torch.tensor([1 + 2j], requires_grad=True)\nloss = x.abs().sum()\nloss.backward()", "no gradient to check"),
        ("x = torch.ones(1, 2).expand(3, 2).requires_grad_()\nloss = (x ** 2).sum()\nloss.backward()", "no gradient to check"),
        ("x = torch.ones(2, requires_grad=True)\ny = x * 2", "no such backward pass"),
        ("x = torch.ones(2, requires_grad=True)\nunknown\nx.sum().backward()", "not defined"),
        ("x = torch.ones(2, requires_grad=True)\ny = x * x\ny.backward(torch.ones(3))", "must match"),
        (
            "x = torch.ones(2, requires_grad=True)\ny = x.exp()\nloss = y.sum()\ny += 1\nloss = loss + y.sum()\nloss.backward()",
            "modified by an inplace operation",
        ),
        ("this is no Python", "cannot parse"),
    ],
    ids=["no leaf", "no name", "deleted", "complex", "stretched", "no pass", "an error", "a wrong gradient", "changed in place", "no script"],
)
def test_scripts_that_cannot_be_checked_are_refused(source: str, words: str) -> None:
    with pytest.raises(PlaygroundError, match=words):
        check(source)


def test_a_loss_with_several_cells_is_refused() -> None:
    """`backward` refuses it, so there is no gradient to check."""
    with pytest.raises(PlaygroundError):
        check(X + "y = x * x\ny.backward()")


def test_only_requested_leaves_are_checked() -> None:
    for backward in ("g, = torch.autograd.grad((x * y).sum(), x)", "(x * y).sum().backward(inputs=[x])"):
        assert {row["name"] for row in check(f"{X}y = torch.ones(3, requires_grad=True)\n{backward}")["rows"]} == {"x"}
