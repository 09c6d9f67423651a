"""What scripts plot: the part of pyplot that tutorials use, kept as data."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from playground.tensors.language.bounds import Bounds
from playground.tensors.language.errors import BoundsExceeded, OperationFailed, Refused
from playground.tensors.language.figures import MOST_POINTS, FigurePlots, Mark
from playground.tensors.language.interpreter import run
from playground.tensors.xray.report import report

HEAD = "import matplotlib.pyplot as plt\n"


def plotted(source: str) -> list[FigurePlots]:
    execution = run(HEAD + source)
    assert execution.error is None, execution.error
    return report(execution)["figures"]


def marks(source: str) -> list[Mark]:
    (figure,) = plotted(source)
    (plot,) = figure["plots"]
    return plot["marks"]


def test_lines_of_tensors_arrays_and_lists() -> None:
    one, two, three = marks(
        "x = torch.arange(3.)\nplt.plot(x, x ** 2, label='square')\nplt.plot(np.ones(3), 'r--')\nplt.plot([1, 2], [3.5, float('nan')], 'bo')"
    )
    assert (one["kind"], one["x"], one["y"], one["label"], one["dashed"]) == ("line", [0, 1, 2], [0, 1, 4], "square", False)
    assert (two["kind"], two["x"], two["y"], two["dashed"]) == ("line", [0, 1, 2], [1, 1, 1], True)
    assert (three["kind"], three["y"]) == ("points", [3.5, None])


def test_several_lines_in_one_call_and_the_columns_of_a_matrix() -> None:
    assert [mark["y"] for mark in marks("plt.plot([1, 2], [3, 4], 'r', [1, 2], [5, 6], 'b')")] == [[3, 4], [5, 6]]
    assert [mark["y"] for mark in marks("plt.plot(torch.tensor([[1, 2], [3, 4]]))")] == [[1, 3], [2, 4]]


def test_bars_histograms_points_and_lines_through_the_plot() -> None:
    bars, histogram, points, across, upward = marks(
        "plt.bar(['a', 'b'], [1, 2])\nplt.hist(torch.tensor([0., 0, 1]), bins=2)\nplt.scatter([1], [2], s=3, c='r')\nplt.axhline(3)\nplt.axvline(4)"
    )
    assert (bars["x"], bars["y"]) == (["a", "b"], [1, 2])
    assert (histogram["x"], histogram["y"]) == ([0.25, 0.75], [2, 1])
    assert (points["kind"], points["x"], points["y"]) == ("points", [1], [2])
    assert (across["x"], across["y"], upward["x"], upward["y"]) == ([], [3], [4], [])


def test_matrices_and_pictures() -> None:
    cells, grey, picture = marks("plt.imshow(torch.eye(2))\nplt.imshow(torch.eye(2)[..., None], cmap='gray')\nplt.imshow(torch.ones(3, 4, 3) * 0.5)")
    assert (cells["rows"], cells["grey"], grey["rows"], grey["grey"]) == ([[1, 0], [0, 1]], False, [[1, 0], [0, 1]], True)
    image = Image.open(io.BytesIO(base64.b64decode(picture["source"].partition(",")[2])))
    assert np.array(image).shape == (3, 4, 3)
    assert set(np.array(image).flatten()) == {127}


def test_titles_axes_and_figures() -> None:
    first, second = plotted("plt.plot([1])\nplt.title('Loss')\nplt.xlabel('step')\nplt.ylabel('y')\nplt.yscale('log')\nplt.show()\nplt.semilogx([1], [2])")
    plot = first["plots"][0]
    assert (plot["title"], plot["across"], plot["upward"], plot["logarithmic"]) == ("Loss", "step", "y", ["y"])
    assert second["plots"][0]["logarithmic"] == ["x"]


@pytest.mark.parametrize(
    "source",
    [
        "fig, axes = plt.subplots(2, 3)\nfor i, ax in enumerate(axes.flatten()):\n    ax.plot([i])",
        "fig, axes = plt.subplots(2, 3)\nfor i in range(6):\n    axes[i // 3, i % 3].plot([i])",
        "fig, axes = plt.subplots(nrows=2, ncols=3)\nfor i, row in enumerate(axes):\n    for j, ax in enumerate(row):\n        ax.plot([3 * i + j])",
        "for i in range(6):\n    plt.subplot(2, 3, i + 1)\n    plt.plot([i])",
        "fig = plt.figure(figsize=(4, 4))\nfor i in range(6):\n    ax = fig.add_subplot(2, 3, i + 1, xticks=[])\n    ax.plot([i])",
    ],
)
def test_plots_side_by_side(source: str) -> None:
    (figure,) = plotted(source)
    assert figure["columns"] == 3
    assert [plot["marks"][0]["y"] for plot in figure["plots"]] == [[0], [1], [2], [3], [4], [5]]


def test_one_plot_of_subplots_and_one_row() -> None:
    assert len(plotted("fig, ax = plt.subplots()\nax.plot([1])\nax.set_title('a')\nax.grid(True)")[0]["plots"]) == 1
    assert len(plotted("fig, (left, right) = plt.subplots(1, 2)\nleft.plot([1])\nplt.savefig('a.png')")[0]["plots"]) == 2


def test_many_points_are_thinned() -> None:
    (mark,) = marks("plt.plot(torch.arange(50_000))")
    assert len(mark["x"]) <= MOST_POINTS
    assert mark["x"][:2] == [0, 25]


def test_a_tensor_that_requires_gradients_is_refused_as_by_matplotlib() -> None:
    with pytest.raises(RuntimeError) as wanted:
        np.asarray(torch.ones(1, requires_grad=True))
    assert str(run(HEAD + "plt.plot(torch.ones(2, requires_grad=True))").error) == f"RuntimeError: {wanted.value}"


@pytest.mark.parametrize(
    "source",
    [
        "for i in range(100):\n    plt.figure()", "for i in range(100):\n    plt.plot([1])", "plt.subplots(1000, 1000)", "plt.hist([1, 2], bins=10**8)",
        "for i in range(100):\n    plt.subplot(1, 1, 1)",
    ],
)  # fmt: skip
def test_what_would_be_too_much_is_stopped(source: str) -> None:
    assert isinstance(run(HEAD + source).error, BoundsExceeded)


@pytest.mark.parametrize(
    "source",
    [
        "plt.plot(print)", "plt.plot('abc')", "plt.plot([1, 2], [3])", "plt.plot([1], 'no format')", "plt.imshow([1, 2])", "plt.imshow(torch.zeros(0, 0))",
        "plt.bar([print], [1])", "plt.rcParams", "plt.figure().canvas", "plt.subplots()[1].marks", "plt.subplots()[0].axes", "plt.subplots(2)[1].rows",
        "plt.subplots(2)[1][5]", "plt.gca().name('marks', 1)", "plt.gca().add({})", "plt.subplots()[1].report()", "plt.imread('/etc/passwd')",
        "plt.hist([1], bins=print)", "plt.np", "plt.subplots('a')", "plt.scatter([1])", "plt.figure().method('x')",
    ],
)  # fmt: skip
def test_nothing_else_of_a_figure_can_be_reached(source: str) -> None:
    error = run(HEAD + source).error
    assert isinstance(error, (Refused, OperationFailed)), error
    assert "object at 0x" not in str(error)


def test_scalars_of_tensorboard_are_curves() -> None:
    source = """from torch.utils.tensorboard import SummaryWriter
writer = SummaryWriter("runs")
for step in range(3000):
    writer.add_scalar("loss", torch.tensor(1.0) / (step + 1), step)
writer.add_scalars("accuracy", {"train": 0.5, "test": 0.25}, 1)
writer.add_image("digit", torch.ones(1, 4, 4))
writer.close()"""
    execution = run(source, bounds=Bounds(seconds=20))
    assert execution.error is None, execution.error
    loss, accuracy, digit = (figure["plots"][0] for figure in report(execution)["figures"])
    assert loss["title"] == "loss"
    assert loss["marks"][0]["y"][0] == 1
    assert 500 < len(loss["marks"][0]["x"]) <= MOST_POINTS
    assert [(mark["label"], mark["y"]) for mark in accuracy["marks"]] == [("train", [0.5]), ("test", [0.25])]
    assert digit["marks"][0]["rows"] == [[1] * 4] * 4
