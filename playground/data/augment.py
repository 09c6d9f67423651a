"""Changing training images at random, a whole batch at a time, on the device where they are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Augment:
    """How much training images are changed; the default changes nothing."""

    shift: int = 0
    """Moved by up to this many pixels each way."""
    flip: bool = False
    """Mirrored left to right, every second one."""
    rotation: float = 0.0
    """Turned by up to this many degrees each way."""
    scale: float = 0.0
    """Made larger or smaller by up to this share: 0.1 means 90 % to 110 %."""
    stroke: float = 0.0
    """Chance that lines are made thicker or thinner by up to a pixel; for drawings, light on dark."""
    noise: float = 0.0
    """Standard deviation of noise added to each pixel, where pixels go from 0 to 1."""

    def problems(self, size: int = 28) -> list[str]:
        """Everything that is out of range, in plain sentences."""
        limits = {"shift": size // 2, "rotation": 180, "scale": 0.9, "stroke": 1.0, "noise": 1.0}
        problems = []
        for name, high in limits.items():
            value = getattr(self, name)
            whole = name == "shift"
            if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not 0 <= value <= high:
                kind = "a whole number" if whole else "a number"
                problems.append(f"Augmentation: {name} must be {kind} from 0 to {high:g}, not {value!r}.")
        flip: object = self.flip  # from a file it may be anything
        if not isinstance(flip, bool):
            problems.append(f"Augmentation: flip must be true or false, not {flip!r}.")
        return problems

    def __call__(self, images: Tensor) -> Tensor:
        """Shape: (N, C, H, W) → (N, C, H, W), uint8 or float 0–255 in, the same range out but for noise."""
        if self.flip:
            mirrored = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5
            images = torch.where(mirrored, images.flip(-1), images)
        if self.stroke:
            images = _stroke(images.float(), self.stroke)
        if self.rotation or self.scale:
            images = _turn_and_scale(images.float(), self.rotation, self.scale)
        if self.shift:
            images = _shift(images, self.shift)
        if self.noise:
            images = images.float() + torch.randn(images.shape, device=images.device) * (255 * self.noise)
        return images


def _shift(images: Tensor, pixels: int) -> Tensor:
    """Move each image by whole pixels, dark coming in at the edges: one gather over the padded batch."""
    count, channels, height, width = images.shape
    padded = F.pad(images, (pixels,) * 4)
    offsets = torch.randint(0, 2 * pixels + 1, (2, count, 1), device=images.device)
    rows = offsets[0] + torch.arange(height, device=images.device)  # (N, H)
    columns = offsets[1] + torch.arange(width, device=images.device)  # (N, W)
    index = (rows.unsqueeze(2) * padded.shape[3] + columns.unsqueeze(1)).view(count, 1, -1)  # (N, 1, H·W)
    return padded.flatten(2).gather(2, index.expand(-1, channels, -1)).view(count, channels, height, width)


def _turn_and_scale(images: Tensor, degrees: float, share: float) -> Tensor:
    """Turn and scale each image about its centre, bilinearly."""
    count = len(images)
    angle = torch.empty(count, device=images.device).uniform_(-degrees, degrees) * (math.pi / 180)
    zoom = 1 / torch.empty(count, device=images.device).uniform_(1 - share, 1 + share)
    cos, sin, zero = angle.cos() * zoom, angle.sin() * zoom, torch.zeros_like(angle)
    matrix = torch.stack([cos, -sin, zero, sin, cos, zero], dim=1).view(count, 2, 3)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def _stroke(images: Tensor, chance: float) -> Tensor:
    """Blend each chosen image with its dilation (thicker) or erosion (thinner), by a random amount."""
    count = len(images)
    amount = torch.empty(count, 1, 1, 1, device=images.device).uniform_(-1, 1)
    amount = amount * (torch.rand(count, 1, 1, 1, device=images.device) < chance)
    thicker = F.max_pool2d(images, 3, 1, 1)
    thinner = -F.max_pool2d(-images, 2, 1, 1)[..., : images.shape[2], : images.shape[3]]
    return images + amount.clamp(min=0) * (thicker - images) + (-amount).clamp(min=0) * 0.7 * (thinner - images)
