"""Which faults a run has: every detector is asked, and what follows from another fault is not said as one of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from playground.runs.coach import curves, design, inside, steps
from playground.runs.coach.finding import Finding
from playground.runs.coach.record import Record

Detector = Callable[[Record], Finding | None]

DETECTORS: tuple[Detector, ...] = (
    steps.not_a_number,
    inside.starts_at_zero,
    inside.inputs_not_normalised,
    design.softmax_before_loss,
    design.activation_last,
    design.no_activation,
    inside.exploding_gradients,
    inside.vanishing_gradients,
    steps.batch_too_small,
    steps.batch_too_large,
    design.regularised_too_strongly,
    steps.rate_too_high,
    inside.dead_relus,
    steps.rate_too_low,
    curves.guessing,
    curves.underfitting,
    curves.class_never_predicted,
    curves.overfitting,
    curves.plateau,
    curves.still_learning,
)
"""Causes first: a fault explains only what stands behind it."""

_LITTLE_LEARNT = ("rate-too-low", "guessing", "class-never-predicted", "underfitting", "plateau", "still-learning")
"""What a network shows that does not learn well, whatever the cause."""
_STEPS = ("rate-too-high", "dead-relus")
"""What large gradients do."""

EXPLAINS: dict[str, tuple[str, ...]] = {
    "not-a-number": ("inputs-not-normalised", "exploding-gradients", "vanishing-gradients", "overfitting", *_STEPS, *_LITTLE_LEARNT),
    "starts-at-zero": ("vanishing-gradients", *_STEPS, *_LITTLE_LEARNT),
    "inputs-not-normalised": ("exploding-gradients", "vanishing-gradients", *_STEPS, *_LITTLE_LEARNT),
    "softmax-before-loss": ("vanishing-gradients", *_STEPS, *_LITTLE_LEARNT),
    "activation-last": ("vanishing-gradients", *_STEPS, *_LITTLE_LEARNT),
    "no-activation": ("vanishing-gradients", "overfitting", *_STEPS, *_LITTLE_LEARNT),
    "exploding-gradients": ("overfitting", *_STEPS, *_LITTLE_LEARNT),
    "vanishing-gradients": (*_STEPS, *_LITTLE_LEARNT),
    "batch-too-small": (*_STEPS, *_LITTLE_LEARNT),
    "batch-too-large": _LITTLE_LEARNT,
    "regularised-too-strongly": (*_STEPS, *_LITTLE_LEARNT),
    "rate-too-high": ("dead-relus", "overfitting", *_LITTLE_LEARNT),
    "rate-too-low": _LITTLE_LEARNT,
    "dead-relus": _LITTLE_LEARNT,
    "guessing": ("overfitting", "underfitting", "plateau", "still-learning"),
    "underfitting": ("class-never-predicted", "plateau"),
    "class-never-predicted": ("overfitting", "plateau"),
    "overfitting": ("plateau",),
}
"""For each fault those that it causes. A learner who mends the cause need not hear of them."""


def findings(record: Record) -> tuple[Finding, ...]:
    """The faults of a run, the gravest first; none for a healthy one.

    A run that goes on may be judged, too: a detector says nothing before there is evidence.
    """
    if not record.step and record.diverged is None:
        return ()
    told: list[Finding] = []
    for finding in filter(None, (detector(record) for detector in DETECTORS)):
        cause = next((index for index, other in enumerate(told) if finding.name in EXPLAINS.get(other.name, ())), None)
        if cause is None:
            told.append(finding)
        else:
            told[cause] = replace(told[cause], explains=(*told[cause].explains, finding.title))
    return tuple(sorted(told, key=lambda finding: finding.severity == "hint"))
