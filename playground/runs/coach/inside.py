"""Faults inside the network: its inputs, its weight initialisation, its gradients, and dead units."""

from __future__ import annotations

import math

import numpy as np

from playground.data.input_scaling import STANDARDISED
from playground.messages import msg
from playground.runs.coach import edits, remedies
from playground.runs.coach.finding import Finding
from playground.runs.coach.record import NORMALISATIONS, Record
from playground.runs.coach.remedies import Remedies
from playground.typography import percent

LARGE_INPUT = 5.0
"""Absolute mean or standard deviation of the inputs from which they are not normalised; standardised pixels have 0 and 1, pixels from 0 to 1 less than 1.
Inputs should have mean 0 and similar variances: LeCun et al., Efficient BackProp, section 4.3, http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf"""
LARGE_FIRST_LOSS = 2.5
"""First loss divided by the loss at chance level from which it is too large: “verify loss @ init”, https://karpathy.github.io/2019/04/25/recipe/.
Kaiming initialisation gives 1.5."""
LARGE_GRADIENT = 30.0
"""Norm of the first gradient of all weights together from which it is too large; those of healthy initialisations lie between 0.1 and 10,
measured on the tests' runs."""
VANISHED_RATIO = 1 / 200
"""Gradient of the first layer divided by that of the last, at the start, below which it vanishes. Healthy networks are above 1/10, five sigmoids below
1/2000, as in Glorot and Bengio, https://proceedings.mlr.press/v9/glorot10a.html, measured on the tests' runs."""
LEARNED_PROGRESS = 0.9
"""Progress of the training loss above which the network has learned its training set."""
MOSTLY_DEAD = 0.65
"""Share of dead units of a layer from which it is a fault. Some units are always dead: “as much as 40%” with too large a learning rate, https://cs231n.github.io/neural-networks-1/;
healthy runs of the tests stay below 0.5."""
DEAD_OBSERVATIONS = 2
"""Number of consecutive observations with that share."""
MIN_OBSERVATIONS = 3
"""Number of observations before which no unit counts as dead."""
FEW_IMAGES = 8
"""Batch size below which units are inactive and gradients large by chance."""
WARMED_UP = 0.25
"""Share of a run after which a loss that has hardly changed is evidence; before that, the learning rate may still warm up."""


def starts_at_zero(record: Record) -> Finding | None:
    """Report layers whose weights are all initialised to 0, so that their units stay identical."""
    if not record.observations:
        return None
    weights = record.layer_values("weight")[0]
    layer = next((index for index in record.weighted if weights[index] == 0), None)
    if layer is None:
        return None
    name, step = record.network.layers[layer].type, record.observations[0].step
    return Finding(
        "starts-at-zero",
        msg("Weights are initialised to zero"),
        msg("At step {step} every weight of layer {layer} ({type}) was 0.", step=step, layer=layer, type=name),
        msg(
            "Units with identical weights get identical gradients and stay identical, and no gradient passes weights of zero. Random weights make units differ."
        ),
        msg("Initialise the weights randomly."),
        "problem",
        step,
        layer,
        (
            *remedies.settings(record, msg("Use PyTorch’s default initialisation"), initialisation="default"),
            *remedies.settings(record, msg("Use {name} initialisation", name="Kaiming"), initialisation="kaiming"),
        ),
    )


def inputs_not_normalised(record: Record) -> Finding | None:
    """Report pixels that reach the network without normalisation."""
    first = record.observations[0] if record.observations else None
    if first is None or first.input_mean is None or first.input_std is None or max(abs(first.input_mean), first.input_std) < LARGE_INPUT:
        return None
    types = [layer.type for layer in record.network.layers]
    is_mended = any(name in NORMALISATIONS for name in types[: (record.weighted or (0,))[0] + 2])  # in front of the first weights or behind them
    return Finding(
        "inputs-not-normalised",
        msg("The inputs are not normalised"),
        msg(
            "The inputs have a mean of {mean:.3g} and a standard deviation of {std:.3g}; they should be about 0 and 1.",
            mean=first.input_mean,
            std=first.input_std,
        ),
        msg("Large inputs cause large outputs and gradients in the first layer, so a learning rate that suits the other layers is too high for it."),
        msg("Standardise the inputs: subtract the mean of the training images and divide by their standard deviation."),
        "hint" if is_mended else "problem",
        first.step,
        0,
        remedies.settings(record, msg("Train with standardised inputs"), inputs=STANDARDISED),
    )


def exploding_gradients(record: Record) -> Finding | None:
    """Report an initialisation with which activations and gradients grow from layer to layer."""
    if not record.observations or record.observations[0].step > record.steps_per_epoch:
        return None
    std, gradient = record.layer_values("std")[0], record.layer_values("gradient")[0]
    total, first = math.sqrt(np.nansum(gradient[list(record.weighted)] ** 2)), float(record.column("loss")[0])
    is_large = total >= LARGE_GRADIENT and record.batch_size >= FEW_IMAGES
    if (first < LARGE_FIRST_LOSS * record.chance_loss and not is_large) or not np.isfinite(std).any():
        return None
    layer, step = int(np.nanargmax(std)), record.observations[0].step
    return Finding(
        "exploding-gradients",
        msg("Exploding activations and gradients"),
        msg(
            "The first loss was {loss:.3g} (chance level: {chance:.2f}). At step {step} the outputs of layer {layer} ({type}) had a standard deviation "
            "of {std:.3g}, and the gradient a norm of {norm:.3g}.",
            loss=first,
            chance=record.chance_loss,
            step=step,
            layer=layer,
            type=record.network.layers[layer].type,
            std=std[layer],
            norm=total,
        ),
        msg(
            "Weights that are too large amplify the activations in each layer of the forward pass, and the gradients in each layer of the backward pass. "
            "The first steps then only undo the initialisation, or move the weights far away."
        ),
        msg("Use an initialisation that preserves the variance of activations, or add a normalisation layer after each layer."),
        "problem",
        step,
        layer,
        better_initialisation(record),
    )


def vanishing_gradients(record: Record) -> Finding | None:
    """Report that hardly any gradient reaches the first layer while the loss hardly falls."""
    if not record.observations or len(record.weighted) < 3 or record.share_done < WARMED_UP or record.progress > LEARNED_PROGRESS:
        return None
    gradient = record.layer_values("gradient")[0]
    first, last = record.weighted[record.config.whiten], record.weighted[-1]  # a whitened layer is frozen but for its bias
    if not 0 < gradient[first] < VANISHED_RATIO * gradient[last]:
        return None
    step, name = record.observations[0].step, record.network.layers[first].type
    return Finding(
        "vanishing-gradients",
        msg("Vanishing gradients"),
        msg(
            "At step {early} the gradient norm was {last:.1g} in the last layer and {first:.1g} in layer {layer} ({type}). "
            "At step {step:,} training loss is {loss:.3g}.",
            early=step,
            last=gradient[last],
            first=gradient[first],
            layer=first,
            type=name,
            step=record.step,
            loss=record.loss,
        ),
        msg(
            "A sigmoid multiplies the gradient by at most 0.25, and small weights shrink it, too. Over many layers the product becomes so small "
            "that the first layers hardly learn."
        ),
        msg("Use ReLU, an initialisation that preserves the variance of gradients, or a normalisation layer after each layer."),
        "problem",
        step,
        first,
        (
            *remedies.network(record, msg("Use ReLU and Kaiming initialisation"), edits.with_relus(record.network), initialisation="kaiming"),
            *better_initialisation(record),
        ),
    )


def dead_relus(record: Record) -> Finding | None:
    """Report layers in which most units output 0 for every image of a batch."""
    if len(record.observations) < MIN_OBSERVATIONS or record.batch_size < FEW_IMAGES:
        return None
    dead = record.layer_values("dead")
    late = dead[-DEAD_OBSERVATIONS:].min(axis=0)  # NaN where a layer cannot be dead
    if not (late >= MOSTLY_DEAD).any():
        return None
    layer = int(np.nanargmax(late))
    alive = np.flatnonzero(dead[:, layer] < MOSTLY_DEAD)
    began = int(alive[-1]) + 1 if len(alive) else 0
    step, name, share = record.observations[began].step, record.network.layers[layer].type, percent(late[layer])
    if began:
        evidence = msg(
            "Since step {step:,} most units of layer {layer} ({type}) output 0 for all images of a batch: {share}, at first {before}.",
            step=step,
            layer=layer,
            type=name,
            share=share,
            before=percent(dead[0, layer]),
        )
        advice = msg("Lower the learning rate, because large steps can make units inactive for all images, or use leaky ReLU.")
    else:
        evidence = msg(
            "From the start {share} of the units of layer {layer} ({type}) output 0 for every image of a batch.",
            share=share,
            layer=layer,
            type=name,
        )
        advice = msg("Use another weight initialisation, or leaky ReLU.")
    return Finding(
        "dead-relus",
        msg("Most ReLU units are dead"),
        evidence,
        msg("Where a ReLU outputs 0, its gradient is 0. A unit that is inactive for all images gets no gradient and never recovers."),
        advice,
        "hint" if record.progress > LEARNED_PROGRESS else "problem",
        step,
        layer,
        (
            *(remedies.lower_learning_rate(record) if began else better_initialisation(record)),
            *remedies.with_usual_learning_rate(record, remedies.network(record, msg("Use leaky ReLU"), edits.leaky(record.network))),
        ),
    )


def better_initialisation(record: Record) -> Remedies:
    """Offer an initialisation that preserves the variance of activations, where there is one for them, and normalisation layers."""
    types = {layer.type for layer in record.network.layers}
    has_relu, has_sigmoid = bool(types & {"ReLU", "LeakyReLU", "GELU", "SiLU", "ELU", "ReLU6", "Hardswish", "Mish"}), "Sigmoid" in types
    name, title = ("kaiming", "Kaiming") if has_relu else ("xavier", "Xavier")
    is_single = record.batch_size == 1 or record.data.train_size % record.batch_size == 1  # batch norm cannot train on a single image
    return (
        *(() if has_sigmoid else remedies.settings(record, msg("Use {name} initialisation", name=title), initialisation=name)),
        *(() if is_single else remedies.network(record, msg("Add normalisation after each layer"), edits.normalised(record.network), initialisation="default")),
    )
