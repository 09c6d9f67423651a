"""One iteration with everything that PyTorch computed in it, for whoever wants to look inside.

Nothing is changed by looking: hooks only keep what passes, and the losses stay the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from playground.network.build import Network


class Iteration:
    """What one step of training computed.

    Args:
        network: its layers, one after another.
        step: the step's number, counted from 1.
    """

    def __init__(self, network: Network, step: int) -> None:
        self.network = network
        self.step = step
        self.parameters = [list(layer.parameters()) for layer in network]
        """Of each layer."""
        self.before = [[parameter.detach().clone() for parameter in layer] for layer in self.parameters]
        """The parameters as they were before the step."""
        self.outputs: list[Tensor] = [torch.empty(0)] * len(network)
        """What each layer gave, (N, …)."""
        self.learning_rate = 0.0
        self.pixels = torch.empty(0)
        """(N, C, H, W), 0–255: the batch's images, augmented."""
        self.inputs = torch.empty(0)
        """(N, C, H, W): the batch as the network received it."""
        self.targets = torch.empty(0)
        """(N,)"""
        self.logits = torch.empty(0)
        """(N, classes)"""
        self.loss = torch.empty(0)
        """The batch's loss, a scalar."""

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Keep what each layer gives, while the network is called in this context; it runs its layers as they are stacked."""

        def keeper(index: int) -> Any:
            def keep(_module: nn.Module, _given: Any, output: Tensor) -> None:
                self.outputs[index] = output.detach().float()

            return keep

        self.network.keeps_order = True
        handles = [layer.register_forward_hook(keeper(index)) for index, layer in enumerate(self.network)]
        try:
            yield
        finally:
            self.network.keeps_order = False
            for handle in handles:
                handle.remove()

    def gradients(self, layer: int) -> list[Tensor]:
        """The gradients of a layer's parameters, those left out that have none because they are frozen."""
        return [parameter.grad.detach() for parameter in self.parameters[layer] if parameter.grad is not None]

    def updates(self, layer: int) -> list[Tensor]:
        """What the step added to each of a layer's parameters."""
        return [after.detach() - before for after, before in zip(self.parameters[layer], self.before[layer], strict=True)]
