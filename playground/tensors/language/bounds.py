"""How much a script may use, and the count of what it has used."""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.lib.array_utils import byte_bounds

from playground import environment
from playground.tensors.language.errors import BoundsExceeded

MIB = 2**20


@dataclass(frozen=True)
class Bounds:
    """What one script may use."""

    memory: int = 64 * MIB
    """Bytes of all values together."""
    seconds: float = field(default_factory=environment.script_seconds)
    """Processor time."""
    statements: int = 20_000
    """Statements executed, each turn of a loop counting anew."""
    elements: int = 100_000
    """Elements of a list, characters of a text, numbers turned into Python's own."""
    output: int = 20_000
    """Characters printed."""
    source: int = 20_000
    """Characters of the script."""


class Meter:
    """Counts what a script uses, and stops it at its bounds."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._ends = time.process_time() + bounds.seconds
        self._statements = 0
        self._unchecked = 0  # bytes made since the values alive were last added up
        self._made: list[weakref.ref[Any]] = []

    def made(self, arrays: Iterable[Any]) -> None:
        """These came into being; they count for as long as anything holds them, a name or not."""
        self._made += [weakref.ref(array) for array in arrays]

    def tick(self) -> None:
        """Something was evaluated."""
        if time.process_time() > self._ends:
            raise BoundsExceeded(
                f"The script ran for {self.bounds.seconds:g} seconds and was stopped.",
                "A loop that does not end? Fewer turns, or one tensor operation instead of a loop, will do.",
            )

    def statement(self) -> None:
        """A statement begins."""
        self.tick()
        self._statements += 1
        if self._statements > self.bounds.statements:
            raise BoundsExceeded(
                f"The script was stopped after {self.bounds.statements:,} statements.", "Let a loop run fewer turns, or write it as one tensor operation."
            )

    def reserve(self, size: int) -> None:
        """An operation is about to make `size` bytes."""
        self._unchecked += size
        if self._unchecked > MIB:
            alive = self._bytes_alive()
            if alive + size > self.bounds.memory:
                allowed = _mebibytes(self.bounds.memory)
                if size < self.bounds.memory // 8:
                    raise BoundsExceeded(
                        f"All values of a script together may take {allowed}, and with this result they would take more.", "Keep fewer of them."
                    )
                raise BoundsExceeded(
                    f"This result needs {_mebibytes(size)}, and all values of a script together may take {allowed}.",
                    "Make it smaller: the idea shows at a few cells.",
                )
            self._unchecked = size

    def _bytes_alive(self) -> int:
        """Bytes of all storages that are still held, each counted once."""
        self._made = [reference for reference in self._made if reference() is not None]
        sizes: dict[int, int] = {}
        for reference in self._made:
            array = reference()
            if isinstance(array, torch.Tensor):
                storage = array.untyped_storage()
                sizes[storage.data_ptr()] = storage.nbytes()
            elif array is not None:
                while isinstance(array.base, np.ndarray):
                    array = array.base
                start, end = byte_bounds(array)
                sizes[start] = max(end - start, sizes.get(start, 0))
        return sum(sizes.values())

    def elements(self, count: int, what: str) -> None:
        """A list, a text or a sequence of Python's own of this length is about to be made."""
        if count > self.bounds.elements:
            raise BoundsExceeded(f"{what} of {count:,} elements is too long: {self.bounds.elements:,} are the most.", "Keep large data in a tensor.")


def _mebibytes(size: int) -> str:
    return f"{size / MIB:,.0f} MiB" if size < 2**40 else f"about 10^{len(str(size)) - 1} bytes"
