"""The experiments that the coach suggests for a healthy run: one at a time, none that the run has already made, seldom a new one."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from playground.network.trace import check
from playground.runs.coach import Record, advice, as_json
from playground.runs.coach.experiments import experiments, next_experiment
from playground.runs.coach.judging import detected
from playground.training.config import TrainConfig
from playground.training.events import Evaluated, LearningRate, OptimizerChanged

from .conftest import Trainer
from .looking import cut
from .records import build_record
from .suite import BROKEN, HEALTHY, Case, by_case, recommended

pytestmark = pytest.mark.xdist_group("coach")  # one worker trains the suite's runs, once

CASES = (*BROKEN, *HEALTHY, *recommended())
LOOKS, MOST_CHANGES = 20, 4
"""Looks at a run, and how often what is shown may change: nothing yet, a suggestion, losses that fall, no longer on a copy, the end of the run."""


def healthy(steps: int = 100, total: int = 1000, config: TrainConfig | None = None, **fields: object) -> Record:
    """Return the record of a run whose losses fall."""
    evaluations = tuple(Evaluated(step, step / 10, 2.3 / step, 0.9, 2.4 / step, 0.9, 0.0) for step in (10, 20))
    fields = {"evaluations": evaluations, "total_steps": total, "checkpoints": (10, 20)} | fields
    return build_record(np.linspace(2.3, 0.3, steps), config, **fields)


def names(record: Record) -> list[str]:
    return [experiment.name for experiment in experiments(record)]


def test_a_large_learning_rate_comes_first_and_is_tried_on_a_copy() -> None:
    (idea,) = advice(healthy())
    assert (idea.title, idea.evidence) == ("Steady: training and test loss fall together.", "Try a learning rate of 0.1 and see what happens.")
    (remedy,) = idea.remedies
    assert (remedy.label, remedy.at, remedy.changes) == ("Try it on a copy", 20, {"learning_rate": 0.1})
    assert as_json([idea])[0]["severity"] == "idea"


def test_too_late_for_a_copy_the_experiment_is_a_new_run() -> None:
    (idea,) = advice(healthy(900))
    assert [(remedy.label, remedy.start) for remedy in idea.remedies] == [("Try it in a new run", "fresh")]
    (idea,) = advice(healthy(1000))
    assert idea.title == "Finished: test accuracy is 90.0\N{NARROW NO-BREAK SPACE}%."


@pytest.mark.parametrize("count", [0, 1])
def test_there_is_nothing_to_say_before_two_evaluations(count: int) -> None:
    early = healthy(evaluations=healthy().evaluations[:count])
    assert advice(early) == ()
    assert names(early) == []


@pytest.mark.parametrize("slope", [0.001, 0.0])
def test_losses_that_do_not_fall_are_not_called_steady(slope: float) -> None:
    rising = tuple(Evaluated(step, step / 10, 2.3 / step, 0.9, 0.5 + slope * step, 0.9, 0.0) for step in (10, 20))
    (idea,) = advice(healthy(evaluations=rising))
    assert idea.title == "No problem found so far."


@pytest.mark.parametrize(
    ("config", "tried"),
    [
        (TrainConfig(learning_rate=0.1), "large-learning-rate"),
        (TrainConfig(initialisation="zeros"), "zero-weights"),
        (TrainConfig(batch_size=256), "large-batch"),
        (TrainConfig.from_dict({"augment": {"rotation": 10.0}}), "rotation"),
        (TrainConfig(seed=1), "another-seed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_was_tried_is_not_proposed_again(config: TrainConfig, tried: str) -> None:
    assert tried in names(healthy())
    assert tried not in names(healthy(config=config))


def test_what_was_changed_by_hand_was_tried() -> None:
    changes = (LearningRate(20, 0.1), OptimizerChanged(40, "sgd"))
    assert names(healthy(400))[:2] == ["large-learning-rate", "other-optimizer"]
    assert names(healthy(400, changes=changes))[0] == "zero-weights"


def test_each_experiment_leads_to_another_one() -> None:
    """A learner who follows every suggestion never trains the same settings twice, and comes to an end."""
    record, seen = healthy(900), [healthy(900).config]
    while idea := next_experiment(record):
        (remedy,) = idea.remedies
        record = replace(record, config=TrainConfig.from_dict({**record.config.to_dict(), **remedy.changes}), network=remedy.network or record.network)
        assert record.config not in seen
        seen.append(record.config)
    assert len(seen) >= 6


def test_shortly_after_an_own_change_the_change_is_the_experiment() -> None:
    changed = healthy(120, changes=(LearningRate(100, 0.004),))
    (idea,) = advice(changed)
    assert (idea.title, idea.evidence) == ("You raised the learning rate from 0.003 to 0.004 at step 100", "The loss shows no harm so far.")
    assert idea.remedies == ()
    (later,) = advice(healthy(200, changes=(LearningRate(100, 0.004),)))
    assert later.name == "large-learning-rate"


@by_case(CASES)
def test_all_that_is_offered_can_be_requested_at_any_time(case: Case, train: Trainer) -> None:
    _, record = train(case)
    for look in range(0, LOOKS + 1, 4):
        early = cut(record, look / LOOKS)
        offered = {remedy.id for finding in advice(early) for remedy in finding.remedies}
        assert offered <= {remedy.id for finding in (*detected(early), *experiments(early)) for remedy in finding.remedies}


@by_case([*HEALTHY, *recommended()])
def test_experiments_can_be_started_and_rarely_change(case: Case, train: Trainer) -> None:
    _, record = train(case)
    for experiment in experiments(record):
        (remedy,) = experiment.remedies
        config = TrainConfig.from_dict({**case.config.to_dict(), **remedy.changes})
        assert config != case.config
        check(remedy.network or case.network, record.data.input_shape, len(record.data.classes))
    if not case.changes:
        looks = [
            [(idea.name, idea.title, remedy.start) for idea in advice(cut(record, look / LOOKS)) for remedy in idea.remedies] for look in range(1, LOOKS + 1)
        ]
        assert sum(before != after for before, after in pairwise(looks)) <= MOST_CHANGES
