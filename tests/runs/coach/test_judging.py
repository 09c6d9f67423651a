"""Findings on a record: none without evidence, each cause once, and all as plain data."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from playground import environment
from playground.runs.coach import Finding, Record, as_json, findings, judging
from playground.runs.coach.finding import Remedy
from playground.runs.history import History
from playground.runs.run import create
from playground.training.config import TrainConfig
from playground.training.events import Diverged, Evaluated, LearningRate, Observed, Started

from .conftest import Trainer
from .records import NETWORK, build_record
from .suite import BROKEN, HEALTHY, Case, Images, by_case, mlp, of_tier, part, trained

LAYERS = len(NETWORK.layers)
NOTHING = [None] * LAYERS


def test_a_run_that_has_not_started_has_no_findings() -> None:
    run = create(TrainConfig(), NETWORK)
    assert findings(Record.of(History(run).follow())) == ()
    run.journal.append(Started(0.0, 0, 100, 10, "cpu", 1))
    assert findings(Record.of(History(run).follow())) == ()


def test_a_record_without_observations_has_findings_from_its_curves() -> None:
    record = build_record([2.3] * 10 + [9.0] * 10 + [4.0] * 80)
    assert [finding.name for finding in findings(record)] == ["rate-too-high"]


def test_a_non_finite_value_at_the_first_step_is_found() -> None:
    record = build_record([], diverged=Diverged(1, 1, "output", 1, [1.0, None, None, None]), state="failed")
    (finding,) = findings(record)
    assert (finding.name, finding.step, finding.layer) == ("not-a-number", 1, 1)
    assert "step 1 in the output of layer 1 (Linear)" in finding.evidence


def test_a_non_finite_loss_of_unknown_origin_is_found() -> None:
    (finding,) = findings(build_record([2.3] * 5, diverged=Diverged(6, 0, "loss", -1, []), state="failed"))
    assert finding.evidence == "At step 6 the loss was infinite or NaN (not a number)."


def test_a_changed_learning_rate_is_used() -> None:
    record = build_record([2.3] * 10 + [9.0] * 90, changes=(LearningRate(2, 0.5),))
    (finding,) = findings(record)
    assert finding.advice == "Lower the learning rate of 0.5."
    assert [remedy.changes for remedy in finding.remedies] == [{"learning_rate": 0.003}]  # what it was set to at first


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.4])
def test_progress_is_0_at_chance_level_and_1_at_the_lowest_possible_loss(smoothing: float) -> None:
    import torch
    from torch.nn import functional as F

    target = torch.tensor([3])
    ideal = torch.log(F.one_hot(target, 10) * (1 - smoothing) + smoothing / 10 + 1e-30)
    lowest = F.cross_entropy(ideal, target, label_smoothing=smoothing).item()
    chance = F.cross_entropy(torch.zeros(1, 10), target, label_smoothing=smoothing).item()
    config = TrainConfig(label_smoothing=smoothing)
    assert build_record([lowest] * 50, config).progress == pytest.approx(1.0, abs=1e-5)
    assert build_record([chance] * 50, config).progress == pytest.approx(0.0, abs=1e-5)


def test_the_ratio_of_updates_does_not_depend_on_the_observed_steps() -> None:
    """With a falling schedule and proportional updates, the median over the steps does not depend on which are observed."""
    count = 100
    rates = np.linspace(0.01, 0.0001, count)

    def look(step: int) -> Observed:
        update = [None, 2.0 * float(rates[step - 1]), None, 2.0 * float(rates[step - 1])]
        return Observed(step, [None, 1.0, None, 1.0], [None, 1.0, None, 1.0], update, NOTHING, NOTHING, NOTHING, 0.0, 1.0)

    record = build_record([1.0] * count)
    record.steps[3] = rates
    for steps in ([1, 2, 3, 4], [1, 50, 100], list(range(1, count + 1))):
        assert replace(record, observations=tuple(map(look, steps))).update_ratio == pytest.approx(2 * np.median(rates), rel=1e-6)


def test_detectors_of_consequences_come_after_those_of_their_causes() -> None:
    names = [detector.__name__.replace("_", "-") for detector in judging.DETECTORS]
    assert len(set(names)) == len(names)
    for cause, consequences in judging.EXPLAINS.items():
        assert cause in names
        for consequence in consequences:
            assert names.index(cause) < names.index(consequence), (cause, consequence)


@by_case(BROKEN)
def test_a_detector_has_the_name_of_its_finding(case: Case, train: Trainer) -> None:
    _, record = train(case)
    for detector in judging.DETECTORS:
        finding = detector(record)
        assert finding is None or finding.name == detector.__name__.replace("_", "-")


def test_every_fault_is_in_the_suite() -> None:
    assert {detector.__name__.replace("_", "-") for detector in judging.DETECTORS} == {case.expected for case in BROKEN}
    assert all(not case.expected for case in HEALTHY)


def test_a_consequence_is_reported_with_its_cause(train: Trainer) -> None:
    case = next(case for case in BROKEN if case.name == "Adam with a rate of 1")
    (finding,) = findings(train(case)[1])
    assert finding.name == "rate-too-high"
    assert "Most ReLU units are dead" in finding.explains


def test_hints_come_last(monkeypatch: pytest.MonkeyPatch) -> None:
    def detector_of(name: str, severity: str) -> judging.Detector:
        return lambda _record: Finding(name, name, "1", "", "", severity, 1)  # type: ignore[arg-type]

    monkeypatch.setattr(judging, "DETECTORS", (detector_of("a", "hint"), detector_of("b", "problem"), detector_of("c", "hint")))
    assert [finding.name for finding in findings(build_record([1.0] * 5))] == ["b", "a", "c"]


def test_findings_are_plain_data(train: Trainer) -> None:
    for case in of_tier(BROKEN):
        expected = findings(train(case)[1])
        document = as_json(expected)
        assert json.loads(json.dumps(document, allow_nan=False)) == document
        for finding, plain in zip(expected, document, strict=True):
            assert (plain["name"], plain["severity"]) == (finding.name, finding.severity)
            ids = [remedy.id for remedy in finding.remedies]
            assert [remedy["id"] for remedy in plain["remedies"]] == ids
            assert len(set(ids)) == len(ids)  # by its id a click names a remedy


def test_a_remedy_without_a_checkpoint_starts_from_initialised_weights() -> None:
    assert (Remedy("x").start, Remedy("x", at=0).start) == ("fresh", "fork")


def test_the_remedy_for_divergence_starts_before_the_first_non_finite_value() -> None:
    record = build_record([2.3] * 50, diverged=Diverged(50, 49, "update", 1, []), state="failed", checkpoints=(20, 40, 50), total_steps=100)
    (finding,) = findings(record)
    (back,) = [remedy for remedy in finding.remedies if remedy.start == "fork"]
    assert (back.at, back.changes) == (40, {"learning_rate": 0.0003})


def test_a_missing_class_is_found_only_late_in_a_run() -> None:
    """Early in a run some classes are never predicted: that is no fault."""
    named = [0, *[111] * 8, 112]

    def evaluated(step: int) -> Evaluated:
        return Evaluated(step, step / 10, 0.5, 0.85, 0.6, 0.8, 0.0, named, named)

    losses = list(np.linspace(2.3, 0.3, 100))
    late = build_record(losses, evaluations=(evaluated(90), evaluated(100)))
    early = build_record(losses, evaluations=(evaluated(90), evaluated(100)), total_steps=300)
    assert [finding.name for finding in findings(late)] == ["class-never-predicted"]
    assert findings(early) == ()


def test_a_too_narrow_network_is_not_reported_as_chance_level() -> None:
    """The cause is its size, not the labels."""
    evaluations = tuple(Evaluated(step, step / 10, 2.28, 0.12, 2.3, 0.1, 0.0) for step in (190, 200))
    losses = list(np.linspace(2.31, 2.28, 200))
    assert [finding.name for finding in findings(build_record(losses, evaluations=evaluations))] == ["chance-level"]
    assert [finding.name for finding in findings(build_record(losses, evaluations=evaluations, network=mlp(2)))] == ["underfitting"]


def test_the_coach_does_not_import_pytorch() -> None:
    code = "import sys, playground.runs.coach; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=environment.ROOT, check=False).returncode == 0


def test_judging_a_run_does_not_import_pytorch(train: Trainer) -> None:
    """The record of a real run is judged in a process without PyTorch."""
    run, record = train(BROKEN[0])
    code = (
        "import sys; from pathlib import Path; from playground.runs.run import Run; from playground.runs.history import History\n"
        "from playground.runs.coach import Record, findings\n"
        "print(findings(Record.of(History(Run(Path(sys.argv[1]))).follow()))[0].name, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(run.path)], cwd=environment.ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.split() == [findings(record)[0].name, "False"]


def test_equal_records_have_equal_findings() -> None:
    case = HEALTHY[0]
    assert part(case.config.dataset, Images(100, 50)).info.train_size == 100
    short = replace(case, images=Images(200, 50))
    (_, one), (_, other) = trained(short), trained(short)
    assert np.array_equal(one.column("loss"), other.column("loss"))
    assert findings(one) == findings(other)
