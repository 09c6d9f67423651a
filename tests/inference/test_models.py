"""Trained networks: loading, export, prediction scripts, and the refusal of damaged and hostile files."""

from __future__ import annotations

import json
import os
import pickle
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from sklearn.metrics import accuracy_score

from playground import environment
from playground.cli import main as cli
from playground.data.catalogue import DATASETS, dataset_info
from playground.data.images import ImageSet
from playground.data.input_scaling import INPUT_SCALINGS, STANDARDISED
from playground.errors import CheckpointError, DrawingError, PlaygroundError, ShapeError, UnknownName
from playground.forking import CAN_FORK, Forker
from playground.inference.export import export, training_command
from playground.inference.models import DEFAULT_MODEL, Model, find_weights, load_model, pretrained_names
from playground.inference.source import prediction_source
from playground.network.build import Network, build
from playground.network.presets import load_presets, preset
from playground.runs.run import Run, create
from playground.training.config import TrainConfig
from playground.typography import percent

from ..support import forked_script
from ..support.tiers import repetitions
from ..support.training import train

CONFIG = TrainConfig(network="mnist-mlp", epochs=0.5, batch_size=200, device="cpu", seed=5)


@pytest.fixture(scope="module")
def finished_run(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A finished run that every test of this file may read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_DATA", str(data_folder))
        patch.setenv("PLAYGROUND_RUNS", str(tmp_path_factory.mktemp("kept-runs")))
        yield train(create(CONFIG, preset(CONFIG.network)))


@pytest.fixture
def run(finished_run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The finished run, where runs are looked for."""
    monkeypatch.setenv("PLAYGROUND_RUNS", str(finished_run.path.parent))
    return finished_run


@pytest.fixture
def run_copy(finished_run: Run, tmp_path: Path) -> Run:
    """A copy of the finished run, to be spoiled."""
    return Run(shutil.copytree(finished_run.path, tmp_path / "runs" / finished_run.path.name))


@pytest.fixture
def pretrained_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of trained networks in place of the shipped one."""
    folder = tmp_path / "models" / "pretrained"
    folder.mkdir(parents=True)
    monkeypatch.setenv("PLAYGROUND_MODELS", str(folder.parent))
    return folder


def test_the_shipped_network_classifies_digits(digits: ImageSet) -> None:
    model = load_model(DEFAULT_MODEL)
    probabilities = model.probabilities(digits.test_images)
    assert probabilities.shape == (1000, 10)
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(1000))
    loss, accuracy = model.evaluate(digits)
    assert accuracy == accuracy_score(digits.test_labels, probabilities.argmax(dim=1)) and accuracy > 0.98
    assert loss == pytest.approx(torch.nn.functional.nll_loss(probabilities.log(), digits.test_labels).item(), rel=1e-3)


def test_own_networks_are_found_beside_shipped_ones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PLAYGROUND_MODELS", raising=False)
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    own_path = tmp_path / "models" / "pretrained" / "mine.safetensors"
    own_path.parent.mkdir(parents=True)
    shutil.copy(environment.ROOT / "models" / "pretrained" / f"{DEFAULT_MODEL}.safetensors", own_path)
    spec = json.loads((environment.ROOT / "models" / "mnist-mlp.json").read_text(encoding="utf-8"))
    (tmp_path / "models" / "mine.json").write_text(json.dumps({**spec, "name": "mine"}), encoding="utf-8")
    assert {"mine", "mnist-mlp"} <= load_presets().networks.keys() and load_presets().faults == {}
    assert pretrained_names() == ["mine", DEFAULT_MODEL]
    assert find_weights("mine").path == own_path


@pytest.mark.parametrize("name", pretrained_names())
def test_a_shipped_network_has_the_accuracy_on_its_card(name: str, digits: ImageSet) -> None:
    path = environment.models_folder() / "pretrained" / f"{name}.safetensors"
    with safe_open(path, "pt") as file:
        facts = file.metadata()
    config = TrainConfig.from_dict(json.loads(facts["config"]))
    assert percent(float(facts["test_accuracy"]), 2) in path.with_suffix(".md").read_text(encoding="utf-8")
    if config.dataset == "mnist-5k":
        assert load_model(name).evaluate(digits)[1] == pytest.approx(float(facts["test_accuracy"]), abs=0.002)


def test_predictions_for_an_image_alone_and_in_a_batch_are_equal(digits: ImageSet) -> None:
    model = load_model(DEFAULT_MODEL)
    image, label = digits.test_images[0], int(digits.test_labels[0])
    prediction = model.predict(image)
    assert prediction.label == model.info.classes[label]
    assert sum(prediction.probabilities) == pytest.approx(1) and max(prediction.probabilities) == prediction.probabilities[label]
    assert prediction.input is image
    assert prediction.probabilities == pytest.approx(model.probabilities(digits.test_images[:8])[0].tolist(), abs=1e-5)


def test_an_empty_drawing_is_refused_and_a_stroke_is_classified() -> None:
    model = load_model(DEFAULT_MODEL)
    ink = torch.zeros(100, 100).double().numpy()
    with pytest.raises(DrawingError):
        model.predict_drawing(ink)
    ink[20:80, 47:54] = 1.0
    assert model.predict_drawing(ink).label == "1"


def test_a_model_stays_in_evaluation_mode(digits: ImageSet) -> None:
    model = load_model(DEFAULT_MODEL)
    before = model.predict(digits.test_images[1])
    assert not model.network.training
    model.evaluate(digits)
    assert not any(module.training for module in model.network.modules())
    assert not any(parameter.requires_grad for parameter in model.network.parameters())
    assert model.predict(digits.test_images[1]).probabilities == before.probabilities


def test_evaluating_never_switches_a_shared_model_to_training_mode(digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty pages share one model: one that evaluates must not switch another's dropout on, not even for an instant."""
    model = load_model(DEFAULT_MODEL)
    modes: list[bool] = []
    train = torch.nn.Module.train

    def spy(module: torch.nn.Module, mode: bool = True) -> torch.nn.Module:
        modes.append(mode)
        return train(module, mode)

    monkeypatch.setattr(torch.nn.Module, "train", spy)
    model.evaluate(digits)
    assert True not in modes


@pytest.mark.parametrize("name", [info.name for info in DATASETS if info.name not in ("mnist", "mnist-5k")])
def test_data_of_other_classes_is_refused(name: str, digits: ImageSet) -> None:
    """Clothes have the shape of digits, and there are as many kinds of them."""
    with pytest.raises(ShapeError, match="other classes"):
        load_model(DEFAULT_MODEL).evaluate(replace(digits, info=dataset_info(name)))


def test_data_of_another_shape_is_refused(digits: ImageSet) -> None:
    colours = replace(digits, info=dataset_info("shapes"))
    with pytest.raises(ShapeError, match="another input shape"):
        load_model(DEFAULT_MODEL).evaluate(colours)


def test_a_model_is_loaded_once_until_its_file_changes(run_copy: Run) -> None:
    first = load_model(run_copy.id)
    assert load_model(run_copy.id) is first
    changed = run_copy.checkpoints.latest_path.stat().st_mtime_ns + 10**9
    os.utime(run_copy.checkpoints.latest_path, ns=(changed, changed))
    assert load_model(run_copy.id) is not first


def keep(run: Run, step: int, fill: float = 0.0) -> None:
    """Keep a checkpoint whose weights all have one value, but for the last bias: that names the class `step % 10`."""
    weights = {name: torch.full_like(tensor, fill) for name, tensor in MLP.items()}
    weights["3.bias"] = torch.nn.functional.one_hot(torch.tensor(step % 10), 10).float()
    run.checkpoints.save({"weights": weights, "step": step})


def test_every_checkpoint_of_a_run_can_be_loaded(tmp_path: Path) -> None:
    run = create(CONFIG, preset("mnist-mlp"))
    for step in (3, 17, 124):
        keep(run, step)
    image = torch.zeros(1, 28, 28, dtype=torch.uint8)
    named = {name: load_model(name).predict(image).label for name in (run.id, *(f"{run.id}@{step}" for step in (3, 17, 124)))}
    assert named == {run.id: "4", f"{run.id}@3": "3", f"{run.id}@17": "7", f"{run.id}@124": "4"}
    assert load_model(f"{run.id}@17").name == f"{run.id}@17" == load_model(f"{run.id}@0017").name
    assert find_weights(f"{run.id}@17").run == run == find_weights(run.id).run and find_weights(DEFAULT_MODEL).run is None


def test_the_error_for_a_missing_checkpoint_lists_the_existing_ones(tmp_path: Path) -> None:
    run = create(CONFIG, preset("mnist-mlp"))
    with pytest.raises(CheckpointError, match="no checkpoint yet"):
        load_model(f"{run.id}@3")
    for step in (3, 17):
        keep(run, step)
    with pytest.raises(CheckpointError, match="no checkpoint at step 4") as caught:
        load_model(f"{run.id}@4")
    assert caught.value.hint == "It has checkpoints at steps 3, 17."
    run.checkpoints.latest_path.unlink()
    with pytest.raises(CheckpointError, match="no checkpoint yet"):
        load_model(run.id)


@pytest.mark.parametrize("step", ["", "-1", "1.5", "last", "٣", "1e3", " 3", "3@3", "9" * 5000, "../3", "3\n"], ids=ascii)
def test_a_step_is_a_whole_number(step: str) -> None:
    run = create(CONFIG, preset("mnist-mlp"))
    keep(run, 3)
    with pytest.raises(UnknownName):
        load_model(f"{run.id}@{step}")


def test_a_shipped_network_has_no_steps() -> None:
    with pytest.raises(UnknownName):
        load_model(f"{DEFAULT_MODEL}@3")


BY_HAND: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "standardised": lambda pixels: (pixels.double() / 255 - 0.1307) / 0.3081,
    "0-1": lambda pixels: pixels.double() / 255,
    "0-255": lambda pixels: pixels.double(),
}


@pytest.mark.parametrize("inputs", INPUT_SCALINGS)
def test_pixels_are_scaled_as_in_training(inputs: str, digits: ImageSet, pretrained_folder: Path) -> None:
    config = replace(CONFIG, inputs=inputs)
    run = create(config, SPEC)
    network = build(SPEC, seed=3)
    run.checkpoints.save({"weights": network.state_dict(), "step": 1})
    save_file(network.state_dict(), pretrained_folder / "mine.safetensors", facts_of(config=json.dumps(config.to_dict())))
    images, network = digits.test_images[:50], network.double()
    with torch.no_grad():
        expected = network(BY_HAND[inputs](images)).softmax(dim=1)
    accuracy = accuracy_score(digits.test_labels[:50], expected.argmax(dim=1))
    few = replace(digits, test_images=images, test_labels=digits.test_labels[:50])
    for model in (load_model(run.id), load_model("mine")):
        assert model.inputs == inputs
        torch.testing.assert_close(model.probabilities(images).double(), expected, rtol=0, atol=1e-4)
        assert model.evaluate(few)[1] == accuracy


def test_a_file_without_an_input_scaling_uses_standardised_inputs(pretrained_folder: Path) -> None:
    facts = {name: value for name, value in CONFIG.to_dict().items() if name != "inputs"}
    save_file(MLP, pretrained_folder / "mine.safetensors", facts_of(config=json.dumps(facts)))
    assert load_model("mine").inputs == STANDARDISED


def test_an_exported_run_predicts_bit_for_bit_the_same(run: Run, pretrained_folder: Path, digits: ImageSet) -> None:
    before = load_model(run.id)
    export(run, pretrained_folder / "mine", training_command(run))
    assert pretrained_names() == ["mine"]
    after = load_model("mine")
    assert torch.equal(before.probabilities(digits.test_images), after.probabilities(digits.test_images))
    assert (after.spec, after.info) == (before.spec, before.info)


def test_the_metadata_of_an_export_reproduces_the_run(run: Run, pretrained_folder: Path, digits: ImageSet) -> None:
    command = training_command(run)
    export(run, pretrained_folder / "mine", command)
    with safe_open(pretrained_folder / "mine.safetensors", "pt") as file:
        facts = file.metadata()
    assert TrainConfig.from_dict(json.loads(facts["config"])) == CONFIG
    assert facts["command"] == command and command.startswith("python -m playground train --dataset mnist-5k")
    assert float(facts["test_accuracy"]) == pytest.approx(load_model(run.id).evaluate(digits)[1], abs=1e-4)
    card = (pretrained_folder / "mine.md").read_text(encoding="utf-8")
    assert command in card and "MNIST 5k" in card and percent(float(facts["test_accuracy"]), 2) in card


def test_an_export_keeps_a_dot_in_its_name(run: Run, pretrained_folder: Path) -> None:
    export(run, pretrained_folder / "mine-v1.2", "")
    assert sorted(path.name for path in pretrained_folder.iterdir()) == ["mine-v1.2.md", "mine-v1.2.safetensors"]


def test_an_export_creates_its_folder(run: Run, tmp_path: Path) -> None:
    export(run, tmp_path / "a" / "b" / "mine", "")
    assert (tmp_path / "a" / "b" / "mine.safetensors").exists()


def test_an_export_into_a_file_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PlaygroundError, match="could not be written"):
        export(run, tmp_path / "file" / "mine", "")


def test_an_export_over_a_folder_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.safetensors").mkdir()
    with pytest.raises(PlaygroundError, match="could not be written"):
        export(run, tmp_path / "mine", "")


def test_an_unfinished_run_cannot_be_exported(tmp_path: Path) -> None:
    fresh = create(CONFIG, preset("mnist-mlp"))
    with pytest.raises(CheckpointError, match="not finished"):
        export(fresh, tmp_path / "mine", "")
    assert not (tmp_path / "mine.safetensors").exists()


def test_the_error_for_an_unknown_name_lists_the_networks(run: Run) -> None:
    with pytest.raises(UnknownName) as caught:
        load_model("nobody")
    assert DEFAULT_MODEL in caught.value.hint and run.id in caught.value.hint


@pytest.mark.parametrize("name", ["", ".", "..", "../pretrained/mnist-cnn", "/etc/passwd", "mnist-cnn.safetensors", "a\0b", "x" * 5000], ids=ascii)
def test_a_name_is_never_a_path(name: str) -> None:
    with pytest.raises(UnknownName):
        load_model(name)


def test_a_run_without_a_checkpoint_cannot_be_loaded() -> None:
    with pytest.raises(CheckpointError, match="no checkpoint yet"):
        load_model(create(CONFIG, preset("mnist-mlp")).id)


SPEC = preset("mnist-mlp")


def facts_of(**changes: str) -> dict[str, str]:
    return {"network": SPEC.to_json(), "config": json.dumps(CONFIG.to_dict()), **changes}


MLP = {"1.weight": torch.zeros(128, 784), "1.bias": torch.zeros(128), "3.weight": torch.zeros(10, 128), "3.bias": torch.zeros(10)}


def test_an_own_weights_file_is_a_trained_network(pretrained_folder: Path) -> None:
    save_file(MLP, pretrained_folder / "mine.safetensors", facts_of())
    assert load_model("mine").predict(torch.zeros(1, 28, 28, dtype=torch.uint8)).probabilities == pytest.approx([0.1] * 10)


TEN_OF_TWELVE = SPEC.to_json().replace('"out_features": 10', '"out_features": 12')


@pytest.mark.parametrize(
    ("weights", "facts"),
    [
        pytest.param(MLP, None, id="no-facts"),
        pytest.param(MLP, {"network": facts_of()["network"]}, id="no-config"),
        pytest.param(MLP, {"config": facts_of()["config"]}, id="no-network"),
        pytest.param(MLP, facts_of(config="{"), id="config-torn"),
        pytest.param(MLP, facts_of(config="[]"), id="config-a-list"),
        pytest.param(MLP, facts_of(config='{"dataset": []}'), id="data-set-a-list"),
        pytest.param(MLP, facts_of(config='{"dataset": "imagenet"}'), id="data-set-unknown"),
        pytest.param(MLP, facts_of(network="{"), id="network-torn"),
        pytest.param(MLP, facts_of(network='{"name": "x", "input_shape": [1, 28, 28], "layers": [{"type": "Dance"}]}'), id="layer-unknown"),
        pytest.param({**MLP, "3.weight": torch.zeros(12, 128), "3.bias": torch.zeros(12)}, facts_of(network=TEN_OF_TWELVE), id="more-outputs-than-classes"),
        pytest.param(MLP, facts_of(config='{"dataset": "mnist", "inputs": "upside-down"}'), id="inputs-unknown"),
        pytest.param(MLP, facts_of(config='{"dataset": "mnist", "inputs": []}'), id="inputs-a-list"),
        pytest.param(MLP, facts_of(config='{"dataset": "shapes"}'), id="data-of-another-shape"),
        pytest.param(MLP, facts_of(network=preset("lenet-5").to_json()), id="weights-of-another-network"),
        pytest.param({**MLP, "1.weight": torch.zeros(784, 128)}, facts_of(), id="weights-of-another-shape"),
        pytest.param({}, facts_of(), id="no-weights"),
    ],
)
def test_a_file_that_is_no_trained_network_is_refused(weights: dict[str, torch.Tensor], facts: dict[str, str] | None, pretrained_folder: Path) -> None:
    save_file(weights, pretrained_folder / "mine.safetensors", facts)
    with pytest.raises(CheckpointError, match="mine"):
        load_model("mine")


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff" * 100, b"PK\x03\x04", "half"], ids=["empty", "text", "huge-header", "zip", "half"])
def test_a_damaged_file_is_refused(content: bytes | str, pretrained_folder: Path) -> None:
    path = pretrained_folder / "mine.safetensors"
    save_file(MLP, path, facts_of())
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if isinstance(content, str) else content)
    with pytest.raises(CheckpointError, match=r"mine\.safetensors"):
        load_model("mine")


class Attack:
    """What an attacker puts into a pickle: something that is called when it is read."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("inside", ["weights", "beside"])
def test_code_inside_a_checkpoint_is_refused_and_never_run(inside: str, run_copy: Run, tmp_path: Path) -> None:
    target = tmp_path / "hacked"
    state = run_copy.checkpoints.load()
    assert state is not None
    torch.save({**state, "weights" if inside == "weights" else "extra": Attack(target)}, run_copy.checkpoints.latest_path)
    with pytest.raises(CheckpointError):
        load_model(run_copy.id)
    assert not target.exists()
    torch.load(run_copy.checkpoints.latest_path, weights_only=False)  # the attack is a real one
    assert target.exists()


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_bare_pickle_is_refused_and_never_run(protocol: int, run_copy: Run, tmp_path: Path) -> None:
    run_copy.checkpoints.latest_path.write_bytes(pickle.dumps({"weights": Attack(tmp_path / "hacked")}, protocol))
    with pytest.raises(CheckpointError):
        load_model(run_copy.id)
    assert not (tmp_path / "hacked").exists()


def test_a_zip_that_is_no_checkpoint_is_refused(run_copy: Run) -> None:
    with zipfile.ZipFile(run_copy.checkpoints.latest_path, "w") as file:
        file.writestr("archive/readme.txt", "hello")
    with pytest.raises(CheckpointError):
        load_model(run_copy.id)


@pytest.mark.parametrize(
    "state",
    [
        pytest.param([1, 2], id="list"),
        pytest.param({}, id="empty"),
        pytest.param({"weights": {}}, id="no-weights"),
        pytest.param({"weights": 5}, id="weights-a-number"),
        pytest.param({"weights": None}, id="weights-nothing"),
        pytest.param({"weights": {"1.weight": 5}}, id="a-weight-a-number"),
        pytest.param({"weights": {name: value for name, value in MLP.items() if name != "3.bias"}}, id="one-missing"),
        pytest.param({"weights": {**MLP, "9.weight": torch.zeros(1)}}, id="one-too-many"),
    ],
)
def test_a_checkpoint_without_matching_weights_is_refused(state: Any, run_copy: Run) -> None:
    torch.save(state, run_copy.checkpoints.latest_path)
    with pytest.raises(CheckpointError):
        load_model(run_copy.id)


@given(data=st.data())
@hypothesis_settings(max_examples=repetitions(60))
def test_a_damaged_checkpoint_is_refused_or_read(data: st.DataObject, run_copy: Run) -> None:
    torch.save({"weights": MLP}, run_copy.checkpoints.latest_path)
    whole = bytearray(run_copy.checkpoints.latest_path.read_bytes())
    ends = st.integers(0, 300) | st.integers(len(whole) - 900, len(whole) - 1)  # where the archive's own tables are
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(ends)] = data.draw(st.integers(0, 255))
    run_copy.checkpoints.latest_path.write_bytes(whole[: data.draw(st.sampled_from([len(whole), len(whole) // 2, 100]))])
    stamp = data.draw(st.integers(1, 2**50))
    os.utime(run_copy.checkpoints.latest_path, ns=(stamp, stamp))
    try:
        load_model(run_copy.id)
    except CheckpointError:
        return


def test_the_weights_of_another_run_are_refused(run_copy: Run) -> None:
    (run_copy.path / "network.json").write_text(preset("lenet-5").to_json(), encoding="utf-8")
    with pytest.raises(CheckpointError, match="do not fit its network"):
        load_model(run_copy.id)


def test_the_training_command_has_the_configuration_of_the_run(run: Run) -> None:
    words = shlex.split(training_command(run))
    assert words[:4] == ["python", "-m", "playground", "train"]
    options = cli.commands["train"].make_context("train", words[4:], **cli.context_settings).params
    for name in ("as_json", "start"):
        options.pop(name)
    assert TrainConfig.from_options(options) == CONFIG


def script_output(script: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[0]


def with_pixels(script: str, pixels: Path) -> str:
    """The script with a learner's own pixels put in, as its comment asks."""
    lines = script.splitlines()
    (place,) = [index for index, line in enumerate(lines) if "replace by your image" in line]
    lines[place] = f"image = torch.load({str(pixels)!r}, weights_only=True)"
    return "\n".join(lines)


def test_the_prediction_script_of_the_shipped_network_predicts_the_same_class(digits: ImageSet, tmp_path: Path) -> None:
    model = load_model(DEFAULT_MODEL)
    script = prediction_source(model)
    assert "playground" not in script
    torch.save(digits.test_images[3].clone(), tmp_path / "pixels.pt")
    assert script_output(with_pixels(script, tmp_path / "pixels.pt"), environment.ROOT) == model.predict(digits.test_images[3]).label


def test_the_prediction_script_of_a_run_runs_as_it_is(run: Run, digits: ImageSet, tmp_path: Path) -> None:
    """Run in this process' stead from the folder that holds `runs/`, as the app's own folder does."""
    model = load_model(run.id)
    home = tmp_path / "home"
    home.mkdir()
    (home / "runs").symlink_to(run.path.parent, target_is_directory=True)
    torch.save(digits.test_images[3].clone(), tmp_path / "pixels.pt")
    assert script_output(with_pixels(prediction_source(model), tmp_path / "pixels.pt"), home) == model.predict(digits.test_images[3]).label


@pytest.mark.skipif(not CAN_FORK, reason="this system cannot fork")
@pytest.mark.parametrize("inputs", INPUT_SCALINGS)
def test_the_prediction_script_of_a_checkpoint_scales_pixels_as_in_training(forker: Forker, inputs: str, digits: ImageSet, tmp_path: Path) -> None:
    config = TrainConfig(network="mnist-mlp", epochs=1, batch_size=500, learning_rate=0.1 if inputs != "0-255" else 1e-4, optimizer="sgd", inputs=inputs)
    run = train(create(config, preset("mnist-mlp")))
    model = load_model(f"{run.id}@{run.checkpoints.steps()[-1]}")
    home = tmp_path / "home"
    home.mkdir()
    (home / "runs").symlink_to(run.path.parent, target_is_directory=True)
    torch.save(digits.test_images[3].clone(), tmp_path / "pixels.pt")
    (tmp_path / "predict.py").write_text(with_pixels(prediction_source(model), tmp_path / "pixels.pt"), encoding="utf-8")
    assert forked_script.output(forker, tmp_path / "predict.py", home).split()[0] == model.predict(digits.test_images[3]).label


def test_the_prediction_script_is_valid_python(run: Run) -> None:
    for model in (load_model(DEFAULT_MODEL), load_model(run.id)):
        compile(prediction_source(model), "predict.py", "exec")


def test_only_networks_for_digits_classify_drawings() -> None:
    for info in DATASETS:
        if info.kind != "digits":
            model = Model("mine", SPEC, info, STANDARDISED, Network(), torch.device("cpu"))
            with pytest.raises(ShapeError, match=info.title):
                model.predict_drawing(torch.ones(5, 5).double().numpy())


def test_exported_weights_are_plain_safetensors(run: Run, tmp_path: Path) -> None:
    export(run, tmp_path / "mine", "")
    state = run.checkpoints.load()
    assert state is not None
    tensors = load_file(tmp_path / "mine.safetensors")
    assert tensors.keys() == state["weights"].keys()
    assert all(torch.equal(tensors[name], tensor) for name, tensor in state["weights"].items())
