"""Functions, iterators, dictionaries, exceptions and imports of scripts, each program compared with Python itself."""

from __future__ import annotations

import builtins
import contextlib
import io
import re
import sys
import traceback
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, Sampler
from torch.utils.hooks import RemovableHandle
from torchvision import transforms

from playground.tensors.language.bounds import Bounds
from playground.tensors.language.errors import BoundsExceeded, Refused
from playground.tensors.language.functions import Own
from playground.tensors.language.interpreter import Execution, run


def is_of_program(kind: type) -> bool:
    """Whether the program itself defined a class."""
    return kind.__module__ == "__main__" or (kind.__module__ == "builtins" and not hasattr(builtins, kind.__name__))


def plain(value: Any) -> Any:
    """Convert a value to one that `==` compares."""
    if isinstance(value, (torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler)) or value is torch.autograd.Variable:
        return "a function"
    if isinstance(value, (Dataset, DataLoader, Sampler, transforms.Compose, RemovableHandle)) or (
        isinstance(value, type) and value.__module__.startswith(("torch.", "torchvision."))
    ):
        return "a function"
    if not isinstance(value, type) and is_of_program(type(value)) and not callable(value):
        return "a function"
    if isinstance(value, type) and is_of_program(value):
        return "a function"
    if isinstance(value, Own) or (callable(value) and not isinstance(value, (type, torch.Tensor))):
        return "a function"
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return ("array", value.dtype, value.tolist())
    if isinstance(value, (list, tuple)):
        return type(value)(map(plain, value)) if type(value) in (list, tuple) else [plain(part) for part in value]
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return (type(value).__name__, str(value)) if isinstance(value, Exception) else value


def python(source: str) -> tuple[dict[str, Any], str, str, int]:
    """Run a program in Python itself: its names, what it printed, and its error with the line."""
    given: dict[str, Any] = {"torch": torch, "np": np, "F": F, "nn": torch.nn, "__name__": "__main__"}
    names, output, error, line = dict(given), io.StringIO(), "", 0
    with contextlib.redirect_stdout(output), torch.random.fork_rng():
        try:
            exec(compile(source, "script", "exec"), names)  # noqa: S102 (programs of this file)
        except Exception as raised:
            error = "".join(traceback.format_exception_only(raised)).strip()
            line = [frame.lineno for frame in traceback.extract_tb(sys.exc_info()[2]) if frame.filename == "script"][-1] or 0
    return {name: value for name, value in names.items() if name not in given and name != "__builtins__"}, output.getvalue(), error, line


ADDRESS = re.compile(r"0x[0-9a-f]+")


def agree(source: str) -> Execution:
    """Run a program in both, and compare."""
    execution = run(source)
    names, output, error, line = python(source)
    got = "" if execution.error is None else str(execution.error)
    assert ADDRESS.sub("", got) == ADDRESS.sub("", error)
    if execution.error is not None:
        assert getattr(execution.error.node, "lineno", 0) == line
    assert ADDRESS.sub("", execution.output) == ADDRESS.sub("", output)
    for name, value in names.items():
        mine = execution.names.get(name)
        if hasattr(value, "__next__") or type(value).__name__ == "module" or name in ("__annotations__", "annotations", "List", "Optional"):
            continue
        assert name in execution.names, name
        assert plain(mine) == plain(value), name
    return execution


PROGRAMS = """
def kind(value):
    match value:
        case 0 | 1:
            return "small"
        case int(n) if n > 100:
            return f"large {n}"
        case [first, *rest]:
            return first, rest
        case {"a": x, **others}:
            return x, others
        case None:
            return "nothing"
        case str() as text:
            return text.upper()
        case _:
            return "other"
print([kind(v) for v in (0, 1, 7, 101, [1, 2, 3], (), {"a": 1, "b": 2}, {}, None, "x", 2.5)])
class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y
for p in (Point(0, 1), Point(2, 3), 5):
    match p:
        case Point(x=0, y=y):
            print("on the axis", y)
        case Point():
            print("point")
            continue
        case _:
            break
match torch.ones(2).shape:
    case (n,):
        print(n)
try:
    match 5:
        case Point(1):
            pass
        case int(1, 2):
            pass
except TypeError as error:
    print(error)
===
def square(x):
    return x ** 2
y = square(torch.tensor([1., 2.]))
===
def f(a, b=2, *rest, c, d=4, **others):
    return [a, b, rest, c, d, others]
r = [f(1, c=3), f(1, 2, 3, 4, c=5), f(1, c=0, z=9, d=7), f(*[1, 2], **{"c": 3, "e": 5})]
===
def f(a, /, b, *, c=1):
    return a + b + c
r = [f(1, 2), f(1, b=2, c=3)]
===
def outer():
    n = 0
    def step():
        nonlocal n
        n += 1
        return n
    return step
step = outer()
r = [step(), step(), outer()()]
===
count = 0
def step():
    global count
    count += 1
step()
step()
===
def fact(n):
    return 1 if n < 2 else n * fact(n - 1)
r = fact(20)
===
def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)
r = [fib(i) for i in range(12)]
===
def even(n):
    return True if n == 0 else odd(n - 1)
def odd(n):
    return False if n == 0 else even(n - 1)
r = [even(10), odd(7)]
===
f = lambda x, y=1: x * y
r = [f(3), f(3, 4), (lambda: 5)(), (lambda *a, **k: (a, k))(1, b=2)]
===
fs = [lambda: i for i in range(3)]
r = [f() for f in fs]
===
fs = [lambda i=i: i for i in range(3)]
r = [f() for f in fs]
===
def f(x=[]):
    x.append(1)
    return len(x)
r = [f(), f(), f([])]
===
def f():
    return
r = f()
===
def f():
    for i in range(10):
        for j in range(10):
            if i * j == 42:
                return i, j
r = f()
===
def f(x):
    x += 1
    return x
t = torch.zeros(2)
r = f(t)
n = 5
m = f(n)
===
def f(g, x):
    return g(g(x))
r = f(lambda t: t * 2, torch.tensor([1.])), f(torch.sin, torch.tensor(0.5)), f(abs, -3)
===
act = {"relu": torch.relu, "tanh": torch.tanh, "square": lambda x: x ** 2}
x = torch.tensor([-1., 2.])
r = [f(x) for f in act.values()]
k = list(act)
===
def f():
    "Says nothing."
    x = 1
    def g():
        return x
    x = 2
    return g()
r = f()
===
x = 10
def f():
    y = x
    return y
x = 20
r = f()
===
def f():
    print(x)
    x = 1
x = 0
f()
===
def f(a):
    return a
f()
===
def f(a, b, c, d):
    pass
f(1)
===
def f(a):
    pass
f(1, 2)
===
def f(a, b=1):
    pass
f(1, 2, 3)
===
def f():
    pass
f(1)
===
def f(a, *, b):
    pass
f(1)
===
def f(a, *, b):
    pass
f(1, 2, b=3)
===
def f(a):
    pass
f(1, a=2)
===
def f(a):
    pass
f(1, z=2)
===
def f(a, /):
    pass
f(a=2)
===
def outer():
    def inner(a):
        pass
    inner()
outer()
===
def f(x):
    y = x + 1
    return y / 0
a = 1
f(a)
===
def f(x):
    return x @ x
f(torch.ones(2, 3))
===
(lambda x: x)()
===
f = 3
f(1)
===
d = {"a": 1, "b": torch.ones(2), 3: [1, 2]}
d["c"] = d["a"] + 1
d["b"] += 1
r = [d["a"], d.get("z"), d.get("z", 0), len(d), "a" in d, 1 in d, list(d), list(d.keys()), list(d.items())[0]]
v = d.pop("c")
del d[3]
===
d = dict(a=1, b=2)
d.update({"c": 3}, d=4)
e = {**d, "a": 0}
r = [d | {"z": 1}, sorted(d), max(d), sum(d.values())]
for k, v in e.items():
    print(k, v)
print(d, d.keys(), d.items())
===
d = {}
d.setdefault("x", []).append(1)
d.setdefault("x", []).append(2)
r = {k: [v * 2 for v in vs] for k, vs in d.items()}
s = {i % 3 for i in range(10)}
t = {1, 2} | {3}, {1, 2} & {2}, {1, 2} - {2}, {1} ^ {2}, 2 in {1, 2}
===
d = {"a": 1}
d["b"]
===
d = {[1]: 2}
===
d = {i: i * i for i in range(5) if i % 2}
===
d = {"x": 1}
for k in d:
    d["y"] = 2
===
def count(n):
    for i in range(n):
        yield i
    return 5
r = list(count(3)), sum(count(4)), [x * 2 for x in count(2)], max(count(3))
g = count(2)
a = next(g)
b = next(g)
c = next(g, "end")
===
def naturals():
    n = 0
    while True:
        yield n
        n += 1
r = []
for n in naturals():
    if n > 5:
        break
    r.append(n)
===
def chain(*its):
    for it in its:
        yield from it
r = list(chain([1], "ab", range(2)))
===
def batches(xs, size):
    for i in range(0, len(xs), size):
        yield torch.tensor(xs[i:i + size])
r = [b.sum() for b in batches(list(range(10)), 4)]
===
def gen():
    print("begins")
    yield 1
    print("ends")
g = gen()
print("made")
for v in g:
    print(v)
===
g = (print(i) or i for i in range(3))
print("before")
r = next(g)
s = list(g)
===
it = iter([1, 2])
r = [next(it), next(it), next(it, None)]
===
it = iter([])
next(it)
===
next([1])
===
r = any(1 / (i - 1) > 0 for i in [3, 1])
===
r = list(zip([1, 2, 3], "ab")), list(enumerate("ab", 1)), list(reversed([1, 2])), list(map(lambda a, b: a + b, [1, 2], [3, 4])), list(filter(None, [0, 1, 2]))
===
r = sorted(["bb", "a", "ccc"], key=len, reverse=True), max([1, -5], key=abs), min("b", "a"), max([], default=0), sorted([3, 1], key=lambda v: -v)
x = [3, 1, 2]
x.sort(key=lambda v: -v)
===
a, b = zip(*[(1, 2), (3, 4)])
===
r = list(map(int, "123")), list(map(str, [1, 2])), list(map(float, ["1.5"]))
===
print(map, len, int, 3)
===
try:
    1 / 0
except ZeroDivisionError as e:
    r = str(e)
    s = e.args
===
try:
    torch.ones(2) @ torch.ones(3)
except RuntimeError as e:
    print(type(e))
else:
    print("fine")
finally:
    print("last")
===
def f(x):
    try:
        if x > 1:
            return "early"
        raise ValueError("small", x)
    except ValueError as e:
        return e.args
    finally:
        print("done", x)
r = [f(0), f(2)]
===
try:
    undefined
except NameError as e:
    r = str(e)
===
try:
    [1][5]
except (KeyError, IndexError) as e:
    r = str(e)
===
try:
    {}["k"]
except Exception as e:
    r = repr(e)
===
try:
    try:
        raise KeyError("inner")
    except ValueError:
        r = 1
    finally:
        q = 2
except KeyError:
    s = 3
===
try:
    raise TypeError("x")
except TypeError:
    raise
===
raise ValueError("wrong value")
===
raise NotImplementedError
===
for i in range(3):
    try:
        if i == 1:
            continue
        print(i)
    finally:
        print("f", i)
===
try:
    assert 1 == 2, "no"
except AssertionError as e:
    r = str(e)
===
try:
    int("x")
except ValueError as e:
    r = str(e)
===
for n in range(2, 8):
    for d in range(2, n):
        if n % d == 0:
            break
    else:
        print(n)
===
n = 3
while n:
    n -= 1
else:
    r = "over"
===
x: int = 3
y: "torch.Tensor" = torch.ones(2)
z: float
def f(a: int, b: float = 2.0) -> float:
    c: float = a * b
    return c
r = f(2)
===
r = [(n := 3), n + 1]
if (m := len([1, 2])) > 1:
    print(m)
s = [y for v in range(3) if (y := v * 2)]
===
a = [1, 2, 3, 4]
a[0:2] = [9]
a[1:1] = "xy"
del a[0]
a += (7, 8)
b = a
b *= 2
===
b = a = [1]
a += [2]
r = b is a
s = {1}
t = s
s |= {2}
===
x = torch.ones(2)
r = 1 and x
s = None or x
t = 0 and x
===
a = b = [1]
a += "xy"
a += torch.tensor([2.0])
a *= 2
===
r = "Hello".replace("l", "L"), " a ".strip(), "a,b".split(","), "ab".find("b"), "7".zfill(3), "x".isdigit(), "a-b".title()
===
r = [type(3) == int, type(torch.ones(1)) == torch.Tensor, type([]) is list, type("a") == str, isinstance({}, dict), type({}) == dict]
print(type(3), type([]), type(torch.ones(1)), type(lambda: 0), type({}), type(len))
===
import torch as t
import numpy as no
x = t.ones(2)
y = no.ones(2)
z = t.nn.functional.relu(x)
===
import math
from math import pi, sqrt
import math as m
r = math.sqrt(4), pi, sqrt(9.0), m.floor(2.5), math.exp(0), math.inf
===
from torch import tensor, nn, relu
from torch.nn import functional as G
from torch.autograd import Variable
x = Variable(tensor([1., -1.]), requires_grad=True)
y = relu(x).sum()
y.backward()
g = x.grad
z = G.softmax(x.detach(), dim=0)
===
from __future__ import annotations
from typing import List, Optional
import random
random.seed(3)
a = random.random(), random.randint(1, 9), random.choice([1, 2, 3])
===
import time
r = time.time() - time.perf_counter() > 100
===
@torch.no_grad()
def f(x):
    return x * 2
@torch.no_grad
def g(x):
    return x * 3
x = torch.ones(2, requires_grad=True)
r = f(x).requires_grad, g(x).requires_grad, (x * 2).requires_grad
===
def twice(f):
    def inner(*args, **kwargs):
        return f(*args, **kwargs) * 2
    return inner
@twice
def three():
    return 3
r = three()
===
w = torch.tensor([1.0, 2.0], requires_grad=True)
def loss(w):
    return ((w - 3) ** 2).sum()
for i in range(3):
    l = loss(w)
    l.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
        w.grad.zero_()
print(w)
===
def sgd(params, lr):
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad
            p.grad.zero_()
a = torch.ones(1, requires_grad=True)
b = torch.ones(1, requires_grad=True)
(a * 2 + b).sum().backward()
sgd([a, b], 0.5)
===
x = torch.ones(2, requires_grad=True)
y = x * x
torch.autograd.backward(y, torch.ones(2))
g = x.grad
===
r = f"{3!r:>4}|{2.5:.2f}|{[1, 2]}", "%s-%d" % ("a", 3), "{:>3}{}".format(1, "b")
===
x = [1, 2, 3]
first, *rest = x
(a, b), c = (1, 2), 3
r = [*x, *rest], (*x, 4)
===
def f(n):
    return [i for i in range(n)], {i for i in range(n)}, {i: n for i in range(n)}
r = f(3)
i = "kept"
s = [i for i in range(3)]
===
def f(x):
    r = [x * i for i in range(3)]
    return r, [y for y in r if y > x]
r = f(2)
===
n = 3
def f():
    return [n * i for i in range(n)]
r = f()
===
def f(*, a):
    return a
r = f(**{"a": 1})
===
print(1, 2, sep="-", end="!\\n", flush=True)
===
def newton(f, df, x, steps=5):
    for _ in range(steps):
        x = x - f(x) / df(x)
    return x
r = newton(lambda x: x * x - 2, lambda x: 2 * x, 1.0)
===
def accuracy(y_hat, y):
    if len(y_hat.shape) > 1 and y_hat.shape[1] > 1:
        y_hat = y_hat.argmax(axis=1)
    cmp = y_hat.type(y.dtype) == y
    return float(cmp.type(y.dtype).sum())
r = accuracy(torch.tensor([[0.1, 0.9], [0.8, 0.2]]), torch.tensor([1, 1]))
===
def softmax(X):
    X_exp = torch.exp(X)
    partition = X_exp.sum(1, keepdim=True)
    return X_exp / partition
torch.manual_seed(0)
X = torch.normal(0, 1, (2, 5))
r = softmax(X)
""".strip().split("\n===\n")


@pytest.mark.parametrize("source", PROGRAMS, ids=lambda source: source.replace("\n", "; ")[:60])
def test_programs_do_what_they_do_in_python(source: str) -> None:
    agree(source)


MISSING = (
    "torch.ones(2).foo", "torch.ones(2).foo()", "'x'.foo()", "[1].foo", "{}.foo()", "(1,).foo", "1 .foo", "1.5.foo", "np.ones(2).foo",
    "torch.ones(2).shape.foo",
    "nn.ReLU().foo", "nn.ReLU().foo()", "torch.optim.foo", "torch.foo()", "F.rellu(1)", "nn.Foo", "None.foo", "torch.float32.foo",
    "range(3).foo", "np.foo", "math.foo",
    "torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1).stepp()",
)  # fmt: skip
"""What neither Python nor PyTorch has."""


@pytest.mark.parametrize("expression", MISSING)
def test_what_python_does_not_have_either_can_be_caught_and_is_explained_where_it_is_not(expression: str) -> None:
    caught = f"import math\ntry:\n    {expression}\nexcept AttributeError as error:\n    print(error)"
    _names, output, *_ = python(caught)
    assert run(caught).output == output
    error = run(f"import math\n{expression}").error
    assert isinstance(error, Refused) and "scripts" in str(error)


@pytest.mark.parametrize("expression", ["torch.compile", "torch.ones(1).backward", "nn.ReLU().register_module", "'x'.encode"])
def test_what_only_scripts_do_not_have_cannot_be_caught(expression: str) -> None:
    assert isinstance(run(f"try:\n    {expression}\nexcept Exception:\n    pass").error, Refused)


def test_a_line_for_a_notebook_is_skipped() -> None:
    execution = run("%matplotlib inline\n!pip install torch\nx = torch.ones(2)\ny = x + 1")
    assert execution.error is None
    assert execution.names["y"].tolist() == [2.0, 2.0]


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    return f()\nf()",
        "def f(n):\n    return g(n)\ndef g(n):\n    return f(n)\nf(1)",
        "def f():\n    while True:\n        yield 1\nx = list(f())",
        "def f():\n    while True:\n        yield 1\nx = set(f())",
        "def f():\n    while True:\n        yield 1\ntorch.tensor([*f()])",
        "x = []\nwhile True:\n    x = [x]",
        "try:\n    while True:\n        pass\nexcept Exception:\n    pass",
        "def f():\n    try:\n        f()\n    except Exception:\n        f()\nf()",
        "x = 'a' * 1000\nfor i in range(100):\n    x = x.replace('a', 'aa')",
        "x = [1]\nfor i in range(100):\n    x *= 2",
        "d = {}\ni = 0\nwhile True:\n    d[i] = i\n    i += 1",
        "x = (lambda f: f(f))(lambda f: f(f))",
    ],
)
def test_what_never_ends_is_stopped_and_cannot_be_caught(source: str) -> None:
    assert isinstance(run(source, bounds=Bounds(seconds=3)).error, BoundsExceeded)


@pytest.mark.parametrize(
    "source",
    [
        "torch.tensor(lambda: 1)", "torch.add(torch.ones(1), abs)", "torch.tensor([lambda: 1])", "torch.zeros(2).fill_(torch.relu)", "np.array([1, len])",
        "np.array({1: 2})", "torch.cat(iter([torch.ones(1)]))", "torch.tensor([1, [torch]])", "torch.where({1}, 1, 2)", "np.array(range(2), dtype=Exception)",
        "F.relu(torch.ones(1), inplace=print)", "torch.ones(1).to(type(len))", "torch.tensor(ValueError(1))", "np.array([ValueError])",
        "torch.optim.SGD([{'params': [torch.ones(1)], 'lr': print}])", "torch.optim.SGD([{'params': [torch.ones(1)], 'a': [{'b': 1}]}], lr=1)",
    ],
)  # fmt: skip
def test_pytorch_gets_no_value_of_the_interpreter(source: str) -> None:
    error = run(source).error
    assert isinstance(error, (Refused,)) or "takes tensors and numbers" in str(error) or "TypeError" in str(error), error


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("async def f():\n    pass", "`async` is not available"),
        ("import socket", "scripts cannot import other modules"),
        ("from socket import socket", "scripts cannot import other modules"),
        ("from os import *", "scripts have no module `os`"),
        ("torch.ones(2)._backward_hooks", "names that begin with an underscore"),
        ("nn.Linear(2, 2)._apply(abs)", "names that begin with an underscore"),
        ("torch.ones(2)._x = 1", "names that begin with an underscore"),
        ("from . import x", "scripts cannot import other modules"),
        ("def f():\n    x = yield 1", "`yield` must stand on a line of its own"),
        ("def __f(): pass", "names that begin with an underscore"),
        ("def f(__x): pass", "names that begin with an underscore"),
        ("import torch as __t", "names that begin with an underscore"),
        ("try:\n    1\nexcept Exception as __e:\n    pass", "names that begin with an underscore"),
        ("def f(): pass\nf.__globals__", "names that begin with an underscore"),
        ("(lambda: 1).__code__", "names that begin with an underscore"),
        ("def f(): yield 1\nf().gi_frame", "has no `.gi_frame`"),
        ("try:\n    1 / 0\nexcept Exception as e:\n    e.__traceback__", "names that begin with an underscore"),
        ("try:\n    1 / 0\nexcept Exception as e:\n    e.with_traceback(None)", "has no `.with_traceback`"),
        ("'{0.args}'.format(ValueError())", "accesses a part of a value"),
        ("return 1", "'return' outside function"),
        ("yield 1", "'yield' outside function"),
        ("def f():\n    nonlocal x", "no binding for nonlocal 'x' found"),
        ("def f(x, x): pass", "duplicate argument 'x'"),
        ("type(type(1)).mro", "has no `.mro`"),
        ("from torch import nothing", "is not available in scripts"),
        ("math.sqrt(4)", "The name `math` is not defined."),
        ("import math\nmath.factorial(5)", "`math.factorial` is not available"),
        ("import random\nrandom._os", "names that begin with an underscore"),
    ],
)
def test_what_is_refused(source: str, message: str) -> None:
    assert message in str(run(source).error)


DEEP = "x = []\nfor i in range(9000):\n    x = [x]\n"


@pytest.mark.parametrize("last", ["print(x)", "y = x == [x]", "torch.tensor(x)", "np.array(x)", "nn.Sequential(x)", "y = sorted([x, [x]])"])
def test_what_is_nested_too_deeply_ends_the_script_and_not_the_process(last: str) -> None:
    assert isinstance(run(DEEP + last).error, BoundsExceeded)


@pytest.mark.parametrize(
    "source",
    [
        "x = iter([1])\nfor i in range(5000):\n    x = map(abs, x)\nnext(x)",
        "def g(x):\n    yield from x\nx = iter([1])\nfor i in range(3000):\n    x = g(x)\nnext(x)",
        "x = []\nx.append(x)\nnn.Sequential(*x)",
    ],
)
def test_iterators_inside_each_other_are_bounded(source: str) -> None:
    assert isinstance(run(source).error, BoundsExceeded)
