"""A learner's own drawings, each with the digit that it shall be: kept, packed to take along, and as tensors that a run learns from.

They are kept in the form in which they are packed: a zip archive of PNG files in a folder for each digit, which
`torchvision.datasets.ImageFolder` reads once it is unpacked, and beside them `drawings.json` with the strokes.
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
from typing import TYPE_CHECKING, Any, TypeAlias

from filelock import FileLock, Timeout

from playground import environment
from playground.data.catalogue import DIGITS, DatasetInfo
from playground.errors import DataError
from playground.untrusted import UNREADABLE, unzipped

if TYPE_CHECKING:
    from torch import Tensor

LabelledImages: TypeAlias = "tuple[Tensor, Tensor]"
"""Images (K, C, H, W) uint8 and their labels (K,) int64."""

MOST = 1000
"""Drawings of one learner."""
STROKES, POINTS = 500, 20_000
"""Of one drawing."""
FAR = 10_000
"""Units of the pad that a point may lie from its corner, and that a line may be wide."""
SIDE = 28
"""Pixels along an edge of a kept drawing."""
LIMIT = 20_000_000
"""Bytes of a packed archive, and of all that is in it."""
TEXT_LIMIT = 8_000_000
"""Bytes of the strokes of all drawings; a thousand drawn by hand take some two million."""
ENTRIES = 4 * MOST
"""Files in an archive; other programs put folders and notes of their own into it."""
LOCK_SECONDS = 5.0
"""How long one waits for another page of the same learner."""

_NOTES = "drawings.json"
_PICTURE = re.compile(r"(?:[^/]+/)?(?P<own>(?P<label>[0-9])/[^/.][^/]*\.png)")
"""A picture in its digit's folder, and perhaps a folder around them all. Files whose names begin with a dot are notes of macOS."""
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, eq=False)
class Drawing:
    """A drawing and the digit that its learner says it is.

    Raises:
        DataError: it is none, or too long to be kept.
    """

    image: Tensor
    """(1, 28, 28) uint8, as a network sees it."""
    label: int
    """The digit, 0 to 9."""
    strokes: Sequence[Mapping[str, Any]] = ()
    """`{"width": w, "points": [[x, y], …]}` for each line, in the units of the pad; empty where they are not known."""
    said: str = ""
    """The digit that the network took it for; empty where none was asked."""

    def __post_init__(self) -> None:
        import torch

        if self.image.dtype != torch.uint8 or tuple(self.image.shape) != (1, SIDE, SIDE):
            raise DataError(f"A drawing is kept as {SIDE}×{SIDE} bytes of ink, not as {self.image.dtype} of shape {tuple(self.image.shape)}.")
        if type(self.label) is not int or not 0 <= self.label < len(DIGITS):
            raise DataError("Each drawing needs the digit that it shall be, from 0 to 9.")
        if self.said not in ("", *DIGITS):
            raise DataError("What the network said of a drawing must be a digit.")
        if not isinstance(self.strokes, list | tuple) or len(self.strokes) > STROKES or not all(map(_is_stroke, self.strokes)):
            raise DataError(f"A drawing has at most {STROKES} strokes, each with a width and points.")
        if sum(len(stroke["points"]) for stroke in self.strokes) > POINTS:
            raise DataError(f"A drawing has at most {POINTS:,} points.")


def load_drawings(owner: str) -> list[Drawing]:
    """What a learner has kept, the oldest first.

    Raises:
        DataError: nobody is named, or the file cannot be read.
    """
    try:
        content = _path(owner).read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DataError(f"Your drawings cannot be read: {error.strerror}.") from None
    return from_zip(content)


def count_drawings(owner: str) -> int:
    """How many drawings a learner has kept, by the table of contents alone, so that a page may ask each time; 0 where they cannot be read."""
    try:
        with zipfile.ZipFile(_path(owner)) as archive:
            return sum(_PICTURE.fullmatch(name) is not None for name in archive.namelist())
    except (DataError, *UNREADABLE):
        return 0


def add_drawings(owner: str, *added: Drawing) -> None:
    """Put drawings behind those that a learner has kept: all of them, or none.

    Raises:
        DataError: nobody is named, there are too many, or they cannot be written.
    """

    def more(drawings: list[Drawing]) -> list[Drawing]:
        if len(drawings) + len(added) > MOST:
            raise DataError(f"You have kept {MOST:,} drawings, and there is no room for more.", "Remove one first.")
        return [*drawings, *added]

    _change(owner, more)


def delete_drawing(owner: str, index: int) -> None:
    """Delete one of a learner's drawings.

    Args:
        owner: whose.
        index: its place in `own_drawings`.

    Raises:
        DataError: nobody is named, there is no such drawing, or the file cannot be written.
    """

    def fewer(drawings: list[Drawing]) -> list[Drawing]:
        if not 0 <= index < len(drawings):
            raise DataError(f"There is no drawing {index + 1}; you have kept {len(drawings):,}.")
        return drawings[:index] + drawings[index + 1 :]

    _change(owner, fewer)


def to_zip(drawings: Sequence[Drawing]) -> bytes:
    """The drawings as an archive: `3/0001.png` is the first, a three, and `drawings.json` tells the strokes to a hundredth of a unit.

    Raises:
        DataError: they are more than one archive holds.
    """
    names = [f"{drawing.label}/{number:04d}.png" for number, drawing in enumerate(drawings, start=1)]
    notes = [
        {"file": name, "label": each.label, "said": each.said, "strokes": [_rounded(stroke) for stroke in each.strokes]}
        for name, each in zip(names, drawings, strict=True)
    ]
    text = json.dumps(notes, separators=(",", ":"))
    if len(names) > MOST or len(text) > TEXT_LIMIT:
        raise DataError(f"These {len(names):,} drawings are too many for one archive, or have too many strokes.", "Remove some first.")
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, drawing in zip(names, drawings, strict=True):
            archive.writestr(name, _png(drawing.image), zipfile.ZIP_STORED)
        archive.writestr(_NOTES, text)
    return target.getvalue()


def from_zip(content: bytes) -> list[Drawing]:
    """The drawings in an archive from anywhere, in the order of their files' names. Without `drawings.json` they have no strokes.

    Raises:
        DataError: it is no such archive, is damaged or too large, or a picture in it is none of 28×28 pixels.
    """
    if len(content) > LIMIT:
        raise DataError(f"This archive is too large: at most {LIMIT / 1e6:.0f} MB are read.")
    broken = DataError("This file is not a zip archive of drawings, or is damaged.", "Choose one that the playground has made.")
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise broken
    try:
        # any ratio will do: `LIMIT` is small, and a line that was scripted may be the same point again and again
        with unzipped(io.BytesIO(content), "This archive", LIMIT, DataError, ratio=math.inf) as archive:
            return _drawings(archive)
    except UNREADABLE:
        raise broken from None


def to_tensors(drawings: Sequence[Drawing]) -> LabelledImages:
    """Images (K, 1, 28, 28) uint8 and labels (K,) int64.

    Raises:
        DataError: there are none.
    """
    import torch

    if not drawings:
        raise DataError("There are no drawings to learn from yet.", "Draw a digit and say what it is.")
    return torch.stack([drawing.image for drawing in drawings]), torch.tensor([drawing.label for drawing in drawings])


def validate_images(own: LabelledImages, info: DatasetInfo) -> None:
    """Refuse images that cannot be learnt beside a data set's.

    Raises:
        DataError: their shape, their kind, their number or a label does not fit.
    """
    import torch

    images, labels = own
    if images.dtype != torch.uint8 or tuple(images.shape[1:]) != info.input_shape:
        wanted, found = ("×".join(map(str, shape)) for shape in (info.input_shape, images.shape[1:]))
        raise DataError(f"Images beside those of {info.title} are bytes of shape {wanted}, not {images.dtype} of shape {found}.")
    if not 1 <= len(images) <= MOST:
        raise DataError(f"From 1 to {MOST:,} images can be learnt beside a data set, not {len(images):,}.")
    if labels.dtype != torch.int64 or labels.shape != images.shape[:1]:
        raise DataError(f"Each of the {len(images):,} images needs one label, a whole number.")
    if not 0 <= int(labels.min()) <= int(labels.max()) < len(info.classes):
        raise DataError(f"Labels are from 0 to {len(info.classes) - 1}, as the classes of {info.title}.")


def to_safetensors(own: LabelledImages) -> bytes:
    """The file in which a run has them."""
    from safetensors.torch import save

    content: bytes = save({"images": own[0].contiguous(), "labels": own[1].contiguous()})
    return content


def from_safetensors(content: bytes, info: DatasetInfo) -> LabelledImages:
    """What `to_safetensors` wrote, here or elsewhere.

    Raises:
        DataError: it is no such file, or does not fit the data set.
    """
    from safetensors.torch import load

    try:
        tensors: dict[str, Tensor] = load(content)
    except Exception:  # its reader raises anything for a header that lies: SafetensorError, KeyError, ValueError, RuntimeError, …
        tensors = {}
    if tensors.keys() != {"images", "labels"}:
        raise DataError("The file does not hold images with labels, or is damaged.")
    own = tensors["images"], tensors["labels"]
    validate_images(own, info)
    return own


def _change(owner: str, change: Callable[[list[Drawing]], list[Drawing]]) -> None:
    """Write a learner's drawings anew: beside their place, then renamed, while nobody else does."""
    path = _path(owner)
    with _held(path):
        temporary = path.with_suffix(".tmp")
        try:
            temporary.write_bytes(to_zip(change(load_drawings(owner))))
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def _held(path: Path) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), timeout=LOCK_SECONDS):
            yield
    except Timeout:
        raise DataError("Your drawings are being changed elsewhere right now.", "Try again in a moment.") from None
    except OSError as error:
        raise DataError(f"The drawing could not be kept: {error.strerror}.", "Free some space on the disk, then try again.") from error


def _path(owner: str) -> Path:
    """Beside the runs; the folder's name is none of a run, and the file's tells nobody whose it is."""
    if not owner:
        raise DataError("Drawings are stored for each learner, but this request names no learner.")
    return environment.runs_folder() / ".drawings" / f"{hashlib.blake2b(owner.encode(), digest_size=16).hexdigest()}.zip"


def _is_stroke(stroke: object) -> bool:
    if not isinstance(stroke, Mapping) or set(stroke) != {"width", "points"} or not isinstance(stroke["points"], list | tuple):
        return False
    return _is_near(stroke["width"]) and all(isinstance(point, list | tuple) and len(point) == 2 and all(map(_is_near, point)) for point in stroke["points"])


def _is_near(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -FAR <= value <= FAR


def _rounded(stroke: Mapping[str, Any]) -> dict[str, Any]:
    return {"width": round(stroke["width"], 2), "points": [[round(value, 2) for value in point] for point in stroke["points"]]}


def _png(image: Tensor) -> bytes:
    from PIL import Image

    target = io.BytesIO()
    Image.fromarray(image[0].cpu().numpy()).save(target, "PNG")
    return target.getvalue()


def _drawings(archive: zipfile.ZipFile) -> list[Drawing]:
    if len(archive.infolist()) > ENTRIES:
        raise DataError("This archive holds too many files.")
    if any(entry.file_size > TEXT_LIMIT for entry in archive.infolist()):
        raise DataError(f"This archive holds a file that is too large: at most {TEXT_LIMIT / 1e6:.0f} MB are read of each.")
    notes: dict[str, Mapping[str, Any]] = {}
    pictures: list[tuple[str, str, int]] = []  # the entry's name, that without a folder around all, the digit
    for name in archive.namelist():
        if PurePosixPath(name).name == _NOTES and name.count("/") <= 1:
            notes = _notes(archive.read(name))
        elif found := _PICTURE.fullmatch(name):
            pictures.append((name, found["own"], int(found["label"])))
    if len(pictures) > MOST:
        raise DataError(f"This archive holds {len(pictures):,} drawings; at most {MOST:,} can be read.")
    if not pictures and _NOTES not in archive.namelist():
        raise DataError("This archive holds no drawings.", "Put PNG files into a folder for each digit, such as 3/0001.png.")
    pictures.sort(key=lambda picture: (PurePosixPath(picture[0]).name, picture[0]))
    return [_drawing(_pixels(archive.read(name), own), label, notes.get(own, {})) for name, own, label in pictures]


def _drawing(image: Tensor, label: int, note: Mapping[str, Any]) -> Drawing:
    return Drawing(image, label, note.get("strokes", ()), note.get("said", ""))


def _notes(content: bytes) -> dict[str, Mapping[str, Any]]:
    """What is told of each file, by its name."""
    document = json.loads(content)
    if not isinstance(document, list) or not all(isinstance(note, dict) and isinstance(note.get("file"), str) for note in document):
        raise DataError(f"{_NOTES} is not what the playground writes there.")
    return {note["file"]: note for note in document}


def _pixels(content: bytes, name: str) -> Tensor:
    """(1, 28, 28) uint8 of a PNG file, whose size is read before anything is unpacked."""
    import numpy as np
    import torch
    from PIL import Image

    if content[:8] != _PNG or content[12:16] != b"IHDR" or len(content) < 24:
        raise DataError(f"{name} is not a picture in PNG format.")
    _refuse_size(struct.unpack(">II", content[16:24]), name)
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            _refuse_size(image.size, name)  # a file may tell it twice
            return torch.from_numpy(np.array(image.convert("L"))).unsqueeze(0)  # (28, 28) → (1, 28, 28)
    except DataError:
        raise
    except Exception:  # Pillow raises anything for what is no picture
        raise DataError(f"{name} is damaged, so it cannot be read as a picture.") from None


def _refuse_size(size: tuple[int, ...], name: str) -> None:
    if size != (SIDE, SIDE):
        raise DataError(f"{name} has {size[0]:,}×{size[1]:,} pixels; a drawing has {SIDE}×{SIDE}.")
