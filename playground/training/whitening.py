"""Whitening: the weights of the first convolution are computed from patches of the training images and frozen.

Its outputs are uncorrelated and have equal variance, so that the later layers learn faster.
Source: Keller Jordan, 94 % on CIFAR-10 in 3.29 seconds on a single GPU, section 3.2, https://arxiv.org/abs/2404.00498
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from playground.errors import ConfigError
from playground.messages import msg

WHITENING_IMAGES = 2000
"""Number of training images whose patches estimate the covariance of pixels well enough."""


def whiten(network: nn.Module, images: Tensor) -> None:
    """Set the first convolution's weights from the images' patches, and freeze them; its bias is trained.

    Args:
        network: begins with a `Conv2d`.
        images: ``(N, C, H, W)`` training images as the network receives them, about `WHITENING_IMAGES` of them, spread over the training set.

    Raises:
        ConfigError: the network begins with another layer, or with a number of filters that whitening cannot set.
    """
    first = next(network.children(), None)
    if not isinstance(first, nn.Conv2d):
        raise ConfigError([msg("Whitening sets the filters of a first convolution, so the network must begin with Conv2d.")])
    most = 2 * first.weight[0].numel()
    if first.out_channels % 2 or first.out_channels > most:
        problem = msg(
            "Whitening makes pairs of filters, a pattern and its negative: use 2, 4, … or {most} filters, not {filters}.", most=most, filters=first.out_channels
        )
        raise ConfigError([problem])
    with torch.no_grad():
        first.weight.copy_(whitening_filters(images, first))
    first.weight.requires_grad_(False)


def whitening_filters(images: Tensor, layer: nn.Conv2d) -> Tensor:
    """Return the patterns along which the images' patches vary most, scaled to equal variance, then their negatives.

    They are the eigenvectors of the patches' second moments. A ReLU sets negative outputs to 0; the other filter of the pair keeps them.

    Shape: images ``(N, C, H, W)`` → filters ``(out, C, k, k)``
    """
    size = layer.weight[0].numel()
    moments, count = torch.zeros(size, size, device=images.device), 0
    for part in torch.split(images, 100):  # the patches of all images at once would take gigabytes
        patches = nn.functional.unfold(part, layer.kernel_size, layer.dilation, 0, layer.stride)  # (n, C · k · k, places)
        patches = patches.transpose(0, 1).flatten(1)  # (C · k · k, n · places)
        moments += patches @ patches.T
        count += patches.shape[1]
    values, vectors = torch.linalg.eigh(moments.cpu() / count)  # ascending; on the CPU, because MPS has none
    values = values + 5e-4 * values.mean()  # patterns of little variance are mostly noise, so they are scaled up less
    filters = (vectors / values.sqrt()).T.flip(0)[: layer.out_channels // 2]
    return torch.cat([filters, -filters]).view(layer.weight.shape)
