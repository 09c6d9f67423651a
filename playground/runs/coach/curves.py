"""Faults that the curves of loss and accuracy show: overfitting, underfitting, a plateau, or accuracy at chance level."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import Any

from playground.messages import joined, msg, nmsg
from playground.network.catalogue import layer_type
from playground.runs.coach import edits, remedies
from playground.runs.coach.finding import Finding
from playground.runs.coach.inside import LEARNED_PROGRESS
from playground.runs.coach.record import Record
from playground.runs.coach.remedies import EPOCHS_FACTOR, Remedies, rounded
from playground.runs.coach.steps import GOOD_PROGRESS, NEARLY_DONE
from playground.training.optimizers import usual_learning_rate
from playground.typography import percent

MIN_TEST_RISE = 0.15
"""Rise of the test loss above its lowest value, as a share of it, that counts as overfitting; random changes between evaluations are half as large."""
MIN_GAP, LARGE_GAP = 0.03, 0.15
"""Training accuracy minus test accuracy: the minimum if the test loss rises, and the gap that is overfitting by itself. CS231n calls a large gap
strong overfitting without a number (https://cs231n.github.io/neural-networks-3/#accuracy); healthy runs of the tests stay below 0.1."""
MIN_RISE_EPOCHS = 1.5
"""Minimum epochs since the test loss was lowest."""
MAX_TRAIN_LOSS_LEFT = 0.8
"""Training loss, as a share of its value at the lowest test loss, below which it has fallen in the meantime; if it has not, the test loss rises by chance."""
MAX_WEIGHT_DECAY = 3.0
"""Largest weight decay to propose. Usually it is 1 / (learning rate · steps), whose time scale is the length of the run:
https://arxiv.org/abs/2405.13698; for a very short run that would be too much."""
PLATEAU_FALL, LARGE_UPDATE_RATIO, LARGE_UPDATE_FALL = 0.08, 0.008, 0.14
"""On a plateau the loss falls by less than the first share from the second quarter of the run to the last. If the ratio of update to weights is above
the second number, so that steps jump around the minimum, the third share applies. Healthy slow runs reach 0.13 with a ratio of 0.0035."""
FLAT_IMPROVEMENT = 0.04
"""Improvement of the remaining training loss in the last quarter below which it has converged; a decaying learning rate would lower it further if it could."""
MIN_PROGRESS = 0.05
"""Progress from which the training loss is better than at chance level."""
POOR_PROGRESS = 0.6
"""Progress of the training loss below which a finished run is poor."""
MIN_ACCURACY_FACTOR = 3.0
"""Test accuracy divided by chance accuracy from which a class that is never predicted is a fault."""
MIN_UNITS_PER_CLASS = 0.5
"""Hidden units per class below which a layer is a bottleneck."""
MAX_CAPACITY_GAP = 0.12
"""Largest gap between training and test accuracy at which a network lacks capacity, not data."""
MIN_EPOCHS, MIN_STEPS = 3.0, 100
"""Epochs and steps before which a run is not judged as a plateau or as underfitting."""
DECAYED_SHARE = 0.5
"""Share of the peak learning rate below which the learning rate has decayed."""
MAX_SHORT_EPOCHS = 1.0
"""Epochs up to which a run is short: no image is used twice."""
MEMORISED_FACTOR = 1.5
"""Training accuracy divided by chance accuracy above which the network memorises its images."""
CHANCE_SIGMAS = 4.0
"""Standard deviations of a random guess within which an accuracy is at chance level."""


def chance_level(record: Record) -> Finding | None:
    """Report a test accuracy at chance level."""
    late = record.evaluations[-2:]
    if len(late) < 2 or record.epochs < 2 or record.share_done < NEARLY_DONE or record.step < MIN_STEPS / 2 or _bottleneck(record) is not None:
        return None
    images = sum(late[-1].named) or record.data.test_size
    most = record.chance_accuracy + CHANCE_SIGMAS * math.sqrt(record.chance_accuracy * (1 - record.chance_accuracy) / images)
    if max(each.test_accuracy for each in late) > most:
        return None
    last = late[-1]
    if last.train_accuracy > MEMORISED_FACTOR * record.chance_accuracy:
        why = msg("The network memorises the training images: it has found nothing in them that predicts the label of a new image.")
    else:
        why = msg("A loss that stays at ln(classes) means that every class gets the same probability: the network has found nothing that predicts the labels.")
    return Finding(
        "chance-level",
        msg("Test accuracy is at chance level"),
        msg(
            "Test accuracy is {test} after {epochs:.3g} epochs (chance: {chance}). Training accuracy is {training}, training loss {loss:.2f}.",
            test=percent(last.test_accuracy, 1),
            epochs=last.epoch,
            chance=percent(record.chance_accuracy),
            training=percent(last.train_accuracy),
            loss=last.train_loss,
        ),
        why,
        msg("Look at some training images with their labels. If the labels are correct, try a network that is known to learn this data set."),
        "problem",
        last.step,
        -1,
        remedies.recommended_network(record),
    )


def class_never_predicted(record: Record) -> Finding | None:
    """Report classes that are never predicted, although the network distinguishes the others."""
    late = record.evaluations[-2:]
    if len(late) < 2 or record.epochs < 2 or record.share_done < NEARLY_DONE or not all(each.named for each in late):
        return None
    missing = [index for index, counts in enumerate(zip(*(each.named for each in late), strict=True)) if not any(counts)]
    last = late[-1]
    if not missing or last.test_accuracy < MIN_ACCURACY_FACTOR * record.chance_accuracy:
        return None
    names = joined([msg("“{name}”", name=record.data.classes[index]) for index in missing], ", ")
    return Finding(
        "class-never-predicted",
        nmsg("A class is never predicted", "{n} classes are never predicted", len(missing)),
        msg(
            "At step {step:,} none of the {count:,} test images is predicted as {classes}, although test accuracy is {accuracy}.",
            step=last.step,
            count=sum(last.named),
            classes=names,
            accuracy=percent(last.test_accuracy),
        ),
        msg("Accuracy hides this: a network that never predicts one of ten classes can still be correct nine times out of ten."),
        msg("Check that the training set has images of this class and that their labels are correct. Then train from another random initialisation."),
        "problem",
        last.step,
        -1,
        remedies.settings(record, msg("Train from another random initialisation"), seed=record.config.seed + 1),
    )


def overfitting(record: Record) -> Finding | None:
    """Report that training loss falls while test loss rises, or that training accuracy is far above test accuracy."""
    runs = record.evaluations
    if len(runs) < 3 or record.epochs < 2:
        return None
    last, best = runs[-1], min(runs, key=lambda each: each.test_loss)
    rise = min(each.test_loss for each in runs[-3:]) / max(best.test_loss, 1e-9) - 1
    gap = last.train_accuracy - last.test_accuracy
    is_rising = (
        rise >= MIN_TEST_RISE and last.epoch - best.epoch >= MIN_RISE_EPOCHS and gap >= MIN_GAP and last.train_loss < MAX_TRAIN_LOSS_LEFT * best.train_loss
    )
    is_apart = min(each.train_accuracy - each.test_accuracy for each in runs[-2:]) >= LARGE_GAP
    if not (is_rising or is_apart):
        return None
    rose = msg(
        "Test loss was lowest after {epochs:.3g} epochs, {lowest:.3g}; now it is {test:.3g}, training loss {training:.2g}.",
        epochs=best.epoch,
        lowest=best.test_loss,
        test=last.test_loss,
        training=last.train_loss,
    )
    apart = msg(
        "After {epochs:.3g} epochs training accuracy is {training}, test accuracy {test}.",
        epochs=last.epoch,
        training=percent(last.train_accuracy),
        test=percent(last.test_accuracy),
    )
    return Finding(
        "overfitting",
        msg("The network overfits"),
        joined([rose, apart]) if is_rising else apart,
        msg("The network memorises the training images, noise included. What counts is how well it classifies images that it has not seen."),
        msg("More training images help most. Augmentation varies them, dropout and weight decay make memorising harder, and fewer epochs, too."),
        "problem",
        best.step if is_rising else last.step,
        -1,
        _against_overfitting(record),
    )


def _against_overfitting(record: Record) -> Remedies:
    now, epochs = record.config.augment, EPOCHS_FACTOR * record.config.epochs
    augment = replace(now, shift=max(now.shift, 2), flip=now.flip or record.data.flips, rotation=max(now.rotation, 10.0), scale=max(now.scale, 0.1))
    rate = usual_learning_rate(replace(record.config, optimizer="adamw"))
    decay = min(rounded(1 / (rate * record.total_steps)), MAX_WEIGHT_DECAY)
    return (
        *remedies.settings(record, msg("Train with augmentation, for {epochs:g} epochs", epochs=epochs), augment=asdict(augment), epochs=epochs),
        *remedies.network(record, msg("Put dropout in front of the last layers"), edits.with_dropout(record.network)),
        *remedies.settings(
            record, msg("Train with AdamW and a weight decay of {decay:g}", decay=decay), optimizer="adamw", learning_rate=rate, weight_decay=decay
        ),
    )


def underfitting(record: Record) -> Finding | None:
    """Report that training and test accuracy both stay low: the network is too small for the data set."""
    if record.share_done < NEARLY_DONE or record.epochs < MIN_EPOCHS or record.step < MIN_STEPS or not record.evaluations:
        return None
    last, narrow = record.evaluations[-1], _bottleneck(record)
    gap = last.train_accuracy - last.test_accuracy
    is_still = record.progress < POOR_PROGRESS and record.improvement < FLAT_IMPROVEMENT and gap < MAX_CAPACITY_GAP and _has_come_down(record)
    is_narrow = narrow is not None and record.progress < GOOD_PROGRESS and gap < LARGE_GAP
    if not (is_still or is_narrow):
        return None
    accuracies = {"training": percent(last.train_accuracy), "test": percent(last.test_accuracy)}
    if narrow is None:
        evidence = msg(
            "After {epochs:.3g} epochs training loss is {loss:.3g} and hardly falls; training accuracy is {training}, test accuracy {test}.",
            epochs=last.epoch,
            loss=record.loss,
            **accuracies,
        )
    else:
        evidence = msg(
            "After {epochs:.3g} epochs training accuracy is {training}, test accuracy {test}. "
            "Layer {layer} ({type}) has {width} outputs, fewer than half the classes.",
            epochs=last.epoch,
            layer=narrow,
            type=record.network.layers[narrow].type,
            width=_width(record, narrow),
            **accuracies,
        )
    return Finding(
        "underfitting",
        msg("The network underfits"),
        evidence,
        msg("Test accuracy is about as low as training accuracy, so more data would not help: the network cannot even fit the training images."),
        msg("Use a larger network: wider layers, more layers, and an activation between them."),
        "problem",
        last.step,
        -1 if narrow is None else narrow,
        (
            *remedies.network(record, msg("Add activations between the layers"), edits.with_activations(record.network)),
            *remedies.network(record, msg("Make the layers wider"), edits.wider(record.network)),
            *remedies.recommended_network(record),
        ),
    )


def _bottleneck(record: Record) -> int | None:
    """Return the index of the first hidden layer with fewer units than half the number of classes."""
    return next((index for index in record.weighted[:-1] if _width(record, index) < MIN_UNITS_PER_CLASS * len(record.data.classes)), None)


def _width(record: Record, index: int) -> float:
    """Return the number of output features or channels of a layer with weights; infinity for a layer that keeps its input's."""
    layer = record.network.layers[index]
    now: Any = layer_type(layer.type).settings(layer.params)
    return now[edits.WIDTHS[layer.type][0]] if layer.type in edits.WIDTHS else math.inf


def plateau(record: Record) -> Finding | None:
    """Report that the loss is on a plateau while the learning rate never decayed."""
    rates = record.column("learning_rate")
    if record.epochs < MIN_EPOCHS or record.step < MIN_STEPS or _has_come_down(record) or not 0 < record.progress < GOOD_PROGRESS:
        return None
    if record.config.schedule == "one-cycle" and not record.is_over:  # its peak is meant to be too high to settle down
        return None
    second, last = float(record.parts[2:4].mean()), float(record.parts[6:8].mean())
    fell = 1 - last / second
    if fell >= PLATEAU_FALL and not (fell < LARGE_UPDATE_FALL and (record.update_ratio or 0) >= LARGE_UPDATE_RATIO):
        return None
    since = record.step // 4
    return Finding(
        "plateau",
        msg("The loss is on a plateau"),
        msg(
            "From step {start:,} to step {step:,} training loss hardly fell: from {before:.3g} to {after:.3g}. The learning rate is still {rate:.3g}.",
            start=since, step=record.step, before=second, after=last, rate=rates[-1],
        ),
        msg("With a large learning rate the weights jump around a minimum without reaching it. That is why schedules lower the learning rate towards the end."),
        msg("Lower the learning rate during training, by a schedule or by hand. If the loss still does not fall, the network is too small."),
        "problem",
        since,
        -1,
        (
            *remedies.fork(
                record, msg("Continue for {epochs:g} epochs with a decaying learning rate", epochs=record.config.epochs), record.step + 1,
                epochs=record.config.epochs * EPOCHS_FACTOR, schedule="cosine", learning_rate=rounded(record.learning_rate / 3),
            ),
            *remedies.settings(record, msg("Train with a decaying learning rate"), schedule="cosine"),
            *remedies.with_learning_rate(record, rounded(record.learning_rate / 10)),
        ),
    )  # fmt: skip


def _has_come_down(record: Record) -> bool:
    """Return whether the learning rate is far below its peak."""
    rates = record.column("learning_rate")
    return bool(rates[-1] < DECAYED_SHARE * rates.max())


def still_learning(record: Record) -> Finding | None:
    """Report that the run ended while the loss was still falling."""
    if not record.is_over or record.epochs > MAX_SHORT_EPOCHS or not MIN_PROGRESS < record.progress < LEARNED_PROGRESS:
        return None
    return Finding(
        "still-learning",
        msg("Training ended while the loss was still falling"),
        nmsg(
            "In {n:,} step training loss fell from {before:.2f} to {after:.2f}.",
            "In {n:,} steps training loss fell from {before:.2f} to {after:.2f}.",
            record.step,
            before=record.column("loss")[0],
            after=record.loss,
        ),
        msg("The network has seen each training image at most once. Most networks still improve in the second and third epoch."),
        msg("Train for more epochs."),
        "hint",
        record.step,
        -1,
        remedies.longer(record),
    )
