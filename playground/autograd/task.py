"""The tasks of the Autograd page, for processes of their own. PyTorch is imported in them, so that a page can name them before it is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OBSERVE = "playground.autograd.task:observe"
DESCEND = "playground.autograd.task:descend"
PREPARE = "playground.autograd.task:prepare"


def observe(request: Mapping[str, Any]) -> dict[str, Any]:
    """Run `source` on `device`, and tell of its graph."""
    import torch

    from playground import device
    from playground.autograd import graph
    from playground.tensors.report import tile

    where = torch.device(device.get(request.get("device", device.BEST)).name)
    execution = graph.run(str(request["source"]), {"device": where})
    return graph.document(execution) if request.get("brief") else graph.document(execution, tile)


def descend(request: Mapping[str, Any]) -> dict[str, Any]:
    """Draw a surface and let optimizers race down it."""
    from playground.autograd import descent

    return descent.descend(request)


def prepare() -> None:
    """In the forking process: the imports, and no backward pass, for its engine would not survive a fork."""
    import playground.autograd.descent
    import playground.autograd.graph  # noqa: F401
