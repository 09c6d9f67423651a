"""What following a long run costs the server: the time and the size of each answer to a live view of a run of 100,000 steps.

`python -m benchmarks.refresh` measures this alone. The record is one as a run writes it that takes some milliseconds a step;
with a second word, so many steps stand in a line (`1` is the most lines that so many steps can fill).
"""

from __future__ import annotations

import gzip
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from unittest.mock import patch

import numpy as np

from playground.network.presets import preset
from playground.runs.checkpoints import MAX_EARLIER
from playground.runs.coach import Record, as_json, findings
from playground.runs.history import History
from playground.runs.run import Run, create
from playground.runs.views.curves import curves
from playground.runs.views.inside import inside
from playground.server.respond import AsciiJSON
from playground.training.config import TrainConfig
from playground.training.events import Evaluated, Event, Observed, Snapshot, Started, Step, Steps
from playground.training.instruments.observation import OBSERVATIONS, SNAPSHOTS
from playground.training.loop import Training

STEPS, EPOCHS = 100_000, 25
LINE = 12
"""Steps in a line: those of the 50 ms after which a run asks for its numbers, at 4 ms a step."""
NEW = 250
"""Steps that have come since the last look, a second's."""
LOOKS = 15

T = TypeVar("T")


@dataclass(frozen=True)
class Refresh:
    """Seconds, medians, and bytes of JSON."""

    cold: float
    """The first look after the server has started: the whole record is read."""
    warm: float
    """A later look, with the steps of another second."""
    zoomed: float
    """The same, at a tenth of the steps."""
    coach: float
    """What the coach has to say, the record being read."""
    inside: float
    """The inside over time, with the gallery."""
    curves_bytes: int
    curves_compressed: int
    """By gzip, as a proxy would send it."""
    inside_bytes: int
    inside_compressed: int


def measure(line: int = LINE) -> Refresh:
    """Write the record of a long run, and answer for it as the routes do.

    Args:
        line: steps in a line of the record.
    """
    with recorded(line) as run:
        cold = [_timed(lambda: AsciiJSON(curves(History(run).follow(), 0)))[0] for _ in range(5)]
        history = History(run).follow()
        warm, zoomed = [], []
        for look in range(LOOKS):
            run.journal.extend(list(_steps(STEPS + look * NEW, NEW, line)))
            warm.append(_timed(lambda: AsciiJSON(curves(history.follow(), 0)))[0])
            zoomed.append(_timed(lambda: AsciiJSON(curves(history, 0, 0.5 * STEPS, 0.6 * STEPS)))[0])
        shown = AsciiJSON(curves(history, 0)).body
        coach = statistics.median(_timed(lambda: as_json(findings(Record.of(history))))[0] for _ in range(5))
        looks = [_timed(lambda: AsciiJSON(inside(run, history)).body) for _ in range(5)]
        opened = looks[0][1]
    median = statistics.median
    sizes = (len(shown), len(gzip.compress(shown)), len(opened), len(gzip.compress(opened)))
    return Refresh(median(cold), median(warm), median(zoomed), coach, median(seconds for seconds, _ in looks), *sizes)


def _timed(look: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    result = look()
    return time.perf_counter() - start, result


@contextmanager
def recorded(line: int) -> Iterator[Run]:
    """A run that has taken `STEPS` steps, with evaluations, observations, pictures and kept states, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, PLAYGROUND_RUNS=folder):
        config = TrainConfig("mnist-5k", "tutorial-cnn", epochs=EPOCHS, batch_size=1, evaluate_every=STEPS // 100)
        run = create(config, preset("tutorial-cnn"))
        with run.lock.hold():
            run.journal.extend([Started(time.time(), 0, STEPS, STEPS // EPOCHS, "cpu", 1), *_steps(0, STEPS, line), *_looks(config)])
            for index in range(MAX_EARLIER):
                run.checkpoints.save({"step": (index + 1) * STEPS // MAX_EARLIER})
            yield run


def _steps(taken: int, count: int, line: int) -> Iterator[Steps]:
    """The steps that follow, in lines: a loss that falls, with noise, and as many digits as a run has."""
    noise = np.random.default_rng(taken)
    for first in range(taken, taken + count, line):
        numbers = np.arange(first + 1, min(first + line, taken + count) + 1)
        losses = (2.3 * np.exp(-numbers / 20_000) * noise.lognormal(0, 0.3, len(numbers))).astype(np.float32)
        columns = (
            losses,
            noise.integers(0, 65, len(numbers)) / 64,
            0.001 * (1 - numbers / 2 / STEPS),
            numbers * 0.004,
            noise.normal(16_000, 500, len(numbers)),
        )
        rows = zip(numbers.tolist(), *(column.tolist() for column in columns), strict=True)
        yield Steps.of([Step(*row) for row in rows])


def _looks(config: TrainConfig) -> Iterator[Event]:
    """What a training sees of its network, as often as a run of this length records it."""
    training = Training(preset("tutorial-cnn"), replace(config, epochs=1e-3))
    seen: dict[type[Event], Any] = {type(event): event for event in training.events()}
    for kind, count in ((Evaluated, 100), (Observed, OBSERVATIONS), (Snapshot, SNAPSHOTS)):
        yield from (replace(seen[kind], step=(index + 1) * STEPS // count) for index in range(count))


def rows() -> list[tuple[str, str, str]]:
    """The rows of the table."""
    result = measure()
    return [
        (
            "Live curves of a run of 100,000 steps: server time of the first request · of a later request",
            f"{1000 * result.cold:.0f} ms · {1000 * result.warm:.0f} ms",
            "≤ 200 ms",
        ),
        (
            "Live curves of a run of 100,000 steps: size of the answer",
            f"{math.ceil(result.curves_bytes / 1000)} kB ({math.ceil(result.curves_compressed / 1000)} kB compressed)",
            "≤ 100 kB",
        ),
    ]


if __name__ == "__main__":
    measured = measure(int(sys.argv[1]) if len(sys.argv) > 1 else LINE)
    for name, value in measured.__dict__.items():
        print(f"{name}: {value:,} bytes" if isinstance(value, int) else f"{name}: {1000 * value:.1f} ms")
