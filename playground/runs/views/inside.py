"""Layer statistics, histograms, filters and predictions of a run over time, for the live view."""

from __future__ import annotations

import base64
from typing import Any

from playground.data.catalogue import dataset_info
from playground.errors import PlaygroundError
from playground.runs.history import History
from playground.runs.run import Run
from playground.runs.views.curves import round_all, thin_out

SERIES = 120
"""Maximum number of observations in a response."""
HISTOGRAMS = ("weights", "gradients", "outputs")


def inside(run: Run, history: History) -> dict[str, Any]:
    """Return the statistics of every layer over the steps, and the predictions for the gallery.

    Returns:
        `layers`: index and type of each; `steps` and for each layer `gradient`, `ratio` (update ÷ weight), `std`, `dead` over them;
        `snapshots`: the steps of the snapshots; `gallery`: images, labels and, for each snapshot, `predictions`: probabilities in thousandths.
    """
    observations, snapshots = thin_out(list(history.observations), SERIES), run.journal.snapshots()
    layers = [{"index": index, "type": layer.type} for index, layer in enumerate(run.network.layers)]
    for index, layer in enumerate(layers):
        layer["gradient"] = _series([event.gradient[index] for event in observations])
        layer["ratio"] = _series([_ratio(event.update[index], event.weight[index]) for event in observations])
        layer["std"] = _series([event.std[index] for event in observations])
        layer["dead"] = _series([event.dead[index] for event in observations])
    return {
        "layers": layers,
        "steps": [event.step for event in observations],
        "snapshots": [snapshot.step for snapshot in snapshots],
        "filters": bool(snapshots and snapshots[-1].filters),
        "histograms": [sorted(histograms) for histograms in snapshots[-1].histograms] if snapshots else [],
        "gallery": _gallery(run, [snapshot.gallery for snapshot in snapshots]),
    }


def histogram(run: Run, layer: int, quantity: str) -> dict[str, Any]:
    """Return the histograms of a layer's weights, gradients or outputs in every snapshot.

    Raises:
        PlaygroundError: there is no such layer or no such histogram.
    """
    if quantity not in HISTOGRAMS or not 0 <= layer < len(run.network.layers):
        raise PlaygroundError(
            f"There are no histograms of “{quantity}” for layer {layer}.",
            f"Choose one of {', '.join(HISTOGRAMS)}, and a layer from 0 to {len(run.network.layers) - 1}.",
        )
    histograms = [(snapshot.step, snapshot.histograms[layer][quantity]) for snapshot in run.journal.snapshots() if quantity in snapshot.histograms[layer]]
    return {"steps": [step for step, _ in histograms], **{name: [document[name] for _, document in histograms] for name in ("low", "high", "counts")}}


def filters(run: Run, index: int) -> dict[str, Any]:
    """Return the first layer's filters as images, from one snapshot.

    Raises:
        PlaygroundError: there is no such snapshot, or it has no filters.
    """
    snapshots = run.journal.snapshots()
    images = snapshots[index].filters if -len(snapshots) <= index < len(snapshots) else None
    if images is None:
        raise PlaygroundError(f"The run has no filter images at this snapshot (index {index}, snapshots so far: {len(snapshots):,}).")
    return {"step": snapshots[index].step, **images}


def _series(values: list[float | None]) -> list[float | None] | None:
    """Round the values for display; None for a layer without any."""
    if all(value is None for value in values):
        return None
    return [None if value is None else round_all([value])[0] for value in values]


def _ratio(update: float | None, weight: float | None) -> float | None:
    return None if update is None or not weight else update / weight


def _gallery(run: Run, predictions: list[list[list[int]]]) -> dict[str, Any]:
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
