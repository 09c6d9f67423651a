"""Which cells of the named tensors that a statement read made each cell of what it left, through all its operations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from playground.tensors.language.memory import Snapshot
from playground.tensors.language.tracing import Operation, Statement, equal_values
from playground.tensors.xray.provenance import Deadline, Relation, TooLarge, relation

Sources = dict[str, Any]
"""By name: a sparse boolean matrix, cells of one object × cells of that name."""


@dataclass
class Lineage:
    """Where everything in a statement came from."""

    made: dict[str, Sources] = field(default_factory=dict)
    """By name that the statement left."""
    operations: list[Relation | None] = field(default_factory=list)
    """The relation of each operation, outputs one after another; None where it is not known."""
    reason: str = ""
    """Why it is not known; empty where it is."""


def lineage(statement: Statement, deadline: Deadline) -> Lineage:
    """Follow a statement's operations from the names that it read to the names that it left."""
    sources = _Sources(statement)
    found = Lineage()
    for operation in statement.operations:
        try:
            step = sources.follow(operation, deadline)
        except TooLarge:
            found.reason = "large"
            return found
        found.operations.append(step)
        if step is None:
            found.reason = "unknown"
            return found
    found.made = {name: {source: matrix for source, matrix in sources.of(part).items() if matrix.nnz} for name, part in statement.outputs.items()}
    return found


class _Sources:
    """What is known of each object while the operations are followed in their order."""

    def __init__(self, statement: Statement) -> None:
        self._by_key: dict[int, Sources] = {}
        self._seen: dict[int, Snapshot] = {}
        for name, part in {**statement.previous, **statement.inputs}.items():
            if not part.complete:
                continue  # an operation on it is too large to follow
            cells = part.visible_cells
            identity = sparse.csr_matrix((np.ones(len(cells), dtype=bool), (cells, cells)), shape=(part.cells, part.cells))
            self._by_key.setdefault(part.key, {name: identity})
            self._seen.setdefault(part.key, part)

    def of(self, part: Snapshot) -> Sources:
        return self._by_key.get(part.key, {})

    def follow(self, operation: Operation, deadline: Deadline) -> Relation | None:
        """Give the operation's outputs their sources; returns its own relation.

        Raises:
            TooLarge: there is too much to follow.
        """
        wanted = {index: cells for index, part in enumerate(operation.inputs) if len(cells := self._cells_that_matter(part))}
        step = relation(operation, wanted, deadline)
        if step is None:
            return None
        start = 0
        fresh = []
        for part in operation.outputs:
            rows = slice(start, start + part.cells)
            start = rows.stop
            fresh.append((part, self._composed(operation, {index: matrix[rows] for index, matrix in step.items()})))
        for part, composed in fresh:
            self._by_key[part.key] = composed
            self._seen[part.key] = part
        for part in operation.outputs[len(operation.outputs) - len(operation.mutated) :]:
            self._spread(part)
        return step

    def _cells_that_matter(self, part: Snapshot) -> np.ndarray[Any, Any]:
        """The cells of an object that come from a cell which is shown; none of an object that is too large to follow."""
        if not part.complete:
            return np.zeros(0, dtype=np.int64)
        matter = np.zeros(part.cells, dtype=bool)
        for matrix in self.of(part).values():
            matter |= np.diff(matrix.indptr) > 0
        return np.nonzero(matter)[0]

    def _composed(self, operation: Operation, step: Relation) -> Sources:
        composed: Sources = {}
        for index, matrix in step.items():
            for name, earlier in self.of(operation.inputs[index]).items():
                product = matrix @ earlier
                composed[name] = composed[name] + product if name in composed else product
        return composed

    def _spread(self, changed: Snapshot) -> None:
        """An in-place change is a change of everything that lies in the same memory."""
        where = {int(address): cell for cell, address in enumerate(changed.addresses)}
        for key, other in self._seen.items():
            if key == changed.key or not other.overlaps(changed):
                continue
            cells = np.array([where.get(int(address), -1) for address in other.addresses], dtype=np.int64)
            touched = cells >= 0
            self._by_key[key] = _replaced(self._by_key[key], self.of(changed), cells, touched)


def _replaced(old: Sources, new: Sources, cells: np.ndarray[Any, Any], touched: np.ndarray[Any, Any]) -> Sources:
    """The old sources, but for the touched cells, which have the new ones of the cell in the same place."""
    count = len(cells)
    kept = sparse.diags((~touched).astype(bool), format="csr", dtype=bool)
    result = {name: kept @ matrix for name, matrix in old.items()}
    rows = np.nonzero(touched)[0]
    for name, matrix in new.items():
        pick = sparse.csr_matrix((np.ones(len(rows), dtype=bool), (rows, cells[rows])), shape=(count, matrix.shape[0]))
        result[name] = result[name] + pick @ matrix if name in result else pick @ matrix
    return result


def is_move(part: Snapshot, sources: Sources, inputs: dict[str, Snapshot]) -> bool:
    """Whether each cell has exactly one source, and its value."""
    if not sources or not part.complete or not part.cells:
        return False
    total = sum(np.diff(matrix.indptr) for matrix in sources.values())
    if not bool((total == 1).all()):
        return False
    values = part.values.reshape(-1)
    for name, matrix in sources.items():
        if not inputs[name].complete or inputs[name].values.dtype != values.dtype:
            return False
        rows = np.nonzero(np.diff(matrix.indptr))[0]
        if not equal_values(values[rows], inputs[name].values.reshape(-1)[matrix.indices]):
            return False
    return True
