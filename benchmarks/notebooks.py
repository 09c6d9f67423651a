"""How much memory the notebooks of a class need.

`python -m benchmarks notebooks` measures these alone.
"""

from __future__ import annotations

import asyncio
import statistics
from pathlib import Path

from playground.forking import Forker
from playground.tensors.notebook import Request
from playground.tensors.notebook.keeping import Notebooks
from playground.tensors.sandbox import PREPARE
from playground.ui.pages.notebook import first_cells

LEARNERS = 30
MB = 1e6


async def own_memory() -> list[float]:
    """Return the memory that each notebook of a class does not share with others, in MB, after each has run the first notebook."""
    forker = Forker(PREPARE)
    notebooks = Notebooks(forker.start)
    learners = [str(number) for number in range(LEARNERS)]
    try:
        for learner in learners:
            for cell in first_cells():
                if cell["kind"] == "code":
                    request: Request = {"source": cell["source"], "device": "cpu", "language": "en"}
                    async for _line in await notebooks.run(learner, request):
                        pass
        return [_private(notebooks.process(learner)) for learner in learners]
    finally:
        notebooks.close()
        forker.close()


def _private(process: int) -> float:
    """Return the memory of a process that no other has, in MB."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_")) / MB


def rows() -> list[tuple[str, str, str]]:
    found = asyncio.run(own_memory())
    return [
        (
            f"Notebooks of {LEARNERS} learners: memory of each process that it does not share, after the first notebook (the largest)",
            f"{statistics.median(found):.0f} MB ({max(found):.0f} MB)",
            "≤ 40 MB",
        )
    ]
