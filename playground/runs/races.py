"""Races: runs that differ in one setting only, an optimizer, a learning rate or a batch size."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Literal

from playground.data.catalogue import dataset_info
from playground.errors import ConfigError
from playground.messages import Message, joined, msg
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
MAX_RUNS = 6
"""Maximum number of runs in a race: one worker holds the networks, gradients and optimizer states of all of them, and the data set once."""
FIRST_OPTIMIZERS = ("adam", "sgd", "rmsprop")
"""Optimizers of the first race that a page offers."""
FIRST_EPOCHS = 3.0
"""Epochs of the first race."""
EVALUATIONS = 12
"""Number of evaluations of each run of a short race, so that changes of the ranking are visible."""

Variation = dict[str, Any]
"""The settings of one run that differ from the common ones."""


def first_race() -> tuple[TrainConfig, list[Variation]]:
    """Return the common settings and the variations of a first race: three optimizers on MNIST 5k, which needs no download."""
    config = replace(suggested("mnist-5k"), epochs=FIRST_EPOCHS)
    return config, by_optimizer(config, FIRST_OPTIMIZERS)


def by_optimizer(config: TrainConfig, names: Sequence[str], *, usual: bool = False) -> list[Variation]:
    """Return one variation for each optimizer.

    Args:
        config: the common settings.
        names: names of the optimizers.
        usual: whether each optimizer gets its usual learning rate instead of the common one.
    """
    rates = {name: usual_learning_rate(replace(config, optimizer=name)) for name in names} if usual else {}
    variations: list[Variation] = [{"optimizer": name, **({"learning_rate": rates[name]} if usual else {})} for name in dict.fromkeys(names)]
    return _require_count(variations, msg("A race needs from 2 to {most} optimizers, not {count}."))


def by_learning_rate(text: str) -> list[Variation]:
    """Return one variation for each learning rate in a text such as `0.1, 0.01, 0.001`.

    Raises:
        ConfigError: the text is not a list of 2 to `MAX_RUNS` numbers.
    """
    values = _numbers(text, float, msg("“{word}” is not a learning rate, such as 0.01. Separate the numbers by commas."))
    return _require_count([{"learning_rate": value} for value in values], msg("A race needs from 2 to {most} learning rates, not {count}."))


def by_batch_size(text: str) -> list[Variation]:
    """Return one variation for each batch size in a text such as `16, 64, 256`.

    Raises:
        ConfigError: the text is not a list of 2 to `MAX_RUNS` whole numbers.
    """
    values = _numbers(text, int, msg("“{word}” is not a batch size, such as 64. Separate the numbers by commas."))
    return _require_count([{"batch_size": value} for value in values], msg("A race needs from 2 to {most} batch sizes, not {count}."))


def create_race(config: TrainConfig, network: NetworkSpec, variations: Sequence[Variation], owner: str) -> list[Run]:
    """Create the runs of a race; name each after its variation.

    Raises:
        ConfigError: a variation is invalid; then no run is created.
        RunError: a folder cannot be written.
    """
    changes_batches = any("batch_size" in variation for variation in variations)
    common = config if changes_batches else replace(config, evaluate_every=_evaluate_every(config))
    runs = branching.race(common, network, variations, owner)
    for run, variation in zip(runs, variations, strict=True):
        relabel(run, variation_name(variation))
    return runs


def variation_name(variation: Variation) -> str:
    """Return the name of a run with this variation: `SGD, learning rate 0.05`."""
    return joined((setting_called(name).mention(SimpleNamespace(**variation)) for name in variation), ", ")


def _evaluate_every(config: TrainConfig) -> int:
    """Return the steps between evaluations for `EVALUATIONS` in the whole race, at least one and at most four an epoch; 0 for one an epoch."""
    size = dataset_info(config.dataset).train_size
    steps = math.ceil(size / config.images_per_step(size))
    per_epoch = min(4, math.ceil(EVALUATIONS / config.epochs))
    return 0 if per_epoch == 1 else max(1, steps // per_epoch)


def _numbers(text: str, kind: Callable[[str], float], problem: Message) -> list[float]:
    """Parse the numbers in a text, separated by spaces, commas or semicolons; drop repetitions.

    Args:
        text: the text.
        kind: parses one of them.
        problem: the template of the error for a `{word}` that is none.
    """
    numbers = []
    for word in re.split(r"[\s,;]+", text.strip()):
        try:
            numbers.append(kind(word))
        except ValueError:
            raise ConfigError([problem.filled(word=word[:20])]) from None
    return list(dict.fromkeys(numbers))


def _require_count(variations: list[Variation], problem: Message) -> list[Variation]:
    """Return the variations; `problem` is the template of the error for a `{count}` that is too small or above `{most}`."""
    if not 2 <= len(variations) <= MAX_RUNS:
        raise ConfigError([problem.filled(most=MAX_RUNS, count=len(variations))])
    return variations
