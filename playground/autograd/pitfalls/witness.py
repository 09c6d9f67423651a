"""Looks on while a script runs, and keeps the facts that a lesson needs: which tensors are leaves, what leads to the loss, what was saved.

Source: https://docs.pytorch.org/docs/stable/notes/autograd.html
"""

from __future__ import annotations

import ast
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.autograd.graph import Node

from playground.autograd.pitfalls.dependence import writes
from playground.autograd.pitfalls.rewriting import Code
from playground.autograd.recording import reachable
from playground.tensors.language.calls import Call, arrays_in
from playground.tensors.language.tracing import Tracer, named_arrays


@dataclass(frozen=True)
class Intermediate:
    """A tensor between the leaves and the loss, by the statement that made it."""

    statement: ast.stmt
    name: str
    value: torch.Tensor | None
    """Where the name still held it when the backward pass came."""
    is_loss: bool


@dataclass
class Graph:
    """What a backward pass is about to go through."""

    intermediates: list[Intermediate] = field(default_factory=list)
    expressions: list[ast.expr] = field(default_factory=list)
    """Those on the way to the loss that gave several numbers."""
    saved: list[tuple[str, torch.Tensor]] = field(default_factory=list)
    """Named tensors of which the graph keeps the values: results first, then constants, then leaves."""
    results: set[str] = field(default_factory=set)
    """Names of all results with a gradient, on the way or not."""


@dataclass
class Passage:
    """A statement that goes back through the graph."""

    statement: ast.stmt
    leaves: tuple[str, ...]
    """The learner's names for the leaves that its gradients reach."""
    graph: Graph
    """As the script's first pass found it; that of a later one is not looked at."""
    adds: bool = False
    """Whether it ever found gradients there, to which it added its own."""


@dataclass
class Facts:
    """What the learner's script did."""

    passages: dict[ast.stmt, Passage] = field(default_factory=dict)
    """In the order in which they first ran."""
    leaves: dict[str, ast.stmt] = field(default_factory=dict)
    """For each leaf by its name the statement that made it one."""
    computing: set[ast.stmt] = field(default_factory=set)
    """Statements before the first pass whose results have a gradient."""
    is_hidden: bool = False
    """Whether a backward pass is a part of a larger statement."""


class Silent(Tracer):
    """Records nothing."""

    def start(self, names: Mapping[str, Any]) -> None: ...

    def begin(self, node: ast.stmt) -> None: ...

    def end(self, names: Mapping[str, Any]) -> None: ...


class Witness(Silent):
    """Collects the facts of a run."""

    def __init__(self, code: Code) -> None:
        super().__init__()
        self.facts = Facts()
        self._statements = {_where(statement): statement for statement in code.blocks}
        self._now: ast.stmt = ast.Pass()
        self._names: Mapping[str, Any] = {}
        self._writes: dict[ast.stmt, frozenset[str]] = {
            statement: writes(statement) for statement in code.blocks if isinstance(statement, (ast.Assign, ast.AugAssign, ast.Expr))
        }
        self._made: dict[tuple[ast.stmt, str], tuple[Node, weakref.ref[torch.Tensor]]] = {}
        self._inner: dict[ast.expr, Node] = {}

    def start(self, names: Mapping[str, Any]) -> None:
        self._names = names  # the interpreter's own, so that it is read as it is at that moment

    def begin(self, node: ast.stmt) -> None:
        self._now = self._statements[_where(node)]

    def end(self, names: Mapping[str, Any]) -> None:
        written = {name: names[name] for name in self._writes.get(self._now, frozenset()) if name in names}
        for name, value in written.items():
            if isinstance(value, torch.Tensor) and value.is_leaf and value.requires_grad:
                self.facts.leaves.setdefault(name, self._now)
        if self.facts.passages:
            return
        if any(isinstance(array, torch.Tensor) and array.grad_fn is not None for array in arrays_in(list(written.values()))):
            self.facts.computing.add(self._now)
        if isinstance(self._now, ast.Assign):
            assigned = {node.id for node in ast.walk(self._now) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
            made = {name: value for name, value in written.items() if name in assigned and isinstance(value, torch.Tensor)}
            self._made |= {(self._now, name): (value.grad_fn, weakref.ref(value)) for name, value in made.items() if value.grad_fn is not None}

    def perform(self, call: Call, node: ast.AST, do: Callable[[Call], Any]) -> Any:
        if call.entry.name == "Tensor.backward" and call.args[0].requires_grad:
            if not isinstance(self._now, ast.Expr) or _where(self._now.value) != _where(node):
                self.facts.is_hidden = True
            self._goes_back(call.args[0])
        result = super().perform(call, node, do)
        if not self.facts.passages and isinstance(result, torch.Tensor) and result.grad_fn is not None and result.numel() > 1 and isinstance(node, ast.expr):
            self._inner[node] = result.grad_fn
        return result

    def _goes_back(self, root: torch.Tensor) -> None:
        named = {name: value for name, value in named_arrays(self._names) if isinstance(value, torch.Tensor) and name.split("[")[0].isidentifier()}
        passage = self.facts.passages.get(self._now)
        if passage is None:
            nodes = set(reachable([_edge(root)]))
            leaves = {id(value): name for name, value in reversed(named.items()) if value.is_leaf and value.requires_grad and _edge(value) in nodes}
            graph = Graph() if self.facts.passages else self._graph(root, nodes, named)
            passage = self.facts.passages[self._now] = Passage(self._now, tuple(reversed(leaves.values())), graph)
        held = [named[name].grad for name in passage.leaves if name in named]
        passage.adds = passage.adds or any(grad is not None and bool((grad != 0).any()) for grad in held)

    def _graph(self, root: torch.Tensor, nodes: set[Node], named: dict[str, torch.Tensor]) -> Graph:
        """The graph before the first pass, while it still has what it saved."""
        intermediates = [
            Intermediate(statement, name, made() if made() is named.get(name) else None, node is root.grad_fn)
            for (statement, name), (node, made) in self._made.items()
            if node in nodes
        ]
        expressions = [expression for expression, node in self._inner.items() if node in nodes]
        storages = {tensor.untyped_storage().data_ptr() for node in nodes for tensor in _saved(node)}
        saved = [each for each in reversed(named.items()) if each[1].untyped_storage().data_ptr() in storages]
        saved.sort(key=lambda each: 0 if each[1].grad_fn is not None else 2 if each[1].requires_grad else 1)
        self._made, self._inner = {}, {}  # the graphs are the script's own again, to be freed when it lets go of them
        return Graph(intermediates, expressions, saved, {name.split("[")[0] for name, value in named.items() if value.grad_fn is not None})


def _where(node: ast.AST) -> tuple[Any, ...]:
    """A place that no two statements share."""
    return tuple(getattr(node, name, None) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset"))


def _edge(tensor: torch.Tensor) -> Node:
    return torch.autograd.graph.get_gradient_edge(tensor).node


def _saved(node: Node) -> list[torch.Tensor]:
    """The tensors that PyTorch kept in the node; none where an earlier pass has freed them."""
    try:
        kept = [getattr(node, name) for name in dir(node) if name.startswith("_saved_")]
    except RuntimeError:
        return []
    return [array for array in arrays_in(kept) if isinstance(array, torch.Tensor)]
