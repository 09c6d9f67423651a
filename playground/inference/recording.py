"""A recorded training: the weights of a small network at some of its steps, which a browser plays back without a server that computes.

Made by `python -m playground record`; the Home page plays the one in `models/pretrained/`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import torch
from torch import Tensor, nn

from playground.data.images import scale_and_shift
from playground.errors import PlaygroundError
from playground.messages import msg
from playground.network.spec import NetworkSpec, SavedNetwork
from playground.training.config import TrainConfig
from playground.training.events import Step
from playground.training.loop import Training, evaluate

GROWTH = 2.5
"""Exponent by which the snapshots grow apart."""


class Snapshot(TypedDict):
    """The network at one step, with the figures of the weights as they are stored here."""

    step: int
    images: int
    """Training images that it has processed until then, counted each time."""
    loss: float
    """On the test images."""
    accuracy: float
    """On the test images."""
    weights: str
    """All parameters one behind another, as bytes with a sign in base64; 127 is the scale of the parameter."""
    scales: list[float]
    """Of each parameter its largest absolute value."""


class Recording(TypedDict):
    """A recorded training."""

    network: SavedNetwork
    dataset: str
    train_size: int
    test_size: int
    classes: list[str]
    scale: float
    """Factor of a pixel from 0 to 255 …"""
    shift: float
    """… and what is added then, before the network gets it."""
    parameters: list[tuple[str, list[int]]]
    """Names and shapes, in the order of the weights."""
    snapshots: list[Snapshot]
    made_by: str
    """The command, and the version of PyTorch that ran it."""


def record(network: NetworkSpec, config: TrainConfig, count: int, made_by: str) -> Recording:
    """Train, and keep the network at `count` steps: densely at the beginning, where it learns fastest.

    Args:
        network: a network for grey images.
        config: the settings.
        count: number of snapshots, the first one before the first step and the last one after the last.
        made_by: the command line, which the recording names.

    Raises:
        PlaygroundError: as `Training` does.
    """
    training = Training(network, config)
    wanted = set(_steps(training.total_steps, count))
    snapshots = [_snapshot(training)]
    snapshots += (_snapshot(training) for event in training.events() if isinstance(event, Step) and training.step in wanted)
    info = training.images.info
    scale, shift = scale_and_shift(info, torch.device("cpu"), config.inputs)
    return {
        "network": network.to_dict(),
        "dataset": info.name,
        "train_size": len(training.images.train_images),
        "test_size": len(training.images.test_images),
        "classes": [str(name) for name in info.classes],
        "scale": float(scale),
        "shift": float(shift),
        "parameters": [(name, list(weight.shape)) for name, weight in training.network.named_parameters()],
        "snapshots": snapshots,
        "made_by": f"{made_by} (PyTorch {torch.__version__})",  # no text: a command
    }


def save(recording: Recording, path: Path) -> None:
    """Write a recording as JSON.

    Raises:
        PlaygroundError: it cannot be written.
    """
    try:
        path.write_text(json.dumps(recording, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    except OSError as error:
        raise PlaygroundError(msg("{file} could not be written: {error}.", file=str(path), error=str(error))) from error


def _steps(total: int, count: int) -> Iterator[int]:
    """Return steps whose distances grow, from 1 to `total`."""
    return (max(place, round(total * (place / (count - 1)) ** GROWTH)) for place in range(1, count))


def _snapshot(training: Training) -> Snapshot:
    """Store the weights in a byte each, and evaluate the network with these."""
    stored = {name: _as_bytes(weight.detach().cpu()) for name, weight in training.network.named_parameters()}
    exact = {name: weight.detach().clone() for name, weight in training.network.named_parameters()}
    _set(training.network, {name: whole.float() * (scale / 127) for name, (whole, scale) in stored.items()})
    with torch.random.fork_rng(devices=[]):
        loss, confusion = evaluate(training.network, training.images, training.prepare)
    _set(training.network, exact)
    packed = torch.cat([whole.flatten() for whole, _ in stored.values()])
    return {
        "step": training.step,
        "images": training.step * training.config.images_per_step(len(training.images.train_images)),
        "loss": round(loss, 4),
        "accuracy": int(confusion.diagonal().sum()) / len(training.images.test_images),
        "weights": base64.b64encode(packed.numpy().tobytes()).decode(),
        "scales": [scale for _, scale in stored.values()],
    }


def _as_bytes(weight: Tensor) -> tuple[Tensor, float]:
    scale = max(float(weight.abs().max()), 1e-12)
    return (weight / scale * 127).round().to(torch.int8), scale


@torch.no_grad()
def _set(network: nn.Module, weights: dict[str, Tensor]) -> None:
    for name, weight in network.named_parameters():
        weight.copy_(weights[name])
