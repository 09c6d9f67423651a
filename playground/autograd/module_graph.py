"""Describe a network's autograd graph, folded by module, with the norm of the upstream gradient of each node.

Hooks on modules record which module created which node, hooks on nodes record the upstream gradients; torch is not
changed, and the parameters' gradients are the same to the last bit with and without the hooks.
Source: https://docs.pytorch.org/docs/stable/autograd.html#autograd-graph,
https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_forward_hook
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from graphlib import TopologicalSorter
from typing import Any, Literal, TypedDict

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node, get_gradient_edge
from torch.nn.functional import cross_entropy

from playground.autograd.formulas import formula, title
from playground.autograd.gradient_tracer import reachable
from playground.errors import PlaygroundError
from playground.messages import msg

Loss = Callable[[Any, Tensor], Tensor]
Edge = tuple[Node, int]
"""A node and the number of one of its outputs."""
OUTSIDE = ""
"""The path of the network itself; nodes that it creates outside its submodules are in no group."""

Number = float | str
"""A number as JSON has it; `nan`, `inf` and `-inf` are texts."""


class ModuleNode(TypedDict):
    """A node of a network's graph."""

    id: str
    kind: Literal["operation", "output", "leaf"]
    op: str
    name: str
    """The path of a parameter; else empty."""
    group: str | None
    """The innermost group that holds it."""
    shape: list[int] | None
    """With the batch dimension, as all shapes here."""
    dtype: str | None
    norm: Number | None
    """The L2 norm of its upstream gradients; null where none arrives."""
    formula: str


_From = TypedDict("_From", {"from": str})


class ModuleEdge(_From):
    """From an input to a result, against the gradients; `slot` is the place of the input."""

    to: str
    slot: int


class ModuleGroup(TypedDict):
    """A module with the nodes that it created. Where it ran several times, its last call is described."""

    id: str
    parent: str | None
    """The group around it."""
    title: str
    """The name of its class."""
    name: str
    """Its path in the network."""
    shape: list[int] | None
    """The shape of its output; null where its parent uses its weights without calling it."""
    norm: Number | None
    """The L2 norm of the gradient of its output; null where none arrives."""
    parameters: int


class ModuleGraph(TypedDict):
    """A network's autograd graph, folded by module."""

    nodes: list[ModuleNode]
    edges: list[ModuleEdge]
    groups: list[ModuleGroup]


class Activation(TypedDict):
    """A module's output; `std` is its standard deviation, `zeros` the share of exact zeros."""

    mean: Number
    std: Number
    zeros: float


class Weight(TypedDict):
    """The L2 norms of a parameter and of its gradient, and the second divided by the first."""

    norm: Number
    gradient: Number | None
    ratio: Number | None


class Layer(TypedDict):
    """A child of a network; the last call where it ran several times."""

    name: str
    title: str
    out_shape: list[int]
    activation: Activation
    gradient: Number | None
    """The L2 norm of the gradient of its output."""
    gradient_mean: Number | None
    """The mean of that gradient's absolute values."""
    weights: dict[str, Weight]


class Observation(TypedDict):
    """One forward and one backward pass of a network."""

    loss: Number
    graph: ModuleGraph
    layers: list[Layer]
    """The network's children in the order in which they ran."""
    count: int
    """The number of nodes."""


def observe(network: nn.Module, inputs: Tensor, labels: Tensor, loss: Loss = cross_entropy) -> Observation:
    """Run one forward and one backward pass of a network and describe them as plain data.

    The gradients are added to each parameter's `.grad`, as `backward()` does.

    Args:
        network: in training or evaluation mode; the mode stays.
        inputs: ``(N, …)``, the input of the network.
        labels: ``(N,)``, or another second argument of `loss`.
        loss: computes a scalar from the network's output and the labels.

    Raises:
        PlaygroundError: no gradient flows, because the network has no trainable parameters.
    """
    forward = _Forward(network)
    try:
        value = loss(network(inputs), labels)
    finally:
        forward.remove()
    if not value.requires_grad:
        raise PlaygroundError(msg("This network has no weights that can learn, so there is no gradient."), msg("Add a layer with weights, such as Linear."))
    root = get_gradient_edge(value).node
    nodes = _forward_order(reachable([root]))
    upstream = _backward(value, nodes, {call.edge for name, call in forward.calls.items() if "." not in name})
    writer = _Writer(network, forward, nodes, upstream)
    graph: ModuleGraph = {
        "nodes": [writer.node(node, "output" if node is root else "operation") for node in nodes],
        "edges": writer.edges(),
        "groups": writer.groups(),
    }
    return {"loss": _number(value.item()), "graph": graph, "layers": writer.layers(), "count": len(nodes)}


@dataclass(frozen=True)
class _Call:
    """The last call of a module."""

    shape: tuple[int, ...]
    """Shape of its output."""
    edge: Edge | None
    """The node and output that the gradient of its output flows to; None where none flows."""


@dataclass(frozen=True)
class _Upstream:
    """The size of one upstream gradient, still on its device, so that the backward pass need not wait for it."""

    norm: Tensor
    mean: Tensor | None
    """Mean of the absolute values; None where the gradient is not that of a child's output."""


class _Forward:
    """Hooks that record, while the network runs, which module created which node.

    The nodes between a module's inputs and its output belong to the module, except those of its submodules. So when a module is
    called, all unassigned nodes behind its inputs are assigned to the module that calls it; when it returns, all unassigned nodes
    behind its output are assigned to it.
    """

    def __init__(self, network: nn.Module) -> None:
        self.owners: dict[Node, str] = {}
        """For each node the path of its module."""
        self.calls: dict[str, _Call] = {}
        """By the path of the module, in the order in which they first ran."""
        self.activations: dict[str, Activation] = {}
        """The outputs of the network's children in their last calls, by name."""
        self.parameters = {parameter: name for name, parameter in network.named_parameters()}
        self._running: list[str] = [OUTSIDE]
        self._handles = []
        for name, module in network.named_modules():
            if name != OUTSIDE:
                self._handles.append(module.register_forward_pre_hook(partial(self._enter, name), with_kwargs=True))
                self._handles.append(module.register_forward_hook(partial(self._leave, name)))

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()

    def _enter(self, name: str, _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._assign([args, kwargs], self._running[-1])
        self._running.append(name)

    def _leave(self, name: str, _module: nn.Module, _args: tuple[Any, ...], output: Any) -> None:
        self._running.pop()
        self._assign(output, name)
        for tensor in _tensors(output):
            self.calls[name] = _Call(tuple(tensor.shape), _edge(tensor))
            if "." not in name:
                self.activations[name] = _activation(tensor)
            break  # attention returns its weights as a second output

    def _assign(self, value: Any, owner: str) -> None:
        """Assign all unassigned nodes behind these tensors to `owner`, and leaves to the module of the parameter.

        All nodes behind an assigned node are assigned, so each node is visited once.
        """
        stack = [edge[0] for tensor in _tensors(value) if (edge := _edge(tensor)) is not None]
        while stack:
            node = stack.pop()
            if node not in self.owners:
                parameter = self.parameters.get(getattr(node, "variable", None))  # type: ignore[arg-type]
                self.owners[node] = owner if parameter is None else parameter.rpartition(".")[0]
                stack.extend(following for following, _output in node.next_functions if following is not None)


class _Writer:
    """Writes the recorded passes as plain data."""

    def __init__(self, network: nn.Module, forward: _Forward, nodes: list[Node], upstream: dict[Node, dict[int, _Upstream]]) -> None:
        self._network, self._forward, self._nodes, self._upstream = network, forward, nodes, upstream
        self._ids = {node: f"n{index}" for index, node in enumerate(nodes)}
        with_nodes = {path for node in nodes for path in _paths(forward.owners.get(node, OUTSIDE))}
        self._modules = {name: module for name, module in network.named_modules() if name in with_nodes}
        self._group_ids = {name: f"g{index}" for index, name in enumerate(self._modules)}
        self._leaf_norms = {variable: self._norm(node) for node in nodes if (variable := getattr(node, "variable", None)) is not None}

    def node(self, node: Node, kind: Literal["operation", "output"]) -> ModuleNode:
        leaf = getattr(node, "variable", None)
        outputs = node._input_metadata if leaf is None else (leaf,)
        return {
            "id": self._ids[node],
            "kind": kind if leaf is None else "leaf",
            "op": title(node.name()),
            "name": "" if leaf is None else self._forward.parameters.get(leaf, ""),
            "group": self._group_ids.get(self._forward.owners.get(node, OUTSIDE)),
            "shape": list(outputs[0].shape) if outputs else None,
            "dtype": str(outputs[0].dtype).removeprefix("torch.") if outputs else None,
            "norm": _optional_number(self._norm(node)),
            "formula": formula(node.name())[0],
        }

    def edges(self) -> list[ModuleEdge]:
        return [
            {"from": self._ids[following], "to": self._ids[node], "slot": slot}
            for node in self._nodes
            for slot, (following, _output) in enumerate(node.next_functions)
            if following is not None
        ]

    def groups(self) -> list[ModuleGroup]:
        groups: list[ModuleGroup] = []
        for name, module in self._modules.items():
            call = self._forward.calls.get(name)  # None if the parent uses its weights without calling it, as attention does
            groups.append(
                {
                    "id": self._group_ids[name],
                    "parent": self._group_ids.get(name.rpartition(".")[0]),
                    "title": type(module).__name__,
                    "name": name,
                    "shape": list(call.shape) if call else None,
                    "norm": _optional_number(self._gradient(call, "norm")),
                    "parameters": sum(parameter.numel() for parameter in module.parameters()),
                }
            )
        return groups

    def layers(self) -> list[Layer]:
        children = dict(self._network.named_children())
        return [self._layer(name, children[name], call) for name, call in self._forward.calls.items() if name in children]

    def _layer(self, name: str, module: nn.Module, call: _Call) -> Layer:
        return {
            "name": name,
            "title": type(module).__name__,
            "out_shape": list(call.shape),
            "activation": self._forward.activations[name],
            "gradient": _optional_number(self._gradient(call, "norm")),
            "gradient_mean": _optional_number(self._gradient(call, "mean")),
            "weights": {path: self._weight(parameter) for path, parameter in module.named_parameters()},
        }

    def _weight(self, parameter: nn.Parameter) -> Weight:
        norm, gradient = torch.linalg.vector_norm(_float64(parameter)).item(), self._leaf_norms.get(parameter)
        return {"norm": _number(norm), "gradient": _optional_number(gradient), "ratio": None if gradient is None or norm == 0 else _number(gradient / norm)}

    def _norm(self, node: Node) -> float | None:
        """Return the norm of the upstream gradients of all outputs of a node together; None if none arrived."""
        gradients = self._upstream.get(node)
        return math.hypot(*(gradient.norm.item() for gradient in gradients.values())) if gradients else None

    def _gradient(self, call: _Call | None, size: Literal["norm", "mean"]) -> float | None:
        """Return the norm or the absolute mean of the gradient of a module's output; None if none arrived."""
        if call is None or call.edge is None:
            return None
        node, output = call.edge
        value: Tensor | None = getattr(self._upstream.get(node, {}).get(output), size, None)
        return None if value is None else value.item()


def _forward_order(nodes: list[Node]) -> list[Node]:
    """Sort the nodes so that each comes after all nodes that its value was computed from."""
    return list(TopologicalSorter({node: [following for following, _output in node.next_functions if following is not None] for node in nodes}).static_order())


def _backward(value: Tensor, nodes: list[Node], outputs: set[Edge | None]) -> dict[Node, dict[int, _Upstream]]:
    """Run the backward pass; return the size of the upstream gradient by node and output, with its mean for `outputs`."""
    upstream: dict[Node, dict[int, _Upstream]] = {}

    def record(node: Node, gradients: tuple[Tensor | None, ...]) -> None:
        upstream[node] = {output: _measure(gradient, with_mean=(node, output) in outputs) for output, gradient in enumerate(gradients) if gradient is not None}

    handles = [node.register_prehook(partial(record, node)) for node in nodes]
    try:
        torch.autograd.backward(value)
    finally:
        for handle in handles:
            handle.remove()
    return upstream


def _measure(gradient: Tensor, *, with_mean: bool) -> _Upstream:
    values = _float64(gradient)
    return _Upstream(torch.linalg.vector_norm(values), values.abs().mean() if with_mean else None)


def _activation(tensor: Tensor) -> Activation:
    """Compute the mean, the standard deviation (without Bessel's correction) and the share of exact zeros."""
    values = _float64(tensor)
    return {"mean": _number(values.mean().item()), "std": _number(values.std(correction=0).item()), "zeros": 1 - values.count_nonzero().item() / values.numel()}


def _float64(tensor: Tensor) -> Tensor:
    """Convert to float64, in which squares of tiny and huge numbers neither underflow nor overflow; from MPS, which has no float64, to the CPU."""
    tensor = tensor.detach()
    return (tensor.cpu() if tensor.device.type == "mps" else tensor).double()


def _tensors(value: Any) -> Iterator[Tensor]:
    """Yield the tensors in a module's arguments or output, also those in lists and dictionaries."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        yield from _tensors(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _tensors(part)


def _edge(tensor: Tensor) -> Edge | None:
    if not tensor.requires_grad:
        return None
    edge = get_gradient_edge(tensor)
    return edge.node, edge.output_nr


def _paths(path: str) -> Iterator[str]:
    """Yield the path of a module and those of its parents: `4.body.0`, `4.body`, `4`."""
    while path != OUTSIDE:
        yield path
        path = path.rpartition(".")[0]


def _optional_number(value: float | None) -> Number | None:
    return None if value is None else _number(value)


def _number(value: float) -> Number:
    """Return a non-finite number as text, because JSON has none."""
    return value if math.isfinite(value) else str(value)
