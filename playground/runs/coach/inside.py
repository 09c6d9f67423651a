"""What goes wrong inside the network: the values that enter it, the weights that it starts with, gradients, and units that fell silent."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from playground.data.inputs import STANDARDISED
from playground.runs.coach import edits, remedies
from playground.runs.coach.finding import Finding
from playground.runs.coach.record import Record
from playground.runs.coach.remedies import Remedies

LARGE_INPUT = 5.0
"""Mean or standard deviation of normalised pixels is about 0 and 1, of pixels from 0 to 1 less than 1. Inputs should have mean 0 and alike
variances: LeCun et al., Efficient BackProp, section 4.3, http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf"""
LARGE_START = 3.0
"""How many times the loss of chance a first loss may be: “verify loss @ init”, https://karpathy.github.io/2019/04/25/recipe/. Kaiming's start
comes to 1.5 times."""
LARGE_GRADIENT = 30.0
"""Norm of the first gradient by all weights together; those of healthy starts lie between 0.1 and 10, measured on the tests' runs."""
VANISHED = 1 / 200
"""Gradient of the first layer beside that of the last at the start. Healthy networks lie above 1/10, six sigmoids below 1/1000: the picture of
Glorot and Bengio, https://proceedings.mlr.press/v9/glorot10a.html, measured on the tests' runs."""
LEARNT = 0.9
"""Progress of a training loss that leaves little to be explained."""
DEAD = 0.6
"""Share of a layer's units that are silent. Some always are: “as much as 40%” with too large a rate, https://cs231n.github.io/neural-networks-1/;
healthy runs of the tests stay below 0.5."""
DEAD_LOOKS = 3
"""Observations in a row that must agree on it."""
FEW_IMAGES = 8
"""In smaller batches a unit is silent by chance."""
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
        "Units that start alike get the same gradient and stay alike, and behind weights of zero there is no gradient at all. Only random numbers tell them apart.",
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
    layers = [layer.type for layer in record.network.layers]
    is_mended = any(name in ("BatchNorm1d", "BatchNorm2d", "LayerNorm") for name in layers[: (record.weighted or (0,))[0] + 2])
    return Finding(
        "inputs-not-normalised",
        "The inputs are not normalised",
        f"The pixels reach the network with mean {first.input_mean:.3g} and standard deviation {first.input_std:.3g}; about 0 and 1 would be right.",
        "Large inputs make large outputs and large gradients in the first layer, so that a learning rate which suits the other layers is wrong for it.",
        "Subtract the mean of the training images and divide by their standard deviation.",
        "hint" if is_mended else "problem",
        first.step,
        0,
        remedies.settings(record, "Train with normalised inputs", inputs=STANDARDISED),
    )


def exploding_gradients(record: Record) -> Finding | None:
    """A start at which values grow from layer to layer, and gradients with them."""
    if not record.observations or record.observations[0].step > record.steps_per_epoch:
        return None
    weighted = list(record.weighted)
    gradient, std = record.seen("gradient")[0, weighted], record.seen("std")[0]
    total, first, step = math.sqrt(np.nansum(gradient**2)), float(record.column("loss")[0]), record.observations[0].step
    is_exploding = total >= LARGE_GRADIENT and record.config.batch_size >= FEW_IMAGES
    if first < LARGE_START * record.chance and not is_exploding:
        return None
    layer = int(np.nanargmax(std)) if np.isfinite(std).any() else -1
    place = f"layer {layer} ({record.network.layers[layer].type})"
    return Finding(
        "exploding-gradients",
        "Values and gradients explode at the start",
        f"The first loss was {first:.3g}, where guessing gives {record.chance:.2f}. At step {step} the outputs of {place} had a standard deviation of "
        f"{std[layer]:.3g}, and the gradient a norm of {total:.3g}.",
        "Each layer with too large weights multiplies what comes in, and on the way back it multiplies the gradient. "
        "Then the first steps only undo the start, or throw the weights far away.",
        "Start with weights that keep values at the same size, or put a normalisation behind each layer.",
        "problem",
        step,
        layer,
        _better_start(record),
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
    squashes = edits.with_relus(record.network)
    return Finding(
        "vanishing-gradients",
        "The gradient vanishes",
        f"At step {step} the gradient had a norm of {gradient[last]:.2g} in the last layer and of {gradient[first]:.1g} in layer {first} ({name}): "
        f"{gradient[first] / gradient[last]:.1g} times as much.",
        "A sigmoid passes on at most a quarter of a gradient, and small weights pass on little. Multiplied from layer to layer, "
        "nothing is left for the first layers, which then do not learn.",
        "Use ReLU, weights that keep the size of a gradient, or a normalisation behind each layer.",
        "problem",
        step,
        first,
        (
            *remedies.network(record, "Use ReLU and Kaiming’s weights", squashes, initialisation="kaiming"),
            *_better_start(record),
        ),
    )


def _better_start(record: Record) -> Remedies:
    """Weights that keep the size of values, and layers that bring them to one size."""
    has_relu = any(layer.type in ("ReLU", "LeakyReLU", "GELU", "SiLU") for layer in record.network.layers)
    name, title = ("kaiming", "Kaiming’s") if has_relu else ("xavier", "Xavier’s")
    return (
        *remedies.settings(record, f"Start with {title} weights", initialisation=name),
        *remedies.network(record, "Put a normalisation behind each layer", _normalised(record), initialisation="default"),
    )


def _normalised(record: Record) -> Any:
    """The network with normalisation, where no batch is left with a single image, of which batch norm cannot learn."""
    return edits.normalised(record.network) if record.config.batch_size > 1 and record.data.train_size % record.config.batch_size != 1 else None


def dead_relus(record: Record) -> Finding | None:
    """Most units of a layer give 0 for every image of a batch."""
    if len(record.observations) < DEAD_LOOKS or record.config.batch_size < FEW_IMAGES:
        return None
    dead = record.seen("dead")
    late = dead[-DEAD_LOOKS:].min(axis=0)  # NaN where a layer cannot be dead
    if not (late >= DEAD).any():
        return None
    layer = int(np.nanargmax(late))
    began = next(index for index in range(len(dead)) if (dead[index:, layer] >= min(DEAD, late[layer])).all())
    step, is_from_start = record.observations[began].step, began == 0
    return Finding(
        "dead-relus",
        "Most ReLU units are dead",
        f"Since step {step} at least {late[layer]:.0%} of the units of layer {layer} ({record.network.layers[layer].type}) gave 0 for every image of a batch"
        + ("." if is_from_start else f", at step {record.observations[0].step} it was {dead[0, layer]:.0%}."),
        "Where a ReLU gives 0, its gradient is 0, so a unit that is silent for all images never learns again.",
        "Start with other weights."
        if is_from_start
        else "Lower the learning rate, because a large step pushes units to where they are silent, or use leaky ReLU.",
        "hint" if record.progress > LEARNT else "problem",
        step,
        layer,
        (
            *(_better_start(record) if is_from_start else remedies.lower_rate(record)),
            *remedies.network(record, "Use leaky ReLU", edits.leaky(record.network)),
        ),
    )
