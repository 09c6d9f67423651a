"""The list of runs: quick however many there are, and whole however damaged one is."""

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


def made(race: str = "", config: TrainConfig = CONFIG) -> Run:
    run = create(config, preset("mnist-mlp"), "ada", race)
    run.journal.append(Started(0.0, 0, 10, 10, "cpu", 1))
    run.journal.append(Step(1, 0.5, 0.5, 0.1, 0.1, 100.0))
    return run


def followed(run: Run) -> History:
    return History(run).follow()


def of(run: Run) -> Summary:
    found = Summaries(followed).of(run)
    assert found is not None
    return found


def test_a_summary_says_what_the_run_has_come_to() -> None:
    run = made("race-1")
    run.journal.append(Evaluated(1, 0.1, 0.5, 0.5, 0.4, 0.9, 0.1))
    run.journal.append(Finished(0.0, 1, 0.1, 0.9, 100.0))
    relabel(run, name="Mine", note="Good.")
    found = of(run)
    assert (found.name, found.note, found.state, found.race, found.dataset, found.fault) == ("Mine", "Good.", "finished", "race-1", "MNIST 5k", "")
    assert found.facts is not None
    assert (found.facts.step, found.facts.accuracy) == (1, 0.9)


def test_a_record_is_read_again_only_when_it_has_grown(monkeypatch: pytest.MonkeyPatch) -> None:
    run, asked = made(), []

    def follow(run: Run) -> History:
        asked.append(run)
        return followed(run)

    summaries = Summaries(follow)
    summaries.of(run)
    monkeypatch.setattr(Journal, "events", lambda *_: pytest.fail("read again"))
    first = summaries.of(run)
    monkeypatch.undo()
    assert first is not None and first.facts is not None and first.facts.step == 1
    assert asked == []
    run.journal.append(Step(2, 0.4, 0.5, 0.1, 0.2, 100.0))
    second = summaries.of(run)
    assert second is not None and second.facts is not None and second.facts.step == 2
    assert asked == [run]


def test_a_run_whose_worker_died_is_interrupted_though_nothing_was_written() -> None:
    run, summaries = made(), Summaries(followed)
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
def test_a_damaged_run_says_why_and_breaks_nothing(spoil: Callable[[Path], object]) -> None:
    run = made()
    relabel(run, name="Secret")
    spoil(run.path)
    found = of(run)
    assert found.facts is None
    assert found.fault
    assert found.name == run.id
    assert found.note == ""


def append(path: Path, line: str) -> None:
    with (path / "events.jsonl").open("a") as file:
        file.write(line + "\n")


def test_what_a_later_version_records_is_passed_over() -> None:
    run = made()
    append(run.path, '{"kind": "hologram", "step": 5}')
    assert not of(run).fault


def test_a_folder_that_is_gone_has_no_summary() -> None:
    run = made()
    (run.path / "events.jsonl").unlink()
    assert Summaries(followed).of(run) is None


def test_whose_a_run_is_is_asked_again_while_nobody_can_tell() -> None:
    run = made()
    content = (run.path / "events.jsonl").read_bytes()
    (run.path / "events.jsonl").write_bytes(b"")
    assert owner(run) is None
    (run.path / "events.jsonl").write_bytes(content)
    assert owner(run) == "ada"


def test_the_folder_is_read_again_only_when_a_run_has_come_or_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list_runs() == []
    first = made()
    assert list_runs() == [first]
    folder = environment.runs_folder()
    long_ago = folder.stat().st_mtime_ns - 60_000_000_000
    os.utime(folder, ns=(long_ago, long_ago))
    assert list_runs() == [first]
    monkeypatch.setattr("playground.runs.views.summaries.all_runs", lambda: pytest.fail("read again"))
    assert list_runs() == [first]
    monkeypatch.undo()
    monkeypatch.setenv("PLAYGROUND_RUNS", str(folder))
    second = made()
    assert set(list_runs()) == {first, second}
    second.journal.append(Finished(0.0, 1, 0.1, 0.9, 100.0))
    delete(second)
    assert list_runs() == [first]


def chosen(runs: list[Run]) -> list[Run]:
    return first_selected([of(run) for run in runs])


def test_the_newest_few_of_one_data_set_are_chosen_first() -> None:
    shapes = TrainConfig(dataset="shapes", network="cifar-resnet")
    other, runs = made(config=shapes), [made() for _ in range(6)]
    assert chosen([*runs, other]) == runs[-4:]
    assert chosen([other, *runs[::-1], newest := made(config=shapes)]) == [other, newest]


def test_of_a_race_all_are_chosen() -> None:
    alone, race = made(), [made("race-1") for _ in range(6)]
    assert chosen([*race[::-1], alone]) == race


def test_nothing_is_chosen_of_nothing_readable() -> None:
    run = made()
    (run.path / "config.json").unlink()
    assert chosen([run]) == []
    assert chosen([]) == []
