"""CIFAR-10 from a copy as JPEG files, for measuring where the official archive cannot be had.

`python -m benchmarks.cifar10_jpeg COPY.zip` puts it where the playground keeps the parsed data set. The pixels are
lossy, so figures measured on it are to be marked “JPEG copy”; learners get the official archive.
"""

from __future__ import annotations

import io
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from playground.data.catalogue import dataset_info
from playground.data.images import ImageSet
from playground.data.load import load, store


def main(path: Path) -> None:
    """Parse the copy, keep it, and say how long the kept file takes to open."""
    info = dataset_info("cifar10")
    with zipfile.ZipFile(path) as archive:
        parts = [_read(archive, part, info.classes) for part in ("train", "test")]
    (train_images, train_labels), (test_images, test_labels) = parts
    store(ImageSet(info, train_images, train_labels, test_images, test_labels))
    start = time.perf_counter()
    images = load("cifar10")
    print(f"{len(images.train_images):,} + {len(images.test_images):,} images open in {time.perf_counter() - start:.3f} s")


def _read(archive: zipfile.ZipFile, part: str, classes: tuple[str, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """The images (N, 3, 32, 32) uint8 and labels (N,) of `train` or `test`."""
    names = sorted(name for name in archive.namelist() if f"/{part}/" in name and name.endswith(".jpg"))
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in names])
    labels = torch.tensor([classes.index(name.split("/")[-2]) for name in names])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(), labels


if __name__ == "__main__":
    main(Path(sys.argv[1]))
