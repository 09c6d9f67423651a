"""A learner's own labelled drawings: stored, exported, imported, and converted to tensors to train on.

The stored format is the exported one: a zip archive with a folder of PNG files for each digit, which
`torchvision.datasets.ImageFolder` reads once it is unpacked, and `drawings.json` with the strokes.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias, TypedDict

import numpy as np
import torch
from filelock import FileLock, Timeout
from PIL import Image
from safetensors.torch import load, save
from torch import Tensor

from playground import environment
from playground.data.catalogue import DIGITS, DatasetInfo
from playground.errors import DataError
from playground.messages import msg
from playground.untrusted import UNREADABLE, unzipped

LabelledImages: TypeAlias = tuple[Tensor, Tensor]
"""Images ``(K, C, H, W)`` uint8 and their labels ``(K,)`` int64."""

MAX_DRAWINGS = 1000
"""Largest number of drawings of one learner."""
MAX_STROKES, MAX_POINTS = 500, 20_000
"""Largest number of strokes and points of one drawing."""
MAX_COORDINATE = 10_000
"""Largest magnitude of a coordinate or stroke width, in units of the canvas."""
SIDE = 28
"""Width and height of a stored drawing, in pixels."""
MAX_ARCHIVE_BYTES = 20_000_000
"""Largest size of an archive, compressed and uncompressed."""
MAX_FILE_BYTES = 8_000_000
"""Largest size of a file in an archive; the strokes of a thousand drawings take about two million bytes."""
MAX_FILES = 4 * MAX_DRAWINGS
"""Largest number of files in an archive; other programs add folders and metadata of their own."""
LOCK_SECONDS = 5.0
"""How long to wait for another page of the same learner."""

_METADATA = "drawings.json"
_DRAWING = re.compile(r"(?:[^/]+/)?(?P<file>(?P<label>[0-9])/[^/.][^/]*\.png)")
"""A PNG file in the folder of its digit, optionally inside one more folder. Files whose names begin with a dot are metadata of macOS."""
_PNG = b"\x89PNG\r\n\x1a\n"


class Stroke(TypedDict):
    """A stroke of the pen, in units of the canvas."""

    width: float
    points: Sequence[Sequence[float]]
    """Right, down."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """A drawing with the digit that its learner meant.

    Raises:
        DataError: the image, the label or the strokes are invalid or too many.
    """

    image: Tensor
    """``(1, 28, 28)`` uint8, preprocessed."""
    label: int
    """The true digit, 0 to 9."""
    strokes: Sequence[Stroke] = ()
    """Empty if unknown."""
    predicted: str = ""
    """The digit that a network predicted; empty if unknown."""

    def __post_init__(self) -> None:
        if self.image.dtype != torch.uint8 or tuple(self.image.shape) != (1, SIDE, SIDE):
            raise DataError(
                msg(
                    "A drawing must be torch.uint8 of shape {expected}, not {dtype} of shape {shape}.",
                    expected=(1, SIDE, SIDE),
                    dtype=str(self.image.dtype),
                    shape=tuple(self.image.shape),
                )
            )
        if type(self.label) is not int or not 0 <= self.label < len(DIGITS):
            raise DataError(msg("The label of a drawing must be a digit from 0 to 9, not {label}.", label=repr(self.label)[:20]))
        if self.predicted not in ("", *DIGITS):
            raise DataError(msg("The predicted class of a drawing must be a digit from 0 to 9, not {predicted}.", predicted=repr(self.predicted)[:20]))
        if not isinstance(self.strokes, list | tuple) or len(self.strokes) > MAX_STROKES or not all(map(_is_stroke, self.strokes)):
            raise DataError(msg("A drawing may have at most {most} strokes, each with a width and points.", most=MAX_STROKES))
        if sum(len(stroke["points"]) for stroke in self.strokes) > MAX_POINTS:
            raise DataError(msg("A drawing may have at most {most:,} points.", most=MAX_POINTS))


def load_drawings(owner: str) -> list[Drawing]:
    """Load a learner's drawings, the oldest first.

    Raises:
        DataError: `owner` is empty, or the file cannot be read.
    """
    try:
        content = _path(owner).read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DataError(msg("Your drawings cannot be read: {error}.", error=error.strerror)) from None
    return from_zip(content)


def count_drawings(owner: str) -> int:
    """Count a learner's drawings by the archive's table of contents alone, which is fast; return 0 if it cannot be read."""
    try:
        with zipfile.ZipFile(_path(owner)) as archive:
            return sum(_DRAWING.fullmatch(name) is not None for name in archive.namelist())
    except (DataError, *UNREADABLE):
        return 0


def add_drawings(owner: str, *added: Drawing) -> None:
    """Append drawings to a learner's collection: all of them, or none.

    Raises:
        DataError: `owner` is empty, there would be too many drawings, or they cannot be written.
    """

    def append(drawings: list[Drawing]) -> list[Drawing]:
        if len(drawings) + len(added) > MAX_DRAWINGS:
            raise DataError(
                msg(
                    "You have {count:,} drawings; {added:,} more would exceed the limit of {most:,}.",
                    count=len(drawings),
                    added=len(added),
                    most=MAX_DRAWINGS,
                ),
                msg("Delete some first."),
            )
        return [*drawings, *added]

    _change(owner, append)


def delete_drawing(owner: str, index: int) -> None:
    """Delete one of a learner's drawings.

    Args:
        owner: the learner.
        index: its index in `load_drawings`.

    Raises:
        DataError: `owner` is empty, the drawing does not exist, or the file cannot be written.
    """

    def remove(drawings: list[Drawing]) -> list[Drawing]:
        if not 0 <= index < len(drawings):
            raise DataError(msg("There is no drawing {number}; you have {count:,}.", number=index + 1, count=len(drawings)))
        return drawings[:index] + drawings[index + 1 :]

    _change(owner, remove)


def to_zip(drawings: Sequence[Drawing]) -> bytes:
    """Write drawings to an archive: `3/0001.png` is the first drawing, a three; `drawings.json` has the strokes, rounded to 0.01 units.

    Raises:
        DataError: the drawings exceed the limits of an archive.
    """
    names = [f"{drawing.label}/{number:04d}.png" for number, drawing in enumerate(drawings, start=1)]
    metadata = [
        {"file": name, "label": drawing.label, "said": drawing.predicted, "strokes": [_rounded(stroke) for stroke in drawing.strokes]}
        for name, drawing in zip(names, drawings, strict=True)
    ]
    text = json.dumps(metadata, separators=(",", ":"))
    if len(names) > MAX_DRAWINGS or len(text) > MAX_FILE_BYTES:
        raise DataError(
            msg(
                "The drawings do not fit in one archive: {drawings:,} of {most_drawings:,} drawings, {size:,} of {most_bytes:,} bytes of strokes.",
                drawings=len(names),
                most_drawings=MAX_DRAWINGS,
                size=len(text),
                most_bytes=MAX_FILE_BYTES,
            ),
            msg("Delete some first."),
        )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, drawing in zip(names, drawings, strict=True):
            archive.writestr(name, _png(drawing.image), zipfile.ZIP_STORED)
        archive.writestr(_METADATA, text)
    return target.getvalue()


def from_zip(content: bytes) -> list[Drawing]:
    """Read drawings from an untrusted archive, sorted by file name. Without `drawings.json` they have no strokes.

    Raises:
        DataError: the archive is invalid, damaged or too large, or an image in it does not have 28×28 pixels.
    """
    if len(content) > MAX_ARCHIVE_BYTES:
        raise DataError(msg("This archive is too large: it has {size:,} bytes, and at most {most:,} can be read.", size=len(content), most=MAX_ARCHIVE_BYTES))
    invalid = DataError(msg("This file is not a zip archive of drawings, or it is damaged."), msg("Choose a file that was exported from the playground."))
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise invalid
    try:
        # any compression ratio is safe: the limit is small, and a scripted stroke may repeat one point many times
        with unzipped(io.BytesIO(content), msg("This archive"), MAX_ARCHIVE_BYTES, DataError, ratio=math.inf) as archive:
            return _drawings(archive)
    except UNREADABLE:
        raise invalid from None


def to_tensors(drawings: Sequence[Drawing]) -> LabelledImages:
    """Stack drawings into images ``(K, 1, 28, 28)`` uint8 and labels ``(K,)`` int64.

    Raises:
        DataError: there are no drawings.
    """
    if not drawings:
        raise DataError(msg("There are no drawings to train on yet."), msg("Draw a digit and select its label."))
    return torch.stack([drawing.image for drawing in drawings]), torch.tensor([drawing.label for drawing in drawings])


def validate_images(drawings: LabelledImages, info: DatasetInfo) -> None:
    """Raise an error unless images can be added to a data set's training images.

    Raises:
        DataError: their type, shape or number or a label does not fit the data set.
    """
    images, labels = drawings
    if images.dtype != torch.uint8 or tuple(images.shape[1:]) != info.input_shape:
        expected, actual = ("×".join(map(str, shape)) for shape in (info.input_shape, images.shape[1:]))
        raise DataError(
            msg(
                "Images added to {dataset} must be torch.uint8 of shape {expected}, not {dtype} of shape {actual}.",
                dataset=info.title,
                expected=expected,
                dtype=str(images.dtype),
                actual=actual,
            )
        )
    if not 1 <= len(images) <= MAX_DRAWINGS:
        raise DataError(msg("From 1 to {most:,} images can be added to a data set, not {count:,}.", most=MAX_DRAWINGS, count=len(images)))
    if labels.dtype != torch.int64 or labels.shape != images.shape[:1]:
        raise DataError(
            msg(
                "Labels must be torch.int64 of shape {expected}, not {dtype} of shape {shape}.",
                expected=(len(images),),
                dtype=str(labels.dtype),
                shape=tuple(labels.shape),
            )
        )
    if not 0 <= int(labels.min()) <= int(labels.max()) < len(info.classes):
        raise DataError(
            msg(
                "Labels for {dataset} must be from 0 to {last}, not from {smallest} to {largest}.",
                dataset=info.title,
                last=len(info.classes) - 1,
                smallest=int(labels.min()),
                largest=int(labels.max()),
            )
        )


def to_safetensors(drawings: LabelledImages, info: DatasetInfo) -> bytes:
    """Serialise images and labels for the folder of a run that is trained on this data set.

    Raises:
        DataError: they do not fit the data set.
    """
    validate_images(drawings, info)
    images, labels = drawings
    content: bytes = save({"images": images.contiguous(), "labels": labels.contiguous()})
    return content


def from_safetensors(content: bytes, info: DatasetInfo) -> LabelledImages:
    """Read images and labels from an untrusted file of `to_safetensors`.

    Raises:
        DataError: the file is invalid, or does not fit the data set.
    """
    try:
        tensors: dict[str, Tensor] = load(content)
    except Exception:  # its reader raises various errors for corrupt headers: SafetensorError, KeyError, ValueError, RuntimeError, …
        tensors = {}
    if tensors.keys() != {"images", "labels"}:
        raise DataError(msg("The file does not contain images with labels, or it is damaged."))
    drawings = tensors["images"], tensors["labels"]
    validate_images(drawings, info)
    return drawings


def _change(owner: str, change: Callable[[list[Drawing]], list[Drawing]]) -> None:
    """Rewrite a learner's drawings under a lock: to a temporary file, which is then renamed."""
    path = _path(owner)
    with _locked(path):
        temporary = path.with_suffix(".tmp")
        try:
            temporary.write_bytes(to_zip(change(load_drawings(owner))))
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), timeout=LOCK_SECONDS):
            yield
    except Timeout:
        raise DataError(msg("Another page is changing your drawings right now."), msg("Try again in a moment.")) from None
    except OSError as error:
        raise DataError(msg("The drawing could not be stored: {error}.", error=error.strerror), msg("Free some disk space, then try again.")) from error


def _path(owner: str) -> Path:
    """Return the path of a learner's archive beside the runs; its name is a hash, which does not reveal the learner."""
    if not owner:
        raise DataError(msg("Drawings are stored for each learner, but this request names no learner."))
    return environment.runs_folder() / ".drawings" / f"{hashlib.blake2b(owner.encode(), digest_size=16).hexdigest()}.zip"


def _is_stroke(stroke: object) -> bool:
    if not isinstance(stroke, Mapping) or set(stroke) != {"width", "points"} or not isinstance(stroke["points"], list | tuple):
        return False
    return _is_coordinate(stroke["width"]) and all(
        isinstance(point, list | tuple) and len(point) == 2 and all(map(_is_coordinate, point)) for point in stroke["points"]
    )


def _is_coordinate(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -MAX_COORDINATE <= value <= MAX_COORDINATE


def _rounded(stroke: Stroke) -> Stroke:
    return {"width": round(stroke["width"], 2), "points": [[round(value, 2) for value in point] for point in stroke["points"]]}


def _png(image: Tensor) -> bytes:
    target = io.BytesIO()
    Image.fromarray(image[0].cpu().numpy()).save(target, "PNG")
    return target.getvalue()


def _drawings(archive: zipfile.ZipFile) -> list[Drawing]:
    if len(archive.infolist()) > MAX_FILES:
        raise DataError(msg("This archive contains {count:,} files; at most {most:,} can be read.", count=len(archive.infolist()), most=MAX_FILES))
    if any(entry.file_size > MAX_FILE_BYTES for entry in archive.infolist()):
        raise DataError(msg("A file in this archive is too large: each may have at most {most:.0f} MB.", most=MAX_FILE_BYTES / 1e6))
    metadata: dict[str, Mapping[str, Any]] = {}
    entries: list[tuple[str, str, int]] = []  # name in the archive, name without an outer folder, digit
    for name in archive.namelist():
        if PurePosixPath(name).name == _METADATA and name.count("/") <= 1:
            metadata = _metadata(archive.read(name))
        elif match := _DRAWING.fullmatch(name):
            entries.append((name, match["file"], int(match["label"])))
    if len(entries) > MAX_DRAWINGS:
        raise DataError(msg("This archive contains {count:,} drawings; at most {most:,} can be read.", count=len(entries), most=MAX_DRAWINGS))
    if not entries and _METADATA not in archive.namelist():
        raise DataError(msg("This archive contains no drawings."), msg("Put PNG files into a folder for each digit, such as 3/0001.png."))
    entries.sort(key=lambda entry: (PurePosixPath(entry[0]).name, entry[0]))
    return [_drawing(_pixels(archive.read(name), file), label, metadata.get(file, {})) for name, file, label in entries]


def _drawing(image: Tensor, label: int, metadata: Mapping[str, Any]) -> Drawing:
    return Drawing(image, label, metadata.get("strokes", ()), metadata.get("said", ""))


def _metadata(content: bytes) -> dict[str, Mapping[str, Any]]:
    """Read the metadata of each file, by file name."""
    document = json.loads(content)
    if not isinstance(document, list) or not all(isinstance(entry, dict) and isinstance(entry.get("file"), str) for entry in document):
        raise DataError(msg("{file} must be a list of objects, each with a “file”.", file=_METADATA))
    return {entry["file"]: entry for entry in document}


def _pixels(content: bytes, name: str) -> Tensor:
    """Decode a PNG file to ``(1, 28, 28)`` uint8, after checking the size in its header."""
    if content[:8] != _PNG or content[12:16] != b"IHDR" or len(content) < 24:
        raise DataError(msg("{file} is not a PNG image.", file=name))
    _check_size(struct.unpack(">II", content[16:24]), name)
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            _check_size(image.size, name)  # a file may contain a second header
            return torch.from_numpy(np.array(image.convert("L"))).unsqueeze(0)  # (28, 28) → (1, 28, 28)
    except DataError:
        raise
    except Exception:  # Pillow raises various errors for corrupt images
        raise DataError(msg("{file} is damaged, so it cannot be read as an image.", file=name)) from None


def _check_size(size: tuple[int, ...], name: str) -> None:
    if size != (SIDE, SIDE):
        raise DataError(msg("{file} has {width:,}×{height:,} pixels; a drawing must have {side}×{side}.", file=name, width=size[0], height=size[1], side=SIDE))
