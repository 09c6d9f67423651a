"""Drawings that are no digit, drawn at random: letters, scribbles, and two digits in one box."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from playground.data.pen import Random, Stroke, Strokes, arc, as_image, by_another_hand, rounded
from playground.data.preprocessing import Pixels, to_digit

LETTERS = (
    "0,10 5,0 10,10 / 2,6 8,6",  # A
    "0,0 0,10 / 8,0 0,0 / 6,5 0,5 / 8,10 0,10",  # E
    "0,10 0,0 8,0 / 0,5 6,5",  # F
    "0,0 0,10 / 8,0 8,10 / 0,5 8,5",  # H
    "0,0 0,10 / 7,0 0,6 / 2,4 8,10",  # K
    "0,10 1,0 5,7 9,0 10,10",  # M
    "0,10 0,0 8,10 8,0",  # N
    "0,10 0,0 ~5,0 8,1 8,5 5,6~ 0,6",  # P
    "0,10 0,0 ~5,0 8,1 8,4 5,5~ 0,5 / 3,5 8,10",  # R
    "0,0 10,0 / 5,0 5,10",  # T
    "~0,0 0,7 2,10 6,10 8,7~ 8,0",  # U
    "0,0 5,10 10,0",  # V
    "0,0 3,10 5,3 7,10 10,0",  # W
    "0,0 8,10 / 8,0 0,10",  # X
    "0,0 4,5 8,0 / 4,5 4,10",  # Y
    "~8,1 5,0 1,2 0,5 1,8 5,10 8,9~",  # C
    "6,0 6,7 ~5,10 1,10 0,7~",  # J
    "0,0 0,10 / ~0,6 3,4 6,5~ 6,10",  # h
    "0,4 0,10 / ~0,5 3,4 5,5~ 5,10 / ~5,5 8,4 10,5~ 10,10",  # m
    "0,4 0,10 / ~0,6 3,4 6,5~ 6,10",  # n
    "0,4 4,10 / 8,4 1,14",  # y
    "0,4 0,10 / ~0,6 2,4 5,4~",  # r
    "6,0 6,10 / ~6,6 4,4 1,5 0,7 1,9 4,10 6,8~",  # d
    "~6,5 3,4 0,6 1,9 4,10 6,8~ / 6,4 6,10",  # a
    "~0,7 6,6 5,4 2,4 0,6 1,9 3,10 6,9~",  # e
    "4,0 3,10 / 0,3 7,3",  # t
    "~5,0 3,1 3,4~ 3,10 / 0,4 6,4",  # f
    "0,10 5,0 10,10 0,10",  # a triangle
    "0,0 8,0 8,10 0,10 0,0",  # a square
    "0,5 10,5 / 5,0 5,10",  # plus
    "0,5 3,10 10,0",  # a tick
    "~5,2 2,0 0,3 5,10~ / ~5,2 8,0 10,3 5,10~",  # a heart
)
"""Characters that are like no digit, as points of ten by ten; a part between two ~ is a curve, and / lifts the pen."""


def no_digit(random: Random, digits: Tensor) -> Pixels:
    """Draw something that is no digit: ``(28, 28)`` from 0 to 255.

    Args:
        random: chooses what, and how.
        digits: ``(N, 1, 28, 28)`` uint8, digits of which two side by side are no digit.
    """
    kind = random.random()
    if kind < 0.2:
        left, right = (digits[int(index), 0].numpy().astype(np.float64) for index in random.integers(len(digits), size=2))
        return _two_digits(left, right, random)
    if kind < 0.55:
        return as_image(by_another_hand(_letter(str(random.choice(LETTERS))), random), random)
    return as_image(SCRIBBLES[int(random.integers(len(SCRIBBLES)))](random), random)


def _letter(text: str) -> Strokes:
    return [_stroke(part.split()) for part in text.split("/")]


def _stroke(words: Sequence[str]) -> Stroke:
    points = np.array([[float(number) / 10 for number in word.strip("~").split(",")] for word in words])
    marks = [index for index, word in enumerate(words) if "~" in word]
    if not marks:
        return points
    first, last = marks[0], marks[-1]
    return np.concatenate([points[:first], rounded(points[first : last + 1]), points[last + 1 :]])


def _two_digits(left: Pixels, right: Pixels, random: Random) -> Pixels:
    """Put two digits side by side, touching or nearly so."""
    columns = [np.flatnonzero(image.any(axis=0)) for image in (left, right)]
    left, right = (image[:, part[0] : part[-1] + 1] for image, part in zip((left, right), columns, strict=True))
    gap = int(random.integers(-3, 3))
    paper = np.zeros((left.shape[0] + 6, left.shape[1] + right.shape[1] + gap))
    up, down = random.integers(0, 6, 2)
    paper[up : up + left.shape[0], : left.shape[1]] = left
    part = paper[down : down + right.shape[0], left.shape[1] + gap :]
    np.maximum(part, right, out=part)
    return to_digit(paper).centred


def _walk(random: Random) -> Strokes:
    """Return a line that wanders."""
    turns = np.cumsum(random.normal(0, random.uniform(0.2, 1.0), random.integers(10, 60)))
    return [np.cumsum(np.stack([np.cos(turns), np.sin(turns)], axis=1), axis=0)]


def _zigzag(random: Random) -> Strokes:
    count = int(random.integers(4, 14))
    points = np.stack([np.linspace(0, random.uniform(0.3, 1.2), count), np.arange(count) % 2 + random.normal(0, 0.08, count)], axis=1)
    turned = points if random.random() < 0.5 else points[:, ::-1]
    return [rounded(turned, int(random.integers(0, 3)))]


def _lines(random: Random) -> Strokes:
    """Return straight strokes anywhere."""
    return [random.uniform(0, 1, (2, 2)) for _ in range(random.integers(2, 6))]


def _polygon(random: Random) -> Strokes:
    return [rounded(random.uniform(0, 1, (random.integers(4, 9), 2)), int(random.integers(0, 3)))]


def _dots(random: Random) -> Strokes:
    return [random.uniform(0, 1, (1, 2)) + random.normal(0, 0.01, (2, 2)) for _ in range(random.integers(2, 9))]


def _spiral(random: Random) -> Strokes:
    spiral = arc((0, 0), (1, 1), random.random(), random.choice([-1, 1]) * random.uniform(2, 5))
    return [spiral * np.linspace(random.uniform(0, 0.2), 1, len(spiral))[:, None]]


def _face(random: Random) -> Strokes:
    """Return a circle with something in it that is no slash."""
    inside: list[Stroke] = [random.uniform(-0.4, 0.4, (2, 2)) * 0.6 for _ in range(random.integers(2, 5))]
    return [arc((0, 0), (1, random.uniform(0.8, 1)), 0, 1.02), *inside]


def _level(random: Random) -> Strokes:
    """Return one line from side to side, or one arc."""
    if random.random() < 0.5:
        return [np.array([[0, 0], [1, random.normal(0, 0.12)]])]
    return [arc((0, 0), (1, random.uniform(0.3, 1)), random.random(), random.uniform(0.3, 0.55))]


SCRIBBLES: tuple[Callable[[Random], Strokes], ...] = (_walk, _walk, _zigzag, _lines, _polygon, _dots, _spiral, _face, _level)
"""Functions that draw at random: about 1 high, or of any size."""
