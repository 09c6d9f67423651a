"""Reading code: what is left out is noted, and what cannot be read is refused with its line."""

from __future__ import annotations

import re

import pytest

from playground.errors import ConfigError
from playground.network.types import Shape
from playground.pasted.errors import CodeError
from playground.pasted.reading import read

from .codes import in_class, types

LOG_SOFTMAX = "`log_softmax` is left out: the playground’s cross-entropy loss does it already."


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("nn.Sequential(nn.Linear(4, 2), nn.LogSoftmax(dim=1))", LOG_SOFTMAX.replace("log_softmax", "LogSoftmax")),
        (in_class("self.a = nn.Linear(4, 2)", "return torch.log_softmax(self.a(x), dim=-1)"), LOG_SOFTMAX),
        (in_class("self.a = nn.Linear(4, 2)", "return F.dropout(self.a(x), 0.5)"), "`F.dropout` without training=self.training drops"),
        (in_class("self.a = nn.Linear(4, 2)\nself.b = nn.Linear(4, 2)", "return self.a(x)"), "self.b is left out: `forward` does not use it."),
        (in_class("self.a = nn.Linear(4, 2)", "y = F.relu(x)\nreturn self.a(x)"), "relu is left out: nothing uses its result."),
        (in_class("self.a = nn.Linear(4, 2)\nnn.init.zeros_(self.a.bias)", "return self.a(x)"), "The starting weights are left out"),
        ("net = nn.Sequential(nn.Linear(4, 2))\nnet.apply(init)", "`apply` is left out"),
        ("net = nn.Sequential(nn.Linear(4, 2))\nnet = train_model(net, loader)", "so the network is shown as it was before"),
        (in_class("self.a = nn.Linear(4, 4)", "h = self.a(x)\nreturn F.relu(h), h"), "Of what `forward` returns, only the first is read."),
        (in_class("pass", "return nn.Linear(4, 2)(x)"), "Linear is made in `forward`, where each call would create it again"),
        ("from blocks import ResidualBlock\nnn.Sequential(ResidualBlock(3, 16))", "ResidualBlock is not defined here"),
    ],
)
def test_layers_that_are_left_out_are_noted(text: str, note: str) -> None:
    notes = read(text).notes
    assert len(notes) == 1 and re.match(r"Line \d+: ", notes[0]) and note in notes[0]


CNN = """net = nn.Sequential(
    nn.Conv2d(1, 6, 5),
    nn.MaxPool2d(2),
    nn.Conv2d(6, 16, 5),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(400, 10),
)"""
REFUSED: list[tuple[str, Shape | None, str]] = [
    (CNN, (1, 28, 28), "Line 7: Linear takes 400 features, but what arrives has 256. Set in_features to 256"),
    (CNN.replace("400", "401"), None, "No usual input shape fits this code. With (1, 28, 28): Line 7: Linear takes 401 features"),
    (CNN.replace("2d(6,", "2d(7,"), None, "Line 4: Conv2d takes 7 channels, but what arrives has 6."),
    (CNN.replace("    nn.Flatten(),\n", ""), (1, 32, 32), "Line 6: Linear: This layer takes"),
    ("nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(4))", None, "Line 1: BatchNorm1d takes 4 features, but what arrives has 3."),
    ("nn.Sequential(nn.Linear(4, 3), nn.LayerNorm([4]))", None, "Line 1: LayerNorm takes shape (4,), but what arrives has (3,)."),
    ("nn.Sequential(PatchEmbedding(1, 28, 8, 4))", (1, 32, 32), "There are learned positions for 49 tokens, but what arrives has 64."),
    (in_class("pass", "return F.relu(x).view(-1, 320)"), (1, 16, 16), "Line 7: This makes rows of 320 values, but each sample has 256"),
    (in_class("pass", "return F.relu(x).view(-1, 4, 8, 8)"), (1, 16, 16), "This makes shape (4, 8, 8) of what has shape (1, 16, 16)"),
    (in_class("pass", "return F.relu(x).view(64, -1)"), (1, 16, 16), "Line 7: `F.relu(x).view(64, -1)` says that a batch has 64 samples."),
    (in_class("pass", "return torch.flatten(x)"), (1, 16, 16), "lays out the batch as well. Write `torch.flatten(x, 1)`"),
    ("nn.Sequential(nn.Conv2d(4, 8, 3, groups=2))", (4, 8, 8), "Line 1: `Conv2d` has groups=2; the playground’s Conv2d always has 1."),
    ("nn.Sequential(nn.Conv2d(4, 8, (3, 5)))", (4, 8, 8), "has kernel_size (3, 5); the playground’s windows are as high as wide."),
    ("nn.Sequential(nn.Conv2d(4, 8, 4, padding='same'))", (4, 8, 8), "Line 1: `Conv2d` adds another number of pixels on one side than on the other."),
    ("nn.Sequential(nn.MaxPool2d(2, ceil_mode=True))", (4, 8, 8), "has ceil_mode=True"),
    ("nn.Sequential(nn.BatchNorm2d(4, momentum=0.01))", None, "has momentum=0.01; the playground’s BatchNorm2d always has 0.1."),
    ("nn.Sequential(nn.TransformerEncoderLayer(64, 4))", None, "has activation='relu'; the playground’s TransformerEncoderLayer always has 'gelu'."),
    ("nn.Sequential(nn.Linear(4, 4), nn.Softmax(dim=0))", None, "The playground’s softmax runs along the last dimension, not along 0."),
    ("nn.Sequential(nn.Linear(4, 4), nn.LSTM(4, 4))", None, "Line 1: The playground has no layer LSTM."),
    ("nn.Sequential(nn.Linear(4))", None, "Line 1: TypeError: Linear.__init__() missing 1 required positional argument: 'out_features'"),
    ("nn.Sequential(nn.Linear(4, 4), nn.Tanh(5))", None, "Line 1: TypeError: Tanh.__init__() takes 1 positional argument but 2 were given"),
    ("nn.Sequential(nn.Linear(4, 4), nn.Sigmoid(inplace=True))", None, "Line 1: TypeError: Sigmoid.__init__() got an unexpected keyword argument 'inplace'"),
    ("nn.Sequential(nn.Linear(4, 4), nn.ReLU)", None, "its brackets are missing: write `nn.ReLU()`."),
    ("nn.Sequential(nn.Linear(4, 4), F.relu)", None, "This is a function, and `nn.Sequential` takes layers, such as `nn.ReLU()`."),
    ("nn.Sequential([nn.Linear(4, 4)])", None, "Write a star before it"),
    ("nn.Sequential(nn.Linear(4, 4), 5)", None, "Line 1: TypeError: int is not a Module subclass"),
    ("nn.Sequential(nn.LogSoftmax(dim=1), nn.Linear(4, 4))", None, "LogSoftmax may only be the last layer. Leave it out: the loss does it."),
    ("a = nn.Linear(4, 4)\nnn.Sequential(a, nn.ReLU(), a)", None, "uses the weights of line 1 again."),
    ("nn.Sequential(nn.ReLU())", None, "The code does not say what shape the input has. Say the input shape, such as (1, 28, 28)."),
    (in_class("self.a = nn.Linear(4, 4)", "return x + self.a(x)"), None, "Line 7: `x + self.a(x)` adds two results"),
    (in_class("self.a = nn.Linear(4, 4)", "x += self.a(x)\nreturn x"), None, "ResidualBlock"),
    (in_class("self.a = nn.Linear(4, 4)", "if self.training:\n    x = self.a(x)\nreturn x"), None, "`forward` calls other layers in use than in training."),
    (
        in_class("self.a = nn.Linear(4, 4)", "self.a(x)\nreturn torch.einsum('nf,fg->ng', x, self.a.weight)"),
        None, "Line 8: The playground has no layer for `torch.einsum('nf,fg->ng', x, self.a.weight)`.",
    ),
    (in_class("self.a = nn.Linear(4, 4)", "while True:\n    x = self.a(x)"), None, "Line 8: The network calls more than 2,000 layers and functions."),
    (in_class("while True:\n    self.a = nn.Linear(4, 4)", "return self.a(x)"), None, "Line 5: The code makes more than 2,000 layers."),
    (in_class("self.a = nn.Linear(4, 4)", "return self.b(x)"), None, "Line 7: AttributeError: 'Net' object has no attribute 'b'"),
    (in_class("self.a = nn.Linear(4, n)", "return self.a(x)"), None, "Line 4: The name `n` is not defined."),
    ("nn.Sequential()", None, "The code does not say what shape the input has."),
    (in_class("self.a = nn.Linear(4, 4)", "self.a(x)"), None, "`forward` returns no tensor that is computed from its input."),
    (in_class("self.a = nn.Linear(4, 4)", "y = x.view(-1, 4)\ny.relu_()\nreturn self.a(x)"), (4,), "Line 9: This uses a tensor that was changed in place"),
    (
        in_class("self.a = nn.Linear(4, 4)", "return self.a(x) if x.sum() > 0 else x"),
        (4,), "needs the values of the data, and a network is read with shapes alone.",
    ),
    (in_class("self.a = nn.Linear(4, 4)", "return self.a(x)").replace("self, x", "self, x, y"), None, "Line 7: `forward` takes y as well"),
    (
        in_class("self.a = nn.Linear(4, 4)", "return self.a(x)").replace("__(self)", "__(self, n)", 1),
        None, "Line 1: `__init__` takes n, and the code does not give it.",
    ),
    (
        in_class("self.a = nn.Linear(4, 4)", "return self.a(x)") + "    def __call__(self, x):\n        pass\n",
        None, "`forward` returns no tensor that is computed from its input.",
    ),
    ("class Net(nn.Module):\n    def __init__(self):\n        pass\n", None, "Line 1: The class Net has no `forward`"),
    ("from keras import Sequential\nfrom keras.layers import Dense\nmodel = Sequential([Dense(3)])", None, "This is Keras, and the playground runs PyTorch"),
    ("import torch\nprint(torch.ones(3))", None, "There is no network in this code."),
    ("", None, "There is no network in this code."),
    ("net = nn.Sequential(nn.Linear(4, 2)", None, "Line 1: Python cannot parse this: '(' was never closed."),
    ("nn.Sequential(nn.Linear(4, 2))", (3, 3), "The input shape (3, 3) must be"),
    ("nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 2), nn.Dropout(0.99))", None, "p must be a number from 0 to 0.95, not 0.99."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "shape", "message"), REFUSED, ids=[message for _, _, message in REFUSED])
def test_the_error_for_unreadable_code_names_the_line(text: str, shape: Shape | None, message: str) -> None:
    with pytest.raises((CodeError, ConfigError), match=re.escape(message)) as caught:
        read(text, shape)
    assert isinstance(caught.value, ConfigError) or caught.value.line is None or caught.value.message.startswith(f"Line {caught.value.line}: ")


# A piece that cannot be read must not be left out in silence.

LAYERS_LIST = "layers = [nn.Linear(4, 4)]\n{}\nnet = nn.Sequential(*layers)"
POISONED = [
    LAYERS_LIST.format("if flag:\n    layers.append(nn.ReLU())"),
    LAYERS_LIST.format("layers[0] = nn.ReLU()"),
    LAYERS_LIST.format("del layers[0]"),
    LAYERS_LIST.format("while flag:\n    layers = layers + [nn.ReLU()]"),
    "n = 4\nif flag:\n    n = 5\nnet = nn.Sequential(nn.Linear(n, 4))",
    "n = 4\nwith open('x') as n:\n    pass\nfor n in data:\n    pass\nnet = nn.Sequential(nn.Linear(n, 4))",
    "n = 4\nif (n := unknown()):\n    pass\nnet = nn.Sequential(nn.Linear(n, 4))",
    "def make():\n    for n in data:\n        return nn.Sequential(nn.Linear(4, 4))\n    return nn.Sequential(nn.Linear(8, 4))\nnet = make()",
    in_class("self.a = nn.Linear(4, 4)\nif flag:\n    self.a = nn.Linear(4, 5)", "return self.a(x)"),
    in_class("self.a = nn.Sequential(nn.Linear(4, 4))\nself.a[0] = nn.ReLU()", "return self.a(x)"),
    in_class("self.a = nn.Sequential(nn.Linear(4, 4))\nfor n in data:\n    self.a.append(nn.ReLU())", "return self.a(x)"),
    "class ResidualBlock(nn.Module):\n    def __init__(self, a, b):\n        super().__init__()\n        self.a = nn.Conv2d(a, b, 3, padding=1)\n"
    "    def forward(self, x):\n        return x + self.a(x)\n\nnet = nn.Sequential(ResidualBlock(3, 3))",
]


@pytest.mark.parametrize("text", POISONED)
def test_code_that_cannot_be_left_out_is_refused(text: str) -> None:
    with pytest.raises(CodeError):
        read(text)


def test_a_class_named_like_a_block_is_read_from_its_own_code() -> None:
    text = "class TokenMean(nn.Module):\n    def forward(self, x):\n        return F.relu(x)\n\nnet = nn.Sequential(nn.Linear(4, 4), TokenMean())"
    assert types(text) == ["Linear", "ReLU"]
