"""How well photographs of handwriting are read: `python -m benchmarks.photographs [FOLDER]` prints it by condition, and keeps the pictures in FOLDER.

Nothing is photographed here. Ink is laid on rendered paper in rendered light, so that each condition can be had alone, and all of them at once.
"""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter
from scipy import ndimage

from benchmarks.strokes import DIGITS, Strokes, ink, placed, tilted, unsteady
from playground.data.image_files import brightness, read_image
from playground.data.load import load
from playground.data.photographs import find_ink
from playground.data.preprocessing import Pixels, to_digit
from playground.errors import DrawingError
from playground.inference.models import DEFAULT_MODEL, Model, load_model
from playground.inference.reading import separate
from playground.inference.signs import SYMBOLS

COUNT = 40
"""Photographs of each condition."""
HAND_MADE = 40
"""Photographs of the set in which everything comes together."""
HEIGHT, WIDTH = 600, 800
"""Pixels of a photograph of one digit."""
DIGIT = 240
"""Pixels of the field of a digit in it, of which the digit takes about two thirds."""
WHITE = 235.0
"""Brightness of paper in good light."""
SHEET = (0.14, 0.86)
"""Share of the picture's height and width at which a sheet begins and ends that does not fill it."""

Random = np.random.Generator
Photo = Callable[[Pixels, Random], Image.Image]


def on_paper(share: Pixels, paper: Pixels | float = WHITE, pen: float = 45.0) -> Image.Image:
    """Lay ink on paper.

    Args:
        share: ``(H, W)``, the share of each pixel that ink covers.
        paper: brightness of the paper.
        pen: brightness of the ink in light in which white paper has 255.
    """
    ground = np.broadcast_to(paper, share.shape)
    return Image.fromarray((ground * (1 - share * (1 - pen / 255))).clip(0, 255).astype(np.uint8))


def ramp(shape: tuple[int, int], low: float, high: float, degrees: float) -> Pixels:
    """Return brightness that rises evenly across a picture, in the direction of an angle."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    along = columns / shape[1] * math.cos(math.radians(degrees)) + rows / shape[0] * math.sin(math.radians(degrees))
    gradient: Pixels = low + (high - low) * (along - along.min()) / np.ptp(along)
    return gradient


def shadow_edge(share: Pixels, random: Random) -> Image.Image:
    """Half of the sheet in the shadow of a hand, with a soft edge."""
    rows, columns = np.mgrid[: share.shape[0], : share.shape[1]]
    angle = random.uniform(0, 2 * math.pi)
    across = (columns - share.shape[1] / 2) * math.cos(angle) + (rows - share.shape[0] / 2) * math.sin(angle)
    lit = 1 / (1 + np.exp(-across / random.uniform(8, 30)))
    return on_paper(share, WHITE * (0.55 + 0.45 * lit))


def on_desk(share: Pixels, random: Random) -> Image.Image:
    """A sheet on a darker desk, which is seen all around it."""
    height, width = share.shape
    (top, bottom), (left, right) = [(int(SHEET[0] * side), int(SHEET[1] * side)) for side in (height, width)]
    paper = np.full(share.shape, random.uniform(50, 130)) + random.normal(0, 4, share.shape)
    paper[top:bottom, left:right] = WHITE
    return on_paper(share, paper)


def lines(share: Pixels, random: Random, *, squared: bool = False) -> Image.Image:
    """Lined or squared paper; its lines reach the edges and run through the digit."""
    gap, thick = int(random.integers(34, 70)), int(random.integers(2, 4))
    paper = np.full(share.shape, WHITE)
    start, tone = int(random.integers(0, gap)), random.uniform(120, 190)
    for offset in range(thick):
        paper[start + offset :: gap] = tone
        if squared:
            paper[:, start + offset :: gap] = tone
    return on_paper(share, paper)


def frame(share: Pixels, random: Random) -> Image.Image:
    """A dark frame around the picture."""
    image = on_paper(share)
    ImageDraw.Draw(image).rectangle((0, 0, image.width - 1, image.height - 1), outline=20, width=int(random.integers(6, 30)))
    return image


def turned(share: Pixels, random: Random) -> Image.Image:
    """A photograph that lies on its side, with the tag that says so."""
    image, content = on_paper(share, ramp(share.shape, 190, 235, random.uniform(0, 360))).transpose(Image.Transpose.ROTATE_90), io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    image.save(content, "JPEG", exif=exif)
    return read_image(content.getvalue())


def white_on_transparent(share: Pixels, _random: Random) -> Image.Image:
    image = Image.new("RGBA", share.shape[::-1], "white")
    image.putalpha(Image.fromarray((255 * share).astype(np.uint8)))
    return image


def chalk(share: Pixels, random: Random) -> Image.Image:
    """White chalk on a board, in uneven light."""
    board = ramp(share.shape, 40, 80, random.uniform(0, 360)) + random.normal(0, 5, share.shape)
    return Image.fromarray((board + share * random.uniform(0.7, 1, share.shape) * (225 - board)).clip(0, 255).astype(np.uint8))


CONDITIONS: dict[str, Photo] = {
    "clean": lambda share, _random: on_paper(share, 255.0, 0.0),
    "light from 130 to 235 across the sheet": lambda share, random: on_paper(share, ramp(share.shape, 130, 235, random.uniform(0, 360))),
    "a soft shadow edge": shadow_edge,
    "a sheet on a darker desk": on_desk,
    "lined paper": lines,
    "squared paper": lambda share, random: lines(share, random, squared=True),
    "a dark frame": frame,
    "turned by 90°, with the tag that says so": turned,
    "grey paper": lambda share, random: on_paper(share, 150 + random.normal(0, 6, share.shape)),
    "chalk on a board": chalk,
    "white on transparent": white_on_transparent,
}
"""What is done to the ink of a digit, one thing at a time."""


def shares(count: int) -> list[tuple[str, Pixels]]:
    """Return digits that nobody trained on, half of MNIST's test images and half drawn in the ways of `strokes`: each with its ink in a photograph."""
    random, images = np.random.default_rng(0), load("mnist")
    made = []
    for number in range(count):
        if number % 2:
            label, digit = str(int(images.test_labels[number])), images.test_images[number, 0].numpy()
            small = Image.fromarray(digit).resize((DIGIT, DIGIT), Image.Resampling.BICUBIC)
            square = np.asarray(small, dtype=np.float64) / 255
        else:
            label = str(number // 2 % 10)
            way = DIGITS[label][int(random.integers(len(DIGITS[label])))]
            square = ink(placed(unsteady(way.strokes, 0.02, number)), DIGIT, random.uniform(0.03, 0.08)) / 255
        share = np.zeros((HEIGHT, WIDTH))
        top, left = int(random.integers(110, HEIGHT - DIGIT - 110)), int(random.integers(130, WIDTH - DIGIT - 130))
        share[top : top + DIGIT, left : left + DIGIT] = square
        made.append((label, share))
    return made


@dataclass(frozen=True)
class Hand:
    """How somebody writes, and with what."""

    pen: tuple[int, int, int]
    """Colour of the ink."""
    width: float
    """Of the pen, as a share of the digit's height."""
    tremble: float
    slant: float
    """Degrees, clockwise."""
    styles: dict[str, int] = field(default_factory=dict)
    """Which way of writing of a digit; the first where none is named."""


HANDS = (
    Hand((30, 40, 130), 0.05, 0.02, 8),
    Hand((25, 25, 30), 0.08, 0.015, -4, {"1": 3, "7": 1, "4": 1}),
    Hand((95, 95, 100), 0.06, 0.03, 12, {"1": 5, "2": 1, "9": 1}),
    Hand((20, 60, 90), 0.035, 0.025, 0, {"4": 3, "0": 1, "8": 1}),
    Hand((150, 30, 40), 0.07, 0.02, 5, {"1": 10, "6": 1, "5": 1}),
)
"""A blue ballpoint, a black felt pen, a pencil, a thin fountain pen, a red marker."""


def written(text: str, hand: Hand, random: Random, side: int = 150) -> Pixels:
    """Return the ink of lines of digits, ``(H, W)`` shares, written by hand: the digits of a line apart, its baseline not quite straight."""
    rows = text.split("\n")
    height, width = int(1.5 * side * len(rows)), int(0.95 * side * max(map(len, rows)))
    share = np.zeros((height, width))
    for row, digits in enumerate(rows):
        for column, digit in enumerate(digits):
            way = DIGITS[digit][hand.styles.get(digit, 0)]
            strokes: Strokes = unsteady(tilted(way.strokes, hand.slant + random.normal(0, 2)), hand.tremble, int(random.integers(1 << 30)))
            glyph = ink(placed(strokes, 0.8 * random.uniform(0.92, 1.08), width=hand.width), side, 0.8 * hand.width) / 255
            top, left = int(1.5 * side * row + 0.2 * side + random.normal(0, 3)), int(0.95 * side * column)
            place = share[top : top + side, left : left + side]
            place[:] = np.maximum(place, glyph[:, : place.shape[1]])
    return share


def photographed(share: Pixels, hand: Hand, random: Random, *, ruled: bool) -> Image.Image:
    """Photograph a sheet with this ink: grain, a fold, lines if it is ruled, a tilted camera, a desk, a shadow, noise, JPEG."""
    height, width = share.shape[0] + 300, share.shape[1] + 360
    inked = np.zeros((height, width))
    inked[150:-150, 180:-180] = share * (0.75 + 0.25 * _grain((share.shape[0], share.shape[1]), random, 1.0))  # paper takes ink unevenly
    paper = 236 + 4 * _grain((height, width), random, 1.2) + 5 * _grain((height, width), random, 40)
    fold = int(random.uniform(0.2, 0.8) * height)
    paper[fold - 3 : fold + 3] -= 16
    paper[fold + 3 :] -= 9
    if ruled:
        first, thick, tone = int(random.integers(50)), int(random.integers(2, 4)), random.uniform(40, 100)
        for offset in range(thick):
            paper[first + offset :: 62] -= tone
    coloured = paper[..., None] * (1 - inked[..., None] * (1 - np.array(hand.pen) / 255))
    sheet = Image.fromarray(coloured.clip(0, 255).astype(np.uint8)).convert("RGBA")
    seen = _from_above(sheet, random)
    desk = Image.fromarray((np.array((96, 70, 48)) + 8 * _grain(seen.size[::-1], random, 6)[..., None]).clip(0, 255).astype(np.uint8))
    desk.paste(seen, mask=seen.getchannel("A"))
    pixels = np.asarray(desk, dtype=np.float64) * _light(desk.size[::-1], random)[..., None]
    pixels += random.normal(0, 3, pixels.shape)
    content = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.7)).save(content, "JPEG", quality=80)
    return read_image(content.getvalue())


def _from_above(sheet: Image.Image, random: Random) -> Image.Image:
    """Look at a sheet from a tilted camera: its corners go a little way inwards, so that the desk is seen around it."""
    width, height = sheet.size
    sheet = sheet.rotate(random.uniform(-3, 3), Image.Resampling.BICUBIC)
    moved = random.uniform(0.02, 0.07, (4, 2)) * (width, height)
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)]) + moved * [(1, 1), (-1, 1), (-1, -1), (1, -1)]
    known = np.array([(0, 0), (width, 0), (width, height), (0, height)])
    rows = [line for (x, y), (u, v) in zip(corners, known, strict=True) for line in ((x, y, 1, 0, 0, 0, -u * x, -u * y), (0, 0, 0, x, y, 1, -v * x, -v * y))]
    return sheet.transform(sheet.size, Image.Transform.PERSPECTIVE, np.linalg.solve(np.array(rows), known.ravel()).tolist(), Image.Resampling.BICUBIC)


def _light(shape: tuple[int, int], random: Random) -> Pixels:
    """Return the light of a room: brighter at one side, with the soft shadow of whoever holds the telephone."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    angle = random.uniform(0, 2 * math.pi)
    across = (columns / shape[1] - 0.5) * math.cos(angle) + (rows / shape[0] - 0.5) * math.sin(angle) + random.uniform(-0.25, 0.25)
    light: Pixels = ramp(shape, 0.7, 1.0, random.uniform(0, 360)) * (0.68 + 0.32 / (1 + np.exp(-across * random.uniform(10, 40))))
    return light


def _grain(shape: tuple[int, int], random: Random, size: float) -> Pixels:
    """Return noise of unit standard deviation whose grains have a size."""
    grain: Pixels = ndimage.gaussian_filter(random.standard_normal(shape), size)
    scaled: Pixels = grain / grain.std()
    return scaled


def hand_made(count: int = HAND_MADE) -> list[tuple[str, Image.Image]]:
    """Return photographs of one to eight digits in one or two lines, by five hands, each with what stands on it."""
    random = np.random.default_rng(7)
    made = []
    for number in range(count):
        hand, length = HANDS[number % len(HANDS)], number // len(HANDS) % 4 + 1
        rows = ["".join(map(str, random.integers(0, 10, length))) for _ in range(1 + number % 3 // 2)]
        made.append(("\n".join(rows), photographed(written("\n".join(rows), hand, random), hand, random, ruled=number % 4 == 3)))
    return made


def read(model: Model, image: Image.Image) -> str:
    """Return what is read in a photograph, its lines one below the other; empty where it is refused."""
    try:
        lines = separate(find_ink(brightness(image)).ink, model.probabilities)
    except DrawingError:
        return ""
    return "\n".join("".join(SYMBOLS.get(piece.kind) or model.predict(to_digit(piece.ink).input).label for piece in line) for line in lines)


def results(model: Model, count: int = COUNT, folder: Path | None = None) -> dict[str, tuple[int, int]]:
    """Return how many photographs of each condition are read, of how many; those misread are kept in the folder.

    Digits that are misread where nothing is done to them are left out.
    """
    clean, found = shares(2 * count), {}
    readable = [(label, share) for label, share in clean if read(model, CONDITIONS["clean"](share, np.random.default_rng(0))) == label][:count]
    photographs = {
        name: [(label, make(share, np.random.default_rng(number))) for number, (label, share) in enumerate(readable)] for name, make in CONDITIONS.items()
    }
    for name, made in {**photographs, "hand-made": hand_made(count)}.items():
        answers = [read(model, image) for _, image in made]
        found[name] = sum(answer == label for answer, (label, _) in zip(answers, made, strict=True)), len(made)
        for number, (answer, (label, image)) in enumerate(zip(answers, made, strict=True)):
            if folder and answer != label:
                image.save(folder / f"{name} {number} {label} read as {answer}.png".replace("\n", "_"))
    return found


def rows() -> list[tuple[str, str, str]]:
    """The rows of the table."""
    found = results(load_model(DEFAULT_MODEL))
    (right, of), conditions = found.pop("hand-made"), {name: right / of for name, (right, of) in found.items() if name != "clean"}
    worst = min(conditions, key=lambda name: conditions[name])
    return [
        (
            f"Photographs: digits in {len(conditions)} conditions of light, paper and ground, {COUNT} each, correctly classified (the worst condition)",
            f"{conditions[worst]:.1%} ({worst})" if conditions[worst] < 1 else "100.0%",
            "≥ 95 %",
        ),
        (
            "Photographs: one to eight digits by five hands on a sheet on a desk, with shadow, fold and lines, every digit correctly classified",
            f"{right / of:.1%}",
            "≥ 95 %",
        ),
    ]


if __name__ == "__main__":
    torch.set_num_threads(1)
    kept = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    for condition, (right, of) in results(load_model(DEFAULT_MODEL), folder=kept).items():
        print(f"{condition}: {right} of {of}", flush=True)
