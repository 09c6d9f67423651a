"""Layer statistics, histograms, filters and predictions of a run, at one moment and over time, for the live view."""

from __future__ import annotations

import base64
import math
from bisect import bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING, TypedDict

from playground.data.catalogue import dataset_info
from playground.errors import PlaygroundError
from playground.messages import msg
from playground.network.spec import NetworkSpec
from playground.network.trace import ShapeStep, trace
from playground.runs.history import History
from playground.runs.run import Run
from playground.runs.views.curves import round_all, thin_out
from playground.training.events import Observed, Snapshot

if TYPE_CHECKING:
    from torch import Tensor

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
    """Test images whose predictions are recorded."""

    shape: list[int]
    """(count, channels, height, width)"""
    pixels: str
    """A byte each in base64."""
    labels: list[int]
    classes: tuple[str, ...]


class RunMoment(TypedDict):
    """The network at one step: the newest that was recorded, or the newest up to a step."""

    step: int
    """Of the layer statistics; 0 before the first."""
    gradients: list[float | None]
    """For each layer the norm of its gradient; null where it has none."""
    movement: float | None
    """Norm of the update of all parameters ÷ their norm."""
    snapshots: list[int]
    """The steps of all snapshots."""
    predictions: list[list[int]]
    """For each image of the gallery the probability of each class, in thousandths; empty before the first snapshot."""
    filters: Filters | None
    """Of the first layer, if they can be shown."""


class RunInside(TypedDict):
    """The layers over the steps."""

    layers: list[Layer]
    steps: list[int]
    histograms: list[list[str]]
    """For each layer what the newest snapshot has histograms of; empty without a snapshot."""


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


def layer_titles(network: NetworkSpec) -> list[str]:
    """Return a title for each layer: its type, with the channels or features that it maps where it has weights for them, as “Conv2d 1→32”."""
    return [_title(step) for step in trace(network)]


def _title(step: ShapeStep) -> str:
    kind = step.layer.type
    if not step.in_shape or not step.out_shape or not kind.startswith(("Conv", "Linear")):
        return kind
    axis = -1 if kind == "Linear" else 0
    return f"{kind} {step.in_shape[axis]}→{step.out_shape[axis]}"


def moment(run: Run, history: History, at: float = math.inf) -> RunMoment:
    """Return the network as it was last recorded up to a step."""
    observations, snapshots = history.observations, _snapshots(run)
    seen = observations[place - 1] if (place := bisect_right(observations, at, key=lambda event: event.step)) else None
    shot = snapshots[place - 1] if (place := bisect_right(snapshots, at, key=lambda snapshot: snapshot.step)) else None
    return {
        "step": seen.step if seen else 0,
        "gradients": [None if value is None else round_all([value])[0] for value in seen.gradient] if seen else [],
        "movement": _movement(seen) if seen else None,
        "snapshots": [snapshot.step for snapshot in snapshots],
        "predictions": shot.gallery if shot else [],
        "filters": _filters(shot) if shot else None,
    }


def inside(run: Run, history: History) -> RunInside:
    """Return the statistics of every layer over the steps."""
    observations, snapshots = thin_out(list(history.observations), SERIES), _snapshots(run)
    return {
        "layers": [_layer(index, layer.type, observations) for index, layer in enumerate(run.network.layers)],
        "steps": [event.step for event in observations],
        "histograms": [sorted(histograms) for histograms in snapshots[-1].histograms] if snapshots else [],
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
    snapshots = [snapshot for snapshot in _snapshots(run) if quantity in snapshot.histograms[layer]]
    histograms = [snapshot.histograms[layer][quantity] for snapshot in snapshots]
    return {
        "steps": [snapshot.step for snapshot in snapshots],
        "low": [each["low"] for each in histograms],
        "high": [each["high"] for each in histograms],
        "counts": [each["counts"] for each in histograms],
    }


def gallery(run: Run) -> Gallery:
    """Return the test images whose predictions the run records."""
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
    }


def gallery_image(dataset: str, number: str) -> Tensor:
    """Return one of the images of `gallery`, ``(C, H, W)`` uint8.

    Args:
        dataset: name of a data set.
        number: its index, as a text.

    Raises:
        PlaygroundError: there is no such image.
    """
    from playground.data.load import load  # imports torch, as above
    from playground.training.instruments.observation import gallery_of

    images = load(dataset)
    indices = gallery_of(images.test_labels)
    if not number.isascii() or not number.isdecimal() or int(number) >= len(indices):
        raise PlaygroundError(msg("The images are numbered from 0 to {last}, so there is no image “{number}”.", last=len(indices) - 1, number=number[:20]))
    image: Tensor = images.test_images[indices[int(number)]]
    return image


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


def _movement(event: Observed) -> float | None:
    """Return the norm of the whole update ÷ that of all weights."""
    update, weight = (math.hypot(*(value for value in values if value is not None)) for values in (event.update, event.weight))
    return round_all([update / weight])[0] if weight else None


def _filters(snapshot: Snapshot) -> Filters | None:
    images = snapshot.filters
    return {"step": snapshot.step, "shape": images["shape"], "bound": images["bound"], "pixels": images["pixels"]} if images else None


def _snapshots(run: Run) -> tuple[Snapshot, ...]:
    return _snapshots_of(run, run.journal.snapshots_size())


@lru_cache(maxsize=8)  # several requests a second ask for the same ones
def _snapshots_of(run: Run, _size: int) -> tuple[Snapshot, ...]:
    return tuple(run.journal.snapshots())
