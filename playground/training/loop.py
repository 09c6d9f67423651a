"""The training loop: a generator of events that the worker, the command line, a notebook and a test drive alike."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from playground import device as devices
from playground.data.distort import distorted
from playground.data.images import ImageSet, scale_and_shift
from playground.data.load import load
from playground.errors import CheckpointError, ConfigError, DivergedError
from playground.network.build import build, is_convolutional
from playground.network.spec import NetworkSpec
from playground.network.trace import check
from playground.training.config import TrainConfig
from playground.training.events import Checkpoint, Evaluated, Event, Finished, Step
from playground.training.optimizers import factor, optimizer

CHECKPOINT_SECONDS = 5.0
"""Training time after which the state is worth keeping again."""
FLUSH_SECONDS = 0.05
"""How long steps are taken before their numbers are asked for, where not each is flushed."""
EVALUATION_BATCH = 1000
RATE_MEMORY = 0.95
"""Share of the running mean of images a second that one more step keeps."""
STATE_FORMAT = 1


def train(network: NetworkSpec, config: TrainConfig, images: ImageSet | None = None) -> Iterator[Event]:
    """Train a network from its first step to its last.

    Seeds torch's random numbers from the configuration: the same seed, device and number of threads
    give the same losses to the last bit.

    Raises:
        PlaygroundError: as `Training` does, and DivergedError if the loss is no longer a number.
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
    """Steps taken whose numbers are still on the device."""

    losses: list[Tensor] = field(default_factory=list)
    logits: list[Tensor] = field(default_factory=list)
    targets: list[Tensor] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)


class Training:
    """A network on its way through a data set.

    Between two events it stands still: whoever iterates may pause by waiting, stop by not asking again,
    keep `state()`, or set `learning_rate`.

    Args:
        network: what to train.
        config: how.
        images: the data set, if it is loaded already.

    Raises:
        UnknownName: there is no such data set or device.
        ShapeError: the network does not fit itself or the data.
        DataError: the data set is not there.
    """

    def __init__(self, network: NetworkSpec, config: TrainConfig, images: ImageSet | None = None) -> None:
        images = images or load(config.dataset)
        check(network, images.info.input_shape, len(images.info.classes))
        self.spec, self.config = network, config
        self.device = torch.device(devices.get(config.device).name)
        self.images = images.to(self.device)
        self.network = build(network, self.device, config.seed)
        self._format = torch.channels_last if is_convolutional(self.network) else torch.contiguous_format
        self.network.to(memory_format=self._format)
        self.optimizer = optimizer(config, self.network.parameters())
        self.learning_rate = config.learning_rate
        """The peak that the schedule scales; may be set while training."""
        self.flush_each_step = self.device.type == "cpu"
        """Whether every step's numbers are yielded at once. Otherwise those of some steps come together, which is faster:
        an accelerator need not wait, and the processor stays with one kind of work."""
        self.step = 0
        size = len(images.train_images)
        self.steps_per_epoch = math.ceil(size / config.batch_size)
        if size % config.batch_size == 1 or config.batch_size == 1:
            _refuse_single_images(network)
        self.total_steps = max(1, round(config.epochs * self.steps_per_epoch))
        self.seconds = 0.0
        self._learning_seconds = 0.0
        self._learnt = 0
        self._rate = 0.0
        self._totals = _Totals()
        self._last_accuracy = 0.0
        self._evaluated_at = 0
        self._kept_at = 0.0
        self._scale, self._shift = scale_and_shift(images.info, self.device)
        torch.manual_seed(config.seed)

    def events(self) -> Iterator[Event]:
        """Train from where the state stands to the last step.

        Raises:
            DivergedError: the loss is not a finite number; the state before the last checkpoint is sound.
        """
        clock = _Clock(self)
        self.network.train()
        while self.step < self.total_steps or self._is_evaluation_due():
            if not self._is_evaluation_due():  # it is, at once, where a state was kept between a step and its evaluation
                for event in self._learn_until(self._next_stop(), clock):
                    yield event
                    clock.skip()
            if self._is_evaluation_due():
                yield self._evaluate(clock)
                clock.skip()
            if self._is_worth_keeping():
                yield Checkpoint(self.step)
                clock.skip()
        speed = self._learnt / self._learning_seconds if self._learning_seconds else 0.0
        yield Finished(time.time(), self.step, self.seconds, self._last_accuracy, speed)

    def state(self) -> dict[str, Any]:
        """Everything that going on exactly from here needs; plain data and tensors, fit for `weights_only`."""
        return {
            "format": STATE_FORMAT,
            "network": self.spec.to_json(),
            "step": self.step,
            "weights": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "device_random": None if self.device.type == "cpu" else torch.get_device_module(self.device).get_rng_state(self.device),
            "learning_rate": self.learning_rate,
            "seconds": self.seconds,
            "learning_seconds": self._learning_seconds,
            "learnt": self._learnt,
            "rate": self._rate,
            "totals": [self._totals.loss, self._totals.correct, self._totals.images],
            "last_accuracy": self._last_accuracy,
            "evaluated_at": self._evaluated_at,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a kept state.

        Raises:
            CheckpointError: it is not a training state, or one of another network.
        """
        if state.get("format") != STATE_FORMAT:
            raise CheckpointError("This is not a checkpoint of the playground, or one of another version.")
        if state.get("network") != self.spec.to_json():
            raise CheckpointError("The checkpoint belongs to another network.")
        try:
            self._restore(state)
        except (KeyError, RuntimeError, ValueError, TypeError, AttributeError, IndexError) as error:  # what torch raises for states that do not fit
            raise CheckpointError(f"The checkpoint is damaged: {error!r}.") from error

    def _restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]
        self._kept_at = self.seconds
        self._learning_seconds, self._learnt, self._rate = state["learning_seconds"], state["learnt"], state["rate"]
        self.learning_rate, self._last_accuracy, self._evaluated_at = state["learning_rate"], state["last_accuracy"], state["evaluated_at"]
        loss, correct, seen = state["totals"]
        self._totals = _Totals(loss, correct, seen)
        torch.set_rng_state(state["random"])
        if state["device_random"] is not None and self.device.type != "cpu":
            torch.get_device_module(self.device).set_rng_state(state["device_random"], self.device)

    def _is_worth_keeping(self) -> bool:
        """Whether the state should be kept now: at the end, and whenever enough time was spent since the last one."""
        worth = self.step == self.total_steps or self.seconds - self._kept_at > CHECKPOINT_SECONDS
        if worth:
            self._kept_at = self.seconds
        return worth

    def _next_stop(self) -> int:
        """The step at which the next evaluation is due, or the epoch or the run ends."""
        epoch_end = (self.step // self.steps_per_epoch + 1) * self.steps_per_epoch
        every = self.config.evaluate_every
        due = (self.step // every + 1) * every if every else epoch_end
        return min(epoch_end, due, self.total_steps)

    def _learn_until(self, stop: int, clock: _Clock) -> Iterator[Event]:
        """Take steps up to `stop`; yields their events as soon as their numbers are known."""
        order = self._order(self.step // self.steps_per_epoch)
        pending, flushed = _Pending(), time.perf_counter()
        flush_now = self.step == 0  # the first loss is waited for
        while self.step < stop:
            rate = self.learning_rate * factor(self.config.schedule, self.step / self.total_steps)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            start = (self.step % self.steps_per_epoch) * self.config.batch_size
            index = order[start : start + self.config.batch_size]
            loss, logits, targets = self._learn(index)
            self.step += 1
            pending.losses.append(loss)
            pending.logits.append(logits)
            pending.targets.append(targets)
            pending.rates.append(rate)
            pending.sizes.append(len(index))
            if flush_now or self.flush_each_step or self.step == stop or time.perf_counter() - flushed > FLUSH_SECONDS:
                yield from self._flush(pending, clock)
                pending, flushed, flush_now = _Pending(), time.perf_counter(), False
                if self.step < stop and self._is_worth_keeping():
                    yield Checkpoint(self.step)
                    clock.skip()

    def _order(self, epoch: int) -> Tensor:
        """The images' order in an epoch: it follows from the seed alone, so that a resumed run finds it again."""
        generator = torch.Generator().manual_seed((self.config.seed << 20) + epoch)
        return torch.randperm(len(self.images.train_images), generator=generator).to(self.device)

    def _learn(self, index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One step; the loss, the logits and the targets, all still on the device."""
        inputs = self._prepare(distorted(self.images.train_images[index], self.config.augment))
        targets = self.images.train_labels[index]
        self.optimizer.zero_grad()
        logits = self.network(inputs)
        loss = F.cross_entropy(logits, targets, label_smoothing=self.config.label_smoothing)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss.detach(), logits.detach(), targets

    def _prepare(self, images: Tensor) -> Tensor:
        """(N, C, H, W) pixels 0–255 → normalised float32 in the network's memory format."""
        return images.float().mul_(self._scale).add_(self._shift).contiguous(memory_format=self._format)

    def _flush(self, pending: _Pending, clock: _Clock) -> Iterator[Step]:
        """Move the numbers of all pending steps from the device at once, and yield their events."""
        losses = torch.stack(pending.losses).tolist()
        right = torch.cat(pending.logits).argmax(dim=1) == torch.cat(pending.targets)
        corrects = torch.stack([part.sum() for part in right.split(pending.sizes)]).tolist()  # type: ignore[no-untyped-call]
        elapsed = clock.lap()
        self._learning_seconds += elapsed
        self._learnt += sum(pending.sizes)
        speed = sum(pending.sizes) / max(elapsed, 1e-9)
        first = self.step - len(losses) + 1
        for offset, (loss, correct, rate, size) in enumerate(zip(losses, corrects, pending.rates, pending.sizes, strict=True)):
            if not math.isfinite(loss):
                raise _diverged(loss, first + offset)
            self._rate = speed if self._rate == 0 else RATE_MEMORY * self._rate + (1 - RATE_MEMORY) * speed
            self._totals.add(loss, correct, size)
            yield Step(first + offset, loss, correct / size, rate, self.seconds, self._rate)
            clock.skip()

    def _is_evaluation_due(self) -> bool:
        every = self.config.evaluate_every or self.steps_per_epoch
        return self._evaluated_at < self.step and (self.step % every == 0 or self.step == self.total_steps)

    def _evaluate(self, clock: _Clock) -> Evaluated:
        """Try the network on the test images."""
        test_loss, test_accuracy = evaluate(self.network, self.images, self._prepare)
        clock.lap()
        if not math.isfinite(test_loss):
            raise _diverged(test_loss, self.step)
        totals, self._totals = self._totals, _Totals()
        self._last_accuracy, self._evaluated_at = test_accuracy, self.step
        seen = max(totals.images, 1)
        epoch = self.step / self.steps_per_epoch
        return Evaluated(self.step, epoch, totals.loss / seen, totals.correct / seen, test_loss, test_accuracy, self.seconds)


class _Clock:
    """Counts a training's seconds, and leaves out the time in which nobody asks it for an event."""

    def __init__(self, training: Training) -> None:
        self._training = training
        self._last = time.perf_counter()

    def lap(self) -> float:
        """Seconds since the last lap, added to the training's own."""
        now = time.perf_counter()
        elapsed, self._last = now - self._last, now
        self._training.seconds += elapsed
        return elapsed

    def skip(self) -> None:
        """Leave out the time since the last lap."""
        self._last = time.perf_counter()


@torch.inference_mode()
def evaluate(network: torch.nn.Module, images: ImageSet, prepare: Callable[[Tensor], Tensor]) -> tuple[float, float]:
    """Mean cross-entropy loss and share named rightly over the test images; the network's mode is left as it was."""
    training = network.training
    network.eval()
    loss = torch.zeros((), device=images.test_images.device)
    correct = torch.zeros((), dtype=torch.long, device=images.test_images.device)
    for start in range(0, len(images.test_images), EVALUATION_BATCH):
        batch = slice(start, start + EVALUATION_BATCH)
        targets = images.test_labels[batch]
        logits = network(prepare(images.test_images[batch]))
        loss += F.cross_entropy(logits, targets, reduction="sum")
        correct += (logits.argmax(dim=1) == targets).sum()
    network.train(training)
    return loss.item() / len(images.test_images), correct.item() / len(images.test_images)


def _refuse_single_images(network: NetworkSpec) -> None:
    """A batch of one vector has no variance that BatchNorm1d could bring to 1."""
    if any(layer.type == "BatchNorm1d" for layer in network.layers):
        raise ConfigError(["Batch norm cannot learn from a batch of one image: choose a batch size that leaves more than one for the last batch."])


def _diverged(loss: float, step: int) -> DivergedError:
    return DivergedError(
        f"The loss became {loss} at step {step}, so training stopped; what was learnt until the last checkpoint is kept.",
        "A smaller learning rate usually helps.",
    )
