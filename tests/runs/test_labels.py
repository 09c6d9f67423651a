"""Names and notes of runs, and the trash."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground import environment as places
from playground.errors import RunError, UnknownName
from playground.network.presets import preset
from playground.runs.history import History
from playground.runs.labels import NAME_LIMIT, NOTE_LIMIT, Label, label, read_label, relabel
from playground.runs.run import Run, all_runs, create, find
from playground.runs.trash import delete, purge, restore, trash
from playground.training.config import TrainConfig
from playground.training.events import Event, Failed, Finished, Paused, Started, Stopped

STARTED = Started(0.0, 0, 100, 10, "cpu", 1)


def create_run(*events: Event) -> Run:
    run = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"), "ada")
    run.journal.extend(list(events))
    return run


@pytest.fixture
def run() -> Run:
    return create_run(STARTED, Stopped(0.0, 3))


def test_a_new_run_has_no_name(run: Run) -> None:
    assert label(run) == Label("", "")


def test_a_written_label_can_be_read(run: Run) -> None:
    assert relabel(run, "größer 🙂", "first\nsecond") == label(run) == Label("größer 🙂", "first\nsecond")
    assert relabel(run, note="other") == label(run) == Label("größer 🙂", "other")
    assert relabel(run, name="") == label(run) == Label("", "other")
    assert json.loads((run.path / "label.json").read_bytes()) == {"name": "", "note": "other"}


def test_a_name_is_one_printable_line(run: Run) -> None:
    assert relabel(run, "  a\n\tb\x00c \ud800d\u202e ", " \x07x\r\ny\ud800 ") == label(run) == Label("a b c d", "x\ny")


def test_too_long_a_text_is_refused_and_the_old_one_kept(run: Run) -> None:
    relabel(run, "n" * NAME_LIMIT, "t" * NOTE_LIMIT)
    with pytest.raises(RunError, match="at most 80 characters; this one has 81"):
        relabel(run, "x" * (NAME_LIMIT + 1))
    with pytest.raises(RunError, match="at most 2000 characters; this one has 2001"):
        relabel(run, note="x" * (NOTE_LIMIT + 1))
    assert label(run) == Label("n" * NAME_LIMIT, "t" * NOTE_LIMIT)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"7", b'{"name": 3, "note": [1]}', b"\xff", b"[" * 100_000, b'{"other": 1}', b"NaN"], ids=lambda content: repr(content[:9])
)
def test_a_damaged_label_is_ignored(run: Run, content: bytes) -> None:
    (run.path / "label.json").write_bytes(content)
    assert label(run) == Label()
    assert relabel(run, "again") == label(run) == Label("again")


def test_a_label_that_was_written_by_hand_is_cut(run: Run) -> None:
    (run.path / "label.json").write_text(json.dumps({"name": "x" * 999 + "\n", "note": "y" * 9999, "more": 1}))
    assert label(run) == Label("x" * NAME_LIMIT, "y" * NOTE_LIMIT)


@given(st.binary(max_size=60) | st.dictionaries(st.sampled_from(["name", "note"]), st.text()).map(lambda found: json.dumps(found).encode()))
def test_any_file_gives_a_valid_label(content: bytes) -> None:
    found = read_label(content)
    assert len(found.name) <= NAME_LIMIT and len(found.note) <= NOTE_LIMIT and (found.name + found.note).encode() is not None
    assert found.name.isprintable()


def test_a_crash_while_writing_leaves_the_old_label(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    relabel(run, "old")

    def full(path: Path, text: str, **_: object) -> None:
        path.write_bytes(text.encode()[:5])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(RunError, match="No space left"):
        relabel(run, "new")
    assert label(run) == Label("old")


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([STARTED], id="interrupted"),
        pytest.param([STARTED, Stopped(0.0, 3)], id="stopped"),
        pytest.param([STARTED, Failed(0.0, "why", "")], id="failed"),
        pytest.param([STARTED, Finished(0.0, 100, 1.0, 0.9, 10.0)], id="finished"),
    ],
)
def test_a_deleted_run_can_be_restored(events: list[Event]) -> None:
    run = create_run(*events)
    relabel(run, "mine")
    before = {path.name: path.read_bytes() for path in run.path.iterdir()}
    earlier = time.time()
    delete(run)
    assert all_runs() == [] and not run.path.exists()
    with pytest.raises(UnknownName):
        find(run.id)
    (item,) = trash()
    assert item.run.id == run.id and earlier - 1 <= item.time <= time.time() + 1
    assert (item.run.owner, label(item.run).name, item.run.network.name) == ("ada", "mine", "mnist-mlp")
    state = History(item.run).follow().state
    assert restore(run.id) == run and trash() == []
    assert History(find(run.id)).follow().state == state
    assert {path.name: path.read_bytes() for path in run.path.iterdir() if path.name != "worker.lock"} == before


def test_a_queued_run_is_not_deleted() -> None:
    run = create_run()
    with pytest.raises(RunError, match=r"is queued, so it cannot be deleted\. Stop it first"):
        delete(run)
    assert all_runs() == [run] and trash() == []


@pytest.mark.parametrize("events", [[STARTED], [STARTED, Paused(1)]], ids=["running", "paused"])
def test_a_running_run_is_not_deleted(events: list[Event]) -> None:
    run = create_run(*events)
    with run.lock.hold():
        with pytest.raises(RunError, match="Stop it first"):
            delete(run)
        assert run.path.exists()
    delete(run)
    assert [item.run.id for item in trash()] == [run.id]


def test_deleted_runs_are_listed_the_latest_first(run: Run) -> None:
    others = [create_run(STARTED), create_run(STARTED)]
    for age, each in enumerate([others[1], run, others[0]]):
        delete(each)
        mark = places.runs_folder() / ".trash" / each.id / "deleted"
        os.utime(mark, (time.time() - 100 * age,) * 2)
    assert [item.run.id for item in trash()] == [others[1].id, run.id, others[0].id]


def test_only_old_runs_are_purged() -> None:
    runs = [create_run(STARTED) for _ in range(3)]
    for age, each in zip((10, 1000, 2000), runs, strict=True):
        delete(each)
        os.utime(places.runs_folder() / ".trash" / each.id / "deleted", (time.time() - age,) * 2)
    assert purge(500) == 2
    assert [item.run.id for item in trash()] == [runs[0].id]
    assert purge(500) == 0 and purge(0) == 1
    with pytest.raises(UnknownName, match="no deleted run"):
        restore(runs[0].id)


def test_a_missing_trash_folder_is_empty() -> None:
    assert trash() == [] and purge(0) == 0


@pytest.mark.parametrize("name", ["", ".", "..", "../secrets", "/etc", "nobody", "\0", "a/../b"])
def test_only_runs_in_the_trash_are_restored(run: Run, name: str, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    delete(run)
    with pytest.raises(UnknownName, match="deleted run"):
        restore(name)
    assert [item.run.id for item in trash()] == [run.id]


@pytest.mark.parametrize("act", [delete, lambda run: restore(run.id)], ids=["delete", "restore"])
def test_a_folder_that_cannot_be_moved_raises_an_error(run: Run, act: Callable[[Run], object], monkeypatch: pytest.MonkeyPatch) -> None:
    if act is not delete:
        delete(run)

    def locked(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "rename", locked)
    with pytest.raises(RunError, match="Permission denied"):
        act(run)
