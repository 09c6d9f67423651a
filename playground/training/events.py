"""What happens in a training run, as plain data: the loop yields it, a run's `events.jsonl` keeps it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Event:
    """Something that happened; `kind` names it in a run's record."""

    kind: ClassVar[str]

    def to_json(self) -> str:
        return json.dumps({"kind": self.kind, **self.__dict__}, allow_nan=False)


@dataclass(frozen=True)
class Step(Event):
    """One batch was learnt."""

    kind = "step"
    step: int
    """Number of steps taken, this one included."""
    loss: float
    """Mean loss of the batch, before the step changed the weights."""
    accuracy: float
    """Share of the batch named rightly, from 0 to 1."""
    learning_rate: float
    seconds: float
    """Time spent training since the start, pauses left out."""
    rate: float
    """Images a second, averaged over the last steps."""


@dataclass(frozen=True)
class Evaluated(Event):
    """The network was tried on the test images."""

    kind = "evaluated"
    step: int
    epoch: float
    """Epochs learnt so far."""
    train_loss: float
    """Mean loss of the batches since the last evaluation."""
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    seconds: float


@dataclass(frozen=True)
class Checkpoint(Event):
    """A good moment to keep the state; whoever drives the loop does so."""

    kind = "checkpoint"
    step: int


@dataclass(frozen=True)
class LearningRate(Event):
    """The learning rate was changed by hand."""

    kind = "learning-rate"
    step: int
    learning_rate: float
    """The new peak: the schedule goes on from there."""


@dataclass(frozen=True)
class Created(Event):
    """A run was asked for."""

    kind = "created"
    time: float
    """Seconds since 1970."""
    owner: str
    """Whose it is; empty for one started from the command line, which is everyone's to see."""


@dataclass(frozen=True)
class Started(Event):
    """A worker began, or went on from a checkpoint: whatever was recorded behind `step` is void."""

    kind = "started"
    time: float
    step: int
    total_steps: int
    steps_per_epoch: int
    device: str
    threads: int


@dataclass(frozen=True)
class Paused(Event):
    kind = "paused"
    step: int


@dataclass(frozen=True)
class Resumed(Event):
    kind = "resumed"
    step: int


@dataclass(frozen=True)
class Stopped(Event):
    """The learner ended the run before its last step."""

    kind = "stopped"
    time: float
    step: int


@dataclass(frozen=True)
class Failed(Event):
    """The run cannot go on."""

    kind = "failed"
    time: float
    message: str
    """Words for the learner."""
    traceback: str
    """For whoever mends it; empty where the learner can."""


@dataclass(frozen=True)
class Finished(Event):
    """All steps were taken."""

    kind = "finished"
    time: float
    step: int
    seconds: float
    test_accuracy: float
    samples_per_second: float
    """Images learnt divided by the seconds of learning, evaluation left out."""


KINDS: dict[str, type[Event]] = {
    event.kind: event for event in (Step, Evaluated, Checkpoint, LearningRate, Created, Started, Paused, Resumed, Stopped, Failed, Finished)
}


def from_json(line: str | bytes) -> Event:
    """Read what `Event.to_json` wrote.

    Raises:
        ValueError: it is not an event.
    """
    document: dict[str, Any] = json.loads(line)
    try:
        return KINDS[document.pop("kind")](**document)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an event: {error}") from None
