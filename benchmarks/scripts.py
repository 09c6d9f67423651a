"""How fast the interpreter runs the loops of introductory tutorials.

`python -m benchmarks scripts` measures these alone.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from playground.tensors.language.bounds import MIB, Bounds
from playground.tensors.language.interpreter import run

SECONDS = 2
"""Processor time of the gradient descent, as the live pages have it."""
REPEATED = 5
DESCENT = """w = torch.tensor(0., requires_grad=True)
b = torch.tensor(0., requires_grad=True)
x = torch.tensor([1., 2., 3., 4.])
y = 2 * x + 1
for epoch in range(100_000):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad.zero_()
    b.grad.zero_()
"""
TRAINING = """torch.manual_seed(0)
images = torch.rand(5000, 784)
labels = torch.randint(0, 10, (5000,))
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 512)
        self.fc2 = nn.Linear(512, 512)
        self.fc3 = nn.Linear(512, 10)
    def forward(self, x):
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))
model = Net()
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
for epoch in range(2):
    for start in range(0, 5000, 64):
        X, y = images[start:start + 64], labels[start:start + 64]
        loss = loss_fn(model(X), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
"""
"""What https://docs.pytorch.org/tutorials/beginner/basics/quickstart_tutorial.html trains, over as many images as MNIST 5k has."""


def turns() -> int:
    """Return the turns of a gradient descent of two parameters within `SECONDS` of processor time."""
    run(DESCENT, bounds=Bounds(seconds=SECONDS))  # what PyTorch loads on the first use is not the loop's
    return int(run(DESCENT, bounds=Bounds(seconds=SECONDS, statements=10**9)).names["epoch"])


def training() -> tuple[float, float]:
    """Return the processor time of a training loop: interpreted, and by Python itself; medians in seconds."""
    code = compile(TRAINING, "training", "exec")
    interpreted, plain = [], []
    for _ in range(REPEATED + 1):
        interpreted.append(_time(lambda: run(TRAINING, bounds=Bounds(seconds=60, memory=256 * MIB))))
        plain.append(_time(lambda: exec(code, {"torch": torch, "nn": nn, "F": F})))  # noqa: S102 (our own code)
    return statistics.median(interpreted[1:]), statistics.median(plain[1:])


def _time(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def rows() -> list[tuple[str, str, str]]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the processes that run scripts have it
    interpreted, plain = training()
    count = turns()
    torch.set_num_threads(threads)
    return [
        (f"Scripts: turns of a gradient descent of two parameters within {SECONDS} s of processor time", f"{count:,}", "≥ 3,000"),
        (
            "Scripts: processor time of a training loop of an MLP over 5,000 images, interpreted and recorded ÷ by Python itself",
            f"{interpreted / plain:.2f} ({interpreted:.2f} ÷ {plain:.2f} s)",
            "≤ 1.5",
        ),
    ]
