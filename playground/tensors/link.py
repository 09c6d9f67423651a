"""Packs a script into a part of an address, so that a link opens the page with it."""

from __future__ import annotations

import base64
import binascii
import zlib

from playground.errors import PlaygroundError
from playground.messages import msg

MAX_PACKED = 4_000
"""Characters of a packed script, at most; with it, an address is short enough for every browser and proxy."""
MAX_SCRIPT = 20_000
"""Characters of a script, at most."""


def pack(source: str) -> str:
    """Compress a script and encode it with characters that are allowed in an address.

    Raises:
        PlaygroundError: the script is too long for a link, or contains a lone surrogate.
    """
    try:
        packed = base64.urlsafe_b64encode(zlib.compress(source.encode(), 9)).decode().rstrip("=")
    except UnicodeEncodeError:
        raise PlaygroundError(
            msg("A link cannot contain this script: one of its characters is incomplete (a lone surrogate)."),
            msg("Delete that character and type it again."),
        ) from None
    if len(source) > MAX_SCRIPT:
        raise PlaygroundError(
            msg("This script is too long for a link: it has {length:,} characters; the limit is {limit:,}.", length=len(source), limit=MAX_SCRIPT),
            msg("Copy the script itself instead."),
        )
    if len(packed) > MAX_PACKED:
        raise PlaygroundError(
            msg("This script is too long for a link: compressed it has {length:,} characters; the limit is {limit:,}.", length=len(packed), limit=MAX_PACKED),
            msg("Copy the script itself instead."),
        )
    return packed


def unpack(packed: str) -> str:
    """Return the script of a link.

    Raises:
        PlaygroundError: the link is damaged.
    """
    try:
        raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        inflater = zlib.decompressobj()
        source = inflater.decompress(raw, 4 * MAX_SCRIPT + 1).decode()
        if not inflater.eof or len(source) > MAX_SCRIPT:
            raise ValueError("cut, or too long")
        return source
    except (ValueError, zlib.error, binascii.Error):
        raise PlaygroundError(
            msg("The script in this link cannot be read."), msg("The address was cut or changed on its way. Ask for the link again.")
        ) from None
