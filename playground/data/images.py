"""Data sets in memory, and the scaling of their pixels for a network."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from playground.data.catalogue import DatasetInfo
from playground.data.input_scaling import STANDARDISED, ZERO_TO_ONE


@dataclass(frozen=True)
class ImageSet:
    """All images of a data set as uint8 tensors, on one device."""

    info: DatasetInfo
    train_images: Tensor
    """``(N, C, H, W)`` uint8."""
    train_labels: Tensor
    """``(N,)`` int64, indices into `info.classes`."""
    test_images: Tensor
    """``(M, C, H, W)`` uint8, not used in training."""
    test_labels: Tensor
    """``(M,)`` int64."""

    def to(self, device: torch.device | str) -> ImageSet:
        tensors = (self.train_images, self.train_labels, self.test_images, self.test_labels)
        return ImageSet(self.info, *(tensor.to(device) for tensor in tensors))


def normalise(images: Tensor, info: DatasetInfo, inputs: str = STANDARDISED) -> Tensor:
    """Scale images from 0–255 to float32, by default to mean 0 and standard deviation 1 in each channel.

    Shape: ``(N, C, H, W)`` uint8 or float → ``(N, C, H, W)`` float32
    """
    scale, shift = scale_and_shift(info, images.device, inputs)
    return images.to(torch.float32, copy=True).mul_(scale).add_(shift)


def scale_and_shift(info: DatasetInfo, device: torch.device, inputs: str = STANDARDISED) -> tuple[Tensor, Tensor]:
    """Return the factor and the offset, each ``(C, 1, 1)``, that apply one of `INPUT_SCALINGS` to pixels from 0 to 255."""
    mean, std = torch.tensor(info.mean), torch.tensor(info.std)
    if inputs == STANDARDISED:
        scale, shift = 1 / (255 * std), -mean / std
    else:
        scale, shift = torch.full_like(std, 1 / 255 if inputs == ZERO_TO_ONE else 1.0), torch.zeros_like(mean)
    return scale.view(-1, 1, 1).to(device), shift.view(-1, 1, 1).to(device)
