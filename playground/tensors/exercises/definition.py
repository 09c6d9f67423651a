"""Defines exercises, and draws the random sizes of their inputs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class Exercise:
    """A task on tensors with random inputs, and a check of the result."""

    name: str
    """Name in the address: words joined by hyphens."""
    title: str
    level: int
    """Difficulty, from 1 to 5."""
    statement: str
    """The task in Markdown; it mentions every input and the name to assign."""
    make_inputs: Callable[[torch.Generator], dict[str, Any]]
    """Takes a CPU generator; returns the inputs by name: numbers, tensors and arrays with random values and, where sensible, random sizes."""
    result_name: str
    """The name that the learner must assign."""
    check: Callable[[Mapping[str, Any], Any], str]
    """Takes the inputs from `copy_inputs` and the assigned result; returns one sentence on what is wrong, or an empty string. Raises nothing."""
    start: str
    """Initial content of the editor: valid, incomplete Python."""
    hints: tuple[str, ...]
    """Hints, from a first idea to almost the complete solution."""
    solution: str
    """A correct script."""
    about_memory: bool = False
    """Whether the check tests which memory the result uses."""

    def copy_inputs(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Copy the inputs for `check`, before the learner's code runs with `inputs`.

        The check has the original inputs even if the code changes them in place. In an exercise about memory the copies are views
        instead, so that addresses can be compared.
        """
        return {name: _alias(value) for name, value in inputs.items()} if self.about_memory else copy.deepcopy(dict(inputs))


def _alias(value: Any) -> Any:
    """Return a view of a tensor or array; other values unchanged."""
    if isinstance(value, torch.Tensor):
        return value.detach()
    return value.view() if isinstance(value, np.ndarray) else value


def draw_size(generator: torch.Generator, low: int, high: int) -> int:
    """Draw an integer from `low` to `high`, both included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def draw_sizes(generator: torch.Generator, count: int, low: int, high: int) -> list[int]:
    """Draw different integers from `low` to `high`, both included, so that transposed dimensions give another shape."""
    return [low + offset for offset in torch.randperm(high + 1 - low, generator=generator)[:count].tolist()]
