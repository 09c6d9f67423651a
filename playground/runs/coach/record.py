"""The record that the coach judges: a run's settings, network and measurements, with the statistics that detectors need."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from playground.data.catalogue import DatasetInfo, dataset_info
from playground.network.spec import NetworkSpec
from playground.runs.columns import NAMES, Array
from playground.runs.history import Change, History
from playground.runs.run import State
from playground.training.config import TrainConfig
from playground.training.events import Diverged, Evaluated, LearningRate, Observed, OptimizerChanged

WEIGHTED = ("Linear", "Conv2d", "PatchEmbedding", "ResidualBlock", "TransformerEncoderLayer")
"""Layers with weights that are learned, normalisation layers excluded."""
PLAIN = ("Linear", "Conv2d")
"""Layers of `WEIGHTED` that consist of one weight matrix or filter bank and a bias."""
NORMALISATIONS = ("BatchNorm1d", "BatchNorm2d", "LayerNorm")
"""Layers that normalise activations."""
WINDOW_IMAGES = 256
"""Minimum images per point of the smoothed loss: a mean over so many hardly depends on the choice of images."""
WINDOW_STEPS = 4
"""Minimum steps per point. Neither minimum depends on the progress of the run, so that a peak does not disappear later."""
PARTS = 8
"""Number of equal parts of a run, whose mean losses are compared."""

Numbers = Literal["gradient", "weight", "update", "mean", "std", "dead"]


@dataclass(frozen=True)
class Record:
    """Immutable state of a run at one moment."""

    config: TrainConfig
    network: NetworkSpec
    state: State
    steps: Array
    """(6, N): a row for each of `columns.NAMES`, a column for each step."""
    evaluations: tuple[Evaluated, ...] = ()
    observations: tuple[Observed, ...] = ()
    changes: tuple[Change, ...] = ()
    """What was changed by hand while it ran; of a fork, what it changed at its checkpoint, and since."""
    diverged: Diverged | None = None
    steps_per_epoch: int = 1
    total_steps: int = 1
    """Steps of the complete run."""
    checkpoints: tuple[int, ...] = ()
    """Steps with a checkpoint, ascending."""

    @classmethod
    def of(cls, history: History) -> Record:
        """Create the record of a run from its history.

        Raises:
            CheckpointError: the run's settings cannot be read.
            ConfigError: its network cannot be read.
        """
        run, started = history.run, history.started
        forked_at = history.created.parent_step if history.created else 0  # its settings include what was changed before
        return cls(
            run.config,
            run.network,
            history.state,
            history.steps.table(),
            tuple(history.evaluations),
            tuple(history.observations),
            tuple(change for change in history.changes if change.step > forked_at or (change.step == forked_at and change.before)),
            history.diverged,
            max(1, started.steps_per_epoch) if started else 1,
            max(1, started.total_steps) if started else 1,
            tuple(run.checkpoints.steps()),
        )

    @property
    def data(self) -> DatasetInfo:
        return dataset_info(self.config.dataset)

    @property
    def batch_size(self) -> int:
        """Images in one step."""
        return self.config.images_per_step(self.data.train_size)

    @property
    def chance_loss(self) -> float:
        """Loss at chance level: that of equal probabilities for all classes, ln(classes)."""
        return math.log(len(self.data.classes))

    @property
    def chance_accuracy(self) -> float:
        """Accuracy at chance level, from 0 to 1."""
        return 1 / len(self.data.classes)

    @property
    def floor(self) -> float:
        """Lowest possible training loss: 0, or with label smoothing the entropy of the smoothed target."""
        wrong = self.config.label_smoothing / len(self.data.classes)
        correct = 1 - self.config.label_smoothing + wrong
        return -correct * math.log(correct) - (len(self.data.classes) - 1) * wrong * math.log(wrong) if wrong else 0.0

    @property
    def step(self) -> int:
        """The last step taken."""
        return int(self.steps[0, -1]) if self.steps.shape[1] else 0

    @property
    def share_done(self) -> float:
        """Share of the run's steps that are done, from 0 to 1."""
        return self.step / self.total_steps

    @property
    def epochs(self) -> float:
        """Epochs done so far."""
        return self.step / self.steps_per_epoch

    @property
    def is_over(self) -> bool:
        """Whether all steps are done, or the run failed."""
        return self.step >= self.total_steps or self.state == "failed"

    def column(self, name: str) -> Array:
        """Return one value of every step, ``(N,)``."""
        row: Array = self.steps[NAMES.index(name)]
        return row

    @property
    def learning_rate(self) -> float:
        """The learning rate set last; with a schedule, its peak."""
        by_hand = [change.learning_rate for change in self.changes if isinstance(change, LearningRate)]
        return by_hand[-1] if by_hand else self.config.learning_rate

    @property
    def optimizer(self) -> str:
        """The name of the optimizer set last."""
        by_hand = [change.optimizer for change in self.changes if isinstance(change, OptimizerChanged)]
        return by_hand[-1] if by_hand else self.config.optimizer

    @cached_property
    def curve(self) -> tuple[Array, Array]:
        """The smoothed training loss: the last step of every window, ``(W,)``, and the mean loss in it, ``(W,)``."""
        loss, step = self.column("loss"), self.column("step")
        window = max(math.ceil(WINDOW_IMAGES / self.batch_size), WINDOW_STEPS)
        count = len(loss) // window
        whole = count * window  # the remainder waits for its rest
        return step[:whole].reshape(count, window)[:, -1], loss[:whole].reshape(count, window).mean(axis=1)

    @property
    def loss(self) -> float:
        """The mean training loss of the last tenth, over `WINDOW_IMAGES` images or more; the loss at chance level before the first step."""
        loss = self.column("loss")
        last = max(math.ceil(WINDOW_IMAGES / self.batch_size), len(loss) // 10)
        return float(loss[-last:].mean()) if len(loss) else self.chance_loss

    @property
    def progress(self) -> float:
        """Progress of the training loss from chance level (0) to the lowest possible loss (1); below 0 if it is worse than chance."""
        return (self.chance_loss - self.loss) / (self.chance_loss - self.floor)

    @cached_property
    def parts(self) -> Array:
        """The mean training loss of each of `PARTS` equal parts of the steps so far, ``(PARTS,)``; the mean of all where there are fewer steps."""
        loss = self.column("loss")
        if len(loss) < PARTS:
            return np.full(PARTS, loss.mean() if len(loss) else self.chance_loss)
        return np.array([part.mean() for part in np.array_split(loss, PARTS)])

    @property
    def improvement(self) -> float:
        """Share of the remaining training loss by which it fell in the last quarter."""
        before, after = float(self.parts[-3]), float(self.parts[-1])
        return (before - after) / max(before - self.floor, 1e-12)

    @property
    def noise(self) -> float:
        """Standard deviation of the loss from step to step in the last half, its trend taken out."""
        loss = self.column("loss")
        late = np.diff(loss[len(loss) // 2 :])
        return float(late.std() / math.sqrt(2)) if len(late) else 0.0  # a difference of two has twice the variance

    @cached_property
    def weighted(self) -> tuple[int, ...]:
        """Indices of the layers in `WEIGHTED`."""
        return tuple(index for index, layer in enumerate(self.network.layers) if layer.type in WEIGHTED)

    @property
    def is_normalised(self) -> bool:
        """Whether a normalisation layer follows most layers with weights, so that the scale of those weights does not matter."""
        types = [layer.type for layer in self.network.layers]
        hidden = self.weighted[:-1]
        followed = [
            types[index] == "ResidualBlock" or (types[index] in PLAIN and any(name in NORMALISATIONS for name in types[index + 1 : index + 3]))
            for index in hidden
        ]
        return bool(followed) and sum(followed) > len(followed) / 2

    def layer_values(self, name: Numbers) -> Array:
        """Return one measurement of every layer, ``(observations, layers)``; NaN where a layer has none."""
        rows = [[math.nan if value is None else value for value in getattr(observed, name)] for observed in self.observations]
        return np.array(rows, float).reshape(len(rows), len(self.network.layers))

    @cached_property
    def update_ratio(self) -> float | None:
        """Median over all steps of the norm of the update divided by that of the weights; None before the first observation.

        Observations are not evenly spread over the steps, so the ratio between them is interpolated in proportion to the learning rate.
        """
        weighted = list(self.weighted)
        update, weight, gradient = (self.layer_values(name)[:, weighted] for name in ("update", "weight", "gradient"))
        step, rate = self.column("step"), self.column("learning_rate")
        points = []
        for row, observed in enumerate(self.observations):
            known = (weight[row] > 0) & np.isfinite(update[row]) & np.isfinite(gradient[row])  # a frozen layer has no gradient
            at = int(np.searchsorted(step, observed.step))
            if known.any() and at < len(step) and rate[at] > 0:
                ratio = float(np.median(update[row, known] / weight[row, known]))
                points.append((observed.step, math.log(max(ratio / rate[at], 1e-30))))
        if not points:
            return None
        steps, logs = zip(*points, strict=True)
        return float(np.median(np.exp(np.interp(step, steps, logs)) * rate))
