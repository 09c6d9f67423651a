"""How large a result will be, found out before memory is touched: each operation is tried on the meta device first.

Source: https://docs.pytorch.org/docs/stable/meta.html
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch

from playground.tensors.language import allowed
from playground.tensors.language.calls import Call, arrays_in

USUAL = 8
"""Bytes of the widest number that is made without asking for a complex one."""
PART = 512
"""Bytes of one small tensor with all that belongs to it."""
HUGE = 10**18
_BY_INPUT = frozenset(allowed.SIZED_BY_INPUT.split())
_FREE = frozenset(allowed.FREE.split())
_STATE = frozenset(("manual_seed", "seed", "initial_seed", "Generator"))
_LEGACY = frozenset(name for name in allowed.TORCH[allowed.CREATION].split() if name.endswith("Tensor"))
_SPLITS = frozenset(("split", "tensor_split", "array_split", "chunk", "hsplit", "vsplit", "dsplit", "unbind"))


def result_bytes(call: Call) -> int:
    """An upper bound, in bytes, of what the call will allocate for its result.

    The call may be wrong in itself; what PyTorch then says is better than anything said here, so no error comes from here.
    """
    try:
        return _bytes(call)
    except (OverflowError, RecursionError, MemoryError):
        return HUGE
    except Exception:
        return USUAL * count([*call.args, *call.kwargs.values()])


def _bytes(call: Call) -> int:
    name, arrays = call.entry.short, call.arrays
    if name in _FREE:
        return 0
    if rule := _BY_VALUE.get(call.entry.name, _BY_VALUE.get(name)):
        return rule(call)
    if name in _SPLITS:
        return PART * int(max(_whole(call.args[1:]), _whole(list(call.kwargs.values())), *np.shape(call.args[0])))
    if name in _BY_INPUT:
        return USUAL * count([*call.args, *call.kwargs.values()])
    if call.entry.is_numpy or (arrays and not any(isinstance(array, torch.Tensor) for array in arrays)):
        return _numpy_bytes(call)
    if name in _STATE or (call.entry.group in (allowed.CONVERSION, allowed.AUTOGRAD) and not arrays):
        return 0
    if name in _LEGACY:
        return USUAL * max(_product(call.args), count(call.args))
    return _meta_bytes(call)


def count(value: Any, _known: dict[int, int] | None = None) -> int:
    """Numbers in a value: elements of arrays, and of lists however deep; a list that is met twice counts twice."""
    known = {} if _known is None else _known
    if isinstance(value, torch.Tensor):
        return value.numel()
    if isinstance(value, np.ndarray):
        return value.size
    if isinstance(value, (str, range)):
        return len(value)
    if isinstance(value, (list, tuple)):
        if id(value) not in known:
            known[id(value)] = 0  # a list that holds itself ends here
            known[id(value)] = sum(count(part, known) for part in value) + 1
        return known[id(value)]
    return 1


def leaves(value: Any, _known: dict[int, int] | None = None) -> int:
    """What a walk through a value meets: the same, with an array as one."""
    known = {} if _known is None else _known
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, (list, tuple)):
        return 1
    if id(value) not in known:
        known[id(value)] = HUGE  # a list that holds itself has no end
        known[id(value)] = sum(leaves(part, known) for part in value) + 1
    return known[id(value)]


def _meta_bytes(call: Call) -> int:
    """The result's size as the meta device has it; where that does not know the operation, as much as its inputs."""
    args, kwargs = on_meta(call.args), on_meta({name: value for name, value in call.kwargs.items() if name != "generator"})
    if "device" in kwargs:
        kwargs["device"] = "meta"
    given = list(arrays_in([args, kwargs]))
    before = {id(array): int(array.nbytes) for array in given}
    try:
        with torch.device("meta") if not given else nullcontext():
            result = call.entry.function(*args, **kwargs)
    except Exception:
        return USUAL * count([*call.args, *call.kwargs.values()])
    made = [*arrays_in(result), *given]
    return sum(int(array.nbytes) for array in {id(array): array for array in made}.values() if not _is_there_already(array, before))


def _is_there_already(array: Any, before: dict[int, int]) -> bool:
    """Whether a result is an operand that has not grown, or lies in an operand's memory."""
    return before.get(id(array), -1) >= array.nbytes or (isinstance(array, torch.Tensor) and id(array._base) in before)


def on_meta(value: Any) -> Any:
    """The same value with every tensor on the meta device, its shape, strides and dtype kept."""
    if isinstance(value, torch.Tensor):
        return torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device="meta")
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        parts = [on_meta(part) for part in value]
        return parts if isinstance(value, list) else tuple(parts)
    if isinstance(value, dict):
        return {name: on_meta(part) for name, part in value.items()}
    if isinstance(value, slice):
        return slice(on_meta(value.start), on_meta(value.stop), on_meta(value.step))
    return value


def _numpy_bytes(call: Call) -> int:
    """NumPy has no meta device: a bound by the kind of operation."""
    name = call.entry.short
    if name in ("[]", "[]="):
        return _indexed(call)
    rule = _NUMPY.get(name, _NUMPY.get(call.entry.group, _all))
    return USUAL * rule(call)


def _argument(call: Call, place: int, name: str, default: Any) -> Any:
    """An argument that may be given by its place or by its name."""
    return call.kwargs.get(name, call.args[place] if len(call.args) > place else default)


def _all(call: Call) -> int:
    return count([*call.args, *call.kwargs.values()])


def _broadcast(call: Call) -> int:
    values = [value for value in [*call.args, *call.kwargs.values()] if isinstance(value, (np.ndarray, np.generic, list, tuple, int, float, torch.Tensor))]
    return math.prod(np.broadcast_shapes(*(np.shape(value) for value in values)))


def _made(call: Call) -> int:
    """Creation by shape, or like another array."""
    shape = _argument(call, 0, "shape", ())
    return _all(call) if call.entry.short.endswith("_like") else max(_product(shape), _all(call))


def _arange(call: Call) -> int:
    given = [float(value) for value in call.args[:3] if _is_number(value)]
    start, stop, step = [0.0, *given, 1.0] if len(given) == 1 else [*given, *(0.0, 0.0, 1.0)[len(given) :]]
    start, stop, step = (float(call.kwargs.get(name, value)) for name, value in (("start", start), ("stop", stop), ("step", step)))
    return math.ceil(abs(stop - start) / abs(step)) + 1


def _spaced(call: Call) -> int:
    ends = max(1, count(_argument(call, 0, "start", 0)), count(_argument(call, 1, "stop", 0)))
    return int(_argument(call, 2, "num", 50)) * ends


def _square(call: Call) -> int:
    rows = _whole(_argument(call, 0, "N", call.kwargs.get("n", 1)))
    return rows * (_whole(_argument(call, 1, "M", None)) or rows)


def _diagonal(call: Call) -> int:
    side = max(1, count(_argument(call, 0, "v", ()))) + abs(int(_argument(call, 1, "k", 0)))
    return side * side


def _drawn(call: Call) -> int:
    """Random numbers: as many as the argument that says so, and as large as what they are drawn from."""
    name, args = call.entry.short, call.args[1:] if call.entry.name.startswith("NumpyGenerator") else call.args
    place = {"randint": 2, "integers": 2, "normal": 2, "uniform": 2, "choice": 1}.get(name, 0)
    size = args if name in ("rand", "randn") else call.kwargs.get("size", args[place : place + 1])
    return max(_product(size), _whole(args) if name in ("choice", "permutation") else 0, _all(call))


def _outer(call: Call) -> int:
    return math.prod(max(1, count(value)) for value in [*call.args, *call.kwargs.values()])


def _repeated(call: Call) -> int:
    """`tile` and `repeat`: the input as often as is asked."""
    times = _argument(call, 1, "reps", call.kwargs.get("repeats", 1))
    each = _flat(times)
    most = math.prod(each) if call.entry.short == "tile" else max(sum(each), max(each, default=0))
    return count(_argument(call, 0, "A", call.kwargs.get("a", ()))) * max(1, most)


def _multiplied(call: Call) -> int:
    """Products of matrices: what the same shapes give in PyTorch, or every pair."""
    shapes = [np.shape(value) for value in call.args[:2]]
    if max(map(len, shapes)) > 2:
        return _outer(call)
    return int(torch.matmul(*(torch.empty(shape, device="meta") for shape in shapes)).numel())


def _indexed(call: Call) -> int:
    index = call.args[1] if isinstance(call.args[1], tuple) else (call.args[1],)
    picked = [count(part) for part in index if isinstance(part, (np.ndarray, list, torch.Tensor))]
    width = max(1, count(call.args[0])) if any(picked) else 0
    return USUAL * max(picked, default=0) * width


def _flat(value: Any) -> list[int]:
    """The whole numbers in a value, one after another."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return [int(number) for number in value.reshape(-1)[:1000].tolist()]
    if isinstance(value, (list, tuple)):
        return [number for part in value for number in _flat(part)]
    return [int(value)] if isinstance(value, (int, np.integer)) and not isinstance(value, bool) else []


def _product(value: Any) -> int:
    """The product of a shape's sizes; of an array, a single number only."""
    if isinstance(value, (torch.Tensor, np.ndarray)) and value.ndim and count(value) > 1:
        return 1
    return math.prod(max(0, number) for number in _flat(value))


def _whole(value: Any) -> int:
    """The largest whole number in a value; 0 if there is none."""
    return max(_flat(value), default=0)


def _is_number(value: Any) -> bool:
    single = isinstance(value, (torch.Tensor, np.ndarray)) and value.ndim == 0
    return single or (isinstance(value, (int, float, np.number)) and not isinstance(value, bool))


def _bincount(call: Call) -> int:
    values = _argument(call, 0, "input", call.kwargs.get("x", ()))
    return USUAL * max(_largest(values) + 1, _whole(list(call.args[1:])), _whole(list(call.kwargs.values())))


def _largest(value: Any) -> int:
    given = np.asarray(value.tolist() if isinstance(value, (torch.Tensor, np.ndarray)) else value)
    return int(given.max(initial=0)) if given.size and given.dtype.kind in "iu" else 0


def _one_hot(call: Call) -> int:
    labels = _argument(call, 0, "tensor", ())
    classes = max(_largest(labels) + 1, _whole(list(call.args[1:])), _whole(call.kwargs.get("num_classes", 0)))
    return USUAL * count(labels) * classes


def _repeat_interleave(call: Call) -> int:
    """The first tensor, each slice of it as often as is asked; of one tensor alone, its places as often as it says."""
    values = _argument(call, 0, "input", call.kwargs.get("self", ()))
    repeats = _argument(call, 1, "repeats", values)
    most = int(repeats.sum()) if isinstance(repeats, torch.Tensor) else _whole(repeats)
    return USUAL * max(1, count(values)) * max(1, most)


def _covariance(call: Call) -> int:
    rows = np.shape(_argument(call, 0, "input", ()))[:1] or (1,)
    return USUAL * (rows[0] ** 2 + _all(call))


def _normal(call: Call) -> int:
    """`torch.normal` with a size draws on the CPU whatever device is asked for."""
    size = _argument(call, 2, "size", None)
    return USUAL * (_product(size) if size is not None else _broadcast(call))


def _nonzero(call: Call) -> int:
    return USUAL * count(call.args[0]) * max(1, len(np.shape(call.args[0])))


def _both_sides(call: Call) -> int:
    """The singular value decomposition has two square matrices as its factors."""
    shape = np.shape(call.args[0])
    return int(math.prod(shape[:-2]) * (shape[-1] ** 2 + shape[-2] ** 2))


_BY_VALUE: dict[str, Callable[[Call], int]] = {
    "bincount": _bincount,
    "one_hot": _one_hot,
    "repeat_interleave": _repeat_interleave,
    "cov": _covariance,
    "corrcoef": _covariance,
    "torch.normal": _normal,
    "nonzero": _nonzero,
    "argwhere": _nonzero,
}
"""Operations of which the values, or one dimension, decide the size, and that the meta device does not know."""

_NUMPY: dict[str, Callable[[Call], int]] = {
    allowed.CREATION: _made,
    allowed.RANDOM: _drawn,
    allowed.POINTWISE: _broadcast,
    allowed.COMPARISON: _broadcast,
    allowed.ALGEBRA: _outer,
    **dict.fromkeys(("array", "asarray", "copy", "sort", "argsort", "trace", "norm", "det", "inv", "solve"), _all),
    **dict.fromkeys(("matmul", "@", "dot"), _multiplied),
    **dict.fromkeys(("linspace", "logspace"), _spaced),
    **dict.fromkeys(("eye", "identity"), _square),
    **dict.fromkeys(("tile", "repeat"), _repeated),
    **dict.fromkeys(("take", "take_along_axis"), _outer),
    "arange": _arange,
    "diag": _diagonal,
    "meshgrid": lambda call: len(call.args) * _outer(call),
    "where": _broadcast,
    **dict.fromkeys(("broadcast_to", "transpose", "swapaxes", "moveaxis", "expand_dims", "squeeze", "diagonal"), lambda _call: 0),
    "svd": _both_sides,
    "eig": lambda call: 2 * _all(call),
}
"""By name, else by group."""
