"""An honest race: the same matrix products on two devices, or with one thread and with all.

Each time is a median of several, after a warm-up, with the accelerator waited for before the clock is read.
Source: https://docs.pytorch.org/tutorials/recipes/recipes/benchmark.html
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from typing import Any

import torch

from playground import device, environment

SIZES = (64, 128, 256, 512, 1024)
REPEATS = 7
ENOUGH = 0.25
"""Seconds after which a size is not repeated again."""


def race(_request: Mapping[str, Any]) -> dict[str, Any]:
    """The task that races.

    Returns:
        `lanes`, the titles, two where there is anything to race against; `rows`, the size and for each lane the seconds of one product.
    """
    best = device.best()
    lanes: list[tuple[str, torch.device, int]]
    threads = environment.cores()
    if best.is_accelerator:
        lanes = [("CPU, all threads", torch.device("cpu"), threads), (best.title, torch.device(best.name), threads)]
    else:
        lanes = [("1 thread", torch.device("cpu"), 1)]
        if threads > 1:
            lanes.append((f"{threads} threads", torch.device("cpu"), threads))
    rows = [{"size": size, "seconds": [_median(size, where, count) for _title, where, count in lanes]} for size in SIZES]
    return {"lanes": [title for title, _where, _count in lanes], "rows": rows}


def _median(size: int, where: torch.device, threads: int) -> float:
    """Median seconds of one product of two square matrices."""
    torch.set_num_threads(threads)
    a, b = (torch.rand(size, size, device=where) for _ in range(2))
    _timed(a, b)  # warm-up: threads, kernels and caches
    times: list[float] = []
    while len(times) < REPEATS and (len(times) < 3 or sum(times) < ENOUGH):
        times.append(_timed(a, b))
    return statistics.median(times)


def _timed(a: torch.Tensor, b: torch.Tensor) -> float:
    device.synchronize(a.device)
    start = time.perf_counter()
    torch.matmul(a, b)
    device.synchronize(a.device)
    return time.perf_counter() - start
