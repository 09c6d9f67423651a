"""The sandbox's task that reads a network, and the preparation of the process that is forked for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.pasted.reading import read
from playground.pasted.task_types import ReadNetwork, ReadTraining
from playground.pasted.training import read_training

MAX_GIVEN = 50
"""Arguments that can be given, at most."""


def read_network(request: Mapping[str, Any]) -> ReadNetwork:
    """Read a network from code: a task of the sandbox.

    Args:
        request: `text`, the code; perhaps `input_shape`, `which` of several networks, and `given`, values for arguments that the code does not give.
    """
    shape, which, given = request.get("input_shape"), request.get("which"), request.get("given")
    values = {str(name): value for name, value in given.items() if isinstance(value, (bool, int, float, str))} if isinstance(given, dict) else {}
    reading = read(
        str(request.get("text", "")),
        tuple(shape) if shape else None,
        which=which if isinstance(which, int) else None,
        given=dict(list(values.items())[:MAX_GIVEN]),
    )
    return {
        "network": reading.spec.to_dict(),
        "notes": list(reading.notes),
        "candidates": [{"name": each.name, "line": each.line} for each in reading.candidates],
        "chosen": reading.chosen,
        "missing": [{"name": each.name, "value": each.value} for each in reading.missing],
    }


def read_training_script(request: Mapping[str, Any]) -> ReadTraining:
    """Read a training script: a task of the sandbox.

    Args:
        request: `text`, the script.
    """
    reading = read_training(str(request.get("text", "")))
    return {
        "config": reading.config.to_dict(),
        "network": reading.network.spec.to_dict() if reading.network else None,
        "problem": reading.problem,
        "taken": [{"name": each.name, "value": each.value, "line": each.line} for each in reading.taken],
        "mistakes": [{"line": each.line, "message": each.message, "hint": each.hint} for each in reading.mistakes],
        "notes": [*reading.notes, *(reading.network.notes if reading.network else ())],
    }


def prepare() -> None:
    """Read a network in the process that is forked, so that PyTorch does what it does at a first call."""
    read("net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))")
