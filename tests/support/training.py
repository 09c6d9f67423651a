"""Training in the process of the test."""

from __future__ import annotations

from playground.runs.execution.worker import execute
from playground.runs.run import Run


def train(run: Run) -> Run:
    """Train a run to its end, and return it."""
    for _ in execute(run):
        pass
    return run
