"""Every page runs, and shows errors as messages."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from playground.data.augmentation import Augmentation
from playground.data.catalogue import dataset_info
from playground.data.own_drawings import Drawing, add_drawings
from playground.environment import ROOT
from playground.errors import InstallationError
from playground.network.presets import preset
from playground.runs.run import create, find
from playground.runs.start import own_images
from playground.server.services import services
from playground.training.config import SETTINGS, TrainConfig
from playground.training.events import Checkpoint, Finished, Started, Step
from playground.training.optimizers import OPTIMIZER_TITLES
from playground.training.suggestions import suggested
from playground.ui.pages.train import form

from ..support.pages import open_page

PAGES = ("home", "tensors", "autograd", "network", "train", "draw")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_without_an_error(app: AppTest, page: str) -> None:
    open_page(app, page)
    assert not app.error


@pytest.mark.parametrize("page", ["home", "train"])
def test_the_device_is_shown_where_runs_are_set_up(app: AppTest, page: str) -> None:
    open_page(app, page)
    assert any(re.match("Runs on .*core", caption.value) for caption in app.caption)


def test_an_installation_error_is_shown_instead_of_any_page(app: AppTest) -> None:
    services().fault = InstallationError("torchvision was built for another torch.", "Install them as a pair.")
    app.run()
    assert not app.exception
    assert app.error[0].value == "torchvision was built for another torch."
    assert not app.title


def test_a_damaged_network_file_is_named_and_the_others_are_offered(app: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for path in (ROOT / "models").glob("*.json"):
        (tmp_path / path.name).write_text(path.read_text())
    (tmp_path / "broken.json").write_text('{"name": "broken"}')
    monkeypatch.setenv("PLAYGROUND_MODELS", str(tmp_path))
    open_page(app, "train")
    assert any("broken.json" in warning.value for warning in app.warning)
    assert "Small modern CNN" in app.selectbox(key="network-mnist-5k").options


def test_a_network_file_in_the_models_folder_is_offered(app: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    document = {"name": "mine", "title": "My network", "input_shape": [1, 28, 28], "layers": [{"type": "Flatten"}, {"type": "Linear", "out_features": 10}]}
    (tmp_path / "mine.json").write_text(json.dumps(document))
    monkeypatch.setenv("PLAYGROUND_MODELS", str(tmp_path))
    open_page(app, "train")
    assert app.selectbox(key="network-mnist-5k").options == ["My network"]


def test_only_networks_that_fit_the_data_are_offered(app: AppTest) -> None:
    open_page(app, "train")
    app.selectbox(key="dataset").set_value("shapes").run()
    expected = {"CIFAR tutorial CNN", "Small ResNet", "Fast CNN for colour images", "Wide CNN for colour images"}
    assert set(app.selectbox(key="network-shapes").options) == expected


def test_a_missing_data_set_can_be_downloaded(app: AppTest) -> None:
    open_page(app, "train")
    app.selectbox(key="dataset").set_value("cifar10").run()
    assert [button.label for button in app.button if button.key == "download"] == ["Download CIFAR-10"]
    assert not [button for button in app.button if button.key == "train"]


def test_a_failed_download_suggests_the_bundled_data_sets(app: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLAYGROUND_MIRROR", tmp_path.as_uri())
    monkeypatch.setattr("playground.data.archives._addresses", lambda _info, name, _official: (f"{tmp_path.as_uri()}/{name}",))
    open_page(app, "train")
    app.selectbox(key="dataset").set_value("mnist").run()
    app.button(key="download").click().run()
    assert not app.exception
    assert "could not be downloaded" in app.error[0].value
    assert any("MNIST 5k or Shapes" in caption.value for caption in app.caption)


def test_all_invalid_settings_are_listed(app: AppTest) -> None:
    open_page(app, "train")
    app.number_input(key="mnist-5k-mnist-cnn-batch_size").set_value(5000)
    app.number_input(key="mnist-5k-mnist-cnn-learning_rate").set_value(0.0)
    app.button(key="train").click().run()
    assert "Learning rate must be a number above 0" in app.error[0].value
    assert "A batch of 5,000 is larger" in app.error[0].value


def test_own_drawings_can_be_added_to_training_on_digits(app: AppTest) -> None:
    open_page(app, "train")
    assert "own-digits" not in [box.key for box in app.checkbox]
    add_drawings("ada", *(Drawing(torch.full((1, 28, 28), shade, dtype=torch.uint8), 7) for shade in (10, 20)))
    app.run()
    assert app.checkbox(key="own-digits").label == "Train on my drawings as well (2)"
    for selected in (False, True):
        set_up(app)
        app.checkbox(key="own-digits").set_value(selected)
        app.button(key="train").click().run()
        assert not app.error
        drawings = own_images(find(app.session_state["watched-run"]))
        assert (drawings is not None) == selected
    assert drawings is not None and drawings[0].amax(dim=(1, 2, 3)).tolist() == [10, 20] and drawings[1].tolist() == [7, 7]
    set_up(app)
    app.selectbox(key="dataset").set_value("shapes").run()
    assert "own-digits" not in [box.key for box in app.checkbox]


def test_a_run_with_damaged_files_does_not_break_the_lists(app: AppTest) -> None:
    good = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"))
    good.journal.append(Started(0.0, 0, 1, 1, "cpu", 1))
    good.journal.append(Step(1, 1.0, 0.5, 0.1, 0.1, 10.0))
    good.journal.append(Checkpoint(1))
    good.journal.append(Finished(0.0, 1, 0.1, 0.9, 10.0))
    for name in ("config.json", "network.json"):
        damaged = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"))
        (damaged.path / name).write_text("{")
    for page in ("home", "train"):
        open_page(app, page)
        assert not app.error


@pytest.mark.parametrize(("age", "source"), [(0.5, "the opened run"), (60.0, "the address")])
def test_the_previous_address_is_ignored_only_just_after_opening_a_run(app: AppTest, age: float, source: str) -> None:
    before, after = (create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"), owner="ada") for _ in range(2))
    app.session_state["opened-run"] = (after.id, before.id, time.monotonic() - age)
    app.query_params["run"] = before.id
    open_page(app, "train")
    app.query_params["run"] = before.id
    app.run()
    assert app.session_state["watched-run"] == (before if source == "the address" else after).id


def test_going_back_in_the_browser_opens_the_earlier_run(app: AppTest) -> None:
    before, after = (create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"), owner="ada") for _ in range(2))
    open_page(app, "train")
    for run in (after, before):
        app.query_params["run"] = run.id
        app.run()
        assert app.session_state["watched-run"] == run.id


CONTROLS = {"number": ("number_input", "slider"), "whole": ("number_input", "slider")}


@pytest.mark.parametrize("optimizer", OPTIMIZER_TITLES)
def test_the_form_has_a_control_for_every_setting_that_applies(app: AppTest, optimizer: str) -> None:
    open_page(app, "train")
    app.selectbox(key="mnist-5k-mnist-cnn-optimizer").set_value(optimizer).run()
    assert not app.exception and not app.error
    config = replace(suggested("mnist-5k", "mnist-cnn"), optimizer=optimizer)
    keys = {element.key for name in ("number_input", "slider", "checkbox", "selectbox") for element in app.get(name)}
    for setting in SETTINGS:
        if setting.name in form.ELSEWHERE:
            continue
        is_shown = setting.applies_to(config) and setting.fits(dataset_info("mnist-5k"), preset("mnist-cnn"))
        key = form.key(setting, "mnist-5k", "mnist-cnn") + ("-1" if setting.kind == "pair" else "")
        assert (key in keys) == is_shown, setting.name


def test_controls_have_the_bounds_of_their_settings(app: AppTest) -> None:
    open_page(app, "train")
    for setting in SETTINGS:
        if setting.kind in ("number", "whole") and setting.applies_to(TrainConfig()) and setting.fits(dataset_info("mnist-5k"), preset("mnist-cnn")):
            key = form.key(setting, "mnist-5k", "mnist-cnn")
            (control,) = [element for name in CONTROLS[setting.kind] for element in app.get(name) if element.key == key]
            assert (control.min, control.max) == (setting.low, setting.high), setting.name


def set_up(app: AppTest) -> None:
    """Open the settings of a new run, if the page does not show them already, because there is a run."""
    app.session_state["setting-up"] = True
    app.run()


def test_the_settings_are_in_a_drawer_once_there_is_a_run(app: AppTest) -> None:
    open_page(app, "train")
    assert app.title[0].value == "Train a network"
    app.button(key="train").click().run()
    assert not app.exception and not app.title
    assert "train" not in [button.key for button in app.button]
    first = app.session_state["watched-run"]
    set_up(app)
    app.run()
    assert "train" in [button.key for button in app.button]  # it stays open while the page is run again
    app.button(key="train").click().run()
    assert "train" not in [button.key for button in app.button]
    assert app.session_state["watched-run"] != first


NO_DEFAULTS = TrainConfig(
    "mnist-5k", "mnist-mlp", "sgd", 0.02, 50, "cosine", 2.5, momentum=0.97, nesterov=True, betas=(0.8, 0.95), weight_decay=0.001, clip_grad_norm=2.5,
    label_smoothing=0.95, inputs="0-1", initialisation="kaiming", augment=Augmentation(shift=9, rotation=77.5, scale=0.2, stroke=0.3, noise=0.7),
    precision="bfloat16", evaluate_every=7, seed=11,
)  # fmt: skip


def test_using_the_settings_of_a_run_gives_the_same_configuration(app: AppTest) -> None:
    first = create(NO_DEFAULTS, preset("mnist-mlp"), owner="ada")
    app.query_params["run"] = first.id
    open_page(app, "train")
    set_up(app)
    app.button(key="use-settings").click().run()
    assert not app.exception and not app.error
    app.button(key="train").click().run()
    assert not app.error
    again = find(app.session_state["watched-run"])
    assert again.id != first.id
    assert replace(again.config, device="best") == replace(NO_DEFAULTS, betas=again.config.betas)  # SGD has no betas, so its form does not show them
    assert again.network == first.network


def test_using_the_settings_of_a_run_keeps_its_own_network(app: AppTest) -> None:
    spec = replace(preset("mnist-mlp"), name="tweaked", title="Tweaked", layers=preset("mnist-mlp").layers[:1] + preset("mnist-mlp").layers[-1:])
    first = create(replace(NO_DEFAULTS, network="tweaked"), spec, owner="ada")
    app.query_params["run"] = first.id
    open_page(app, "train")
    set_up(app)
    app.button(key="use-settings").click().run()
    app.button(key="train").click().run()
    assert not app.exception and not app.error
    again = find(app.session_state["watched-run"])
    assert again.network.layers == spec.layers and again.config.optimizer == "sgd"
