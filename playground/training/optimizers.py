"""The optimizers that a learner may choose, as data: known without torch.

Names of arguments and their defaults are those of `torch.optim` (https://docs.pytorch.org/docs/stable/optim.html);
a test holds each entry against the signature of its class.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from playground.errors import ConfigError, UnknownName

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer


class OptimizerSettings(Protocol):
    """The settings of a configuration that optimizers use."""

    @property
    def optimizer(self) -> str: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def momentum(self) -> float: ...


@dataclass(frozen=True)
class OptimizerType:
    """One kind of optimizer: which class it is, which settings it uses, and with which learning rate to begin."""

    name: str
    """In configurations and on the command line."""
    title: str
    summary: str
    target: str
    """Import path of the class."""
    uses: tuple[str, ...]
    """Settings, besides the learning rate, that are its arguments of the same name."""
    usual_learning_rate: float
    """What learns well over a few epochs without momentum. Measured on the small convolutional network, the MLP and LeNet-5 with MNIST 5k."""
    source: str
    """Where it was described."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Defaults of the class that differ from `DEFAULTS`."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments that the playground always passes."""
    fused: bool = False
    """Whether the class has a fused implementation, which is the same mathematics in fewer passes."""
    momentum_adds_up: bool = False
    """Whether momentum makes a step up to 1 / (1 − momentum) times as long."""
    decoupled_decay: bool = False
    """Whether weight decay takes a share off the weights apart from the gradient's step (https://arxiv.org/abs/1711.05101)."""
    full_batch: bool = False
    """Whether each step takes the whole training set, evaluating the loss several times."""

    @property
    def class_name(self) -> str:
        return self.target.rpartition(".")[2]

    def given(self, config: OptimizerSettings) -> dict[str, Any]:
        """The arguments besides the parameters, as the configuration sets them."""
        return {"lr": config.learning_rate, **{name: getattr(config, name) for name in self.uses}, **self.arguments}

    def make(self, config: OptimizerSettings, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """The optimizer itself.

        Args:
            config: the settings.
            parameters: of a network, in the order of its layers: Muon leaves the last matrix to AdamW.
        """
        module, _, name = self.target.rpartition(".")
        made: Optimizer = getattr(import_module(module), name)(list(parameters), **self.given(config), **({"fused": True} if self.fused else {}))
        return made

    def code(self, config: OptimizerSettings) -> str:
        """The call that makes it, with arguments that are the class's defaults left out."""
        own = {**DEFAULTS, **self.defaults}
        written = {name: value for name, value in self.given(config).items() if name not in own or own[name] != value}
        arguments = ", ".join(f"{name}={f'{value:.15g}' if isinstance(value, float) else repr(value)}" for name, value in written.items())
        target = self.target if self.target.startswith("torch.") else self.class_name
        parameters = "network.parameters()" if self.target.startswith("torch.") else "list(network.parameters())"
        return f"{target}({parameters}, {arguments})"


DEFAULTS: Mapping[str, Any] = {"momentum": 0.0, "nesterov": False, "betas": (0.9, 0.999), "weight_decay": 0.0}
"""Defaults of the arguments in `torch.optim`, where a class has no others."""

OPTIMIZERS: tuple[OptimizerType, ...] = (
    OptimizerType(
        "adam", "Adam", "Divides each step by the running size of its gradient: works almost everywhere.", "torch.optim.Adam",
        ("betas", "weight_decay"), 0.003, "https://arxiv.org/abs/1412.6980", fused=True,
    ),
    OptimizerType(
        "adamw", "AdamW", "Adam whose weight decay is apart from the gradient.", "torch.optim.AdamW",
        ("betas", "weight_decay"), 0.003, "https://arxiv.org/abs/1711.05101", defaults={"weight_decay": 0.01}, fused=True, decoupled_decay=True,
    ),
    OptimizerType(
        "sgd", "SGD", "One step against the gradient; momentum keeps a share of the steps before.", "torch.optim.SGD",
        ("momentum", "nesterov", "weight_decay"), 0.3, "https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html", fused=True, momentum_adds_up=True,
    ),
    OptimizerType(
        "rmsprop", "RMSprop", "Divides the gradient by a running mean of its size.", "torch.optim.RMSprop",
        ("momentum", "weight_decay"), 0.001, "https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf", momentum_adds_up=True,
    ),
    OptimizerType(
        "muon", "Muon", "Makes each step of a weight matrix orthogonal, so that it goes equally far in all directions.", "playground.training.muon.Muon",
        ("momentum", "nesterov", "betas", "weight_decay"), 0.01, "https://kellerjordan.github.io/posts/muon/",
        defaults={"momentum": 0.95, "nesterov": True}, decoupled_decay=True,
    ),
    OptimizerType(
        "nadam", "NAdam", "Adam that looks ahead along its momentum, as Nesterov does.", "torch.optim.NAdam",
        ("betas", "weight_decay"), 0.003, "https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ",
    ),
    OptimizerType(
        "adamax", "Adamax", "Adam that divides by the largest gradient of late instead of the mean square.", "torch.optim.Adamax",
        ("betas", "weight_decay"), 0.01, "https://arxiv.org/abs/1412.6980",
    ),
    OptimizerType(
        "adagrad", "Adagrad", "Divides by the sum of all squared gradients so far: steps only get smaller.", "torch.optim.Adagrad",
        ("weight_decay",), 0.03, "https://jmlr.org/papers/v12/duchi11a.html",
    ),
    OptimizerType(
        "adadelta", "Adadelta", "Sizes each step by the steps before, so that the learning rate hardly matters.", "torch.optim.Adadelta",
        ("weight_decay",), 1.0, "https://arxiv.org/abs/1212.5701",
    ),
    OptimizerType(
        "lbfgs", "L-BFGS", "Follows the curvature of the loss over the whole training set: few steps, each as long as many.", "torch.optim.LBFGS",
        (), 1.0, "https://docs.pytorch.org/docs/stable/generated/torch.optim.LBFGS.html",
        arguments={"line_search_fn": "strong_wolfe"}, full_batch=True,
    ),
)  # fmt: skip

_BY_NAME = {kind.name: kind for kind in OPTIMIZERS}
OPTIMIZER_TITLES: Mapping[str, str] = {kind.name: kind.title for kind in OPTIMIZERS}


def optimizer_type(name: str) -> OptimizerType:
    """The entry called `name`.

    Raises:
        UnknownName: there is none.
    """
    if name not in _BY_NAME:
        raise UnknownName("optimizer", name, _BY_NAME)
    return _BY_NAME[name]


def interchangeable_with(name: str) -> tuple[OptimizerType, ...]:
    """The optimizers to which a run with the named one can change while it trains."""
    return tuple(kind for kind in OPTIMIZERS if kind.full_batch == optimizer_type(name).full_batch)


def refuse_change(before: str, after: str) -> None:
    """Refuse to go on with an optimizer that takes other steps.

    Raises:
        UnknownName: there is no such optimizer.
        ConfigError: only one of the two takes the whole training set in each step.
    """
    kind = optimizer_type(after)
    if kind not in interchangeable_with(before):
        full = next(each.title for each in (optimizer_type(before), kind) if each.full_batch)
        raise ConfigError(
            [f"The optimizer cannot change from {optimizer_type(before).title} to {kind.title}: {full} takes the whole training set in each step."]
        )


def usual_learning_rate(config: OptimizerSettings) -> float:
    """The learning rate to try first with the configured optimizer and momentum, with one significant digit."""
    kind = optimizer_type(config.optimizer)
    rate = kind.usual_learning_rate * (1 - config.momentum) if kind.momentum_adds_up else kind.usual_learning_rate
    return float(f"{rate:.1g}")
