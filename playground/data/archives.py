"""Fetching the files that torchvision's loaders read: resumable, verified, from mirrors, never hanging.

The names, addresses and checksums are torchvision's own (https://docs.pytorch.org/vision/stable/datasets.html).
"""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any

from playground import environment
from playground.data.catalogue import DatasetInfo
from playground.errors import DataError

CHUNK = 1 << 16

Progress = Callable[[str, int, int], None]
"""Told the file's name, the bytes that are there and the bytes there will be (0 where the server does not say)."""


@dataclass(frozen=True)
class Archive:
    """One file of a data set."""

    name: str
    md5: str
    folder: Path
    """Where torchvision looks for it."""
    addresses: tuple[str, ...]
    """Where it can be had, the first choice first."""

    @property
    def path(self) -> Path:
        return self.folder / self.name

    def is_whole(self) -> bool:
        """Whether the file is there and its checksum is right."""
        return self.path.exists() and _md5(self.path) == self.md5


def archives(info: DatasetInfo, root: Path) -> list[Archive]:
    """The files that torchvision's loader of this data set reads from under `root`."""
    from torchvision import datasets

    loader: Any = getattr(datasets, info.torchvision)
    if info.torchvision == "CIFAR10":
        return [Archive(loader.filename, loader.tgz_md5, root, _addresses(info, loader.filename, [loader.url]))]
    folder = root / info.torchvision / "raw"
    return [Archive(name, md5, folder, _addresses(info, name, [f"{base}{name}" for base in loader.mirrors])) for name, md5 in loader.resources]


def fetch(info: DatasetInfo, root: Path, progress: Progress) -> None:
    """Bring every file of a data set under `root`, going on where a broken download stopped.

    Raises:
        DataError: a file could not be had from any address; says which files belong in which folder.
    """
    for archive in archives(info, root):
        if not archive.is_whole():
            _fetch_archive(info, archive, progress)


def _addresses(info: DatasetInfo, name: str, official: list[str]) -> tuple[str, ...]:
    """The configured mirror first, with and without a folder of the data set's name, then the official places."""
    base = environment.mirror()
    mirrored = [f"{base.rstrip('/')}/{info.name}/{name}", f"{base.rstrip('/')}/{name}"] if base else []
    return (*mirrored, *official)


def _fetch_archive(info: DatasetInfo, archive: Archive, progress: Progress) -> None:
    archive.folder.mkdir(parents=True, exist_ok=True)
    part = archive.path.with_suffix(archive.path.suffix + ".part")
    reasons = []
    for address in archive.addresses:
        try:
            for there, total in _download(address, part):
                progress(archive.name, there, total)
        except (OSError, HTTPException, ValueError) as error:  # urllib's errors are OSErrors; a ValueError is an address that is none
            reasons.append(f"{address}: {_reason(error)}")
            continue
        if _md5(part) == archive.md5:
            part.replace(archive.path)
            return
        part.unlink()  # whole but wrong: nothing to go on from
        reasons.append(f"{address}: the file that came is not the one expected (its checksum differs)")
    names = ", ".join(item.name for item in archives(info, archive.folder))
    raise DataError(
        f"{info.title} could not be downloaded. {'; '.join(reasons)}.",
        f"Check the connection and try again, put the files yourself into {archive.folder} ({names}), or use MNIST 5k or Shapes 32×32, which need no download.",
    )


def _download(address: str, part: Path) -> Iterator[tuple[int, int]]:
    """Append to `part` what is missing of it; yields the bytes there and in all."""
    start = part.stat().st_size if part.exists() else 0
    resumable = start > 0 and address.startswith("http")
    request = urllib.request.Request(address, headers={"Range": f"bytes={start}-"} if resumable else {})
    try:
        response = urllib.request.urlopen(request, timeout=environment.network_timeout())
    except urllib.error.HTTPError as error:
        if error.code != 416:  # 416: nothing is missing, or the part is longer than the file; the checksum tells
            raise
        return
    with response:
        appending = getattr(response, "status", None) == 206
        there = start if appending else 0
        total = there + int(response.headers.get("Content-Length") or 0)
        with part.open("ab" if appending else "wb") as file:
            yield from _copy(response, file, there, total)
    if total and part.stat().st_size < total:
        raise ConnectionError("the connection broke before the file was whole; trying again goes on from there")


def _copy(response: IO[bytes], file: IO[bytes], there: int, total: int) -> Iterator[tuple[int, int]]:
    while chunk := response.read(CHUNK):
        file.write(chunk)
        there += len(chunk)
        yield there, total


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code}"
    if isinstance(error, TimeoutError):
        return f"no answer within {environment.network_timeout():g} seconds"
    return str(getattr(error, "reason", error)) or type(error).__name__


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
