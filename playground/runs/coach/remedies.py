"""Propose remedies: runs with changed settings, each of them valid.

Every function returns a tuple, empty if its remedy would change nothing or is impossible, so that a detector can concatenate them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from playground import environment
from playground.errors import ConfigError
from playground.messages import msg
from playground.network import spec as networks
from playground.network.spec import NetworkSpec
from playground.runs.branching import FIXED
from playground.runs.coach.finding import Remedy
from playground.runs.coach.record import Record
from playground.training.config import TrainConfig
from playground.training.optimizers import usual_learning_rate
from playground.training.suggestions import suggested

Remedies = tuple[Remedy, ...]

FAR_FACTOR = 4.0
"""A learning rate more than this many times above or below the usual one is not proposed: it would be a fault again."""
USUAL_BATCH = 64
"""A usual batch size: above 32 (https://arxiv.org/abs/1804.07612), for more images per second."""
EPOCHS_FACTOR = 2.0
"""Epochs of a longer run, divided by those of the run."""
MIN_LONGER_EPOCHS = 3.0
"""Minimum epochs of a longer run."""


def rounded(number: float) -> float:
    """Round to one significant digit."""
    return float(f"{number:.1g}")


def settings(record: Record, label: str, **changes: object) -> Remedies:
    """Propose to train the same network from the start with other settings."""
    return (Remedy(label, changes),) if _is_change(record, changes) else ()


def network(record: Record, label: str, changed: NetworkSpec | None, **changes: object) -> Remedies:
    """Propose to train another network from the start."""
    if changed is None:
        return ()
    if record.config.whiten and changed.layers[0] != record.network.layers[0]:
        changes["whiten"] = False  # whitening needs a first layer with a certain number of filters
    return (Remedy(label, {"network": changed.name, **changes}, changed),)


def recommended_network(record: Record) -> Remedies:
    """Propose the recommended network for the data set, with the run's settings."""
    name = suggested(record.config.dataset).network
    try:
        recommended = networks.load(environment.models_folder() / f"{name}.json")
    except ConfigError:
        return ()
    return (
        network(record, msg("Train the network “{title}” instead", title=recommended.title), recommended) if recommended.layers != record.network.layers else ()
    )


def fork(record: Record, label: str, before: int, **changes: object) -> Remedies:
    """Propose to continue from the last checkpoint before a step, with other settings."""
    earlier = [step for step in record.checkpoints if step < before]
    if not earlier or not _is_change(record, changes) or set(changes) & set(FIXED):
        return ()
    config = TrainConfig.from_dict({**record.config.to_dict(), **changes})
    has_steps_left = earlier[-1] < round(config.epochs * record.steps_per_epoch)
    return (Remedy(label, changes, at=earlier[-1]),) if has_steps_left else ()


def lower_learning_rate(record: Record) -> Remedies:
    """Propose lower learning rates: the usual one, and a tenth of the present one unless that is far below the usual one."""
    usual, tenth = usual_learning_rate(record.config), rounded(record.learning_rate / 10)
    rates = [tenth] if usual > record.learning_rate / 2 else [usual] if tenth > FAR_FACTOR * usual else [usual, tenth]
    return tuple(remedy for rate in dict.fromkeys(rates) for remedy in with_learning_rate(record, rate))


def higher_learning_rate(record: Record) -> Remedies:
    """Propose higher learning rates: the usual one, and ten times the present one unless that is far from the usual one."""
    usual, tenfold = usual_learning_rate(record.config), rounded(record.learning_rate * 10)
    rates = [tenfold] if usual < record.learning_rate * 2 else [usual] if tenfold * FAR_FACTOR < usual else [usual, tenfold]
    return tuple(remedy for rate in dict.fromkeys(rates) for remedy in with_learning_rate(record, rate))


def with_learning_rate(record: Record, learning_rate: float) -> Remedies:
    """Propose to train the same network from the start with another learning rate."""
    return settings(record, msg("Train with a learning rate of {rate:g}", rate=learning_rate), learning_rate=learning_rate)


def with_usual_learning_rate(record: Record, proposed: Remedies) -> Remedies:
    """Return the remedies; add the usual learning rate to each if the run's is far above it."""
    usual = usual_learning_rate(record.config)
    if record.learning_rate < FAR_FACTOR * usual:
        return proposed
    return tuple(
        replace(
            remedy, label=msg("{remedy}, with a learning rate of {rate:g}", remedy=remedy.label, rate=usual), changes={**remedy.changes, "learning_rate": usual}
        )
        for remedy in proposed
    )


def longer(record: Record) -> Remedies:
    """Propose more epochs: from the last checkpoint if there is one, else from the start."""
    epochs = max(EPOCHS_FACTOR * record.config.epochs, MIN_LONGER_EPOCHS)
    continued = fork(record, msg("Continue to {epochs:g} epochs", epochs=epochs), record.step + 1, epochs=epochs)
    return continued or settings(record, msg("Train for {epochs:g} epochs", epochs=epochs), epochs=epochs)


def _is_change(record: Record, changes: Mapping[str, object]) -> bool:
    """Return whether the settings are valid and differ from the run's; some can have been changed during training."""
    before = record.config.to_dict()
    try:
        TrainConfig.from_dict({**before, **changes})
    except ConfigError:
        return False
    return any({**before, "learning_rate": record.learning_rate, "optimizer": record.optimizer}[name] != value for name, value in changes.items())
