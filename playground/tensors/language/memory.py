"""Snapshots of tensors and arrays: values, shape, strides, and where they lie in memory.

Source: https://docs.pytorch.org/docs/stable/tensor_view.html, https://docs.pytorch.org/docs/stable/tensor_attributes.html
"""

from __future__ import annotations

import itertools
import math
import weakref
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from numpy.lib.array_utils import byte_bounds

Array = Any
"""A `torch.Tensor` or a `numpy.ndarray`."""
ArrayKind = Literal["tensor", "array"]

VISIBLE_CELLS = 1000
"""Cells of one tensor that are shown, at most."""
VISIBLE_ROWS, VISIBLE_COLUMNS, VISIBLE_LENGTH = 25, 40, 100
"""Rows and columns of a matrix that are shown, at most; cells of a 1-d tensor."""
COPIED_CELLS = 10_000
"""Largest number of cells of a tensor that is copied completely, so that its cells can be traced; of a larger one, the visible cells are copied."""


@dataclass(frozen=True)
class Snapshot:
    """A tensor or array at one moment."""

    key: int
    """Identifies the object; see `key_of`."""
    kind: ArrayKind
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    """In elements."""
    offset: int
    """Elements from the start of the storage to the first cell."""
    dtype: str
    device: str
    itemsize: int
    """Bytes of one element."""
    address: int
    """Address of the first cell, in bytes."""
    start: int
    end: int
    """Addresses of the first byte of the storage and of the one after its last."""
    version: int
    """Number of in-place changes that PyTorch counted; 0 for an array."""
    requires_grad: bool
    values: torch.Tensor
    """A copy on the CPU of all cells, or of the visible ones where there are more than `COPIED_CELLS`."""

    @property
    def cells(self) -> int:
        """Number of cells."""
        return math.prod(self.shape)

    @property
    def complete(self) -> bool:
        """Whether `values` has all cells."""
        return self.cells <= COPIED_CELLS

    @cached_property
    def visible_shape(self) -> tuple[int, ...]:
        """Shape of the visible part."""
        return visible_shape(self.shape)

    @cached_property
    def visible_values(self) -> torch.Tensor:
        """Values of the visible cells."""
        return _corner(self.values, self.visible_shape) if self.complete else self.values

    @cached_property
    def visible_cells(self) -> np.ndarray[Any, Any]:
        """Row-major indices of the visible cells."""
        if not self.shape:
            return np.zeros(1, dtype=np.int64)
        indices = np.indices(self.visible_shape).reshape(len(self.shape), -1)
        return np.asarray(sum(index * math.prod(self.shape[axis + 1 :]) for axis, index in enumerate(indices)))

    @cached_property
    def addresses(self) -> np.ndarray[Any, Any]:
        """Addresses of all cells, in row-major order."""
        addresses = np.full(self.shape, self.address, dtype=np.int64)
        for axis, (size, stride) in enumerate(zip(self.shape, self.strides, strict=True)):
            steps = np.arange(size, dtype=np.int64) * (stride * self.itemsize)
            addresses += steps.reshape([-1 if other == axis else 1 for other in range(len(self.shape))])
        return addresses.reshape(-1)

    @property
    def contiguous(self) -> bool:
        """Whether the cells lie in row-major order without gaps."""
        return is_contiguous(self.shape, self.strides)

    def overlaps(self, other: Snapshot) -> bool:
        """Return whether both lie in the same storage."""
        return self.device == other.device and self.start < other.end and other.start < self.end


def visible_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of the visible part: matrices of the last two dimensions, as many as `VISIBLE_CELLS` allow."""
    if len(shape) <= 1:
        return tuple(min(size, VISIBLE_LENGTH) for size in shape)
    sizes = [min(shape[-2], VISIBLE_ROWS), min(shape[-1], VISIBLE_COLUMNS)]
    for size in reversed(shape[:-2]):
        sizes.insert(0, min(size, max(1, VISIBLE_CELLS // max(1, math.prod(sizes)))))
    return tuple(sizes)


def is_contiguous(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """Return whether the cells lie in row-major order without gaps; a tensor without cells is contiguous."""
    if 0 in shape:
        return True
    expected = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size != 1 and stride != expected:
            return False
        expected *= size
    return True


def version_of(tensor: torch.Tensor) -> int:
    """Return the number of in-place changes that PyTorch counted; 0 for an inference tensor, for which it counts none."""
    return 0 if tensor.is_inference() else tensor._version


_KEYS: dict[int, tuple[weakref.ref[Any], int]] = {}
_NUMBERS = itertools.count(1)


def key_of(array: Array) -> int:
    """Return a number that identifies the array; unlike `id`, it is never used again for another array."""
    address = id(array)
    entry = _KEYS.get(address)
    if entry is None or entry[0]() is not array:
        _KEYS[address] = entry = (weakref.ref(array, lambda _reference: _KEYS.pop(address, None)), next(_NUMBERS))
    return entry[1]


def is_within_storage(tensor: torch.Tensor) -> bool:
    """Return whether every cell lies inside the storage. PyTorch sets new sizes before it finds that a storage cannot grow."""
    if not tensor.numel():
        return True
    last = tensor.storage_offset() + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return bool((last + 1) * tensor.element_size() <= tensor.untyped_storage().nbytes())


def snapshot(array: Array) -> Snapshot:
    """Take a snapshot of a tensor or array."""
    return _of_tensor(array) if isinstance(array, torch.Tensor) else _of_numpy(array)


def _of_tensor(tensor: torch.Tensor) -> Snapshot:
    storage = tensor.untyped_storage()
    shape = tuple(tensor.shape)
    part = tensor.detach() if tensor.numel() <= COPIED_CELLS else _corner(tensor.detach(), visible_shape(shape))
    if part.is_cpu and not part.is_conj() and not part.is_neg():
        values = part.clone(memory_format=torch.contiguous_format)
    else:
        values = part.resolve_conj().resolve_neg().to("cpu", copy=True, memory_format=torch.contiguous_format)
    return Snapshot(
        key_of(tensor), "tensor", shape, tuple(tensor.stride()), int(tensor.storage_offset()), str(tensor.dtype).removeprefix("torch."), str(tensor.device),
        tensor.element_size(), tensor.data_ptr(), storage.data_ptr(), storage.data_ptr() + storage.nbytes(), version_of(tensor), tensor.requires_grad, values,
    )  # fmt: skip


def _of_numpy(array: np.ndarray[Any, Any]) -> Snapshot:
    owner: Any = array
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    start, end = byte_bounds(owner)
    if owner.base is not None:  # memory of another object, such as a tensor: at least the bytes of the array itself
        low, high = byte_bounds(array)
        start, end = min(start, low), max(end, high)
    address, itemsize = array.ctypes.data, array.itemsize
    part = array if array.size <= COPIED_CELLS else array[tuple(slice(size) for size in visible_shape(array.shape))]
    return Snapshot(
        key_of(array), "array", array.shape, tuple(stride // itemsize for stride in array.strides), (address - start) // itemsize, array.dtype.name, "cpu",
        itemsize, address, start, end, 0, False, as_tensor(part),
    )  # fmt: skip


def as_tensor(array: Array) -> torch.Tensor:
    """Copy an array to a CPU tensor; a dtype that PyTorch lacks becomes float64."""
    array = np.array(array)
    try:
        return torch.from_numpy(array)
    except TypeError:
        return torch.from_numpy(array.astype(np.float64))


def _corner(tensor: torch.Tensor, sizes: tuple[int, ...]) -> torch.Tensor:
    """Return the first cells of each dimension."""
    return tensor[tuple(slice(size) for size in sizes)]
