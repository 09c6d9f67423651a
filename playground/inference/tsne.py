"""t-SNE in PyTorch, exact and deterministic.

Source: van der Maaten and Hinton, Visualizing data using t-SNE, JMLR 9, 2008; the learning rate is that of
Belkina et al., https://doi.org/10.1038/s41467-019-13055-y
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

EXAGGERATION, EXAGGERATED_STEPS = 12.0, 250
"""Factor of the similarities during the first steps, so that clusters form, and the number of these steps."""
MIN_RATE = 50.0
"""Smallest learning rate."""
MIN_GAIN = 0.01
"""Smallest factor of the learning rate of one coordinate."""
LOG_PRECISIONS, BISECTIONS = (-40.0, 40.0), 32
"""Natural logarithms between which the precision of a neighbourhood, the inverse of its variance, is searched, and the steps of this search."""


@dataclass(frozen=True)
class Embedding:
    """N points in d dimensions."""

    coordinates: Tensor
    """``(N, d)``."""
    divergence: float
    """Kullback–Leibler divergence between the similarities of the data and those of the coordinates: what t-SNE minimises."""


def embed(data: Tensor, start: Tensor, perplexity: float, steps: int) -> Embedding:
    """Move points by gradient descent until those whose data are similar are neighbours.

    Args:
        data: ``(N, F)``, of at least two points.
        start: ``(N, d)``, where the points start: close together, but not all at the same place.
        perplexity: roughly the number of neighbours of each point, less than N − 1.
        steps: gradient descent steps.
    """
    similarities = _similarities(data.double(), perplexity).float()
    points = start.float().clone()
    rate = max(len(points) / EXAGGERATION / 4, MIN_RATE)
    velocity, gains = torch.zeros_like(points), torch.ones_like(points)
    for step in range(steps):
        early = step < EXAGGERATED_STEPS
        gradient = _gradient(points, similarities * EXAGGERATION if early else similarities)
        gains = torch.where(gradient * velocity < 0, gains + 0.2, gains * 0.8).clamp(min=MIN_GAIN)
        velocity = (0.5 if early else 0.8) * velocity - rate * gains * gradient
        points = points + velocity
    return Embedding(points, _divergence(points, similarities))


def _similarities(data: Tensor, perplexity: float) -> Tensor:
    """Compute how similar each pair of points is: ``(N, N)``, symmetric, with the sum 1.

    The neighbours of each point have a normal distribution around it, as wide as it takes for their perplexity.
    """
    distances = _squared_distances(data)
    distances /= distances.mean() or 1.0
    low, high = (torch.full((len(data), 1), bound, dtype=torch.double) for bound in LOG_PRECISIONS)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        is_too_wide = _perplexities(_neighbours(distances, middle)) > perplexity
        low, high = torch.where(is_too_wide, middle, low), torch.where(is_too_wide, high, middle)
    neighbours = _neighbours(distances, high)
    symmetric: Tensor = (neighbours + neighbours.T) / (2 * len(data))
    return symmetric


def _neighbours(distances: Tensor, log_precisions: Tensor) -> Tensor:
    """Compute the probability of each point to be the neighbour of another, ``(N, N)``; each row has the sum 1."""
    return (-log_precisions.exp() * distances).fill_diagonal_(-torch.inf).softmax(dim=1)


def _perplexities(probabilities: Tensor) -> Tensor:
    """Compute the perplexity of each row, ``(N, 1)``."""
    entropies: Tensor = torch.special.entr(probabilities).sum(dim=1, keepdim=True)
    return entropies.exp()


def _gradient(points: Tensor, similarities: Tensor) -> Tensor:
    """Compute the gradient of the divergence by the points, ``(N, d)``."""
    closeness = _closeness(points)
    others = _without_diagonal(closeness)
    forces = others.mul_(-1 / others.sum()).add_(similarities).mul_(closeness)
    return 4 * (forces.sum(dim=1, keepdim=True) * points - forces @ points)


def _divergence(points: Tensor, similarities: Tensor) -> float:
    others = _without_diagonal(_closeness(points))
    ratios = similarities / (others / others.sum()).clamp(min=torch.finfo(others.dtype).tiny)
    return float(torch.special.xlogy(similarities, ratios).sum())


def _closeness(points: Tensor) -> Tensor:
    """Compute the density of Student's t distribution with one degree of freedom, not normalised, for each pair of points: ``(N, N)``."""
    return _squared_distances(points).add_(1).reciprocal_()  # in place, because making a matrix takes longer than computing it


def _without_diagonal(closeness: Tensor) -> Tensor:
    """Return a copy in which no point is similar to itself."""
    return closeness.clone().fill_diagonal_(0)


def _squared_distances(points: Tensor) -> Tensor:
    """Compute the squared distance of each pair of points, ``(N, N)``."""
    squares = (points * points).sum(dim=1, keepdim=True)
    return (points @ points.T).mul_(-2).add_(squares).add_(squares.T).clamp_(min=0)
