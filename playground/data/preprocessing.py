"""Preprocessing: bring a drawing into the form of MNIST’s digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from playground.errors import DrawingError
from playground.messages import msg

DIGIT_BOX = 20
"""MNIST’s digits were fitted into a box of 20×20 pixels … (http://yann.lecun.com/exdb/mnist/)"""
FIELD = 28
"""… and placed in a field of 28×28 with their centre of mass in the middle."""
MIDDLE = 14.5
"""That middle, in pixels from the edge: the mean over MNIST’s own digits, along both axes."""
INK = 0.15
"""Threshold, as a share of the darkest pixel, above which a pixel counts as drawn; faint noise then does not widen the bounding box."""

Pixels = np.ndarray[tuple[int, int], np.dtype[np.float64]]


@dataclass(frozen=True)
class Preprocessing:
    """Which preprocessing steps to apply; switch one off to see what it is for."""

    crop: bool = True
    """Crop the empty margins."""
    fit: bool = True
    """Scale the longer side to `DIGIT_BOX` pixels; without it the digit keeps its size on the canvas."""
    centre: bool = True
    """Move the centre of mass to the middle; without it the digit keeps its position on the canvas."""
    normalise: bool = True
    """Scale the pixels as in training; without it they stay between 0 and 255."""


ALL_STEPS = Preprocessing()


@dataclass(frozen=True)
class Digit:
    """A drawn digit after each preprocessing step; every image is light on dark, from 0 to 255."""

    drawn: Pixels
    """``(H, W)``: the drawing."""
    cropped: Pixels
    """``(h, w)``: without its empty margins."""
    fitted: Pixels
    """``(20, w)`` or ``(h, 20)``: scaled to the size of MNIST’s digits, with its aspect ratio."""
    centred: Pixels
    """``(28, 28)``: the centre of mass in the middle; the input of the network."""

    @property
    def input(self) -> Tensor:
        """``(1, 28, 28)`` uint8."""
        return torch.from_numpy(self.centred.round().astype(np.uint8)).unsqueeze(0)


def to_digit(ink: Pixels, steps: Preprocessing = ALL_STEPS) -> Digit:
    """Bring a drawing into the form of MNIST's digits.

    Args:
        ink: ``(H, W)``, the amount of ink on each pixel; 0 where there is none.
        steps: which preprocessing steps to apply.

    Raises:
        DrawingError: the drawing is empty.
    """
    drawn = require_ink(ink)
    rows, columns = _bounding_box(drawn) if steps.crop else (slice(0, drawn.shape[0]), slice(0, drawn.shape[1]))
    cropped = drawn[rows, columns]
    fitted = _scale(cropped, (DIGIT_BOX if steps.fit else FIELD * max(cropped.shape) / max(drawn.shape)) / max(cropped.shape))
    if steps.centre:
        places = [MIDDLE - _mean_position(fitted.sum(axis=1 - axis)) for axis in (0, 1)]
    else:
        middles = [(part.start + part.stop) / 2 * FIELD / max(drawn.shape) for part in (rows, columns)]
        places = [middle - size / 2 for middle, size in zip(middles, fitted.shape, strict=True)]
    return Digit(drawn, cropped, fitted, _place(fitted, places))


def require_ink(ink: Pixels) -> Pixels:
    """Return the drawing as float64, if there is ink on it.

    Raises:
        DrawingError: the drawing is empty.
    """
    drawn = np.asarray(ink, dtype=np.float64)
    if drawn.size == 0 or not np.isfinite(drawn).all() or drawn.max() <= 0:
        raise DrawingError(msg("The canvas is empty."), msg("Draw a digit from 0 to 9."))
    return drawn


def _bounding_box(drawn: Pixels) -> tuple[slice, slice]:
    """Return the rows and the columns that enclose the ink."""
    has_ink = drawn > INK * drawn.max()
    rows, columns = np.flatnonzero(has_ink.any(axis=1)), np.flatnonzero(has_ink.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _scale(pixels: Pixels, factor: float) -> Pixels:
    """Scale by a factor, averaging where the image shrinks, and stretch the brightest pixel to 255."""
    height, width = pixels.shape
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    scaled = np.asarray(Image.fromarray(pixels.astype(np.float32), "F").resize(size, Image.Resampling.BICUBIC), dtype=np.float64)
    scaled = scaled.clip(min=0)
    full: Pixels = (scaled * (255 / scaled.max())).clip(0, 255)
    return full


def _place(pixels: Pixels, places: Sequence[float]) -> Pixels:
    """Place the image in an empty field, with `places` as its offsets from the top and the left, clamped to the edges."""
    field = np.zeros((FIELD, FIELD))
    top, left = (min(max(round(place), 0), FIELD - size) for place, size in zip(places, pixels.shape, strict=True))
    field[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return field


def _mean_position(weights: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """Return the centre of mass along one axis, in pixels from its start; the centre of pixel i lies at i + 0.5."""
    return float((weights * (np.arange(len(weights)) + 0.5)).sum() / weights.sum())
