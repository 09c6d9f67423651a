"""Values that the learner set for single cells of a script's tensors; they replace the script's own while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from playground.errors import PlaygroundError
from playground.messages import msg
from playground.tensors.language.calls import Call
from playground.tensors.language.tracing import named_arrays

CellValues = Mapping[str, Mapping[int, float]]
"""By a tensor's name: the value of each cell, cells counted in row-major order."""


class Overrides:
    """Writes values into a script's tensors right before anything is first computed from them.

    Not earlier, because the script may still be filling the tensor: a leaf is written at its first use that is not an in-place change,
    a constant at the first operation that autograd records. Each name is written once; later tensors of that name keep the script's values.

    Args:
        values: the cells to replace.
    """

    def __init__(self, values: CellValues) -> None:
        self.values = values
        self._pending = set(values)

    def apply(self, call: Call, names: Mapping[str, Any]) -> None:
        """Write the pending values of the tensors that `call` is about to use.

        Args:
            call: an operation or a backward pass, before it runs.
            names: the script's names with their current values.
        """
        if not self._pending:
            return
        operands = [array for array in call.arrays if isinstance(array, torch.Tensor)]
        is_recorded = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in operands)
        is_in_place = call.entry.short.endswith(("_", "=")) and call.entry.short not in ("==", "!=", "<=", ">=")
        changed = operands[0] if operands and is_in_place else None
        for name, tensor in named_arrays(names):
            is_used = (is_recorded or tensor.requires_grad) if isinstance(tensor, torch.Tensor) and tensor is not changed else False
            if is_used and name in self._pending and any(tensor is operand for operand in operands) and can_be_overridden(tensor):
                self._pending.remove(name)
                write_cells(tensor, self.values[name])


def can_be_overridden(tensor: Any) -> bool:
    """Return whether the tensor's values may be set: it is a floating-point leaf, and each cell has memory of its own."""
    return isinstance(tensor, torch.Tensor) and tensor.is_floating_point() and tensor.is_leaf and not _is_expanded(tensor)


def _is_expanded(tensor: torch.Tensor) -> bool:
    """Return whether several cells share one address, as after `expand`."""
    return any(stride == 0 and size > 1 for size, stride in zip(tensor.shape, tensor.stride(), strict=True))


def write_cells(tensor: torch.Tensor, cells: Mapping[int, float]) -> None:
    """Set cells of a tensor without autograd recording it; cells that the tensor does not have are ignored."""
    flat = tensor.detach().clone().flatten()
    for cell, value in cells.items():
        if 0 <= cell < flat.numel():
            flat[cell] = value
    tensor.data.copy_(flat.view(tensor.shape))


def parse(document: Any) -> Overrides:
    """Read the overrides of a request, such as `{"x": {"0": 1.5}}`; None means no overrides.

    Raises:
        PlaygroundError: the document has another form.
    """
    try:
        return Overrides({str(name): {_cell(cell): float(value) for cell, value in cells.items()} for name, cells in (document or {}).items()})
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise PlaygroundError(
            msg("`overrides` must map a tensor’s name to its cells and their values."), msg("For example {example}.", example='`{"x": {"0": 1.5}}`')
        ) from None


def _cell(text: Any) -> int:
    cell = int(text)
    if cell < 0:
        raise ValueError(text)
    return cell
