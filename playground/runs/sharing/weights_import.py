"""Import weights as a run that can be evaluated, used for drawings, and trained further."""

from __future__ import annotations

import time
from collections.abc import Mapping

import torch
from torch import Tensor

from playground.network.spec import NetworkSpec
from playground.runs.run import Run
from playground.runs.sharing.weights import create_from_weights, match_weights
from playground.training.config import TrainConfig
from playground.training.events import Evaluated, Started, Stopped
from playground.training.loop import Training, evaluate


def import_weights(config: TrainConfig, spec: NetworkSpec, weights: Mapping[str, Tensor], owner: str) -> tuple[Run, tuple[str, ...]]:
    """Create a stopped run at step 0 with these weights, and evaluate it on the test set; return it with notes on how they were matched.

    Args:
        config: the settings with which the run can be trained further.
        spec: the network.
        weights: the tensors of a file, from `read_weights`.
        owner: the learner who gets the run.

    Raises:
        CheckpointError: they do not fit the network.
        PlaygroundError: the network does not fit the data, or the run cannot be written.
    """
    start, notes = match_weights(weights, spec)
    with torch.random.fork_rng():  # the run's seed must not change the server's random numbers
        training = Training(spec, config, weights=start)
        state = training.state()
    loss, confusion = evaluate(training.network, training.images, training.prepare)
    correct = confusion.diagonal()
    accuracy = int(correct.sum()) / len(training.images.test_images)
    run = create_from_weights(config, spec, start, owner)
    run.checkpoints.save(state)
    run.journal.append(Started(time.time(), 0, training.total_steps, training.steps_per_epoch, str(training.device), 1))
    run.journal.append(Evaluated(0, 0.0, loss, accuracy, loss, accuracy, 0.0, confusion.sum(dim=0).tolist(), correct.tolist()))
    run.journal.append(Stopped(time.time(), 0))
    return run, notes
