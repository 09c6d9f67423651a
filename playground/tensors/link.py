"""A script as a part of an address, so that a link reproduces the page."""

from __future__ import annotations

import base64
import binascii
import zlib

from playground.errors import PlaygroundError

LONGEST = 4_000
"""Characters of a packed script: with the rest of the address still within what every browser and proxy takes."""
LONGEST_SCRIPT = 20_000
"""Characters of a script."""


def pack(source: str) -> str:
    """The script, compressed, in letters that an address may have.

    Raises:
        PlaygroundError: it is too long for a link.
    """
    try:
        packed = base64.urlsafe_b64encode(zlib.compress(source.encode(), 9)).decode().rstrip("=")
    except UnicodeEncodeError:
        raise PlaygroundError("This script has half a letter in it, which no link can carry.", "Delete it, and type it again.") from None
    if len(source) > LONGEST_SCRIPT:
        raise PlaygroundError(
            f"This script is too long for a link: it has {len(source):,} characters, {LONGEST_SCRIPT:,} are the most.", "Copy the script itself instead."
        )
    if len(packed) > LONGEST:
        raise PlaygroundError(
            f"This script is too long for a link: compressed it has {len(packed):,} characters, {LONGEST:,} are the most.", "Copy the script itself instead."
        )
    return packed


def unpack(packed: str) -> str:
    """The script that a link carries.

    Raises:
        PlaygroundError: the link was cut or changed.
    """
    try:
        raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        inflater = zlib.decompressobj()
        source = inflater.decompress(raw, 4 * LONGEST_SCRIPT + 1).decode()
        if not inflater.eof or len(source) > LONGEST_SCRIPT:
            raise ValueError("cut, or too long")
        return source
    except (ValueError, zlib.error, binascii.Error):
        raise PlaygroundError("The script in this link cannot be read.", "The address was cut or changed on its way. Ask for the link again.") from None
