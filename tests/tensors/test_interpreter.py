"""The language of the scripts: what runs, what is refused, and what is said about it."""

from __future__ import annotations

import ast
import dataclasses
import weakref
from typing import Any

import numpy as np
import pytest
import torch

from playground.tensors.language import interpreter, sizing
from playground.tensors.language.bounds import MIB, Bounds
from playground.tensors.language.calls import Call
from playground.tensors.language.errors import BoundsExceeded, OperationFailed, Refused, ScriptError
from playground.tensors.language.interpreter import Execution, run


def given() -> dict[str, Any]:
    return {"x": torch.arange(6.0).view(2, 3), "a": np.arange(3.0), "n": 3, "words": ["a", "b"]}


def ran(source: str, bounds: Bounds | None = None) -> Execution:
    execution = run(source, given(), bounds)
    assert execution.error is None, f"{execution.error} of {source!r}"
    return execution


def failed(source: str, bounds: Bounds | None = None) -> ScriptError:
    error = run(source, given(), bounds).error
    assert error is not None, f"nothing went wrong in {source!r}"
    return error


def plain(value: Any) -> Any:
    """Numbers, texts and lists only, so that `==` compares them."""
    if isinstance(value, torch.Tensor | np.ndarray | np.generic):
        return value.tolist()
    return type(value)(map(plain, value)) if type(value) in (list, tuple) else value


PROGRAMS = [
    # Assignment
    ("r = 1", 1),
    ("q = r = [1]\nq.append(2)", [1, 2]),
    ("p, r = 1, 2", 2),
    ("p, *r = range(4)", [1, 2, 3]),
    ("*r, q = (1, 2, 3)", [1, 2]),
    ("p, *r, q = 1, 2", []),
    ("(p, q), r = (1, 2), 3\nr = p + q + r", 6),
    ("[p, r] = x", [3.0, 4.0, 5.0]),
    ("p, *r = 'abc'", ["b", "c"]),
    ("p, q = 1, 2\np, q = q, p\nr = (p, q)", (2, 1)),
    ("values, places = x.max(dim=1)\nr = places", [2, 2]),
    ("r = [1, 2, 3]\nr[0] = 9", [9, 2, 3]),
    ("r = [1, 2]\nr[1] += 5", [1, 7]),
    ("r = [*range(3), *words]", [0, 1, 2, "a", "b"]),
    ("r = max(*[1, 5, 2])", 5),
    ("r = x.clone()\nr[0, 1:] = 9", [[0.0, 9.0, 9.0], [3.0, 4.0, 5.0]]),
    # In place or new
    ("y = x\ny += 1\nr = x", [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
    ("y = x\ny = y + 1\nr = x", [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]),
    ("y = x[0]\ny *= 2\nr = x", [[0.0, 2.0, 4.0], [3.0, 4.0, 5.0]]),
    ("x[0] += 1\nr = x", [[1.0, 2.0, 3.0], [3.0, 4.0, 5.0]]),
    ("b = a\nb -= 1\nr = a", [-1.0, 0.0, 1.0]),
    ("p = 1\nq = p\nq += 1\nr = p", 1),
    ("q = (1,)\nr = q\nr += (2,)\nr = q", (1,)),
    ("r = [1]\nr += [2]", [1, 2]),
    # Conditions
    ("if n > 2:\n    r = 'large'\nelif n > 1:\n    r = 'middle'\nelse:\n    r = 'small'", "large"),
    ("if n > 5:\n    r = 'large'\nelif n > 1:\n    r = 'middle'\nelse:\n    r = 'small'", "middle"),
    ("if n > 5:\n    r = 'large'\nelif x[0, 0] > 1:\n    r = 'middle'\nelse:\n    r = 'small'", "small"),
    ("r = 1 < n < 5", True),
    ("r = 1 < n < 3 < 1 / 0", False),
    ("r = 0 <= x[0, 1] < 2", True),
    ("r = 0 and 1 / 0", 0),
    ("r = 0 or [] or 'last'", "last"),
    ("r = n and words", ["a", "b"]),
    ("r = not words", False),
    ("r = not x[0, 0]", True),
    ("r = 'yes' if x.sum() > 3 else 1 / 0", "yes"),
    ("r = 2 in [1, 2] and 3 not in (1, 2)", True),
    ("r = x is x and x is not a and None is None", True),
    ("r = [1, 2] == [1, 2]", True),
    # Loops
    ("r = 0\nfor i in range(5):\n    r += i", 10),
    ("r = []\nfor row in x:\n    r.append(row.sum().item())", [3.0, 12.0]),
    ("r = []\nfor value in a:\n    r.append(float(value))", [0.0, 1.0, 2.0]),
    ("r = []\nfor i, (p, q) in enumerate(zip(words, range(9))):\n    r.append((i, p, q))", [(0, "a", 0), (1, "b", 1)]),
    ("r = ''\nfor letter in 'abc':\n    r = letter + r", "cba"),
    ("r = []\nfor i in range(3):\n    for j in range(i):\n        r.append((i, j))", [(1, 0), (2, 0), (2, 1)]),
    ("r = 0\nfor i in range(10):\n    if i == 2:\n        continue\n    if i == 5:\n        break\n    r += i", 8),
    ("r = 0\nfor i in range(3):\n    for j in range(9):\n        if j == i:\n            break\n        r += 1", 3),
    ("r = 1\nwhile r < 100:\n    r *= 2", 128),
    ("r = 0\nwhile True:\n    r += 1\n    if r % 2:\n        continue\n    if r > 6:\n        break", 8),
    ("y = torch.tensor(5)\nr = 0\nwhile y > 0:\n    y -= 1\n    r += 1", 5),
    ("for i in range(0):\n    r = 1\nr = 2", 2),
    ("for r in range(3):\n    pass", 2),
    ("r = []\nfor i in reversed(range(3)):\n    r.append(i)", [2, 1, 0]),
    # Comprehensions
    ("r = [i * i for i in range(4) if i % 2]", [1, 9]),
    ("r = [(i, j) for i in range(2) for j in range(2) if i != j]", [(0, 1), (1, 0)]),
    ("r = torch.stack([row * 2 for row in x])", [[0.0, 2.0, 4.0], [6.0, 8.0, 10.0]]),
    ("r = sum(i for i in range(4))", 6),
    ("i = 7\nq = [i for i in range(3)]\nr = i", 7),
    ("r = [[j for j in range(i)] for i in range(3)]", [[], [0], [0, 1]]),
    # Texts
    ("r = f'{n} {n:>3} {n / 7:.2f} {words!r} {x[0, 1]:.1f} {{}}'", "3   3 0.43 ['a', 'b'] 1.0 {}"),
    ("r = f'{n:{n}d}|{n=}'", "  3|n=3"),
    ("r = '{} {} {}'.format(1, 'b', 2.5)", "1 b 2.5"),
    ("r = '{1} {0} {k:.1f}'.format(1, 2, k=3)", "2 1 3.0"),
    ("r = '%d %s %.2f%%' % (n, 'a', 0.5)", "3 a 0.50%"),
    ("r = '-'.join(words) + 'Z' * 2", "a-bZZ"),
    ("r = ' Ab '.strip().lower().upper().split('B')", ["A", ""]),
    ("r = str(x.shape)", "torch.Size([2, 3])"),
    ("r = repr('a')", "'a'"),
    # Python's own functions
    ("r = (abs(-2), round(2.567, 1), divmod(7, 2), pow(2, 3), min(3, 1), max([1, 4]))", (2, 2.6, (3, 1), 8, 1, 4)),
    ("r = (len(x), len(words), int(x[0, 1]), float(x[1, 0]), bool(x[0, 0]), abs(x - 3)[0, 0])", (2, 2, 1, 3.0, False, 3.0)),
    ("r = (sorted([3, 1, 2]), sorted([3, 1, 2], reverse=True), list(reversed([1, 2])))", ([1, 2, 3], [3, 2, 1], [2, 1])),
    ("r = (list(x[0]), tuple(range(2)), all([1, 0]), any([1, 0]))", ([0.0, 1.0, 2.0], (0, 1), False, True)),
    ("r = (isinstance(x, torch.Tensor), isinstance(n, (float, str)), isinstance(a, np.ndarray))", (True, False, True)),
    ("r = x[slice(0, 1), slice(None, None, 2)]", [[0.0, 2.0]]),
    ("r = sum(x)", [3.0, 5.0, 7.0]),
    ("r = complex(1, 2).imag", 2.0),
    # Contexts, autograd, the rest
    ("with torch.no_grad():\n    y = x.requires_grad_() * 2\nr = y.requires_grad", False),
    ("with torch.no_grad(), torch.enable_grad():\n    y = x.requires_grad_() * 2\nr = y.requires_grad", True),
    ("x.requires_grad = True\n(x * x).sum().backward()\nr = x.grad", [[0.0, 2.0, 4.0], [6.0, 8.0, 10.0]]),
    ("x.requires_grad_()\nx.sum().backward()\nx.grad = None\nr = x.grad", None),
    ("import torch\nimport numpy as np\nimport torch.nn.functional as F\nfrom torch import nn\nfrom torch.nn import functional as F\nr = 1", 1),
    ("assert n == 3, 'no'\nassert x.any()\nr = 'here'", "here"),
    ("if True:\n    pass\nr = ...", ...),
    ("r = x.T.shape[0], x.dtype == torch.float32, x.dim()", (3, True, 2)),
    ("r = F.relu(torch.tensor([-1.0, 1.0])) + nn.functional.relu(torch.tensor([-1.0, 1.0]))", [0.0, 2.0]),
    ("torch = 5\nr = torch + 1", 6),
    ("sum = 4\nr = sum", 4),
    ("r = torch.linalg.norm(torch.tensor([3.0, 4.0]))", 5.0),
    ("r = 7 // 2 + 7 % 4 - 2 ** 3 * (1 << 2) | 3 & 5 ^ 1", (7 // 2 + 7 % 4 - 2**3 * (1 << 2)) | ((3 & 5) ^ 1)),
    ("r = -n + +n + ~n", -4),
    ("r = x @ x.T @ torch.eye(2)", [[5.0, 14.0], [14.0, 50.0]]),
    ("r = torch.max(x, dim=1).values", [2.0, 5.0]),
]


@pytest.mark.parametrize(("source", "wanted"), PROGRAMS, ids=[source.replace("\n", "; ") for source, _ in PROGRAMS])
def test_programs_leave_what_they_leave_in_python(source: str, wanted: Any) -> None:
    assert plain(ran(source).names["r"]) == wanted


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("print(1, 'a', [2])", "1 a [2]\n"),
        ("print()", "\n"),
        ("print(1, 2, sep='-', end='!')\nprint(3)", "1-2!3\n"),
        ("for i in range(3):\n    print(i, end=' ')", "0 1 2 "),
        ("print(x)", "tensor([[0., 1., 2.],\n        [3., 4., 5.]])\n"),
        ("print(x.shape, x.dtype)", "torch.Size([2, 3]) torch.float32\n"),
        ("print(*words)", "a b\n"),
        ("print(a)", "[0. 1. 2.]\n"),
        ("torch.set_printoptions(precision=1)\nprint(torch.tensor(0.123))", "tensor(0.1)\n"),
    ],
)
def test_print(source: str, wanted: str) -> None:
    execution = ran(source)
    assert execution.output == wanted
    assert execution.names.keys() == given().keys() | ({"i"} if "for" in source else set())


def test_what_was_printed_before_an_error_is_kept() -> None:
    execution = run("print('before')\ny = 1\n1 / 0\nprint('after')", {})
    assert execution.output == "before\n"
    assert execution.names == {"y": 1}
    assert str(execution.error) == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("x + 1", ["x + 1"]),
        ("x.T\nx.sum( dim = 0 )", ["x.T", "x.sum( dim = 0 )"]),
        ("torch.ones(\n    2\n)", ["torch.ones(\n    2\n)"]),
        ("x", []),
        ("y = x\ny", ["y"]),
        ("x.add_(1)", []),
        ("'a docstring'", []),
        ("5", []),
        ("torch.manual_seed(3)", []),
        ("print(1)", []),
        ("words.append('c')", []),
        ("n + 1", ["n + 1"]),
        ("y = 1\ndel y", []),
    ],
)
def test_the_shelf_has_assigned_names_and_bare_expressions(source: str, names: list[str]) -> None:
    execution = ran(source)
    assert list(execution.names) == [*given(), *names]
    assert execution.predefined == given().keys()


def test_names_that_were_given_keep_their_objects() -> None:
    x = torch.zeros(2)
    execution = run("x += 1\ny = x", {"x": x})
    assert execution.names["y"] is x
    assert x.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "draw", ["torch.rand(3)", "torch.randn(2, 2)", "torch.randperm(9)", "torch.zeros(4).uniform_()", "torch.randint(9, (5,))", "F.dropout(x)"]
)
def test_manual_seed_makes_random_numbers_come_again(draw: str) -> None:
    execution = ran(f"torch.manual_seed(1)\np = {draw}\ntorch.manual_seed(1)\nq = {draw}\ns = {draw}")
    assert torch.equal(execution.names["p"], execution.names["q"])
    torch.manual_seed(1)
    wanted = eval(draw, {"torch": torch, "F": torch.nn.functional, **given()})  # noqa: S307 (code from this file)
    assert torch.equal(execution.names["p"], wanted)
    assert not torch.equal(execution.names["q"], execution.names["s"]) or draw == "F.dropout(x)"


def test_numpy_s_seed_too() -> None:
    execution = ran("np.random.seed(1)\np = np.random.rand(3)\nnp.random.seed(1)\nq = np.random.rand(3)\nr = np.random.default_rng(4).normal(size=3)")
    assert np.array_equal(execution.names["p"], execution.names["q"])
    assert np.array_equal(execution.names["r"], np.random.default_rng(4).normal(size=3))


def test_settings_do_not_outlast_the_script() -> None:
    execution = ran("torch.set_default_dtype(torch.float64)\ny = torch.ones(1)\ntorch.set_printoptions(precision=1)\ntorch.set_grad_enabled(False)")
    assert execution.names["y"].dtype is torch.float64
    assert torch.get_default_dtype() is torch.float32
    assert torch.is_grad_enabled()
    assert repr(torch.tensor(0.1234)) == "tensor(0.1234)"
    failed("torch.set_default_dtype(torch.float64)\n1 / 0")
    assert torch.get_default_dtype() is torch.float32


def test_warnings_are_collected_once_each() -> None:
    execution = ran("for i in range(3):\n    y = np.log(np.zeros(2))\nz = np.sqrt(np.array([-1.0]))\nb = torch.ones(2, 2, 2).T")
    assert execution.warnings[:2] == ["divide by zero encountered in log", "invalid value encountered in sqrt"]
    assert execution.warnings[2].startswith("The use of `x.T` on tensors of dimension other than 2")
    assert len(execution.warnings) == 3
    assert "Triggered" not in execution.warnings[2] and "\n" not in execution.warnings[2]


# --- Bounds ----------------------------------------------------------------------------------------------------------


def test_output_stops_at_its_limit() -> None:
    execution = run("for i in range(1000):\n    print('0123456789')", {}, Bounds(output=95))
    assert isinstance(execution.error, BoundsExceeded)
    assert execution.output == ("0123456789\n" * 9)[:95]
    assert execution.names["i"] == 8
    assert run("print('a' * 95, end='')", {}, Bounds(output=95)).error is None


@pytest.mark.parametrize(
    "source",
    [
        "while True:\n    pass",
        "for i in range(1000):\n    for j in range(1000):\n        k = i",
        "r = [i + j for i in range(1000) for j in range(1000)]",
        "while True:\n    if True:\n        continue",
        "r = [[j for j in range(100)] for i in range(100)]",
    ],
)
def test_statements_stop_at_their_limit(source: str) -> None:
    error = failed(source, Bounds(statements=500))
    assert isinstance(error, BoundsExceeded)
    assert "500 statements" in str(error)
    assert error.node is not None


def test_as_many_statements_as_are_allowed_run() -> None:
    source = "a = 1\nfor i in range(9):\n    a += 1"  # 2 and 9
    assert run(source, {}, Bounds(statements=11)).error is None
    assert isinstance(run(source, {}, Bounds(statements=10)).error, BoundsExceeded)


def test_a_tensor_may_take_all_memory_that_is_allowed() -> None:
    source = "y = torch.zeros(1024, 1024)"
    assert run(source, {}, Bounds(memory=4 * MIB)).error is None
    assert isinstance(run(source, {}, Bounds(memory=4 * MIB - 1)).error, BoundsExceeded)


def test_time_stops_at_its_limit() -> None:
    error = failed("y = 1", Bounds(seconds=-1.0))
    assert isinstance(error, BoundsExceeded)
    assert "seconds and was stopped" in str(error)


LARGE = [
    "torch.ones(10**6, 10**6)",
    "torch.zeros(5000, 5000)",
    "torch.empty(10**9, dtype=torch.uint8)",
    "torch.full((5000, 5000), 1.0)",
    "torch.FloatTensor(10**5, 10**5)",
    "torch.arange(10**8)",
    "torch.linspace(0, 1, 10**8)",
    "torch.eye(10**5)",
    "torch.rand(10**5, 10**5)",
    "torch.normal(0.0, 1.0, (10**4, 10**4))",
    "torch.randperm(10**9)",
    "torch.randint(9, (10**5, 10**5))",
    "x.new_zeros(10**5, 10**5)",
    "x[:1, :1].expand(10**5, 10**5).clone()",
    "x[:1, :1].expand(10**5, 10**5) + 1",
    "x[:1, :1].expand(10**5, 10**5).contiguous()",
    "x[:1, :1].expand(10**5, 10**5).double()",
    "x[:1, :1].expand(10**5, 10**5).sum(0, keepdim=True).expand(10**5, 10**5).tolist()",
    "x.repeat(10**4, 10**4)",
    "torch.tile(x, (10**4, 10**4))",
    "x.repeat_interleave(10**8)",
    "torch.cat([x.expand(1000, 1000, 2, 3)] * 1000)",
    "torch.cat([big] * 1000)",
    "torch.stack([big] * 1000)",
    "torch.block_diag(*[big] * 40)",
    "big[:, None] * big",
    "big[:, None] == big",
    "torch.outer(big, big)",
    "torch.kron(big, big)",
    "torch.cartesian_prod(big, big)",
    "torch.meshgrid(big, big, indexing='ij')[0].clone()",
    "torch.cdist(big[:, None], big[:, None])",
    "torch.einsum('i,j->ij', big, big)",
    "torch.diag(big)",
    "torch.diag_embed(big)",
    "torch.vander(big)",
    "torch.combinations(big)",
    "big[:, None] @ big[None]",
    "torch.cov(big[:, None])",
    "torch.corrcoef(big[:, None])",
    "big[torch.zeros(10**4, 10**4, dtype=torch.int8).long()]",
    "F.one_hot(torch.arange(20000))",
    "F.one_hot(torch.tensor([10**9]))",
    "F.pad(x, (10**5, 10**5, 10**5, 10**5))",
    "F.interpolate(x[None, None], scale_factor=10**4)",
    "torch.bincount(torch.tensor([10**9]))",
    "torch.tril_indices(10**5, 10**5)",
    "x.resize_(10**5, 10**5)",
    "torch.tensor([[0.0] * 2100] * 2100)",
    "np.zeros((10**5, 10**5))",
    "np.zeros(10**9)",
    "np.ones(shape=(10**5, 10**5), dtype=np.int8)",
    "np.full((10**5, 10**5), 1)",
    "np.eye(10**5)",
    "np.arange(10**9)",
    "np.arange(0, 1, 1e-9)",
    "np.linspace(0, 1, 10**9)",
    "np.tile(a, 10**9)",
    "np.tile(a, (10**5, 10**5))",
    "np.repeat(a, 10**9)",
    "np.outer(big.numpy(), big.numpy())",
    "np.random.rand(10**5, 10**5)",
    "np.random.normal(size=(10**5, 10**5))",
    "np.random.default_rng(0).random((10**5, 10**5))",
    "big.numpy()[:, None] + big.numpy()",
    "np.broadcast_to(a, (10**8, 3)) + 1",
    "np.stack([big.numpy()] * 1000)",
    "np.meshgrid(big.numpy(), big.numpy())",
    "np.diag(big.numpy())",
    "np.bincount(np.array([10**9]))",
]


@pytest.mark.parametrize("expression", LARGE)
def test_what_is_too_large_is_refused_before_it_is_made(expression: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last operation is not performed: the tracer, which performs all, is never asked for it."""
    performed: list[str] = []
    perform = interpreter.StatementTracer.perform

    def watched(self: Any, call: Call, node: ast.AST, do: Any) -> Any:
        performed.append(ast.unparse(node))
        return perform(self, call, node, do)

    monkeypatch.setattr(interpreter.StatementTracer, "perform", watched)
    names = {**given(), "big": torch.arange(20_000.0)}
    error = run(f"r = {expression}", names).error
    assert isinstance(error, BoundsExceeded), f"{error!r} of {expression}"
    assert error.node is not None
    assert expression not in performed
    assert ast.unparse(error.node) not in performed


def test_sizes_are_asked_without_making_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """While an operation is sized, tensors are made on the meta device only."""
    made: list[torch.device] = []

    class Watching(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = func(*args, **(kwargs or {}))
            made.extend(part.device for part in (result if isinstance(result, tuple | list) else [result]) if isinstance(part, torch.Tensor))
            return result

    result_bytes = sizing.result_bytes

    def watched(call: Call) -> int:
        with Watching():
            return result_bytes(call)

    monkeypatch.setattr(sizing, "result_bytes", watched)
    for expression in LARGE:
        run(f"r = {expression}", {**given(), "big": torch.arange(200.0)}, Bounds(memory=0))
    assert {device.type for device in made} == {"meta"}


@pytest.mark.parametrize(
    "source",
    [
        "r = []\nfor i in range(1000):\n    r.append(torch.ones(1000, 1000))",
        "r = []\nfor i in range(1000):\n    r.append(np.ones((1000, 250)))",
        "r = []\nfor i in range(1000):\n    r = [r, torch.ones(1000, 1000)]",
        "r = [torch.ones(1000, 1000) for i in range(60)]",
        "x = torch.ones(1000, 1000)\nfor i in range(10):\n    x = torch.cat([x, x])",
        "a = torch.ones(1000, 1000)\nb = torch.cat([a] * 9)\nc = b + b",
    ],
    ids=["list", "arrays", "nested", "comprehension", "doubling", "several"],
)
def test_all_values_together_stay_within_the_memory(source: str) -> None:
    execution = run(source, {})
    assert isinstance(execution.error, BoundsExceeded)
    assert "64 MiB" in str(execution.error)
    kept, seen = list(execution.names.values()), 0
    while kept:
        value = kept.pop()
        kept.extend(value if isinstance(value, list) else [])
        seen += value.nbytes if isinstance(value, torch.Tensor | np.ndarray) else 0
    assert seen <= 64 * MIB
    assert seen > MIB or not execution.names  # a comprehension that is stopped leaves nothing


@pytest.mark.parametrize(
    "source",
    [
        "r = y" + " + 1" * 20,
        "r = [" + "torch.ones(1000, 1000), " * 20 + "]",
        "r = [torch.ones(1000, 1000) for i in range(20)]",
        "r = sum([torch.ones(1000, 1000) for i in range(20)])",
        "r = torch.stack([y + 1, y + 2, y + 3, y + 4, y + 5])",
        "r = (y + (y + (y + (y + (y + 1)))))",
        "r = [(y + i).sum() for i in range(20)]",
        "for i in range(20):\n    r = (y + i).sum()",
        "r = np.ones((500, 1000))" + " + 1" * 20,
    ],
    ids=lambda source: source[:40].replace("\n", "; "),
)
def test_values_without_a_name_count_too(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At no time is there more alive than is allowed, whether the script is refused or not."""
    alive: list[weakref.ref[Any]] = []
    peak = 0
    perform = interpreter.StatementTracer.perform

    def watched(self: Any, call: Call, node: ast.AST, do: Any) -> Any:
        nonlocal peak
        result = perform(self, call, node, do)
        if isinstance(result, torch.Tensor | np.ndarray):
            alive.append(weakref.ref(result))
        peak = max(peak, sum(part.nbytes for reference in alive if (part := reference()) is not None))
        return result

    monkeypatch.setattr(interpreter.StatementTracer, "perform", watched)
    run(source, {"y": torch.ones(1000, 1000)}, Bounds(memory=16 * MIB, seconds=20.0))
    assert 0 < peak <= 16 * MIB


@pytest.mark.timeout(10)
@pytest.mark.parametrize("last", ["torch.tensor(r)", "len(r)", "r == r", "str(r)", "print(r)", "r in r", "np.array(r)", "torch.stack(r)", "r.copy()"])
def test_lists_that_hold_one_list_again_and_again(last: str) -> None:
    """Of forty lists, the outermost has 2 ** 40 numbers: whatever walks through them all never ends."""
    execution = run(f"r = [0]\nfor i in range(40):\n    r = [r, r]\nq = {last}", {})
    assert execution.error is None or isinstance(execution.error, BoundsExceeded | OperationFailed)


def test_memory_that_is_let_go_may_be_used_again() -> None:
    ran("for i in range(20):\n    y = torch.ones(1000, 1000) * i")
    ran("y = torch.ones(3000, 3000)\ndel y\nz = torch.ones(3000, 3000)\nz = None\nz = torch.ones(3000, 3000)")


def test_views_and_second_names_take_no_memory() -> None:
    ran("y = torch.ones(3000, 3000)\nz = [y] * 1000\nw = y.T\nu = y.view(-1)[5:]\nv = y.expand(10, 3000, 3000)\nq = y.numpy().T")


@pytest.mark.parametrize(
    "source",
    [
        "r = 'a' * 10**9",
        "r = [0] * 10**9",
        "r = list(range(10**9))",
        "for i in range(10**9):\n    pass",
        "r = 10**10**10",
        "r = 1 << 10**9",
        "r = f'{1:999999999d}'",
        "r = '%999999999d' % 1",
        "r = '{:999999999d}'.format(1)",
        "r = ['a' * 1000] * 1000\nr = ','.join(r)",
        "r = 'a'\nwhile True:\n    r = r + r",
        "r = [0]\nwhile True:\n    r.extend(r)",
        "r = [1]\nwhile True:\n    r += r",
        "r = torch.arange(10**6).tolist()",
        "r = " + "(" * 150 + "1" + ")" * 150 + "\nr = " + "-" * 150 + "1",
        "r = 1  # " + "x" * 30_000,
    ],
    ids=lambda source: source[:30].replace("\n", "; "),
)
def test_python_s_own_values_stay_small_too(source: str) -> None:
    assert isinstance(failed(source), BoundsExceeded | Refused)


# --- What is said ----------------------------------------------------------------------------------------------------

MISTAKES = [
    ("r = x @ x", OperationFailed, "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)", "x @ x"),
    (
        "r = (x.T + 1) * (x + x[0].reshape(3, 1))",
        OperationFailed,
        "RuntimeError: The size of tensor a (2) must match the size of tensor b (3)",
        "x + x[0].reshape(3, 1)",
    ),
    ("r = torch.cat([x, x.T]).sum()", OperationFailed, "RuntimeError: Sizes of tensors must match except in dimension 0.", "torch.cat([x, x.T])"),
    ("r = x.view(4, 2) + 1", OperationFailed, "RuntimeError: shape '[4, 2]' is invalid for input of size 6", "x.view(4, 2)"),
    ("r = x.T.view(6)", OperationFailed, "RuntimeError: view size is not compatible", "x.T.view(6)"),
    ("r = 1 + x[5]", OperationFailed, "IndexError: index 5 is out of bounds for dimension 0 with size 2", "x[5]"),
    ("r = x[0, 0, 0]", OperationFailed, "IndexError: too many indices for tensor of dimension 2", "x[0, 0, 0]"),
    ("r = x.sum(dim=2)", OperationFailed, "IndexError: Dimension out of range", "x.sum(dim=2)"),
    ("r = torch.ones(2) + torch.ones(3)", OperationFailed, "RuntimeError: The size of tensor a (2)", "torch.ones(2) + torch.ones(3)"),
    ("r = x.long() @ x.T", OperationFailed, "RuntimeError: expected m1 and m2 to have the same dtype", "x.long() @ x.T"),
    ("r = x.item()", OperationFailed, "RuntimeError: a Tensor with 6 elements cannot be converted to Scalar", "x.item()"),
    ("if x > 1:\n    r = 1", OperationFailed, "RuntimeError: Boolean value of Tensor with more than one value is ambiguous", "x > 1"),
    ("x[0] = torch.ones(2)", OperationFailed, "RuntimeError: The expanded size of the tensor (3) must match", "x[0]"),
    ("x += torch.ones(3, 1)", OperationFailed, "RuntimeError: The size of tensor a (2) must match", "x += torch.ones(3, 1)"),
    ("for row in torch.tensor(1):\n    pass", OperationFailed, "iteration over a 0-d tensor", "torch.tensor(1)"),
    ("r = np.ones(2) + np.ones(3)", OperationFailed, "ValueError: operands could not be broadcast together", "np.ones(2) + np.ones(3)"),
    ("p, q = 1, 2, 3", ScriptError, "Cannot assign 3 values to 2 names.", "(p, q)"),
    ("p, *q, s = [1]", ScriptError, "Cannot assign 1 value to 3 names.", "(p, *q, s)"),
    ("r = words[7]", OperationFailed, "IndexError: list index out of range", "words[7]"),
    ("r = n / (n - 3)", OperationFailed, "ZeroDivisionError: division by zero", "n / (n - 3)"),
    ("r = 'a' + 1", OperationFailed, "TypeError: can only concatenate str", "'a' + 1"),
    ("r = int('q')", OperationFailed, "ValueError: invalid literal for int()", "int('q')"),
    ("r = [i for i in 5]", OperationFailed, "TypeError: 'int' object is not iterable", "5"),
    ("assert x.sum() > 99, f'only {n}'", ScriptError, "only 3", "x.sum() > 99"),
    ("assert n == 4", ScriptError, "`n == 4` is false.", "n == 4"),
    ("r = x + missing", ScriptError, "The name `missing` is not defined.", "missing"),
    ("for i in range(3):\n    r = 1 / (1 - i)", OperationFailed, "ZeroDivisionError: division by zero", "1 / (1 - i)"),
    ("del n, missing", Refused, "`missing` cannot be deleted.", "missing"),
    ("n.real = 3", Refused, "`n.real` cannot be set.", "n.real"),
    ("x.shape = 3", Refused, "`x.shape` cannot be set.", "x.shape"),
    ("r = x.sum", Refused, "`.sum` is a method: call it with parentheses", "x.sum"),
    ("r = x.shape()", Refused, "`.shape` is a value, not a method", "x.shape()"),
    ("r = n()", OperationFailed, "TypeError: 'int' object is not callable", "n"),
    ("r = torch.zeros(2, device='meta')", Refused, "A tensor on the `meta` device", "torch.zeros(2, device='meta')"),
    ("with x:\n    pass", Refused, "Scripts can use `with` only for `torch.no_grad()`", "x"),
    ("r = np.array(['a'])", Refused, "NumPy created an array of dtype", "np.array(['a'])"),
    (
        "r = np.zeros(3, dtype='object')",
        Refused,
        "The dtype “object” is not available in scripts: arrays hold numbers or booleans.",
        "np.zeros(3, dtype='object')",
    ),
    ("r = '{0.__class__}'.format(x)", Refused, "accesses a part of a value", "'{0.__class__}'.format(x)"),
]


@pytest.mark.parametrize(("source", "kind", "message", "place"), MISTAKES, ids=[case[0].replace("\n", "; ") for case in MISTAKES])
def test_errors_name_what_failed(source: str, kind: type[ScriptError], message: str, place: str) -> None:
    error = failed(source)
    assert type(error) is kind
    assert message in str(error)
    assert error.node is not None
    assert ast.unparse(error.node) == place


def test_what_pytorch_refused_is_kept_with_its_operands() -> None:
    error = failed("r = x @ x[:, :2]")
    assert error.call is not None
    assert error.call.entry.name == "@"
    assert [tuple(array.shape) for array in error.call.arrays] == [(2, 3), (2, 2)]
    assert error.node.lineno == 1 and (error.node.col_offset, error.node.end_col_offset) == (4, 16)


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("torch.matmull(x, x)", "Did you mean `torch.matmul`?"),
        ("torch.one(3)", "Did you mean `torch.ones`?"),
        ("torch.linalg.nrm(x)", "Did you mean `torch.linalg.norm`?"),
        ("F.sofmax(x)", "Did you mean `F.softmax`?"),
        ("np.arrange(3)", "Did you mean `np.arange`?"),
        ("torch.flaot32", "Did you mean `torch.float32`?"),
        ("x.tranpose(0, 1)", "Did you mean `.transpose()`?"),
        ("x.shap", "Did you mean `.shape`?"),
        ("x.reshap(6)", "Did you mean `.reshape()`?"),
        ("a.astyp(np.float32)", "Did you mean `.astype()`?"),
        ("words.appendd(1)", "Did you mean `.append()`?"),
        ("word", "Did you mean `words`?"),
        ("torhc.ones(2)", "Did you mean `torch`?"),
        ("ones(2, 3)", "Did you mean `torch.ones`?"),
        ("zzz", "Assign a value to it on a line above."),
        ("torch.qqqqqq(1)", "The reference below the editor lists all available functions."),
    ],
)
def test_typing_errors_get_a_suggestion(source: str, hint: str) -> None:
    error = failed(source)
    assert error.hint == hint


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("r = b'a'", "Bytes are not available"),
        ("import socket", "scripts cannot import other modules"),
        ("from os import *", "scripts have no module `os`"),
        ("from . import torch", "scripts cannot import other modules"),
        ("import numpy.random as np", "scripts cannot import other modules"),
        ("x.__class__.__base__", "internal to Python"),
        ("__import__('os')", "internal to Python"),
        ("x._version", "internal to Python"),
        ("__builtins__ = 1", "internal to Python"),
        ("torch.hub.load('x')", "is not available in scripts"),
        ("torch.utils.data.get_worker_info()", "is not available in scripts"),
        ("np.load('x')", "is not available in scripts"),
        ("x.numpy().tofile('x')", "has no `.tofile`"),
        ("x.apply_(abs)", "has no `.apply_`"),
        ("open('x')", "`open` is not available in scripts."),
        ("eval('1')", "`eval` is not available in scripts."),
        ("delattr(x, 'shape')", "`delattr` is not available in scripts."),
        ("x.T()()", "`.T` is a value, not a method"),
    ],
)
def test_what_is_not_part_of_the_language_is_refused(source: str, message: str) -> None:
    error = failed(source)
    assert isinstance(error, Refused)
    assert message in str(error)
    assert error.node is not None


@pytest.mark.parametrize("source", ["r = (1", "r = 1 +", "if x\n    y = 1", "  r = 1", "r = 'a", "break", "x = = 1", "continue"])
def test_what_is_not_python_says_so_with_its_line(source: str) -> None:
    error = failed(f"y = 1\n{source}")
    assert type(error) is ScriptError
    assert error.node is not None and error.node.lineno >= 1


def test_nothing_runs_when_something_is_refused_by_its_kind() -> None:
    assert run("y = 1\nimport socket", {}).names == {}
    assert run("y = 1\nimport socket", {}).names == {}


def test_bounds_cannot_be_changed_by_accident() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Bounds().memory = 1  # type: ignore[misc]
