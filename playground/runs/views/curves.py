"""The curves of one run for the live view, reduced to a few hundred points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypedDict, TypeVar

import numpy as np

from playground.runs.columns import NAMES, Array
from playground.runs.history import Change, History
from playground.runs.run import State
from playground.training.events import Evaluated, LearningRate

POINTS = 300
"""Maximum number of points of a curve; each is the mean of equally many steps, with their minimum and maximum."""
DIGITS = 5
"""Significant digits of a point."""
T = TypeVar("T")


class Batches(TypedDict, total=False):
    """The columns of the training curves; none before the first step."""

    step: list[int]
    """The last one of each point."""
    seconds: list[float]
    learning_rate: list[float]
    loss: list[float]
    accuracy: list[float]
    loss_low: list[float]
    accuracy_low: list[float]
    loss_high: list[float]
    accuracy_high: list[float]


class Tests(TypedDict):
    """The columns of the evaluations."""

    step: list[int]
    seconds: list[float]
    loss: list[float]
    accuracy: list[float]
    train_loss: list[float]
    train_accuracy: list[float]


class RateChange(TypedDict):
    """A change of the learning rate during training."""

    step: int
    learning_rate: float


class OptimizerChange(TypedDict):
    """A change of the optimizer during training."""

    step: int
    optimizer: str


class ForkPoint(TypedDict):
    """Where a run was forked from another."""

    run: str
    step: int


class RunCurves(TypedDict):
    """What the live view shows of a run."""

    state: State
    message: str
    """Why the run failed; empty if it did not."""
    queue: int
    """Place in the queue, counted from 1; 0 if it is not queued."""
    step: int
    total_steps: int
    """0 before the start, as `per_epoch`."""
    per_epoch: int
    seconds: float
    seconds_left: float | None
    images_per_second: float
    learning_rate: float | None
    optimizer: str
    """The optimizer that the learner changed to last; empty if it is still the configuration's."""
    test_accuracy: float | None
    batches: Batches
    tests: Tests
    changes: list[RateChange | OptimizerChange]
    """By the learner."""
    parent: ForkPoint | None
    checkpoints: list[int]
    """Their steps."""


def curves(history: History, queue_position: int, first: float = 0, last: float = math.inf) -> RunCurves:
    """Return what the live view shows of a run, about 40 kB at most for a run of any length.

    Args:
        history: the run's record.
        queue_position: place in the queue, counted from 1; 0 if it is not queued.
        first: first step of the curves, to zoom in.
        last: last step of the curves.
    """
    table, evaluations, state, created = history.steps.table(), list(history.evaluations), history.state, history.created
    newest = history.steps[-1] if len(history.steps) else None
    checkpoints = history.run.checkpoints.steps()
    return {
        "state": state,
        "message": history.message,
        "queue": queue_position,
        "step": history.step,
        "total_steps": history.total_steps,
        "per_epoch": history.started.steps_per_epoch if history.started else 0,
        "seconds": newest.seconds if newest else 0.0,
        "seconds_left": history.seconds_left,
        "images_per_second": newest.rate if newest else 0.0,
        "learning_rate": newest.learning_rate if newest else None,
        "optimizer": history.optimizer,
        "test_accuracy": history.test_accuracy,
        "batches": _batches(table[:, (table[0] >= first) & (table[0] <= last)]),
        "tests": _tests(evaluations),
        "changes": [_change(change) for change in history.changes],
        "parent": {"run": created.parent, "step": created.parent_step} if created and created.parent else None,
        "checkpoints": checkpoints,
    }


def _change(change: Change) -> RateChange | OptimizerChange:
    if isinstance(change, LearningRate):
        return {"step": change.step, "learning_rate": change.learning_rate}
    return {"step": change.step, "optimizer": change.optimizer}


def _batches(table: Array) -> Batches:
    """Return columns of at most `POINTS` points: means, and for loss and accuracy also minimum and maximum."""
    count = table.shape[1]
    if count == 0:
        return {}
    starts = np.linspace(0, count, min(count, POINTS), endpoint=False).astype(int)
    sizes = np.diff(np.append(starts, count))
    ends = starts + sizes - 1
    step, loss, accuracy, learning_rate, seconds = (table[NAMES.index(name)] for name in ("step", "loss", "accuracy", "learning_rate", "seconds"))
    return {
        "step": step[ends].astype(int).tolist(),
        "seconds": _column(seconds[ends]),
        "learning_rate": _column(learning_rate[ends]),
        "loss": _column(np.add.reduceat(loss, starts) / sizes),
        "accuracy": _column(np.add.reduceat(accuracy, starts) / sizes),
        "loss_low": _column(np.minimum.reduceat(loss, starts)),
        "accuracy_low": _column(np.minimum.reduceat(accuracy, starts)),
        "loss_high": _column(np.maximum.reduceat(loss, starts)),
        "accuracy_high": _column(np.maximum.reduceat(accuracy, starts)),
    }


def _column(values: Array) -> list[float]:
    return round_all(values.tolist())


def _tests(evaluations: Sequence[Evaluated]) -> Tests:
    """Return columns of at most `POINTS` evaluations, the last one included."""
    selected = thin_out(evaluations, POINTS)
    return {
        "step": [event.step for event in selected],
        "seconds": round_all([event.seconds for event in selected]),
        "loss": round_all([event.test_loss for event in selected]),
        "accuracy": round_all([event.test_accuracy for event in selected]),
        "train_loss": round_all([event.train_loss for event in selected]),
        "train_accuracy": round_all([event.train_accuracy for event in selected]),
    }


def thin_out(events: Sequence[T], limit: int) -> list[T]:
    """Return at most `limit` of the events, evenly spread, with the first and the last."""
    if len(events) <= limit:
        return list(events)
    return [events[round(index * (len(events) - 1) / (limit - 1))] for index in range(limit)]


def round_all(values: Sequence[float]) -> list[float]:
    """Round each value to `DIGITS` significant digits."""
    return [float(f"{value:.{DIGITS}g}") for value in values]
