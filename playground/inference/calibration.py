"""Calibration: one temperature that makes a network's probabilities mean what they say.

Source: Guo et al., On Calibration of Modern Neural Networks, 2017, https://arxiv.org/abs/1706.04599
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn import functional as F

from playground.data.augment import augment_images
from playground.data.drawn import drawn_images, wanted_probabilities
from playground.data.load import load
from playground.errors import CheckpointError
from playground.inference.models import Model
from playground.messages import msg
from playground.network.spec import LayerSpec

COUNT = 10_000
"""Training images, augmented as in training, that the temperature is fitted on: the test images stay unseen."""
RANGE = (0.2, 5.0)
"""Lowest and highest temperature."""


def fitted_temperature(logits: Tensor, targets: Tensor) -> float:
    """Return the temperature in `RANGE` by which divided logits have the lowest mean cross-entropy.

    Shape: ``(N, classes)``, and labels ``(N,)`` or probabilities ``(N, classes)``
    """
    found = minimize_scalar(lambda power: F.cross_entropy(logits * math.exp(-power), targets).item(), bounds=tuple(map(math.log, RANGE)), method="bounded")
    return math.exp(found.x)


@torch.inference_mode()
def temperature_of(model: Model) -> float:
    """Return the temperature of a run's network, fitted on augmented training images, those of no class among them."""
    assert model.run is not None
    images, augment = load(model.info.name), model.run.config.augment
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        index = torch.randperm(len(images.train_images))[:COUNT]
        pixels, labels = images.train_images[index], images.train_labels[index]
        if augment.draws:
            pixels, labels = drawn_images(images).mix(pixels, labels, augment)
        pixels = augment_images(pixels, augment).round().clamp(0, 255).to(torch.uint8)
    logits = torch.cat([model.network(model.prepare(batch)) for batch in torch.split(pixels, 500)]).float()
    return fitted_temperature(logits, wanted_probabilities(labels, logits.shape[1]))


def calibrated(weights: Mapping[str, Tensor], temperature: float, layers: Sequence[LayerSpec]) -> dict[str, Tensor]:
    """Divide the weights and the bias of the last layer by the temperature, which divides the logits.

    Args:
        weights: those of a network, by name.
        temperature: above 0.
        layers: those of the network, of which the last computes the logits.

    Raises:
        CheckpointError: the last layer is not linear.
    """
    if layers[-1].type != "Linear":
        raise CheckpointError(msg("Only a network whose last layer is Linear can be calibrated, not one that ends with {layer}.", layer=layers[-1].type))
    last = f"{len(layers) - 1}."
    return {name: tensor / temperature if name.startswith(last) else tensor for name, tensor in weights.items()}
