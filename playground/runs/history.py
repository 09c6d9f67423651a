"""What a run's events add up to: its state, its curves, its progress."""

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
"""The state that an event leads to; the others lead nowhere."""
_GATHERED: dict[type[Event], str] = {Evaluated: "evaluations", Observed: "observations", LearningRate: "changes", OptimizerChanged: "changes"}
"""Events of which all are kept, and where."""
_LATEST: dict[type[Event], str] = {Created: "created", Started: "started", Diverged: "diverged", Finished: "finished"}
"""Events of which the last is kept."""


@dataclass
class History:
    """A run's record, replayed; `follow` reads only what is new since the last time."""

    run: Run
    created: Created | None = None
    steps: StepColumns = field(default_factory=StepColumns)
    evaluations: list[Evaluated] = field(default_factory=list)
    observations: list[Observed] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    """What was changed by hand while it ran."""
    diverged: Diverged | None = None
    """Where the loss stopped to be a number, if it did."""
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
            events, self._offset = self.run.journal.events(self._offset)
            for event in events:
                self._take(event)
        return self

    @property
    def state(self) -> State:
        """What the run is doing now. A run that should have a worker and has none was interrupted."""
        if self._last in ("running", "paused") and not self.run.lock.is_held():
            with self._lock:
                _, offset = self.run.journal.events(self._offset)
            if offset == self._offset:
                return "interrupted"
            return self.follow().state  # it ended between the last look and this one
        return self._last

    @property
    def version(self) -> tuple[State, int]:
        """What everything that is told of the run follows from: its state, and the bytes of the record that were read."""
        return self.state, self._offset

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
    def optimizer(self) -> str:
        """The optimizer that took over last; empty where it is still the configuration's."""
        return next((change.optimizer for change in reversed(self.changes) if isinstance(change, OptimizerChanged)), "")

    @property
    def test_accuracy(self) -> float | None:
        return self.evaluations[-1].test_accuracy if self.evaluations else None

    def _take(self, event: Event) -> None:
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
        """Forget what was recorded behind the checkpoint that the run goes on from."""
        self.steps.rewind(step)
        for name in set(_GATHERED.values()):
            setattr(self, name, [event for event in getattr(self, name) if event.step <= step])
