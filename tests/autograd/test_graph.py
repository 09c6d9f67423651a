"""Graphs of the tutorials' autograd scripts equal those of PyTorch without the tracer."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from playground.autograd import graph

A1 = "x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)\ny = x * 2\nz = y.mean()\nz.backward()"
A2 = "x = torch.ones(2, 2, requires_grad=True)\ny = x + 2\nz = y * y * 3\nout = z.mean()\nout.backward()"
A3 = "x = torch.tensor(1., requires_grad=True)\ny = 2 * x**3\nz = y.pow(2)\nz.backward()"
A4 = """torch.manual_seed({seed})
x = torch.randn(1, 1)
y = torch.randn(1, 1, requires_grad=True)
if y.item() > 0:
    z = x * y
else:
    z = x / y
z.backward()
"""
A5 = "x = torch.tensor([1., 2.], requires_grad=True)\nfor i in range(2):\n    loss = (x * x).sum()\n    loss.backward()"
A6 = """torch.manual_seed(0)
inputs = torch.randn(20, 3)
targets = inputs @ torch.tensor([1., -2., 3.])
weight = torch.zeros(3, requires_grad=True)
learning_rate = 0.1
losses = []
for step in range(30):
    loss = ((inputs @ weight - targets) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        weight -= learning_rate * weight.grad
        weight.grad.zero_()
    losses.append(loss.item())
"""


def document_of(source: str) -> dict[str, Any]:
    document = graph.document(graph.run(source, {"device": torch.device("cpu")}))
    return json.loads(json.dumps(document, allow_nan=False))


def node(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in document["graph"]["nodes"] if each["name"] == name)


def execute(source: str) -> dict[str, Any]:
    """Run the script in Python; return its names."""
    names: dict[str, Any] = {"torch": torch}
    exec(source, names)  # noqa: S102 (a script of this file)
    return names


def test_a1_gradients_of_the_mean_of_a_product() -> None:
    document = document_of(A1)
    assert document["error"] is None
    assert document["names"]["x"]["grad"] == pytest.approx([2 / 3] * 3)
    operations = [step["node"] for step in document["steps"] if step["kind"] == "backward"]
    ids = {each["id"]: each["op"] for each in document["graph"]["nodes"]}
    assert [ids[each] for each in operations] == ["MeanBackward0", "MulBackward0", "AccumulateGrad"]


def test_a2_gradients_of_several_paths_add_up() -> None:
    document = document_of(A2)
    assert document["names"]["x"]["grad"] == [[4.5, 4.5], [4.5, 4.5]]
    y = node(document, "y")
    contributions = [edge["passed"] for edge in document["graph"]["edges"] if edge["from"] == y["id"]]
    assert len(contributions) == 2
    assert np.sum(contributions, axis=0).tolist() == y["grad"]
    assert all(edge["elementwise"] for edge in document["graph"]["edges"] if edge["from"] == y["id"])


def test_a3_the_gradient_of_a_power_of_a_power_is_24() -> None:
    document = document_of(A3)
    assert document["names"]["x"]["grad"] == 24.0


@pytest.mark.parametrize("seed", range(4))
def test_a4_the_graph_has_only_the_branch_that_ran(seed: int) -> None:
    source = A4.format(seed=seed)
    document, names = document_of(source), execute(source)
    operations = {each["op"] for each in document["graph"]["nodes"] if each["kind"] == "operation"}
    assert operations == ({"MulBackward0"} if names["y"].item() > 0 else {"DivBackward0"})
    assert document["names"]["y"]["grad"] == names["y"].grad.tolist()


def test_a5_gradients_add_up_over_passes() -> None:
    document = document_of(A5)
    assert document["names"]["x"]["grad"] == [4.0, 8.0]
    assert {step["pass"] for step in document["steps"] if step["kind"] == "backward"} == {0, 1}
    zeroed = document_of(A5.replace("    loss = (x", "    x.grad = None\n    loss = (x"))
    assert zeroed["names"]["x"]["grad"] == [2.0, 4.0]


def test_a6_the_loss_falls_in_each_step() -> None:
    document, names = document_of(A6), execute(A6)
    assert document["error"] is None
    assert document["names"]["weight"]["value"] == names["weight"].tolist()
    assert all(later < earlier for earlier, later in zip(names["losses"], names["losses"][1:], strict=False))


@pytest.mark.parametrize("source", [A1, A2, A3, A5, A6], ids=["A1", "A2", "A3", "A5", "A6"])
def test_tracing_changes_no_gradient(source: str) -> None:
    document, names = document_of(source), execute(source)
    for name, value in names.items():
        if isinstance(value, torch.Tensor) and value.is_leaf and value.grad is not None:
            assert document["names"][name]["grad"] == value.grad.tolist()


def test_upstream_gradients_equal_those_of_pytorch() -> None:
    source = "a = torch.tensor([[1., 2.], [3., 4.]], requires_grad=True)\nb = torch.tensor([1., -1.], requires_grad=True)\n"
    source += "c = a @ a\nd = torch.tanh(c) * b\ne = d[0].sum() + c.mean()\ne.backward()"
    document, names = document_of(source), execute(source.removesuffix("e.backward()"))
    gradients = torch.autograd.grad(names["e"], [names[name] for name in "abcd"])
    for name, gradient in zip("abcd", gradients, strict=True):
        assert node(document, name)["grad"] == pytest.approx(gradient.tolist()) if gradient.ndim == 0 else np.allclose(node(document, name)["grad"], gradient)


def test_each_step_has_its_line_and_the_gradient_that_arrives() -> None:
    steps = document_of("x = torch.tensor([1., 2.], requires_grad=True)\ny = x * x\nloss = y.sum()\nloss.backward()")["steps"]
    assert [(step["kind"], step["line"], step.get("upstream")) for step in steps] == [
        ("forward", 2, None), ("forward", 3, None), ("backward", 4, 1.0), ("backward", 4, [1.0, 1.0]), ("backward", 4, [2.0, 4.0]),
    ]  # fmt: skip


def test_constants_have_the_learners_names() -> None:
    document = document_of("x = torch.tensor([1., 2.])\nw = torch.tensor([3., 4.], requires_grad=True)\nloss = (x * w).sum()\nloss.backward()")
    constant = node(document, "x")
    assert (constant["kind"], constant["value"], constant["requires_grad"]) == ("constant", [1.0, 2.0], False)


def test_saved_tensors_are_described() -> None:
    document = document_of(A2)
    saved = next(each["saved"] for each in document["graph"]["nodes"] if each["source"] == "y * y")
    assert saved == {"self": [[3.0, 3.0], [3.0, 3.0]], "other": [[3.0, 3.0], [3.0, 3.0]]}


def test_saved_numbers_that_json_lacks_are_texts() -> None:
    document = document_of("x = torch.tensor([2.0], requires_grad=True)\ny = torch.clamp(x, -1.0, float('inf'))\ny.sum().backward()")
    assert {name: node(document, "y")["saved"][name] for name in ("min", "max")} == {"min": -1.0, "max": "inf"}


def test_a_script_without_a_backward_pass_has_a_graph() -> None:
    document = document_of("x = torch.ones(2, requires_grad=True)\ny = (x * 3).sum()")
    assert [each["op"] for each in document["graph"]["nodes"] if each["kind"] == "operation"] == ["MulBackward0", "SumBackward0"]
    assert all(each["grad"] is None for each in document["graph"]["nodes"])
    assert [each["name"] for each in document["graph"]["nodes"]] == ["x", "", "y"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x = torch.ones(2, requires_grad=True)\n(x * 2).backward()", "needs a single number"),
        ("x = torch.ones(2)\nx.sum().backward()", "has no computation graph"),
        ("x = torch.ones(2, requires_grad=True)\ny = (x * x).sum()\ny.backward()\ny.backward()", "frees the values that the graph saved"),
        ("x = torch.arange(3, requires_grad=True)", "integers have no small changes"),
        ("x = torch.ones(2, requires_grad=True)\nx += 1", "torch.no_grad()"),
    ],
    ids=["not a scalar", "no leaf", "twice", "integers", "leaf in place"],
)
def test_errors_of_pytorch_are_explained(source: str, words: str) -> None:
    assert words in document_of(source)["error"]["explanation"]
