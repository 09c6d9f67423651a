"""Notes on what an operation does besides its values: type promotion, inferred sizes, copies and views."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from playground.messages import msg, nmsg
from playground.tensors.language import allowed
from playground.tensors.language.tracing import Operation, Slot

UNINITIALISED = frozenset(("empty", "empty_like", "new_empty"))


def notes(operation: Operation) -> list[str]:
    """Return notes on an operation; often none."""
    return list(_notes(operation)) if operation.outputs else []


def _notes(operation: Operation) -> Iterator[str]:
    name = operation.entry.short
    if name in UNINITIALISED:
        yield msg("This is [[uninitialised memory]]: its values are arbitrary. Fill the [[tensor]] before you use it.")
    if (rule := _BY_NAME.get(name)) and (operation.inputs or name == "tensor"):
        yield from rule(operation)
    if operation.entry.group in (allowed.POINTWISE, allowed.COMPARISON, allowed.ALGEBRA):
        yield from _promotion(operation)
    if operation.mutated and not operation.entry.name.startswith("[]"):
        yield msg("The operation changed the tensor [[in place|in-place operation]]: every tensor that shares its memory changed too.")


def _tensor(operation: Operation) -> Iterator[str]:
    kinds = {type(number) for number in _numbers(operation.args)}
    if {int, float} <= kinds:
        integer = next(number for number in _numbers(operation.args) if type(number) is int)
        yield msg("A [[tensor]] has one [[dtype]] for all of its cells. One of the values is a float, so {integer} became {integer}.0.", integer=integer)


def _view(operation: Operation) -> Iterator[str]:
    if not operation.inputs:
        return
    sizes = [size for size in _numbers([operation.args, list(operation.kwargs.values())]) if type(size) is int]
    before, after = operation.inputs[0], operation.outputs[0]
    if before.dtype != after.dtype:
        yield msg("Nothing was copied: the same bytes are read as another [[dtype]].")
        return
    if -1 in sizes and len(sizes) == len(after.shape):
        known = math.prod(size for size in sizes if size != -1)
        yield nmsg(
            "PyTorch infers the size −1: {n} cell ÷ {known} = {size}.",
            "PyTorch infers the size −1: {n} cells ÷ {known} = {size}.",
            before.cells,
            known=known,
            size=after.shape[sizes.index(-1)],
        )
    if not before.cells:
        return
    if before.kind == "tensor" and not before.overlaps(after):
        yield msg("The tensor is not [[contiguous]], so `reshape` copied its cells; `view` would have raised an error.")
    elif before.kind == "tensor":
        yield msg("Nothing was copied: the same cells are read with another [[shape]].")


def _repeat(_operation: Operation) -> Iterator[str]:
    yield msg("`repeat` copies the cells; `expand` would repeat a dimension of size 1 without copying, with [[stride]] 0.")


def _expand(operation: Operation) -> Iterator[str]:
    stretched = [
        axis for axis, (size, stride) in enumerate(zip(operation.outputs[0].shape, operation.outputs[0].strides, strict=True)) if not stride and size > 1
    ]
    if stretched:
        yield msg("Nothing was copied: an expanded dimension has [[stride]] 0, so every index along it reads the same cell.")


def _transposed(operation: Operation) -> Iterator[str]:
    before, after = operation.inputs[0], operation.outputs[0]
    if before.contiguous and not after.contiguous:
        yield msg(
            "Only the [[strides|stride]] changed, from {before} to {after}; no copy. The result is not [[contiguous]], so `view` may raise an error.",
            before=before.strides,
            after=after.strides,
        )


def _contiguous(operation: Operation) -> Iterator[str]:
    if operation.inputs[0].overlaps(operation.outputs[0]):
        yield msg("The tensor was already [[contiguous]], so `contiguous` returned the tensor itself.")
    else:
        yield msg("The cells were copied into [[row-major order]].")


def _from_numpy(_operation: Operation) -> Iterator[str]:
    yield msg("The array and the tensor use the same memory: a change to one changes the other.")


def _to(operation: Operation) -> Iterator[str]:
    before, after = operation.inputs[0], operation.outputs[0]
    if before.device != after.device:
        yield msg("The cells were copied from `{before}` to `{after}`.", before=before.device, after=after.device)
    elif before.key == after.key:
        yield msg("The tensor is already on `{device}` with [[dtype]] `{dtype}`, so `to` returned the tensor itself.", device=after.device, dtype=after.dtype)


def _promotion(operation: Operation) -> Iterator[str]:
    dtypes = list(dict.fromkeys(part.dtype for part in operation.inputs))
    after = operation.outputs[0].dtype
    if len(dtypes) == 2 and after in dtypes and not operation.mutated:
        first, second = dtypes
        yield msg(
            "The operands have the [[dtypes|dtype]] `{first}` and `{second}`; [[type promotion]] gives `{result}`.", first=first, second=second, result=after
        )
    elif len(dtypes) == 1 and "int" in dtypes[0] and after.startswith("float") and any(isinstance(number, float) for number in _numbers(list(operation.args))):
        yield msg("A tensor of integers met a number with a decimal point; [[type promotion]] gives `{dtype}`.", dtype=after)
    elif len(dtypes) == 1 and "int" in dtypes[0] and after.startswith("float"):
        yield msg("The inputs are integers; the result need not be an integer, so its [[dtype]] is `{dtype}`.", dtype=after)


def _index(operation: Operation) -> Iterator[str]:
    before, after = operation.inputs[0], operation.outputs[0]
    if before.key == after.key:
        return
    if before.overlaps(after):
        yield msg("A slice is a [[view]]: it shares memory with the original, and a change to it changes the original.")
    else:
        yield msg("An index tensor or a [[mask|boolean mask]] makes a copy: a change to the result does not change the original.")


def _numbers(value: Any) -> Iterator[Any]:
    """Yield the integers and floats in an argument, also inside lists."""
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
    "T": _transposed,
    "mT": _transposed,
    "t": _transposed,
    "transpose": _transposed,
    "permute": _transposed,
    "swapaxes": _transposed,
    "movedim": _transposed,
    "contiguous": _contiguous,
    "from_numpy": _from_numpy,
    "numpy": _from_numpy,
    "to": _to,
    "[]": _index,
}
