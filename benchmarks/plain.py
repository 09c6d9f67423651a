"""What introductory tutorials train, in PyTorch alone: the measure of the playground's own training.

`python benchmarks/plain.py R1 100 mnist.safetensors` trains with seed 100 and prints a line of JSON. Nothing of the playground is
used but the file in which it keeps a parsed data set. Images are normalised once and lie in memory, because only the
mathematics is compared; a `DataLoader` would give the same batches, slower.
"""

from __future__ import annotations

import json
import sys

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

PRINTED_EVERY = 2_000
"""Mini-batches whose mean loss is printed, as in https://docs.pytorch.org/tutorials/beginner/blitz/cifar10_tutorial.html."""

MNIST = torch.tensor([0.1307]), torch.tensor([0.3081])
CIFAR10 = torch.tensor([0.4914, 0.4822, 0.4465]), torch.tensor([0.2470, 0.2435, 0.2616])
"""Mean and standard deviation of each channel."""


def n2() -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def n3() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(800, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip


def n4() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def main(case: str, seed: int, path: str) -> None:
    """Train as the tutorial of that name does, and print the accuracy and the losses."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    data = load_file(path)
    match case:
        case "R1":
            images, network, batch, epochs = _normalised(data, MNIST), n3(), 64, 10
            optimizer: torch.optim.Optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
        case "R2":
            images, network, batch, epochs = _normalised(data, MNIST), n2(), 32, 5
            optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
        case "R3":
            images, network, batch, epochs = _normalised(data, CIFAR10), n4(), 4, 2
            optimizer = torch.optim.SGD(network.parameters(), lr=0.001, momentum=0.9)
        case _:
            sys.exit(f"There is no case {case}.")
    curve = _train(network, optimizer, images[0], data["train_labels"], batch, epochs)
    print(json.dumps({"accuracy": _accuracy(network, images[1], data["test_labels"]), "curve": curve}))


def _normalised(data: dict[str, Tensor], constants: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """The training and the test images, (N, C, H, W) float32."""
    mean, std = (constant.view(-1, 1, 1) for constant in constants)
    return (data["train_images"] / 255 - mean) / std, (data["test_images"] / 255 - mean) / std


def _train(network: nn.Sequential, optimizer: torch.optim.Optimizer, images: Tensor, labels: Tensor, batch: int, epochs: int) -> list[float]:
    """The mean loss of every `PRINTED_EVERY` mini-batches."""
    loss_function = nn.CrossEntropyLoss()
    losses = []
    for _ in range(epochs):
        for index in torch.randperm(len(images)).split(batch):
            optimizer.zero_grad()
            loss = loss_function(network(images[index]), labels[index])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return [sum(losses[start : start + PRINTED_EVERY]) / PRINTED_EVERY for start in range(0, len(losses) - PRINTED_EVERY + 1, PRINTED_EVERY)]


@torch.no_grad()
def _accuracy(network: nn.Sequential, images: Tensor, labels: Tensor) -> float:
    network.eval()
    right = [(network(part).argmax(dim=1) == truth).sum().item() for part, truth in zip(images.split(1000), labels.split(1000), strict=True)]
    return sum(right) / len(labels)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
