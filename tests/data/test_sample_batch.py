"""A batch to try a network on: real images as training sees them, or random numbers."""

from __future__ import annotations

import pytest
import torch

from playground.data.catalogue import DATASETS, DatasetInfo
from playground.data.load import load
from playground.data.sample_batch import Batch, draw_batch
from playground.errors import DataError, UnknownName

OFFLINE = [info for info in DATASETS if info.offline]
each_set = pytest.mark.parametrize("info", OFFLINE, ids=lambda info: info.name)


def drawn(info: DatasetInfo, count: int = 64, dataset: str = "", seed: int = 0) -> Batch:
    torch.manual_seed(seed)
    return draw_batch(info.input_shape, len(info.classes), count, dataset)


def pixels(inputs: torch.Tensor, info: DatasetInfo) -> torch.Tensor:
    """The bytes that were normalised: value · deviation + mean, from 0 to 255."""
    mean, std = torch.tensor(info.mean).view(-1, 1, 1), torch.tensor(info.std).view(-1, 1, 1)
    return (inputs * std + mean) * 255


@each_set
def test_a_set_of_the_right_shape_is_found(info: DatasetInfo) -> None:
    found = drawn(info)
    assert found.info is info
    assert found.inputs.shape == (64, *info.input_shape) and found.inputs.dtype == torch.float32
    assert found.labels.shape == (64,) and found.labels.dtype == torch.int64
    assert "64 training images" in found.description and info.title in found.description


@each_set
def test_each_sample_is_a_training_image_with_its_label_normalised(info: DatasetInfo) -> None:
    images = load(info.name)
    known: dict[bytes, set[int]] = {}
    for image, label in zip(images.train_images, images.train_labels.tolist(), strict=True):
        known.setdefault(image.numpy().tobytes(), set()).add(label)
    found = drawn(info)
    raw = pixels(found.inputs, info)
    torch.testing.assert_close(raw, raw.round(), atol=1e-3, rtol=0)
    for image, label in zip(raw.round().to(torch.uint8), found.labels.tolist(), strict=True):
        assert label in known[image.numpy().tobytes()]


def test_samples_are_drawn_from_everywhere_and_none_twice() -> None:
    found = drawn(OFFLINE[0], count=500)
    assert len({image.numpy().tobytes() for image in found.inputs}) == 500
    assert set(found.labels.tolist()) == set(range(len(OFFLINE[0].classes)))


@each_set
def test_a_seed_is_a_batch(info: DatasetInfo) -> None:
    first, again, other = drawn(info, seed=1), drawn(info, seed=1), drawn(info, seed=2)
    assert torch.equal(first.inputs, again.inputs) and torch.equal(first.labels, again.labels)
    assert not torch.equal(first.inputs, other.inputs)


def test_a_named_set_is_taken() -> None:
    assert drawn(OFFLINE[1], dataset=OFFLINE[1].name).info is OFFLINE[1]


@pytest.mark.parametrize("shape", [(784,), (3, 7, 5), (1, 32, 32), (1,)])
def test_where_no_set_fits_numbers_are_random(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    found = draw_batch(shape, 3, 2000)
    assert found.info is None
    assert found.inputs.shape == (2000, *shape) and found.inputs.dtype == torch.float32
    assert found.inputs.mean().abs() < 0.1 and (found.inputs.std() - 1).abs() < 0.1
    assert set(found.labels.tolist()) == {0, 1, 2} and found.labels.dtype == torch.int64
    assert str(shape) in found.description and "2000" in found.description and "random" in found.description


def test_random_numbers_follow_the_seed() -> None:
    torch.manual_seed(5)
    first = draw_batch((4,), 2, 8)
    torch.manual_seed(5)
    again, following = draw_batch((4,), 2, 8), draw_batch((4,), 2, 8)
    assert torch.equal(first.inputs, again.inputs) and torch.equal(first.labels, again.labels)
    assert not torch.equal(again.inputs, following.inputs)


def test_a_named_set_of_another_shape_gives_way_to_a_built_in_one() -> None:
    found = drawn(OFFLINE[1], dataset=OFFLINE[0].name)
    assert found.info == OFFLINE[1] and found.inputs.shape == (64, *OFFLINE[1].input_shape)
    assert OFFLINE[1].title in found.description


def test_more_samples_than_there_are_are_all_of_them() -> None:
    info = OFFLINE[0]
    found = drawn(info, count=info.train_size + 1)
    assert len(found.inputs) == len(found.labels) == info.train_size
    assert len(torch.unique(pixels(found.inputs, info).round(), dim=0)) == len(torch.unique(load(info.name).train_images, dim=0))


def test_the_sentence_tells_how_many_there_really_are() -> None:
    info = OFFLINE[0]
    text = drawn(info, count=info.train_size + 1).description.replace(",", "")
    assert f" {info.train_size} training images" in text


def test_what_is_not_there_is_told() -> None:
    with pytest.raises(UnknownName, match="nowhere"):
        draw_batch((1, 28, 28), 10, 4, "nowhere")
    with pytest.raises(DataError, match="has not been downloaded"):
        draw_batch((1, 28, 28), 10, 4, "kmnist")
