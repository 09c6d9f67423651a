"""The definition of an exercise, and helpers that draw random sizes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class Exercise:
    """A task with fresh random inputs each time, and a check of the result's properties."""

    name: str
    """Its name in the address: words joined by hyphens."""
    title: str
    level: int
    """Difficulty, from 1 to 5."""
    statement: str
    """Markdown; mentions every input and the name to assign."""
    make_inputs: Callable[[torch.Generator], dict[str, Any]]
    """Returns the inputs by name: numbers, tensors and arrays with random values and, where sensible, random sizes. Takes a CPU generator."""
    result_name: str
    """The name that the learner must assign."""
    check: Callable[[Mapping[str, Any], Any], str]
    """Takes the inputs from `copy_inputs` and the assigned result; returns one sentence on what is wrong, or an empty string. Never raises."""
    start: str
    """The initial content of the editor: valid Python with something left to do."""
    hints: tuple[str, ...]
    """From a first idea to almost the whole solution."""
    solution: str
    """One way to do it, in the language of the editor."""
    about_memory: bool = False
    """Whether the check tests which memory the result uses."""

    def copy_inputs(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Copy the inputs for `check`, before the learner's code runs with `inputs`.

        The check then knows the inputs even if the code changes them in place. Where the exercise is about memory, the copies are views of
        the same memory instead, so that addresses can be compared.
        """
        return {name: _alias(value) for name, value in inputs.items()} if self.about_memory else copy.deepcopy(dict(inputs))


def _alias(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach()
    return value.view() if isinstance(value, np.ndarray) else value


def size(draw: torch.Generator, low: int, high: int) -> int:
    """Draw a whole number from `low` to `high`, both included."""
    return int(torch.randint(low, high + 1, (), generator=draw))


def sizes(draw: torch.Generator, count: int, low: int, high: int) -> list[int]:
    """Draw different whole numbers from `low` to `high`, so that exchanged dimensions show in the shape."""
    return [low + offset for offset in torch.randperm(high + 1 - low, generator=draw)[:count].tolist()]
