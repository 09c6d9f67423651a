"""A script's execution as plain data, for the page and for the command line: one JSON object.

A tile is one tensor at one moment. Cells are those that are shown, in row-major order; `from` gives, for each shown
cell of an output, the shown cells of each input that made it, by their places among those shown.
"""

from __future__ import annotations

import ast
import math
import reprlib
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from playground import environment
from playground.tensors.help.explanations import explain
from playground.tensors.language import allowed
from playground.tensors.language.interpreter import Execution
from playground.tensors.language.memory import Snapshot, snapshot
from playground.tensors.language.spans import Script
from playground.tensors.language.tracing import Operation, Statement, StatementTracer, named_arrays
from playground.tensors.xray.lineage import Lineage, Sources, is_move, lineage
from playground.tensors.xray.notes import UNINITIALISED, notes
from playground.tensors.xray.provenance import Deadline, undisturbed

LINKS = 400_000
"""Pairs of cells that one report may hold."""
LINKING_SHARE = 0.5
"""Processor time for finding out which cells made which, as a share of the script's own."""
STATEMENTS = 60
"""Statements that are shown, the last ones."""
TEXT = 2_000
"""Characters of a value of Python's own."""
PRODUCTS = frozenset(("@", "matmul", "mm", "bmm", "mv", "dot", "vdot", "linalg.vecdot"))
"""Operations of which each cell is a sum of products, first operand's cells with the second's in their order."""


def summary(execution: Execution) -> dict[str, Any]:
    """What a script left and printed: `names`, `output`, `warnings`, `error`."""
    arrays = _final_arrays(execution)
    document = _summary(execution, arrays)
    for name in arrays.keys() & document["names"].keys():
        document["names"][name]["values"] = nested(arrays[name].values)
    return document


def _final_arrays(execution: Execution) -> dict[str, Snapshot]:
    return {name: snapshot(array) for name, array in named_arrays(execution.names)}


def _summary(execution: Execution, arrays: dict[str, Snapshot]) -> dict[str, Any]:
    """Summarise, without the values of the arrays: the X-ray has them in tiles."""
    storages = _storages(arrays)
    facts = {name: _facts(part, storages[name]) for name, part in arrays.items()}
    names: dict[str, Any] = {}
    for name, value in execution.names.items():
        if name == "device" and name in execution.predefined:
            continue
        if name in arrays:
            names[name] = facts[name]
        else:
            names[name] = _plain_facts(value)
            names |= {full: facts[full] for full in facts if full.startswith(f"{name}[")}
    error = None
    if execution.error is not None:
        explained = explain(execution.error, execution.source)
        error = {
            "line": explained.span.line, "start": explained.span.start, "end": explained.span.end, "message": explained.message,
            "explanation": explained.explanation, "alignment": asdict(explained.alignment) if explained.alignment else None,
            "fix": asdict(explained.fixes[0]) if explained.fixes else None, "fixes": [asdict(fix) for fix in explained.fixes],
        }  # fmt: skip
    return {"names": names, "output": execution.output, "warnings": execution.warnings, "error": error}


def report(execution: Execution) -> dict[str, Any]:
    """The summary, and every statement with its tiles and links, for the X-ray."""
    assert isinstance(execution.tracer, StatementTracer)
    arrays = _final_arrays(execution)
    document = _summary(execution, arrays)
    writer = _Writer(execution)
    with undisturbed():
        statements = list(execution.tracer.statements.values())
        writer.pass_over(statements[:-STATEMENTS])
        steps = [writer.step(statement) for statement in statements[-STATEMENTS:]]
    for name, facts in document["names"].items():
        if name in arrays:
            facts["tile"] = writer.tile(arrays[name])
            facts |= _still_true(writer.origins.get(name, {"origin": "given", "of": "", "line": 0}), document["names"], facts)
    return {**document, "steps": [step for step in steps if step["outputs"] or step["failed"]], "tiles": writer.tiles}


def _facts(part: Snapshot, storage: str) -> dict[str, Any]:
    return {
        "kind": part.kind, "shape": list(part.shape), "dtype": part.dtype, "device": part.device, "strides": list(part.strides), "offset": part.offset,
        "contiguous": part.contiguous, "requires_grad": part.requires_grad, "storage": storage, "complete": part.complete,
    }  # fmt: skip


class _Short(reprlib.Repr):
    """Python's own way to write values, cut where they are long or deep."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlist = self.maxtuple = 40
        self.maxstring = self.maxother = self.maxlong = TEXT
        self.maxlevel = 3


def _plain_facts(value: Any) -> dict[str, Any]:
    kind = type(value).__name__
    holds_arrays = isinstance(value, (list, tuple)) and any(True for _ in named_arrays({"": value}))
    text = f"{kind} of {len(value)}" if holds_arrays else _Short().repr(value)[:TEXT]
    is_json = isinstance(value, (bool, int, type(None))) or (isinstance(value, float) and math.isfinite(value))
    values = value if is_json else value[:TEXT] if isinstance(value, str) else text
    return {"kind": "value", "type": kind, "text": text, "shape": None, "dtype": kind, "strides": None, "values": values, "storage": None}


def _still_true(origin: dict[str, Any], names: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """The origin, without the other's name if that name means something else by now."""
    shares = origin["origin"] in ("view", "same", "shared")
    return {**origin, "of": ""} if shares and names.get(origin["of"], {}).get("storage") != facts["storage"] else origin


def _storages(arrays: dict[str, Snapshot]) -> dict[str, str]:
    """By name: which storage, the same for all that lie in one."""
    groups: list[list[str]] = []
    for name, part in sorted(arrays.items(), key=lambda item: (item[1].device, item[1].start)):
        last = groups[-1] if groups else []
        if any(arrays[other].overlaps(part) or (arrays[other].address == part.address and part.cells) for other in last):
            last.append(name)
        else:
            groups.append([name])
    order = sorted(groups, key=lambda group: min(list(arrays).index(name) for name in group))
    return {name: f"s{index + 1}" for index, group in enumerate(order) for name in group}


@dataclass
class _Names:
    """What to call each object of a statement: its name, or the expression that made it."""

    texts: dict[int, str]

    def of(self, part: Snapshot) -> str:
        return self.texts.get(part.key, "")


class _Writer:
    """Writes statements; tiles that are the same are written once."""

    def __init__(self, execution: Execution) -> None:
        self.tiles: list[dict[str, Any]] = []
        self.origins: dict[str, dict[str, Any]] = {}
        """By name: `view`, `copy`, `same`, `shared` or `new`, of which other name, and the line that made it."""
        self._script = Script(execution.source)
        self._deadline = Deadline(LINKING_SHARE * environment.script_seconds())
        self._places: dict[Any, int] = {}
        self._links = LINKS

    def tile(self, part: Snapshot) -> int:
        """The place of this tile among all, written if it is new."""
        key = (part.kind, part.shape, part.strides, part.address, part.dtype, _bytes(part.visible_values))
        if key not in self._places:
            self._places[key] = len(self.tiles)
            self.tiles.append(tile(part))
        return self._places[key]

    def pass_over(self, statements: list[Statement]) -> None:
        """Statements too many to show: only where their names came from."""
        for statement in statements:
            for name, part in statement.outputs.items():
                self.origins[name] = self._origin(name, part, statement, {}, statement.inputs)

    def step(self, statement: Statement) -> dict[str, Any]:
        """One statement: what it read, what it made, from which cells, and by which operations."""
        traced = lineage(statement, self._deadline)
        head = statement.node.iter if isinstance(statement.node, ast.For) else getattr(statement.node, "test", None)
        place = self._script.span(head if head is not None and isinstance(statement.node, (ast.For, ast.If, ast.While)) else statement.node)
        before = {**statement.previous, **statement.inputs}
        used = {name for sources in traced.made.values() for name in sources} | statement.inputs.keys()
        inputs = {name: part for name, part in before.items() if name in used}
        for name, part in statement.outputs.items():
            self.origins[name] = self._origin(name, part, statement, traced.made.get(name, {}), inputs)
        main = next((operation for operation in reversed(statement.operations) if operation.outputs), None)
        return {
            "line": place.line, "start": place.start, "end": place.end, "source": self._script.source[place.start : place.end],
            "times": statement.count, "failed": statement.failed, "reason": traced.reason,
            "inputs": [{"name": name, "tile": self.tile(part)} for name, part in inputs.items()],
            "outputs": [
                {"name": name, "tile": self.tile(part), "from": self._cells(part, traced.made.get(name, {}), inputs)}
                for name, part in statement.outputs.items()
            ],
            "operations": self._operations(statement, traced),
            "notes": list(dict.fromkeys(note for operation in statement.operations for note in notes(operation))),
            "picture": _picture(main) if main else None,
        }  # fmt: skip

    def _operations(self, statement: Statement, traced: Lineage) -> list[dict[str, Any]]:
        names = _Names({part.key: name for name, part in {**statement.previous, **statement.inputs}.items()})
        written = []
        for operation, step in zip(statement.operations, [*traced.operations, *(None,) * len(statement.operations)], strict=False):
            if not operation.outputs:
                continue
            text = self._script.text(operation.node)
            inputs = [{"name": names.of(part), "tile": self.tile(part)} for part in operation.inputs]
            outputs, start = [], 0
            for part in operation.outputs:
                rows = slice(start, start + part.cells)
                start = rows.stop
                by_place = {str(index): matrix[rows] for index, matrix in (step or {}).items()}
                cells = self._cells(part, by_place, {str(index): earlier for index, earlier in enumerate(operation.inputs)})
                outputs.append({"tile": self.tile(part), "from": cells})
            for part in operation.outputs:
                names.texts.setdefault(part.key, text)
            written.append({"source": text, "name": operation.entry.name, "inputs": inputs, "outputs": outputs, "picture": _picture(operation)})
        return written

    def _cells(self, part: Snapshot, sources: Sources, inputs: dict[str, Snapshot]) -> dict[str, list[list[int]]]:
        """For each shown cell of `part`: the shown cells of each input that made it."""
        found = {}
        for name, matrix in sources.items():
            shown = inputs[name].visible_cells
            where = np.full(inputs[name].cells, -1)
            where[shown] = np.arange(len(shown))
            picked = matrix[part.visible_cells].tocsr()
            picked.sort_indices()
            columns, bounds = where[picked.indices], picked.indptr
            self._links -= len(columns)
            if self._links < 0:
                return {}
            found[name] = [[int(cell) for cell in columns[start:end] if cell >= 0] for start, end in pairwise(bounds)]
        return found

    def _origin(self, name: str, part: Snapshot, statement: Statement, sources: Sources, inputs: dict[str, Snapshot]) -> dict[str, Any]:
        """How the name came to its memory."""
        line = self._script.span(statement.node).line
        if name in statement.previous:
            return {**self.origins.get(name, {"origin": "given", "of": ""}), "line": line}
        uninitialised = bool(statement.operations) and statement.operations[-1].entry.short in UNINITIALISED
        for other, earlier in inputs.items():
            if earlier.key == part.key:
                return {"origin": "same", "of": other, "line": line}
        for other, earlier in inputs.items():
            if other != name and earlier.overlaps(part):
                return {"origin": "view" if earlier.kind == part.kind else "shared", "of": other, "line": line}
        copied = [other for other in sources if other != name]
        if copied and is_move(part, sources, inputs):
            return {"origin": "copy", "of": copied[0], "line": line}
        return {"origin": "uninitialised" if uninitialised else "new", "of": "", "line": line}


def _picture(operation: Operation) -> dict[str, Any]:
    """How an operation is best drawn: as products, stretched shapes, or a call with its operands; and its word or sign."""
    entry = operation.entry
    sign = entry.name.rstrip("=") if entry.name.endswith("=") and entry.name not in ("==", "!=", "<=", ">=", "[]=") else entry.name
    picture: dict[str, Any] = {"kind": "call", "word": entry.short, "group": entry.group}
    if entry.name == "[]" or entry.name == "[]=":
        picture["kind"] = "pick"
    elif entry.short in PRODUCTS and len(operation.inputs) == 2:
        picture["kind"] = "products"
    elif entry.name.startswith("unary ") or not entry.name[0].isalpha():
        picture |= {"kind": "sign", "word": sign.removeprefix("unary ")}
    shapes = [part.shape for part in operation.inputs]
    if entry.group in (allowed.POINTWISE, allowed.COMPARISON) and len(shapes) > 1 and len(set(shapes)) > 1:
        picture["stretched"] = _stretched(shapes, operation.outputs[0].shape)
    return picture


def _stretched(shapes: list[tuple[int, ...]], result: tuple[int, ...]) -> list[list[dict[str, Any]]]:
    """For each operand and each dimension of the result: its size there, and whether it was stretched."""
    rows = []
    for shape in shapes:
        padded: list[int | None] = [*(None,) * (len(result) - len(shape)), *shape]
        rows.append([{"size": size, "stretched": (size or 1) != wide} for size, wide in zip(padded, result, strict=False)])
    return rows


def tile(part: Snapshot) -> dict[str, Any]:
    """What is drawn of a snapshot; slots of its storage are counted in its own elements."""
    return {
        "kind": part.kind, "shape": list(part.shape), "shown": list(part.visible_shape), "strides": list(part.strides), "offset": part.offset,
        "contiguous": part.contiguous, "dtype": part.dtype, "device": part.device, "itemsize": part.itemsize,
        "first": (part.address - part.start) // part.itemsize, "slots": (part.end - part.start) // part.itemsize,
        "values": [_number(value) for value in part.visible_values.reshape(-1).tolist()],
    }  # fmt: skip


def nested(values: torch.Tensor) -> Any:
    def clean(value: Any) -> Any:
        return [clean(part) for part in value] if isinstance(value, list) else _number(value)

    return clean(values.tolist())


def _bytes(values: torch.Tensor) -> bytes:
    return values.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if values.numel() else b""


def _number(value: Any) -> Any:
    """A number as JSON has it; what JSON does not have, and whole numbers too long for a browser, as text."""
    if isinstance(value, complex):
        return f"{value.real:g}{value.imag:+g}j"
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if isinstance(value, bool) or abs(value) < 2**53 else str(value)
