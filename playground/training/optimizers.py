"""The optimizers that a learner may choose, as data that needs no PyTorch.

Names of arguments and their defaults are those of `torch.optim` (https://docs.pytorch.org/docs/stable/optim.html);
a test compares each entry with the signature of its class.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from playground.errors import ConfigError, UnknownName
from playground.messages import msg

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
    """An optimizer: its class, the settings that it uses, and its usual learning rate."""

    name: str
    """In configurations and on the command line."""
    title: str
    summary: str
    target: str
    """Import path of the class."""
    uses: tuple[str, ...]
    """Settings, besides the learning rate, that are arguments of the class with the same name."""
    usual_learning_rate: float
    """Good learning rate for a few epochs without momentum, measured on the small convolutional network, the MLP and LeNet-5 with MNIST 5k."""
    source: str
    """Address of its paper or documentation."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Defaults of the class that differ from `DEFAULTS`."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments that the playground always passes."""
    fused: bool = False
    """Whether the class has a fused implementation: the same mathematics with fewer passes over memory."""
    momentum_adds_up: bool = False
    """Whether momentum makes a step up to 1 / (1 − momentum) times as long."""
    decoupled_decay: bool = False
    """Whether weight decay is applied to the weights directly, not through the gradient (https://arxiv.org/abs/1711.05101)."""
    full_batch: bool = False
    """Whether each step uses the whole training set, and evaluates the loss several times."""

    @property
    def class_name(self) -> str:
        return self.target.rpartition(".")[2]

    def settings(self, config: OptimizerSettings) -> dict[str, Any]:
        """Return the configured arguments of the class, without the parameters."""
        return {"lr": config.learning_rate, **{name: getattr(config, name) for name in self.uses}, **self.arguments}

    def make(self, config: OptimizerSettings, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """Create the optimizer.

        Args:
            config: the settings.
            parameters: the network's parameters, in the order of its layers: Muon leaves the last matrix to AdamW.
        """
        module, _, name = self.target.rpartition(".")
        optimizer: Optimizer = getattr(import_module(module), name)(list(parameters), **self.settings(config), **({"fused": True} if self.fused else {}))
        return optimizer

    def code(self, config: OptimizerSettings) -> str:
        """Return the call that creates it, without arguments that have the class's defaults."""
        defaults = {**DEFAULTS, **self.defaults}
        changed = {name: value for name, value in self.settings(config).items() if name not in defaults or defaults[name] != value}
        arguments = ", ".join(f"{name}={f'{value:.15g}' if isinstance(value, float) else repr(value)}" for name, value in changed.items())
        target = self.target if self.target.startswith("torch.") else self.class_name
        parameters = "network.parameters()" if self.target.startswith("torch.") else "list(network.parameters())"
        return f"{target}({parameters}, {arguments})"


DEFAULTS: Mapping[str, Any] = {"momentum": 0.0, "nesterov": False, "betas": (0.9, 0.999), "weight_decay": 0.0}
"""Defaults of the arguments in `torch.optim`, unless a class has others."""

OPTIMIZERS: tuple[OptimizerType, ...] = (
    OptimizerType(
        "adam", "Adam", msg("Divides each step by the running size of its gradient: works almost everywhere."), "torch.optim.Adam",
        ("betas", "weight_decay"), 0.003, "https://arxiv.org/abs/1412.6980", fused=True,
    ),
    OptimizerType(
        "adamw", "AdamW", msg("Adam whose weight decay is apart from the gradient."), "torch.optim.AdamW",
        ("betas", "weight_decay"), 0.003, "https://arxiv.org/abs/1711.05101", defaults={"weight_decay": 0.01}, fused=True, decoupled_decay=True,
    ),
    OptimizerType(
        "sgd", "SGD", msg("One step against the gradient; momentum keeps a share of the steps before."), "torch.optim.SGD",
        ("momentum", "nesterov", "weight_decay"), 0.3, "https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html", fused=True, momentum_adds_up=True,
    ),
    OptimizerType(
        "rmsprop", "RMSprop", msg("Divides the gradient by a running mean of its size."), "torch.optim.RMSprop",
        ("momentum", "weight_decay"), 0.001, "https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf", momentum_adds_up=True,
    ),
    OptimizerType(
        "muon", "Muon", msg("Makes each step of a weight matrix orthogonal, so that it goes equally far in all directions."), "playground.training.muon.Muon",
        ("momentum", "nesterov", "betas", "weight_decay"), 0.01, "https://kellerjordan.github.io/posts/muon/",
        defaults={"momentum": 0.95, "nesterov": True}, decoupled_decay=True,
    ),
    OptimizerType(
        "nadam", "NAdam", msg("Adam that looks ahead along its momentum, as Nesterov does."), "torch.optim.NAdam",
        ("betas", "weight_decay"), 0.003, "https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ",
    ),
    OptimizerType(
        "adamax", "Adamax", msg("Adam that divides by the largest gradient of late instead of the mean square."), "torch.optim.Adamax",
        ("betas", "weight_decay"), 0.01, "https://arxiv.org/abs/1412.6980",
    ),
    OptimizerType(
        "adagrad", "Adagrad", msg("Divides by the sum of all squared gradients so far: steps only get smaller."), "torch.optim.Adagrad",
        ("weight_decay",), 0.03, "https://jmlr.org/papers/v12/duchi11a.html",
    ),
    OptimizerType(
        "adadelta", "Adadelta", msg("Sizes each step by the steps before, so that the learning rate hardly matters."), "torch.optim.Adadelta",
        ("weight_decay",), 1.0, "https://arxiv.org/abs/1212.5701",
    ),
    OptimizerType(
        "lbfgs", "L-BFGS", msg("Follows the curvature of the loss over the whole training set: few steps, each as long as many."), "torch.optim.LBFGS",
        (), 1.0, "https://docs.pytorch.org/docs/stable/generated/torch.optim.LBFGS.html",
        arguments={"line_search_fn": "strong_wolfe"}, full_batch=True,
    ),
)  # fmt: skip

_BY_NAME = {kind.name: kind for kind in OPTIMIZERS}
OPTIMIZER_TITLES: Mapping[str, str] = {kind.name: kind.title for kind in OPTIMIZERS}


def optimizer_type(name: str) -> OptimizerType:
    """Return the optimizer called `name`.

    Raises:
        UnknownName: there is no such optimizer.
    """
    if name not in _BY_NAME:
        raise UnknownName(msg("optimizer"), name, _BY_NAME)
    return _BY_NAME[name]


def interchangeable_with(name: str) -> tuple[OptimizerType, ...]:
    """Return the optimizers to which a run with the named one can change during training."""
    return tuple(kind for kind in OPTIMIZERS if kind.full_batch == optimizer_type(name).full_batch)


def refuse_change(before: str, after: str) -> None:
    """Refuse a change between full-batch and mini-batch optimizers.

    Raises:
        UnknownName: there is no such optimizer.
        ConfigError: only one of the two uses the whole training set in each step.
    """
    kind = optimizer_type(after)
    if kind not in interchangeable_with(before):
        full = next(each.title for each in (optimizer_type(before), kind) if each.full_batch)
        raise ConfigError(
            [
                msg(
                    "The optimizer cannot change from {before} to {after}: {full} takes the whole training set in each step.",
                    before=optimizer_type(before).title,
                    after=kind.title,
                    full=full,
                )
            ]
        )


def usual_learning_rate(config: OptimizerSettings) -> float:
    """Return the usual learning rate of the configured optimizer with its momentum, rounded to one significant digit."""
    kind = optimizer_type(config.optimizer)
    rate = kind.usual_learning_rate * (1 - config.momentum) if kind.momentum_adds_up else kind.usual_learning_rate
    return float(f"{rate:.1g}")
