"""Every run of the suite trained once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from playground.runs.coach import Record
from playground.runs.run import Run

from .suite import Case, trained

Trainer = Callable[[Case], tuple[Run, Record]]


@pytest.fixture(scope="session")
def train() -> Trainer:
    """Trains a case; the second time it is asked for, the same run is given."""
    done: dict[str, tuple[Run, Record]] = {}

    def once(case: Case) -> tuple[Run, Record]:
        if case.name not in done:
            done[case.name] = trained(case)
        return done[case.name]

    return once
