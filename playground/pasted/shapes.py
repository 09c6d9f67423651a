"""Which input a network is meant for: what the code says, or the most usual shape with which it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt, prod
from typing import Any

from torch import nn

from playground.messages import msg
from playground.network.spec import MAX_SIZE, NetworkSpec
from playground.network.trace import trace
from playground.network.types import Shape
from playground.pasted.errors import CodeError
from playground.pasted.layers import SHAPE_ONLY, fixed_batch, read_step, said_sizes, wrong_rows
from playground.pasted.recording import BATCH, CallFailed, Recorder, Recording, Step, explained
from playground.pasted.stack import ADDS
from playground.tensors.language.errors import BoundsExceeded
from playground.tensors.language.partly import PartialRun

SIZES = (28, 32, 64, 96, 224, 128, 256, 16, 8)
"""Sides of the images that networks are usually written for, the most usual first."""
USUAL = SIZES[:5]
PROBE: Shape = (1, 28, 28)
"""An input that shows with which layer a network begins, whether it fits or not."""
IMAGES: dict[int, Shape] = {784: (1, 28, 28), 3072: (3, 32, 32)}
"""Images of the usual data sets by their number of values."""


@dataclass(frozen=True)
class Fitting:
    """An input with which a network runs."""

    shape: Shape
    recording: Recording
    note: str = ""
    is_laid_out: bool = False
    """Whether the network takes each image as one row, which its training loop makes."""


class Inputs:
    """Finds the input of a network.

    Args:
        run: the pasted code.
        recorder: records what the network does.
        network: a value of the code that can be called.
    """

    def __init__(self, run: PartialRun, recorder: Recorder, network: Any) -> None:
        self._run, self._recorder, self._network = run, recorder, network
        self._first: list[Step] = []  # steps with a first input, whether they fit or not
        self._failure: CallFailed | None = None  # of that input

    def fit(self, given: Shape | None, stated: list[Shape]) -> Fitting:
        """Return the first of the possible inputs with which the network runs.

        Args:
            given: what somebody chose, and no other.
            stated: what comments of the code say, tried before the usual shapes.

        Raises:
            CodeError: none of them fits.
        """
        if given:
            return self._given(given)
        tried: dict[Shape, CodeError] = {}
        for shape in self._possible(stated):
            try:
                recording = self._recorder.record(self._run, self._network, shape)
            except CallFailed as failure:
                problem = self.problem(failure)
                if is_decided(failure.before) or isinstance(failure.error, BoundsExceeded):
                    raise problem from None
                tried[shape] = problem
                continue
            return self._fitting(shape, recording, tried)
        if not tried:
            raise self._unknown_shape()
        shape, first = next(iter(tried.items()))
        if len({str(error) for error in tried.values()}) == 1:
            raise first
        message = msg("No usual input shape fits this code. With {shape}: {problem}", shape=shape, problem=first.message)
        raise CodeError(message, msg("Say the input shape, such as (1, 28, 28)."))

    def _unknown_shape(self) -> CodeError:
        """Return why no input could be tried: what fails whatever arrives, or else that the code says no shape."""
        if self._failure:
            return self.problem(self._failure)
        unsupported = (_unsupported(step, self._recorder.line_of_step(step)) for step in self._first)
        message = msg("The code does not say what shape the input has.")
        return next(filter(None, unsupported), None) or CodeError(message, msg("Say the input shape, such as (1, 28, 28)."))

    def _given(self, shape: Shape) -> Fitting:
        try:
            return Fitting(shape, self._recorder.record(self._run, self._network, shape))
        except CallFailed as failure:
            problem = self.problem(failure)
        if len(shape) == 3:
            try:
                return Fitting(shape, self._recorder.record(self._run, self._network, (prod(shape),)), _laid_out_note(shape), is_laid_out=True)
            except CallFailed:
                pass
        raise problem

    def _fitting(self, shape: Shape, recording: Recording, tried: dict[Shape, CodeError]) -> Fitting:
        if len(shape) == 1 and shape[0] in IMAGES:
            image = IMAGES[shape[0]]
            return Fitting(image, recording, _laid_out_note(image), is_laid_out=True)
        note = ""
        if len(shape) == 3 and shape[1] not in USUAL and tried and shape[1] in SIZES:
            other, problem = next(iter(tried.items()))
            note = msg(
                "The sizes fit images of {shape} only. With {other}: {problem} {hint}", shape=shape, other=other, problem=problem.message, hint=problem.hint
            )
        return Fitting(shape, recording, note)

    def _possible(self, stated: list[Shape]) -> Iterator[Shape]:
        """Yield the inputs to try, the most usual first."""
        steps = self._first = self._begin()
        likely = [*stated, *_likely(steps)]
        possible = [shape for shape in likely if all(1 <= size <= MAX_SIZE for size in shape)]
        if shape := self._of_patches(steps):
            yield shape
        yield from dict.fromkeys(possible or likely)

    def _begin(self) -> list[Step]:
        """Return the first steps of the network, also where they fail."""
        try:
            return list(self._recorder.record(self._run, self._network, PROBE).steps)
        except CallFailed as failure:
            self._failure = failure
            return [*failure.before, *([failure.failed] if failure.failed else [])]

    def _of_patches(self, steps: list[Step]) -> Shape | None:
        """Return the image whose patches are as many as a learned position has tokens."""
        first = next((step.module for step in steps if isinstance(step.module, nn.Conv2d)), None)
        if first is None or first.stride == (1, 1) or first.kernel_size != first.stride:
            return None
        try:
            self._recorder.record(self._run, self._network, (first.in_channels, *(5 * size for size in first.stride)))  # of 25 tokens
        except CallFailed as failure:
            position = [value for value in failure.failed.call.arrays if isinstance(value, nn.Parameter)] if failure.failed else []
            if failure.failed and failure.failed.name in ADDS and position and position[0].ndim == 3:
                side = isqrt(position[0].shape[1])
                return (first.in_channels, side * first.stride[0], side * first.stride[1])
        except CodeError:
            pass
        return None

    def problem(self, failure: CallFailed) -> CodeError:
        """Return why a network does not take an input, in the words of its layers."""
        step = failure.failed
        if step is None:
            return explained(failure.error)
        line = self._recorder.line_of_step(step)
        return _unsupported(step, line) or _misfit(step, line) or _wrong_view(step) or _wrong_position(step) or explained(failure.error)


def _laid_out_note(image: Shape) -> str:
    return msg("The network takes each image as one row of {count} values; a Flatten in front lays out {shape} so.", count=prod(image), shape=image)


def is_decided(steps: tuple[Step, ...]) -> bool:
    """Return whether steps are enough to tell that an input is meant: a layer with a size has taken what was laid out before it.

    What does not fit behind it is a mistake in the code, and not another input.
    """
    is_flat = False
    for step in steps:
        if is_flat and isinstance(step.module, (nn.Linear, nn.BatchNorm1d)):
            return True
        is_flat = is_flat or (bool(step.shapes) and len(step.shapes[0]) == 2 < len(step.arriving[0]))
    return False


def _likely(steps: list[Step]) -> list[Shape]:
    """Return the inputs that the first step with a size allows, the most usual first."""
    is_flat = False
    for step in steps:
        module = step.module
        if isinstance(module, nn.Conv2d):
            return _images(module.in_channels)
        if isinstance(module, nn.BatchNorm2d):
            return _images(module.num_features)
        if isinstance(module, nn.LayerNorm):
            sizes = tuple(module.normalized_shape)
            return [sizes] if len(sizes) == 3 else _rows(prod(sizes)) if is_flat else [(prod(sizes),)]
        if isinstance(module, (nn.Linear, nn.BatchNorm1d)):
            size = module.in_features if isinstance(module, nn.Linear) else module.num_features
            return _rows(size) if is_flat else [(size,), *_rows(size)]
        if step.name in ("view", "reshape") and (sizes := _said(step)):
            return [sizes] if len(sizes) > 1 else _rows(sizes[0])
        is_flat = is_flat or step.name in SHAPE_ONLY or "pool" in step.name.lower() or step.name == "mean"
    return []


def _said(step: Step) -> Shape:
    """Return the sizes of a sample that `view` says, `(320,)` of `x.view(-1, 320)`; empty where it says none, or takes them from the tensor."""
    sizes = said_sizes(step)
    rest = sizes[1:]
    is_said = bool(rest) and sizes[0] in (-1, BATCH) and all(type(size) is int and size > 0 for size in rest)
    return tuple(rest) if is_said else ()


def _images(channels: int) -> list[Shape]:
    first = [32, 28] if channels == 3 else [28, 32]  # colour images are mostly CIFAR's, grey ones MNIST's
    return [(channels, size, size) for size in [*first, *SIZES[2:]]]


def _rows(values: int) -> list[Shape]:
    """Return images with so many values, then the vector; then images from which pooling may have left so many."""
    exact = [(channels, isqrt(values // channels), isqrt(values // channels)) for channels in (1, 3) if 0 < values < 10**6]
    return [*(shape for shape in exact if shape[1] in SIZES and prod(shape) == values), (values,), *_images(1), *_images(3)]


def _unsupported(step: Step, line: int | None) -> CodeError | None:
    """Return why the playground has no such layer, whatever arrives."""
    if step.module is None or step.name in SHAPE_ONLY:
        return None
    try:
        read_step(step)
    except CodeError as error:
        return CodeError(error.without_line, error.hint, line)
    return None


_SAID: tuple[tuple[type, str, int], ...] = (
    (nn.Linear, "in_features", -1), (nn.Conv2d, "in_channels", 0), (nn.BatchNorm2d, "num_features", 0), (nn.BatchNorm1d, "num_features", 0),
)  # fmt: skip
"""Layers with the argument that must be the size of what arrives, and the dimension that has it."""


def _misfit(step: Step, line: int | None) -> CodeError | None:
    """Return why a layer does not take what arrives; None where it is not the layer's sizes."""
    module, arriving, name = step.module, step.arriving[0][1:], step.name
    if module is None or name in SHAPE_ONLY:
        return None
    layers = read_step(step).layers
    if layers and len(arriving) in (1, 3) and all(1 <= size <= MAX_SIZE for size in arriving):
        traced = trace(NetworkSpec("read", arriving, layers[:1]))[0]
        if traced.error:
            return CodeError(msg("{layer}: {problem}", layer=name, problem=traced.error), f"{traced.fixes[0].title}." if traced.fixes else "", line)
    change = msg("Set {name} to {right}, or change the layers before it.")
    if isinstance(module, nn.LayerNorm):
        sizes, shape = tuple(module.normalized_shape), arriving if len(arriving) != 2 else arriving[-1:]
        message = msg("LayerNorm takes shape {said}, but what arrives has {arriving}.", said=sizes, arriving=shape)
        return CodeError(message, change.filled(name="normalized_shape", right=shape), line)
    sizes_said = ((argument, getattr(module, argument), arriving[place]) for kind, argument, place in _SAID if isinstance(module, kind))
    argument, said, size = next(sizes_said, ("", 0, 0))
    if said == size:
        return None
    has_channels = isinstance(module, (nn.Conv2d, nn.BatchNorm2d))
    channels = msg("{layer} takes {said} channels, but what arrives has {arriving}.")
    takes = channels if has_channels else msg("{layer} takes {said} features, but what arrives has {arriving}.")
    return CodeError(takes.filled(layer=name, said=said, arriving=size), change.filled(name=argument, right=size), line)


def _wrong_position(step: Step) -> CodeError | None:
    """Return why learned positions cannot be added to tokens."""
    position = [value for value in step.call.arrays if isinstance(value, nn.Parameter) and value.ndim == 3]
    if step.name not in ADDS or not position or len(step.arriving[0]) != 3:
        return None
    message = msg("There are learned positions for {said} tokens, but what arrives has {arriving}.", said=position[0].shape[1], arriving=step.arriving[0][1])
    return CodeError(message, msg("The size of the image and of its patches must give as many tokens."), step.line)


def _wrong_view(step: Step) -> CodeError | None:
    """Return why `view` cannot lay out what arrives."""
    if step.name not in ("view", "reshape"):
        return None
    if error := fixed_batch(step):
        return error
    said = _said(step)
    if len(said) == 1:
        return wrong_rows(step, said[0])
    message = msg("This makes shape {after} of what has shape {before}.", after=said, before=step.arriving[0][1:])
    return CodeError(message, msg("Both must have the same number of values."), step.line) if said else None
