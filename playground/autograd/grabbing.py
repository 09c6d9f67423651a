"""Numbers of a script that the learner holds in the hand: written into its tensors while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from playground.errors import PlaygroundError
from playground.tensors.tracing import named_arrays


class Grabbed:
    """Values that replace those of a script's tensors, as soon as a statement has given a tensor its name.

    Only once for each name: what the script does with the tensor later is the script's own.

    Args:
        values: by the tensor's name, for each cell (in row-major order) its value.
    """

    def __init__(self, values: Mapping[str, Mapping[int, float]]) -> None:
        self.values = values
        self._waiting = set(values)

    def apply(self, names: Mapping[str, Any]) -> None:
        """Write the values into the tensors that now have their names."""
        if not self._waiting:
            return
        for name, tensor in named_arrays(names):
            if name in self._waiting and can_be_grabbed(tensor):
                self._waiting.remove(name)
                write(tensor, self.values[name])


def can_be_grabbed(tensor: Any) -> bool:
    """Whether a tensor's numbers are free to be chosen: it was not computed from others that need a gradient."""
    return isinstance(tensor, torch.Tensor) and tensor.is_floating_point() and tensor.is_leaf


def write(tensor: torch.Tensor, cells: Mapping[int, float]) -> None:
    """Set cells of a tensor, unseen by autograd. Cells that it does not have are left out."""
    flat = tensor.detach().flatten()
    for cell, value in cells.items():
        if cell < flat.numel():
            flat[cell] = value
    tensor.data.copy_(flat.view(tensor.shape))


def read(document: Any) -> Grabbed:
    """What a request says of grabbed numbers: `{"x": {"0": 1.5}}`.

    Raises:
        PlaygroundError: it says something else.
    """
    try:
        return Grabbed({str(name): {_cell(cell): float(value) for cell, value in cells.items()} for name, cells in (document or {}).items()})
    except (AttributeError, TypeError, ValueError):
        raise PlaygroundError("Grabbed numbers are sent as “name”, “cell” and “value”.") from None


def _cell(text: Any) -> int:
    cell = int(text)
    if cell < 0:
        raise ValueError(text)
    return cell
