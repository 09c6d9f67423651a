"""The settings of a run, each declared once: the form, the command line and the checks read this declaration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from playground import settings
from playground.data.augmentation import Augmentation
from playground.data.catalogue import dataset_info
from playground.data.input_scaling import INPUT_SCALINGS, STANDARDISED
from playground.device import BEST
from playground.errors import ConfigError, PlaygroundError
from playground.network.initialisations import INITIALISATIONS
from playground.settings import Setting, setting, settings_of
from playground.training.optimizers import OPTIMIZER_TITLES, OPTIMIZERS, OptimizerType, optimizer_type
from playground.training.schedules import SCHEDULE_TITLES

PRECISIONS: Mapping[str, str] = {"float32": "float32", "bfloat16": "bfloat16"}


def _uses(name: str) -> Callable[[TrainConfig], bool]:
    """Return a predicate: whether the configured optimizer uses the setting."""
    return lambda config: name in optimizer_type(config.optimizer).uses


@dataclass(frozen=True)
class TrainConfig:
    """All settings of a run, in the order in which the form shows them.

    Raises:
        ConfigError: settings are invalid; it lists all problems.
    """

    # fmt: off
    dataset: str = setting("mnist-5k", "name", "Data set", "What the network is trained on.")
    network: str = setting("mnist-cnn", "name", "Network", "What is trained.")
    optimizer: str = setting(
        "adam", "choice", "Optimizer", "How weights follow from their gradients.", choices=OPTIMIZER_TITLES, name_template="{title}",
    )
    learning_rate: float = setting(
        0.003, "number", "Learning rate", "Size of a step; with a schedule, its peak.", high=100, above=True, step=0.001,
        name_template="learning rate {value}",
    )
    batch_size: int = setting(
        64, "whole", "Batch size", "Images in one step.", unit="images", low=1, high=65536, name_template="batch size {value}",
        applies_to=lambda config: not optimizer_type(config.optimizer).full_batch,
    )
    schedule: str = setting(
        "one-cycle", "choice", "Schedule", "How the learning rate changes over the run.", choices=SCHEDULE_TITLES, name_template="{value} schedule",
    )
    epochs: float = setting(
        10.0, "number", "Epochs", "How often every training image is shown; 0.5 shows half of them once.", high=1000, above=True,
        name_template="epochs {value}", is_basic=True,
    )
    momentum: float = setting(
        0.9, "number", "Momentum", "Share of the step before that the next step keeps.", high=0.9999, step=0.01,
        name_template="momentum {value}", name_off="no momentum", applies_to=_uses("momentum"),
    )
    nesterov: bool = setting(
        False, "switch", "Nesterov", "Look ahead along the momentum before taking the gradient.",
        name_template="Nesterov", name_off="no Nesterov", applies_to=_uses("nesterov"),
    )
    betas: tuple[float, float] = setting(
        (0.9, 0.999), "pair", "Betas", "Decay rates of the running averages of the gradient and of its square.", high=0.99999, step=0.01,
        name_template="betas {value}", applies_to=_uses("betas"),
    )
    weight_decay: float = setting(
        0.0, "number", "Weight decay", "How strongly weights are pulled towards zero.", high=10, step=0.0001,
        name_template="weight decay {value}", name_off="no weight decay", applies_to=_uses("weight_decay"),
    )
    clip_grad_norm: float = setting(
        0.0, "number", "Gradient clipping", "Largest norm of all gradients together: longer ones are scaled down to it. 0 clips nothing.",
        high=1_000_000, step=0.1, name_template="gradients clipped to {value}", name_off="no gradient clipping",
    )
    label_smoothing: float = setting(
        0.0, "number", "Label smoothing", "Share of the target probability that is spread over all classes.", high=0.99, step=0.05,
        name_template="label smoothing {value}", name_off="no label smoothing",
    )
    inputs: str = setting(
        STANDARDISED, "choice", "Input scaling", "How pixels are scaled before they reach the network. Standardised ones have mean 0 and standard deviation 1.",
        choices=INPUT_SCALINGS, name_template="input scaling {value}",
    )
    initialisation: str = setting(
        "default", "choice", "Weight initialisation", "How the first weights are drawn.",
        choices={name: each.title for name, each in INITIALISATIONS.items()}, name_template="initialisation {title}",
    )
    whiten: bool = setting(
        False, "switch", "Whitening", "Compute the first convolution’s filters from the training images’ own patches, and freeze them.",
        name_template="whitening", name_off="no whitening", fits=lambda _dataset, network: network.layers[0].type == "Conv2d",
    )
    augment: Augmentation = field(default_factory=Augmentation)
    """Random changes of the training images."""
    precision: str = setting(
        "float32", "choice", "Precision",
        "What products are rounded to; weights, losses and evaluations are always float32. bfloat16 keeps 8 of float32’s 24 binary digits: "
        "faster on processors and GPUs that are made for it.",
        choices=PRECISIONS, name_template="{value}",
    )
    evaluate_every: int = setting(
        0, "whole", "Evaluate every", "Steps between evaluations on the test images; 0 evaluates once an epoch.", unit="steps", high=10**9,
    )
    seed: int = setting(
        0, "whole", "Seed", "Start of all random numbers: weights, order of images, augmentation, dropout. The same seed gives the same run, to the last bit.",
        high=2**31 - 1, name_template="seed {value}",
    )
    device: str = setting(BEST, "name", "Device", "Name of the device; `best` is the best one there is.")
    # fmt: on

    def __post_init__(self) -> None:
        problems = settings.problems(self) + self.augment.problems() + _dataset_problems(self)
        if self.nesterov and not self.momentum:
            problems.append("Nesterov needs a momentum above 0.")
        if problems:
            raise ConfigError(problems)

    @property
    def optimizer_type(self) -> OptimizerType:
        return optimizer_type(self.optimizer)

    def images_per_step(self, train_size: int) -> int:
        """Return the number of images in one step: the batch size, or the whole training set for a full-batch optimizer.

        Args:
            train_size: number of images in an epoch.
        """
        return train_size if self.optimizer_type.full_batch else self.batch_size

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def arguments(self) -> list[str]:
        """Return the command-line options of this configuration, without defaults."""
        words = ["--dataset", self.dataset, "--network", self.network]
        for each in SETTINGS:
            value = each.value(self)
            if each.name not in ("dataset", "network") and value != each.default:
                words += [each.option, *map(str, [] if value is True else value if isinstance(value, tuple) else [value])]
        return words

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> TrainConfig:
        """Read command-line options: settings by name, including those of the augmentation; None means the default.

        Raises:
            ConfigError: a setting is unknown or out of range.
        """
        names = {item.name for item in fields(Augmentation)}
        values = {name: value for name, value in options.items() if value is not None}
        return cls.from_dict({**{name: values[name] for name in values.keys() - names}, "augment": {name: values[name] for name in values.keys() & names}})

    @classmethod
    def from_dict(cls, document: object) -> TrainConfig:
        """Read a document written by `to_dict`.

        Raises:
            ConfigError: a setting is unknown or out of range.
        """
        if not isinstance(document, dict):
            raise ConfigError(["Settings must be a JSON object."])
        augment = document.get("augment", {})
        problems = _unknown(document, cls, "There is no setting called “{}”.")
        problems += _unknown(augment, Augmentation, "There is no augmentation called “{}”.") if isinstance(augment, dict) else ["“augment” must be an object."]
        if problems:
            raise ConfigError(problems)
        betas = document.get("betas", cls.betas)
        return cls(**{**document, "augment": Augmentation(**augment), "betas": tuple(betas) if isinstance(betas, list) else betas})


SETTINGS: tuple[Setting, ...] = settings_of(TrainConfig)
"""Every setting, in the order in which they are shown."""


def setting_called(name: str) -> Setting:
    """Return the setting with that name; `augment.shift` is the shift of the augmentation."""
    return next(each for each in SETTINGS if each.name == name)


def _unknown(document: dict[str, Any], kind: type[TrainConfig] | type[Augmentation], message: str) -> list[str]:
    known = [item.name for item in fields(kind)]
    return [f"{message.format(name)} Known: {', '.join(known)}." for name in document if name not in known]


def _dataset_problems(config: TrainConfig) -> list[str]:
    name: object = config.dataset  # from a file it may be anything
    if not isinstance(name, str):
        return []
    try:
        info = dataset_info(name)
    except PlaygroundError as error:
        return [str(error)]
    batch_size: object = config.batch_size
    has_batches = not any(kind.name == config.optimizer and kind.full_batch for kind in OPTIMIZERS)
    if has_batches and isinstance(batch_size, int) and batch_size > info.train_size:
        return [f"A batch of {batch_size:,} is larger than {info.title}, which has {info.train_size:,} training images."]
    return []
