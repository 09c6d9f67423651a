"""Trained networks that can be asked: those that come with the playground, and finished runs."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from playground import environment
from playground.data.catalogue import DatasetInfo, dataset_info
from playground.data.images import ImageSet, normalise
from playground.data.input_scaling import INPUT_SCALINGS, STANDARDISED
from playground.errors import CheckpointError, PlaygroundError, ShapeError, UnknownName
from playground.inference.preprocessing import Pixels, to_digit
from playground.network import spec as networks
from playground.network.build import Network, build, is_convolutional
from playground.network.spec import NetworkSpec
from playground.network.trace import check
from playground.runs.checkpoints import load_state
from playground.runs.history import History
from playground.runs.run import Run, all_runs, find
from playground.training.events import Created
from playground.training.loop import evaluate as evaluate_network
from playground.typography import percent

DEFAULT_MODEL = "mnist-cnn"
"""The trained network that is used where none is chosen."""

_STEP = re.compile("[0-9]{1,12}")

_USES = {
    "digits": "reading a single digit, drawn or scanned, in MNIST’s form: light on dark, fitted into 20×20 pixels, centred in 28×28",
    "characters": "reading a single character, light on dark, filling the image",
    "pictures": "naming what is on a small picture of one of its classes",
}


@dataclass(frozen=True)
class Prediction:
    """What a network says of one image."""

    label: str
    """The class it thinks most likely."""
    probabilities: tuple[float, ...]
    """One for each class of its data set, adding up to 1."""
    input: Tensor
    """(C, H, W) uint8: what it was shown."""


@dataclass(frozen=True)
class Weights:
    """The file that a trained network is kept in; equal as long as the file is the same one, unchanged."""

    name: str
    """The name of a shipped network, a run's identifier, or `RUN@STEP`: the run as it was after so many steps."""
    path: Path
    modified: int
    """When the file was written, in nanoseconds since 1970: training replaces a run's last checkpoint."""
    run: Run | None
    """The run that it belongs to; None for a shipped network."""


@dataclass(frozen=True)
class Model:
    """A trained network with what it was trained on."""

    name: str
    """As in `Weights`."""
    spec: NetworkSpec
    info: DatasetInfo
    inputs: str
    """How pixels reach the network, one of `INPUT_SCALINGS`."""
    network: Network
    """In evaluation mode."""
    device: torch.device
    run: Run | None = None
    """The run that it belongs to; None for a shipped network."""

    @property
    def has_imported_weights(self) -> bool:
        """Whether training began with weights that somebody brought, be it in a run that this one was forked from. Reads the record of each."""
        run = self.run
        while run is not None and not run.start_path.exists():
            created = next(run.journal.events()[0], None)
            try:
                run = find(created.parent) if isinstance(created, Created) and created.parent else None
            except UnknownName:  # deleted meanwhile
                run = None
        return run is not None

    def prepare(self, images: Tensor) -> Tensor:
        """(N, C, H, W) uint8 → the same as the network received them in training: float32, on its device and in its memory format."""
        prepared = normalise(images.to(self.device), self.info, self.inputs)
        return prepared.contiguous(memory_format=_memory_format(self.network))

    @torch.inference_mode()
    def probabilities(self, images: Tensor) -> Tensor:
        """(N, C, H, W) uint8 → (N, classes), each row adding up to 1."""
        logits: Tensor = self.network(self.prepare(images))
        return logits.softmax(dim=1).cpu()

    def predict(self, image: Tensor) -> Prediction:
        """What the network says of one image (C, H, W) uint8."""
        probabilities = self.probabilities(image.unsqueeze(0))[0]
        return Prediction(self.info.classes[int(probabilities.argmax())], tuple(probabilities.tolist()), image)

    def read(self, ink: Pixels) -> Prediction:
        """What the network says of a drawing (H, W).

        Raises:
            DrawingError: nothing is drawn.
            ShapeError: the network was not trained on digits.
        """
        self.require_digits()
        return self.predict(to_digit(ink).input)

    def require_digits(self) -> None:
        """Refuse a network that cannot read drawings.

        Raises:
            ShapeError: it was not trained on digits.
        """
        if self.info.kind != "digits":
            raise ShapeError(f"“{self.name}” was trained on {self.info.title}, so it cannot read drawn digits.", "Choose a network trained on digits.")

    def evaluate(self, images: ImageSet) -> tuple[float, float]:
        """Mean loss and share named rightly over a data set's test images.

        Raises:
            ShapeError: the data has another shape or other classes.
        """
        self.require_fit(images.info)
        loss, confused = evaluate_network(self.network, images.to(self.device), self.prepare)
        self.network.eval()
        return loss, int(confused.diagonal().sum()) / len(images.test_images)

    def fits(self, info: DatasetInfo) -> bool:
        """Whether a data set's images have the network's shape, and its classes are those that the network knows."""
        return info.input_shape == self.info.input_shape and info.classes == self.info.classes

    def require_fit(self, info: DatasetInfo) -> None:
        """Refuse a data set that does not fit.

        Raises:
            ShapeError: it has another shape or other classes.
        """
        if not self.fits(info):
            raise ShapeError(f"“{self.name}” was trained on {self.info.title}; {info.title} has another shape or other classes.")


def pretrained_names() -> list[str]:
    """The trained networks in `models/pretrained/`."""
    return sorted(_pretrained_files())


def load_model(name: str, device: str = "cpu") -> Model:
    """The trained network of that name: the same object as long as its file is the same.

    Args:
        name: of a shipped network; a run's identifier, for its last checkpoint; or `RUN@STEP`, for the one kept after so many steps.
        device: where the network shall live.

    Raises:
        UnknownName: there is no such network or run.
        CheckpointError: nothing was kept at that step, or the file cannot be read or holds no trained network.
    """
    return model_of(find_weights(name), device)


def model_of(weights: Weights, device: str = "cpu") -> Model:
    """The trained network in a file.

    Raises:
        CheckpointError: the file cannot be read, or holds no trained network.
    """
    return (_load_shipped if weights.run is None else _load_run)(weights, device)


def find_weights(name: str) -> Weights:
    """The file that the trained network of that name is kept in.

    Raises:
        UnknownName: there is no such network or run.
        CheckpointError: the run has kept no weights, or none of that step.
    """
    if path := _pretrained_files().get(name):
        return Weights(name, path, path.stat().st_mtime_ns, None)
    run_id, at, step = name.partition("@")
    try:
        run = find(run_id if _STEP.fullmatch(step) or not at else name)  # no run is called `RUN@anything`
    except UnknownName:
        raise UnknownName("trained network", name, [*pretrained_names(), *(run.id for run in all_runs()[:10])]) from None
    return _weights_of(run, int(step) if at else None)


def export(run: Run, target: Path, command: str) -> tuple[Path, Path]:
    """Write a run's weights as safetensors, with all that is needed to use them, and a model card beside them.

    Args:
        run: a finished run.
        target: the path of the new files, without an ending.
        command: the command line that trained it, for the card.

    Raises:
        PlaygroundError: the run has no kept weights, or the files cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    weights, card = (target.with_name(target.name + ending) for ending in (".safetensors", ".md"))
    state, history = run.checkpoints.load(), History(run).follow()
    if state is None or history.finished is None:
        raise CheckpointError(f"The run “{run.id}” is not finished, so there is nothing to export yet.")
    facts = {
        "network": run.network.to_json(),
        "config": json.dumps(run.config.to_dict()),
        "test_accuracy": f"{history.finished.test_accuracy:.4f}",
        "command": command,
    }
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        save_file({name: tensor.contiguous() for name, tensor in state["weights"].items()}, weights, facts)
        card.write_text(_card(target.name, run, history, command), encoding="utf-8")
    except (OSError, SafetensorError) as error:
        raise PlaygroundError(f"The weights could not be written to {target}: {error}.") from error
    return weights, card


def training_command(run: Run) -> str:
    """The command line that trains such a run again."""
    return shlex.join(["python", "-m", "playground", "train", *run.config.arguments()])


def _pretrained_files() -> dict[str, Path]:
    """The files of trained networks by name."""
    return {path.stem: path for folder in reversed(environment.model_folders()) for path in (folder / "pretrained").glob("*.safetensors")}


def _weights_of(run: Run, step: int | None) -> Weights:
    name, path = (run.id, run.checkpoints.latest_path) if step is None else (f"{run.id}@{step}", run.checkpoints.path_at(step))
    try:
        return Weights(name, path, path.stat().st_mtime_ns, run)
    except FileNotFoundError:
        pass
    if step is not None and (kept := ", ".join(map(str, run.checkpoints.steps()))):
        raise CheckpointError(f"The run “{run.id}” has not kept its weights after step {step}.", f"Steps whose weights are kept: {kept}.")
    raise CheckpointError(f"The run “{run.id}” has kept no weights yet.", "Wait for its first checkpoint.")


@lru_cache(maxsize=8)
def _load_shipped(weights: Weights, device: str) -> Model:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights.path, "pt") as file:
            facts = file.metadata()
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        spec = networks.from_json(facts["network"])
        config = json.loads(facts["config"])
        info, inputs = dataset_info(config["dataset"]), config.get("inputs", STANDARDISED)
        if inputs not in INPUT_SCALINGS:
            raise UnknownName("form of the inputs", inputs, INPUT_SCALINGS)
    except (SafetensorError, PlaygroundError, OSError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{weights.path.name} does not hold a trained network: {error}.") from None
    return Model(weights.name, spec, info, inputs, _network(weights.name, spec, info, state, device), torch.device(device))


@lru_cache(maxsize=32)
def _load_run(weights: Weights, device: str) -> Model:
    run = weights.run
    assert run is not None
    state = load_state(weights.path)
    if "weights" not in state:
        raise CheckpointError(f"The checkpoint of “{weights.name}” holds no weights.")
    spec, config = run.network, run.config
    info = dataset_info(config.dataset)
    network = _network(weights.name, spec, info, state["weights"], device)
    return Model(weights.name, spec, info, config.inputs, network, torch.device(device), run)


def _network(name: str, spec: NetworkSpec, info: DatasetInfo, state: dict[str, Any], device: str) -> Network:
    try:
        check(spec, info.input_shape, len(info.classes))
        network = build(spec, device)
        network.load_state_dict(state)
        network.to(memory_format=_memory_format(network))
    except (RuntimeError, AttributeError, TypeError, ShapeError) as error:
        raise CheckpointError(f"The weights of “{name}” belong to another network or to other data: {error}") from None
    return network.eval().requires_grad_(False)


def _memory_format(network: Network) -> torch.memory_format:
    """That of training, in which convolutions take half the time."""
    return torch.channels_last if is_convolutional(network) else torch.contiguous_format


def _card(name: str, run: Run, history: History, command: str) -> str:
    config, spec, finished = run.config, run.network, history.finished
    info = dataset_info(config.dataset)
    assert finished is not None
    lines = [
        f"# {name}",
        "",
        f"{spec.title}. {spec.summary}",
        "",
        "| | |",
        "|---|---|",
        f"| Network | `models/{spec.name}.json` |",
        f"| Trained on | {info.title}, {info.train_size:,} images. {info.source} |",
        f"| Accuracy | {percent(finished.test_accuracy, 2)} on the {info.test_size:,} test images, never used in training |",
        f"| Epochs | {config.epochs:g} |",
        f"| Seed | {config.seed} |",
        f"| Time | {finished.seconds:.0f} seconds, {finished.samples_per_second:,.0f} images per second |",
        f"| Good for | {_USES[info.kind]} |",
        "| Not for | anything it was not trained on, or any decision that matters to a person |",
        "",
        "Made by:",
        "",
        "```sh",
        command,
        f"python -m playground export RUN --to models/pretrained/{name}",
        "```",
        "",
    ]
    return "\n".join(lines)
