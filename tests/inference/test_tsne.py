"""t-SNE, compared with scikit-learn and with autograd."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.manifold import TSNE
from torch import Tensor

from playground.inference import tsne
from playground.inference.tsne import embed


def clusters(count: int = 120, groups: int = 4, features: int = 20) -> Tensor:
    """Points around the corners of a simplex."""
    generator = torch.Generator().manual_seed(0)
    return torch.eye(groups, features).repeat(count // groups, 1).mul(8).add(torch.randn(count, features, generator=generator)).double()


def start(data: Tensor, dimensions: int = 2) -> Tensor:
    return data[:, :dimensions] * 1e-4


def test_it_ends_where_scikit_learn_does() -> None:
    """As near to what both minimise, or nearer."""
    data = clusters()
    theirs = TSNE(2, method="exact", init=start(data).numpy().astype(np.float32), max_iter=750, random_state=0).fit(data.numpy())
    assert embed(data, start(data), 30.0, 750).divergence < theirs.kl_divergence_ * 1.1


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_gradient_is_that_of_autograd(dimensions: int) -> None:
    points = torch.randn(40, dimensions, generator=torch.Generator().manual_seed(1)).double().requires_grad_()
    similarities = tsne._similarities(clusters(40), 10.0)
    pairs = ~torch.eye(40, dtype=torch.bool)
    closeness = (1 / (1 + (points[:, None] - points).square().sum(dim=2)))[pairs]
    divergence = torch.nn.functional.kl_div((closeness / closeness.sum()).log(), similarities[pairs], reduction="sum")
    divergence.backward()
    assert points.grad is not None
    torch.testing.assert_close(tsne._gradient(points.detach(), similarities), points.grad)
    assert tsne._divergence(points.detach(), similarities) == pytest.approx(divergence.item())


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_each_point_has_as_many_neighbours_as_the_perplexity_says(scale: float, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tensor] = []
    neighbours = tsne._neighbours
    monkeypatch.setattr(tsne, "_neighbours", lambda *arguments: seen.append(neighbours(*arguments)) or seen[-1])  # type: ignore[func-returns-value]
    similarities = tsne._similarities(clusters() * scale, 17.0)
    torch.testing.assert_close(tsne._perplexities(seen[-1]), torch.full((120, 1), 17.0).double(), rtol=1e-5, atol=0)
    assert similarities.sum().item() == pytest.approx(1) and torch.equal(similarities, similarities.T) and not similarities.diagonal().any()
