"""The optimizers and learning-rate schedules that a learner may choose."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

from playground.training.config import TrainConfig
from playground.training.muon import Muon

WARM_UP = 0.1
"""Share of a one-cycle run in which the learning rate rises (https://arxiv.org/abs/1708.07120): short, because a good result shall be seen soon."""
WARM_UP_FROM = 0.25
"""Share of the peak that a one-cycle run starts with."""
STEP_AT, STEP_BY = (0.6, 0.85), 0.1
"""Where in the run the `step` schedule lowers the rate, and by which factor."""


def optimizer(config: TrainConfig, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The configured optimizer; fused where torch has that, which is the same mathematics in fewer passes.

    Args:
        config: the settings.
        parameters: of a network, in the order of its layers: Muon leaves the last matrix to AdamW.
    """
    lr, decay = config.learning_rate, config.weight_decay
    match config.optimizer:
        case "sgd":
            return torch.optim.SGD(parameters, lr, config.momentum, weight_decay=decay, nesterov=config.nesterov, fused=True)
        case "rmsprop":
            return torch.optim.RMSprop(parameters, lr, weight_decay=decay, momentum=config.momentum)
        case "adamw":
            return torch.optim.AdamW(parameters, lr, config.betas, weight_decay=decay, fused=True)
        case "muon":
            return Muon(list(parameters), lr, config.momentum, config.nesterov, config.betas, decay)
        case _:
            return torch.optim.Adam(parameters, lr, config.betas, weight_decay=decay, fused=True)


def factor(schedule: str, progress: float) -> float:
    """The share of the peak learning rate in force after `progress` of the run, from 0 to 1."""
    match schedule:
        case "one-cycle":
            if progress < WARM_UP:
                return WARM_UP_FROM + (1 - WARM_UP_FROM) * progress / WARM_UP
            return (1 - progress) / (1 - WARM_UP)
        case "cosine":
            return 0.5 * (1 + math.cos(math.pi * progress))
        case "step":
            return STEP_BY ** sum(progress >= at for at in STEP_AT)
        case _:
            return 1.0
