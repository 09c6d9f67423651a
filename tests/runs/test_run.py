"""The folder of a run: written records can be read, also after a crash."""

from __future__ import annotations

import errno
import json
import math
import os
import pickle
import shutil
import subprocess
import sys
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from playground import environment
from playground.errors import CheckpointError, RunError, UnknownName
from playground.network.presets import preset
from playground.runs.checkpoints import MAX_EARLIER, load_state
from playground.runs.history import History
from playground.runs.run import Run, all_runs, create, find
from playground.training.config import TrainConfig
from playground.training.events import (
    Closeup,
    Diverged,
    Event,
    Failed,
    LearningRate,
    Observed,
    OptimizerChanged,
    Paused,
    Resumed,
    Snapshot,
    Started,
    Step,
    Steps,
    Stopped,
)

from ..support.tiers import repetitions


@pytest.fixture
def run() -> Run:
    return create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"), owner="ada")


def step(number: int, loss: float = 1.0) -> Step:
    return Step(number, loss, 0.5, 0.1, number / 10, 1000.0)


def events_of(run: Run, offset: int = 0) -> tuple[list[Event], int]:
    events, end = run.journal.events(offset)
    return list(events), end


def started(at: int) -> Started:
    return Started(0.0, at, 100, 10, "cpu", 1)


def test_a_created_run_is_found(run: Run) -> None:
    found = find(run.id)
    assert (found.config, found.network, found.owner) == (TrainConfig(network="mnist-mlp"), preset("mnist-mlp"), "ada")
    assert all_runs() == [run]
    assert History(run).follow().state == "queued"


@pytest.mark.parametrize("name", ["", "..", "../secrets", "20260101-000000-x-zzzz", "a/b", "\0", "20260101-000000-../../etc-abcd"])
def test_a_name_that_is_no_run_is_refused(run: Run, name: str) -> None:
    with pytest.raises(UnknownName):
        find(name)


def test_a_torn_last_line_waits_for_its_rest(run: Run) -> None:
    line = Steps.of([step(1), step(2)]).to_json().encode() + b"\n"
    _, offset = run.journal.events()
    path = run.path / "events.jsonl"
    with path.open("ab") as file:
        file.write(line[:20])
    assert events_of(run, offset) == ([], offset)
    with path.open("ab") as file:
        file.write(line[20:])
    assert events_of(run, offset) == ([Steps.of([step(1), step(2)])], offset + len(line))


def test_an_event_after_a_torn_line_is_read(run: Run) -> None:
    with (run.path / "events.jsonl").open("ab") as file:
        file.write(b'{"kind": "steps", "fir')
    run.journal.append(step(2))
    events, _ = events_of(run)
    assert events[-1] == Steps.of([step(2)])
    assert len(events) == 2  # created, and the whole step


def test_history_follows_as_the_record_grows(run: Run) -> None:
    history = History(run).follow()
    for event in (started(0), step(1), step(2)):
        run.journal.append(event)
    assert history.follow().step == 2
    run.journal.append(step(3))
    assert [event.step for event in history.follow().steps] == [1, 2, 3]


def test_records_after_a_checkpoint_are_void_after_a_resume(run: Run) -> None:
    for event in (started(0), *(step(number) for number in range(1, 8)), started(4), step(5, loss=0.25)):
        run.journal.append(event)
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
        run.journal.append(event)
    assert History(run).follow().state == state


def test_state_of_a_run_with_a_worker(run: Run) -> None:
    run.journal.append(started(0))
    with _holder(run) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "held"
        assert History(run).follow().state == "running"
        run.journal.append(Paused(1))
        assert History(run).follow().state == "paused"
        run.journal.append(Resumed(1))
        assert History(run).follow().state == "running"
        holder.kill()
        holder.wait()
        assert History(run).follow().state == "interrupted"


def _holder(run: Run) -> subprocess.Popen[str]:
    """Start another process that holds the lock of the run until it is killed."""
    code = (
        "import sys, time; from pathlib import Path; from playground.runs.run import Run\n"
        "with Run(Path(sys.argv[1])).lock.hold(): print('held', flush=True); sys.stdin.read()"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(run.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=environment.ROOT)


def test_two_processes_cannot_train_one_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.runs.lock.LOCK_SECONDS", 0.1)
    with _holder(run) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(RunError, match="another process"), run.lock.hold():
            pass
        holder.kill()


def test_a_failed_save_leaves_the_old_checkpoint(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.checkpoints.save({"step": 1})

    def full(state: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(RunError, match="disk"):
        run.checkpoints.save({"step": 2})
    assert run.checkpoints.load() == {"step": 1}
    assert not list(run.path.glob("*.tmp"))


def test_a_full_disk_leaves_the_old_checkpoint(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.checkpoints.save({"step": 1})

    def full(*_paths: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "link", full)
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(RunError, match="disk"):
        run.checkpoints.save({"step": 2})
    assert run.checkpoints.load() == run.checkpoints.load(1) == {"step": 1}
    assert not list(run.path.glob("*.tmp"))


def test_a_crash_between_link_and_rename_leaves_earlier_checkpoints(run: Run) -> None:
    run.checkpoints.save({"step": 1})
    os.link(run.checkpoints.path_at(1), run.path / "checkpoint.tmp")  # where a process dies that has linked its file and not renamed it yet
    run.checkpoints.save({"step": 2})
    assert run.checkpoints.load(1) == {"step": 1} and run.checkpoints.load(2) == {"step": 2}


@given(gaps=st.lists(st.integers(1, 500), min_size=10, max_size=60))
@hypothesis_settings(max_examples=repetitions(25))
def test_earlier_checkpoints_are_thinned_to_a_dozen_from_the_first_to_the_last(gaps: list[int]) -> None:
    run = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"))
    steps = list(accumulate(gaps))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "save", lambda state, path: path.write_text(str(state["step"])))
        for step in steps:
            run.checkpoints.save({"step": step})
    kept = run.checkpoints.steps()
    assert len(kept) == min(len(steps), MAX_EARLIER) and set(kept) <= set(steps)
    assert (kept[0], kept[-1]) == (steps[0], steps[-1])
    assert [run.checkpoints.path_at(step).read_text() for step in kept] == [str(step) for step in kept]


@pytest.mark.parametrize("count", [13, 50, 200])
def test_checkpoints_are_spread_over_the_run(count: int, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "save", lambda _state, path: path.write_bytes(b""))
    for step in range(1, count + 1):
        run.checkpoints.save({"step": 10 * step})
    kept = run.checkpoints.steps()
    gaps = [after - before for before, after in pairwise([0, *kept])]
    assert kept[-1] == 10 * count and max(gaps) <= 3 * 10 * count / (MAX_EARLIER - 1)


def test_an_earlier_checkpoint_is_found_by_its_step_and_shares_the_file(run: Run) -> None:
    for step in (10, 20):
        run.checkpoints.save({"step": step, "weights": torch.full((3,), step)})
    first, last, latest = run.checkpoints.load(10), run.checkpoints.load(20), run.checkpoints.load()
    assert first and last and latest
    assert first["weights"].tolist() == [10.0] * 3 and last["weights"].tolist() == latest["weights"].tolist() == [20.0] * 3
    assert run.checkpoints.path_at(20).samefile(run.checkpoints.latest_path)


def test_checkpoints_are_copied_if_links_are_impossible(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_paths: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    for step in (10, 20):
        run.checkpoints.save({"step": step})
    assert [run.checkpoints.load(step) for step in (10, 20, None)] == [{"step": 10}, {"step": 20}, {"step": 20}]


def test_a_checkpoint_of_a_repeated_step_replaces_the_old_one(run: Run) -> None:
    for loss in (1.0, 2.0):
        run.checkpoints.save({"step": 10, "loss": loss})
    assert run.checkpoints.steps() == [10]
    assert run.checkpoints.load(10) == {"step": 10, "loss": 2.0}


def test_a_missing_checkpoint_is_refused_with_a_list_of_the_others(run: Run) -> None:
    with pytest.raises(CheckpointError, match=r"no checkpoint at step 5\."):
        run.checkpoints.load(5)
    for step in (10, 20):
        run.checkpoints.save({"step": step})
    with pytest.raises(CheckpointError, match=r"step 5\. It has checkpoints at steps 10, 20\."):
        run.checkpoints.load(5)


def snapshot_of(number: int, share: int = 1000) -> Snapshot:
    return Snapshot(number, [{}], [[share]], None)


def test_snapshots_after_a_checkpoint_are_void_after_a_resume(run: Run) -> None:
    assert run.journal.snapshots() == [] and run.journal.snapshots_size() == 0
    for event in (started(0), snapshot_of(1), step(1), snapshot_of(40), step(40), snapshot_of(70), step(70), started(30), snapshot_of(35, 500), step(35)):
        run.journal.append(event)
    assert run.journal.snapshots() == [snapshot_of(1), snapshot_of(35, 500)]
    assert run.journal.snapshots_size() == (run.path / "snapshots.jsonl").stat().st_size > 0
    assert not any(isinstance(event, Snapshot) for event in run.journal.events()[0])


def test_snapshots_after_a_torn_line_are_read(run: Run) -> None:
    run.journal.append(snapshot_of(1))
    with (run.path / "snapshots.jsonl").open("ab") as file:
        file.write(snapshot_of(2).to_json().encode()[:30])
    assert run.journal.snapshots() == [snapshot_of(1)]
    run.journal.append(snapshot_of(3))
    assert run.journal.snapshots() == [snapshot_of(1), snapshot_of(3)]


def test_only_the_last_close_up_is_stored(run: Run) -> None:
    assert run.journal.closeup() is None
    for number in (1, 2):
        run.journal.append(Closeup(number, {"loss": number / 10}))
    assert run.journal.closeup() == Closeup(2, {"loss": 0.2})
    assert not any(isinstance(event, Closeup) for event in run.journal.events()[0])


@pytest.mark.parametrize("content", [b"", b"{", b"[]", Paused(1).to_json().encode(), b"\xff"], ids=["empty", "torn", "list", "another-event", "not-utf8"])
def test_a_damaged_close_up_is_ignored(run: Run, content: bytes) -> None:
    (run.path / "closeup.json").write_bytes(content)
    assert run.journal.closeup() is None


@given(st.lists(st.sampled_from(["step", "step", "step", "pause", "picture"]), max_size=40), st.booleans())
@hypothesis_settings(max_examples=repetitions(40))
def test_recorded_steps_are_read_in_order_with_other_events_in_between(kinds: list[str], buffered: bool) -> None:
    """Steps may be written together or one by one."""
    run = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"))
    recorded: list[Event] = []
    with pytest.MonkeyPatch.context() as patch, run.journal.recorder() as record:
        patch.setattr("playground.runs.journal.FLUSH_SECONDS", math.inf if buffered else -1.0)
        for number, kind in enumerate(kinds, start=1):
            event = {"step": step(number, number / 7), "pause": Paused(number), "picture": snapshot_of(number)}[kind]
            record(event)
            recorded.append(event)
            if kind == "pause":  # nothing waits behind an event that is no step
                assert events_of(run)[0][-1] == event
    history = History(run).follow()
    assert list(history.steps) == [event for event in recorded if isinstance(event, Step)]
    assert run.journal.snapshots() == [event for event in recorded if isinstance(event, Snapshot)]
    assert [event for event in run.journal.events()[0] if isinstance(event, Paused)] == [event for event in recorded if isinstance(event, Paused)]


def test_history_collects_observations_and_changes_and_drops_void_ones(run: Run) -> None:
    observed = [Observed(number, *([[1.0]] * 6), 0.0, 1.0) for number in (2, 6)]
    changes = [LearningRate(3, 0.5), OptimizerChanged(6, "sgd")]
    for event in (
        started(0),
        observed[0],
        step(2),
        changes[0],
        *(step(number) for number in (3, 4, 5)),
        observed[1],
        step(6),
        changes[1],
        Diverged(8, 7, "loss", -1, []),
    ):
        run.journal.append(event)
    history = History(run).follow()
    assert (history.observations, history.changes) == (observed, changes)
    assert history.diverged is not None and (history.diverged.step, history.created) == (8, next(run.journal.events()[0]))
    run.journal.append(started(4))
    history.follow()
    assert (history.observations, history.changes, history.diverged, history.step) == (observed[:1], changes[:1], None, 4)


class Evil:
    """A pickle that creates a file when it is loaded."""

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
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt"):
        load_state(path)


def test_a_torn_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save({"weights": torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(CheckpointError):
        load_state(path)


def test_runs_created_in_the_same_second_have_different_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of the same name may exist, or appear at the same time."""
    monkeypatch.setattr("playground.runs.run.time.strftime", lambda _format: "20260101-000000")
    ends = iter(["aaaa", "aaaa", "bbbb", "bbbb", "cccc"])
    monkeypatch.setattr("playground.runs.run.secrets.token_hex", lambda _bytes: next(ends))
    first = create(TrainConfig(), preset("mnist-mlp"))
    (environment.runs_folder() / f".{first.id[:-4]}bbbb").mkdir()
    second = create(TrainConfig(), preset("mnist-mlp"))
    assert (first.id[-4:], second.id[-4:]) == ("aaaa", "cccc")
    assert sorted(run.id for run in all_runs()) == [first.id, second.id]
    assert (environment.runs_folder() / f".{first.id[:-4]}bbbb").exists()


def test_a_run_that_cannot_be_written_raises_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PLAYGROUND_RUNS", str(tmp_path / "file"))
    with pytest.raises(RunError, match="could not be written"):
        create(TrainConfig(), preset("mnist-cnn"))
