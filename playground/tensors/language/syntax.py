"""The part of Python's grammar that scripts may use; other syntax is refused with a reason."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable
from copy import copy

from playground.messages import msg
from playground.tensors.language.bounds import Bounds
from playground.tensors.language.elsewhere import place_of
from playground.tensors.language.errors import BoundsExceeded, Refused, ScriptError
from playground.tensors.language.modules import ABSENT, IGNORED, PYTHON, PYTORCH, SCRIPTS
from playground.tensors.language.special import OF_SCRIPT, READABLE, SPECIAL

STATEMENTS = (
    ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.ClassDef, ast.FunctionDef, ast.Return, ast.If, ast.For, ast.While, ast.With, ast.Match,
    ast.Try, ast.Raise, ast.Pass, ast.Break, ast.Continue, ast.Delete, ast.Assert, ast.Global, ast.Nonlocal, ast.Import, ast.ImportFrom,
)  # fmt: skip
EXPRESSIONS = (
    ast.Constant, ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Slice, ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.IfExp,
    ast.Tuple, ast.List, ast.Dict, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.JoinedStr, ast.FormattedValue, ast.Starred,
    ast.Lambda, ast.NamedExpr,
)  # fmt: skip
_PARTS = (
    ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop, ast.keyword, ast.comprehension, ast.alias, ast.withitem, ast.Module,
    ast.arguments, ast.arg, ast.ExceptHandler, ast.match_case, ast.pattern,
)  # fmt: skip

REASONS = {
    ast.AsyncFunctionDef: msg("`async` is not available in scripts."),
    ast.Yield: msg("`yield` must stand on a line of its own in a script."),
    ast.YieldFrom: msg("`yield` must stand on a line of its own in a script."),
    ast.Await: msg("`await` is not available in scripts."),
}
_MAGIC = re.compile(r"^([ \t]*)[%!](?=[A-Za-z])", re.MULTILINE)
"""A line for a notebook, `%matplotlib inline`, or for a shell, `!pip install torch`."""
MAX_BITS = 4096
"""Longest integer, in bits."""
MAX_DEPTH = 60
"""Levels to which expressions and blocks may be nested."""


class Unavailable(ast.stmt):
    """Stands for a statement that scripts cannot use, or for the body of a function with one. It fails when it is reached.

    Args:
        error: why.
        original: what it stands for.
    """

    def __init__(self, error: ScriptError, original: ast.stmt) -> None:
        super().__init__()
        self.error, self.original = error, original
        ast.copy_location(self, original)


def parse(source: str, bounds: Bounds) -> ast.Module:
    """Return the syntax tree of a script.

    Raises:
        ScriptError: the script is not Python, uses unavailable syntax, or is too long.
    """
    tree = _tree(source, bounds)
    _check(tree, 0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(tree, "script", "exec", dont_inherit=True)  # only for its errors: `return` outside a function, two parameters of one name
    except SyntaxError as error:
        raise _not_python(error, source) from None
    return tree


def parse_partly(source: str, bounds: Bounds, change: Callable[[list[ast.stmt]], list[ast.stmt]] = lambda body: body) -> ast.Module:
    """Return the syntax tree of a script in which `Unavailable` stands for what scripts cannot use.

    Args:
        source: the script.
        bounds: limits of the script.
        change: returns the statements that are run instead of those of the script.

    Raises:
        ScriptError: the script is not Python, too long, or nested too deeply.
    """
    tree = _tree(source, bounds)
    try:
        tree.body = [_available(statement, 0) for statement in change(tree.body)]
    except RecursionError:
        raise BoundsExceeded(msg("The script is nested too deeply."), msg("Assign parts of it to names first.")) from None
    return tree


def _available(statement: ast.stmt, depth: int) -> ast.stmt:
    """Return a statement of the script, of a class or of a condition, without what scripts cannot use."""
    head = copy(statement)  # without the statements inside it, which are checked one by one
    if isinstance(statement, ast.FunctionDef) and isinstance(head, ast.FunctionDef):
        head.body = [ast.copy_location(ast.Pass(), statement)]
        if error := _refusal(ast.Module(statement.body, [])):
            statement.body = [Unavailable(error, statement.body[0])]
    if isinstance(statement, (ast.ClassDef, ast.If)) and isinstance(head, (ast.ClassDef, ast.If)) and depth < MAX_DEPTH:
        for field in ("body", "orelse"):
            setattr(head, field, [])
            setattr(statement, field, [_available(each, depth + 1) for each in getattr(statement, field, [])])
    error = _refusal(head)
    return Unavailable(error, statement) if error else statement


def _refusal(node: ast.AST) -> ScriptError | None:
    try:
        _check(node, 0)
    except ScriptError as error:
        return error
    return None


def _tree(source: str, bounds: Bounds) -> ast.Module:
    if len(source) > bounds.source:
        raise BoundsExceeded(msg("The script has {length:,} characters; the limit is {limit:,}.", length=len(source), limit=bounds.source))
    try:
        tree = _parsed(source)
    except SyntaxError as error:
        try:
            tree = _parsed(_MAGIC.sub(r"\1#", source))  # a comment takes as much room, so that what is shown has its place
        except SyntaxError:
            raise _not_python(error, source) from None
    except (RecursionError, MemoryError):
        raise BoundsExceeded(msg("The script is nested too deeply."), msg("Assign parts of it to names first.")) from None
    except ValueError as error:
        raise ScriptError(msg("Python cannot parse this: {error}.", error=str(error))) from None
    return tree


def _parsed(source: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as an invalid escape in a string
        return ast.parse(source)


def _check(node: ast.AST, depth: int) -> None:
    if depth > MAX_DEPTH * 2:
        raise BoundsExceeded(msg("The script is nested too deeply."), msg("Assign parts of it to names first."), node)
    if isinstance(node, ast.Expr) and isinstance(node.value, (ast.Yield, ast.YieldFrom)):
        if node.value.value:
            _check(node.value.value, depth + 2)
        return
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
    elif isinstance(node, ast.ClassDef) and node.keywords:
        raise Refused(msg("Classes of scripts have no keywords."), "", node)
    elif isinstance(node, ast.comprehension) and node.is_async:
        raise Refused(msg("`await` is not available in scripts."), "", node.target)
    elif isinstance(node, ast.Constant):
        _check_constant(node)


def _check_constant(node: ast.Constant) -> None:
    if isinstance(node.value, bytes):
        raise Refused(msg("Bytes are not available in scripts."), "", node)
    if isinstance(node.value, int) and node.value.bit_length() > MAX_BITS:
        message = msg("This integer is too long: the limit is {limit:,} bits.", limit=MAX_BITS)
        raise Refused(message, msg("A tensor holds integers of up to 64 bits."), node)
    if isinstance(node.value, str) and any(0xD800 <= ord(letter) < 0xE000 for letter in node.value):
        raise Refused(msg("This string contains half of a surrogate pair, which cannot be displayed."), "", node)


def _names(node: ast.AST) -> list[str]:
    """Return the names in a node itself, without its children."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [node.attr]
    if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        return [node.name] if node.name else []
    if isinstance(node, ast.MatchMapping):
        return [node.rest] if node.rest else []
    if isinstance(node, (ast.Global, ast.Nonlocal)):
        return node.names
    if isinstance(node, ast.alias):
        return [node.asname] if node.asname else []
    return [node.arg] if isinstance(node, (ast.keyword, ast.arg)) and node.arg else []


def _check_name(name: str, node: ast.AST) -> None:
    """Refuse names with double underscores and private attributes, except the few that scripts can use."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and name in READABLE:
        return
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and name in OF_SCRIPT:
        return
    if isinstance(node, (ast.Attribute, ast.FunctionDef, ast.Name)) and name in SPECIAL:
        return
    if name.startswith("__") or (isinstance(node, ast.keyword) and name.startswith("_")):
        raise internal(name, node)


def internal(name: str, node: ast.AST) -> Refused:
    """Return the error for a name that begins with an underscore, of what is not the script's own."""
    return Refused(msg("Scripts cannot use `{name}`: names that begin with an underscore are internal to Python.", name=name), "", node)


def _check_import(node: ast.Import | ast.ImportFrom) -> None:
    for module in [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]:
        is_known = module in (*PYTORCH, *PYTHON, *SCRIPTS, *IGNORED) or module.partition(".")[0] in ABSENT
        if not is_known or (isinstance(node, ast.ImportFrom) and node.level):
            raise Refused(
                msg("`{statement}` is not available: scripts cannot import other modules.", statement=ast.unparse(node)),
                place_of(module) or msg("`torch`, `np` (NumPy), `F` (torch.nn.functional) and `device` are already defined."),
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
