"""From a remedy to the run that it proposes."""

from __future__ import annotations

from playground.runs.branching import fork
from playground.runs.coach.finding import Remedy
from playground.runs.run import Run, create
from playground.training.config import TrainConfig


def remedied(run: Run, remedy: Remedy, owner: str) -> Run:
    """The run that a remedy proposes, not yet handed to a worker.

    Args:
        run: the one that was found fault with.
        remedy: one of those of a finding of this run.
        owner: whose the new run is.

    Raises:
        PlaygroundError: the checkpoint that it would go on from is gone, or the run cannot be written.
    """
    if remedy.start == "fork":
        return fork(run, remedy.at, remedy.changes, owner)
    config = TrainConfig.from_dict({**run.config.to_dict(), **remedy.changes})
    return create(config, remedy.network or run.network, owner)
