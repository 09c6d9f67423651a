"""How well a network reads digits that came onto the canvas in every way: anywhere, of any size, thick and thin, tilted.

`python -m benchmarks.drawing [MODEL]` prints it by kind of distortion.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageFilter

from playground.data.images import ImageSet
from playground.data.load import load
from playground.data.preprocessing import Pixels, to_digit
from playground.inference.models import DEFAULT_MODEL, Model, load_model

SIDE = 280
"""Side of the canvas in pixels."""
PIXEL = 7
"""Pixels of the canvas that one of MNIST's takes while a digit is augment_images."""
THICKER, THINNER = 2 * PIXEL + 1, PIXEL
"""Sides of the filters that make strokes thicker by a pixel of MNIST's on either side, and thinner by almost half a one: some are only two wide."""


@dataclass(frozen=True)
class Distortion:
    """What is done to a digit before it goes the drawing path."""

    sizes: tuple[float, float] = (0.5, 0.5)
    """The longer side of what is drawn, as a share of the canvas, drawn evenly between the two."""
    strokes: tuple[int, ...] = (0,)
    """Of these one is drawn: 1 for strokes made thicker, −1 for thinner."""
    tilt: float = 0.0
    """Degrees by which it is turned, at most, each way."""


EVERYTHING = Distortion((0.2, 1.0), (-1, 0, 1), 15.0)
KINDS: dict[str, Distortion] = {
    "all of it": EVERYTHING,
    "as they are": Distortion(),
    "small (0.2 to 0.4)": Distortion((0.2, 0.4)),
    "large (0.8 to 1)": Distortion((0.8, 1.0)),
    "thicker": Distortion(strokes=(1,)),
    "thinner": Distortion(strokes=(-1,)),
    "tilted by up to 15°": Distortion(tilt=15.0),
}


def pasted_accuracy(model: Model, images: ImageSet, distortion: Distortion = EVERYTHING, seed: int = 0) -> float:
    """Share of the test digits named rightly after each was pasted at a random place and went the whole drawing path."""
    random = np.random.default_rng(seed)
    inputs = torch.stack([to_digit(paste(image[0].numpy(), random, distortion)).input for image in images.test_images])
    answers = torch.cat([model.probabilities(batch).argmax(dim=1) for batch in inputs.split(1000)])
    return float((answers == images.test_labels).float().mean())


def paste(digit: np.ndarray[tuple[int, int], np.dtype[np.uint8]], random: np.random.Generator, distortion: Distortion = EVERYTHING) -> Pixels:
    """A canvas (SIDE, SIDE) with the digit on it somewhere, augment_images at random."""
    large = Image.fromarray(np.pad(digit, 6)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    stroke = int(random.choice(distortion.strokes))
    if stroke:
        large = large.filter(ImageFilter.MaxFilter(THICKER) if stroke > 0 else ImageFilter.MinFilter(THINNER))
    large = large.rotate(random.uniform(-distortion.tilt, distortion.tilt), Image.Resampling.BICUBIC)
    box = large.point(lambda value: 255 * (value > 40)).getbbox() or (0, 0, SIDE, SIDE)
    cropped = large.crop(box)
    scale = random.uniform(*distortion.sizes) * SIDE / max(cropped.size)
    size = (max(1, round(cropped.width * scale)), max(1, round(cropped.height * scale)))
    canvas = Image.new("L", (SIDE, SIDE))
    canvas.paste(cropped.resize(size, Image.Resampling.BICUBIC), (int(random.integers(0, SIDE - size[0] + 1)), int(random.integers(0, SIDE - size[1] + 1))))
    return np.asarray(canvas, dtype=np.float64)


def rows() -> list[tuple[str, str, str]]:
    """The rows of the table."""
    model, images = load_model(DEFAULT_MODEL), load("mnist")
    return [
        (
            "Included network: accuracy on MNIST’s test images drawn on the canvas at any place, size 0.2–1, thicker, thinner, tilted by 15°",
            f"{pasted_accuracy(model, images):.2%}",
            "≥ 98.5 %",
        )
    ]


if __name__ == "__main__":
    torch.set_num_threads(1)
    chosen, mnist = load_model(sys.argv[1] if len(sys.argv) > 1 else DEFAULT_MODEL), load("mnist")
    for kind, distortion in KINDS.items():
        print(f"{kind}: {pasted_accuracy(chosen, mnist, distortion):.2%}", flush=True)
