"""Which input cells made which output cells of one operation, asked of PyTorch itself.

The operation is performed again on other values. Where cells only move, numbered cells are pushed through it, and
each number that arrives tells where it came from. Elsewhere one input cell after another is changed, and the output
cells that change with it depend on it: the places where the Jacobian is not zero. The values that everything else has
meanwhile are chosen so that no dependence hides: a product is not tried at zero alone, a maximum not only below the top.

What PyTorch insists on being a whole number or a boolean is an index or a mask; it keeps the values it had.
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

from playground.tensors.language import allowed
from playground.tensors.language.memory import COPIED_CELLS, Array, Snapshot, as_tensor
from playground.tensors.language.tracing import Operation

Relation = dict[int, Any]
"""For each input that matters, by its place: a sparse boolean matrix, output cells × input cells. Outputs stand one after another."""

SPIKE = 1000.0
"""How far a cell is moved: out of the reach of every clamp, comparison and maximum over ordinary values."""
FIRST_NUMBER = 1000
FEW = 32
"""Up to so many cells are changed one by one without asking first whether the operation is elementwise."""
PLACES = 24
"""Values that an index cell is tried at."""
PARTNERS = 12
"""Cells that a silent index cell is swapped with."""
BATCH = 2_000_000
"""Numbers in one batch of changed inputs."""
_MOVES = (allowed.CREATION, allowed.JOINING, allowed.CONVERSION)


class TooLarge(Exception):
    """More work than there is time for."""


class Deadline:
    """Processor time that tracing may take."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.process_time() + seconds

    def check(self) -> None:
        if time.process_time() > self._ends:
            raise TooLarge


def relation(operation: Operation, wanted: dict[int, np.ndarray[Any, Any]], deadline: Deadline) -> Relation | None:
    """The cells that made each output cell; None where PyTorch cannot tell.

    Args:
        wanted: for each input that matters, which of its cells do.
        deadline: when to give up.

    Raises:
        TooLarge: there are too many cells, or it takes too long.
    """
    if any(part.cells > COPIED_CELLS for part in (*operation.inputs, *operation.outputs)):
        raise TooLarge
    if not operation.outputs or not wanted:
        return {}
    trial = _trial(operation, deadline)
    return _relation(trial, wanted) if trial.works else None


def _relation(trial: _Trial, wanted: dict[int, np.ndarray[Any, Any]]) -> Relation:
    soft = {index: cells for index, cells in wanted.items() if index not in trial.hard}
    hard = {index: cells for index, cells in wanted.items() if index in trial.hard}
    found = (trial.pushed(soft) if trial.operation.entry.group in _MOVES else None) or trial.perturbed(soft)
    return {**found, **trial.exchanged(hard)}


def _trial(operation: Operation, deadline: Deadline) -> _Trial:
    """Find out what PyTorch takes real numbers for; integers and booleans keep their values everywhere else."""
    whole = frozenset(index for index, part in enumerate(operation.inputs) if not _is_real(part))
    free = _Trial(operation, frozenset(), deadline)
    if free.works or not whole:
        return free
    hard = whole
    if len(whole) > 1:
        hard = frozenset(index for index in whole if not _Trial(operation, whole - {index}, deadline).works)
    return _Trial(operation, hard, deadline)


def _is_real(part: Snapshot) -> bool:
    return part.values.dtype.is_floating_point or part.values.dtype.is_complex


class _Trial:
    """Performs one operation again and again on other values.

    Args:
        hard: inputs that keep their values, or exchange them among themselves.
    """

    def __init__(self, operation: Operation, hard: frozenset[int], deadline: Deadline) -> None:
        self.operation, self.hard, self._deadline = operation, hard, deadline
        self._random = np.random.default_rng(0)
        self._is_random = operation.entry.group == allowed.RANDOM or operation.entry.short in ("dropout", "choice")
        self._sizes = [part.cells for part in operation.outputs]
        generic = [self._generic(part.shape) for part in operation.inputs]
        zeros = [np.zeros(part.shape) for part in operation.inputs]
        actual = [part.values.to(torch.float64).numpy() if _is_real_or_whole(part) else part.values.numpy() for part in operation.inputs]
        self._bases = [base for base in (generic, zeros) if self.perform(base) is not None] or [base for base in (actual,) if self.perform(base) is not None]
        self.works = bool(self._bases)

    def perform(self, values: list[np.ndarray[Any, Any]], exchanged: dict[int, torch.Tensor] | None = None) -> np.ndarray[Any, Any] | None:
        """All output cells, one after another, for these inputs; None if PyTorch refuses them or the shapes change."""
        arrays: list[Array] = []
        for index, (part, value) in enumerate(zip(self.operation.inputs, values, strict=True)):
            tensor = (exchanged or {}).get(index, part.values).clone() if index in self.hard else torch.from_numpy(np.array(value))
            arrays.append(np.array(tensor.numpy()) if part.kind == "array" else tensor)
        try:
            results = self._again(arrays)
        except Exception:
            return None
        if [tuple(result.shape) for result in results] != [part.shape for part in self.operation.outputs]:
            return None
        return _flat(results)

    def pushed(self, wanted: dict[int, np.ndarray[Any, Any]]) -> Relation | None:
        """Number all cells, push them through, and read where each came from; None if they do more than move."""
        starts = np.cumsum([0, *(part.cells for part in self.operation.inputs)])
        places = []
        for _ in range(3):
            order = self._random.permutation(starts[-1])
            numbers = np.arange(FIRST_NUMBER, FIRST_NUMBER + starts[-1], dtype=np.float64)[order]
            values = [numbers[start : start + part.cells].reshape(part.shape) for start, part in zip(starts, self.operation.inputs, strict=False)]
            arrived = self.perform(values)
            if arrived is None or np.iscomplexobj(arrived):
                return None
            back = np.argsort(order)
            kept = (arrived >= FIRST_NUMBER) & (arrived < FIRST_NUMBER + starts[-1]) & (arrived == np.floor(arrived))
            places.append(np.where(kept, back[np.where(kept, arrived - FIRST_NUMBER, 0).astype(np.int64)], -1))
        if not all(np.array_equal(places[0], other) for other in places[1:]) or not self._rest_is_constant(places[0] < 0):
            return None
        return {index: _selection(places[0] - starts[index], cells, self.operation.inputs[index].cells) for index, cells in wanted.items()}

    def perturbed(self, wanted: dict[int, np.ndarray[Any, Any]]) -> Relation:
        """Change one input cell after another, and see which outputs change."""
        found = {}
        for index, cells in wanted.items():
            count = self.operation.inputs[index].cells
            if len(cells) > FEW and (places := self._elementwise(index)) is not None:
                found[index] = _selection(places, cells, count)
                continue
            rows = np.zeros((len(cells), sum(self._sizes)), dtype=bool)
            for base in self._bases:
                for target in self._targets():
                    rows |= self._changed(base, index, cells, target)
            if not rows.any():
                rows |= self._changed(self._bases[0], index, cells, np.nan) | self._changed(self._bases[0], index, cells, np.inf)
            found[index] = _matrix(rows, cells, count)
        return found

    def _elementwise(self, index: int) -> np.ndarray[Any, Any] | None:
        """For each output cell the input cell in the same place, broadcast, or -1; None if others play a part.

        That they do not is tried out: many random halves of the cells are changed, and no output cell outside changes.
        """
        part = self.operation.inputs[index]
        try:
            own = [np.broadcast_to(np.arange(part.cells).reshape(part.shape), output.shape).reshape(-1) for output in self.operation.outputs]
        except ValueError:
            return None
        places = np.concatenate(own)
        depends = np.zeros(len(places), dtype=bool)
        for base in self._bases:
            before = self.perform(base)
            for target in self._targets():
                half = self._random.random(part.shape) < 0.5
                for changed in (half, ~half):
                    after = self.perform([*base[:index], np.where(changed, target, base[index]), *base[index + 1 :]])
                    if before is None or after is None:
                        return None
                    differs = _differ(before, after)
                    if (differs & ~changed.reshape(-1)[places]).any():
                        return None
                    depends |= differs
        return np.where(depends, places, -1)

    def exchanged(self, wanted: dict[int, np.ndarray[Any, Any]]) -> Relation:
        """Give one cell of an index or mask another of its values after another, and see which outputs change."""
        found = {}
        for index, cells in wanted.items():
            part = self.operation.inputs[index]
            rows = np.zeros((len(cells), sum(self._sizes)), dtype=bool)
            for context in self._contexts():
                for row, cell in enumerate(cells):
                    self._deadline.check()
                    rows[row] |= self._exchanged_changes(context, index, int(cell))
            self._swap_the_silent(rows, index, cells)
            found[index] = _matrix(rows, cells, part.cells)
        return found

    def _swap_the_silent(self, rows: np.ndarray[Any, Any], index: int, cells: np.ndarray[Any, Any]) -> None:
        """A cell whose every change would change the shape, as the largest label of `one_hot`: swap it with a cell that is known."""
        values = self.operation.inputs[index].values
        numbered = [self._generic(part.shape) for part in self.operation.inputs]
        before = self.perform(numbered)
        flat = values.reshape(-1)
        known = np.nonzero(rows.any(axis=1))[0]
        for row in np.nonzero(~rows.any(axis=1))[0]:
            self._deadline.check()
            for partner in known[:PARTNERS]:
                one, other = int(cells[row]), int(cells[partner])
                if flat[one] == flat[other]:
                    continue
                swapped = flat.clone()
                swapped[one], swapped[other] = flat[other], flat[one]
                after = self.perform(numbered, {**self._values_of_hard(), index: swapped.reshape(values.shape)})
                if before is not None and after is not None:
                    rows[row] |= _differ(before, after) & ~rows[partner]

    def _values_of_hard(self) -> dict[int, torch.Tensor]:
        return {index: self.operation.inputs[index].values for index in self.hard}

    def _exchanged_changes(self, context: dict[int, torch.Tensor], index: int, cell: int) -> np.ndarray[Any, Any]:
        numbered = [self._generic(part.shape) for part in self.operation.inputs]
        before = self.perform(numbered, context)
        changes = np.zeros(sum(self._sizes), dtype=bool)
        flat = context[index].reshape(-1)
        others = self._other_values(index, flat[cell].item())
        for other in others:
            changed = flat.clone()
            changed[cell] = other
            after = self.perform(numbered, {**context, index: changed.reshape(context[index].shape)})
            if before is not None and after is not None:
                changes |= _differ(before, after)
        return changes

    def _other_values(self, index: int, now: Any) -> list[Any]:
        """What an index cell may become: the other values that its tensor has, its neighbours, and every place that there is."""
        values = self.operation.inputs[index].values
        if values.dtype is torch.bool:
            return [not now]
        widest = max((size for part in (*self.operation.inputs, *self.operation.outputs) for size in part.shape), default=0)
        places = range(min(widest, PLACES)) if values.numel() <= FEW else ()
        return sorted({*torch.unique(values)[:4].tolist(), max(0, now - 1), now + 1, *places} - {now})

    def _contexts(self) -> list[dict[int, torch.Tensor]]:
        """The values that indices and masks have meanwhile: their own, and for booleans all true and all false, where that fits."""
        parts = self._values_of_hard()
        contexts = [parts]
        for fill in (True, False):
            filled = {index: torch.full_like(values, fill) if values.dtype is torch.bool else values for index, values in parts.items()}
            if self.perform([self._generic(part.shape) for part in self.operation.inputs], filled) is not None:
                contexts.append(filled)
        if not any(values.dtype is torch.bool for values in parts.values()):
            ones = {index: torch.full_like(values, -1) for index, values in parts.items()}  # all bits set: & and | show what they hide
            if self.perform([self._generic(part.shape) for part in self.operation.inputs], ones) is not None:
                contexts.append(ones)
        return contexts

    def _changed(self, base: list[np.ndarray[Any, Any]], index: int, cells: np.ndarray[Any, Any], target: float) -> np.ndarray[Any, Any]:
        """For each cell of one input: which outputs change when that cell alone becomes `target`."""
        before = self.perform(base)
        assert before is not None
        most = max(1, BATCH // max(1, sum(part.cells for part in self.operation.inputs) + len(before)))
        parts = []
        for start in range(0, len(cells), most):
            self._deadline.check()
            parts.append(self._changed_batch(base, index, cells[start : start + most], target, before))
        return np.concatenate(parts) if parts else np.zeros((0, len(before)), dtype=bool)

    def _changed_batch(
        self, base: list[np.ndarray[Any, Any]], index: int, cells: np.ndarray[Any, Any], target: float, before: np.ndarray[Any, Any]
    ) -> np.ndarray[Any, Any]:
        changed = np.repeat(base[index].reshape(1, -1), len(cells) + 1, axis=0)
        changed[np.arange(len(cells)), cells] = target  # the last row stays as it was
        batch = changed.reshape(-1, *base[index].shape)
        outputs = self._all_at_once(base, index, batch) if len(cells) > 3 else None
        if outputs is not None:
            return _differ(outputs[-1:], outputs[:-1])
        rows = np.zeros((len(cells), len(before)), dtype=bool)
        for row in range(len(cells)):
            self._deadline.check()
            after = self.perform([*base[:index], batch[row], *base[index + 1 :]])
            if after is not None:
                rows[row] = _differ(before, after)
        return rows

    def _all_at_once(self, base: list[np.ndarray[Any, Any]], index: int, batch: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
        """The same by `torch.vmap`; None where an operation cannot be mapped."""
        if any(part.kind == "array" for part in self.operation.inputs) or self.operation.entry.is_numpy:
            return None
        fixed: list[torch.Tensor] = []
        for place, part in enumerate(self.operation.inputs):
            tensor = part.values if place in self.hard else torch.from_numpy(np.ascontiguousarray(base[place]))
            fixed.append(tensor.expand(len(batch), *part.shape).clone() if place in self.operation.mutated else tensor)
        fixed[index] = torch.from_numpy(batch)
        mapped = tuple(0 if place == index or place in self.operation.mutated else None for place in range(len(fixed)))
        try:
            results = torch.func.vmap(lambda *arrays: tuple(self._again(list(arrays))), in_dims=mapped, randomness="same")(*fixed)
        except Exception:
            return None
        if [tuple(result.shape[1:]) for result in results] != [part.shape for part in self.operation.outputs]:
            return None
        return np.concatenate([_numbers(result).reshape(len(batch), -1) for result in results], axis=1)

    def _again(self, arrays: list[Array]) -> list[Array]:
        if self._is_random:
            torch.manual_seed(0)
            np.random.seed(0)
        return self.operation.perform(arrays)

    def _rest_is_constant(self, rest: np.ndarray[Any, Any]) -> bool:
        """Whether the cells that no number arrived at are the same whatever goes in."""
        if not rest.any():
            return True
        one, other = (self.perform([self._generic(part.shape) for part in self.operation.inputs]) for _ in range(2))
        return one is not None and other is not None and not _differ(one, other)[rest].any()

    def _targets(self) -> Iterator[float]:
        """What a cell is changed to: far up, far down, zero, and the numbers that the operation is given."""
        yield from (SPIKE + 0.371, -SPIKE - 0.529, 0.0)
        for number in sorted(set(_literals((self.operation.args, dict(self.operation.kwargs)))))[:6]:
            yield from (number, number + 1.0, number - 1.0)

    def _generic(self, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
        return np.asarray(self._random.uniform(0.1, 0.9, shape))


def _is_real_or_whole(part: Snapshot) -> bool:
    return not part.values.dtype.is_complex


def _literals(value: Any) -> Iterator[float]:
    """The plain numbers among an operation's arguments."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15:
        yield float(value)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _literals(part)
    elif isinstance(value, dict):
        yield from _literals(list(value.values()))


def _flat(results: Iterable[Array]) -> np.ndarray[Any, Any]:
    parts = [_numbers(result).reshape(-1) for result in results]
    return np.concatenate(parts) if parts else np.zeros(0)


def _numbers(result: Array) -> np.ndarray[Any, Any]:
    """An output as real or complex numbers."""
    tensor = result.detach().resolve_conj().resolve_neg().cpu() if isinstance(result, torch.Tensor) else as_tensor(result)
    return np.asarray(tensor.to(torch.complex128 if tensor.is_complex() else torch.float64).numpy())


def _differ(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Where two outputs differ by more than rounding; NaN and the infinities equal themselves."""
    differs = one != other
    if differs.any():
        one, other = (part[differs] for part in np.broadcast_arrays(one, other))
        differs[differs] = ~np.isclose(one, other, rtol=1e-9, atol=1e-11, equal_nan=True)
    return np.asarray(differs)


def _matrix(rows: np.ndarray[Any, Any], cells: np.ndarray[Any, Any], count: int) -> Any:
    """Rows of changes, one for each changed cell, as a matrix of output cells × input cells."""
    row, column = np.nonzero(rows)
    return sparse.csr_matrix((np.ones(len(row), dtype=bool), (column, cells[row])), shape=(rows.shape[1], count))


def _selection(places: np.ndarray[Any, Any], cells: np.ndarray[Any, Any], count: int) -> Any:
    """Output cells × input cells, from the one input cell that each output cell came from."""
    wanted = np.zeros(count + 1, dtype=bool)
    wanted[cells] = True
    inside = (places >= 0) & (places < count)
    rows = np.nonzero(inside & wanted[np.where(inside, places, count)])[0]
    return sparse.csr_matrix((np.ones(len(rows), dtype=bool), (rows, places[rows])), shape=(len(places), count))


@contextmanager
def undisturbed() -> Iterator[None]:
    """Leave the random numbers, the warnings and the gradients of the program as they were."""
    state = np.random.get_state()
    with torch.random.fork_rng(devices=[]), torch.no_grad(), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            np.random.set_state(state)
