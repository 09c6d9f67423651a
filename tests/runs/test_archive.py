"""Archives of runs: an exported run can be imported, and malicious archives are refused."""

from __future__ import annotations

import base64
import csv
import io
import json
import math
import random
import re
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from playground import environment
from playground.data.augmentation import Augmentation
from playground.device import BEST
from playground.errors import CheckpointError, DivergedError, PlaygroundError, RunError
from playground.inference.models import load_model
from playground.network.build import build
from playground.network.presets import preset
from playground.network.spec import LayerSpec, NetworkSpec
from playground.runs.branching import fork
from playground.runs.execution.commands import Command, Commands
from playground.runs.execution.worker import execute
from playground.runs.history import History
from playground.runs.labels import Label, label, relabel
from playground.runs.run import Run, all_runs, create
from playground.runs.sharing import archive as sharing
from playground.runs.sharing.archive import as_csv, as_zip, from_zip
from playground.runs.sharing.weights import create_from_weights, weights_of
from playground.runs.sharing.weights_import import import_weights
from playground.runs.start import start_weights
from playground.training import loop
from playground.training.config import TrainConfig
from playground.training.events import Created, Event, Failed, Paused, Started, Step, Stopped

from ..support.tiers import repetitions
from .archives import OUTSIDE, SYMLINK, changed, entries, packed, saved, with_entry
from .small import SMALL

OWNER = "0123456789abcdef-owner"
CONFIG = TrainConfig(network=SMALL.name, epochs=0.4, batch_size=200, evaluate_every=3, device="cpu", seed=5)
"""Eight steps."""


@pytest.fixture(scope="session")
def trained(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Train a run with a checkpoint at every evaluation; the tests share it and do not change it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_DATA", str(data_folder))
        patch.setenv("PLAYGROUND_RUNS", str(tmp_path_factory.mktemp("trained")))
        patch.setattr(loop, "EVALUATED_SECONDS", -1.0)
        run = create(CONFIG, SMALL, OWNER)
        for _ in execute(run):
            pass
        relabel(run, "größte", "a note")
        return run


@pytest.fixture(scope="session")
def archive(trained: Run) -> bytes:
    return content_of(trained)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the archive of a run that was stopped before its first step, with every text file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_RUNS", str(tmp_path_factory.mktemp("small")))
        run = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"), OWNER)
        run.journal.append(Stopped(5.0, 0))
        relabel(run, "small")
        return content_of(run)


def content_of(run: Run) -> bytes:
    with as_zip(run) as file:
        return file.read()


def names(content: bytes) -> set[str]:
    """Return the names of an archive's files without the folder."""
    return {name.partition("/")[2] for name in entries(content)}


def edited(content: bytes, file: str, edit: Callable[[bytes], bytes | None]) -> bytes:
    """Return the archive with one file changed or removed."""
    assert file in names(content)
    return changed(content, lambda name, old: edit(old) if name.partition("/")[2] == file else old, zipfile.ZIP_DEFLATED)


def run_folders() -> list[Path]:
    folder = environment.runs_folder()
    return list(folder.iterdir()) if folder.exists() else []


def refusal(content: bytes | Path) -> str:
    """Return the message with which an archive is refused; check that no files remain."""
    with pytest.raises(PlaygroundError) as caught:
        from_zip(content, "ada", "mine.zip")
    assert run_folders() == []
    assert len(str(caught.value)) < 1000 and str(caught.value).encode()
    return str(caught.value)


def steps_of(run: Run) -> list[tuple[int, float, float, float]]:
    return [(step.step, step.loss, step.accuracy, step.learning_rate) for step in History(run).follow().steps]


def test_the_archive_contains_these_files(trained: Run, archive: bytes) -> None:
    assert names(archive) == {
        "README.txt", "config.json", "network.json", "network.py", "curves.csv", "events.jsonl", "snapshots.jsonl", "closeup.json", "label.json",
        "checkpoint.pt", "checkpoints/00000003.pt", "checkpoints/00000006.pt",
    }  # fmt: skip
    assert {name.partition("/")[0] for name in entries(archive)} == {trained.id}
    for content in entries(archive).values():
        assert OWNER.encode() not in content
    assert zipfile.ZipFile(io.BytesIO(archive)).testzip() is None


def test_an_imported_run_equals_the_exported_one(trained: Run, archive: bytes) -> None:
    run = from_zip(archive, "bob")
    assert run.id != trained.id and all_runs() == [run]
    assert (run.owner, run.config, run.network, label(run)) == ("bob", trained.config, trained.network, Label("größte", "a note"))
    history, before = History(run).follow(), History(trained).follow()
    assert history.state == "finished" and steps_of(run) == steps_of(trained) and len(history.steps) == 8
    assert (history.evaluations, history.observations, history.finished) == (before.evaluations, before.observations, before.finished)
    assert history.created is not None and before.created is not None and history.created.time == before.created.time
    assert run.journal.snapshots() == trained.journal.snapshots() and run.journal.snapshots()
    assert run.checkpoints.steps() == trained.checkpoints.steps() == [3, 6, 8]
    for step in (None, 3, 6, 8):
        actual, expected = weights_of(run, step), weights_of(trained, step)
        assert actual.keys() == expected.keys() and all(torch.equal(actual[name], expected[name]) for name in expected)
    assert as_csv(run) == as_csv(trained)


def test_predictions_of_an_imported_run_are_the_same(trained: Run, archive: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.randint(0, 256, (20, 1, 28, 28), dtype=torch.uint8)
    run = from_zip(archive)
    actual = load_model(run.id).probabilities(images)
    monkeypatch.setenv("PLAYGROUND_RUNS", str(trained.path.parent))
    assert torch.equal(actual, load_model(trained.id).probabilities(images))


def test_an_imported_run_is_exported_unchanged(archive: bytes) -> None:
    again = content_of(from_zip(archive))
    first, second = entries(archive), entries(again)
    changing = {"checkpoint.pt", "checkpoints/00000003.pt", "checkpoints/00000006.pt"}  # each has a number of its own
    assert names(again) == names(archive)
    for name, content in first.items():
        file = name.partition("/")[2]
        if file not in changing:
            assert next(other for key, other in second.items() if key.endswith(f"/{file}")) == content, file


def train_until(run: Run, step: int) -> None:
    """Train up to a step, as a process that dies after it."""
    events = execute(run)
    assert any(isinstance(event, Step) and event.step == step for event in events)
    events.close()  # type: ignore[attr-defined]


def interrupted(seconds: float, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a run whose process died after the fifth step, with its last checkpoint at the third."""
    monkeypatch.setattr(loop, "EVALUATED_SECONDS", seconds)
    run = create(CONFIG, SMALL, OWNER)
    train_until(run, 5)
    return run


def test_an_imported_interrupted_run_resumes_to_the_last_bit(trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    torn = interrupted(-1.0, monkeypatch)
    assert History(torn).follow().state == "interrupted" and torn.checkpoints.steps() == [3]
    run = from_zip(content_of(torn), "bob")
    assert History(run).follow().state == "interrupted"
    torch.manual_seed(99)
    for _ in execute(run):
        pass
    assert steps_of(run) == steps_of(trained) and History(run).follow().state == "finished"
    assert steps_of(from_zip(content_of(run))) == steps_of(trained)  # whose record tells of its fourth step twice
    expected = weights_of(trained)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights_of(run).items())


def started(step: int = 0) -> Started:
    return Started(5.0, step, 8, 20, "cpu", 1)


@pytest.mark.parametrize(
    ("events", "state"),
    [
        pytest.param([], "stopped", id="queued"),
        pytest.param([started()], "interrupted", id="running"),
        pytest.param([started(), Paused(0)], "interrupted", id="paused"),
        pytest.param([started(), Stopped(6.0, 0)], "stopped", id="stopped"),
        pytest.param([started(), Failed(6.0, "why", "where")], "failed", id="failed"),
    ],
)
def test_an_imported_run_keeps_its_state_and_can_be_resumed(events: list[Event], state: str) -> None:
    source = create(CONFIG, SMALL, OWNER)
    source.journal.extend(events)
    with source.lock.hold():
        content = content_of(source)
    run = from_zip(content, "bob")
    assert History(run).follow().state == state
    for _ in execute(run):
        pass
    assert History(run).follow().state == "finished"


def test_a_running_run_can_be_exported(trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record reaches at least to the last checkpoint."""
    monkeypatch.setattr(loop, "EVALUATED_SECONDS", -1.0)
    run = create(CONFIG, SMALL, OWNER)
    for event in execute(run):
        if isinstance(event, Step) and event.step in (4, 7):
            copy = from_zip(content_of(run))
            state = copy.checkpoints.load()
            assert state is not None and state["step"] <= History(copy).follow().step
    assert steps_of(run) == steps_of(trained)


def test_forks_and_runs_from_weights_can_be_imported(trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    child = fork(trained, 6, {"learning_rate": 0.001}, OWNER)
    copy = from_zip(content_of(child), "bob")
    assert steps_of(copy) == steps_of(trained)[:6] and copy.checkpoints.steps() == [6]
    created = next(copy.journal.events()[0])
    assert created == Created(created.time, "bob")  # type: ignore[attr-defined]  # the parent and its race stayed where they were
    begun = create_from_weights(CONFIG, SMALL, weights_of(trained), OWNER)
    again = start_weights(from_zip(content_of(begun)))
    expected = start_weights(begun)
    assert again is not None and expected is not None
    assert again.keys() == expected.keys() and all(torch.equal(again[name], expected[name]) for name in again)


def test_start_weights_evaluated_before_the_first_step_can_be_imported(trained: Run) -> None:
    run, notes = import_weights(CONFIG, SMALL, weights_of(trained), OWNER)
    assert notes == ()
    (evaluations,) = History(run).follow().evaluations
    _heading, row = as_csv(run).splitlines()
    assert row == f"0,0,,,,,{evaluations.test_loss},{evaluations.test_accuracy}"
    copied = History(from_zip(content_of(run))).follow()
    assert copied.evaluations == [evaluations] and copied.state == "stopped"


def test_a_close_up_can_be_imported() -> None:
    run = create(CONFIG, SMALL, OWNER)
    commands = io.StringIO("".join(f"{Command(name).to_json(run)}\n" for name in ("step", "stop")))
    for _ in execute(run, Commands(commands)):
        pass
    assert run.journal.closeup() is not None
    assert from_zip(content_of(run)).journal.closeup() == run.journal.closeup()


def test_a_run_with_whitening_can_be_resumed_after_import(monkeypatch: pytest.MonkeyPatch) -> None:
    config = replace(CONFIG, whiten=True, optimizer="muon", augment=Augmentation(shift=1))
    monkeypatch.setattr(loop, "EVALUATED_SECONDS", -1.0)
    network = replace(SMALL, layers=SMALL.layers[1:])  # whitening needs a convolution first
    whole, torn = create(config, network), create(config, network)
    for _ in execute(whole):
        pass
    train_until(torn, 5)
    run = from_zip(content_of(torn))
    for _ in execute(run):
        pass
    assert steps_of(run) == steps_of(whole) and len(steps_of(run)) == 8


def test_a_diverged_run_can_be_imported() -> None:
    steep = NetworkSpec("steep", (1, 28, 28), (LayerSpec("Flatten"), *(LayerSpec("Linear", {"out_features": size}) for size in (32, 32, 10))))
    run = create(TrainConfig(network="steep", epochs=1, optimizer="sgd", learning_rate=100, schedule="constant", device="cpu"), steep)
    with pytest.raises(DivergedError):
        list(execute(run))
    history = History(run).follow()
    copied = History(from_zip(content_of(run))).follow()
    assert copied.diverged == history.diverged is not None and copied.state == "failed" and copied.message == history.message


def test_the_files_can_be_used_without_the_playground(archive: bytes, trained: Run, tmp_path: Path) -> None:
    """As in README.txt of the archive."""
    zipfile.ZipFile(io.BytesIO(archive)).extractall(tmp_path)
    folder = tmp_path / trained.id
    readme = (folder / "README.txt").read_text(encoding="utf-8")
    lines = "\n".join(line.strip() for line in re.findall(r"^    (?!python)(.*)$", readme, re.MULTILINE))
    assert "load_state_dict" in lines and "MNIST" in readme
    inputs = torch.ones(2, 1, 28, 28)
    torch.save(inputs, folder / "inputs.pt")
    script = f"import torch\n{lines}\ntorch.save(network(torch.load('inputs.pt')).detach(), 'out.pt')"
    subprocess.run([sys.executable, "-c", script], cwd=folder, check=True, timeout=120)
    network = build(trained.network)
    network.load_state_dict(weights_of(trained))
    assert torch.allclose(torch.load(folder / "out.pt", weights_only=True), network.eval()(inputs), atol=1e-6)
    assert (folder / "curves.csv").read_text() == as_csv(trained)


def test_curves_are_exported_as_csv(trained: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(trained))))
    assert list(rows[0]) == ["step", "epoch", "seconds", "loss", "accuracy", "learning_rate", "test_loss", "test_accuracy"]
    history = History(trained).follow()
    for row, step in zip(rows, history.steps, strict=True):
        assert (int(row["step"]), float(row["loss"]), float(row["accuracy"])) == (step.step, step.loss, step.accuracy)
        assert (float(row["learning_rate"]), float(row["seconds"]), float(row["epoch"])) == (step.learning_rate, step.seconds, step.step / 20)
    evaluations = {int(row["step"]): (float(row["test_loss"]), float(row["test_accuracy"])) for row in rows if row["test_loss"]}
    assert evaluations == {event.step: (event.test_loss, event.test_accuracy) for event in history.evaluations} and list(evaluations) == [3, 6, 8]


def test_the_csv_of_a_run_without_steps_has_only_a_heading() -> None:
    assert as_csv(create(CONFIG, SMALL)) == "step,epoch,seconds,loss,accuracy,learning_rate,test_loss,test_accuracy\n"


def test_a_full_disk_during_export_raises_an_error(trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sharing.shutil, "copyfileobj", full)
    with pytest.raises(RunError, match="could not be exported: No space left"):
        as_zip(trained)


def test_a_full_disk_during_import_raises_an_error(archive: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sharing.shutil, "copyfileobj", full)
    assert "could not be written" in refusal(archive)


# What others may send.


def test_the_small_archive_can_be_imported(small: bytes) -> None:
    """So the archives below are refused because of their changes."""
    run = from_zip(changed(small, lambda _name, content: content))
    assert label(run) == Label("small") and History(run).follow().state == "stopped"


def test_a_repacked_archive_can_be_imported(archive: bytes) -> None:
    """By hand, under another name, without a folder, or by a system that adds files."""
    files = entries(archive)
    for folder in ("my run/", ""):
        repacked = packed({f"{folder}{name.partition('/')[2]}": content for name, content in files.items()}, zipfile.ZIP_DEFLATED)
        assert len(steps_of(from_zip(with_entry(repacked, f"__MACOSX/{folder}._config.json")))) == 8


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "mine.zip is empty", id="empty"),
        pytest.param(b"hello", "mine.zip is damaged or cut off", id="text"),
        pytest.param(packed({}), "does not contain config.json, so it is not an exported run", id="empty archive"),
        pytest.param(packed({"a.txt": b"x"}), "does not contain config.json, so it is not an exported run", id="another archive"),
        pytest.param(saved({"a": torch.ones(2)}), "does not contain config.json, so it is not an exported run", id="weights"),
    ],
)
def test_a_file_that_is_no_archive_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    assert message in refusal(content)
    (tmp_path / "mine.zip").write_bytes(content)
    assert message in refusal(tmp_path / "mine.zip")


def test_a_missing_archive_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "mine.zip")


@pytest.mark.parametrize("file", ["config.json", "network.json", "events.jsonl", "checkpoint.pt"])
def test_an_archive_without_a_required_file_is_refused(archive: bytes, file: str) -> None:
    assert f"does not contain {file}" in refusal(edited(archive, file, lambda _: None))


@pytest.mark.parametrize("file", ["label.json", "snapshots.jsonl", "README.txt", "network.py", "curves.csv", "checkpoints/00000003.pt"])
def test_optional_files_may_be_missing(archive: bytes, file: str) -> None:
    assert History(from_zip(edited(archive, file, lambda _: None))).follow().state == "finished"


def document(**changes: object) -> Callable[[bytes], bytes]:
    """Return a function that changes the JSON object in a file."""
    return lambda content: json.dumps({**json.loads(content), **changes}).encode()


@pytest.mark.parametrize(
    ("file", "edit", "message"),
    [
        pytest.param("config.json", lambda _: b"{", "config.json in mine.zip is not in the format that the playground writes", id="torn config"),
        pytest.param("config.json", lambda _: b"[" * 100_000, "config.json in mine.zip is not in the format", id="deep config"),
        pytest.param("config.json", lambda _: b"\xff", "config.json in mine.zip is not in the format", id="config that is no text"),
        pytest.param("config.json", lambda _: b"3", "Settings must be a JSON object", id="config that is a number"),
        pytest.param("config.json", document(quantum=True), "another version. There is no setting called “quantum”", id="a later config"),
        pytest.param("config.json", document(epochs=float("nan")), "Epochs must be", id="epochs"),
        pytest.param("config.json", document(epochs=10**400), "config.json in mine.zip", id="epochs beyond all numbers"),
        pytest.param("config.json", document(dataset="../../etc"), "data set called", id="data set"),
        pytest.param("config.json", document(dataset="shapes"), "takes input of shape", id="data of another shape"),
        pytest.param("config.json", document(augment=[1]), "“augment” must be an object", id="augmentation"),
        pytest.param("config.json", lambda content: content + b" " * 1_000_000, "config.json in mine.zip has more than 1 MB", id="long config"),
        pytest.param("network.json", document(version=99), "version 99 of the format", id="a later network"),
        pytest.param("network.json", document(layers=[{"type": "Dance"}]), "Dance", id="unknown layer"),
        pytest.param("network.json", document(layers=[{"type": "Flatten"}]), "ends in shape", id="network of other data"),
        pytest.param("network.json", document(layers=[{"type": "Flatten"}, {"type": "Linear", "out_features": 1 << 40}]), "out_features", id="huge network"),
        pytest.param("network.json", lambda _: b"\xff", "network.json in mine.zip is not in the format", id="network that is no text"),
        pytest.param("events.jsonl", lambda _: b"", "does not begin with the event that created the run", id="no events"),
        pytest.param("events.jsonl", lambda _: b"nonsense\n", "does not begin with the event that created the run", id="nonsense for events"),
        pytest.param("events.jsonl", lambda content: content.partition(b"\n")[2], "does not begin with the event that created the run", id="no first event"),
    ],
)
def test_an_invalid_text_file_is_refused(small: bytes, file: str, edit: Callable[[bytes], bytes], message: str) -> None:
    assert message in refusal(edited(small, file, edit))


def test_a_damaged_label_is_ignored(small: bytes) -> None:
    assert label(from_zip(edited(small, "label.json", lambda _: b"{"))) == Label()


def test_an_unknown_device_becomes_the_best_one(small: bytes) -> None:
    run = from_zip(edited(small, "config.json", document(device="cuda:7")))
    assert run.config.device == BEST


def test_settings_of_earlier_versions_can_be_imported(small: bytes) -> None:
    def without(content: bytes) -> bytes:
        return json.dumps({name: value for name, value in json.loads(content).items() if name not in ("inputs", "initialisation")}).encode()

    assert from_zip(edited(small, "config.json", without)).config == TrainConfig(network="mnist-mlp")


def with_line(line: str) -> Callable[[bytes], bytes]:
    """Return a function that appends a line to the record."""
    return lambda content: content + line.encode() + b"\n"


def event(kind: str, **fields: object) -> str:
    return json.dumps({"kind": kind, **fields})


def column(*numbers: float) -> str:
    """Encode columns of steps as a record does."""
    return base64.b64encode(struct.pack(f"<{len(numbers)}d", *numbers)).decode()


STEP: dict[str, Any] = {"step": 1, "loss": 1.0, "accuracy": 0.5, "learning_rate": 0.1, "seconds": 1.0, "rate": 10.0}
STEPS: dict[str, Any] = {"first": 1, "loss": [1.0], "accuracy": [0.5], "learning_rate": [0.1], "seconds": [1.0], "rate": [10.0]}
OBSERVED: dict[str, Any] = {
    "step": 1, **{name: [None] * 4 for name in ("gradient", "weight", "update", "mean", "std", "dead")}, "input_mean": 0.0, "input_std": 1.0,
}  # fmt: skip
EVALUATED: dict[str, Any] = {"step": 1, "epoch": 1.0, "train_loss": 1, "train_accuracy": 1, "test_loss": 1, "test_accuracy": 1, "seconds": 1.0}


def test_the_small_archive_has_this_network(small: bytes) -> None:
    assert len(preset("mnist-mlp").layers) == 4


@pytest.mark.parametrize(
    "line",
    [
        event("step", **STEP), event("steps", **STEPS), event("steps", first=1, columns=column(*[1.0] * 5)),
        event("observed", **OBSERVED), event("evaluated", **EVALUATED),
        event("evaluated", **EVALUATED, named=[1] * 10, right=[0] * 10),
    ],
)  # fmt: skip
def test_valid_events_are_imported(small: bytes, line: str) -> None:
    assert len(list(from_zip(edited(small, "events.jsonl", with_line(line))).journal.events()[0])) == 3


def test_a_second_created_event_is_ignored(small: bytes) -> None:
    """The importing browser owns the run, whatever later records say."""
    run = from_zip(edited(small, "events.jsonl", with_line(event("created", time=9.0, owner="eve", race="mine"))), "bob")
    assert run.owner == "bob" and [type(each) for each in run.journal.events()[0]] == [Created, Stopped]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "nonsense",
        "[1]",
        event("later", step=[1]),
        event("step", step=1),
        event("step", **STEP, more=1),
        '{"kind": []}',
        "[" * 100_000,
        '{"kind": "step", "st',
        event("steps", **STEPS | {"loss": [1.0, 2.0]}),
        event("steps", **STEPS | {"loss": 3}),
        event("steps", first=1, columns=column(*[1.0] * 6)),
        event("steps", first=1, columns=column(*[1.0] * 5)[:-1]),
        event("steps", first=1, columns="?" * 56),
        event("steps", first=1, columns=[1.0] * 5),
        event("steps", first=1, columns=column(*[1.0] * 5), loss=[1.0]),
    ],
    ids=lambda line: line[:20] or "blank",
)
def test_lines_that_are_no_events_are_skipped(small: bytes, line: str) -> None:
    """Crashes tear lines, and later versions write other events."""
    assert len(list(from_zip(edited(small, "events.jsonl", with_line(line))).journal.events()[0])) == 2


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(event("step", **STEP | {"loss": float("nan")}), id="not a number"),
        pytest.param(event("step", **STEP | {"loss": 1e400}), id="infinite"),
        pytest.param(event("step", **STEP | {"loss": 10**400}), id="beyond all numbers"),
        pytest.param(event("step", **STEP | {"loss": "1"}), id="a text for a number"),
        pytest.param(event("step", **STEP | {"loss": None}), id="nothing for a number"),
        pytest.param(event("step", **STEP | {"step": 1.5}), id="half a step"),
        pytest.param(event("step", **STEP | {"step": True}), id="true for a step"),
        pytest.param(event("step", **STEP | {"step": 10**30}), id="a step that is not reached"),
        pytest.param(event("step", **STEP | {"step": 0}), id="a step before the first"),
        pytest.param(event("step", **STEP) + "\n" + event("step", **STEP), id="a step twice"),
        pytest.param(event("steps", **STEPS | {name: [] for name in ("loss", "accuracy", "learning_rate", "seconds", "rate")}), id="no steps"),
        pytest.param(event("steps", **STEPS | {"loss": [None]}), id="nothing in a column"),
        pytest.param(event("steps", first=1, columns=column(1.0, 0.5, 0.1, 0.1, math.nan)), id="not a number in a packed column"),
        pytest.param(event("steps", first=0, columns=column(*[1.0] * 5)), id="packed columns before the first step"),
        pytest.param(event("steps", **STEPS) + "\n" + event("step", **STEP), id="a step again"),
        pytest.param(event("observed", **OBSERVED | {"mean": [0.0]}), id="too few layers"),
        pytest.param(event("observed", **OBSERVED | {"dead": ["<script>"] * 4}), id="texts for layers"),
        pytest.param(event("evaluated", **EVALUATED, named=[1], right=[1]), id="too few classes"),
        pytest.param(event("evaluated", **EVALUATED, named=[1] * 10), id="classes of one kind only"),
        pytest.param(event("started", time=1e299, step=0, total_steps=1, steps_per_epoch=1, device="cpu", threads=1), id="a time that never comes"),
        pytest.param(event("failed", time=1.0, message=["why"], traceback=""), id="a list for a text"),
        pytest.param(event("snapshot", step=1, histograms=[{"low": float("inf")}] * 4, gallery=[], filters=None), id="infinite in a picture"),
    ],
)
def test_invalid_events_are_refused(small: bytes, line: str) -> None:
    assert "events.jsonl in mine.zip is damaged: line" in refusal(edited(small, "events.jsonl", with_line(line)))


def test_a_too_long_line_is_refused(small: bytes) -> None:
    text = random.Random(1).randbytes(4_100_000).hex()
    assert "damaged: line 3" in refusal(edited(small, "events.jsonl", with_line(event("failed", time=1.0, message=text, traceback=""))))


def with_state(**changes: object) -> Callable[[bytes], bytes]:
    """Return a function that changes the training state in a file."""

    def edit(content: bytes) -> bytes:
        state = torch.load(io.BytesIO(content), weights_only=True)
        return saved({**state, **{name: change(state[name]) if callable(change) else change for name, change in changes.items()}})

    return edit


class Code:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return Path, ("never",)


@pytest.mark.parametrize("file", ["checkpoint.pt", "checkpoints/00000003.pt"])
@pytest.mark.parametrize(
    ("edit", "message"),
    [
        pytest.param(lambda _: b"", "damaged", id="empty"),
        pytest.param(lambda _: b"garbage", "damaged", id="garbage"),
        pytest.param(lambda content: content[:-100], "damaged", id="cut"),
        pytest.param(lambda _: saved([1]), "not a checkpoint of the playground, or one of another version", id="no dictionary"),
        pytest.param(with_state(format=99), "one of another version", id="a later version"),
        pytest.param(with_state(network="{}"), "belongs to another network", id="another network"),
        pytest.param(with_state(weights={}), "belongs to another network", id="no weights"),
        pytest.param(with_state(weights=3), "belongs to another network", id="a number for weights"),
        pytest.param(with_state(weights=lambda old: {name: tensor.unsqueeze(0) for name, tensor in old.items()}), "belongs to another network", id="shapes"),
        pytest.param(with_state(weights=lambda old: {name: tensor.double() for name, tensor in old.items()}), "belongs to another network", id="kinds"),
        pytest.param(with_state(weights=lambda old: dict.fromkeys(old, 1.0)), "belongs to another network", id="numbers for tensors"),
        pytest.param(with_state(step="3"), "damaged", id="a text for the step"),
        pytest.param(with_state(step=-1), "damaged", id="a step before the first"),
        pytest.param(with_state(step=True), "damaged", id="true for the step"),
        pytest.param(with_state(images_processed="3"), "damaged", id="a text for the processed images"),
        pytest.param(with_state(seconds=float("nan")), "damaged", id="no time"),
        pytest.param(with_state(learning_rate=None), "damaged", id="no learning rate"),
        pytest.param(with_state(more=Code()), "contains more than weights", id="code"),
    ],
)
def test_an_invalid_checkpoint_is_refused(archive: bytes, file: str, edit: Callable[[bytes], bytes], message: str) -> None:
    refusal_message = refusal(edited(archive, file, edit))
    assert message in refusal_message and file in refusal_message


def test_a_checkpoint_is_written_again_on_import(archive: bytes) -> None:
    """So that later readers see the validated content only."""
    run = from_zip(edited(archive, "checkpoint.pt", lambda content: with_entry(content, "archive/extra", b"x" * 5000)))
    assert b"x" * 5000 not in run.checkpoints.latest_path.read_bytes()


def test_start_weights_that_do_not_fit_are_refused(archive: bytes, trained: Run) -> None:
    folder = f"{trained.id}/"
    assert "start.safetensors" in refusal(with_entry(archive, f"{folder}start.safetensors", b"garbage"))
    assert "do not fit" in refusal(with_entry(archive, f"{folder}start.safetensors", saved({"a": torch.ones(2)})))


@pytest.mark.parametrize(("name", "mode"), [*OUTSIDE, ("config.json", SYMLINK), ("x/../../../events.jsonl", 0)])
def test_a_file_outside_the_folder_is_refused(small: bytes, name: str, mode: int, tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    assert "path outside the archive" in refusal(with_entry(small, name, b"{}", mode))
    assert set(tmp_path.rglob("*")) == before


def test_a_zip_bomb_is_refused_by_its_ratio(small: bytes) -> None:
    bomb = io.BytesIO(small)
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bomb.txt", bytes(2_000_000))
    assert len(bomb.getvalue()) < 10_000
    assert "too large" in refusal(bomb.getvalue())


def test_a_zip_bomb_is_refused_by_its_size(small: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    content = packed(entries(small) | {"bomb.txt": bytes(900_000)}, zipfile.ZIP_DEFLATED)
    total = sum(len(file) for file in entries(content).values())
    monkeypatch.setattr(sharing, "LIMIT", total - 1)
    assert "too large: unpacked it has" in refusal(content)
    monkeypatch.setattr(sharing, "LIMIT", total)
    assert from_zip(content)


def test_an_archive_of_ten_gigabytes_is_refused_by_its_size(tmp_path: Path) -> None:
    with (tmp_path / "mine.zip").open("wb") as file:
        file.truncate(10_000_000_000)
    assert "10,000 MB, which is too large" in refusal(tmp_path / "mine.zip")


def test_too_many_files_are_refused(small: bytes) -> None:
    files = entries(small) | {f"file-{index}": b"" for index in range(30_000)}
    assert "too many files" in refusal(packed(files))


def test_surplus_checkpoints_are_skipped(archive: bytes, trained: Run) -> None:
    content = entries(archive)[f"{trained.id}/checkpoints/00000003.pt"]
    more = archive
    for step in range(100, 120):
        state = with_state(step=step)(content)
        more = with_entry(more, f"{trained.id}/checkpoints/{step:08d}.pt", state)
    run = from_zip(more)
    assert len(run.checkpoints.steps()) <= 12
    state = run.checkpoints.load()
    assert state is not None and state["step"] == 8


def test_a_truncated_archive_is_refused(small: bytes) -> None:
    for length in range(len(small)):
        refusal(small[:length])


@given(st.data())
@hypothesis_settings(max_examples=repetitions(150))
def test_an_archive_with_changed_bytes_is_refused_or_imported(small: bytes, data: st.DataObject) -> None:
    content = bytearray(small)
    for place in data.draw(st.lists(st.integers(0, len(small) - 1), min_size=1, max_size=3)):
        content[place] = data.draw(st.integers(0, 255))
    try:
        run = from_zip(bytes(content))
    except (CheckpointError, RunError):
        return
    assert History(run).follow().state == "stopped"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(st.sampled_from([("step", STEP), ("steps", STEPS), ("observed", OBSERVED), ("evaluated", EVALUATED)]), st.data())
@hypothesis_settings(max_examples=repetitions(200))
def test_an_event_with_random_values_is_refused_or_replayed(small: bytes, kind: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    name, fields = kind
    field = data.draw(st.sampled_from(sorted(fields)))
    line = event(name, **fields | {field: data.draw(json_values)})
    try:
        run = from_zip(edited(small, "events.jsonl", with_line(line)))
    except CheckpointError:
        return
    assert History(run).follow().state == "stopped" and as_csv(run)


@given(st.binary(max_size=200), st.sampled_from(["config.json", "network.json", "events.jsonl", "label.json"]))
@hypothesis_settings(max_examples=repetitions(150))
def test_random_bytes_as_a_file_are_refused_or_imported(small: bytes, garbage: bytes, file: str) -> None:
    with suppress(CheckpointError):
        from_zip(edited(small, file, lambda _: garbage))
