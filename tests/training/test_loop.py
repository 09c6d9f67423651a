"""The loop takes the same steps as a plain PyTorch loop, repeats them for a seed, and resumes exactly."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix
from torch import nn
from torch.nn import functional as F

from playground.data.augmentation import NO_CLASS, Augmentation
from playground.data.images import ImageSet, normalise
from playground.errors import CheckpointError, ConfigError, DataError, DivergedError, PlaygroundError, ShapeError, UnknownName
from playground.network.presets import preset
from playground.network.spec import LayerSpec, NetworkSpec
from playground.training import loop
from playground.training.config import TrainConfig
from playground.training.events import Checkpoint, Evaluated, Event, Finished, Step
from playground.training.loop import Training, train
from playground.training.muon import Muon
from playground.training.optimizers import OPTIMIZER_TITLES, OPTIMIZERS
from playground.training.schedules import SCHEDULE_TITLES, schedule_type

from .tiny import (
    AUGMENT,
    CONFIG,
    CONV,
    DENSE,
    LINEAR,
    STEPS_PER_EPOCH,
    TORCH_OPTIMIZERS,
    Always,
    configured,
    network,
    observed_training,
    save_and_load,
    steps,
    train_until,
)

DIVERGING = replace(CONFIG, optimizer="sgd", learning_rate=100.0, schedule="constant", epochs=20)

MODULES = {
    "dense": lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 16), nn.ReLU(), nn.Linear(16, 10)),
    "conv": lambda: nn.Sequential(
        nn.Conv2d(1, 4, 5, stride=2), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.3), nn.Linear(4 * 6 * 6, 10)
    ).to(memory_format=torch.channels_last),
}
SPECS = {"dense": DENSE, "conv": CONV}


def losses(spec: NetworkSpec, config: TrainConfig, images: ImageSet) -> list[float]:
    return [event.loss for event in steps(train(spec, config, images))]


def evaluations(events: Iterator[Event]) -> list[Evaluated]:
    return [event for event in events if isinstance(event, Evaluated)]


def collect(events: Iterator[Event], into: list[Event]) -> None:
    """Collect the events, also those before an error."""
    for event in events:
        into.append(event)  # noqa: PERF402


def torchs_optimizer(config: TrainConfig, module: nn.Module, fused: dict[str, bool]) -> torch.optim.Optimizer:
    """Create the optimizer as tutorials do, fused where the playground's is."""
    if config.optimizer == "muon":
        return Muon(list(module.parameters()), config.learning_rate, config.momentum, config.nesterov, weight_decay=config.weight_decay)
    kind, uses = TORCH_OPTIMIZERS[config.optimizer]
    options: dict[str, Any] = {use: getattr(config, use) for use in uses} | (fused if config.optimizer_type.fused else {})
    return kind(module.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, **options)


def plain_losses(module: nn.Module, config: TrainConfig, images: ImageSet, inputs: torch.Tensor, fused: dict[str, bool]) -> list[float]:
    """Train with the five lines of every tutorial, on the images in the playground's order."""
    optimizer = torchs_optimizer(config, module, fused)
    loss_function = nn.CrossEntropyLoss(label_smoothing=config.label_smoothing)
    torch.manual_seed(config.seed)
    total, step, actual = round(config.epochs * STEPS_PER_EPOCH), 0, []
    for epoch in range(math.ceil(config.epochs)):
        order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed((config.seed << 20) + epoch))
        for index in order.split(config.batch_size):
            for group in optimizer.param_groups:
                group["lr"] = config.learning_rate * schedule_type(config.schedule).factor(step / total)
            optimizer.zero_grad()
            loss = loss_function(module(inputs[index]), images.train_labels[index])
            loss.backward()
            if config.clip_grad_norm:
                nn.utils.clip_grad_norm_(module.parameters(), config.clip_grad_norm)
            optimizer.step()
            actual.append(loss.item())
            step += 1
        module.eval()
        with torch.no_grad():
            module(normalise(images.test_images, images.info))
        module.train()
    return actual


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("optimizer", [kind.name for kind in OPTIMIZERS if not kind.full_batch])
def test_losses_equal_those_of_a_plain_loop_to_the_last_bit(name: str, optimizer: str, digits: ImageSet) -> None:
    """With the fused optimizer, as in the playground."""
    config = replace(CONFIG, optimizer=optimizer, weight_decay=0.01, label_smoothing=0.1, nesterov=optimizer == "sgd", learning_rate=0.003)
    torch.manual_seed(config.seed)
    module = MODULES[name]()
    inputs = normalise(digits.train_images, digits.info).contiguous(memory_format=torch.channels_last if name == "conv" else torch.contiguous_format)
    assert losses(SPECS[name], config, digits) == plain_losses(module, config, digits, inputs, {"fused": True})


@pytest.mark.parametrize("name", SPECS)
def test_losses_with_gradient_clipping_equal_those_of_a_plain_loop_to_the_last_bit(name: str, digits: ImageSet) -> None:
    config = replace(CONFIG, optimizer="sgd", learning_rate=0.05, clip_grad_norm=0.2)
    torch.manual_seed(config.seed)
    module = MODULES[name]()
    inputs = normalise(digits.train_images, digits.info).contiguous(memory_format=torch.channels_last if name == "conv" else torch.contiguous_format)
    clipped = losses(SPECS[name], config, digits)
    assert clipped == plain_losses(module, config, digits, inputs, {"fused": True})
    assert clipped != losses(SPECS[name], replace(config, clip_grad_norm=0.0), digits)


@pytest.mark.parametrize("part", [1000, 37], ids=["whole", "in parts"])
def test_lbfgs_uses_the_whole_training_set_in_each_step(part: int, digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses equal those of `torch.optim.LBFGS` on all images at once, up to the order of sums."""
    monkeypatch.setattr(loop, "FULL_BATCH_PART", part)
    config = replace(CONFIG, optimizer="lbfgs", learning_rate=1.0, schedule="constant", epochs=4, batch_size=1)
    torch.manual_seed(config.seed)
    module = MODULES["dense"]()
    inputs = normalise(digits.train_images, digits.info)
    optimizer = torch.optim.LBFGS(module.parameters(), lr=1.0, line_search_fn="strong_wolfe")
    order = torch.cat([torch.randperm(len(inputs), generator=torch.Generator().manual_seed(config.seed << 20))])

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(module(inputs[order]), digits.train_labels[order])
        loss.backward()
        return loss

    expected = [optimizer.step(closure).item() for _ in range(4)]
    assert losses(SPECS["dense"], config, digits) == pytest.approx(expected, rel=1e-3, abs=1e-6)
    assert expected[-1] < 0.1 * expected[0]


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_images_processed_counts_every_loss_evaluation_also_after_a_restore(optimizer: str, digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    batch_sizes: list[int] = []

    def spy(training: Training, inputs: torch.Tensor, *arguments: Any) -> Any:
        batch_sizes.append(len(inputs))
        return forward_and_backward(training, inputs, *arguments)

    forward_and_backward = Training._forward_and_backward
    monkeypatch.setattr(Training, "_forward_and_backward", spy)
    config = configured(optimizer)
    first, second = Training(DENSE, config, digits), Training(DENSE, config, digits)
    train_until(first, 6)
    second.restore(first.state())
    *_, last = evaluations(second.events())
    assert last.images_processed == sum(batch_sizes)
    assert (last.images_processed > 12 * len(digits.train_images)) == (optimizer == "lbfgs")


def test_a_run_cannot_change_between_full_batch_and_mini_batch_optimizers(digits: ImageSet) -> None:
    training = Training(SPECS["dense"], CONFIG, digits)
    with pytest.raises(ConfigError, match="L-BFGS takes the whole training set in each step"):
        training.change_optimizer("lbfgs")
    assert training.optimizer_name == CONFIG.optimizer


@pytest.mark.parametrize("name", SPECS)
def test_bfloat16_rounds_only_the_products(name: str, digits: ImageSet) -> None:
    """Products have 8 binary digits; weights, losses and evaluations stay float32."""
    config = replace(CONFIG, learning_rate=0.001)
    fine, coarse = losses(SPECS[name], config, digits), losses(SPECS[name], replace(config, precision="bfloat16"), digits)
    assert fine != coarse
    assert coarse == pytest.approx(fine, rel=0.02)
    training = Training(SPECS[name], replace(config, precision="bfloat16"), digits)
    training.observer = Always(training.total_steps)
    last = evaluations(training.events())[-1]
    assert {tensor.dtype for tensor in training.network.state_dict().values() if tensor.is_floating_point()} == {torch.float32}
    assert last.test_loss == loop.evaluate(training.network, digits, training.prepare)[0]
    assert losses(SPECS[name], replace(config, precision="bfloat16"), digits) == coarse


@pytest.mark.parametrize("schedule", list(SCHEDULE_TITLES))
def test_losses_equal_those_of_a_tutorial_up_to_rounding(schedule: str, digits: ImageSet) -> None:
    """With pixels normalised as in tutorials, and SGD that is not fused: only rounding differs."""
    config = replace(CONFIG, optimizer="sgd", learning_rate=0.02, schedule=schedule)
    torch.manual_seed(config.seed)
    module = MODULES["dense"]()
    inputs = (digits.train_images / 255 - digits.info.mean[0]) / digits.info.std[0]
    expected = plain_losses(module, config, digits, inputs, {"fused": False})
    assert losses(DENSE, config, digits) == pytest.approx(expected, rel=1e-5)


def test_the_same_seed_gives_the_same_losses_to_the_last_bit(digits: ImageSet) -> None:
    config = replace(CONFIG, augment=AUGMENT)
    first = losses(CONV, config, digits)
    torch.manual_seed(99)  # whatever was drawn before
    assert losses(CONV, config, digits) == first


def test_another_seed_gives_other_losses(digits: ImageSet) -> None:
    first, other = losses(DENSE, CONFIG, digits), losses(DENSE, replace(CONFIG, seed=4), digits)
    assert all(mine != theirs for mine, theirs in zip(first, other, strict=True))


def test_training_reduces_the_loss(digits: ImageSet) -> None:
    config = replace(CONFIG, epochs=20)
    last = evaluations(train(DENSE, config, digits))[-1]
    assert last.train_accuracy > 0.95 and last.train_loss < 0.2 and last.test_accuracy > 0.3


@pytest.mark.parametrize("at", [1, 4, 9])
@pytest.mark.parametrize("optimizer", list(OPTIMIZER_TITLES))
def test_a_restored_training_continues_to_the_last_bit(optimizer: str, at: int, digits: ImageSet) -> None:
    config = configured(optimizer, augment=AUGMENT, nesterov=optimizer == "sgd", schedule="one-cycle", learning_rate=0.003)
    whole = list(train(CONV, config, digits))
    first = Training(CONV, config, digits)
    before = train_until(first, at)
    state = save_and_load(first.state())
    torch.manual_seed(12345)
    second = Training(CONV, config, digits)
    second.restore(state)
    events = [*before, *second.events()]
    for event, expected in zip(steps(iter(events)), steps(iter(whole)), strict=True):
        assert (event.step, event.loss, event.accuracy, event.learning_rate) == (expected.step, expected.loss, expected.accuracy, expected.learning_rate)
    for evaluated, expected in zip(evaluations(iter(events)), evaluations(iter(whole)), strict=True):
        assert replace(evaluated, seconds=0.0) == replace(expected, seconds=0.0)


@pytest.mark.parametrize("at", [STEPS_PER_EPOCH, 2 * STEPS_PER_EPOCH], ids=["epoch-end", "run-end"])
def test_a_state_saved_between_a_step_and_its_evaluation_is_evaluated_after_the_restore(at: int, digits: ImageSet) -> None:
    """As for a run that is stopped while it pauses after the last step of an epoch."""
    expected = evaluations(train(DENSE, CONFIG, digits))
    first = Training(DENSE, CONFIG, digits)
    earlier = train_until(first, at)
    second = Training(DENSE, CONFIG, digits)
    second.restore(save_and_load(first.state()))
    after = list(second.events())
    actual = evaluations(iter([*earlier, *after]))
    assert [replace(event, seconds=0.0) for event in actual] == [replace(event, seconds=0.0) for event in expected]
    assert isinstance(after[-1], Finished) and after[-1].test_accuracy == expected[-1].test_accuracy


def test_a_finished_state_restored_is_finished(digits: ImageSet) -> None:
    first = Training(DENSE, CONFIG, digits)
    *_, finished = first.events()
    second = Training(DENSE, CONFIG, digits)
    second.restore(save_and_load(first.state()))
    (restored,) = [event for event in second.events() if not isinstance(event, Checkpoint)]
    assert isinstance(finished, Finished) and isinstance(restored, Finished)
    assert replace(restored, time=0.0) == replace(finished, time=0.0)


def test_a_restored_training_keeps_its_changed_learning_rate(digits: ImageSet) -> None:
    first = Training(DENSE, replace(CONFIG, schedule="constant"), digits)
    train_until(first, 2)
    first.learning_rate = 0.5
    second = Training(DENSE, replace(CONFIG, schedule="constant"), digits)
    second.restore(save_and_load(first.state()))
    assert {event.learning_rate for event in steps(second.events())} == {0.5}


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda _state: {}, id="empty"),
        pytest.param(lambda state: {"format": state["format"]}, id="format-alone"),
        pytest.param(lambda state: {**state, "format": 99}, id="another-version"),
        pytest.param(lambda state: {**state, "network": CONV.to_json()}, id="another-network"),
        pytest.param(lambda state: {**state, "weights": Training(CONV, CONFIG).network.state_dict()}, id="weights-of-another-network"),
        pytest.param(lambda state: {**state, "weights": {}}, id="no-weights"),
        pytest.param(lambda state: {**state, "weights": 5}, id="weights-a-number"),
        pytest.param(lambda state: {name: value for name, value in state.items() if name != "optimizer"}, id="no-optimizer"),
        pytest.param(lambda state: {**state, "optimizer": {}}, id="empty-optimizer"),
        pytest.param(lambda state: {**state, "random": torch.zeros(3, dtype=torch.uint8)}, id="short-random-state"),
        pytest.param(lambda state: {**state, "totals": [1]}, id="short-totals"),
    ],
)
def test_an_invalid_state_is_refused(damage: Any, digits: ImageSet) -> None:
    training = Training(DENSE, CONFIG, digits)
    state = damage(save_and_load(training.state()))
    with pytest.raises(CheckpointError):
        training.restore(state)


def test_evaluation_equals_that_of_numpy_and_scikit_learn(digits: ImageSet) -> None:
    training = Training(CONV, CONFIG, digits)
    events = list(training.events())
    last = evaluations(iter(events))[-1]
    training.network.eval()
    with torch.no_grad():
        logits = training.network(normalise(digits.test_images, digits.info))
    named, truth = logits.argmax(dim=1).numpy(), digits.test_labels.numpy()
    assert last.test_accuracy == accuracy_score(truth, named) == np.mean(named == truth)
    assert last.test_loss == pytest.approx(F.cross_entropy(logits, digits.test_labels).item(), rel=1e-5)
    finished = events[-1]
    assert isinstance(finished, Finished) and finished.test_accuracy == last.test_accuracy


def test_evaluation_in_small_batches_is_the_same(digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = evaluations(train(CONV, CONFIG, digits))
    monkeypatch.setattr(loop, "EVALUATION_BATCH", 7)
    parts = evaluations(train(CONV, CONFIG, digits))
    assert [event.test_accuracy for event in parts] == [event.test_accuracy for event in whole]
    assert [event.test_loss for event in parts] == pytest.approx([event.test_loss for event in whole], rel=1e-5)


def test_evaluation_reports_the_training_since_the_last_one(digits: ImageSet) -> None:
    config = replace(CONFIG, batch_size=40, evaluate_every=2)  # 40, 40 and 16 images in an epoch
    batches, actual = [], []
    for event in train(DENSE, config, digits):
        if isinstance(event, Step):
            batches.append((event, 16 if event.step % 3 == 0 else 40))
        elif isinstance(event, Evaluated):
            actual.append(event)
            images = sum(size for _, size in batches)
            assert event.train_loss == pytest.approx(sum(step.loss * size for step, size in batches) / images)
            assert event.train_accuracy == pytest.approx(sum(step.accuracy * size for step, size in batches) / images)
            batches = []
    assert [event.step for event in actual] == [2, 4, 6]


@pytest.mark.parametrize(
    ("changes", "count", "evaluated"),
    [
        pytest.param({}, 12, [6, 12], id="once-an-epoch"),
        pytest.param({"evaluate_every": 4}, 12, [4, 8, 12], id="every-4-steps"),
        pytest.param({"evaluate_every": 5}, 12, [5, 10, 12], id="every-5-steps-and-at-the-end"),
        pytest.param({"evaluate_every": 100}, 12, [12], id="at-the-end-only"),
        pytest.param({"evaluate_every": 1}, 12, list(range(1, 13)), id="every-step"),
        pytest.param({"epochs": 1.5}, 9, [6, 9], id="one-and-a-half-epochs"),
        pytest.param({"epochs": 0.5}, 3, [3], id="half-an-epoch"),
        pytest.param({"epochs": 0.001}, 1, [1], id="at-least-one-step"),
        pytest.param({"batch_size": 40}, 6, [3, 6], id="last-batch-partial"),
        pytest.param({"batch_size": 96}, 2, [1, 2], id="one-batch"),
        pytest.param({"batch_size": 97}, 2, [1, 2], id="batch-larger-than-training-set"),
    ],
)
def test_steps_and_evaluations_are_at_the_configured_steps(changes: dict[str, Any], count: int, evaluated: list[int], digits: ImageSet) -> None:
    config = replace(CONFIG, **changes)
    events = list(train(DENSE, config, digits))
    assert [event.step for event in steps(iter(events))] == list(range(1, count + 1))
    actual = evaluations(iter(events))
    assert [event.step for event in actual] == evaluated
    per_epoch = math.ceil(96 / config.batch_size)
    assert [event.epoch for event in actual] == [step / per_epoch for step in evaluated]
    assert isinstance(events[-1], Finished) and events[-1].step == count


@pytest.mark.parametrize("batch", [16, 40, 95])
def test_an_epoch_shows_every_image_once(batch: int, digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[torch.Tensor] = []
    chosen = Training._batch

    def spy(training: Training) -> torch.Tensor:
        shown.append(chosen(training))
        return shown[-1]

    monkeypatch.setattr(Training, "_batch", spy)
    list(train(DENSE, replace(CONFIG, batch_size=batch), digits))
    first, second = torch.cat(shown).split(96)
    assert first.sort().values.tolist() == second.sort().values.tolist() == list(range(96))
    assert first.tolist() != second.tolist()


def test_a_last_batch_of_one_image_trains_or_is_refused(digits: ImageSet) -> None:
    """BatchNorm1d cannot train on one image; the error says so."""
    spec = network(LayerSpec("Flatten"), LayerSpec("Linear", {"out_features": 8}), LayerSpec("BatchNorm1d"), LayerSpec("Linear", {"out_features": 10}))
    try:
        events = list(train(spec, replace(CONFIG, batch_size=95), digits))
    except PlaygroundError:
        return
    assert isinstance(events[-1], Finished)


def test_a_diverging_training_raises_an_error_after_finite_losses(digits: ImageSet) -> None:
    events: list[Event] = []
    with pytest.raises(DivergedError, match="smaller learning rate") as caught:
        collect(train(LINEAR, DIVERGING, digits), events)
    actual = steps(iter(events))
    assert actual and all(math.isfinite(event.loss) for event in actual)
    assert f"at step {len(actual) + 1}," in str(caught.value)
    assert not any(isinstance(event, Finished) for event in events)


def test_divergence_is_found_among_losses_fetched_together(digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FLUSH_SECONDS", math.inf)
    training = Training(LINEAR, replace(DIVERGING, batch_size=2), digits)
    training.flush_each_step = False
    events: list[Event] = []
    with pytest.raises(DivergedError) as caught:
        collect(training.events(), events)
    batches = steps(iter(events))
    assert batches and f"at step {len(batches) + 1}," in str(caught.value)


def test_a_non_finite_test_loss_raises_an_error(digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "evaluate", lambda *_: (math.nan, torch.zeros(10, 10)))
    with pytest.raises(DivergedError, match="nan at step 6"):
        list(train(DENSE, CONFIG, digits))


@pytest.mark.parametrize("schedule", list(SCHEDULE_TITLES))
def test_a_learning_rate_set_while_training_is_the_new_peak(schedule: str, digits: ImageSet) -> None:
    config = replace(CONFIG, schedule=schedule, optimizer="sgd")
    expected = steps(train(DENSE, config, digits))
    training = Training(DENSE, config, digits)
    actual = []
    for event in training.events():
        if isinstance(event, Step):
            actual.append(event)
            if event.step == 3:
                training.learning_rate = 0.2
    peaks = [0.01] * 3 + [0.2] * 9
    assert [event.learning_rate for event in actual] == pytest.approx([peak * schedule_type(schedule).factor(step / 12) for step, peak in enumerate(peaks)])
    same = [mine.loss == theirs.loss for mine, theirs in zip(actual, expected, strict=True)]
    assert same == [True] * 4 + [False] * 8  # the fourth loss is that of the weights before the fourth step


def test_results_fetched_together_are_the_same(digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on an accelerator, which would wait if each loss were fetched at once."""
    monkeypatch.setattr(loop, "FLUSH_SECONDS", math.inf)
    training = Training(CONV, CONFIG, digits)
    training.flush_each_step = False
    actual, expected = steps(training.events()), steps(train(CONV, CONFIG, digits))
    assert [(event.step, event.loss, event.accuracy, event.learning_rate) for event in actual] == [
        (event.step, event.loss, event.accuracy, event.learning_rate) for event in expected
    ]


class Clock:
    """A clock that advances by one second with each reading."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=clock, time=time.time))
    return clock


def test_time_of_the_consumer_does_not_count(clock: Clock, digits: ImageSet) -> None:
    events = []
    for event in train(DENSE, CONFIG, digits):
        events.append(event)
        clock.now += 1e6  # a learner thinks
    finished = events[-1]
    assert isinstance(finished, Finished) and 0 < finished.seconds < 1000
    assert finished.samples_per_second > 0.1


def test_seconds_rise(clock: Clock, digits: ImageSet) -> None:
    timed = [event for event in train(DENSE, CONFIG, digits) if isinstance(event, Step | Evaluated | Finished)]
    assert all(after.seconds >= before.seconds for before, after in pairwise(timed))


@pytest.mark.parametrize("what", ["evaluate", "observe", "snapshot"])
def test_images_per_second_count_training_only_and_seconds_count_everything(what: str, clock: Clock, digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = list(observed_training(DENSE, CONFIG, digits, Always).events())[-1]
    done = getattr(loop, what)

    def slowly(*arguments: Any) -> Any:
        clock.now += 1e6
        return done(*arguments)

    monkeypatch.setattr(loop, what, slowly)
    slow = list(observed_training(DENSE, CONFIG, digits, Always).events())[-1]
    assert isinstance(plain, Finished) and isinstance(slow, Finished)
    assert slow.seconds > plain.seconds + 1e6
    assert slow.samples_per_second == plain.samples_per_second > 0


def test_checkpoints_are_due_every_few_seconds_and_at_the_end(clock: Clock, digits: ImageSet) -> None:
    events = list(train(DENSE, CONFIG, digits))
    kept = [event.step for event in events if isinstance(event, Checkpoint)]
    assert len(kept) > 1 and kept[-1] == 12 and sorted(set(kept)) == kept
    assert any(step % STEPS_PER_EPOCH for step in kept)  # in the middle of an epoch too
    assert [type(event) for event in events[-3:]] == [Evaluated, Checkpoint, Finished]


@pytest.mark.parametrize(("seconds", "kept"), [pytest.param(-1.0, [4, 8, 12], id="later"), pytest.param(math.inf, [12], id="too-soon")])
def test_checkpoints_are_due_after_evaluations(seconds: float, kept: list[int], digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that most points of a test curve have a checkpoint."""
    monkeypatch.setattr(loop, "EVALUATED_SECONDS", seconds)
    events = list(train(DENSE, replace(CONFIG, evaluate_every=4), digits))
    assert [event.step for event in events if isinstance(event, Checkpoint)] == kept
    for before, event in pairwise(events):
        assert not isinstance(event, Checkpoint) or isinstance(before, Evaluated)


def test_another_optimizer_starts_with_a_fresh_state(digits: ImageSet) -> None:
    """As in a plain loop that creates another optimizer after three steps."""
    config = replace(CONFIG, schedule="constant", learning_rate=0.02)
    training = Training(DENSE, config, digits)
    actual = [training.iterate().loss.item() for _ in range(3)]
    training.change_optimizer("sgd")
    actual += [training.iterate().loss.item() for _ in range(3)]
    torch.manual_seed(config.seed)
    module, expected = MODULES["dense"](), []
    optimizer = torchs_optimizer(config, module, {"fused": True})
    order = torch.randperm(96, generator=torch.Generator().manual_seed(config.seed << 20))
    for number, index in enumerate(order.split(config.batch_size)):
        if number == 3:
            optimizer = torchs_optimizer(replace(config, optimizer="sgd"), module, {"fused": True})
        optimizer.zero_grad()
        loss = F.cross_entropy(module(normalise(digits.train_images[index], digits.info)), digits.train_labels[index])
        loss.backward()
        optimizer.step()
        expected.append(loss.item())
    assert actual == expected


def test_an_unknown_optimizer_is_refused_and_changes_nothing(digits: ImageSet) -> None:
    training = Training(DENSE, CONFIG, digits)
    with pytest.raises(ConfigError, match="magic"):
        training.change_optimizer("magic")
    assert training.optimizer_name == "adam" and isinstance(training.optimizer, torch.optim.Adam)


def test_training_starts_from_start_weights(digits: ImageSet) -> None:
    first = Training(DENSE, CONFIG, digits)
    train_until(first, 4)
    weights = {name: tensor.clone() for name, tensor in first.network.state_dict().items()}
    second = Training(DENSE, CONFIG, digits, weights)
    assert all(torch.equal(tensor, weights[name]) for name, tensor in second.network.state_dict().items())
    assert second.step == 0
    with pytest.raises(CheckpointError, match="another network"):
        Training(CONV, CONFIG, digits, weights)


def test_an_evaluation_counts_predictions_of_each_class(digits: ImageSet) -> None:
    training = Training(CONV, CONFIG, digits)
    last = evaluations(training.events())[-1]
    training.network.eval()
    with torch.no_grad():
        named = training.network(normalise(digits.test_images, digits.info)).argmax(dim=1).numpy()
    counted = confusion_matrix(digits.test_labels.numpy(), named, labels=range(10))
    assert last.named == counted.sum(axis=0).tolist() and last.right == counted.diagonal().tolist()


def test_a_short_run_has_a_checkpoint_at_its_end(digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", math.inf)
    assert [event.step for event in train(DENSE, CONFIG, digits) if isinstance(event, Checkpoint)] == [12]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param(network(LayerSpec("Flatten"), LayerSpec("Linear", {"out_features": 10}), shape=(3, 32, 32)), r"\(3, 32, 32\).*\(1, 28, 28\)", id="shape"),
        pytest.param(network(LayerSpec("Flatten"), LayerSpec("Linear", {"out_features": 12})), "10 classes", id="classes"),
        pytest.param(network(LayerSpec("Linear", {"out_features": 10})), r"ends in shape|Layer 0", id="not-flat"),
        pytest.param(network(LayerSpec("Conv2d", {"out_channels": 1, "kernel_size": 29}), LayerSpec("Flatten")), "Layer 0", id="window"),
    ],
)
def test_a_network_that_does_not_fit_is_refused(spec: NetworkSpec, message: str, digits: ImageSet) -> None:
    with pytest.raises(ShapeError, match=message):
        Training(spec, CONFIG, digits)


def test_an_unknown_device_is_refused(digits: ImageSet) -> None:
    with pytest.raises(UnknownName, match=r"abacus.*best, cpu"):
        Training(DENSE, replace(CONFIG, device="abacus"), digits)


def test_an_unknown_data_set_is_refused() -> None:
    with pytest.raises(DataError, match="has not been downloaded"):
        Training(DENSE, replace(CONFIG, dataset="mnist"))


def test_the_configured_data_set_is_loaded_by_default() -> None:
    training = Training(DENSE, replace(CONFIG, batch_size=500))
    assert (training.steps_per_epoch, training.total_steps) == (8, 16)
    assert len(training.images.train_images) == 4000


@pytest.mark.usefixtures("few_drawn_images")
def test_an_image_of_no_class_asks_for_the_same_probability_of_each(digits: ImageSet) -> None:
    training = Training(preset("mnist-mlp"), TrainConfig(network="mnist-mlp", augment=Augmentation(scribbles=0.5)), digits)
    logits, targets = torch.randn(6, 10), torch.tensor([3, NO_CLASS, 0, NO_CLASS, 9, NO_CLASS])
    known = targets != NO_CLASS
    expected = (F.cross_entropy(logits[known], targets[known], reduction="sum") - logits[~known].log_softmax(1).mean(1).sum()) / 6
    torch.testing.assert_close(training._loss(logits, targets), expected)
    torch.testing.assert_close(training._loss(logits[known], targets[known]), F.cross_entropy(logits[known], targets[known]))


@pytest.mark.usefixtures("few_drawn_images")
def test_images_of_no_class_count_neither_as_right_nor_as_wrong(digits: ImageSet) -> None:
    config = TrainConfig(network="mnist-mlp", epochs=30.0, batch_size=32, augment=Augmentation(styles=0.05, scribbles=0.4))
    steps = [event for event in train(preset("mnist-mlp"), config, digits) if isinstance(event, Step)]
    assert max(step.accuracy for step in steps) > 0.9  # with them it could not exceed their share
    assert all(0 <= step.accuracy <= 1 for step in steps)
