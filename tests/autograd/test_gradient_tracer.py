"""The traced autograd graph of a script equals that of PyTorch without the tracer, or values computed by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from playground.autograd import graph
from playground.autograd.gradient_tracer import MAX_PASSES, GradientTracer

CPU = {"device": torch.device("cpu")}


def document_of(source: str) -> dict[str, Any]:
    return json.loads(json.dumps(graph.document(graph.run(source, CPU)), allow_nan=False))


def execute(source: str) -> dict[str, Any]:
    """Run the script in Python; return its names."""
    names: dict[str, Any] = {"torch": torch, "F": torch.nn.functional}
    exec(source, names)  # noqa: S102 (a script of this file)
    return names


def node(document: dict[str, Any], **facts: Any) -> dict[str, Any]:
    """Return the only node with these facts."""
    (matches,) = [each for each in document["graph"]["nodes"] if all(each.get(fact) == value for fact, value in facts.items())]
    return matches


def leaf(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in document["leaves"] if each["name"] == name)


def edges(document: dict[str, Any], **ends: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the edges between the nodes `start` and `end`; either may be omitted."""
    ids = {"from" if end == "start" else "to": each["id"] for end, each in ends.items()}
    return [edge for edge in document["graph"]["edges"] if all(edge[end] == each for end, each in ids.items())]


def backward(document: dict[str, Any]) -> list[tuple[int, str]]:
    """Return the backward steps: the number of the pass, and PyTorch's name of the node."""
    operations = {each["id"]: each["op"] for each in document["graph"]["nodes"]}
    return [(step["pass"], operations.get(step["node"], "")) for step in document["steps"] if step["kind"] == "backward"]


SPLIT = "x = torch.tensor([1., 2., 3., 4.], requires_grad=True)\nlo, hi = (x * 2).chunk(2)\nloss = ({}).sum()\nloss.backward()"


def test_each_output_of_a_node_has_its_own_value_and_gradient() -> None:
    document = document_of(SPLIT.format("lo * hi"))
    split = node(document, op="SplitBackward0")
    assert [(each["output"], each["name"], each["value"], each["grad"]) for each in split["outputs"]] == [
        (0, "lo", [2.0, 4.0], [6.0, 8.0]),
        (1, "hi", [6.0, 8.0], [2.0, 4.0]),
    ]
    assert {edge["output"]: edge["passed"] for edge in edges(document, start=split)} == {0: [6.0, 8.0], 1: [2.0, 4.0]}


@pytest.mark.parametrize("used", ["lo", "hi"])
def test_name_value_and_gradient_of_a_node_are_of_the_same_output(used: str) -> None:
    """Never the name of each output with the gradient of another."""
    split = node(document_of(SPLIT.format(used)), op="SplitBackward0")
    assert {each["name"]: each["grad"] for each in split["outputs"]} == {"lo": None, "hi": None, used: [1.0, 1.0]}
    assert {key: split[key] for key in ("name", "value", "grad")} in [{key: each[key] for key in ("name", "value", "grad")} for each in split["outputs"]]


def test_an_index_tensor_has_no_gradient_and_is_no_output() -> None:
    document = document_of("x = torch.tensor([[1., 5.], [7., 2.]], requires_grad=True)\nbest, where = x.max(dim=1)\nbest.sum().backward()")
    largest = node(document, op="MaxBackward0")
    assert (largest["name"], largest["value"], largest["grad"], largest["outputs"]) == ("best", [5.0, 7.0], [1.0, 1.0], [])
    assert largest["saved"]["indices"] == [1, 0]
    assert node(document, name="x")["grad"] == [[0.0, 1.0], [1.0, 0.0]]


def test_gradients_of_a_tensor_used_several_times_add_up() -> None:
    document = document_of("x = torch.tensor([2., 3.], requires_grad=True)\ny = x * x\nz = (y + x + y * x).sum()\nz.backward()")
    passed = [edge["passed"] for edge in edges(document, start=node(document, name="x"))]
    assert len(passed) == 4  # twice to the square, once to each sum
    assert torch.tensor(passed).sum(0).tolist() == node(document, name="x")["grad"] == [2 * 2 + 1 + 3 * 4, 2 * 3 + 1 + 3 * 9]
    square = node(document, name="y")
    assert [edge["slot"] for edge in edges(document, end=square)] == [0, 1]
    assert torch.tensor([edge["passed"] for edge in edges(document, start=square)]).sum(0).tolist() == square["grad"] == [3.0, 4.0]


def test_an_in_place_operation_on_a_view_gives_base_and_view_new_nodes() -> None:
    document = document_of("x = torch.tensor([1., 2., 3.], requires_grad=True)\ny = x * 2\nv = y[1:]\nv.mul_(10)\nz = (y * v.sum()).sum()\nz.backward()")
    copied = node(document, op="CopySlices")
    assert (copied["name"], copied["value"], copied["version"], copied["source"]) == ("y", [2.0, 40.0, 60.0], 1, "v.mul_(10)")
    view = node(document, name="v")
    assert view["value"] == [40.0, 60.0]
    assert edges(document, start=copied, end=view)
    names = execute("x = torch.tensor([1., 2., 3.], requires_grad=True)\ny = x * 2\nv = y[1:]\nv.mul_(10)\nz = (y * v.sum()).sum()")
    for name, gradient in zip("xyv", torch.autograd.grad(names["z"], [names[name] for name in "xyv"]), strict=True):
        assert node(document, name=name)["grad"] == gradient.tolist()
    old = node(document, source="x * 2")
    assert (old["name"], old["value"], old["version"]) == ("", [2.0, 4.0, 6.0], 0)  # y before the in-place operation; its name now refers to the new node


def test_an_in_place_operation_on_the_base_changes_its_views() -> None:
    document = document_of("x = torch.tensor([1., 2.], requires_grad=True)\ny = x * 2\nv = y[0]\ny += 1\nz = v * 3\nz.backward()")
    assert (node(document, name="v")["value"], node(document, name="v")["grad"]) == (3.0, 3.0)
    assert node(document, name="x")["grad"] == [6.0, 0.0]


def test_a_view_of_changed_memory_is_no_constant_of_an_in_place_operation() -> None:
    """PyTorch reads its new node before the operation."""
    document = document_of("x = torch.tensor([1., 2.], requires_grad=True)\ny = x * 2\nv = y[:]\ny += 1\nv *= 3\nloss = y.sum()\nloss.backward()")
    assert [each["source"] for each in document["graph"]["nodes"]] == ["", "x * 2", "y += 1", "v *= 3", "y.sum()"]
    assert [each["kind"] for each in document["graph"]["nodes"]] == ["leaf", *["operation"] * 4]
    assert edges(document, start=node(document, source="y += 1"), end=node(document, source="v *= 3"))


VIEWED = """x = torch.tensor([{}], requires_grad=True)
a = x * {}
v = a[:]
a += 1
positive = v > 0
c = a * {}
d = v * {}
e = a * {}
loss = (c + d + e).sum()
loss.backward()
"""


def test_gradients_are_accumulated_in_the_same_order_as_without_the_tracer() -> None:
    """A view gets its new node when `grad_fn` is next read, not by a comparison; an earlier read changes the engine's order, and the last bit."""
    numbers = torch.Generator().manual_seed(0)
    for _ in range(40):
        source = VIEWED.format(*(torch.rand(5, generator=numbers) + 0.1).tolist())
        assert graph.run(source, CPU).names["x"].grad.tolist() == execute(source)["x"].grad.tolist()


UNTRACKED = [
    "w = torch.tensor([1., 2.], requires_grad=True)\nwith torch.no_grad():\n    w.view(-1)[0] = 0.75\nloss = (w * 2).sum()\nloss.backward()",
    "w = torch.tensor([1., 2.], requires_grad=True)\nwith torch.no_grad():\n    row = w[:]\n    row -= 0.5\nloss = (w * 2).sum()\nloss.backward()",
    "w = torch.tensor([1., 2.], requires_grad=True)\ny = w * 2\nwith torch.no_grad():\n    y[0].mul_(2)\ny += 1\nloss = y.sum()\nloss.backward()",
    "w = torch.tensor([1., 2.], requires_grad=True)\ny = w * 2\na, b = y.unbind()\ny += 1\nloss = y.sum()\nloss.backward()",
]


@pytest.mark.parametrize("source", UNTRACKED, ids=["assigned into", "updated", "a bare expression", "several views"])
def test_a_view_without_history_causes_no_error(source: str) -> None:
    """PyTorch raises an error when the history of such a view is read; the script does not read it."""
    document, names = document_of(source), execute(source)
    assert document["error"] is None
    assert document["names"]["w"]["grad"] == names["w"].grad.tolist()
    assert document["names"]["w"]["value"] == names["w"].tolist()


@pytest.mark.parametrize(
    "source", [each.replace("\nloss.backward()", "") for each in UNTRACKED], ids=["assigned into", "updated", "a bare expression", "several views"]
)
def test_a_view_without_history_causes_no_error_without_a_backward_pass(source: str) -> None:
    document = document_of(source)
    assert document["error"] is None
    assert node(document, op="SumBackward0")["value"] == execute(source)["loss"].item()


@pytest.mark.parametrize("operation", ["torch.where(a > b, a, b)", "torch.cat([a, b])", "a * b", "torch.maximum(a, b)"])
def test_gradients_of_mixed_dtypes_equal_those_of_pytorch(operation: str) -> None:
    source = "a = torch.tensor([1.5, -1.], requires_grad=True)\nb = torch.tensor([0.5, 2.], dtype=torch.float64, requires_grad=True)\n"
    source += f"loss = ({operation}).sum()\nloss.backward()"
    document, names = document_of(source), execute(source)
    for name in "ab":
        assert node(document, name=name)["grad"] == names[name].grad.tolist()


@pytest.mark.parametrize("sign", [1, -1])
def test_the_graph_has_only_the_branch_that_ran(sign: int) -> None:
    source = f"x = torch.tensor(2., requires_grad=True)\ny = x * {sign}\nif y > 0:\n    z = y.exp()\nelse:\n    z = y.sin()\nz.backward()"
    document, names = document_of(source), execute(source)
    assert node(document, name="z")["op"] == ("ExpBackward0" if sign > 0 else "SinBackward0")
    assert document["names"]["x"]["grad"] == names["x"].grad.item()
    assert not [each for each in document["graph"]["nodes"] if each["op"] == ("SinBackward0" if sign > 0 else "ExpBackward0")]


def test_leaves_in_lists_are_named_by_their_index() -> None:
    document = document_of(
        "params = [torch.tensor([1., 2.], requires_grad=True), torch.tensor(3., requires_grad=True)]\nloss = (params[0] * params[1]).sum()\nloss.backward()"
    )
    assert {each["name"]: each["grad"] for each in document["leaves"]} == {"params[0]": [3.0, 3.0], "params[1]": 3.0}
    assert {each["name"] for each in document["graph"]["nodes"] if each["kind"] == "leaf"} == {"params[0]", "params[1]"}
    assert document["names"]["params[1]"]["grad"] == 3.0


def test_the_name_of_a_leaf_precedes_its_name_in_a_list() -> None:
    document = document_of("w = torch.tensor([1., 2.], requires_grad=True)\nparams = [w]\nloss = params[0].sum()\nloss.backward()")
    assert [each["name"] for each in document["leaves"]] == ["w"]


def test_an_unnamed_leaf_is_in_the_graph() -> None:
    document = document_of("y = torch.tensor([1., 2.], requires_grad=True) * 3\nloss = y.sum()\nloss.backward()")
    unnamed = node(document, kind="leaf")
    assert (unnamed["name"], unnamed["value"], unnamed["grad"]) == ("", [1.0, 2.0], [3.0, 3.0])
    assert document["leaves"] == []


def test_a_retained_graph_has_steps_for_each_pass() -> None:
    source = "x = torch.tensor(3., requires_grad=True)\ny = x * x\ny.backward(retain_graph=True)\ny.backward()"
    document = document_of(source)
    assert backward(document) == [(0, "MulBackward0"), (0, "AccumulateGrad"), (1, "MulBackward0"), (1, "AccumulateGrad")]
    assert node(document, name="x")["grad"] == 6.0  # of the last pass alone
    assert document["names"]["x"]["grad"] == 12.0


def test_a_failed_pass_is_described_up_to_its_failure() -> None:
    execution = graph.run("x = torch.tensor([1., 2.], requires_grad=True)\ny = x.exp()\nz = (y * 2).sum()\ny += 1\nz = z + y.sum()\nz.backward()", CPU)
    document = graph.document(execution)
    assert "modified by an inplace operation" in document["error"]["message"]
    assert document["error"]["line"] == 6
    tracer = execution.tracer
    assert isinstance(tracer, GradientTracer)
    assert len(tracer.passes) == 1
    assert "ExpBackward0" not in [name for _pass, name in backward(document)]
    assert node(document, op="ExpBackward0")["grad"] is None
    assert "modified by an inplace operation" in node(document, op="ExpBackward0")["saved"]["result"]
    assert document["names"]["x"]["grad"] is None
    assert leaf(document, "x")["grad"] is None


def test_a_second_pass_through_a_freed_graph_is_an_error() -> None:
    document = document_of("x = torch.tensor(3., requires_grad=True)\ny = x * x\ny.backward()\ny.backward()")
    assert "second time" in document["error"]["message"]
    assert document["names"]["x"]["grad"] == 6.0
    assert "second time" in node(document, name="y")["saved"]["self"] or "freed" in node(document, name="y")["saved"]["self"]
    assert leaf(document, "x")["grad"] == 6.0  # of the first pass that involves it


def test_gradients_of_autograd_grad_are_described_and_grad_stays_none() -> None:
    source = "x = torch.tensor([1., 2.], requires_grad=True)\ny = x * x\nz = y.sum()\ngx, gy = torch.autograd.grad(z, [x, y])"
    document = document_of(source)
    assert document["names"]["x"]["grad"] is None
    assert (node(document, name="x")["grad"], node(document, name="y")["grad"]) == ([2.0, 4.0], [1.0, 1.0])
    assert (document["names"]["gx"]["value"], leaf(document, "x")["grad"]) == ([2.0, 4.0], [2.0, 4.0])


def test_a_second_derivative_equals_that_of_pytorch() -> None:
    source = "x = torch.tensor(2., requires_grad=True)\ny = x ** 3\ng, = torch.autograd.grad(y, x, create_graph=True)\nh, = torch.autograd.grad(g, x)"
    document, names = document_of(source), execute(source)
    assert document["error"] is None
    assert (document["names"]["g"]["value"], document["names"]["h"]["value"]) == (names["g"].item(), names["h"].item()) == (12.0, 12.0)
    assert node(document, name="g")["value"] == 12.0
    assert node(document, name="x")["grad"] == 12.0
    assert {number for number, _name in backward(document)} == {0, 1}


def test_backward_with_create_graph_can_be_differentiated_again() -> None:
    source = "x = torch.tensor(2., requires_grad=True)\ny = x ** 3\ny.backward(create_graph=True)\nz = (x.grad ** 2).sum()\nz.backward()"
    document = document_of(source)
    assert document["names"]["x"]["grad"] == 12 + 2 * 12 * 12
    assert node(document, name="x")["grad"] == 2 * 12 * 12


@pytest.mark.parametrize("arguments", ["torch.tensor([1., 10.])", "gradient=torch.tensor([1., 10.])"])
def test_a_pass_starts_from_the_gradient_argument(arguments: str) -> None:
    document = document_of(f"x = torch.tensor([1., 2.], requires_grad=True)\ny = x * 3\ny.backward({arguments})")
    assert (node(document, name="y")["grad"], node(document, name="x")["grad"]) == ([1.0, 10.0], [3.0, 30.0])
    assert leaf(document, "x")["loss"] == 3 * 1 + 6 * 10


TWO_PASSES = """a = torch.tensor([1., 2.], requires_grad=True)
b = torch.tensor([3., 4.], requires_grad=True)
c = torch.tensor([5., 6.])
first = (a * 2).sum()
first.backward()
with torch.no_grad():
    a -= 0.5 * a.grad
second = (a * b * c).sum()
second.backward()
"""


def test_a_leaf_is_recorded_at_the_first_pass_that_involves_it() -> None:
    document = document_of(TWO_PASSES)
    a, b, c = (leaf(document, name) for name in "abc")
    assert (a["pass"], a["loss"], a["value"], a["grad"]) == (0, 6.0, [1.0, 2.0], [2.0, 2.0])
    second = 0 * 3 * 5 + 1 * 4 * 6
    assert (b["pass"], b["loss"], b["value"], b["grad"]) == (1, second, [3.0, 4.0], [0 * 5.0, 1 * 6.0])
    assert (c["pass"], c["loss"], c["value"], c["grad"], c["requires_grad"]) == (1, second, [5.0, 6.0], None, False)
    assert node(document, name="a")["value"] == [0.0, 1.0]  # the graph is that of the last pass


def test_a_leaf_that_received_no_gradient_is_recorded_without_one() -> None:
    document = document_of("a = torch.tensor(1., requires_grad=True)\nb = torch.tensor(2., requires_grad=True)\ny = a * b\ng, = torch.autograd.grad(y, a)")
    assert (leaf(document, "a")["grad"], leaf(document, "b")["grad"]) == (2.0, None)


def test_integer_tensors_are_not_editable() -> None:
    document = document_of("i = torch.tensor([1, 2])\nx = torch.tensor([1., 2.], requires_grad=True)\nloss = (x * i).sum()\nloss.backward()")
    assert (leaf(document, "i")["editable"], leaf(document, "x")["editable"]) == (False, True)


@pytest.mark.parametrize(
    ("expression", "born"),
    [
        ("torch.log(x).sum()", [("LogBackward0", "value", "infinity"), ("LogBackward0", "gradient", "infinity")]),
        ("torch.sqrt(x).sum()", [("SqrtBackward0", "gradient", "infinity")]),
        ("(x / x).sum()", [("DivBackward0", "value", "NaN"), ("DivBackward0", "gradient", "NaN")]),
        ("(x * 2).exp().sum()", []),
    ],
)
def test_the_first_operation_with_a_non_finite_result_is_reported(expression: str, born: list[tuple[str, str, str]]) -> None:
    document = document_of(f"x = torch.tensor([0., 1.], requires_grad=True)\ny = x * 1\nx = y\nloss = {expression} * 2\nloss.backward()")
    operations = {each["id"]: each["op"] for each in document["graph"]["nodes"]}
    matches = [(operations[each["node"]], each["kind"], each["value"]) for each in document["nonfinite"]]
    assert [each[:2] for each in matches] == [each[:2] for each in born]
    assert matches[:1] == born[:1]


def test_an_operation_with_a_nan_input_is_not_reported_as_its_origin() -> None:
    document = document_of("x = torch.tensor([float('nan'), 1.], requires_grad=True)\nloss = (x * 2).sum()\nloss.backward()")
    assert document["nonfinite"] == []
    assert node(document, name="x")["value"] == ["nan", 1.0]


def test_further_nodes_of_one_call_are_inner_nodes() -> None:
    source = "x = torch.tensor([[1., 2., 0.5]], requires_grad=True)\nloss = F.cross_entropy(x, torch.tensor([1]))\nloss.backward()"
    document, names = document_of(source), execute(source)
    inner = node(document, inner=True, kind="operation")
    assert (inner["op"], inner["value"], inner["source"]) == ("LogSoftmaxBackward0", None, "F.cross_entropy(x, torch.tensor([1]))")
    assert inner["grad"] == [[0.0, -1.0, 0.0]]
    assert node(document, name="loss")["op"] == "NllLossBackward0"
    assert node(document, name="x")["grad"] == names["x"].grad.tolist()
    forward = [step["node"] for step in document["steps"] if step["kind"] == "forward"]
    assert forward == [inner["id"], node(document, name="loss")["id"]]


def test_versions_equal_the_version_counters() -> None:
    source = "x = torch.tensor([1., 2.], requires_grad=True)\ny = x * 2\nz = y + 1\ny += 1\ny *= 1\nloss = (y + z).sum()\nloss.backward()"
    document, names = document_of(source), execute(source)
    assert document["names"]["y"]["version"] == names["y"]._version == 2
    assert [each["version"] for each in document["graph"]["nodes"] if each["source"] in ("x * 2", "y += 1", "y *= 1")] == [0, 1, 2]


def test_only_the_last_passes_are_kept() -> None:
    turns = MAX_PASSES + 7
    execution = graph.run(f"x = torch.tensor(2., requires_grad=True)\nfor i in range({turns}):\n    (x * x).backward()", CPU)
    tracer = execution.tracer
    assert isinstance(tracer, GradientTracer)
    assert [each.number for each in tracer.passes] == list(range(7, turns))
    assert execution.names["x"].grad.item() == 4.0 * turns
    assert leaf(graph.document(execution), "x")["pass"] == 0


def test_retain_grad_keeps_the_gradient_of_a_non_leaf_tensor() -> None:
    source = "x = torch.tensor([1., 2.], requires_grad=True)\ny = x * 2\nz = x * 3\ny.retain_grad()\nloss = (y * z).sum()\nloss.backward()"
    document, names = document_of(source), execute(source)
    assert document["names"]["y"]["grad"] == names["y"].grad.tolist()
    assert document["names"]["z"]["grad"] is None
    assert not document["names"]["y"]["is_leaf"] and document["names"]["x"]["is_leaf"]


def test_a_detached_tensor_is_a_constant() -> None:
    document = document_of("x = torch.tensor([1., 2.], requires_grad=True)\nc = x.detach() * 2\nloss = (x * c).sum()\nloss.backward()")
    assert node(document, name="c")["kind"] == "constant"
    assert [edge["passed"] for edge in edges(document, start=node(document, name="c"))] == [None]
    assert node(document, name="x")["grad"] == [2.0, 4.0]


def test_each_edge_has_its_local_derivative() -> None:
    document = document_of(
        "x = torch.tensor([1., 2.], requires_grad=True)\ny = torch.tensor([3., 4.], requires_grad=True)\nloss = ((x * y) * 10).sum()\nloss.backward()"
    )
    product = node(document, source="x * y")
    assert [(edge["local"], edge["passed"], edge["elementwise"]) for edge in edges(document, end=product)] == [
        ([3.0, 4.0], [30.0, 40.0], True),
        ([1.0, 2.0], [10.0, 20.0], True),
    ]


def test_a_pass_can_start_at_a_view_changed_in_place() -> None:
    document = document_of("x = torch.tensor([1., 2.], requires_grad=True)\ny = x * 2\nv = y[0]\ny += 1\nv.backward()")
    assert (node(document, name="v")["value"], node(document, name="v")["grad"]) == (3.0, 1.0)
    assert node(document, name="x")["grad"] == [2.0, 0.0]


def test_a_function_with_a_backward_pass_of_its_own_is_a_node_with_its_gradients() -> None:
    source = """class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return 2 * x
    @staticmethod
    def backward(ctx, grad):
        return 2 * grad
x = torch.tensor([1.0, 2.0], requires_grad=True)
loss = Double.apply(x).sum()
loss.backward()"""
    document = document_of(source)
    assert document["error"] is None
    (node,) = [node for node in document["graph"]["nodes"] if node["op"] == "DoubleBackward"]
    (edge,) = [edge for edge in document["graph"]["edges"] if edge["to"] == node["id"]]
    assert (edge["passed"], edge["local"]) == ([2.0, 2.0], None)
