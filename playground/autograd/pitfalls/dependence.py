"""Static analysis of statements: which names they read and write, which must run again to recompute a result, which clear gradients.

What the statements computed is observed in a run (facts.py).
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable

_MUTATORS = frozenset(("append", "extend", "insert", "pop", "remove", "reverse", "sort", "clear"))


def names_written(statement: ast.stmt) -> frozenset[str]:
    """Return the names that a statement assigns or whose values it changes in place: `y = …`, `y[0] = …`, `y.mul_(2)`, `outs.append(y)`."""
    return frozenset(name for node in ast.walk(statement) for target in _changed(node) if (name := base_name(target)))


def base_name(node: ast.AST) -> str:
    """Return `x` of `x.grad[0]`; empty where the expression does not start with a name."""
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


def names_read(statements: Iterable[ast.stmt], written: Collection[str] = ()) -> set[str]:
    """Return the names that the statements read before they have written them themselves."""
    names: set[str] = set()
    known = set(written)
    for statement in statements:
        if isinstance(statement, ast.For):
            head, known = _loaded(statement.iter), known | _stored(statement.target)
        elif isinstance(statement, (ast.If, ast.While)):
            head = _loaded(statement.test)
        else:
            head = set() if isinstance(statement, ast.With) else _loaded(statement)
        names |= head - known
        for part in ("body", "orelse"):
            names |= names_read(getattr(statement, part, []), known)
        known |= names_written(statement)
    return names


def _loaded(node: ast.AST) -> set[str]:
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}
    inner = {name for each in ast.walk(node) if isinstance(each, ast.comprehension) for name in _stored(each.target)}
    added = {node.target.id} if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) else set()
    return (names - inner) | added


def _stored(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def statements_to_recompute(
    block: list[ast.stmt], last: ast.stmt, differentiable: Collection[ast.stmt], fixed: Collection[ast.stmt], results: Collection[str]
) -> list[ast.stmt] | None:
    """Return the statements of a block that must run again before `last` so that its graph is new, and `last` itself.

    Leaves and data are not created again. Returns None where that is impossible because the computation overwrites its own inputs.

    Args:
        differentiable: statements whose results require a gradient.
        fixed: statements that create the leaves and must not run again.
        results: names of results that require a gradient; their graph is freed by the first pass.
    """
    chosen, needed = [last], names_read([last])
    passed: set[str] = set()
    for statement in reversed(block[: block.index(last)]):
        overwritten = names_written(statement) & {name for other in chosen for name in names_written(other)}
        if not names_written(statement) & needed or not (overwritten or _parts(statement) & set(differentiable)):
            passed |= names_written(statement)
            continue
        if names_read([statement]) & passed:
            return None
        chosen.insert(0, statement)
        needed |= names_read([statement])
    inputs = names_read(chosen)
    overwrites_inputs = inputs & {name for other in chosen for name in names_written(other)}
    if overwrites_inputs or inputs & set(results) or any(_parts(other) & set(fixed) for other in chosen):
        return None
    return chosen


def _parts(statement: ast.stmt) -> set[ast.AST]:
    return set(ast.walk(statement))


def clears_gradients(statement: ast.stmt) -> bool:
    """Return whether a statement sets gradients to zero or None, in any of the usual ways."""
    match statement:
        case ast.Assign():
            return all(map(_is_gradient, _untupled(*statement.targets))) and all(map(_is_zero_or_none, _untupled(statement.value)))
        case ast.AugAssign(op=ast.Mult(), value=ast.Constant(value=0)):
            return _is_gradient(statement.target)
        case ast.Expr(value=ast.ListComp(elt=each)):
            return clears_gradients(ast.Expr(each))
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="zero_", value=owner))):
            return _is_gradient(owner)
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="fill_" | "mul_", value=owner), args=[ast.Constant(value=0)])):
            return _is_gradient(owner)
    return False


def _untupled(*nodes: ast.expr) -> list[ast.expr]:
    """Return the nodes, with tuples replaced by their elements."""
    return [part for node in nodes for part in (_untupled(*node.elts) if isinstance(node, ast.Tuple) else [node])]


def _is_zero_or_none(node: ast.expr) -> bool:
    """Return whether the expression is `None`, `0` or `torch.zeros_like(x)`."""
    match node:
        case ast.Constant(value=None | 0) | ast.Call(func=ast.Attribute(attr="zeros_like" | "zeros")):
            return True
    return False


def _is_gradient(node: ast.expr) -> bool:
    """Return whether the expression is `x.grad`, `x.grad.data`, `x.grad.detach()` or `x.grad[:]`."""
    while not (isinstance(node, ast.Attribute) and node.attr == "grad"):
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, (ast.Attribute, ast.Subscript)):
            node = node.value
        else:
            return False
    return True
