"""How well the shipped network reads hands that it was never trained on, and doubts what is no digit: `python -m benchmarks.hands [MODEL]`.

The strokes of other hands are read from the folder `pen` of the data folder (docs/configuration.md); of their writers every third was left out of training.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from playground import environment
from playground.data.handwriting import with_strokes_added
from playground.data.load import load
from playground.data.pen import Stroke, as_image
from playground.data.preprocessing import Pixels
from playground.data.stroke_files import CHARACTERS, DIGITS, HELD_OUT, UNKNOWN_ALPHABET, Written, read_characters, read_digits
from playground.inference.confidence import MIN_CONFIDENCE
from playground.inference.models import DEFAULT_MODEL, Model, load_model

LONG_FLAG = 0.35
"""A 1 that is wider than this share of its height has a long flag."""
SURE = 0.9
BINS = 15
"""Bins of the calibration error: https://ojs.aaai.org/index.php/AAAI/article/view/9602"""
POOR = 0.95
"""Accuracy below which a writer is badly read."""


@dataclass(frozen=True)
class Answers:
    """What the network says of drawings of one kind."""

    probabilities: Tensor
    """``(N, classes)``"""
    labels: Tensor
    """``(N,)``; empty for what is no digit."""

    @property
    def confidence(self) -> Tensor:
        return self.probabilities.max(dim=1).values

    @property
    def right(self) -> Tensor:
        return self.probabilities.argmax(dim=1) == self.labels

    @property
    def accuracy(self) -> float:
        return float(self.right.float().mean())

    @property
    def doubted(self) -> float:
        return float((self.confidence < MIN_CONFIDENCE).float().mean())

    @property
    def sure(self) -> float:
        return float((self.confidence > SURE).float().mean())

    @property
    def calibration_error(self) -> float:
        """The expected calibration error."""
        bins = (self.confidence * BINS).ceil().clamp(1, BINS)
        groups = [bins == index for index in range(1, BINS + 1) if (bins == index).any()]
        return sum(float(group.float().mean() * (self.right[group].float().mean() - self.confidence[group].mean()).abs()) for group in groups)


def has_strokes() -> bool:
    return (environment.data_folder() / "pen" / DIGITS).exists()


@cache
def written() -> list[Written]:
    """The digits of the writers that were left out of training."""
    return [each for each in read_digits(environment.data_folder() / "pen" / DIGITS) if each.writer % HELD_OUT == 0]


def answers(model: Model, images: list[Pixels], labels: list[int]) -> Answers:
    inputs = torch.from_numpy(np.stack(images).round().astype(np.uint8)).unsqueeze(1)
    return Answers(torch.cat([model.probabilities(batch) for batch in torch.split(inputs, 500)]), torch.tensor(labels))


def of_mnist(model: Model) -> Answers:
    images = load("mnist")
    return Answers(torch.cat([model.probabilities(batch) for batch in torch.split(images.test_images, 500)]), images.test_labels)


def of_writers(model: Model) -> Answers:
    random = np.random.default_rng(12345)
    return answers(model, [as_image(each.strokes, random) for each in written()], [each.digit for each in written()])


def of_slashed_zeros(model: Model) -> Answers:
    """Each 0 of MNIST's test images with a slash."""
    images, random = load("mnist"), np.random.default_rng(12345)
    zeros = images.test_images[images.test_labels == 0, 0].numpy()
    return answers(model, [with_strokes_added("0", zero, random) for zero in zeros], [0] * len(zeros))


def of_characters(model: Model, unknown: bool) -> Answers:
    """Characters that look like no digit: of an alphabet that the network has never seen, or those of writers left out of training."""
    random, folder = np.random.default_rng(12345), environment.data_folder() / "pen"
    every = (each for path in sorted(folder.glob(CHARACTERS)) for each in read_characters(path))
    chosen = [each for each in every if (each.alphabet == UNKNOWN_ALPHABET) is unknown and (unknown or each.writer % HELD_OUT == 0)]
    return answers(model, [as_image(each.strokes, random) for each in chosen], [])


def _is_flagged(strokes: list[Stroke]) -> bool:
    width, height = np.ptp(np.concatenate(strokes), axis=0)
    return bool(width > LONG_FLAG * height)


def rows(model: Model | None = None) -> list[tuple[str, str, str]]:
    """The rows of the table."""
    model = model or load_model(DEFAULT_MODEL)
    mnist, foreign, slashed = of_mnist(model), of_writers(model), of_slashed_zeros(model)
    writers = np.array([each.writer for each in written()])
    by_writer = [float(foreign.right[torch.from_numpy(writers == writer)].float().mean()) for writer in np.unique(writers)]
    flagged = torch.tensor([each.digit == 1 and _is_flagged(each.strokes) for each in written()])
    letters, unknown = of_characters(model, unknown=False), of_characters(model, unknown=True)
    poor, flags = sum(accuracy < POOR for accuracy in by_writer), foreign.right[flagged].float()
    it = "Included network:"
    return [
        (f"{it} {len(writers):,} digits of {len(by_writer)} writers that it never saw, correctly classified", f"{foreign.accuracy:.2%}", "≥ 98.5 %"),
        (f"{it} of these writers so many are read below 95 % (the worst)", f"{poor} of {len(by_writer)} ({min(by_writer):.1%})", "≤ 1 of 20"),
        (f"{it} {len(flags)} ones with long flags among them, correctly classified", f"{float(flags.mean()):.1%}", "≥ 97 %"),
        (f"{it} MNIST’s {len(slashed.labels)} test zeros with a slash drawn through, correctly classified", f"{slashed.accuracy:.1%}", "≥ 92 %"),
        (
            f"{it} letters of 7 alphabets by hands that it never saw, answered with more than 90 % (and doubted)",
            f"{letters.sure:.1%} ({letters.doubted:.1%})", "≤ 2 %",
        ),
        (f"{it} the same of an alphabet that it never saw", f"{unknown.sure:.1%} ({unknown.doubted:.1%})", "≤ 2 %"),
        (f"{it} digits doubted, MNIST’s test images · other hands", f"{mnist.doubted:.2%} · {foreign.doubted:.2%}", "≤ 0.3 % · ≤ 1.5 %"),
        (
            f"{it} expected calibration error, MNIST’s test images · other hands",
            f"{mnist.calibration_error:.4f} · {foreign.calibration_error:.4f}", "≤ 0.01 · ≤ 0.02",
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    torch.set_num_threads(environment.training_threads())
    for what, value, bound in rows(load_model(sys.argv[1]) if sys.argv[1:] else None):
        print(f"{what}: {value}, held to {bound}")
