"""Replay a run's events: its state, curves and progress."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from playground.runs.columns import StepColumns
from playground.runs.run import Run, State
from playground.training.events import (
    Created,
    Diverged,
    Evaluated,
    Event,
    Failed,
    Finished,
    LearningRate,
    Observed,
    OptimizerChanged,
    Paused,
    Resumed,
    Started,
    Step,
    Steps,
    Stopped,
)

Change = LearningRate | OptimizerChanged

_STATES: dict[type[Event], State] = {
    Started: "running",
    Paused: "paused",
    Resumed: "running",
    Stopped: "stopped",
    Failed: "failed",
    Finished: "finished",
}
"""The state after an event; other events do not change it."""
_GATHERED: dict[type[Event], str] = {Evaluated: "evaluations", Observed: "observations", LearningRate: "changes", OptimizerChanged: "changes"}
"""The field that collects all events of a type."""
_LATEST: dict[type[Event], str] = {Created: "created", Started: "started", Diverged: "diverged", Finished: "finished"}
"""The field that holds the last event of a type."""


@dataclass
class History:
    """A replayed run; `follow` reads only the events appended since the last call."""

    run: Run
    created: Created | None = None
    steps: StepColumns = field(default_factory=StepColumns)
    evaluations: list[Evaluated] = field(default_factory=list)
    observations: list[Observed] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    """Changes that the learner made while it ran."""
    diverged: Diverged | None = None
    """Where the first non-finite value appeared; None if the loss stayed finite."""
    started: Started | None = None
    finished: Finished | None = None
    message: str = ""
    """Why the run failed, for the learner."""
    _last: State = "queued"
    _offset: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def follow(self) -> History:
        """Read the events appended since the last call, and return this history."""
        with self._lock:
            events, self._offset = self.run.journal.events(self._offset)
            for event in events:
                self._apply(event)
        return self

    @property
    def state(self) -> State:
        """Return the run's present state: interrupted if it should have a worker and has none."""
        if self._last in ("running", "paused") and not self.run.lock.is_held():
            with self._lock:
                _, offset = self.run.journal.events(self._offset)
            if offset == self._offset:
                return "interrupted"
            return self.follow().state  # it ended since the last call
        return self._last

    @property
    def version(self) -> tuple[State, int]:
        """Return the state and the bytes read of the record; everything else in the history follows from them."""
        return self.state, self._offset

    @property
    def step(self) -> int:
        return self.steps[-1].step if self.steps else 0

    @property
    def total_steps(self) -> int:
        return self.started.total_steps if self.started else 0

    @property
    def seconds_left(self) -> float | None:
        """Return the estimated seconds to the end at the speed so far; None before the first step."""
        if self.started is None or self.step <= 0 or not self.steps:
            return None
        return (self.total_steps - self.step) * self.steps[-1].seconds / self.step

    @property
    def optimizer(self) -> str:
        """Return the optimizer that the learner changed to last; empty if it is still the configuration's."""
        return next((change.optimizer for change in reversed(self.changes) if isinstance(change, OptimizerChanged)), "")

    @property
    def test_accuracy(self) -> float | None:
        return self.evaluations[-1].test_accuracy if self.evaluations else None

    def _apply(self, event: Event) -> None:
        kind = type(event)
        self._last = _STATES.get(kind, self._last)
        if kind in _GATHERED:
            getattr(self, _GATHERED[kind]).append(event)
        elif kind in _LATEST:
            setattr(self, _LATEST[kind], event)
        match event:
            case Steps():
                self.steps.extend(event)
            case Step():
                self.steps.extend(Steps.of([event]))
            case Started():
                self._rewind(event.step)
                self.message, self.diverged = "", None
            case Failed():
                self.message = event.message

    def _rewind(self, step: int) -> None:
        """Drop what was recorded after the checkpoint that the run continues from."""
        self.steps.rewind(step)
        for name in set(_GATHERED.values()):
            setattr(self, name, [event for event in getattr(self, name) if event.step <= step])
