"""Load data sets by name: parsed once, cached on disk in one file, loaded once per process."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from playground import environment
from playground.data import builtin
from playground.data.archives import Progress, archives, fetch
from playground.data.catalogue import DatasetInfo, dataset_info
from playground.data.images import ImageSet
from playground.errors import DataError
from playground.messages import msg

FIELDS = ("train_images", "train_labels", "test_images", "test_labels")

_BUILDERS = {"mnist-5k": builtin.mnist_5k, "shapes": builtin.shapes}
_lock = threading.Lock()


def load(name: str) -> ImageSet:
    """Load a data set to the CPU; return the same object each time.

    Raises:
        UnknownName: the data set does not exist.
        DataError: the data set has not been downloaded, or cannot be read.
    """
    info = dataset_info(name)
    with _lock:
        return _load(info, environment.data_folder())


def is_ready(name: str) -> bool:
    """Return whether `load` works without a download."""
    info = dataset_info(name)
    return info.offline or cache_path(info).exists()


def download(name: str, progress: Progress) -> None:
    """Download, verify, parse and store a data set, unless it is available already.

    Raises:
        UnknownName: the data set does not exist.
        DataError: the files could not be downloaded, stored or read.
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
        raise DataError(msg("Another process is downloading {dataset} right now.", dataset=info.title), msg("Wait until the download is complete.")) from None
    except OSError as error:
        raise DataError(
            msg("{dataset} could not be stored on disk: {error}.", dataset=info.title, error=str(error)), msg("Free some disk space, then try again.")
        ) from error


def cache_path(info: DatasetInfo) -> Path:
    """Return the path of the file that stores a parsed data set."""
    return environment.data_folder() / f"{info.name}.safetensors"


def store(images: ImageSet) -> None:
    """Store a parsed data set: write to a temporary file, then rename it, so that it is complete or absent."""
    path = cache_path(images.info)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        save_file({field: getattr(images, field).contiguous() for field in FIELDS}, temporary)
        temporary.replace(path)
    except SafetensorError as error:
        raise OSError(str(error)) from error  # safetensors wraps a full or read-only disk
    finally:
        temporary.unlink(missing_ok=True)


@cache
def _load(info: DatasetInfo, folder: Path) -> ImageSet:
    path = cache_path(info)
    if path.exists():
        tensors = _read(path)
        if tensors is not None and _fits(tensors, info):
            return ImageSet(info, **tensors)
        path.unlink()  # truncated or of another version: it is only a cache
    if info.offline:
        images = _BUILDERS[info.name](info)
        with suppress(OSError):  # on a full or read-only disk the next start only takes a second longer
            store(images)
        return images
    root = folder / "downloads"
    if all(archive.is_complete() for archive in archives(info, root)):
        images = _parse(info, root)
        store(images)
        return images
    raise DataError(
        msg("{dataset} has not been downloaded yet.", dataset=info.title),
        msg("Download it first, or use MNIST 5k or Shapes 32×32, which need no download."),
    )


def _read(path: Path) -> dict[str, Tensor] | None:
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
    from torchvision import datasets  # takes a second, and only a parse needs it

    loader: Any = getattr(datasets, info.torchvision)
    try:
        train, test = loader(root, train=True, download=True), loader(root, train=False, download=True)
    except (OSError, EOFError, RuntimeError, ValueError) as error:
        raise DataError(
            msg("{dataset} was downloaded but cannot be read: {error}.", dataset=info.title, error=str(error)),
            msg("Delete {folder} and download it again.", folder=str(root)),
        ) from error
    (train_images, train_labels), (test_images, test_labels) = _tensors(train, info), _tensors(test, info)
    return ImageSet(info, train_images, train_labels, test_images, test_labels)


def _tensors(loaded: Any, info: DatasetInfo) -> tuple[Tensor, Tensor]:
    images, labels = torch.as_tensor(loaded.data), torch.as_tensor(loaded.targets).long()
    if info.input_shape[0] == 1:
        return images.unsqueeze(1).contiguous(), labels  # (N, H, W) → (N, 1, H, W)
    return images.permute(0, 3, 1, 2).contiguous(), labels  # (N, H, W, C) → (N, C, H, W)
