"""Reading hostile code: a helpful error after little work, and nothing of it reaches Python."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from playground.errors import PlaygroundError, ShapeError
from playground.pasted.reading import MAX_TEXT, read
from playground.pasted.training import read_training

from .codes import in_class, types
from .scripts import SCRIPT

NETS = Path(__file__).parent / "nets"


def planted(path: Path) -> Iterator[str]:
    """Texts that would make a file if any of them were run."""
    run = f"open({str(path)!r}, 'w')"
    forms = [
        f"__import__('pathlib').Path({str(path)!r}).touch()", run, f"eval({run!r})", f"exec({run!r})", f"(lambda: {run})()", f"[{run} for _ in range(1)]",
        f"(y := {run})", f"f'{{{run}}}'", f"getattr(__builtins__, 'open')({str(path)!r}, 'w')", f"torch.save(1, {str(path)!r})", f"torch.hub.load({run})",
        f"().__class__.__base__.__subclasses__()[{run}]",
    ]  # fmt: skip
    for form in forms:
        yield f"net = nn.Sequential(nn.Linear({form}, 2))"
        yield f"{form}\nx = {form}\nnet = nn.Sequential(nn.Linear(n, 2))"
        yield in_class(f"self.a = nn.Linear({form}, 2)", "return self.a(x)")
        yield in_class("self.a = nn.Linear(4, 2)", f"{form}\nreturn self.a(x)")
        yield in_class("self.a = nn.Linear(4, n)", "return self.a(x)").replace("__(self)", f"__(self, n={form})", 1)
        yield f"@{form}\n" + in_class("self.a = nn.Linear(4, 2)", "return self.a(x)")
        yield in_class("self.a = nn.Linear(4, 2)", "return self.a(x)").replace("Module)", f"Module, metaclass={form})")


def test_code_that_is_read_is_never_run(tmp_path: Path) -> None:
    texts = list(planted(tmp_path / "planted"))
    for text in texts:
        with suppress(PlaygroundError):
            read(text)
    assert len(texts) == 84 and not (tmp_path / "planted").exists()


def test_a_training_script_that_is_read_is_never_run(tmp_path: Path) -> None:
    for text in planted(tmp_path / "planted"):
        for whole in (text, SCRIPT + text, SCRIPT.replace("model.train()", text.split("\n")[0])):
            with suppress(PlaygroundError):
                read_training(whole)
    assert not (tmp_path / "planted").exists()


SPOILT = {
    "batch_size=100,": ["batch_size=10**12,", "batch_size=-5,", "batch_size='a',", "batch_size=None,", "batch_size=torch.zeros(3),"],
    "lr=0.05": ["lr=float('nan')", "lr=float('inf')", "lr=-1", "lr='a'", "lr=model"],
    "range(3)": ["range(10**15)", "iter(int, 1)", "range(0)", "train_loader", "[]"],
    "manual_seed(7)": ["manual_seed(10**30)", "manual_seed('a')"],
    "Conv2d(1, 8, 3)": ["Conv2d(1, 10**9, 3)", "Conv2d(1, 8, 3) if torch.rand(1) > 0.5 else None"],
    "running_loss += loss.item()": [
        "torch.zeros(10**9).tolist()", "torch.zeros(10**9).numpy()", "optimizer.param_groups.clear()", "optimizer.param_groups[0].clear()",
        "optimizer.param_groups[0]['lr'] = 'abc'; optimizer.param_groups[0]['betas'] = 7; optimizer.param_groups[0]['momentum'] = model",
        "observed_loader(3)", "datasets.FashionMNIST.shape = (10**9, 10**9, 10**9); datasets.FashionMNIST.name = 'x' * 10**5",
        "while True: optimizer.zero_grad()", "model.conv = model", "train_loader.batch_size = model", "train_loader.dataset = train_loader",
    ],
    "train_data = ": [
        "class D:\n    def __len__(self): return 10**12\n    def __getitem__(self, i): return [0] * 10**5, torch.zeros(10**6)\ntrain_data = D() #",
        "class D:\n    def __len__(self): return 9\n    def __getitem__(self, i): return self[i]\ntrain_data = D() #",
        "class D:\n    def __len__(self): return 'a'\n    def __getitem__(self, i): yield i\ntrain_data = D() #",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("old", "new"), [(old, new) for old, several in SPOILT.items() for new in several])
def test_a_spoilt_training_script_is_read_or_refused_with_little_work(old: str, new: str) -> None:
    assert SCRIPT.count(old) == 1
    with suppress(PlaygroundError), at_most(100_000_000):
        read_training(SCRIPT.replace(old, new))


def test_running_the_planted_code_would_be_noticed(tmp_path: Path) -> None:
    texts = [text.split("\n")[0] for text in planted(tmp_path / "planted")]
    assert len({text for text in texts if text.startswith(("__import__", "open", "eval", "exec"))}) == 4
    for text in (text for text in texts if text.startswith(("__import__", "open", "eval", "exec"))):
        subprocess.run([sys.executable, "-I", "-S", "-c", text], check=True)
        (tmp_path / "planted").unlink()


NET = "net = nn.Sequential(nn.Linear(4, 2))\n"
HOSTILE = {
    "a megabyte": "x = 1\n" * 170_000,
    "one character too many": " " * (MAX_TEXT + 1),
    "many lines": "x = 1\n" * 16_000,
    "many calls": "f(x)\n" * 19_000,
    "many failing names": "net = g(1)\n" * 7_000,
    "many conditions": "if g(a):\n  x = 1\n" * 5_000,
    "many classes": "class A(nn.Module):\n def __init__(self):\n  pass\n def forward(self,x): return x\n" * 900,
    "many layers": f"net = nn.Sequential({'nn.ReLU(), ' * 8_000})",
    "201 layers": f"net = nn.Sequential(nn.Linear(4, 2), {'nn.ReLU(), ' * 200})",
    "brackets": "(" * 90_000,
    "closed brackets": "x = " + "(" * 190 + ")" * 190,
    "minus": "x = " + "-" * 90_000 + "1",
    "not": "x = " + "not " * 20_000 + "1",
    "dots": "x = a" + ".b" * 45_000,
    "calls of calls": "x = f" + "()" * 45_000,
    "sums": "x = 1" + " + 1" * 20_000,
    "lambdas": "x = " + "lambda: " * 10_000 + "1",
    "else if": "if a: pass\n" + "elif b: pass\n" * 5_000,
    "nested networks": "net = " + "nn.Sequential(" * 80 + ")" * 80,
    "doubling networks": "a = nn.ReLU()\n" + "a = nn.Sequential(a, a)\n" * 300 + "net = nn.Sequential(a)",
    "doubling lists": "a = [nn.ReLU()]\n" + "a = [*a, *a]\n" * 300 + "net = nn.Sequential(*a)",
    "doubling sums": "a = [nn.ReLU()]\n" + "a = a + a\n" * 300 + "net = nn.Sequential(*a)",
    "a network in itself": "net = nn.Sequential()\nnet.append(net)",
    "a class in itself": "class N(nn.Module):\n def __init__(self):\n  self.a = N()\n  self.b = N()\n def forward(self, x):\n  return self.a(x)\nnet = N()",
    "forward in forward": in_class("pass", "return self.forward(self.forward(x))"),
    "long loops": "def f():\n for i in range(1000):\n  for j in range(1000):\n   x = i * j\n" + "y = f()\n" * 3_000 + "net = nn.Sequential(nn.Linear(y, 2))",
    "a loop without end": in_class("while True:\n    self.a = nn.Linear(4, 2)", "return self.a(x)"),
    "large sizes": "net = nn.Sequential(nn.Linear(4, 1" + "0" * 30 + "))",
    "large inputs": "net = nn.Sequential(nn.Linear(1" + "0" * 30 + ", 4))",
    "large channels": "net = nn.Sequential(nn.Conv2d(1" + "0" * 30 + ", 4, 3))",
    "large powers": "net = nn.Sequential(nn.Linear(9 ** 9 ** 9 ** 9, 4))",
    "large shifts": "net = nn.Sequential(nn.Linear(1 << 10 ** 10, 4))",
    "large products": "a = 10 ** 9\n" + "a = a * a\n" * 99 + "net = nn.Sequential(nn.Linear(a, 2))",
    "large texts": "net = nn.Sequential(nn.Linear('a' * 10 ** 10, 4))",
    "large ranges": in_class("for i in range(10 ** 12):\n    self.a = nn.Linear(4, 2)", "return self.a(x)"),
    "large networks": f"net = nn.Sequential({'nn.Linear(4096, 4096), ' * 60})",
    "long numbers": "net = nn.Sequential(nn.Linear(" + "9" * 5_000 + ", 2))",
    "long hexadecimals": "net = nn.Sequential(nn.Linear(0x" + "f" * 50_000 + ", 2))",
    "infinity": "net = nn.Sequential(nn.Linear(4, 2), nn.Dropout(1e999))",
    "no number": "net = nn.Sequential(nn.Linear(4, 2), nn.Dropout(1e999 - 1e999))",
    "division by zero": "net = nn.Sequential(nn.Linear(4 // 0, 2))",
    "negative": "net = nn.Sequential(nn.Linear(-4, 2))",
    "a decorator": "@torch.jit.script\n" + in_class("self.a = nn.Linear(4, 2)", "return self.a(x)"),
    "a lambda": "net = nn.Sequential(lambda x: x)",
    "stars": "net = nn.Sequential(*layers)",
    "two stars": "net = nn.Sequential(**layers)",
    "star arguments": in_class("self.a = nn.Linear(*sizes)", "return self.a(x)").replace("__(self)", "__(self, *sizes)", 1),
    "async": in_class("self.a = nn.Linear(4, 2)", "return self.a(x)").replace("def forward", "async def forward"),
    "yield": in_class("self.a = nn.Linear(4, 2)", "yield self.a(x)"),
    "unicode digits": "net = nn.Sequential(nn.Linear(٤, 2))",
    "a lone surrogate": "x = '\ud800'",
    "a null": "x = 1\0",
    "no Python": "<html>Hello</html>",
    "Chinese": "你好，世界",
    "comments": "net = nn.Sequential(  # " + "(1, " * 20_000 + "\n    nn.ReLU())",
    "prompts": ">>> x = (\n" * 9_000,
    "an escape": "x = '\\d'\nnet = nn.Sequential(nn.Linear(n, 2))",
}


@contextmanager
def at_most(calls: int) -> Iterator[None]:
    """Give up after so many calls and returns of Python's functions: a bound on the work that does not hang on how busy the machine is."""
    left = calls

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise TimeoutError(f"more than {calls:,} calls")

    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)


@pytest.fixture(scope="module")
def warm() -> None:
    """PyTorch is imported and its layers have been asked for their arguments; that takes seconds, once in a process."""
    read(NET)


@pytest.mark.usefixtures("warm")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_refused_with_little_work(name: str) -> None:
    with pytest.raises(PlaygroundError) as caught, at_most(100_000_000):
        read(HOSTILE[name])
    assert 10 < len(str(caught.value)) < 600 and str(caught.value).encode("utf-8", "replace")


def test_a_long_training_script_is_read() -> None:
    around = (NETS / "mnist_example.py").read_text(encoding="utf-8")
    text = NET + around.split("class Net")[1].split("\n\n\n", 1)[1] * 30
    assert len(text) > 60_000
    assert types(text) == ["Linear"]


def test_two_hundred_layers_are_read() -> None:
    assert len(read(f"nn.Sequential(nn.Linear(4, 2), {'nn.ReLU(), ' * 199})").spec.layers) == 200


def test_a_network_beyond_the_limits_is_refused() -> None:
    with pytest.raises(ShapeError, match="parameters"):
        read(HOSTILE["large networks"])
