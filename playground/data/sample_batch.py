"""A batch to try a network on: real images where a built-in data set has them of the right shape, else random numbers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from playground.data.catalogue import DATASETS, DatasetInfo, dataset_info
from playground.data.images import normalise
from playground.data.load import load


@dataclass(frozen=True)
class Batch:
    """Samples as training sees them."""

    inputs: Tensor
    """(N, *input_shape), float32, normalised."""
    labels: Tensor
    """(N,), int64."""
    info: DatasetInfo | None
    """Where they come from; None for random numbers."""
    text: str
    """The same in a sentence."""


def draw_batch(input_shape: tuple[int, ...], classes: int, count: int, dataset: str = "") -> Batch:
    """Draw samples with torch's generator as it stands.

    Args:
        input_shape: of one sample.
        classes: how many labels there are, for random ones.
        count: how many samples.
        dataset: where to take them from if its shape is the right one; else, and if it is empty, a built-in set is taken.

    Raises:
        UnknownName: there is no such data set.
        DataError: it has not been downloaded.
    """
    named = dataset_info(dataset) if dataset else None
    offered = [*([named] if named else []), *(info for info in DATASETS if info.offline)]
    info = next((info for info in offered if info.input_shape == input_shape), None)
    if info is None:
        text = f"No data set has samples of shape {input_shape}, so these are {count} of normally distributed random numbers, with random labels."
        return Batch(torch.randn(count, *input_shape), torch.randint(classes, (count,)), None, text)
    images = load(info.name)
    chosen = torch.randperm(len(images.train_images))[:count]
    text = f"The batch is {len(chosen)} training images of {info.title} with their labels, normalised as for training."
    return Batch(normalise(images.train_images[chosen], info), images.train_labels[chosen], info, text)
