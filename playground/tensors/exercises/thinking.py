"""Level 5: problems that combine several operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn import functional as F

from playground.messages import msg, nmsg
from playground.tensors.exercises.checks import alike, equals, kind, numbers, shape, tensor
from playground.tensors.exercises.definition import Exercise, draw_size, draw_sizes


def _draw_attention(generator: torch.Generator) -> dict[str, Any]:
    words = draw_size(generator, 3, 6)
    return {"scores": torch.randn(words, words, generator=generator), "blank": -float(draw_size(generator, 100, 999))}


def _expected_masked_scores(inputs: Mapping[str, Any]) -> torch.Tensor:
    rows = [[score if j <= i else inputs["blank"] for j, score in enumerate(row)] for i, row in enumerate(inputs["scores"].tolist())]
    return torch.tensor(rows)


def _draw_points(generator: torch.Generator) -> dict[str, Any]:
    points, centres, dimensions = draw_sizes(generator, 3, 2, 6)
    return {"points": torch.randn(points, dimensions, generator=generator) * 3, "centres": torch.randn(centres, dimensions, generator=generator) * 3}


def _expected_distances(inputs: Mapping[str, Any]) -> torch.Tensor:
    return torch.cdist(inputs["points"].double(), inputs["centres"].double(), compute_mode="donot_use_mm_for_euclid_dist")


def _draw_batches(generator: torch.Generator) -> dict[str, Any]:
    first, second, features = draw_sizes(generator, 3, 3, 6)
    return {"a": torch.randn(2, first, features, generator=generator) * 3, "b": torch.randn(2, second, features, generator=generator) * 3}


def _draw_image_and_window(generator: torch.Generator) -> dict[str, Any]:
    height, width = draw_sizes(generator, 2, 5, 8)
    return {"image": torch.rand(height, width, generator=generator), "size": draw_size(generator, 2, 4)}


def _expected_window_sums(inputs: Mapping[str, Any]) -> torch.Tensor:
    return F.avg_pool2d(inputs["image"].double()[None, None], inputs["size"], stride=1, divisor_override=1)[0, 0]


def _draw_actual_and_predicted(generator: torch.Generator) -> dict[str, Any]:
    """Draw classes such that the confusion matrix is not symmetric: class 0 is predicted as class 1 at least once, class 1 never as class 0."""
    classes, samples = draw_size(generator, 3, 5), draw_size(generator, 12, 16)
    actual, predicted = torch.randint(classes, (2, samples), generator=generator).unbind()
    predicted[(actual == 1) & (predicted == 0)] = 1
    actual[0], predicted[0] = 0, 1
    return {"actual": actual, "predicted": predicted, "classes": classes}


def _check_confusion(inputs: Mapping[str, Any], y: Any) -> str:
    classes = inputs["classes"]
    expected = torch.bincount(inputs["actual"] * classes + inputs["predicted"], minlength=classes * classes).view(classes, classes)
    if problem := tensor("y", y) or shape("y", y, tuple(expected.shape)) or kind("y", y, expected.dtype):
        return problem
    if torch.equal(numbers(y), expected.t().double()):
        return msg("The counts in `y` are correct, but rows should stand for the actual class and columns for the predicted one.")
    counted, samples = int(numbers(y).sum()), len(inputs["actual"])
    if counted != samples:
        return nmsg("`y` counts {n} sample, there are {samples}.", "`y` counts {n} samples, there are {samples}.", counted, samples=samples)
    return alike("y", y, expected)


THINKING = (
    Exercise(
        name="no-peeking",
        title=msg("No peeking ahead"),
        level=5,
        statement=msg(
            "A language model may not look at the words that come later. `scores[i, j]` says how much word `i` looks at word `j`. "
            "Let `y` be the scores with `blank` in every place where `j` is greater than `i`; the other scores stay."
        ),
        make_inputs=_draw_attention,
        result_name="y",
        check=equals("y", _expected_masked_scores),
        start="# Which places lie above the diagonal?\nahead = ...\ny = torch.where(ahead, blank, scores)",  # no text: code
        hints=(
            msg("`torch.triu` keeps the upper triangle of a matrix, by default with the diagonal."),
            msg("`torch.triu(..., diagonal=1)` begins one place to the right of the diagonal."),
            msg("`torch.ones_like(scores).triu(diagonal=1) > 0` is the mask."),
        ),
        solution="ahead = torch.ones_like(scores).triu(diagonal=1) > 0\ny = torch.where(ahead, blank, scores)",  # no text: code
    ),
    Exercise(
        name="distances",
        title=msg("All distances at once"),
        level=5,
        statement=msg(
            "Each row of `points` and each row of `centres` is a point in space. Let `y[i, j]` be the distance from point `i` to centre `j`: "
            "the root of the sum of their squared differences. No loop is needed."
        ),
        make_inputs=_draw_points,
        result_name="y",
        check=equals("y", _expected_distances),
        start="# All differences first: the shape (points,\n# centres, coordinates) contains them.\ndifferences = ...\ny = ...",  # no text: code
        hints=(
            msg("With a dimension of size 1 in the right place, broadcasting pairs every point with every centre."),
            msg("`points.unsqueeze(1) - centres` has three dimensions, the coordinates are the last."),
            msg("Square, sum over the last dimension, take the root."),
        ),
        solution="differences = points.unsqueeze(1) - centres\ny = differences.pow(2).sum(dim=2).sqrt()",
    ),
    Exercise(
        name="cosine-similarity",
        title=msg("Which vectors point the same way?"),
        level=5,
        statement=msg(
            "`a` and `b` are [[batches|batch]] of [[matrices|matrix]], and each row of a matrix is a [[vector]]. Let `y[n, i, j]` be the cosine of the angle "
            "between row `i` of `a[n]` and row `j` of `b[n]`: their dot product, divided by both their lengths."
        ),
        make_inputs=_draw_batches,
        result_name="y",
        check=equals("y", lambda inputs: F.cosine_similarity(inputs["a"].double().unsqueeze(2), inputs["b"].double().unsqueeze(1), dim=3)),
        start="# @ multiplies the matrices of two batches\n# pair by pair.\ny = a @ b",  # no text: code
        hints=(
            msg("Bring every vector to length 1 first; then the dot product is the cosine."),
            msg("`a.norm(dim=2, keepdim=True)` holds the length of each vector and fits `a` again."),
            msg("`transpose(1, 2)` transposes every matrix of a batch."),
        ),
        solution="a = a / a.norm(dim=2, keepdim=True)\nb = b / b.norm(dim=2, keepdim=True)\ny = a @ b.transpose(1, 2)",
    ),
    Exercise(
        name="window-sums",
        title=msg("A window slides over an image"),
        level=5,
        statement=msg(
            "A square window with sides of `size` pixels slides over `image`, one pixel at a time, and never leaves it. "
            "Let `y[i, j]` be the sum of the pixels in the window whose upper left corner is at row `i` and column `j`."
        ),
        make_inputs=_draw_image_and_window,
        result_name="y",
        check=equals("y", _expected_window_sums),
        start="# A convolution whose weights are all 1 does\n# the same.\ny = ...",  # no text: code
        hints=(
            msg("`unfold(dimension, size, step)` makes windows along one dimension; the window becomes a new last dimension."),
            msg("Unfold the rows, then the columns: there are four dimensions, and the last two are the window."),
            msg("`sum(dim=(2, 3))` sums over two dimensions at once."),
        ),
        solution="windows = image.unfold(0, size, 1).unfold(1, size, 1)\ny = windows.sum(dim=(2, 3))",
    ),
    Exercise(
        name="confusion-matrix",
        title=msg("Which classes are confused?"),
        level=5,
        statement=msg(
            "`actual` and `predicted` hold classes from 0 to `classes - 1`, one of each for every sample. Let `y[i, j]` count the samples of class `i` "
            "that were predicted as class `j`. Counts are whole numbers."
        ),
        make_inputs=_draw_actual_and_predicted,
        result_name="y",
        check=_check_confusion,
        start="# F.one_hot turns each class into a row with\n# a single 1.\nrows = F.one_hot(actual, classes)\ny = ...",  # no text: code
        hints=(
            msg("A loop over the samples works: start from zeros and add 1 in the right place."),
            msg("Without a loop: one-hot rows of both, and a matrix product that sums over the samples."),
            msg("In the product, the samples must be the inner dimension: transpose the first matrix."),
        ),
        solution="rows = F.one_hot(actual, classes)\ncolumns = F.one_hot(predicted, classes)\ny = rows.t() @ columns",  # no text: code
    ),
)
