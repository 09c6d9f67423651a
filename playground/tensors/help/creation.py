"""Generates the code that creates a tensor, from the values of a form."""

from __future__ import annotations

import keyword
import math
import re

from playground.errors import ConfigError
from playground.messages import msg

KINDS = ("zeros", "ones", "full", "rand", "randn", "randint", "arange", "eye", "empty")
"""Functions of PyTorch that create a tensor of a shape."""
_INTEGER_DTYPES = ("int64", "int32", "uint8", "bool")
UNSUPPORTED_DTYPES = {"rand": _INTEGER_DTYPES, "randn": _INTEGER_DTYPES, "randint": ("bool",), "arange": ("bool",)}
"""Dtypes that a function cannot create."""
DTYPES = ("float32", "float64", "int64", "int32", "uint8", "bool")


def creation_source(name: str, kind: str, shape: str, dtype: str, fill: float, seed: int | None) -> str:
    """Return the code that creates the tensor.

    Args:
        name: variable name.
        kind: one of `KINDS`.
        shape: sizes with commas between them.
        dtype: one of `DTYPES`, or `default`.
        fill: the value that `full` fills with.
        seed: argument of `torch.manual_seed`; None leaves the call out.

    Raises:
        ConfigError: the name or the shape cannot be used.
    """
    sizes = [part.strip() for part in re.sub(r"[()\[\]]", "", shape).split(",") if part.strip()]
    problems = []
    if not name.isidentifier() or name.startswith("__") or keyword.iskeyword(name):
        problems.append(msg("“{name}” is not a valid name: use letters, digits and underscores, and no Python keyword.", name=name))
    if not all(size.isascii() and size.isdecimal() and str(int(size)) == size for size in sizes):
        problems.append(msg("“{shape}” is not a shape: write integers separated by commas, such as 3, 4.", shape=shape))
    if dtype in UNSUPPORTED_DTYPES.get(kind, ()):
        problems.append(msg("`{kind}` cannot create a tensor of dtype {dtype}: choose another dtype.", kind=kind, dtype=dtype))
    if problems:
        raise ConfigError(problems)
    typed = "" if dtype == "default" else f", dtype=torch.{dtype}"
    start = [f"torch.manual_seed({seed})"] if seed is not None else []
    return "\n".join([*start, f"{name} = torch.{_call(kind, sizes, fill, typed)}"])


def _call(kind: str, sizes: list[str], fill: float, typed: str) -> str:
    shape = f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
    match kind:
        case "full":
            return f"full({shape}, {_number(fill)}{typed})"  # no text: code
        case "randint":
            return f"randint(0, 10, {shape}{typed})"
        case "arange":
            total = " * ".join(sizes) or "1"
            return f"arange({total}{typed}).view({', '.join(sizes)})" if len(sizes) > 1 else f"arange({total}{typed})"
        case "eye":
            return f"eye({', '.join(sizes[:2]) or '1'}{typed})"
    return f"{kind}({shape}{typed})" if len(sizes) != 1 else f"{kind}({sizes[0]}{typed})"


def _number(fill: float) -> str:
    """Format as Python does, with all digits; integers without a decimal point."""
    if not math.isfinite(fill):
        return f'float("{fill}")'
    return str(int(fill)) if fill == int(fill) and abs(fill) < 2**53 else repr(float(fill))
