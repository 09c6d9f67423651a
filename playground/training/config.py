"""The settings of a training run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from playground.data.augmentation import Augmentation
from playground.data.catalogue import dataset_info
from playground.data.input_scaling import INPUT_SCALINGS, STANDARDISED
from playground.device import BEST
from playground.errors import ConfigError, PlaygroundError
from playground.network.initialisations import INITIALISATIONS

OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop", "muon")
SCHEDULES = ("constant", "one-cycle", "cosine", "step")
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides how a network is trained.

    Raises:
        ConfigError: settings that cannot work; all of them are told at once.
    """

    dataset: str = "mnist-5k"
    """Name of the data set."""
    network: str = "mnist-cnn"
    """Name of the network."""
    epochs: float = 10.0
    """How often every training image is shown; 0.5 is half of them once."""
    batch_size: int = 64
    """Images in one step."""
    optimizer: str = "adam"
    """One of `OPTIMIZERS`."""
    learning_rate: float = 0.003
    """Size of a step; with a schedule, its peak."""
    momentum: float = 0.9
    """Share of the last step that is kept, from 0 to below 1 (SGD, RMSprop and Muon)."""
    nesterov: bool = False
    """Look ahead along the momentum before taking the gradient (SGD and Muon)."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Share that is kept of the mean gradient and of its mean square (Adam, AdamW and what Muon leaves to AdamW)."""
    weight_decay: float = 0.0
    """How strongly weights are pulled to zero."""
    schedule: str = "one-cycle"
    """How the learning rate changes over the run; one of `SCHEDULES`."""
    label_smoothing: float = 0.0
    """Share of the target that is spread over the wrong classes."""
    inputs: str = STANDARDISED
    """How pixels reach the network; one of `INPUT_SCALINGS`."""
    initialisation: str = "default"
    """How the weights start; one of `INITIALISATIONS`."""
    whiten: bool = False
    """Set the first convolution’s filters from the training images’ own patches and freeze them."""
    augment: Augmentation = field(default_factory=Augmentation)
    """Random changes of the training images."""
    evaluate_every: int = 0
    """Steps between evaluations on the test images; 0 is once an epoch."""
    seed: int = 0
    """Start of all random numbers: weights, order of the images, augmentation, dropout."""
    precision: str = "float32"
    """What a step’s products are rounded to, one of `PRECISIONS`; weights, losses and evaluations are always float32."""
    device: str = BEST
    """Name of the device; `best` is the best one there is."""

    def __post_init__(self) -> None:
        problems = [message.format(value=getattr(self, name)) for name, (is_right, message) in _RULES.items() if not is_right(getattr(self, name))]
        problems += self.augment.problems() + _dataset_problems(self)
        if self.nesterov and not self.momentum:
            problems.append("Nesterov needs a momentum above 0.")
        if problems:
            raise ConfigError(problems)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def arguments(self) -> list[str]:
        """The command-line options that make this configuration, the defaults left out."""
        given = {**self.to_dict(), **asdict(self.augment)}
        default = {**TrainConfig().to_dict(), **asdict(Augmentation())}
        del given["augment"]
        words = ["--dataset", self.dataset, "--network", self.network]
        for name, value in given.items():
            if name not in ("dataset", "network") and value != default[name]:
                values = [] if value is True else list(value) if isinstance(value, tuple) else [value]
                words += [f"--{name.replace('_', '-')}", *map(str, values)]
        return words

    @classmethod
    def from_dict(cls, document: object) -> TrainConfig:
        """Read what `to_dict` made.

        Raises:
            ConfigError: a setting is unknown or out of range.
        """
        if not isinstance(document, dict):
            raise ConfigError(["Settings are a JSON object."])
        augment = document.get("augment", {})
        problems = _unknown(document, cls, "There is no setting called “{}”.")
        problems += _unknown(augment, Augmentation, "There is no augmentation called “{}”.") if isinstance(augment, dict) else ["“augment” must be an object."]
        if problems:
            raise ConfigError(problems)
        betas = document.get("betas", cls.betas)
        return cls(**{**document, "augment": Augmentation(**augment), "betas": tuple(betas) if isinstance(betas, list) else betas})


def _unknown(document: dict[str, Any], kind: type[TrainConfig] | type[Augmentation], message: str) -> list[str]:
    known = [item.name for item in fields(kind)]
    return [f"{message.format(name)} Known: {', '.join(known)}." for name in document if name not in known]


def _number(low: float, high: float, *, above: bool = False) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, (int, float)) and not isinstance(value, bool) and (low < value if above else low <= value) and value <= high


def _whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "dataset": (lambda value: isinstance(value, str), "The data set must be a name, not {value!r}."),
    "network": (lambda value: isinstance(value, str) and value != "", "The network must be a name, not {value!r}."),
    "device": (lambda value: isinstance(value, str) and value != "", "The device must be a name, not {value!r}."),
    "nesterov": (lambda value: isinstance(value, bool), "Nesterov must be true or false, not {value!r}."),
    "epochs": (_number(0, 1000, above=True), "Epochs must be above 0 and at most 1000, not {value!r}."),
    "batch_size": (_whole(1, 65536), "The batch size must be a whole number from 1, not {value!r}."),
    "optimizer": (lambda value: value in OPTIMIZERS, f"The optimizer must be one of {', '.join(OPTIMIZERS)}, not {{value!r}}."),
    "learning_rate": (_number(0, 100, above=True), "The learning rate must be above 0 and at most 100, not {value!r}."),
    "momentum": (_number(0, 0.9999), "The momentum must be from 0 to below 1, not {value!r}."),
    "betas": (
        lambda value: isinstance(value, tuple) and len(value) == 2 and all(_number(0, 0.99999)(beta) for beta in value),
        "The betas must be two numbers from 0 to below 1, not {value!r}.",
    ),
    "weight_decay": (_number(0, 10), "The weight decay must be from 0 to 10, not {value!r}."),
    "schedule": (lambda value: value in SCHEDULES, f"The schedule must be one of {', '.join(SCHEDULES)}, not {{value!r}}."),
    "label_smoothing": (_number(0, 0.99), "The label smoothing must be from 0 to below 1, not {value!r}."),
    "inputs": (lambda value: isinstance(value, str) and value in INPUT_SCALINGS, f"The inputs must be one of {', '.join(INPUT_SCALINGS)}, not {{value!r}}."),
    "initialisation": (
        lambda value: isinstance(value, str) and value in INITIALISATIONS,
        f"The initialisation must be one of {', '.join(INITIALISATIONS)}, not {{value!r}}.",
    ),
    "whiten": (lambda value: isinstance(value, bool), "Whitening must be true or false, not {value!r}."),
    "evaluate_every": (_whole(0, 10**9), "The steps between evaluations must be a whole number from 0, not {value!r}."),
    "precision": (lambda value: value in PRECISIONS, f"The precision must be one of {', '.join(PRECISIONS)}, not {{value!r}}."),
    "seed": (_whole(0, 2**31 - 1), "The seed must be a whole number from 0 to 2147483647, not {value!r}."),
}


def _dataset_problems(config: TrainConfig) -> list[str]:
    name: object = config.dataset  # from a file it may be anything
    if not isinstance(name, str):
        return []
    try:
        info = dataset_info(name)
    except PlaygroundError as error:
        return [str(error)]
    if isinstance(config.batch_size, int) and config.batch_size > info.train_size:
        return [f"A batch of {config.batch_size:,} is larger than {info.title}, which has {info.train_size:,} training images."]
    return []
