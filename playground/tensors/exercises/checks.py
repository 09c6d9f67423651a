"""The properties that checks look at, each with the sentence that says what is not right.

Every function returns an empty text where the property holds, so that checks are chains of `or`, from the coarsest property to
the finest. Only `tensor` takes any object at all; the others want a result in which `tensor` found no fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

TOLERANCE = 1e-4
"""Relative and absolute: float32 sums in another order differ by far less, a forgotten step by far more."""


def plain(result: Any) -> torch.Tensor:
    """A tensor, array or number as a tensor on the CPU, outside any graph; it shares the memory of the result where it can.

    Raises:
        TypeError, ValueError: PyTorch makes no ordinary tensor of it.
    """
    if isinstance(result, torch.Tensor):
        if result.layout != torch.strided or result.is_nested or result.is_quantized or result.is_meta:
            raise TypeError("a tensor without a plain grid of values")
        return result.detach().cpu()
    if isinstance(result, np.ndarray):
        usable = result.flags.writeable and min(result.strides, default=0) >= 0
        return torch.from_numpy(result if usable else result.copy())
    number = result.item() if isinstance(result, np.generic) else result
    if isinstance(number, int | float):
        return torch.tensor(number)
    raise TypeError("no number")


def numbers(result: Any) -> torch.Tensor:
    """The real numbers of a plain result in float64, with which everything can be computed."""
    return plain(result).double()


def tensor(name: str, result: Any) -> str:
    """Whether the result is a tensor, or an array or number that PyTorch makes one of."""
    if result is ...:
        return f"`{name}` is still `...`, the place where your expression goes."
    if result is None:
        return f"`{name}` is None, it should be a tensor."
    try:
        plain(result)
    except (TypeError, ValueError):
        if isinstance(result, torch.Tensor):
            return f"`{name}` is a tensor of a special kind (sparse, nested, quantised or on the meta device), it should be an ordinary one."
        if isinstance(result, np.ndarray):
            return f"`{name}` is an array of dtype {result.dtype}, of which PyTorch makes no tensor."
        return f"`{name}` is of type {type(result).__name__}, it should be a tensor."
    return ""


def shape(name: str, result: Any, wanted: tuple[int, ...]) -> str:
    """Whether it has this shape."""
    found = tuple(plain(result).shape)
    if found == wanted:
        return ""
    if not wanted:
        return f"`{name}` has shape {found}, it should be a single number, of shape ()."
    if not isinstance(result, torch.Tensor | np.ndarray):
        return f"`{name}` is a single number, it should be a tensor of shape {wanted}."
    return f"`{name}` has shape {found}, it should have shape {wanted}."


def kind(name: str, result: Any, wanted: torch.dtype) -> str:
    """Whether it holds the same kind of numbers, decimal or whole, at any precision."""
    found = plain(result).dtype
    whole = not (found.is_floating_point or found.is_complex or found == torch.bool)
    if wanted.is_floating_point:
        return "" if found.is_floating_point else f"`{name}` has dtype {found}, it should hold decimal numbers: a floating-point dtype."
    return "" if whole else f"`{name}` has dtype {found}, it should hold whole numbers: an integer dtype."


def dtype(name: str, result: Any, wanted: torch.dtype) -> str:
    """Whether it has exactly this dtype."""
    found = plain(result).dtype
    return "" if found == wanted else f"`{name}` has dtype {found}, it should have dtype {wanted}."


def finite(name: str, result: Any) -> str:
    """Whether it holds neither NaN nor infinity."""
    found = numbers(result)
    if found.isnan().any():
        return f"`{name}` holds NaN, “not a number”, which is what 0 / 0 and infinity / infinity give."
    return f"`{name}` holds infinity: a number was divided by zero, or grew too large for its dtype." if found.isinf().any() else ""


def close(name: str, result: Any, wanted: torch.Tensor) -> str:
    """Whether its numbers are those of a tensor of the same shape, up to rounding."""
    found = numbers(result)
    wrong = ~torch.isclose(found, wanted.double(), rtol=TOLERANCE, atol=TOLERANCE)
    if not wrong.any():
        return ""
    if not found.dim():
        return f"`{name}` is {found.item():.6g}, which is not right yet."
    first = tuple(wrong.nonzero()[0].tolist())
    place = ", ".join(str(index) for index in first)
    return (
        f"The shape of `{name}` is right; numbers that are not right yet: {int(wrong.sum())} of {found.numel()}, first `{name}[{place}]`, {found[first]:.6g}."
    )


def alike(name: str, result: Any, wanted: torch.Tensor) -> str:
    """Whether it is a tensor of the same shape and kind with the same numbers."""
    return (
        tensor(name, result)
        or shape(name, result, tuple(wanted.shape))
        or kind(name, result, wanted.dtype)
        or finite(name, result)
        or close(name, result, wanted)
    )


def equals(name: str, wanted: Callable[[Mapping[str, Any]], torch.Tensor]) -> Callable[[Mapping[str, Any], Any], str]:
    """A check that computes what is wanted from the inputs, in another way than the solution."""
    return lambda given, result: alike(name, result, wanted(given))


def _inside(result: Any, owner: torch.Tensor | np.ndarray) -> bool:
    memory = plain(owner).untyped_storage()
    return 0 <= plain(result).data_ptr() - memory.data_ptr() < memory.nbytes()


def shares(name: str, result: Any, owner: str, value: torch.Tensor | np.ndarray) -> str:
    """Whether it uses the memory of `owner`, whose value is given too."""
    return "" if _inside(result, value) else f"The numbers of `{name}` are a copy, they should be those in the memory of `{owner}`."


def separate(name: str, result: Any, owner: str, value: torch.Tensor | np.ndarray) -> str:
    """Whether it has a memory of its own, other than that of `owner`, whose value is given too."""
    return f"`{name}` uses the memory of `{owner}`: writing to one changes the other." if _inside(result, value) else ""
