"""Values of a script that hold an object of PyTorch, torchvision or PIL, which the script itself never gets."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from playground.tensors.language.functions import Own


@dataclass(frozen=True, eq=False)
class Held(Own):
    """An object of a library."""

    inner: Any

    def __repr__(self) -> str:
        return repr(self.inner)


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Apply a function to each part of a list, a tuple or a dictionary, which keeps its kind; return any other value."""
    if isinstance(value, dict):
        made = {name: change(part) for name, part in value.items()}
        return OrderedDict(made) if isinstance(value, OrderedDict) else made
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        parts = [change(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value
