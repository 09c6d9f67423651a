"""Create the run that a remedy proposes."""

from __future__ import annotations

import shutil
import time

from playground.runs.branching import fork
from playground.runs.coach.finding import Remedy
from playground.runs.run import Run, create_from
from playground.training.config import TrainConfig
from playground.training.events import Created


def create_remedy_run(run: Run, remedy: Remedy, owner: str) -> Run:
    """Create the run that a remedy proposes; it is not submitted yet.

    Args:
        run: the run with the fault.
        remedy: a remedy of one of its findings.
        owner: the learner who owns the new run.

    Raises:
        PlaygroundError: the checkpoint to continue from is gone, or the run cannot be written.
    """
    if remedy.start == "fork":
        return fork(run, remedy.at, remedy.changes, owner)
    config = TrainConfig.from_dict({**run.config.to_dict(), **remedy.changes})

    def fill(new: Run) -> None:
        if run.own_path.exists():
            shutil.copyfile(run.own_path, new.own_path)
        if run.start_path.exists() and remedy.network is None:
            shutil.copyfile(run.start_path, new.start_path)

    return create_from(config, remedy.network or run.network, Created(time.time(), owner), fill)
