"""Loading a data set by name: download, parsed file, cache, and damaged files."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from filelock import FileLock
from safetensors.torch import save_file
from torchvision import datasets

from playground import environment
from playground.data import builtin, load
from playground.data.catalogue import DatasetInfo, dataset_info
from playground.data.images import ImageSet
from playground.errors import DataError, UnknownName

TRAIN, TEST = 20, 10
MNIST_FILES = Path(os.environ.get("PLAYGROUND_TEST_MNIST") or environment.ROOT.parent / "shared" / "data" / "mnist-download")
"""The four files of MNIST, where somebody has put them."""


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder for this test alone."""
    folder = tmp_path / "data"
    monkeypatch.setenv("PLAYGROUND_DATA", str(folder))
    return folder


def quiet(name: str, there: int, total: int) -> None:
    """Nobody watches the download."""


def idx(values: np.ndarray) -> bytes:
    """The format of MNIST's files (http://yann.lecun.com/exdb/mnist/), packed."""
    return gzip.compress(struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes())


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """An MNIST of thirty images in a mirror on disk."""
    random = np.random.default_rng(0)
    contents = {}
    for part, count in (("train", TRAIN), ("t10k", TEST)):
        contents[f"{part}-images-idx3-ubyte"] = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        contents[f"{part}-labels-idx1-ubyte"] = random.integers(0, 10, count, dtype=np.uint8)
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    for name, values in contents.items():
        (mirror / f"{name}.gz").write_bytes(idx(values))
    resources = [(f"{name}.gz", hashlib.md5((mirror / f"{name}.gz").read_bytes()).hexdigest()) for name in contents]
    monkeypatch.setattr(datasets.MNIST, "resources", resources)
    monkeypatch.setattr(datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])  # nobody listens there
    monkeypatch.setenv("PLAYGROUND_MIRROR", mirror.as_uri())
    info = replace(dataset_info("mnist"), train_size=TRAIN, test_size=TEST)
    monkeypatch.setattr(load, "dataset_info", lambda _name: info)
    return contents


def assert_equal(one: ImageSet, other: ImageSet) -> None:
    assert [name for name in load.FIELDS if not torch.equal(getattr(one, name), getattr(other, name))] == []


def start_again() -> None:
    """As another process would: nothing is in memory."""
    load._load.cache_clear()


def test_a_downloaded_set_is_loaded_as_tensors(tiny: dict[str, np.ndarray]) -> None:
    load.download("mnist", quiet)
    images = load.load("mnist")
    np.testing.assert_array_equal(images.train_images[:, 0], tiny["train-images-idx3-ubyte"])
    np.testing.assert_array_equal(images.test_labels, tiny["t10k-labels-idx1-ubyte"])
    assert images.train_images.shape == (TRAIN, 1, 28, 28)


def test_a_set_that_is_not_downloaded_is_refused(tiny: dict[str, np.ndarray]) -> None:
    assert not load.is_ready("mnist")
    with pytest.raises(DataError, match=r"has not been downloaded yet.*MNIST 5k"):
        load.load("mnist")


def test_a_downloaded_set_is_ready_and_not_downloaded_again(tiny: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    load.download("mnist", quiet)
    assert load.is_ready("mnist")
    monkeypatch.delattr(load, "fetch")
    load.download("mnist", quiet)


def test_files_copied_into_the_folder_are_used(tiny: dict[str, np.ndarray], data: Path, tmp_path: Path) -> None:
    folder = data / "downloads" / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for path in (tmp_path / "mirror").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    assert load.load("mnist").test_images.shape == (TEST, 1, 28, 28)


def test_a_truncated_file_is_refused(tiny: dict[str, np.ndarray], tmp_path: Path) -> None:
    torn = tmp_path / "mirror" / "t10k-labels-idx1-ubyte.gz"
    torn.write_bytes(torn.read_bytes()[:-4])
    with pytest.raises(DataError, match=rf"checksum.*{torn.name}"):
        load.download("mnist", quiet)
    assert not load.is_ready("mnist")


def test_a_file_with_the_right_checksum_but_other_content_is_refused(tiny: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "mirror" / "train-images-idx3-ubyte.gz"
    broken.write_bytes(gzip.compress(b"\0\0\x08\x03" + b"\0" * 9))
    others = [pair for pair in datasets.MNIST.resources if pair[0] != broken.name]
    monkeypatch.setattr(datasets.MNIST, "resources", [(broken.name, hashlib.md5(broken.read_bytes()).hexdigest()), *others])
    with pytest.raises(DataError, match="cannot be read"):
        load.download("mnist", quiet)


def test_a_second_simultaneous_download_is_refused(tiny: dict[str, np.ndarray], data: Path) -> None:
    (data / "downloads").mkdir(parents=True)
    with FileLock(data / "downloads" / "mnist.lock"), pytest.raises(DataError, match="Another process is downloading"):
        load.download("mnist", quiet)


def test_a_folder_that_cannot_be_created_is_reported(tiny: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path / "file" / "data"))
    with pytest.raises(DataError, match="could not be stored"):
        load.download("mnist", quiet)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> DatasetInfo:
    """Shapes, but quickly drawn."""
    info = replace(dataset_info("shapes"), train_size=TRAIN, test_size=TEST)
    monkeypatch.setattr(load, "dataset_info", lambda _name: info)
    return info


def test_a_set_is_loaded_once_in_a_process(few: DatasetInfo) -> None:
    assert load.load("shapes") is load.load("shapes")


def test_another_process_loads_the_parsed_file(few: DatasetInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load.load("shapes")
    start_again()
    monkeypatch.delitem(load._BUILDERS, "shapes")
    again = load.load("shapes")
    assert again is not first
    assert_equal(first, again)


@pytest.mark.parametrize("damage", ["torn", "empty", "text", "other-sizes", "other-names"])
def test_a_damaged_parsed_file_is_written_again(few: DatasetInfo, damage: str) -> None:
    first, path = load.load("shapes"), load.cache_path(few)
    whole = path.read_bytes()
    if damage.startswith("other"):
        name = "train_images" if damage == "other-sizes" else "pictures"
        save_file({**{field: getattr(first, field) for field in load.FIELDS}, name: torch.zeros(3)}, path)
    else:
        path.write_bytes({"torn": whole[: len(whole) // 2], "empty": b"", "text": b"hello" * 100}[damage])
    start_again()
    assert_equal(first, load.load("shapes"))
    assert path.read_bytes() == whole


def test_no_temporary_file_remains(few: DatasetInfo, data: Path) -> None:
    load.load("shapes")
    assert [path.name for path in data.iterdir()] == ["shapes.safetensors"]


def test_images_load_though_the_parsed_file_cannot_be_written(few: DatasetInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path / "file" / "data"))
    assert_equal(load.load("shapes"), builtin.shapes(few))


def test_bundled_sets_are_always_ready() -> None:
    assert load.is_ready("mnist-5k") and load.is_ready("shapes")


@pytest.mark.parametrize("ask", [load.load, load.is_ready, lambda name: load.download(name, quiet)], ids=["load", "is-ready", "download"])
def test_the_error_for_an_unknown_name_lists_the_known_ones(ask: object) -> None:
    with pytest.raises(UnknownName, match=r"nope.*cifar10.*mnist-5k"):
        ask("nope")  # type: ignore[operator]


@pytest.mark.skipif(not MNIST_FILES.is_dir(), reason=f"the files of MNIST are not in {MNIST_FILES}; PLAYGROUND_TEST_MNIST may name another folder")
def test_downloaded_mnist_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_MIRROR", MNIST_FILES.as_uri())
    load.download("mnist", quiet)
    images = load.load("mnist")
    pixels = images.train_images.flatten().bincount(minlength=256).double()
    levels = torch.arange(256).double() / 255
    mean = (pixels @ levels) / pixels.sum()
    std = ((pixels @ (levels - mean).square()) / pixels.sum()).sqrt()
    assert images.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    np.testing.assert_allclose([mean, std], [*images.info.mean, *images.info.std], atol=5e-4)
