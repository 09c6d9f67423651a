"""Describe a script's autograd graph as plain data: nodes, edges, and the steps of the forward and backward passes.

Edges point from inputs to results; gradients flow against them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Literal, NotRequired, TypedDict, TypeVar, overload

import torch
from torch.autograd.graph import Node

from playground.autograd.folding import MAX_UNFOLDED_NODES, ScriptGroup, fold
from playground.autograd.formulas import formula, title
from playground.autograd.gradient_tracer import MAX_SMALL_CELLS, BackwardRecord, ForwardRecord, GradientTracer, OperationInput, node_of, reachable
from playground.autograd.overrides import Overrides
from playground.errors import PlaygroundError
from playground.messages import msg
from playground.tensors.language import interpreter
from playground.tensors.language.figures import FigurePlots
from playground.tensors.language.interpreter import Execution
from playground.tensors.language.memory import Snapshot, snapshot, version_of
from playground.tensors.language.spans import Script
from playground.tensors.language.tracing import named_arrays
from playground.tensors.xray.report import ArrayValues, Fault, ValueFacts, nested, summary

T = TypeVar("T")
Values = TypeVar("Values")
"""How a document has the values of a tensor: as nested lists, or as the tiles that the page draws."""
MAX_CELLS = 150_000
"""Cells of all tensors in the document of a graph; beyond them it holds the values of small tensors only."""
MAX_NODES = 2_000
"""Nodes in the document of a graph."""
NonFiniteKind = Literal["NaN", "infinity"]


class ArrayName(ArrayValues):
    """A variable that holds an array of NumPy."""

    value: Any
    """The same as `values`."""
    grad: None


class TensorName(ArrayValues):
    """A variable that holds a tensor."""

    value: Any
    """The same as `values`."""
    grad: Any
    """Nested lists; null where there is no gradient."""
    is_leaf: bool
    version: int
    """How often it was changed in place."""


class ValueName(ValueFacts):
    """A variable that holds another value."""

    value: Any
    """The same as `values`."""
    grad: None


Name = TensorName | ArrayName | ValueName


class NodeOutput(TypedDict, Generic[Values]):
    """One output of a node that has several."""

    output: int
    name: str
    value: Values | None
    grad: Values | None


class NodeValue(TypedDict, Generic[Values]):
    """The value at a node, all null where it is not known."""

    shape: list[int] | None
    dtype: str | None
    value: Values | None
    version: int | None
    """How often the tensor had been changed in place."""


class AutogradNode(NodeValue[Values], Generic[Values]):
    """An operation or a leaf of the graph, or a constant, which is an input without a gradient; constants lack some fields."""

    id: str
    kind: Literal["operation", "leaf", "constant"]
    op: str
    """PyTorch's name of the node; empty for a constant."""
    name: str
    """The learner's; empty where there is none."""
    group: str | None
    """The innermost group that holds it."""
    grad: Values | None
    """Its upstream gradient."""
    requires_grad: bool
    is_leaf: bool
    source: NotRequired[str]
    """The expression that computed it."""
    line: NotRequired[int | None]
    formula: NotRequired[str]
    derivatives: NotRequired[list[str]]
    """The formula of the gradient for each input."""
    inner: NotRequired[bool]
    """Whether it is a step inside the operation of a statement."""
    outputs: NotRequired[list[NodeOutput[Values]]]
    """Empty where it has only one."""
    saved: NotRequired[dict[str, Values | float | str | bool | None]]
    """What it saved for the backward pass."""


_From = TypedDict("_From", {"from": str})


class AutogradEdge(_From, Generic[Values]):
    """From an input to a result."""

    output: int
    """The number of the output that is the input."""
    to: str
    slot: int | None
    """The place of the input; null for a constant."""
    local: Values | None
    """The node's result for an upstream gradient of ones."""
    passed: Values | None
    """The gradient that flowed back."""
    elementwise: bool
    """Whether that is the upstream gradient times `local`, cell by cell."""


class AutogradGraph(TypedDict, Generic[Values]):
    """The graph of the last backward pass; of a script without one, that of its last results."""

    nodes: list[AutogradNode[Values]]
    edges: list[AutogradEdge[Values]]
    groups: list[ScriptGroup]
    """Empty for a small graph."""


_OfPass = TypedDict("_OfPass", {"pass": int | None})


class Step(_OfPass, Generic[Values]):
    """A step of the forward pass, without a `pass`, or of a backward pass."""

    kind: Literal["forward", "backward"]
    node: str | None
    """Null for a node of an earlier pass that is not in the graph."""
    line: int | None
    upstream: NotRequired[Values | None]
    """The gradient that arrives; absent of a forward step."""


_AtPass = TypedDict("_AtPass", {"pass": int})


class Leaf(_AtPass, Generic[Values]):
    """A named leaf or constant at the first `pass` that involves it."""

    name: str
    loss: float | None
    """Null where it is not finite."""
    value: Values | None
    grad: Values | None
    requires_grad: bool
    overridden: list[int]
    """Cells whose values were changed by hand."""
    editable: bool
    """Whether its values can be."""


class NonFinite(TypedDict):
    """Where NaN or infinity first appears, although all that the node gets is finite."""

    node: str
    kind: Literal["value", "gradient"]
    value: NonFiniteKind


class GraphDocument(TypedDict, Generic[Values]):
    """A script's autograd graph; edges point from inputs to results, gradients flow against them. Values that would be too many are null."""

    names: dict[str, Name]
    graph: AutogradGraph[Values]
    steps: list[Step[Values]]
    """The forward steps in the order of the statements, then those of each backward pass in the engine's order."""
    leaves: list[Leaf[Values]]
    nonfinite: list[NonFinite]
    output: str
    figures: list[FigurePlots]
    warnings: list[str]
    error: Fault | None


def run(source: str, predefined: Mapping[str, Any], overrides: Overrides | None = None) -> Execution:
    """Run a script and trace its backward passes."""
    return interpreter.run(source, predefined, tracer=GradientTracer(overrides))


@overload
def document(execution: Execution) -> GraphDocument[Any]: ...
@overload
def document(execution: Execution, to_json: Callable[[Snapshot], Values]) -> GraphDocument[Values]: ...
def document(execution: Execution, to_json: Callable[[Snapshot], Any] = lambda value: nested(value.values)) -> GraphDocument[Any]:
    """Describe a traced script.

    Args:
        to_json: converts a tensor's values: to nested lists, or to the tiles that the page draws.

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
        "figures": report["figures"],
        "warnings": report["warnings"],
        "error": report["error"],
    }


def _names(execution: Execution, facts: Mapping[str, ArrayValues | ValueFacts]) -> dict[str, Name]:
    """Add `value` and `grad` to the facts of each name, for tensors also `is_leaf` and the version counter."""
    names: dict[str, Name] = {}
    arrays = dict(named_arrays(execution.names))
    for name, fact in facts.items():
        array = arrays.get(name)
        if fact["kind"] == "value":
            names[name] = {**fact, "value": fact["values"], "grad": None}
        elif isinstance(array, torch.Tensor):
            grad, is_leaf = _gradient(array)
            gradient = None if grad is None else nested(snapshot(grad).values)
            names[name] = {**fact, "value": fact["values"], "grad": gradient, "is_leaf": is_leaf, "version": version_of(array)}
        else:
            names[name] = {**fact, "value": fact["values"], "grad": None}
    return names


class _Writer(Generic[Values]):
    """Writes the graph of the last backward pass; for a script without one, the graph of its last results."""

    def __init__(self, execution: Execution, tracer: GradientTracer, to_json: Callable[[Snapshot], Values]) -> None:
        self._script, self._tracer, self._to_json, self._cells = Script(execution.source), tracer, to_json, 0
        self._passes = tracer.passes
        self._last = self._passes[-1] if self._passes else None
        self._names = {node: record.names for node, record in self._last.nodes.items()} if self._last else tracer.names_by_node()
        nodes = list(self._last.nodes) if self._last else reachable(_result_nodes(execution))
        if len(nodes) > MAX_NODES:
            raise PlaygroundError(
                msg("This graph has {count:,} nodes; {most:,} are the most that are shown.", count=len(nodes), most=MAX_NODES),
                msg("Let the loop run fewer turns."),
            )
        order = {node: index for index, node in enumerate(tracer.forward)}
        self._nodes = sorted(nodes, key=lambda node: order.get(node, -1 if hasattr(node, "variable") else len(order)))
        self._ids = {node: f"n{index}" for index, node in enumerate(self._nodes)}
        self._forward = {node: record for node, record in tracer.forward.items() if node in self._ids}

    def graph(self) -> AutogradGraph[Values]:
        groups, group_ids = self._groups()
        nodes = [self._node(node, group_ids.get(node)) for node in self._nodes]
        edges = [edge for node in self._nodes for edge in self._edges(node)]
        for node in self._nodes:
            for index, constant in enumerate(self._constants(node)):
                constant_id = f"{self._ids[node]}c{index}"
                nodes.append(
                    {
                        "id": constant_id, "kind": "constant", "op": "", "name": constant.name, "shape": list(constant.value.shape),
                        "dtype": constant.value.dtype, "value": self._cell_values(constant.value), "version": constant.value.version, "grad": None,
                        "requires_grad": False, "is_leaf": True, "group": group_ids.get(node),
                    }
                )  # fmt: skip
                edges.append({"from": constant_id, "output": 0, "to": self._ids[node], "slot": None, "local": None, "passed": None, "elementwise": False})
        return {"nodes": nodes, "edges": edges, "groups": groups}

    def _groups(self) -> tuple[list[ScriptGroup], Mapping[Node, str]]:
        """Return the groups of a large graph and the group of each node; a small graph has none."""
        if len(self._nodes) <= MAX_UNFOLDED_NODES:
            return [], {}
        return fold([(node, record.expression, record.turn) for node, record in self._forward.items()], self._script)

    def steps(self) -> list[Step[Values]]:
        forward: list[Step[Values]] = [
            {"kind": "forward", "node": self._ids[node], "line": self._line(record), "pass": None} for node, record in self._forward.items()
        ]
        backward: list[Step[Values]] = [
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

    def leaves(self) -> list[Leaf[Values]]:
        return [
            {
                "name": name, "pass": record.pass_number, "loss": _finite(record.loss), "value": self._cell_values(record.value),
                "grad": self._optional(record.grad), "requires_grad": record.value.requires_grad,
                "overridden": sorted(self._tracer.overrides.values.get(name, ())), "editable": record.value.dtype.startswith(("float", "bfloat")),
            }
            for name, record in self._tracer.leaves.items()
        ]  # fmt: skip

    def nonfinite(self) -> list[NonFinite]:
        """Find the first node whose outputs, and the first whose gradients, are non-finite although all its inputs are finite."""
        values = ((node, [operand.value for operand in record.inputs], list(record.outputs.values())) for node, record in self._forward.items())
        gradients = (
            (node, list(record.upstream.values()), [gradient for gradient in record.passed if gradient is not None])
            for backward_pass in self._passes[-1:]
            for node, record in ((node, backward_pass.nodes[node]) for node in backward_pass.order)
        )
        return [*self._origin("value", values), *self._origin("gradient", gradients)]

    def _origin(self, kind: Literal["value", "gradient"], nodes: Iterable[tuple[Node, list[Snapshot], list[Snapshot]]]) -> list[NonFinite]:
        """Return the first of the nodes, each with what it gets and what it gives, that gives something non-finite although all that it gets is finite."""
        for node, before, after in nodes:
            if not _nonfinite_kind(before) and (value := _nonfinite_kind(after)):
                return [{"node": self._ids[node], "kind": kind, "value": value}]
        return []

    def _node(self, node: Node, group: str | None) -> AutogradNode[Values]:
        backward = self._last.nodes[node] if self._last else None
        forward = self._tracer.forward.get(node)
        leaf = backward.leaf if backward else _leaf(node)
        values = {0: leaf} if leaf else forward.outputs if forward else {}
        names, grads = self._names.get(node, {}), backward.upstream if backward else {}
        main = min(values.keys() & grads.keys() or values or grads or names or (0,))  # of several outputs the first with a gradient
        operation, derivatives = formula(node.name())
        return {
            "id": self._ids[node], "kind": "leaf" if leaf else "operation", "op": title(node.name()), "name": names.get(main, ""),
            "source": self._script.text(forward.expression) if forward else "", "line": self._line(forward),
            "formula": operation, "derivatives": list(derivatives),
            **self._values(values.get(main)),
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
            "group": group,
        }  # fmt: skip

    def _edges(self, node: Node) -> list[AutogradEdge[Values]]:
        record = self._last.nodes[node] if self._last else None
        edges: list[AutogradEdge[Values]] = []
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

    def _values(self, value: Snapshot | None) -> NodeValue[Values]:
        if value is None:
            return {"shape": None, "dtype": None, "value": None, "version": None}
        return {"shape": list(value.shape), "dtype": value.dtype, "value": self._cell_values(value), "version": value.version}

    def _cell_values(self, value: Snapshot) -> Values | None:
        """Convert a tensor's values; return None if the document then held more than `MAX_CELLS` cells and the tensor is not small."""
        cells = math.prod(value.visible_shape)
        if cells > MAX_SMALL_CELLS and self._cells + cells > MAX_CELLS:
            return None
        self._cells += cells
        return self._to_json(value)

    def _optional(self, value: Snapshot | None) -> Values | None:
        return None if value is None else self._cell_values(value)

    def _line(self, record: ForwardRecord | None) -> int | None:
        return self._script.span(record.expression).line if record else None


def _first_output(outputs: Mapping[int, T]) -> T | None:
    """Return the entry of the output with the lowest number; None if there is none."""
    return outputs[min(outputs)] if outputs else None


def _nonfinite_kind(values: Iterable[Snapshot]) -> NonFiniteKind | None:
    """Return which of the two one of the tensors contains, NaN first; None if none does."""
    nonfinite = [value.values for value in values if not bool(torch.isfinite(value.values).all())]
    return None if not nonfinite else "NaN" if any(bool(tensor.isnan().any()) for tensor in nonfinite) else "infinity"


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


def _plain(value: Any) -> float | str | bool:
    """Return a number or a text as it is, and anything else as text, also the numbers that JSON lacks."""
    if isinstance(value, (int, str)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)
