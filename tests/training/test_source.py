"""Exported scripts run without the playground and train the same network with the same settings."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from playground.data.augmentation import Augmentation
from playground.data.builtin import MNIST_5K_FILE
from playground.data.catalogue import DATASETS
from playground.data.images import normalise
from playground.data.input_scaling import BYTES, STANDARDISED, ZERO_TO_ONE
from playground.data.load import load
from playground.environment import ROOT
from playground.network.build import build
from playground.network.initialisations import INITIALISATIONS
from playground.network.presets import load_presets, preset
from playground.network.spec import LayerSpec, NetworkSpec
from playground.training.config import TrainConfig
from playground.training.optimizers import OPTIMIZER_TITLES, optimizer_type
from playground.training.schedules import SCHEDULE_TITLES
from playground.training.source import training_source
from playground.training.suggestions import suggested

SHORT = {"epochs": 1, "seed": 1, "learning_rate": 0.005}


FAST = preset("mnist-fast")
MUON = TrainConfig(
    network="mnist-fast", optimizer="muon", precision="bfloat16", whiten=True, initialisation="kaiming", inputs=ZERO_TO_ONE, weight_decay=0.01,
    epochs=1, seed=1, learning_rate=0.02,
)  # fmt: skip
MLP = preset("mnist-mlp")
ONE_CYCLE = TrainConfig(network="mnist-mlp", schedule="one-cycle", augment=Augmentation(shift=1, flip=False, noise=0.05), label_smoothing=0.05, **SHORT)
POOLED = NetworkSpec("tiny", (3, 32, 32), (LayerSpec("AvgPool2d", {"kernel_size": 2}), LayerSpec("Flatten"), LayerSpec("Linear", {"out_features": 10})))
SAVE_DIGITS = "\nfor data in (train_data, test_data): np.save(f'{len(data)}.npy', data.images), print(data.labels.sum(), data.labels.dtype)"
"""Code that a test appends to a script: saves the images, and prints the sum and type of the labels."""
CHILD = """
import contextlib, os, runpy, sys, traceback

for folder in sys.argv[1:]:
    os.chdir(folder)
    with open("printed.txt", "w", encoding="utf-8") as printed, open("failed.txt", "w", encoding="utf-8") as failed, contextlib.redirect_stdout(printed):
        try:
            runpy.run_path(os.path.join(folder, "train.py"), run_name="__main__")
        except BaseException:
            traceback.print_exc(file=failed)
"""


def run_scripts(sources: dict[str, str], folder: Path, **environment: str) -> None:
    """Run each script in a folder of its own; one fresh interpreter runs them all, as its imports take longest."""
    folders = [folder / name for name in sources]
    for each, source in zip(folders, sources.values(), strict=True):
        (each / "train.py").write_text(source, encoding="utf-8")
    (folder / "child.py").write_text(CHILD, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(folder / "child.py"), *map(str, folders)],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def printed_in(folder: Path) -> str:
    """Return what a script printed; fail if it did not reach its end."""
    assert (folder / "failed.txt").read_text(encoding="utf-8") == ""
    return (folder / "printed.txt").read_text(encoding="utf-8")


def prepares(config: TrainConfig) -> str:
    """Return the part of a script that reads and prepares the digits."""
    return training_source(MLP, config).split("\nnetwork = ")[0]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of scripts that ran without the playground, each beside the digits that the page offers for download."""
    folder = tmp_path_factory.mktemp("alone")
    stacked = "\nimages, noisy = (torch.stack([data[index][0] for index in range(200)]) for data in (Digits(True, normalise), train_data))"
    stacked += "\nprint(images.min().item(), images.max().item(), (noisy - images).std().item())"
    noisy = {inputs: TrainConfig(network="mnist-mlp", inputs=inputs, augment=Augmentation(noise=0.1)) for inputs in RANGES}
    sources = {f"scaled-{inputs}": prepares(config) + stacked for inputs, config in noisy.items()}
    sources |= {"muon": training_source(FAST, MUON), "digits": training_source(MLP, ONE_CYCLE) + SAVE_DIGITS}
    for name in sources:
        (folder / name).mkdir()
        shutil.copy(MNIST_5K_FILE, folder / name)
    run_scripts(sources, folder)
    return folder


@pytest.fixture(scope="module")
def with_playground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of scripts that ran where the playground is installed."""
    folder = tmp_path_factory.mktemp("with-playground")
    shapes = TrainConfig(dataset="shapes", network=POOLED.name, batch_size=100, **SHORT)
    sources = {"digits": prepares(TrainConfig(network="mnist-mlp")) + SAVE_DIGITS, "shapes": training_source(POOLED, shapes)}
    for name in sources:
        (folder / name).mkdir()
    run_scripts(sources, folder, PYTHONPATH=str(ROOT))
    return folder


@pytest.mark.parametrize(("optimizer", "schedule"), [pytest.param(*pair, id="-".join(pair)) for pair in product(list(OPTIMIZER_TITLES), list(SCHEDULE_TITLES))])
@pytest.mark.parametrize("plain", [True, False], ids=["plain", "with-everything"])
def test_a_script_can_be_compiled(optimizer: str, schedule: str, plain: bool) -> None:
    more = (
        {}
        if plain
        else {
            "weight_decay": 0.01,
            "label_smoothing": 0.1,
            "betas": (0.8, 0.99),
            "nesterov": True,
            "augment": Augmentation(2, True, 10, 0.1, 0.5, 0.1),
            "precision": "bfloat16",
            "clip_grad_norm": 0.5,
        }
    )
    source = training_source(preset("mnist-cnn"), TrainConfig(dataset="mnist", optimizer=optimizer, schedule=schedule, **more))
    compile(source, "train.py", "exec")
    assert ("torch.autocast" in source) is not plain
    assert ("clip_grad_norm_(network.parameters(), 0.5)" in source) is not plain
    name = optimizer_type(optimizer).target.removeprefix("playground.training.muon.")
    assert f"\noptimizer = {name}(" in source
    assert ("scheduler.step()" in source) == (schedule != "constant")
    assert "playground" not in source


@pytest.mark.parametrize("info", DATASETS, ids=lambda info: info.name)
def test_every_data_set_has_a_script(info: object) -> None:
    name = info.name  # type: ignore[attr-defined]
    config = suggested(name)
    compile(training_source(preset(config.network), config), "train.py", "exec")


@pytest.mark.parametrize("name", load_presets().networks)
def test_every_network_has_a_script(name: str) -> None:
    compile(training_source(preset(name), TrainConfig(network=name)), "train.py", "exec")


@pytest.mark.parametrize("rate", [0.0123456789, 1e-7, 3.0], ids=str)
@pytest.mark.parametrize("optimizer", list(OPTIMIZER_TITLES))
def test_a_script_has_the_exact_learning_rate(optimizer: str, rate: float) -> None:
    source = training_source(preset("mnist-mlp"), TrainConfig(optimizer=optimizer, learning_rate=rate, schedule="constant"))
    match = re.search(r"^optimizer = .*\blr=([^,)]+)", source, re.MULTILINE)
    assert match and float(match[1]) == rate


@pytest.mark.parametrize(
    ("augment", "transform"),
    [
        pytest.param(Augmentation(flip=True), "RandomHorizontalFlip", id="flip"),
        pytest.param(Augmentation(shift=2), "RandomAffine", id="shift"),
        pytest.param(Augmentation(rotation=10), "RandomAffine(10", id="rotation"),
        pytest.param(Augmentation(scale=0.1), "scale=(0.9, 1.1)", id="scale"),
        pytest.param(Augmentation(noise=0.1), "randn_like", id="noise"),
    ],
)
def test_augmentations_of_torchvision_are_in_the_script(augment: Augmentation, transform: str) -> None:
    assert transform in training_source(preset("mnist-mlp"), TrainConfig(augment=augment))
    assert transform not in training_source(preset("mnist-mlp"), TrainConfig())


RANGES = {STANDARDISED: (-0.1307 / 0.3081, (1 - 0.1307) / 0.3081), ZERO_TO_ONE: (0, 1), BYTES: (0, 255)}


@pytest.mark.parametrize("inputs", RANGES)
def test_input_scaling_of_the_script_equals_that_of_the_playground(inputs: str, alone: Path) -> None:
    """Noise has the same share of the range of pixels."""
    low, high = RANGES[inputs]
    least, most, noise = map(float, printed_in(alone / f"scaled-{inputs}").split())
    assert (least, most) == pytest.approx((low, high), abs=0.001)
    assert noise == pytest.approx(0.1 * (high - low), rel=0.02)


def check_saved_digits(folder: Path, printed: list[str]) -> None:
    """Check that the script had the images and labels of the playground."""
    images = load("mnist-5k")
    assert printed == [str(images.train_labels.sum().item()), "int64", str(images.test_labels.sum().item()), "int64"]
    for expected in (images.train_images, images.test_images):
        np.testing.assert_array_equal(np.load(folder / f"{len(expected)}.npy"), expected.squeeze(1).numpy())


def test_a_script_reads_the_digits_of_the_installed_playground(with_playground: Path) -> None:
    check_saved_digits(with_playground / "digits", printed_in(with_playground / "digits").split())


def test_what_torchvision_cannot_do_is_said_in_a_comment() -> None:
    config = TrainConfig(augment=Augmentation(shift=2, stroke=0.5, scribbles=0.1))
    source = training_source(preset("mnist-mlp"), config)
    assert "# The run also trained on thicker and thinner lines and scribbles of no class, for which torchvision has no transform." in source
    assert "also trained" not in training_source(preset("mnist-mlp"), TrainConfig(augment=Augmentation(shift=2)))


def test_a_fraction_of_an_epoch_is_rounded_with_a_comment() -> None:
    assert "epochs = 1  # instead of 0.75" in training_source(preset("mnist-mlp"), TrainConfig(epochs=0.75))
    assert "epochs = 2\n" in training_source(preset("mnist-mlp"), TrainConfig(epochs=2.0))


@pytest.mark.parametrize("name", INITIALISATIONS)
def test_the_script_has_the_configured_weight_initialisation(name: str) -> None:
    source = training_source(preset("mnist-mlp"), TrainConfig(initialisation=name))
    assert (INITIALISATIONS[name].call in source) == (name != "default")
    assert ("network.apply(initialise)" in source) == (name != "default")


def test_the_script_with_muon_and_whitening_reaches_its_accuracy(alone: Path) -> None:
    (accuracy,) = re.findall(r"test accuracy ([\d.]+)%", printed_in(alone / "muon"))
    assert float(accuracy) > 80
    weights = torch.load(alone / "muon" / "network.pt", weights_only=True, map_location="cpu")
    images = load("mnist-5k")
    white = nn.functional.conv2d(normalise(images.train_images, images.info, ZERO_TO_ONE), weights["0.weight"], stride=2)  # (N, 16, 12, 12)
    patterns, negatives = white.transpose(0, 1).flatten(1).chunk(2)  # (8, N · 144) each
    assert torch.equal(patterns, -negatives)
    torch.testing.assert_close(patterns @ patterns.T / patterns.shape[1], torch.eye(8), atol=0.05, rtol=0)


def test_the_script_for_digits_reads_the_file_beside_it_and_reaches_its_accuracy(alone: Path) -> None:
    printed = printed_in(alone / "digits")
    check_saved_digits(alone / "digits", printed.split()[-4:])
    (accuracy,) = re.findall(r"test accuracy ([\d.]+)%", printed)
    assert float(accuracy) > 80
    weights = torch.load(alone / "digits" / "network.pt", weights_only=True, map_location="cpu")
    assert str(build(MLP).load_state_dict(weights)) == "<All keys matched successfully>"


def test_the_script_for_shapes_runs_with_the_playground(with_playground: Path) -> None:
    (accuracy,) = re.findall(r"test accuracy ([\d.]+)%", printed_in(with_playground / "shapes"))
    assert float(accuracy) > 12  # one epoch of a single layer: better than one in ten
    build(POOLED).load_state_dict(torch.load(with_playground / "shapes" / "network.pt", weights_only=True, map_location="cpu"))
