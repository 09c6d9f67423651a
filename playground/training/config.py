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
from playground.messages import Message, joined, msg
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
    dataset: str = setting("mnist-5k", "name", msg("Data set"), msg("What the network is trained on."))
    network: str = setting("mnist-cnn", "name", msg("Network"), msg("What is trained."))
    optimizer: str = setting(
        "adam", "choice", msg("Optimizer"), msg("How weights follow from their gradients."), choices=OPTIMIZER_TITLES, name_template=msg("{title}"),
        is_basic=True,
    )
    learning_rate: float = setting(
        0.003, "number", msg("Learning rate"), msg("Size of a step; with a schedule, its peak."), high=100, above=True, step=0.001,
        name_template=msg("learning rate {value}"), is_basic=True,
    )
    batch_size: int = setting(
        64, "whole", msg("Batch size"), msg("Images in one step."), unit=msg("images"), low=1, high=65536, name_template=msg("batch size {value}"),
        applies_to=lambda config: not optimizer_type(config.optimizer).full_batch, is_basic=True,
    )
    schedule: str = setting(
        "one-cycle", "choice", msg("Schedule"), msg("How the learning rate changes over the run."), choices=SCHEDULE_TITLES,
        name_template=msg("{value} schedule"), is_basic=True,
    )
    epochs: float = setting(
        10.0, "number", msg("Epochs"), msg("How often every training image is shown; 0.5 shows half of them once."), high=1000, above=True,
        name_template=msg("epochs {value}"), is_basic=True,
    )
    momentum: float = setting(
        0.9, "number", msg("Momentum"), msg("Share of the step before that the next step keeps."), high=0.9999, step=0.01,
        name_template=msg("momentum {value}"), name_off=msg("no momentum"), applies_to=_uses("momentum"),
    )
    nesterov: bool = setting(
        False, "switch", msg("Nesterov"), msg("Look ahead along the momentum before taking the gradient."),
        name_template=msg("Nesterov"), name_off=msg("no Nesterov"), applies_to=_uses("nesterov"),
    )
    betas: tuple[float, float] = setting(
        (0.9, 0.999), "pair", msg("Betas"), msg("Decay rates of the running averages of the gradient and of its square."), high=0.99999, step=0.01,
        name_template=msg("betas {value}"), applies_to=_uses("betas"),
    )
    weight_decay: float = setting(
        0.0, "number", msg("Weight decay"), msg("How strongly weights are pulled towards zero."), high=10, step=0.0001,
        name_template=msg("weight decay {value}"), name_off=msg("no weight decay"), applies_to=_uses("weight_decay"),
    )
    clip_grad_norm: float = setting(
        0.0, "number", msg("Gradient clipping"), msg("Largest norm of all gradients together: longer ones are scaled down to it. 0 clips nothing."),
        high=1_000_000, step=0.1, name_template=msg("gradients clipped to {value}"), name_off=msg("no gradient clipping"),
    )
    label_smoothing: float = setting(
        0.0, "number", msg("Label smoothing"), msg("Share of the target probability that is spread over all classes."), high=0.99, step=0.05,
        name_template=msg("label smoothing {value}"), name_off=msg("no label smoothing"),
    )
    inputs: str = setting(
        STANDARDISED, "choice", msg("Input scaling"),
        msg("How pixels are scaled before they reach the network. Standardised ones have mean 0 and standard deviation 1."),
        choices=INPUT_SCALINGS, name_template=msg("input scaling {value}"),
    )
    initialisation: str = setting(
        "default", "choice", msg("Weight initialisation"), msg("How the first weights are drawn."),
        choices={name: each.title for name, each in INITIALISATIONS.items()}, name_template=msg("initialisation {title}"),
    )
    whiten: bool = setting(
        False, "switch", msg("Whitening"), msg("Compute the first convolution’s filters from the training images’ own patches, and freeze them."),
        name_template=msg("whitening"), name_off=msg("no whitening"), fits=lambda _dataset, network: network.layers[0].type == "Conv2d",
    )
    augment: Augmentation = field(default_factory=Augmentation)
    """Random changes of the training images."""
    precision: str = setting(
        "float32", "choice", msg("Precision"),
        msg(
            "What products are rounded to; weights, losses and evaluations are always float32. bfloat16 keeps 8 of float32’s 24 binary digits: "
            "faster on processors and GPUs that are made for it."
        ),
        choices=PRECISIONS, name_template=msg("precision {value}"),
    )
    evaluate_every: int = setting(
        0, "whole", msg("Evaluate every"), msg("Steps between evaluations on the test images; 0 evaluates once an epoch."), unit=msg("steps"), high=10**9,
    )
    seed: int = setting(
        0, "whole", msg("Seed"),
        msg("Start of all random numbers: weights, order of images, augmentation, dropout. The same seed gives the same run, to the last bit."),
        high=2**31 - 1, name_template=msg("seed {value}"),
    )
    device: str = setting(BEST, "name", msg("Device"), msg("Name of the device; `best` is the best one there is."))
    # fmt: on

    def __post_init__(self) -> None:
        problems = settings.problems(self) + self.augment.problems() + _dataset_problems(self)
        if self.nesterov and not self.momentum:
            problems.append(msg("Nesterov needs a momentum above 0."))
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
            raise ConfigError([msg("Settings must be a JSON object.")])
        augment = document.get("augment", {})
        problems = _unknown(document, cls, msg("There is no setting called “{name}”."))
        if isinstance(augment, dict):
            problems += _unknown(augment, Augmentation, msg("There is no augmentation called “{name}”."))
        else:
            problems.append(msg("“augment” must be an object."))
        if problems:
            raise ConfigError(problems)
        betas = document.get("betas", cls.betas)
        return cls(**{**document, "augment": Augmentation(**augment), "betas": tuple(betas) if isinstance(betas, list) else betas})


SETTINGS: tuple[Setting, ...] = settings_of(TrainConfig)
"""Every setting, in the order in which they are shown."""


def setting_called(name: str) -> Setting:
    """Return the setting with that name; `augment.shift` is the shift of the augmentation."""
    return next(each for each in SETTINGS if each.name == name)


def _unknown(document: dict[str, Any], kind: type[TrainConfig] | type[Augmentation], message: Message) -> list[str]:
    known = [item.name for item in fields(kind)]
    hint = msg("Known: {choices}.", choices=", ".join(known))
    return [joined([message.filled(name=name), hint]) for name in document if name not in known]


def _dataset_problems(config: TrainConfig) -> list[str]:
    name: object = config.dataset  # from a file it may be anything
    if not isinstance(name, str):
        return []
    try:
        info = dataset_info(name)
    except PlaygroundError as error:
        return [error.text]
    if config.augment.draws and info.kind != "digits":
        return [msg("Other handwriting and scribbles can only be mixed into digits, not into {dataset}.", dataset=info.title)]
    batch_size: object = config.batch_size
    has_batches = not any(kind.name == config.optimizer and kind.full_batch for kind in OPTIMIZERS)
    if has_batches and isinstance(batch_size, int) and batch_size > info.train_size:
        return [
            msg(
                "A batch of {batch_size:,} is larger than {dataset}, which has {train_size:,} training images.",
                batch_size=batch_size,
                dataset=info.title,
                train_size=info.train_size,
            )
        ]
    return []
