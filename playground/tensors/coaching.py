"""Explains what PyTorch refused: the rule in a sentence, the shapes aligned, and a change that would work.

Sources: https://docs.pytorch.org/docs/stable/notes/broadcasting.html, https://docs.pytorch.org/docs/stable/tensor_view.html,
https://docs.pytorch.org/docs/stable/tensor_attributes.html#torch.dtype
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from playground.tensors import mending
from playground.tensors.calls import Call
from playground.tensors.faults import OperationFailed, ScriptError
from playground.tensors.mending import Fix
from playground.tensors.places import Place, Script


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
        operands = mending.operands(self.node, self.call)
        texts = [self.script.text(node) for _, node, _ in operands]
        return texts if len(texts) == len(self.shapes) else [f"operand {index + 1}" for index in range(len(self.shapes))]


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
    return re.sub(r"^(RuntimeError|TypeError|ValueError|IndexError|AttributeError|NotImplementedError|AxisError|KeyError): ", "", message)


def _instead(error: ScriptError, script: Script) -> list[Fix]:
    """The name that was probably meant."""
    if not error.instead or error.node is None:
        return []
    node = getattr(error.node, "func", error.node)
    place = script.place(node)
    start = script.place(node.value).end if error.instead.startswith(".") and hasattr(node, "value") else place.start
    return [Fix(f"Write `{error.instead.removeprefix('.')}`", start, place.end, error.instead)]


def _broadcast(case: _Case) -> Advice:
    shapes = case.shapes[:2]
    alignment = _aligned(case.names()[:2], shapes, _clashes(shapes))
    text = "Shapes are compared from the right. Two sizes fit if they are equal, or if one of them is 1 and can be stretched; the marked ones are neither."
    return text, alignment, mending.suffixes(case.script, case.node, case.call, ("T", "unsqueeze"))


def _matmul(case: _Case) -> Advice:
    shapes = case.shapes[-2:]
    alignment = Alignment(tuple(Row(name, shape) for name, shape in zip(case.names()[-2:], shapes, strict=True)), ())
    text = "A matrix product needs as many columns on the left as there are rows on the right: (n, k) @ (k, m) gives (n, m)."
    if all(shapes) and len(shapes) == 2:
        rows = shapes[1][-2] if len(shapes[1]) > 1 else shapes[1][0]
        text = (
            f"A matrix product needs as many columns on the left as there are rows on the right: (n, k) @ (k, m) gives (n, m). "
            f"Here {shapes[0][-1]} columns meet {rows} rows."
        )
    return text, alignment, mending.suffixes(case.script, case.node, case.call, ("T", "unsqueeze", "flatten"))


def _join(case: _Case) -> Advice:
    shapes = case.shapes
    dim = int(case.call.kwargs.get("dim", case.call.args[1] if len(case.call.args) > 1 else 0))
    same = len({len(shape) for shape in shapes}) == 1
    wrong = tuple(axis for axis in range(len(shapes[0])) if axis != dim % len(shapes[0]) and len({shape[axis] for shape in shapes}) > 1) if same else ()
    alignment = Alignment(tuple(Row(name, shape) for name, shape in zip(case.names(), shapes, strict=True)), wrong)
    if case.call.entry.short == "stack":
        text = "`stack` puts tensors of one and the same shape behind one another along a new dimension; these shapes differ."
    elif not same:
        text = "`cat` glues tensors with the same number of dimensions; give the smaller one another dimension first."
    else:
        text = f"`cat` glues along dimension {dim}; in every other dimension all tensors must have the same size, and in the marked one they do not."
    fixes = mending.other_dimension(case.script, case.node, case.call)
    return text, alignment, [*fixes, *mending.suffixes(case.script, case.node, case.call, ("T", "unsqueeze"))][: mending.FIXES]


def _view(case: _Case) -> Advice:
    text = (
        "`view` never copies: it needs cells that follow one another in memory. After `.T`, `permute` or a slice they do not, "
        "so the new shape cannot be laid over them. `reshape` copies where it must."
    )
    return text, None, mending.renamed(case.script, case.node, case.call, "reshape")


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
    sizes = [node for node in case.node.args if not hasattr(node, "elts")] or list(getattr(case.node.args[0], "elts", []))
    if len(sizes) != len(asked):
        return []
    fixes = []
    for node, size in reversed(list(zip(sizes, asked, strict=True))):
        rest = math.prod(asked) // size if size else 0
        if rest and cells % rest == 0:
            place = case.script.place(node)
            fixes.append(Fix(f"Write −1 for {size}: it becomes {cells // rest}", place.start, place.end, "-1"))
    return fixes[: mending.FIXES]


def _dtype(case: _Case) -> Advice:
    dtypes = " and ".join(dict.fromkeys(f"`{str(array.dtype).removeprefix('torch.')}`" for array in case.call.arrays))
    text = f"This operation needs one floating-point dtype for all of its tensors; here there is {dtypes}. Whole numbers become floats with `.float()`."
    return text, None, mending.suffixes(case.script, case.node, case.call, ("float", "double", "long"))


def _cast_in_place(case: _Case) -> Advice:
    text = (
        f"An in-place operation writes into the tensor that is there, and keeps its dtype; "
        f"a result of dtype {case.found[1].lower()} does not fit into one of dtype {case.found[2].lower()}. Make a new tensor instead, or convert first."
    )
    return text, None, []


def _index_dtype(case: _Case) -> Advice:
    text = "Only whole numbers (int64) say which cell, and only booleans say which cells; this index has another dtype."
    return text, None, mending.suffixes(case.script, case.node, case.call, ("long", "bool"))


def _out_of_bounds(case: _Case) -> Advice:
    size = int(case.found[3]) if case.found.lastindex and case.found.lastindex >= 3 else 0
    text = f"A dimension of size {size} has the indices 0 to {size - 1}; counted from the end, −1 to −{size}." if size else "Counting starts at 0."
    return text, None, []


def _dimension(case: _Case) -> Advice:
    shape = case.shapes[0] if case.shapes else ()
    count = len(shape)
    text = f"The shape {shape} has {count} dimensions: 0 to {count - 1} from the left, −1 to −{count} from the right."
    return text, None, []


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
    written = case.script.text(node)
    fixes = [Fix(f"Use `({written}).{name}()`", place.start, place.end, f"({written}).{name}()") for name in ("all", "any")]
    return text, None, fixes


def _needs_detach(case: _Case) -> Advice:
    text = "NumPy knows no gradients. `detach()` gives the same memory without the history."
    return text, None, _before_method(case, ".detach()")


def _needs_cpu(case: _Case) -> Advice:
    return "NumPy arrays live in the computer’s own memory; bring the tensor there first.", None, _before_method(case, ".cpu()")


def _before_method(case: _Case, inserted: str) -> list[Fix]:
    owner = getattr(getattr(case.node, "func", None), "value", None)
    if owner is None:
        return []
    place = case.script.place(owner)
    return [Fix(f"Insert `{inserted}`", place.end, place.end, inserted)]


def _devices(case: _Case) -> Advice:
    where = " and ".join(dict.fromkeys(f"`{array.device}`" for array in case.call.arrays if isinstance(array, torch.Tensor)))
    text = f"Tensors that meet in an operation must be on the same device; here they are on {where}. Move one with `.to(device)`."
    return text, None, []


def _expand(case: _Case) -> Advice:
    text = "`expand` stretches dimensions of size 1 only, without copying. A dimension of another size stays as it is; `repeat` copies it."
    return text, None, mending.suffixes(case.script, case.node, case.call, ("T", "unsqueeze"))


def _ragged(_case: _Case) -> Advice:
    return "All rows of a tensor have the same length; here they differ.", None, []


def _list_wanted(case: _Case) -> Advice:
    text = f"`{case.call.entry.short}` takes its tensors in one list: `{case.call.entry.short}([a, b])`."
    return text, None, mending.wrapped(case.script, case.node)


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
    place = case.script.place(case.node)
    text = case.script.text(case.node)
    return [Fix("Add `dtype=torch.float32`", place.end - 1, place.end - 1, ", dtype=torch.float32")] if text.endswith(")") else []


def _mean(case: _Case) -> Advice:
    text = "The mean of whole numbers is seldom whole, and PyTorch does not choose a floating-point dtype for you."
    return text, None, mending.suffixes(case.script, case.node, case.call, ("float",))


RULES: tuple[tuple[str, Callable[[_Case], Advice]], ...] = (
    (r"The size of tensor a \(\d+\) must match the size of tensor b|could not be broadcast together", _broadcast),
    (r"cannot be multiplied|size mismatch, got|batch2 tensor to be|inconsistent tensor size|mismatch in its core dimension|1D tensors expected", _matmul),
    (r"must be a matrix|vector \+ matrix|not aligned|at least 1D|must be batches|must be a (?:2|3)-?D", _matmul),
    (r"Sizes of tensors must match except in dimension|stack expects each tensor|Tensors must have same number of dimensions", _join),
    (r"view size is not compatible", _view),
    (r"shape '\[([^\]]*)\]' is invalid for input of size (\d+)", _size),
    (r"mean\(\): could not infer output dtype|mean\(\): input dtype should be", _mean),
    (r"result type (\w+) can't be cast to the desired output type (\w+)", _cast_in_place),
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
    (r"Only Tensors of floating point", _integer_gradient),
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
