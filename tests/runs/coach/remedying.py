"""Starting what a finding offers, and telling whether it helped."""

from __future__ import annotations

from typing import Literal

from playground.runs.coach import Finding, Record, Remedy, findings
from playground.runs.coach.starting import create_remedy_run
from playground.runs.run import Run

from .suite import Case, trained

Outcome = Literal["healed", "better", "no better"]
POINTS, SHARE = 0.05, 0.8
"""Test accuracy gained, or what is left of the test loss, that is clearly better."""


def start(case: Case, run: Run, remedy: Remedy) -> Record:
    """The remedy's run, trained to its end."""
    return trained(case, create_remedy_run(run, remedy, owner=""))[1]


def outcome(finding: Finding, before: Record, after: Record) -> Outcome:
    """Whether nothing is wrong any more but for hints, or the network is clearly better, or neither."""
    told = findings(after)
    if not any(each.severity == "problem" or each.name == finding.name for each in told):
        return "healed"
    if after.diverged is not None:
        return "no better"
    if before.diverged is not None or not before.evaluations:
        return "better"
    was, now = before.evaluations[-1], after.evaluations[-1]
    return "better" if now.test_accuracy >= was.test_accuracy + POINTS or now.test_loss <= SHARE * was.test_loss else "no better"
