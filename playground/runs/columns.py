"""The steps of a run as columns of one array, because a run can have hundreds of thousands of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from playground.training.events import Step, Steps

Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

NAMES = ("step", "loss", "accuracy", "learning_rate", "seconds", "rate")
FIRST_CAPACITY = 1024
"""Number of steps that a new array has room for."""


class StepColumns:
    """A sequence of `Step`, stored in one array; steps can be appended and dropped at its end."""

    def __init__(self) -> None:
        self._values = np.empty((len(NAMES), FIRST_CAPACITY))
        self._length = 0

    def extend(self, steps: Steps) -> None:
        """Append steps."""
        count = len(steps.loss)
        end = self._length + count
        if end > self._values.shape[1]:
            grown = np.empty((len(NAMES), max(end, 2 * self._values.shape[1])))
            grown[:, : self._length] = self._values[:, : self._length]
            self._values = grown
        self._values[0, self._length : end] = np.arange(steps.first, steps.first + count)
        for row, name in enumerate(NAMES[1:], start=1):
            self._values[row, self._length : end] = getattr(steps, name)
        self._length = end

    def rewind(self, step: int) -> None:
        """Drop the steps after this one."""
        self._length = int(np.searchsorted(self.column("step"), step, side="right"))

    def column(self, name: str) -> Array:
        """Return one value of every step, ``(N,)``: a view that later steps do not change."""
        return self._values[NAMES.index(name), : self._length]

    def table(self) -> Array:
        """Return all columns at once, ``(len(NAMES), N)``, so that they have the same length while steps are added."""
        return self._values[:, : self._length]

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Step:
        if not -self._length <= index < self._length:
            raise IndexError(f"index {index} is out of range for {self._length} steps")
        step, *values = self._values[:, index % self._length].tolist()
        return Step(int(step), *values)

    def __iter__(self) -> Iterator[Step]:
        return (self[index] for index in range(self._length))
