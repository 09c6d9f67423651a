"""How a tensor or array lies in memory: shape, strides, offset, and which bytes it shares with others.

Source: https://docs.pytorch.org/docs/stable/tensor_view.html, https://docs.pytorch.org/docs/stable/tensor_attributes.html
"""

from __future__ import annotations

import itertools
import math
import weakref
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.lib.array_utils import byte_bounds

Array = Any
"""A `torch.Tensor` or a `numpy.ndarray`."""

CELLS = 1000
"""Cells of one tensor that are shown."""
ROWS, COLUMNS, LINE = 25, 40, 100
"""Rows and columns of a grid that are shown; cells of a 1-d tensor."""
KEPT = 10_000
"""Cells up to which all values of a tensor are kept, so that it can be traced; of a larger one, those that are shown."""


@dataclass(frozen=True)
class Snapshot:
    """A tensor or array as it was at one moment."""

    key: int
    """Tells the objects of one statement apart."""
    kind: str
    """`tensor` or `array`."""
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    """In elements, as PyTorch counts."""
    offset: int
    """Elements from the start of the storage to the first cell."""
    dtype: str
    device: str
    itemsize: int
    """Bytes of one element."""
    address: int
    """Of the first cell."""
    start: int
    end: int
    """The storage's first byte and the one after its last."""
    version: int
    """PyTorch's count of in-place changes; 0 for an array."""
    requires_grad: bool
    values: torch.Tensor
    """A copy on the CPU: of all cells, or of those shown where there are more than `KEPT`."""

    @property
    def cells(self) -> int:
        return math.prod(self.shape)

    @property
    def complete(self) -> bool:
        """Whether all values were kept."""
        return self.cells <= KEPT

    @cached_property
    def shown(self) -> tuple[int, ...]:
        return shown(self.shape)

    @cached_property
    def shown_values(self) -> torch.Tensor:
        return _first(self.values, self.shown) if self.complete else self.values

    @cached_property
    def shown_cells(self) -> np.ndarray[Any, Any]:
        """Row-major indices of the shown cells."""
        if not self.shape:
            return np.zeros(1, dtype=np.int64)
        places = np.indices(self.shown).reshape(len(self.shape), -1)
        return np.asarray(sum(place * math.prod(self.shape[axis + 1 :]) for axis, place in enumerate(places)))

    @cached_property
    def addresses(self) -> np.ndarray[Any, Any]:
        """The address of every cell, in row-major order."""
        found = np.full(self.shape, self.address, dtype=np.int64)
        for axis, (size, stride) in enumerate(zip(self.shape, self.strides, strict=True)):
            steps = np.arange(size, dtype=np.int64) * (stride * self.itemsize)
            found += steps.reshape([-1 if other == axis else 1 for other in range(len(self.shape))])
        return found.reshape(-1)

    @property
    def contiguous(self) -> bool:
        """Whether the cells follow one another in row-major order."""
        return is_contiguous(self.shape, self.strides)

    def overlaps(self, other: Snapshot) -> bool:
        """Whether both lie in the same storage."""
        return self.device == other.device and self.start < other.end and other.start < self.end


def shown(shape: tuple[int, ...]) -> tuple[int, ...]:
    """How many cells of each dimension are shown: the last two as a grid, leading ones while there is room."""
    if len(shape) <= 1:
        return tuple(min(size, LINE) for size in shape)
    sizes = [min(shape[-2], ROWS), min(shape[-1], COLUMNS)]
    for size in reversed(shape[:-2]):
        room = CELLS // max(1, math.prod(sizes))
        sizes.insert(0, min(size, max(1, room)))
    return tuple(sizes)


def is_contiguous(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """Whether the cells follow one another in row-major order; one without cells always is."""
    if 0 in shape:
        return True
    expected = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size != 1 and stride != expected:
            return False
        expected *= size
    return True


_KEYS: dict[int, tuple[weakref.ref[Any], int]] = {}
_NUMBERS = itertools.count(1)


def key_of(array: Array) -> int:
    """A number that no other array has or will have; unlike `id`, which the next one may get when this one is gone."""
    place = id(array)
    known = _KEYS.get(place)
    if known is None or known[0]() is not array:
        _KEYS[place] = known = (weakref.ref(array, lambda _gone: _KEYS.pop(place, None)), next(_NUMBERS))
    return known[1]


def within_storage(tensor: torch.Tensor) -> bool:
    """Whether every cell lies inside the storage. PyTorch sets new sizes before it finds that a storage cannot grow."""
    if not tensor.numel():
        return True
    last = tensor.storage_offset() + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return bool((last + 1) * tensor.element_size() <= tensor.untyped_storage().nbytes())


def snapshot(array: Array) -> Snapshot:
    """The array as it is now."""
    return _of_tensor(array) if isinstance(array, torch.Tensor) else _of_numpy(array)


def _of_tensor(tensor: torch.Tensor) -> Snapshot:
    storage = tensor.untyped_storage()
    shape = tuple(tensor.shape)
    with torch.no_grad():
        part = tensor if tensor.numel() <= KEPT else _first(tensor, shown(shape))
        values = part.detach().resolve_conj().resolve_neg().to("cpu", copy=True, memory_format=torch.contiguous_format)
    return Snapshot(
        key_of(tensor), "tensor", shape, tuple(tensor.stride()), int(tensor.storage_offset()), str(tensor.dtype).removeprefix("torch."), str(tensor.device),
        tensor.element_size(), tensor.data_ptr(), storage.data_ptr(), storage.data_ptr() + storage.nbytes(), tensor._version, tensor.requires_grad, values,
    )  # fmt: skip


def _of_numpy(array: np.ndarray[Any, Any]) -> Snapshot:
    owner: Any = array
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    start, end = byte_bounds(owner)
    if owner.base is not None:  # the memory of something else, a tensor's for instance: at least what the array itself covers
        low, high = byte_bounds(array)
        start, end = min(start, low), max(end, high)
    address, itemsize = array.ctypes.data, array.itemsize
    part = array if array.size <= KEPT else array[tuple(slice(size) for size in shown(array.shape))]
    return Snapshot(
        key_of(array), "array", array.shape, tuple(stride // itemsize for stride in array.strides), (address - start) // itemsize, array.dtype.name, "cpu",
        itemsize, address, start, end, 0, False, as_tensor(part),
    )  # fmt: skip


def as_tensor(array: Array) -> torch.Tensor:
    """A copy as a tensor on the CPU, of the nearest dtype that PyTorch has."""
    array = np.array(array)
    try:
        return torch.from_numpy(array)
    except TypeError:
        return torch.from_numpy(array.astype(np.float64))


def _first(tensor: torch.Tensor, sizes: tuple[int, ...]) -> torch.Tensor:
    return tensor[tuple(slice(size) for size in sizes)]
