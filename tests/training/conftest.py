"""A data set small enough for trainings that take an instant."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from playground import environment
from playground.data.images import ImageSet
from playground.data.load import load

TRAIN, TEST = 96, 40


@pytest.fixture(scope="session")
def digits(data_folder: Path) -> ImageSet:
    """Return the first digits of MNIST 5k."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_DATA", str(data_folder))
        assert environment.data_folder() == data_folder
        images = load("mnist-5k")
    return ImageSet(
        replace(images.info, train_size=TRAIN, test_size=TEST),
        images.train_images[:TRAIN],
        images.train_labels[:TRAIN],
        images.test_images[:TEST],
        images.test_labels[:TEST],
    )
