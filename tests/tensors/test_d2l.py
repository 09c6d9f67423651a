"""The module d2l of the book "Dive into Deep Learning": a script of the playground's own, run by the interpreter."""

from __future__ import annotations

import pytest
import torch

from playground.tensors.language.bounds import Bounds
from playground.tensors.language.errors import Refused, ScriptError
from playground.tensors.language.interpreter import Execution, run
from playground.tensors.xray.report import report

HEAD = "from d2l import torch as d2l\n"


def executed(source: str) -> Execution:
    execution = run(source, bounds=Bounds(seconds=30))
    assert execution.error is None, execution.error
    return execution


def test_linear_regression_from_scratch() -> None:
    source = """%matplotlib inline
import random
import torch
from d2l import torch as d2l
torch.manual_seed(0)
true_w, true_b = torch.tensor([2, -3.4]), 4.2
features, labels = d2l.synthetic_data(true_w, true_b, 1000)
d2l.set_figsize()
d2l.plt.scatter(features[:, (1)].detach().numpy(), labels.detach().numpy(), 1);
def data_iter(batch_size, features, labels):
    indices = list(range(len(features)))
    random.shuffle(indices)
    for i in range(0, len(features), batch_size):
        batch = torch.tensor(indices[i: min(i + batch_size, len(features))])
        yield features[batch], labels[batch]
w = torch.normal(0, 0.01, size=(2, 1), requires_grad=True)
b = torch.zeros(1, requires_grad=True)
lr, net, loss = 0.03, d2l.linreg, d2l.squared_loss
for epoch in range(3):
    for X, y in data_iter(10, features, labels):
        l = loss(net(X, w, b), y)
        l.sum().backward()
        d2l.sgd([w, b], lr, 10)
"""
    names = executed(source).names
    assert torch.allclose(names["w"].detach().reshape(-1), torch.tensor([2, -3.4]), atol=0.01)
    assert torch.allclose(names["b"].detach(), torch.tensor([4.2]), atol=0.01)


def test_a_network_is_trained_and_its_curves_are_drawn() -> None:
    execution = executed(HEAD + """torch.manual_seed(0)
X = torch.randn(60, 4)
iterator = d2l.load_array((X, (X[:, 0] > 0).long()), 10)
net = nn.Sequential(nn.Linear(4, 2))
d2l.train_ch3(net, iterator, iterator, nn.CrossEntropyLoss(reduction='none'), 5, torch.optim.SGD(net.parameters(), lr=0.5))
accuracy = d2l.evaluate_accuracy(net, iterator)
W = nn.Parameter(torch.zeros(4, 2))
d2l.train_ch3(lambda X: X @ W, iterator, iterator, nn.CrossEntropyLoss(reduction='none'), 2, lambda count: d2l.sgd([W], 0.1, count))
print(d2l.corr2d(torch.ones(3, 3), torch.ones(2, 2)).tolist(), d2l.Timer().stop() >= 0, d2l.try_gpu(), d2l.get_fashion_mnist_labels([0, 9]))
""")  # fmt: skip
    assert execution.names["accuracy"] > 0.9
    assert execution.output == "[[4.0, 4.0], [4.0, 4.0]] True cpu ['t-shirt', 'ankle boot']\n"
    first, second = report(execution)["figures"]
    assert [(mark["label"], mark["x"]) for mark in first["plots"][0]["marks"]] == [(name, [1, 2, 3, 4, 5]) for name in ("train loss", "train acc", "test acc")]
    assert [len(mark["x"]) for mark in second["plots"][0]["marks"]] == [2, 2, 2]


def test_curves_are_plotted() -> None:
    one, two, three = report(executed(HEAD + """x = torch.arange(0, 3, 0.1)
d2l.plot(x, x ** 2, 'x', 'f(x)', figsize=(5, 2.5))
d2l.plot(x, [x ** 2, 2 * x], 'x', 'f(x)', legend=['f(x)', 'tangent'])
d2l.plot([x, x + 1], [x.sin(), x.cos()], xscale='log')
"""))["figures"]  # fmt: skip
    assert (len(one["plots"][0]["marks"]), one["plots"][0]["across"], one["plots"][0]["upward"]) == (1, "x", "f(x)")
    assert [mark["label"] for mark in two["plots"][0]["marks"]] == ["f(x)", "tangent"]
    assert three["plots"][0]["logarithmic"] == ["x"]


def test_what_a_script_calls_its_own_is_not_that_of_the_module() -> None:
    names = executed(
        "torch_, plt, sgd = torch, 1, 2\n" + HEAD + "y = d2l.linreg(torch_.ones(1, 2), torch_.ones(2, 1), 1.0)\nimport d2l.torch as other\nsame = other is d2l"
    ).names
    assert (names["plt"], names["sgd"], names["y"].tolist(), names["same"]) == (1, 2, [[3.0]], True)
    assert "synthetic_data" not in names


@pytest.mark.parametrize(
    "source", ["d2l.nothing", "d2l._is_list_of_lines([1])", "d2l.__dict__", "d2l.torch", "d2l.names", "d2l()", "d2l.plot = 1", "d2l.load_data_fashion_mnist(8)"]
)
def test_what_the_module_does_not_have_is_refused(source: str) -> None:
    error = run(HEAD + source).error
    assert isinstance(error, (Refused, ScriptError))
    assert "Namespace" not in str(error)
