"""Run every detector on a run's record, and report faults that follow from another one together with it; of a healthy run, something to try."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from playground.runs.coach import curves, design, inside, steps
from playground.runs.coach.experiments import next_experiment
from playground.runs.coach.finding import Finding
from playground.runs.coach.own_changes import led_by_cause, own_change
from playground.runs.coach.record import Record

Detector = Callable[[Record], Finding | None]

DETECTORS: tuple[Detector, ...] = (
    own_change,
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
    curves.chance_level,
    curves.underfitting,
    curves.class_never_predicted,
    curves.overfitting,
    curves.plateau,
    curves.still_learning,
)
"""Causes first: a fault explains only faults after it."""

_POOR_RESULTS = ("chance-level", "underfitting", "class-never-predicted", "plateau", "still-learning")
"""Faults of a network that learns poorly, whatever the cause."""
_SMALL_STEPS = ("rate-too-low", *_POOR_RESULTS)
"""Faults of a network with very small gradients or steps."""
_WRONG_SCALE = ("vanishing-gradients", "rate-too-high", "dead-relus", *_SMALL_STEPS)
"""Faults of a network whose activations or steps have the wrong scale."""

EXPLAINS: dict[str, tuple[str, ...]] = {
    "own-change": ("not-a-number", "exploding-gradients", "overfitting", *_WRONG_SCALE),
    "not-a-number": ("inputs-not-normalised", "exploding-gradients", "overfitting", *_WRONG_SCALE),
    "starts-at-zero": _WRONG_SCALE,
    "inputs-not-normalised": ("exploding-gradients", *_WRONG_SCALE),
    "softmax-before-loss": _WRONG_SCALE,
    "activation-last": _WRONG_SCALE,
    "no-activation": ("overfitting", *_WRONG_SCALE),
    "exploding-gradients": ("overfitting", "rate-too-high", "dead-relus", *_SMALL_STEPS),
    "vanishing-gradients": ("rate-too-high", "dead-relus", *_SMALL_STEPS),
    "batch-too-small": ("rate-too-high", "dead-relus", *_SMALL_STEPS),
    "batch-too-large": _SMALL_STEPS,
    "regularised-too-strongly": ("rate-too-high", "dead-relus", *_SMALL_STEPS),
    "rate-too-high": ("dead-relus", "overfitting", *_SMALL_STEPS),
    "dead-relus": _SMALL_STEPS,
    "rate-too-low": _POOR_RESULTS,
    "chance-level": ("underfitting", "overfitting", "plateau", "still-learning"),
    "underfitting": ("class-never-predicted", "plateau"),
    "class-never-predicted": ("overfitting", "plateau"),
    "overfitting": ("plateau",),
}
"""For each fault, the faults that it causes: fixing the cause fixes them as well."""


def detected(record: Record) -> tuple[Finding, ...]:
    """Return every fault of a run, causes first, consequences included; empty for a healthy run.

    The run may still be training: a detector reports nothing before there is evidence.
    """
    return tuple(led_by_cause(record, fault) for fault in _faults(record))


def findings(record: Record) -> tuple[Finding, ...]:
    """Return the faults of a run without their consequences, problems before hints; empty for a healthy run."""
    causes: list[Finding] = []
    for fault in _faults(record):
        cause = next((index for index, other in enumerate(causes) if fault.name in EXPLAINS.get(other.name, ())), None)
        if cause is None:
            causes.append(fault)
        else:
            causes[cause] = replace(causes[cause], explains=(*causes[cause].explains, fault.title))
    return tuple(sorted((led_by_cause(record, cause) for cause in causes), key=lambda finding: finding.severity == "hint"))


def advice(record: Record) -> tuple[Finding, ...]:
    """Return the faults of a run; of a healthy one, something to try, if there is anything."""
    return findings(record) or tuple(filter(None, [next_experiment(record)]))


def _faults(record: Record) -> list[Finding]:
    if not record.step and record.diverged is None:
        return []
    return [fault for detector in DETECTORS if (fault := detector(record))]
