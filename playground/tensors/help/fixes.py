"""Changes to a failed expression that would make PyTorch take it, each tried out before it is offered."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter, methodcaller
from typing import Any

import numpy as np
import torch

from playground.tensors.language.calls import Call, methods
from playground.tensors.language.sizing import on_meta, result_bytes
from playground.tensors.language.spans import Script

FIXES = 3
SMALL = 10_000
"""Cells up to which a change is tried in truth."""
_ATOMS = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.List)


@dataclass(frozen=True)
class Fix:
    """One change of the script's text."""

    label: str
    start: int
    end: int
    """The characters that are replaced."""
    text: str
    """By these."""


def suffixes(script: Script, node: ast.AST, call: Call, wanted: tuple[str, ...]) -> list[Fix]:
    """Fixes that append something to one operand: `.T`, `.unsqueeze(1)`, `.float()`.

    Args:
        wanted: what may be appended, the likeliest first; `unsqueeze` stands for every dimension.
    """
    fixes = []
    found = [each for each in reversed(operands(node, call)) if each[1] is not getattr(node, "target", None)]  # what is assigned to stays as it is
    for suffix in wanted:
        for place, operand, value in found:
            for written, change in _changes(suffix, value):
                if not isinstance(value, torch.Tensor) and written != ".T":
                    continue
                if works(_replaced(call, place, change)):
                    after = tuple(change(on_meta(value)).shape) if isinstance(value, torch.Tensor) else ()
                    fixes.append(_append(script, operand, written, tuple(value.shape), after))
    return fixes[:FIXES]


def renamed(script: Script, node: ast.AST, call: Call, name: str) -> list[Fix]:
    """The same method call under another name, such as `reshape` for `view`."""
    entry = methods()["Tensor"].get(name)
    if entry is None or not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not works(Call(entry, call.args, call.kwargs)):
        return []
    attribute = script.attribute(node.func)
    return [Fix(f"Use `.{name}` instead of `.{node.func.attr}`", attribute.start, attribute.end, f".{name}")]


def other_dimension(script: Script, node: ast.AST, call: Call) -> list[Fix]:
    """The same call along another dimension."""
    if not isinstance(node, ast.Call) or not call.arrays or not node.args or len(call.args) < 1:
        return []
    for dim in range(call.arrays[0].ndim):
        tried = Call(call.entry, call.args[:1], {**{name: value for name, value in call.kwargs.items() if name != "axis"}, "dim": dim})
        if works(tried):
            place = script.span(node)
            others = [f"{key.arg}={script.text(key.value)}" for key in node.keywords if key.arg not in ("dim", "axis")]
            inner = ", ".join([script.text(node.args[0]), *others, f"dim={dim}"])
            return [Fix(f"Along dimension {dim}", script.span(node.func).end, place.end, f"({inner})")]
    return []


def wrapped(script: Script, node: ast.AST) -> list[Fix]:
    """Brackets around the arguments of a call that wants a list of tensors."""
    if not isinstance(node, ast.Call) or not node.args:
        return []
    place = script.arguments(node)
    written = script.source[place.start : place.end]
    if any(isinstance(argument, ast.Starred) for argument in node.args) or node.keywords:
        return []
    return [Fix("Put the tensors into a list", place.start, place.end, f"[{written.strip()}]")]


def works(call: Call) -> bool:
    """Whether PyTorch takes the call: tried in truth where it is small, else on the meta device, which checks shapes but not dtypes."""
    arrays = call.arrays
    small = sum(array.numel() if isinstance(array, torch.Tensor) else array.size for array in arrays) <= SMALL
    try:
        if small and result_bytes(call) <= SMALL * 64:
            Call(call.entry, _copied(call.args), _copied(dict(call.kwargs)))()
        else:
            call.entry.function(*on_meta(call.args), **on_meta(dict(call.kwargs)))
    except Exception:
        return False
    return True


def operands(node: ast.AST, call: Call) -> list[tuple[int, ast.expr, Any]]:
    """The expressions of the operands that are arrays: place among the call's arrays, node, value; empty where they cannot be told apart."""
    nodes: list[ast.expr] = []
    match node:
        case ast.BinOp():
            nodes = [node.left, node.right]
        case ast.Compare() if len(node.ops) == 1:
            nodes = [node.left, *node.comparators]
        case ast.AugAssign():
            nodes = [node.target, node.value]
        case ast.Call():
            nodes = [node.func.value] if isinstance(node.func, ast.Attribute) and call.entry.is_method else []
            nodes += [*node.args, *(keyword.value for keyword in node.keywords)]
    if any(isinstance(part, ast.Starred) for each in nodes for part in (each, *getattr(each, "elts", []))):
        return []
    found, place = [], 0
    for expression, value in _flattened(nodes, [*call.args, *call.kwargs.values()]):
        if isinstance(value, (torch.Tensor, np.ndarray)):
            found.append((place, expression, value))
            place += 1
    return found


def _flattened(nodes: list[ast.expr], values: list[Any]) -> Iterator[tuple[ast.expr, Any]]:
    for node, value in zip(nodes, values, strict=False):
        if isinstance(node, (ast.List, ast.Tuple)) and isinstance(value, (list, tuple)):
            yield from _flattened(node.elts, list(value))
        else:
            yield node, value


def _changes(suffix: str, value: Any) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """What a suffix may mean for this value."""
    if suffix == "unsqueeze":
        if isinstance(value, torch.Tensor) and value.ndim == 1:  # of larger ones the result would be legal and seldom meant
            for dim in (1, 0):
                yield f".unsqueeze({dim})", methodcaller("unsqueeze", dim)
    elif suffix == "T":
        if value.ndim == 2:
            yield ".T", attrgetter("T")
    elif isinstance(value, torch.Tensor):
        yield f".{suffix}()", methodcaller(suffix)


def _replaced(call: Call, place: int, change: Callable[[Any], Any]) -> Call:
    """The call with one of its arrays changed."""
    count = iter(range(len(call.arrays)))

    def walk(value: Any) -> Any:
        if isinstance(value, (torch.Tensor, np.ndarray)):
            return change(value) if next(count) == place else value
        if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
            parts = [walk(part) for part in value]
            return parts if isinstance(value, list) else tuple(parts)
        return value

    return Call(call.entry, tuple(walk(value) for value in call.args), {name: walk(value) for name, value in call.kwargs.items()})


def _append(script: Script, node: ast.expr, suffix: str, before: tuple[int, ...], after: tuple[int, ...]) -> Fix:
    place, text = script.span(node), script.text(node)
    whole = text if isinstance(node, _ATOMS) else f"({text})"
    label = f"Use `{whole}{suffix}`: shape {before} becomes {after}" if after and after != before else f"Use `{whole}{suffix}`"
    return Fix(label, place.start, place.end, whole + suffix)


def _copied(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        parts = [_copied(part) for part in value]
        return parts if isinstance(value, list) else tuple(parts)
    return {name: _copied(part) for name, part in value.items()} if isinstance(value, dict) else value
