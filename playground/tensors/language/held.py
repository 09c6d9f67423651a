"""Values of a script that hold an object of PyTorch, torchvision or PIL, which the script itself never gets."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from playground.tensors.language.errors import OperationFailed
from playground.tensors.language.functions import Own, WithMethods


@dataclass(frozen=True, eq=False)
class Held(Own):
    """An object of a library."""

    inner: Any

    def __repr__(self) -> str:
        return repr(self.inner)


@dataclass(frozen=True, eq=False)
class Context(Held, WithMethods):
    """What `forward` and `backward` of a script's own `autograd.Function` know as `ctx`."""

    attributes: dict[str, Any] = field(default_factory=dict)
    """What the script keeps in it."""

    def read(self, name: str) -> Any:
        """Return an attribute: what was saved, or what the script has kept."""
        if name in self.attributes:
            return self.attributes[name]
        if name in ("saved_tensors", "needs_input_grad"):
            return getattr(self.inner, name)
        raise OperationFailed(f"AttributeError: 'Context' object has no attribute '{name}'")  # no text: as PyTorch's message

    def method(self, name: str) -> Callable[..., Any]:
        if name not in ("save_for_backward", "mark_dirty", "mark_non_differentiable", "set_materialize_grads"):
            return super().method(name)
        found: Callable[..., Any] = getattr(self.inner, name)
        return found


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Apply a function to each part of a list, a tuple or a dictionary, which keeps its kind; return any other value."""
    if isinstance(value, dict):
        made = {name: change(part) for name, part in value.items()}
        return OrderedDict(made) if isinstance(value, OrderedDict) else made
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        parts = [change(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value
