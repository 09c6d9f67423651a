"""Build damaged and malicious zip archives."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable, Mapping

import torch


def saved(value: object, **options: object) -> bytes:
    """Return what `torch.save` writes."""
    file = io.BytesIO()
    torch.save(value, file, **options)  # type: ignore[arg-type]
    return file.getvalue()


def entries(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        return {name: file.read(name) for name in file.namelist()}


def packed(files: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def changed(archive: bytes, change: Callable[[str, bytes], bytes | None], method: int = zipfile.ZIP_STORED) -> bytes:
    """Return the archive with each file replaced by `change(name, content)`; None removes it."""
    made = {name: change(name, content) for name, content in entries(archive).items()}
    return packed({name: content for name, content in made.items() if content is not None}, method)


def with_entry(archive: bytes, name: str, content: bytes = b"x", mode: int = stat.S_IFREG | 0o644) -> bytes:
    """Return the archive with one more file."""
    target = io.BytesIO(archive)
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    with zipfile.ZipFile(target, "a") as file:
        file.writestr(entry, content)
    return target.getvalue()


SYMLINK = stat.S_IFLNK | 0o777
OUTSIDE = [
    ("../evil.txt", stat.S_IFREG),
    ("archive/../../evil.txt", stat.S_IFREG),
    ("/etc/evil.txt", stat.S_IFREG),
    ("C:/evil.txt", stat.S_IFREG),
    ("..\\evil.txt", stat.S_IFREG),
    ("archive/data/link", SYMLINK),
]
"""Names and modes of files outside the folder into which an archive is unpacked."""
