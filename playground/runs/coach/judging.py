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

_LITTLE = ("guessing", "underfitting", "class-never-predicted", "plateau", "still-learning")
"""What a network shows that does not learn well, whatever the cause."""
_SLOW = ("rate-too-low", *_LITTLE)
"""… and where hardly any gradient arrives."""
_BROKEN = ("vanishing-gradients", "rate-too-high", "dead-relus", *_SLOW)
"""… and where values or steps are of the wrong size."""

EXPLAINS: dict[str, tuple[str, ...]] = {
    "not-a-number": ("inputs-not-normalised", "exploding-gradients", "overfitting", *_BROKEN),
    "starts-at-zero": _BROKEN,
    "inputs-not-normalised": ("exploding-gradients", *_BROKEN),
    "softmax-before-loss": _BROKEN,
    "activation-last": _BROKEN,
    "no-activation": ("overfitting", *_BROKEN),
    "exploding-gradients": ("overfitting", "rate-too-high", "dead-relus", *_SLOW),
    "vanishing-gradients": ("rate-too-high", "dead-relus", *_SLOW),
    "batch-too-small": ("rate-too-high", "dead-relus", *_SLOW),
    "batch-too-large": _SLOW,
    "regularised-too-strongly": ("rate-too-high", "dead-relus", *_SLOW),
    "rate-too-high": ("dead-relus", "overfitting", *_SLOW),
    "dead-relus": _SLOW,
    "rate-too-low": _LITTLE,
    "guessing": ("underfitting", "overfitting", "plateau", "still-learning"),
    "underfitting": ("class-never-predicted", "plateau"),
    "class-never-predicted": ("overfitting", "plateau"),
    "overfitting": ("plateau",),
}
"""For each fault those that it causes. A learner who mends the cause need not hear of them."""


def detected(record: Record) -> tuple[Finding, ...]:
    """Everything that shows in a run, causes first, with what follows from them; nothing for a healthy one.

    A run that goes on may be judged, too: a detector says nothing before there is evidence.
    """
    if not record.step and record.diverged is None:
        return ()
    return tuple(filter(None, (detector(record) for detector in DETECTORS)))


def findings(record: Record) -> tuple[Finding, ...]:
    """The faults of a run, the gravest first; none for a healthy one."""
    told: list[Finding] = []
    for finding in detected(record):
        cause = next((index for index, other in enumerate(told) if finding.name in EXPLAINS.get(other.name, ())), None)
        if cause is None:
            told.append(finding)
        else:
            told[cause] = replace(told[cause], explains=(*told[cause].explains, finding.title))
    return tuple(sorted(told, key=lambda finding: finding.severity == "hint"))
