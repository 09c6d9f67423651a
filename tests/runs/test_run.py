"""A run's folder: what is written can be read, whatever happened in between."""

from __future__ import annotations

import errno
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from playground import settings
from playground.errors import CheckpointError, RunError, UnknownName
from playground.network.presets import preset
from playground.runs.history import History
from playground.runs.run import Run, all_runs, create, find, load_state
from playground.training.config import TrainConfig
from playground.training.events import Failed, Paused, Resumed, Started, Step, Stopped


@pytest.fixture
def run() -> Run:
    return create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"), owner="ada")


def step(number: int, loss: float = 1.0) -> Step:
    return Step(number, loss, 0.5, 0.1, number / 10, 1000.0)


def started(at: int) -> Started:
    return Started(0.0, at, 100, 10, "cpu", 1)


def test_what_was_created_is_found_again(run: Run) -> None:
    found = find(run.id)
    assert (found.config, found.network, found.owner) == (TrainConfig(network="mnist-mlp"), preset("mnist-mlp"), "ada")
    assert all_runs() == [run]
    assert History(run).follow().state == "queued"


@pytest.mark.parametrize("name", ["", "..", "../secrets", "20260101-000000-x-zzzz", "a/b", "\0", "20260101-000000-../../etc-abcd"])
def test_a_name_that_is_no_run_is_refused(run: Run, name: str) -> None:
    with pytest.raises(UnknownName):
        find(name)


def test_a_torn_last_line_waits_for_its_rest(run: Run) -> None:
    line = step(1).to_json().encode() + b"\n"
    _, offset = run.events()
    path = run.path / "events.jsonl"
    with path.open("ab") as file:
        file.write(line[:20])
    assert run.events(offset) == ([], offset)
    with path.open("ab") as file:
        file.write(line[20:])
    assert run.events(offset) == ([step(1)], offset + len(line))


def test_an_event_behind_a_torn_line_is_not_lost(run: Run) -> None:
    with (run.path / "events.jsonl").open("ab") as file:
        file.write(b'{"kind": "step", "ste')
    run.append(step(2))
    events, _ = run.events()
    assert events[-1] == step(2)
    assert len(events) == 2  # created, and the whole step


def test_history_follows_as_the_record_grows(run: Run) -> None:
    history = History(run).follow()
    for event in (started(0), step(1), step(2)):
        run.append(event)
    assert history.follow().step == 2
    run.append(step(3))
    assert [event.step for event in history.follow().steps] == [1, 2, 3]


def test_what_was_recorded_behind_a_checkpoint_is_void_after_a_resume(run: Run) -> None:
    for event in (started(0), *(step(number) for number in range(1, 8)), started(4), step(5, loss=0.25)):
        run.append(event)
    steps = History(run).follow().steps
    assert [event.step for event in steps] == [1, 2, 3, 4, 5]
    assert steps[-1].loss == 0.25


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([started(0)], "interrupted"),
        ([started(0), Paused(3)], "interrupted"),
        ([started(0), Stopped(0.0, 3)], "stopped"),
        ([started(0), Failed(0.0, "why", "")], "failed"),
    ],
    ids=["dead while training", "dead while paused", "stopped", "failed"],
)
def test_state_of_a_run_without_a_worker(run: Run, events: list[Step], state: str) -> None:
    for event in events:
        run.append(event)
    assert History(run).follow().state == state


def test_state_of_a_run_that_is_held(run: Run) -> None:
    run.append(started(0))
    with _holder(run) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "held"
        assert History(run).follow().state == "running"
        run.append(Paused(1))
        assert History(run).follow().state == "paused"
        run.append(Resumed(1))
        assert History(run).follow().state == "running"
        holder.kill()
        holder.wait()
        assert History(run).follow().state == "interrupted"


def _holder(run: Run) -> subprocess.Popen[str]:
    """Another process that holds the run until it is killed."""
    code = (
        "import sys, time; from pathlib import Path; from playground.runs.run import Run\n"
        "with Run(Path(sys.argv[1])).hold(): print('held', flush=True); sys.stdin.read()"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(run.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=settings.ROOT)


def test_two_processes_cannot_train_one_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.runs.run.LOCK_SECONDS", 0.1)
    with _holder(run) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(RunError, match="another process"), run.hold():
            pass
        holder.kill()


def test_a_checkpoint_is_whole_or_the_old_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.save_checkpoint({"step": 1})

    def full(state: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(RunError, match="disk"):
        run.save_checkpoint({"step": 2})
    assert run.load_checkpoint() == {"step": 1}
    assert not list(run.path.glob("*.tmp"))


class Evil:
    """A pickle that would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", ["torch", "pickle"])
def test_a_checkpoint_that_runs_code_is_refused(tmp_path: Path, protocol: str) -> None:
    victim, path = tmp_path / "victim", tmp_path / "checkpoint.pt"
    if protocol == "torch":
        torch.save({"weights": Evil(victim)}, path)
    else:
        path.write_bytes(pickle.dumps(Evil(victim)))
    with pytest.raises(CheckpointError):
        load_state(path)
    assert not victim.exists()


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 torn", json.dumps({"a": 1}).encode()], ids=["empty", "text", "torn zip", "json"])
def test_a_file_that_is_no_checkpoint_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt"):
        load_state(path)


def test_a_torn_checkpoint_is_named(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save({"weights": torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(CheckpointError):
        load_state(path)


def test_a_run_that_cannot_be_written_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PLAYGROUND_RUNS", str(tmp_path / "file"))
    with pytest.raises(RunError, match="could not be written"):
        create(TrainConfig(), preset("mnist-cnn"))
