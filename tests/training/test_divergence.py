"""The search finds the step, place and layer of the first non-finite value of plain PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from playground.data.images import ImageSet, normalise
from playground.errors import DivergedError
from playground.network.spec import LayerSpec, NetworkSpec
from playground.training.config import TrainConfig
from playground.training.events import Diverged
from playground.training.instruments import divergence
from playground.training.loop import Training

from .tiny import AUGMENT, CONFIG, LINEAR, network, save_and_load, train_until

SGD = replace(CONFIG, optimizer="sgd", schedule="constant", momentum=0.0, epochs=20)
DEEP = network(LayerSpec("Flatten"), *(LayerSpec("Linear", {"out_features": 12}) for _ in range(5)), LINEAR.layers[-1])
RANDOM = network(LayerSpec("Flatten"), LayerSpec("Dropout", {"p": 0.3}), *LINEAR.layers[1:])
EXPLODING = {
    "linear": (LINEAR, replace(SGD, learning_rate=100.0)),
    "deep": (DEEP, replace(SGD, learning_rate=20.0)),
    "momentum": (LINEAR, replace(SGD, learning_rate=5.0, momentum=0.99)),
    "bytes": (LINEAR, replace(SGD, learning_rate=0.1, inputs="0-255")),
}
Spoil = Callable[[nn.Sequential], None]


def oracle(spec: NetworkSpec, config: TrainConfig, images: ImageSet, last: int, spoil: Spoil = lambda _network: None) -> tuple[int, str, int]:
    """Search in a plain loop over an `nn.Sequential`."""
    training = Training(spec, config, images)
    spoil(training.network)
    module = nn.Sequential(*training.network).train()
    optimizer = type(training.optimizer)(module.parameters(), **_settings(training.optimizer))
    per_epoch = len(images.train_images) // config.batch_size
    for step in range(last):
        generator = torch.Generator().manual_seed((config.seed << 20) + step // per_epoch)
        index = torch.randperm(len(images.train_images), generator=generator)[step % per_epoch * config.batch_size :][: config.batch_size]
        optimizer.zero_grad()
        value = normalise(images.train_images[index], images.info, config.inputs)
        for number, layer in enumerate(module):
            value = layer(value)
            if not value.isfinite().all():
                return step + 1, "output", number
        loss = F.cross_entropy(value, images.train_labels[index])
        if not loss.isfinite():
            return step + 1, "loss", -1
        loss.backward()
        for number in reversed(range(len(module))):
            if any(not parameter.grad.isfinite().all() for parameter in module[number].parameters()):
                return step + 1, "gradient", number
        optimizer.step()
        for number, layer in enumerate(module):
            if any(not parameter.isfinite().all() for parameter in layer.parameters()):
                return step + 1, "update", number
    raise AssertionError(f"nothing up to step {last}")


def _settings(optimizer: torch.optim.Optimizer) -> dict[str, object]:
    return {name: value for name, value in optimizer.param_groups[0].items() if name in ("lr", "momentum", "betas", "fused")}


def diverged_at(spec: NetworkSpec, config: TrainConfig, images: ImageSet, spoil: Spoil = lambda _network: None) -> int:
    """Return the first step with a non-finite loss."""
    training = Training(spec, config, images)
    spoil(training.network)
    with pytest.raises(DivergedError) as caught:
        for _ in training.events():
            pass
    return caught.value.step


@pytest.mark.parametrize("name", EXPLODING)
def test_divergence_is_found_at_the_same_place_as_in_plain_pytorch(name: str, digits: ImageSet) -> None:
    spec, config = EXPLODING[name]
    last = diverged_at(spec, config, digits)
    diverged = divergence.find(Training(spec, config, digits), last)
    assert (diverged.born, diverged.place, diverged.layer) == oracle(spec, config, digits, last)
    assert diverged.step == last >= diverged.born > 1


@pytest.mark.parametrize("at", [1, 2, 3])
def test_divergence_is_found_from_any_earlier_checkpoint(at: int, digits: ImageSet) -> None:
    """With dropout and augmentation, which must draw the same random numbers again."""
    config = replace(SGD, augment=AUGMENT, learning_rate=20.0)
    last = diverged_at(RANDOM, config, digits)
    whole = divergence.find(Training(RANDOM, config, digits), last)
    assert whole.born > at
    training = Training(RANDOM, config, digits)
    train_until(training, at)
    state = save_and_load(training.state())
    torch.manual_seed(999)
    resumed = Training(RANDOM, config, digits)
    resumed.restore(state)
    assert divergence.find(resumed, last) == whole


def set_all_weights(layer: int, value: float) -> Spoil:
    def spoil(module: nn.Sequential) -> None:
        with torch.no_grad():
            module[layer].weight.fill_(value)  # type: ignore[union-attr, operator]

    return spoil


def set_one_weight(layer: int, value: float) -> Spoil:
    def spoil(module: nn.Sequential) -> None:
        with torch.no_grad():
            module[layer].weight[0, 200] = value  # type: ignore[union-attr, index, operator]

    return spoil


def overflowing_gradient(module: nn.Sequential) -> None:
    """The loss is finite, because the second layer scales down what the first scales up; its gradient is the product of two large factors."""
    with torch.no_grad():
        for layer, factor in ((1, 1e25), (2, 1e-25), (3, 1e25)):
            module[layer].weight.mul_(factor)  # type: ignore[union-attr, operator]
            module[layer].bias.zero_()  # type: ignore[union-attr, operator]


def overflowing_gradients(module: nn.Sequential) -> None:
    """The same in two units, in one of them reversed, so that the gradients of both layers overflow."""
    with torch.no_grad():
        for layer in (1, 2, 3):
            module[layer].weight.mul_(1e-25 if layer < 3 else 1e25)  # type: ignore[union-attr, operator]
            module[layer].bias.zero_()  # type: ignore[union-attr, operator]
        for part in (module[1].weight[0], module[2].weight[:, 1]):  # type: ignore[union-attr, index, operator]
            part.mul_(1e25).mul_(1e25)


def overflowing_update(module: nn.Sequential) -> None:
    """Gradients of about 1e37, with which a learning rate of 100 makes the update overflow."""
    with torch.no_grad():
        for layer, factor in ((1, 2e19), (2, 1e-19), (3, 2e19)):
            module[layer].weight.mul_(factor)  # type: ignore[union-attr, operator]
            module[layer].bias.zero_()  # type: ignore[union-attr, operator]


def overflowing_loss(module: nn.Sequential) -> None:
    """Logits just within the range of float32; their differences are not."""
    with torch.no_grad():
        last = module[3]
        last.weight.zero_()  # type: ignore[union-attr, operator]
        last.bias.copy_(torch.tensor([-3e38, 3e38]).repeat(5))  # type: ignore[union-attr, operator]


@pytest.mark.parametrize(
    ("spoil", "rate", "place", "layer"),
    [
        pytest.param(set_one_weight(1, torch.inf), 0.01, "output", 1, id="infinite-weight"),
        pytest.param(set_all_weights(2, torch.nan), 0.01, "output", 2, id="nan-weights"),
        pytest.param(set_all_weights(3, 3e38), 0.01, "output", 3, id="overflowing-output"),
        pytest.param(overflowing_loss, 0.01, "loss", -1, id="loss"),
        pytest.param(overflowing_gradient, 1e-30, "gradient", 2, id="gradient-while-the-loss-is-finite"),
        pytest.param(overflowing_gradients, 1e-30, "gradient", 2, id="gradients-of-two-layers"),
        pytest.param(overflowing_update, 100.0, "update", 2, id="update"),
    ],
)
def test_each_place_is_found(spoil: Spoil, rate: float, place: str, layer: int, digits: ImageSet) -> None:
    config = replace(SGD, learning_rate=rate)
    last = diverged_at(LINEAR, config, digits, spoil)
    training = Training(LINEAR, config, digits)
    spoil(training.network)
    diverged = divergence.find(training, last)
    assert (diverged.born, diverged.place, diverged.layer) == (1, place, layer) == oracle(LINEAR, config, digits, last, spoil)
    assert last == (1 if place in ("output", "loss") else 2)  # gradients and updates show in the next loss
    assert [value is None for value in diverged.largest] == [place == "output" and number >= layer for number in range(4)]


def test_a_training_without_divergence_has_no_description(digits: ImageSet) -> None:
    diverged = divergence.find(Training(LINEAR, CONFIG, digits), 4)
    assert (diverged.born, diverged.step) == (0, 4)
    assert divergence.describe(diverged, ["Flatten", "Linear"]) == ""
    assert divergence.find(Training(LINEAR, CONFIG, digits), 0).born == 0  # a checkpoint at the very step


WORDS = {"output": "output of layer 1 (Linear)", "loss": "the loss", "gradient": "gradient of layer 1 (Linear)", "update": "weights of layer 1 (Linear)"}


@pytest.mark.parametrize("place", WORDS)
def test_the_sentence_names_step_place_and_layer(place: str) -> None:
    sentence = divergence.describe(Diverged(8, 7, place, -1 if place == "loss" else 1, []), ["Flatten", "Linear"])
    assert "at step 7," in sentence and WORDS[place] in sentence and sentence.endswith(".")
