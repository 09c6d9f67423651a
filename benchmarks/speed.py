"""How soon a network is good: from the click until an evaluation first reaches an accuracy, beside the tutorial's script.

`python -m benchmarks.speed` measures both data sets, `python -m benchmarks.speed mnist` or `cifar10` one. Ours is what the playground
suggests for the data set, submitted to a warm scheduler as a click does, timed by the clock on the wall, evaluations included.
The tutorial's script has its imports and its evaluations for nothing.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from benchmarks.throughput import best_workers
from playground import environment
from playground.data.load import is_ready
from playground.network.presets import preset
from playground.runs.execution.scheduler import Scheduler
from playground.runs.history import History
from playground.runs.run import create
from playground.training.config import TrainConfig
from playground.training.suggestions import suggested

SEEDS = 3
MNIST_GOALS = (0.98, 0.99)
CIFAR10 = ((0.78, 60.0, "cifar-fast", 2), (0.82, 180.0, "cifar-fast", 6), (0.84, 300.0, "cifar-wide", 6))
"""Test accuracies, the seconds that they may take, and the network and the epochs that are enough, with its suggested settings."""
TRIED_EVERY = 200
"""Steps between the evaluations of the tutorial's script."""
TUTORIAL_EPOCHS = 10
POLL = 0.005

Reached = dict[float, float]
"""Seconds until each accuracy was reached first; those that never were are not in it."""


def ours(config: TrainConfig, goals: Sequence[float], scheduler: Scheduler) -> Reached:
    """Train as a click on Train does.

    Args:
        config: the settings.
        goals: test accuracies.
        scheduler: a warm one, with nothing to do.
    """
    start = time.perf_counter()
    run = create(config, preset(config.network))
    scheduler.submit(run)
    history, reached, seen = History(run), Reached(), 0
    while not history.finished:
        if history.follow().state in ("failed", "interrupted"):
            raise RuntimeError(history.message or (run.path / "worker.log").read_text())
        elapsed = time.perf_counter() - start
        for event in history.evaluations[seen:]:
            for goal in goals:
                if event.test_accuracy >= goal:
                    reached.setdefault(goal, elapsed)
        seen = len(history.evaluations)
        time.sleep(POLL)
    while scheduler.worker_pid(run) is not None:
        time.sleep(POLL)
    return reached


def tutorial(seed: int, workers: int) -> Reached:
    """Run the tutorial's script in a process of its own, as a learner starts it."""
    command = [sys.executable, "-m", "benchmarks.speed", "tutorial", str(seed), str(workers)]
    printed = subprocess.run(command, cwd=environment.ROOT, check=True, capture_output=True, text=True).stdout
    return {float(goal): seconds for goal, seconds in json.loads(printed).items()}


def _tutorial(seed: int, workers: int) -> Reached:
    """The loop of introductory tutorials on N3: https://docs.pytorch.org/tutorials/beginner/basics/quickstart_tutorial.html"""
    torch.manual_seed(seed)
    spent, last, step, reached = 0.0, time.perf_counter(), 0, Reached()
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    folder = environment.data_folder() / "downloads"
    loader = DataLoader(datasets.MNIST(folder, train=True, transform=transform), 64, shuffle=True, num_workers=workers)
    network = nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(800, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    loss_function = nn.CrossEntropyLoss()
    test = datasets.MNIST(folder, train=False)
    inputs_, targets_ = ((test.data.unsqueeze(1) / 255) - 0.1307) / 0.3081, test.targets
    for _ in range(TUTORIAL_EPOCHS):
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss_function(network(inputs), targets).backward()
            optimizer.step()
            step += 1
            if step % TRIED_EVERY == 0:
                spent += time.perf_counter() - last
                with torch.no_grad():
                    accuracy = (network(inputs_).argmax(dim=1) == targets_).float().mean().item()
                for goal in MNIST_GOALS:
                    if accuracy >= goal:
                        reached.setdefault(goal, round(spent, 2))
                last = time.perf_counter()
        if len(reached) == len(MNIST_GOALS):
            break
    return reached


def mnist() -> list[tuple[str, str, str]]:
    """Ours and the tutorial's in turns, so that both meet the same machine."""
    workers, pairs = best_workers(), []
    with _warm() as scheduler:
        for seed in range(SEEDS):
            pairs.append((ours(replace(suggested("mnist"), seed=seed), MNIST_GOALS, scheduler), tutorial(seed, workers)))
            print(f"seed {seed}: ours {pairs[-1][0]}, the tutorial’s {pairs[-1][1]}", file=sys.stderr, flush=True)
    rows = []
    for goal, bound in zip(MNIST_GOALS, (10, 15), strict=True):
        mine, theirs = (statistics.median(pair[side].get(goal, float("inf")) for pair in pairs) for side in (0, 1))
        measured = f"{mine:.1f} s, the tutorial’s script {theirs:.0f} s: {theirs / mine:.0f} × sooner"
        rows.append((f"Train: time from the click on *Train* to {goal:.0%} test accuracy on MNIST", measured, f"≥ {bound} ×"))
    return rows


def cifar10() -> list[tuple[str, str, str]]:
    """The suggested training of the quick network for a few epochs and for more, and of the wide one."""
    rows = []
    with _warm() as scheduler:
        for goal, bound, network, epochs in CIFAR10:
            config = replace(suggested("cifar10", network), epochs=epochs)
            seconds = [ours(replace(config, seed=seed), [goal], scheduler).get(goal, float("inf")) for seed in range(SEEDS)]
            print(f"{goal:.0%}, {network}, {epochs} epochs: {seconds}", file=sys.stderr, flush=True)
            rows.append(
                (f"Train: time from the click on *Train* to {goal:.0%} test accuracy on CIFAR-10", f"{statistics.median(seconds):.0f} s", f"≤ {bound:.0f} s")
            )
    return rows


@contextmanager
def _warm() -> Iterator[Scheduler]:
    """A scheduler that has started its forking process and trained once, and runs in a folder of their own."""
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, PLAYGROUND_RUNS=folder):
        scheduler = Scheduler(workers=1)
        scheduler.warm_up()
        ours(TrainConfig("mnist-5k", "mnist-mlp", epochs=0.1), [], scheduler)
        yield scheduler
        scheduler.close()


def has_cifar10() -> bool:
    """Whether it has been downloaded."""
    return is_ready("cifar10")


if __name__ == "__main__":
    if sys.argv[1:2] == ["tutorial"]:
        print(json.dumps(_tutorial(int(sys.argv[2]), int(sys.argv[3]))))
    else:
        measures = {"mnist": mnist, "cifar10": cifar10}
        for measure in [measures[name] for name in sys.argv[1:]] or measures.values():
            for what, value, bound in measure():
                print(f"{what}: {value}, held to {bound}")
