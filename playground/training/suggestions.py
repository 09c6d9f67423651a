"""Recommended settings: for each data set those that reach a good result within minutes."""

from __future__ import annotations

from dataclasses import replace

from playground.data.augmentation import Augmentation
from playground.device import has_fast_bfloat16
from playground.training.config import TrainConfig

_STARTS = {
    "mnist-5k": TrainConfig("mnist-5k", "mnist-cnn", epochs=12, augment=Augmentation(shift=1)),
    "shapes": TrainConfig("shapes", "cifar-resnet", epochs=4, augment=Augmentation(flip=True)),
    "mnist": TrainConfig("mnist", "mnist-cnn", epochs=2, batch_size=128, augment=Augmentation(shift=1)),
    "fashion-mnist": TrainConfig("fashion-mnist", "mnist-cnn", epochs=4, batch_size=128, augment=Augmentation(flip=True)),
    "kmnist": TrainConfig("kmnist", "mnist-cnn", epochs=4, batch_size=128, augment=Augmentation(shift=1)),
    "cifar10": TrainConfig("cifar10", "cifar-resnet", epochs=4, batch_size=128, augment=Augmentation(shift=2, flip=True)),
}
"""For each data set, settings that suit most networks."""
_MUON = TrainConfig(
    "cifar10", "cifar-fast", epochs=2, batch_size=512, optimizer="muon", learning_rate=0.05, momentum=0.6, nesterov=True, betas=(0.85, 0.95),
    label_smoothing=0.1, whiten=True, augment=Augmentation(shift=2, flip=True),
)  # fmt: skip
_FAST = {
    "mnist": [TrainConfig("mnist", "mnist-fast", epochs=0.65, batch_size=128, learning_rate=0.01, betas=(0.7, 0.9), label_smoothing=0.1, evaluate_every=125)],
    "cifar10": [_MUON, replace(_MUON, network="cifar-wide", epochs=6)],
}
"""For each data set the fastest measured settings, the fastest first; each for one network, because others may diverge with such large steps."""


def suggested(dataset: str, network: str | None = None) -> TrainConfig:
    """Return the recommended configuration.

    Args:
        dataset: name of the data set; an unknown one gets the defaults.
        network: name of the network; None recommends a network, too, the fastest to a good result.
    """
    for fast in _FAST.get(dataset, []):
        if network in (None, fast.network):
            return replace(fast, precision="bfloat16") if has_fast_bfloat16() else fast
    start = _STARTS.get(dataset) or TrainConfig(dataset)
    return replace(start, network=network) if network else start
