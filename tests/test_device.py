"""The devices of a machine, real or simulated."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from playground import device, environment
from playground.device import BEST, Device
from playground.errors import UnknownName


def replace_accelerators(monkeypatch: pytest.MonkeyPatch, kind: str, backend: object, count: int = 1) -> None:
    """A machine with accelerators of this kind."""
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device(kind))
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: count)
    monkeypatch.setattr(torch, "get_device_module", lambda _: backend)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without an accelerator."""
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["Big GPU", "Small GPU"]
    properties = lambda which: SimpleNamespace(name=names[which.index], total_memory=(80 - 56 * which.index) * 2**30, multi_processor_count=132)  # noqa: E731
    replace_accelerators(monkeypatch, "cuda", SimpleNamespace(get_device_properties=properties), count=2)


@pytest.mark.usefixtures("bare")
def test_a_machine_without_an_accelerator_has_the_cpu() -> None:
    (cpu,) = device.available()
    assert (cpu.name, cpu.is_accelerator) == ("cpu", False)
    assert cpu.title and cpu.title == cpu.title.strip()
    assert (cpu.cores, cpu.threads) == (environment.cores(), environment.training_threads())
    assert device.best() == device.get(BEST) == device.get("cpu") == cpu


def test_the_memory_of_the_cpu_is_that_of_the_system() -> None:
    meminfo = Path("/proc/meminfo")
    if not meminfo.exists():
        pytest.skip("needs /proc")
    kilobytes = int(meminfo.read_text().split("MemTotal:")[1].split()[0])
    assert device.get("cpu").memory == pytest.approx(kilobytes * 1024, rel=0.01)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        pytest.param(Device("cpu", "X", 24 * 2**30, 2, 1), "24 GB memory · 2 cores · 1 thread", id="cpu"),
        pytest.param(Device("cpu", "X", 0, 1, 4), "1 core · 4 threads", id="memory-unknown"),
        pytest.param(Device("cuda:0", "X", 80 * 2**30, 132, 0), "80 GB memory · 132 multiprocessors", id="gpu"),
        pytest.param(Device("mps", "X", 0, 0, 0), "", id="nothing-known"),
    ],
)
def test_a_device_is_described_in_one_line(item: Device, words: str) -> None:
    assert item.details == words


@pytest.mark.usefixtures("two_gpus")
def test_accelerators_come_first_and_the_cpu_last() -> None:
    first, second, last = device.available()
    assert first == Device("cuda:0", "Big GPU", 80 * 2**30, 132, 0)
    assert second == Device("cuda:1", "Small GPU", 24 * 2**30, 132, 0)
    assert last.name == "cpu" and first.is_accelerator
    assert device.best() == first


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(("name", "expected"), [("best", "cuda:0"), ("cuda", "cuda:0"), ("cuda:0", "cuda:0"), ("cuda:1", "cuda:1"), ("cpu", "cpu")])
def test_a_device_is_chosen_by_name_or_type(name: str, expected: str) -> None:
    assert device.get(name).name == expected


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize("name", ["", "gpu", "cuda:2", "CUDA", "mps", "cpu:0", "meta", "cuda:"])
def test_an_unknown_name_lists_the_choices(name: str) -> None:
    with pytest.raises(UnknownName) as caught:
        device.get(name)
    assert f"“{name}”" in str(caught.value)
    assert caught.value.hint.endswith("Known: best, cpu, cuda:0, cuda:1.")


@pytest.mark.usefixtures("bare")
def test_without_an_accelerator_cuda_is_unknown() -> None:
    with pytest.raises(UnknownName) as caught:
        device.get("cuda")
    assert caught.value.hint == "Known: best, cpu."


def test_the_gpu_of_apple_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_accelerators(monkeypatch, "mps", torch.mps)
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 12 * 2**30)
    gpu, cpu = device.available()
    assert (gpu.name, gpu.memory, gpu.cores) == ("mps", 12 * 2**30, 0)
    assert gpu.title == f"{cpu.title} GPU"


def test_an_accelerator_without_properties_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_accelerators(monkeypatch, "xpu", SimpleNamespace())
    assert device.available()[0] == Device("xpu:0", "XPU", 0, 0, 0)


def test_synchronising_the_cpu_calls_no_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    devices: list[object] = []
    monkeypatch.setattr(torch.accelerator, "synchronize", devices.append)
    device.synchronize(torch.device("cpu"))
    assert devices == []
    device.synchronize(torch.device("cuda:1"))
    assert devices == [torch.device("cuda:1")]


@pytest.mark.parametrize(("flags", "fast"), [("fma avx512_bf16 avx512vl", True), ("amx_bf16 amx_tile", True), ("fma avx2", False), (None, False)], ids=str)
def test_a_cpu_with_bfloat16_units_is_recognised(flags: str | None, fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(_path: Path) -> str:
        if flags is None:
            raise FileNotFoundError
        return f"model name: x\nflags: {flags}\n"

    monkeypatch.setattr(device.Path, "read_text", read)
    assert device.has_fast_bfloat16.__wrapped__() is fast


def test_the_cpu_has_a_name_though_the_system_hides_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def hidden(_: Path) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", hidden)
    monkeypatch.setattr(device.platform, "processor", lambda: "")
    monkeypatch.setattr(device.platform, "machine", lambda: "riscv64")
    assert device.get("cpu").title == "riscv64"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.accelerator.is_available(), reason="needs an accelerator")
def test_a_real_accelerator_is_described() -> None:
    first = device.best()
    assert first.is_accelerator and first.memory > 2**30 and first.title
    torch.ones(2, device=first.name)
    device.synchronize(torch.device(first.name))


def test_a_seed_gives_the_numbers_of_torch_manual_seed() -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    device.seed_generators(3)
    assert torch.equal(torch.rand(4), expected)
