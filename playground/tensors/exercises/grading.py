"""Grades the learner's answer to an exercise on several sets of random inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from playground.tensors.exercises import Exercise, exercise
from playground.tensors.language import interpreter
from playground.tensors.xray import report

INPUT_SETS = 5
"""Sets of random inputs for which an answer must be correct."""
SEED = 1000
"""Seed of the first set."""


class GradedReport(report.Report):
    """The report of one run, with the grade of an exercise."""

    feedback: str
    """One sentence on what is wrong; empty where nothing is, or where the script failed."""
    correct: bool


def feedback(task: Exercise, source: str) -> str:
    """Return one sentence on what is wrong with an answer; empty if it is correct.

    Args:
        source: the learner's script; the exercise's inputs are defined before it runs.
    """
    generator = torch.Generator()
    for index in range(INPUT_SETS):
        generator.manual_seed(SEED + index)
        inputs = task.make_inputs(generator)
        reference_inputs = task.copy_inputs(inputs)
        execution = interpreter.run(source, {"device": torch.device("cpu"), **inputs})
        if execution.error is not None:
            return execution.error.text
        if problem := task.check(reference_inputs, execution.names.get(task.result_name)):
            return problem
    return ""


def check_exercise(request: Mapping[str, Any]) -> GradedReport:
    """Run an answer to an exercise and grade it: a task of the sandbox.

    Args:
        request: `source`, the answer; `exercise`, its name.

    Raises:
        UnknownName: there is no such exercise.
    """
    task, source = exercise(str(request["exercise"])), str(request["source"])
    inputs = task.make_inputs(torch.Generator().manual_seed(SEED))
    execution = interpreter.run(source, {"device": torch.device("cpu"), **inputs})
    problem = "" if execution.error else feedback(task, source)
    return {**report.report(execution), "feedback": problem, "correct": execution.error is None and not problem}
