"""A network's autograd graph, folded by module, with the gradients that travelled through it.

Hooks of modules tell which node belongs to which module, hooks of nodes what arrived at each; torch is not
changed, and the parameters' gradients are the same to the last bit with and without them.
Source: https://docs.pytorch.org/docs/stable/autograd.html#autograd-graph,
https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_forward_hook
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from graphlib import TopologicalSorter
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node, get_gradient_edge
from torch.nn.functional import cross_entropy

from playground.autograd.formulas import formula, title
from playground.autograd.gradient_tracer import reachable
from playground.errors import PlaygroundError

Loss = Callable[[Any, Tensor], Tensor]
Edge = tuple[Node, int]
"""A node and the number of its output: what a gradient arrives at."""
OUTSIDE = ""
"""The path of the network itself; its nodes are in no group."""


def observe(network: nn.Module, inputs: Tensor, labels: Tensor, loss: Loss = cross_entropy) -> dict[str, Any]:
    """One forward and one backward pass of a network, as plain data.

    The gradients are added to each parameter's `.grad`, as `backward()` does.

    Args:
        network: in the mode that it is in.
        inputs: (N, …), what the network takes.
        labels: (N,), or whatever the loss takes beside the network's output.
        loss: gives one number.

    Returns:
        `loss`; `graph` with its `nodes`, `edges` (from inputs to results, against the gradients) and `groups` (a module each);
        `layers`, the network's children in the order in which they ran; `count` of the nodes. Shapes have the batch in them.
        A norm is the root of the sum of squares, None where no gradient arrived; numbers that JSON lacks are “nan”, “inf”, “-inf”.
        Of a module that ran more than once, the last time is told.

    Raises:
        PlaygroundError: no gradient flows, because the network has no parameters that learn.
    """
    forward = _Forward(network)
    try:
        value = loss(network(inputs), labels)
    finally:
        forward.remove()
    if not value.requires_grad:
        raise PlaygroundError("This network has no weights that can learn, so there is no gradient.", "Add a layer with weights, such as Linear.")
    root = get_gradient_edge(value).node
    nodes = _forward_order(reachable([root]))
    arrived = _backward(value, nodes, {call.edge for name, call in forward.calls.items() if "." not in name})
    writer = _Writer(network, forward, nodes, arrived)
    graph = {"nodes": [writer.node(node, "output" if node is root else "operation") for node in nodes], "edges": writer.edges(), "groups": writer.groups()}
    return {"loss": _number(value.item()), "graph": graph, "layers": writer.layers(), "count": len(nodes)}


@dataclass(frozen=True)
class _Call:
    """What a module made when it last ran."""

    shape: tuple[int, ...]
    edge: Edge | None
    """Where the gradient of its output arrives; None where none flows."""
    activation: dict[str, float | str]
    """Of the network's children alone."""


@dataclass(frozen=True)
class _Arrived:
    """The size of one gradient, still on its device, so that the backward pass need not wait for it."""

    norm: Tensor
    mean: Tensor | None
    """Mean of the absolute values; of the children's outputs alone."""


class _Forward:
    """Hooks that note, while the network runs, which module made which node.

    What was recorded between a module's inputs and its output is its own, unless a module inside it made that. So
    every node reachable from an input that nobody has yet belongs to the module that is running, and every node
    reachable from an output that nobody has yet belongs to the module that made the output.
    """

    def __init__(self, network: nn.Module) -> None:
        self.owners: dict[Node, str] = {}
        """The path of its module by node."""
        self.calls: dict[str, _Call] = {}
        """By the path of the module, in the order in which they first ran."""
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
        self._claim([args, kwargs], self._running[-1])
        self._running.append(name)

    def _leave(self, name: str, _module: nn.Module, _args: tuple[Any, ...], output: Any) -> None:
        self._running.pop()
        self._claim(output, name)
        for tensor in _tensors(output):
            self.calls[name] = _Call(tuple(tensor.shape), _edge(tensor), {} if "." in name else _activation(tensor))
            break  # attention gives its weights as a second output

    def _claim(self, value: Any, owner: str) -> None:
        """Give all nodes behind these tensors that nobody has to `owner`, and leaves to the module that holds them.

        Behind a node that somebody has, all have somebody: each node is looked at once.
        """
        stack = [edge[0] for tensor in _tensors(value) if (edge := _edge(tensor)) is not None]
        while stack:
            node = stack.pop()
            if node not in self.owners:
                held = self.parameters.get(getattr(node, "variable", None))  # type: ignore[arg-type]
                self.owners[node] = owner if held is None else held.rpartition(".")[0]
                stack.extend(following for following, _output in node.next_functions if following is not None)


class _Writer:
    """Writes down what was observed."""

    def __init__(self, network: nn.Module, forward: _Forward, nodes: list[Node], arrived: dict[Node, dict[int, _Arrived]]) -> None:
        self._network, self._forward, self._nodes, self._arrived = network, forward, nodes, arrived
        self._ids = {node: f"n{place}" for place, node in enumerate(nodes)}
        filled = {path for node in nodes for path in _paths(forward.owners.get(node, OUTSIDE))}
        self._modules = {name: module for name, module in network.named_modules() if name in filled}
        self._group_ids = {name: f"g{place}" for place, name in enumerate(self._modules)}
        self._leaf_norms = {variable: self._norm(node) for node in nodes if (variable := getattr(node, "variable", None)) is not None}

    def node(self, node: Node, kind: str) -> dict[str, Any]:
        leaf = getattr(node, "variable", None)
        parts = node._input_metadata if leaf is None else (leaf,)
        return {
            "id": self._ids[node],
            "kind": kind if leaf is None else "leaf",
            "op": title(node.name()),
            "name": "" if leaf is None else self._forward.parameters.get(leaf, ""),
            "group": self._group_ids.get(self._forward.owners.get(node, OUTSIDE)),
            "shape": list(parts[0].shape) if parts else None,
            "dtype": str(parts[0].dtype).removeprefix("torch.") if parts else None,
            "norm": _told(self._norm(node)),
            "formula": formula(node.name())[0],
        }

    def edges(self) -> list[dict[str, Any]]:
        return [
            {"from": self._ids[following], "to": self._ids[node], "slot": slot}
            for node in self._nodes
            for slot, (following, _output) in enumerate(node.next_functions)
            if following is not None
        ]

    def groups(self) -> list[dict[str, Any]]:
        found = []
        for name, module in self._modules.items():
            call = self._forward.calls.get(name)  # None where the weights are used by the module around it, as those of attention are
            found.append(
                {
                    "id": self._group_ids[name],
                    "parent": self._group_ids.get(name.rpartition(".")[0]),
                    "title": type(module).__name__,
                    "name": name,
                    "shape": list(call.shape) if call else None,
                    "norm": _told(self._gradient(call, "norm")),
                    "parameters": sum(parameter.numel() for parameter in module.parameters()),
                }
            )
        return found

    def layers(self) -> list[dict[str, Any]]:
        children = dict(self._network.named_children())
        return [self._layer(name, children[name], call) for name, call in self._forward.calls.items() if name in children]

    def _layer(self, name: str, module: nn.Module, call: _Call) -> dict[str, Any]:
        return {
            "name": name,
            "title": type(module).__name__,
            "out_shape": list(call.shape),
            "activation": call.activation,
            "gradient": _told(self._gradient(call, "norm")),
            "gradient_mean": _told(self._gradient(call, "mean")),
            "weights": {path: self._weight(parameter) for path, parameter in module.named_parameters()},
        }

    def _weight(self, parameter: nn.Parameter) -> dict[str, float | str | None]:
        norm, gradient = torch.linalg.vector_norm(_wide(parameter)).item(), self._leaf_norms.get(parameter)
        return {"norm": _number(norm), "gradient": _told(gradient), "ratio": None if gradient is None or norm == 0 else _number(gradient / norm)}

    def _norm(self, node: Node) -> float | None:
        """Of everything that arrived at a node, whichever of its outputs it came to."""
        parts = self._arrived.get(node)
        return math.hypot(*(part.norm.item() for part in parts.values())) if parts else None

    def _gradient(self, call: _Call | None, what: Literal["norm", "mean"]) -> float | None:
        """How large a gradient arrived at a module's output."""
        if call is None or call.edge is None:
            return None
        node, output = call.edge
        size: Tensor | None = getattr(self._arrived.get(node, {}).get(output), what, None)
        return None if size is None else size.item()


def _forward_order(nodes: list[Node]) -> list[Node]:
    """The nodes, each behind all that its value is made of."""
    return list(TopologicalSorter({node: [following for following, _output in node.next_functions if following is not None] for node in nodes}).static_order())


def _backward(value: Tensor, nodes: list[Node], outputs: set[Edge | None]) -> dict[Node, dict[int, _Arrived]]:
    """Go back from the loss, and note by node and output how large a gradient arrived, at `outputs` its mean, too."""
    arrived: dict[Node, dict[int, _Arrived]] = {}

    def note(node: Node, gradients: tuple[Tensor | None, ...]) -> None:
        arrived[node] = {output: _measured(gradient, with_mean=(node, output) in outputs) for output, gradient in enumerate(gradients) if gradient is not None}

    handles = [node.register_prehook(partial(note, node)) for node in nodes]
    try:
        torch.autograd.backward(value)
    finally:
        for handle in handles:
            handle.remove()
    return arrived


def _measured(gradient: Tensor, *, with_mean: bool) -> _Arrived:
    wide = _wide(gradient)
    return _Arrived(torch.linalg.vector_norm(wide), wide.abs().mean() if with_mean else None)


def _activation(tensor: Tensor) -> dict[str, float | str]:
    """Mean, standard deviation (of these values, not of what they were drawn from) and the share of exact zeros."""
    wide = _wide(tensor)
    return {"mean": _number(wide.mean().item()), "std": _number(wide.std(correction=0).item()), "zeros": 1 - wide.count_nonzero().item() / wide.numel()}


def _wide(tensor: Tensor) -> Tensor:
    """In float64, where the squares of tiny and of huge numbers have room; Apple's accelerator has none, so there on the CPU."""
    tensor = tensor.detach()
    return (tensor.cpu() if tensor.device.type == "mps" else tensor).double()


def _tensors(value: Any) -> Iterator[Tensor]:
    """The tensors that a module takes or gives, in lists and dictionaries, too."""
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
    """The path of a module, and those of the modules around it: `4.body.0`, `4.body`, `4`."""
    while path != OUTSIDE:
        yield path
        path = path.rpartition(".")[0]


def _told(value: float | None) -> float | str | None:
    return None if value is None else _number(value)


def _number(value: float) -> float | str:
    """As JSON can hold it."""
    return value if math.isfinite(value) else str(value)
