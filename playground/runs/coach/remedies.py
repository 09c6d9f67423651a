"""Runs that would do better than the one that is judged, each valid before it is offered.

Every function gives a tuple that is empty where its remedy changes nothing or cannot be, so that a detector adds them up.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from playground import environment as places
from playground.errors import ConfigError
from playground.network import spec as networks
from playground.network.spec import NetworkSpec
from playground.runs.branching import FIXED
from playground.runs.coach.finding import Remedy
from playground.runs.coach.record import Record
from playground.training.config import TrainConfig
from playground.training.optimizers import usual_learning_rate
from playground.training.suggestions import suggested

Remedies = tuple[Remedy, ...]

FAR = 4.0
"""A rate that many times from the usual one is not offered: it would be the same fault again, or the opposite one."""
USUAL_BATCH = 64
"""Between 32 (https://arxiv.org/abs/1804.07612) and what keeps a processor busy."""
MORE = 2.0
"""How many times as long a run is that shall learn for longer."""
SOME_EPOCHS = 3.0
"""… and how long at least."""


def rounded(number: float) -> float:
    """The number with one significant digit, as one would type it."""
    return float(f"{number:.1g}")


def settings(record: Record, label: str, **changes: Any) -> Remedies:
    """The same network trained anew with other settings."""
    return (Remedy(label, changes),) if _is_change(record, changes) else ()


def network(record: Record, label: str, changed: NetworkSpec | None, **changes: Any) -> Remedies:
    """Another network, trained anew."""
    if changed is None:
        return ()
    if record.config.whiten and changed.layers[0] != record.network.layers[0]:
        changes["whiten"] = False  # filters can be set from the images only where there are as many as whitening makes
    return (Remedy(label, {"network": changed.name, **changes}, changed),)


def recommended_network(record: Record) -> Remedies:
    """The playground's own network for the data set, with the run's settings."""
    name = suggested(record.config.dataset).network
    try:
        known = networks.load(places.models_folder() / f"{name}.json")
    except ConfigError:
        return ()
    return network(record, f"Train the network “{known.title}” instead", known) if known.layers != record.network.layers else ()


def fork(record: Record, label: str, before: int, **changes: Any) -> Remedies:
    """Going on from the last checkpoint in front of a step, with other settings."""
    kept = [step for step in record.checkpoints if step < before]
    if not kept or not _is_change(record, changes) or set(changes) & set(FIXED):
        return ()
    config = TrainConfig.from_dict({**record.config.to_dict(), **changes})
    is_left = kept[-1] < round(config.epochs * record.steps_per_epoch)
    return (Remedy(label, changes, at=kept[-1]),) if is_left else ()


def lower_rate(record: Record) -> Remedies:
    """The usual rate, and a tenth of the present one where that is not far from it; only what is lower."""
    usual, tenth = usual_learning_rate(record.config), rounded(record.learning_rate / 10)
    rates = [tenth] if usual > record.learning_rate / 2 else [usual] if tenth > FAR * usual else [usual, tenth]
    return tuple(remedy for rate in dict.fromkeys(rates) for remedy in with_rate(record, rate))


def higher_rate(record: Record) -> Remedies:
    """The usual rate, and ten times the present one where that is not far from it; only what is higher."""
    usual, tenfold = usual_learning_rate(record.config), rounded(record.learning_rate * 10)
    rates = [tenfold] if usual < record.learning_rate * 2 else [usual] if tenfold * FAR < usual else [usual, tenfold]
    return tuple(remedy for rate in dict.fromkeys(rates) for remedy in with_rate(record, rate))


def with_rate(record: Record, rate: float) -> Remedies:
    """The same network trained anew with another learning rate."""
    return settings(record, f"Train with a learning rate of {rate:g}", learning_rate=rate)


def with_usual_rate(record: Record, offered: Remedies) -> Remedies:
    """Remedies with the usual learning rate besides, where the run's is far above it."""
    usual = usual_learning_rate(record.config)
    if record.learning_rate < FAR * usual:
        return offered
    return tuple(
        replace(remedy, label=f"{remedy.label}, with a learning rate of {usual:g}", changes={**remedy.changes, "learning_rate": usual}) for remedy in offered
    )


def longer(record: Record) -> Remedies:
    """More epochs: going on from the last state where one was kept, else anew."""
    epochs = max(MORE * record.config.epochs, SOME_EPOCHS)
    return fork(record, f"Go on to {epochs:g} epochs", record.step + 1, epochs=epochs) or settings(record, f"Train for {epochs:g} epochs", epochs=epochs)


def _is_change(record: Record, changes: dict[str, Any]) -> bool:
    """Whether the settings are valid and differ from the run's, in which the learning rate may have been set by hand."""
    before = record.config.to_dict()
    try:
        TrainConfig.from_dict({**before, **changes})
    except ConfigError:
        return False
    return any({**before, "learning_rate": record.learning_rate}[name] != value for name, value in changes.items())
