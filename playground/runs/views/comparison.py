"""Compare runs: their names, the settings in which they differ, their progress and cost, and their curves for one plot."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypedDict

import numpy as np

from playground import device as devices
from playground.data.catalogue import dataset_info
from playground.errors import PlaygroundError, UnknownName
from playground.messages import capitalised, joined, msg, nmsg
from playground.network.spec import NetworkSpec
from playground.network.totals import compute_totals
from playground.network.trace import trace
from playground.runs.columns import NAMES, Array
from playground.runs.history import History
from playground.runs.labels import label
from playground.runs.run import Run, State, find, modified_ns
from playground.settings import Setting
from playground.training.config import SETTINGS, TrainConfig
from playground.training.events import Created, Evaluated
from playground.training.suggestions import suggested

Axis = Literal["step", "epoch", "seconds"]
AXES: tuple[Axis, ...] = ("step", "epoch", "seconds")
Metric = Literal["loss", "accuracy"]
METRICS: tuple[Metric, ...] = ("loss", "accuracy")

MAX_RUNS = 30
"""Maximum number of runs in a comparison."""
POINTS = 300
"""Maximum number of points of a curve."""
ALL_POINTS = 3000
"""Maximum number of points of all training curves of a plot together."""
DIGITS = 5
"""Significant digits of a point: more than a screen can show."""
MAX_CHANGES_IN_NAME = 3
"""Maximum number of changes that a default name mentions."""
SEPARATE = ("dataset", "network", "device")
"""Settings that `differing` shows by their titles and not by their entries in `SETTINGS`."""
BACKWARD = 2
"""Multiply-adds of the backward pass per multiply-add of the forward pass: one for the gradient of the weights, one for that of the inputs.

Source: Kaplan et al., https://arxiv.org/abs/2001.08361, section 2.1; it counts each multiply-add as two operations.
"""


@dataclass(frozen=True)
class Setup:
    """A run's configuration, network and starting point: everything fixed before its first step."""

    config: TrainConfig
    network: NetworkSpec
    created: Created
    has_start_weights: bool
    """Whether training starts from weights in a file, not from initialised ones."""
    has_own_drawings: bool
    """Whether the learner's own drawings are added to the training set."""

    @property
    def start(self) -> str:
        """Return what the run starts from or trains on in addition; empty for initialised weights and the data set alone."""
        return msg("own drawings") if self.has_own_drawings else msg("weights of a file") if self.has_start_weights else ""


def setup(run: Run) -> Setup:
    """Return the setup of the run; read its files again only if they have changed.

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
    """Return the name that the learner gave the run, else its default name.

    Raises:
        PlaygroundError: it has no name, and its files cannot be read.
    """
    return label(run).name or default_name(run)


def default_name(run: Run) -> str:
    """Name a run after its changed settings: a fork's against its parent's, another run's against the recommended ones.

    A run without changes is named after its network and data set.

    Raises:
        PlaygroundError: the run's files cannot be read.
    """
    run_setup = setup(run)
    parent = _parent(run_setup.created)
    if parent:
        config, network = parent.config, parent.network.name
    else:
        config, network = suggested(run_setup.config.dataset, run_setup.network.name), suggested(run_setup.config.dataset).network
    title = run_setup.network.title or run_setup.network.name
    changes = [title] if run_setup.network.name != network else []
    changes += [run_setup.start] if run_setup.start != (parent.start if parent else "") else []
    changes += [setting.mention(run_setup.config) for setting in SETTINGS if _is_named_change(setting, run_setup.config, config)]
    step = run_setup.created.parent_step
    if run_setup.created.parent:
        from_step = msg("from step {step}: {changes}", step=step, changes=_join_changes(changes)) if changes else msg("from step {step}", step=step)
        return capitalised(from_step)
    if changes and changes != [title]:
        return capitalised(_join_changes(changes))
    return msg("{network} on {dataset}", network=title, dataset=dataset_info(run_setup.config.dataset).title)


def _parent(created: Created) -> Setup | None:
    """Return the setup of the run that this one was forked from; None if it is no fork or its parent cannot be read."""
    if not created.parent:
        return None
    try:
        return setup(find(created.parent))
    except PlaygroundError:
        return None


def _is_named_change(setting: Setting, config: TrainConfig, other: TrainConfig) -> bool:
    """Return whether the setting differs and a default name mentions it."""
    return bool(setting.name_template) and setting.applies_to(config) and setting.value(config) != setting.value(other)


def _join_changes(changes: Sequence[str]) -> str:
    more = len(changes) - MAX_CHANGES_IN_NAME
    first = joined(changes[:MAX_CHANGES_IN_NAME], ", ")
    return nmsg("{changes} and {n} more", "{changes} and {n} more", more, changes=first) if more > 0 else first


@dataclass(frozen=True)
class Column:
    """One setting of several runs."""

    name: str
    title: str
    texts: tuple[str, ...]
    """For each run its value as text; “–” where the setting does not apply."""
    numbers: tuple[float | None, ...]
    """For each run its value as a number; None where it is not a number."""

    def __post_init__(self) -> None:
        assert len(self.texts) == len(self.numbers)

    def as_json(self) -> SettingColumn:
        return {"name": self.name, "title": self.title, "texts": list(self.texts), "numbers": list(self.numbers)}


class SettingColumn(TypedDict):
    """One setting of several runs."""

    name: str
    title: str
    texts: list[str]
    """For each run its value as text; “–” where the setting does not apply."""
    numbers: list[float | None]
    """For each run its value as a number; null where it is not a number."""


def differing(runs: Sequence[Run]) -> list[Column]:
    """Return the settings that differ between the runs, the most informative first.

    Raises:
        PlaygroundError: a run's files cannot be read.
    """
    setups = [setup(run) for run in runs]
    columns = [
        _texts("dataset", msg("Data set"), [dataset_info(each.config.dataset).title for each in setups]),
        _texts("network", msg("Network"), _network_titles([each.network for each in setups])),
        _texts("parent", msg("Forked from"), [_origin(each.created) for each in setups]),
        _texts("weights", msg("Start"), [each.start or msg("fresh") for each in setups]),
        *(column for setting in SETTINGS if setting.name not in SEPARATE and (column := _column(setting, [each.config for each in setups]))),
        _texts("device", msg("Device"), [_device(each.config.device) for each in setups]),
    ]
    return [column for column in columns if len(set(column.texts)) > 1]


def _texts(name: str, title: str, texts: Iterable[str]) -> Column:
    texts = tuple(texts)
    return Column(name, title, texts, (None,) * len(texts))


def _network_titles(networks: Sequence[NetworkSpec]) -> list[str]:
    """Return the networks' titles; add the size where different networks share a title."""
    titles = [network.title or network.name for network in networks]
    layers = [{network.layers for network, other in zip(networks, titles, strict=True) if other == title} for title in titles]
    return [
        title
        if len(same) == 1
        else nmsg(
            "{title} ({n} layer, {parameters:,} parameters)",
            "{title} ({n} layers, {parameters:,} parameters)",
            len(network.layers),
            title=title,
            parameters=compute_totals(trace(network)).parameters,
        )
        for network, title, same in zip(networks, titles, layers, strict=True)
    ]


def _origin(created: Created) -> str:
    if not created.parent:
        return "–"
    try:
        parent = name(find(created.parent))
    except PlaygroundError:
        parent = msg("a deleted run")
    return msg("{run}, step {step}", run=parent, step=created.parent_step)


def _device(device: str) -> str:
    """Resolve a device name on this machine, `best` to the device that it stands for; return an unknown name as it is."""
    try:
        return devices.get(device).name
    except UnknownName:
        return device


def _column(setting: Setting, configs: Sequence[TrainConfig]) -> Column | None:
    """Return the column of a setting; None if it has the same value in all runs that it applies to."""
    if len({setting.value(config) for config in configs if setting.applies_to(config)}) < 2:
        return None
    values = [setting.value(config) if setting.applies_to(config) else None for config in configs]
    texts = [setting.text(config) if setting.applies_to(config) else "–" for config in configs]
    numbers = [float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None for value in values]
    return Column(setting.name, setting.title, tuple(texts), tuple(numbers))


@dataclass(frozen=True)
class Facts:
    """A run's progress, results and cost."""

    step: int
    """Steps taken. In a fork this and the fields below include its parent's part."""
    total_steps: int
    """Planned steps; 0 before the run has started."""
    seconds: float
    """Training time in seconds."""
    accuracy: float | None
    """Test accuracy of the last evaluation, from 0 to 1; None before the first one."""
    best_accuracy: float | None
    """Highest test accuracy of all evaluations."""
    parameters: int
    multiply_adds: int
    """Multiply-adds of the forward pass of one image."""
    compute: int
    """Multiply-adds of all forward and backward passes so far, without evaluations on the test set."""

    def as_json(self) -> RunFacts:
        return {
            "step": self.step,
            "total_steps": self.total_steps,
            "seconds": round(self.seconds, 1),
            "accuracy": self.accuracy,
            "best_accuracy": self.best_accuracy,
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
            "compute": self.compute,
            "share": round(self.step / self.total_steps, 2) if self.total_steps else 0.0,
            "compute_text": macs(self.compute),
        }


class RunFacts(TypedDict):
    """A run's progress, results and cost: numbers to sort by, and a text to read."""

    step: int
    total_steps: int
    """0 before the run has started."""
    seconds: float
    accuracy: float | None
    """Null before the first evaluation."""
    best_accuracy: float | None
    parameters: int
    multiply_adds: int
    compute: int
    share: float
    """Of the planned steps."""
    compute_text: str


def facts(run: Run, history: History) -> Facts:
    """Return the progress, results and cost of the run.

    Raises:
        PlaygroundError: its files cannot be read.
    """
    run_setup, table, evaluations = setup(run), history.steps.table(), list(history.evaluations)
    network = compute_totals(trace(run_setup.network))
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
        compute=(1 + BACKWARD) * network.multiply_adds * _images_processed(int(step), run_setup.config, evaluations),
    )


def _column_of(table: Array, name: str) -> Array:
    column: Array = table[NAMES.index(name)]
    return column


def _images_processed(step: int, config: TrainConfig, evaluations: Sequence[Evaluated]) -> int:
    """Return the number of images in all forward and backward passes.

    It is counted up to the last evaluation. After it, and in records of earlier versions, each step counts as one pass over its batch:
    a lower bound for L-BFGS.
    """
    images = _images(step, config)
    if not evaluations:
        return images
    last = evaluations[-1]
    return max(images, last.images_processed + images - _images(last.step, config))


def _images(step: int, config: TrainConfig) -> int:
    """Return the number of images in `step` steps; the last batch of an epoch can be smaller."""
    size = dataset_info(config.dataset).train_size
    batch = config.images_per_step(size)
    epochs, steps = divmod(step, math.ceil(size / batch))
    return epochs * size + steps * batch


def macs(count: float) -> str:
    """Format a number of multiply-adds: `1.2 TMAC`."""
    for prefix in ("", "k", "M", "G", "T", "P"):
        short = float(f"{count:.3g}")
        if short < 1000:
            return f"{short:g} {prefix}MAC"  # no text: a unit
        count /= 1000
    return f"{count:.3g} EMAC"  # no text: a unit


def points_each(runs: int) -> int:
    """Return the points per curve for so many runs in one plot, so that the response stays small."""
    return max(2, min(POINTS, ALL_POINTS // max(1, runs)))


class Curve(TypedDict):
    """One curve of a run."""

    x: list[float]
    y: list[float | None]
    """Null where a value is not finite."""


class Overlay(TypedDict):
    """The curves of one run for a plot with several runs."""

    state: State
    end: float | None
    """Of the axis as planned; null if unknown."""
    train: Curve
    """Means of the steps."""
    test: Curve


def overlay(history: History, x: Axis, metric: Metric, points: int = POINTS) -> Overlay:
    """Return the curves of one run for a plot with several runs: means of the steps, and the evaluations.

    Args:
        history: the run's record.
        x: the horizontal axis.
        metric: the vertical axis.
        points: maximum number of points of each curve.

    Raises:
        ValueError, OverflowError: a step has a place that is not finite, which the playground never writes.
    """
    table, evaluations = history.steps.table(), list(history.evaluations)
    per_epoch, positions = _steps_per_epoch(history), _positions(history, table, x)
    selected = [evaluations[index] for index in _spread(len(evaluations), points)]
    return {
        "state": history.state,
        "end": {"step": history.total_steps, "epoch": history.total_steps / per_epoch, "seconds": None}[x] or None,
        "train": {"x": _places(_bucket_means(positions, points)), "y": _rounded(_bucket_means(_column_of(table, metric), points))},
        "test": {"x": _places(_position(event, x) for event in selected), "y": _rounded(getattr(event, f"test_{metric}") for event in selected)},
    }


def cuts(history: History, x: Axis) -> list[float]:
    """Return the places on the axis where the learner changed the learning rate or the optimizer: those of the last steps before."""
    table = history.steps.table()
    counts = np.searchsorted(_column_of(table, "step"), [change.step for change in list(history.changes)], side="right")
    places = [0.0, *_positions(history, table, x).tolist()]
    return _places(places[count] for count in counts)


def _steps_per_epoch(history: History) -> int:
    return history.started.steps_per_epoch if history.started else 1


def _positions(history: History, table: Array, x: Axis) -> Array:
    """Return the place of each step on the axis."""
    positions: Array = _column_of(table, "seconds" if x == "seconds" else "step") / (_steps_per_epoch(history) if x == "epoch" else 1)
    return positions


def _position(event: Evaluated, x: Axis) -> float:
    return float(getattr(event, x))


def _bucket_means(values: Array, points: int) -> list[float]:
    """Return means over buckets of 1, 2, 4, … values, so that a growing curve keeps its points until there are too many."""
    count = len(values)
    if count == 0:
        return []
    size = 1 << max(0, math.ceil(math.log2(count / points)))
    starts = np.arange(0, count, size)
    means: list[float] = (np.add.reduceat(values, starts) / np.diff(np.append(starts, count))).tolist()
    return means


def _spread(count: int, limit: int) -> list[int]:
    """Return at most `limit` indices below `count`, evenly spread, with the first and the last."""
    if count <= limit:
        return list(range(count))
    return [round(index * (count - 1) / (limit - 1)) for index in range(limit)]


def _places(values: Iterable[float]) -> list[float]:
    return [_short(value) for value in values]


def _rounded(values: Iterable[float]) -> list[float | None]:
    """Round numbers to `DIGITS` significant digits, whole ones to int, so that they take few bytes; None for non-finite values."""
    return [_short(value) if math.isfinite(value) else None for value in values]


def _short(value: float) -> float:
    short = float(f"{value:.{DIGITS}g}")
    whole = int(short)
    return whole if whole == short else short
