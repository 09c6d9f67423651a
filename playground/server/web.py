"""The scripts that browsers load: the modules of the components, and Plotly. Their address contains a hash of all of them.

So a browser may keep them for ever, and never mixes those of two versions of the playground.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version

from playground.environment import PACKAGE

COMPONENTS = PACKAGE / "ui" / "components"


@cache
def address() -> str:
    """Return where the server serves the scripts: `web/` and the hash of their contents, without a slash around it."""
    digest = hashlib.sha256(version("plotly").encode())
    for file in sorted(COMPONENTS.rglob("*.js")):
        digest.update(file.relative_to(COMPONENTS).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return f"web/{digest.hexdigest()[:16]}"
