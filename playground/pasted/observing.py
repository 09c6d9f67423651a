"""Observes a training script: it is run with shapes alone over the first two batches of each loader, and what it calls becomes a list of events."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.modules.loss import _Loss

from playground.pasted import preparing
from playground.pasted.errors import line_of
from playground.pasted.recording import Recorder
from playground.tensors.language import datasets, objects
from playground.tensors.language.bounds import Bounds
from playground.tensors.language.calls import Call
from playground.tensors.language.classes import Class
from playground.tensors.language.functions import Iteration
from playground.tensors.language.modules import PythonFunction
from playground.tensors.language.objects import Layer, Stepper
from playground.tensors.language.partly import PartialRun

MOST_VALUES = 1_000_000
"""Values of a tensor that becomes Python's or NumPy's, at most."""
TURNS = 2
"""Turns that are run of a loop that trains or evaluates."""
FIRST_TURNS, OBSERVE_LOADER = "first-turns", "observed_loader"
"""Names of functions of the playground's own; no script can write the first."""
_SCRIPT = Path(__file__).with_name("data.script")
_TRANSFORMS = "".join(f"\n\nclass {name}(Transform):\n    pass\n" for name in datasets.TRANSFORMS.split())  # no text: code
LOSSES = frozenset(
    (
        "cross_entropy", "nll_loss", "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits",
        "kl_div",
    )
)  # fmt: skip
"""Functions that compute a loss."""
_TO_PYTHON: dict[str, Callable[[torch.Tensor], Any]] = {
    "Tensor.item": lambda value: value.sum().item(), "Tensor.tolist": lambda value: value.tolist(), "bool": bool, "int": int, "float": float,
    "Tensor.numpy": lambda value: value.float().numpy(),
}  # fmt: skip
"""What makes values of Python or NumPy of a tensor, which are zeros here."""


_MOVES = frozenset(("to", "cuda"))


@dataclass(eq=False)
class Event:
    """One thing that a script did."""

    kind: str
    """`loader`, `forward`, `loss`, `backward`, `step`, `zero_grad`, `train`, `eval`, `scheduler`, `clip`, `seed`, `softmax`, `optimizer`, `schedule`, `sum`,
    `moved` (of a network or a tensor, to a device), `compared`."""
    line: int | None
    value: Any = None
    """What it was done with: a loader, a module, an optimizer."""
    args: tuple[Any, ...] = ()
    result: Any = None
    has_gradient: bool = True
    """Whether gradients were recorded."""
    loops: tuple[Loop, ...] = ()
    """The loops around it, the outermost first."""


@dataclass(frozen=True, eq=False)
class Loop:
    """A loop that trains or evaluates."""

    line: int
    turns: int | None
    """How many turns it has; None where that is not known."""
    is_range: bool


@dataclass
class Observer(Recorder):
    """Is shown what a training script does."""

    events: list[Event] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    """Those that run now."""

    def note(self, kind: str, node: ast.AST | None, value: Any = None, args: tuple[Any, ...] = (), result: Any = None) -> Event:
        event = Event(kind, line_of(node) or None, value, args, result, torch.is_grad_enabled(), tuple(self.loops))
        self.events.append(event)
        return event

    def note_loader(self, loader: Any) -> None:
        """Note that a loader yields a batch."""
        self.note("loader", None, loader)

    def made(self, value: Any, node: ast.AST) -> None:
        super().made(value, node)
        if isinstance(value, Stepper):
            self.note("optimizer" if value.is_optimizer else "schedule", node, value.inner)

    def called(self, value: Any, name: str, node: ast.AST) -> None:
        if isinstance(value, Stepper):
            kind = "zero_grad" if name == "zero_grad" else "" if name != "step" else "step" if value.is_optimizer else "scheduler"
            if kind:
                self.note(kind, node, value.inner)
        elif isinstance(value, Layer) and name in ("train", "eval", "zero_grad"):
            self.note(name, node, value.module)
        elif isinstance(value, Layer) and name in _MOVES and _names_device(node):
            self.note("moved", node, value.module)

    def returned(self, module: Any, args: tuple[Any, ...], result: Any, node: ast.AST) -> None:
        if not isinstance(module, _Loss):
            self.note("forward", node, module, args, result)

    def perform(self, call: Call, node: ast.AST, do: Callable[[Call], Any]) -> Any:
        short = call.entry.short
        if self._is_recording:
            return super().perform(call, node, do)
        if call.entry.name in _TO_PYTHON and call.arrays and call.arrays[0].numel() <= MOST_VALUES:
            return _TO_PYTHON[call.entry.name](torch.zeros(call.arrays[0].shape, dtype=call.arrays[0].dtype, device="cpu"))
        if short == "step" and call.entry.layer is None and not call.entry.is_method:  # of an optimizer: on the meta device it has no values to step with
            return None
        if short == "one_hot" and call.arrays:
            classes = next((part for part in (*call.args[1:], *call.kwargs.values()) if isinstance(part, int) and part > 0), 10)
            return torch.zeros(*call.arrays[0].shape, classes, dtype=torch.long)
        loss = call.entry.layer if isinstance(call.entry.layer, _Loss) else short if short in LOSSES and call.entry.layer is None else None
        event = self.note("loss", node, loss, (*call.args, *call.kwargs.values())) if loss is not None else None
        result = super().perform(call, node, do)
        if event is not None:
            event.result = result
        self._note_operation(call, node, result)
        return result

    def _note_operation(self, call: Call, node: ast.AST, result: Any) -> None:
        """Note an operation that says something about the training."""
        short = call.entry.short
        if short in ("+", "+=") and isinstance(result, torch.Tensor) and result.requires_grad and result.ndim == 0:
            self._note_sum(call, node, result)
        if short in ("softmax", "log_softmax", "sigmoid") and call.entry.layer is None:
            self.note("softmax", node, short, call.args, result)
        elif short in _MOVES and call.entry.is_method and _names_device(node):
            self.note("moved", node, call.args[0], (), result)
        elif short in ("==", "eq"):
            self.note("compared", node, None, tuple(part for part in call.args if isinstance(part, torch.Tensor)))
        elif short in ("backward", "manual_seed", "clip_grad_norm_", "clip_grad_value_"):
            self.note({"manual_seed": "seed", "backward": "backward"}.get(short, "clip"), node, short, (*call.args, *call.kwargs.values()))

    def _note_sum(self, call: Call, node: ast.AST, result: torch.Tensor) -> None:
        """Note that a loss is added to a number, or to such a sum."""
        sums = [event.result for event in self.events if event.kind == "sum"]
        losses = [event.result for event in self.events[-20:] if event.kind == "loss"]
        left, right = call.args[:2]
        if any(right is loss for loss in losses) and (not isinstance(left, torch.Tensor) or any(left is total for total in sums)):
            self.note("sum", node, None, (left, right), result)


def _names_device(node: ast.AST) -> bool:
    """Whether a call moves something to a device that is not the processor: `.cuda()`, `.to(config.device)`, `.to("cuda")`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    if node.func.attr == "cuda":
        return True
    named = [*node.args[:1], *(each.value for each in node.keywords if each.arg == "device")]
    return any(word in ast.unparse(part).casefold() for part in named for word in ("dev", "cuda", "gpu", "mps"))


def observe(text: str, source_limit: int) -> tuple[PartialRun, Observer]:
    """Run a training script, and return what it did.

    Raises:
        ScriptError: the text is not Python, or too long.
    """
    observer = Observer()
    bounds = Bounds(memory=2**50, source=source_limit, seconds=4, is_without_values=True)
    run = PartialRun(text, observer, bounds, {"device": torch.device("meta")}, _bounded)
    run.names[FIRST_TURNS] = PythonFunction(FIRST_TURNS, lambda value, line: Iteration("generator", _turns(run, observer, value, line)))
    run.names[OBSERVE_LOADER] = PythonFunction(OBSERVE_LOADER, observer.note_loader)
    run.begin(preparing.PRELUDE)
    before = set(run.names)
    run.begin(_SCRIPT.read_text(encoding="utf-8") + _TRANSFORMS)
    stands_for = {f"{_module_of(run.names[name])}.{name}": run.names[name] for name in run.names.keys() - before}
    run.replace(stands_for)
    for name in stands_for:
        del run.names[name.rpartition(".")[2]]
    run.run()
    return run, observer


def _module_of(value: Any) -> str:
    """Return the module whose class or function a value of the playground's own stands for."""
    bases = [base.name for base in value.order if isinstance(base, Class)] if isinstance(value, Class) else []
    return "torchvision.transforms" if "Transform" in bases else "torchvision.datasets" if "Images" in bases else "torch.utils.data"


def _turns(run: PartialRun, observer: Observer, value: Any, line: int) -> Iterator[Any]:
    """Yield the first values of an iteration, while the observer knows that this loop runs; of None, for a `while`, numbers."""
    loop = Loop(line, len(value) if isinstance(value, range) else None, isinstance(value, range))
    observer.loops.append(loop)
    try:
        yield from range(TURNS) if value is None else islice(run.iterate(value, ast.Pass()), TURNS)
    finally:
        if loop in observer.loops:
            del observer.loops[observer.loops.index(loop) :]


def _bounded(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return the statements of a training script without what it prints, and with two turns of each loop that trains or evaluates."""
    module = ast.Module(body, [])
    functions = {node.name: node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)}
    training = {name for name, node in functions.items() if _works(node, set())}
    training |= {name for name, node in functions.items() if _works(node, training)}
    bounded = _Bounded(training).visit(module)
    return preparing.with_class(bounded.body)


_WORKS = frozenset(("backward", "zero_grad", "step", "eval", "no_grad", "argmax", "to"))


def _works(node: ast.AST, training: set[str]) -> bool:
    """Whether a statement trains or evaluates, itself or by a function that does."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and part.attr in _WORKS:
            return True
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in training:
            return True
    return False


def _first_turns(value: ast.expr, node: ast.stmt) -> ast.expr:
    """Return the expression of the first turns of a loop over a value."""
    call = ast.Call(ast.Name(FIRST_TURNS, ast.Load()), [value, ast.Constant(node.lineno)], [])
    for part in (call.func, *call.args, call):
        if not hasattr(part, "lineno"):
            ast.copy_location(part, node)
    return call


class _Bounded(ast.NodeTransformer):
    """Bounds loops, and leaves out what is printed and plotted.

    Args:
        training: names of functions that train or evaluate.
    """

    def __init__(self, training: set[str]) -> None:
        self._training = training

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        if any(_works(each, self._training) for each in node.body):
            node.iter = _first_turns(node.iter, node)
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        self.generic_visit(node)
        if not any(_works(each, self._training) for each in node.body):
            return node
        test: list[ast.stmt] = [ast.If(ast.UnaryOp(ast.Not(), node.test), [ast.Break()], [])]
        loop = ast.For(ast.Name("_", ast.Store()), _first_turns(ast.Constant(None), node), [*test, *node.body], node.orelse)
        for part in (loop, loop.target, test[0], test[0].body[0], test[0].test):  # type: ignore[attr-defined]
            ast.copy_location(part, node)
        return loop

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        match node.value:
            case ast.Call(func=ast.Name(id="print")) | ast.Call(func=ast.Attribute(value=ast.Name(id="plt"))):
                return ast.copy_location(ast.Pass(), node)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        return preparing.without_blocks(node)


def parameters_of(optimizer: Any) -> set[int]:
    """Return the ids of the parameters of an optimizer; a script may have changed its groups."""
    return {id(parameter) for group in optimizer.param_groups for parameter in group.get("params", ())}


def optimized(observer: Observer) -> tuple[Any, nn.Module | None]:
    """Return the optimizer that steps, or else the last that was made, and the network whose parameters it has most of."""
    steps = [event.value for event in observer.events if event.kind == "step"]
    made = [event.value for event in observer.events if event.kind == "optimizer"]
    optimizer = (steps or made or [None])[-1]
    if optimizer is None:
        return None, None
    has = parameters_of(optimizer)
    modules = {objects.inside(value) for value, _node in observer.made_values if isinstance(objects.inside(value), nn.Module)}
    share = {module: sum(id(parameter) in has for parameter in module.parameters()) for module in modules}
    inner = {part for module in modules for part in list(module.modules())[1:]}
    best = max((module for module in modules if module not in inner or share[module]), key=lambda module: (share[module], module not in inner), default=None)
    return optimizer, best if best is not None and share[best] else None
