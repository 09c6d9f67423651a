"""Weight initialisations as plain data, so that a page can list them before PyTorch is imported.

Source: https://docs.pytorch.org/docs/stable/nn.init.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from playground.messages import msg


@dataclass(frozen=True)
class Initialisation:
    """One weight initialisation."""

    title: str
    summary: str
    """Distribution and purpose in a sentence."""
    source: str
    """Publication or documentation that describes it."""
    function: str = ""
    """Name in `torch.nn.init`; empty where the layers keep the weights that PyTorch drew."""
    options: Mapping[str, str | float] = field(default_factory=dict)

    @property
    def call(self) -> str:
        """The line of code that draws one `parameter`."""
        return f"nn.init.{self.function}({', '.join(['parameter', *(f'{name}={value!r}' for name, value in self.options.items())])})"


INITIALISATIONS: dict[str, Initialisation] = {
    "default": Initialisation(
        msg("PyTorch’s own"),
        msg("PyTorch’s default: random numbers from −1/√n to 1/√n, where n is the number of inputs of a unit."),
        "https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html",
    ),
    "kaiming": Initialisation(
        "Kaiming (He)",
        msg("Normally distributed with a variance of 2 / inputs, which keeps the size of activations through many ReLU layers."),
        "https://arxiv.org/abs/1502.01852",
        "kaiming_normal_",
        {"nonlinearity": "relu"},
    ),
    "xavier": Initialisation(
        "Xavier (Glorot)",
        msg("Uniformly distributed with a variance of 2 / (inputs + outputs), which suits tanh and layers without an activation."),
        "https://proceedings.mlr.press/v9/glorot10a.html",
        "xavier_uniform_",
    ),
    "orthogonal": Initialisation(
        msg("Orthogonal"),
        msg("A random orthogonal matrix, which keeps the norm of activations and gradients."),
        "https://arxiv.org/abs/1312.6120",
        "orthogonal_",
    ),
    "zeros": Initialisation(
        msg("Zeros"),
        msg("Every weight is 0: all units of a layer stay equal, and only the last layer gets a gradient."),
        "https://www.deeplearningbook.org/contents/optimization.html",
        "zeros_",
    ),
    "small": Initialisation(
        msg("Small"),
        msg("Normally distributed with a standard deviation of 0.01: activations and gradients shrink from layer to layer."),
        "https://papers.nips.cc/paper_files/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html",
        "normal_",
        {"std": 0.01},
    ),
    "large": Initialisation(
        msg("Large"),
        msg("Normally distributed with a standard deviation of 1: activations and gradients grow from layer to layer."),
        "http://neuralnetworksanddeeplearning.com/chap3.html#weight_initialization",
        "normal_",
        {"std": 1.0},
    ),
}
"""All weight initialisations by name; `default` leaves the weights unchanged."""
