"""How good answers are, in numbers: pure NumPy, held against scikit-learn by the tests."""

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
    """One number for all classes."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Scores:
    """How good the answers are, class by class. Where a number would be 0 / 0 it is 0, and is flagged as undefined."""

    precision: Floats
    """(K,) of the images that were given this class, the share that have it."""
    recall: Floats
    """(K,) of the images that have this class, the share that were given it."""
    f1: Floats
    """(K,) harmonic mean of the two."""
    support: Counts
    """(K,) images that have this class."""
    precision_undefined: Flags
    """(K,) classes that no image was given."""
    recall_undefined: Flags
    """(K,) classes that no image has."""
    f1_undefined: Flags
    """(K,) classes that no image has or was given."""
    accuracy: float
    """Share of the images that were given their class."""
    macro: Average
    """Mean over the classes: each counts the same. What is undefined counts as 0."""
    weighted: Average
    """Mean over the classes, weighted by their support: each image counts the same."""


@dataclass(frozen=True)
class Calibration:
    """Whether a network is right as often as it is sure. Confidence is the probability of the class that it names.

    Source: Guo et al., On calibration of modern neural networks, https://arxiv.org/abs/1706.04599
    """

    edges: Floats
    """(bins + 1,) from 0 to 1; bin b holds the confidences above edge b, up to and including edge b + 1. The first also holds 0."""
    count: Counts
    """(bins,) answers in each."""
    confidence: Floats
    """(bins,) their mean confidence; 0 in an empty bin."""
    accuracy: Floats
    """(bins,) the share of them that is right; 0 in an empty bin."""
    expected_error: float
    """Mean distance between a bin’s confidence and its accuracy, weighted by its answers (ECE, equation 3)."""
    maximum_error: float
    """The largest such distance (MCE, equation 5)."""
    mean_confidence: float
    """Over all answers: above the accuracy where the network is too sure of itself."""


def confusion(labels: Counts, predictions: Counts, classes: int) -> Counts:
    """How often each class was taken for each: rows are the true class, columns the predicted one.

    Shape: (M,), (M,) → (K, K)
    """
    pairs = np.asarray(labels, dtype=np.int64) * classes + np.asarray(predictions, dtype=np.int64)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes).astype(np.int64)


def scores(confusion: Counts) -> Scores:
    """Precision, recall and F1 of each class and on average.

    Args:
        confusion: (K, K), as `confusion` makes it, of at least one image.
    """
    right, support, named = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    precision, recall, f1 = _share(right, named), _share(right, support), _share(2 * right, named + support)
    each = (precision, recall, f1)
    return Scores(
        precision,
        recall,
        f1,
        support,
        named == 0,
        support == 0,
        named + support == 0,
        float(right.sum() / confusion.sum()),
        Average(*(float(values.mean()) for values in each)),
        Average(*(float(np.average(values, weights=support)) for values in each)),
    )


def calibration(probabilities: Floats, labels: Counts, bins: int = BINS) -> Calibration:
    """Group the answers by how sure they are, and see how many of each group are right.

    Args:
        probabilities: (M, K), each row adding up to 1, of at least one image.
        labels: (M,) the true classes.
        bins: how many of equal width, from 0 to 1.
    """
    confidence = np.asarray(probabilities, dtype=np.float64).max(axis=1).clip(0, 1)
    right = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    place = np.searchsorted(edges[1:-1], confidence)
    count = np.bincount(place, minlength=bins).astype(np.int64)
    sure, accurate = (_share(np.bincount(place, values, bins), count) for values in (confidence, right))
    gaps = np.abs(accurate - sure)
    return Calibration(edges, count, sure, accurate, float(gaps @ count / count.sum()), float(gaps.max()), float(confidence.mean()))


def _share(part: Counts | Floats, whole: Counts) -> Floats:
    """part / whole, and 0 where there is nothing to share."""
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole != 0)
