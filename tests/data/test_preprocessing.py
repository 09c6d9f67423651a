"""Preprocessing of drawings and images to the form of MNIST."""

from __future__ import annotations

import gc
import struct
import warnings
import zlib
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw

from benchmarks.drawing import pasted_accuracy
from playground.data.catalogue import dataset_info
from playground.data.image_files import read_image, to_input
from playground.data.images import ImageSet
from playground.data.preprocessing import MIDDLE, Pixels, to_digit
from playground.errors import DrawingError
from playground.inference.models import DEFAULT_MODEL, load_model

from ..support.tiers import repetitions

MNIST, KMNIST, CIFAR, FASHION = (dataset_info(name) for name in ("mnist", "kmnist", "cifar10", "fashion-mnist"))


def seven(side: int = 200, left: int = 60, top: int = 40, size: int = 100, width: int = 10) -> Pixels:
    """A hand-made 7, light on dark."""
    image = Image.new("L", (side, side))
    draw = ImageDraw.Draw(image)
    corners = [(left, top), (left + size * 3 // 5, top), (left + size // 5, top + size)]
    draw.line(corners, fill=255, width=width)
    return np.asarray(image, dtype=np.float64)


def middle_of(pixels: Pixels, axis: int) -> float:
    """Centre of mass along one axis, in pixels from the edge."""
    weights = pixels.sum(axis=1 - axis)
    return float(weights @ (np.arange(len(weights)) + 0.5) / weights.sum())


def middle(field: Pixels) -> tuple[float, float]:
    """Centre of mass, in pixels from the top and from the left."""
    return middle_of(field, 0), middle_of(field, 1)


@settings(max_examples=repetitions(60))
@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=30)))
def test_any_drawing_becomes_a_centred_digit(ink: np.ndarray) -> None:
    assume(ink.any())
    digit = to_digit(ink)
    assert digit.input.shape == (1, 28, 28) and digit.input.dtype == torch.uint8
    assert np.isfinite(digit.centred).all() and digit.centred.min() >= 0 and digit.input.max() == 255
    assert max(digit.fitted.shape) == 20
    for axis, place in enumerate(middle(digit.centred)):
        length, offset = digit.fitted.shape[axis], place - middle_of(digit.fitted, axis)
        nearest = min(abs(middle_of(digit.fitted, axis) + start - MIDDLE) for start in range(28 - length + 1))
        assert offset == pytest.approx(round(offset)) and abs(place - MIDDLE) == pytest.approx(nearest)


def test_real_digits_are_centred_within_a_pixel(digits: ImageSet) -> None:
    places = [middle(to_digit(image[0].numpy()).centred) for image in digits.test_images[:300]]
    assert np.abs(np.array(places) - MIDDLE).max() <= 1


@pytest.mark.parametrize("right", [-1, 0, 1], ids=["left", "middle", "right"])
@pytest.mark.parametrize("down", [-1, 0, 1], ids=["top", "middle", "bottom"])
def test_the_result_does_not_depend_on_the_position(down: int, right: int) -> None:
    ink = to_digit(seven()).cropped
    canvas = np.zeros((200, 200))
    top, left = ((1 + where) * (200 - length) // 2 for where, length in zip((down, right), ink.shape, strict=True))
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    assert torch.equal(to_digit(canvas).input, to_digit(seven()).input)


@pytest.mark.parametrize("times", [2, 3, 5])
def test_the_result_does_not_depend_on_the_size(times: int) -> None:
    once, larger = to_digit(seven()).centred, to_digit(np.kron(seven(), np.ones((times, times)))).centred
    assert np.abs(once - larger).mean() < 1  # of 255


@pytest.mark.parametrize("share", [0.1, 0.5, 4.0])
def test_the_result_does_not_depend_on_the_brightness(share: float) -> None:
    np.testing.assert_allclose(to_digit(seven() * share).centred, to_digit(seven()).centred, atol=1e-3)


def test_faint_noise_does_not_widen_the_bounding_box() -> None:
    noisy = seven() + np.random.default_rng(0).uniform(0, 20, (200, 200))
    assert to_digit(noisy).cropped.shape == to_digit(seven()).cropped.shape


def test_the_crop_has_no_margins_and_the_fit_keeps_the_aspect() -> None:
    ink = np.zeros((90, 70))
    ink[20:60, 30:40] = 1
    digit = to_digit(ink)
    assert digit.cropped.shape == (40, 10) and digit.fitted.shape == (20, 5)
    assert (digit.fitted == 255).all()
    np.testing.assert_array_equal(digit.drawn, ink)


def test_a_digit_of_mnist_is_not_changed(digits: ImageSet) -> None:
    changes = []
    for image in digits.test_images[:300]:
        once = to_digit(image[0].numpy()).centred
        changes.append(np.abs(to_digit(once).centred - once).mean())
    assert np.median(changes) < 3 and max(changes) < 20  # of 255


def test_the_shipped_network_classifies_digits_at_any_position_and_size(digits: ImageSet) -> None:
    """The way from canvas to network: these digits are among those that the network was trained on."""
    count = repetitions(len(digits.test_images))
    images = replace(digits, test_images=digits.test_images[:count], test_labels=digits.test_labels[:count])
    assert pasted_accuracy(load_model(DEFAULT_MODEL), images) >= 0.985


@pytest.mark.parametrize("ink", [np.zeros((28, 28)), np.zeros((0, 0)), np.zeros((0, 5)), np.zeros((1, 1))], ids=["blank", "none", "no-rows", "one"])
def test_an_empty_drawing_is_refused(ink: Pixels) -> None:
    with pytest.raises(DrawingError, match="canvas is empty"):
        to_digit(ink)


@pytest.mark.parametrize("value", [np.nan, np.inf], ids=["nan", "inf"])
def test_non_finite_ink_is_refused(value: float) -> None:
    with pytest.raises(DrawingError):
        to_digit(np.full((5, 5), value))


def mark(rows: slice, columns: slice) -> Pixels:
    ink = np.zeros((280, 280))
    ink[rows, columns] = 255
    return ink


ALL, ONE = slice(None), slice(140, 141)


@pytest.mark.parametrize(
    ("ink", "fitted"),
    [(mark(ONE, ONE), (20, 20)), (mark(ALL, ONE), (20, 1)), (mark(ONE, ALL), (1, 20)), (mark(slice(0, 1), slice(0, 1)), (20, 20)), (mark(ALL, ALL), (20, 20))],
    ids=["dot", "upright-line", "level-line", "corner", "full"],
)
def test_marks_that_are_no_digit_are_accepted(ink: Pixels, fitted: tuple[int, int]) -> None:
    digit = to_digit(ink)
    assert digit.fitted.shape == fitted
    assert max(abs(place - MIDDLE) for place in middle(digit.centred)) <= 0.5


# Pictures


def grey_of(ink: Pixels, *, dark_on_light: bool) -> Image.Image:
    pixels = ink.astype(np.uint8)
    return Image.fromarray(255 - pixels if dark_on_light else pixels)


def clear_paper(ink: Pixels) -> Image.Image:
    image = Image.new("RGBA", ink.shape[::-1], (0, 0, 0, 0))
    image.putalpha(Image.fromarray(ink.astype(np.uint8)))
    return image


PICTURES = {
    "black-on-white": lambda ink: grey_of(ink, dark_on_light=True),
    "white-on-black": lambda ink: grey_of(ink, dark_on_light=False),
    "colour": lambda ink: grey_of(ink, dark_on_light=True).convert("RGB"),
    "transparent": clear_paper,
    "grey-with-alpha": lambda ink: clear_paper(ink).convert("LA"),
    "one-bit": lambda ink: grey_of(ink, dark_on_light=True).convert("1"),
}


@pytest.mark.parametrize("make", PICTURES.values(), ids=PICTURES)
def test_an_image_of_a_drawing_gives_the_same_digit(make: object, tmp_path: Path) -> None:
    path = tmp_path / "seven.png"
    make(seven()).save(path)  # type: ignore[operator]
    assert torch.equal(to_input(read_image(path), MNIST), to_digit(seven()).input)


def test_a_palette_gif_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "seven.gif"
    grey_of(seven(), dark_on_light=True).convert("P").save(path)
    image = read_image(path)
    assert image.mode in ("P", "L")
    assert torch.equal(to_input(image, MNIST), to_digit(seven()).input)


def test_a_transparent_gif_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "seven.gif"
    image = Image.fromarray((seven() > 0).astype(np.uint8), "L").convert("P")
    image.putpalette([0, 0, 0, 0, 0, 0])
    image.save(path, transparency=0)
    assert torch.equal(to_input(read_image(path), MNIST), to_digit(seven()).input)


def test_a_16_bit_image_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "seven.png"
    Image.fromarray((65535 - seven() * 200).astype(np.uint16)).save(path)  # the ink is grey: 14535 of 65535
    assert torch.equal(to_input(read_image(path), MNIST), to_digit(seven()).input)


@pytest.mark.parametrize("colour", ["white", "black", (10, 20, 30)], ids=["white", "black", "colour"])
@pytest.mark.parametrize("info", [MNIST, KMNIST], ids=lambda info: info.name)
def test_a_blank_image_is_refused(colour: str, info: object) -> None:
    with pytest.raises(DrawingError):
        to_input(Image.new("RGB", (40, 30), colour), info)


def test_characters_become_light_on_dark() -> None:
    for dark_on_light in (True, False):
        made = to_input(grey_of(seven(280), dark_on_light=dark_on_light), KMNIST)
        assert made.shape == (1, 28, 28) and made.dtype == torch.uint8
        averaged = seven(280).reshape(28, 10, 28, 10).mean(axis=(1, 3))
        np.testing.assert_allclose(made[0], averaged, atol=1)


@pytest.mark.parametrize("info", [CIFAR, FASHION], ids=lambda info: info.name)
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "1", "CMYK", "LA"])
@pytest.mark.parametrize("size", [(64, 64), (90, 40), (1, 1), (3, 500)], ids=str)
def test_an_image_gets_the_input_shape_of_the_network(info: object, mode: str, size: tuple[int, int]) -> None:
    image = to_input(Image.new(mode, size), info)
    assert image.shape == info.input_shape and image.dtype == torch.uint8  # type: ignore[attr-defined]


def test_a_colour_image_is_cropped_to_its_central_square() -> None:
    image = Image.new("RGB", (96, 32), "red")
    image.paste((0, 200, 0), (32, 0, 64, 32))
    assert torch.equal(to_input(image, CIFAR), torch.tensor([0, 200, 0], dtype=torch.uint8).view(3, 1, 1).expand(3, 32, 32))


def test_an_image_of_the_input_size_is_not_changed() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(to_input(Image.fromarray(pixels), CIFAR).permute(1, 2, 0), pixels)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"<svg/>", b"%PDF-1.7"], ids=["empty", "text", "png-start", "gif-start", "svg", "pdf"]
)
def test_a_file_that_is_no_image_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file.png"
    path.write_bytes(content)
    with pytest.raises(DrawingError, match=r"file\.png cannot be read as an image"):
        read_image(path)


def test_a_truncated_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "torn.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DrawingError, match="cannot be read as an image"):
        read_image(path)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(DrawingError, match=r"There is no file .*nowhere\.png"):
        read_image(tmp_path / "nowhere.png")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DrawingError):
        read_image(tmp_path)


def png_that_claims(width: int, height: int) -> bytes:
    """A file of a hundred bytes whose header promises a huge picture."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(b"\0" * 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks)


@pytest.mark.parametrize(("width", "height"), [(8_000, 8_000), (60_000, 60_000)], ids=["large", "bomb"])
def test_a_huge_image_is_refused_before_it_is_decoded(width: int, height: int, tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(png_that_claims(width, height))
    with pytest.raises(DrawingError, match=r"huge\.png"):
        read_image(path)


def animation(path: Path) -> None:
    Image.new("P", (10, 10)).save(path, format="GIF", save_all=True, append_images=[Image.new("P", (10, 10), 1)])


FILES = {
    "picture": lambda path: Image.new("L", (10, 10)).save(path, format="PNG"),
    "gif": lambda path: Image.new("P", (10, 10)).save(path, format="GIF"),
    "animation": animation,
    "large": lambda path: path.write_bytes(png_that_claims(8_000, 8_000)),
    "torn": lambda path: path.write_bytes(png_that_claims(800, 800)),
}


@pytest.mark.parametrize("make", FILES.values(), ids=FILES)
def test_the_file_is_closed(make: object, tmp_path: Path) -> None:
    path = tmp_path / "file"
    make(path)  # type: ignore[operator]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with suppress(DrawingError):
            read_image(path)
        gc.collect()
    assert [str(warning.message) for warning in caught if warning.category is ResourceWarning] == []
