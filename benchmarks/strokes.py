"""Digits as people write them with a pen: more than ten ways for each, as strokes, and what a canvas makes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw
from scipy.interpolate import CubicSpline

from playground.data.preprocessing import Pixels

SIDE = 140
"""Side in pixels of the drawing that the browser sends."""
WIDTH = 0.07
"""Width of the pen that the page begins with, as a share of the canvas: 20 of 280 pixels."""
STEPS = 8
"""Straight pieces between two control points of a curve."""
FINER = 8
"""A stroke is drawn so many times as large and then averaged, which makes its edges soft."""

Point = tuple[float, float]
Stroke = tuple[Point, ...]
Strokes = tuple[Stroke, ...]

_WRITTEN = {
    "0": {
        "round": "50,0 22,12 10,50 22,88 50,100 78,88 90,50 78,12 50,0",
        "oval": "50,0 30,12 20,50 30,88 50,100 70,88 80,50 70,12 50,0",
        "narrow": "50,0 38,14 32,50 38,86 50,100 62,86 68,50 62,14 50,0",
        "wide": "50,15 20,24 5,50 20,76 50,85 80,76 95,50 80,24 50,15",
        "leaning": "66,0 42,14 25,50 24,86 38,100 60,88 76,50 78,14 66,0",
        "not quite closed": "62,3 42,3 25,20 20,50 28,84 50,100 71,86 79,50 74,24",
        "open at the top": "42,3 26,20 20,52 30,88 52,100 74,86 80,50 74,20 60,5",
        "ends crossing": "60,3 36,8 22,32 21,64 34,93 54,100 73,84 79,50 66,18 34,0",
        "curl inside": "60,6 38,4 22,26 20,60 34,94 56,98 76,78 80,44 68,14 52,6 44,16 52,24",
        "two halves": "53,0 28,14 20,50 28,86 53,100 / 48,1 72,14 80,50 72,86 48,99",
        "egg": "50,0 28,8 18,34 27,70 50,100 73,70 82,34 72,8 50,0",
        "slashed": "50,0 30,12 20,50 30,88 50,100 70,88 80,50 70,12 50,0 / 72,14 28,86",
        "tail to the right": "52,2 28,12 18,48 28,88 50,100 72,86 77,46 64,14 52,3 66,7 84,3",
    },
    "1": {
        "plain": "50,0 50,100",
        "leaning to the right": "63,0 37,100",
        "leaning to the left": "42,0 56,100",
        "flag": "34,22 54,0! 54,100",
        "long flag": "20,44 54,0! 54,100",
        "flag and base": "34,20 52,0! 52,100 / 28,100 76,100",
        "base": "50,0 50,100 / 30,100 70,100",
        "curved flag": "30,24 42,17 53,0! 51,100",
        "bow": "56,0 48,30 47,70 54,100",
        "two pieces": "50,0 49,42 / 50,58 51,100",
        "leaning flag": "44,16 62,0! 42,100",
        "long flag and base": "24,38 56,0! 54,100 / 26,98 82,100",
        "stroke from below": "14,62 56,0! 56,100",
        "hooked foot": "50,0 50,88 54,97 66,94",
    },
    "2": {
        "plain": "22,24 34,4 56,0 76,14 75,38 54,64 18,100! 82,100",
        "loop": "24,22 38,3 60,2 75,20 69,46 46,78 27,96 17,92 22,83 38,86 60,98 84,94",
        "large loop": "24,26 38,4 62,2 76,22 66,54 42,84 22,97 11,86 22,74 42,82 64,98 92,88",
        "like a Z": "18,8 44,3 78,4! 20,97! 84,96",
        "swan": "24,24 40,2 66,4 75,26 60,56 20,95! 40,89 62,97 86,86",
        "large head": "18,32 26,8 50,0 78,12 81,38 60,64 18,100! 86,100",
        "small head": "34,18 44,3 60,3 65,20 52,50 16,100! 84,98",
        "leaning": "40,20 54,2 78,2 88,20 72,50 14,98! 76,98",
        "base apart": "22,24 34,4 56,0 76,14 75,36 57,60 34,82 / 14,100 84,97",
        "curl at the start": "36,28 24,30 20,18 32,4 56,0 76,14 75,38 54,64 18,100! 84,100",
        "wide": "8,36 24,14 52,10 74,24 64,48 8,90! 95,90",
        "falling base": "22,22 38,3 64,3 74,24 58,52 22,84! 84,100",
        "wave at the foot": "24,18 48,2 70,16 62,46 34,80 22,92 32,97 54,90 86,100",
    },
    "3": {
        "round": "22,14 44,0 68,7 74,26 62,42 42,47! 68,52 80,72 70,92 44,100 18,88",
        "flat top": "20,2! 76,2! 46,40! 70,46 82,70 68,94 42,100 16,88",
        "loop in the middle": "24,12 46,0 70,10 70,32 52,47 40,49 40,41 52,44 74,56 80,78 62,97 38,100 18,86",
        "no corner": "24,10 48,0 70,12 71,34 61,48 72,60 78,78 60,96 34,100 18,90",
        "small above": "34,11 50,0 64,9 60,28 46,36! 74,43 86,68 68,95 36,100 14,84",
        "large above": "16,16 44,0 75,10 76,38 46,54! 66,59 72,77 60,95 40,100 22,93",
        "narrow": "36,10 50,0 62,12 60,36 46,47! 62,53 66,76 56,97 42,100 32,90",
        "leaning": "38,12 60,0 82,8 82,28 64,42 48,46! 68,53 72,74 56,94 32,100 10,90",
        "two pieces": "24,12 46,0 70,10 69,30 52,43 / 36,52 70,58 80,78 62,97 38,100 18,90",
        "hasty": "22,5 56,2 72,10 62,26 38,44! 66,54 74,68 60,86 18,100",
        "curled ends": "32,20 23,14 42,0 69,8 71,30 48,46! 74,54 80,78 60,98 32,97 21,85 29,79",
        "long tail": "28,8 50,0 68,12 62,32 44,42! 68,50 73,70 54,90 8,100",
        "shallow": "30,6 52,2 62,16 54,34 40,44! 58,56 61,76 48,92 24,100",
    },
    "4": {
        "open": "32,0 18,58! 84,58 / 64,26 64,100",
        "closed": "62,0 14,66! 86,66 / 62,0 62,100",
        "sail": "90,58! 12,58! 70,0! 58,100",
        "slanting": "38,0 16,56! 84,50 / 72,10 58,100",
        "square": "22,0 22,52! 86,52 / 72,0 72,100",
        "rounded": "28,2 20,32 26,50 48,53 80,46 / 76,4 71,50 66,100",
        "one stroke": "22,4 22,38 36,51 56,46 76,2! 70,50 62,100",
        "long bar": "52,0 8,68! 96,68 / 60,42 60,100",
        "short stem": "44,0 14,62! 86,62 / 60,44 60,100",
        "three pieces": "38,0 18,46 / 14,58 88,56 / 70,14 66,100",
        "narrow": "58,0 28,64! 76,64 / 58,0 58,100",
        "loop in the corner": "42,0 20,48 13,62 19,66 30,58 24,52 44,58 86,56 / 68,18 62,100",
        "bar up to the stem": "40,0 16,62! 66,62 / 66,30 66,100",
        "high stem": "20,28 18,62! 74,60 / 74,0 72,100",
    },
    "5": {
        "bar beyond the stem": "35,4 26,44! 50,36 75,49 78,75 58,97 20,93 / 20,5 82,2",
        "one stroke": "76,2! 32,2! 27,44! 52,36 77,52 76,80 50,100 20,90",
        "like an S": "76,4 44,4 29,20 40,40 66,54 74,76 56,98 22,93",
        "bar apart": "27,8 24,46! 50,38 76,52 76,78 52,99 18,92 / 38,2 84,0",
        "large belly": "72,2! 36,2! 28,32! 60,27 84,52 77,86 46,100 14,88",
        "small belly": "74,2! 30,2! 26,58! 48,51 68,62 69,85 48,100 20,93",
        "leaning": "92,2! 50,2! 38,42! 60,36 80,52 74,80 46,100 12,92",
        "curled end": "76,2! 34,2! 28,44! 54,37 78,54 74,86 48,100 25,92 27,80",
        "rising bar": "30,12 26,48! 54,40 76,56 74,83 50,100 18,92 / 30,12 86,0",
        "square": "78,2! 26,2! 26,46! 68,46 75,54 74,90 66,98 20,98",
        "three pieces": "80,0 44,3 / 30,6 26,38 / 30,51 54,41 76,56 74,82 50,100 20,92",
        "narrow": "66,0! 38,0! 36,42! 52,38 64,52 64,80 52,99 32,94",
        "short bar": "64,0! 40,2! 34,42! 56,35 76,52 76,78 56,98 20,92",
    },
    "6": {
        "large loop": "66,2 40,16 23,50 23,82 46,100 71,91 77,70 63,53 42,55 25,74",
        "small loop": "62,0 38,26 22,64 28,93 48,100 63,88 59,73 44,71 27,86",
        "straight stem": "64,0 46,28 28,58 23,82 40,99 64,97 77,79 67,60 46,57 27,74",
        "upright stem": "30,0 25,48 28,86 50,100 71,90 73,70 58,57 38,61 27,78",
        "curled top": "76,13 66,2 46,4 26,30 20,66 34,95 58,100 76,84 73,62 54,53 34,61 23,78",
        "open loop": "66,0 38,20 22,56 29,90 52,100 72,88 72,67 54,59 41,66",
        "leaning": "88,0 58,18 32,52 24,84 40,100 64,92 74,70 62,54 42,60 28,80",
        "line and circle": "72,0 28,64 / 52,52 36,59 29,76 36,93 52,100 68,93 75,76 68,59 52,52",
        "loop crossing": "68,2 44,14 26,44 23,78 42,100 67,93 75,71 58,55 34,63 12,80",
        "narrow": "58,0 42,24 36,62 42,94 52,100 64,90 64,70 54,60 44,66 38,82",
        "wide": "74,4 38,18 12,52 14,82 44,98 82,90 90,70 70,56 38,58 14,76",
        "end inside": "66,2 40,16 23,50 23,82 46,100 71,91 76,70 62,56 46,60 40,72 50,78",
        "tall loop": "60,0 36,16 22,46 23,78 40,99 62,97 76,78 75,54 62,39 42,43 24,66",
    },
    "7": {
        "plain": "20,3! 80,3! 42,100",
        "bar": "20,3! 80,3! 42,100 / 36,52 78,50",
        "serif": "20,20! 22,3! 80,3! 44,100",
        "curved stem": "20,5! 78,3! 58,38 46,68 42,100",
        "serif and bar": "18,20! 20,3! 80,3! 44,100 / 34,50 80,48",
        "wavy top": "18,16 28,4 50,9 80,2! 44,100",
        "rounded corner": "20,8 46,2 70,4 74,22 56,62 44,100",
        "upright stem": "20,2! 70,2! 66,100",
        "leaning": "16,8! 88,2! 24,100",
        "two pieces": "16,4 68,3 / 82,8 46,100",
        "long bar": "18,4! 82,4! 42,100 / 22,54 88,46",
        "curved stem and bar": "16,10 40,3 80,4! 60,36 46,66 40,100 / 32,56 78,50",
        "long serif": "14,34 20,4! 82,4! 48,100",
        "short arm": "34,6! 72,3! 44,100",
    },
    "8": {
        "one stroke": "72,14 50,0 28,12 31,32 52,48 74,64 75,88 50,100 25,88 26,64 48,48 69,34 72,14",
        "two circles": "50,0 32,7 26,23 32,40 50,47 68,40 74,23 68,7 50,0 / 50,47 28,55 20,74 28,92 50,100 72,92 80,74 72,55 50,47",
        "circles apart": "50,0 33,6 27,20 33,35 50,41 67,35 73,20 67,6 50,0 / 50,57 30,64 23,78 30,93 50,100 70,93 77,78 70,64 50,57",
        "large above": "50,54 76,36 73,9 50,0 27,9 24,36 50,54 67,70 65,93 50,100 35,93 33,70 50,54",
        "open above": "74,16 56,0 32,6 30,28 50,46 72,64 73,88 50,100 27,90 27,68 46,50 62,34",
        "end running out": "62,2 38,2 28,18 38,38 60,56 70,78 54,99 32,92 32,70 52,46 84,4",
        "leaning": "84,12 66,0 44,10 42,32 54,48 68,66 60,90 34,100 14,88 22,66 48,48 76,34 84,12",
        "narrow": "62,14 50,0 38,12 40,34 52,48 64,66 62,90 50,100 38,90 36,66 48,48 60,34 62,14",
        "wide": "50,8 22,14 14,28 24,42 50,48 76,42 86,28 78,14 50,8 / 50,48 20,54 8,70 18,86 50,92 82,86 92,70 80,54 50,48",
        "hourglass": "26,6 50,2 74,6! 28,92! 50,98 74,92! 26,6",
        "small above": "60,8 50,0 38,8 42,24 58,38 80,62 74,92 48,100 20,90 20,62 44,38 60,24 60,8",
        "circles overlapping": "52,0 32,8 25,28 32,46 52,54 70,46 76,28 70,8 52,0 / 48,42 28,52 20,72 28,92 48,100 70,92 76,72 70,52 48,42",
        "lopsided": "76,12 62,0 46,9 46,26 60,42 70,62 64,90 40,100 22,86 28,64 54,40 72,28 76,12",
    },
    "9": {
        "straight tail": "73,18 58,2 36,4 23,24 30,45 52,50 69,36 74,6! 73,100",
        "curved tail": "74,16 58,1 36,4 23,24 31,45 52,49 70,36 74,16! 77,50 70,86 48,100 24,91",
        "stem apart": "46,0 28,7 21,25 28,43 46,50 64,43 70,25 63,7 46,0 / 86,2 82,100",
        "slanting tail": "78,12 60,1 38,6 25,27 34,45 56,46 72,30 78,12! 50,100",
        "small loop": "67,14 54,1 38,6 34,21 44,31 58,28 67,14! 68,46 62,100",
        "large loop": "79,22 58,1 30,5 14,34 26,61 54,64 74,44 79,22! 80,60 76,100",
        "open loop": "66,8 46,2 29,16 27,36 42,48 62,42 74,8! 73,100",
        "hook": "74,12 56,0 34,6 25,26 36,45 56,44 70,30 74,10! 75,60 73,86 58,100 36,96 28,84",
        "one sweep": "67,36 46,47 27,36 26,14 46,1 68,8 77,34 70,68 38,100",
        "leaning": "88,16 72,1 50,6 36,28 44,46 64,46 80,32 88,14! 72,56 48,100",
        "narrow": "63,14 52,1 40,8 36,26 44,42 56,40 63,22 64,8! 62,100",
        "two pieces": "70,10 54,1 34,6 25,25 33,44 52,48 68,38 / 75,4 74,46 70,100",
        "foot to the right": "70,16 52,1 32,8 24,26 34,44 54,44 68,26 72,8! 70,84 77,97 94,88",
    },
}
"""Digit → name of the way → its strokes, between slashes: points “x,y” in hundredths of the square, y downwards,
joined by a smooth curve that has a corner at those marked “!”."""


@dataclass(frozen=True)
class Way:
    """One way to write a digit."""

    digit: str
    name: str
    """In English, unique for the digit."""
    strokes: Strokes
    """Points in a unit square, y downwards; a stroke is straight between them."""


def ways(digit: str) -> tuple[Way, ...]:
    """All ways to write a digit."""
    return DIGITS[digit]


def tilted(strokes: Strokes, degrees: float) -> Strokes:
    """Turned clockwise about the middle of the square."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return tuple(tuple((0.5 + cosine * (x - 0.5) - sine * (y - 0.5), 0.5 + sine * (x - 0.5) + cosine * (y - 0.5)) for x, y in stroke) for stroke in strokes)


def unsteady(strokes: Strokes, by: float, seed: int) -> Strokes:
    """The same from a hand in a hurry: the paper seems bent in slow waves and every stroke begins a little off.

    Args:
        by: how far a point strays, at most about twice as far, as a share of the square.
    """
    random = np.random.default_rng(seed)
    waves, phases = random.uniform(-1.2, 1.2, (2, 2, 2)), random.uniform(0, 2 * math.pi, (2, 2))
    strayed = []
    for stroke in strokes:
        points = np.array(stroke)
        bent = np.sin(2 * math.pi * np.einsum("nc,awc->naw", points, waves) + phases).sum(axis=2)  # (points, axes)
        strayed.append(points + by * (bent + random.uniform(-0.5, 0.5, 2)))
    return tuple(tuple((float(x), float(y)) for x, y in points) for points in strayed)


def placed(strokes: Strokes, size: float = 0.6, place: Point = (0.5, 0.5), width: float = WIDTH) -> Strokes:
    """The strokes on a square canvas, in shares of it.

    Args:
        size: longer side of the box around the path that the middle of the pen takes, as a share of the canvas.
        place: where, as a share of the room that is left along x and y: (0, 0) is the upper left corner, (1, 1) the lower right.
        width: of the pen, which stays on the canvas where there is room.
    """
    points = np.array([point for stroke in strokes for point in stroke])
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    factor = size / extent.max()
    room = (1 - factor * extent - width).clip(min=0)
    start = np.where(room > 0, width / 2 + room * place, (1 - factor * extent) / 2)
    moved = [(np.array(stroke) - low) * factor + start for stroke in strokes]
    return tuple(tuple((float(x), float(y)) for x, y in stroke) for stroke in moved)


def render(strokes: Strokes, side: int = SIDE, width: float = WIDTH, place: Point = (0.5, 0.5), size: float = 0.6) -> Pixels:
    """What the canvas sends of these strokes: (side, side) ink from 0 to 255, drawn with a round pen.

    Args:
        width: of the pen, as a share of the canvas.
        place, size: as in `placed`.
    """
    return ink(placed(strokes, size, place, width), side, width)


def ink(strokes: Strokes, side: int = SIDE, width: float = WIDTH, squares: int = 1) -> Pixels:
    """The same of strokes that have their place already, on a canvas of so many squares side by side: (side, squares × side)."""
    fine = side * FINER
    paper = Image.new("L", (fine * squares, fine))
    pen, across = ImageDraw.Draw(paper), max(1, round(width * fine))
    for stroke in strokes:
        places = [(round(x * fine - 0.5), round(y * fine - 0.5)) for x, y in stroke]  # a pixel lies half beside its number
        pen.line(places, fill=255, width=across)
        for x, y in places:  # round ends and joints
            left, top = x - across // 2, y - across // 2
            pen.ellipse((left, top, left + across - 1, top + across - 1), fill=255)
    return np.asarray(paper.reduce(FINER), dtype=np.float64)


def _strokes(text: str) -> Strokes:
    return tuple(_stroke(part.split()) for part in text.split("/"))


def _stroke(words: list[str]) -> Stroke:
    points = [(float(x) / 100, float(y) / 100) for x, y in (word.rstrip("!").split(",") for word in words)]
    corners = sorted({0, *(index for index, word in enumerate(words) if word.endswith("!")), len(words) - 1})
    path = [points[0]]
    for start, end in pairwise(corners):
        path += _curve(points[start : end + 1], closed=len(corners) == 2 and points[0] == points[-1])
    return tuple(path)


def _curve(points: list[Point], closed: bool) -> list[Point]:
    """A smooth curve through the points, without the first: a cubic spline over the square roots of their distances, which keep it
    from making loops of its own (Lee, Choosing nodes in parametric curve interpolation, 1989)."""
    if len(points) == 2:
        return points[1:]
    controls = np.array(points)
    knots = np.concatenate([[0.0], np.cumsum(np.sqrt(np.linalg.norm(np.diff(controls, axis=0), axis=1)))])
    spline = CubicSpline(knots, controls, bc_type="periodic" if closed else "natural")
    times = np.interp(np.arange(1, STEPS * (len(points) - 1) + 1) / STEPS, np.arange(len(points)), knots)
    return [(float(x), float(y)) for x, y in spline(times)]


DIGITS = {digit: tuple(Way(digit, name, _strokes(text)) for name, text in written.items()) for digit, written in _WRITTEN.items()}
"""Every way of every digit."""
