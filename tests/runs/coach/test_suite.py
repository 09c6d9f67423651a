"""The coach finds the fault of every broken run and no other, and none in healthy runs, at any time."""

from __future__ import annotations

from itertools import pairwise

import pytest

from playground.data.load import load
from playground.runs.coach import Record, findings

from .conftest import Trainer
from .looking import cut, thinned
from .suite import BROKEN, HEALTHY, Case, by_case, recommended

pytestmark = pytest.mark.xdist_group("coach")  # one worker trains the suite's runs, once

MINIMUM_BROKEN, MINIMUM_HEALTHY = 24, 12
LOOKS = 20
MOST_CHANGES = 3
"""Maximum number of changes of the findings during a run: none, then a first sign, then its cause."""

CASES = (*BROKEN, *HEALTHY, *recommended())


def names(record: Record) -> list[str]:
    return [finding.name for finding in findings(record)]


def test_the_suite_is_large_enough() -> None:
    assert len(BROKEN) >= MINIMUM_BROKEN
    assert len(CASES) - len(BROKEN) >= MINIMUM_HEALTHY
    assert len({case.name for case in CASES}) == len(CASES)


@by_case(CASES)
def test_the_expected_fault_and_no_other_is_found(case: Case, train: Trainer) -> None:
    _, record = train(case)
    assert names(record) == ([case.expected] if case.expected else [])


@by_case(CASES)
def test_few_observations_give_the_same_findings(case: Case, train: Trainer) -> None:
    _, record = train(case)
    assert names(thinned(record)) == names(record)


@by_case(CASES)
def test_findings_rarely_change_during_a_run(case: Case, train: Trainer) -> None:
    _, record = train(case)
    looks = [names(cut(record, look / LOOKS)) for look in range(1, LOOKS)]
    if not case.expected:
        assert not any(looks)
    assert sum(before != after for before, after in pairwise(looks)) <= MOST_CHANGES


@by_case(BROKEN)
def test_a_finding_points_to_its_evidence(case: Case, train: Trainer) -> None:
    _, record = train(case)
    (finding,) = findings(record)
    assert 1 <= finding.step <= record.total_steps
    assert -1 <= finding.layer < len(case.network.layers)
    assert any(character.isdigit() for character in finding.evidence)
    for text in (finding.title, finding.evidence, finding.why, finding.advice, *(remedy.label for remedy in finding.remedies)):
        assert text.strip() == text
        assert "  " not in text and "nan" not in text.split() and "{" not in text  # as a missing number would be formatted


@pytest.mark.parametrize("dataset", sorted({case.config.dataset for case in CASES}))
def test_data_sets_of_the_suite_are_built_in(dataset: str) -> None:
    assert load(dataset).info.offline
