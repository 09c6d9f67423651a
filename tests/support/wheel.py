"""The wheel that `pip install .` would make."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from playground.environment import ROOT


def build_wheel(folder: Path) -> Path:
    """Build the wheel without a network: the build backend is one of the tests' own requirements."""
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, check=True, capture_output=True, timeout=120)
    (path,) = folder.glob("*.whl")
    return path
