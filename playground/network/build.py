"""Building: a trainable PyTorch module from a specification."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from playground.network.spec import NetworkSpec
from playground.network.trace import check, construct


class Network(nn.Sequential):
    """The layers of a specification in their order, with the `state_dict` of the same `nn.Sequential`.

    Shape: ``(N, *input_shape)`` → ``(N, classes)`` logits
    """

    keeps_order = False
    """Whether `forward` runs the layers in the order of the stack, so that hooks see the output of each layer."""

    def forward(self, input: Tensor) -> Tensor:
        layers = list(self)
        for index in range(len(layers)) if self.keeps_order else execution_order(layers):
            input = layers[index](input)
        return input


def execution_order(layers: list[nn.Module]) -> list[int]:
    """Return the indices of the layers in the cheapest order with the same outputs and gradients.

    ReLU and max pooling commute, because ReLU never changes which value of a window is the largest. Of such a pair
    pooling runs first, so that ReLU processes a quarter of the values. A dilated window may contain only padding, whose
    maximum is minus infinity, which ReLU would turn into 0; there the order stays.
    """
    order = list(range(len(layers)))
    for index, (layer, following) in enumerate(pairwise(layers)):
        if isinstance(layer, nn.ReLU) and isinstance(following, nn.MaxPool2d) and (following.padding == 0 or following.dilation == 1):
            order[index], order[index + 1] = index + 1, index
    return order


def build(spec: NetworkSpec, device: torch.device | str = "cpu", seed: int | None = None) -> Network:
    """Build a network with freshly initialised weights.

    Args:
        spec: the network.
        device: device of its weights.
        seed: seed of the weights, which leaves torch's global generator unchanged; None draws them from that generator. The weights are drawn on
            the CPU, so that a seed gives the same weights on every device.

    Raises:
        ShapeError: a layer does not fit.
    """
    steps = check(spec)
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.default_generator.manual_seed(seed)  # torch.manual_seed would also seed the generators of accelerators
        layers = [construct(step.layer, cast("tuple[int, ...]", step.in_shape)) for step in steps]
    return Network(*layers).to(device)


def is_convolutional(network: nn.Module) -> bool:
    """Return whether `channels_last` memory makes the network faster: whether it has 2-d convolutions.

    Source: https://docs.pytorch.org/tutorials/intermediate/memory_format_tutorial.html
    """
    return any(isinstance(module, nn.Conv2d) for module in network.modules())
