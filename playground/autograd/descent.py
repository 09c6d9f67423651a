"""Optimizers racing down a surface of two parameters, each step taken by `torch.optim` with gradients by autograd.

Source: https://docs.pytorch.org/docs/stable/optim.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from playground.errors import PlaygroundError, UnknownName
from playground.tensors.language import interpreter

POINTS = 81
"""Points of the drawn surface along each axis."""
FAR = 1e6
"""A parameter or loss beyond this has diverged."""


Parameters = list[torch.Tensor]
OPTIMIZERS: dict[str, Callable[[Parameters, float, float], torch.optim.Optimizer]] = {
    "SGD": lambda parameters, rate, _momentum: torch.optim.SGD(parameters, rate),
    "SGD with momentum": lambda parameters, rate, momentum: torch.optim.SGD(parameters, rate, momentum=momentum),
    "Nesterov": lambda parameters, rate, momentum: torch.optim.SGD(parameters, rate, momentum=momentum, nesterov=momentum > 0),
    "RMSprop": lambda parameters, rate, _momentum: torch.optim.RMSprop(parameters, rate),
    "Adam": lambda parameters, rate, _momentum: torch.optim.Adam(parameters, rate),
    "AdamW": lambda parameters, rate, _momentum: torch.optim.AdamW(parameters, rate),
}


@dataclass(frozen=True)
class Path:
    """The way of one optimizer."""

    optimizer: str
    points: tuple[tuple[float, float, float], ...]
    """x, y and the loss there, from the start on."""
    diverged: bool


def heights(expression: str, x: tuple[float, float], y: tuple[float, float], points: int = POINTS) -> tuple[list[float], list[float], list[list[float]]]:
    """The surface's loss on a grid: the places along x, those along y, and a row for each y.

    Raises:
        PlaygroundError: the expression is not one that gives a number for each x and y.
    """
    across, down = torch.linspace(*x, points), torch.linspace(*y, points)
    columns, rows = torch.meshgrid(across, down, indexing="xy")
    values = _evaluated(expression, columns, rows)
    if values.shape != columns.shape:
        raise PlaygroundError("The expression must give one number for each x and y.", "Use operations that work cell by cell, such as `x**2 + torch.sin(y)`.")
    return across.tolist(), down.tolist(), values.tolist()


def walk(expression: str, start: tuple[float, float], optimizer: str, rates: tuple[float, float], steps: int) -> Path:
    """Let one optimizer go down from `start`.

    Args:
        rates: learning rate and momentum.

    Raises:
        UnknownName: there is no such optimizer.
        PlaygroundError: the expression cannot be evaluated.
    """
    if optimizer not in OPTIMIZERS:
        raise UnknownName("optimizer", optimizer, OPTIMIZERS)
    x, y = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in start)
    taken = OPTIMIZERS[optimizer]([x, y], *rates)
    points: list[tuple[float, float, float]] = []
    for _ in range(steps + 1):
        taken.zero_grad()
        loss = _evaluated(expression, x, y)
        here = (x.item(), y.item(), loss.item())
        if not all(math.isfinite(value) and abs(value) < FAR for value in here):
            return Path(optimizer, tuple(points), diverged=True)
        points.append(here)
        if loss.requires_grad:
            torch.autograd.backward(loss)
            taken.step()
    return Path(optimizer, tuple(points), diverged=False)


def descend(request: Mapping[str, Any]) -> dict[str, Any]:
    """A surface and the ways of the optimizers that are asked for, as plain data."""
    x, y = (tuple(request[axis]) for axis in ("x", "y"))
    across, down, values = heights(str(request["expression"]), x, y)
    rates = (float(request["learning_rate"]), float(request["momentum"]))
    paths = [walk(str(request["expression"]), tuple(request["start"]), name, rates, int(request["steps"])) for name in _names(request["optimizers"])]
    return {"x": across, "y": down, "z": values, "paths": [{"optimizer": path.optimizer, "points": path.points, "diverged": path.diverged} for path in paths]}


def _names(asked: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(map(str, asked)))[: len(OPTIMIZERS)]


def _evaluated(expression: str, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The expression's value, interpreted as any learner's text is."""
    execution = interpreter.run(f"z = {expression.strip()}", {"x": x, "y": y})
    if execution.error is not None:
        raise PlaygroundError(execution.error.message, execution.error.hint)
    value = execution.names["z"]
    if isinstance(value, (int, float)):
        return torch.full_like(x, float(value))
    if not isinstance(value, torch.Tensor):
        raise PlaygroundError("The expression must give one number for each x and y.")
    return value
