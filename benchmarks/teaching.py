"""Five corrections taught to the shipped network: how long it takes, whether they are learnt, and what is forgotten.

`python -m benchmarks.teaching` teaches five times, each time other digits of MNIST's training images that the network misreads.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from unittest.mock import patch

import torch

from playground.data.load import load
from playground.inference.models import SHIPPED, load_model
from playground.inference.teaching import before_and_after, teach
from playground.runs.history import History
from playground.runs.scheduler import Scheduler

TIMES, CORRECTIONS = 5, 5
POLL = 0.01


@dataclass(frozen=True)
class Taught:
    """One run of teaching."""

    seconds: float
    """From the click to its end."""
    learnt: int
    """Corrections that are read rightly afterwards, of `CORRECTIONS`."""
    gained: float
    """Accuracy on MNIST's test images, after less before."""


def measure() -> list[Taught]:
    """Teach through a warm scheduler, as the page does."""
    model, mnist = load_model(SHIPPED), load("mnist")
    answers = torch.cat([model.probabilities(part).argmax(dim=1) for part in mnist.train_images.split(1000)])
    misread = (answers != mnist.train_labels).nonzero().squeeze(1)
    found = []
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, PLAYGROUND_RUNS=folder):
        scheduler = Scheduler(workers=1)
        scheduler.warm_up()
        for seed in range(TIMES):
            chosen = misread[torch.randperm(len(misread), generator=torch.Generator().manual_seed(seed))[:CORRECTIONS]]
            images, labels = mnist.train_images[chosen], mnist.train_labels[chosen]
            start = time.perf_counter()
            run = teach(model, images, labels, "bench")
            scheduler.submit(run)
            history = History(run)
            while not history.follow().finished:
                time.sleep(POLL)
            seconds = time.perf_counter() - start
            told = before_and_after(model, load_model(run.id), images, labels, "mnist")
            learnt = sum(each["after"]["label"] == each["label"] for each in told["drawings"])
            found.append(Taught(seconds, learnt, told["accuracy"]["after"] - told["accuracy"]["before"]))
        scheduler.close()
    return found


def rows() -> list[tuple[str, str, str]]:
    """The rows of the table."""
    found = measure()
    learnt, worst = sum(each.learnt for each in found), min(each.gained for each in found)
    seconds = statistics.median(each.seconds for each in found)
    return [
        ("Five corrections taught", f"{seconds:.1f} s, {learnt} of {TIMES * CORRECTIONS} learnt", "≤ 6 s, all"),
        ("What teaching forgets of MNIST’s test images, at worst", f"{-100 * worst:.2f} points", "< 0.3 points"),
    ]


if __name__ == "__main__":
    for what, value, bound in rows():
        print(f"{what}: {value}, held to {bound}")
