"""Commands to a running run: one JSON object a line on the standard input of its worker.

`{"command": "pause", "value": 0}`, and `resume`, `step`, `stop`, and `learning-rate` and `optimizer` with their value.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

CommandName = Literal["pause", "resume", "step", "stop", "learning-rate", "optimizer"]


@dataclass(frozen=True)
class Command:
    """A command to a running run."""

    name: CommandName
    value: float | str = 0.0
    """The new learning rate, or the name of the new optimizer; unused by the others."""

    def to_json(self) -> str:
        return json.dumps({"command": self.name, "value": self.value})
