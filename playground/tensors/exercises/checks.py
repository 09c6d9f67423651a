"""Checks single properties of a result, each with a message for the learner.

Every function returns an empty string where the property holds, so that checks are chains of `or`, from the most general property to
the most specific. Only `tensor` accepts any object; the others expect a result that passed `tensor`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from playground.messages import msg, nmsg

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
        return msg("`{name}` is still `...`. Replace it by your expression.", name=name)
    if result is None:
        return msg("`{name}` is None. It should be a tensor.", name=name)
    try:
        plain(result)
    except (TypeError, ValueError):
        if isinstance(result, torch.Tensor):
            return msg(
                "`{name}` is a tensor of a special kind (sparse, nested, quantised or on the meta device). It should be an ordinary dense tensor.", name=name
            )
        if isinstance(result, np.ndarray):
            return msg("`{name}` is an array of dtype {dtype}, which PyTorch cannot convert to a tensor.", name=name, dtype=result.dtype)
        return msg("`{name}` is of type {kind}. It should be a tensor.", name=name, kind=type(result).__name__)
    return ""


def shape(name: str, result: Any, expected: tuple[int, ...]) -> str:
    """Check the shape."""
    actual = tuple(plain(result).shape)
    if actual == expected:
        return ""
    if not expected:
        return msg("`{name}` has shape {actual}. It should be a single number, of shape ().", name=name, actual=actual)
    if not isinstance(result, torch.Tensor | np.ndarray):
        return msg("`{name}` is a single number. It should be a tensor of shape {expected}.", name=name, expected=expected)
    return msg("`{name}` has shape {actual}. It should have shape {expected}.", name=name, actual=actual, expected=expected)


def kind(name: str, result: Any, expected: torch.dtype) -> str:
    """Check that the dtype is floating-point or integer as expected, at any precision."""
    actual = plain(result).dtype
    is_integer = not (actual.is_floating_point or actual.is_complex or actual == torch.bool)
    if expected.is_floating_point:
        return "" if actual.is_floating_point else msg("`{name}` has dtype {actual}. It should have a floating-point dtype.", name=name, actual=actual)
    return "" if is_integer else msg("`{name}` has dtype {actual}. It should have an integer dtype.", name=name, actual=actual)


def dtype(name: str, result: Any, expected: torch.dtype) -> str:
    """Check the exact dtype."""
    actual = plain(result).dtype
    return "" if actual == expected else msg("`{name}` has dtype {actual}. It should have dtype {expected}.", name=name, actual=actual, expected=expected)


def finite(name: str, result: Any) -> str:
    """Check that all values are finite."""
    actual = numbers(result)
    if actual.isnan().any():
        return msg("`{name}` contains NaN (“not a number”), the result of 0 / 0 or infinity / infinity.", name=name)
    if actual.isinf().any():
        return msg("`{name}` contains infinity: a number was divided by zero, or exceeded the range of its dtype.", name=name)
    return ""


def close(name: str, result: Any, expected: torch.Tensor) -> str:
    """Check that all values agree with those of a tensor of the same shape, within `TOLERANCE`."""
    actual = numbers(result)
    wrong = ~torch.isclose(actual, expected.double(), rtol=TOLERANCE, atol=TOLERANCE)
    if not wrong.any():
        return ""
    if not actual.dim():
        return msg("`{name}` is {value:.6g}, which is not the expected value.", name=name, value=actual.item())
    first = tuple(wrong.nonzero()[0].tolist())
    place = ", ".join(str(index) for index in first)
    return nmsg(
        "The shape of `{name}` is correct, but {n} of {total} values is not: `{name}[{place}]` = {value:.6g}.",
        "The shape of `{name}` is correct, but {n} of {total} values are not, first `{name}[{place}]` = {value:.6g}.",
        int(wrong.sum()),
        name=name,
        total=actual.numel(),
        place=place,
        value=actual[first].item(),
    )


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
    if _is_in_memory_of(result, value):
        return ""
    return msg("`{name}` is a copy. It should be a view that shares the memory of `{owner}`.", name=name, owner=owner)


def separate(name: str, result: Any, owner: str, value: torch.Tensor | np.ndarray) -> str:
    """Check that the result does not share the memory of the input called `owner`."""
    if not _is_in_memory_of(result, value):
        return ""
    return msg("`{name}` shares the memory of `{owner}`, so writing to one changes the other. It should be a copy.", name=name, owner=owner)
