"""Thinned curves keep their look."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.runs.history import downsample


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 3000), st.integers(4, 500), st.integers(0, 2**32 - 1))
def test_extremes_and_ends_are_kept(count: int, points: int, seed: int) -> None:
    y = np.random.default_rng(seed).normal(size=count)
    x = np.arange(count, dtype=float)
    kept_x, kept_y = downsample(x, y, points)
    assert len(kept_x) <= points
    assert np.array_equal(kept_y, y[kept_x.astype(int)])
    assert np.all(np.diff(kept_x) > 0)
    if count:
        assert (kept_x[0], kept_x[-1]) == (0, count - 1)
        assert len(kept_x) <= 2 or np.diff(kept_x).max() <= max(1, 4 * count / max(points - 2, 1))  # no stretch is empty
        assert (kept_y.min(), kept_y.max()) == (y.min(), y.max())
