"""From a specification to a module that PyTorch can train."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from playground.network.spec import NetworkSpec
from playground.network.trace import check, construct


class Network(nn.Sequential):
    """A specification's layers in their order; its `state_dict` is that of the same `nn.Sequential`.

    Shape: (N, *input_shape) → (N, classes) logits
    """

    keeps_order = False
    """Whether the layers are run as they are stacked, for whoever looks at what each of them gives."""

    def forward(self, input: Tensor) -> Tensor:
        layers = list(self)
        for index in range(len(layers)) if self.keeps_order else execution_order(layers):
            input = layers[index](input)
        return input


def execution_order(layers: list[nn.Module]) -> list[int]:
    """The order of the layers in which they are cheapest to run, with the same outputs and the same gradients.

    ReLU and max pooling commute, for ReLU never changes which value of a window is the largest, so a pair
    of them runs pooling first and ReLU on a quarter of the values. Not where a dilated window may see padding alone:
    its largest value is minus infinity, which ReLU would turn into 0.
    """
    order = list(range(len(layers)))
    for index, (layer, following) in enumerate(pairwise(layers)):
        if isinstance(layer, nn.ReLU) and isinstance(following, nn.MaxPool2d) and (following.padding == 0 or following.dilation == 1):
            order[index], order[index + 1] = index + 1, index
    return order


def build(spec: NetworkSpec, device: torch.device | str = "cpu", seed: int | None = None) -> Network:
    """The network with freshly initialised weights.

    Args:
        spec: the network.
        device: where its weights shall live.
        seed: the random start; None takes torch's generator as it stands. The weights are drawn on the CPU,
            so that a seed means the same start on every device, and no other random numbers are disturbed.

    Raises:
        ShapeError: a layer does not fit.
    """
    steps = check(spec)
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        layers = [construct(step.layer, cast("tuple[int, ...]", step.in_shape)) for step in steps]
    return Network(*layers).to(device)


def is_convolutional(network: nn.Module) -> bool:
    """Whether `channels_last` memory makes the network faster: it does where there are 2-d convolutions.

    Source: https://docs.pytorch.org/tutorials/intermediate/memory_format_tutorial.html
    """
    return any(isinstance(module, nn.Conv2d) for module in network.modules())
