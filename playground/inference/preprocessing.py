"""A drawing or a picture as a network's input: the same form as the images it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from playground.data.catalogue import DatasetInfo
from playground.errors import DrawingError

DIGIT_BOX = 20
"""MNIST’s digits were fitted into a box of 20×20 pixels … (http://yann.lecun.com/exdb/mnist/)"""
FIELD = 28
"""… and placed in a field of 28×28 with their centre of mass in the middle."""
MIDDLE = 14.5
"""That middle, in pixels from the edge: the mean over MNIST’s own digits, along both axes."""
INK = 0.15
"""Share of the darkest ink above which a pixel counts as drawn, so that faint noise does not widen the box."""
MAX_PIXELS = 50_000_000
"""Larger pictures are refused before they are unpacked."""

Pixels = np.ndarray[tuple[int, int], np.dtype[np.float64]]


@dataclass(frozen=True)
class Preprocessing:
    """Which steps a drawing takes to the network; without one of them one sees what it is good for."""

    crop: bool = True
    """Cut the empty margins off."""
    fit: bool = True
    """Scale the longer side to `DIGIT_BOX` pixels; without it the digit keeps its size on the paper."""
    centre: bool = True
    """Put the centre of mass into the middle; without it the digit keeps its place on the paper."""
    normalise: bool = True
    """Bring the pixels to the range that the network learnt from; without it they arrive from 0 to 255."""


ALL_STEPS = Preprocessing()


@dataclass(frozen=True)
class Digit:
    """A drawn digit on its way to a network, step by step; every picture is light on dark, from 0 to 255."""

    drawn: Pixels
    """(H, W) what was drawn."""
    cropped: Pixels
    """(h, w) the same without its empty margins."""
    fitted: Pixels
    """(20, w) or (h, 20): scaled to the size of MNIST’s digits, its aspect kept."""
    centred: Pixels
    """(28, 28) with its centre of mass in the middle: what the network sees."""

    @property
    def input(self) -> Tensor:
        """(1, 28, 28) uint8."""
        return torch.from_numpy(self.centred.round().astype(np.uint8)).unsqueeze(0)


def to_digit(ink: Pixels, way: Preprocessing = ALL_STEPS) -> Digit:
    """Bring a drawing into MNIST's own form.

    Args:
        ink: (H, W), how much ink lies on each pixel, 0 where there is none.
        way: which of the steps to take.

    Raises:
        DrawingError: nothing was drawn.
    """
    drawn = require_ink(ink)
    rows, columns = _marked(drawn) if way.crop else (slice(0, drawn.shape[0]), slice(0, drawn.shape[1]))
    cropped = drawn[rows, columns]
    fitted = _scale(cropped, (DIGIT_BOX if way.fit else FIELD * max(cropped.shape) / max(drawn.shape)) / max(cropped.shape))
    if way.centre:
        places = [MIDDLE - _mean_position(fitted.sum(axis=1 - axis)) for axis in (0, 1)]
    else:
        middles = [(part.start + part.stop) / 2 * FIELD / max(drawn.shape) for part in (rows, columns)]
        places = [middle - size / 2 for middle, size in zip(middles, fitted.shape, strict=True)]
    return Digit(drawn, cropped, fitted, _place(fitted, places))


def require_ink(ink: Pixels) -> Pixels:
    """A drawing with something on it.

    Raises:
        DrawingError: nothing was drawn.
    """
    drawn = np.asarray(ink, dtype=np.float64)
    if drawn.size == 0 or not np.isfinite(drawn).all() or drawn.max() <= 0:
        raise DrawingError("There is nothing drawn yet.", "Draw a digit from 0 to 9.")
    return drawn


def to_input(image: Image.Image, info: DatasetInfo) -> Tensor:
    """A picture as a network trained on this data set takes it: (C, H, W) uint8.

    Raises:
        DrawingError: there is nothing in the picture.
    """
    channels, height, width = info.input_shape
    if info.kind == "digits":
        return to_digit(_ink(image)).input
    if info.kind == "characters":
        ink = _ink(image)
        if not ink.any():
            raise DrawingError("There is nothing in this picture but paper.")
        pixels = Image.fromarray(ink.astype(np.uint8)).resize((width, height), Image.Resampling.BOX)
        return torch.from_numpy(np.array(pixels)).unsqueeze(0)
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = _on_white(image).convert("RGB" if channels == 3 else "L")
    small = square.resize((width, height), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
    return torch.from_numpy(np.array(small)).view(height, width, channels).permute(2, 0, 1).contiguous()


def read_image(source: Path | bytes, most: int = MAX_PIXELS) -> Image.Image:
    """Open a picture.

    Args:
        source: where it lies, or its content.
        most: pixels it may have.

    Raises:
        DrawingError: it is not there, not a picture, or too large.
    """
    name = source.name if isinstance(source, Path) else "This file"
    try:
        with Image.open(source if isinstance(source, Path) else BytesIO(source)) as image:
            if image.width * image.height > most:
                raise DrawingError(f"{name} has {image.width}×{image.height} pixels, which is too large.", "Make it smaller first.")
            return ImageOps.exif_transpose(image).copy()  # a telephone writes beside a picture how it was held
    except FileNotFoundError:
        raise DrawingError(f"There is no file {source!s}.") from None
    except (OSError, SyntaxError, ValueError, RuntimeError, Image.DecompressionBombError) as error:  # what Pillow raises for what is no picture
        raise DrawingError(f"{name} cannot be read as a picture: {error}.") from None


def _marked(drawn: Pixels) -> tuple[slice, slice]:
    """The rows and the columns between which there is ink."""
    marked = drawn > INK * drawn.max()
    rows, columns = np.flatnonzero(marked.any(axis=1)), np.flatnonzero(marked.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _scale(pixels: Pixels, factor: float) -> Pixels:
    """Scale by a factor, averaging where it shrinks, with full black kept black."""
    height, width = pixels.shape
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    scaled = np.asarray(Image.fromarray(pixels.astype(np.float32), "F").resize(size, Image.Resampling.BICUBIC), dtype=np.float64)
    scaled = scaled.clip(min=0)
    full: Pixels = (scaled * (255 / scaled.max())).clip(0, 255)
    return full


def _place(pixels: Pixels, places: Sequence[float]) -> Pixels:
    """Put into the field at a place from the top and from the left, as near as the edges allow."""
    field = np.zeros((FIELD, FIELD))
    top, left = (min(max(round(place), 0), FIELD - size) for place, size in zip(places, pixels.shape, strict=True))
    field[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return field


def _mean_position(weights: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """Centre of mass along one axis, in pixels from its start; a pixel's own centre is at its half."""
    return float((weights * (np.arange(len(weights)) + 0.5)).sum() / weights.sum())


def _ink(image: Image.Image) -> Pixels:
    """A picture of something written, light on dark: turned round where the paper is the lighter."""
    grey = np.asarray(_on_white(image).convert("L"), dtype=np.float64)
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    ground = float(np.median(border))
    ink = ground - grey if ground > 127 else grey - ground
    return ink.clip(min=0)


def _on_white(image: Image.Image) -> Image.Image:
    """Eight bits a channel and no transparency: what was clear becomes white paper."""
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), rgba).convert("RGB")
