"""Reading and writing the files that the command line names."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import IO, Any

from playground.errors import PlaygroundError
from playground.messages import msg


def read_script(file: Any) -> str:
    """Read a file that is open in binary mode as UTF-8.

    Raises:
        PlaygroundError: the file is not encoded as UTF-8.
    """
    try:
        source: str = file.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PlaygroundError(msg("{file} is not encoded as UTF-8.", file=file.name), msg("Save it as UTF-8 in your editor.")) from None
    return source


def write(target: Path, content: IO[bytes]) -> None:
    """Write to a temporary file, then rename it, so that a full disk leaves the previous file untouched.

    Raises:
        PlaygroundError: the file could not be written.
    """
    part = Path(f"{target}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                shutil.copyfileobj(content, file)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise PlaygroundError(msg("{file} could not be written: {error}.", file=str(target), error=error.strerror)) from None
