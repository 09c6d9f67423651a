"""Close-ups have the images of the batch, the losses of PyTorch, and the arithmetic of the textbook."""

from __future__ import annotations

import base64
import copy
import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from playground.data.images import ImageSet
from playground.network.spec import LayerSpec, NetworkSpec
from playground.training.config import TrainConfig
from playground.training.events import Closeup, Event, Observed, Step, from_json
from playground.training.instruments.closeup import SHOWN
from playground.training.loop import Training
from playground.training.optimizers import OPTIMIZER_TITLES

from .tiny import AUGMENT, CONFIG, CONV, DENSE, RESIDUAL, configured, train_until

PLAIN = replace(CONFIG, schedule="constant", learning_rate=0.01)


def closeup_of(training: Training, step: int) -> tuple[dict[str, Any], Step]:
    """Train up to a step; return its close-up and its event."""
    if training.step < step - 1:
        train_until(training, step - 1)
    training.record_closeup = True
    events = train_until(training, step)
    (closeup,) = [event for event in events if isinstance(event, Closeup)]
    step_event = events[-1]
    assert isinstance(step_event, Step) and closeup.step == closeup.document["step"] == step_event.step == step
    return closeup.document, step_event


def examples(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [parameter["example"] for layer in document["layers"] for parameter in layer["parameters"]]


def update_tolerance(example: dict[str, Any]) -> float:
    """Return the tolerance of an update: the difference of two float32 numbers, rounded to six digits."""
    return 1.5e-7 * abs(example["before"]) + 5e-6 * abs(example["update"]) + 1e-12


@pytest.mark.parametrize("optimizer", list(OPTIMIZER_TITLES))
@pytest.mark.parametrize("spec", [DENSE, CONV, RESIDUAL], ids=["dense", "conv", "residual"])
def test_before_plus_update_is_after(spec: NetworkSpec, optimizer: str, digits: ImageSet) -> None:
    document, _ = closeup_of(Training(spec, replace(PLAIN, optimizer=optimizer, epochs=configured(optimizer).epochs), digits), 2 if optimizer == "lbfgs" else 4)
    assert document["optimizer"] == optimizer and document["learning_rate"] == 0.01
    for example in examples(document):
        written = 5e-6 * (abs(example["before"]) + abs(example["after"]))  # half of the sixth digit of each
        assert example["before"] + example["update"] == pytest.approx(example["after"], abs=update_tolerance(example) + written)
        assert example["update"] != 0 or optimizer == "lbfgs"  # it does not update a bias before batch norm, whose gradient is 0


def textbook(config: TrainConfig, example: dict[str, Any]) -> float:
    """Compute the update of one element from its gradient and the optimizer's state after the step."""
    memory, gradient, rate = example["memory"], example["gradient"], config.learning_rate
    pulled = gradient + config.weight_decay * example["before"]
    match config.optimizer:
        case "sgd" if not config.momentum:
            return -rate * pulled
        case "sgd":
            return -rate * (pulled + config.momentum * memory["momentum"] if config.nesterov else memory["momentum"])
        case "rmsprop":
            return -rate * (memory["momentum"] if config.momentum else pulled / (math.sqrt(memory["square"]) + 1e-8))
        case _:
            beta1, beta2 = config.betas
            mean, square = memory["mean"] / (1 - beta1 ** memory["step"]), memory["square"] / (1 - beta2 ** memory["step"])
            decay = rate * config.weight_decay * example["before"] if config.optimizer == "adamw" else 0.0
            return -rate * mean / (math.sqrt(square) + 1e-8) - decay


TEXTBOOK = {
    "sgd": replace(PLAIN, optimizer="sgd", momentum=0.0),
    "sgd-decay": replace(PLAIN, optimizer="sgd", momentum=0.0, weight_decay=0.1),
    "sgd-momentum": replace(PLAIN, optimizer="sgd", momentum=0.9, weight_decay=0.1),
    "sgd-nesterov": replace(PLAIN, optimizer="sgd", momentum=0.8, nesterov=True),
    "adam": replace(PLAIN, optimizer="adam"),
    "adam-betas": replace(PLAIN, optimizer="adam", betas=(0.7, 0.9), weight_decay=0.1),
    "adamw": replace(PLAIN, optimizer="adamw", weight_decay=0.1),
    "rmsprop": replace(PLAIN, optimizer="rmsprop", momentum=0.0),
    "rmsprop-momentum": replace(PLAIN, optimizer="rmsprop", momentum=0.9),
}


@pytest.mark.parametrize("step", [1, 2, 5])
@pytest.mark.parametrize("name", TEXTBOOK)
def test_the_update_follows_from_gradient_and_optimizer_state_by_the_textbook(name: str, step: int, digits: ImageSet) -> None:
    config = TEXTBOOK[name]
    document, _ = closeup_of(Training(DENSE, config, digits), step)
    for example in examples(document):
        assert example["update"] == pytest.approx(textbook(config, example), rel=1e-4, abs=update_tolerance(example))
        if config.optimizer in ("adam", "adamw"):
            assert example["memory"]["step"] == step


@pytest.mark.parametrize("optimizer", list(OPTIMIZER_TITLES))
def test_the_example_is_the_element_with_the_largest_update(optimizer: str, digits: ImageSet) -> None:
    training = Training(CONV, replace(PLAIN, optimizer=optimizer, epochs=configured(optimizer).epochs), digits)
    train_until(training, 2)
    before = {name: parameter.detach().clone() for name, parameter in training.network.named_parameters()}
    document, _ = closeup_of(training, 3)
    after = dict(training.network.named_parameters())
    parameters = [(f"{index}.{each['name']}", each) for index, layer in enumerate(document["layers"]) for each in layer["parameters"]]
    assert [name for name, _ in parameters] == list(after)
    for name, described in parameters:
        update = (after[name].detach() - before[name]).numpy()
        place = tuple(described["example"]["place"])
        assert abs(update[place]) == np.abs(update).max()
        assert described["shape"] == list(update.shape)
        gradient = after[name].grad
        assert gradient is not None
        values = [described["example"][key] for key in ("before", "gradient", "update", "after")]
        assert values == pytest.approx(
            [tensor[place].item() for tensor in (before[name], gradient, after[name].detach() - before[name], after[name])], rel=1e-5
        )
        norms = [np.linalg.norm(tensor.detach().numpy()) for tensor in (before[name], gradient)]
        assert [described["weight"], described["gradient"], described["update"]] == pytest.approx([*norms, np.linalg.norm(update)], rel=1e-4)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_images_labels_and_losses_are_those_of_the_batch(smoothing: float, digits: ImageSet) -> None:
    config = replace(PLAIN, batch_size=32, label_smoothing=smoothing)
    training = Training(DENSE, config, digits)
    module = copy.deepcopy(training.network)
    document, step_event = closeup_of(training, 1)
    index = torch.randperm(len(digits.train_images), generator=torch.Generator().manual_seed(config.seed << 20))[:32]
    pixels = np.frombuffer(base64.b64decode(document["pixels"]), dtype=np.uint8).reshape(document["shape"])
    assert np.array_equal(pixels, digits.train_images[index[:SHOWN]].numpy())
    assert document["labels"] == digits.train_labels[index[:SHOWN]].tolist() and document["batch"] == 32
    with torch.no_grad():
        logits = module(((digits.train_images[index] / 255) - 0.1307) / 0.3081)
    targets = digits.train_labels[index]
    assert np.array(document["logits"]) == pytest.approx(logits[:SHOWN].numpy(), rel=1e-3, abs=1e-5)
    assert np.array(document["probabilities"]) == pytest.approx(logits[:SHOWN].softmax(dim=1).numpy(), rel=1e-3, abs=1e-6)
    losses = F.cross_entropy(logits, targets, label_smoothing=smoothing, reduction="none")
    assert document["losses"] == pytest.approx(losses[:SHOWN].tolist(), rel=1e-4)
    assert document["loss"] == pytest.approx(losses.mean().item(), rel=1e-4) == pytest.approx(step_event.loss, rel=1e-4)


def test_images_are_the_augmented_ones(digits: ImageSet) -> None:
    training = Training(DENSE, replace(PLAIN, augment=AUGMENT), digits)
    state = torch.get_rng_state()
    document, _ = closeup_of(training, 1)
    torch.set_rng_state(state)
    pixels = Training(DENSE, replace(PLAIN, augment=AUGMENT), digits).iterate().pixels
    shown = np.frombuffer(base64.b64decode(document["pixels"]), dtype=np.uint8).reshape(document["shape"])
    assert np.array_equal(shown, pixels[:SHOWN].clamp(0, 255).to(torch.uint8).numpy())


@pytest.mark.parametrize("spec", [DENSE, CONV], ids=["dense", "dropout-and-batch-norm"])
def test_the_loss_before_and_after_is_that_of_the_same_batch_without_dropout(spec: NetworkSpec, digits: ImageSet) -> None:
    training = Training(spec, PLAIN, digits)
    train_until(training, 3)
    module = copy.deepcopy(training.network)
    twin = Training(spec, PLAIN, digits)
    train_until(twin, 3)
    iteration = twin.iterate()
    document, _ = closeup_of(training, 4)
    buffers = {name: value for name, value in training.network.state_dict().items() if name not in dict(training.network.named_parameters())}
    module.load_state_dict({**module.state_dict(), **buffers})
    with torch.no_grad():
        losses = [F.cross_entropy(each.eval()(iteration.inputs), iteration.targets).item() for each in (module, copy.deepcopy(training.network))]
    assert [document["before"], document["after"]] == pytest.approx(losses, rel=1e-4)
    assert document["after"] < document["before"]
    assert training.network.training


def test_the_erased_gradient_is_that_of_the_step_before(digits: ImageSet) -> None:
    training = Training(DENSE, PLAIN, digits)
    document, _ = closeup_of(training, 1)
    assert document["erased"] == [None] * 4
    arrays = [[part.grad.numpy().ravel() for part in layer.parameters() if part.grad is not None] for layer in training.network]
    document, _ = closeup_of(training, 2)
    norms = [float(np.linalg.norm(np.concatenate(parts))) if parts else None for parts in arrays]
    assert document["erased"] == [norm and pytest.approx(norm, rel=1e-4) for norm in norms]


def test_a_close_up_is_taken_once_and_at_the_end_and_comes_with_an_observation_before_its_step(digits: ImageSet) -> None:
    training = Training(CONV, PLAIN, digits)
    train_until(training, 3)
    training.record_closeup = True
    events: list[Event] = list(training.events())
    at, last = [index for index, event in enumerate(events) if isinstance(event, Closeup)]
    assert not training.record_closeup
    assert events[last].step == training.total_steps
    assert [event.step for event in events[: at + 2] if isinstance(event, Observed | Closeup | Step)] == [4, 4, 4]


@pytest.mark.parametrize("damage", ["weights-not-finite", "whole"])
def test_every_close_up_can_be_serialised(damage: str, digits: ImageSet) -> None:
    training = Training(CONV, replace(PLAIN, optimizer="sgd", learning_rate=1e-3), digits)
    if damage == "weights-not-finite":
        with torch.no_grad():
            training.network[0].weight.fill_(1e30)  # type: ignore[union-attr, operator]
    training.record_closeup = True
    closeup, *_ = [event for event in training.events() if isinstance(event, Closeup)]
    line = closeup.to_json()
    json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert from_json(line) == closeup


def test_layers_have_their_shapes_and_a_frozen_filter_no_arithmetic(digits: ImageSet) -> None:
    document, _ = closeup_of(Training(CONV, replace(PLAIN, whiten=True), digits), 2)
    assert [layer["shape"] for layer in document["layers"]] == [[4, 12, 12], [4, 12, 12], [4, 12, 12], [4, 6, 6], [144], [144], [10]]
    assert [[each["name"] for each in layer["parameters"]] for layer in document["layers"]] == [
        ["bias"],
        ["weight", "bias"],
        [],
        [],
        [],
        [],
        ["weight", "bias"],
    ]


@pytest.mark.parametrize(("spec", "layer"), [(DENSE, 1), (CONV, 0)], ids=["dense", "conv"])
def test_the_filter_is_that_of_the_first_layer_that_moved_most(spec: NetworkSpec, layer: int, digits: ImageSet) -> None:
    training = Training(spec, PLAIN, digits)
    train_until(training, 2)
    weight = next(iter(training.network[layer].parameters()))
    before = weight.detach().clone().flatten(1)
    document, _ = closeup_of(training, 3)
    update = weight.detach().flatten(1) - before
    shown = document["filter"]
    assert (shown["layer"], shown["index"]) == (layer, int(update.norm(dim=1).argmax()))
    assert math.prod(shown["shape"]) == before.shape[1] and shown["shape"][0] == 1
    assert shown["before"] == pytest.approx(before[shown["index"]].tolist(), rel=1e-5, abs=1e-8)
    assert shown["update"] == pytest.approx(update[shown["index"]].tolist(), rel=1e-5, abs=1e-8)


def test_a_first_layer_that_is_frozen_or_no_picture_has_no_filter(digits: ImageSet) -> None:
    assert closeup_of(Training(CONV, replace(PLAIN, whiten=True), digits), 2)[0]["filter"] is None
    behind = replace(DENSE, layers=(DENSE.layers[0], LayerSpec("LayerNorm"), *DENSE.layers[1:]))
    assert closeup_of(Training(behind, PLAIN, digits), 2)[0]["filter"] is None


def test_a_batch_of_one_image_is_shown(digits: ImageSet) -> None:
    document, _ = closeup_of(Training(DENSE, replace(PLAIN, batch_size=1), digits), 1)
    assert document["shape"] == [1, 1, 28, 28] and len(document["losses"]) == len(document["labels"]) == 1
