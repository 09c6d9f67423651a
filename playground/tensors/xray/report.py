"""Reports the execution of a script as one JSON object, for the page and the command line.

A tile is one tensor at one moment, with its visible cells in row-major order. `from` has, for each visible cell of an
output, the visible cells of each input that it was computed from, as indices into the cells of the input's tile.
"""

from __future__ import annotations

import ast
import math
import reprlib
from itertools import pairwise
from typing import Any, Literal, NotRequired, TypedDict

import numpy as np
import torch

from playground import environment
from playground.messages import msg
from playground.tensors.help.explanations import explain
from playground.tensors.language import allowed
from playground.tensors.language.figures import FigurePlots
from playground.tensors.language.functions import Own
from playground.tensors.language.interpreter import Execution
from playground.tensors.language.memory import ArrayKind, Snapshot, snapshot
from playground.tensors.language.spans import Script
from playground.tensors.language.tracing import Operation, Statement, StatementTracer, named_arrays
from playground.tensors.xray.lineage import Lineage, Missing, Sources, is_copy, lineage
from playground.tensors.xray.notes import UNINITIALISED, notes
from playground.tensors.xray.provenance import Deadline, undisturbed

MAX_LINKS = 400_000
"""Pairs of an output cell and a source cell in one report, at most."""
LINEAGE_SHARE = 0.5
"""Processor time for tracing cells to their sources, as a share of the script's limit."""
MAX_STATEMENTS = 60
"""Statements in one report, at most; the last ones."""
MAX_TEXT = 2_000
"""Characters of a Python value's text, at most."""
PRODUCTS = frozenset(("@", "matmul", "mm", "bmm", "mv", "dot", "vdot", "linalg.vecdot"))
"""Operations that compute each cell as a sum of products of the operands' cells, in their order."""
GIVEN: Origin = {"origin": "given", "of": "", "line": 0}
"""The origin of what was there before the script."""


Value = float | str | bool
"""A value of a tensor as JSON has it; `inf`, `-inf`, `nan`, complex numbers and long integers are texts."""
Links = dict[str, list[list[int]]]
"""For each input, and for each visible cell of an output, the visible cells of the input that it was computed from."""


class Tile(TypedDict):
    """A tensor or an array at one moment."""

    kind: ArrayKind
    shape: list[int]
    shown: list[int]
    """The shape of the visible part."""
    strides: list[int]
    offset: int
    contiguous: bool
    dtype: str
    device: str
    itemsize: int
    first: int
    """The place of the first cell, in elements from the start of its storage."""
    slots: int
    """The elements of its storage."""
    values: list[Value]


class Facts(TypedDict):
    """What a tensor or an array is, without its values."""

    kind: ArrayKind
    shape: list[int]
    dtype: str
    device: str
    strides: list[int]
    offset: int
    contiguous: bool
    requires_grad: bool
    storage: str
    """The same for all that lie in one storage."""
    complete: bool
    """Whether all of its cells were copied, so that they can be traced."""


class Origin(TypedDict):
    """How a tensor got its memory."""

    origin: Literal["given", "same", "view", "shared", "copy", "uninitialised", "new"]
    of: str
    """The name of the original; empty where there is none, or none any more."""
    line: int
    """Where the name was assigned."""


class ArrayFacts(Facts, Origin):
    """A variable that holds a tensor or an array."""

    tile: int


class ArrayValues(Facts):
    """A variable that holds a tensor or an array, with its values instead of a tile."""

    values: Any
    """Nested lists."""


class ValueFacts(TypedDict):
    """A variable that holds another value."""

    kind: Literal["value"]
    type: str
    text: str
    shape: None
    dtype: str
    strides: None
    values: Value | None
    storage: None


class OperandShape(TypedDict):
    """The shape of an operand, as a row of several that are aligned."""

    name: str
    sizes: list[int | None]
    """None where the operand has no such dimension."""


class Mismatch(TypedDict):
    """Shapes that do not fit."""

    rows: list[OperandShape]
    wrong: list[int]
    """Columns that do not match."""


class Replacement(TypedDict):
    """A proposed change of the script."""

    label: str
    start: int
    end: int
    text: str


class Fault(TypedDict):
    """What went wrong in a script; offsets count characters."""

    line: int
    start: int
    end: int
    message: str
    explanation: str
    alignment: Mismatch | None
    fix: Replacement | None
    """The first one of the fixes."""
    fixes: list[Replacement]


class Dimension(TypedDict):
    """The size of an operand along a dimension of the result; None where it has no such dimension."""

    size: int | None
    stretched: bool


class Picture(TypedDict):
    """How to draw an operation."""

    kind: Literal["call", "pick", "products", "sign"]
    word: str
    group: str
    stretched: NotRequired[list[list[Dimension]]]
    """For each operand; absent where none is broadcast."""


class Input(TypedDict):
    """A tensor that is read; its name is empty where it has none."""

    name: str
    tile: int


_From = TypedDict("_From", {"from": Links})


class Result(_From):
    """A result of an operation; `from` has its links, by the position of the input."""

    tile: int


class Output(_From):
    """A result of a statement; `from` has its links, by the name of the input."""

    name: str
    tile: int
    changed: bool
    """Whether it was there before, and changed in place."""


class StepOperation(TypedDict):
    """One operation of a statement."""

    source: str
    name: str
    inputs: list[Input]
    outputs: list[Result]
    picture: Picture


class Step(TypedDict):
    """A statement."""

    line: int
    start: int
    end: int
    source: str
    times: int
    """How often it ran."""
    shown: int
    """Which of these runs is reported, from 1: the last one that was recorded."""
    failed: bool
    reason: Missing
    """Why the sources of the cells are missing."""
    inputs: list[Input]
    outputs: list[Output]
    operations: list[StepOperation]
    notes: list[str]
    picture: Picture | None


class Summary(TypedDict):
    """The result of a script, without its statements."""

    names: dict[str, ArrayValues | ValueFacts]
    output: str
    figures: list[FigurePlots]
    warnings: list[str]
    error: Fault | None


class Report(TypedDict):
    """The report on a script."""

    names: dict[str, ArrayFacts | ValueFacts]
    output: str
    figures: list[FigurePlots]
    warnings: list[str]
    error: Fault | None
    steps: list[Step]
    tiles: list[Tile]


def summary(execution: Execution) -> Summary:
    """Report the result of a script, without its statements."""
    arrays = _final_arrays(execution)
    names: dict[str, ArrayValues | ValueFacts] = {}
    for name, facts in _names(execution, arrays).items():
        names[name] = facts if facts["kind"] == "value" else {**facts, "values": nested(arrays[name].values)}
    return {"names": names, "output": execution.output, "figures": execution.figures.report(), "warnings": execution.warnings, "error": _fault(execution)}


def _final_arrays(execution: Execution) -> dict[str, Snapshot]:
    return {name: snapshot(array) for name, array in named_arrays(execution.names)}


def _head(node: ast.stmt) -> ast.AST:
    """Return the part of a statement that is shown for it: of a compound one what it evaluates itself."""
    if isinstance(node, ast.For):
        return node.iter
    if isinstance(node, ast.Match):
        return node.subject
    return node.test if isinstance(node, (ast.If, ast.While)) else node


def _turns(statement: Statement, runs: int) -> int:
    """Return a number of a statement's runs; of a loop its turns, without the evaluation of what it iterates over."""
    return max(1, runs - isinstance(statement.node, ast.For))


def _names(execution: Execution, arrays: dict[str, Snapshot]) -> dict[str, Facts | ValueFacts]:
    """Return what each variable of a script holds; the arrays in a list or tuple follow it."""
    storages = _storages(arrays)
    facts = {name: _facts(part, storages[name]) for name, part in arrays.items()}
    names: dict[str, Facts | ValueFacts] = {}
    for name, value in execution.names.items():
        if (name == "device" and name in execution.predefined) or isinstance(value, Own):
            names |= {full: facts[full] for full in facts if full.startswith(f"{name}.")}
            continue
        if name in arrays:
            names[name] = facts[name]
        else:
            names[name] = _plain_facts(value)
            names |= {full: facts[full] for full in facts if full.startswith(f"{name}[")}
    return names


def _fault(execution: Execution) -> Fault | None:
    """Return the error of a script, explained."""
    if execution.error is None:
        return None
    explained = explain(execution.error, execution.source)
    alignment: Mismatch | None = None
    if explained.alignment:
        rows: list[OperandShape] = [{"name": row.name, "sizes": list(row.sizes)} for row in explained.alignment.rows]
        alignment = {"rows": rows, "wrong": list(explained.alignment.wrong)}
    fixes: list[Replacement] = [{"label": fix.label, "start": fix.start, "end": fix.end, "text": fix.text} for fix in explained.fixes]
    return {
        "line": explained.span.line, "start": explained.span.start, "end": explained.span.end, "message": explained.message,
        "explanation": explained.explanation, "alignment": alignment, "fix": fixes[0] if fixes else None, "fixes": fixes,
    }  # fmt: skip


def report(execution: Execution) -> Report:
    """Report the execution for the X-ray: its result and its statements, with tiles in place of the values."""
    assert isinstance(execution.tracer, StatementTracer)
    arrays = _final_arrays(execution)
    held, fault = _names(execution, arrays), _fault(execution)
    writer = _Writer(execution)
    with undisturbed():
        statements = list(execution.tracer.statements.values())
        writer.skip(statements[:-MAX_STATEMENTS])
        steps = [writer.step(statement) for statement in statements[-MAX_STATEMENTS:]]
    names: dict[str, ArrayFacts | ValueFacts] = {}
    for name, facts in held.items():
        if facts["kind"] == "value":
            names[name] = facts
        else:
            names[name] = {**facts, **_current_origin(writer.origins.get(name, GIVEN), held, facts), "tile": writer.tile(arrays[name])}
    return {
        "names": names, "output": execution.output, "figures": execution.figures.report(), "warnings": execution.warnings, "error": fault,
        "steps": [step for step in steps if step["outputs"] or step["failed"]], "tiles": writer.tiles,
    }  # fmt: skip


def _facts(part: Snapshot, storage: str) -> Facts:
    return {
        "kind": part.kind, "shape": list(part.shape), "dtype": part.dtype, "device": part.device, "strides": list(part.strides), "offset": part.offset,
        "contiguous": part.contiguous, "requires_grad": part.requires_grad, "storage": storage, "complete": part.complete,
    }  # fmt: skip


class _ShortRepr(reprlib.Repr):
    """Formats Python values as `repr` does, abbreviated where they are long or deeply nested."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlist = self.maxtuple = 40
        self.maxstring = self.maxother = self.maxlong = MAX_TEXT
        self.maxlevel = 3


def _plain_facts(value: Any) -> ValueFacts:
    kind = type(value).__name__
    holds_arrays = isinstance(value, (list, tuple)) and any(True for _ in named_arrays({"": value}))
    text = msg("{kind} of {length}", kind=kind, length=len(value)) if holds_arrays else _ShortRepr().repr(value)[:MAX_TEXT]
    is_json = isinstance(value, (bool, int, type(None))) or (isinstance(value, float) and math.isfinite(value))
    values = value if is_json else value[:MAX_TEXT] if isinstance(value, str) else text
    return {"kind": "value", "type": kind, "text": text, "shape": None, "dtype": kind, "strides": None, "values": values, "storage": None}


def _current_origin(origin: Origin, names: dict[str, Facts | ValueFacts], facts: Facts) -> Origin:
    """Return the origin, without the name of the other tensor if that name now has another one."""
    shares = origin["origin"] in ("view", "same", "shared")
    other = names.get(origin["of"])
    return {**origin, "of": ""} if shares and (other is None or other["storage"] != facts["storage"]) else origin


def _storages(arrays: dict[str, Snapshot]) -> dict[str, str]:
    """Return a storage identifier for each name, the same for all tensors that lie in one storage."""
    groups: list[list[str]] = []
    for name, part in sorted(arrays.items(), key=lambda item: (item[1].device, item[1].start)):
        last = groups[-1] if groups else []
        if any(arrays[other].overlaps(part) or (arrays[other].address == part.address and part.cells) for other in last):
            last.append(name)
        else:
            groups.append([name])
    order = sorted(groups, key=lambda group: min(list(arrays).index(name) for name in group))
    return {name: f"s{index + 1}" for index, group in enumerate(order) for name in group}


class _Writer:
    """Writes statements as plain data; equal tiles are written once."""

    def __init__(self, execution: Execution) -> None:
        self.tiles: list[Tile] = []
        self.origins: dict[str, Origin] = {}
        """By name."""
        self._script = Script(execution.source)
        self._deadline = Deadline(LINEAGE_SHARE * environment.script_seconds())
        self._tile_indices: dict[Any, int] = {}
        self._links_left = MAX_LINKS

    def tile(self, part: Snapshot) -> int:
        """Return the index of the snapshot's tile; append the tile if it is new."""
        key = (part.kind, part.shape, part.strides, part.address, part.dtype, _bytes(part.visible_values))
        if key not in self._tile_indices:
            self._tile_indices[key] = len(self.tiles)
            self.tiles.append(tile(part))
        return self._tile_indices[key]

    def skip(self, statements: list[Statement]) -> None:
        """Set the origins of the names that these statements assign, and write no steps."""
        for statement in statements:
            for name, part in statement.outputs.items():
                self.origins[name] = self._origin(name, part, statement, {}, statement.inputs)

    def step(self, statement: Statement) -> Step:
        """Return a statement with its inputs, its outputs and their sources, and its operations."""
        traced = lineage(statement, self._deadline)
        span = self._script.span(_head(statement.node))
        before = {**statement.previous, **statement.inputs}
        used = {name for sources in traced.outputs.values() for name in sources} | statement.inputs.keys()
        inputs = {name: part for name, part in before.items() if name in used}
        for name, part in statement.outputs.items():
            self.origins[name] = self._origin(name, part, statement, traced.outputs.get(name, {}), inputs)
        main = next((operation for operation in reversed(statement.operations) if operation.outputs), None)
        return {
            "line": span.line, "start": span.start, "end": span.end, "source": self._script.source[span.start : span.end],
            "times": _turns(statement, statement.count), "shown": _turns(statement, statement.run), "failed": statement.failed, "reason": traced.reason,
            "inputs": [{"name": name, "tile": self.tile(part)} for name, part in inputs.items()],
            "outputs": [
                {
                    "name": name,
                    "tile": self.tile(part),
                    "changed": name in statement.previous,
                    "from": self._cells(part, traced.outputs.get(name, {}), inputs),
                }
                for name, part in statement.outputs.items()
            ],
            "operations": self._operations(statement, traced),
            "notes": list(dict.fromkeys(note for operation in statement.operations for note in notes(operation))),
            "picture": _picture(main) if main else None,
        }  # fmt: skip

    def _operations(self, statement: Statement, traced: Lineage) -> list[StepOperation]:
        names = {part.key: name for name, part in {**statement.previous, **statement.inputs}.items()}  # later also the source of an intermediate result
        written: list[StepOperation] = []
        for operation, step in zip(statement.operations, [*traced.operations, *(None,) * len(statement.operations)], strict=False):
            if not operation.outputs:
                continue
            text = self._script.text(operation.node)
            inputs: list[Input] = [{"name": names.get(part.key, ""), "tile": self.tile(part)} for part in operation.inputs]
            outputs: list[Result] = []
            start = 0
            for part in operation.outputs:
                rows = slice(start, start + part.cells)
                start = rows.stop
                sources = {str(index): matrix[rows] for index, matrix in (step or {}).items()}
                cells = self._cells(part, sources, {str(index): earlier for index, earlier in enumerate(operation.inputs)})
                outputs.append({"tile": self.tile(part), "from": cells})
            for part in operation.outputs:
                names.setdefault(part.key, text)
            written.append({"source": text, "name": operation.entry.name, "inputs": inputs, "outputs": outputs, "picture": _picture(operation)})
        return written

    def _cells(self, part: Snapshot, sources: Sources, inputs: dict[str, Snapshot]) -> Links:
        """Return for each visible cell the visible source cells of each input; nothing once `MAX_LINKS` are written."""
        result = {}
        for name, matrix in sources.items():
            visible = inputs[name].visible_cells
            positions = np.full(inputs[name].cells, -1)
            positions[visible] = np.arange(len(visible))
            rows = matrix[part.visible_cells].tocsr()
            rows.sort_indices()
            columns = positions[rows.indices]
            self._links_left -= len(columns)
            if self._links_left < 0:
                return {}
            result[name] = [[int(cell) for cell in columns[start:end] if cell >= 0] for start, end in pairwise(rows.indptr)]
        return result

    def _origin(self, name: str, part: Snapshot, statement: Statement, sources: Sources, inputs: dict[str, Snapshot]) -> Origin:
        """Return how the tensor got its memory: shared with another name, copied from it, or new."""
        line = self._script.span(statement.node).line
        if name in statement.previous:
            return {**self.origins.get(name, GIVEN), "line": line}
        uninitialised = bool(statement.operations) and statement.operations[-1].entry.short in UNINITIALISED
        for other, earlier in inputs.items():
            if earlier.key == part.key:
                return {"origin": "same", "of": other, "line": line}
        for other, earlier in inputs.items():
            if other != name and earlier.overlaps(part):
                return {"origin": "view" if earlier.kind == part.kind else "shared", "of": other, "line": line}
        others = [other for other in sources if other != name]
        if others and is_copy(part, sources, inputs):
            return {"origin": "copy", "of": others[0], "line": line}
        return {"origin": "uninitialised" if uninitialised else "new", "of": "", "line": line}


def _picture(operation: Operation) -> Picture:
    """Return how to draw an operation: as sums of products, as an index, with an operator's sign, or as a call; and which operands are broadcast."""
    entry = operation.entry
    sign = entry.name.rstrip("=") if entry.name.endswith("=") and entry.name not in ("==", "!=", "<=", ">=", "[]=") else entry.name
    picture: Picture = {"kind": "call", "word": entry.short, "group": entry.group}
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


def _stretched(shapes: list[tuple[int, ...]], result: tuple[int, ...]) -> list[list[Dimension]]:
    """Return for each operand and each dimension of the result the operand's size, and whether it is broadcast."""
    rows: list[list[Dimension]] = []
    for shape in shapes:
        padded: list[int | None] = [*(None,) * (len(result) - len(shape)), *shape]
        rows.append([{"size": size, "stretched": (1 if size is None else size) != wide} for size, wide in zip(padded, result, strict=False)])
    return rows


def tile(part: Snapshot) -> Tile:
    """Return the tile of a snapshot."""
    return {
        "kind": part.kind, "shape": list(part.shape), "shown": list(part.visible_shape), "strides": list(part.strides), "offset": part.offset,
        "contiguous": part.contiguous, "dtype": part.dtype, "device": part.device, "itemsize": part.itemsize,
        "first": (part.address - part.start) // part.itemsize, "slots": (part.end - part.start) // part.itemsize,
        "values": [_number(value) for value in part.visible_values.reshape(-1).tolist()],
    }  # fmt: skip


def nested(values: torch.Tensor) -> Any:
    """Convert a tensor to nested lists of JSON values."""

    def clean(value: Any) -> Any:
        return [clean(part) for part in value] if isinstance(value, list) else _number(value)

    return clean(values.tolist())


def _bytes(values: torch.Tensor) -> bytes:
    return values.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if values.numel() else b""


def _number(value: Any) -> Value:
    """Convert a number to a JSON value; non-finite and complex numbers, and integers too long for JavaScript, to text."""
    if isinstance(value, complex):
        return f"{value.real:g}{value.imag:+g}j"
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if isinstance(value, bool) or abs(value) < 2**53 else str(value)
