"""Notebooks: cells that share their variables in a process that each learner has alone."""

from __future__ import annotations

import ast
import asyncio
import json
import math
import os
import signal
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any, TypeVar, cast

import numpy as np
import pytest
import torch

from playground.errors import BusyError, PlaygroundError
from playground.forking import CAN_FORK, Forker
from playground.tensors.examples import EXAMPLES
from playground.tensors.language.bounds import Bounds
from playground.tensors.language.interpreter import Execution, Interpreter
from playground.tensors.language.interpreter import run as run_script
from playground.tensors.notebook.keeping import Notebooks
from playground.tensors.xray.report import report

forks = pytest.mark.skipif(not CAN_FORK, reason="needs fork")

T = TypeVar("T")
ENDLESS = "turns = 0\nwhile True:\n    turns += 1"


def request(source: str) -> Any:
    return {"source": source, "device": "cpu", "language": "en"}


async def lines_of(notebooks: Notebooks, source: str, learner: str = "ada") -> list[dict[str, Any]]:
    """Run a cell; return every line, the answer last."""
    return [json.loads(line) async for line in await notebooks.run(learner, request(source))]


async def report_of(notebooks: Notebooks, source: str, learner: str = "ada") -> dict[str, Any]:
    """Run a cell; return its report."""
    found: dict[str, Any] = (await lines_of(notebooks, source, learner))[-1]["report"]
    return found


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, in a thread of its own: in this one, a loop of Playwright's may run."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def trying(forker: Forker, test: Callable[[Notebooks], Coroutine[Any, Any, None]], **options: Any) -> None:
    """Run a test with notebooks, and end their processes."""
    notebooks = Notebooks(forker.start, **options)
    try:
        finish(test(notebooks))
    finally:
        notebooks.close()


def cells_of(source: str) -> list[str]:
    """Each statement of a script as a cell."""
    return [cast(str, ast.get_source_segment(source, statement)) for statement in ast.parse(source).body]


def in_cells(cells: list[str], bounds: Bounds | None = None) -> list[Execution]:
    """Run cells in this process; return what each did."""
    executions = [Execution(cells[0])]
    interpreter = Interpreter(executions[0], bounds or Bounds())
    interpreter.run()
    for cell in cells[1:]:
        executions.append(interpreter.follow(cell))
        interpreter.run()
    return executions


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, tensor by tensor."""
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one.nan_to_num(), other.nan_to_num()) and one.requires_grad == other.requires_grad
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))
    return type(one) is type(other) and (str(one) == str(other) or "object at" in str(one))


@pytest.mark.parametrize("source", [f"torch.manual_seed(0)\n{each.source}" for each in EXAMPLES], ids=[each.name for each in EXAMPLES])
def test_statements_as_cells_do_what_they_do_as_one_script(source: str) -> None:
    whole, cells = run_script(source), in_cells(cells_of(source))
    failed = next((place for place, cell in enumerate(cells) if cell.error), None)
    assert (whole.error is None) == (failed is None)
    names = [name for name in whole.names if name.isidentifier() and f"{name} = torch.empty" not in source]  # whose memory is not set
    assert [name for name in names if not same(whole.names[name], cells[-1].names.get(name))] == []
    assert "".join(cell.output for cell in cells[: None if failed is None else failed + 1]) == whole.output


def test_a_cell_calls_what_an_earlier_one_defined_and_changes_what_that_reads() -> None:
    cells = [
        "scale = 2\ndef f(x):\n    return x * scale",
        "class Net(nn.Module):\n    def forward(self, x):\n        return f(x)",
        "scale = 3\ny = Net()(torch.ones(2))",
    ]
    assert in_cells(cells)[-1].names["y"].tolist() == [3, 3]


def test_the_value_of_an_expression_belongs_to_its_cell_alone() -> None:
    first, second = in_cells(["x = 1\nx + 1", "y = 2"])
    assert list(second.names) == ["x", "y"] and first.names is second.names


def test_the_bounds_are_those_of_each_cell() -> None:
    bounds = Bounds(statements=50)
    assert [cell.error for cell in in_cells(["for i in range(20):\n    pass"] * 5, bounds)] == [None] * 5
    assert in_cells(["pass", "for i in range(60):\n    pass"], bounds)[-1].error


def test_figures_and_steps_are_those_of_the_cell() -> None:
    _first, second = in_cells(["import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()", "x = torch.ones(2)"])
    assert second.figures.report() == [] and len(second.tracer.statements) == 1  # type: ignore[attr-defined]


def test_a_cell_that_cannot_be_parsed_has_no_steps_of_the_one_before() -> None:
    cells = in_cells(["x = torch.ones(2)", "y = ("])
    found = report(cells[-1])
    assert found["steps"] == [] and found["error"] is not None and list(found["names"]) == ["x"]


def test_an_error_in_a_function_of_an_earlier_cell_is_shown_where_this_cell_called_it() -> None:
    cells = in_cells(["w = torch.ones(3, 2)\ndef f(x):\n    return x @ w", "y = 1\nf(torch.ones(2, 2))", "torch.ones(2) @ torch.ones(3)"])
    assert cells[1].raised_in == "x @ w" and cells[1].error is not None
    assert isinstance(cells[1].error.node, ast.Expr) and cells[1].error.node.lineno == 2
    assert cells[2].raised_in == "" and cells[2].error is not None


@forks
def test_cells_share_their_variables_and_learners_do_not(forker: Forker) -> None:
    async def test(notebooks: Notebooks) -> None:
        first = await report_of(notebooks, "x = torch.arange(3)\nprint(x.sum().item())")
        assert first["output"] == "3\n" and first["is_first"] and first["error"] is None
        second = await report_of(notebooks, "y = x + 1")
        assert list(second["names"]) == ["x", "y"] and not second["is_first"]
        other = await report_of(notebooks, "x", "bob")
        assert other["is_first"] and "x" in other["error"]["message"]

    trying(forker, test)


@forks
def test_what_a_long_cell_prints_collects_and_how_far_it_is_comes_before_its_end(forker: Forker) -> None:
    source = "losses = []\nfor step in range(90_000):\n    losses.append(1 / (step + 1))\n    if step % 100 == 0:\n        print(step)"

    async def test(notebooks: Notebooks) -> None:
        *progress, answer = await lines_of(notebooks, source)
        printed = "".join(each["printed"] for each in progress)
        assert progress and printed and answer["report"]["output"].startswith(printed)
        (loop,) = progress[0]["loops"]
        assert loop["line"] == 2 and 0 < loop["turn"] <= loop["turns"] == 90_000
        assert progress[0]["curves"]["losses"][0] == 1 and len(answer["report"]["curves"]["losses"]) <= 200
        again = await report_of(notebooks, "x = 1")
        assert again["curves"] == {}

    trying(forker, test)


@forks
def test_a_cell_that_is_stopped_keeps_its_variables(forker: Forker) -> None:
    async def test(notebooks: Notebooks) -> None:
        lines = await notebooks.run("ada", request(f"kept = 7\nprint('begun')\n{ENDLESS}"))
        assert "begun" in (await anext(lines)).decode()
        with pytest.raises(PlaygroundError, match="Another cell"):
            await notebooks.run("ada", request("x = 1"))
        notebooks.stop("ada")
        stopped = [json.loads(line) async for line in lines][-1]["report"]
        assert "stopped" in stopped["error"]["message"] and stopped["error"]["line"] in (4, 5)
        assert (await report_of(notebooks, "print(kept)"))["output"] == "7\n"

    trying(forker, test)


@forks
def test_a_cell_that_no_browser_reads_is_stopped_and_its_answer_is_not_the_next_ones(forker: Forker) -> None:
    async def test(notebooks: Notebooks) -> None:
        async with aclosing(cast(Any, await notebooks.run("ada", request(f"kept = 7\nprint('left')\n{ENDLESS}")))) as lines:
            assert "left" in (await anext(lines)).decode()
        assert (await report_of(notebooks, "print(kept)"))["output"] == "7\n"

    trying(forker, test)


@forks
def test_a_process_that_was_killed_is_replaced_and_says_so(forker: Forker) -> None:
    async def test(notebooks: Notebooks) -> None:
        await report_of(notebooks, "x = 1")
        os.kill(notebooks.process("ada"), signal.SIGKILL)
        answer = (await lines_of(notebooks, "x"))[-1]
        assert answer["is_gone"] and "run the cells again" in answer["error"]
        assert (await report_of(notebooks, "y = 1"))["is_first"]

    trying(forker, test)


@forks
def test_idle_processes_end(forker: Forker) -> None:
    now = [0.0]

    async def test(notebooks: Notebooks) -> None:
        await report_of(notebooks, "x = 1")
        assert not (await report_of(notebooks, "x"))["is_first"]
        now[0] = math.inf
        notebooks.end_idle()
        assert (await report_of(notebooks, "y = 1"))["is_first"]

    trying(forker, test, now=lambda: now[0])


@forks
def test_where_there_is_no_room_the_notebook_that_has_been_idle_longest_ends(forker: Forker) -> None:
    async def test(notebooks: Notebooks) -> None:
        for learner in ("ada", "bob"):
            await report_of(notebooks, "x = 1", learner)
        await report_of(notebooks, "x", "ada")
        await report_of(notebooks, "x = 1", "eve")
        assert not (await report_of(notebooks, "x", "ada"))["is_first"]
        running = [asyncio.create_task(lines_of(notebooks, ENDLESS, learner)) for learner in ("ada", "eve")]
        while not all(map(notebooks.is_running, ("ada", "eve"))):
            await asyncio.sleep(0.01)
        with pytest.raises(BusyError):
            await notebooks.run("bob", request("x = 1"))
        notebooks.close()
        assert [(await each)[-1]["is_gone"] for each in running] == [True, True]

    trying(forker, test, most=2)


def test_a_system_that_cannot_fork_says_so() -> None:
    with pytest.raises(PlaygroundError, match="cannot run notebooks"):
        finish(Notebooks(None).run("ada", request("x = 1")))
