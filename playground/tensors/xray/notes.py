"""Sentences about what an operation did that its picture does not tell: why 3 became 3.0, where −1 came from, what was copied."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from playground.tensors.language import allowed
from playground.tensors.language.tracing import Operation, Slot

UNINITIALISED = frozenset(("empty", "empty_like", "new_empty"))


def notes(operation: Operation) -> list[str]:
    """What a learner may wonder about; often nothing."""
    return list(_notes(operation)) if operation.outputs else []


def _notes(operation: Operation) -> Iterator[str]:
    name = operation.entry.short
    if name in UNINITIALISED:
        yield "This is uninitialised memory: whatever stood there before. Fill it before you use it."
    if (rule := _BY_NAME.get(name)) and (operation.inputs or name == "tensor"):
        yield from rule(operation)
    if operation.entry.group in (allowed.POINTWISE, allowed.COMPARISON, allowed.ALGEBRA):
        yield from _promotion(operation)
    if operation.mutated and not operation.entry.name.startswith("[]"):
        yield "It changed the tensor in place: everything that shares its memory changed with it."


def _tensor(operation: Operation) -> Iterator[str]:
    kinds = {type(number) for number in _numbers(operation.args)}
    if {int, float} <= kinds:
        whole = next(number for number in _numbers(operation.args) if type(number) is int)
        yield f"A tensor has one dtype for all of its cells. There is a float among them, so {whole} became {whole}.0."


def _view(operation: Operation) -> Iterator[str]:
    if not operation.inputs:
        return
    sizes = [size for size in _numbers([operation.args, list(operation.kwargs.values())]) if type(size) is int]
    before, after = operation.inputs[0], operation.outputs[0]
    if before.dtype != after.dtype:
        yield "Nothing was copied: the same bytes are read as another dtype."
        return
    if -1 in sizes and len(sizes) == len(after.shape):
        known = math.prod(size for size in sizes if size != -1)
        yield f"−1 stands for what is left: {before.cells} cells ÷ {known} = {after.shape[sizes.index(-1)]}."
    if not before.cells:
        return
    if before.kind == "tensor" and not before.overlaps(after):
        yield "The cells do not follow one another in memory, so `reshape` copied them; `view` would have refused."
    elif before.kind == "tensor":
        yield "Nothing was copied: the same cells are read with another shape."


def _repeat(_operation: Operation) -> Iterator[str]:
    yield "`repeat` copies the cells; `expand` would stretch a dimension of size 1 without copying, with stride 0."


def _expand(operation: Operation) -> Iterator[str]:
    stretched = [
        axis for axis, (size, stride) in enumerate(zip(operation.outputs[0].shape, operation.outputs[0].strides, strict=True)) if not stride and size > 1
    ]
    if stretched:
        yield "Nothing was copied: a stretched dimension has stride 0, so every step along it finds the same cell."


def _turned(operation: Operation) -> Iterator[str]:
    before, after = operation.inputs[0], operation.outputs[0]
    if before.contiguous and not after.contiguous:
        yield f"Only the strides changed, from {before.strides} to {after.strides}: no cell moved. The result is not contiguous, so `view` will refuse it."


def _contiguous(operation: Operation) -> Iterator[str]:
    if operation.inputs[0].overlaps(operation.outputs[0]):
        yield "It was contiguous already, so this is the tensor itself."
    else:
        yield "The cells were copied into row-major order."


def _from_numpy(_operation: Operation) -> Iterator[str]:
    yield "The array and the tensor lie in the same memory: a change of one shows in the other."


def _to(operation: Operation) -> Iterator[str]:
    before, after = operation.inputs[0], operation.outputs[0]
    if before.device != after.device:
        yield f"The cells were copied from `{before.device}` to `{after.device}`."
    elif before.key == after.key:
        yield f"It is on `{after.device}` and has dtype `{after.dtype}` already, so this is the tensor itself."


def _promotion(operation: Operation) -> Iterator[str]:
    dtypes = list(dict.fromkeys(part.dtype for part in operation.inputs))
    after = operation.outputs[0].dtype
    if len(dtypes) == 2 and after in dtypes and not operation.mutated:
        yield f"`{dtypes[0]}` and `{dtypes[1]}` met; PyTorch computes in the one that can hold both, `{after}`."
    elif len(dtypes) == 1 and "int" in dtypes[0] and after.startswith("float"):
        yield f"Whole numbers went in; the result need not be whole, so it is `{after}`."


def _index(operation: Operation) -> Iterator[str]:
    before, after = operation.inputs[0], operation.outputs[0]
    if before.key == after.key:
        return
    if before.overlaps(after):
        yield "A slice is a view: it shares the memory, and a change of it changes the original."
    else:
        yield "An index tensor or mask makes a copy: a change of it does not change the original."


def _numbers(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from _numbers(part)
    elif isinstance(value, (int, float)) and not isinstance(value, (bool, Slot)):
        yield value


_BY_NAME: dict[str, Callable[[Operation], Iterator[str]]] = {
    "tensor": _tensor,
    "view": _view,
    "reshape": _view,
    "repeat": _repeat,
    "expand": _expand,
    "expand_as": _expand,
    "broadcast_to": _expand,
    "T": _turned,
    "mT": _turned,
    "t": _turned,
    "transpose": _turned,
    "permute": _turned,
    "swapaxes": _turned,
    "movedim": _turned,
    "contiguous": _contiguous,
    "from_numpy": _from_numpy,
    "numpy": _from_numpy,
    "to": _to,
    "[]": _index,
}
