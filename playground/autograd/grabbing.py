"""Numbers of a script that the learner holds in the hand: written into its tensors while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from playground.errors import PlaygroundError
from playground.tensors.language.calls import Call
from playground.tensors.language.tracing import named_arrays


class Grabbed:
    """Values that replace those of a script's tensors right before something is first computed from them.

    Not sooner, because a script may still be filling a tensor by then: a leaf waits for its first use that does not change it in place, a
    constant for the first operation that autograd records. And only once for each name: what comes later is the script's own.

    Args:
        values: by the tensor's name, for each cell (in row-major order) its value.
    """

    def __init__(self, values: Mapping[str, Mapping[int, float]]) -> None:
        self.values = values
        self._waiting = set(values)

    def meet(self, call: Call, names: Mapping[str, Any]) -> None:
        """An operation, or a backward pass, is about to begin: write the values into those of its tensors that are waited for.

        Args:
            names: the script's, as they are now.
        """
        if not self._waiting:
            return
        taken = [array for array in call.arrays if isinstance(array, torch.Tensor)]
        recorded = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in taken)
        changed = taken[0] if taken and call.entry.short.endswith(("_", "=")) and call.entry.short not in ("==", "!=", "<=", ">=") else None
        for name, tensor in named_arrays(names):
            used = (recorded or tensor.requires_grad) if isinstance(tensor, torch.Tensor) and tensor is not changed else False
            if used and name in self._waiting and any(tensor is each for each in taken) and can_be_grabbed(tensor):
                self._waiting.remove(name)
                write(tensor, self.values[name])


def can_be_grabbed(tensor: Any) -> bool:
    """Whether a tensor's numbers are free to be chosen: it was not computed from others that need a gradient, and each cell has its own memory."""
    return isinstance(tensor, torch.Tensor) and tensor.is_floating_point() and tensor.is_leaf and not _is_stretched(tensor)


def _is_stretched(tensor: torch.Tensor) -> bool:
    """Whether several cells lie at one address, as `expand` leaves them."""
    return any(stride == 0 and size > 1 for size, stride in zip(tensor.shape, tensor.stride(), strict=True))


def write(tensor: torch.Tensor, cells: Mapping[int, float]) -> None:
    """Set cells of a tensor, unseen by autograd. Cells that it does not have are left out."""
    flat = tensor.detach().clone().flatten()
    for cell, value in cells.items():
        if 0 <= cell < flat.numel():
            flat[cell] = value
    tensor.data.copy_(flat.view(tensor.shape))


def read(document: Any) -> Grabbed:
    """What a request says of grabbed numbers: `{"x": {"0": 1.5}}`.

    Raises:
        PlaygroundError: it says something else.
    """
    try:
        return Grabbed({str(name): {_cell(cell): float(value) for cell, value in cells.items()} for name, cells in (document or {}).items()})
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise PlaygroundError("Grabbed numbers are sent as “name”, “cell” and “value”.") from None


def _cell(text: Any) -> int:
    cell = int(text)
    if cell < 0:
        raise ValueError(text)
    return cell
