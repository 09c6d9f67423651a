"""Start remedies, and judge whether they helped."""

from __future__ import annotations

from typing import Literal

from playground.runs.coach import Finding, Record, Remedy, findings
from playground.runs.coach.starting import create_remedy_run
from playground.runs.run import Run

from .suite import Case, trained

Outcome = Literal["healed", "better", "no better"]
POINTS, SHARE = 0.05, 0.8
"""Gain in test accuracy, or share of the test loss, that counts as better."""


def start(case: Case, run: Run, remedy: Remedy) -> Record:
    """Train the run of a remedy to its end; return its record."""
    return trained(case, create_remedy_run(run, remedy, owner=""))[1]


def outcome(finding: Finding, before: Record, after: Record) -> Outcome:
    """Return whether the remedy left no findings but hints, or improved the network, or neither."""
    remaining = findings(after)
    if not any(each.severity == "problem" or each.name == finding.name for each in remaining):
        return "healed"
    if after.diverged is not None:
        return "no better"
    if before.diverged is not None or not before.evaluations:
        return "better"
    evaluation_before, evaluation_after = before.evaluations[-1], after.evaluations[-1]
    return (
        "better"
        if evaluation_after.test_accuracy >= evaluation_before.test_accuracy + POINTS or evaluation_after.test_loss <= SHARE * evaluation_before.test_loss
        else "no better"
    )
