"""A Python script in a forked process, which need not import torch."""

from __future__ import annotations

import json
import os
import runpy
import warnings
from pathlib import Path

from playground.forking import Forker


def output(forker: Forker, script: Path, cwd: Path) -> str:
    """Run a script in a folder; return what it prints, and the traceback if it fails."""
    _, line = forker.start(f"{__name__}:run", json.dumps([str(script), str(cwd)]))
    with line, line.makefile(encoding="utf-8") as printed:
        return printed.read()


def run(argument: str, descriptor: int) -> int:
    """Run the script: an entry for `Forker.start`."""
    script, cwd = json.loads(argument)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.chdir(cwd)
    warnings.simplefilter("error")
    runpy.run_path(script, run_name="__main__")
    return 0
