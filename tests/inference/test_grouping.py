"""Grouping of atoms of ink into digits, compared with a search through all ways to group them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from playground.inference.grouping import READINGS, Atoms, Group, best_groups, candidates
from playground.inference.reading import LIKELY, warn_about_piece
from playground.inference.segmentation import segment

from ..support.tiers import repetitions

HEIGHT, WIDTH = 40, 12
"""Pixels of an atom."""
CLASSES = 3


def row_of_atoms(sizes: list[int]) -> Atoms:
    """Build parts of so many atoms each, all of which touch."""
    ends = np.cumsum(sizes)
    labels = np.repeat(np.arange(1, ends[-1] + 1), WIDTH)[None].repeat(HEIGHT, axis=0)
    parts = [(int(end) - size + 1, int(end)) for size, end in zip(sizes, ends, strict=True)]
    return Atoms(labels, parts, {atom: 0.5 for first, last in parts for atom in range(first + 1, last + 1)})


def ways(groups: list[Group], after: int, last: int) -> list[list[int]]:
    """Return every way to cover the atoms behind one, as places in `groups`."""
    if after == last:
        return [[]]
    return [[place, *rest] for place, group in enumerate(groups) if group.first == after + 1 for rest in ways(groups, group.last, last)]


@given(st.lists(st.integers(1, 3), min_size=1, max_size=3), st.integers(0, 10**6))
@settings(max_examples=repetitions(60))
def test_the_best_way_and_the_probability_of_its_reading_are_those_of_a_search_through_all(sizes: list[int], seed: int) -> None:
    atoms = row_of_atoms(sizes)
    groups = candidates(atoms, HEIGHT)
    probabilities = torch.rand((len(groups), CLASSES), generator=torch.Generator().manual_seed(seed))
    probabilities /= probabilities.sum(dim=1, keepdim=True)
    chosen, share = best_groups(atoms, np.where(atoms.labels > 0, 255.0, 0.0), HEIGHT, lambda images: probabilities[: len(images)])
    most, classes = (values.tolist() for values in probabilities.max(dim=1))
    scores = [np.log(probability) - group.fault for probability, group in zip(most, groups, strict=True)]
    every = [(sum(scores[place] for place in way), tuple(classes[place] for place in way), way) for way in ways(groups, 0, sum(sizes))]
    _, reading, way = max(every)
    assert [groups[place] for place in way] == list(chosen)
    together = np.exp([score for score, classes_of, _ in every if classes_of == reading]).sum()
    if len({classes_of for _, classes_of, _ in every}) <= READINGS:  # else those that are hardly likely were left out
        assert share == pytest.approx(together / np.exp([score for score, _, _ in every]).sum(), rel=1e-6)


def drawn(*lefts: int) -> np.ndarray:
    """Draw bars that are joined at their feet."""
    ink = np.zeros((60, 160))
    for left in lefts:
        ink[5:55, left : left + 6] = 255
    ink[50:55, lefts[0] : lefts[-1] + 6] = 255
    return ink


def alike(images: Tensor) -> Tensor:
    """Take everything for a 1, or for anything else with about the same probability, as a network that cannot tell where a digit ends."""
    return torch.tensor([[0.1, 0.9]] * len(images))


def test_what_could_be_divided_in_another_way_is_doubted() -> None:
    (doubted, *_) = segment(drawn(10, 40, 70, 100, 130), alike)
    assert doubted.share < LIKELY
    assert "divided in another way" in warn_about_piece(doubted, [0.1, 0.9], alone=False)
    (clear,) = segment(drawn(20), alike)
    assert clear.share == 1.0
    assert warn_about_piece(clear, [0.1, 0.9], alone=False) == ""
