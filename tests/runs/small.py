"""A network and settings of a run that takes a second, with layers that have buffers or draw random numbers."""

from __future__ import annotations

from playground.data.augmentation import Augmentation
from playground.network.spec import LayerSpec, NetworkSpec
from playground.training.config import TrainConfig

SMALL = NetworkSpec(
    "small",
    (1, 28, 28),
    (
        LayerSpec("AvgPool2d", {"kernel_size": 2}),
        LayerSpec("Conv2d", {"out_channels": 4, "stride": 2}),
        LayerSpec("BatchNorm2d"),
        LayerSpec("ReLU"),
        LayerSpec("Flatten"),
        LayerSpec("Dropout", {"p": 0.3}),
        LayerSpec("Linear", {"out_features": 10}),
    ),
)
CONFIG = TrainConfig(network="small", batch_size=400, epochs=3, evaluate_every=5, augment=Augmentation(shift=2, noise=0.05), device="cpu", seed=7)
STEPS = 30
