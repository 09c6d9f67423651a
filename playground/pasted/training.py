"""A training script read as the settings of a run: what it made and called, with the line that each setting comes from."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.optim import lr_scheduler

from playground.data.augmentation import Augmentation
from playground.data.catalogue import DATASETS, DatasetInfo, dataset_info
from playground.data.load import is_ready
from playground.errors import ConfigError, PlaygroundError
from playground.messages import msg
from playground.pasted.choosing import Candidate, Choice
from playground.pasted.cleaning import cleaned
from playground.pasted.errors import CodeError, line_of, of_script
from playground.pasted.mistakes import Mistake, Observation, dataset_of, mistakes
from playground.pasted.observing import Event, Observer, observe, optimized
from playground.pasted.reading import MAX_TEXT, Reading, read_value
from playground.pasted.recording import META, CallFailed
from playground.tensors.language import objects
from playground.tensors.language.classes import Instance
from playground.tensors.language.errors import ScriptError
from playground.tensors.language.partly import PartialRun
from playground.training.config import SETTINGS, TrainConfig
from playground.training.optimizers import OPTIMIZERS

_SCHEDULES: tuple[tuple[type, str], ...] = (
    (lr_scheduler.OneCycleLR, "one-cycle"), (lr_scheduler.CosineAnnealingLR, "cosine"), (lr_scheduler.CosineAnnealingWarmRestarts, "cosine"),
    (lr_scheduler.StepLR, "step"), (lr_scheduler.MultiStepLR, "step"), (lr_scheduler.ExponentialLR, "step"),
)  # fmt: skip
"""PyTorch's schedules, each with the playground's that comes nearest."""
_SUBSETS = {"mnist": "mnist-5k"}
"""Data sets that come with the playground, for those that must be downloaded."""


@dataclass(frozen=True)
class Taken:
    """A setting that a script says."""

    name: str
    """Of the setting of a run; `network` and `dataset` as well."""
    value: str
    line: int | None


@dataclass(frozen=True)
class TrainingReading:
    """What a training script says."""

    config: TrainConfig
    network: Reading | None
    """None where it is no stack of the playground's layers."""
    problem: str
    """Why the network could not be read; empty where it was."""
    taken: tuple[Taken, ...]
    mistakes: tuple[Mistake, ...]
    notes: tuple[str, ...]
    """What was taken otherwise than the script says it, and why."""


def read_training(text: str) -> TrainingReading:
    """Return the settings of a run that a training script describes, and the mistakes in it.

    Raises:
        CodeError: it is not Python, or trains nothing; the message names the line.
    """
    if len(text) > MAX_TEXT:
        raise CodeError(msg("The code has {count:,} characters; the limit is {most:,}.", count=len(text), most=MAX_TEXT), msg("Leave in only the training."))
    with torch.device(META):
        try:
            run, observer = observe(cleaned(text), MAX_TEXT)
            optimizer, module = optimized(observer)
            if module is None:
                raise _nothing(run, observer)
            observation = Observation(run, list(observer.events), optimizer, module)
            info, said = _dataset(observation)
            network, problem = _network(run, observer, module, info)
        except ScriptError as error:
            raise of_script(error) from None
    settings = list(_settings(observation))
    notes = [*said, *_notes(observation)]
    config, unfit = _config(info, settings)
    taken = [Taken("dataset", info.title, _line_of_loader(observation))]
    if network is not None:
        taken.append(Taken("network", network.spec.name, network.candidates[0].line))
    taken += [Taken(name, str(value), line) for name, value, line in settings if value not in (0, False, "constant") and name not in unfit]
    return TrainingReading(config, network, problem, tuple(taken), tuple(mistakes(observation)), (*notes, *unfit.values()))


def _nothing(run: PartialRun, observer: Observer) -> CodeError:
    """Return why a text trains nothing."""
    if run.failed and not any(event.kind == "optimizer" for event in observer.events):
        return of_script(run.failed[0].error)
    message = msg("There is no training in this code.")
    return CodeError(message, msg("Paste the network, the optimizer and the loop with `loss.backward()` and `optimizer.step()`."))


def _network(run: PartialRun, observer: Observer, module: nn.Module, info: DatasetInfo) -> tuple[Reading | None, str]:
    """Return the network, or why it is no stack of the playground's layers."""
    value = objects.outside(module)
    name = value.kind.name if isinstance(value, Instance) else "nn.Sequential"
    candidate = Candidate(name, observer.line_of_module(module), value)
    try:
        return read_value(run, observer, Choice(value, candidate, [candidate]), info.input_shape), ""
    except CallFailed as failure:
        return None, of_script(failure.error).text
    except PlaygroundError as error:
        return None, error.text


def _dataset(observation: Observation) -> tuple[DatasetInfo, list[str]]:
    """Return the data set that the network trains on, or one with images of the same shape, and what is to be said about it."""
    dataset = dataset_of(observation.batches[0][1]) if observation.batches else None
    name = str(dataset.kind.lookup("name")[0] or "") if dataset is not None else ""
    if name in {info.name for info in DATASETS}:
        info = dataset_info(name)
        if not is_ready(name) and name in _SUBSETS:
            other = dataset_info(_SUBSETS[name])
            return other, [msg("{dataset} is not on this server yet; {other}, which is a part of it, is taken.", dataset=info.title, other=other.title)]
        return info, []
    shapes = [tuple(part.shape[1:]) for event in observation.trained for part in event.args if isinstance(part, torch.Tensor)]
    own = dataset.kind.lookup("shape")[0] if dataset is not None else None
    channels = next((shape[0] for shape in (*shapes, own) if isinstance(shape, tuple) and len(shape) == 3), 1)
    info = dataset_info("shapes" if channels == 3 else "mnist-5k")
    return info, [msg("The playground does not have the data of this script; {dataset} is taken.", dataset=info.title)]


def _line_of_loader(observation: Observation) -> int | None:
    return next((event.loops[-1].line for event, _loader in observation.batches if event.loops), None)


def _settings(observation: Observation) -> Iterator[tuple[str, Any, int | None]]:
    """Yield the settings of a run that a script says: name, value, line."""
    yield from _of_optimizer(observation)
    yield from _of_loops(observation)
    schedule = next(iter(observation.of("schedule")), None)
    name = next((name for each, name in _SCHEDULES if schedule is not None and isinstance(schedule.value, each)), "constant")
    yield "schedule", name, schedule.line if schedule else None
    for event in observation.of("clip"):
        numbers = [part for part in event.args if isinstance(part, (int, float)) and not isinstance(part, bool)]
        if event.value == "clip_grad_norm_" and numbers:
            yield "clip_grad_norm", float(numbers[0]), event.line
            break
    for event in observation.of("loss"):
        if smoothing := getattr(event.value, "label_smoothing", 0.0):
            yield "label_smoothing", float(smoothing), event.line
            break
    for event in observation.of("seed"):
        if event.args and isinstance(event.args[0], int):
            yield "seed", event.args[0], event.line
            break


def _of_optimizer(observation: Observation) -> Iterator[tuple[str, Any, int | None]]:
    """Yield the optimizer and its arguments; a script may have changed its groups."""
    optimizer = observation.optimizer
    line = next((event.line for event in observation.of("optimizer") if event.value is optimizer), None)
    kind = next((each for each in OPTIMIZERS if each.class_name == type(optimizer).__name__), None)
    group = optimizer.param_groups[0] if optimizer.param_groups else {}
    if kind is not None:
        yield "optimizer", kind.name, line
        said = {"learning_rate": group.get("initial_lr", group.get("lr")), **{name: group.get(name) for name in kind.uses}}
        for name, value in said.items():
            if isinstance(value, (bool, int, float)):
                yield name, value if isinstance(value, bool) else float(value), line
            elif isinstance(value, (tuple, list)) and all(isinstance(part, (int, float)) for part in value):
                yield name, tuple(map(float, value)), line


def _of_loops(observation: Observation) -> Iterator[tuple[str, Any, int | None]]:
    """Yield the batch size and the number of epochs."""
    for event, loader in observation.batches[:1]:
        size = loader.attributes.get("batch_size")
        if isinstance(size, int):
            yield "batch_size", size, event.loops[-1].line if event.loops else None
        epochs = next((loop for loop in event.loops if loop.is_range and loop.turns), None)
        if epochs is not None:
            yield "epochs", float(epochs.turns or 1), epochs.line


def _notes(observation: Observation) -> Iterator[str]:
    """Yield what a run of the playground does otherwise than the script, and what of the script could not be run."""
    for failed in observation.run.failed:
        if isinstance(failed.node, (ast.For, ast.While, ast.With)):
            line = line_of(failed.error.node) or failed.node.lineno
            yield msg("Line {line}: This could not be run to its end. {reason}", line=line, reason=failed.error.message)
    name = type(observation.optimizer).__name__
    if not any(each.class_name == name for each in OPTIMIZERS):
        yield msg("The playground has no optimizer {name}; Adam is taken.", name=name)
    schedule: Event | None = next(iter(observation.of("schedule")), None)
    if schedule is not None and not isinstance(schedule.value, (lr_scheduler.OneCycleLR, lr_scheduler.CosineAnnealingLR)):
        yield msg("The schedule {name} becomes the one of the playground that comes nearest.", name=type(schedule.value).__name__)
    for event in observation.of("loss"):
        loss = event.value if isinstance(event.value, str) else type(event.value).__name__
        if loss not in ("cross_entropy", "CrossEntropyLoss", "nll_loss", "NLLLoss"):
            yield msg("The loss {name} is not taken: the playground trains with cross-entropy.", name=loss)
            return


def _config(info: DatasetInfo, said: list[tuple[str, Any, int | None]]) -> tuple[TrainConfig, dict[str, str]]:
    """Return the configuration, and why it does not have some of what is said."""
    unfit: dict[str, str] = {}
    values: dict[str, Any] = {}
    by_name = {setting.name: setting for setting in SETTINGS}
    for name, value, _line in said:
        if problem := by_name[name].problem(value):
            unfit[name] = problem
        else:
            values[name] = value
    base: dict[str, Any] = {"dataset": info.name, "schedule": "constant", "augment": Augmentation()}
    try:
        return TrainConfig(**{**base, **values}), unfit
    except ConfigError as error:
        return TrainConfig(**base), {**unfit, "": error.text}
