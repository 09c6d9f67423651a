"""Which network pasted code is about, and what its constructor is given."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import nn

from playground.messages import msg
from playground.pasted.errors import CodeError, line_of, of_script
from playground.pasted.recording import Recorder
from playground.tensors.language import objects
from playground.tensors.language.classes import MODULE, SEQUENTIAL, Class, Instance
from playground.tensors.language.errors import ScriptError
from playground.tensors.language.functions import Function, Unknown
from playground.tensors.language.objects import Layer, Maker
from playground.tensors.language.partly import Assigned, PartialRun

Plain = bool | int | float | str
_PROPOSED: tuple[tuple[str, Plain], ...] = (
    (r"(n|num|number_of|input|in|image|img)_?(channels?|ch)|channels?|c_?in", 1),
    (r".*class.*|.*out(put)?s?(_?(dim|size|features|channels|units|shape))?s?|nc|n_labels", 10),
    (r"in(put)?s?_?(dims?|size|features|units|shape)?|num_features|n_in|features_in", 784),
    (r".*(drop|prob).*|p", 0.5),
    (r".*kernel.*|k", 3),
    (r"stride|padding|s", 1),
    (r".*(hidden|units?|dim|width|size|neurons|h\d?)\d*.*", 128),
)
"""What is proposed for an argument that the code does not give, by its name."""
_LIKE_INIT = frozenset(("_init_", "__int__", "__inti__", "init", "__init", "_init__", "__init_", "__ini__", "__Init__"))


@dataclass(frozen=True)
class Candidate:
    """A network of the code: a value, or a class that is still to be called."""

    name: str
    """Of its class; of an `nn.Sequential`, the name that it was given."""
    line: int | None
    value: Any = None
    kind: Class | None = None
    call: ast.Call | None = None
    """A call in the code whose arguments are taken as far as they are known."""
    doubt: tuple[int | None, str] | None = None
    """What may have changed it and could not be run, with its line."""


@dataclass(frozen=True)
class Missing:
    """An argument that the code does not give."""

    name: str
    value: Plain
    """The one used instead: what the learner set, or a usual one."""


@dataclass
class Choice:
    """The network that is read."""

    value: Any
    candidate: Candidate
    candidates: list[Candidate]
    missing: list[Missing] = field(default_factory=list)
    notes: list[tuple[int | None, str]] = field(default_factory=list)


def choose(run: PartialRun, recorder: Recorder, given: Mapping[str, Plain], which: int | None = None) -> Choice:
    """Return the network that code is about: the last that it makes, or else its last class that is one.

    Args:
        run: the code, which has been run.
        recorder: saw what it made.
        given: values for arguments that the code does not give, by name.
        which: the place of another one among the candidates.

    Raises:
        CodeError: there is none, or it cannot be made.
    """
    _check_spelling(run.tree)
    assigned = _assigned(run) or _made(recorder) or _in_functions(run, recorder)
    classes = [Candidate(kind.name, node.lineno, kind=kind) for kind, node in _classes(run)]
    known = {each.value.kind for each in assigned if isinstance(each.value, Instance)} | {each.kind for each in assigned}
    candidates = [*(each for each in classes if each.kind not in known), *assigned] or _bare(run)
    if not candidates:
        raise _nothing(run)
    chosen = candidates[which] if which is not None and 0 <= which < len(candidates) else candidates[-1]
    if chosen.kind is None:
        return Choice(chosen.value, chosen, candidates, notes=[chosen.doubt] if chosen.doubt else [])
    return _constructed(run, chosen, candidates, given)


def _assigned(run: PartialRun) -> list[Candidate]:
    """Return the networks that names of the code have at its end, the last one last.

    Raises:
        CodeError: a statement that would have made the last one, or that changes it, could not be run.
    """
    last, doubts = _last(run)
    bare = [each for each in run.assigned if not each.name and is_network(each.value)]
    places = {id(each): place for place, each in enumerate(run.assigned)}
    found: list[Candidate] = []
    for each in sorted([*last, *bare], key=lambda each: places[id(each)]):
        if not isinstance(each.value, Unknown):
            same = next((other for other in found if objects.inside(other.value) is objects.inside(each.value)), None)
            if same is None or each.name:  # not `net.apply(…)`, which returns the network
                found = [other for other in found if other is not same]
                found.append(replace(_candidate(each.value, each.name, each.node), doubt=doubts.get(each.name)))
        elif (call := _call_of_class(run, each.node)) is not None:
            found.append(Candidate(call[0].name, each.node.lineno, kind=call[0], call=call[1]))
        elif each is last[-1] and not bare:
            raise of_script(each.value.error)
    return found


def _last(run: PartialRun) -> tuple[list[Assigned], dict[str, tuple[int | None, str]]]:
    """Return what was assigned last to each name of a network, and by name what may have changed it and could not be run."""
    last: dict[str, Assigned] = {}
    had_network: set[str] = set()
    doubts: dict[str, tuple[int | None, str]] = {}
    for each in (each for each in run.assigned if each.name):
        if isinstance(each.value, Unknown) and each.name in last and _is_handed_through(each.node, each.name):
            message = msg("This could not be run, so the network is shown as it was before. {reason}", reason=each.value.error.message)
            doubts[each.name] = (each.node.lineno, message)
        elif is_network(each.value) or (isinstance(each.value, Unknown) and (each.name in had_network or _mentions_network(run, each.node))):
            last.pop(each.name, None)
            last[each.name] = each
            had_network.add(each.name)
        elif not isinstance(each.value, Unknown):
            last.pop(each.name, None)
    return list(last.values()), doubts


def _is_handed_through(node: ast.AST, name: str) -> bool:
    """Whether this is `model = train(model, …)`: a function that is given the network, and returns it."""
    match node:
        case ast.Assign(value=ast.Call(args=args)):
            return any(isinstance(part, ast.Name) and part.id == name for part in args)
    return False


def _candidate(value: Any, name: str, node: ast.AST) -> Candidate:
    return Candidate(value.kind.name if isinstance(value, Instance) else name or "nn.Sequential", line_of(node), value)


def _made(recorder: Recorder) -> list[Candidate]:
    """Return the networks that the code made without a name, and that are no part of another."""
    networks = [(value, node) for value, node in recorder.made_values if is_network(value)]
    inside = {part for value, _node in networks for part in list(objects.inside(value).modules())[1:]}
    return [_candidate(value, "", node) for value, node in networks if objects.inside(value) not in inside]


def _in_functions(run: PartialRun, recorder: Recorder) -> list[Candidate]:
    """Return the networks that functions make which the code does not call."""
    for value in list(run.names.values()):
        if isinstance(value, Function) and isinstance(value.body, list) and any(_mentions_network(run, each) for each in value.body):
            run.call_partly(value)
    return _assigned(run) or _made(recorder)


def is_network(value: Any) -> bool:
    """Whether a value is a network that takes one input."""
    if isinstance(value, Instance):
        return bool(value.modules) and _takes_one_input(value.kind)
    return isinstance(value, Layer) and isinstance(value.module, nn.Sequential)


def _takes_one_input(kind: Class) -> bool:
    forward, exists = kind.lookup("forward")
    if not exists or not isinstance(forward, Function):
        return SEQUENTIAL in kind.order
    names = [*forward.parameters.posonlyargs, *forward.parameters.args]
    return len(names) - len(forward.defaults) <= 2


def _classes(run: PartialRun) -> Iterator[tuple[Class, ast.ClassDef]]:
    """Yield the classes of networks that are no part of another class."""
    nodes = {node.name: node for node in ast.walk(run.tree) if isinstance(node, ast.ClassDef)}
    kinds = {name: value for name, value in run.names.items() if isinstance(value, Class) and value.is_module and name in nodes}
    parts = {node.id for name in kinds for node in ast.walk(nodes[name]) if isinstance(node, ast.Name) and node.id != name}
    whole = {name: kind for name, kind in kinds.items() if name not in parts and _takes_one_input(kind)}
    for name, kind in (whole or {name: kind for name, kind in kinds.items() if _takes_one_input(kind)}).items():
        yield kind, nodes[name]


def _mentions_network(run: PartialRun, node: ast.AST) -> bool:
    return any(isinstance(part, ast.Call) and _is_network_class(_value_of(run, part.func)) for part in ast.walk(node))


def _is_network_class(value: Any) -> bool:
    return (isinstance(value, Class) and value.is_module and _takes_one_input(value)) or value == Maker("torch.nn.Sequential")


def _value_of(run: PartialRun, node: ast.expr) -> Any:
    if not isinstance(node, (ast.Name, ast.Attribute)):
        return None
    try:
        return run.evaluate(node)
    except ScriptError:
        return None


def _call_of_class(run: PartialRun, node: ast.AST) -> tuple[Class, ast.Call] | None:
    """Return the class of a network that a statement calls, with the call."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and isinstance(kind := _value_of(run, part.func), Class) and _is_network_class(kind):
            return kind, part
    return None


def _constructed(run: PartialRun, chosen: Candidate, candidates: list[Candidate], given: Mapping[str, Plain]) -> Choice:
    """Call a class, with proposed values where the code does not give an argument."""
    kind = chosen.kind
    assert kind is not None
    arguments, unknown = _known_arguments(run, kind, chosen.call)
    missing = [Missing(name, given[name] if name in given else _proposed(name, chosen.line)) for name in unknown]
    notes: list[tuple[int | None, str]] = []
    if missing:
        values = ", ".join(f"{each.name}={each.value!r}" for each in missing)
        message = msg("The code does not give {values}; these are usual values.", values=values)
        notes.append((line_of(chosen.call) or chosen.line, message))
    try:
        value = run.call(kind, **arguments, **{each.name: each.value for each in missing})
    except ScriptError as error:
        raise of_script(error) from None
    if not value.modules:
        message = msg("`super().__init__()` is missing in the class {name}.", name=kind.name)
        raise CodeError(message, msg("Write it as the first line of `__init__`."), chosen.line)
    return Choice(value, chosen, candidates, missing, notes)


def _known_arguments(run: PartialRun, kind: Class, call: ast.Call | None) -> tuple[dict[str, Any], list[str]]:
    """Return the arguments of a constructor that are known, by name, and the names of those that are not."""
    begin, exists = kind.lookup("__init__")
    if not exists or not isinstance(begin, Function):
        return {}, []
    parameters = [*begin.parameters.posonlyargs, *begin.parameters.args][1:]
    names = [each.arg for each in parameters]
    required = names[: max(0, len(names) - len(begin.defaults))]
    required += [each.arg for each in begin.parameters.kwonlyargs if each.arg not in begin.keyword_defaults]
    known: dict[str, Any] = {}
    unknown: list[str] = []
    pairs: list[tuple[str | None, ast.expr]] = []
    if call is not None:
        pairs = [*zip(names, call.args, strict=False), *((keyword.arg, keyword.value) for keyword in call.keywords)]
    for name, node in pairs:
        if name is None or isinstance(node, ast.Starred):
            continue
        try:
            known[name] = run.evaluate(node)
        except ScriptError:
            unknown.append(name)
    return known, [*unknown, *(name for name in required if name not in known and name not in unknown)]


def _proposed(name: str, line: int | None) -> Plain:
    for pattern, value in _PROPOSED:
        if re.fullmatch(pattern, name.casefold()):
            return value
    message = msg("`__init__` takes {name}, and the code does not give it.", name=name)
    raise CodeError(message, msg("Paste the line that makes the network, too."), line)


def _bare(run: PartialRun) -> list[Candidate]:
    """Return the layers that stand on lines of their own, one after another, as a network; else the only layer of the code."""
    layers = [part for each in run.assigned if not each.name for part in (each.value if isinstance(each.value, tuple) else (each.value,))]
    layers = [layer for layer in layers if isinstance(layer, Layer)]
    lines = [each.node.lineno for each in run.assigned]
    if len(layers) > 1:
        return [Candidate("nn.Sequential", lines[0], run.call(Maker("torch.nn.Sequential"), *layers))]
    named = [each for each in run.assigned if isinstance(each.value, Layer) and not isinstance(each.value.module, nn.modules.loss._Loss)]
    if len(named) > 1:
        message = msg("This code makes {count} layers, and does not say in which order they are called.", count=len(named))
        raise CodeError(message, msg("Paste the `forward` too, or put the layers into nn.Sequential(…)."), named[0].node.lineno)
    return [Candidate("nn.Sequential", each.node.lineno, each.value) for each in named]


def _check_spelling(tree: ast.Module) -> None:
    """Check the names of the methods that PyTorch looks for in a class of `nn.Module`.

    Raises:
        CodeError: one is spelt otherwise.
    """
    for node in ast.walk(tree):
        is_module = isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("Module") for base in node.bases)
        names = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)} if is_module and isinstance(node, ast.ClassDef) else {}
        for found, function in names.items():
            near = "__init__" if found in _LIKE_INIT else "".join(difflib.get_close_matches(found, ["forward"], n=1, cutoff=0.8))
            if near and near not in names and found != near:
                message = msg("The method is called `{found}`, and PyTorch looks for `{wanted}`.", found=found, wanted=near)
                raise CodeError(message, msg("Write `def {wanted}(…)`.", wanted=near), function.lineno)


def _nothing(run: PartialRun) -> CodeError:
    """Return why there is no network in the code."""
    originals = [(getattr(each.node, "original", each.node), each.error) for each in run.failed]
    own = {node.name for node in ast.walk(run.tree) if isinstance(node, ast.ClassDef)}
    classes = [value for name, value in run.names.items() if isinstance(value, Class) and name in own]
    for node, error in originals:
        if isinstance(node, ast.ClassDef) or (isinstance(node, ast.Assign) and any(isinstance(part, ast.Call) for part in ast.walk(node))):
            return of_script(error)
    modules = [kind for kind in classes if MODULE in kind.order]
    if modules and not any(kind.lookup("forward")[1] for kind in modules):
        return CodeError(msg("The class {name} has no `forward`.", name=modules[-1].name), msg("Copy all of the class."), _line_of_class(run, modules[-1]))
    if modules:
        forward = modules[-1].lookup("forward")[0]
        names = [each.arg for each in forward.parameters.args][2:]
        message = msg("`forward` takes {names} as well, and a network of the playground takes one input.", names=", ".join(names))
        return CodeError(message, "", line_of(forward.body[0]))
    plain = next((kind for kind in classes if kind.lookup("forward")[1]), None)
    if plain:
        message = msg("The class {name} does not derive from nn.Module.", name=plain.name)
        return CodeError(message, msg("Write `class {name}(nn.Module):`.", name=plain.name), _line_of_class(run, plain))
    if originals:
        return of_script(originals[-1][1])
    return CodeError(msg("There is no network in this code."), msg("Paste an nn.Sequential(…), or a class of nn.Module with its __init__ and forward."))


def _line_of_class(run: PartialRun, kind: Class) -> int | None:
    return next((node.lineno for node in ast.walk(run.tree) if isinstance(node, ast.ClassDef) and node.name == kind.name), None)
