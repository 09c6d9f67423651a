"""Write a run as a PyTorch script with `Dataset`, `DataLoader` and the five lines of a training loop."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from types import ModuleType
from typing import Any

from playground.data.augmentation import Augmentation
from playground.data.catalogue import DatasetInfo, dataset_info
from playground.data.input_scaling import BYTES, STANDARDISED
from playground.network.initialise import source
from playground.network.source import imports, sequential
from playground.network.spec import NetworkSpec
from playground.training.config import TrainConfig
from playground.training.schedules import schedule_type
from playground.training.whitening import WHITENING_IMAGES

_EPOCH = """\
    network.train()
    for images, labels in train_loader:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        {forward}
        loss = loss_function(logits, labels)
        loss.backward()
{clip}        optimizer.step()
{scheduler}"""

_FULL_BATCH_EPOCH = """\
    network.train()

    def closure():
        optimizer.zero_grad()
        total = 0.0
        for images, labels in train_loader:
            images, labels = images.to(device), labels.to(device)
            {forward}
            loss = loss_function(logits, labels) * len(labels) / len(train_data)
            loss.backward()
            total += loss.detach()
{clip}        return total

    loss = optimizer.step(closure)
{scheduler}"""

_EVALUATION = """
    network.eval()
    correct = 0
    with torch.no_grad():
        for images, labels in test_loader:
            logits = network(images.to(device))
            correct += (logits.argmax(dim=1) == labels.to(device)).sum().item()
    print(f"epoch {epoch + 1}: loss {loss.item():.4f}, test accuracy {correct / len(test_data):.2%}")
"""

_MNIST_5K = '''\
class Digits(Dataset):
    """4,000 of MNIST's digits for training and 1,000 for testing: mnist-5k.npz in this folder, or that of the installed playground."""

    def __init__(self, train, transform):
        here = Path("mnist-5k.npz")
        part = "train" if train else "test"
        with np.load(here if here.exists() else files("playground.data") / "assets" / "mnist-5k.npz") as arrays:
            self.images = arrays[f"{part}_images"].squeeze(1)  # (N, 1, 28, 28) → (N, 28, 28)
            self.labels = arrays[f"{part}_labels"].astype(np.int64)
        self.transform = transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.transform(self.images[index]), self.labels[index]
'''

_SHAPES = '''\
class Shapes(Dataset):
    """The playground's synthetic shapes; run this next to its folder `playground`."""

    def __init__(self, train, transform):
        from playground.data.load import load

        data = load("shapes")
        self.images = (data.train_images if train else data.test_images).permute(0, 2, 3, 1).numpy()
        self.labels = data.train_labels if train else data.test_labels
        self.transform = transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.transform(self.images[index]), self.labels[index]
'''

_WHITENING = """\
# The filters of the first convolution are computed from patches of the training images and stay frozen.
plain_data = {plain_data}
plain_images = torch.stack([plain_data[index][0] for index in range(0, len(plain_data), {every})])
with torch.no_grad():
    network[0].weight.copy_(whitening_filters(plain_images, network[0]))
network[0].weight.requires_grad_(False)
"""


def training_source(network: NetworkSpec, config: TrainConfig) -> str:
    """Return a script that trains this network with these settings without the playground.

    It draws other random numbers than the playground, so its losses differ as those of two seeds do.

    Raises:
        ShapeError: a layer does not fit.
    """
    info = dataset_info(config.dataset)
    parts = [
        "\n".join(_imports(network, config, info)),
        "\n\n\n".join([*_quoted(config), "\n".join(_settings(config))]),
        _data(info, config),
        "\n\n".join([sequential(network).rstrip(), *_start(config, info), "network = network.to(device)"]),
        "\n".join([_loss(config), f"optimizer = {config.optimizer_type.code(config)}", _scheduler(config)]),
        _loop(config),
        'torch.save(network.state_dict(), "network.pt")',
    ]
    text = "\n\n".join(part.rstrip() for part in parts) + "\n"
    return re.sub(r"\n{2,}(?=(?:class|def) )", "\n\n\n", text)


def _imports(network: NetworkSpec, config: TrainConfig, info: DatasetInfo) -> list[str]:
    standard: list[str] = []
    lines = imports(network)
    for module in _playground_modules(config):
        for line in re.findall(r"^(?!from __future__|from playground)(?:from|import) .*$", inspect.getsource(module), re.MULTILINE):
            (lines if "torch" in line else standard).append(line)
    lines = sorted({line for line in lines if line != "from torch import nn" or "from torch import Tensor, nn" not in lines}, key=_import_order)
    if info.torchvision:
        lines += ["from torch.utils.data import DataLoader", "from torchvision import datasets, transforms"]
    else:
        lines += ["from torch.utils.data import DataLoader, Dataset", "from torchvision import transforms"]
    if info.name == "mnist-5k":
        standard += ["from importlib.resources import files", "from pathlib import Path"]
        lines.insert(0, "import numpy as np")
    return [*sorted(set(standard)), "", *lines] if standard else lines


def _import_order(line: str) -> tuple[bool, str]:
    """Sort `import …` before `from … import …`."""
    return line.startswith("from"), line


def _quoted(config: TrainConfig) -> list[str]:
    """Return the source of the playground's definitions that PyTorch lacks."""
    definitions: list[Any] = [each for module in _playground_modules(config) for each in _definitions(module)]
    return [re.sub(r"  # type: ignore.*", "", inspect.getsource(each)).rstrip() for each in definitions]


def _playground_modules(config: TrainConfig) -> list[ModuleType]:
    """Return the playground's modules whose source the script contains."""
    target = config.optimizer_type.target
    names = [*([target.rpartition(".")[0]] if target.startswith("playground.") else []), *(["playground.training.whitening"] if config.whiten else [])]
    return [import_module(name) for name in names]  # they import torch, which a starting page need not wait for


def _definitions(module: ModuleType) -> list[Any]:
    """Return the functions and classes of a module in order, without those that raise the playground's errors."""
    definitions = [
        each for each in vars(module).values() if getattr(each, "__module__", "") == module.__name__ and (inspect.isclass(each) or inspect.isfunction(each))
    ]
    return [each for each in definitions if "ConfigError" not in inspect.getsource(each)]


def _start(config: TrainConfig, info: DatasetInfo) -> list[str]:
    """Return the code of weight initialisation and whitening, if configured."""
    lines = [] if config.initialisation == "default" else [source(config.initialisation).rstrip()]
    if config.whiten:
        every = max(1, info.train_size // WHITENING_IMAGES)  # not the first ones: a data set may be sorted by class
        lines.append(_WHITENING.format(plain_data=_dataset(info).format("True", "normalise"), every=every).rstrip())
    return lines


_LEFT_OUT = {"stroke": "thicker and thinner lines", "styles": "digits in other handwriting", "scribbles": "scribbles of no class"}  # no text: a comment in code
"""What an augmentation does that the code leaves out."""


def _settings(config: TrainConfig) -> list[str]:
    whole = max(1, round(config.epochs))
    return [
        f"torch.manual_seed({config.seed})",
        'device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else "cpu"',
        f"epochs = {whole}" if whole == config.epochs else f"epochs = {whole}  # instead of {config.epochs:.15g}: this loop takes whole ones",
    ]


def _data(info: DatasetInfo, config: TrainConfig) -> str:
    steps = _inputs(config.inputs, info)
    augment = [f"    {step}," for step in _augmentation(config.augment, info)]
    source = {"mnist-5k": _MNIST_5K, "shapes": _SHAPES}.get(info.name)
    dataset = _dataset(info)
    to_image = [] if info.torchvision else ["    transforms.ToPILImage(),"]
    lines = ["normalise = transforms.Compose([", *to_image, *steps, "])"]
    train_transform = "normalise"
    if augment or config.augment.noise:
        noise = [f"    transforms.Lambda(lambda image: image + torch.randn_like(image) * {_noise(config, info):.4g}),"] if config.augment.noise else []
        lines += ["augment = transforms.Compose([", *to_image, *augment, *steps, *noise, "])"]
        train_transform = "augment"
    if left_out := [what for name, what in _LEFT_OUT.items() if getattr(config.augment, name)]:
        lines.append(f"# The run also trained on {' and '.join(left_out)}, for which torchvision has no transform.")
    lines += [
        f"train_data = {dataset.format('True', train_transform)}",
        f"test_data = {dataset.format('False', 'normalise')}",
        f"train_loader = DataLoader(train_data, batch_size={1000 if config.optimizer_type.full_batch else config.batch_size}, shuffle=True)",
        "test_loader = DataLoader(test_data, batch_size=1000)",
    ]
    return (source + "\n\n" if source else "") + "\n".join(lines)


def _dataset(info: DatasetInfo) -> str:
    """Return the call that creates a data set, with `{}` for whether it is the training set, and for the transform."""
    if info.torchvision:
        return f'datasets.{info.torchvision}("data", train={{}}, download=True, transform={{}})'
    return {"mnist-5k": "Digits({}, {})", "shapes": "Shapes({}, {})"}[info.name]


def _inputs(inputs: str, info: DatasetInfo) -> list[str]:
    """Return the transforms of the input scaling."""
    scaled = {STANDARDISED: [f"    transforms.Normalize({info.mean}, {info.std}),"], BYTES: ["    transforms.Lambda(lambda image: image * 255),"]}
    return ["    transforms.ToTensor(),", *scaled.get(inputs, [])]


def _noise(config: TrainConfig, info: DatasetInfo) -> float:
    """Return the standard deviation of the noise after input scaling."""
    unit = {STANDARDISED: len(info.std) / sum(info.std), BYTES: 255.0}.get(config.inputs, 1.0)
    return config.augment.noise * unit


def _augmentation(augment: Augmentation, info: DatasetInfo) -> list[str]:
    """Return torchvision's transforms for the augmentation, without changes that torchvision lacks."""
    size = info.input_shape[1]
    steps = ["transforms.RandomHorizontalFlip()"] if augment.flip else []
    if augment.shift or augment.rotation or augment.scale:
        share = augment.shift / size
        scale = f", scale=({1 - augment.scale:.15g}, {1 + augment.scale:.15g})" if augment.scale else ""
        steps.append(f"transforms.RandomAffine({augment.rotation:.15g}, translate=({share:.3g}, {share:.3g}){scale})")
    return steps


def _loop(config: TrainConfig) -> str:
    """Return the loop over the epochs: the five lines, or a closure for a full-batch optimizer."""
    full = config.optimizer_type.full_batch
    deeper, outer = ("            ", "    ") if full else ("        ", "        ")
    clip = f"        nn.utils.clip_grad_norm_(network.parameters(), {config.clip_grad_norm:.15g})\n" if config.clip_grad_norm else ""
    scheduler = "" if config.schedule == "constant" else f"{outer}scheduler.step()\n"
    forward = _forward(config).replace("\n", f"\n{deeper}")
    return "for epoch in range(epochs):\n" + (_FULL_BATCH_EPOCH if full else _EPOCH).format(forward=forward, clip=clip, scheduler=scheduler) + _EVALUATION


def _scheduler(config: TrainConfig) -> str:
    """Return the code of PyTorch's scheduler, stepped after every batch."""
    total = "epochs" if config.optimizer_type.full_batch else "epochs * len(train_loader)"
    return schedule_type(config.schedule).code.format(peak=f"{config.learning_rate:.15g}", total=total)


def _forward(config: TrainConfig) -> str:
    """Return the call of the network in the configured precision."""
    if config.precision == "float32":
        return "logits = network(images)"
    return f"with torch.autocast(torch.device(device).type, torch.{config.precision}):\n    logits = network(images)\nlogits = logits.float()"


def _loss(config: TrainConfig) -> str:
    smoothing = f"label_smoothing={config.label_smoothing:.15g}" if config.label_smoothing else ""
    return f"loss_function = nn.CrossEntropyLoss({smoothing})"
