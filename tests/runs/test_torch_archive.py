"""What `torch.save` wrote is read as `torch.load` reads it, and nothing that looks like it runs, or takes more room than it is worth."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import zipfile
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from playground import untrusted
from playground.errors import CheckpointError
from playground.network.presets import preset
from playground.runs.sharing.torch_archive import read
from playground.training.config import TrainConfig
from playground.training.loop import Training

from ..support.tiers import repetitions
from .archives import OUTSIDE, changed, entries, packed, saved, with_entry

LIMIT = 10_000_000


def opened(content: bytes) -> Any:
    return read(io.BytesIO(content), "net.pt", LIMIT)


def loaded(content: bytes) -> Any:
    return torch.load(io.BytesIO(content), weights_only=True)


def assert_same(found: Any, expected: Any) -> None:
    """Equal values in equal containers."""
    if isinstance(expected, Tensor):
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype) and torch.equal(found, expected)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        for key, value in expected.items():
            assert_same(found[key], value)
    elif isinstance(expected, (list, tuple)):
        assert type(found) is type(expected) and len(found) == len(expected)
        for item, other in zip(found, expected, strict=True):
            assert_same(item, other)
    else:
        assert found == expected and type(found) is type(expected)


DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool]


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    """Of any kind and shape, some of them views into others' numbers."""
    shape = draw(st.lists(st.integers(0, 4), max_size=4))
    tensor = torch.randint(0, 2, [2, *shape]).to(draw(st.sampled_from(DTYPES)))
    view = draw(st.sampled_from(["whole", "part", "transposed", "expanded", "every second"]))
    match view:
        case "part":
            return tensor[1]
        case "transposed":
            return tensor.transpose(0, -1)
        case "expanded":
            return tensor[:1].expand(3, *shape)
        case "every second":
            return tensor[::2]
        case _:
            return tensor


plain = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=8)
values = st.recursive(
    plain | tensors(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=4) | st.tuples(inner)
    ),
    max_leaves=8,
)


@given(values, st.sampled_from([2, 4]))
@settings(max_examples=repetitions(300))
def test_what_is_read_is_what_torch_load_reads(value: object, protocol: int) -> None:
    assert_same(opened(saved(value, pickle_protocol=protocol)), loaded(saved(value)))


def test_weights_of_networks_with_their_order() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2)).to(memory_format=torch.channels_last)
    for value in (network.state_dict(), dict(network.named_parameters()), OrderedDict(a=torch.ones(2)), {"state_dict": network.state_dict(), "epoch": 3}):
        found = opened(saved(value))
        assert_same(found, loaded(saved(value)))
    assert opened(saved(network.state_dict()))["0.weight"].stride() == network[0].weight.stride()  # as a fused optimizer needs it


def test_numbers_that_tensors_share_are_copied() -> None:
    weight = torch.arange(6.0)
    found = opened(saved({"a": weight, "b": weight.view(2, 3)}))
    found["a"].zero_()
    assert found["b"].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop", "muon"])
def test_a_training_state(optimizer: str) -> None:
    training = Training(preset("mnist-cnn"), TrainConfig(network="mnist-cnn", epochs=0.5, batch_size=1000, optimizer=optimizer, device="cpu"))
    for _ in training.events():
        pass
    content = saved(training.state())
    found = read(io.BytesIO(content), "net.pt", LIMIT)
    assert_same(found, loaded(content))
    memory, expected = found["optimizer"]["state"], loaded(content)["optimizer"]["state"]
    assert [[value.stride() for value in each.values() if isinstance(value, Tensor)] for each in memory.values()] == [
        [value.stride() for value in each.values() if isinstance(value, Tensor)] for each in expected.values()
    ]


class Calls:
    """Pickled as a call of a function."""

    def __init__(self, function: Any, *arguments: object) -> None:
        self._call = function, arguments

    def __reduce__(self) -> tuple[Any, tuple[object, ...]]:
        return self._call


class Named(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(2, 2)


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    ("value", "named"),
    [
        pytest.param(Named(), "Named", id="module"),
        pytest.param(nn.Sequential(nn.Linear(2, 2)), "Sequential", id="sequential"),
        pytest.param(Calls(os.mkdir, "/tmp/never"), "mkdir", id="code"),
        pytest.param(Calls(bytearray, 10**11), "bytearray", id="memory"),
        pytest.param(Calls(torch.Tensor, 10**10), "Tensor", id="torch-memory"),
        pytest.param({"x": torch.ones(2).to_sparse()}, "_rebuild_sparse_tensor", id="sparse"),
        pytest.param({"weights": {}, "loss": Calls(complex, 1)}, "complex", id="beside"),
    ],
)
def test_more_than_plain_data_is_not_opened(value: object, named: str, protocol: int) -> None:
    with pytest.raises(CheckpointError, match=rf"contains more than weights: loading it would call “[\w.]*{named}.*state_dict"):
        opened(saved(value, pickle_protocol=protocol))


def test_a_program_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="TorchScript program"):
        opened(packed({"net/data.pkl": b"\x80\x02}.", "net/constants.pkl": b"\x80\x02).", "net/code/__torch__.py": b""}))


def pickle_of(archive: bytes) -> bytes:
    return entries(archive)["archive/data.pkl"]


def repickled(archive: bytes, old: bytes, new: bytes) -> bytes:
    """The archive with another pickle."""
    assert pickle_of(archive).count(old) >= 1
    return changed(archive, lambda name, content: content.replace(old, new) if name.endswith("data.pkl") else content)


EIGHT = saved({"a": torch.arange(8.0)})
HUGE = b"J" + (LIMIT // 2).to_bytes(4, "little")
"""In a pickle: as many numbers as have twice the bytes that are allowed, and that any machine has."""


@pytest.mark.parametrize(
    "archive",
    [
        pytest.param(repickled(EIGHT, b"K\x08", b"K\xc8"), id="a storage longer than its file"),
        pytest.param(repickled(EIGHT, b"K\x08t", b"K\x04t"), id="a storage shorter than its file"),
        pytest.param(repickled(EIGHT, b"K\x08\x85", b"K\x09\x85"), id="a tensor longer than its storage"),
        pytest.param(repickled(EIGHT, b"K\x08\x85q\x08K\x01\x85", HUGE + b"\x85q\x08K\x00\x85"), id="few numbers as many"),
        pytest.param(repickled(EIGHT, b"QK\x00", b"QJ\xff\xff\xff\xff"), id="before its storage"),
        pytest.param(repickled(EIGHT, b"K\x08\x85", b"J\xf8\xff\xff\xff\x85"), id="a negative size"),
        pytest.param(repickled(EIGHT, b"K\x08\x85", b"\x88\x85"), id="a size that is none"),
        pytest.param(repickled(EIGHT, b"K\x08\x85q\x08K\x01\x85", b"(" + 9 * b"K\x01" + b"tq\x08(" + 9 * b"K\x01" + b"t"), id="nine dimensions"),
        pytest.param(repickled(EIGHT, b")R", b"}\x85R"), id="a dictionary of a dictionary"),
        pytest.param(repickled(EIGHT, b"X\x01\x00\x00\x000", b"X\x01\x00\x00\x007"), id="a storage that is not there"),
        pytest.param(repickled(EIGHT, b"X\x07\x00\x00\x00storage", b"X\x07\x00\x00\x00stories"), id="another thing outside"),
        pytest.param(changed(EIGHT, lambda name, content: None if name.endswith("/0") else content), id="no numbers"),
        pytest.param(changed(EIGHT, lambda name, content: b"big" if name.endswith("byteorder") else content), id="another byte order"),
        pytest.param(changed(EIGHT, lambda name, content: b"\x80\x02" + b"]" * (1 << 22) + b"." if name.endswith(".pkl") else content), id="a long pickle"),
        pytest.param(changed(EIGHT, lambda name, content: b"" if name.endswith(".pkl") else content), id="an empty pickle"),
        pytest.param(changed(EIGHT, lambda name, content: b"." if name.endswith(".pkl") else content), id="nothing saved"),
        pytest.param(changed(EIGHT, lambda name, content: b"\x80\x02h\x05." if name.endswith(".pkl") else content), id="an empty memory"),
        pytest.param(changed(EIGHT, lambda name, content: b"\x80\x02K\x01K\x02s." if name.endswith(".pkl") else content), id="items of nothing"),
        pytest.param(changed(EIGHT, lambda name, content: b"\x80\x02K\x01K\x02a." if name.endswith(".pkl") else content), id="appended to a number"),
        pytest.param(changed(EIGHT, lambda name, content: b"\x80\x02K\x01}b." if name.endswith(".pkl") else content), id="attributes of a number"),
        pytest.param(changed(EIGHT, lambda name, content: b"\x80\x02}(K\x01u." if name.endswith(".pkl") else content), id="half an item"),
        pytest.param(changed(EIGHT, lambda name, content: b"\x80\x02}]K\x01s." if name.endswith(".pkl") else content), id="a list as a key"),
    ],
)
def test_a_pickle_that_lies_is_refused(archive: bytes) -> None:
    with pytest.raises(CheckpointError, match="damaged"):
        opened(archive)


def test_another_archive_is_named() -> None:
    with pytest.raises(CheckpointError, match=r"torch\.save did not write it"):
        opened(packed({"a.txt": b"x"}))


def test_a_packed_archive_is_read_as_well() -> None:
    """Some tools pack what `torch.save` left as it is."""
    again = changed(EIGHT, lambda _name, content: content, zipfile.ZIP_DEFLATED)
    assert_same(opened(again), loaded(EIGHT))


def test_a_bomb_is_refused_before_it_grows() -> None:
    """100 MB of zeros in 100 kB, and as much where the sizes of the entries alone would do."""
    content = bytes(LIMIT + 1)
    for method, told in ((zipfile.ZIP_DEFLATED, "too large"), (zipfile.ZIP_STORED, "too large")):
        bomb = changed(EIGHT, lambda name, old: content if name.endswith("/0") else old, method)
        tracemalloc.start()
        with pytest.raises(CheckpointError, match=told):
            opened(bomb)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 4_000_000


def test_a_small_bomb_is_told_by_its_ratio() -> None:
    """Within the limit, but no numbers are a thousand times larger than their archive."""
    bomb = changed(EIGHT, lambda name, old: bytes(LIMIT - 1000) if name.endswith("/0") else old, zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="too large"):
        opened(bomb)


def test_entries_that_lie_over_each_other_count_each() -> None:
    """Every entry of the directory refers to the same bytes."""
    content = bytearray(packed({"archive/data.pkl": b"\x80\x02}.", "archive/data/0": bytes(1_000_000)}))
    directory = content.index(b"PK\1\2", content.index(b"PK\1\2") + 4)
    end = content.index(b"PK\5\6")
    entry = content[directory:end]
    copies = b"".join(bytes(entry).replace(b"archive/data/0", f"archive/data/{index:x}".encode()) for index in range(16))
    first = content.index(b"PK\1\2")
    tail = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 17, 17, directory - first + len(copies), first, 0)
    with pytest.raises(CheckpointError, match="too large"):
        opened(bytes(content[:directory]) + copies + tail)


def test_an_entry_that_is_larger_than_its_directory_says() -> None:
    content = bytearray(changed(EIGHT, lambda name, old: bytes(5_000_000) if name.endswith("/0") else old, zipfile.ZIP_DEFLATED))
    size = struct.pack("<L", 5_000_000)
    assert content.count(size) == 2  # in the entry's own header, and in the directory
    lying = bytes(content).replace(size, struct.pack("<L", 32))
    with pytest.raises(CheckpointError, match="damaged"):
        opened(lying)


def test_a_directory_of_countless_entries_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    many = packed({f"archive/{index}": b"" for index in range(20_000)})

    def read_anyway(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(zipfile.ZipFile, "__init__", read_anyway)
    with pytest.raises(CheckpointError, match="too many files"):
        opened(many)


def test_a_planted_mark_does_not_hide_the_size_of_the_directory() -> None:
    many = bytearray(packed({f"archive/{index}": b"" for index in range(20_000)}))
    many[-18:-14] = b"PK\5\6"  # the disks’ numbers, which nobody reads
    with pytest.raises(CheckpointError, match="too many files"):
        opened(bytes(many))


def test_the_size_of_the_directory_of_a_large_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    """`torch.save` writes the records of archives above 4 GB always."""
    assert EIGHT[-42:-38] == b"PK\6\7"
    monkeypatch.setattr(untrusted, "DIRECTORY_LIMIT", 100)
    with pytest.raises(CheckpointError, match="too many files"):
        opened(EIGHT)


def test_an_encrypted_archive_and_one_packed_otherwise() -> None:
    locked = bytearray(EIGHT)
    at = locked.index(b"PK\1\2")
    locked[at + 8] |= 1
    with pytest.raises(CheckpointError, match="encrypted"):
        opened(bytes(locked))
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with pytest.raises(CheckpointError, match="compression other than Deflate"):
            opened(changed(EIGHT, lambda _name, content: content, method))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name() -> None:
    with pytest.raises(CheckpointError, match="same name"):
        opened(with_entry(EIGHT, "archive/data.pkl"))


@pytest.mark.parametrize(("name", "mode"), OUTSIDE)
def test_a_file_outside_is_refused(name: str, mode: int) -> None:
    with pytest.raises(CheckpointError, match="path outside the archive"):
        opened(with_entry(EIGHT, name, mode=mode))


def test_an_archive_that_was_cut_anywhere_is_refused() -> None:
    for length in range(len(EIGHT)):
        with pytest.raises(CheckpointError):
            opened(EIGHT[:length])


def test_an_archive_with_any_byte_changed_is_refused_or_the_same() -> None:
    """The checksums tell; what they do not cover says nothing about the numbers."""
    small, refused = EIGHT, 0
    expected = loaded(EIGHT)
    for place in range(len(small)):
        try:
            found = opened(small[:place] + bytes([small[place] ^ 0x41]) + small[place + 1 :])
        except CheckpointError:
            refused += 1
        else:
            assert_same(found, expected)
    assert refused > 100


@given(st.binary(max_size=300))
@settings(max_examples=repetitions(500))
def test_any_bytes_in_place_of_the_pickle(garbage: bytes) -> None:
    with suppress(CheckpointError):
        opened(changed(EIGHT, lambda name, content: garbage if name.endswith("data.pkl") else content))


INSTRUCTIONS = st.sampled_from([b"}", b"]", b")", b"(", b"t", b"\x85", b"\x86", b"\x87", b"s", b"u", b"a", b"e", b"b", b"R", b"Q", b"K\x01", b"K\x00", b"q\x00",
    b"h\x00", b"N", b"\x88", b"X\x01\x00\x00\x00a", b"X\x07\x00\x00\x00storage", b"X\x01\x00\x00\x000", b"K\x08", b"ctorch\nFloatStorage\n",
    b"ccollections\nOrderedDict\n", b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch._utils\n_rebuild_parameter\n", HUGE])  # fmt: skip


@given(st.lists(INSTRUCTIONS, max_size=40))
@settings(max_examples=repetitions(1000))
def test_any_program_in_place_of_the_pickle(program: list[bytes]) -> None:
    with suppress(CheckpointError):
        opened(changed(EIGHT, lambda name, content: b"\x80\x02" + b"".join(program) + b"." if name.endswith("data.pkl") else content))
