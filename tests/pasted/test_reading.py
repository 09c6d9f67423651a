"""Reading a network from code, which the interpreter runs with shapes alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from playground.network.build import build
from playground.network.catalogue import LAYERS
from playground.network.presets import load_presets
from playground.network.source import module, module_script, sequential, sequential_script
from playground.network.spec import LayerSpec
from playground.network.types import Shape
from playground.pasted.errors import CodeError
from playground.pasted.reading import read
from tests.network.fitting import fitting_stacks, share_fitting_stacks

from .codes import full, in_class, layers_of, types

pytestmark = share_fitting_stacks

PRESETS = load_presets().networks
NETS = Path(__file__).parent / "nets"
LOG_SOFTMAX = "`log_softmax` is left out: the playground’s cross-entropy loss does it already."

# What the playground writes, it reads.


@pytest.mark.parametrize("name", sorted(PRESETS))
@pytest.mark.parametrize("write", [module, sequential, module_script, sequential_script], ids=lambda write: write.__name__)
def test_code_written_for_a_preset_is_read_as_the_preset(name: str, write: Any) -> None:
    result = read(write(PRESETS[name]))
    assert (layers_of(result.spec), result.spec.input_shape) == (layers_of(PRESETS[name]), PRESETS[name].input_shape)
    assert result.notes == ()


@pytest.mark.parametrize("write", [module, sequential], ids=lambda write: write.__name__)
def test_code_written_for_any_network_is_read_as_the_network(write: Any) -> None:
    specs = fitting_stacks()
    assert len(specs) >= 200
    set_somewhere = {(layer.type, name) for spec in specs for layer in spec.layers for name in layer.params}
    assert set_somewhere == {(kind.name, param.name) for kind in LAYERS for param in kind.params}
    for spec in specs:
        result = read(write(spec))
        assert (layers_of(result.spec), result.spec.input_shape) == (layers_of(spec), spec.input_shape), write(spec)
        assert result.notes == ()


# The networks of the tutorials, as they are written there.

LENET = [
    ("Conv2d", 6, 5), ("ReLU",), ("MaxPool2d", 2, 2), ("Conv2d", 16, 5), ("ReLU",), ("MaxPool2d", 2, 2), ("Flatten",),
    ("Linear", 120), ("ReLU",), ("Linear", 84), ("ReLU",), ("Linear", 10),
]  # fmt: skip
TUTORIALS: dict[str, tuple[Shape, list[tuple[Any, ...]], str]] = {
    "blitz_lenet": ((1, 32, 32), LENET, ""),
    "blitz_lenet_new": ((1, 32, 32), LENET, ""),
    "blitz_cifar": ((3, 32, 32), LENET, ""),
    "mnist_example": (
        (1, 28, 28),
        [
            ("Conv2d", 32, 3), ("ReLU",), ("Conv2d", 64, 3), ("ReLU",), ("MaxPool2d", 2, 2), ("Dropout", 0.25), ("Flatten",),
            ("Linear", 128), ("ReLU",), ("Dropout", 0.5), ("Linear", 10),
        ],
        f"Line 36: {LOG_SOFTMAX}",
    ),
    "mnist_example_view": (
        (1, 28, 28),
        [
            ("Conv2d", 10, 5), ("MaxPool2d", 2, 2), ("ReLU",), ("Conv2d", 20, 5), ("MaxPool2d", 2, 2), ("ReLU",), ("Flatten",),
            ("Linear", 50), ("ReLU",), ("Dropout", 0.5), ("Linear", 10),
        ],
        f"Line 23: {LOG_SOFTMAX}",
    ),
    "mnist_example_old": (
        (1, 28, 28),
        [
            ("Conv2d", 10, 5), ("MaxPool2d", 2, 2), ("ReLU",), ("Conv2d", 20, 5), ("Dropout2d", 0.5), ("MaxPool2d", 2, 2), ("ReLU",), ("Flatten",),
            ("Linear", 50), ("ReLU",), ("Dropout", 0.5), ("Linear", 10),
        ],
        f"Line 24: {LOG_SOFTMAX}",
    ),
    "quickstart": ((1, 28, 28), [("Flatten",), ("Linear", 512), ("ReLU",), ("Linear", 512), ("ReLU",), ("Linear", 10)], ""),
    "what_is_nn": (
        (1, 28, 28),
        [("Conv2d", 16, 3, 2, 1), ("ReLU",), ("Conv2d", 16, 3, 2, 1), ("ReLU",), ("Conv2d", 10, 3, 2, 1), ("ReLU",), ("AvgPool2d", 4, 4), ("Flatten",)],
        "",
    ),
    "chinese_cnn": (
        (1, 28, 28),
        [
            ("Conv2d", 16, 5, 1, 2), ("BatchNorm2d",), ("ReLU",), ("MaxPool2d", 2, 2),
            ("Conv2d", 32, 5, 1, 2), ("BatchNorm2d",), ("ReLU",), ("MaxPool2d", 2, 2), ("Flatten",), ("Linear", 10),
        ],
        "",
    ),
    "morvan_cnn": (
        (1, 28, 28),
        [
            ("Conv2d", 16, 5, 1, 2), ("ReLU",), ("MaxPool2d", 2, 2), ("Conv2d", 32, 5, 1, 2), ("ReLU",), ("MaxPool2d", 2, 2), ("Flatten",), ("Linear", 10),
        ],
        "Line 34: Of what `forward` returns, only the first is read.",
    ),
    "two_layer_net": ((1000,), [("Linear", 100), ("ReLU",), ("Linear", 10)], ""),
    "n1": ((10,), [("Linear", 20), ("ReLU",), ("Linear", 2)], ""),
    "n2": ((1, 28, 28), [("Flatten",), ("Linear", 128), ("ReLU",), ("Linear", 10)], ""),
    "n3": (
        (1, 28, 28),
        [
            ("Conv2d", 16, 3), ("ReLU",), ("MaxPool2d", 2, 2), ("Conv2d", 32, 3), ("ReLU",), ("MaxPool2d", 2, 2), ("Flatten",),
            ("Linear", 128), ("ReLU",), ("Linear", 10),
        ],
        "",
    ),
    "n4": (
        (3, 32, 32),
        [
            ("Conv2d", 6, 5), ("MaxPool2d", 2, 2), ("ReLU",), ("Conv2d", 16, 5), ("ReLU",), ("MaxPool2d", 2, 2), ("Flatten",),
            ("Linear", 120), ("ReLU",), ("Linear", 84), ("ReLU",), ("Linear", 10),
        ],
        "",
    ),
}  # fmt: skip
PARAMETERS = {"n1": 262, "n2": 101_770, "n3": 108_618, "n4": 62_006, "blitz_lenet": 61_706, "mnist_example": 1_199_882}
"""As the tutorials and TUTORIAL_CASES.md count them."""


@pytest.mark.parametrize("name", TUTORIALS)
def test_networks_of_tutorials_are_read_from_their_code(name: str) -> None:
    shape, layers, note = TUTORIALS[name]
    result = read((NETS / f"{name}.py").read_text(encoding="utf-8"))
    assert result.spec.input_shape == shape
    assert layers_of(result.spec) == full(*layers)
    assert "\n".join(result.notes) == note


@pytest.mark.parametrize("name", PARAMETERS)
def test_networks_of_tutorials_have_the_stated_number_of_parameters(name: str) -> None:
    spec = read((NETS / f"{name}.py").read_text(encoding="utf-8")).spec
    assert sum(parameter.numel() for parameter in build(spec).parameters()) == PARAMETERS[name]


def test_every_file_of_nets_is_tested() -> None:
    assert {path.stem for path in NETS.glob("*.py")} == set(TUTORIALS)


def test_the_network_that_is_read_computes_the_same_outputs() -> None:
    """The class itself, made by PyTorch, against what the playground builds of its text."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 4, 3, padding="same")
            self.norm = nn.BatchNorm2d(4)
            self.out = nn.Linear(4 * 14 * 14, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = torch.nn.functional.max_pool2d(torch.relu(self.norm(self.conv(x))), (2, 2))
            return self.out(x.view(x.size(0), -1)).softmax(dim=1)

    text = in_class(
        'self.conv = nn.Conv2d(1, 4, 3, padding="same")\nself.norm = nn.BatchNorm2d(4)\nself.out = nn.Linear(4 * 14 * 14, 3)',
        "x = torch.nn.functional.max_pool2d(torch.relu(self.norm(self.conv(x))), (2, 2))\nreturn self.out(x.view(x.size(0), -1)).softmax(dim=1)",
    )
    theirs, ours = Net().eval(), build(read(text).spec).eval()
    for value, weight in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
        value.copy_(weight)
    images = torch.randn(3, 1, 28, 28)
    assert torch.equal(ours(images), theirs(images))


# Ways to write the same.

SAME = [
    "nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))",
    "model = torch.nn.Sequential(nn.Sequential(nn.Linear(4, 8), nn.ReLU()), nn.Linear(8, 2))",
    "model = nn.Sequential(*[nn.Linear(4, 8), nn.ReLU()], nn.Linear(8, 2)).to(device).eval()",
    "layers = [nn.Linear(4, 8), nn.ReLU()]\nlayers.append(nn.Linear(8, 2))\nmodel = nn.Sequential(*layers)",
    "layers = [nn.Linear(4, 8)]\nlayers += [nn.ReLU(), nn.Linear(8, 2)]\nmodel = nn.Sequential(*layers)",
    "model = nn.Sequential()\nmodel.add_module('a', nn.Linear(4, 8))\nmodel.append(nn.ReLU())\nmodel.add_module('b', nn.Linear(8, 2))",
    "import torch.nn as layers\nnet: layers.Module = layers.Sequential(layers.Linear(4, 8), layers.ReLU(), layers.Linear(8, 2))",
    "from torch.nn import Linear as L, ReLU, Sequential as S\nnet = S(L(4, 8), ReLU(inplace=True), L(8, out_features=2))",
    "from torch.nn import *\nnet = Sequential(Linear(in_features=4, out_features=8, bias=True), ReLU(), Linear(8, 2))",
    "from collections import OrderedDict\nnn.Sequential(OrderedDict([('a', nn.Linear(4, 8)), ('b', nn.ReLU()), ('c', nn.Linear(8, 2))]))",
    "net = nn.Sequential(*(layer for layer in [nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)]))",
    "(net := nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)))",
    "nn.Sequential(OrderedDict({'a': nn.Linear(4, 8), 'b': nn.ReLU(), 'c': nn.Linear(8, 2)}))",
    "hidden, classes = 2 ** 3, 10 // 4\nnn.Sequential(nn.Linear(4, hidden), nn.Identity(), nn.ReLU(), nn.Linear(int(16 / 2), classes))",
    "def make(n=8):\n    return nn.Sequential(nn.Linear(4, n), nn.ReLU(), nn.Linear(n, 2))\n\nmodel = make()",
    ">>> import torch.nn as nn\n>>> m = nn.Sequential(\n...     nn.Linear(4, 8), nn.ReLU(),\n...     nn.Linear(8, 2))\n>>> m\nSequential(...)",
    "    import torch.nn as nn\n    %matplotlib inline\n    !pip install torch\n    m = nn.Sequential(nn.Linear(4, 8),\xa0nn.ReLU(), nn.Linear(8, 2))",
    "\ufeffm = nn.Sequential(\r\n    nn.Linear(4, 8),\r\n    nn.ReLU(),\r\n    nn.Linear(8, 2))\r\n",
    "if __name__ == '__main__':\n    m = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))",
    "try:\n    import torch.nn as tn\nexcept ImportError:\n    raise\nm = tn.Sequential(tn.Linear(4, 8), tn.ReLU(), tn.Linear(8, 2))",
    in_class("self.a = nn.Linear(4, 8)\nself.b = nn.Linear(8, 2)", "return self.b(F.relu(self.a(x)))"),
    in_class("self.a, self.b = nn.Linear(4, 8), nn.Linear(8, 2)", "h = self.a(x).relu()\nout = self.b(h)\nreturn out"),
    in_class("n = 8\nself.a = nn.Linear(4, n)\nself.r = nn.ReLU()\nself.b = nn.Linear(n, 2)", "x = self.r(self.a(x))\nprint(x.shape)\nreturn self.b(x)"),
    in_class("self.n = 8\nself.a = nn.Linear(4, self.n)\nself.b = nn.Linear(self.n, 2)", "x = torch.relu(input=self.a(x))\nassert x.ndim\nreturn self.b(x)"),
    in_class("self.all = nn.ModuleList([nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)])", "for layer in self.all:\n    x = layer(x)\nreturn x"),
    in_class("self.body = nn.Sequential(nn.Linear(4, 8), nn.ReLU())\nself.head = nn.Linear(8, 2)", "return self.head(self.body[1](self.body[0](x)))"),
    in_class("self.add_module('a', nn.Linear(4, 8))\nself.b = nn.Linear(8, 2)", "return self.b(self.act(self.a(x)))")
    + "    def act(self, y):\n        return y.clamp(min=0)\n",
    in_class("a = []\nfor n in (4,):\n    a += [nn.Linear(n, 8), nn.ReLU()]\nself.b = nn.Sequential(*a, nn.Linear(8, 2))", "return self.b(x)"),
    "class A(nn.Module):\n    def __init__(self, n, m=8):\n        super(A, self).__init__()\n        m = m or 9\n        self.a = nn.Linear(n, m)\n\n"
    "    def forward(self, x):\n        return F.relu(self.a(x))\n\n\n"
    "class Net(nn.Module):\n    def __init__(self, classes, *args, wide=False):\n        super().__init__()\n        self.a = A(4)\n"
    "        self.b = nn.Linear(80 if wide else 8, classes)\n\n    def forward(self, x, y=0):\n        return self.b(self.a(x))\n\n\nnet = Net(classes=2)",
]  # fmt: skip


@pytest.mark.parametrize("text", SAME)
def test_equivalent_code_is_read_as_the_same_network(text: str) -> None:
    result = read(text)
    assert result.spec.input_shape == (4,) and result.notes == ()
    assert layers_of(result.spec) == full(("Linear", 8), ("ReLU",), ("Linear", 2))


FUNCTIONS: list[tuple[str, Shape, list[tuple[Any, ...]]]] = [
    ("F.leaky_relu(x, 0.2)", (4,), [("LeakyReLU", 0.2)]),
    ("F.leaky_relu(x)", (4,), [("LeakyReLU", 0.01)]),
    ("F.gelu(F.silu(x))", (4,), [("SiLU",), ("GELU",)]),
    ("F.elu(x, 0.5)", (4,), [("ELU", 0.5)]),
    ("F.mish(F.selu(F.relu6(F.hardswish(x))))", (4,), [("Hardswish",), ("ReLU6",), ("SELU",), ("Mish",)]),
    ("F.dropout2d(x, training=self.training)", (2, 8, 8), [("Dropout2d", 0.5)]),
    ("F.adaptive_max_pool2d(x, 1)", (2, 8, 8), [("MaxPool2d", 8, 8)]),
    ("x.mean(3).mean(2)", (2, 8, 8), [("AdaptiveAvgPool2d", 1), ("Flatten",)]),
    ("torch.tanh(torch.sigmoid(x))", (4,), [("Sigmoid",), ("Tanh",)]),
    ("x.sigmoid().tanh()", (4,), [("Sigmoid",), ("Tanh",)]),
    ("F.softmax(x, dim=1)", (4,), [("Softmax",)]),
    ("torch.softmax(x, -1)", (4,), [("Softmax",)]),
    ("F.dropout(x, 0.3, training=self.training)", (4,), [("Dropout", 0.3)]),
    ("F.dropout(x, p=0, training=self.training)", (4,), [("Dropout", 0.0)]),
    ("F.max_pool2d(x, 2)", (1, 8, 8), [("MaxPool2d", 2, 2)]),
    ("F.max_pool2d(x, kernel_size=(3, 3), stride=[2, 2], padding=1)", (1, 8, 8), [("MaxPool2d", 3, 2, 1)]),
    ("nn.MaxPool2d(3)(x)", (1, 8, 8), [("MaxPool2d", 3, 3)]),
    ("F.avg_pool2d(x, 4)", (1, 8, 8), [("AvgPool2d", 4, 4)]),
    ("F.adaptive_avg_pool2d(x, (1, 1))", (1, 8, 8), [("AdaptiveAvgPool2d", 1)]),
    ("x.mean(dim=(2, 3))", (2, 8, 8), [("AdaptiveAvgPool2d", 1), ("Flatten",)]),
    ("x.mean([-1, -2], keepdim=True)", (2, 8, 8), [("AdaptiveAvgPool2d", 1)]),
    ("torch.flatten(x, 1)", (1, 8, 8), [("Flatten",)]),
    ("x.flatten(start_dim=1)", (1, 8, 8), [("Flatten",)]),
    ("nn.Flatten()(x)", (1, 8, 8), [("Flatten",)]),
    ("x.view(-1, 64)", (1, 8, 8), [("Flatten",)]),
    ("x.view((x.shape[0], -1))", (1, 8, 8), [("Flatten",)]),
    ("x.reshape(len(x), 8 * 8)", (1, 8, 8), [("Flatten",)]),
    ("torch.reshape(x, (-1, 64))", (1, 8, 8), [("Flatten",)]),
    ("x.view(x.size(0), x.size(1) * x.size(2) * x.size(-1))", (2, 8, 8), [("Flatten",)]),
    ("x.view(-1, int(np.prod(x.size()[1:])))", (2, 8, 8), [("Flatten",)]),
    ("x.view(-1, x.shape[1:].numel())", (2, 8, 8), [("Flatten",)]),
    ("F.relu(x).view(-1, 1, 8, 8)", (1, 8, 8), [("ReLU",)]),
    ("x.contiguous().float().relu()", (4,), [("ReLU",)]),
    ("nn.LayerNorm([2, 8, 8])(x)", (2, 8, 8), [("LayerNorm",)]),
    ("nn.LayerNorm(4)(x)", (4,), [("LayerNorm",)]),
    ("PatchEmbedding(1, 8)(x).mean(dim=1)", (1, 8, 8), [("PatchEmbedding", 64, 4), ("TokenMean",)]),
    (
        "nn.TransformerEncoderLayer(64, 4, activation=F.gelu, batch_first=True, norm_first=True)(PatchEmbedding(1, 8)(x))",
        (1, 8, 8),
        [("PatchEmbedding", 64, 4), ("TransformerEncoderLayer", 4, 2048, 0.1)],
    ),
    ("nn.Conv2d(1, 4, 5, dilation=2, padding='same')(x)", (1, 12, 12), [("Conv2d", 4, 5, 1, 4, 2)]),
    ("nn.Conv2d(1, 4, 5, padding='valid', groups=1, device=None)(x)", (1, 12, 12), [("Conv2d", 4, 5)]),
]


@pytest.mark.parametrize(("call", "shape", "layers"), FUNCTIONS, ids=[call for call, _, _ in FUNCTIONS])
def test_a_function_is_read_as_its_layer(call: str, shape: Shape, layers: list[tuple[Any, ...]]) -> None:
    assert layers_of(read(in_class("pass", f"return {call}"), shape).spec) == full(*layers)


def test_sizes_can_be_variables() -> None:
    text = in_class("pass", "batch, c, h, w = x.size()\nx = torch.relu(x)\nbatch_size = x.size(0)\nreturn x.view(batch_size, -1)")
    assert types(text, (3, 8, 8)) == ["ReLU", "Flatten"]
    with pytest.raises(CodeError, match="rows of 3 values, but each sample has 192"):
        read(in_class("pass", "n = x.size(1)\nx = torch.relu(x)\nreturn x.view(-1, n)"), (3, 8, 8))


# Which network is meant, and what it takes.


def two(first: str, second: str) -> str:
    """Two classes that take three and five features."""
    source = in_class("self.a = nn.Linear(3, 2)", "return self.a(x)")
    return source.replace("Net", first) + source.replace("Net", second).replace("3, 2", "5, 2")


@pytest.mark.parametrize(
    ("text", "shape", "name"),
    [
        (two("First", "MySecond"), (5,), "my-second"),
        (two("First", "Second") + "net = First()", (3,), "first"),
        (two("First", "Second") + "def main():\n    net = First(args.n).to(device)\n", (3,), "first"),
        (two("First", "Second") + "net = Second()\nnet = First()\nif cuda:\n    net = net.cuda()", (3,), "first"),
        (two("First", "Second").replace("self.a = nn.Linear(3, 2)", "self.a = Second()"), (5,), "first"),
        (two("Part", "Whole").replace("self.a = nn.Linear(5, 2)", "self.a = Part()") + "class Data(Dataset):\n    pass\n", (3,), "whole"),
        (two("First", "Second") + "net = nn.Sequential(nn.Linear(7, 2))", (7,), "network"),
        ("net = nn.Linear(6, 2)\n", (6,), "network"),
    ],
)
def test_the_network_is_the_one_that_is_instantiated_or_the_last_class(text: str, shape: Shape, name: str) -> None:
    result = read(text).spec
    assert (result.input_shape, result.name) == (shape, name)


def test_a_method_of_another_class_may_have_any_name() -> None:
    text = "class Trainer:\n    def init(self):\n        pass\n    def forwards(self):\n        pass\n\nnet = nn.Sequential(nn.Linear(4, 2))"
    assert types(text) == ["Linear"]


def test_a_name_can_be_passed() -> None:
    assert read("nn.Sequential(nn.Linear(4, 2))", name="mine").spec.name == "mine"


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("nn.Sequential(nn.Conv2d(1, 4, 3))", (1, 28, 28)),
        ("nn.Sequential(nn.Conv2d(3, 4, 3))", (3, 32, 32)),
        ("nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 94 * 94, 2))", (3, 96, 96)),
        ("nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(4 * 62 * 62, 2))", (1, 64, 64)),
        ("nn.Sequential(nn.BatchNorm2d(3), nn.ReLU())", (3, 32, 32)),
        ("nn.Sequential(nn.Flatten(), nn.Linear(3072, 2))", (3, 32, 32)),
        ("nn.Sequential(nn.Flatten(), nn.Linear(784, 2))", (1, 28, 28)),
        ("nn.Sequential(nn.Flatten(), nn.Linear(10, 2))", (10,)),
        ("nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(3 * 16 * 16, 2))", (3, 32, 32)),
        ("nn.Sequential(nn.ReLU(), nn.LayerNorm((2, 9, 7)))", (2, 9, 7)),
        ("nn.Sequential(PatchEmbedding(3, 20, 8, 5))", (3, 20, 20)),
        ("nn.Sequential(  # (2, 9, 11)\n    nn.ReLU())", (2, 9, 11)),
        ("nn.Sequential(  # (12,)\n    nn.ReLU())", (12,)),
        (in_class("pass", "return F.relu(x)").replace("forward(self, x):", "forward(self, x):  # (2, 9, 11)"), (2, 9, 11)),
        (in_class("pass", "return F.relu(x)").replace("Module):", 'Module):\n    """Shape: (N, 2, 9, 11) → (N, 2, 9, 11)"""'), (2, 9, 11)),
        (in_class("pass", "return F.relu(x.view(-1, 1, 9, 11))"), (1, 9, 11)),
        (in_class("self.f = nn.Linear(784, 10)", "return self.f(x.view(-1, 784))"), (1, 28, 28)),
    ],
)
def test_the_input_shape_is_inferred(text: str, shape: Shape) -> None:
    assert read(text).spec.input_shape == shape


def test_a_passed_input_shape_takes_precedence() -> None:
    assert read("nn.Sequential(  # (1, 28, 28)\n    nn.Conv2d(1, 4, 3))", (1, 9, 12)).spec.input_shape == (1, 9, 12)


def test_a_comment_with_another_shape_is_noted() -> None:
    result = read("net = nn.Sequential(  # (1, 28, 28)\n    nn.Conv2d(3, 4, 3))")
    assert result.spec.input_shape == (3, 32, 32)
    assert result.notes == ("Line 1: The comment says that the input has shape (1, 28, 28), but the layers fit (3, 32, 32).",)


def test_only_arguments_in_the_code_are_set() -> None:
    layer = LayerSpec("Conv2d", {"out_channels": 16, "kernel_size": 3, "bias": False})
    assert read("nn.Sequential(nn.Conv2d(1, 16, 3, bias=False))").spec.layers == (layer,)
