"""Styles of handwriting that MNIST's digits lack, drawn at random: slashed zeros, ones with long flags, sevens with a bar, hooked nines, …

MNIST was written in the United States: https://doi.org/10.1109/5.726791. A network that saw nothing else reads a European one as a 7.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageDraw

from playground.data.pen import Random, Stroke, Strokes, arc, as_image, by_another_hand, line, rounded, trace
from playground.data.preprocessing import Pixels, to_digit

ZOOM = 4
"""Pixels for each of MNIST's, where something is drawn onto one of its digits."""


def _ring(random: Random) -> Stroke:
    """Return a 0 in one stroke, perhaps not quite closed, perhaps with a curl at its end."""
    direction = -1 if random.random() < 0.8 else 1
    return arc((0.5, 0.5), (random.uniform(0.24, 0.42), 0.5), random.uniform(-0.35, -0.12), direction * random.uniform(0.93, 1.12))


def _double_ring(random: Random) -> Strokes:
    turns = random.uniform(1.7, 2.3)
    ring = arc((0.5, 0.5), (random.uniform(0.26, 0.42), 0.5), -0.25, -turns)
    return [0.5 + (ring - 0.5) * np.linspace(1, random.uniform(0.6, 1.0), len(ring))[:, None]]


def _slash(random: Random, radii: tuple[float, float]) -> Strokes:
    """Return one line through a ring around the origin, or a cross, which mostly leave the ring."""
    low, high = random.choice([(25, 75), (75, 95), (-8, 12), (110, 155)], p=[0.7, 0.1, 0.1, 0.1])  # mostly rising, else upright, level or falling
    angles = [math.radians(random.uniform(low, high))]
    if random.random() < 0.06:
        angles.append(math.pi - angles[0])
    reach = random.uniform(0.7, 1.5)
    slashes = []
    for angle in angles:
        towards = np.array([math.cos(angle), -math.sin(angle)])
        edge = 1 / math.hypot(towards[0] / radii[0], towards[1] / radii[1])
        shift = random.normal(0, 0.04, 2)
        slashes.append(np.stack([shift - towards * edge * reach, shift + towards * edge * reach * random.uniform(0.85, 1.2)]))
    return slashes


def _slashed_zero(random: Random) -> Strokes:
    ring = _ring(random)
    return [ring, *(0.5 + slash for slash in _slash(random, (float(np.ptp(ring[:, 0])) / 2, 0.5)))]


def _flag(random: Random, top: tuple[float, float]) -> Stroke:
    """Return the upstroke of a European 1, which ends at the top of its stem. It is never level, as the top of a 7 is."""
    length, angle = random.uniform(0.3, 0.85), math.radians(random.uniform(25, 62))
    start = (top[0] - length * math.sin(angle), top[1] + length * math.cos(angle))
    bend = random.normal(0, 0.05)
    return rounded(line(start, ((start[0] + top[0]) / 2 + bend, (start[1] + top[1]) / 2 + bend), top))


def _base(random: Random) -> Stroke:
    width, tilt = random.uniform(0.2, 0.42), random.normal(0, 0.02)
    return line((-width, 1 + tilt), (random.uniform(0.16, 0.4), 1 - tilt))


def _one(random: Random) -> Strokes:
    stem = line((0, 0), (0, 1))
    strokes = [np.concatenate([_flag(random, (0, 0)), stem]) if random.random() < 0.85 else stem]
    if random.random() < 0.35:
        return [*strokes, _base(random)]
    lean = max(0.0, random.normal(0.1, 0.25))  # the flag of a 1 that leans looks like the top of a 7
    return [stroke @ np.array([[1, 0], [-lean, 1]]) for stroke in strokes]


def _two(random: Random) -> Strokes:
    head = arc((0.42, 0.27), (random.uniform(0.28, 0.36), 0.27), random.uniform(-0.5, -0.4), random.uniform(0.5, 0.6))
    foot = random.uniform(0.03, 0.14)
    loop = arc((0.12 + foot, 0.93), (foot, 0.09), 0.3, random.uniform(0.8, 1.1)) if random.random() < 0.5 else line((0.1, 0.98))
    return [rounded(np.concatenate([head, loop, line((0.45, 0.93), (0.8, random.uniform(0.85, 1.05)))]))]


def _three(random: Random) -> Strokes:
    middle = (random.uniform(0.3, 0.5), random.uniform(0.4, 0.5))
    if random.random() < 0.4:  # with a flat top
        top = line((0.12, 0.0), (0.68, random.uniform(-0.03, 0.04)), middle)
    else:
        top = np.concatenate([arc((0.4, 0.24), (0.28, 0.24), -0.45, 0.66), line(middle)])
    return [np.concatenate([top, arc((0.4, 0.72), (random.uniform(0.27, 0.36), 0.28), -0.22, random.uniform(0.55, 0.7))])]


def _four(random: Random) -> Strokes:
    corner, bar = (random.uniform(0.0, 0.12), random.uniform(0.52, 0.68)), random.uniform(0.5, 0.64)
    kind = random.choice(["open", "closed", "lightning", "returning"], p=[0.25, 0.15, 0.3, 0.3])
    stem = random.uniform(0.5, 0.66)
    if kind == "open":
        return [line((random.uniform(0.05, 0.3), 0.0), corner, (0.85, bar)), line((stem, random.uniform(0, 0.35)), (stem - 0.03, 1.0))]
    if kind == "closed":
        return [line((stem, 0.0), corner, (0.88, bar)), line((stem, 0.0), (stem, 1.0))]
    if kind == "lightning":
        end = random.uniform(0.58, 0.8)
        bolt = line((random.uniform(0.2, 0.5), 0.0), corner, (end, bar - random.uniform(0, 0.12)), (random.uniform(0.4, end), 1.0))
        return [rounded(bolt, int(random.integers(1, 3)))]
    up = random.uniform(0.05, 0.4)
    return [rounded(line((random.uniform(0.15, 0.45), 0.0), corner, (0.75, bar), (stem + 0.1, bar - up), (stem, 1.0)), 1)]


def _five(random: Random) -> Strokes:
    belly = arc((0.38, 0.7), (random.uniform(0.28, 0.4), 0.3), -0.38, random.uniform(0.65, 0.8))
    body = np.concatenate([line((0.2, 0.02), (random.uniform(0.1, 0.2), 0.43)), belly])
    bar = line((0.2, random.uniform(-0.04, 0.06)), (random.uniform(0.6, 0.9), random.uniform(-0.06, 0.04)))
    return [body, bar] if random.random() < 0.6 else [np.concatenate([bar[::-1], body])]


def _six(random: Random) -> Strokes:
    width = random.uniform(0.24, 0.34)
    down = rounded(line((random.uniform(0.4, 0.7), 0.0), (0.25, 0.35), (0.5 - width, 0.72)))
    return [np.concatenate([down, arc((0.5, 0.74), (width, 0.26), 0.5, -random.uniform(0.9, 1.15))])]


def _seven(random: Random) -> Strokes:
    right, foot = random.uniform(0.55, 0.8), random.uniform(0.2, 0.42)
    start = random.choice(["plain", "curl", "wave"], p=[0.35, 0.4, 0.25])
    top = line((0, 0.03), (right, random.uniform(-0.03, 0.04)))
    if start == "curl":
        top = np.concatenate([line((random.uniform(-0.02, 0.04), random.uniform(0.12, 0.25))), top])
    elif start == "wave":
        top = np.concatenate([rounded(line((0, 0.14), (0.06, -0.02), (0.3, 0.06))), line((right, 0))])
    stem = rounded(line((right, 0), (random.uniform(0.38, 0.55), 0.45), (foot, 1.0)))
    strokes = [np.concatenate([top, stem])]
    if random.random() < 0.65:
        left, height = random.uniform(0.1, 0.28), random.uniform(0.42, 0.56)
        strokes.append(line((left, height + random.normal(0, 0.02)), (left + random.uniform(0.35, 0.6), height - random.normal(0.02, 0.02))))
    return strokes


def _eight(random: Random) -> Strokes:
    top, bottom = random.uniform(0.18, 0.26), random.uniform(0.25, 0.36)
    if random.random() < 0.35:
        return [arc((0.4, 0.24), (top, 0.24), -0.25, -1.03), arc((0.4, 0.74), (bottom, 0.26), -0.25, 1.03)]
    down = arc((0.4, 0.25), (top, 0.25), random.uniform(-0.15, -0.05), -random.uniform(0.6, 0.66))
    around = arc((0.4, 0.74), (bottom, 0.26), -0.2, random.uniform(0.9, 1.0))
    return [rounded(np.concatenate([down, around, line((0.5, 0.38), (random.uniform(0.5, 0.75), random.uniform(0.05, 0.16)))]))]


def _nine(random: Random) -> Strokes:
    width, height = random.uniform(0.24, 0.34), random.uniform(0.2, 0.28)
    head = arc((0.42, height), (width, height), random.uniform(-0.12, 0.02), -random.uniform(0.8, 1.02))
    side = 0.42 + width
    if random.random() < 0.55:  # the hook
        reach = random.uniform(0.2, 0.55)
        tail = [line((side, height * 0.8), (side, 0.66)), arc((side - reach / 2, random.uniform(0.7, 0.8)), (reach / 2, 0.22), 0.0, random.uniform(0.3, 0.52))]
    else:
        tail = [line((side, height * 0.6), (side - random.uniform(0, 0.25), 1.0))]
    return [rounded(np.concatenate([head, *tail]), 1)]


def _zero(random: Random) -> Strokes:
    kind = random.random()
    if kind < 0.7:
        return _slashed_zero(random)
    return _double_ring(random) if kind < 0.85 else [_ring(random)]


STYLES: Mapping[str, Callable[[Random], Strokes]] = {
    "0": _zero, "1": _one, "2": _two, "3": _three, "4": _four, "5": _five, "6": _six, "7": _seven, "8": _eight, "9": _nine,
}  # fmt: skip
"""For each digit a function that draws it at random: about 1 high, without the unsteadiness of a hand."""


def drawn_digit(digit: str, random: Random) -> Pixels:
    """Draw a digit in one of its styles: ``(28, 28)`` from 0 to 255."""
    return as_image(by_another_hand(STYLES[digit](random), random), random)


def with_strokes_added(digit: str, image: Pixels, random: Random) -> Pixels:
    """Add to one of MNIST's digits what other hands write: a slash to a 0, a flag or a base to a 1, a bar to a 7.

    Args:
        digit: "0", "1" or "7".
        image: ``(28, 28)`` from 0 to 255.
        random: chooses what is added, and its pen.
    """
    large = Image.fromarray(image.astype(np.uint8)).resize((image.shape[1] * ZOOM, image.shape[0] * ZOOM), Image.Resampling.BICUBIC)
    left, top, right, bottom = large.point(lambda value: 255 * (value > 100)).getbbox() or (0, 0, 1, 1)
    ink = np.asarray(large, dtype=np.float64)
    height = bottom - top
    pen = round(ink.sum() / 255 / height) if digit == "1" else round(ZOOM * random.uniform(1.8, 3.2))
    margin = large.width // 2  # strokes may leave the field
    paper = Image.new("L", (large.width + 2 * margin, large.height + 2 * margin))
    paper.paste(large, (margin, margin))
    draw = ImageDraw.Draw(paper)
    for stroke in _added(digit, ink, (left, top, right, bottom), random):
        trace(draw, stroke + margin, min(max(pen, ZOOM), 4 * ZOOM))
    return to_digit(np.asarray(paper, dtype=np.float64)).centred


def _added(digit: str, ink: Pixels, box: tuple[int, int, int, int], random: Random) -> Strokes:
    """Return the strokes to add, in pixels of the enlarged digit."""
    left, top, right, bottom = box
    height, pen = bottom - top, ZOOM
    if digit == "0":
        middle = np.array([(left + right) / 2, (top + bottom) / 2])
        return [middle + height * slash for slash in _slash(random, ((right - left) / 2 / height, 0.5))]
    if digit == "1":
        peak, foot = (_middle(ink[row]) for row in (top + pen, bottom - pen))
        flag = np.array([peak, top + pen]) + height * _flag(random, (0, 0))
        base = np.array([foot, top]) + (height - pen / 2) * _base(random)
        return [[flag], [base], [flag, base]][random.choice(3, p=[0.6, 0.1, 0.3])]
    row = round(top + height * random.uniform(0.42, 0.58))
    across, reach = _middle(ink[row]), height * random.uniform(0.16, 0.3)
    return [line((across - reach, row + random.normal(0, 2)), (across + reach, row + random.normal(-1, 2)))]


def _middle(row: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Return the mean place of the ink in a row; the middle of an empty row."""
    return float((row * np.arange(len(row))).sum() / row.sum()) if row.any() else len(row) / 2
