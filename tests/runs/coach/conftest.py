"""Train every run of the suite once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from playground.runs.coach import Record
from playground.runs.run import Run

from .suite import Case, trained

Trainer = Callable[[Case], tuple[Run, Record]]


@pytest.fixture(scope="session")
def train() -> Trainer:
    """Return a function that trains a case once, and returns the same run afterwards."""
    done: dict[str, tuple[Run, Record]] = {}

    def once(case: Case) -> tuple[Run, Record]:
        if case.name not in done:
            done[case.name] = trained(case)
        return done[case.name]

    return once
