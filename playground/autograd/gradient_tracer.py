"""Trace a script's autograd: the node that each operation recorded, and the gradients at every node of each backward pass.

It only hooks into the graph that PyTorch itself recorded; torch is not changed, and the gradients are the same
to the last bit with and without the hooks.
Source: https://docs.pytorch.org/docs/stable/notes/autograd.html, https://docs.pytorch.org/docs/stable/autograd.html#autograd-graph
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.autograd.graph import Node

from playground.autograd.overrides import Overrides
from playground.tensors.language.calls import Call, arrays_in
from playground.tensors.language.memory import Snapshot, key_of, snapshot, version_of
from playground.tensors.language.tracing import Tracer, named_arrays

MAX_PASSES = 50
"""Backward passes of one script that are kept, the last ones."""
MAX_DETAILED_NODES = 400
"""Up to this number of nodes, every value of a graph is kept; in a larger graph only small tensors are."""
MAX_SMALL_CELLS = 16
"""Cells of the largest tensor that is kept in any graph."""
TakeSnapshot = Callable[[torch.Tensor | None], Snapshot | None]
WEIGHTS = {"Tensor.backward": ("gradient", 1), "torch.autograd.backward": ("grad_tensors", 1), "torch.autograd.grad": ("grad_outputs", 2)}
"""Calls that make a backward pass, with the name and the position of the gradients that it begins with."""


@dataclass(frozen=True)
class OperationInput:
    """A tensor that an operation takes."""

    source: Node | None
    """The node that its gradient flows to; None for a constant."""
    name: str
    """The learner's name for it; empty if it has none."""
    value: Snapshot


@dataclass(frozen=True)
class ForwardRecord:
    """A node of the forward pass."""

    expression: ast.AST
    """The expression that computed its outputs."""
    inputs: tuple[OperationInput, ...] = ()
    turn: int = 1
    """Iteration of the outermost loop around the expression, from 1."""
    outputs: dict[int, Snapshot] = field(default_factory=dict)
    """By the number of the output, right after the operation; empty for an inner node of a call that recorded several."""


@dataclass(frozen=True)
class LeafRecord:
    """A leaf or constant at the first backward pass that involves it."""

    pass_number: int
    loss: float
    """Loss of that pass."""
    value: Snapshot
    grad: Snapshot | None
    """Gradient that the pass added to it; None for a constant."""


@dataclass
class BackwardRecord:
    """A node of a backward pass."""

    node: Node
    next_functions: tuple[tuple[Node | None, int], ...]
    """For each input the node that the gradient flows on to, and the number of that node's output."""
    names: dict[int, str]
    """The learner's names for its outputs; of a leaf, the leaf's."""
    leaf: Snapshot | None
    """A leaf's value before the pass."""
    saved: dict[str, Any]
    """Values that it saved for the backward pass: snapshots, numbers, texts."""
    local: tuple[Snapshot | None, ...]
    """For each input the node's result for an upstream gradient of ones; for an elementwise operation this is the local derivative."""
    upstream: dict[int, Snapshot] = field(default_factory=dict)
    """For each output its upstream gradient: the sum over all paths."""
    passed: tuple[Snapshot | None, ...] = ()
    """For each input the gradient that the node passed on."""


@dataclass
class BackwardPass:
    """One backward pass."""

    number: int
    line: int
    loss: float
    """Value whose derivatives the pass computes; of several values, their sum weighted with the gradients passed for them."""
    nodes: dict[Node, BackwardRecord]
    """Every node that can be reached from the roots."""
    order: list[Node] = field(default_factory=list)
    """Nodes in the order in which the engine ran them."""


class GradientTracer(Tracer):
    """Record the autograd graph of a script.

    Args:
        overrides: values that the learner set for single cells.
    """

    def __init__(self, overrides: Overrides | None = None) -> None:
        self.overrides = overrides or Overrides({})
        self.forward: dict[Node, ForwardRecord] = {}
        """The nodes that PyTorch recorded, in the order of the forward pass."""
        self.passes: list[BackwardPass] = []
        self.leaves: dict[str, LeafRecord] = {}
        """Every named leaf and constant that a backward pass involves."""
        self._pass_count = 0
        self._turns: dict[ast.For | ast.While, int] = {}
        self._versions_read: dict[int, int] = {}
        """By tensor (`key_of`): its version when its node was last read."""
        self._last_change: tuple[ast.AST, tuple[OperationInput, ...]] = (ast.Pass(), ())
        """The last in-place operation: its expression and inputs."""
        self._names: Mapping[str, Any] = {}

    def start(self, names: Mapping[str, Any]) -> None:
        self._names = names  # the interpreter's own mapping, so that each look-up sees the current values

    def begin(self, node: ast.stmt) -> None:
        if isinstance(node, (ast.For, ast.While)):
            self._turns[node] = self._turns.get(node, -isinstance(node, ast.For)) + 1  # a `for` first evaluates its iterable, then begins each turn

    def _turn(self, expression: ast.AST) -> int:
        around = (turn for loop, turn in self._turns.items() if loop.lineno <= getattr(expression, "lineno", 0) <= (loop.end_lineno or 0))
        return max(1, next(around, 1))

    def perform(self, call: Call, node: ast.AST, do: Callable[[Call], Any]) -> Any:
        tensors = [array for array in call.arrays if isinstance(array, torch.Tensor)]
        self.overrides.apply(call, self._names)
        if call.entry.name in WEIGHTS:
            return self._trace_pass(call, node, do)
        if torch.is_grad_enabled() and call.entry.short.endswith(("_", "=")):
            self._read_nodes(tensors)
        values = [snapshot(tensor) for tensor in tensors]
        sources = [node_of(tensor) if self._has_current_node(tensor) else None for tensor in tensors]
        versions = [version_of(tensor) for tensor in tensors]
        result = do(call)
        outputs = [tensor for tensor in arrays_in(result) if isinstance(tensor, torch.Tensor)]
        changed = versions != [version_of(tensor) for tensor in tensors]
        if not changed and any(tensor.requires_grad for tensor in outputs):
            self._read_nodes(tensors)
            sources = [node_of(tensor) for tensor in tensors]
        self._record_operation(node, tuple(map(OperationInput, sources, map(self._name_of, tensors), values)), [*outputs, *tensors], changed=changed)
        return result

    def _record_operation(self, expression: ast.AST, inputs: tuple[OperationInput, ...], tensors: list[torch.Tensor], *, changed: bool) -> None:
        """Record the nodes of an operation's inputs and outputs; if it `changed` memory in place, also those of all named tensors."""
        if changed:  # every tensor that shares the memory may have a new history
            tensors = [*tensors, *(array for _name, array in named_arrays(self._names) if isinstance(array, torch.Tensor))]
            self._last_change = expression, inputs
        for tensor in tensors:
            self._versions_read.setdefault(key_of(tensor), version_of(tensor))
        self._record([tensor for tensor in tensors if self._has_current_node(tensor) and tensor.grad_fn is not None], expression, inputs)

    def _has_current_node(self, tensor: Any) -> bool:
        """Return whether reading the tensor's node creates no new one.

        After its memory was changed in place, a view gets a new node as soon as its `grad_fn` is read. Were the tracer the first to read it,
        the node would be older than in a run without the tracer, and the engine, which runs the youngest nodes first, would run it later.
        """
        return isinstance(tensor, torch.Tensor) and (not tensor._is_view() or self._versions_read.get(key_of(tensor)) == version_of(tensor))

    def _read_nodes(self, tensors: Iterable[torch.Tensor]) -> None:
        """Read the nodes of tensors whose nodes PyTorch itself reads at this point; record those that this creates."""
        for tensor in tensors:
            had_current_node = self._has_current_node(tensor)
            self._versions_read[key_of(tensor)] = version_of(tensor)
            if not had_current_node and node_of(tensor) is not None and tensor.grad_fn is not None:
                self._record([tensor], *self._last_change)

    def _record(self, tensors: list[torch.Tensor], expression: ast.AST, inputs: tuple[OperationInput, ...]) -> None:
        """Record the nodes that an operation created for these tensors, inner nodes first."""
        sources = {operand.source for operand in inputs}
        for function in dict.fromkeys(tensor.grad_fn for tensor in tensors):
            if function is None or function in self.forward:
                continue
            for inner in reversed(reachable([function], until=lambda node: node in self.forward or node in sources or hasattr(node, "variable"))[1:]):
                self.forward[inner] = ForwardRecord(expression, turn=self._turn(expression))
            self.forward[function] = ForwardRecord(expression, inputs, self._turn(expression))
        for tensor in tensors:
            if tensor.grad_fn is not None and self.forward[tensor.grad_fn].expression is expression:
                self.forward[tensor.grad_fn].outputs.setdefault(tensor.output_nr, snapshot(tensor))

    def _name_of(self, tensor: torch.Tensor) -> str:
        return next((name for name, value in self._named_arrays() if value is tensor), "")

    def _named_arrays(self) -> list[tuple[str, Any]]:
        """Return the named tensors and arrays, also those in named lists, without the results of bare expressions."""
        return [(name, array) for name, array in named_arrays(self._names) if name.split("[")[0].split(".")[0].isidentifier()]

    def _trace_pass(self, call: Call, expression: ast.AST, do: Callable[[Call], Any]) -> Any:
        """Perform a backward pass with a hook on every node."""
        self._read_nodes(roots_of(call))
        nodes = reachable(node for tensor in roots_of(call) if (node := node_of(tensor)) is not None)
        names = self.names_by_node()
        take_snapshot = _snapshot if len(nodes) <= MAX_DETAILED_NODES else _snapshot_of_small
        records = {node: _record_before_pass(node, names.get(node, {}), take_snapshot) for node in nodes}
        backward_pass = BackwardPass(self._pass_count, getattr(expression, "lineno", 0), loss_of(call), records)
        handles = [node.register_hook(_hook(backward_pass, node, take_snapshot)) for node in nodes]
        self._pass_count += 1
        self.passes = [*self.passes, backward_pass][-MAX_PASSES:]
        try:
            result = do(call)
            _record_requested_gradients(call, result, backward_pass)
            self._record([tensor for tensor in arrays_in(result) if tensor is not None and tensor.grad_fn is not None], expression, ())  # `create_graph=True`
            return result
        finally:
            for handle in handles:
                handle.remove()
            self._record_leaves(backward_pass)

    def names_by_node(self) -> dict[Node, dict[int, str]]:
        """Return the names that tensors have now, by their node and the number of its output."""
        names: dict[Node, dict[int, str]] = {}
        for name, value in self._named_arrays():
            if self._has_current_node(value) and value.requires_grad and node_of(value) is not None:
                edge = torch.autograd.graph.get_gradient_edge(value)
                names.setdefault(edge.node, {}).setdefault(edge.output_nr, name)
        return names

    def _record_leaves(self, backward_pass: BackwardPass) -> None:
        """Record the leaves and constants that no earlier pass involved."""
        number, loss = backward_pass.number, backward_pass.loss
        for node, record in backward_pass.nodes.items():
            if record.leaf is not None and 0 in record.names:
                self.leaves.setdefault(record.names[0], LeafRecord(number, loss, record.leaf, record.upstream.get(0)))
            for operand in self.forward[node].inputs if node in self.forward else ():
                if operand.source is None and operand.name:
                    self.leaves.setdefault(operand.name, LeafRecord(number, loss, operand.value, None))


def roots_of(call: Call) -> list[torch.Tensor]:
    """Return the tensors whose derivatives a backward pass computes."""
    roots = call.args[0] if call.args else call.kwargs.get("outputs", call.kwargs.get("tensors"))
    return [tensor for tensor in arrays_in(roots) if isinstance(tensor, torch.Tensor)]


def loss_of(call: Call) -> float:
    """Compute the value whose derivatives a backward pass computes: the sum of its roots weighted with the gradients passed for them.

    Returns:
        The value; NaN if the call is faulty.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.backward.html
    """
    roots, weights = roots_of(call), weights_of(call)
    with torch.no_grad():
        try:
            return float(sum((root * weight).sum().item() for root, weight in zip(roots, weights, strict=True)))
        except (RuntimeError, ValueError, TypeError):
            return float("nan")  # the pass itself reports the error


def weights_of(call: Call) -> list[torch.Tensor | float]:
    """Return the gradient that a backward pass begins with at each of its roots."""
    name, position = WEIGHTS[call.entry.name]
    gradients = call.args[position] if len(call.args) > position else call.kwargs.get(name)
    if gradients is None:
        return [1.0] * len(roots_of(call))
    return [1.0 if gradient is None else gradient for gradient in (gradients if isinstance(gradients, (list, tuple)) else [gradients])]


def _record_requested_gradients(call: Call, result: Any, backward_pass: BackwardPass) -> None:
    """Record the gradients that `torch.autograd.grad` returns: the engine does not run the nodes of its inputs."""
    if call.entry.name != "torch.autograd.grad":
        return
    inputs = call.args[1] if len(call.args) > 1 else call.kwargs.get("inputs")
    for tensor, gradient in zip(arrays_in(inputs), result, strict=False):
        edge = torch.autograd.graph.get_gradient_edge(tensor)
        if gradient is not None and edge.node in backward_pass.nodes:
            backward_pass.nodes[edge.node].upstream[edge.output_nr] = snapshot(gradient)


def reachable(roots: Iterable[Node], until: Callable[[Node], bool] | None = None) -> list[Node]:
    """Return every node that a backward pass from the roots can reach, each once, roots first.

    Args:
        until: whether to leave out a node and all that is only reachable through it.
    """
    nodes: dict[Node, None] = {}
    stack = list(reversed(list(roots)))
    while stack:
        node = stack.pop()
        if node not in nodes:
            nodes[node] = None
            stack.extend(following for following, _output in reversed(node.next_functions) if following is not None and not (until and until(following)))
    return list(nodes)


def node_of(tensor: torch.Tensor) -> Node | None:
    """Return the node that the tensor's gradient flows to: its `grad_fn`, or for a leaf the node that accumulates into `.grad`."""
    if not tensor.requires_grad:
        return None
    try:
        return torch.autograd.graph.get_gradient_edge(tensor).node
    except (RuntimeError, AssertionError):  # a view made under `no_grad`: `requires_grad` is True, but there is no node
        return None


def _snapshot(tensor: torch.Tensor | None) -> Snapshot | None:
    return None if tensor is None else snapshot(tensor)


def _snapshot_of_small(tensor: torch.Tensor | None) -> Snapshot | None:
    return None if tensor is None or tensor.numel() > MAX_SMALL_CELLS else snapshot(tensor)


def _record_before_pass(node: Node, names: dict[int, str], take_snapshot: TakeSnapshot) -> BackwardRecord:
    """Record a node before the pass frees its saved values."""
    variable = getattr(node, "variable", None)
    leaf = None if variable is None else snapshot(variable)
    return BackwardRecord(node, node.next_functions, names, leaf, _saved(node, take_snapshot), () if leaf else _local(node, take_snapshot))


def _saved(node: Node, take_snapshot: TakeSnapshot) -> dict[str, Any]:
    """Read the values that the node saved: its `_saved_…` attributes."""
    values: dict[str, Any] = {}
    for attribute in dir(node):
        if attribute.startswith("_saved_"):
            try:
                value = getattr(node, attribute)
            except RuntimeError as error:  # freed by an earlier pass, or changed in place since
                value = str(error).split("\n")[0]
            values[attribute.removeprefix("_saved_")] = take_snapshot(value) if isinstance(value, torch.Tensor) else value
    return {name: value for name, value in values.items() if value is not None}


def _local(node: Node, take_snapshot: TakeSnapshot) -> tuple[Snapshot | None, ...]:
    """Run the node on upstream gradients of ones; return an empty tuple if it cannot run outside a pass."""
    if not callable(node):  # that of a function whose backward pass is Python's
        return ()
    metadata = getattr(node, "_input_metadata", ())
    ones = [torch.ones(output.shape, dtype=output.dtype, device=output.device) for output in metadata]
    try:
        with torch.no_grad():
            result = node(*ones)
    except RuntimeError:
        return ()
    gradients = result if isinstance(result, tuple) else (result,)
    return tuple(take_snapshot(gradient) if isinstance(gradient, torch.Tensor) else None for gradient in gradients)


def _hook(backward_pass: BackwardPass, node: Node, take_snapshot: TakeSnapshot) -> Callable[[Any, Any], None]:
    """Return a hook for the engine to call after the node; it records the upstream gradients and those passed on."""

    def hook(passed: tuple[Any, ...], upstream: tuple[Any, ...]) -> None:
        backward_pass.order.append(node)
        record = backward_pass.nodes[node]
        record.upstream = {output: value for output, gradient in enumerate(upstream) if (value := take_snapshot(gradient)) is not None}
        record.passed = tuple(map(take_snapshot, passed))

    return hook
