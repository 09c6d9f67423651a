"""Exercises on tensors: random inputs, and checks of the properties of the learner's result."""

from __future__ import annotations

from playground.errors import UnknownName
from playground.messages import msg
from playground.tensors.exercises.applying import APPLYING
from playground.tensors.exercises.combining import COMBINING
from playground.tensors.exercises.creating import CREATING
from playground.tensors.exercises.definition import Exercise
from playground.tensors.exercises.shaping import SHAPING
from playground.tensors.exercises.thinking import THINKING

__all__ = ["EXERCISES", "Exercise", "exercise"]

EXERCISES: tuple[Exercise, ...] = (*CREATING, *SHAPING, *COMBINING, *APPLYING, *THINKING)
"""All exercises in teaching order; levels never decrease."""


def exercise(name: str) -> Exercise:
    """Return the exercise of that name.

    Raises:
        UnknownName: there is none.
    """
    for each in EXERCISES:
        if each.name == name:
            return each
    raise UnknownName(msg("exercise"), name, (each.name for each in EXERCISES))
