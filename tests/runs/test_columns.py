"""A table of steps is a list of steps, whatever is added to it, cut off and asked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.runs.columns import FIRST_CAPACITY, NAMES, StepColumns
from playground.training.events import Step, Steps

from ..support.tiers import repetitions

BLOCK = st.tuples(st.just("extend"), st.integers(1, 2 * FIRST_CAPACITY))
CUT = st.tuples(st.just("rewind"), st.integers(0, 5 * FIRST_CAPACITY))


def taken(first: int, count: int, seed: int) -> list[Step]:
    """Steps with numbers that survive being written: losses of 64 bits, the others rounded."""
    values = np.random.default_rng(seed).normal(size=(count, 2)).tolist()
    return [Step(first + index, *row, 0.001, (first + index) / 100, 1000.0) for index, row in enumerate(values)]


def columns(steps: list[Step]) -> StepColumns:
    table = StepColumns()
    if steps:
        table.extend(Steps.of(steps))
    return table


@given(st.lists(BLOCK | CUT, max_size=8), st.integers(0, 2**32 - 1))
@settings(max_examples=repetitions(60))
def test_a_table_that_grows_and_is_cut_is_a_list(changes: list[tuple[str, int]], seed: int) -> None:
    table, steps = StepColumns(), list[Step]()
    for number, (change, amount) in enumerate(changes):
        if change == "extend":
            block = taken(steps[-1].step + 1 if steps else 1, amount, seed + number)
            table.extend(Steps.of(block))
            steps += block
        else:
            table.rewind(amount)
            steps = [step for step in steps if step.step <= amount]
        assert len(table) == len(steps) and bool(table) == bool(steps)
    assert list(table) == steps
    for name in NAMES:
        assert table.column(name).tolist() == [getattr(step, name) for step in steps]
    assert table.table().tolist() == [[getattr(step, name) for step in steps] for name in NAMES]


@given(st.integers(0, 30), st.integers(-40, 40))
def test_a_step_is_found_by_its_place_from_either_end(count: int, index: int) -> None:
    steps = taken(1, count, 0)
    table = columns(steps)
    if -count <= index < count:
        assert table[index] == steps[index]
        assert isinstance(table[index].step, int)
    else:
        with pytest.raises(IndexError, match=f"{count} steps"):
            table[index]


def test_steps_may_begin_anywhere_and_have_gaps() -> None:
    """As those of a record of which a part was lost."""
    table = columns(taken(5, 3, 0))
    table.extend(Steps.of(taken(100, 2, 1)))
    assert table.column("step").tolist() == [5, 6, 7, 100, 101]
    table.rewind(50)
    assert [step.step for step in table] == [5, 6, 7]
    table.rewind(4)
    assert len(table) == 0 and list(table) == []


def test_what_was_taken_from_a_table_does_not_change_while_it_grows() -> None:
    table = columns(taken(1, 10, 0))
    losses, whole = table.column("loss"), table.table()
    before = losses.tolist(), whole.tolist()
    for number in range(40):
        table.extend(Steps.of(taken(11 + 100 * number, 100, number)))
    assert (losses.tolist(), whole.tolist()) == before


@pytest.mark.parametrize("name", NAMES[1:])
def test_columns_of_different_lengths_add_nothing(name: str) -> None:
    table = columns(taken(1, 3, 0))
    block = Steps.of(taken(4, 5, 1))
    getattr(block, name).pop()
    with pytest.raises(ValueError, match="broadcast"):
        table.extend(block)
    assert list(table) == taken(1, 3, 0)
