"""Level 1: creation and indexing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from playground.messages import msg
from playground.tensors.exercises.checks import alike, dtype, equals, shape, tensor
from playground.tensors.exercises.definition import Exercise, draw_size, draw_sizes


def _draw_matrix_size_and_value(generator: torch.Generator) -> dict[str, Any]:
    rows, columns = draw_sizes(generator, 2, 2, 6)
    return {"rows": rows, "columns": columns, "value": draw_size(generator, 1, 19) / 2}


def _draw_first_and_last(generator: torch.Generator) -> dict[str, Any]:
    first = draw_size(generator, 2, 9)
    return {"first": first, "last": first + draw_size(generator, 3, 12)}


def _draw_range_and_count(generator: torch.Generator) -> dict[str, Any]:
    low = draw_size(generator, -4, 4)
    return {"low": float(low), "high": float(low + draw_size(generator, 1, 6)), "count": draw_size(generator, 4, 9)}


def _expected_even_steps(inputs: Mapping[str, Any]) -> torch.Tensor:
    low, high, count = inputs["low"], inputs["high"], inputs["count"]
    return torch.tensor([low + (high - low) * index / (count - 1) for index in range(count)])


def _check_diagonal(inputs: Mapping[str, Any], y: Any) -> str:
    expected = torch.diag(torch.tensor([inputs["value"]] * inputs["size"]))
    return tensor("y", y) or shape("y", y, tuple(expected.shape)) or dtype("y", y, torch.int64) or alike("y", y, expected)


def _draw_matrix_and_column(generator: torch.Generator) -> dict[str, Any]:
    rows, columns = draw_sizes(generator, 2, 3, 6)
    return {"x": torch.randn(rows, columns, generator=generator), "column": draw_size(generator, 0, columns - 1)}


CREATING = (
    Exercise(
        name="filled-table",
        title=msg("A matrix of one number"),
        level=1,
        statement=msg("Create `y`, a [[matrix]] with `rows` rows and `columns` columns in which every cell is `value`."),
        make_inputs=_draw_matrix_size_and_value,
        result_name="y",
        check=equals("y", lambda inputs: torch.tensor([[inputs["value"]] * inputs["columns"]] * inputs["rows"])),
        start="# A shape is written as (rows, columns).\ny = ...",  # no text: code
        hints=(msg("PyTorch has a function that fills a shape with a number."), msg("Try `torch.full`: first the shape, then the number.")),
        solution="y = torch.full((rows, columns), value)",  # no text: code
    ),
    Exercise(
        name="count-up",
        title=msg("Count up"),
        level=1,
        statement=msg("Let `y` hold the whole numbers from `first` to `last`, both included."),
        make_inputs=_draw_first_and_last,
        result_name="y",
        check=equals("y", lambda inputs: torch.tensor(list(range(inputs["first"], inputs["last"] + 1)))),
        start="# torch.arange stops before its end.\ny = torch.arange(first, last)",  # no text: code
        hints=(msg("Run it and look at the last number: which one is missing?"), msg("`torch.arange` excludes its end, so pass the last number plus 1.")),
        solution="y = torch.arange(first, last + 1)",  # no text: code
    ),
    Exercise(
        name="even-steps",
        title=msg("Even steps"),
        level=1,
        statement=msg("Let `y` hold `count` numbers in even steps. The first of them is `low`, the last is `high`."),
        make_inputs=_draw_range_and_count,
        result_name="y",
        check=equals("y", _expected_even_steps),
        start="# Think of the marks along an axis.\ny = ...",  # no text: code
        hints=(
            msg("You know how many numbers there are, not how large a step is."),
            msg("`torch.linspace` takes the first number, the last, and how many there are."),
        ),
        solution="y = torch.linspace(low, high, count)",  # no text: code
    ),
    Exercise(
        name="diagonal",
        title=msg("Down the diagonal"),
        level=1,
        statement=msg(
            "Make `y`, a [[matrix]] with `size` rows and `size` columns. Its diagonal holds `value`, every other cell 0. "
            "The numbers are whole: the [[dtype]] is `torch.int64`."
        ),
        make_inputs=lambda generator: {"size": draw_size(generator, 3, 7), "value": draw_size(generator, 2, 9)},
        result_name="y",
        check=_check_diagonal,
        start="# What does torch.eye(3) look like?\ny = torch.eye(size)",  # no text: code
        hints=(
            msg("`torch.eye` makes a matrix of zeros with ones on the diagonal. A multiplication does the rest."),
            msg("Functions that create tensors take the argument `dtype=`."),
        ),
        solution="y = value * torch.eye(size, dtype=torch.int64)",  # no text: code
    ),
    Exercise(
        name="one-column",
        title=msg("One column"),
        level=1,
        statement=msg("`x` is a [[matrix]]. Let `y` be its column with the index `column`: one number from each row. The first column has the index 0."),
        make_inputs=_draw_matrix_and_column,
        result_name="y",
        check=equals("y", lambda inputs: torch.stack([row[inputs["column"]] for row in inputs["x"]])),
        start="# x[0] is the first row of x.\ny = x[column]",  # no text: code
        hints=(msg("Inside the square brackets, the row index comes first, then a comma, then the column index."), msg("A lone `:` means “all of them”.")),
        solution="y = x[:, column]",
    ),
)
