"""Data sets, loaders and transforms as values of a script. PyTorch's and torchvision's own objects stay inside: a script reaches what the tables here name.

Sources: https://docs.pytorch.org/docs/stable/data.html, https://docs.pytorch.org/vision/stable/transforms.html
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
from torch.utils import data as torch_data

from playground.data.load import is_ready, load
from playground.messages import msg
from playground.tensors.language.calls import arrays_in
from playground.tensors.language.errors import BoundsExceeded, OperationFailed, Refused
from playground.tensors.language.functions import Own
from playground.tensors.language.held import Held, mapped

DATA = "TensorDataset Subset ConcatDataset DataLoader RandomSampler SequentialSampler SubsetRandomSampler WeightedRandomSampler BatchSampler"
SETS = {"MNIST": "mnist", "FashionMNIST": "fashion-mnist", "KMNIST": "kmnist", "CIFAR10": "cifar10"}
"""Classes of `torchvision.datasets`, each with the playground's data set."""
TRANSFORMS = """
    Compose ToTensor PILToTensor ToPILImage ConvertImageDtype Normalize Lambda Resize CenterCrop Pad Grayscale RandomCrop RandomResizedCrop
    RandomHorizontalFlip RandomVerticalFlip RandomRotation RandomAffine RandomGrayscale RandomErasing ColorJitter GaussianBlur RandomApply
"""
NAMES = frozenset(
    [f"torch.utils.data.{name}" for name in DATA.split()]
    + [f"torchvision.datasets.{name}" for name in SETS]
    + [f"torchvision.transforms.{name}" for name in TRANSFORMS.split()]
)
"""Full names of the classes whose objects scripts can make."""
MOST_SAMPLES = 100_000
"""Samples of a data set, at most: an order of them is shuffled at once."""
LARGEST_SIDE = 1024
"""Pixels of one side of an image that a transform makes, at most."""
IGNORED = ("num_workers", "pin_memory", "persistent_workers", "prefetch_factor", "timeout", "multiprocessing_context", "pin_memory_device", "worker_init_fn")
"""Arguments of `DataLoader` that say how other processes help; here none does."""
_OF_PLAYGROUND = ("data", "targets")
"""Attributes of torchvision's sets that are the playground's own tensors until a script asks for them."""
_ATTRIBUTES = """
    dataset datasets batch_size drop_last sampler tensors data targets classes class_to_idx train transform transforms indices mean std size
"""


class Data(Held):
    """A data set, a loader or a sampler."""


class Transform(Held):
    """One of torchvision's transforms."""


class Bounded:
    """A transform as one of torchvision's sets calls it: within the bounds of the script.

    Args:
        transform: torchvision's own.
        reserve: is asked for the bytes of a result before it is made.
    """

    def __init__(self, transform: Any, reserve: Callable[[int], None]) -> None:
        self.transform, self._reserve = transform, reserve

    def __call__(self, image: Any) -> Any:
        made = apply(Transform(self.transform), outside(image), self._reserve)
        return made.inner if isinstance(made, Held) else made

    def __repr__(self) -> str:
        return repr(self.transform)


class Picture(Held):
    """An image that is no tensor: PIL's."""


class OfScript(torch_data.Dataset[Any]):
    """PyTorch's side of an object of the script that has samples.

    Args:
        instance: the script's side.
        call: calls one of its methods, by its name, and returns what PyTorch takes.
    """

    def __init__(self, instance: Own, call: Callable[..., Any]) -> None:
        self.instance, self._call = instance, call

    def __len__(self) -> int:
        return int(self._call("__len__"))

    def __getitem__(self, index: Any) -> Any:
        return self._call("__getitem__", index)


@cache
def kind_of(name: str) -> type:
    """Return the class with a name of `NAMES`."""
    module, _, last = name.rpartition(".")
    if module == "torch.utils.data":
        return getattr(torch_data, last)  # type: ignore[no-any-return]
    import torchvision  # takes a second, and most scripts do without

    return _set(last) if module == "torchvision.datasets" else getattr(torchvision.transforms, last)


def _set(name: str) -> type:
    """Return torchvision's class with the images of the playground, which are on this computer already."""
    from torchvision import datasets  # takes a second, and most scripts do without

    base: Any = getattr(datasets, name)

    def begin(self: Any, root: Any = "data", train: Any = True, transform: Any = None, target_transform: Any = None, download: Any = False) -> None:  # noqa: ARG001
        datasets.VisionDataset.__init__(self, str(root), transform=transform, target_transform=target_transform)
        images = load(_available(SETS[name]))
        self.train, self.copied = bool(train), set()
        pixels, labels = (images.train_images, images.train_labels) if train else (images.test_images, images.test_labels)
        if name == "CIFAR10":
            self.data, self.targets, self.classes = pixels.permute(0, 2, 3, 1).numpy(), labels.tolist(), list(images.info.classes)
        else:
            self.data, self.targets = pixels[:, 0], labels

    return type(name, (base,), {"__init__": begin})


def _available(name: str) -> str:
    """Return the name of a data set that is there: instead of MNIST, where nobody has downloaded it, the part that comes with the playground.

    Raises:
        Refused: there is none.
    """
    if is_ready(name):
        return name
    if name != "mnist":
        raise Refused(msg("This data set has not been downloaded here yet."), msg("Choose it on the Train page once; scripts have it afterwards."))
    warnings.warn(msg("MNIST has not been downloaded here yet: these are the 4,000 and 1,000 images of MNIST 5k."), stacklevel=2)
    return "mnist-5k"


def make(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], reserve: Callable[[int], None]) -> Held:
    """Make an object of one of these classes.

    Args:
        reserve: is asked for the bytes of a batch, or of an image, before it is made.

    Raises:
        BoundsExceeded: it is too large.
    """
    kind: Any = kind_of(name)
    if name.startswith("torchvision.transforms."):
        return Transform(kind(*args, **kwargs))
    if name.startswith("torchvision.datasets."):
        args, kwargs = tuple(_bounded(value, reserve) for value in args), {key: _bounded(value, reserve) for key, value in kwargs.items()}
    if kind is torch_data.DataLoader:
        put_together = kwargs.pop("collate_fn", None) or torch_data.default_collate

        def collate(samples: list[Any]) -> Any:
            reserve(sum(array.nbytes for array in arrays_in(samples)))
            return put_together(samples)

        made = Data(kind(*args, **{**kwargs, "collate_fn": collate}))
    else:
        made = Data(kind(*args, **kwargs))
    counted: Any = made.inner.dataset if isinstance(made.inner, torch_data.DataLoader) else made.inner
    if len(counted) > MOST_SAMPLES:
        raise BoundsExceeded(msg("A data set of a script has at most {limit:,} samples.", limit=MOST_SAMPLES))
    return made


def _bounded(value: Any, reserve: Callable[[int], None]) -> Any:
    return Bounded(value, reserve) if _is_transform(value) else value


def _is_transform(value: Any) -> bool:
    return type(value).__module__.startswith("torchvision.transforms")


def outside(value: Any) -> Any:
    """Replace what PyTorch, torchvision and PIL have made by values of a script, also inside lists and dictionaries."""
    if isinstance(value, OfScript):
        return value.instance
    if isinstance(value, (torch_data.Dataset, torch_data.DataLoader, torch_data.Sampler)):
        return Data(value)
    if isinstance(value, Bounded):
        return Transform(value.transform)
    if _is_transform(value):
        return Transform(value)
    if type(value).__module__.startswith("PIL."):
        return Picture(value)
    return mapped(value, outside)


def steps(value: Data) -> Iterator[Any]:
    """Yield the batches of a loader, the samples of a data set, or the indices of a sampler."""
    samples = value.inner
    if isinstance(samples, torch_data.Dataset):
        for index in range(len(value.inner)):
            yield item(value, index)
        return
    for each in samples:
        yield outside(each)


def known_length(value: Data) -> int | None:
    """Return how many steps there are; None where the script itself says it."""
    samples = getattr(value.inner, "dataset", value.inner)
    return None if isinstance(samples, OfScript) else len(value.inner)


def item(value: Data, index: Any) -> Any:
    """Return the sample at an index."""
    if not isinstance(value.inner, torch_data.Dataset):
        raise OperationFailed(f"TypeError: '{type(value.inner).__name__}' object is not subscriptable")  # no text: Python's message
    return outside(value.inner[index])


def attribute(value: Held, name: str) -> Any:
    """Return an attribute of a data set, a loader or a transform; of an image its size and its mode.

    Raises:
        Refused: there is none that scripts can use.
    """
    allowed = ("size", "mode", "width", "height") if isinstance(value, Picture) else _ATTRIBUTES.split()
    if name not in allowed or not hasattr(value.inner, name):
        raise Refused(msg("`{type}` has no `.{name}` that scripts can use.", type=type(value.inner).__name__, name=name))
    if name in _OF_PLAYGROUND and name not in getattr(value.inner, "copied", _OF_PLAYGROUND):
        value.inner.copied.add(name)
        setattr(value.inner, name, copy.deepcopy(getattr(value.inner, name)))  # a script may change them, and the playground's own stay
    return outside(getattr(value.inner, name))


def apply(transform: Transform, image: Any, reserve: Callable[[int], None]) -> Any:
    """Apply a transform to an image, which is a tensor, an array or a picture.

    Raises:
        BoundsExceeded: the result would be too large.
    """
    if type(transform.inner).__name__ == "Compose":  # each part has its own bounds, because a crop changes the form of the image
        for part in transform.inner.transforms:
            image = apply(Transform(part), image, reserve) if _is_transform(part) else outside(part(image.inner if isinstance(image, Held) else image))
        return image
    taken = image.inner if isinstance(image, Picture) else image
    shape = (3, *taken.size) if isinstance(image, Picture) else np.shape(taken)
    side = _largest_side(transform.inner, shape[-3:])
    if side > LARGEST_SIDE:
        raise BoundsExceeded(msg("A transform makes images of at most {limit:,} pixels a side.", limit=LARGEST_SIDE))
    reserve(4 * max(3, *shape[:-2], 1) * side * side)
    return outside(transform.inner(taken))


def _largest_side(transform: Any, shape: tuple[int, ...]) -> int:
    """Return the pixels of the longest side that a transform of an image of this shape may make, at most."""
    longest, shortest = max([1, *shape]), max(1, min([1, *shape] if len(shape) < 2 else shape[-2:]))
    parts = getattr(transform, "transforms", None)
    if parts is not None:  # in any order, or not at all, so that every ratio of the sides may come
        return longest + sum(2 * _most(part) * (longest if type(part).__name__ == "Resize" else 1) for part in parts)
    ratio = -(-longest // shortest) if type(transform).__name__ == "Resize" else 1  # one number is for the shorter side
    return longest + 2 * _most(transform) * ratio


def _most(transform: Any) -> int:
    return max((number for name in ("size", "padding", "max_size") for number in _numbers(getattr(transform, name, None))), default=0)


def _numbers(value: Any) -> list[int]:
    if isinstance(value, (list, tuple)):
        return [number for part in value for number in _numbers(part)]
    return [int(value)] if isinstance(value, (int, float)) else []


def as_array(picture: Picture) -> np.ndarray[Any, Any]:
    """Return the pixels of an image, ``(H, W)`` or ``(H, W, C)`` uint8."""
    return np.array(picture.inner)
