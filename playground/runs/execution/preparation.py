"""What the launcher imports before it forks a worker: torch, and torch._dynamo, which the first optimizer imports."""

from __future__ import annotations

import safetensors.torch
import torch._dynamo
import torch.utils.flop_counter

from playground.runs.execution import worker

IMPORTED = (safetensors.torch, torch._dynamo, torch.utils.flop_counter, worker)
"""Slow imports, done once for all workers."""


def prepare() -> None:
    """Do the slow imports: they come with this module."""
