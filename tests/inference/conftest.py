"""The data set that most tests of this package predict on."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.data.images import ImageSet
from playground.data.load import load


@pytest.fixture(scope="module")
def digits(data_folder: Path) -> ImageSet:
    """MNIST 5k."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_DATA", str(data_folder))
        return load("mnist-5k")
