"""A script's execution as one JSON object: windows, values, memory, links, operations, notes, and the examples."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from playground.tensors.examples import EXAMPLES, Example, example
from playground.tensors.language import interpreter, memory
from playground.tensors.language.interpreter import Execution
from playground.tensors.xray import report as module
from playground.tensors.xray.report import MAX_LINKS, MAX_STATEMENTS, report, summary


def shown(source: str, fails: bool = False) -> dict[str, Any]:
    """The report, as it arrives in the browser."""
    document = report(interpreter.run(source, {"device": torch.device("cpu")}))
    found: dict[str, Any] = json.loads(json.dumps(document, allow_nan=False))
    assert (found["error"] is not None) == fails, found["error"]
    check(found, source)
    return found


def relations(document: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any], list[Any]]]:
    """Every tile of an output with the tile of an input and the links between them."""
    tiles, found = document["tiles"], []
    for step in document["steps"]:
        inputs = {one["name"]: tiles[one["tile"]] for one in step["inputs"]}
        found += [(tiles[output["tile"]], inputs[name], rows) for output in step["outputs"] for name, rows in output["from"].items()]
        for operation in step["operations"]:
            places = [tiles[one["tile"]] for one in operation["inputs"]]
            found += [(tiles[output["tile"]], places[int(place)], rows) for output in operation["outputs"] for place, rows in output["from"].items()]
    return found


def pairs(document: dict[str, Any]) -> int:
    return sum(len(cells) for _output, _input, rows in relations(document) for cells in rows)


def check(document: dict[str, Any], source: str) -> None:
    """What holds for every report."""
    for tile in document["tiles"]:
        assert len(tile["values"]) == math.prod(tile["shown"]) <= memory.VISIBLE_CELLS
        assert len(tile["shape"]) == len(tile["shown"]) == len(tile["strides"])
        assert all(few <= size for few, size in zip(tile["shown"], tile["shape"], strict=True))
    for output, source_tile, rows in relations(document):
        assert len(rows) == len(output["values"])
        assert all(0 <= cell < len(source_tile["values"]) for cells in rows for cell in cells)
        assert all(cells == sorted(set(cells)) for cells in rows)
    for step in document["steps"]:
        assert source[step["start"] : step["end"]] == step["source"]
        assert step["line"] == source[: step["start"]].count("\n") + 1
        assert all(operation["source"] in source for operation in step["operations"])
    for name, facts in document["names"].items():
        if facts["kind"] != "value":
            assert facts["origin"] in ("given", "new", "view", "shared", "copy", "same", "uninitialised"), name
            assert document["tiles"][facts["tile"]]["shape"] == facts["shape"] and "values" not in facts


def tile(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = document["tiles"][document["names"][name]["tile"]]
    return found


def last(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(step for step in reversed(document["steps"]) if name in [output["name"] for output in step["outputs"]])


def links(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(output["from"] for output in last(document, name)["outputs"] if output["name"] == name)
    return found


WINDOWS = {
    "a number": ((), (), True),
    "a short line": ((7,), (7,), True),
    "a long line": ((5000,), (100,), True),
    "a very long line": ((30_000,), (100,), False),
    "a grid": ((25, 40), (25, 40), True),
    "a tall grid": ((50, 60), (25, 40), True),
    "a large grid": ((1000, 1000), (25, 40), False),
    "a wide grid": ((2, 9000), (2, 40), False),
    "a block": ((3, 4, 5), (3, 4, 5), True),
    "a large block": ((3, 100, 100), (1, 25, 40), False),
    "a deep block": ((400, 3, 3), (111, 3, 3), True),
    "four dimensions": ((8, 3, 10, 10), (3, 3, 10, 10), True),
    "nothing": ((0,), (0,), True),
    "no rows": ((0, 3), (0, 3), True),
    "no columns": ((3, 0), (3, 0), True),
}


@pytest.mark.parametrize(("shape", "window", "complete"), WINDOWS.values(), ids=list(WINDOWS))
def test_of_large_tensors_a_window_is_shown(shape: tuple[int, ...], window: tuple[int, ...], complete: bool) -> None:
    found = shown(f"x = torch.arange({math.prod(shape)}).reshape({shape})")
    whole = torch.arange(math.prod(shape)).reshape(shape)
    facts, part = found["names"]["x"], tile(found, "x")
    assert (tuple(facts["shape"]), facts["complete"], tuple(part["shown"])) == (shape, complete, window)
    assert part["values"] == whole[tuple(slice(size) for size in window)].flatten().tolist()
    assert (part["first"], part["slots"], part["itemsize"]) == (0, math.prod(shape), 8)


def test_a_tensor_of_ten_dimensions_is_shown_within_bounds() -> None:
    found = shown("x = torch.ones((2,) * 10)")
    assert len(tile(found, "x")["values"]) <= memory.VISIBLE_CELLS and tile(found, "x")["shape"] == [2] * 10


@pytest.mark.parametrize("shape", [(5000,), (50, 60), (12, 12, 12)], ids=str)
def test_links_within_a_window_are_those_of_the_cells_shown(shape: tuple[int, ...]) -> None:
    found = shown(f"x = torch.rand({shape})\ny = x * 2\nz = x.flip(0)\ns = x.sum()")
    window = tile(found, "x")["shown"]
    count = math.prod(window)
    assert links(found, "y") == {"x": [[cell] for cell in range(count)]}
    numbers = torch.full(shape, -1)
    numbers[tuple(slice(size) for size in window)] = torch.arange(count).reshape(window)
    flipped = numbers.flip(0)[tuple(slice(size) for size in window)].flatten().tolist()
    assert links(found, "z") == {"x": [[cell] if cell >= 0 else [] for cell in flipped]}
    assert links(found, "s") == {"x": [list(range(count))]}


def test_a_tensor_too_large_to_trace_says_so() -> None:
    found = shown("x = torch.rand(1000, 1000)\ny = x + 1")
    assert last(found, "y")["reason"] == "large" and links(found, "y") == {}
    assert found["names"]["y"]["complete"] is False


VALUES = {
    "not a number": ('torch.tensor([float("nan"), float("inf"), -float("inf"), 1.5])', "float32", ["nan", "inf", "-inf", 1.5]),
    "complex": ("torch.tensor([1 + 2j, 0.5j])", "complex64", ["1+2j", "0+0.5j"]),
    "conjugated": ("torch.tensor([1 + 2j]).conj()", "complex64", ["1-2j"]),
    "negative view": ("torch.tensor([1 + 2j]).conj().imag", "float32", [-2.0]),
    "booleans": ("torch.tensor([True, False])", "bool", [True, False]),
    "huge integers": ("torch.tensor([2**62, 2**53, 2**53 - 1, -2**60])", "int64", [str(2**62), str(2**53), 2**53 - 1, str(-(2**60))]),
    "bytes": ("torch.tensor([255, 0], dtype=torch.uint8)", "uint8", [255, 0]),
    "bfloat16": ("torch.tensor([1.5, -2], dtype=torch.bfloat16)", "bfloat16", [1.5, -2.0]),
    "half": ("torch.tensor([0.5]).half()", "float16", [0.5]),
    "a number": ("torch.tensor(3.)", "float32", [3.0]),
    "nothing": ("torch.empty(0)", "float32", []),
    "no rows": ("torch.empty(0, 3)", "float32", []),
    "a NumPy array": ("np.array([[1, 2], [3, 4]])", "int64", [1, 2, 3, 4]),
    "a NumPy number": ("np.array(5)", "int64", [5]),
    "a NumPy nan": ('np.array([float("nan")])', "float64", ["nan"]),
    "NumPy complex": ("np.array([1j])", "complex128", ["0+1j"]),
    "NumPy backwards": ("np.array([1, 2, 3])[::-1]", "int64", [3, 2, 1]),
    "NumPy booleans": ("np.array([True, False])", "bool", [True, False]),
    "NumPy small": ("np.array([1, 2], dtype=np.uint8)", "uint8", [1, 2]),
    "expanded": ("torch.tensor([[7]]).expand(2, 2)", "int64", [7, 7, 7, 7]),
    "transposed": ("torch.tensor([[1, 2], [3, 4]]).t()", "int64", [1, 3, 2, 4]),
    "with a gradient": ("torch.ones(2, requires_grad=True)", "float32", [1.0, 1.0]),
}


@pytest.mark.parametrize(("text", "dtype", "values"), VALUES.values(), ids=list(VALUES))
def test_values_of_every_kind_survive_json(text: str, dtype: str, values: list[Any]) -> None:
    found = shown(f"x = {text}")
    assert found["names"]["x"]["dtype"] == tile(found, "x")["dtype"] == dtype
    assert tile(found, "x")["values"] == values
    json.dumps(summary(interpreter.run(f"x = {text}")), allow_nan=False)


PLAIN = {
    "a number": ("3", 3),
    "a fraction": ("0.5", 0.5),
    "nan": ('float("nan")', "nan"),
    "infinity": ("1e400", "inf"),
    "complex": ("1j", "1j"),
    "a text": ('"ä😀"', "ä😀"),
    "nothing": ("None", None),
    "truth": ("True", True),
    "a list": ('[1, float("nan")]', "[1, nan]"),
    "a tuple": ("(1, 2)", "(1, 2)"),
    "a shape": ("torch.ones(2, 3).shape", "torch.Size([2, 3])"),
    "a dtype": ("torch.float32", "torch.float32"),
    "a NumPy scalar": ("np.float32(3)", "np.float32(3.0)"),
    "a huge number": ("2**100", 2**100),
}


@pytest.mark.parametrize(("text", "value"), PLAIN.values(), ids=list(PLAIN))
def test_plain_values_survive_json(text: str, value: Any) -> None:
    facts = shown(f"x = {text}")["names"]["x"]
    assert (facts["kind"], facts["shape"], facts["storage"]) == ("value", None, None)
    assert facts["values"] == value and len(facts["text"]) <= 2000


def test_the_same_tensor_is_written_once() -> None:
    found = shown("x = torch.rand(3)\ny = x\nz = x.view(3)\nw = x + 1\nv = x + 1")
    assert found["names"]["x"]["tile"] == found["names"]["y"]["tile"] == found["names"]["z"]["tile"]
    assert found["names"]["w"]["tile"] != found["names"]["v"]["tile"]  # elsewhere in memory
    assert len(found["tiles"]) == 3


STORAGES = {
    "views": ("x = torch.rand(4, 4)\ny = x.view(16)\nz = x[1:, ::2]\nw = y[3]", "aaaa"),
    "copies": ("x = torch.rand(4)\ny = x.clone()\nz = x + 0", "abc"),
    "the tensor itself": ("x = torch.rand(4)\ny = x\nz = x.float()", "aaa"),
    "an array": ("x = torch.ones(5)\ny = x.numpy()\nz = y[2:]", "aaa"),
    "of an array": ("x = np.ones(5)\ny = torch.from_numpy(x)\nz = np.ones(5)", "aab"),
    "of a slice": ("x = np.arange(10)\ny = torch.from_numpy(x[2:5])\nz = x[6:]", "aaa"),
    "of an array's view": ("x = np.arange(6)\ny = x.reshape(2, 3).T\nz = y.copy()", "aab"),
    "apart": ("x = torch.rand(2)\ny = torch.rand(2)\nz = torch.rand(2)", "abc"),
    "in the order of names": ("z = torch.rand(2)\ny = np.ones(2)\nx = z[:1]", "aba"),
    "nothing shares nothing": ("x = torch.empty(0)\ny = torch.empty(0)\nz = torch.empty(0, 3)", "abc"),
    "detached": ("x = torch.ones(2, requires_grad=True)\ny = x.detach()\nz = x * 1", "aab"),
    "expanded": ("x = torch.ones(1)\ny = x.expand(3)\nz = x.repeat(3)", "aab"),
}


@pytest.mark.parametrize(("source", "groups"), STORAGES.values(), ids=list(STORAGES))
def test_names_are_grouped_by_their_storage(source: str, groups: str) -> None:
    found = shown(source)["names"]
    numbered = {letter: f"s{index + 1}" for index, letter in enumerate(dict.fromkeys(groups))}
    assert [facts["storage"] for facts in found.values()] == [numbered[letter] for letter in groups]
    brief = summary(interpreter.run(source))["names"]
    assert {name: facts["storage"] for name, facts in brief.items()} == {name: facts["storage"] for name, facts in found.items()}


@pytest.mark.parametrize("describe", [report, summary])
def test_every_array_is_copied_once(monkeypatch: pytest.MonkeyPatch, describe: Callable[[Execution], dict[str, Any]]) -> None:
    copied: list[Any] = []
    monkeypatch.setattr(module, "snapshot", lambda array: copied.append(array) or memory.snapshot(array))
    execution = interpreter.run("x = torch.arange(4)\nparts = x.chunk(2)")
    describe(execution)
    assert len(copied) == 3


def test_where_a_view_begins() -> None:
    found = shown("x = torch.arange(12)\ny = x.view(3, 4)[1:, 2:]\na = np.arange(6.)\nb = torch.from_numpy(a[2:])")
    assert (found["names"]["y"]["offset"], tile(found, "y")["first"], tile(found, "y")["slots"]) == (6, 6, 12)
    assert found["names"]["y"]["strides"] == [4, 1] and found["names"]["y"]["contiguous"] is False


def test_the_parts_of_a_list_have_names() -> None:
    found = shown("x = torch.arange(4)\nparts = x.chunk(2)\nmade = [x * 2, 5, x[0]]")
    assert list(found["names"]) == ["x", "parts", "parts[0]", "parts[1]", "made", "made[0]", "made[2]"]
    assert found["names"]["parts"]["text"] == "tuple of 2" and found["names"]["made"]["text"] == "list of 3"
    assert links(found, "parts[1]") == {"x": [[2], [3]]}
    assert found["names"]["parts[0]"]["storage"] == found["names"]["x"]["storage"] != found["names"]["made[0]"]["storage"]
    assert found["names"]["parts[1]"]["origin"] == "view" and found["names"]["parts[1]"]["of"] == "x"


def test_a_loop_shows_its_last_turn() -> None:
    found = shown("x = torch.zeros(2)\nfor i in range(4):\n    x = x + i\ny = x * 2")
    step = last(found, "x")
    assert (step["source"], step["times"], step["line"]) == ("x = x + i", 4, 3)
    assert [found["tiles"][one["tile"]]["values"] for one in step["inputs"]] == [[3.0, 3.0]]
    assert tile(found, "x")["values"] == [6.0, 6.0]
    assert [step["source"] for step in found["steps"]] == ["x = torch.zeros(2)", "x = x + i", "y = x * 2"]


def test_the_name_of_a_loop_over_a_tensor_is_a_view_of_it() -> None:
    facts = shown("x = torch.arange(4).view(2, 2)\nfor row in x:\n    y = row + 1")["names"]
    assert facts["row"]["storage"] == facts["x"]["storage"]
    assert (facts["row"]["origin"], facts["row"]["of"], facts["row"]["line"]) == ("view", "x", 2)


def test_a_chain_lists_its_operations() -> None:
    found = shown("torch.manual_seed(0)\nx = torch.rand(3, 4)\ny = (x * 2 + 1).sum(dim=0)[1:].sqrt()")
    operations = last(found, "y")["operations"]
    assert [operation["source"] for operation in operations] == [
        "x * 2",
        "x * 2 + 1",
        "(x * 2 + 1).sum(dim=0)",
        "(x * 2 + 1).sum(dim=0)[1:]",
        "(x * 2 + 1).sum(dim=0)[1:].sqrt()",
    ]
    assert [one["name"] for operation in operations for one in operation["inputs"]] == ["x", *(operation["source"] for operation in operations[:-1])]
    x = torch.rand(3, 4, generator=torch.Generator().manual_seed(0))
    for operation, values in zip(operations, [x * 2, x * 2 + 1, (x * 2 + 1).sum(0), (x * 2 + 1).sum(0)[1:]], strict=False):
        assert found["tiles"][operation["outputs"][0]["tile"]]["values"] == pytest.approx(values.flatten().tolist())
    assert links(found, "y") == {"x": [[column, 4 + column, 8 + column] for column in (1, 2, 3)]}
    assert operations[2]["outputs"][0]["from"] == {"0": [[column, 4 + column, 8 + column] for column in range(4)]}


def test_operations_of_two_operands_have_links_to_each() -> None:
    found = shown("a = torch.rand(2)\nb = torch.rand(2)\nc = a * b + a")
    first, second = last(found, "c")["operations"]
    assert first["outputs"][0]["from"] == {"0": [[0], [1]], "1": [[0], [1]]}
    assert [one["name"] for one in second["inputs"]] == ["a * b", "a"]
    assert links(found, "c") == {"a": [[0], [1]], "b": [[0], [1]]}


def test_the_statement_that_failed_is_marked() -> None:
    found = shown("x = torch.rand(2, 3)\ny = x.t()\nz = (y * 2) @ y\nw = 1", fails=True)
    assert [(step["source"], step["failed"]) for step in found["steps"]] == [
        ("x = torch.rand(2, 3)", False),
        ("y = x.t()", False),
        ("z = (y * 2) @ y", True),
    ]
    failed = found["steps"][-1]
    assert failed["outputs"] == [] and [operation["source"] for operation in failed["operations"]] == ["y * 2"]
    assert list(found["names"]) == ["x", "y"] and found["error"]["line"] == 3


def test_a_script_that_is_not_python_has_an_error_and_nothing_else() -> None:
    found = shown("x = torch.ones(2\ny = 3", fails=True)
    assert (found["names"], found["steps"], found["tiles"], found["output"]) == ({}, [], [], "")


@pytest.mark.parametrize("source", ["", "\n\n", "# nothing", "pass", "import torch"])
def test_a_script_that_does_nothing(source: str) -> None:
    found = shown(source)
    assert (found["names"], found["steps"], found["tiles"], found["output"]) == ({}, [], [], "")


def test_what_was_printed_and_warned() -> None:
    found = shown('print("ä", 1)\nx = F.mse_loss(torch.ones(2, 1), torch.ones(2))')
    assert found["output"] == "ä 1\n"
    assert any("broadcasting" in warning for warning in found["warnings"])


@pytest.mark.parametrize("one", EXAMPLES, ids=lambda one: one.name)
def test_every_example_runs(one: Example) -> None:
    found = shown(one.source, fails=one.name == "mistake")
    assert one.title and example(one.name) is one
    assert any(step["outputs"] for step in found["steps"])
    assert [step["reason"] for step in found["steps"]] == [""] * len(found["steps"])
    if one.name == "mistake":
        assert found["steps"][-1]["failed"] and found["error"]["fixes"]


def test_examples_have_names_of_their_own() -> None:
    assert len({one.name for one in EXAMPLES}) == len(EXAMPLES) and example("nothing") is None


def many(count: int) -> str:
    return "\n".join(["x0 = torch.rand(2, 3)", *(f"x{number} = x{number - 1} + {number}" for number in range(1, count))])


def test_a_script_of_sixty_statements() -> None:
    found = shown(many(MAX_STATEMENTS))
    assert len(found["steps"]) == MAX_STATEMENTS == len(found["names"]) == len(found["tiles"])
    assert all(facts["origin"] == "new" for facts in found["names"].values())
    assert [step["line"] for step in found["steps"]] == list(range(1, MAX_STATEMENTS + 1))


def test_of_a_longer_script_the_last_statements_are_shown() -> None:
    found = shown(many(MAX_STATEMENTS + 10))
    assert [step["line"] for step in found["steps"]] == list(range(11, MAX_STATEMENTS + 11))
    assert len(found["names"]) == MAX_STATEMENTS + 10


def test_what_an_early_statement_made_was_not_given() -> None:
    found = shown(many(MAX_STATEMENTS + 10))
    assert [(facts["origin"], facts["line"]) for facts in found["names"].values()] == [("new", line) for line in range(1, MAX_STATEMENTS + 11)]


def test_what_was_given_is_said_to_be_given() -> None:
    document = report(interpreter.run("y = x[0]", {"device": torch.device("cpu"), "x": torch.rand(2, 2), "n": 3}))
    assert list(document["names"]) == ["x", "n", "y"]
    assert (document["names"]["x"]["origin"], document["names"]["x"]["line"]) == ("given", 0)
    assert (document["names"]["y"]["origin"], document["names"]["y"]["of"], document["names"]["y"]["line"]) == ("view", "x", 1)


def test_no_more_links_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "x = torch.ones(5, 5)\na = x + 1\nb = x @ x\nc = b.sum()\nd = x.t()"
    whole = shown(source)
    assert 100 < pairs(whole) <= MAX_LINKS
    for most in (0, 10, 60, 200):
        monkeypatch.setattr(module, "MAX_LINKS", most)
        fewer = shown(source)
        assert pairs(fewer) <= most
        assert fewer["names"] == whole["names"] or fewer["tiles"] == whole["tiles"]


def test_no_more_time_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINEAGE_SHARE", 0.0)
    found = shown("x = torch.rand(20, 20)\ny = x @ x\nz = x + 1")
    assert {step["reason"] for step in found["steps"]} <= {"", "large"}
    assert last(found, "y")["reason"] == "large"


NOTES = {
    "a whole number among floats": ("x = torch.tensor([[1, 2.5]])", "1 became 1.0"),
    "−1 in view": ("x = torch.ones(6).view(2, -1)", "6 cells ÷ 2 = 3"),
    "−1 in a tuple": ("x = torch.ones(6).reshape((-1, 2))", "6 cells ÷ 2 = 3"),
    "−1 by keyword": ("x = torch.ones(6).view(size=(2, -1))", "6 cells ÷ 2 = 3"),
    "−1 of NumPy": ("x = np.ones(6).reshape(3, -1)", "6 cells ÷ 3 = 2"),
    "a view": ("x = torch.ones(6).view(2, 3)", "Nothing was copied"),
    "a reshape that copies": ("x = torch.ones(2, 3).t().reshape(6)", "`reshape` copied its cells"),
    "repeat": ("x = torch.ones(1, 2).repeat(3, 1)", "`repeat` copies"),
    "expand": ("x = torch.ones(1, 2).expand(3, 2)", "stride 0"),
    "expand_as": ("x = torch.ones(1, 2).expand_as(torch.ones(3, 2))", "stride 0"),
    "broadcast_to": ("x = torch.ones(1, 2).broadcast_to(3, 2)", "stride 0"),
    "t": ("x = torch.ones(2, 3).t()", "from (3, 1) to (1, 3)"),
    "T": ("x = torch.ones(2, 3).T", "from (3, 1) to (1, 3)"),
    "transpose": ("x = torch.ones(2, 3).transpose(0, 1)", "Only the strides changed"),
    "permute": ("x = torch.ones(2, 3, 4).permute(2, 0, 1)", "from (12, 4, 1) to (1, 12, 4)"),
    "movedim": ("x = torch.ones(2, 3).movedim(0, 1)", "Only the strides changed"),
    "already contiguous": ("x = torch.ones(2).contiguous()", "already contiguous"),
    "made contiguous": ("x = torch.ones(2, 3).t().contiguous()", "copied into row-major order"),
    "from NumPy": ("a = np.ones(2)\nx = torch.from_numpy(a)", "same memory"),
    "to NumPy": ("x = torch.ones(2).numpy()", "same memory"),
    "to the same": ("x = torch.ones(2).to(device)", "the tensor itself"),
    "uninitialised": ("x = torch.empty(2)", "uninitialised"),
    "two dtypes": ("x = torch.ones(2) + torch.arange(2)", "the dtypes `float32` and `int64`; type promotion gives `float32`"),
    "a number with a decimal point": ("x = torch.arange(2) * 1.5", "A tensor of integers met a number with a decimal point; type promotion gives `float32`."),
    "division of whole numbers": ("x = torch.arange(2) / 2", "the result need not be an integer"),
    "a slice": ("a = torch.ones(4)\nx = a[1:]", "A slice is a view"),
    "a mask": ("a = torch.ones(4)\nx = a[a > 0]", "makes a copy"),
    "in place": ("x = torch.ones(2)\nx.mul_(2)", "in place"),
    "augmented": ("x = torch.ones(2)\nx += 1", "in place"),
}


def without_marks(note: str) -> str:
    """A note as it is read, without the marks of its terms."""
    return re.sub(r"\[\[([^|\]]+)[^\]]*\]\]", r"\1", note)


@pytest.mark.parametrize(("source", "expected"), NOTES.values(), ids=list(NOTES))
def test_notes(source: str, expected: str) -> None:
    step = last(shown(source), "x")
    assert any(expected in without_marks(note) for note in step["notes"])
    assert len(set(step["notes"])) == len(step["notes"])


SILENT = {
    "floats alone": ("x = torch.tensor([1., 2.])", "became"),
    "a transposed vector": ("x = torch.ones(3).t()", "strides"),
    "a square turned twice": ("x = torch.ones(2, 3).t().t()", "may raise an error. Only"),
    "an addition": ("x = torch.ones(2) + torch.ones(2)", "type promotion"),
    "a view of nothing": ("x = torch.ones(0, 3).view(3, 0)", "copied its cells"),
    "a view of another dtype": ("x = torch.ones(2).view(torch.int32)", "another shape"),
    "an expansion of nothing": ("x = torch.ones(2).expand(2)", "stride 0"),
    "a comparison": ("x = torch.arange(3) > 1", "float"),
}


@pytest.mark.parametrize(("source", "wrong"), SILENT.values(), ids=list(SILENT))
def test_notes_that_would_be_wrong(source: str, wrong: str) -> None:
    assert wrong not in " ".join(last(shown(source), "x")["notes"])


PICTURES = {
    "a product": ("a @ a", "products", "@"),
    "matmul": ("torch.matmul(a, a)", "products", "matmul"),
    "a sign": ("a + 1", "sign", "+"),
    "a negation": ("-a", "sign", "-"),
    "not": ("~(a > 0)", "sign", "~"),
    "a comparison": ("a >= 1", "sign", ">="),
    "a call": ("torch.relu(a)", "call", "relu"),
    "a method": ("a.sum()", "call", "sum"),
    "a pick": ("a[0]", "pick", "[]"),
}


@pytest.mark.parametrize(("text", "kind", "word"), PICTURES.values(), ids=list(PICTURES))
def test_how_an_operation_is_drawn(text: str, kind: str, word: str) -> None:
    picture = last(shown(f"a = torch.ones(2, 2)\nx = {text}"), "x")["picture"]
    assert (picture["kind"], picture["word"]) == (kind, word)


@pytest.mark.parametrize("sign", ["+=", "-=", "*=", "/=", "**="])
def test_augmented_assignments_are_drawn_with_their_sign(sign: str) -> None:
    picture = last(shown(f"x = torch.full((2,), 3.)\nx {sign} 2"), "x")["picture"]
    assert (picture["kind"], picture["word"]) == ("sign", sign[:-1])


def test_what_is_rebound_is_not_called_a_view_of_its_successor() -> None:
    found = shown("x = torch.ones(3)\ny = x[1:]\nx = torch.zeros(3)")["names"]
    assert found["x"]["storage"] != found["y"]["storage"]
    assert (found["y"]["origin"], found["y"]["of"]) != ("view", "x")


@pytest.mark.parametrize("source", ["x = torch.rand(2)", "x = np.random.rand(2)", "x = torch.rand(3)\ny = x.bernoulli()\nz = F.dropout(x)"])
def test_a_report_leaves_the_random_numbers_alone(source: str) -> None:
    execution = interpreter.run(source)
    torch.manual_seed(3)
    np.random.seed(3)
    report(execution)
    after = torch.rand(1).item(), np.random.rand()
    torch.manual_seed(3)
    np.random.seed(3)
    assert after == (torch.rand(1).item(), np.random.rand())


def test_a_view_of_more_cells_than_there_is_memory_is_shown_and_not_followed() -> None:
    document = shown("x = torch.ones(1)\ny = x.expand(10**6, 10**6)\nz = y[0, :3]")
    assert document["error"] is None
    assert document["names"]["z"]["shape"] == [3]
    assert [step["reason"] for step in document["steps"]] == ["", "large", "large"]


def test_a_result_that_was_changed_in_place_says_so() -> None:
    found = shown("x = torch.zeros(3)\ny = x[:2]\ny += 1\nx = x + 1")
    assert [[(output["name"], output["changed"]) for output in step["outputs"]] for step in found["steps"]] == [
        [("x", False)],
        [("y", False)],
        [("x", True), ("y", True)],
        [("x", False)],
    ]


def test_results_that_the_statement_itself_made_are_traced_too() -> None:
    """No variable is read, yet one wants to see what `view` did."""
    (step,) = shown("x = torch.arange(6).view(2, 3).t()")["steps"]
    created, viewed, turned = step["operations"]
    assert created["outputs"][0]["from"] == {} and step["outputs"][0]["from"] == {} and step["reason"] == ""
    assert viewed["outputs"][0]["from"] == {"0": [[cell] for cell in range(6)]}
    assert turned["outputs"][0]["from"] == {"0": [[0], [3], [1], [4], [2], [5]]}


def test_an_intermediate_result_that_cannot_be_traced_is_no_reason_to_say_so() -> None:
    assert shown("x = torch.rand(100, 100).sum(dim=0)")["steps"][0]["reason"] == ""


STALE = {
    "through .data": ("w = torch.zeros(2)\nw.data -= 1\ny = w * 3 + 1", {2: {"w": [-1.0, -1.0]}}),
    "through .data in a loop": ("w = torch.zeros(2)\nfor i in range(2):\n    w.data -= 1\n    p = w * 2", {3: {"w": [-2.0, -2.0]}, 4: {"p": [-4.0, -4.0]}}),
    "by batch_norm": (
        "m = torch.zeros(2)\nv = torch.ones(2)\nx = torch.tensor([[1., 2.], [3., 6.]])\ny = F.batch_norm(x, m, v, training=True)",
        {4: {"m": [0.2, 0.4], "v": [1.1, 1.7]}},
    ),
    "through an array without a name": ("w = torch.zeros(2)\nw.numpy()[0] = 5", {2: {"w": [5.0, 0.0]}}),
    "through an array of the same memory": ("a = torch.zeros(2)\nb = torch.from_numpy(a.numpy())\nb += 2", {3: {"a": [2.0, 2.0], "b": [2.0, 2.0]}}),
    "in a function": ("def step(p):\n    p.data -= 1\nw = torch.zeros(2)\nstep(w)", {4: {"w": [-1.0, -1.0]}}),
    "in a function of a list": (
        "w = [torch.zeros(1), torch.zeros(1)]\ndef step(ps):\n    for p in ps:\n        p += 1\nstep(w)",
        {5: {"w[0]": [1.0], "w[1]": [1.0]}},
    ),
    "in a dictionary": ("d = {'w': torch.zeros(2)}\nd['w'] += 1", {2: {"d['w']": [1.0, 1.0]}}),
    "behind many operations": ("w = torch.zeros(1)\nfor i in [sum(torch.ones(1) for _ in range(50)), 1]:\n    w.data += 1", {3: {"w": [2.0]}}),
    "with other data": ("w = torch.zeros(3)\nw.data = torch.ones(2)\ny = w + 1", {2: {"w": [1.0, 1.0]}, 3: {"y": [2.0, 2.0]}}),
    "in inference mode": ("x = torch.ones(2)\nwith torch.inference_mode():\n    y = x * 2\n    y += 1", {4: {"y": [3.0, 3.0]}}),
}


@pytest.mark.parametrize(("source", "wanted"), STALE.values(), ids=STALE)
def test_what_a_statement_changes_is_shown_however_it_was_reached(source: str, wanted: dict[int, dict[str, list[float]]]) -> None:
    document = report(interpreter.run(source))
    assert document["error"] is None
    shown = {
        step["line"]: {output["name"]: pytest.approx(document["tiles"][output["tile"]]["values"]) for output in step["outputs"]} for step in document["steps"]
    }
    for line, outputs in wanted.items():
        assert {name: shown[line][name] for name in outputs} == outputs


@pytest.mark.parametrize(("turns", "times"), [(0, 1), (1, 1), (4, 4)])
def test_a_loop_ran_as_often_as_it_has_turns(turns: int, times: int) -> None:
    document = report(interpreter.run(f"x = torch.zeros(1)\nfor i in range({turns}):\n    x = x + i"))
    assert [step["times"] for step in document["steps"] if step["line"] == 2] in ([times], [])


@pytest.mark.parametrize("value", ["torch.zeros(2)", "torch.zeros(2, requires_grad=True)", "nn.Parameter(torch.zeros(2))"])
def test_data_that_is_assigned_is_shown_from_then_on(value: str) -> None:
    document = shown(f"w = {value}\nw.data = torch.ones(2)\ny = w + 1")
    values = [[document["tiles"][one["tile"]]["values"] for one in (*step["inputs"], *step["outputs"])] for step in document["steps"]]
    assert values == [[[0, 0]], [[0, 0], [1, 1]], [[1, 1], [2, 2]]]
