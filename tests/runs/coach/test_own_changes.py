"""The learner's own changes: named with their effect within a few steps, and never where the loss moves by chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from playground.runs.branching import fork
from playground.runs.coach import Finding, Record, Remedy, findings
from playground.runs.coach.finding import Undo
from playground.runs.coach.own_changes import MIN_BEFORE, OwnChange, led_by_cause, own_change, own_changes
from playground.runs.history import History
from playground.training.events import Diverged, LearningRate, OptimizerChanged

from ...support.tiers import repetitions
from .conftest import Trainer
from .records import build_record
from .suite import BROKEN, HEALTHY, trained

AT, TOTAL = 678, 1000
RAISED = (LearningRate(AT, 0.3),)
MOST_STEPS = 20
"""Steps after the effect within which the coach names it."""


def noisy(mean: float, count: int, seed: int = 0, sigma: float = 0.5) -> list[float]:
    """Return losses whose logarithms are spread around that of a mean, as those of batches are."""
    return [float(value) for value in mean * np.exp(np.random.default_rng(seed).normal(0, sigma, count))]


def changed(after: list[float], before: float = 0.03, **fields: object) -> Record:
    """Return a record in which the learning rate was raised at step `AT`."""
    fields = {"changes": RAISED, "total_steps": TOTAL, "checkpoints": (200, 660, AT)} | fields
    return build_record([*noisy(before, AT), *after], **fields)


@pytest.mark.parametrize("seed", range(repetitions(20)))
def test_a_raised_learning_rate_is_named_with_its_effect_within_twenty_steps(seed: int) -> None:
    looks = [own_change(changed(noisy(2.7, steps, seed))) for steps in range(1, MOST_STEPS + 1)]
    finding = looks[-1]
    assert finding is not None
    assert finding.title == "You raised the learning rate from 0.003 to 0.3 at step 678"
    assert finding.evidence.startswith("The loss rose ×")
    assert finding.undo == (Undo("learning-rate", 0.003),)
    assert (finding.severity, finding.remedies) == ("problem", (Remedy("Go back to step 660, before the change", {"learning_rate": 0.003}, at=660),))


def test_the_factor_and_both_losses_are_in_the_evidence() -> None:
    record = build_record([0.03] * AT + [2.7] * 10, changes=RAISED, total_steps=TOTAL)
    finding = own_change(record)
    assert finding is not None
    assert (finding.evidence, finding.step, finding.mark) == ("The loss rose ×90, from 0.03 to 2.7.", AT + 10, "loss ×90")
    assert [(remedy.label, remedy.start, remedy.changes) for remedy in finding.remedies] == [
        ("Train again without the change", "fresh", {"learning_rate": 0.003})
    ]


def test_a_loss_that_grows_tenfold_at_each_step_is_a_rise() -> None:
    assert own_change(changed([0.03 * 10**step for step in range(10)])) is not None


@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.0])
def test_a_loss_that_moves_by_chance_is_no_effect(sigma: float) -> None:
    """With a sigma of 2 single batches are a hundred times as high as others, as with a batch size of 1."""
    alarms = [seed for seed in range(200) if own_change(build_record(noisy(0.1, 300, seed, sigma), changes=(LearningRate(200, 0.3),)))]
    assert alarms == []


@pytest.mark.parametrize(("before", "after"), [(0.001, 0.004), (0.5, 0.7), (1.0, 0.5)], ids=["too small to matter", "less than twice", "it fell"])
def test_a_small_rise_is_no_fault(before: float, after: float) -> None:
    assert own_change(changed(noisy(after, 60, sigma=0.2), before)) is None


def test_a_rise_long_after_the_change_is_not_its_effect() -> None:
    assert own_change(changed([*noisy(0.03, 120), *noisy(2.7, 60)])) is None


def test_a_rise_without_a_change_is_not_the_learners() -> None:
    assert own_change(changed(noisy(2.7, 60), changes=())) is None


def test_a_change_in_the_first_steps_is_not_judged() -> None:
    losses = [0.03] * (MIN_BEFORE - 1) + [2.7] * 60
    assert own_change(build_record(losses, changes=(LearningRate(MIN_BEFORE - 1, 0.3),))) is None
    assert own_change(build_record([0.03, *losses], changes=(LearningRate(MIN_BEFORE, 0.3),))) is not None


def test_once_the_loss_has_recovered_the_finding_is_gone_for_good() -> None:
    recovered = [*noisy(2.7, 40), *noisy(0.03, 20)]
    assert own_change(changed(recovered[:40])) is not None
    assert own_change(changed(recovered)) is None
    assert own_change(changed([*recovered, *noisy(2.7, 40)])) is None  # what comes later has another cause


def test_a_change_that_is_set_back_keeps_its_finding_until_the_loss_recovers() -> None:
    back = (*RAISED, LearningRate(AT + 50, 0.003))
    finding = own_change(changed(noisy(2.7, 80), changes=back))
    assert finding is not None
    assert (finding.severity, finding.undo, finding.title) == ("hint", (), "You raised the learning rate from 0.003 to 0.3 at step 678")
    assert finding.evidence.endswith(" It is set back, but the loss has not recovered.")
    assert finding.advice == "If the loss does not fall again, go back to a checkpoint before the change."
    assert own_change(changed([*noisy(2.7, 80), *noisy(0.03, 20)], changes=back)) is None


@pytest.mark.parametrize("state", ["finished", "stopped", "interrupted"])
def test_a_run_that_takes_no_commands_has_nothing_to_undo(state: str) -> None:
    finding = own_change(changed(noisy(2.7, 60), state=state))
    assert finding is not None and finding.undo == () and finding.remedies


def test_changes_in_quick_succession_are_one() -> None:
    events = (LearningRate(50, 0.01), LearningRate(55, 0.1), OptimizerChanged(60, "sgd"), LearningRate(90, 0.05))
    assert own_changes(build_record([1.0] * 100, changes=events)) == [
        OwnChange(50, 60, (0.003, 0.1), ("adam", "sgd")),
        OwnChange(90, 90, (0.1, 0.05), ("sgd", "sgd")),
    ]
    assert own_changes(build_record([1.0] * 100, changes=(LearningRate(50, 0.3), LearningRate(52, 0.003)))) == []


@pytest.mark.parametrize(
    ("rates", "optimizers", "text"),
    [
        ((0.003, 0.3), ("adam", "adam"), "You raised the learning rate from 0.003 to 0.3 at step 1,678"),
        ((0.3, 0.003), ("adam", "adam"), "You lowered the learning rate from 0.3 to 0.003 at step 1,678"),
        ((0.3, 0.3), ("adam", "sgd"), "You changed the optimizer from Adam to SGD at step 1,678"),
        ((0.003, 0.3), ("adam", "sgd"), "You changed the learning rate from 0.003 to 0.3 and the optimizer from Adam to SGD at step 1,678"),
    ],
)
def test_what_was_changed_is_said_in_a_sentence(rates: tuple[float, float], optimizers: tuple[str, str], text: str) -> None:
    assert OwnChange(1678, 1678, rates, optimizers).text == text


def test_both_settings_of_a_change_are_undone() -> None:
    events = (LearningRate(AT - 2, 3.0), OptimizerChanged(AT, "sgd"))
    finding = own_change(changed(noisy(2.7, 20), changes=events))
    assert finding is not None
    assert finding.undo == (Undo("learning-rate", 0.003), Undo("optimizer", "adam"))
    half = own_change(changed(noisy(2.7, 40), changes=(*events, LearningRate(AT + 20, 0.003))))
    assert half is not None and half.undo == (Undo("optimizer", "adam"),)


def test_divergence_names_the_change_before_it() -> None:
    diverged = Diverged(AT + 5, AT + 4, "update", 1, [])
    (finding,) = findings(changed([1e9] * 4, diverged=diverged, state="failed"))
    assert (finding.name, finding.evidence) == ("own-change", "The loss stopped being finite at step 683.")
    assert "The loss is not finite" in finding.explains and finding.undo == ()
    (other,) = findings(changed([0.03] * 300, diverged=Diverged(AT + 300, 0, "loss", -1, []), state="failed", changes=RAISED))
    assert other.name == "not-a-number"


@pytest.mark.parametrize(
    ("name", "step", "is_led"), [("dead-relus", AT + 9, True), ("dead-relus", AT, False), ("dead-relus", AT + 101, False), ("plateau", AT + 9, False)]
)
def test_a_fault_soon_after_a_raised_learning_rate_names_it_first(name: str, step: int, is_led: bool) -> None:
    fault = Finding(name, "Most ReLU units are dead", "Since step 687.", "", "", "problem", step)
    finding = led_by_cause(changed(noisy(0.03, 120)), fault)
    if is_led:
        assert finding.title == "You raised the learning rate from 0.003 to 0.3 at step 678"
        assert finding.evidence == "Most ReLU units are dead. Since step 687."
        assert (finding.undo, finding.mark) == ((Undo("learning-rate", 0.003),), "Most ReLU units are dead")
    else:
        assert finding == fault


def test_a_fault_whose_cause_is_set_back_is_a_hint_while_the_run_goes_on() -> None:
    fault = Finding("rate-too-high", "The learning rate is too high", "It rose.", "", "", "problem", AT + 9)
    back = changed(noisy(2.7, 80), changes=(*RAISED, LearningRate(AT + 50, 0.003)))
    finding = led_by_cause(back, fault)
    assert (finding.severity, finding.undo) == ("hint", ())
    assert finding.evidence == "The learning rate is too high. It rose. It is set back: watch whether the loss recovers."
    over = led_by_cause(replace(back, state="failed"), fault)
    assert (over.severity, over.evidence) == ("problem", "The learning rate is too high. It rose.")


def test_a_learning_rate_that_was_lowered_too_far_is_named() -> None:
    fault = Finding("rate-too-low", "The learning rate is too low", "It is.", "", "", "problem", 800)
    lowered = build_record([1.0] * 800, changes=(LearningRate(100, 1e-7),), total_steps=TOTAL)
    assert led_by_cause(lowered, fault).title == "You lowered the learning rate from 0.003 to 1e-07 at step 100"
    assert led_by_cause(changed(noisy(0.03, 120)), fault) == fault


def test_a_fork_answers_for_its_own_changes_only() -> None:
    """What was changed before its checkpoint is the other run's; what the fork changes is its first change."""
    case = next(case for case in BROKEN if case.expected == "own-change")
    run, record = trained(case)
    first = next(step for step in record.checkpoints if step > 90)
    same, slower, other = (
        Record.of(History(fork(run, first, changes, "")).follow()) for changes in ({}, {"learning_rate": 0.001}, {"learning_rate": 3.0, "optimizer": "sgd"})
    )
    assert (own_changes(same), same.learning_rate) == ([], 0.3)
    assert (own_changes(slower), slower.learning_rate) == ([OwnChange(first, first, (0.3, 0.001), ("adam", "adam"))], 0.001)
    assert own_changes(other) == [OwnChange(first, first, (0.3, 3.0), ("adam", "sgd"))]


def test_the_change_of_a_fork_is_named_with_its_effect() -> None:
    case = next(case for case in HEALTHY if case.name == "MLP, Adam")
    run, record = trained(case)
    raised = trained(case, fork(run, record.checkpoints[1], {"learning_rate": 0.5}, ""))[1]
    (finding,) = findings(raised)
    assert finding.title == f"You raised the learning rate from 0.003 to 0.5 at step {record.checkpoints[1]}"
    assert [(remedy.start, remedy.changes) for remedy in finding.remedies] == [("fresh", {"learning_rate": 0.003})]


def test_the_change_explains_what_follows_from_it(train: Trainer) -> None:
    (finding,) = findings(train(next(case for case in BROKEN if case.expected == "own-change"))[1])
    assert "Most ReLU units are dead" in finding.explains
