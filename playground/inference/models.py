"""Trained networks that can be asked: those that come with the playground, and finished runs."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from playground import settings
from playground.data.catalogue import DatasetInfo, dataset_info
from playground.data.images import ImageSet, normalise
from playground.errors import CheckpointError, PlaygroundError, ShapeError, UnknownName
from playground.inference.drawing import Pixels, to_digit
from playground.network import spec as networks
from playground.network.build import build
from playground.network.spec import NetworkSpec
from playground.network.trace import check
from playground.runs.history import History
from playground.runs.run import Run, all_runs, find
from playground.training.loop import evaluate as evaluate_network

SHIPPED = "mnist-cnn"
"""The trained network that is used where none is chosen."""

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
class Model:
    """A trained network with what it was trained on."""

    name: str
    """The name of a shipped network, or a run's identifier."""
    spec: NetworkSpec
    info: DatasetInfo
    network: nn.Module
    """In evaluation mode."""
    device: torch.device

    @torch.inference_mode()
    def probabilities(self, images: Tensor) -> Tensor:
        """(N, C, H, W) uint8 → (N, classes), each row adding up to 1."""
        logits: Tensor = self.network(normalise(images.to(self.device), self.info))
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
        if self.info.kind != "digits":
            raise ShapeError(f"“{self.name}” was trained on {self.info.title}, so it cannot read drawn digits.", "Choose a network trained on digits.")
        return self.predict(to_digit(ink).input)

    def evaluate(self, images: ImageSet) -> tuple[float, float]:
        """Mean loss and share named rightly over a data set's test images.

        Raises:
            ShapeError: the data has another shape or other classes.
        """
        if images.info.input_shape != self.info.input_shape or len(images.info.classes) != len(self.info.classes):
            raise ShapeError(f"“{self.name}” was trained on {self.info.title}; {images.info.title} has another shape or other classes.")
        result = evaluate_network(self.network, images.to(self.device), lambda pixels: normalise(pixels, self.info))
        self.network.eval()
        return result


def shipped_names() -> list[str]:
    """The trained networks in `models/pretrained/`."""
    return sorted(path.stem for path in _pretrained_folder().glob("*.safetensors"))


def load_model(name: str, device: str = "cpu") -> Model:
    """The trained network of that name, or of the run with that identifier.

    Raises:
        UnknownName: there is neither.
        CheckpointError: its file cannot be read, or holds no trained network.
    """
    if name in shipped_names():
        path = _pretrained_folder() / f"{name}.safetensors"
        return _load_shipped(path, path.stat().st_mtime_ns, device)
    try:
        run = find(name)
    except UnknownName:
        raise UnknownName("trained network", name, [*shipped_names(), *(run.id for run in all_runs()[:10])]) from None
    if not run.checkpoint_path.exists():
        raise CheckpointError(f"The run “{run.id}” has kept no weights yet.", "Wait for its first checkpoint.")
    return _load_run(run, run.checkpoint_path.stat().st_mtime_ns, device)


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
    state, history = run.load_checkpoint(), History(run).follow()
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


def _pretrained_folder() -> Path:
    return settings.models_folder() / "pretrained"


@lru_cache(maxsize=8)
def _load_shipped(path: Path, _modified: int, device: str) -> Model:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            facts = file.metadata()
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        spec = networks.from_json(facts["network"])
        info = dataset_info(json.loads(facts["config"])["dataset"])
    except (SafetensorError, PlaygroundError, OSError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path.name} does not hold a trained network: {error}.") from None
    return _model(path.stem, spec, info, weights, device)


@lru_cache(maxsize=32)
def _load_run(run: Run, _modified: int, device: str) -> Model:
    state = run.load_checkpoint() or {}
    if "weights" not in state:
        raise CheckpointError(f"The checkpoint of “{run.id}” holds no weights.")
    return _model(run.id, run.network, dataset_info(run.config.dataset), state["weights"], device)


def _model(name: str, spec: NetworkSpec, info: DatasetInfo, weights: dict[str, Any], device: str) -> Model:
    try:
        check(spec, info.input_shape, len(info.classes))
        network = build(spec, device)
        network.load_state_dict(weights)
    except (RuntimeError, AttributeError, TypeError, ShapeError) as error:
        raise CheckpointError(f"The weights of “{name}” belong to another network or to other data: {error}") from None
    return Model(name, spec, info, network.eval().requires_grad_(False), torch.device(device))


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
        f"| Accuracy | {finished.test_accuracy:.2%} on the {info.test_size:,} test images, never seen in training |",
        f"| Epochs | {config.epochs:g} |",
        f"| Seed | {config.seed} |",
        f"| Time | {finished.seconds:.0f} seconds, {finished.samples_per_second:,.0f} images a second |",
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
