"""The described graph and gradients of a network equal those of PyTorch without hooks."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.graph import Node
from torch.nn.functional import cross_entropy

from playground.autograd.formulas import title
from playground.autograd.gradient_tracer import reachable
from playground.autograd.module_graph import observe
from playground.errors import PlaygroundError
from playground.network.blocks import ResidualBlock
from playground.network.build import build, execution_order
from playground.network.catalogue import LAYERS, LayerType
from playground.network.presets import load_presets
from playground.network.spec import LayerSpec, NetworkSpec
from playground.network.trace import construct, trace

PRESETS = load_presets().networks
each_preset = pytest.mark.parametrize("name", sorted(PRESETS))
Document = dict[str, Any]


class Twice(nn.Module):
    """One module called twice, with an operation outside modules in between."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 6)
        self.last = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.layer(torch.sin(self.layer(x))))


class Skips(nn.Module):
    """Has keyword arguments, a dictionary and a tuple as results, and a parameter outside standard layers."""

    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.full((6,), 2.0))

        def forward(self, *, x: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
            return {"both": (x * self.scale, x.exp())}

    def __init__(self) -> None:
        super().__init__()
        self.first, self.pair, self.last = nn.Linear(6, 6), Skips.Pair(), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x).tanh()
        one, other = self.pair(x=x)["both"]
        return self.last(one + other + x)


class Halves(nn.Module):
    """Has a module that returns the second output of a node."""

    class Second(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.chunk(2, dim=1)[1]

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(6, 8), Halves.Second(), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        one, other = self.first(x).chunk(2, dim=1)
        return self.last(self.second(torch.cat([one * other, other], dim=1)))


def encoder() -> nn.Module:
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
    return nn.Sequential(nn.Unflatten(1, (3, 2)), nn.Linear(2, 4), nn.TransformerEncoder(layer, 2), nn.Flatten(), nn.Linear(12, 3))


BY_HAND: dict[str, Callable[[], nn.Module]] = {
    "twice": Twice,
    "skips": Skips,
    "halves": Halves,
    "encoder": encoder,
    "evaluating encoder": lambda: encoder().eval(),
    "in place": lambda: nn.Sequential(nn.Linear(6, 5), nn.ReLU(inplace=True), nn.Linear(5, 3)),
    "in place on a view": lambda: nn.Sequential(nn.Unflatten(1, (2, 3)), nn.Linear(3, 4), nn.Flatten(), nn.ReLU(inplace=True), nn.Linear(8, 3)),
    "nothing done": lambda: nn.Sequential(nn.Linear(6, 6), nn.Identity(), nn.Dropout().eval(), nn.Flatten(), nn.Linear(6, 3)),
    "nested": lambda: nn.Sequential(nn.Sequential(nn.Sequential(nn.Linear(6, 6), nn.Tanh()), nn.GELU()), nn.Linear(6, 3)),
    "tied weights": lambda: tied(nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 6), nn.Linear(6, 3))),
    "shared layer": lambda: (lambda layer: nn.Sequential(layer, nn.Tanh(), layer, nn.Linear(6, 3)))(nn.Linear(6, 6)),
    "batch norm": lambda: nn.Sequential(nn.Linear(6, 6), nn.BatchNorm1d(6), nn.Sigmoid(), nn.Linear(6, 3)),
    "half frozen": lambda: frozen(nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 3))),
}
BEFORE = {1: LayerSpec("Linear"), 2: LayerSpec("PatchEmbedding", {"embed_dim": 8}), 3: LayerSpec("Conv2d", {"padding": 1})}
"""A layer with weights, by the rank of its output."""
by_hand = pytest.mark.parametrize("kind", BY_HAND)


def tied(network: nn.Sequential) -> nn.Sequential:
    network[2].weight = network[0].weight
    return network


def frozen(network: nn.Sequential) -> nn.Sequential:
    network[0].requires_grad_(False)
    return network


def document_of(network: nn.Module, inputs: Tensor, labels: Tensor) -> Document:
    torch.manual_seed(7)  # for dropout
    return json.loads(json.dumps(observe(network, inputs, labels), allow_nan=False))


def loss_of(network: nn.Module, inputs: Tensor, labels: Tensor) -> Tensor:
    """Compute the loss without the backward pass."""
    torch.manual_seed(7)
    return cross_entropy(network(inputs), labels)


def preset(name: str) -> tuple[nn.Module, Tensor, Tensor]:
    torch.manual_seed(0)
    spec = PRESETS[name]
    classes = trace(spec)[-1].out_shape[0]
    return build(spec, seed=0), torch.randn(4, *spec.input_shape), torch.randint(classes, (4,))


def build_by_hand(kind: str) -> tuple[nn.Module, Tensor, Tensor]:
    torch.manual_seed(0)
    return BY_HAND[kind](), torch.randn(4, 6), torch.randint(3, (4,))


def group_named(document: Document, name: str) -> Document:
    return next(each for each in document["graph"]["groups"] if each["name"] == name)


def path_of(document: Document, node: Document) -> str:
    return next((group["name"] for group in document["graph"]["groups"] if group["id"] == node["group"]), "")


def norm(values: Tensor) -> float:
    return torch.linalg.vector_norm(values.double()).item()


def check_graph(document: Document, network: nn.Module, loss: Tensor) -> None:
    """Compare every node, edge and gradient of the document with PyTorch's graph."""
    norms: dict[Node, float] = {}
    pytorch_nodes = reachable([loss.grad_fn])
    for node in pytorch_nodes:
        node.register_hook(
            lambda _passed, upstream, node=node: norms.update({node: norm(torch.cat([part.flatten() for part in upstream if part is not None]))})
        )
    loss.backward()
    nodes = {node["id"]: node for node in document["graph"]["nodes"]}
    into = {(edge["to"], edge["slot"]): edge["from"] for edge in document["graph"]["edges"]}
    assert len(nodes) == len(document["graph"]["nodes"]) == document["count"] == len(pytorch_nodes)
    assert len(into) == len(document["graph"]["edges"]) == sum(following is not None for node in pytorch_nodes for following, _ in node.next_functions)
    names = {parameter: name for name, parameter in network.named_parameters()}
    twins = {loss.grad_fn: next(node["id"] for node in nodes.values() if node["kind"] == "output")}
    for node in pytorch_nodes:
        ours, leaf = nodes[twins[node]], getattr(node, "variable", None)
        assert ours["op"] == title(node.name())
        assert (ours["kind"] == "leaf") == (leaf is not None) and ours["name"] == names.get(leaf, "")
        assert ours["norm"] == pytest.approx(norms[node], rel=1e-9)
        if leaf is not None:
            assert ours["shape"] == list(leaf.shape) and ours["dtype"] == "float32"
        for slot, (following, _output) in enumerate(node.next_functions):
            if following is not None:
                assert twins.setdefault(following, into[twins[node], slot]) == into[twins[node], slot]
    assert len(set(twins.values())) == len(nodes)


def check_groups(document: Document, network: nn.Module) -> None:
    """Every group is a module with nodes, its parent is the module's parent, and leaves are in the group of their module."""
    groups = {group["id"]: group for group in document["graph"]["groups"]}
    modules = dict(network.named_modules())
    for group in groups.values():
        assert group["title"] == type(modules[group["name"]]).__name__
        assert group["parameters"] == sum(parameter.numel() for parameter in modules[group["name"]].parameters())
        assert (groups[group["parent"]]["name"] if group["parent"] else "") == group["name"].rpartition(".")[0]
    paths = [path_of(document, node) for node in document["graph"]["nodes"]]
    assert all(any(path == group["name"] or path.startswith(group["name"] + ".") for path in paths) for group in groups.values())
    for node in document["graph"]["nodes"]:
        assert node["group"] is None or node["group"] in groups
        if node["kind"] == "leaf":
            assert path_of(document, node) == node["name"].rpartition(".")[0]


@each_preset
def test_the_graph_of_a_preset_equals_that_of_pytorch(name: str) -> None:
    network, inputs, labels = preset(name)
    document, twin = document_of(copy.deepcopy(network), inputs, labels), copy.deepcopy(network)
    check_graph(document, twin, loss_of(twin, inputs, labels))
    check_groups(document, network)


@by_hand
def test_the_graph_of_a_handwritten_network_equals_that_of_pytorch(kind: str) -> None:
    network, inputs, labels = build_by_hand(kind)
    document, twin = document_of(copy.deepcopy(network), inputs, labels), copy.deepcopy(network)
    check_graph(document, twin, loss_of(twin, inputs, labels))
    check_groups(document, network)


@pytest.mark.parametrize("case", [*sorted(PRESETS), *BY_HAND])
def test_observing_changes_no_gradient_and_no_buffer(case: str) -> None:
    network, inputs, labels = preset(case) if case in PRESETS else build_by_hand(case)
    twin = copy.deepcopy(network)
    document, loss = document_of(network, inputs, labels), loss_of(twin, inputs, labels)
    loss.backward()
    assert document["loss"] == loss.item()
    for one, other in zip(network.parameters(), twin.parameters(), strict=True):
        assert torch.equal(one.grad, other.grad) if other.grad is not None else one.grad is None
    assert all(torch.equal(one, other) for one, other in zip(network.buffers(), twin.buffers(), strict=True))


@each_preset
def test_layers_have_the_values_and_gradients_of_pytorch(name: str) -> None:
    network, inputs, labels = preset(name)
    document = document_of(copy.deepcopy(network), inputs, labels)
    torch.manual_seed(7)
    outputs, value = [], inputs
    order = execution_order(list(network))
    for index in order:
        value = network[index](value)
        outputs.append(value)
        if value.requires_grad:
            value.retain_grad()
    cross_entropy(value, labels).backward()
    assert [layer["name"] for layer in document["layers"]] == [str(index) for index in order]
    for layer, index, output in zip(document["layers"], order, outputs, strict=True):
        values = output.detach().double().numpy()
        assert (layer["title"], layer["out_shape"]) == (type(network[index]).__name__, list(output.shape))
        assert layer["activation"] == pytest.approx({"mean": values.mean(), "std": values.std(), "zeros": (values == 0).mean()}, abs=1e-9)
        if output.requires_grad:
            assert layer["gradient"] == pytest.approx(norm(output.grad))
            assert layer["gradient_mean"] == pytest.approx(output.grad.double().abs().mean().item())
        else:
            assert layer["gradient"] is None and layer["gradient_mean"] is None
        assert layer["weights"].keys() == dict(network[index].named_parameters()).keys()
        for path, parameter in network[index].named_parameters():
            size, gradient = norm(parameter.detach()), norm(parameter.grad)
            assert layer["weights"][path] == pytest.approx({"norm": size, "gradient": gradient, "ratio": gradient / size if size else None})


@pytest.mark.parametrize("kind", LAYERS, ids=lambda kind: kind.name)
def test_each_layer_type_has_the_same_nodes_as_alone(kind: LayerType) -> None:
    before = BEFORE[min(kind.ranks)]
    layers = (before, LayerSpec(kind.name), LayerSpec("Flatten"), LayerSpec("Linear", {"out_features": 3}))
    spec = NetworkSpec("test", (12,) if 1 in kind.ranks else (2, 20, 20), layers)
    network = build(spec, seed=0)
    document = document_of(network, torch.randn(4, *spec.input_shape), torch.randint(3, (4,)))
    ours = Counter(
        node["op"] for node in document["graph"]["nodes"] if path_of(document, node).split(".")[0] == "1" and (node["kind"] == "operation" or node["name"])
    )
    step = trace(spec)[1]
    start = torch.randn(4, *step.in_shape, requires_grad=True)
    alone = construct(step.layer, step.in_shape)(start)
    theirs = Counter(title(node.name()) for node in reachable([alone.grad_fn] if alone is not start else []) if getattr(node, "variable", None) is not start)
    assert ours == theirs
    if ours:
        assert group_named(document, "1")["shape"] == list(alone.shape)


def test_the_addition_of_a_shortcut_connection_is_in_the_group_of_its_block() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), ResidualBlock(4, 8, 2), nn.Flatten(), nn.Linear(8 * 16, 3))
    document = document_of(network, torch.randn(2, 1, 10, 10), torch.tensor([0, 1]))
    block = Counter(node["op"] for node in document["graph"]["nodes"] if path_of(document, node) == "1")
    assert block == {"AddBackward0": 1, "ReluBackward0": 1}
    assert {path_of(document, node) for node in document["graph"]["nodes"] if node["op"] == "ConvolutionBackward0"} == {
        "0", "1.body.0", "1.body.3", "1.shortcut.0",
    }  # fmt: skip


def test_operations_outside_modules_are_in_no_group() -> None:
    network, inputs, labels = build_by_hand("twice")
    document = document_of(network, inputs, labels)
    outside = {node["op"] for node in document["graph"]["nodes"] if node["group"] is None}
    assert outside == {"SinBackward0", "LogSoftmaxBackward0", "NllLossBackward0"}
    assert sum(node["op"] == "AddmmBackward0" for node in document["graph"]["nodes"] if path_of(document, node) == "layer") == 2


def test_keyword_arguments_and_dictionaries_of_tensors_are_followed() -> None:
    document = document_of(*build_by_hand("skips"))
    pair = {node["op"] for node in document["graph"]["nodes"] if path_of(document, node) == "pair" and node["kind"] == "operation"}
    outside = {node["op"] for node in document["graph"]["nodes"] if node["group"] is None}
    assert pair == {"MulBackward0", "ExpBackward0"}
    assert outside == {"TanhBackward0", "AddBackward0", "LogSoftmaxBackward0", "NllLossBackward0"}


def test_a_module_that_returns_the_second_output_of_a_node_has_its_gradient() -> None:
    network, inputs, labels = build_by_hand("halves")
    document = document_of(copy.deepcopy(network), inputs, labels)
    one, other = network.first(inputs).chunk(2, dim=1)
    second = network.second(torch.cat([one * other, other], dim=1))
    second.retain_grad()
    cross_entropy(network.last(second), labels).backward()
    assert document["layers"][1]["gradient"] == group_named(document, "second")["norm"] == pytest.approx(norm(second.grad))


def test_the_last_call_of_a_module_that_runs_twice_is_described() -> None:
    network, inputs, labels = build_by_hand("twice")
    document = document_of(copy.deepcopy(network), inputs, labels)
    last = network.layer(torch.sin(network.layer(inputs)))
    last.retain_grad()
    cross_entropy(network.last(last), labels).backward()
    assert [layer["name"] for layer in document["layers"]] == ["layer", "last"]
    assert document["layers"][0]["gradient"] == group_named(document, "layer")["norm"] == pytest.approx(norm(last.grad))


def test_modules_without_operations_have_a_gradient_but_no_group() -> None:
    document = document_of(*build_by_hand("nothing done"))
    assert [group["name"] for group in document["graph"]["groups"]] == ["0", "4"]
    assert len({layer["gradient"] for layer in document["layers"][:4]}) == 1
    assert [layer["title"] for layer in document["layers"]] == ["Linear", "Identity", "Dropout", "Flatten", "Linear"]


def test_an_in_place_activation_has_a_node_and_a_gradient() -> None:
    network, inputs, labels = build_by_hand("in place")
    document = document_of(copy.deepcopy(network), inputs, labels)
    before = network[0](inputs)
    before.retain_grad()
    after = network[1](before.clone())
    after.retain_grad()
    cross_entropy(network[2](after), labels).backward()
    assert [path_of(document, node) for node in document["graph"]["nodes"] if node["op"] == "ReluBackward0"] == ["1"]
    assert document["layers"][0]["gradient"] == pytest.approx(norm(before.grad))
    assert document["layers"][1]["gradient"] == pytest.approx(norm(after.grad))
    assert document["layers"][0]["activation"]["zeros"] == 0  # before the in-place operation


def test_weights_of_attention_are_in_the_group_of_their_module() -> None:
    document = document_of(*build_by_hand("encoder"))
    outer, inner = group_named(document, "2.layers.0.self_attn"), group_named(document, "2.layers.0.self_attn.out_proj")
    assert (inner["parent"], inner["shape"], inner["norm"]) == (outer["id"], None, None)  # its weights are used without calling it
    assert outer["shape"] == [4, 3, 4] and outer["norm"] > 0


def test_nodes_come_after_their_inputs() -> None:
    document = document_of(*preset("tiny-vit"))
    place = {node["id"]: number for number, node in enumerate(document["graph"]["nodes"])}
    assert all(place[edge["from"]] < place[edge["to"]] for edge in document["graph"]["edges"])
    assert list(place) == [f"n{number}" for number in place.values()]
    assert document["graph"]["nodes"][-1]["op"] == "NllLossBackward0"


def test_shapes_equal_those_of_the_outputs() -> None:
    document = document_of(*preset("mnist-mlp"))
    shapes = {path_of(document, node): node["shape"] for node in document["graph"]["nodes"] if node["kind"] == "operation"}
    assert shapes["1"] == [4, 128] == group_named(document, "1")["shape"]
    assert next(node["formula"] for node in document["graph"]["nodes"] if node["op"] == "ReluBackward0") == "y = max(a, 0)"


def test_inputs_that_require_gradients_are_unnamed_leaves() -> None:
    network, inputs, labels = build_by_hand("batch norm")
    document = document_of(network, inputs.requires_grad_(), labels)
    leaf = next(node for node in document["graph"]["nodes"] if node["kind"] == "leaf" and not node["name"])
    assert leaf["shape"] == [4, 6] and leaf["group"] is None and leaf["norm"] == pytest.approx(norm(inputs.grad))


def test_frozen_layers_have_no_gradient() -> None:
    first, *_, last = document_of(*build_by_hand("half frozen"))["layers"]
    assert first["gradient"] is None and first["weights"]["weight"]["gradient"] is None and first["weights"]["weight"]["ratio"] is None
    assert last["weights"]["weight"]["ratio"] > 0


def test_zero_weights_have_no_ratio() -> None:
    network, inputs, labels = build_by_hand("in place")
    nn.init.zeros_(network[2].weight)
    weight = document_of(network, inputs, labels)["layers"][2]["weights"]["weight"]
    assert weight["norm"] == 0 and weight["gradient"] > 0 and weight["ratio"] is None


def test_norms_of_tiny_and_huge_gradients_do_not_underflow_or_overflow() -> None:
    network, inputs, labels = build_by_hand("in place")
    document = json.loads(json.dumps(observe(network, inputs, labels, lambda logits, labels: cross_entropy(logits, labels) * 1e-30)))
    other = json.loads(json.dumps(observe(network, inputs, labels, lambda logits, labels: cross_entropy(logits, labels) * 1e30)))
    assert 0 < document["layers"][0]["gradient"] == pytest.approx(other["layers"][0]["gradient"] * 1e-60, rel=1e-5)


@pytest.mark.parametrize(("weight", "text"), [(float("nan"), "nan"), (1e38, "inf")])
def test_non_finite_numbers_are_texts(weight: float, text: str) -> None:
    network = nn.Sequential(nn.Linear(2, 2, bias=False))
    nn.init.constant_(network[0].weight, weight)
    document = json.loads(json.dumps(observe(network, torch.full((2, 2), 10.0), torch.tensor([0, 1]), lambda logits, _labels: logits.sum()), allow_nan=False))
    assert document["loss"] == text
    assert document["layers"][0]["activation"]["mean"] == text


def hooks(network: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules())


class Broken(torch.autograd.Function):
    """Fails in the backward pass."""

    @staticmethod
    def forward(_context: Any, value: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def backward(_context: Any, _gradient: Tensor) -> Tensor:
        raise ValueError("on purpose")


def test_no_hook_remains_after_success_or_failure() -> None:
    network, inputs, labels = build_by_hand("nested")
    observe(network, inputs, labels)
    assert hooks(network) == 0
    with pytest.raises(RuntimeError, match="shapes"):
        observe(network, torch.randn(4, 5), labels)
    assert hooks(network) == 0
    with pytest.raises(ValueError, match="on purpose"):
        observe(network, inputs, labels, lambda logits, labels: Broken.apply(cross_entropy(logits, labels)))
    assert hooks(network) == 0


def test_no_hook_remains_on_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    network, inputs, labels = build_by_hand("nested")
    kept = [torch.autograd.graph.get_gradient_edge(parameter).node for parameter in network.parameters()]  # otherwise they would be freed with the graph
    measured: list[int] = []
    monkeypatch.setattr("playground.autograd.module_graph._measure", lambda *_args, **_options: measured.append(1))
    with pytest.raises(AttributeError):  # `_measure` returned nothing to write
        observe(network, inputs, labels)
    assert len(measured) > len(kept)
    measured.clear()
    loss_of(network, inputs, labels).backward()
    assert measured == []


def test_gradients_accumulate_as_in_pytorch() -> None:
    network, inputs, labels = build_by_hand("nested")
    first = document_of(network, inputs, labels)
    once = [parameter.grad.clone() for parameter in network.parameters()]
    assert document_of(network, inputs, labels) == first
    assert all(torch.equal(parameter.grad, gradient * 2) for parameter, gradient in zip(network.parameters(), once, strict=True))


def test_a_network_without_weights_is_refused() -> None:
    with pytest.raises(PlaygroundError, match="no weights"):
        observe(nn.Sequential(nn.Flatten()), torch.randn(2, 3), torch.tensor([0, 1]))
