"""What is wrong by design: an output that the loss does not expect, layers with nothing between them, regularisation that leaves too little."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict

import numpy as np

from playground.data.augmentation import Augmentation
from playground.runs.coach import edits, remedies
from playground.runs.coach.finding import Finding
from playground.runs.coach.inside import LEARNT
from playground.runs.coach.record import Record
from playground.runs.coach.remedies import Remedies
from playground.runs.coach.steps import EVIDENCE_STEPS, HALF, HARMED

SQUEEZE = ("Softmax", "Sigmoid")
STRONG_DROPOUT = 0.7
"""Share of values dropped; 0.5 is usual for hidden layers: https://jmlr.org/papers/v15/srivastava14a.html."""
STRONG_SMOOTHING = 0.5
"""Share of the target; 0.1 is usual: https://arxiv.org/abs/1512.00567."""
USUAL_SMOOTHING = 0.1
STRONG_SHIFT, STRONG_ROTATION, STRONG_SCALE, STRONG_NOISE = 0.25, 60.0, 0.5, 0.4
"""Share of the image's side, degrees, share of its size, and standard deviation of pixels from 0 to 1, at which images are hard to know again;
https://arxiv.org/abs/1909.13719 goes to 0.3, 30, 0.1 and none."""
SHRUNK = 0.75
"""What is left of the weights' norm where weight decay, not the data, decides it; without decay it grows."""
PULLING = 0.2
"""Weight decay beside the gradient, both as norms, from which it has a say in every step."""


def softmax_before_loss(record: Record) -> Finding | None:
    """A softmax or sigmoid behind the scores, which the loss squeezes a second time."""
    behind = edits.output_activations(record.network)
    if record.step < EVIDENCE_STEPS or not behind or (name := record.network.layers[behind[-1]].type) not in SQUEEZE:
        return None
    classes = len(record.data.classes)
    lowest = math.log(1 + (classes - 1) / math.e)  # one output is 1, the others are 0
    return Finding(
        "softmax-before-loss",
        f"{name} stands before the loss",
        f"Layer {behind[-1]} is a {name}, so all scores lie between 0 and 1. With {classes} classes the loss cannot get below {lowest:.2f}; "
        f"at step {record.step:,} it is {record.loss:.2f}.",
        "Cross-entropy takes the softmax itself. Squeezed twice, even right answers look unsure, and the gradient is small where the network is most wrong.",
        f"Leave out the {name}. To see probabilities, take the softmax where you use the network.",
        "problem",
        record.step,
        behind[-1],
        remedies.network(record, f"Leave out the {name}", edits.without_output_activation(record.network)),
    )


def activation_last(record: Record) -> Finding | None:
    """Another activation behind the scores."""
    behind = edits.output_activations(record.network)
    if record.step < EVIDENCE_STEPS or not behind or (name := record.network.layers[behind[-1]].type) in SQUEEZE:
        return None
    return Finding(
        "activation-last",
        f"{name} bends the scores",
        f"Layer {behind[-1]}, behind the layer that makes the scores, is a {name}. At step {record.step:,} the training loss is {record.loss:.2f}.",
        "A score may be any number: the lower, the less likely is the class. Where an activation cuts or bends the scores, "
        "a class can fall silent, and no gradient brings it back.",
        f"Leave out the {name}.",
        "problem",
        record.step,
        behind[-1],
        remedies.network(record, f"Leave out the {name}", edits.without_output_activation(record.network)),
    )


def no_activation(record: Record) -> Finding | None:
    """Linear layers stacked upon each other, which together are one linear layer."""
    bent = edits.with_activations(record.network)
    if bent is None or record.done < HALF or record.step < EVIDENCE_STEPS or record.progress > HARMED:
        return None
    pairs = zip(record.network.layers, bent.layers, strict=False)  # they are alike up to the first activation that was put in
    layer = next(index for index, (before, after) in enumerate(pairs) if before != after)
    return Finding(
        "no-activation",
        "There is no activation between layers",
        f"Between layer {layer} ({record.network.layers[layer].type}) and the one before it there is no activation. "
        f"At step {record.step:,} the training loss is still {record.loss:.3g}.",
        "Weighted sums of weighted sums are weighted sums again: together such layers can do no more than one.",
        "Put an activation, such as ReLU, between them.",
        "problem",
        record.step,
        layer,
        remedies.network(record, "Put activations between the layers", bent),
    )


def regularised_too_strongly(record: Record) -> Finding | None:
    """Dropout, weight decay, augmentation or label smoothing so strong that the training images are not learnt."""
    if record.done < HALF or record.step < EVIDENCE_STEPS or not record.evaluations:
        return None
    causes = [*_dropout(record), *_weight_decay(record), *_augmentation(record), *_label_smoothing(record)]
    if not causes:
        return None
    seen, advice, offered = zip(*causes, strict=True)
    last = record.evaluations[-1]
    accuracies = f"At step {last.step:,} {last.train_accuracy:.0%} of the training images and {last.test_accuracy:.0%} of the test images are named rightly."
    return Finding(
        "regularised-too-strongly",
        "Regularisation is too strong",
        " ".join((*seen, accuracies)),
        "Regularisation makes learning by heart harder. Too much of it makes all learning hard, or all answers unsure.",
        " ".join(advice),
        "problem",
        last.step,
        -1,
        tuple(remedy for group in offered for remedy in group),
    )


Cause = tuple[str, str, Remedies]
"""A sentence for what was seen of it, one for what to do, and the runs that do."""


def _dropout(record: Record) -> Iterator[Cause]:
    shares = [float(layer.params.get("p", edits.USUAL_DROPOUT)) for layer in record.network.layers if layer.type == "Dropout"]
    if shares and max(shares) >= STRONG_DROPOUT and record.progress < LEARNT:
        offered = remedies.network(record, f"Train with at most {edits.LIGHT_DROPOUT:.0%} dropout", edits.with_light_dropout(record.network))
        yield f"Dropout sets {max(shares):.0%} of a layer’s values to zero.", "Drop fewer values.", offered


def _weight_decay(record: Record) -> Iterator[Cause]:
    """Decay that makes weights smaller than they started, against the gradient."""
    decay, weighted = record.config.weight_decay, list(record.weighted)
    if not decay or not record.observations or record.progress > LEARNT:
        return
    weight, gradient, update = (np.nan_to_num(record.seen(name)[:, weighted]) for name in ("weight", "gradient", "update"))
    before, now = np.linalg.norm(weight[[0, -1]], axis=1)
    pull, push = (decay * record.rate * weight, update) if record.config.optimizer_type.decoupled_decay else (decay * weight, gradient)
    share = float(np.median(np.linalg.norm(pull, axis=1) / (np.linalg.norm(push, axis=1) + 1e-30)))
    if now < SHRUNK * before and share > PULLING:
        offered = remedies.settings(record, "Train without weight decay", weight_decay=0.0)
        yield (
            f"With a weight decay of {decay:g} the weights shrank to {now / before:.0%} of their norm at the start.",
            "Use less weight decay, or none.",
            offered,
        )


def _augmentation(record: Record) -> Iterator[Cause]:
    augment, side = record.config.augment, record.data.input_shape[-1]
    strong = (
        (augment.shift >= STRONG_SHIFT * side, f"Training images are moved by up to {augment.shift} pixels."),
        (augment.rotation >= STRONG_ROTATION, f"Training images are turned by up to {augment.rotation:g}°."),
        (augment.scale >= STRONG_SCALE, f"Training images are scaled by up to {augment.scale:.0%}."),
        (augment.noise >= STRONG_NOISE, f"Training images are covered with noise of {augment.noise:g}."),
    )
    seen = [sentence for is_strong, sentence in strong if is_strong]
    if seen and record.progress < LEARNT:
        offered = remedies.settings(record, "Train without augmentation", augment=asdict(Augmentation()))
        yield " ".join(seen), "Change the images only so far that you would still know them.", offered


def _label_smoothing(record: Record) -> Iterator[Cause]:
    smoothing = record.config.label_smoothing
    if smoothing >= STRONG_SMOOTHING:
        offered = remedies.settings(record, f"Train with a label smoothing of {USUAL_SMOOTHING:g}", label_smoothing=USUAL_SMOOTHING)
        yield f"Label smoothing spreads {smoothing:.0%} of the target over the wrong classes.", "Smooth labels by about a tenth.", offered
