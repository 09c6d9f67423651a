"""Drawn images that are mixed into batches of digits: other styles of handwriting, and what is no digit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from playground import environment
from playground.data import stroke_files
from playground.data.augmentation import NO_CLASS, Augmentation
from playground.data.handwriting import STYLES, drawn_digit, with_strokes_added
from playground.data.images import ImageSet
from playground.data.pen import Random
from playground.data.preprocessing import Pixels
from playground.data.scribbles import no_digit

DRAWN, SCRIBBLED = 4000, 4000
"""How many digits are drawn, and how many drawings of no digit."""
ADDED: Mapping[str, int] = {"0": 1000, "1": 2500, "7": 500}
"""How many of the data set's digits get further strokes."""


@dataclass(frozen=True)
class DrawnImages:
    """Images to mix into batches, on one device."""

    digits: Tensor
    """``(K, 1, 28, 28)`` uint8."""
    labels: Tensor
    """``(K,)`` int64."""
    others: Tensor
    """``(L, 1, 28, 28)`` uint8, of no class."""

    def to(self, device: torch.device) -> DrawnImages:
        return DrawnImages(self.digits.to(device), self.labels.to(device), self.others.to(device))

    def mix(self, images: Tensor, labels: Tensor, augment: Augmentation) -> tuple[Tensor, Tensor]:
        """Replace some images of a batch, chosen with torch's default generator, and their labels; of no class is `NO_CLASS`.

        Shape: ``(N, 1, 28, 28)`` and ``(N,)``, as is what is returned.
        """
        chance = torch.rand(len(images), device=images.device)
        is_digit, is_other = chance < augment.styles, chance >= 1 - augment.scribbles
        digit, other = (torch.randint(len(pool), (len(images),), device=images.device) for pool in (self.digits, self.others))
        where = (slice(None), None, None, None)
        images = torch.where(is_digit[where], self.digits[digit], torch.where(is_other[where], self.others[other], images))
        return images, torch.where(is_digit, self.labels[digit], labels.masked_fill(is_other, NO_CLASS))


def wanted_probabilities(labels: Tensor, classes: int) -> Tensor:
    """Return what a network should answer: 1 for the label, and the same probability for each class where an image is of none.

    Shape: ``(N,)`` → ``(N, classes)`` float32
    """
    return F.one_hot(labels.clamp(min=0), classes).float().where((labels != NO_CLASS).unsqueeze(1), 1 / classes)


@cache
def drawn_images(images: ImageSet) -> DrawnImages:
    """Draw the images for a data set of digits, the same each time; it takes five to ten seconds.

    Strokes of real pens come in where their files are in the folder `pen` of the data folder, as docs/configuration.md says.
    """
    random = np.random.default_rng(0)
    digits, labels = _digits(images, random)
    others = [no_digit(random, images.train_images) for _ in range(SCRIBBLED)]
    folder = environment.data_folder() / "pen"
    written, meant = stroke_files.digits(folder, random)
    others += stroke_files.characters(folder, random)
    return DrawnImages(_stacked(digits + written), torch.tensor(labels + meant), _stacked(others))


def _digits(images: ImageSet, random: Random) -> tuple[list[Pixels], list[int]]:
    classes = list(STYLES)
    labels = [index % len(classes) for index in range(DRAWN)]
    digits = [drawn_digit(classes[label], random) for label in labels]
    for name, count in ADDED.items():
        places = torch.where(images.train_labels == classes.index(name))[0].tolist()
        for place in islice(random.permutation(places), count):
            digits.append(with_strokes_added(name, images.train_images[place, 0].numpy(), random))
            labels.append(classes.index(name))
    return digits, labels


def _stacked(images: list[Pixels]) -> Tensor:
    return torch.from_numpy(np.stack(images).round().astype(np.uint8)).unsqueeze(1)
