"""Explains errors of PyTorch and NumPy: the violated rule, the aligned shapes, and tested fixes.

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

from playground.messages import joined, listed, msg, nmsg
from playground.tensors.help import fixes
from playground.tensors.help.fixes import Fix, full_width
from playground.tensors.help.sentences import sentence
from playground.tensors.language.calls import Call
from playground.tensors.language.errors import OperationFailed, ScriptError
from playground.tensors.language.spans import Script, Span


@dataclass(frozen=True)
class Row:
    """The shape of one operand, as a row of an alignment."""

    name: str
    sizes: tuple[int | None, ...]
    """None where the operand has no such dimension."""


@dataclass(frozen=True)
class Alignment:
    """Shapes of the operands, one below the other, with the dimensions that do not match."""

    rows: tuple[Row, ...]
    wrong: tuple[int, ...]
    """Columns that do not match."""


@dataclass(frozen=True)
class Explanation:
    """An error with its explanation."""

    span: Span
    """Where the error occurred."""
    message: str
    """The message of PyTorch, NumPy or Python."""
    explanation: str
    """The violated rule, in one or two sentences."""
    alignment: Alignment | None = None
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True)
class _Case:
    """A failed operation whose message matched a pattern of `RULES`."""

    script: Script
    node: Any
    call: Call
    match: re.Match[str]

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        return [tuple(array.shape) for array in self.call.arrays]

    def names(self) -> list[str]:
        """Return the source of each operand."""
        operands = fixes.operands(self.node, self.call)
        texts = [self.script.text(node) for _, node, _ in operands]
        return texts if len(texts) == len(self.shapes) else [msg("operand {number}", number=index + 1) for index in range(len(self.shapes))]


PRODUCTS = frozenset(("@", "matmul", "bmm", "baddbmm"))
SIGNS: dict[type[ast.cmpop], str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
Advice = tuple[str, Alignment | None, list[Fix]]
"""Explanation, alignment and fixes."""


def explain(error: ScriptError, source: str) -> Explanation:
    """Explain an error of a script."""
    script = Script(source)
    span = script.span(error.node) if error.node is not None else Span(1, 0, 0)
    message = error.message
    if isinstance(error, OperationFailed) and error.call is not None:
        for pattern, rule in RULES:
            if match := pattern.search(message):
                text, alignment, fixes = rule(_Case(script, error.node, error.call, match))
                return Explanation(span, _without_class_name(message), text, alignment, tuple(fixes))
    return Explanation(span, _without_class_name(message), sentence(message) or error.hint, None, (*full_width(script), *_similar_name(error, script)))


def _without_class_name(message: str) -> str:
    """Return PyTorch's message without the class name of the exception; any other message as it is, with its translation."""
    class_name = re.match(r"[\w.]*(?:Error|Exception|Warning): ", message)
    return message[class_name.end() :] if class_name else message


def _similar_name(error: ScriptError, script: Script) -> list[Fix]:
    """Return a fix that replaces a misspelt name with the most similar one."""
    if not error.instead or error.node is None:
        return []
    node = getattr(error.node, "func", error.node)
    span = script.attribute(node) if error.instead.startswith(".") and isinstance(node, ast.Attribute) else script.span(node)
    return [Fix(msg("Write `{name}`", name=error.instead.removeprefix(".")), span.start, span.end, error.instead)]


def _broadcast(case: _Case) -> Advice:
    shapes = case.shapes
    if case.call.entry.name == "[]=":
        shape = tuple(case.call.args[0][case.call.args[1]].shape)
        return msg("The assigned value must have the shape of the indexed part, {shape}, or a shape that broadcasts to it.", shape=shape), None, []
    if case.call.entry.short in PRODUCTS:
        return _batches(case)
    alignment = _aligned(case.names(), shapes, _clashes(shapes))
    text = msg("Shapes are compared from the right. Two sizes are compatible if they are equal, or if one of them is 1; the marked sizes are neither.")
    return text, alignment, fixes.append_suffix(case.script, case.node, case.call, ("T", "unsqueeze"))


RANKS = {"mm": (2, 2), "bmm": (3, 3), "mv": (2, 1), "dot": (1, 1)}
"""Numbers of dimensions that the two operands of a product must have."""


def _batches(case: _Case) -> Advice:
    """Explain a product of batches of matrices: the leading dimensions are broadcast, the last two are multiplied."""
    shapes = case.shapes[:2]
    width = max(map(len, shapes))
    leading = _clashes([shape[:-2] for shape in shapes])
    wrong = tuple(axis + width - 2 - max(len(shape) - 2 for shape in shapes) for axis in leading)
    text = msg("A product of batches of matrices broadcasts the leading dimensions: two sizes must be equal, or one of them must be 1.")
    return text, _aligned(case.names()[:2], shapes, wrong), []


def _matmul(case: _Case) -> Advice:
    shapes, name = case.shapes[-2:], case.call.entry.short
    alignment = Alignment(tuple(Row(text, shape) for text, shape in zip(case.names()[-2:], shapes, strict=True)), ())
    candidates = fixes.append_suffix(case.script, case.node, case.call, ("T", "unsqueeze", "flatten"))
    if name in RANKS and tuple(map(len, shapes)) != RANKS[name]:
        first, second = RANKS[name]
        text = nmsg(
            "`{name}` multiplies a tensor of {n} dimension by one of {second}; `@` accepts other numbers of dimensions too.",
            "`{name}` multiplies a tensor of {n} dimensions by one of {second}; `@` accepts other numbers of dimensions too.",
            first,
            name=name,
            second=second,
        )
        return text, alignment, candidates
    if name == "linear" and len(shapes) == 2 and all(shapes):
        text = msg(
            "`F.linear` multiplies rows with rows: the last sizes of both must be equal. Here they are {first} and {second}.",
            first=shapes[0][-1],
            second=shapes[1][-1],
        )
        return text, alignment, candidates
    text = msg("A matrix product needs as many columns on the left as there are rows on the right: (n, k) @ (k, m) gives (n, m).")
    if all(shapes) and len(shapes) == 2:
        rows = shapes[1][-2] if len(shapes[1]) > 1 else shapes[1][0]
        if rows != shapes[0][-1]:
            left, right = nmsg("{n} column", "{n} columns", shapes[0][-1]), nmsg("{n} row", "{n} rows", rows)
            text = joined([text, msg("Here the left tensor has {columns} and the right one has {rows}.", columns=left, rows=right)])
    return text, alignment, candidates


def _square(case: _Case) -> Advice:
    shape = case.shapes[0] if case.shapes else ()
    text = msg("`{name}` is defined for square matrices, with as many rows as columns; the shape here is {shape}.", name=case.call.entry.short, shape=shape)
    return text, None, []


def _join(case: _Case) -> Advice:
    shapes, name = case.shapes, case.call.entry.short
    same = len({len(shape) for shape in shapes}) == 1
    dim = _joined_along(case, len(shapes[0])) if name != "stack" else None
    wrong = tuple(axis for axis in range(len(shapes[0])) if axis != dim and len({shape[axis] for shape in shapes}) > 1) if same else ()
    alignment = Alignment(tuple(Row(text, shape) for text, shape in zip(case.names(), shapes, strict=True)), wrong)
    if name == "stack":
        text = msg("`stack` joins tensors of the same shape along a new dimension; these shapes differ.")
    elif not same:
        text = msg("`{name}` concatenates tensors with the same number of dimensions. Add a dimension to the smaller one first, with `unsqueeze`.", name=name)
    else:
        text = msg(
            "`{name}` concatenates along dimension {dim}. In every other dimension all tensors must have the same size; in the marked one they differ.",
            name=name,
            dim=dim,
        )
    candidates = fixes.change_dimension(case.script, case.node, case.call)
    return text, alignment, [*candidates, *fixes.append_suffix(case.script, case.node, case.call, ("T", "unsqueeze"))][: fixes.MAX_FIXES]


def _joined_along(case: _Case, rank: int) -> int:
    """Return the dimension along which tensors are concatenated."""
    call = case.call
    fixed = {"hstack": min(1, rank - 1), "vstack": 0, "dstack": 2, "column_stack": 1, "row_stack": 0}
    if call.entry.short in fixed:
        return fixed[call.entry.short]
    dim = call.kwargs.get("dim", call.kwargs.get("axis", call.args[1] if len(call.args) > 1 else 0))
    return int(dim) % max(1, rank)


def _view(case: _Case) -> Advice:
    text = msg(
        "`view` never copies, so the new shape must fit the tensor’s strides. After `.T`, `permute` or some slices the tensor is not contiguous, "
        "and no view of that shape exists. `reshape` copies where it must."
    )
    return text, None, fixes.rename_method(case.script, case.node, case.call, "reshape")


def _size(case: _Case) -> Advice:
    new_sizes = [int(size) for size in re.findall(r"-?\d+", case.match[1])]
    cells = int(case.match[2])
    product = math.prod(size for size in new_sizes if size >= 0)
    if -1 in new_sizes:
        text = nmsg(
            "The tensor has {n} cell, which is not a multiple of {product}, so PyTorch cannot infer the size −1.",
            "The tensor has {n} cells, which is not a multiple of {product}, so PyTorch cannot infer the size −1.",
            cells,
            product=product,
        )
        return text, None, []
    text = nmsg(
        "The new shape has {n} cell, the tensor has {cells}; both must be equal. Write −1 for one size, and PyTorch infers it.",
        "The new shape has {n} cells, the tensor has {cells}; both must be equal. Write −1 for one size, and PyTorch infers it.",
        product,
        cells=cells,
    )
    return text, None, _minus_one(case, new_sizes, cells)


def _minus_one(case: _Case, new_sizes: list[int], cells: int) -> list[Fix]:
    """Return fixes that write −1 for one size, where the product of the others divides the number of cells."""
    arguments = getattr(case.node, "args", [])
    size_nodes = [node for node in arguments if not hasattr(node, "elts")] or [size for node in arguments for size in getattr(node, "elts", [])]
    if len(size_nodes) != len(new_sizes):
        return []
    candidates = []
    for node, size in reversed(list(zip(size_nodes, new_sizes, strict=True))):
        rest = math.prod(new_sizes) // size if size else 0
        if rest and cells % rest == 0:
            span = case.script.span(node)
            candidates.append(Fix(msg("Write −1 for {size}: it becomes {inferred}", size=size, inferred=cells // rest), span.start, span.end, "-1"))
    return candidates[: fixes.MAX_FIXES]


def _dtype(case: _Case) -> Advice:
    if not case.call.arrays:
        return msg("This operation needs a floating-point dtype; it is not defined for integers."), None, []
    dtypes = listed(dict.fromkeys(f"`{str(array.dtype).removeprefix('torch.')}`" for array in case.call.arrays))
    text = msg("This operation needs one floating-point dtype for all of its tensors; here there is {dtypes}. Convert integers with `.float()`.", dtypes=dtypes)
    return text, None, fixes.append_suffix(case.script, case.node, case.call, ("float", "double", "long"))


def _cast_in_place(case: _Case) -> Advice:
    text = msg(
        "An in-place operation writes its result into the existing tensor, which keeps its dtype; "
        "a result of dtype {result} cannot be stored as {stored}. Use the operation that returns a new tensor, or convert first.",
        result=case.match[1].lower(),
        stored=case.match[2].lower(),
    )
    return text, None, []


def _index_dtype(case: _Case) -> Advice:
    text = msg("An index tensor must have an integer dtype (positions) or dtype bool (a mask); this one has another dtype.")
    return text, None, fixes.append_suffix(case.script, case.node, case.call, ("long", "bool"))


def _out_of_bounds(case: _Case) -> Advice:
    if not case.match[3]:
        return msg("Indices start at 0, so the last index is one less than the size."), None, []
    size = int(case.match[3])
    if not size:
        return msg("This dimension has size 0, so it has no valid index."), None, []
    return msg("A dimension of size {size} has the indices 0 to {last}; counted from the end, −1 to −{size}.", size=size, last=size - 1), None, []


def _dimension(case: _Case) -> Advice:
    shape = case.shapes[0] if case.shapes else ()
    if match := re.search(r"in range of \[(-\d+), (\d+)\]", case.match.string):  # no text: a pattern
        low, high = int(match[1]), int(match[2])
        if not shape and case.call.entry.short not in ("unsqueeze", "unsqueeze_", "stack"):
            return msg("This tensor has shape (): a single number, with no dimensions to choose from."), None, []
        text = msg(
            "With the shape {shape}, dimensions count from 0 to {high} from the left, and from −1 to −{low} from the right.", shape=shape, high=high, low=-low
        )
        return text, None, []
    text = nmsg(
        "The shape {shape} has {n} dimension; dimensions are counted from 0.",
        "The shape {shape} has {n} dimensions; they are counted from 0.",
        len(shape),
        shape=shape,
    )
    return text, None, []


def _too_many_indices(case: _Case) -> Advice:
    shape = case.shapes[0] if case.shapes else ()
    text = nmsg(
        "The shape {shape} takes at most {n} index, one for each dimension.",
        "The shape {shape} takes at most {n} indices, one for each dimension.",
        len(shape),
        shape=shape,
    )
    return text, None, []


def _mask(case: _Case) -> Advice:
    text = msg("A boolean mask has one value for each cell, so it needs the shape of the indexed tensor, or of its first dimensions.")
    shapes = case.shapes[:2]
    alignment = Alignment(tuple(Row(name, shape) for name, shape in zip((msg("tensor"), msg("mask")), shapes, strict=False)), ())
    return text, alignment, []


def _scalar(case: _Case) -> Advice:
    cells = math.prod(case.shapes[0]) if case.shapes else 0
    text = msg(
        "Only a tensor with one cell converts to a Python number; this one has {cells}. Index one cell, or reduce first with `.sum()` or `.mean()`.",
        cells=cells,
    )
    return text, None, []


def _truth(case: _Case) -> Advice:
    text = msg("A tensor with several cells is neither true nor false. Use `.all()` or `.any()` for one answer, and `&` and `|` cell by cell.")
    node, span = case.node, case.script.span(case.node)
    if isinstance(node, ast.Call):
        return text, None, []
    elementwise = _elementwise(case.script, node)
    replacements = [f"({elementwise}).{name}()" for name in ("all", "any")]
    chained = elementwise != case.script.text(node)
    if chained and not re.match(r"\s*(?:if|elif|while|assert)\b", case.script.source.splitlines()[span.line - 1]):
        replacements.insert(0, elementwise)
    return text, None, [Fix(msg("Use `{replacement}`", replacement=each), span.start, span.end, each) for each in replacements]


def _elementwise(script: Script, node: ast.AST) -> str:
    """Rewrite a condition with elementwise operators: `a < b < c` and `x and y` with `&`, `or` with `|`."""
    if isinstance(node, ast.Compare) and len(node.ops) > 1:
        parts = [node.left, *node.comparators]
        signs = [SIGNS[type(kind)] for kind in node.ops]
        return " & ".join(f"({script.text(left)} {sign} {script.text(right)})" for left, sign, right in zip(parts, signs, parts[1:], strict=False))
    if isinstance(node, ast.BoolOp):
        return (" & " if isinstance(node.op, ast.And) else " | ").join(f"({_elementwise(script, part)})" for part in node.values)
    return script.text(node)


def _needs_detach(case: _Case) -> Advice:
    text = msg("NumPy does not record gradients. `detach()` returns a tensor that shares the memory and has no history.")
    return text, None, fixes.append_suffix(case.script, case.node, case.call, ("detach",))


def _needs_cpu(case: _Case) -> Advice:
    text = msg("NumPy arrays are in CPU memory. Copy the tensor there first, with `.cpu()`.")
    return text, None, fixes.append_suffix(case.script, case.node, case.call, ("cpu",))


def _devices(case: _Case) -> Advice:
    where = listed(dict.fromkeys(f"`{array.device}`" for array in case.call.arrays if isinstance(array, torch.Tensor)))
    text = msg("All tensors of an operation must be on the same device; here they are on {where}. Move one with `.to(device)`.", where=where)
    return text, None, []


def _expand(case: _Case) -> Advice:
    if case.call.entry.name == "[]=":
        return _broadcast(case)
    text = msg("`expand` can only expand dimensions of size 1; it does not copy. To repeat a dimension of another size, use `repeat`, which copies.")
    return text, None, fixes.append_suffix(case.script, case.node, case.call, ("T", "unsqueeze"))


def _ragged(_case: _Case) -> Advice:
    return msg("All rows of a tensor must have the same length; here they differ."), None, []


def _list_of_tensors(case: _Case) -> Advice:
    text = msg("`{name}` takes one list of tensors as its argument: `{name}([a, b])`.", name=case.call.entry.short)
    return text, None, fixes.wrap_in_list(case.script, case.node)


def _in_place_shape(case: _Case) -> Advice:
    shapes = case.shapes[:2]
    text = msg(
        "An in-place operation writes its result into the existing tensor, so the result must have that tensor’s shape. "
        "The operation that is not in-place creates a new, larger tensor."
    )
    return text, _aligned(case.names()[:2], shapes, ()), []


def _leaf(_case: _Case) -> Advice:
    text = msg("A leaf tensor that requires grad must not be changed in place while PyTorch records the graph. Change it inside `with torch.no_grad():`.")
    return text, None, []


def _no_graph(_case: _Case) -> Advice:
    text = msg("This tensor has no computation graph. Create the inputs with `requires_grad=True`, and do not call `detach()` between them and the loss.")
    return text, None, []


def _scalar_output(_case: _Case) -> Advice:
    text = msg(
        "`backward()` without an argument needs a single number. Reduce the result first with `.sum()` or `.mean()`, "
        "or pass `backward` an upstream gradient of its shape."
    )
    return text, None, []


def _second_backward(_case: _Case) -> Advice:
    return msg("`backward()` frees the values that the graph saved. Compute the loss again, or pass `retain_graph=True` to the first call."), None, []


def _integer_gradient(case: _Case) -> Advice:
    text = msg("A gradient is the effect of a small change; integers have no small changes. Create the tensor with a floating-point dtype.")
    return text, None, _float_literals(case)


def _float_literals(case: _Case) -> list[Fix]:
    """Return a fix that creates the tensor with a floating-point dtype."""
    if not isinstance(case.node, ast.Call) or case.call.entry.is_method:
        return fixes.append_suffix(case.script, case.node, case.call, ("float",))
    for keyword in case.node.keywords:
        if keyword.arg == "dtype":
            span = case.script.span(keyword.value)
            return [Fix(msg("Use `{replacement}`", replacement="dtype=torch.float32"), span.start, span.end, "torch.float32")]
    span = case.script.arguments(case.node)
    arguments = case.script.source[span.start : span.end].rstrip().rstrip(",")
    return [Fix(msg("Add `dtype=torch.float32`"), span.start, span.end, f"{arguments}, dtype=torch.float32")]  # no text: code


def _mean(case: _Case) -> Advice:
    text = msg("The mean of integers need not be an integer, and PyTorch does not choose a floating-point dtype for you. Convert with `.float()` first.")
    return text, None, fixes.append_suffix(case.script, case.node, case.call, ("float",))


def _size_of_array(case: _Case) -> Advice:
    text = nmsg(
        "The array has {n} cell, and the shape ({shape}) has another number of cells; both must be equal.",
        "The array has {n} cells, and the shape ({shape}) has another number of cells; both must be equal.",
        int(case.match[1]),
        shape=case.match[2],
    )
    return text, None, []


def _out_of_list(_case: _Case) -> Advice:
    return msg("Indices start at 0, so the last index is one less than the length."), None, []


def _one_shape(_case: _Case) -> Advice:
    return msg("PyTorch can infer only one size, so −1 may appear only once."), None, []


def _no_dimensions(_case: _Case) -> Advice:
    return msg("A tensor of shape () is a single number: it has no dimension to index. Get the number with `x.item()`."), None, []


def _whole_index(_case: _Case) -> Advice:
    return msg("An index must be an integer, a slice such as `1:3`, a list of integers, or a boolean mask."), None, []


RULES: tuple[tuple[re.Pattern[str], Callable[[_Case], Advice]], ...] = (
    (re.compile(r"The size of tensor a \(\d+\) must match the size of tensor b|could not be broadcast together"), _broadcast),
    (re.compile(r"cannot be multiplied|size mismatch, got|batch2 tensor to be|inconsistent tensor size|mismatch in its core dimension"), _matmul),
    (re.compile(r"1D tensors expected|must be a matrix|vector \+ matrix|not aligned|at least 1D|must be a (?:2|3)-?D"), _matmul),
    (re.compile(r"Sizes of tensors must match except in dimension|stack expects each tensor|Tensors must have same number of dimensions"), _join),
    (re.compile(r"view size is not compatible"), _view),
    (re.compile(r"shape '\[([^\]]*)\]' is invalid for input of size (\d+)"), _size),
    (re.compile(r"mean\(\): could not infer output dtype|mean\(\): input dtype should be"), _mean),
    (re.compile(r"result type (\w+) can't be cast to the desired output type (\w+)"), _cast_in_place),
    (re.compile(r"must be batches of square matrices|Last 2 dimensions of the array must be square"), _square),
    (re.compile(r"invalid index of a 0-dim|too many indices.* 0-dim|slice\(\) cannot be applied to a 0-dim"), _no_dimensions),
    (re.compile(r"only one dimension can be inferred|can only specify one unknown dimension"), _one_shape),
    (re.compile(r"only integers, slices|indices must be integers"), _whole_index),
    (re.compile(r"cannot reshape array of size (\d+) into shape \(([^)]*)\)"), _size_of_array),
    (re.compile(r"array dimensions except for the concatenation axis|must have same number of dimensions"), _join),
    (re.compile(r"std and var|only support floating point"), _mean),
    (re.compile(r"list index out of range|tuple index out of range"), _out_of_list),
    (re.compile(r"same dtype|expected scalar type|must have the same dtype|not implemented for '(?:Long|Int|Bool|Byte|Short|Char)'"), _dtype),
    (re.compile(r"requires a floating|floating point (?:dtype|tensor)s? (?:as|expected)"), _dtype),
    (re.compile(r"tensors used as indices|Expected dtype int64 for index|index\w*\(\): Expected"), _index_dtype),
    (re.compile(r"index (-?\d+) is out of bounds for (?:dimension|axis) (\d+) with size (\d+)|(?:index)()() out of range"), _out_of_bounds),
    (re.compile(r"Dimension out of range|axis (-?\d+) is out of bounds"), _dimension),
    (re.compile(r"too many indices"), _too_many_indices),
    (re.compile(r"The shape of the mask|boolean index did not match"), _mask),
    (re.compile(r"cannot be converted to Scalar|only one element tensors|only length-1 arrays|can only convert an array of size 1"), _scalar),
    (re.compile(r"Boolean value of Tensor|truth value of an array"), _truth),
    (re.compile(r"numpy\(\) on Tensor that requires grad"), _needs_detach),
    (re.compile(r"device type tensor to numpy"), _needs_cpu),
    (re.compile(r"to be on the same device"), _devices),
    (re.compile(r"The expanded size of the tensor|expand\("), _expand),
    (re.compile(r"expected sequence of length|inhomogeneous"), _ragged),
    (re.compile(r"must be tuple of Tensors|received an invalid combination of arguments - got \(Tensor, Tensor|only integer scalar arrays"), _list_of_tensors),
    (re.compile(r"doesn't match the broadcast shape|non-broadcastable output"), _in_place_shape),
    (re.compile(r"leaf Variable that requires grad"), _leaf),
    (re.compile(r"does not require grad and does not have a grad_fn"), _no_graph),
    (re.compile(r"implicitly created only for scalar outputs"), _scalar_output),
    (re.compile(r"backward through the graph a second time"), _second_backward),
    (re.compile(r"[Oo]nly Tensors of floating point"), _integer_gradient),
)  # fmt: skip
"""Patterns of error messages of PyTorch and NumPy, and the function that explains them; the first match counts."""


def _aligned(names: list[str], shapes: list[tuple[int, ...]], wrong: tuple[int, ...]) -> Alignment:
    """Align shapes at the right, as broadcasting compares them."""
    width = max((len(shape) for shape in shapes), default=0)
    rows = tuple(Row(name, (*(None,) * (width - len(shape)), *shape)) for name, shape in zip(names, shapes, strict=True))
    return Alignment(rows, wrong)


def _clashes(shapes: list[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the columns, after alignment, whose sizes are neither equal nor 1."""
    width = max((len(shape) for shape in shapes), default=0)
    padded = [(1,) * (width - len(shape)) + shape for shape in shapes]
    return tuple(axis for axis in range(width) if len({shape[axis] for shape in padded} - {1}) > 1)
