"""What tutorials train, as they write it: the playground's accuracy beside that of plain PyTorch, over several seeds.

`python -m benchmarks.tutorials R1 5` trains the case R1 with five seeds each way, one after another, and compares. With a
file as the third word every training is added to it as a line of JSON, and those that it holds already are not repeated.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from benchmarks.plain import PRINTED_EVERY
from playground import environment
from playground.data.catalogue import dataset_info
from playground.data.load import cache_path
from playground.network.presets import preset
from playground.training.config import TrainConfig
from playground.training.events import Evaluated, Step
from playground.training.loop import train

CASES = {
    "R1": TrainConfig("mnist", "tutorial-cnn", epochs=10, batch_size=64, optimizer="adam", learning_rate=1e-3, schedule="constant"),
    "R2": TrainConfig("mnist", "mnist-mlp", epochs=5, batch_size=32, optimizer="sgd", learning_rate=0.01, momentum=0.9, schedule="constant"),
    "R3": TrainConfig("cifar10", "cifar-cnn", epochs=2, batch_size=4, optimizer="sgd", learning_rate=1e-3, momentum=0.9, schedule="constant"),
}
"""By name in the table of what tutorials do; where it is silent (R2), five epochs."""
SEEDS = 5
PLAIN_FROM = 100
"""First seed of the plain trainings; others than the playground's, so that the two samples are independent."""


@dataclass(frozen=True)
class Trained:
    """One training."""

    case: str
    way: str
    """`ours` or `plain`."""
    seed: int
    accuracy: float
    """On the test images, behind the last step."""
    curve: list[float]
    """Mean loss of every `PRINTED_EVERY` mini-batches, as the CIFAR-10 tutorial prints it."""
    seconds: float


@dataclass(frozen=True)
class Comparison:
    """The accuracies of both ways."""

    ours: list[float]
    plain: list[float]

    @property
    def difference(self) -> float:
        """Ours less plain, of the means."""
        return statistics.mean(self.ours) - statistics.mean(self.plain)

    @property
    def standard_error(self) -> float:
        """Of the difference, the two samples being independent."""
        return sum(statistics.variance(sample) / len(sample) for sample in (self.ours, self.plain)) ** 0.5

    @property
    def agrees(self) -> bool:
        """Whether the means lie within two standard errors, and each of ours among the plain ones or at most three standard deviations beside them."""
        margin = 3 * statistics.mean([statistics.variance(self.ours), statistics.variance(self.plain)]) ** 0.5
        inside = all(min(self.plain) - margin <= accuracy <= max(self.plain) + margin for accuracy in self.ours)
        return abs(self.difference) <= 2 * self.standard_error and inside


def measure(case: str, seeds: int = SEEDS, kept: Path | None = None) -> Comparison:
    """Train a case with so many seeds each way, in turns.

    Args:
        case: one of `CASES`.
        seeds: at least two.
        kept: a file of trainings as lines of JSON, which is read and added to.
    """
    known = [Trained(**json.loads(line)) for line in kept.read_text().splitlines()] if kept and kept.exists() else []
    trainings = {(each.way, each.seed): each for each in known if each.case == case}
    for seed in range(seeds):
        for way, own in (("ours", seed), ("plain", PLAIN_FROM + seed)):
            if (way, own) not in trainings:
                trainings[way, own] = _trained(case, way, own)
                if kept:
                    with kept.open("a") as file:
                        file.write(json.dumps(asdict(trainings[way, own])) + "\n")
    sides = ([trainings[way, first + seed].accuracy for seed in range(seeds)] for way, first in (("ours", 0), ("plain", PLAIN_FROM)))
    return Comparison(*sides)


def _trained(case: str, way: str, seed: int) -> Trained:
    start = time.perf_counter()
    accuracy, curve = _ours(case, seed) if way == "ours" else _plain(case, seed)
    return Trained(case, way, seed, accuracy, curve, round(time.perf_counter() - start, 1))


def _ours(case: str, seed: int) -> tuple[float, list[float]]:
    config = TrainConfig.from_dict({**CASES[case].to_dict(), "seed": seed, "device": "cpu"})
    losses, accuracy = [], 0.0
    for event in train(preset(config.network), config):
        if isinstance(event, Step):
            losses.append(event.loss)
        elif isinstance(event, Evaluated):
            accuracy = event.test_accuracy
    curve = [statistics.fmean(losses[start : start + PRINTED_EVERY]) for start in range(0, len(losses) - PRINTED_EVERY + 1, PRINTED_EVERY)]
    return accuracy, curve


def _plain(case: str, seed: int) -> tuple[float, list[float]]:
    """In a process of its own: a script that knows nothing of the playground."""
    path = cache_path(dataset_info(CASES[case].dataset))
    command = [sys.executable, str(environment.ROOT / "benchmarks" / "plain.py"), case, str(seed), str(path)]
    printed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return printed["accuracy"], printed["curve"]


def rows(seeds: int = SEEDS) -> list[tuple[str, str, str]]:
    """The rows of the table."""
    names = {"R1": "MNIST, N3, Adam, 10 epochs", "R2": "MNIST, N2, SGD, 5 epochs", "R3": "CIFAR-10, N4, SGD, 2 epochs"}
    return [
        (
            f"{names[case]}: test accuracy of the playground, beside the same network in plain PyTorch",
            _format_comparison(measure(case, seeds)),
            "within the seeds of plain PyTorch",
        )
        for case in CASES
    ]


def _format_comparison(comparison: Comparison) -> str:
    ours, plain = (f"{statistics.mean(sample):.2%} ± {statistics.stdev(sample):.2%}" for sample in (comparison.ours, comparison.plain))
    return f"{ours}, plain {plain}: {'agrees' if comparison.agrees else 'differs'}"


if __name__ == "__main__":
    torch.set_num_threads(1)
    comparison = measure(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else SEEDS, Path(sys.argv[3]) if len(sys.argv) > 3 else None)
    for name, sample in (("ours", comparison.ours), ("plain", comparison.plain)):
        print(
            f"{sys.argv[1]} {name:5} {' '.join(f'{accuracy:.4f}' for accuracy in sample)}  mean {statistics.mean(sample):.4f} ± {statistics.stdev(sample):.4f}"
        )
    print(
        f"{sys.argv[1]} difference {comparison.difference:+.4f}, standard error {comparison.standard_error:.4f}: {'agrees' if comparison.agrees else 'differs'}"
    )
