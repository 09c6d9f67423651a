"""What happens in a training run, as plain data: the loop yields it, a run's `events.jsonl` keeps it."""

from __future__ import annotations

import base64
import json
import math
import sys
from array import array
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, ClassVar

COLUMNS = 5
"""Numbers that a record keeps of each step."""


@dataclass(frozen=True)
class Event:
    """Something that happened; `kind` names it in a run's record."""

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
    """Time spent training since the start, pauses left out."""
    rate: float
    """Images per second, a running mean over the last steps. (The learning rate is `learning_rate`.)"""


@dataclass(frozen=True)
class Steps(Event):
    """Steps that were taken one after another, in columns: how a run's record keeps them, because there are so many.

    As JSON the columns are one text: five times as many numbers as there are steps, each of 64 bits, the least byte first, in base64.
    That is read four times as fast as decimal digits. Records of digits are read, too.

    Raises:
        ValueError: the columns are not of the same length.
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
            raise ValueError("the columns are not of the same length")

    def to_json(self) -> str:
        return json.dumps({"kind": self.kind, "first": self.first, "columns": _packed(list(chain(*self._columns())))})

    @classmethod
    def of_columns(cls, first: int, columns: str) -> Steps:
        """Read what `to_json` has made of the columns.

        Raises:
            ValueError: it is nothing of the kind.
        """
        numbers = _unpacked(columns)
        count, rest = divmod(len(numbers), COLUMNS)
        if rest:
            raise ValueError("the columns are not of the same length")
        return cls(first, *(numbers[column * count : (column + 1) * count] for column in range(COLUMNS)))

    def _columns(self) -> tuple[list[float], ...]:
        return self.loss, self.accuracy, self.learning_rate, self.seconds, self.rate

    @classmethod
    def of(cls, steps: list[Step]) -> Steps:
        """The same steps in columns; losses and accuracies exactly, the rest as precisely as anyone reads them."""
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
    """What happened inside the network at one step; one number for each layer of the network, None where a layer has no such number
    or it is not finite."""

    kind = "observed"
    step: int
    gradient: list[float | None]
    """Euclidean norm of the loss's gradient by the layer's parameters, all together."""
    weight: list[float | None]
    """Euclidean norm of the parameters, before the step."""
    update: list[float | None]
    """Euclidean norm of what the step added to them."""
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
    """The inside of the network at one step, as pictures need it. A run keeps it in a file of its own, because it is large."""

    kind = "snapshot"
    step: int
    histograms: list[dict[str, Any]]
    """For each layer, of its `weights`, `gradients` and `outputs` those that it has: `low`, `high`, and the `counts` between them."""
    gallery: list[list[int]]
    """For each of the gallery's test images the probability of each class, in thousandths."""
    filters: dict[str, Any] | None
    """The first layer's weights as pictures: `shape` (count, channels, height, width), `bound`, and `pixels`, a byte each in base64, 128 for zero
    and 1 and 255 for minus and plus the bound. None where the first layer with weights looks at no image."""


@dataclass(frozen=True)
class Closeup(Event):
    """One iteration, all that happened in it; a run keeps only the last."""

    kind = "closeup"
    step: int
    document: dict[str, Any]
    """What `playground.training.instruments.closeup` describes."""


@dataclass(frozen=True)
class Diverged(Event):
    """The loss is no longer finite: where the first non-finite value appeared."""

    kind = "diverged"
    step: int
    """The step whose loss was not finite."""
    born: int
    """The step in which the first value that is not finite appeared; 0 where it was not found."""
    place: str
    """What it appeared in: `output`, `loss`, `gradient` or `update`."""
    layer: int
    """Whose; -1 for the loss."""
    largest: list[float | None]
    """The largest magnitude among each layer's outputs in that step, None from where it is not finite."""


@dataclass(frozen=True)
class Checkpoint(Event):
    """A good moment to save a checkpoint; the consumer of the events does so."""

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
class OptimizerChanged(Event):
    """Another optimizer took over, with a fresh state."""

    kind = "optimizer"
    step: int
    optimizer: str


@dataclass(frozen=True)
class Created(Event):
    """A run was created."""

    kind = "created"
    time: float
    """Seconds since 1970."""
    owner: str
    """Whose it is; empty for one started from the command line, which is everyone's to see."""
    parent: str = ""
    """The run whose past it shares; empty for one that begins at its own start."""
    parent_step: int = 0
    """The step up to which it shares it."""
    race: str = ""
    """A name shared by runs that race against each other; empty for one that does not."""


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
    """Message for the learner."""
    traceback: str
    """For whoever fixes the bug; empty where the learner can fix it."""


@dataclass(frozen=True)
class Finished(Event):
    """All steps were taken."""

    kind = "finished"
    time: float
    step: int
    seconds: float
    test_accuracy: float
    samples_per_second: float
    """Images trained on per second of training, evaluations left out."""


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
    """Read what `Event.to_json` wrote.

    Raises:
        ValueError: it is not an event.
    """
    document: dict[str, Any] = json.loads(line)
    try:
        kind = KINDS[document.pop("kind")]
        return Steps.of_columns(**document) if kind is Steps and "columns" in document else kind(**document)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an event: {error}") from None
