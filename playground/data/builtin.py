"""The data sets that need no download: 5,000 handwritten digits, and shapes drawn from a seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from playground.data.catalogue import DatasetInfo
from playground.data.images import ImageSet

MNIST_5K_FILE = Path(__file__).parent / "assets" / "mnist-5k.npz"
SEED = 0
OVERSAMPLING = 4
"""Shapes are drawn this many times larger and then averaged, for smooth edges."""

Points = list[tuple[float, float]]


def mnist_5k(info: DatasetInfo) -> ImageSet:
    """Read the digits that come with the playground: 500 of each class, split 4,000 / 1,000 with the same share of each class in both parts.

    Source: `assets/README.md`
    """
    with np.load(MNIST_5K_FILE) as arrays:
        tensors = {name: torch.from_numpy(arrays[name]) for name in arrays}
    return ImageSet(info, tensors["train_images"], tensors["train_labels"].long(), tensors["test_images"], tensors["test_labels"].long())


def shapes(info: DatasetInfo) -> ImageSet:
    """Draw ten classes of coloured shapes on coloured backgrounds, with random size, position and rotation and a little noise."""
    random = np.random.default_rng(SEED)
    count = info.train_size + info.test_size
    labels = random.permutation(np.arange(count) % len(info.classes))
    images = np.stack([_draw_shape(info.classes[label], info.input_shape[1], random) for label in labels])
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()  # (N, H, W, C) → (N, C, H, W)
    targets = torch.from_numpy(labels.astype(np.int64))
    split = info.train_size
    return ImageSet(info, pixels[:split], targets[:split], pixels[split:], targets[split:])


def _draw_shape(name: str, size: int, random: np.random.Generator) -> np.ndarray:
    """Draw one image, ``(size, size, 3)`` uint8."""
    ground = random.integers(0, 256, 3)
    colour = random.integers(0, 256, 3)
    while np.abs(colour - ground).sum() < 200:  # too similar to tell apart
        colour = random.integers(0, 256, 3)
    side = size * OVERSAMPLING
    image = Image.new("RGB", (side, side), tuple(map(int, ground)))
    radius = random.uniform(0.24, 0.42)
    place = random.uniform(radius + 0.04, 0.96 - radius, 2)
    turn = random.uniform(-0.35, 0.35)
    draw = ImageDraw.Draw(image)
    for outline, ink in ((_OUTLINES[name], colour), (_HOLES.get(name), ground)):
        if outline:
            turned = [_place(point, radius, turn, place) for point in outline()]
            draw.polygon([(x * side, y * side) for x, y in turned], fill=tuple(map(int, ink)))
    pixels = np.asarray(image.resize((size, size), Image.Resampling.BOX), dtype=np.float64)
    return np.clip(pixels + random.normal(0, 10, pixels.shape), 0, 255).astype(np.uint8)


def _place(point: tuple[float, float], radius: float, turn: float, centre: np.ndarray) -> tuple[float, float]:
    x, y = point
    return (
        float(centre[0] + radius * (x * math.cos(turn) - y * math.sin(turn))),
        float(centre[1] + radius * (x * math.sin(turn) + y * math.cos(turn))),
    )


def _polygon(corners: int, first: float = -math.pi / 2, radii: tuple[float, ...] = (1.0,)) -> Points:
    """Corners on one circle or, with several radii, on each in turn; angles in radians, y downwards."""
    steps = [(first + 2 * math.pi * index / corners, radii[index % len(radii)]) for index in range(corners)]
    return [(radius * math.cos(angle), radius * math.sin(angle)) for angle, radius in steps]


def _cross() -> Points:
    arm = 0.33
    quarter = [(-arm, -1.0), (arm, -1.0), (arm, -arm), (1.0, -arm)]
    return [point for turn in range(4) for point in (_quarter_turn(corner, turn) for corner in quarter[:3])]


def _quarter_turn(point: tuple[float, float], times: int) -> tuple[float, float]:
    x, y = point
    for _ in range(times):
        x, y = -y, x
    return x, y


def _heart() -> Points:
    """The classic heart curve, https://mathworld.wolfram.com/HeartCurve.html"""
    angles = [2 * math.pi * index / 48 for index in range(48)]
    return [(16 * math.sin(t) ** 3 / 17, -(13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) / 17) for t in angles]


def _crescent() -> Points:
    outer = [(math.cos(t), math.sin(t)) for t in np.linspace(0.25 * math.pi, 1.75 * math.pi, 40)]
    inner = [(0.45 + 0.72 * math.cos(t), 0.72 * math.sin(t)) for t in np.linspace(1.6 * math.pi, 0.4 * math.pi, 40)]
    return outer + inner


_OUTLINES: dict[str, Callable[[], Points]] = {
    "circle": lambda: _polygon(48),
    "square": lambda: _polygon(4, math.pi / 4),
    "triangle": lambda: _polygon(3),
    "star": lambda: _polygon(10, radii=(1.0, 0.42)),
    "cross": _cross,
    "ring": lambda: _polygon(48),
    "diamond": lambda: [(0.0, -1.0), (0.58, 0.0), (0.0, 1.0), (-0.58, 0.0)],
    "hexagon": lambda: _polygon(6),
    "crescent": _crescent,
    "heart": _heart,
}
_HOLES: dict[str, Callable[[], Points]] = {"ring": lambda: _polygon(48, radii=(0.55,))}
