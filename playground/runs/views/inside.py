"""What a run saw inside its network, as the live view draws it."""

from __future__ import annotations

import base64
from typing import Any

from playground.data.catalogue import dataset_info
from playground.errors import PlaygroundError
from playground.runs.history import History
from playground.runs.run import Run
from playground.runs.views.curves import rounded, thinned

SERIES = 120
"""Observations that are sent, however many there are."""
HISTOGRAMS = ("weights", "gradients", "outputs")


def inside(run: Run, history: History) -> dict[str, Any]:
    """Numbers of every layer over the steps, and the gallery's predictions.

    Returns:
        `layers`: index and type of each; `steps` and for each layer `gradient`, `ratio` (update ÷ weight), `std`, `dead` over them;
        `shots`: the steps at which pictures were taken; `gallery`: images, labels and, for each of the shots, probabilities in thousandths.
    """
    observations, shots = thinned(list(history.observations), SERIES), run.journal.snapshots()
    layers = [{"index": index, "type": layer.type} for index, layer in enumerate(run.network.layers)]
    for index, layer in enumerate(layers):
        layer["gradient"] = _series([event.gradient[index] for event in observations])
        layer["ratio"] = _series([_ratio(event.update[index], event.weight[index]) for event in observations])
        layer["std"] = _series([event.std[index] for event in observations])
        layer["dead"] = _series([event.dead[index] for event in observations])
    return {
        "layers": layers,
        "steps": [event.step for event in observations],
        "shots": [shot.step for shot in shots],
        "filters": bool(shots and shots[-1].filters),
        "histograms": [sorted(found) for found in shots[-1].histograms] if shots else [],
        "gallery": _gallery(run, [shot.gallery for shot in shots]),
    }


def histogram(run: Run, layer: int, what: str) -> dict[str, Any]:
    """How a layer's weights, gradients or outputs were distributed at each of the shots.

    Raises:
        PlaygroundError: there is no such layer or no such histogram.
    """
    if what not in HISTOGRAMS or not 0 <= layer < len(run.network.layers):
        raise PlaygroundError(f"There are no histograms of “{what}” of layer {layer}.")
    found = [(shot.step, shot.histograms[layer][what]) for shot in run.journal.snapshots() if what in shot.histograms[layer]]
    return {"steps": [step for step, _ in found], **{name: [counted[name] for _, counted in found] for name in ("low", "high", "counts")}}


def filters(run: Run, shot: int) -> dict[str, Any]:
    """The first layer's weights as pictures, at one of the shots.

    Raises:
        PlaygroundError: there is no such shot, or it has none.
    """
    shots = run.journal.snapshots()
    found = shots[shot].filters if -len(shots) <= shot < len(shots) else None
    if found is None:
        raise PlaygroundError("This run has no pictures of its first layer there.")
    return {"step": shots[shot].step, **found}


def _series(values: list[float | None]) -> list[float | None] | None:
    """The numbers as a screen can show them; None for a layer that has none."""
    if all(value is None for value in values):
        return None
    return [None if value is None else rounded([value])[0] for value in values]


def _ratio(update: float | None, weight: float | None) -> float | None:
    return None if update is None or not weight else update / weight


def _gallery(run: Run, answers: list[list[list[int]]]) -> dict[str, Any]:
    """The test images that are followed, bytes in base64, with what the network said of them at each of the shots."""
    from playground.data.load import load
    from playground.training.instruments.observation import gallery_of

    info = dataset_info(run.config.dataset)
    images = load(info.name)
    chosen = gallery_of(images.test_labels)
    pixels = images.test_images[chosen].contiguous()
    return {
        "shape": list(pixels.shape),
        "pixels": base64.b64encode(pixels.numpy().tobytes()).decode(),
        "labels": images.test_labels[chosen].tolist(),
        "classes": info.classes,
        "answers": answers,
    }
