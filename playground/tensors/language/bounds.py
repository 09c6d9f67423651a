"""Limits on memory, time and statements of a script, and the meter that enforces them."""

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
from playground.messages import Message, msg
from playground.tensors.language.errors import BoundsExceeded

MIB = 2**20

A_LIST = msg("A list of {length:,} elements is too long; the limit is {limit:,}.")
A_SEQUENCE = msg("A sequence of {length:,} elements is too long; the limit is {limit:,}.")
A_STRING = msg("A string of {length:,} elements is too long; the limit is {limit:,}.")
A_RANGE = msg("A range of {length:,} elements is too long; the limit is {limit:,}.")
A_LOOP = msg("A loop of {length:,} elements is too long; the limit is {limit:,}.")
A_COMPARISON = msg("A comparison of {length:,} elements is too long; the limit is {limit:,}.")


@dataclass(frozen=True)
class Bounds:
    """Limits of one script."""

    memory: int = 64 * MIB
    """Bytes of all values together."""
    seconds: float = field(default_factory=environment.script_seconds)
    """Processor time, in seconds."""
    statements: int = 200_000
    """Statements executed; each iteration of a loop counts."""
    elements: int = 100_000
    """Elements of a list, characters of a string, numbers converted to Python numbers."""
    output: int = 20_000
    """Characters printed."""
    source: int = 20_000
    """Characters of the script."""
    is_without_values: bool = False
    """Whether tensors have shapes only, on the meta device, and no data set is read: then only arrays of NumPy need memory."""


class Meter:
    """Measures the memory, time and statements that a script uses, and stops it at its limits."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._references: list[weakref.ref[Any]] = []
        self.restart()
        self._unchecked = 0  # bytes reserved since the values in memory were last added up

    def restart(self) -> None:
        """Measure time and statements from now on."""
        self._deadline = time.process_time() + self.bounds.seconds
        self._statements = 0
        self._is_stopped = False

    def stop(self) -> None:
        """Let the next check of the time fail."""
        self._is_stopped = True

    def track(self, arrays: Iterable[Any]) -> None:
        """Count the memory of these arrays for as long as they exist."""
        self._references += [weakref.ref(array) for array in arrays]

    def check_time(self) -> None:
        """Check the processor time.

        Raises:
            BoundsExceeded: the script has used its processor time, or was stopped.
        """
        if self._is_stopped:
            raise BoundsExceeded(msg("The script was stopped."), msg("What it did until then stays."))
        if time.process_time() > self._deadline:
            raise BoundsExceeded(
                msg("The script ran for {seconds:g} seconds and was stopped.", seconds=self.bounds.seconds),
                msg("Check that every loop ends. Use fewer iterations, or one tensor operation instead of a loop."),
            )

    def count_statement(self) -> None:
        """Count one statement.

        Raises:
            BoundsExceeded: the script has executed too many.
        """
        self.check_time()
        self._statements += 1
        if self._statements > self.bounds.statements:
            raise BoundsExceeded(
                msg("The script was stopped after {count:,} statements.", count=self.bounds.statements),
                msg("Use fewer iterations of the loop, or write it as one tensor operation."),
            )

    def reserve(self, size: int) -> None:
        """Check that a result of `size` bytes fits into the memory limit.

        Raises:
            BoundsExceeded: all values together would exceed the limit.
        """
        self._unchecked += size
        if self._unchecked > MIB:
            used = self._used_bytes()
            if used + size > self.bounds.memory:
                allowed = _mebibytes(self.bounds.memory)
                if size < self.bounds.memory // 8:
                    raise BoundsExceeded(
                        msg("All values of a script together may use at most {allowed}; this result would exceed the limit.", allowed=allowed),
                        msg("Keep fewer or smaller tensors."),
                    )
                raise BoundsExceeded(
                    msg("This result needs {size}; all values of a script together may use at most {allowed}.", size=_mebibytes(size), allowed=allowed),
                    msg("Choose a smaller shape: a few cells are enough to see what happens."),
                )
            self._unchecked = size

    def _used_bytes(self) -> int:
        """Return the bytes of all storages that still exist, each counted once."""
        self._references = [reference for reference in self._references if reference() is not None]
        sizes: dict[int, int] = {}
        for reference in self._references:
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

    def check_length(self, length: int, too_long: Message = A_LIST) -> None:
        """Check the length of a Python sequence before it is created.

        Args:
            length: its number of elements.
            too_long: the message for one that is too long.

        Raises:
            BoundsExceeded: it is too long.
        """
        if length > self.bounds.elements:
            raise BoundsExceeded(too_long.filled(length=length, limit=self.bounds.elements), msg("Keep large data in a tensor."))


def _mebibytes(size: int) -> str:
    return msg("{size:,.0f} MiB", size=size / MIB) if size < 2**40 else msg("about 10^{power} bytes", power=len(str(size)) - 1)
