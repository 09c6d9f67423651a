"""Precision, recall, confusion matrix and calibration, compared with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from playground.inference.metrics import Average, Counts, Floats, calibration, confusion, scores

from ..support.tiers import repetitions


@st.composite
def answers(draw: st.DrawFn) -> tuple[Counts, Counts, int]:
    """Labels, predictions and how many classes; with so few images some classes are absent, some are never named."""
    classes = draw(st.integers(2, 6))
    pairs = draw(st.lists(st.tuples(*[st.integers(0, classes - 1)] * 2), min_size=1, max_size=40))
    labels, predictions = np.array(pairs, dtype=np.int64).T
    return labels, predictions, classes


@settings(max_examples=repetitions(300))
@given(answers())
def test_confusion_and_scores_are_those_of_scikit_learn(case: tuple[Counts, Counts, int]) -> None:
    labels, predictions, classes = case
    confused = confusion(labels, predictions, classes)
    known = np.arange(classes)
    np.testing.assert_array_equal(confused, confusion_matrix(labels, predictions, labels=known))
    result = scores(confused)
    precision, recall, f1, support = precision_recall_fscore_support(labels, predictions, labels=known, zero_division=0)
    for ours, theirs in ((result.precision, precision), (result.recall, recall), (result.f1, f1), (result.support, support)):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)
    for kind, ours in (("macro", result.macro), ("weighted", result.weighted)):
        theirs = precision_recall_fscore_support(labels, predictions, labels=known, average=kind, zero_division=0)[:3]
        assert (ours.precision, ours.recall, ours.f1) == pytest.approx(theirs, rel=0, abs=1e-12)
    assert result.accuracy == accuracy_score(labels, predictions)


@settings(max_examples=repetitions(200))
@given(answers())
def test_undefined_scores_are_those_that_scikit_learn_reports(case: tuple[Counts, Counts, int]) -> None:
    labels, predictions, classes = case
    result = scores(confusion(labels, predictions, classes))
    theirs = precision_recall_fscore_support(labels, predictions, labels=np.arange(classes), zero_division=np.nan)
    for values, undefined, expected in zip(
        (result.precision, result.recall, result.f1), (result.precision_undefined, result.recall_undefined, result.f1_undefined), theirs[:3], strict=True
    ):
        np.testing.assert_array_equal(undefined, np.isnan(expected))
        assert (values[undefined] == 0).all()


def test_scores_of_a_small_example() -> None:
    """Three classes: the first is right twice of three, the second is never named, the third is absent."""
    confused = confusion(np.array([0, 0, 0, 1]), np.array([0, 0, 2, 0]), 3)
    assert confused.tolist() == [[2, 0, 1], [1, 0, 0], [0, 0, 0]]
    result = scores(confused)
    assert result.precision.tolist() == [2 / 3, 0, 0] and result.precision_undefined.tolist() == [False, True, False]
    assert result.recall.tolist() == [2 / 3, 0, 0] and result.recall_undefined.tolist() == [False, False, True]
    assert result.f1.tolist() == pytest.approx([2 / 3, 0, 0]) and not result.f1_undefined.any()
    assert result.accuracy == 0.5
    assert result.weighted == Average(pytest.approx(0.5), pytest.approx(0.5), pytest.approx(0.5))


def test_a_class_that_is_neither_present_nor_predicted_has_no_f1() -> None:
    assert scores(confusion(np.array([0]), np.array([0]), 2)).f1_undefined.tolist() == [False, True]


@st.composite
def forecasts(draw: st.DrawFn) -> tuple[Floats, Counts, int]:
    """Probabilities, labels and how many bins; twentieths often lie just on an edge."""
    classes, count, bins = draw(st.integers(2, 5)), draw(st.integers(1, 40)), draw(st.integers(1, 20))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    if draw(st.booleans()):
        probabilities = random.dirichlet(np.full(classes, draw(st.sampled_from([0.1, 1.0, 10.0]))), count)
    else:
        probabilities = random.multinomial(20, random.dirichlet(np.ones(classes)), count) / 20
    return probabilities, random.integers(0, classes, count), bins


@settings(max_examples=repetitions(300))
@given(forecasts())
def test_the_calibration_bins_are_those_of_scikit_learn(case: tuple[Floats, Counts, int]) -> None:
    probabilities, labels, bins = case
    result = calibration(probabilities, labels, bins)
    confidence = probabilities.max(axis=1).clip(0, 1)
    right = probabilities.argmax(axis=1) == labels
    accurate, sure = calibration_curve(right, confidence, n_bins=bins, strategy="uniform")
    filled = result.count > 0
    np.testing.assert_allclose(result.accuracy[filled], accurate, rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.confidence[filled], sure, rtol=0, atol=1e-12)
    assert not result.accuracy[~filled].any() and not result.confidence[~filled].any()
    assert result.count.sum() == len(labels) and result.mean_confidence == pytest.approx(confidence.mean())


@settings(max_examples=repetitions(200))
@given(forecasts())
def test_the_calibration_errors_are_those_of_the_paper(case: tuple[Floats, Counts, int]) -> None:
    """Guo et al., equations 3 and 5, image by image."""
    probabilities, labels, bins = case
    result = calibration(probabilities, labels, bins)
    groups: dict[int, list[tuple[float, bool]]] = {}
    for row, label in zip(probabilities, labels, strict=True):
        sure = min(row.max(), 1.0)
        (place,) = [place for place in range(bins) if result.edges[place] < sure <= result.edges[place + 1]]
        groups.setdefault(place, []).append((sure, row.argmax() == label))
    gaps = {place: abs(np.mean([right for _, right in group]) - np.mean([sure for sure, _ in group])) for place, group in groups.items()}
    assert result.expected_error == pytest.approx(sum(len(groups[place]) * gap for place, gap in gaps.items()) / len(labels), abs=1e-12)
    assert result.maximum_error == pytest.approx(max(gaps.values()), abs=1e-12)


def test_a_network_that_is_always_certain_and_always_wrong_has_a_calibration_error_of_1() -> None:
    result = calibration(np.array([[1.0, 0.0]] * 4), np.array([1] * 4))
    assert (result.expected_error, result.maximum_error, result.mean_confidence) == (1, 1, 1)
    assert result.count.tolist() == [0] * 9 + [4]
