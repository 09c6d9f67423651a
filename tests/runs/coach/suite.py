"""Broken runs, each with the fault that the coach must find, and healthy runs, for which it must find nothing.

Small networks on a part of the real digits, so that each run takes well under a second.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch

from playground.data.augmentation import Augmentation
from playground.data.images import ImageSet
from playground.data.load import load
from playground.errors import DivergedError
from playground.network.presets import preset
from playground.network.spec import LayerSpec, NetworkSpec
from playground.network.types import Value
from playground.runs.coach import Record
from playground.runs.history import History
from playground.runs.run import Run, create
from playground.training.config import TrainConfig
from playground.training.events import Checkpoint, Evaluated, Event, Failed, LearningRate, OptimizerChanged, Snapshot, Started, Step
from playground.training.instruments import divergence
from playground.training.instruments.observation import OBSERVATIONS, Observer
from playground.training.loop import Training

from ...support.tiers import is_quick

LOOKS = 20
"""Number of observations of a run, on any machine."""
DIGITS, PICTURES = (1, 28, 28), (3, 32, 32)


@dataclass(frozen=True)
class Images:
    """A part of a data set, possibly damaged."""

    train: int = 1000
    test: int = 400
    without: int = -1
    """A class that is missing in the training set; -1 for none."""
    shuffled: bool = False
    """Whether training labels are random."""


@dataclass(frozen=True)
class Case:
    """A run and the expected finding."""

    name: str
    expected: str
    """Name of the expected finding; empty for a healthy run."""
    network: NetworkSpec
    config: TrainConfig
    images: Images = field(default_factory=Images)
    changes: Mapping[int, float | str] = field(default_factory=dict)
    """After which steps the learner changes the learning rate, or the optimizer."""


def layers(*given: str | tuple[str, dict[str, Value]], shape: tuple[int, ...] = DIGITS) -> NetworkSpec:
    return NetworkSpec("test", shape, tuple(LayerSpec(layer) if isinstance(layer, str) else LayerSpec(*layer) for layer in given))


def linear(width: int) -> tuple[str, dict[str, Value]]:
    return "Linear", {"out_features": width}


def conv(channels: int, kernel: int = 3, stride: int = 1) -> tuple[str, dict[str, Value]]:
    return "Conv2d", {"out_channels": channels, "kernel_size": kernel, "stride": stride}


def mlp(*widths: int, behind: tuple[Any, ...] = ("ReLU",), end: tuple[str, ...] = (), shape: tuple[int, ...] = DIGITS) -> NetworkSpec:
    """Return linear layers of these widths, each followed by the same layers, and a last one with ten logits."""
    hidden = [layer for width in widths for layer in (linear(width), *behind)]
    return layers("Flatten", *hidden, linear(10), *end, shape=shape)


def cnn(*, behind: tuple[str, ...] = ("ReLU",), end: tuple[str, ...] = (), shape: tuple[int, ...] = DIGITS) -> NetworkSpec:
    """Return two convolutions and two linear layers."""
    return layers(conv(8, 5, 2), *behind, conv(16, 3, 2), *behind, "Flatten", linear(32), "ReLU", linear(10), *end, shape=shape)


def dropout(share: float) -> tuple[str, dict[str, Value]]:
    return "Dropout", {"p": share}


def _case(
    name: str, expected: str, network: NetworkSpec, images: Images | None = None, changes: Mapping[int, float | str] | None = None, **settings: Any
) -> Case:
    dataset = "mnist-5k" if network.input_shape == DIGITS else "shapes"
    config = TrainConfig(dataset, network.name, **{"epochs": 8, "device": "cpu", **settings})
    return Case(name, expected, network, config, images or Images(), changes or {})


SGD: dict[str, Any] = {"optimizer": "sgd"}
CONSTANT: dict[str, Any] = {"schedule": "constant"}
FEW = Images(300)
MORE = Images(2000, 400)
POOLED: tuple[str, dict[str, Value]] = ("AdaptiveAvgPool2d", {"output_size": 4})

BROKEN = (
    _case("the learning rate raised to 0.3", "own-change", mlp(64), MORE, {90: 0.3}, epochs=5),
    _case("the learning rate raised to 0.3, CNN", "own-change", cnn(), MORE, {90: 0.3}, epochs=5),
    _case("the learning rate raised until it diverges", "own-change", mlp(64, 64, 64), MORE, {70: 30.0}, epochs=4, learning_rate=0.05, **SGD, **CONSTANT),
    _case("Adam changed to SGD with the learning rate raised", "own-change", mlp(64), MORE, {90: 3.0, 92: "sgd"}, epochs=5, **CONSTANT),
    _case("bytes into an MLP", "inputs-not-normalised", mlp(64), MORE, inputs="0-255", epochs=4),
    _case("bytes into a CNN, SGD", "inputs-not-normalised", cnn(), inputs="0-255", learning_rate=0.03, epochs=5, **SGD),
    _case("bytes into a CNN with tanh", "inputs-not-normalised", cnn(behind=("Tanh",)), inputs="0-255", epochs=5),
    _case("zeros in an MLP", "starts-at-zero", mlp(64), initialisation="zeros", epochs=5),
    _case("zeros before batch norm", "starts-at-zero", cnn(behind=("BatchNorm2d", "ReLU")), initialisation="zeros", epochs=4),
    _case("large weights, ReLU", "exploding-gradients", mlp(64, 64, 64), initialisation="large"),
    _case("large weights, tanh", "exploding-gradients", mlp(64, 64, behind=("Tanh",)), initialisation="large"),
    _case("large weights in a CNN", "exploding-gradients", cnn(), initialisation="large", epochs=5),
    _case("six sigmoids", "vanishing-gradients", mlp(*[64] * 6, behind=("Sigmoid",))),
    _case("six tanhs with small weights", "vanishing-gradients", mlp(*[64] * 6, behind=("Tanh",)), initialisation="small", learning_rate=0.03, **SGD),
    _case("twenty ReLU layers", "vanishing-gradients", mlp(*[32] * 20)),
    _case("SGD with a rate of 10", "not-a-number", mlp(64, 64, 64), learning_rate=10.0, **SGD, **CONSTANT),
    _case("large weights, SGD", "not-a-number", mlp(64, 64, 64), initialisation="large", learning_rate=1.0, **SGD),
    _case("Adam with a rate of 1", "rate-too-high", mlp(64), learning_rate=1.0),
    _case("Adam with a rate of 0.1, deep", "rate-too-high", mlp(64, 64), learning_rate=0.1, **CONSTANT),
    _case("SGD with a rate of 1, tanh", "rate-too-high", mlp(64, 64, behind=("Tanh",)), learning_rate=1.0, **SGD, **CONSTANT),
    _case("Adam with a rate of a millionth", "rate-too-low", mlp(64), learning_rate=1e-6),
    _case("SGD with a rate of 0.0003 in a CNN", "rate-too-low", cnn(), learning_rate=3e-4, epochs=5, **SGD),
    _case("one cycle up to a rate of 0.08", "dead-relus", mlp(64, 64), learning_rate=0.08, epochs=12),
    _case("one cycle up to a rate of 0.08, deep", "dead-relus", mlp(64, 64, 64), learning_rate=0.08, epochs=12),
    _case("few images, SGD", "overfitting", mlp(128), FEW, learning_rate=0.1, epochs=25, **SGD),
    _case("few images, MLP", "overfitting", mlp(64), FEW, epochs=40),
    _case("few images, CNN", "overfitting", cnn(), FEW, learning_rate=0.01, epochs=30),
    _case("four pixels", "underfitting", layers(("AdaptiveAvgPool2d", {"output_size": 2}), "Flatten", linear(16), "ReLU", linear(10)), epochs=10),
    _case("two hidden units", "underfitting", mlp(2), epochs=10),
    _case("a rate of 0.3 to the end, linear", "plateau", layers(POOLED, "Flatten", linear(10)), learning_rate=0.3, epochs=12, **CONSTANT),
    _case("a rate of 0.1 to the end, linear", "plateau", layers(POOLED, "Flatten", linear(10)), learning_rate=0.1, epochs=12, **CONSTANT),
    _case("no sevens, MLP", "class-never-predicted", mlp(64), Images(without=7)),
    _case("no threes, CNN", "class-never-predicted", cnn(), Images(without=3), epochs=6),
    _case("single images", "batch-too-small", mlp(64), Images(500), batch_size=1, epochs=1, **CONSTANT),
    _case("pairs of images with batch norm", "batch-too-small", mlp(64, behind=("BatchNorm1d", "ReLU")), Images(500), batch_size=2, epochs=2),
    _case("all images at once", "batch-too-large", mlp(64), batch_size=1000, epochs=6),
    _case("half of the images at once, CNN", "batch-too-large", cnn(), batch_size=500, epochs=5),
    _case("softmax before the loss", "softmax-before-loss", mlp(64, end=("Softmax",))),
    _case("sigmoid before the loss, CNN", "softmax-before-loss", cnn(end=("Sigmoid",)), epochs=5),
    _case("ReLU behind the scores", "activation-last", mlp(64, end=("ReLU",))),
    _case("no activation", "no-activation", mlp(64, 64, behind=(), shape=PICTURES), Images(2000), learning_rate=0.001, epochs=6),
    _case("labels dealt out at random, MLP", "chance-level", mlp(64), Images(shuffled=True), epochs=4),
    _case("labels dealt out at random, CNN", "chance-level", cnn(), Images(shuffled=True), epochs=5),
    _case("dropout of 0.9", "regularised-too-strongly", mlp(64, 64, behind=("ReLU", dropout(0.9)))),
    _case("weight decay of 0.3", "regularised-too-strongly", mlp(64), weight_decay=0.3),
    _case("turned by any angle", "regularised-too-strongly", mlp(64), augment=Augmentation(shift=10, rotation=180.0, noise=0.5)),
    _case("a quarter of an epoch", "still-learning", mlp(64), MORE, epochs=0.4),
)  # fmt: skip

VIT = layers(
    ("PatchEmbedding", {"embed_dim": 32, "patch_size": 7}), ("TransformerEncoderLayer", {"nhead": 4, "dim_feedforward": 64}), "LayerNorm",
    "TokenMean", linear(10),
)  # fmt: skip

HEALTHY = (
    _case("MLP, Adam", "", mlp(64), MORE, epochs=4),
    _case("MLP, Adam, constant", "", mlp(64), MORE, epochs=4, learning_rate=0.001, **CONSTANT),
    _case("MLP, SGD", "", mlp(64), MORE, epochs=4, learning_rate=0.05, **SGD, **CONSTANT),
    _case("MLP, SGD without momentum", "", mlp(64), MORE, epochs=5, learning_rate=0.1, momentum=0.0, **SGD),
    _case("MLP, RMSprop", "", mlp(64), MORE, epochs=4, optimizer="rmsprop", learning_rate=0.001, momentum=0.0, schedule="cosine"),
    _case("MLP, AdamW with weight decay", "", mlp(64), MORE, epochs=4, optimizer="adamw", weight_decay=0.01, schedule="step"),
    _case("MLP, Muon", "", mlp(64, 64), MORE, epochs=3, optimizer="muon"),
    _case("MLP, batches of 32", "", mlp(64), MORE, epochs=3, batch_size=32),
    _case("MLP, batches of 256", "", mlp(64), Images(3000, 400), epochs=6, batch_size=256),
    _case("MLP, pixels from 0 to 1", "", mlp(64), MORE, epochs=4, inputs="0-1"),
    _case("MLP with dropout", "", mlp(128, behind=("ReLU", dropout(0.5))), MORE, epochs=5),
    _case("MLP, augmented", "", mlp(64), MORE, epochs=5, augment=Augmentation(shift=1)),
    _case("MLP, labels smoothed", "", mlp(64), MORE, epochs=4, label_smoothing=0.1),
    _case("MLP, six layers, Kaiming", "", mlp(*[64] * 6), MORE, epochs=5, initialisation="kaiming", learning_rate=0.001),
    _case("MLP, six layers with batch norm", "", mlp(*[64] * 6, behind=("BatchNorm1d", "ReLU")), MORE, epochs=4),
    _case("MLP with tanh", "", mlp(64, 64, behind=("Tanh",)), MORE, epochs=4),
    _case("a linear model", "", mlp(), MORE, epochs=4, learning_rate=0.001),
    _case("CNN, Adam", "", cnn(), MORE, epochs=4),
    _case("CNN, SGD", "", cnn(), MORE, epochs=4, learning_rate=0.05, **SGD),
    _case("CNN with batch norm", "", cnn(behind=("BatchNorm2d", "ReLU")), MORE, epochs=3),
    _case("ViT", "", VIT, MORE, epochs=4, optimizer="adamw"),
    _case("the learning rate doubled", "", mlp(64), MORE, {60: 0.006}, epochs=4),
    _case("the learning rate lowered", "", mlp(64), MORE, {60: 0.001}, epochs=4),
    _case("the learning rate tripled and set back, CNN", "", cnn(), MORE, {50: 0.009, 80: 0.003}, epochs=4),
    _case("Adam changed to AdamW", "", mlp(64), MORE, {60: "adamw"}, epochs=4),
    _case("Adam changed to SGD late", "", cnn(), MORE, {90: "sgd"}, epochs=4),
    _case("batches of 16, the learning rate doubled", "", mlp(64), MORE, {200: 0.006}, epochs=4, batch_size=16),
    _case("pictures, CNN", "", cnn(shape=PICTURES), MORE, epochs=6, augment=Augmentation(flip=True)),
)  # fmt: skip

REPEATED = frozenset(case.name for number, case in enumerate(BROKEN) if any(case.expected == earlier.expected for earlier in BROKEN[:number]))
"""Names of the cases whose fault an earlier case has already; the quick tier leaves them out."""


def of_tier(cases: Iterable[Case]) -> list[Case]:
    """Return the cases of the tier in force."""
    return [case for case in cases if case.name not in REPEATED or not is_quick()]


def by_case(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """Parametrise a test by the cases."""
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.name, marks=[pytest.mark.slow] if case.name in REPEATED else []) for case in cases])


LARGE = Images(640, 200)
"""So few for the playground's own networks, which take long."""


def recommended() -> Iterator[Case]:
    """Yield the recommended settings for the built-in data sets, with fewer images."""
    from playground.data.catalogue import DATASETS
    from playground.training.suggestions import suggested

    for info in DATASETS:
        if info.offline:
            config = suggested(info.name)
            yield Case(f"as recommended for {info.title}", "", preset(config.network), replace(config, device="cpu"), LARGE)


def part(dataset: str, images: Images) -> ImageSet:
    """Return the images of a case."""
    whole = load(dataset)
    kept = torch.ones(len(whole.train_labels), dtype=torch.bool) if images.without < 0 else whole.train_labels != images.without
    pictures, labels = whole.train_images[kept][: images.train], whole.train_labels[kept][: images.train]
    if images.shuffled:
        labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))]
    info = replace(whole.info, train_size=len(labels), test_size=images.test)
    return ImageSet(info, pictures, labels, whole.test_images[: images.test], whole.test_labels[: images.test])


def trained(case: Case, run: Run | None = None) -> tuple[Run, Record]:
    """The case's run to its end, recorded in a folder as a worker does it, and its record.

    Args:
        case: what to train.
        run: another run on the same images, to be trained from its last checkpoint; None for the case's own.
    """
    changes = {} if run else case.changes
    run = run or create(case.config, case.network)
    images = part(run.config.dataset, case.images)
    training = _prepared(run, images)
    training.observer = Observer(training.total_steps * OBSERVATIONS // LOOKS, share=1e9)
    run.journal.append(Started(0.0, training.step, training.total_steps, training.steps_per_epoch, "cpu", 1))
    events: list[Event] = []
    try:
        for event in training.events():
            if isinstance(event, Evaluated) or (isinstance(event, Checkpoint) and event.step == training.total_steps):
                run.checkpoints.save(training.state())  # at steps that do not depend on the machine
            if not isinstance(event, Snapshot):
                events.append(event)
            if isinstance(event, Step) and event.step == training.step and event.step in changes:
                events.append(_changed(training, changes[event.step]))
    except DivergedError as error:
        events += [divergence.find(_prepared(run, images), error.step), Failed(0.0, str(error), "")]
    run.journal.extend(events)
    return run, Record.of(History(run).follow())


def _changed(training: Training, value: float | str) -> Event:
    """Change a training as a worker does at the learner's command, and return the event."""
    if isinstance(value, str):
        training.change_optimizer(value)
        return OptimizerChanged(training.step, value)
    training.learning_rate = value
    return LearningRate(training.step, value)


def _prepared(run: Run, images: ImageSet) -> Training:
    training = Training(run.network, run.config, images)
    if state := run.checkpoints.load():
        training.restore(state)
    return training


def with_seed(case: Case, seed: int) -> Case:
    return dataclasses.replace(case, config=replace(case.config, seed=seed))
