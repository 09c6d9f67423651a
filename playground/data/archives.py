"""Download the archives that torchvision's loaders read: resumable, verified, from mirrors, with a timeout.

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
from playground.messages import joined, msg

CHUNK = 1 << 16

Progress = Callable[[str, int, int], None]
"""Called with the file name, the bytes received and the total bytes (0 if the server does not state them)."""


@dataclass(frozen=True)
class Archive:
    """One file of a data set."""

    name: str
    md5: str
    folder: Path
    """The folder in which torchvision looks for it."""
    addresses: tuple[str, ...]
    """Where it can be downloaded from, in order of preference."""

    @property
    def path(self) -> Path:
        return self.folder / self.name

    def is_complete(self) -> bool:
        """Return whether the file exists and its checksum matches."""
        return self.path.exists() and _md5(self.path) == self.md5


class _IncompleteDownload(ConnectionError):
    """The server closed the connection before it had sent the whole file."""


def archives(info: DatasetInfo, root: Path) -> list[Archive]:
    """List the files that torchvision's loader of this data set reads from `root`."""
    from torchvision import datasets  # torchvision takes a second, and only a download needs it

    loader: Any = getattr(datasets, info.torchvision)
    if info.torchvision == "CIFAR10":
        return [Archive(loader.filename, loader.tgz_md5, root, _addresses(info, loader.filename, [loader.url]))]
    folder = root / info.torchvision / "raw"
    return [Archive(name, md5, folder, _addresses(info, name, [f"{base}{name}" for base in loader.mirrors])) for name, md5 in loader.resources]


def fetch(info: DatasetInfo, root: Path, progress: Progress) -> None:
    """Download every file of a data set to `root`, resuming interrupted downloads.

    Raises:
        DataError: a file could not be downloaded from any address; the message says which files belong in which folder.
    """
    for archive in archives(info, root):
        if not archive.is_complete():
            _fetch_archive(info, archive, progress)


def _addresses(info: DatasetInfo, name: str, official: list[str]) -> tuple[str, ...]:
    """List the configured mirror first, with and without a folder named after the data set, then the official addresses."""
    base = environment.mirror()
    mirrored = [f"{base.rstrip('/')}/{info.name}/{name}", f"{base.rstrip('/')}/{name}"] if base else []
    return (*mirrored, *official)


def _fetch_archive(info: DatasetInfo, archive: Archive, progress: Progress) -> None:
    archive.folder.mkdir(parents=True, exist_ok=True)
    part = archive.path.with_suffix(archive.path.suffix + ".part")
    reasons = []
    for address in archive.addresses:
        try:
            for received, total in _download(address, part):
                progress(archive.name, received, total)
        except (OSError, HTTPException, ValueError) as error:  # urllib's errors are OSErrors; a ValueError means an invalid address
            reasons.append(msg("{address}: {reason}", address=address, reason=_reason(error)))
            continue
        if _md5(part) == archive.md5:
            part.replace(archive.path)
            return
        part.unlink()  # complete but corrupt: it cannot be resumed
        reasons.append(msg("{address}: the checksum of the downloaded file is wrong", address=address))
    names = ", ".join(item.name for item in archives(info, archive.folder))
    raise DataError(
        msg("{dataset} could not be downloaded. {reasons}.", dataset=info.title, reasons=joined(reasons, "; ")),
        msg(
            "Check the connection and try again, copy the files ({names}) to {folder}, or use MNIST 5k or Shapes 32×32, which need no download.",
            names=names,
            folder=str(archive.folder),
        ),
    )


def _download(address: str, part: Path) -> Iterator[tuple[int, int]]:
    """Append the missing bytes to `part`; yield the bytes received and the total."""
    start = part.stat().st_size if part.exists() else 0
    resumable = start > 0 and address.startswith("http")
    request = urllib.request.Request(address, headers={"Range": f"bytes={start}-"} if resumable else {})
    try:
        response = urllib.request.urlopen(request, timeout=environment.network_timeout())
    except urllib.error.HTTPError as error:
        if error.code != 416:  # 416: nothing is missing, or the part is longer than the file; the checksum decides
            raise
        return
    with response:
        appending = getattr(response, "status", None) == 206
        received = start if appending else 0
        total = received + int(response.headers.get("Content-Length") or 0)
        with part.open("ab" if appending else "wb") as file:
            yield from _copy(response, file, received, total)
    if total and part.stat().st_size < total:
        raise _IncompleteDownload


def _copy(response: IO[bytes], file: IO[bytes], received: int, total: int) -> Iterator[tuple[int, int]]:
    while chunk := response.read(CHUNK):
        file.write(chunk)
        received += len(chunk)
        yield received, total


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return msg("the server answered {code}", code=error.code)
    if isinstance(error, TimeoutError):
        return msg("no answer within {seconds:g} seconds", seconds=environment.network_timeout())
    if isinstance(error, _IncompleteDownload):
        return msg("the connection was lost before the download was complete; the next attempt resumes it")
    return str(getattr(error, "reason", error)) or type(error).__name__


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
