"""Classification metrics in NumPy; the tests compare them with scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

BINS = 10
"""Bins of confidence, as many as in most reliability diagrams."""


@dataclass(frozen=True)
class Average:
    """Precision, recall and F1 averaged over all classes."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Scores:
    """Precision, recall and F1 of each class. A score that would be 0 / 0 is 0 and flagged as undefined."""

    precision: Floats
    """``(K,)`` of the images predicted as this class, the share that are of it."""
    recall: Floats
    """``(K,)`` of the images of this class, the share predicted as it."""
    f1: Floats
    """``(K,)`` harmonic mean of precision and recall."""
    support: Counts
    """``(K,)`` number of images of this class."""
    precision_undefined: Flags
    """``(K,)`` classes that no image was predicted as."""
    recall_undefined: Flags
    """``(K,)`` classes without images."""
    f1_undefined: Flags
    """``(K,)`` classes without images that were never predicted."""
    accuracy: float
    """Share of the images that are correctly classified."""
    macro: Average
    """Mean over the classes: each class counts the same, undefined scores as 0."""
    weighted: Average
    """Mean over the classes, weighted by their support: each image counts the same."""


@dataclass(frozen=True)
class Calibration:
    """A reliability diagram: the accuracy of predictions grouped by confidence, the probability of the predicted class.

    Source: Guo et al., On calibration of modern neural networks, https://arxiv.org/abs/1706.04599
    """

    edges: Floats
    """``(bins + 1,)`` from 0 to 1; bin b holds the confidences above edge b, up to and including edge b + 1. The first also holds 0."""
    count: Counts
    """``(bins,)`` number of predictions."""
    confidence: Floats
    """``(bins,)`` mean confidence; 0 in an empty bin."""
    accuracy: Floats
    """``(bins,)`` accuracy; 0 in an empty bin."""
    expected_error: float
    """Expected calibration error (ECE, equation 3): mean distance between confidence and accuracy, weighted by the size of each bin."""
    maximum_error: float
    """Maximum calibration error (MCE, equation 5): the largest such distance."""
    mean_confidence: float
    """Mean over all predictions; above the accuracy where the network is overconfident."""


def confusion(labels: Counts, predictions: Counts, classes: int) -> Counts:
    """Compute the confusion matrix: rows are the true class, columns the predicted class.

    Shape: ``(M,)``, ``(M,)`` → ``(K, K)``
    """
    pairs = np.asarray(labels, dtype=np.int64) * classes + np.asarray(predictions, dtype=np.int64)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes).astype(np.int64)


def scores(confusion: Counts) -> Scores:
    """Compute precision, recall and F1 of each class and on average.

    Args:
        confusion: ``(K, K)``, from `confusion`, of at least one image.
    """
    correct, support, predicted = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    precision, recall, f1 = _share(correct, predicted), _share(correct, support), _share(2 * correct, predicted + support)
    each = (precision, recall, f1)
    return Scores(
        precision,
        recall,
        f1,
        support,
        predicted == 0,
        support == 0,
        predicted + support == 0,
        float(correct.sum() / confusion.sum()),
        Average(*(float(values.mean()) for values in each)),
        Average(*(float(np.average(values, weights=support)) for values in each)),
    )


def calibration(probabilities: Floats, labels: Counts, bins: int = BINS) -> Calibration:
    """Group the predictions by confidence, and compute the accuracy of each group.

    Args:
        probabilities: ``(M, K)``, each row adding up to 1, of at least one image.
        labels: ``(M,)``, the true classes.
        bins: number of bins of equal width, from 0 to 1.
    """
    confidence = np.asarray(probabilities, dtype=np.float64).max(axis=1).clip(0, 1)
    is_correct = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    bin_index = np.searchsorted(edges[1:-1], confidence)
    count = np.bincount(bin_index, minlength=bins).astype(np.int64)
    mean_confidence, accuracy = (_share(np.bincount(bin_index, values, bins), count) for values in (confidence, is_correct))
    gaps = np.abs(accuracy - mean_confidence)
    return Calibration(edges, count, mean_confidence, accuracy, float(gaps @ count / count.sum()), float(gaps.max()), float(confidence.mean()))


def _share(part: Counts | Floats, whole: Counts) -> Floats:
    """Return part / whole, and 0 where whole is 0."""
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole != 0)
