"""The training loop: a generator of events that the worker, the command line, a notebook and a test drive alike."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from playground import device as devices
from playground.data.augment import augment_images
from playground.data.augmentation import NO_CLASS
from playground.data.drawn import drawn_images, wanted_probabilities
from playground.data.images import ImageSet, normalise, scale_and_shift
from playground.data.load import load
from playground.data.own_drawings import LabelledImages, validate_images
from playground.errors import CheckpointError, ConfigError, DivergedError
from playground.messages import msg
from playground.network.build import Network, build, is_convolutional
from playground.network.initialise import initialise
from playground.network.spec import NetworkSpec
from playground.network.trace import check
from playground.training.config import TrainConfig
from playground.training.events import Checkpoint, Closeup, Evaluated, Event, Finished, Step
from playground.training.instruments import closeup
from playground.training.instruments.iteration import Iteration
from playground.training.instruments.observation import Observer, gallery_of, observe, snapshot
from playground.training.optimizers import refuse_change
from playground.training.schedules import schedule_type
from playground.training.whitening import WHITENING_IMAGES, whiten

CHECKPOINT_SECONDS = 5.0
"""Training time after which a checkpoint is due."""
EVALUATED_SECONDS = 0.5
"""The same after an evaluation, so that most points of a test curve have a checkpoint."""
FLUSH_SECONDS = 0.05
"""Time after which the results of steps are fetched from the device, unless `flush_each_step` is set."""
FULL_BATCH_PART = 1000
"""Images in one forward pass where a step uses the whole training set; gradients accumulate over the passes."""
EVALUATION_BATCH = 200
"""Images in one forward pass of an evaluation: more do not fit the processor’s caches."""
SPEED_DECAY = 0.95
"""Decay rate of the running mean of images per second."""
OWN_SHARE = 0.1
"""Approximate share of own drawings in an epoch: nearly every batch has some, and a larger share would cause more forgetting."""
STATE_FORMAT = 1
STATE_ERRORS = (ConfigError, KeyError, RuntimeError, ValueError, TypeError, AttributeError, IndexError)
"""Exceptions that a damaged or foreign state raises."""


def train(network: NetworkSpec, config: TrainConfig, images: ImageSet | None = None) -> Iterator[Event]:
    """Train a network from its first step to its last.

    Seeds torch's random numbers from the configuration: the same seed, device and number of threads
    give the same losses to the last bit.

    Raises:
        PlaygroundError: as `Training` does, and DivergedError if the loss is not finite.
    """
    yield from Training(network, config, images).events()


@dataclass
class _Totals:
    """Sums since the last evaluation."""

    loss: float = 0.0
    correct: int = 0
    images: int = 0

    def add(self, loss: float, correct: int, images: int) -> None:
        self.loss += loss * images
        self.correct += correct
        self.images += images


@dataclass
class _Pending:
    """Steps whose results are still on the device."""

    losses: list[Tensor] = field(default_factory=list)
    logits: list[Tensor] = field(default_factory=list)
    targets: list[Tensor] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    def sizes(self) -> list[int]:
        return [len(targets) for targets in self.targets]


@dataclass(frozen=True)
class _ObservedStep:
    """A step whose values are recorded."""

    iteration: Iteration
    has_snapshot: bool
    """Whether a snapshot is taken."""
    erased: list[float | None] | None
    """The norms of the gradients before the step; None if no close-up is recorded."""
    seconds: float
    """Time spent on preparation."""


class Training:
    """The training of a network.

    It computes only while a consumer iterates over `events()`: between two events the consumer may wait, stop, save `state()`,
    or set `learning_rate`.

    Args:
        network: the network to train.
        config: the settings.
        images: the data set; None loads it.
        weights: start weights by the names of the network's `state_dict`; None initialises them.
        own: own drawings: images ``(K, C, H, W)`` uint8 and labels ``(K,)`` int64, mixed into each epoch with the share `OWN_SHARE`.

    Raises:
        UnknownName: there is no such data set or device.
        ShapeError: a layer does not fit, or the network does not fit the data set.
        DataError: the data set has not been downloaded, or the own drawings do not fit it.
        CheckpointError: the weights belong to another network.
    """

    def __init__(
        self,
        network: NetworkSpec,
        config: TrainConfig,
        images: ImageSet | None = None,
        weights: Mapping[str, Tensor] | None = None,
        own: LabelledImages | None = None,
    ) -> None:
        images = images or load(config.dataset)
        drawn = drawn_images(images) if config.augment.draws else None
        self._dataset_size = len(images.train_images)
        """Number of the data set's training images; own drawings come after them."""
        self._own_repeats = 0
        """How many times an epoch shows each own drawing."""
        if own is not None:
            images, self._own_repeats = _with_own(images, own), own_repeats(len(own[0]), self._dataset_size)
        check(network, images.info.input_shape, len(images.info.classes))
        self.spec, self.config = network, config
        self.device = torch.device(devices.get(config.device).name)
        self.images = images.to(self.device)
        self._drawn = drawn.to(self.device) if drawn else None
        self._scale, self._shift = scale_and_shift(images.info, self.device, config.inputs)
        self.network = self._build(weights)
        flattens = config.optimizer_type.full_batch  # L-BFGS views all gradients as one vector, so they must be contiguous
        self._format = torch.channels_last if is_convolutional(self.network) and not flattens else torch.contiguous_format
        self.network.to(memory_format=self._format)
        self.optimizer_name = config.optimizer
        """The optimizer in use; `change_optimizer` sets it."""
        self.optimizer = config.optimizer_type.make(config, self.network.parameters())
        self.learning_rate = config.learning_rate
        """The peak learning rate, which the schedule scales; may be set between two events."""
        self.flush_each_step = self.device.type == "cpu"
        """Whether the event of each step is yielded at once. Otherwise the results of several steps are fetched together, so that an
        accelerator does not wait."""
        self.record_closeup = False
        """Whether a `Closeup` of the next step is recorded; of the last step it is in any case."""
        self.step = 0
        size = self._dataset_size + self._own_repeats * (len(images.train_images) - self._dataset_size)
        self._epoch_size = size
        self._images_per_step = config.images_per_step(size)
        self.steps_per_epoch = math.ceil(size / self._images_per_step)
        if size % self._images_per_step == 1 or self._images_per_step == 1:
            _refuse_single_images(network)
        self.total_steps = max(1, round(config.epochs * self.steps_per_epoch))
        self.seconds = 0.0
        self._learning_seconds = 0.0
        self._learnt = 0
        self._images_processed = 0
        self._rate = 0.0
        self._totals = _Totals()
        self._last_accuracy = 0.0
        self._evaluated_at = 0
        self._checkpoint_seconds = 0.0
        self.observer = Observer(self.total_steps)
        self._gallery = self.prepare(self.images.test_images[gallery_of(images.test_labels)])
        self._epoch = (-1, torch.empty(0))
        torch.manual_seed(config.seed)

    def _build(self, weights: Mapping[str, Tensor] | None) -> Network:
        """Build the network with its start weights, drawn on the CPU, so that a seed gives the same on every device."""
        network = build(self.spec, "cpu", self.config.seed)
        initialise(network, self.config.initialisation, self.config.seed)
        if self.config.whiten:
            every = max(1, len(self.images.train_images) // WHITENING_IMAGES)  # evenly spaced, because a data set may be sorted
            images = self.images.train_images[::every].cpu()
            whiten(network, normalise(images, self.images.info, self.config.inputs))
        if weights is not None:
            _load_weights(network, weights)
        return network.to(self.device)

    def events(self) -> Iterator[Event]:
        """Train from the current step to the last.

        Raises:
            DivergedError: the loss is not finite; the last checkpoint is sound.
        """
        clock = _Clock(self)
        self.observer.start(self.seconds)
        self.network.train()
        while self.step < self.total_steps or self._is_evaluation_due():
            if not self._is_evaluation_due():  # it is due at once if the state was saved between a step and its evaluation
                for event in self._train_until(self._next_stop(), clock):
                    yield event
                    clock.skip()
            evaluated = self._is_evaluation_due()
            if evaluated:
                yield self._evaluate(clock)
                clock.skip()
            if self._is_checkpoint_due(EVALUATED_SECONDS if evaluated else CHECKPOINT_SECONDS):
                yield Checkpoint(self.step)
                clock.skip()
        speed = self._learnt / self._learning_seconds if self._learning_seconds else 0.0
        yield Finished(time.time(), self.step, self.seconds, self._last_accuracy, speed)

    def iterate(self) -> Iteration:
        """Take one step without evaluation; return all values that it computed."""
        self.network.train()
        iteration = Iteration(self.network, self.step + 1)
        self._train_step(self._set_learning_rate(), iteration)
        return iteration

    def change_optimizer(self, name: str) -> None:
        """Switch to another optimizer with a fresh state.

        Raises:
            ConfigError: there is no such optimizer, or only one of the two uses the whole training set in each step.
        """
        config = replace(self.config, optimizer=name)
        refuse_change(self.config.optimizer, name)
        self.optimizer = config.optimizer_type.make(config, self.network.parameters())
        self.optimizer_name = name

    def state(self) -> dict[str, Any]:
        """Return everything needed to resume exactly from here, as plain data and tensors that `torch.load(weights_only=True)` reads."""
        random, device_random = devices.random_state(self.device)
        return {
            "format": STATE_FORMAT,
            "network": self.spec.to_json(),
            "step": self.step,
            "weights": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "optimizer_name": self.optimizer_name,
            "random": random,
            "device_random": device_random,
            "learning_rate": self.learning_rate,
            "seconds": self.seconds,
            "learning_seconds": self._learning_seconds,
            "learnt": self._learnt,
            "images_processed": self._images_processed,
            "rate": self._rate,
            "totals": [self._totals.loss, self._totals.correct, self._totals.images],
            "last_accuracy": self._last_accuracy,
            "evaluated_at": self._evaluated_at,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restore a state that `state` returned.

        Raises:
            CheckpointError: it is not a training state, or it belongs to another network.
        """
        if state.get("format") != STATE_FORMAT:
            raise CheckpointError(msg("This is not a checkpoint of the playground, or one of another version."))
        if state.get("network") != self.spec.to_json():
            raise CheckpointError(msg("The checkpoint belongs to another network."))
        try:
            self._restore(state)
        except STATE_ERRORS as error:
            raise CheckpointError(msg("The checkpoint is damaged: {error}.", error=repr(error))) from error

    def _restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["weights"])
        self.change_optimizer(state.get("optimizer_name", self.config.optimizer))  # states of earlier versions lack it
        if state["optimizer"] is not None:
            self._restore_optimizer(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]
        self._checkpoint_seconds = self.seconds
        self._learning_seconds, self._learnt, self._rate = state["learning_seconds"], state["learnt"], state["rate"]
        self._images_processed = state.get("images_processed", state["learnt"])  # states of earlier versions lack it
        self.learning_rate, self._last_accuracy, self._evaluated_at = state["learning_rate"], state["last_accuracy"], state["evaluated_at"]
        loss, correct, seen = state["totals"]
        self._totals = _Totals(loss, correct, seen)
        devices.set_random_state(self.device, (state["random"], state["device_random"]))

    def _restore_optimizer(self, state: dict[str, Any]) -> None:
        """Load the optimizer's state; keep the settings of the configuration, which differ from the state's in a fork."""
        settings = [{name: value for name, value in group.items() if name != "params"} for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict(state)
        for group, configured in zip(self.optimizer.param_groups, settings, strict=True):
            group.update(configured)

    def _is_checkpoint_due(self, seconds: float) -> bool:
        """Return whether to save a checkpoint now: at the last step, and when so many seconds have passed since the last one."""
        is_due = self.step == self.total_steps or self.seconds - self._checkpoint_seconds > seconds
        if is_due:
            self._checkpoint_seconds = self.seconds
        return is_due

    def _next_stop(self) -> int:
        """Return the step of the next evaluation or the end of the epoch or run, whichever is first."""
        epoch_end = (self.step // self.steps_per_epoch + 1) * self.steps_per_epoch
        every = self.config.evaluate_every
        due = (self.step // every + 1) * every if every else epoch_end
        return min(epoch_end, due, self.total_steps)

    def _train_until(self, stop: int, clock: _Clock) -> Iterator[Event]:
        """Take steps up to `stop`; yield their events as soon as their results are on the CPU."""
        pending, flushed = _Pending(), time.perf_counter()
        flush_now = self.step == 0  # so that the first loss appears at once
        while self.step < stop:
            rate, observed = self._set_learning_rate(), self._prepare_observation()
            loss, logits, targets = self._train_step(rate, observed.iteration if observed else None)
            pending.losses.append(loss)
            pending.logits.append(logits)
            pending.targets.append(targets)
            pending.rates.append(rate)
            if observed or flush_now or self.flush_each_step or self.step == stop or time.perf_counter() - flushed > FLUSH_SECONDS:
                steps, fault = self._fetch_steps(pending, clock)
                observations = self._observations(observed) if observed and not fault else ()
                yield from _timed(chain(steps[:-1], observations, steps[-1:]), clock)  # observations first: a run may be paused after the event of a step
                if fault:
                    raise fault
                pending, flushed, flush_now = _Pending(), time.perf_counter(), False
                if self.step < stop and self._is_checkpoint_due(CHECKPOINT_SECONDS):
                    yield Checkpoint(self.step)
                    clock.skip()

    def _prepare_observation(self) -> _ObservedStep | None:
        """Prepare to record the next step; return None if none of observation, snapshot and close-up is due."""
        began = time.perf_counter()
        has_snapshot = self.record_closeup or self.observer.is_snapshot_due(self.step, self.seconds)
        self.record_closeup |= has_snapshot and self.step + 1 == self.total_steps
        if not (has_snapshot or self.observer.is_due(self.step, self.seconds)):
            return None
        erased = closeup.gradient_norms(self.network) if self.record_closeup else None
        return _ObservedStep(Iteration(self.network, self.step + 1), has_snapshot, erased, time.perf_counter() - began)

    def _observations(self, observed: _ObservedStep) -> Iterator[Event]:
        """Yield the observation, snapshot and close-up of the step just taken."""
        began = time.perf_counter()
        event: Event = observe(observed.iteration)
        self.observer.add_observation(self.step, observed.seconds + time.perf_counter() - began)
        yield event
        if observed.has_snapshot:
            began = time.perf_counter()
            event = snapshot(observed.iteration, self._gallery)
            self.observer.add_snapshot(self.step, time.perf_counter() - began)
            yield event
        if observed.erased is not None:
            self.record_closeup = False
            yield Closeup(self.step, self._closeup(observed.iteration, observed.erased))

    def _closeup(self, iteration: Iteration, erased: list[float | None]) -> dict[str, Any]:
        again = self._loss_again(iteration)
        return closeup.describe(iteration, erased, self.config.label_smoothing, self.optimizer_name, self.optimizer, again)

    @torch.no_grad()
    def _loss_again(self, iteration: Iteration) -> tuple[float, float]:
        """Compute the loss of an iteration's batch with the weights before and after its step, both in evaluation mode: without dropout."""
        names = [name for name, _ in self.network.named_parameters()]
        old = dict(zip(names, (tensor for layer in iteration.before for tensor in layer), strict=True))
        self.network.eval()
        logits = [torch.func.functional_call(self.network, old, (iteration.inputs,)), self.network(iteration.inputs)]
        self.network.train()
        before, after = (F.cross_entropy(each, iteration.targets, label_smoothing=self.config.label_smoothing).item() for each in logits)
        return before, after

    def _set_learning_rate(self) -> float:
        """Set the learning rate of the next step in the optimizer; return it."""
        rate = self.learning_rate * schedule_type(self.config.schedule).factor(self.step / self.total_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        return rate

    def _batch(self) -> Tensor:
        """Return the indices of the next batch. The order of an epoch depends on the seed alone, so a resumed run repeats it."""
        epoch, position = divmod(self.step, self.steps_per_epoch)
        if self._epoch[0] != epoch:
            generator = torch.Generator().manual_seed((self.config.seed << 20) + epoch)
            order = torch.randperm(self._epoch_size, generator=generator)
            if self._own_repeats:  # indices beyond the last image repeat the own drawings without copying them
                order = order.where(
                    order < self._dataset_size, self._dataset_size + (order - self._dataset_size) % (len(self.images.train_images) - self._dataset_size)
                )
            self._epoch = (epoch, order.to(self.device))
        return self._epoch[1][position * self._images_per_step :][: self._images_per_step]

    def _train_step(self, rate: float, iteration: Iteration | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Take one step; return the loss, the logits and the targets, all still on the device."""
        pixels, targets = self._augmented(self._batch(), has_scribbles=iteration is None)  # what is recorded of an image belongs to a class
        if iteration:
            iteration.pixels = pixels.clone()  # scaling them works in place
        inputs = self.prepare(pixels)
        evaluations: list[tuple[Tensor, Tensor]] = []

        def closure() -> Tensor:
            """Compute the loss and its gradients; L-BFGS calls this several times a step, the others once."""
            self.optimizer.zero_grad()
            evaluations.append(self._forward_and_backward(inputs, targets, None if evaluations else iteration))
            return evaluations[-1][0]

        self.optimizer.step(closure)  # type: ignore[arg-type]
        self.step += 1
        self._images_processed += len(evaluations) * len(targets)
        loss, logits = evaluations[0]
        if iteration:
            iteration.learning_rate = rate
        return loss, logits, targets

    def _augmented(self, index: Tensor, has_scribbles: bool) -> tuple[Tensor, Tensor]:
        """Return the training images of a batch, augmented, and their labels."""
        images, labels, augment = self.images.train_images[index], self.images.train_labels[index], self.config.augment
        if self._drawn is not None:
            images, labels = self._drawn.mix(images, labels, augment if has_scribbles else replace(augment, scribbles=0.0))
        return augment_images(images, augment), labels

    def _loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy; an image of no class has the same target probability for each class."""
        if self.config.augment.scribbles:
            targets = wanted_probabilities(targets, logits.shape[1])
        return F.cross_entropy(logits, targets, label_smoothing=self.config.label_smoothing)

    def _forward_and_backward(self, inputs: Tensor, targets: Tensor, iteration: Iteration | None) -> tuple[Tensor, Tensor]:
        """Compute the gradients of a batch; return its loss and logits. If the batch is split, the iteration records the first part."""
        parts = math.ceil(len(targets) / FULL_BATCH_PART) if self.config.optimizer_type.full_batch else 1
        batch_loss, batch_logits = torch.zeros((), device=self.device), []
        for part, (part_inputs, part_targets) in enumerate(zip(inputs.tensor_split(parts), targets.tensor_split(parts), strict=True)):
            recorder = iteration if part == 0 else None
            with recorder.record_outputs() if recorder else nullcontext(), self._autocast():
                logits = self.network(part_inputs)
            logits = logits.float()
            loss = self._loss(logits, part_targets)
            share = len(part_targets) / len(targets)
            (loss if parts == 1 else loss * share).backward()  # type: ignore[no-untyped-call]
            batch_loss += loss.detach() * share
            batch_logits.append(logits.detach())
            if recorder:
                recorder.pixels = recorder.pixels[: len(part_targets)]
                recorder.inputs, recorder.targets, recorder.logits, recorder.loss = part_inputs, part_targets, logits.detach(), loss.detach()
        if self.config.clip_grad_norm:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip_grad_norm)
        return batch_loss, torch.cat(batch_logits)

    def _autocast(self) -> AbstractContextManager[Any]:
        """Return autocast to the configured precision.

        Source: https://docs.pytorch.org/docs/stable/amp.html
        """
        return nullcontext() if self.config.precision == "float32" else torch.autocast(self.device.type, getattr(torch, self.config.precision))

    def prepare(self, images: Tensor) -> Tensor:
        """Scale pixels as configured: ``(N, C, H, W)`` 0–255 → float32 in the network's memory format."""
        return images.float().mul_(self._scale).add_(self._shift).contiguous(memory_format=self._format)

    def _fetch_steps(self, pending: _Pending, clock: _Clock) -> tuple[list[Step], DivergedError | None]:
        """Fetch the results of all pending steps from the device at once; return their events up to the first non-finite loss, and its error."""
        losses = torch.stack(pending.losses).tolist()
        targets = torch.cat(pending.targets)
        right = torch.cat(pending.logits).argmax(dim=1) == targets
        sizes = pending.sizes()
        corrects = torch.stack([part.sum() for part in right.split(sizes)]).tolist()  # type: ignore[no-untyped-call]
        counted = [int((part != NO_CLASS).sum()) for part in targets.split(sizes)] if self.config.augment.scribbles else sizes  # type: ignore[no-untyped-call]
        elapsed = clock.lap()
        self._learning_seconds += elapsed
        self._learnt += sum(sizes)
        speed = sum(sizes) / max(elapsed, 1e-9)
        steps: list[Step] = []
        first = self.step - len(losses) + 1
        for offset, (loss, correct, rate, size) in enumerate(zip(losses, corrects, pending.rates, counted, strict=True)):
            if not math.isfinite(loss):
                return steps, DivergedError(loss, first + offset)
            self._rate = speed if self._rate == 0 else SPEED_DECAY * self._rate + (1 - SPEED_DECAY) * speed
            self._totals.add(loss, correct, size)
            steps.append(Step(first + offset, loss, correct / max(size, 1), rate, self.seconds, self._rate))
        return steps, None

    def _is_evaluation_due(self) -> bool:
        every = self.config.evaluate_every or self.steps_per_epoch
        return self._evaluated_at < self.step and (self.step % every == 0 or self.step == self.total_steps)

    def _evaluate(self, clock: _Clock) -> Evaluated:
        """Evaluate the network on the test images."""
        test_loss, confused = evaluate(self.network, self.images, self.prepare)
        clock.lap()
        if not math.isfinite(test_loss):
            raise DivergedError(test_loss, self.step)
        totals, self._totals = self._totals, _Totals()
        right = confused.diagonal()
        test_accuracy = int(right.sum()) / len(self.images.test_images)
        self._last_accuracy, self._evaluated_at = test_accuracy, self.step
        seen = max(totals.images, 1)
        epoch = self.step / self.steps_per_epoch
        train_loss, train_accuracy = totals.loss / seen, totals.correct / seen
        predicted, correct = confused.sum(dim=0).tolist(), right.tolist()
        return Evaluated(self.step, epoch, train_loss, train_accuracy, test_loss, test_accuracy, self.seconds, predicted, correct, self._images_processed)


class _Clock:
    """Counts a training's seconds without the time that the consumer of its events takes."""

    def __init__(self, training: Training) -> None:
        self._training = training
        self._last = time.perf_counter()

    def lap(self) -> float:
        """Return the seconds since the last lap, and add them to the training's."""
        now = time.perf_counter()
        elapsed, self._last = now - self._last, now
        self._training.seconds += elapsed
        return elapsed

    def skip(self) -> None:
        """Leave out the time since the last lap."""
        self._last = time.perf_counter()


def _timed(events: Iterable[Event], clock: _Clock) -> Iterator[Event]:
    """Yield the events; count the time to produce them, not the time the consumer takes."""
    for event in events:
        clock.lap()
        yield event
        clock.skip()


@torch.inference_mode()
def evaluate(network: nn.Module, images: ImageSet, prepare: Callable[[Tensor], Tensor]) -> tuple[float, Tensor]:
    """Return the mean cross-entropy loss over the test images and the confusion matrix: ``(classes, classes)`` counts on the CPU, a row for each true class.

    The network's mode is left as it was.
    """
    training, classes = network.training, len(images.info.classes)
    network.eval()
    loss = torch.zeros((), device=images.test_images.device)
    counts = torch.zeros(classes * classes, dtype=torch.long, device=images.test_images.device)
    for start in range(0, len(images.test_images), EVALUATION_BATCH):
        batch = slice(start, start + EVALUATION_BATCH)
        targets = images.test_labels[batch]
        logits = network(prepare(images.test_images[batch]))
        loss += F.cross_entropy(logits, targets, reduction="sum")
        counts += torch.bincount(targets * classes + logits.argmax(dim=1), minlength=classes * classes)
    network.train(training)
    return loss.item() / len(images.test_images), counts.view(classes, classes).cpu()


def own_repeats(count: int, dataset_size: int) -> int:
    """Return how many times an epoch shows each of `count` own drawings so that their share comes closest to `OWN_SHARE`."""
    return max(1, round(OWN_SHARE / (1 - OWN_SHARE) * dataset_size / count))


def _with_own(images: ImageSet, own: LabelledImages) -> ImageSet:
    """Append own drawings to the training images.

    Raises:
        DataError: they do not fit the data set.
    """
    validate_images(own, images.info)
    train_images, train_labels = torch.cat([images.train_images, own[0]]), torch.cat([images.train_labels, own[1]])
    return replace(images, train_images=train_images, train_labels=train_labels)


def _refuse_single_images(network: NetworkSpec) -> None:
    """Refuse BatchNorm1d for batches of one image, whose variance is 0."""
    if any(layer.type == "BatchNorm1d" for layer in network.layers):
        raise ConfigError([msg("Batch norm cannot learn from a batch of one image: choose a batch size that leaves more than one for the last batch.")])


def _load_weights(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    try:
        network.load_state_dict(dict(weights))
    except RuntimeError as error:
        raise CheckpointError(msg("The weights to start from belong to another network: {error}", error=str(error))) from None
