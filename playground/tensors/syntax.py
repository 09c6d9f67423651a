"""Which of Python's grammar a script may use; what it may not is refused by kind, with the reason."""

from __future__ import annotations

import ast
import warnings

from playground.tensors.bounds import Bounds
from playground.tensors.faults import BoundsExceeded, Refused, ScriptError

STATEMENTS = (
    ast.Expr, ast.Assign, ast.AugAssign, ast.If, ast.For, ast.While, ast.With, ast.Pass, ast.Break, ast.Continue, ast.Delete, ast.Assert,
    ast.Import, ast.ImportFrom,
)  # fmt: skip
EXPRESSIONS = (
    ast.Constant, ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Slice, ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.IfExp,
    ast.Tuple, ast.List, ast.ListComp, ast.GeneratorExp, ast.JoinedStr, ast.FormattedValue, ast.Starred,
)  # fmt: skip
_PARTS = (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop, ast.keyword, ast.comprehension, ast.alias, ast.withitem, ast.Module)

REASONS = {
    ast.FunctionDef: "Functions cannot be defined here.",
    ast.AsyncFunctionDef: "Functions cannot be defined here.",
    ast.Lambda: "Functions cannot be defined here.",
    ast.ClassDef: "Classes cannot be defined here; networks are built on a page of their own.",
    ast.Try: "Errors cannot be caught here: they are shown and explained instead.",
    ast.Raise: "Errors cannot be raised here.",
    ast.Global: "Every name here is global already.",
    ast.Nonlocal: "Every name here is global already.",
    ast.Return: "There is no function here to return from.",
    ast.Yield: "There is no function here to yield from.",
    ast.Await: "Nothing here has to be awaited.",
    ast.Dict: "Dictionaries are not part of what scripts can use here; a list or several names will do.",
    ast.DictComp: "Dictionaries are not part of what scripts can use here; a list or several names will do.",
    ast.Set: "Sets are not part of what scripts can use here; a list will do.",
    ast.SetComp: "Sets are not part of what scripts can use here; a list will do.",
    ast.NamedExpr: "Assign on a line of its own: the value gets a place on the shelf then.",
    ast.AnnAssign: "Leave the type away: tensors carry theirs in `dtype`.",
}

_ALLOWED_IMPORTS = {
    ("torch", "torch"), ("numpy", "np"), ("numpy", "numpy"), ("torch.nn.functional", "F"), ("torch.nn", "nn"),
}  # fmt: skip
"""Modules and the names that they have here already. Importing them does nothing; no module is ever imported."""
DEPTH = 60
"""Levels to which expressions and blocks may be nested."""


def parse(source: str, bounds: Bounds) -> ast.Module:
    """The script's tree, of allowed parts only.

    Raises:
        ScriptError: it is not Python, not allowed, or too long.
    """
    if len(source) > bounds.source:
        raise BoundsExceeded(f"The script has {len(source):,} characters; {bounds.source:,} are the most.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as an invalid escape in a string
            tree = ast.parse(source)
    except SyntaxError as error:
        raise _not_python(error) from None
    except (RecursionError, MemoryError):
        raise BoundsExceeded("The script is nested too deeply.", "Use names for the parts.") from None
    except ValueError as error:
        raise ScriptError(f"This is not Python: {error}.") from None
    _check(tree, 0)
    return tree


def _check(node: ast.AST, depth: int) -> None:
    if depth > DEPTH * 2:
        raise BoundsExceeded("The script is nested too deeply.", "Use names for the parts.", node)
    if not isinstance(node, (*STATEMENTS, *EXPRESSIONS, *_PARTS)):
        reason = next((text for kind, text in REASONS.items() if isinstance(node, kind)), f"`{type(node).__name__}` is not part of what scripts can use here.")
        raise Refused(reason, "", node)
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        _check_import(node)
    elif isinstance(node, (ast.For, ast.While)) and node.orelse:
        raise Refused("A loop’s `else` is not part of what scripts can use here.", "", node.orelse[0])
    elif isinstance(node, ast.comprehension) and node.is_async:
        raise Refused("Nothing here has to be awaited.", "", node.target)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bytes):
        raise Refused("Bytes are not part of what scripts can use here.", "", node)
    elif isinstance(node, ast.keyword) and node.arg is None:
        raise Refused("`**` in a call is not part of what scripts can use here: write the arguments out.", "", node.value)
    for name in _names(node):
        _check_name(name, node)
    for child in ast.iter_child_nodes(node):
        _check(child, depth + 1)


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [node.attr]
    return [node.arg] if isinstance(node, ast.keyword) and node.arg else []


def _check_name(name: str, node: ast.AST) -> None:
    """No name with double underscores, but for the version that every tutorial prints; no private attribute."""
    if isinstance(node, ast.Attribute) and name == "__version__":
        return
    if name.startswith("__") or (isinstance(node, (ast.Attribute, ast.keyword)) and name.startswith("_")):
        raise Refused(f"Names such as `{name}` reach into Python itself and are not for scripts.", "", node)


def _check_import(node: ast.Import | ast.ImportFrom) -> None:
    module = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
    for alias in node.names:
        if module == "__future__.":
            continue
        if (f"{module}{alias.name}", alias.asname or alias.name.split(".")[0]) not in _ALLOWED_IMPORTS:
            raise Refused(
                f"`{ast.unparse(node)}` is not possible here: nothing can be imported.",
                "`torch`, `np` (NumPy), `F` (torch.nn.functional) and `device` are there already.",
                node,
            )


def _not_python(error: SyntaxError) -> ScriptError:
    place = ast.Pass(lineno=error.lineno or 1, col_offset=max(0, (error.offset or 1) - 1))
    place.end_lineno, place.end_col_offset = error.end_lineno or place.lineno, max(place.col_offset + 1, (error.end_offset or 0) - 1)
    return ScriptError(f"This is not Python yet: {error.msg}.", "Look at this line and the one before: a bracket, a comma, a quote or a colon?", place)
