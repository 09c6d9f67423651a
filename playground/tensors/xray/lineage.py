"""Follows the operations of a statement, to find from which cells of its inputs each cell of its outputs was computed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from scipy import sparse

from playground.tensors.language.memory import Snapshot
from playground.tensors.language.tracing import Operation, Statement, equal_values
from playground.tensors.xray.provenance import Deadline, Relation, TooLarge, relation

Sources = dict[str, Any]
"""For each input of a statement, by name, a sparse boolean matrix: cells of one tensor × cells of the input."""
Missing = Literal["", "large", "unknown"]
"""Why sources are missing; empty where they are not."""


@dataclass
class Lineage:
    """The sources of all results of a statement."""

    outputs: dict[str, Sources] = field(default_factory=dict)
    """By name of the output."""
    operations: list[Relation | None] = field(default_factory=list)
    """The relation of each operation; None where it is unknown."""
    reason: Missing = ""


def lineage(statement: Statement, deadline: Deadline) -> Lineage:
    """Follow a statement's operations from its inputs to its outputs."""
    sources = _SourcesByTensor(statement)
    result = Lineage()
    for operation in statement.operations:
        try:
            step = sources.follow(operation, deadline)
        except TooLarge:
            result.reason = "large"
            return result
        result.operations.append(step)
        if step is None:
            result.reason = "unknown"
            return result
    for name, part in statement.outputs.items():
        result.outputs[name] = {source: matrix for source, matrix in sources.of(part).items() if matrix.nnz}
    return result


class _SourcesByTensor:
    """The sources of each tensor while the operations of a statement are followed."""

    def __init__(self, statement: Statement) -> None:
        self._sources: dict[int, Sources] = {}
        self._snapshots: dict[int, Snapshot] = {}
        for name, part in {**statement.previous, **statement.inputs}.items():
            if not part.complete:
                continue  # an operation on it is too large to follow
            cells = part.visible_cells
            identity = sparse.csr_matrix((np.ones(len(cells), dtype=bool), (cells, cells)), shape=(part.cells, part.cells))
            self._sources.setdefault(part.key, {name: identity})
            self._snapshots.setdefault(part.key, part)

    def of(self, part: Snapshot) -> Sources:
        """Return the sources of a tensor; none of one that got other data with another number of cells."""
        known = self._snapshots.get(part.key)
        return self._sources.get(part.key, {}) if known is None or known.cells == part.cells else {}

    def follow(self, operation: Operation, deadline: Deadline) -> Relation | None:
        """Set the sources of an operation's outputs.

        Returns:
            The relation between the operation's inputs and outputs; None if it is unknown.

        Raises:
            TooLarge: there are too many cells, or it takes too long.
        """
        input_cells = {index: cells for index, part in enumerate(operation.inputs) if len(cells := self._cells_with_sources(part))}
        step = relation(operation, input_cells, deadline)
        if step is None:
            return None
        if not input_cells:
            step = _relation_to_intermediate(operation, deadline)
        start = 0
        results = []
        for part in operation.outputs:
            rows = slice(start, start + part.cells)
            start = rows.stop
            results.append((part, self._compose(operation, {index: matrix[rows] for index, matrix in step.items()})))
        for part, sources in results:
            self._sources[part.key] = sources
            self._snapshots[part.key] = part
        for part in operation.outputs[len(operation.outputs) - len(operation.mutated) :]:
            self._update_overlapping(part)
        return step

    def _cells_with_sources(self, part: Snapshot) -> np.ndarray[Any, Any]:
        """Return the cells that were computed from a visible cell; none of a tensor that is too large to follow."""
        if not part.complete:
            return np.zeros(0, dtype=np.int64)
        has_sources = np.zeros(part.cells, dtype=bool)
        for matrix in self.of(part).values():
            has_sources |= np.diff(matrix.indptr) > 0
        return np.nonzero(has_sources)[0]

    def _compose(self, operation: Operation, step: Relation) -> Sources:
        """Multiply the relation of an operation with the sources of its inputs."""
        sources: Sources = {}
        for index, matrix in step.items():
            for name, earlier in self.of(operation.inputs[index]).items():
                product = matrix @ earlier
                sources[name] = sources[name] + product if name in sources else product
        return sources

    def _update_overlapping(self, changed: Snapshot) -> None:
        """Update the tensors that share the memory of a tensor that was changed in place."""
        cell_at = {int(address): cell for cell, address in enumerate(changed.addresses)}
        for key, other in self._snapshots.items():
            if key == changed.key or not other.overlaps(changed):
                continue
            cells = np.array([cell_at.get(int(address), -1) for address in other.addresses], dtype=np.int64)
            self._sources[key] = _replace_rows(self._sources[key], self.of(changed), cells)


def _relation_to_intermediate(operation: Operation, deadline: Deadline) -> Relation:
    """Return the relation of an operation to results that the statement itself made, as in `torch.arange(12).view(3, 4)`; empty where it is unknown.

    No cell of a variable depends on them, so nothing is missing without it.
    """
    cells = {index: np.arange(part.cells) for index, part in enumerate(operation.inputs) if part.complete and part.cells}
    try:
        return relation(operation, cells, deadline) or {}
    except TooLarge:
        return {}


def _replace_rows(old: Sources, new: Sources, cells: np.ndarray[Any, Any]) -> Sources:
    """Replace the sources of each cell whose entry in `cells` is a cell of `new`, not -1."""
    replaced = cells >= 0
    unchanged = sparse.diags((~replaced).astype(bool), format="csr", dtype=bool)
    result = {name: unchanged @ matrix for name, matrix in old.items()}
    rows = np.nonzero(replaced)[0]
    for name, matrix in new.items():
        pick = sparse.csr_matrix((np.ones(len(rows), dtype=bool), (rows, cells[rows])), shape=(len(cells), matrix.shape[0]))
        result[name] = result[name] + pick @ matrix if name in result else pick @ matrix
    return result


def is_copy(part: Snapshot, sources: Sources, inputs: dict[str, Snapshot]) -> bool:
    """Return whether each cell has exactly one source, with the same value."""
    if not sources or not part.complete or not part.cells:
        return False
    source_counts = sum(np.diff(matrix.indptr) for matrix in sources.values())
    if not bool((source_counts == 1).all()):
        return False
    values = part.values.reshape(-1)
    for name, matrix in sources.items():
        if not inputs[name].complete or inputs[name].values.dtype != values.dtype:
            return False
        rows = np.nonzero(np.diff(matrix.indptr))[0]
        if not equal_values(values[rows], inputs[name].values.reshape(-1)[matrix.indices]):
            return False
    return True
