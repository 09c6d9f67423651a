"""Which data sets a learner can use at once."""

from __future__ import annotations

from playground.data.catalogue import DatasetInfo
from playground.data.load import is_ready


def is_usable(info: DatasetInfo) -> bool:
    """Whether the data set needs no download, or has had it."""
    return info.offline or is_ready(info.name)
