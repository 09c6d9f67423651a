"""What a script saves and loads again: copies that live as long as the script does. Nothing is written to a file, and nothing is unpickled.

Source: https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from playground.messages import msg
from playground.tensors.language.bounds import Meter
from playground.tensors.language.calls import arrays_in
from playground.tensors.language.classes import Instance, ScriptModule
from playground.tensors.language.errors import OperationFailed, Refused
from playground.tensors.language.functions import Own
from playground.tensors.language.objects import Layer

MOST_FILES = 50


class Shelf:
    """The files of a script.

    Args:
        meter: counts the memory of the copies.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._files: dict[str, Any] = {}

    def save(self, obj: Any, f: Any) -> None:
        """Keep a copy of a value under the name of a file, as `torch.save` does."""
        if not isinstance(f, str):
            raise OperationFailed("TypeError: torch.save takes the name of a file")  # no text: the message is one
        if len(self._files) >= MOST_FILES and f not in self._files:
            raise Refused(msg("A script saves at most {limit} files.", limit=MOST_FILES))
        self._files[f] = self.copied(obj)

    def load(self, f: Any, map_location: Any = None, *, weights_only: Any = None) -> Any:  # noqa: ARG002 (as PyTorch's)
        """Return a copy of what was saved under this name, as `torch.load` does."""
        if f not in self._files:
            message = f"FileNotFoundError: [Errno 2] No such file or directory: {f!r}"  # no text: Python's message
            raise OperationFailed(message, msg("A script loads what it has saved itself, with `torch.save` on a line above."))
        return self.copied(self._files[f])

    def copied(self, value: Any, known: dict[int, Any] | None = None) -> Any:
        """Return a copy of a value with all that is inside."""
        known = {} if known is None else known
        if id(value) in known:
            return known[id(value)]
        made: Any
        if isinstance(value, list):
            made = known[id(value)] = []
            made.extend(self.copied(part, known) for part in value)
        elif isinstance(value, dict):
            made = known[id(value)] = copy.copy(value)
            made.update({name: self.copied(part, known) for name, part in value.items()})
        elif isinstance(value, tuple) and not isinstance(value, torch.Size):
            made = tuple(self.copied(part, known) for part in value)
        elif isinstance(value, Layer):
            made = Layer(self._module(value.module, known))
        elif isinstance(value, Instance):
            made = self._instance(value, known)
        elif isinstance(value, Own):
            made = value  # functions and classes are the same everywhere
        else:
            self._meter.reserve(sum(array.nbytes for array in arrays_in(value)))
            made = copy.deepcopy(value)
            self._meter.track(arrays_in(made))
        known[id(value)] = made
        return made

    def _instance(self, value: Instance, known: dict[int, Any]) -> Instance:
        made = Instance(value.kind)
        known[id(value)] = made
        made.attributes.update({name: self.copied(part, known) for name, part in value.attributes.items()})
        for module in value.modules:
            made.modules.append(self._module(module, known, made))
        return made

    def _module(self, module: nn.Module, known: dict[int, Any], instance: Instance | None = None) -> nn.Module:
        """Return a copy of a module; the networks of the script inside it are copied on both sides."""
        self._meter.reserve(sum(tensor.nbytes for tensor in (*module.parameters(recurse=False), *module.buffers(recurse=False))))
        inner = {name: part for name, part in module._modules.items() if part is not None}
        memo: dict[int, Any] = {id(part): None for part in inner.values()}
        if isinstance(module, ScriptModule):
            forward = module.__dict__["_script_forward"]
            memo |= {id(module.__dict__["_script_instance"]): instance, id(forward): forward}
        made: nn.Module = copy.deepcopy(module, memo)
        for name, part in inner.items():
            of_script = part.__dict__.get("_script_instance")
            made._modules[name] = self.copied(of_script, known).modules[0] if of_script is not None else self._module(part, known)
        self._meter.track([*made.parameters(recurse=False), *made.buffers(recurse=False)])
        return made
