"""Mistakes of a training script, each found in what the script did."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import nn
from torch.optim import lr_scheduler

from playground.messages import msg
from playground.pasted.observing import Event, parameters_of
from playground.tensors.language.classes import Instance
from playground.tensors.language.partly import PartialRun
from playground.training.optimizers import OPTIMIZERS

_PER_EPOCH = (lr_scheduler.StepLR, lr_scheduler.MultiStepLR, lr_scheduler.ExponentialLR, lr_scheduler.ReduceLROnPlateau)
"""Schedules whose numbers are mostly meant as epochs."""
_CALLED = frozenset(("zero_grad", "step", "backward", "eval", "train"))
_BEHAVES_OTHERWISE = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._BatchNorm)
"""Layers that do something else in use than in training."""
_MOST_SUBSETS = 20
"""Data sets inside each other."""
_FAR = 30
"""How many times the usual learning rate is much."""


@dataclass(frozen=True)
class Mistake:
    """Something in a script that hardly anybody wants."""

    line: int | None
    message: str
    hint: str = ""


@dataclass
class Observation:
    """What is asked about a script.

    Args:
        run: the script.
        events: what it did.
        optimizer: the one that steps.
        network: the one that it changes.
    """

    run: PartialRun
    events: list[Event]
    optimizer: Any
    network: nn.Module | None

    def of(self, *kinds: str) -> list[Event]:
        return [event for event in self.events if event.kind in kinds]

    @cached_property
    def trained(self) -> list[Event]:
        """The calls of networks whose result is trained on, in their order: the last before each backward pass."""
        found: list[Event] = []
        last: Event | None = None
        for event in self.events:
            if event.kind == "forward" and (self.network is None or event.value is self.network):
                last = event
            elif event.kind == "backward" and last is not None:
                found.append(last)
                last = None
        return found

    @cached_property
    def batches(self) -> list[tuple[Event, Instance]]:
        """The events of training batches, each with its loader; of a script whose network fails, those of all batches."""
        found = [(event, loader) for event in self.trained if (loader := self.loader_of(event)) is not None]
        return found or [(event, event.value) for event in self.of("loader")]

    @cached_property
    def evaluated(self) -> list[Event]:
        """The calls of the network in loops that do not train."""
        training = {event.loops[-1].line for event in self.of("backward", "step", "zero_grad") if event.loops}
        calls = [event for event in self.of("forward") if event.value is self.network and event.loops]
        return [event for event in calls if event.loops[-1].line not in training]

    @cached_property
    def written(self) -> ast.Module:
        """The script as it was written, with what it prints; empty where it is not Python as a whole."""
        try:
            return ast.parse(self.run.source)
        except SyntaxError:
            return ast.Module([], [])

    def loader_of(self, event: Event) -> Instance | None:
        """Return the loader whose batch an event belongs to."""
        before = self.events[: self.events.index(event)]
        return next((each.value for each in reversed(before) if each.kind == "loader" and each.loops[-1:] == event.loops[-1:]), None)

    def source_of(self, value: Any) -> Event | None:
        """Return the innermost call that returned a tensor."""
        return next((event for event in self.events if event.kind in ("softmax", "forward") and event.result is value), None)


def mistakes(observation: Observation) -> list[Mistake]:
    """Return the mistakes of a script, by line."""
    found = {(mistake.line, str(mistake.message)): mistake for check in CHECKS for mistake in check(observation)}
    return sorted(found.values(), key=lambda mistake: mistake.line or 0)


def dataset_of(loader: Instance | None) -> Instance | None:
    """Return the data set behind a loader, also where it is a part of another."""
    dataset = loader.attributes.get("dataset") if loader is not None else None
    for _ in range(_MOST_SUBSETS):  # a script may let one contain itself
        inner = dataset.attributes.get("dataset") if isinstance(dataset, Instance) else None
        if not isinstance(inner, Instance):
            break
        dataset = inner
    return dataset if isinstance(dataset, Instance) else None


def _gradients(observation: Observation) -> Iterator[Mistake]:
    """Gradients that are never reset, or reset too early."""
    pending: Event | None = None  # the last pass or step whose gradients are still there
    too_early: Event | None = None
    for event in observation.of("backward", "step", "zero_grad"):
        if event.kind == "backward":
            if pending is not None and pending.kind == "step":
                message = msg("The gradients of the batch before are added to those of this one.")
                yield Mistake(event.line, message, msg("Call `optimizer.zero_grad()` before `loss.backward()`."))
            pending, too_early = event, None
        elif event.kind == "zero_grad":
            too_early = event if pending is not None and pending.kind == "backward" else None
            pending = None
        else:
            if too_early is not None:
                message = msg("The gradients are reset between `backward()` and `step()`, so the step changes nothing.")
                yield Mistake(too_early.line, message, msg("Call `zero_grad()` before `backward()`."))
            pending, too_early = event if pending is not None else None, None
    if observation.of("backward") and not observation.of("step") and observation.optimizer is not None:
        message = msg("The optimizer never takes a step, so the network stays as it is.")
        yield Mistake(observation.of("backward")[-1].line, message, msg("Call `optimizer.step()` after `loss.backward()`."))
    if observation.of("step") and not observation.of("backward"):
        message = msg("There is no backward pass before the step, so there are no gradients.")
        yield Mistake(observation.of("step")[0].line, message, msg("Call `loss.backward()` before `optimizer.step()`."))


_CROSS_ENTROPY, _NLL = ("cross_entropy", "CrossEntropyLoss"), ("nll_loss", "NLLLoss")
_MSE, _BCE, _BCE_LOGITS = ("mse_loss", "MSELoss"), ("binary_cross_entropy", "BCELoss"), ("binary_cross_entropy_with_logits", "BCEWithLogitsLoss")
_SOFTMAXES, _LOGARITHMS = ("softmax", "Softmax"), ("log_softmax", "LogSoftmax")
_SIGMOIDS = ("sigmoid", "Sigmoid")


def _losses(observation: Observation) -> Iterator[Mistake]:
    """Losses that are given something else than they take."""
    results = {id(event.result) for event in observation.of("forward") if event.value is observation.network}
    for event in observation.of("loss"):
        name = event.value if isinstance(event.value, str) else type(event.value).__name__
        tensors = [part for part in event.args if isinstance(part, torch.Tensor)]
        if len(tensors) < 2:
            continue
        scores, target = tensors[:2]
        if id(target) in results and id(scores) not in results:
            message = msg("The loss is given the labels first and the network’s result second.")
            yield Mistake(event.line, message, msg("Write `criterion(output, target)`."))
            continue
        yield from _before_the_loss(name, event, observation.source_of(scores))
        yield from _labels(name, event, scores, target)


def _before_the_loss(name: str, event: Event, source: Event | None) -> Iterator[Mistake]:
    """What the network ends in, and the loss does not expect."""
    last = "" if source is None else source.value if isinstance(source.value, str) else type(source.value).__name__
    line = (source.line if source is not None else None) or event.line
    if name in _CROSS_ENTROPY and last in (*_SOFTMAXES, *_LOGARITHMS, *_SIGMOIDS):
        message = msg("{layer} stands before cross-entropy, which computes a softmax itself: the network learns slowly.", layer=last)
        yield Mistake(line, message, msg("Leave it out: cross-entropy takes the logits."))
    if name in _NLL and last not in _LOGARITHMS:
        message = msg("`{loss}` takes logarithms of probabilities, and the network returns something else.", loss=name)
        yield Mistake(event.line, message, msg("End the network in `F.log_softmax(x, dim=1)`, or use cross-entropy, which does both."))
    if name in _BCE and last not in (*_SIGMOIDS, *_SOFTMAXES):
        message = msg("`{loss}` takes probabilities, and the network returns logits.", loss=name)
        yield Mistake(event.line, message, msg("Use `nn.BCEWithLogitsLoss()`."))
    if name in _BCE_LOGITS and last in _SIGMOIDS:
        message = msg("A sigmoid stands before `{loss}`, which computes one itself.", loss=name)
        yield Mistake(line, message, msg("Leave the sigmoid out."))


def _labels(name: str, event: Event, scores: torch.Tensor, target: torch.Tensor) -> Iterator[Mistake]:
    """Labels of another kind or shape than the loss takes."""
    if name in (*_CROSS_ENTROPY, *_NLL) and target.is_floating_point():
        if target.ndim == 1:
            message = msg("The labels are decimals, and `{loss}` takes the numbers of the classes.", loss=name)
            yield Mistake(event.line, message, msg("Convert them by `target.long()`."))
        else:
            message = msg("The labels are one-hot vectors; the numbers of the classes are enough.")
            yield Mistake(event.line, message, msg("Pass `target` as it comes from the loader."))
    if name in _MSE and not target.is_floating_point():
        message = msg("`{loss}` compares numbers, and these labels are classes.", loss=name)
        yield Mistake(event.line, message, msg("Use `nn.CrossEntropyLoss()`."))
    elif name in _MSE and scores.shape != target.shape:
        shapes = {"scores": tuple(scores.shape), "target": tuple(target.shape)}
        message = msg("`{loss}` compares shape {scores} with {target}: each value is compared with every other.", loss=name, **shapes)
        yield Mistake(event.line, message, msg("Give both the same shape, for example by `.squeeze(1)`."))


def _modes(observation: Observation) -> Iterator[Mistake]:
    """Training in `eval()`, and evaluating in `train()` or with gradients."""
    network = observation.network
    behaves_otherwise = network is not None and any(isinstance(module, _BEHAVES_OTHERWISE) for module in network.modules())
    is_training = True
    for event in observation.events:
        if event.kind in ("train", "eval") and event.value is network:
            is_training = event.kind == "train"
        if event in observation.trained and not is_training:
            message = msg("The network trains in `eval()`: dropout drops nothing, and batch norm learns no statistics.")
            yield Mistake(event.line, message, msg("Call `model.train()` at the start of each epoch."))
        if event in observation.evaluated:
            if event.has_gradient:
                message = msg("The evaluation records gradients, which costs memory and time.")
                yield Mistake(event.line, message, msg("Evaluate inside `with torch.no_grad():`."))
            if is_training and behaves_otherwise:
                message = msg("The network is evaluated in training mode: dropout drops values, and batch norm uses the statistics of the batch.")
                yield Mistake(event.line, message, msg("Call `model.eval()` before, and `model.train()` after."))


def _data(observation: Observation) -> Iterator[Mistake]:
    """Test data in training, and batches in a fixed order."""
    for event in observation.trained:
        loader = observation.loader_of(event)
        dataset = dataset_of(loader)
        if dataset is not None and dataset.attributes.get("train") is False:
            message = msg("The network trains on the test images, so that its accuracy says nothing about images it has not seen.")
            yield Mistake(event.line, message, msg("Train on the set with `train=True`."))
        elif loader is not None and loader.attributes.get("shuffle") is False and loader.attributes.get("sampler") is None:
            message = msg("The training images come in the same order in each epoch.")
            yield Mistake(event.loops[-1].line if event.loops else None, message, msg("Pass `shuffle=True` to the loader of the training images."))


def _optimizers(observation: Observation) -> Iterator[Mistake]:
    """An optimizer of another network, and steps of other sizes than usual."""
    if observation.optimizer is None:
        return
    line = next((event.line for event in observation.of("optimizer") if event.value is observation.optimizer), None)
    if _trains_another_network(observation):
        message = msg("The optimizer has the parameters of another network than the one that is trained.")
        yield Mistake(line, message, msg("Make the optimizer after the network: `optim.SGD(model.parameters(), lr=…)`."))
    kind = next((each for each in OPTIMIZERS if each.class_name == type(observation.optimizer).__name__), None)
    rate = observation.optimizer.param_groups[0].get("lr") if observation.optimizer.param_groups else None
    if kind is not None and isinstance(rate, (int, float)) and rate > _FAR * kind.usual_learning_rate:
        values = {"rate": rate, "optimizer": kind.title, "usual": kind.usual_learning_rate}
        message = msg("The learning rate {rate:g} is far above what is usual for {optimizer}, {usual:g}.", **values)
        yield Mistake(line, message, msg("The loss may grow instead of falling."))


def _trains_another_network(observation: Observation) -> bool:
    """Whether a backward pass follows a network of which the optimizer has no parameter."""
    has = parameters_of(observation.optimizer)
    calls = observation.of("forward", "backward")
    inner = {part for event in calls if event.kind == "forward" for part in list(event.value.modules())[1:]}
    last: nn.Module | None = None
    for event in calls:
        if event.kind == "backward":
            if last is not None and not any(id(parameter) in has for parameter in last.parameters()):
                return True
        elif event.value not in inner and any(True for _ in event.value.parameters()):
            last = event.value
    return False


def _schedules(observation: Observation) -> Iterator[Mistake]:
    """Schedules that step at the wrong place."""
    first_step = next(iter(observation.of("step")), None)
    inner_loops = {each.loops[-1].line for each in observation.of("backward") if len(each.loops) > 1}
    for event in observation.of("scheduler"):
        if first_step is not None and observation.events.index(event) < observation.events.index(first_step):
            yield Mistake(event.line, msg("The schedule steps before the optimizer does."), msg("Call `scheduler.step()` after `optimizer.step()`."))
        if isinstance(event.value, _PER_EPOCH) and event.loops and event.loops[-1].line in inner_loops:
            message = msg("{schedule} steps after every batch, so the learning rate falls within one epoch.", schedule=type(event.value).__name__)
            yield Mistake(event.line, message, msg("Call `scheduler.step()` once an epoch, outside the inner loop."))


def _sums(observation: Observation) -> Iterator[Mistake]:
    """Losses that are added up with the whole graph behind them."""
    trained = [event.args[0] for event in observation.of("backward")]
    for event in observation.of("sum"):
        if not any(event.result is each for each in trained):
            message = msg("The losses are added up as tensors, so the graph of every batch is kept in memory.")
            yield Mistake(event.line, message, msg("Add `loss.item()`."))


def _devices(observation: Observation) -> Iterator[Mistake]:
    """A network on one device, and its images on another."""
    moved = observation.of("moved")
    network = next((event for event in moved if event.value is observation.network), None)
    images = [event for event in moved if isinstance(event.value, torch.Tensor)]
    if not observation.trained:
        return
    first = observation.trained[0]
    if network is not None and not images:
        message = msg("The network is moved to a device, and the images are not: on a graphics card this is an error.")
        yield Mistake(first.line, message, msg("Write `images, labels = images.to(device), labels.to(device)` before."))
    if network is None and images and observation.network is not None:
        message = msg("The images are moved to a device, and the network is not: on a graphics card this is an error.")
        yield Mistake(images[0].line, message, msg("Write `model.to(device)` before the optimizer is made."))


def _accuracies(observation: Observation) -> Iterator[Mistake]:
    """Largest values that are compared with labels in place of their classes, and correct predictions divided by the number of batches."""
    for event in observation.of("compared"):
        scores = [part for part in event.args if part.is_floating_point()]
        labels = [part for part in event.args if not part.is_floating_point() and part.dtype != torch.bool]
        if scores and labels and scores[0].ndim == labels[0].ndim == 1:
            message = msg("The largest values are compared with the labels, and not the classes that have them.")
            yield Mistake(event.line, message, msg("`torch.max(output, 1)` returns both: write `_, predicted = torch.max(output, 1)`, or `output.argmax(1)`."))
    tree = observation.written
    counts = {ast.unparse(node.target) for node in ast.walk(tree) if isinstance(node, ast.AugAssign) and _counts_correct(node.value)}
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Div):
            count: ast.expr = node.target
            divisor = node.value
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            count, divisor = node.left, node.right
        else:
            continue
        if any(ast.unparse(part) in counts for part in ast.walk(count) if isinstance(part, ast.expr)) and _is_number_of_batches(observation, divisor):
            message = msg("The number of correct predictions is divided by the number of batches, so that the accuracy is far above 1.")
            yield Mistake(node.lineno, message, msg("Divide by the number of images: `len(loader.dataset)`."))


def _counts_correct(value: ast.expr) -> bool:
    """Whether an expression counts where predictions are the labels."""
    code = ast.unparse(value)
    return ("==" in code or ".eq(" in code) and "sum(" in code and "mean(" not in code and " / " not in code


def _is_number_of_batches(observation: Observation, divisor: ast.expr) -> bool:
    """Whether a divisor is the length of a loader, or a name for it."""
    if isinstance(divisor, ast.Name):
        given = [node.value for node in ast.walk(observation.written) if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == divisor.id]
        return len(given) == 1 and not isinstance(given[0], ast.Name) and _is_number_of_batches(observation, given[0])
    match divisor:
        case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]):
            value = observation.run.names.get(name)
            return "batch_size" in value.attributes if isinstance(value, Instance) else "loader" in name
    return False


def _brackets(observation: Observation) -> Iterator[Mistake]:
    """Methods that are named and not called."""
    for node in ast.walk(observation.run.tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Attribute) and node.value.attr in _CALLED:
            code = ast.unparse(node.value)
            yield Mistake(node.lineno, msg("`{code}` names a method and does not call it.", code=code), msg("Write `{code}()`.", code=code))


CHECKS = (_gradients, _losses, _modes, _data, _optimizers, _schedules, _sums, _devices, _accuracies, _brackets)
