"""Which of Python's grammar a script may use; what it may not is refused by kind, with the reason."""

from __future__ import annotations

import ast
import re
import warnings

from playground.tensors.language.bounds import Bounds
from playground.tensors.language.errors import BoundsExceeded, Refused, ScriptError

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
BITS = 4096
"""Longest whole number, in bits."""
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
        raise _not_python(error, source) from None
    except (RecursionError, MemoryError):
        raise BoundsExceeded("The script is nested too deeply.", "Use names for the parts.") from None
    except ValueError as error:
        raise ScriptError(f"This is not Python: {error}.") from None
    _check(tree, 0)
    _check_loops(tree.body, inside=False)
    return tree


def _check(node: ast.AST, depth: int) -> None:
    if depth > DEPTH * 2:
        raise BoundsExceeded("The script is nested too deeply.", "Use names for the parts.", node)
    if not isinstance(node, (*STATEMENTS, *EXPRESSIONS, *_PARTS)):
        reason = next((text for kind, text in REASONS.items() if isinstance(node, kind)), f"`{type(node).__name__}` is not part of what scripts can use here.")
        raise Refused(reason, "", node)
    _check_parts(node)
    for name in _names(node):
        _check_name(name, node)
    for child in ast.iter_child_nodes(node):
        _check(child, depth + 1)


def _check_parts(node: ast.AST) -> None:
    """What is allowed as such, but not in every form."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        _check_import(node)
    elif isinstance(node, (ast.For, ast.While)) and node.orelse:
        raise Refused("A loop’s `else` is not part of what scripts can use here.", "", node.orelse[0])
    elif isinstance(node, ast.comprehension) and node.is_async:
        raise Refused("Nothing here has to be awaited.", "", node.target)
    elif isinstance(node, ast.Constant):
        _check_constant(node)
    elif isinstance(node, ast.Call) and (twice := _named_twice(node)) is not None:
        raise ScriptError(f"The argument `{twice.arg}` is given twice.", "Keep one of them.", twice.value)
    elif isinstance(node, ast.keyword) and node.arg is None:
        raise Refused("`**` in a call is not part of what scripts can use here: write the arguments out.", "", node.value)


def _check_constant(node: ast.Constant) -> None:
    if isinstance(node.value, bytes):
        raise Refused("Bytes are not part of what scripts can use here.", "", node)
    if isinstance(node.value, int) and node.value.bit_length() > BITS:
        raise Refused("This whole number is too long.", "A tensor holds whole numbers of up to 64 bits.", node)
    if isinstance(node.value, str) and any(0xD800 <= ord(letter) < 0xE000 for letter in node.value):
        raise Refused("Half of a surrogate pair is not a letter that can be shown.", "", node)


def _check_loops(body: list[ast.stmt], *, inside: bool) -> None:
    """`break` and `continue` stand in loops; Python refuses them elsewhere only when it compiles."""
    for node in body:
        if isinstance(node, (ast.Break, ast.Continue)) and not inside:
            raise ScriptError(f"`{ast.unparse(node)}` stands outside of a loop.", "", node)
        for part in ("body", "orelse"):
            _check_loops(getattr(node, part, []), inside=inside or isinstance(node, (ast.For, ast.While)))


def _named_twice(node: ast.Call) -> ast.keyword | None:
    """An argument that is given by name a second time; Python refuses it only when it compiles."""
    seen = set()
    for keyword in node.keywords:
        if keyword.arg in seen:
            return keyword
        seen.add(keyword.arg)
    return None


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


def _not_python(error: SyntaxError, source: str) -> ScriptError:
    """The parser's complaint; it counts its columns in characters, trees count theirs in bytes."""
    lines = re.split(r"\r\n|\r|\n", source)
    first, last = error.lineno or 1, error.end_lineno or error.lineno or 1
    start = max(0, (error.offset or 1) - 1)
    end = (error.end_offset or 0) - 1 if last > first else max(start + 1, (error.end_offset or 0) - 1)
    place = ast.Pass(lineno=first, col_offset=_bytes(lines, first, start))
    place.end_lineno, place.end_col_offset = last, _bytes(lines, last, end)
    return ScriptError(f"This is not Python yet: {error.msg}.", "Look at this line and the one before: a bracket, a comma, a quote or a colon?", place)


def _bytes(lines: list[str], line: int, characters: int) -> int:
    return len(lines[line - 1][:characters].encode()) if 0 < line <= len(lines) else 0
