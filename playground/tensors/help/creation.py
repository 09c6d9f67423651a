"""The form for those who prefer to pick: a choice written as the line of code that makes the tensor."""

from __future__ import annotations

import keyword
import math
import re

from playground.errors import ConfigError

KINDS = ("zeros", "ones", "full", "rand", "randn", "randint", "arange", "eye", "empty")
"""Functions of torch that make a tensor of a given shape."""
_WHOLE = ("int64", "int32", "uint8", "bool")
NOT_OF = {"rand": _WHOLE, "randn": _WHOLE, "randint": ("bool",), "arange": ("bool",)}
"""What cannot be made of which dtype."""
DTYPES = ("float32", "float64", "int64", "int32", "uint8", "bool")


def creation_source(name: str, kind: str, shape: str, dtype: str, fill: float, seed: int | None) -> str:
    """The code that makes the tensor.

    Args:
        name: what to call it.
        kind: one of `KINDS`.
        shape: sizes with commas between them.
        dtype: one of `DTYPES`, or `default`.
        fill: the value that `full` fills with.
        seed: the random numbers' start; none where None.

    Raises:
        ConfigError: the name or the shape cannot be used.
    """
    sizes = [part.strip() for part in re.sub(r"[()\[\]]", "", shape).split(",") if part.strip()]
    problems = []
    if not name.isidentifier() or name.startswith("__") or keyword.iskeyword(name):
        problems.append(f"“{name}” cannot be a name: use letters, digits and underscores, and none of Python’s own words.")
    if not all(size.isascii() and size.isdecimal() and str(int(size)) == size for size in sizes):
        problems.append(f"“{shape}” is not a shape: write whole numbers with commas between them, such as 3, 4.")
    if dtype in NOT_OF.get(kind, ()):
        problems.append(f"`{kind}` does not make numbers of dtype {dtype}: choose another dtype.")
    if problems:
        raise ConfigError(problems)
    typed = "" if dtype == "default" else f", dtype=torch.{dtype}"
    start = [f"torch.manual_seed({seed})"] if seed is not None else []
    return "\n".join([*start, f"{name} = torch.{_call(kind, sizes, fill, typed)}"])


def _call(kind: str, sizes: list[str], fill: float, typed: str) -> str:
    shape = f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
    match kind:
        case "full":
            return f"full({shape}, {_number(fill)}{typed})"
        case "randint":
            return f"randint(0, 10, {shape}{typed})"
        case "arange":
            total = " * ".join(sizes) or "1"
            return f"arange({total}{typed}).view({', '.join(sizes)})" if len(sizes) > 1 else f"arange({total}{typed})"
        case "eye":
            return f"eye({', '.join(sizes[:2]) or '1'}{typed})"
    return f"{kind}({shape}{typed})" if len(sizes) != 1 else f"{kind}({sizes[0]}{typed})"


def _number(fill: float) -> str:
    """As Python writes it, with all of its digits; whole numbers without a point."""
    if not math.isfinite(fill):
        return f'float("{fill}")'
    return str(int(fill)) if fill == int(fill) and abs(fill) < 2**53 else repr(float(fill))
