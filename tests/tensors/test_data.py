"""Data sets, loaders, transforms, saved files and Python's modules in scripts: the same as in Python, within the bounds."""

from __future__ import annotations

import pytest

from playground.data import load
from playground.tensors.language.bounds import Bounds
from playground.tensors.language.datasets import SETS, TRANSFORMS, kind_of
from playground.tensors.language.errors import BoundsExceeded, OperationFailed, Refused
from playground.tensors.language.interpreter import run

from .test_language import agree

PROGRAMS = """
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
data = TensorDataset(torch.arange(12.).view(6, 2), torch.arange(6))
print(len(data), data[2], len(data.tensors))
loader = DataLoader(data, batch_size=4, shuffle=True)
for epoch in range(2):
    for x, y in loader:
        print(x, y)
print(len(loader), loader.batch_size)
===
from torch.utils.data import Dataset, DataLoader
class Squares(Dataset):
    def __init__(self, count, transform=None):
        super().__init__()
        self.count, self.transform = count, transform
    def __len__(self):
        return self.count
    def __getitem__(self, index):
        x = torch.tensor([index, index ** 2.0])
        return (self.transform(x) if self.transform else x), index % 2
data = Squares(5, transform=lambda x: x * 10)
print(len(data), data[2])
for i, (x, y) in enumerate(DataLoader(data, batch_size=2, num_workers=0, drop_last=True)):
    print(i, x, y)
first = next(iter(DataLoader(data)))
===
from torch.utils.data import DataLoader, Dataset, random_split, Subset, ConcatDataset
class Numbers(Dataset):
    def __len__(self): return 10
    def __getitem__(self, i): return {"number": i, "name": str(i)}
torch.manual_seed(1)
train, test = random_split(Numbers(), [7, 3])
print(len(train), [each["number"] for each in test])
both = ConcatDataset([Subset(Numbers(), [1, 2]), test])
for batch in DataLoader(both, batch_size=3):
    print(batch)
parts = random_split(range(4), [2, 2])
print([list(part) for part in parts])
===
import torch.utils.data as data
def put(samples):
    return torch.stack([x for x, _ in samples]).sum(0), len(samples)
pairs = [(torch.ones(2) * i, i) for i in range(5)]
for batch in data.DataLoader(pairs, batch_size=2, collate_fn=put):
    print(batch)
sampler = data.WeightedRandomSampler([0.1, 0.9, 0.5], 4)
print(len(list(sampler)), list(data.BatchSampler(data.SequentialSampler(pairs), 2, False)))
===
from torchvision import transforms
from torchvision.transforms import ToTensor, Compose
image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
x = ToTensor()(image)
flat = transforms.Lambda(lambda t: t.flatten())
pipeline = Compose([ToTensor(), transforms.Resize(8), transforms.CenterCrop(6), transforms.Normalize((0.5,) * 3, (0.5,) * 3), flat])
del flat
y = pipeline(image)
print(transforms.Normalize(0.5, 0.5), y.shape)
torch.manual_seed(0)
z = transforms.RandomHorizontalFlip()(transforms.RandomCrop(4, padding=1)(x))
===
import torchvision
grid = torchvision.utils.make_grid(torch.rand(6, 1, 5, 5, generator=torch.Generator().manual_seed(0)), nrow=3)
===
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
torch.save(net.state_dict(), "net.pth")
other = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
print(other.load_state_dict(torch.load("net.pth", weights_only=True)))
net[0].weight.data.zero_()
x = torch.ones(1, 2)
print(net(x), other(x))
torch.save({"epoch": 3, "weights": [torch.ones(2)]}, "all.pt")
checkpoint = torch.load("all.pt", map_location="cpu")
checkpoint["weights"][0].add_(1)
again = torch.load("all.pt")
===
import copy
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(2, 2)
        self.scale = 3
    def forward(self, x):
        return self.inner(x) * self.scale
torch.manual_seed(0)
net = nn.Sequential(Net(), Net())
other = copy.deepcopy(net)
one = copy.deepcopy(net[0])
net[0].inner.weight.data.fill_(1)
one.scale = 5
x = torch.ones(1, 2)
print(net(x), other(x), one(x), net[0].scale)
a = [[1], torch.ones(1)]
b, c = copy.copy(a), copy.deepcopy(a)
a[0].append(2)
a[1] += 1
print(b, c)
===
import itertools, functools, collections
from itertools import product, chain
print(list(product([1, 2], "ab")), list(chain([1], (2, 3))), list(itertools.islice(itertools.count(3), 2)), list(itertools.accumulate([1, 2, 3])))
print(list(itertools.combinations(range(3), 2)), list(zip(itertools.cycle([0, 1]), range(3))), list(itertools.zip_longest([1], [2, 3])))
print(functools.reduce(lambda a, b: a * b, [1, 2, 3]), functools.partial(max, 3)(5), functools.partial(lambda a, b=1: (a, b), b=2)(0))
words = collections.defaultdict(list)
words["a"].append(1)
counts = collections.Counter("hello")
for letter in "abca":
    counts[letter] += 1
layers = nn.Sequential(collections.OrderedDict([("first", nn.Linear(1, 1)), ("act", nn.ReLU())]))
print(words, counts, layers.act)
===
torch.manual_seed(0)
net = nn.Linear(2, 2)
net(torch.ones(1, 2)).sum().mul(100).backward()
norm = torch.nn.utils.clip_grad_norm_(net.parameters(), max_norm=1.0)
grads = [p.grad.clone() for p in net.parameters()]
nn.utils.clip_grad_value_(net.parameters(), 0.1)
after = [p.grad for p in net.parameters()]
===
import warnings
warnings.filterwarnings("ignore")
try:
    torch.load("missing.pt")
except FileNotFoundError as error:
    print("not there")
"""


@pytest.mark.parametrize("source", [program.strip() for program in PROGRAMS.split("===")])
def test_programs_do_what_they_do_in_python(source: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("files"))
    agree(source)


@pytest.mark.parametrize("name", TRANSFORMS.split())
def test_every_transform_is_there(name: str) -> None:
    assert kind_of(f"torchvision.transforms.{name}").__name__ == name


MNIST = """from torchvision import datasets, transforms
train = datasets.MNIST("data", train=True, download=True, transform=transforms.ToTensor())
test = datasets.MNIST("data", train=False)
x, y = train[0]
picture, label = test[0]
pixels = np.array(picture)
"""


def test_mnist_is_the_playgrounds_own(monkeypatch: pytest.MonkeyPatch) -> None:
    execution = run(
        MNIST + "print(len(train), len(test), x.shape, x.dtype, picture.size, picture.mode, pixels.shape, train.classes[:2])", bounds=Bounds(seconds=60)
    )
    assert execution.error is None
    assert execution.output == "4000 1000 torch.Size([1, 28, 28]) torch.float32 (28, 28) L (28, 28) ['0 - zero', '1 - one']\n"
    assert [text for text in execution.warnings if "MNIST 5k" in text]
    images = load.load("mnist-5k")
    assert (execution.names["x"] * 255).round().byte().equal(images.train_images[0])
    assert int(execution.names["y"]) == int(images.train_labels[0])


def test_a_script_changes_its_own_copy_of_a_set_only() -> None:
    source = MNIST + "train.data.zero_()\ntrain.targets.fill_(3)\nx, y = train[0]\nempty = x.sum()"
    execution = run(source, bounds=Bounds(seconds=60))
    assert execution.error is None
    assert (execution.names["empty"].item(), execution.names["y"]) == (0, 3)
    images = load.load("mnist-5k")
    assert images.train_images[0].sum() > 0
    assert len(images.train_labels.unique()) == 10


def test_a_set_that_nobody_has_downloaded_is_refused() -> None:
    assert isinstance(run("from torchvision import datasets\ndatasets.CIFAR10('data')").error, Refused)
    assert set(SETS) == {"MNIST", "FashionMNIST", "KMNIST", "CIFAR10"}


HEAD = "from torch.utils.data import *\nfrom torchvision import transforms\n".replace("*", "DataLoader, Dataset, TensorDataset, Subset")


@pytest.mark.parametrize(
    "source",
    [
        "class D(Dataset):\n    def __len__(self): return 10**9\n    def __getitem__(self, i): return i\nDataLoader(D(), shuffle=True)",
        "class D(Dataset):\n    def __len__(self): return 999\n    def __getitem__(self, i): return torch.ones(9).expand(9**5, 9)\nlist(DataLoader(D(), 500))",
        "next(iter(DataLoader(TensorDataset(torch.zeros(1).expand(10**5, 10**5)), batch_size=10**4)))",
        "transforms.Resize(10**6)(torch.zeros(1, 2, 2))",
        "transforms.Resize(250)(torch.zeros(1, 1, 500))",
        "transforms.Compose([transforms.CenterCrop((1, 166)), transforms.Resize(332)])(torch.zeros(1, 28, 28))",
        "transforms.RandomApply([transforms.Resize(300)])(torch.zeros(1, 1, 30))",
        "from torchvision import datasets\ndatasets.MNIST('d', transform=transforms.Resize(20000))[0]",
        "from torchvision import datasets\nnext(iter(DataLoader(datasets.MNIST('d', True, transforms.Compose([transforms.Pad(900), transforms.ToTensor()])))))",
        "transforms.Pad(5000)(torch.zeros(1, 2, 2))",
        "transforms.Compose([transforms.Pad(500)] * 5)(torch.zeros(1, 2, 2))",
        "class D(Dataset):\n    def __len__(self): return 5\n    def __getitem__(self, i):\n        while True: pass\nlist(DataLoader(D()))",
        "x = torch.zeros(10**6)\nfor i in range(50):\n    torch.save(x, str(i))",
        "import itertools\nlist(itertools.count())",
        "import itertools\nfor i in itertools.cycle([1]): pass",
        "import itertools\nfor p in itertools.product(range(1000), range(1000), range(1000)): pass",
    ],
)
def test_what_is_too_large_is_stopped(source: str) -> None:
    assert isinstance(run(HEAD + source).error, BoundsExceeded)


@pytest.mark.parametrize(
    "source",
    [
        "DataLoader(TensorDataset(torch.ones(2))).dataset._x", "DataLoader(TensorDataset(torch.ones(2))).collate_fn", "DataLoader([1]).generator",
        "transforms.Lambda(print).lambd", "transforms.ToTensor().forward", "TensorDataset(torch.ones(2)).add", "torch.load(print)", "torch.save(1, print)",
        "DataLoader(print)", "DataLoader([1], collate_fn=DataLoader)", "torch.save(torch.ones(1), open('x'))", "import copy\ncopy.os", "import tqdm\ntqdm.sys",
        "Subset([1, 2], [0])[0].x", "DataLoader([1], multiprocessing_context=print)\nDataLoader([print])[0]", "import functools\nfunctools.partial(print).func",
        "class D(Dataset): pass\nnext(iter(DataLoader(D())))", "import collections\ncollections.defaultdict(print)[1].x",
    ],
)  # fmt: skip
def test_nothing_else_of_them_can_be_reached(source: str) -> None:
    error = run(HEAD + source).error
    assert isinstance(error, (Refused, OperationFailed)), error
    assert "object at 0x" not in str(error.message) and "Library" not in str(error.message)
