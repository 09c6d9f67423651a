"""Files of `torch.save` are read as `torch.load` reads them; malicious files run no code and use little memory."""

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


def read_archive(content: bytes) -> Any:
    return read(io.BytesIO(content), "net.pt", LIMIT)


def torch_load(content: bytes) -> Any:
    return torch.load(io.BytesIO(content), weights_only=True)


def assert_same(actual: Any, expected: Any) -> None:
    """Check that values and containers are equal."""
    if isinstance(expected, Tensor):
        assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype) and torch.equal(actual, expected)
    elif isinstance(expected, dict):
        assert list(actual) == list(expected)
        for key, value in expected.items():
            assert_same(actual[key], value)
    elif isinstance(expected, (list, tuple)):
        assert type(actual) is type(expected) and len(actual) == len(expected)
        for item, other in zip(actual, expected, strict=True):
            assert_same(item, other)
    else:
        assert actual == expected and type(actual) is type(expected)


DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool]


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    """Draw tensors of any dtype and shape, some of them views."""
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
def test_values_equal_those_of_torch_load(value: object, protocol: int) -> None:
    assert_same(read_archive(saved(value, pickle_protocol=protocol)), torch_load(saved(value)))


def test_weights_of_networks_keep_their_order() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2)).to(memory_format=torch.channels_last)
    for value in (network.state_dict(), dict(network.named_parameters()), OrderedDict(a=torch.ones(2)), {"state_dict": network.state_dict(), "epoch": 3}):
        actual = read_archive(saved(value))
        assert_same(actual, torch_load(saved(value)))
    assert read_archive(saved(network.state_dict()))["0.weight"].stride() == network[0].weight.stride()  # as a fused optimizer needs it


def test_shared_storage_is_copied() -> None:
    weight = torch.arange(6.0)
    actual = read_archive(saved({"a": weight, "b": weight.view(2, 3)}))
    actual["a"].zero_()
    assert actual["b"].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop", "muon"])
def test_a_training_state_is_read(optimizer: str) -> None:
    training = Training(preset("mnist-cnn"), TrainConfig(network="mnist-cnn", epochs=0.5, batch_size=1000, optimizer=optimizer, device="cpu"))
    for _ in training.events():
        pass
    content = saved(training.state())
    actual = read(io.BytesIO(content), "net.pt", LIMIT)
    assert_same(actual, torch_load(content))
    memory, expected = actual["optimizer"]["state"], torch_load(content)["optimizer"]["state"]
    assert [[value.stride() for value in each.values() if isinstance(value, Tensor)] for each in memory.values()] == [
        [value.stride() for value in each.values() if isinstance(value, Tensor)] for each in expected.values()
    ]


class Calls:
    """Is pickled as a call of a function."""

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
def test_objects_other_than_plain_data_are_refused(value: object, named: str, protocol: int) -> None:
    with pytest.raises(CheckpointError, match=rf"contains more than weights: loading it would call “[\w.]*{named}.*state_dict"):
        read_archive(saved(value, pickle_protocol=protocol))


def test_a_torchscript_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="TorchScript program"):
        read_archive(packed({"net/data.pkl": b"\x80\x02}.", "net/constants.pkl": b"\x80\x02).", "net/code/__torch__.py": b""}))


def pickle_of(archive: bytes) -> bytes:
    return entries(archive)["archive/data.pkl"]


def with_replaced_pickle(archive: bytes, old: bytes, new: bytes) -> bytes:
    """Return the archive with another pickle."""
    assert pickle_of(archive).count(old) >= 1
    return changed(archive, lambda name, content: content.replace(old, new) if name.endswith("data.pkl") else content)


EIGHT = saved({"a": torch.arange(8.0)})
HUGE = b"J" + (LIMIT // 2).to_bytes(4, "little")
"""A number of elements, in a pickle, with twice the allowed bytes."""


@pytest.mark.parametrize(
    "archive",
    [
        pytest.param(with_replaced_pickle(EIGHT, b"K\x08", b"K\xc8"), id="a storage longer than its file"),
        pytest.param(with_replaced_pickle(EIGHT, b"K\x08t", b"K\x04t"), id="a storage shorter than its file"),
        pytest.param(with_replaced_pickle(EIGHT, b"K\x08\x85", b"K\x09\x85"), id="a tensor longer than its storage"),
        pytest.param(with_replaced_pickle(EIGHT, b"K\x08\x85q\x08K\x01\x85", HUGE + b"\x85q\x08K\x00\x85"), id="few numbers as many"),
        pytest.param(with_replaced_pickle(EIGHT, b"QK\x00", b"QJ\xff\xff\xff\xff"), id="before its storage"),
        pytest.param(with_replaced_pickle(EIGHT, b"K\x08\x85", b"J\xf8\xff\xff\xff\x85"), id="a negative size"),
        pytest.param(with_replaced_pickle(EIGHT, b"K\x08\x85", b"\x88\x85"), id="a size that is none"),
        pytest.param(with_replaced_pickle(EIGHT, b"K\x08\x85q\x08K\x01\x85", b"(" + 9 * b"K\x01" + b"tq\x08(" + 9 * b"K\x01" + b"t"), id="nine dimensions"),
        pytest.param(with_replaced_pickle(EIGHT, b")R", b"}\x85R"), id="a dictionary of a dictionary"),
        pytest.param(with_replaced_pickle(EIGHT, b"X\x01\x00\x00\x000", b"X\x01\x00\x00\x007"), id="a storage that is not there"),
        pytest.param(with_replaced_pickle(EIGHT, b"X\x07\x00\x00\x00storage", b"X\x07\x00\x00\x00stories"), id="another thing outside"),
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
def test_a_pickle_with_false_sizes_is_refused(archive: bytes) -> None:
    with pytest.raises(CheckpointError, match="damaged"):
        read_archive(archive)


def test_an_archive_of_another_kind_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"torch\.save did not write it"):
        read_archive(packed({"a.txt": b"x"}))


def test_a_compressed_archive_is_read() -> None:
    """Some tools compress archives of `torch.save`."""
    again = changed(EIGHT, lambda _name, content: content, zipfile.ZIP_DEFLATED)
    assert_same(read_archive(again), torch_load(EIGHT))


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    """100 MB of zeros in 100 kB, and the same size without compression."""
    content = bytes(LIMIT + 1)
    for method, message in ((zipfile.ZIP_DEFLATED, "too large"), (zipfile.ZIP_STORED, "too large")):
        bomb = changed(EIGHT, lambda name, old: content if name.endswith("/0") else old, method)
        tracemalloc.start()
        with pytest.raises(CheckpointError, match=message):
            read_archive(bomb)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 4_000_000


def test_a_small_zip_bomb_is_refused_by_its_ratio() -> None:
    """Within the size limit, but a thousand times larger than the archive."""
    bomb = changed(EIGHT, lambda name, old: bytes(LIMIT - 1000) if name.endswith("/0") else old, zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="too large"):
        read_archive(bomb)


def test_the_sizes_of_overlapping_entries_are_added() -> None:
    """Every entry of the directory refers to the same bytes."""
    content = bytearray(packed({"archive/data.pkl": b"\x80\x02}.", "archive/data/0": bytes(1_000_000)}))
    directory = content.index(b"PK\1\2", content.index(b"PK\1\2") + 4)
    end = content.index(b"PK\5\6")
    entry = content[directory:end]
    copies = b"".join(bytes(entry).replace(b"archive/data/0", f"archive/data/{index:x}".encode()) for index in range(16))
    first = content.index(b"PK\1\2")
    tail = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 17, 17, directory - first + len(copies), first, 0)
    with pytest.raises(CheckpointError, match="too large"):
        read_archive(bytes(content[:directory]) + copies + tail)


def test_an_entry_larger_than_its_directory_entry_is_refused() -> None:
    content = bytearray(changed(EIGHT, lambda name, old: bytes(5_000_000) if name.endswith("/0") else old, zipfile.ZIP_DEFLATED))
    size = struct.pack("<L", 5_000_000)
    assert content.count(size) == 2  # in the entry's own header, and in the directory
    lying = bytes(content).replace(size, struct.pack("<L", 32))
    with pytest.raises(CheckpointError, match="damaged"):
        read_archive(lying)


def test_a_directory_with_too_many_entries_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    many = packed({f"archive/{index}": b"" for index in range(20_000)})

    def read_anyway(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(zipfile.ZipFile, "__init__", read_anyway)
    with pytest.raises(CheckpointError, match="too many files"):
        read_archive(many)


def test_a_mark_inside_the_end_record_does_not_hide_the_size_of_the_directory() -> None:
    many = bytearray(packed({f"archive/{index}": b"" for index in range(20_000)}))
    many[-18:-14] = b"PK\5\6"  # the disks’ numbers, which no reader checks
    with pytest.raises(CheckpointError, match="too many files"):
        read_archive(bytes(many))


def test_the_size_of_the_directory_of_a_large_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    """`torch.save` always writes the records of archives above 4 GB."""
    assert EIGHT[-42:-38] == b"PK\6\7"
    monkeypatch.setattr(untrusted, "DIRECTORY_LIMIT", 100)
    with pytest.raises(CheckpointError, match="too many files"):
        read_archive(EIGHT)


def test_encryption_and_other_compressions_are_refused() -> None:
    locked = bytearray(EIGHT)
    at = locked.index(b"PK\1\2")
    locked[at + 8] |= 1
    with pytest.raises(CheckpointError, match="encrypted"):
        read_archive(bytes(locked))
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with pytest.raises(CheckpointError, match="compression other than Deflate"):
            read_archive(changed(EIGHT, lambda _name, content: content, method))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_with_the_same_name_are_refused() -> None:
    with pytest.raises(CheckpointError, match="same name"):
        read_archive(with_entry(EIGHT, "archive/data.pkl"))


@pytest.mark.parametrize(("name", "mode"), OUTSIDE)
def test_a_file_outside_the_folder_is_refused(name: str, mode: int) -> None:
    with pytest.raises(CheckpointError, match="path outside the archive"):
        read_archive(with_entry(EIGHT, name, mode=mode))


def test_a_truncated_archive_is_refused() -> None:
    for length in range(len(EIGHT)):
        with pytest.raises(CheckpointError):
            read_archive(EIGHT[:length])


def test_an_archive_with_one_changed_byte_is_refused_or_has_the_same_values() -> None:
    """Checksums detect changes; bytes without checksum do not affect values."""
    small, refused = EIGHT, 0
    expected = torch_load(EIGHT)
    for place in range(len(small)):
        try:
            actual = read_archive(small[:place] + bytes([small[place] ^ 0x41]) + small[place + 1 :])
        except CheckpointError:
            refused += 1
        else:
            assert_same(actual, expected)
    assert refused > 100


@given(st.binary(max_size=300))
@settings(max_examples=repetitions(500))
def test_random_bytes_as_the_pickle_are_read_or_refused(garbage: bytes) -> None:
    with suppress(CheckpointError):
        read_archive(changed(EIGHT, lambda name, content: garbage if name.endswith("data.pkl") else content))


INSTRUCTIONS = st.sampled_from([b"}", b"]", b")", b"(", b"t", b"\x85", b"\x86", b"\x87", b"s", b"u", b"a", b"e", b"b", b"R", b"Q", b"K\x01", b"K\x00", b"q\x00",
    b"h\x00", b"N", b"\x88", b"X\x01\x00\x00\x00a", b"X\x07\x00\x00\x00storage", b"X\x01\x00\x00\x000", b"K\x08", b"ctorch\nFloatStorage\n",
    b"ccollections\nOrderedDict\n", b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch._utils\n_rebuild_parameter\n", HUGE])  # fmt: skip


@given(st.lists(INSTRUCTIONS, max_size=40))
@settings(max_examples=repetitions(1000))
def test_random_opcodes_as_the_pickle_are_read_or_refused(program: list[bytes]) -> None:
    with suppress(CheckpointError):
        read_archive(changed(EIGHT, lambda name, content: b"\x80\x02" + b"".join(program) + b"." if name.endswith("data.pkl") else content))
