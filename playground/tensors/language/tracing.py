"""What a script did: for each statement the operations that PyTorch performed, and the values before and after.

Only recorded here, while the script runs; which input made which output is found out afterwards (lineage.py).
A statement that runs many times is remembered as it ran last.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from playground.tensors.language.calls import Call, Entry, arrays_in
from playground.tensors.language.memory import Array, Snapshot, key_of, snapshot

OPERATIONS = 40
"""Operations of one statement that are remembered."""


@dataclass(frozen=True)
class Slot:
    """Stands in an operation's arguments for one of its inputs."""

    index: int


@dataclass(frozen=True)
class Operation:
    """One operation as it was performed; it can be performed again on other values."""

    entry: Entry
    node: ast.AST
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    """Arguments with a `Slot` in place of each array."""
    inputs: tuple[Snapshot, ...]
    mutated: tuple[int, ...]
    """Which inputs it changed in place."""
    outputs: tuple[Snapshot, ...]
    """The arrays in its result; then the inputs that it changed, as they were afterwards."""

    def perform(self, arrays: list[Array]) -> list[Array]:
        """Do it again on other arrays of the same shapes; returns the arrays that `outputs` describes.

        The arrays given may be changed.
        """
        result = self.entry.function(*_filled(self.args, arrays), **_filled(dict(self.kwargs), arrays))
        return [*arrays_in(result), *(arrays[index] for index in self.mutated)]


@dataclass
class Statement:
    """One statement, as it ran last."""

    node: ast.stmt
    times: int = 0
    read: dict[str, Snapshot] = field(default_factory=dict)
    """Named arrays that it read, as they were before."""
    operations: list[Operation] = field(default_factory=list)
    made: dict[str, Snapshot] = field(default_factory=dict)
    """Named arrays that it assigned or changed, as they were afterwards."""
    changed: dict[str, Snapshot] = field(default_factory=dict)
    """Of those, the ones that existed before and were changed in place, as they were before."""
    failed: bool = False


class Tracer:
    """Records statements while they run."""

    def __init__(self) -> None:
        self.statements: dict[ast.stmt, Statement] = {}
        """In the order in which they ran last."""
        self.known: dict[str, Snapshot] = {}
        """Every named array, and every array in a named list, as it is now."""
        self._current: Statement | None = None
        self._earlier: Statement | None = None  # the same statement as it ran before

    def start(self, names: Mapping[str, Any]) -> None:
        """The script begins with these names."""
        self.known = {name: snapshot(array) for name, array in named_arrays(names)}

    def begin(self, node: ast.stmt) -> None:
        """A statement begins."""
        self._earlier = self.statements.pop(node, None)
        self._current = self.statements[node] = Statement(node, times=(self._earlier.times if self._earlier else 0) + 1)

    def end(self, names: Mapping[str, Any]) -> None:
        """A statement ended: find out which names it assigned or changed."""
        assert self._current is not None
        now = dict(named_arrays(names))
        for name in self.known.keys() - now.keys():
            del self.known[name]
        foreign = [known for known in self.known.values() if known.kind == "array"]
        for name, array in now.items():
            before = self.known.get(name)
            if before is not None and before.key == key_of(array) and not _may_have_changed(before, array, foreign):
                continue
            after = snapshot(array)
            if before is not None and before.key == after.key and _same(before, after):
                continue
            self._current.made[name] = self.known[name] = after
            if before is not None and before.key == after.key:
                self._current.changed[name] = before
        self._current = None

    def take_back(self) -> None:
        """The statement that began had nothing to do: a loop at its end."""
        if self._current is not None:
            del self.statements[self._current.node]
            if self._earlier is not None:
                self.statements[self._earlier.node] = self._earlier
        self._current = None

    def fail(self) -> None:
        """The statement that runs does not come to its end."""
        if self._current is not None:
            self._current.failed = True

    def read(self, name: str, value: Any) -> None:
        """A name is read."""
        if self._current is not None:
            for full, _array in named_arrays({name: value}):
                if full in self.known:
                    self._current.read.setdefault(full, self.known[full])

    def perform(self, call: Call, node: ast.AST, do: Callable[[Call], Any]) -> Any:
        """Have the call done, and record it."""
        arrays = call.arrays
        if self._current is None or len(self._current.operations) >= OPERATIONS:
            return do(call)
        before = tuple(snapshot(array) for array in arrays)
        places = iter(range(len(arrays)))
        args, kwargs = _emptied(call.args, places), _emptied(dict(call.kwargs), places)
        result = do(call)
        made = list(arrays_in(result))
        mutated = tuple(index for index, (array, old) in enumerate(zip(arrays, before, strict=True)) if _was_changed(old, array))
        if arrays or made:
            after = tuple(snapshot(array) for array in (*made, *(arrays[index] for index in mutated)))
            self._current.operations.append(Operation(call.entry, node, args, kwargs, before, mutated, after))
        return result


def named_arrays(names: Mapping[str, Any]) -> Iterator[tuple[str, Array]]:
    """Every array by its name; an array in a list or tuple by its place in it: `parts[0]`."""
    for name, value in names.items():
        if isinstance(value, (torch.Tensor, np.ndarray)):
            yield name, value
        elif isinstance(value, (list, tuple)) and len(value) <= OPERATIONS:
            yield from ((f"{name}[{index}]", part) for index, part in enumerate(value) if isinstance(part, (torch.Tensor, np.ndarray)))


def _may_have_changed(before: Snapshot, array: Array, foreign: list[Snapshot]) -> bool:
    """PyTorch counts in-place changes; NumPy does not, and may hold the tensor's memory."""
    if isinstance(array, np.ndarray):
        return True
    return bool(array._version != before.version or array.requires_grad != before.requires_grad or any(before.overlaps(other) for other in foreign))


def _was_changed(old: Snapshot, array: Array) -> bool:
    if isinstance(array, torch.Tensor):
        return bool(array._version != old.version)
    return not _same(old, snapshot(array))


def _same(one: Snapshot, other: Snapshot) -> bool:
    same_form = all(getattr(one, name) == getattr(other, name) for name in ("shape", "strides", "dtype", "address", "requires_grad"))
    return same_form and equal_values(one.values, other.values)


def equal_values(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors of the same shape hold the same values; NaN is the same as NaN."""
    return bool(torch.equal(one, other) or torch.allclose(one.to(torch.complex128), other.to(torch.complex128), rtol=0, atol=0, equal_nan=True))


def _emptied(value: Any, places: Iterator[int]) -> Any:
    """The value with a slot in place of each array, in the order of `arrays_in`."""
    return _mapped(value, lambda part: Slot(next(places)) if isinstance(part, (torch.Tensor, np.ndarray)) else part)


def _filled(value: Any, arrays: list[Array]) -> Any:
    return _mapped(value, lambda part: arrays[part.index] if isinstance(part, Slot) else part)


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        parts = [_mapped(part, change) for part in value]
        return parts if isinstance(value, list) else tuple(parts)
    if isinstance(value, dict):
        return {name: _mapped(part, change) for name, part in value.items()}
    if isinstance(value, slice):
        return slice(_mapped(value.start, change), _mapped(value.stop, change), _mapped(value.step, change))
    return change(value)
