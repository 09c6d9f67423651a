"""What to try with a healthy run: one experiment at a time, of those that this run has not tried."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, replace

from playground.messages import msg
from playground.runs.coach import edits, remedies
from playground.runs.coach.finding import Finding
from playground.runs.coach.own_changes import EFFECT_STEPS, own_changes
from playground.runs.coach.record import Record
from playground.runs.coach.remedies import Remedies
from playground.training.config import TrainConfig
from playground.training.optimizers import OPTIMIZER_TITLES, usual_learning_rate
from playground.typography import percent

LARGE_RATE_FACTOR = 30.0
"""How many times the usual learning rate a large one is, before it is rounded to a power of ten: enough to see the loss rise."""
FORK_SHARE = 0.6
"""Share of a run up to which an experiment continues from a checkpoint: later, too few steps are left to see a difference."""
LARGE_BATCH_FACTOR, MIN_BATCHES = 4, 10
"""How many times as large a batch to try is, and the fewest batches that an epoch keeps."""
ROTATION = 15.0
"""Degrees by which to rotate training images."""
OTHER_OPTIMIZER = "sgd"
"""The optimizer to try instead of another one: the plainest."""


def next_experiment(record: Record) -> Finding | None:
    """Return the state of a healthy run and one thing to try; None before there are two evaluations, or if everything has been tried.

    Shortly after a change of the learner's own it proposes nothing: the change is the experiment.
    """
    changes = own_changes(record)
    if changes and not record.is_over and record.step - changes[-1].step < EFFECT_STEPS:
        watched = msg("The loss shows no harm so far.")
        return Finding("own-experiment", changes[-1].text, watched, "", "", "idea", changes[-1].step)
    return next(experiments(record), None)


def experiments(record: Record) -> Iterator[Finding]:
    """Yield what a run has not tried, the most instructive first; nothing before there are two evaluations."""
    if len(record.evaluations) < 2:
        return
    for name, text, why, proposed in (_large_rate(record), _other_optimizer(record), *_setups(record)):
        if proposed:
            yield Finding(name, _state(record), text, why, "", "idea", record.step, remedies=proposed)


Experiment = tuple[str, str, str, Remedies]
"""Name, what to try, what to look at, and the run that does it; no run if it has been tried."""


def _state(record: Record) -> str:
    first, last = record.evaluations[0], record.evaluations[-1]
    if record.is_over:
        return msg("Finished: test accuracy is {accuracy}.", accuracy=percent(last.test_accuracy, 1))
    if last.train_loss < first.train_loss and last.test_loss < first.test_loss:
        return msg("Steady: training and test loss fall together.")
    return msg("No problem found so far.")


def _large_rate(record: Record) -> Experiment:
    rates = [record.config.learning_rate, *(rate for change in own_changes(record) for rate in change.rates)]
    large = 10.0 ** round(math.log10(LARGE_RATE_FACTOR * usual_learning_rate(record.config)))
    text = msg("Try a learning rate of {rate:g} and see what happens.", rate=large)
    why = msg("Larger steps reach a low loss sooner, until they overshoot the minimum: watch whether the loss falls faster, or rises.")
    return "large-learning-rate", text, why, _copy(record, learning_rate=large) if max(rates) < large / 2 else ()


def _other_optimizer(record: Record) -> Experiment:
    tried = {record.config.optimizer, *(change.optimizers[1] for change in own_changes(record))}
    rate = usual_learning_rate(replace(record.config, optimizer=OTHER_OPTIMIZER))
    text = msg("Try the optimizer {optimizer} with a learning rate of {rate:g}.", optimizer=OPTIMIZER_TITLES[OTHER_OPTIMIZER], rate=rate)
    why = msg("The new run has the same initial weights and the same batches: compare how fast the two losses fall.")
    is_new = OTHER_OPTIMIZER not in tried and not record.config.optimizer_type.full_batch
    return "other-optimizer", text, why, _again(record, optimizer=OTHER_OPTIMIZER, learning_rate=rate) if is_new else ()


def _setups(record: Record) -> Iterator[Experiment]:
    """Yield experiments that need a run from the start."""
    config = record.config
    yield (
        "zero-weights",
        msg("Try initial weights of zero: can the network still learn?"),
        msg("Units with the same weights get the same gradients. Watch the loss, and the gradients of the layers."),
        _again(record, initialisation="zeros"),
    )
    batch = config.batch_size * LARGE_BATCH_FACTOR
    yield (
        "large-batch",
        msg("Try a batch size of {size:,}: fewer steps, each with a more exact gradient.", size=batch),
        msg("Compare the test accuracy after the same number of epochs, and how smooth the loss curve is."),
        _again(record, batch_size=batch) if batch * MIN_BATCHES <= record.data.train_size else (),
    )
    augment = replace(config.augment, rotation=ROTATION)
    yield (
        "rotation",
        msg("Try training images that are rotated by up to {degrees:g}°.", degrees=ROTATION),
        msg("The network sees each image in another position every time: compare the training accuracy with the test accuracy."),
        _again(record, augment=asdict(augment)) if not config.augment.rotation else (),
    )
    wide = edits.wider(record.network)
    yield (
        "wider-layers",
        msg("Try layers that are twice as wide: how much does the test accuracy gain?"),
        msg("A wider network can fit more, and takes longer. Compare the accuracies with the number of parameters."),
        remedies.network(record, msg("Try it in a new run"), wide) if not record.network.name.endswith("-wider") else (),
    )
    yield (
        "another-seed",
        msg("Try another seed: how much of the result is chance?"),
        msg("The weights, the order of the images and dropout are drawn again. Differences as small as this one say nothing about a setting."),
        _again(record, seed=1) if config.seed == TrainConfig().seed else (),
    )


def _copy(record: Record, **changes: object) -> Remedies:
    """Propose a fork from the last checkpoint; a run from the start where too little of this run is left."""
    forked = remedies.fork(record, msg("Try it on a copy"), record.step + 1, **changes) if record.share_done < FORK_SHARE else ()
    return forked or _again(record, **changes)


def _again(record: Record, **changes: object) -> Remedies:
    return remedies.settings(record, msg("Try it in a new run"), **changes)
