"""An iteration has the values of plain PyTorch for the same batch, and recording changes nothing."""

from __future__ import annotations

import copy
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from playground.data.images import ImageSet, normalise
from playground.network.spec import LayerSpec, NetworkSpec
from playground.training.config import TrainConfig
from playground.training.events import Closeup, Evaluated, Observed, Snapshot, Step
from playground.training.loop import Training
from playground.training.optimizers import OPTIMIZER_TITLES

from .tiny import AUGMENT, CONFIG, CONV, DENSE, RESIDUAL, Always, Never, configured, network, observed_training

TOKENS = network(
    LayerSpec("PatchEmbedding", {"embed_dim": 8, "patch_size": 7}),
    LayerSpec("TransformerEncoderLayer", {"nhead": 2, "dim_feedforward": 16, "dropout": 0.2}),
    LayerSpec("TokenMean"),
    LayerSpec("Linear", {"out_features": 10}),
)
SPECS = {"dense": DENSE, "conv": CONV, "residual": RESIDUAL, "tokens": TOKENS}
WITHOUT_DROPOUT = {
    name: replace(spec, layers=tuple(layer for layer in spec.layers if layer.type != "Dropout")) for name, spec in SPECS.items() if name != "tokens"
}
"""The same without dropout, so that a second pass draws nothing."""
WHITENED = replace(CONFIG, whiten=True)


def copied_layers(training: Training) -> nn.Sequential:
    """Copy the layers in the order in which they are stacked."""
    return nn.Sequential(*(copy.deepcopy(layer) for layer in training.network)).train()


def layer_outputs(module: nn.Sequential, value: Tensor) -> list[Tensor]:
    """Return the output of each layer."""
    outputs = []
    for layer in module:
        value = layer(value)
        outputs.append(value)
    return outputs


def train_to_end(training: Training, *, with_closeups: bool) -> tuple[list[Any], dict[str, Tensor], Tensor]:
    """Train to the end; return the steps and evaluations, the weights, and the state of the random generator."""
    records: list[Any] = []
    training.record_closeup = with_closeups
    for event in training.events():
        training.record_closeup = with_closeups
        if isinstance(event, Step):
            records.append((event.step, event.loss, event.accuracy, event.learning_rate))
        elif isinstance(event, Evaluated):
            records.append(replace(event, seconds=0.0))
    return records, training.network.state_dict(), torch.get_rng_state()


def repeats(name: str, optimizer: str) -> bool:
    """Whether the quick tier has this network and this optimizer in other cases."""
    return name != "conv" and optimizer != CONFIG.optimizer


@pytest.mark.parametrize(
    ("name", "optimizer"), [pytest.param(*pair, marks=[pytest.mark.slow] if repeats(*pair) else []) for pair in product(SPECS, OPTIMIZER_TITLES)]
)
def test_observing_changes_no_bit(name: str, optimizer: str, digits: ImageSet) -> None:
    """With dropout, batch norm, augmentation and label smoothing; each step with observation, snapshot and close-up, or none."""
    config = configured(optimizer, augment=AUGMENT, label_smoothing=0.1, weight_decay=0.01, learning_rate=0.003, evaluate_every=4)
    expected, weights, random = train_to_end(observed_training(SPECS[name], config, digits, Never), with_closeups=False)
    observed, observed_weights, observed_random = train_to_end(observed_training(SPECS[name], config, digits, Always), with_closeups=True)
    assert observed == expected
    assert torch.equal(observed_random, random)
    assert all(torch.equal(observed_weights[key], weights[key]) for key in weights)


def test_observing_changes_nothing_with_frozen_filters(digits: ImageSet) -> None:
    records = [
        train_to_end(observed_training(CONV, WHITENED, digits, observer), with_closeups=with_closeups)[0]
        for observer, with_closeups in ((Never, False), (Always, True))
    ]
    assert records[0] == records[1]


def test_the_observers_of_these_tests_observe_every_step_or_none(digits: ImageSet) -> None:
    """Otherwise the test above would compare two trainings without observations."""
    training = observed_training(DENSE, CONFIG, digits, Always)
    training.record_closeup = True
    events = list(training.events())
    assert [sum(isinstance(event, kind) for event in events) for kind in (Observed, Snapshot, Closeup)] == [12, 12, 2]
    assert not any(isinstance(event, Observed | Snapshot | Closeup) for event in observed_training(DENSE, CONFIG, digits, Never).events())


@pytest.mark.parametrize("name", WITHOUT_DROPOUT)
def test_an_iteration_equals_that_of_plain_pytorch(name: str, digits: ImageSet) -> None:
    """Layer by layer in the stacked order, whatever order they are run in."""
    training = Training(WITHOUT_DROPOUT[name], replace(CONFIG, optimizer="sgd", label_smoothing=0.1, schedule="constant"), digits)
    for number in range(1, 4):
        module = copied_layers(training)
        before = [[parameter.detach().clone() for parameter in layer.parameters()] for layer in module]
        iteration = training.iterate()
        optimizer = torch.optim.SGD(module.parameters(), CONFIG.learning_rate, CONFIG.momentum)
        outputs = layer_outputs(module, iteration.inputs)
        loss = F.cross_entropy(outputs[-1], iteration.targets, label_smoothing=0.1)
        loss.backward()
        assert (iteration.step, iteration.learning_rate) == (number, CONFIG.learning_rate)
        assert iteration.loss.item() == pytest.approx(loss.item(), rel=1e-6)
        torch.testing.assert_close(iteration.logits, outputs[-1].detach())
        torch.testing.assert_close(iteration.outputs, [output.detach() for output in outputs])
        assert all(_equal(iteration.before[layer], before[layer]) for layer in range(len(module)))
        for layer, part in enumerate(module):
            torch.testing.assert_close(iteration.gradients(layer), [parameter.grad for parameter in part.parameters()], atol=1e-6, rtol=1e-5)
        if number == 1:  # the first step of SGD with momentum is that without
            optimizer.step()
            for layer, part in enumerate(module):
                updates = [after.detach() - start for after, start in zip(part.parameters(), before[layer], strict=True)]
                torch.testing.assert_close(iteration.updates(layer), updates, atol=1e-6, rtol=1e-4)


def _equal(mine: list[Tensor], theirs: list[Tensor]) -> bool:
    return all(torch.equal(first, second) for first, second in zip(mine, theirs, strict=True))


def test_the_batch_is_recorded_before_and_after_input_scaling(digits: ImageSet) -> None:
    iteration = Training(CONV, CONFIG, digits).iterate()
    order = torch.randperm(len(digits.train_images), generator=torch.Generator().manual_seed(CONFIG.seed << 20))[: CONFIG.batch_size]
    assert torch.equal(iteration.pixels.to(torch.uint8), digits.train_images[order])
    assert torch.equal(iteration.targets, digits.train_labels[order])
    torch.testing.assert_close(iteration.inputs, normalise(digits.train_images[order], digits.info))


@pytest.mark.parametrize("inputs", ["standardised", "0-1", "0-255"])
def test_inputs_are_the_scaled_augmented_pixels(inputs: str, digits: ImageSet) -> None:
    iteration = Training(CONV, replace(CONFIG, augment=AUGMENT, inputs=inputs), digits).iterate()
    torch.testing.assert_close(iteration.inputs, normalise(iteration.pixels, digits.info, inputs))


def test_a_frozen_layer_has_no_gradient_and_no_update(digits: ImageSet) -> None:
    training = Training(CONV, WHITENED, digits)
    training.iterate()
    iteration = training.iterate()
    weight, bias = iteration.updates(0)
    assert [gradient.shape for gradient in iteration.gradients(0)] == [bias.shape]
    assert weight.abs().max() == 0 < bias.abs().max()


def test_single_iterations_equal_the_steps_of_the_loop(digits: ImageSet) -> None:
    """The search for a non-finite value repeats the steps of the loop."""
    config = replace(CONFIG, augment=AUGMENT, epochs=1)
    training = Training(CONV, config, digits)
    iterations = [training.iterate() for _ in range(6)]
    expected = [event for event in Training(CONV, config, digits).events() if isinstance(event, Step)]
    assert [(each.step, each.loss.item(), each.learning_rate) for each in iterations] == [(each.step, each.loss, each.learning_rate) for each in expected]


@pytest.mark.parametrize("spec", SPECS.values(), ids=list(SPECS))
def test_no_hook_remains_after_training(spec: NetworkSpec, digits: ImageSet) -> None:
    training = observed_training(spec, replace(CONFIG, epochs=0.5), digits, Always)
    list(training.events())
    assert not any(module._forward_hooks or module._forward_pre_hooks or module._backward_hooks for module in training.network.modules())


@pytest.mark.parametrize("config", [CONFIG, replace(CONFIG, augment=AUGMENT)], ids=["plain", "augmented"])
def test_training_does_not_change_the_data_set(config: TrainConfig, digits: ImageSet) -> None:
    before = digits.train_images.clone()
    list(observed_training(CONV, config, digits, Always).events())
    assert torch.equal(digits.train_images, before)
