"""Trained networks: load a pretrained network or a run's checkpoint, predict with it, export its weights."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from playground import environment
from playground.data.catalogue import DatasetInfo, dataset_info
from playground.data.images import ImageSet, normalise
from playground.data.input_scaling import INPUT_SCALINGS, STANDARDISED
from playground.data.preprocessing import Pixels, to_digit
from playground.errors import CheckpointError, PlaygroundError, ShapeError, UnknownName
from playground.messages import msg, nmsg
from playground.network import spec as networks
from playground.network.build import Network, build, is_convolutional
from playground.network.spec import NetworkSpec
from playground.network.trace import check
from playground.runs.checkpoints import load_state
from playground.runs.run import Run, everyones_runs, find
from playground.training.events import Created
from playground.training.loop import evaluate as evaluate_network

DEFAULT_MODEL = "mnist-cnn"
"""The pretrained network that is used where none is selected."""

_STEP = re.compile("[0-9]{1,12}")


@dataclass(frozen=True)
class Prediction:
    """The prediction of a network for one image."""

    label: str
    """The predicted class."""
    probabilities: tuple[float, ...]
    """One for each class of its training data set, adding up to 1."""
    input: Tensor
    """``(C, H, W)`` uint8: the image."""


@dataclass(frozen=True)
class Weights:
    """The file that stores a trained network; two are equal if they refer to the same, unchanged file."""

    name: str
    """The name of a pretrained network, the identifier of a run, or `RUN@STEP` for the checkpoint of a run at that step."""
    path: Path
    modified: int
    """Modification time of the file in nanoseconds since 1970: training overwrites a run's last checkpoint."""
    run: Run | None
    """The run that it belongs to; None for a pretrained network."""


@dataclass(frozen=True)
class Model:
    """A trained network with its training data set and input scaling."""

    name: str
    """As in `Weights`."""
    spec: NetworkSpec
    info: DatasetInfo
    inputs: str
    """Its input scaling, one of `INPUT_SCALINGS`."""
    network: Network
    """In evaluation mode."""
    device: torch.device
    run: Run | None = None
    """The run that it belongs to; None for a pretrained network."""

    @property
    def has_imported_weights(self) -> bool:
        """Whether training started from imported weights, in this run or in one that it was forked from. Reads the journal of each."""
        run = self.run
        while run is not None and not run.start_path.exists():
            created = next(run.journal.events()[0], None)
            try:
                run = find(created.parent) if isinstance(created, Created) and created.parent else None
            except UnknownName:  # deleted meanwhile
                run = None
        return run is not None

    def prepare(self, images: Tensor) -> Tensor:
        """Scale images as in training: ``(N, C, H, W)`` uint8 → float32, on the network's device and in its memory format."""
        prepared = normalise(images.to(self.device), self.info, self.inputs)
        return prepared.contiguous(memory_format=_memory_format(self.network))

    @torch.inference_mode()
    def probabilities(self, images: Tensor) -> Tensor:
        """Compute the softmax of the logits: ``(N, C, H, W)`` uint8 → ``(N, classes)``, each row adding up to 1."""
        logits: Tensor = self.network(self.prepare(images))
        return logits.softmax(dim=1).cpu()

    def predict(self, image: Tensor) -> Prediction:
        """Classify one image, ``(C, H, W)`` uint8."""
        probabilities = self.probabilities(image.unsqueeze(0))[0]
        return Prediction(self.info.classes[int(probabilities.argmax())], tuple(probabilities.tolist()), image)

    def predict_drawing(self, ink: Pixels) -> Prediction:
        """Classify a drawing, ``(H, W)``.

        Raises:
            DrawingError: the drawing is empty.
            ShapeError: the network was not trained on digits.
        """
        self.require_digits()
        return self.predict(to_digit(ink).input)

    def require_digits(self) -> None:
        """Raise an error unless the network was trained on digits.

        Raises:
            ShapeError: it was not trained on digits.
        """
        if self.info.kind != "digits":
            raise ShapeError(
                msg("“{name}” was trained on {dataset}, so it cannot classify drawn digits.", name=self.name, dataset=self.info.title),
                msg("Choose a network trained on digits."),
            )

    def evaluate(self, images: ImageSet) -> tuple[float, float]:
        """Compute the mean loss and the accuracy on a data set's test images.

        Raises:
            ShapeError: the data set has another shape or other classes.
        """
        self.require_fit(images.info)
        loss, confusion = evaluate_network(self.network, images.to(self.device), self.prepare)
        self.network.eval()
        return loss, int(confusion.diagonal().sum()) / len(images.test_images)

    def fits(self, info: DatasetInfo) -> bool:
        """Return whether a data set has the network's input shape and classes."""
        return info.input_shape == self.info.input_shape and info.classes == self.info.classes

    def require_fit(self, info: DatasetInfo) -> None:
        """Raise an error unless a data set has the network's input shape and classes.

        Raises:
            ShapeError: the data set has another shape or other classes.
        """
        if not self.fits(info):
            raise ShapeError(
                msg(
                    "“{name}” was trained on {dataset}, but {other} has another input shape or other classes.",
                    name=self.name,
                    dataset=self.info.title,
                    other=info.title,
                )
            )


def pretrained_names() -> list[str]:
    """List the names of the trained networks in `models/pretrained/`."""
    return sorted(_pretrained_files())


def load_model(name: str, device: str = "cpu") -> Model:
    """Load a trained network; return the same object as long as its file is unchanged.

    Args:
        name: the name of a pretrained network; the identifier of a run, for its last checkpoint; or `RUN@STEP`, for the checkpoint at that step.
        device: the device of the weights.

    Raises:
        UnknownName: there is no network or run of this name.
        CheckpointError: there is no checkpoint at that step, or the file cannot be read or contains no trained network.
    """
    return model_of(find_weights(name), device)


def model_of(weights: Weights, device: str = "cpu") -> Model:
    """Load the trained network in a file.

    Raises:
        CheckpointError: the file cannot be read, or contains no trained network.
    """
    return (_load_pretrained if weights.run is None else _load_run)(weights, device)


def find_weights(name: str) -> Weights:
    """Find the file of a trained network by name.

    Raises:
        UnknownName: there is no network or run of this name.
        CheckpointError: the run has no checkpoint, or none at that step.
    """
    if path := _pretrained_files().get(name):
        return Weights(name, path, path.stat().st_mtime_ns, None)
    run, step = find_run(name), name.partition("@")[2]
    return _weights_of(run, int(step) if step else None)


def find_run(name: str) -> Run:
    """Find the run of a trained network that is not a pretrained one.

    Raises:
        UnknownName: there is no network or run of this name.
    """
    run_id, at, step = name.partition("@")
    try:
        return find(run_id if _STEP.fullmatch(step) or not at else name)  # no run is called `RUN@anything`
    except UnknownName:
        raise UnknownName(msg("trained network"), name, [*pretrained_names(), *everyones_runs()]) from None


def _pretrained_files() -> dict[str, Path]:
    """Return the files of the pretrained networks, by name."""
    return {path.stem: path for folder in reversed(environment.model_folders()) for path in (folder / "pretrained").glob("*.safetensors")}


def _weights_of(run: Run, step: int | None) -> Weights:
    name, path = (run.id, run.checkpoints.latest_path) if step is None else (f"{run.id}@{step}", run.checkpoints.path_at(step))
    try:
        return Weights(name, path, path.stat().st_mtime_ns, run)
    except FileNotFoundError:
        pass
    if step is not None and (steps := run.checkpoints.steps()):
        hint = nmsg("It has a checkpoint at step {steps}.", "It has checkpoints at steps {steps}.", len(steps), steps=", ".join(map(str, steps)))
        raise CheckpointError(msg("The run “{run}” has no checkpoint at step {step}.", run=run.id, step=step), hint)
    raise CheckpointError(msg("The run “{run}” has no checkpoint yet.", run=run.id), msg("Wait until it has written its first checkpoint."))


@lru_cache(maxsize=8)
def _load_pretrained(weights: Weights, device: str) -> Model:
    try:
        with safe_open(weights.path, "pt") as file:
            facts = file.metadata()
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        spec = networks.from_json(facts["network"])
        config = json.loads(facts["config"])
        info, inputs = dataset_info(config["dataset"]), config.get("inputs", STANDARDISED)
        if inputs not in INPUT_SCALINGS:
            raise UnknownName(msg("input scaling"), inputs, INPUT_SCALINGS)
    except (SafetensorError, PlaygroundError, OSError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(msg("{file} does not contain a trained network: {error}.", file=weights.path.name, error=str(error))) from None
    return Model(weights.name, spec, info, inputs, _network(weights.name, spec, info, state, device), torch.device(device))


@lru_cache(maxsize=32)
def _load_run(weights: Weights, device: str) -> Model:
    run = weights.run
    assert run is not None
    state = load_state(weights.path)
    if "weights" not in state:
        raise CheckpointError(msg("The checkpoint of “{name}” contains no weights.", name=weights.name))
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
        raise CheckpointError(msg("The weights of “{name}” do not fit its network or its data set: {error}", name=name, error=str(error))) from None
    return network.eval().requires_grad_(False)


def _memory_format(network: Network) -> torch.memory_format:
    """Return the memory format used in training; convolutions take half the time in `channels_last`."""
    return torch.channels_last if is_convolutional(network) else torch.contiguous_format
