"""What the curves of loss and accuracy tell: learning by heart, learning too little, standing still, or nothing learnt at all."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import Any

from playground.network.catalogue import layer_type
from playground.runs.coach import edits, remedies
from playground.runs.coach.finding import Finding
from playground.runs.coach.inside import LEARNT
from playground.runs.coach.record import Record
from playground.runs.coach.remedies import MORE, Remedies, rounded
from playground.runs.coach.steps import HARMED, LATE
from playground.training.optimizers import usual_learning_rate

RISE = 0.15
"""By how much the test loss lies above its lowest value; from one evaluation to the next it moves by half of that by chance."""
SMALL_GAP, GAP = 0.03, 0.15
"""Training accuracy minus test accuracy: what there must be where the test loss rises, and what is enough by itself. CS231n calls a large gap
strong overfitting without a number (https://cs231n.github.io/neural-networks-3/#accuracy); healthy runs of the tests stay below 0.1."""
SINCE = 1.5
"""Epochs for which the test loss must have been above its lowest value."""
FELL = 0.8
"""… and what must be left of the training loss of that time; if that stands still, too, the test loss rises by chance."""
LARGEST_DECAY = 3.0
"""A weight decay of 1 / (learning rate · steps) takes about as long as the run to make itself felt, which is the time scale to keep in
https://arxiv.org/abs/2405.13698; a very short run needs no more than this."""
STILL, LARGE_STEPS, HARDLY = 0.08, 0.008, 0.14
"""Share by which a loss that stands still fell from the second quarter of the run to the last; and where steps are large beside the weights,
so that they jump around the bottom, the share by which it fell. Healthy runs that learn slowly come to 0.13 with steps of 0.0035."""
FLAT = 0.04
"""Share of what was left by which a loss that has reached its end fell in the last quarter, in which a schedule makes it fall if it can."""
BEGUN = 0.05
"""Progress of a training loss that has left chance behind."""
SLOW = 0.6
"""Progress of a training loss below which much is missing."""
FEW = 3.0
"""How many times better than chance a network must be that shall know the other classes."""
NARROW = 0.5
"""Hidden units beside classes, below which a layer is a bottleneck."""
ALIKE = 0.12
"""Largest gap between training and test accuracy of a network that lacks size, not data."""
LONG_EPOCHS, LONG_STEPS = 3.0, 100
"""A run that can be said to stand still."""
RATE_KEPT = 0.5
"""Share of the peak learning rate above which the rate has not come down."""
SHORT_EPOCHS = 1.0
"""So few that no image was seen twice."""
BY_HEART = 1.5
"""How many times better than chance a network names the training images that learns them."""
SIGMAS = 4.0
"""Standard deviations of chance within which an accuracy is a guess."""


def guessing(record: Record) -> Finding | None:
    """On images that it has not seen, the network is no better than chance."""
    late = record.evaluations[-2:]
    if len(late) < 2 or record.epochs < 2 or record.done < LATE or record.step < LONG_STEPS / 2 or _bottleneck(record) is not None:
        return None
    images = sum(late[-1].named) or record.data.test_size
    most = record.guessed + SIGMAS * math.sqrt(record.guessed * (1 - record.guessed) / images)
    if max(each.test_accuracy for each in late) > most:
        return None
    last = late[-1]
    if last.train_accuracy > BY_HEART * record.guessed:
        why = "It finds nothing in the images that goes with their labels. What it learns, it learns by heart."
    else:
        why = "A loss that stays at ln(classes) says that every class gets the same probability: nothing was found that goes with the labels."
    return Finding(
        "guessing",
        "On test images the network only guesses",
        f"After {last.epoch:.3g} epochs it names {last.test_accuracy:.1%} of the test images rightly; {record.guessed:.0%} is chance. "
        f"Of the training images it names {last.train_accuracy:.0%}, with a loss of {last.train_loss:.2f}.",
        why,
        "Look at some images with their labels. If they are right, try a network that is known to learn these images.",
        "problem",
        last.step,
        -1,
        remedies.recommended_network(record),
    )


def class_never_predicted(record: Record) -> Finding | None:
    """Some classes are named for no test image, though the others are told apart."""
    late = record.evaluations[-2:]
    if len(late) < 2 or record.epochs < 2 or record.done < LATE or not all(each.named for each in late):
        return None
    missing = [index for index, counts in enumerate(zip(*(each.named for each in late), strict=True)) if not any(counts)]
    last = late[-1]
    if not missing or last.test_accuracy < FEW * record.guessed:
        return None
    names = ", ".join(f"“{record.data.classes[index]}”" for index in missing)
    return Finding(
        "class-never-predicted",
        "A class is never predicted" if len(missing) == 1 else f"{len(missing)} classes are never predicted",
        f"At step {last.step:,} not one of {sum(last.named):,} test images is named {names}, though {last.test_accuracy:.0%} of all are named rightly.",
        "An accuracy hides this: a network that never names one of ten classes can still be right nine times out of ten.",
        "See whether the training images have that class at all, and whether its labels are right. Then let the weights start from other random numbers.",
        "problem",
        last.step,
        -1,
        remedies.settings(record, "Train from another start", seed=record.config.seed + 1),
    )


def overfitting(record: Record) -> Finding | None:
    """The training images are learnt by heart: their loss falls while the test loss rises, or their accuracy leaves that of the test behind."""
    runs = record.evaluations
    if len(runs) < 3 or record.epochs < 2:
        return None
    last, best = runs[-1], min(runs, key=lambda each: each.test_loss)
    rise = min(each.test_loss for each in runs[-3:]) / max(best.test_loss, 1e-9) - 1
    gap = last.train_accuracy - last.test_accuracy
    is_rising = rise >= RISE and last.epoch - best.epoch >= SINCE and gap >= SMALL_GAP and last.train_loss < FELL * best.train_loss
    is_apart = min(each.train_accuracy - each.test_accuracy for each in runs[-2:]) >= GAP
    if not (is_rising or is_apart):
        return None
    rose = f"After {best.epoch:.3g} epochs the test loss was lowest, {best.test_loss:.3g}; now it is {last.test_loss:.3g}, in training {last.train_loss:.2g}."
    apart = f"After {last.epoch:.3g} epochs {last.train_accuracy:.0%} of the training images are named rightly, of the test images {last.test_accuracy:.0%}."
    return Finding(
        "overfitting",
        "The network overfits",
        f"{rose} {apart}" if is_rising else apart,
        "It learns the training images by heart, noise and all. What counts is the test: images that it has not seen.",
        "More images help most. Augmentation makes some, dropout and weight decay make learning by heart harder, and fewer epochs leave less time for it.",
        "problem",
        best.step if is_rising else last.step,
        -1,
        _against_overfitting(record),
    )


def _against_overfitting(record: Record) -> Remedies:
    now, epochs = record.config.augment, MORE * record.config.epochs
    augment = replace(now, shift=max(now.shift, 2), flip=now.flip or record.data.flips, rotation=max(now.rotation, 10.0), scale=max(now.scale, 0.1))
    rate = usual_learning_rate(replace(record.config, optimizer="adamw"))
    decay = min(rounded(1 / (rate * record.total_steps)), LARGEST_DECAY)
    return (
        *remedies.settings(record, f"Train with augmentation, for {epochs:g} epochs", augment=asdict(augment), epochs=epochs),
        *remedies.network(record, "Put dropout in front of the last layers", edits.with_dropout(record.network)),
        *remedies.settings(record, f"Train with AdamW and a weight decay of {decay:g}", optimizer="adamw", learning_rate=rate, weight_decay=decay),
    )


def underfitting(record: Record) -> Finding | None:
    """Training and test stop alike far from the goal: the network is too small for the task."""
    if record.done < LATE or record.epochs < LONG_EPOCHS or record.step < LONG_STEPS or not record.evaluations:
        return None
    last, narrow = record.evaluations[-1], _bottleneck(record)
    gap = last.train_accuracy - last.test_accuracy
    is_still = record.progress < SLOW and record.improvement < FLAT and gap < ALIKE and _has_come_down(record)
    is_narrow = narrow is not None and record.progress < HARMED and gap < GAP
    if not (is_still or is_narrow):
        return None
    accuracies = f"{last.train_accuracy:.0%} of the training images and {last.test_accuracy:.0%} of the test images are named rightly."
    if narrow is None:
        saw = f"After {last.epoch:.3g} epochs the training loss is {record.loss:.3g} and hardly falls; {accuracies}"
    else:
        name = record.network.layers[narrow].type
        saw = f"After {last.epoch:.3g} epochs {accuracies} Layer {narrow} ({name}) hands on fewer numbers than half the classes: {_width(record, narrow)}."
    return Finding(
        "underfitting",
        "The network underfits",
        saw,
        "It is no worse on images that it has not seen, so what is missing is not data: it cannot even learn those that it sees.",
        "Take a larger network: wider layers, more of them, and an activation between them.",
        "problem",
        last.step,
        -1 if narrow is None else narrow,
        (
            *remedies.network(record, "Put activations between the layers", edits.with_activations(record.network)),
            *remedies.network(record, "Make the layers wider", edits.wider(record.network)),
            *remedies.recommended_network(record),
        ),
    )


def _bottleneck(record: Record) -> int | None:
    """The first hidden layer with fewer units than half the classes."""
    return next((index for index in record.weighted[:-1] if _width(record, index) < NARROW * len(record.data.classes)), None)


def _width(record: Record, index: int) -> float:
    """How many numbers, or feature maps, a layer with weights hands on; infinity where it hands on as many as come in."""
    layer = record.network.layers[index]
    now: Any = layer_type(layer.type).settings(layer.params)
    return now[edits.WIDTHS[layer.type][0]] if layer.type in edits.WIDTHS else math.inf


def plateau(record: Record) -> Finding | None:
    """The loss stands still though the learning rate never came down."""
    rates = record.column("learning_rate")
    if record.epochs < LONG_EPOCHS or record.step < LONG_STEPS or _has_come_down(record) or not 0 < record.progress < HARMED:
        return None
    if record.config.schedule == "one-cycle" and not record.is_over:  # its peak is meant to be too high to settle down
        return None
    second, last = float(record.parts[2:4].mean()), float(record.parts[6:8].mean())
    fell = 1 - last / second
    if fell >= STILL and not (fell < HARDLY and (record.update_ratio or 0) >= LARGE_STEPS):
        return None
    since = record.step // 4
    return Finding(
        "plateau",
        "The loss stands still",
        f"From step {since:,} to step {record.step:,} the training loss hardly fell: from {second:.3g} to {last:.3g}. "
        f"The learning rate is still {rates[-1]:.3g}.",
        "With a large rate the weights jump around the bottom of a valley without reaching it. That is why schedules lower the rate in the end.",
        "Lower the learning rate on the way, by a schedule or by hand. If the loss still stays, the network is too small.",
        "problem",
        since,
        -1,
        (
            *remedies.fork(
                record, f"Go on for {record.config.epochs:g} epochs with a rate that falls", record.step + 1,
                epochs=record.config.epochs * MORE, schedule="cosine", learning_rate=rounded(record.rate / 3),
            ),
            *remedies.settings(record, "Train with a rate that falls", schedule="cosine"),
            *remedies.with_rate(record, rounded(record.rate / 10)),
        ),
    )  # fmt: skip


def _has_come_down(record: Record) -> bool:
    """Whether the learning rate is far below its peak."""
    rates = record.column("learning_rate")
    return bool(rates[-1] < RATE_KEPT * rates.max())


def still_learning(record: Record) -> Finding | None:
    """The run ended before the network had learnt what it could."""
    if not record.is_over or record.epochs > SHORT_EPOCHS or not BEGUN < record.progress < LEARNT:
        return None
    return Finding(
        "still-learning",
        "It was still learning when it ended",
        f"In {record.epochs:.2g} epochs, {record.step:,} steps, the training loss fell from {record.column('loss')[0]:.2f} to {record.loss:.2f}.",
        "The network has seen each image once at most. Most networks learn more the second and the third time.",
        "Train for more epochs.",
        "hint",
        record.step,
        -1,
        remedies.longer(record),
    )
