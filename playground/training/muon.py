"""Muon: make each update of a weight matrix orthogonal, so that it is equally large in all directions.

Exported scripts contain this module's source, so it imports nothing of the playground.
Source: Keller Jordan, https://kellerjordan.github.io/posts/muon/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw


def orthogonalised(matrix: Tensor, steps: int = 5) -> Tensor:
    """Bring the singular values of a matrix near 1, between 0.7 and 1.2 for all but tiny ones; keep the singular vectors.

    Runs a Newton–Schulz iteration, whose coefficients raise small singular values fast.
    Source: https://kellerjordan.github.io/posts/muon/#newton-schulz

    Shape: ``(rows, columns)`` → ``(rows, columns)``
    """
    rows, columns = matrix.shape
    x: Tensor = matrix.T if rows > columns else matrix  # so that the products below are small
    x = x / (x.norm() + 1e-7)  # no singular value is above 1, where the iteration would diverge
    for _ in range(steps):
        gram = x @ x.T
        x = 3.4445 * x + (2.0315 * gram @ gram - 4.7750 * gram) @ x
    return x.T if rows > columns else x


class Muon(torch.optim.Optimizer):
    """Muon for matrices and filters; AdamW for biases, scales and the last matrix, whose rows are the classes.

    A convolution's filters ``(out, in, k, k)`` are the matrix ``(out, in · k · k)``. A step has a root mean square of 0.2 times
    the learning rate, about that of Adam, so that one learning rate fits both (https://arxiv.org/abs/2502.16982).

    Args:
        parameters: the network's parameters, in the order of its layers.
        lr: the learning rate.
        momentum: decay rate of the running mean of the gradient (Muon).
        nesterov: whether to use Nesterov momentum (Muon).
        betas: decay rates of the running averages of the gradient and its square (AdamW).
        weight_decay: share of each weight, times the learning rate, that a step subtracts.
    """

    def __init__(
        self,
        parameters: list[nn.Parameter],
        lr: float,
        momentum: float = 0.95,
        nesterov: bool = True,
        betas: tuple[float, float] = (0.9, 0.999),
        weight_decay: float = 0.0,
    ) -> None:
        matrices = [parameter for parameter in parameters if parameter.dim() in (2, 4)][:-1]
        chosen = {id(parameter) for parameter in matrices}
        groups: list[dict[str, Any]] = [
            {"params": matrices, "orthogonal": True, "momentum": momentum, "nesterov": nesterov},
            {"params": [parameter for parameter in parameters if id(parameter) not in chosen], "orthogonal": False, "betas": betas, "fused": True},
        ]
        super().__init__([group for group in groups if group["params"]], {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Update every parameter that has a gradient; frozen ones have none.

        Args:
            closure: computes and returns the loss before the update, as in `torch.optim`.
        """
        loss = torch.enable_grad()(closure)() if closure else None
        for group in self.param_groups:
            trainable: list[Tensor] = [parameter for parameter in group["params"] if parameter.grad is not None]
            gradients: list[Tensor] = [parameter.grad for parameter in trainable if parameter.grad is not None]
            if group["orthogonal"]:
                for parameter, gradient in zip(trainable, gradients, strict=True):
                    self._muon(parameter, gradient, group)
            else:
                self._adamw(trainable, gradients, group)
        return loss

    def _muon(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        mean = state["momentum_buffer"].lerp_(gradient, 1 - group["momentum"])
        direction = gradient.lerp(mean, group["momentum"]) if group["nesterov"] else mean
        update = orthogonalised(direction.flatten(1))
        size = 0.2 * max(update.shape) ** 0.5  # an orthogonal matrix has a root mean square of 1 / √(longer side)
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.add_(update.reshape(parameter.shape), alpha=-group["lr"] * size)

    def _adamw(self, parameters: list[Tensor], gradients: list[Tensor], group: dict[str, Any]) -> None:
        states = [self.state[parameter] for parameter in parameters]
        for parameter, state in zip(parameters, states, strict=True):
            if not state:
                state["step"] = torch.zeros((), device=parameter.device)
                state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        means, squares, steps = ([state[name] for state in states] for name in ("exp_avg", "exp_avg_sq", "step"))
        beta1, beta2 = group["betas"]
        settings = {name: group[name] for name in ("lr", "weight_decay", "fused")}
        adamw(parameters, gradients, means, squares, [], steps, beta1=beta1, beta2=beta2, eps=1e-8, amsgrad=False, maximize=False, **settings)
