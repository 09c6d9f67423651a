"""Runs side by side: what each is called, in which settings they differ, what each has cost, and their curves for one plot."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from playground import device as devices
from playground.data.catalogue import dataset_info
from playground.errors import PlaygroundError, UnknownName
from playground.network.facts import totals
from playground.network.spec import NetworkSpec
from playground.network.trace import trace
from playground.runs.columns import NAMES, Array
from playground.runs.history import History
from playground.runs.labels import label
from playground.runs.run import Run, find, modified_ns
from playground.settings import Setting
from playground.training.config import SETTINGS, TrainConfig
from playground.training.events import Created, Evaluated
from playground.training.suggestions import suggested

Axis = Literal["step", "epoch", "seconds"]
AXES: tuple[Axis, ...] = ("step", "epoch", "seconds")
What = Literal["loss", "accuracy"]

POINTS = 300
"""Points of a curve, at most."""
ALL_POINTS = 3000
"""Points of all training curves of a plot together, at most."""
DIGITS = 5
"""Significant digits of a point: more than a screen can show."""
MAX_CHANGES_IN_NAME = 3
"""Changes that a default name mentions, at most."""
SEPARATE = ("dataset", "network", "device")
"""Settings whose columns are not made by their entries: a device, a network and a data set are called by their titles."""
BACKWARD = 2
"""Multiply-adds of a backward pass for each of the forward pass: one for the gradient of the weights, one for that of the inputs.

Source: Kaplan et al., https://arxiv.org/abs/2001.08361, section 2.1; it counts each multiply-add as two operations.
"""


@dataclass(frozen=True)
class Setup:
    """What was settled of a run before its first step."""

    config: TrainConfig
    network: NetworkSpec
    created: Created
    foreign: bool
    """Whether it started from weights that were learnt elsewhere."""
    taught: bool
    """Whether it learns from drawings of the learner's own."""

    @property
    def start(self) -> str:
        """What it was given to start from; empty for a network that starts fresh, on the data set alone."""
        return "own drawings" if self.taught else "weights of a file" if self.foreign else ""


def setup(run: Run) -> Setup:
    """What was settled of the run; read again only when its files have changed.

    Raises:
        PlaygroundError: a file is missing, damaged, or of a later version.
    """
    return _setup(run, *(modified_ns(run.path / name) for name in ("config.json", "network.json", "start.safetensors", "own.safetensors")))


@lru_cache(maxsize=4096)
def _setup(run: Run, _config: int, _network: int, start: int, own: int) -> Setup:
    config = run.config
    dataset_info(config.dataset)
    return Setup(config, run.network, run.created, start > 0, own > 0)


def name(run: Run) -> str:
    """What the run is called: as the learner named it, else what was changed in it.

    Raises:
        PlaygroundError: it has no name, and its files cannot be read.
    """
    return label(run).name or default_name(run)


def default_name(run: Run) -> str:
    """What was changed: for a fork against its parent, for other runs against what is recommended for the data set and the network.

    Raises:
        PlaygroundError: the run's files cannot be read.
    """
    own = setup(run)
    parent = _parent(own.created)
    if parent:
        config, network = parent.config, parent.network.name
    else:
        config, network = suggested(own.config.dataset, own.network.name), suggested(own.config.dataset).network
    changes = [own.network.title or own.network.name] if own.network.name != network else []
    changes += [own.start] if own.start != (parent.start if parent else "") else []
    changes += [setting.mention(own.config) for setting in SETTINGS if _tells(setting, own.config, config)]
    told = _listed(changes)
    if own.created.parent:
        return f"from step {own.created.parent_step}: {told}" if told else f"from step {own.created.parent_step}"
    return told or "recommended settings"


def _parent(created: Created) -> Setup | None:
    """Of what the run is a fork; None where it is none, or its parent can no longer be read."""
    if not created.parent:
        return None
    try:
        return setup(find(created.parent))
    except PlaygroundError:
        return None


def _tells(setting: Setting, config: TrainConfig, other: TrainConfig) -> bool:
    """Whether the setting makes a difference that a name tells."""
    return bool(setting.name_template) and setting.applies_to(config) and setting.value(config) != setting.value(other)


def _listed(changes: Sequence[str]) -> str:
    more = len(changes) - MAX_CHANGES_IN_NAME
    return ", ".join(changes[:MAX_CHANGES_IN_NAME]) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True)
class Column:
    """One setting of several runs."""

    name: str
    title: str
    texts: tuple[str, ...]
    """For each run its value as a person writes it; “–” where it means nothing."""
    numbers: tuple[float | None, ...]
    """For each run its value as a number; None where it is none."""

    def __post_init__(self) -> None:
        assert len(self.texts) == len(self.numbers)


def differing(runs: Sequence[Run]) -> list[Column]:
    """The settings that are not the same in all of the runs, what tells most first.

    Raises:
        PlaygroundError: a run's files cannot be read.
    """
    setups = [setup(run) for run in runs]
    columns = [
        _texts("dataset", "Data set", [dataset_info(own.config.dataset).title for own in setups]),
        _texts("network", "Network", _network_titles([own.network for own in setups])),
        _texts("parent", "Forked from", [_origin(own.created) for own in setups]),
        _texts("weights", "Start", [own.start or "fresh" for own in setups]),
        *(column for setting in SETTINGS if setting.name not in SEPARATE and (column := _column(setting, [own.config for own in setups]))),
        _texts("device", "Device", [_device(own.config.device) for own in setups]),
    ]
    return [column for column in columns if len(set(column.texts)) > 1]


def _texts(name: str, title: str, texts: Iterable[str]) -> Column:
    texts = tuple(texts)
    return Column(name, title, texts, (None,) * len(texts))


def _network_titles(networks: Sequence[NetworkSpec]) -> list[str]:
    """Their titles; networks that share a title and are not the same have their size told, too."""
    titles = [network.title or network.name for network in networks]
    layers = [{network.layers for network, other in zip(networks, titles, strict=True) if other == title} for title in titles]
    return [
        title if len(same) == 1 else f"{title} ({len(network.layers)} layers, {totals(trace(network)).parameters:,} parameters)"
        for network, title, same in zip(networks, titles, layers, strict=True)
    ]


def _origin(created: Created) -> str:
    if not created.parent:
        return "–"
    try:
        parent = name(find(created.parent))
    except PlaygroundError:
        parent = "a deleted run"
    return f"{parent}, step {created.parent_step}"


def _device(device: str) -> str:
    """What the name means on this machine: `best` is no other than the device that it stands for."""
    try:
        return devices.get(device).name
    except UnknownName:
        return device


def _column(setting: Setting, configs: Sequence[TrainConfig]) -> Column | None:
    """The column of a setting; None where all runs that heed it have it alike."""
    if len({setting.value(config) for config in configs if setting.applies_to(config)}) < 2:
        return None
    values = [setting.value(config) if setting.applies_to(config) else None for config in configs]
    texts = [setting.text(config) if setting.applies_to(config) else "–" for config in configs]
    numbers = [float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None for value in values]
    return Column(setting.name, setting.title, tuple(texts), tuple(numbers))


@dataclass(frozen=True)
class Facts:
    """What a run has come to, and what it has cost."""

    step: int
    """Steps learnt; of a fork those of its parent are among them, as in all that follows."""
    total_steps: int
    """Steps to be learnt; 0 before it was started."""
    seconds: float
    """Spent learning."""
    accuracy: float | None
    """On the test images, the last time, from 0 to 1; None before the first time."""
    best_accuracy: float | None
    """The highest of them."""
    parameters: int
    multiply_adds: int
    """Of a forward pass of one image."""
    compute: int
    """Multiply-adds of all that was learnt, forward and backward; evaluations are not counted."""


def facts(run: Run, history: History) -> Facts:
    """What the run has come to.

    Raises:
        PlaygroundError: its files cannot be read.
    """
    own, table, evaluations = setup(run), history.steps.table(), list(history.evaluations)
    network = totals(trace(own.network))
    accuracies = [event.test_accuracy for event in evaluations]
    step, seconds = (_column_of(table, name)[-1] if table.shape[1] else 0 for name in ("step", "seconds"))
    return Facts(
        step=int(step),
        total_steps=history.total_steps,
        seconds=float(seconds),
        accuracy=accuracies[-1] if accuracies else None,
        best_accuracy=max(accuracies, default=None),
        parameters=network.parameters,
        multiply_adds=network.multiply_adds,
        compute=(1 + BACKWARD) * network.multiply_adds * _images(int(step), own.config),
    )


def _column_of(table: Array, name: str) -> Array:
    column: Array = table[NAMES.index(name)]
    return column


def _images(step: int, config: TrainConfig) -> int:
    """Images learnt in so many steps; the last batch of an epoch has those that are left."""
    size = dataset_info(config.dataset).train_size
    batch = config.images_per_step(size)
    epochs, steps = divmod(step, math.ceil(size / batch))
    return epochs * size + steps * batch


def macs(count: float) -> str:
    """A number of multiply-adds as a person reads it: `1.2 TMAC`."""
    for prefix in ("", "k", "M", "G", "T", "P"):
        short = float(f"{count:.3g}")
        if short < 1000:
            return f"{short:g} {prefix}MAC"
        count /= 1000
    return f"{count:.3g} EMAC"


def points_each(runs: int) -> int:
    """Points of each curve where so many runs share a plot, so that what is sent stays small."""
    return max(2, min(POINTS, ALL_POINTS // max(1, runs)))


def overlay(history: History, x: Axis, what: What, points: int = POINTS) -> dict[str, Any]:
    """The curves of one run for a plot that it shares with others: means of the steps, and the evaluations.

    Args:
        history: the run's record.
        x: what the curves are drawn over.
        what: which curves.
        points: of each curve, at most.

    Returns:
        The run's `state`, the place `end` where it is planned to end on the axis (None where that is not known), and
        the curves `train` and `test`, each as columns `x` and `y`.
    """
    table, evaluations = history.steps.table(), list(history.evaluations)
    per_epoch = history.started.steps_per_epoch if history.started else 1
    places = _column_of(table, "seconds" if x == "seconds" else "step") / (per_epoch if x == "epoch" else 1)
    chosen = [evaluations[index] for index in _spread(len(evaluations), points)]
    return {
        "state": history.state,
        "end": {"step": history.total_steps, "epoch": history.total_steps / per_epoch, "seconds": None}[x] or None,
        "train": {"x": _rounded(_bucket_means(places, points)), "y": _rounded(_bucket_means(_column_of(table, what), points))},
        "test": {"x": _rounded(_place(event, x) for event in chosen), "y": _rounded(getattr(event, f"test_{what}") for event in chosen)},
    }


def _place(event: Evaluated, x: Axis) -> float:
    return float(getattr(event, x))


def _bucket_means(values: Array, points: int) -> list[float]:
    """Means over buckets of 1, 2, 4, … values, so that a curve that grows keeps the points that it has until they become too many."""
    count = len(values)
    if count == 0:
        return []
    size = 1 << max(0, math.ceil(math.log2(count / points)))
    starts = np.arange(0, count, size)
    means: list[float] = (np.add.reduceat(values, starts) / np.diff(np.append(starts, count))).tolist()
    return means


def _spread(count: int, most: int) -> list[int]:
    """At most so many of the indices below `count`, evenly spread, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [round(index * (count - 1) / (most - 1)) for index in range(most)]


def _rounded(values: Iterable[float]) -> list[float | None]:
    """Numbers with as many digits as a plot can show, whole ones without a point, so that they take few bytes; None for what is not finite."""
    return [_short(value) if math.isfinite(value) else None for value in values]


def _short(value: float) -> float:
    short = float(f"{value:.{DIGITS}g}")
    return int(short) if short.is_integer() else short
