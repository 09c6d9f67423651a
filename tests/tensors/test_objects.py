"""Layers, losses, optimizers and schedulers of scripts: the same as in Python, and nothing else of PyTorch's objects."""

from __future__ import annotations

import pytest
import torch

from playground.tensors.language.errors import BoundsExceeded, OperationFailed, Refused
from playground.tensors.language.interpreter import run
from playground.tensors.language.objects import MADE
from playground.tensors.xray.report import report

from .test_language import agree

PROGRAMS = """
class MySequential(nn.Module):
    def __init__(self, *args):
        super().__init__()
        for idx, module in enumerate(args):
            self._modules[str(idx)] = module
    def forward(self, X):
        for block in self._modules.values():
            X = block(X)
        return X
torch.manual_seed(0)
net = MySequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
y = net(torch.ones(1, 3))
print(net, list(net._modules.keys()), len(net._modules), [name for name, _ in net._modules.items()], net._modules["0"].in_features)
torch.set_default_device("cpu")
torch.random.manual_seed(3)
torch.cuda.manual_seed_all(3)
x = torch.rand(2)
print(torch.typename(x), torch.typename(torch.ones(1).long()))
def main():
    print(__name__)
if __name__ == "__main__":
    main()
===
import os, sys
from PIL import Image
class Net(nn.Module):
    def __init__(self, n=3):
        super().__init__()
        for i in range(n):
            setattr(self, f"fc{i}", nn.Linear(2, 2))
        self.register_buffer("scale", torch.ones(2))
        self.add_module("act", nn.Tanh())
        self.n = n
    def forward(self, x):
        for i in range(self.n):
            x = getattr(self, f"fc{i}")(x)
        return self.act(x) * self.scale
net = Net()
order = []
def init(m):
    order.append(str(m)[:9])
    if isinstance(m, nn.Linear):
        nn.init.ones_(m.weight)
        m.bias.data.fill_(0.5)
print(net.apply(init) is net, order, [name for name, _ in net.named_modules()], list(net.state_dict()))
print(hasattr(net, "scale"), hasattr(net, "other"), hasattr(nn.ReLU(), "bias"), getattr(net, "other", 7), getattr(torch, "relu")(torch.tensor(-1.0)))
shapes = []
handle = net.fc0.register_forward_hook(lambda m, i, o: shapes.append((o.shape, len(i))))
y = net(torch.ones(1, 2))
handle.remove()
z = net(torch.ones(1, 2))
seq = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
doubled = seq[1].register_forward_hook(lambda m, i, o: o * 2)
nn.init.ones_(seq[0].weight)
nn.init.zeros_(seq[0].bias)
w = seq(torch.ones(1, 2))
===
torch.manual_seed(0)
net = nn.Linear(2, 1)
opt = torch.optim.LBFGS(net.parameters(), lr=0.5, max_iter=3)
x, y = torch.randn(8, 2), torch.randn(8, 1)
def closure():
    opt.zero_grad()
    loss = nn.functional.mse_loss(net(x), y)
    loss.backward()
    return loss
losses = [opt.step(closure).item() for _ in range(3)] + [opt.step(closure=closure).item()]
sgd = torch.optim.SGD(net.parameters(), lr=1.0)
half = torch.optim.lr_scheduler.LambdaLR(sgd, lr_lambda=lambda epoch: 0.5 ** epoch)
for _ in range(2):
    sgd.step()
    half.step()
    print(half.get_last_lr())
plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(sgd, patience=0)
for value in [1.0, 2.0, torch.tensor(3.0)]:
    plateau.step(value)
print(sgd.param_groups[0]["lr"])
===
torch.manual_seed(0)
layer = nn.Linear(3, 2)
y = layer(torch.ones(1, 3))
w = layer.weight.detach()
print(layer, layer.weight.shape, layer.bias, layer.in_features)
===
torch.manual_seed(0)
net = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Dropout(0.5), nn.Linear(3, 2))
print(net, len(net), net[1], net[-1].bias)
count = sum(p.numel() for p in net.parameters())
shapes = {name: p.shape for name, p in net.named_parameters()}
net.eval()
y = net(torch.ones(2, 2, 2))
print(net.training)
net.train()
z = net(torch.ones(2, 2, 2))
===
torch.manual_seed(1)
net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
loss_fn = nn.MSELoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
X = torch.randn(16, 2)
Y = X.prod(1, keepdim=True)
losses = []
for epoch in range(10):
    loss = loss_fn(net(X), Y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
final = [p.detach() for p in net.parameters()]
===
from torch import nn, optim
torch.manual_seed(2)
net = nn.Linear(4, 3)
criterion = nn.CrossEntropyLoss()
opt = optim.Adam(net.parameters(), lr=1e-2, weight_decay=0.1)
schedule = optim.lr_scheduler.StepLR(opt, step_size=2, gamma=0.5)
x, y = torch.randn(6, 4), torch.tensor([0, 1, 2, 0, 1, 2])
for step in range(4):
    opt.zero_grad()
    criterion(net(x), y).backward()
    opt.step()
    schedule.step()
    print(schedule.get_last_lr())
opt.param_groups[0]["lr"] = 0.5
lr = opt.param_groups[0]["lr"]
w = net.weight.data
predicted = net(x).argmax(1)
accuracy = (predicted == y).float().mean().item()
===
w = nn.Parameter(torch.tensor([1.0, 2.0]))
opt = torch.optim.RMSprop([w], lr=0.1)
(w ** 2).sum().backward()
opt.step()
opt.zero_grad()
g = w.grad
v = w.detach()
===
torch.manual_seed(3)
layer = nn.Linear(2, 2)
nn.init.constant_(layer.bias, 0.5)
nn.init.xavier_uniform_(layer.weight)
layer.weight.data.fill_(1.0)
with torch.no_grad():
    layer.bias.zero_()
y = layer(torch.ones(1, 2))
state = layer.state_dict()
other = nn.Linear(2, 2)
other.load_state_dict(state)
same = torch.equal(other.weight, layer.weight)
===
layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
x = torch.zeros(1, 2)
for layer in layers:
    nn.init.ones_(layer.weight)
    nn.init.zeros_(layer.bias)
    x = layer(x + 1)
kinds = [isinstance(layer, nn.Linear) for layer in layers], isinstance(layers[0], (nn.ReLU, nn.Conv2d)), type(layers[0]) == nn.Linear
===
bn = nn.BatchNorm1d(2)
y = bn(torch.tensor([[1.0, 2.0], [3.0, 6.0]]))
mean, count = bn.running_mean, bn.num_batches_tracked
bn.eval()
z = bn(torch.ones(2, 2))
===
conv = nn.Conv2d(1, 2, kernel_size=3, padding=1)
pool = nn.MaxPool2d(2)
nn.init.ones_(conv.weight)
nn.init.zeros_(conv.bias)
y = pool(torch.relu(conv(torch.ones(1, 1, 4, 4))))
print(conv.kernel_size, conv.stride, y.shape)
===
torch.manual_seed(0)
rnn = nn.LSTM(3, 4, batch_first=True)
out, (h, c) = rnn(torch.zeros(2, 5, 3))
shapes = out.shape, h.shape, c.shape
===
def train(net, loss_fn, x, y, steps):
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(steps):
        opt.zero_grad()
        l = loss_fn(net(x), y)
        l.backward()
        opt.step()
    return l.item()
torch.manual_seed(4)
r = train(nn.Linear(2, 1), nn.L1Loss(), torch.ones(4, 2), torch.zeros(4, 1), 5)
===
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
opt = torch.optim.SGD([{'params': net[0].parameters(), 'lr': 0.5}, dict(params=[net[1].weight]), {'params': net[1].bias, 'momentum': 0.9}], lr=0.1)
for step in range(2):
    opt.zero_grad()
    net(torch.ones(1, 2)).sum().backward()
    opt.step()
r = [(g['lr'], g['momentum'], len(g['params'])) for g in opt.param_groups], [p.detach() for p in net.parameters()]
===
torch.manual_seed(0)
net = nn.Linear(2, 1)
for p in net.parameters():
    p.requires_grad = False
r = [p.requires_grad for p in net.parameters()], net.requires_grad_(True).weight.requires_grad
===
layer = nn.Linear(2, 3)
layer(torch.ones(1, 5))
===
loss = nn.CrossEntropyLoss()(torch.zeros(2, 3), torch.tensor([0.0, 1.0]))
===
opt = torch.optim.SGD([], lr=0.1)
===
net = nn.ReLU()
net[0]
===
for part in nn.ReLU():
    pass
""".strip().split("\n===\n")


@pytest.mark.parametrize("source", PROGRAMS, ids=lambda source: source.replace("\n", "; ")[:60])
def test_programs_do_what_they_do_in_python(source: str) -> None:
    agree(source)


@pytest.mark.parametrize("name", [name for name in MADE if name.startswith("torch.optim.") and name.count(".") == 2])
def test_every_optimizer_steps_as_in_python(name: str) -> None:
    agree(
        f"w = nn.Parameter(torch.tensor([1.0, -2.0]))\nopt = {name}([w], lr=0.1)\n"
        "for i in range(3):\n    opt.zero_grad()\n    (w ** 2).sum().backward()\n    opt.step()\nr = w.detach()"
    )


def test_a_step_of_an_optimizer_shows_the_weights_that_it_moves() -> None:
    source = "net = nn.Linear(2, 1)\nopt = torch.optim.SGD(net.parameters(), lr=1.0)\nnet(torch.ones(1, 2)).sum().backward()\nopt.step()"
    document = report(run(source))
    (step,) = (step for step in document["steps"] if step["line"] == 4)
    assert [(output["name"], output["changed"]) for output in step["outputs"]] == [("net.weight", True), ("net.bias", True)]
    assert {"net.weight", "net.bias"} <= document["names"].keys()
    assert "net" not in document["names"]


def test_a_report_does_not_step_again() -> None:
    execution = run("w = nn.Parameter(torch.ones(2))\nopt = torch.optim.SGD([w], lr=0.5)\n(w * 2).sum().backward()\nopt.step()")
    before = execution.names["w"].tolist()
    report(execution)
    assert execution.names["w"].tolist() == before == [0.0, 0.0]


def test_a_batch_norm_is_not_moved_by_its_report() -> None:
    execution = run("bn = nn.BatchNorm1d(2)\ny = bn(torch.tensor([[1.0, 2.0], [3.0, 6.0]]))")
    before = execution.names["bn"].module.running_mean.tolist()
    report(execution)
    assert execution.names["bn"].module.running_mean.tolist() == before


@pytest.mark.parametrize(
    "expression",
    [
        "net._modules.update({})", "net._modules.__class__", "net._modules[1]", "net._parameters", "torch._modules", "net.__dict__",
        "net.__class__.forward", "net.forward(torch.ones(1, 2))", "net.weight.register_hook(print)", "net.share_memory()", "net.compile()",
        "net.get_submodule('a')", "net.type(print)", "net._apply(print)", "net.dump_patches", "opt.state", "opt.defaults", "opt.add_param_group({})",
        "opt.register_step_post_hook(print)", "opt.load_state_dict({})",
        "opt.step(1)", "opt._zero_grad_profile_name",  "nn.Module()",
        "nn.Linear.forward", "nn.Linear.__init__", "nn.ReLU().__class__.__init__", "nn.modules", "nn.modules.module", "nn.utils.parametrize", "nn.parallel",
        "torch.optim.Optimizer", "torch.optim.lr_scheduler.LambdaLR(opt, 'os')", "torch.add(net, 1)", "torch.tensor(net)",
        "torch.tensor([opt])", "nn.Linear(net, 2)", "nn.TransformerEncoderLayer(4, 2, activation=print)", "nn.Sequential(print)", "nn.Sequential({'a': print})",
        "net.to(net)", "net.to(print)", "net.load_state_dict(print)",
        "net.weight.grad_fn.register_hook(print)", "(net.out_features).real.x", "nn.Embedding(-1, 2)",
    ],
)  # fmt: skip
def test_nothing_else_of_the_objects_is_reached(expression: str) -> None:
    execution = run(f"net = nn.Linear(2, 2)\nw = nn.Parameter(torch.ones(2))\nopt = torch.optim.SGD([w], lr=0.1)\nr = {expression}")
    assert isinstance(execution.error, (Refused, OperationFailed)), expression
    assert execution.output == ""


@pytest.mark.parametrize(
    "source",
    [
        "nn.Linear(10**5, 10**5)", "nn.Embedding(10**9, 10)", "nn.LSTM(10**4, 10**4)", "nn.Sequential(*[nn.ReLU()] * 1000)", "nn.Conv2d(10**4, 10**4, 30)",
        "nn.Upsample(size=(10**5, 10**5))(torch.ones(1, 1, 2, 2))", "net = nn.Linear(1000, 1000)\nx = [nn.Linear(1000, 1000) for i in range(50)]",
        "nn.ZeroPad2d(10**6)(torch.ones(1, 1, 2, 2))", "nn.ModuleList([nn.Linear(9, 9)] * 10**6)",
    ],
)  # fmt: skip
def test_what_is_too_large_is_refused_before_it_is_made(source: str) -> None:
    assert isinstance(run(source).error, (BoundsExceeded, OperationFailed)), source


def test_every_class_can_be_named() -> None:
    for name in MADE:
        execution = run(f"made = {name}")
        assert execution.error is None
        assert "class" in repr(execution.names["made"])


def test_random_numbers_of_layers_are_those_of_pytorch() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        wanted = torch.nn.Linear(3, 2).weight.tolist()
    assert run("torch.manual_seed(5)\nw = nn.Linear(3, 2).weight.detach()").names["w"].tolist() == wanted


def test_a_hook_that_would_never_be_called_is_refused() -> None:
    source = "net = nn.TransformerEncoderLayer(4, 2)\nnet.linear1.register_forward_hook(lambda m, i, o: print(1))\nnet(torch.ones(1, 2, 4))"
    error = run(source).error
    assert isinstance(error, Refused)
    assert "never called" in str(error)
