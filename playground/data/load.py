"""From a name to an `ImageSet`: parsed once, kept on disk in one file, loaded once a process."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from torch import Tensor

from playground import environment
from playground.data import builtin
from playground.data.archives import Progress, archives, fetch
from playground.data.catalogue import DatasetInfo, dataset_info
from playground.data.images import ImageSet
from playground.errors import DataError

FIELDS = ("train_images", "train_labels", "test_images", "test_labels")

_BUILDERS = {"mnist-5k": builtin.mnist_5k, "shapes": builtin.shapes}
_lock = threading.Lock()


def load(name: str) -> ImageSet:
    """The data set called `name`, on the CPU; the same object every time it is asked for.

    Raises:
        UnknownName: there is no such data set.
        DataError: it has not been downloaded, or cannot be read.
    """
    info = dataset_info(name)
    with _lock:
        return _load(info, environment.data_folder())


def is_ready(name: str) -> bool:
    """Whether `load` works without a download."""
    info = dataset_info(name)
    return info.offline or cache_path(info).exists()


def download(name: str, progress: Progress) -> None:
    """Fetch, verify, parse and keep a data set; does nothing where it is there already.

    Raises:
        UnknownName: there is no such data set.
        DataError: the files could not be had, do not fit on the disk, or cannot be read.
    """
    info = dataset_info(name)
    if is_ready(name):
        return
    root = environment.data_folder() / "downloads"
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f"{name}.lock", timeout=0):
            fetch(info, root, progress)
            store(_parse(info, root))
    except Timeout:
        raise DataError(f"{info.title} is being downloaded by someone else right now.", "Wait until it is there.") from None
    except OSError as error:
        raise DataError(f"{info.title} could not be kept: {error}.", "Free some space on the disk, then try again.") from error


def cache_path(info: DatasetInfo) -> Path:
    """The one file that a parsed data set is kept in."""
    return environment.data_folder() / f"{info.name}.safetensors"


def store(images: ImageSet) -> None:
    """Keep a parsed data set on disk: written beside its place, then renamed, so that it is whole or not there."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    path = cache_path(images.info)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        save_file({field: getattr(images, field).contiguous() for field in FIELDS}, temporary)
        temporary.replace(path)
    except SafetensorError as error:
        raise OSError(str(error)) from error  # which it is: a full disk, or one that may not be written
    finally:
        temporary.unlink(missing_ok=True)


@cache
def _load(info: DatasetInfo, folder: Path) -> ImageSet:
    path = cache_path(info)
    if path.exists():
        tensors = _read(path)
        if tensors is not None and _fits(tensors, info):
            return ImageSet(info, **tensors)
        path.unlink()  # torn or of another version: it is only a cache
    if info.offline:
        images = _BUILDERS[info.name](info)
        with suppress(OSError):  # a full or read-only disk costs a second at the next start, nothing more
            store(images)
        return images
    root = folder / "downloads"
    if all(archive.is_whole() for archive in archives(info, root)):
        images = _parse(info, root)
        store(images)
        return images
    raise DataError(f"{info.title} has not been downloaded yet.", "Download it first, or use MNIST 5k or Shapes 32×32, which need no download.")


def _read(path: Path) -> dict[str, Tensor] | None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError):
        return None


def _fits(tensors: dict[str, Tensor], info: DatasetInfo) -> bool:
    expected = {
        "train_images": (info.train_size, *info.input_shape),
        "train_labels": (info.train_size,),
        "test_images": (info.test_size, *info.input_shape),
        "test_labels": (info.test_size,),
    }
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()} == expected


def _parse(info: DatasetInfo, root: Path) -> ImageSet:
    """Read the verified files with torchvision's own loader, which finds them and downloads nothing.

    Raises:
        DataError: the files cannot be read.
    """
    from torchvision import datasets

    loader: Any = getattr(datasets, info.torchvision)
    try:
        train, test = loader(root, train=True, download=True), loader(root, train=False, download=True)
    except (OSError, EOFError, RuntimeError, ValueError) as error:
        raise DataError(f"{info.title} was downloaded but cannot be read: {error}.", f"Delete {root} and download it again.") from error
    (train_images, train_labels), (test_images, test_labels) = _tensors(train, info), _tensors(test, info)
    return ImageSet(info, train_images, train_labels, test_images, test_labels)


def _tensors(loaded: Any, info: DatasetInfo) -> tuple[Tensor, Tensor]:
    images, labels = torch.as_tensor(loaded.data), torch.as_tensor(loaded.targets).long()
    if info.input_shape[0] == 1:
        return images.unsqueeze(1).contiguous(), labels  # (N, H, W) → (N, 1, H, W)
    return images.permute(0, 3, 1, 2).contiguous(), labels  # (N, H, W, C) → (N, C, H, W)
