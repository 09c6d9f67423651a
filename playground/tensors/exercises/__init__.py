"""Exercises on tensors: random inputs, and checks of the properties of the learner's result."""

from __future__ import annotations

from collections.abc import Collection

from playground.errors import UnknownName
from playground.messages import msg
from playground.tensors.exercises.applying import APPLYING
from playground.tensors.exercises.combining import COMBINING
from playground.tensors.exercises.creating import CREATING
from playground.tensors.exercises.definition import Exercise
from playground.tensors.exercises.shaping import SHAPING
from playground.tensors.exercises.thinking import THINKING

__all__ = ["EXERCISES", "Exercise", "exercise", "next_unsolved"]

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


def next_unsolved(after: Exercise, solved: Collection[str]) -> Exercise | None:
    """Return the exercise to do next: the first unsolved one after another, or else before it; None where all others are solved."""
    place = EXERCISES.index(after)
    return next((each for each in EXERCISES[place + 1 :] + EXERCISES[:place] if each.name not in solved), None)
