"""Settings to start from: for each data set, what shows a good result while one watches."""

from __future__ import annotations

from playground.data.augment import Augment
from playground.training.config import TrainConfig

_STARTS = {
    "mnist-5k": TrainConfig("mnist-5k", "mnist-cnn", epochs=12, augment=Augment(shift=1)),
    "shapes": TrainConfig("shapes", "cifar-resnet", epochs=4, augment=Augment(flip=True)),
    "mnist": TrainConfig("mnist", "mnist-cnn", epochs=2, batch_size=128, augment=Augment(shift=1)),
    "fashion-mnist": TrainConfig("fashion-mnist", "mnist-cnn", epochs=4, batch_size=128, augment=Augment(flip=True)),
    "kmnist": TrainConfig("kmnist", "mnist-cnn", epochs=4, batch_size=128, augment=Augment(shift=1)),
    "cifar10": TrainConfig("cifar10", "cifar-resnet", epochs=4, batch_size=128, augment=Augment(shift=2, flip=True)),
}


def suggested(dataset: str) -> TrainConfig:
    """A configuration to start from; the plain defaults for a data set without one."""
    return _STARTS.get(dataset) or TrainConfig(dataset)
