"""Determines from which input cells each output cell of an operation was computed, by performing the operation again on other values.

An operation that only moves cells is performed on distinct numbers: each number in the output identifies its input cell.
In other operations one input cell after another is changed: the output cells that change depend on it. These are the
nonzero entries of the Jacobian. The other cells have several sets of values, so that no dependence is missed: a product
is not tested at zero only, a maximum not only below its largest value.

Inputs that PyTorch accepts only as integers or booleans are indices or masks. They keep their values or exchange them.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from scipy import sparse

from playground import device
from playground.tensors.language import allowed
from playground.tensors.language.memory import COPIED_CELLS, Array, Snapshot, as_tensor
from playground.tensors.language.tracing import Operation

Relation = dict[int, Any]
"""For each traced input, by index, a sparse boolean matrix: cells of all outputs, one output after another × cells of the input."""

SPIKE = 1000.0
"""Value of a changed cell: beyond every clamp, comparison and maximum over ordinary values."""
FIRST_NUMBER = 1000
"""Smallest of the numbers that identify cells."""
FEW_CELLS = 32
"""Largest number of cells that are changed one by one without testing first whether the operation is elementwise."""
INDEX_VALUES = 24
"""Largest number of values that an index cell is changed to."""
SWAPS = 12
"""Largest number of cells that an index cell without visible effect is swapped with."""
BATCH_ELEMENTS = 2_000_000
"""Elements in one batch of changed inputs."""
SEED = 0
"""Of all random numbers; any seed will do, as long as it is the same whenever an operation is performed again."""
_MOVING_GROUPS = (allowed.CREATION, allowed.JOINING, allowed.CONVERSION)


class TooLarge(Exception):
    """There are too many cells, or the processor time is used up."""


class Deadline:
    """Limit on the processor time of tracing, in seconds."""

    def __init__(self, seconds: float) -> None:
        self._end = time.process_time() + seconds

    def check(self) -> None:
        """Raise `TooLarge` after the deadline."""
        if time.process_time() > self._end:
            raise TooLarge


def relation(operation: Operation, input_cells: dict[int, np.ndarray[Any, Any]], deadline: Deadline) -> Relation | None:
    """Return from which input cells each output cell was computed; None if the operation cannot be performed again.

    Args:
        input_cells: the cells to trace, by index of the input.
        deadline: limit on the processor time.

    Raises:
        TooLarge: there are too many cells, or it takes too long.
    """
    if any(part.cells > COPIED_CELLS for part in (*operation.inputs, *operation.outputs)):
        raise TooLarge
    if not operation.outputs or not input_cells:
        return {}
    probe = _probe(operation, deadline)
    if not probe.works:
        return None
    continuous = {index: cells for index, cells in input_cells.items() if index not in probe.discrete}
    discrete = {index: cells for index, cells in input_cells.items() if index in probe.discrete}
    is_move = operation.entry.group in _MOVING_GROUPS and not (operation.entry.group == allowed.CONVERSION and _is_coarse(operation))
    moves = probe.follow_moves(continuous) if is_move else None
    return {**(moves or probe.perturb(continuous)), **probe.exchange(discrete)}


def _probe(operation: Operation, deadline: Deadline) -> _Probe:
    """Return a probe in which as few inputs as possible are discrete: those that PyTorch does not accept as real numbers."""
    integers = frozenset(index for index, part in enumerate(operation.inputs) if not _is_continuous(part))
    probe = _Probe(operation, frozenset(), deadline)
    if probe.works or not integers:
        return probe
    discrete = integers
    if len(integers) > 1:
        discrete = frozenset(index for index in integers if not _Probe(operation, integers - {index}, deadline).works)
    return _Probe(operation, discrete, deadline)


def _is_coarse(operation: Operation) -> bool:
    """Whether the result has too few values to tell moved cells apart: it was cast to booleans or bytes."""
    return any(part.dtype in ("bool", "uint8", "int8") for part in operation.outputs)


def _is_continuous(part: Snapshot) -> bool:
    return part.values.dtype.is_floating_point or part.values.dtype.is_complex


class _Probe:
    """Performs one operation repeatedly on other values.

    Args:
        operation: the operation to perform.
        discrete: indices of the inputs that keep their values, or exchange them among themselves.
        deadline: limit on the processor time.
    """

    def __init__(self, operation: Operation, discrete: frozenset[int], deadline: Deadline) -> None:
        self.operation, self.discrete, self._deadline = operation, discrete, deadline
        self._random = np.random.default_rng(SEED)
        self._is_random = operation.entry.group == allowed.RANDOM or operation.entry.short in ("dropout", "choice")
        self._sizes = [part.cells for part in operation.outputs]
        random = self._random_values()
        zeros = [np.zeros(part.shape) for part in operation.inputs]
        actual = [part.values.numpy() if part.values.dtype.is_complex else part.values.to(torch.float64).numpy() for part in operation.inputs]
        self._bases = [base for base in (random, zeros) if self.perform(base) is not None] or [base for base in (actual,) if self.perform(base) is not None]
        self.works = bool(self._bases)

    def perform(self, values: list[np.ndarray[Any, Any]], discrete: dict[int, torch.Tensor] | None = None) -> np.ndarray[Any, Any] | None:
        """Return the cells of all outputs, one output after another; None if PyTorch raises an error or the shapes change.

        Args:
            values: of all inputs; those of discrete ones are ignored.
            discrete: values of discrete inputs, by index; else they keep theirs.
        """
        arrays: list[Array] = []
        for index, (part, value) in enumerate(zip(self.operation.inputs, values, strict=True)):
            tensor = (discrete or {}).get(index, part.values).clone() if index in self.discrete else torch.from_numpy(np.array(value))
            arrays.append(np.array(tensor.numpy()) if part.kind == "array" else tensor)
        try:
            results = self._perform(arrays)
        except Exception:
            return None
        if [tuple(result.shape) for result in results] != [part.shape for part in self.operation.outputs]:
            return None
        return _flatten(results)

    def follow_moves(self, input_cells: dict[int, np.ndarray[Any, Any]]) -> Relation | None:
        """Number all cells, and find the numbers in the output; None if the operation does more than move cells."""
        starts = np.cumsum([0, *(part.cells for part in self.operation.inputs)])
        sources = []
        for _ in range(3):
            order = self._random.permutation(starts[-1])
            numbers = np.arange(FIRST_NUMBER, FIRST_NUMBER + starts[-1], dtype=np.float64)[order]
            values = [numbers[start : start + part.cells].reshape(part.shape) for start, part in zip(starts, self.operation.inputs, strict=False)]
            outputs = self.perform(values)
            if outputs is None or np.iscomplexobj(outputs):
                return None
            inverse = np.argsort(order)
            moved = (outputs >= FIRST_NUMBER) & (outputs < FIRST_NUMBER + starts[-1]) & (outputs == np.floor(outputs))
            sources.append(np.where(moved, inverse[np.where(moved, outputs - FIRST_NUMBER, 0).astype(np.int64)], -1))
        if not all(np.array_equal(sources[0], other) for other in sources[1:]) or not self._are_constant(sources[0] < 0):
            return None
        return {index: _selection(sources[0] - starts[index], cells, self.operation.inputs[index].cells) for index, cells in input_cells.items()}

    def perturb(self, input_cells: dict[int, np.ndarray[Any, Any]]) -> Relation:
        """Change one input cell after another, and observe which outputs change."""
        result = {}
        for index, cells in input_cells.items():
            count = self.operation.inputs[index].cells
            if len(cells) > FEW_CELLS and (sources := self._elementwise_sources(index)) is not None:
                result[index] = _selection(sources, cells, count)
                continue
            rows = np.zeros((len(cells), sum(self._sizes)), dtype=bool)
            for base in self._bases:
                for target in self._targets():
                    rows |= self._changed(base, index, cells, target)
            if not rows.any():
                rows |= self._changed(self._bases[0], index, cells, np.nan) | self._changed(self._bases[0], index, cells, np.inf)
            result[index] = _matrix(rows, cells, count)
        return result

    def _elementwise_sources(self, index: int) -> np.ndarray[Any, Any] | None:
        """Return for each output cell the input cell at the same position after broadcasting, or -1; None if the operation is not elementwise.

        Tested by changing random halves of the input cells: no output cell outside may change.
        """
        part = self.operation.inputs[index]
        try:
            positions = [np.broadcast_to(np.arange(part.cells).reshape(part.shape), output.shape).reshape(-1) for output in self.operation.outputs]
        except ValueError:
            return None
        sources = np.concatenate(positions)
        depends = np.zeros(len(sources), dtype=bool)
        for base in self._bases:
            before = self.perform(base)
            for target in self._targets():
                half = self._random.random(part.shape) < 0.5
                for changed in (half, ~half):
                    after = self.perform([*base[:index], np.where(changed, target, base[index]), *base[index + 1 :]])
                    if before is None or after is None:
                        return None
                    differs = _differ(before, after)
                    if (differs & ~changed.reshape(-1)[sources]).any():
                        return None
                    depends |= differs
        return np.where(depends, sources, -1)

    def exchange(self, input_cells: dict[int, np.ndarray[Any, Any]]) -> Relation:
        """Change one cell of an index or mask after another to other valid values, and observe which outputs change."""
        result = {}
        for index, cells in input_cells.items():
            part = self.operation.inputs[index]
            rows = np.zeros((len(cells), sum(self._sizes)), dtype=bool)
            for context in self._contexts():
                for row, cell in enumerate(cells):
                    self._deadline.check()
                    rows[row] |= self._changed_by_exchange(context, index, int(cell))
            self._swap_cells_without_effect(rows, index, cells)
            result[index] = _matrix(rows, cells, part.cells)
        return result

    def _swap_cells_without_effect(self, rows: np.ndarray[Any, Any], index: int, cells: np.ndarray[Any, Any]) -> None:
        """Swap each cell that changed nothing with one that did: every other value would change the shape, as for the largest label of `one_hot`."""
        values = self.operation.inputs[index].values
        random = self._random_values()
        before = self.perform(random)
        flat = values.reshape(-1)
        effective = np.nonzero(rows.any(axis=1))[0]
        for row in np.nonzero(~rows.any(axis=1))[0]:
            self._deadline.check()
            for partner in effective[:SWAPS]:
                a, b = int(cells[row]), int(cells[partner])
                if flat[a] == flat[b]:
                    continue
                swapped = flat.clone()
                swapped[a], swapped[b] = flat[b], flat[a]
                after = self.perform(random, {**self._discrete_values(), index: swapped.reshape(values.shape)})
                if before is not None and after is not None:
                    rows[row] |= _differ(before, after) & ~rows[partner]

    def _discrete_values(self) -> dict[int, torch.Tensor]:
        return {index: self.operation.inputs[index].values for index in self.discrete}

    def _changed_by_exchange(self, context: dict[int, torch.Tensor], index: int, cell: int) -> np.ndarray[Any, Any]:
        """Return which output cells change with one cell of a discrete input."""
        random = self._random_values()
        before = self.perform(random, context)
        changes = np.zeros(sum(self._sizes), dtype=bool)
        flat = context[index].reshape(-1)
        for value in self._other_values(index, flat[cell].item()):
            changed = flat.clone()
            changed[cell] = value
            after = self.perform(random, {**context, index: changed.reshape(context[index].shape)})
            if before is not None and after is not None:
                changes |= _differ(before, after)
        return changes

    def _other_values(self, index: int, value: Any) -> list[Any]:
        """Return values to change an index cell to: others of its tensor, the neighbours of its value, and all indices of a dimension."""
        values = self.operation.inputs[index].values
        if values.dtype is torch.bool:
            return [not value]
        largest_size = max((size for part in (*self.operation.inputs, *self.operation.outputs) for size in part.shape), default=0)
        indices = range(min(largest_size, INDEX_VALUES)) if values.numel() <= FEW_CELLS else ()
        return sorted({*torch.unique(values)[:4].tolist(), max(0, value - 1), value + 1, *indices} - {value})

    def _contexts(self) -> list[dict[int, torch.Tensor]]:
        """Return values of all indices and masks: their own; for booleans also all true and all false, for integers all −1, where valid."""
        own_values = self._discrete_values()
        contexts = [own_values]
        for fill in (True, False):
            filled = {index: torch.full_like(values, fill) if values.dtype is torch.bool else values for index, values in own_values.items()}
            if self.perform(self._random_values(), filled) is not None:
                contexts.append(filled)
        if not any(values.dtype is torch.bool for values in own_values.values()):
            ones = {index: torch.full_like(values, -1) for index, values in own_values.items()}  # all bits set, so that no bit is masked by `&`
            if self.perform(self._random_values(), ones) is not None:
                contexts.append(ones)
        return contexts

    def _changed(self, base: list[np.ndarray[Any, Any]], index: int, cells: np.ndarray[Any, Any], target: float) -> np.ndarray[Any, Any]:
        """Return for each cell of one input which output cells change when that cell alone becomes `target`: ``(cells, output cells)``."""
        before = self.perform(base)
        assert before is not None
        size = max(1, BATCH_ELEMENTS // max(1, sum(part.cells for part in self.operation.inputs) + len(before)))
        parts = []
        for start in range(0, len(cells), size):
            self._deadline.check()
            parts.append(self._changed_batch(base, index, cells[start : start + size], target, before))
        return np.concatenate(parts) if parts else np.zeros((0, len(before)), dtype=bool)

    def _changed_batch(
        self, base: list[np.ndarray[Any, Any]], index: int, cells: np.ndarray[Any, Any], target: float, before: np.ndarray[Any, Any]
    ) -> np.ndarray[Any, Any]:
        changed = np.repeat(base[index].reshape(1, -1), len(cells) + 1, axis=0)
        changed[np.arange(len(cells)), cells] = target  # the last row stays unchanged
        batch = changed.reshape(-1, *base[index].shape)
        outputs = self._map_batch(base, index, batch) if len(cells) > 3 else None
        if outputs is not None:
            return _differ(outputs[-1:], outputs[:-1])
        rows = np.zeros((len(cells), len(before)), dtype=bool)
        for row in range(len(cells)):
            self._deadline.check()
            after = self.perform([*base[:index], batch[row], *base[index + 1 :]])
            if after is not None:
                rows[row] = _differ(before, after)
        return rows

    def _map_batch(self, base: list[np.ndarray[Any, Any]], index: int, batch: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
        """Perform the operation on a batch of values of one input with `torch.vmap`; None if that is impossible."""
        if any(part.kind == "array" for part in self.operation.inputs) or self.operation.entry.is_numpy:
            return None
        fixed: list[torch.Tensor] = []
        for other, part in enumerate(self.operation.inputs):
            tensor = part.values if other in self.discrete else torch.from_numpy(np.ascontiguousarray(base[other]))
            fixed.append(tensor.expand(len(batch), *part.shape).clone() if other in self.operation.mutated else tensor)
        fixed[index] = torch.from_numpy(batch)
        in_dims = tuple(0 if other == index or other in self.operation.mutated else None for other in range(len(fixed)))
        try:
            results = torch.func.vmap(lambda *arrays: tuple(self._perform(list(arrays))), in_dims=in_dims, randomness="same")(*fixed)
        except Exception:
            return None
        if [tuple(result.shape[1:]) for result in results] != [part.shape for part in self.operation.outputs]:
            return None
        return np.concatenate([_numbers(result).reshape(len(batch), -1) for result in results], axis=1)

    def _perform(self, arrays: list[Array]) -> list[Array]:
        if self._is_random:
            device.seed_generators(SEED)
            np.random.seed(SEED)
        return self.operation.perform(arrays)

    def _are_constant(self, output_cells: np.ndarray[Any, Any]) -> bool:
        """Return whether these output cells are the same for all inputs."""
        if not output_cells.any():
            return True
        a, b = (self.perform(self._random_values()) for _ in range(2))
        return a is not None and b is not None and not _differ(a, b)[output_cells].any()

    def _targets(self) -> Iterator[float]:
        """Yield the values that a cell is changed to: a large and a small one, zero, and the numbers among the arguments."""
        yield from (SPIKE + 0.371, -SPIKE - 0.529, 0.0)
        for number in sorted(set(_literals((self.operation.args, dict(self.operation.kwargs)))))[:6]:
            yield from (number, number + 1.0, number - 1.0)

    def _random_values(self) -> list[np.ndarray[Any, Any]]:
        """Draw values for all inputs."""
        return [np.asarray(self._random.uniform(0.1, 0.9, part.shape)) for part in self.operation.inputs]


def _literals(value: Any) -> Iterator[float]:
    """Yield the Python numbers among an operation's arguments."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15:
        yield float(value)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _literals(part)
    elif isinstance(value, dict):
        yield from _literals(list(value.values()))


def _flatten(results: Iterable[Array]) -> np.ndarray[Any, Any]:
    parts = [_numbers(result).reshape(-1) for result in results]
    return np.concatenate(parts) if parts else np.zeros(0)


def _numbers(result: Array) -> np.ndarray[Any, Any]:
    """Convert an output to float64 or complex128."""
    tensor = result.detach().resolve_conj().resolve_neg().cpu() if isinstance(result, torch.Tensor) else as_tensor(result)
    return np.asarray(tensor.to(torch.complex128 if tensor.is_complex() else torch.float64).numpy())


def _differ(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return where two outputs differ by more than rounding errors; NaN equals NaN."""
    differs = a != b
    if differs.any():
        a, b = (part[differs] for part in np.broadcast_arrays(a, b))
        differs[differs] = ~np.isclose(a, b, rtol=1e-9, atol=1e-11, equal_nan=True)
    return np.asarray(differs)


def _matrix(rows: np.ndarray[Any, Any], cells: np.ndarray[Any, Any], count: int) -> Any:
    """Return the sparse matrix of output cells × input cells.

    Args:
        rows: which output cells changed with each changed cell, ``(cells, output cells)``.
        cells: the changed cells.
        count: number of input cells.
    """
    changed, outputs = np.nonzero(rows)
    return sparse.csr_matrix((np.ones(len(changed), dtype=bool), (outputs, cells[changed])), shape=(rows.shape[1], count))


def _selection(sources: np.ndarray[Any, Any], cells: np.ndarray[Any, Any], count: int) -> Any:
    """Return the sparse matrix of output cells × input cells.

    Args:
        sources: for each output cell its only input cell; a number outside of 0 to `count` − 1 for none.
        cells: the input cells to trace.
        count: number of input cells.
    """
    is_traced = np.zeros(count + 1, dtype=bool)
    is_traced[cells] = True
    is_valid = (sources >= 0) & (sources < count)
    rows = np.nonzero(is_valid & is_traced[np.where(is_valid, sources, count)])[0]
    return sparse.csr_matrix((np.ones(len(rows), dtype=bool), (rows, sources[rows])), shape=(len(sources), count))


@contextmanager
def undisturbed() -> Iterator[None]:
    """Restore the random generators afterwards; record no gradients and show no warnings meanwhile."""
    state = np.random.get_state()
    with torch.random.fork_rng(devices=[]), torch.no_grad(), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            np.random.set_state(state)
