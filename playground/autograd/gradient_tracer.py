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

from playground.autograd.overrides import Overrides
from playground.tensors.language.calls import Call, arrays_in
from playground.tensors.language.memory import Snapshot, key_of, snapshot
from playground.tensors.language.tracing import Tracer, named_arrays

PASSES = 50
"""Backward passes of one script that are remembered, the last ones."""
DETAILED = 400
"""Nodes up to which every value of a graph is kept; of a larger graph, those of few cells."""
FEW = 16
"""Cells of a tensor that is kept in any graph."""
Keep = Callable[[torch.Tensor | None], Snapshot | None]
BACKWARD = frozenset(("Tensor.backward", "torch.autograd.grad"))


@dataclass(frozen=True)
class OperationInput:
    """A tensor that went into an operation."""

    source: Node | None
    """The node that a gradient would go to; None where none flows."""
    name: str
    """The learner's name for it; empty if it has none."""
    part: Snapshot


@dataclass(frozen=True)
class ForwardRecord:
    """An operation's results as they were when it had made them."""

    place: ast.AST
    """The expression that made them."""
    inputs: tuple[OperationInput, ...] = ()
    turn: int = 1
    """Of the outermost loop around it."""
    parts: dict[int, Snapshot] = field(default_factory=dict)
    """By the number of the output; empty for a node that one call recorded on the way to its result."""


@dataclass(frozen=True)
class LeafRecord:
    """A leaf or constant when the first backward pass came that it has a part in."""

    number: int
    """Which pass that was."""
    loss: float
    """What the pass went back from."""
    value: Snapshot
    grad: Snapshot | None
    """What the pass brought to it; None for a constant."""


@dataclass
class BackwardRecord:
    """One node of a backward pass."""

    node: Node
    following: tuple[tuple[Node | None, int], ...]
    """For each input slot the node that the gradient goes on to, and to which of its outputs."""
    names: dict[int, str]
    """The learner's names for its outputs; of a leaf, the leaf's."""
    leaf: Snapshot | None
    """A leaf's value before the pass."""
    saved: dict[str, Any]
    """What it kept for the backward pass: snapshots, numbers, texts."""
    local: tuple[Snapshot | None, ...]
    """For each slot: what a gradient of ones becomes, which for an elementwise operation is its derivative."""
    upstream: dict[int, Snapshot] = field(default_factory=dict)
    """For each output the gradient that arrived: the sum of what came along all paths."""
    passed: tuple[Snapshot | None, ...] = ()
    """For each slot the gradient that it passed on."""


@dataclass
class BackwardPass:
    """One backward pass, its nodes in the engine's own order."""

    number: int
    place: ast.AST
    line: int
    roots: tuple[Node, ...]
    loss: float
    """The number that it goes back from; of several numbers, their sum weighted with the gradients that were given for them."""
    nodes: dict[Node, BackwardRecord]
    """Every node that can be reached from the roots."""
    order: list[Node] = field(default_factory=list)
    """As the engine came to them."""
    failed: bool = False


class GradientTracer(Tracer):
    """Records the autograd graph of a script.

    Args:
        overrides: numbers that the learner has changed by hand.
    """

    def __init__(self, overrides: Overrides | None = None) -> None:
        self.overrides = overrides or Overrides({})
        self.made: dict[Node, ForwardRecord] = {}
        """Results by the node that PyTorch recorded for them, in the order of the forward pass."""
        self.passes: list[BackwardPass] = []
        self.starts: dict[str, LeafRecord] = {}
        """Every leaf and constant by its name."""
        self._count = 0
        self._turns: dict[ast.For | ast.While, int] = {}
        self._settled: dict[int, int] = {}
        self._last: tuple[ast.AST, tuple[OperationInput, ...]] = (ast.Pass(), ())
        self._names: Mapping[str, Any] = {}

    def start(self, names: Mapping[str, Any]) -> None:
        self._names = names  # the interpreter's own, so that it is read as it is at that moment

    def begin(self, node: ast.stmt) -> None:
        if isinstance(node, (ast.For, ast.While)):
            self._turns[node] = self._turns.get(node, -isinstance(node, ast.For)) + 1  # first the values of a `for` are evaluated, then each turn begins

    def _turn(self, place: ast.AST) -> int:
        around = (turn for loop, turn in self._turns.items() if loop.lineno <= getattr(place, "lineno", 0) <= (loop.end_lineno or 0))
        return max(1, next(around, 1))

    def perform(self, call: Call, node: ast.AST, do: Callable[[Call], Any]) -> Any:
        tensors = [array for array in call.arrays if isinstance(array, torch.Tensor)]
        self.overrides.apply(call, self._names)
        if call.entry.name in BACKWARD:
            return self._observe(call, node, do)
        if torch.is_grad_enabled() and call.entry.short.endswith(("_", "=")):
            self._settle(tensors)
        parts = [snapshot(tensor) for tensor in tensors]
        sources = [node_of(tensor) if self._is_settled(tensor) else None for tensor in tensors]
        versions = [tensor._version for tensor in tensors]
        result = do(call)
        made = [tensor for tensor in arrays_in(result) if isinstance(tensor, torch.Tensor)]
        changed = versions != [tensor._version for tensor in tensors]
        if not changed and any(tensor.requires_grad for tensor in made):
            self._settle(tensors)
            sources = [node_of(tensor) for tensor in tensors]
        self._note(node, tuple(map(OperationInput, sources, map(self._name_of, tensors), parts)), [*made, *tensors], changed=changed)
        return result

    def _note(self, place: ast.AST, inputs: tuple[OperationInput, ...], found: list[torch.Tensor], *, changed: bool) -> None:
        """What an operation has made, and what it has `changed` in place."""
        if changed:  # whatever holds the same memory may have a new history, too
            found = [*found, *(array for _name, array in named_arrays(self._names) if isinstance(array, torch.Tensor))]
            self._last = place, inputs
        for tensor in found:
            self._settled.setdefault(key_of(tensor), tensor._version)
        self._record([tensor for tensor in found if self._is_settled(tensor) and tensor.grad_fn is not None], place, inputs)

    def _is_settled(self, tensor: Any) -> bool:
        """Whether PyTorch makes nothing new when it is asked for the tensor's node.

        A view gets a new one when its memory was changed in place, but only when somebody asks. Were that the observer, the
        node would be older than in a plain run, and the engine, which goes from the youngest to the oldest, would come to it later.
        """
        return isinstance(tensor, torch.Tensor) and (not tensor._is_view() or self._settled.get(key_of(tensor)) == tensor._version)

    def _settle(self, tensors: Iterable[torch.Tensor]) -> None:
        """PyTorch itself asks, or has asked, for the nodes of these."""
        for tensor in tensors:
            fresh = self._is_settled(tensor)
            self._settled[key_of(tensor)] = tensor._version
            if not fresh and node_of(tensor) is not None and tensor.grad_fn is not None:
                self._record([tensor], *self._last)

    def _record(self, tensors: list[torch.Tensor], place: ast.AST, inputs: tuple[OperationInput, ...]) -> None:
        """Remember the nodes that an operation has recorded for these tensors, those on the way to them first."""
        sources = {given.source for given in inputs}
        for function in dict.fromkeys(tensor.grad_fn for tensor in tensors):
            if function is None or function in self.made:
                continue
            for inner in reversed(reachable([function], until=lambda node: node in self.made or node in sources or hasattr(node, "variable"))[1:]):
                self.made[inner] = ForwardRecord(place, turn=self._turn(place))
            self.made[function] = ForwardRecord(place, inputs, self._turn(place))
        for tensor in tensors:
            if tensor.grad_fn is not None and self.made[tensor.grad_fn].place is place:
                self.made[tensor.grad_fn].parts.setdefault(tensor.output_nr, snapshot(tensor))

    def _name_of(self, tensor: torch.Tensor) -> str:
        return next((name for name, value in self._named() if value is tensor), "")

    def _named(self) -> list[tuple[str, Any]]:
        """The tensors and arrays that have a name, those in lists too; a bare expression's text is none."""
        return [(name, array) for name, array in named_arrays(self._names) if name.split("[")[0].isidentifier()]

    def _observe(self, call: Call, place: ast.AST, do: Callable[[Call], Any]) -> Any:
        """Perform a backward pass with a hook on every node."""
        self._settle(roots_of(call))
        roots = tuple(source for tensor in roots_of(call) if (source := node_of(tensor)) is not None)
        reached = reachable(roots)
        names = self._names_by_node()
        keep = _keep if len(reached) <= DETAILED else _keep_few
        nodes = {node: _observed(node, names.get(node, {}), keep) for node in reached}
        found = BackwardPass(self._count, place, getattr(place, "lineno", 0), roots, loss_of(call), nodes)
        handles = [node.register_hook(_hook(found, node, keep)) for node in reached]
        self._count += 1
        self.passes = [*self.passes, found][-PASSES:]
        try:
            result = do(call)
            _note_requested(call, result, found)
            self._record([part for part in arrays_in(result) if part is not None and part.grad_fn is not None], place, ())  # with `create_graph=True`
            return result
        except Exception:
            found.failed = True
            raise
        finally:
            for handle in handles:
                handle.remove()
            self._note_starts(found)

    def _names_by_node(self) -> dict[Node, dict[int, str]]:
        named: dict[Node, dict[int, str]] = {}
        for name, value in self._named():
            if self._is_settled(value) and value.requires_grad and node_of(value) is not None:
                edge = torch.autograd.graph.get_gradient_edge(value)
                named.setdefault(edge.node, {}).setdefault(edge.output_nr, name)
        return named

    def _note_starts(self, found: BackwardPass) -> None:
        """What a pass has brought to the leaves and constants that it is the first for."""
        for node, seen in found.nodes.items():
            if seen.leaf is not None and 0 in seen.names:
                self.starts.setdefault(seen.names[0], LeafRecord(found.number, found.loss, seen.leaf, seen.upstream.get(0)))
            for given in self.made[node].inputs if node in self.made else ():
                if given.source is None and given.name:
                    self.starts.setdefault(given.name, LeafRecord(found.number, found.loss, given.part, None))


def roots_of(call: Call) -> list[torch.Tensor]:
    """The tensors that a backward pass goes back from."""
    given = call.args[0] if call.args else call.kwargs.get("outputs")
    return [tensor for tensor in arrays_in(given) if isinstance(tensor, torch.Tensor)]


def loss_of(call: Call) -> float:
    """The number whose derivatives a backward pass computes; NaN where there is none.

    The sum of what it goes back from, weighted with the gradients that were given for it
    (https://docs.pytorch.org/docs/stable/generated/torch.autograd.backward.html).
    """
    roots, weights = roots_of(call), weights_of(call)
    with torch.no_grad():
        try:
            return float(sum((root * weight).sum().item() for root, weight in zip(roots, weights, strict=True)))
        except (RuntimeError, ValueError, TypeError):
            return float("nan")  # the pass itself will say what is wrong


def weights_of(call: Call) -> list[torch.Tensor | float]:
    """The gradient that a backward pass begins with, for each of its roots."""
    names, place = (("gradient",), 1) if call.entry.name == "Tensor.backward" else (("grad_outputs",), 2)
    given = call.args[place] if len(call.args) > place else next((call.kwargs[name] for name in names if name in call.kwargs), None)
    if given is None:
        return [1.0] * len(roots_of(call))
    return [1.0 if part is None else part for part in (given if isinstance(given, (list, tuple)) else [given])]


def _note_requested(call: Call, result: Any, found: BackwardPass) -> None:
    """`torch.autograd.grad` hands out the gradients of its inputs, and does not go through their nodes."""
    if call.entry.name == "Tensor.backward":
        return
    inputs = call.args[1] if len(call.args) > 1 else call.kwargs.get("inputs")
    for tensor, gradient in zip(arrays_in(inputs), result, strict=False):
        edge = torch.autograd.graph.get_gradient_edge(tensor)
        if gradient is not None and edge.node in found.nodes:
            found.nodes[edge.node].upstream[edge.output_nr] = snapshot(gradient)


def reachable(roots: Iterable[Node], until: Callable[[Node], bool] | None = None) -> list[Node]:
    """Every node that a backward pass from the roots can come to, each once, roots first.

    Args:
        until: nodes that are left out, and what lies behind them.
    """
    seen: dict[Node, None] = {}
    stack = list(reversed(list(roots)))
    while stack:
        node = stack.pop()
        if node not in seen:
            seen[node] = None
            stack.extend(following for following, _output in reversed(node.next_functions) if following is not None and not (until and until(following)))
    return list(seen)


def node_of(tensor: torch.Tensor) -> Node | None:
    """The node that a gradient of this tensor goes to; a leaf's own accumulates it."""
    if not tensor.requires_grad:
        return None
    try:
        return torch.autograd.graph.get_gradient_edge(tensor).node
    except (RuntimeError, AssertionError):  # a view made under `no_grad`: it says that it requires a gradient, and has no node
        return None


def _keep(tensor: torch.Tensor | None) -> Snapshot | None:
    return None if tensor is None else snapshot(tensor)


def _keep_few(tensor: torch.Tensor | None) -> Snapshot | None:
    return None if tensor is None or tensor.numel() > FEW else snapshot(tensor)


def _observed(node: Node, names: dict[int, str], keep: Keep) -> BackwardRecord:
    """A node before the pass, while it still has what it saved."""
    variable = getattr(node, "variable", None)
    leaf = None if variable is None else snapshot(variable)
    return BackwardRecord(node, node.next_functions, names, leaf, _saved(node, keep), () if leaf else _local(node, keep))


def _saved(node: Node, keep: Keep) -> dict[str, Any]:
    """What PyTorch kept in the node: its `_saved_…` attributes."""
    found: dict[str, Any] = {}
    for attribute in dir(node):
        if attribute.startswith("_saved_"):
            try:
                value = getattr(node, attribute)
            except RuntimeError as error:  # freed by an earlier pass, or changed in place since
                value = str(error).split("\n")[0]
            found[attribute.removeprefix("_saved_")] = keep(value) if isinstance(value, torch.Tensor) else value
    return {name: value for name, value in found.items() if value is not None}


def _local(node: Node, keep: Keep) -> tuple[Snapshot | None, ...]:
    """What the node makes of gradients of ones; empty where it cannot be asked."""
    metadata = getattr(node, "_input_metadata", ())
    ones = [torch.ones(part.shape, dtype=part.dtype, device=part.device) for part in metadata]
    try:
        with torch.no_grad():
            result = node(*ones)  # type: ignore[operator]
    except RuntimeError:
        return ()
    parts = result if isinstance(result, tuple) else (result,)
    return tuple(keep(part) if isinstance(part, torch.Tensor) else None for part in parts)


def _hook(found: BackwardPass, node: Node, keep: Keep) -> Callable[[Any, Any], None]:
    """Called by the engine behind the node: what arrived, and what it passed on."""

    def called(passed: tuple[Any, ...], arrived: tuple[Any, ...]) -> None:
        found.order.append(node)
        seen = found.nodes[node]
        seen.upstream = {place: kept for place, part in enumerate(arrived) if (kept := keep(part)) is not None}
        seen.passed = tuple(map(keep, passed))

    return called
