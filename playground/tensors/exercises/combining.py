"""Level 3: broadcasting, reductions, matrix products, views and copies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from playground.messages import msg
from playground.tensors.exercises.checks import TOLERANCE, alike, close, equals, finite, kind, numbers, separate, shape, shares, tensor
from playground.tensors.exercises.definition import Exercise, draw_size, draw_sizes


def _draw_two_vectors(generator: torch.Generator) -> dict[str, Any]:
    first, second = draw_sizes(generator, 2, 2, 6)
    return {"a": torch.randn(first, generator=generator), "b": torch.randn(second, generator=generator)}


def _draw_features(generator: torch.Generator) -> dict[str, Any]:
    rows, columns = draw_size(generator, 6, 9), draw_size(generator, 2, 4)
    scale = 10.0 ** torch.arange(columns)
    return {"x": (torch.randn(rows, columns, generator=generator) + torch.randn(columns, generator=generator) + 3) * scale}


def _check_standardise(inputs: Mapping[str, Any], y: Any) -> str:
    x = inputs["x"].double()
    if problem := tensor("y", y) or shape("y", y, tuple(x.shape)) or kind("y", y, x.dtype) or finite("y", y):
        return problem
    values = numbers(y)
    for column in range(x.shape[1]):
        mean, deviations = values[:, column].mean(), [values[:, column].std(correction=correction) for correction in (0, 1)]
        if abs(mean) > TOLERANCE:
            return msg("Column {column} of `y` has the mean {mean:.4g}, it should be 0.", column=column, mean=float(mean))
        if all(abs(deviation - 1) > 10 * TOLERANCE for deviation in deviations):
            return msg("Column {column} of `y` has the standard deviation {deviation:.4g}, it should be 1.", column=column, deviation=float(deviations[1]))
    centred = x - torch.stack([column.mean() for column in x.unbind(1)])
    variances = centred.square().sum(dim=0)
    return close("y", y, centred * (len(x) / variances).sqrt()) and close("y", y, centred * ((len(x) - 1) / variances).sqrt())


def _draw_pours(generator: torch.Generator) -> dict[str, Any]:
    glasses, steps = draw_sizes(generator, 2, 3, 6)
    pours = 0.1 + torch.rand(glasses, steps, generator=generator)
    return {"pours": pours, "room": round(0.6 * float(pours.sum(dim=1).max()) + 0.5, 2)}


def _draw_layer(generator: torch.Generator) -> dict[str, Any]:
    batch, inputs, outputs = draw_sizes(generator, 3, 2, 6)
    return {
        "x": torch.randn(batch, inputs, generator=generator),
        "weight": torch.randn(outputs, inputs, generator=generator),
        "bias": torch.randn(outputs, generator=generator),
    }


def _draw_tall_matrix(generator: torch.Generator) -> dict[str, Any]:
    return {"x": torch.randn(draw_size(generator, 4, 7), draw_size(generator, 3, 6), generator=generator)}


def _check_every_second_row(inputs: Mapping[str, Any], y: Any) -> str:
    x = inputs["x"]
    expected = torch.stack([x[row, -2:] for row in range(0, x.shape[0], 2)])
    return alike("y", y, expected) or shares("y", y, "x", x)


def _draw_matrix_and_two_rows(generator: torch.Generator) -> dict[str, Any]:
    rows = draw_size(generator, 3, 6)
    first, second = draw_sizes(generator, 2, 0, rows - 1)
    return {"x": torch.randn(rows, draw_size(generator, 2, 5), generator=generator), "first": first, "second": second}


def _check_swap_rows(inputs: Mapping[str, Any], y: Any) -> str:
    x, first, second = inputs["x"], inputs["first"], inputs["second"]
    if problem := tensor("y", y) or shape("y", y, tuple(x.shape)) or separate("y", y, "x", x):
        return problem
    if torch.equal(x[first], x[second]):
        return msg("Your code changed `x`: its rows {first} and {second} are the same now.", first=first, second=second)
    order = [{first: second, second: first}.get(row, row) for row in range(x.shape[0])]
    return alike("y", y, torch.stack([x[row] for row in order]))


def _draw_array(generator: torch.Generator) -> dict[str, Any]:
    rows, columns = draw_sizes(generator, 2, 2, 5)
    return {"array": torch.randn(rows, columns, generator=generator, dtype=torch.float64).numpy()}


def _check_numpy_window(inputs: Mapping[str, Any], y: Any) -> str:
    if isinstance(y, np.ndarray):
        return msg("`y` is a NumPy array, it should be a tensor.")
    return alike("y", y, torch.tensor(inputs["array"].T.tolist())) or shares("y", y, "array", inputs["array"])


COMBINING = (
    Exercise(
        name="table-of-sums",
        title=msg("A matrix of sums"),
        level=3,
        statement=msg("`a` and `b` are [[vectors|vector]]. Make the [[matrix]] `y` of all sums: `y[i, j]` is `a[i] + b[j]`."),
        make_inputs=_draw_two_vectors,
        result_name="y",
        check=equals("y", lambda inputs: torch.tensor([[one + other for other in inputs["b"].tolist()] for one in inputs["a"].tolist()])),
        start="# Vectors of different lengths cannot be\n# added as they are.\ny = ...",  # no text: code
        hints=(
            msg("Make `a` a column: then each of its rows is added to all of `b`."),
            msg("A dimension of size 1 is repeated until the shapes match. This is called broadcasting."),
            msg("`a.unsqueeze(1)` has shape (length of a, 1)."),
        ),
        solution="y = a.unsqueeze(1) + b",
    ),
    Exercise(
        name="standardise-columns",
        title=msg("Columns on one scale"),
        level=3,
        statement=msg(
            "Each column of `x` has a scale of its own. Make `y`, where every column has the mean 0 and the standard deviation 1: "
            "subtract the column’s mean, then divide by its standard deviation."
        ),
        make_inputs=_draw_features,
        result_name="y",
        check=_check_standardise,
        start="# This is the mean of the whole matrix; there\n# should be one mean for each column.\nmean = x.mean()\ny = x - mean",  # no text: code
        hints=(
            msg("`dim=` says which dimension a reduction runs along, and so which one disappears."),
            msg("A column runs along dimension 0: `x.mean(dim=0)` holds one mean for each column."),
        ),
        solution="mean = x.mean(dim=0)\nstd = x.std(dim=0)\ny = (x - mean) / std",
    ),
    Exercise(
        name="filling-glasses",
        title=msg("Filling glasses"),
        level=3,
        statement=msg(
            "`pours[i, j]` is how much is poured into glass `i` in step `j`. Let `y[i, j]` be how much is in glass `i` after step `j`. "
            "A glass has room for `room`; what is poured beyond runs over."
        ),
        make_inputs=_draw_pours,
        result_name="y",
        check=equals("y", lambda inputs: torch.from_numpy(np.minimum(np.cumsum(inputs["pours"].double().numpy(), axis=1), inputs["room"]))),
        start="# First the running total of each glass, then\n# the rim.\ny = ...",  # no text: code
        hints=(
            msg("`torch.cumsum` adds up along a dimension and keeps every sum on the way. Time runs along dimension 1."),
            msg("`clamp(max=...)` cuts off what is above."),
        ),
        solution="total = torch.cumsum(pours, dim=1)\ny = total.clamp(max=room)",  # no text: code
    ),
    Exercise(
        name="linear-layer",
        title=msg("A linear layer by hand"),
        level=3,
        statement=msg(
            "Compute what `nn.Linear` computes. Each row of `x` is a sample, each row of `weight` belongs to one output, "
            "and `bias` has a number for each output. `y[i, j]` is row `i` of `x` times row `j` of `weight`, summed up, plus `bias[j]`."
        ),
        make_inputs=_draw_layer,
        result_name="y",
        check=equals("y", lambda inputs: torch.einsum("bi,oi->bo", inputs["x"].double(), inputs["weight"].double()) + inputs["bias"]),
        start="# @ multiplies matrices: rows of the left one\n# with columns of the right one.\ny = x @ weight",  # no text: code
        hints=(
            msg("Compare the shapes of `x` and `weight`: the inner sizes must be equal."),
            msg("Transpose `weight`, so that its rows become columns: `weight.t()`."),
        ),
        solution="y = x @ weight.t() + bias",
    ),
    Exercise(
        name="every-second-row",
        title=msg("A view, not a copy"),
        level=3,
        statement=msg(
            "Let `y` be the last two columns of every second row of `x`, starting with row 0. "
            "It should be a [[view]]: no number is copied, `y` shares the memory of `x`."
        ),
        make_inputs=_draw_tall_matrix,
        result_name="y",
        check=_check_every_second_row,
        start="# A list of indices copies the rows.\ny = x[[0, 2]]",  # no text: code
        hints=(
            msg("Slices give views. A list of indices or a mask gives a copy."),
            msg("`start:stop:step` takes steps; each part may be left out."),
            msg("`-2:` are the last two."),
        ),
        solution="y = x[::2, -2:]",
        about_memory=True,
    ),
    Exercise(
        name="swap-rows",
        title=msg("Swap two rows of a copy"),
        level=3,
        statement=msg(
            "Let `y` be the [[matrix]] `x` with the rows `first` and `second` swapped. `x` itself must stay as it is, so `y` needs memory of its own."
        ),
        make_inputs=_draw_matrix_and_two_rows,
        result_name="y",
        check=_check_swap_rows,
        start="# Is this a copy, or a second name for the\n# same tensor?\ny = x\ny[first] = x[second]",  # no text: code
        hints=(msg("`x.clone()` is a copy with its own memory."), msg("Write into the copy and read from `x`: there both rows are still as they were.")),
        solution="y = x.clone()\ny[first] = x[second]\ny[second] = x[first]",
        about_memory=True,
    ),
    Exercise(
        name="numpy-window",
        title=msg("One memory, two libraries"),
        level=3,
        statement=msg("`array` is a NumPy array. Let `y` be its transpose as a [[tensor]] in the same memory: what changes in one changes in the other."),
        make_inputs=_draw_array,
        result_name="y",
        check=_check_numpy_window,
        start="# torch.tensor copies.\ny = torch.tensor(array)",  # no text: code
        hints=(msg("`torch.from_numpy` gives a tensor over the memory of an array."), msg("`t()` returns a view: it copies no numbers.")),
        solution="y = torch.from_numpy(array).t()",
        about_memory=True,
    ),
)
