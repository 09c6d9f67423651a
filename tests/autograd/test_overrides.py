"""Numbers held in the hand, and the loss for other numbers, against the script with those numbers typed in."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from playground.autograd import graph, sandbox_tasks, script_loss
from playground.autograd.overrides import Overrides, parse
from playground.errors import PlaygroundError
from playground.tensors.language.interpreter import Execution

CPU = {"device": torch.device("cpu")}


def ran(source: str, **values: dict[int, float]) -> Execution:
    execution = graph.run(source, CPU, Overrides(values))
    assert execution.error is None, execution.error
    return execution


def left(source: str, name: str, **values: dict[int, float]) -> Any:
    """The numbers that a name has in the end."""
    return ran(source, **values).names[name].tolist()


def plainly(source: str) -> dict[str, Any]:
    """The names after Python itself has run the script."""
    names: dict[str, Any] = {"torch": torch, "F": torch.nn.functional}
    exec(source, names)  # noqa: S102 (a script of this file)
    return names


def leaf(source: str, name: str, seed: int = 1, **overrides: dict[str, float]) -> dict[str, Any]:
    document = sandbox_tasks.observe({"source": source, "seed": seed, "overrides": overrides, "brief": True})
    assert document["error"] is None
    return next(each for each in document["leaves"] if each["name"] == name)


X = "x = torch.tensor([1., 2., 3.], requires_grad=True)\n"


def test_cells_are_counted_row_by_row_and_the_others_stay() -> None:
    source = "x = torch.tensor([[1., 2., 3.], [4., 5., 6.]], requires_grad=True)\ny = x * 10"
    assert left(source, "x", x={1: -1.0, 3: 9.0}) == [[1.0, -1.0, 3.0], [9.0, 5.0, 6.0]]
    assert left(source, "y", x={1: -1.0, 3: 9.0}) == [[10.0, -10.0, 30.0], [90.0, 50.0, 60.0]]


def test_written_once_and_the_rest_is_the_scripts_own() -> None:
    """What the script does with the tensor later, and what it calls so later, is not held."""
    assert left(X + "y = x * 1\nwith torch.no_grad():\n    x += 1", "x", x={0: 5.0}) == [6.0, 3.0, 4.0]
    assert left(X + "y = x * 1\nx = torch.zeros(3)\nz = x + y", "x", x={0: 5.0}) == [0.0, 0.0, 0.0]
    total = "total = torch.tensor(0., requires_grad=True)\nfor i in range(3):\n    c = torch.tensor(1.)\n    total = total + c"
    assert left(total, "total", c={0: 5.0}) == 5 + 1 + 1


@pytest.mark.parametrize("filling", ["x *= 2", "x.mul_(2)", "x.copy_(torch.zeros(3))", "x[0] = 9", "x.data = torch.zeros(3)"])
def test_what_a_script_fills_in_first_is_not_the_learners(filling: str) -> None:
    assert left(X + f"with torch.no_grad():\n    {filling}\ny = x * 1", "y", x={0: 5.0})[0] == 5.0


@pytest.mark.parametrize("use", ["x > 0", "x.tolist()", "x.detach() * 2", "x.sum().item()"])
def test_any_use_of_a_leaf_is_one_of_the_learners_number(use: str) -> None:
    assert left(X + f"with torch.no_grad():\n    used = {use}\nx.data.zero_()", "x", x={0: 5.0}) == [0.0, 0.0, 0.0]


def test_the_name_waits_for_a_tensor_that_can_be_grabbed() -> None:
    source = "x = 3\nx = torch.tensor([1, 2])\nx = torch.tensor([1., 2.], requires_grad=True)\ny = x * 1"
    assert left(source, "y", x={0: 7.0}) == [7.0, 2.0]


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
def test_which_tensors_can_be_grabbed(source: str, name: str, cells: dict[int, float], becomes: Any) -> None:
    assert left(f"{source}\none = torch.ones((), requires_grad=True)\nused = c * one", "c", **{name: cells}) == becomes


def test_a_stretched_tensor_has_one_number_for_many_cells() -> None:
    """Its cells are no numbers of their own; they are left as they are."""
    assert left("c = torch.ones(2, 1).expand(2, 3)", "c", c={0: 9.0}) == [[1.0] * 3] * 2


def test_through_a_view_the_memory_is_changed() -> None:
    source = "c = torch.tensor([[1., 2.], [3., 4.]])\nv = c[1]\nused = v * torch.ones((), requires_grad=True)\nd = c * 1"
    assert left(source, "d", v={0: 9.0}) == [[1.0, 2.0], [9.0, 4.0]]


def test_in_lists() -> None:
    source = (
        "params = [torch.tensor([1., 2.], requires_grad=True), torch.tensor(3., requires_grad=True)]\nloss = (params[0] * params[1]).sum()\nloss.backward()"
    )
    execution = ran(source, **{"params[1]": {0: 10.0}})
    assert execution.names["loss"].item() == 30.0
    assert execution.names["params"][0].grad.tolist() == [10.0, 10.0]


def test_autograd_sees_nothing_of_it() -> None:
    execution = ran(X + "loss = (x * x).sum()\nloss.backward()", x={0: 5.0})
    x = execution.names["x"]
    assert x.is_leaf and x.requires_grad and x._version == 0
    assert x.grad.tolist() == [10.0, 4.0, 6.0]


MANY = """x = torch.tensor([{}, -1., 2.], requires_grad=True)
w = torch.tensor([[1., 2., 3.], [0.5, {}, 1.]], requires_grad=True)
h = torch.tanh(w @ x)
loss = (h * h).sum() + (w * x).mean()
loss.backward()"""


@pytest.mark.parametrize(("first", "second"), [(0.3, 2.0), (-4.0, 0.0), (1e3, 1e-3)])
def test_as_if_the_number_had_been_typed(first: float, second: float) -> None:
    execution, names = ran(MANY.format(1.0, 7.0), x={0: first}, w={4: second}), plainly(MANY.format(first, second))
    assert execution.names["loss"].item() == names["loss"].item()
    for name in "xw":
        assert execution.names[name].grad.tolist() == names[name].grad.tolist()
    assert sorted(leaf(MANY.format(1.0, 7.0), "w", w={"4": second})["overridden"]) == [4]


@pytest.mark.parametrize(
    "wrong",
    [
        [1], "x", 3, {"x": 3}, {"x": [1]}, {"x": {"a": 1}}, {"x": {"-1": 1}}, {"x": {"1.5": 1}}, {"x": {"0": "one"}}, {"x": {"0": None}},
        {"x": {"0": [1]}}, {"x": {"0": 10**400}}, {"x": None},
    ],
    ids=lambda wrong: str(wrong)[:20],
)  # fmt: skip
def test_a_wrong_document_is_refused(wrong: Any) -> None:
    with pytest.raises(PlaygroundError, match="`overrides` must map"):
        parse(wrong)


def test_a_right_document() -> None:
    assert parse({"x": {"0": 1.5, "10": 2}, "p[0]": {"1": -1}}).values == {"x": {0: 1.5, 10: 2.0}, "p[0]": {1: -1.0}}
    assert parse(None).values == parse({}).values == {}


def curve(source: str, name: str, cell: int, places: list[float], **more: Any) -> list[float | None]:
    return sandbox_tasks.loss_curve({"source": source, "seed": 1, "pass": 0, "name": name, "cell": cell, "values": places, **more})["losses"]


def test_a_curve_is_the_loss_for_each_number() -> None:
    places = [-2.0, -0.5, 0.0, 0.5, 3.0]
    assert curve(MANY.format(1.0, 7.0), "x", 0, places) == [plainly(MANY.format(place, 7.0))["loss"].item() for place in places]
    held = curve(MANY.format(1.0, 7.0), "x", 0, places, overrides={"w": {"4": 0.25}})
    assert held == [plainly(MANY.format(place, 0.25))["loss"].item() for place in places]


@pytest.mark.parametrize(
    ("passing", "losses"),
    [
        ("y.backward(torch.tensor([1., 10., 100.]))", [111.0, 411.0]),
        ("y.backward(gradient=torch.tensor([1., 10., 100.]))", [111.0, 411.0]),
        ("y.sum().backward()", [3.0, 6.0]),
        ("g, = torch.autograd.grad(y.sum(), x)", [3.0, 6.0]),
        ("g, = torch.autograd.grad([y[1], y[2]], [x], [torch.tensor(1.), torch.tensor(10.)])", [11.0, 41.0]),
    ],
)
def test_the_loss_is_what_the_pass_goes_back_from(passing: str, losses: list[float]) -> None:
    source = f"x = torch.tensor([1., 1., 1.], requires_grad=True)\ny = x * x\n{passing}"
    assert curve(source, "x", 2, [1.0, 2.0]) == losses
    assert leaf(source, "x")["loss"] == losses[0]


def test_the_slope_of_a_curve_is_the_gradient() -> None:
    source = MANY.format(1.0, 7.0).replace(", requires_grad", ", dtype=torch.float64, requires_grad")
    for name, cells in (("x", 3), ("w", 6)):
        told = leaf(source, name)
        values, gradients = torch.tensor(told["value"]).flatten().double(), torch.tensor(told["grad"]).flatten()
        for cell in range(cells):
            below, at, above = curve(source, name, cell, [values[cell] - 1e-5, values[cell], values[cell] + 1e-5])
            assert at == pytest.approx(told["loss"], rel=1e-12)
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


def test_a_leaf_of_the_second_pass_is_asked_about_there() -> None:
    source = TWO_PASSES.format(3.0)
    b = leaf(source, "b")
    assert b["pass"] == 1
    places = [-1.0, 0.0, 3.0]
    losses = curve(source, "b", 0, places, **{"pass": b["pass"]})
    assert losses == [plainly(TWO_PASSES.format(place))["second"].item() for place in places]
    assert losses[2] == b["loss"]
    assert curve(source, "b", 0, places) == [6.0] * 3  # it has no part in the first


def test_where_there_is_no_number_there_is_none() -> None:
    assert curve("x = torch.tensor([1., 2.], requires_grad=True)\nloss = x.log().sum()\nloss.backward()", "x", 0, [-1.0, 0.0, 1.0])[:2] == [None, None]
    assert curve("x = torch.tensor(1., requires_grad=True)\nassert x > 0\nloss = x * 2\nloss.backward()", "x", 0, [-1.0, 1.0]) == [None, 2.0]
    assert curve("x = torch.tensor(1., requires_grad=True)\nloss = x * 2\nloss.backward()", "x", 0, [2.0], **{"pass": 1}) == [None]


@pytest.mark.parametrize("cell", [-1, -10, 3, 10**6])
def test_a_cell_that_is_not_there_changes_nothing(cell: int) -> None:
    assert curve(X + "loss = x.sum()\nloss.backward()", "x", cell, [9.0]) == [6.0]


RANDOM = "x = torch.randn(3, requires_grad=True)\nn = torch.from_numpy(np.random.randn(3))\nloss = (x * n * torch.rand(3)).sum()\nloss.backward()"


def test_random_numbers_are_the_same_each_time() -> None:
    one, other = (sandbox_tasks.observe({"source": RANDOM, "seed": 5, "brief": True}) for _ in range(2))
    assert one == other
    assert one["names"]["x"] != sandbox_tasks.observe({"source": RANDOM, "seed": 6, "brief": True})["names"]["x"]
    x = leaf(RANDOM, "x", seed=5)
    assert curve(RANDOM, "x", 1, [x["value"][1]] * 3, seed=5) == [x["loss"]] * 3
    moved = leaf(RANDOM, "x", seed=5, x={"1": 0.5})
    assert moved["value"] == [x["value"][0], 0.5, x["value"][2]]
    assert moved["grad"] == x["grad"]
    assert curve(RANDOM, "x", 1, [0.5], seed=5) == [moved["loss"]]


def test_a_seed_is_drawn_and_told() -> None:
    first = sandbox_tasks.observe({"source": RANDOM, "brief": True})
    assert sandbox_tasks.observe({"source": RANDOM, "seed": first["seed"], "brief": True}) == first


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"seed": "1"}, {"seed": 2**31}, {"seed": None}, {"pass": -1}, {"pass": 0.5}])
def test_a_wrong_seed_or_pass_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(PlaygroundError, match="whole number"):
        curve(X + "x.sum().backward()", "x", 0, [1.0], **wrong)


@pytest.mark.parametrize("wrong", [{"cell": None}, {"cell": "a"}, {"cell": float("inf")}, {"values": None}, {"values": [None]}, {"values": 3}])
def test_a_wrong_question_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(PlaygroundError, match="A request for a loss curve needs"):
        sandbox_tasks.loss_curve({"source": X, "seed": 1, "pass": 0, "name": "x", "cell": 0, "values": [1.0], **wrong})


def test_a_question_runs_no_further_than_its_pass() -> None:
    source = X + "loss = x.sum()\nloss.backward()\nx = torch.zeros(3)\nunknown"
    question = script_loss.ScriptLoss(source, CPU, 1, {}, 0)
    assert question.evaluate().names["x"].tolist() == [1.0, 2.0, 3.0]
    assert {name: value.tolist() for name, value in question.leaves().items()} == {"x": [1.0, 2.0, 3.0]}


def test_a_leaf_with_two_names_is_reached_once() -> None:
    source = X + "params = [x]\nalias = x\nloss = (params[0] * alias).sum()\nloss.backward()"
    assert list(script_loss.ScriptLoss(source, CPU, 1, {}, 0).leaves()) == ["x"]
