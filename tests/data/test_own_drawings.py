"""A learner's own drawings: storage, export as a folder that torchvision reads, and the refusal of hostile archives."""

from __future__ import annotations

import io
import json
import struct
import threading
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from filelock import FileLock
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save
from torchvision.datasets import ImageFolder

from playground import environment
from playground.data import own_drawings as module
from playground.data.catalogue import dataset_info
from playground.data.own_drawings import (
    MAX_DRAWINGS,
    MAX_POINTS,
    MAX_STROKES,
    Drawing,
    add_drawings,
    delete_drawing,
    from_safetensors,
    from_zip,
    load_drawings,
    to_safetensors,
    to_tensors,
    to_zip,
)
from playground.errors import DataError

from ..support.tiers import repetitions

MNIST = dataset_info("mnist-5k")


def image(seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 256, (1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def drawing(seed: int = 0, label: int = 3, points: int = 4) -> Drawing:
    strokes = [{"width": 18.5, "points": [[seed + number + 0.25, 17] for number in range(points)]}, {"width": 9, "points": [[1, 2]]}]
    return Drawing(image(seed), label, strokes, "8")


def plain_values(drawings: list[Drawing]) -> list[Any]:
    return [(each.image.tolist(), each.label, list(each.strokes), each.predicted) for each in drawings]


def png(size: tuple[int, int] = (28, 28), mode: str = "L") -> bytes:
    target = io.BytesIO()
    Image.new(mode, size, 200 if mode == "L" else (200,) * len(mode)).save(target, "PNG")
    return target.getvalue()


def zip_of(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_that_claims(*sides: int) -> bytes:
    """A picture that says how large it is, and has next to nothing in it."""
    sizes = [chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)) for side in sides]
    return b"\x89PNG\r\n\x1a\n" + b"".join(sizes) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def refusal(content: bytes) -> str:
    with pytest.raises(DataError) as caught:
        from_zip(content)
    assert len(str(caught.value)) < 300
    return str(caught.value)


def test_stored_drawings_are_loaded_in_order() -> None:
    assert load_drawings("ada") == []
    drawings = [drawing(seed, label) for seed, label in enumerate([7, 3, 7, 0])]
    for each in drawings:
        add_drawings("ada", each)
    assert plain_values(load_drawings("ada")) == plain_values(drawings)
    assert load_drawings("bob") == []
    delete_drawing("ada", 1)
    assert plain_values(load_drawings("ada")) == plain_values([drawings[0], drawings[2], drawings[3]])
    for _ in range(3):
        delete_drawing("ada", 0)
    assert load_drawings("ada") == []


def test_stored_drawings_are_counted_without_loading_them() -> None:
    assert module.count_drawings("ada") == module.count_drawings("") == 0
    add_drawings("ada", *(drawing(seed) for seed in range(3)))
    assert module.count_drawings("ada") == len(load_drawings("ada")) == 3
    for path in (environment.runs_folder() / ".drawings").glob("*.zip"):
        path.write_bytes(path.read_bytes()[:-40])
    assert module.count_drawings("ada") == 0


def test_the_file_name_does_not_reveal_the_learner() -> None:
    add_drawings("ada", drawing())
    folder = environment.runs_folder() / ".drawings"
    assert {path.suffix for path in folder.iterdir()} <= {".zip", ".lock"}
    assert not any("ada" in path.name for path in folder.iterdir())
    add_drawings("../../ada", drawing())
    assert len(list(folder.glob("*.zip"))) == 2


@pytest.mark.parametrize("do", [lambda: load_drawings(""), lambda: add_drawings("", drawing()), lambda: delete_drawing("", 0)], ids=["read", "keep", "forget"])
def test_drawings_without_a_learner_are_refused(do: Callable[[], object]) -> None:
    with pytest.raises(DataError, match="names no learner"):
        do()
    assert not environment.runs_folder().exists()


@pytest.mark.parametrize("index", [-1, 2, 100])
def test_a_missing_drawing_cannot_be_deleted(index: int) -> None:
    for seed in range(2):
        add_drawings("ada", drawing(seed))
    with pytest.raises(DataError, match="you have 2"):
        delete_drawing("ada", index)
    assert len(load_drawings("ada")) == 2


def test_the_number_of_drawings_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_DRAWINGS", 3)
    for seed in range(3):
        add_drawings("ada", drawing(seed))
    with pytest.raises(DataError, match="exceed the limit"):
        add_drawings("ada", drawing(3))
    assert plain_values(load_drawings("ada")) == plain_values([drawing(seed) for seed in range(3)])


def test_the_maximum_number_of_drawings_fits_into_one_archive() -> None:
    many = [drawing(seed, seed % 10, points=60) for seed in range(MAX_DRAWINGS)]
    assert plain_values(from_zip(to_zip(many))) == plain_values(many)
    with pytest.raises(DataError, match="do not fit in one archive"):
        to_zip([*many, drawing()])


def test_too_many_stroke_points_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 1000)
    with pytest.raises(DataError, match="do not fit in one archive"):
        add_drawings("ada", drawing(points=200))
    assert load_drawings("ada") == []


def test_a_full_disk_does_not_damage_stored_drawings(monkeypatch: pytest.MonkeyPatch) -> None:
    add_drawings("ada", drawing())

    def full(path: Path, _content: bytes) -> int:
        path.touch()
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(DataError, match="No space left"):
            add_drawings("ada", drawing(1))
    assert plain_values(load_drawings("ada")) == plain_values([drawing()])
    assert not list((environment.runs_folder() / ".drawings").glob("*.tmp"))


def test_simultaneous_additions_lose_no_drawing() -> None:
    threads = [threading.Thread(target=add_drawings, args=("ada", drawing(seed))) for seed in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = {each.image.numpy().tobytes() for each in load_drawings("ada")}
    assert stored == {image(seed).numpy().tobytes() for seed in range(12)}


def test_waiting_too_long_for_the_lock_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    add_drawings("ada", drawing())
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.0)
    (lock,) = (environment.runs_folder() / ".drawings").glob("*.lock")
    with FileLock(lock), pytest.raises(DataError, match="Another page"):
        add_drawings("ada", drawing(1))


def test_a_damaged_file_of_drawings_is_reported() -> None:
    add_drawings("ada", drawing())
    (path,) = (environment.runs_folder() / ".drawings").glob("*.zip")
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(DataError, match="damaged"):
        load_drawings("ada")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"image": torch.zeros(28, 28, dtype=torch.uint8)}, id="no-channel"),
        pytest.param({"image": torch.zeros(1, 28, 28)}, id="floats"),
        pytest.param({"label": 10}, id="label-10"),
        pytest.param({"label": -1}, id="label-below-0"),
        pytest.param({"label": True}, id="label-true"),
        pytest.param({"label": "3"}, id="label-text"),
        pytest.param({"predicted": "a"}, id="predicted"),
        pytest.param({"predicted": ["8"]}, id="predicted-list"),
        pytest.param({"strokes": "abc"}, id="strokes-text"),
        pytest.param({"strokes": {"width": 1}}, id="strokes-dict"),
        pytest.param({"strokes": [{"width": 1}]}, id="no-points"),
        pytest.param({"strokes": [{"width": 1, "points": [], "more": 1}]}, id="more"),
        pytest.param({"strokes": [{"width": "1", "points": []}]}, id="width-text"),
        pytest.param({"strokes": [{"width": 1, "points": [[1]]}]}, id="one-number"),
        pytest.param({"strokes": [{"width": 1, "points": [[1, float("nan")]]}]}, id="nan"),
        pytest.param({"strokes": [{"width": 1, "points": [[1, 10**400]]}]}, id="huge"),
        pytest.param({"strokes": [{"width": 1, "points": [[0, 0]]}] * (MAX_STROKES + 1)}, id="strokes"),
        pytest.param({"strokes": [{"width": 1, "points": [[0, 0]] * (MAX_POINTS // 2 + 1)}] * 2}, id="points"),
    ],
)
def test_an_invalid_drawing_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        Drawing(**{"image": image(), "label": 3, **changes})


def test_drawings_at_the_limits_are_accepted() -> None:
    assert Drawing(image(), 0, [{"width": 1, "points": [[0, 0]]}] * MAX_STROKES)
    assert Drawing(image(), 9, ({"width": 1, "points": ((0, 0),) * MAX_POINTS},))


def test_torchvision_can_load_the_extracted_archive(tmp_path: Path) -> None:
    drawings = [drawing(seed, label) for seed, label in enumerate([7, 3, 7, 0])]
    content = to_zip(drawings)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert sorted(archive.namelist()) == ["0/0004.png", "3/0002.png", "7/0001.png", "7/0003.png", "drawings.json"]
        archive.extractall(tmp_path)
    folder = ImageFolder(tmp_path)
    assert folder.classes == ["0", "3", "7"]
    stored = {(np.asarray(picture.convert("L")).tobytes(), int(folder.classes[target])) for picture, target in folder}
    assert stored == {(each.image.numpy().tobytes(), each.label) for each in drawings}
    notes = json.loads((tmp_path / "drawings.json").read_text())
    assert [(note["file"], note["label"], note["said"]) for note in notes] == [
        ("7/0001.png", 7, "8"), ("3/0002.png", 3, "8"), ("7/0003.png", 7, "8"), ("0/0004.png", 0, "8"),
    ]  # fmt: skip


def test_an_archive_of_images_only_can_be_imported() -> None:
    """In a folder of its own, with what other programs add, and in colour."""
    files = {"mine/3/a.png": png(mode="RGB"), "mine/7/b.png": png(), "mine/7/": b"", "__MACOSX/mine/7/._b.png": b"note", "mine/7/._b.png": b"note"}
    stored = from_zip(zip_of(files))
    assert [(each.label, list(each.strokes), each.predicted) for each in stored] == [(3, [], ""), (7, [], "")]
    assert all(torch.equal(each.image, torch.full((1, 28, 28), 200, dtype=torch.uint8)) for each in stored)


def test_stroke_coordinates_are_rounded_to_a_hundredth() -> None:
    (stored,) = from_zip(to_zip([Drawing(image(), 1, [{"width": 1 / 3, "points": [[2 / 3, -1.5]]}])]))
    assert list(stored.strokes) == [{"width": 0.33, "points": [[0.67, -1.5]]}]


WHOLE = to_zip([drawing(0, 3), drawing(1, 7)])
with zipfile.ZipFile(io.BytesIO(WHOLE)) as _archive:
    NOISY = _archive.read("3/0001.png")


def archive_with_notes(note: object) -> bytes:
    return zip_of({"3/0001.png": png(), "drawings.json": json.dumps(note).encode()})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "not a zip archive", id="empty"),
        pytest.param(b"text", "not a zip archive", id="text"),
        pytest.param(WHOLE[:-30], "not a zip archive", id="cut"),
        pytest.param(WHOLE[100:], "not a zip archive", id="without-its-start"),
        pytest.param({"a.txt": b""}, "no drawings", id="nothing"),
        pytest.param({"3/0001.png": b"text"}, "not a PNG image", id="no-picture"),
        pytest.param({"3/0001.png": png()[:20]}, "not a PNG image", id="no-size"),
        pytest.param({"3/0001.png": NOISY[: len(NOISY) // 2]}, "3/0001.png is damaged", id="cut-picture"),
        pytest.param({"3/0001.png": png((29, 28))}, "29×28 pixels", id="wrong-size"),
        pytest.param({"3/0001.png": png_that_claims(30_000)}, "30,000×30,000 pixels", id="huge-picture"),
        pytest.param({"3/0001.png": png(), "../evil.png": png()}, "outside", id="parent"),
        pytest.param({"3/0001.png": png(), "/etc/evil": b""}, "outside", id="root"),
        pytest.param({"3/0001.png": png(), "C:evil": b""}, "outside", id="drive"),
        pytest.param({"3/0001.png": png(), "..\\evil": b""}, "outside", id="backslash"),
        pytest.param(zip_of({"3/0001.png": png()}, zipfile.ZIP_LZMA), "plain zip", id="another-method"),
        pytest.param(dict.fromkeys((f"3/{number:05d}.png" for number in range(MAX_DRAWINGS + 1)), png()), "1,001 drawings", id="many"),
        pytest.param({f"{number}": b"" for number in range(4 * MAX_DRAWINGS + 1)}, "at most 4,000", id="countless"),
        pytest.param({f"{number}": b"" for number in range(30_000)}, "too many files", id="a-directory-too-long-to-be-read"),
        pytest.param({"3/0001.png": png(), "bomb.txt": bytes(8_000_001)}, "too large", id="bomb"),
        pytest.param({"3/0001.png": png()} | {f"{number}.txt": bytes(7_000_000) for number in range(3)}, "too large", id="bombs"),
        pytest.param(bytes(20_000_001), "too large", id="large"),
        pytest.param(archive_with_notes({}), "drawings.json", id="notes-are-no-list"),
        pytest.param(archive_with_notes([1]), "drawings.json", id="notes-are-numbers"),
        pytest.param(archive_with_notes([{"file": 3}]), "drawings.json", id="notes-of-no-file"),
        pytest.param(archive_with_notes([{"file": "3/0001.png", "strokes": 3}]), "strokes", id="strokes"),
        pytest.param(archive_with_notes([{"file": "3/0001.png", "said": {}}]), "must be a digit", id="said"),
        pytest.param({"3/0001.png": png(), "drawings.json": b"{"}, "damaged", id="torn-notes"),
        pytest.param({"3/0001.png": png(), "drawings.json": b"[" * 100_000}, "damaged", id="deep-notes"),
        pytest.param({"3/0001.png": png(), "drawings.json": b"\xff"}, "damaged", id="notes-are-no-text"),
    ],
)
def test_hostile_archives_are_refused(content: bytes | dict[str, bytes], message: str) -> None:
    """Large ones are packed here: every process that collects the tests would pack them."""
    assert message in refusal(content if isinstance(content, bytes) else zip_of(content))


def test_highly_compressible_strokes_are_not_mistaken_for_a_bomb() -> None:
    still = Drawing(image(), 3, [{"width": 18.0, "points": [[100, 100]] * MAX_POINTS}])
    content = to_zip([still] * 20)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        notes = archive.getinfo("drawings.json")
    assert notes.file_size > 400 * notes.compress_size
    assert plain_values(from_zip(content)) == plain_values([still] * 20)


def test_two_files_with_the_same_name_are_refused() -> None:
    target = io.BytesIO(zip_of({"3/0001.png": png()}))
    with zipfile.ZipFile(target, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("3/0001.png", png())
    assert "same name" in refusal(target.getvalue())


def test_an_image_with_two_headers_is_refused() -> None:
    """28×28 first, where a quick look finds it, and then 9,000×9,000."""
    assert "9,000×9,000" in refusal(zip_of({"3/0001.png": png_that_claims(28, 9000)}))


@given(st.data())
@hypothesis_settings(max_examples=repetitions(150))
def test_a_changed_archive_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        stored = from_zip(bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))]))
    except DataError:
        return
    assert len(stored) <= 2


def test_drawings_become_tensors_of_images_and_labels() -> None:
    images, labels = to_tensors([drawing(0, 3), drawing(1, 7)])
    assert torch.equal(images, torch.stack([image(0), image(1)])) and labels.tolist() == [3, 7] and labels.dtype == torch.int64
    with pytest.raises(DataError, match="no drawings"):
        to_tensors([])


def test_drawings_of_a_run_survive_a_round_trip() -> None:
    own = to_tensors([drawing(0, 3), drawing(1, 7)])
    images, labels = from_safetensors(to_safetensors(own, MNIST), MNIST)
    assert torch.equal(images, own[0]) and torch.equal(labels, own[1])


IMAGES, LABELS = torch.zeros(2, 1, 28, 28, dtype=torch.uint8), torch.tensor([1, 2])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "damaged", id="empty"),
        pytest.param(b"garbage" * 10, "damaged", id="garbage"),
        pytest.param(save({"images": IMAGES}), "damaged", id="no-labels"),
        pytest.param(save({"images": IMAGES, "labels": LABELS, "more": LABELS + 1}), "damaged", id="more"),
        pytest.param(save({"images": IMAGES.float(), "labels": LABELS}), "float32", id="floats"),
        pytest.param(save({"images": IMAGES[..., :27].contiguous(), "labels": LABELS}), "1×28×27", id="narrow"),
        pytest.param(save({"images": torch.zeros((), dtype=torch.uint8), "labels": LABELS}), "of shape", id="one-number"),
        pytest.param(save({"images": IMAGES[:0], "labels": LABELS[:0]}), "not 0", id="none"),
        pytest.param(save({"images": IMAGES[:1].repeat(1001, 1, 1, 1), "labels": LABELS[:1].repeat(1001)}), "not 1,001", id="many"),
        pytest.param(save({"images": IMAGES, "labels": LABELS[:1]}), "Labels must", id="one-label"),
        pytest.param(save({"images": IMAGES, "labels": LABELS.int()}), "Labels must", id="small-labels"),
        pytest.param(save({"images": IMAGES, "labels": LABELS + 8}), "from 0 to 9", id="label-10"),
        pytest.param(save({"images": IMAGES, "labels": LABELS - 2}), "from 0 to 9", id="label-below-0"),
    ],
)
def test_an_invalid_file_of_a_run_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        from_safetensors(content, MNIST)
