"""Previews of a data set: the first images of each class in one row."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from playground.data.images import ImageSet

COUNT = 16
"""Images of each class in a row."""
GAP = 2
"""Pixels between two images."""
ZOOM = 2

Picture = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


def class_rows(images: ImageSet) -> Iterator[tuple[str, Picture]]:
    """Yield the name of each class and its first training images side by side, ``(height, width, 3)`` or ``(height, width)`` uint8."""
    for label, name in enumerate(images.info.classes):
        first = images.train_images[images.train_labels == label][:COUNT].permute(0, 2, 3, 1).numpy()  # (N, H, W, C)
        spaced = np.pad(first, ((0, 0), (0, 0), (0, GAP), (0, 0)), constant_values=0 if first.shape[3] == 1 else 255)
        row = np.concatenate(list(spaced), axis=1)
        enlarged = row.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)
        yield name, enlarged[..., 0] if enlarged.shape[2] == 1 else enlarged
