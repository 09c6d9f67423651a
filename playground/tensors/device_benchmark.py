"""Measures the time of matrix products on two devices, or with one thread and with all threads.

Each time is the median of several, after a warm-up; the accelerator is synchronised before the clock is read.
Source: https://docs.pytorch.org/tutorials/recipes/recipes/benchmark.html
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from typing import Any

import torch

from playground import device, environment
from playground.messages import msg, nmsg

SIZES = (64, 128, 256, 512, 1024)
"""Rows and columns of the matrices."""
REPEATS = 7
SECONDS_PER_SIZE = 0.25
"""Seconds after which a product is not repeated again."""


def compare_devices(_request: Mapping[str, Any]) -> dict[str, Any]:
    """Time matrix products: a task of the sandbox.

    Returns:
        `devices`, their titles: two, or one on a machine with a single core and no accelerator; `rows`, for each `size` of a square matrix
        the `seconds` of one product on each device.
    """
    best = device.best()
    devices: list[tuple[str, torch.device, int]]
    threads = environment.cores()
    if best.is_accelerator:
        devices = [(msg("CPU, all threads"), torch.device("cpu"), threads), (best.title, torch.device(best.name), threads)]
    else:
        devices = [(nmsg("{n} thread", "{n} threads", 1), torch.device("cpu"), 1)]
        if threads > 1:
            devices.append((nmsg("{n} thread", "{n} threads", threads), torch.device("cpu"), threads))
    rows = [{"size": size, "seconds": [_median_seconds(size, torch_device, count) for _title, torch_device, count in devices]} for size in SIZES]
    return {"devices": [title for title, _device, _threads in devices], "rows": rows}


def _median_seconds(size: int, torch_device: torch.device, threads: int) -> float:
    """Return the median seconds of one product of two matrices of shape ``(size, size)``."""
    torch.set_num_threads(threads)
    a, b = (torch.rand(size, size, device=torch_device) for _ in range(2))
    _time_product(a, b)  # warm-up: threads, kernels and caches
    times: list[float] = []
    while len(times) < REPEATS and (len(times) < 3 or sum(times) < SECONDS_PER_SIZE):
        times.append(_time_product(a, b))
    return statistics.median(times)


def _time_product(a: torch.Tensor, b: torch.Tensor) -> float:
    device.synchronize(a.device)
    start = time.perf_counter()
    torch.matmul(a, b)
    device.synchronize(a.device)
    return time.perf_counter() - start
