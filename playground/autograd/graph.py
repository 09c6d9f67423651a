"""Describe a script's autograd graph as plain data: nodes, edges, and the steps of the forward and backward passes.

Edges point from inputs to results; gradients flow against them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import torch
from torch.autograd.graph import Node

from playground.autograd.folding import MAX_UNFOLDED_NODES, fold
from playground.autograd.formulas import formula, title
from playground.autograd.gradient_tracer import MAX_SMALL_CELLS, BackwardRecord, ForwardRecord, GradientTracer, OperationInput, node_of, reachable
from playground.autograd.overrides import Overrides
from playground.errors import PlaygroundError
from playground.tensors.language import interpreter
from playground.tensors.language.interpreter import Execution
from playground.tensors.language.memory import Snapshot, snapshot
from playground.tensors.language.spans import Script
from playground.tensors.language.tracing import named_arrays
from playground.tensors.xray.report import nested, summary

T = TypeVar("T")
MAX_CELLS = 150_000
"""Cells of all tensors in the document of a graph; beyond them it holds the values of small tensors only."""
MAX_NODES = 2_000
"""Nodes in the document of a graph."""


def run(source: str, predefined: Mapping[str, Any], overrides: Overrides | None = None) -> Execution:
    """Run a script and trace its backward passes."""
    return interpreter.run(source, predefined, tracer=GradientTracer(overrides))


def document(execution: Execution, to_json: Callable[[Snapshot], Any] = lambda value: nested(value.values)) -> dict[str, Any]:
    """Describe a traced script.

    Args:
        to_json: converts a tensor's values: to nested lists, or to the tiles that the page draws.

    Returns:
        `names` with their gradients, `graph`, `steps`, `leaves`, `nonfinite` (the nodes where NaN or infinity first appears),
        `output`, `warnings` and `error`.

    Raises:
        PlaygroundError: the graph has more than `MAX_NODES` nodes.
    """
    tracer = execution.tracer
    assert isinstance(tracer, GradientTracer)
    report = summary(execution)
    writer = _Writer(execution, tracer, to_json)
    return {
        "names": _names(execution, report["names"]),
        "graph": writer.graph(),
        "steps": writer.steps(),
        "leaves": writer.leaves(),
        "nonfinite": writer.nonfinite(),
        "output": report["output"],
        "warnings": report["warnings"],
        "error": report["error"],
    }


def _names(execution: Execution, facts: dict[str, Any]) -> dict[str, Any]:
    """Add `value` and `grad` to the facts of each name, for tensors also `is_leaf` and the version counter."""
    names, arrays = {}, dict(named_arrays(execution.names))
    for name, fact in facts.items():
        array = arrays.get(name)
        names[name] = {**fact, "value": fact["values"], "grad": None}
        if isinstance(array, torch.Tensor):
            grad, is_leaf = _gradient(array)
            names[name] |= {"grad": None if grad is None else nested(snapshot(grad).values), "is_leaf": is_leaf, "version": array._version}
    return names


class _Writer:
    """Writes the graph of the last backward pass; for a script without one, the graph of its last results."""

    def __init__(self, execution: Execution, tracer: GradientTracer, to_json: Callable[[Snapshot], Any]) -> None:
        self._script, self._tracer, self._to_json, self._cells = Script(execution.source), tracer, to_json, 0
        self._passes = tracer.passes
        self._last = self._passes[-1] if self._passes else None
        nodes = list(self._last.nodes) if self._last else reachable(_result_nodes(execution))
        if len(nodes) > MAX_NODES:
            raise PlaygroundError(f"This graph has {len(nodes):,} nodes; {MAX_NODES:,} are the most that are shown.", "Let the loop run fewer turns.")
        order = {node: index for index, node in enumerate(tracer.forward)}
        self._nodes = sorted(nodes, key=lambda node: order.get(node, -1 if hasattr(node, "variable") else len(order)))
        self._ids = {node: f"n{index}" for index, node in enumerate(self._nodes)}
        self._forward = {node: record for node, record in tracer.forward.items() if node in self._ids}

    def graph(self) -> dict[str, Any]:
        groups, group_ids = self._groups()
        nodes = [{**self._node(node), "group": group_ids.get(node)} for node in self._nodes]
        edges = [edge for node in self._nodes for edge in self._edges(node)]
        for node in self._nodes:
            for index, constant in enumerate(self._constants(node)):
                constant_id = f"{self._ids[node]}c{index}"
                nodes.append({**_CONSTANT, "id": constant_id, "name": constant.name, **self._values(constant.value), "group": group_ids.get(node)})
                edges.append({**_NO_GRADIENT, "from": constant_id, "to": self._ids[node]})
        return {"nodes": nodes, "edges": edges, "groups": groups}

    def _groups(self) -> tuple[list[dict[str, Any]], Mapping[Node, str]]:
        """Return the groups of a large graph and the group of each node; a small graph has none."""
        if len(self._nodes) <= MAX_UNFOLDED_NODES:
            return [], {}
        return fold([(node, record.expression, record.turn) for node, record in self._forward.items()], self._script)

    def steps(self) -> list[dict[str, Any]]:
        """Return the forward steps in the order of the statements, then the backward steps of each pass in the engine's order."""
        forward = [{"kind": "forward", "node": self._ids[node], "line": self._line(record), "pass": None} for node, record in self._forward.items()]
        backward = [
            {
                "kind": "backward",
                "node": self._ids.get(node),
                "line": backward_pass.line,
                "pass": backward_pass.number,
                "upstream": self._optional(_first_output(backward_pass.nodes[node].upstream)),
            }
            for backward_pass in self._passes
            for node in backward_pass.order
        ]
        return [*forward, *backward]

    def leaves(self) -> list[dict[str, Any]]:
        """Return the named leaves and constants, each with its value and gradient at the first pass that involves it."""
        return [
            {
                "name": name, "pass": record.pass_number, "loss": _finite(record.loss), "value": self._cell_values(record.value),
                "grad": self._optional(record.grad), "requires_grad": record.value.requires_grad,
                "overridden": sorted(self._tracer.overrides.values.get(name, ())), "editable": record.value.dtype.startswith(("float", "bfloat")),
            }
            for name, record in self._tracer.leaves.items()
        ]  # fmt: skip

    def nonfinite(self) -> list[dict[str, Any]]:
        """Find the first node whose outputs, and the first whose gradients, are non-finite although all its inputs are finite."""
        values = ((node, [operand.value for operand in record.inputs], list(record.outputs.values())) for node, record in self._forward.items())
        gradients = (
            (node, list(record.upstream.values()), [gradient for gradient in record.passed if gradient is not None])
            for backward_pass in self._passes[-1:]
            for node, record in ((node, backward_pass.nodes[node]) for node in backward_pass.order)
        )
        origins = []
        for kind, nodes in (("value", values), ("gradient", gradients)):
            origin = next(((node, after) for node, before, after in nodes if not _nonfinite_kind(before) and _nonfinite_kind(after)), None)
            if origin:
                origins.append({"node": self._ids[origin[0]], "kind": kind, "value": _nonfinite_kind(origin[1])})
        return origins

    def _node(self, node: Node) -> dict[str, Any]:
        backward = self._last.nodes[node] if self._last else None
        forward = self._tracer.forward.get(node)
        leaf = backward.leaf if backward else _leaf(node)
        values = {0: leaf} if leaf else forward.outputs if forward else {}
        names, grads = (backward.names, backward.upstream) if backward else ({}, {})
        main = min(values.keys() & grads.keys() or values or grads or names or (0,))  # of several outputs the first with a gradient
        value = values.get(main)
        operation, derivatives = formula(node.name())
        return {
            "id": self._ids[node], "kind": "leaf" if leaf else "operation", "op": title(node.name()), "name": names.get(main, ""),
            "source": self._script.text(forward.expression) if forward else "", "line": self._line(forward),
            "formula": operation, "derivatives": list(derivatives),
            **(self._values(value) if value else {"shape": None, "dtype": None, "value": None, "version": None}),
            "grad": self._optional(grads.get(main)), "requires_grad": True, "is_leaf": leaf is not None,
            "inner": forward is not None and not forward.outputs,
            "outputs": [
                {"output": output, "name": names.get(output, ""), "value": self._optional(values.get(output)), "grad": self._optional(grads.get(output))}
                for output in sorted({*values, *grads})
            ]
            if len({*values, *grads}) > 1
            else [],
            "saved": {
                name: self._optional(saved) if isinstance(saved, Snapshot) else _plain(saved)
                for name, saved in (backward.saved if backward else {}).items()
            },
        }  # fmt: skip

    def _edges(self, node: Node) -> list[dict[str, Any]]:
        record = self._last.nodes[node] if self._last else None
        edges = []
        for slot, (following, output) in enumerate(record.next_functions if record else node.next_functions):
            if following is None:
                continue
            local, passed = (_at(record.local, slot), _at(record.passed, slot)) if record else (None, None)
            edges.append(
                {
                    "from": self._ids[following],
                    "output": output,
                    "to": self._ids[node],
                    "slot": slot,
                    "local": self._optional(local),
                    "passed": self._optional(passed),
                    "elementwise": _is_product(record, local, passed),
                }
            )
        return edges

    def _constants(self, node: Node) -> list[OperationInput]:
        """Return the inputs of an operation that receive no gradient."""
        record = self._tracer.forward.get(node)
        return [operand for operand in record.inputs if operand.source is None] if record else []

    def _values(self, value: Snapshot) -> dict[str, Any]:
        return {"shape": list(value.shape), "dtype": value.dtype, "value": self._cell_values(value), "version": value.version}

    def _cell_values(self, value: Snapshot) -> Any:
        """Convert a tensor's values; return None if the document then held more than `MAX_CELLS` cells and the tensor is not small."""
        cells = math.prod(value.visible_shape)
        if cells > MAX_SMALL_CELLS and self._cells + cells > MAX_CELLS:
            return None
        self._cells += cells
        return self._to_json(value)

    def _optional(self, value: Snapshot | None) -> Any:
        return None if value is None else self._cell_values(value)

    def _line(self, record: ForwardRecord | None) -> int | None:
        return self._script.span(record.expression).line if record else None


_CONSTANT = {"kind": "constant", "op": "", "grad": None, "requires_grad": False, "is_leaf": True}
_NO_GRADIENT = {"slot": None, "output": 0, "local": None, "passed": None, "elementwise": False}


def _first_output(outputs: Mapping[int, T]) -> T | None:
    """Return the entry of the output with the lowest number; None if there is none."""
    return outputs[min(outputs)] if outputs else None


def _nonfinite_kind(values: Iterable[Snapshot]) -> str:
    """Return `NaN` or `infinity` if one of the tensors contains it, else an empty string."""
    nonfinite = [value.values for value in values if not bool(torch.isfinite(value.values).all())]
    return "" if not nonfinite else "NaN" if any(bool(tensor.isnan().any()) for tensor in nonfinite) else "infinity"


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _gradient(tensor: torch.Tensor) -> tuple[torch.Tensor | None, bool]:
    """Return the gradient that PyTorch stores for the tensor, and whether the tensor is a leaf."""
    try:
        return tensor.grad if tensor.is_leaf or tensor.retains_grad else None, tensor.is_leaf
    except RuntimeError:  # a view made under `no_grad` of memory that has since changed in place: PyTorch refuses to read its history
        return None, False


def _result_nodes(execution: Execution) -> list[Node]:
    """Return the nodes of named results that no other named result was computed from."""
    results = [
        node for value in execution.names.values() if isinstance(value, torch.Tensor) and (node := node_of(value)) is not None and not hasattr(node, "variable")
    ]
    inner = {following for node in results for following in reachable([node])[1:]}
    return [node for node in results if node not in inner]


def _leaf(node: Node) -> Snapshot | None:
    variable = getattr(node, "variable", None)
    return None if variable is None else snapshot(variable)


def _at(values: tuple[T | None, ...], slot: int) -> T | None:
    return values[slot] if slot < len(values) else None


def _is_product(record: BackwardRecord | None, local: Snapshot | None, passed: Snapshot | None) -> bool:
    """Return whether the gradient passed on is upstream gradient × local derivative, cell by cell, so that the page can show the product."""
    if record is None or len(record.upstream) != 1 or local is None or passed is None:
        return False
    (upstream,) = record.upstream.values()
    return upstream.shape == local.shape == passed.shape and bool(
        torch.allclose((upstream.values * local.values).to(passed.values.dtype), passed.values, equal_nan=True)
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, (int, float, str, bool)) else str(value)
