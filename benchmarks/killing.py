"""Kill -9 of workers and servers at random moments: how many runs are lost, cannot be read, or go on otherwise than uninterrupted ones.

`python -m benchmarks.killing 50` kills fifty times and prints each.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from unittest.mock import patch

from playground.runs.execution.scheduler import Scheduler
from tests.runs.killing import VICTIMS, Moment, Outcome, kill, train_uninterrupted

KILLS = 50


def measure(kills: int = KILLS, seed: int | None = None) -> Iterator[Outcome]:
    """What became of each run; workers, servers and workers that are writing a checkpoint are killed in turns.

    Args:
        kills: how many.
        seed: of the moments; None takes one of the clock, which is printed.
    """
    seed = time.time_ns() if seed is None else seed
    print(f"seed {seed}", file=sys.stderr)
    generator = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, PLAYGROUND_RUNS=folder, PLAYGROUND_THREADS="1"):
        scheduler = Scheduler(workers=1)
        scheduler.warm_up()
        expected = train_uninterrupted()
        for number in range(kills):
            yield kill(VICTIMS[number % len(VICTIMS)], Moment.random(generator), scheduler, expected)
        scheduler.close()


def rows() -> list[tuple[str, str, str]]:
    """The rows of the table."""
    outcomes = list(measure())
    wrong = sum(bool(outcome.problem) for outcome in outcomes)
    return [(f"Runs: lost, unreadable or changed after {len(outcomes)} kills of the worker at random moments", str(wrong), "0")]


if __name__ == "__main__":
    problems = 0
    for outcome in measure(int(sys.argv[1]) if len(sys.argv) > 1 else KILLS, int(sys.argv[2]) if len(sys.argv) > 2 else None):
        problems += bool(outcome.problem)
        print(outcome, flush=True)
    print(f"{problems} with a problem")
    sys.exit(problems > 0)
