"""Faults of the design: an output that the loss does not expect, layers without activations between them, too strong regularisation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict

import numpy as np

from playground.data.augmentation import Augmentation
from playground.messages import joined, msg
from playground.network.catalogue import DROPOUTS
from playground.runs.coach import edits, remedies
from playground.runs.coach.finding import Finding
from playground.runs.coach.inside import LEARNED_PROGRESS
from playground.runs.coach.record import Record
from playground.runs.coach.remedies import Remedies
from playground.runs.coach.steps import EVIDENCE_STEPS, GOOD_PROGRESS, HALF_DONE
from playground.typography import percent

OUTPUT_ACTIVATIONS = ("Softmax", "Sigmoid")
STRONG_DROPOUT = 0.7
"""Probability of dropout that is too strong; 0.5 is usual for hidden layers: https://jmlr.org/papers/v15/srivastava14a.html."""
STRONG_SMOOTHING = 0.5
"""Label smoothing that is too strong; 0.1 is usual: https://arxiv.org/abs/1512.00567."""
USUAL_SMOOTHING = 0.1
STRONG_SHIFT, STRONG_ROTATION, STRONG_SCALE, STRONG_NOISE = 0.25, 60.0, 0.5, 0.4
"""Augmentation with which images are hard to recognise: shift as a share of the side, rotation in degrees, scale as a share of the size, and standard
deviation of noise on pixels from 0 to 1; https://arxiv.org/abs/1909.13719 uses at most 0.3, 30, 0.1 and none."""
SHRUNK_NORM = 0.75
"""Share of the initial norm of the weights below which weight decay, not the data, determines them; without decay the norm grows."""
STRONG_DECAY = 0.2
"""Norm of the weight decay divided by that of the gradient from which weight decay is strong."""


def softmax_before_loss(record: Record) -> Finding | None:
    """Report a softmax or sigmoid after the logits, although the loss applies softmax itself."""
    behind = edits.output_activations(record.network)
    if record.step < EVIDENCE_STEPS or not behind or (name := record.network.layers[behind[-1]].type) not in OUTPUT_ACTIVATIONS:
        return None
    classes = len(record.data.classes)
    lowest = math.log(1 + (classes - 1) / math.e)  # one output is 1, the others are 0
    return Finding(
        "softmax-before-loss",
        msg("{layer} before the loss", layer=name),
        msg(
            "Layer {index} is a {type}, so all logits lie between 0 and 1. With {classes} classes the loss cannot fall below {lowest:.2f}; "
            "at step {step:,} it is {loss:.2f}.",
            index=behind[-1],
            type=name,
            classes=classes,
            lowest=lowest,
            step=record.step,
            loss=record.loss,
        ),
        msg("Cross-entropy applies softmax itself. Applied twice, even correct predictions get low probabilities, and wrong ones small gradients."),
        msg("Remove the {layer}. To see probabilities, apply softmax where you use the network.", layer=name),
        "problem",
        record.step,
        behind[-1],
        remedies.network(record, msg("Remove the {layer}", layer=name), edits.without_output_activation(record.network)),
    )


def activation_last(record: Record) -> Finding | None:
    """Report another activation after the logits."""
    behind = edits.output_activations(record.network)
    if record.step < EVIDENCE_STEPS or not behind or (name := record.network.layers[behind[-1]].type) in OUTPUT_ACTIVATIONS:
        return None
    return Finding(
        "activation-last",
        msg("{layer} after the last layer", layer=name),
        msg(
            "Layer {index}, after the layer that computes the logits, is a {type}. At step {step:,} training loss is {loss:.2f}.",
            index=behind[-1],
            type=name,
            step=record.step,
            loss=record.loss,
        ),
        msg(
            "A logit may be any number: the lower, the less likely the class. An activation that limits the logits can keep a class from ever being predicted, "
            "and then no gradient reaches it."
        ),
        msg("Remove the {layer}.", layer=name),
        "problem",
        record.step,
        behind[-1],
        remedies.network(record, msg("Remove the {layer}", layer=name), edits.without_output_activation(record.network)),
    )


def no_activation(record: Record) -> Finding | None:
    """Report linear layers without an activation between them, which together are one linear layer."""
    bent = edits.with_activations(record.network)
    if bent is None or record.share_done < HALF_DONE or record.step < EVIDENCE_STEPS or record.progress > GOOD_PROGRESS:
        return None
    pairs = zip(record.network.layers, bent.layers, strict=False)  # they are alike up to the first activation that was put in
    layer = next(index for index, (before, after) in enumerate(pairs) if before != after)
    return Finding(
        "no-activation",
        msg("No activation between layers"),
        msg(
            "Between layer {layer} ({type}) and the one before it there is no activation. At step {step:,} training loss is still {loss:.3g}.",
            layer=layer,
            type=record.network.layers[layer].type,
            step=record.step,
            loss=record.loss,
        ),
        msg("A weighted sum of weighted sums is again a weighted sum: together such layers can represent no more than a single one."),
        msg("Add an activation, such as ReLU, between them."),
        "problem",
        record.step,
        layer,
        remedies.network(record, msg("Add activations between the layers"), bent),
    )


def regularised_too_strongly(record: Record) -> Finding | None:
    """Report dropout, weight decay, augmentation or label smoothing so strong that the network cannot fit the training images."""
    if record.share_done < HALF_DONE or record.step < EVIDENCE_STEPS or not record.evaluations:
        return None
    causes = [*_dropout(record), *_weight_decay(record), *_augmentation(record), *_label_smoothing(record)]
    if not causes:
        return None
    evidence, advice, offered = zip(*causes, strict=True)
    last = record.evaluations[-1]
    accuracies = msg(
        "At step {step:,} training accuracy is {training}, test accuracy {test}.",
        step=last.step,
        training=percent(last.train_accuracy),
        test=percent(last.test_accuracy),
    )
    return Finding(
        "regularised-too-strongly",
        msg("Regularisation is too strong"),
        joined((*evidence, accuracies)),
        msg("Regularisation makes memorising harder. Too much of it makes learning itself hard, or all probabilities low."),
        joined(advice),
        "problem",
        last.step,
        -1,
        tuple(remedy for group in offered for remedy in group),
    )


Cause = tuple[str, str, Remedies]
"""A sentence with the evidence, one with advice, and the remedies."""


def _dropout(record: Record) -> Iterator[Cause]:
    shares = [float(layer.params.get("p", edits.USUAL_DROPOUT)) for layer in record.network.layers if layer.type in DROPOUTS]
    if shares and max(shares) >= STRONG_DROPOUT and record.progress < LEARNED_PROGRESS:
        label = msg("Train with at most {share} dropout", share=percent(edits.LIGHT_DROPOUT))
        offered = remedies.network(record, label, edits.with_light_dropout(record.network))
        yield msg("Dropout sets {share} of a layer’s values to zero.", share=percent(max(shares))), msg("Use a lower dropout probability."), offered


def _weight_decay(record: Record) -> Iterator[Cause]:
    """Yield weight decay that shrinks the weights below their initial norm, against the gradient."""
    decay, weighted = record.config.weight_decay, list(record.weighted)
    if not decay or not record.observations or record.progress > LEARNED_PROGRESS:
        return
    weight, gradient, update = (np.nan_to_num(record.layer_values(name)[:, weighted]) for name in ("weight", "gradient", "update"))
    before, now = np.linalg.norm(weight[[0, -1]], axis=1)
    pull, push = (decay * record.learning_rate * weight, update) if record.config.optimizer_type.decoupled_decay else (decay * weight, gradient)
    share = float(np.median(np.linalg.norm(pull, axis=1) / (np.linalg.norm(push, axis=1) + 1e-30)))
    if now < SHRUNK_NORM * before and share > STRONG_DECAY:
        offered = remedies.settings(record, msg("Train without weight decay"), weight_decay=0.0)
        yield (
            msg("With a weight decay of {decay:g} the weights shrank to {share} of their initial norm.", decay=decay, share=percent(now / before)),
            msg("Use less weight decay, or none."),
            offered,
        )


def _augmentation(record: Record) -> Iterator[Cause]:
    augment, side = record.config.augment, record.data.input_shape[-1]
    strong = (
        (augment.shift >= STRONG_SHIFT * side, msg("Training images are shifted by up to {shift} pixels.", shift=augment.shift)),
        (augment.rotation >= STRONG_ROTATION, msg("Training images are rotated by up to {rotation:g}°.", rotation=augment.rotation)),
        (augment.scale >= STRONG_SCALE, msg("Training images are scaled by up to {scale}.", scale=percent(augment.scale))),
        (augment.noise >= STRONG_NOISE, msg("Noise with a standard deviation of {noise:g} is added to training images.", noise=augment.noise)),
    )
    evidence = [sentence for is_strong, sentence in strong if is_strong]
    if evidence and record.progress < LEARNED_PROGRESS:
        offered = remedies.settings(record, msg("Train without augmentation"), augment=asdict(Augmentation()))
        yield joined(evidence), msg("Change the images only so much that you would still recognise them."), offered


def _label_smoothing(record: Record) -> Iterator[Cause]:
    smoothing = record.config.label_smoothing
    if smoothing >= STRONG_SMOOTHING:
        label = msg("Train with a label smoothing of {smoothing:g}", smoothing=USUAL_SMOOTHING)
        offered = remedies.settings(record, label, label_smoothing=USUAL_SMOOTHING)
        evidence = msg("Label smoothing spreads {share} of the target over all classes.", share=percent(smoothing))
        yield evidence, msg("A label smoothing of about 0.1 is usual."), offered
