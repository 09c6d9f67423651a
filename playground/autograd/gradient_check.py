"""Checks a script's gradients: autograd's values beside finite differences, both in float64, and the verdict of `gradcheck`.

Source: https://docs.pytorch.org/docs/stable/notes/gradcheck.html
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch.autograd.gradcheck import GradcheckError

from playground.autograd.script_loss import ScriptLoss, gradients_of
from playground.errors import PlaygroundError

CELLS = 60
"""Most cells that are compared: the first of each leaf. `gradcheck` runs only where all cells are compared."""
STEP, ATOL, RTOL = 1e-6, 1e-5, 1e-3
"""Step of the finite differences and tolerances, as the defaults of `gradcheck`."""


def check_gradients(script_loss: ScriptLoss, leaves: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    """Compare the gradients of a backward pass with finite differences.

    Args:
        script_loss: the script and the pass.
        leaves: by name, with the values that they had.

    Returns:
        `rows`, for each cell of each leaf `autograd` and `difference`, both in float64; `passed`, whether all agree and `gradcheck` passed;
        `message`, the error of `gradcheck`, else empty; `omitted`, how many cells were not compared; `step`; `gradcheck`, whether it ran.

    Raises:
        PlaygroundError: the script cannot run in float64, or there is no gradient to check.
    """
    if not leaves:
        raise PlaygroundError(
            "There is no gradient to check: the backward pass reaches no leaf that has a name.", "Name one: `x = torch.ones(3, requires_grad=True)`."
        )
    values = {name: dict(enumerate(leaf.double().flatten().tolist())) for name, leaf in leaves.items()}
    exact = replace(script_loss, in_float64=True, overrides={**script_loss.overrides, **values})
    gradients = _autograd_gradients(exact, list(leaves))
    cells = [(name, cell) for name, leaf in leaves.items() for cell in range(leaf.numel())]
    rows = [_row(exact, name, cell, gradients[name], leaves[name]) for name, cell in cells[:CELLS]]
    message = _gradcheck_error(exact, leaves) if len(cells) <= CELLS else ""
    agree = all(abs(row["autograd"] - row["difference"]) <= ATOL + RTOL * abs(row["difference"]) for row in rows)
    rows = [{key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()} for row in rows]
    return {
        "rows": rows, "passed": agree and not message, "message": message, "omitted": max(0, len(cells) - CELLS),
        "step": STEP, "gradcheck": len(cells) <= CELLS,
    }  # fmt: skip


def _row(exact: ScriptLoss, name: str, cell: int, gradient: torch.Tensor, leaf: torch.Tensor) -> dict[str, Any]:
    """Compute a central difference: (loss at value + step − loss at value − step) / (2 · step)."""
    value = leaf.flatten()[cell].item()
    above, below = (exact.at(name, cell, value + step).item() for step in (STEP, -STEP))
    index = [int(part) for part in torch.unravel_index(torch.tensor(cell), leaf.shape)] if leaf.ndim else []
    return {"name": name, "cell": index, "value": value, "autograd": gradient.flatten()[cell].item(), "difference": (above - below) / (2 * STEP)}


def _autograd_gradients(exact: ScriptLoss, names: list[str]) -> dict[str, torch.Tensor]:
    tracer = exact.evaluate()
    leaves = [tracer.names[name] for name in names]
    gradients = gradients_of(tracer.loss, leaves)
    return {name: torch.zeros_like(leaf) if gradient is None else gradient for name, leaf, gradient in zip(names, leaves, gradients, strict=True)}


def _gradcheck_error(exact: ScriptLoss, values: Mapping[str, torch.Tensor]) -> str:
    """Return the message of `torch.autograd.gradcheck` for the script; empty where it passes."""
    names = list(values)

    class Script(torch.autograd.Function):
        """The whole script as one function of its leaves; its backward returns the gradients that the script itself computes."""

        @staticmethod
        def forward(ctx: Any, *leaves: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(*leaves)
            return _with_leaves(exact, names, leaves).evaluate().loss.detach()

        @staticmethod
        def backward(ctx: Any, upstream: torch.Tensor) -> Any:
            with torch.enable_grad():
                gradients = _autograd_gradients(_with_leaves(exact, names, ctx.saved_tensors), names)
            return tuple(upstream * gradients[name] for name in names)

    leaves = tuple(value.double().clone().requires_grad_() for value in values.values())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.autograd.gradcheck(Script.apply, leaves, eps=STEP, atol=ATOL, rtol=RTOL)
    except GradcheckError as error:
        return str(error).strip()
    return ""


def _with_leaves(exact: ScriptLoss, names: list[str], leaves: tuple[torch.Tensor, ...]) -> ScriptLoss:
    """Return the same loss with other values in the leaves."""
    cells = {name: dict(enumerate(leaf.detach().flatten().tolist())) for name, leaf in zip(names, leaves, strict=True)}
    return replace(exact, overrides={**exact.overrides, **cells})
