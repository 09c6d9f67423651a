"""What is done to pasted code before it is run: what snippets leave out is added, and the training is left out."""

from __future__ import annotations

import ast
import inspect

from playground.messages import msg
from playground.network import blocks
from playground.pasted.recording import Recorder
from playground.tensors.language.partly import PartialRun

PRELUDE = f"from collections import OrderedDict\nfrom torch.autograd import Variable\nimport math\n{inspect.getsource(blocks)}"  # no text: code
"""Names that snippets use without their imports, and the playground's own blocks."""
BLOCKS = frozenset(node.name for node in ast.parse(PRELUDE).body if isinstance(node, ast.ClassDef))
_TRAINS = frozenset(("backward", "zero_grad"))


def prepared(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return the statements of a text without its training, with methods in a class, and without imports of blocks that the playground has."""
    module = _Prepared().visit(ast.Module(body, []))
    return with_class(module.body)


class _Prepared(ast.NodeTransformer):
    """Leaves out what makes no network."""

    def visit_For(self, node: ast.For) -> ast.AST:
        return self._without_training(node)

    def visit_While(self, node: ast.While) -> ast.AST:
        return self._without_training(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        return without_blocks(node)

    def _without_training(self, node: ast.For | ast.While) -> ast.AST:
        trains = any(isinstance(part, ast.Attribute) and part.attr in _TRAINS for part in ast.walk(node))
        return ast.copy_location(ast.Pass(), node) if trains else self.generic_visit(node)


def without_blocks(node: ast.ImportFrom) -> ast.AST:
    """Return an import without the blocks that the playground has itself."""
    names = [alias for alias in node.names if alias.name not in BLOCKS or alias.asname]
    if len(names) == len(node.names):
        return node
    return ast.copy_location(ast.ImportFrom(node.module, names, node.level) if names else ast.Pass(), node)


def with_class(body: list[ast.stmt]) -> list[ast.stmt]:
    """Put methods that were copied without the line of their class into one."""
    methods = [each for each in body if isinstance(each, ast.FunctionDef) and each.args.args and each.args.args[0].arg == "self"]
    if not any(each.name == "forward" for each in methods):
        return body
    base = ast.Attribute(ast.Name("nn", ast.Load()), "Module", ast.Load())
    kind = ast.ClassDef("Net", [base], [], list(methods), [])
    for node in (kind, base, base.value):
        ast.copy_location(node, methods[0])
    return [*(each for each in body if each not in methods), kind]


def notes(run: PartialRun, recorder: Recorder) -> list[tuple[int | None, str]]:
    """Return what of the code the network does not have."""
    found: list[tuple[int | None, str]] = []
    own = {node.name for node in ast.walk(run.tree) if isinstance(node, ast.ClassDef)}
    for name in sorted(BLOCKS - own):
        used = next((node for node in ast.walk(run.tree) if isinstance(node, ast.Name) and node.id == name), None)
        if used is not None:
            found.append((used.lineno, msg("{name} is not defined here; the playground’s own is taken.", name=name)))
    for failed in run.failed:
        match failed.node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="apply"))):
                found.append((failed.node.lineno, msg("`apply` is left out: {reason}", reason=failed.error.message)))
    if lines := [node.lineno for node in recorder.initialised if hasattr(node, "lineno")]:
        found.append((lines[0], msg("The starting weights are left out; the network begins with those of PyTorch.")))
    return found
