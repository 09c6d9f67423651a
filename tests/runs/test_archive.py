"""A run as one file: what is taken out comes in again, and what was made to do harm does not."""

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
from playground.runs.execution.worker import Commands, execute
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

OWNER = "0123456789abcdef-owner"
NETWORK = "mnist-cnn"
CONFIG = TrainConfig(network=NETWORK, epochs=0.4, batch_size=200, evaluate_every=3, device="cpu", seed=5)
"""Eight steps."""


@pytest.fixture(scope="session")
def trained(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run with a kept state for every look at the test images; shared, and never changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_DATA", str(data_folder))
        patch.setenv("PLAYGROUND_RUNS", str(tmp_path_factory.mktemp("trained")))
        patch.setattr(loop, "EVALUATED_SECONDS", -1.0)
        run = create(CONFIG, preset(NETWORK), OWNER)
        for _ in execute(run):
            pass
        relabel(run, "größte", "a note")
        return run


@pytest.fixture(scope="session")
def archive(trained: Run) -> bytes:
    return content_of(trained)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The archive of a run that was stopped before its first step, with every text file."""
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
    """The files of a packed run, without its folder."""
    return {name.partition("/")[2] for name in entries(content)}


def edited(content: bytes, file: str, edit: Callable[[bytes], bytes | None]) -> bytes:
    """The archive with one file changed, or left out."""
    assert file in names(content)
    return changed(content, lambda name, old: edit(old) if name.partition("/")[2] == file else old, zipfile.ZIP_DEFLATED)


def left_behind() -> list[Path]:
    folder = environment.runs_folder()
    return list(folder.iterdir()) if folder.exists() else []


def refused(content: bytes | Path) -> str:
    """What is said of an archive; nothing is left of it."""
    with pytest.raises(PlaygroundError) as caught:
        from_zip(content, "ada", "mine.zip")
    assert left_behind() == []
    assert len(str(caught.value)) < 1000 and str(caught.value).encode()
    return str(caught.value)


def curve(run: Run) -> list[tuple[int, float, float, float]]:
    return [(step.step, step.loss, step.accuracy, step.learning_rate) for step in History(run).follow().steps]


def test_what_is_in_the_archive(trained: Run, archive: bytes) -> None:
    assert names(archive) == {
        "README.txt", "config.json", "network.json", "network.py", "curves.csv", "events.jsonl", "snapshots.jsonl", "label.json", "checkpoint.pt",
        "checkpoints/00000003.pt", "checkpoints/00000006.pt",
    }  # fmt: skip
    assert {name.partition("/")[0] for name in entries(archive)} == {trained.id}
    for content in entries(archive).values():
        assert OWNER.encode() not in content
    assert zipfile.ZipFile(io.BytesIO(archive)).testzip() is None


def test_a_run_comes_back_as_it_was(trained: Run, archive: bytes) -> None:
    run = from_zip(archive, "bob")
    assert run.id != trained.id and all_runs() == [run]
    assert (run.owner, run.config, run.network, label(run)) == ("bob", trained.config, trained.network, Label("größte", "a note"))
    history, before = History(run).follow(), History(trained).follow()
    assert history.state == "finished" and curve(run) == curve(trained) and len(history.steps) == 8
    assert (history.evaluations, history.observations, history.finished) == (before.evaluations, before.observations, before.finished)
    assert history.created is not None and before.created is not None and history.created.time == before.created.time
    assert run.journal.snapshots() == trained.journal.snapshots() and run.journal.snapshots()
    assert run.checkpoints.steps() == trained.checkpoints.steps() == [3, 6, 8]
    for step in (None, 3, 6, 8):
        found, expected = weights_of(run, step), weights_of(trained, step)
        assert found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in expected)
    assert as_csv(run) == as_csv(trained)


def test_predictions_are_the_same(trained: Run, archive: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.randint(0, 256, (20, 1, 28, 28), dtype=torch.uint8)
    run = from_zip(archive)
    found = load_model(run.id).probabilities(images)
    monkeypatch.setenv("PLAYGROUND_RUNS", str(trained.path.parent))
    assert torch.equal(found, load_model(trained.id).probabilities(images))


def test_what_is_packed_again_is_the_same(archive: bytes) -> None:
    again = content_of(from_zip(archive))
    first, second = entries(archive), entries(again)
    changing = {"checkpoint.pt", "checkpoints/00000003.pt", "checkpoints/00000006.pt"}  # each has a number of its own
    assert names(again) == names(archive)
    for name, content in first.items():
        file = name.partition("/")[2]
        if file not in changing:
            assert next(other for key, other in second.items() if key.endswith(f"/{file}")) == content, file


def learn_until(run: Run, step: int) -> None:
    """Train as a process does that is lost behind this step."""
    events = execute(run)
    assert any(isinstance(event, Step) and event.step == step for event in events)
    events.close()  # type: ignore[attr-defined]


def interrupted(seconds: float, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run whose process was lost behind its fifth step; its last kept state is that of the third."""
    monkeypatch.setattr(loop, "EVALUATED_SECONDS", seconds)
    run = create(CONFIG, preset(NETWORK), OWNER)
    learn_until(run, 5)
    return run


def test_an_interrupted_run_is_resumed_elsewhere_to_the_last_bit(trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    torn = interrupted(-1.0, monkeypatch)
    assert History(torn).follow().state == "interrupted" and torn.checkpoints.steps() == [3]
    run = from_zip(content_of(torn), "bob")
    assert History(run).follow().state == "interrupted"
    torch.manual_seed(99)
    for _ in execute(run):
        pass
    assert curve(run) == curve(trained) and History(run).follow().state == "finished"
    assert curve(from_zip(content_of(run))) == curve(trained)  # whose record tells of its fourth step twice
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
def test_a_run_is_in_the_state_that_it_was_in_and_can_be_resumed(events: list[Event], state: str) -> None:
    source = create(CONFIG, preset(NETWORK), OWNER)
    source.journal.extend(events)
    with source.lock.hold():
        content = content_of(source)
    run = from_zip(content, "bob")
    assert History(run).follow().state == state
    for _ in execute(run):
        pass
    assert History(run).follow().state == "finished"


def test_a_run_that_trains_can_be_packed(trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record reaches as far as the last kept state."""
    monkeypatch.setattr(loop, "EVALUATED_SECONDS", -1.0)
    run = create(CONFIG, preset(NETWORK), OWNER)
    for event in execute(run):
        if isinstance(event, Step) and event.step in (4, 7):
            copy = from_zip(content_of(run))
            state = copy.checkpoints.load()
            assert state is not None and state["step"] <= History(copy).follow().step
    assert curve(run) == curve(trained)


def test_a_fork_and_a_run_from_weights_come_back(trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    child = fork(trained, 6, {"learning_rate": 0.001}, OWNER)
    copy = from_zip(content_of(child), "bob")
    assert curve(copy) == curve(trained)[:6] and copy.checkpoints.steps() == [6]
    created = next(copy.journal.events()[0])
    assert created == Created(created.time, "bob")  # type: ignore[attr-defined]  # the parent and its race stayed where they were
    begun = create_from_weights(CONFIG, preset(NETWORK), weights_of(trained), OWNER)
    again = start_weights(from_zip(content_of(begun)))
    expected = start_weights(begun)
    assert again is not None and expected is not None
    assert again.keys() == expected.keys() and all(torch.equal(again[name], expected[name]) for name in again)


def test_weights_that_were_tried_before_their_first_step(trained: Run) -> None:
    run, notes = import_weights(CONFIG, preset(NETWORK), weights_of(trained), OWNER)
    assert notes == ()
    (tried,) = History(run).follow().evaluations
    _heading, row = as_csv(run).splitlines()
    assert row == f"0,0,,,,,{tried.test_loss},{tried.test_accuracy}"
    copied = History(from_zip(content_of(run))).follow()
    assert copied.evaluations == [tried] and copied.state == "stopped"


def test_a_closeup_comes_back() -> None:
    run = create(CONFIG, preset(NETWORK), OWNER)
    commands = io.StringIO('{"command": "step", "value": 0}\n{"command": "stop", "value": 0}\n')
    for _ in execute(run, Commands(commands)):
        pass
    assert run.journal.closeup() is not None
    assert from_zip(content_of(run)).journal.closeup() == run.journal.closeup()


def test_a_run_whose_filters_were_worked_out_is_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    config = replace(CONFIG, whiten=True, optimizer="muon", augment=Augmentation(shift=1))
    monkeypatch.setattr(loop, "EVALUATED_SECONDS", -1.0)
    whole, torn = create(config, preset(NETWORK)), create(config, preset(NETWORK))
    for _ in execute(whole):
        pass
    learn_until(torn, 5)
    run = from_zip(content_of(torn))
    for _ in execute(run):
        pass
    assert curve(run) == curve(whole) and len(curve(run)) == 8


def test_a_run_that_diverged_comes_back() -> None:
    steep = NetworkSpec("steep", (1, 28, 28), (LayerSpec("Flatten"), *(LayerSpec("Linear", {"out_features": size}) for size in (32, 32, 10))))
    run = create(TrainConfig(network="steep", epochs=1, optimizer="sgd", learning_rate=100, schedule="constant", device="cpu"), steep)
    with pytest.raises(DivergedError):
        list(execute(run))
    history = History(run).follow()
    copied = History(from_zip(content_of(run))).follow()
    assert copied.diverged == history.diverged is not None and copied.state == "failed" and copied.message == history.message


def test_the_files_are_of_use_without_the_playground(archive: bytes, trained: Run, tmp_path: Path) -> None:
    """As the README says."""
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


def test_curves_as_a_table(trained: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(trained))))
    assert list(rows[0]) == ["step", "epoch", "seconds", "loss", "accuracy", "learning_rate", "test_loss", "test_accuracy"]
    history = History(trained).follow()
    for row, step in zip(rows, history.steps, strict=True):
        assert (int(row["step"]), float(row["loss"]), float(row["accuracy"])) == (step.step, step.loss, step.accuracy)
        assert (float(row["learning_rate"]), float(row["seconds"]), float(row["epoch"])) == (step.learning_rate, step.seconds, step.step / 20)
    tried = {int(row["step"]): (float(row["test_loss"]), float(row["test_accuracy"])) for row in rows if row["test_loss"]}
    assert tried == {event.step: (event.test_loss, event.test_accuracy) for event in history.evaluations} and list(tried) == [3, 6, 8]


def test_a_run_without_steps_has_only_a_heading() -> None:
    assert as_csv(create(CONFIG, preset(NETWORK))) == "step,epoch,seconds,loss,accuracy,learning_rate,test_loss,test_accuracy\n"


def test_a_full_disk_is_told(trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sharing.shutil, "copyfileobj", full)
    with pytest.raises(RunError, match="could not be exported: No space left"):
        as_zip(trained)


def test_a_disk_that_is_full_while_unpacking_is_told(archive: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sharing.shutil, "copyfileobj", full)
    assert "could not be written" in refused(archive)


# What others may send.


def test_the_small_archive_is_sound(small: bytes) -> None:
    """All that is refused below is refused for what was changed."""
    run = from_zip(changed(small, lambda _name, content: content))
    assert label(run) == Label("small") and History(run).follow().state == "stopped"


def test_an_archive_whose_folder_was_packed_anew_is_opened(archive: bytes) -> None:
    """By hand, under another name, without a folder, or by a system that adds files of its own."""
    files = entries(archive)
    for folder in ("my run/", ""):
        made = packed({f"{folder}{name.partition('/')[2]}": content for name, content in files.items()}, zipfile.ZIP_DEFLATED)
        assert len(curve(from_zip(with_entry(made, f"__MACOSX/{folder}._config.json")))) == 8


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"", "mine.zip is empty", id="empty"),
        pytest.param(b"hello", "mine.zip is damaged or cut off", id="text"),
        pytest.param(packed({}), "does not contain config.json, so it is not an exported run", id="empty archive"),
        pytest.param(packed({"a.txt": b"x"}), "does not contain config.json, so it is not an exported run", id="another archive"),
        pytest.param(saved({"a": torch.ones(2)}), "does not contain config.json, so it is not an exported run", id="weights"),
    ],
)
def test_what_is_no_packed_run_is_named(content: bytes, told: str, tmp_path: Path) -> None:
    assert told in refused(content)
    (tmp_path / "mine.zip").write_bytes(content)
    assert told in refused(tmp_path / "mine.zip")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "cannot be read" in refused(tmp_path / "mine.zip")


@pytest.mark.parametrize("file", ["config.json", "network.json", "events.jsonl", "checkpoint.pt"])
def test_a_missing_file_is_named(archive: bytes, file: str) -> None:
    assert f"does not contain {file}" in refused(edited(archive, file, lambda _: None))


@pytest.mark.parametrize("file", ["label.json", "snapshots.jsonl", "README.txt", "network.py", "curves.csv", "checkpoints/00000003.pt"])
def test_a_file_that_is_not_needed_may_be_missing(archive: bytes, file: str) -> None:
    assert History(from_zip(edited(archive, file, lambda _: None))).follow().state == "finished"


def document(**changes: object) -> Callable[[bytes], bytes]:
    """Changes the JSON object in a file."""
    return lambda content: json.dumps({**json.loads(content), **changes}).encode()


@pytest.mark.parametrize(
    ("file", "edit", "told"),
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
def test_a_file_that_was_edited_is_named(small: bytes, file: str, edit: Callable[[bytes], bytes], told: str) -> None:
    assert told in refused(edited(small, file, edit))


def test_a_damaged_label_is_left_out(small: bytes) -> None:
    assert label(from_zip(edited(small, "label.json", lambda _: b"{"))) == Label()


def test_a_device_of_another_machine_is_left_to_be_chosen(small: bytes) -> None:
    run = from_zip(edited(small, "config.json", document(device="cuda:7")))
    assert run.config.device == BEST


def test_old_settings_without_later_ones(small: bytes) -> None:
    def without(content: bytes) -> bytes:
        return json.dumps({name: value for name, value in json.loads(content).items() if name not in ("inputs", "initialisation")}).encode()

    assert from_zip(edited(small, "config.json", without)).config == TrainConfig(network="mnist-mlp")


def with_line(line: str) -> Callable[[bytes], bytes]:
    """The record with a line more."""
    return lambda content: content + line.encode() + b"\n"


def event(kind: str, **fields: object) -> str:
    return json.dumps({"kind": kind, **fields})


def column(*numbers: float) -> str:
    """Columns of steps as a record packs them."""
    return base64.b64encode(struct.pack(f"<{len(numbers)}d", *numbers)).decode()


STEP: dict[str, Any] = {"step": 1, "loss": 1.0, "accuracy": 0.5, "learning_rate": 0.1, "seconds": 1.0, "rate": 10.0}
STEPS: dict[str, Any] = {"first": 1, "loss": [1.0], "accuracy": [0.5], "learning_rate": [0.1], "seconds": [1.0], "rate": [10.0]}
OBSERVED: dict[str, Any] = {
    "step": 1, **{name: [None] * 4 for name in ("gradient", "weight", "update", "mean", "std", "dead")}, "input_mean": 0.0, "input_std": 1.0,
}  # fmt: skip
EVALUATED: dict[str, Any] = {"step": 1, "epoch": 1.0, "train_loss": 1, "train_accuracy": 1, "test_loss": 1, "test_accuracy": 1, "seconds": 1.0}


def test_the_network_of_the_small_archive(small: bytes) -> None:
    assert len(preset("mnist-mlp").layers) == 4


@pytest.mark.parametrize(
    "line",
    [
        event("step", **STEP), event("steps", **STEPS), event("steps", first=1, columns=column(*[1.0] * 5)),
        event("observed", **OBSERVED), event("evaluated", **EVALUATED),
        event("evaluated", **EVALUATED, named=[1] * 10, right=[0] * 10),
    ],
)  # fmt: skip
def test_events_as_the_playground_writes_them(small: bytes, line: str) -> None:
    assert len(list(from_zip(edited(small, "events.jsonl", with_line(line))).journal.events()[0])) == 3


def test_a_run_is_created_once(small: bytes) -> None:
    """Whoever unpacks it owns it, whatever its record says further on."""
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
def test_lines_that_are_no_events_are_left_out(small: bytes, line: str) -> None:
    """As everywhere: a crash tears lines, and a later version writes others."""
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
def test_events_that_the_playground_cannot_have_written_are_refused(small: bytes, line: str) -> None:
    assert "events.jsonl in mine.zip is damaged: line" in refused(edited(small, "events.jsonl", with_line(line)))


def test_a_line_without_end_is_refused(small: bytes) -> None:
    text = random.Random(1).randbytes(4_100_000).hex()
    assert "damaged: line 3" in refused(edited(small, "events.jsonl", with_line(event("failed", time=1.0, message=text, traceback=""))))


def restated(**changes: object) -> Callable[[bytes], bytes]:
    """Changes the training state in a file."""

    def edit(content: bytes) -> bytes:
        state = torch.load(io.BytesIO(content), weights_only=True)
        return saved({**state, **{name: change(state[name]) if callable(change) else change for name, change in changes.items()}})

    return edit


class Code:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return Path, ("never",)


@pytest.mark.parametrize("file", ["checkpoint.pt", "checkpoints/00000003.pt"])
@pytest.mark.parametrize(
    ("edit", "told"),
    [
        pytest.param(lambda _: b"", "damaged", id="empty"),
        pytest.param(lambda _: b"garbage", "damaged", id="garbage"),
        pytest.param(lambda content: content[:-100], "damaged", id="cut"),
        pytest.param(lambda _: saved([1]), "not a checkpoint of the playground, or one of another version", id="no dictionary"),
        pytest.param(restated(format=99), "one of another version", id="a later version"),
        pytest.param(restated(network="{}"), "belongs to another network", id="another network"),
        pytest.param(restated(weights={}), "belongs to another network", id="no weights"),
        pytest.param(restated(weights=3), "belongs to another network", id="a number for weights"),
        pytest.param(restated(weights=lambda old: {name: tensor.unsqueeze(0) for name, tensor in old.items()}), "belongs to another network", id="shapes"),
        pytest.param(restated(weights=lambda old: {name: tensor.double() for name, tensor in old.items()}), "belongs to another network", id="kinds"),
        pytest.param(restated(weights=lambda old: dict.fromkeys(old, 1.0)), "belongs to another network", id="numbers for tensors"),
        pytest.param(restated(step="3"), "damaged", id="a text for the step"),
        pytest.param(restated(step=-1), "damaged", id="a step before the first"),
        pytest.param(restated(step=True), "damaged", id="true for the step"),
        pytest.param(restated(seconds=float("nan")), "damaged", id="no time"),
        pytest.param(restated(learning_rate=None), "damaged", id="no learning rate"),
        pytest.param(restated(more=Code()), "contains more than weights", id="code"),
    ],
)
def test_a_checkpoint_that_was_edited_is_refused(archive: bytes, file: str, edit: Callable[[bytes], bytes], told: str) -> None:
    said = refused(edited(archive, file, edit))
    assert told in said and file in said


def test_a_checkpoint_is_written_anew(archive: bytes) -> None:
    """So that what opens it later sees what was looked through, whatever else the archive in the archive held."""
    run = from_zip(edited(archive, "checkpoint.pt", lambda content: with_entry(content, "archive/extra", b"x" * 5000)))
    assert b"x" * 5000 not in run.checkpoints.latest_path.read_bytes()


def test_weights_to_start_from_that_do_not_fit_are_refused(archive: bytes, trained: Run) -> None:
    folder = f"{trained.id}/"
    assert "start.safetensors" in refused(with_entry(archive, f"{folder}start.safetensors", b"garbage"))
    assert "do not fit" in refused(with_entry(archive, f"{folder}start.safetensors", saved({"a": torch.ones(2)})))


@pytest.mark.parametrize(("name", "mode"), [*OUTSIDE, ("config.json", SYMLINK), ("x/../../../events.jsonl", 0)])
def test_a_file_outside_is_refused(small: bytes, name: str, mode: int, tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    assert "path outside the archive" in refused(with_entry(small, name, b"{}", mode))
    assert set(tmp_path.rglob("*")) == before


def test_a_bomb_is_refused_by_its_ratio(small: bytes) -> None:
    bomb = io.BytesIO(small)
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bomb.txt", bytes(2_000_000))
    assert len(bomb.getvalue()) < 10_000
    assert "too large" in refused(bomb.getvalue())


def test_a_bomb_is_refused_by_its_size(small: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    content = packed(entries(small) | {"bomb.txt": bytes(900_000)}, zipfile.ZIP_DEFLATED)
    total = sum(len(file) for file in entries(content).values())
    monkeypatch.setattr(sharing, "LIMIT", total - 1)
    assert "too large: unpacked it has" in refused(content)
    monkeypatch.setattr(sharing, "LIMIT", total)
    assert from_zip(content)


def test_an_archive_of_ten_gigabytes_is_refused_by_its_size(tmp_path: Path) -> None:
    with (tmp_path / "mine.zip").open("wb") as file:
        file.truncate(10_000_000_000)
    assert "10,000 MB, which is too large" in refused(tmp_path / "mine.zip")


def test_countless_files_are_refused(small: bytes) -> None:
    files = entries(small) | {f"file-{index}": b"" for index in range(30_000)}
    assert "too many files" in refused(packed(files))


def test_more_kept_states_than_a_run_keeps_are_left_out(archive: bytes, trained: Run) -> None:
    content = entries(archive)[f"{trained.id}/checkpoints/00000003.pt"]
    more = archive
    for step in range(100, 120):
        state = restated(step=step)(content)
        more = with_entry(more, f"{trained.id}/checkpoints/{step:08d}.pt", state)
    run = from_zip(more)
    assert len(run.checkpoints.steps()) <= 12
    state = run.checkpoints.load()
    assert state is not None and state["step"] == 8


def test_an_archive_that_was_cut_anywhere_is_refused(small: bytes) -> None:
    for length in range(len(small)):
        refused(small[:length])


@given(st.data())
@hypothesis_settings(max_examples=repetitions(150))
def test_an_archive_with_some_bytes_changed_is_refused_or_a_run(small: bytes, data: st.DataObject) -> None:
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
def test_an_event_with_any_value_is_refused_or_can_be_replayed(small: bytes, kind: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
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
def test_any_bytes_for_a_file(small: bytes, garbage: bytes, file: str) -> None:
    with suppress(CheckpointError):
        from_zip(edited(small, file, lambda _: garbage))
