"""Open untrusted files: check their sizes first, so that none exhausts memory or disk."""

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
from playground.messages import msg

Refusal: TypeAlias = type[CheckpointError] | type[DataError]

UNREADABLE = (OSError, EOFError, zipfile.BadZipFile, zlib.error, struct.error, ValueError, OverflowError, NotImplementedError, RuntimeError, LookupError)
"""Exceptions that `zipfile` raises for damaged and malicious archives."""

DIRECTORY_LIMIT = 1 << 20
"""Maximum bytes of an archive's directory, about ten thousand entries: `zipfile` creates an object for each before it can be checked."""
MAX_RATIO = 200
"""Default maximum of an entry's unpacked size divided by its packed size: the playground's own text files reach 50, zip bombs 1,000."""
ANY_RATIO_BYTES = 1 << 20
"""Unpacked bytes up to which any ratio is accepted."""
_END = b"PK\5\6"
"""Signature of the end record of an archive."""


@contextmanager
def opened(data: bytes | Path, name: str, limit: int) -> Iterator[IO[bytes]]:
    """Open a file for reading, after checking its size.

    Args:
        data: its content or path.
        name: its name in messages.
        limit: maximum bytes; a larger file is not read.

    Raises:
        CheckpointError: the file cannot be opened, is empty or too large.
    """
    try:
        source: IO[bytes] = io.BytesIO(data) if isinstance(data, bytes) else data.open("rb")
    except OSError as error:
        raise CheckpointError(msg("{name} cannot be read: {reason}.", name=name, reason=error.strerror)) from None
    with source as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            raise CheckpointError(msg("{name} is empty: it has 0 bytes.", name=name), msg("Download or copy it again."))
        if size > limit:
            raise CheckpointError(
                msg("{name} has {size:,.0f} MB, which is too large: the playground reads up to {limit:,.0f} MB.", name=name, size=size / 1e6, limit=limit / 1e6)
            )
        file.seek(0)
        yield file


@contextmanager
def unzipped(file: IO[bytes], name: str, limit: int, error: Refusal = CheckpointError, ratio: float = MAX_RATIO) -> Iterator[zipfile.ZipFile]:
    """Open the zip archive in a file, after checking its directory.

    Args:
        file: open for reading.
        name: its name in messages.
        limit: maximum unpacked bytes of all entries together.
        error: the exception to raise for an archive that is refused.
        ratio: maximum of an entry's unpacked size divided by its packed size.

    Raises:
        CheckpointError: or `error`; the file is not an archive, is damaged or too large when unpacked, or has entries that
            the playground does not accept.
    """
    try:
        size = _directory_size(file)
        if size > DIRECTORY_LIMIT:
            raise error(
                msg(
                    "{name} contains too many files: their names take {size:,} bytes, and at most {limit:,} can be read.",
                    name=name,
                    size=size,
                    limit=DIRECTORY_LIMIT,
                ),
                msg("Pack fewer files."),
            )
        archive = zipfile.ZipFile(file)
    except UNREADABLE:
        raise damaged(name, error) from None
    with archive:
        _check(archive.infolist(), name, limit, error, ratio)
        yield archive


def damaged(name: str, error: Refusal = CheckpointError) -> CheckpointError | DataError:
    """Return the error for a damaged file, to be raised."""
    return error(msg("{name} is damaged or cut off.", name=name), msg("Download or copy it again."))


def _directory_size(file: IO[bytes]) -> int:
    """Read the size of the archive's directory, in bytes, from its end record.

    Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.14 to 4.3.16
    """
    file.seek(max(0, file.seek(0, os.SEEK_END) - (1 << 16) - 256))  # a comment of up to 64 KiB can follow the end record
    tail = file.read()
    plain = len(tail) - 22  # position of the end record without a comment; like `zipfile`, look there first, then for the last signature
    end = plain if tail[plain : plain + 4] == _END and tail[-2:] == b"\0\0" else tail.rfind(_END)
    if end < 0:
        raise zipfile.BadZipFile
    large = tail[max(0, end - 76) : max(0, end - 16)]  # the ZIP64 end record and the start of the locator that follows it
    size: int = struct.unpack_from("<Q", large, 40)[0] if large[-4:] == b"PK\6\7" else struct.unpack_from("<L", tail, end + 12)[0]
    return size


def _check(entries: list[zipfile.ZipInfo], name: str, limit: int, error: Refusal, ratio: float) -> None:
    """Check the entries; their sizes in the directory are reliable, because `zipfile` reads no more of an entry than stated there."""
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > limit:
        raise error(
            msg(
                "{name} is too large: unpacked it has {size:,.0f} MB, and at most {limit:,.0f} MB can be read.",
                name=name,
                size=unpacked / 1e6,
                limit=limit / 1e6,
            )
        )
    if bomb := next((entry for entry in entries if entry.file_size > max(ANY_RATIO_BYTES, ratio * entry.compress_size)), None):
        raise error(
            msg(
                "{name} is too large: one of its files unpacks from {packed:,} to {unpacked:,} bytes, so it was not opened.",
                name=name,
                packed=bomb.compress_size,
                unpacked=bomb.file_size,
            )
        )
    if len({entry.filename for entry in entries}) < len(entries):
        raise error(msg("{name} contains several files of the same name, so it was not opened.", name=name))
    if not all(map(_is_inside, entries)):
        raise error(msg("{name} contains a file with a path outside the archive, so it was not opened.", name=name))
    if any(entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
        raise error(
            msg("{name} is encrypted or uses a compression other than Deflate, so it cannot be read.", name=name), msg("Pack it as a plain zip archive.")
        )


def _is_inside(entry: zipfile.ZipInfo) -> bool:
    """Return whether an entry is a file or folder inside the archive: no link, no absolute path, and no `..` in it."""
    path = PurePosixPath(entry.filename)
    is_plain = "\\" not in entry.filename and ":" not in entry.filename and not stat.S_ISLNK(entry.external_attr >> 16)
    return is_plain and not path.is_absolute() and ".." not in path.parts
