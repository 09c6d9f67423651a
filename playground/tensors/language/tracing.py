"""Records what a script does: for each statement its operations, and the values before and after.

Which input cells an output was computed from is determined afterwards (`xray/lineage.py`). Of a statement that runs several times, the last
recorded run is kept: in a long loop only the turns are recorded that may be the last.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import torch

from playground.tensors.language.calls import Call, Entry, arrays_in
from playground.tensors.language.classes import Instance, tensors
from playground.tensors.language.memory import Array, Snapshot, key_of, snapshot, version_of
from playground.tensors.language.objects import Layer

MAX_OPERATIONS = 40
"""Operations of one statement that are recorded, and elements of a named list."""
FIRST_RUNS, FIRST_RUNS_BEFORE_LAST = 100, 2
"""Runs of a statement that are all recorded: where any turn of the loops around it may be the last, and where a turn is known not to be."""
RUNS_OF_EACH_DOUBLING = 2
"""Of the later runs, how many are recorded before their number has doubled."""
UNCOUNTED = frozenset(("batch_norm", "BatchNorm1d", "BatchNorm2d", "InstanceNorm2d", "Sequential"))
"""Operations that write into their arguments without PyTorch counting it."""


@dataclass(frozen=True)
class Slot:
    """Placeholder in an operation's arguments for one of its inputs."""

    index: int


@dataclass(frozen=True)
class Operation:
    """One operation of a script, which can be performed again on other values."""

    entry: Entry
    node: ast.AST
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    """The arguments have a `Slot` in place of each array."""
    inputs: tuple[Snapshot, ...]
    mutated: tuple[int, ...]
    """Indices of the inputs that it changed in place."""
    outputs: tuple[Snapshot, ...]
    """The arrays in the result, then the changed inputs."""

    def perform(self, arrays: list[Array]) -> list[Array]:
        """Perform the operation on other arrays of the same shapes, which it may change in place.

        Returns:
            Arrays in the order of `outputs`.
        """
        result = self.entry.function(*_fill_slots(self.args, arrays), **_fill_slots(dict(self.kwargs), arrays))
        return [*arrays_in(result), *(arrays[index] for index in self.mutated)]


@dataclass
class Statement:
    """The last recorded run of one statement."""

    node: ast.stmt
    count: int = 0
    """How often the statement ran."""
    run: int = 0
    """Which of its runs is recorded, from 1."""
    inputs: dict[str, Snapshot] = field(default_factory=dict)
    """Named arrays that it read, before it ran."""
    operations: list[Operation] = field(default_factory=list)
    outputs: dict[str, Snapshot] = field(default_factory=dict)
    """Named arrays that it assigned or changed, after it ran."""
    previous: dict[str, Snapshot] = field(default_factory=dict)
    """Of the outputs that it changed in place: the arrays before it ran."""
    failed: bool = False


class Tracer:
    """Receives what the interpreter does, in its order; this one records nothing."""

    sees_parts = False
    """Whether it is shown the layers inside an `nn.Sequential` one by one."""

    def start(self, names: Mapping[str, Any]) -> None:
        """Begin the script; `names` always has the current values."""

    def enter_loop(self) -> None:
        """Begin a loop, inside those that have begun."""

    def turn(self, is_last: bool | None) -> None:
        """Begin an iteration of the innermost loop.

        Args:
            is_last: whether it is the loop's last one; None where that is not known.
        """

    def leave_loop(self) -> None:
        """End the innermost loop."""

    def begin(self, node: ast.stmt) -> None:
        """Begin a statement, or an iteration of a loop."""

    def end(self, names: Mapping[str, Any]) -> None:
        """End the statement."""

    def fail(self) -> None:
        """End the statement with an error."""

    def discard(self) -> None:
        """Forget that the statement began: a loop had no further iteration."""

    def read(self, name: str, value: Any) -> None:
        """Note that the statement reads a name."""

    def made(self, value: Any, node: ast.AST) -> None:
        """Note that the script made a layer, or an object of one of its classes."""

    def called(self, value: Any, name: str, node: ast.AST) -> None:
        """Note that the script calls a method of a layer, an optimizer or a scheduler."""

    def returned(self, module: Any, args: tuple[Any, ...], result: Any, node: ast.AST) -> None:
        """Note that a layer, or a network of the script, was called."""

    def perform(self, call: Call, node: ast.AST, do: Callable[[Call], Any]) -> Any:  # noqa: ARG002 (subclasses record the node)
        """Return `do(call)`."""
        return do(call)


class StatementTracer(Tracer):
    """Records the statements of a script with their operations."""

    def __init__(self) -> None:
        self.statements: dict[ast.stmt, Statement] = {}
        """In the order of their last runs."""
        self._names: Mapping[str, Any] = {}
        self._snapshots: dict[str, Snapshot] = {}  # of every named array
        self._turns: list[bool | None] = []  # of each loop around the current statement, whether its turn is the last
        self._current: Statement | None = None  # None during a run that is not recorded
        self._earlier: Statement | None = None  # the run of the current statement that was recorded before this one
        self._read: dict[str, Any] = {}  # by the current run, where it is not recorded
        self._is_behind = False  # whether statements have run since the snapshots were taken that were not recorded
        self._latest: dict[int, Snapshot] = {}  # of every array of the current statement, by its key
        self._written: list[Snapshot] = []  # memory that the current statement wrote to, under whatever name
        self._missed = False  # whether there were more operations than are recorded

    def start(self, names: Mapping[str, Any]) -> None:
        self.statements.clear()
        self._names = names  # the interpreter's own mapping, so that each look-up sees the current values
        self._take_snapshots()

    def _take_snapshots(self) -> None:
        self._snapshots = {name: snapshot(array) for name, array in named_arrays(self._names)}
        self._is_behind = False

    def enter_loop(self) -> None:
        self._turns.append(None)

    def turn(self, is_last: bool | None) -> None:
        self._turns[-1] = is_last

    def leave_loop(self) -> None:
        self._turns.pop()

    def _is_recorded(self, run: int) -> bool:
        """Return whether a run of a statement is recorded."""
        if all(self._turns) or run <= (FIRST_RUNS_BEFORE_LAST if False in self._turns else FIRST_RUNS):
            return True
        return run % (1 << run.bit_length() - RUNS_OF_EACH_DOUBLING.bit_length()) == 0

    def begin(self, node: ast.stmt) -> None:
        self._earlier = self.statements.pop(node, None)
        run = (self._earlier.count if self._earlier else 0) + 1
        if self._earlier and not self._is_recorded(run):
            self._earlier.count = run
            self.statements[node] = self._earlier
            self._current, self._is_behind, self._read = None, True, {}
            return
        if self._is_behind:
            self._take_snapshots()
        self._current = self.statements[node] = Statement(node, count=run, run=run)
        self._latest, self._written, self._missed = {}, [], False

    def end(self, names: Mapping[str, Any]) -> None:
        """Record which named arrays the statement assigned or changed."""
        if self._current is None:
            self._read = {}
            return
        arrays = dict(named_arrays(names))
        for name in self._snapshots.keys() - arrays.keys():
            del self._snapshots[name]
        for name, array in arrays.items():
            before = self._snapshots.get(name)
            if before is not None and before.key == key_of(array) and not self._may_have_changed(before, array):
                continue
            after = snapshot(array)
            if before is not None and before.key == after.key and _are_equal(before, after):
                continue
            self._current.outputs[name] = self._snapshots[name] = after
            if before is not None and before.key == after.key and before.shape == after.shape:
                self._current.previous[name] = before
        self._current = None

    def _may_have_changed(self, before: Snapshot, array: Array) -> bool:
        """Return whether the statement may have changed an array, perhaps under another name: through `.data`, or an array of NumPy that shares its memory."""
        if self._missed or any(map(before.overlaps, self._written)):
            return True
        if isinstance(array, np.ndarray):
            return False
        has_other_data = array.data_ptr() != before.address or tuple(array.shape) != before.shape
        return has_other_data or version_of(array) != before.version or array.requires_grad != before.requires_grad

    def fail(self) -> None:
        if self._current is None and self._earlier is not None:  # a failed run is always shown: what it read has its values still
            node, run = self._earlier.node, self._earlier.count
            inputs = {name: snapshot(array) for name, array in named_arrays(self._read)}
            self._current = self.statements[node] = Statement(node, run, run, inputs)
        if self._current is not None:
            self._current.failed = True
        self._current = self._earlier = None

    def discard(self) -> None:
        """Restore the previous run of the statement."""
        if self._current is not None:
            del self.statements[self._current.node]
            if self._earlier is not None:
                self.statements[self._earlier.node] = self._earlier
        elif self._earlier is not None:
            self._earlier.count -= 1
        self._current = self._earlier = None

    def read(self, name: str, value: Any) -> None:
        if self._current is None:
            self._read[name] = value
        else:
            for full_name, _array in named_arrays({name: value}):
                if full_name in self._snapshots:
                    self._current.inputs.setdefault(full_name, self._snapshots[full_name])

    def perform(self, call: Call, node: ast.AST, do: Callable[[Call], Any]) -> Any:
        """Return `do(call)`, and record the operation."""
        arrays = call.arrays
        if self._current is None or len(self._current.operations) >= MAX_OPERATIONS:
            self._missed = True
            return do(call)
        inputs = tuple(map(self._seen, arrays))
        indices = iter(range(len(arrays)))
        args, kwargs = _with_slots(call.args, indices), _with_slots(dict(call.kwargs), indices)
        result = do(call)
        results = arrays_in(result)
        is_counted = call.entry.short not in UNCOUNTED
        mutated = tuple(index for index, (array, before) in enumerate(zip(arrays, inputs, strict=True)) if _has_changed(before, array, is_counted))
        if mutated:
            self._written += [inputs[index] for index in mutated]
            self._latest.clear()
        if arrays or results:
            outputs = tuple(map(self._seen, (*results, *(arrays[index] for index in mutated))))
            self._current.operations.append(Operation(call.entry, node, args, kwargs, inputs, mutated, outputs))
        return result

    def _seen(self, array: Array) -> Snapshot:
        """Return a snapshot of an array: the one that was taken last, if the array is still the same."""
        known = self._latest.get(key_of(array)) if isinstance(array, torch.Tensor) and not array.is_inference() else None
        if known is None or (known.version, known.requires_grad, known.address) != (array._version, array.requires_grad, array.data_ptr()):
            known = self._latest[key_of(array)] = snapshot(array)
        return known


def named_arrays(names: Mapping[str, Any]) -> Iterator[tuple[str, Array]]:
    """Yield every array with its name; the elements of a list or tuple as `parts[0]`, of a dictionary as `parts['w']`."""
    for name, value in names.items():
        if isinstance(value, (torch.Tensor, np.ndarray)):
            yield name, value
        elif isinstance(value, Instance):
            yield from ((f"{name}.{part}", tensor) for part, tensor in islice(tensors(value), MAX_OPERATIONS))
        elif isinstance(value, Layer):
            yield from ((f"{name}.{part}", tensor) for part, tensor in value.tensors()[:MAX_OPERATIONS])
        elif isinstance(value, (list, tuple, dict)) and len(value) <= MAX_OPERATIONS:
            parts = value.items() if isinstance(value, dict) else enumerate(value)
            yield from ((f"{name}[{place!r}]", part) for place, part in parts if isinstance(part, (torch.Tensor, np.ndarray)) and isinstance(place, (int, str)))


def _has_changed(before: Snapshot, array: Array, is_counted: bool) -> bool:
    """Return whether an array has changed.

    Args:
        is_counted: whether PyTorch counts the changes of the operation.
    """
    if isinstance(array, torch.Tensor) and is_counted and not array.is_inference():
        return array._version != before.version
    return not _are_equal(before, snapshot(array))


def _are_equal(a: Snapshot, b: Snapshot) -> bool:
    same_form = all(getattr(a, name) == getattr(b, name) for name in ("shape", "strides", "dtype", "address", "requires_grad"))
    return same_form and equal_values(a.values, b.values)


def equal_values(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Return whether two tensors of the same shape have the same values; NaN equals NaN."""
    return torch.equal(a, b) or (a.dtype == b.dtype and bool(((a == b) | (a.isnan() & b.isnan())).all()))


def _with_slots(value: Any, indices: Iterator[int]) -> Any:
    """Replace each array in a value by a slot, in the order of `arrays_in`."""
    return _map(value, lambda part: Slot(next(indices)) if isinstance(part, (torch.Tensor, np.ndarray)) else part)


def _fill_slots(value: Any, arrays: list[Array]) -> Any:
    """Replace each slot in a value by its array."""
    return _map(value, lambda part: arrays[part.index] if isinstance(part, Slot) else part)


def _map(value: Any, change: Callable[[Any], Any]) -> Any:
    """Apply a function to each part of lists, tuples, slices and keyword arguments."""
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        parts = [_map(part, change) for part in value]
        return parts if isinstance(value, list) else tuple(parts)
    if isinstance(value, dict):
        return {name: _map(part, change) for name, part in value.items()}
    if isinstance(value, slice):
        return slice(_map(value.start, change), _map(value.stop, change), _map(value.step, change))
    return change(value)
