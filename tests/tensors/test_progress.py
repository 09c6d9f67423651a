"""Which exercises a learner has solved is kept on disk, for each learner."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from playground import environment
from playground.tensors.exercises import EXERCISES, next_unsolved, progress
from playground.tensors.exercises.progress import mark_solved, solved_exercises


def test_solved_exercises_are_kept_in_their_order_for_each_learner() -> None:
    for name in ("count-up", "filled-table", "count-up"):
        mark_solved("ada", name)
    mark_solved("bob", "diagonal")
    assert solved_exercises("ada") == ("count-up", "filled-table")
    assert solved_exercises("bob") == ("diagonal",)
    assert solved_exercises("eve") == ()


def test_a_learner_without_a_name_has_no_record() -> None:
    mark_solved("", "count-up")
    assert solved_exercises("") == ()


def test_the_record_does_not_name_the_learner() -> None:
    mark_solved("../ada", "count-up")
    (record,) = environment.runs_folder().rglob("*.json")
    assert record.parent == environment.runs_folder() / ".exercises" and "ada" not in record.name


@pytest.mark.parametrize("content", [b"", b"{", b"3", b'{"a": 1}', b"\xff", b"[1, null]", b"[" * 100_000])
def test_a_damaged_record_is_an_empty_one(content: bytes) -> None:
    mark_solved("ada", "count-up")
    next(environment.runs_folder().rglob("*.json")).write_bytes(content)
    assert solved_exercises("ada") == ()
    mark_solved("ada", "diagonal")
    assert solved_exercises("ada") == ("diagonal",)


def test_exercises_solved_in_several_tabs_at_once_are_all_kept() -> None:
    names = [f"exercise-{number}" for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda name: mark_solved("ada", name), names))
    assert sorted(solved_exercises("ada")) == sorted(names)


def test_a_folder_that_cannot_be_written_loses_the_record_and_nothing_else() -> None:
    environment.runs_folder().mkdir(parents=True)
    (environment.runs_folder() / ".exercises").write_text("a file where the folder should be")
    mark_solved("ada", "count-up")
    assert progress.solved_exercises("ada") == ()


def test_after_an_exercise_follows_the_first_one_that_is_not_solved() -> None:
    first, second, third, *others = EXERCISES
    assert next_unsolved(first, {second.name}) is third
    assert next_unsolved(third, [each.name for each in others]) is first
    assert next_unsolved(third, [each.name for each in EXERCISES if each is not third]) is None
