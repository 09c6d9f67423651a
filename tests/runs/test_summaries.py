"""The list of runs: fast with many runs, and complete with damaged ones."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from playground import environment
from playground.network.presets import preset
from playground.runs.history import History
from playground.runs.journal import Journal
from playground.runs.labels import relabel
from playground.runs.run import Run, create
from playground.runs.trash import delete
from playground.runs.views.summaries import Summaries, Summary, first_selected, list_runs, owner
from playground.training.config import TrainConfig
from playground.training.events import Evaluated, Finished, Started, Step

CONFIG = TrainConfig(network="mnist-mlp")
EVALUATED = '{"kind": "evaluated", "step": 1, "epoch": 1, "train_loss": 0, "train_accuracy": 0, "test_loss": 0, "test_accuracy": %s, "seconds": 0}'


def create_run(race: str = "", config: TrainConfig = CONFIG) -> Run:
    run = create(config, preset("mnist-mlp"), "ada", race)
    run.journal.append(Started(0.0, 0, 10, 10, "cpu", 1))
    run.journal.append(Step(1, 0.5, 0.5, 0.1, 0.1, 100.0))
    return run


def history_of(run: Run) -> History:
    return History(run).follow()


def summary_of(run: Run) -> Summary:
    summary = Summaries(history_of).of(run)
    assert summary is not None
    return summary


def test_a_summary_has_the_state_and_results_of_the_run() -> None:
    run = create_run("race-1")
    run.journal.append(Evaluated(1, 0.1, 0.5, 0.5, 0.4, 0.9, 0.1))
    run.journal.append(Finished(0.0, 1, 0.1, 0.9, 100.0))
    relabel(run, name="Mine", note="Good.")
    summary = summary_of(run)
    assert (summary.name, summary.note, summary.state, summary.race, summary.dataset, summary.fault) == ("Mine", "Good.", "finished", "race-1", "MNIST 5k", "")
    assert summary.facts is not None
    assert (summary.facts.step, summary.facts.accuracy) == (1, 0.9)


def test_a_record_is_read_again_only_when_it_has_grown(monkeypatch: pytest.MonkeyPatch) -> None:
    run, reads = create_run(), []

    def follow(run: Run) -> History:
        reads.append(run)
        return history_of(run)

    summaries = Summaries(follow)
    summaries.of(run)
    monkeypatch.setattr(Journal, "events", lambda *_: pytest.fail("read again"))
    first = summaries.of(run)
    monkeypatch.undo()
    assert first is not None and first.facts is not None and first.facts.step == 1
    assert reads == []
    run.journal.append(Step(2, 0.4, 0.5, 0.1, 0.2, 100.0))
    second = summaries.of(run)
    assert second is not None and second.facts is not None and second.facts.step == 2
    assert reads == [run]


def test_a_run_whose_worker_died_is_interrupted_without_a_record() -> None:
    run, summaries = create_run(), Summaries(history_of)
    with run.lock.hold():
        living = summaries.of(run)
        assert living is not None and living.state == "running"
    dead = summaries.of(run)
    assert dead is not None and dead.state == "interrupted"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: (path / "config.json").write_text("{"),
        lambda path: (path / "config.json").unlink(),
        lambda path: (path / "config.json").write_text('{"warp": 9}'),
        lambda path: (path / "network.json").write_text('{"version": 2}'),
        lambda path: (path / "events.jsonl").write_text(""),
        lambda path: (path / "events.jsonl").write_bytes((path / "events.jsonl").read_bytes()[:20]),
        lambda path: (path / "events.jsonl").write_bytes(b"\xff\x00" * 40),
        lambda path: append(path, EVALUATED % '"x"'),
        lambda path: append(path, EVALUATED % "NaN"),
        lambda path: append(path, '{"kind": "steps", "first": 2, "loss": ["x"], "accuracy": [1], "learning_rate": [1], "seconds": [1], "rate": [1]}'),
    ],
    ids=[
        "torn config",
        "no config",
        "later config",
        "later network",
        "empty record",
        "torn record",
        "bytes",
        "a word for a number",
        "no number",
        "words",
    ],
)
def test_a_damaged_run_has_a_fault_and_the_others_are_listed(spoil: Callable[[Path], object]) -> None:
    run = create_run()
    relabel(run, name="Secret")
    spoil(run.path)
    summary = summary_of(run)
    assert summary.facts is None
    assert summary.fault
    assert summary.name == run.id
    assert summary.note == ""


def append(path: Path, line: str) -> None:
    with (path / "events.jsonl").open("a") as file:
        file.write(line + "\n")


def test_records_of_later_versions_are_skipped() -> None:
    run = create_run()
    append(run.path, '{"kind": "hologram", "step": 5}')
    assert not summary_of(run).fault


def test_a_deleted_folder_has_no_summary() -> None:
    run = create_run()
    (run.path / "events.jsonl").unlink()
    assert Summaries(history_of).of(run) is None


def test_the_owner_is_read_again_while_it_is_unknown() -> None:
    run = create_run()
    content = (run.path / "events.jsonl").read_bytes()
    (run.path / "events.jsonl").write_bytes(b"")
    assert owner(run) is None
    (run.path / "events.jsonl").write_bytes(content)
    assert owner(run) == "ada"


def test_the_folder_is_read_again_only_after_a_run_was_added_or_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list_runs() == []
    first = create_run()
    assert list_runs() == [first]
    folder = environment.runs_folder()
    long_ago = folder.stat().st_mtime_ns - 60_000_000_000
    os.utime(folder, ns=(long_ago, long_ago))
    assert list_runs() == [first]
    monkeypatch.setattr("playground.runs.views.summaries.all_runs", lambda: pytest.fail("read again"))
    assert list_runs() == [first]
    monkeypatch.undo()
    monkeypatch.setenv("PLAYGROUND_RUNS", str(folder))
    second = create_run()
    assert set(list_runs()) == {first, second}
    second.journal.append(Finished(0.0, 1, 0.1, 0.9, 100.0))
    delete(second)
    assert list_runs() == [first]


def selected(runs: list[Run]) -> list[Run]:
    return first_selected([summary_of(run) for run in runs])


def test_the_newest_runs_of_one_data_set_are_selected_by_default() -> None:
    shapes = TrainConfig(dataset="shapes", network="cifar-resnet")
    other, runs = create_run(config=shapes), [create_run() for _ in range(6)]
    assert selected([*runs, other]) == runs[-4:]
    assert selected([other, *runs[::-1], newest := create_run(config=shapes)]) == [other, newest]


def test_all_runs_of_a_race_are_selected() -> None:
    alone, race = create_run(), [create_run("race-1") for _ in range(6)]
    assert selected([*race[::-1], alone]) == race


def test_no_run_is_selected_if_none_is_readable() -> None:
    run = create_run()
    (run.path / "config.json").unlink()
    assert selected([run]) == []
    assert selected([]) == []
