"""The task of observing a script's autograd, for a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from playground import device
from playground.autograd import graph
from playground.tensors.report import tile

OBSERVE = "playground.autograd.task:observe"


def observe(request: Mapping[str, Any]) -> dict[str, Any]:
    """Run `source` on `device`, and tell of its graph."""
    where = torch.device(device.get(request.get("device", device.BEST)).name)
    execution = graph.run(str(request["source"]), {"device": where})
    return graph.document(execution) if request.get("brief") else graph.document(execution, tile)


def prepare() -> None:
    """In the forking process: everything is imported with this module. No backward pass, for its engine would not survive a fork."""
