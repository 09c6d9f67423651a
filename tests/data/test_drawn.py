"""Drawn images: styles of handwriting, scribbles, strokes from files, and how they are mixed into batches."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from playground.data import pen, stroke_files
from playground.data.augmentation import NO_CLASS, Augmentation
from playground.data.drawn import DrawnImages, drawn_images
from playground.data.handwriting import STYLES, drawn_digit, with_strokes_added
from playground.data.images import ImageSet
from playground.data.scribbles import LETTERS, no_digit

UNIPEN = """.LEXICON "0" "1"
.SEGMENT DIGIT 0 ? "7"
.COMMENT 7 {writer} 1
.PEN_DOWN
 0  100
 50 100
.PEN_UP
.DT 10
.PEN_DOWN
 50 100
 50 0
.PEN_UP
"""


def is_form(image: np.ndarray) -> bool:
    """Whether it looks like one of MNIST's: light on dark in a box of 20×20, which may have been moved."""
    rows, columns = np.nonzero(image > 0)
    return image.shape == (28, 28) and image.min() >= 0 and 200 < image.max() <= 255 and max(np.ptp(rows), np.ptp(columns)) in (18, 19, 20)


@pytest.mark.parametrize("digit", STYLES)
def test_a_drawn_digit_has_the_form_of_mnists_and_each_is_another(digit: str) -> None:
    random = np.random.default_rng(1)
    images = [drawn_digit(digit, random) for _ in range(20)]
    assert all(is_form(image) for image in images)
    assert len({image.tobytes() for image in images}) == 20


@pytest.mark.parametrize("digit", ["0", "1", "7"])
def test_strokes_are_added_to_digits_of_mnist(digit: str, digits: ImageSet) -> None:
    random = np.random.default_rng(1)
    images = digits.train_images[digits.train_labels == int(digit), 0][:20].numpy()
    changed = [with_strokes_added(digit, image, random) for image in images]
    assert all(is_form(image) for image in changed)
    assert all(np.abs(after - before).max() > 100 for before, after in zip(images, changed, strict=True))


def test_a_slash_goes_through_the_ring_of_a_zero() -> None:
    ring = pen.render([pen.arc((0.5, 0.5), (0.4, 0.5), 0, 1)], 0.08)
    assert ring[50:62, 50:62].max() == 0
    random = np.random.default_rng(0)
    slashed = [with_strokes_added("0", np.pad(ring[::4, ::4], 0), random) for _ in range(20)]
    assert min(image[11:18, 11:18].max() for image in slashed) > 100


def test_what_is_no_digit_has_the_same_form(digits: ImageSet) -> None:
    random = np.random.default_rng(2)
    images = [no_digit(random, digits.train_images) for _ in range(200)]
    assert len({image.tobytes() for image in images}) == 200
    assert all(image.shape == (28, 28) and image.max() > 200 for image in images)
    assert len(LETTERS) == len(set(LETTERS))


def test_a_pen_is_as_wide_as_it_should_be() -> None:
    line = pen.render([pen.line((0.0, 0.0), (1.0, 0.0))], 0.1)
    assert (line > 0).sum(axis=0).max() in (10, 11)
    assert (line > 0).any(axis=0).sum() >= pen.CANVAS - 4


def test_corners_are_rounded_and_ends_stay() -> None:
    rounded = pen.rounded(pen.line((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)))
    assert rounded[0].tolist() == [0, 0] and rounded[-1].tolist() == [1, 1]
    assert np.hypot(*(rounded - [1, 0]).T).min() > 0.15


def test_digits_are_read_from_a_file_of_strokes(tmp_path: Path) -> None:
    path = tmp_path / stroke_files.DIGITS
    path.write_bytes(gzip.compress(b"".join(UNIPEN.format(writer=writer).encode() for writer in (1, 2, 3))))
    read = list(stroke_files.read_digits(path))
    assert [(each.digit, each.writer, len(each.strokes)) for each in read] == [(7, 1, 2), (7, 2, 2), (7, 3, 2)]
    assert read[0].strokes[1].tolist() == [[50, -100], [50, 0]]  # downwards, as on a screen
    images, labels = stroke_files.digits(tmp_path, np.random.default_rng(0))
    assert len(images) == 2 * stroke_files.PENS and labels == [7] * len(images)  # the third writer is held out
    top, left = images[0][4:8].sum(), images[0][:, :8].sum()
    assert top > 0 and left < images[0].sum() / 3


def test_characters_are_read_without_those_that_look_like_digits(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "omniglot-strokes-1.zip", "w") as archive:
        for name in ("Latin/character01/0001_01", "Latin/character15/0015_01", "Latin/character01/0001_03", "Tagalog/character01/0101_01"):
            archive.writestr(f"strokes/{name}.txt", "START\n0,-10,0\n5,-20.5,10\nBREAK\n8,-10,20\n8,-20,30\nBREAK\n")
        archive.writestr("strokes/.DS_Store", "")
    read = list(stroke_files.read_characters(tmp_path / "omniglot-strokes-1.zip"))
    assert [(each.alphabet, each.number, each.writer) for each in read] == [("Latin", 1, 1), ("Latin", 1, 3), ("Tagalog", 1, 1)]
    assert [stroke.tolist() for stroke in read[0].strokes] == [[[0, 10], [5, 20.5]], [[8, 10], [8, 20]]]
    assert len(stroke_files.characters(tmp_path, np.random.default_rng(0))) == 1


def test_without_files_nothing_is_read(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    assert stroke_files.digits(tmp_path, random) == ([], []) and stroke_files.characters(tmp_path, random) == []


@pytest.mark.usefixtures("few_drawn_images")
def test_the_drawn_images_of_a_data_set_are_the_same_each_time(digits: ImageSet) -> None:
    first, second = (drawn_images.__wrapped__(digits) for _ in range(2))
    assert torch.equal(first.digits, second.digits) and torch.equal(first.others, second.others)
    assert len(first.digits) == len(first.labels) == 70 and len(first.others) == 20
    assert first.labels.bincount().tolist() == [14, 19, 4, 4, 4, 4, 4, 9, 4, 4]


def test_images_are_mixed_in_at_their_shares() -> None:
    pool = DrawnImages(torch.full((3, 1, 28, 28), 200, dtype=torch.uint8), torch.tensor([7, 7, 7]), torch.full((2, 1, 28, 28), 100, dtype=torch.uint8))
    images, labels = torch.zeros(10_000, 1, 28, 28, dtype=torch.uint8), torch.full((10_000,), 4)
    torch.manual_seed(0)
    mixed, meant = pool.mix(images, labels, Augmentation(styles=0.2, scribbles=0.1))
    pixels = mixed[:, 0, 0, 0]
    assert mixed.dtype == torch.uint8 and mixed.flatten(1).float().std(dim=1).max() == 0
    assert ((pixels == 200) == (meant == 7)).all() and ((pixels == 100) == (meant == NO_CLASS)).all() and ((pixels == 0) == (meant == 4)).all()
    assert (meant == 7).float().mean() == pytest.approx(0.2, abs=0.015) and (meant == NO_CLASS).float().mean() == pytest.approx(0.1, abs=0.012)
    assert labels.tolist() == [4] * 10_000


def test_nothing_is_mixed_in_without_a_share() -> None:
    pool = DrawnImages(torch.ones(1, 1, 28, 28, dtype=torch.uint8), torch.tensor([7]), torch.ones(1, 1, 28, 28, dtype=torch.uint8))
    images, labels = torch.zeros(64, 1, 28, 28, dtype=torch.uint8), torch.arange(64)
    mixed, meant = pool.mix(images, labels, Augmentation())
    assert torch.equal(mixed, images) and torch.equal(meant, labels)
