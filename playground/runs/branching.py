"""Creates runs from others: forks, which continue a run from a checkpoint, and races, which share a start."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterable, Mapping
from typing import Any

from playground.errors import ConfigError
from playground.network.spec import NetworkSpec
from playground.runs.history import History
from playground.runs.run import Run, create, create_from
from playground.training.config import TrainConfig
from playground.training.events import Created, Event, Steps
from playground.training.optimizers import refuse_change

FIXED = ("dataset", "network", "batch_size", "inputs", "initialisation", "whiten", "seed")
"""Settings that a fork cannot change, because the steps before it were trained with them."""


def fork(run: Run, step: int, changes: Mapping[str, Any], owner: str) -> Run:
    """Create a run that continues another one from one of its checkpoints, with other settings.

    Args:
        run: whose past.
        step: of one of `run.checkpoints.steps()`.
        changes: the settings that differ, none of those in `FIXED`.
        owner: whose the new run is.

    Raises:
        CheckpointError: no checkpoint of that step was kept, or it is damaged.
        ConfigError: a setting cannot be changed or is out of range, or no step is left to train.
        RunError: the folder cannot be written.
    """
    if wrong := [name for name in changes if name in FIXED]:
        raise ConfigError([f"A fork cannot change “{name}”, because the steps before it were trained with another value." for name in wrong])
    state = run.checkpoints.load(step)
    assert state is not None
    steered = {"learning_rate": state["learning_rate"], "optimizer": state.get("optimizer_name", run.config.optimizer)}
    config = TrainConfig.from_dict({**run.config.to_dict(), **steered, **changes})
    refuse_change(run.config.optimizer, config.optimizer)
    history = History(run).follow()
    if history.started and step >= max(1, round(config.epochs * history.started.steps_per_epoch)):
        raise ConfigError([f"At step {step} all {config.epochs:g} epochs are done already: give the fork more epochs."])
    if config.optimizer != steered["optimizer"]:
        state["optimizer"] = None  # what one optimizer remembers means nothing to another
    state |= {"learning_rate": config.learning_rate, "optimizer_name": config.optimizer}

    def fill(made: Run) -> None:
        made.checkpoints.save(state)
        if run.own_path.exists():
            shutil.copyfile(run.own_path, made.own_path)
        made.journal.extend([*_past(history, step), *(shot for shot in run.journal.snapshots() if shot.step <= step)])

    return create_from(config, run.network, Created(time.time(), owner, parent=run.id, parent_step=step), fill)


def race(config: TrainConfig, network: NetworkSpec, variations: Iterable[Mapping[str, Any]], owner: str) -> list[Run]:
    """Runs of the same network from the same start over the same batches, each with some settings of its own.

    Args:
        config: what they have in common, the seed among it.
        network: what all of them train.
        variations: for each run the settings in which it differs.
        owner: whose they are.

    Raises:
        ConfigError: a variation cannot work; then no run is made.
        RunError: a folder cannot be written.
    """
    configs = [TrainConfig.from_dict({**config.to_dict(), **variation}) for variation in variations]
    name = secrets.token_hex(4)
    return [create(each, network, owner, name) for each in configs]


def _past(history: History, step: int) -> list[Event]:
    """What a run recorded up to a step, but for how its processes came and went."""
    table = history.steps.table()
    first, *columns = (column.tolist() for column in table[:, table[0] <= step])
    steps = [Steps(int(first[0]), *columns)] if first else []
    kept = [*history.evaluations, *history.observations, *history.changes]
    return [*steps, *(event for event in kept if event.step <= step)]
