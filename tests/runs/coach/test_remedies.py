"""Every remedy can be started, and most of them help."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from playground.network.trace import check
from playground.runs.coach import findings
from playground.training.config import TrainConfig

from .conftest import Trainer
from .remedying import Outcome, outcome, start
from .suite import BROKEN, Case, by_case, of_tier

pytestmark = pytest.mark.xdist_group("coach")  # one worker trains the suite's runs, once

BY_DATA = ("chance-level", "class-never-predicted")
"""Faults caused by damaged images, which no remedy repairs."""
HELPFUL = 0.85
"""Minimum share of remedies after which the fault is gone or the network is better."""

CURABLE = [case for case in BROKEN if case.expected not in BY_DATA]
Trial = Callable[[Case], dict[str, Outcome]]


@pytest.fixture(scope="module")
def outcomes_of(train: Trainer) -> Trial:
    """Return a function that returns the outcome of each remedy of a case; each remedy runs once."""
    done: dict[str, dict[str, Outcome]] = {}

    def once(case: Case) -> dict[str, Outcome]:
        if case.name not in done:
            run, record = train(case)
            (finding,) = findings(record)
            done[case.name] = {remedy.label: outcome(finding, record, start(case, run, remedy)) for remedy in finding.remedies}
        return done[case.name]

    return once


@by_case(BROKEN)
def test_remedies_are_valid_and_differ(case: Case, train: Trainer) -> None:
    run, record = train(case)
    (finding,) = findings(record)
    assert finding.remedies
    for remedy in finding.remedies:
        config = TrainConfig.from_dict({**case.config.to_dict(), **remedy.changes})
        assert config != case.config or case.changes  # without a change of the learner's
        assert config.network == (remedy.network or case.network).name
        check(remedy.network or case.network, record.data.input_shape, len(record.data.classes))
        assert (remedy.start == "fork") == (remedy.at in run.checkpoints.steps())
        assert remedy.network is None or remedy.start == "fresh"
    assert len({remedy.label for remedy in finding.remedies}) == len(finding.remedies)


@by_case(CURABLE)
def test_the_first_remedy_helps(case: Case, outcomes_of: Trial) -> None:
    assert next(iter(outcomes_of(case).values())) != "no better"


def test_most_remedies_help(outcomes_of: Trial) -> None:
    results = {(case.name, label): result for case in of_tier(CURABLE) for label, result in outcomes_of(case).items()}
    counts = Counter(results.values())
    useless = [name for name, result in results.items() if result == "no better"]
    assert (counts["healed"] + counts["better"]) / len(results) >= HELPFUL, useless
    assert counts["healed"] > 2 * counts["better"], counts
