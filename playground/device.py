"""The devices of this machine: the best one, the others, and what to call them.

The only module that asks PyTorch which hardware there is. Everything else is given a device.
Source: https://docs.pytorch.org/docs/stable/accelerator.html
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from playground import environment
from playground.errors import UnknownName

if TYPE_CHECKING:
    import torch

BEST = "best"
"""The name that stands for the best device there is, whichever machine reads it."""


@dataclass(frozen=True)
class Device:
    """One device that tensors can live on, described for a person."""

    name: str
    """What `torch.device` takes: `cpu`, `cuda:0`, `mps`, …"""
    title: str
    """What a person calls it, as the maker does."""
    memory: int
    """Bytes in all; 0 where the system does not tell."""
    cores: int
    """Processor cores that may be used, or multiprocessors of a GPU; 0 where unknown."""
    threads: int
    """Threads that PyTorch trains with; 0 on an accelerator."""

    @property
    def is_accelerator(self) -> bool:
        return self.name != "cpu"

    @property
    def details(self) -> str:
        """Memory, cores and threads in one line: `24 GB memory · 2 cores · 2 threads`."""
        facts = [
            (self.memory, f"{self.memory / 2**30:.0f} GB memory"),
            (self.cores, f"{self.cores} multiprocessors" if self.is_accelerator else _count(self.cores, "core")),
            (self.threads, _count(self.threads, "thread")),
        ]
        return " · ".join(text for value, text in facts if value)


def available() -> list[Device]:
    """Every device of this machine, the best first, the CPU last."""
    import torch  # the first page names a device before torch is there

    devices = []
    if torch.accelerator.is_available():
        kind = torch.accelerator.current_accelerator()
        assert kind is not None
        count = torch.accelerator.device_count()
        names = [kind.type] if kind.type == "mps" else [f"{kind.type}:{index}" for index in range(count)]
        devices = [_accelerator(name) for name in names]
    return [*devices, _cpu()]


def best() -> Device:
    """The first accelerator, or the CPU where there is none."""
    return available()[0]


def of_place(name: str, place: int) -> str:
    """The device for the worker in one of several places: where the best is wanted and there are several accelerators, each place has its own."""
    offered = [device.name for device in available() if device.is_accelerator]
    return offered[place % len(offered)] if name == BEST and offered else name


def get(name: str) -> Device:
    """The device called `name`; `best` and a bare kind such as `cuda` mean the first that fits.

    Raises:
        UnknownName: this machine has no such device.
    """
    devices = available()
    if name == BEST:
        return devices[0]
    for device in devices:
        if name in (device.name, device.name.split(":")[0]):
            return device
    raise UnknownName("device", name, [BEST, *(device.name for device in devices)])


def synchronize(device: torch.device) -> None:
    """Wait until the accelerator has done what was asked of it; nothing to wait for on the CPU."""
    import torch  # the first page names a device before torch is there

    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _accelerator(name: str) -> Device:
    import torch  # the first page names a device before torch is there

    device = torch.device(name)
    backend = torch.get_device_module(device)
    properties = backend.get_device_properties(device) if hasattr(backend, "get_device_properties") else None
    if device.type == "mps":
        return Device(name, f"{_processor()} GPU", int(torch.mps.recommended_max_memory()), 0, 0)
    return Device(
        name,
        getattr(properties, "name", device.type.upper()),
        int(getattr(properties, "total_memory", 0)),
        int(getattr(properties, "multi_processor_count", 0)),
        0,
    )


def _cpu() -> Device:
    return Device("cpu", _processor(), _memory(), environment.cores(), environment.training_threads())


def _processor() -> str:
    """The processor's name as its maker writes it, or its architecture where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine() or "CPU"


@cache
def has_fast_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 numbers itself, which makes networks of convolutions faster; known on Linux only.

    Source: https://docs.pytorch.org/docs/stable/amp.html
    """
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _memory() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return 0
