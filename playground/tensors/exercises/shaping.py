"""Level 2: pick by a condition, change shapes and dimensions, join."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from playground.tensors.exercises.checks import alike, equals, kind, numbers, tensor
from playground.tensors.exercises.definition import Exercise, size, sizes


def _table(draw: torch.Generator) -> dict[str, Any]:
    rows, columns = sizes(draw, 2, 2, 6)
    return {"x": torch.randn(rows, columns, generator=draw)}


def _table_of_both_signs(draw: torch.Generator) -> dict[str, Any]:
    """Its corner alone tells rows from columns, and has a number to leave out."""
    x = _table(draw)["x"]
    x[:2, :2] = x[:2, :2].abs() * torch.tensor([[1.0, 1.0], [1.0, -1.0]])
    return {"x": x}


def _check_only_positive(inputs: Mapping[str, Any], y: Any) -> str:
    expected = torch.tensor([value for value in inputs["x"].flatten().tolist() if value > 0])
    if problem := tensor("y", y) or kind("y", y, expected.dtype):
        return problem
    rest = numbers(y)[numbers(y) <= 0]
    if rest.numel():
        return f"`y` holds {rest[0]:.4g}, which is not greater than zero."
    return alike("y", y, expected)


def _line_and_columns(draw: torch.Generator) -> dict[str, Any]:
    rows, columns = sizes(draw, 2, 2, 6)
    return {"x": torch.randn(rows * columns, generator=draw), "columns": columns}


def _table_and_extra(draw: torch.Generator) -> dict[str, Any]:
    x = _table(draw)["x"]
    return {"x": x, "extra": torch.randn(len(x), generator=draw)}


SHAPING = (
    Exercise(
        name="only-positive",
        title="Only the positive ones",
        level=2,
        statement="`x` is a table. Let `y` hold those of its numbers that are greater than zero, in one line, row after row.",
        make_inputs=_table_of_both_signs,
        result_name="y",
        check=_check_only_positive,
        start="# A comparison asks every number at once: look at what x > 0 gives.\ny = x > 0",
        hints=("`x > 0` is a table of True and False, a mask.", "A mask may stand in the square brackets of `x`: only what is True stays."),
        solution="y = x[x > 0]",
    ),
    Exercise(
        name="fold-a-line",
        title="Fold a line into a table",
        level=2,
        statement="`x` is a line of numbers. Fold it into the table `y` with `columns` columns, row after row. How many rows that makes, PyTorch can find out.",
        make_inputs=_line_and_columns,
        result_name="y",
        check=equals("y", lambda inputs: torch.stack(inputs["x"].split(inputs["columns"]))),
        start="# The numbers stay in their order, only the shape changes.\ny = ...",
        hints=("`reshape` and `view` take the new shape: rows first, then columns.", "A size of -1 means “whatever is left”."),
        solution="y = x.view(-1, columns)",
    ),
    Exercise(
        name="add-a-column",
        title="One more column",
        level=2,
        statement="`x` is a table and `extra` a line with one number for each row of it. Let `y` be `x` with `extra` as one more column at its right.",
        make_inputs=_table_and_extra,
        result_name="y",
        check=equals("y", lambda inputs: torch.column_stack((inputs["x"], inputs["extra"]))),
        start="# torch.cat joins tensors with the same number of dimensions.\ny = torch.cat([x, extra])",
        hints=(
            "Make a column of `extra` first: a table as high as `x`, of width 1.",
            "`extra.unsqueeze(1)` has shape (rows, 1).",
            "`torch.cat` takes the dimension to join along: `dim=1` lies from left to right.",
        ),
        solution="column = extra.unsqueeze(1)\ny = torch.cat([x, column], dim=1)",
    ),
    Exercise(
        name="drop-one-dimension",
        title="One dimension less",
        level=2,
        statement=(
            "`x` has the shape (samples, features, 1). Let `y` be the same numbers in the shape (samples, features). "
            "There is a single sample this time, but its dimension stays."
        ),
        make_inputs=lambda draw: {"x": torch.randn(1, size(draw, 2, 9), 1, generator=draw)},
        result_name="y",
        check=equals("y", lambda inputs: inputs["x"][:, :, 0]),
        start="# squeeze() removes every dimension of size 1.\ny = x.squeeze()",
        hints=(
            "Look at the shape of `x`: two of its dimensions have size 1, and one of them should stay.",
            "`squeeze` has an argument for the dimension to remove, counted from 0.",
        ),
        solution="y = x.squeeze(2)",
    ),
    Exercise(
        name="column-by-column",
        title="Column by column",
        level=2,
        statement="`x` is a table. Write its numbers into the line `y`, column after column: the first from top to bottom, then the second, and so on.",
        make_inputs=_table,
        result_name="y",
        check=equals("y", lambda inputs: torch.cat(inputs["x"].unbind(1))),
        start="# This reads row after row.\ny = x.view(-1)",
        hints=(
            "Turn the table first, so that its columns become rows: `x.t()`.",
            "A turned table still lies in memory as before, which `view` does not accept. `contiguous` copies it into its new order.",
        ),
        solution="turned = x.t().contiguous()\ny = turned.view(-1)",
    ),
)
