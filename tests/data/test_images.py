"""Normalisation, compared with torchvision."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision import transforms

from playground.data.catalogue import DATASETS, DatasetInfo
from playground.data.images import ImageSet, normalise, scale_and_shift

each_info = pytest.mark.parametrize("info", DATASETS, ids=lambda info: info.name)


def random_images(info: DatasetInfo, count: int = 4) -> torch.Tensor:
    return torch.randint(0, 256, (count, *info.input_shape), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


@each_info
def test_normalisation_is_that_of_torchvision(info: DatasetInfo) -> None:
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(info.mean, info.std)])
    images = random_images(info)
    theirs = torch.stack([transform(np.ascontiguousarray(image.permute(1, 2, 0).numpy())) for image in images])
    torch.testing.assert_close(normalise(images, info), theirs, rtol=0, atol=2e-6)


@each_info
def test_normalisation_does_not_change_bytes_in_place(info: DatasetInfo) -> None:
    images = random_images(info)
    floats = images.float()
    assert torch.equal(normalise(images, info), normalise(floats.clone(), info))
    assert torch.equal(images, random_images(info))


def test_normalisation_does_not_change_floats_in_place() -> None:
    info = DATASETS[0]
    floats = random_images(info).float()
    before = floats.clone()
    normalise(floats, info)
    assert torch.equal(floats, before)


@each_info
def test_the_mean_becomes_0_and_one_standard_deviation_above_it_1(info: DatasetInfo) -> None:
    scale, shift = scale_and_shift(info, torch.device("cpu"))
    mean, std = torch.tensor(info.mean).view(-1, 1, 1), torch.tensor(info.std).view(-1, 1, 1)
    torch.testing.assert_close(255 * mean * scale + shift, torch.zeros_like(mean), atol=1e-5, rtol=0)
    torch.testing.assert_close(255 * (mean + std) * scale + shift, torch.ones_like(mean))


def test_images_and_labels_move_to_the_device() -> None:
    images, labels = random_images(DATASETS[0]), torch.zeros(4, dtype=torch.int64)
    moved = ImageSet(DATASETS[0], images, labels, images, labels).to("meta")
    assert {tensor.device.type for tensor in (moved.train_images, moved.train_labels, moved.test_images, moved.test_labels)} == {"meta"}
