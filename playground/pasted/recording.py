"""Records which layers and functions a network calls on its input, on the meta device, where tensors have shapes and no values."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from playground.messages import msg
from playground.network.spec import MAX_LAYERS
from playground.network.types import Shape
from playground.pasted.errors import CodeError, line_of, of_script, written
from playground.tensors.language import objects
from playground.tensors.language.calls import Call, arrays_in
from playground.tensors.language.errors import BoundsExceeded, ScriptError
from playground.tensors.language.partly import PartialRun
from playground.tensors.language.tracing import Tracer

BATCH = 13
"""Samples of the batch that a network is called with: a number that code hardly has by itself, so that sizes written for a batch are noticed."""
MAX_CALLS = 10 * MAX_LAYERS
"""Layers that the code may make, and calls of layers and functions that are recorded: ten times what a network of the playground may have."""
META = torch.device("meta")
_MOST_LAYERS = msg("A network of the playground has at most {most} layers.", most=MAX_LAYERS)
_MOVES = frozenset(("to", "cuda", "cpu"))


@dataclass(eq=False)
class Step:
    """One call of a layer or a function with a tensor that comes from the network's input."""

    call: Call
    node: ast.AST
    inputs: tuple[int, ...]
    """Numbers of those of its tensors that come from the input; the input itself is 0."""
    arriving: tuple[Shape, ...]
    """Their shapes, with the batch."""
    outputs: tuple[int, ...] = ()
    shapes: tuple[Shape, ...] = ()

    @property
    def module(self) -> nn.Module | None:
        module: nn.Module | None = self.call.entry.layer
        return module

    @property
    def name(self) -> str:
        """`Conv2d`, `max_pool2d`, `+`"""
        return type(self.module).__name__ if self.module is not None else self.call.entry.short

    @property
    def line(self) -> int | None:
        return line_of(self.node)

    @property
    def code(self) -> str:
        return written(self.node)


@dataclass(frozen=True)
class Recording:
    """What a network did with one input."""

    steps: tuple[Step, ...]
    returned: tuple[int, ...]
    """Numbers of the tensors that it returned."""

    @property
    def result(self) -> int:
        """The number of the tensor that is read: behind the most layers with weights, or else the first."""
        return max(self.returned, key=lambda number: (self._weighted(number), -self.returned.index(number)))

    def _weighted(self, number: int) -> int:
        return sum(1 for step in self.before(number) if step.module is not None and any(True for _ in step.module.parameters()))

    def before(self, number: int) -> set[Step]:
        """Return the steps that a tensor is computed by."""
        made_by = {each: step for step in self.steps for each in step.outputs}
        found: set[Step] = set()
        waiting = [number]
        while waiting:
            step = made_by.get(waiting.pop())
            if step is not None and step not in found:
                found.add(step)
                waiting += step.inputs
        return found


class CallFailed(Exception):
    """A call of a network failed.

    Args:
        error: why.
        failed: the step that failed; None where that is none of a layer or a function.
        before: the steps before it.
    """

    def __init__(self, error: ScriptError, failed: Step | None, before: tuple[Step, ...]) -> None:
        super().__init__(str(error))
        self.error, self.failed, self.before = error, failed, before


@dataclass
class Recorder(Tracer):
    """Is shown what the interpreter does with pasted code."""

    sees_parts = True
    made_at: dict[nn.Module, ast.AST] = field(default_factory=dict)
    """Every module that the code made, with the call that made it."""
    made_in_call: set[nn.Module] = field(default_factory=set)
    """Those that were made while the network was called."""
    initialised: list[ast.AST] = field(default_factory=list)
    """Calls that give weights their first values."""
    called_with: dict[nn.Module, Shape] = field(default_factory=dict)
    """Of each layer the shape of a sample that the code itself first called it with."""
    made_values: list[tuple[Any, ast.AST]] = field(default_factory=list)
    """Layers and objects of the code's own classes, in the order in which they were made."""

    def __post_init__(self) -> None:
        self._is_recording = False
        self._count = 0  # of the tensors of this recording
        self._steps: list[Step] = []
        self._numbers: dict[int, tuple[torch.Tensor, int, int]] = {}  # of each tensor by its id: itself, its number, its version
        self._failed: Step | None = None

    def made(self, value: Any, node: ast.AST) -> None:
        inner = objects.inside(value)
        if isinstance(inner, nn.Module):
            self.made_at.setdefault(inner, node)
            if len(self.made_at) > MAX_CALLS:
                raise BoundsExceeded(msg("The code makes more than {most:,} layers.", most=MAX_CALLS), _MOST_LAYERS, node)
            if self._is_recording:
                self.made_in_call.add(inner)
        self.made_values.append((value, node))

    def perform(self, call: Call, node: ast.AST, do: Callable[[Call], Any]) -> Any:
        if call.entry.name == "torch.device":
            return META
        if call.kwargs.get("device") is not None:
            call.kwargs = {**call.kwargs, "device": META}
        if call.entry.is_method and call.entry.short in _MOVES:
            call.args = tuple(part for part in call.args if not isinstance(part, (str, torch.device)))
            if len(call.args) == 1 and call.kwargs.keys() <= {"device", "non_blocking"}:
                return call.args[0]
        if call.entry.name.startswith("torch.nn.init."):
            self.initialised.append(node)
        if not self._is_recording:
            if call.entry.layer is not None and call.arrays and call.arrays[0].ndim in (2, 4):
                self.called_with.setdefault(call.entry.layer, tuple(call.arrays[0].shape[1:]))
            return do(call)
        return self._record(call, node, do)

    def _record(self, call: Call, node: ast.AST, do: Callable[[Call], Any]) -> Any:
        given = [array for array in call.arrays if id(array) in self._numbers and self._numbers[id(array)][0] is array]
        if not given:
            return do(call)
        for tensor in given:
            if self._numbers[id(tensor)][2] != tensor._version:
                raise ScriptError(msg("This uses a tensor that was changed in place under another name."), msg("Leave `inplace=True` out."), node)
        if len(self._steps) >= MAX_CALLS:
            raise BoundsExceeded(msg("The network calls more than {most:,} layers and functions.", most=MAX_CALLS), _MOST_LAYERS, node)
        step = self._failed = Step(call, node, tuple(self._numbers[id(tensor)][1] for tensor in given), tuple(tuple(tensor.shape) for tensor in given))
        result = do(call)
        self._failed = None
        changed = [tensor for tensor in given if self._numbers[id(tensor)][2] != tensor._version]
        outputs = [array for array in arrays_in(result) if isinstance(array, torch.Tensor)]
        for tensor in changed:
            if not any(tensor is other for other in outputs):
                outputs.append(tensor)
        step.outputs = tuple(self._number(tensor) for tensor in outputs)
        step.shapes = tuple(tuple(tensor.shape) for tensor in outputs)
        if outputs:
            self._steps.append(step)
        return result

    def line_of_module(self, module: nn.Module) -> int | None:
        """Return the line that made a module; None where the text does not."""
        return line_of(self.made_at.get(module)) or None

    def line_of_step(self, step: Step) -> int | None:
        """Return the line that an error refers to: where a layer is made, or where a function is called."""
        return (self.line_of_module(step.module) if step.module is not None else None) or step.line

    def _number(self, tensor: torch.Tensor) -> int:
        number = self._count = self._count + 1
        self._numbers[id(tensor)] = (tensor, number, tensor._version)
        return number

    def record(self, run: PartialRun, network: Any, shape: Shape) -> Recording:
        """Call a network with a batch of samples of a shape.

        Raises:
            CallFailed: it does not take them.
            CodeError: what it returns is no tensor that comes from its input.
        """
        samples = torch.empty(BATCH, *shape, device=META)
        self._steps, self._numbers, self._failed, self._count = [], {id(samples): (samples, 0, samples._version)}, None, 0
        self._is_recording = True
        try:
            result = run.call(network, samples)
        except ScriptError as error:
            raise CallFailed(error, self._failed, tuple(self._steps)) from None
        finally:
            self._is_recording = False
        return Recording(tuple(self._steps), tuple(self._returned(result)))

    def _returned(self, result: Any) -> list[int]:
        parts = result if isinstance(result, (tuple, list)) else [*result.values()] if isinstance(result, dict) else [result]
        numbers = [self._numbers[id(part)][1] for part in parts if id(part) in self._numbers]
        if isinstance(inner := objects.inside(parts[0]) if parts else None, nn.Module):
            node = self.made_at.get(inner)
            hint = msg("Make the layer in `__init__`, as `nn.{name}()`, and call it in `forward`.", name=type(inner).__name__)
            raise CodeError(msg("`{code}` makes a layer, and does not call it.", code=written(node)), hint, line_of(node))
        if not numbers or id(parts[0]) not in self._numbers:
            raise CodeError(msg("`forward` returns no tensor that is computed from its input."), msg("End it in `return x`."))
        return numbers


def explained(error: ScriptError) -> CodeError:
    """Return an error of the interpreter, where it speaks of the meta device, in words about the network."""
    if "meta tensor" in error.message or "Cannot copy out of meta" in error.message:  # no text: of PyTorch's messages
        message = msg("`{code}` needs the values of the data, and a network is read with shapes alone.", code=written(error.node))
        return CodeError(message, msg("What the network does must follow from shapes and settings."), line_of(error.node))
    return of_script(error)
