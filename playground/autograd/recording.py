"""Observes a script's autograd: which node each operation made, and what travelled through every node of each backward pass.

Only hooks on the graph that PyTorch itself recorded are used; torch is not changed, and the gradients are the same
to the last bit with and without them.
Source: https://docs.pytorch.org/docs/stable/notes/autograd.html, https://docs.pytorch.org/docs/stable/autograd.html#autograd-graph
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.autograd.graph import Node

from playground.tensors.calls import Call, arrays_in
from playground.tensors.memory import Snapshot, snapshot
from playground.tensors.tracing import Tracer

PASSES = 50
"""Backward passes of one script that are remembered, the last ones."""
DETAILED = 400
"""Nodes up to which every value of a graph is kept."""
BACKWARD = frozenset(("Tensor.backward", "torch.autograd.grad"))


@dataclass(frozen=True)
class Given:
    """A tensor that went into an operation."""

    source: Node | None
    """The node that a gradient would go to; None where none flows."""
    name: str
    """The learner's name for it; empty if it has none."""
    part: Snapshot


@dataclass(frozen=True)
class Made:
    """An operation's result as it was when the operation had made it."""

    part: Snapshot
    place: ast.AST
    """The expression that made it."""
    inputs: tuple[Given, ...]


@dataclass
class Observed:
    """One node of a backward pass."""

    node: Node
    following: tuple[tuple[Node | None, int], ...]
    """For each input slot the node that the gradient goes on to."""
    names: tuple[str, ...]
    """The learner's names for its result; of a leaf, the leaf's."""
    leaf: Snapshot | None
    """A leaf's value before the pass."""
    saved: dict[str, Any]
    """What it kept for the backward pass: snapshots, numbers, texts."""
    local: tuple[Snapshot | None, ...]
    """For each slot: what a gradient of ones becomes, which for an elementwise operation is its derivative."""
    upstream: Snapshot | None = None
    """The gradient that arrived: the sum of what came along all paths."""
    passed: tuple[Snapshot | None, ...] = ()
    """For each slot the gradient that it passed on."""


@dataclass
class Pass:
    """One backward pass, its nodes in the engine's own order."""

    place: ast.AST
    line: int
    roots: tuple[Node, ...]
    nodes: dict[Node, Observed]
    """Every node that can be reached from the roots."""
    order: list[Node] = field(default_factory=list)
    """As the engine came to them."""
    failed: bool = False


class GradientTracer(Tracer):
    """Records statements as its parent does, and beside them the autograd graph."""

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[Node, Made] = {}
        """Results by the node that PyTorch recorded for them, in the order of the forward pass."""
        self.passes: list[Pass] = []
        self._names: Mapping[str, Any] = {}

    def start(self, names: Mapping[str, Any]) -> None:
        self._names = names  # the interpreter's own, so that it is read as it is at that moment
        super().start(names)

    def perform(self, call: Call, node: ast.AST, do: Callable[[Call], Any]) -> Any:
        if call.entry.name in BACKWARD:
            return self._observe(call, node, do)
        tensors = [array for array in call.arrays if isinstance(array, torch.Tensor)]
        inputs = tuple(Given(_source(tensor), self._name_of(tensor), snapshot(tensor)) for tensor in tensors)
        result = super().perform(call, node, do)
        for tensor in arrays_in([result, *tensors]):
            function = getattr(tensor, "grad_fn", None)
            if function is not None and function not in self.made:
                self.made[function] = Made(snapshot(tensor), node, inputs)
        return result

    def _name_of(self, tensor: torch.Tensor) -> str:
        return next((name for name, value in self._names.items() if value is tensor and name.isidentifier()), "")

    def _observe(self, call: Call, place: ast.AST, do: Callable[[Call], Any]) -> Any:
        """Perform a backward pass with a hook on every node."""
        roots = tuple(_source(tensor) for tensor in arrays_in(call.args[0]) if isinstance(tensor, torch.Tensor))
        found = Pass(place, getattr(place, "lineno", 0), tuple(root for root in roots if root is not None), {})
        reached = reachable(found.roots)
        names = self._names_by_node()
        found.nodes = {node: _observed(node, names.get(node, ()), detailed=len(reached) <= DETAILED) for node in reached}
        handles = [node.register_hook(_hook(found, node, detailed=len(reached) <= DETAILED)) for node in reached]
        self.passes = [*self.passes, found][-PASSES:]
        try:
            return super().perform(call, place, do)
        except Exception:
            found.failed = True
            raise
        finally:
            for handle in handles:
                handle.remove()

    def _names_by_node(self) -> dict[Node, tuple[str, ...]]:
        named: dict[Node, tuple[str, ...]] = {}
        for name, value in self._names.items():
            if isinstance(value, torch.Tensor) and value.requires_grad and (source := _source(value)) is not None:
                named[source] = (*named.get(source, ()), name)
        return named


def reachable(roots: Iterable[Node]) -> list[Node]:
    """Every node that a backward pass from the roots can come to, each once, roots first."""
    seen: dict[Node, None] = {}
    stack = list(reversed(list(roots)))
    while stack:
        node = stack.pop()
        if node not in seen:
            seen[node] = None
            stack.extend(following for following, _slot in reversed(node.next_functions) if following is not None)
    return list(seen)


def _source(tensor: torch.Tensor) -> Node | None:
    """The node that a gradient of this tensor goes to; a leaf's own accumulates it."""
    if not tensor.requires_grad:
        return None
    return torch.autograd.graph.get_gradient_edge(tensor).node


def _observed(node: Node, names: tuple[str, ...], *, detailed: bool) -> Observed:
    """A node before the pass, while it still has what it saved."""
    variable = getattr(node, "variable", None)
    leaf = snapshot(variable) if variable is not None else None
    if not detailed:
        return Observed(node, node.next_functions, names, leaf, {}, ())
    return Observed(node, node.next_functions, names, leaf, _saved(node), () if leaf else _local(node))


def _saved(node: Node) -> dict[str, Any]:
    """What PyTorch kept in the node: its `_saved_…` attributes."""
    found: dict[str, Any] = {}
    for attribute in dir(node):
        if attribute.startswith("_saved_"):
            try:
                value = getattr(node, attribute)
            except RuntimeError as error:  # freed by an earlier pass, or changed in place since
                value = str(error).split("\n")[0]
            found[attribute.removeprefix("_saved_")] = snapshot(value) if isinstance(value, torch.Tensor) else value
    return {name: value for name, value in found.items() if value is not None}


def _local(node: Node) -> tuple[Snapshot | None, ...]:
    """What the node makes of gradients of ones; empty where it cannot be asked."""
    metadata = getattr(node, "_input_metadata", ())
    ones = [torch.ones(part.shape, dtype=part.dtype, device=part.device) for part in metadata]
    try:
        with torch.no_grad():
            result = node(*ones)  # type: ignore[operator]
    except RuntimeError:
        return ()
    parts = result if isinstance(result, tuple) else (result,)
    return tuple(snapshot(part) if isinstance(part, torch.Tensor) else None for part in parts)


def _hook(found: Pass, node: Node, *, detailed: bool) -> Callable[[Any, Any], None]:
    """Called by the engine behind the node: what arrived, and what it passed on."""

    def called(passed: tuple[Any, ...], arrived: tuple[Any, ...]) -> None:
        found.order.append(node)
        if detailed:
            seen = found.nodes[node]
            seen.upstream = next((snapshot(part) for part in arrived if part is not None), None)
            seen.passed = tuple(None if part is None else snapshot(part) for part in passed)

    return called
