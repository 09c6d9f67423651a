"""What the coach judges: a run's settings, its network, and the numbers that were recorded, read in the ways that detectors need."""

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
from playground.training.events import Diverged, Evaluated, LearningRate, Observed

WEIGHTED = ("Linear", "Conv2d", "PatchEmbedding", "ResidualBlock", "TransformerEncoderLayer")
"""Layers whose weights are learnt from the signal; a normalisation only scales it."""
PLAIN = ("Linear", "Conv2d")
"""Weighted layers with nothing else inside."""
NORMALISATIONS = ("BatchNorm1d", "BatchNorm2d", "LayerNorm")
"""Layers that bring values to one size."""
WINDOW_IMAGES = 256
"""Images behind every point of the smoothed loss at least: the mean over so many hardly depends on which they were."""
WINDOW_STEPS = 4
"""… and steps. Neither depends on how far a run is, so that a peak, once seen, stays seen."""
PARTS = 8
"""Equal parts of a run that are compared with each other."""

Numbers = Literal["gradient", "weight", "update", "mean", "std", "dead"]


@dataclass(frozen=True)
class Record:
    """A run as it stands at one moment; nothing here changes while it goes on."""

    config: TrainConfig
    network: NetworkSpec
    state: State
    steps: Array
    """(6, N): a row for each of `columns.NAMES`, a column for each step."""
    evaluations: tuple[Evaluated, ...] = ()
    observations: tuple[Observed, ...] = ()
    changes: tuple[Change, ...] = ()
    """What was changed by hand while it ran."""
    diverged: Diverged | None = None
    steps_per_epoch: int = 1
    total_steps: int = 1
    """Steps that the run shall have in the end."""
    checkpoints: tuple[int, ...] = ()
    """Steps whose states are kept, rising."""

    @classmethod
    def of(cls, history: History) -> Record:
        """The record of a run that has been followed so far.

        Raises:
            CheckpointError: the run's settings cannot be read.
            ConfigError: its network cannot be read.
        """
        run, started = history.run, history.started
        return cls(
            run.config,
            run.network,
            history.state,
            history.steps.table(),
            tuple(history.evaluations),
            tuple(history.observations),
            tuple(history.changes),
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
    def chance(self) -> float:
        """The loss of a network that gives every class the same probability: ln(classes)."""
        return math.log(len(self.data.classes))

    @property
    def guessed(self) -> float:
        """The accuracy of a network that guesses, from 0 to 1."""
        return 1 / len(self.data.classes)

    @property
    def floor(self) -> float:
        """The lowest training loss there can be: 0, or with label smoothing the entropy of the smoothed target."""
        wrong = self.config.label_smoothing / len(self.data.classes)
        right = 1 - self.config.label_smoothing + wrong
        return -right * math.log(right) - (len(self.data.classes) - 1) * wrong * math.log(wrong) if wrong else 0.0

    @property
    def step(self) -> int:
        """The last step taken."""
        return int(self.steps[0, -1]) if self.steps.shape[1] else 0

    @property
    def done(self) -> float:
        """Share of its steps that the run has taken."""
        return self.step / self.total_steps

    @property
    def epochs(self) -> float:
        """Epochs learnt so far."""
        return self.step / self.steps_per_epoch

    @property
    def is_over(self) -> bool:
        """Whether the run took all its steps, or cannot take more."""
        return self.step >= self.total_steps or self.state == "failed"

    def column(self, name: str) -> Array:
        """One value of every step, (N,)."""
        row: Array = self.steps[NAMES.index(name)]
        return row

    @property
    def rate(self) -> float:
        """The learning rate that was asked for last; with a schedule, its peak."""
        by_hand = [change.learning_rate for change in self.changes if isinstance(change, LearningRate)]
        return by_hand[-1] if by_hand else self.config.learning_rate

    @cached_property
    def curve(self) -> tuple[Array, Array]:
        """The smoothed training loss: the last step of every window, (W,), and the mean loss in it, (W,)."""
        loss, step = self.column("loss"), self.column("step")
        window = max(math.ceil(WINDOW_IMAGES / self.batch_size), WINDOW_STEPS)
        count = len(loss) // window
        whole = count * window  # the remainder waits for its rest
        return step[:whole].reshape(count, window)[:, -1], loss[:whole].reshape(count, window).mean(axis=1)

    @property
    def loss(self) -> float:
        """The mean training loss of the last tenth, over `WINDOW_IMAGES` images or more; the loss of chance before the first step."""
        loss = self.column("loss")
        last = max(math.ceil(WINDOW_IMAGES / self.batch_size), len(loss) // 10)
        return float(loss[-last:].mean()) if len(loss) else self.chance

    @property
    def progress(self) -> float:
        """How far the training loss has come from that of chance (0) to the lowest there can be (1); below 0 if it is worse than chance."""
        return (self.chance - self.loss) / (self.chance - self.floor)

    @cached_property
    def parts(self) -> Array:
        """The mean training loss of each of `PARTS` equal parts of the steps so far, (PARTS,); the mean of all where there are fewer steps."""
        loss = self.column("loss")
        if len(loss) < PARTS:
            return np.full(PARTS, loss.mean() if len(loss) else self.chance)
        return np.array([part.mean() for part in np.array_split(loss, PARTS)])

    @property
    def improvement(self) -> float:
        """By which share of what was left the training loss fell in the last quarter."""
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
        """Whether a normalisation follows most layers with weights, so that the size of those weights does not matter."""
        types = [layer.type for layer in self.network.layers]
        hidden = self.weighted[:-1]
        followed = [
            types[index] == "ResidualBlock" or (types[index] in PLAIN and any(name in NORMALISATIONS for name in types[index + 1 : index + 3]))
            for index in hidden
        ]
        return bool(followed) and sum(followed) > len(followed) / 2

    def seen(self, name: Numbers) -> Array:
        """What was observed of every layer, (observations, layers); NaN where there is no such number."""
        rows = [[math.nan if value is None else value for value in getattr(observed, name)] for observed in self.observations]
        return np.array(rows, float).reshape(len(rows), len(self.network.layers))

    @cached_property
    def update_ratio(self) -> float | None:
        """The median over all steps of how large a step is beside the weights that it changes; None before anything was observed.

        Looks at a run are not evenly spread over its steps, so the ratio is carried on between them in proportion to the learning rate.
        """
        weighted = list(self.weighted)
        update, weight, gradient = (self.seen(name)[:, weighted] for name in ("update", "weight", "gradient"))
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
