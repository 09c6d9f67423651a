"""Methods with double underscores that a class of a script may define, and call."""

from __future__ import annotations

SPECIAL = frozenset(
    """
    __init__ __post_init__ __call__
    __len__ __getitem__ __setitem__ __iter__ __next__ __repr__ __str__ __bool__ __contains__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__
    __add__ __sub__ __mul__ __truediv__ __floordiv__ __mod__ __pow__ __matmul__ __radd__ __rsub__ __rmul__ __rtruediv__ __neg__
    """.split()  # noqa: SIM905 (no text: names of methods)
)
READABLE = frozenset(("__version__", "__name__", "__class__", "_modules"))
"""Attributes that begin with an underscore and that scripts can read: a version, a name, the type of a value, and the layers of a network."""
OF_SCRIPT = {"__name__": "__main__"}
"""Names with double underscores that every script has."""
