"""Shorten records: fewer steps, or fewer observations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from playground.runs.coach import Record

FEW_OBSERVATIONS = 8
"""Observations of a run of about a second."""


def cut(record: Record, share: float) -> Record:
    """Return the record as it was after a share of the steps, while the run was training."""
    last = max(1, round(share * record.total_steps))
    return replace(
        record,
        state="running",
        steps=record.steps[:, record.steps[0] <= last],
        evaluations=tuple(each for each in record.evaluations if each.step <= last),
        observations=tuple(each for each in record.observations if each.step <= last),
        changes=tuple(each for each in record.changes if each.step <= last),
        diverged=None,
        checkpoints=tuple(step for step in record.checkpoints if step <= last),
    )


def thinned(record: Record) -> Record:
    """Return the record with the first observation and a few others, most of them early, as on a slow machine."""
    count = len(record.observations)
    kept = sorted({round(index) - 1 for index in np.geomspace(1, count, FEW_OBSERVATIONS)}) if count else []
    return replace(record, observations=tuple(record.observations[index] for index in kept))
