"""Tries a learner's answer to an exercise on fresh random inputs, and says which property it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from playground.tensors.exercises import Exercise, exercise
from playground.tensors.language import interpreter
from playground.tensors.xray import report

ROUNDS = 5
"""Random inputs that an answer must be right for."""


def verdict(wanted: Exercise, source: str) -> str:
    """What is wrong with an answer, in a sentence; empty if it is right.

    Args:
        source: the learner's script, with the exercise's inputs defined beforehand.
    """
    generator = torch.Generator()
    for seed in range(ROUNDS):
        generator.manual_seed(1000 + seed)
        given = wanted.given(generator)
        kept = wanted.kept(given)
        execution = interpreter.run(source, {"device": torch.device("cpu"), **given})
        if execution.error is not None:
            return str(execution.error)
        if said := wanted.check(kept, execution.names.get(wanted.wanted)):
            return said
    return ""


def try_exercise(request: Mapping[str, Any]) -> dict[str, Any]:
    """The task that runs `source` on one set of inputs of `exercise`, reports on it, and adds the `verdict`."""
    wanted, source = exercise(str(request["exercise"])), str(request["source"])
    given = wanted.given(torch.Generator().manual_seed(1000))
    execution = interpreter.run(source, {"device": torch.device("cpu"), **given})
    said = "" if execution.error else verdict(wanted, source)
    return {**report.report(execution), "verdict": said, "right": execution.error is None and not said}
