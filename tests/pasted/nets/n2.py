# ruff: noqa
# fmt: off
from collections import OrderedDict
from torch.nn import Flatten, Linear, ReLU, Sequential

net = Sequential(OrderedDict([
    ("flatten", Flatten()),
    ("fc1", Linear(28 * 28, 128)),
    ("relu", ReLU()),
    ("fc2", Linear(128, 10)),
]))
