"""How well the shipped network reads digits pasted onto the canvas anywhere, at any size."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from playground.data.images import ImageSet
from playground.inference.drawing import Pixels, to_digit
from playground.inference.models import Model

SIDE = 280
"""Side of the canvas in pixels."""
SIZES = (0.3, 1.0)
"""Size of a digit as a share of the canvas: the longer side of what is drawn, without its margins."""


def pasted_accuracy(model: Model, images: ImageSet, seed: int = 0) -> float:
    """Share of the test digits named rightly after each was pasted at a random place and size and went the whole drawing path."""
    random = np.random.default_rng(seed)
    inputs = torch.stack([to_digit(paste(image[0].numpy(), random)).input for image in images.test_images])
    answers = torch.cat([model.probabilities(batch).argmax(dim=1) for batch in inputs.split(1000)])
    return float((answers == images.test_labels).float().mean())


def paste(digit: np.ndarray[tuple[int, int], np.dtype[np.uint8]], random: np.random.Generator) -> Pixels:
    """A canvas (SIDE, SIDE) with the digit on it somewhere, its longer side a random share of the canvas."""
    rows, columns = np.flatnonzero(digit.any(axis=1)), np.flatnonzero(digit.any(axis=0))
    cropped = Image.fromarray(digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    scale = random.uniform(*SIZES) * SIDE / max(cropped.size)
    size = (max(1, round(cropped.width * scale)), max(1, round(cropped.height * scale)))
    canvas = Image.new("L", (SIDE, SIDE))
    canvas.paste(cropped.resize(size, Image.Resampling.BICUBIC), (int(random.integers(0, SIDE - size[0] + 1)), int(random.integers(0, SIDE - size[1] + 1))))
    return np.asarray(canvas, dtype=np.float64)
