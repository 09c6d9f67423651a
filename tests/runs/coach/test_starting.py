"""Runs of remedies: what they take over from the original run."""

from __future__ import annotations

import time

import pytest

from playground.network.presets import preset
from playground.runs.coach.finding import Remedy
from playground.runs.coach.starting import create_remedy_run
from playground.runs.run import Run, create_from
from playground.training.config import TrainConfig
from playground.training.events import Created


@pytest.fixture
def original() -> Run:
    """Return a run with start weights and own drawings."""

    def fill(run: Run) -> None:
        run.start_path.write_bytes(b"weights")
        run.own_path.write_bytes(b"drawings")

    return create_from(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"), Created(time.time(), "ada"), fill)


def test_the_same_network_has_the_same_start_weights_and_drawings(original: Run) -> None:
    made = create_remedy_run(original, Remedy("Slower", {"learning_rate": 0.0001}), "ada")
    assert (made.start_path.read_bytes(), made.own_path.read_bytes()) == (b"weights", b"drawings")
    assert made.config.learning_rate == 0.0001 and made.owner == "ada"


def test_another_network_has_the_drawings_only(original: Run) -> None:
    made = create_remedy_run(original, Remedy("Another", network=preset("tutorial-cnn")), "ada")
    assert not made.start_path.exists() and made.own_path.read_bytes() == b"drawings"
