"""Proves a script's gradients: autograd's numbers beside those of finite differences, in float64, and the verdict of `gradcheck`.

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

from playground.autograd.probing import Question, gradients_of
from playground.errors import PlaygroundError

CELLS = 60
"""Cells that are compared; the first of each leaf."""
STEP, ATOL, RTOL = 1e-6, 1e-5, 1e-3
"""As `gradcheck` has them."""


def prove(question: Question, values: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    """Compare the gradients of a pass with finite differences.

    Args:
        question: the script and the pass.
        values: the leaves by name, with the numbers that they had.

    Returns:
        `rows`, for each cell of each leaf `autograd` and `difference`, both in float64; `passed`, whether `gradcheck` agrees;
        `said`, what it says if not; `left_out`, how many cells were too many.

    Raises:
        PlaygroundError: the script cannot be run in float64, or there is nothing to compare.
    """
    if not values:
        raise PlaygroundError("There is no gradient to prove: no leaf with a name was reached by a backward pass.")
    fixed = {name: dict(enumerate(value.double().flatten().tolist())) for name, value in values.items()}
    exact = replace(question, double=True, grabbed={**question.grabbed, **fixed})
    gradients = _by_autograd(exact, list(values))
    cells = [(name, cell) for name, value in values.items() for cell in range(value.numel())]
    rows = [_row(exact, name, cell, gradients[name], values[name]) for name, cell in cells[:CELLS]]
    said = _checked(exact, values) if len(cells) <= CELLS else ""
    agree = all(abs(row["autograd"] - row["difference"]) <= ATOL + RTOL * abs(row["difference"]) for row in rows)
    rows = [{key: None if isinstance(each, float) and not math.isfinite(each) else each for key, each in row.items()} for row in rows]
    return {"rows": rows, "passed": agree and not said, "said": said, "left_out": max(0, len(cells) - CELLS), "step": STEP, "gradcheck": len(cells) <= CELLS}


def _row(exact: Question, name: str, cell: int, gradient: torch.Tensor, value: torch.Tensor) -> dict[str, Any]:
    """A central difference: the loss a little above, less the loss a little below, divided by the way between."""
    number = value.flatten()[cell].item()
    above, below = (exact.loss(name, cell, number + step).item() for step in (STEP, -STEP))
    place = [int(part) for part in torch.unravel_index(torch.tensor(cell), value.shape)] if value.ndim else []
    return {"name": name, "cell": place, "value": number, "autograd": gradient.flatten()[cell].item(), "difference": (above - below) / (2 * STEP)}


def _by_autograd(exact: Question, names: list[str]) -> dict[str, torch.Tensor]:
    probe = exact.asked()
    leaves = [probe.names[name] for name in names]
    gradients = gradients_of(probe.loss, leaves)
    return {name: torch.zeros_like(leaf) if gradient is None else gradient for name, leaf, gradient in zip(names, leaves, gradients, strict=True)}


def _checked(exact: Question, values: Mapping[str, torch.Tensor]) -> str:
    """What `torch.autograd.gradcheck` says against the script; empty where it agrees."""
    names = list(values)

    class Script(torch.autograd.Function):
        """The whole script as one function of its leaves, with the gradients that its own backward pass computes."""

        @staticmethod
        def forward(ctx: Any, *leaves: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(*leaves)
            return _at(exact, names, leaves).asked().loss.detach()

        @staticmethod
        def backward(ctx: Any, upstream: torch.Tensor) -> Any:
            with torch.enable_grad():
                gradients = _by_autograd(_at(exact, names, ctx.saved_tensors), names)
            return tuple(upstream * gradients[name] for name in names)

    leaves = tuple(value.double().clone().requires_grad_() for value in values.values())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.autograd.gradcheck(Script.apply, leaves, eps=STEP, atol=ATOL, rtol=RTOL)
    except GradcheckError as error:
        return str(error).strip()
    return ""


def _at(exact: Question, names: list[str], leaves: tuple[torch.Tensor, ...]) -> Question:
    """The question with other numbers in the leaves."""
    cells = {name: dict(enumerate(leaf.detach().flatten().tolist())) for name, leaf in zip(names, leaves, strict=True)}
    return replace(exact, grabbed={**exact.grabbed, **cells})
