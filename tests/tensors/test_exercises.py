"""The exercises: every solution passes, every start and many a plausible mistake does not, and no result makes a check raise."""

from __future__ import annotations

import ast
import random
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from playground.errors import UnknownName
from playground.tensors.exercises import EXERCISES, Exercise, exercise
from playground.tensors.exercises.checks import tensor

SEEDS = range(6)

each = pytest.mark.parametrize("task", EXERCISES, ids=lambda task: task.name)

WRONG = [
    ("filled-table", "y = torch.full((columns, rows), value)"),
    ("filled-table", "y = torch.zeros(rows, columns)"),
    ("filled-table", "y = torch.full((rows * columns,), value)"),
    ("filled-table", "y = torch.full((rows, columns), value).long()"),
    ("count-up", "y = torch.arange(last - first + 1)"),
    ("count-up", "y = torch.arange(float(first), last + 1)"),
    ("even-steps", "y = torch.arange(low, high, (high - low) / count)"),
    ("even-steps", "y = torch.linspace(low, high, count + 1)"),
    ("diagonal", "y = value * torch.eye(size)"),
    ("diagonal", "y = torch.eye(size, dtype=torch.int64) + value"),
    ("diagonal", "y = value * torch.eye(size, dtype=torch.int32)"),
    ("one-column", "y = x[:, column : column + 1]"),
    ("one-column", "y = x[:, column - 1]"),
    ("only-positive", "y = x[x < 0]"),
    ("only-positive", "y = x.clamp(min=0)"),
    ("only-positive", "y = x.t()[x.t() > 0]"),
    ("fold-a-line", "y = x.view(columns, -1)"),
    ("fold-a-line", "y = x.view(columns, -1).t()"),
    ("add-a-column", "y = torch.cat([extra.unsqueeze(1), x], dim=1)"),
    ("add-a-column", "y = torch.cat([x, x[:, :1]], dim=1)"),
    ("drop-one-dimension", "y = x.view(-1)"),
    ("drop-one-dimension", "y = x.squeeze(0)"),
    ("column-by-column", "y = x.t()"),
    ("column-by-column", "y = x.flatten().flip(0)"),
    ("table-of-sums", "y = a + b.unsqueeze(1)"),
    ("table-of-sums", "y = a.unsqueeze(1) * b"),
    ("standardise-columns", "y = (x - x.mean()) / x.std()"),
    ("standardise-columns", "y = (x - x.mean(dim=1, keepdim=True)) / x.std(dim=1, keepdim=True)"),
    ("standardise-columns", "y = x - x.mean(dim=0)"),
    ("standardise-columns", "y = (x - x.mean(dim=0)) / x.var(dim=0)"),
    ("standardise-columns", "y = (x - x.mean(dim=0)) / x.std(dim=0)\ny = y.flip(0)"),
    ("filling-glasses", "y = torch.cumsum(pours, dim=1)"),
    ("filling-glasses", "y = torch.cumsum(pours, dim=0).clamp(max=room)"),
    ("filling-glasses", "y = torch.cumsum(pours.clamp(max=room), dim=1)"),
    ("linear-layer", "y = x @ weight.t()"),
    ("linear-layer", "y = (x @ weight.t()).t()"),
    ("every-second-row", "y = x[::2, -2:].clone()"),
    ("every-second-row", "y = x.clone()[::2, -2:]"),
    ("every-second-row", "y = x[::2]"),
    ("every-second-row", "y = x[1::2, -2:]"),
    ("swap-rows", "y = x.clone()\ny[first] = y[second]\ny[second] = y[first]"),
    ("swap-rows", "y = x\nkeep = y[first].clone()\ny[first] = y[second]\ny[second] = keep"),
    ("swap-rows", "keep = x[first].clone()\nx[first] = x[second]\nx[second] = keep\ny = x.clone()"),
    ("swap-rows", "x[first] = x[second]\nx[second] = x[first]\ny = x.clone()"),
    ("numpy-window", "y = array.T"),
    ("numpy-window", "y = torch.from_numpy(array)"),
    ("numpy-window", "y = torch.tensor(array).t()"),
    ("numpy-window", "y = torch.from_numpy(array).t().contiguous()"),
    ("sort-by-key", "y = x[keys.argsort(descending=True)]"),
    ("sort-by-key", "y = x[keys.argsort().argsort()]"),
    ("sort-by-key", "y = x"),
    ("score-of-the-label", "y = scores.gather(1, labels.unsqueeze(1))"),
    ("score-of-the-label", "y = scores.max(dim=1).values"),
    ("accuracy", "y = (scores.argmax(dim=1) == labels).sum()"),
    ("accuracy", "y = (scores.argmax(dim=1) != labels).float().mean()"),
    ("accuracy", "y = 100 * (scores.argmax(dim=1) == labels).float().mean()"),
    ("accuracy", "y = (scores.argmax(dim=1) == labels).float()"),
    ("stable-softmax", "y = x.exp() / x.exp().sum(dim=1, keepdim=True)"),
    ("stable-softmax", "y = torch.softmax(x, dim=0)"),
    ("stable-softmax", "e = (x - x.max()).exp()\ny = e / e.sum(dim=1, keepdim=True)"),
    ("stable-softmax", "y = torch.ones_like(x) / x.shape[1]"),
    ("moving-average", "y = x.unfold(0, width, 1).sum(dim=1)"),
    ("moving-average", "y = x.unfold(0, width, 1).mean(dim=0)"),
    ("moving-average", "y = x.unfold(0, width, width).mean(dim=1)"),
    ("channels-last", "y = images.reshape(images.shape[0], images.shape[2], images.shape[3], 3) / 255\ny = (y - mean) / std"),
    ("channels-last", "y = (images.permute(0, 2, 3, 1) - mean) / std"),
    ("channels-last", "y = images.permute(0, 2, 3, 1) / 255"),
    ("channels-last", "y = (images.permute(0, 3, 2, 1) / 255 - mean) / std"),
    ("no-peeking", "y = torch.where(torch.ones_like(scores).triu() > 0, blank, scores)"),
    ("no-peeking", "y = scores.tril()"),
    ("no-peeking", "y = torch.where(torch.ones_like(scores).tril(diagonal=-1) > 0, blank, scores)"),
    ("distances", "y = (points.unsqueeze(1) - centres).pow(2).sum(dim=2)"),
    ("distances", "y = (points.unsqueeze(1) - centres).abs().sum(dim=2)"),
    ("distances", "y = (centres.unsqueeze(1) - points).pow(2).sum(dim=2).sqrt()"),
    ("cosine-similarity", "y = a @ b.transpose(1, 2)"),
    ("cosine-similarity", "y = (a / a.norm()) @ (b / b.norm()).transpose(1, 2)"),
    ("window-sums", "y = image.unfold(0, size, size).unfold(1, size, size).sum(dim=(2, 3))"),
    ("window-sums", "y = image.unfold(0, size, 1).unfold(1, size, 1).mean(dim=(2, 3))"),
    ("confusion-matrix", "y = F.one_hot(predicted, classes).t() @ F.one_hot(actual, classes)"),
    ("confusion-matrix", "y = torch.zeros(classes, classes, dtype=torch.int64)\ny[actual, predicted] += 1"),
    ("confusion-matrix", "y = (F.one_hot(actual, classes).t() @ F.one_hot(predicted, classes)).float()"),
]

ALSO_RIGHT = [
    ("filled-table", "y = np.full((rows, columns), value)"),
    ("filled-table", "y = torch.zeros(rows, columns)\ny.fill_(value)"),
    ("count-up", "y = np.arange(first, last + 1)"),
    ("even-steps", "y = low + torch.arange(count) * (high - low) / (count - 1)"),
    ("diagonal", "y = torch.zeros(size, size, dtype=torch.long)\nfor i in range(size):\n    y[i, i] = value"),
    ("diagonal", "y = value * np.eye(size, dtype=np.int64)"),
    ("one-column", "y = x.t()[column]"),
    ("one-column", "y = x.numpy()[:, column]"),
    ("only-positive", "y = torch.masked_select(x, x > 0)"),
    ("fold-a-line", "y = x.reshape(x.shape[0] // columns, columns)"),
    ("add-a-column", "y = torch.hstack([x, extra[:, None]])"),
    ("drop-one-dimension", "y = x.reshape(x.shape[0], x.shape[1])"),
    ("column-by-column", "y = x.t().flatten()"),
    ("column-by-column", "y = x.numpy().flatten('F')"),
    ("table-of-sums", "y = torch.empty(a.shape[0], b.shape[0])\nfor i in range(a.shape[0]):\n    y[i] = a[i] + b"),
    ("standardise-columns", "y = (x - x.mean(0)) / x.std(0, correction=0)"),
    ("standardise-columns", "x -= x.mean(dim=0)\nx /= x.std(dim=0) + 1e-8\ny = x"),
    ("filling-glasses", "y = torch.minimum(pours.cumsum(1), torch.tensor(room))"),
    ("linear-layer", "y = F.linear(x, weight, bias)"),
    ("every-second-row", "y = x[:, x.shape[1] - 2 :][::2]"),
    ("every-second-row", "y = x.numpy()[::2, -2:]"),
    ("swap-rows", "y = x.clone()\ny[[first, second]] = y[[second, first]]"),
    ("swap-rows", "y = x.numpy().copy()\ny[first], y[second] = x[second].numpy(), x[first].numpy()"),
    ("numpy-window", "y = torch.from_numpy(array.T)"),
    ("numpy-window", "y = torch.as_tensor(array).permute(1, 0)"),
    ("sort-by-key", "y = x[torch.sort(keys).indices]"),
    ("score-of-the-label", "y = scores[torch.arange(scores.shape[0]), labels]"),
    ("accuracy", "y = (scores.argmax(1) == labels).sum().item() / labels.shape[0]"),
    ("accuracy", "y = np.mean(scores.numpy().argmax(1) == labels.numpy())"),
    ("stable-softmax", "y = torch.softmax(x, dim=1)"),
    ("moving-average", "y = torch.zeros(x.shape[0] - width + 1)\nfor i in range(width):\n    y += x[i : i + y.shape[0]] / width"),
    ("channels-last", "y = ((images.float() / 255 - mean.view(3, 1, 1)) / std.view(3, 1, 1)).permute(0, 2, 3, 1)"),
    ("no-peeking", "y = scores.masked_fill(torch.ones_like(scores, dtype=torch.bool).triu(1), blank)"),
    ("no-peeking", "for i in range(scores.shape[0]):\n    scores[i, i + 1 :] = blank\ny = scores"),
    ("distances", "y = torch.cdist(points, centres)"),
    ("cosine-similarity", "y = F.cosine_similarity(a[:, :, None], b[:, None], dim=-1)"),
    ("window-sums", "y = F.conv2d(image[None, None], torch.ones(1, 1, size, size))[0, 0]"),
    ("confusion-matrix", "y = torch.zeros(classes, classes, dtype=torch.int64)\nfor i in range(actual.shape[0]):\n    y[actual[i], predicted[i]] += 1"),
]

ODD: dict[str, Any] = {
    "none": None,
    "ellipsis": ...,
    "bool": True,
    "int": -1234567,
    "float": 2.5e7,
    "huge int": 10**400,
    "complex number": 1j,
    "nan": float("nan"),
    "text": "x",
    "list": [],
    "numbers": [1.0, 2.0],
    "tuple": (),
    "dict": {},
    "type": torch.Tensor,
    "dtype": torch.float32,
    "size": torch.Size([2, 3]),
    "empty": torch.zeros(0),
    "no rows": torch.zeros(0, 3),
    "five dimensions": torch.zeros(1, 2, 1, 2, 1),
    "sparse": torch.eye(3).to_sparse(),
    "meta": torch.zeros(2, 3, device="meta"),
    "complex": torch.zeros(2, 3, dtype=torch.complex64),
    "array": np.zeros((9, 9)),
    "objects": np.array([None, "x"]),
    "texts": np.array(["a", "b"]),
    "dates": np.array(["2024-01-01"], dtype="datetime64[D]"),
    "big-endian": np.zeros((2, 3), dtype=">f4"),
    "long double": np.zeros((2, 3), dtype=np.longdouble),
    "backwards": np.zeros((3, 2))[::-1],
    "read-only": np.broadcast_to(np.zeros(3), (2, 3)),
    "numpy number": np.float32(-9e9),
    "numpy text": np.str_("x"),
}
"""Nothing that any exercise wants."""


def drawn(task: Exercise, seed: int) -> dict[str, Any]:
    return task.make_inputs(torch.Generator().manual_seed(seed))


def names_after(given: dict[str, Any], code: str) -> dict[str, Any]:
    names = {"torch": torch, "np": np, "F": F, "device": torch.device("cpu"), **given}
    exec(code, names)  # noqa: S102 (code from this repository, in a test)
    return names


def answer(task: Exercise, code: str, seed: int) -> str:
    """What the check says to a program, as a page would ask it."""
    given = drawn(task, seed)
    kept = task.copy_inputs(given)
    return task.check(kept, names_after(given, code)[task.result_name])


def assert_sentence(text: str, case: str = "") -> None:
    assert text, case
    assert text.endswith(".") and "\n" not in text and (text[0].isupper() or text[0] == "`"), text
    assert "{" not in text and text.count("`") % 2 == 0, text


def test_there_are_enough_and_they_rise() -> None:
    assert len(EXERCISES) == 28
    assert len({task.name for task in EXERCISES}) == len({task.title for task in EXERCISES}) == len(EXERCISES)
    levels = [task.level for task in EXERCISES]
    assert levels == sorted(levels)
    assert set(levels) == {1, 2, 3, 4, 5}


def test_they_are_found_by_name() -> None:
    assert exercise("accuracy").title == "Accuracy"
    with pytest.raises(UnknownName, match=r"no exercise called “nothing”.*stable-softmax"):
        exercise("nothing")


@each
def test_its_texts_are_whole_sentences(task: Exercise) -> None:
    assert task.name == task.name.lower().strip("-") and " " not in task.name
    for text in (task.statement, *task.hints):
        assert text[-1] in ".?" and (text[0].isupper() or text[0] == "`"), text
        assert text.count("`") % 2 == 0
    assert 2 <= len(task.hints) <= 3
    for name in [*drawn(task, 0), task.result_name]:
        assert f"`{name}" in task.statement, "the statement says what every name is for"
    assert task.solution not in task.statement


@each
def test_solution_passes(task: Exercise) -> None:
    assert [answer(task, task.solution, seed) for seed in SEEDS] == [""] * len(SEEDS)


@each
def test_start_is_python_and_does_not_pass(task: Exercise) -> None:
    assert f"{task.result_name} = " in task.start
    ast.parse(task.start)
    for seed in SEEDS:
        try:
            text = answer(task, task.start, seed)
        except (RuntimeError, IndexError, TypeError):  # what PyTorch itself says is then what the learner reads
            continue
        assert_sentence(text)


@each
def test_solution_keeps_to_the_small_language(task: Exercise) -> None:
    forbidden = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.Lambda, ast.ListComp, ast.GeneratorExp, ast.While, ast.With, ast.Try)
    tree = ast.parse(task.solution)
    assert [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, forbidden)] == []
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    written = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    assert read - written <= {"torch", "np", "F", "device", *drawn(task, 0)}


@each
def test_inputs_are_fresh_and_come_from_the_generator_alone(task: Exercise) -> None:
    assert len({repr(drawn(task, seed)) for seed in SEEDS}) > 1
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    once = repr(drawn(task, 3))
    random.seed(2), np.random.seed(2), torch.manual_seed(2)
    assert repr(drawn(task, 3)) == once


@pytest.mark.parametrize(("name", "code"), WRONG)
def test_mistakes_are_refused(name: str, code: str) -> None:
    for seed in SEEDS:
        assert_sentence(answer(exercise(name), code, seed))


@pytest.mark.parametrize(("name", "code"), ALSO_RIGHT)
def test_other_ways_are_right_too(name: str, code: str) -> None:
    assert [answer(exercise(name), code, seed) for seed in SEEDS] == [""] * len(SEEDS)


def test_every_exercise_knows_mistakes_and_other_ways() -> None:
    assert {name for name, _ in WRONG} == {name for name, _ in ALSO_RIGHT} == {task.name for task in EXERCISES}


@each
def test_odd_results_get_a_sentence(task: Exercise) -> None:
    for name, odd in ODD.items():
        assert_sentence(task.check(task.copy_inputs(drawn(task, 0)), odd), name)


@each
@pytest.mark.parametrize(
    "odd", ["nan", "inf", "bool", "complex", "float8", "uint16", "other kind", "one more", "one less", "flat", "with a batch", "off by one"]
)
def test_spoilt_solutions_get_a_sentence(task: Exercise, odd: str) -> None:
    given = drawn(task, 0)
    kept = task.copy_inputs(given)
    right = torch.as_tensor(names_after(given, task.solution)[task.result_name])
    spoilt = {
        "nan": lambda: torch.full(right.shape, float("nan")),
        "inf": lambda: torch.full(right.shape, float("inf"), dtype=torch.float64),
        "bool": lambda: right > 0,
        "complex": lambda: right.to(torch.complex64),
        "float8": lambda: (right + 1).to(torch.float8_e4m3fn),
        "uint16": lambda: (right.abs() + 1).to(torch.uint16),
        "other kind": lambda: right.long() if right.is_floating_point() else right.float(),
        "one more": lambda: torch.stack([right, right]),
        "one less": lambda: right.sum(dim=0) if right.dim() else torch.zeros(0),
        "flat": lambda: right.reshape(-1, 1),
        "with a batch": lambda: right.unsqueeze(0),
        "off by one": lambda: right + 1,
    }
    assert_sentence(task.check(kept, spoilt[odd]()))


@each
def test_results_of_autograd_and_of_other_precision_are_accepted(task: Exercise) -> None:
    given = drawn(task, 0)
    kept = task.copy_inputs(given)
    right = names_after(given, task.solution)[task.result_name]
    if right.is_floating_point():
        assert task.check(kept, right.requires_grad_()) == ""
    if not task.about_memory and task.name != "diagonal":
        assert task.check(kept, right.double() if right.is_floating_point() else right.int()) == ""


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("filled-table", "y = ...", "`y` is still `...`. Replace it by your expression."),
        ("filled-table", "y = None", "`y` is None. It should be a tensor."),
        ("filled-table", "y = [[1]]", "`y` is of type list. It should be a tensor."),
        ("only-positive", "y = x > 0", "`y` has dtype torch.bool. It should have a floating-point dtype."),
        ("diagonal", "y = torch.eye(size)", "`y` has dtype torch.float32. It should have dtype torch.int64."),
        ("stable-softmax", "y = x.exp() / x.exp().sum()", "`y` contains NaN (“not a number”), the result of 0 / 0 or infinity / infinity."),
        ("every-second-row", "y = x[::2, -2:] + 0", "`y` is a copy. It should be a view that shares the memory of `x`."),
        ("swap-rows", "y = x", "`y` shares the memory of `x`, so writing to one changes the other. It should be a copy."),
        (
            "confusion-matrix",
            "y = F.one_hot(predicted, classes).t() @ F.one_hot(actual, classes)",
            "The counts in `y` are correct, but rows should stand for the actual class and columns for the predicted one.",
        ),
    ],
)
def test_each_failed_check_names_the_property(name: str, code: str, message: str) -> None:
    assert answer(exercise(name), code, 0) == message


def test_shapes_and_places_are_named() -> None:
    task = exercise("fold-a-line")
    given = {"x": torch.arange(12.0), "columns": 4}
    assert task.check(given, torch.zeros(4, 3)) == "`y` has shape (4, 3). It should have shape (3, 4)."
    assert task.check(given, 3) == "`y` is a single number. It should be a tensor of shape (3, 4)."
    y = torch.arange(12.0).view(3, 4)
    y[1, 2] = y[2, 0] = 0.5
    assert task.check(given, y) == "The shape of `y` is correct, but 2 of 12 values are not, first `y[1, 2]` = 0.5."


def test_the_check_uses_the_inputs_before_in_place_changes() -> None:
    assert answer(exercise("linear-layer"), "x.zero_()\nweight.zero_()\nbias.zero_()\ny = x @ weight.t() + bias", 0)
    assert answer(exercise("every-second-row"), "y = x[::2, -2:]\nx.resize_(1)", 0) == ""
    assert answer(exercise("swap-rows"), "x.t_()\ny = x.clone()", 0)


def test_copied_inputs_share_memory_only_for_exercises_about_memory() -> None:
    for task in EXERCISES:
        given = drawn(task, 0)
        kept = task.copy_inputs(given)
        assert kept.keys() == given.keys()
        for name, value in given.items():
            if isinstance(value, torch.Tensor):
                assert (kept[name].data_ptr() == value.data_ptr()) == task.about_memory
            assert kept[name] is not value or not isinstance(value, torch.Tensor | np.ndarray)


def test_special_tensors_are_named_as_such() -> None:
    assert tensor("y", torch.eye(2).to_sparse()) == tensor("y", torch.zeros(2, device="meta"))
    assert "special kind" in tensor("y", torch.eye(2).to_sparse())
    assert "dtype object" in tensor("y", np.array([None]))
