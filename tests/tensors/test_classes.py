"""Classes of scripts, plain ones and networks: the same as in Python."""

from __future__ import annotations

import pytest

from playground.tensors.language.errors import BoundsExceeded, OperationFailed, Refused
from playground.tensors.language.interpreter import run
from playground.tensors.xray.report import report

from .test_language import agree

PROGRAMS = """
class Clamp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, limit):
        ctx.save_for_backward(x)
        ctx.limit = limit
        return x.clamp(min=limit)
    @staticmethod
    def backward(ctx, grad):
        x, = ctx.saved_tensors
        print(ctx.limit, ctx.needs_input_grad)
        grad = grad.clone()
        grad[x < ctx.limit] = 0
        return grad, None
x = torch.tensor([-1.0, 2.0], requires_grad=True)
y = Clamp.apply(x, 0.5)
print(y)
y.sum().backward()
clamp = Clamp.apply
z = (clamp(x * 2, 0.0) ** 2).sum()
z.backward()
print(x.grad)
===
class Bad(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2
    @staticmethod
    def backward(ctx, grad):
        return ctx.nothing
x = torch.ones(1, requires_grad=True)
try:
    Bad.apply(x).backward()
except AttributeError:
    print("no attribute")
===
class Net(nn.Module):
    def __init__(self, hidden=4, *, out=2):
        super().__init__()
        self.fc = nn.Linear(hidden, out)
    def forward(self, x, scale=2.0):
        return self.fc(x) * scale
torch.manual_seed(0)
net = Net()
y = net(torch.ones(1, 4))
z = Net(3, out=1)(torch.ones(1, 3), scale=0.5)
===
class Counter:
    total = 0
    def __init__(self, start=0):
        self.n = start
    def step(self, by=1):
        self.n += by
        Counter.total += by
        return self
    def __repr__(self):
        return f"Counter({self.n})"
c = Counter(3)
n = c.step().step(2).n
print(c, str(c), f"{c}", repr(c), c.total, Counter.total)
del c
===
class Shape:
    def area(self):
        raise NotImplementedError
    def describe(self):
        return f"area {self.area()}"
class Square(Shape):
    def __init__(self, side):
        self.side = side
    def area(self):
        return self.side ** 2
class Named(Square):
    def __init__(self, side, name):
        super().__init__(side)
        self.name = name
    def describe(self):
        return self.name + ": " + super().describe()
r = [Square(2).describe(), Named(3, "s").describe(), isinstance(Named(1, "a"), Shape), isinstance(Square(1), Named)]
Shape().describe()
===
class A:
    def who(self):
        return ["A"]
class B(A):
    def who(self):
        return ["B"] + super().who()
class C(A):
    def who(self):
        return ["C"] + super(C, self).who()
class D(B, C):
    pass
r = D().who()
===
class Vector:
    def __init__(self, *xs):
        self.xs = list(xs)
    def __add__(self, other):
        return Vector(*[a + b for a, b in zip(self.xs, other.xs)])
    def __mul__(self, k):
        return Vector(*[a * k for a in self.xs])
    __rmul__ = __mul__
    def __eq__(self, other):
        return self.xs == other.xs
    def __len__(self):
        return len(self.xs)
    def __getitem__(self, i):
        return self.xs[i]
    def __setitem__(self, i, v):
        self.xs[i] = v
    def __contains__(self, v):
        return v in self.xs
    def __call__(self, i=0):
        return self.xs[i]
    def __bool__(self):
        return any(self.xs)
    def __neg__(self):
        return self * -1
    def __lt__(self, other):
        return self.xs < other.xs
v = Vector(1, 2)
w = Vector(3, 4)
r = [(v + w).xs, (v * 2).xs, (3 * v).xs, v == Vector(1, 2), v != w, len(v), v[1], list(v), 2 in v, 5 not in v, v(1), bool(Vector(0)), (-v).xs, v < w, w > v]
v[0] = 9
s = [x for x in v], max([v, w]).xs, sum(v)
v += w
t = v.xs
del v, w
===
class Up:
    def __init__(self, n):
        self.n = n
    def __iter__(self):
        self.i = 0
        return self
    def __next__(self):
        if self.i >= self.n:
            raise StopIteration
        self.i += 1
        return self.i
class Tree:
    def __init__(self, *parts):
        self.parts = parts
    def __iter__(self):
        for part in self.parts:
            if isinstance(part, Tree):
                yield from part
            else:
                yield part
r = list(Up(3)), [x for x in Up(2)], sum(Up(4)), list(Tree(1, Tree(2, 3), 4))
===
class T:
    scale = 2
    @staticmethod
    def double(x):
        return x * 2
    @classmethod
    def make(cls, x):
        t = cls()
        t.x = x
        return t
    @property
    def twice(self):
        return self.x * self.scale
t = T.make(4)
r = [T.double(3), t.double(4), t.twice, T.scale]
t.scale = 3
s = t.twice
del t
===
class A:
    pass
a = A()
a.b = 1
a.c
===
class A:
    def f(self):
        return 1
A().f(2)
===
class A:
    pass
A(1)
===
class A:
    def __init__(self, x):
        self.x = x
A()
===
class A:
    x = [1, 2]
    y = [i * 2 for i in x]
    def f(self):
        return x
x = "outer"
r = A.y, A().f()
===
class Linear(nn.Module):
    def __init__(self, n, m):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n, m))
        self.bias = nn.Parameter(torch.zeros(m))
    def forward(self, x):
        return x @ self.weight + self.bias
net = Linear(2, 3)
y = net(torch.ones(1, 2))
n = [name for name, _ in net.named_parameters()], sum(p.numel() for p in net.parameters())
net = None
===
torch.manual_seed(0)
class Net(nn.Module):
    def __init__(self, hidden=5):
        super(Net, self).__init__()
        self.fc1 = nn.Linear(4, hidden)
        self.act = nn.ReLU()
        self.fc2 = nn.Linear(hidden, 2)
        self.calls = 0
    def forward(self, x):
        self.calls += 1
        x = self.act(self.fc1(x))
        return F.log_softmax(self.fc2(x), dim=1)
net = Net()
print(net)
y = net(torch.ones(3, 4))
print(net.calls, net.training, net.fc1.weight.shape, len(list(net.parameters())))
net.eval()
print(net.training, net.fc1.training)
state = net.state_dict()
net = None
===
torch.manual_seed(1)
class Block(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(n, n), nn.Tanh())
    def forward(self, x):
        return x + self.inner(x)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Block(3) for _ in range(2)])
        self.head = nn.Sequential(Block(3), nn.Linear(3, 1))
    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)
net = Net()
y = net(torch.ones(2, 3))
names = [name for name, _ in net.named_parameters()]
opt = torch.optim.Adam(net.parameters(), lr=0.1)
loss_fn = nn.MSELoss()
losses = []
for i in range(3):
    loss = loss_fn(net(torch.ones(2, 3)), torch.zeros(2, 1))
    opt.zero_grad()
    loss.backward()
    opt.step()
    losses.append(loss.item())
print(net)
net = None
===
class Net(nn.Module):
    def __init__(self):
        self.fc = nn.Linear(2, 2)
Net()
===
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)
net = Net()
net(torch.ones(1, 2))
===
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)
    def forward(self, x):
        return self.fc2(x)
Net()(torch.ones(1, 2))
===
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)
    def forward(self, x):
        return self.fc(x)
Net()(torch.ones(1, 5))
===
class Net(nn.Module):
    def forward(self, x):
        return x * 2
net = nn.Sequential(Net(), nn.Flatten(), Net())
y = net(torch.ones(1, 2))
net = None
===
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.calls = 0
        self.fc = nn.Linear(2, 2)
    def forward(self, x):
        self.calls += 1
        print("called", self.calls)
        return self.fc(x)
torch.manual_seed(0)
own = Net()
net = nn.Sequential(own, nn.ReLU(), nn.Sequential(Net(), nn.Linear(2, 1)))
y = net(torch.ones(1, 2))
calls = own.calls
own = net = None
===
class Data:
    def __init__(self, n):
        self.x = torch.arange(float(n))
    def __len__(self):
        return len(self.x)
    def __getitem__(self, i):
        return self.x[i], self.x[i] * 2
d = Data(3)
r = len(d), d[1], [a + b for a, b in (d[i] for i in range(len(d)))]
del d
===
from dataclasses import dataclass, field

@dataclass
class Settings:
    width: int
    depth: int = 2
    names: list = field(default_factory=list)
    def __post_init__(self):
        self.size = self.width * self.depth

@dataclass(order=False)
class More(Settings):
    rate: float = 0.1

a, b = Settings(3), More(width=4, rate=0.5)
print(a, b, a == Settings(3), a == Settings(4), a == b, a.size, b.size)
a.names.append("x")
print(Settings(3).names)
del a, b
===
from dataclasses import dataclass
@dataclass
class Settings:
    width: int
    depth: int
Settings(1)
===
from dataclasses import dataclass
@dataclass
class Settings:
    width: int = 1
    depth: int
===
class ConvBlock(nn.Sequential):
    def __init__(self, channels, *, slope=0.0):
        super().__init__(nn.Conv2d(1, channels, 3), nn.LeakyReLU(slope))
class Twice(nn.Sequential):
    pass
torch.manual_seed(0)
net = Twice(ConvBlock(2), nn.Flatten())
print(net, len(net), len(net[0]), [type(part).__name__ for part in net])
print(net(torch.ones(2, 1, 4, 4)).shape, net[0][0].weight.shape)
del net
===
net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
net[1] = nn.Tanh()
del net[2]
last = net.pop(1)
net.insert(0, nn.Flatten())
print(net, last)
net[5] = last
===
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self._hidden = 3
        self._layers = self._make(2)
    def _make(self, n):
        return nn.Sequential(*[nn.Linear(self._hidden, self._hidden) for _ in range(n)])
    def forward(self, x):
        return self._layers(x)
print(Net()(torch.ones(1, 3)).shape, Net()._hidden)
===
import math
print(math.prod([2, 3, 4]), math.prod(range(1, 5), start=2), type(nn.ReLU()).__name__, nn.ReLU.__name__, type(1).__name__)
class Net(nn.Module):
    def forward(self, x):
        return x
for part in (Net(), nn.Flatten(), 1.5, "a", [1]):
    print(part.__class__.__name__)
print(Net().__class__ is Net, Net().__class__.__name__, (3).__class__ == int)
del part
===
import argparse
parser = argparse.ArgumentParser(description="x")
parser.add_argument("--batch-size", type=int, default=64, metavar="N", help="x")
parser.add_argument("--no-cuda", action="store_true", default=False)
parser.add_argument("-l", "--lr", type=float, default="0.1")
parser.add_argument("--save", dest="to", action="store_false")
args = parser.parse_args([])
print(args.batch_size, args.no_cuda, args.lr, args.to, args)
args = parser.parse_args(["--batch-size", "8", "--no-cuda", "--lr=2"])
print(args)
del parser, args
===
layer = nn.TransformerEncoderLayer(4, 2, activation=F.gelu)
print(layer(torch.ones(2, 3, 4)).shape)
del layer
""".strip().split("\n===\n")


def test_everything_of_a_module_is_imported_by_a_star() -> None:
    execution = run("from math import *\nfrom torch.nn import *\nfrom d2l.torch import *\nprint(floor(2.5), prod([2, 3]), Sequential(Linear(2, 2), ReLU())[1])")
    assert execution.error is None and execution.output == "2 6 ReLU()\n"


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        ("nn.Sequential(nn.ReLU)", "torch.nn.modules.activation.ReLU is not a Module subclass", "its brackets are missing: write `nn.ReLU()`"),
        ("nn.Sequential(F.relu)", "torch.nn.functional.relu is not a Module subclass", "takes layers, such as `nn.ReLU()`"),
        ("nn.Sequential([nn.ReLU()])", "list is not a Module subclass", "Write a star before it"),
    ],
)
def test_what_is_no_layer_in_a_sequence_is_explained(source: str, message: str, hint: str) -> None:
    error = run(source).error
    assert error is not None and message in error.message and hint in error.hint


@pytest.mark.parametrize("source", PROGRAMS, ids=lambda source: source.replace("\n", "; ")[:60])
def test_classes_do_what_they_do_in_python(source: str) -> None:
    agree(source)


def test_the_weights_of_an_own_network_are_shown() -> None:
    source = (
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.fc = nn.Linear(2, 1)\n"
        "    def forward(self, x):\n        return self.fc(x)\n"
        "net = Net()\nopt = torch.optim.SGD(net.parameters(), lr=1.0)\nnet(torch.ones(1, 2)).sum().backward()\nopt.step()"
    )
    document = report(run(source))
    assert {"net.fc.weight", "net.fc.bias"} <= document["names"].keys()
    assert [output["name"] for step in document["steps"] if step["line"] == 10 for output in step["outputs"]] == ["net.fc.weight", "net.fc.bias"]


@pytest.mark.parametrize(
    "source",
    [
        "class A(metaclass=print):\n    pass",
        "@eval\nclass A:\n    pass",
        "class N(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self._parameters = nn.Linear(2, 2)\nN()",
        "class N(nn.Module): pass\nN()._apply(abs)",
        "class N(nn.Sequential): pass\nN(3)",
        "class N(nn.Sequential): pass\nN()(1, 2)",
        "class A(torch.Tensor):\n    pass",
        "class A(nn.Linear):\n    pass",
        "class A(list):\n    pass",
        "class A:\n    def __del__(self):\n        pass",
        "class A:\n    def __getattr__(self, n):\n        pass",
        "class A:\n    def __reduce__(self):\n        pass",
        "class A:\n    __slots__ = []",
        "class A: pass\nA.__dict__",
        "class A: pass\nA().__class__.__dict__",
        "class A: pass\nA.__bases__",
        "class A: pass\nA.__subclasses__()",
        "class A: pass\nA().f.__func__",
        "class N(nn.Module): pass\nN()._parameters",
        "class N(nn.Module): pass\nN().apply(1)",
        "class N(nn.Module): pass\nN().__dict__",
        "class N(nn.Module): pass\nN()._script_instance",
        "class N(nn.Module): pass\nN().register_forward_pre_hook(print)",
        "class A: pass\ntorch.tensor(A())",
        "class A: pass\nnp.array([A()])",
        "class A: pass\ntorch.ones(A())",
        "class A:\n    def __init__(self):\n        super().__getattribute__('x')\nA()",
        "super()",
        "class A:\n    def f(self):\n        return super().f\nA().f()",
        "super(1, 2)",
        "nn.Module.__init__(1)",
        "object.__new__(object)",
        "nn.Module.apply",
    ],
)
def test_what_no_class_may_do_is_refused(source: str) -> None:
    error = run(source).error
    assert isinstance(error, (Refused, OperationFailed)), error


@pytest.mark.parametrize(
    "source",
    [
        "class A:\n    def __init__(self):\n        self.a = A()\nA()",
        "class A:\n    def __getitem__(self, i):\n        return i\nlist(A())",
        "class A:\n    def __iter__(self):\n        return self\n    def __next__(self):\n        return 1\nsum(A())",
        "class A:\n    def __eq__(self, o):\n        return self == o\nA() == A()",
        "class A:\n    def __repr__(self):\n        return repr(self)\nprint(A())",
        "class A:\n    def __len__(self):\n        return len(self)\nlen(A())",
        "class A:\n    def __call__(self):\n        return self()\nA()()",
        "class N(nn.Module):\n    def forward(self, x):\n        return self(x)\nN()(1)",
        "class A:\n    @property\n    def p(self):\n        return self.p\nA().p",
    ],
)
def test_what_never_ends_is_stopped(source: str) -> None:
    assert isinstance(run(source).error, BoundsExceeded)


def test_a_network_keeps_its_script_whatever_its_layers_are_called() -> None:
    source = (
        "class N(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.script_instance = nn.Linear(1, 1)\n        self.script_forward = nn.ReLU()\n"
        "    def forward(self, x):\n        return x * 2\n"
        "y = nn.Sequential(N(), nn.Flatten())(torch.ones(1, 2))"
    )
    assert run(source).names["y"].tolist() == [[2.0, 2.0]]
