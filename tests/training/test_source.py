"""The exported scripts run outside the playground, and train what the playground would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
import torch

from playground.data.augment import Augment
from playground.data.catalogue import DATASETS
from playground.network.build import build
from playground.network.presets import load_presets, preset
from playground.network.spec import LayerSpec, NetworkSpec
from playground.settings import ROOT
from playground.training.config import OPTIMIZERS, SCHEDULES, TrainConfig
from playground.training.source import training_source
from playground.training.suggestions import suggested

SHORT = {"epochs": 1, "seed": 1, "learning_rate": 0.005}


def run_script(source: str, folder: Path, **environment: str) -> str:
    script = folder / "train.py"
    script.write_text(source, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("optimizer", "schedule"), [pytest.param(*pair, id="-".join(pair)) for pair in product(OPTIMIZERS, SCHEDULES)])
@pytest.mark.parametrize("plain", [True, False], ids=["plain", "with-everything"])
def test_a_script_is_python(optimizer: str, schedule: str, plain: bool) -> None:
    more = (
        {} if plain else {"weight_decay": 0.01, "label_smoothing": 0.1, "betas": (0.8, 0.99), "nesterov": True, "augment": Augment(2, True, 10, 0.1, 0.5, 0.1)}
    )
    source = training_source(preset("mnist-cnn"), TrainConfig(optimizer=optimizer, schedule=schedule, **more))
    compile(source, "train.py", "exec")
    assert f"torch.optim.{ {'sgd': 'SGD', 'rmsprop': 'RMSprop', 'adam': 'Adam', 'adamw': 'AdamW'}[optimizer] }(" in source
    assert ("scheduler.step()" in source) == (schedule != "constant")
    assert "playground" not in source


@pytest.mark.parametrize("info", DATASETS, ids=lambda info: info.name)
def test_every_data_set_has_its_script(info: object) -> None:
    name = info.name  # type: ignore[attr-defined]
    config = suggested(name)
    compile(training_source(preset(config.network), config), "train.py", "exec")


@pytest.mark.parametrize("name", load_presets().networks)
def test_every_network_has_its_script(name: str) -> None:
    compile(training_source(preset(name), TrainConfig(network=name)), "train.py", "exec")


@pytest.mark.parametrize("rate", [0.0123456789, 1e-7, 3.0], ids=str)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_script_has_the_very_learning_rate(optimizer: str, rate: float) -> None:
    source = training_source(preset("mnist-mlp"), TrainConfig(optimizer=optimizer, learning_rate=rate, schedule="constant"))
    found = re.search(r"lr=([^,)]+)", source)
    assert found and float(found[1]) == rate


@pytest.mark.parametrize(
    ("augment", "transform"),
    [
        pytest.param(Augment(flip=True), "RandomHorizontalFlip", id="flip"),
        pytest.param(Augment(shift=2), "RandomAffine", id="shift"),
        pytest.param(Augment(rotation=10), "RandomAffine(10", id="rotation"),
        pytest.param(Augment(scale=0.1), "scale=(0.9, 1.1)", id="scale"),
        pytest.param(Augment(noise=0.1), "randn_like", id="noise"),
    ],
)
def test_augmentation_that_torchvision_knows_is_in_the_script(augment: Augment, transform: str) -> None:
    assert transform in training_source(preset("mnist-mlp"), TrainConfig(augment=augment))
    assert transform not in training_source(preset("mnist-mlp"), TrainConfig())


def test_the_digits_script_learns_to_read(tmp_path: Path) -> None:
    config = TrainConfig(network="mnist-mlp", schedule="one-cycle", augment=Augment(shift=1, flip=False, noise=0.05), label_smoothing=0.05, **SHORT)
    spec = preset("mnist-mlp")
    printed = run_script(training_source(spec, config), tmp_path)
    (accuracy,) = re.findall(r"test accuracy ([\d.]+)%", printed)
    assert float(accuracy) > 80
    weights = torch.load(tmp_path / "network.pt", weights_only=True, map_location="cpu")
    assert str(build(spec).load_state_dict(weights)) == "<All keys matched successfully>"


def test_the_shapes_script_runs_beside_the_playground(tmp_path: Path) -> None:
    layers = (LayerSpec("AvgPool2d", {"kernel_size": 2}), LayerSpec("Flatten"), LayerSpec("Linear", {"out_features": 10}))
    spec = NetworkSpec("tiny", (3, 32, 32), layers)
    config = TrainConfig(dataset="shapes", network=spec.name, batch_size=100, **SHORT)
    printed = run_script(training_source(spec, config), tmp_path, PYTHONPATH=str(ROOT))
    (accuracy,) = re.findall(r"test accuracy ([\d.]+)%", printed)
    assert float(accuracy) > 12  # one epoch of a single layer: better than one in ten
    build(spec).load_state_dict(torch.load(tmp_path / "network.pt", weights_only=True, map_location="cpu"))
