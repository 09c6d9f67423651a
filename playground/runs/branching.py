"""Create related runs: a fork continues a run from a checkpoint; the runs of a race have the same start."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterable, Mapping

from playground.errors import ConfigError
from playground.messages import msg
from playground.network.spec import NetworkSpec
from playground.runs.history import History
from playground.runs.run import Run, create, create_from
from playground.training.config import TrainConfig
from playground.training.events import Created, Event, LearningRate, OptimizerChanged, Steps
from playground.training.optimizers import refuse_change

FIXED = ("dataset", "network", "batch_size", "inputs", "initialisation", "whiten", "seed")
"""Settings that a fork cannot change, because the steps before it were trained with them."""


def fork(run: Run, step: int, changes: Mapping[str, object], owner: str) -> Run:
    """Create a run that continues another one from one of its checkpoints, with other settings.

    Args:
        run: the run to continue.
        step: one of `run.checkpoints.steps()`.
        changes: the settings that differ, none of them in `FIXED`.
        owner: the learner who gets the new run.

    Raises:
        CheckpointError: there is no checkpoint at that step, or it is damaged.
        ConfigError: a setting cannot be changed or is out of range, or no step is left to train.
        RunError: the folder cannot be written.
    """
    if wrong := [name for name in changes if name in FIXED]:
        raise ConfigError([msg("A fork cannot change “{name}”, because the steps before it were trained with another value.", name=name) for name in wrong])
    state = run.checkpoints.load(step)
    assert state is not None
    current = {"learning_rate": state["learning_rate"], "optimizer": state.get("optimizer_name", run.config.optimizer)}
    config = TrainConfig.from_dict({**run.config.to_dict(), **current, **changes})
    refuse_change(run.config.optimizer, config.optimizer)
    history = History(run).follow()
    if history.started and step >= max(1, round(config.epochs * history.started.steps_per_epoch)):
        problem = msg(
            "At step {step:,} all {epochs:g} epochs are done, so the fork has no step left to train. Choose more epochs.", step=step, epochs=config.epochs
        )
        raise ConfigError([problem])
    if config.optimizer != current["optimizer"]:
        state["optimizer"] = None  # the state of one optimizer cannot be used by another
    changed: list[Event] = [
        *([LearningRate(step, config.learning_rate, current["learning_rate"])] if config.learning_rate != current["learning_rate"] else []),
        *([OptimizerChanged(step, config.optimizer, current["optimizer"])] if config.optimizer != current["optimizer"] else []),
    ]
    state |= {"learning_rate": config.learning_rate, "optimizer_name": config.optimizer}

    def fill(copy: Run) -> None:
        copy.checkpoints.save(state)
        if run.own_path.exists():
            shutil.copyfile(run.own_path, copy.own_path)
        copy.journal.extend([*_events_until(history, step), *changed, *(snapshot for snapshot in run.journal.snapshots() if snapshot.step <= step)])

    return create_from(config, run.network, Created(time.time(), owner, parent=run.id, parent_step=step), fill)


def race(config: TrainConfig, network: NetworkSpec, variations: Iterable[Mapping[str, object]], owner: str) -> list[Run]:
    """Create runs of one network with the same initial weights and the same batches; each differs in some settings.

    Args:
        config: the common settings, among them the seed.
        network: the network of all runs.
        variations: for each run, the settings in which it differs.
        owner: the learner who gets the runs.

    Raises:
        ConfigError: a variation is invalid; then no run is created.
        RunError: a folder cannot be written.
    """
    configs = [TrainConfig.from_dict({**config.to_dict(), **variation}) for variation in variations]
    name = secrets.token_hex(4)
    return [create(each, network, owner, name) for each in configs]


def _events_until(history: History, step: int) -> list[Event]:
    """Return the steps, evaluations, observations and changes of a run up to a step, without the events of its processes."""
    table = history.steps.table()
    first, *columns = (column.tolist() for column in table[:, table[0] <= step])
    steps = [Steps(int(first[0]), *columns)] if first else []
    others = [*history.evaluations, *history.observations, *history.changes]
    return [*steps, *(event for event in others if event.step <= step)]
