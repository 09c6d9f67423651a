"""What a race is made of: the settings in which its runs differ, and the one that shows most at a glance."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Literal

from playground.data.catalogue import dataset_info
from playground.errors import ConfigError
from playground.network.spec import NetworkSpec
from playground.runs import branching
from playground.runs.labels import relabel
from playground.runs.run import Run
from playground.training.config import TrainConfig, setting_called
from playground.training.optimizers import usual_learning_rate
from playground.training.suggestions import suggested

Kind = Literal["optimizer", "learning_rate", "batch_size"]
KINDS: dict[Kind, str] = {name: setting_called(name).title for name in ("optimizer", "learning_rate", "batch_size")}
"""The settings in which the runs of a race may differ, with their titles."""
RACERS = 6
"""Runs of a race, at most."""
FIRST = ("adam", "sgd", "rmsprop")
"""Optimizers of the race to begin with."""
FIRST_EPOCHS = 3.0
EVALUATIONS = 12
"""How often the runs of a short race are tried on the test images, so that their ranking is seen to change."""

Variation = dict[str, Any]


def first_race() -> tuple[TrainConfig, list[Variation]]:
    """The race to begin with: three optimizers on a small set of digits, ready without a download."""
    config = replace(suggested("mnist-5k"), epochs=FIRST_EPOCHS)
    return config, by_optimizer(config, FIRST)


def by_optimizer(config: TrainConfig, names: Sequence[str], *, usual: bool = False) -> list[Variation]:
    """One run for each optimizer.

    Args:
        config: the settings that the runs share.
        names: of the optimizers.
        usual: whether each gets its own usual learning rate, instead of all the same.
    """
    rates = {name: usual_learning_rate(replace(config, optimizer=name)) for name in names} if usual else {}
    return _counted([{"optimizer": name, **({"learning_rate": rates[name]} if usual else {})} for name in dict.fromkeys(names)], "optimizers")


def by_learning_rate(text: str) -> list[Variation]:
    """One run for each learning rate in a text such as `0.1, 0.01, 0.001`.

    Raises:
        ConfigError: it is no list of numbers, or of too few or too many.
    """
    return _counted([{"learning_rate": value} for value in _numbers(text, float, "a learning rate, such as 0.01")], "learning rates")


def by_batch_size(text: str) -> list[Variation]:
    """One run for each batch size in a text such as `16, 64, 256`.

    Raises:
        ConfigError: it is no list of whole numbers, or of too few or too many.
    """
    return _counted([{"batch_size": value} for value in _numbers(text, int, "a batch size, such as 64")], "batch sizes")


def begin(config: TrainConfig, network: NetworkSpec, variations: Sequence[Variation], owner: str) -> list[Run]:
    """Make the runs of a race, each named after what is its own.

    Raises:
        ConfigError: a variation cannot work; then no run is made.
        RunError: a folder cannot be written.
    """
    changes_batches = any("batch_size" in variation for variation in variations)
    common = config if changes_batches else replace(config, evaluate_every=_evaluate_every(config))
    runs = branching.race(common, network, variations, owner)
    for run, variation in zip(runs, variations, strict=True):
        relabel(run, racer(variation))
    return runs


def racer(variation: Variation) -> str:
    """What a run of a race is called: `SGD, learning rate 0.05`."""
    return ", ".join(setting_called(name).mention(SimpleNamespace(**variation)) for name in variation)


def _evaluate_every(config: TrainConfig) -> int:
    """Steps between evaluations: once an epoch, or in a short race as often as makes `EVALUATIONS`, but at most four times an epoch."""
    size = dataset_info(config.dataset).train_size
    steps = math.ceil(size / config.images_per_step(size))
    an_epoch = min(4, math.ceil(EVALUATIONS / config.epochs))
    return 0 if an_epoch == 1 else max(1, steps // an_epoch)


def _numbers(text: str, kind: Callable[[str], float], example: str) -> list[float]:
    """The numbers in a text, each once and in their order, however they are separated."""
    found = []
    for word in re.split(r"[\s,;]+", text.strip()):
        try:
            found.append(kind(word))
        except ValueError:
            raise ConfigError([f"“{word[:20]}” is not {example}."]) from None
    return list(dict.fromkeys(found))


def _counted(variations: list[Variation], what: str) -> list[Variation]:
    if not 2 <= len(variations) <= RACERS:
        raise ConfigError([f"A race takes from 2 to {RACERS} {what}, not {len(variations)}."])
    return variations
