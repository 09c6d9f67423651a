"""Checks a script's gradients: autograd's values beside finite differences, both in float64, and the verdict of `gradcheck`.

Source: https://docs.pytorch.org/docs/stable/notes/gradcheck.html
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypedDict

import torch
from torch.autograd.gradcheck import GradcheckError

from playground.autograd.script_loss import ScriptLoss, gradients_of
from playground.errors import PlaygroundError
from playground.messages import msg

CELLS = 60
"""Most cells that are compared: the first of each leaf. `gradcheck` runs only where all cells are compared."""
STEP, ATOL, RTOL = 1e-6, 1e-5, 1e-3
"""Step of the finite differences and tolerances, as the defaults of `gradcheck`."""


class CheckedCell(TypedDict):
    """A cell of a leaf, computed in float64; null where a number is not finite."""

    name: str
    cell: list[int]
    value: float | None
    autograd: float | None
    difference: float | None


class GradientCheck(TypedDict):
    """Gradients beside finite differences."""

    rows: list[CheckedCell]
    passed: bool
    """Whether all rows agree and `gradcheck` passed."""
    message: str
    """The error of `gradcheck`; else empty."""
    omitted: int
    """How many cells were not compared."""
    step: float
    gradcheck: bool
    """Whether it ran."""


def check_gradients(script_loss: ScriptLoss, leaves: Mapping[str, torch.Tensor]) -> GradientCheck:
    """Compare the gradients of a backward pass with finite differences.

    Args:
        script_loss: the script and the pass.
        leaves: by name, with the values that they had.

    Raises:
        PlaygroundError: the script cannot run in float64, or there is no gradient to check.
    """
    if not leaves:
        raise PlaygroundError(
            msg("There is no gradient to check: the backward pass reaches no leaf that has a name."),
            msg("Name one: `x = torch.ones(3, requires_grad=True)`."),
        )
    values = {name: dict(enumerate(leaf.double().flatten().tolist())) for name, leaf in leaves.items()}
    exact = replace(script_loss, in_float64=True, overrides={**script_loss.overrides, **values})
    gradients = _autograd_gradients(exact, list(leaves))
    cells = [(name, cell) for name, leaf in leaves.items() for cell in range(leaf.numel())]
    rows: list[CheckedCell] = []
    agree = True
    for name, cell in cells[:CELLS]:
        leaf, gradient = leaves[name], gradients[name].flatten()[cell].item()
        value = leaf.flatten()[cell].item()
        difference = _difference(exact, name, cell, value)
        agree = agree and math.isfinite(difference) and abs(gradient - difference) <= ATOL + RTOL * abs(difference)
        index = [int(part) for part in torch.unravel_index(torch.tensor(cell), leaf.shape)] if leaf.ndim else []
        rows.append({"name": name, "cell": index, "value": _finite(value), "autograd": _finite(gradient), "difference": _finite(difference)})
    message = _gradcheck_error(exact, leaves) if len(cells) <= CELLS else ""
    return {
        "rows": rows, "passed": agree and not message, "message": message, "omitted": max(0, len(cells) - CELLS),
        "step": STEP, "gradcheck": len(cells) <= CELLS,
    }  # fmt: skip


def _difference(exact: ScriptLoss, name: str, cell: int, value: float) -> float:
    """Compute a central difference: (loss at value + step − loss at value − step) / (2 · step)."""
    above, below = (exact.at(name, cell, value + step).item() for step in (STEP, -STEP))
    return (above - below) / (2 * STEP)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


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
