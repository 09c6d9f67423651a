"""A recording as a stack of layers: the steps between the input and the result, one after another, with the playground's blocks recognised by what they do."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

from playground.messages import msg
from playground.network.spec import LayerSpec
from playground.network.types import Value
from playground.pasted.errors import CodeError
from playground.pasted.layers import KINDS, Read, read_step
from playground.pasted.recording import Recorder, Recording, Step

ADDS = frozenset(("+", "+=", "add", "add_"))
JOINS = frozenset(("cat", "concat", "concatenate", "stack", "hstack", "vstack"))
RECTIFIES = frozenset(("relu", "relu_", "ReLU"))


@dataclass(frozen=True)
class Part:
    """One or several steps as layers."""

    steps: tuple[Step, ...]
    read: Read


@dataclass
class Stack:
    """The layers of a network, and what is to be said about them."""

    parts: list[Part]
    notes: list[tuple[int | None, str]] = field(default_factory=list)

    @property
    def layers(self) -> tuple[LayerSpec, ...]:
        return tuple(layer for part in self.parts for layer in part.read.layers)

    @property
    def modules(self) -> set[nn.Module]:
        return {step.module for part in self.parts for step in part.steps if step.module is not None}

    @property
    def parameters(self) -> list[Tensor]:
        """The parameters that its layers use."""
        own = [parameter for module in self.modules for parameter in module.parameters()]
        free = [value for part in self.parts for step in part.steps for value in step.call.arrays if isinstance(value, nn.Parameter)]
        return list({id(parameter): parameter for parameter in (*own, *free)}.values())


class Stacking:
    """Follows the steps of a recording from the input to the result.

    Args:
        recording: of one call of a network.
        recorder: knows where its layers were made.
        line_of_return: where it returns its result.
    """

    def __init__(self, recording: Recording, recorder: Recorder, line_of_return: int | None = None) -> None:
        self._recording, self._recorder, self._line_of_return = recording, recorder, line_of_return
        self._result = recording.result
        self._needed = recording.before(self._result)
        self._users: Mapping[int, list[Step]] = defaultdict(list)
        for step in recording.steps:
            for number in dict.fromkeys(step.inputs):
                if step in self._needed:
                    self._users[number].append(step)

    def stack(self) -> Stack:
        """Return the layers.

        Raises:
            CodeError: the steps are no stack of the playground's layers.
        """
        stack = Stack(list(self._parts()))
        self._check_order(stack)
        stack.notes += [(self._recorder.line_of_step(part.steps[0]), part.read.note) for part in stack.parts if part.read.note]
        unused = [step for step in self._recording.steps if step not in self._needed and not self._leads_to_returned(step)]
        stack.notes += [(step.line, msg("{name} is left out: nothing uses its result.", name=step.name)) for step in unused if not _is_trivial(step)]
        if len(returned := self._recording.returned) > 1:
            first = msg("Of what `forward` returns, only the first is read.")
            other = msg("Of what `forward` returns, only number {place} is read.", place=returned.index(self._result) + 1)
            stack.notes.append((self._line_of_return, first if self._result == returned[0] else other))
        return stack

    def _leads_to_returned(self, step: Step) -> bool:
        """Return whether something that is returned beside the result is computed from a step."""
        reached = set(step.outputs)
        for later in self._recording.steps:
            if reached & set(later.inputs):
                reached |= set(later.outputs)
        return bool(reached & set(self._recording.returned))

    def _parts(self) -> Iterable[Part]:
        number = 0
        while number != self._result:
            part = self._part(number)
            yield part
            number = part.steps[-1].outputs[0]

    def _part(self, number: int) -> Part:
        """Return what follows a tensor."""
        users = self._users[number]
        if not users:
            raise CodeError(msg("What `forward` returns is no result of a row of layers."), msg("End it in `return x`."), self._line_of_return)
        if len(users) > 1:
            return self._residual_block(number, users)
        step = users[0]
        if len(step.inputs) > 1:
            raise self._several(step)
        return self._patches(step) or self._mean_in_two(step) or Part((step,), self._read(step))

    def _read(self, step: Step) -> Read:
        try:
            return read_step(step)
        except CodeError as error:
            raise self._with_line(error, step) from None

    def _with_line(self, error: CodeError, step: Step) -> CodeError:
        line = self._recorder.line_of_step(step)
        if line is None or line == error.line or step.module is None:
            return error
        return CodeError(error.without_line, error.hint, line)

    def _next(self, step: Step) -> Step | None:
        """Return the only step that uses the result of one, if it uses nothing else of the network."""
        users = self._users[step.outputs[0]] if step.outputs else []
        return users[0] if len(users) == 1 and len(users[0].inputs) == 1 and step.outputs[0] != self._result else None

    def _mean_in_two(self, step: Step) -> Part | None:
        """Return `x.mean(3).mean(2)` as the mean over an image."""
        after = self._next(step)
        if step.name != "mean" or after is None or after.name != "mean" or len(step.arriving[0]) != 4:
            return None
        is_of_image = step.shapes[0] == step.arriving[0][:3] and after.shapes[0] == step.arriving[0][:2]
        return Part((step, after), Read((LayerSpec("AdaptiveAvgPool2d"), LayerSpec("Flatten")))) if is_of_image else None

    def _patches(self, step: Step) -> Part | None:
        """Return a convolution whose windows do not overlap, laid out as tokens with a learned position, as a PatchEmbedding."""
        module = step.module
        steps = [step]
        while len(steps) < 4 and (after := self._next(steps[-1])):
            steps.append(after)
        if not isinstance(module, nn.Conv2d) or len(steps) < 4:
            return None
        _conv, flat, turned, added = steps
        batch, features, height, width = step.shapes[0]
        is_laid_out = flat.shapes[0] == (batch, features, height * width) and _swaps_last_two(turned)
        if not is_laid_out or added.name not in ADDS:
            return None
        position = [value for value in added.call.arrays if isinstance(value, nn.Parameter) and tuple(value.shape) == (1, height * width, features)]
        side = module.kernel_size[0]
        is_tiled = module.kernel_size == module.stride == (side, side) and module.padding == (0, 0) and module.bias is not None and module.groups == 1
        if not position or not is_tiled:
            return None
        return Part(tuple(steps), Read((LayerSpec("PatchEmbedding", {"embed_dim": features, "patch_size": side}),)))

    def _residual_block(self, number: int, users: list[Step]) -> Part:
        """Return two branches that are added and rectified as a ResidualBlock.

        Raises:
            CodeError: they do something else.
        """
        branches = [self._branch(user) for user in users]
        joins = {branch[-1] for branch in branches}
        if len(branches) != 2 or len(joins) != 1:
            raise self._several(min((branch[-1] for branch in branches), key=self._recording.steps.index))
        (join,) = joins
        body, shortcut = sorted((branch[:-1] for branch in branches), key=len, reverse=True)
        after = self._next(join)
        layers, around = (self._layers(branch) for branch in (body, shortcut))
        if join.name in ADDS and after is not None and after.name in RECTIFIES and layers and around is not None:
            settings = _block_settings(layers, around, join.arriving[0][1], self._shape_of(number)[1])
            if settings is not None:
                return Part((*body, *shortcut, join, after), Read((LayerSpec("ResidualBlock", settings),)))
        raise self._several(join)

    def _branch(self, step: Step) -> list[Step]:
        """Return the steps from a tensor to the next that takes several of the network's tensors, or that several take; that one included."""
        steps = [step]
        while len(set(steps[-1].inputs)) == 1 and len(self._users[steps[-1].outputs[0]]) == 1:
            steps.append(self._users[steps[-1].outputs[0]][0])
        return steps

    def _layers(self, steps: list[Step]) -> list[LayerSpec] | None:
        """Return the layers of a branch; None where the playground has none for them."""
        try:
            return [layer for step in steps for layer in read_step(step).layers]
        except CodeError:
            return None

    def _shape_of(self, number: int) -> tuple[int, ...]:
        for step in self._recording.steps:
            for each, shape in zip(step.inputs, step.arriving, strict=False):
                if each == number:
                    return shape
        raise AssertionError("a tensor that nothing uses")

    def _several(self, step: Step) -> CodeError:
        """Return why a step that takes several tensors cannot be read."""
        if step.name in ADDS:
            message = msg("`{code}` adds two results, and the playground has such a connection only inside a ResidualBlock.", code=step.code)
        elif step.name in JOINS:
            message = msg("`{code}` joins several results, and a network of the playground is one row of layers.", code=step.code)
        else:
            message = msg("`{code}` uses several results, and a network of the playground is one row of layers.", code=step.code)
        return CodeError(message, msg("A ResidualBlock is two convolutions of 3×3, each with batch norm, a shortcut around them, and ReLU."), step.line)

    def _check_order(self, stack: Stack) -> None:
        """Check that nothing follows what the loss does, and that no weights are used twice."""
        ended: Part | None = None
        seen: dict[nn.Module, Step] = {}
        for part in stack.parts:
            if ended and part.read.layers:
                step = ended.steps[0]
                raise CodeError(
                    msg("{name} may only be the last layer.", name=step.name), msg("Leave it out: the loss does it."), self._recorder.line_of_step(step)
                )
            ended = part if part.read.is_last else ended
            for step in part.steps:
                module = step.module
                if module is None or not any(True for _ in module.parameters()):
                    continue
                if module in seen:
                    message = msg("`{code}` uses the weights of line {line} again.", code=step.code, line=self._recorder.line_of_step(step))
                    raise CodeError(message, msg("In the playground each layer has its own weights."), step.line)
                seen[module] = step


def _block_settings(layers: list[LayerSpec], shortcut: list[LayerSpec], channels: int, arriving: int) -> dict[str, int] | None:
    """Return the settings of the ResidualBlock with these branches; None where it is another block."""
    kinds = [layer.type for layer in layers]
    if kinds != ["Conv2d", "BatchNorm2d", "ReLU", "Conv2d", "BatchNorm2d"]:
        return None
    stride = layers[0].settings["stride"]
    norm = LayerSpec("BatchNorm2d")

    def conv(kernel: int, step: int, padding: int) -> dict[str, Value]:
        return KINDS["Conv2d"].settings({"out_channels": channels, "kernel_size": kernel, "stride": step, "padding": padding, "bias": False})

    is_body = [dict(layers[0].settings), dict(layers[3].settings)] == [conv(3, stride, 1), conv(3, 1, 1)]
    needs_convolution = stride != 1 or arriving != channels
    around = [(layer.type, dict(layer.settings)) for layer in shortcut]
    wanted = [("Conv2d", conv(1, stride, 0)), (norm.type, dict(norm.settings))] if needs_convolution else []
    return {"out_channels": channels, "stride": stride} if is_body and around == wanted else None


def _swaps_last_two(step: Step) -> bool:
    """Whether a step turns ``(N, F, T)`` into ``(N, T, F)``."""
    sizes = [part for part in step.call.args if not isinstance(part, Tensor)]
    sizes = list(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], (list, tuple)) else sizes
    if not all(type(size) is int for size in sizes) or len(step.arriving[0]) != 3:
        return False
    order = [size % 3 for size in sizes]
    return order == [0, 2, 1] if step.name == "permute" else step.name in ("transpose", "swapaxes") and sorted(order) == [1, 2]


def _is_trivial(step: Step) -> bool:
    """Whether a step computes nothing that a network would be read from, such as a part of a tensor that is printed."""
    return step.name in ("[]", "detach", "data", "cpu", "to", "size", "shape") or not step.shapes


def unused_layers(network: nn.Module, stack: Stack) -> list[tuple[str, nn.Module]]:
    """Return the layers of a network that are not in its stack, each with the name that its code has for it: `self.drop`, `self.layers[1]`."""
    used = stack.modules
    inside = set(itertools.chain.from_iterable(module.modules() for module in used))
    unused = [name for name, module in network.named_modules() if name and module not in inside and not used & set(module.modules())]
    whole = [name for name in unused if not any(name.startswith(f"{other}.") for other in unused)]
    kept = [name for name in whole if not isinstance(network.get_submodule(name), (nn.Identity, nn.ModuleList, nn.ModuleDict))]
    return [("self" + "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in name.split(".")), network.get_submodule(name)) for name in kept]
