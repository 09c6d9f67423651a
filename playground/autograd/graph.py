"""A script's autograd graph as plain data: nodes, edges, and the steps forward and back through them.

Edges point as values flow, from inputs to results; gradients flow against them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import torch
from torch.autograd.graph import Node

from playground.autograd.folding import FOLDED, fold
from playground.autograd.formulas import formula, title
from playground.autograd.gradient_tracer import FEW, BackwardRecord, ForwardRecord, GradientTracer, OperationInput, node_of, reachable
from playground.autograd.overrides import Overrides
from playground.errors import PlaygroundError
from playground.tensors.language import interpreter
from playground.tensors.language.interpreter import Execution
from playground.tensors.language.memory import Snapshot, snapshot
from playground.tensors.language.spans import Script
from playground.tensors.language.tracing import named_arrays
from playground.tensors.xray.report import nested, summary

T = TypeVar("T")
CELLS = 150_000
"""Cells of all tensors of a graph that are written down; beyond them, only small tensors are."""
DRAWN = 2_000
"""Nodes of a graph that are written down."""


def run(source: str, predefined: Mapping[str, Any], overrides: Overrides | None = None) -> Execution:
    """Run a script and observe its backward passes."""
    return interpreter.run(source, predefined, tracer=GradientTracer(overrides))


def document(execution: Execution, written: Callable[[Snapshot], Any] = lambda part: nested(part.values)) -> dict[str, Any]:
    """The names with their gradients, the graph, the steps, the leaves, where NaN or infinity was born, and what went wrong.

    Args:
        written: how a tensor's values are written: as nested lists, or as the tiles that the page draws.

    Raises:
        PlaygroundError: the graph has more nodes than can be written down.
    """
    tracer = execution.tracer
    assert isinstance(tracer, GradientTracer)
    told = summary(execution)
    writer = _Writer(execution, tracer, written)
    return {
        "names": _names(execution, told["names"]),
        "graph": writer.graph(),
        "steps": writer.steps(),
        "leaves": writer.leaves(),
        "nonfinite": writer.nonfinite(),
        "output": told["output"],
        "warnings": told["warnings"],
        "error": told["error"],
    }


def _names(execution: Execution, facts: dict[str, Any]) -> dict[str, Any]:
    """What the shelf shows, and for tensors `value`, `grad`, `is_leaf` and the version counter."""
    found, arrays = {}, dict(named_arrays(execution.names))
    for name, told in facts.items():
        value = arrays.get(name)
        found[name] = {**told, "value": told["values"], "grad": None}
        if isinstance(value, torch.Tensor):
            grad, is_leaf = _gradient(value)
            found[name] |= {"grad": None if grad is None else nested(snapshot(grad).values), "is_leaf": is_leaf, "version": value._version}
    return found


class _Writer:
    """Writes the graph of the last backward pass; of a script without one, that of its last results."""

    def __init__(self, execution: Execution, tracer: GradientTracer, written: Callable[[Snapshot], Any]) -> None:
        self._script, self._tracer, self._write, self._cells = Script(execution.source), tracer, written, 0
        self._passes = tracer.passes
        self._last = self._passes[-1] if self._passes else None
        nodes = list(self._last.nodes) if self._last else reachable(_ends(execution))
        if len(nodes) > DRAWN:
            raise PlaygroundError(f"This graph has {len(nodes):,} nodes; {DRAWN:,} are the most that are shown.", "Let the loop run fewer turns.")
        forward = {node: place for place, node in enumerate(tracer.made)}
        self._nodes = sorted(nodes, key=lambda node: forward.get(node, -1 if hasattr(node, "variable") else len(forward)))
        self._ids = {node: f"n{place}" for place, node in enumerate(self._nodes)}

    def graph(self) -> dict[str, Any]:
        groups, inside = self._groups()
        nodes = [{**self._node(node), "group": inside.get(node)} for node in self._nodes]
        edges = [edge for node in self._nodes for edge in self._edges(node)]
        for node in self._nodes:
            for place, given in enumerate(self._constants(node)):
                constant = f"{self._ids[node]}c{place}"
                nodes.append({**_CONSTANT, "id": constant, "name": given.name, **self._values(given.part), "group": inside.get(node)})
                edges.append({**_NO_GRADIENT, "from": constant, "to": self._ids[node]})
        return {"nodes": nodes, "edges": edges, "groups": groups}

    def _groups(self) -> tuple[list[dict[str, Any]], Mapping[Node, str]]:
        """What a graph too large to be read is folded into."""
        if len(self._nodes) <= FOLDED:
            return [], {}
        return fold([(node, made.place, made.turn) for node, made in self._tracer.made.items() if node in self._ids], self._script)

    def steps(self) -> list[dict[str, Any]]:
        """Forward in the order of the statements, then backward in the engine's own order, pass by pass."""
        forward = [
            {"kind": "forward", "node": self._ids[node], "line": self._line(made), "pass": None}
            for node, made in self._tracer.made.items()
            if node in self._ids
        ]
        backward = [
            {"kind": "backward", "node": self._ids.get(node), "line": one.line, "pass": one.number, "upstream": self._number(_main(one.nodes[node].upstream))}
            for one in self._passes
            for node in one.order
        ]
        return [*forward, *backward]

    def leaves(self) -> list[dict[str, Any]]:
        """Leaves and constants with a name, as they were for the first pass that they have a part in, and the gradients that it brought."""
        return [
            {
                "name": name, "pass": start.number, "loss": _finite(start.loss), "value": self._written(start.value), "grad": self._number(start.grad),
                "requires_grad": start.value.requires_grad, "overridden": sorted(self._tracer.overrides.values.get(name, ())),
                "editable": start.value.dtype.startswith(("float", "bfloat")),
            }
            for name, start in self._tracer.starts.items()
        ]  # fmt: skip

    def nonfinite(self) -> list[dict[str, Any]]:
        """Where the first NaN or infinity was made of numbers, forward and backward: the node, and which of the two it is."""
        made = (
            (node, "value", [given.part for given in made.inputs], list(made.parts.values())) for node, made in self._tracer.made.items() if node in self._ids
        )
        passed = (
            (node, "gradient", list(one.nodes[node].upstream.values()), [part for part in one.nodes[node].passed if part is not None])
            for one in self._passes[-1:]
            for node in one.order
        )
        found = []
        for way in (made, passed):
            first = next(((node, kind, after) for node, kind, before, after in way if not _strange(before) and _strange(after)), None)
            if first:
                found.append({"node": self._ids[first[0]], "kind": first[1], "value": _strange(first[2])})
        return found

    def _node(self, node: Node) -> dict[str, Any]:
        seen = self._last.nodes[node] if self._last else None
        made = self._tracer.made.get(node)
        leaf = seen.leaf if seen else _leaf(node)
        parts = {0: leaf} if leaf else made.parts if made else {}
        names, grads = seen.names if seen else {}, seen.upstream if seen else {}
        main = min(parts.keys() & grads.keys() or parts or grads or names or (0,))  # of several outputs the first that a gradient came to
        part = parts.get(main)
        text, derivatives = formula(node.name())
        return {
            "id": self._ids[node], "kind": "leaf" if leaf else "operation", "op": title(node.name()), "name": names.get(main, ""),
            "source": self._script.text(made.place) if made else "", "line": self._line(made), "formula": text, "derivatives": list(derivatives),
            **(self._values(part) if part else {"shape": None, "dtype": None, "value": None, "version": None}),
            "grad": self._number(grads.get(main)), "requires_grad": True, "is_leaf": leaf is not None, "inner": made is not None and not made.parts,
            "outputs": [
                {"output": place, "name": names.get(place, ""), "value": self._number(parts.get(place)), "grad": self._number(grads.get(place))}
                for place in sorted({*parts, *grads})
            ]
            if len({*parts, *grads}) > 1
            else [],
            "saved": {name: self._number(value) if isinstance(value, Snapshot) else _plain(value) for name, value in (seen.saved if seen else {}).items()},
        }  # fmt: skip

    def _edges(self, node: Node) -> list[dict[str, Any]]:
        seen = self._last.nodes[node] if self._last else None
        found = []
        for slot, (following, output) in enumerate(seen.following if seen else node.next_functions):
            if following is None:
                continue
            local, passed = _at(seen, "local", slot), _at(seen, "passed", slot)
            found.append(
                {
                    "from": self._ids[following],
                    "output": output,
                    "to": self._ids[node],
                    "slot": slot,
                    "local": self._number(local),
                    "passed": self._number(passed),
                    "elementwise": _is_product(seen, local, passed),
                }
            )
        return found

    def _constants(self, node: Node) -> list[OperationInput]:
        """Inputs that no gradient flows to."""
        made = self._tracer.made.get(node)
        return [given for given in made.inputs if given.source is None] if made else []

    def _values(self, part: Snapshot) -> dict[str, Any]:
        return {"shape": list(part.shape), "dtype": part.dtype, "value": self._written(part), "version": part.version}

    def _written(self, part: Snapshot) -> Any:
        """A tensor as it is written down; None for one that is too much beside the others."""
        cells = math.prod(part.visible_shape)
        if cells > FEW and self._cells + cells > CELLS:
            return None
        self._cells += cells
        return self._write(part)

    def _number(self, part: Snapshot | None) -> Any:
        return None if part is None else self._written(part)

    def _line(self, made: ForwardRecord | None) -> int | None:
        return self._script.span(made.place).line if made else None


_CONSTANT = {"kind": "constant", "op": "", "grad": None, "requires_grad": False, "is_leaf": True}
_NO_GRADIENT = {"slot": None, "output": 0, "local": None, "passed": None, "elementwise": False}


def _main(outputs: Mapping[int, T]) -> T | None:
    """Of a node with several outputs, what is known of the first of them."""
    return outputs[min(outputs)] if outputs else None


def _strange(parts: Iterable[Snapshot]) -> str:
    """`NaN` or `infinity`, if one of these tensors holds it."""
    found = [part.values for part in parts if not bool(torch.isfinite(part.values).all())]
    return "" if not found else "NaN" if any(bool(values.isnan().any()) for values in found) else "infinity"


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _gradient(tensor: torch.Tensor) -> tuple[torch.Tensor | None, bool]:
    """What PyTorch keeps of a tensor's gradient, and whether the tensor is a leaf."""
    try:
        return tensor.grad if tensor.is_leaf or tensor.retains_grad else None, tensor.is_leaf
    except RuntimeError:  # a view made under `no_grad` of what was changed in place since: PyTorch refuses every question about its history
        return None, False


def _ends(execution: Execution) -> list[Node]:
    """The nodes of named results that nothing else was made from."""
    results = [
        node for value in execution.names.values() if isinstance(value, torch.Tensor) and (node := node_of(value)) is not None and not hasattr(node, "variable")
    ]
    inner = {following for node in results for following in reachable([node])[1:]}
    return [node for node in results if node not in inner]


def _leaf(node: Node) -> Snapshot | None:
    variable = getattr(node, "variable", None)
    return None if variable is None else snapshot(variable)


def _at(seen: BackwardRecord | None, what: str, slot: int) -> Snapshot | None:
    parts: tuple[Snapshot | None, ...] = getattr(seen, what) if seen else ()
    return parts[slot] if slot < len(parts) else None


def _is_product(seen: BackwardRecord | None, local: Snapshot | None, passed: Snapshot | None) -> bool:
    """Whether what was passed on is upstream × local, cell by cell: then the arithmetic can be written so."""
    if seen is None or len(seen.upstream) != 1 or local is None or passed is None:
        return False
    (upstream,) = seen.upstream.values()
    return upstream.shape == local.shape == passed.shape and bool(
        torch.allclose((upstream.values * local.values).to(passed.values.dtype), passed.values, equal_nan=True)
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, (int, float, str, bool)) else str(value)
