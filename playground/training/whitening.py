"""Whitening: a first convolution that is not learnt but worked out, from the patches that the training images are made of.

Its outputs are uncorrelated and of equal variance, so that the layers behind it learn sooner.
Source: Keller Jordan, 94 % on CIFAR-10 in 3.29 seconds on a single GPU, section 3.2, https://arxiv.org/abs/2404.00498
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from playground.errors import ConfigError

WHITENING_IMAGES = 2000
"""Training images whose patches are enough to know how pixels vary together."""


def whiten(network: nn.Module, images: Tensor) -> None:
    """Set the first convolution's filters from the images' own patches, and freeze them; its bias still learns.

    Args:
        network: begins with a `Conv2d`.
        images: (N, C, H, W) training images as the network receives them, about `WHITENING_IMAGES` of them from all over the set.

    Raises:
        ConfigError: the network begins with another layer, or with a number of filters that whitening cannot set.
    """
    first = next(network.children(), None)
    if not isinstance(first, nn.Conv2d):
        raise ConfigError(["Whitening sets the filters of a first convolution, so the network must begin with Conv2d."])
    most = 2 * first.weight[0].numel()
    if first.out_channels % 2 or first.out_channels > most:
        given = f"2, 4, … or {most} filters, not {first.out_channels}"
        raise ConfigError([f"Whitening makes pairs of filters, a pattern and its negative: the first convolution can have {given}."])
    with torch.no_grad():
        first.weight.copy_(whitening_filters(images, first))
    first.weight.requires_grad_(False)


def whitening_filters(images: Tensor, layer: nn.Conv2d) -> Tensor:
    """The patterns along which the images' patches vary most, scaled to equal variance, and then their negatives.

    They are the eigenvectors of the patches' second moments. An activation cuts off what is negative: the other of the pair keeps it.

    Shape: images (N, C, H, W) → filters (out, C, k, k)
    """
    size = layer.weight[0].numel()
    moments, count = torch.zeros(size, size, device=images.device), 0
    for part in torch.split(images, 100):  # the patches of all images at once would take gigabytes
        patches = nn.functional.unfold(part, layer.kernel_size, layer.dilation, 0, layer.stride)  # (n, C · k · k, places)
        patches = patches.transpose(0, 1).flatten(1)  # (C · k · k, n · places)
        moments += patches @ patches.T
        count += patches.shape[1]
    values, vectors = torch.linalg.eigh(moments.cpu() / count)  # ascending; on the CPU, because MPS has none
    values = values + 5e-4 * values.mean()  # patterns that hardly occur are mostly noise: they are not made as loud as the others
    filters = (vectors / values.sqrt()).T.flip(0)[: layer.out_channels // 2]
    return torch.cat([filters, -filters]).view(layer.weight.shape)
