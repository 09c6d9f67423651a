"""Strokes of a pen: curves, the unsteadiness of a hand, and the image that the canvas would make of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw

from playground.data.preprocessing import Pixels, to_digit

Stroke: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.float64]]
"""``(K, 2)``: points as x to the right and y down, of any size: a drawing is scaled when it is rendered."""
Strokes: TypeAlias = Sequence[Stroke]
Random: TypeAlias = np.random.Generator

CANVAS = 112
"""Pixels of a side on which strokes are rendered: four for each of MNIST's."""
PENS = (0.05, 0.17)
"""Thinnest and thickest pen, as a share of the longer side of a drawing."""


def line(*points: tuple[float, float]) -> Stroke:
    return np.array(points, dtype=np.float64)


def arc(centre: tuple[float, float], radii: tuple[float, float], start: float, turns: float) -> Stroke:
    """Return a part of an ellipse.

    Args:
        centre: x and y.
        radii: across and down.
        start: where it begins, in turns: 0 is right, 0.25 below.
        turns: how far it goes, clockwise; negative for the other way.
    """
    angle = 2 * math.pi * (start + np.linspace(0, turns, max(6, round(40 * abs(turns)))))
    return np.stack([centre[0] + radii[0] * np.cos(angle), centre[1] + radii[1] * np.sin(angle)], axis=1)


def rounded(stroke: Stroke, times: int = 2) -> Stroke:
    """Round the corners of a stroke by Chaikin's algorithm: https://doi.org/10.1016/0146-664X(74)90028-8"""
    for _ in range(times):
        ahead, behind = 0.75 * stroke[:-1] + 0.25 * stroke[1:], 0.25 * stroke[:-1] + 0.75 * stroke[1:]
        stroke = np.concatenate([stroke[:1], np.stack([ahead, behind], axis=1).reshape(-1, 2), stroke[-1:]])
    return stroke


def by_another_hand(strokes: Strokes, random: Random) -> list[Stroke]:
    """Slant, stretch, turn and bend strokes a little, at random."""
    slant, aspect, turn = random.normal(0, 0.16), math.exp(random.normal(0, 0.16)), math.radians(random.normal(0, 4))
    matrix = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]]) @ np.array([[aspect, 0], [-slant, 1]])
    return [_unsteady(stroke, random) @ matrix for stroke in strokes]


def _unsteady(stroke: Stroke, random: Random, by: float = 0.012) -> Stroke:
    """Let a stroke stray along its way, slowly, by about `by` of the drawing's height of 1."""
    dense = _dense(stroke)
    way = np.linspace(0, 1, len(dense))[:, None]
    waves = sum(random.normal(0, by, 2) * np.sin(math.pi * count * way + random.uniform(0, 2 * math.pi, 2)) for count in (1, 2, 3, 5))
    strayed: Stroke = dense + waves
    return strayed


def _dense(stroke: Stroke, gap: float = 0.04) -> Stroke:
    """Add points to a stroke until none is farther from the next than `gap`."""
    if len(stroke) < 2:
        return stroke
    lengths = np.hypot(*np.diff(stroke, axis=0).T)
    counts = np.maximum(1, np.ceil(lengths / gap)).astype(int)
    parts = [start + (end - start) * np.linspace(0, 1, count, endpoint=False)[:, None] for start, end, count in zip(stroke, stroke[1:], counts, strict=False)]
    return np.concatenate([*parts, stroke[-1:]])


def render(strokes: Strokes, pen: float) -> Pixels:
    """Draw strokes with a round pen: ``(CANVAS, CANVAS)`` from 0 to 255.

    Args:
        strokes: at least one point.
        pen: its width, as a share of the longer side of the drawing.
    """
    points = np.concatenate(list(strokes))
    low, extent = points.min(axis=0), max(float(np.ptp(points, axis=0).max()), 1e-9)
    width = max(1, round(pen * CANVAS / (1 + pen)))
    scale = (CANVAS - 2 - width) / extent
    paper = Image.new("L", (CANVAS, CANVAS))
    draw = ImageDraw.Draw(paper)
    for stroke in strokes:
        trace(draw, (stroke - low) * scale + 1 + width / 2, width)
    return np.asarray(paper, dtype=np.float64)


def trace(draw: ImageDraw.ImageDraw, stroke: Stroke, width: int) -> None:
    """Draw one stroke in pixels of the image, with round ends and joints."""
    draw.line([(x, y) for x, y in stroke], fill=255, width=width)
    for x, y in stroke:
        draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)


def as_image(strokes: Strokes, random: Random) -> Pixels:
    """Draw strokes with a pen chosen at random, and bring them into the form of MNIST's digits: ``(28, 28)`` from 0 to 255."""
    return to_digit(render(strokes, math.exp(random.uniform(*np.log(PENS))))).centred
