"""Bounds the size of a result before any memory is allocated, by performing the operation on the meta device.

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

ELEMENT_BYTES = 8
"""Bytes of one element of the widest dtype that is not complex."""
TENSOR_BYTES = 512
"""Bytes of a small tensor with its metadata."""
UNBOUNDED = 10**18
"""A size that exceeds every limit."""
KEPT = 4096
"""Sizes on the meta device that are kept: in a loop the same shapes come again and again."""
_SIZED_BY_INPUT = frozenset(allowed.SIZED_BY_INPUT.split())
_FREE = frozenset(allowed.FREE.split())
_STATE = frozenset(("manual_seed", "seed", "initial_seed", "Generator"))
_LEGACY = frozenset(name for name in allowed.TORCH[allowed.CREATION].split() if name.endswith("Tensor"))
_SPLITS = frozenset(("split", "tensor_split", "array_split", "chunk", "hsplit", "vsplit", "dsplit", "unbind"))


def result_bytes(call: Call) -> int:
    """Return an upper bound for the bytes that the call allocates for its result.

    Raises nothing for an invalid call: the error that PyTorch raises later says more.
    """
    key: tuple[Any, ...] | None
    try:
        key = (call.entry.name, call.entry.variant, torch.get_default_dtype(), _signature(call.args), _signature(tuple(call.kwargs.items())))
        known = _SIZES.get(key)
    except TypeError:  # an argument cannot be compared
        key = known = None
    if known is not None:
        return known
    try:
        size, depends_on_values = _bytes(call)
    except (OverflowError, RecursionError, MemoryError):
        return UNBOUNDED
    except Exception:
        return ELEMENT_BYTES * _argument_elements(call)
    if key is not None and not depends_on_values:
        if len(_SIZES) >= KEPT:
            _SIZES.clear()
        _SIZES[key] = size
    return size


def _bytes(call: Call) -> tuple[int, bool]:
    """Return the bound, and whether it depends on the values of tensors, not only on their shapes and dtypes."""
    name, arrays = call.entry.short, call.arrays
    if name in _FREE:
        return 0, False
    if rule := _BY_VALUE.get(call.entry.name, _BY_VALUE.get(name)):
        return rule(call), True
    if name in _SPLITS:
        return TENSOR_BYTES * int(max(_largest_integer(call.args[1:]), _largest_integer(list(call.kwargs.values())), *np.shape(call.args[0]))), True
    if name in _SIZED_BY_INPUT:
        return ELEMENT_BYTES * _argument_elements(call), False
    if call.entry.is_numpy or (arrays and not any(isinstance(array, torch.Tensor) for array in arrays)):
        return _numpy_bytes(call), True
    if name in _STATE or (call.entry.group in (allowed.CONVERSION, allowed.AUTOGRAD) and not arrays):
        return 0, False
    if name in _LEGACY:
        return ELEMENT_BYTES * max(_product(call.args), count_elements(call.args)), True
    return _meta_bytes(call), False


def count_elements(value: Any, _counts: dict[int, int] | None = None) -> int:
    """Count the numbers in a value: elements of arrays and of nested lists. A list that occurs twice counts twice."""
    counts = {} if _counts is None else _counts
    if isinstance(value, torch.Tensor):
        return value.numel()
    if isinstance(value, np.ndarray):
        return value.size
    if isinstance(value, (str, range)):
        return len(value)
    if isinstance(value, (list, tuple, dict, set)):
        if id(value) not in counts:
            counts[id(value)] = 0  # for a list that contains itself
            parts = [*value, *value.values()] if isinstance(value, dict) else value
            counts[id(value)] = sum(count_elements(part, counts) for part in parts) + 1
        return counts[id(value)]
    return 1


def count_leaves(value: Any, _counts: dict[int, int] | None = None) -> int:
    """Count the values in nested lists, with an array as one. A list that occurs twice counts twice."""
    if not isinstance(value, (list, tuple, dict)):
        return 1
    counts = {} if _counts is None else _counts
    if id(value) not in counts:
        counts[id(value)] = UNBOUNDED  # for a list that contains itself
        counts[id(value)] = sum(count_leaves(part, counts) for part in (value.values() if isinstance(value, dict) else value)) + 1
    return counts[id(value)]


_SIZES: dict[Any, int] = {}


def _signature(value: Any) -> Any:
    """Return what a result's size depends on: of a tensor its shape, strides and dtype, of other values all.

    Raises:
        TypeError: the value cannot be compared.
    """
    if isinstance(value, torch.Tensor):
        return value.shape, value.stride(), value.dtype
    if isinstance(value, np.ndarray):
        raise TypeError("NumPy has no meta device")
    if isinstance(value, (list, tuple)):
        return type(value), tuple(map(_signature, value))
    if isinstance(value, slice):
        return slice, _signature((value.start, value.stop, value.step))
    hash(value)
    return type(value), value


def _meta_bytes(call: Call) -> int:
    """Return the size of the result on the meta device, which depends on shapes and dtypes only; where that fails, the size of the arguments."""
    args, kwargs = on_meta(call.args), on_meta({name: value for name, value in call.kwargs.items() if name != "generator"})
    if "device" in kwargs:
        kwargs["device"] = "meta"
    operands = arrays_in([args, kwargs])
    bytes_before = {id(array): int(array.nbytes) for array in operands}
    try:
        with torch.device("meta") if not operands else nullcontext():
            result = call.entry.function(*args, **kwargs)
    except Exception:
        return ELEMENT_BYTES * _argument_elements(call)
    arrays = {id(array): array for array in (*arrays_in(result), *operands)}
    return sum(int(array.nbytes) for array in arrays.values() if not _is_already_allocated(array, bytes_before))


def _is_already_allocated(array: Any, bytes_before: dict[int, int]) -> bool:
    """Return whether an array is an operand that has not grown, or a view of an operand."""
    return bytes_before.get(id(array), -1) >= array.nbytes or (isinstance(array, torch.Tensor) and id(array._base) in bytes_before)


def on_meta(value: Any) -> Any:
    """Replace every tensor in a value by one on the meta device with the same shape, strides and dtype."""
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
    """Bound the result of a NumPy operation by its kind, because NumPy has no meta device."""
    name = call.entry.short
    if name in ("[]", "[]="):
        return _indexed(call)
    rule = _NUMPY.get(name, _NUMPY.get(call.entry.group, _argument_elements))
    return ELEMENT_BYTES * rule(call)


def _argument(call: Call, position: int, name: str, default: Any) -> Any:
    """Return an argument that is passed by position or by name."""
    return call.kwargs.get(name, call.args[position] if len(call.args) > position else default)


def _argument_elements(call: Call) -> int:
    return count_elements([*call.args, *call.kwargs.values()])


def _broadcast(call: Call) -> int:
    values = [value for value in [*call.args, *call.kwargs.values()] if isinstance(value, (np.ndarray, np.generic, list, tuple, int, float, torch.Tensor))]
    return math.prod(np.broadcast_shapes(*(np.shape(value) for value in values)))


def _created(call: Call) -> int:
    """Count the elements of an array that is created by shape, or like another array."""
    shape = _argument(call, 0, "shape", ())
    return _argument_elements(call) if call.entry.short.endswith("_like") else max(_product(shape), _argument_elements(call))


def _arange(call: Call) -> int:
    numbers = [float(value) for value in call.args[:3] if _is_number(value)]
    start, stop, step = [0.0, *numbers, 1.0] if len(numbers) == 1 else [*numbers, *(0.0, 0.0, 1.0)[len(numbers) :]]
    start, stop, step = (float(call.kwargs.get(name, value)) for name, value in (("start", start), ("stop", stop), ("step", step)))
    return math.ceil(abs(stop - start) / abs(step)) + 1


def _spaced(call: Call) -> int:
    ends = max(1, count_elements(_argument(call, 0, "start", 0)), count_elements(_argument(call, 1, "stop", 0)))
    return int(_argument(call, 2, "num", 50)) * ends


def _square(call: Call) -> int:
    rows = _largest_integer(_argument(call, 0, "N", call.kwargs.get("n", 1)))
    return rows * (_largest_integer(_argument(call, 1, "M", None)) or rows)


def _diagonal(call: Call) -> int:
    side = max(1, count_elements(_argument(call, 0, "v", ()))) + abs(int(_argument(call, 1, "k", 0)))
    return side * side


def _random(call: Call) -> int:
    """Count random numbers: the size argument, the range that they are drawn from, and the other arguments."""
    name, args = call.entry.short, call.args[1:] if call.entry.name.startswith("NumpyGenerator") else call.args
    position = {"randint": 2, "integers": 2, "normal": 2, "uniform": 2, "choice": 1}.get(name, 0)
    size = args if name in ("rand", "randn") else call.kwargs.get("size", args[position : position + 1])
    return max(_product(size), _largest_integer(args) if name in ("choice", "permutation") else 0, _argument_elements(call))


def _outer(call: Call) -> int:
    return math.prod(max(1, count_elements(value)) for value in [*call.args, *call.kwargs.values()])


def _repeated(call: Call) -> int:
    """Count the elements of `tile` and `repeat`."""
    repeats = _integers(_argument(call, 1, "reps", call.kwargs.get("repeats", 1)))
    factor = math.prod(repeats) if call.entry.short == "tile" else max(sum(repeats), max(repeats, default=0))
    return count_elements(_argument(call, 0, "A", call.kwargs.get("a", ()))) * max(1, factor)


def _matrix_product(call: Call) -> int:
    """Count the elements of a product of matrices as PyTorch does; of batches, those of the outer product."""
    shapes = [np.shape(value) for value in call.args[:2]]
    if max(map(len, shapes)) > 2:
        return _outer(call)
    return int(torch.matmul(*(torch.empty(shape, device="meta") for shape in shapes)).numel())


def _indexed(call: Call) -> int:
    index = call.args[1] if isinstance(call.args[1], tuple) else (call.args[1],)
    index_sizes = [count_elements(part) for part in index if isinstance(part, (np.ndarray, list, torch.Tensor))]
    width = max(1, count_elements(call.args[0])) if any(index_sizes) else 0
    return ELEMENT_BYTES * max(index_sizes, default=0) * width


def _integers(value: Any) -> list[int]:
    """Return the integers in a value, flattened."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return [int(number) for number in value.reshape(-1)[:1000].tolist()]
    if isinstance(value, (list, tuple)):
        return [number for part in value for number in _integers(part)]
    return [int(value)] if isinstance(value, (int, np.integer)) and not isinstance(value, bool) else []


def _product(value: Any) -> int:
    """Return the product of a shape's sizes; 1 for an array of several numbers."""
    if isinstance(value, (torch.Tensor, np.ndarray)) and value.ndim and count_elements(value) > 1:
        return 1
    return math.prod(max(0, number) for number in _integers(value))


def _largest_integer(value: Any) -> int:
    """Return the largest integer in a value; 0 if there is none."""
    return max(_integers(value), default=0)


def _is_number(value: Any) -> bool:
    single = isinstance(value, (torch.Tensor, np.ndarray)) and value.ndim == 0
    return single or (isinstance(value, (int, float, np.number)) and not isinstance(value, bool))


def _bincount(call: Call) -> int:
    values = _argument(call, 0, "input", call.kwargs.get("x", ()))
    return ELEMENT_BYTES * max(_maximum(values) + 1, _largest_integer(list(call.args[1:])), _largest_integer(list(call.kwargs.values())))


def _maximum(value: Any) -> int:
    """Return the maximum of an array of integers; 0 for other dtypes."""
    array = np.asarray(value.tolist() if isinstance(value, (torch.Tensor, np.ndarray)) else value)
    return int(array.max(initial=0)) if array.size and array.dtype.kind in "iu" else 0


def _one_hot(call: Call) -> int:
    labels = _argument(call, 0, "tensor", ())
    classes = max(_maximum(labels) + 1, _largest_integer(list(call.args[1:])), _largest_integer(call.kwargs.get("num_classes", 0)))
    return ELEMENT_BYTES * count_elements(labels) * classes


def _repeat_interleave(call: Call) -> int:
    """Bound the repeated slices of a tensor; with one tensor alone, its indices, each repeated as often as the tensor says."""
    values = _argument(call, 0, "input", call.kwargs.get("self", ()))
    repeats = _argument(call, 1, "repeats", values)
    factor = int(repeats.sum()) if isinstance(repeats, torch.Tensor) else _largest_integer(repeats)
    return ELEMENT_BYTES * max(1, count_elements(values)) * max(1, factor)


def _covariance(call: Call) -> int:
    rows = np.shape(_argument(call, 0, "input", ()))[:1] or (1,)
    return ELEMENT_BYTES * (rows[0] ** 2 + _argument_elements(call))


def _normal(call: Call) -> int:
    """Bound `torch.normal`, which with a size ignores the meta device."""
    size = _argument(call, 2, "size", None)
    return ELEMENT_BYTES * (_product(size) if size is not None else _broadcast(call))


def _nonzero(call: Call) -> int:
    return ELEMENT_BYTES * count_elements(call.args[0]) * max(1, len(np.shape(call.args[0])))


def _svd(call: Call) -> int:
    """Count the elements of the two square factors of a singular value decomposition."""
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
"""Operations whose size depends on values, or that the meta device does not support: upper bound in bytes."""

_NUMPY: dict[str, Callable[[Call], int]] = {
    allowed.CREATION: _created,
    allowed.RANDOM: _random,
    allowed.POINTWISE: _broadcast,
    allowed.COMPARISON: _broadcast,
    allowed.ALGEBRA: _outer,
    **dict.fromkeys(("array", "asarray", "copy", "sort", "argsort", "trace", "norm", "det", "inv", "solve"), _argument_elements),
    **dict.fromkeys(("matmul", "@", "dot"), _matrix_product),
    **dict.fromkeys(("linspace", "logspace"), _spaced),
    **dict.fromkeys(("eye", "identity"), _square),
    **dict.fromkeys(("tile", "repeat"), _repeated),
    **dict.fromkeys(("take", "take_along_axis"), _outer),
    "arange": _arange,
    "diag": _diagonal,
    "meshgrid": lambda call: len(call.args) * _outer(call),
    "where": _broadcast,
    **dict.fromkeys(("broadcast_to", "transpose", "swapaxes", "moveaxis", "expand_dims", "squeeze", "diagonal"), lambda _call: 0),
    "svd": _svd,
    "eig": lambda call: 2 * _argument_elements(call),
}
"""Operations of NumPy by name, else by group: upper bound for the number of elements."""
