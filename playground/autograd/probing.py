"""Asks a script's loss what it would be for other numbers: the curve that a gradient is the slope of, and finite differences.

A script is run again for each number, from the same seed, as far as the backward pass that the question is about.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from playground.autograd.grabbing import Grabbed, can_be_grabbed
from playground.autograd.recording import BACKWARD, roots_of, weights_of
from playground.errors import PlaygroundError
from playground.tensors.language import interpreter
from playground.tensors.language.calls import Call, arrays_in, methods
from playground.tensors.language.errors import BoundsExceeded
from playground.tensors.language.expressions import first_sentence
from playground.tensors.language.tracing import Tracer, named_arrays

Cells = Mapping[str, Mapping[int, float]]
"""By a tensor's name, for each cell in row-major order its value."""


@dataclass(frozen=True)
class Question:
    """A script, and the backward pass in it that is asked about."""

    source: str
    given: Mapping[str, Any]
    seed: int
    grabbed: Cells
    number: int
    """Which pass, from 0."""
    double: bool = False
    """Whether to compute in float64 what the script computes in float32."""

    def loss(self, name: str, cell: int, value: float) -> torch.Tensor:
        """The loss with one cell changed."""
        return replace(self, grabbed=_with(self.grabbed, name, cell, value)).asked().loss

    def reached(self) -> dict[str, torch.Tensor]:
        """The named leaves that the pass brings a gradient to."""
        probe = self.asked()
        leaves: dict[str, torch.Tensor] = {}
        for name, tensor in probe.names.items():
            wanted = probe.wanted is None or any(tensor is other for other in probe.wanted)
            if wanted and can_be_grabbed(tensor) and tensor.requires_grad and not any(tensor is other for other in leaves.values()):
                leaves[name] = tensor
        gradients = gradients_of(probe.loss, list(leaves.values())) if leaves and probe.loss.requires_grad else []
        return {name: leaf.detach() for (name, leaf), gradient in zip(leaves.items(), gradients, strict=False) if gradient is not None}

    def asked(self) -> Probe:
        """Run the script up to the pass.

        Raises:
            PlaygroundError: it does not come so far.
        """
        probe = Probe(Grabbed(self.grabbed), self.number, double=self.double)
        plant(self.seed)
        execution = interpreter.run(self.source, self.given, tracer=probe)
        if not probe.arrived:
            message = execution.error.message if execution.error else "The script has no such backward pass."
            raise PlaygroundError(f"With this number the script does not come to its loss: {message}")
        return probe


class Probe(Tracer):
    """Records nothing; lets a script run up to one backward pass, and keeps its loss and its tensors there."""

    def __init__(self, grabbed: Grabbed, number: int, *, double: bool) -> None:
        super().__init__()
        self.arrived = False
        self.loss = torch.zeros(())
        self.wanted: list[Any] | None = None
        self.names: dict[str, Any] = {}
        self._grabbed, self._left, self._double = grabbed, number, double
        self._live: Mapping[str, Any] = {}

    def start(self, names: Mapping[str, Any]) -> None:
        self._live = names

    def begin(self, node: ast.stmt) -> None:
        pass

    def end(self, names: Mapping[str, Any]) -> None:
        pass

    def perform(self, call: Call, node: ast.AST, do: Callable[[Call], Any]) -> Any:  # noqa: ARG002 (as the parent has it)
        self._grabbed.meet(call, self._live)
        if call.entry.name not in BACKWARD:
            return _doubled(do(_widened(call))) if self._double else do(call)
        if self._left:
            self._left -= 1
            return do(call)
        if any(root.numel() != 1 and isinstance(weight, float) for root, weight in zip(roots_of(call), weights_of(call), strict=True)):
            return do(call)  # PyTorch says itself what is wrong
        self.wanted = wanted_by(call)
        self.loss = sum(((root * weight).sum() for root, weight in zip(roots_of(call), weights_of(call), strict=True)), torch.zeros(()))
        self.names = dict(named_arrays(self._live))
        self.arrived = True
        raise BoundsExceeded("What was asked is known.")  # the script need not go on


def curve(question: Question, name: str, cell: int, places: list[float]) -> list[float | None]:
    """The loss for each value of one cell; None where it is no finite number or the script fails."""
    found: list[float | None] = []
    for place in places:
        try:
            loss = question.loss(name, cell, place).item()
        except PlaygroundError:
            loss = float("nan")
        found.append(loss if np.isfinite(loss) else None)
    return found


def wanted_by(call: Call) -> list[Any] | None:
    """The tensors whose gradients a pass was asked for; None if it is for all leaves."""
    given = call.kwargs.get("inputs", call.args[1] if call.entry.name != "Tensor.backward" and len(call.args) > 1 else None)
    return None if given is None else list(arrays_in(given))


def gradients_of(loss: torch.Tensor, leaves: list[torch.Tensor]) -> list[torch.Tensor | None]:
    """Of the loss, for each leaf.

    Raises:
        PlaygroundError: PyTorch cannot go back from this loss.
    """
    try:
        return list(torch.autograd.grad(loss, leaves, allow_unused=True))
    except RuntimeError as error:
        raise PlaygroundError(f"PyTorch cannot go back from this loss: {first_sentence(error)}") from None


def plant(seed: int) -> None:
    """Begin PyTorch's and NumPy's random numbers anew, so that a script meets the same ones each time."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)


def _with(cells: Cells, name: str, cell: int, value: float) -> Cells:
    return {**cells, name: {**cells.get(name, {}), cell: value}}


NARROW = frozenset((torch.float32, torch.float16, torch.bfloat16))
"""Kinds of numbers too coarse for finite differences."""


def _widened(call: Call) -> Call:
    """The same call where it asks for one of these kinds: with float64, so that nothing is rounded on the way."""
    if not any(isinstance(array, torch.Tensor) for array in call.arrays):
        return call  # what begins here has the numbers of the script itself
    entry = methods()["Tensor"]["double"] if call.entry.name in ("Tensor.float", "Tensor.half", "Tensor.bfloat16") else call.entry
    args = tuple(torch.float64 if isinstance(arg, torch.dtype) and arg in NARROW else arg for arg in call.args)
    kwargs = {name: torch.float64 if isinstance(arg, torch.dtype) and arg in NARROW else arg for name, arg in call.kwargs.items()}
    return replace(call, entry=entry, args=args, kwargs=kwargs)


def _doubled(result: Any) -> Any:
    """A result in float64, which autograd sees as one more operation; a leaf stays a leaf."""
    if isinstance(result, (list, tuple)):
        return type(result)([_doubled(part) for part in result])  # also of PyTorch's named tuples, such as that of `max`
    if not isinstance(result, torch.Tensor) or result.dtype not in NARROW:
        return result
    return result.detach().double().requires_grad_() if result.is_leaf and result.requires_grad else result.double()
