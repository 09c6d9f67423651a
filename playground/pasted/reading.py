"""A network read from the PyTorch code that somebody wrote: the interpreter runs it with shapes alone, and what it calls is recorded."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from playground.messages import msg
from playground.network.spec import LayerSpec, NetworkSpec
from playground.network.trace import check
from playground.network.types import Shape
from playground.pasted import preparing
from playground.pasted.choosing import Candidate, Choice, Missing, Plain, choose
from playground.pasted.cleaning import cleaned
from playground.pasted.errors import CodeError, of_script
from playground.pasted.recording import META, CallFailed, Recorder, Recording
from playground.pasted.shapes import Fitting, Inputs
from playground.pasted.stack import Stack, Stacking, unused_layers
from playground.tensors.language import objects
from playground.tensors.language.bounds import Bounds
from playground.tensors.language.classes import Instance
from playground.tensors.language.errors import ScriptError
from playground.tensors.language.partly import PartialRun

MAX_TEXT = 100_000
"""Characters of pasted code."""
MAX_STATEMENTS = 50_000
"""Statements that are run, with those that a network runs when it is called."""
MAX_NOTES = 20
_SIZES = r"(\d{1,6}(?:, ?\d{1,6}){0,3})"
_SAMPLE = re.compile(rf"#.{{0,80}}?\({_SIZES},?\)\s*$")
"""The comment that `source` writes behind what opens a network: `# (1, 28, 28)`."""
_BATCH_OF = re.compile(rf"^\s*Shape: \(N, {_SIZES}\) →", re.MULTILINE)
"""The line that it writes into a class's docstring."""


@dataclass(frozen=True)
class Reading:
    """What code says."""

    spec: NetworkSpec
    notes: tuple[str, ...]
    """What was left out or understood otherwise, and why; whole sentences, by line."""
    candidates: tuple[Candidate, ...] = ()
    """All networks of the code."""
    chosen: int = 0
    """Which of them was read."""
    missing: tuple[Missing, ...] = ()
    """Arguments that the code does not give, with the values used instead."""


def read(text: str, input_shape: Shape | None = None, name: str = "", which: int | None = None, given: Mapping[str, Plain] | None = None) -> Reading:
    """Return the network that a text of PyTorch code makes, as an `nn.Sequential` or as a class of `nn.Module`.

    Args:
        text: a file, or a piece of one; whatever is not about the network may stand around it.
        input_shape: shape of one sample; None takes what the code says, or the most usual shape with which the network runs.
        name: what the network is called; empty for the name of its class.
        which: the place of another network among the candidates.
        given: values for arguments that the code does not give, by name.

    Raises:
        CodeError: it is not Python, or makes no stack of the playground's layers; the message names the line.
        ConfigError, ShapeError: the network or the input shape is none that the playground takes.
    """
    if len(text) > MAX_TEXT:
        raise CodeError(msg("The code has {count:,} characters; the limit is {most:,}.", count=len(text), most=MAX_TEXT), msg("Leave in only the network."))
    if input_shape is not None:
        NetworkSpec("read", input_shape, (LayerSpec("ReLU"),))  # raises an error for a shape that no network takes
    recorder = Recorder()
    with torch.device(META):
        try:
            bounds = Bounds(memory=2**50, source=MAX_TEXT, statements=MAX_STATEMENTS, is_without_values=True)
            run = PartialRun(cleaned(text), recorder, bounds, {"device": META}, preparing.prepared)
            run.begin(preparing.PRELUDE)
            run.run()
            choice = choose(run, recorder, given or {}, which)
            return read_value(run, recorder, choice, input_shape, name)
        except CallFailed as failure:
            raise of_script(failure.error) from None
        except ScriptError as error:
            raise of_script(error) from None


def read_value(run: PartialRun, recorder: Recorder, choice: Choice, input_shape: Shape | None, name: str = "") -> Reading:
    """Return a network of a text that was run.

    Args:
        run: the text.
        recorder: saw what it made, and records what the network calls.
        choice: the network.
        input_shape: shape of one sample; None where it is not known.
        name: what the network is called; empty for the name of its class.

    Raises:
        CodeError, ConfigError, ShapeError: as `read`.
        CallFailed: the network fails in use.
    """
    inputs = Inputs(run, recorder, choice.value)
    stated = [] if input_shape else _stated(run, recorder, choice)
    leaf = next((module for module in objects.inside(choice.value).modules() if not module._modules), None)
    tried = [shape for shape in (recorder.called_with.get(leaf) if leaf else None,) if shape]  # by the code itself
    fitting = inputs.fit(input_shape, [*stated, *tried])
    stack = Stacking(fitting.recording, recorder, _line_of_return(run, choice)).stack()
    if not stack.layers:
        raise CodeError(msg("The network has no layers."), msg("Paste an nn.Sequential(…), or a class of nn.Module with its __init__ and forward."))
    _compare_with_use(run, recorder, choice.value, fitting)
    layers = (LayerSpec("Flatten"), *stack.layers) if fitting.is_laid_out else stack.layers
    spec = NetworkSpec(name or _name(choice), fitting.shape, layers)
    _check_equal(spec, stack, fitting)
    notes = [*choice.notes, *stack.notes, *_notes_on_modules(recorder, choice.value, stack), *preparing.notes(run, recorder)]
    if fitting.note:
        notes.append((None, fitting.note))
    if stated and spec.input_shape not in stated:
        said = msg("The comment says that the input has shape {stated}, but the layers fit {shape}.", stated=stated[0], shape=spec.input_shape)
        notes.append((choice.candidate.line, said))
    texts = _texts(notes)
    return Reading(spec, texts, tuple(choice.candidates), choice.candidates.index(choice.candidate), tuple(choice.missing))


def _texts(notes: list[tuple[int | None, str]]) -> tuple[str, ...]:
    ordered = sorted(dict.fromkeys(notes), key=lambda note: note[0] or 0)
    texts = [msg("Line {line}: {message}", line=line, message=note) if line else note for line, note in ordered]
    return tuple(texts) if len(texts) <= MAX_NOTES else (*texts[:MAX_NOTES], msg("{count} more of this kind.", count=len(texts) - MAX_NOTES))


def _compare_with_use(run: PartialRun, recorder: Recorder, network: Any, fitting: Fitting) -> None:
    """Check that the network does in use what it does in training, but for what layers do by themselves.

    Raises:
        CodeError: it does something else.
    """
    module = objects.inside(network)
    shape = tuple(fitting.recording.steps[0].arriving[0][1:]) if fitting.recording.steps else fitting.shape
    module.eval()
    try:
        in_use = recorder.record(run, network, shape)
    finally:
        module.train()
    if _signature(in_use, recorder) != _signature(fitting.recording, recorder):
        raise CodeError(msg("`forward` calls other layers in use than in training."), msg("Dropout and batch norm know by themselves whether it is training."))


def _signature(recording: Recording, recorder: Recorder) -> list[object]:
    """Return what a network calls: each layer, but for those that every call makes again, and each function, but for dropout."""
    steps = [step for step in recording.steps if step.name not in ("dropout", "dropout2d")]
    return [step.name if step.module is None or step.module in recorder.made_in_call else step.module for step in steps]


def _check_equal(spec: NetworkSpec, stack: Stack, fitting: Fitting) -> None:
    """Compare the network that was read with what PyTorch made and computed.

    Raises:
        CodeError: they differ.
        ShapeError: the network is none that the playground builds.
    """
    steps = check(spec)
    result = next(
        (step.shapes[step.outputs.index(fitting.recording.result)] for step in fitting.recording.steps if fitting.recording.result in step.outputs), None
    )
    is_same_shape = result is None or steps[-1].out_shape == tuple(result[1:])
    if not is_same_shape or sum(step.parameters for step in steps) != sum(parameter.numel() for parameter in stack.parameters):
        raise CodeError(msg("The playground would make another network of this code."), msg("Write each layer once, as nn.Sequential or in `forward`."))


def _notes_on_modules(recorder: Recorder, network: Any, stack: Stack) -> list[tuple[int | None, str]]:
    """Return what PyTorch does with the layers of a network that its code does not show."""
    module = objects.inside(network)
    registered = set(module.modules())
    notes: list[tuple[int | None, str]] = []
    for used in stack.modules:
        line = recorder.line_of_module(used)
        name = type(used).__name__
        has_weights = any(True for _ in used.parameters())
        if used in recorder.made_in_call and has_weights:
            notes.append((line, msg("{layer} is made in `forward`, where each call would create it again; it belongs into `__init__`.", layer=name)))
        elif used in recorder.made_in_call and name.startswith("Dropout"):
            notes.append((line, msg("{layer} is made in `forward`, so `eval()` does not reach it: it would drop values in use, too.", layer=name)))
        elif used not in registered and has_weights:
            message = msg("{layer} stands in a list, a tuple or the class itself, where PyTorch does not find it: it would not be trained.", layer=name)
            notes.append((line, message))
    if isinstance(network, Instance):
        for name, unused in unused_layers(module, stack):
            line = recorder.line_of_module(unused)
            notes.append((line, msg("{name} is left out: `forward` does not use it.", name=name)))
    return notes


def _stated(run: PartialRun, recorder: Recorder, choice: Choice) -> list[Shape]:
    """Return input shapes that comments of the code say, as the playground's own code does, and some tutorials."""
    lines = run.source.split("\n")
    found: list[str] = []
    node = _class_node(run, choice)
    places = [] if node else [choice.candidate.line]
    if node is not None:
        found = _BATCH_OF.findall(ast.get_docstring(node) or "")[-1:]
        places = [each.lineno for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "forward"]
        sequences = [part for part in objects.inside(choice.value).modules() if isinstance(part, torch.nn.Sequential)][:1]
        places += [recorder.line_of_module(part) for part in sequences]
    for place in places:
        line = lines[place - 1][:200] if place else ""
        if line.partition("#")[0].rstrip().endswith((":", "(")):  # what opens the network; a comment behind all of it may say what leaves it
            found += _SAMPLE.findall(line)
    shapes = [tuple(int(size) for size in sizes.split(",")) for sizes in found]
    return [shape for shape in dict.fromkeys(shapes) if len(shape) in (1, 3)]


def _class_node(run: PartialRun, choice: Choice) -> ast.ClassDef | None:
    if not isinstance(choice.value, Instance):
        return None
    name = choice.value.kind.name
    return next((node for node in ast.walk(run.tree) if isinstance(node, ast.ClassDef) and node.name == name), None)


def _line_of_return(run: PartialRun, choice: Choice) -> int | None:
    node = _class_node(run, choice)
    returns = [part.lineno for part in ast.walk(node) if isinstance(part, ast.Return) and part.value] if node else []
    return returns[-1] if returns else None


def _name(choice: Choice) -> str:
    """Return the class's name as the playground names networks: `MnistCnn` → `mnist-cnn`."""
    if not isinstance(choice.value, Instance):
        return "network"
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", choice.value.kind.name).lower()
