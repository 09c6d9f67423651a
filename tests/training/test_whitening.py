"""Whitening: outputs of the first convolution are uncorrelated with equal variance, as with PCA of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import Tensor, nn

from playground.errors import ConfigError
from playground.training.whitening import whiten, whitening_filters


def correlated_images(count: int = 250, channels: int = 3) -> Tensor:
    """Draw images with correlated neighbours and channels, as in photographs."""
    noise = torch.randn(count, channels, 16, 16, generator=torch.Generator().manual_seed(0))
    blurred = nn.functional.avg_pool2d(noise, 5, 1, 2)
    return blurred + 0.5 * blurred.mean(dim=1, keepdim=True)


@pytest.mark.parametrize(
    "layer", [nn.Conv2d(3, 16, 3, stride=2), nn.Conv2d(3, 16, 3, dilation=2), nn.Conv2d(3, 16, 2, bias=False)], ids=["strided", "dilated", "small"]
)
def test_outputs_are_uncorrelated_with_equal_variance(layer: nn.Conv2d) -> None:
    images = correlated_images()
    whiten(nn.Sequential(layer), images)
    outputs = nn.functional.conv2d(images, layer.weight, stride=layer.stride, dilation=layer.dilation)  # (N, 16, H, W)
    values = outputs[:, :8].transpose(0, 1).flatten(1).double()
    moments = values @ values.T / values.shape[1]
    torch.testing.assert_close(moments, torch.eye(8, dtype=torch.float64), atol=0.03, rtol=0)


def test_the_second_half_of_the_filters_is_the_negative_of_the_first() -> None:
    layer = nn.Conv2d(3, 10, 3)
    whiten(nn.Sequential(layer), correlated_images())
    assert torch.equal(layer.weight[:5], -layer.weight[5:])


def test_filters_are_the_principal_components() -> None:
    """For patches with mean 0, second moments are covariances, so PCA has the same components."""
    images = correlated_images()
    layer = nn.Conv2d(3, 12, 3)
    filters = whitening_filters(images, layer).flatten(1)[:6]
    patches = nn.functional.unfold(images, 3).transpose(1, 2).flatten(0, 1)
    pca = PCA(6).fit(torch.cat([patches, -patches]).numpy())
    lengths = filters.norm(dim=1, keepdim=True)
    assert np.abs((filters / lengths).numpy() @ pca.components_.T) == pytest.approx(np.eye(6), abs=0.15)  # near-equal variances turn into one another
    assert 1 / lengths.flatten().square().numpy() == pytest.approx(pca.explained_variance_, rel=0.02)


def test_filters_of_tiny_variance_are_not_scaled_up() -> None:
    images = correlated_images(channels=1).expand(-1, 3, -1, -1)  # grey: two thirds of all patterns never occur
    layer = nn.Conv2d(3, 54, 3)
    whiten(nn.Sequential(layer), images)
    assert layer.weight.isfinite().all()
    outputs = nn.functional.conv2d(images, layer.weight)
    assert outputs.square().mean(dim=(0, 2, 3)).max() < 1.1


def test_only_the_filters_are_frozen() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(8 * 14 * 14, 2))
    whiten(network, correlated_images())
    assert [parameter.requires_grad for parameter in network.parameters()] == [False, True, True, True]


def test_the_memory_format_stays() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3)).to(memory_format=torch.channels_last)
    whiten(network, correlated_images().to(memory_format=torch.channels_last))
    assert network[0].weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        pytest.param(nn.Sequential(nn.Flatten(), nn.Linear(768, 2)), "begin with Conv2d", id="no-convolution"),
        pytest.param(nn.Sequential(), "begin with Conv2d", id="nothing"),
        pytest.param(nn.Sequential(nn.Conv2d(3, 7, 3)), "not 7", id="odd"),
        pytest.param(nn.Sequential(nn.Conv2d(3, 56, 3)), "or 54 filters, not 56", id="too-many"),
    ],
)
def test_a_network_that_cannot_be_whitened_is_refused(network: nn.Module, message: str) -> None:
    before = [parameter.clone() for parameter in network.parameters()]
    with pytest.raises(ConfigError, match=message):
        whiten(network, correlated_images(4))
    assert all(torch.equal(old, new) and new.requires_grad for old, new in zip(before, network.parameters(), strict=True))
