"""What goes wrong with the steps: they are too large, too small, too noisy or too few, or end in a number that is none."""

from __future__ import annotations

import numpy as np

from playground.runs.coach import remedies
from playground.runs.coach.finding import Finding
from playground.runs.coach.inside import DEAD_LOOKS, LEARNT, exploding_gradients, inputs_not_normalised
from playground.runs.coach.record import Record
from playground.training.autopsy import WHERE

ROSE = 1.5
"""How many times the loss of the start a smoothed loss reaches only if steps throw the weights away; healthy runs of the tests stay below 1.1."""
RECOVERED = 0.95
"""Progress of a training loss that shows that a rise at the start did no harm."""
TOO_LARGE = ((0.03, 0.85), (0.02, 0.6))
TOO_SMALL = ((6e-4, 0.85), (1.5e-3, 0.6), (2.5e-3, 0.4))
"""Sizes of a step beside the weights, and for each the progress of the training loss below which it is to blame: the further from
“somewhere around 1e-3” (https://cs231n.github.io/neural-networks-3/#ratio), the less must be amiss. Short runs need larger steps: of the
tests' runs those from 0.003 to 0.02 learn best. Behind weights that are normalised anyway even 0.06 does no harm."""
WORSE = -0.05
"""Progress of a training loss that is worse than guessing, which a network that learns nothing still manages."""
STRAIGHT = 0.25
"""Share of what the first half of the run improved that its second half must improve by, if the loss shall count as still falling evenly."""
HARMED = 0.85
"""Progress of a training loss below which something is missing."""
AT_CHANCE = 0.02
"""Progress of a training loss that is that of chance."""
COLLAPSED = 0.01
"""Share of the first gradient that is left where units are silent or saturated."""
EVIDENCE_STEPS = 20
HALF = 0.5
"""Share of a run after which slowness says something: a learning rate that warms up is past its peak."""
SMALL_BATCH = 8
NOISY = 0.25
"""Standard deviation of the loss from step to step that drowns what it learns; with 16 images healthy runs of the tests have 0.15, with 64 less than 0.12."""
FEW_STEPS = 100
FEW_STEPS_A_EPOCH = 8


def not_a_number(record: Record) -> Finding | None:
    """The loss became infinite or no number, so the run ended."""
    found = record.diverged
    if found is None:
        return None
    layers = [layer.type for layer in record.network.layers]
    where = WHERE[found.place].format(layer=found.layer, type=layers[found.layer]) if found.place in WHERE else ""
    born = f"The first such value was born at step {found.born}, {where}." if found.born and where else "Where the first such value was born is not known."
    cause = inputs_not_normalised(record) or exploding_gradients(record)
    if cause is None:
        advice = f"Lower the learning rate of {record.rate:g}: each step was so large that the next gradient was larger still."
    else:
        advice = cause.advice
    return Finding(
        "not-a-number",
        "The loss is not a number",
        f"At step {found.step} the loss was infinite or not a number. {born}",
        "Numbers of 32 bits end at 3·10³⁸. What is larger becomes infinite, infinity minus infinity is no number, and every weight that such a value reaches is lost.",
        advice,
        "problem",
        found.born or found.step,
        found.layer,
        (
            *(cause.remedies if cause else ()),
            *remedies.lower_rate(record),
            *remedies.fork(record, "Go back to before that, with a tenth of the rate", found.born, learning_rate=remedies.rounded(record.rate / 10)),
        ),
    )


def rate_too_high(record: Record) -> Finding | None:
    """Steps that throw the weights away: the loss rises instead of falling, or stays high while the weights move a lot."""
    steps, losses = record.curve
    ratio = record.update_ratio
    if record.step < EVIDENCE_STEPS or not len(losses) or record.progress > RECOVERED:
        return None
    start = max(record.chance, float(record.column("loss")[0]))
    peak = int(np.argmax(losses))
    if losses[peak] >= ROSE * start:
        saw = f"Around step {steps[peak]:,.0f} the training loss was {losses[peak]:.3g}, at the start {start:.3g}: it rose instead of falling."
        step = int(steps[peak])
    elif record.done < HALF or ratio is None:
        return None
    elif record.progress < WORSE and start < ROSE * record.chance:
        saw = f"At step {record.step:,} the training loss is {record.loss:.3g}: worse than guessing, which gives {record.chance:.2f}."
        step = record.step
    elif _has_collapsed(record):
        saw = f"At step {record.step:,} the training loss is {record.loss:.3g}, that of guessing, and hardly any gradient is left: the first steps broke the network."
        step = record.step
    elif not record.is_normalised and any(ratio >= size and record.progress < enough for size, enough in TOO_LARGE):
        saw = f"Each step changes the weights by about {ratio:.1%} of their size, and the training loss is still {record.loss:.3g} at step {record.step:,}."
        step = record.step
    else:
        return None
    return Finding(
        "rate-too-high",
        "The learning rate is too high",
        saw,
        "A step follows the slope at one point. If it is too long, it jumps across the valley and lands higher than before.",
        f"Lower the learning rate of {record.rate:g}.",
        "problem",
        step,
        -1,
        remedies.lower_rate(record),
    )


def _has_collapsed(record: Record) -> bool:
    """Whether the network guesses, and gradients that there were at first do not get to its first layer any more."""
    gradient = record.seen("gradient")[:, record.weighted[0]] if record.weighted and record.observations else np.zeros(0)
    return len(gradient) >= DEAD_LOOKS and abs(record.progress) < AT_CHANCE and float(gradient[-DEAD_LOOKS:].max()) < COLLAPSED * float(gradient[0])


def rate_too_low(record: Record) -> Finding | None:
    """Steps so small that the weights hardly move in the whole run."""
    ratio = record.update_ratio
    if ratio is None or record.step < EVIDENCE_STEPS or record.done < HALF:
        return None
    if not any(ratio < size and record.progress < enough for size, enough in TOO_SMALL) or not (ratio < TOO_SMALL[0][0] or _falls_evenly(record)):
        return None
    return Finding(
        "rate-too-low",
        "The learning rate is too low",
        f"Each step changes the weights by about {ratio:.1g} of their size. After {record.step:,} steps the training loss is {record.loss:.3g}; "
        f"guessing gives {record.chance:.2f}.",
        "A good step changes the weights by about a thousandth to a hundredth of their size. With smaller ones the network learns the same, but takes many times as long.",
        f"Raise the learning rate of {record.rate:g}.",
        "problem",
        record.step,
        -1,
        remedies.higher_rate(record),
    )


def _falls_evenly(record: Record) -> bool:
    first, middle, last = (float(record.parts[index]) for index in (0, len(record.parts) // 2 - 1, -1))
    return middle - last > STRAIGHT * abs(first - middle)


def batch_too_small(record: Record) -> Finding | None:
    """So few images in a batch that the loss jumps more than it falls."""
    if record.config.batch_size > SMALL_BATCH or record.step < 2 * EVIDENCE_STEPS or record.noise < NOISY:
        return None
    size = record.config.batch_size
    images = "a single image" if size == 1 else f"{size} images"
    return Finding(
        "batch-too-small",
        "The batch is too small",
        f"Each step learns from {images}, and from one step to the next the loss jumps by {record.noise:.2f} up or down.",
        "The gradient of so few images points to what is special about them. Steps undo each other, batch norm has too little to take a mean of, "
        "and an epoch takes far longer than with large batches.",
        "Use larger batches.",
        "hint" if record.progress > LEARNT else "problem",
        record.step,
        -1,
        remedies.settings(record, f"Train with batches of {remedies.USUAL_BATCH}", batch_size=remedies.USUAL_BATCH),
    )


def batch_too_large(record: Record) -> Finding | None:
    """So many images in a batch that there are hardly any steps."""
    few = record.steps_per_epoch <= FEW_STEPS_A_EPOCH and record.total_steps <= FEW_STEPS
    if not few or record.done < HALF or record.progress > LEARNT or record.config.batch_size <= remedies.USUAL_BATCH:
        return None
    return Finding(
        "batch-too-large",
        "The batch is too large",
        f"With batches of {record.config.batch_size:,} images the run has {record.total_steps:,} steps, {record.steps_per_epoch} in an epoch. "
        f"At step {record.step} the training loss is {record.loss:.3g}.",
        "A network learns by steps. Beyond some size a batch makes its step hardly better, but takes as many images as many steps would.",
        "Use smaller batches: the same images make more steps.",
        "problem",
        record.step,
        -1,
        remedies.settings(record, f"Train with batches of {remedies.USUAL_BATCH}", batch_size=remedies.USUAL_BATCH),
    )
