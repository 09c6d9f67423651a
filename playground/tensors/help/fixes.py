"""Proposes changes to a failed expression, each tested before it is offered."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter, methodcaller
from typing import Any

import numpy as np
import torch

from playground.messages import msg
from playground.tensors.language.calls import Call, methods
from playground.tensors.language.sizing import on_meta, result_bytes
from playground.tensors.language.spans import Script

MAX_FIXES = 3
MAX_TESTED_CELLS = 10_000
"""Largest number of cells for which a changed call is performed; larger ones are tested on the meta device."""
_ATOMS = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.List)
"""Expressions that need no parentheses before a suffix."""


@dataclass(frozen=True)
class Fix:
    """A replacement of a part of the script."""

    label: str
    start: int
    end: int
    """Offsets of the replaced characters."""
    text: str
    """Replacement."""


FULL_WIDTH = {ord(wide): plain for wide, plain in zip("（）［］｛｝，：；＝＋－＊／＜＞！“”‘’。、", "()[]{},:;=+-*/<>!\"\"''.,", strict=True)}
"""Signs of a Chinese keyboard, and what Python needs instead."""


def full_width(script: Script) -> list[Fix]:
    """Propose plain signs for the full-width ones of a script that Python cannot parse; none of another script."""
    plain = script.source.translate(FULL_WIDTH)
    if plain == script.source or _parses(script.source) or not _parses(plain):
        return []
    return [Fix(msg("Write the plain signs"), 0, len(script.source), plain)]


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def append_suffix(script: Script, node: ast.AST, call: Call, suffixes: tuple[str, ...]) -> list[Fix]:
    """Propose to append `.T`, `.unsqueeze(1)`, `.float()` or the like to one operand.

    Args:
        script: the script.
        node: the failed expression or statement.
        call: the failed call.
        suffixes: `T` or names of methods, the likeliest first; `unsqueeze` stands for every dimension.
    """
    fixes = []
    candidates = [each for each in reversed(operands(node, call)) if each[1] is not getattr(node, "target", None)]  # not the target of an assignment
    for suffix in suffixes:
        for index, operand, value in candidates:
            for code, change in _changes(suffix, value):
                if not isinstance(value, torch.Tensor) and code != ".T":
                    continue
                if works(_change_array(call, index, change)):
                    shape = tuple(change(on_meta(value)).shape) if isinstance(value, torch.Tensor) else ()
                    fixes.append(_append(script, operand, code, tuple(value.shape), shape))
    return fixes[:MAX_FIXES]


def rename_method(script: Script, node: ast.AST, call: Call, name: str) -> list[Fix]:
    """Propose another method with the same arguments, such as `reshape` for `view`."""
    entry = methods()["Tensor"].get(name)
    if entry is None or not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not works(Call(entry, call.args, call.kwargs)):
        return []
    attribute = script.attribute(node.func)
    label = msg("Use `.{name}` instead of `.{present}`", name=name, present=node.func.attr)
    return [Fix(label, attribute.start, attribute.end, f".{name}")]


def change_dimension(script: Script, node: ast.AST, call: Call) -> list[Fix]:
    """Propose the same call along another dimension."""
    if not isinstance(node, ast.Call) or not call.arrays or not node.args or len(call.args) < 1:
        return []
    for dim in range(call.arrays[0].ndim):
        changed = Call(call.entry, call.args[:1], {**{name: value for name, value in call.kwargs.items() if name != "axis"}, "dim": dim})
        if works(changed):
            others = [f"{key.arg}={script.text(key.value)}" for key in node.keywords if key.arg not in ("dim", "axis")]
            inner = ", ".join([script.text(node.args[0]), *others, f"dim={dim}"])
            return [Fix(msg("Along dimension {dim}", dim=dim), script.span(node.func).end, script.span(node).end, f"({inner})")]
    return []


def wrap_in_list(script: Script, node: ast.AST) -> list[Fix]:
    """Propose brackets around the arguments of a call that takes one list of tensors."""
    if not isinstance(node, ast.Call) or not node.args:
        return []
    span = script.arguments(node)
    arguments = script.source[span.start : span.end]
    if any(isinstance(argument, ast.Starred) for argument in node.args) or node.keywords:
        return []
    return [Fix(msg("Put the tensors into a list"), span.start, span.end, f"[{arguments.strip()}]")]


def works(call: Call) -> bool:
    """Return whether the call raises no error: performed if it is small, else on the meta device, which checks shapes but not dtypes."""
    cells = sum(array.numel() if isinstance(array, torch.Tensor) else array.size for array in call.arrays)
    try:
        if cells <= MAX_TESTED_CELLS and result_bytes(call) <= MAX_TESTED_CELLS * 64:
            Call(call.entry, _copy(call.args), _copy(dict(call.kwargs)))()
        else:
            call.entry.function(*on_meta(call.args), **on_meta(dict(call.kwargs)))
    except Exception:
        return False
    return True


def operands(node: ast.AST, call: Call) -> list[tuple[int, ast.expr, Any]]:
    """Return the operands that are arrays: index among the call's arrays, expression, value; empty where `*` hides the expressions."""
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
    pairs = _flatten(nodes, [*call.args, *call.kwargs.values()])
    arrays = [(expression, value) for expression, value in pairs if isinstance(value, (torch.Tensor, np.ndarray))]
    return [(index, expression, value) for index, (expression, value) in enumerate(arrays)]


def _flatten(nodes: list[ast.expr], values: list[Any]) -> Iterator[tuple[ast.expr, Any]]:
    """Yield expressions with their values, also inside lists."""
    for node, value in zip(nodes, values, strict=False):
        if isinstance(node, (ast.List, ast.Tuple)) and isinstance(value, (list, tuple)):
            yield from _flatten(node.elts, list(value))
        else:
            yield node, value


def _changes(suffix: str, value: Any) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """Yield the code of each form of a suffix, and the function that applies it."""
    if suffix == "unsqueeze":
        if isinstance(value, torch.Tensor) and value.ndim == 1:  # for more dimensions the result is valid, but seldom intended
            for dim in (1, 0):
                yield f".unsqueeze({dim})", methodcaller("unsqueeze", dim)
    elif suffix == "T":
        if value.ndim == 2:
            yield ".T", attrgetter("T")
    elif isinstance(value, torch.Tensor):
        yield f".{suffix}()", methodcaller(suffix)


def _change_array(call: Call, index: int, change: Callable[[Any], Any]) -> Call:
    """Return the call with one of its arrays changed."""
    indices = iter(range(len(call.arrays)))

    def walk(value: Any) -> Any:
        if isinstance(value, (torch.Tensor, np.ndarray)):
            return change(value) if next(indices) == index else value
        if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
            parts = [walk(part) for part in value]
            return parts if isinstance(value, list) else tuple(parts)
        return value

    return Call(call.entry, tuple(walk(value) for value in call.args), {name: walk(value) for name, value in call.kwargs.items()})


def _append(script: Script, node: ast.expr, suffix: str, before: tuple[int, ...], after: tuple[int, ...]) -> Fix:
    span, text = script.span(node), script.text(node)
    replacement = f"{text}{suffix}" if isinstance(node, _ATOMS) else f"({text}){suffix}"
    if after and after != before:
        label = msg("Use `{replacement}`: shape {before} becomes {after}", replacement=replacement, before=before, after=after)
    else:
        label = msg("Use `{replacement}`", replacement=replacement)
    return Fix(label, span.start, span.end, replacement)


def _copy(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        parts = [_copy(part) for part in value]
        return parts if isinstance(value, list) else tuple(parts)
    return {name: _copy(part) for name, part in value.items()} if isinstance(value, dict) else value
