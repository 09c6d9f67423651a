"""Networks as people write them, each made and called by PyTorch itself and read by the playground: same weights, same outputs, in training and in use."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from playground.network.build import build
from playground.pasted.reading import read

NETWORKS = {
    "sel-func-later": """\
def make(w):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, w), nn.ReLU(), nn.Linear(w, 10))

widths = [64, 32]
net = make(widths[0])
half = [w // 2 for w in widths]
net = make(half[0])
""",
    "sel-main-const-arg": """\
class Net(nn.Module):
    def __init__(self, w=32):
        super().__init__()
        self.a = nn.Linear(64, w)
        self.b = nn.Linear(w, 10)
    def forward(self, x):
        return self.b(torch.relu(self.a(x.flatten(1))))

def main():
    hidden = 16
    model = Net(hidden)
    return model
""",
    "pick-args-default": """\
class Net(nn.Module):
    def __init__(self, w=32):
        super().__init__()
        self.a = nn.Linear(64, w)
        self.b = nn.Linear(w, 10)

    def forward(self, x):
        return self.b(torch.relu(self.a(x.flatten(1))))

def main(width=16):
    model = Net(w=width)
    return model
""",
    "pick-args-main": """\
class Net(nn.Module):
    def __init__(self, n=32):
        super().__init__()
        self.a = nn.Linear(64, n)

    def forward(self, x):
        return self.a(x.flatten(1))

import argparse
def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--classes", type=int, default=10)
    args = ap.parse_args([])
    model = Net(args.classes)
    return model
""",
    "pick-registry": """\
class Net(nn.Module):
    def __init__(self, w=32):
        super().__init__()
        self.a = nn.Linear(64, w)
        self.b = nn.Linear(w, 10)

    def forward(self, x):
        return self.b(torch.relu(self.a(x.flatten(1))))

models = {"small": Net(16), "large": Net(64)}
model = models["small"]
""",
    "pick-main-first-superold": """\
class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.block = Block()
        self.fc = nn.Linear(256, 10)
    def forward(self, x):
        return self.fc(self.block(x).flatten(1))
class Block(nn.Module):
    def __init__(self):
        super(Block, self).__init__()
        self.c = nn.Conv2d(1, 4, 3, padding=1)
    def forward(self, x):
        return F.relu(self.c(x))
""",
    "sel-seq-del": """\
model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.Softmax(dim=1))
del model[2]
""",
    "sel-seq-slice": """\
full = nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.Softmax(dim=1))
model = full[:-1]
""",
    "sel-seq-insert": """\
model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
model.insert(1, nn.Dropout(0.5))
""",
    "fwd-13": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = self.fc(x.flatten(1))
        F.relu(x, inplace=True)
        return x
# F.relu(x, inplace=True)
""",
    "ml-enum": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.ModuleList([nn.Linear(64, 32), nn.Linear(32, 10)])

    def forward(self, x):
        x = x.flatten(1)
        for i, l in enumerate(self.l):
            x = l(x)
            if i < len(self.l) - 1:
                x = F.relu(x)
        return x
""",
    "op-hasattr": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(64, 32)
        self.b = nn.Linear(32, 10)

    def forward(self, x):
        x = self.a(x.flatten(1))
        if hasattr(self, "bn"):
            x = self.bn(x)
        return self.b(torch.relu(x))
""",
    "pick-main-first-args": """\
class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.block = Block(1, 4)
        self.fc = nn.Linear(256, 10)
    def forward(self, x):
        return self.fc(self.block(x).flatten(1))
class Block(nn.Module):
    def __init__(self, i, o):
        super(Block, self).__init__()
        self.c = nn.Conv2d(i, o, 3, padding=1)
    def forward(self, x):
        return F.relu(self.c(x))
""",
    "helper-hides-cause": """\
cfg = {"a": [4, "M"]}
class Net(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.features = features
        self.fc = nn.Linear(64, 10)
    def forward(self, x):
        return self.fc(self.features(x).flatten(1))
def make(c):
    layers, i = [], 1
    for v in c:
        if v == "M":
            layers += [nn.MaxPool2d(2)]
        else:
            layers += [nn.Conv2d(i, v, 3, padding=1), nn.ReLU()]
            i = v
    return nn.Sequential(*layers)
def small():
    return Net(make(cfg["a"]))
net = small()
""",
    "fwd-39": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = self.fc(x.flatten(1))
        return x, F.softmax(x, dim=1)
# x = self.fc(x.flatten(1))
""",
    "ret-probas": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(64, 32)
        self.b = nn.Linear(32, 10)

    def forward(self, x):
        logits = self.b(torch.relu(self.a(x.flatten(1))))
        probas = F.softmax(logits, dim=1)
        return logits, probas
""",
    "gap-12": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.fc = nn.Linear(4, 10)

    def forward(self, x):
        x = F.relu(self.conv(x))
        x = F.avg_pool2d(x, x.size()[2:]).flatten(1)
        return self.fc(x)
# F.avg_pool2d(x, x.size()[2:]).flatten(1)
""",
    "gap-06": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.fc = nn.Linear(4, 10)

    def forward(self, x):
        x = F.relu(self.conv(x))
        x = x.mean(-1).mean(-1)
        return self.fc(x)
# x.mean(-1).mean(-1)
""",
    "gap-17": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.fc = nn.Linear(4, 10)

    def forward(self, x):
        x = F.relu(self.conv(x))
        x = F.adaptive_max_pool2d(x, 1).flatten(1)
        return self.fc(x)
# F.adaptive_max_pool2d(x, 1).flatten(1)
""",
    "flat-30": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.fc = nn.Linear(144, 10)

    def forward(self, x):
        x = F.relu(self.conv(x))
        x = x.view(-1, self.fc.in_features)
        return self.fc(x)
# x.view(-1, self.fc.in_features)
""",
    "ml-slice": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.ModuleList([nn.Linear(64, 32), nn.Linear(32, 16), nn.Linear(16, 10)])

    def forward(self, x):
        x = x.flatten(1)
        for l in self.l[:-1]:
            x = F.relu(l(x))
        return self.l[-1](x)
""",
    "ml-zip": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        s = [64, 32, 10]
        self.l = nn.ModuleList([nn.Linear(a, b) for a, b in zip(s[:-1], s[1:])])

    def forward(self, x):
        x = x.flatten(1)
        for l in self.l:
            x = F.relu(l(x))
        return x
""",
    "ml-strides": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        l, c = [], 1
        for s in [2] + [1] * 2:
            l += [nn.Conv2d(c, 4, 3, s, 1), nn.ReLU()]
            c = 4
        self.f = nn.Sequential(*l)
        self.o = nn.Linear(64, 10)

    def forward(self, x):
        return self.o(self.f(x).flatten(1))
""",
    "ml-dict": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.ModuleDict({"a": nn.Linear(64, 32), "b": nn.Linear(32, 10)})

    def forward(self, x):
        return self.l["b"](torch.relu(self.l["a"](x.flatten(1))))
""",
    "ml-setattr": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        s = [64, 32, 10]
        for i in range(2):
            setattr(self, f"fc{i}", nn.Linear(s[i], s[i + 1]))

    def forward(self, x):
        x = torch.relu(self.fc0(x.flatten(1)))
        return self.fc1(x)
""",
    "ml-od-set": """\
from collections import OrderedDict
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        d = OrderedDict()
        d["f"] = nn.Flatten()
        d["l"] = nn.Linear(64, 10)
        self.s = nn.Sequential(d)

    def forward(self, x):
        return self.s(x)
""",
    "arg-cfgdict": """\
class Net(nn.Module):
    def __init__(self, cfg={"h": 32}):
        super().__init__()
        self.a = nn.Linear(64, cfg["h"])
        self.b = nn.Linear(cfg["h"], 10)

    def forward(self, x):
        return self.b(torch.relu(self.a(x.flatten(1))))
""",
    "arg-argparse": """\
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--hidden", type=int, default=32)
args = parser.parse_args([])
class Net(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.a = nn.Linear(64, hidden)
        self.b = nn.Linear(hidden, 10)

    def forward(self, x):
        return self.b(torch.relu(self.a(x.flatten(1))))

model = Net(args.hidden)
""",
    "arg-dataclass": """\
from dataclasses import dataclass
@dataclass
class Config:
    hidden: int = 32
class Net(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.a = nn.Linear(64, cfg.hidden)
        self.b = nn.Linear(cfg.hidden, 10)

    def forward(self, x):
        return self.b(torch.relu(self.a(x.flatten(1))))

model = Net(Config())
""",
    "arg-class-const": """\
class Net(nn.Module):
    HID = 32
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(64, self.HID)
        self.b = nn.Linear(Net.HID, 10)

    def forward(self, x):
        return self.b(torch.relu(self.a(x.flatten(1))))
""",
    "arg-act-dict": """\
class Net(nn.Module):
    def __init__(self, act="tanh"):
        super().__init__()
        self.a = nn.Linear(64, 32)
        self.act = {"relu": nn.ReLU(), "tanh": nn.Tanh()}[act]
        self.b = nn.Linear(32, 10)

    def forward(self, x):
        return self.b(self.act(self.a(x.flatten(1))))
""",
    "arg-in-features": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(64, 32)
        self.b = nn.Linear(self.a.out_features, 10)

    def forward(self, x):
        return self.b(torch.relu(self.a(x.flatten(1))))
""",
    "arg-mathprod": """\
import math
class Net(nn.Module):
    def __init__(self, shape=(1, 8, 8)):
        super().__init__()
        self.a = nn.Linear(math.prod(shape), 10)

    def forward(self, x):
        return self.a(x.flatten(1))
""",
    "arg-kwargs-pass": """\
def conv(i, o, **kw):
    return nn.Sequential(nn.Conv2d(i, o, **kw), nn.ReLU())
model = nn.Sequential(conv(1, 4, kernel_size=3), nn.Flatten(), nn.Linear(144, 10))
""",
    "blk-lambda-layer": """\
class Lambda(nn.Module):
    def __init__(self, f):
        super().__init__()
        self.f = f
    def forward(self, x):
        return self.f(x)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.s = nn.Sequential(Lambda(lambda x: x.view(x.size(0), -1)), nn.Linear(64, 10))

    def forward(self, x):
        return self.s(x)
""",
    "blk-inherit-seq": """\
class ConvBN(nn.Sequential):
    def __init__(self, i, o):
        super().__init__(nn.Conv2d(i, o, 3, padding=1), nn.ReLU())
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = ConvBN(1, 4)
        self.o = nn.Linear(256, 10)

    def forward(self, x):
        return self.o(self.a(x).flatten(1))
""",
    "blk-inherit-own": """\
class Base(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(64, 10)

    def forward(self, x):
        return self.a(x.flatten(1))

class Net(Base):
    pass
""",
    "op-if-module": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(64, 32)
        self.b = nn.Linear(32, 10)
        self.bn = nn.BatchNorm1d(32)

    def forward(self, x):
        x = self.a(x.flatten(1))
        if self.bn:
            x = self.bn(x)
        return self.b(torch.relu(x))
""",
    "op-children": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(64, 32)
        self.b = nn.Linear(32, 10)

    def forward(self, x):
        x = x.flatten(1)
        for l in self.children():
            x = l(x)
        return x
""",
    "sel-kwargs-later": """\
class Net(nn.Module):
    def __init__(self, w=32):
        super().__init__()
        self.a = nn.Linear(64, w)
        self.b = nn.Linear(w, 10)
    def forward(self, x):
        return self.b(torch.relu(self.a(x.flatten(1))))

hp = {"w": 16}
model = Net(**hp)
""",
    "sel-loss-after": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        return self.fc(x.flatten(1))

class MyLoss(nn.Module):
    def __init__(self):
        super().__init__()
    def forward(self, out, y):
        return ((out - y) ** 2).mean()

model = Net()
criterion = MyLoss()
""",
    "op-seq-slice-call": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def forward(self, x):
        x = self.l[:3](x)
        return self.l[3](x)
""",
    "fwd-18": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = x.flatten(1)
        if self.training:
            x = F.dropout(x, 0.5)
        return self.fc(x)
#     x = F.dropout(x, 0.5)
""",
    "fwd-variable": """\
from torch.autograd import Variable
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(64, 32)
        self.b = nn.Linear(32, 10)

    def forward(self, x):
        x = Variable(x)
        return self.b(torch.relu(self.a(x.flatten(1))))
""",
    "fwd-star": """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(64, 10)
    def forward(self, *xs):
        x = xs[0]
        return self.a(x.flatten(1))
""",
    "resnet": """\
class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, in_planes, planes, stride=1):
        super(BasicBlock, self).__init__()
        self.conv1 = nn.Conv2d(in_planes, planes, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, kernel_size=3, stride=1, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_planes != self.expansion * planes:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_planes, self.expansion * planes, kernel_size=1, stride=stride, bias=False),
                nn.BatchNorm2d(self.expansion * planes))

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        out = F.relu(out)
        return out

class ResNet(nn.Module):
    def __init__(self, block, num_blocks, num_classes=10):
        super(ResNet, self).__init__()
        self.in_planes = 8
        self.conv1 = nn.Conv2d(1, 8, kernel_size=3, stride=1, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.layer1 = self._make_layer(block, 8, num_blocks[0], stride=1)
        self.layer2 = self._make_layer(block, 16, num_blocks[1], stride=2)
        self.linear = nn.Linear(16 * block.expansion, num_classes)

    def _make_layer(self, block, planes, num_blocks, stride):
        strides = [stride] + [1] * (num_blocks - 1)
        layers = []
        for stride in strides:
            layers.append(block(self.in_planes, planes, stride))
            self.in_planes = planes * block.expansion
        return nn.Sequential(*layers)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.layer2(self.layer1(out))
        out = F.avg_pool2d(out, 4)
        out = out.view(out.size(0), -1)
        return self.linear(out)

def ResNet18():
    return ResNet(BasicBlock, [2, 2])

net = ResNet18()
""",
    "vgg": """\
cfg = {
    'VGG11': [8, 'M', 16, 'M', 32, 32, 'M'],
}

class VGG(nn.Module):
    def __init__(self, vgg_name):
        super().__init__()
        self.features = self._make_layers(cfg[vgg_name])
        self.classifier = nn.Linear(32, 10)

    def forward(self, x):
        out = self.features(x)
        out = out.view(out.size(0), -1)
        out = self.classifier(out)
        return out

    def _make_layers(self, cfg):
        layers = []
        in_channels = 1
        for x in cfg:
            if x == 'M':
                layers += [nn.MaxPool2d(kernel_size=2, stride=2)]
            else:
                layers += [nn.Conv2d(in_channels, x, kernel_size=3, padding=1), nn.BatchNorm2d(x), nn.ReLU(inplace=True)]
                in_channels = x
        layers += [nn.AvgPool2d(kernel_size=1, stride=1)]
        return nn.Sequential(*layers)

net = VGG('VGG11')
""",
}
MADE = ("net", "model", "main", "Net")
"""Names that a text has for its network, or for what makes it."""


def theirs(text: str) -> nn.Module:
    """The network that Python and PyTorch make of a text of this file."""
    names: dict[str, Any] = {"torch": torch, "nn": nn, "F": functional, "np": np, "random": random}
    exec(text, names)  # noqa: S102 (a text of this file)
    found = next(names[name] for name in MADE if name in names)
    return found if isinstance(found, nn.Module) else found()


def weighted(network: nn.Module, images: torch.Tensor) -> list[nn.Module]:
    """The layers with weights, in the order in which they are first called."""
    called: list[nn.Module] = []
    hooks = [
        module.register_forward_pre_hook(lambda module, _inputs: called.append(module) if module not in called else None)
        for module in network.modules()
        if any(True for _ in module.parameters(recurse=False))
    ]
    network.eval()(images)
    for hook in hooks:
        hook.remove()
    return called


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_read_as_pytorch_makes_it(name: str) -> None:
    text = NETWORKS[name]
    network, images = theirs(text), torch.rand(3, 1, 8, 8)
    ours = build(read(text, (1, 8, 8)).spec)
    pairs = list(zip(weighted(network, images), weighted(ours, images), strict=True))
    for their_layer, our_layer in pairs:
        our_layer.load_state_dict(their_layer.state_dict())
    assert sum(parameter.numel() for parameter in ours.parameters()) == sum(parameter.numel() for layer, _ in pairs for parameter in layer.parameters())
    for mode in (True, False):
        results = []
        for each in (network, ours):
            torch.manual_seed(0)
            results.append(each.train(mode)(images))
        expected = results[0][0] if isinstance(results[0], tuple) else results[0]
        assert torch.allclose(results[1], expected, atol=1e-6)
