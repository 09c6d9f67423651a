"""Files from elsewhere: measured before they are opened, so that none takes more room than it is worth."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TypeAlias

from playground.errors import CheckpointError, DataError

Refusal: TypeAlias = type[CheckpointError] | type[DataError]

UNREADABLE = (OSError, EOFError, zipfile.BadZipFile, zlib.error, struct.error, ValueError, OverflowError, NotImplementedError, RuntimeError, LookupError)
"""What `zipfile` raises for an archive that is damaged, or made to do damage."""

DIRECTORY_LIMIT = 1 << 20
"""Bytes of an archive's directory: some ten thousand entries. Python makes an object of each before anything can be asked of it."""
RATIO = 200
"""How many times its size in the archive an entry may have where nothing else is said; text of the playground's own reaches 50, a bomb 1,000."""
SMALL = 1 << 20
"""Bytes up to which any ratio will do."""
_END = b"PK\5\6"
"""The mark of an archive's end."""


@contextmanager
def opened(data: bytes | Path, name: str, limit: int) -> Iterator[IO[bytes]]:
    """The file, open for reading from its start.

    Args:
        data: its content, or where it lies.
        name: what the learner calls it.
        limit: bytes it may have; a larger one is not read at all.

    Raises:
        CheckpointError: it is not there, is empty or too large.
    """
    try:
        source: IO[bytes] = io.BytesIO(data) if isinstance(data, bytes) else data.open("rb")
    except OSError as error:
        raise CheckpointError(f"{name} cannot be read: {error.strerror}.") from None
    with source as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            raise CheckpointError(f"{name} is empty.")
        if size > limit:
            raise CheckpointError(f"{name} has {size / 1e6:,.0f} MB, which is too large: the playground reads up to {limit / 1e6:,.0f} MB.")
        file.seek(0)
        yield file


@contextmanager
def unzipped(file: IO[bytes], name: str, limit: int, error: Refusal = CheckpointError, ratio: float = RATIO) -> Iterator[zipfile.ZipFile]:
    """The archive in the file, after its directory was looked through.

    Args:
        file: open for reading.
        name: what the learner calls it.
        limit: bytes that all entries may have together when they are unpacked.
        error: what a refusal is raised as.
        ratio: how many times its size in the archive an entry may have.

    Raises:
        CheckpointError: or `error`; it is no archive, is damaged, would grow too large, or holds what no archive of weights or runs holds.
    """
    try:
        if _directory_size(file) > DIRECTORY_LIMIT:
            raise error(f"{name} holds too many files.")
        archive = zipfile.ZipFile(file)
    except UNREADABLE:
        raise damaged(name, error) from None
    with archive:
        _check(archive.infolist(), name, limit, error, ratio)
        yield archive


def damaged(name: str, error: Refusal = CheckpointError) -> CheckpointError | DataError:
    return error(f"{name} is damaged or cut off.", "Download or copy it again.")


def _directory_size(file: IO[bytes]) -> int:
    """Bytes of the archive's directory, as its end tells them.

    Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.14 to 4.3.16
    """
    file.seek(max(0, file.seek(0, os.SEEK_END) - (1 << 16) - 256))  # a comment of 64 KiB may follow it
    tail = file.read()
    plain = len(tail) - 22  # where the end lies if no comment follows: Python looks there first, and only else for the last mark
    end = plain if tail[plain : plain + 4] == _END and tail[-2:] == b"\0\0" else tail.rfind(_END)
    if end < 0:
        raise zipfile.BadZipFile
    large = tail[max(0, end - 76) : max(0, end - 16)]  # the record of a large archive and the start of the locator that follows it
    size: int = struct.unpack_from("<Q", large, 40)[0] if large[-4:] == b"PK\6\7" else struct.unpack_from("<L", tail, end + 12)[0]
    return size


def _check(entries: list[zipfile.ZipInfo], name: str, limit: int, error: Refusal, ratio: float) -> None:
    """`zipfile` reads no more of an entry than its directory says, so the sizes there can be relied on."""
    if sum(entry.file_size for entry in entries) > limit or any(entry.file_size > max(SMALL, ratio * entry.compress_size) for entry in entries):
        raise error(f"{name} would become too large when it is unpacked.")
    if len({entry.filename for entry in entries}) < len(entries):
        raise error(f"{name} holds two files of the same name.")
    if not all(map(_is_inside, entries)):
        raise error(f"{name} holds a file that lies outside of its own folder, so it was not opened.")
    if any(entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
        raise error(f"{name} is encrypted, or packed in a way that the playground does not read.", "Pack it as a plain zip archive.")


def _is_inside(entry: zipfile.ZipInfo) -> bool:
    """Whether an entry is a file or a folder below the archive's own."""
    path = PurePosixPath(entry.filename)
    is_plain = "\\" not in entry.filename and ":" not in entry.filename and not stat.S_ISLNK(entry.external_attr >> 16)
    return is_plain and not path.is_absolute() and ".." not in path.parts
