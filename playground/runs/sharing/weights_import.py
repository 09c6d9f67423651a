"""Weights from elsewhere as a run that can be tried, drawn for, and trained further."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from playground.network.spec import NetworkSpec
from playground.runs.run import Run
from playground.runs.sharing.weights import create_from_weights, fitted
from playground.training.config import TrainConfig
from playground.training.events import Evaluated, Started, Stopped

if TYPE_CHECKING:
    from torch import Tensor


def adopt(config: TrainConfig, spec: NetworkSpec, weights: Mapping[str, Tensor], owner: str) -> tuple[Run, tuple[str, ...]]:
    """A run that stands at its start with these weights, tried on the test images; resumed, it trains them further. And notes on how they were made to fit.

    Args:
        config: how it would be trained.
        spec: the network.
        weights: as `playground.runs.sharing.weights.read_weights` gives them.
        owner: whose the run is.

    Raises:
        CheckpointError: they do not fit the network.
        PlaygroundError: the network does not fit the data, or the run cannot be written.
    """
    import torch

    from playground.training.loop import Training, evaluate

    found, notes = fitted(weights, spec)
    with torch.random.fork_rng():  # the run's seed is not the server's
        training = Training(spec, config, weights=found)
        state = training.state()
    loss, confused = evaluate(training.network, training.images, training.prepare)
    right = confused.diagonal()
    accuracy = int(right.sum()) / len(training.images.test_images)
    run = create_from_weights(config, spec, found, owner)
    run.checkpoints.save(state)
    run.journal.append(Started(time.time(), 0, training.total_steps, training.steps_per_epoch, str(training.device), 1))
    run.journal.append(Evaluated(0, 0.0, loss, accuracy, loss, accuracy, 0.0, confused.sum(dim=0).tolist(), right.tolist()))
    run.journal.append(Stopped(time.time(), 0))
    return run, notes
