"""Apply data augmentation to a whole batch, on the device of the images."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from playground.data.augmentation import Augmentation


def augment_images(images: Tensor, augment: Augmentation) -> Tensor:
    """Augment each image at random, with torch's default generator.

    Shape: ``(N, C, H, W)`` → ``(N, C, H, W)``, uint8 or float from 0 to 255; noise may exceed this range.
    """
    if augment.flip:
        mirrored = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5
        images = torch.where(mirrored, images.flip(-1), images)
    if augment.stroke:
        images = _stroke(images.float(), augment.stroke)
    if augment.rotation or augment.scale:
        images = _rotate_and_scale(images.float(), augment.rotation, augment.scale)
    if augment.shift:
        images = _shift(images, augment.shift)
    if augment.noise:
        images = images.float() + torch.randn(images.shape, device=images.device) * (255 * augment.noise)
    return images


def _shift(images: Tensor, pixels: int) -> Tensor:
    """Shift each image by whole pixels, with zeros at the edges: one gather over the padded batch."""
    count, channels, height, width = images.shape
    padded = F.pad(images, (pixels,) * 4)
    offsets = torch.randint(0, 2 * pixels + 1, (2, count, 1), device=images.device)
    rows = offsets[0] + torch.arange(height, device=images.device)  # (N, H)
    columns = offsets[1] + torch.arange(width, device=images.device)  # (N, W)
    index = (rows.unsqueeze(2) * padded.shape[3] + columns.unsqueeze(1)).view(count, 1, -1)  # (N, 1, H·W)
    return padded.flatten(2).gather(2, index.expand(-1, channels, -1)).view(count, channels, height, width)


def _rotate_and_scale(images: Tensor, degrees: float, share: float) -> Tensor:
    """Rotate and scale each image about its centre, with bilinear interpolation."""
    count = len(images)
    angle = torch.empty(count, device=images.device).uniform_(-degrees, degrees) * (math.pi / 180)
    zoom = 1 / torch.empty(count, device=images.device).uniform_(1 - share, 1 + share)
    cos, sin, zero = angle.cos() * zoom, angle.sin() * zoom, torch.zeros_like(angle)
    matrix = torch.stack([cos, -sin, zero, sin, cos, zero], dim=1).view(count, 2, 3)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def _stroke(images: Tensor, chance: float) -> Tensor:
    """Blend randomly selected images with their dilation (thicker) or erosion (thinner), by a random amount."""
    count = len(images)
    amount = torch.empty(count, 1, 1, 1, device=images.device).uniform_(-1, 1)
    amount = amount * (torch.rand(count, 1, 1, 1, device=images.device) < chance)
    thicker = F.max_pool2d(images, 3, 1, 1)
    thinner = -F.max_pool2d(-images, 2, 1, 1)[..., : images.shape[2], : images.shape[3]]
    return images + amount.clamp(min=0) * (thicker - images) + (-amount).clamp(min=0) * 0.7 * (thinner - images)
