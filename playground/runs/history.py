"""What a run's events add up to: its state, its curves, its progress."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np

from playground.runs.run import Run, State
from playground.training.events import (
    Created,
    Evaluated,
    Event,
    Failed,
    Finished,
    LearningRate,
    Paused,
    Resumed,
    Started,
    Step,
    Stopped,
)

Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

_STATES: dict[type[Event], State] = {
    Started: "running",
    Paused: "paused",
    Resumed: "running",
    Stopped: "stopped",
    Failed: "failed",
    Finished: "finished",
}
"""The state that an event leads to; the others lead nowhere."""


@dataclass
class History:
    """A run's record, replayed; `follow` reads only what is new since the last time."""

    run: Run
    created: float = 0.0
    steps: list[Step] = field(default_factory=list)
    evaluations: list[Evaluated] = field(default_factory=list)
    rate_changes: list[LearningRate] = field(default_factory=list)
    started: Started | None = None
    finished: Finished | None = None
    message: str = ""
    """Why the run failed, for the learner."""
    _last: State = "queued"
    _offset: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def follow(self) -> History:
        """Take in the events that have been written since."""
        with self._lock:
            events, self._offset = self.run.events(self._offset)
            for event in events:
                self._take(event)
        return self

    @property
    def state(self) -> State:
        """What the run is doing now. A run that should have a worker and has none was interrupted."""
        if self._last in ("running", "paused") and not self.run.is_held():
            with self._lock:
                events, offset = self.run.events(self._offset)
            if not events or offset == self._offset:
                return "interrupted"
            return self.follow().state  # it ended between the last look and this one
        return self._last

    @property
    def step(self) -> int:
        return self.steps[-1].step if self.steps else 0

    @property
    def total_steps(self) -> int:
        return self.started.total_steps if self.started else 0

    @property
    def seconds_left(self) -> float | None:
        """Seconds to the end at the speed so far; None before there is a speed."""
        if self.started is None or self.step <= 0 or not self.steps:
            return None
        return (self.total_steps - self.step) * self.steps[-1].seconds / self.step

    @property
    def test_accuracy(self) -> float | None:
        return self.evaluations[-1].test_accuracy if self.evaluations else None

    def _take(self, event: Event) -> None:
        self._last = _STATES.get(type(event), self._last)
        match event:
            case Step():
                self.steps.append(event)
            case Evaluated():
                self.evaluations.append(event)
            case LearningRate():
                self.rate_changes.append(event)
            case Created():
                self.created = event.time
            case Started():
                self._rewind(event.step)
                self.started, self.message = event, ""
            case Failed():
                self.message = event.message
            case Finished():
                self.finished = event

    def _rewind(self, step: int) -> None:
        """Forget what was recorded behind the checkpoint that the run goes on from."""
        self.steps = [event for event in self.steps if event.step <= step]
        self.evaluations = [event for event in self.evaluations if event.step <= step]
        self.rate_changes = [event for event in self.rate_changes if event.step <= step]


def downsample(x: Array, y: Array, points: int) -> tuple[Array, Array]:
    """At most `points` points that keep a curve's look: the lowest and the highest of each of equal stretches.

    Args:
        x: (N,) positions, rising.
        y: (N,) values.
        points: how many to keep, at least 4.

    Returns:
        The kept positions and values, in order, the first and the last among them.
    """
    if len(x) <= points:
        return x, y
    stretches = (points - 2) // 2
    inner = np.arange(1, len(x) - 1)
    stretch = (inner - 1) * stretches // len(inner)  # which of the equal stretches each inner point lies in
    by_height = np.lexsort((y[inner], stretch))
    ends = np.searchsorted(stretch, np.arange(stretches), side="right")
    starts = np.concatenate([[0], ends[:-1]])
    keep = np.unique(np.concatenate([[0], inner[by_height[starts]], inner[by_height[ends - 1]], [len(x) - 1]]))
    return x[keep], y[keep]
