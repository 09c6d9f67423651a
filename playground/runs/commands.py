"""What may be asked of a running run: one JSON object a line, on the standard input of its worker.

`{"command": "pause", "value": 0}`, and `resume`, `step`, `stop`, and `learning-rate` with its value.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

CommandName = Literal["pause", "resume", "step", "stop", "learning-rate"]


@dataclass(frozen=True)
class Command:
    """Something asked of a running run."""

    name: CommandName
    value: float = 0.0
    """The new learning rate; unused by the others."""

    def to_json(self) -> str:
        return json.dumps({"command": self.name, "value": self.value})
