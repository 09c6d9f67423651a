"""Overridden values and loss curves equal those of the script with the values edited in its source."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from playground.autograd import graph, sandbox_tasks, script_loss
from playground.autograd.overrides import Overrides, parse
from playground.errors import PlaygroundError
from playground.tensors.language.interpreter import Execution

CPU = {"device": torch.device("cpu")}


def run(source: str, **overrides: dict[int, float]) -> Execution:
    execution = graph.run(source, CPU, Overrides(overrides))
    assert execution.error is None, execution.error
    return execution


def final_values(source: str, name: str, **overrides: dict[int, float]) -> Any:
    """Return the values of a tensor after the script."""
    return run(source, **overrides).names[name].tolist()


def execute(source: str) -> dict[str, Any]:
    """Run the script in Python; return its names."""
    names: dict[str, Any] = {"torch": torch, "F": torch.nn.functional}
    exec(source, names)  # noqa: S102 (a script of this file)
    return names


def leaf(source: str, name: str, seed: int = 1, **overrides: dict[str, float]) -> dict[str, Any]:
    document = sandbox_tasks.observe({"source": source, "seed": seed, "overrides": overrides, "brief": True})
    assert document["error"] is None
    return next(each for each in document["leaves"] if each["name"] == name)


X = "x = torch.tensor([1., 2., 3.], requires_grad=True)\n"


def test_cells_are_counted_in_row_major_order_and_the_others_stay() -> None:
    source = "x = torch.tensor([[1., 2., 3.], [4., 5., 6.]], requires_grad=True)\ny = x * 10"
    assert final_values(source, "x", x={1: -1.0, 3: 9.0}) == [[1.0, -1.0, 3.0], [9.0, 5.0, 6.0]]
    assert final_values(source, "y", x={1: -1.0, 3: 9.0}) == [[10.0, -10.0, 30.0], [90.0, 50.0, 60.0]]


def test_an_override_is_written_once() -> None:
    """The script may change the tensor later, and use its name for another tensor."""
    assert final_values(X + "y = x * 1\nwith torch.no_grad():\n    x += 1", "x", x={0: 5.0}) == [6.0, 3.0, 4.0]
    assert final_values(X + "y = x * 1\nx = torch.zeros(3)\nz = x + y", "x", x={0: 5.0}) == [0.0, 0.0, 0.0]
    total = "total = torch.tensor(0., requires_grad=True)\nfor i in range(3):\n    c = torch.tensor(1.)\n    total = total + c"
    assert final_values(total, "total", c={0: 5.0}) == 5 + 1 + 1


@pytest.mark.parametrize("filling", ["x *= 2", "x.mul_(2)", "x.copy_(torch.zeros(3))", "x[0] = 9", "x.data = torch.zeros(3)"])
def test_an_override_is_written_after_the_script_has_filled_the_tensor(filling: str) -> None:
    assert final_values(X + f"with torch.no_grad():\n    {filling}\ny = x * 1", "y", x={0: 5.0})[0] == 5.0


@pytest.mark.parametrize("use", ["x > 0", "x.tolist()", "x.detach() * 2", "x.sum().item()"])
def test_an_override_is_written_before_any_use_of_the_leaf(use: str) -> None:
    assert final_values(X + f"with torch.no_grad():\n    used = {use}\nx.data.zero_()", "x", x={0: 5.0}) == [0.0, 0.0, 0.0]


def test_an_override_waits_for_a_tensor_that_can_be_overridden() -> None:
    source = "x = 3\nx = torch.tensor([1, 2])\nx = torch.tensor([1., 2.], requires_grad=True)\ny = x * 1"
    assert final_values(source, "y", x={0: 7.0}) == [7.0, 2.0]


@pytest.mark.parametrize(
    ("source", "name", "cells", "becomes"),
    [
        ("c = torch.tensor([1., 2.])", "c", {1: 9.0}, [1.0, 9.0]),
        ("c = torch.tensor(1.)", "c", {0: 9.0}, 9.0),
        ("c = torch.tensor([[1., 2., 3.], [4., 5., 6.]]).T", "c", {1: 9.0}, [[1.0, 9.0], [2.0, 5.0], [3.0, 6.0]]),
        ("c = torch.tensor([1., 2., 3., 4.])[::2]", "c", {1: 9.0}, [1.0, 9.0]),
        ("c = torch.tensor([1., 2.], dtype=torch.float64)", "c", {0: 0.1}, [0.1, 2.0]),
        ("c = torch.tensor([1, 2])", "c", {0: 9.0}, [1, 2]),
        ("c = torch.tensor([True])", "c", {0: 0.0}, [True]),
        ("c = torch.tensor([1., 2.])", "c", {2: 9.0, 100: 9.0}, [1.0, 2.0]),
        ("c = torch.tensor([1., 2.])", "d", {0: 9.0}, [1.0, 2.0]),
        ("c = torch.zeros(0)", "c", {0: 9.0}, []),
        ("c = torch.ones(2, requires_grad=True) * 2", "c", {0: 9.0}, [2.0, 2.0]),
    ],
    ids=["constant", "0-d", "transposed", "every other", "float64", "whole numbers", "booleans", "cells it lacks", "another name", "no cells", "a result"],
)
def test_which_tensors_can_be_overridden(source: str, name: str, cells: dict[int, float], becomes: Any) -> None:
    assert final_values(f"{source}\none = torch.ones((), requires_grad=True)\nused = c * one", "c", **{name: cells}) == becomes


def test_an_expanded_tensor_cannot_be_overridden() -> None:
    """Several of its cells share one address, so they stay."""
    assert final_values("c = torch.ones(2, 1).expand(2, 3)", "c", c={0: 9.0}) == [[1.0] * 3] * 2


def test_an_override_of_a_view_changes_its_base() -> None:
    source = "c = torch.tensor([[1., 2.], [3., 4.]])\nv = c[1]\nused = v * torch.ones((), requires_grad=True)\nd = c * 1"
    assert final_values(source, "d", v={0: 9.0}) == [[1.0, 2.0], [9.0, 4.0]]


def test_leaves_in_lists_can_be_overridden() -> None:
    source = (
        "params = [torch.tensor([1., 2.], requires_grad=True), torch.tensor(3., requires_grad=True)]\nloss = (params[0] * params[1]).sum()\nloss.backward()"
    )
    execution = run(source, **{"params[1]": {0: 10.0}})
    assert execution.names["loss"].item() == 30.0
    assert execution.names["params"][0].grad.tolist() == [10.0, 10.0]


def test_autograd_does_not_record_an_override() -> None:
    execution = run(X + "loss = (x * x).sum()\nloss.backward()", x={0: 5.0})
    x = execution.names["x"]
    assert x.is_leaf and x.requires_grad and x._version == 0
    assert x.grad.tolist() == [10.0, 4.0, 6.0]


MANY = """x = torch.tensor([{}, -1., 2.], requires_grad=True)
w = torch.tensor([[1., 2., 3.], [0.5, {}, 1.]], requires_grad=True)
h = torch.tanh(w @ x)
loss = (h * h).sum() + (w * x).mean()
loss.backward()"""


@pytest.mark.parametrize(("first", "second"), [(0.3, 2.0), (-4.0, 0.0), (1e3, 1e-3)])
def test_an_override_gives_the_same_gradients_as_the_edited_script(first: float, second: float) -> None:
    execution, names = run(MANY.format(1.0, 7.0), x={0: first}, w={4: second}), execute(MANY.format(first, second))
    assert execution.names["loss"].item() == names["loss"].item()
    for name in "xw":
        assert execution.names[name].grad.tolist() == names[name].grad.tolist()
    assert sorted(leaf(MANY.format(1.0, 7.0), "w", w={"4": second})["overridden"]) == [4]


@pytest.mark.parametrize(
    "invalid",
    [
        [1], "x", 3, {"x": 3}, {"x": [1]}, {"x": {"a": 1}}, {"x": {"-1": 1}}, {"x": {"1.5": 1}}, {"x": {"0": "one"}}, {"x": {"0": None}},
        {"x": {"0": [1]}}, {"x": {"0": 10**400}}, {"x": None},
    ],
    ids=lambda invalid: str(invalid)[:20],
)  # fmt: skip
def test_an_invalid_document_is_refused(invalid: Any) -> None:
    with pytest.raises(PlaygroundError, match="`overrides` must map"):
        parse(invalid)


def test_a_valid_document_is_parsed() -> None:
    assert parse({"x": {"0": 1.5, "10": 2}, "p[0]": {"1": -1}}).values == {"x": {0: 1.5, 10: 2.0}, "p[0]": {1: -1.0}}
    assert parse(None).values == parse({}).values == {}


def loss_curve(source: str, name: str, cell: int, values: list[float], **more: Any) -> list[float | None]:
    return sandbox_tasks.loss_curve({"source": source, "seed": 1, "pass": 0, "name": name, "cell": cell, "values": values, **more})["losses"]


def test_the_loss_curve_equals_the_loss_of_the_edited_script() -> None:
    values = [-2.0, -0.5, 0.0, 0.5, 3.0]
    assert loss_curve(MANY.format(1.0, 7.0), "x", 0, values) == [execute(MANY.format(value, 7.0))["loss"].item() for value in values]
    overridden = loss_curve(MANY.format(1.0, 7.0), "x", 0, values, overrides={"w": {"4": 0.25}})
    assert overridden == [execute(MANY.format(value, 0.25))["loss"].item() for value in values]


@pytest.mark.parametrize(
    ("backward", "losses"),
    [
        ("y.backward(torch.tensor([1., 10., 100.]))", [111.0, 411.0]),
        ("y.backward(gradient=torch.tensor([1., 10., 100.]))", [111.0, 411.0]),
        ("y.sum().backward()", [3.0, 6.0]),
        ("g, = torch.autograd.grad(y.sum(), x)", [3.0, 6.0]),
        ("g, = torch.autograd.grad([y[1], y[2]], [x], [torch.tensor(1.), torch.tensor(10.)])", [11.0, 41.0]),
    ],
)
def test_the_loss_is_the_sum_of_roots_weighted_with_their_gradients(backward: str, losses: list[float]) -> None:
    source = f"x = torch.tensor([1., 1., 1.], requires_grad=True)\ny = x * x\n{backward}"
    assert loss_curve(source, "x", 2, [1.0, 2.0]) == losses
    assert leaf(source, "x")["loss"] == losses[0]


def test_the_slope_of_the_loss_curve_is_the_gradient() -> None:
    source = MANY.format(1.0, 7.0).replace(", requires_grad", ", dtype=torch.float64, requires_grad")
    for name, cells in (("x", 3), ("w", 6)):
        record = leaf(source, name)
        cell_values, gradients = torch.tensor(record["value"]).flatten().double(), torch.tensor(record["grad"]).flatten()
        for cell in range(cells):
            below, at, above = loss_curve(source, name, cell, [cell_values[cell] - 1e-5, cell_values[cell], cell_values[cell] + 1e-5])
            assert at == pytest.approx(record["loss"], rel=1e-12)
            assert (above - below) / 2e-5 == pytest.approx(gradients[cell].item(), rel=1e-4, abs=1e-7)


TWO_PASSES = """a = torch.tensor([1., 2.], requires_grad=True)
b = torch.tensor([{}, 4.], requires_grad=True)
first = (a * 2).sum()
first.backward()
with torch.no_grad():
    a -= 0.25 * a.grad
second = (a * b * b).sum()
second.backward()
"""


def test_the_loss_curve_of_a_leaf_of_the_second_pass_is_that_of_its_loss() -> None:
    source = TWO_PASSES.format(3.0)
    b = leaf(source, "b")
    assert b["pass"] == 1
    values = [-1.0, 0.0, 3.0]
    losses = loss_curve(source, "b", 0, values, **{"pass": b["pass"]})
    assert losses == [execute(TWO_PASSES.format(value))["second"].item() for value in values]
    assert losses[2] == b["loss"]
    assert loss_curve(source, "b", 0, values) == [6.0] * 3  # the first pass does not involve it


def test_a_slow_script_has_a_curve_of_fewer_points_at_equal_distances() -> None:
    script = script_loss.ScriptLoss(X + "(x * x).sum().backward()", CPU, 1, {}, 0)
    values = [float(value) for value in range(61)]
    assert script_loss.loss_curve(script, "x", 0, values, seconds=60.0) == (values, [value**2 + 13 for value in values])
    few, losses = script_loss.loss_curve(script, "x", 0, values, seconds=0.0)
    assert few == values[::10] and losses == [value**2 + 13 for value in few]
    assert script_loss.loss_curve(script, "x", 0, values[:2], seconds=0.0) == (values[:2], [13, 14])
    assert script_loss.loss_curve(script, "x", 0, values[:1]) == ([0.0], [13]) and script_loss.loss_curve(script, "x", 0, []) == ([], [])


def test_the_loss_is_none_where_it_is_non_finite_or_the_script_fails() -> None:
    assert loss_curve("x = torch.tensor([1., 2.], requires_grad=True)\nloss = x.log().sum()\nloss.backward()", "x", 0, [-1.0, 0.0, 1.0])[:2] == [None, None]
    assert loss_curve("x = torch.tensor(1., requires_grad=True)\nassert x > 0\nloss = x * 2\nloss.backward()", "x", 0, [-1.0, 1.0]) == [None, 2.0]
    assert loss_curve("x = torch.tensor(1., requires_grad=True)\nloss = x * 2\nloss.backward()", "x", 0, [2.0], **{"pass": 1}) == [None]


@pytest.mark.parametrize("cell", [-1, -10, 3, 10**6])
def test_a_cell_out_of_range_changes_nothing(cell: int) -> None:
    assert loss_curve(X + "loss = x.sum()\nloss.backward()", "x", cell, [9.0]) == [6.0]


RANDOM = "x = torch.randn(3, requires_grad=True)\nn = torch.from_numpy(np.random.randn(3))\nloss = (x * n * torch.rand(3)).sum()\nloss.backward()"


def test_a_seed_fixes_the_random_numbers_of_every_run() -> None:
    first, second = (sandbox_tasks.observe({"source": RANDOM, "seed": 5, "brief": True}) for _ in range(2))
    assert first == second
    assert first["names"]["x"] != sandbox_tasks.observe({"source": RANDOM, "seed": 6, "brief": True})["names"]["x"]
    x = leaf(RANDOM, "x", seed=5)
    assert loss_curve(RANDOM, "x", 1, [x["value"][1]] * 3, seed=5) == [x["loss"]] * 3
    moved = leaf(RANDOM, "x", seed=5, x={"1": 0.5})
    assert moved["value"] == [x["value"][0], 0.5, x["value"][2]]
    assert moved["grad"] == x["grad"]
    assert loss_curve(RANDOM, "x", 1, [0.5], seed=5) == [moved["loss"]]


def test_a_missing_seed_is_drawn_and_returned() -> None:
    first = sandbox_tasks.observe({"source": RANDOM, "brief": True})
    assert sandbox_tasks.observe({"source": RANDOM, "seed": first["seed"], "brief": True}) == first


@pytest.mark.parametrize("invalid", [{"seed": -1}, {"seed": "1"}, {"seed": 2**31}, {"seed": None}, {"pass": -1}, {"pass": 0.5}])
def test_an_invalid_seed_or_pass_is_refused(invalid: dict[str, Any]) -> None:
    with pytest.raises(PlaygroundError, match="whole number"):
        loss_curve(X + "x.sum().backward()", "x", 0, [1.0], **invalid)


@pytest.mark.parametrize("invalid", [{"cell": None}, {"cell": "a"}, {"cell": float("inf")}, {"values": None}, {"values": [None]}, {"values": 3}])
def test_an_invalid_request_for_a_loss_curve_is_refused(invalid: dict[str, Any]) -> None:
    with pytest.raises(PlaygroundError, match="A request for a loss curve needs"):
        sandbox_tasks.loss_curve({"source": X, "seed": 1, "pass": 0, "name": "x", "cell": 0, "values": [1.0], **invalid})


def test_a_rehearsal_runs_a_backward_pass() -> None:
    document = sandbox_tasks.rehearse({})
    assert document["error"] is None and document["steps"][-1]["kind"] == "backward"


def test_the_script_runs_only_up_to_the_pass() -> None:
    source = X + "loss = x.sum()\nloss.backward()\nx = torch.zeros(3)\nunknown"
    loss_function = script_loss.ScriptLoss(source, CPU, 1, {}, 0)
    assert loss_function.evaluate().names["x"].tolist() == [1.0, 2.0, 3.0]
    assert {name: value.tolist() for name, value in loss_function.leaves().items()} == {"x": [1.0, 2.0, 3.0]}


def test_a_leaf_with_two_names_is_listed_once() -> None:
    source = X + "params = [x]\nalias = x\nloss = (params[0] * alias).sum()\nloss.backward()"
    assert list(script_loss.ScriptLoss(source, CPU, 1, {}, 0).leaves()) == ["x"]
