"""What introductory tutorials have a learner type, exactly as they type it, and what the page must then show."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import pytest
import torch

from playground import device
from playground.tensors.language import interpreter
from playground.tensors.xray.report import report


class Shown:
    """A report, asked as a learner looks at the page."""

    def __init__(self, source: str, where: str = "cpu") -> None:
        self.source = source
        self.document = json.loads(json.dumps(report(interpreter.run(source, {"device": torch.device(where)})), allow_nan=False))
        self.error: dict[str, Any] | None = self.document["error"]
        self.names: dict[str, dict[str, Any]] = self.document["names"]

    def facts(self, name: str) -> tuple[tuple[int, ...], str, tuple[int, ...]]:
        found = self.names[name]
        return tuple(found["shape"]), found["dtype"], tuple(found["strides"])

    def tile(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.document["tiles"][self.names[name]["tile"]]
        return found

    def values(self, name: str) -> list[Any]:
        found: list[Any] = self.tile(name)["values"]
        return found

    def origin(self, name: str) -> tuple[str, str]:
        return self.names[name]["origin"], self.names[name]["of"]

    def step(self, name: str) -> dict[str, Any]:
        """The last statement that left the name."""
        return next(step for step in reversed(self.document["steps"]) if name in [output["name"] for output in step["outputs"]])

    def notes(self, name: str) -> str:
        """What is said about the statement, as it is read: `[[view]]` marks a term of the glossary."""
        return re.sub(r"\[\[([^\]|]*)(\|[^\]]*)?\]\]", r"\1", "\n".join(self.step(name)["notes"]))

    def links(self, name: str) -> dict[str, list[list[int]]]:
        found: dict[str, list[list[int]]] = next(output["from"] for output in self.step(name)["outputs"] if output["name"] == name)
        return found


def shown(source: str) -> Shown:
    found = Shown(source)
    assert found.error is None, found.error
    return found


def facts_of(array: torch.Tensor) -> tuple[tuple[int, ...], str, tuple[int, ...]]:
    return tuple(array.shape), str(array.dtype).removeprefix("torch."), tuple(array.stride())


SIMPLE = {
    "T1 a number": ("torch.tensor(5)", torch.tensor(5)),
    "T2 a table": ("torch.tensor([[1, 2], [3, 4]])", torch.tensor([[1, 2], [3, 4]])),
    "T3 mixed numbers": ("torch.tensor([5.5, 3])", torch.tensor([5.5, 3])),
    "T5 zeros of long": ("torch.zeros(5, 3, dtype=torch.long)", torch.zeros(5, 3, dtype=torch.long)),
    "T12 arange of thirds": ("torch.arange(start=1., end=5., step=1./3)", torch.arange(start=1.0, end=5.0, step=1.0 / 3)),
    "T14 full": ("torch.full((2, 3), fill_value=-1.)", torch.full((2, 3), fill_value=-1.0)),
    "T14 eye": ("torch.eye(3)", torch.eye(3)),
}


@pytest.mark.parametrize(("source", "expected"), SIMPLE.values(), ids=list(SIMPLE))
def test_a_bare_expression_is_shown_under_its_own_text(source: str, expected: torch.Tensor) -> None:
    found = shown(source)
    assert list(found.names) == [source]
    assert found.facts(source) == facts_of(expected)
    assert found.values(source) == expected.flatten().tolist()
    assert found.origin(source) == ("new", "")
    (step,) = found.document["steps"]
    assert (step["source"], step["line"], step["times"], step["failed"]) == (source, 1, 1, False)


def test_t1_is_of_no_dimension() -> None:
    assert shown("torch.tensor(5)").facts("torch.tensor(5)") == ((), "int64", ())


def test_t3_says_why_3_became_3_0() -> None:
    assert "3 became 3.0" in shown("torch.tensor([5.5, 3])").notes("torch.tensor([5.5, 3])")


@pytest.mark.parametrize("source", ["torch.tensor([5, 3])", "torch.tensor([5.5, 3.])", "torch.tensor([True, False])"])
def test_t3_says_nothing_where_nothing_became_another(source: str) -> None:
    assert shown(source).notes(source) == ""


def test_t4_uninitialised_memory_is_marked_and_can_be_read() -> None:
    found = shown("torch.empty(5, 3)")
    assert found.facts("torch.empty(5, 3)") == ((5, 3), "float32", (3, 1))
    assert found.origin("torch.empty(5, 3)") == ("uninitialised", "")
    assert "uninitialised memory" in found.notes("torch.empty(5, 3)")
    assert len(found.values("torch.empty(5, 3)")) == 15
    assert all(isinstance(value, float) or value in ("nan", "inf", "-inf") for value in found.values("torch.empty(5, 3)"))


@pytest.mark.parametrize("source", ["torch.empty_like(x)", "x.new_empty(2)"])
def test_t4_its_relatives_are_marked_too(source: str) -> None:
    assert shown(f"x = torch.zeros(2)\ny = {source}").origin("y") == ("uninitialised", "")


def test_t4_filled_memory_is_no_longer_uninitialised() -> None:
    assert shown("x = torch.empty(2).fill_(1)").origin("x") == ("new", "")


def test_t6_new_numbers_each_time() -> None:
    assert shown("x = torch.rand(5, 3)").values("x") != shown("x = torch.rand(5, 3)").values("x")


def test_t6_the_same_numbers_with_a_seed() -> None:
    source = "torch.manual_seed(0)\nx = torch.rand(5, 3)\ny = torch.rand(5, 3)"
    one, other = shown(source), shown(source)
    expected = torch.rand(5, 3, generator=torch.Generator().manual_seed(0))
    assert one.values("x") == other.values("x") == expected.flatten().tolist()
    assert one.values("y") == other.values("y") != one.values("x")
    assert list(one.names) == ["x", "y"]


def test_t7_a_tensor_from_numpy_shares_its_memory() -> None:
    found = shown("a = np.array([[1, 2], [3, 4]])\nb = torch.from_numpy(a)")
    assert found.names["a"]["kind"] == "array" and found.names["b"]["kind"] == "tensor"
    assert found.names["a"]["storage"] == found.names["b"]["storage"]
    assert found.facts("a") == found.facts("b") == ((2, 2), "int64", (2, 1))
    assert found.values("a") == found.values("b") == [1, 2, 3, 4]
    assert found.origin("b") == ("shared", "a")
    assert found.links("b") == {"a": [[0], [1], [2], [3]]}
    assert "same memory" in found.notes("b")


def test_t8_an_in_place_change_shows_in_the_array() -> None:
    found = shown("a = torch.ones(5)\nb = a.numpy()\na.add_(1)")
    assert found.values("a") == found.values("b") == [2.0] * 5
    assert found.names["a"]["storage"] == found.names["b"]["storage"]
    assert found.origin("b") == ("shared", "a")
    step = found.document["steps"][-1]
    assert [output["name"] for output in step["outputs"]] == ["a", "b"] and step["source"] == "a.add_(1)"
    assert found.links("b") == {"a": [[cell] for cell in range(5)]}
    assert "in place" in found.notes("b")
    assert list(found.names) == ["a", "b"]  # what `add_` returns has a name already


def test_t9_numpys_out_shows_in_the_tensor() -> None:
    found = shown("a = np.ones(5)\nb = torch.from_numpy(a)\nnp.add(a, 1, out=a)")
    assert found.facts("b") == ((5,), "float64", (1,))
    assert found.values("b") == [2.0] * 5
    assert found.names["a"]["storage"] == found.names["b"]["storage"]
    assert "in place" in found.notes("b")


def test_t10_views_of_one_storage() -> None:
    found = shown("x = torch.randn(4, 4)\ny = x.view(16)\nz = x.view(-1, 8)")
    assert found.facts("y") == ((16,), "float32", (1,)) and found.facts("z") == ((2, 8), "float32", (8, 1))
    assert len({found.names[name]["storage"] for name in "xyz"}) == 1
    assert found.origin("y") == found.origin("z") == ("view", "x")
    assert "16 cells ÷ 8 = 2" in found.notes("z") and "÷" not in found.notes("y")
    assert found.values("x") == found.values("y") == found.values("z")
    assert found.links("z") == {"x": [[cell] for cell in range(16)]}


PICKS = {
    "a row": ("matrix[0]", [0, 1, 2], "view"),
    "a column": ("matrix[:, 0]", [0, 3], "view"),
    "another column": ("matrix[:, 1]", [1, 4], "view"),
    "a row with a colon": ("matrix[1, :]", [3, 4, 5], "view"),
    "one cell": ("matrix[1, 2]", [5], "view"),
    "every second": ("matrix[:, ::2]", [0, 2, 3, 5], "view"),
    "backwards": ("matrix[-1]", [3, 4, 5], "view"),
    "by mask": ("matrix[matrix > 0]", [0, 2, 5], "copy"),
    "by mask of rows": ("matrix[torch.tensor([False, True])]", [3, 4, 5], "copy"),
    "by indices": ("matrix[:, [2, 0]]", [2, 0, 5, 3], "copy"),
}


@pytest.mark.parametrize(("text", "cells", "origin"), PICKS.values(), ids=list(PICKS))
def test_t11_the_picked_cells_light_up(text: str, cells: list[int], origin: str) -> None:
    found = shown(f"matrix = torch.tensor([[3, -1, 4], [-1, -5, 9]])\n{text}")
    assert found.links(text)["matrix"] == [[cell] for cell in cells]
    assert found.values(text) == [[3, -1, 4, -1, -5, 9][cell] for cell in cells]
    assert found.origin(text) == (origin, "matrix")
    assert (found.names[text]["storage"] == found.names["matrix"]["storage"]) == (origin == "view")
    assert ("is a view" if origin == "view" else "makes a copy") in found.notes(text)
    assert found.step(text)["picture"]["kind"] == "pick"


def test_t12_has_twelve_values() -> None:
    assert shown("x = torch.arange(start=1., end=5., step=1./3)").facts("x") == ((12,), "float32", (1,))


def test_t13_repeat_copies_and_expand_does_not() -> None:
    found = shown("i = torch.arange(3)\nj = i.view(-1, 1).repeat(1, 2)\nk = i.view(-1, 1).expand(3, 2)")
    assert found.facts("j") == ((3, 2), "int64", (2, 1)) and found.facts("k") == ((3, 2), "int64", (1, 0))
    assert found.origin("j") == ("copy", "i") and found.origin("k") == ("view", "i")
    assert found.links("j") == found.links("k") == {"i": [[0], [0], [1], [1], [2], [2]]}
    assert "`repeat` copies" in found.notes("j") and "`expand` would" in found.notes("j")
    assert "3 cells ÷ 1 = 3" in found.notes("j")
    assert "stride 0" in found.notes("k")
    assert [operation["source"] for operation in found.step("j")["operations"]] == ["i.view(-1, 1)", "i.view(-1, 1).repeat(1, 2)"]


def test_t14_like_another() -> None:
    found = shown("x = torch.rand(2, 3)\ny = torch.ones_like(x)")
    assert found.facts("y") == ((2, 3), "float32", (3, 1)) and found.values("y") == [1.0] * 6
    assert found.origin("y") == ("new", "") and found.names["x"]["storage"] != found.names["y"]["storage"]
    assert not any(cells for rows in found.links("y").values() for cells in rows)  # no value of x made a 1


T15 = "c = torch.rand(2, 3)\nd = torch.rand(3, 4)\ntorch.cat([c, d])"


def test_t15_is_refused_with_what_differs() -> None:
    found = Shown(T15)
    error = found.error
    assert error is not None
    assert (error["line"], T15[error["start"] : error["end"]]) == (3, "torch.cat([c, d])")
    with pytest.raises(RuntimeError) as refused:
        torch.cat([torch.rand(2, 3), torch.rand(3, 4)])
    assert error["message"] == str(refused.value)
    assert error["alignment"] == {"rows": [{"name": "c", "sizes": [2, 3]}, {"name": "d", "sizes": [3, 4]}], "wrong": [1]}
    assert "dimension 0" in error["explanation"]
    assert list(found.names) == ["c", "d"]
    assert [step["failed"] for step in found.document["steps"]] == [False, False, True]


def test_t15_offers_what_would_be_legal() -> None:
    error = Shown(T15).error
    assert error is not None and error["fixes"] and error["fix"] == error["fixes"][0]
    for fix in error["fixes"]:
        mended = shown(T15[: fix["start"]] + fix["text"] + T15[fix["end"] :])
        assert mended.facts(list(mended.names)[-1])[0] == (6, 3)


def row_times_column(rows: int, inner: int, columns: int) -> dict[str, list[list[int]]]:
    left = [[row * inner + k for k in range(inner)] for row in range(rows) for _ in range(columns)]
    right = [[k * columns + column for k in range(inner)] for _ in range(rows) for column in range(columns)]
    return {"a": left, "b": right}


@pytest.mark.parametrize("text", ["torch.matmul(a, b)", "torch.mm(a, b)", "a @ b", "a.mm(b)", "a.matmul(b)"])
def test_t16_row_times_column(text: str) -> None:
    found = shown(f"torch.manual_seed(1)\na = torch.rand(2, 3)\nb = torch.rand(3, 4)\nc = {text}")
    assert found.facts("c") == ((2, 4), "float32", (4, 1))
    links = found.links("c")
    assert links == row_times_column(2, 3, 4)
    a, b = found.values("a"), found.values("b")
    summed = [sum(a[i] * b[j] for i, j in zip(left, right, strict=True)) for left, right in zip(links["a"], links["b"], strict=True)]
    assert found.values("c") == pytest.approx(summed)
    assert found.step("c")["picture"]["kind"] == "products"
    assert found.origin("c") == ("new", "")


STRETCHED = {
    "T17 the same shape": ("a + b", (2, 3), (2, 3), None),
    "T17 column and row": ("a + b", (3, 1), (4,), [[(3, False), (1, True)], [(None, True), (4, False)]]),
    "T17 row times table": ("a * b", (2, 3), (3,), [[(2, False), (3, False)], [(None, True), (3, False)]]),
    "T17 no rows": ("a + b", (0, 3), (3,), [[(0, False), (3, False)], [(None, True), (3, False)]]),
    "T17 into three dimensions": ("a + b", (2, 1, 3), (4, 1), [[(2, False), (1, True), (3, False)], [(None, True), (4, False), (1, True)]]),
}


@pytest.mark.parametrize(("text", "one", "other", "drawn"), STRETCHED.values(), ids=list(STRETCHED))
def test_t17_the_stretched_dimensions_are_drawn(text: str, one: tuple[int, ...], other: tuple[int, ...], drawn: Any) -> None:
    found = shown(f"a = torch.rand({one})\nb = torch.rand({other})\no = {text}")
    shape = tuple(torch.broadcast_shapes(one, other))
    assert found.facts("o")[0] == shape
    rows = found.step("o")["picture"].get("stretched")
    assert (rows and [[(column["size"], column["stretched"]) for column in row] for row in rows]) == drawn
    for name, size in (("a", one), ("b", other)):
        cells = torch.arange(math.prod(size)).view(size).broadcast_to(shape).flatten().tolist()
        assert found.links("o").get(name, []) == [[cell] for cell in cells]


def test_t17_a_number_is_stretched_over_all() -> None:
    found = shown("x = torch.rand(2, 2)\no = x + 2")
    assert found.values("o") == pytest.approx([value + 2 for value in found.values("x")])
    assert found.links("o") == {"x": [[0], [1], [2], [3]]}
    assert found.step("o")["picture"]["word"] == "+"


def test_t18_reductions_show_what_feeds_them() -> None:
    found = shown("l = torch.tensor([[1., 5., 3., 9.], [8., 2., 4., 9.]])\nk = l[:, :-1].max(dim=1)[1]\nm = l.mean(dim=0)\ns = l.sum()")
    assert found.facts("k") == ((2,), "int64", (1,)) and found.values("k") == [1, 0]
    assert found.links("k") == {"l": [[0, 1, 2], [4, 5, 6]]}  # never the last column
    assert found.links("m") == {"l": [[0, 4], [1, 5], [2, 6], [3, 7]]}
    assert found.links("s") == {"l": [list(range(8))]}
    assert found.step("k")["picture"]["group"] == "Reduction"


def test_t18_mean_of_whole_numbers_made_floats() -> None:
    found = shown("u = torch.arange(4)\nu.float().mean()")
    text = "u.float().mean()"
    assert found.facts(text) == ((), "float32", ()) and found.values(text) == [1.5]
    assert found.links(text) == {"u": [[0, 1, 2, 3]]}
    assert [operation["source"] for operation in found.step(text)["operations"]] == ["u.float()", text]


def test_t18_cell_by_cell() -> None:
    found = shown("s = torch.tensor([-1., 0., 1.])\nt = torch.sigmoid(s)\nu = t >= 0.5")
    assert found.values("t") == torch.sigmoid(torch.tensor([-1.0, 0.0, 1.0])).tolist()
    assert found.facts("u")[1] == "bool" and found.values("u") == [False, True, True]
    assert found.links("t") == {"s": [[0], [1], [2]]} and found.links("u") == {"t": [[0], [1], [2]]}


def test_t19_strides_before_and_after() -> None:
    found = shown("matrix = torch.arange(6).view(2, 3)\nm = matrix.t()\nm.is_contiguous()\nr = m.reshape(6)")
    assert found.facts("matrix")[2] == (3, 1) and found.facts("m") == ((3, 2), "int64", (1, 3))
    assert "(3, 1) to (1, 3)" in found.notes("m")
    assert (found.names["matrix"]["contiguous"], found.names["m"]["contiguous"]) == (True, False)
    assert found.names["m.is_contiguous()"]["values"] is False
    assert found.origin("m") == ("view", "matrix") and found.origin("r") == ("copy", "m")
    assert found.names["m"]["storage"] == found.names["matrix"]["storage"] != found.names["r"]["storage"]
    assert "`reshape` copied" in found.notes("r")
    assert found.values("r") == torch.arange(6).view(2, 3).t().reshape(6).tolist()


def test_t19_view_then_fails_and_says_why() -> None:
    source = "matrix = torch.arange(6).view(2, 3)\nm = matrix.t()\nv = m.view(6)"
    error = Shown(source).error
    assert error is not None and source[error["start"] : error["end"]] == "m.view(6)"
    assert "never copies" in error["explanation"] and "`reshape`" in error["explanation"]
    fix = error["fix"]
    assert shown(source[: fix["start"]] + fix["text"] + source[fix["end"] :]).values("v") == [0, 3, 1, 4, 2, 5]


TURNS = {
    "unsqueeze": ("x.unsqueeze(0)", torch.rand(2, 1, 3).unsqueeze(0)),
    "squeeze": ("x.squeeze()", torch.rand(2, 1, 3).squeeze()),
    "permute": ("x.permute(2, 0, 1)", torch.rand(2, 1, 3).permute(2, 0, 1)),
}


@pytest.mark.parametrize(("text", "expected"), TURNS.values(), ids=list(TURNS))
def test_t19_dimensions_come_and_go_over_the_same_memory(text: str, expected: torch.Tensor) -> None:
    found = shown(f"x = torch.rand(2, 1, 3)\ny = {text}")
    assert found.facts("y") == facts_of(expected)
    assert found.names["y"]["contiguous"] == expected.is_contiguous()
    assert found.origin("y") == ("view", "x") and found.names["x"]["storage"] == found.names["y"]["storage"]
    order = torch.arange(6).view(2, 1, 3)
    moved = {"x.unsqueeze(0)": order.unsqueeze(0), "x.squeeze()": order.squeeze(), "x.permute(2, 0, 1)": order.permute(2, 0, 1)}[text]
    assert found.links("y") == {"x": [[cell] for cell in moved.flatten().tolist()]}


def test_t20_shape_and_dtype_and_device() -> None:
    found = shown("x = torch.ones(3, 5, device=device)\nx.size()\nx.shape\nx.dtype\nx.device\ny = x.to(device)\nprint(device)")
    texts = {name: found.names[name]["text"] for name in ("x.size()", "x.shape", "x.dtype", "x.device")}
    assert texts == {"x.size()": "torch.Size([3, 5])", "x.shape": "torch.Size([3, 5])", "x.dtype": "torch.float32", "x.device": "device(type='cpu')"}
    assert found.names["x"]["device"] == "cpu"
    assert found.origin("y") == ("same", "x") and found.names["x"]["storage"] == found.names["y"]["storage"]
    assert "the tensor itself" in found.notes("y")
    assert found.document["output"] == "cpu\n"
    assert "device" not in found.names  # it was there already


def test_t20_device_is_the_best_there_is() -> None:
    from playground.tensors.script_task import run_script

    found = run_script({"source": "print(device)\nx = torch.ones(3, 5, device=device)"})
    assert found["error"] is None and found["output"] == f"{device.best().name}\n"
    assert torch.device(found["names"]["x"]["device"]).type == torch.device(device.best().name).type


def test_values_agree_with_numpy_for_arrays_of_both() -> None:
    found = shown("a = np.arange(6).reshape(2, 3)\nb = torch.from_numpy(a.T)")
    array = np.arange(6).reshape(2, 3)
    assert found.facts("b") == ((3, 2), "int64", tuple(stride // array.itemsize for stride in array.T.strides))
    assert found.values("b") == array.T.flatten().tolist()
    assert found.names["a"]["storage"] == found.names["b"]["storage"]
