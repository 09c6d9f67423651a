"""How fast training is: ours, the tutorial's pipeline, and a bare loop in memory, in turns.

Ours and the bare loop take turns in one process that has the variables and the allocator of the playground's workers;
the tutorial's pipeline runs in a process of its own, as a learner starts it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from unittest.mock import patch

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from playground import environment
from playground.data.images import ImageSet, scale_and_shift
from playground.data.load import load
from playground.network.build import build
from playground.network.presets import preset
from playground.runs.execution.worker import execute, keep_freed_memory
from playground.runs.run import create
from playground.training.config import TrainConfig
from playground.training.events import Step

BATCH = 64
BLOCK = 60
"""Steps in a turn."""
ROUNDS = 3
"""Processes of each way, in turn."""
PAIRS = 4
"""Times that ours and the bare loop are set up anew, in turned order: where their tensors come to lie is worth some per cent."""
TURNS = 20
"""Turns of each, behind one that warms up: some seconds, so that states are kept within them, too."""
TUTORIAL_TURNS = 6
"""Turns of the tutorial's pipeline; with the one that warms up they take less than an epoch."""
WORKERS = (0, 1, 2)
"""Values of `num_workers` tried; the tutorial is credited with its best."""


@dataclass(frozen=True)
class Throughput:
    """Medians over the rounds, and ratios within each round."""

    ours: float
    """Images a second, everything recorded on disk: steps, what is seen inside the network, pictures, and states."""
    tutorial: float
    """Images a second of `datasets.MNIST`, transforms and `DataLoader`, with its best `num_workers`."""
    bare: float
    """Images a second of a loop over tensors in memory that records nothing."""
    ours_to_tutorial: float
    ours_to_bare: float


def measure() -> Throughput:
    """Train the tutorial network N3 on MNIST in each way, in turns."""
    best = best_workers()
    rounds = [(*_in_process("ours-and-bare"), *_in_process(f"tutorial-{best}")) for _ in range(ROUNDS)]
    median = statistics.median
    ours, bare, tutorial = (median(column) for column in zip(*rounds, strict=True))
    return Throughput(ours, tutorial, bare, median(o / t for o, _, t in rounds), median(o / b for o, b, _ in rounds))


def best_workers() -> int:
    """The `num_workers` with which the tutorial's pipeline is fastest here."""
    return max(WORKERS, key=lambda count: _in_process(f"tutorial-{count}")[0])


def _in_process(way: str) -> tuple[float, ...]:
    """Images a second, measured in a process of its own."""
    variables = {**os.environ, **({} if way.startswith("tutorial") else environment.training_environment())}
    command = [sys.executable, "-m", "benchmarks.throughput", way]
    printed = subprocess.run(command, env=variables, cwd=environment.ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(map(float, printed.split()))


def _measure_here(way: str) -> tuple[float, ...]:
    if way != "ours-and-bare":
        steps = _tutorial(int(way.removeprefix("tutorial-")))
        _time(steps, BLOCK)
        return (BATCH * BLOCK / statistics.median(_time(steps, BLOCK) for _ in range(TUTORIAL_TURNS)),)
    torch.set_num_threads(environment.training_threads())
    keep_freed_memory()
    return _in_turns(load("mnist"))


def _in_turns(images: ImageSet) -> tuple[float, float]:
    """Images a second of ours and of the bare loop: medians over settings-up, within which they take short turns."""
    ways: list[Callable[[], Iterator[None]]] = [_ours, lambda: _bare(images)]
    speeds: list[tuple[float, float]] = []
    for pair in range(PAIRS):
        order = (0, 1) if pair % 2 else (1, 0)
        steps = {way: ways[way]() for way in order}
        seconds = [0.0, 0.0]
        for turn in range(TURNS + 1):
            for way in order:
                elapsed = _time(steps[way], BLOCK)
                seconds[way] += elapsed if turn else 0.0  # the first turn warms up
        speeds.append((BATCH * BLOCK * TURNS / seconds[0], BATCH * BLOCK * TURNS / seconds[1]))
    ours = statistics.median(speed for speed, _ in speeds)
    return ours, ours / statistics.median(own / other for own, other in speeds)


def _time(steps: Iterator[None], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        next(steps)
    return time.perf_counter() - start


def _ours() -> Iterator[None]:
    """A run as a worker trains it, every event written to its folder."""
    config = TrainConfig("mnist", "tutorial-cnn", epochs=10, batch_size=BATCH, learning_rate=0.001, schedule="constant", evaluate_every=10**9)
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, PLAYGROUND_RUNS=folder):
        run = create(config, preset("tutorial-cnn"))
        yield from (None for event in execute(run) if isinstance(event, Step))


def _bare(images: ImageSet) -> Iterator[None]:
    """The same network and data in memory, the same kernels, nothing recorded."""
    network = build(preset("tutorial-cnn"), seed=0).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), 0.001, fused=True)
    loss_function = nn.CrossEntropyLoss()
    scale, shift = scale_and_shift(images.info, torch.device("cpu"))
    while True:
        for index in torch.randperm(len(images.train_images)).split(BATCH):
            inputs = images.train_images[index].float().mul_(scale).add_(shift)
            optimizer.zero_grad()
            loss_function(network(inputs), images.train_labels[index]).backward()
            optimizer.step()
            yield


def _tutorial(workers: int) -> Iterator[None]:
    """The loop of introductory tutorials: https://docs.pytorch.org/tutorials/beginner/basics/quickstart_tutorial.html"""
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    data = datasets.MNIST(environment.data_folder() / "downloads", train=True, download=False, transform=transform)
    network = nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(800, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(network.parameters(), 0.001)
    loss_function = nn.CrossEntropyLoss()
    for inputs, targets in DataLoader(data, BATCH, shuffle=True, num_workers=workers):
        optimizer.zero_grad()
        loss_function(network(inputs), targets).backward()
        optimizer.step()
        yield


if __name__ == "__main__":
    print(*_measure_here(sys.argv[1]))
