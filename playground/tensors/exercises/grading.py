"""Grades the learner's answer to an exercise on several sets of random inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

import numpy as np
import torch

from playground.tensors.exercises import Exercise, exercise
from playground.tensors.language import interpreter
from playground.tensors.language.memory import snapshot
from playground.tensors.xray import report

INPUT_SETS = 5
"""Sets of random inputs for which an answer must be correct."""
SEED = 1000
"""Seed of the first set."""


class Target(TypedDict):
    """The first set of inputs, and the result of a correct answer for them."""

    numbers: dict[str, float]
    """The inputs that are plain numbers."""
    tensors: dict[str, report.Tile]
    """The other inputs."""
    result: report.Tile


class GradedReport(report.Report):
    """The report of one run, with the grade of an exercise."""

    target: Target

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
        execution = _run(source, inputs)
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
    execution = _run(source, _first_inputs(task))
    problem = "" if execution.error else feedback(task, source)
    return {**report.report(execution), "feedback": problem, "correct": execution.error is None and not problem, "target": target(task)}


def target(task: Exercise) -> Target:
    """Return the result to aim for, with the inputs as they are before the script runs."""
    inputs = _first_inputs(task)
    arrays = {name: value for name, value in inputs.items() if isinstance(value, torch.Tensor | np.ndarray)}
    tiles = {name: report.tile(snapshot(value)) for name, value in arrays.items()}
    result = _run(task.solution, inputs).names[task.result_name]
    return {"numbers": {name: value for name, value in inputs.items() if name not in arrays}, "tensors": tiles, "result": report.tile(snapshot(result))}


def _first_inputs(task: Exercise) -> dict[str, Any]:
    return task.make_inputs(torch.Generator().manual_seed(SEED))


def _run(source: str, inputs: Mapping[str, Any]) -> interpreter.Execution:
    return interpreter.run(source, {"device": torch.device("cpu"), **inputs})
