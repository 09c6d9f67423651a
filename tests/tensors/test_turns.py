"""Of a long loop only the turns are recorded that may be looked at: the last one as if all had been."""

from __future__ import annotations

import textwrap

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.tensors.language import tracing
from playground.tensors.language.bounds import Bounds
from playground.tensors.language.interpreter import Execution, run
from playground.tensors.language.memory import Snapshot
from playground.tensors.language.tracing import Statement, StatementTracer
from playground.tensors.xray.report import report

from ..support.tiers import repetitions


def statements(execution: Execution) -> dict[int, Statement]:
    """Return the statements by their lines."""
    assert isinstance(execution.tracer, StatementTracer)
    return {node.lineno: statement for node, statement in execution.tracer.statements.items()}


def values(snapshots: dict[str, Snapshot]) -> dict[str, list[float]]:
    return {name: part.values.tolist() for name, part in snapshots.items()}


def test_the_last_turn_is_recorded() -> None:
    found = statements(run("x = torch.zeros(2)\nfor i in range(500):\n    x += 1\n    y = x * i\nz = x + 1"))
    assert (found[3].count, found[3].run, values(found[3].previous), values(found[3].outputs)) == (500, 500, {"x": [499, 499]}, {"x": [500, 500]})
    assert (found[4].run, values(found[4].inputs), values(found[4].outputs)) == (500, {"x": [500, 500]}, {"y": [500 * 499.0] * 2})
    assert values(found[5].inputs) == {"x": [500, 500]}


@pytest.mark.parametrize(
    "head", ["for i in range(90):", "for i in enumerate([0] * 90):", "for i in zip(range(90), torch.ones(95)):", "for i in reversed(range(90)):",
             "for i in {n: 0 for n in range(90)}:", "for i in (n for n in range(90)):", "i = 0\nwhile (i := i + 1) <= 90:"],
)  # fmt: skip
def test_the_last_turn_of_every_kind_of_loop_is_recorded(head: str) -> None:
    found = statements(run(f"x = torch.zeros(())\n{head}\n    x = x + 1"))
    last = found[max(found)]
    assert (last.count, last.run, values(last.outputs)) == (90, 90, {"x": 90.0})


@pytest.mark.parametrize(
    "end", ["if i == 70: break", "if i == 70:\n        for j in [0]: pass\n        break", "try:\n        pass\n    finally:\n        if i == 70: break"]
)
def test_a_turn_that_ends_its_loop_is_recorded(end: str) -> None:
    found = statements(run(f"x = torch.zeros(())\nfor i in range(10_000):\n    x = x + 1\n    {end}"))
    assert (found[3].count, found[3].run) == (71, 71)


def test_a_break_of_an_inner_loop_ends_that_one_only() -> None:
    found = statements(run("x = torch.zeros(())\nfor i in range(1000):\n    for j in range(3):\n        if j == 1: break\n    x = x + 1"))
    assert (found[5].run, found[5].count) == (1000, 1000)


def test_of_a_long_loop_that_may_end_in_any_turn_one_of_the_last_is_recorded() -> None:
    execution = run("x = torch.zeros(())\ni = 0\nwhile i < 3000:\n    i += 1\n    x = x + i\n    y = x * 2")
    found = statements(execution)
    assert 2000 < found[5].run <= found[5].count == 3000
    assert found[5].run == found[6].run
    assert values(found[6].inputs)["x"] == sum(range(found[5].run + 1))
    assert [(step["times"], step["shown"]) for step in report(execution)["steps"] if step["line"] == 5] == [(3000, found[5].run)]


def test_a_statement_that_fails_is_recorded_with_the_values_that_it_read() -> None:
    found = statements(run("x = torch.zeros(5)\nfor i in range(1000):\n    y = x * i\n    if i == 57: y = y[:3]\n    z = y + x"))
    assert found[5].failed
    assert (found[5].count, found[5].run) == (58, 58)
    assert values(found[5].inputs) == {"x": [0.0] * 5, "y": [0.0] * 3}
    assert (found[3].count, found[3].failed) == (58, False)


def test_what_turns_that_were_not_recorded_wrote_is_known_afterwards() -> None:
    source = "x = torch.zeros(())\ny = x.detach()\nw = x.numpy()\nfor i in range(300):\n    y.data += 1\n    w += 1\nz = x + 1"
    found = statements(run(source))
    assert values(found[7].inputs) == {"x": 600.0}
    assert (values(found[6].previous)["x"], values(found[6].outputs)["x"]) == (599.0, 600.0)


LINES = [
    "x = x + 1",
    "x += i",
    "y = x * 2",
    "y.data.mul_(0.5)",
    "x[0] = y.sum()",
    "ys = [x, y]",
    "w = y.numpy()",
    "w += 1",
    "y = y.view(-1)",
    "if i % 3: x = x - y",
]


@settings(max_examples=repetitions(60), deadline=None)
@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=5), st.lists(st.sampled_from(LINES), max_size=3), st.integers(1, 20))
def test_the_last_turn_is_recorded_as_if_every_turn_were(inner: list[str], outer: list[str], turns: int) -> None:
    body = textwrap.indent("\n".join(outer), "    ") + f"\n    for i in range({turns}):\n" + textwrap.indent("\n".join(inner), " " * 8)
    source = f"x, y, w, i = torch.zeros(3), torch.ones(3), np.ones(3), 0\nfor k in range(7):\n{body}\nz = x + y"
    with pytest.MonkeyPatch.context() as patch:
        some = statements(run(source, bounds=Bounds(seconds=60)))
        patch.setattr(tracing, "FIRST_RUNS_BEFORE_LAST", 10**9)
        all_of_them = statements(run(source, bounds=Bounds(seconds=60)))
    assert some.keys() == all_of_them.keys()
    for line, statement in some.items():
        expected = all_of_them[line]
        assert statement.count == expected.count
        if statement.run == expected.run:
            for one, other in zip(
                (statement.inputs, statement.previous, statement.outputs), (expected.inputs, expected.previous, expected.outputs), strict=True
            ):
                assert one.keys() == other.keys()
                assert all(torch.equal(one[name].values, other[name].values) for name in one)
            assert [operation.entry.name for operation in statement.operations] == [operation.entry.name for operation in expected.operations]
