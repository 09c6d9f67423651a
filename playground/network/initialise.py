"""Draws a network's weights by the rules of `torch.nn.init`, and writes the code that one writes to do so.

Source: https://docs.pytorch.org/docs/stable/nn.init.html
"""

from __future__ import annotations

import torch
from torch import nn

from playground.errors import UnknownName
from playground.network.initialisations import INITIALISATIONS, Initialisation

NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.LayerNorm, nn.GroupNorm)
"""Layers whose weights are scales that must start at 1."""

_SOURCE = """\
def initialise(module):
    if isinstance(module, ({norms})):
        return  # their weights are scales, which start at 1
    for name, parameter in module.named_parameters(recurse=False):
        if name.endswith("weight") and parameter.dim() > 1:
            {call}
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)


network.apply(initialise)
"""
_NOTHING = "# PyTorch drew the weights when it made the layers.\n"


def initialise(module: nn.Module, name: str, seed: int | None) -> None:
    """Draw the weights of a module and of all inside it anew.

    Weights of two dimensions or more are drawn, biases become 0; normalisation layers and other parameters,
    such as positions, stay as they are. Of `default` everything stays.

    Args:
        module: on the CPU, so that a seed means the same weights on every device.
        name: one of `INITIALISATIONS`.
        seed: the random start; None takes torch's generator as it stands. With a seed no other random numbers are disturbed.

    Raises:
        UnknownName: there is no such initialisation.
    """
    chosen = _initialisation(name)
    if not chosen.function:
        return
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.default_generator.manual_seed(seed)  # torch.manual_seed would start an accelerator's numbers anew, too
        module.apply(lambda part: _draw(part, chosen))


def source(name: str) -> str:
    """The same as lines of PyTorch code, to be written behind `network = …`.

    Raises:
        UnknownName: there is no such initialisation.
    """
    chosen = _initialisation(name)
    norms = ", ".join(f"nn.{norm.__name__}" for norm in NORMALISATIONS)
    return _SOURCE.format(norms=norms, call=chosen.call) if chosen.function else _NOTHING


def _draw(part: nn.Module, chosen: Initialisation) -> None:
    """The parameters of one module, those of its children left out."""
    if isinstance(part, NORMALISATIONS):
        return
    for name, parameter in part.named_parameters(recurse=False):
        if name.endswith("weight") and parameter.dim() > 1:
            getattr(nn.init, chosen.function)(parameter, **chosen.options)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)


def _initialisation(name: str) -> Initialisation:
    if name not in INITIALISATIONS:
        raise UnknownName("initialisation", name, INITIALISATIONS)
    return INITIALISATIONS[name]
