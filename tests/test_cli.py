"""The command line: output, errors, and a run that is killed."""

from __future__ import annotations

import csv
import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image, ImageDraw
from safetensors.torch import load_file

from playground import device
from playground.cli import LazyCommand, main
from playground.data.catalogue import DATASETS
from playground.data.images import normalise
from playground.data.load import load
from playground.environment import ROOT, runs_folder
from playground.forking import CAN_FORK, Forker
from playground.inference.models import DEFAULT_MODEL
from playground.network.presets import preset
from playground.network.source import sequential_script
from playground.network.spec import LayerSpec, NetworkSpec
from playground.runs import lock
from playground.runs.history import History
from playground.runs.run import all_runs, create, find
from playground.training import loop
from playground.training.config import TrainConfig
from playground.training.events import Started

from .support.hanging import CHECKPOINT_AT, HANGS_AT
from .support.waiting import until

QUICK = ("train", "--dataset", "mnist-5k", "--network", "mnist-mlp", "--epochs", "1", "--batch-size", "200", "--device", "cpu")


def call(*words: object) -> Result:
    """Run a command in this process; a bug keeps its traceback."""
    return CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)


def json_lines(result: Result) -> list[dict[str, Any]]:
    """One JSON object a line, nothing else."""
    assert result.exit_code == 0, result.stderr
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert all(isinstance(row, dict) for row in rows)
    return rows


def refusal(result: Result) -> str:
    """The one line that a learner's mistake ends with."""
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ") and result.stderr.endswith("\n")
    assert "Traceback" not in line
    return line


@pytest.fixture
def digit(tmp_path: Path) -> Path:
    """A picture of a one, dark on white."""
    image = Image.new("L", (100, 140), 255)
    ImageDraw.Draw(image).line([(50, 20), (50, 120)], fill=0, width=10)
    image.save(tmp_path / "one.png")
    return tmp_path / "one.png"


@pytest.mark.parametrize("words", [[], *([name] for name in main.commands)], ids=lambda words: " ".join(words) or "playground")
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_has_help(words: list[str], option: str) -> None:
    result = call(*words, option)
    assert result.exit_code == 0 and result.stderr == ""
    assert result.stdout.startswith("Usage: ")
    known = main.commands.values() if not words else [main.commands[words[0]]]
    for command in known:
        assert command.help and command.help.split()[0] in result.stdout


def test_the_list_of_commands_has_the_docstring_of_each_command() -> None:
    assert {name: command.help for name, command in main.commands.items()} == {name: command.load().callback.__doc__ for name, command in main.commands.items()}


def test_listing_the_commands_does_not_import_torch() -> None:
    code = "import sys\nfrom playground.cli import main\nmain(['--help'], standalone_mode=False)\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)


@pytest.mark.parametrize("command", main.commands.values(), ids=list(main.commands))
def test_every_option_has_its_help(command: LazyCommand) -> None:
    options = [option for option in command.load().params if isinstance(option, click.Option)]
    assert [option.name for option in options if not option.help] == []


def test_devices_are_listed_one_a_line() -> None:
    rows = json_lines(call("devices", "--json"))
    assert [row["name"] for row in rows] == [item.name for item in device.available()]
    assert rows[-1] == vars(device.get("cpu"))
    assert [line.split()[0] for line in call("devices").stdout.splitlines()] == [row["name"] for row in rows]


def test_data_sets_are_listed_one_a_line() -> None:
    rows = json_lines(call("datasets", "--json"))
    assert [row["name"] for row in rows] == [info.name for info in DATASETS]
    assert {row["name"]: row["ready"] for row in rows} == {info.name: info.offline for info in DATASETS}
    assert rows[0]["classes"] == list("0123456789") and rows[0]["input_shape"] == [1, 28, 28]
    lines = call("datasets").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [row["name"] for row in rows]
    assert ["not downloaded" in line for line in lines] == [not row["ready"] for row in rows]


def test_a_bundled_data_set_is_not_downloaded() -> None:
    assert json_lines(call("datasets", "--download", "mnist-5k", "--json"))


def test_the_list_of_runs_can_be_empty() -> None:
    assert json_lines(call("runs", "--json")) == []


def test_training_with_json_ends_with_one_line_of_results() -> None:
    *evaluated, last = json_lines(call(*QUICK, "--json"))
    assert last.keys() == {"run", "test_accuracy", "seconds", "samples_per_second"}
    assert last["test_accuracy"] > 0.7 and last["seconds"] > 0 and last["samples_per_second"] > 0
    assert [row["kind"] for row in evaluated] == ["evaluated"]
    history = History(find(last["run"])).follow()
    assert (history.state, history.step, history.test_accuracy) == ("finished", 20, last["test_accuracy"])
    (listed,) = json_lines(call("runs", "--json"))
    assert listed == {"run": last["run"], "state": "finished", "step": 20, "total_steps": 20, "test_accuracy": last["test_accuracy"], "name": ""}
    evaluation = json_lines(call("evaluate", "--model", last["run"], "--json"))
    assert [(row["model"], row["dataset"], row["test_accuracy"]) for row in evaluation] == [(last["run"], "mnist-5k", last["test_accuracy"])]
    assert "is finished, so it cannot be resumed" in refusal(call("resume", last["run"]))


def test_training_prints_progress_and_results() -> None:
    result = call(*QUICK)
    assert result.exit_code == 0
    (run,) = all_runs()
    assert result.stdout.strip().splitlines()[-1].startswith(f"{run.id}: test accuracy ")
    assert run.id in call("runs").stdout


@pytest.mark.usefixtures("few_drawn_images")
def test_every_option_is_in_the_configuration_of_the_run() -> None:
    options = {
        "epochs": 0.1, "batch-size": 150, "optimizer": "sgd", "learning-rate": 0.02, "momentum": 0.5, "weight-decay": 0.001, "schedule": "cosine",
        "label-smoothing": 0.1, "inputs": "0-1", "initialisation": "kaiming", "shift": 1, "rotation": 5, "scale": 0.1, "stroke": 0.2, "noise": 0.01,
        "styles": 0.2, "scribbles": 0.1, "evaluate-every": 2, "precision": "bfloat16", "clip-grad-norm": 2.5, "seed": 9, "device": "cpu",
    }  # fmt: skip
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    assert json_lines(call("train", "--network", "mnist-cnn", "--nesterov", "--flip", "--whiten", "--betas", 0.8, 0.99, *words, "--json"))
    (run,) = all_runs()
    config = run.config.to_dict()
    config |= config.pop("augment")
    assert {name: config[name.replace("-", "_")] for name in options} == options
    assert (config["nesterov"], config["flip"], config["whiten"], config["betas"]) == (True, True, True, (0.8, 0.99))
    assert len(options) + 6 == len(config)  # with data set, network, nesterov, flip, whiten and betas: nothing is left out


def test_a_network_file_can_be_trained(tmp_path: Path) -> None:
    document = json.loads(preset("mnist-mlp").to_json()) | {"name": "my own"}
    (tmp_path / "own.json").write_text(json.dumps(document))
    *_, last = json_lines(call("train", "--network", tmp_path / "own.json", "--epochs", "0.1", "--json"))
    assert find(last["run"]).network.name == "my own"
    assert "my-own" in last["run"]


def test_evaluate_prints_the_accuracy_of_the_shipped_network() -> None:
    (row,) = json_lines(call("evaluate", "--json"))
    assert row["model"] == DEFAULT_MODEL and row["test_accuracy"] > 0.98 and row["test_loss"] < 0.1
    assert f"{row['test_accuracy']:.2%}" in call("evaluate").stdout


def test_predict_prints_a_line_for_each_image(digit: Path, tmp_path: Path) -> None:
    other = tmp_path / "digit.png"
    images = load("mnist-5k")
    Image.fromarray(images.test_images[0, 0].numpy()).save(other)
    rows = json_lines(call("predict", digit, other, "--json"))
    assert [row["file"] for row in rows] == [str(digit), str(other)]
    assert [row["label"] for row in rows] == ["1", str(images.test_labels[0].item())]
    for row in rows:
        assert list(row["probabilities"]) == list("0123456789") and sum(row["probabilities"].values()) == pytest.approx(1)
        assert max(row["probabilities"], key=row["probabilities"].get) == row["label"]
    assert call("predict", digit).stdout.startswith(f"{digit}: 1 (")


def test_a_bad_file_does_not_end_the_list(digit: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(digit.read_bytes()[:60])
    (tmp_path / "text.png").write_text("no image")
    Image.new("L", (60, 60)).save(tmp_path / "animation.gif", save_all=True, append_images=[Image.new("L", (60, 60), 255)])
    bad = [tmp_path / name for name in ("broken.png", "text.png", "animation.gif", "missing.png")]
    result = call("predict", digit, *bad, digit, "--json")
    assert result.exit_code == 2
    assert [json.loads(line)["label"] for line in result.stdout.splitlines()] == ["1", "1"]
    assert [line.startswith(f"Error: {path}: ") for path, line in zip(bad, result.stderr.splitlines(), strict=True)] == [True] * 4
    assert "animation.gif is an animation" in result.stderr
    del result
    gc.collect()  # warns of a file left open here, not in a later test


def test_several_digits_are_predicted_as_a_number(tmp_path: Path) -> None:
    image = Image.new("L", (400, 300), 230)
    for left, top in ((100, 40), (60, 180), (160, 180)):
        ImageDraw.Draw(image).line([(left, top), (left, top + 80)], fill=40, width=9)
    image.save(tmp_path / "ones.png")
    (row,) = json_lines(call("predict", tmp_path / "ones.png", "--json"))
    assert (row["label"], row["doubt"]) == ("1 11", "") and "probabilities" not in row
    assert [(piece["label"], piece["line"]) for piece in row["pieces"]] == [("1", 0), ("1", 1), ("1", 1)]
    assert row["pieces"][0]["box"] == pytest.approx([40, 121, 96, 105], abs=3)
    assert call("predict", tmp_path / "ones.png").stdout.startswith(f"{tmp_path / 'ones.png'}: 1 11 (")


def test_a_doubtful_prediction_says_so(digit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.cli.models.warn_about_drawing", lambda *_: "This is probably no digit.")
    (row,) = json_lines(call("predict", digit, "--json"))
    assert row["doubt"] == row["pieces"][0]["doubt"] == "This is probably no digit."
    assert call("predict", digit).stdout.endswith("%) This is probably no digit.\n")


def test_the_error_for_an_empty_image_names_the_file(digit: Path, tmp_path: Path) -> None:
    Image.new("L", (50, 50), 255).save(tmp_path / "white.png")
    assert "white.png" in refusal(call("predict", digit, tmp_path / "white.png"))


def test_a_run_can_be_exported(tmp_path: Path) -> None:
    *_, last = json_lines(call(*QUICK, "--json"))
    result = call("export", last["run"], "--to", tmp_path / "out" / "mine")
    assert result.exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["mine.md", "mine.safetensors"]


def test_weights_can_be_exported_for_plain_pytorch(tmp_path: Path) -> None:
    *_, last = json_lines(call(*QUICK, "--json"))
    run = find(last["run"])
    names: dict[str, Any] = {}
    exec(sequential_script(run.network), names)  # noqa: S102 - as a learner does with the code page
    for name in ("net.pt", "folder/net.safetensors"):
        assert json_lines(call("weights", run.id, "--to", tmp_path / name, "--json")) == [{"run": run.id, "file": str(tmp_path / name)}]
    network = names["network"]
    network.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    same = load_file(tmp_path / "folder" / "net.safetensors")
    assert all(torch.equal(same[name], tensor) for name, tensor in network.state_dict().items())
    (evaluation,) = json_lines(call("evaluate", "--model", run.id, "--json"))
    images = load("mnist-5k")
    right = network.eval()(normalise(images.test_images, images.info)).argmax(dim=1) == images.test_labels
    assert right.float().mean().item() == pytest.approx(evaluation["test_accuracy"])
    assert "has no checkpoint at step 7." in refusal(call("weights", run.id, "--to", tmp_path / "seven.pt", "--step", 7))
    (step,) = run.checkpoints.steps()
    assert call("weights", run.id, "--to", tmp_path / "again.pt", "--step", step).stdout == f"Wrote {tmp_path / 'again.pt'}\n"
    assert not (tmp_path / "seven.pt").exists() and list(tmp_path.rglob("*.part")) == []


def test_training_can_start_from_weights(tmp_path: Path) -> None:
    """Those of another script start where that script ended."""
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
    layers = [{"type": "Flatten"}, {"type": "Linear", "out_features": 128}, {"type": "ReLU"}, {"type": "Linear", "out_features": 10}]
    (tmp_path / "mine.json").write_text(json.dumps({"name": "mine", "input_shape": [1, 28, 28], "layers": layers}))
    torch.save({f"fc{name}": tensor for name, tensor in network.state_dict().items()}, tmp_path / "net.pt")
    train = (*QUICK, "--network", tmp_path / "mine.json", "--learning-rate", 1e-30, "--from", tmp_path / "net.pt", "--json")
    result = call(*train)
    *_, last = json_lines(result)
    assert result.stderr == "The layers were matched by their order and shapes: fc1 → 1, fc3 → 3.\n"
    images = load("mnist-5k")
    right = network(normalise(images.test_images, images.info)).argmax(dim=1) == images.test_labels
    assert last["test_accuracy"] == pytest.approx(right.float().mean().item())
    assert "do not fit the network “mnist-cnn”" in refusal(call("train", "--from", tmp_path / "net.pt"))
    (run,) = all_runs()
    assert run.id == last["run"]


def test_a_run_can_be_exported_and_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    *_, last = json_lines(call(*QUICK, "--json"))
    call("rename", last["run"], "the first")
    packed = tmp_path / "run.zip"
    assert call("pack", last["run"], "--to", packed).stdout == f"Wrote {packed}\n"
    assert json_lines(call("pack", last["run"], "--to", packed, "--json")) == [{"run": last["run"], "file": str(packed)}]
    before, expected = json_lines(call("runs", "--json")), steps_of(last["run"])
    monkeypatch.setenv("PLAYGROUND_RUNS", str(tmp_path / "elsewhere"))
    (unpacked,) = json_lines(call("unpack", packed, "--json"))
    assert json_lines(call("runs", "--json")) == [before[0] | {"run": unpacked["run"]}]
    assert steps_of(unpacked["run"]) == expected and call("unpack", packed).stdout.startswith("Imported ")


def test_runs_can_be_named() -> None:
    run = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"))
    assert json_lines(call("rename", run.id, "größer", "--json")) == [{"run": run.id, "name": "größer"}]
    assert [row["name"] for row in json_lines(call("runs", "--json"))] == ["größer"]
    assert call("runs").stdout.rstrip().endswith("größer")
    assert "at most 80 characters" in refusal(call("rename", run.id, "x" * 81))
    assert call("rename", run.id, "").exit_code == 0
    assert [row["name"] for row in json_lines(call("runs", "--json"))] == [""]


def test_a_run_can_be_deleted_and_restored() -> None:
    *_, last = json_lines(call(*QUICK, "--json"))
    run = last["run"]
    assert json_lines(call("delete", run, "--json")) == [{"run": run}]
    assert json_lines(call("runs", "--json")) == [] and "no run called" in refusal(call("delete", run))
    assert json_lines(call("undelete", run, "--json")) == [{"run": run}]
    assert [row["run"] for row in json_lines(call("runs", "--json"))] == [run]
    assert f"python -m playground undelete {run}" in call("delete", run).stdout
    assert call("undelete", run).stdout == f"Restored {run}\n"
    waiting = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"))
    assert "is queued, so it cannot be deleted. Stop it first." in refusal(call("delete", waiting.id))


def test_curves_are_printed_as_a_table_and_as_json() -> None:
    *_, last = json_lines(call(*QUICK, "--json"))
    table = list(csv.DictReader(call("curves", last["run"]).stdout.splitlines()))
    rows = json_lines(call("curves", last["run"], "--json"))
    assert [(row["step"], row["loss"], row["learning_rate"]) for row in rows] == steps_of(last["run"])
    assert [(int(row["step"]), float(row["loss"]), float(row["learning_rate"])) for row in table] == steps_of(last["run"])
    assert [row["test_accuracy"] for row in rows] == [None] * 19 + [last["test_accuracy"]] and table[0]["test_loss"] == ""


def test_an_unwritable_file_is_reported(tmp_path: Path) -> None:
    *_, last = json_lines(call(*QUICK, "--json"))
    (tmp_path / "file").write_text("kept")
    for command, name in (("weights", "net.pt"), ("pack", "run.zip")):
        assert "could not be written" in refusal(call(command, last["run"], "--to", tmp_path / "file" / name))
        (tmp_path / name).mkdir()
        assert "could not be written" in refusal(call(command, last["run"], "--to", tmp_path / name))
    assert (tmp_path / "file").read_text() == "kept" and list(tmp_path.rglob("*.part")) == []
    assert "could not be written" in refusal(call("pack", last["run"], "--to", "/"))


BROKEN = {
    "torn": "{",
    "list": "[]",
    "no-layers": '{"name": "x", "input_shape": [1, 28, 28], "layers": []}',
    "unknown-layer": '{"name": "x", "input_shape": [1, 28, 28], "layers": [{"type": "Dance"}]}',
    "misfit": '{"name": "x", "input_shape": [1, 28, 28], "layers": [{"type": "Flatten"}, {"type": "Conv2d"}]}',
    "binary": "\udcff",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=list(BROKEN))
def test_a_damaged_network_file_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    refusal(call("train", "--network", tmp_path / "mine.json"))
    assert all_runs() == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["train", "--dataset", "imagenet"], "data set called “imagenet”", id="train-data-set"),
        pytest.param(["train", "--network", "brain"], "network called “brain”", id="train-network"),
        pytest.param(["train", "--network", "missing.json"], "missing.json", id="train-network-file"),
        pytest.param(["train", "--device", "abacus"], "device called “abacus”", id="train-device"),
        pytest.param(["train", "--batch-size", "4001"], "A batch of 4,001 is larger", id="train-batch"),
        pytest.param(["train", "--optimizer", "magic", "--epochs", "-1", "--learning-rate", "nan"], "magic", id="train-several"),
        pytest.param(["train", "--dataset", "mnist"], "has not been downloaded", id="train-not-downloaded"),
        pytest.param(["train", "--dataset", "shapes", "--network", "mnist-mlp"], "takes input of shape", id="train-misfit"),
        pytest.param(["datasets", "--download", "imagenet"], "data set called “imagenet”", id="download"),
        pytest.param(["resume", "nobody"], "run called “nobody”", id="resume"),
        pytest.param(["resume", "../../etc"], "run called", id="resume-path"),
        pytest.param(["evaluate", "--model", "oracle"], "trained network called “oracle”", id="evaluate-model"),
        pytest.param(["evaluate", "--dataset", "imagenet"], "data set called “imagenet”", id="evaluate-data-set"),
        pytest.param(["evaluate", "--dataset", "mnist"], "has not been downloaded", id="evaluate-not-downloaded"),
        pytest.param(["evaluate", "--dataset", "shapes"], "another input shape", id="evaluate-misfit"),
        pytest.param(["predict", "missing.png"], "no file missing.png", id="predict-file"),
        pytest.param(["predict", "."], "cannot be read as an image", id="predict-folder"),
        pytest.param(["predict", "missing.png", "--model", "oracle"], "trained network called “oracle”", id="predict-model"),
        pytest.param(["export", "nobody", "--to", "x"], "run called “nobody”", id="export"),
        pytest.param(["train", "--from", "missing.pt"], "missing.pt cannot be read", id="train-from-nothing"),
        pytest.param(["train", "--from", "README.md"], "README.md is not a file of weights", id="train-from-text"),
        pytest.param(["weights", "nobody", "--to", "x.pt"], "run called “nobody”", id="weights"),
        pytest.param(["weights", "nobody", "--to", "x.onnx"], "file extension of x.onnx is not one of a weights file", id="weights-kind"),
        pytest.param(["pack", "nobody", "--to", "x.zip"], "run called “nobody”", id="pack"),
        pytest.param(["unpack", "missing.zip"], "missing.zip cannot be read", id="unpack"),
        pytest.param(["unpack", "README.md"], "README.md is damaged or cut off", id="unpack-text"),
        pytest.param(["rename", "nobody", "x"], "run called “nobody”", id="rename"),
        pytest.param(["delete", "nobody"], "run called “nobody”", id="delete"),
        pytest.param(["undelete", "nobody"], "deleted run called “nobody”", id="undelete"),
        pytest.param(["undelete", "../../etc"], "deleted run called", id="undelete-path"),
        pytest.param(["curves", "nobody"], "run called “nobody”", id="curves"),
    ],
)
@pytest.mark.parametrize("json_too", [False, True], ids=["", "json"])
def test_an_error_is_one_line_with_status_2(words: list[str], message: str, json_too: bool) -> None:
    result = call(*words, *(["--json"] if json_too and words[0] != "export" else []))
    assert message in refusal(result)
    assert result.stdout == "" and all_runs() == []


def test_several_invalid_options_are_reported_together() -> None:
    line = refusal(call("train", "--optimizer", "magic", "--epochs", "-1", "--learning-rate", "nan", "--noise", "7"))
    for word in ("magic", "Epochs", "Learning rate", "noise"):
        assert word in line


@pytest.mark.parametrize("words", [["train", "--epochs", "many"], ["dance"], ["predict"], ["export", "x"], ["train", "--colour", "red"]], ids=" ".join)
def test_unknown_commands_end_with_status_2(words: list[str]) -> None:
    result = call(*words)
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.splitlines()[-1].startswith("Error: ")


def test_exporting_an_unfinished_run_is_refused(tmp_path: Path) -> None:
    run = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"))
    assert "not finished" in refusal(call("export", run.id, "--to", tmp_path / "mine"))


def test_a_diverging_run_is_reported_and_marked_as_failed(tmp_path: Path) -> None:
    layers = [{"type": "Flatten"}, *({"type": "Linear", "out_features": size} for size in (32, 32, 10))]
    (tmp_path / "steep.json").write_text(json.dumps({"name": "steep", "input_shape": [1, 28, 28], "layers": layers}))
    result = call(*QUICK, "--network", tmp_path / "steep.json", "--optimizer", "sgd", "--learning-rate", "100", "--schedule", "constant", "--json")
    (run,) = all_runs()
    line = refusal(result)
    assert "smaller learning rate" in line
    history = History(run).follow()
    assert history.state == "failed" and history.message in line


@pytest.mark.parametrize("option", [[], ["--json"]], ids=["plain", "json"])
def test_a_run_locked_by_another_process_is_not_resumed(option: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    run = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"))
    monkeypatch.setattr(lock, "LOCK_SECONDS", 0.01)
    with run.lock.hold():
        assert "another process" in refusal(call("resume", run.id, *option))


def test_a_damaged_run_is_not_resumed() -> None:
    run = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"))
    run.checkpoints.latest_path.write_bytes(b"garbage")
    assert "checkpoint" in refusal(call("resume", run.id, "--json"))
    (run.path / "config.json").write_text("{")
    assert "settings" in refusal(call("resume", run.id, "--json"))


def shell(*words: object) -> tuple[int, str, str]:
    """Run the module as a process of its own; return its exit status, output and errors."""
    command = [sys.executable, "-W", "error", "-m", "playground", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_module_runs_as_a_process() -> None:
    status, out, err = shell("--help")
    assert (status, err) == (0, "") and out.startswith("Usage: ")


def test_an_error_of_the_process_is_one_line_with_status_2(tmp_path: Path) -> None:
    """One that needs no torch, which takes seconds to import."""
    (tmp_path / "script.py").write_bytes(b"\xff")
    status, out, err = shell("tensors", tmp_path / "script.py")
    assert (status, out) == (2, "")
    assert err == f"Error: {tmp_path / 'script.py'} is not encoded as UTF-8. Save it as UTF-8 in your editor.\n"


def steps_of(run_id: str) -> list[tuple[int, float, float]]:
    return [(step.step, step.loss, step.learning_rate) for step in History(find(run_id)).follow().steps]


AUGMENTED = (
    "train", "--network", "mnist-mlp", "--epochs", 3, "--batch-size", 100, "--seed", 4, "--shift", 1, "--noise", 0.1, "--evaluate-every", 35, "--device", "cpu",
)  # fmt: skip


@pytest.mark.skipif(not CAN_FORK, reason="needs kill -9")
def test_a_killed_run_is_interrupted_and_resumes_bit_for_bit(forker: Forker) -> None:
    *_, whole = json_lines(call(*AUGMENTED, "--json"))
    expected = steps_of(whole["run"])
    assert len(expected) == 120

    pid, line = forker.start("tests.support.hanging:train", json.dumps([str(runs_folder()), [str(word) for word in AUGMENTED]]))
    with line:
        try:
            (run,) = until(lambda: [run for run in all_runs() if run.id != whole["run"]])
            until(lambda: History(run).follow().step == HANGS_AT)
            assert History(run).follow().state == "running"
        finally:
            os.kill(pid, signal.SIGKILL)
            while line.recv(1 << 16):  # what it printed; then the end of the process
                pass
    until(lambda: History(run).follow().state == "interrupted")  # a killed process may hold its lock a moment longer than its socket
    assert History(run).follow().step == HANGS_AT
    assert steps_of(run.id) == expected[:HANGS_AT]

    torch.manual_seed(99)
    *_, last = json_lines(call("resume", run.id, "--json"))
    _, resumed = (event for event in run.journal.events()[0] if isinstance(event, Started))
    assert CHECKPOINT_AT <= resumed.step < HANGS_AT  # from its last checkpoint: neither from the start nor from where it was killed
    assert steps_of(run.id) == expected
    assert last["run"] == run.id and last["test_accuracy"] == whole["test_accuracy"]
    assert {row["run"]: row["state"] for row in json_lines(call("runs", "--json"))} == {whole["run"]: "finished", run.id: "finished"}


def test_a_run_killed_before_its_first_checkpoint_starts_from_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted in this process: the generator is simply not asked for more."""
    from playground.runs.execution.worker import execute

    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", float("inf"))
    config = TrainConfig(network="mnist-mlp", epochs=1, batch_size=200, device="cpu", seed=6)
    whole, torn = create(config, preset("mnist-mlp")), create(config, preset("mnist-mlp"))
    call("resume", whole.id)
    events = execute(torn)
    for _ in range(8):
        next(events)
    events.close()
    with (torn.path / "events.jsonl").open("a") as file:
        file.write('{"kind": "step", "step": 8, "lo')  # torn by the crash
    assert History(torn).follow().state == "interrupted" and not torn.checkpoints.latest_path.exists()
    assert json_lines(call("resume", torn.id, "--json"))
    assert steps_of(torn.id) == steps_of(whole.id) and len(steps_of(torn.id)) == 20


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tensor scripts run in this process, as on a system that cannot fork: what is asked here is what is shown of them."""
    from playground.tensors import sandbox

    monkeypatch.setattr(sandbox, "CAN_FORK", False)


@pytest.fixture
def forked(forker: Forker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tensor scripts run in processes of their own, forked by the session's forking process: a command's own would import torch once more."""
    from playground.tensors import sandbox

    monkeypatch.setattr(sandbox, "Forker", lambda _prepare: SimpleNamespace(start=forker.start, close=lambda: None))


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a tensor script into a file."""

    def write(source: str) -> Path:
        (tmp_path / "script.py").write_text(source, encoding="utf-8")
        return tmp_path / "script.py"

    return write


def test_a_script_is_reported_as_json(forked: None, script: Callable[[str], Path]) -> None:
    source = 'x = torch.arange(6).view(2, 3)\ny = x.t()\nz = y * 0.5\nn = 3\nparts = x.chunk(2)\nprint("größe", n)'
    (report,) = json_lines(call("tensors", script(source), "--json"))
    assert report.keys() == {"names", "output", "figures", "warnings", "error"}
    assert (report["output"], report["warnings"], report["error"]) == ("größe 3\n", [], None)
    names = report["names"]
    assert list(names) == ["x", "y", "z", "n", "parts", "parts[0]", "parts[1]"]
    for name, tensor in {"x": torch.arange(6).view(2, 3), "y": torch.arange(6).view(2, 3).t(), "z": torch.arange(6).view(2, 3).t() * 0.5}.items():
        facts = names[name]
        assert (facts["shape"], facts["dtype"], facts["strides"]) == (list(tensor.shape), str(tensor.dtype)[6:], list(tensor.stride()))
        assert facts["values"] == tensor.tolist() and facts["device"] == "cpu"
    assert names["x"]["storage"] == names["y"]["storage"] == names["parts[1]"]["storage"] != names["z"]["storage"]
    assert (names["n"]["dtype"], names["n"]["values"], names["n"]["shape"], names["n"]["storage"]) == ("int", 3, None, None)


def test_non_finite_and_complex_values_of_a_script_are_strings_in_json(here: None, script: Callable[[str], Path]) -> None:
    source = 'x = torch.tensor([float("nan"), -float("inf"), 1.])\ny = torch.tensor([2**62])\nz = torch.tensor([1j])\nw = torch.empty(0, 2)'
    result = call("tensors", script(source), "--json")
    assert "NaN" not in result.stdout and "Infinity" not in result.stdout
    (report,) = json_lines(result)
    assert {name: facts["values"] for name, facts in report["names"].items()} == {"x": ["nan", "-inf", 1.0], "y": [str(2**62)], "z": ["0+1j"], "w": []}


def test_the_error_of_a_script_is_explained_in_json(here: None, script: Callable[[str], Path]) -> None:
    source = "größe = torch.ones(2, 3)\nprint('é'); y = größe + torch.ones(2)"
    (report,) = json_lines(call("tensors", script(source), "--json"))
    error = report["error"]
    assert (error["line"], source[error["start"] : error["end"]]) == (2, "größe + torch.ones(2)")
    assert "must match" in error["message"] and "compared from the right" in error["explanation"]
    assert error["alignment"]["wrong"] == [1] and [row["sizes"] for row in error["alignment"]["rows"]] == [[2, 3], [None, 2]]
    fix = error["fix"]
    assert fix == error["fixes"][0]
    (mended,) = json_lines(call("tensors", script(source[: fix["start"]] + fix["text"] + source[fix["end"] :]), "--json"))
    assert mended["error"] is None and report["output"] == "é\n" and list(report["names"]) == ["größe"]


def test_a_script_is_reported_as_text(forked: None, script: Callable[[str], Path]) -> None:
    result = call("tensors", script('x = torch.tensor([[1, 2], [3, 4]])\nn = torch.tensor(5)\nname = "ä"\nprint("hello")'))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == ["hello", "x: int64 (2, 2)  [[1, 2], [3, 4]]", "n: int64 ()  5", "name: str 'ä'"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        pytest.param("x = torch.ones(2)\ny = x + torch.ones(3)", "Line 2: The size of tensor a (2) must match", id="shapes"),
        pytest.param("x = torch.ones(2", "Line 1: Python cannot parse this", id="syntax"),
        pytest.param("\nx = nowhere", "Line 2: The name `nowhere` is not defined.", id="name"),
        pytest.param("import socket", "Line 1: `import socket` is not available", id="import"),
        pytest.param("print('before')\nwhile True:\n    pass", "stopped after", id="endless"),
        pytest.param("x = torch.ones(10**9)", "MiB", id="memory"),
    ],
)
def test_the_error_of_a_script_is_one_line_with_status_2(here: None, source: str, message: str, script: Callable[[str], Path]) -> None:
    assert message in refusal(call("tensors", script(source)))


def test_tensors_from_before_an_error_are_printed(here: None, script: Callable[[str], Path]) -> None:
    result = call("tensors", script("print('before')\nx = torch.tensor(3)\nx[1, 2]"))
    assert result.stdout == "before\nx: int64 ()  3\n"
    assert "Line 3" in refusal(result)


@pytest.mark.parametrize("option", [[], ["--json"]], ids=["plain", "json"])
def test_a_script_is_read_from_standard_input(here: None, option: list[str]) -> None:
    result = CliRunner().invoke(main, ["tensors", "-", *option], input="größe = torch.zeros(2)\n", catch_exceptions=False)
    assert result.exit_code == 0 and result.stderr == ""
    assert json.loads(result.stdout)["names"]["größe"]["values"] == [0, 0] if option else result.stdout == "größe: float32 (2,)  [0.0, 0.0]\n"


def test_an_empty_script_is_accepted(here: None, script: Callable[[str], Path]) -> None:
    assert json_lines(call("tensors", script(""), "--json")) == [{"names": {}, "output": "", "figures": [], "warnings": [], "error": None}]
    assert call("tensors", script("")).stdout == ""


def test_a_script_with_a_byte_order_mark_and_windows_line_ends_is_accepted(here: None, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_bytes("\ufeffx = torch.zeros(2)\r\ny = x + 1\r\n".encode())
    (report,) = json_lines(call("tensors", tmp_path / "script.py", "--json"))
    assert report["error"] is None and report["names"]["y"]["values"] == [1.0, 1.0]


def test_a_file_that_is_no_text_is_refused(here: None, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_bytes(b"x = '\xff\xfe'")
    refusal(call("tensors", tmp_path / "script.py"))


def test_a_lone_surrogate_in_a_script_is_refused(here: None, script: Callable[[str], Path]) -> None:
    """A text that UTF-8 cannot write cannot be shown."""
    result = call("tensors", script("x = '\\ud800'\nprint(x)"), "--json")
    assert result.exit_code == 0 and "surrogate" in json.loads(result.stdout)["error"]["message"]


@pytest.mark.parametrize("option", [[], ["--json"]], ids=["plain", "json"])
def test_a_script_that_exceeds_its_time_limit_is_reported(
    forked: None, option: list[str], script: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from playground.tensors import sandbox

    monkeypatch.setattr(sandbox, "processor_seconds", lambda: 0.001)
    monkeypatch.setattr(sandbox, "WALL_CLOCK_FACTOR", 100_000)
    result = call("tensors", script("for i in range(10_000):\n    x = torch.rand(25, 40)"), *option)
    if option:
        (report,) = json_lines(result)
        assert "took longer" in report["error"]["message"] and report["names"] == {}
    else:
        assert "took longer" in refusal(result) and "None" not in result.stderr


def test_autograd_prints_the_graph_of_a_script(forked: None, script: Callable[[str], Path]) -> None:
    path = script("x = torch.ones(2, 2, requires_grad=True)\ny = x + 2\nz = y * y * 3\nout = z.mean()\nout.backward()")
    report = json.loads(call("autograd", path, "--json").stdout)
    assert report["names"]["x"] | {"value": [[1.0, 1.0], [1.0, 1.0]], "grad": [[4.5, 4.5], [4.5, 4.5]]} == report["names"]["x"]
    assert [node["op"] for node in report["graph"]["nodes"]] == ["AccumulateGrad", "AddBackward0", "MulBackward0", "MulBackward0", "MeanBackward0"]
    assert [step["kind"] for step in report["steps"]] == ["forward"] * 4 + ["backward"] * 5
    assert report["error"] is None
    result = call("autograd", path)
    assert result.exit_code == 0 and "MeanBackward0" in result.stdout


def test_the_error_of_backward_is_explained(forked: None, script: Callable[[str], Path]) -> None:
    result = call("autograd", script("x = torch.ones(2, requires_grad=True)\n(x * 2).backward()"))
    assert result.exit_code == 2 and "needs a single number" in result.stderr


def test_a_network_is_described_by_name_from_json_and_from_code(tmp_path: Path) -> None:
    report = json.loads(call("network", "tutorial-cnn", "--json").stdout)
    assert report["totals"]["parameters"] == 108_618 and report["error"] is None
    assert report["layers"][0] == {
        "type": "Conv2d",
        "params": {"out_channels": 16, "kernel_size": 3},
        "in_shape": [1, 28, 28],
        "out_shape": [16, 26, 26],
        "parameters": 160,
    }
    code = tmp_path / "net.py"
    for style in ("--code", "--sequential"):
        code.write_text(call("network", "tutorial-cnn", style).stdout, encoding="utf-8")
        again = json.loads(call("network", code, "--json").stdout)
        assert [layer["out_shape"] for layer in again["layers"]] == [layer["out_shape"] for layer in report["layers"]]
        assert again["layers"][0] == report["layers"][0]
    saved = tmp_path / "net.json"
    saved.write_text(preset("tutorial-cnn").to_json(), encoding="utf-8")
    assert json.loads(call("network", saved, "--json").stdout) == report
    output = call("network", saved).stdout
    assert "(3·3·1 + 1)·16 = 160" in output and "108,618 parameters" in output


def test_the_input_shape_of_code_can_be_an_option(tmp_path: Path) -> None:
    code = tmp_path / "net.py"
    code.write_text("net = nn.Sequential(nn.Flatten(), nn.Linear(300, 2))", encoding="utf-8")
    report = json.loads(call("network", code, "--input-shape", "3,10,10", "--json").stdout)
    assert report["input_shape"] == [3, 10, 10] and report["layers"][0]["out_shape"] == [300]
    assert "is not a shape" in refusal(call("network", code, "--input-shape", "wide"))


def test_invalid_networks_are_refused(tmp_path: Path) -> None:
    assert "There is no network called" in refusal(call("network", "nothing"))
    broken = tmp_path / "net.json"
    broken.write_text('{"name": "a"', encoding="utf-8")
    assert "not JSON" in refusal(call("network", broken))
    broken.write_text("nn.Sequential(nn.Linear(10, 2), nn.Linear(3, 2))", encoding="utf-8")
    assert "Line 1" in refusal(call("network", broken))
    misfit = NetworkSpec("a", (1, 4, 4), (LayerSpec("Conv2d", {"kernel_size": 9}),))
    broken.write_text(misfit.to_json(), encoding="utf-8")
    assert "Layer 0 (Conv2d)" in refusal(call("network", broken))
    assert json.loads(call("network", broken, "--json").stdout)["error"].startswith("Layer 0 (Conv2d)")
