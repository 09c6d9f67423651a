"""Test images as points in a plane or in space, so that those lie close together which the network takes for similar."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from playground.errors import CheckpointError, ConfigError, UnknownName
from playground.inference.evaluation import Evaluation
from playground.inference.metrics import Floats

METHODS = {"pca": "PCA", "tsne": "t-SNE"}
COMPONENTS = 50
"""Principal components that t-SNE is given, as its authors do. Source: van der Maaten and Hinton, Visualizing data using t-SNE, JMLR 9, 2008"""
EXACT = 1024
"""Features up to which principal components are computed exactly; for more, by random projections."""
PERPLEXITY = 30.0
"""How many neighbours t-SNE lets each point have, roughly."""
ITERATIONS = 500
"""Steps of t-SNE's descent. Of the shipped network's features, 500 keep the neighbourhoods as well as 1,000 do, in half the time."""
SPREAD = 1e-4
"""Standard deviation of the points from which t-SNE starts: its authors' choice."""
FEWEST = 10
"""Images below which t-SNE has too few neighbours to work with."""
COLUMNS = 40
"""Images in a row of the sheet."""


@dataclass(frozen=True)
class Projection:
    """N points in d dimensions."""

    coordinates: NDArray[np.float32]
    """(N, d) from −1 to 1; all axes have the same scale, and the longest reaches both ends."""
    variance: tuple[float, ...]
    """Of PCA, the share of the features' variance along each axis; empty for t-SNE, whose axes and distances mean nothing by themselves."""
    note: str = ""
    """What is unusual about it, in a sentence; empty where nothing is."""


@dataclass(frozen=True)
class Sheet:
    """All images of a projection in one picture, row by row in the order of its points."""

    content: bytes
    """The picture's file."""
    media_type: str


def project(features: NDArray[np.float32], method: str, dimensions: int, seed: int = 0) -> Projection:
    """Project features onto a few dimensions, on one thread and always the same way.

    Args:
        features: (N, F).
        method: one of `METHODS`.
        dimensions: 2 or 3.
        seed: start of the random numbers.

    Raises:
        UnknownName: there is no such method.
        ConfigError: the dimensions are neither 2 nor 3.
        CheckpointError: the features are not finite numbers.
    """
    if method not in METHODS:
        raise UnknownName("projection", method, METHODS)
    if dimensions not in (2, 3):
        raise ConfigError([f"A projection has 2 or 3 dimensions, not {dimensions}."])
    if not np.isfinite(features).all():
        raise CheckpointError("Some features of these images are not finite numbers, so they cannot be projected.", "Choose an earlier checkpoint.")
    centred = _centred(features)
    if not centred.any():
        note = "The features of all images are the same, so all points lie in one place."
        return Projection(np.zeros((len(features), dimensions), dtype=np.float32), (0.0,) * dimensions if method == "pca" else (), note)
    with _computing, _one_thread():
        if method == "pca":
            return _pca(centred, dimensions, seed)
        if len(features) < FEWEST:
            return Projection(_pca(centred, dimensions, seed).coordinates, (), f"t-SNE needs at least {FEWEST} images, so this is PCA.")
        return Projection(_scaled(_tsne(centred, dimensions, seed)), ())


def points(evaluation: Evaluation, method: str, dimensions: int) -> dict[str, Any]:
    """The images of an evaluation's sample as points, ready for JSON; `sheet` says how the images lie in the picture that `sprite_sheet` makes.

    Raises:
        PlaygroundError: as in `project`.
    """
    found, chosen = _projected(evaluation, method, dimensions), evaluation.sample
    _, height, width = evaluation.images.info.input_shape
    return {
        "method": method,
        "dimensions": dimensions,
        "coordinates": [[round(value, 4) for value in point] for point in found.coordinates.tolist()],
        "variance": [round(share, 6) for share in found.variance],
        "note": found.note,
        "index": chosen.tolist(),
        "labels": evaluation.labels[chosen].tolist(),
        "predictions": evaluation.predictions[chosen].tolist(),
        "confidence": evaluation.confidence[chosen].round(4).tolist(),
        "classes": list(evaluation.images.info.classes),
        "sheet": {"columns": COLUMNS, "width": width, "height": height},
    }


def sprite_sheet(evaluation: Evaluation) -> Sheet:
    """The images of an evaluation's sample in one picture: grey ones without loss as PNG, colour ones as JPEG, which takes a sixth of the bytes."""
    channels, height, width = evaluation.images.info.input_shape
    chosen = evaluation.images.test_images[evaluation.sample].numpy()
    rows = -(-len(chosen) // COLUMNS)
    tiles = np.zeros((rows * COLUMNS, channels, height, width), dtype=np.uint8)
    tiles[: len(chosen)] = chosen
    placed = tiles.reshape(rows, COLUMNS, channels, height, width).transpose(0, 3, 1, 4, 2)  # (R, C, c, H, W) → (R, H, C, W, c)
    pixels = placed.reshape(rows * height, COLUMNS * width, channels)
    file = io.BytesIO()
    if channels == 1:
        Image.fromarray(pixels[..., 0]).save(file, "PNG")
        return Sheet(file.getvalue(), "image/png")
    Image.fromarray(pixels).save(file, "JPEG", quality=85, subsampling=0)  # colours at full size: an image has few pixels
    return Sheet(file.getvalue(), "image/jpeg")


_computing = threading.RLock()
_found: WeakKeyDictionary[Evaluation, dict[tuple[str, int], Projection]] = WeakKeyDictionary()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep OpenMP and BLAS to one thread: with two on two busy cores, t-SNE takes ten times as long, because they spin for one another."""
    import sklearn.manifold  # noqa: F401 - the limit holds for the libraries that are loaded by then
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


def _projected(evaluation: Evaluation, method: str, dimensions: int) -> Projection:
    """`project`, computed once for an evaluation, for as long as that is held."""
    with _computing:  # whoever asks for the same meanwhile waits for this one
        held = _found.setdefault(evaluation, {})
        if (method, dimensions) not in held:
            held[method, dimensions] = project(evaluation.features, method, dimensions)
        return held[method, dimensions]


def _centred(features: NDArray[np.float32]) -> Floats:
    """Each feature around its mean, all divided by the largest, so that no square overflows; zeros where all images have the same features: sums of one
    single-precision number, and so their mean, are exact in double precision."""
    if not features.size:
        return np.zeros(features.shape)
    wide = features.astype(np.float64)
    centred: Floats = wide - wide.mean(axis=0)
    return centred / (float(np.abs(centred).max()) or 1.0)


def _principal(centred: Floats, components: int, seed: int) -> tuple[Floats, Floats]:
    """The first principal components (N, components) and the share of the variance along each; zeros where there are no more."""
    from sklearn.decomposition import PCA

    there = min(components, *centred.shape)
    model = PCA(there, svd_solver="covariance_eigh" if centred.shape[1] <= EXACT else "randomized", random_state=seed).fit(centred)
    missing = components - there
    return np.pad(model.transform(centred), ((0, 0), (0, missing))), np.pad(model.explained_variance_ratio_, (0, missing))


def _pca(centred: Floats, dimensions: int, seed: int) -> Projection:
    coordinates, variance = _principal(centred, dimensions, seed)
    fewer = (
        f"There are fewer features ({centred.shape[1]}) than dimensions, so the dimensions that are left over stay at 0."
        if centred.shape[1] < dimensions
        else ""
    )
    return Projection(_scaled(coordinates), tuple(variance.tolist()), fewer)


def _tsne(centred: Floats, dimensions: int, seed: int) -> Floats:
    """t-SNE of the first principal components, started from them so that the picture as a whole keeps their arrangement.

    Source: Kobak and Berens, The art of using t-SNE for single-cell transcriptomics, https://doi.org/10.1038/s41467-019-13056-x
    """
    from sklearn.manifold import TSNE

    components, _ = _principal(centred, max(COMPONENTS, dimensions), seed)
    start = components[:, :dimensions] / components[:, 0].std() * SPREAD
    start += np.random.default_rng(seed).normal(0, SPREAD / 100, start.shape)  # along an axis where all are 0 nothing would ever move
    perplexity = min(PERPLEXITY, (len(centred) - 1) / 3)
    placed = TSNE(dimensions, perplexity=perplexity, max_iter=ITERATIONS, init=start.astype(np.float32), random_state=seed).fit_transform(components)
    return np.asarray(placed, dtype=np.float64)


def _scaled(coordinates: Floats) -> NDArray[np.float32]:
    """Moved and enlarged into the square or cube from −1 to 1, every axis by the same factor, so that distances keep their proportions."""
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    half = (high - low).max() / 2
    moved = coordinates - (low + high) / 2
    scaled: NDArray[np.float32] = (moved / half if half else moved).clip(-1, 1).astype(np.float32)
    return scaled
