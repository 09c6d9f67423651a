"""What goes wrong with the steps: they are too large, too small, too noisy or too few, or end in a number that is none."""

from __future__ import annotations

import numpy as np

from playground.runs.coach import remedies
from playground.runs.coach.finding import Finding
from playground.runs.coach.inside import DEAD_LOOKS, LEARNT, exploding_gradients, inputs_not_normalised
from playground.runs.coach.record import Record

ROSE = 1.5
"""How many times the loss of the start a smoothed loss reaches only if steps throw the weights away; healthy runs of the tests stay below 1.2."""
RECOVERED = 0.95
"""Progress of a training loss that shows that a rise at the start did no harm."""
TOO_LARGE = ((0.03, 0.85), (0.02, 0.6), (0.015, 0.3))
TOO_SMALL = ((6e-4, 0.85), (1.5e-3, 0.6), (2.5e-3, 0.4))
"""Sizes of a step beside the weights, and for each the progress of the training loss below which it is to blame: the further from
“somewhere around 1e-3” (https://cs231n.github.io/neural-networks-3/#ratio), the less must be amiss. Short runs need larger steps: of the
tests' runs those from 0.003 to 0.02 learn best. Where values are normalised behind the weights, even 0.06 does no harm."""
WORSE, AT_CHANCE = -0.05, 0.02
"""Progress of a training loss that is worse than guessing, and the largest that is no better."""
COLLAPSED = 0.01
"""Share of the first gradient that is left where units are silent or saturated."""
STRAIGHT = 0.25
"""Share of what the first half of the run improved that its second half must improve by, if the loss shall count as still falling evenly."""
HARMED = 0.85
"""Progress of a training loss below which something is missing."""
EVIDENCE_STEPS = 20
HALF = 0.5
"""Share of a run after which slowness says something: a learning rate that warms up is past its peak."""
LATE = 0.9
"""Share of a run after which it is nearly what it will be, because a learning rate that falls has fallen."""
SMALL_BATCH = 8
NOISY = 0.25
"""Standard deviation of the loss from step to step that drowns what it learns; with 16 images healthy runs of the tests have 0.15, with 64 less than 0.12."""
FEW_STEPS, FEW_STEPS_AN_EPOCH = 100, 8
"""A hundred steps learn digits, measured on the tests' runs; with fewer than ten in an epoch, a smaller batch makes as many in the same time."""

_BORN = {
    "output": "The first such value appeared at step {step:,} in the output of layer {layer} ({type}).",
    "loss": "The first such value appeared at step {step:,} in the loss itself.",
    "gradient": "The first such value appeared at step {step:,} in the gradient of layer {layer} ({type}).",
    "update": "The first such value appeared at step {step:,} in the new weights of layer {layer} ({type}).",
}
"""For each place of `Diverged`."""


def not_a_number(record: Record) -> Finding | None:
    """The loss became infinite or no number, so the run ended."""
    found = record.diverged
    if found is None:
        return None
    kind = record.network.layers[found.layer].type if found.layer >= 0 else ""
    born = _BORN[found.place].format(step=found.born, layer=found.layer, type=kind) if found.born and found.place in _BORN else ""
    cause = inputs_not_normalised(record) or exploding_gradients(record)
    back = remedies.rounded(record.rate / 10)
    return Finding(
        "not-a-number",
        "The loss is not a number",
        f"At step {found.step:,} the loss was infinite or not a number. {born}".strip(),
        "A number of 32 bits ends at 3·10³⁸. What is larger is infinite, infinity minus infinity is not a number, and that spoils every weight it reaches.",
        cause.advice if cause else f"Lower the learning rate of {record.rate:g}: each step was so large that the next gradient was larger still.",
        "problem",
        found.born or found.step,
        found.layer,
        (
            *(remedies.with_usual_rate(record, cause.remedies) if cause else remedies.lower_rate(record)),
            *remedies.fork(record, f"Go back to before that, and on with a learning rate of {back:g}", found.born, learning_rate=back),
        ),
    )


def rate_too_high(record: Record) -> Finding | None:
    """Steps that throw the weights away: the loss rises instead of falling, or stays high while the weights move a lot."""
    if record.step < EVIDENCE_STEPS or record.progress > RECOVERED or not (seen := _threw_away(record)):
        return None
    step, saw = seen
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


def _threw_away(record: Record) -> tuple[int, str] | None:
    """The step and the words for steps that were too large; None where nothing shows it."""
    steps, losses = record.curve
    start, step, ratio = max(record.chance, float(record.column("loss")[0])), record.step, record.update_ratio
    peak = int(np.argmax(losses)) if len(losses) else -1
    if peak >= 0 and losses[peak] >= ROSE * start:
        return int(
            steps[peak]
        ), f"Around step {steps[peak]:,.0f} the training loss was {losses[peak]:.3g}, at the start {start:.3g}: it rose instead of falling."
    if record.done < HALF:
        return None
    if record.progress < WORSE and start < ROSE * record.chance:
        return step, f"At step {step:,} the training loss is {record.loss:.3g}: worse than guessing, which gives {record.chance:.2f}."
    if _has_collapsed(record):
        return (
            step,
            f"At step {step:,} the training loss is {record.loss:.3g}, that of guessing. The first steps broke the network: hardly any gradient is left.",
        )
    if record.done < LATE or ratio is None or record.is_normalised:
        return None
    if any(ratio >= size and record.progress < enough for size, enough in TOO_LARGE):
        return step, f"Each step changes the weights by about {ratio:.1%} of their size. At step {step:,} the training loss is still {record.loss:.3g}."
    return None


def _has_collapsed(record: Record) -> bool:
    """Whether the network guesses, and gradients that there were at first do not get to its first layer any more."""
    gradient = record.seen("gradient")[:, record.weighted[0]] if record.weighted else np.zeros(0)
    is_gone = len(gradient) > DEAD_LOOKS and float(gradient[-DEAD_LOOKS:].max()) < COLLAPSED * float(gradient[0])
    return is_gone and abs(record.progress) < AT_CHANCE


def rate_too_low(record: Record) -> Finding | None:
    """Steps so small that the weights hardly move in the whole run."""
    ratio = record.update_ratio
    if ratio is None or record.step < EVIDENCE_STEPS or record.done < HALF:
        return None
    is_slow = any(ratio < size and record.progress < enough for size, enough in TOO_SMALL)
    if not is_slow or not (ratio < TOO_SMALL[0][0] or _falls_evenly(record)):
        return None
    return Finding(
        "rate-too-low",
        "The learning rate is too low",
        f"Each step changes the weights by about {ratio:.1g} of their size. At step {record.step:,} the training loss is {record.loss:.3g}, "
        f"where guessing gives {record.chance:.2f}.",
        "A good step changes the weights by a thousandth to a hundredth of their size. Smaller steps lead the same way, but take many times as long.",
        f"Raise the learning rate of {record.rate:g}.",
        "problem",
        record.step,
        -1,
        remedies.higher_rate(record),
    )


def _falls_evenly(record: Record) -> bool:
    """Whether the loss falls in the second half of the run much as it did in the first."""
    first, middle, last = (float(record.parts[index]) for index in (0, len(record.parts) // 2 - 1, -1))
    return middle - last > STRAIGHT * abs(first - middle)


def batch_too_small(record: Record) -> Finding | None:
    """So few images in a batch that the loss jumps more than it falls."""
    size = record.batch_size
    if size > SMALL_BATCH or record.step < 2 * EVIDENCE_STEPS or record.noise < NOISY:
        return None
    return Finding(
        "batch-too-small",
        "The batch is too small",
        f"With a batch size of {size}, the loss jumps by about {record.noise:.2f} from step to step; at step {record.step:,} its mean is {record.loss:.3g}.",
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
    few = record.steps_per_epoch <= FEW_STEPS_AN_EPOCH and record.total_steps <= FEW_STEPS
    if record.config.optimizer_type.full_batch or not few or record.done < HALF or record.progress > LEARNT or record.batch_size <= remedies.USUAL_BATCH:
        return None
    return Finding(
        "batch-too-large",
        "The batch is too large",
        f"With batches of {record.batch_size:,} images the run has {record.total_steps:,} steps, {record.steps_per_epoch} in an epoch. "
        f"At step {record.step:,} the training loss is {record.loss:.3g}.",
        "A network learns by steps. Beyond some size a larger batch makes its step hardly better, but takes the images of many steps.",
        "Use smaller batches: the same images make more steps.",
        "problem",
        record.step,
        -1,
        remedies.settings(record, f"Train with batches of {remedies.USUAL_BATCH}", batch_size=remedies.USUAL_BATCH),
    )
