"""Calibration by one temperature."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from playground.data.augmentation import Augmentation
from playground.data.images import ImageSet
from playground.errors import CheckpointError
from playground.inference.calibration import calibrated, fitted_temperature, temperature_of
from playground.inference.export import export, training_command
from playground.inference.models import load_model
from playground.network.build import build
from playground.network.presets import preset
from playground.runs.run import create
from playground.training.config import TrainConfig

from ..support.tiers import repetitions
from ..support.training import train


@settings(max_examples=repetitions(20), deadline=None)
@given(factor=st.floats(0.3, 4.0), seed=st.integers(0, 99))
def test_the_temperature_by_which_labels_were_drawn_is_found(factor: float, seed: int) -> None:
    torch.manual_seed(seed)
    logits = torch.randn(20_000, 10) * 2
    labels = torch.multinomial(logits.softmax(dim=1), 1)[:, 0]
    assert fitted_temperature(logits * factor, labels) == pytest.approx(factor, rel=0.05)


def test_no_other_temperature_is_better() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(500, 10) * 3, torch.randint(0, 10, (500,))
    labels[:350] = logits[:350].argmax(dim=1)
    found = fitted_temperature(logits, labels)
    losses = {temperature: F.cross_entropy(logits / temperature, labels).item() for temperature in (found, found * 0.97, found * 1.03)}
    assert min(losses, key=losses.__getitem__) == found


def test_the_last_layer_is_divided_and_no_other() -> None:
    spec = preset("mnist-cnn")
    network, inputs = build(spec, "cpu").eval(), torch.randn(4, *spec.input_shape)
    logits = network(inputs)
    network.load_state_dict(calibrated(network.state_dict(), 0.5, spec.layers))
    torch.testing.assert_close(network(inputs), 2 * logits)


def test_a_network_that_ends_with_another_layer_is_refused() -> None:
    with pytest.raises(CheckpointError, match="whose last layer is Linear"):
        calibrated({}, 0.5, preset("mnist-cnn").layers[:-1])


def test_an_exported_network_is_calibrated(tmp_path: Path, digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    run = train(create(TrainConfig(network="mnist-mlp", epochs=1.0, label_smoothing=0.3), preset("mnist-mlp")))
    temperature = temperature_of(load_model(run.id))
    assert temperature < 0.9  # label smoothing makes a network too modest
    monkeypatch.setenv("PLAYGROUND_MODELS", str(tmp_path))
    _, card = export(run, tmp_path / "pretrained" / "mine", "", calibrate=True)
    text = card.read_text(encoding="utf-8")
    assert f"| Temperature | {temperature:.2f}, by which" in text and "mine --calibrate" in text
    before, after = (model.network(model.prepare(digits.test_images[:50])) for model in (load_model(run.id), load_model("mine")))
    torch.testing.assert_close(after, before / temperature)


@pytest.mark.usefixtures("few_drawn_images")
def test_the_card_names_what_was_mixed_in(tmp_path: Path) -> None:
    run = train(create(TrainConfig(network="mnist-mlp", epochs=0.1, augment=Augmentation(styles=0.2, scribbles=0.1)), preset("mnist-mlp")))
    _, card = export(run, tmp_path / "mine", training_command(run))
    text = card.read_text(encoding="utf-8")
    assert "| Digits mixed in | 20" in text and "| Of no class | 10" in text and "--styles 0.2 --scribbles 0.1" in text and "CC BY" not in text
