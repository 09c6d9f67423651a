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
            return str(execution.error)
        if problem := task.check(reference_inputs, execution.names.get(task.result_name)):
            return problem
    return ""


def check_exercise(request: Mapping[str, Any]) -> dict[str, Any]:
    """Run an answer to an exercise and grade it: a task of the sandbox.

    Args:
        request: `source`, the answer; `exercise`, its name.

    Returns:
        The report of one run, with the `feedback` and whether the answer is `correct`.

    Raises:
        UnknownName: there is no such exercise.
    """
    task, source = exercise(str(request["exercise"])), str(request["source"])
    inputs = task.make_inputs(torch.Generator().manual_seed(SEED))
    execution = interpreter.run(source, {"device": torch.device("cpu"), **inputs})
    problem = "" if execution.error else feedback(task, source)
    return {**report.report(execution), "feedback": problem, "correct": execution.error is None and not problem}
