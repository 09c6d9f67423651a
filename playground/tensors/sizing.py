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

from playground.tensors import allowed
from playground.tensors.calls import Call, arrays_in

WIDEST = 16
"""Bytes of the widest number, complex128."""
_BY_INPUT = frozenset(allowed.SIZED_BY_INPUT.split())
_STATE = frozenset(("manual_seed", "seed", "initial_seed", "Generator"))
_LEGACY = frozenset(name for name in allowed.TORCH[allowed.CREATION].split() if name.endswith("Tensor"))


def result_bytes(call: Call) -> int:
    """An upper bound, in bytes, of what the call will allocate for its result.

    The call may still fail; what it then says is better than what the meta device says, so no error comes from here.
    """
    name = call.entry.short
    if rule := _BY_VALUE.get(name):
        return rule(call)
    if name in _BY_INPUT:
        return WIDEST * count((call.args, list(call.kwargs.values())))
    arrays = call.arrays
    if call.entry.is_numpy or (arrays and not any(isinstance(array, torch.Tensor) for array in arrays)):
        return _numpy_bytes(call)
    if name in _STATE or (call.entry.group in (allowed.CONVERSION, allowed.AUTOGRAD) and not arrays):
        return 0
    if name in _LEGACY:
        return WIDEST * (_product(call.args) if all(isinstance(arg, int) for arg in call.args) else count(call.args))
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


def _meta_bytes(call: Call) -> int:
    """The result's size as the meta device has it; where that does not know the operation, as much as its inputs."""
    args, kwargs = on_meta(call.args), on_meta({name: value for name, value in call.kwargs.items() if name != "generator"})
    if "device" in kwargs:
        kwargs["device"] = "meta"
    try:
        with torch.device("meta") if not call.arrays else nullcontext():
            result = call.entry.function(*args, **kwargs)
    except Exception:
        return WIDEST * count((call.args, list(call.kwargs.values())))
    return sum(array.numel() * array.element_size() for array in arrays_in(result if isinstance(result, (torch.Tensor, tuple, list)) else args))


def on_meta(value: Any) -> Any:
    """The same value with every tensor on the meta device, its shape, strides and dtype kept."""
    if isinstance(value, torch.Tensor):
        return torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device="meta")
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        return type(value)(on_meta(part) for part in value) if type(value) in (list, tuple) else tuple(on_meta(part) for part in value)
    if isinstance(value, dict):
        return {name: on_meta(part) for name, part in value.items()}
    if isinstance(value, slice):
        return slice(on_meta(value.start), on_meta(value.stop), on_meta(value.step))
    return value


def _numpy_bytes(call: Call) -> int:
    """NumPy has no meta device: a bound by the kind of operation."""
    name, given = call.entry.short, [*call.args, *call.kwargs.values()]
    rule = _NUMPY.get(name, _NUMPY.get(call.entry.group))
    if name in ("[]", "[]="):
        return _indexed(call)
    return WIDEST * (rule(call) if rule else count(given))


def _broadcast(call: Call) -> int:
    shapes = [np.shape(value) for value in call.args if isinstance(value, (np.ndarray, list, tuple, int, float, torch.Tensor))]
    try:
        return math.prod(np.broadcast_shapes(*shapes))
    except ValueError:
        return 0  # NumPy will say so itself


def _made(call: Call) -> int:
    """Creation by shape, by bounds or from other arrays."""
    name = call.entry.short
    if name in ("arange", "linspace", "logspace"):
        numbers = [float(value) for value in [*call.args, *call.kwargs.values()] if isinstance(value, (int, float)) and not isinstance(value, bool)]
        return _range_length(name, numbers)
    return max(_product(call.kwargs.get("shape", call.args[:1])), count(list(call.args)))


def _drawn(call: Call) -> int:
    """Random numbers: as many as the argument that says so."""
    name, args = call.entry.short, call.args[1:] if call.entry.name.startswith("NumpyGenerator") else call.args
    place = {"randint": 2, "integers": 2, "normal": 2, "uniform": 2, "choice": 1}.get(name, 0)
    size = args if name in ("rand", "randn") else call.kwargs.get("size", args[place : place + 1])
    return max(_product(size), count(list(args)))


def _range_length(name: str, numbers: list[float]) -> int:
    if name != "arange":
        return int(max(50.0, *numbers[2:3], 0.0))
    start, stop, step = ([0.0, *numbers, 1.0] if len(numbers) == 1 else [*numbers, 1.0])[:3] if numbers else (0.0, 0.0, 1.0)
    length = abs(stop - start) / abs(step) if step else 0.0
    return int(min(length, 1e18)) + 1 if math.isfinite(length) else 10**18


def _outer(call: Call) -> int:
    return math.prod(max(1, count(value)) for value in call.args)


def _repeated(call: Call) -> int:
    """`tile` and `repeat`: the input as often as is asked."""
    times = call.args[1] if len(call.args) > 1 else call.kwargs.get("reps", call.kwargs.get("repeats", 1))
    return count(call.args[0]) * max(1, _product(times))


def _multiplied(call: Call) -> int:
    """Products of matrices: what the same shapes give in PyTorch, or every pair."""
    shapes = [np.shape(value) for value in call.args[:2]]
    try:
        tried = [torch.empty(shape, device="meta") for shape in shapes]
        return int(torch.matmul(*tried).numel()) if max(map(len, shapes)) <= 2 else _outer(call)
    except RuntimeError:
        return _outer(call)


def _indexed(call: Call) -> int:
    index = call.args[1] if isinstance(call.args[1], tuple) else (call.args[1],)
    picked = [count(part) for part in index if isinstance(part, (np.ndarray, list, torch.Tensor))]
    width = max(1, count(call.args[0])) if any(picked) else 0
    return WIDEST * min(max(picked, default=0) * width, 10**18)


def _product(value: Any) -> int:
    """The product of all whole numbers in a value."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return int(np.prod(np.asarray(value.tolist(), dtype=np.float64))) if count(value) < 100 else count(value)
    if isinstance(value, (list, tuple)):
        return math.prod(_product(part) for part in value)
    return max(0, int(value)) if isinstance(value, (int, np.integer)) and not isinstance(value, bool) else 1


def _largest(value: Any) -> int:
    numbers = np.asarray(value.tolist() if isinstance(value, (torch.Tensor, np.ndarray)) else value)
    return int(numbers.max(initial=0)) if numbers.size and numbers.dtype.kind in "iu" else 0


def _bincount(call: Call) -> int:
    return WIDEST * max(_largest(call.args[0]) + 1, _product(call.args[1:]), _product(list(call.kwargs.values())))


def _one_hot(call: Call) -> int:
    classes = max(_largest(call.args[0]) + 1, _product(call.args[1:]), _product(list(call.kwargs.values())))
    return WIDEST * count(call.args[0]) * classes


def _repeat_interleave(call: Call) -> int:
    repeats = call.args[1] if len(call.args) > 1 else call.kwargs.get("repeats", call.args[0])
    most = int(repeats.sum()) if isinstance(repeats, torch.Tensor) and repeats.numel() else _product(repeats)
    return WIDEST * max(1, count(call.args[0])) * max(1, most)


def _squared(call: Call) -> int:
    rows = call.args[0].shape[0] if call.args[0].ndim > 1 else 1
    return WIDEST * (rows * rows + count(call.args[0]))


_BY_VALUE: dict[str, Callable[[Call], int]] = {
    "bincount": _bincount,
    "one_hot": _one_hot,
    "repeat_interleave": _repeat_interleave,
    "cov": _squared,
    "corrcoef": _squared,
}
"""Operations of which the values, or the first dimension, decide the size, and that the meta device does not know."""

_NUMPY: dict[str, Callable[[Call], int]] = {
    allowed.CREATION: _made,
    allowed.RANDOM: _drawn,
    allowed.POINTWISE: _broadcast,
    allowed.COMPARISON: _broadcast,
    allowed.ALGEBRA: _outer,
    "array": lambda call: count(call.args),
    "asarray": lambda call: count(call.args),
    "copy": lambda call: count(call.args),
    "diag": lambda call: (max(1, count(call.args[0])) + abs(_product(call.args[1:]))) ** 2,
    "meshgrid": lambda call: len(call.args) * _outer(call),
    "tile": _repeated,
    "repeat": _repeated,
    "where": _broadcast,
    "matmul": _multiplied,
    "@": _multiplied,
    "dot": _multiplied,
    "sort": lambda call: count(call.args),
    "argsort": lambda call: count(call.args),
    "broadcast_to": lambda _call: 0,
    "identity": lambda call: _product(call.args[:1]) ** 2,
    "eye": lambda call: _product(call.args[:1]) ** 2 * max(1, _product(call.args[1:2])),
    "trace": lambda call: count(call.args),
    "norm": lambda call: count(call.args),
    "det": lambda call: count(call.args),
    "inv": lambda call: count(call.args),
    "svd": lambda call: count(call.args[0]) * 4,
    "eig": lambda call: count(call.args[0]) * 2,
    "solve": lambda call: count(call.args),
}
