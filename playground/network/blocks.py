"""Blocks: modules that combine several layers of `torch.nn`."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """Adds a shortcut connection to the output of two 3×3 convolutions.

    Where the shape changes, the shortcut connection is a 1×1 convolution.
    Source: He et al., Deep residual learning, https://arxiv.org/abs/1512.03385

    Shape: ``(N, in_channels, H, W)`` → ``(N, out_channels, ⌈H / stride⌉, ⌈W / stride⌉)``
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x) + self.shortcut(x)
        return torch.relu(out)


class PatchEmbedding(nn.Module):
    """Cuts an image into squares, projects each to a token, and adds a learned position embedding.

    Source: Dosovitskiy et al., An image is worth 16×16 words, https://arxiv.org/abs/2010.11929

    Shape: ``(N, in_channels, S, S)`` → ``(N, (S / patch_size)², embed_dim)``
    """

    def __init__(self, in_channels: int, image_size: int, embed_dim: int = 64, patch_size: int = 4) -> None:
        super().__init__()
        tokens = (image_size // patch_size) ** 2
        self.project = nn.Conv2d(in_channels, embed_dim, patch_size, patch_size)
        self.position = nn.Parameter(torch.randn(1, tokens, embed_dim) * 0.02)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.project(x).flatten(2).transpose(1, 2)  # (N, D, H, W) → (N, H·W, D)
        out: Tensor = tokens + self.position
        return out


class TokenMean(nn.Module):
    """Averages all tokens into one vector.

    Shape: ``(N, T, F)`` → ``(N, F)``
    """

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=1)
