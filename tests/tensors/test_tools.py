"""The small tools of the Tensors page: links, the form that makes a tensor, the reference, the race, and the check of answers."""

from __future__ import annotations

import base64
import contextlib
import re
import string
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import ConfigError, PlaygroundError, UnknownName
from playground.tensors import device_benchmark, link
from playground.tensors.examples import EXAMPLES
from playground.tensors.exercises import EXERCISES, Exercise, exercise
from playground.tensors.exercises.grading import check_exercise, feedback
from playground.tensors.help import reference
from playground.tensors.help.creation import DTYPES, KINDS, creation_source
from playground.tensors.language import allowed, calls, interpreter

from ..support.tiers import repetitions

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=400)


@settings(max_examples=repetitions(200))
@given(texts)
def test_a_link_gives_the_script_back(source: str) -> None:
    packed = link.pack(source)
    assert set(packed) <= set(string.ascii_letters + string.digits + "-_")
    assert link.unpack(packed) == source


@pytest.mark.parametrize("source", [example.source for example in EXAMPLES], ids=[example.name for example in EXAMPLES])
def test_examples_fit_into_a_link(source: str) -> None:
    assert link.unpack(link.pack(source)) == source and len(link.pack(source)) < 1000


def random_text(length: int) -> str:
    return "".join(chr(33 + int(number)) for number in torch.randint(0, 90, (length,), generator=torch.Generator().manual_seed(0)))


def test_a_script_that_is_too_long_has_no_link() -> None:
    with pytest.raises(PlaygroundError, match="too long for a link"):
        link.pack(random_text(8000))


LONG = {"letters": "a" * link.MAX_SCRIPT, "letters of two bytes": "é" * link.MAX_SCRIPT, "letters of four bytes": "😀" * link.MAX_SCRIPT}


@pytest.mark.parametrize("source", LONG.values(), ids=list(LONG))
def test_the_longest_script_comes_back(source: str) -> None:
    assert link.unpack(link.pack(source)) == source


@pytest.mark.parametrize("length", [link.MAX_SCRIPT + 1, 10**6])
def test_no_link_is_made_that_cannot_be_read(length: int) -> None:
    try:
        packed = link.pack("x" * length)
    except PlaygroundError:
        return
    assert link.unpack(packed) == "x" * length


def packed_bytes(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


WHOLE = link.pack("x = torch.ones(2, 3)\nprint(x)\n")
GARBAGE = {
    "nothing": "",
    "a letter": "a",
    "words": "not a script at all",
    "other letters": "日本",
    "cut": WHOLE[:-6],
    "cut in half": WHOLE[: len(WHOLE) // 2],
    "changed": WHOLE[:10] + ("A" if WHOLE[10] != "A" else "B") + WHOLE[11:],
    "no zlib": packed_bytes(b"x = 1"),
    "gzip": packed_bytes(b"\x1f\x8b\x08\x00"),
    "not UTF-8": packed_bytes(zlib.compress(b"\xff\xfe\xff")),
    "a bomb": packed_bytes(zlib.compress(b"x" * 10**8, 9)),
    "a small bomb": packed_bytes(zlib.compress(b"x" * (4 * link.MAX_SCRIPT + 2), 9)),
    "no Python text": packed_bytes(zlib.compress("x\ud800".encode("utf-8", "surrogatepass"))),
}


@pytest.mark.parametrize("packed", GARBAGE.values(), ids=list(GARBAGE))
def test_what_is_no_link_is_refused(packed: str) -> None:
    with pytest.raises(PlaygroundError, match="cannot be read"):
        link.unpack(packed)


@settings(max_examples=repetitions(200))
@given(st.text(max_size=60) | st.binary(max_size=60).map(packed_bytes))
def test_garbage_is_refused_and_never_a_bug(packed: str) -> None:
    with contextlib.suppress(PlaygroundError):
        assert isinstance(link.unpack(packed), str)


def test_a_script_with_half_a_letter_has_no_link() -> None:
    with pytest.raises(PlaygroundError):
        link.pack("x = '\ud800'")


SHAPES = {"": (), "3": (3,), "3, 4": (3, 4), "(2, 3, 4)": (2, 3, 4), "[2,2]": (2, 2), "1": (1,), "0": (0,), "2, 0": (2, 0), "5,": (5,), " 2 , 3 ": (2, 3)}


def made(name: str, kind: str, shape: str, dtype: str, fill: float = 1.5, seed: int | None = None) -> torch.Tensor:
    """What the form's code makes of it."""
    source = creation_source(name, kind, shape, dtype, fill, seed)
    compile(source, "form", "exec")
    execution = interpreter.run(source)
    assert execution.error is None, f"{source}: {execution.error}"
    assert list(execution.names) == [name]
    found = execution.names[name]
    assert isinstance(found, torch.Tensor)
    return found


@pytest.mark.parametrize("dtype", ["default", *DTYPES])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "eye"])
def test_every_choice_of_the_form_makes_its_tensor(kind: str, dtype: str) -> None:
    """What PyTorch cannot make is refused by the form, in its own words."""
    for shape, expected in SHAPES.items():
        try:
            creation_source("x", kind, shape, dtype, 1.5, None)
        except ConfigError:
            whole = dtype in ("int64", "int32", "uint8", "bool")
            assert (kind in ("rand", "randn") and whole) or (kind in ("randint", "arange") and dtype == "bool")
            continue
        x = made("x", kind, shape, dtype)
        assert tuple(x.shape) == expected or (kind, shape) == ("arange", "")  # a range has a dimension
        assert dtype == "default" or x.dtype == getattr(torch, dtype)


@pytest.mark.parametrize("dtype", ["default", *DTYPES])
@pytest.mark.parametrize(("shape", "expected"), [("3", (3, 3)), ("3, 4", (3, 4)), ("0", (0, 0))])
def test_eye_makes_a_square_or_a_grid(shape: str, expected: tuple[int, int], dtype: str) -> None:
    x = made("x", "eye", shape, dtype)
    assert tuple(x.shape) == expected and torch.equal(x, torch.eye(*expected, dtype=x.dtype))


def test_values_of_the_form() -> None:
    assert made("n", "zeros", "2, 2", "default").tolist() == [[0, 0], [0, 0]]
    assert made("n", "ones", "2", "int32").tolist() == [1, 1]
    assert made("n", "arange", "2, 3", "default").tolist() == [[0, 1, 2], [3, 4, 5]]
    assert set(made("n", "randint", "100", "default").tolist()) <= set(range(10))
    assert made("n", "full", "2", "bool").tolist() == [True, True]


@pytest.mark.parametrize("fill", [0.0, 1.0, -2.5, 0.1, 3.14159265, 1234567.0, 123456789.0, 1e20, -1e-9], ids=str)
def test_full_is_filled_with_what_was_asked(fill: float) -> None:
    assert made("x", "full", "2", "float64", fill).tolist() == [fill, fill]


@pytest.mark.parametrize("fill", [float("nan"), float("inf"), -float("inf")], ids=str)
def test_full_of_no_number_runs_or_is_refused(fill: float) -> None:
    try:
        creation_source("x", "full", "2", "float64", fill, None)
    except ConfigError:
        return
    assert torch.equal(made("x", "full", "2", "float64", fill), torch.full((2,), fill, dtype=torch.float64)) or fill != fill


def test_a_seed_gives_the_same_numbers() -> None:
    x, y = made("x", "rand", "3", "default", seed=5), made("x", "rand", "3", "default", seed=5)
    assert torch.equal(x, y) and torch.equal(x, torch.rand(3, generator=torch.Generator().manual_seed(5)))
    assert not torch.equal(made("x", "rand", "3", "default"), x)


@pytest.mark.parametrize("name", ["x", "größe", "_", "a1", "日本"])
def test_names_that_can_be_used(name: str) -> None:
    assert made(name, "zeros", "2", "default").shape == (2,)


@pytest.mark.parametrize("name", ["", " ", "1x", "a b", "x;y", "x=1", "a.b", "x\n", "__x", "for", "None", "True", "lambda", "import", "x[0]"])
def test_names_that_cannot_be_used(name: str) -> None:
    with pytest.raises(ConfigError, match="is not a valid name"):
        creation_source(name, "zeros", "2", "default", 0, None)


@pytest.mark.parametrize("shape", ["a", "-1", "3.5", "3; 4", "3 4", "x, 2", "2**9", "3,-4", "1e3", "٣", "²", "03", "3)**9", "__import__"])
def test_shapes_that_cannot_be_used(shape: str) -> None:
    with pytest.raises(ConfigError, match="is not a shape"):
        creation_source("x", "zeros", shape, "default", 0, None)


def test_every_problem_of_the_form_is_reported() -> None:
    with pytest.raises(ConfigError) as refused:
        creation_source("1x", "zeros", "a", "default", 0, None)
    assert len(refused.value.problems) == 2


@pytest.fixture(scope="module")
def entries() -> list[reference.Help]:
    return reference.entries()


def test_every_allowed_name_has_an_entry(entries: list[reference.Help]) -> None:
    names = [entry.name for entry in entries]
    assert len(set(names)) == len(names)
    wanted = {full.replace("torch.nn.functional", "F") for full in calls.functions()}
    wanted |= {f".{name}" for name in calls.methods()["Tensor"]} | {f"array.{name}" for name in calls.methods()["ndarray"]} | set(allowed.BUILTINS.split())
    assert set(names) == wanted
    assert {"torch.arange", "torch.linalg.norm", "F.relu", "np.add", ".view", "array.reshape", "print"} <= set(names)


def test_most_entries_have_a_summary(entries: list[reference.Help]) -> None:
    assert sum(bool(entry.summary) for entry in entries) > 0.8 * len(entries)
    assert sum(bool(entry.signature) for entry in entries) > 0.6 * len(entries)
    assert all(len(entry.summary) <= reference.MAX_SUMMARY + 1 for entry in entries)
    assert all(entry.group for entry in entries)


MARKS = {
    "roles": r":\w+:`",
    "double backticks": "``",
    "backticks": "`",
    "directives": r"\.\. \w+::",
    "escapes": r"\\",
    "formulas": r"\bfrac\{|leftlceil|texttt|\{\{|\}\}|[_^]\{",
    "separators": r"^-+\.?$",
    "line breaks": r"\n",
}


@pytest.mark.parametrize("pattern", MARKS.values(), ids=list(MARKS))
def test_no_marks_of_restructured_text_are_left(entries: list[reference.Help], pattern: str) -> None:
    assert [(entry.name, entry.signature, entry.summary) for entry in entries if re.search(pattern, entry.summary) or re.search(pattern, entry.signature)] == []


@pytest.mark.parametrize(
    ("name", "words"),
    [("torch.zeros", "scalar value 0"), (".view", "different shape"), (".add", ""), ("F.relu", "rectified linear"), ("np.add", "Add arguments"), (".t", "")],
)
def test_summaries_are_the_librarys_own(entries: list[reference.Help], name: str, words: str) -> None:
    (entry,) = (entry for entry in entries if entry.name == name)
    assert entry.summary and words in entry.summary


def test_the_signatures_are_those_of_the_functions(entries: list[reference.Help]) -> None:
    by_name = {entry.name: entry.signature for entry in entries}
    assert by_name["torch.matmul"].startswith("matmul(input, other") and "->" not in by_name["torch.matmul"]


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_the_device_benchmark_times_each_device_and_size(threads: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_benchmark, "SIZES", (2, 4, 8))
    monkeypatch.setattr(device_benchmark, "REPEATS", 3)
    found = device_benchmark.compare_devices({})
    assert len(found["devices"]) == 2 and all(isinstance(title, str) and title for title in found["devices"])
    assert [row["size"] for row in found["rows"]] == [2, 4, 8]
    assert all(len(row["seconds"]) == 2 and all(seconds > 0 for seconds in row["seconds"]) for row in found["rows"])


@pytest.mark.parametrize("cores", [1, 2])
def test_without_an_accelerator_threads_are_compared(threads: None, monkeypatch: pytest.MonkeyPatch, cores: int) -> None:
    from playground import device

    monkeypatch.setattr(device_benchmark, "SIZES", (2,))
    monkeypatch.setattr(device_benchmark.environment, "cores", lambda: cores)
    monkeypatch.setattr(device_benchmark.device, "best", lambda: device.get("cpu"))
    found = device_benchmark.compare_devices({})
    assert len(found["rows"][0]["seconds"]) == len(found["devices"])
    assert "1 threads" not in found["devices"] and len(set(found["devices"])) == len(found["devices"])


each = pytest.mark.parametrize("task", EXERCISES, ids=lambda task: task.name)


@each
def test_the_solution_is_right(task: Exercise) -> None:
    assert feedback(task, task.solution) == ""


@each
def test_the_start_is_not_right(task: Exercise) -> None:
    assert feedback(task, task.start)


@each
def test_an_answer_that_fails_says_why(task: Exercise) -> None:
    assert "nowhere" in feedback(task, f"{task.result_name} = nowhere + 1")


@each
def test_an_answer_of_the_wrong_kind_is_reported(task: Exercise) -> None:
    for wrong in ("None", "'text'", "[1, 2]", "torch.zeros(0)", "np.zeros((7, 7, 7))", "float('nan')", "2 + 3j"):
        said = feedback(task, f"{task.result_name} = {wrong}")
        assert said and said.strip() == said


def test_a_lucky_constant_is_not_right() -> None:
    """Fresh inputs each round: an answer that is right once is not right."""
    task = exercise("filled-table")
    given_once = task.make_inputs(torch.Generator().manual_seed(1000))
    constants = "\n".join(f"{name} = {value}" for name, value in given_once.items() if isinstance(value, (int, float)))
    assert feedback(task, f"{constants}\n{task.solution}")


def asked(task: Exercise, source: str) -> dict[str, Any]:
    return check_exercise({"exercise": task.name, "source": source})


def test_trying_an_exercise_reports_and_judges() -> None:
    task = EXERCISES[0]
    right, wrong, failing = (asked(task, source) for source in (task.solution, f"{task.result_name} = 0", f"{task.result_name} = nowhere"))
    assert (right["correct"], right["feedback"], right["error"]) == (True, "", None)
    assert wrong["correct"] is False and wrong["feedback"] and wrong["error"] is None
    assert (failing["correct"], failing["feedback"]) == (False, "") and "nowhere" in failing["error"]["message"]
    assert task.result_name in right["names"] and set(task.make_inputs(torch.Generator())) <= set(right["names"])


@pytest.mark.parametrize("task", EXERCISES, ids=lambda task: task.name)
def test_the_target_is_the_result_of_the_first_inputs_as_they_were_before_the_script(task: Exercise) -> None:
    target = asked(task, f"{task.solution}\n" + "".join(f"{name} = 0\n" for name in task.make_inputs(torch.Generator()) if name != task.result_name))["target"]
    inputs = task.make_inputs(torch.Generator().manual_seed(1000))
    tensors = {name: value for name, value in inputs.items() if hasattr(value, "shape")}
    assert target["numbers"] == {name: value for name, value in inputs.items() if name not in tensors}
    assert {name: tile["shape"] for name, tile in target["tensors"].items()} == {name: list(value.shape) for name, value in tensors.items()}
    right = asked(task, task.solution)
    shown = right["tiles"][right["names"][task.result_name]["tile"]]
    assert (target["result"]["shape"], target["result"]["values"]) == (shown["shape"], shown["values"])


def test_an_exercise_that_does_not_exist() -> None:
    with pytest.raises(UnknownName):
        check_exercise({"exercise": "nothing", "source": ""})


def test_an_answer_is_the_same_each_time() -> None:
    task = EXERCISES[0]
    one, other = asked(task, task.solution), asked(task, task.solution)
    assert [tile["values"] for tile in one["tiles"]] == [tile["values"] for tile in other["tiles"]]
