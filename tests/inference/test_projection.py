"""Projections of features by PCA and t-SNE, compared with NumPy and scikit-learn."""

from __future__ import annotations

import gc
import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.manifold import trustworthiness
from sklearn.neighbors import KNeighborsClassifier

from playground.data.catalogue import dataset_info
from playground.data.images import ImageSet
from playground.data.load import load
from playground.errors import CheckpointError, ConfigError, UnknownName
from playground.inference import projection
from playground.inference.evaluation import Evaluation, evaluate_model
from playground.inference.models import DEFAULT_MODEL, load_model
from playground.inference.projection import COLUMNS, METHODS, Projection, points, project, sprite_sheet

RANDOM = np.random.default_rng(0)
each_method = pytest.mark.parametrize("method", METHODS)
each_dimension = pytest.mark.parametrize("dimensions", [2, 3])


@pytest.fixture(scope="module")
def shipped(digits: ImageSet) -> Evaluation:
    """Of 300 images, so that t-SNE takes a moment only."""
    return evaluate_model(load_model(DEFAULT_MODEL), replace(digits, test_images=digits.test_images[:300], test_labels=digits.test_labels[:300]))


def features(count: int = 60, width: int = 12, seed: int = 0) -> np.ndarray:
    """Features whose directions differ in how far they spread, around some place."""
    random = np.random.default_rng(seed)
    return (random.normal(size=(count, width)) * 2.0 ** -np.arange(width) + random.normal(size=width) * 5).astype(np.float32)


@each_dimension
@pytest.mark.parametrize("width", [3, 12, 300, 2000], ids="{} features".format)
def test_pca_is_the_singular_value_decomposition(width: int, dimensions: int) -> None:
    matrix = features(width=width)
    result = project(matrix, "pca", dimensions)
    centred = matrix.astype(np.float64) - matrix.mean(axis=0, dtype=np.float64)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    expected = (left * values)[:, :dimensions]
    assert result.variance == pytest.approx((values**2 / (values**2).sum())[:dimensions], abs=1e-6) and result.note == ""
    assert np.ptp(result.coordinates, axis=0).max() == pytest.approx(2, abs=1e-6)
    scale = np.ptp(expected, axis=0).max() / 2
    for ours, theirs in zip(result.coordinates.T, expected.T / scale, strict=True):
        theirs = theirs * np.sign(np.corrcoef(ours, theirs)[0, 1])  # an axis may point either way
        np.testing.assert_allclose(ours, theirs - (theirs.min() + theirs.max()) / 2, atol=1e-5)


@each_method
@each_dimension
def test_coordinates_fill_the_square_or_cube(method: str, dimensions: int) -> None:
    result = project(features(), method, dimensions).coordinates
    assert result.shape == (60, dimensions) and result.dtype == np.float32
    low, high = result.min(axis=0), result.max(axis=0)
    assert (high - low).max() == pytest.approx(2) and np.abs(result).max() <= 1
    np.testing.assert_allclose(low, -high, atol=1e-6)


@each_method
def test_the_same_features_give_the_same_projection(method: str) -> None:
    first, second = (project(features(), method, 2) for _ in range(2))
    assert np.array_equal(first.coordinates, second.coordinates) and first.variance == second.variance


def test_another_seed_gives_another_t_sne() -> None:
    assert not np.array_equal(project(features(), "tsne", 2, seed=0).coordinates, project(features(), "tsne", 2, seed=1).coordinates)


@each_dimension
def test_t_sne_keeps_neighbours_together(dimensions: int, shipped: Evaluation) -> None:
    result = project(shipped.features, "tsne", dimensions).coordinates
    assert trustworthiness(shipped.features, result, n_neighbors=10) > 0.97
    assert KNeighborsClassifier(5).fit(result, shipped.labels).score(result, shipped.labels) > 0.97


# What a network may make of images


ODD: dict[str, np.ndarray] = {
    "one-image": np.ones((1, 5)),
    "two-images": RANDOM.normal(size=(2, 5)),
    "nine-images": RANDOM.normal(size=(9, 5)),
    "ten-images": RANDOM.normal(size=(10, 5)),
    "no-images": np.ones((0, 5)),
    "no-features": np.ones((20, 0)),
    "all-the-same": np.full((50, 8), 0.1),
    "all-zero": np.zeros((50, 8)),
    "one-feature": RANDOM.normal(size=(50, 1)),
    "two-features": RANDOM.normal(size=(50, 2)),
    "two-places": np.repeat(np.eye(2), 25, axis=0),
    "one-stands-apart": np.eye(50, 4)[::-1] * (np.arange(50) == 49)[:, None],
    "one-direction": np.outer(RANDOM.normal(size=50), np.ones(6)),
    "mostly-dead": RANDOM.normal(size=(50, 40)) * (np.arange(40) == 3),
    "huge": RANDOM.normal(size=(50, 8)) * 1e38,
    "tiny": RANDOM.normal(size=(50, 8)) * 1e-38,
    "far-away": RANDOM.normal(size=(50, 8)) + 1e6,
    "wide": RANDOM.normal(size=(50, 3000)),
}


@pytest.mark.parametrize("matrix", ODD.values(), ids=ODD)
@each_method
@each_dimension
def test_unusual_features_have_finite_coordinates(matrix: np.ndarray, method: str, dimensions: int) -> None:
    result = project(matrix.astype(np.float32), method, dimensions)
    assert result.coordinates.shape == (len(matrix), dimensions) and np.isfinite(result.coordinates).all() and np.abs(result.coordinates).max(initial=0) <= 1
    assert len(result.variance) == (dimensions if method == "pca" else 0) and all(0 <= share <= 1 + 1e-9 for share in result.variance)


@each_method
@pytest.mark.parametrize("count", [7, 50, 1000])
def test_equal_features_are_noted(count: int, method: str) -> None:
    result = project(np.full((count, 8), 0.1, dtype=np.float32), method, 2)
    assert not result.coordinates.any() and "all points coincide" in result.note


def test_fewer_features_than_dimensions_are_noted() -> None:
    result = project(features(width=2), "pca", 3)
    assert "2 features, fewer" in result.note and not result.coordinates[:, 2].any() and result.variance[2] == 0
    assert project(features(width=2), "pca", 2).note == "" == project(features(width=2), "tsne", 3).note


def test_pca_replaces_t_sne_for_too_few_images() -> None:
    result = project(features(9), "tsne", 2)
    assert "PCA is shown instead" in result.note and np.array_equal(result.coordinates, project(features(9), "pca", 2).coordinates)
    assert project(features(10), "tsne", 2).note == ""


@pytest.mark.parametrize("value", [np.nan, np.inf], ids=str)
def test_non_finite_features_are_refused(value: float) -> None:
    matrix = features()
    matrix[3, 4] = value
    with pytest.raises(CheckpointError, match="not finite"):
        project(matrix, "pca", 2)


def test_unknown_methods_and_dimensions_are_refused() -> None:
    with pytest.raises(UnknownName, match="umap"):
        project(features(), "umap", 2)
    for dimensions in (0, 1, 4):
        with pytest.raises(ConfigError, match=str(dimensions)):
            project(features(), "pca", dimensions)


# As a page gets them


@each_method
@each_dimension
def test_points_have_the_index_label_and_prediction_of_their_image(method: str, dimensions: int, shipped: Evaluation) -> None:
    document = json.loads(json.dumps(points(shipped, method, dimensions), allow_nan=False))
    np.testing.assert_allclose(document["coordinates"], project(shipped.features, method, dimensions).coordinates, atol=5e-5)
    assert document["index"] == shipped.sample.tolist() and document["labels"] == shipped.labels.tolist()
    assert document["predictions"] == shipped.predictions.tolist() and document["confidence"] == pytest.approx(shipped.confidence, abs=1e-4)
    assert len(document["variance"]) == (dimensions if method == "pca" else 0) and document["note"] == ""


def fresh(evaluation: Evaluation) -> Evaluation:
    """The same, of which nothing is known yet."""
    return replace(evaluation)


def test_simultaneous_requests_share_one_projection(shipped: Evaluation, monkeypatch: pytest.MonkeyPatch) -> None:
    methods: list[str] = []

    def project_and_record(matrix: np.ndarray, method: str, dimensions: int) -> Projection:
        methods.append(method)
        return project(matrix, method, dimensions)

    monkeypatch.setattr(projection, "project", project_and_record)
    evaluation, together = fresh(shipped), threading.Barrier(6)

    def ask(_number: int) -> dict[str, Any]:
        together.wait()
        return points(evaluation, "pca", 2)

    with ThreadPoolExecutor(6) as pool:
        result = list(pool.map(ask, range(6)))
    assert methods == ["pca"] and all(one == result[0] for one in result)
    points(evaluation, "pca", 3)
    assert methods == ["pca", "pca"]


def test_projections_are_evicted_with_their_evaluation(shipped: Evaluation) -> None:
    gc.collect()
    before = len(projection._projections)
    evaluation = fresh(shipped)
    points(evaluation, "pca", 2)
    assert len(projection._projections) == before + 1
    del evaluation
    gc.collect()
    assert len(projection._projections) == before


def tile(sheet: np.ndarray, document: dict[str, Any], place: int) -> np.ndarray:
    """The image that a page cuts out of the sheet."""
    row, column = divmod(place, document["columns"])
    height, width = document["height"], document["width"]
    return sheet[row * height : (row + 1) * height, column * width : (column + 1) * width]


def test_the_sprite_sheet_has_each_image_at_its_place(shipped: Evaluation) -> None:
    sheet, document = sprite_sheet(shipped), points(shipped, "pca", 2)["sheet"]
    assert sheet.media_type == "image/png" and document == {"columns": COLUMNS, "width": 28, "height": 28}
    pixels = np.asarray(Image.open(io.BytesIO(sheet.content)))
    assert pixels.shape == (8 * 28, 40 * 28)  # 300 images
    for place in (0, 39, 40, 299):
        assert np.array_equal(tile(pixels, document, place), shipped.images.test_images[shipped.sample[place], 0])
    assert not tile(pixels, document, 300).any()


def test_a_sprite_sheet_of_a_thousand_colour_images_is_small() -> None:
    images = load("shapes")
    count = len(images.test_images)
    evaluation = shapes_of(images)
    sheet, document = sprite_sheet(evaluation), points(evaluation, "pca", 2)["sheet"]
    assert sheet.media_type == "image/jpeg" and count == 1000 and len(sheet.content) < 1_000_000
    pixels = np.asarray(Image.open(io.BytesIO(sheet.content)), dtype=np.float64)
    for place in range(0, count, 37):
        sprite, original = tile(pixels, document, place), images.test_images[place].permute(1, 2, 0).double().numpy()
        assert np.abs(sprite - original).mean() < 15  # the noise is lost, the picture is not
        assert np.abs(sprite.mean(axis=(0, 1)) - original.mean(axis=(0, 1))).max() < 3


def shapes_of(images: ImageSet) -> Evaluation:
    """An evaluation of all coloured shapes by nobody in particular."""
    assert images.info == dataset_info("shapes")
    labels, count = images.test_labels.numpy(), len(images.test_labels)
    probabilities = np.eye(10)[labels]
    mean_colours = images.test_images.float().mean(dim=(2, 3)).numpy()
    return Evaluation(
        "mine", images, torch.from_numpy(probabilities).float().numpy(), probabilities, labels, labels, np.ones(count), np.zeros(count),
        np.arange(count), mean_colours, "",
    )  # fmt: skip
