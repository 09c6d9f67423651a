"""Events of a training run as plain data: the loop yields them, and `events.jsonl` stores them."""

from __future__ import annotations

import base64
import json
import math
import sys
from array import array
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, ClassVar

from playground.messages import as_plain, from_plain

COLUMNS = 5
"""Numbers stored for each step."""


@dataclass(frozen=True)
class Event:
    """An event; `kind` names its type in a run's record."""

    kind: ClassVar[str]

    def to_json(self) -> str:
        return json.dumps({"kind": self.kind, **self.__dict__}, allow_nan=False)


@dataclass(frozen=True)
class Step(Event):
    """The network was trained on one batch."""

    kind = "step"
    step: int
    """Number of steps taken, this one included."""
    loss: float
    """Mean loss of the batch, before the step changed the weights."""
    accuracy: float
    """Share of the batch that was correctly classified, from 0 to 1."""
    learning_rate: float
    seconds: float
    """Time spent training since the start, without pauses."""
    rate: float
    """Images per second, a running mean over the last steps. (The learning rate is `learning_rate`.)"""


@dataclass(frozen=True)
class Steps(Event):
    """Consecutive steps in columns, as a run's record stores them.

    In JSON all columns together are one base64 text of little-endian float64 numbers, which is parsed four times as fast as decimal digits.
    Records with decimal digits can be read, too.

    Raises:
        ValueError: the columns differ in length.
    """

    kind = "steps"
    first: int
    loss: list[float]
    accuracy: list[float]
    learning_rate: list[float]
    seconds: list[float]
    rate: list[float]

    def __post_init__(self) -> None:
        if len({len(column) for column in self._columns()}) != 1:
            raise ValueError("the columns differ in length")

    def to_json(self) -> str:
        return json.dumps({"kind": self.kind, "first": self.first, "columns": _packed(list(chain(*self._columns())))})

    @classmethod
    def of_columns(cls, first: int, columns: str) -> Steps:
        """Read columns written by `to_json`.

        Raises:
            ValueError: the text is not in that format.
        """
        numbers = _unpacked(columns)
        count, rest = divmod(len(numbers), COLUMNS)
        if rest:
            raise ValueError("the columns differ in length")
        return cls(first, *(numbers[column * count : (column + 1) * count] for column in range(COLUMNS)))

    def _columns(self) -> tuple[list[float], ...]:
        return self.loss, self.accuracy, self.learning_rate, self.seconds, self.rate

    @classmethod
    def of(cls, steps: list[Step]) -> Steps:
        """Convert steps to columns; keep losses and accuracies exactly, and round the others."""
        return cls(
            steps[0].step,
            [step.loss for step in steps],
            [step.accuracy for step in steps],
            [float(f"{step.learning_rate:.7g}") for step in steps],
            [round(step.seconds, 4) for step in steps],
            [round(step.rate, 1) for step in steps],
        )


@dataclass(frozen=True)
class Evaluated(Event):
    """The network was evaluated on the test images."""

    kind = "evaluated"
    step: int
    epoch: float
    """Epochs done so far."""
    train_loss: float
    """Mean loss of the batches since the last evaluation."""
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    seconds: float
    named: list[int] = field(default_factory=list)
    """Test images predicted as each class. Records store it under this key."""
    right: list[int] = field(default_factory=list)
    """Those of them that were predicted correctly."""
    images_processed: int = 0
    """Images in all forward and backward passes since the first step: L-BFGS processes the training set several times a step.
    0 in records of earlier versions."""


@dataclass(frozen=True)
class Observed(Event):
    """Statistics of the network at one step: for each layer a number, None where the layer has no such value or it is non-finite."""

    kind = "observed"
    step: int
    gradient: list[float | None]
    """Euclidean norm of the gradients of all the layer's parameters together."""
    weight: list[float | None]
    """Euclidean norm of the parameters, before the step."""
    update: list[float | None]
    """Euclidean norm of the update."""
    mean: list[float | None]
    """Mean of the layer's outputs over the batch."""
    std: list[float | None]
    """Standard deviation of the layer's outputs over the batch."""
    dead: list[float | None]
    """Of an activation with dead units (ReLU): share of its units, or channels, that were 0 for the whole batch."""
    input_mean: float | None
    """Mean of the batch as the network receives it."""
    input_std: float | None
    """Standard deviation of the batch as the network receives it."""


@dataclass(frozen=True)
class Snapshot(Event):
    """Histograms, predictions and filters at one step. A run stores snapshots in a separate file, because they are large."""

    kind = "snapshot"
    step: int
    histograms: list[dict[str, Any]]
    """For each layer the histograms of its `weights`, `gradients` and `outputs`, as far as it has them: `low`, `high` and `counts`."""
    gallery: list[list[int]]
    """For each of the gallery's test images the probability of each class, in thousandths."""
    filters: dict[str, Any] | None
    """The first layer's weights as pictures: `shape` (count, channels, height, width), `bound`, and `pixels`, a byte each in base64, 128 for zero
    and 1 and 255 for minus and plus the bound. None if the input of the first layer with weights is no image."""


@dataclass(frozen=True)
class Closeup(Event):
    """All values of one iteration; a run stores only the last close-up."""

    kind = "closeup"
    step: int
    document: dict[str, Any]
    """The document written by `playground.training.instruments.closeup`."""


@dataclass(frozen=True)
class Diverged(Event):
    """The loss is not finite: where the first non-finite value appeared."""

    kind = "diverged"
    step: int
    """First step with a non-finite loss."""
    born: int
    """Step in which the first non-finite value appeared; 0 if unknown."""
    place: str
    """Where it appeared: `output`, `loss`, `gradient` or `update`."""
    layer: int
    """Index of its layer; -1 for the loss."""
    largest: list[float | None]
    """Largest magnitude of each layer's outputs in that step, None from the first non-finite one on."""


@dataclass(frozen=True)
class Checkpoint(Event):
    """A good moment to save a checkpoint; the consumer of the events does so."""

    kind = "checkpoint"
    step: int


@dataclass(frozen=True)
class LearningRate(Event):
    """The learning rate was changed by hand, or by a fork at its first step."""

    kind = "learning-rate"
    step: int
    learning_rate: float
    """The new peak learning rate, which the schedule scales."""
    before: float = 0.0
    """What it was in the run that was forked; 0 for a change within a run."""


@dataclass(frozen=True)
class OptimizerChanged(Event):
    """Training continues with another optimizer and a fresh optimizer state: changed by hand, or by a fork at its first step."""

    kind = "optimizer"
    step: int
    optimizer: str
    before: str = ""
    """What it was in the run that was forked; empty for a change within a run."""


@dataclass(frozen=True)
class Created(Event):
    """A run was created."""

    kind = "created"
    time: float
    """Seconds since 1970."""
    owner: str
    """Id of the browser that owns it; empty for a run from the command line, which every browser shows."""
    parent: str = ""
    """Id of the run that it was forked from; empty for a run that is no fork."""
    parent_step: int = 0
    """Step of the parent from which the fork continues."""
    race: str = ""
    """Name shared by the runs of a race; empty for a run in no race."""


@dataclass(frozen=True)
class Started(Event):
    """A worker started or resumed the run at `step`: later records from before are void."""

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
    """Message for the learner."""
    traceback: str
    """Traceback for developers; empty if the learner can fix the error."""

    def to_json(self) -> str:
        return json.dumps({"kind": self.kind, **self.__dict__, "message": as_plain(self.message)}, allow_nan=False)


@dataclass(frozen=True)
class Finished(Event):
    """All steps were taken."""

    kind = "finished"
    time: float
    step: int
    seconds: float
    test_accuracy: float
    samples_per_second: float
    """Images per second of training, without evaluations."""


_HAPPENED = (Step, Steps, Evaluated, Observed, Snapshot, Closeup, Diverged, Checkpoint, LearningRate, OptimizerChanged)
_LIFE = (Created, Started, Paused, Resumed, Stopped, Failed, Finished)
KINDS: dict[str, type[Event]] = {event.kind: event for event in (*_HAPPENED, *_LIFE)}


def _packed(numbers: list[float]) -> str:
    if not all(map(math.isfinite, numbers)):
        raise ValueError("a record keeps finite numbers only")
    packed = array("d", numbers)
    if sys.byteorder == "big":
        packed.byteswap()
    return base64.b64encode(packed).decode()


def _unpacked(text: str) -> list[float]:
    packed = array("d", base64.b64decode(text, validate=True))
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tolist()


def from_json(line: str | bytes) -> Event:
    """Read a line written by `Event.to_json`.

    Raises:
        ValueError: the line is not an event.
    """
    document: dict[str, Any] = json.loads(line)
    try:
        kind = KINDS[document.pop("kind")]
        if kind is Failed and isinstance(document["message"], dict):  # a text alone in records of earlier versions
            document["message"] = from_plain(document["message"])
        return Steps.of_columns(**document) if kind is Steps and "columns" in document else kind(**document)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an event: {error}") from None
