"""The loss of a script as a function of its tensors' cells: for the loss curve whose slope is the gradient, and for finite differences.

For each evaluation the script runs again from the same seed, up to the backward pass in question.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from playground import device
from playground.autograd.gradient_tracer import WEIGHTS, roots_of, weights_of
from playground.autograd.overrides import CellValues, Overrides, can_be_overridden
from playground.errors import PlaygroundError
from playground.messages import msg
from playground.tensors.language import interpreter
from playground.tensors.language.calls import Call, arrays_in, methods
from playground.tensors.language.errors import BoundsExceeded
from playground.tensors.language.operations import first_line
from playground.tensors.language.tracing import Tracer, named_arrays

LOW_PRECISION = frozenset((torch.float32, torch.float16, torch.bfloat16))
"""Dtypes too coarse for finite differences."""
CURVE_SECONDS = 0.8
"""Processor time for a loss curve."""
FEWEST_INTERVALS = 6
"""Between the points of a loss curve."""


@dataclass(frozen=True)
class ScriptLoss:
    """The loss at one backward pass of a script."""

    source: str
    predefined: Mapping[str, Any]
    """Names that exist before the script runs, such as `device`."""
    seed: int
    overrides: CellValues
    pass_index: int
    """Which backward pass, counted from 0."""
    in_float64: bool = False
    """Whether to compute in float64 what the script computes in a coarser dtype."""

    def at(self, name: str, cell: int, value: float) -> torch.Tensor:
        """Evaluate the loss with one cell changed."""
        cells = {**self.overrides.get(name, {}), cell: value}
        return replace(self, overrides={**self.overrides, name: cells}).evaluate().loss

    def leaves(self) -> dict[str, torch.Tensor]:
        """Return the named leaves that receive a gradient from the pass."""
        tracer = self.evaluate()
        leaves: dict[str, torch.Tensor] = {}
        for name, tensor in tracer.names.items():
            is_input = tracer.inputs is None or any(tensor is other for other in tracer.inputs)
            if is_input and can_be_overridden(tensor) and tensor.requires_grad and not any(tensor is other for other in leaves.values()):
                leaves[name] = tensor
        gradients = gradients_of(tracer.loss, list(leaves.values())) if leaves and tracer.loss.requires_grad else []
        return {name: leaf.detach() for (name, leaf), gradient in zip(leaves.items(), gradients, strict=False) if gradient is not None}

    def evaluate(self) -> LossTracer:
        """Run the script up to the pass.

        Raises:
            PlaygroundError: the script ends before it.
        """
        tracer = LossTracer(Overrides(self.overrides), self.pass_index, in_float64=self.in_float64)
        seed_generators(self.seed)
        execution = interpreter.run(self.source, self.predefined, tracer=tracer)
        if not tracer.has_loss:
            if execution.error is None:
                raise PlaygroundError(msg("With this value the script does not reach its backward pass: it has no such backward pass."))
            raise PlaygroundError(msg("With this value the script does not reach its backward pass: {error}", error=execution.error.message))
        return tracer


class LossTracer(Tracer):
    """Runs a script up to one backward pass and keeps its loss and its named tensors; records nothing else."""

    def __init__(self, overrides: Overrides, pass_index: int, *, in_float64: bool) -> None:
        self.has_loss = False
        self.loss = torch.zeros(())
        self.inputs: list[Any] | None = None
        """Tensors that `torch.autograd.grad` was called for; None: all leaves."""
        self.names: dict[str, Any] = {}
        self._overrides, self._passes_before, self._in_float64 = overrides, pass_index, in_float64
        self._live: Mapping[str, Any] = {}

    def start(self, names: Mapping[str, Any]) -> None:
        self._live = names

    def perform(self, call: Call, node: ast.AST, do: Callable[[Call], Any]) -> Any:  # noqa: ARG002 (as the parent has it)
        self._overrides.apply(call, self._live)
        if call.entry.name not in WEIGHTS:
            return _to_float64(do(_call_in_float64(call))) if self._in_float64 else do(call)
        if self._passes_before:
            self._passes_before -= 1
            return do(call)
        if any(root.numel() != 1 and isinstance(weight, float) for root, weight in zip(roots_of(call), weights_of(call), strict=True)):
            return do(call)  # PyTorch raises its own error
        self.inputs = inputs_of(call)
        self.loss = sum(((root * weight).sum() for root, weight in zip(roots_of(call), weights_of(call), strict=True)), torch.zeros(()))
        self.names = dict(named_arrays(self._live))
        self.has_loss = True
        raise BoundsExceeded("The loss is evaluated.")  # no text: the script need not go on


def loss_curve(script_loss: ScriptLoss, name: str, cell: int, values: list[float], seconds: float = CURVE_SECONDS) -> tuple[list[float], list[float | None]]:
    """Evaluate the loss for values of one cell; where the script is slow, for fewer of them, as evenly spread.

    Args:
        values: at equal distances.
        seconds: processor time for all of them, as far as that of one of them foretells it.

    Returns:
        The values, and for each of them its loss; None where it is not finite or the script fails.
    """
    first = [_loss_at(script_loss, name, cell, value) for value in values[:1]]  # the first run in a process is slower than those that follow
    start = time.process_time()
    last = [_loss_at(script_loss, name, cell, value) for value in values[1:][-1:]]
    affordable = seconds / max(time.process_time() - start, 1e-6)
    evaluated = values[:: _stride(len(values) - 1, affordable)]
    return evaluated, [*first, *(_loss_at(script_loss, name, cell, value) for value in evaluated[1:-1]), *last]


def _stride(intervals: int, affordable: float) -> int:
    """Return the smallest stride that divides a number of intervals into at most so many as are affordable, but into no fewer than `FEWEST_INTERVALS`."""
    strides = [stride for stride in range(1, intervals + 1) if intervals % stride == 0 and (stride == 1 or intervals / stride >= FEWEST_INTERVALS)]
    return next((stride for stride in strides if intervals / stride <= affordable), strides[-1] if strides else 1)


def _loss_at(script_loss: ScriptLoss, name: str, cell: int, value: float) -> float | None:
    try:
        loss = script_loss.at(name, cell, value).item()
    except PlaygroundError:
        return None
    return loss if np.isfinite(loss) else None


def inputs_of(call: Call) -> list[Any] | None:
    """Return the tensors that a pass computes gradients for; None if it does so for all leaves."""
    inputs = call.kwargs.get("inputs", call.args[1] if call.entry.name == "torch.autograd.grad" and len(call.args) > 1 else None)
    return None if inputs is None else arrays_in(inputs)


def gradients_of(loss: torch.Tensor, leaves: list[torch.Tensor]) -> list[torch.Tensor | None]:
    """Compute the gradient of the loss for each leaf; None for a leaf that it does not depend on.

    Raises:
        PlaygroundError: PyTorch cannot differentiate this loss.
    """
    try:
        return list(torch.autograd.grad(loss, leaves, allow_unused=True))
    except RuntimeError as error:
        raise PlaygroundError(msg("PyTorch cannot compute gradients of this loss: {error}", error=first_line(error))) from None


def seed_generators(seed: int) -> None:
    """Seed PyTorch's and NumPy's random number generators, so that every run of a script draws the same numbers."""
    device.seed_generators(seed)
    np.random.seed(seed % 2**32)


def _call_in_float64(call: Call) -> Call:
    """Return the call with float64 wherever it names a coarser dtype, so that no intermediate result is rounded."""
    if not any(isinstance(array, torch.Tensor) for array in call.arrays):
        return call  # a creation: it has the script's own numbers
    entry = methods()["Tensor"]["double"] if call.entry.name in ("Tensor.float", "Tensor.half", "Tensor.bfloat16") else call.entry
    args = tuple(torch.float64 if isinstance(arg, torch.dtype) and arg in LOW_PRECISION else arg for arg in call.args)
    kwargs = {name: torch.float64 if isinstance(arg, torch.dtype) and arg in LOW_PRECISION else arg for name, arg in call.kwargs.items()}
    return Call(entry, args, kwargs)


def _to_float64(result: Any) -> Any:
    """Convert a result to float64, which autograd records as one more operation; a leaf stays a leaf."""
    if isinstance(result, (list, tuple)):
        return type(result)([_to_float64(part) for part in result])  # also PyTorch's named tuples, such as that of `max`
    if not isinstance(result, torch.Tensor) or result.dtype not in LOW_PRECISION:
        return result
    return result.detach().double().requires_grad_() if result.is_leaf and result.requires_grad else result.double()
