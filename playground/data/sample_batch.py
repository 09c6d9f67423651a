"""Sample batches for networks of any input shape: images of a data set with this shape, else random numbers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from playground.data.catalogue import DATASETS, DatasetInfo, dataset_info
from playground.data.images import normalise
from playground.data.load import load
from playground.messages import msg


@dataclass(frozen=True)
class Batch:
    """Samples scaled as in training."""

    inputs: Tensor
    """``(N, *input_shape)`` float32, normalised."""
    labels: Tensor
    """``(N,)`` int64."""
    info: DatasetInfo | None
    """Their data set; None for random numbers."""
    description: str
    """One sentence about the source of the samples."""


def draw_batch(input_shape: tuple[int, ...], classes: int, count: int, dataset: str = "") -> Batch:
    """Draw random samples with torch's default generator.

    Args:
        input_shape: shape of one sample.
        classes: number of classes, for random labels.
        count: number of samples.
        dataset: preferred data set; a built-in one is used if this is empty or its shape differs.

    Raises:
        UnknownName: the data set does not exist.
        DataError: the data set has not been downloaded.
    """
    preferred = dataset_info(dataset) if dataset else None
    candidates = [*([preferred] if preferred else []), *(info for info in DATASETS if info.offline)]
    info = next((info for info in candidates if info.input_shape == input_shape), None)
    if info is None:
        description = msg(
            "No data set has samples of shape {shape}, so the batch has {count} normally distributed random samples with random labels.",
            shape=input_shape,
            count=count,
        )
        return Batch(torch.randn(count, *input_shape), torch.randint(classes, (count,)), None, description)
    images = load(info.name)
    index = torch.randperm(len(images.train_images))[:count]
    description = msg("The batch has {count} training images of {dataset} with their labels, normalised as in training.", count=len(index), dataset=info.title)
    return Batch(normalise(images.train_images[index], info), images.train_labels[index], info, description)
