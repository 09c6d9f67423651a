"""What an exercise is, and how its random sizes are drawn."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class Exercise:
    """A task with fresh random inputs each time, and a check of the properties that a right result has."""

    name: str
    """What the address calls it, words joined by hyphens."""
    title: str
    level: int
    """From 1, first steps, to 5, think."""
    statement: str
    """Markdown; names every input and the name to assign."""
    given: Callable[[torch.Generator], dict[str, Any]]
    """The inputs by name, drawn by a generator of the CPU: numbers, tensors and arrays, random in values and where sensible in sizes."""
    wanted: str
    """The name that the learner must assign."""
    check: Callable[[Mapping[str, Any], Any], str]
    """From the inputs as `kept` keeps them and what was assigned: empty when right, else one sentence on what is not. Never raises."""
    start: str
    """What stands in the editor at first: valid Python, with something left to do."""
    hints: tuple[str, ...]
    """From a nudge to nearly all of it."""
    solution: str
    """One way to do it, in the language of the editor."""
    about_memory: bool = False
    """Whether the check asks whose memory the result uses."""

    def kept(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs for `check`, to be taken before the learner's code runs with `given`.

        They are copies, so that the check knows the inputs even if the code changes them in place. Where the exercise is about
        memory, they are other views of the same memory instead: their shapes stay, and their addresses can be compared.
        """
        return {name: _alias(value) for name, value in given.items()} if self.about_memory else copy.deepcopy(dict(given))


def _alias(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach()
    return value.view() if isinstance(value, np.ndarray) else value


def size(draw: torch.Generator, low: int, high: int) -> int:
    """A random whole number from `low` to `high`, both included."""
    return int(torch.randint(low, high + 1, (), generator=draw))


def sizes(draw: torch.Generator, count: int, low: int, high: int) -> list[int]:
    """Random whole numbers from `low` to `high`, all different, so that a mixed-up dimension shows in the shape."""
    return [low + offset for offset in torch.randperm(high + 1 - low, generator=draw)[:count].tolist()]
