"""Five corrections taught to the shipped network: how long it takes, whether they are learnt, and what is forgotten.

`python -m benchmarks.teaching` teaches five times, each time other digits of MNIST’s training images that the network misreads,
and once for each way of writing with the pen that it often misreads, with five drawings of many.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

import torch
from torch import Tensor

from benchmarks.pen import Drawing, read
from benchmarks.strokes import Way
from playground.data.load import load
from playground.data.preprocessing import to_digit
from playground.inference.fine_tuning import compare_networks, fine_tune
from playground.inference.models import DEFAULT_MODEL, Model, load_model
from playground.runs.execution.scheduler import Scheduler
from playground.runs.history import History
from playground.runs.run import Run

TIMES, CORRECTIONS = 5, 5
OFTEN = 2 * CORRECTIONS
"""A way of writing is often misread if so many of its drawings are."""
POLL = 0.01


@dataclass(frozen=True)
class Taught:
    """One run of fine_tuning."""

    seconds: float
    """From the click to its end."""
    learnt: int
    """Corrections that are read rightly afterwards, of `CORRECTIONS`."""
    gained: float
    """Accuracy on MNIST's test images, after less before."""
    others: float
    """Share of the other misread drawings of the same way that are read rightly afterwards; of images, which have none, 1."""


def measure() -> list[Taught]:
    """Teach through a warm scheduler, as the page does."""
    model = load_model(DEFAULT_MODEL)
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, PLAYGROUND_RUNS=folder), _scheduler() as scheduler:
        return [_taught(scheduler, model, *corrections) for corrections in [*_images(model), *_drawings(model)]]


def rows() -> list[tuple[str, str, str]]:
    """The rows of the table."""
    results = measure()
    learnt, worst = sum(each.learnt for each in results), min(each.gained for each in results)
    seconds = statistics.median(each.seconds for each in results)
    drawn = [each.others for each in results[TIMES:]]
    taught = [
        (
            "Teach: time of fine-tuning on five labelled drawings, and drawings that are then correctly classified",
            f"{seconds:.1f} s, {learnt} of {len(results) * CORRECTIONS} correct",
            "≤ 6 s, all",
        ),
        ("Teach: largest loss of accuracy on MNIST’s test images after fine-tuning", f"{-100 * worst:.2f} points", "< 0.3 points"),
    ]
    if not drawn:  # no way of writing is often misread
        return taught
    others = f"{statistics.mean(drawn):.0%}"
    return [*taught, ("Teach: other misclassified drawings in the same handwriting, correctly classified after fine-tuning on five", others, "–")]


@contextmanager
def _scheduler() -> Iterator[Scheduler]:
    scheduler = Scheduler(workers=1)
    scheduler.warm_up()
    yield scheduler
    scheduler.close()


def _images(model: Model) -> Iterator[tuple[Tensor, Tensor]]:
    """Training images that the network misreads, (K, 1, 28, 28) with their labels (K,), the corrections alone."""
    mnist = load("mnist")
    answers = torch.cat([model.probabilities(part).argmax(dim=1) for part in mnist.train_images.split(1000)])
    misread = (answers != mnist.train_labels).nonzero().squeeze(1)
    for seed in range(TIMES):
        chosen = _shuffled(misread, seed)[:CORRECTIONS]
        yield mnist.train_images[chosen], mnist.train_labels[chosen]


def _drawings(model: Model) -> Iterator[tuple[Tensor, Tensor]]:
    """The misread drawings of each way to write that is often misread, the corrections first."""
    misread: dict[Way, list[Drawing]] = defaultdict(list)
    for drawing, answer in read(model).items():
        if drawing.readable and answer != drawing.way.digit:
            misread[drawing.way].append(drawing)
    for way, drawings in misread.items():
        if len(drawings) >= OFTEN:
            images = torch.stack([to_digit(drawing.ink).input for drawing in drawings])
            yield _shuffled(images, 0), torch.full((len(images),), int(way.digit))


def _shuffled(several: Tensor, seed: int) -> Tensor:
    return several[torch.randperm(len(several), generator=torch.Generator().manual_seed(seed))]


def _taught(scheduler: Scheduler, model: Model, images: Tensor, labels: Tensor) -> Taught:
    """Fine-tune on the first `CORRECTIONS`, then evaluate on the others."""
    start = time.perf_counter()
    run = fine_tune(model, images[:CORRECTIONS], labels[:CORRECTIONS], "bench")
    scheduler.submit(run)
    _wait_for(run)
    seconds = time.perf_counter() - start
    after = load_model(run.id)
    comparison = compare_networks(model, after, images, labels, "mnist")
    right = [each["after"]["label"] == each["label"] for each in comparison["drawings"]]
    learnt, others = right[:CORRECTIONS], right[CORRECTIONS:]
    gained = comparison["accuracy"]["after"] - comparison["accuracy"]["before"]
    return Taught(seconds, sum(learnt), gained, statistics.mean(others) if others else 1.0)


def _wait_for(run: Run) -> None:
    history = History(run)
    while not history.follow().finished:
        time.sleep(POLL)


if __name__ == "__main__":
    for what, value, bound in rows():
        print(f"{what}: {value}, held to {bound}")
