"""Faults of the optimizer's steps: too large, too small, too noisy, too few, or ending in a non-finite loss."""

from __future__ import annotations

import numpy as np

from playground.messages import joined, msg
from playground.runs.coach import remedies
from playground.runs.coach.finding import Finding
from playground.runs.coach.inside import DEAD_OBSERVATIONS, LEARNED_PROGRESS, exploding_gradients, inputs_not_normalised
from playground.runs.coach.record import Record
from playground.typography import percent

RISE_FACTOR = 1.5
"""Smoothed loss divided by the initial loss from which steps are far too large; healthy runs of the tests stay below 1.2."""
RECOVERED_PROGRESS = 0.95
"""Progress of the training loss above which an early rise did no harm."""
TOO_LARGE = ((0.03, 0.85), (0.02, 0.6), (0.015, 0.3))
TOO_SMALL = ((6e-4, 0.85), (1.5e-3, 0.6), (2.5e-3, 0.4))
"""Ratios of update to weights, and for each the progress of the training loss below which it is a fault: the further from
“somewhere around 1e-3” (https://cs231n.github.io/neural-networks-3/#ratio), the more progress is still a fault. Short runs need larger steps: of the
tests' runs those from 0.003 to 0.02 learn best. Where a normalisation layer follows the weights, even 0.06 does no harm."""
WORSE_THAN_CHANCE, CHANCE_PROGRESS = -0.05, 0.02
"""Progress below which the training loss is worse than at chance level, and the largest absolute progress that is at chance level."""
COLLAPSED_GRADIENT = 0.01
"""Gradient, as a share of the first one, below which units are dead or saturated."""
EVEN_FALL = 0.25
"""Fall of the loss in the second half of the run, as a share of that in the first half, above which it falls evenly."""
GOOD_PROGRESS = 0.85
"""Progress of the training loss from which a run is not poor."""
EVIDENCE_STEPS = 20
HALF_DONE = 0.5
"""Share of a run after which a slowly falling loss is evidence: a learning rate with a warm-up is past its peak."""
NEARLY_DONE = 0.9
"""Share of a run after which it is nearly at its final result, because a decaying learning rate has decayed."""
SMALL_BATCH = 8
LARGE_NOISE = 0.25
"""Standard deviation of the loss from step to step above which it hides the progress; with 16 images healthy runs of the tests have 0.15,
with 64 less than 0.12."""
FEW_STEPS, FEW_STEPS_PER_EPOCH = 100, 8
"""Steps of the whole run and of an epoch below which there are too few: 100 are enough for digits, measured on the tests' runs."""

_DESCRIPTIONS = {
    "output": msg("The first non-finite value appeared at step {step:,} in the output of layer {layer} ({type})."),
    "loss": msg("The first non-finite value appeared at step {step:,} in the loss itself."),
    "gradient": msg("The first non-finite value appeared at step {step:,} in the gradient of layer {layer} ({type})."),
    "update": msg("The first non-finite value appeared at step {step:,} in the new weights of layer {layer} ({type})."),
}
"""A sentence for each `place` of `Diverged`."""


def not_a_number(record: Record) -> Finding | None:
    """Report that the loss became infinite or NaN, so the run ended."""
    diverged = record.diverged
    if diverged is None:
        return None
    kind = record.network.layers[diverged.layer].type if diverged.layer >= 0 else ""
    evidence = msg("At step {step:,} the loss was infinite or NaN (not a number).", step=diverged.step)
    if diverged.born and diverged.place in _DESCRIPTIONS:
        evidence = joined([evidence, _DESCRIPTIONS[diverged.place].filled(step=diverged.born, layer=diverged.layer, type=kind)])
    cause = inputs_not_normalised(record) or exploding_gradients(record)
    back = remedies.rounded(record.learning_rate / 10)
    return Finding(
        "not-a-number",
        msg("The loss is not finite"),
        evidence,
        msg(
            "The largest float32 number is about 3·10³⁸. Larger ones become infinite, infinity minus infinity is NaN, "
            "and NaN spreads to every weight it reaches."
        ),
        cause.advice
        if cause
        else msg("Lower the learning rate of {rate:g}: each step was so large that the next gradient was even larger.", rate=record.learning_rate),
        "problem",
        diverged.born or diverged.step,
        diverged.layer,
        (
            *(remedies.with_usual_learning_rate(record, cause.remedies) if cause else remedies.lower_learning_rate(record)),
            *remedies.fork(
                record, msg("Continue from the checkpoint before it with a learning rate of {rate:g}", rate=back), diverged.born, learning_rate=back
            ),
        ),
    )


def rate_too_high(record: Record) -> Finding | None:
    """Report steps that are too large: the loss rises instead of falling, or stays high while the weights change a lot."""
    if record.step < EVIDENCE_STEPS or record.progress > RECOVERED_PROGRESS or not (overshoot := _overshoot(record)):
        return None
    step, evidence = overshoot
    return Finding(
        "rate-too-high",
        msg("The learning rate is too high"),
        evidence,
        msg("A step follows the gradient at one point. If it is too long, it overshoots the minimum, and the loss is higher than before."),
        msg("Lower the learning rate of {rate:g}.", rate=record.learning_rate),
        "problem",
        step,
        -1,
        remedies.lower_learning_rate(record),
    )


def _overshoot(record: Record) -> tuple[int, str] | None:
    """Return the step at which steps that were too large show, and the evidence; None where nothing shows it."""
    steps, losses = record.curve
    start, step, ratio = max(record.chance_loss, float(record.column("loss")[0])), record.step, record.update_ratio
    peak = int(np.argmax(losses)) if len(losses) else -1
    if peak >= 0 and losses[peak] >= RISE_FACTOR * start:
        return int(steps[peak]), msg(
            "Around step {step:,} training loss was {loss:.3g}, at the start {start:.3g}: it rose instead of falling.",
            step=int(steps[peak]),
            loss=losses[peak],
            start=start,
        )
    if record.share_done < HALF_DONE:
        return None
    if record.progress < WORSE_THAN_CHANCE and start < RISE_FACTOR * record.chance_loss:
        return step, msg(
            "At step {step:,} training loss is {loss:.3g}, worse than chance level ({chance:.2f}).",
            step=step,
            loss=record.loss,
            chance=record.chance_loss,
        )
    if _has_collapsed(record):
        return step, msg(
            "At step {step:,} training loss is {loss:.3g}, at chance level. The first steps were so large that hardly any gradient is left.",
            step=step,
            loss=record.loss,
        )
    if record.share_done < NEARLY_DONE or ratio is None or record.is_normalised:
        return None
    if any(ratio >= size and record.progress < enough for size, enough in TOO_LARGE):
        return step, msg(
            "Each step changes the weights by about {share} of their norm. At step {step:,} training loss is still {loss:.3g}.",
            share=percent(ratio, 1),
            step=step,
            loss=record.loss,
        )
    return None


def _has_collapsed(record: Record) -> bool:
    """Return whether the loss is at chance level and gradients no longer reach the first layer, although they did at first."""
    gradient = record.layer_values("gradient")[:, record.weighted[0]] if record.weighted else np.zeros(0)
    is_gone = len(gradient) > DEAD_OBSERVATIONS and float(gradient[-DEAD_OBSERVATIONS:].max()) < COLLAPSED_GRADIENT * float(gradient[0])
    return is_gone and abs(record.progress) < CHANCE_PROGRESS


def rate_too_low(record: Record) -> Finding | None:
    """Report steps so small that the weights hardly change in the whole run."""
    ratio = record.update_ratio
    if ratio is None or record.step < EVIDENCE_STEPS or record.share_done < HALF_DONE:
        return None
    is_slow = any(ratio < size and record.progress < enough for size, enough in TOO_SMALL)
    if not is_slow or not (ratio < TOO_SMALL[0][0] or _falls_evenly(record)):
        return None
    return Finding(
        "rate-too-low",
        msg("The learning rate is too low"),
        msg(
            "Each step changes the weights by about {ratio:.1g} of their norm. At step {step:,} training loss is {loss:.3g} (chance level: {chance:.2f}).",
            ratio=ratio,
            step=record.step,
            loss=record.loss,
            chance=record.chance_loss,
        ),
        msg("A good step changes the weights by 0.001 to 0.01 of their norm. Smaller steps go in the same direction, but need many times as long."),
        msg("Raise the learning rate of {rate:g}.", rate=record.learning_rate),
        "problem",
        record.step,
        -1,
        remedies.higher_learning_rate(record),
    )


def _falls_evenly(record: Record) -> bool:
    """Return whether the loss falls in the second half of the run about as much as in the first."""
    first, middle, last = (float(record.parts[index]) for index in (0, len(record.parts) // 2 - 1, -1))
    return middle - last > EVEN_FALL * abs(first - middle)


def batch_too_small(record: Record) -> Finding | None:
    """Report a batch so small that the loss fluctuates more than it falls."""
    size = record.batch_size
    if size > SMALL_BATCH or record.step < 2 * EVIDENCE_STEPS or record.noise < LARGE_NOISE:
        return None
    return Finding(
        "batch-too-small",
        msg("The batch size is too small"),
        msg(
            "With a batch size of {size}, the loss varies by about {noise:.2f} from step to step; at step {step:,} its mean is {loss:.3g}.",
            size=size,
            noise=record.noise,
            step=record.step,
            loss=record.loss,
        ),
        msg(
            "The gradient of so few images is noisy: steps partly undo each other, batch norm estimates mean and variance badly, "
            "and an epoch takes far longer than with larger batches."
        ),
        msg("Use a larger batch size."),
        "hint" if record.progress > LEARNED_PROGRESS else "problem",
        record.step,
        -1,
        remedies.settings(record, msg("Train with a batch size of {size}", size=remedies.USUAL_BATCH), batch_size=remedies.USUAL_BATCH),
    )


def batch_too_large(record: Record) -> Finding | None:
    """Report a batch so large that the run has hardly any steps."""
    few = record.steps_per_epoch <= FEW_STEPS_PER_EPOCH and record.total_steps <= FEW_STEPS
    if (
        record.config.optimizer_type.full_batch
        or not few
        or record.share_done < HALF_DONE
        or record.progress > LEARNED_PROGRESS
        or record.batch_size <= remedies.USUAL_BATCH
    ):
        return None
    return Finding(
        "batch-too-large",
        msg("The batch size is too large"),
        msg(
            "With a batch size of {size:,} the run has {total:,} steps, {each} per epoch. At step {step:,} training loss is {loss:.3g}.",
            size=record.batch_size,
            total=record.total_steps,
            each=record.steps_per_epoch,
            step=record.step,
            loss=record.loss,
        ),
        msg("Beyond some size a larger batch hardly improves the gradient, but uses the images of many steps for a single one."),
        msg("Use a smaller batch size: an epoch then has more steps."),
        "problem",
        record.step,
        -1,
        remedies.settings(record, msg("Train with a batch size of {size}", size=remedies.USUAL_BATCH), batch_size=remedies.USUAL_BATCH),
    )
