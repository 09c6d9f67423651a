"""A batch for an untrained network: training images, or random inputs."""

from __future__ import annotations

import pytest
import torch

from playground.data.catalogue import DATASETS, DatasetInfo
from playground.data.load import load
from playground.data.sample_batch import Batch, draw_batch
from playground.errors import DataError, UnknownName

OFFLINE = [info for info in DATASETS if info.offline]
each_set = pytest.mark.parametrize("info", OFFLINE, ids=lambda info: info.name)


def batch_of(info: DatasetInfo, count: int = 64, dataset: str = "", seed: int = 0) -> Batch:
    torch.manual_seed(seed)
    return draw_batch(info.input_shape, len(info.classes), count, dataset)


def pixels(inputs: torch.Tensor, info: DatasetInfo) -> torch.Tensor:
    """The bytes that were normalised: value · deviation + mean, from 0 to 255."""
    mean, std = torch.tensor(info.mean).view(-1, 1, 1), torch.tensor(info.std).view(-1, 1, 1)
    return (inputs * std + mean) * 255


@each_set
def test_a_data_set_of_the_input_shape_is_used(info: DatasetInfo) -> None:
    batch = batch_of(info)
    assert batch.info is info
    assert batch.inputs.shape == (64, *info.input_shape) and batch.inputs.dtype == torch.float32
    assert batch.labels.shape == (64,) and batch.labels.dtype == torch.int64
    assert "64 training images" in batch.description and info.title in batch.description


@each_set
def test_each_sample_is_a_normalised_training_image_with_its_label(info: DatasetInfo) -> None:
    images = load(info.name)
    known: dict[bytes, set[int]] = {}
    for image, label in zip(images.train_images, images.train_labels.tolist(), strict=True):
        known.setdefault(image.numpy().tobytes(), set()).add(label)
    batch = batch_of(info)
    raw = pixels(batch.inputs, info)
    torch.testing.assert_close(raw, raw.round(), atol=1e-3, rtol=0)
    for image, label in zip(raw.round().to(torch.uint8), batch.labels.tolist(), strict=True):
        assert label in known[image.numpy().tobytes()]


def test_samples_are_drawn_without_replacement_from_all_classes() -> None:
    batch = batch_of(OFFLINE[0], count=500)
    assert len({image.numpy().tobytes() for image in batch.inputs}) == 500
    assert set(batch.labels.tolist()) == set(range(len(OFFLINE[0].classes)))


@each_set
def test_a_seed_determines_the_batch(info: DatasetInfo) -> None:
    first, again, other = batch_of(info, seed=1), batch_of(info, seed=1), batch_of(info, seed=2)
    assert torch.equal(first.inputs, again.inputs) and torch.equal(first.labels, again.labels)
    assert not torch.equal(first.inputs, other.inputs)


def test_the_requested_data_set_is_used() -> None:
    assert batch_of(OFFLINE[1], dataset=OFFLINE[1].name).info is OFFLINE[1]


@pytest.mark.parametrize("shape", [(784,), (3, 7, 5), (1, 32, 32), (1,)])
def test_without_a_matching_data_set_the_inputs_are_random(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    batch = draw_batch(shape, 3, 2000)
    assert batch.info is None
    assert batch.inputs.shape == (2000, *shape) and batch.inputs.dtype == torch.float32
    assert batch.inputs.mean().abs() < 0.1 and (batch.inputs.std() - 1).abs() < 0.1
    assert set(batch.labels.tolist()) == {0, 1, 2} and batch.labels.dtype == torch.int64
    assert str(shape) in batch.description and "2000" in batch.description and "random" in batch.description


def test_a_seed_determines_random_inputs() -> None:
    torch.manual_seed(5)
    first = draw_batch((4,), 2, 8)
    torch.manual_seed(5)
    again, following = draw_batch((4,), 2, 8), draw_batch((4,), 2, 8)
    assert torch.equal(first.inputs, again.inputs) and torch.equal(first.labels, again.labels)
    assert not torch.equal(again.inputs, following.inputs)


def test_a_requested_data_set_of_another_shape_is_replaced_by_a_bundled_one() -> None:
    batch = batch_of(OFFLINE[1], dataset=OFFLINE[0].name)
    assert batch.info == OFFLINE[1] and batch.inputs.shape == (64, *OFFLINE[1].input_shape)
    assert OFFLINE[1].title in batch.description


def test_a_request_for_too_many_samples_gives_all_of_them() -> None:
    info = OFFLINE[0]
    batch = batch_of(info, count=info.train_size + 1)
    assert len(batch.inputs) == len(batch.labels) == info.train_size
    assert len(torch.unique(pixels(batch.inputs, info).round(), dim=0)) == len(torch.unique(load(info.name).train_images, dim=0))


def test_the_description_has_the_actual_number_of_samples() -> None:
    info = OFFLINE[0]
    text = batch_of(info, count=info.train_size + 1).description.replace(",", "")
    assert f" {info.train_size} training images" in text


def test_unknown_and_missing_data_sets_are_refused() -> None:
    with pytest.raises(UnknownName, match="nowhere"):
        draw_batch((1, 28, 28), 10, 4, "nowhere")
    with pytest.raises(DataError, match="has not been downloaded"):
        draw_batch((1, 28, 28), 10, 4, "kmnist")
