"""Which data sets a learner can use at once."""

from __future__ import annotations

from playground.data.catalogue import DatasetInfo
from playground.server.services import services


def is_usable(info: DatasetInfo) -> bool:
    """Whether the data set needs no download, or has had it; what was downloaded is known once PyTorch is imported."""
    return info.offline or (services().warm.is_set() and _is_downloaded(info))


def _is_downloaded(info: DatasetInfo) -> bool:
    from playground.data.load import is_ready  # imports torch, which the Train page does not wait for

    return is_ready(info.name)
