"""A network read from the PyTorch code that somebody wrote: from its text alone, of which nothing is ever run.

`reading_nodes` parses, `reading_statements`, `reading_calls` and `reading_expressions` follow the network's input through
the code, `reading_layers` knows torch's layers and functions, `reading_shapes` finds the input's shape and checks the sizes.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from playground.network.reading_expressions import STEPS
from playground.network.reading_nodes import calls_outside_classes, parse
from playground.network.reading_shapes import fit
from playground.network.reading_statements import Statements
from playground.network.reading_values import WHAT_CAN, Chain, Class, CodeError, Instance, Layer, Module, Ref, Signal, Unread, line_of
from playground.network.spec import NetworkSpec
from playground.network.types import Shape

_SIZES = r"(\d{1,6}(?:, ?\d{1,6}){0,3})"
_SAMPLE = re.compile(rf"#.{{0,80}}?\({_SIZES},?\)\s*$")
"""The comment that `source` writes behind what opens a network: `# (1, 28, 28)`."""
_BATCH = re.compile(rf"^\s*Shape: \(N, {_SIZES}\) →", re.MULTILINE)
"""The line that it writes into a class's docstring."""
_MAX_NOTES = 20


@dataclass(frozen=True)
class Reading:
    """What code says."""

    spec: NetworkSpec
    notes: tuple[str, ...]
    """What was left out or understood otherwise, and why; whole sentences, by line."""


def read(text: str, input_shape: Shape | None = None, name: str = "") -> Reading:
    """The network that a text of PyTorch code describes, as an `nn.Sequential` or as a class of `nn.Module`.

    Args:
        text: a file, or a piece of one; whatever is not about the network may stand around it.
        input_shape: shape of one sample; None takes what the code says, or the most usual shape whose sizes fit.
        name: what the network is called; empty for the name of its class.

    Raises:
        CodeError: it is not Python, or no stack of the playground's layers; what is wrong is told with its line.
        ConfigError, ShapeError: the network or the input shape is none that the playground takes.
    """
    try:
        return _read(text, input_shape, name)
    except RecursionError:  # calls of calls: the tree itself is known not to be deep
        raise CodeError("The code is nested too deeply to be read.", "Leave in only the network.") from None


def _read(text: str, input_shape: Shape | None, name: str) -> Reading:
    tree, text = parse(text)
    reader = Statements(text)
    reader.run(tree.body, reader.globals, strict=False)
    reader.steps = STEPS
    network = _network(reader, tree)
    result = _result(reader, network)
    path = result.path()
    layers = [step.layer for step in path if step.layer]
    if not any(layer.spec for layer in layers):
        raise CodeError("The network has no layers.", WHAT_CAN)
    _check_order(path, reader.signals)
    _note_unused(reader, network, path)
    stated = [] if input_shape else _stated(network, reader.lines)
    spec = fit(layers, [input_shape] if input_shape else [], stated, name or _name(network))
    if stated and spec.input_shape not in stated:
        reader.note(f"The comment says that the input has shape {stated[0]}, but the layers fit {spec.input_shape}.", _opening(network))
    notes = tuple(f"Line {line}: {note}" for line, note in sorted(reader.notes))
    return Reading(spec, notes if len(notes) <= _MAX_NOTES else (*notes[:_MAX_NOTES], f"{len(notes) - _MAX_NOTES} more of this kind."))


def _network(reader: Statements, tree: ast.Module) -> Module:
    """The network that the code is about: the last that it makes, or else its last class that is one."""
    for made, value in reversed(reader.assigned):
        if isinstance(value, (Chain, Instance)):
            if isinstance(value, Chain) or value.of.is_network:
                return value
        elif isinstance(value, Unread) and _makes(reader, made):
            raise value.error
    classes = [value for value in reader.globals.names.values() if isinstance(value, Class) and value.is_network]
    by_name = {found.node.name: found for found in classes}
    for call in reversed(calls_outside_classes(tree) if classes else []):
        if isinstance(call.func, ast.Name) and call.func.id in by_name:
            return _instance(reader, by_name[call.func.id], call)
    parts = {node.id for found in classes for node in ast.walk(found.node) if isinstance(node, ast.Name)}
    if classes:
        whole = [found for found in classes if found.node.name not in parts] or classes
        return reader.instance(whole[-1], [], {}, whole[-1].node)
    single = [value for _, value in reader.assigned if isinstance(value, Layer)]
    if single:
        return single[-1]
    raise _nothing(reader)


def _makes(reader: Statements, made: ast.expr) -> bool:
    """Whether an expression that could not be read would have made a network."""
    for node in ast.walk(made):
        if isinstance(node, ast.Call):
            try:
                called = reader.value(node.func, reader.globals)
            except CodeError:
                continue
            if (isinstance(called, Class) and called.is_network) or called == Ref("torch.nn.Sequential"):
                return True
    return False


def _instance(reader: Statements, of: Class, call: ast.Call) -> Module:
    """What a call in a function makes; where its arguments are not known there, what the class makes by itself."""
    try:
        made = reader.value(call, reader.globals)
    except CodeError:
        made = None
    return made if isinstance(made, Instance) else reader.instance(of, [], {}, of.node)


def _nothing(reader: Statements) -> CodeError:
    """Why there is no network in the code."""
    decorated = next(
        (value.attributes["forward"] for value in reader.globals.names.values() if isinstance(value, Class) and "forward" in value.attributes), None
    )
    if isinstance(decorated, Unread):
        return decorated.error
    failed = next((value.error for _, value in reversed(reader.assigned) if isinstance(value, Unread)), None)
    classes = [value for value in reader.globals.names.values() if isinstance(value, Class)]
    if failed:
        return failed
    if any(found.is_module for found in classes):
        return CodeError(f"The class {classes[-1].node.name} has no `forward` that can be read.", "Copy all of the class.", classes[-1].node.lineno)
    return CodeError("There is no network in this code.", "Paste an nn.Sequential(…), or a class of nn.Module with its __init__ and forward.")


def _result(reader: Statements, network: Module) -> Signal:
    """The tensor that leaves the network, which knows the layers it went through."""
    node = _opening(network)
    result = reader.apply(network, [Signal()], {}, node)
    if isinstance(result, (tuple, list)) and result and isinstance(result[0], Signal):
        on_the_way = {id(step) for step in result[0].path()}
        if all(id(other) in on_the_way for other in result[1:]):
            reader.note("Of what `forward` gives back, only the first is read.", node)
            return result[0]
    if not isinstance(result, Signal):
        raise CodeError("`forward` must give back one tensor: what comes out of the last layer.", "End it in `return x`.", line_of(node))
    return result


def _opening(network: Module) -> ast.AST:
    """The `forward` of a class, or what makes an `nn.Sequential` or a layer."""
    return network.of.methods["forward"] if isinstance(network, Instance) else network.node


def _check_order(path: list[Signal], signals: list[Signal]) -> None:
    """Nothing follows what only the loss may follow, and nothing uses what a layer has changed in place."""
    ended: Layer | None = None
    for step in path:
        if ended and step.layer and step.layer.spec:
            raise CodeError(f"{ended.name} may only be the last layer here.", "Leave it out: the loss does it.", ended.line)
        ended = step.layer if step.layer and step.layer.last else ended
    for index, step in enumerate(signals):
        if step.layer and step.layer.inplace and any(later.before is step.before for later in signals[index + 1 :]):
            raise CodeError("inplace=True changes what is used again further down.", "Leave it out.", getattr(step.node, "lineno", None))


def _note_unused(reader: Statements, network: Module, path: list[Signal]) -> None:
    """Layers that nothing comes out of."""
    on_the_way = {id(step) for step in path}
    for step in reader.signals:
        if id(step) not in on_the_way and step.layer and step.node:
            reader.note(f"{step.layer.name} is left out: nothing uses its result.", step.node)
    for attribute, value in network.attributes.items() if isinstance(network, Instance) else []:
        layers = _layers(value) if isinstance(value, (Layer, Chain)) else []
        if isinstance(value, (Layer, Chain)) and layers and reader.used.isdisjoint(layers):
            reader.note(f"self.{attribute} is left out: `forward` does not use it.", value.node)


def _layers(module: Module) -> list[Layer]:
    """All that a layer or an `nn.Sequential` holds and that would leave a trace if it were used."""
    if isinstance(module, Chain):
        return [layer for item in module.items for layer in _layers(item)]
    return [module] if isinstance(module, Layer) and (module.spec or module.claims) else []


def _stated(network: Module, lines: list[str]) -> list[Shape]:
    """Input shapes that the code tells in comments, as the playground's own code does, and some tutorials."""
    if isinstance(network, Layer):
        return []
    if isinstance(network, Chain):
        places = [network.node]
    else:
        first = [value.node for value in network.attributes.values() if isinstance(value, Chain)][:1]
        places = [_opening(network), *first]
    found = _BATCH.findall(ast.get_docstring(network.of.node) or "")[-1:] if isinstance(network, Instance) else []
    for place in places:
        line = lines[getattr(place, "lineno", 1) - 1][:200]
        if line.partition("#")[0].rstrip().endswith((":", "(")):  # what opens the network; a comment behind all of it may tell what leaves it
            found += _SAMPLE.findall(line)
    shapes = [tuple(int(size) for size in sizes.split(",")) for sizes in found]
    return [shape for shape in dict.fromkeys(shapes) if len(shape) in (1, 3)]


def _name(network: Module) -> str:
    """The class's name as the playground names networks: `MnistCnn` → `mnist-cnn`."""
    if not isinstance(network, Instance):
        return "network"
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", network.of.node.name).lower()
