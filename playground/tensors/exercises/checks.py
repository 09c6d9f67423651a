"""Checks single properties of a result, each with a message for the learner.

Every function returns an empty string where the property holds, so that checks are chains of `or`, from the most general property to
the most specific. Only `tensor` accepts any object; the others expect a result that passed `tensor`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

TOLERANCE = 1e-4
"""Relative and absolute tolerance: larger than the rounding errors of float32 sums, smaller than the effect of a missing step."""


def plain(result: Any) -> torch.Tensor:
    """Convert a tensor, array or number to a detached CPU tensor, which shares the memory of the result where possible.

    Raises:
        TypeError, ValueError: it cannot be converted to a dense tensor.
    """
    if isinstance(result, torch.Tensor):
        if result.layout != torch.strided or result.is_nested or result.is_quantized or result.is_meta:
            raise TypeError("not a dense tensor")
        return result.detach().cpu()
    if isinstance(result, np.ndarray):
        usable = result.flags.writeable and min(result.strides, default=0) >= 0
        return torch.from_numpy(result if usable else result.copy())
    number = result.item() if isinstance(result, np.generic) else result
    if isinstance(number, int | float):
        return torch.tensor(number)
    raise TypeError("not a number")


def numbers(result: Any) -> torch.Tensor:
    """Convert a result to a float64 tensor."""
    return plain(result).double()


def tensor(name: str, result: Any) -> str:
    """Check that the result is a tensor, or an array or number that converts to one."""
    if result is ...:
        return f"`{name}` is still `...`. Replace it by your expression."
    if result is None:
        return f"`{name}` is None. It should be a tensor."
    try:
        plain(result)
    except (TypeError, ValueError):
        if isinstance(result, torch.Tensor):
            return f"`{name}` is a tensor of a special kind (sparse, nested, quantised or on the meta device). It should be an ordinary dense tensor."
        if isinstance(result, np.ndarray):
            return f"`{name}` is an array of dtype {result.dtype}, which PyTorch cannot convert to a tensor."
        return f"`{name}` is of type {type(result).__name__}. It should be a tensor."
    return ""


def shape(name: str, result: Any, expected: tuple[int, ...]) -> str:
    """Check the shape."""
    actual = tuple(plain(result).shape)
    if actual == expected:
        return ""
    if not expected:
        return f"`{name}` has shape {actual}. It should be a single number, of shape ()."
    if not isinstance(result, torch.Tensor | np.ndarray):
        return f"`{name}` is a single number. It should be a tensor of shape {expected}."
    return f"`{name}` has shape {actual}. It should have shape {expected}."


def kind(name: str, result: Any, expected: torch.dtype) -> str:
    """Check that the dtype is floating-point or integer as expected, at any precision."""
    actual = plain(result).dtype
    is_integer = not (actual.is_floating_point or actual.is_complex or actual == torch.bool)
    if expected.is_floating_point:
        return "" if actual.is_floating_point else f"`{name}` has dtype {actual}. It should have a floating-point dtype."
    return "" if is_integer else f"`{name}` has dtype {actual}. It should have an integer dtype."


def dtype(name: str, result: Any, expected: torch.dtype) -> str:
    """Check the exact dtype."""
    actual = plain(result).dtype
    return "" if actual == expected else f"`{name}` has dtype {actual}. It should have dtype {expected}."


def finite(name: str, result: Any) -> str:
    """Check that all values are finite."""
    actual = numbers(result)
    if actual.isnan().any():
        return f"`{name}` contains NaN (“not a number”), the result of 0 / 0 or infinity / infinity."
    return f"`{name}` contains infinity: a number was divided by zero, or exceeded the range of its dtype." if actual.isinf().any() else ""


def close(name: str, result: Any, expected: torch.Tensor) -> str:
    """Check that all values agree with those of a tensor of the same shape, within `TOLERANCE`."""
    actual = numbers(result)
    wrong = ~torch.isclose(actual, expected.double(), rtol=TOLERANCE, atol=TOLERANCE)
    if not wrong.any():
        return ""
    if not actual.dim():
        return f"`{name}` is {actual.item():.6g}, which is not the expected value."
    first = tuple(wrong.nonzero()[0].tolist())
    place = ", ".join(str(index) for index in first)
    return f"The shape of `{name}` is correct, but {int(wrong.sum())} of {actual.numel()} values are not, first `{name}[{place}]` = {actual[first]:.6g}."


def alike(name: str, result: Any, expected: torch.Tensor) -> str:
    """Check that the result is a tensor with the expected shape, kind of dtype and values."""
    return (
        tensor(name, result)
        or shape(name, result, tuple(expected.shape))
        or kind(name, result, expected.dtype)
        or finite(name, result)
        or close(name, result, expected)
    )


def equals(name: str, expected: Callable[[Mapping[str, Any]], torch.Tensor]) -> Callable[[Mapping[str, Any], Any], str]:
    """Return a check that computes the expected tensor from the inputs, in another way than the solution."""
    return lambda inputs, result: alike(name, result, expected(inputs))


def _is_in_memory_of(result: Any, owner: torch.Tensor | np.ndarray) -> bool:
    """Return whether the first cell of a result lies in the storage of a tensor or array."""
    memory = plain(owner).untyped_storage()
    return 0 <= plain(result).data_ptr() - memory.data_ptr() < memory.nbytes()


def shares(name: str, result: Any, owner: str, value: torch.Tensor | np.ndarray) -> str:
    """Check that the result shares the memory of the input called `owner`."""
    return "" if _is_in_memory_of(result, value) else f"`{name}` is a copy. It should be a view that shares the memory of `{owner}`."


def separate(name: str, result: Any, owner: str, value: torch.Tensor | np.ndarray) -> str:
    """Check that the result does not share the memory of the input called `owner`."""
    return f"`{name}` shares the memory of `{owner}`, so writing to one changes the other. It should be a copy." if _is_in_memory_of(result, value) else ""
