"""The part of Python's grammar that scripts may use; other syntax is refused with a reason."""

from __future__ import annotations

import ast
import re
import warnings

from playground.messages import msg
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
    ast.FunctionDef: msg("Scripts cannot define functions."),
    ast.AsyncFunctionDef: msg("Scripts cannot define functions."),
    ast.Lambda: msg("Scripts cannot define functions."),
    ast.ClassDef: msg("Scripts cannot define classes. Build networks on the network page."),
    ast.Try: msg("Scripts cannot catch errors: the page shows and explains them."),
    ast.Raise: msg("Scripts cannot raise errors."),
    ast.Global: msg("All variables of a script are global already."),
    ast.Nonlocal: msg("All variables of a script are global already."),
    ast.Return: msg("`return` is not available: scripts have no functions."),
    ast.Yield: msg("`yield` is not available: scripts have no functions."),
    ast.Await: msg("`await` is not available in scripts."),
    ast.Dict: msg("Dictionaries are not available in scripts. Use a list or several variables."),
    ast.DictComp: msg("Dictionaries are not available in scripts. Use a list or several variables."),
    ast.Set: msg("Sets are not available in scripts. Use a list."),
    ast.SetComp: msg("Sets are not available in scripts. Use a list."),
    ast.NamedExpr: msg("`:=` is not available in scripts. Assign the value on its own line with `=`."),
    ast.AnnAssign: msg("Type annotations are not available in scripts. Remove the annotation; the type of a tensor’s elements is its `dtype`."),
}

_ALLOWED_IMPORTS = {
    ("torch", "torch"), ("numpy", "np"), ("numpy", "numpy"), ("torch.nn.functional", "F"), ("torch.nn", "nn"),
}  # fmt: skip
"""Modules that scripts may import, with their names in the script. These names are always defined; importing them does nothing."""
MAX_BITS = 4096
"""Longest integer, in bits."""
MAX_DEPTH = 60
"""Levels to which expressions and blocks may be nested."""


def parse(source: str, bounds: Bounds) -> ast.Module:
    """Return the syntax tree of a script.

    Raises:
        ScriptError: the script is not Python, uses unavailable syntax, or is too long.
    """
    if len(source) > bounds.source:
        raise BoundsExceeded(msg("The script has {length:,} characters; the limit is {limit:,}.", length=len(source), limit=bounds.source))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as an invalid escape in a string
            tree = ast.parse(source)
    except SyntaxError as error:
        raise _not_python(error, source) from None
    except (RecursionError, MemoryError):
        raise BoundsExceeded(msg("The script is nested too deeply."), msg("Assign parts of it to names first.")) from None
    except ValueError as error:
        raise ScriptError(msg("Python cannot parse this: {error}.", error=str(error))) from None
    _check(tree, 0)
    _check_loops(tree.body, inside=False)
    return tree


def _check(node: ast.AST, depth: int) -> None:
    if depth > MAX_DEPTH * 2:
        raise BoundsExceeded(msg("The script is nested too deeply."), msg("Assign parts of it to names first."), node)
    if not isinstance(node, (*STATEMENTS, *EXPRESSIONS, *_PARTS)):
        unavailable = msg("`{name}` is not available in scripts.", name=type(node).__name__)
        raise Refused(next((text for kind, text in REASONS.items() if isinstance(node, kind)), unavailable), "", node)
    _check_parts(node)
    for name in _names(node):
        _check_name(name, node)
    for child in ast.iter_child_nodes(node):
        _check(child, depth + 1)


def _check_parts(node: ast.AST) -> None:
    """Check nodes that are allowed in some forms only."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        _check_import(node)
    elif isinstance(node, (ast.For, ast.While)) and node.orelse:
        raise Refused(msg("The `else` of a loop is not available in scripts."), "", node.orelse[0])
    elif isinstance(node, ast.comprehension) and node.is_async:
        raise Refused(msg("`await` is not available in scripts."), "", node.target)
    elif isinstance(node, ast.Constant):
        _check_constant(node)
    elif isinstance(node, ast.Call) and (repeated := _repeated_keyword(node)) is not None:
        raise ScriptError(msg("The keyword argument `{name}` is repeated.", name=repeated.arg), msg("Remove one of them."), repeated.value)
    elif isinstance(node, ast.keyword) and node.arg is None:
        raise Refused(msg("`**` in a call is not available in scripts. Write each argument by name."), "", node.value)


def _check_constant(node: ast.Constant) -> None:
    if isinstance(node.value, bytes):
        raise Refused(msg("Bytes are not available in scripts."), "", node)
    if isinstance(node.value, int) and node.value.bit_length() > MAX_BITS:
        message = msg("This integer is too long: the limit is {limit:,} bits.", limit=MAX_BITS)
        raise Refused(message, msg("A tensor holds integers of up to 64 bits."), node)
    if isinstance(node.value, str) and any(0xD800 <= ord(letter) < 0xE000 for letter in node.value):
        raise Refused(msg("This string contains half of a surrogate pair, which cannot be displayed."), "", node)


def _check_loops(body: list[ast.stmt], *, inside: bool) -> None:
    """Refuse `break` and `continue` outside loops, which Python's parser accepts."""
    for node in body:
        if isinstance(node, (ast.Break, ast.Continue)) and not inside:
            raise ScriptError(msg("`{statement}` is outside a loop.", statement=ast.unparse(node)), "", node)
        for part in ("body", "orelse"):
            _check_loops(getattr(node, part, []), inside=inside or isinstance(node, (ast.For, ast.While)))


def _repeated_keyword(node: ast.Call) -> ast.keyword | None:
    """Return the first repeated keyword argument, which Python's parser accepts."""
    seen = set()
    for keyword in node.keywords:
        if keyword.arg in seen:
            return keyword
        seen.add(keyword.arg)
    return None


def _names(node: ast.AST) -> list[str]:
    """Return the names in a node itself, without its children."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [node.attr]
    return [node.arg] if isinstance(node, ast.keyword) and node.arg else []


def _check_name(name: str, node: ast.AST) -> None:
    """Refuse names with double underscores, except `__version__`, and private attributes."""
    if isinstance(node, ast.Attribute) and name == "__version__":
        return
    if name.startswith("__") or (isinstance(node, (ast.Attribute, ast.keyword)) and name.startswith("_")):
        raise Refused(msg("Scripts cannot use `{name}`: names that begin with an underscore are internal to Python.", name=name), "", node)


def _check_import(node: ast.Import | ast.ImportFrom) -> None:
    module = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
    for alias in node.names:
        if module == "__future__.":
            continue
        if (f"{module}{alias.name}", alias.asname or alias.name.split(".")[0]) not in _ALLOWED_IMPORTS:
            raise Refused(
                msg("`{statement}` is not available: scripts cannot import other modules.", statement=ast.unparse(node)),
                msg("`torch`, `np` (NumPy), `F` (torch.nn.functional) and `device` are already defined."),
                node,
            )


def _not_python(error: SyntaxError, source: str) -> ScriptError:
    """Convert a `SyntaxError`, whose columns are characters, to an error with a node, whose columns are bytes."""
    lines = re.split(r"\r\n|\r|\n", source)
    first, last = error.lineno or 1, error.end_lineno or error.lineno or 1
    start = max(0, (error.offset or 1) - 1)
    end = (error.end_offset or 0) - 1 if last > first else max(start + 1, (error.end_offset or 0) - 1)
    node = ast.Pass(lineno=first, col_offset=_bytes(lines, first, start))
    node.end_lineno, node.end_col_offset = last, _bytes(lines, last, end)
    hint = msg("Check this line and the one before for a missing bracket, comma, quote or colon.")
    return ScriptError(msg("Python cannot parse this: {error}.", error=error.msg), hint, node)


def _bytes(lines: list[str], line: int, characters: int) -> int:
    """Convert a column of a line, counted from 1, from characters to bytes."""
    return len(lines[line - 1][:characters].encode()) if 0 < line <= len(lines) else 0
