"""Records what a script does: for each statement its operations, and the values before and after.

Which input cells an output was computed from is determined afterwards (`xray/lineage.py`).
Of a statement that runs several times, the last run is recorded.
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
    """The last run of one statement."""

    node: ast.stmt
    count: int = 0
    """How often the statement ran."""
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

    def start(self, names: Mapping[str, Any]) -> None:
        """Begin the script; `names` always has the current values."""

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

    def perform(self, call: Call, node: ast.AST, do: Callable[[Call], Any]) -> Any:  # noqa: ARG002 (subclasses record the node)
        """Return `do(call)`."""
        return do(call)


class StatementTracer(Tracer):
    """Records the statements of a script with their operations."""

    def __init__(self) -> None:
        self.statements: dict[ast.stmt, Statement] = {}
        """In the order of their last runs."""
        self._snapshots: dict[str, Snapshot] = {}  # of every named array
        self._current: Statement | None = None
        self._earlier: Statement | None = None  # the previous run of the current statement
        self._latest: dict[int, Snapshot] = {}  # of every array of the current statement, by its key
        self._written: list[Snapshot] = []  # memory that the current statement wrote to, under whatever name
        self._missed = False  # whether there were more operations than are recorded

    def start(self, names: Mapping[str, Any]) -> None:
        self._snapshots = {name: snapshot(array) for name, array in named_arrays(names)}

    def begin(self, node: ast.stmt) -> None:
        self._earlier = self.statements.pop(node, None)
        self._current = self.statements[node] = Statement(node, count=(self._earlier.count if self._earlier else 0) + 1)
        self._latest, self._written, self._missed = {}, [], False

    def end(self, names: Mapping[str, Any]) -> None:
        """Record which named arrays the statement assigned or changed."""
        assert self._current is not None
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
        if self._current is not None:
            self._current.failed = True

    def discard(self) -> None:
        """Restore the previous run of the statement."""
        if self._current is not None:
            del self.statements[self._current.node]
            if self._earlier is not None:
                self.statements[self._earlier.node] = self._earlier
        self._current = None

    def read(self, name: str, value: Any) -> None:
        if self._current is not None:
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
        results = list(arrays_in(result))
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
