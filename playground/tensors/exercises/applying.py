"""Level 4: computations of training and preprocessing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn import functional as F

from playground.messages import msg
from playground.tensors.exercises.checks import TOLERANCE, alike, equals, finite, kind, numbers, shape, tensor
from playground.tensors.exercises.definition import Exercise, draw_size, draw_sizes


def _draw_rows_and_keys(generator: torch.Generator) -> dict[str, Any]:
    count, columns = draw_size(generator, 5, 7), draw_size(generator, 2, 4)
    ranks = torch.randperm(count, generator=generator)
    while torch.equal(ranks.argsort(), ranks):  # its own inverse: sorting by it and scattering by it would give the same result
        ranks = torch.randperm(count, generator=generator)
    return {"x": torch.randn(count, columns, generator=generator), "keys": ranks + torch.rand(count, generator=generator) * 0.5}


def _expected_sorted_rows(inputs: Mapping[str, Any]) -> torch.Tensor:
    keys = inputs["keys"].tolist()
    return torch.stack([inputs["x"][row] for row in sorted(range(len(keys)), key=keys.__getitem__)])


def _draw_scores_and_labels(generator: torch.Generator) -> dict[str, Any]:
    """Draw scores such that some labels, but fewer than half, do not have the highest score of their sample."""
    samples, classes = draw_sizes(generator, 2, 4, 8)
    scores = torch.randn(samples, classes, generator=generator)
    labels = scores.argmax(dim=1)
    wrong = torch.randperm(samples, generator=generator)[: draw_size(generator, 1, (samples - 1) // 2)]
    labels[wrong] = (labels[wrong] + torch.randint(1, classes, wrong.shape, generator=generator)) % classes
    return {"scores": scores, "labels": labels}


def _expected_accuracy(inputs: Mapping[str, Any]) -> torch.Tensor:
    pairs = zip(inputs["scores"].tolist(), inputs["labels"].tolist(), strict=True)
    return torch.tensor([float(max(row) == row[label]) for row, label in pairs]).mean()


def _draw_large_scores(generator: torch.Generator) -> dict[str, Any]:
    rows, columns = draw_sizes(generator, 2, 3, 6)
    scale = 300 * (1 + torch.randperm(rows, generator=generator))  # so different that no number subtracted from all rows keeps exp finite
    return {"x": torch.randn(rows, columns, generator=generator) * 2 + scale.unsqueeze(1)}


def _check_softmax(inputs: Mapping[str, Any], y: Any) -> str:
    expected = torch.softmax(inputs["x"].double(), dim=1)
    if problem := tensor("y", y) or shape("y", y, tuple(expected.shape)) or kind("y", y, expected.dtype) or finite("y", y):
        return problem
    for row, total in enumerate(numbers(y).sum(dim=1).tolist()):
        if abs(total - 1) > 10 * TOLERANCE:
            return msg("Row {row} of `y` adds up to {total:.4g}, it should add up to 1.", row=row, total=total)
    return alike("y", y, expected)


def _draw_vector_and_width(generator: torch.Generator) -> dict[str, Any]:
    return {"x": torch.randn(draw_size(generator, 9, 13), generator=generator), "width": draw_size(generator, 2, 4)}


def _draw_images(generator: torch.Generator) -> dict[str, Any]:
    count, height, width = draw_size(generator, 2, 3), *draw_sizes(generator, 2, 4, 7)
    return {
        "images": torch.randint(0, 256, (count, 3, height, width), generator=generator, dtype=torch.uint8),
        "mean": 0.3 + 0.4 * torch.rand(3, generator=generator),
        "std": 0.2 + 0.2 * torch.rand(3, generator=generator),
    }


def _expected_channels_last(inputs: Mapping[str, Any]) -> torch.Tensor:
    channels = [(inputs["images"][:, channel] / 255 - inputs["mean"][channel]) / inputs["std"][channel] for channel in range(3)]
    return torch.stack(channels, dim=3)


APPLYING = (
    Exercise(
        name="sort-by-key",
        title=msg("Sorted by another tensor"),
        level=4,
        statement=msg(
            "`keys` holds a number for each row of `x`. Let `y` be the rows of `x` in the order of their keys, the smallest key first. Rows stay whole."
        ),
        make_inputs=_draw_rows_and_keys,
        result_name="y",
        check=equals("y", _expected_sorted_rows),
        start="# This sorts each column by itself, and tears\n# the rows apart.\ny = x.sort(dim=0).values",  # no text: code
        hints=(
            msg("First find the order: which row comes first, which second?"),
            msg("`keys.argsort()` is that order, as indices."),
            msg("A tensor of indices is a valid index: `x[order]`."),
        ),
        solution="order = keys.argsort()\ny = x[order]",
    ),
    Exercise(
        name="score-of-the-label",
        title=msg("The score of the true class"),
        level=4,
        statement=msg(
            "`scores` has a row for each sample and a column for each class; `labels` holds the true class of each sample. "
            "Let `y` be the score of each sample’s true class: `y[i]` is `scores[i, labels[i]]`."
        ),
        make_inputs=_draw_scores_and_labels,
        result_name="y",
        check=equals("y", lambda inputs: (inputs["scores"] * F.one_hot(inputs["labels"], inputs["scores"].shape[1])).sum(dim=1)),
        start="# One number for each sample: what shape does\n# this have?\ny = scores[:, labels]",  # no text: code
        hints=(
            msg("`gather` selects one cell in each row."),
            msg("`gather` needs an index with as many dimensions as the scores: make a column of `labels`."),
            msg("After `scores.gather(1, labels.unsqueeze(1))`, one dimension is too many."),
        ),
        solution="picked = scores.gather(1, labels.unsqueeze(1))\ny = picked.squeeze(1)",
    ),
    Exercise(
        name="accuracy",
        title=msg("Accuracy"),
        level=4,
        statement=msg(
            "`scores` has a row for each sample and a column for each class. The [[prediction]] is the class with the highest score. "
            "Let `y` be the [[accuracy]]: the fraction of samples whose prediction equals their [[label]] in `labels`, a number from 0 to 1."
        ),
        make_inputs=_draw_scores_and_labels,
        result_name="y",
        check=equals("y", _expected_accuracy),
        start="# The highest score of each sample; but which\n# class has it?\nbest = scores.max(dim=1).values\ny = ...",  # no text: code
        hints=(
            msg("`argmax` says where the largest number is, not how large it is."),
            msg("`==` gives booleans; converted to float they are 1 and 0."),
            msg("The mean of ones and zeros is the fraction of ones."),
        ),
        solution="predicted = scores.argmax(dim=1)\ny = (predicted == labels).float().mean()",
    ),
    Exercise(
        name="stable-softmax",
        title=msg("Softmax that does not overflow"),
        level=4,
        statement=msg(
            "Let `y` be `x` with each row turned into [[probabilities|probability]]: `exp` of every number, divided by the sum of these over the row. "
            "The numbers are large, and `exp` of a large number is infinite. Subtracting the same number from a whole row does not change its probabilities."
        ),
        make_inputs=_draw_large_scores,
        result_name="y",
        check=_check_softmax,
        start="# Run it: what does exp do to large numbers?\ny = x.exp() / x.exp().sum()",  # no text: code
        hints=(
            msg("Subtract the largest number of each row first: then the largest of all is `exp(0)`, which is 1."),
            msg("`x.amax(dim=1, keepdim=True)` keeps the dimension, so that it fits `x` again. `sum` can do the same."),
        ),
        solution="e = (x - x.amax(dim=1, keepdim=True)).exp()\ny = e / e.sum(dim=1, keepdim=True)",
    ),
    Exercise(
        name="moving-average",
        title=msg("A moving average"),
        level=4,
        statement=msg(
            "Smooth the [[vector]] `x`: `y[i]` is the mean of the `width` numbers of `x` that begin at index `i`. "
            "Only whole windows count, so `y` is shorter than `x`."
        ),
        make_inputs=_draw_vector_and_width,
        result_name="y",
        check=equals("y", lambda inputs: F.avg_pool1d(inputs["x"].double().view(1, 1, -1), inputs["width"], stride=1).view(-1)),
        start="# What does x.unfold(0, width, 1) look like?\nwindows = ...\ny = ...",  # no text: code
        hints=(
            msg("`unfold(dimension, size, step)` shows all windows along a dimension, without a copy."),
            msg("Each row of `x.unfold(0, width, 1)` is one window."),
        ),
        solution="windows = x.unfold(0, width, 1)\ny = windows.mean(dim=1)",
    ),
    Exercise(
        name="channels-last",
        title=msg("Images for a plot"),
        level=4,
        statement=msg(
            "`images` holds pixels from 0 to 255 in the [[shape]] (image, channel, row, column). Make `y` in the shape (image, row, column, channel): "
            "divide the pixels by 255, subtract the `mean` of their channel, then divide by the `std` of their channel."
        ),
        make_inputs=_draw_images,
        result_name="y",
        check=equals("y", _expected_channels_last),
        start="# Which function moves a dimension to another\n# place?\npixels = ...\ny = ...",  # no text: code
        hints=(
            msg("`permute` takes the old dimensions in their new order."),
            msg("The channel should be last: `permute(0, 2, 3, 1)`."),
            msg("Broadcasting starts at the last dimension, so with channels last `mean` and `std` fit as they are."),
        ),
        solution="pixels = images.permute(0, 2, 3, 1) / 255\ny = (pixels - mean) / std",
    ),
)
