"""Train a run, and kill the own process while it saves its n-th checkpoint."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import torch

from playground.runs import journal
from playground.runs.execution.worker import execute
from playground.runs.run import Run
from playground.training import loop

PLACES: dict[str, tuple[Any, str]] = {"torn": (torch, "save"), "written": (torch, "save"), "linked": (os, "link"), "renamed": (Path, "replace")}
"""The functions after whose n-th call the process is killed; `torn` also shortens the file that was written."""


def train_and_die(argument: str, descriptor: int) -> int:
    """Train in a forked process with a checkpoint after every step, and steps that wait to be written; write the place before the kill.

    Args:
        argument: the run's folder, the key of `PLACES` and the number of the call, as JSON.
        descriptor: of the socket to the test.
    """
    path, place, count = json.loads(argument)
    loop.FLUSH_SECONDS = loop.CHECKPOINT_SECONDS = loop.EVALUATED_SECONDS = -1.0
    journal.FLUSH_SECONDS = float("inf")
    owner, name = PLACES[place]
    original, calls = getattr(owner, name), 0

    def die(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        result = original(*arguments)
        if calls == count:
            if place == "torn":
                arguments[1].write_bytes(arguments[1].read_bytes()[:1000])
            os.write(descriptor, place.encode())
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, die)
    for _ in execute(Run(Path(path))):
        pass
    return 0
