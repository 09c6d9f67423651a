"""Facts of a script's run that the pitfalls need: its leaves, the tensors between them and the loss, and what the graph saved.

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

from playground.autograd.gradient_tracer import reachable, roots_of
from playground.autograd.pitfalls.dependence import names_written
from playground.autograd.pitfalls.source_edits import Code
from playground.tensors.language.calls import Call, arrays_in
from playground.tensors.language.tracing import Tracer, named_arrays


@dataclass(frozen=True)
class Intermediate:
    """A tensor between the leaves and the loss, and the statement that computed it."""

    statement: ast.stmt
    name: str
    value: torch.Tensor | None
    """The tensor, if the name still referred to it when the backward pass began."""
    is_loss: bool


@dataclass
class Graph:
    """The computation graph right before a backward pass."""

    intermediates: list[Intermediate] = field(default_factory=list)
    expressions: list[ast.expr] = field(default_factory=list)
    """Expressions between the leaves and the loss whose result has several cells."""
    saved: list[tuple[str, torch.Tensor]] = field(default_factory=list)
    """Named tensors whose values the graph saved: results first, then constants, then leaves."""
    results: set[str] = field(default_factory=set)
    """Names of all results that require a gradient, whether or not the loss depends on them."""


@dataclass
class BackwardStatement:
    """A statement that runs a backward pass."""

    statement: ast.stmt
    leaves: tuple[str, ...]
    """Names of the leaves that receive a gradient."""
    graph: Graph
    """The graph of the script's first pass; empty for later ones."""
    accumulates: bool = False
    """Whether it ever added to gradients that were not zero."""


@dataclass
class Facts:
    """What the learner's script did."""

    backward_statements: dict[ast.stmt, BackwardStatement] = field(default_factory=dict)
    """By statement, in the order in which they first ran."""
    leaves: dict[str, ast.stmt] = field(default_factory=dict)
    """For each leaf's name the statement that created the leaf."""
    differentiable: set[ast.stmt] = field(default_factory=set)
    """Statements before the first pass whose results require a gradient."""
    is_nested: bool = False
    """Whether `backward()` was called inside a larger statement."""


class FactsTracer(Tracer):
    """Collects `Facts` while a script runs."""

    def __init__(self, code: Code) -> None:
        self.facts = Facts()
        self._statements = {_position(statement): statement for statement in code.blocks}
        self._statement: ast.stmt = ast.Pass()
        self._names: Mapping[str, Any] = {}
        self._writes: dict[ast.stmt, frozenset[str]] = {
            statement: names_written(statement) for statement in code.blocks if isinstance(statement, (ast.Assign, ast.AugAssign, ast.Expr))
        }
        self._results: dict[tuple[ast.stmt, str], tuple[Node, weakref.ref[torch.Tensor]]] = {}
        self._expressions: dict[ast.expr, Node] = {}

    def start(self, names: Mapping[str, Any]) -> None:
        self._names = names  # the interpreter's own mapping, so that later reads see its current state

    def begin(self, node: ast.stmt) -> None:
        self._statement = self._statements[_position(node)]

    def end(self, names: Mapping[str, Any]) -> None:
        written = {name: names[name] for name in self._writes.get(self._statement, frozenset()) if name in names}
        for name, value in written.items():
            if isinstance(value, torch.Tensor) and value.is_leaf and value.requires_grad:
                self.facts.leaves.setdefault(name, self._statement)
        if self.facts.backward_statements:
            return
        if any(isinstance(array, torch.Tensor) and array.grad_fn is not None for array in arrays_in(list(written.values()))):
            self.facts.differentiable.add(self._statement)
        if isinstance(self._statement, ast.Assign):
            assigned = {node.id for node in ast.walk(self._statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
            results = {name: value for name, value in written.items() if name in assigned and isinstance(value, torch.Tensor)}
            self._results |= {(self._statement, name): (value.grad_fn, weakref.ref(value)) for name, value in results.items() if value.grad_fn is not None}

    def perform(self, call: Call, node: ast.AST, do: Callable[[Call], Any]) -> Any:
        if call.entry.name in ("Tensor.backward", "torch.autograd.backward") and (roots := roots_of(call)) and roots[0].requires_grad:
            if not isinstance(self._statement, ast.Expr) or _position(self._statement.value) != _position(node):
                self.facts.is_nested = True
            self._record_backward(roots[0])
        result = do(call)
        if (
            not self.facts.backward_statements
            and isinstance(result, torch.Tensor)
            and result.grad_fn is not None
            and result.numel() > 1
            and isinstance(node, ast.expr)
        ):
            self._expressions[node] = result.grad_fn
        return result

    def _record_backward(self, root: torch.Tensor) -> None:
        named = {name: value for name, value in named_arrays(self._names) if isinstance(value, torch.Tensor) and name.split("[")[0].isidentifier()}
        backward = self.facts.backward_statements.get(self._statement)
        if backward is None:
            nodes = set(reachable([_edge(root)]))
            leaves = {id(value): name for name, value in reversed(named.items()) if value.is_leaf and value.requires_grad and _edge(value) in nodes}
            graph = Graph() if self.facts.backward_statements else self._graph(root, nodes, named)
            backward = self.facts.backward_statements[self._statement] = BackwardStatement(self._statement, tuple(reversed(leaves.values())), graph)
        gradients = [named[name].grad for name in backward.leaves if name in named]
        backward.accumulates = backward.accumulates or any(gradient is not None and bool((gradient != 0).any()) for gradient in gradients)

    def _graph(self, root: torch.Tensor, nodes: set[Node], named: dict[str, torch.Tensor]) -> Graph:
        """Describe the graph before the first pass, which frees what it saved."""
        intermediates = [
            Intermediate(statement, name, tensor() if tensor() is named.get(name) else None, node is root.grad_fn)
            for (statement, name), (node, tensor) in self._results.items()
            if node in nodes
        ]
        expressions = [expression for expression, node in self._expressions.items() if node in nodes]
        storages = {tensor.untyped_storage().data_ptr() for node in nodes for tensor in _saved_tensors(node)}
        saved = [item for item in reversed(named.items()) if item[1].untyped_storage().data_ptr() in storages]
        saved.sort(key=lambda item: 0 if item[1].grad_fn is not None else 2 if item[1].requires_grad else 1)
        self._results, self._expressions = {}, {}  # drop the references, so that the graph is freed when the script drops its own
        return Graph(intermediates, expressions, saved, {name.split("[")[0] for name, value in named.items() if value.grad_fn is not None})


def _position(node: ast.AST) -> tuple[Any, ...]:
    """Return a position in the source that no two statements share."""
    return tuple(getattr(node, name, None) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset"))


def _edge(tensor: torch.Tensor) -> Node:
    return torch.autograd.graph.get_gradient_edge(tensor).node


def _saved_tensors(node: Node) -> list[torch.Tensor]:
    """Return the tensors that the node saved for its backward; none where an earlier pass freed them."""
    try:
        saved = [getattr(node, name) for name in dir(node) if name.startswith("_saved_")]
    except RuntimeError:
        return []
    return [array for array in arrays_in(saved) if isinstance(array, torch.Tensor)]
