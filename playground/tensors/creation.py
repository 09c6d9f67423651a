"""The form for those who prefer to pick: a choice written as the line of code that makes the tensor."""

from __future__ import annotations

import re

from playground.errors import ConfigError

KINDS = ("zeros", "ones", "full", "rand", "randn", "randint", "arange", "eye", "empty")
"""Functions of torch that make a tensor of a given shape."""
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
    if not name.isidentifier() or name.startswith("__"):
        problems.append(f"“{name}” cannot be a name: use letters, digits and underscores.")
    if not all(size.isdecimal() for size in sizes):
        problems.append(f"“{shape}” is not a shape: write whole numbers with commas between them, such as 3, 4.")
    if problems:
        raise ConfigError(problems)
    typed = "" if dtype == "default" else f", dtype=torch.{dtype}"
    start = [f"torch.manual_seed({seed})"] if seed is not None else []
    return "\n".join([*start, f"{name} = torch.{_call(kind, sizes, fill, typed)}"])


def _call(kind: str, sizes: list[str], fill: float, typed: str) -> str:
    shape = f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
    match kind:
        case "full":
            return f"full({shape}, {fill:g}{typed})"
        case "randint":
            return f"randint(0, 10, {shape}{typed})"
        case "arange":
            total = " * ".join(sizes) or "1"
            return f"arange({total}{typed}).view({', '.join(sizes)})" if len(sizes) > 1 else f"arange({total}{typed})"
        case "eye":
            return f"eye({', '.join(sizes[:2]) or '1'}{typed})"
    return f"{kind}({shape}{typed})" if len(sizes) != 1 else f"{kind}({sizes[0]}{typed})"
