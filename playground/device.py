"""The devices of this machine: their names, sizes and choice.

The only module that asks PyTorch which hardware there is; all others receive a device as an argument.
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
from playground.messages import joined, msg, nmsg

if TYPE_CHECKING:
    import torch

BEST = "best"
"""A name for the best device of the machine on which it is resolved."""


@dataclass(frozen=True)
class Device:
    """A device for tensors."""

    name: str
    """Its name for `torch.device`: `cpu`, `cuda:0`, `mps`, …"""
    title: str
    """Its product name."""
    memory: int
    """Total bytes; 0 if unknown."""
    cores: int
    """Processor cores that this process may use, or multiprocessors of a GPU; 0 if unknown."""
    threads: int
    """Threads that PyTorch trains with; 0 on an accelerator."""

    @property
    def is_accelerator(self) -> bool:
        return self.name != "cpu"

    @property
    def details(self) -> str:
        """Return memory, cores and threads in one line: `24 GB memory · 2 cores · 2 threads`."""
        cores = nmsg("{n} multiprocessor", "{n} multiprocessors", self.cores) if self.is_accelerator else nmsg("{n} core", "{n} cores", self.cores)
        facts = [
            (self.memory, msg("{size:.0f} GB memory", size=self.memory / 2**30)),
            (self.cores, cores),
            (self.threads, nmsg("{n} thread", "{n} threads", self.threads)),
        ]
        return joined((text for value, text in facts if value), " · ")


def available() -> list[Device]:
    """List the devices of this machine, the best first, the CPU last."""
    import torch  # the first page shows the device name before torch is imported

    devices = []
    if torch.accelerator.is_available():
        kind = torch.accelerator.current_accelerator()
        assert kind is not None
        count = torch.accelerator.device_count()
        names = [kind.type] if kind.type == "mps" else [f"{kind.type}:{index}" for index in range(count)]
        devices = [_accelerator(name) for name in names]
    return [*devices, _cpu()]


def best() -> Device:
    """Return the first accelerator; the CPU if there is none."""
    return available()[0]


def of_worker(name: str, slot: int) -> str:
    """Return the device name for one of several workers: `best` becomes another accelerator for each slot, other names stay.

    Args:
        name: a device name.
        slot: index of the worker among those that run at the same time.
    """
    accelerators = [device.name for device in available() if device.is_accelerator]
    return accelerators[slot % len(accelerators)] if name == BEST and accelerators else name


def get(name: str) -> Device:
    """Return the device of this name; `best` and a type such as `cuda` stand for the first one that matches.

    Raises:
        UnknownName: this machine has no such device.
    """
    devices = available()
    if name == BEST:
        return devices[0]
    for device in devices:
        if name in (device.name, device.name.split(":")[0]):
            return device
    raise UnknownName(msg("device"), name, [BEST, *(device.name for device in devices)])


def seed_generators(seed: int) -> None:
    """Seed PyTorch's random number generators on all devices, as `torch.manual_seed` does.

    For an accelerator that is not there, `torch.manual_seed` would format the stack of calls and keep it until the process ends.
    """
    import torch  # as in `available`

    if torch.accelerator.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


RandomState = tuple["torch.Tensor", "torch.Tensor | None"]
"""The states of PyTorch's random number generators: the CPU's, and another device's; None if there is no other."""


def random_state(device: torch.device) -> RandomState:
    """Return the state of the random number generators that a training on this device draws from."""
    import torch  # as in `available`

    return torch.get_rng_state(), None if device.type == "cpu" else torch.get_device_module(device).get_rng_state(device)


def set_random_state(device: torch.device, state: RandomState) -> None:
    """Let the random numbers of this device continue from a state; one that was saved on the CPU leaves another device's generator as it is."""
    import torch  # as in `available`

    torch.set_rng_state(state[0])
    if state[1] is not None and device.type != "cpu":
        torch.get_device_module(device).set_rng_state(state[1], device)


def synchronize(device: torch.device) -> None:
    """Wait until the accelerator has finished its queued work; return at once for the CPU, which works synchronously."""
    import torch  # as in `available`

    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def _accelerator(name: str) -> Device:
    import torch  # as in `available`

    device = torch.device(name)
    backend = torch.get_device_module(device)
    properties = backend.get_device_properties(device) if hasattr(backend, "get_device_properties") else None
    if device.type == "mps":
        return Device(name, f"{_processor()} GPU", int(torch.mps.recommended_max_memory()), 0, 0)  # no text: a product
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
    """Return the product name of the processor; its architecture if the name is unknown."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("model name"):  # no text: what the kernel writes
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine() or "CPU"


@cache
def has_fast_bfloat16() -> bool:
    """Return whether the processor has instructions for bfloat16, which make convolutions faster; False on systems other than Linux.

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
