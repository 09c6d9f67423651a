"""What statements do, by their text: which names they read and write, which of them must run again so that a result is computed anew, which zero gradients.

What they computed is known from a run (witness.py).
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable

_MUTATORS = frozenset(("append", "extend", "insert", "pop", "remove", "reverse", "sort", "clear"))


def writes(statement: ast.stmt) -> frozenset[str]:
    """Names that a statement assigns, and names of values that it changes in place: `y = …`, `y[0] = …`, `y.mul_(2)`, `outs.append(y)`."""
    return frozenset(name for node in ast.walk(statement) for target in _changed(node) if (name := base(target)))


def base(node: ast.AST) -> str:
    """`x` of `x.grad[0]`; empty where no name stands at the beginning."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _changed(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Name(ctx=ast.Store()) | ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()):
            return [node]
        case ast.Call(func=ast.Attribute(attr=method, value=owner)) if method.endswith("_") or method in _MUTATORS:
            return [owner]
    return []


def reads(statements: Iterable[ast.stmt], written: Collection[str] = ()) -> set[str]:
    """Names that are read before the statements themselves have written them."""
    found: set[str] = set()
    known = set(written)
    for statement in statements:
        if isinstance(statement, ast.For):
            head, known = _loaded(statement.iter), known | _stored(statement.target)
        elif isinstance(statement, (ast.If, ast.While)):
            head = _loaded(statement.test)
        else:
            head = set() if isinstance(statement, ast.With) else _loaded(statement)
        found |= head - known
        for part in ("body", "orelse"):
            found |= reads(getattr(statement, part, []), known)
        known |= writes(statement)
    return found


def _loaded(node: ast.AST) -> set[str]:
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}
    inner = {name for each in ast.walk(node) if isinstance(each, ast.comprehension) for name in _stored(each.target)}
    added = {node.target.id} if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) else set()
    return (names - inner) | added


def _stored(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def again(block: list[ast.stmt], last: ast.stmt, computing: Collection[ast.stmt], fixed: Collection[ast.stmt], outer: Collection[str]) -> list[ast.stmt] | None:
    """The statements of a block up to `last` that compute anew what `last` needs, and `last` itself.

    Leaves and data stay as they are. None where that is not possible: where the computation overwrites what it began with.

    Args:
        computing: statements whose results have a gradient.
        fixed: statements that must not run again, because they make the leaves.
        outer: names of results with a gradient, which cannot be gone back through twice.
    """
    chosen, needed = [last], reads([last])
    passed: set[str] = set()
    for statement in reversed(block[: block.index(last)]):
        overwritten = writes(statement) & {name for each in chosen for name in writes(each)}
        if not writes(statement) & needed or not (overwritten or _parts(statement) & set(computing)):
            passed |= writes(statement)
            continue
        if reads([statement]) & passed:
            return None
        chosen.insert(0, statement)
        needed |= reads([statement])
    begun = reads(chosen)
    if begun & {name for each in chosen for name in writes(each)} or begun & set(outer) or any(_parts(each) & set(fixed) for each in chosen):
        return None
    return chosen


def _parts(statement: ast.stmt) -> set[ast.AST]:
    return set(ast.walk(statement))


def zeroes(statement: ast.stmt) -> bool:
    """Whether a statement takes gradients away, in any of the usual ways of writing it."""
    match statement:
        case ast.Assign():
            return all(map(_is_gradient, _untupled(*statement.targets))) and all(map(_is_nothing, _untupled(statement.value)))
        case ast.AugAssign(op=ast.Mult(), value=ast.Constant(value=0)):
            return _is_gradient(statement.target)
        case ast.Expr(value=ast.ListComp(elt=each)):
            return zeroes(ast.Expr(each))
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="zero_", value=owner))):
            return _is_gradient(owner)
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="fill_" | "mul_", value=owner), args=[ast.Constant(value=0)])):
            return _is_gradient(owner)
    return False


def _untupled(*nodes: ast.expr) -> list[ast.expr]:
    """What stands in tuples, and what stands alone."""
    return [part for node in nodes for part in (_untupled(*node.elts) if isinstance(node, ast.Tuple) else [node])]


def _is_nothing(node: ast.expr) -> bool:
    """`None`, `0`, `torch.zeros_like(x)`."""
    match node:
        case ast.Constant(value=None | 0) | ast.Call(func=ast.Attribute(attr="zeros_like" | "zeros")):
            return True
    return False


def _is_gradient(node: ast.expr) -> bool:
    """`x.grad`, `x.grad.data`, `x.grad.detach()`, `x.grad[:]`."""
    while not (isinstance(node, ast.Attribute) and node.attr == "grad"):
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, (ast.Attribute, ast.Subscript)):
            node = node.value
        else:
            return False
    return True
