"""A run's record as the live view draws it: a few points of many steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from playground.runs.columns import NAMES, Array
from playground.runs.history import History
from playground.training.events import Evaluated, LearningRate

POINTS = 300
"""Points of a curve that are sent, however long the run: each the mean of equally many steps, with the lowest and the highest."""
DIGITS = 5
T = TypeVar("T")


def curves(history: History, queue_position: int, first: float = 0, last: float = math.inf) -> dict[str, Any]:
    """What the live view shows of a run; plain data, at most some 40 kB at any length.

    Args:
        history: the run's record.
        queue_position: how many runs are before it, counted from 1; 0 where it does not wait.
        first: of the steps that are drawn, for a closer look at some of them.
        last: of the same.
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
        "rate": newest.rate if newest else 0.0,
        "learning_rate": newest.learning_rate if newest else None,
        "optimizer": history.optimizer,
        "test_accuracy": history.test_accuracy,
        "batches": _batches(table[:, (table[0] >= first) & (table[0] <= last)]),
        "tests": _tests(evaluations),
        "changes": [
            {"step": change.step, "rate": change.learning_rate} if isinstance(change, LearningRate) else {"step": change.step, "optimizer": change.optimizer}
            for change in history.changes
        ],
        "parent": {"run": created.parent, "step": created.parent_step} if created and created.parent else None,
        "checkpoints": checkpoints,
    }


def _batches(table: Array) -> dict[str, list[float]]:
    """Columns of at most `POINTS` points: means, and of loss and accuracy the extremes, too."""
    count = table.shape[1]
    if count == 0:
        return {}
    starts = np.linspace(0, count, min(count, POINTS), endpoint=False).astype(int)
    sizes = np.diff(np.append(starts, count))
    step, loss, accuracy, rate, seconds = (table[NAMES.index(name)] for name in ("step", "loss", "accuracy", "learning_rate", "seconds"))
    columns = {
        "step": step[starts + sizes - 1],
        "seconds": seconds[starts + sizes - 1],
        "learning_rate": rate[starts + sizes - 1],
        **{name: np.add.reduceat(values, starts) / sizes for name, values in (("loss", loss), ("accuracy", accuracy))},
        **{f"{name}_low": np.minimum.reduceat(values, starts) for name, values in (("loss", loss), ("accuracy", accuracy))},
        **{f"{name}_high": np.maximum.reduceat(values, starts) for name, values in (("loss", loss), ("accuracy", accuracy))},
    }
    return {name: rounded(values.tolist()) for name, values in columns.items()}


def _tests(evaluations: Sequence[Evaluated]) -> dict[str, list[float]]:
    """Columns of the evaluations, at most `POINTS` of them, the last among them."""
    chosen = thinned(evaluations, POINTS)
    names = ("step", "seconds", "test_loss", "test_accuracy", "train_loss", "train_accuracy")
    return {name.removeprefix("test_"): rounded([getattr(event, name) for event in chosen]) for name in names}


def thinned(events: Sequence[T], most: int) -> list[T]:
    """At most so many of the events, evenly spread, the first and the last among them."""
    if len(events) <= most:
        return list(events)
    return [events[round(index * (len(events) - 1) / (most - 1))] for index in range(most)]


def rounded(values: Sequence[float]) -> list[float]:
    """As many digits as a screen can show."""
    return [float(f"{value:.{DIGITS}g}") for value in values]
