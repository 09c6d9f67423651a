"""What goes wrong inside the network: the values that enter it, the weights that it starts with, gradients, and units that fell silent."""

from __future__ import annotations

import math

import numpy as np

from playground.data.input_scaling import STANDARDISED
from playground.runs.coach import edits, remedies
from playground.runs.coach.finding import Finding
from playground.runs.coach.record import NORMALISATIONS, Record
from playground.runs.coach.remedies import Remedies

LARGE_INPUT = 5.0
"""Mean or standard deviation of normalised pixels is about 0 and 1, of pixels from 0 to 1 less than 1. Inputs should have mean 0 and alike
variances: LeCun et al., Efficient BackProp, section 4.3, http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf"""
LARGE_START = 2.5
"""How many times the loss of chance a first loss may be: “verify loss @ init”, https://karpathy.github.io/2019/04/25/recipe/. Kaiming's start
comes to 1.5 times."""
LARGE_GRADIENT = 30.0
"""Norm of the first gradient by all weights together; those of healthy starts lie between 0.1 and 10, measured on the tests' runs."""
VANISHED = 1 / 200
"""Gradient of the first layer beside that of the last at the start. Healthy networks lie above 1/10, five sigmoids below 1/2000: the picture of
Glorot and Bengio, https://proceedings.mlr.press/v9/glorot10a.html, measured on the tests' runs."""
LEARNT = 0.9
"""Progress of a training loss that leaves little to be explained."""
DEAD = 0.65
"""Share of a layer's units that are silent. Some always are: “as much as 40%” with too large a rate, https://cs231n.github.io/neural-networks-1/;
healthy runs of the tests stay below 0.5."""
DEAD_LOOKS = 2
"""Observations in a row that must agree on it."""
LOOKS = 3
"""Observations that there must be before units can be said to stay silent."""
FEW_IMAGES = 8
"""In smaller batches a unit is silent by chance, and a gradient large."""
LONG_ENOUGH = 0.25
"""Share of a run after which a loss that has hardly moved says something; before that, a learning rate may still be warming up."""


def starts_at_zero(record: Record) -> Finding | None:
    """Weights that are all 0 make all units of a layer alike, for ever."""
    if not record.observations:
        return None
    weights = record.seen("weight")[0]
    layer = next((index for index in record.weighted if weights[index] == 0), None)
    if layer is None:
        return None
    name, step = record.network.layers[layer].type, record.observations[0].step
    return Finding(
        "starts-at-zero",
        "Weights start at zero",
        f"At step {step} every weight of layer {layer} ({name}) was 0.",
        "Units that start alike get the same gradient and stay alike, and nothing gets past weights of zero. Only random numbers tell units apart.",
        "Let the weights start at random.",
        "problem",
        step,
        layer,
        (
            *remedies.settings(record, "Start as PyTorch does", initialisation="default"),
            *remedies.settings(record, "Start with Kaiming’s weights", initialisation="kaiming"),
        ),
    )


def inputs_not_normalised(record: Record) -> Finding | None:
    """Pixels that reach the network as they are stored."""
    first = record.observations[0] if record.observations else None
    if first is None or first.input_mean is None or first.input_std is None or max(abs(first.input_mean), first.input_std) < LARGE_INPUT:
        return None
    types = [layer.type for layer in record.network.layers]
    is_mended = any(name in NORMALISATIONS for name in types[: (record.weighted or (0,))[0] + 2])  # in front of the first weights or behind them
    return Finding(
        "inputs-not-normalised",
        "The inputs are not normalised",
        f"The pixels reach the network with a mean of {first.input_mean:.3g} and a standard deviation of {first.input_std:.3g}. About 0 and 1 would be right.",
        "Large inputs make large outputs and gradients in the first layer, so that a learning rate which suits the other layers is wrong for it.",
        "Subtract the mean of the training images, and divide by their standard deviation.",
        "hint" if is_mended else "problem",
        first.step,
        0,
        remedies.settings(record, "Train with normalised inputs", inputs=STANDARDISED),
    )


def exploding_gradients(record: Record) -> Finding | None:
    """A start at which values grow from layer to layer, and gradients with them."""
    if not record.observations or record.observations[0].step > record.steps_per_epoch:
        return None
    std, gradient = record.seen("std")[0], record.seen("gradient")[0]
    total, first = math.sqrt(np.nansum(gradient[list(record.weighted)] ** 2)), float(record.column("loss")[0])
    is_large = total >= LARGE_GRADIENT and record.batch_size >= FEW_IMAGES
    if (first < LARGE_START * record.chance and not is_large) or not np.isfinite(std).any():
        return None
    layer, step = int(np.nanargmax(std)), record.observations[0].step
    return Finding(
        "exploding-gradients",
        "Values and gradients explode at the start",
        f"The first loss was {first:.3g}, where guessing gives {record.chance:.2f}. At step {step} the outputs of layer {layer} "
        f"({record.network.layers[layer].type}) had a standard deviation of {std[layer]:.3g}, and the gradient a norm of {total:.3g}.",
        "Weights that are too large multiply what comes in, layer after layer, and on the way back they multiply the gradient. "
        "The steps that follow only undo the start, or throw the weights far away.",
        "Start with weights that keep values at the same size, or put a normalisation behind each layer.",
        "problem",
        step,
        layer,
        better_start(record),
    )


def vanishing_gradients(record: Record) -> Finding | None:
    """Hardly any gradient arrives at the first layer, and the loss hardly moves."""
    if not record.observations or len(record.weighted) < 3 or record.done < LONG_ENOUGH or record.progress > LEARNT:
        return None
    gradient = record.seen("gradient")[0]
    first, last = record.weighted[record.config.whiten], record.weighted[-1]  # a whitened layer is frozen but for its bias
    if not 0 < gradient[first] < VANISHED * gradient[last]:
        return None
    step, name = record.observations[0].step, record.network.layers[first].type
    return Finding(
        "vanishing-gradients",
        "The gradient vanishes",
        f"At step {step} the gradient had a norm of {gradient[last]:.1g} in the last layer, and of {gradient[first]:.1g} in layer {first} ({name}). "
        f"At step {record.step:,} the training loss is {record.loss:.3g}.",
        "A sigmoid passes on at most a quarter of a gradient, and small weights pass on little. Multiplied from layer to layer, "
        "nothing is left for the first ones, which then do not learn.",
        "Use ReLU, weights that keep the size of a gradient, or a normalisation behind each layer.",
        "problem",
        step,
        first,
        (
            *remedies.network(record, "Use ReLU and Kaiming’s weights", edits.with_relus(record.network), initialisation="kaiming"),
            *better_start(record),
        ),
    )


def dead_relus(record: Record) -> Finding | None:
    """Most units of a layer give 0 for every image of a batch."""
    if len(record.observations) < LOOKS or record.batch_size < FEW_IMAGES:
        return None
    dead = record.seen("dead")
    late = dead[-DEAD_LOOKS:].min(axis=0)  # NaN where a layer cannot be dead
    if not (late >= DEAD).any():
        return None
    layer = int(np.nanargmax(late))
    alive = np.flatnonzero(dead[:, layer] < DEAD)
    began = int(alive[-1]) + 1 if len(alive) else 0
    step, place = record.observations[began].step, f"layer {layer} ({record.network.layers[layer].type})"
    if began:
        saw = f"Since step {step:,} most units of {place} give 0 for every image of a batch: now {late[layer]:.0%}, at first {dead[0, layer]:.0%}."
        advice = "Lower the learning rate, because large steps push units to where they are silent, or use leaky ReLU."
    else:
        saw = f"From the start {late[layer]:.0%} of the units of {place} give 0 for every image of a batch."
        advice = "Start with other weights, or use leaky ReLU."
    return Finding(
        "dead-relus",
        "Most ReLU units are dead",
        saw,
        "Where a ReLU gives 0, its gradient is 0. A unit that is silent for all images never learns again.",
        advice,
        "hint" if record.progress > LEARNT else "problem",
        step,
        layer,
        (
            *(remedies.lower_rate(record) if began else better_start(record)),
            *remedies.with_usual_rate(record, remedies.network(record, "Use leaky ReLU", edits.leaky(record.network))),
        ),
    )


def better_start(record: Record) -> Remedies:
    """Weights that keep the size of values, where the activations allow that, and layers that bring values to one size."""
    types = {layer.type for layer in record.network.layers}
    has_relu, has_sigmoid = bool(types & {"ReLU", "LeakyReLU", "GELU", "SiLU"}), "Sigmoid" in types
    name, title = ("kaiming", "Kaiming’s") if has_relu else ("xavier", "Xavier’s")
    is_single = record.batch_size == 1 or record.data.train_size % record.batch_size == 1  # of one image batch norm cannot learn
    return (
        *(() if has_sigmoid else remedies.settings(record, f"Start with {title} weights", initialisation=name)),
        *(() if is_single else remedies.network(record, "Put a normalisation behind each layer", edits.normalised(record.network), initialisation="default")),
    )
