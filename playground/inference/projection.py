"""Projection of features to 2 or 3 dimensions with PCA or t-SNE: images with similar features lie close together."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from typing import Literal, TypedDict
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from playground.errors import CheckpointError, ConfigError, UnknownName
from playground.inference import tsne
from playground.inference.evaluation import Evaluation
from playground.inference.metrics import Floats
from playground.messages import msg, nmsg

Method = Literal["pca", "tsne"]
METHODS: dict[Method, str] = {"pca": "PCA", "tsne": "t-SNE"}
COMPONENTS = 50
"""Principal components that t-SNE starts from, as its authors recommend. Source: van der Maaten and Hinton, Visualizing data using t-SNE, JMLR 9, 2008"""
PERPLEXITY = 30.0
"""Perplexity of t-SNE: roughly the number of neighbours of each point."""
ITERATIONS = 500
"""Gradient descent steps of t-SNE. For the pretrained network's features, 500 preserve neighbourhoods as well as 1,000, in half the time."""
SPREAD = 1e-4
"""Standard deviation of the initial points of t-SNE, as its authors recommend."""
MIN_IMAGES = 10
"""Number of images below which t-SNE has too few neighbours."""
COLUMNS = 40
"""Images in a row of the sprite sheet."""


@dataclass(frozen=True)
class Projection:
    """N points in d dimensions."""

    coordinates: NDArray[np.float32]
    """``(N, d)`` from −1 to 1; all axes have the same scale, and the longest spans the whole range."""
    variance: tuple[float, ...]
    """For PCA, the explained variance ratio of each axis; empty for t-SNE, whose axes and distances have no meaning of their own."""
    note: str = ""
    """One sentence on what is unusual about the projection; empty otherwise."""


@dataclass(frozen=True)
class Sheet:
    """A sprite sheet: all images of a projection in one image, row by row in the order of its points."""

    content: bytes
    """The content of the image file."""
    media_type: str


class SheetLayout(TypedDict):
    """The layout of a sprite sheet; width and height are those of an image in it."""

    columns: int
    width: int
    height: int


class Points(TypedDict):
    """The features of a sample of test images, projected."""

    method: Method
    dimensions: int
    """2 or 3."""
    coordinates: list[list[float]]
    variance: list[float]
    """For PCA, the explained variance ratio of each axis."""
    note: str
    """What is unusual about the projection; empty otherwise."""
    index: list[int]
    labels: list[int]
    predictions: list[int]
    confidence: list[float]
    classes: list[str]
    sheet: SheetLayout
    """Of the image with all of them."""


def project(features: NDArray[np.float32], method: str, dimensions: int, seed: int = 0) -> Projection:
    """Project features to 2 or 3 dimensions, deterministically.

    Args:
        features: ``(N, F)``.
        method: one of `METHODS`.
        dimensions: 2 or 3.
        seed: seed of the random numbers.

    Raises:
        UnknownName: the method does not exist.
        ConfigError: `dimensions` is neither 2 nor 3.
        CheckpointError: the features contain non-finite values.
    """
    method = _method(method)
    if dimensions not in (2, 3):
        raise ConfigError([msg("A projection has 2 or 3 dimensions, not {dimensions}.", dimensions=dimensions)])
    if not np.isfinite(features).all():
        raise CheckpointError(msg("The features cannot be projected: some of them are not finite (inf or nan)."), msg("Choose an earlier checkpoint."))
    centred = _centre(features)
    if not centred.any():
        note = msg("All images have the same features, so all points coincide.")
        return Projection(np.zeros((len(features), dimensions), dtype=np.float32), (0.0,) * dimensions if method == "pca" else (), note)
    with _computing:
        if method == "pca":
            return _pca(centred, dimensions)
        if len(features) < MIN_IMAGES:
            note = msg("t-SNE needs at least {least} images, so PCA is shown instead.", least=MIN_IMAGES)
            return Projection(_pca(centred, dimensions).coordinates, (), note)
        return Projection(_scale(_tsne(centred, dimensions, seed)), ())


def points(evaluation: Evaluation, method: str, dimensions: int) -> Points:
    """Return an evaluation's sample as points, as plain data for JSON.

    Raises:
        PlaygroundError: as in `project`.
    """
    projection, index = _cached_projection(evaluation, method, dimensions), evaluation.sample
    _, height, width = evaluation.images.info.input_shape
    return {
        "method": _method(method),
        "dimensions": dimensions,
        "coordinates": [[round(value, 4) for value in point] for point in projection.coordinates.tolist()],
        "variance": [round(share, 6) for share in projection.variance],
        "note": projection.note,
        "index": index.tolist(),
        "labels": evaluation.labels[index].tolist(),
        "predictions": evaluation.predictions[index].tolist(),
        "confidence": evaluation.confidence[index].round(4).tolist(),
        "classes": list(evaluation.images.info.classes),
        "sheet": {"columns": COLUMNS, "width": width, "height": height},
    }


def sprite_sheet(evaluation: Evaluation) -> Sheet:
    """Join the images of an evaluation's sample into one image: PNG for grey images, JPEG for colour images, which takes a sixth of the bytes."""
    channels, height, width = evaluation.images.info.input_shape
    images = evaluation.images.test_images[evaluation.sample].numpy()
    rows = -(-len(images) // COLUMNS)
    tiles = np.zeros((rows * COLUMNS, channels, height, width), dtype=np.uint8)
    tiles[: len(images)] = images
    placed = tiles.reshape(rows, COLUMNS, channels, height, width).transpose(0, 3, 1, 4, 2)  # (R, C, c, H, W) → (R, H, C, W, c)
    pixels = placed.reshape(rows * height, COLUMNS * width, channels)
    file = io.BytesIO()
    if channels == 1:
        Image.fromarray(pixels[..., 0]).save(file, "PNG")
        return Sheet(file.getvalue(), "image/png")
    Image.fromarray(pixels).save(file, "JPEG", quality=85, subsampling=0)  # no chroma subsampling: the images have few pixels
    return Sheet(file.getvalue(), "image/jpeg")


_computing = threading.RLock()
_projections: WeakKeyDictionary[Evaluation, dict[tuple[str, int], Projection]] = WeakKeyDictionary()


def _method(name: str) -> Method:
    if name not in METHODS:
        raise UnknownName(msg("projection"), name, METHODS)
    return name


def _cached_projection(evaluation: Evaluation, method: str, dimensions: int) -> Projection:
    """Project the features of an evaluation once for each method and number of dimensions; the cache lives as long as the evaluation."""
    with _computing:  # a second request for the same projection waits for the first
        cached = _projections.setdefault(evaluation, {})
        if (method, dimensions) not in cached:
            cached[method, dimensions] = project(evaluation.features, method, dimensions)
        return cached[method, dimensions]


def _centre(features: NDArray[np.float32]) -> Floats:
    """Subtract the mean of each feature and divide by the largest magnitude, so that no square overflows.

    The result is exactly zero where all images have the same features: the mean of equal float32 numbers is exact in float64.
    """
    if not features.size:
        return np.zeros(features.shape)
    wide = features.astype(np.float64)
    centred: Floats = wide - wide.mean(axis=0)
    return centred / (float(np.abs(centred).max()) or 1.0)


def _principal_components(centred: Floats, components: int) -> tuple[Floats, Floats]:
    """Compute the first principal components, ``(N, components)``, and their explained variance ratios; missing components are zeros.

    They are the eigenvectors of the matrix of dot products, ``(N, N)``, which stays small however many features there are.
    """
    points = torch.from_numpy(centred)
    dot_products = points @ points.T
    eigenvalues, eigenvectors = torch.linalg.eigh(dot_products)  # in ascending order
    available = min(components, *points.shape)
    variances = eigenvalues.flip(0)[:available].clamp(min=0)
    coordinates = eigenvectors.flip(1)[:, :available] * variances.sqrt()
    missing = (0, components - available)
    return np.pad(coordinates.numpy(), ((0, 0), missing)), np.pad((variances / dot_products.trace()).numpy(), missing)


def _pca(centred: Floats, dimensions: int) -> Projection:
    coordinates, variance = _principal_components(centred, dimensions)
    features = centred.shape[1]
    note = nmsg(
        "The network has {n} feature, fewer than the {dimensions} dimensions, so the remaining coordinates are 0.",
        "The network has {n} features, fewer than the {dimensions} dimensions, so the remaining coordinates are 0.",
        features,
        dimensions=dimensions,
    )
    return Projection(_scale(coordinates), tuple(variance.tolist()), note if features < dimensions else "")


def _tsne(centred: Floats, dimensions: int, seed: int) -> Floats:
    """Run t-SNE on the first principal components, initialised with them to preserve the global structure.

    Source: Kobak and Berens, The art of using t-SNE for single-cell transcriptomics, https://doi.org/10.1038/s41467-019-13056-x
    """
    components, _ = _principal_components(centred, max(COMPONENTS, dimensions))
    start = components[:, :dimensions] / components[:, 0].std() * SPREAD
    start += np.random.default_rng(seed).normal(0, SPREAD / 100, start.shape)  # without noise, an axis whose values are all 0 would keep a gradient of 0
    perplexity = min(PERPLEXITY, (len(centred) - 1) / 3)
    embedding = tsne.embed(torch.from_numpy(components), torch.from_numpy(start), perplexity, ITERATIONS)
    return embedding.coordinates.double().numpy()


def _scale(coordinates: Floats) -> NDArray[np.float32]:
    """Centre and scale the points to fill −1 to 1, with the same factor for every axis, so that distances keep their proportions."""
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    half = (high - low).max() / 2
    moved = coordinates - (low + high) / 2
    scaled: NDArray[np.float32] = (moved / half if half else moved).clip(-1, 1).astype(np.float32)
    return scaled
