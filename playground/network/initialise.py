"""Weight initialisation of a module with `torch.nn.init`, and the code that does the same.

Source: https://docs.pytorch.org/docs/stable/nn.init.html
"""

from __future__ import annotations

import torch
from torch import nn

from playground.errors import UnknownName
from playground.messages import msg
from playground.network.initialisations import INITIALISATIONS, Initialisation

NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.LayerNorm, nn.GroupNorm)
"""Layers whose weights are scales, initialised to 1."""

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
"""  # no text: code
_DEFAULT_SOURCE = "# PyTorch initialised the weights when it created the layers.\n"  # no text: code


def initialise(module: nn.Module, name: str, seed: int | None) -> None:
    """Initialise the weights of a module and all its submodules.

    Draw weights of two or more dimensions and set biases to 0. Normalisation layers and other parameters, such as
    position embeddings, stay unchanged; with `default` everything does.

    Args:
        module: a module on the CPU, so that a seed gives the same weights on every device.
        name: a key of `INITIALISATIONS`.
        seed: seed of the weights, which leaves torch's global generator unchanged; None draws them from that generator.

    Raises:
        UnknownName: there is no initialisation of that name.
    """
    initialisation = _initialisation(name)
    if not initialisation.function:
        return
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.default_generator.manual_seed(seed)  # torch.manual_seed would also seed the generators of accelerators
        module.apply(lambda submodule: _draw(submodule, initialisation))


def source(name: str) -> str:
    """Write `initialise` as PyTorch code that follows the line `network = …`.

    Raises:
        UnknownName: there is no initialisation of that name.
    """
    initialisation = _initialisation(name)
    norms = ", ".join(f"nn.{norm.__name__}" for norm in NORMALISATIONS)
    return _SOURCE.format(norms=norms, call=initialisation.call) if initialisation.function else _DEFAULT_SOURCE


def _draw(module: nn.Module, initialisation: Initialisation) -> None:
    """Initialise the parameters of a module, without those of its submodules."""
    if isinstance(module, NORMALISATIONS):
        return
    for name, parameter in module.named_parameters(recurse=False):
        if name.endswith("weight") and parameter.dim() > 1:
            getattr(nn.init, initialisation.function)(parameter, **initialisation.options)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)


def _initialisation(name: str) -> Initialisation:
    if name not in INITIALISATIONS:
        raise UnknownName(msg("initialisation"), name, INITIALISATIONS)
    return INITIALISATIONS[name]
