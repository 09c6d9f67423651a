"""Mistakes of learners: the position is found, the rule is explained, and every fix works.

In each script the part that fails stands between ⟪ and ⟫.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch

from playground.errors import PlaygroundError
from playground.tensors.help import fixes
from playground.tensors.help.explanations import Explanation, explain
from playground.tensors.help.fixes import Fix
from playground.tensors.language import interpreter

A = "a = torch.ones(2, 3)\n"
N = "a = np.ones(3)\n"
I = "a = torch.arange(4)\n"  # noqa: E741
G = "a = torch.ones(3, requires_grad=True)\n"

BROADCAST = {
    "columns differ": (A + "c = ⟪a + torch.ones(4)⟫", (1,)),
    "both differ": (A + "c = ⟪a + torch.ones(3, 2)⟫", (0, 1)),
    "a vector of rows": (A + "c = ⟪a * torch.ones(2)⟫", (1,)),
    "two vectors": ("c = ⟪torch.ones(2) - torch.ones(3)⟫", (0,)),
    "three dimensions": ("c = ⟪torch.ones(4, 2, 3) / torch.ones(4, 5, 3)⟫", (1,)),
    "three and two": ("c = ⟪torch.ones(4, 2, 3) + torch.ones(3, 3)⟫", (1,)),
    "four and one": ("c = ⟪torch.ones(1, 4, 2, 3) + torch.ones(2)⟫", (3,)),
    "a one does not help elsewhere": ("c = ⟪torch.ones(1, 2) + torch.ones(4, 3)⟫", (1,)),
    "NumPy": ("c = ⟪np.ones((2, 3)) + np.ones((3, 2))⟫", (0, 1)),
    "a function": (A + "c = ⟪torch.add(a, torch.ones(2))⟫", (1,)),
    "a keyword": (A + "c = ⟪torch.add(a, other=torch.ones(2))⟫", (1,)),
    "a method": (A + "c = ⟪a.mul(torch.ones(2))⟫", (1,)),
    "in place": (A + "⟪a.add_(torch.ones(2))⟫", (1,)),
    "augmented": (A + "⟪a -= torch.ones(2)⟫", (1,)),
    "a comparison": (A + "c = ⟪a > torch.ones(2)⟫", (1,)),
    "a loss": (A + "c = ⟪F.mse_loss(a, torch.ones(2))⟫", (1,)),
    "inside brackets": (A + "c = (⟪a.t() + a⟫) * 2", (0, 1)),
    "in a loop": (A + "for row in a:\n    c = ⟪row + torch.ones(2)⟫", (0,)),
    "in an f-string": (A + 'print(f"sum: {⟪a + torch.ones(2)⟫}")', (1,)),
    "in a comprehension": (A + "c = [⟪row * torch.ones(2)⟫ for row in a]", (0,)),
    "the third operand": (A + "c = ⟪torch.where(a > 0, a, torch.ones(2))⟫", (1,)),
}
PRODUCTS = {
    "@": (A + "c = ⟪a @ a⟫", ()),
    "torch.mm": (A + "c = ⟪torch.mm(a, a)⟫", ()),
    "torch.matmul": (A + "c = ⟪torch.matmul(a, a)⟫", ()),
    "matrix and vector": (A + "c = ⟪a.matmul(torch.ones(2))⟫", ()),
    "mm of a vector": (A + "c = ⟪torch.mm(a, torch.ones(3))⟫", ()),
    "mv of a matrix": (A + "c = ⟪torch.mv(a, torch.ones(3, 1))⟫", ()),
    "mv of too few": (A + "c = ⟪torch.mv(a, torch.ones(2))⟫", ()),
    "dot of two lengths": ("c = ⟪torch.dot(torch.ones(3), torch.ones(4))⟫", ()),
    "dot of a matrix": ("c = ⟪torch.dot(torch.ones(3, 1), torch.ones(3))⟫", ()),
    "bmm": ("c = ⟪torch.bmm(torch.ones(2, 3, 4), torch.ones(2, 3, 4))⟫", ()),
    "bmm of matrices": ("c = ⟪torch.bmm(torch.ones(3, 4), torch.ones(4, 3))⟫", ()),
    "a number": ("c = ⟪torch.ones(2, 3) @ torch.tensor(2.)⟫", ()),
    "of batches": ("c = ⟪torch.ones(2, 3, 4) @ torch.ones(2, 3, 4)⟫", ()),
    "NumPy @": ("c = ⟪np.ones((2, 3)) @ np.ones((2, 3))⟫", ()),
    "np.dot": ("c = ⟪np.dot(np.ones((2, 3)), np.ones((2, 3)))⟫", ()),
    "F.linear": ("c = ⟪F.linear(torch.ones(4, 10), torch.ones(10, 5))⟫", ()),
    "torch.addmm": (A + "c = ⟪torch.addmm(torch.ones(2), a, a)⟫", ()),
    "a product of a sum": (A + "c = ⟪a @ (a + 1)⟫", ()),
    "a negated operand": (A + "c = ⟪-a @ a⟫ + 1", ()),
}
JOINS = {
    "cat": ("c = ⟪torch.cat([torch.ones(2, 3), torch.ones(3, 4)])⟫", (1,)),
    "cat of a tuple": ("c = ⟪torch.cat((torch.ones(2, 3), torch.ones(3, 4)))⟫", (1,)),
    "cat along 1": ("c = ⟪torch.cat([torch.ones(2, 3), torch.ones(4, 3)], dim=1)⟫", (0,)),
    "cat along 1 by place": ("c = ⟪torch.cat([torch.ones(2, 3), torch.ones(4, 3)], 1)⟫", (0,)),
    "cat along the last": ("c = ⟪torch.cat([torch.ones(2, 3), torch.ones(4, 3)], -1)⟫", (0,)),
    "cat along an axis": ("c = ⟪torch.cat([torch.ones(2, 3), torch.ones(4, 3)], axis=1)⟫", (0,)),
    "cat by keyword": ("c = ⟪torch.cat(tensors=[torch.ones(2, 3), torch.ones(4, 3)], dim=1)⟫", (0,)),
    "cat of a name": ("parts = [torch.ones(2, 3), torch.ones(3, 2)]\nc = ⟪torch.cat(parts)⟫", (1,)),
    "cat of different ranks": ("c = ⟪torch.cat([torch.ones(2, 3), torch.ones(3)])⟫", ()),
    "stack": ("c = ⟪torch.stack([torch.ones(2, 3), torch.ones(3, 3)])⟫", (0,)),
    "stack of different ranks": ("c = ⟪torch.stack([torch.ones(2, 3), torch.ones(3)])⟫", ()),
    "vstack": ("c = ⟪torch.vstack([torch.ones(2, 3), torch.ones(2, 2)])⟫", (1,)),
    "hstack": ("c = ⟪torch.hstack([torch.ones(2, 3), torch.ones(3, 3)])⟫", (0,)),
}
OTHERS = {
    "in-place shape": "a = torch.ones(3)\n⟪a += torch.ones(2, 3)⟫",
    "in-place shape of NumPy": N + "⟪a += np.ones((2, 3))⟫",
    "cat without brackets": A + "c = ⟪torch.cat(a, a)⟫",
    "cat without brackets but with dim": A + "c = ⟪torch.cat(a, a, dim=1)⟫",
    "stack without brackets": A + "c = ⟪torch.stack(a, a)⟫",
    "concatenate without brackets": N + "c = ⟪np.concatenate(a, a)⟫",
    "stack of expressions without brackets": A + "c = ⟪torch.stack((a + 1), (a * 2))⟫",
    "view of transposed": A + "c = ⟪a.t().view(6)⟫",
    "view of transposed in brackets": A + "c = ⟪(a.t()).view(6)⟫",
    "view of a slice": A + "c = ⟪a[:, :2].view(-1)⟫",
    "view of permuted": "a = torch.ones(2, 3, 4)\nc = ⟪a.permute(1, 0, 2).view(6, 4)⟫",
    "wrong view": A + "c = ⟪a.view(4, 2)⟫",
    "wrong view by keyword": A + "c = ⟪a.view(size=(4, 2))⟫",
    "wrong view of a list": A + "c = ⟪a.reshape([4, 2])⟫",
    "wrong view of a name": A + "s = (4, 2)\nc = ⟪a.reshape(s)⟫",
    "wrong reshape": A + "c = ⟪torch.reshape(a, (3, 3))⟫",
    "wrong reshape with a variable": A + "n = 3\nc = ⟪a.reshape(n + 1, 2)⟫",
    "−1 that does not divide": A + "c = ⟪a.reshape(4, -1)⟫",
    "−1 that does not divide in view": A + "c = ⟪a.view(-1, 4)⟫",
    "dtypes of a product": I + "c = ⟪a.view(2, 2) @ torch.ones(2, 2)⟫",
    "dtypes of mm": I + "c = ⟪torch.mm(a.view(2, 2), torch.ones(2, 2))⟫",
    "softmax of integers": I + "c = ⟪torch.softmax(a, dim=0)⟫",
    "mean of integers": I + "c = ⟪a.mean()⟫",
    "torch.mean of integers": I + "c = ⟪torch.mean(a, dim=0)⟫",
    "mean of booleans": I + "c = ⟪(a > 1).mean()⟫",
    "cast in place": I + "⟪a += 0.5⟫",
    "divide in place": I + "⟪a /= 2⟫",
    "divide in place by a method": I + "⟪a.div_(2)⟫",
    "index too large": I + "c = ⟪a[4]⟫",
    "index too small": I + "c = ⟪a[-5]⟫",
    "row too large": A + "c = ⟪a[2, 0]⟫",
    "column too large": A + "c = ⟪a[:, 3]⟫",
    "index of NumPy too large": N + "c = ⟪a[5]⟫",
    "an index in a tensor too large": I + "c = ⟪a[torch.tensor([1, 7])]⟫",
    "assigned index too large": A + "⟪a[5]⟫ = 1",
    "index_select too large": A + "c = ⟪a.index_select(0, torch.tensor([5]))⟫",
    "gather too large": A + "c = ⟪torch.gather(a, 1, torch.tensor([[5]]))⟫",
    "too many indices": A + "c = ⟪a[0, 0, 0]⟫",
    "too many indices of NumPy": N + "c = ⟪a[1, 2]⟫",
    "float index tensor": I + "c = ⟪a[torch.tensor([0., 1.])]⟫",
    "wrong mask": I + "c = ⟪a[torch.tensor([True, False])]⟫",
    "wrong mask of NumPy": N + "c = ⟪a[np.array([True, False])]⟫",
    "assigned by a wrong mask": A + "⟪a[torch.ones(3) > 0]⟫ = 1",
    "dimension out of range": A + "c = ⟪a.sum(dim=2)⟫",
    "dimension of softmax": A + "c = ⟪F.softmax(a, dim=2)⟫",
    "dimension of permute": A + "c = ⟪a.permute(1, 2)⟫",
    "axis out of range": N + "c = ⟪a.sum(axis=1)⟫",
    "item of many": A + "c = ⟪a.item()⟫",
    "float of many": A + "c = ⟪float(a)⟫",
    "int of many": A + "c = ⟪int(a)⟫",
    "if of many": A + "if ⟪a > 0⟫:\n    b = 1",
    "while of many": A + "while ⟪a > 0⟫:\n    a = a - 1",
    "assert of many": A + "assert ⟪a > 0⟫",
    "not of many": A + "b = not ⟪a⟫",
    "either of many": A + "b = 1 if ⟪a > 0⟫ else 2",
    "truth of an array": N + "if ⟪a > 0⟫:\n    b = 1",
    "and of many": A + "b = ⟪a > 0 and a < 2⟫",
    "chained comparison": A + "b = ⟪0 < a < 2⟫",
    "numpy with a gradient": G + "b = ⟪a.numpy()⟫",
    "numpy of a sum with a gradient": G + "b = ⟪(a * 2).numpy()⟫",
    "np.sin with a gradient": G + "b = ⟪np.sin(a)⟫",
    "expand of three": "a = torch.ones(3)\nc = ⟪a.expand(6)⟫",
    "expand the wrong way": "a = torch.ones(3)\nc = ⟪a.expand(3, 4)⟫",
    "ragged list": "c = ⟪torch.tensor([[1, 2], [3]])⟫",
    "ragged array": "c = ⟪np.array([[1, 2], [3]])⟫",
    "leaf in place": G + "⟪a += 1⟫",
    "leaf by a method": G + "⟪a.add_(1)⟫",
    "cell of a leaf": G + "⟪a[0]⟫ = 2",
    "backward without a graph": "a = torch.ones(3)\n⟪a.sum().backward()⟫",
    "backward of many": G + "b = a * 2\n⟪b.backward()⟫",
    "backward twice": G + "b = (a * a).sum()\nb.backward()\n⟪b.backward()⟫",
    "gradient of integers": "a = ⟪torch.tensor([1, 2], requires_grad=True)⟫",
    "gradient of a range": "a = ⟪torch.arange(3, requires_grad=True)⟫",
    "gradient of integers with a comma": "a = ⟪torch.tensor([1, 2], requires_grad=True,)⟫",
    "gradient of integers by dtype": "a = ⟪torch.tensor([1, 2], dtype=torch.int64, requires_grad=True)⟫",
    "gradient asked of integers": I + "⟪a.requires_grad_()⟫",
    "random integers": "a = ⟪torch.rand(2, 3, dtype=torch.long)⟫",
    "operands of a star": "parts = [torch.ones(2, 3), torch.ones(2)]\nc = ⟪torch.add(*parts)⟫",
    "typo in a name": "matrix = torch.ones(2)\nb = ⟪matirx⟫ + 1",
    "typo in a module": "b = ⟪troch⟫.ones(2)",
    "typo in a function": "b = ⟪torch.zeross(3)⟫",
    "typo in a function of F": "b = ⟪F.reluu(torch.ones(2))⟫",
    "typo in a dtype": "b = torch.ones(2, dtype=⟪torch.flaot32⟫)",
    "typo in a method": A + "b = ⟪a.summ()⟫",
    "typo in a method of a sum": A + "b = ⟪(a + 1).summ()⟫",
    "typo in an attribute": A + "b = ⟪a.shap⟫",
    "typo in an attribute of a product": A + "b = ⟪(a * a).shap⟫",
    "function without its module": "b = ⟪zeros⟫(3)",
    "name before it is made": "b = ⟪a⟫ + 1\na = 1",
    "an import": "⟪import sqlite3 as db⟫",
    "unclosed bracket": "a = torch.ones⟪(⟫2",
    "one bracket too many": "a = torch.ones(2)⟪)⟫",
    "unclosed text": "print(⟪'⟫abc)",
    "missing indentation": "for i in range(3):\n⟪print⟫(i)",
}
UNEXPLAINED = {
    "method without brackets": A + "b = ⟪a.sum⟫",
    "brackets after a value": A + "b = ⟪a.shape()⟫",
    "from_numpy of a list": "b = ⟪torch.from_numpy([1, 2])⟫",
    "a text for a size": 'b = ⟪torch.ones("a")⟫',
    "a float for a size": "b = ⟪torch.ones(2.5)⟫",
    "a negative size": "b = ⟪torch.ones(-2)⟫",
    "unknown keyword": "b = ⟪torch.ones(2, shape=3)⟫",
    "unknown keyword of a method": A + "b = ⟪a.sum(axes=1)⟫",
    "missing argument": A + "b = ⟪a.unsqueeze()⟫",
    "too many arguments": "b = ⟪torch.eye(2, 3, 4)⟫",
    "plus a list": A + "b = ⟪a + [1, 2]⟫",
    "plus a text": A + 'b = ⟪a + "1"⟫',
    "plus None": A + "b = ⟪a + None⟫",
    "rows without their list": "b = ⟪torch.tensor((1, 2), (3, 4))⟫",
    "a text in a tensor": 'b = ⟪torch.tensor([1, "a"])⟫',
    "index of a number": "n = 3\nb = ⟪n[0]⟫",
    "index of a shape": A + "b = ⟪a.shape[2]⟫",
    "calling a tensor": A + "b = ⟪a⟫()",
    "setting a shape": A + "⟪a.shape⟫ = (3, 2)",
    "unpacking too many": A + "⟪x, y, z⟫ = a",
    "looping over a number": "for i in ⟪3⟫:\n    print(i)",
    "division by zero": "b = ⟪1 / 0⟫",
    "gradient that is not there": G + "⟪a.grad.zero_()⟫",
    "wrong order of sizes": "b = ⟪torch.ones(2, 3).repeat(2)⟫",
}
PREFIXES = {
    "plainly": "",
    "after other letters": 'größe = "日本 😀 é"; ',
    "after a line": 'print("ä😀ß")  # → 日本\n',
    "after a tab": 'if True:\n\tprint("ñ")\n',
}


def cut(marked: str) -> tuple[str, str]:
    """The script, and its part that fails."""
    (part,) = re.findall(r"⟪(.*)⟫", marked, re.DOTALL)
    return marked.replace("⟪", "").replace("⟫", ""), part


def explained(source: str) -> Explanation:
    execution = interpreter.run(source, {"device": torch.device("cpu")})
    assert execution.error is not None, "the script is not wrong"
    return explain(execution.error, source)


def applied(source: str, fix: Fix) -> str:
    return source[: fix.start] + fix.text + source[fix.end :]


def goes_further(source: str, found: Explanation, fix: Fix) -> None:
    """The script with the fix runs, or fails behind the mistake."""
    mended = applied(source, fix)
    compile(mended, "mended", "exec")  # Python itself must take it, and not the interpreter alone
    error = interpreter.run(mended, {"device": torch.device("cpu")}).error
    if error is not None:
        after = explain(error, mended)
        assert (after.span.line, after.message) != (found.span.line, found.message), f"{fix} leaves the mistake as it was: {mended}"
        assert after.span.line > found.span.line, f"{fix} makes another mistake, {after.message}: {mended}"


EXPLAINED: dict[str, str] = {
    **{name: source for table in (BROADCAST, PRODUCTS, JOINS) for name, (source, _columns) in table.items()},
    **OTHERS,
}
ALIGNED = {**BROADCAST, **PRODUCTS, **JOINS}
EVERY = {**EXPLAINED, **UNEXPLAINED}


def each(table: dict[str, Any]) -> Any:
    return pytest.mark.parametrize("marked", table.values(), ids=list(table))


@each(EVERY)
def test_the_failing_part_is_marked(marked: str) -> None:
    source, part = cut(marked)
    found = explained(source)
    assert source[found.span.start : found.span.end] == part
    assert found.span.line == source[: found.span.start].count("\n") + 1
    assert found.message and not re.match(r"\w+Error: ", found.message)


@each(EXPLAINED)
def test_the_rule_is_explained(marked: str) -> None:
    found = explained(cut(marked)[0])
    assert len(found.explanation.split()) >= 4 and found.explanation.endswith((".", "?"))
    assert "there is ." not in found.explanation


@each(EVERY)
def test_every_fix_works(marked: str) -> None:
    source, _part = cut(marked)
    found = explained(source)
    assert len(found.fixes) <= fixes.MAX_FIXES
    for fix in found.fixes:
        assert fix.label and 0 <= fix.start <= fix.end <= len(source) and applied(source, fix) != source
        goes_further(source, found, fix)


def no_deeper(prefix: str, marked: str) -> str:
    """Statements that open a block cannot follow another on its line."""
    first = marked.replace("⟪", "").split("\n")[0]
    return prefix if prefix.endswith("\n") or not first.startswith(("if ", "for ", "while ", "def ")) else f"{prefix}\n"


@each(EVERY)
def test_offsets_count_characters(marked: str) -> None:
    source, part = cut(marked)
    plain = [(fix.start, fix.end, fix.text) for fix in explained(source).fixes]
    for name, prefix in list(PREFIXES.items())[1:]:
        before = no_deeper(prefix, marked)
        shifted = explained(before + source)
        assert (before + source)[shifted.span.start : shifted.span.end] == part, name
        assert [(fix.start - len(before), fix.end - len(before), fix.text) for fix in shifted.fixes] == plain, name


INSIDE = {
    "operand": "c = ⟪torch.ones(2, 3) + torch.tensor([len('äöü😀'), 2.])⟫",
    "typo": "a = torch.ones(2)\nprint('日本', ⟪a.summ()⟫, 'é')",
    "brackets": "größe = torch.ones(2)\nc = ⟪torch.cat(größe, größe)⟫",
    "view": "größe = torch.ones(2, 3)\nc = ['é', ⟪größe.t().view(6)⟫]",
    "f-string": "a = torch.ones(2)\nprint(f'größe 😀 {a} {⟪a + torch.ones(3)⟫}')",
    "closing": "größe = '日本'; a = torch.ones(2)⟪)⟫",
}


@each(INSIDE)
def test_other_letters_around_and_in_the_mistake(marked: str) -> None:
    source, part = cut(marked)
    found = explained(source)
    assert source[found.span.start : found.span.end] == part
    for fix in found.fixes:
        goes_further(source, found, fix)


ENDS = {"line separator": "\u2028", "form feed": "\x0c", "file separator": "\x1c", "next line": "\x85", "vertical tab": "\x0b"}


@pytest.mark.parametrize("letter", ENDS.values(), ids=list(ENDS))
def test_only_pythons_line_ends_end_a_line(letter: str) -> None:
    source = f"# a{letter}b\na = torch.ones(2)\nb = a + torch.ones(3)\n"
    found = explained(source)
    assert source[found.span.start : found.span.end] == "a + torch.ones(3)"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
def test_line_ends_of_every_system(end: str) -> None:
    source = end.join(["# ä", "a = torch.ones(2)", "b = a.summ()"])
    found = explained(source)
    assert source[found.span.start : found.span.end] == "a.summ()" and found.span.line == 3
    goes_further(source, found, found.fixes[0])


@pytest.mark.parametrize(("marked", "columns"), ALIGNED.values(), ids=list(ALIGNED))
def test_the_shapes_are_aligned(marked: str, columns: tuple[int, ...]) -> None:
    found = explained(cut(marked)[0])
    assert found.alignment is not None
    assert found.alignment.wrong == columns
    assert len(found.alignment.rows) >= 2


@pytest.mark.parametrize(("marked", "columns"), BROADCAST.values(), ids=list(BROADCAST))
def test_broadcast_shapes_are_aligned_at_the_right(marked: str, columns: tuple[int, ...]) -> None:
    found = explained(cut(marked)[0])
    assert found.alignment is not None
    rows = [row.sizes for row in found.alignment.rows]
    assert len({len(row) for row in rows}) == 1
    for column in range(len(rows[0])):
        sizes = {row[column] for row in rows} - {None, 1}
        assert (len(sizes) > 1) == (column in columns)


NAMED = {
    "an operator": (A + "b = torch.ones(2)\nc = a + b", ["a", "b"]),
    "a comparison": (A + "b = torch.ones(2)\nc = a > b", ["a", "b"]),
    "augmented": (A + "b = torch.ones(2)\na += b", ["a", "b"]),
    "a method": (A + "c = a.add(torch.ones(2))", ["a", "torch.ones(2)"]),
    "a list": (A + "b = torch.ones(2, 4)\nc = torch.cat([a, b])", ["a", "b"]),
    "a product": (A + "c = a @ (a + 1)", ["a", "a + 1"]),
}


@pytest.mark.parametrize(("source", "names"), NAMED.values(), ids=list(NAMED))
def test_aligned_shapes_have_their_operands_names(source: str, names: list[str]) -> None:
    alignment = explained(source).alignment
    assert alignment is not None and [row.name for row in alignment.rows] == names


FIXED = {
    "transpose": ("c = ⟪torch.ones(2, 3) + torch.ones(3, 2)⟫", "torch.ones(2, 3) + torch.ones(3, 2).T"),
    "new dimension": ("c = ⟪torch.ones(2, 3) + torch.ones(2)⟫", "torch.ones(2, 3) + torch.ones(2).unsqueeze(1)"),
    "transpose a product": (A + "c = ⟪a @ a⟫", "a @ a.T"),
    "a column of a vector": (A + "c = ⟪torch.mm(a, torch.ones(3))⟫", "torch.mm(a, torch.ones(3).unsqueeze(1))"),
    "flatten a column": (A + "c = ⟪torch.mv(a, torch.ones(3, 1))⟫", "torch.mv(a, torch.ones(3, 1).flatten())"),
    "another dimension": ("c = ⟪torch.cat([torch.ones(2, 3), torch.ones(4, 3)], dim=1)⟫", "torch.cat([torch.ones(2, 3), torch.ones(4, 3)], dim=0)"),
    "another dimension by place": ("c = ⟪torch.cat([torch.ones(2, 3), torch.ones(4, 3)], 1)⟫", "torch.cat([torch.ones(2, 3), torch.ones(4, 3)], dim=0)"),
    "brackets": (A + "c = ⟪torch.stack(a, a)⟫", "torch.stack([a, a])"),
    "reshape": (A + "c = ⟪a.t().view(6)⟫", "a.t().reshape(6)"),
    "−1": (A + "c = ⟪a.view(4, 2)⟫", "a.view(-1, 2)"),
    "float": (I + "c = ⟪a.mean()⟫", "a.float().mean()"),
    "detach": (G + "c = ⟪a.numpy()⟫", "a.detach().numpy()"),
    "all": (A + "c = 1 if ⟪a > 0⟫ else 2", "(a > 0).all()"),
    "floats": ("c = ⟪torch.tensor([1, 2], requires_grad=True)⟫", "torch.tensor([1, 2], requires_grad=True, dtype=torch.float32)"),
    "a name": ("matrix = 1\nc = ⟪matirx⟫", "matrix"),
    "a function": ("c = ⟪torch.zeross(3)⟫", "torch.zeros(3)"),
    "a method": (A + "c = ⟪a.summ()⟫", "a.sum()"),
    "an attribute": (A + "c = ⟪a.shap⟫", "a.shape"),
}


@pytest.mark.parametrize(("marked", "wanted"), FIXED.values(), ids=list(FIXED))
def test_the_likely_fix_is_offered(marked: str, wanted: str) -> None:
    source, part = cut(marked)
    assert source.replace(part, wanted) in [applied(source, fix) for fix in explained(source).fixes]


@pytest.mark.parametrize("name", PRODUCTS)
def test_equal_sizes_are_not_reported_as_the_mistake(name: str) -> None:
    found = re.search(r"Here (\d+) columns meet (\d+) rows", explained(cut(PRODUCTS[name][0])[0]).explanation)
    assert found is None or found[1] != found[2]


MISLED = {
    "an inverse is no product": ("c = ⟪torch.linalg.inv(torch.ones(2, 3))⟫", "columns on the left"),
    "an assignment is no expand": ("a = torch.ones(3)\n⟪a[:2]⟫ = torch.ones(3)", "`expand`"),
    "hstack concatenates along 1": (JOINS["hstack"][0], "along dimension 0"),
    "an axis is a dimension": (JOINS["cat along an axis"][0], "along dimension 0"),
    "no dimensions at all": ("c = ⟪torch.tensor(5).sum(dim=1)⟫", "0 to -1"),
    "one more dimension for unsqueeze": (A + "c = ⟪a.unsqueeze(5)⟫", "0 to 1 from the left"),
}


@pytest.mark.parametrize(("marked", "wrong"), MISLED.values(), ids=list(MISLED))
def test_the_rule_is_the_right_one(marked: str, wrong: str) -> None:
    assert wrong not in explained(cut(marked)[0]).explanation


def test_batches_that_differ_mark_the_batch_alone() -> None:
    found = explained("c = torch.ones(5, 2, 3) @ torch.ones(4, 3, 3)")
    assert found.alignment is not None and found.alignment.wrong == (0,)


STRANGE = [
    "torch.cat()", "torch.cat([])", "torch.cat([1, 2])", "torch.stack([])", "torch.cat(torch.ones(2))", "torch.cat([torch.ones(2), torch.ones(2)], dim=5)",
    "torch.cat([torch.ones(2), torch.ones(3, 2)], dim=torch.tensor(0))", "torch.cat(dim=0, tensors=(torch.ones(2), torch.ones(3, 2)))",
    "torch.hstack(tensors=[torch.ones(2, 3), torch.ones(3, 3)])", "torch.reshape(shape=(4,), input=torch.ones(3))", "torch.ones(3).reshape()",
    "torch.ones(3).view(-1, -1)", "torch.ones(0).view(3)", "torch.ones(3).view(0)", "torch.ones(3).view(2, 0, -1)", "torch.ones(3)[torch.tensor(7)]",
    "torch.ones(0)[0]", "torch.tensor(5)[0]", "torch.tensor(3).mean()", "torch.ones(2) @ 3", "3 @ torch.ones(2)", "torch.mm(torch.ones(2, 2))",
    "torch.mm(mat2=torch.ones(2, 3), input=torch.ones(2, 3))", "torch.matmul(torch.ones(2), torch.ones(()))", "torch.ones(2, 0) @ torch.ones(3, 2)",
    "[1, 2][5]", "(1, 2)['a']", "'abc'[7]", "torch.ones(2).sum(dim=(0, 0))", "np.ones((2, 3)).sum(axis=(1, 1))", "torch.ones(2).sum(dim='x')",
    "torch.take(torch.ones(3), torch.tensor([9]))", "F.one_hot(torch.tensor([5]), 3)", "F.embedding(torch.tensor([7]), torch.ones(3, 2))",
    "F.nll_loss(torch.ones(2, 3), torch.tensor([1, 5]))", "F.cross_entropy(torch.ones(2, 3), torch.ones(2))", "torch.ones(3).topk(6)",
    "torch.index_select(torch.ones(3), 0, torch.tensor([5]))", "torch.ones(2, 3).expand(torch.Size([4]))", "torch.ones(2).expand()",
    "torch.linalg.solve(torch.ones(2, 2), torch.ones(3))", "torch.einsum('ij,jk', torch.ones(2, 3), torch.ones(2, 3))", "torch.einsum()",
    "torch.tensor([[1], [2, 3]], dtype=torch.float32)", "torch.as_tensor([[1], 2])", "torch.tensor(torch.ones)", "bool(torch.ones(2))",
    "complex(torch.ones(2))",
    "round(torch.ones(2), 'a')", "len(torch.tensor(1))", "max(torch.ones(2, 2))", "sorted(torch.ones(2, 2))", "any(torch.ones(2, 2))", "range(torch.ones(2))",
    "torch.where(torch.ones(2) > 0, torch.ones(3), 1)", "torch.where(condition=torch.ones(2) > 0, input=torch.ones(3), other=torch.ones(3))",
    "torch.add(*[torch.ones(2), torch.ones(3)])", "torch.ones(2).add(other=torch.ones(3), alpha=2)", "np.add(np.ones(2), np.ones(3), out=np.ones(2))",
    "np.matmul(np.ones((2, 3)), np.ones((2, 3)))", "np.concatenate([np.ones(2), np.ones((2, 2))])", "np.stack([np.ones(2), np.ones(3)])",
    "np.ones(3).reshape(2, 2)", "np.ones(3) @ np.ones(4)", "np.ones(3)[1.5]", "torch.ones(3)[1.5]", "torch.ones(3)['a']", "torch.ones(3)[None, 5]",
    "torch.ones(3)[..., ..., 0]", "torch.ones(3)[::-1]", "torch.ones(2, 2).backward(torch.ones(3))", "torch.autograd.grad(torch.ones(2), torch.ones(2))",
    "np.array(torch.ones(2, requires_grad=True))", "np.sin(torch.ones(2, requires_grad=True))", "torch.ones(2, requires_grad=True).numpy(force=0)",
    "torch.bmm(torch.ones(2, 3, 4), torch.ones(3, 4, 5))", "torch.baddbmm(torch.ones(2), torch.ones(2, 3, 4), torch.ones(3, 4, 5))",
    "torch.chain_matmul(torch.ones(2, 3), torch.ones(2, 3))", "torch.linalg.multi_dot([torch.ones(2, 3), torch.ones(2, 3)])",
    "F.linear(torch.ones(2), weight=torch.ones(3, 4))", "F.conv2d(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 3, 3))", "torch.ones(2, 3).t().view(torch.int32)",
    "torch.ones(4, 4)[:, ::2].view(dtype=torch.float64)", "x = y = z", "a, b = torch.ones(3, 2)", "a, *b = 5", "del q", "for a, b in torch.ones(2, 3): pass",
]  # fmt: skip


@pytest.mark.parametrize("source", STRANGE)
def test_no_mistake_makes_the_explanation_itself_fail(source: str) -> None:
    execution = interpreter.run(source, {"device": torch.device("cpu")})
    assert execution.error is None or isinstance(execution.error, PlaygroundError)
    if execution.error is not None:
        found = explain(execution.error, source)
        assert 0 <= found.span.start <= found.span.end <= len(source)
        for fix in found.fixes:
            goes_further(source, found, fix)
