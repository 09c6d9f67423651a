"""Calls of allowed operations: the entry of the allow-list and its arguments."""

from __future__ import annotations

import difflib
import operator
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch

from playground.messages import msg
from playground.tensors.language import allowed
from playground.tensors.language.elsewhere import place_of
from playground.tensors.language.errors import NoAttribute, Refused
from playground.tensors.language.functions import Own


@dataclass(frozen=True)
class Entry(Own):
    """One name of the allow-list."""

    name: str
    """As in the documentation: `torch.matmul`, `Tensor.view`, `np.add`, or an operator: `+`, `[]`."""
    group: str
    function: Callable[..., Any]
    """Takes the arguments of the call; a method takes its object first."""
    variant: int = 0
    """Tells apart those of the same name that do different things with the same arguments: layers."""
    layer: Any = None
    """The module of PyTorch that it calls; None for a function."""

    @property
    def short(self) -> str:
        """Last part of the name: `matmul` of `torch.matmul`, `norm` of `torch.linalg.norm`."""
        return _short(self.name)

    @property
    def is_method(self) -> bool:
        return _owner(self.name) in ("Tensor", "ndarray")

    @property
    def is_sequence_method(self) -> bool:
        """Whether it is a method of a string, a list, a tuple, a dictionary or a set."""
        return _owner(self.name) in ("str", "list", "tuple", "Size", "dict", "set")

    @property
    def is_numpy(self) -> bool:
        return _owner(self.name) in ("np", "ndarray", "NumpyGenerator")

    def __repr__(self) -> str:
        return f"<built-in function {self.short}>"  # no text: as Python has it


@cache
def _short(name: str) -> str:
    return name.rpartition(".")[2]


@cache
def _owner(name: str) -> str:
    return name.partition(".")[0]


class Call:
    """An entry with its arguments.

    Args:
        entry: what is called.
        args: its arguments by position.
        kwargs: its arguments by name.
    """

    def __init__(self, entry: Entry, args: tuple[Any, ...], kwargs: Mapping[str, Any] | None = None) -> None:
        self.entry, self.args, self.kwargs = entry, args, kwargs or {}
        self.arrays: list[Any] = arrays_in((args, kwargs))
        """Tensors and arrays among the arguments in their order, also those inside lists."""

    def __call__(self) -> Any:
        return self.entry.function(*self.args, **self.kwargs)


def arrays_in(value: Any) -> list[Any]:
    """Return the tensors and arrays in a value, also inside lists, tuples, slices and keyword arguments."""
    found: list[Any] = []
    _find_arrays(value, found)
    return found


def _find_arrays(value: Any, found: list[Any]) -> None:
    if isinstance(value, (torch.Tensor, np.ndarray)):
        found.append(value)
    elif isinstance(value, (list, tuple, set)):
        for part in value:
            _find_arrays(part, found)
    elif isinstance(value, dict):
        for part in value.values():
            _find_arrays(part, found)
    elif isinstance(value, slice):
        for part in (value.start, value.stop, value.step):
            _find_arrays(part, found)


_OPERATORS: dict[str, dict[str, Callable[..., Any]]] = {
    allowed.POINTWISE: {
        "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv, "%": operator.mod,
        "**": operator.pow, "&": operator.and_, "|": operator.or_, "^": operator.xor, "<<": operator.lshift, ">>": operator.rshift,
        "+=": operator.iadd, "-=": operator.isub, "*=": operator.imul, "/=": operator.itruediv, "//=": operator.ifloordiv, "%=": operator.imod,
        "**=": operator.ipow, "&=": operator.iand, "|=": operator.ior, "^=": operator.ixor, "<<=": operator.ilshift, ">>=": operator.irshift,
        "unary -": operator.neg, "unary +": operator.pos, "~": operator.invert, "abs": operator.abs,
    },
    allowed.ALGEBRA: {"@": operator.matmul, "@=": operator.imatmul},
    allowed.COMPARISON: {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge},
    allowed.JOINING: {"[]": operator.getitem, "[]=": operator.setitem},
}  # fmt: skip
OPERATORS: dict[str, Entry] = {symbol: Entry(symbol, group, function) for group, table in _OPERATORS.items() for symbol, function in table.items()}
"""Python's operators, as functions of their operands."""

SIMILAR = 0.75
"""Least similarity of a name to one that is suggested instead; both also begin with the same letter."""
_OBJECTS = {"torch": torch, "np": np}
_NO_ATTRIBUTE = {
    "Tensor": msg("A tensor has no `.{name}` that scripts can use."),
    "ndarray": msg("A NumPy array has no `.{name}` that scripts can use."),
    "complex": msg("A number has no `.{name}` that scripts can use."),
    "str": msg("A string has no `.{name}` that scripts can use."),
    "Size": msg("A shape has no `.{name}` that scripts can use."),
}
_NO_ATTRIBUTE_OF_KIND = msg("A {kind} has no `.{name}` that scripts can use.")


TABLES = (
    ("torch", allowed.TORCH), ("torch.nn.functional", allowed.FUNCTIONAL), ("torch.nn", allowed.NN), ("torch.nn.init", allowed.INIT), ("np", allowed.NUMPY),
)  # fmt: skip
"""Modules with the tables of their functions."""


@cache
def functions() -> dict[str, Entry]:
    """Return every allowed function by its full name: `torch.matmul`, `torch.nn.functional.relu`, `np.add`."""
    entries = {}
    for prefix, table in TABLES:
        for group, names in table.items():
            for name in names.split():
                full = f"{prefix}.{name}"
                entries[full] = Entry(full, group, _guarded(full, resolve(full)))
    return entries


@cache
def methods() -> dict[str, dict[str, Entry]]:
    """Return the allowed methods by kind of object, then by name."""
    entries = {}
    for kind, table, owner in (("Tensor", allowed.METHODS, torch.Tensor), ("ndarray", allowed.ARRAY_METHODS, np.ndarray)):
        entries[kind] = {
            name: Entry(f"{kind}.{name}", group, _guarded(f"{kind}.{name}", _call_method(name)))
            for group, names in table.items()
            for name in names.split()
            if hasattr(owner, name)
        }
    for kind, names in allowed.OTHER_METHODS.items():
        entries[kind] = {
            name: Entry(f"{kind}.{name}", allowed.RANDOM if kind.endswith("Generator") else allowed.CONVERSION, _call_method(name)) for name in names.split()
        }
    return entries


@cache
def constants() -> dict[str, Any]:
    """Return the values and types that a dotted name may refer to: `torch.float32`, `np.pi`, `torch.Tensor`."""
    names = [f"{root}.{name}" for root, words in allowed.CONSTANTS.items() for name in words.split()]
    names += [f"np.{name}" for name in allowed.NUMPY[allowed.CONVERSION].split() if isinstance(getattr(np, name), type)]
    names += [name for name in (f"torch.{word}" for word in allowed.TORCH[allowed.CREATION].split()) if name.endswith("Tensor")]
    return {name: resolve(name) for name in [*names, "np.ndarray"]}


def resolve(full: str) -> Any:
    """Return the object that a full dotted name of the allow-list refers to."""
    root, *rest = full.split(".")
    value: Any = _OBJECTS[root]
    for part in rest:
        value = getattr(value, part)
    return value


def method(kind: str, name: str, value: Any) -> Entry:
    """Return the allowed method of a value of a kind.

    Raises:
        Refused: it is not on the allow-list; the message suggests the most similar name.
    """
    entry = methods().get(kind, {}).get(name)
    if entry is None and name in allowed.ATTRIBUTES.get(kind, "").split():
        raise Refused(msg("`.{name}` is a value, not a method: remove the parentheses.", name=name))
    if entry is None:
        raise unknown_attribute(kind, name, value)
    return entry


def unknown_name(written: str, full: str, names: Iterable[str]) -> Refused:
    """Return the error for a name that is not on the allow-list, with the most similar name.

    Args:
        written: as in the script: `F.rellu`.
        full: `torch.nn.functional.rellu`.
        names: full names that exist.
    """
    message = msg("`{name}` is not available in scripts.", name=written)
    hint, instead = _alternative(written, full, names)
    owner, _, word = full.rpartition(".")
    module = sys.modules.get("numpy" if owner == "np" else owner)
    if module is None or hasattr(module, word):
        return Refused(message, hint, instead=instead)
    return NoAttribute(message, hint, instead, text=f"module '{module.__name__}' has no attribute '{word}'")  # no text: Python's message


def _alternative(written: str, full: str, names: Iterable[str]) -> tuple[str, str]:
    """Return what to do about a name that is not on the allow-list, and the name that may be meant; empty for none."""
    if place := place_of(full):
        return place, ""
    owner, _, word = full.rpartition(".")
    alike = [each for each in names if each.rpartition(".")[2][:1].casefold() == word[:1].casefold()]
    paths = {each.rpartition(".")[2]: each for each in sorted(alike, key=lambda each: each.rpartition(".")[0] == owner)}  # the module's own last
    same = [each for each in alike if each.casefold() == full.casefold()]  # but for capital letters
    if same:
        instead = f"{written.rpartition('.')[0]}.{same[0].rpartition('.')[2]}"
        return msg("Did you mean `{name}`?", name=instead), instead
    near = difflib.get_close_matches(word, paths, n=1, cutoff=SIMILAR)
    if not near:
        return msg("The reference below the editor lists all available functions."), ""
    path = paths[near[0]]
    instead = f"{written.rpartition('.')[0]}.{near[0]}" if path.rpartition(".")[0] == owner else path
    return msg("Did you mean `{name}`?", name=instead), instead


def unknown_attribute(kind: str, name: str, value: Any) -> Refused:
    """Return the error for an attribute of a value that is not on the allow-list, with the most similar name."""
    method_names, value_names = methods().get(kind, {}), allowed.ATTRIBUTES.get(kind, "").split()
    if name in method_names:
        return Refused(msg("`.{name}` is a method: call it with parentheses, `.{name}()`.", name=name))
    message = _NO_ATTRIBUTE.get(kind, _NO_ATTRIBUTE_OF_KIND).filled(name=name, kind=kind)
    near = difflib.get_close_matches(name, [each for each in (*method_names, *value_names) if each[:1] == name[:1]], n=1, cutoff=0.7)
    written = (f".{near[0]}()" if near[0] in method_names else f".{near[0]}") if near else ""
    hint, instead = (msg("Did you mean `{name}`?", name=written), f".{near[0]}") if near else ("", "")
    if not isinstance(value, Own) and not hasattr(type(value), name):
        return NoAttribute(message, hint, instead, text=_python_message(value, name))
    return Refused(message, hint, instead=instead)


def _python_message(value: Any, name: str) -> str:
    """Return what Python says of an attribute that the type of a value does not have."""
    try:
        getattr(value, name)
    except AttributeError as error:
        return str(error)
    return ""


def _guarded(full: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, with a copy of its tensor where PyTorch would read beyond the tensor's storage.

    `median` and `nanmedian` treat a stride of 0 (an expanded dimension) as 1 and return the memory after the storage:
    observed in torch 2.15 on the CPU, `torch.tensor([5.0]).expand(6).median(0)`.
    """
    if full not in ("torch.median", "torch.nanmedian", "Tensor.median", "Tensor.nanmedian"):
        return function

    def call(input: Any, *args: Any, **kwargs: Any) -> Any:
        expanded = isinstance(input, torch.Tensor) and 0 in input.stride()
        return function(input.contiguous() if expanded else input, *args, **kwargs)

    return call


def _call_method(name: str) -> Callable[..., Any]:
    """Return a function that calls the method of its first argument."""

    def call(owner: Any, /, *args: Any, **kwargs: Any) -> Any:
        return getattr(owner, name)(*args, **kwargs)

    return call
