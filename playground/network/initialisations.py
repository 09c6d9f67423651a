"""The ways in which a network's weights may start; plain data, so that a page can show them before PyTorch is there.

Source: https://docs.pytorch.org/docs/stable/nn.init.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Initialisation:
    """One way to draw weights."""

    title: str
    summary: str
    """What it does and what for, in a sentence."""
    source: str
    """Where it was described."""
    function: str = ""
    """Its name in `torch.nn.init`; empty where PyTorch's own weights stay."""
    options: Mapping[str, str | float] = field(default_factory=dict)

    @property
    def call(self) -> str:
        """The line that draws one `parameter`."""
        return f"nn.init.{self.function}({', '.join(['parameter', *(f'{name}={value!r}' for name, value in self.options.items())])})"


INITIALISATIONS: dict[str, Initialisation] = {
    "default": Initialisation(
        "PyTorch’s own",
        "Each layer draws its weights as PyTorch does by itself: for linear layers and convolutions, evenly from −1/√inputs to 1/√inputs.",
        "https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html",
    ),
    "kaiming": Initialisation(
        "Kaiming (He)",
        "Normally distributed with a variance of 2 / inputs, which keeps values at the same size through many ReLU layers.",
        "https://arxiv.org/abs/1502.01852",
        "kaiming_normal_",
        {"nonlinearity": "relu"},
    ),
    "xavier": Initialisation(
        "Xavier (Glorot)",
        "Evenly distributed with a variance of 2 / (inputs + outputs), which suits tanh and layers without an activation.",
        "https://proceedings.mlr.press/v9/glorot10a.html",
        "xavier_uniform_",
    ),
    "orthogonal": Initialisation(
        "Orthogonal",
        "A random rotation, which changes no length, so that values and gradients keep their size.",
        "https://arxiv.org/abs/1312.6120",
        "orthogonal_",
    ),
    "zeros": Initialisation(
        "Zeros",
        "Every weight is 0: all units of a layer are alike, and no gradient gets past the last layer.",
        "https://www.deeplearningbook.org/contents/optimization.html",
        "zeros_",
    ),
    "small": Initialisation(
        "Small",
        "Normally distributed with a standard deviation of 0.01: values and gradients shrink from layer to layer.",
        "https://papers.nips.cc/paper_files/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html",
        "normal_",
        {"std": 0.01},
    ),
    "large": Initialisation(
        "Large",
        "Normally distributed with a standard deviation of 1: values and gradients grow from layer to layer.",
        "http://neuralnetworksanddeeplearning.com/chap3.html#weight_initialization",
        "normal_",
        {"std": 1.0},
    ),
}
"""By name; `default` leaves the weights as they are."""
