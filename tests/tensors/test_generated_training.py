"""Generated programs with classes, networks, losses, optimizers and schedules, each compared with Python: values, gradients, prints, errors and their lines."""

from __future__ import annotations

import contextlib
import io
import textwrap
import traceback
import warnings
from typing import Any

import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from playground.tensors.language.bounds import Bounds
from playground.tensors.language.classes import Instance
from playground.tensors.language.interpreter import run

from ..support.tiers import is_quick

PROGRAMS = 40 if is_quick() else 2000
WIDTHS = (2, 3, 5)
ACTIVATIONS = ("nn.ReLU()", "nn.Tanh()", "nn.Sigmoid()", "nn.LeakyReLU(0.2)", "nn.GELU()", "nn.Identity()", "nn.Softplus()")
FUNCTIONS = ("F.relu", "torch.tanh", "torch.sigmoid", "lambda v: v * 2", "F.softplus", "F.elu")
OPTIMIZERS = (
    "torch.optim.SGD({p}, lr=0.1)", "torch.optim.SGD({p}, lr=0.05, momentum=0.9)", "optim.SGD({p}, lr=0.05, momentum=0.9, nesterov=True)",
    "torch.optim.Adam({p}, lr=0.01)", "optim.AdamW({p}, lr=0.01, weight_decay=0.1)", "torch.optim.RMSprop({p}, lr=0.01)",
    "optim.Adagrad({p}, lr=0.1)", "torch.optim.NAdam({p})", "optim.Adamax({p}, lr=0.01)", "optim.SGD([dict(params={p}, lr=0.2)], lr=0.1)",
)  # fmt: skip
SCHEDULES = (
    "optim.lr_scheduler.StepLR(optimizer, 2)",
    "optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)",
    "optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)",
)
LOSSES = ("nn.MSELoss()", "nn.L1Loss()", "nn.SmoothL1Loss()", "F.mse_loss", "nn.MSELoss(reduction='sum')", "lambda p, t: ((p - t) ** 2).mean()")
MISTAKES = (
    "model(torch.ones(2, 9))", "model.fc9(x)", "loss_fn(x)", "optimizer.stepp()", "losses['a']", "model.layers[99]", "y.backward()",
    "torch.ones(2, 3) @ torch.ones(2, 3)",
    "raise ValueError('stop')", "1 / 0", "float('x')", "undefined + 1", "model(x, x, x, x)", "int(torch.ones(2))", "model.state_dict()['none']",
)  # fmt: skip
"""Statements of which most fail."""
FINAL = """
state = {name: value.detach().clone() for name, value in model.state_dict().items()}
grads = [None if p.grad is None else p.grad.clone() for p in model.parameters()]
print(len(losses), sum(p.numel() for p in model.parameters()), model.training)
"""


def indented(text: str, by: int) -> str:
    return textwrap.indent(text, " " * by)


@st.composite
def networks(draw: st.DrawFn) -> str:
    """A class of a network from 3 features to 1, with its layers in one of the ways of tutorials."""
    width, activation, function = draw(st.sampled_from(WIDTHS)), draw(st.sampled_from(ACTIVATIONS)), draw(st.sampled_from(FUNCTIONS))
    depth = draw(st.integers(1, 3))
    way = draw(st.sampled_from(("attributes", "sequential", "list", "plain sequential", "base", "parameters")))
    if way == "plain sequential":
        middle = "".join(f"nn.Linear({width}, {width}), {activation}, " for _ in range(depth - 1))
        return f"model = nn.Sequential(nn.Linear(3, {width}), {activation}, {middle}nn.Linear({width}, 1))\n"
    if way == "attributes":
        body = f"self.fc1 = nn.Linear(3, {width})\nself.fc2 = nn.Linear({width}, 1, bias={draw(st.booleans())})\nself.act = {function}\nself.calls = 0"
        forward = "self.calls += 1\nreturn self.fc2(self.act(self.fc1(x)))"
    elif way == "sequential":
        body = f"self.layers = nn.Sequential(nn.Linear(3, width), {activation}, nn.Dropout(0.0), nn.Linear(width, 1))\nself.scale = scale"
        forward = "return self.layers(x) * self.scale"
    elif way == "list":
        body = f"sizes = [3] + [{width}] * {depth}\n"
        body += f"self.layers = nn.ModuleList([nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])])\nself.out = nn.Linear({width}, 1)"
        forward = f"for layer in self.layers:\n    x = ({function})(layer(x))\nreturn self.out(x)"
    elif way == "base":
        body = f"self.norm = nn.LayerNorm({width})\nself.fc1 = self.linear(3, {width})\nself.fc2 = self.linear({width}, 1)"
        forward = f"h = ({function})(self.norm(self.fc1(x)))\nreturn self.fc2(h) + self.offset"
    else:
        body = f"self.w = nn.Parameter(torch.randn(3, {width}))\nself.v = nn.Parameter(torch.zeros({width}, 1))\nself.register_buffer('shift', torch.ones(1))"
        forward = f"return ({function})(x @ self.w) @ self.v + self.shift"
    base = "nn.Module"
    head = ""
    if way == "base":
        base = "Base"
        head = (
            "class Base(nn.Module):\n    offset = 0.5\n    @staticmethod\n    def linear(a, b):\n        return nn.Linear(a, b)\n"
            "    @property\n    def count(self):\n        return sum(p.numel() for p in self.parameters())\n"
        )
    start = draw(st.sampled_from(("super().__init__()", "super(Net, self).__init__()")))
    return (
        f"{head}class Net({base}):\n    def __init__(self, width={width}, *, scale=1.5):\n        {start}\n{indented(body, 8)}\n"
        f"    def forward(self, x):\n{indented(forward, 8)}\nmodel = Net()\n"
    )


@st.composite
def steps(draw: st.DrawFn, has_schedule: bool) -> str:
    """The body of a training loop."""
    clip = draw(st.sampled_from(("", "nn.utils.clip_grad_norm_(model.parameters(), 0.5)\n", "for p in model.parameters():\n    p.grad.clamp_(-0.1, 0.1)\n")))
    zero = draw(st.sampled_from(("optimizer.zero_grad()\n", "model.zero_grad()\n", "for p in model.parameters():\n    p.grad = None\n", "")))
    accumulate = draw(st.sampled_from(("", "if step % 2:\n    continue\n")))
    note = draw(st.sampled_from(("losses.append(loss.item())\n", "losses += [float(loss)]\n", "total = total + loss.detach()\nlosses.append(total.item())\n")))
    say = draw(st.sampled_from(("", "print(f'{step}: {loss.item():.6f}')\n", "print(step, round(loss.item(), 4), sep=' | ')\n")))
    schedule = "scheduler.step()\n" if has_schedule else ""
    return f"{zero}loss = loss_fn(model(x), y)\nloss.backward()\n{accumulate}{clip}optimizer.step()\n{schedule}{note}{say}"


@st.composite
def programs(draw: st.DrawFn) -> str:
    schedule = draw(st.none() | st.sampled_from(SCHEDULES))
    body = draw(steps(schedule is not None))
    turns = draw(st.integers(1, 4))
    loop = f"for step in range({turns}):\n{indented(body, 4)}"
    if draw(st.booleans()):
        loop = f"def train(model, optimizer, epochs={turns}):\n    total = 0\n"
        loop += f"    for step in range(epochs):\n{indented(body, 8)}    return total\nresult = train(model, optimizer)\n"
    after = draw(st.sampled_from((
        "model.eval()\nwith torch.no_grad():\n    prediction = model(x)\n", "with torch.inference_mode():\n    best = model(x).max()\n", "",
        "def evaluate():\n    model.eval()\n    return [v.item() for v in model(x).detach().flatten()]\nvalues = evaluate()\n",
        "for name, p in model.named_parameters():\n    print(name, tuple(p.shape), p.requires_grad)\n",
        "for p in model.parameters():\n    p.requires_grad_(False)\nfrozen = all(not p.requires_grad for p in model.parameters())\n",
    )))  # fmt: skip
    mistake = draw(st.none() | st.sampled_from(MISTAKES))
    wrong = ""
    if mistake:
        wrong = draw(st.sampled_from(("{}\n", "try:\n    {}\nexcept Exception as error:\n    print(type(error).__name__)\n"))).format(mistake)
    made = draw(st.sampled_from(OPTIMIZERS)).format(p="model.parameters()")
    made_schedule = f"scheduler = {schedule}\n" if schedule else ""
    return (
        f"import torch.optim as optim\ntorch.manual_seed({draw(st.integers(0, 9))})\nx, y = torch.randn(6, 3), torch.randn(6, 1)\n{draw(networks())}"
        f"loss_fn = {draw(st.sampled_from(LOSSES))}\noptimizer = {made}\n{made_schedule}losses, total = [], 0\n{loop}{after}{wrong}{FINAL}"
    )


def plain(value: Any) -> Any:
    """A value as it can be compared; None for what is an object of the script."""
    if isinstance(value, torch.Tensor):
        return ("tensor", value.dtype, value.requires_grad, str(value.tolist()))
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return value if isinstance(value, (int, float, str, bool, type(None))) else None


def python(source: str) -> tuple[dict[str, Any], str, Exception | None, int]:
    """Run a program in Python: its names, what it printed, its error and the line of it."""
    found: dict[str, Any] = {"torch": torch, "nn": nn, "F": F}
    output, error, line = io.StringIO(), None, 0
    with contextlib.redirect_stdout(output):
        try:
            exec(compile(source, "script", "exec"), found)  # noqa: S102 (programs of this file)
        except Exception as raised:
            error = raised
            line = [frame.lineno for frame in traceback.extract_tb(raised.__traceback__) if frame.filename == "script"][-1] or 0
    return found, output.getvalue(), error, line


@given(programs())
@settings(max_examples=PROGRAMS, suppress_health_check=list(HealthCheck))
def test_generated_trainings_do_what_they_do_in_python(source: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted, output, error, line = python(source)
        execution = run(source, bounds=Bounds(seconds=20))
    if error is None:
        assert execution.error is None, f"{execution.error!r}\n{source}"
    else:
        assert execution.error is not None, f"Python says {error!r}\n{source}"
        assert getattr(execution.error.node, "lineno", 0) == line, f"{error!r} {execution.error!r}\n{source}"
    assert execution.output == output, source
    names = [name for name, value in execution.names.items() if name in wanted and not isinstance(value, Instance)]
    assert {name: plain(execution.names[name]) for name in names} == {name: plain(wanted[name]) for name in names}, source
    assert error is not None or {"state", "grads", "losses"} <= set(names), source
