"""Networks and settings whose training takes an instant, and helpers to run it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

from playground.data.augmentation import Augmentation
from playground.data.images import ImageSet
from playground.network.spec import LayerSpec, NetworkSpec
from playground.training.config import TrainConfig
from playground.training.events import Event, Step
from playground.training.instruments.observation import Observer
from playground.training.loop import Training
from playground.training.optimizers import OPTIMIZERS, optimizer_type

BATCH, STEPS_PER_EPOCH = 16, 6
TORCH_OPTIMIZERS: dict[str, tuple[type[torch.optim.Optimizer], tuple[str, ...]]] = {
    "sgd": (torch.optim.SGD, ("momentum", "nesterov")),
    "rmsprop": (torch.optim.RMSprop, ("momentum",)),
    "adam": (torch.optim.Adam, ("betas",)),
    "adamw": (torch.optim.AdamW, ("betas",)),
    "nadam": (torch.optim.NAdam, ("betas",)),
    "adamax": (torch.optim.Adamax, ("betas",)),
    "adagrad": (torch.optim.Adagrad, ()),
    "adadelta": (torch.optim.Adadelta, ()),
}
"""For each mini-batch optimizer of `torch.optim` its class, and its settings besides learning rate and weight decay."""
STEPWISE = [kind.name for kind in OPTIMIZERS if not kind.full_batch]
"""The optimizers that take a step for each batch."""
CONFIG = TrainConfig(epochs=2, batch_size=BATCH, learning_rate=0.01, device="cpu", seed=3)
AUGMENT = Augmentation(shift=2, flip=True, rotation=10, scale=0.1, stroke=0.5, noise=0.05)


def configured(optimizer: str, **changes: Any) -> TrainConfig:
    """Return a configuration with twelve steps, also for full-batch optimizers."""
    return replace(CONFIG, optimizer=optimizer, epochs=12 if optimizer_type(optimizer).full_batch else CONFIG.epochs, **changes)


def network(*layers: LayerSpec, shape: tuple[int, ...] = (1, 28, 28)) -> NetworkSpec:
    return NetworkSpec("tiny", shape, layers)


DENSE = network(LayerSpec("Flatten"), LayerSpec("Linear", {"out_features": 16}), LayerSpec("ReLU"), LayerSpec("Linear", {"out_features": 10}))
LINEAR = network(LayerSpec("Flatten"), *(LayerSpec("Linear", {"out_features": size}) for size in (16, 16, 10)))
CONV = network(
    LayerSpec("Conv2d", {"out_channels": 4, "kernel_size": 5, "stride": 2}),
    LayerSpec("BatchNorm2d"),
    LayerSpec("ReLU"),
    LayerSpec("MaxPool2d", {"kernel_size": 2}),
    LayerSpec("Flatten"),
    LayerSpec("Dropout", {"p": 0.3}),
    LayerSpec("Linear", {"out_features": 10}),
)
"""With layers that have buffers or draw random numbers."""
RESIDUAL = network(
    LayerSpec("Conv2d", {"out_channels": 4, "kernel_size": 3, "stride": 2}),
    LayerSpec("ResidualBlock", {"out_channels": 6, "stride": 2}),
    LayerSpec("AdaptiveAvgPool2d", {"output_size": 1}),
    LayerSpec("Flatten"),
    LayerSpec("Linear", {"out_features": 10}),
)


class Always(Observer):
    """Observes every step, with a snapshot."""

    def is_due(self, *_position: float) -> bool:
        return True

    is_snapshot_due = is_due


class Never(Observer):
    """Observes no step."""

    def is_due(self, *_position: float) -> bool:
        return False

    is_snapshot_due = is_due


def observed_training(spec: NetworkSpec, config: TrainConfig, images: ImageSet, observer: type[Observer]) -> Training:
    """Return a training with an observer of this class."""
    training = Training(spec, config, images)
    training.observer = observer(training.total_steps)
    return training


def steps(events: Iterator[Event]) -> list[Step]:
    return [event for event in events if isinstance(event, Step)]


def train_until(training: Training, step: int) -> list[Event]:
    """Train up to a step; return the events up to that of the step."""
    events = []
    for event in training.events():
        events.append(event)
        if isinstance(event, Step) and event.step == step:
            return events
    raise AssertionError(f"there is no step {step}")


def save_and_load(state: dict[str, Any]) -> dict[str, Any]:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    loaded: dict[str, Any] = torch.load(file, weights_only=True)
    return loaded
