"""A run's history as the small JSON document that its live view draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from playground.runs.history import History, downsample
from playground.training.events import Step

POINTS = 400
"""Points of a curve that are sent, however long the run."""
HALF_LIFE = 4
"""Steps after which a batch counts half in the smoothed curves."""
DIGITS = 5


def curves(history: History, queue_position: int) -> dict[str, Any]:
    """What the live view shows of a run; plain data, at most some 25 kB at any length."""
    steps, evaluations = list(history.steps), list(history.evaluations)
    state = history.state
    per_epoch = history.started.steps_per_epoch if history.started else 1
    last = steps[-1] if steps else None
    return {
        "version": f"{state}-{len(steps)}-{len(evaluations)}-{len(history.rate_changes)}-{queue_position}",
        "state": state,
        "message": history.message,
        "queue": queue_position,
        "step": history.step,
        "total_steps": history.total_steps,
        "epoch": round(history.step / per_epoch, 2),
        "epochs": round(history.total_steps / per_epoch, 2),
        "seconds": last.seconds if last else 0.0,
        "seconds_left": history.seconds_left,
        "rate": last.rate if last else 0.0,
        "learning_rate": last.learning_rate if last else None,
        "test_accuracy": history.test_accuracy,
        "batch_loss": _curve(steps, "loss", per_epoch),
        "batch_accuracy": _curve(steps, "accuracy", per_epoch),
        "test": {
            "x": [_round(event.epoch) for event in evaluations],
            "loss": [_round(event.test_loss) for event in evaluations],
            "accuracy": [_round(event.test_accuracy) for event in evaluations],
        },
    }


def _curve(steps: list[Step], name: str, per_epoch: int) -> dict[str, list[float]]:
    """One value of every step over the epochs, smoothed; the raw extremes beside it."""
    if not steps:
        return {"x": [], "y": [], "raw_x": [], "raw_y": []}
    x = np.fromiter((event.step for event in steps), float, len(steps)) / per_epoch
    y = np.fromiter((getattr(event, name) for event in steps), float, len(steps))
    smooth = pd.Series(y).ewm(halflife=HALF_LIFE).mean().to_numpy()
    keep_x, keep_y = downsample(x, smooth, POINTS)
    raw_x, raw_y = downsample(x, y, POINTS)
    return {"x": _rounded(keep_x), "y": _rounded(keep_y), "raw_x": _rounded(raw_x), "raw_y": _rounded(raw_y)}


def _rounded(values: Any) -> list[float]:
    return [_round(value) for value in values.tolist()]


def _round(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
