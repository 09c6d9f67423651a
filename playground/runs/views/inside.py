"""Layer statistics, histograms, filters and predictions of a run over time, for the live view."""

from __future__ import annotations

import base64
from typing import TypedDict

from playground.data.catalogue import dataset_info
from playground.errors import PlaygroundError
from playground.messages import msg
from playground.runs.history import History
from playground.runs.run import Run
from playground.runs.views.curves import round_all, thin_out
from playground.training.events import Observed

SERIES = 120
"""Maximum number of observations in a response."""
HISTOGRAMS = ("weights", "gradients", "outputs")
Series = list[float | None]


class Layer(TypedDict):
    """A layer's statistics over the steps; null where the layer has none."""

    index: int
    type: str
    gradient: Series | None
    ratio: Series | None
    """Update ÷ weights."""
    std: Series | None
    dead: Series | None


class Gallery(TypedDict):
    """Test images with the network's predictions."""

    shape: list[int]
    """(count, channels, height, width)"""
    pixels: str
    """A byte each in base64."""
    labels: list[int]
    classes: tuple[str, ...]
    predictions: list[list[list[int]]]
    """For each snapshot and image the probability of each class, in thousandths."""


class RunInside(TypedDict):
    """The layers and the gallery over the steps."""

    layers: list[Layer]
    steps: list[int]
    snapshots: list[int]
    """Their steps."""
    filters: bool
    """Whether the snapshots have images of the first layer's filters."""
    histograms: list[list[str]]
    """For each layer what the newest snapshot has histograms of; empty without a snapshot."""
    gallery: Gallery


class Histograms(TypedDict):
    """One histogram of a layer for each snapshot."""

    steps: list[int]
    low: list[float]
    high: list[float]
    counts: list[list[int]]


class Filters(TypedDict):
    """The first layer's weights as images, in one snapshot."""

    step: int
    shape: list[int]
    """(count, channels, height, width)"""
    bound: float
    """The largest magnitude."""
    pixels: str
    """A byte each in base64: 128 for zero, 1 and 255 for minus and plus the bound."""


def inside(run: Run, history: History) -> RunInside:
    """Return the statistics of every layer over the steps, and the predictions for the gallery."""
    observations, snapshots = thin_out(list(history.observations), SERIES), run.journal.snapshots()
    return {
        "layers": [_layer(index, layer.type, observations) for index, layer in enumerate(run.network.layers)],
        "steps": [event.step for event in observations],
        "snapshots": [snapshot.step for snapshot in snapshots],
        "filters": bool(snapshots and snapshots[-1].filters),
        "histograms": [sorted(histograms) for histograms in snapshots[-1].histograms] if snapshots else [],
        "gallery": _gallery(run, [snapshot.gallery for snapshot in snapshots]),
    }


def histogram(run: Run, layer: int, quantity: str) -> Histograms:
    """Return the histograms of a layer's weights, gradients or outputs in every snapshot.

    Raises:
        PlaygroundError: there is no such layer or no such histogram.
    """
    if quantity not in HISTOGRAMS or not 0 <= layer < len(run.network.layers):
        raise PlaygroundError(
            msg("There are no histograms of “{quantity}” for layer {layer}.", quantity=quantity, layer=layer),
            msg("Choose one of {choices}, and a layer from 0 to {last}.", choices=", ".join(HISTOGRAMS), last=len(run.network.layers) - 1),
        )
    snapshots = [snapshot for snapshot in run.journal.snapshots() if quantity in snapshot.histograms[layer]]
    histograms = [snapshot.histograms[layer][quantity] for snapshot in snapshots]
    return {
        "steps": [snapshot.step for snapshot in snapshots],
        "low": [each["low"] for each in histograms],
        "high": [each["high"] for each in histograms],
        "counts": [each["counts"] for each in histograms],
    }


def filters(run: Run, index: int) -> Filters:
    """Return the first layer's filters as images, from one snapshot.

    Raises:
        PlaygroundError: there is no such snapshot, or it has no filters.
    """
    snapshots = run.journal.snapshots()
    images = snapshots[index].filters if -len(snapshots) <= index < len(snapshots) else None
    if images is None:
        raise PlaygroundError(
            msg("The run has no filter images at this snapshot (index {index}, snapshots so far: {count:,}).", index=index, count=len(snapshots))
        )
    return {"step": snapshots[index].step, "shape": images["shape"], "bound": images["bound"], "pixels": images["pixels"]}


def _layer(index: int, kind: str, observations: list[Observed]) -> Layer:
    return {
        "index": index,
        "type": kind,
        "gradient": _series([event.gradient[index] for event in observations]),
        "ratio": _series([_ratio(event.update[index], event.weight[index]) for event in observations]),
        "std": _series([event.std[index] for event in observations]),
        "dead": _series([event.dead[index] for event in observations]),
    }


def _series(values: Series) -> Series | None:
    """Round the values for display; None for a layer without any."""
    if all(value is None for value in values):
        return None
    return [None if value is None else round_all([value])[0] for value in values]


def _ratio(update: float | None, weight: float | None) -> float | None:
    return None if update is None or not weight else update / weight


def _gallery(run: Run, predictions: list[list[list[int]]]) -> Gallery:
    """Return the gallery's test images, bytes in base64, with the predicted probabilities in every snapshot."""
    from playground.data.load import load  # imports torch; curves are shown without it
    from playground.training.instruments.observation import gallery_of

    info = dataset_info(run.config.dataset)
    images = load(info.name)
    indices = gallery_of(images.test_labels)
    pixels = images.test_images[indices].contiguous()
    return {
        "shape": list(pixels.shape),
        "pixels": base64.b64encode(pixels.numpy().tobytes()).decode(),
        "labels": images.test_labels[indices].tolist(),
        "classes": info.classes,
        "predictions": predictions,
    }
