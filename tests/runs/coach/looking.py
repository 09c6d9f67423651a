"""Records as they stood earlier, or with fewer observations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from playground.runs.coach import Record

FEW_LOOKS = 8
"""Observations of a run of about a second."""


def cut(record: Record, share: float) -> Record:
    """The record as it stood after a share of its steps, while the run went on."""
    last = max(1, round(share * record.total_steps))
    return replace(
        record,
        state="running",
        steps=record.steps[:, record.steps[0] <= last],
        evaluations=tuple(each for each in record.evaluations if each.step <= last),
        observations=tuple(each for each in record.observations if each.step <= last),
        diverged=None,
        checkpoints=tuple(step for step in record.checkpoints if step <= last),
    )


def thinned(record: Record) -> Record:
    """The record with the first observation and a few others, most of them early, as on a machine that has little time to look."""
    count = len(record.observations)
    kept = sorted({round(index) - 1 for index in np.geomspace(1, count, FEW_LOOKS)}) if count else []
    return replace(record, observations=tuple(record.observations[index] for index in kept))
