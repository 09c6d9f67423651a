"""Record everything that PyTorch computes in one iteration.

Recording changes nothing: hooks only store the outputs, and the losses stay the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from playground.network.build import Network


class Iteration:
    """The values that one training step computed.

    Args:
        network: the network, a sequence of layers.
        step: the step's number, counted from 1.
    """

    def __init__(self, network: Network, step: int) -> None:
        self.network = network
        self.step = step
        self.parameters = [list(layer.parameters()) for layer in network]
        """The parameters of each layer."""
        self.before = [[parameter.detach().clone() for parameter in layer] for layer in self.parameters]
        """The parameters of each layer before the step."""
        self.outputs: list[Tensor] = [torch.empty(0)] * len(network)
        """The output of each layer, ``(N, …)``."""
        self.learning_rate = 0.0
        self.pixels = torch.empty(0)
        """The batch's augmented images, ``(N, C, H, W)``, 0–255."""
        self.inputs = torch.empty(0)
        """The network's input, ``(N, C, H, W)``."""
        self.targets = torch.empty(0)
        """The batch's labels, ``(N,)``."""
        self.logits = torch.empty(0)
        """The network's output, ``(N, classes)``."""
        self.loss = torch.empty(0)
        """The batch's loss, a scalar."""

    @contextmanager
    def record_outputs(self) -> Iterator[None]:
        """Store each layer's output while the network is called in this context; the network then runs its layers one by one in order."""

        def hook_of(index: int) -> Callable[[nn.Module, object, Tensor], None]:
            def store(_module: nn.Module, _inputs: object, output: Tensor) -> None:
                self.outputs[index] = output.detach().float()

            return store

        self.network.keeps_order = True
        handles = [layer.register_forward_hook(hook_of(index)) for index, layer in enumerate(self.network)]
        try:
            yield
        finally:
            self.network.keeps_order = False
            for handle in handles:
                handle.remove()

    def gradients(self, layer: int) -> list[Tensor]:
        """Return the gradients of a layer's parameters, without frozen parameters."""
        return [parameter.grad.detach() for parameter in self.parameters[layer] if parameter.grad is not None]

    def updates(self, layer: int) -> list[Tensor]:
        """Return the update that the step added to each of a layer's parameters."""
        return [after.detach() - before for after, before in zip(self.parameters[layer], self.before[layer], strict=True)]
