"""Explains what PyTorch refused: the rule in a sentence, the shapes aligned, and a change that would work.

Sources: https://docs.pytorch.org/docs/stable/notes/broadcasting.html, https://docs.pytorch.org/docs/stable/tensor_view.html,
https://docs.pytorch.org/docs/stable/tensor_attributes.html#torch.dtype
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from playground.tensors.help import fixes
from playground.tensors.help.fixes import Fix
from playground.tensors.language.calls import Call
from playground.tensors.language.errors import OperationFailed, ScriptError
from playground.tensors.language.spans import Place, Script


@dataclass(frozen=True)
class Row:
    """One operand's shape, written under the others."""

    name: str
    sizes: tuple[int | None, ...]
    """None where the operand has no such dimension."""


@dataclass(frozen=True)
class Alignment:
    """Shapes under one another, and the dimensions that do not fit."""

    rows: tuple[Row, ...]
    wrong: tuple[int, ...]
    """Columns."""


@dataclass(frozen=True)
class Explanation:
    """A mistake, explained."""

    place: Place
    message: str
    """What PyTorch said."""
    explanation: str
    """The rule, in a sentence or two."""
    alignment: Alignment | None = None
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True)
class _Case:
    script: Script
    node: Any
    call: Call
    found: re.Match[str]

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        return [tuple(array.shape) for array in self.call.arrays]

    def names(self) -> list[str]:
        operands = fixes.operands(self.node, self.call)
        texts = [self.script.text(node) for _, node, _ in operands]
        return texts if len(texts) == len(self.shapes) else [f"operand {index + 1}" for index in range(len(self.shapes))]


PRODUCTS = frozenset(("@", "matmul", "bmm", "baddbmm"))
SIGNS: dict[type[ast.cmpop], str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
Advice = tuple[str, Alignment | None, list[Fix]]


def explain(error: ScriptError, source: str) -> Explanation:
    """What went wrong in a script, where, why, and what would work."""
    script = Script(source)
    place = script.place(error.node) if error.node is not None else Place(1, 0, 0)
    message = error.message
    if isinstance(error, OperationFailed) and error.call is not None:
        for pattern, rule in RULES:
            if found := re.search(pattern, message):
                text, alignment, fixes = rule(_Case(script, error.node, error.call, found))
                return Explanation(place, _plain(message), text, alignment, tuple(fixes))
    return Explanation(place, _plain(message), error.hint, None, tuple(_instead(error, script)))


def _plain(message: str) -> str:
    """PyTorch's sentence without Python's name for the kind of error."""
    return re.sub(r"^[\w.]*(?:Error|Exception|Warning): ", "", message)


def _instead(error: ScriptError, script: Script) -> list[Fix]:
    """The name that was probably meant."""
    if not error.instead or error.node is None:
        return []
    node = getattr(error.node, "func", error.node)
    place = script.attribute(node) if error.instead.startswith(".") and isinstance(node, ast.Attribute) else script.place(node)
    return [Fix(f"Write `{error.instead.removeprefix('.')}`", place.start, place.end, error.instead)]


def _broadcast(case: _Case) -> Advice:
    shapes = case.shapes
    if case.call.entry.name == "[]=":
        place = tuple(case.call.args[0][case.call.args[1]].shape)
        return f"What is assigned must fit its place, which has shape {place}: the same shape, or one that can be stretched to it.", None, []
    if case.call.entry.short in PRODUCTS:
        return _batches(case)
    alignment = _aligned(case.names(), shapes, _clashes(shapes))
    text = "Shapes are compared from the right. Two sizes fit if they are equal, or if one of them is 1 and can be stretched; the marked ones are neither."
    return text, alignment, fixes.suffixes(case.script, case.node, case.call, ("T", "unsqueeze"))


RANKS = {"mm": (2, 2), "bmm": (3, 3), "mv": (2, 1), "dot": (1, 1)}
"""How many dimensions the operands of a product have."""


def _batches(case: _Case) -> Advice:
    """Products of stacks of matrices: the leading dimensions are broadcast, the last two are multiplied."""
    shapes = case.shapes[:2]
    width = max(map(len, shapes))
    leading = _clashes([shape[:-2] for shape in shapes])
    wrong = tuple(axis + width - 2 - max(len(shape) - 2 for shape in shapes) for axis in leading)
    text = "In a product of stacks of matrices the leading dimensions are compared like those of any two shapes: they are equal, or one is 1."
    return text, _aligned(case.names()[:2], shapes, wrong), []


def _matmul(case: _Case) -> Advice:
    shapes, name = case.shapes[-2:], case.call.entry.short
    alignment = Alignment(tuple(Row(text, shape) for text, shape in zip(case.names()[-2:], shapes, strict=True)), ())
    offered = fixes.suffixes(case.script, case.node, case.call, ("T", "unsqueeze", "flatten"))
    if name in RANKS and tuple(map(len, shapes)) != RANKS[name]:
        first, second = RANKS[name]
        return f"`{name}` multiplies a tensor of {first} dimensions with one of {second}; `@` takes any of them.", alignment, offered
    if name == "linear" and len(shapes) == 2 and all(shapes):
        text = f"`F.linear` multiplies rows with rows: the last sizes of both must be equal. Here they are {shapes[0][-1]} and {shapes[1][-1]}."
        return text, alignment, offered
    text = "A matrix product needs as many columns on the left as there are rows on the right: (n, k) @ (k, m) gives (n, m)."
    if all(shapes) and len(shapes) == 2:
        rows = shapes[1][-2] if len(shapes[1]) > 1 else shapes[1][0]
        if rows != shapes[0][-1]:
            text = (
                f"A matrix product needs as many columns on the left as there are rows on the right: (n, k) @ (k, m) gives (n, m). "
                f"Here {shapes[0][-1]} columns meet {rows} rows."
            )
    return text, alignment, offered


def _square(case: _Case) -> Advice:
    shape = case.shapes[0] if case.shapes else ()
    return f"`{case.call.entry.short}` is defined for square matrices, with as many rows as columns; the shape here is {shape}.", None, []


def _join(case: _Case) -> Advice:
    shapes, name = case.shapes, case.call.entry.short
    same = len({len(shape) for shape in shapes}) == 1
    dim = _joined_along(case, len(shapes[0])) if name != "stack" else None
    wrong = tuple(axis for axis in range(len(shapes[0])) if axis != dim and len({shape[axis] for shape in shapes}) > 1) if same else ()
    alignment = Alignment(tuple(Row(text, shape) for text, shape in zip(case.names(), shapes, strict=True)), wrong)
    if name == "stack":
        text = "`stack` puts tensors of one and the same shape behind one another along a new dimension; these shapes differ."
    elif not same:
        text = f"`{name}` glues tensors with the same number of dimensions; give the smaller one another dimension first."
    else:
        text = f"`{name}` glues along dimension {dim}; in every other dimension all tensors must have the same size, and in the marked one they do not."
    offered = fixes.other_dimension(case.script, case.node, case.call)
    return text, alignment, [*offered, *fixes.suffixes(case.script, case.node, case.call, ("T", "unsqueeze"))][: fixes.FIXES]


def _joined_along(case: _Case, rank: int) -> int:
    """The dimension along which tensors are glued."""
    call = case.call
    fixed = {"hstack": min(1, rank - 1), "vstack": 0, "dstack": 2, "column_stack": 1, "row_stack": 0}
    if call.entry.short in fixed:
        return fixed[call.entry.short]
    asked = call.kwargs.get("dim", call.kwargs.get("axis", call.args[1] if len(call.args) > 1 else 0))
    return int(asked) % max(1, rank)


def _view(case: _Case) -> Advice:
    text = (
        "`view` never copies: it needs cells that follow one another in memory. After `.T`, `permute` or a slice they do not, "
        "so the new shape cannot be laid over them. `reshape` copies where it must."
    )
    return text, None, fixes.renamed(case.script, case.node, case.call, "reshape")


def _size(case: _Case) -> Advice:
    asked = [int(size) for size in re.findall(r"-?\d+", case.found[1])]
    cells = int(case.found[2])
    known = math.prod(size for size in asked if size >= 0)
    if -1 in asked:
        text = f"{cells} cells cannot be shared out: {cells} is not a multiple of {known}, so no whole number can stand for −1."
        return text, None, []
    text = f"The new shape has {known} cells, the tensor has {cells}; a reshape keeps all cells. Write −1 for one size, and PyTorch works it out."
    return text, None, _minus_one(case, asked, cells)


def _minus_one(case: _Case, asked: list[int], cells: int) -> list[Fix]:
    """−1 in the place of one size, where the rest divides the number of cells."""
    given = getattr(case.node, "args", [])
    sizes = [node for node in given if not hasattr(node, "elts")] or [size for node in given for size in getattr(node, "elts", [])]
    if len(sizes) != len(asked):
        return []
    offered = []
    for node, size in reversed(list(zip(sizes, asked, strict=True))):
        rest = math.prod(asked) // size if size else 0
        if rest and cells % rest == 0:
            place = case.script.place(node)
            offered.append(Fix(f"Write −1 for {size}: it becomes {cells // rest}", place.start, place.end, "-1"))
    return offered[: fixes.FIXES]


def _dtype(case: _Case) -> Advice:
    if not case.call.arrays:
        return "This makes or takes floating-point numbers; whole numbers have no dtype for what it does.", None, []
    dtypes = " and ".join(dict.fromkeys(f"`{str(array.dtype).removeprefix('torch.')}`" for array in case.call.arrays))
    text = f"This operation needs one floating-point dtype for all of its tensors; here there is {dtypes}. Whole numbers become floats with `.float()`."
    return text, None, fixes.suffixes(case.script, case.node, case.call, ("float", "double", "long"))


def _cast_in_place(case: _Case) -> Advice:
    text = (
        f"An in-place operation writes into the tensor that is there, and keeps its dtype; "
        f"a result of dtype {case.found[1].lower()} does not fit into one of dtype {case.found[2].lower()}. Make a new tensor instead, or convert first."
    )
    return text, None, []


def _index_dtype(case: _Case) -> Advice:
    text = "Only whole numbers (int64) say which cell, and only booleans say which cells; this index has another dtype."
    return text, None, fixes.suffixes(case.script, case.node, case.call, ("long", "bool"))


def _out_of_bounds(case: _Case) -> Advice:
    if not case.found[3]:
        return "Counting starts at 0, so the last place is one less than the size.", None, []
    size = int(case.found[3])
    if not size:
        return "This dimension has size 0: there is nothing in it to pick.", None, []
    return f"A dimension of size {size} has the indices 0 to {size - 1}; counted from the end, −1 to −{size}.", None, []


def _dimension(case: _Case) -> Advice:
    shape = case.shapes[0] if case.shapes else ()
    if found := re.search(r"in range of \[(-\d+), (\d+)\]", case.found.string):
        low, high = int(found[1]), int(found[2])
        if not shape and case.call.entry.short not in ("unsqueeze", "unsqueeze_", "stack"):
            return "This tensor has shape (): a single number, with no dimensions to choose from.", None, []
        return f"With the shape {shape}, dimensions count from 0 to {high} from the left, and from −1 to −{-low} from the right.", None, []
    return f"The shape {shape} has {len(shape)} dimensions; they are counted from 0.", None, []


def _too_many_indices(case: _Case) -> Advice:
    shape = case.shapes[0] if case.shapes else ()
    return f"The shape {shape} takes at most {len(shape)} indices, one for each dimension.", None, []


def _mask(case: _Case) -> Advice:
    text = "A mask says yes or no for each cell, so it needs the shape of what it picks from, or of its first dimensions."
    shapes = case.shapes[:2]
    alignment = Alignment(tuple(Row(name, shape) for name, shape in zip(("tensor", "mask"), shapes, strict=False)), ())
    return text, alignment, []


def _scalar(case: _Case) -> Advice:
    cells = math.prod(case.shapes[0]) if case.shapes else 0
    text = f"Only a tensor with one cell is a plain number; this one has {cells}. Pick a cell, or reduce first, with `.sum()`, `.mean()` or `.max()`."
    return text, None, []


def _truth(case: _Case) -> Advice:
    text = "Many cells have no single truth. Ask whether all or any of them are true, with `.all()` or `.any()`; for each cell use `&` and `|`."
    node, place = case.node, case.script.place(case.node)
    if isinstance(node, ast.Call):
        return text, None, []
    each = _cell_by_cell(case.script, node)
    fixes = [Fix(f"Use `({each}).{name}()`", place.start, place.end, f"({each}).{name}()") for name in ("all", "any")]
    chained = each != case.script.text(node)
    if chained and not re.match(r"\s*(?:if|elif|while|assert)\b", case.script.source.splitlines()[place.line - 1]):
        fixes.insert(0, Fix(f"Use `{each}`", place.start, place.end, each))
    return text, None, fixes


def _cell_by_cell(script: Script, node: ast.AST) -> str:
    """A condition as one that is asked of each cell: `a < b < c` and `x and y` with `&`, `or` with `|`."""
    if isinstance(node, ast.Compare) and len(node.ops) > 1:
        parts = [node.left, *node.comparators]
        signs = [SIGNS[type(kind)] for kind in node.ops]
        return " & ".join(f"({script.text(left)} {sign} {script.text(right)})" for left, sign, right in zip(parts, signs, parts[1:], strict=False))
    if isinstance(node, ast.BoolOp):
        return (" & " if isinstance(node.op, ast.And) else " | ").join(f"({_cell_by_cell(script, part)})" for part in node.values)
    return script.text(node)


def _needs_detach(case: _Case) -> Advice:
    text = "NumPy knows no gradients. `detach()` gives the same memory without the history."
    return text, None, fixes.suffixes(case.script, case.node, case.call, ("detach",))


def _needs_cpu(case: _Case) -> Advice:
    text = "NumPy arrays live in the computer’s own memory; bring the tensor there first."
    return text, None, fixes.suffixes(case.script, case.node, case.call, ("cpu",))


def _devices(case: _Case) -> Advice:
    where = " and ".join(dict.fromkeys(f"`{array.device}`" for array in case.call.arrays if isinstance(array, torch.Tensor)))
    text = f"Tensors that meet in an operation must be on the same device; here they are on {where}. Move one with `.to(device)`."
    return text, None, []


def _expand(case: _Case) -> Advice:
    if case.call.entry.name == "[]=":
        return _broadcast(case)
    text = "`expand` stretches dimensions of size 1 only, without copying. A dimension of another size stays as it is; `repeat` copies it."
    return text, None, fixes.suffixes(case.script, case.node, case.call, ("T", "unsqueeze"))


def _ragged(_case: _Case) -> Advice:
    return "All rows of a tensor have the same length; here they differ.", None, []


def _list_wanted(case: _Case) -> Advice:
    text = f"`{case.call.entry.short}` takes its tensors in one list: `{case.call.entry.short}([a, b])`."
    return text, None, fixes.wrapped(case.script, case.node)


def _in_place_shape(case: _Case) -> Advice:
    shapes = case.shapes[:2]
    text = (
        "An in-place operation writes into the tensor that is there, so the result must have that tensor’s shape. "
        "Without the in-place form a new, larger tensor is made."
    )
    return text, _aligned(case.names()[:2], shapes, ()), []


def _leaf(_case: _Case) -> Advice:
    return "A tensor whose gradient is wanted may not be changed in place while PyTorch records; change it under `with torch.no_grad():`.", None, []


def _no_graph(_case: _Case) -> Advice:
    return "There is nothing to go back through: make the inputs with `requires_grad=True`, and do not `detach` on the way.", None, []


def _scalar_output(_case: _Case) -> Advice:
    return "`backward()` starts at one number. Reduce the result first, with `.sum()` or `.mean()`, or give `backward` a gradient of its shape.", None, []


def _second_backward(_case: _Case) -> Advice:
    return "`backward` frees what it saved. Compute the result again, or go back with `retain_graph=True` the first time.", None, []


def _integer_gradient(case: _Case) -> Advice:
    return "A gradient says what a small change would do; whole numbers have no small changes. Make the tensor one of floats.", None, _float_literals(case)


def _float_literals(case: _Case) -> list[Fix]:
    """A dtype of floats for the call that makes the tensor."""
    if not isinstance(case.node, ast.Call) or case.call.entry.is_method:
        return fixes.suffixes(case.script, case.node, case.call, ("float",))
    for keyword in case.node.keywords:
        if keyword.arg == "dtype":
            place = case.script.place(keyword.value)
            return [Fix("Use `dtype=torch.float32`", place.start, place.end, "torch.float32")]
    place = case.script.arguments(case.node)
    written = case.script.source[place.start : place.end].rstrip().rstrip(",")
    return [Fix("Add `dtype=torch.float32`", place.start, place.end, f"{written}, dtype=torch.float32")]


def _mean(case: _Case) -> Advice:
    text = "The mean of whole numbers is seldom whole, and PyTorch does not choose a floating-point dtype for you."
    return text, None, fixes.suffixes(case.script, case.node, case.call, ("float",))


def _size_of_array(case: _Case) -> Advice:
    return f"The array has {case.found[1]} cells, and the shape ({case.found[2]}) another number of them; a reshape keeps all cells.", None, []


def _out_of_list(_case: _Case) -> Advice:
    return "Counting starts at 0, so the last place is one less than the length.", None, []


def _one_shape(_case: _Case) -> Advice:
    return "Only one size can be computed from the others, so −1 may appear only once.", None, []


def _no_dimensions(_case: _Case) -> Advice:
    return "A tensor of shape () is a single number: it has no dimension to index. Its number is `x.item()`.", None, []


def _whole_index(_case: _Case) -> Advice:
    return "An index is a whole number, a slice such as `1:3`, a list of whole numbers, or a mask.", None, []


RULES: tuple[tuple[str, Callable[[_Case], Advice]], ...] = (
    (r"The size of tensor a \(\d+\) must match the size of tensor b|could not be broadcast together", _broadcast),
    (r"cannot be multiplied|size mismatch, got|batch2 tensor to be|inconsistent tensor size|mismatch in its core dimension|1D tensors expected", _matmul),
    (r"must be a matrix|vector \+ matrix|not aligned|at least 1D|must be a (?:2|3)-?D", _matmul),
    (r"Sizes of tensors must match except in dimension|stack expects each tensor|Tensors must have same number of dimensions", _join),
    (r"view size is not compatible", _view),
    (r"shape '\[([^\]]*)\]' is invalid for input of size (\d+)", _size),
    (r"mean\(\): could not infer output dtype|mean\(\): input dtype should be", _mean),
    (r"result type (\w+) can't be cast to the desired output type (\w+)", _cast_in_place),
    (r"must be batches of square matrices|Last 2 dimensions of the array must be square", _square),
    (r"invalid index of a 0-dim|too many indices.* 0-dim|slice\(\) cannot be applied to a 0-dim", _no_dimensions),
    (r"only one dimension can be inferred|can only specify one unknown dimension", _one_shape),
    (r"only integers, slices|indices must be integers", _whole_index),
    (r"cannot reshape array of size (\d+) into shape \(([^)]*)\)", _size_of_array),
    (r"array dimensions except for the concatenation axis|must have same number of dimensions", _join),
    (r"std and var|only support floating point", _mean),
    (r"list index out of range|tuple index out of range", _out_of_list),
    (r"same dtype|expected scalar type|must have the same dtype|not implemented for '(?:Long|Int|Bool|Byte|Short|Char)'", _dtype),
    (r"requires a floating|floating point (?:dtype|tensor)s? (?:as|expected)", _dtype),
    (r"tensors used as indices|Expected dtype int64 for index|index\w*\(\): Expected", _index_dtype),
    (r"index (-?\d+) is out of bounds for (?:dimension|axis) (\d+) with size (\d+)|(?:index)()() out of range", _out_of_bounds),
    (r"Dimension out of range|axis (-?\d+) is out of bounds", _dimension),
    (r"too many indices", _too_many_indices),
    (r"The shape of the mask|boolean index did not match", _mask),
    (r"cannot be converted to Scalar|only one element tensors|only length-1 arrays|can only convert an array of size 1", _scalar),
    (r"Boolean value of Tensor|truth value of an array", _truth),
    (r"numpy\(\) on Tensor that requires grad", _needs_detach),
    (r"device type tensor to numpy", _needs_cpu),
    (r"to be on the same device", _devices),
    (r"The expanded size of the tensor|expand\(", _expand),
    (r"expected sequence of length|inhomogeneous", _ragged),
    (r"must be tuple of Tensors|received an invalid combination of arguments - got \(Tensor, Tensor|only integer scalar arrays", _list_wanted),
    (r"doesn't match the broadcast shape|non-broadcastable output", _in_place_shape),
    (r"leaf Variable that requires grad", _leaf),
    (r"does not require grad and does not have a grad_fn", _no_graph),
    (r"implicitly created only for scalar outputs", _scalar_output),
    (r"backward through the graph a second time", _second_backward),
    (r"[Oo]nly Tensors of floating point", _integer_gradient),
)  # fmt: skip
"""What PyTorch and NumPy say, and the rule behind it. The first that matches counts."""


def _aligned(names: list[str], shapes: list[tuple[int, ...]], wrong: tuple[int, ...]) -> Alignment:
    """Shapes aligned at the right, as broadcasting compares them."""
    width = max((len(shape) for shape in shapes), default=0)
    rows = tuple(Row(name, (*(None,) * (width - len(shape)), *shape)) for name, shape in zip(names, shapes, strict=True))
    return Alignment(rows, wrong)


def _clashes(shapes: list[tuple[int, ...]]) -> tuple[int, ...]:
    """Columns, counted after alignment, in which sizes neither agree nor are 1."""
    width = max((len(shape) for shape in shapes), default=0)
    padded = [(1,) * (width - len(shape)) + shape for shape in shapes]
    return tuple(axis for axis in range(width) if len({shape[axis] for shape in padded} - {1}) > 1)
