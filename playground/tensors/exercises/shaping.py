"""Level 2: masks, shapes, and concatenation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from playground.messages import msg
from playground.tensors.exercises.checks import alike, equals, kind, numbers, tensor
from playground.tensors.exercises.definition import Exercise, draw_size, draw_sizes


def _draw_matrix(generator: torch.Generator) -> dict[str, Any]:
    rows, columns = draw_sizes(generator, 2, 2, 6)
    return {"x": torch.randn(rows, columns, generator=generator)}


def _draw_matrix_of_both_signs(generator: torch.Generator) -> dict[str, Any]:
    """Draw a matrix with a negative number, whose positive numbers have another order by columns than by rows."""
    x = _draw_matrix(generator)["x"]
    x[:2, :2] = x[:2, :2].abs() * torch.tensor([[1.0, 1.0], [1.0, -1.0]])
    return {"x": x}


def _check_only_positive(inputs: Mapping[str, Any], y: Any) -> str:
    expected = torch.tensor([value for value in inputs["x"].flatten().tolist() if value > 0])
    if problem := tensor("y", y) or kind("y", y, expected.dtype):
        return problem
    rest = numbers(y)[numbers(y) <= 0]
    if rest.numel():
        return msg("`y` contains {value:.4g}, which is not greater than zero.", value=float(rest[0]))
    return alike("y", y, expected)


def _draw_vector_and_columns(generator: torch.Generator) -> dict[str, Any]:
    rows, columns = draw_sizes(generator, 2, 2, 6)
    return {"x": torch.randn(rows * columns, generator=generator), "columns": columns}


def _draw_matrix_and_extra(generator: torch.Generator) -> dict[str, Any]:
    x = _draw_matrix(generator)["x"]
    return {"x": x, "extra": torch.randn(len(x), generator=generator)}


SHAPING = (
    Exercise(
        name="only-positive",
        title=msg("Only the positive ones"),
        level=2,
        statement=msg("`x` is a [[matrix]]. Let `y` be the [[vector]] of its numbers that are greater than zero, row after row."),
        make_inputs=_draw_matrix_of_both_signs,
        result_name="y",
        check=_check_only_positive,
        start="# A comparison asks every number at once:\n# look at what x > 0 gives.\ny = x > 0",  # no text: code
        hints=(msg("`x > 0` is a matrix of True and False, a mask."), msg("A mask is a valid index: it selects the cells where it is True.")),
        solution="y = x[x > 0]",
    ),
    Exercise(
        name="fold-a-line",
        title=msg("Fold a vector into a matrix"),
        level=2,
        statement=msg("`x` is a [[vector]]. Fold it into the [[matrix]] `y` with `columns` columns, row after row. PyTorch can infer the number of rows."),
        make_inputs=_draw_vector_and_columns,
        result_name="y",
        check=equals("y", lambda inputs: torch.stack(inputs["x"].split(inputs["columns"]))),
        start="# The numbers stay in their order, only the\n# shape changes.\ny = ...",  # no text: code
        hints=(msg("`reshape` and `view` take the new shape: rows first, then columns."), msg("For a size of -1, PyTorch infers the size.")),
        solution="y = x.view(-1, columns)",
    ),
    Exercise(
        name="add-a-column",
        title=msg("One more column"),
        level=2,
        statement=msg(
            "`x` is a [[matrix]], and `extra` is a [[vector]] with one number for each row of `x`. Let `y` be `x` with `extra` as one more column on the right."
        ),
        make_inputs=_draw_matrix_and_extra,
        result_name="y",
        check=equals("y", lambda inputs: torch.column_stack((inputs["x"], inputs["extra"]))),
        start="# torch.cat joins tensors with the same\n# number of dimensions.\ny = torch.cat([x, extra])",  # no text: code
        hints=(
            msg("Make a column of `extra` first: a matrix with as many rows as `x`, and 1 column."),
            msg("`extra.unsqueeze(1)` has shape (rows, 1)."),
            msg("`torch.cat` takes the dimension to join along: `dim=1` lies from left to right."),
        ),
        solution="column = extra.unsqueeze(1)\ny = torch.cat([x, column], dim=1)",
    ),
    Exercise(
        name="drop-one-dimension",
        title=msg("One dimension less"),
        level=2,
        statement=msg(
            "`x` has the [[shape]] (samples, features, 1). Let `y` be the same numbers in the shape (samples, features). "
            "There is a single sample this time, but its dimension stays."
        ),
        make_inputs=lambda generator: {"x": torch.randn(1, draw_size(generator, 2, 9), 1, generator=generator)},
        result_name="y",
        check=equals("y", lambda inputs: inputs["x"][:, :, 0]),
        start="# squeeze() removes every dimension of size 1.\ny = x.squeeze()",  # no text: code
        hints=(
            msg("Look at the shape of `x`: two of its dimensions have size 1, and one of them should stay."),
            msg("`squeeze` has an argument for the dimension to remove, counted from 0."),
        ),
        solution="y = x.squeeze(2)",
    ),
    Exercise(
        name="column-by-column",
        title=msg("Column by column"),
        level=2,
        statement=msg(
            "`x` is a [[matrix]]. Let `y` be the [[vector]] of its numbers, column after column: the first from top to bottom, then the second, and so on."
        ),
        make_inputs=_draw_matrix,
        result_name="y",
        check=equals("y", lambda inputs: torch.cat(inputs["x"].unbind(1))),
        start="# This reads row after row.\ny = x.view(-1)",  # no text: code
        hints=(
            msg("Transpose the matrix first, so that its columns become rows: `x.t()`."),
            msg("The transpose shares the memory of `x` and is not contiguous, so `view` raises an error. `contiguous` copies the cells into row-major order."),
        ),
        solution="transpose = x.t().contiguous()\ny = transpose.view(-1)",
    ),
)
