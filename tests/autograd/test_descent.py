"""Descents equal those of `torch.optim` with a handwritten loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from playground.autograd.descent import OPTIMIZERS, descend, heights, walk
from playground.autograd.surfaces import OPTIMIZER_NAMES, SURFACES
from playground.errors import PlaygroundError, UnknownName


@pytest.mark.parametrize("name", SURFACES)
def test_heights_equal_those_of_numpy(name: str) -> None:
    surface = SURFACES[name]
    across, down, values = heights(surface.expression, surface.x, surface.y, 7)
    x, y = np.meshgrid(across, down)
    expected = eval(surface.expression, {"x": x, "y": y})  # noqa: S307 (a surface of this project)
    assert np.allclose(values, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_step_equals_that_of_torch_optim(optimizer: str) -> None:
    surface = SURFACES["valley"]
    path = walk(surface.expression, (-4.0, 1.0), optimizer, 0.05, 0.9, 20)
    x, y = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (-4.0, 1.0))
    reference = OPTIMIZERS[optimizer]([x, y], 0.05, 0.9)
    for point in path.points:
        loss = x**2 / 20 + 5 * y**2
        assert point == (x.item(), y.item(), loss.item())
        reference.zero_grad()
        loss.backward()
        reference.step()
    assert len(path.points) == 21


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_descends_the_valley(optimizer: str) -> None:
    surface = SURFACES["valley"]
    path = walk(surface.expression, surface.start, optimizer, surface.learning_rate, 0.9, 300)
    assert not path.diverged
    assert path.points[-1][2] < path.points[0][2] / 20


def test_a_descent_with_a_high_learning_rate_is_marked_as_diverged() -> None:
    path = walk("5 * y**2 + x", (0.0, 1.0), "SGD", 1.0, 0.0, 200)
    assert path.diverged
    assert 1 < len(path.points) < 200


def test_gradient_descent_finds_the_minimum_of_another_expression() -> None:
    path = walk("torch.sin(x) + y**2", (0.0, 1.0), "SGD", 0.1, 0.0, 200)
    assert path.points[-1][:2] == pytest.approx((-np.pi / 2, 0.0), abs=1e-2)


def test_parameters_stay_on_a_flat_surface() -> None:
    assert set(walk("3", (1.0, 2.0), "Adam", 0.1, 0.0, 5).points) == {(1.0, 2.0, 3.0)}


@pytest.mark.parametrize("expression", ["x +", "open('x')", "x.sum()", "[x, y]", "__import__('os')", "w + 1"])
def test_an_expression_that_is_no_surface_is_refused(expression: str) -> None:
    with pytest.raises(PlaygroundError):
        heights(expression, (-1.0, 1.0), (-1.0, 1.0))


def test_the_page_names_every_optimizer() -> None:
    assert tuple(OPTIMIZERS) == OPTIMIZER_NAMES


def test_an_unknown_optimizer_is_refused() -> None:
    with pytest.raises(UnknownName, match="no optimizer called “Lion”"):
        walk("x", (0.0, 0.0), "Lion", 0.1, 0.0, 1)


REQUEST = {"expression": "x**2 + y**2", "start": [1, 1], "learning_rate": 0.1, "momentum": 0.9, "steps": 50, "optimizers": ["SGD", "Adam", "SGD"]}


def test_each_requested_optimizer_has_one_path() -> None:
    document = descend(REQUEST)
    assert [path["optimizer"] for path in document["paths"]] == ["SGD", "Adam"]
    assert all(len(path["points"]) == REQUEST["steps"] + 1 for path in document["paths"])


@pytest.mark.parametrize(
    "change",
    [
        {"start": [1]},
        {"start": "no"},
        {"learning_rate": "fast"},
        {"learning_rate": -1},
        {"momentum": 1},
        {"optimizers": 3},
        {"momentum": float("nan")},
        {"steps": 0},
        {"steps": 101},
        {"steps": "x"},
    ],
)
def test_a_malformed_request_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(PlaygroundError, match=r"race needs|must be at least|can take 1 to 100 steps"):
        descend({**REQUEST, **change})
