"""The task that runs a script of the Tensors page, and what the launcher prepares for it (`playground.tensors.sandbox`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from playground import device
from playground.tensors.language import interpreter
from playground.tensors.xray import report


def run_script(request: Mapping[str, Any]) -> dict[str, Any]:
    """The task that runs `source` on `device` and reports on it."""

    given = {"device": torch.device(device.get(request.get("device", device.BEST)).name)}
    execution = interpreter.run(str(request["source"]), given)
    return report.summary(execution) if request.get("brief") else report.report(execution)


def prepare() -> None:
    """In the forking process: import everything, and let the meta device and the tracing do their own slow imports."""

    torch.set_num_threads(1)
    torch.seed()  # the first time it reads source files for a traceback that nobody asked for
    source = "a = torch.rand(3, 4)\nb = a[a > 0.5].sum()\nc = a @ a.T + np.ones(3)\nd = torch.cat([a, a]).max(dim=1)[1]\na += 1\na @ a"
    report.report(interpreter.run(source, {"device": torch.device("cpu")}))
