"""The sandbox's task that runs a script, and the preparation of the process that is forked for it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import torch

from playground import device
from playground.tensors.language import interpreter
from playground.tensors.xray import report


def run_script(request: Mapping[str, Any]) -> report.Report | report.Summary:
    """Run a script and report on it: a task of the sandbox.

    Args:
        request: `source`, the script; `device`, by default the best one; `brief`, whether to leave out the statements.
    """
    predefined = {"device": torch.device(device.get(request.get("device", device.BEST)).name)}
    execution = interpreter.run(str(request["source"]), predefined)
    return report.summary(execution) if request.get("brief") else report.report(execution)


def prepare() -> None:
    """Import everything in the process that is forked, and run a script, so that PyTorch does its late imports."""
    torch.set_num_threads(1)
    torch.seed()  # its first call reads source files
    source = "a = torch.rand(3, 4)\nb = a[a > 0.5].sum()\nc = a @ a.T + np.ones(3)\nd = torch.cat([a, a]).max(dim=1)[1]\na += 1\na @ a"
    report.report(interpreter.run(source, {"device": torch.device("cpu")}))
    import_module("playground.tensors.notebook.process")
    import_module("torchvision")  # takes a second, which a script with transforms would wait for
