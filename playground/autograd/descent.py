"""Let optimizers of `torch.optim` descend a loss surface of two parameters, with gradients by autograd.

Source: https://docs.pytorch.org/docs/stable/optim.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

import torch

from playground.autograd.surfaces import OWN_SURFACE
from playground.errors import PlaygroundError, UnknownName
from playground.messages import msg
from playground.tensors.language import interpreter

POINTS = 81
"""Points of the drawn surface along each axis."""
DIVERGED_ABOVE = 1e6
"""Magnitude of a parameter or loss above which a descent has diverged."""

Parameters = list[torch.Tensor]
OPTIMIZERS: dict[str, Callable[[Parameters, float, float], torch.optim.Optimizer]] = {
    "SGD": lambda parameters, learning_rate, _momentum: torch.optim.SGD(parameters, learning_rate),
    "SGD with momentum": lambda parameters, learning_rate, momentum: torch.optim.SGD(parameters, learning_rate, momentum=momentum),  # no text: a name
    "Nesterov": lambda parameters, learning_rate, momentum: torch.optim.SGD(parameters, learning_rate, momentum=momentum, nesterov=momentum > 0),
    "RMSprop": lambda parameters, learning_rate, _momentum: torch.optim.RMSprop(parameters, learning_rate),
    "Adam": lambda parameters, learning_rate, _momentum: torch.optim.Adam(parameters, learning_rate),
    "AdamW": lambda parameters, learning_rate, _momentum: torch.optim.AdamW(parameters, learning_rate),
}


@dataclass(frozen=True)
class Path:
    """The descent of one optimizer."""

    optimizer: str
    points: tuple[tuple[float, float, float], ...]
    """x, y and the loss at each step, the start first."""
    diverged: bool


class OptimizerPath(TypedDict):
    """A path as plain data."""

    optimizer: str
    points: list[tuple[float, float, float]]
    diverged: bool


class Descent(TypedDict):
    """A surface and the paths of some optimizers."""

    x: list[float]
    y: list[float]
    z: list[list[float]]
    """A row for each y."""
    paths: list[OptimizerPath]


def heights(expression: str, x: tuple[float, float], y: tuple[float, float], points: int = POINTS) -> tuple[list[float], list[float], list[list[float]]]:
    """Evaluate the loss on a grid.

    Args:
        expression: the loss in `x` and `y`.
        x: lower and upper limit of the grid along the axis, as for `y`.
        points: number of points along each axis.

    Returns:
        The grid's coordinates along x, those along y, and the losses: a row for each y.

    Raises:
        PlaygroundError: the expression does not give one number for each x and y.
    """
    across, down = torch.linspace(*x, points), torch.linspace(*y, points)
    columns, rows = torch.meshgrid(across, down, indexing="xy")
    values = _evaluate(expression, columns, rows)
    if values.shape != columns.shape:
        raise PlaygroundError(
            msg("The expression must give one number for each x and y."), msg("Use operations that work cell by cell, such as `x**2 + torch.sin(y)`.")
        )
    return across.tolist(), down.tolist(), values.tolist()


def walk(expression: str, start: tuple[float, float], optimizer: str, learning_rate: float, momentum: float, steps: int) -> Path:
    """Let one optimizer descend from `start`.

    Raises:
        UnknownName: there is no such optimizer.
        PlaygroundError: the expression cannot be evaluated.
    """
    if optimizer not in OPTIMIZERS:
        raise UnknownName(msg("optimizer"), optimizer, OPTIMIZERS)
    x, y = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in start)
    stepper = OPTIMIZERS[optimizer]([x, y], learning_rate, momentum)
    points: list[tuple[float, float, float]] = []
    for _ in range(steps + 1):
        stepper.zero_grad()
        loss = _evaluate(expression, x, y)
        point = (x.item(), y.item(), loss.item())
        if not all(math.isfinite(value) and abs(value) < DIVERGED_ABOVE for value in point):
            return Path(optimizer, tuple(points), diverged=True)
        points.append(point)
        if loss.requires_grad:
            torch.autograd.backward(loss)
            stepper.step()
    return Path(optimizer, tuple(points), diverged=False)


def descend(request: Mapping[str, Any]) -> Descent:
    """Return the learner's own surface and the paths of some optimizers on it.

    Args:
        request: `expression`, `start`, `learning_rate`, `momentum`, `steps` and `optimizers`.

    Raises:
        PlaygroundError: a field is missing or malformed, or the expression cannot be evaluated.
    """
    try:
        expression, names = str(request["expression"]), dict.fromkeys(map(str, request["optimizers"]))
        x, y = map(float, request["start"])
        learning_rate, momentum, steps = float(request["learning_rate"]), float(request["momentum"]), int(request["steps"])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise PlaygroundError(msg("A request for a race needs `expression`, `start`, `learning_rate`, `momentum`, `steps` and `optimizers`.")) from None
    if not (learning_rate >= 0 and 0 <= momentum < 1):
        raise PlaygroundError(msg("The learning rate must be at least 0, and the momentum from 0 to below 1."))
    if not 1 <= steps <= OWN_SURFACE.steps[-1]:
        raise PlaygroundError(msg("The optimizers can take 1 to {most} steps, not {steps}.", most=OWN_SURFACE.steps[-1], steps=steps))
    across, down, values = heights(expression, OWN_SURFACE.x, OWN_SURFACE.y)
    paths = [walk(expression, (x, y), name, learning_rate, momentum, steps) for name in names]
    plain: list[OptimizerPath] = [{"optimizer": path.optimizer, "points": list(path.points), "diverged": path.diverged} for path in paths]
    return {"x": across, "y": down, "z": values, "paths": plain}


def _evaluate(expression: str, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Evaluate the expression with the interpreter of learners' scripts."""
    execution = interpreter.run(f"z = {expression.strip()}", {"x": x, "y": y})
    if execution.error is not None:
        raise PlaygroundError(execution.error.message, execution.error.hint)
    value = execution.names["z"]
    if isinstance(value, (int, float)):
        return torch.full_like(x, float(value))
    if not isinstance(value, torch.Tensor):
        raise PlaygroundError(msg("The expression must give one number for each x and y."))
    return value
