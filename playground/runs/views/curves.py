"""The curves of one run for the live view, reduced to a few hundred points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from playground.runs.columns import NAMES, Array
from playground.runs.history import History
from playground.training.events import Evaluated, LearningRate

POINTS = 300
"""Maximum number of points of a curve; each is the mean of equally many steps, with their minimum and maximum."""
DIGITS = 5
"""Significant digits of a point."""
T = TypeVar("T")


def curves(history: History, queue_position: int, first: float = 0, last: float = math.inf) -> dict[str, Any]:
    """Return what the live view shows of a run as JSON-ready data, about 40 kB at most for a run of any length.

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
        "changes": [
            {"step": change.step, "learning_rate": change.learning_rate}
            if isinstance(change, LearningRate)
            else {"step": change.step, "optimizer": change.optimizer}
            for change in history.changes
        ],
        "parent": {"run": created.parent, "step": created.parent_step} if created and created.parent else None,
        "checkpoints": checkpoints,
    }


def _batches(table: Array) -> dict[str, list[float]]:
    """Return columns of at most `POINTS` points: means, and for loss and accuracy also minimum and maximum."""
    count = table.shape[1]
    if count == 0:
        return {}
    starts = np.linspace(0, count, min(count, POINTS), endpoint=False).astype(int)
    sizes = np.diff(np.append(starts, count))
    step, loss, accuracy, learning_rate, seconds = (table[NAMES.index(name)] for name in ("step", "loss", "accuracy", "learning_rate", "seconds"))
    columns = {
        "step": step[starts + sizes - 1],
        "seconds": seconds[starts + sizes - 1],
        "learning_rate": learning_rate[starts + sizes - 1],
        **{name: np.add.reduceat(values, starts) / sizes for name, values in (("loss", loss), ("accuracy", accuracy))},
        **{f"{name}_low": np.minimum.reduceat(values, starts) for name, values in (("loss", loss), ("accuracy", accuracy))},
        **{f"{name}_high": np.maximum.reduceat(values, starts) for name, values in (("loss", loss), ("accuracy", accuracy))},
    }
    return {name: round_all(values.tolist()) for name, values in columns.items()}


def _tests(evaluations: Sequence[Evaluated]) -> dict[str, list[float]]:
    """Return columns of at most `POINTS` evaluations, the last one included."""
    selected = thin_out(evaluations, POINTS)
    names = ("step", "seconds", "test_loss", "test_accuracy", "train_loss", "train_accuracy")
    return {name.removeprefix("test_"): round_all([getattr(event, name) for event in selected]) for name in names}


def thin_out(events: Sequence[T], limit: int) -> list[T]:
    """Return at most `limit` of the events, evenly spread, with the first and the last."""
    if len(events) <= limit:
        return list(events)
    return [events[round(index * (len(events) - 1) / (limit - 1))] for index in range(limit)]


def round_all(values: Sequence[float]) -> list[float]:
    """Round each value to `DIGITS` significant digits."""
    return [float(f"{value:.{DIGITS}g}") for value in values]
